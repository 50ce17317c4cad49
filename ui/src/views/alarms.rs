//! The alarms: what needs a person, worst first, with what to do about it, what is over, and how well they serve.

pub mod acknowledge;
pub mod banner;
mod board;
pub mod cards;
mod filters;
mod flood;
mod health;
mod list;
mod picked;
mod question;
mod report;
mod row;
pub mod silence;
pub mod steps;
pub mod words;

#[cfg(test)]
mod sample;

use fleetlens_ipc::rows::AlarmCounts;
use fleetlens_ipc::{AlarmScope, AlarmsQuery, ShownPart};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::components::segmented::Segmented;
use crate::format;
use crate::keys::{CHORD_MS, dialog_is_open};
use crate::lang::said;
use crate::state::store;
use crate::views::alarms::acknowledge::{AcknowledgeDialog, may_acknowledge};
use crate::views::alarms::board::Board;
use crate::views::alarms::filters::Filters;
use crate::views::alarms::flood::FloodStrip;
use crate::views::alarms::health::HealthView;
use crate::views::alarms::list::Lines;
use crate::views::alarms::picked::Picked;
use crate::views::alarms::report::ReportLine;
use crate::views::alarms::silence::{SilenceButton, SoundNote};
use crate::views::alarms::steps::{Ask, StepDialog};
use crate::views::commands::may_command;

/// The keys that take what is chosen off the list, and acknowledge it.
const KEY_OFF: &str = "S";
const KEY_SEEN: &str = "A";

/// What is shown of the alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    List(AlarmScope),
    /// How well they serve.
    Health,
}

/// The section.
#[component]
pub fn AlarmsView() -> impl IntoView {
    let store = store();
    let table = store.alarm_table;
    let tabs = vec![
        (Tab::List(AlarmScope::Open), tr!("of alarms" => "Open")),
        (Tab::List(AlarmScope::Hidden), said("Off the list").to_owned()),
        (Tab::List(AlarmScope::Ended), said("History").to_owned()),
        (Tab::Health, tr!("of alarms" => "Health")),
    ];
    let is_health = table.is_health;
    let choose = Callback::new(move |tab| {
        is_health.set(tab == Tab::Health);
        if let Tab::List(scope) = tab {
            // Nothing in the history waits to be seen.
            filters::ask(store, |query| {
                *query = AlarmsQuery { scope, unseen: false, rule: String::new(), ..query.clone() }
            });
        }
    });
    let on_cause = Callback::new(move |rule: String| {
        table.query.update(|query| *query = AlarmsQuery { rule, ..filters::off(query) });
        is_health.set(false);
    });
    let may = may_command(store);
    let section = NodeRef::<html::Section>::new();
    Effect::new(move |_| {
        is_health.track();
        if section.get().is_some() {
            // What had the keys may have gone with the other part: they would be the page's then, and lead nowhere.
            request_animation_frame(move || hold_keys(section));
        }
    });
    let tab = Signal::derive(move || match is_health.get() {
        true => Some(Tab::Health),
        false => Some(Tab::List(table.query.with(|query| query.scope))),
    });
    view! {
        <section class="sheet alarms" data-testid="alarms-view" aria-label=said("Alarms") tabindex="-1" node_ref=section>
            <header class="sheet-head">
                <h1>{said("Alarms")}</h1>
                <Segmented label=said("Which alarms") options=tabs chosen=tab on_choose=choose />
                <Counts />
                <span class="space" />
                <SoundNote />
                <SilenceButton />
                {move || may.get().then(|| view! { <ReportLine /> })}
                <ToRules />
            </header>
            <Show when=move || is_health.get() fallback=|| view! { <BoardView /> }>
                <HealthView on_cause />
            </Show>
        </section>
    }
}

/// Gives the section the keys, unless something in it has them.
fn hold_keys(section: NodeRef<html::Section>) {
    let Some(section) = section.try_get_untracked().flatten() else { return };
    let element: &HtmlElement = &section;
    let holder = document().active_element();
    if !dialog_is_open() && !holder.is_some_and(|holder| element.contains(Some(&holder))) {
        // Fails only for a section that is not on the page.
        let _ = element.focus();
    }
}

/// The way to what they are raised by, for those who may change it.
#[component]
fn ToRules() -> impl IntoView {
    let store = store();
    let may = may_command(store);
    view! {
        <Show when=move || may.get()>
            <button type="button" class="plain" data-testid="to-rules" title=said("Rules (G R)") on:click=move |_| store.go_to_rules()>
                {said("Rules")}
            </button>
        </Show>
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
        <p class="total" role="status" data-testid="alarm-counts" title=words>
            {words}
        </p>
    }
}

/// `11 need a person · 7 returned, not seen · 3 seen`: the first is the number on the rail and on the map's card.
fn counts_words(counts: AlarmCounts, attention: u32) -> String {
    let n = |n: u32| format::count(u64::from(n));
    let needing =
        (attention != 0).then(|| tr!("1 needs a person" | "{shown} need a person" % attention, shown = n(attention)));
    let returned = counts.unacknowledged.saturating_sub(attention).saturating_sub(counts.advisory);
    let advisory = (counts.advisory != 0).then(|| tr!("{} worth knowing", n(counts.advisory)));
    let seen = counts.open.saturating_sub(counts.unacknowledged);
    let returned = (returned != 0).then(|| tr!("{} returned, not seen", n(returned)));
    let seen = (seen != 0).then(|| tr!("{} seen", n(seen)));
    let hidden = (counts.hidden != 0).then(|| tr!("{} off the list", n(counts.hidden)));
    let words = [needing, advisory, returned, seen, hidden].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if words.is_empty() { said("none open").into() } else { words }
}

#[component]
fn BoardView() -> impl IntoView {
    let store = store();
    let board = Board::new(store);
    // Whatever is looked at otherwise, what was chosen of it before is not chosen of it now.
    Effect::new(move |before: Option<AlarmsQuery>| {
        let query = board.table.query.get();
        if before.is_some_and(|before| before != query) {
            board.choose_none();
            board.go_to(None);
        }
        query
    });
    // Another city's alarms have the same numbers.
    Effect::new(move |before: Option<u32>| {
        let begun = store.begun.get();
        if before.is_some_and(|before| before != begun) {
            board.choose_none();
            board.go_to(None);
        }
        begun
    });
    Effect::new(move |_| {
        board.table.told.track();
        board.keep_keys();
    });
    // What has ended or left is not chosen any more.
    let count =
        Memo::new(move |_| board.table.head.with(|head| head.as_ref().map_or(0, |head| head.of.min(head.alarms))));
    Effect::new(move |before: Option<u32>| {
        let now = count.get();
        if before.is_some_and(|before| now < before) {
            board.leave_out_what_left();
        }
        now
    });
    // Who folded it one way did so with the groups of then.
    let how = Memo::new(move |_| board.table.head.with(|head| head.as_ref().map(|head| (head.group, head.by_itself))));
    Effect::new(move |before: Option<Option<_>>| {
        let now = how.get();
        if before.flatten().is_some_and(|before| Some(before) != now)
            && !board.table.folds.with_untracked(|folds| folds.except.is_empty())
        {
            board.table.folds.update(|folds| folds.except.clear());
            store.refold_alarms();
        }
        now
    });
    let may = may_acknowledge(store);
    let go_ms = StoredValue::new(f64::NEG_INFINITY);
    let keys = move |event: KeyboardEvent| {
        // The dialogs are elements of the board: what is typed in them comes by here.
        if dialog_is_open() {
            return;
        }
        let key = event.key().to_lowercase();
        let scope = untrack(|| board.scope());
        let is_typing = is_text(&event);
        let is_first = event.time_stamp() - go_ms.get_value() >= CHORD_MS;
        if (event.ctrl_key() || event.meta_key()) && key == "a" && !is_typing {
            event.prevent_default();
            if scope != AlarmScope::Ended && may.get_untracked() {
                board.add(ShownPart::All);
            }
        } else if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing {
        } else if key == "g" {
            go_ms.set_value(event.time_stamp());
        } else if key == "a" && is_first && scope == AlarmScope::Open && may.get_untracked() {
            event.prevent_default();
            board.acknowledge_chosen();
        } else if key == "s"
            && is_first
            && scope == AlarmScope::Open
            && may.get_untracked()
            && !board.picked.with_untracked(Picked::is_empty)
        {
            event.prevent_default();
            board.steer_chosen(Ask::TakeOff);
        } else if key == "escape" && !board.picked.with_untracked(Picked::is_empty) {
            event.prevent_default();
            board.choose_none();
        }
    };
    let done = Callback::new(move |()| board.choose_none());
    view! {
        <div class="board" on:keydown=keys>
            <FloodStrip />
            <Filters />
            <Show when=move || board.scope() != AlarmScope::Ended && may.get()>
                <Chosen board />
            </Show>
            <Lines board may />
            <AcknowledgeDialog desk=board.desk on_done=done />
            <StepDialog steps=board.steps on_done=done />
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

/// What is chosen, and what can be done with it. It keeps its place when nothing is, so that no row jumps.
#[component]
fn Chosen(board: Board) -> impl IntoView {
    let count = Memo::new(move |_| board.picked.with(Picked::len));
    let most = Memo::new(move |_| board.table.head.with(|head| head.as_ref().map_or(0, |head| head.alarms as usize)));
    let is_all = move || count.get() != 0 && count.get() >= most.get();
    let turn = move |event| {
        if event_target_checked(&event) {
            board.add(ShownPart::All);
        } else {
            board.choose_none();
        }
    };
    let words = move || match count.get() {
        0 => said("None chosen").to_owned(),
        many => tr!("{} of {} chosen", format::count(many as u64), format::count(most.get() as u64)),
    };
    let is_none = move || count.get() == 0;
    let unseen = Memo::new(move |_| board.picked.with(Picked::has_unseen));
    view! {
        <div class="chosen" class:some=move || count.get() != 0>
            <label class="tick">
                <input
                    type="checkbox"
                    data-testid="alarm-all"
                    aria-label=said("Choose all that are shown")
                    title=said("All that are shown (Ctrl A)")
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
                    {said("Assign…")}
                </button>
                {move || match board.scope() {
                    AlarmScope::Hidden => {
                        view! {
                            <button
                                type="button"
                                class="send"
                                data-testid="put-back"
                                disabled=is_none
                                on:click=move |_| board.steer_chosen(Ask::PutBack)
                            >
                                {said("Put back on the list")}
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
                                title=said("Shelve what is chosen, or take it out of service (S)")
                                on:click=move |_| board.steer_chosen(Ask::TakeOff)
                            >
                                {said("Take off the list…")}
                                <kbd>{KEY_OFF}</kbd>
                            </button>
                            <button
                                type="button"
                                class="send"
                                data-testid="acknowledge"
                                disabled=move || !unseen.get()
                                title=said("Acknowledge what is chosen (A)")
                                on:click=move |_| board.acknowledge_chosen()
                            >
                                {said("Acknowledge")}
                                <kbd>{KEY_SEEN}</kbd>
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
            (9, 8, 4, 3, "4 need a person · 2 worth knowing · 2 returned, not seen · 1 seen · 3 off the list"),
        ] {
            let advisory = if open == 9 { 2 } else { 0 };
            let counts = AlarmCounts { open, unacknowledged, hidden, advisory, ..AlarmCounts::default() };
            assert_eq!(counts_words(counts, attention), want);
        }
    }
}
