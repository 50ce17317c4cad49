//! The areas that rules name: those of the profile in use, and the one that is being drawn. What is drawn stays while a person looks at
//! something else.

use fleetlens_ipc::maps::{AreaAsk, AreaBook, AreaDone, AreaDraft, AreaRow};
use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
use fleetlens_model::alarm::fence::{CORNERS_MAX, Fence, FenceError, NAME_MAX_CHARS, Shape};
use fleetlens_model::geo::{GeoBox, LonLat};
use leptos::prelude::*;
use tr::tr;

use super::Store;
use crate::lang::said;

/// Corners of the line by which a circle is shown.
const ROUND: u32 = 64;

/// An area that is being drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// What rules will call it.
    pub name: String,
    /// Its corners in their order.
    pub corners: Vec<LonLat>,
    /// The last one leads back to the first; before that each click adds one.
    pub closed: bool,
    /// The area that it replaces; `None` for a new one.
    pub replaces: Option<String>,
}

impl Drawing {
    /// Of an area that there is; `None` of a circle.
    pub fn of(row: &AreaRow) -> Option<Drawing> {
        match &row.shape {
            Shape::Polygon(corners) => Some(Drawing {
                name: row.name.clone(),
                corners: corners.clone(),
                closed: true,
                replaces: Some(row.name.clone()),
            }),
            Shape::Circle { .. } => None,
        }
    }

    /// One more corner, if it is still open.
    pub fn add(&mut self, at: LonLat) {
        if !self.closed && self.corners.len() < CORNERS_MAX {
            self.corners.push(at);
        }
    }

    /// Without the last corner, if it is still open.
    pub fn take_back(&mut self) {
        if !self.closed {
            self.corners.pop();
        }
    }

    /// The last corner leads back to the first, if there are enough.
    pub fn close(&mut self) {
        self.closed |= self.corners.len() >= 3;
    }

    /// A corner stands elsewhere.
    pub fn put(&mut self, nth: usize, at: LonLat) {
        if let Some(corner) = self.corners.get_mut(nth) {
            *corner = at;
        }
    }

    /// One more corner, in the middle of the edge behind this one; false where there is none, or no more are allowed.
    pub fn split(&mut self, nth: usize) -> bool {
        let Some(at) = self.middle(nth).filter(|_| self.corners.len() < CORNERS_MAX) else { return false };
        self.corners.insert(nth + 1, at);
        true
    }

    /// One corner fewer; three stay.
    pub fn remove(&mut self, nth: usize) {
        if self.corners.len() > 3 && nth < self.corners.len() {
            self.corners.remove(nth);
        }
    }

    /// The middle of the edge behind a corner; `None` where there is none.
    pub fn middle(&self, nth: usize) -> Option<LonLat> {
        let from = self.corners.get(nth)?;
        let to = match self.corners.get(nth + 1) {
            Some(to) => to,
            None => self.corners.first().filter(|_| self.closed)?,
        };
        Some(LonLat {
            lon_deg: f64::midpoint(from.lon_deg, to.lon_deg),
            lat_deg: f64::midpoint(from.lat_deg, to.lat_deg),
        })
    }

    /// What is wrong with it, for the screen; nothing of one that has too few corners yet.
    pub fn mistake(&self, others: &[AreaRow]) -> Option<String> {
        let name = self.name.trim();
        let is_taken = others.iter().any(|row| row.name == name) && self.replaces.as_deref() != Some(name);
        if is_taken {
            return Some(tr!("There is an area {} already.", format!("{name:?}")));
        }
        if name.chars().count() > NAME_MAX_CHARS {
            return Some(tr!("The name is longer than {} characters.", NAME_MAX_CHARS));
        }
        if name.contains('"') {
            return Some(said("A name has no \" in it: rules write it between two.").to_owned());
        }
        if self.corners.len() < 3 {
            return None;
        }
        match Fence::new(Shape::Polygon(self.corners.clone()), 0.0) {
            Ok(_) => None,
            Err(FenceError::Crosses(one, other)) => Some(tr!(
                "The area crosses itself: the edge behind corner {one} meets the one behind corner {other}. Drag a corner, so that nobody doubts what is inside.",
                one,
                other
            )),
            Err(other) => Some(crate::format::capital(&format!("{other}."))),
        }
    }

    /// Whether it can be kept.
    pub fn is_ready(&self, others: &[AreaRow]) -> bool {
        self.corners.len() >= 3 && !self.name.trim().is_empty() && self.mistake(others).is_none()
    }

    /// Its corners as a person writes them: a line each, degrees north and then east.
    pub fn text(&self) -> String {
        let line = |corner: &LonLat| format!("{:.6}, {:.6}", corner.lat_deg, corner.lon_deg);
        self.corners.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Corners that somebody wrote, or what is wrong with them.
pub fn corners_of(text: &str) -> Result<Vec<LonLat>, String> {
    let mut corners = Vec::new();
    for (nth, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || tr!("Line {} is no place; write degrees north, then east: 35.8981, 14.5142", nth + 1);
        let numbers: Vec<f64> = line
            .split([',', ';', ' ', '\t'])
            .filter(|word| !word.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| wrong())?;
        let [lat_deg, lon_deg] = *numbers.as_slice() else { return Err(wrong()) };
        corners.push(LonLat::new(lon_deg, lat_deg).ok_or_else(wrong)?);
    }
    if corners.len() > CORNERS_MAX {
        return Err(tr!("An area has at most {} corners.", CORNERS_MAX));
    }
    Ok(corners)
}

/// The line around a shape.
pub fn ring(shape: &Shape) -> Vec<LonLat> {
    match shape {
        Shape::Polygon(corners) => corners.clone(),
        Shape::Circle { middle, radius_m } => {
            // Metres of a degree of latitude (IUGG mean radius), as the model measures.
            let up_deg = radius_m / 111_195.08;
            let across_deg = up_deg / middle.lat_deg.to_radians().cos().max(0.01);
            let at = |nth: u32| {
                let turn = std::f64::consts::TAU * f64::from(nth) / f64::from(ROUND);
                LonLat {
                    lon_deg: middle.lon_deg + across_deg * turn.sin(),
                    lat_deg: middle.lat_deg + up_deg * turn.cos(),
                }
            };
            (0..ROUND).map(at).collect()
        }
    }
}

/// The box around a line; `None` of no line.
pub fn box_of(ring: &[LonLat]) -> Option<GeoBox> {
    let first = ring.first()?;
    let start =
        GeoBox { west_deg: first.lon_deg, south_deg: first.lat_deg, east_deg: first.lon_deg, north_deg: first.lat_deg };
    Some(ring.iter().fold(start, |area, at| GeoBox {
        west_deg: area.west_deg.min(at.lon_deg),
        south_deg: area.south_deg.min(at.lat_deg),
        east_deg: area.east_deg.max(at.lon_deg),
        north_deg: area.north_deg.max(at.lat_deg),
    }))
}

/// What is shown of areas. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct AreaDesk {
    /// The areas, as they were last read; empty until they are.
    pub book: RwSignal<AreaBook>,
    /// Whether the panel is there.
    pub open: RwSignal<bool>,
    /// What is being drawn.
    pub drawing: RwSignal<Option<Drawing>>,
    /// Something is on its way to the profile.
    pub busy: RwSignal<bool>,
    /// Why the last wish came to nothing.
    pub wrong: RwSignal<Option<String>>,
    /// What was done last, for whoever did it.
    pub said: RwSignal<Option<String>>,
}

impl AreaDesk {
    /// Nothing is read or drawn yet.
    pub fn new() -> AreaDesk {
        AreaDesk {
            book: RwSignal::default(),
            open: RwSignal::new(false),
            drawing: RwSignal::new(None),
            busy: RwSignal::new(false),
            wrong: RwSignal::new(None),
            said: RwSignal::new(None),
        }
    }

    /// Begins to draw, a new one or one that there is.
    pub fn draw(self, drawing: Drawing) {
        self.wrong.set(None);
        self.said.set(None);
        self.open.set(true);
        self.drawing.set(Some(drawing));
    }

    /// Changes what is drawn, if something is.
    pub fn change(self, change: impl FnOnce(&mut Drawing)) {
        if self.drawing.with_untracked(Option::is_some) {
            self.wrong.set(None);
            self.drawing.update(|drawing| {
                if let Some(drawing) = drawing {
                    change(drawing);
                }
            });
        }
    }

    /// Nothing of it is for whoever is here now: another profile, or somebody who does not see areas.
    pub fn forget(self) {
        self.book.set(AreaBook::default());
        self.put_down();
    }

    /// Puts away what is drawn, and the panel.
    pub fn put_down(self) {
        self.drawing.set(None);
        self.open.set(false);
        self.wrong.set(None);
        self.said.set(None);
    }

    /// Puts away what is drawn, else the panel. Whether there was anything.
    pub fn step_back(self) -> bool {
        self.wrong.set(None);
        self.said.set(None);
        if self.drawing.with_untracked(Option::is_some) {
            self.drawing.set(None);
            true
        } else {
            let was_open = self.open.get_untracked();
            self.open.set(false);
            was_open
        }
    }
}

impl Store {
    /// Reads the areas anew. Who does not see them, and who has no host, has none.
    pub fn read_areas(self) {
        let desk = self.areas;
        self.ask_areas(AreaAsk::Read, move |outcome| match outcome {
            Ok(AreaDone::Book(told)) => desk.book.set(*told),
            Ok(AreaDone::Kept) => {}
            Err(fault) if fault.code == FaultCode::Forbidden => desk.forget(),
            // What was known is still more than nothing.
            Err(fault) => desk.wrong.set(Some(crate::format::capital(&fault.message))),
        });
    }

    /// Keeps what is drawn.
    pub fn keep_area(self) {
        let Some(Drawing { name, corners, replaces, .. }) = self.areas.drawing.get_untracked() else { return };
        let name = name.trim().to_owned();
        let said = tr!("The area {} is kept and holds from now on.", name);
        self.wish_area(AreaAsk::Keep(Box::new(AreaDraft { replaces, name, corners })), said);
    }

    /// Takes an area away.
    pub fn remove_area(self, name: String) {
        let said = tr!("The area {} is gone.", name);
        self.wish_area(AreaAsk::Remove { name }, said);
    }

    fn wish_area(self, ask: AreaAsk, said: String) {
        let desk = self.areas;
        desk.busy.set(true);
        desk.wrong.set(None);
        desk.said.set(None);
        self.ask_areas(ask, move |outcome| {
            desk.busy.set(false);
            match outcome {
                Ok(_) => {
                    desk.drawing.set(None);
                    desk.said.set(Some(said));
                    self.read_areas();
                }
                Err(fault) => desk.wrong.set(Some(crate::format::capital(&fault.message))),
            }
        });
    }

    fn ask_areas(self, ask: AreaAsk, then: impl FnOnce(Result<AreaDone, Fault>) + 'static) {
        let pick = |done| if let Done::Areas(done) = done { Some(done) } else { None };
        self.ask_for(Intent::Areas(ask), pick, then);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_deg: f64, lat_deg: f64) -> LonLat {
        LonLat { lon_deg, lat_deg }
    }

    fn square() -> Drawing {
        let mut drawing = Drawing { name: "quay".into(), ..Drawing::default() };
        for corner in [(14.5, 35.8), (14.6, 35.8), (14.6, 35.9), (14.5, 35.9)] {
            drawing.add(at(corner.0, corner.1));
        }
        drawing.close();
        drawing
    }

    #[test]
    fn corners_are_added_until_the_area_is_closed_and_moved_afterwards() {
        let mut drawing = Drawing::default();
        drawing.add(at(14.5, 35.8));
        drawing.add(at(14.6, 35.8));
        drawing.close();
        assert!(!drawing.closed, "two corners are no area");
        drawing.add(at(14.6, 35.9));
        drawing.add(at(0.0, 0.0));
        drawing.take_back();
        drawing.close();
        drawing.add(at(1.0, 1.0));
        drawing.take_back();
        assert_eq!((drawing.corners.len(), drawing.closed), (3, true));
        assert!(drawing.split(2) && !drawing.split(9));
        let between = drawing.corners.get(3).unwrap();
        assert!(between.distance_m(at(14.55, 35.85)) < 0.01, "between the last and the first: {between:?}");
        drawing.put(3, at(14.5, 35.9));
        drawing.remove(0);
        drawing.remove(0);
        assert_eq!(drawing.corners, [at(14.6, 35.8), at(14.6, 35.9), at(14.5, 35.9)], "three stay");
    }

    #[test]
    fn an_area_with_all_corners_there_may_be_is_not_split() {
        let mut drawing = Drawing { corners: vec![at(14.5, 35.8); CORNERS_MAX], closed: true, ..Drawing::default() };
        assert!(!drawing.split(0));
        assert_eq!(drawing.corners.len(), CORNERS_MAX);
    }

    #[test]
    fn what_is_wrong_is_told_before_it_is_sent() {
        let drawing = square();
        assert!(drawing.is_ready(&[]));
        let mut bow = square();
        bow.corners.swap(1, 2);
        let told = bow.mistake(&[]).unwrap();
        assert!(told.starts_with("The area crosses itself: the edge behind corner 1 meets"), "{told}");
        let row = AreaRow {
            name: "quay".into(),
            shape: Shape::Polygon(drawing.corners.clone()),
            margin_m: 20.0,
            drawn: true,
            rules: Vec::new(),
        };
        assert_eq!(drawing.mistake(std::slice::from_ref(&row)).as_deref(), Some("There is an area \"quay\" already."));
        assert!(Drawing::of(&row).unwrap().is_ready(&[row]), "it keeps its own name");
        assert!(!Drawing { name: " ".into(), ..square() }.is_ready(&[]));
        let far = Drawing { corners: vec![at(0.0, 0.0), at(40.0, 0.0), at(0.0, 1.0)], ..square() };
        assert!(far.mistake(&[]).unwrap().starts_with("Corner 2 is too far"));
    }

    #[test]
    fn corners_are_read_as_they_are_written() {
        let drawing = square();
        assert_eq!(corners_of(&drawing.text()), Ok(drawing.corners));
        assert_eq!(corners_of("35.8 14.5\n\n35.9;14.6"), Ok(vec![at(14.5, 35.8), at(14.6, 35.9)]));
        for wrong in ["35.8", "north, east", "95, 14.5", "35.8, 14.5, 3"] {
            assert!(corners_of(wrong).unwrap_err().starts_with("Line 1 is no place"), "{wrong}");
        }
    }

    #[test]
    fn a_circle_is_shown_as_large_as_it_is() {
        let line = ring(&Shape::Circle { middle: at(14.5, 35.9), radius_m: 1_000.0 });
        assert!(line.iter().all(|corner| (corner.distance_m(at(14.5, 35.9)) - 1_000.0).abs() < 5.0), "{line:?}");
        let area = box_of(&line).unwrap();
        assert!(area.west_deg < 14.49 && area.north_deg > 35.908);
    }
}
