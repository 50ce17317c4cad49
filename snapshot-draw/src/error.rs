//! Why there is no picture.

use std::fmt;
use std::io;

use fleetlens_snapshot::exit;
use fleetlens_snapshot::frame::TileNumber;
use fleetlens_snapshot::parcel::ParcelError;

/// Why there is no picture; each says what was given.
#[derive(Debug)]
pub enum DrawError {
    /// The request cannot be read.
    Parcel(ParcelError),
    /// A tile is no vector tile, or too much of one.
    Tile(TileNumber, String),
    /// There is no graphics driver.
    NoDriver(String),
    /// What was drawn makes no picture.
    Picture(String),
    /// Nobody takes the picture.
    Out(io::Error),
}

impl DrawError {
    /// The program's exit code.
    pub fn code(&self) -> u8 {
        match self {
            DrawError::Parcel(_) => exit::REQUEST,
            DrawError::Tile(..) => exit::TILE,
            DrawError::NoDriver(_) => exit::NO_DRIVER,
            DrawError::Picture(_) | DrawError::Out(_) => 1,
        }
    }
}

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DrawError::Parcel(error) => error.fmt(f),
            DrawError::Tile(TileNumber { z, x, y }, what) => write!(f, "tile {z}/{x}/{y} cannot be drawn: {what}"),
            DrawError::NoDriver(what) => write!(
                f,
                "no map can be drawn because this computer has no Vulkan driver ({what}); on Debian and Ubuntu the package \
                 mesa-vulkan-drivers has one for every computer"
            ),
            DrawError::Picture(what) => write!(f, "what was drawn makes no picture: {what}"),
            DrawError::Out(error) => write!(f, "the picture cannot be handed over: {error}"),
        }
    }
}

impl From<ParcelError> for DrawError {
    fn from(error: ParcelError) -> DrawError {
        DrawError::Parcel(error)
    }
}
