//! Places that a person may want to see on the map: of the fleet, and of the map itself.

use fleetlens_model::geo::{GeoBox, LonLat};
use serde::{Deserialize, Serialize};

/// A district or a street in which things are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// What it is called, as it is described.
    pub name: String,
    /// The district that a street is in; empty for a district, and for a street of which nobody says it.
    pub within: String,
    /// Whether it is a street.
    pub is_street: bool,
    /// Where its things are, all of them.
    pub area: GeoBox,
    /// How many.
    pub things: u32,
}

/// A name that stands on the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapName {
    /// As the map writes it.
    pub name: String,
    /// What it is the name of, in the words of OpenMapTiles: `city`, `town`, `village`, `suburb`, `island`, …
    pub class: String,
    /// Where it stands.
    pub at: LonLat,
}
