//! What a person may set on a thing. At the desktop the controls stand in the drawer; on the phone they are large buttons that
//! open the same composer on a sheet.

use std::sync::Arc;

use fleetlens_model::kind::{Control, Takes};
use leptos::prelude::*;

use crate::clock::{clock, shown_ms};
use crate::components::control::{Composer, Draft, done_to, leaf_of, now_of};
use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::Thing;

/// How long an opened thing's shadow is waited for, in milliseconds; brokers answer a `get` within one.
const SHADOW_WAIT_MS: f64 = 3_000.0;

/// The controls; nothing at all for who may not command.
#[component]
pub fn Controls(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let offered = offered(&thing);
    let fence = thing.fence.clone();
    let thing = StoredValue::new(thing);
    view! {
        <Fence why=fence />
        <Show when=move || offered.with(|offered| !offered.is_empty())>
            <section class="controls" data-testid="controls">
                <For each=move || offered.get() key=key let:control>
                    <Composer thing=thing.get_value() control />
                </For>
            </section>
        </Show>
    }
}

/// The same as large buttons.
#[component]
pub fn BigButtons(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let offered = offered(&thing);
    let fence = thing.fence.clone();
    let thing = StoredValue::new(thing);
    view! {
        <Fence why=fence />
        <Show when=move || offered.with(|offered| !offered.is_empty())>
            <section class="big-buttons" data-testid="controls">
                <For each=move || offered.get() key=key let:control>
                    <BigButton thing=thing.get_value() control />
                </For>
            </section>
        </Show>
    }
}

/// Why nothing is offered here, where it is somebody else's thing.
#[component]
fn Fence(why: String) -> impl IntoView {
    (!why.is_empty()).then(|| {
        view! {
            <p class="fence" data-testid="fence">
                <Icon of=icondata_lu::LuLock />
                {format::capital(&why)}
                "."
            </p>
        }
    })
}

/// A control that is described otherwise is another one.
fn key(control: &Arc<Control>) -> String {
    format!("{control:?}")
}

/// The leaves that the person may set and that the thing has: what no shadow holds and no value tells of, e.g. the barrier of an
/// open car park, could never be obeyed; but what a thing itself says that can be set is offered before it has said how it is set.
/// None before the classic shadow is known, or long enough looked for in vain: what one sees of it is part of every command, and
/// buttons that come one by one are pressed wrongly.
pub fn offered(thing: &Thing) -> Memo<Vec<Arc<Control>>> {
    let head = thing.head.clone();
    let says = Memo::new(move |_| head.with(|head| (head.row.convention.is_empty(), head.row.controls.clone())));
    let of = thing.clone();
    let is_known = Memo::new(move |_| of.shadows.with(|shadows| shadows.iter().any(|cell| cell.key.is_empty())));
    let (of, has_none) = (thing.clone(), seems_to_have_no_shadow());
    Memo::new(move |_| {
        let (may_have_shadow, controls) = says.get();
        if may_have_shadow && !is_known.get() && !has_none.get() {
            return Vec::new();
        }
        let has =
            |control: &Control| now_of(&of, &control.pointer).is_some() || leaf_of(&of, &control.pointer).is_some();
        let controls = controls.into_iter().filter(|_| of.may_command);
        controls.filter(|control| !may_have_shadow || has(control)).map(Arc::new).collect()
    })
}

/// Whether a shadow, if there were one, would have come by now.
fn seems_to_have_no_shadow() -> Memo<bool> {
    let (store, clock, opened_ms) = (store(), clock(), shown_ms());
    Memo::new(move |before: Option<&bool>| {
        before.is_some_and(|before| *before) || (store.link_up.get() && clock.now_ms() - opened_ms > SHADOW_WAIT_MS)
    })
}

#[component]
fn BigButton(thing: Thing, control: Arc<Control>) -> impl IntoView {
    let open = RwSignal::new(false);
    let (of, its) = (thing.clone(), control.clone());
    let now = Memo::new(move |_| {
        let wanted = || leaf_of(&of, &its.pointer).and_then(|leaf| leaf.desired);
        Draft::of_leaf(now_of(&of, &its.pointer).or_else(wanted).as_deref()?, &its.takes)
    });
    let its = control.clone();
    let word = move || big_word(&its, now.get().as_ref());
    let (title, name) = (thing.head.clone(), format::known(&control.label).to_owned());
    let heading = name.clone();
    let label = Signal::derive(move || format!("{name}, {}", title.with(|head| head.row.title.clone())));
    view! {
        <button type="button" class="big" data-testid="big" data-pointer=control.pointer.to_string() on:click=move |_| open.set(true)>
            {word}
        </button>
        <Modal open label class="modal sheet" testid="composer-sheet">
            <h2>{heading.clone()}</h2>
            <Composer thing=thing.clone() control=control.clone() on_sent=Callback::new(move |()| open.set(false)) />
            <button type="button" class="big" on:click=move |_| open.set(false)>
                {said("Close")}
            </button>
        </Modal>
    }
}

/// The button's word: what it would do, with an ellipsis where more is asked.
fn big_word(control: &Control, now: Option<&Draft>) -> String {
    match (&control.takes, now) {
        (Takes::Switch, now) if control.pointer == "/enabled" => {
            if now == Some(&Draft::Flag(true)) { said("Take out of service…") } else { said("Put into service…") }
                .into()
        }
        // The one switch of a kind needs no name; a thing that has its own may have several.
        (Takes::Switch, now) => {
            let word = if now == Some(&Draft::Flag(true)) { said("Off…") } else { said("On…") };
            if control.pointer == "/on" {
                word.into()
            } else {
                format!("{} {}", format::known(&control.label), word.to_lowercase())
            }
        }
        (Takes::Choice(words), Some(Draft::Word(now))) if words.len() == 2 => {
            let other =
                words.iter().find(|(word, _)| word != now).map_or(said("Set"), |(_, label)| format::known(label));
            format!("{}…", done_to(other, &control.label))
        }
        _ => {
            let label = format::known(&control.label);
            // It is not said to what.
            let alone = label.rsplit_once(' ').filter(|(_, last)| matches!(*last, "to" | "auf")).map(|(word, _)| word);
            format!("{}…", format::capital(alone.unwrap_or(label)))
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    fn of_kind(kind: Kind, pointer: &str) -> &'static Control {
        Schemas::of_the_program().control_of_kind(kind, pointer).unwrap()
    }

    #[test]
    fn a_large_button_offers_what_is_not_so_yet() {
        let control = |kind: Kind, pointer| of_kind(kind, pointer);
        let (dim, on) = (control(Kind::Lamp, "/dim_pct"), control(Kind::Lamp, "/on"));
        let (barrier, enabled) = (control(Kind::Parking, "/barrier"), control(Kind::Charger, "/enabled"));
        for (control, now, want) in [
            (on, Some(Draft::Flag(true)), "Off…"),
            (on, Some(Draft::Flag(false)), "On…"),
            (dim, Some(Draft::Number(40.0)), "Dim…"),
            (barrier, Some(Draft::Word("closed".into())), "Open barrier…"),
            (barrier, Some(Draft::Word("open".into())), "Close barrier…"),
            (barrier, None, "Barrier…"),
            (enabled, Some(Draft::Flag(true)), "Take out of service…"),
            (enabled, None, "Put into service…"),
        ] {
            assert_eq!(big_word(control, now.as_ref()), want);
        }
    }
}
