//! The alarms: what needs a person, worst first, with what to do about it, and what is over.

pub mod acknowledge;
pub mod banner;
pub mod cards;
mod order;
mod row;
pub mod steps;
mod words;

#[cfg(test)]
mod sample;

use std::collections::BTreeSet;

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::{AlarmCounts, AlarmRow};
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::kind::Kind;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::components::segmented::Segmented;
use crate::components::still::Still;
use crate::components::words::Words;
use crate::format;
use crate::state::cells::{Cell, List};
use crate::state::{Store, store};
use crate::views::alarms::acknowledge::{AcknowledgeDialog, Asked, Desk, may_acknowledge};
use crate::views::alarms::order::{Filter, choose};
use crate::views::alarms::row::Rows;
use crate::views::alarms::steps::{Ask, StepDialog, Steps};

/// How long after `G` a second key still belongs to it, in milliseconds; see [`crate::keys`].
const CHORD_MS: f64 = 1200.0;

/// What the rows of a list share.
#[derive(Clone, Copy)]
struct Board {
    scope: AlarmScope,
    list: List<AlarmId, AlarmRow>,
    still: Still<AlarmId, AlarmRow>,
    /// The rows on the screen, in their order: those that hold still and pass the filter.
    shown: Memo<Vec<AlarmId>>,
    filter: RwSignal<Filter>,
    chosen: RwSignal<Vec<AlarmId>>,
    last: StoredValue<Option<AlarmId>>,
    desk: Desk,
    steps: Steps,
}

impl Board {
    fn new(store: Store, scope: AlarmScope, filter: RwSignal<Filter>) -> Board {
        store.follow_alarms(scope);
        let list = store.alarms.list(scope);
        let still = Still::of(list.cells);
        // A row that changes while it is looked at stays: what it says now may be what the person waits for.
        let passes = move |cell: &&Cell<AlarmId, AlarmRow>| {
            filter.with(|filter| cell.row.with_untracked(|row| filter.takes(&row.row)))
        };
        let shown = Memo::new(move |_| {
            still.shown.with(|cells| cells.iter().filter(passes).map(|cell| cell.key).collect::<Vec<_>>())
        });
        let board = Board {
            scope,
            list,
            still,
            shown,
            filter,
            chosen: RwSignal::new(Vec::new()),
            last: StoredValue::new(None),
            desk: Desk::new(),
            steps: Steps::new(),
        };
        Effect::new(move |_| {
            let shown: BTreeSet<AlarmId> = shown.get().into_iter().collect();
            if board.chosen.with_untracked(|chosen| chosen.iter().any(|id| !shown.contains(id))) {
                board.chosen.update(|chosen| chosen.retain(|id| shown.contains(id)));
            }
        });
        board
    }

    fn cell(self, id: AlarmId) -> Option<Cell<AlarmId, AlarmRow>> {
        self.still.shown.with_untracked(|cells| cells.iter().find(|cell| cell.key == id).cloned())
    }

    fn choose(self, id: AlarmId, shift: bool) {
        let last = self.last.get_value();
        self.chosen
            .update(|chosen| *chosen = self.shown.with_untracked(|shown| choose(chosen, shown, last, id, shift)));
        self.last.set_value(Some(id));
    }

    fn choose_all(self) {
        self.chosen.set(self.shown.get_untracked());
    }

    /// What is said of an alarm when it is acknowledged; `None` when there is nothing to acknowledge any more.
    fn asked(self, id: AlarmId) -> Option<Asked> {
        let cell = self.cell(id)?;
        cell.row.with_untracked(|row| Asked::may_be(&row.row).then(|| Asked::of(&row.row)))
    }

    /// Asks what is to become of what is chosen.
    fn steer_chosen(self, ask: Ask) {
        let chosen = self.chosen.get_untracked();
        let title = |id: AlarmId| Some((id, self.cell(id)?.row.with_untracked(|row| row.row.title.clone())));
        self.steps.ask(ask, chosen.into_iter().filter_map(title).collect());
    }

    /// Asks to acknowledge what is chosen, as it stands on the screen now.
    fn acknowledge_chosen(self) {
        let chosen = self.chosen.get_untracked();
        self.desk.ask(chosen.into_iter().filter_map(|id| self.asked(id)).collect());
    }
}

/// The section.
#[component]
pub fn AlarmsView() -> impl IntoView {
    let scope = RwSignal::new(AlarmScope::Open);
    let filter = RwSignal::new(Filter::default());
    let tabs = vec![
        (AlarmScope::Open, "Open".to_owned()),
        (AlarmScope::Hidden, "Off the list".to_owned()),
        (AlarmScope::Ended, "History".to_owned()),
    ];
    let choose = Callback::new(move |to| {
        // Nothing in the history waits to be seen.
        filter.update(|filter| filter.unseen = false);
        scope.set(to);
    });
    let section = NodeRef::<html::Section>::new();
    Effect::new(move |_| {
        if let Some(section) = section.get() {
            let element: &HtmlElement = &section;
            // Fails only for a section that is not on the page.
            let _ = element.focus();
        }
    });
    view! {
        <section class="sheet alarms" data-testid="alarms-view" aria-label="Alarms" tabindex="-1" node_ref=section>
            <header class="sheet-head">
                <h1>"Alarms"</h1>
                <Segmented label="Which alarms" options=tabs chosen=Signal::derive(move || Some(scope.get())) on_choose=choose />
                <Counts />
            </header>
            {move || view! { <BoardView scope=scope.get() filter /> }}
        </section>
    }
}

/// How many there are, in words.
#[component]
fn Counts() -> impl IntoView {
    let store = store();
    let words = move || {
        store.status.with(|status| status.as_ref().map(|status| counts_words(status.row.alarms, status.row.attention)))
    };
    view! {
        <p class="total" role="status" data-testid="alarm-counts">
            {words}
        </p>
    }
}

/// `11 need a person · 7 returned, not seen · 3 seen`: the first is the number on the rail and on the map's card.
fn counts_words(counts: AlarmCounts, attention: u32) -> String {
    let n = |n: u32| format::count(u64::from(n));
    let needing = match attention {
        0 => None,
        1 => Some("1 needs a person".to_owned()),
        many => Some(format!("{} need a person", n(many))),
    };
    let returned = counts.unacknowledged.saturating_sub(attention);
    let seen = counts.open.saturating_sub(counts.unacknowledged);
    let returned = (returned != 0).then(|| format!("{} returned, not seen", n(returned)));
    let seen = (seen != 0).then(|| format!("{} seen", n(seen)));
    let hidden = (counts.hidden != 0).then(|| format!("{} off the list", n(counts.hidden)));
    let words = [needing, returned, seen, hidden].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if words.is_empty() { "none open".into() } else { words }
}

#[component]
fn BoardView(scope: AlarmScope, filter: RwSignal<Filter>) -> impl IntoView {
    let store = store();
    let board = Board::new(store, scope, filter);
    let may = may_acknowledge(store);
    let go_ms = StoredValue::new(f64::NEG_INFINITY);
    let keys = move |event: KeyboardEvent| {
        let key = event.key().to_lowercase();
        let is_typing = is_text(&event);
        if (event.ctrl_key() || event.meta_key()) && key == "a" && !is_typing {
            event.prevent_default();
            if scope != AlarmScope::Ended && may.get_untracked() {
                board.choose_all();
            }
        } else if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing {
        } else if key == "g" {
            go_ms.set_value(event.time_stamp());
        } else if key == "a" && event.time_stamp() - go_ms.get_value() >= CHORD_MS && scope == AlarmScope::Open {
            event.prevent_default();
            board.acknowledge_chosen();
        } else if key == "s"
            && event.time_stamp() - go_ms.get_value() >= CHORD_MS
            && scope == AlarmScope::Open
            && may.get_untracked()
            && board.chosen.with_untracked(|chosen| !chosen.is_empty())
        {
            event.prevent_default();
            board.steer_chosen(Ask::TakeOff);
        } else if key == "escape" && board.chosen.with_untracked(|chosen| !chosen.is_empty()) {
            event.prevent_default();
            board.chosen.set(Vec::new());
        }
    };
    view! {
        <div class="board" on:keydown=keys>
            <Filters filter scope />
            <Show when=move || scope != AlarmScope::Ended && may.get()>
                <Chosen board />
            </Show>
            <Rows board may />
            <AcknowledgeDialog desk=board.desk on_done=Callback::new(move |()| board.chosen.set(Vec::new())) />
            <StepDialog steps=board.steps on_done=Callback::new(move |()| board.chosen.set(Vec::new())) />
        </div>
    }
}

/// Whether a key press belongs to something that takes letters.
fn is_text(event: &KeyboardEvent) -> bool {
    let target = event.target();
    let input = target.as_ref().and_then(|target| target.dyn_ref::<HtmlInputElement>());
    input.is_some_and(|input| input.type_() != "checkbox")
        || target
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
            .is_some_and(|element| element.tag_name() == "SELECT")
}

/// What is shown of them.
#[component]
fn Filters(filter: RwSignal<Filter>, scope: AlarmScope) -> impl IntoView {
    let store = store();
    let priorities = vec![
        (None, "All".to_owned()),
        (Some(Priority::Critical), "Critical".to_owned()),
        (Some(Priority::Warning), "Warning".to_owned()),
    ];
    let kinds = Memo::new(move |_| {
        let kinds = store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()));
        kinds.unwrap_or_default().into_iter().map(|(kind, _)| kind).collect::<Vec<Kind>>()
    });
    let choose_kind = move |event| {
        let word = event_target_value(&event);
        filter.update(|filter| filter.kind = (!word.is_empty()).then(|| Kind::from_word(&word)));
    };
    let is_kind = move |kind: Option<Kind>| filter.with(|filter| filter.kind == kind);
    view! {
        <div class="filters">
            <Words
                text=Signal::derive(move || filter.with(|filter| filter.text.clone()))
                on_input=Callback::new(move |text| filter.update(|filter| filter.text = text))
                label="Words in the alarm"
                placeholder="Words in the alarm"
                testid="alarm-text"
            />
            <Segmented
                label="Priority"
                options=priorities
                chosen=Signal::derive(move || Some(filter.with(|filter| filter.priority)))
                on_choose=Callback::new(move |priority| filter.update(|filter| filter.priority = priority))
            />
            <select class="choice" data-testid="alarm-kind" aria-label="Kind" on:change=choose_kind>
                <option value="" selected=move || is_kind(None)>
                    "All kinds"
                </option>
                <For each=move || kinds.get() key=|kind| *kind let:kind>
                    <option value=kind.word() selected=move || is_kind(Some(kind))>
                        {kind.plural()}
                    </option>
                </For>
            </select>
            <Show when=move || scope == AlarmScope::Open>
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="alarm-unseen"
                        prop:checked=move || filter.with(|filter| filter.unseen)
                        on:change=move |event| filter.update(|filter| filter.unseen = event_target_checked(&event))
                    />
                    "Not seen yet"
                </label>
            </Show>
        </div>
    }
}

/// What is chosen, and what can be done with it. It keeps its place when nothing is, so that no row jumps.
#[component]
fn Chosen(board: Board) -> impl IntoView {
    let count = Memo::new(move |_| board.chosen.with(Vec::len));
    let most = Memo::new(move |_| board.shown.with(Vec::len));
    let is_all = move || count.get() != 0 && count.get() >= most.get();
    let turn = move |event| {
        if event_target_checked(&event) {
            board.choose_all();
        } else {
            board.chosen.set(Vec::new());
        }
    };
    let words = move || match count.get() {
        0 => "Choose alarms to do something with them".to_owned(),
        many => format!("{} of {} chosen", format::count(many as u64), format::count(most.get() as u64)),
    };
    let is_none = move || count.get() == 0;
    let unseen = Memo::new(move |_| board.chosen.with(|chosen| chosen.iter().any(|id| board.asked(*id).is_some())));
    view! {
        <div class="chosen" class:some=move || count.get() != 0>
            <label class="tick">
                <input
                    type="checkbox"
                    data-testid="alarm-all"
                    aria-label="Choose all that are shown"
                    title="All that are shown (Ctrl A)"
                    prop:checked=is_all
                    prop:indeterminate=move || count.get() != 0 && !is_all()
                    on:change=turn
                />
                <span data-testid="alarm-chosen">{words}</span>
            </label>
            <div class="does">
                <button
                    type="button"
                    class="plain"
                    data-testid="assign"
                    disabled=is_none
                    on:click=move |_| board.steer_chosen(Ask::Assign)
                >
                    "Assign…"
                </button>
                {match board.scope {
                    AlarmScope::Hidden => {
                        view! {
                            <button
                                type="button"
                                class="send"
                                data-testid="put-back"
                                disabled=is_none
                                on:click=move |_| board.steer_chosen(Ask::PutBack)
                            >
                                "Put back on the list"
                            </button>
                        }
                        .into_any()
                    }
                    AlarmScope::Open | AlarmScope::Ended => {
                        view! {
                            <button
                                type="button"
                                class="plain"
                                data-testid="take-off"
                                disabled=is_none
                                title="Shelve what is chosen, or take it out of service (S)"
                                on:click=move |_| board.steer_chosen(Ask::TakeOff)
                            >
                                "Take off the list…"
                                <kbd>"S"</kbd>
                            </button>
                            <button
                                type="button"
                                class="send"
                                data-testid="acknowledge"
                                disabled=move || !unseen.get()
                                title="Acknowledge what is chosen (A)"
                                on:click=move |_| board.acknowledge_chosen()
                            >
                                "Acknowledge"
                                <kbd>"A"</kbd>
                            </button>
                        }
                        .into_any()
                    }
                }}
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_in_words() {
        for (open, unacknowledged, attention, hidden, want) in [
            (0, 0, 0, 0, "none open"),
            (1, 1, 1, 0, "1 needs a person"),
            (7, 6, 4, 3, "4 need a person · 2 returned, not seen · 1 seen · 3 off the list"),
        ] {
            let counts = AlarmCounts { open, unacknowledged, hidden, ..AlarmCounts::default() };
            assert_eq!(counts_words(counts, attention), want);
        }
    }
}
