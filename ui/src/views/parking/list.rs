//! The list of car parks, nearest first, and the switch between classes of spaces.

use fleetlens_ipc::rows::{ParkingRow, Spaces};
use fleetlens_model::id::ThingKey;
use leptos::prelude::*;
use tr::tr;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::lots;
use super::words::{Class, State, Told, tell};
use crate::clock::{Aged, clock, local, today};
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::store;
use crate::views::here::distance;

/// Any, accessible, charging.
#[component]
pub fn ClassSwitch() -> impl IntoView {
    let lots = lots();
    let icon = |class: Class| match class {
        Class::Any => icondata_lu::LuSquareParking,
        Class::Accessible => icondata_lu::LuAccessibility,
        Class::Charging => icondata_lu::LuZap,
    };
    let button = move |class: Class| {
        let is_on = move || lots.class.get() == class;
        view! {
            <button
                type="button"
                class="class"
                class:on=is_on
                data-testid="class"
                data-class=class.word()
                aria-pressed=move || is_on().to_string()
                on:click=move |_| lots.set_class(class)
            >
                <Icon of=icon(class) />
                {class.label()}
            </button>
        }
    };
    view! {
        <div class="classes" role="group" aria-label=said("Spaces you may use")>
            {Class::ALL.map(button).collect_view()}
        </div>
    }
}

/// The car parks, or why there are none.
#[component]
pub fn List() -> impl IntoView {
    let (lots, store) = (lots(), store());
    let is_known = move || store.parking.known.get();
    let is_empty = Memo::new(move |_| lots.shown.with(|shown| shown.0.is_empty()));
    let silent = move || {
        let count = lots.silent.get();
        let words = match lots.class.get() {
            Class::Any => return None,
            Class::Accessible => tr!("1 car park near here says nothing of accessible spaces and are left out."
                | "{n} car parks near here say nothing of accessible spaces and are left out." % count),
            Class::Charging => tr!("1 car park near here says nothing of charging spaces and are left out."
                | "{n} car parks near here say nothing of charging spaces and are left out." % count),
        };
        (count > 0).then_some(words)
    };
    view! {
        <Show when=is_known fallback=|| view! { <Bones /> }>
            <ul class="lot-list" data-testid="lots">
                <For each=move || lots.shown.get().0 key=|cell| cell.key let:cell>
                    <Lot cell />
                </For>
                <Show when=move || silent().is_some()>
                    <li class="none" data-testid="silent-lots">{silent}</li>
                </Show>
            </ul>
            <Show when=move || is_empty.get()>
                <p class="no-lots" data-testid="no-lots">
                    {move || match lots.class.get() {
                        Class::Any => said("No car park is known here."),
                        Class::Accessible => said("No car park near here is known to have accessible spaces."),
                        Class::Charging => said("No car park near here is known to have charging spaces."),
                    }}
                </p>
            </Show>
        </Show>
    }
}

/// The shape of what is coming.
#[component]
fn Bones() -> impl IntoView {
    view! {
        <div class="skeleton lot-bones" role="status" aria-label=said("Looking for car parks")>
            {(0..4).map(|_| view! { <div class="bone" /> }).collect_view()}
        </div>
    }
}

#[component]
fn Lot(cell: Cell<ThingKey, ParkingRow>) -> impl IntoView {
    let (lots, clock, store) = (lots(), clock(), store());
    let (key, row) = (cell.key, RwSignal::from(cell.row));
    let told = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| tell(lots.class.get().of(&row.row), row.elapsed_ms(now_ms), store.link_up.get()))
    });
    let title = Memo::new(move |_| row.with(|row| row.row.title.clone()));
    let far = Memo::new(move |_| {
        let (far, place) = row.with(|row| (distance(f64::from(row.row.distance_m)), row.row.place.clone()));
        if place.is_empty() { far } else { format!("{far} · {place}") }
    });
    let capacity = Memo::new(move |_| row.with(|row| lots.class.get().of(&row.row).capacity));
    let is_open = Memo::new(move |_| lots.chosen.get() == Some(key));
    let item = NodeRef::<leptos::html::Li>::new();
    Effect::new(move |before: Option<bool>| {
        let open = is_open.get();
        if let Some(item) = item.get_untracked().filter(|_| open && before == Some(false)) {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            item.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
        open
    });
    let below = move || match (told.with(|told| told.state), capacity.get()) {
        (State::NoCount, None) => String::new(),
        (State::NoCount, Some(capacity)) => tr!("{} spaces", format::count(u64::from(capacity))),
        (State::Free | State::Full | State::Old, None) => said("free").into(),
        (State::Free | State::Full | State::Old, Some(capacity)) => {
            tr!("of {}", format::count(u64::from(capacity)))
        }
    };
    view! {
        <li
            class="lot"
            class:open=is_open
            class:cached=move || told.with(|told| told.is_cached)
            node_ref=item
            data-testid="lot"
            data-thing=key.0.to_string()
            data-state=move || told.with(|told| told.state.word())
        >
            <button
                type="button"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| lots.choose((!is_open.get_untracked()).then_some(key))
            >
                <span class="lot-count">
                    <b data-testid="lot-count">{move || told.with(|told| told.count.clone())}</b>
                    <small>{below}</small>
                </span>
                <span class="lot-what">
                    <b data-testid="lot-title">{title}</b>
                    <span data-testid="lot-far">{far}</span>
                    <span class="lot-when" data-testid="lot-age">
                        <Show when=move || told.with(|told| told.state == State::Old)>
                            <Icon of=icondata_lu::LuClockAlert />
                        </Show>
                        {move || told.with(when_words)}
                    </span>
                </span>
                {move || {
                    if is_open.get() {
                        view! { <Icon of=icondata_lu::LuChevronUp /> }
                    } else {
                        view! { <Icon of=icondata_lu::LuChevronDown /> }
                    }
                }}
            </button>
            <Show when=move || is_open.get()>
                <Details row />
            </Show>
        </li>
    }
}

/// `counted 20 s ago`; an old count says so.
fn when_words(told: &Told) -> String {
    if told.state == State::Old { tr!("{} · may have changed", told.when()) } else { told.when() }
}

/// Every class with when it was counted, and the way there.
#[component]
fn Details(row: RwSignal<Aged<ParkingRow>>) -> impl IntoView {
    let (clock, store) = (clock(), store());
    let line = move |class: Class, word: &'static str| {
        let spaces = move || row.with(|row| class.of(&row.row).clone());
        let is_there = Memo::new(move |_| class == Class::Any || row.with(|row| class.is_offered(&row.row)));
        let told = Memo::new(move |_| {
            let now_ms = clock.now_ms();
            row.with(|row| tell(class.of(&row.row), row.elapsed_ms(now_ms), store.link_up.get()))
        });
        view! {
            <div
                class="lot-class"
                class:cached=move || told.with(|told| told.is_cached)
                data-testid="lot-class"
                data-class=class.word()
                data-state=move || told.with(|told| told.state.word())
            >
                <dt>{word}</dt>
                <dd>
                    <Show
                        when=move || is_there.get()
                        fallback=move || view! { <span>{row.with(|row| absent(class.of(&row.row)))}</span> }
                    >
                        <b>{move || numbers(&spaces(), &told.get())}</b>
                        <span class="lot-when" title=move || exact(&spaces())>{move || as_of(&spaces(), &told.get())}</span>
                    </Show>
                </dd>
            </div>
        }
    };
    let to = Memo::new(move |_| row.with(|row| (row.row.at, row.row.title.clone())));
    view! {
        <div class="lot-details" data-testid="lot-card">
            <dl>
                {line(Class::Any, said("All spaces"))}
                {line(Class::Accessible, said("Accessible"))}
                {line(Class::Charging, said("Charging"))}
            </dl>
            <Show when=has_maps_app>
                <a class="big primary directions" data-testid="directions" href=move || to.with(|(at, title)| geo(*at, title))>
                    <Icon of=icondata_lu::LuNavigation />
                    {said("Directions")}
                </a>
            </Show>
        </div>
    }
}

fn absent(spaces: &Spaces) -> &'static str {
    if spaces.capacity == Some(0) { said("None here") } else { said("Nothing known") }
}

/// `62 of 1 420 free`, `Full · 1 420 spaces`, `No count · 1 420 spaces`.
fn numbers(spaces: &Spaces, told: &Told) -> String {
    let capacity = spaces.capacity.map(|capacity| format::count(u64::from(capacity)));
    match (&spaces.free, capacity) {
        (Some(free), Some(capacity)) if free.count > 0 => tr!("{free} of {capacity} free", free = told.count, capacity),
        (Some(free), None) if free.count > 0 => tr!("{} free", told.count),
        (Some(_) | None, Some(capacity)) => format!("{} · {}", told.count, tr!("{} spaces", capacity)),
        (Some(_) | None, None) => told.count.clone(),
    }
}

/// `as of 10:41:07, 20 s ago`.
fn as_of(spaces: &Spaces, told: &Told) -> String {
    match &spaces.free {
        Some(free) => format!("{} · {}", tr!("as of {}", local(free.device_ms).seconds(&today())), told.when()),
        None => told.when(),
    }
}

fn exact(spaces: &Spaces) -> String {
    spaces.free.as_ref().map(|free| local(free.device_ms).exact()).unwrap_or_default()
}

/// A place as other programs take it (RFC 5870, with Android's label).
fn geo(at: fleetlens_model::geo::LonLat, title: &str) -> String {
    let label: String = js_sys::encode_uri_component(title).into();
    format!("geo:{0:.6},{1:.6}?q={0:.6},{1:.6}({label})", at.lat_deg, at.lon_deg)
}

/// Whether a `geo:` address leads anywhere: Android's browsers hand it to a map program; elsewhere, and in our own window, it would be a
/// button that does nothing.
fn has_maps_app() -> bool {
    let agent = window().navigator().user_agent().unwrap_or_default();
    let location = window().location();
    let is_web = location.protocol().is_ok_and(|protocol| protocol.starts_with("http"))
        && location.hostname().is_ok_and(|host| host != "tauri.localhost");
    agent.contains("Android") && is_web
}
