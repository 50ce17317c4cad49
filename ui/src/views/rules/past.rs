//! A rule on the past: how often it would have been active beside what is kept, when, and for which things.

use std::time::Duration;

use fleetlens_ipc::rules::{FiredRow, Fires, RuleAsk, RuleDone, RuleDraft, STRIP_PARTS, Tried};
use leptos::prelude::*;
use tr::tr;

use super::fields::Sheet;
use crate::clock::{local, today};
use crate::components::segmented::Segmented;
use crate::format;
use crate::lang::{said, term};
use crate::state::store;

/// Rows that are shown at once.
const ROWS: usize = 60;

/// Of less than this the seconds are told, in milliseconds: two hours.
const SHORT_MS: u64 = 7_200_000;

/// How high the strip is, in units of its own picture.
const STRIP_HIGH: f64 = 28.0;

/// How a try stands.
#[derive(Clone, Debug, PartialEq)]
enum Trial {
    /// Nothing was asked.
    Rest,
    /// It goes on.
    Asked,
    /// What came of it, and for which draft.
    Done(Box<(RuleDraft, Tried)>),
    /// It came to nothing.
    Failed(String),
}

/// The card beside the form.
#[component]
pub fn PastCard(
    /// What is tried.
    sheet: Sheet,
) -> impl IntoView {
    let store = store();
    let desk = store.rules;
    let days = RwSignal::new(7_u32);
    let trial = RwSignal::new(Trial::Rest);
    // The answer to an earlier question is none to this one.
    let question = StoredValue::new(0_u32);
    let ask = move |_| {
        question.update_value(|number| *number += 1);
        let mine = question.get_value();
        trial.set(Trial::Asked);
        let draft = desk.draft();
        let asked = RuleAsk::Try { draft: Box::new(draft.clone()), days: days.get_untracked() };
        store.ask_rules(asked, move |outcome| {
            if question.try_get_value() != Some(mine) {
                return;
            }
            trial.try_set(match outcome {
                Ok(RuleDone::Tried(tried)) => Trial::Done(Box::new((draft, *tried))),
                Ok(RuleDone::Book(_) | RuleDone::Checked(_) | RuleDone::Resets(_) | RuleDone::Kept) => Trial::Rest,
                Err(fault) => Trial::Failed(fault.message),
            });
        });
    };
    let stop = move |_| {
        question.update_value(|number| *number += 1);
        trial.set(Trial::Rest);
        store.ask_rules(RuleAsk::EndTry, |_| ());
    };
    let runs = Memo::new(move |_| trial.with(|trial| *trial == Trial::Asked));
    on_cleanup(move || {
        if runs.try_get_untracked() == Some(true) {
            store.ask_rules(RuleAsk::EndTry, |_| ());
        }
    });
    let can_try = move || sheet.mistake.with(Option::is_none);
    let options = vec![(1, said("1 day").to_owned()), (7, said("7 days").to_owned()), (31, said("31 days").to_owned())];
    let is_old =
        move || trial.with(|trial| matches!(trial, Trial::Done(done) if sheet.form.with(|form| done.0.form != *form)));
    view! {
        <section class="card past" aria-labelledby="past-head" data-testid="past">
            <h2 id="past-head">{said("On the past")}</h2>
            <p class="note">{said("Runs the rule as it is written here over what is in the cache. Nothing is raised and nobody is told.")}</p>
            <div class="past-ask">
                <Segmented
                    label=said("How far back")
                    options
                    chosen=Signal::derive(move || Some(days.get()))
                    on_choose=Callback::new(move |to| days.set(to))
                />
                <Show
                    when=move || runs.get()
                    fallback=move || {
                        view! {
                            <button type="button" class="plain" data-testid="past-try" disabled=move || !can_try() on:click=ask>
                                {said("Try on the past")}
                            </button>
                        }
                    }
                >
                    <button type="button" class="plain" data-testid="past-stop" on:click=stop>
                        {said("Stop")}
                    </button>
                </Show>
            </div>
            <div aria-live="polite" data-testid="past-told">
                {move || match trial.get() {
                    Trial::Rest => ().into_any(),
                    Trial::Asked => view! { <p class="none">{said("Reading the history…")}</p> }.into_any(),
                    Trial::Failed(why) => view! { <p class="fault" role="alert">{format::capital(&why)}</p> }.into_any(),
                    Trial::Done(done) => view! { <Answer tried=done.1 is_old=Signal::derive(is_old) /> }.into_any(),
                }}
            </div>
        </section>
    }
}

#[component]
fn Answer(tried: Tried, is_old: Signal<bool>) -> impl IntoView {
    if let Some(why) = tried.unanswered {
        return view! {
            <p class="past-unanswered" data-testid="past-unanswered">
                <b>{said("The past does not tell: ")}</b>
                {why}
                "."
            </p>
        }
        .into_any();
    }
    let head = headline(&tried);
    let basis = basis(&tried);
    let span_ms = tried.to_ms.since(tried.from_ms);
    let (from, to) = (local(tried.from_ms), local(tried.to_ms));
    // Of a short time the seconds tell something.
    let is_short = span_ms < SHORT_MS;
    let word = move |at: &format::LocalTime| if is_short { at.seconds(&today()) } else { at.short(&today()) };
    let ends = (word(&from), word(&to));
    let Tried { now, before, notes, .. } = tried;
    let most = now.strip.iter().chain(before.iter().flat_map(|before| &before.strip)).copied().max().unwrap_or(0);
    let rows = now.rows.len().min(ROWS);
    let more = now.count as usize - rows.min(now.count as usize);
    let has_rows = rows > 0;
    let label = strip_words(&now, before.as_ref(), &ends.0, &ends.1);
    view! {
        <Show when=move || is_old.get()>
            <p class="past-old" role="status">{said("The rule was changed since; try it again.")}</p>
        </Show>
        <p class="past-head" data-testid="past-head">{head}</p>
        <figure class="strip" role="img" aria-label=label data-testid="past-strip">
            <Strip of=now.strip.clone() most class="strip-row now" word=said("As written here") />
            {before.as_ref().map(|before| view! { <Strip of=before.strip.clone() most class="strip-row before" word=said("As kept") /> })}
            <div class="strip-ends" aria-hidden="true"><span>{ends.0}</span><span>{ends.1}</span></div>
        </figure>
        <Figures now=now.clone() before span_ms />
        {has_rows.then(|| view! {
            <div class="past-rows" tabindex="0" role="region" aria-label=said("When it would have been active")>
                <table>
                    <thead>
                        <tr><th scope="col">{said("From")}</th><th scope="col">{tr!("a length of time" => "For")}</th><th scope="col">{said("Thing")}</th><th scope="col">{tr!("what was seen" => "Seen")}</th></tr>
                    </thead>
                    <tbody>{now.rows.into_iter().take(ROWS).map(|row| view! { <Row row is_short /> }).collect_view()}</tbody>
                </table>
            </div>
        })}
        {(more > 0).then(|| view! { <p class="note">{tr!("and {} more", format::count(more as u64))}</p> })}
        <p class="note" data-testid="past-basis">{basis}</p>
        {notes.into_iter().map(|note| view! { <p class="note">{note}</p> }).collect_view()}
    }
    .into_any()
}

/// `It would have been raised 14 times. As it is kept: 3.`
fn headline(tried: &Tried) -> String {
    let times = |fires: &Fires| match fires.count {
        0 => said("never").to_owned(),
        1 => said("once").to_owned(),
        n => tr!("{} times", format::count(n.into())),
    };
    let now = times(&tried.now);
    match (&tried.before, tried.now.count) {
        (None, 0) => said("It would never have been raised.").to_owned(),
        (None, _) => tr!("It would have been raised {}.", now),
        (Some(before), 0) if before.count == 0 => {
            said("It would never have been raised, as often as the rule as it is kept.").to_owned()
        }
        (Some(before), count) if before.count == count => {
            tr!("It would have been raised {}, as often as the rule as it is kept.", now)
        }
        (Some(before), 0) => tr!("It would never have been raised; as it is kept, {}.", times(before)),
        (Some(before), _) => {
            tr!("It would have been raised {now}; as it is kept, {before}.", now = now, before = times(before))
        }
    }
}

/// What was looked at: `412 things, 1 200 000 values, 7 d, in 3.1 s.`
fn basis(tried: &Tried) -> String {
    let Tried { looked, things, values, took_ms, exact_ms, .. } = tried;
    let of = if looked == things {
        format::things((*things).into())
    } else {
        tr!("{} of {} things", format::count((*looked).into()), format::count((*things).into()))
    };
    let span = format::age(tried.to_ms.since(tried.from_ms));
    let (values, took) = (format::count(*values), format::took(u64::from(*took_ms)));
    if *exact_ms > 1_000 {
        tr!(
            "Looked at {things} over {span}, {values} values, in {took}; what turns with time alone is found to {s} s.",
            things = of,
            span = span,
            values = values,
            took = took,
            s = exact_ms / 1_000
        )
    } else {
        tr!(
            "Looked at {things} over {span}, {values} values, in {took}.",
            things = of,
            span = span,
            values = values,
            took = took
        )
    }
}

fn strip_words(now: &Fires, before: Option<&Fires>, from: &str, to: &str) -> String {
    let most = |fires: &Fires| fires.strip.iter().copied().max().unwrap_or(0);
    match before {
        None => tr!("Active at once from {from} to {to}: at most {most}", from = from, to = to, most = most(now)),
        Some(before) => tr!(
            "Active at once from {from} to {to}: at most {most}, as kept {before}",
            from = from,
            to = to,
            most = most(now),
            before = most(before)
        ),
    }
}

/// A row of bars: the most that were active at once in each part of the time.
#[component]
fn Strip(of: Vec<u32>, most: u32, class: &'static str, word: &'static str) -> impl IntoView {
    let bars = of.into_iter().enumerate().filter(|(_, n)| *n > 0).map(|(at, n)| {
        // One among many is still seen.
        let high = (f64::from(n) / f64::from(most.max(1)) * STRIP_HIGH).max(3.0);
        view! {
            <rect x=at.to_string() y=format!("{:.2}", STRIP_HIGH - high) width="1.02" height=format!("{high:.2}") />
        }
    });
    view! {
        <div class=class>
            <span aria-hidden="true">{word}</span>
            <svg viewBox=format!("0 0 {STRIP_PARTS} {STRIP_HIGH}") preserveAspectRatio="none" aria-hidden="true">
                <line x1="0" y1=STRIP_HIGH.to_string() x2=STRIP_PARTS.to_string() y2=STRIP_HIGH.to_string() />
                {bars.collect_view()}
            </svg>
        </div>
    }
}

/// The figures, beside those of the rule as it is kept.
#[component]
fn Figures(now: Fires, before: Option<Fires>, span_ms: u64) -> impl IntoView {
    type Figure = fn(&Fires, u64) -> String;
    let figures: [(&'static str, Figure); 5] = [
        (term("Raised"), |fires, _| format::count(fires.count.into())),
        (term("Things"), |fires, _| format::count(fires.things.into())),
        (term("People told"), |fires, _| format::count(fires.told.into())),
        (term("Longest"), |fires, _| if fires.count == 0 { "–".into() } else { format::age(fires.longest_ms) }),
        (term("Time with any"), |fires, span_ms| {
            format!("{}\u{a0}%", format::number(fires.any_ms as f64 * 100.0 / span_ms.max(1) as f64, 1))
        }),
    ];
    let has_before = before.is_some();
    let rows = figures.map(|(word, figure)| {
        let then = before.as_ref().map(|before| figure(before, span_ms));
        view! {
            <tr>
                <th scope="row">{said(word)}</th>
                <td data-testid=format!("past-{}", word.to_lowercase().replace(' ', "-"))>{figure(&now, span_ms)}</td>
                {then.map(|then| view! { <td class="then">{then}</td> })}
            </tr>
        }
    });
    view! {
        <table class="past-figures">
            {has_before.then(|| view! {
                <thead>
                    <tr><td></td><th scope="col">{said("Written here")}</th><th scope="col">{said("As kept")}</th></tr>
                </thead>
            })}
            <tbody>{rows.into_iter().collect_view()}</tbody>
        </table>
    }
}

#[component]
fn Row(row: FiredRow, is_short: bool) -> impl IntoView {
    let store = store();
    let FiredRow { thing, title, from_ms, to_ms, sentence } = row;
    let at = local(from_ms);
    let length = to_ms.map_or_else(|| said("still").to_owned(), |to| length(Duration::from_millis(to.since(from_ms))));
    view! {
        <tr data-testid="past-row">
            <td class="at" title=at.exact()>{if is_short { at.seconds(&today()) } else { at.short(&today()) }}</td>
            <td class="at">{length}</td>
            <td>
                <button type="button" class="link" on:click=move |_| store.open(thing)>{title}</button>
            </td>
            <td>{sentence}</td>
        </tr>
    }
}

/// One number is enough of a length.
fn length(of: Duration) -> String {
    format::age(u64::try_from(of.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    #[test]
    fn what_came_of_it_is_told_beside_what_is_kept() {
        let fires = |count| Fires { count, ..Fires::default() };
        let tried = |now, before: Option<u32>| Tried { now: fires(now), before: before.map(fires), ..Tried::default() };
        for (tried, want) in [
            (tried(0, None), "It would never have been raised."),
            (tried(14, Some(3)), "It would have been raised 14 times; as it is kept, 3 times."),
            (tried(1, Some(0)), "It would have been raised once; as it is kept, never."),
            (tried(2, Some(2)), "It would have been raised 2 times, as often as the rule as it is kept."),
        ] {
            assert_eq!(headline(&tried), want);
        }
    }

    #[test]
    fn what_was_looked_at_is_said() {
        let tried = Tried {
            to_ms: WallMs(7 * 86_400_000),
            things: 412,
            looked: 412,
            values: 1_200_000,
            took_ms: 3_100,
            exact_ms: 31_000,
            ..Tried::default()
        };
        let words = basis(&tried);
        assert!(words.contains("412 things over") && words.contains("found to 31 s"), "{words}");
        assert!(basis(&Tried { looked: 3, ..tried }).contains("3 of 412 things"));
    }
}
