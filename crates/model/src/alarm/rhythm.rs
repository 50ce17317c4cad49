//! What a value usually is at an hour of the week, learned from the thing itself: median and spread of its last weeks.
//!
//! Robust, because a week that was odd is one of eight; explainable, because it is one number a person can look up: "38 % above its
//! usual Tuesday 10:00". Nothing here learns what an anomaly looks like.

mod day;

use serde::{Deserialize, Serialize};

use crate::time::WallMs;
use day::{Hour, KEPT_MAX};

pub use day::{DAY_BYTES, Day};

/// How many weeks are remembered.
pub const WEEKS: usize = 8;

/// From how many weeks an hour of the week is known.
pub const WEEKS_MIN: usize = 3;

/// From how many days an hour of the day is known, as long as that of the week is not: a week, or a weekend would be odd.
pub const DAYS_MIN: usize = 7;

/// How many values in a row must be older than the hour that is, by a day at least, before it is the clock that was put right and not
/// old values that come late.
const OLD_IN_A_ROW: u8 = 5;

/// The greatest [`Usual::unusual`]: what has never changed and does is not infinitely odd.
pub const UNUSUAL_MAX: f64 = 1_000.0;

/// The greatest [`Usual::above_pct`]: what is usually nothing and is something is not infinitely more.
pub const ABOVE_USUAL_MAX_PCT: f64 = 100.0 * UNUSUAL_MAX;

/// The spread is at least this part of the value: nobody is woken for less.
const SPREAD_LEAST: f64 = 0.01;

const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: usize = 24;
const WEEK_DAYS: usize = 7;
const WEEK_HOURS: usize = WEEK_DAYS * DAY_HOURS;
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

    /// The same in another unit: the value as it is there, and by what lengths are multiplied, whatever its sign.
    pub fn converted(self, value: f64, times: f64) -> Usual {
        let spread = (self.spread * times.abs()).max(value.abs() * SPREAD_LEAST);
        Usual { value, spread, ..self }
    }

    /// When it is so: `Tuesday 10:00`, or `10:00`.
    pub fn when(&self) -> String {
        match self.weekday.and_then(|day| WEEKDAYS.get(usize::from(day))) {
            Some(day) => format!("{day} {:02}:00", self.hour),
            None => format!("{:02}:00", self.hour),
        }
    }
}

/// The rhythm of one series. Some 5 KB once a whole week is known: seven [`Day`]s, each made when it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rhythm {
    /// From Monday on.
    days: [Option<Day>; WEEK_DAYS],
    current: Option<Current>,
    /// How many values in a row were too old.
    old: u8,
}

/// What was heard in an hour that is long over, as a cache knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalled {
    /// When the hour began, by the clock of the city.
    pub local: WallMs,
    /// The mean of its values.
    pub mean: f64,
    /// Their mean distance from it.
    pub distance: f64,
}

/// The hour that is.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    ///
    /// Where an hour is over with it, the day of the week, 0–6 from Monday, that is now to be written down ([`Rhythm::day`]).
    pub fn hear(&mut self, value: f64, local: WallMs) -> Option<u8> {
        let no = local.0.div_euclid(HOUR_MS);
        let behind = self.current.map_or(0, |current| current.no - no);
        self.old = if behind > DAY_HOURS as i64 { self.old.saturating_add(1) } else { 0 };
        if behind > 0 && self.old < OLD_IN_A_ROW {
            return None;
        }
        self.old = 0;
        let value = value.clamp(-KEPT_MAX, KEPT_MAX);
        let over = if behind == 0 { None } else { self.current.take() };
        let day = over.map(|over| self.remember(over));
        let mut current = match self.current {
            Some(current) => current,
            None => Current { no, count: 0, mean: 0.0, distances: 0.0, usual: self.usual_of(no) },
        };
        current.add(value);
        self.current = Some(current);
        day
    }

    /// Hours of before it was listened to, where none is known; the days of the week that are now to be written down.
    pub fn recall(&mut self, hours: impl IntoIterator<Item = Recalled>) -> Vec<u8> {
        let mut changed = [false; WEEK_DAYS];
        for Recalled { local, mean, distance } in hours {
            let no = local.0.div_euclid(HOUR_MS);
            let (day, hour, week) = place(no);
            let known = self.days.get(day).and_then(Option::as_ref).is_some_and(|day| day.knows(hour, week));
            if !known && mean.is_finite() && distance.is_finite() {
                self.put(no, Hour { mean, distance });
                changed.iter_mut().skip(day).take(1).for_each(|changed| *changed = true);
            }
        }
        let usual = self.current.map(|current| self.usual_of(current.no));
        if let (Some(current), Some(usual)) = (&mut self.current, usual) {
            current.usual = usual;
        }
        (0..).zip(changed).filter(|(_, changed)| *changed).map(|(day, _)| day).collect()
    }

    /// What is known of a day of the week, 0–6 from Monday; `None` while that is nothing. What is of the hour that is not over yet is
    /// not in it.
    pub fn day(&self, weekday: u8) -> Option<&Day> {
        self.days.get(usize::from(weekday))?.as_ref()
    }

    /// A day of the week as it was written down.
    pub fn restore(&mut self, weekday: u8, day: Day) {
        if let Some(place) = self.days.get_mut(usize::from(weekday)) {
            *place = Some(day);
        }
    }

    /// What the value usually is in the hour it was last heard in; `None` until enough days are known.
    pub fn usual(&self) -> Option<Usual> {
        self.current?.usual
    }

    /// What the value usually is at a time of the city's clock, whether it was heard then or not; as [`Rhythm::usual`].
    pub fn usual_at(&self, local: WallMs) -> Option<Usual> {
        let no = local.0.div_euclid(HOUR_MS);
        match self.current.filter(|current| current.no == no) {
            Some(current) => current.usual,
            None => self.usual_of(no),
        }
    }

    /// Whether no hour of the week is known yet: a history may know more.
    pub fn knows_little(&self) -> bool {
        let is_little = |day: &Day| (0..DAY_HOURS).all(|hour| day.hour(hour).count() < WEEKS_MIN);
        self.days.iter().flatten().all(is_little)
    }

    fn remember(&mut self, over: Current) -> u8 {
        let distance = over.distances / f64::from(over.count.max(1));
        self.put(over.no, Hour { mean: over.mean, distance });
        u8::try_from(place(over.no).0).unwrap_or(0)
    }

    /// Of the same hour eight weeks ago nothing is known from then on. A week that is told of twice is one week all the same.
    fn put(&mut self, no: i64, hour: Hour) {
        let (day, of_day, week) = place(no);
        if let Some(day) = self.days.get_mut(day) {
            day.get_or_insert_default().put(of_day, week, hour);
        }
    }

    fn usual_of(&self, no: i64) -> Option<Usual> {
        let (weekday, hour, _) = place(no);
        let of = |day: &Option<Day>| day.iter().flat_map(|day| day.hour(hour)).collect::<Vec<Hour>>();
        let weeks = self.days.get(weekday).map(of).unwrap_or_default();
        if weeks.len() >= WEEKS_MIN {
            return usual(&weeks, hour, u8::try_from(weekday).ok());
        }
        let days: Vec<Hour> = self.days.iter().flat_map(of).collect();
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
    no.saturating_add(3 * DAY_HOURS as i64)
}

/// The day of the week, the hour of the day, and which of the weeks that are remembered.
fn place(no: i64) -> (usize, usize, usize) {
    let monday = since_monday(no);
    let within = |of: i64, many: usize| usize::try_from(of.rem_euclid(many as i64)).unwrap_or(0);
    let of_week = within(monday, WEEK_HOURS);
    (of_week / DAY_HOURS, of_week % DAY_HOURS, within(monday.div_euclid(WEEK_HOURS as i64), WEEKS))
}

fn usual(past: &[Hour], hour: usize, weekday: Option<u8>) -> Option<Usual> {
    let value = median(past.iter().map(|past| past.mean))?;
    let between = median(past.iter().map(|past| (past.mean - value).abs()))? * OF_MEDIAN_DISTANCE;
    let within = median(past.iter().map(|past| past.distance))? * OF_MEAN_DISTANCE;
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
mod tests;
