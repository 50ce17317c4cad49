//! Sheets of what a cache holds, for other programs and for people: how their lines are written, what a spreadsheet must not take for a
//! formula, and the two that windows and the command line share.

pub mod audit;
pub mod bulk;
pub mod chart;

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use fleetlens_model::time::WallMs;
use jiff::Timestamp;
use serde::Serialize;

/// How a sheet is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// With a header.
    Csv,
    /// One object a line.
    Json,
}

/// Lines that are written, in one of the two formats.
pub enum Sheet<'a> {
    /// With a header.
    Csv(Box<csv::Writer<Box<dyn Write + 'a>>>),
    /// An object a line.
    Json(BufWriter<Box<dyn Write + 'a>>),
}

impl<'a> Sheet<'a> {
    /// Begins one; CSV with this header.
    pub fn begin<'b>(
        format: Format,
        sink: Box<dyn Write + 'a>,
        header: impl IntoIterator<Item = &'b str>,
    ) -> io::Result<Sheet<'a>> {
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
fn csv<'a>(sink: Box<dyn Write + 'a>) -> csv::Writer<Box<dyn Write + 'a>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(sink)
}

/// What the system said, past the library's wrapping, which hides a broken pipe.
fn io_of(error: csv::Error) -> io::Error {
    let kind = error.into_kind();
    if let csv::ErrorKind::Io(error) = kind { error } else { io::Error::other(format!("{kind:?}")) }
}

/// What begins a formula, also as East Asian keyboards write it in full width.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text that no spreadsheet takes for a formula (OWASP, CSV injection).
pub fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// RFC 3339 in UTC with milliseconds; the bare number where the calendar ends.
pub fn rfc3339(at: WallMs) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_be_a_formula_is_a_text() {
        for (text, want) in [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-x", "'-x"), ("open", "open"), ("", "")] {
            assert_eq!(harmless(text), want);
        }
        for text in ["＝1+1", "＋1", "－1", "＠SUM(A1)"] {
            assert_eq!(harmless(text), format!("'{text}"), "in full width");
        }
    }
}
