//! The sheet on which many things are commanded: what is wanted, what that would do, how fast, and Send.

use std::sync::Arc;

use fleetlens_ipc::rows::DryRun;
use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
use fleetlens_model::bulk::{Order, Rollout, Target, Wish};
use fleetlens_model::kind::{Control, DEFAULT_EXPIRY_MS, Kind};
use leptos::prelude::*;

use super::dry_run::Found;
use super::words::{lasts_ms, things};
use crate::components::control::{Draft, Expiry, Input, consequence, verb};
use crate::components::modal::Modal;
use crate::format;
use crate::state::bulk::Seen;
use crate::state::section::Section;
use crate::state::{Store, store};

/// What is composed. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Compose {
    open: RwSignal<bool>,
    target: RwSignal<Option<Target>>,
    /// How many things are meant, as far as the window knows.
    meant: RwSignal<u32>,
    controls: RwSignal<Vec<(Arc<Control>, Vec<Kind>)>>,
}

impl Compose {
    /// Nothing yet.
    pub fn new() -> Compose {
        Compose {
            open: RwSignal::new(false),
            target: RwSignal::new(None),
            meant: RwSignal::new(0),
            controls: RwSignal::new(Vec::new()),
        }
    }

    /// Opens the sheet for these things.
    pub fn begin(self, target: Target, store: Store) {
        let (kinds, meant) = match &target {
            Target::Things(things) => {
                let kinds = store.chosen.things.with_untracked(|chosen| chosen.values().copied().collect());
                (kinds, u32::try_from(things.len()).unwrap_or(u32::MAX))
            }
            Target::Search(search) => {
                let known = store.status.with_untracked(|status| {
                    let kinds = status.as_ref().map(|status| status.row.kinds.iter().map(|(kind, _)| *kind).collect());
                    kinds.unwrap_or_default()
                });
                let kinds: Vec<Kind> = if search.kinds.is_empty() { known } else { search.kinds.clone() };
                (kinds, store.things.total.get_untracked().unwrap_or(0))
            }
        };
        store.ask(Intent::Controls(kinds), move |outcome| {
            // Without an answer any value can be set still.
            let told = if let Ok(Done::Controls(told)) = outcome { told } else { Vec::new() };
            self.controls.try_set(shared(told));
            self.meant.try_set(meant);
            self.target.try_set(Some(target));
            self.open.try_set(true);
        });
    }
}

/// What can be set, each once, with the kinds that have it.
fn shared(told: Vec<(Kind, Vec<Control>)>) -> Vec<(Arc<Control>, Vec<Kind>)> {
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

/// The sheet.
#[component]
pub fn ComposeSheet(
    /// What is composed.
    compose: Compose,
) -> impl IntoView {
    let label = Signal::derive(move || format!("Command {}", things(u64::from(compose.meant.get()))));
    view! {
        <Modal open=compose.open label class="modal bulk-sheet" testid="bulk-sheet">
            <Form compose label />
        </Modal>
    }
}

/// What a number field holds, as text.
type Field = RwSignal<String>;

#[component]
fn Form(compose: Compose, label: Signal<String>) -> impl IntoView {
    let store = store();
    let usual = Rollout::default();
    // Which control; one behind the last is any other value.
    let which = RwSignal::new(0_usize);
    let draft = RwSignal::new(None::<Draft>);
    let (pointer, json): (Field, Field) = (RwSignal::default(), RwSignal::default());
    let expiry_ms = RwSignal::new(None::<u64>);
    let continuous = RwSignal::new(false);
    let run = RwSignal::new(None::<DryRun>);
    let fault = RwSignal::new(None::<Fault>);
    let (busy, confirming) = (RwSignal::new(false), RwSignal::new(false));
    let batch: Field = RwSignal::new(usual.batch.to_string());
    let every: Field = RwSignal::new(usual.every_s.to_string());
    let pct: Field = RwSignal::new(usual.abort_at_pct.unwrap_or(0).to_string());
    let after: Field = RwSignal::new(usual.abort_after.to_string());

    let control =
        Memo::new(move |_| compose.controls.with(|controls| controls.get(which.get()).map(|(one, _)| Arc::clone(one))));
    let wish = move || match control.get_untracked() {
        Some(control) => {
            let json = draft.get_untracked()?.json();
            Some(Wish { pointer: control.pointer.to_string(), value_json: json.to_string() })
        }
        None => {
            let (pointer, value_json) = (pointer.get_untracked(), json.get_untracked());
            (!pointer.trim().is_empty() && !value_json.trim().is_empty())
                .then(|| Wish { pointer: pointer.trim().to_owned(), value_json: value_json.trim().to_owned() })
        }
    };
    // What was found is of another wish as soon as anything of that changes.
    Effect::new(move |_| {
        which.track();
        draft.track();
        pointer.track();
        json.track();
        run.set(None);
        fault.set(None);
        confirming.set(false);
    });
    // What was typed wrong is being mended.
    Effect::new(move |_| {
        [batch, every, pct, after].iter().for_each(Track::track);
        fault.set(None);
    });
    let is_wished = move || {
        control.track();
        draft.track();
        pointer.track();
        json.track();
        untrack(wish).is_some()
    };
    let rollout = move || read_rollout([batch, every, pct, after].map(|field| field.get()));
    let order = move || -> Option<Order> {
        let rollout = untrack(rollout).unwrap_or_default();
        Some(Order {
            target: compose.target.get_untracked()?,
            shadow: String::new(),
            wishes: vec![wish()?],
            expires_in_ms: expiry_ms.get_untracked(),
            rollout,
            continuous: continuous.get_untracked(),
        })
    };
    let look = move |_| {
        let Some(order) = order() else { return };
        busy.set(true);
        fault.set(None);
        let asked = order.wishes.first().cloned();
        store.ask(Intent::DryRun(Box::new(order)), move |outcome| {
            // The sheet may be closed by now, and an answer to an earlier wish is none to this one.
            if busy.try_set(false).is_some() || wish() != asked {
                return;
            }
            match outcome {
                Ok(Done::DryRun(found)) => run.set(Some(*found)),
                Ok(_) => {}
                Err(error) => fault.set(Some(error)),
            }
        });
    };
    let send = move || {
        let Some(order) = order() else { return };
        if let Err(message) = untrack(rollout) {
            confirming.set(false);
            return fault.set(Some(Fault::new(FaultCode::Invalid, message)));
        }
        busy.set(true);
        fault.set(None);
        store.ask(Intent::Bulk(Box::new(order)), move |outcome| {
            busy.try_set(false);
            confirming.try_set(false);
            match outcome {
                Ok(Done::Bulk(bulk)) => {
                    compose.open.try_set(false);
                    store.chosen.clear();
                    store.look_at_bulk(Seen { bulk, failed: false, first: 0 });
                    store.go(Section::Commands);
                }
                Ok(_) => {}
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let changes = move || run.with(|run| run.as_ref().map_or(0, |run| run.changes));
    let asks_first = move || run.with(|run| run.as_ref().is_some_and(|run| run.asks_first));
    let may_grow = move || compose.target.with(|target| matches!(target, Some(Target::Search(_))));
    let can_send = move || !busy.get() && (changes() > 0 || continuous.get() && run.with(Option::is_some));
    let press = move |_| if asks_first() && !confirming.get_untracked() { confirming.set(true) } else { send() };
    let does = move || {
        let verb = control.get().and_then(|control| Some(verb(&control, &draft.get()?)));
        verb.unwrap_or_else(|| format!("Set {}", pointer.get().trim()))
    };
    let asks = move || format!("{} of {}?", does(), things(u64::from(changes())));
    let warns = move || control.get().map(|control| draft.with(|draft| consequence(&control, draft.as_ref())));
    let lasts = move || {
        let ms = rollout().map(|rollout| lasts_ms(changes(), &rollout)).unwrap_or(0);
        if ms == 0 { "All at once.".to_owned() } else { format!("The last one is asked after {}.", format::age(ms)) }
    };
    let own_ms = Signal::derive(move || control.get().map_or(DEFAULT_EXPIRY_MS, |control| control.expiry_ms));
    let options = move || {
        let name = |(control, kinds): &(Arc<Control>, Vec<Kind>)| {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.plural()).collect();
            format!("{} ({})", control.label, kinds.join(", ").to_lowercase())
        };
        let names: Vec<String> = compose.controls.with(|controls| controls.iter().map(name).collect());
        names.into_iter().chain(["Another value…".to_owned()]).enumerate().collect::<Vec<_>>()
    };
    let choose = move |event| {
        draft.set(None);
        which.set(event_target_value(&event).parse().unwrap_or(0));
    };
    view! {
        <h2>{move || label.get()}</h2>
        <label class="field">
            <span>"What"</span>
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
            None => view! { <AnyValue pointer json /> }.into_any(),
        }}
        <div class="answers">
            <button
                type="button"
                class="plain"
                data-testid="dry-run"
                disabled=move || !is_wished() || busy.get()
                on:click=look
            >
                "Dry run"
            </button>
        </div>
        {move || run.get().map(|run| view! { <Found run /> })}
        <Show when=move || run.with(Option::is_some)>
            <fieldset class="rollout">
                <legend>"How fast"</legend>
                <Number label="Things at once" field=batch testid="bulk-batch" />
                <Number label="Every, in seconds" field=every testid="bulk-every" />
                <Number label="Abort at % failed (0: never)" field=pct testid="bulk-abort" />
                <Number label="…once so many finished" field=after testid="bulk-after" />
                <Show when=may_grow>
                    <label class="check">
                        <input
                            type="checkbox"
                            data-testid="bulk-continuous"
                            prop:checked=move || continuous.get()
                            on:change=move |event| continuous.set(event_target_checked(&event))
                        />
                        <span>"Also things that are found later, until somebody stops it"</span>
                    </label>
                </Show>
                <p class="lasts">{lasts} " Each command " <Expiry chosen_ms=expiry_ms own_ms /></p>
            </fieldset>
        </Show>
        {move || {
            fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="bulk-fault">{fault.message}</p> })
        }}
        <Show when=move || confirming.get()>
            <p class="warned" role="alert" data-testid="bulk-asks">{asks} {warns}</p>
        </Show>
        <div class="answers">
            <button type="button" class="plain" data-testid="bulk-cancel" on:click=move |_| compose.open.set(false)>
                "Do nothing"
            </button>
            <button type="button" class="send" data-testid="bulk-send" disabled=move || !can_send() on:click=press>
                {move || if confirming.get() { does() } else { format!("Command {}", things(u64::from(changes()))) }}
            </button>
        </div>
    }
}

/// A leaf that no control sets.
#[component]
fn AnyValue(pointer: Field, json: Field) -> impl IntoView {
    view! {
        <label class="field">
            <span>"JSON pointer"</span>
            <input
                type="text"
                class="text"
                data-testid="bulk-pointer"
                placeholder="/net/apn"
                autocomplete="off"
                spellcheck="false"
                prop:value=pointer
                on:input=move |event| pointer.set(event_target_value(&event))
            />
        </label>
        <label class="field">
            <span>"Value, as JSON"</span>
            <input
                type="text"
                class="text"
                data-testid="bulk-json"
                placeholder="\"city\""
                autocomplete="off"
                spellcheck="false"
                prop:value=json
                on:input=move |event| json.set(event_target_value(&event))
            />
        </label>
    }
}

#[component]
fn Number(label: &'static str, field: Field, testid: &'static str) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="number"
                min="0"
                inputmode="numeric"
                data-testid=testid
                prop:value=field
                on:input=move |event| field.set(event_target_value(&event))
            />
        </label>
    }
}

/// What was typed: batch, seconds, per cent, finished. The error is the sentence for the screen.
fn read_rollout(typed: [String; 4]) -> Result<Rollout, String> {
    let read = |text: &str| text.trim().parse::<u32>().map_err(|_| format!("{text:?} is no whole number"));
    let [batch, every_s, pct, abort_after] = typed;
    let pct = u8::try_from(read(&pct)?).map_err(|_| "it may abort at 1 to 100 % failed".to_owned())?;
    let abort_at_pct = (pct != 0).then_some(pct);
    let rollout =
        Rollout { batch: read(&batch)?, every_s: read(&every_s)?, abort_at_pct, abort_after: read(&abort_after)? };
    rollout.check().map(|()| rollout)
}

#[cfg(test)]
mod tests {
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
    fn what_was_typed_is_a_rollout_or_a_sentence() {
        let typed = |texts: [&str; 4]| read_rollout(texts.map(str::to_owned));
        let want = Rollout { batch: 5, every_s: 2, abort_at_pct: None, abort_after: 1 };
        assert_eq!(typed(["5", " 2 ", "0", "1"]), Ok(want));
        assert_eq!(typed(["5", "2", "20", "1"]).map(|rollout| rollout.abort_at_pct), Ok(Some(20)));
        for (texts, says) in [
            (["x", "2", "0", "1"], "no whole number"),
            (["0", "2", "0", "1"], "a batch is 1 to"),
            (["5", "2", "300", "1"], "1 to 100 %"),
        ] {
            let refused = typed(texts).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
