//! Areas that rules name, drawn by hand: a button, a panel with what is drawn and what there is, and corners that can be dragged. Clicks
//! that add corners come from the map itself, so that it is moved as always meanwhile.

use fleetlens_ipc::maps::AreaRow;
use fleetlens_model::alarm::fence::Shape;
use fleetlens_model::geo::LonLat;
use leptos::ev::{self, KeyboardEvent, PointerEvent, SubmitEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::screen::MapScreen;
use crate::components::confirm::Confirm;
use crate::components::icon::Icon;
use crate::islands::map::{Covered, MapIsland};
use crate::islands::mercator::{local, place};
use crate::islands::over::Area;
use crate::state::areas::{Drawing, box_of, corners_of, ring};
use crate::state::section::Section;
use crate::state::{Store, store};

/// How near a click must be to the corner before it to be no new one, in CSS pixels: the second one of a double click.
const SAME_PX: f64 = 5.0;

/// How far an arrow key moves a corner, in CSS pixels.
const STEP_PX: f64 = 8.0;

/// Adds a corner where the map was clicked; false where nothing is drawn.
pub(super) fn clicked(store: Store, screen: MapScreen, at: LonLat) -> bool {
    let desk = store.areas;
    // A drawing that nobody sees takes no clicks.
    if !desk.open.get_untracked() {
        return false;
    }
    let Some(last) = desk.drawing.with_untracked(|drawing| drawing.as_ref().map(|one| one.corners.last().copied()))
    else {
        return false;
    };
    let is_same = last.is_some_and(|last| {
        screen.camera.with_untracked(|camera| {
            let Some(camera) = camera else { return false };
            let ((x1, y1), (x2, y2)) = (camera.project(local(last)), camera.project(local(at)));
            (x1 - x2).hypot(y1 - y2) < SAME_PX
        })
    });
    if !is_same {
        desk.change(|drawing| drawing.add(at));
    }
    true
}

/// Has the map show the areas there are, but the one that is being changed.
pub(super) fn show(store: Store, screen: MapScreen) {
    // Who changes roles changes what may be changed.
    let known = Memo::new(move |_| {
        let role = store.status.with(|status| status.as_ref().map(|status| status.row.who.role));
        (store.begun.get(), role)
    });
    Effect::new(move |_| {
        let Some(role) = known.get().1 else { return };
        if !role.may_command() {
            store.areas.put_down();
        }
        match role.sees_everything() {
            true => store.read_areas(),
            false => store.areas.forget(),
        }
    });
    let shown = Memo::new(move |_| {
        let changed = store.areas.drawing.with(|drawing| drawing.as_ref().and_then(|one| one.replaces.clone()));
        store.areas.book.with(|book| {
            let areas = book.areas.iter().filter(|row| Some(&row.name) != changed.as_ref());
            areas.map(|row| (row.name.clone(), row.shape.clone())).collect::<Vec<_>>()
        })
    });
    Effect::new(move |_| {
        screen.mounted.track();
        let area = |(name, shape): (String, Shape)| Area { name, ring: ring(&shape).into_iter().map(local).collect() };
        let areas: Vec<Area> = shown.get().into_iter().map(area).collect();
        screen.with(|map| map.show_areas(areas));
    });
}

/// The button.
#[component]
pub fn AreaTool() -> impl IntoView {
    let desk = store().areas;
    let is_on = move || desk.open.get();
    let turn = move |_| {
        if desk.open.get_untracked() {
            desk.drawing.set(None);
            desk.open.set(false);
        } else if desk.book.with_untracked(|book| book.locked.is_none()) {
            desk.draw(Drawing::default());
        } else {
            desk.open.set(true);
        }
    };
    view! {
        <div class="zoom area-tool">
            <button
                type="button"
                title="Draw an area"
                aria-label="Draw an area"
                aria-expanded=move || is_on().to_string()
                aria-controls="area-panel"
                class:on=is_on
                data-testid="area-tool"
                on:click=turn
            >
                <Icon of=icondata_lu::LuPentagon />
            </button>
        </div>
    }
}

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
                <div role="group" aria-label="Corners of the area">
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
        true => "Corner 1; press to close the area".to_owned(),
        false if count.get() <= 3 => format!("Corner {} of {}; arrow keys move it", nth + 1, count.get()),
        false => format!("Corner {} of {}; arrow keys move it, Delete takes it away", nth + 1, count.get()),
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

/// What is drawn and what there is.
#[component]
pub fn AreaPanel(
    /// The map that is drawn on.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let is_shown = Memo::new(move |_| desk.open.get() && store.section.get() == Section::Map);
    let is_drawing = Memo::new(move |_| desk.drawing.with(Option::is_some));
    let locked = Memo::new(move |_| desk.book.with(|book| book.locked.clone()));
    let shut = move |_| {
        desk.drawing.set(None);
        desk.step_back();
    };
    view! {
        <Show when=move || is_shown.get()>
            <section id="area-panel" class="area-panel" aria-label="Areas" data-testid="area-panel">
                <div class="area-head">
                    <h2>{move || head_words(desk.drawing.with(|one| one.as_ref().map(|one| one.replaces.clone())))}</h2>
                    <button type="button" class="area-shut" aria-label="Close" title="Close (Esc)" on:click=shut>
                        <Icon of=icondata_lu::LuX />
                    </button>
                </div>
                {move || locked.get().map(|why| view! {
                    <p class="area-note" data-testid="area-locked">{format!("{}. Copy the profile to draw areas in it.", crate::format::capital(&why))}</p>
                })}
                <Show when=move || is_drawing.get()>
                    <AreaForm />
                </Show>
                <p class="area-said" role="status" data-testid="area-said">{move || desk.said.get()}</p>
                {move || desk.wrong.get().map(|why| view! {
                    <p class="fault area-fault" role="alert" data-testid="area-fault">{why}</p>
                })}
                <AreaList screen locked />
            </section>
        </Show>
    }
}

fn head_words(drawn: Option<Option<String>>) -> String {
    match drawn {
        None => "Areas".to_owned(),
        Some(None) => "New area".to_owned(),
        Some(Some(name)) => format!("Change {name}"),
    }
}

/// The name, the corners as coordinates, and what is wrong.
#[component]
fn AreaForm() -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let written = RwSignal::new(None::<String>);
    let misread = RwSignal::new(None::<String>);
    let read = move |read: fn(&Drawing) -> String| {
        Memo::new(move |_| desk.drawing.with(|drawing| drawing.as_ref().map(read).unwrap_or_default()))
    };
    let (name, text) = (read(|one| one.name.clone()), read(Drawing::text));
    let hint = Memo::new(move |_| {
        desk.drawing
            .with(|drawing| drawing.as_ref().map(|one| hint_words(one.corners.len(), one.closed)).unwrap_or_default())
    });
    let mistake = Memo::new(move |_| {
        let told = desk.drawing.with(|drawing| desk.book.with(|book| drawing.as_ref()?.mistake(&book.areas)));
        misread.get().or(told)
    });
    let is_ready = Memo::new(move |_| {
        let is_ready = desk
            .drawing
            .with(|drawing| desk.book.with(|book| drawing.as_ref().is_some_and(|one| one.is_ready(&book.areas))));
        is_ready && misread.with(Option::is_none) && !desk.busy.get()
    });
    let write = move |event| {
        let words: String = event_target_value(&event);
        match corners_of(&words) {
            Ok(corners) => {
                misread.set(None);
                desk.change(|drawing| {
                    drawing.closed = corners.len() >= 3;
                    drawing.corners = corners;
                });
            }
            Err(why) => misread.set(Some(why)),
        }
        written.set(Some(words));
    };
    let rest = move |_| {
        if misread.with_untracked(Option::is_none) {
            written.set(None);
        }
    };
    // Who goes on by hand has done with what was written.
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        let is_ours = written.with_untracked(|words| {
            words.as_deref().is_some_and(|words| {
                corners_of(words).is_ok_and(|corners| Drawing { corners, ..Drawing::default() }.text() == now)
            })
        });
        if before.is_some_and(|before| before != now) && !is_ours {
            written.set(None);
            misread.set(None);
        }
        now
    });
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        if is_ready.get_untracked() {
            store.keep_area();
        }
    };
    view! {
        <form class="area-form" novalidate on:submit=save>
            <p class="area-note" role="status" data-testid="area-hint">{hint}</p>
            <label class="field">
                <span>"Name"</span>
                <input
                    type="text"
                    autocomplete="off"
                    data-testid="area-name"
                    prop:value=name
                    on:input=move |event| {
                        let words = event_target_value(&event);
                        desk.change(|drawing| drawing.name = words);
                    }
                />
            </label>
            <label class="field area-corners">
                <span>"Corners: degrees north, east; one a line"</span>
                <textarea
                    rows="5"
                    spellcheck="false"
                    data-testid="area-corners"
                    prop:value=move || written.get().unwrap_or_else(|| text.get())
                    on:input=write
                    on:blur=rest
                />
            </label>
            {move || mistake.get().map(|why| view! {
                <p class="fault area-fault" role="status" data-testid="area-mistake">{why}</p>
            })}
            <p class="area-note">"Saving begins the profile anew: delays and windows of time of its rules start again."</p>
            <div class="answers">
                <button type="button" class="plain" data-testid="area-cancel" on:click=move |_| desk.drawing.set(None)>
                    "Cancel"
                </button>
                <button type="submit" class="send" data-testid="area-save" disabled=move || !is_ready.get()>
                    "Save area"
                </button>
            </div>
        </form>
    }
}

fn hint_words(corners: usize, closed: bool) -> &'static str {
    match (corners, closed) {
        (_, true) => "Drag a corner, or the middle of an edge for one more.",
        (0, false) => "Click its corners on the map, or write them below.",
        (1 | 2, false) => "Go on around the area. Backspace takes the last corner back, Esc ends.",
        (_, false) => {
            "Enter, a double click or the first corner closes it. Backspace takes the last corner back, Esc ends."
        }
    }
}

/// The areas of the profile.
#[component]
fn AreaList(screen: MapScreen, locked: Memo<Option<String>>) -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let asked = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let question = Signal::derive(move || format!("Delete the area {}?", asked.get().unwrap_or_default()));
    let is_drawing = Memo::new(move |_| desk.drawing.with(Option::is_some));
    let rows = Memo::new(move |_| desk.book.with(|book| book.areas.clone()));
    let remove = move |()| {
        if let Some(name) = asked.get_untracked() {
            store.remove_area(name);
        }
    };
    let ask = Callback::new(move |name: String| {
        asked.set(Some(name));
        open.set(true);
    });
    view! {
        <Show when=move || !is_drawing.get()>
            <Show when=move || rows.with(Vec::is_empty)>
                <p class="area-note">"This profile has no areas. Rules speak of one by its name: inside(\"harbour\")."</p>
            </Show>
            <ul class="area-list">
                <For each=move || rows.get() key=|row| format!("{row:?}") let:row>
                    <AreaLine row screen locked ask />
                </For>
            </ul>
            <Show when=move || locked.with(Option::is_none)>
                <button type="button" class="plain" data-testid="area-new" on:click=move |_| desk.draw(Drawing::default())>
                    <Icon of=icondata_lu::LuPlus />
                    "Draw an area"
                </button>
            </Show>
        </Show>
        <Confirm open asks=question yes="Delete it" no="Keep it" on_yes=Callback::new(remove)>
            <p>"It is taken out of the profile's file, which begins the profile anew. What the file held before is kept beside it."</p>
        </Confirm>
    }
}

#[component]
fn AreaLine(row: AreaRow, screen: MapScreen, locked: Memo<Option<String>>, ask: Callback<String>) -> impl IntoView {
    let desk = store().areas;
    let about = about_words(&row);
    let (name, drawing) = (row.name.clone(), Drawing::of(&row).filter(|_| row.drawn));
    let line = ring(&row.shape);
    let show = move |_| {
        if let Some(area) = box_of(&line) {
            screen.with(|map: &MapIsland| map.show(area, Covered::default()));
        }
    };
    let (of_show, of_change, of_delete) = (name.clone(), name.clone(), name.clone());
    let named = StoredValue::new(name.clone());
    let drawing = StoredValue::new(drawing);
    view! {
        <li class="area-row" data-testid="area-row" data-area=name.clone()>
            <div>
                <button type="button" class="link area-name" aria-label=format!("Show {of_show} on the map") on:click=show>
                    {name.clone()}
                </button>
                <span>{about}</span>
            </div>
            {move || locked.with(Option::is_none).then(|| {
                let (of_change, of_delete) = (of_change.clone(), of_delete.clone());
                view! {
                    {drawing.with_value(Option::is_some).then(|| view! {
                        <button
                            type="button"
                            class="link"
                            data-testid="area-change"
                            aria-label=format!("Change {of_change}")
                            on:click=move |_| {
                                if let Some(drawing) = drawing.get_value() {
                                    desk.draw(drawing);
                                }
                            }
                        >
                            "Change"
                        </button>
                    })}
                    <button
                        type="button"
                        class="link"
                        data-testid="area-delete"
                        aria-label=format!("Delete {of_delete}")
                        on:click=move |_| ask.run(named.get_value())
                    >
                        "Delete"
                    </button>
                }
            })}
        </li>
    }
}

/// `4 corners · named by astray`.
fn about_words(row: &AreaRow) -> String {
    let shape = match &row.shape {
        Shape::Polygon(corners) => format!("{} corners", corners.len()),
        Shape::Circle { radius_m, .. } => format!("a circle of {radius_m} m"),
    };
    match row.rules.as_slice() {
        [] => format!("{shape} · no rule names it"),
        [rule] => format!("{shape} · named by {rule}"),
        [rule, more @ ..] => format!("{shape} · named by {rule} and {} more", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_told_with_the_rules_that_name_it() {
        let mut row = AreaRow {
            name: "quay".into(),
            shape: Shape::Circle { middle: LonLat { lon_deg: 14.5, lat_deg: 35.9 }, radius_m: 300.0 },
            margin_m: 20.0,
            drawn: false,
            rules: Vec::new(),
        };
        assert_eq!(about_words(&row), "a circle of 300 m · no rule names it");
        row.rules = vec!["astray".into(), "late".into()];
        assert_eq!(about_words(&row), "a circle of 300 m · named by astray and 1 more");
    }

    #[test]
    fn the_next_step_is_told() {
        assert!(hint_words(0, false).starts_with("Click its corners"));
        assert!(hint_words(3, false).contains("double click"));
        assert!(hint_words(3, true).starts_with("Drag"));
    }
}
