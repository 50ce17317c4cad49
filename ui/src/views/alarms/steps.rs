//! What a person does with alarms beside acknowledging them: taking them off the list for a time or until somebody puts them back,
//! and saying who looks after them.

use fleetlens_ipc::rows::AlarmRow;
use fleetlens_ipc::{AlarmStep, Done};
use fleetlens_model::alarm::state::Standing;
use fleetlens_model::alarm::{ASSIGNED_MAX_CHARS, COMMENT_MAX_CHARS};
use fleetlens_model::id::AlarmId;
use leptos::prelude::*;
use tr::tr;

use crate::components::modal::Modal;
use crate::components::segmented::Segmented;
use crate::format;
use crate::lang::{said, term};
use crate::state::store;
use crate::views::alarms::question::{Asking, Question, TextLine, shut_with_the_city};

const HOUR_MS: u64 = 3_600_000;

/// For how long alarms may be taken off the list, in milliseconds, with the words for it; `None` until somebody puts them back.
const TIMES: [(Option<u64>, &str); 5] = [
    (Some(HOUR_MS), term("1 hour")),
    (Some(8 * HOUR_MS), term("8 hours")),
    (Some(24 * HOUR_MS), term("1 day")),
    (Some(7 * 24 * HOUR_MS), term("1 week")),
    (None, term("Out of service")),
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// For how long they go off the list, and why.
    TakeOff,
    /// Whether they go back on it.
    PutBack,
    /// Who looks after them.
    Assign,
}

/// Where alarms are laid that somebody wants to do something with.
#[derive(Clone, Copy)]
pub struct Steps {
    ask: RwSignal<Ask>,
    alarms: RwSignal<Vec<(AlarmId, String)>>,
    open: RwSignal<bool>,
}

impl Steps {
    /// None.
    pub fn new() -> Steps {
        Steps { ask: RwSignal::new(Ask::TakeOff), alarms: RwSignal::new(Vec::new()), open: RwSignal::new(false) }
    }

    /// Asks what is needed, and then does it; nothing when there are none. The alarms come with what is wrong.
    pub fn ask(self, ask: Ask, alarms: Vec<(AlarmId, String)>) {
        if !alarms.is_empty() {
            self.ask.set(ask);
            self.alarms.set(alarms);
            self.open.set(true);
        }
    }
}

/// Whether an alarm waits for a reset that can be given.
pub fn waits_for_reset(row: &AlarmRow) -> bool {
    row.standing == Standing::Latched
}

/// The question.
#[component]
pub fn StepDialog(
    /// What lies there.
    steps: Steps,
    /// Told once it is done.
    #[prop(into, default = Callback::new(|()| ()))]
    on_done: Callback<()>,
) -> impl IntoView {
    // What lies there is of the city of then: another one has other alarms under the same numbers.
    shut_with_the_city(store(), steps.open);
    let label = Signal::derive(move || steps.alarms.with(|alarms| heading(steps.ask.get(), alarms.len())));
    view! {
        <Modal open=steps.open label class="modal acknowledge" testid="step-dialog">
            <Form steps on_done />
        </Modal>
    }
}

#[component]
fn Form(steps: Steps, on_done: Callback<()>) -> impl IntoView {
    let store = store();
    let asking = Asking::new(steps.open, on_done);
    let text = RwSignal::new(String::new());
    let time = RwSignal::new(TIMES.first().and_then(|(time, _)| *time));
    let ask = steps.ask.get_untracked();
    let asked = steps.alarms.get_untracked();
    let count = asked.len();
    let send = Callback::new(move |()| {
        let alarms: Vec<AlarmId> = steps.alarms.with_untracked(|alarms| alarms.iter().map(|(id, _)| *id).collect());
        let text = text.get_untracked().trim().to_owned();
        let to = match (ask, time.get_untracked()) {
            (Ask::Assign, _) => AlarmStep::Assigned { to: text },
            (Ask::PutBack, _) => AlarmStep::PutBack,
            (Ask::TakeOff, Some(for_ms)) => AlarmStep::Shelved { for_ms, reason: text },
            (Ask::TakeOff, None) => AlarmStep::OutOfService { reason: text },
        };
        asking.sent();
        store.steer_alarms(alarms, to, move |outcome| asking.came(outcome, |done| shortfall(done, count)));
    });
    let (label, placeholder, most) = match ask {
        Ask::TakeOff => {
            (said("Why, for whoever comes next"), said("e.g. its driver is changed on Tuesday"), COMMENT_MAX_CHARS)
        }
        Ask::Assign => {
            (said("Who looks after it; leave it empty for nobody"), said("e.g. J. Borg"), ASSIGNED_MAX_CHARS)
        }
        Ask::PutBack => ("", "", 0),
    };
    let titles = asked.into_iter().map(|(_, title)| title).collect();
    view! {
        <Question asking heading=heading(ask, count) titles yes=(verb(ask), "step-yes") no=(said("Not now"), "step-no") on_send=send>
            {(ask == Ask::TakeOff).then(|| view! { <HowLong time /> })}
            {(ask != Ask::PutBack)
                .then(|| {
                    view! {
                        <TextLine
                            id="step-text"
                            testid="step-text"
                            label
                            placeholder
                            most
                            required=ask == Ask::TakeOff
                            text
                        />
                    }
                })}
        </Question>
    }
}

/// For how long alarms go off the list.
#[component]
fn HowLong(time: RwSignal<Option<u64>>) -> impl IntoView {
    view! {
        <Segmented
            label=said("For how long")
            options=TIMES.map(|(time, words)| (time, said(words).to_owned())).to_vec()
            chosen=Signal::derive(move || Some(time.get()))
            on_choose=Callback::new(move |to| time.set(to))
        />
        <p class="note">
            {move || {
                if time.get().is_some() {
                    said("It goes on being judged. When the time is up it comes back by itself, and is told again if it is still so.")
                } else {
                    said("It goes on being judged. It stays off the list until somebody puts it back.")
                }
            }}
        </p>
    }
}

fn verb(ask: Ask) -> &'static str {
    match ask {
        Ask::TakeOff => said("Take off the list"),
        Ask::PutBack => said("Put back"),
        Ask::Assign => said("Assign"),
    }
}

fn heading(ask: Ask, count: usize) -> String {
    let shown = format::count(count as u64);
    match ask {
        Ask::TakeOff => {
            tr!("Take this alarm off the list" | "Take {shown} alarms off the list" % count, shown = shown)
        }
        Ask::PutBack => {
            tr!("Put this alarm back on the list" | "Put {shown} alarms back on the list" % count, shown = shown)
        }
        Ask::Assign => tr!("Assign this alarm" | "Assign {shown} alarms" % count, shown = shown),
    }
}

/// What to say when it was done to fewer than were asked for.
fn shortfall(done: &Done, asked: usize) -> Option<String> {
    let Done::Steered(count) = done else { return None };
    let left = asked.saturating_sub(usize::try_from(*count).unwrap_or(usize::MAX));
    (left != 0).then(|| {
        tr!("done to {done} of {asked}; the others are over, or stand otherwise by now", done = count, asked = asked)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_what_becomes_of_how_many_and_who_did_fewer_is_told() {
        assert_eq!(heading(Ask::TakeOff, 1), "Take this alarm off the list");
        assert_eq!(heading(Ask::PutBack, 2), "Put 2 alarms back on the list");
        assert_eq!(shortfall(&Done::Steered(3), 3), None);
        let told = shortfall(&Done::Steered(1), 3);
        assert_eq!(told.as_deref(), Some("done to 1 of 3; the others are over, or stand otherwise by now"));
    }
}
