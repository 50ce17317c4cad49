//! What `export` and `audit export` share: where their lines go, and what a spreadsheet must not take for a formula.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde::Serialize;

/// The file, or the terminal and the next program where none is given. Never the cache itself.
pub fn sink(output: Option<&Path>, db: &Path) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = output else { return Ok(Box::new(io::stdout().lock())) };
    let same = |a: &Path, b: &Path| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    ensure!(!same(path, db), "{} is the cache itself; write to another file", path.display());
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Box::new(file))
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// With a header.
    Csv,
    /// One object a line.
    Json,
}

/// Lines that are written, in one of the two formats.
pub enum Sheet {
    /// With a header.
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    /// An object a line.
    Json(BufWriter<Box<dyn Write>>),
}

impl Sheet {
    /// Begins one; CSV with this header.
    pub fn begin<'a>(
        format: Format,
        sink: Box<dyn Write>,
        header: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<Sheet> {
        match format {
            Format::Json => Ok(Sheet::Json(BufWriter::new(sink))),
            Format::Csv => {
                let mut csv = csv(sink);
                csv.write_record(header).map_err(io_of)?;
                Ok(Sheet::Csv(Box::new(csv)))
            }
        }
    }

    /// Writes a line, or what of it is a record of CSV.
    pub fn write<R>(&mut self, line: &impl Serialize, record: impl FnOnce() -> R) -> io::Result<()>
    where
        R: IntoIterator<Item: AsRef<[u8]>>,
    {
        match self {
            Sheet::Json(out) => {
                serde_json::to_writer(&mut *out, line)?;
                out.write_all(b"\n")
            }
            Sheet::Csv(csv) => csv.write_record(record()).map_err(io_of),
        }
    }

    /// Everything is with the system.
    pub fn end(&mut self) -> io::Result<()> {
        match self {
            Sheet::Csv(csv) => csv.flush(),
            Sheet::Json(out) => out.flush(),
        }
    }
}

/// CSV as RFC 4180 has it.
fn csv(sink: Box<dyn Write>) -> csv::Writer<Box<dyn Write>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(sink)
}

/// What the system said, past the library's wrapping, which hides a broken pipe.
fn io_of(error: csv::Error) -> io::Error {
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
