//! When a fault shows.

use super::Fault;
use crate::dice::Dice;

const SECOND_MS: f64 = 1_000.0;
const MINUTE_MS: f64 = 60_000.0;

/// Stretches of time, one every so often; in milliseconds since the city began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    first_ms: u64,
    lasts_ms: u64,
    /// From one beginning to the next; never shorter than a stretch.
    every_ms: u64,
}

impl Spell {
    /// When `fault` shows in `thing`, which speaks every `interval_ms`. The first time is within some two minutes, because
    /// somebody waits for it.
    pub fn of(fault: Fault, thing: &str, interval_ms: u64, dice: Dice) -> Self {
        let mut chance = dice.throw(thing, "spell");
        let intervals = |count: f64| interval_ms as f64 * count;
        let (first_ms, lasts_ms, pause_ms) = match fault {
            // Long enough that those who speak every minute are missed as well.
            Fault::DeadGateway => (chance.between(60.0, 90.0) * SECOND_MS, 7.0 * MINUTE_MS, 15.0 * MINUTE_MS),
            Fault::Silence => (
                chance.between(30.0, 120.0) * SECOND_MS,
                intervals(chance.between(5.0, 8.0)).max(chance.between(3.0, 6.0) * MINUTE_MS),
                chance.between(5.0, 12.0) * MINUTE_MS,
            ),
            Fault::StuckSensor => (chance.between(20.0, 60.0) * SECOND_MS, 15.0 * MINUTE_MS, 3.0 * MINUTE_MS),
            Fault::Late => (
                chance.between(20.0, 60.0) * SECOND_MS,
                intervals(4.0).max(chance.between(60.0, 100.0) * SECOND_MS),
                chance.between(1.0, 3.0) * MINUTE_MS,
            ),
            Fault::Nonsense
            | Fault::Malformed
            | Fault::Duplicate
            | Fault::OutOfOrder
            | Fault::Refusal
            | Fault::Slow => return Self { first_ms: 0, lasts_ms: u64::MAX, every_ms: u64::MAX },
        };
        let [first_ms, lasts_ms, pause_ms] = [first_ms, lasts_ms, pause_ms].map(|ms| ms as u64);
        Self { first_ms, lasts_ms: lasts_ms.max(1), every_ms: lasts_ms.max(1).saturating_add(pause_ms) }
    }

    /// Until when the stretch at `mono_ms` lasts; `None` between stretches.
    pub fn until(&self, mono_ms: u64) -> Option<u64> {
        let since_ms = mono_ms.checked_sub(self.first_ms)?;
        let into_ms = since_ms.checked_rem(self.every_ms)?;
        (into_ms < self.lasts_ms).then(|| mono_ms.saturating_add(self.lasts_ms - into_ms))
    }

    /// Whether there is a stretch at `mono_ms`.
    pub fn is_on(&self, mono_ms: u64) -> bool {
        self.until(mono_ms).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_begins_ends_and_comes_again() {
        let spell = Spell { first_ms: 100, lasts_ms: 30, every_ms: 50 };
        for (mono_ms, until) in
            [(0, None), (99, None), (100, Some(130)), (129, Some(130)), (130, None), (150, Some(180))]
        {
            assert_eq!(spell.until(mono_ms), until, "{mono_ms}");
        }
    }

    #[test]
    fn every_fault_shows_within_three_minutes_and_silence_is_noticed() {
        for fault in Fault::ALL {
            for (number, interval_ms) in [(0, 5_000), (1, 10_000), (2, 30_000), (3, 60_000)] {
                let thing = format!("thing-{number}");
                let spell = Spell::of(fault, &thing, interval_ms, Dice::new(1));
                let first = (0..180_000).step_by(500).find(|mono_ms| spell.is_on(*mono_ms));
                assert!(first.is_some(), "{fault:?}");
                if let Some(until) = first.and_then(|first| spell.until(first)).filter(|_| fault == Fault::Silence) {
                    let lasts_ms = until - first.unwrap();
                    // The app calls a thing silent after three intervals and a minute.
                    assert!(lasts_ms > 60_000 && lasts_ms >= 4 * interval_ms, "{lasts_ms}");
                    assert!(!spell.is_on(until), "and it comes back");
                }
            }
        }
    }
}
