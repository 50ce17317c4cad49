//! What a birth says of a thing's metrics, and what data says by it.

use std::collections::BTreeMap;

use fleetlens_model::shadow::pointer_of;
use fleetlens_model::telemetry::{Quality, Value};
use fleetlens_model::time::WallMs;

use super::SparkplugError;
use super::control::{self, Writable};
use super::datatype::Datatype;
use super::payload::{Carried, Metric, Payload, PropertyCarried, moment};
use crate::WireError;
use crate::meta::words;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::{About, Steering, Telemetry, VALUES_MAX, check_length};

/// The number of a node's connection, in its NBIRTH and NDEATH (section 6.4.19).
pub(super) const BD_SEQ: &str = "bdSeq";

/// What a node is told by the protocol itself (section 4.2.1): no values, and nothing that people set.
pub(super) const NODE_CONTROL: &str = "Node Control/";

/// The names, aliases and types of a thing's metrics since its birth. An alias is looked for among the metrics of the thing whose message
/// it is; that no other thing of the node has it, as must be (section 6.4.6), makes no difference then and is not checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Birth {
    /// Sorted by name.
    metrics: Box<[Known]>,
    /// Alias and place in `metrics`, sorted.
    aliases: Box<[(u64, usize)]>,
}

/// A metric of a birth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) name: Box<str>,
    pub(super) alias: Option<u64>,
    pub(super) datatype: Datatype,
    pub(super) writable: bool,
}

impl Birth {
    /// Reads the metrics of an NBIRTH or DBIRTH, and what they say of the thing: units and controls.
    pub(super) fn read(payload: &Payload, writable: &Writable) -> Result<(Birth, About), WireError> {
        if payload.metrics.len() > VALUES_MAX {
            return Err(WireError::TooMany { max: VALUES_MAX });
        }
        let mut metrics = Vec::with_capacity(payload.metrics.len());
        let (mut units, mut controls) = (Vec::new(), Vec::new());
        for metric in &payload.metrics {
            let mut known = Known::read(metric)?;
            let pointer = known.pointer();
            check_length(&pointer)?;
            if !known.is_own() {
                if let Some(PropertyCarried::Text(unit)) = metric.said("engUnit") {
                    let unit = words(unit);
                    if !unit.is_empty() {
                        units.push((pointer.clone(), unit));
                    }
                }
                let control = writable.allows(metric, &known.name).then(|| control::of(&known, pointer, metric));
                if let Some(control) = control.flatten() {
                    known.writable = true;
                    controls.push(control);
                }
            }
            metrics.push(known);
        }
        metrics.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some((twice, _)) = metrics.iter().zip(metrics.iter().skip(1)).find(|(a, b)| a.name == b.name) {
            return Err(WireError::Twice { pointer: quote(&twice.pointer(), QUOTE_MAX_CHARS) });
        }
        let mut aliases: Vec<(u64, usize)> =
            metrics.iter().enumerate().filter_map(|(at, known)| Some((known.alias?, at))).collect();
        aliases.sort_unstable();
        if let Some(((alias, _), _)) = aliases.iter().zip(aliases.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
            return Err(SparkplugError::AliasTwice { alias: *alias }.into());
        }
        let steering = Steering { convention: super::WORD, controls };
        let about = About { units, steering: Some(steering), ..About::default() };
        Ok((Birth { metrics: metrics.into(), aliases: aliases.into() }, about))
    }

    /// What the metrics of a message say of their thing. Where `certain` is not set, only names are believed.
    pub(super) fn say(&self, thing: &str, payload: &Payload, certain: bool) -> Result<Vec<Telemetry>, WireError> {
        let mut saying = Saying::default();
        for metric in &payload.metrics {
            let (at, known) = self.find(metric, certain)?;
            saying.take(at, known, metric, payload.sent)?;
        }
        Ok(saying.told(thing))
    }

    /// The metric of a pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Known> {
        self.metrics.iter().find(|known| known.pointer() == pointer)
    }

    /// Whether it has aliases: then commands go by them, and are right only while they are certain.
    pub(super) fn has_aliases(&self) -> bool {
        !self.aliases.is_empty()
    }

    /// Whether it names nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    /// Memory it takes, in bytes, near enough.
    pub(super) fn bytes(&self) -> usize {
        let names: usize = self.metrics.iter().map(|known| known.name.len()).sum();
        names + size_of_val(&*self.metrics) + size_of_val(&*self.aliases)
    }

    fn find(&self, metric: &Metric, certain: bool) -> Result<(usize, &Known), SparkplugError> {
        let named = metric.name.as_deref().filter(|name| !name.is_empty());
        let at = match (named, metric.alias) {
            (Some(name), _) => self.metrics.binary_search_by(|known| (*known.name).cmp(name)).ok(),
            (None, Some(alias)) if !certain => return Err(SparkplugError::Uncertain { alias }),
            (None, Some(alias)) => {
                let at = self.aliases.binary_search_by_key(&alias, |(alias, _)| *alias).ok();
                at.and_then(|at| self.aliases.get(at)).map(|(_, at)| *at)
            }
            (None, None) => return Err(SparkplugError::Nameless),
        };
        let known = at.and_then(|at| Some((at, self.metrics.get(at)?)));
        known.ok_or_else(|| match (named, metric.alias) {
            (None, Some(alias)) => SparkplugError::Alias { alias },
            (Some(_) | None, _) => SparkplugError::Metric { name: short(named.unwrap_or_default()) },
        })
    }
}

impl Known {
    fn read(metric: &Metric) -> Result<Known, SparkplugError> {
        let name = metric.name.as_deref().filter(|name| !name.is_empty()).ok_or(SparkplugError::Nameless)?;
        let number = metric.datatype.ok_or_else(|| SparkplugError::Untyped { name: short(name) })?;
        let datatype = Datatype::from_number(number)
            .ok_or_else(|| SparkplugError::Datatype { name: short(name), given: number })?;
        Ok(Known { name: name.into(), alias: metric.alias, datatype, writable: false })
    }

    /// Its place among the values: folders become objects.
    pub(super) fn pointer(&self) -> String {
        pointer_of(self.name.split('/'))
    }

    /// Whether it is the protocol's own and says nothing of the world.
    fn is_own(&self) -> bool {
        *self.name == *BD_SEQ || self.name.starts_with(NODE_CONTROL)
    }

    /// The value that a metric carries of it; `None` where it says none.
    fn value(&self, metric: &Metric) -> Result<Option<Value>, SparkplugError> {
        let name = || short(&self.name);
        let given = metric.datatype.filter(|given| Datatype::from_number(*given) != Some(self.datatype));
        if let Some(given) = given {
            return Err(SparkplugError::Retyped { name: name(), given, born: self.datatype.number() });
        }
        let Some(carried) = metric.value.as_ref().filter(|_| metric.is_null != Some(true) && !self.is_own()) else {
            return Ok(None);
        };
        let datatype = self.datatype.word();
        self.datatype.read(carried).map_err(|given| SparkplugError::Value { name: name(), given, datatype })
    }
}

/// The values of a message, by their times: each metric has its own.
#[derive(Default)]
struct Saying {
    /// By time and whether they are old; a metric that is there several times in one moment changed in between, and its values are
    /// told one after the other (section 6.4.21: metrics are an ordered list of changes).
    told: BTreeMap<Moment, Vec<(String, Value)>>,
    /// How often a metric was there at a time.
    times: BTreeMap<(Option<WallMs>, bool, usize), usize>,
}

type Moment = (Option<WallMs>, bool, usize);

impl Saying {
    fn take(&mut self, at: usize, known: &Known, metric: &Metric, sent: Option<WallMs>) -> Result<(), SparkplugError> {
        let value = known.value(metric)?;
        let own_time = moment(metric.timestamp)?;
        if metric.is_historical == Some(true) && own_time.is_none() {
            return Err(SparkplugError::Undated { name: short(&known.name) });
        }
        let (Some(value), Some(quality)) = (value, quality(metric)) else { return Ok(()) };
        let (claimed, stale) = (own_time.or(sent), quality == Quality::Stale);
        let before = self.times.entry((claimed, stale, at)).or_default();
        self.told.entry((claimed, stale, *before)).or_default().push((known.pointer(), value));
        *before += 1;
        Ok(())
    }

    fn told(self, thing: &str) -> Vec<Telemetry> {
        let told = self.told.into_iter().map(|((claimed, stale, _), mut values)| {
            values.sort_by(|(a, _), (b, _)| a.cmp(b));
            let quality = if stale { Quality::Stale } else { Quality::Good };
            Telemetry { thing: Some(thing.to_owned()), claimed, values, quality, ..Telemetry::default() }
        });
        told.collect()
    }
}

/// What the metric's `Quality` says (section 6.4.9.1): without one, and with 192, it is good; with 500 its value is an old one; with
/// 0, BAD, or a code that the specification does not know, there is no value that anybody vouches for.
fn quality(metric: &Metric) -> Option<Quality> {
    match metric.said("Quality") {
        None | Some(PropertyCarried::Int(192)) => Some(Quality::Good),
        Some(PropertyCarried::Int(500)) => Some(Quality::Stale),
        Some(
            PropertyCarried::Int(_)
            | PropertyCarried::Long(_)
            | PropertyCarried::Float(_)
            | PropertyCarried::Double(_)
            | PropertyCarried::Boolean(_)
            | PropertyCarried::Text(_),
        ) => None,
    }
}

/// The connection that a birth or death of a node belongs to, where it says so.
pub(super) fn bd_seq(payload: &Payload) -> Option<u64> {
    let metric = payload.metrics.iter().find(|metric| metric.name.as_deref() == Some(BD_SEQ))?;
    match metric.value.as_ref()? {
        Carried::Int(n) => Some(u64::from(*n)),
        Carried::Long(n) => Some(*n),
        Carried::Float(_) | Carried::Double(_) | Carried::Boolean(_) | Carried::Text(_) | Carried::Bytes(_) => None,
    }
}

/// The beginning of a stranger's name.
fn short(name: &str) -> String {
    quote(name, QUOTE_MAX_CHARS)
}
