//! Kinds of things within a sentence.

use fleetlens_model::kind::Kind;

use crate::format::{self, within};

/// `180 lamps`, `1 car park`.
pub fn counted(kind: Kind, count: u64) -> String {
    let word = if count == 1 { kind.singular() } else { kind.plural() };
    format!("{} {}", format::count(count), within(word))
}
