//! The small charts of the table of things: which rows are in view and have none is asked for once the table rests, all in one question, and
//! again after a while. Nothing is asked while it scrolls, and nothing of rows that nobody sees.

use std::collections::BTreeMap;

use fleetlens_ipc::small::{SMALL_BUCKETS_MAX, SMALL_SERIES_MAX, Small, Smalls};
use fleetlens_ipc::{Done, Intent};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use super::Store;
use super::stretch::Seen;
use crate::clock::mono_ms;
use crate::lang::term;

/// For how long a chart is shown as it was read, in milliseconds: less than a bucket of the shortest time.
const STAYS_MS: f64 = 60_000.0;

/// How many are kept, also of rows that are out of sight: whoever scrolls back sees them at once.
const KEPT_MOST: usize = 1_000;

/// How far back the charts go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Back {
    /// There are none.
    #[default]
    Off,
    /// A shift.
    Hours6,
    /// A day.
    Hours24,
    /// A week.
    Days7,
}

impl Back {
    /// Every one, with its word for the storage and its words on the screen.
    pub const ALL: [(Back, &str, &str); 4] = [
        (Back::Off, "off", term("No charts")),
        (Back::Hours6, "6h", term("Last 6 h")),
        (Back::Hours24, "24h", term("Last 24 h")),
        (Back::Days7, "7d", term("Last 7 days")),
    ];

    /// What the column is called.
    pub fn label(self) -> &'static str {
        Back::ALL.into_iter().find(|(back, ..)| *back == self).map_or("", |(_, _, label)| label)
    }

    /// For the storage.
    pub fn word(self) -> &'static str {
        Back::ALL.into_iter().find(|(back, ..)| *back == self).map_or("", |(_, word, _)| word)
    }

    /// The inverse of [`Back::word`].
    pub fn of_word(word: &str) -> Option<Back> {
        Back::ALL.into_iter().find(|(_, known, _)| *known == word).map(|(back, ..)| back)
    }

    fn span_ms(self) -> u64 {
        const HOUR_MS: u64 = 3_600_000;
        match self {
            Back::Off => 0,
            Back::Hours6 => 6 * HOUR_MS,
            Back::Hours24 => 24 * HOUR_MS,
            Back::Days7 => 7 * 24 * HOUR_MS,
        }
    }
}

/// One chart as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its points; `None` where they could not be read.
    pub small: Option<Small>,
    /// How many buckets there are, with those in which nothing was said.
    pub count: u32,
    /// When it was read, by the window's monotonic clock.
    at_ms: f64,
}

/// The small charts. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct SmallCharts {
    /// How far back they go.
    pub back: RwSignal<Back>,
    /// Rises whenever others are here.
    pub told: RwSignal<u32>,
    kept: StoredValue<BTreeMap<SeriesKey, Kept>>,
    /// What was in view when it was last looked, and whether an answer is on its way.
    last: StoredValue<(Seen, bool)>,
    /// Which moment they end at, where that is not now.
    moment: StoredValue<Option<WallMs>>,
}

impl SmallCharts {
    pub(super) fn new() -> SmallCharts {
        SmallCharts {
            back: RwSignal::new(Back::Off),
            told: RwSignal::new(0),
            kept: StoredValue::new(BTreeMap::new()),
            last: StoredValue::new((Seen::default(), false)),
            moment: StoredValue::new(None),
        }
    }

    /// The chart of a series, if it was read. Tracked.
    pub fn of(self, series: SeriesKey) -> Option<Kept> {
        self.told.track();
        self.kept.with_value(|kept| kept.get(&series).cloned())
    }

    /// From now on so far back.
    pub fn choose(self, back: Back) {
        if self.back.get_untracked() != back {
            self.clear();
            self.back.set(back);
        }
    }

    /// Which moment is shown: by more than a bucket another one has other charts.
    pub(super) fn show_moment(self, moment: Option<WallMs>) {
        let bucket_ms = self.back.get_untracked().span_ms() / u64::from(SMALL_BUCKETS_MAX);
        let is_other = match (self.moment.get_value(), moment) {
            (Some(before), Some(moment)) => before.0.abs_diff(moment.0) > bucket_ms,
            (before, moment) => before.is_some() != moment.is_some(),
        };
        if is_other {
            self.moment.set_value(moment);
            self.clear();
        }
    }

    /// Another fleet has other series.
    pub(super) fn clear(self) {
        self.kept.update_value(BTreeMap::clear);
        self.last.update_value(|(_, asked)| *asked = false);
        self.told.update(|times| *times += 1);
    }

    /// What came of asking for these: their charts, or nothing where they could not be read, until it is time to ask again.
    fn take(self, series: &[SeriesKey], smalls: Option<Smalls>, now_ms: f64) {
        let read = smalls.is_some();
        let Smalls { count, all, .. } = smalls.unwrap_or_default();
        self.kept.update_value(|kept| {
            if kept.len() + series.len() > KEPT_MOST {
                kept.clear();
            }
            for series in series.iter().filter(|_| !read) {
                kept.insert(*series, Kept { small: None, count, at_ms: now_ms });
            }
            for small in all {
                kept.insert(small.series, Kept { small: Some(small), count, at_ms: now_ms });
            }
        });
        self.told.update(|times| *times += 1);
    }

    /// What of these is not here, or was read too long ago.
    fn missing(self, wanted: &[SeriesKey], now_ms: f64) -> Vec<SeriesKey> {
        self.kept.with_value(|kept| {
            let is_here = |series: &SeriesKey| kept.get(series).is_some_and(|kept| now_ms - kept.at_ms < STAYS_MS);
            wanted.iter().copied().filter(|series| !is_here(series)).take(SMALL_SERIES_MAX).collect()
        })
    }
}

impl Store {
    /// Looks whether small charts are to be asked for: those of the rows in view, once the table rests.
    pub fn ask_for_small(self) {
        let small = self.small;
        let back = small.back.get_untracked();
        let (seen, asked) = small.last.get_value();
        let now = self.things.seen_now();
        small.last.set_value((now, asked));
        if back == Back::Off || asked || seen != now || self.cut.with_untracked(Option::is_some) {
            return;
        }
        let series = small.missing(&self.things.series_in_view(), mono_ms());
        if series.is_empty() {
            return;
        }
        small.last.set_value((now, true));
        let begun = self.begun.get_untracked();
        let pick = |done| if let Done::Small(smalls) = done { Some(smalls) } else { None };
        self.ask_for(Intent::Small { series: series.clone(), span_ms: back.span_ms() }, pick, move |outcome| {
            let is_meant = self.begun.get_untracked() == begun && small.back.get_untracked() == back;
            small.last.update_value(|(_, asked)| *asked = false);
            if is_meant {
                small.take(&series, outcome.ok(), mono_ms());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_is_not_asked_for_again_before_it_is_old_and_never_more_than_a_screen() {
        let owner = Owner::new();
        owner.with(|| {
            let small = Store::new().small;
            let wanted: Vec<SeriesKey> = (0..300).map(SeriesKey).collect();
            assert_eq!(small.missing(&wanted, 0.0).len(), SMALL_SERIES_MAX);
            let all = vec![Small { series: SeriesKey(0), points: Vec::new() }];
            small.take(&[SeriesKey(0)], Some(Smalls { all, count: 49, ..Smalls::default() }), 1_000.0);
            assert!(!small.missing(&wanted, 2_000.0).contains(&SeriesKey(0)), "one that said nothing is here too");
            assert!(small.missing(&wanted, 1_000.0 + STAYS_MS).contains(&SeriesKey(0)));
            small.take(&[SeriesKey(1)], None, 1_000.0);
            assert_eq!(small.of(SeriesKey(1)).map(|kept| kept.small), Some(None), "it could not be read");
            assert!(!small.missing(&wanted, 2_000.0).contains(&SeriesKey(1)), "it is tried again after a while");
            small.choose(Back::Days7);
            assert_eq!(small.of(SeriesKey(0)), None, "another time has other charts");
        });
    }

    #[test]
    fn how_far_back_is_kept_by_its_word() {
        for (back, word, _) in Back::ALL {
            assert_eq!((Back::of_word(word), back.word()), (Some(back), word));
        }
        assert_eq!(Back::of_word("a year"), None);
    }
}
