//! One thing: the drawer over the map and the page of its own, put together from the same parts.

use fleetlens_ipc::rows::ThingHead;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Aged, clock, local, today};
use crate::components::figure::Figure;
use crate::components::icon::Icon;
use crate::components::shadow_table::ShadowView;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::{Slot, Thing};
use crate::views::alarms::cards::AlarmCards;
use crate::views::chart::ChartPanel;
use crate::views::commands::Commands;
use crate::views::jobs::of_thing::JobsOfThing;
use crate::views::json_editor::JsonEditor;
use crate::views::messages::RawMessages;
use crate::views::set_several::SetSeveral;
use crate::views::steer::Controls;
use crate::windows;

/// Name, place, what its last word is worth, and what was made up.
#[component]
pub fn Header(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let clock = clock();
    let head = RwSignal::from(thing.head);
    let read = move |read: fn(&ThingHead) -> String| Memo::new(move |_| head.with(|head| read(&head.row)));
    let title = read(|head| head.title.clone());
    let place = read(|head| format::place(&head.street, &head.area));
    let made_up = read(format::made_up);
    let name = read(|head| head.name.clone());
    let gateway = read(|head| head.gateway.clone());
    let kind = Memo::new(move |_| head.with(|head| head.row.kind));
    let status = Memo::new(move |_| head.with(|head| head.row.status));
    let freshness = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        head.with(|head| sentence(head, now_ms))
    });
    let is_fresh = Memo::new(move |_| head.with(|head| matches!(head.row.freshness, Freshness::Live)));
    view! {
        <div class="who">
            <Shape kind status />
            <div>
                <h1 data-testid="title" title=name>{title}</h1>
                <p class="place">
                    <span data-testid="place">{place}</span>
                    <Show when=move || gateway.with(|gateway| !gateway.is_empty())>
                        <GatewayLink gateway />
                    </Show>
                </p>
                <p class="freshness" class:old=move || !is_fresh.get() data-testid="freshness">{freshness}</p>
                <Show when=move || made_up.with(|words| !words.is_empty())>
                    <p class="made-up" data-testid="made-up">{made_up}</p>
                </Show>
            </div>
        </div>
    }
}

/// Who carries what it says: a thing itself, which may be silent.
#[component]
fn GatewayLink(gateway: Memo<String>) -> impl IntoView {
    let store = store();
    view! {
        <button
            type="button"
            class="link"
            data-testid="gateway"
            title=said("Open the gateway that carries what it says")
            on:click=move |_| store.open_named(&gateway.get_untracked())
        >
            {move || tr!("via {}", gateway.get())}
        </button>
    }
}

fn sentence(head: &Aged<ThingHead>, now_ms: f64) -> String {
    let since = match head.row.freshness {
        Freshness::Silent { since_ms } | Freshness::Unknown { since_ms } => local(since_ms),
        Freshness::Never | Freshness::Live => local(WallMs::default()),
    };
    let heard_age_ms = head.row.heard_age_ms.map(|age_ms| age_ms + head.elapsed_ms(now_ms));
    format::freshness(head.row.freshness, heard_age_ms, &since.short(&today()))
}

/// Every value, as cards.
#[component]
pub fn Figures(
    /// Of which thing.
    thing: Thing,
    /// Which series is charted.
    charted: RwSignal<Option<SeriesKey>>,
) -> impl IntoView {
    let values = RwSignal::from(thing.values);
    let head = RwSignal::from(thing.head);
    let capacity = Memo::new(move |_| head.with(|head| head.row.capacity));
    view! {
        <Show
            when=move || values.with(|values| !values.is_empty())
            fallback=|| view! { <p class="none">{said("It has not said a value yet.")}</p> }
        >
            <div class="figures" data-testid="values">
                <For each=move || values.get() key=|cell| cell.key let:cell>
                    <Figure cell of=capacity charted />
                </For>
            </div>
        </Show>
    }
}

/// Every shadow.
#[component]
pub fn Shadows(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let shadows = RwSignal::from(thing.shadows);
    let head = RwSignal::from(thing.head);
    let kind = Memo::new(move |_| head.with(|head| head.row.kind));
    let key = thing.key;
    view! {
        <div class="shadows">
            <For each=move || shadows.get() key=|cell| cell.key.clone() let:cell>
                <ShadowView thing=key cell kind />
            </For>
        </div>
    }
}

/// The drawer, or the page when it was opened, of the thing that is chosen.
#[component]
pub fn ThingPanel() -> impl IntoView {
    let store = store();
    // Before, the window has no address, or that of what lies behind.
    let is_here = Memo::new(move |_| store.thing.with(|slot| matches!(slot, Slot::Here(_))));
    view! {
        <aside class="panel" class:page=move || store.page.get() class:drawer=move || !store.page.get() data-testid=move || if store.page.get() { "page" } else { "drawer" } aria-label=said("Thing")>
            <div class="tools">
                <button
                    type="button"
                    class="tool"
                    data-testid="copy-link"
                    disabled=move || !is_here.get()
                    title=said("Copy a link to this thing")
                    on:click=move |_| windows::copy_link(store)
                >
                    <Icon of=icondata_lu::LuLink />
                </button>
                <button
                    type="button"
                    class="tool"
                    data-testid="open-window"
                    disabled=move || !is_here.get()
                    title=if store.is_of_app() { said("Open it in a new window") } else { said("Open it in a new tab") }
                    on:click=move |_| windows::open_this(store)
                >
                    <Icon of=icondata_lu::LuExternalLink />
                </button>
                <button
                    type="button"
                    class="tool"
                    data-testid="open-page"
                    aria-pressed=move || store.page.get().to_string()
                    title=move || if store.page.get() { said("Back to the map (Esc)") } else { said("Open its page") }
                    on:click=move |_| store.page.update(|page| *page = !*page)
                >
                    {move || {
                        if store.page.get() {
                            view! { <Icon of=icondata_lu::LuMinimize2 /> }
                        } else {
                            view! { <Icon of=icondata_lu::LuMaximize2 /> }
                        }
                    }}
                </button>
                <button
                    type="button"
                    class="tool"
                    data-testid="close"
                    title=said("Close (Esc)")
                    on:click=move |_| store.close()
                >
                    <Icon of=icondata_lu::LuX />
                </button>
            </div>
            <ThingParts />
        </aside>
    }
}

#[component]
fn ThingParts() -> impl IntoView {
    let store = store();
    move || match store.thing.get() {
        Slot::Closed => ().into_any(),
        Slot::Loading(_) => view! { <Skeleton /> }.into_any(),
        Slot::Missing(key) => view! {
            <div class="missing" data-testid="missing">
                <Icon of=icondata_lu::LuMapPinOff />
                <h1>{said("This thing is not known any more")}</h1>
                <p>{tr!("Nothing of thing {} is left in the cache.", key.0)}</p>
            </div>
        }
        .into_any(),
        Slot::Here(thing) => {
            let charted = RwSignal::new(None);
            view! {
                <div class="parts" data-thing=thing.key.0.to_string()>
                    <Header thing=thing.clone() />
                    <div class="told">
                        <AlarmCards thing=thing.clone() />
                        <Figures thing=thing.clone() charted />
                        <ChartPanel thing=thing.clone() charted />
                    </div>
                    <div class="steered">
                        <Shadows thing=thing.clone() />
                        <Controls thing=thing.clone() />
                        <SetSeveral thing=thing.clone() />
                        <JsonEditor thing=thing.clone() />
                        <Commands thing=thing.clone() />
                        <JobsOfThing thing=thing.clone() />
                        {
                            let thing = StoredValue::new(thing.clone());
                            view! {
                                // The cache keeps what messages said, and not the messages.
                                <Show when=move || !store.replay.is_past()>
                                    <RawMessages thing=thing.get_value() />
                                </Show>
                            }
                        }
                    </div>
                </div>
            }
            .into_any()
        }
    }
}

/// The shape of what is coming.
#[component]
pub fn Skeleton() -> impl IntoView {
    view! {
        <div class="parts skeleton" role="status" aria-label=said("Loading")>
            <div class="bone title" />
            <div class="bone line" />
            <div class="figures">
                <div class="bone card" />
                <div class="bone card" />
                <div class="bone card" />
            </div>
            <div class="bone plot" />
            <div class="bone table" />
        </div>
    }
}
