//! What a picture is asked for with.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::frame::fit;

/// The longest side of a picture, in CSS pixels.
pub const SIDE_MAX_PX: u32 = 1_024;

/// The most pixels a CSS pixel can have, along one side.
pub const SCALE_MAX: u8 = 2;

/// The deepest zoom; what tiles do not have is drawn larger.
pub const ZOOM_MAX: f64 = 20.0;

/// How many marks a picture can have.
pub const MARKS_MAX: usize = 256;

/// How many characters a label may have; it ends with an ellipsis where it has no room.
pub const LABEL_MAX_CHARS: usize = 80;

/// How near one thing is looked at.
const NEAR_ZOOM: f64 = 15.0;

/// Mercator's world ends here, in degrees.
const LAT_MAX_DEG: f64 = 85.05;

/// One picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The middle of the picture, in degrees north; Mercator's world ends at 85.05.
    pub lat_deg: f64,
    /// The middle of the picture, in degrees east.
    pub lon_deg: f64,
    /// How near, as MapLibre counts it: at 0 the world is 512 CSS pixels wide. 0 to [`ZOOM_MAX`].
    pub zoom: f64,
    /// Width in CSS pixels, 16 to [`SIDE_MAX_PX`].
    pub width_px: u32,
    /// Height in CSS pixels, 16 to [`SIDE_MAX_PX`].
    pub height_px: u32,
    /// Pixels of the picture a CSS pixel, 1 to [`SCALE_MAX`].
    pub scale: u8,
    /// Dark or light.
    pub theme: Theme,
    /// What is marked; later ones lie over earlier ones. At most [`MARKS_MAX`].
    pub marks: Vec<Mark>,
    /// Whether it is sea around what the tiles cover, as around the built-in ones; else the ground there is plain.
    pub sea_around: bool,
    /// Whose data the tiles are, as it is written into the lower right corner. `None`: what the tiles say of themselves.
    pub attribution: Option<String>,
}

/// Which of the two sets of colours, those of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// Something marked on the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Degrees north.
    pub lat_deg: f64,
    /// Degrees east.
    pub lon_deg: f64,
    /// How it looks.
    pub sign: Sign,
    /// What is written beside it, as text; at most [`LABEL_MAX_CHARS`] characters of it.
    pub label: Option<String>,
}

/// How a mark looks: a shape and a colour, so that neither has to be told apart alone. The same as on the window's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// Nothing is wrong: a grey dot.
    Calm,
    /// Needs a look today: an amber triangle.
    Warning,
    /// Needs a person at once: a red diamond.
    Critical,
    /// Nobody knows: a hollow grey dot.
    Unknown,
}

/// Why no such picture can be drawn.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RequestError {
    /// A number that is none, or outside what it may be.
    #[error("{name} is {value}; it must be {from} to {to}")]
    Number {
        /// The field.
        name: &'static str,
        /// What was given.
        value: f64,
        /// The least there can be.
        from: f64,
        /// The most there can be.
        to: f64,
    },
    /// Too many marks.
    #[error("{0} marks; a picture has {MARKS_MAX} at most")]
    Marks(usize),
}

impl Snapshot {
    /// A picture of marks, as near as a street with its neighbours, or as far away as all of them need; `None` without a mark. With
    /// [`Snapshot::scale`] 1, and plain ground around the tiles.
    pub fn of(marks: Vec<Mark>, width_px: u32, height_px: u32, theme: Theme) -> Option<Snapshot> {
        let places: Vec<(f64, f64)> = marks.iter().map(|mark| (mark.lat_deg, mark.lon_deg)).collect();
        let (lat_deg, lon_deg, zoom) = fit(&places, width_px, height_px, NEAR_ZOOM)?;
        Some(Snapshot {
            lat_deg,
            lon_deg,
            zoom,
            width_px,
            height_px,
            scale: 1,
            theme,
            marks,
            sea_around: false,
            attribution: None,
        })
    }

    /// Fails with the first field that no picture can have.
    pub fn check(&self) -> Result<(), RequestError> {
        let side = f64::from(SIDE_MAX_PX);
        let numbers = [
            ("lat_deg", self.lat_deg, -LAT_MAX_DEG, LAT_MAX_DEG),
            ("lon_deg", self.lon_deg, -180.0, 180.0),
            ("zoom", self.zoom, 0.0, ZOOM_MAX),
            ("width_px", f64::from(self.width_px), 16.0, side),
            ("height_px", f64::from(self.height_px), 16.0, side),
            ("scale", f64::from(self.scale), 1.0, f64::from(SCALE_MAX)),
        ];
        if self.marks.len() > MARKS_MAX {
            return Err(RequestError::Marks(self.marks.len()));
        }
        let of_marks = self.marks.iter().flat_map(|mark| {
            [("a mark's lat_deg", mark.lat_deg, -90.0, 90.0), ("a mark's lon_deg", mark.lon_deg, -180.0, 180.0)]
        });
        match numbers.into_iter().chain(of_marks).find(|(_, value, from, to)| !(from..=to).contains(&value)) {
            Some((name, value, from, to)) => Err(RequestError::Number { name, value, from, to }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_drawn_is_taken() {
        let sound = Snapshot {
            lat_deg: 35.9,
            lon_deg: 14.5,
            zoom: 14.0,
            width_px: 400,
            height_px: 200,
            scale: 1,
            theme: Theme::Dark,
            marks: vec![Mark { lat_deg: 35.9, lon_deg: 14.5, sign: Sign::Critical, label: None }],
            sea_around: false,
            attribution: None,
        };
        assert_eq!(sound.check(), Ok(()));
        let near = Snapshot::of(sound.marks.clone(), 400, 200, Theme::Dark).unwrap();
        assert_eq!((near.check(), near.zoom), (Ok(()), NEAR_ZOOM));
        assert_eq!(Snapshot::of(Vec::new(), 400, 200, Theme::Dark), None);
        type Change = fn(&mut Snapshot);
        let cases: [(&str, Change); 8] = [
            ("lat_deg is NaN; it must be -85.05 to 85.05", |s| s.lat_deg = f64::NAN),
            ("lon_deg is 181; it must be -180 to 180", |s| s.lon_deg = 181.0),
            ("zoom is -1; it must be 0 to 20", |s| s.zoom = -1.0),
            ("width_px is 0; it must be 16 to 1024", |s| s.width_px = 0),
            ("height_px is 4000; it must be 16 to 1024", |s| s.height_px = 4_000),
            ("scale is 3; it must be 1 to 2", |s| s.scale = 3),
            ("a mark's lat_deg is inf; it must be -90 to 90", |s| s.marks[0].lat_deg = f64::INFINITY),
            ("257 marks; a picture has 256 at most", |s| s.marks = vec![s.marks[0].clone(); 257]),
        ];
        for (want, change) in cases {
            let mut broken = sound.clone();
            change(&mut broken);
            assert_eq!(broken.check().unwrap_err().to_string(), want);
        }
    }
}
