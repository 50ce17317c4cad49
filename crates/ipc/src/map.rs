//! Map rows as packed bytes: 16 bytes a thing, little-endian, ready for a WebGL buffer.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | thing key, u32 |
//! | 4–7 | longitude, degrees, f32 |
//! | 8–11 | latitude, degrees, f32 |
//! | 12 | kind code ([`fleetlens_model::kind::Kind::code`]) |
//! | 13 | status code ([`Status::code`]) |
//! | 14 | flags, [`FLAG_PENDING`] \| [`FLAG_GONE`] \| [`FLAG_SEEN`] |
//! | 15 | level 0–100 (a lamp's dim, a car park's share taken, a bin's fill, a charger's share of its limit; a vehicle's heading in steps of
//!   3.6°), 255 when not known |

use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;

/// Bytes of one row.
pub const ROW_BYTES: usize = 16;

/// A command is open: wanted but not yet so.
pub const FLAG_PENDING: u8 = 1;

/// In a patch: the thing left the box or lost its position; take its row away.
pub const FLAG_GONE: u8 = 2;

/// Somebody has acknowledged every active alarm of the thing: its status stays, but it needs no person.
pub const FLAG_SEEN: u8 = 4;

/// The level when none is known.
pub const LEVEL_UNKNOWN: u8 = 255;

/// What a thing's mark says at a glance. Shape before colour: each has a shape of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Speaks, nothing wrong.
    Normal,
    /// Nothing known now: our link is down, or it never said a value.
    Unknown,
    /// Needs a look: silent, or a command of ours was not obeyed.
    Warning,
    /// Needs a person at once.
    Critical,
}

impl Status {
    /// The byte of a row.
    pub fn code(self) -> u8 {
        match self {
            Status::Normal => 0,
            Status::Unknown => 1,
            Status::Warning => 2,
            Status::Critical => 3,
        }
    }

    /// The status of a byte; an unknown code reads as [`Status::Unknown`].
    pub fn from_code(code: u8) -> Status {
        match code {
            0 => Status::Normal,
            2 => Status::Warning,
            3 => Status::Critical,
            _ => Status::Unknown,
        }
    }
}

/// One thing on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapRow {
    /// The thing.
    pub thing: ThingKey,
    /// Where.
    pub at: LonLat,
    /// Its shape.
    pub kind: Kind,
    /// Its colour and shape when something is wrong.
    pub status: Status,
    /// [`FLAG_PENDING`], [`FLAG_GONE`] and [`FLAG_SEEN`].
    pub flags: u8,
    /// 0–100 or [`LEVEL_UNKNOWN`].
    pub level: u8,
}

impl MapRow {
    /// Appends the row's bytes.
    pub fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.thing.0.to_le_bytes());
        into.extend_from_slice(&(self.at.lon_deg as f32).to_le_bytes());
        into.extend_from_slice(&(self.at.lat_deg as f32).to_le_bytes());
        into.extend_from_slice(&[self.kind.code(), self.status.code(), self.flags, self.level]);
    }
}

/// The rows of packed bytes; a torn last row is left out.
pub fn read(bytes: &[u8]) -> impl Iterator<Item = MapRow> + '_ {
    bytes.as_chunks::<ROW_BYTES>().0.iter().map(|row| {
        let [k0, k1, k2, k3, x0, x1, x2, x3, y0, y1, y2, y3, kind, status, flags, level] = *row;
        MapRow {
            thing: ThingKey(u32::from_le_bytes([k0, k1, k2, k3])),
            at: LonLat {
                lon_deg: f64::from(f32::from_le_bytes([x0, x1, x2, x3])),
                lat_deg: f64::from(f32::from_le_bytes([y0, y1, y2, y3])),
            },
            kind: Kind::from_code(kind),
            status: Status::from_code(status),
            flags,
            level,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_packed() {
        let row = MapRow {
            thing: ThingKey(70_000),
            at: LonLat { lon_deg: 14.5, lat_deg: 35.875 },
            kind: Kind::Lamp,
            status: Status::Warning,
            flags: FLAG_PENDING,
            level: 40,
        };
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        row.write(&mut bytes);
        assert_eq!(bytes.len(), 2 * ROW_BYTES);
        bytes.push(9);
        assert_eq!(read(&bytes).collect::<Vec<_>>(), [row, row]);
    }

    #[test]
    fn every_status_has_a_byte_of_its_own() {
        for status in [Status::Normal, Status::Unknown, Status::Warning, Status::Critical] {
            assert_eq!(Status::from_code(status.code()), status);
        }
    }
}
