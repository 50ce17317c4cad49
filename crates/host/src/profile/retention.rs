//! The part of a profile that says how long the history of single kinds of things is kept.

use std::collections::BTreeMap;

use fleetlens_model::keeping::Ages;
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Retention;
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;

/// `[retention]` as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRetention {
    #[serde(default)]
    kinds: BTreeMap<Spanned<String>, WrittenAges>,
}

/// `[retention.kinds.…]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAges {
    keep_days: Option<Spanned<u32>>,
    minutes_days: Option<Spanned<u32>>,
    hours_days: Option<Spanned<u32>>,
}

impl WrittenRetention {
    /// The kinds that it speaks of, in their order.
    pub fn check(self) -> Result<Vec<(Kind, Ages)>, Mistake> {
        let mut kinds = Vec::with_capacity(self.kinds.len());
        for (word, ages) in self.kinds {
            kinds.push((super::kinds::named(&word)?, ages.check(&word)?));
        }
        kinds.sort_by_key(|(kind, _)| *kind);
        Ok(kinds)
    }
}

impl WrittenAges {
    fn check(self, kind: &Spanned<String>) -> Result<Ages, Mistake> {
        let WrittenAges { keep_days, minutes_days, hours_days } = &self;
        let (least, most) = (Retention::KEEP_DAYS.start(), Retention::KEEP_DAYS.end());
        let mut narrower: Option<(&str, u32)> = None;
        for (name, days) in [("keep_days", keep_days), ("minutes_days", minutes_days), ("hours_days", hours_days)] {
            let Some(days) = days else { continue };
            let n = *days.get_ref();
            if !Retention::KEEP_DAYS.contains(&n) {
                return Err(Mistake::new(days.span(), format!("{name} of {n} days is outside {least}–{most} days")));
            }
            if let Some((other, longer)) = narrower.filter(|(_, longer)| *longer > n) {
                let why = format!(
                    "{name} of {n} days is less than {other}, {longer} days; what is coarser stays as long or longer"
                );
                return Err(Mistake::new(days.span(), why));
            }
            narrower = Some((name, n));
        }
        if narrower.is_none() {
            let why = format!("nothing is said of {:?}; write keep_days, minutes_days or hours_days", kind.get_ref());
            return Err(Mistake::new(kind.span(), why));
        }
        let days = |days: Option<Spanned<u32>>| days.map(Spanned::into_inner);
        Ok(Ages {
            keep_days: days(self.keep_days),
            minutes_days: days(self.minutes_days),
            hours_days: days(self.hours_days),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{Profile, ProfileError};

    use super::*;

    const TEXT: &str = "name = \"x\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n";

    #[test]
    fn a_profile_says_how_long_single_kinds_are_kept() {
        let text = format!(
            "{TEXT}[retention.kinds.lamp]\nkeep_days = 7\nminutes_days = 90\n[retention.kinds.parking]\nhours_days = 3650\n"
        );
        let kinds = Profile::parse(&text, "x.toml").unwrap().retention;
        let lamp = Ages { keep_days: Some(7), minutes_days: Some(90), hours_days: None };
        assert_eq!(kinds, [(Kind::Parking, Ages { hours_days: Some(3_650), ..Ages::default() }), (Kind::Lamp, lamp)]);
        assert_eq!(Profile::parse(TEXT, "x.toml").unwrap().retention, []);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        for (said, line, want) in [
            ("[retention.kinds.lantern]\nkeep_days = 7", 4, "\"lantern\" is no kind; there are parking, lamp"),
            ("[retention.kinds.lamp]\nkeep_days = 0", 5, "keep_days of 0 days is outside 1–3650 days"),
            ("[retention.kinds.lamp]\nkeep_days = 7\nhours_days = 3651", 6, "hours_days of 3651 days is outside"),
            (
                "[retention.kinds.lamp]\nkeep_days = 7\nminutes_days = 6",
                6,
                "minutes_days of 6 days is less than keep_days, 7 days",
            ),
            ("[retention.kinds.lamp]\nkeep_days = 7\nhours_days = 6", 6, "hours_days of 6 days is less than keep_days"),
            ("[retention.kinds.lamp]", 4, "nothing is said of \"lamp\"; write keep_days"),
            ("[retention.kinds.lamp]\nkeep = 7", 5, "unknown field `keep`"),
            ("[retention]\nkeep_days = 7", 5, "unknown field `keep_days`"),
            ("[retention.kinds.lamp]\nkeep_days = \"7\"", 5, "invalid type"),
        ] {
            let error = Profile::parse(&format!("{TEXT}{said}\n"), "x.toml").unwrap_err();
            let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{said}: {error}") };
            assert!(why.contains(want) && at == line, "{said}: {error}");
        }
    }
}
