//! Silence, and whose it is: of a thing whose gateway is silent only the gateway's alarm is raised.
//!
//! A thing that falls silent is told of once its gateway is known to live: when the gateway spoke after the thing should have. A dead
//! gateway does not speak, so what stands behind it waits until the gateway itself is called silent, and is then told of by that one
//! alarm. What was raised while the gateway lived stays: the gateway was not its cause. When the gateway speaks again, what stands
//! behind it has its usual time before it is called silent itself.

use std::collections::BTreeSet;

use fleetlens_model::alarm::{Condition, duration};
use fleetlens_model::freshness::{Freshness, Presence, limit_ms};
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::Write;
use fleetlens_model::time::{MonoMs, Now};

use crate::fleet::{Effects, Fleet, Thing, interval_ms};

/// Gateways behind gateways that are followed; a longer chain is a mistake, and then everybody speaks for themselves.
const GATEWAYS_DEEP: usize = 8;

/// What stands behind a gateway. There is one only while something does: who describes things may name as many as they like.
#[derive(Debug, Default)]
pub(in crate::fleet) struct Carried {
    /// How many things are described as standing behind it.
    things: usize,
    silent: BTreeSet<ThingKey>,
}

/// Whose silence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The thing's own.
    Its,
    /// Its gateway's, which is told of.
    Gateways,
    /// Not known yet.
    Unclear,
}

impl Fleet {
    /// Lets silence timers run out.
    pub(in crate::fleet) fn fall_silent(&mut self, now: Now, effects: &mut Effects) {
        let things = self.things.values_mut();
        let fell = things
            .filter_map(|thing| thing.silence.fell_silent(interval_ms(&thing.meta.common), now).then_some(thing.key));
        for key in fell.collect::<Vec<_>>() {
            effects.writes.push(Write::Silent { thing: key, silent: true });
            self.dirty.things.insert(key);
            self.forget_delays(key, now, effects);
            self.judge_unspoken(key, now, effects);
            self.watch.undecided.insert(key);
            self.count_silent(key);
        }
    }

    /// A thing spoke that had been silent.
    pub(in crate::fleet) fn speaks_again(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        effects.writes.push(Write::Silent { thing: key, silent: false });
        self.watch.undecided.remove(&key);
        self.count_silent(key);
        let Some(thing) = self.things.get(&key) else { return };
        if let Some(carried) = self.watch.carried.get(thing.name.as_str()) {
            self.watch.back.insert(key, now.mono);
            self.watch.undecided.extend(&carried.silent);
        }
        if let Some(rule) = self.rules.silent(thing.ruled).cloned() {
            self.clear(key, &rule, now, effects);
        }
    }

    /// A thing is new, or is described like this from now on.
    pub(in crate::fleet) fn carry(&mut self, key: ThingKey) {
        let Some(thing) = self.things.get(&key) else { return };
        if !thing.meta.gateway.is_empty() {
            self.watch.carried.entry(thing.meta.gateway.to_string()).or_default().things += 1;
        }
        self.count_silent(key);
    }

    /// A thing is about to be described otherwise: it may stand behind another gateway then, and other rules may speak of it.
    pub(in crate::fleet) fn uncarry(&mut self, key: ThingKey) {
        self.forget_pending_of(key);
        let Some(thing) = self.things.get(&key) else { return };
        let (silent, gateway) = (is_silent(thing), thing.meta.gateway.clone());
        if let Some(carried) = self.watch.carried.get_mut(gateway.as_str()) {
            let was_silent = carried.silent.remove(&key);
            carried.things -= 1;
            if carried.things == 0 {
                self.watch.carried.remove(gateway.as_str());
            }
            if was_silent {
                self.show_mutes(&gateway);
            }
        }
        if silent {
            self.watch.undecided.insert(key);
        }
    }

    /// Everything that is silent may have to be told of, e.g. after a start with other rules.
    pub(super) fn doubt_silence(&mut self) {
        let silent = self.things.values().filter(|thing| is_silent(thing)).map(|thing| thing.key);
        for key in silent.collect::<Vec<_>>() {
            self.watch.undecided.insert(key);
            self.count_silent(key);
        }
    }

    /// How many silent things stand behind a silent gateway.
    pub(crate) fn mutes(&self, thing: &Thing) -> u32 {
        let carried = self.watch.carried.get(thing.name.as_str()).filter(|_| is_silent(thing));
        carried.map_or(0, |carried| u32::try_from(carried.silent.len()).unwrap_or(u32::MAX))
    }

    /// Raises the silence of those of which it is known by now that it is theirs.
    pub(super) fn decide_silence(&mut self, now: Now, effects: &mut Effects) {
        let mut undecided = std::mem::take(&mut self.watch.undecided);
        undecided.retain(|key| {
            let Some(thing) = self.things.get(key).filter(|thing| is_silent(thing)) else { return false };
            match self.whose_silence(thing, now) {
                Whose::Gateways => false,
                Whose::Unclear => true,
                Whose::Its => {
                    self.raise_silence(*key, now, effects);
                    false
                }
            }
        });
        self.watch.undecided.append(&mut undecided);
    }

    fn raise_silence(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let Some(rule) = self.rules.silent(thing.ruled).cloned() else { return };
        let sentence = if thing.silence.presence() == Some(Presence::Gone) {
            "it is gone: it said goodbye, or whoever watches over it says so".into()
        } else {
            let interval_ms = interval_ms(&thing.meta.common);
            format!("no word for more than {}, speaks every {}", duration(limit_ms(interval_ms)), duration(interval_ms))
        };
        self.raise(key, &rule, sentence, now, effects);
    }

    fn whose_silence(&self, thing: &Thing, now: Now) -> Whose {
        let (Some(gateway), Some(up)) = (self.gateway_of(thing), self.up_since) else { return Whose::Its };
        if is_silent(gateway) {
            return if self.is_told_of(gateway, thing.key) { Whose::Gateways } else { Whose::Its };
        }
        let interval_ms = interval_ms(&thing.meta.common);
        let grace = self.watch.back.get(&gateway.key).map(|back| up.max(*back).plus(limit_ms(interval_ms)));
        let should_have_spoken = thing.heard.map_or(up, |heard| up.max(heard.plus(interval_ms)));
        let lives = gateway.heard.is_some_and(|heard: MonoMs| heard >= should_have_spoken);
        if lives && grace.is_none_or(|end| now.mono >= end) { Whose::Its } else { Whose::Unclear }
    }

    /// Whether the silence of a silent gateway is told of, by itself or by one that it stands behind. Gateways that stand behind each
    /// other in a circle explain nothing.
    fn is_told_of(&self, gateway: &Thing, behind: ThingKey) -> bool {
        let mut told = gateway;
        for _ in 0..GATEWAYS_DEEP {
            match self.gateway_of(told).filter(|gateway| is_silent(gateway)) {
                None => return true,
                Some(next) if next.key == behind => return false,
                Some(next) => told = next,
            }
        }
        false
    }

    /// The gateway that carries a thing, if there is one that has ever spoken and whose silence a rule speaks of.
    fn gateway_of(&self, thing: &Thing) -> Option<&Thing> {
        let key = self.by_name.get(&thing.meta.gateway)?;
        let gateway = self.things.get(key).filter(|gateway| gateway.key != thing.key)?;
        let ruled = self.rules.silent(gateway.ruled).is_some();
        (ruled && gateway.silence.last_heard().is_some()).then_some(gateway)
    }

    /// Keeps the count of silent things behind the thing's gateway, and the gateway's alarm, which shows it.
    fn count_silent(&mut self, key: ThingKey) {
        let Some(thing) = self.things.get(&key) else { return };
        let Some(carried) = self.watch.carried.get_mut(thing.meta.gateway.as_str()) else { return };
        let changed = if is_silent(thing) { carried.silent.insert(key) } else { carried.silent.remove(&key) };
        if changed {
            self.show_mutes(&thing.meta.gateway.clone());
        }
    }

    /// The rows of a gateway's alarms say how many stand behind it.
    fn show_mutes(&mut self, gateway: &str) {
        let gateway = self.by_name.get(gateway).and_then(|key| self.things.get(key));
        if let Some(gateway) = gateway.filter(|gateway| !gateway.alarms.is_empty()) {
            self.dirty.alarms.extend(&gateway.alarms);
            self.dirty.things.insert(gateway.key);
        }
    }

    /// Whether an alarm's rule is about silence.
    pub(crate) fn is_about_silence(&self, rule: &str) -> bool {
        self.rules.named(rule).is_some_and(|rule| rule.condition == Condition::Silent)
    }
}

fn is_silent(thing: &Thing) -> bool {
    matches!(thing.silence.freshness(), Freshness::Silent { .. })
}

#[cfg(test)]
mod tests {
    use crate::fleet::tests::{at, fleet, give, meta};

    #[test]
    fn a_thing_that_names_one_gateway_after_another_is_remembered_behind_the_last() {
        let mut fleet = fleet();
        for thing in ["l1", "l2"] {
            for gateway in 0..1_000 {
                give(&mut fleet, meta("lamp", thing, &format!(r#"{{"gateway":"gw-{gateway}"}}"#)), at(1));
            }
        }
        let carried = |fleet: &crate::fleet::Fleet| -> Vec<(String, usize)> {
            fleet.watch.carried.iter().map(|(name, carried)| (name.clone(), carried.things)).collect()
        };
        assert_eq!(carried(&fleet), [("gw-999".to_string(), 2)]);
        give(&mut fleet, meta("lamp", "l1", r#"{"gateway":"l2"}"#), at(2));
        give(&mut fleet, meta("lamp", "l2", "{}"), at(2));
        assert_eq!(carried(&fleet), [("l2".to_string(), 1)]);
    }
}
