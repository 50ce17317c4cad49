//! "I have seen these": what is acknowledged, with which comment, and what came of it.

use fleetlens_ipc::Done;
use fleetlens_ipc::rows::{AlarmRow, AttentionRow};
use fleetlens_model::alarm::COMMENT_MAX_CHARS;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::components::modal::Modal;
use crate::format;
use crate::lang::said;
use crate::state::{Store, store};
use crate::views::alarms::question::{Asking, Question, TextLine, shut_with_the_city};

/// An alarm as it stood on the screen when the person asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which one.
    pub id: AlarmId,
    /// When it was raised the last time: one that is raised again meanwhile is not covered.
    pub raised_ms: WallMs,
    /// What is wrong.
    pub title: String,
}

impl Asked {
    /// Whether there is anything to acknowledge.
    pub fn may_be(row: &AlarmRow) -> bool {
        row.acknowledged.is_none() && (row.hidden.is_none() || row.active)
    }

    /// Of a row.
    pub fn of(row: &AlarmRow) -> Asked {
        Asked { id: row.id, raised_ms: row.raised_ms, title: row.title.clone() }
    }

    /// Of a row of the card over the map.
    pub fn of_attention(row: &AttentionRow) -> Asked {
        Asked { id: row.alarm, raised_ms: row.since_ms, title: row.title.clone() }
    }
}

/// Where alarms are laid that somebody wants to acknowledge. What is raised after that is not among them.
#[derive(Clone, Copy)]
pub struct Desk {
    asked: RwSignal<Vec<Asked>>,
    open: RwSignal<bool>,
}

impl Desk {
    /// An empty one.
    pub fn new() -> Desk {
        Desk { asked: RwSignal::new(Vec::new()), open: RwSignal::new(false) }
    }

    /// Asks for a comment, and then acknowledges these; nothing when there are none.
    pub fn ask(self, asked: Vec<Asked>) {
        if !asked.is_empty() {
            self.asked.set(asked);
            self.open.set(true);
        }
    }
}

/// Whether the person here may acknowledge.
pub fn may_acknowledge(store: Store) -> Memo<bool> {
    Memo::new(move |_| {
        store.status.with(|status| status.as_ref().is_some_and(|status| status.row.who.role.may_acknowledge()))
    })
}

/// The question.
#[component]
pub fn AcknowledgeDialog(
    /// What lies on it.
    desk: Desk,
    /// Told once they are acknowledged.
    #[prop(into, default = Callback::new(|()| ()))]
    on_done: Callback<()>,
) -> impl IntoView {
    // What lies there is of the city of then: another one has other alarms under the same numbers.
    shut_with_the_city(store(), desk.open);
    let label = Signal::derive(move || desk.asked.with(|asked| heading(asked)));
    view! {
        <Modal open=desk.open label class="modal acknowledge" testid="acknowledge-dialog">
            <Form desk on_done />
        </Modal>
    }
}

#[component]
fn Form(desk: Desk, on_done: Callback<()>) -> impl IntoView {
    let store = store();
    let asking = Asking::new(desk.open, on_done);
    let comment = RwSignal::new(String::new());
    let asked = desk.asked.get_untracked();
    let titles = asked.iter().map(|asked| asked.title.clone()).collect();
    let send = Callback::new(move |()| {
        let asked = desk.asked.get_untracked();
        let alarms = asked.iter().map(|asked| (asked.id, asked.raised_ms)).collect();
        asking.sent();
        store.acknowledge(alarms, comment.get_untracked().trim().to_owned(), move |outcome| {
            asking.came(outcome, |done| shortfall(done, asked.len()));
        });
    });
    view! {
        <Question
            asking
            heading=heading(&asked)
            titles
            yes=(said("Acknowledge"), "acknowledge-yes")
            no=(said("Not yet"), "acknowledge-no")
            on_send=send
        >
            <TextLine
                id="acknowledge-comment"
                testid="comment"
                label=said("Comment, if there is anything to say")
                placeholder=said("e.g. on my way")
                most=COMMENT_MAX_CHARS
                text=comment
            />
        </Question>
    }
}

fn heading(asked: &[Asked]) -> String {
    let count = asked.len();
    tr!("Acknowledge this alarm" | "Acknowledge {shown} alarms" % count, shown = format::count(count as u64))
}

/// What to say when fewer were acknowledged than were asked for.
fn shortfall(done: &Done, asked: usize) -> Option<String> {
    let Done::Acknowledged(count) = done else { return None };
    let left = asked.saturating_sub(usize::try_from(*count).unwrap_or(usize::MAX));
    (left != 0).then(|| {
        tr!(
            "{done} of {asked} acknowledged; one was raised again meanwhile, or seen by somebody else"
                | "{done} of {asked} acknowledged; the others were raised again meanwhile, or seen by somebody else"
                    % left,
            done = count,
            asked = asked
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::alarm;
    use super::*;

    #[test]
    fn what_is_asked_is_what_stood_on_the_screen() {
        let asked = Asked::of(&alarm(4, 1_000));
        assert_eq!((asked.id, asked.raised_ms), (AlarmId(4), WallMs(1_000)));
        assert_eq!(heading(std::slice::from_ref(&asked)), "Acknowledge this alarm");
        assert_eq!(heading(&[asked.clone(), asked]), "Acknowledge 2 alarms");
    }

    #[test]
    fn who_acknowledged_fewer_than_they_chose_is_told() {
        for (done, asked, want) in [
            (Done::Acknowledged(3), 3, None),
            (
                Done::Acknowledged(2),
                3,
                Some("2 of 3 acknowledged; one was raised again meanwhile, or seen by somebody else"),
            ),
            (Done::Changed, 3, None),
        ] {
            assert_eq!(shortfall(&done, asked).as_deref(), want);
        }
    }
}
