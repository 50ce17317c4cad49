//! Texts against texts: words, phrases, wildcards, ranges. Case does not count.

use memchr::memmem;

use super::parse::{Glyph, Written};

/// A text that others are held against.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// In lower case.
    glyphs: Vec<Glyph>,
    /// The text in lower case, where it has no wildcards, ready to be looked for.
    plain: Option<Box<memmem::Finder<'static>>>,
    /// A word ends at any sign, as in the name of a street: `is-Serkin` has `serkin` in it. Else it ends at spaces, as in AWS: `l` is
    /// no word of `l-0012`.
    ends_at_signs: bool,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.glyphs == other.glyphs
    }
}

/// What a text is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// Not empty.
    Has,
    /// These words.
    Like(Pattern),
    /// Between these, in lower case.
    Between(Span<String>),
}

/// What lies between two ends; `None` for an open one.
#[derive(Clone, Debug, PartialEq)]
pub struct Span<T> {
    pub(super) from: Option<T>,
    pub(super) from_in: bool,
    pub(super) to: Option<T>,
    pub(super) to_in: bool,
}

impl<T> Span<T> {
    pub(super) fn holds<U: PartialOrd<U> + ?Sized>(&self, value: &U) -> bool
    where
        T: std::borrow::Borrow<U>,
    {
        let above = |from: &U| if self.from_in { value >= from } else { value > from };
        let below = |to: &U| if self.to_in { value <= to } else { value < to };
        self.from.as_ref().is_none_or(|from| above(from.borrow()))
            && self.to.as_ref().is_none_or(|to| below(to.borrow()))
    }
}

impl Pattern {
    pub(super) fn of(written: &Written) -> Pattern {
        let is_wild = written.is_wild();
        let glyphs: Vec<Glyph> = if is_wild {
            let lower = |glyph: &Glyph| match glyph {
                Glyph::Char(c) | Glyph::Literal(c) => c.to_lowercase().map(Glyph::Char).collect(),
                Glyph::Many | Glyph::One => vec![*glyph],
            };
            written.glyphs.iter().flat_map(lower).collect()
        } else {
            written.text().to_lowercase().chars().map(Glyph::Char).collect()
        };
        let plain = (!is_wild).then(|| Box::new(memmem::Finder::new(&written.text().to_lowercase()).into_owned()));
        Pattern { glyphs, plain, ends_at_signs: false }
    }

    /// The same, of words as people write them.
    pub(super) fn of_words(written: &Written) -> Pattern {
        Pattern { ends_at_signs: true, ..Pattern::of(written) }
    }

    fn is_between(&self, c: char) -> bool {
        c.is_whitespace() || self.ends_at_signs && !c.is_alphanumeric()
    }

    pub(super) fn glyphs(&self) -> &[Glyph] {
        &self.glyphs
    }

    /// The text in lower case, where it has no wildcards.
    pub(super) fn plain(&self) -> Option<&str> {
        self.plain.as_ref().and_then(|finder| std::str::from_utf8(finder.needle()).ok())
    }

    /// Whether it is in what a thing is found by, which is in lower case; with wildcards it must be one of its words whole.
    pub(super) fn is_in(&self, found_by: &str) -> bool {
        match &self.plain {
            Some(plain) => plain.find(found_by.as_bytes()).is_some(),
            None => found_by.split_whitespace().any(|word| glob(&self.glyphs, word)),
        }
    }

    /// Whether a text is this, or has it as a run of whole words.
    pub fn holds(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return self.holds_lower(&text.to_lowercase(), |one, other| one == other);
        }
        self.holds_lower(text, str::eq_ignore_ascii_case)
    }

    fn holds_lower(&self, text: &str, same: impl Fn(&str, &str) -> bool) -> bool {
        let Some(plain) = self.plain() else {
            return glob(&self.glyphs, text)
                || text.split_whitespace().any(|word| glob(&self.glyphs, word))
                || self.ends_at_signs && text.split(|c| self.is_between(c)).any(|word| glob(&self.glyphs, word));
        };
        if plain.len() == text.len() {
            return same(text, plain);
        }
        let Some(last) = text.len().checked_sub(plain.len()).filter(|_| !plain.is_empty()) else { return false };
        let is_apart = |c: Option<char>| c.is_none_or(|c| self.is_between(c));
        (0..=last).any(|at| {
            let (Some(before), Some(part), Some(after)) =
                (text.get(..at), text.get(at..at + plain.len()), text.get(at + plain.len()..))
            else {
                return false;
            };
            is_apart(before.chars().next_back()) && is_apart(after.chars().next()) && same(part, plain)
        })
    }
}

impl Text {
    /// Whether a text is so.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Text::Has => !text.is_empty(),
            Text::Like(pattern) => pattern.holds(text),
            // What is not said lies nowhere.
            Text::Between(span) => !text.is_empty() && span.holds::<str>(text.to_lowercase().as_str()),
        }
    }
}

/// Whether a text is what the glyphs say from end to end. The last `*` alone is ever gone back to, so it takes no longer than the
/// product of both lengths.
fn glob(glyphs: &[Glyph], text: &str) -> bool {
    let (mut glyphs, mut rest) = (glyphs, text.chars());
    let mut again: Option<(&[Glyph], std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        let goes_on = match (glyphs.split_first(), rest.next()) {
            (Some((Glyph::Many, after)), _) => {
                rest = before;
                again = Some((after, rest.clone()));
                glyphs = after;
                continue;
            }
            (Some((Glyph::One, after)), Some(_)) => Some(after),
            (Some((Glyph::Char(want) | Glyph::Literal(want), after)), Some(c)) if is_same(*want, c) => Some(after),
            (None, None) => return true,
            (_, None) => return false,
            (Some((Glyph::Char(_) | Glyph::Literal(_), _)) | None, Some(_)) => None,
        };
        match (goes_on, &mut again) {
            (Some(after), _) => glyphs = after,
            (None, Some((after, from))) => {
                from.next();
                (glyphs, rest) = (*after, from.clone());
            }
            (None, None) => return false,
        }
    }
}

/// The text is in lower case, or plain ASCII.
fn is_same(want: char, c: char) -> bool {
    want == c || want == c.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let glyph = |c: char| match c {
            '*' => Glyph::Many,
            '?' => Glyph::One,
            c => Glyph::Char(c),
        };
        Pattern::of(&Written { at: 0..0, glyphs: text.chars().map(glyph).collect(), quoted: false })
    }

    #[test]
    fn a_text_is_what_it_says_or_has_it_as_whole_words() {
        for (of, text, want) in [
            ("lamp", "Lamp 12", true),
            ("lamp 12", "The LAMP 12 there", true),
            ("lamp 1", "Lamp 12", false),
            ("amp", "lamp", false),
            ("amp", "lamp amp", true),
            ("ħal qormi", "Ħal Qormi", true),
            ("qormi", "Ħal Qormi", true),
            ("ħ", "Ħal Qormi", false),
            ("", "", true),
            ("", "a", false),
            ("l-0012", "l-0012", true),
            ("la*", "Lamp 12", true),
            ("mo*", "Triq Aldo Moro", true),
            ("*qor?i", "ĦAL QORMI", true),
            ("l?mp", "LAMP", true),
            ("l?mp", "lmp", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("**", "anything", true),
            ("?", "", false),
        ] {
            assert_eq!(pattern(of).holds(text), want, "{of:?} against {text:?}");
        }
    }

    #[test]
    fn words_of_a_street_end_at_signs_and_those_of_a_name_do_not() {
        let written = |text: &str| Written { at: 0..0, glyphs: text.chars().map(Glyph::Char).collect(), quoted: false };
        for (of, text, in_words, in_names) in [
            ("serkin", "Triq is-Serkin", true, false),
            ("is-serkin", "Triq is-Serkin", true, true),
            ("ħamrun", "Il-Ħamrun", true, false),
            ("l", "l-0012", true, false),
            ("ser", "Triq is-Serkin", false, false),
        ] {
            let holds = (Pattern::of_words(&written(of)).holds(text), Pattern::of(&written(of)).holds(text));
            assert_eq!(holds, (in_words, in_names), "{of} in {text}");
        }
    }

    #[test]
    fn a_word_alone_may_stand_anywhere_and_with_wildcards_is_a_word_whole() {
        let found_by = "lamp 12\nl-0012\ntriq aldo moro\nħal qormi";
        for (of, want) in [
            ("amp", true),
            ("MORO", true),
            ("o mo", true),
            ("mor?", true),
            ("or?", false),
            ("*12", true),
            ("ħal*", true),
        ] {
            assert_eq!(pattern(of).is_in(found_by), want, "{of}");
        }
    }
}
