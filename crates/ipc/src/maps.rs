//! The base map of the profile in use: what it is, and another one taken from a file or from an address. And the areas that rules name, drawn on it.
//!
//! All of it is performed by the host. A file is copied while the window goes on; it asks how far that is ([`MapAsk::Progress`]) and
//! says what is to become of the copy ([`MapAsk::Take`]). A map that is taken, and an area that is kept, begin every window anew.

use fleetlens_model::alarm::fence::Shape;
use fleetlens_model::geo::{GeoBox, LonLat};
use serde::{Deserialize, Serialize};

/// The longest name of a file that a host takes from a window, in bytes.
pub const PATH_MAX_BYTES: usize = 4_096;

/// The longest address that a host takes from a window, in bytes.
pub const ADDRESS_MAX_BYTES: usize = 2_048;

/// Files that a [`MapBook`] offers.
pub const MAPS_OFFERED_MAX: usize = 50;

/// What a person wants with the base map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MapAsk {
    /// Which is it? Answered with [`MapDone::Book`].
    Read,
    /// What is in this file? Answered with [`MapDone::Looked`], or with a fault that says what is wrong with it.
    Look {
        /// An `.mbtiles` or `.pmtiles` file of the host's machine, seen from the profile's folder; at most [`PATH_MAX_BYTES`].
        path: String,
    },
    /// Copy this file beside the other maps. Answered with [`MapDone::Copying`] once that has begun; one at a time.
    Import {
        /// As above.
        path: String,
    },
    /// How far is it? Answered with [`MapDone::Copying`].
    Progress,
    /// Show what was copied from now on. Answered with [`MapDone::Taken`]; every window begins anew.
    Take,
    /// End the copying and leave nothing of it. Answered with [`MapDone::Copying`].
    Cancel,
    /// Show the program's own map again. Answered with [`MapDone::Taken`]; every window begins anew.
    BuiltIn,
    /// What is at this address? Answered with [`MapDone::Looked`], or with a fault that says what is wrong with it.
    LookAt(OnlineDraft),
    /// Show it from now on. Answered with [`MapDone::Taken`]; every window begins anew.
    UseAt(OnlineDraft),
}

/// An address of tiles as somebody typed it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OnlineDraft {
    /// A template with `{z}`, `{x}` and `{y}`, a TileJSON or a style; at most [`ADDRESS_MAX_BYTES`]. A key may stand in it.
    pub address: String,
    /// Whose data it is, where the server does not say.
    pub attribution: String,
    /// Where the fleet is: a tile of there is looked at.
    pub at: Option<LonLat>,
}

impl std::fmt::Debug for OnlineDraft {
    /// Without the address, in which a key may stand.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnlineDraft")
            .field("attribution", &self.attribution)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A map that comes from an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineBook {
    /// The server, without what may be secret of its address.
    pub host: String,
    /// What is kept of it on the disk, in bytes.
    pub kept: u64,
    /// What may be.
    pub kept_max: u64,
    /// Why the last tile could not be fetched, if it could not.
    pub fault: Option<String>,
}

/// What a [`MapAsk`] led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MapDone {
    /// The map in use.
    Book(Box<MapBook>),
    /// A file that could be one.
    Looked(Box<MapFile>),
    /// How far the copying is.
    Copying(Copying),
    /// It is shown from now on.
    Taken,
}

/// The map of the profile in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapBook {
    /// The file that the profile names; `None` for the program's own.
    pub file: Option<String>,
    /// What is in it.
    pub about: MapFile,
    /// Why it cannot be changed, if so.
    pub locked: Option<String>,
    /// Where files are looked for whose name does not say where they are.
    pub folder: String,
    /// Maps that lie there by their names, at most [`MAPS_OFFERED_MAX`].
    pub found: Vec<String>,
    /// Only files of that folder may be named, because the window may be at another machine.
    pub only_there: bool,
    /// How far a copying is that somebody began.
    pub copying: Copying,
    /// Where it comes from, if that is no file.
    pub online: Option<OnlineBook>,
}

/// What a file of tiles says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MapFile {
    /// Its name; may be empty.
    pub name: String,
    /// Whose data it is, plain text; may be empty.
    pub attribution: String,
    /// What it holds: `vector`, `png`, `jpeg` or `webp`.
    pub tiles: String,
    /// `MBTiles` or `PMTiles`; of an address its server.
    pub container: String,
    /// The box it covers; `None` when it does not say.
    pub bounds: Option<GeoBox>,
    /// The lowest zoom.
    pub min_zoom: u8,
    /// The highest zoom.
    pub max_zoom: u8,
    /// Its size; 0 for the program's own.
    pub bytes: u64,
}

/// How far the copying of a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copying {
    /// Nothing is copied.
    #[default]
    Not,
    /// It goes on.
    Going {
        /// The file's name.
        name: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        of: u64,
    },
    /// All of it is there and waits for [`MapAsk::Take`].
    Done {
        /// The file's name.
        name: String,
    },
    /// It came to nothing, and nothing of it is left.
    Failed {
        /// What to do.
        why: String,
    },
}

/// What a person wants with the areas of the profile in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AreaAsk {
    /// Which are there? For everybody who sees the whole fleet. Answered with [`AreaDone::Book`].
    Read,
    /// Keep an area. Answered with [`AreaDone::Kept`]; every window begins anew.
    Keep(Box<AreaDraft>),
    /// Take an area away that no rule names. Answered with [`AreaDone::Kept`]; every window begins anew.
    Remove {
        /// Its name.
        name: String,
    },
}

/// An area as somebody drew it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AreaDraft {
    /// The area that it replaces; `None` for a new one.
    pub replaces: Option<String>,
    /// What rules call it.
    pub name: String,
    /// Its corners in their order, at most [`fleetlens_model::alarm::fence::CORNERS_MAX`].
    pub corners: Vec<LonLat>,
}

/// What an [`AreaAsk`] led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AreaDone {
    /// The areas there are.
    Book(Box<AreaBook>),
    /// It is in the profile.
    Kept,
}

/// The areas of the profile in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AreaBook {
    /// In the order of the profile.
    pub areas: Vec<AreaRow>,
    /// Why none of them can be changed, if so.
    pub locked: Option<String>,
}

/// An area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AreaRow {
    /// What rules call it.
    pub name: String,
    /// Where it is.
    pub shape: Shape,
    /// How far outside what was inside must be before it has left, in metres.
    pub margin_m: f64,
    /// Whether its corners stand in the profile itself, where they can be changed; a circle, and one of a GeoJSON file, is changed there.
    pub drawn: bool,
    /// The rules that name it, by their ids.
    pub rules: Vec<String>,
}
