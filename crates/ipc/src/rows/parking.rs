//! Car parks for somebody who looks for a space.

use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingKey;
use fleetlens_model::telemetry::{Quality, Source};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A car park for somebody who looks for a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkingRow {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// Street and area; may be empty.
    pub place: String,
    /// Where it is.
    pub at: LonLat,
    /// How far from the place asked for, in metres as the crow flies.
    pub distance_m: f32,
    /// Every space.
    pub all: Spaces,
    /// Those for people with a disability.
    pub accessible: Spaces,
    /// Those with a charging point.
    pub charging: Spaces,
    /// What its last word is worth.
    pub freshness: Freshness,
}

/// Spaces of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spaces {
    /// How many there are, if known; 0 means that there are none of this class.
    pub capacity: Option<u32>,
    /// How many are free, if that was ever said.
    pub free: Option<FreeCount>,
}

/// How many spaces are free, never without when they were counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeCount {
    /// Free spaces; never more than the capacity, where that is known.
    pub count: u32,
    /// Age as of the frame.
    pub age_ms: u64,
    /// From this age on it is shown as old, in milliseconds.
    pub old_after_ms: u64,
    /// When they were counted.
    pub device_ms: WallMs,
    /// Live, retained or cached.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
}
