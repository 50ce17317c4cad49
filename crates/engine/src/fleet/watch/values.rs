//! Values against limits.

use std::sync::Arc;

use fleetlens_model::alarm::{Condition, Measure, Rule, Seen, Turn, Verdict, Wait, turn};
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::Now;

use crate::fleet::rules::RuleAt;
use crate::fleet::{Effects, Fleet, Thing};

/// What a rule looks at: the value, its name, unit and digits.
struct Measured<'a> {
    value: Value,
    label: &'a str,
    unit: &'a str,
    decimals: u8,
}

impl Fleet {
    /// A thing said something: what the rules make of its values. A message that brought no newer value changes nothing.
    pub(in crate::fleet) fn judge_values(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        for at in self.rules.values(thing.meta.kind).iter() {
            self.judge_value(key, *at, now, effects);
        }
    }

    /// On-delays whose time is up.
    pub(super) fn end_waits(&mut self, now: Now, effects: &mut Effects) {
        while self.watch.due.first().is_some_and(|(at, _, _)| *at <= now.mono) {
            let Some((_, key, at)) = self.watch.due.pop_first() else { return };
            self.judge_value(key, at, now, effects);
        }
    }

    /// The thing fell silent, or is something else now: what it said last is no longer known to be so without a break.
    pub(super) fn forget_waits(&mut self, key: ThingKey) {
        let of_thing = (key, RuleAt::MIN)..=(key, RuleAt::MAX);
        let gone: Vec<RuleAt> = self.watch.waits.range(of_thing).map(|((_, at), _)| *at).collect();
        for at in gone {
            self.set_wait(key, at, None);
        }
    }

    /// Keeps the list of what is due in step with the delays.
    fn set_wait(&mut self, key: ThingKey, at: RuleAt, wait: Option<Wait>) {
        let on_delay_ms = self.rules.at(at).map_or(0, |rule| on_delay_ms(rule));
        let before = match wait {
            Some(wait) => self.watch.waits.insert((key, at), wait),
            None => self.watch.waits.remove(&(key, at)),
        };
        if let Some(over) = before.and_then(|wait| wait.over_at(on_delay_ms)) {
            self.watch.due.remove(&(over, key, at));
        }
        if let Some(over) = wait.and_then(|wait| wait.over_at(on_delay_ms)) {
            self.watch.due.insert((over, key, at));
        }
    }

    fn judge_value(&mut self, key: ThingKey, at: RuleAt, now: Now, effects: &mut Effects) {
        let (Some(thing), Some(rule)) = (self.things.get(&key), self.rules.at(at)) else { return };
        // What nobody has said since the link is up raises and clears nothing, and stops no delay either.
        let Some(measured) = self.measured(thing, rule) else { return };
        let active = self.open_alarm(thing, &rule.id).is_some_and(|alarm| alarm.active);
        let before = self.watch.waits.get(&(key, at)).copied();
        let mut wait = before;
        let turned = turn(active, verdict(rule, &measured.value), &mut wait, on_delay_ms(rule), now.mono);
        let sentence = turned.map(|_| sentence(rule, &measured));
        let rule: Arc<Rule> = rule.clone();
        if wait != before {
            self.set_wait(key, at, wait);
        }
        match turned {
            Some(Turn::Raised) => self.raise(key, &rule, sentence.unwrap_or_default(), now, effects),
            Some(Turn::Cleared) => self.clear(key, &rule.id, now, effects),
            None => {}
        }
    }

    fn measured<'a>(&self, thing: &'a Thing, rule: &'a Rule) -> Option<Measured<'a>> {
        let pointer = match &rule.condition {
            Condition::Threshold(threshold) => match &threshold.measure {
                Measure::Value(pointer) => pointer,
                Measure::Level => {
                    let value = Value::Number(self.level_pct(thing)?);
                    return Some(Measured { value, label: "", unit: "%", decimals: 0 });
                }
            },
            Condition::Equals(equals) => &equals.pointer,
            Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => {
                return None;
            }
        };
        let field = thing.meta.kind.field(pointer);
        let value = self.said_now(thing, pointer)?;
        Some(Measured {
            value: value.clone(),
            label: thing.meta.label(pointer).unwrap_or_else(|| pointer.strip_prefix('/').unwrap_or(pointer)),
            unit: thing.meta.unit(pointer),
            decimals: field.map_or_else(|| value.decimals(), |field| field.decimals),
        })
    }

    /// The latest value at a pointer, if it was said since our link is up.
    fn said_now(&self, thing: &Thing, pointer: &str) -> Option<&Value> {
        let series = thing.series.get(pointer).and_then(|key| self.series.get(key))?;
        let up = self.up_since?;
        series.received.filter(|received| *received >= up)?;
        series.latest.as_ref().map(|sample| &sample.value)
    }

    /// How full a thing is, 0–100 %, as said since our link is up.
    fn level_pct(&self, thing: &Thing) -> Option<f64> {
        let number = |pointer| self.said_now(thing, pointer).and_then(Value::as_number);
        let level = match thing.meta.kind {
            Kind::Parking => {
                let capacity = f64::from(thing.meta.capacity.filter(|capacity| *capacity > 0)?);
                100.0 - 100.0 * number("/free")? / capacity
            }
            Kind::Bin => number("/fill_pct")?,
            Kind::Lamp | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => return None,
        };
        Some(level.clamp(0.0, 100.0))
    }
}

fn verdict(rule: &Rule, value: &Value) -> Option<Verdict> {
    match &rule.condition {
        Condition::Threshold(threshold) => threshold.judge(value),
        Condition::Equals(equals) => equals.judge(value),
        Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => None,
    }
}

fn on_delay_ms(rule: &Rule) -> u64 {
    match &rule.condition {
        Condition::Threshold(threshold) => threshold.on_delay_ms,
        Condition::Equals(equals) => equals.on_delay_ms,
        Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => 0,
    }
}

fn sentence(rule: &Rule, measured: &Measured<'_>) -> String {
    let Measured { value, label, unit, decimals } = measured;
    let seen = Seen { value, label, unit, decimals: *decimals };
    match &rule.condition {
        Condition::Threshold(threshold) => threshold.sentence(seen),
        Condition::Equals(equals) => equals.sentence(seen),
        Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => {
            String::new()
        }
    }
}
