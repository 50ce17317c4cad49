//! The way of a message that says what its topic said before: from the topic straight to the thing and its series, without looking
//! for a template, a name or a pointer, and from the bytes of the payload straight to the samples.
//!
//! A route is made by a message that went the long way (`fleet::ingest`) and says nothing that would have to be worked out again; whatever
//! is not as it was then goes the long way once more. Both do the same; a test holds that.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use fleetlens_model::heard::Heard;
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::pointer_of;
use fleetlens_model::shared::SharedText;
use fleetlens_model::telemetry::{Quality, Sample, Source, Value, date};
use fleetlens_model::time::Now;
use fleetlens_wire::telemetry::{Flat, Scalar};
use xxhash_rust::xxh3::xxh3_64;

use super::ingest::LAT;
use super::{Effects, Fleet, Witness};
use crate::config::TelemetryRule;

/// Routes that are remembered; with one more all are forgotten. Whoever may publish can make up topics.
const ROUTES_MAX: usize = 200_000;

/// Shapes that are remembered to be shared; those that are in use live on without.
const SHAPES_MAX: usize = 4_096;

/// Every topic that went the long way, by its digest.
#[derive(Debug, Default)]
pub(super) struct Routes {
    of: HashMap<u64, Route, BuildHasherDefault<Digested>>,
    /// A city has few of them, so that they stay in the processor's own memory while its things do not.
    shapes: HashSet<Arc<Shape>>,
    /// How the payloads of each rule are read the short way, where they can be.
    flat: Vec<Option<Flat>>,
}

/// Where a topic leads. One for each thing, and so as short as it can be: what many have in common is in the shape.
#[derive(Debug)]
struct Route {
    /// What stands in the topic before the name of the thing, and after it.
    around: (SharedText, SharedText),
    thing: ThingKey,
    /// [`super::Thing::described`] when it was made: what the topic says of the thing was known then.
    described: u32,
    shape: Arc<Shape>,
}

/// What messages say, and how it is read.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shape {
    rule: usize,
    /// Whether the topic holds the name of the thing in one piece; else all of it stands before.
    is_named: bool,
    /// How many series the thing has.
    series: usize,
    names: Vec<Name>,
    /// Their places in the order of their pointers.
    order: Vec<usize>,
    /// Whether they say where a thing is.
    moves: bool,
}

/// One of the names in a payload, in its order.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    word: Box<str>,
    /// What the description says of its values.
    usual: Quality,
    /// Which of the thing's series is its.
    place: usize,
}

/// A hasher of what is a digest already.
#[derive(Debug, Default)]
struct Digested(u64);

impl Hasher for Digested {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only digests are keys.
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

impl Routes {
    pub(super) fn new(rules: &[TelemetryRule]) -> Routes {
        Routes {
            of: HashMap::default(),
            shapes: HashSet::new(),
            flat: rules.iter().map(|rule| Flat::of(&rule.reading)).collect(),
        }
    }
}

impl Fleet {
    /// Takes a message the short way and gives its thing; `None`, with nothing changed, when it has to go the long way.
    pub(super) fn route(&mut self, message: &Heard<'_>, now: Now, effects: &mut Effects) -> Option<ThingKey> {
        // What is replayed says less than what is said now.
        if message.retained {
            return None;
        }
        let routes = std::mem::take(&mut self.routes);
        let thing = self.route_by(&routes, message, now, effects);
        self.routes = routes;
        thing
    }

    fn route_by(&mut self, routes: &Routes, message: &Heard<'_>, now: Now, effects: &mut Effects) -> Option<ThingKey> {
        let route = routes.of.get(&xxh3_64(message.topic.as_bytes()))?;
        let key = route.thing;
        let (thing, (before, after)) = (self.things.get(&key)?, &route.around);
        // Other topics may have this digest.
        let name = message.topic.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
        let shape = &*route.shape;
        let is_its = name == if shape.is_named { thing.name.as_str() } else { "" };
        if !is_its || thing.described != route.described || thing.series.len() != shape.series {
            return None;
        }
        let said = routes.flat.get(shape.rule)?.as_ref()?.read(message.payload)?;
        let values = said.values();
        let is_as_it_was = values.len() == shape.names.len()
            && values.iter().zip(&shape.names).all(|((name, _), known)| **name == *known.word);
        if !is_as_it_was {
            return None;
        }
        let (device_ms, timed, quality) = date(said.claimed, now.wall);
        let since_seq = self.last_seq;
        for at in &shape.order {
            let (Some(name), Some((_, scalar))) = (shape.names.get(*at), values.get(*at)) else { continue };
            let Some(series) = self.things.get(&key).and_then(|thing| thing.series.nth(name.place)) else { continue };
            let value = match scalar {
                Scalar::Number(number) => Value::Number(*number),
                Scalar::Flag(flag) => Value::Flag(*flag),
                Scalar::Text(text) => Value::Text((*text).to_owned()),
                Scalar::Null => continue,
            };
            let quality = if quality == Quality::Good { name.usual } else { quality };
            let seq = self.last_seq + 1;
            let source = Source::Live;
            self.keep(
                Sample { series, device_ms, received_ms: now.wall, seq, value, source, quality, timed },
                now,
                effects,
            );
        }
        self.spoke(key, device_ms, now, effects);
        if shape.moves {
            self.moved(key, now);
        }
        self.judge_conditions(key, Some(since_seq), now, effects);
        self.soil_thing(key);
        self.is_spoken_of(key, Witness::Template);
        Some(key)
    }

    /// Remembers the way of a message that was just taken the long way by this rule, whose thing was described so before it.
    pub(super) fn remember_route(&mut self, message: &Heard<'_>, rule: usize, key: ThingKey, described: u32) {
        let Some(said) =
            self.routes.flat.get(rule).and_then(Option::as_ref).and_then(|flat| flat.read(message.payload))
        else {
            return;
        };
        // What it said of its thing would be said again.
        let Some(thing) = self.things.get(&key).filter(|thing| thing.described == described) else { return };
        let around = message.topic.rsplit_once(thing.name.as_str());
        let (before, after) = around.unwrap_or((message.topic, ""));
        let pointers: Vec<String> = said.values().iter().map(|(name, _)| pointer_of([*name])).collect();
        let name = |((word, _), pointer): (&(&str, _), &String)| {
            let place = thing.series.place(pointer, &self.series)?;
            let usual = self.quality_of(key, thing.series.nth(place)?);
            Some(Name { word: (*word).into(), usual, place })
        };
        let Some(names) = said.values().iter().zip(&pointers).map(name).collect() else { return };
        let mut order: Vec<(&String, usize)> = pointers.iter().zip(0..).collect();
        order.sort();
        // Of a name that is said twice only the long way knows which counts.
        if order.iter().zip(order.iter().skip(1)).any(|((one, _), (other, _))| one == other) {
            return;
        }
        if self.routes.of.len() >= ROUTES_MAX {
            self.routes.of.clear();
            self.routes.shapes.clear();
        }
        let order = order.into_iter().map(|(_, at)| at).collect();
        let moves = pointers.iter().any(|pointer| pointer == LAT);
        let shape = Shape { rule, is_named: around.is_some(), series: thing.series.len(), names, order, moves };
        let shape = match self.routes.shapes.get(&shape) {
            Some(known) => Arc::clone(known),
            None => {
                // Whoever may publish can make up names too.
                if self.routes.shapes.len() >= SHAPES_MAX {
                    self.routes.shapes.clear();
                }
                let shape = Arc::new(shape);
                self.routes.shapes.insert(Arc::clone(&shape));
                shape
            }
        };
        let around = (self.texts.get(before), self.texts.get(after));
        let route = Route { around, thing: key, described, shape };
        self.routes.of.insert(xxh3_64(message.topic.as_bytes()), route);
    }
}
