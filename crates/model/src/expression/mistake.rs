//! What is wrong with a text, and where.

use thiserror::Error;

/// A mistake in an expression or a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}column {column}: {why}", if *line > 1 { format!("line {line}, ") } else { String::new() })]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What was found and what would be right.
    pub why: String,
}

impl Mistake {
    /// A mistake at a byte of a text.
    pub(crate) fn at(text: &str, byte: usize, why: impl Into<String>) -> Mistake {
        debug_assert!(text.is_char_boundary(byte), "byte {byte} of {text:?} is within a character");
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Mistake { line, column, why: why.into() }
    }

    /// The line of the text with a caret under the place, for a screen or a terminal with letters of one width.
    pub fn picture(&self, text: &str) -> String {
        let line = text.split('\n').nth(self.line.saturating_sub(1)).unwrap_or_default();
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{line}\n{}^", " ".repeat(self.column.saturating_sub(1)))
    }
}
