//! How well the alarms serve the people who get them: the figures of ISA-18.2 and EEMUA 191 over a day, a week or a month, each with what
//! it should be and whether it is, with plots, and the rules and things that raise most.

use std::time::Duration;

use fleetlens_ipc::rows::{AlarmHealth, HealthFigure};
use fleetlens_ipc::{Done, Fault, Intent};
use fleetlens_model::alarm::health::Verdict;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{local, utc_offset_min};
use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::format;
use crate::lang::{said, term};
use crate::state::store;

const DAY_MS: u64 = 24 * 3_600_000;

/// How far back, with the words for it.
const SPANS: [(u64, &str); 3] =
    [(DAY_MS, term("24 hours")), (7 * DAY_MS, term("7 days")), (30 * DAY_MS, term("30 days"))];

/// How often it is read anew while somebody looks.
const EVERY: Duration = Duration::from_secs(60);

/// A value of more characters is no number, and is written smaller.
const LONG: usize = 12;

/// The page. `on_cause` hears the rule of which somebody wants to see the alarms.
#[component]
pub fn HealthView(on_cause: Callback<String>) -> impl IntoView {
    let store = store();
    let span_ms = RwSignal::new(DAY_MS);
    let told = RwSignal::new(None::<AlarmHealth>);
    let fault = RwSignal::new(None::<Fault>);
    let ask = move || {
        let asked_ms = span_ms.get_untracked();
        let offset = store.wall_now(crate::clock::shown_ms()).map_or(0, utc_offset_min);
        let intent = Intent::AlarmHealth { span_ms: asked_ms, utc_offset_min: offset };
        let pick = |done| if let Done::AlarmHealth(health) = done { Some(*health) } else { None };
        store.ask_for(intent, pick, move |outcome| {
            // The view may have been left, or another span be asked for.
            if span_ms.try_get_untracked() != Some(asked_ms) {
                return;
            }
            match outcome {
                Ok(health) => {
                    fault.set(None);
                    told.set(Some(health));
                }
                Err(why) => fault.set(Some(why)),
            }
        });
    };
    Effect::new(move |_| {
        span_ms.track();
        store.begun.track();
        // What is shown of a cut line is as of then; once it is back, it is asked for again.
        if store.cut.with(Option::is_none) {
            untrack(ask);
        }
    });
    if let Ok(again) = set_interval_with_handle(move || untrack(ask), EVERY) {
        on_cleanup(move || again.clear());
    }
    let spans = SPANS.map(|(ms, words)| (ms, said(words).to_owned())).to_vec();
    view! {
        <div class="sheet-body health" data-testid="alarm-health">
            <div class="health-head">
                <Segmented
                    label=tr!("a span of time" => "Over")
                    options=spans
                    chosen=Signal::derive(move || Some(span_ms.get()))
                    on_choose=Callback::new(move |ms| span_ms.set(ms))
                />
                <p class="total" data-testid="health-span">
                    {move || told.with(|told| told.as_ref().map(|told| told.told.clone()))}
                </p>
            </div>
            {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
            {move || match told.get() {
                Some(health) => view! { <Told health on_cause /> }.into_any(),
                None if fault.with(Option::is_some) => ().into_any(),
                None => view! { <Bones /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Told(health: AlarmHealth, on_cause: Callback<String>) -> impl IntoView {
    let headline = headline(&health.figures);
    let notes = notes(&health, |at| local(at).exact());
    let is_empty = health.raised == 0;
    let figures = health.figures.into_iter().map(|figure| view! { <Figure figure /> }).collect_view();
    let store = store();
    let cause = |(rule, name, n): (String, String, u64)| -> Top {
        (format::capital(&name), String::new(), n, Callback::new(move |()| on_cause.run(rule.clone())))
    };
    let causes: Vec<Top> = health.by_rule.into_iter().map(cause).collect();
    let thing = |(thing, title, place, n): (ThingKey, String, String, u64)| -> Top {
        (title, place, n, Callback::new(move |()| store.open(thing)))
    };
    let things: Vec<Top> = health.by_thing.into_iter().map(thing).collect();
    let pictures = health
        .pictures
        .into_iter()
        .map(|(heading, svg)| {
            view! {
                <figure class="card plot">
                    <figcaption>
                        <h2>{heading.clone()}</h2>
                    </figcaption>
                    <div class="svg" role="img" aria-label=heading inner_html=svg />
                </figure>
            }
        })
        .collect_view();
    view! {
        <p class="headline" data-testid="health-headline" data-verdict=headline.1>
            {headline.0}
        </p>
        {notes.into_iter().map(|note| view! { <p class="health-note">{note}</p> }).collect_view()}
        <ul class="figures" aria-label=said("Figures")>{figures}</ul>
        <Show when=move || is_empty>
            <div class="nothing" data-testid="health-none">
                <Icon of=icondata_lu::LuCircleCheck />
                <h2>{said("No alarm was raised in this time")}</h2>
                <p>{said("Plots and lists come with the first one.")}</p>
            </div>
        </Show>
        {(!is_empty)
            .then(|| {
                view! {
                    <div class="plots">{pictures}</div>
                    <div class="tops">
                        <Tops
                            heading=said("What was raised most")
                            testid="top-cause"
                            rows=causes
                            of_all=health.of_all.clone()
                        />
                        <Tops heading=said("Which things raised most") testid="top-thing" rows=things of_all=health.of_all />
                    </div>
                }
            })}
    }
}

#[component]
fn Figure(figure: HealthFigure) -> impl IntoView {
    let (word, sign, words) = signs(figure.verdict);
    let is_long = figure.value.chars().count() > LONG;
    view! {
        <li class="card figure" data-testid="health-figure" data-verdict=word>
            <h2>
                {figure.name}
                <span class="verdict">
                    <span aria-hidden="true">{sign}</span>
                    {words}
                </span>
            </h2>
            <p class="value" class:long=is_long>
                {figure.value}
            </p>
            <p class="target">{tr!("Target: {}", figure.target)}</p>
            <p class="note">{figure.note}</p>
        </li>
    }
}

/// What raised most: a name, what stands small behind it, how often, and what a click opens.
type Top = (String, String, u64, Callback<()>);

/// A card of them, the first the most.
#[component]
fn Tops(heading: &'static str, testid: &'static str, rows: Vec<Top>, of_all: String) -> impl IntoView {
    let most = rows.first().map_or(1, |(_, _, n, _)| *n);
    let rows = rows
        .into_iter()
        .map(|(name, small, n, open)| {
            let small = (!small.is_empty()).then(|| view! { <small>{small}</small> });
            view! {
                <li>
                    <button type="button" class="top" data-testid=testid on:click=move |_| open.run(())>
                        <span class="name">{name} " " {small}</span>
                        <Bar n most />
                    </button>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <h2>
                {heading} " " <small>{of_all}</small>
            </h2>
            <ol>{rows}</ol>
        </section>
    }
}

/// A number with its length.
#[component]
fn Bar(n: u64, most: u64) -> impl IntoView {
    let width = format!("{:.0}%", n as f64 * 100.0 / most.max(1) as f64);
    view! {
        <span class="bar" aria-hidden="true">
            <i style:width=width />
        </span>
        <b>{format::count(n)}</b>
    }
}

#[component]
fn Bones() -> impl IntoView {
    view! {
        <div class="health-bones skeleton" role="status" aria-label=said("Loading")>
            <div class="bone" />
            <div class="bone tall" />
        </div>
    }
}

/// A verdict's word for the style sheet, its sign and its word for people: colour is never the only one.
fn signs(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::Good => ("good", "✓", said("Good")),
        Verdict::Fair => ("fair", "▲", said("Fair")),
        Verdict::Poor => ("poor", "◆", said("Poor")),
        Verdict::Unknown => ("unknown", "–", said("Not judged")),
    }
}

/// How it stands, in a sentence, with the word of its worst verdict.
fn headline(figures: &[HealthFigure]) -> (String, &'static str) {
    let named = |verdict: Verdict| {
        let names = figures.iter().filter(|one| one.verdict == verdict).map(|one| one.name.to_lowercase());
        names.collect::<Vec<_>>()
    };
    let (fair, poor) = (named(Verdict::Fair), named(Verdict::Poor));
    let judged = figures.iter().filter(|one| one.verdict != Verdict::Unknown).count();
    let wrong = fair.len() + poor.len();
    if wrong == 0 {
        let all = figures.len();
        return (
            tr!("All is as it should be: {judged} of {all} figures could be judged.", judged = judged, all = all),
            "good",
        );
    }
    let whole = tr!(
        "1 of {judged} figures is not as it should be." | "{n} of {judged} figures are not as they should be." % wrong,
        judged = judged
    );
    let poor_ones = (!poor.is_empty()).then(|| tr!("Poor: {}.", poor.join(", ")));
    let fair_ones = (!fair.is_empty()).then(|| tr!("Fair: {}.", fair.join(", ")));
    let word = if poor.is_empty() { "fair" } else { "poor" };
    ([Some(whole), poor_ones, fair_ones].into_iter().flatten().collect::<Vec<_>>().join(" "), word)
}

/// Of which part of the time nothing is known: that nobody listened is no good sign.
fn notes(health: &AlarmHealth, at: impl Fn(WallMs) -> String) -> Vec<String> {
    let begins =
        health.begins.map(|begins| tr!("This cache begins {}; of the time before that nothing is known.", at(begins)));
    begins.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, verdict: Verdict) -> HealthFigure {
        let text = || String::new();
        HealthFigure { name: name.into(), value: text(), target: text(), verdict, note: text() }
    }

    #[test]
    fn the_headline_names_what_is_not_as_it_should_be() {
        let (good, fair) = (figure("Time in flood", Verdict::Good), figure("Alarms an hour", Verdict::Fair));
        let (poor, unknown) = (figure("Stale alarms", Verdict::Poor), figure("Priorities", Verdict::Unknown));
        for (figures, want, word) in [
            (vec![good.clone(), unknown.clone()], "All is as it should be: 1 of 2 figures could be judged.", "good"),
            (vec![good.clone(), fair.clone()], "1 of 2 figures is not as it should be. Fair: alarms an hour.", "fair"),
            (
                vec![good, fair, poor, unknown],
                "2 of 3 figures are not as they should be. Poor: stale alarms. Fair: alarms an hour.",
                "poor",
            ),
        ] {
            assert_eq!(headline(&figures), (want.to_owned(), word));
        }
    }
}
