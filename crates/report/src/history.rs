//! What happened to alarms within the span, in order.

use fleetlens_model::alarm::Alarm;
use fleetlens_model::time::WallMs;

use crate::past::Past;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It became so.
    Raised,
    /// A person saw it.
    Acknowledged,
    /// It ceased to be so.
    Cleared,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    pub at_ms: WallMs,
    pub what: What,
    pub alarm: &'a Alarm,
}

/// All of them, in the order of time; at one moment in the order of an alarm's life.
pub fn rows(past: &Past) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = past
        .told()
        .flat_map(|(alarm, one)| {
            let row = |at: Option<WallMs>, what| at.map(|at_ms| Row { at_ms, what, alarm });
            [
                row(Some(one.told_ms), What::Raised),
                row(one.acknowledged_ms, What::Acknowledged),
                row(one.cleared_ms, What::Cleared),
            ]
        })
        .flatten()
        .filter(|row| past.span.contains(&row.at_ms))
        .collect();
    rows.sort_by_key(|row| (row.at_ms, row.what, row.alarm.id));
    rows
}
