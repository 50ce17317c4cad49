//! Choosing things on the map: a box or a line by hand around them, or everything in the picture, which the keyboard reaches as well; and
//! what can be done with what is chosen.

use std::collections::BTreeMap;

use fleetlens_model::bulk::{THINGS_MAX, Target};
use fleetlens_model::kind::Kind;
use leptos::ev::{self, PointerEvent};
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::kinds::counted;
use super::screen::MapScreen;
use crate::components::icon::Icon;
use crate::format;
use crate::islands::map::MapIsland;
use crate::islands::outline::{Outline, Tool};
use crate::lang::said;
use crate::later::{InTime, Later};
use crate::state::section::Section;
use crate::state::store;
use crate::views::bulk::compose::Compose;
use crate::views::commands::may_command;

/// The tools and the sheet on which is drawn. With Shift held a box is drawn at any time, around more.
#[component]
pub fn ChooseOnMap(
    /// The map that is drawn on.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let tool = store.map_tool;
    let drawn = RwSignal::new(None::<Outline>);
    let shift = RwSignal::new(false);
    let heard = [
        window_event_listener(ev::keydown, move |event| {
            match event.key().as_str() {
                "Shift" => shift.set(true),
                // What is half drawn chooses nothing.
                "Escape" => drawn.set(None),
                _ => {}
            }
        }),
        window_event_listener(ev::keyup, move |event| {
            if event.key() == "Shift" {
                shift.set(false);
            }
        }),
    ];
    // Nobody tells which keys are let go of elsewhere.
    let left = window_event_listener(ev::blur, move |_| shift.set(false));
    on_cleanup(move || heard.into_iter().chain([left]).for_each(|ear| ear.remove()));
    let on_map = Memo::new(move |_| store.section.get() == Section::Map);
    let draws =
        Memo::new(move |_| on_map.get() && (tool.get().is_some() || shift.get() || drawn.with(Option::is_some)));

    let begin = move |event: PointerEvent| {
        // A second finger begins nothing.
        if event.button() != 0 || drawn.with_untracked(Option::is_some) {
            return;
        }
        event.prevent_default();
        if let Some(sheet) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
            // Fails only for a pointer that is gone already.
            let _ = sheet.set_pointer_capture(event.pointer_id());
        }
        let tool = tool.get_untracked().unwrap_or(Tool::Box);
        drawn.set(Some(Outline::begin(tool, place_of(&event))));
    };
    let go = move |event: PointerEvent| {
        if drawn.with_untracked(Option::is_some) {
            drawn.update(|drawn| {
                if let Some(outline) = drawn {
                    outline.go(place_of(&event));
                }
            });
        }
    };
    let end = move |event: PointerEvent| {
        let Some(outline) = drawn.get_untracked() else { return };
        drawn.set(None);
        let adds = event.shift_key();
        if !outline.is_click() {
            choose(screen, adds, |x, y| outline.holds(x, y));
        } else if adds {
            turn(screen, place_of(&event));
        }
    };
    // The marks show what is chosen, wherever it was chosen.
    Effect::new(move |_| {
        let picked = store.chosen.things.get();
        store.marks().borrow_mut().pick(picked);
        screen.with(MapIsland::repaint);
    });
    view! {
        <div
            class="choosing"
            class:draws=move || draws.get()
            data-testid="choosing"
            on:pointerdown=begin
            on:pointermove=go
            on:pointerup=end
            on:pointercancel=move |_| drawn.set(None)
        >
            {move || {
                drawn.with(|drawn| drawn.as_ref().map(|outline| view! {
                    <svg aria-hidden="true">
                        <polygon points=outline.points() />
                    </svg>
                }))
            }}
        </div>
    }
}

/// How it is chosen, as buttons.
#[component]
pub fn ChooseTools(
    /// The map that is drawn on.
    screen: MapScreen,
) -> impl IntoView {
    let tool = store().map_tool;
    let button = move |of: Tool, icon: icondata_core::Icon, label: &'static str, testid: &'static str| {
        let is_on = move || tool.get() == Some(of);
        let turn = move |_| tool.update(|tool| *tool = if *tool == Some(of) { None } else { Some(of) });
        view! {
            <button
                type="button"
                title=label
                aria-label=label
                aria-pressed=move || is_on().to_string()
                class:on=is_on
                data-testid=testid
                on:click=turn
            >
                <Icon of=icon />
            </button>
        }
    };
    view! {
        <div class="zoom tools" role="group" aria-label=said("Choose things")>
            {button(Tool::Box, icondata_lu::LuSquareDashedMousePointer, said("Choose by a box (or hold Shift and drag)"), "choose-box")}
            {button(Tool::Lasso, icondata_lu::LuLassoSelect, said("Choose by a line around them"), "choose-lasso")}
            <button
                type="button"
                title=said("Choose everything in the picture")
                aria-label=said("Choose everything in the picture")
                data-testid="choose-picture"
                on:click=move |_| choose(screen, false, |_, _| true)
            >
                <Icon of=icondata_lu::LuScan />
            </button>
        </div>
    }
}

/// What is chosen, and what can be done with it.
#[component]
pub fn ChosenOnMap() -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let compose = Compose::new();
    let on_map = Memo::new(move |_| store.section.get() == Section::Map);
    let is_any = Memo::new(move |_| may.get() && on_map.get() && store.chosen.target().is_some());
    let words = move || match store.chosen.target() {
        Some(Target::Things(_)) => store.chosen.things.with(words_of),
        Some(Target::Search(_)) => said("All of a search chosen").to_owned(),
        None => String::new(),
    };
    let too_many = Memo::new(move |_| store.chosen.things.with(BTreeMap::len) > THINGS_MAX);
    let begin = move |_| {
        if let Some(target) = untrack(|| store.chosen.target()) {
            compose.begin(target, store);
        }
    };
    view! {
        <Show when=move || is_any.get()>
            <div class="chosen-on-map" role="group" aria-label=said("What is chosen") data-testid="chosen-on-map">
                <p role="status">
                    {words}
                    <Show when=move || too_many.get()>
                        <span class="too-many">{tr!("at most {} can be commanded at once", format::count(THINGS_MAX as u64))}</span>
                    </Show>
                </p>
                <button type="button" class="link" data-testid="map-choose-none" on:click=move |_| store.chosen.clear()>
                    {said("Choose none")}
                </button>
                <button type="button" class="plain" data-testid="map-to-table" on:click=move |_| store.go(Section::Things)>
                    {said("Things")}
                </button>
                <button type="button" class="send" data-testid="map-command" disabled=move || too_many.get() on:click=begin>
                    {said("Command…")}
                </button>
            </div>
        </Show>
        <InTime view=Later::Compose { compose } />
    }
}

/// Chooses the shown things at places of which this is true; besides what is chosen already, or instead.
fn choose(screen: MapScreen, adds: bool, holds: impl Fn(f64, f64) -> bool) {
    let store = store();
    let Some(camera) = screen.camera.get_untracked() else { return };
    let in_picture = |x: f64, y: f64| camera.shows((x, y), 0.0) && holds(x, y);
    let found = store.marks().borrow().within(&camera, in_picture);
    store.chosen.all.set(None);
    store.chosen.things.update(|things| {
        if !adds {
            things.clear();
        }
        things.extend(found);
    });
    store.map_tool.set(None);
}

/// How near a pointer must be to a thing, in CSS pixels.
const REACH_PX: f64 = 8.0;

/// Chooses the thing at a point as well, or takes it out again.
fn turn(screen: MapScreen, (x, y): (f64, f64)) {
    let store = store();
    let Some(camera) = screen.camera.get_untracked() else { return };
    let near = |at_x: f64, at_y: f64| (at_x - x).hypot(at_y - y) <= REACH_PX;
    let found = store.marks().borrow().within(&camera, near);
    store.chosen.all.set(None);
    store.chosen.things.update(|things| {
        for (thing, kind) in found {
            if things.remove(&thing).is_none() {
                things.insert(thing, kind);
            }
        }
    });
}

fn place_of(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}

/// `128 chosen: 100 lamps, 28 bins`; the kind of which there are most comes first.
fn words_of(things: &BTreeMap<fleetlens_model::id::ThingKey, Kind>) -> String {
    let mut kinds: Vec<(Kind, u64)> = Kind::ALL.map(|kind| (kind, 0)).to_vec();
    for kind in things.values() {
        if let Some((_, count)) = kinds.iter_mut().find(|(known, _)| known == kind) {
            *count += 1;
        }
    }
    kinds.retain(|(_, count)| *count > 0);
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let of = |(kind, count): &(Kind, u64)| counted(*kind, *count);
    let kinds = kinds.iter().map(of).collect::<Vec<_>>().join(", ");
    tr!("{all} chosen: {kinds}", all = format::count(things.len() as u64), kinds = kinds)
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::ThingKey;

    use super::*;

    #[test]
    fn what_is_chosen_is_told_by_kind() {
        let of = |kinds: &[Kind]| (1..).map(ThingKey).zip(kinds.iter().copied()).collect::<BTreeMap<_, _>>();
        assert_eq!(words_of(&of(&[Kind::Bin, Kind::Lamp, Kind::Lamp])), "3 chosen: 2 lamps, 1 bin");
        assert_eq!(words_of(&of(&[Kind::Parking])), "1 chosen: 1 car park");
    }
}
