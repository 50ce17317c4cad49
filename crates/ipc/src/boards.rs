//! Boards ([`fleetlens_model::board`]): what a window asks so that its widgets show something, and what becomes of their files.
//!
//! The window reads a board's text with the model's own code, and looks at what its widgets show as one view ([`crate::Look::Board`]),
//! so that one walk through the fleet answers all of them. The lines of a chart are views of their own ([`crate::Look::Chart`]), by the
//! series that this one names; a heat is asked for ([`BoardAsk::Heat`]).

use fleetlens_model::board::{Line, Of};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use crate::rows::{AlarmRow, ThingRow, ValueRow};

/// Boards that are shown of one folder.
pub const BOARDS_MAX: usize = 64;

/// Rows that a table or a list shows.
pub const BOARD_ROWS_MAX: u32 = 50;

/// Marks that a map shows.
pub const BOARD_MARKS_MAX: usize = 5_000;

/// Car parks that a heat is made of.
pub const HEAT_PARKS_MAX: usize = 1_000;

/// Hours of a week.
pub const HEAT_CELLS: usize = 7 * 24;

/// What one widget asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Asked {
    /// Nothing: a text, or what could not be read.
    Nothing,
    /// Answered with [`Shown::Figure`].
    Figure {
        /// A query ([`fleetlens_model::query`]); empty for all.
        query: String,
        /// Which number.
        of: Of,
        /// Of which value: JSON pointer; empty for a count.
        value: String,
    },
    /// Answered with [`Shown::Lines`].
    Lines(Vec<Line>),
    /// Answered with [`Shown::Table`].
    Table {
        /// As above.
        query: String,
        /// Values that stand in columns of their own: JSON pointers.
        values: Vec<String>,
    },
    /// Answered with [`Shown::Map`].
    Map {
        /// As above.
        query: String,
        /// Only what is in there.
        area: Option<GeoBox>,
    },
    /// Answered with [`Shown::Alarms`].
    Alarms {
        /// Only those that nobody has acknowledged.
        unseen: bool,
        /// Only of things that this finds.
        query: String,
    },
    /// Answered with [`Shown::Gauge`].
    Gauge(Line),
    /// Answered with [`Shown::Parks`].
    Parks {
        /// As above.
        query: String,
    },
}

/// What one widget shows, in the place of what it asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A number.
    Figure(BoardFigure),
    /// The series of each line, with what people call it; `None` for one that nobody knows or that is not for who is at the screen.
    Lines(Vec<Option<(SeriesKey, String)>>),
    /// Things by title, at most [`BOARD_ROWS_MAX`].
    Table {
        /// How many there are.
        total: u32,
        /// Each with its values, as they were asked for.
        rows: Vec<(ThingRow, Vec<Option<ValueRow>>)>,
    },
    /// Things with a place, the worst first, at most [`BOARD_MARKS_MAX`].
    Map {
        /// How many there are.
        total: u32,
        /// Packed [`crate::map`] rows.
        packed: Vec<u8>,
    },
    /// Alarms, the worst first, at most [`BOARD_ROWS_MAX`].
    Alarms {
        /// How many there are.
        total: u32,
        /// The first of them.
        rows: Vec<AlarmRow>,
    },
    /// A value.
    Gauge(Box<BoardGauge>),
    /// The car parks that a heat is made of, each with its spaces in all.
    Parks {
        /// Of how many free spaces.
        parks: Vec<(SeriesKey, u32)>,
        /// Car parks that are too many, or of which nobody said how many spaces they have.
        left_out: u32,
    },
    /// Nothing can be shown: a sentence.
    Wrong(String),
}

/// A number over many things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoardFigure {
    /// The number; `None` where no thing has said a value.
    pub number: Option<f64>,
    /// How many things were found.
    pub things: u32,
    /// How many of them have said the value; all of them for a count.
    pub with_value: u32,
    /// Of how many of those it is not live.
    pub not_live: u32,
    /// When the oldest of them was measured, on our clock, by ten seconds; `None` for a count and without any value.
    pub oldest_ms: Option<WallMs>,
    /// What the value is called; empty for a count.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
}

/// One value on its scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoardGauge {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// The value.
    pub value: ValueRow,
    /// The least and the greatest it can be, where its kind says so.
    pub scale: Option<(f64, f64)>,
}

/// What a window wants with boards. Performed by the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BoardAsk {
    /// Which boards are there? Answered with [`BoardDone::Shelf`].
    Read,
    /// Write one, whole. Answered with [`BoardDone::Kept`]. For those who may steer.
    Keep {
        /// Its id; `None` for a new one, which gets one of its name.
        id: Option<String>,
        /// Its text.
        text: String,
        /// [`BoardFile::seen`] of what it replaces; not of one that is new. If that was changed since, nothing is written.
        seen: Option<u64>,
    },
    /// Take its file away; of a board that comes with the program that is there again. Answered with [`BoardDone::Removed`]. For those who
    /// may steer.
    Remove {
        /// Its id.
        id: String,
        /// As above.
        seen: u64,
    },
    /// How full were car parks, by hour and day of the week? Answered with [`BoardDone::Heat`].
    Heat {
        /// Free spaces, and how many there are in all; at most [`HEAT_PARKS_MAX`].
        parks: Vec<(SeriesKey, u32)>,
        /// How far back; at most [`fleetlens_model::board::WEEKS_MAX`].
        weeks: u32,
        /// What the person's clock shows more than UTC, in minutes.
        utc_offset_min: i32,
    },
}

/// What came of a [`BoardAsk`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BoardDone {
    /// The boards, those that come with the program first, then by their ids; at most [`BOARDS_MAX`].
    Shelf(Vec<BoardFile>),
    /// It is on the disk.
    Kept(BoardFile),
    /// It is gone.
    Removed,
    /// How full they were.
    Heat(Heat),
}

/// A board's text and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardFile {
    /// What its file is called, without the ending.
    pub id: String,
    /// Its text, as it lies on the disk.
    pub text: String,
    /// A mark of the text.
    pub seen: u64,
    /// Its file; empty for one that comes with the program and was not changed.
    pub file: String,
    /// Whether one of this id comes with the program.
    pub is_built_in: bool,
    /// Why its file cannot be read; empty for one that can. Then there is no text.
    pub fault: String,
}

/// How full car parks were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// By hour, Monday's first: the mean share of spaces that were taken, 0 to 1, over all weeks, of all car parks by their spaces. `None`
    /// where nothing was measured. [`HEAT_CELLS`] of them.
    pub hours: Vec<Option<f32>>,
    /// The first hour of which anything is known.
    pub begins: Option<WallMs>,
    /// Of how many car parks.
    pub parks: u32,
}
