//! How MapLibre is set up.

use fleetlens_ipc::rows::TileSet;
use fleetlens_model::geo::{GeoBox, LonLat};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use super::super::maplibre;
use super::Beginning;
use crate::bridge;

/// The farthest that a person can go away: the whole earth fills the largest screen.
const FAR_ZOOM: f64 = 1.0;

/// The nearest: a house fills the screen.
const NEAR_ZOOM: f64 = 19.0;

/// The options of a new map.
pub(super) fn options(at: &HtmlElement, beginning: &Beginning) -> JsValue {
    let options = Object::new();
    set(&options, "container", at);
    set(&options, "style", &maplibre::style(&bridge::tiles_address(), &tile_set(&beginning.tiles)));
    set(&options, "center", &lng_lat(beginning.sight.center));
    set(&options, "zoom", &beginning.sight.zoom.into());
    set(&options, "minZoom", &FAR_ZOOM.into());
    set(&options, "maxZoom", &NEAR_ZOOM.into());
    // North is up and we look from straight above: marks, hits and labels count on it.
    // With Shift a person chooses things (views/map_view/choose.rs).
    for off in ["boxZoom", "dragRotate", "pitchWithRotate", "touchPitch", "rollEnabled", "renderWorldCopies"] {
        set(&options, off, &false.into());
    }
    set(&options, "maxPitch", &0.0.into());
    let attribution = Object::new();
    set(&attribution, "compact", &true.into());
    set(&options, "attributionControl", &attribution);
    set(&options, "fadeDuration", &(if wants_less_motion() { 0.0 } else { 120.0 }).into());
    options.into()
}

/// What a map without WebGL is made with: the same, and where its pictures are.
pub(super) fn plain_options(at: &HtmlElement, beginning: &Beginning) -> JsValue {
    let options = Object::new();
    set(&options, "container", at);
    // A map of pictures is shown as it is; of any other the host draws some.
    let pictures =
        if beginning.tiles.raster_px.is_some() { bridge::tiles_address() } else { bridge::pictures_address() };
    set(&options, "pictures", &pictures.into());
    set(&options, "set", &tile_set(&beginning.tiles));
    set(&options, "center", &lng_lat(beginning.sight.center));
    set(&options, "zoom", &beginning.sight.zoom.into());
    set(&options, "minZoom", &FAR_ZOOM.into());
    set(&options, "maxZoom", &NEAR_ZOOM.into());
    options.into()
}

/// As `islands-js/base_map.js` wants it.
fn tile_set(tiles: &TileSet) -> JsValue {
    let known = Object::new();
    if let Some(GeoBox { west_deg, south_deg, east_deg, north_deg }) = tiles.bounds {
        let bounds = [west_deg, south_deg, east_deg, north_deg].map(JsValue::from_f64);
        set(&known, "bounds", &bounds.into_iter().collect::<Array>());
    }
    set(&known, "minzoom", &f64::from(tiles.min_zoom).into());
    set(&known, "maxzoom", &f64::from(tiles.max_zoom).into());
    set(&known, "attribution", &tiles.attribution.as_str().into());
    set(&known, "builtIn", &tiles.built_in.into());
    if let Some(side_px) = tiles.raster_px {
        set(&known, "rasterPx", &f64::from(side_px).into());
    }
    known.into()
}

/// A position as MapLibre takes it.
pub(super) fn lng_lat(at: LonLat) -> JsValue {
    [at.lon_deg, at.lat_deg].map(JsValue::from_f64).into_iter().collect::<Array>().into()
}

/// Sets a property.
pub(super) fn set(of: &Object, name: &str, value: &JsValue) {
    // Cannot fail: a plain object takes any property.
    let _ = Reflect::set(of, &name.into(), value);
}

/// Whether the system asks for less motion.
pub(super) fn wants_less_motion() -> bool {
    let query =
        web_sys::window().and_then(|window| window.match_media("(prefers-reduced-motion: reduce)").ok().flatten());
    query.is_some_and(|query| query.matches())
}
