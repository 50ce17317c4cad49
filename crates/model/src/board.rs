//! Boards: a grid of widgets that a person arranges, as a text that a person can read ([ADR 18](../../../docs/adr/0018-boards.md)).
//!
//! A widget says what it shows by a query, by a thing and a value of it, or by words; nothing here knows what that is at the moment.
//! Each widget is read by itself: one that is wrong costs no other, and stays in the text as it was written ([`Shows::Unread`]).

mod fields;
mod grid;
pub mod heat;
mod print;
mod read;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::geo::GeoBox;
use crate::identity::Role;

pub use fields::{Asks, Field};
pub use read::value_pointer;

/// The version of the text that is written. A greater one is refused.
pub const VERSION: i64 = 1;

/// Columns of the grid.
pub const COLUMNS: u16 = 12;

/// The last row where something is put.
pub const ROWS_MAX: u16 = 200;

/// The most rows a widget may be high.
pub const HEIGHT_MAX: u16 = 24;

/// The most widgets of a board.
pub const WIDGETS_MAX: usize = 24;

/// The last row in which something stands: what gives way goes below all others, each of which is as high as can be.
const LAST_ROW: u16 = ROWS_MAX + 24 * HEIGHT_MAX;

const _: () = assert!(WIDGETS_MAX == 24, "as many give way");

/// The longest text of a board, in bytes.
pub const TEXT_MAX_BYTES: usize = 64 * 1024;

/// The longest name of a board or title of a widget, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// The longest text of a widget, in characters.
pub const WORDS_MAX_CHARS: usize = 2_000;

/// The most lines of a chart.
pub const LINES_MAX: usize = 4;

/// The most columns of a table, beside the title.
pub const TABLE_COLUMNS_MAX: usize = 6;

/// The furthest a chart looks back, in hours: a year.
pub const HOURS_MAX: u32 = 8_784;

/// The furthest a heat looks back, in weeks.
pub const WEEKS_MAX: u32 = 26;

/// A board.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// What its owner wrote above everything, without the `#`; may be empty.
    pub comment: Vec<String>,
    /// What people call it; 1 to [`NAME_MAX_CHARS`].
    pub name: String,
    /// Whose board it is: it opens first for them. A driver is shown no other.
    pub roles: Vec<Role>,
    /// In the order of the text; at most [`WIDGETS_MAX`], none over another.
    pub widgets: Vec<Widget>,
}

/// One widget.
#[derive(Clone, Debug, PartialEq)]
pub struct Widget {
    /// What stands above it; empty for what it says of itself.
    pub title: String,
    /// Where.
    pub place: Place,
    /// What.
    pub shows: Shows,
}

/// Where a widget stands, in columns and rows of the grid, from the upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From the left, 0 to 11.
    pub x: u16,
    /// From the top, 0 to [`ROWS_MAX`]; of what gave way to others further down.
    pub y: u16,
    /// Columns, 1 to 12.
    pub w: u16,
    /// Rows, 1 to [`HEIGHT_MAX`].
    pub h: u16,
}

/// What a widget shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Shows {
    /// One number over what a query finds.
    Figure {
        /// [`crate::query`]; empty for all things.
        query: String,
        /// Which number.
        of: Of,
        /// Of which value: JSON pointer. Empty for [`Of::Count`] alone.
        value: String,
    },
    /// Values over time.
    Chart {
        /// 1 to [`LINES_MAX`].
        lines: Vec<Line>,
        /// How far back, 1 to [`HOURS_MAX`].
        hours: u32,
    },
    /// What a query finds, a row each.
    Table {
        /// As above.
        query: String,
        /// Beside the title, 1 to [`TABLE_COLUMNS_MAX`].
        columns: Vec<Column>,
    },
    /// Where it is what a query finds.
    Map {
        /// As above.
        query: String,
        /// What of the earth is shown; `None` for as much as everything needs.
        area: Option<GeoBox>,
    },
    /// Open alarms.
    List {
        /// Which.
        of: Listed,
        /// Only of things that this finds.
        query: String,
    },
    /// One value with its limits.
    Gauge {
        /// The thing's name.
        thing: String,
        /// JSON pointer.
        value: String,
        /// Where its scale begins; `None` for what its kind says.
        min: Option<f64>,
        /// Where it ends.
        max: Option<f64>,
    },
    /// How full car parks are by hour and day of the week.
    Heat {
        /// As above; of what it finds the car parks.
        query: String,
        /// How far back, 1 to [`WEEKS_MAX`].
        weeks: u32,
    },
    /// Words, as they are: no markup.
    Text(String),
    /// What could not be read.
    Unread {
        /// Its table, as TOML without `at` and `title`.
        written: String,
        /// What is wrong with it, as a sentence.
        why: String,
    },
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// The thing's name.
    pub thing: String,
    /// JSON pointer.
    pub value: String,
}

/// Which number a figure is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Of {
    /// How many things.
    #[default]
    Count,
    /// The sum of their values.
    Sum,
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Of {
    /// All of them.
    pub const ALL: [Of; 5] = [Of::Count, Of::Sum, Of::Mean, Of::Min, Of::Max];

    /// The word in the text.
    pub fn word(self) -> &'static str {
        match self {
            Of::Count => "count",
            Of::Sum => "sum",
            Of::Mean => "mean",
            Of::Min => "min",
            Of::Max => "max",
        }
    }
}

/// Which alarms are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Listed {
    /// Those that nobody has acknowledged, the worst first.
    #[default]
    Attention,
    /// All that are open.
    Alarms,
}

impl Listed {
    /// All of them.
    pub const ALL: [Listed; 2] = [Listed::Attention, Listed::Alarms];

    /// The word in the text.
    pub fn word(self) -> &'static str {
        match self {
            Listed::Attention => "attention",
            Listed::Alarms => "alarms",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Column {
    /// What it is.
    Kind,
    /// Street and district.
    Place,
    /// How it stands.
    Status,
    /// Its kind's main value.
    Main,
    /// How long ago it spoke.
    Heard,
    /// Its worst open alarm.
    Alarm,
    /// A value, by JSON pointer.
    Value(String),
}

/// What begins the word of a column that is a value.
const VALUE: &str = "value.";

impl Column {
    /// Those with a word of their own.
    pub const ALL: [Column; 6] =
        [Column::Kind, Column::Place, Column::Status, Column::Main, Column::Heard, Column::Alarm];

    /// The word in the text.
    pub fn word(&self) -> String {
        match self {
            Column::Kind => "kind".into(),
            Column::Place => "place".into(),
            Column::Status => "status".into(),
            Column::Main => "value".into(),
            Column::Heard => "heard".into(),
            Column::Alarm => "alarm".into(),
            Column::Value(pointer) => format!("{VALUE}{}", bare(pointer)),
        }
    }

    /// The column of a [`Column::word`].
    pub fn of_word(word: &str) -> Option<Column> {
        let own = Column::ALL.into_iter().find(|column| column.word() == word);
        let value = || word.strip_prefix(VALUE).filter(|name| !name.is_empty());
        own.or_else(|| Some(Column::Value(value_pointer(value()?))))
    }
}

/// What is wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u32,
    /// What was found and what would be right.
    pub message: String,
}

impl Shows {
    /// The words of the eight kinds, in the order of the menu.
    pub const WORDS: [&str; 8] = ["figure", "chart", "table", "map", "list", "gauge", "heat", "text"];

    /// The word in the text; empty for one that could not be read.
    pub fn word(&self) -> &'static str {
        match self {
            Shows::Figure { .. } => "figure",
            Shows::Chart { .. } => "chart",
            Shows::Table { .. } => "table",
            Shows::Map { .. } => "map",
            Shows::List { .. } => "list",
            Shows::Gauge { .. } => "gauge",
            Shows::Heat { .. } => "heat",
            Shows::Text(_) => "text",
            Shows::Unread { .. } => "",
        }
    }

    /// How wide and high a new one is.
    pub fn first_size(word: &str) -> (u16, u16) {
        match word {
            "figure" | "gauge" => (3, 2),
            "table" | "list" => (6, 5),
            "map" | "heat" => (6, 6),
            "chart" => (6, 4),
            _ => (4, 2),
        }
    }
}

/// A pointer as it is written: `power_w` for `/power_w`. [`value_pointer`] leads back.
pub fn bare(pointer: &str) -> &str {
    let name = pointer.strip_prefix('/').filter(|name| !name.is_empty() && !name.starts_with('/'));
    name.unwrap_or(pointer)
}
