//! Messages in: from a topic and bytes to samples, descriptions and shadows, or a counted refusal.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::freshness::Presence;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value, date};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;
use fleetlens_wire::aws::is_presence;
use fleetlens_wire::shadow::{ShadowTopic, decode_answer};
use fleetlens_wire::telemetry::{About, Telemetry};
use fleetlens_wire::template::{Place, Template};
use fleetlens_wire::{meta, telemetry};
use xxhash_rust::xxh3::Xxh3;

use super::{Effects, Fleet, Outward, RawMessage, Series, Thing, Witness, interval_ms};
use crate::port::{Delivery, Received};

/// Series one thing may have; more are nonsense or an attack.
const SERIES_MAX: usize = 512;

/// Where a thing that says where it is says it, in degrees north and east.
const LAT: &str = "/lat";
const LON: &str = "/lon";

/// Everything below this prefix belongs to AWS-style services.
const RESERVED_PREFIX: &str = "$aws/";

impl Fleet {
    pub(super) fn received(&mut self, message: Received, now: Now, effects: &mut Effects) {
        self.counters.received += 1;
        self.last_message = Some(now.mono);
        match self.rate.back_mut() {
            Some((at, n)) if now.mono.since(*at) < 250 => *n += 1,
            Some(_) | None => self.rate.push_back((now.mono, 1)),
        }
        let repeated = self.is_known(&message, effects);
        let (things, refused) = if repeated {
            self.counters.repeated += 1;
            (Vec::from_iter(self.named_by(&message.topic)), None)
        } else {
            match self.decode(&message, now, effects) {
                Ok(things) => {
                    effects.messages += 1;
                    // Only now: what one message says may be from before anything that is sent because of it.
                    for thing in &things {
                        self.commands_may_go_on(*thing, now, effects);
                    }
                    (things, None)
                }
                Err(reason) => {
                    // A flood of new names is one refusal with its count, not one a name that drives out all others.
                    let flood = if reason == self.no_room() { self.filter_of(&message.topic) } else { None };
                    self.refuse(flood.as_deref().unwrap_or(&message.topic), reason.clone(), now, effects);
                    (Vec::from_iter(self.named_by(&message.topic)), Some(reason))
                }
            }
        };
        effects.outward.extend(message.delivery.map(Outward::Acknowledge));
        if let Some((first, others)) = things.split_first() {
            let message = RawMessage { repeated, ..RawMessage::new(*first, message, now.wall, refused) };
            let others: BTreeSet<ThingKey> = others.iter().copied().filter(|other| other != first).collect();
            for thing in others {
                self.messages.add(RawMessage { thing, ..message.clone() });
            }
            self.messages.add(message);
        }
    }

    /// Keeps what the link could make no message of, where its topic names a thing: without a payload, which nobody has.
    pub(super) fn remember_refused(&mut self, topic: String, reason: String, delivery: Option<Delivery>, now: Now) {
        let Some(thing) = self.named_by(&topic) else { return };
        let message = Received {
            topic,
            payload: Vec::new(),
            retained: false,
            redelivered: false,
            packet_id: 0,
            properties: None,
            delivery,
        };
        self.messages.add(RawMessage::new(thing, message, now.wall, Some(reason)));
    }

    /// The known thing that a topic names, however wrong its payload is.
    fn named_by(&self, topic: &str) -> Option<ThingKey> {
        if topic.starts_with(RESERVED_PREFIX) {
            let topic = ShadowTopic::parse(topic).ok()?;
            return self.by_name.get(&topic.thing).copied();
        }
        let templates = self.config.telemetry.iter().map(|rule| &rule.template).chain(&self.config.meta);
        let place = templates.filter_map(|template| template.find(topic)).next()?;
        self.by_name.get(place.thing.as_ref()).copied()
    }

    /// Whether this is a redelivery of something already on the disk; remembers it if not.
    fn is_known(&mut self, message: &Received, effects: &mut Effects) -> bool {
        if message.packet_id == 0 {
            return false;
        }
        let mut hasher = Xxh3::new();
        hasher.update(message.topic.as_bytes());
        hasher.update(&[0]);
        hasher.update(&message.payload);
        let digest = hasher.digest();
        if message.redelivered && self.unacked.get(&message.packet_id) == Some(&digest) {
            return true;
        }
        self.unacked.insert(message.packet_id, digest);
        effects.writes.push(Write::Unacked { packet_id: message.packet_id, digest });
        false
    }

    /// Takes a message whole, and says whose it was, or says why not.
    fn decode(&mut self, message: &Received, now: Now, effects: &mut Effects) -> Result<Vec<ThingKey>, String> {
        let topic = message.topic.as_str();
        if is_presence(topic) {
            return self.came_or_went(message, now, effects).map(Vec::from_iter);
        }
        if topic.starts_with(RESERVED_PREFIX) {
            let topic = ShadowTopic::parse(topic).map_err(|e| e.to_string())?;
            let answer = decode_answer(&topic, &message.payload).map_err(|e| e.to_string())?;
            return self.answered(topic, answer, now, effects).map(Vec::from_iter);
        }
        let rule = self.config.telemetry.iter().find_map(|rule| rule.template.find(topic).map(|place| (rule, place)));
        if let Some((rule, place)) = rule {
            let said = telemetry::decode_at(&message.payload, &rule.reading, &place, now.wall);
            let said = said.map_err(|e| e.to_string())?;
            let said: Vec<Telemetry> = said.into_iter().map(|one| rule.told(one)).collect();
            self.room_for(&place, &said)?;
            let mut things = Vec::with_capacity(said.len());
            for one in said {
                let key = self.said(&place, one, message.retained, now, effects)?;
                self.is_spoken_of(key, Witness::Template);
                things.push(key);
            }
            return Ok(things);
        }
        let described = self.config.meta.iter().find_map(|template| template.find(topic));
        if let Some(place) = described {
            let meta = meta::decode(&message.payload, &place).map_err(|e| e.to_string())?;
            return self.described(&place, meta, now, effects).map(|key| vec![key]);
        }
        // After every template: a convention's topics are chosen by whoever announces something, and must not take the city's own.
        if let Some(convention) = self.convention_of(topic) {
            return self.understood(convention, message, now, effects);
        }
        Err("no template of the profile reads this topic".into())
    }

    pub(super) fn said(
        &mut self,
        place: &Place<'_>,
        said: Telemetry,
        retained: bool,
        now: Now,
        effects: &mut Effects,
    ) -> Result<ThingKey, String> {
        let place = &Place {
            thing: said.thing.as_deref().unwrap_or(&place.thing).into(),
            kind: said.about.kind.map(Kind::word).or(place.kind),
            area: place.area,
            value: String::new(),
        };
        let key = self.thing_for(place, now, effects)?;
        self.placed(key, place, now, effects);
        self.told(key, &said.about, now, effects);
        let moved = said.values.iter().any(|(pointer, _)| pointer == LAT);
        let (device_ms, timed, quality) = date(said.claimed, now.wall);
        let quality = if quality == Quality::Good { said.quality } else { quality };
        let source = if retained { Source::Retained } else { Source::Live };
        // A convention's word about a thing need not be the thing's own.
        let is_gone = said.presence == Some(Presence::Gone);
        let speaks = !retained && !is_gone && (said.about.steering.is_none() || !said.values.is_empty());
        for (pointer, value) in said.values {
            let series = self.series_for(key, pointer, effects)?;
            let quality = if quality == Quality::Good { self.quality_of(key, series) } else { quality };
            let seq = self.last_seq + 1;
            self.keep(
                Sample { series, device_ms, received_ms: now.wall, seq, value, source, quality, timed },
                now,
                effects,
            );
        }
        if let Some(thing) = self.things.get_mut(&key).filter(|_| speaks) {
            let was_silent = thing.silence.heard(device_ms, now);
            thing.heard = Some(now.mono);
            self.newest_value = self.newest_value.max(Some(device_ms));
            if was_silent {
                self.speaks_again(key, now, effects);
            }
        }
        // What is replayed of a thing that is known to be there is so still, whichever of the two was said first.
        let known = self.things.get(&key).and_then(|thing| thing.silence.presence()).filter(|_| retained);
        if let Some(presence) = said.presence.or(known) {
            self.is_present(key, presence, now, effects);
        }
        for (id, sentence) in said.alerts {
            self.alerted(key, &id, sentence, now, effects);
        }
        self.judge_values(key, now, effects);
        if moved {
            let at = self.things.get(&key).and_then(|thing| self.said_place(thing));
            if let Some(thing) = self.things.get_mut(&key) {
                thing.said_at = at.or(thing.said_at);
            }
        }
        self.dirty.things.insert(key);
        Ok(key)
    }

    /// Where a thing says it is, by its latest values; `None` when they are not of one message, or no place on earth.
    pub(super) fn said_place(&self, thing: &Thing) -> Option<LonLat> {
        let latest = |pointer| thing.series.get(pointer).and_then(|key| self.series.get(key))?.latest.as_ref();
        let (lat, lon) = (latest(LAT)?, latest(LON)?);
        let together = (lat.device_ms, lat.received_ms) == (lon.device_ms, lon.received_ms);
        match (&lon.value, &lat.value) {
            (Value::Number(lon_deg), Value::Number(lat_deg)) if together => LonLat::new(*lon_deg, *lat_deg),
            (Value::Number(_) | Value::Flag(_) | Value::Text(_), _) => None,
        }
    }

    /// A message is taken whole or not at all: before anything of it is, its new things and their new series must all fit.
    pub(super) fn room_for(&self, place: &Place<'_>, said: &[Telemetry]) -> Result<(), String> {
        let mut new_things = BTreeSet::new();
        let mut new_series: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for one in said {
            let name = one.thing.as_deref().unwrap_or(&place.thing);
            let thing = self.by_name.get(name).and_then(|key| self.things.get(key));
            if thing.is_none() && new_things.insert(name) {
                ThingName::new(name).map_err(|e| e.to_string())?;
            }
            let known = |pointer: &str| thing.is_some_and(|thing| thing.series.contains_key(pointer));
            for (pointer, _) in one.values.iter().filter(|(pointer, _)| !known(pointer)) {
                let new = new_series.entry(name).or_default();
                new.insert(pointer);
                if thing.map_or(0, |thing| thing.series.len()) + new.len() > SERIES_MAX {
                    return Err(format!("{name} would have more than {SERIES_MAX} series with this message"));
                }
            }
        }
        if self.things.len() + new_things.len() > self.config.things_max {
            return Err(self.no_room());
        }
        Ok(())
    }

    fn no_room(&self) -> String {
        format!(
            "the profile's limit of {} things is reached, and this one is new; raise it ([limits] things), or listen to fewer",
            self.config.things_max
        )
    }

    /// The filter that brings a topic.
    fn filter_of(&self, topic: &str) -> Option<String> {
        let templates = self.config.telemetry.iter().map(|rule| &rule.template).chain(&self.config.meta);
        templates.filter(|template| template.find(topic).is_some()).map(Template::filter).next()
    }

    /// A thing that tells of itself is believed, except where the profile has retained descriptions: those know better, and
    /// what it tells fills only what they leave open.
    fn told(&mut self, key: ThingKey, about: &About, now: Now, effects: &mut Effects) {
        let only_gaps = !self.config.meta.is_empty();
        let Some(thing) = self.things.get(&key) else { return };
        let told = about.told(&thing.meta, only_gaps).map(|meta| self.registered(thing.name.as_str(), meta));
        if let Some(meta) = told.filter(|meta| *meta != thing.meta) {
            effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: meta.clone() });
            self.describe(key, meta, now, effects);
        }
    }

    /// A thing that was first met where its topic said nothing of it learns what this topic says.
    fn placed(&mut self, key: ThingKey, place: &Place<'_>, now: Now, effects: &mut Effects) {
        let bare = self.registered(&place.thing, meta::from_place(&Place::default()));
        let told = self.registered(&place.thing, meta::from_place(place));
        if let Some(thing) = self.things.get(&key).filter(|thing| thing.meta == bare && told != bare) {
            effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: told.clone() });
            self.describe(key, told, now, effects);
        }
    }

    fn keep(&mut self, sample: Sample, now: Now, effects: &mut Effects) {
        let Some(series) = self.series.get_mut(&sample.series) else { return };
        let again = |latest: &Sample| {
            let same = latest.device_ms == sample.device_ms && latest.value == sample.value;
            same && latest.timed == Timed::ByDevice && sample.timed == Timed::ByDevice
        };
        if series.latest.as_ref().is_some_and(again) {
            // Said before (a redelivery whose packet id the broker forgot): it is heard, and counted once.
            series.received = Some(now.mono);
            if let Some(latest) = series.latest.as_mut().filter(|latest| latest.source == Source::Cached) {
                latest.source = sample.source;
            }
            return;
        }
        self.last_seq = sample.seq;
        if sample.source == Source::Live {
            self.counters.live_values += 1;
        }
        if let Some(number) = sample.value.as_number() {
            self.dirty.samples.push((sample.series, sample.device_ms, number));
        }
        if series.latest.as_ref().is_none_or(|latest| sample.supersedes(latest)) {
            series.latest = Some(sample.clone());
            series.received = Some(now.mono);
        }
        effects.writes.push(Write::Sample(sample));
    }

    /// What a description calls synthetic is synthetic in every value of that name.
    fn quality_of(&self, thing: ThingKey, series: SeriesKey) -> Quality {
        let pointer = self.series.get(&series).map_or("", |s| s.pointer.as_str());
        let name = pointer.strip_prefix('/').unwrap_or(pointer);
        let made_up = self.things.get(&thing).is_some_and(|t| t.meta.synthetic.iter().any(|s| s == name));
        if made_up { Quality::Synthetic } else { Quality::Good }
    }

    fn described(
        &mut self,
        place: &Place<'_>,
        meta: Meta,
        now: Now,
        effects: &mut Effects,
    ) -> Result<ThingKey, String> {
        let key = self.thing_for(place, now, effects)?;
        let Some(thing) = self.things.get(&key) else { return Ok(key) };
        // How it is commanded only its convention says.
        let Meta { convention, controls, labels, .. } = thing.meta.clone();
        let meta = self.registered(&place.thing, Meta { convention, controls, labels, ..meta });
        if thing.meta == meta {
            return Ok(key);
        }
        let steerable = meta.convention.is_empty() && !meta.controls().is_empty();
        let unasked = !thing.shadows.get("").is_some_and(|shadow| shadow.current);
        effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: meta.clone() });
        self.describe(key, meta, now, effects);
        if self.config.shadows && steerable && unasked {
            self.want_shadow(key, "");
        }
        Ok(key)
    }

    /// The thing a topic names, made if it is new.
    pub(super) fn thing_for(&mut self, place: &Place<'_>, now: Now, effects: &mut Effects) -> Result<ThingKey, String> {
        if let Some(key) = self.by_name.get(place.thing.as_ref()) {
            return Ok(*key);
        }
        let name = ThingName::new(place.thing.as_ref()).map_err(|e| e.to_string())?;
        if self.things.len() >= self.config.things_max {
            return Err(self.no_room());
        }
        let key = ThingKey(self.things.last_key_value().map_or(0, |(last, _)| last.0) + 1);
        let meta = self.registered(&place.thing, meta::from_place(place));
        effects.writes.push(Write::Thing { thing: key, name: name.clone(), meta: meta.clone() });
        self.insert_thing(key, name, meta);
        self.counters.things = self.things.len() as u64;
        if let Some(thing) = self.things.get_mut(&key).filter(|_| self.up_since.is_some()) {
            thing.silence.link_up(interval_ms(&thing.meta), now);
        }
        self.dirty.things.insert(key);
        Ok(key)
    }

    fn series_for(&mut self, key: ThingKey, pointer: String, effects: &mut Effects) -> Result<SeriesKey, String> {
        let Some(thing) = self.things.get_mut(&key) else { return Err("the thing is gone".into()) };
        if let Some(series) = thing.series.get(&pointer) {
            return Ok(*series);
        }
        let series = SeriesKey(self.series.last_key_value().map_or(0, |(last, _)| last.0) + 1);
        thing.series.insert(pointer.clone(), series);
        effects.writes.push(Write::Series { series, thing: key, pointer: pointer.clone() });
        self.series.insert(series, Series { thing: key, pointer, latest: None, received: None });
        Ok(series)
    }

    /// The latest value at a pointer, if it is a number.
    pub(crate) fn number(&self, thing: &Thing, pointer: &str) -> Option<f64> {
        let series = thing.series.get(pointer).and_then(|key| self.series.get(key))?;
        series.latest.as_ref().map(|sample| &sample.value).and_then(Value::as_number)
    }
}
