//! A board as its text.

use std::fmt::Write;

use toml::{Table, Value};

use super::{Board, Of, Shows, VERSION, Widget, bare};
use crate::geo::GeoBox;

impl Board {
    /// The text that [`Board::read`] reads as this board.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for line in &self.comment {
            let _ = writeln!(text, "#{line}");
        }
        let _ = writeln!(text, "version = {VERSION}");
        field(&mut text, "name", self.name.as_str());
        if !self.roles.is_empty() {
            field(&mut text, "for", words(self.roles.iter().map(|role| role.word().to_owned())));
        }
        self.widgets.iter().for_each(|widget| print(&mut text, widget));
        text
    }
}

/// A table as lines below a `[[widget]]`: tables within it stay on their line, or they would be tables of the board.
pub(super) fn lines(table: &Table) -> String {
    let mut text = String::new();
    for (key, value) in table {
        let named = Table::from_iter([(key.clone(), Value::Boolean(true))]).to_string();
        let name = named.trim_end().strip_suffix("= true").unwrap_or(key).trim_end();
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

fn words(all: impl IntoIterator<Item = String>) -> Value {
    Value::Array(all.into_iter().map(Value::String).collect())
}

fn field(text: &mut String, key: &str, value: impl Into<Value>) {
    let _ = writeln!(text, "{key} = {}", value.into());
}

fn unless_empty(text: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        field(text, key, value);
    }
}

fn print(text: &mut String, Widget { title, place, shows }: &Widget) {
    text.push_str("\n[[widget]]\n");
    if let Shows::Unread { .. } = shows {
    } else {
        field(text, "kind", shows.word());
    }
    unless_empty(text, "title", title);
    let _ = writeln!(text, "at = {{ x = {}, y = {}, w = {}, h = {} }}", place.x, place.y, place.w, place.h);
    match shows {
        Shows::Figure { query, of, value } => {
            unless_empty(text, "query", query);
            field(text, "of", of.word());
            if *of != Of::Count {
                field(text, "value", bare(value));
            }
        }
        Shows::Chart { lines, hours } => {
            let line = |line: &super::Line| format!("{} {}", line.thing, bare(&line.value));
            field(text, "lines", words(lines.iter().map(line)));
            field(text, "hours", i64::from(*hours));
        }
        Shows::Table { query, columns } => {
            unless_empty(text, "query", query);
            field(text, "columns", words(columns.iter().map(super::Column::word)));
        }
        Shows::Map { query, area } => {
            unless_empty(text, "query", query);
            if let Some(GeoBox { west_deg, south_deg, east_deg, north_deg }) = area {
                let corners = [*west_deg, *south_deg, *east_deg, *north_deg];
                field(text, "box", Value::Array(corners.into_iter().map(Value::Float).collect()));
            }
        }
        Shows::List { of, query } => {
            field(text, "of", of.word());
            unless_empty(text, "query", query);
        }
        Shows::Gauge { thing, value, min, max } => {
            field(text, "thing", thing.as_str());
            field(text, "value", bare(value));
            for (key, bound) in [("min", min), ("max", max)] {
                if let Some(bound) = bound {
                    field(text, key, *bound);
                }
            }
        }
        Shows::Heat { query, weeks } => {
            unless_empty(text, "query", query);
            field(text, "weeks", i64::from(*weeks));
        }
        Shows::Text(words) => field(text, "text", words.as_str()),
        Shows::Unread { written, .. } => text.push_str(written),
    }
}
