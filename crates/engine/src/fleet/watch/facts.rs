//! What a condition may ask of a thing, answered from what the fleet knows.

use fleetlens_model::alarm::Rule;
use fleetlens_model::alarm::rhythm::Usual;
use fleetlens_model::expression::{Facts, Memory, Name, Said, Silence, Whereabouts, Word, Words};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::{MonoMs, Now};

use super::Asked;
use crate::fleet::rules::when;
use crate::fleet::{Fleet, Series, Thing};

/// One look at a thing for one condition.
pub(super) struct Look<'a> {
    pub fleet: &'a Fleet,
    pub thing: &'a Thing,
    /// What the condition names, in the order of [`fleetlens_model::expression::Needs::names`].
    pub names: &'a [Name],
    /// Which of them the thing has.
    pub asked: &'a [Asked],
    /// What is remembered of it.
    pub memory: &'a Memory,
    pub now: Now,
}

impl Look<'_> {
    fn series(&self, nth: usize) -> Option<SeriesKey> {
        self.asked.iter().find(|asked| usize::from(asked.nth) == nth).map(|asked| asked.series)
    }
}

impl Facts for Look<'_> {
    fn word(&self, nth: usize) -> Word<'_> {
        let Some(series) = self.series(nth) else {
            // Nobody has heard of it until the thing has spoken since our link is up.
            return if self.fleet.has_spoken(self.thing) { Word::Never } else { Word::Unheard };
        };
        let said = match self.names.get(nth) {
            Some(Name::Level) => {
                let said = self.fleet.heard_now(series).and_then(|value| value.as_number());
                said.and_then(|said| level_pct(self.thing, said)).map(Said::Number)
            }
            Some(Name::Value(_) | Name::Input(..) | Name::Variable(_)) | None => {
                self.fleet.heard_now(series).map(|value| match value {
                    Value::Number(number) => Said::Number(number),
                    Value::Flag(flag) => Said::Flag(flag),
                    Value::Text(text) => Said::Text(text.into()),
                })
            }
        };
        said.map_or(Word::Unheard, Word::Said)
    }

    fn unsaid_ms(&self, nth: usize) -> Option<u64> {
        let up = self.fleet.up_since?;
        let said = self.series(nth).and_then(|series| self.fleet.series.get(&series)?.received());
        Some(self.now.mono.since(said.map_or(up, |said| said.max(up))))
    }

    fn silence(&self) -> Option<Silence> {
        let is_silent = match self.thing.silence.freshness() {
            Freshness::Silent { .. } => true,
            Freshness::Live => false,
            Freshness::Never | Freshness::Unknown { .. } => return None,
        };
        let quiet_ms = self.thing.silence.quiet_ms(self.now);
        Some(Silence { quiet_ms, is_silent, has_spoken: self.fleet.has_spoken(self.thing) })
    }

    fn not_converged_ms(&self) -> Option<u64> {
        self.fleet.not_converged_ms(self.thing, self.now)
    }

    fn is_inside(&self, nth: usize) -> Whereabouts {
        self.fleet.whereabouts(self.thing, self.memory, nth)
    }

    fn command_failed(&self) -> Option<bool> {
        Some(self.fleet.has_failed_command(self.thing, self.now))
    }

    fn usual(&self, nth: usize) -> Option<Usual> {
        self.fleet.usual(self.thing, self.names.get(nth), self.series(nth)?)
    }
}

impl Fleet {
    /// What was seen of a thing that made a rule's condition so, or why nobody knows; empty for a rule that has none.
    pub(super) fn seen(&self, key: ThingKey, rule: &Rule, now: Now) -> String {
        let Some(thing) = self.things.get(&key) else { return String::new() };
        let (Some(when), Some(at)) = (when(rule), self.rules.place(&rule.id)) else {
            return self.detector_sentence(thing, rule).unwrap_or_default();
        };
        let names = when.expression.needs().names;
        let asked: Vec<Asked> = thing.judged.2.iter().filter(|asked| asked.rule == at).copied().collect();
        let none = Memory::none();
        let memory = self.memory(key, at).unwrap_or(&none);
        let look = Look { fleet: self, thing, names, asked: &asked, memory, now };
        let words: Vec<Words<'_>> = names.iter().map(|name| self.words(thing, name)).collect();
        match when.expression.is_so(memory, &look, 0.0, now) {
            Err(unknown) => when.expression.why(unknown),
            Ok(_) => when.expression.sentence(memory, &look, &words, rule.terms.on_delay_ms, now),
        }
    }

    /// A value with what it is called: `temp 82 °C`; `None` of one that was not said since our link is up.
    pub(super) fn said_in_words(&self, thing: &Thing, pointer: &str) -> Option<String> {
        let value = self.heard_now(thing.series.get(pointer, &self.series)?)?;
        let name = Name::Value(pointer.to_owned());
        let Words { label, unit, decimals } = self.words(thing, &name);
        let said = match &value {
            Value::Number(number) => format!("{number:.*}", usize::from(decimals.unwrap_or_else(|| value.decimals()))),
            Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Value::Text(text) => text.clone(),
        };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Some(format!("{} {said}{unit}", label.to_lowercase()))
    }

    /// How a value is called and written.
    pub(super) fn words<'a>(&self, thing: &'a Thing, name: &'a Name) -> Words<'a> {
        let pointer = match name {
            Name::Value(pointer) => pointer.as_str(),
            Name::Level | Name::Input(..) | Name::Variable(_) => {
                return Words { label: "level", unit: "%", decimals: Some(0) };
            }
        };
        let common = &thing.meta.common;
        Words {
            label: common.label(pointer).unwrap_or_else(|| pointer.strip_prefix('/').unwrap_or(pointer)),
            unit: common.unit(pointer),
            decimals: common.kind.field(pointer).map(|field| field.decimals),
        }
    }

    /// The latest value of a series, if it was said since our link is up.
    pub(super) fn heard_now(&self, series: SeriesKey) -> Option<Value> {
        self.series.get(&series).filter(|series| self.is_heard(series))?.value()
    }

    /// As [`Fleet::heard_now`], also while our link is coming up.
    pub(super) fn heard_or_coming(&self, series: SeriesKey) -> Option<Value> {
        let is_heard = |series: &&Series| self.is_since(series.received(), self.coming_since());
        self.series.get(&series).filter(is_heard)?.value()
    }

    /// Whether a series was said since our link is up.
    pub(super) fn is_heard(&self, series: &Series) -> bool {
        self.is_since(series.received(), self.heard_since())
    }

    /// Whether a thing has spoken since our link is up.
    pub(super) fn has_spoken(&self, thing: &Thing) -> bool {
        self.is_since(thing.heard, self.heard_since())
    }

    fn is_since(&self, heard: Option<MonoMs>, since: Option<MonoMs>) -> bool {
        // What came in the very moment of the loss came through the connection before.
        let is_of_before = |heard: MonoMs| self.lost.is_some_and(|lost| heard <= lost);
        heard.zip(since).is_some_and(|(heard, since)| heard >= since && !is_of_before(heard))
    }
}

/// How full a thing is that said this number of it, 0–100 %: how much of a car park is taken, how much of a bin.
pub(super) fn level_pct(thing: &Thing, said: f64) -> Option<f64> {
    let level = match thing.meta.common.kind {
        Kind::Parking => {
            let capacity = f64::from(thing.meta.common.capacity.filter(|capacity| *capacity > 0)?);
            100.0 - 100.0 * said / capacity
        }
        Kind::Bin => said,
        Kind::Lamp | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => return None,
    };
    Some(level.clamp(0.0, 100.0))
}
