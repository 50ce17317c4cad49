//! The sheet on which many things are commanded: what is wanted, what that would do, how fast, and Send.

mod pace;
mod wished;

use fleetlens_ipc::rows::DryRun;
use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
use fleetlens_model::bulk::{Order, Rollout, Target};
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use super::dry_run::Found;
use super::words::lasts_ms;
use crate::components::confirm::Confirm;
use crate::components::control::ExpiryOfMany;
use crate::components::modal::Modal;
use crate::components::patch::Dangers;
use crate::format;
use crate::lang::said;
use crate::state::bulk::Seen;
use crate::state::section::Section;
use crate::state::{Store, store};
use pace::{Pace, PaceFields};
use wished::{Choice, Controls, Wished, shared};

pub use wished::Again;

/// What is composed. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Compose {
    open: RwSignal<bool>,
    target: RwSignal<Option<Target>>,
    /// How many things are meant, as far as the window knows.
    meant: RwSignal<u32>,
    controls: Controls,
    again: RwSignal<Option<Again>>,
}

impl Compose {
    /// Nothing yet.
    pub fn new() -> Compose {
        Compose {
            open: RwSignal::new(false),
            target: RwSignal::new(None),
            meant: RwSignal::new(0),
            controls: RwSignal::new(Vec::new()),
            again: RwSignal::new(None),
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
            self.again.try_set(None);
            self.open.try_set(true);
        });
    }

    /// Opens the sheet for what is asked for again.
    pub fn begin_again(self, again: Again) {
        let meant = if let Target::Things(things) = &again.order.target { things.len() } else { 0 };
        self.meant.try_set(u32::try_from(meant).unwrap_or(u32::MAX));
        self.target.try_set(Some(again.order.target.clone()));
        self.again.try_set(Some(again));
        self.open.try_set(true);
    }
}

/// The sheet.
#[component]
pub fn ComposeSheet(
    /// What is composed.
    compose: Compose,
) -> impl IntoView {
    let label = Signal::derive(move || {
        let things = format::things(u64::from(compose.meant.get()));
        if compose.again.with(Option::is_some) { tr!("Ask {} again", things) } else { tr!("Command {}", things) }
    });
    view! {
        <Modal open=compose.open label class="modal bulk-sheet" testid="bulk-sheet">
            <Form compose label />
        </Modal>
    }
}

#[component]
fn Form(compose: Compose, label: Signal<String>) -> impl IntoView {
    let store = store();
    let again = compose.again.get_untracked();
    let is_again = again.is_some();
    let before = again.as_ref().map(|again| again.order.clone());
    let pace = Pace::of(&before.as_ref().map_or_else(Rollout::default, |order| order.rollout));
    let expiry_ms = RwSignal::new(before.and_then(|order| order.expires_in_ms));
    let wished = Wished::new(compose.controls, again);
    let wanted = wished.wanted;
    let continuous = RwSignal::new(false);
    let run = RwSignal::new(None::<DryRun>);
    let fault = RwSignal::new(None::<Fault>);
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));

    // What was found is of another wish as soon as anything of that changes.
    Effect::new(move |_| {
        wanted.track();
        run.set(None);
        fault.set(None);
    });
    // What was typed wrong is being mended.
    Effect::new(move |_| {
        let _ = pace.read();
        fault.set(None);
    });
    let order = move || -> Option<Order> {
        let (shadow, wishes) = wanted.get_untracked()?;
        let target = compose.target.get_untracked()?;
        let rollout = untrack(|| pace.read()).unwrap_or_default();
        let (expires_in_ms, continuous) = (expiry_ms.get_untracked(), continuous.get_untracked());
        Some(Order { target, shadow, wishes, expires_in_ms, rollout, continuous })
    };
    let look = move || {
        let Some(order) = order() else { return };
        busy.set(true);
        fault.set(None);
        let asked = wanted.get_untracked();
        store.ask(Intent::DryRun(Box::new(order)), move |outcome| {
            // The sheet may be closed by now, and an answer to an earlier wish is none to this one.
            if busy.try_set(false).is_some() || wanted.get_untracked() != asked {
                return;
            }
            match outcome {
                Ok(Done::DryRun(found)) => run.set(Some(*found)),
                Ok(_) => {}
                Err(error) => {
                    run.set(None);
                    fault.set(Some(error));
                }
            }
        });
    };
    if is_again {
        look();
    }
    let send = move || {
        let Some(order) = order() else { return };
        busy.set(true);
        fault.set(None);
        store.ask(Intent::Bulk(Box::new(order)), move |outcome| {
            busy.try_set(false);
            match outcome {
                Ok(Done::Bulk(bulk)) => {
                    compose.open.try_set(false);
                    if !is_again {
                        store.chosen.clear();
                    }
                    store.look_at_bulk(Seen { bulk, failed: false, first: 0 });
                    store.go(Section::Commands);
                }
                Ok(_) => {}
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let changes = move || run.with(|run| run.as_ref().map_or(0, |run| run.changes));
    let asks_first = move || run.with_untracked(|run| run.as_ref().is_some_and(|run| run.asks_first));
    let dangers = Memo::new(move |_| run.with(|run| run.as_ref().map(|run| run.dangers.clone()).unwrap_or_default()));
    let may_grow = move || compose.target.with(|target| matches!(target, Some(Target::Search(_))));
    let can_look = move || wanted.with(Option::is_some) && !busy.get();
    let can_send = move || !busy.get() && (changes() > 0 || continuous.get() && run.with(Option::is_some));
    let press = move |_| match untrack(|| pace.read()) {
        Err(message) => fault.set(Some(Fault::new(FaultCode::Invalid, message))),
        Ok(_) if asks_first() => asking.set(true),
        Ok(_) => send(),
    };
    let whom = move || whom(changes(), continuous.get());
    let asks = Signal::derive(move || wished.asks(&whom()));
    let does = Signal::derive(move || wished.does());
    let lasts = move || {
        let ms = pace.read().map(|rollout| lasts_ms(changes(), &rollout)).unwrap_or(0);
        if ms == 0 { said("All at once.").to_owned() } else { tr!("The last one is asked after {}.", format::age(ms)) }
    };
    let own_ms = Memo::new(move |_| run.with(|run| run.as_ref().and_then(|run| run.own_expiry_ms)));
    view! {
        <h2>{move || label.get()}</h2>
        <Choice wished />
        <div class="answers">
            <button
                type="button"
                class="plain"
                data-testid="dry-run"
                disabled=move || !can_look()
                on:click=move |_| look()
            >
                {said("Dry run")}
            </button>
        </div>
        {move || run.get().map(|run| view! { <Found run /> })}
        <Show when=move || run.with(Option::is_some)>
            <fieldset class="rollout">
                <legend>{said("How fast")}</legend>
                <PaceFields pace />
                <Show when=may_grow>
                    <label class="check">
                        <input
                            type="checkbox"
                            data-testid="bulk-continuous"
                            prop:checked=move || continuous.get()
                            disabled=move || busy.get()
                            on:change=move |event| {
                                continuous.set(event_target_checked(&event));
                                // What joins later may be what is asked about first.
                                look();
                            }
                        />
                        <span>{said("Also things that are found later, until somebody stops it")}</span>
                    </label>
                </Show>
                <p class="lasts">{lasts} {said(" Each command ")} <ExpiryOfMany chosen_ms=expiry_ms own_ms /></p>
            </fieldset>
        </Show>
        {move || {
            fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="bulk-fault">{fault.message}</p> })
        }}
        <div class="answers">
            <button type="button" class="plain" data-testid="bulk-cancel" on:click=move |_| compose.open.set(false)>
                {said("Do nothing")}
            </button>
            <button type="button" class="send" data-testid="bulk-send" disabled=move || !can_send() on:click=press>
                {move || tr!("Command {}", whom())}
            </button>
        </div>
        <Confirm open=asking asks yes=does on_yes=Callback::new(move |()| send())>
            <p>{said("It moves something in the street, or ends what somebody is doing.")}</p>
            <Dangers dangers />
        </Confirm>
    }
}

/// Who is commanded: `6 things`, `6 things and what is found later`.
fn whom(changes: u32, continuous: bool) -> String {
    match (changes, continuous) {
        (0, true) => said("what is found later").to_owned(),
        (_, true) => tr!("{} and what is found later", format::things(u64::from(changes))),
        (_, false) => format::things(u64::from(changes)),
    }
}
