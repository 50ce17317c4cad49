//! Replay: a window that is shown the city as it was, out of the cache.
//!
//! While it is, every view it looks at is answered out of the past, which comes in parcels numbered apart from those of the present; what it
//! asks is answered by the present as before, and what would change anything is refused.

use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// The number before that of the first parcel of the past: far from any of the present.
pub const PARCELS_FROM: u64 = 1 << 62;

/// How much faster than life it may go.
pub const SPEEDS: [u16; 4] = [1, 10, 60, 600];

/// Parts of a span in which alarms may be counted ([`ReplayAsk::Raised`]).
pub const PARTS_MAX: u32 = 1_000;

/// What a window wants of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplayAsk {
    /// How far back does the cache reach? Answered with [`ReplayDone::Span`].
    Span,
    /// How many alarms were raised in each of so many equal parts of a span? Answered with [`ReplayDone::Raised`].
    Raised {
        /// From here, included.
        from_ms: WallMs,
        /// To here, excluded.
        to_ms: WallMs,
        /// 1 to [`PARTS_MAX`].
        parts: u32,
    },
    /// Show the city as it was then. A moment outside the span is that of its nearer end. Answered with [`ReplayDone::Shown`] once
    /// everything that the window looks at is of that moment.
    Seek(WallMs),
    /// Go on from there as fast as this, one of [`SPEEDS`]; 0 stands still. Answered with [`ReplayDone::Shown`].
    Play(u16),
    /// Show the city as it is. Answered with [`ReplayDone::Now`].
    Now,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplayDone {
    /// When the oldest sample in the cache was measured, and the present; `None` of a cache without any.
    Span(Option<(WallMs, WallMs)>),
    /// How many in each part, in order.
    Raised(Vec<u32>),
    /// This moment is shown.
    Shown(Moment),
    /// The present is shown.
    Now,
}

/// Which moment of the past a window is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at_ms: WallMs,
    /// How much faster than life it goes on; 0 while it stands still.
    pub speed: u16,
    /// Whether another moment had been asked for: before the cache begins, or later than now.
    pub is_other: bool,
    /// Of so many shadows nobody can tell what they were then.
    pub shadows_unknown: u32,
    /// Of so many alarms, which were raised again since, nobody can.
    pub alarms_unknown: u32,
}
