//! The map on the page: the island, the card at the pointer, the kinds that are shown, and what stands in its place when there
//! is no WebGL or nothing to show.

use fleetlens_ipc::rows::{LinkState, ThingHead};
use fleetlens_model::kind::Kind;
use leptos::html;
use leptos::prelude::*;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::form::{Form, form};
use crate::format;
use crate::islands::map::{Covered, MapEars, MapIsland};
use crate::state::thing::Slot;
use crate::state::{Store, store};
use crate::theme::theme;

/// How long the pointer rests on a thing before its card is asked for.
const DWELL: Duration = Duration::from_millis(90);

/// What lies over the map while a thing is chosen: the drawer, or the phone's find box and the round top of its sheet.
fn covered(form: Form) -> Covered {
    match form {
        Form::Desktop => Covered { top_px: 48.0, right_px: 416.0, bottom_px: 0.0 },
        Form::Phone => Covered { top_px: 70.0, right_px: 0.0, bottom_px: 48.0 },
    }
}

type Island = StoredValue<Option<MapIsland>, LocalStorage>;

/// The map.
#[component]
pub fn MapView() -> impl IntoView {
    let (store, form, theme) = (store(), form(), theme());
    let element = NodeRef::<html::Div>::new();
    let island: Island = StoredValue::new_local(None);
    let failed = RwSignal::new(None::<String>);
    let pointer = RwSignal::new((0.0, 0.0));

    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        match MapIsland::mount(&element, store.marks(), form.reach_px(), ears(store, form, pointer, failed)) {
            Ok(map) => island.set_value(Some(map)),
            Err(error) => failed.set(Some(format::capital(&error.to_string()))),
        }
        follow_size(&element, island);
    });
    Effect::new(move |_| {
        store.marks_changed.get();
        with(island, MapIsland::repaint);
    });
    Effect::new(move |before: Option<()>| {
        theme.get();
        if before.is_some() {
            with(island, MapIsland::recolour);
        }
    });
    reveal_chosen(store, form, island);
    watch_live(store);

    view! {
        <div class="map" data-testid="map">
            <div class="map-canvas" node_ref=element />
            <HoverCard pointer />
            <Show when=move || failed.with(Option::is_none) && form == Form::Desktop>
                <div class="zoom">
                    <button type="button" title="Closer (+)" aria-label="Closer" on:click=move |_| with(island, |map| map.zoom(true))>
                        <Icon of=icondata_lu::LuPlus />
                    </button>
                    <button type="button" title="Further (−)" aria-label="Further" on:click=move |_| with(island, |map| map.zoom(false))>
                        <Icon of=icondata_lu::LuMinus />
                    </button>
                </div>
            </Show>
            {move || {
                failed
                    .get()
                    .map(|words| {
                        view! {
                            <div class="no-map" role="alert" data-testid="no-map">
                                <Icon of=icondata_lu::LuMapPinOff />
                                <h2>"No map here"</h2>
                                <p>{words}</p>
                            </div>
                        }
                    })
            }}
            <Empty />
        </div>
    }
}

fn ears(store: Store, form: Form, pointer: RwSignal<(f64, f64)>, failed: RwSignal<Option<String>>) -> MapEars {
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let under = StoredValue::new(None);
    let hovered = move |thing, x_px, y_px| {
        if form == Form::Phone || under.get_value() == thing {
            return;
        }
        under.set_value(thing);
        pointer.set((x_px, y_px));
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
        if thing.is_none() {
            store.hover(None);
        } else {
            resting.set_value(set_timeout_with_handle(move || store.hover(thing), DWELL).ok());
        }
    };
    MapEars {
        area: Box::new(move |area| store.look_at_area(area)),
        hovered: Box::new(hovered),
        chosen: Box::new(move |thing| match thing {
            Some(thing) => store.open(thing),
            None if form == Form::Phone => store.close(),
            None => {}
        }),
        drawn: Box::new(move |count| tell_drawn(store, count)),
        failed: Rc::new(move |error| failed.set(Some(format::capital(&error.to_string())))),
    }
}

/// What tests and `cargo xtask run` wait for: how many marks the last picture held.
fn tell_drawn(store: Store, count: usize) {
    if !store.map_known.get_untracked() {
        return;
    }
    if store.map_drawn.get_untracked() != Some(count) {
        store.map_drawn.set(Some(count));
    }
}

/// Sets `data-things` and, once a picture with something known was drawn, `data-live` on the page; tells the host when it is a
/// picture of a connected city.
fn watch_live(store: Store) {
    let told = StoredValue::new(false);
    Effect::new(move |_| {
        let (Some(count), Some(root)) = (store.map_drawn.get(), document().document_element()) else { return };
        // Cannot fail: these are names of attributes.
        let _ = root.set_attribute("data-things", &count.to_string());
        if count > 0 || store.link_up.get() {
            let _ = root.set_attribute("data-live", "true");
        }
        if count > 0 && store.link_up.get() && !told.get_value() {
            told.set_value(true);
            store.tell_drawn(count);
        }
    });
}

/// Brings the chosen thing into the free part of the map once it is known where it stands.
fn reveal_chosen(store: Store, form: Form, island: Island) {
    Effect::new(move |before: Option<Option<_>>| {
        let shown = store.thing.with(|slot| match slot {
            Slot::Here(thing) => Some((thing.key, thing.head.with_untracked(|head| head.row.at))),
            Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
        });
        let key = shown.map(|(key, _)| key);
        if let Some((_, Some(at))) = shown
            && before.flatten() != key
        {
            with(island, |map| map.reveal(at, covered(form)));
        }
        key
    });
}

fn with(island: Island, act: impl FnOnce(&MapIsland)) {
    island.try_with_value(|map| {
        if let Some(map) = map {
            act(map);
        }
    });
}

fn follow_size(element: &web_sys::HtmlDivElement, island: Island) {
    let ear = Closure::<dyn Fn()>::new(move || with(island, MapIsland::resize)).into_js_value();
    if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
        watching.observe(element);
    }
}

/// Name, place and a word of freshness, beside the pointer.
#[component]
fn HoverCard(pointer: RwSignal<(f64, f64)>) -> impl IntoView {
    let store = store();
    let shown = Memo::new(move |_| store.hovered.with(|hovered| hovered.as_ref().map(|hovered| hovered.row.clone())));
    view! {
        {move || {
            shown
                .get()
                .map(|head: ThingHead| {
                    let (x_px, y_px) = pointer.get_untracked();
                    let (left, up) = near_edge(x_px, y_px);
                    let word = format::freshness_word(head.freshness);
                    view! {
                        <div
                            class="hover-card"
                            class:left=left
                            class:up=up
                            data-testid="hover"
                            style:left=format!("{x_px}px")
                            style:top=format!("{y_px}px")
                        >
                            <Shape kind=head.kind status=head.status />
                            <div>
                                <b>{head.title.clone()}</b>
                                <span>{format::place(&head.street, &head.area)}</span>
                                <span class="word">{word}</span>
                            </div>
                        </div>
                    }
                })
        }}
    }
}

/// Whether the card would be cut by the right or the lower edge of the window.
fn near_edge(x_px: f64, y_px: f64) -> (bool, bool) {
    let size = |read: Result<JsValue, JsValue>| read.ok().and_then(|size| size.as_f64());
    let (width, height) = (size(window().inner_width()).unwrap_or(0.0), size(window().inner_height()).unwrap_or(0.0));
    (x_px + 360.0 > width, y_px + 180.0 > height)
}

/// Which kinds the map shows, with how many there are.
#[component]
pub fn KindChips() -> impl IntoView {
    let store = store();
    let kinds = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()).unwrap_or_default())
    });
    view! {
        <div class="chips" role="group" aria-label="Kinds on the map">
            <For each=move || kinds.get() key=|(kind, _)| *kind let:item>
                <Chip kind=item.0 kinds />
            </For>
        </div>
    }
}

#[component]
fn Chip(kind: Kind, kinds: Memo<Vec<(Kind, u32)>>) -> impl IntoView {
    let store = store();
    let is_shown = Memo::new(move |_| store.hidden.with(|hidden| !hidden.contains(&kind)));
    let count =
        move || kinds.with(|kinds| kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count));
    view! {
        <button
            type="button"
            class="chip"
            class:on=move || is_shown.get()
            data-testid="chip"
            data-kind=kind.word()
            aria-pressed=move || is_shown.get().to_string()
            on:click=move |_| store.show(kind, !is_shown.get_untracked())
        >
            <Shape kind status=0u8 />
            {kind.plural()}
            <span class="count">{move || format::count(u64::from(count()))}</span>
        </button>
    }
}

/// What stands over the map while there is nothing on it.
#[component]
fn Empty() -> impl IntoView {
    let store = store();
    let words = Memo::new(move |_| {
        store.status.with(|status| {
            let status = &status.as_ref()?.row;
            (status.things == 0).then(|| match &status.link {
                LinkState::Starting | LinkState::Connecting { .. } => (
                    "Nothing is known yet",
                    format!(
                        "Trying to reach {}. Things appear as soon as they speak, and stay when the link is lost.",
                        status.broker
                    ),
                ),
                LinkState::Up { .. } => (
                    "Listening",
                    format!("{} has said nothing yet that is a thing. The first one appears by itself.", status.broker),
                ),
            })
        })
    });
    view! {
        {move || {
            words
                .get()
                .map(|(title, sentence)| {
                    view! {
                        <div class="empty" role="status" data-testid="empty">
                            <Icon of=icondata_lu::LuRadio />
                            <h2>{title}</h2>
                            <p>{sentence}</p>
                        </div>
                    }
                })
        }}
    }
}
