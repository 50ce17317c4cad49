//! What happened in a fleet over a span of time, as one page of HTML: how many alarms there were and how they were answered, what is open,
//! what happened in order, and who did what.
//!
//! The page needs nothing but itself: no other file, no network, no script. It is light or dark as its reader's system is, prints on A4, and
//! everything that strangers wrote is text in it. It is read from a cache with connections that only read, so it is made while the app
//! runs (`Store::reading`, `Reading::open`) and without any network. What does not belong here: deciding what the figures are (`fleetlens_model::alarm::health`), SQL, a
//! clock, where the page is written, how maps are drawn.

mod charts;
mod deeds;
mod health;
mod history;
mod maps;
mod page;
mod past;
mod words;

use std::ops::Range;

use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, StoreError};
use jiff::tz::Offset;
use thiserror::Error;

pub use health::{Health, Judged, Picture, health};
pub use jiff::tz::TimeZone;
pub use maps::{Drawn, Map, PLACES_MAX, Place};

use past::Past;
use words::Calendar;

/// What a report is to tell.
#[derive(Clone, Debug)]
pub struct Asked {
    /// From its beginning, included, to its end, excluded. Of what lies before the cache begins nothing is told but that.
    pub span: Range<WallMs>,
    /// In whose days and hours.
    pub zone: TimeZone,
    /// When it is made.
    pub now: WallMs,
}

/// The zone of clocks that show so many minutes more than UTC, which is all that a browser says of its own; UTC for what no clock shows.
pub fn zone_of(utc_offset_min: i32) -> TimeZone {
    Offset::from_seconds(utc_offset_min.saturating_mul(60)).map_or(TimeZone::UTC, TimeZone::fixed)
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReportError {
    /// The span has no length.
    #[error("there is no time from {from} to {to}; the end must lie after the beginning")]
    NoSpan {
        /// The beginning given.
        from: String,
        /// The end given.
        to: String,
    },
    /// The calendar knows no such moment.
    #[error("{0} ms since 1970 is in no calendar; give a time between the years 1 and 9998")]
    NoMoment(i64),
    /// A picture could not be drawn.
    #[error("a chart cannot be drawn: {0}")]
    Chart(#[from] fleetlens_chart::ChartError),
    /// The cache could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the page. Reads one thing after the other, each in a short transaction, so a cache that is written meanwhile is not held up and
/// the page is as of when each was read. Blocks on the disk; takes some ten milliseconds a thousand alarms.
///
/// `draw` is asked for two maps at most, one after the other, and blocks as long as it likes; where it says why there is none, the page
/// says so too.
pub fn html(
    reading: &Reading,
    asked: &Asked,
    draw: &mut dyn FnMut(&Map) -> Result<Drawn, String>,
) -> Result<String, ReportError> {
    let whole = Calendar::new(asked.zone.clone(), &asked.span)?;
    let past = Past::read(reading, asked)?;
    let calendar = Calendar::new(asked.zone.clone(), &past.span)?;
    let maps = maps::wanted(&past);
    let drawn: Vec<_> = maps.iter().map(|map| (map, draw(map))).collect();
    Ok(page::page(&past, &drawn, &whole.span(), &calendar).into_string())
}
