//! Values against limits: deadband and on-delay, as pure functions of what was heard and when.

use super::{Equals, Measure, Side, Threshold};
use crate::telemetry::Value;
use crate::time::MonoMs;

/// What a value says about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is wrong.
    Wrong,
    /// It is not wrong, but still within the deadband: nothing is raised, nothing cleared.
    Between,
    /// It is right.
    Right,
}

/// What becomes of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is raised.
    Raised,
    /// It clears.
    Cleared,
}

/// A running on-delay. It counts only while we listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    gathered_ms: u64,
    running_since: Option<MonoMs>,
}

impl Wait {
    fn begun(now: MonoMs) -> Wait {
        Wait { gathered_ms: 0, running_since: Some(now) }
    }

    /// Our link fell: it stands still until the value is heard again.
    pub fn stand_still(&mut self, now: MonoMs) {
        if let Some(since) = self.running_since.take() {
            self.gathered_ms = self.gathered_ms.saturating_add(now.since(since));
        }
    }

    /// When it is over, if nothing comes between; `None` while it stands still.
    pub fn over_at(&self, on_delay_ms: u64) -> Option<MonoMs> {
        self.running_since.map(|since| since.plus(on_delay_ms.saturating_sub(self.gathered_ms)))
    }
}

/// One look at a value that counts now: heard since our link is up, of a thing that speaks. `verdict` is `None` where the value says
/// nothing about the condition (it is no number, or not there): then everything stays as it is, and a running on-delay runs on.
pub fn turn(
    active: bool,
    verdict: Option<Verdict>,
    wait: &mut Option<Wait>,
    on_delay_ms: u64,
    now: MonoMs,
) -> Option<Turn> {
    match (active, verdict) {
        (true, Some(Verdict::Right)) => Some(Turn::Cleared),
        (true, Some(Verdict::Wrong | Verdict::Between) | None) => None,
        (false, Some(Verdict::Right | Verdict::Between)) => {
            *wait = None;
            None
        }
        (false, None) if wait.is_none() => None,
        (false, Some(Verdict::Wrong) | None) => {
            let running = wait.get_or_insert_with(|| Wait::begun(now));
            running.running_since.get_or_insert(now);
            if running.over_at(on_delay_ms).is_some_and(|over| now >= over) {
                *wait = None;
                return Some(Turn::Raised);
            }
            None
        }
    }
}

/// A value with the words for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its name on the screen: `Fill`.
    pub label: &'a str,
    /// Its unit; may be empty.
    pub unit: &'a str,
    /// Digits after the point.
    pub decimals: u8,
}

impl Threshold {
    /// What a value says; `None` when it is no number. Wrong includes the limit itself; right is what lies at least the deadband from it.
    pub fn judge(&self, value: &Value) -> Option<Verdict> {
        let Value::Number(number) = value else { return None };
        let (limit, deadband) = (self.limit, self.deadband.max(0.0));
        let (wrong, back) = match self.side {
            Side::Above => (*number >= limit, *number <= limit - deadband),
            Side::Below => (*number <= limit, *number >= limit + deadband),
        };
        Some(match (wrong, back) {
            (true, _) => Verdict::Wrong,
            (false, true) => Verdict::Right,
            (false, false) => Verdict::Between,
        })
    }

    /// What was seen when the alarm was raised: `fill 96 %, 90 % or more for 2 min`.
    pub fn sentence(&self, seen: Seen<'_>) -> String {
        let decimals = usize::from(seen.decimals);
        let now = match seen.value {
            Value::Number(number) => format!("{number:.decimals$}"),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text.clone(),
        };
        let side = match self.side {
            Side::Above => "or more",
            Side::Below => "or less",
        };
        let unit = if seen.unit.is_empty() { String::new() } else { format!(" {}", seen.unit) };
        let what = match &self.measure {
            Measure::Value(_) => format!("{} {now}{unit}", seen.label.to_lowercase()),
            Measure::Level => format!("{now}{unit} full"),
        };
        format!("{what}, {}{unit} {side}{}", self.limit, lasting(self.on_delay_ms))
    }
}

impl Equals {
    /// What a value says; `None` when it is of another type.
    pub fn judge(&self, value: &Value) -> Option<Verdict> {
        let same = match (&self.value, value) {
            (Value::Text(wrong), Value::Text(have)) => wrong == have,
            (Value::Flag(wrong), Value::Flag(have)) => wrong == have,
            (Value::Number(_) | Value::Text(_) | Value::Flag(_), _) => return None,
        };
        Some(if same { Verdict::Wrong } else { Verdict::Right })
    }

    /// What was seen when the alarm was raised: `state fault for 2 min`, `tipped over: yes`.
    pub fn sentence(&self, seen: Seen<'_>) -> String {
        let label = seen.label.to_lowercase();
        let what = match seen.value {
            Value::Text(text) => format!("{label} {text}"),
            Value::Flag(flag) => format!("{label}: {}", if *flag { "yes" } else { "no" }),
            Value::Number(number) => format!("{label} {number}"),
        };
        format!("{what}{}", lasting(self.on_delay_ms))
    }
}

fn lasting(on_delay_ms: u64) -> String {
    if on_delay_ms == 0 { String::new() } else { format!(" for {}", duration(on_delay_ms)) }
}

/// A length of time in words, as people write it: `45 s`, `1 min 30 s`, `5 min`, `2 h`, `3 d 4 h`. Milliseconds are left out.
pub fn duration(ms: u64) -> String {
    let s = ms / 1_000;
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
    };
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => two(s / 60, "min", s % 60, "s"),
        3_600..86_400 => two(s / 3_600, "h", s / 60 % 60, "min"),
        _ => two(s / 86_400, "d", s / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(side: Side, limit: f64, deadband: f64, on_delay_ms: u64) -> Threshold {
        Threshold { measure: Measure::Value("/fill_pct".into()), side, limit, deadband, on_delay_ms }
    }

    #[test]
    fn a_limit_is_wrong_itself_and_right_only_beyond_the_deadband() {
        use Side::{Above, Below};
        use Verdict::{Between, Right, Wrong};
        for (side, limit, deadband, value, want) in [
            (Above, 90.0, 10.0, Value::Number(90.0), Some(Wrong)),
            (Above, 90.0, 10.0, Value::Number(89.9), Some(Between)),
            (Above, 90.0, 10.0, Value::Number(80.0), Some(Right)),
            (Above, 90.0, 0.0, Value::Number(89.9), Some(Right)),
            (Above, 90.0, 0.0, Value::Number(90.0), Some(Wrong)),
            (Above, 90.0, -5.0, Value::Number(89.9), Some(Right)),
            (Below, 15.0, 5.0, Value::Number(15.0), Some(Wrong)),
            (Below, 15.0, 5.0, Value::Number(19.9), Some(Between)),
            (Below, 15.0, 5.0, Value::Number(20.0), Some(Right)),
            (Above, 90.0, 0.0, Value::Text("full".into()), None),
            (Above, 0.5, 0.0, Value::Flag(true), None),
        ] {
            let t = threshold(side, limit, deadband, 0);
            assert_eq!(t.judge(&value), want, "{side:?} {limit} ± {deadband}: {value:?}");
        }
    }

    #[test]
    fn a_word_is_compared_with_words_only() {
        let fault = Equals { pointer: "/state".into(), value: Value::Text("fault".into()), on_delay_ms: 0 };
        let tipped = Equals { pointer: "/tipped".into(), value: Value::Flag(true), on_delay_ms: 0 };
        for (rule, value, want) in [
            (&fault, Value::Text("fault".into()), Some(Verdict::Wrong)),
            (&fault, Value::Text("charging".into()), Some(Verdict::Right)),
            (&fault, Value::Flag(true), None),
            (&tipped, Value::Flag(true), Some(Verdict::Wrong)),
            (&tipped, Value::Flag(false), Some(Verdict::Right)),
            (&tipped, Value::Number(1.0), None),
        ] {
            assert_eq!(rule.judge(&value), want, "{rule:?} {value:?}");
        }
    }

    /// One step of a story: something heard, or the link lost.
    enum Step {
        Hears(Option<Verdict>),
        LosesLink,
    }
    use Step::{Hears, LosesLink};
    const WRONG: Step = Hears(Some(Verdict::Wrong));
    const BETWEEN: Step = Hears(Some(Verdict::Between));
    const RIGHT: Step = Hears(Some(Verdict::Right));
    const NOTHING: Step = Hears(None);

    #[test]
    fn an_alarm_is_raised_after_its_on_delay_of_listening_without_a_break() {
        // An on-delay of 120 s; when (s) what is heard, and the turns (s) that follow.
        for (name, story, want) in [
            ("at the end of the delay", vec![(0, WRONG), (119, WRONG), (120, WRONG)], vec![(120, Turn::Raised)]),
            ("the value is not said again", vec![(0, WRONG), (120, NOTHING)], vec![(120, Turn::Raised)]),
            ("a break starts it anew", vec![(0, WRONG), (60, RIGHT), (61, WRONG), (120, WRONG), (180, WRONG)], vec![]),
            ("the deadband is a break too", vec![(0, WRONG), (60, BETWEEN), (61, WRONG), (121, WRONG)], vec![]),
            ("nonsense is no break", vec![(0, WRONG), (60, NOTHING), (120, WRONG)], vec![(120, Turn::Raised)]),
            ("nonsense starts nothing", vec![(0, NOTHING), (500, NOTHING)], vec![]),
            (
                "a lost link is no break and does not count",
                vec![(0, WRONG), (100, LosesLink), (5_000, WRONG), (5_019, WRONG), (5_020, WRONG)],
                vec![(5_020, Turn::Raised)],
            ),
            (
                "losing it twice takes nothing away",
                vec![(0, WRONG), (60, LosesLink), (70, LosesLink), (100, WRONG), (160, WRONG)],
                vec![(160, Turn::Raised)],
            ),
            ("and what changed meanwhile counts", vec![(0, WRONG), (100, LosesLink), (5_000, RIGHT)], vec![]),
            (
                "cleared beyond the deadband only, and again a delay before the next",
                vec![
                    (0, WRONG),
                    (120, WRONG),
                    (130, BETWEEN),
                    (140, NOTHING),
                    (150, RIGHT),
                    (160, WRONG),
                    (279, WRONG),
                ],
                vec![(120, Turn::Raised), (150, Turn::Cleared)],
            ),
        ] {
            let (mut active, mut wait, mut turns) = (false, None, Vec::new());
            for (s, step) in story {
                let now = MonoMs(s * 1_000);
                let turned = match step {
                    Hears(verdict) => turn(active, verdict, &mut wait, 120_000, now),
                    LosesLink => {
                        wait.iter_mut().for_each(|wait: &mut Wait| wait.stand_still(now));
                        None
                    }
                };
                active = turned.map_or(active, |turned| turned == Turn::Raised);
                turns.extend(turned.map(|turned| (s, turned)));
            }
            assert_eq!(turns, want, "{name}");
        }
    }

    #[test]
    fn without_a_delay_it_is_raised_at_once() {
        let mut wait = None;
        assert_eq!(turn(false, Some(Verdict::Wrong), &mut wait, 0, MonoMs(7)), Some(Turn::Raised));
        assert_eq!(wait, None);
    }

    #[test]
    fn a_sentence_says_what_was_seen_and_what_the_limit_is() {
        let fill = Value::Number(96.4);
        let seen = Seen { value: &fill, label: "Fill", unit: "%", decimals: 0 };
        let level = Threshold { measure: Measure::Level, ..threshold(Side::Above, 98.0, 3.0, 60_000) };
        let (full, fault, yes) = (Value::Number(99.0), Value::Text("fault".into()), Value::Flag(true));
        let words = |value, label| Seen { value, label, unit: "", decimals: 0 };
        let equals = |value: &Value, on_delay_ms| Equals { pointer: "/x".into(), value: value.clone(), on_delay_ms };
        for (have, want) in [
            (threshold(Side::Above, 90.0, 10.0, 120_000).sentence(seen), "fill 96 %, 90 % or more for 2 min"),
            (
                threshold(Side::Above, 37.5, 0.0, 0).sentence(Seen { decimals: 1, ..seen }),
                "fill 96.4 %, 37.5 % or more",
            ),
            (threshold(Side::Below, 3.0, 0.0, 0).sentence(words(&full, "Free")), "free 99, 3 or less"),
            (level.sentence(Seen { value: &full, ..seen }), "99 % full, 98 % or more for 1 min"),
            (equals(&fault, 90_000).sentence(words(&fault, "State")), "state fault for 1 min 30 s"),
            (equals(&yes, 0).sentence(words(&yes, "Tipped over")), "tipped over: yes"),
        ] {
            assert_eq!(have, want);
        }
    }

    #[test]
    fn lengths_of_time_read_as_people_write_them() {
        for (ms, want) in [
            (999, "0 s"),
            (45_000, "45 s"),
            (90_000, "1 min 30 s"),
            (300_000, "5 min"),
            (7_200_000, "2 h"),
            (5_460_000, "1 h 31 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(ms), want);
        }
    }
}
