//! What the languages of the program have in common while a text is read: what does not fit and at which byte, and how that becomes a
//! [`Mistake`].

use winnow::ModalResult;
use winnow::ascii::multispace0;
use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};

use crate::expression::Mistake;

/// A text while it is read, with what is counted on the way.
pub(crate) type Input<'t, Counted> = Stateful<LocatingSlice<&'t str>, Counted>;

/// What was read, or what does not fit.
pub(crate) type Parsed<T> = ModalResult<T, Wrong>;

/// What does not fit, and at which byte.
#[derive(Debug)]
pub(crate) struct Wrong {
    at: usize,
    why: String,
}

impl<Counted: std::fmt::Debug> ParserError<Input<'_, Counted>> for Wrong {
    type Inner = Wrong;

    fn from_input(input: &Input<'_, Counted>) -> Wrong {
        Wrong { at: input.current_token_start(), why: String::new() }
    }

    fn into_inner(self) -> Result<Wrong, Wrong> {
        Ok(self)
    }
}

/// Something does not fit here.
pub(crate) fn wrong<Counted>(input: &Input<'_, Counted>, why: impl Into<String>) -> ErrMode<Wrong> {
    wrong_at(input.current_token_start(), why)
}

/// Something does not fit at a byte.
pub(crate) fn wrong_at(at: usize, why: impl Into<String>) -> ErrMode<Wrong> {
    ErrMode::Cut(Wrong { at, why: why.into() })
}

/// Spaces, or none.
pub(crate) fn spaces<Counted: std::fmt::Debug>(input: &mut Input<'_, Counted>) -> Parsed<()> {
    multispace0.void().parse_next(input)
}

/// Reads a text whole with `root`. `what` is what it is called in a sentence: `the query`; `behind` says what is wrong with a sign that
/// stands behind a part that is complete.
pub(crate) fn whole<'t, Counted: Default + std::fmt::Debug, T>(
    text: &'t str,
    max_bytes: usize,
    what: &str,
    root: impl FnOnce(&mut Input<'t, Counted>) -> Parsed<T>,
    behind: impl FnOnce(char, &Input<'t, Counted>) -> String,
) -> Result<T, Mistake> {
    if text.len() > max_bytes {
        let why = format!("{what} has {} bytes; at most {max_bytes} are read", text.len());
        return Err(Mistake::at(text, 0, why));
    }
    let mut input = Stateful { input: LocatingSlice::new(text), state: Counted::default() };
    let whole = root(&mut input).and_then(|tree| {
        spaces(&mut input)?;
        match input.peek_token() {
            None => Ok(tree),
            Some(found) => Err(wrong(&input, behind(found, &input))),
        }
    });
    whole.map_err(|e| match e {
        ErrMode::Backtrack(wrong) | ErrMode::Cut(wrong) => Mistake::at(text, wrong.at, wrong.why),
        ErrMode::Incomplete(_) => Mistake::at(text, text.len(), format!("{what} is not complete")),
    })
}
