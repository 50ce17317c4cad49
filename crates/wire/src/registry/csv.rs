//! CSV (RFC 4180) with a header: commas, semicolons or tabs between the columns, whichever the header has most of.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use csv::{ByteRecord, ReaderBuilder, Trim};
use serde_json::Value as Json;

use super::{Bounded, Column, Columns, Registry, RegistryError, entry, names};
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// The longest row, in bytes: sixteen descriptions' worth of text.
const ROW_MAX_BYTES: usize = 64 * 1024;

/// Columns a file may have.
const COLUMNS_MAX: usize = 1_000;

/// Reads a registry from CSV.
pub fn read_csv(input: impl Read, columns: &Columns) -> Result<Registry, RegistryError> {
    let mut input = BufReader::new(Bounded::new(input));
    let first = input.fill_buf()?;
    if first.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let header = input.fill_buf()?.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).flexible(true).from_reader(input);
    let header: Vec<String> = reader
        .byte_headers()
        .map_err(unreadable)?
        .iter()
        .take(COLUMNS_MAX)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let at = places(&header, columns)?;
    let mut registry = Registry::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(&record, &header, &at).and_then(|row| entry(&row));
        if !registry.take(&format!("line {line}"), row) {
            break;
        }
    }
    Ok(registry)
}

/// In which place each column stands.
fn places(header: &[String], columns: &Columns) -> Result<BTreeMap<Column, usize>, RegistryError> {
    let given = || quote(&header.join(", "), QUOTE_MAX_CHARS);
    let mut at = BTreeMap::new();
    for column in Column::ALL {
        let names = names(column, columns);
        let place = names.iter().find_map(|name| header.iter().position(|has| has == name));
        match (place, column) {
            (Some(place), column) => drop(at.insert(column, place)),
            (None, Column::Thing) => {
                return Err(RegistryError::NoThing {
                    wanted: format!("\"{}\"", names.join("\" or \"")),
                    given: given(),
                });
            }
            (None, column) => {
                if let Some(wanted) = columns.get(&column) {
                    return Err(RegistryError::NoColumn { wanted: wanted.clone(), given: given() });
                }
            }
        }
    }
    Ok(at)
}

/// The values of a row that say something.
fn row(record: &ByteRecord, header: &[String], at: &BTreeMap<Column, usize>) -> Result<BTreeMap<Column, Json>, String> {
    if record.as_slice().len() > ROW_MAX_BYTES {
        return Err(format!("it has {} bytes; at most {ROW_MAX_BYTES} are read", record.as_slice().len()));
    }
    if record.len() != header.len() {
        return Err(format!("it has {} columns where the header has {}", record.len(), header.len()));
    }
    let mut row = BTreeMap::new();
    for (column, place) in at {
        let cell = record.get(*place).unwrap_or_default();
        let text = std::str::from_utf8(cell).map_err(|_| format!("its {} is not UTF-8", column.word()))?;
        if !text.is_empty() {
            row.insert(*column, Json::from(text));
        }
    }
    Ok(row)
}

fn unreadable(error: csv::Error) -> RegistryError {
    RegistryError::Unreadable(error.into())
}
