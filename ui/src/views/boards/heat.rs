//! How full car parks are by hour and day of the week, as a table: the darker the fuller, and each cell says it in words. An hour of
//! which nothing is known is hatched and is no zero.

use std::time::Duration;

use fleetlens_ipc::boards::{Heat, Shown};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use super::widget::{Now, Waits, Wrong};
use crate::clock::{local, mono_ms, today, utc_offset_min};
use crate::format;
use crate::lang::{said, term};
use crate::state::store;

/// How often it is read anew: it goes over weeks, by hours.
const READ_EVERY: Duration = Duration::from_mins(10);

/// How often it is read at most, whatever car parks come and go: where fullness is asked for, that changes with every car.
const READ_AT_MOST_EVERY: Duration = Duration::from_mins(1);

const DAYS: [&str; 7] = [term("Mon"), term("Tue"), term("Wed"), term("Thu"), term("Fri"), term("Sat"), term("Sun")];

#[component]
pub(super) fn HeatOf(weeks: u32, now: Now) -> impl IntoView {
    let store = store();
    let told = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Parks { parks, left_out }) => Some(Ok((parks.clone(), *left_out))),
            Some(Shown::Wrong(why)) => Some(Err(why.clone())),
            Some(_) | None => None,
        })
    });
    let heat = RwSignal::new(None::<Result<Heat, String>>);
    let parks = Memo::new(move |_| match told.get() {
        Some(Ok((parks, _))) => Some(parks),
        Some(Err(_)) | None => None,
    });
    // Which ask is the last, and when it was made. Another query is another heat, which begins anew.
    let asked = StoredValue::new((0_u32, None::<f64>));
    // Of which car parks.
    let of = StoredValue::new(None::<Vec<(SeriesKey, u32)>>);
    let read = move |parks: Vec<(SeriesKey, u32)>| {
        let now_ms = mono_ms();
        let nth = asked.with_value(|(nth, _)| nth + 1);
        asked.set_value((nth, Some(now_ms)));
        of.set_value(Some(parks.clone()));
        let at = store.wall_now(now_ms).unwrap_or(WallMs(0));
        store.ask_heat(parks, weeks, utc_offset_min(at), move |told| {
            // An answer of an older ask says nothing any more.
            if asked.try_with_value(|(last, _)| *last) == Some(nth) {
                heat.try_set(Some(told));
            }
        });
    };
    let read_if_due = move || {
        let Some(parks) = parks.try_get_untracked().flatten().filter(|parks| !parks.is_empty()) else { return };
        let is_other = of.with_value(|of| of.as_ref() != Some(&parks));
        let since_ms = asked.with_value(|(_, at_ms)| at_ms.map(|at_ms| mono_ms() - at_ms));
        if is_due(since_ms, is_other) {
            read(parks);
        }
    };
    Effect::new(move |_| {
        parks.track();
        untrack(read_if_due);
    });
    // Fails only outside of a page.
    let again = set_interval_with_handle(read_if_due, READ_AT_MOST_EVERY).ok();
    on_cleanup(move || {
        if let Some(again) = again {
            again.clear();
        }
    });
    move || match (told.get(), heat.get()) {
        (Some(Err(why)), _) | (Some(Ok(_)), Some(Err(why))) => view! { <Wrong why /> }.into_any(),
        (Some(Ok((parks, _))), _) if parks.is_empty() => {
            view! { <Wrong why=said("no car park with a known number of spaces is found") /> }.into_any()
        }
        (Some(Ok((_, left_out))), Some(Ok(heat))) => table(&heat, left_out, weeks).into_any(),
        (None, _) | (Some(Ok(_)), None) => view! { <Waits /> }.into_any(),
    }
}

/// Whether it is read again that long after the last time; `None` where it never was.
fn is_due(since_ms: Option<f64>, is_other: bool) -> bool {
    let pause = if is_other { READ_AT_MOST_EVERY } else { READ_EVERY };
    since_ms.is_none_or(|since_ms| since_ms >= pause.as_secs_f64() * 1_000.0)
}

fn table(heat: &Heat, left_out: u32, weeks: u32) -> impl IntoView + use<> {
    let rows = DAYS
        .into_iter()
        .zip(heat.hours.chunks(24))
        .map(|(day, hours)| {
            let day = said(day);
            let cells = hours
                .iter()
                .enumerate()
                .map(|(hour, share)| {
                    let words = match share {
                        Some(share) => format!("{} %", percent(*share)),
                        None => said("not known").to_owned(),
                    };
                    let title = format!("{day} {hour:02}:00–{:02}:00: {words}", hour + 1);
                    let full = share.map(|share| format!("{}%", 8 + u32::from(percent(share)) * 92 / 100));
                    view! {
                        <td class:gap=full.is_none() style:--full=full title=title><span class="unseen">{words}</span></td>
                    }
                })
                .collect_view();
            view! { <tr><th scope="row">{day}</th>{cells}</tr> }
        })
        .collect_view();
    let heads = (0..24_u32)
        .map(|hour| {
            view! { <th scope="col"><span class:unseen=hour % 3 != 0>{hour}</span></th> }
        })
        .collect_view();
    let known = heat.hours.iter().flatten().count();
    let begins = heat.begins.map(|at| local(at).short(&today()));
    let count = format::count(u64::from(heat.parks));
    let basis = match (known, begins) {
        (0, _) => tr!("Nothing was measured in the last week" | "Nothing was measured in the last {n} weeks" % weeks),
        (_, None) => tr!("1 car park" | "{count} car parks" % heat.parks, count = count),
        (_, Some(begins)) => {
            tr!(
                "1 car park since {begins}" | "{count} car parks since {begins}" % heat.parks,
                count = count,
                begins = begins
            )
        }
    };
    let gaps = (known < heat.hours.len()).then(|| said("hatched: not known").to_owned());
    let left = (left_out > 0).then(|| tr!("{} left out", left_out));
    let basis = [Some(basis), gaps, left].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <div class="board-heat-room">
            <table class="board-heat" data-testid="board-heat">
                <caption class="unseen">{said("Share of spaces that were taken, by day and hour")}</caption>
                <thead><tr><td />{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="board-basis">
            <span class="board-scale" aria-hidden="true">{said("empty")}<i />{said("full")}</span>
            {basis}
        </p>
    }
}

/// A share of 0 to 1 as 0 to 100.
fn percent(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heat_is_read_once_a_minute_at_most_and_for_the_same_car_parks_every_ten() {
        for (since_ms, is_other, want) in [
            (None, true, true),
            (Some(500.0), true, false),
            (Some(60_000.0), true, true),
            (Some(60_000.0), false, false),
            (Some(600_000.0), false, true),
        ] {
            assert_eq!(is_due(since_ms, is_other), want, "{since_ms:?} {is_other}");
        }
    }
}
