//! `[[reach.quiet]]`: from when to when, on which days.

use std::ops::Range;

use jiff::civil::Weekday;
use serde::Deserialize;
use toml::Spanned;

use super::ReachError;
use crate::quiet::Stretch;

/// The days, as they are written.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// One stretch of quiet hours as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenQuiet {
    days: Option<Spanned<Vec<Spanned<String>>>>,
    from: Spanned<String>,
    to: Spanned<String>,
}

impl WrittenQuiet {
    pub fn span(&self) -> Range<usize> {
        self.from.span()
    }

    pub fn checked(&self) -> Result<Stretch, ReachError> {
        let from_min = minutes("quiet.from", &self.from)?;
        let to_min = minutes("quiet.to", &self.to)?;
        if from_min >= 1_440 {
            let why = "a day begins at \"00:00\"; \"24:00\" is its end";
            return Err(ReachError::new("quiet.from", self.from.span(), why));
        }
        if from_min == to_min {
            let why = "it is over when it begins; for whole days write from = \"00:00\" and to = \"24:00\"";
            return Err(ReachError::new("quiet.to", self.to.span(), why));
        }
        Ok(Stretch { days: self.days()?, from_min, to_min })
    }

    fn days(&self) -> Result<Vec<Weekday>, ReachError> {
        let Some(written) = &self.days else { return Ok(DAYS.iter().map(|(_, day)| *day).collect()) };
        if written.get_ref().is_empty() {
            let why = "it is never quiet on no day; name some, or leave days out for all";
            return Err(ReachError::new("quiet.days", written.span(), why));
        }
        let day = |name: &Spanned<String>| {
            let found = DAYS.iter().find(|(known, _)| known == name.get_ref()).map(|(_, day)| *day);
            found.ok_or_else(|| {
                let why = format!(
                    "{:?} is no day; write \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\"",
                    name.get_ref()
                );
                ReachError::new("quiet.days", name.span(), why)
            })
        };
        written.get_ref().iter().map(day).collect()
    }
}

/// `06:30`, or `24:00` for the end of the day, in minutes after midnight.
fn minutes(field: &'static str, written: &Spanned<String>) -> Result<u16, ReachError> {
    let two =
        |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u16>().ok())?;
    let parsed = written.get_ref().split_once(':').and_then(|(hours, minutes)| Some((two(hours)?, two(minutes)?)));
    match parsed {
        Some((hours @ 0..=23, minutes @ 0..=59)) => Ok(hours * 60 + minutes),
        Some((24, 0)) => Ok(1_440),
        Some(_) | None => {
            let why = format!("{:?} is no time of day; write \"22:00\"", written.get_ref());
            Err(ReachError::new(field, written.span(), why))
        }
    }
}
