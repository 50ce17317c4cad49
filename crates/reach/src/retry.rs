//! What became of an attempt, and when the next one is due.

/// What became of one attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Delivered,
    /// It may work another time.
    Again {
        /// For a person, without secrets: what failed and what to change.
        why: String,
        /// How long the other side wants to be left alone, in milliseconds.
        after_ms: Option<u64>,
    },
    /// It would be refused again.
    Refused {
        /// For a person, without secrets.
        why: String,
    },
}

impl Outcome {
    /// One that may work another time.
    pub(crate) fn again(why: impl Into<String>) -> Outcome {
        Outcome::Again { why: why.into(), after_ms: None }
    }
}

/// How often, how soon and for how long something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first wait, in milliseconds; each further one is twice as long.
    pub first_ms: u64,
    /// No wait is longer, in milliseconds, whatever the other side asks for.
    pub longest_ms: u64,
    /// Attempts in all; at least 1.
    pub attempts: u32,
    /// No attempt begins later than this after the first, in milliseconds.
    pub age_ms: u64,
}

impl Default for Patience {
    /// From 2 s to 15 min, 100 attempts within a day: a night's outage of somebody's mail server loses nothing.
    fn default() -> Patience {
        Patience { first_ms: 2_000, longest_ms: 900_000, attempts: 100, age_ms: 86_400_000 }
    }
}

impl Patience {
    /// How long to wait after so many failed attempts, in milliseconds: between half and all of a length that doubles (`roll`,
    /// 0 to 1, is random, so that many who failed together do not come back together), and at least what the other side asked for.
    pub(crate) fn wait_ms(&self, failed: u32, asked_ms: Option<u64>, roll: f64) -> u64 {
        let doubled = 2u64.saturating_pow(failed.saturating_sub(1));
        let ceiling = self.first_ms.saturating_mul(doubled).min(self.longest_ms);
        let half = ceiling / 2;
        let jittered = half.saturating_add(((ceiling - half) as f64 * roll.clamp(0.0, 1.0)) as u64);
        jittered.max(asked_ms.unwrap_or(0).min(self.longest_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_bounded_also_where_the_other_side_asks_for_more() {
        let patience = Patience::default();
        for (failed, asked_ms, roll, want) in [
            (1, None, 1.0, 2_000),
            (1, None, 0.0, 1_000),
            (2, None, 1.0, 4_000),
            (9, None, 1.0, 512_000),
            (10, None, 1.0, 900_000),
            (4_000_000, None, 1.0, 900_000),
            (1, Some(30_000), 1.0, 30_000),
            (5, Some(1), 1.0, 32_000),
            (1, Some(u64::MAX), 0.5, 900_000),
        ] {
            assert_eq!(patience.wait_ms(failed, asked_ms, roll), want, "{failed} {asked_ms:?} {roll}");
        }
    }
}
