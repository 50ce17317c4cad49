//! Where things that move were in the last minutes, as the window saw it; in memory only. From the last two places comes where a thing
//! heads that does not say so itself. Pure.

use std::collections::{HashMap, VecDeque};
use std::f64::consts::TAU;

use fleetlens_model::id::ThingKey;

use super::mercator::Local;

/// How far back a trail reaches, in milliseconds.
pub const TRAIL_MS: f64 = 5.0 * 60_000.0;

/// Places of one trail; when there are more the oldest go.
const PLACES_MAX: usize = 64;

/// Trails at once; of more things none are kept.
const TRAILS_MAX: usize = 2_000;

/// Nearer than this two places are one, on Mercator's square: some two metres at the equator.
const STEP: f64 = 5e-8;

/// Farther than this nobody drives between two messages: two kilometres. It was somewhere else, so its trail begins anew.
const LEAP: f64 = 5e-5;

/// Steps of a heading in a row of the map: 3.6 degrees each.
const HEADINGS: f64 = 100.0;

/// A place and when it was there, in the page's milliseconds.
type Passed = (Local, f64);

/// Every trail.
#[derive(Debug, Default)]
pub struct Trails {
    of: HashMap<ThingKey, VecDeque<Passed>>,
}

impl Trails {
    /// A thing is here.
    pub fn passes(&mut self, thing: ThingKey, at: Local, now_ms: f64) {
        if !self.of.contains_key(&thing) && self.of.len() >= TRAILS_MAX {
            self.of.retain(|_, trail| trail.back().is_some_and(|(_, then_ms)| now_ms - then_ms < TRAIL_MS));
            if self.of.len() >= TRAILS_MAX {
                return;
            }
        }
        let trail = self.of.entry(thing).or_default();
        if let Some((last, then_ms)) = trail.back() {
            // Nobody knows which way it came.
            if now_ms - then_ms >= TRAIL_MS {
                trail.clear();
                trail.push_back((at, now_ms));
                return;
            }
            let step = (at.x - last.x).hypot(at.y - last.y);
            if step < STEP {
                return;
            }
            if step > LEAP {
                trail.clear();
            }
        }
        if trail.len() >= PLACES_MAX {
            trail.pop_front();
        }
        trail.push_back((at, now_ms));
    }

    /// Nobody follows a thing any more.
    pub fn forget(&mut self, thing: ThingKey) {
        self.of.remove(&thing);
    }

    /// Nobody follows the others any more.
    pub fn keep(&mut self, is_followed: impl Fn(ThingKey) -> bool) {
        self.of.retain(|thing, _| is_followed(*thing));
    }

    /// Where a thing was, the oldest first, with how old that is as a share of [`TRAIL_MS`].
    pub fn of(&self, thing: ThingKey, now_ms: f64) -> impl Iterator<Item = (Local, f64)> + '_ {
        let passed = self.of.get(&thing).into_iter().flatten();
        passed.map(move |(at, then_ms)| (*at, (now_ms - then_ms) / TRAIL_MS)).filter(|(_, age)| *age < 1.0)
    }

    /// Where a thing heads by its last two places: 0–99 in steps of 3.6 degrees from north, clockwise.
    pub fn heading(&self, thing: ThingKey) -> Option<u8> {
        let trail = self.of.get(&thing)?;
        let (last, _) = trail.back()?;
        let (before, _) = trail.get(trail.len().checked_sub(2)?)?;
        // y grows southwards.
        let turn = (last.x - before.x).atan2(before.y - last.y) / TAU;
        Some((turn * HEADINGS).round().rem_euclid(HEADINGS) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUS: ThingKey = ThingKey(1);

    fn at(x: f64, y: f64) -> Local {
        Local { x: x * 1e-6, y: y * 1e-6 }
    }

    #[test]
    fn a_trail_is_where_it_was_in_the_last_minutes() {
        let mut trails = Trails::default();
        trails.passes(BUS, at(0.0, 0.0), 0.0);
        trails.passes(BUS, at(0.0, 0.01), 1_000.0);
        trails.passes(BUS, at(1.0, 0.0), 150_000.0);
        let seen = |trails: &Trails, now_ms| trails.of(BUS, now_ms).map(|(_, age)| age).collect::<Vec<_>>();
        assert_eq!(seen(&trails, 150_000.0), [0.5, 0.0], "what is two metres away is the same place");
        assert_eq!(seen(&trails, 310_000.0).len(), 1);
        trails.passes(BUS, at(500.0, 0.0), 151_000.0);
        assert_eq!(seen(&trails, 151_000.0), [0.0], "it was taken elsewhere");
        for n in 0..200 {
            trails.passes(BUS, at(500.0 + f64::from(n), 0.0), 151_000.0);
        }
        assert_eq!(seen(&trails, 151_000.0).len(), PLACES_MAX);
        trails.passes(BUS, at(0.0, 0.0), 151_000.0 + 2.0 * TRAIL_MS);
        assert_eq!(seen(&trails, 151_000.0 + 2.0 * TRAIL_MS), [0.0], "nobody saw which way it came");
        assert_eq!(trails.heading(BUS), None);
        trails.forget(BUS);
        assert_eq!(seen(&trails, 151_000.0), [] as [f64; 0]);
    }

    #[test]
    fn things_that_are_seen_no_more_make_room_for_others() {
        let mut trails = Trails::default();
        for key in 0..u32::try_from(TRAILS_MAX).unwrap() {
            trails.passes(ThingKey(key), at(0.0, 0.0), 0.0);
        }
        let late = ThingKey(900_000);
        trails.passes(late, at(0.0, 0.0), 1_000.0);
        assert_eq!(trails.of(late, 1_000.0).count(), 0, "there is no room");
        trails.passes(late, at(0.0, 0.0), TRAIL_MS);
        assert_eq!(trails.of(late, TRAIL_MS).count(), 1);
        trails.keep(|thing| thing == late);
        assert_eq!(trails.of.len(), 1);
    }

    #[test]
    fn it_heads_from_its_last_place_but_one_to_its_last() {
        for (x, y, want) in [(0.0, -1.0, 0), (1.0, 0.0, 25), (0.0, 1.0, 50), (-1.0, 0.0, 75), (-0.001, -1.0, 0)] {
            let mut trails = Trails::default();
            trails.passes(BUS, at(0.0, 0.0), 0.0);
            assert_eq!(trails.heading(BUS), None, "it has not moved yet");
            trails.passes(BUS, at(x, y), 1_000.0);
            assert_eq!(trails.heading(BUS), Some(want), "{x} {y}");
        }
    }

    #[test]
    fn there_are_no_more_trails_than_can_be_looked_at() {
        let mut trails = Trails::default();
        for n in 0..3_000 {
            trails.passes(ThingKey(n), at(0.0, 0.0), 0.0);
        }
        assert_eq!(trails.of.len(), TRAILS_MAX);
    }
}
