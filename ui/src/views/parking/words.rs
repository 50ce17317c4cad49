//! How a count of free spaces is told: never without its age, full and unknown and old each with words and a shape of their own. Pure.

use fleetlens_ipc::rows::{ParkingRow, Spaces};
use fleetlens_model::telemetry::{Quality, Source};
use tr::tr;

use crate::format;
use crate::lang::said;

/// Which spaces somebody needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// Any.
    #[default]
    Any,
    /// For people with a disability.
    Accessible,
    /// With a charging point.
    Charging,
}

impl Class {
    /// Every class, in the order of the screen.
    pub const ALL: [Class; 3] = [Class::Any, Class::Accessible, Class::Charging];

    /// The word on the switch.
    pub fn label(self) -> &'static str {
        match self {
            Class::Any => said("Any"),
            Class::Accessible => said("Accessible"),
            Class::Charging => said("Charging"),
        }
    }

    /// The word in the storage and for tests.
    pub fn word(self) -> &'static str {
        match self {
            Class::Any => "any",
            Class::Accessible => "accessible",
            Class::Charging => "charging",
        }
    }

    /// The class of a word; any for every other.
    pub fn from_word(word: &str) -> Class {
        Class::ALL.into_iter().find(|class| class.word() == word).unwrap_or_default()
    }

    /// A car park's spaces of this class.
    pub fn of(self, row: &ParkingRow) -> &Spaces {
        match self {
            Class::Any => &row.all,
            Class::Accessible => &row.accessible,
            Class::Charging => &row.charging,
        }
    }

    /// Whether a car park may have such spaces: one that says nothing of a special class is not offered for it.
    pub fn is_offered(self, row: &ParkingRow) -> bool {
        let spaces = self.of(row);
        self == Class::Any || spaces.capacity.is_some_and(|capacity| capacity > 0) || spaces.free.is_some()
    }
}

/// What is known of a class of spaces, as far as shape and colour go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Some are free.
    Free,
    /// None is.
    Full,
    /// It was counted too long ago to rely on.
    Old,
    /// Nobody ever counted.
    NoCount,
}

impl State {
    /// The word for the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            State::Free => "free",
            State::Full => "full",
            State::Old => "old",
            State::NoCount => "none",
        }
    }
}

/// A count as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What shape and colour follow from.
    pub state: State,
    /// `62`, `Full`, `No count`.
    pub count: String,
    /// `20 s`; empty where nothing was counted.
    pub age: String,
    /// Known from the cache alone: dimmed.
    pub is_cached: bool,
    /// Guessed by the one who sent it.
    pub is_estimated: bool,
}

impl Told {
    /// What a pin says: `62 · 20 s`, `Full · 2 min`, `No count`.
    pub fn pin(&self) -> String {
        let about = if self.is_estimated { "~" } else { "" };
        if self.age.is_empty() { self.count.clone() } else { format!("{about}{} · {}", self.count, self.age) }
    }

    /// The line below the number: `counted 20 s ago`, `cached · 26 min ago`, `estimated 20 s ago`.
    pub fn when(&self) -> String {
        if self.age.is_empty() {
            return said("never counted here").into();
        }
        match (self.is_estimated, self.is_cached) {
            (true, _) => tr!("estimated {} ago", self.age),
            (false, true) => tr!("last known {} ago", self.age),
            (false, false) => tr!("counted {} ago", self.age),
        }
    }

    /// All of it for the ear: `62 free of 1 420, counted 20 s ago`.
    pub fn sentence(&self, spaces: &Spaces) -> String {
        let capacity = spaces.capacity.map(|capacity| format::count(u64::from(capacity)));
        let when = self.when();
        match (&spaces.free, capacity) {
            (None, _) => said("no count of free spaces").into(),
            (Some(free), Some(capacity)) if free.count == 0 => {
                tr!("full, all {capacity} taken, {when}", capacity, when)
            }
            (Some(free), None) if free.count == 0 => tr!("full, {when}", when),
            (Some(_), Some(capacity)) => tr!("{free} free of {capacity}, {when}", free = self.count, capacity, when),
            (Some(_), None) => tr!("{free} free, {when}", free = self.count, when),
        }
    }
}

/// Tells a class of spaces, so long after the host spoke, in milliseconds.
pub fn tell(spaces: &Spaces, elapsed_ms: u64, link_up: bool) -> Told {
    let Some(free) = &spaces.free else {
        return Told {
            state: State::NoCount,
            count: said("No count").into(),
            age: String::new(),
            is_cached: false,
            is_estimated: false,
        };
    };
    let age_ms = free.age_ms.saturating_add(elapsed_ms);
    let is_stale = match free.quality {
        Quality::Stale => true,
        Quality::Good | Quality::Estimated | Quality::Synthetic => age_ms >= free.old_after_ms,
    };
    let state = match (is_stale, free.count) {
        (true, _) => State::Old,
        (false, 0) => State::Full,
        (false, _) => State::Free,
    };
    Told {
        state,
        count: if free.count == 0 { said("Full").into() } else { format::count(u64::from(free.count)) },
        age: format::age(age_ms),
        is_cached: !link_up || free.source == Source::Cached,
        is_estimated: free.quality == Quality::Estimated,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_ipc::rows::FreeCount;
    use fleetlens_model::time::WallMs;

    use super::*;

    fn spaces(count: Option<u32>, age_ms: u64, source: Source) -> Spaces {
        let free = count.map(|count| FreeCount {
            count,
            age_ms,
            old_after_ms: 180_000,
            device_ms: WallMs(0),
            source,
            quality: Quality::Good,
        });
        Spaces { capacity: Some(1420), free }
    }

    #[test]
    fn full_no_count_and_old_are_told_apart_and_no_number_stands_without_its_age() {
        use Source::{Cached, Live};
        for (given, elapsed_ms, link_up, state, pin, when) in [
            (spaces(Some(62), 20_000, Live), 0, true, State::Free, "62 · 20 s", "counted 20 s ago"),
            (spaces(Some(1250), 20_000, Live), 45_000, true, State::Free, "1 250 · 1 min", "counted 1 min ago"),
            (spaces(Some(0), 130_000, Live), 0, true, State::Full, "Full · 2 min", "counted 2 min ago"),
            (spaces(None, 0, Live), 0, true, State::NoCount, "No count", "never counted here"),
            (spaces(Some(12), 1_560_000, Live), 0, true, State::Old, "12 · 26 min", "counted 26 min ago"),
            (spaces(Some(0), 170_000, Live), 10_000, true, State::Old, "Full · 3 min", "counted 3 min ago"),
            (spaces(Some(12), 60_000, Cached), 0, false, State::Free, "12 · 1 min", "last known 1 min ago"),
            (spaces(Some(12), 60_000, Live), 0, false, State::Free, "12 · 1 min", "last known 1 min ago"),
        ] {
            let told = tell(&given, elapsed_ms, link_up);
            let plain = |text: String| text.replace(['\u{a0}', '\u{202f}'], " ");
            assert_eq!((told.state, plain(told.pin()).as_str(), plain(told.when()).as_str()), (state, pin, when));
            assert_eq!(given.free.is_some(), told.pin().contains(&told.age) && !told.age.is_empty());
        }
    }

    #[test]
    fn the_ear_hears_all_of_it() {
        let plain = |spaces: &Spaces| tell(spaces, 0, true).sentence(spaces).replace(['\u{a0}', '\u{202f}'], " ");
        assert_eq!(plain(&spaces(Some(62), 20_000, Source::Live)), "62 free of 1 420, counted 20 s ago");
        assert_eq!(plain(&spaces(Some(0), 20_000, Source::Live)), "full, all 1 420 taken, counted 20 s ago");
        assert_eq!(plain(&spaces(None, 0, Source::Live)), "no count of free spaces");
    }

    #[test]
    fn classes_come_back_from_the_storage() {
        for class in Class::ALL {
            assert_eq!(Class::from_word(class.word()), class);
        }
        assert_eq!(Class::from_word("boats"), Class::Any);
    }
}
