//! What `export` and `audit export` share: where their lines go, and what a spreadsheet must not take for a formula.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, ensure};

/// The file, or the terminal and the next program where none is given. Never the cache itself.
pub fn sink(output: Option<&Path>, db: &Path) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = output else { return Ok(Box::new(io::stdout().lock())) };
    let same = |a: &Path, b: &Path| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    ensure!(!same(path, db), "{} is the cache itself; write to another file", path.display());
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Box::new(file))
}

/// CSV as RFC 4180 has it.
pub fn csv(sink: Box<dyn Write>) -> csv::Writer<Box<dyn Write>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(sink)
}

/// What the system said, past the library's wrapping, which hides a broken pipe.
pub fn io_of(error: csv::Error) -> io::Error {
    let kind = error.into_kind();
    if let csv::ErrorKind::Io(error) = kind { error } else { io::Error::other(format!("{kind:?}")) }
}

/// A text that no spreadsheet takes for a formula (OWASP, CSV injection).
pub fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_be_a_formula_is_a_text() {
        for (text, want) in [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-x", "'-x"), ("open", "open"), ("", "")] {
            assert_eq!(harmless(text), want);
        }
    }
}
