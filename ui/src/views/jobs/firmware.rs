//! Which firmware is in the field: a bar for each version of each kind of thing.

use fleetlens_ipc::rows::FirmwareRow;
use leptos::prelude::*;
use tr::tr;

use crate::format;
use crate::lang::said;
use crate::state::store;

/// The versions by kind.
#[component]
pub fn Firmware() -> impl IntoView {
    let store = store();
    let rows = store.jobs.firmware;
    let is_empty = move || rows.with(|rows| rows.as_ref().is_some_and(Vec::is_empty));
    let kinds = move || rows.get().unwrap_or_default().into_iter().map(kind).collect_view();
    view! {
        <section class="orders firmware" data-testid="firmware" aria-label=said("Firmware")>
            <h2>{said("Firmware in the field")}</h2>
            <div class="kinds-of-firmware">{kinds}</div>
            <Show when=is_empty>
                <div class="nothing small" data-testid="firmware-none">
                    <b>{said("No thing says its firmware")}</b>
                    <p>
                        {said("It is read from what things report at /fw or /firmware; the profile can name another place: [firmware] pointer.")}
                    </p>
                </div>
            </Show>
        </section>
    }
}

fn kind(row: FirmwareRow) -> impl IntoView {
    let lines = lines(&row).into_iter().map(|(version, count, share)| {
        let name = version.clone();
        view! {
            <tr data-testid="version" data-version=version>
                <th scope="row">{name}</th>
                <td class="length" aria-hidden="true"><i style:width=format!("{share:.2}%") /></td>
                <td class="count">{format::count(u64::from(count))}</td>
                <td class="share">{share_words(share)}</td>
            </tr>
        }
    });
    let caption = tr!(
        "{kinds}, {shown} in all",
        kinds = format::capital(said(row.kind.plural())),
        shown = format::count(u64::from(row.things))
    );
    view! {
        <table class="versions" data-testid="firmware-kind" data-kind=row.kind.word()>
            <caption>{caption}</caption>
            <tbody>{lines.collect_view()}</tbody>
        </table>
    }
}

/// Version, how many, and which share of the kind that is in percent.
fn lines(row: &FirmwareRow) -> Vec<(String, u32, f64)> {
    let share = |count: u32| 100.0 * f64::from(count) / f64::from(row.things.max(1));
    let mut lines: Vec<(String, u32)> = row.versions.clone();
    lines.extend((row.others > 0).then(|| (said("other versions").to_owned(), row.others)));
    lines.extend((row.unknown > 0).then(|| (said("not said").to_owned(), row.unknown)));
    lines.into_iter().map(|(version, count)| (version, count, share(count))).collect()
}

/// A share that is there is never told as none, and one that is not all never as all.
fn share_words(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 1.0 => "< 1 %".into(),
        share if share > 99.0 && share < 100.0 => "> 99 %".into(),
        share => format!("{share:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;

    use super::*;

    #[test]
    fn every_thing_of_a_kind_is_in_a_line() {
        let versions = vec![("2.4.1".to_owned(), 900), ("2.5.0".to_owned(), 90)];
        let row = FirmwareRow { kind: Kind::Lamp, things: 1_000, versions, others: 4, unknown: 6 };
        let told = lines(&row);
        assert_eq!(told.iter().map(|(_, count, _)| count).sum::<u32>(), 1_000);
        assert_eq!(told.last().map(|(name, ..)| name.as_str()), Some("not said"));
        let words: Vec<String> = told.iter().map(|(_, _, share)| share_words(*share)).collect();
        assert_eq!(words, ["90 %", "9 %", "< 1 %", "< 1 %"]);
        assert_eq!((share_words(99.9), share_words(100.0)), ("> 99 %".to_owned(), "100 %".to_owned()));
    }
}
