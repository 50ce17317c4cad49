//! The map: MapLibre draws the ground, [`super::live_layer`] the things; pointing is answered here, in Rust. Without WebGL
//! `islands-js/plain_map.js` shows pictures of the ground in MapLibre's words, and [`super::painted`] has the things.

mod options;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use fleetlens_ipc::rows::TileSet;
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::id::ThingKey;
use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::{request_animation_frame, set_timeout};
use thiserror::Error;
use tr::tr;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use super::arrival::{Frame, Sight};
use super::clusters::Cell as Crowd;
use super::graticule::{Graticule, seen};
use super::live_layer::{LayerError, LiveLayer, Part, Scene};
use super::maplibre::{self, MapEvent};
use super::marks::{Marks, Pointed};
use super::mercator::{Camera, local, place, with_margin};
use super::over::{Area, Over};
use super::pace::Pace;
use super::painted::PaintedLayer;
use crate::clock::mono_ms;
use crate::lang::said;
use crate::state::layers::Layers;
use options::{lng_lat, options, plain_options, set, wants_less_motion};

/// How much more than the picture is looked at, so that a short pan shows things at once.
const AREA_MARGIN: f64 = 0.35;

/// The closest that a cluster is opened to: there everything stands by itself.
const CLOSE_ZOOM: f64 = 17.0;

/// Why there is no map.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapError {
    /// The graphics card or its driver offers no WebGL 2; there is another way to draw it ([`PlainMap`]).
    NoWebGl,
    /// There is no other way either.
    NoPlainMap(String),
    /// The page gives no canvas to paint on.
    NoOver(String),
    /// See there.
    Layer(#[from] LayerError),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapError::NoWebGl => f.write_str(said("this computer offers no WebGL 2")),
            MapError::NoPlainMap(why) => f.write_str(&tr!(
                "the map cannot be drawn without WebGL 2, which this computer does not offer: {}; finding things and their pages work all the same",
                why
            )),
            MapError::NoOver(why) => f.write_str(&tr!("the map has nothing to paint on: {}", why)),
            MapError::Layer(error) => error.fmt(f),
        }
    }
}

/// What lies over the picture's edges, in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Covered {
    /// Over the upper edge.
    pub top_px: f64,
    /// Over the right edge.
    pub right_px: f64,
    /// Over the lower edge.
    pub bottom_px: f64,
}

/// What the map tells the window.
pub struct MapEars {
    /// The picture shows another area; given with a margin.
    pub area: Box<dyn Fn(GeoBox)>,
    /// A thing, a cluster or nothing is under the pointer; with the pointer's place in CSS pixels.
    pub hovered: Box<dyn Fn(Option<Pointed>, f64, f64)>,
    /// A thing, a cluster or bare ground was chosen, at this place.
    pub chosen: Box<dyn Fn(Option<Pointed>, LonLat)>,
    /// The camera moves, in each picture of the motion; also said once at the start.
    pub moved: Box<dyn Fn(Camera)>,
    /// A person begins to move the map, by hand or by a wish.
    pub taken: Box<dyn Fn()>,
    /// It rests where a person moved it.
    pub left: Box<dyn Fn(Sight)>,
    /// A picture with this many things was drawn; whether its ground is all there.
    pub drawn: Box<dyn Fn(usize, bool)>,
    /// These things are close enough to have their names beside them, which [`MapIsland::name`] takes.
    pub unnamed: Box<dyn Fn(Vec<ThingKey>)>,
    /// There are no streets on a map without WebGL, and why.
    pub groundless: Box<dyn Fn(String)>,
    /// The map cannot be drawn any more.
    pub failed: Rc<dyn Fn(MapError)>,
}

/// What a map begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Beginning {
    /// What it shows.
    pub sight: Sight,
    /// What it knows of its tiles.
    pub tiles: TileSet,
    /// How near a pointer must be to a thing, in CSS pixels.
    pub reach_px: f64,
}

/// What draws the ground where there is no WebGL. Clones are the same.
#[derive(Clone, Debug)]
pub struct PlainMap(Function);

impl PlainMap {
    /// Loads it, which nobody does who has WebGL.
    pub async fn load() -> Result<PlainMap, MapError> {
        let loaded = maplibre::plain_map().await.and_then(|class| class.dyn_into().map(PlainMap));
        loaded.map_err(|error| MapError::NoPlainMap(words(&error)))
    }

    fn mount(&self, at: &HtmlElement, beginning: &Beginning) -> Result<maplibre::Map, MapError> {
        // What MapLibre began before it failed.
        at.set_inner_html("");
        let made = Reflect::construct(&self.0, &Array::of1(&plain_options(at, beginning)));
        // It answers to MapLibre's words.
        made.map(JsCast::unchecked_into).map_err(|error| MapError::NoPlainMap(words(&error)))
    }
}

/// What draws the things.
#[derive(Clone)]
enum Layer {
    Card(Rc<LiveLayer>),
    Painted(Rc<PaintedLayer>),
}

/// The map on the page.
#[derive(Clone)]
pub struct MapIsland {
    map: maplibre::Map,
    marks: Rc<RefCell<Marks>>,
    layer: Layer,
    over: Rc<Over>,
    layers: Rc<Cell<Layers>>,
    loaded: Rc<Cell<bool>>,
    pace: Rc<Cell<Pace>>,
    /// News waits for its turn.
    waits: Rc<Cell<bool>>,
    /// A person has moved it.
    hand: Rc<Hand>,
}

/// Whether a person has moved the map, and who is told.
struct Hand {
    moved: Cell<bool>,
    taken: Box<dyn Fn()>,
}

impl Hand {
    fn take(&self) {
        self.moved.set(true);
        (self.taken)();
    }
}

impl MapIsland {
    /// Puts a map into an element, without WebGL where that is given.
    pub fn mount(
        at: &HtmlElement,
        marks: Rc<RefCell<Marks>>,
        beginning: &Beginning,
        ears: MapEars,
        plain: Option<&PlainMap>,
    ) -> Result<MapIsland, MapError> {
        let map = match plain {
            Some(plain) => plain.mount(at, beginning)?,
            None => with_card(at, beginning)?,
        };
        map.touch_zoom_rotate().disable_rotation();
        map.keyboard().disable_rotation();
        let loaded = Rc::new(Cell::new(false));
        let reach_px = beginning.reach_px;

        let camera_of = map.clone();
        let failed = Rc::clone(&ears.failed);
        let whole = Rc::new(Cell::new(false));
        let (ground, told, has_been_whole) = (map.clone(), ears.drawn, Rc::clone(&whole));
        let scene = Scene {
            marks: Rc::clone(&marks),
            camera: Box::new(move || camera(&camera_of)),
            // Before it asks for its first tile, MapLibre misses none.
            drawn: Box::new(move |count| told(count, has_been_whole.get() && ground.are_tiles_loaded())),
            failed: Box::new(move |error| failed(error.into())),
        };
        let layer = match plain {
            None => Layer::Card(LiveLayer::new(scene)),
            Some(_) => {
                let painted = PaintedLayer::over(at, scene).map_err(|error| MapError::NoPlainMap(words(&error)))?;
                let paint = Rc::clone(&painted);
                listen(&map, "render", move |_| paint.paint());
                Layer::Painted(painted)
            }
        };
        let over = Over::above(at, Rc::clone(&marks), ears.unnamed).map_err(|error| MapError::NoOver(words(&error)))?;
        let (paint, of) = (Rc::clone(&over), map.clone());
        listen(&map, "render", move |_| paint.paint(&camera(&of), mono_ms()));
        let layers = Rc::new(Cell::new(Layers::default()));
        let groundless = ears.groundless;
        listen(&map, "groundless", move |event| groundless(event.words().unwrap_or_default()));

        let (on, add, failed, ready) = (map.clone(), layer.clone(), ears.failed, Rc::clone(&loaded));
        let wanted = Rc::clone(&layers);
        let draw_lines = Rc::new(lines_of(&map, beginning.tiles.bounds));
        let draw_first = Rc::clone(&draw_lines);
        // Not when the first tiles are there ("load"): where the things are does not wait for the streets.
        listen(&map, "style.load", move |_| {
            ready.set(true);
            draw_first();
            maplibre::outlines(&on);
            if !wanted.get().ground {
                maplibre::show_ground(&on, false);
            }
            let Layer::Card(add) = &add else { return };
            let added = add
                .as_custom_layer(Part::Calm)
                .and_then(|calm| on.add_layer(&calm, Some(maplibre::NAMES)))
                .and_then(|_| add.as_custom_layer(Part::Loud))
                .and_then(|loud| on.add_layer(&loud, None));
            if let Err(error) = added {
                failed(LayerError::Shader(words(&error)).into());
            }
        });
        let last = map.clone();
        listen(&map, "load", move |_| {
            whole.set(true);
            last.trigger_repaint();
        });
        if let Layer::Card(layer) = &layer {
            let lost = Rc::clone(layer);
            listen(&map, "webglcontextlost", move |_| lost.forget_card());
        }
        // A missing tile is the ground's colour and no reason to stop; the console keeps the reason.
        listen(&map, "error", |event| web_sys::console::warn_2(&"map".into(), &event.error()));

        let (of, area) = (map.clone(), Rc::new(ears.area));
        let say_area = move || area(with_margin(seen(&camera(&of)), AREA_MARGIN));
        say_area();
        let hand = Rc::new(Hand { moved: Cell::new(false), taken: ears.taken });
        let by_hand = Rc::clone(&hand);
        listen(&map, "movestart", move |event| {
            if event.original_event().is_truthy() {
                by_hand.take();
            }
        });
        let (resting, by_hand, left) = (map.clone(), Rc::clone(&hand), ears.left);
        listen(&map, "moveend", move |_| {
            say_area();
            if by_hand.moved.get() {
                left(sight(&resting));
            }
        });
        let (of, moved) = (map.clone(), Rc::new(ears.moved));
        moved(camera(&map));
        for event in ["move", "resize"] {
            let (of, moved, ready) = (of.clone(), Rc::clone(&moved), Rc::clone(&loaded));
            let draw_lines = Rc::clone(&draw_lines);
            listen(&map, event, move |_| {
                moved(camera(&of));
                if ready.get() {
                    draw_lines();
                }
            });
        }

        let (of, on_marks) = (map.clone(), Rc::clone(&marks));
        let under = Rc::new(move |event: &MapEvent| {
            let point = event.point();
            (on_marks.borrow().at(&camera(&of), point.x(), point.y(), reach_px), point.x(), point.y())
        });
        let (find, cursor, hovered) = (Rc::clone(&under), map.clone(), Rc::new(ears.hovered));
        let leave = Rc::clone(&hovered);
        listen(&map, "mousemove", move |event| {
            let (pointed, x, y) = find(event);
            let shape = if pointed.is_some() { "pointer" } else { "" };
            // Cannot fail: the property exists.
            let _ = cursor.canvas().style().set_property("cursor", shape);
            hovered(pointed, x, y);
        });
        let parted = Rc::clone(&leave);
        listen(&map, "mouseout", move |_| leave(None, 0.0, 0.0));
        listen(&map, "movestart", move |_| parted(None, 0.0, 0.0));
        let (of, chosen) = (map.clone(), ears.chosen);
        listen(&map, "click", move |event| {
            let (pointed, x, y) = under(event);
            chosen(pointed, place(camera(&of).unproject(x, y)));
        });

        Ok(MapIsland { map, marks, layer, over, layers, loaded, pace: Rc::default(), waits: Rc::default(), hand })
    }

    /// A person changed what is seen: a picture is drawn in the next animation frame.
    pub fn repaint(&self) {
        self.map.trigger_repaint();
    }

    /// The marks changed: a picture is drawn as soon as its cost allows ([`super::pace`]), of a map that is hidden none.
    pub fn news(&self) {
        // Without a box on the page nobody sees it; it is drawn when it gets one, because its size changes then.
        if self.waits.get() || self.map.container().offset_parent().is_none() {
            return;
        }
        let wait_ms = self.pace.get().wait_ms(mono_ms());
        if wait_ms <= 0.0 {
            self.draw_news();
            return;
        }
        self.waits.set(true);
        let this = self.clone();
        set_timeout(
            move || {
                this.waits.set(false);
                this.draw_news();
            },
            Duration::from_secs_f64(wait_ms / 1000.0),
        );
    }

    /// Draws, and finds out what that costs: the time until the screen turns again.
    fn draw_news(&self) {
        self.map.trigger_repaint();
        let pace = Rc::clone(&self.pace);
        let mut begun = pace.get();
        begun.draws(mono_ms());
        pace.set(begun);
        request_animation_frame(move || {
            let turned = mono_ms();
            request_animation_frame(move || {
                let mut now = pace.get();
                now.took(mono_ms() - turned);
                pace.set(now);
            });
        });
    }

    /// What is shown besides marks.
    pub fn show_layers(&self, layers: Layers) {
        let before = self.layers.replace(layers);
        self.over.show(layers);
        if self.loaded.get() && before.ground != layers.ground {
            maplibre::show_ground(&self.map, layers.ground);
        }
        self.map.trigger_repaint();
    }

    /// These areas lie on it.
    pub fn show_areas(&self, areas: Vec<Area>) {
        self.over.set_areas(areas);
        self.map.trigger_repaint();
    }

    /// These things were asked for and are called so, or could not be asked for and are asked for again.
    pub fn name(&self, asked: &[ThingKey], names: Option<Vec<(ThingKey, String)>>) {
        match names {
            Some(names) => {
                self.over.name(names);
                self.map.trigger_repaint();
            }
            // Not at once: nobody may be there to answer.
            None => self.over.unname(asked),
        }
    }

    /// The theme changed.
    pub fn recolour(&self) {
        self.over.recolour();
        match &self.layer {
            Layer::Card(layer) => {
                layer.recolour();
                if self.loaded.get() && maplibre::recolour(&self.map).is_err() {
                    // A style that is just being loaded refuses; it is loaded with the new colours then.
                    web_sys::console::warn_1(&"the map could not be recoloured".into());
                }
            }
            Layer::Painted(layer) => {
                layer.recolour();
                self.map.recolour_plain();
            }
        }
        self.map.trigger_repaint();
    }

    /// Brings a place into the free part of the picture, unless it is there.
    pub fn reveal(&self, at: LonLat, covered: Covered) {
        let view = camera(&self.map);
        let (x, y) = view.project(local(at));
        let margin = 32.0;
        let is_free = (margin..view.width_px - covered.right_px - margin).contains(&x)
            && (covered.top_px + margin..view.height_px - covered.bottom_px - margin).contains(&y);
        if is_free && view.zoom >= 12.0 {
            return;
        }
        self.ease(at, view.zoom.max(15.0), covered);
    }

    /// Goes as close as shows what a cluster holds, and at least one zoom closer.
    pub fn open(&self, cluster: Crowd, covered: Covered) {
        let view = camera(&self.map);
        let bounds = self.marks.borrow().bounds(cluster);
        let Some((low, high)) = bounds else { return };
        let free = (view.width_px - covered.right_px, view.height_px - covered.top_px - covered.bottom_px);
        let (middle, zoom) = Camera::fitting(low, high, free.0, free.1);
        self.ease(place(middle), zoom.clamp(view.zoom + 1.0, CLOSE_ZOOM.max(view.zoom + 1.0)), covered);
    }

    /// Puts a place into the middle of the free part, at a zoom.
    pub fn go(&self, at: LonLat, zoom: f64, covered: Covered) {
        self.ease(at, zoom, covered);
    }

    /// Shows all of a box in its free part, because a person wants it.
    pub fn show(&self, area: GeoBox, covered: Covered) {
        let Sight { center, zoom } = self.sight_of(area, covered);
        self.ease(center, zoom, Covered::default());
    }

    /// Shows all of a box in its free part at once, because it belongs there: nobody asked.
    pub fn settle(&self, area: GeoBox, covered: Covered) {
        let Sight { center, zoom } = self.sight_of(area, covered);
        let options = Object::new();
        set(&options, "center", &lng_lat(center));
        set(&options, "zoom", &zoom.into());
        self.map.jump_to(&options);
    }

    fn sight_of(&self, area: GeoBox, covered: Covered) -> Sight {
        let Camera { width_px, height_px, .. } = camera(&self.map);
        Sight::of(area, Frame { width_px, height_px, covered })
    }

    /// The camera now.
    pub fn camera(&self) -> Camera {
        camera(&self.map)
    }

    fn ease(&self, at: LonLat, zoom: f64, covered: Covered) {
        self.hand.take();
        let options = Object::new();
        let offset = [-covered.right_px / 2.0, (covered.top_px - covered.bottom_px) / 2.0].map(JsValue::from_f64);
        set(&options, "center", &lng_lat(at));
        set(&options, "zoom", &zoom.into());
        set(&options, "offset", &offset.into_iter().collect::<Array>());
        set(&options, "duration", &(if wants_less_motion() { 0.0 } else { 140.0 }).into());
        self.map.ease_to(&options);
    }

    /// Zooms by one level, in or out.
    pub fn zoom(&self, closer: bool) {
        self.hand.take();
        if closer { self.map.zoom_in() } else { self.map.zoom_out() }
    }

    /// Takes the map off the page.
    pub fn remove(&self) {
        self.over.remove();
        self.map.remove();
    }

    /// The element's size changed.
    pub fn resize(&self) {
        self.map.resize();
    }
}

fn with_card(at: &HtmlElement, beginning: &Beginning) -> Result<maplibre::Map, MapError> {
    maplibre::set_worker_url(&address("vendor/maplibre-gl/maplibre-gl-worker.mjs"));
    maplibre::Map::new(&options(at, beginning)).map_err(|error| {
        web_sys::console::warn_2(&"map".into(), &error);
        MapError::NoWebGl
    })
}

/// Draws the lines of latitude and longitude that the picture needs, if it has not got them.
fn lines_of(map: &maplibre::Map, covered: Option<GeoBox>) -> impl Fn() + 'static {
    let (map, drawn) = (map.clone(), RefCell::new(None::<Graticule>));
    move || {
        let camera = camera(&map);
        if drawn.borrow().as_ref().is_some_and(|drawn| drawn.is_for(&camera)) {
            return;
        }
        let lines = Graticule::of(&camera, covered);
        match maplibre::graticule(&map, &lines.geojson().to_string()) {
            Ok(()) => drop(drawn.replace(Some(lines))),
            Err(error) => web_sys::console::warn_2(&"the lines of the map cannot be drawn".into(), &error),
        }
    }
}

fn sight(map: &maplibre::Map) -> Sight {
    let center = map.center();
    Sight { center: LonLat { lon_deg: center.lng(), lat_deg: center.lat() }, zoom: map.zoom() }
}

fn camera(map: &maplibre::Map) -> Camera {
    let (center, container) = (map.center(), map.container());
    Camera {
        center: local(LonLat { lon_deg: center.lng(), lat_deg: center.lat() }),
        zoom: map.zoom(),
        width_px: f64::from(container.client_width()),
        height_px: f64::from(container.client_height()),
    }
}

fn listen(map: &maplibre::Map, event: &str, ear: impl Fn(&MapEvent) + 'static) {
    let ear = Closure::<dyn Fn(MapEvent)>::new(move |event: MapEvent| ear(&event));
    map.on(event, &ear.into_js_value());
}

fn address(path: &str) -> String {
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    format!("{origin}/{path}")
}

fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    message.unwrap_or_else(|| said("no reason given").into())
}
