//! The alarms on the phone: one card each, worst first, with buttons for gloves. They come from the cache when there is no signal.

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::id::AlarmId;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::still::Still;
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::store;
use crate::views::alarms::acknowledge::{AcknowledgeDialog, Asked, Desk, may_acknowledge};
use crate::views::alarms::cards::AlarmCard;
use crate::views::alarms::silence::SilenceButton;
use crate::views::find::finder;

/// How far down the list one must be for it to hold still, in CSS pixels.
const IN_IT_PX: i32 = 8;

/// How many cards the list shows, and how many more a press adds: more than a thumb scrolls through.
const SHOWN: usize = 60;

/// The list.
#[component]
pub fn AlarmTab() -> impl IntoView {
    let store = store();
    store.follow_alarms(AlarmScope::Open);
    let list = store.alarms.open;
    let still = Still::of(list.cells);
    let (desk, may) = (Desk::new(), may_acknowledge(store));
    let box_ = NodeRef::<leptos::html::Div>::new();
    let unseen = Memo::new(move |_| {
        let of = |cell: &Cell<AlarmId, AlarmRow>| {
            cell.row.with(|row| row.row.acknowledged.is_none().then(|| Asked::of(&row.row)))
        };
        still.shown.get().iter().filter_map(of).collect::<Vec<_>>()
    });
    let most = RwSignal::new(SHOWN);
    let shown = move || {
        let mut cells = still.shown.get();
        cells.truncate(most.get());
        cells
    };
    let more = Memo::new(move |_| still.shown.with(Vec::len).saturating_sub(most.get()));
    let is_empty = Memo::new(move |_| still.shown.with(Vec::is_empty));
    // Who reads further down must not have the list pushed away below the thumb.
    let scrolled = move |_| {
        if let Some(list) = box_.get_untracked() {
            let inside = list.scroll_top() > IN_IT_PX;
            if still.inside.get_untracked() != inside {
                still.inside.set(inside);
            }
        }
    };
    let to_top = move |_| {
        still.let_in();
        most.set(SHOWN);
        if let Some(list) = box_.get_untracked() {
            list.set_scroll_top(0);
        }
    };
    view! {
        <header class="tab-head">
            <h1>{said("Alarms")}</h1>
            <SilenceButton />
            <Show when=move || may.get() && unseen.with(|unseen| unseen.len() > 1)>
                <button type="button" class="plain" data-testid="acknowledge-all" on:click=move |_| desk.ask(unseen.get_untracked())>
                    {move || tr!("Acknowledge all {}", format::count(unseen.with(Vec::len) as u64))}
                </button>
            </Show>
        </header>
        <Show when=move || still.fresh.get() != 0>
            <button type="button" class="new-alarms" data-testid="alarms-new" on:click=to_top>
                {move || tr!("{} new", still.fresh.get())}
            </button>
        </Show>
        <div class="alarm-stack" node_ref=box_ on:scroll=scrolled>
            <Show when=move || list.known.get() && is_empty.get()>
                <p class="no-lots" data-testid="alarms-none">{said("Nothing needs a person.")}</p>
            </Show>
            <For each=shown key=|cell| cell.key let:cell>
                <Item cell desk />
            </For>
            <Show when=move || more.get() != 0>
                <button type="button" class="more-alarms" data-testid="alarms-more" on:click=move |_| most.update(|most| *most += SHOWN)>
                    {move || tr!("and {} more", format::count(more.get() as u64))}
                </button>
            </Show>
        </div>
        <AcknowledgeDialog desk />
    }
}

#[component]
fn Item(cell: Cell<AlarmId, AlarmRow>, desk: Desk) -> impl IntoView {
    let (store, finder) = (store(), finder());
    let row = RwSignal::from(cell.row.clone());
    let thing = Memo::new(move |_| row.with(|row| row.row.thing));
    let place = Memo::new(move |_| {
        row.with(|row| match row.row.place.is_empty() {
            true => row.row.thing_title.clone(),
            false => format!("{} · {}", row.row.thing_title, row.row.place),
        })
    });
    view! {
        <div class="alarm-item">
            <AlarmCard cell desk />
            <button
                type="button"
                class="alarm-thing"
                data-testid="alarm-open"
                on:click=move |_| {
                    store.open(thing.get_untracked());
                    finder.chosen.update(|times| *times += 1);
                }
            >
                <span>{place}</span>
                <Icon of=icondata_lu::LuChevronRight />
            </button>
        </div>
    }
}
