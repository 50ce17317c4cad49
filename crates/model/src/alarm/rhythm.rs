//! What a value usually is at an hour of the week, learned from the thing itself: median and spread of its last weeks.
//!
//! Robust, because a week that was odd is one of eight; explainable, because it is one number a person can look up: "38 % above its
//! usual Tuesday 10:00". Nothing here learns what an anomaly looks like.

use serde::{Deserialize, Serialize};

use crate::time::WallMs;

/// How many weeks are remembered.
pub const WEEKS: usize = 8;

/// From how many weeks an hour of the week is known.
const WEEKS_MIN: usize = 3;

/// From how many days an hour of the day is known, as long as that of the week is not: a week, or a weekend would be odd.
const DAYS_MIN: usize = 7;

/// How many values in a row must be older than the hour that is, by a day at least, before it is the clock that was put right and not
/// old values that come late.
const OLD_IN_A_ROW: u8 = 5;

/// The greatest [`Usual::unusual`]: what has never changed and does is not infinitely odd.
pub const UNUSUAL_MAX: f64 = 1_000.0;

/// The greatest [`Usual::above_pct`]: what is usually nothing and is something is not infinitely more.
pub const ABOVE_USUAL_MAX_PCT: f64 = 100.0 * UNUSUAL_MAX;

/// The spread is at least this part of the value: nobody is woken for less.
const SPREAD_LEAST: f64 = 0.01;

/// The greatest value that is kept as it is.
const KEPT_MAX: f64 = f32::MAX as f64;

const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: usize = 24;
const WEEK_HOURS: usize = 7 * DAY_HOURS;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// From the mean of the distances to the mean, and from their median, to a standard deviation, as if they were normal.
const OF_MEAN_DISTANCE: f64 = 1.2533;
const OF_MEDIAN_DISTANCE: f64 = 1.4826;

/// What a value usually is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// In the value's unit.
    pub value: f64,
    /// How far from it single values usually are (a standard deviation, estimated robustly), in the value's unit; at least 0.
    pub spread: f64,
    /// The hour of the day, 0–23.
    pub hour: u8,
    /// The day of the week from Monday, 0–6; `None` where too little is known, and the hour of any day is meant.
    pub weekday: Option<u8>,
}

impl Usual {
    /// How many of its usual spreads a value is away, 0 to [`UNUSUAL_MAX`].
    pub fn unusual(&self, value: f64) -> f64 {
        let distance = (value - self.value).abs();
        if distance == 0.0 { 0.0 } else { (distance / self.spread).min(UNUSUAL_MAX) }
    }

    /// How far above its usual value a value is, in percent, within [`ABOVE_USUAL_MAX_PCT`] on either side; below 0 when it is below.
    pub fn above_pct(&self, value: f64) -> f64 {
        let apart = value - self.value;
        if apart == 0.0 {
            return 0.0;
        }
        (apart * 100.0 / self.value.abs()).clamp(-ABOVE_USUAL_MAX_PCT, ABOVE_USUAL_MAX_PCT)
    }

    /// When it is so: `Tuesday 10:00`, or `10:00`.
    pub fn when(&self) -> String {
        match self.weekday.and_then(|day| WEEKDAYS.get(usize::from(day))) {
            Some(day) => format!("{day} {:02}:00", self.hour),
            None => format!("{:02}:00", self.hour),
        }
    }
}

/// The rhythm of one series. At most some 20 KB: eight weeks of hours, each with a mean and a distance from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rhythm {
    /// By the hour of the week from Monday 0:00; what was learned first stands first, and each week once.
    hours: Vec<Vec<Past>>,
    current: Option<Current>,
    /// How many values in a row were too old.
    old: u8,
}

/// An hour that is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Past {
    /// Weeks since that in which 1970 began.
    week: i32,
    mean: f32,
    /// The mean distance of its values from their mean.
    distance: f32,
}

/// The hour that is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Current {
    /// Hours since 1970.
    no: i64,
    count: u32,
    mean: f64,
    distances: f64,
    usual: Option<Usual>,
}

impl Rhythm {
    /// A value, dated by the clock of the city: hours of the week are those that people there live by. What is older than the hour
    /// that is says nothing, unless several in a row are by a day: then a clock was put right, or a week is told of afterwards.
    pub fn hear(&mut self, value: f64, local: WallMs) {
        let no = local.0.div_euclid(HOUR_MS);
        let behind = self.current.map_or(0, |current| current.no - no);
        self.old = if behind > DAY_HOURS as i64 { self.old.saturating_add(1) } else { 0 };
        if behind > 0 && self.old < OLD_IN_A_ROW {
            return;
        }
        self.old = 0;
        // What is kept is kept as 32 bits, and an infinity could not be read again.
        let value = value.clamp(-KEPT_MAX, KEPT_MAX);
        if behind != 0
            && let Some(over) = self.current.take()
        {
            self.remember(over);
        }
        let mut current = match self.current {
            Some(current) => current,
            None => Current { no, count: 0, mean: 0.0, distances: 0.0, usual: self.usual_of(no) },
        };
        current.add(value);
        self.current = Some(current);
    }

    /// What the value usually is in the hour it was last heard in; `None` until enough days are known.
    pub fn usual(&self) -> Option<Usual> {
        self.current?.usual
    }

    fn remember(&mut self, over: Current) {
        if self.hours.is_empty() {
            self.hours = vec![Vec::new(); WEEK_HOURS];
        }
        let distance = (over.distances / f64::from(over.count.max(1))).min(KEPT_MAX) as f32;
        let past = Past { week: week(over.no), mean: over.mean as f32, distance };
        if let Some(weeks) = self.hours.get_mut(hour_of_week(over.no)) {
            // A week that is told of twice is one week all the same.
            weeks.retain(|known| known.week != past.week);
            if weeks.len() >= WEEKS {
                weeks.remove(0);
            }
            weeks.push(past);
        }
    }

    fn usual_of(&self, no: i64) -> Option<Usual> {
        let of_week = hour_of_week(no);
        let (hour, weekday) = (of_week % DAY_HOURS, of_week / DAY_HOURS);
        let weeks: Vec<Past> = self.hours.get(of_week)?.clone();
        if weeks.len() >= WEEKS_MIN {
            return usual(&weeks, hour, u8::try_from(weekday).ok());
        }
        let days: Vec<Past> = self.hours.iter().skip(hour).step_by(DAY_HOURS).flatten().copied().collect();
        if days.len() >= DAYS_MIN { usual(&days, hour, None) } else { None }
    }
}

impl Current {
    fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        let before = self.mean;
        self.mean += (value - before) / f64::from(self.count);
        self.distances += (value - if self.count == 1 { self.mean } else { before }).abs();
    }
}

/// Hours since the Monday before 1970, which began on a Thursday.
fn since_monday(no: i64) -> i64 {
    no + 3 * DAY_HOURS as i64
}

fn hour_of_week(no: i64) -> usize {
    usize::try_from(since_monday(no).rem_euclid(WEEK_HOURS as i64)).unwrap_or(0)
}

fn week(no: i64) -> i32 {
    let week = since_monday(no).div_euclid(WEEK_HOURS as i64);
    i32::try_from(week).unwrap_or(if week < 0 { i32::MIN } else { i32::MAX })
}

fn usual(past: &[Past], hour: usize, weekday: Option<u8>) -> Option<Usual> {
    let value = median(past.iter().map(|past| f64::from(past.mean)))?;
    let between = median(past.iter().map(|past| (f64::from(past.mean) - value).abs()))? * OF_MEDIAN_DISTANCE;
    let within = median(past.iter().map(|past| f64::from(past.distance)))? * OF_MEAN_DISTANCE;
    let spread = between.hypot(within).max(value.abs() * SPREAD_LEAST);
    let is_right = value.is_finite() && spread.is_finite();
    is_right.then_some(Usual { value, spread, hour: u8::try_from(hour).unwrap_or(0), weekday })
}

fn median(of: impl Iterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = of.collect();
    all.sort_by(f64::total_cmp);
    let (low, high) = (all.get(all.len().checked_sub(1)? / 2)?, all.get(all.len() / 2)?);
    Some(low + (high - low) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday, 0:00.
    const MONDAY: i64 = 1_699_833_600_000;
    const HOUR: i64 = HOUR_MS;
    const DAY: i64 = 24 * HOUR_MS;

    /// Ten at night and a hundred from 8:00 to 18:00 of working days, with a little of everything; every ten minutes.
    fn city(at: i64) -> f64 {
        let hour = (at - MONDAY).rem_euclid(DAY) / HOUR;
        let is_work = (at - MONDAY).rem_euclid(7 * DAY) < 5 * DAY && (8..18).contains(&hour);
        let noise = (at / 600_000 % 7) as f64 - 3.0;
        noise + if is_work { 100.0 } else { 10.0 }
    }

    fn learned(days: i64, of: impl Fn(i64) -> f64) -> Rhythm {
        let mut rhythm = Rhythm::default();
        (0..days * 144).map(|n| MONDAY + n * 600_000).for_each(|at| rhythm.hear(of(at), WallMs(at)));
        rhythm
    }

    /// What is usual at this time, for one who has heard everything before.
    fn usual_at(rhythm: &Rhythm, at: i64) -> Option<Usual> {
        let mut rhythm = rhythm.clone();
        rhythm.hear(city(at), WallMs(at));
        rhythm.usual()
    }

    #[test]
    fn an_hour_of_the_week_is_known_from_three_weeks_and_one_of_the_day_from_a_week() {
        for (days, want) in [
            (6, None),
            (7, Some("10:00")),
            (14, Some("10:00")),
            (21, Some("Monday 10:00")),
            (7 * 20, Some("Monday 10:00")),
        ] {
            // The next 10:00 of a working day, of a Monday where whole weeks are known.
            let usual = usual_at(&learned(days, city), MONDAY + days * DAY + 10 * HOUR);
            assert_eq!(usual.map(|usual| usual.when()).as_deref(), want, "{days} days");
        }
        let rhythm = learned(28, city);
        let tuesday = usual_at(&rhythm, MONDAY + 29 * DAY + 10 * HOUR).unwrap();
        let sunday = usual_at(&rhythm, MONDAY + 34 * DAY + 10 * HOUR).unwrap();
        assert_eq!((tuesday.when().as_str(), sunday.when().as_str()), ("Tuesday 10:00", "Sunday 10:00"));
        assert!((tuesday.value - 100.0).abs() < 3.0 && (sunday.value - 10.0).abs() < 3.0, "{tuesday:?} {sunday:?}");
    }

    #[test]
    fn what_is_usual_on_a_tuesday_is_odd_on_a_sunday() {
        let rhythm = learned(28, city);
        let sunday = usual_at(&rhythm, MONDAY + 34 * DAY + 10 * HOUR).unwrap();
        let tuesday = usual_at(&rhythm, MONDAY + 29 * DAY + 10 * HOUR).unwrap();
        assert!(tuesday.unusual(100.0) < 3.0 && sunday.unusual(100.0) > 10.0, "{tuesday:?} {sunday:?}");
    }

    #[test]
    fn odd_weeks_do_not_change_what_is_usual_while_they_are_the_fewer() {
        let odd = |at: i64| if (MONDAY + 21 * DAY..MONDAY + 42 * DAY).contains(&at) { 500.0 } else { city(at) };
        let rhythm = learned(56, odd);
        let usual = usual_at(&rhythm, MONDAY + 56 * DAY + 10 * HOUR).unwrap();
        assert!((usual.value - 100.0).abs() < 3.0, "{usual:?}");
        assert!(usual.unusual(500.0) > 20.0, "{usual:?}");
        // What is so for most of eight weeks is usual.
        let rhythm = learned(56, |at| if at >= MONDAY + 14 * DAY { 500.0 } else { city(at) });
        assert_eq!(usual_at(&rhythm, MONDAY + 56 * DAY + 10 * HOUR).unwrap().value, 500.0);
    }

    #[test]
    fn it_is_bounded_however_long_it_learns() {
        let rhythm = learned(7 * 30, city);
        assert_eq!(rhythm.hours.len(), WEEK_HOURS);
        assert!(rhythm.hours.iter().all(|weeks| weeks.len() == WEEKS));
    }

    #[test]
    fn late_values_say_nothing_and_a_clock_that_was_put_right_starts_there() {
        let rhythm = learned(28, city);
        let mut late = rhythm.clone();
        late.hear(9_999.0, WallMs(MONDAY + 27 * DAY + 5 * HOUR));
        assert_eq!(late, rhythm);
        let mut ahead = rhythm.clone();
        ahead.hear(100.0, WallMs(MONDAY + 3_651 * DAY));
        let there = ahead.usual().unwrap().when();
        for nth in 1..=OLD_IN_A_ROW {
            ahead.hear(100.0, WallMs(MONDAY + 28 * DAY + 10 * HOUR));
            let want = if nth < OLD_IN_A_ROW { &there } else { "Monday 10:00" };
            assert_eq!(ahead.usual().unwrap().when(), want, "{nth}");
        }
        for at in [i64::MIN, i64::MAX, 0, -1] {
            ahead.hear(1.0, WallMs(at));
        }
    }

    #[test]
    fn an_old_value_does_not_end_the_hour_that_is() {
        let at = |minute: i64| WallMs(MONDAY + 28 * DAY + 10 * HOUR + minute * 60_000);
        let (mut rhythm, mut other) = (learned(28, city), learned(28, city));
        for minute in 0..60 {
            rhythm.hear(90.0, at(minute));
            other.hear(90.0, at(minute));
            other.hear(5.0, WallMs(MONDAY + minute * HOUR));
        }
        rhythm.hear(90.0, at(60));
        other.hear(90.0, at(60));
        assert_eq!(other, rhythm);
        assert_eq!(rhythm.hours[10].last().unwrap().mean, 90.0);
    }

    #[test]
    fn one_week_is_one_of_eight_however_often_it_is_told() {
        let mut rhythm = learned(28, city);
        let before = usual_at(&rhythm, MONDAY + 28 * DAY + 11 * HOUR).unwrap();
        // What was kept while there was no link comes beside what is so now, again and again.
        for _ in 0..20 {
            for day in [28, 21] {
                (0..OLD_IN_A_ROW).for_each(|_| rhythm.hear(900.0, WallMs(MONDAY + day * DAY + 11 * HOUR)));
            }
        }
        for weeks in &rhythm.hours {
            let mut each: Vec<i32> = weeks.iter().map(|past| past.week).collect();
            each.sort_unstable();
            each.dedup();
            assert_eq!(each.len(), weeks.len(), "{weeks:?}");
        }
        let after = usual_at(&rhythm, MONDAY + 35 * DAY + 11 * HOUR).unwrap();
        assert!((after.value - before.value).abs() < 3.0, "{before:?} {after:?}");
    }

    #[test]
    fn above_nothing_is_much_and_not_infinitely_much() {
        let usual = |value| Usual { value, spread: 1.0, hour: 0, weekday: None };
        for (is_usual, value, want) in [
            (80.0, 100.0, 25.0),
            (80.0, 60.0, -25.0),
            (-80.0, -60.0, 25.0),
            (0.0, 0.0, 0.0),
            (0.0, 0.1, ABOVE_USUAL_MAX_PCT),
            (0.0, -0.1, -ABOVE_USUAL_MAX_PCT),
            (1e-9, f64::MAX, ABOVE_USUAL_MAX_PCT),
        ] {
            assert_eq!(usual(is_usual).above_pct(value), want, "{value} of {is_usual}");
        }
    }

    #[test]
    fn what_was_learned_can_be_read_again_however_large() {
        for of in [|_| f64::MAX, |_| f64::MIN, |at: i64| if at / 600_000 % 2 == 0 { f64::MAX } else { f64::MIN }] {
            let rhythm = learned(28, of);
            let json = serde_json::to_string(&rhythm).unwrap();
            // JSON is read without `float_roundtrip`: the last digit may be another.
            let read: Rhythm = serde_json::from_str(&json).unwrap();
            let (read, was) = (read.usual().unwrap(), rhythm.usual().unwrap());
            assert!((read.value / was.value - 1.0).abs() < 1e-9 || read.value == was.value, "{read:?} {was:?}");
        }
    }

    #[test]
    fn what_never_changes_has_a_spread_all_the_same() {
        let flat = learned(28, |_| 50.0).usual().unwrap();
        assert_eq!((flat.value, flat.spread, flat.unusual(50.0)), (50.0, 0.5, 0.0));
        let zero = learned(28, |_| 0.0).usual().unwrap();
        assert_eq!((zero.unusual(0.0), zero.unusual(1e-9)), (0.0, UNUSUAL_MAX));
    }
}
