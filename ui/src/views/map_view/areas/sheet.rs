//! What is drawn, over the map: its line, and corners that are dragged or moved by keys.

use fleetlens_model::geo::LonLat;
use leptos::ev::{self, KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::super::screen::MapScreen;
use crate::islands::mercator::{local, place};
use crate::lang::said;
use crate::state::areas::Drawing;
use crate::state::section::Section;
use crate::state::{Store, store};

/// How far an arrow key moves a corner, in CSS pixels.
const STEP_PX: f64 = 8.0;

/// The line and the corners of what is drawn, over the map.
#[component]
pub fn AreaSheet(
    /// The map that is drawn on.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let sheet = NodeRef::<html::Div>::new();
    let pointer = RwSignal::new(None::<(f64, f64)>);
    let on_map = Memo::new(move |_| store.section.get() == Section::Map);
    let is_drawn = Memo::new(move |_| on_map.get() && desk.drawing.with(Option::is_some));
    let is_open = Memo::new(move |_| desk.drawing.with(|drawing| drawing.as_ref().is_some_and(|one| !one.closed)));
    let here = move |x: i32, y: i32| {
        let frame = sheet.get_untracked()?.get_bounding_client_rect();
        Some((f64::from(x) - frame.left(), f64::from(y) - frame.top()))
    };
    let heard = window_event_listener(ev::keydown, move |event| {
        if is_drawn.get_untracked() && is_open.get_untracked() {
            typed(store, &event);
        }
    });
    let moved = window_event_listener(ev::pointermove, move |event| {
        if is_drawn.get_untracked() && is_open.get_untracked() {
            pointer.set(here(event.client_x(), event.client_y()));
        }
    });
    on_cleanup(move || {
        heard.remove();
        moved.remove();
    });
    Effect::new(move |_| {
        if let Some(map) = sheet.get().and_then(|sheet| sheet.parent_element()) {
            close_by_double_click(&map, store);
        }
    });
    let count = Memo::new(move |_| desk.drawing.with(|drawing| drawing.as_ref().map_or(0, |one| one.corners.len())));
    let edges = Memo::new(move |_| if is_open.get() { count.get().saturating_sub(1) } else { count.get() });
    let points = move || {
        let corners = desk.drawing.with(|drawing| drawing.as_ref().map(|one| one.corners.clone())).unwrap_or_default();
        let mut at: Vec<(f64, f64)> = corners.into_iter().filter_map(|corner| screen.project(corner)).collect();
        if is_open.get() && !at.is_empty() {
            at.extend(pointer.get());
        }
        at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let is_wrong = Memo::new(move |_| {
        desk.drawing.with(|drawing| drawing.as_ref().is_some_and(|one| one.closed && one.mistake(&[]).is_some()))
    });
    view! {
        <div class="area-sheet" node_ref=sheet data-testid="area-sheet">
            <Show when=move || is_drawn.get()>
                <svg class="area-line" class:area-wrong=move || is_wrong.get() aria-hidden="true">
                    <polygon points=points />
                </svg>
                <div role="group" aria-label=said("Corners of the area")>
                    <For each=move || 0..count.get() key=|nth| *nth let:nth>
                        <Corner nth count screen sheet />
                    </For>
                    <For each=move || 0..edges.get() key=|nth| *nth let:nth>
                        <Middle nth screen sheet />
                    </For>
                </div>
            </Show>
        </div>
    }
}

/// Keys while corners are added. Escape is everybody's (`crate::keys`).
fn typed(store: Store, event: &KeyboardEvent) {
    let tag = event.target().and_then(|target| target.dyn_into::<Element>().ok()).map(|element| element.tag_name());
    let key = event.key();
    let is_its_own = match tag.as_deref() {
        Some("INPUT" | "TEXTAREA" | "SELECT") => true,
        // Enter presses them.
        Some("BUTTON" | "A" | "SUMMARY") => key == "Enter",
        _ => false,
    };
    if is_its_own {
        return;
    }
    match key.as_str() {
        "Enter" => store.areas.change(Drawing::close),
        "Backspace" => store.areas.change(Drawing::take_back),
        _ => return,
    }
    event.prevent_default();
}

/// Before the map hears of it, which would come closer.
fn close_by_double_click(map: &Element, store: Store) {
    let ear = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let desk = store.areas;
        // Buttons and words over the map are not the map.
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_on_map = target.is_some_and(|at| at.closest(".map-canvas, .area-sheet").is_ok_and(|map| map.is_some()));
        if is_on_map && desk.drawing.try_with_untracked(Option::is_some) == Some(true) {
            event.stop_propagation();
            event.prevent_default();
            desk.change(Drawing::close);
        }
    });
    // Fails only for an element that is gone.
    let _ = map.add_event_listener_with_callback_and_bool("dblclick", ear.into_js_value().unchecked_ref(), true);
}

/// Where the pointer is on the map.
fn under(event: &PointerEvent, screen: MapScreen, sheet: NodeRef<html::Div>) -> Option<LonLat> {
    let frame = sheet.get_untracked()?.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()) - frame.left(), f64::from(event.client_y()) - frame.top());
    screen.camera.with_untracked(|camera| camera.as_ref().map(|camera| place(camera.unproject(x, y))))
}

fn hold(event: &PointerEvent) {
    event.prevent_default();
    if let Some(handle) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
        // Fails only for a pointer that is gone already.
        let _ = handle.set_pointer_capture(event.pointer_id());
    }
}

/// A corner: dragged, moved by the arrow keys, taken away by Delete. While the area is open the first one closes it.
#[component]
fn Corner(nth: usize, count: Memo<usize>, screen: MapScreen, sheet: NodeRef<html::Div>) -> impl IntoView {
    let desk = store().areas;
    let dragged = RwSignal::new(false);
    let at = move || desk.drawing.with(|drawing| drawing.as_ref().and_then(|one| one.corners.get(nth).copied()));
    let px = move |read: fn((f64, f64)) -> f64| {
        at().and_then(|at| screen.project(at)).map(|at| format!("{:.1}px", read(at)))
    };
    let closes = move || {
        nth == 0 && desk.drawing.with(|one| one.as_ref().is_some_and(|one| !one.closed && one.corners.len() >= 3))
    };
    // Where the corner was just put lies its handle, which the second click of a double click meets.
    let is_last = move || {
        desk.drawing.with(|one| {
            one.as_ref().is_some_and(|one| !one.closed && one.corners.len() >= 3 && nth + 1 == one.corners.len())
        })
    };
    let moved = RwSignal::new(false);
    let label = move || match closes() {
        true => said("Corner 1; press to close the area").to_owned(),
        false if count.get() <= 3 => {
            tr!("Corner {nth} of {count}; arrow keys move it", nth = nth + 1, count = count.get())
        }
        false => {
            tr!("Corner {nth} of {count}; arrow keys move it, Delete takes it away", nth = nth + 1, count = count.get())
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let step = if event.shift_key() { 1.0 } else { STEP_PX };
        let (right, down) = match event.key().as_str() {
            "ArrowLeft" => (-step, 0.0),
            "ArrowRight" => (step, 0.0),
            "ArrowUp" => (0.0, -step),
            "ArrowDown" => (0.0, step),
            "Delete" => {
                event.prevent_default();
                desk.change(|drawing| drawing.remove(nth));
                return;
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        let there = untrack(at).and_then(|at| {
            screen.camera.with_untracked(|camera| {
                let camera = camera.as_ref()?;
                let (x, y) = camera.project(local(at));
                Some(place(camera.unproject(x + right, y + down)))
            })
        });
        if let Some(there) = there {
            desk.change(|drawing| drawing.put(nth, there));
        }
    };
    let go = move |event: PointerEvent| {
        if dragged.get_untracked()
            && let Some(there) = under(&event, screen, sheet)
        {
            moved.set(true);
            desk.change(|drawing| drawing.put(nth, there));
        }
    };
    view! {
        <button
            type="button"
            class="area-corner"
            data-testid="area-corner"
            aria-label=label
            style:left=move || px(|at| at.0)
            style:top=move || px(|at| at.1)
            on:pointerdown=move |event: PointerEvent| {
                if event.button() == 0 && !untrack(closes) {
                    hold(&event);
                    dragged.set(true);
                    moved.set(false);
                }
            }
            on:pointermove=go
            on:pointerup=move |_| dragged.set(false)
            on:pointercancel=move |_| dragged.set(false)
            on:click=move |_| {
                if untrack(closes) || untrack(is_last) && !moved.get_untracked() {
                    desk.change(Drawing::close);
                }
            }
            on:keydown=on_key
        />
    }
}

/// The middle of an edge: dragged, it becomes a corner. The keyboard adds corners in the list of them.
#[component]
fn Middle(nth: usize, screen: MapScreen, sheet: NodeRef<html::Div>) -> impl IntoView {
    let desk = store().areas;
    let dragged = RwSignal::new(false);
    let at = move || desk.drawing.with(|drawing| drawing.as_ref().and_then(|one| one.middle(nth)));
    let px = move |read: fn((f64, f64)) -> f64| {
        at().and_then(|at| screen.project(at)).map(|at| format!("{:.1}px", read(at)))
    };
    let begin = move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        let mut is_split = false;
        desk.change(|drawing| is_split = drawing.split(nth));
        if is_split {
            hold(&event);
            dragged.set(true);
        }
    };
    let go = move |event: PointerEvent| {
        if dragged.get_untracked()
            && let Some(there) = under(&event, screen, sheet)
        {
            desk.change(|drawing| drawing.put(nth + 1, there));
        }
    };
    view! {
        <span
            class="area-middle"
            aria-hidden="true"
            data-testid="area-middle"
            style:left=move || px(|at| at.0)
            style:top=move || px(|at| at.1)
            on:pointerdown=begin
            on:pointermove=go
            on:pointerup=move |_| dragged.set(false)
            on:pointercancel=move |_| dragged.set(false)
        />
    }
}
