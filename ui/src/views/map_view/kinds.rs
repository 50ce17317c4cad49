//! Kinds of things within a sentence.

use fleetlens_model::kind::Kind;

use crate::format;
use crate::lang::{Language, language, said};

/// A word as it stands within a sentence: small in English, as always in German.
pub fn within(word: &'static str) -> String {
    match language() {
        Language::English | Language::Pseudo | Language::PseudoMirrored => said(word).to_lowercase(),
        Language::German => said(word).to_owned(),
    }
}

/// `180 lamps`, `1 car park`.
pub fn counted(kind: Kind, count: u64) -> String {
    let word = if count == 1 { kind.singular() } else { kind.plural() };
    format!("{} {}", format::count(count), within(word))
}
