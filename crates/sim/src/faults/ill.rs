//! One thing with a fault: what it says instead of what it should.

use fleetlens_model::shadow::Object;

use super::mangle::{malformed, nonsense};
use super::{Fault, Spell};
use crate::crew::Moment;
use crate::device::{Device, telemetry};

/// One value in so many is nonsense, one payload in so many malformed, …
const NONSENSE_EACH: i64 = 4;
const MALFORMED_EACH: i64 = 3;
const DUPLICATE_EACH: i64 = 2;
const OUT_OF_ORDER_EACH: i64 = 3;

/// The fault of one thing, and what it has come to.
#[derive(Clone, Debug)]
pub struct Ill {
    fault: Fault,
    spell: Spell,
    /// How many times it has measured.
    count: i64,
    /// What its sensors stick at.
    frozen: Option<Object>,
    /// Payloads it has not sent yet.
    held: Vec<Vec<u8>>,
    /// What it refused last.
    refused: Option<Object>,
}

impl Ill {
    /// Something that has this fault while the spell lasts.
    pub fn new(fault: Fault, spell: Spell) -> Self {
        Self { fault, spell, count: 0, frozen: None, held: Vec::new(), refused: None }
    }

    /// Until when it says and hears nothing, if that is so at `mono_ms`.
    pub fn silent_until(&self, mono_ms: u64) -> Option<u64> {
        match self.fault {
            Fault::Silence | Fault::DeadGateway => self.spell.until(mono_ms),
            Fault::StuckSensor
            | Fault::Nonsense
            | Fault::Malformed
            | Fault::Duplicate
            | Fault::Late
            | Fault::OutOfOrder
            | Fault::Refusal
            | Fault::Slow => None,
        }
    }

    /// Whether it takes its time to obey.
    pub fn is_slow(&self) -> bool {
        self.fault == Fault::Slow
    }

    /// Whether it refuses what it is told.
    pub fn refuses(&self) -> bool {
        self.fault == Fault::Refusal
    }

    /// What it reports when it refuses: the values as they are, and why. Nothing when it has refused this before: every report
    /// makes the service tell it again what is still wanted.
    pub fn refusal(&mut self, wanted: &Object, reported: &Object) -> Option<Object> {
        let wanted: Object = wanted
            .iter()
            .filter(|(name, value)| reported.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if wanted.is_empty() || self.refused.as_ref() == Some(&wanted) {
            return None;
        }
        let names = wanted.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut report: Object =
            wanted.keys().filter_map(|name| Some((name.clone(), reported.get(name)?.clone()))).collect();
        report.insert("refused".into(), format!("{names}: under local control").into());
        self.refused = Some(wanted);
        Some(report)
    }

    /// The payloads that go out, in this order, when `device` has measured now.
    pub fn say(&mut self, device: &Device, now: Moment) -> Vec<Vec<u8>> {
        self.count += 1;
        let is_on = self.spell.is_on(now.mono_ms);
        let each = |every: i64| is_on && self.count % every == 0;
        let mut values = device.values(now.sim_ms);
        let good = |values| telemetry(now.wall_ms, values);
        match self.fault {
            Fault::StuckSensor if is_on => vec![good(self.frozen.get_or_insert(values).clone())],
            Fault::StuckSensor => {
                self.frozen = None;
                vec![good(values)]
            }
            Fault::Nonsense => {
                if each(NONSENSE_EACH) {
                    nonsense(device.kind(), self.count / NONSENSE_EACH, &mut values);
                }
                vec![good(values)]
            }
            Fault::Malformed if each(MALFORMED_EACH) => vec![malformed(&good(values), self.count / MALFORMED_EACH)],
            Fault::Duplicate if each(DUPLICATE_EACH) => vec![good(values); 2],
            Fault::Late if is_on => {
                self.held.push(good(values));
                Vec::new()
            }
            Fault::Late => self.held.drain(..).chain([good(values)]).collect(),
            Fault::OutOfOrder if each(OUT_OF_ORDER_EACH) => {
                self.held.push(good(values));
                Vec::new()
            }
            Fault::OutOfOrder => [good(values)].into_iter().chain(self.held.drain(..)).collect(),
            Fault::Silence
            | Fault::DeadGateway
            | Fault::Malformed
            | Fault::Duplicate
            | Fault::Refusal
            | Fault::Slow => vec![good(values)],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::device::tests::park;
    use crate::dice::Dice;

    const MORNING: i64 = 1_768_345_200_000 + 8 * 3_600_000;
    const INTERVAL_MS: u64 = 30_000;

    /// What a car park with this fault says in an hour: when, and the payload.
    fn hour(fault: Fault, seed: u64) -> Vec<(u64, Vec<u8>)> {
        let device = Device::car_park(park("parking-0001", false), Dice::new(1), INTERVAL_MS);
        let mut ill = Ill::new(fault, Spell::of(fault, "parking-0001", INTERVAL_MS, Dice::new(seed)));
        let mut said = Vec::new();
        for mono_ms in (0..3_600_000).step_by(INTERVAL_MS as usize) {
            let wall_ms = MORNING + mono_ms as i64;
            let now = Moment { mono_ms, wall_ms, sim_ms: wall_ms };
            said.extend(ill.say(&device, now).into_iter().map(|payload| (mono_ms, payload)));
        }
        said
    }

    fn times(said: &[(u64, Vec<u8>)]) -> Vec<i64> {
        let time = |payload: &[u8]| serde_json::from_slice::<Value>(payload).ok()?["ts"].as_i64();
        said.iter().filter_map(|(_, payload)| time(payload)).collect()
    }

    fn free(said: &[(u64, Vec<u8>)]) -> Vec<i64> {
        let free = |payload: &[u8]| serde_json::from_slice::<Value>(payload).ok()?["values"]["free"].as_i64();
        said.iter().filter_map(|(_, payload)| free(payload)).collect()
    }

    #[test]
    fn each_fault_says_its_kind_of_message() {
        let well = hour(Fault::Slow, 1);
        assert_eq!(well.len(), 120);
        assert!(times(&well).windows(2).all(|pair| pair[0] < pair[1]));

        let stuck = free(&hour(Fault::StuckSensor, 1));
        let longest = stuck.chunk_by(|a, b| a == b).map(<[i64]>::len).max().unwrap();
        assert!(longest >= 29 && stuck.len() == 120, "{longest} times the same: {stuck:?}");
        assert!(free(&well).chunk_by(|a, b| a == b).all(|same| same.len() < 29), "the day itself does not stand still");

        let nonsense = free(&hour(Fault::Nonsense, 1));
        let impossible = nonsense.iter().filter(|free| !(0..=100).contains(*free)).count();
        assert_eq!((nonsense.len(), impossible), (120, 30));

        let malformed = hour(Fault::Malformed, 1);
        assert_eq!((malformed.len(), times(&malformed).len()), (120, 80));

        let twice = hour(Fault::Duplicate, 1);
        assert_eq!(twice.len(), 180);
        assert_eq!(twice.windows(2).filter(|pair| pair[0].1 == pair[1].1).count(), 60);

        let late = hour(Fault::Late, 1);
        let age_ms = |(at_ms, payload): &(u64, Vec<u8>)| {
            MORNING + *at_ms as i64 - serde_json::from_slice::<Value>(payload).unwrap()["ts"].as_i64().unwrap()
        };
        assert!(late.iter().filter(|said| age_ms(said) >= 60_000).count() > 5);
        assert!(times(&late).windows(2).all(|pair| pair[0] < pair[1]), "late, and yet in order");

        let mixed = times(&hour(Fault::OutOfOrder, 1));
        assert_eq!(mixed.windows(2).filter(|pair| pair[0] > pair[1]).count(), 39, "the last one is still held");
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        for fault in Fault::ALL {
            assert_eq!(hour(fault, 1), hour(fault, 1), "{fault:?}");
        }
        assert_ne!(hour(Fault::Late, 1), hour(Fault::Late, 2));
    }

    #[test]
    fn what_is_refused_is_reported_as_it_was_with_a_reason_and_once() {
        let mut ill = Ill::new(Fault::Refusal, Spell::of(Fault::Refusal, "a", INTERVAL_MS, Dice::new(1)));
        let reported = json!({"dim_pct": 100, "on": true}).as_object().unwrap().clone();
        let mut refuse = |wanted: Value| ill.refusal(wanted.as_object().unwrap(), &reported).map(Value::Object);
        let refused = json!({"dim_pct": 100, "refused": "dim_pct: under local control"});
        for (wanted, want) in [
            (json!({"on": true}), None),
            (json!({"dim_pct": 40, "on": true}), Some(refused.clone())),
            (json!({"dim_pct": 40}), None),
            (json!({"dim_pct": 50}), Some(refused)),
            (json!({"colour": "red"}), Some(json!({"refused": "colour: under local control"}))),
        ] {
            assert_eq!(refuse(wanted.clone()), want, "{wanted}");
        }
    }
}
