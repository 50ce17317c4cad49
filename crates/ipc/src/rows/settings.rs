//! How the program is set.

use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::keeping::Ages;
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Retention;
use serde::{Deserialize, Serialize};

/// How this program is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Nobody has said yet what to show: the window asks, and nothing is connected meanwhile.
    pub undecided: bool,
    /// The profiles there are, the demo city first.
    pub profiles: Vec<ProfileRow>,
    /// The folder where profiles are looked for.
    pub profile_folder: String,
    /// Who is at the screen.
    pub who: Actor,
    /// The roles they may take on.
    pub roles: Vec<Role>,
    /// The cache's file.
    pub cache_file: String,
    /// How much the cache keeps.
    pub retention: Retention,
    /// How long it keeps the history of single kinds, where the profile says that.
    pub kinds_kept: Vec<(Kind, Ages)>,
    /// The program's version.
    pub version: String,
}

/// A profile that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// Its name; goes with [`crate::Setting::Profile`].
    pub name: String,
    /// Its file; empty for the demo city.
    pub file: String,
    /// Its broker, without any secret; empty when it cannot be read.
    pub broker: String,
    /// Whether it is in use.
    pub active: bool,
    /// Why it cannot be used, with the line; `None` when it can.
    pub fault: Option<String>,
}
