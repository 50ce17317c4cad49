//! What goes to the drawing process: one line of JSON (the request, and the tiles with their lengths), then the tiles' bytes one
//! after the other. Nothing in it is trusted by its length: every part is bounded before it is read.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::frame::{TILES_MAX, TileNumber};
use crate::{RequestError, Snapshot};

/// The longest first line.
const LINE_MAX_BYTES: u64 = 256 * 1024;

/// The largest tile, unzipped; the same as what is handed out of a tile file.
const TILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A request with all that is needed to draw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// The picture.
    pub snapshot: Snapshot,
    /// What the tiles cover, where it is sea around that; `None` where nobody knows.
    pub land: Option<Land>,
    /// The tiles that there are, unzipped. Where one is missing the ground is plain.
    pub tiles: Vec<(TileNumber, Vec<u8>)>,
}

/// A box of the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Land {
    /// Its western edge.
    pub west_deg: f64,
    /// Its southern edge.
    pub south_deg: f64,
    /// Its eastern edge.
    pub east_deg: f64,
    /// Its northern edge.
    pub north_deg: f64,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    snapshot: Snapshot,
    land: Option<Land>,
    tiles: Vec<Listed>,
}

/// A tile, and how many bytes it has.
#[derive(Serialize, Deserialize)]
struct Listed {
    #[serde(flatten)]
    number: TileNumber,
    bytes: u64,
}

/// What is wrong with a parcel.
#[derive(Debug, Error)]
pub enum ParcelError {
    /// It ended early, or the pipe broke.
    #[error("the request does not arrive whole: {0}")]
    Cut(#[from] io::Error),
    /// The first line is no request.
    #[error("the first line is no request: {0}")]
    Line(#[from] serde_json::Error),
    /// See there.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Too many tiles, or too large a one.
    #[error(
        "{tiles} tiles, the largest of {bytes} bytes; {TILES_MAX} of at most {TILE_MAX_BYTES} bytes each can be drawn"
    )]
    TooMuch {
        /// How many there are.
        tiles: usize,
        /// Bytes of the largest.
        bytes: u64,
    },
}

impl Parcel {
    /// Writes it whole.
    pub fn write(&self, to: &mut impl Write) -> Result<(), ParcelError> {
        let listed = |(number, bytes): &(TileNumber, Vec<u8>)| Listed { number: *number, bytes: bytes.len() as u64 };
        let tiles = self.tiles.iter().map(listed).collect();
        let header = Header { snapshot: self.snapshot.clone(), land: self.land, tiles };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        to.write_all(&line)?;
        for (_, bytes) in &self.tiles {
            to.write_all(bytes)?;
        }
        Ok(to.flush()?)
    }

    /// Reads one, and refuses what cannot be drawn.
    pub fn read(from: &mut impl BufRead) -> Result<Parcel, ParcelError> {
        let mut line = Vec::new();
        from.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line)?;
        let Header { snapshot, land, tiles: listed } = serde_json::from_slice(&line)?;
        snapshot.check()?;
        let largest = listed.iter().map(|tile| tile.bytes).max().unwrap_or(0);
        if listed.len() > TILES_MAX || largest > TILE_MAX_BYTES {
            return Err(ParcelError::TooMuch { tiles: listed.len(), bytes: largest });
        }
        let mut tiles = Vec::new();
        for Listed { number, bytes } in listed {
            let mut tile = Vec::new();
            let read = from.by_ref().take(bytes).read_to_end(&mut tile)?;
            if (read as u64) < bytes {
                return Err(ParcelError::Cut(io::ErrorKind::UnexpectedEof.into()));
            }
            tiles.push((number, tile));
        }
        Ok(Parcel { snapshot, land, tiles })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mark, Sign, Theme};

    fn parcel() -> Parcel {
        let mark = Mark { lat_deg: 35.9, lon_deg: 14.5, sign: Sign::Warning, label: Some("Bin 4 \n <b>".into()) };
        let snapshot = Snapshot {
            lat_deg: 35.9,
            lon_deg: 14.5,
            zoom: 14.25,
            width_px: 400,
            height_px: 200,
            scale: 2,
            theme: Theme::Light,
            marks: vec![mark],
            sea_around: true,
            attribution: None,
        };
        let tile = |x| TileNumber { z: 14, x, y: 6_439 };
        let land = Some(Land { west_deg: 14.15, south_deg: 35.78, east_deg: 14.6, north_deg: 36.1 });
        Parcel {
            snapshot,
            land,
            tiles: vec![(tile(1), b"\nab".to_vec()), (tile(2), Vec::new()), (tile(3), vec![0; 5])],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        parcel().write(&mut bytes).unwrap();
        assert_eq!(Parcel::read(&mut bytes.as_slice()).unwrap(), parcel());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let mut whole = Vec::new();
        parcel().write(&mut whole).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let with = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to).into_bytes()
        };
        for (name, bytes, want) in [
            ("nothing", Vec::new(), "the first line is no request"),
            ("no JSON", b"hello\n".to_vec(), "the first line is no request"),
            ("a cut tile", whole[..whole.len() - 1].to_vec(), "does not arrive whole"),
            ("a tile that would fill the memory", with("\"bytes\":5", "\"bytes\":5000000000"), "at most 4194304 bytes"),
            ("a picture of nothing", with("\"width_px\":400", "\"width_px\":0"), "width_px is 0"),
            ("a theme there is not", with("light", "sepia"), "the first line is no request"),
        ] {
            let error = Parcel::read(&mut bytes.as_slice()).unwrap_err().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
    }
}
