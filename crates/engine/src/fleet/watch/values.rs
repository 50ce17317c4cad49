//! Values against limits.

use std::sync::Arc;

use fleetlens_model::alarm::{Condition, Measure, Rule, Seen, Turn, Verdict, Wait, turn};
use fleetlens_model::id::{SeriesKey, ThingKey};
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
        let Some(thing) = self.things.get_mut(&key) else { return };
        let (described, series) = (thing.described, u32::try_from(thing.series.len()).unwrap_or(u32::MAX));
        if (thing.judged.0, thing.judged.1) != (described, series) {
            let rules = self.rules.values(thing.meta.common.kind);
            let of_rule =
                |at: &RuleAt| Some((*at, thing.series.get(pointer(self.rules.at(*at)?, thing)?, &self.series)?));
            let judged: Vec<(RuleAt, SeriesKey)> = rules.iter().filter_map(of_rule).collect();
            // None is no memory, and most have none.
            let judged = if judged.is_empty() { Arc::default() } else { judged.into() };
            thing.judged = (described, series, judged);
        }
        if thing.judged.2.is_empty() {
            return;
        }
        let judged = Arc::clone(&thing.judged.2);
        for (at, series) in judged.iter() {
            self.judge_series(key, *at, *series, now, effects);
        }
    }

    fn judge_value(&mut self, key: ThingKey, at: RuleAt, now: Now, effects: &mut Effects) {
        let (Some(thing), Some(rule)) = (self.things.get(&key), self.rules.at(at)) else { return };
        if let Some(series) = pointer(rule, thing).and_then(|pointer| thing.series.get(pointer, &self.series)) {
            self.judge_series(key, at, series, now, effects);
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

    fn judge_series(&mut self, key: ThingKey, at: RuleAt, series: SeriesKey, now: Now, effects: &mut Effects) {
        let (Some(thing), Some(rule)) = (self.things.get(&key), self.rules.at(at)) else { return };
        // What nobody has said since the link is up raises and clears nothing, and stops no delay either.
        let Some(verdict) = self.verdict(thing, rule, series) else { return };
        let active = self.open_alarm(thing, &rule.id).is_some_and(|alarm| alarm.active);
        let before = if self.watch.waits.is_empty() { None } else { self.watch.waits.get(&(key, at)).copied() };
        let mut wait = before;
        let turned = turn(active, verdict, &mut wait, on_delay_ms(rule), now.mono);
        if turned.is_none() && wait == before {
            return;
        }
        let sentence = turned.and_then(|_| Some(sentence(rule, &self.measured(thing, rule)?)));
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

    /// What the thing's value says about the rule; `None` where there is none that counts now.
    fn verdict(&self, thing: &Thing, rule: &Rule, series: SeriesKey) -> Option<Option<Verdict>> {
        match &rule.condition {
            Condition::Threshold(threshold) => match &threshold.measure {
                Measure::Value(_) => Some(threshold.judge(&self.heard_now(series)?)),
                Measure::Level => Some(threshold.judge(&Value::Number(self.level_pct(thing)?))),
            },
            Condition::Equals(equals) => Some(equals.judge(&self.heard_now(series)?)),
            Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => None,
        }
    }

    /// The same with the words for it.
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
        let field = thing.meta.common.kind.field(pointer);
        let value = self.said_now(thing, pointer)?;
        Some(Measured {
            label: thing.meta.common.label(pointer).unwrap_or_else(|| pointer.strip_prefix('/').unwrap_or(pointer)),
            unit: thing.meta.common.unit(pointer),
            decimals: field.map_or_else(|| value.decimals(), |field| field.decimals),
            value,
        })
    }

    /// The latest value at a pointer, if it was said since our link is up.
    fn said_now(&self, thing: &Thing, pointer: &str) -> Option<Value> {
        self.heard_now(thing.series.get(pointer, &self.series)?)
    }

    fn heard_now(&self, series: SeriesKey) -> Option<Value> {
        let series = self.series.get(&series)?;
        let up = self.up_since?;
        series.received().filter(|received| *received >= up)?;
        series.value()
    }

    /// How full a thing is, 0–100 %, as said since our link is up.
    fn level_pct(&self, thing: &Thing) -> Option<f64> {
        let number =
            self.said_now(thing, level_pointer(thing.meta.common.kind)?).and_then(|value| value.as_number())?;
        let level = match thing.meta.common.kind {
            Kind::Parking => {
                let capacity = f64::from(thing.meta.common.capacity.filter(|capacity| *capacity > 0)?);
                100.0 - 100.0 * number / capacity
            }
            Kind::Bin => number,
            Kind::Lamp | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => return None,
        };
        Some(level.clamp(0.0, 100.0))
    }
}

/// Where the value stands that a rule looks at, of a thing of this kind.
fn pointer<'a>(rule: &'a Rule, thing: &Thing) -> Option<&'a str> {
    match &rule.condition {
        Condition::Threshold(threshold) => match &threshold.measure {
            Measure::Value(pointer) => Some(pointer),
            Measure::Level => level_pointer(thing.meta.common.kind),
        },
        Condition::Equals(equals) => Some(&equals.pointer),
        Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => None,
    }
}

/// Where a thing of this kind says how full it is.
fn level_pointer(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Parking => Some("/free"),
        Kind::Bin => Some("/fill_pct"),
        Kind::Lamp | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => None,
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
