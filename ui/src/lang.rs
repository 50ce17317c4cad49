//! Which language the window speaks. English stands in the source; the words of the others are gettext's files in `ui/locales`, of
//! which `islands-js/language.js` fetches the one that is wanted before anything is drawn. It is the same until the page is loaded
//! again, so nothing here is reactive.
//!
//! What a person reads goes through [`said`] where it is a plain text and through [`tr!`](tr::tr) where something is filled in or
//! counted. What the host says itself (faults, the audit log, files) is English in every language.

mod catalogue;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use leptos::prelude::*;
use tr::Translator;
use wasm_bindgen::JsValue;

use self::catalogue::Catalogue;

/// Where the choice is kept, also for `islands-js/language.js`.
const KEY: &str = "fleetlens.language";

/// A language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// As the source has it.
    #[default]
    English,
    /// `ui/locales/de.po`.
    German,
    /// Every word in brackets, to see what is not translated: the pseudo-locale `en-XA`.
    Pseudo,
    /// The same from right to left: the pseudo-locale `ar-XB`.
    PseudoMirrored,
}

impl Language {
    /// Those that a person chooses from, each by its own name.
    pub const CHOICES: [(Language, &str); 2] = [(Language::English, "English"), (Language::German, "Deutsch")];

    const ALL: [Language; 4] = [Language::English, Language::German, Language::Pseudo, Language::PseudoMirrored];

    /// The word in `lang` and in the storage (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Pseudo => "en-XA",
            Language::PseudoMirrored => "ar-XB",
        }
    }

    /// What parts a whole number from its decimals.
    pub fn decimal_mark(self) -> char {
        match self {
            Language::German => ',',
            Language::English | Language::Pseudo | Language::PseudoMirrored => '.',
        }
    }
}

/// What is spoken, with its words.
struct Spoken {
    language: Language,
    words: Arc<dyn Translator>,
}

/// Unset in tests and until [`start`]: English.
static SPOKEN: OnceLock<Spoken> = OnceLock::new();

/// Every text in brackets.
struct Brackets;

impl Translator for Brackets {
    fn translate<'a>(&'a self, text: &'a str, _: Option<&'a str>) -> Cow<'a, str> {
        Cow::Owned(format!("⟦{text}⟧"))
    }

    fn ntranslate<'a>(&'a self, n: u64, one: &'a str, many: &'a str, _: Option<&'a str>) -> Cow<'a, str> {
        Cow::Owned(format!("⟦{}⟧", if n == 1 { one } else { many }))
    }
}

/// For [`tr::set_translator!`], which wants to own what it is given.
struct Shared(Arc<dyn Translator>);

impl Translator for Shared {
    fn translate<'a>(&'a self, text: &'a str, context: Option<&'a str>) -> Cow<'a, str> {
        self.0.translate(text, context)
    }

    fn ntranslate<'a>(&'a self, n: u64, one: &'a str, many: &'a str, context: Option<&'a str>) -> Cow<'a, str> {
        self.0.ntranslate(n, one, many, context)
    }
}

/// Takes over what the page was loaded with. Once, before anything is drawn.
pub fn start() {
    let root = document().document_element();
    let tag = root.as_ref().and_then(|root| root.get_attribute("lang")).unwrap_or_default();
    let language = Language::ALL.into_iter().find(|language| language.tag() == tag).unwrap_or_default();
    let words: Option<Arc<dyn Translator>> = match language {
        Language::English => None,
        Language::German => catalogue().map(|words| Arc::new(words) as Arc<dyn Translator>),
        Language::Pseudo | Language::PseudoMirrored => Some(Arc::new(Brackets)),
    };
    match words {
        Some(words) => {
            tr::set_translator!(Shared(Arc::clone(&words)));
            // Cannot be set already: this is the only place, and it runs once.
            let _ = SPOKEN.set(Spoken { language, words });
        }
        None if language == Language::English => {}
        None => {
            leptos::logging::warn!("the words of {tag} could not be read; the window speaks English");
            if let Some(root) = root {
                // Cannot fail: the name is an attribute's.
                let _ = root.set_attribute("lang", Language::English.tag());
            }
        }
    }
}

/// The words that the page fetched; `None` where it could not, or where they are none.
fn catalogue() -> Option<Catalogue> {
    let text = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("fleetlensWords")).ok()?.as_string()?;
    Catalogue::read(&text).map_err(|error| leptos::logging::warn!("the words of the page's language: {error}")).ok()
}

/// The language that is spoken.
pub fn language() -> Language {
    SPOKEN.get().map_or_else(Language::default, |spoken| spoken.language)
}

/// A text in the language that is spoken: one of this program's own, or a word of the model.
pub fn said(english: &'static str) -> &'static str {
    match SPOKEN.get().map(|spoken| spoken.words.translate(english, None)) {
        None => english,
        Some(Cow::Borrowed(text)) => text,
        // Only in brackets: each text once for the page's life would be no fewer bytes, and nobody works like that for long.
        Some(Cow::Owned(text)) => text.leak(),
    }
}

/// Marks a text of a table that is translated where it is shown, by [`said`].
pub const fn term(english: &'static str) -> &'static str {
    english
}

/// Speaks another language from now on: keeps the choice and loads the page again, which comes back where it was.
pub fn speak(language: Language) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A full or forbidden storage only costs the choice at the next start.
        let _ = storage.set_item(KEY, language.tag());
    }
    // Fails only in a page that is going away already.
    let _ = window().location().reload();
}
