//! What a profile would read of what was heard, judged by the engine that would read it.

use fleetlens_ipc::profile::{Preview, PreviewRow};
use fleetlens_model::telemetry::Value;
use leptos::prelude::*;
use tr::tr;

use super::trying::Unread;
use crate::clock::{local, today};
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;

/// Digits of a number at most; nobody has said yet how exact it is.
const DECIMALS: u8 = 3;

/// In a sentence.
fn summary(preview: &Preview) -> String {
    let Preview { read, things, passed_over, left_out, .. } = preview;
    if *read == 0 && *passed_over > 0 && *left_out == 0 {
        return tr!(
            "It reads nothing: its templates fit none of the 1 topic that were heard. Compare them with the topics below, level by level."
                | "It reads nothing: its templates fit none of the {shown} topics that were heard. Compare them with the topics below, level by level."
                    % *passed_over,
            shown = format::count((*passed_over).into())
        );
    }
    let (read, things) = (*read, u64::from(*things));
    let messages = tr!("1 message" | "{shown} messages" % read, shown = format::count(read));
    let things = format::things(things);
    let mut words = tr!("It reads {messages} and shows {things}.", messages, things);
    if *passed_over > 0 {
        words += &tr!(
            " It does not listen to 1 topic that were heard."
                | " It does not listen to {shown} topics that were heard." % *passed_over,
            shown = format::count((*passed_over).into())
        );
    }
    if *left_out > 0 {
        words += &tr!(" {} more were not looked at.", format::count((*left_out).into()));
    }
    words
}

/// A number without what nobody measured: 61.800 is 61.8.
fn short(value: &Value) -> String {
    let text = format::value(value, DECIMALS);
    match value {
        Value::Number(_) if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        Value::Number(_) | Value::Flag(_) | Value::Text(_) => text,
    }
}

/// The card.
#[component]
pub fn PreviewCard(
    /// What it would read; `None` where nothing was heard, or the text has a mistake.
    preview: Memo<Option<Preview>>,
    /// Whether the text has a mistake.
    is_wrong: Memo<bool>,
) -> impl IntoView {
    view! {
        <section class="card preview" data-testid="preview" aria-label=said("What it would read")>
            <h2>{said("What it would read")}</h2>
            {move || match preview.get() {
                None if is_wrong.get() => {
                    view! { <p class="note">{said("Once the text has no mistake.")}</p> }.into_any()
                }
                None => {
                    view! { <p class="note">{said("Nothing was heard yet. Look again to see what this profile reads.")}</p> }.into_any()
                }
                Some(preview) => view! { <Read preview /> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Read(preview: Preview) -> impl IntoView {
    let words = summary(&preview);
    let Preview { values, refused, .. } = preview;
    let has_values = !values.is_empty();
    let rows = with_more(values);
    view! {
        <p data-testid="preview-summary">{words}</p>
        {has_values.then(|| view! {
            <div class="preview-rows" tabindex="0" role="region" aria-label=said("Values")>
                <table>
                    <thead>
                        <tr><th scope="col">{said("Thing")}</th><th scope="col">{said("Value")}</th><th scope="col" class="number">{said("Is")}</th><th scope="col">{said("Measured")}</th></tr>
                    </thead>
                    <tbody>{rows.into_iter().map(|(row, more)| view! { <Row row more /> }).collect_view()}</tbody>
                </table>
            </div>
        })}
        {(!refused.is_empty()).then(|| view! {
            <h3>{said("Refused")}</h3>
            <ul class="unread" data-testid="preview-refused">
                {refused.into_iter().map(|row| view! { <Unread row unit=said("messages") /> }).collect_view()}
            </ul>
        })}
    }
}

/// Each value, and whether it is of the same thing as the one above it.
fn with_more(values: Vec<PreviewRow>) -> Vec<(PreviewRow, bool)> {
    let mut above = None;
    let rows = values.into_iter().map(|row| {
        let more = above.replace(row.thing.clone()).is_some_and(|above| above == row.thing);
        (row, more)
    });
    rows.collect()
}

#[component]
fn Row(row: PreviewRow, more: bool) -> impl IntoView {
    let PreviewRow { thing, kind, pointer, value, unit, at_ms, timed } = row;
    let at = local(at_ms);
    let when = if timed { at.seconds(&today()) } else { said("no time in it").to_owned() };
    view! {
        <tr data-testid="preview-row" class:more=more>
            <th scope="row">
                <bdi class:unseen=more>{thing}</bdi>
                {(!more).then(|| view! { <small>{format::capital(said(kind.singular()))}</small> })}
            </th>
            <td><code>{format::pointer(&pointer)}</code></td>
            <td class="number">
                <bdi>{short(&value)}</bdi>
                {(!unit.is_empty()).then(|| view! { <small>" "{unit}</small> })}
            </td>
            <td class="when" title=at.exact()>
                {(!timed).then(|| view! { <Icon of=icondata_lu::LuClock /> })}
                {when}
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_told_in_a_sentence() {
        let preview = Preview { read: 1, things: 3, ..Preview::default() };
        assert_eq!(summary(&preview), "It reads 1 message and shows 3 things.");
        let more = Preview { passed_over: 2, ..preview };
        assert!(summary(&more).ends_with("It does not listen to 2 topics that were heard."));
        let wrong = Preview { read: 0, things: 0, ..more.clone() };
        assert!(summary(&wrong).starts_with("It reads nothing: its templates fit none of the 2 topics"));
        let cut = Preview { left_out: 2_000, ..more };
        assert!(summary(&cut).ends_with("more were not looked at."), "{}", summary(&cut));
    }

    #[test]
    fn numbers_have_no_more_digits_than_were_measured() {
        for (value, want) in [(61.8, "61.8"), (7.0, "7"), (0.1234, "0.123"), (100.0, "100")] {
            assert_eq!(short(&Value::Number(value)), want);
        }
    }
}
