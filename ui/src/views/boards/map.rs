//! A small map of what a query finds. The same map as the large one, with marks of its own.

use std::cell::RefCell;
use std::rc::Rc;

use fleetlens_ipc::boards::Shown;
use fleetlens_ipc::map;
use fleetlens_ipc::rows::TileSet;
use fleetlens_model::board::Shows;
use fleetlens_model::geo::GeoBox;
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use super::widget::{Now, Waits, Wrong};
use crate::components::size::watch_size;
use crate::format;
use crate::islands::arrival::{Frame, Sight};
use crate::islands::map::{Beginning, Covered, MapEars, MapError, MapIsland};
use crate::islands::marks::{Marks, Pointed};
use crate::state::boards::Uid;
use crate::state::layers::Layers;
use crate::state::store;
use crate::theme::theme;
use crate::views::map_view::{Plain, load_plain};
use crate::views::parking::is_driver;

/// Maps that one board draws: each has a graphics context of its own, of which a browser has few.
const MAPS_MAX: usize = 3;

/// How near a pointer must be to a thing, in CSS pixels.
const REACH_PX: f64 = 12.0;

/// How far around a single thing is shown, in degrees.
const AROUND_DEG: f64 = 0.004;

#[component]
pub(super) fn MapOf(uid: Uid, area: Option<GeoBox>, now: Now) -> impl IntoView {
    let store = store();
    let told = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Map { total, .. }) => Some(Ok(*total)),
            Some(Shown::Wrong(why)) => Some(Err(why.clone())),
            Some(_) | None => None,
        })
    });
    let nth = Memo::new(move |_| {
        store.boards.laid.with(|laid| {
            let maps =
                laid.board.widgets.iter().zip(&laid.uids).filter(|(it, _)| matches!(it.shows, Shows::Map { .. }));
            maps.map(|(_, uid)| *uid).position(|one| one == uid)
        })
    });
    let is_one_of_few = Memo::new(move |_| nth.get().is_some_and(|nth| nth < MAPS_MAX));
    // The ground is known as soon as the large map has begun.
    let tiles = Memo::new(move |_| store.ground.with(|ground| ground.as_ref().map(|ground| ground.tiles.clone())));
    let state = Memo::new(move |_| match told.get() {
        Some(Err(why)) => Some(Err(why)),
        Some(Ok(_)) if !is_one_of_few.get() => Some(Err(tr!("a board draws {} maps; this one is one more", MAPS_MAX))),
        Some(Ok(_)) if tiles.with(Option::is_some) => Some(Ok(())),
        Some(Ok(_)) | None => None,
    });
    view! {
        {move || match state.get() {
            None => view! { <Waits /> }.into_any(),
            Some(Err(why)) => view! { <Wrong why /> }.into_any(),
            Some(Ok(())) => {
                let tiles = tiles.get_untracked().unwrap_or_default();
                view! { <Small area tiles now /> }.into_any()
            }
        }}
        <p class="board-basis" data-testid="board-total">
            {move || match told.get() {
                Some(Ok(total)) => tr!(
                    "1 thing with a place" | "{count} things with a place" % total,
                    count = format::count(u64::from(total))
                ),
                Some(Err(_)) | None => String::new(),
            }}
        </p>
    }
}

#[component]
fn Small(area: Option<GeoBox>, tiles: TileSet, now: Now) -> impl IntoView {
    let (store, theme) = (store(), theme());
    let element = NodeRef::<html::Div>::new();
    let marks = StoredValue::new_local(Rc::new(RefCell::new(Marks::default())));
    let island = StoredValue::new_local(None::<MapIsland>);
    let failed = RwSignal::new(None::<String>);
    let without_card = RwSignal::new(None::<Plain>);
    // A person who moved it is not moved on.
    let is_taken = StoredValue::new(false);
    let was_empty = StoredValue::new(true);
    let packed = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Map { packed, .. }) => packed.clone(),
            Some(_) | None => Vec::new(),
        })
    });
    let ground = tiles.bounds.unwrap_or(GeoBox::EARTH);
    let size = RwSignal::new((0, 0));
    watch_size(element, size);
    let driver = is_driver(store);
    Effect::new(move |_| {
        let (Some(element), true) = (element.get(), size.get().0 > 0) else { return };
        let plain = without_card.with(|plain| plain.as_ref().map(|plain| plain.map.clone()));
        if island.with_value(Option::is_some) {
            return;
        }
        let marks = marks.get_value();
        packed.with_untracked(|packed| marks.borrow_mut().replace(packed));
        let of_marks = packed.with_untracked(|packed| bounds(packed));
        was_empty.set_value(of_marks.is_none());
        let (width, height) = size.get_untracked();
        let frame = Frame { width_px: f64::from(width), height_px: f64::from(height), covered: Covered::default() };
        let sight = Sight::of(area.or(of_marks).unwrap_or(ground), frame);
        let beginning = Beginning { sight, tiles: tiles.clone(), reach_px: REACH_PX };
        let ears = MapEars {
            area: Box::new(|_| {}),
            hovered: Box::new(|_, _, _| {}),
            chosen: Box::new(move |pointed, _| match pointed {
                Some(Pointed::Thing(thing)) if !driver.get_untracked() => store.open(thing),
                Some(Pointed::Cluster(cell)) => {
                    island.try_with_value(|island| {
                        if let Some(island) = island {
                            island.open(cell, Covered::default());
                        }
                    });
                }
                Some(Pointed::Thing(_)) | None => {}
            }),
            moved: Box::new(|_| {}),
            taken: Box::new(move || {
                is_taken.try_set_value(true);
            }),
            left: Box::new(|_| {}),
            drawn: Box::new(|_, _| {}),
            // A small map has no names.
            unnamed: Box::new(|_| {}),
            groundless: Box::new(|_| {}),
            failed: Rc::new(move |error| {
                failed.try_set(Some(error.to_string()));
            }),
        };
        match MapIsland::mount(&element, marks, &beginning, ears, plain.as_ref()) {
            Ok(map) => {
                map.show_layers(Layers { names: false, trails: false, ..Layers::default() });
                island.set_value(Some(map));
            }
            Err(MapError::NoWebGl) => load_plain(without_card, failed),
            Err(error) => failed.set(Some(error.to_string())),
        }
    });
    Effect::new(move |_| {
        packed.with(|packed| {
            island.with_value(|island| {
                let Some(island) = island else { return };
                marks.with_value(|marks| marks.borrow_mut().replace(packed));
                // The first things that come are gone to; those that come later move nobody.
                if was_empty.get_value()
                    && let (false, None, Some(of_marks)) = (is_taken.get_value(), area, bounds(packed))
                {
                    was_empty.set_value(false);
                    island.settle(of_marks, Covered::default());
                }
                island.news();
            });
        });
    });
    Effect::new(move |before: Option<()>| {
        theme.follow();
        if before.is_some() {
            island.with_value(|island| island.iter().for_each(MapIsland::recolour));
        }
    });
    Effect::new(move |_| {
        if size.get().0 > 0 {
            island.with_value(|island| island.iter().for_each(MapIsland::resize));
        }
    });
    on_cleanup(move || {
        island.try_update_value(|island| {
            if let Some(map) = island.take() {
                map.remove();
            }
        });
    });
    view! {
        <div class="board-map" data-testid="board-map">
            <div class="board-ground" node_ref=element />
            {move || failed.get().map(|why| view! { <Wrong why /> })}
        </div>
    }
}

/// The box of packed rows; `None` of none.
fn bounds(packed: &[u8]) -> Option<GeoBox> {
    let mut all: Option<GeoBox> = None;
    for row in map::read(packed) {
        let (lon, lat) = (row.at.lon_deg, row.at.lat_deg);
        all = Some(match all {
            None => GeoBox { west_deg: lon, south_deg: lat, east_deg: lon, north_deg: lat },
            Some(all) => GeoBox {
                west_deg: all.west_deg.min(lon),
                south_deg: all.south_deg.min(lat),
                east_deg: all.east_deg.max(lon),
                north_deg: all.north_deg.max(lat),
            },
        });
    }
    all.map(|all| GeoBox {
        west_deg: all.west_deg - AROUND_DEG,
        south_deg: all.south_deg - AROUND_DEG,
        east_deg: all.east_deg + AROUND_DEG,
        north_deg: all.north_deg + AROUND_DEG,
    })
}
