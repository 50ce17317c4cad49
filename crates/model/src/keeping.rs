//! How long a cache keeps the history of each kind of thing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::record::Retention;

/// How old the history of one kind of thing may become, where that is otherwise than for all; in days, within
/// [`Retention::KEEP_DAYS`]. `None` is as for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ages {
    /// Samples.
    pub keep_days: Option<u32>,
    /// What happened in each minute.
    pub minutes_days: Option<u32>,
    /// What happened in each hour.
    pub hours_days: Option<u32>,
}

/// How old the history of a thing may become, in days. No roll-up goes before what is narrower: it answers wider questions about
/// what that is still there of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// Samples.
    pub samples: u32,
    /// What happened in each minute; no less than samples.
    pub minutes: u32,
    /// What happened in each hour; no less than minutes. `None` is for ever.
    pub hours: Option<u32>,
}

/// How much a cache keeps, and how long that of each kind of thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// The size, and how old that may become of which nothing else is said.
    pub all: Retention,
    /// In the places of [`Kind::ALL`].
    kinds: [Ages; Kind::ALL.len()],
}

impl From<Retention> for Keeping {
    /// The same for every kind.
    fn from(all: Retention) -> Keeping {
        Keeping { all, ..Keeping::default() }
    }
}

impl Keeping {
    /// With these ages of some kinds; of one that stands there twice the last ones.
    pub fn with(all: Retention, kinds: impl IntoIterator<Item = (Kind, Ages)>) -> Keeping {
        let mut keeping = Keeping::from(all);
        for (kind, ages) in kinds {
            let places = Kind::ALL.into_iter().zip(&mut keeping.kinds);
            places.filter(|(of, _)| *of == kind).for_each(|(_, place)| *place = ages);
        }
        keeping
    }

    /// How old the history of things of this kind may become.
    pub fn of(&self, kind: Kind) -> Days {
        let mut places = Kind::ALL.into_iter().zip(self.kinds);
        let ages = places.find(|(of, _)| *of == kind).map(|(_, ages)| ages).unwrap_or_default();
        let samples = ages.keep_days.unwrap_or(self.all.keep_days);
        let minutes = ages.minutes_days.unwrap_or(self.all.minutes_days).max(samples);
        let hours = ages.hours_days.or(self.all.hours_days).map(|hours| hours.max(minutes));
        Days { samples, minutes, hours }
    }

    /// How old the history of any kind may become: what is older is nobody's.
    pub fn longest(&self) -> Days {
        Kind::ALL.into_iter().map(|kind| self.of(kind)).fold(self.of(Kind::Other), |one, other| Days {
            samples: one.samples.max(other.samples),
            minutes: one.minutes.max(other.minutes),
            hours: one.hours.zip(other.hours).map(|(one, other)| one.max(other)),
        })
    }
}

impl fmt::Display for Days {
    /// As a person reads it: `values 30 days, minutes 365 days, hours for ever`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Days { samples, minutes, hours } = self;
        let days = |n: u32| format!("{n} {}", if n == 1 { "day" } else { "days" });
        let hours = hours.map_or_else(|| "for ever".to_owned(), days);
        write!(f, "values {}, minutes {}, hours {hours}", days(*samples), days(*minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_its_own_ages_and_what_it_does_not_say_is_as_for_all() {
        let all = Retention { keep_days: 30, minutes_days: 365, hours_days: Some(1_000), max_mb: 16 };
        let short = Ages { keep_days: Some(7), ..Ages::default() };
        let long = Ages { keep_days: Some(400), hours_days: Some(2_000), ..Ages::default() };
        let keeping = Keeping::with(all, [(Kind::Bin, long), (Kind::Lamp, long), (Kind::Lamp, short)]);
        let told = |days: Days| (days.samples, days.minutes, days.hours);
        assert_eq!(told(keeping.of(Kind::Lamp)), (7, 365, Some(1_000)));
        assert_eq!(told(keeping.of(Kind::Bin)), (400, 400, Some(2_000)), "minutes stay as long as samples");
        assert_eq!(told(keeping.of(Kind::Other)), (30, 365, Some(1_000)));
        assert_eq!(told(keeping.longest()), (400, 400, Some(2_000)));
        let for_ever = Keeping::with(Retention { hours_days: None, ..all }, [(Kind::Bin, long)]);
        assert_eq!((for_ever.of(Kind::Bin).hours, for_ever.longest().hours), (Some(2_000), None));
        assert_eq!(Keeping::from(all).longest(), Keeping::from(all).of(Kind::Lamp));
    }

    #[test]
    fn ages_are_told_in_words() {
        let told = |all: Retention| Keeping::from(all).of(Kind::Lamp).to_string();
        assert_eq!(told(Retention::default()), "values 30 days, minutes 365 days, hours for ever");
        let day = Retention { keep_days: 1, minutes_days: 1, hours_days: Some(2), max_mb: 16 };
        assert_eq!(told(day), "values 1 day, minutes 1 day, hours 2 days");
    }
}
