//! What is known of a thing apart from its values.

use serde::{Deserialize, Serialize};

use crate::geo::LonLat;
use crate::kind::{Control, Kind};

/// How often a thing is expected to speak when nothing says so, in seconds.
pub const DEFAULT_INTERVAL_S: u32 = 60;

/// A thing's description: from a retained meta message, a registry file or, for want of both, only its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// What people call it; empty when nobody said.
    #[serde(default)]
    pub title: String,
    /// Where it stands, if known.
    #[serde(default)]
    pub at: Option<LonLat>,
    /// District or village; empty when not known.
    #[serde(default)]
    pub area: String,
    /// Street; empty when not known.
    #[serde(default)]
    pub street: String,
    /// How often it speaks, in seconds; at least 1.
    #[serde(default = "default_interval_s")]
    pub interval_s: u32,
    /// Spaces in all, for a car park.
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Spaces for people with a disability among [`Meta::capacity`], for a car park that says so.
    #[serde(default)]
    pub capacity_accessible: Option<u32>,
    /// Spaces with a charging point among [`Meta::capacity`], for a car park that says so.
    #[serde(default)]
    pub capacity_charging: Option<u32>,
    /// The name of the gateway that carries what it says; empty when it speaks for itself.
    #[serde(default)]
    pub gateway: String,
    /// Fields of this description that were made up (demo data), by name.
    #[serde(default)]
    pub synthetic: Vec<String>,
    /// Units by JSON pointer, where the sender gave them.
    #[serde(default)]
    pub units: Vec<(String, String)>,
    /// What values are called on the screen, by JSON pointer, where the sender said.
    #[serde(default)]
    pub labels: Vec<(String, String)>,
    /// The convention that carries its commands, in the words of the profile; empty for a thing with a shadow or none.
    #[serde(default)]
    pub convention: String,
    /// What a person may set on it, where its convention says; a thing of no convention has those of its kind
    /// ([`crate::kind::Schemas::controls`]).
    #[serde(default)]
    pub controls: Vec<Control>,
}

fn default_interval_s() -> u32 {
    DEFAULT_INTERVAL_S
}

impl Meta {
    /// What a value is called: the sender's word first, then the kind's; `None` where nobody gave it a name.
    pub fn label<'a>(&'a self, pointer: &str) -> Option<&'a str> {
        let given = self.labels.iter().find(|(p, label)| p == pointer && !label.is_empty());
        given.map(|(_, label)| label.as_str()).or_else(|| self.kind.field(pointer).map(|field| field.label))
    }

    /// The unit of a value: the sender's word first, then the kind's; empty for none. An empty word of the sender is none.
    pub fn unit<'a>(&'a self, pointer: &str) -> &'a str {
        let given = self.units.iter().find(|(p, unit)| p == pointer && !unit.is_empty()).map(|(_, unit)| unit.as_str());
        given.or_else(|| self.kind.field(pointer).map(|field| field.unit)).unwrap_or("")
    }
}
