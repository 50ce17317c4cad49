//! Marks, as on the window's map: the shape says as much as the colour, so that nobody has to tell red from amber.

use fleetlens_snapshot::frame::{Frame, Place};
use fleetlens_snapshot::{LABEL_MAX_CHARS, Mark, Sign, Snapshot};
use tiny_skia::{FillRule, LineJoin, Path, PathBuilder, Pixmap, Stroke, Transform};

use crate::labels::Extent;
use crate::palette::Palette;
use crate::text::{Words, paint};

/// From the middle of an alarm's mark to its corners, in CSS pixels.
const ALARM_PX: f32 = 10.0;

/// The radius of any other mark, in CSS pixels.
const DOT_PX: f32 = 5.5;

/// How wide the edge around a mark is, in CSS pixels.
const EDGE_PX: f32 = 2.0;

/// The size of what is written beside a mark, in CSS pixels.
const LABEL_PX: f32 = 12.0;

/// The widest a label gets, as a share of the picture.
const LABEL_SHARE: f32 = 0.6;

/// A label with the room that was found for it.
pub struct Label {
    words: Words,
    room: Extent,
}

/// The rooms that the marks take, without their labels.
pub fn places(snapshot: &Snapshot, frame: &Frame) -> Vec<Extent> {
    seen(snapshot, frame).map(|(mark, at)| body(mark.sign, at)).collect()
}

/// Finds room for the labels: to the right of a mark, to its left, below, above or aslant, wherever there is some first. A label without room is
/// left out.
pub fn labels(snapshot: &Snapshot, frame: &Frame, taken: &mut Vec<Extent>) -> Vec<Label> {
    let mut found = Vec::new();
    // The last mark lies on top, so it is the first to have its label.
    for (mark, at) in Vec::from_iter(seen(snapshot, frame)).into_iter().rev() {
        let text: String = mark.label.iter().flat_map(|label| label.chars()).take(LABEL_MAX_CHARS).collect();
        if text.trim().is_empty() {
            continue;
        }
        let words = Words::within(text.trim(), LABEL_PX, snapshot.width_px as f32 * LABEL_SHARE);
        let own = body(mark.sign, at);
        let calm: Vec<Extent> = seen(snapshot, frame)
            .filter(|(mark, _)| !is_alarm(mark.sign))
            .map(|(mark, at)| body(mark.sign, at))
            .collect();
        let is_free = |room: &Extent, over_calm: bool| {
            let mut others = taken.iter().filter(|other| **other != own && !(over_calm && calm.contains(other)));
            room.is_within(snapshot) && !others.any(|other| other.meets(room))
        };
        let rooms = rooms(mark.sign, at, words.width_px);
        let free = |over_calm| rooms.iter().find(|room| is_free(room, over_calm)).copied();
        // What an alarm is called is worth more than to see one more thing that is well.
        let room = free(false).or_else(|| free(true).filter(|_| is_alarm(mark.sign)));
        if let Some(room) = room {
            taken.push(room);
            found.push(Label { words, room });
        }
    }
    found
}

/// Where a label may be, the best first.
fn rooms(sign: Sign, at: Place, words_px: f32) -> [Extent; 8] {
    let (width, height) = (words_px + 12.0, LABEL_PX + 8.0);
    let away = radius_px(sign) + EDGE_PX + 4.0;
    let (right, down) = (away + width / 2.0, away + height / 2.0);
    let (aside, over) = (right - away / 2.0, down - away / 2.0);
    [
        (right, 0.0),
        (-right, 0.0),
        (0.0, down),
        (0.0, -down),
        (aside, over),
        (-aside, over),
        (aside, -over),
        (-aside, -over),
    ]
    .map(|(dx, dy)| Extent::around(at.x as f32 + dx, at.y as f32 + dy, width, height))
}

/// Draws all marks, and the labels over them.
pub fn draw(picture: &mut Pixmap, snapshot: &Snapshot, frame: &Frame, labels: &[Label], palette: &Palette) {
    let scale = f32::from(snapshot.scale);
    for (mark, at) in seen(snapshot, frame) {
        let to = Transform::from_translate(at.x as f32, at.y as f32).post_scale(scale, scale);
        draw_one(picture, mark.sign, palette, to);
    }
    for Label { words, room } in labels {
        if let Some(ground) = round_box(room, 4.0) {
            let to = Transform::from_scale(scale, scale);
            picture.fill_path(&ground, &paint(palette.edge, 0.9), FillRule::Winding, to, None);
        }
        let base = room.bottom - 4.0 - LABEL_PX * 0.2;
        let to = Transform::from_translate(room.left + 6.0, base).post_scale(scale, scale);
        words.fill(picture, to, palette.text);
    }
}

/// The marks that are in the picture.
fn seen<'a>(snapshot: &'a Snapshot, frame: &'a Frame) -> impl Iterator<Item = (&'a Mark, Place)> {
    let margin = f64::from(ALARM_PX);
    let (width, height) = (f64::from(snapshot.width_px), f64::from(snapshot.height_px));
    snapshot.marks.iter().map(move |mark| (mark, frame.place(mark.lat_deg, mark.lon_deg))).filter(move |(_, at)| {
        (-margin..=width + margin).contains(&at.x) && (-margin..=height + margin).contains(&at.y)
    })
}

fn radius_px(sign: Sign) -> f32 {
    match sign {
        Sign::Critical | Sign::Warning => ALARM_PX,
        Sign::Calm | Sign::Unknown => DOT_PX,
    }
}

fn body(sign: Sign, at: Place) -> Extent {
    let side = 2.0 * (radius_px(sign) + EDGE_PX);
    Extent::around(at.x as f32, at.y as f32, side, side)
}

/// A shape around 0, in CSS pixels.
fn shape(sign: Sign) -> Option<Path> {
    let r = radius_px(sign);
    let corners: &[(f32, f32)] = match sign {
        Sign::Critical => &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
        Sign::Warning => &[(0.0, -1.0), (1.0, 0.8), (-1.0, 0.8)],
        Sign::Calm | Sign::Unknown => return PathBuilder::from_circle(0.0, 0.0, r),
    };
    let mut path = PathBuilder::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        if index == 0 {
            path.move_to(x * r, y * r);
        } else {
            path.line_to(x * r, y * r);
        }
    }
    path.close();
    path.finish()
}

fn is_alarm(sign: Sign) -> bool {
    match sign {
        Sign::Critical | Sign::Warning => true,
        Sign::Calm | Sign::Unknown => false,
    }
}

fn draw_one(picture: &mut Pixmap, sign: Sign, palette: &Palette, at: Transform) {
    let colour = palette.of_sign(sign);
    if let Some(glow) = PathBuilder::from_circle(0.0, 0.0, ALARM_PX * 2.0).filter(|_| is_alarm(sign)) {
        picture.fill_path(&glow, &paint(colour, 0.2), FillRule::Winding, at, None);
    }
    let Some(path) = shape(sign) else { return };
    let around = |width| Stroke { width, line_join: LineJoin::Round, ..Stroke::default() };
    picture.stroke_path(&path, &paint(palette.edge, 1.0), &around(2.0 * EDGE_PX), at, None);
    if sign == Sign::Unknown {
        picture.fill_path(&path, &paint(palette.edge, 1.0), FillRule::Winding, at, None);
        picture.stroke_path(&path, &paint(colour, 1.0), &around(1.8), at, None);
    } else {
        picture.fill_path(&path, &paint(colour, 1.0), FillRule::Winding, at, None);
        // Corners as round as on the window's map.
        picture.stroke_path(&path, &paint(colour, 1.0), &around(1.4), at, None);
    }
}

/// A box with round corners.
fn round_box(room: &Extent, r: f32) -> Option<Path> {
    let Extent { left, top, right, bottom } = *room;
    let mut path = PathBuilder::new();
    path.move_to(left + r, top);
    path.line_to(right - r, top);
    path.quad_to(right, top, right, top + r);
    path.line_to(right, bottom - r);
    path.quad_to(right, bottom, right - r, bottom);
    path.line_to(left + r, bottom);
    path.quad_to(left, bottom, left, bottom - r);
    path.line_to(left, top + r);
    path.quad_to(left, top, left + r, top);
    path.close();
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetlens_snapshot::Theme;

    fn snapshot(marks: Vec<Mark>) -> Snapshot {
        Snapshot {
            lat_deg: 35.9,
            lon_deg: 14.5,
            zoom: 14.0,
            width_px: 300,
            height_px: 150,
            scale: 1,
            theme: Theme::Dark,
            marks,
            sea_around: true,
            attribution: None,
        }
    }

    #[test]
    fn a_label_lies_in_the_picture_and_on_no_mark() {
        let mark = |lon_deg: f64, label: &str| Mark {
            lat_deg: 35.9,
            lon_deg,
            sign: Sign::Critical,
            label: Some(label.into()),
        };
        for (name, marks, want) in [
            ("beside its mark", vec![mark(14.5, "Bin 4")], 1),
            ("none", vec![mark(14.5, " ")], 0),
            ("at the right edge", vec![mark(14.505, "A long name of a thing")], 1),
            ("far away", vec![mark(15.5, "Bin 4")], 0),
            ("two that lie on each other", vec![mark(14.5, "Bin 4"), mark(14.5, "Bin 5")], 2),
        ] {
            let snapshot = snapshot(marks);
            let frame = Frame::of(&snapshot);
            let mut taken = places(&snapshot, &frame);
            let labels = labels(&snapshot, &frame, &mut taken);
            assert_eq!(labels.len(), want, "{name}");
            assert!(labels.iter().all(|label| label.room.is_within(&snapshot)), "{name}");
        }
    }
}
