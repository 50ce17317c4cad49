//! The things near here, nearest first: what a technician stands before, from the cache when there is no signal.

use fleetlens_ipc::rows::ThingRow;
use fleetlens_ipc::{Only, SortBy, ThingsQuery};
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Aged, clock};
use crate::components::segmented::Segmented;
use crate::components::shape::Shape;
use crate::format::{self, Tone};
use crate::lang::said;
use crate::state::store;
use crate::state::things::{RowSlot, Seen};
use crate::views::find::finder;
use crate::views::here::{Here, HereLine, distance};

/// How many things the list shows: what is within a walk, and more than a thumb scrolls through.
const SHOWN: u32 = 40;

/// The list.
#[component]
pub fn NearList(
    /// Near what.
    here: Here,
    /// The way to the map, which lies elsewhere.
    to_map: Callback<()>,
) -> impl IntoView {
    let store = store();
    let only = RwSignal::new(Only::All);
    Effect::new(move |_| {
        let (Some(at), only) = (here.at.get(), only.get()) else { return };
        let sort = SortBy::Distance(at);
        store.look_at_things(ThingsQuery { only, sort, ..ThingsQuery::default() });
        store.see_things(Seen { first: 0, count: SHOWN });
    });
    on_cleanup(move || store.look_away_from_things());
    let total = store.things.total;
    let slots = move || {
        let slots = store.things.slots.get();
        slots.into_iter().enumerate().take(usize::try_from(SHOWN).unwrap_or(0)).collect::<Vec<_>>()
    };
    let options = vec![
        (Only::All, said("All").to_owned()),
        (Only::Alarmed, said("With an alarm").to_owned()),
        (Only::Silent, said("Silent").to_owned()),
    ];
    view! {
        <div class="near" data-testid="near">
            <HereLine here to_map />
            <Segmented
                label=said("Which things")
                options
                chosen=Signal::derive(move || Some(only.get()))
                on_choose=Callback::new(move |which| only.set(which))
            />
            <Show when=move || total.get() == Some(0)>
                <p class="no-lots" data-testid="near-none">
                    {move || match only.get() {
                        Only::All | Only::Pending => said("Nothing is known yet. Things appear here as soon as they speak."),
                        Only::Alarmed => said("Nothing here has an open alarm."),
                        Only::Silent => said("Everything speaks as often as it should."),
                    }}
                </p>
            </Show>
            <Show when=move || total.get().is_none() && here.at.get().is_none()>
                <p class="no-lots">{said("Near needs the map or your position, and neither is here. Find by name instead.")}</p>
            </Show>
            <ul class="near-list">
                <For each=slots key=|(place, _)| *place let:item>
                    <NearItem of=item.1 />
                </For>
            </ul>
        </div>
    }
}

#[component]
fn NearItem(of: ArcRwSignal<RowSlot>) -> impl IntoView {
    let (store, finder, clock) = (store(), finder(), clock());
    let slot = RwSignal::from(of);
    let is_there = Memo::new(move |_| slot.with(|slot| slot.place.is_some()));
    let row = Memo::new(move |_| slot.with(|slot| slot.row.clone()));
    let read = move |read: fn(&ThingRow) -> String| {
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| read(&row.row)).unwrap_or_default()))
    };
    let thing = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.row.thing)));
    let kind = Memo::new(move |_| row.with(|row| row.as_ref().map_or(Kind::Other, |row| row.row.kind)));
    let status = Memo::new(move |_| row.with(|row| row.as_ref().map_or(1, |row| row.row.status)));
    let title = read(|row| row.title.clone());
    let place = read(|row| row.place.clone());
    let alarm = read(|row| row.alarm.clone());
    let pending = read(|row| if row.pending == 0 { String::new() } else { tr!("{} waiting", row.pending) });
    let far = read(|row| row.distance_m.map(|metres| distance(f64::from(metres))).unwrap_or_default());
    let value = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| row.as_ref().and_then(|row| value_words(row, now_ms, store.link_up.get())))
    });
    view! {
        <Show when=move || is_there.get()>
            <li class:asked=move || thing.get().is_none()>
                <button
                    type="button"
                    data-testid="near-row"
                    data-thing=move || thing.get().map(|thing| thing.0.to_string())
                    on:click=move |_| {
                        if let Some(thing) = thing.get_untracked() {
                            store.open(thing);
                            finder.chosen.update(|times| *times += 1);
                        }
                    }
                >
                    <Shape kind status />
                    <span class="near-what">
                        <b>{title}</b>
                        <span class="place">{place}</span>
                        <Show when=move || alarm.with(|alarm| !alarm.is_empty())>
                            <span class="near-alarm">{alarm}</span>
                        </Show>
                        <Show when=move || pending.with(|pending| !pending.is_empty())>
                            <span class="near-pending">{pending}</span>
                        </Show>
                    </span>
                    <span class="near-worth">
                        <b data-testid="near-far">{far}</b>
                        {move || {
                            value
                                .get()
                                .map(|(number, age, tone)| {
                                    view! {
                                        <span class="near-value" data-tone=tone.word()>
                                            {number}
                                            <small>{age}</small>
                                        </span>
                                    }
                                })
                        }}
                    </span>
                </button>
            </li>
        </Show>
    }
}

/// The main value with its unit, its age line and how that is meant.
fn value_words(row: &Aged<ThingRow>, now_ms: f64, link_up: bool) -> Option<(String, String, Tone)> {
    let value = row.row.value.as_ref()?;
    let age_ms = value.age_ms.saturating_add(row.elapsed_ms(now_ms));
    let (age, tone) = format::age_line(value, age_ms, link_up);
    let number = format::value(&value.value, value.decimals);
    let number = if value.unit.is_empty() { number } else { format!("{number}\u{a0}{}", format::known(&value.unit)) };
    Some((number, age, tone))
}
