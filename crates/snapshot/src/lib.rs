//! Small maps as pictures, for notifications and reports: what can be asked for, and the process that draws it.
//!
//! Drawing happens in a program of its own, `fleetlens-snapshot` (the folder `snapshot-draw`): the library that draws panics where
//! it is given something it did not expect, a graphics driver may hang or take the process with it, and neither may reach the app.
//! The program gets everything through its standard input (`parcel`) and opens no file and no connection.
//!
//! What does not belong here: the drawing itself, styles, `maplibre`.

pub mod frame;
pub mod parcel;
mod request;
#[cfg(feature = "run")]
mod run;

pub use request::{
    LABEL_MAX_CHARS, MARKS_MAX, Mark, RequestError, SCALE_MAX, SIDE_MAX_PX, Sign, Snapshot, Theme, ZOOM_MAX,
};
#[cfg(feature = "run")]
pub use run::{PNG_MAX_BYTES, SnapshotError, USUAL_TIME, draw, draw_parcel, draw_within, parcel, program_beside};

/// What the program's exit code says; its standard error says it in a sentence.
pub mod exit {
    /// What was asked for makes no sense.
    pub const REQUEST: u8 = 2;
    /// The machine offers nothing to draw with.
    pub const NO_DRIVER: u8 = 3;
    /// A tile is no vector tile.
    pub const TILE: u8 = 4;
}
