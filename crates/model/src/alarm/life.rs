//! An alarm's life: raised, cleared, raised again, acknowledged, over.

use thiserror::Error;

use super::{Acknowledgement, Alarm, Rule};
use crate::id::{AlarmId, ThingKey};
use crate::time::WallMs;

/// Why an acknowledgement does not cover an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAcknowledged {
    /// It was over before.
    #[error("the alarm is over already")]
    Ended,
    /// It stands otherwise now than it stood on the screen.
    #[error("the alarm was raised again meanwhile; look at it as it is now")]
    RaisedAgain,
    /// Somebody was quicker.
    #[error("{0} has acknowledged it already")]
    Already(String),
}

impl Alarm {
    /// A new alarm: active, and nobody has seen it.
    pub fn raise(id: AlarmId, thing: ThingKey, rule: &Rule, sentence: String, now: WallMs) -> Alarm {
        Alarm {
            id,
            thing,
            rule: rule.id.clone(),
            name: rule.name.clone(),
            priority: rule.priority,
            sentence,
            what_to_do: rule.what_to_do.clone(),
            active: true,
            raised_ms: now,
            cleared_ms: None,
            times: 1,
            acknowledged: None,
        }
    }

    /// It became so once more while it was open. What was seen before is no longer what a person acknowledged.
    pub fn raise_again(&mut self, rule: &Rule, sentence: String, now: WallMs) {
        // Never the same moment twice, also when the wall clock was set back: it tells what stood on a screen.
        let raised_ms = now.max(self.raised_ms.plus(1));
        let times = self.times.saturating_add(1);
        *self = Alarm { raised_ms, times, ..Alarm::raise(self.id, self.thing, rule, sentence, now) };
    }

    /// It ceased to be so. Unless somebody has seen it, it stays open.
    pub fn clear(&mut self, now: WallMs) {
        if self.active {
            self.active = false;
            self.cleared_ms = Some(now);
        }
    }

    /// A person has seen it as it stood at `raised_ms`.
    pub fn acknowledge(&mut self, raised_ms: WallMs, by: Acknowledgement) -> Result<(), NotAcknowledged> {
        if !self.is_open() {
            return Err(NotAcknowledged::Ended);
        }
        if let Some(earlier) = &self.acknowledged {
            return Err(NotAcknowledged::Already(earlier.by.name.clone()));
        }
        if self.raised_ms != raised_ms {
            return Err(NotAcknowledged::RaisedAgain);
        }
        self.acknowledged = Some(by);
        Ok(())
    }

    /// Whether it needs a person: it is so now, and nobody has said that they saw it.
    pub fn needs_a_person(&self) -> bool {
        self.active && self.acknowledged.is_none()
    }

    /// When it was over; `None` while it is open.
    pub fn ended_ms(&self) -> Option<WallMs> {
        let seen_ms = self.acknowledged.as_ref().map(|seen| seen.at_ms);
        self.cleared_ms.filter(|_| !self.is_open()).max(seen_ms.filter(|_| !self.is_open()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{Condition, Priority};
    use crate::identity::{Actor, Role};

    fn rule() -> Rule {
        Rule {
            id: "silent".into(),
            name: "silent".into(),
            kind: None,
            condition: Condition::Silent,
            priority: Priority::Warning,
            cause: String::new(),
            consequence: String::new(),
            what_to_do: "look at it".into(),
        }
    }

    fn seen(at: i64) -> Acknowledgement {
        let by = Actor { name: "M. Vella".into(), role: Role::Operator };
        Acknowledgement { by, at_ms: WallMs(at), comment: "on my way".into() }
    }

    /// What may happen to an alarm that was raised at 10.
    enum Happens {
        Clears(i64),
        RaisedAgain(i64),
        Acknowledged { as_of: i64, at: i64 },
    }
    use Happens::{Acknowledged, Clears, RaisedAgain};

    #[test]
    fn it_is_open_while_it_is_active_or_nobody_has_seen_it() {
        // (open, active, acknowledged, raised, times, ended)
        for (name, story, want) in [
            ("raised", vec![], (true, true, false, 10, 1, None)),
            ("returned, not seen", vec![Clears(20)], (true, false, false, 10, 1, None)),
            ("active, seen", vec![Acknowledged { as_of: 10, at: 20 }], (true, true, true, 10, 1, None)),
            (
                "seen, then returned",
                vec![Acknowledged { as_of: 10, at: 20 }, Clears(30)],
                (false, false, true, 10, 1, Some(30)),
            ),
            (
                "returned, then seen",
                vec![Clears(20), Acknowledged { as_of: 10, at: 30 }],
                (false, false, true, 10, 1, Some(30)),
            ),
            ("raised again", vec![Clears(20), RaisedAgain(30)], (true, true, false, 30, 2, None)),
            (
                "what was seen was the one before",
                vec![Clears(20), RaisedAgain(30), Acknowledged { as_of: 10, at: 40 }],
                (true, true, false, 30, 2, None),
            ),
            (
                "something new in an alarm that was seen",
                vec![Acknowledged { as_of: 10, at: 20 }, RaisedAgain(30)],
                (true, true, false, 30, 2, None),
            ),
            ("the clock was set back", vec![Clears(20), RaisedAgain(4)], (true, true, false, 11, 2, None)),
            (
                "cleared once",
                vec![Clears(20), Clears(30), Acknowledged { as_of: 10, at: 25 }],
                (false, false, true, 10, 1, Some(25)),
            ),
        ] {
            let mut alarm = Alarm::raise(AlarmId(1), ThingKey(1), &rule(), "said nothing".into(), WallMs(10));
            for happens in story {
                match happens {
                    Clears(at) => alarm.clear(WallMs(at)),
                    RaisedAgain(at) => alarm.raise_again(&rule(), "said nothing".into(), WallMs(at)),
                    Acknowledged { as_of, at } => drop(alarm.acknowledge(WallMs(as_of), seen(at))),
                }
            }
            let have = (
                alarm.is_open(),
                alarm.active,
                alarm.acknowledged.is_some(),
                alarm.raised_ms.0,
                alarm.times,
                alarm.ended_ms().map(|at| at.0),
            );
            assert_eq!(have, want, "{name}");
            assert_eq!(alarm.needs_a_person(), alarm.active && alarm.acknowledged.is_none(), "{name}");
        }
    }

    #[test]
    fn what_an_acknowledgement_does_not_cover_is_told() {
        let raised = || Alarm::raise(AlarmId(1), ThingKey(1), &rule(), String::new(), WallMs(10));
        let mut again = raised();
        again.raise_again(&rule(), String::new(), WallMs(30));
        let mut already = raised();
        already.acknowledge(WallMs(10), seen(20)).unwrap();
        let mut over = already.clone();
        over.clear(WallMs(30));
        for (mut alarm, want) in [
            (again, NotAcknowledged::RaisedAgain),
            (already, NotAcknowledged::Already("M. Vella".into())),
            (over, NotAcknowledged::Ended),
        ] {
            let before = alarm.clone();
            assert_eq!(alarm.acknowledge(WallMs(10), seen(40)), Err(want));
            assert_eq!(alarm, before, "and nothing of it changed");
        }
    }
}
