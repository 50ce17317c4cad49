//! Names on the map, and whose map it is. What comes first has its room, and what would lie on something is left out.

use fleetlens_snapshot::Snapshot;
use tiny_skia::{Pixmap, Transform};

use crate::ground::{Name, NameOf};
use crate::palette::Palette;
use crate::text::Words;

/// The most characters of an attribution.
const ATTRIBUTION_MAX_CHARS: usize = 120;

/// How wide the halo around a name is, in CSS pixels.
const HALO_PX: f32 = 1.3;

/// A street's name stands on a part of it that turns no more than this, in radians.
const STRAIGHT_RAD: f64 = 0.22;

/// The most names of streets; a small picture that is full of words shows no map.
const STREETS_MAX: usize = 6;

/// A part of the picture, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

impl Extent {
    /// Around a middle.
    pub fn around(x: f32, y: f32, width: f32, height: f32) -> Extent {
        Extent { left: x - width / 2.0, top: y - height / 2.0, right: x + width / 2.0, bottom: y + height / 2.0 }
    }

    /// Whether any part is common.
    pub fn meets(&self, other: &Extent) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether it is whole in the picture, with a little margin.
    pub fn is_within(&self, snapshot: &Snapshot) -> bool {
        let (width, height) = (snapshot.width_px as f32, snapshot.height_px as f32);
        self.left >= 2.0 && self.top >= 2.0 && self.right <= width - 2.0 && self.bottom <= height - 2.0
    }
}

/// A line of text with its place.
pub struct Line {
    words: Words,
    /// Its left end on the base line, in CSS pixels.
    x: f32,
    y: f32,
}

impl Line {
    /// The room it takes.
    pub fn extent(&self) -> Extent {
        let size = self.words.size_px;
        Extent {
            left: self.x - 3.0,
            top: self.y - size,
            right: self.x + self.words.width_px + 3.0,
            bottom: self.y + 4.0,
        }
    }
}

/// Whose map it is, in the lower right corner; `None` where nobody has to be named.
pub fn attribution(snapshot: &Snapshot) -> Option<Line> {
    let text = plain(snapshot.attribution.as_deref()?);
    if text.trim().is_empty() {
        return None;
    }
    let (width, height) = (snapshot.width_px as f32, snapshot.height_px as f32);
    let words = Words::within(text.trim(), 9.0, width - 8.0);
    Some(Line { x: width - words.width_px - 5.0, y: height - 5.0, words })
}

/// Draws whose map it is.
pub fn sign(picture: &mut Pixmap, snapshot: &Snapshot, line: &Line, palette: &Palette) {
    let at = Transform::from_translate(line.x, line.y).post_scale(snapshot.scale.into(), snapshot.scale.into());
    line.words.halo(picture, at, palette.halo, HALO_PX);
    line.words.fill(picture, at, palette.street_name);
}

/// What stands between the tags of a piece of HTML, which an attribution may be.
fn plain(html: &str) -> String {
    let mut in_tag = false;
    let is_text = |c: &char| {
        let was_in_tag = in_tag;
        in_tag = if was_in_tag { *c != '>' } else { *c == '<' };
        !was_in_tag && !in_tag && !c.is_control()
    };
    html.chars().filter(is_text).take(ATTRIBUTION_MAX_CHARS).collect()
}

/// Draws the names that have room, the important ones first, and tells what room they took.
pub fn names(picture: &mut Pixmap, snapshot: &Snapshot, names: &[Name], taken: &mut Vec<Extent>, palette: &Palette) {
    let mut in_order: Vec<&Name> = names.iter().filter(|name| is_written(name.of, snapshot.zoom)).collect();
    in_order.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| length(b).total_cmp(&length(a))));
    let (mut written, mut streets) = (Vec::<&str>::new(), 0);
    for name in in_order {
        let is_street = name.of == NameOf::Street;
        if written.contains(&name.text.as_str()) || is_street && streets >= STREETS_MAX {
            continue;
        }
        let (size_px, colour) = match name.of {
            NameOf::Place(0) => (14.0, palette.place_name),
            NameOf::Place(1) => (12.5, palette.place_name),
            NameOf::Place(_) => (11.0, palette.place_name),
            NameOf::Water => (10.5, palette.water_name),
            NameOf::Street => (9.5, palette.street_name),
        };
        let words = Words::new(&name.text, size_px);
        let Some((x, y, angle_rad)) = place(name, &words) else { continue };
        let extent = room(x, y, angle_rad, &words);
        if !extent.is_within(snapshot) || taken.iter().any(|other| other.meets(&extent)) {
            continue;
        }
        // The middle of small letters is a third of the size above the base line.
        let at = Transform::from_translate(-words.width_px / 2.0, size_px * 0.35)
            .post_rotate(angle_rad.to_degrees())
            .post_translate(x, y)
            .post_scale(snapshot.scale.into(), snapshot.scale.into());
        words.halo(picture, at, palette.halo, HALO_PX);
        words.fill(picture, at, colour);
        taken.push(extent);
        written.push(&name.text);
        streets += usize::from(is_street);
    }
}

/// From how near a name is written.
fn is_written(of: NameOf, zoom: f64) -> bool {
    zoom >= match of {
        NameOf::Place(0) => 6.0,
        NameOf::Place(1) => 9.5,
        NameOf::Place(2) => 11.0,
        NameOf::Place(_) => 13.0,
        NameOf::Water => 11.0,
        NameOf::Street => 14.5,
    }
}

/// Places, waters, streets.
fn order(name: &Name) -> (u8, i64) {
    match name.of {
        NameOf::Place(class) => (class, name.rank),
        NameOf::Water => (10, name.rank),
        NameOf::Street => (11, 0),
    }
}

fn length(name: &Name) -> f64 {
    name.at.windows(2).map(|pair| if let [a, b] = pair { (b.0 - a.0).hypot(b.1 - a.1) } else { 0.0 }).sum()
}

/// The middle of the words and how they are turned; `None` where the street is too short or too bent.
fn place(name: &Name, words: &Words) -> Option<(f32, f32, f32)> {
    if name.of != NameOf::Street {
        let (x, y) = name.at.first()?;
        return Some((*x as f32, *y as f32, 0.0));
    }
    let (from, to) = straight(&name.at)?;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    if dx.hypot(dy) < f64::from(words.width_px) + 8.0 {
        return None;
    }
    let angle = dy.atan2(dx);
    // Never upside down.
    let upright =
        if angle.abs() > std::f64::consts::FRAC_PI_2 { angle - std::f64::consts::PI.copysign(angle) } else { angle };
    Some((((from.0 + to.0) / 2.0) as f32, ((from.1 + to.1) / 2.0) as f32, upright as f32))
}

/// The ends of the longest part of a line that is nearly straight.
fn straight(line: &[(f64, f64)]) -> Option<((f64, f64), (f64, f64))> {
    let mut best: Option<((f64, f64), (f64, f64))> = None;
    let mut begin: Option<((f64, f64), f64)> = None;
    for pair in line.windows(2) {
        let [from, to] = pair else { continue };
        let heading = (to.1 - from.1).atan2(to.0 - from.0);
        let (start, first) =
            begin.filter(|(_, first)| turn(*first, heading) <= STRAIGHT_RAD).unwrap_or((*from, heading));
        begin = Some((start, first));
        let long = |(a, b): ((f64, f64), (f64, f64))| (b.0 - a.0).hypot(b.1 - a.1);
        if best.is_none_or(|known| long((start, *to)) > long(known)) {
            best = Some((start, *to));
        }
    }
    best
}

/// How far two headings are apart, in radians.
fn turn(a: f64, b: f64) -> f64 {
    let apart = (a - b).rem_euclid(std::f64::consts::TAU);
    apart.min(std::f64::consts::TAU - apart)
}

fn room(x: f32, y: f32, angle_rad: f32, words: &Words) -> Extent {
    let (width, height) = (words.width_px + 4.0, words.size_px + 3.0);
    let (sine, cosine) = (angle_rad.sin().abs(), angle_rad.cos().abs());
    Extent::around(x, y, width * cosine + height * sine, width * sine + height * cosine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribution_is_text() {
        assert_eq!(plain("<a href=\"x\">© OpenStreetMap</a> contributors"), "© OpenStreetMap contributors");
        assert_eq!(plain(&"x".repeat(500)).len(), ATTRIBUTION_MAX_CHARS);
    }

    #[test]
    fn a_street_is_named_on_its_straightest_part_and_never_upside_down() {
        let bent = vec![(0.0, 0.0), (0.0, 30.0), (-100.0, 30.0), (-200.0, 31.0), (-200.0, 90.0)];
        assert_eq!(straight(&bent), Some(((0.0, 30.0), (-200.0, 31.0))));
        let name = |at| Name { text: "Triq".into(), of: NameOf::Street, rank: 0, at };
        let words = Words::new("Triq", 10.0);
        let (x, y, angle_rad) = place(&name(bent), &words).unwrap();
        assert_eq!((x, y), (-100.0, 30.5));
        assert!(angle_rad.abs() < 0.02, "{angle_rad}");
        assert_eq!(place(&name(vec![(0.0, 0.0), (9.0, 0.0)]), &words), None, "it is too short");
    }

    #[test]
    fn parts_that_touch_do_not_meet() {
        let one = Extent::around(5.0, 5.0, 10.0, 10.0);
        assert!(one.meets(&Extent::around(9.0, 9.0, 2.0, 2.0)));
        assert!(!one.meets(&Extent::around(15.0, 5.0, 10.0, 10.0)));
    }
}
