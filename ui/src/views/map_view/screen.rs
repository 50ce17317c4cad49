//! What parts of the window beside the map need of it: where its camera is, where somebody tapped, and a way to go somewhere.

use fleetlens_model::geo::LonLat;
use leptos::prelude::*;

use crate::islands::map::{Covered, MapIsland};
use crate::islands::mercator::{Camera, local, place};

/// The map as others see it. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct MapScreen {
    /// The camera, in each picture of a motion; `None` while there is no map.
    pub camera: RwSignal<Option<Camera>>,
    /// Where bare ground was chosen last.
    pub tapped: RwSignal<Option<LonLat>>,
    /// Where there is no map: the middle of what it would show.
    pub(super) unmapped: RwSignal<Option<LonLat>>,
    /// Rises with each map that is put into its element.
    pub(super) mounted: RwSignal<u32>,
    pub(super) island: StoredValue<Option<MapIsland>, LocalStorage>,
}

impl MapScreen {
    /// A map that is still to come.
    pub fn new() -> MapScreen {
        MapScreen {
            camera: RwSignal::new(None),
            tapped: RwSignal::new(None),
            unmapped: RwSignal::new(None),
            mounted: RwSignal::new(0),
            island: StoredValue::new_local(None),
        }
    }

    /// Where a place is in the picture, CSS pixels from the map's upper left; `None` while there is no map. Tracked.
    pub fn project(self, at: LonLat) -> Option<(f64, f64)> {
        self.camera.with(|camera| camera.as_ref().map(|camera| camera.project(local(at))))
    }

    /// The middle of the picture, or of what it would be of where there can be none.
    pub fn middle(self) -> Option<LonLat> {
        self.camera.with(|camera| camera.as_ref().map(|camera| place(camera.center))).or_else(|| self.unmapped.get())
    }

    /// Whether it is known that there can be no map. Tracked.
    pub fn is_unmapped(self) -> bool {
        self.unmapped.with(Option::is_some)
    }

    /// Puts a place into the middle of the free part, at least at this zoom.
    pub fn go(self, at: LonLat, zoom: f64, covered: Covered) {
        self.with(|map| map.go(at, map.camera().zoom.max(zoom), covered));
    }

    /// Does something with the map, if there is one.
    pub(super) fn with(self, act: impl FnOnce(&MapIsland)) {
        self.island.try_with_value(|map| {
            if let Some(map) = map {
                act(map);
            }
        });
    }
}

/// The map beside this part of the window.
pub fn map_screen() -> MapScreen {
    expect_context()
}
