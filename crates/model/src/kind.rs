//! What kinds of things a city has, what their values are called, and which of their leaves a person may set.

mod control;
mod field;
mod schemas;

use serde::{Deserialize, Serialize};

pub use control::{BARRIER_EXPIRY_MS, Control, DEFAULT_EXPIRY_MS, Takes, Word, in_words};
pub use field::Field;
pub use schemas::{KindSchema, Schemas};

/// The kind of a thing. Its shape on the map, its words and its controls follow from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A car park, counted as a whole.
    Parking,
    /// A street lamp.
    Lamp,
    /// Whatever the profile does not say; shown with its raw values.
    #[default]
    Other,
    /// A waste bin that measures how full it is.
    Bin,
    /// A charging point for vehicles.
    Charger,
    /// A vehicle; where it is stands in its telemetry.
    Vehicle,
    /// A radio gateway that carries what other things say.
    Gateway,
}

/// What is fixed for each kind, in one row.
struct Words {
    kind: Kind,
    code: u8,
    word: &'static str,
    singular: &'static str,
    plural: &'static str,
}

const fn words(kind: Kind, code: u8, word: &'static str, singular: &'static str, plural: &'static str) -> Words {
    Words { kind, code, word, singular, plural }
}

const PARKING: Words = words(Kind::Parking, 1, "parking", "Car park", "Car parks");
const LAMP: Words = words(Kind::Lamp, 2, "lamp", "Lamp", "Lamps");
const BIN: Words = words(Kind::Bin, 3, "bin", "Bin", "Bins");
const CHARGER: Words = words(Kind::Charger, 4, "charger", "Charger", "Chargers");
const VEHICLE: Words = words(Kind::Vehicle, 5, "vehicle", "Vehicle", "Vehicles");
const GATEWAY: Words = words(Kind::Gateway, 6, "gateway", "Gateway", "Gateways");
const OTHER: Words = words(Kind::Other, 0, "other", "Thing", "Other things");

impl Kind {
    /// Every kind, in the order of the screen.
    pub const ALL: [Kind; 7] =
        [PARKING.kind, LAMP.kind, BIN.kind, CHARGER.kind, VEHICLE.kind, GATEWAY.kind, OTHER.kind];

    fn words(self) -> &'static Words {
        match self {
            Kind::Parking => &PARKING,
            Kind::Lamp => &LAMP,
            Kind::Bin => &BIN,
            Kind::Charger => &CHARGER,
            Kind::Vehicle => &VEHICLE,
            Kind::Gateway => &GATEWAY,
            Kind::Other => &OTHER,
        }
    }

    /// The kind a word of a topic or of a meta message names; unknown words are [`Kind::Other`].
    pub fn from_word(word: &str) -> Kind {
        Kind::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or_default()
    }

    /// The word in topics, rows and profiles.
    pub fn word(self) -> &'static str {
        self.words().word
    }

    /// What one of them is called.
    pub fn singular(self) -> &'static str {
        self.words().singular
    }

    /// What many of them are called.
    pub fn plural(self) -> &'static str {
        self.words().plural
    }

    /// The small number that stands for the kind in packed map rows and in the cache.
    pub fn code(self) -> u8 {
        self.words().code
    }

    /// The kind of a [`Kind::code`]; unknown codes are [`Kind::Other`].
    pub fn from_code(code: u8) -> Kind {
        Kind::ALL.into_iter().find(|kind| kind.code() == code).unwrap_or_default()
    }

    /// Whether it moves: then its place is what its telemetry says at `/lat` and `/lon`, before what its description says.
    pub fn moves(self) -> bool {
        self == Kind::Vehicle
    }

    /// What values things of this kind have words for, in no order.
    pub fn fields(self) -> &'static [Field] {
        field::of(self)
    }

    /// Words for a value of this kind, or `None`: then the pointer itself is shown.
    pub fn field(self, pointer: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.pointer == pointer)
    }

    /// The value that says most about a thing of this kind: charted first, and the one shown in tables.
    pub fn main_field(self) -> Option<&'static Field> {
        self.fields().iter().min_by_key(|field| field.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_lead_back_to_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), kind);
            assert_eq!(Kind::from_word(kind.word()), kind);
        }
        assert_eq!(Kind::from_code(250), Kind::Other);
    }
}
