//! The little of MapLibre GL JS that the map needs, as it is.

use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

#[wasm_bindgen(raw_module = "./vendor/maplibre-gl/maplibre-gl.mjs")]
unsafe extern "C" {
    /// Tells MapLibre where its worker is; it cannot derive that under `tauri:`.
    #[wasm_bindgen(js_name = setWorkerUrl)]
    pub fn set_worker_url(url: &str);

    /// The map.
    #[derive(Clone, Debug)]
    pub type Map;

    /// Makes a map; fails when there is no WebGL.
    #[wasm_bindgen(constructor, catch)]
    pub fn new(options: &JsValue) -> Result<Map, JsValue>;

    /// Listens.
    #[wasm_bindgen(method)]
    pub fn on(this: &Map, event: &str, listener: &JsValue);

    /// Adds a layer below the one with this id, or on top.
    #[wasm_bindgen(method, js_name = addLayer, catch)]
    pub fn add_layer(this: &Map, layer: &JsValue, below: Option<&str>) -> Result<JsValue, JsValue>;

    /// Whether every tile of the picture is there, or is known not to be.
    #[wasm_bindgen(method, js_name = areTilesLoaded)]
    pub fn are_tiles_loaded(this: &Map) -> bool;

    /// Draws again in the next animation frame; any number of times between two frames is one drawing.
    #[wasm_bindgen(method, js_name = triggerRepaint)]
    pub fn trigger_repaint(this: &Map);

    /// The middle of the picture.
    #[wasm_bindgen(method, js_name = getCenter)]
    pub fn center(this: &Map) -> LngLat;

    /// The zoom.
    #[wasm_bindgen(method, js_name = getZoom)]
    pub fn zoom(this: &Map) -> f64;

    /// The map's element.
    #[wasm_bindgen(method, js_name = getContainer)]
    pub fn container(this: &Map) -> HtmlElement;

    /// The canvas, for its pointer.
    #[wasm_bindgen(method, js_name = getCanvas)]
    pub fn canvas(this: &Map) -> HtmlElement;

    /// Goes somewhere with a short motion.
    #[wasm_bindgen(method, js_name = easeTo)]
    pub fn ease_to(this: &Map, options: &JsValue);

    /// Goes somewhere at once.
    #[wasm_bindgen(method, js_name = jumpTo)]
    pub fn jump_to(this: &Map, options: &JsValue);

    /// Zooms by one level.
    #[wasm_bindgen(method, js_name = zoomIn)]
    pub fn zoom_in(this: &Map);

    /// Zooms by one level.
    #[wasm_bindgen(method, js_name = zoomOut)]
    pub fn zoom_out(this: &Map);

    /// Fits the canvas to its element.
    #[wasm_bindgen(method)]
    pub fn resize(this: &Map);

    /// Of a map without WebGL alone: gives it the current theme's colours.
    #[wasm_bindgen(method, js_name = recolour)]
    pub fn recolour_plain(this: &Map);

    /// Takes the map down.
    #[wasm_bindgen(method)]
    pub fn remove(this: &Map);

    /// Two fingers on the map.
    #[wasm_bindgen(method, getter, js_name = touchZoomRotate)]
    pub fn touch_zoom_rotate(this: &Map) -> Handler;

    /// Arrow keys on the map.
    #[wasm_bindgen(method, getter)]
    pub fn keyboard(this: &Map) -> Handler;

    /// A way of moving the map.
    pub type Handler;

    /// Takes turning out of it.
    #[wasm_bindgen(method, js_name = disableRotation)]
    pub fn disable_rotation(this: &Handler);

    /// A position.
    pub type LngLat;

    /// Degrees east.
    #[wasm_bindgen(method, getter)]
    pub fn lng(this: &LngLat) -> f64;

    /// Degrees north.
    #[wasm_bindgen(method, getter)]
    pub fn lat(this: &LngLat) -> f64;
}

#[wasm_bindgen]
unsafe extern "C" {
    /// What happened on the map, and where.
    pub type MapEvent;

    /// CSS pixels from the map's upper left.
    #[wasm_bindgen(method, getter)]
    pub fn point(this: &MapEvent) -> Point;

    /// What a person did that led to it; `undefined` for what the program did.
    #[wasm_bindgen(method, getter, js_name = originalEvent)]
    pub fn original_event(this: &MapEvent) -> JsValue;

    /// Why there are no streets, for `groundless` events of a map without WebGL.
    #[wasm_bindgen(method, getter)]
    pub fn words(this: &MapEvent) -> Option<String>;

    /// What went wrong, for `error` events.
    #[wasm_bindgen(method, getter)]
    pub fn error(this: &MapEvent) -> JsValue;

    /// A point of the picture.
    pub type Point;

    /// From left.
    #[wasm_bindgen(method, getter)]
    pub fn x(this: &Point) -> f64;

    /// From the top.
    #[wasm_bindgen(method, getter)]
    pub fn y(this: &Point) -> f64;
}

/// The id of the layer below the names of places, in `islands-js/base_map.js`.
pub const NAMES: &str = "names";

#[wasm_bindgen(raw_module = "./islands-js/base_map.js")]
unsafe extern "C" {
    /// The base map's style in the current theme; see there what `set` holds.
    pub fn style(tiles: &str, set: &JsValue) -> JsValue;

    /// Draws lines of latitude and longitude, GeoJSON as text, in place of those before.
    #[wasm_bindgen(catch)]
    pub fn graticule(map: &Map, geojson: &str) -> Result<(), JsValue>;

    /// Draws the outlines of the world's countries once they are seen.
    pub fn outlines(map: &Map);

    /// What draws the map where there is no WebGL, loaded when it is wanted: a class whose objects have the words of [`Map`] that are
    /// used here.
    #[wasm_bindgen(js_name = plainMap, catch)]
    pub async fn plain_map() -> Result<JsValue, JsValue>;

    /// Shows or hides the ground of a map of either way of drawing.
    #[wasm_bindgen(js_name = showGround)]
    pub fn show_ground(map: &Map, shown: bool);

    /// Gives a drawn map the current theme's colours.
    #[wasm_bindgen(catch)]
    pub fn recolour(map: &Map) -> Result<(), JsValue>;
}
