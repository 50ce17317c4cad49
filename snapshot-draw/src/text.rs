//! Words: the outlines of letters out of a font that is part of the program, so that a picture looks the same on every machine.

use std::sync::LazyLock;

use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::palette::Rgb;

/// Inter, medium, with Latin, Greek and Cyrillic letters (assets/NOTICE.md).
const FONT: &[u8] = include_bytes!("../assets/inter-labels.ttf");

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(FONT, 0).ok());

/// A line of text as it will be drawn, its left end and its base line at 0.
pub struct Words {
    outline: Option<Path>,
    /// CSS pixels.
    pub width_px: f32,
    /// CSS pixels.
    pub size_px: f32,
}

impl Words {
    /// Characters that the font lacks are left out, and control characters are blanks.
    pub fn new(text: &str, size_px: f32) -> Words {
        let mut pen = Pen { path: PathBuilder::new(), x: 0.0, scale: 0.0 };
        if let Some(face) = FACE.as_ref() {
            pen.scale = size_px / f32::from(face.units_per_em());
            for glyph in text.chars().filter_map(|c| glyph(face, c)) {
                face.outline_glyph(glyph, &mut pen);
                pen.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * pen.scale;
            }
        }
        Words { width_px: pen.x, size_px, outline: pen.path.finish() }
    }

    /// The same, cut to a width and ended with an ellipsis where it has no room.
    pub fn within(text: &str, size_px: f32, max_px: f32) -> Words {
        let whole = Words::new(text, size_px);
        let mut kept: Vec<char> = text.chars().collect();
        let mut words = whole;
        while words.width_px > max_px && kept.pop().is_some() {
            let cut: String = kept.iter().collect();
            words = Words::new(&format!("{}…", cut.trim_end()), size_px);
        }
        words
    }

    /// Draws it in a colour; `at` brings its left end on the base line to where it stands in the picture's pixels.
    pub fn fill(&self, picture: &mut Pixmap, at: Transform, colour: Rgb) {
        if let Some(outline) = &self.outline {
            picture.fill_path(outline, &paint(colour, 1.0), FillRule::Winding, at, None);
        }
    }

    /// Draws what is around it, so that it can be read on any ground.
    pub fn halo(&self, picture: &mut Pixmap, at: Transform, colour: Rgb, width_px: f32) {
        if let Some(outline) = &self.outline {
            let stroke = Stroke { width: 2.0 * width_px, line_join: LineJoin::Round, ..Stroke::default() };
            picture.stroke_path(outline, &paint(colour, 0.9), &stroke, at, None);
        }
    }
}

/// A colour to draw with; `alpha` from 0 to 1.
pub fn paint(colour: Rgb, alpha: f32) -> Paint<'static> {
    let [r, g, b] = colour;
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (alpha * 255.0).round() as u8);
    paint
}

fn glyph(face: &Face, character: char) -> Option<GlyphId> {
    face.glyph_index(if character.is_control() { ' ' } else { character })
}

/// Draws letters one after the other, upside down as fonts have them.
struct Pen {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_letters_of_europes_cities() {
        let face = FACE.as_ref().unwrap();
        for text in ["Ħal Għargħur", "Ċirkewwa", "Łódź", "Škofja Loka", "Αθήνα", "Київ", "São Paulo", "© … – — ’ €"]
        {
            let missing: String = text.chars().filter(|c| face.glyph_index(*c).is_none()).collect();
            assert_eq!(missing, "", "{text}");
        }
    }

    #[test]
    fn what_has_no_room_ends_with_an_ellipsis() {
        let whole = Words::new("Triq ir-Repubblika", 12.0);
        let cut = Words::within("Triq ir-Repubblika", 12.0, 60.0);
        assert!((90.0..120.0).contains(&whole.width_px), "{}", whole.width_px);
        assert!((40.0..=60.0).contains(&cut.width_px), "{}", cut.width_px);
        assert_eq!(Words::within("a", 12.0, 100.0).width_px, Words::new("a", 12.0).width_px);
        assert!(Words::within("wide", 12.0, 0.0).width_px < 20.0, "it comes to an end");
    }
}
