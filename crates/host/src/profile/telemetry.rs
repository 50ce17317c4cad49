//! The part of a profile that says how telemetry is recognised and read. docs/guide/profiles.md describes every key.

use std::collections::BTreeMap;

use fleetlens_engine::config::TelemetryRule;
use fleetlens_engine::wire::pointer::Pointer;
use fleetlens_engine::wire::telemetry::{Fact, Reading, Shape, Use, Whose};
use fleetlens_engine::wire::template::Template;
use fleetlens_engine::wire::time::Zone;
use fleetlens_model::kind::Kind;
use serde::Deserialize;
use toml::Spanned;

use super::{Mistake, pointer, template};

/// The longest interval, in seconds: what speaks less often than once a week is not watched by listening.
const INTERVAL_MAX_S: u32 = 7 * 86_400;

/// A `[[telemetry]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTelemetry {
    template: Spanned<String>,
    shape: Option<Spanned<Shape>>,
    value: Option<Spanned<String>>,
    list: Option<Spanned<String>>,
    envelope: Option<Spanned<String>>,
    time: Option<Spanned<String>>,
    zone: Option<Spanned<String>>,
    thing: Option<Spanned<String>>,
    kind: Option<Kind>,
    interval_s: Option<Spanned<u32>>,
    lat: Option<Spanned<String>>,
    lon: Option<Spanned<String>>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    describe: WrittenDescription,
    meta: Option<Spanned<String>>,
}

/// Values that describe the thing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDescription {
    name: Option<Spanned<String>>,
    street: Option<Spanned<String>>,
    area: Option<Spanned<String>>,
    lat: Option<Spanned<String>>,
    lon: Option<Spanned<String>>,
    capacity: Option<Spanned<String>>,
    capacity_accessible: Option<Spanned<String>>,
    capacity_charging: Option<Spanned<String>>,
}

/// The rules, and the retained descriptions they name, each once.
pub(super) fn rules(written: &[WrittenTelemetry]) -> Result<(Vec<TelemetryRule>, Vec<Template>), Mistake> {
    let mut rules = Vec::with_capacity(written.len());
    let mut meta = Vec::new();
    for rule in written {
        rules.push(rule.check()?);
        if let Some(described) = &rule.meta {
            let described = template(described)?;
            if !meta.contains(&described) {
                meta.push(described);
            }
        }
    }
    Ok((rules, meta))
}

impl WrittenTelemetry {
    fn check(&self) -> Result<TelemetryRule, Mistake> {
        let shape = self.shape()?;
        self.check_shape(shape)?;
        let (template, whose) = self.whose(shape)?;
        let reading = Reading {
            shape,
            value: self.value(&template)?,
            list: self.list.as_ref().map(place).transpose()?.unwrap_or_default(),
            envelope: self.envelope.as_ref().map(place).transpose()?.unwrap_or_default(),
            time: self.time.as_ref().map(place).transpose()?,
            zone: self.zone.as_ref().map(zone).transpose()?,
            whose,
            uses: self.uses()?,
        };
        let interval_s = self.interval_s.as_ref().map(interval_s).transpose()?;
        Ok(TelemetryRule { template, reading, kind: self.kind, interval_s })
    }

    /// Refuses keys that would do nothing: a shape of its own has its own places for them.
    fn check_shape(&self, shape: Shape) -> Result<(), Mistake> {
        let placed = "which has a place for it; leave it out";
        let (idle, why): (&[&str], String) = match shape {
            Shape::Json => return Ok(()),
            Shape::Fiware => (&["envelope", "lat", "lon"], format!("with shape = \"fiware\", {placed}")),
            Shape::Parkapi => (&["envelope", "lat", "lon"], format!("with shape = \"parkapi\", {placed}")),
            Shape::Datex2 => {
                (&["list", "envelope", "time", "thing", "lat", "lon"], format!("with shape = \"datex2\", {placed}"))
            }
            Shape::Senml => {
                (&["envelope", "time", "zone", "thing", "lat", "lon"], format!("with shape = \"senml\", {placed}"))
            }
            Shape::Scalar => (
                &["list", "envelope", "time", "zone", "thing", "lat", "lon"],
                "where the payload is one value and no more; leave it out".to_owned(),
            ),
        };
        let written = [
            ("list", &self.list),
            ("envelope", &self.envelope),
            ("time", &self.time),
            ("zone", &self.zone),
            ("thing", &self.thing),
            ("lat", &self.lat),
            ("lon", &self.lon),
        ];
        let mut written = written.into_iter().filter_map(|(key, written)| Some((key, written.as_ref()?)));
        match written.find(|(key, _)| idle.contains(key)) {
            Some((key, written)) => Err(Mistake::new(written.span(), format!("{key} does nothing {why}"))),
            None => Ok(()),
        }
    }

    /// Where the value is named, by the profile or by the topic, the payload is that value and nothing else.
    fn shape(&self) -> Result<Shape, Mistake> {
        let named = self.value.is_some() || self.template.get_ref().split('/').any(|level| level == "{value}");
        match &self.shape {
            None if named => Ok(Shape::Scalar),
            None => Ok(Shape::default()),
            Some(shape) if named => {
                let why = "a payload of a shape names its values itself; leave out shape, or value and {value}";
                Err(Mistake::new(shape.span(), why))
            }
            Some(shape) => Ok(*shape.get_ref()),
        }
    }

    /// How the profile calls a payload's only value; empty where the topic does.
    fn value(&self, template: &Template) -> Result<String, Mistake> {
        let Some(written) = &self.value else { return Ok(String::new()) };
        if template.names_value() {
            let why = "the template holds {value}, which names the value; leave one of the two out";
            return Err(Mistake::new(written.span(), why));
        }
        match pointer(written)? {
            empty if empty.is_empty() => {
                Err(Mistake::new(written.span(), "a value needs a name, such as \"/temperature\""))
            }
            named => Ok(named),
        }
    }

    /// The thing is named by the topic, or by the payload, and by one of them only.
    fn whose(&self, shape: Shape) -> Result<(Template, Whose), Mistake> {
        let at = |e| Mistake::new(self.template.span(), e);
        let text = self.template.get_ref();
        if let Some(thing) = &self.thing {
            return Ok((Template::parse_nameless(text).map_err(at)?, Whose::Pointer(place(thing)?)));
        }
        match shape {
            Shape::Json | Shape::Scalar => Ok((Template::parse(text).map_err(at)?, Whose::Topic)),
            Shape::Senml | Shape::Fiware | Shape::Parkapi | Shape::Datex2 => match Template::parse(text) {
                Ok(template) => Ok((template, Whose::Topic)),
                Err(_) => Ok((Template::parse_nameless(text).map_err(at)?, Whose::Shape)),
            },
        }
    }

    fn uses(&self) -> Result<BTreeMap<String, Use>, Mistake> {
        let mut uses = BTreeMap::new();
        let WrittenDescription { name, street, area, lat, lon, capacity, capacity_accessible, capacity_charging } =
            &self.describe;
        let facts = [
            (name, Fact::Title),
            (street, Fact::Street),
            (area, Fact::Area),
            (lat, Fact::Lat),
            (lon, Fact::Lon),
            (capacity, Fact::Capacity),
            (capacity_accessible, Fact::Accessible),
            (capacity_charging, Fact::Charging),
        ];
        let facts = facts.into_iter().filter_map(|(written, fact)| Some((written.as_ref()?, Use::Says(fact))));
        let renamed = |pointer: &str| Use::As { pointer: pointer.into(), times: 1.0, least: None };
        let position = [(&self.lat, "/lat"), (&self.lon, "/lon")];
        let position = position.into_iter().filter_map(|(written, ours)| Some((written.as_ref()?, renamed(ours))));
        let values = self.values.iter().map(|(theirs, ours)| Ok((theirs, renaming(ours)?)));
        for told in facts.chain(position).map(Ok).chain(values) {
            let (written, to) = told?;
            let theirs = pointer(written)?;
            if uses.insert(theirs.clone(), to).is_some() {
                return Err(Mistake::new(written.span(), format!("{theirs:?} has a use already; a value has one")));
            }
        }
        Ok(uses)
    }
}

/// What becomes of a value: `"/free"`, `{ name = "/speed_kmh", times = 3.6, least = 0 }`, or `false` for nothing.
fn renaming(written: &Spanned<toml::Value>) -> Result<Use, Mistake> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Renamed {
        name: String,
        #[serde(default = "once")]
        times: f64,
        least: Option<f64>,
    }
    let mistake = |why: String| Mistake::new(written.span(), why);
    let value = written.get_ref();
    if value.as_bool() == Some(false) {
        return Ok(Use::Nothing);
    }
    let Renamed { name, times, least } = match value.as_str() {
        Some(name) => Renamed { name: name.to_owned(), times: once(), least: None },
        None => value.clone().try_into().map_err(|_| {
            let right = "write \"/name\", { name = \"/name\", times = 3.6, least = 0 } or false";
            mistake(format!("{value} is no use of a value; {right}"))
        })?,
    };
    if !times.is_finite() || times == 0.0 {
        return Err(mistake(format!("a factor of {times} leaves nothing of a value; 3.6 makes km/h of m/s")));
    }
    if !name.starts_with('/') {
        return Err(mistake(format!("{name:?} is not a JSON pointer; write \"/{name}\"")));
    }
    Ok(Use::As { pointer: name, times, least })
}

/// The factor of a value in our unit already.
fn once() -> f64 {
    1.0
}

fn place(written: &Spanned<String>) -> Result<Pointer, Mistake> {
    Pointer::parse(written.get_ref()).map_err(|e| Mistake::new(written.span(), e))
}

pub(super) fn zone(written: &Spanned<String>) -> Result<Zone, Mistake> {
    Zone::parse(written.get_ref()).map_err(|e| Mistake::new(written.span(), e))
}

fn interval_s(written: &Spanned<u32>) -> Result<u32, Mistake> {
    let s = *written.get_ref();
    if (1..=INTERVAL_MAX_S).contains(&s) {
        return Ok(s);
    }
    Err(Mistake::new(written.span(), format!("an interval of {s} s is outside 1–{INTERVAL_MAX_S} s")))
}

#[cfg(test)]
mod tests;
