//! "I have seen these": what is acknowledged, with which comment, and what came of it.

use fleetlens_ipc::rows::{AlarmRow, AttentionRow};
use fleetlens_ipc::{Done, Fault};
use fleetlens_model::alarm::COMMENT_MAX_CHARS;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::WallMs;
use leptos::html;
use leptos::prelude::*;

use crate::components::modal::Modal;
use crate::format;
use crate::state::{Store, store};

/// How many are named in the question.
const NAMED: usize = 5;

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
    let comment = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            // After the dialog has opened, which takes the focus to its first button.
            request_animation_frame(move || drop(input.focus()));
        }
    });
    let send = move || {
        let asked = desk.asked.get_untracked();
        let alarms = asked.iter().map(|asked| (asked.id, asked.raised_ms)).collect();
        sending.set(true);
        fault.set(None);
        store.acknowledge(alarms, comment.get_untracked().trim().to_owned(), move |outcome| {
            // The view may have been left meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                Ok(done) => {
                    if let Some(words) = shortfall(&done, asked.len()) {
                        store.notify(words);
                    }
                    desk.open.try_set(false);
                    on_done.try_run(());
                }
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !sending.get_untracked() {
            send();
        }
    };
    let titles =
        desk.asked.with_untracked(|asked| asked.iter().take(NAMED).map(|a| a.title.clone()).collect::<Vec<_>>());
    let more = desk.asked.with_untracked(|asked| asked.len().saturating_sub(NAMED));
    view! {
        <h2>{move || desk.asked.with(|asked| heading(asked))}</h2>
        <ul class="titles">
            {titles.into_iter().map(|title| view! { <li>{title}</li> }).collect_view()}
            {(more != 0).then(|| view! { <li>{format!("and {} more", format::count(more as u64))}</li> })}
        </ul>
        <form on:submit=submit>
            <label for="acknowledge-comment">"Comment, if there is anything to say"</label>
            <input
                id="acknowledge-comment"
                type="text"
                class="text"
                data-testid="comment"
                maxlength=COMMENT_MAX_CHARS.to_string()
                autocomplete="off"
                placeholder="e.g. on my way"
                node_ref=input
                prop:value=comment
                on:input=move |event| comment.set(event_target_value(&event))
            />
            {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
            <div class="answers">
                <button type="button" class="plain" data-testid="acknowledge-no" on:click=move |_| desk.open.set(false)>
                    "Not yet"
                </button>
                <button type="submit" class="send" data-testid="acknowledge-yes" disabled=move || sending.get()>
                    "Acknowledge"
                </button>
            </div>
        </form>
    }
}

fn heading(asked: &[Asked]) -> String {
    match asked.len() {
        1 => "Acknowledge this alarm".into(),
        many => format!("Acknowledge {} alarms", format::count(many as u64)),
    }
}

/// What to say when fewer were acknowledged than were asked for.
fn shortfall(done: &Done, asked: usize) -> Option<String> {
    let Done::Acknowledged(count) = done else { return None };
    let left = asked.saturating_sub(usize::try_from(*count).unwrap_or(usize::MAX));
    let others = if left == 1 { "one was" } else { "the others were" };
    (left != 0)
        .then(|| format!("{count} of {asked} acknowledged; {others} raised again meanwhile, or seen by somebody else"))
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
