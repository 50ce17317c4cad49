//! What says that there is no base map where one looks: only lines of latitude and longitude.

use fleetlens_ipc::rows::TileSet;
use fleetlens_model::geo::LonLat;
use leptos::prelude::*;

use super::screen::MapScreen;
use crate::lang::said;
use crate::state::store;

/// From here on one looks at a town or less; from farther away the world's outlines are map enough.
const NEAR_ZOOM: f64 = 5.5;

/// Whether tiles show nothing of a place at a zoom.
fn is_beyond(tiles: &TileSet, at: LonLat, zoom: f64) -> bool {
    let is_outside = tiles.bounds.is_some_and(|bounds| !bounds.contains(at));
    zoom >= NEAR_ZOOM && (is_outside || zoom < f64::from(tiles.min_zoom))
}

/// The words while the middle of the picture lies beyond the map's tiles.
#[component]
pub fn BareNote(
    /// The map.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let is_bare = Memo::new(move |_| {
        let (Some(middle), Some(zoom)) = (screen.middle(), screen.camera.with(|camera| camera.map(|c| c.zoom))) else {
            return false;
        };
        store.ground.with(|ground| ground.as_ref().is_some_and(|ground| is_beyond(&ground.tiles, middle, zoom)))
    });
    view! {
        <Show when=move || is_bare.get()>
            <p class="bare-note" role="status" data-testid="bare-note">
                {said("No map data here; things are placed by their coordinates.")}
            </p>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::GeoBox;

    use super::*;

    #[test]
    fn it_is_said_where_the_tiles_end_and_not_where_one_sees_countries() {
        let malta = GeoBox { west_deg: 14.15, south_deg: 35.78, east_deg: 14.6, north_deg: 36.1 };
        let tiles = |bounds, min_zoom| TileSet { bounds, min_zoom, max_zoom: 14, ..TileSet::default() };
        let (valletta, helsinki) = (LonLat { lon_deg: 14.5, lat_deg: 35.9 }, LonLat { lon_deg: 24.9, lat_deg: 60.2 });
        for (name, tiles, at, zoom, want) in [
            ("on the tiles", tiles(Some(malta), 6), valletta, 14.0, false),
            ("beyond them", tiles(Some(malta), 6), helsinki, 11.0, true),
            ("from afar", tiles(Some(malta), 6), helsinki, 4.0, false),
            ("farther than they go", tiles(Some(malta), 10), valletta, 8.0, true),
            ("nobody said where they end", tiles(None, 0), helsinki, 11.0, false),
        ] {
            assert_eq!(is_beyond(&tiles, at, zoom), want, "{name}");
        }
    }
}
