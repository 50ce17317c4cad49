//! How far a try is, and which topics were heard.

use fleetlens_ipc::profile::{Field, LISTENS_MS, Proposed, SeenRow, Trial, TrialStep, UnreadRow};
use leptos::prelude::*;
use tr::tr;

use super::sentence;
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::store;

/// One step of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    state: &'static str,
    words: String,
}

fn step(state: &'static str, words: impl Into<String>) -> Step {
    Step { state, words: words.into() }
}

/// What was heard, in words.
fn heard(trial: &Trial) -> String {
    let (messages, topics) = (trial.messages, u64::from(trial.topics));
    tr!(
        "{messages} on {topics}",
        messages = tr!("1 message" | "{shown} messages" % messages, shown = format::count(messages)),
        topics = tr!("1 topic" | "{shown} topics" % topics, shown = format::count(topics))
    )
}

/// The three steps as they stand.
fn steps(trial: Option<&Trial>) -> [Step; 3] {
    let (to_connect, to_listen) = (said("Connect to the broker"), tr!("Listen for {} s", LISTENS_MS / 1_000));
    let to_propose = said("Propose how to read it");
    let Some(trial) = trial else {
        return [step("todo", to_connect), step("todo", to_listen), step("todo", to_propose)];
    };
    match &trial.step {
        TrialStep::Connecting => [step("now", said("Connecting…")), step("todo", to_listen), step("todo", to_propose)],
        TrialStep::Listening { left_ms } => {
            let left = tr!("Listening, {left} s more: {heard}", left = left_ms.div_ceil(1_000), heard = heard(trial));
            [step("done", said("Connected")), step("now", left), step("todo", to_propose)]
        }
        TrialStep::Failed { field, message } => {
            let why = if *field == Field::Broker {
                sentence(message)
            } else {
                said("Not connected; the reason stands beside its field").to_owned()
            };
            if trial.messages == 0 {
                [step("failed", why), step("todo", to_listen), step("todo", to_propose)]
            } else {
                [step("done", said("Connected")), step("failed", why), step("todo", to_propose)]
            }
        }
        TrialStep::Done(proposed) => {
            let found = match proposed.rules.len() as u64 {
                0 => step("failed", said("Nothing that a profile could read")),
                n => step(
                    "done",
                    tr!("1 template proposed" | "{shown} templates proposed" % n, shown = format::count(n)),
                ),
            };
            [step("done", said("Connected")), step("done", tr!("Heard {}", heard(trial))), found]
        }
    }
}

/// What a person can do when nothing was recognised.
fn advice(trial: &Trial) -> Option<&'static str> {
    match &trial.step {
        TrialStep::Done(proposed) if proposed.rules.is_empty() && trial.topics == 0 => Some(said(
            "Nobody spoke on these topics in that time. Listen to other topics, or try again when things speak; retained messages are heard at once.",
        )),
        TrialStep::Done(proposed) if proposed.rules.is_empty() => Some(said(
            "What was heard is listed below with the reason why it is not read. Listen to other topics, or write the profile yourself.",
        )),
        TrialStep::Done(_) | TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Failed { .. } => None,
    }
}

/// The steps, what was heard, and the way on where nothing was recognised.
#[component]
pub fn Progress(
    /// The address as it stands in the form.
    #[prop(into)]
    url: Signal<String>,
    /// Goes on with what came of it.
    on_take: Callback<Proposed>,
) -> impl IntoView {
    let store = store();
    let shown = Memo::new(move |_| store.trial.with(|trial| steps(trial.as_ref())));
    let told = Memo::new(move |_| store.trial.with(|trial| trial.as_ref().and_then(advice)));
    let proposed = move || {
        store.trial.with(|trial| match trial.as_ref().map(|trial| &trial.step) {
            Some(TrialStep::Done(proposed)) => Some(proposed.as_ref().clone()),
            Some(TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Failed { .. }) | None => None,
        })
    };
    // The address stands within the sentence, in letters of its own.
    let promise = tr!(
        "Nothing is sent to your things. Fleetlens connects to {url} under a name of its own, listens, and leaves nothing behind.",
        url = '\u{fffc}'
    );
    let (before, after) = promise.split_once('\u{fffc}').unwrap_or((&promise, ""));
    let (before, after) = (before.to_owned(), after.to_owned());
    view! {
        <section class="card progress" data-testid="progress" aria-label=said("What happens")>
            <h2>{said("What happens")}</h2>
            <ol class="try-steps" aria-live="polite">
                {move || {
                    shown.get().into_iter().map(|Step { state, words }| {
                        let icon = match state {
                            "done" => icondata_lu::LuCircleCheck,
                            "failed" => icondata_lu::LuCircleX,
                            "now" => icondata_lu::LuLoaderCircle,
                            _ => icondata_lu::LuCircle,
                        };
                        view! {
                            <li data-state=state>
                                <Icon of=icon />
                                <span>{words}</span>
                            </li>
                        }
                    }).collect_view()
                }}
            </ol>
            <Show when=move || store.trial.with(Option::is_none)>
                <p class="note">
                    {before.clone()}
                    <code>{url}</code>
                    {after.clone()}
                </p>
            </Show>
            {move || told.get().map(|advice| view! { <p class="note" data-testid="advice">{advice}</p> })}
            <Heard />
            <Show when=move || told.get().is_some()>
                <div class="answers">
                    <button
                        type="button"
                        class="plain"
                        data-testid="write-yourself"
                        on:click=move |_| {
                            if let Some(proposed) = proposed() {
                                on_take.run(proposed);
                            }
                        }
                    >
                        {said("Write the profile yourself")}
                    </button>
                </div>
            </Show>
        </section>
    }
}

/// Topics with their last messages, what the broker does not grant, and what no rule reads.
#[component]
pub fn Heard() -> impl IntoView {
    let store = store();
    let notes = Memo::new(move |_| store.trial.with(|trial| trial.as_ref().map(|trial| trial.notes.clone())));
    let seen = Memo::new(move |_| store.trial.with(|trial| trial.as_ref().map(|t| t.seen.clone()).unwrap_or_default()));
    let total = Memo::new(move |_| store.trial.with(|trial| trial.as_ref().map_or(0, |trial| trial.topics)));
    let unread = Memo::new(move |_| {
        store.trial.with(|trial| match trial.as_ref().map(|trial| &trial.step) {
            Some(TrialStep::Done(proposed)) => proposed.unread.clone(),
            Some(TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Failed { .. }) | None => Vec::new(),
        })
    });
    view! {
        {move || notes.get().unwrap_or_default().into_iter().map(|note| view! { <p class="fault">{note}</p> }).collect_view()}
        <Show when=move || unread.with(|rows| !rows.is_empty())>
            <h3>{said("Not read")}</h3>
            <ul class="unread" data-testid="unread">
                {move || unread.get().into_iter().map(|row| view! { <Unread row unit=said("topics") /> }).collect_view()}
            </ul>
        </Show>
        <Show when=move || seen.with(|rows| !rows.is_empty())>
            <h3>
                {move || {
                    let shown = seen.with(Vec::len);
                    let all = total.get() as usize;
                    if shown < all {
                        let (shown, all) = (format::count(shown as u64), format::count(all as u64));
                        tr!("Heard, {shown} of {all} topics", shown, all)
                    } else {
                        said("Heard").to_owned()
                    }
                }}
            </h3>
            <ul class="heard" data-testid="heard" tabindex="0" aria-label=said("Topics heard")>
                {move || seen.get().into_iter().map(|row| view! { <Seen row /> }).collect_view()}
            </ul>
        </Show>
    }
}

#[component]
fn Seen(row: SeenRow) -> impl IntoView {
    let SeenRow { topic, messages, last } = row;
    view! {
        <li data-testid="heard-topic">
            <code dir="ltr">{topic}</code>
            <span class="times">{format!("× {}", format::count(messages.into()))}</span>
            <code class="last" dir="ltr">{last}</code>
        </li>
    }
}

/// Topics or messages that are not read, with the reason.
#[component]
pub fn Unread(
    /// Which.
    row: UnreadRow,
    /// What is counted.
    unit: &'static str,
) -> impl IntoView {
    let UnreadRow { topic, topics, why } = row;
    view! {
        <li>
            <code dir="ltr">{topic}</code>
            <span class="times">{(topics > 1).then(|| format!("× {} {unit}", format::count(topics.into())))}</span>
            <span class="why">{why}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(step: TrialStep, messages: u64) -> Trial {
        Trial { step, messages, topics: 1, seen: Vec::new(), notes: Vec::new() }
    }

    #[test]
    fn the_steps_say_where_a_try_stands() {
        let states = |trial: Option<&Trial>| steps(trial).map(|step| step.state);
        assert_eq!(states(None), ["todo", "todo", "todo"]);
        assert_eq!(states(Some(&trial(TrialStep::Connecting, 0))), ["now", "todo", "todo"]);
        let listening = trial(TrialStep::Listening { left_ms: 6_001 }, 2);
        assert_eq!(states(Some(&listening)), ["done", "now", "todo"]);
        assert_eq!(steps(Some(&listening))[1].words, "Listening, 7 s more: 2 messages on 1 topic");
        let failed = |messages| trial(TrialStep::Failed { field: Field::Port, message: "x".into() }, messages);
        assert_eq!(states(Some(&failed(0))), ["failed", "todo", "todo"]);
        assert_eq!(states(Some(&failed(3))), ["done", "failed", "todo"]);
    }
}
