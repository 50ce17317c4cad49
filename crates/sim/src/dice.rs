//! Chance that repeats itself: the same seed, name and purpose give the same numbers on every machine and in every version.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The seed of a city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice {
    seed: u64,
}

impl Dice {
    /// Of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A stream of chance of its own for `purpose` of the thing called `name`.
    pub fn throw(self, name: &str, purpose: &str) -> Throw {
        self.throw_at(name, purpose, 0)
    }

    /// The same, one for every `index` (of a day, of a stretch of time).
    pub fn throw_at(self, name: &str, purpose: &str, index: i64) -> Throw {
        // FNV-1a: the standard library's hash may change with the compiler, and with it the city.
        let bytes = self.seed.to_le_bytes().into_iter().chain(index.to_le_bytes());
        let bytes = bytes.chain(name.bytes()).chain([0]).chain(purpose.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Throw { rng: ChaCha8Rng::seed_from_u64(hash) }
    }

    /// A value from -1 to 1 that changes smoothly: it passes through a chance value every `knot_ms` of `t_ms`.
    pub fn drift(self, name: &str, purpose: &str, t_ms: i64, knot_ms: i64) -> f64 {
        let knot_ms = knot_ms.max(1);
        let at = t_ms.div_euclid(knot_ms);
        let along = t_ms.rem_euclid(knot_ms) as f64 / knot_ms as f64;
        let value = |index| self.throw_at(name, purpose, index).between(-1.0, 1.0);
        let eased = along * along * (3.0 - 2.0 * along);
        value(at) * (1.0 - eased) + value(at + 1) * eased
    }
}

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Throw {
    rng: ChaCha8Rng,
}

impl Throw {
    /// From 0, below 1.
    pub fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low`, below `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.unit() * f64::from(n.max(1)) < 1.0
    }

    /// From 0, below `count`; 0 of 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// One of `items`; `None` only of none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_repeats_itself_and_differs_by_seed_name_purpose_and_index() {
        let first = |seed, name, purpose, index| Dice::new(seed).throw_at(name, purpose, index).unit();
        let base = first(1, "lamp-1", "power", 0);
        assert_eq!(base, first(1, "lamp-1", "power", 0));
        for other in [
            first(2, "lamp-1", "power", 0),
            first(1, "lamp-2", "power", 0),
            first(1, "lamp-1", "heat", 0),
            first(1, "lamp-1", "power", 1),
        ] {
            assert_ne!(base, other);
        }
        // Fixed for ever: a city seen once must look the same after every upgrade.
        assert_eq!(format!("{base:.12}"), "0.590066732915");
    }

    #[test]
    fn drift_is_smooth_and_stays_in_its_range() {
        let dice = Dice::new(7);
        let mut last = dice.drift("a", "b", -5_000, 1_000);
        for t_ms in (-5_000..5_000).step_by(10) {
            let now = dice.drift("a", "b", t_ms, 1_000);
            assert!((-1.0..=1.0).contains(&now) && (now - last).abs() < 0.05, "{t_ms}: {last} to {now}");
            last = now;
        }
    }
}
