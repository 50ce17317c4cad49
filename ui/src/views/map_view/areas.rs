//! Areas that rules name, drawn by hand: a button, a panel with what is drawn and what there is, and corners that can be dragged. Clicks
//! that add corners come from the map itself, so that it is moved as always meanwhile.

mod panel;
mod sheet;

use fleetlens_model::alarm::fence::Shape;
use fleetlens_model::geo::LonLat;
use leptos::prelude::*;

pub use self::panel::AreaPanel;
pub use self::sheet::AreaSheet;
use super::screen::MapScreen;
use crate::components::icon::Icon;
use crate::islands::mercator::local;
use crate::islands::over::Area;
use crate::lang::said;
use crate::state::areas::{Drawing, ring};
use crate::state::{Store, store};

/// How near a click must be to the corner before it to be no new one, in CSS pixels: the second one of a double click.
const SAME_PX: f64 = 5.0;

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
                title=said("Draw an area")
                aria-label=said("Draw an area")
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
