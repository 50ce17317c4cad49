//! What is wanted of each thing: a control and its value, any other value, or what another bulk command wanted.

use std::sync::Arc;

use fleetlens_model::bulk::{Order, Wish};
use fleetlens_model::kind::{Control, Kind};
use leptos::prelude::*;
use tr::tr;

use super::super::typed::{Field, Typed};
use crate::components::control::{Draft, Input, verb};
use crate::format::{self, within};
use crate::lang::said;

/// A pointer and a value as examples.
const POINTER: &str = "/net/apn";
const JSON: &str = "\"city\"";

/// What can be set, with the kinds that have it.
pub type Controls = RwSignal<Vec<(Arc<Control>, Vec<Kind>)>>;

/// A bulk command that is asked for again.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// What is asked for.
    pub order: Order,
    /// The same in words.
    pub title: String,
}

/// What is chosen so far. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Wished {
    controls: Controls,
    /// Which control; one behind the last is any other value.
    which: RwSignal<usize>,
    control: Memo<Option<Arc<Control>>>,
    draft: RwSignal<Option<Draft>>,
    shadow: Field,
    pointer: Field,
    json: Field,
    again: StoredValue<Option<Again>>,
    /// The shadow, empty for the classic one, and what is wanted in it; `None` while that is not all said.
    pub wanted: Memo<Option<(String, Vec<Wish>)>>,
}

impl Wished {
    /// Nothing yet, or what was wanted before.
    pub fn new(controls: Controls, again: Option<Again>) -> Wished {
        let which = RwSignal::new(0_usize);
        let draft = RwSignal::new(None::<Draft>);
        let (shadow, pointer, json): (Field, Field, Field) =
            (RwSignal::default(), RwSignal::default(), RwSignal::default());
        let again = StoredValue::new(again);
        let control =
            Memo::new(move |_| controls.with(|controls| controls.get(which.get()).map(|(one, _)| Arc::clone(one))));
        let wanted = Memo::new(move |_| {
            if let Some(Again { order, .. }) = again.get_value() {
                return Some((order.shadow, order.wishes));
            }
            if let Some(control) = control.get() {
                let value_json = draft.get()?.json().to_string();
                return Some((String::new(), vec![Wish { pointer: control.pointer.to_string(), value_json }]));
            }
            let text = |field: Field| field.with(|text| text.trim().to_owned());
            let wish = Wish { pointer: text(pointer), value_json: text(json) };
            (!wish.pointer.is_empty() && !wish.value_json.is_empty()).then(|| (text(shadow), vec![wish]))
        });
        Wished { controls, which, control, draft, shadow, pointer, json, again, wanted }
    }

    /// What is asked before it is sent to these; tracked.
    pub fn asks(self, whom: &str) -> String {
        match self.again.get_value() {
            Some(again) => tr!("Ask {whom} again: {title}?", whom, title = again.title),
            None => tr!("{does} of {whom}?", does = self.does(), whom),
        }
    }

    /// What Send does, in a few words; tracked.
    pub fn does(self) -> String {
        if let Some(again) = self.again.get_value() {
            return tr!("Ask again: {}", again.title);
        }
        let verb = self.control.get().and_then(|control| Some(verb(&control, &self.draft.get()?)));
        verb.unwrap_or_else(|| tr!("Set {}", self.pointer.get().trim()))
    }
}

/// What can be set, each once, with the kinds that have it.
pub fn shared(told: Vec<(Kind, Vec<Control>)>) -> Vec<(Arc<Control>, Vec<Kind>)> {
    let mut controls: Vec<(Arc<Control>, Vec<Kind>)> = Vec::new();
    for (kind, of_kind) in told {
        for control in of_kind {
            match controls.iter_mut().find(|(known, _)| **known == control) {
                Some((_, of)) => of.push(kind),
                None => controls.push((Arc::new(control), vec![kind])),
            }
        }
    }
    controls
}

/// Where it is chosen.
#[component]
pub fn Choice(
    /// What is chosen.
    wished: Wished,
) -> impl IntoView {
    let Wished { controls, which, control, draft, shadow, pointer, json, again, .. } = wished;
    if let Some(Again { title, .. }) = again.get_value() {
        return view! { <p class="asked-again" data-testid="bulk-again-what">{title}</p> }.into_any();
    }
    let options = move || {
        let name = |(control, kinds): &(Arc<Control>, Vec<Kind>)| {
            let kinds: Vec<String> = kinds.iter().map(|kind| within(kind.plural())).collect();
            format!("{} ({})", format::known(&control.label), kinds.join(", "))
        };
        let names: Vec<String> = controls.with(|controls| controls.iter().map(name).collect());
        names.into_iter().chain([said("Another value…").to_owned()]).enumerate().collect::<Vec<_>>()
    };
    let choose = move |event| {
        draft.set(None);
        which.set(event_target_value(&event).parse().unwrap_or(0));
    };
    view! {
        <label class="field">
            <span>{said("What")}</span>
            <select data-testid="bulk-control" on:change=choose>
                <For each=options key=|(place, name)| (*place, name.clone()) let:option>
                    <option value=option.0.to_string() selected=move || which.get() == option.0>
                        {option.1}
                    </option>
                </For>
            </select>
        </label>
        {move || match control.get() {
            Some(control) => {
                let shown = Signal::derive(move || draft.get());
                view! { <div class="composer"><Input control shown draft /></div> }.into_any()
            }
            None => {
                view! {
                    <Typed label=said("JSON pointer") field=pointer testid="bulk-pointer" placeholder=POINTER />
                    <Typed label=said("Value, as JSON") field=json testid="bulk-json" placeholder=JSON />
                    <Typed label=said("Named shadow, empty for the classic one") field=shadow testid="bulk-shadow" />
                }
                    .into_any()
            }
        }}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use fleetlens_model::bulk::{Rollout, Target};
    use fleetlens_model::id::ThingKey;
    use fleetlens_model::kind::Schemas;

    use super::*;

    #[test]
    fn a_control_of_several_kinds_is_offered_once() {
        let of = |kind| (kind, Schemas::of_the_program().controls_of_kind(kind).to_vec());
        let controls = shared([Kind::Lamp, Kind::Bin].map(of).to_vec());
        let offered: Vec<_> = controls.iter().map(|(control, kinds)| (control.pointer.as_ref(), kinds.len())).collect();
        assert_eq!(offered, [("/dim_pct", 1), ("/on", 1), ("/interval_s", 2)]);
        assert!(shared(vec![of(Kind::Other)]).is_empty());
    }

    #[test]
    fn any_value_is_wanted_once_pointer_and_value_are_there_in_the_shadow_that_was_named() {
        let wished = Wished::new(RwSignal::default(), None);
        let wanted = || untrack(|| wished.wanted.get());
        wished.pointer.set(" /net/apn ".into());
        assert_eq!(wanted(), None);
        wished.json.set("\"city\" ".into());
        let wish = Wish { pointer: "/net/apn".into(), value_json: "\"city\"".into() };
        assert_eq!(wanted(), Some((String::new(), vec![wish.clone()])));
        wished.shadow.set(" network".into());
        assert_eq!(wanted(), Some(("network".into(), vec![wish])));
        assert_eq!(untrack(|| wished.does()), "Set /net/apn");
    }

    #[test]
    fn what_is_asked_again_is_what_was_wanted_before() {
        let order = Order {
            target: Target::Things(vec![ThingKey(3)]),
            shadow: "plan".into(),
            wishes: vec![Wish { pointer: "/a".into(), value_json: "1".into() }],
            expires_in_ms: None,
            rollout: Rollout::default(),
            continuous: false,
        };
        let wished = Wished::new(RwSignal::default(), Some(Again { order: order.clone(), title: "Plan · a".into() }));
        assert_eq!(untrack(|| wished.wanted.get()), Some(("plan".into(), order.wishes)));
        assert_eq!(untrack(|| wished.does()), "Ask again: Plan · a");
    }
}
