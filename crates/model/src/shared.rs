//! Texts that many things have in common: the pointers of their values, streets, the shape of their shadows. Each lies in memory
//! once, and eight bytes stand wherever it is named.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text that costs eight bytes where it stands. Equal texts are equal wherever they lie; those of one [`Texts`] lie in one place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedText(Arc<Box<str>>);

impl SharedText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A text's hash and order are those of what it says.
impl Borrow<str> for SharedText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> SharedText {
        SharedText(Arc::new(text.into()))
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> SharedText {
        SharedText(Arc::new(text.into()))
    }
}

impl Default for SharedText {
    fn default() -> SharedText {
        SharedText::from("")
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// So many bytes of texts are kept without asking who still uses them.
const UNASKED_BYTES: usize = 1 << 20;

/// The texts there are. Whoever may publish can make texts up, so what nobody uses any more is let go of: it never holds more than
/// twice what is in use.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    of: HashSet<SharedText>,
    bytes: usize,
    /// What was in use when it was last asked.
    used_bytes: usize,
}

/// Which texts are known says nothing of anybody's state.
impl PartialEq for Texts {
    fn eq(&self, _: &Texts) -> bool {
        true
    }
}

impl Texts {
    /// The one that says this; `None` when there is none yet.
    pub fn find(&self, text: &str) -> Option<SharedText> {
        self.of.get(text).cloned()
    }

    /// The one that says this, made where there is none.
    pub fn get(&mut self, text: &str) -> SharedText {
        if let Some(known) = self.of.get(text) {
            return known.clone();
        }
        if self.bytes + text.len() > UNASKED_BYTES.max(2 * self.used_bytes) {
            self.of.retain(|text| Arc::strong_count(&text.0) > 1);
            self.used_bytes = self.of.iter().map(|text| text.len()).sum();
            self.bytes = self.used_bytes;
        }
        let new = SharedText::from(text);
        self.bytes += text.len();
        self.of.insert(new.clone());
        new
    }

    /// Takes in those of another; of one that is here already there are two from then on.
    pub fn absorb(&mut self, other: Texts) {
        for text in other.of {
            let bytes = text.len();
            if self.of.insert(text) {
                self.bytes += bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_lies_in_memory_once() {
        let mut texts = Texts::default();
        let (one, other) = (texts.get("/temp_c"), texts.get("/temp_c"));
        assert!(Arc::ptr_eq(&one.0, &other.0));
        assert_eq!((one.as_str(), texts.find("/temp_c"), texts.find("/on")), ("/temp_c", Some(other), None));
        assert_eq!(size_of::<Option<SharedText>>(), 8);
    }

    #[test]
    fn what_is_absorbed_is_found() {
        let (mut texts, mut other) = (Texts::default(), Texts::default());
        texts.get("/on");
        let (on, dim) = (other.get("/on"), other.get("/dim_pct"));
        texts.absorb(other);
        assert_eq!((texts.get("/on"), texts.bytes), (on, "/on/dim_pct".len()));
        assert!(Arc::ptr_eq(&texts.get("/dim_pct").0, &dim.0));
    }

    #[test]
    fn what_nobody_uses_any_more_is_let_go_of() {
        let mut texts = Texts::default();
        let kept: Vec<SharedText> = (0..100).map(|n| texts.get(&format!("kept {n} {}", "x".repeat(1_000)))).collect();
        for n in 0..10_000 {
            texts.get(&format!("made up {n} {}", "x".repeat(1_000)));
            let held: usize = texts.of.iter().map(|text| text.len()).sum();
            assert!(held <= UNASKED_BYTES && held == texts.bytes, "{n}: {held}");
        }
        assert!(kept.iter().all(|text| texts.find(text).is_some_and(|known| Arc::ptr_eq(&known.0, &text.0))));
    }
}
