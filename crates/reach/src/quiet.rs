//! Quiet hours: times of day in a zone, on some days of the week.

use fleetlens_model::time::WallMs;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A day, in minutes.
const DAY_MIN: u16 = 24 * 60;

/// One stretch of quiet hours: from a time of day to another one, beginning on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    /// When it begins, in minutes after midnight; below 1 440.
    pub from_min: u16,
    /// When it is over, in minutes after midnight, at most 1 440; not after `from_min` is the next day.
    pub to_min: u16,
}

/// All quiet hours of a route, in one zone.
///
/// A stretch ends when the clocks there show its end, however long that is on a day that has 23 or 25 hours. A time that comes
/// twice, in autumn, is the earlier one; one that does not come, in spring, is what a clock means that was not put forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    zone: TimeZone,
    stretches: Vec<Stretch>,
}

impl Quiet {
    /// Quiet hours in the zone of an IANA name such as `Europe/Malta`; `None` where there is no such zone. The database of zones is
    /// part of the program, the same on every machine.
    pub fn new(zone: &str, stretches: Vec<Stretch>) -> Option<Quiet> {
        let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
        Some(Quiet { zone, stretches })
    }

    /// Whether it is quiet at a moment. Beyond the calendar it never is: what cannot be worked out holds nothing back.
    pub fn is_quiet(&self, at: WallMs) -> bool {
        let Ok(at) = Timestamp::from_millisecond(at.0) else { return false };
        let today = self.zone.to_datetime(at).date();
        self.stretches.iter().any(|stretch| {
            let begun = [today.yesterday().ok(), Some(today)];
            begun.into_iter().flatten().any(|day| self.covers(stretch, day, at))
        })
    }

    fn covers(&self, stretch: &Stretch, day: Date, at: Timestamp) -> bool {
        if !stretch.days.contains(&day.weekday()) {
            return false;
        }
        let last = if stretch.to_min > stretch.from_min { Some(day) } else { day.tomorrow().ok() };
        let (begins, ends) =
            (self.moment(day, stretch.from_min), last.and_then(|day| self.moment(day, stretch.to_min)));
        begins.is_some_and(|begins| begins <= at) && ends.is_some_and(|ends| at < ends)
    }

    /// When the clocks show a time of a day; 1 440 is midnight at its end.
    fn moment(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let (day, minutes) = if minutes == DAY_MIN { (day.tomorrow().ok()?, 0) } else { (day, minutes) };
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let local: DateTime = day.to_datetime(jiff::civil::Time::new(hour, minute, 0, 0).ok()?);
        self.zone.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// Whether some minute of the week is not quiet. One that is quiet all week holds everything for ever.
    pub fn ends(&self) -> bool {
        let mut quiet = vec![false; usize::from(DAY_MIN) * 7];
        for stretch in &self.stretches {
            let length = match stretch.to_min.checked_sub(stretch.from_min) {
                Some(0) | None => stretch.to_min + DAY_MIN - stretch.from_min,
                Some(length) => length,
            };
            for day in &stretch.days {
                let begins = usize::from(day.to_monday_zero_offset().unsigned_abs()) * usize::from(DAY_MIN);
                let begins = begins + usize::from(stretch.from_min);
                let week = quiet.len();
                for minute in begins..begins + usize::from(length) {
                    if let Some(quiet) = quiet.get_mut(minute % week) {
                        *quiet = true;
                    }
                }
            }
        }
        quiet.contains(&false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn at(text: &str) -> WallMs {
        WallMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn quiet(days: &[Weekday], from_min: u16, to_min: u16) -> Quiet {
        Quiet::new("Europe/Malta", vec![Stretch { days: days.to_vec(), from_min, to_min }]).unwrap()
    }

    #[test]
    fn a_night_begins_in_the_evening_of_its_day_and_ends_in_the_morning_after() {
        // 2026-11-23 is a Monday; Malta is an hour ahead of UTC in winter.
        let nights = quiet(&[Weekday::Monday, Weekday::Friday], 22 * 60, 6 * 60);
        for (moment, want) in [
            ("2026-11-23T20:59:59.999Z", false),
            ("2026-11-23T21:00:00Z", true),
            ("2026-11-23T23:30:00Z", true),
            ("2026-11-24T04:59:59.999Z", true),
            ("2026-11-24T05:00:00Z", false),
            ("2026-11-24T22:00:00Z", false),
            ("2026-11-28T03:00:00Z", true),
            ("2026-11-23T03:00:00Z", false),
        ] {
            assert_eq!(nights.is_quiet(at(moment)), want, "{moment}");
        }
    }

    #[test]
    fn the_clocks_on_the_wall_count_when_they_are_put_forward_and_back() {
        let night = quiet(&ALL, 22 * 60, 6 * 60);
        let small_hours = quiet(&ALL, 2 * 60 + 30, 5 * 60);
        let to_a_double_hour = quiet(&ALL, 60, 2 * 60 + 30);
        for (name, quiet, moment, want) in [
            ("spring: 06:00 is an hour earlier in UTC", &night, "2026-03-29T03:59:59Z", true),
            ("spring: over", &night, "2026-03-29T04:00:00Z", false),
            ("the day before", &night, "2026-03-28T04:30:00Z", true),
            ("autumn: 06:00 is an hour later in UTC", &night, "2026-10-25T04:59:59Z", true),
            ("autumn: over", &night, "2026-10-25T05:00:00Z", false),
            ("spring: 02:30 is 03:30", &small_hours, "2026-03-29T01:29:59Z", false),
            ("spring: 03:30", &small_hours, "2026-03-29T01:30:00Z", true),
            ("autumn: the first 02:30 ends it", &to_a_double_hour, "2026-10-25T00:29:59Z", true),
            ("autumn: the second 02:00 is after it", &to_a_double_hour, "2026-10-25T01:00:00Z", false),
        ] {
            assert_eq!(quiet.is_quiet(at(moment)), want, "{name}");
        }
    }

    #[test]
    fn a_whole_day_is_quiet_until_midnight() {
        let weekend = quiet(&[Weekday::Saturday, Weekday::Sunday], 0, DAY_MIN);
        for (moment, want) in [
            ("2026-11-27T22:59:59Z", false),
            ("2026-11-27T23:00:00Z", true),
            ("2026-11-28T23:30:00Z", true),
            ("2026-11-29T22:59:59Z", true),
            ("2026-11-29T23:00:00Z", false),
        ] {
            assert_eq!(weekend.is_quiet(at(moment)), want, "{moment}");
        }
        assert!(!weekend.is_quiet(WallMs(i64::MAX)));
    }

    #[test]
    fn quiet_hours_that_never_end_are_seen() {
        for (name, quiet, want) in [
            ("nights", quiet(&ALL, 22 * 60, 6 * 60), true),
            ("all days", quiet(&ALL, 0, DAY_MIN), false),
            ("round the clock", quiet(&ALL, 6 * 60, 6 * 60), false),
            ("all days but one", quiet(&ALL[..6], 0, DAY_MIN), true),
        ] {
            assert_eq!(quiet.ends(), want, "{name}");
        }
        assert_eq!(Quiet::new("Europe/Atlantis", Vec::new()), None);
    }
}
