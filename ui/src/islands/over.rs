//! What lies over the marks of the map, with WebGL or without: names of things, trails of vehicles, a shade around car parks. Painted on
//! a canvas of its own in the same picture as the map, and not at all where nothing of it is shown.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use fleetlens_ipc::NAMES_MAX;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use super::clusters::ENDS_AT_ZOOM;
use super::marks::{Marks, Seen, is_measured};
use super::mercator::{Camera, Local};
use super::names::{LINE_PX, NAMES_IN_PICTURE, Room, Wanted, place};
use super::sheet::Sheet;
use crate::state::layers::Layers;
use crate::theme::{rgb, token};

/// From here on things have names, because each stands by itself.
const NAMES_FROM_ZOOM: f64 = ENDS_AT_ZOOM;

/// From here on vehicles have trails: farther away one cannot tell them from the streets.
const TRAILS_FROM_ZOOM: f64 = 11.0;

/// Trails in one picture; of more vehicles only these have one.
const TRAILS_IN_PICTURE: usize = 400;

/// Steps in which a trail fades.
const FADES: usize = 8;

/// How many more things than names there can be are looked at: many have no room.
const SPARE: usize = 3;

/// Names that are remembered; of a walk through a large city those of before are asked for again.
const REMEMBERED_MAX: usize = 4_000;

/// Characters of a name on the map.
const NAME_MAX_CHARS: usize = 28;

/// How far a mark reaches, in CSS pixels, when it is seen so close that it has a name.
const MARK_PX: f64 = 9.0;

/// And one with which nothing is wrong.
const CALM_PX: f64 = 6.0;

/// The font of names.
const FONT: &str = "500 11px 'Inter Variable', Inter, system-ui, sans-serif";

/// A whole turn.
const TURN: f64 = std::f64::consts::TAU;

/// From so many CSS pixels across an area has its name on it.
const AREA_NAMED_PX: f64 = 56.0;

/// An area of a profile, as a line around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// What it is called.
    pub name: String,
    /// Its corners in their order.
    pub ring: Vec<Local>,
}

/// Asks what these things are called.
pub type AskNames = Box<dyn Fn(Vec<ThingKey>)>;

/// The canvas and what is known for it.
pub struct Over {
    marks: Rc<RefCell<Marks>>,
    sheet: Sheet,
    layers: Cell<Layers>,
    names: RefCell<Names>,
    areas: RefCell<Vec<Area>>,
    colours: RefCell<Option<Colours>>,
    ask: AskNames,
    /// Something is on it.
    is_painted: Cell<bool>,
}

#[derive(Debug, Default)]
struct Names {
    known: HashMap<ThingKey, String>,
    asked: HashSet<ThingKey>,
}

struct Colours {
    text: String,
    area: String,
    halo: String,
    trail: (u8, u8, u8),
    heat: (u8, u8, u8),
}

impl Over {
    /// Puts the canvas over a map.
    pub fn above(at: &HtmlElement, marks: Rc<RefCell<Marks>>, ask: AskNames) -> Result<Rc<Over>, JsValue> {
        Ok(Rc::new(Over {
            marks,
            sheet: Sheet::over(at, "ground-over")?,
            layers: Cell::default(),
            names: RefCell::default(),
            areas: RefCell::default(),
            colours: RefCell::default(),
            ask,
            is_painted: Cell::default(),
        }))
    }

    /// What is shown from the next picture on.
    pub fn show(&self, layers: Layers) {
        self.layers.set(layers);
    }

    /// The map is taken off the page, and this with it.
    pub fn remove(&self) {
        self.sheet.remove();
    }

    /// These areas are shown from the next picture on.
    pub fn set_areas(&self, areas: Vec<Area>) {
        self.areas.replace(areas);
    }

    /// The theme changed.
    pub fn recolour(&self) {
        self.colours.replace(None);
    }

    /// These things are called so; those that were asked for and are not among them have no name.
    pub fn name(&self, names: Vec<(ThingKey, String)>) {
        self.names.borrow_mut().known.extend(names.into_iter().map(|(thing, name)| (thing, short(&name))));
    }

    /// Asking came to nothing: they are asked for again.
    pub fn unname(&self, things: &[ThingKey]) {
        let mut names = self.names.borrow_mut();
        for thing in things {
            names.asked.remove(thing);
        }
    }

    /// Paints the picture of now.
    pub fn paint(&self, camera: &Camera, now_ms: f64) {
        let Layers { names, trails, heat, areas, ground: _ } = self.layers.get();
        let areas = areas && !self.areas.borrow().is_empty();
        let names = names && camera.zoom >= NAMES_FROM_ZOOM;
        let trails = trails && camera.zoom >= TRAILS_FROM_ZOOM;
        if !(names || trails || heat || areas || self.is_painted.get()) {
            return;
        }
        if !self.sheet.fit(camera) {
            return;
        }
        // A canvas that nothing is painted on costs nothing, however often the map is drawn.
        if self.is_painted.replace(false) {
            self.sheet.clear(camera);
        }
        let mut colours = self.colours.borrow_mut();
        let colours = colours.get_or_insert_with(|| Colours {
            text: token("--text"),
            area: token("--muted"),
            halo: token("--map-halo"),
            trail: rgb(&token("--mark-lit")).unwrap_or_default(),
            heat: rgb(&token("--chart-2")).unwrap_or_default(),
        });
        let marks = self.marks.borrow();
        if heat {
            let mut parks = marks.seen(camera, |kind| kind == Kind::Parking);
            parks.retain(|park| is_measured(park.status, park.level));
            // The fullest on top.
            parks.sort_by_key(|park| park.level);
            self.is_painted.set(!parks.is_empty());
            for park in parks {
                let _ = self.shade(&park, camera.zoom, colours.heat);
            }
        }
        if areas {
            self.outline(camera, colours);
        }
        if trails {
            let vehicles = marks.seen(camera, |kind| kind == Kind::Vehicle);
            let worth = vehicles.get(..TRAILS_IN_PICTURE).unwrap_or(&vehicles);
            self.draw_trails(&marks, worth, camera, now_ms, colours.trail);
        }
        if names {
            let seen = marks.seen(camera, |_| true);
            self.write(&seen, colours);
        }
    }

    /// The fuller, the stronger. Each is as large as the next and takes away what lies below it before it is laid there: many car parks
    /// near each other are no fuller than each of them.
    fn shade(&self, park: &Seen, zoom: f64, (r, g, b): (u8, u8, u8)) -> Result<(), JsValue> {
        let ((x, y), share) = (park.at, f64::from(park.level.min(100)) / 100.0);
        let radius = (14.0 + 8.0 * (zoom - 10.0)).clamp(14.0, 64.0);
        let tone = |alpha: f64| format!("rgba({r}, {g}, {b}, {alpha:.3})");
        for (alpha, operation) in [(1.0, "destination-out"), (0.08 + 0.6 * share, "lighter")] {
            let gradient = self.sheet.context.create_radial_gradient(x, y, 0.0, x, y, radius)?;
            gradient.add_color_stop(0.0, &tone(alpha))?;
            gradient.add_color_stop(0.55, &tone(alpha * 0.8))?;
            gradient.add_color_stop(1.0, &tone(0.0))?;
            self.sheet.context.set_fill_style_canvas_gradient(&gradient);
            self.sheet.context.set_global_composite_operation(operation)?;
            self.sheet.context.begin_path();
            self.sheet.context.arc(x, y, radius, 0.0, TURN)?;
            self.sheet.context.fill();
        }
        self.sheet.context.set_global_composite_operation("source-over")
    }

    /// The areas of the profile: a quiet line with a quiet fill, and the name in the middle of those that have room for it.
    fn outline(&self, camera: &Camera, colours: &Colours) {
        let context = &self.sheet.context;
        context.set_line_join("round");
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_text_align("center");
        for Area { name, ring } in self.areas.borrow().iter() {
            let at: Vec<(f64, f64)> = ring.iter().map(|corner| camera.project(*corner)).collect();
            let Some(seen) = Extent::of(&at).filter(|seen| seen.meets(camera)) else { continue };
            self.is_painted.set(true);
            context.begin_path();
            for (x, y) in &at {
                // The first one begins the path as well.
                context.line_to(*x, *y);
            }
            context.close_path();
            context.set_fill_style_str(&colours.area);
            context.set_global_alpha(0.04);
            context.fill();
            context.set_global_alpha(0.9);
            context.set_stroke_style_str(&colours.area);
            context.set_line_width(1.5);
            context.stroke();
            context.set_global_alpha(1.0);
            if seen.east - seen.west >= AREA_NAMED_PX {
                let (x, y) = (f64::midpoint(seen.west, seen.east).round(), (seen.north + LINE_PX).round());
                let name = short(name);
                context.set_line_width(3.0);
                context.set_stroke_style_str(&colours.halo);
                context.set_fill_style_str(&colours.text);
                let _ = context.stroke_text(&name, x, y);
                let _ = context.fill_text(&name, x, y);
            }
        }
        context.set_text_align("left");
    }

    /// Lines that fade with their age, in so many steps as one can tell apart: each step is one stroke, however many vehicles there are.
    fn draw_trails(&self, marks: &Marks, of: &[Seen], camera: &Camera, now_ms: f64, (r, g, b): (u8, u8, u8)) {
        let mut pieces: [Vec<[(f64, f64); 2]>; FADES] = Default::default();
        for vehicle in of {
            let mut before = None;
            for (at, age) in marks.trail(vehicle.thing, now_ms) {
                let here = camera.project(at);
                let step = (age.clamp(0.0, 1.0) * FADES as f64) as usize;
                if let (Some(from), Some(pieces)) = (before, pieces.get_mut(step)) {
                    pieces.push([from, here]);
                }
                before = Some(here);
            }
        }
        let context = &self.sheet.context;
        context.set_line_width(2.0);
        context.set_line_cap("round");
        for (step, pieces) in pieces.iter().enumerate().filter(|(_, pieces)| !pieces.is_empty()) {
            self.is_painted.set(true);
            let alpha = 0.85 * (1.0 - (step as f64 + 0.5) / FADES as f64);
            context.set_stroke_style_str(&format!("rgba({r}, {g}, {b}, {alpha:.3})"));
            context.begin_path();
            for [(from_x, from_y), (x, y)] in pieces {
                context.move_to(*from_x, *from_y);
                context.line_to(*x, *y);
            }
            context.stroke();
        }
    }

    fn write(&self, seen: &[Seen], colours: &Colours) {
        let mut names = self.names.borrow_mut();
        let worth = seen.get(..NAMES_IN_PICTURE * SPARE).unwrap_or(seen);
        let unknown = |seen: &&Seen| !names.known.contains_key(&seen.thing) && !names.asked.contains(&seen.thing);
        let unknown: Vec<ThingKey> = worth.iter().filter(unknown).map(|seen| seen.thing).take(NAMES_MAX).collect();
        if !unknown.is_empty() {
            if names.asked.len() >= REMEMBERED_MAX {
                names.known.clear();
                names.asked.clear();
            }
            names.asked.extend(&unknown);
            (self.ask)(unknown);
        }
        let context = &self.sheet.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_text_align("left");
        context.set_line_join("round");
        let known: Vec<(&Seen, &String)> =
            worth.iter().filter_map(|seen| Some((seen, names.known.get(&seen.thing)?))).collect();
        let width = |name: &str| context.measure_text(name).map_or(0.0, |measured| measured.width().ceil());
        let wanted: Vec<Wanted> =
            known.iter().map(|(seen, name)| Wanted { at: seen.at, reach: MARK_PX, width: width(name) }).collect();
        // No name stands over a mark; one that needs a person has more room.
        let room = |seen: &Seen| Room::around(seen.at, if seen.is_loud { MARK_PX } else { CALM_PX });
        let taken = seen.iter().map(room).collect();
        context.set_line_width(3.0);
        context.set_stroke_style_str(&colours.halo);
        context.set_fill_style_str(&colours.text);
        for ((_, name), room) in known.iter().zip(place(&wanted, taken)) {
            let Some(Room { left, top, .. }) = room else { continue };
            self.is_painted.set(true);
            // On whole pixels letters are sharp.
            let (x, y) = (left.round(), (top + LINE_PX / 2.0).round());
            let _ = context.stroke_text(name, x, y);
            let _ = context.fill_text(name, x, y);
        }
    }
}

/// Between which CSS pixels something lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Extent {
    west: f64,
    north: f64,
    east: f64,
    south: f64,
}

impl Extent {
    fn of(at: &[(f64, f64)]) -> Option<Extent> {
        let (x, y) = *at.first()?;
        let first = Extent { west: x, north: y, east: x, south: y };
        Some(at.iter().fold(first, |all, (x, y)| Extent {
            west: all.west.min(*x),
            north: all.north.min(*y),
            east: all.east.max(*x),
            south: all.south.max(*y),
        }))
    }

    /// Whether any of it can be in the picture.
    fn meets(self, camera: &Camera) -> bool {
        self.west < camera.width_px && self.east > 0.0 && self.north < camera.height_px && self.south > 0.0
    }
}

/// So much of a name as fits a map.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME_MAX_CHARS {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME_MAX_CHARS - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_ends_with_an_ellipsis() {
        assert_eq!(short("Lamp 12"), "Lamp 12");
        let long = short("The car park behind the old customs house");
        assert_eq!((long.chars().count(), long.ends_with('…')), (NAME_MAX_CHARS, true), "{long}");
    }
}
