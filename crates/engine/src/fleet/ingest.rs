//! Messages in: from a topic and bytes to samples, descriptions and shadows, or a counted refusal.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::MessageProperties;
use fleetlens_model::freshness::Presence;
use fleetlens_model::geo::LonLat;
use fleetlens_model::heard::Heard;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Value, date};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{Now, WallMs};
use fleetlens_wire::aws::{is_job, is_presence};
use fleetlens_wire::shadow::{ShadowTopic, decode_answer};
use fleetlens_wire::telemetry::{About, Telemetry};
use fleetlens_wire::template::{Place, Template};
use fleetlens_wire::{meta, telemetry};
use xxhash_rust::xxh3::xxh3_64;

use super::messages::Kept;
use super::{Effects, Fleet, Outward, Series, Thing, Witness, interval_ms};
use crate::port::Delivery;

/// Series one thing may have; more are nonsense or an attack.
const SERIES_MAX: usize = 512;

/// Where a thing that says where it is says it, in degrees north and east.
pub(super) const LAT: &str = "/lat";
const LON: &str = "/lon";

/// Everything below this prefix belongs to AWS-style services.
const RESERVED_PREFIX: &str = "$aws/";

impl Fleet {
    pub(super) fn received(
        &mut self,
        message: Heard<'_>,
        properties: Option<&MessageProperties>,
        now: Now,
        effects: &mut Effects,
    ) {
        self.counters.received += 1;
        effects.bytes += message.payload.len();
        self.last_message = Some(now.mono);
        match self.rate.back_mut() {
            Some((at, n)) if now.mono.since(*at) < 250 => *n += 1,
            Some(_) | None => self.rate.push_back((now.mono, 1)),
        }
        let repeated = self.is_known(&message, effects);
        let known = if repeated { None } else { self.route(&message, now, effects) };
        if let Some(thing) = known {
            effects.messages += 1;
            self.commands_may_go_on(thing, now, effects);
            effects.outward.extend(message.delivery.map(|delivery| Outward::Acknowledge(Delivery(delivery))));
            let kept = Kept { repeated, refused: None, properties, received_ms: now.wall };
            self.messages.add(thing, message, kept);
            return;
        }
        let (things, refused) = if repeated {
            self.counters.repeated += 1;
            (Vec::from_iter(self.named_by(message.topic)), None)
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
                    let flood = if reason == self.no_room() { self.filter_of(message.topic) } else { None };
                    self.refuse(flood.as_deref().unwrap_or(message.topic), reason.clone(), now, effects);
                    (Vec::from_iter(self.named_by(message.topic)), Some(reason))
                }
            }
        };
        effects.outward.extend(message.delivery.map(|delivery| Outward::Acknowledge(Delivery(delivery))));
        if let Some((first, others)) = things.split_first() {
            let others: BTreeSet<ThingKey> = others.iter().copied().filter(|other| other != first).collect();
            for thing in others.iter().chain([first]) {
                let kept = Kept { repeated, refused: refused.as_deref(), properties, received_ms: now.wall };
                self.messages.add(*thing, message, kept);
            }
        }
    }

    /// Keeps what the link could make no message of, where its topic names a thing: without a payload, which nobody has.
    pub(super) fn remember_refused(&mut self, topic: String, reason: String, delivery: Option<Delivery>, now: Now) {
        let Some(thing) = self.named_by(&topic) else { return };
        let message = Heard {
            topic: &topic,
            payload: &[],
            retained: false,
            redelivered: false,
            packet_id: 0,
            delivery: delivery.map(|delivery| delivery.0),
        };
        let kept = Kept { repeated: false, refused: Some(&reason), properties: None, received_ms: now.wall };
        self.messages.add(thing, message, kept);
    }

    /// The known thing that a topic names, however wrong its payload is.
    fn named_by(&self, topic: &str) -> Option<ThingKey> {
        if topic.starts_with(RESERVED_PREFIX) {
            let topic = ShadowTopic::parse(topic).ok()?;
            return self.by_name.get(topic.thing.as_str()).copied();
        }
        let place = self.config.templates().filter_map(|template| template.find(topic)).next()?;
        self.by_name.get(place.thing.as_ref()).copied()
    }

    /// Whether this is a redelivery of something already on the disk; remembers it if not.
    fn is_known(&mut self, message: &Heard<'_>, effects: &mut Effects) -> bool {
        if message.packet_id == 0 {
            return false;
        }
        self.digested.clear();
        self.digested.extend_from_slice(message.topic.as_bytes());
        self.digested.push(0);
        self.digested.extend_from_slice(message.payload);
        let digest = xxh3_64(&self.digested);
        if message.redelivered && self.unacked.is_known(message.packet_id, digest) {
            return true;
        }
        self.unacked.note(message.packet_id, digest);
        effects.writes.push(Write::Unacked { packet_id: message.packet_id, digest });
        false
    }

    /// Takes a message whole, and says whose it was, or says why not.
    fn decode(&mut self, message: &Heard<'_>, now: Now, effects: &mut Effects) -> Result<Vec<ThingKey>, String> {
        let topic = message.topic;
        if is_presence(topic) {
            return self.came_or_went(message, now, effects).map(Vec::from_iter);
        }
        if is_job(topic) {
            return self.told_of_job(message, now, effects).map(Vec::from_iter);
        }
        if topic.starts_with(RESERVED_PREFIX) {
            let topic = ShadowTopic::parse(topic).map_err(|e| e.to_string())?;
            let answer = decode_answer(&topic, message.payload).map_err(|e| e.to_string())?;
            return self.answered(topic, answer, now, effects).map(Vec::from_iter);
        }
        let availability = self.config.availability.iter();
        let available = availability.filter_map(|one| Some((one, one.template.find(topic)?))).next();
        if let Some((availability, place)) = available {
            let presence = availability.decode(message.payload).map_err(|e| e.to_string())?;
            return self.is_available(&place, presence, now, effects).map(Vec::from_iter);
        }
        let rules = self.config.telemetry.iter().enumerate();
        let rule = rules
            .map(|(at, rule)| (at, rule, rule.template.find(topic)))
            .find_map(|(at, rule, place)| Some((at, rule, place?)));
        if let Some((at, rule, place)) = rule {
            let described = self.by_name.get(place.thing.as_ref()).and_then(|key| self.things.get(key));
            let described = described.map(|thing| thing.described);
            let said = telemetry::decode_at(message.payload, &rule.reading, &place, now.wall);
            let said = said.map_err(|e| e.to_string())?;
            let said: Vec<Telemetry> = said.into_iter().map(|one| rule.told(one)).collect();
            self.room_for(&place, &said)?;
            let mut things = Vec::with_capacity(said.len());
            for one in said {
                let key = self.said(&place, one, message.retained, now, effects)?;
                self.is_spoken_of(key, Witness::Template);
                things.push(key);
            }
            if let (Some(described), [thing], false) = (described, things.as_slice(), message.retained) {
                self.remember_route(message, at, *thing, described);
            }
            return Ok(things);
        }
        let described = self.config.meta.iter().find_map(|template| template.find(topic));
        if let Some(place) = described {
            let meta = meta::decode(message.payload, &place).map_err(|e| e.to_string())?;
            return self.described(&place, meta, now, effects).map(|key| vec![key]);
        }
        // After every template: a convention's topics are chosen by whoever announces something, and must not take the city's own.
        if let Some(convention) = self.convention_of(topic) {
            return self.understood(convention, message, now, effects);
        }
        Err("no template of the profile reads this topic".into())
    }

    /// A topic of its own says whether a thing is there, or nothing any more. That is no value of the thing's.
    fn is_available(
        &mut self,
        place: &Place<'_>,
        presence: Option<Presence>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Option<ThingKey>, String> {
        let Some(presence) = presence else { return Ok(self.by_name.get(place.thing.as_ref()).copied()) };
        // Of a thing nobody has spoken of its name alone is taken: kind and district are for what it measures to say.
        let name = Place { thing: place.thing.as_ref().into(), ..Place::default() };
        let key = self.thing_for(&name, now, effects)?;
        self.is_present(key, presence, now, effects);
        self.is_spoken_of(key, Witness::Template);
        self.soil_thing(key);
        Ok(Some(key))
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
        let since_seq = self.last_seq;
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
        if speaks {
            self.spoke(key, device_ms, now, effects);
        }
        // What is replayed of a thing that is known to be there is so still, whichever of the two was said first.
        let known = self.things.get(&key).and_then(|thing| thing.silence.presence()).filter(|_| retained);
        if let Some(presence) = said.presence.or(known) {
            self.is_present(key, presence, now, effects);
        }
        for (id, sentence) in said.alerts {
            self.alerted(key, &id, sentence, now, effects);
        }
        if moved {
            self.moved(key, now);
        }
        self.judge_conditions(key, (!retained).then_some(since_seq), now, effects);
        self.soil_thing(key);
        Ok(key)
    }

    /// A thing spoke for itself.
    pub(super) fn spoke(&mut self, key: ThingKey, said: WallMs, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get_mut(&key) else { return };
        let was_silent = thing.silence.heard(said, now);
        thing.heard = Some(now.mono);
        self.newest_value = self.newest_value.max(Some(said));
        if was_silent {
            self.speaks_again(key, now, effects);
        }
    }

    /// A thing said where it is.
    pub(super) fn moved(&mut self, key: ThingKey, now: Now) {
        let at = self.things.get(&key).and_then(|thing| self.said_place(thing));
        if let Some(thing) = self.things.get_mut(&key) {
            thing.said_at = at.map(Box::new).or(thing.said_at.take());
        }
        self.remember_place(key, now);
    }

    /// Something of a thing changed, which windows are told once.
    pub(super) fn soil_thing(&mut self, key: ThingKey) {
        let round = self.round;
        if let Some(thing) = self.things.get_mut(&key).filter(|thing| thing.soiled != round) {
            thing.soiled = round;
            self.dirty.things.insert(key);
        }
    }

    /// Where a thing says it is, by its latest values; `None` when they are not of one message, or no place on earth.
    pub(super) fn said_place(&self, thing: &Thing) -> Option<LonLat> {
        let latest = |pointer| self.series_at(thing, pointer)?.latest();
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
            let known = |pointer: &str| thing.is_some_and(|thing| self.series_at(thing, pointer).is_some());
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
        self.config.templates().find(|template| template.find(topic).is_some()).map(Template::filter)
    }

    /// A thing that tells of itself is believed, except where the profile has retained descriptions: those know better, and
    /// what it tells fills only what they leave open.
    fn told(&mut self, key: ThingKey, about: &About, now: Now, effects: &mut Effects) {
        let only_gaps = !self.config.meta.is_empty();
        let Some(thing) = self.things.get(&key) else { return };
        let common = &thing.meta.common;
        if about.says_at_most(common.kind, common.interval_s) {
            return;
        }
        let told = about.told(&thing.meta.whole(), only_gaps).map(|meta| self.registered(thing.name.as_str(), meta));
        if let Some(meta) = told.filter(|meta| thing.meta != *meta) {
            effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: Box::new(meta.clone()) });
            self.describe(key, meta, now, effects);
        }
    }

    /// A thing that was first met where its topic said nothing of it learns what this topic says.
    fn placed(&mut self, key: ThingKey, place: &Place<'_>, now: Now, effects: &mut Effects) {
        let bare = self.registered(&place.thing, meta::from_place(&Place::default()));
        let told = self.registered(&place.thing, meta::from_place(place));
        if let Some(thing) = self.things.get(&key).filter(|thing| thing.meta == bare && told != bare) {
            effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: Box::new(told.clone()) });
            self.describe(key, told, now, effects);
        }
    }

    pub(super) fn keep(&mut self, sample: Sample, now: Now, effects: &mut Effects) {
        let Some(series) = self.series.get_mut(&sample.series) else { return };
        if series.is_said_again(&sample) {
            // Said before (a redelivery whose packet id the broker forgot): it is heard, and counted once.
            series.hear_again(sample.source, now.mono);
            return;
        }
        self.last_seq = sample.seq;
        if sample.source == Source::Live {
            self.counters.live_values += 1;
        }
        if let Some(number) = sample.value.as_number().filter(|_| self.is_charted) {
            self.dirty.samples.push((sample.series, sample.device_ms, number));
        }
        if series.is_superseded_by(&sample) {
            series.take(&sample, sample.source, Some(now.mono));
        }
        if sample.source == Source::Live {
            self.remember_for_windows(&sample, now);
            self.learn(&sample, effects);
        }
        effects.writes.push(Write::Sample(sample));
    }

    /// What a description calls synthetic is synthetic in every value of that name.
    pub(super) fn quality_of(&self, thing: ThingKey, series: SeriesKey) -> Quality {
        let pointer = self.series.get(&series).map_or("", |s| s.pointer.as_str());
        let name = pointer.strip_prefix('/').unwrap_or(pointer);
        let made_up = self.things.get(&thing).is_some_and(|t| t.meta.common.synthetic.iter().any(|s| s == name));
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
        let Meta { convention, controls, labels, .. } = Meta::clone(&thing.meta.common);
        let meta = self.registered(&place.thing, Meta { convention, controls, labels, ..meta });
        if thing.meta == meta {
            return Ok(key);
        }
        let steerable = meta.convention.is_empty() && !self.config.schemas.controls(&meta).is_empty();
        let unasked = !thing.shadows.get("").is_some_and(|shadow| shadow.current);
        effects.writes.push(Write::Thing { thing: key, name: thing.name.clone(), meta: Box::new(meta.clone()) });
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
        let key = self.things.next_key();
        let meta = self.registered(&place.thing, meta::from_place(place));
        effects.writes.push(Write::Thing { thing: key, name: name.clone(), meta: Box::new(meta.clone()) });
        let meta = self.commons.describe(meta, &mut self.texts);
        self.insert_thing(key, name, meta);
        self.counters.things = self.things.len() as u64;
        if let Some(thing) = self.things.get_mut(&key).filter(|_| self.up_since.is_some()) {
            thing.silence.link_up(interval_ms(&thing.meta.common), now);
        }
        self.dirty.things.insert(key);
        Ok(key)
    }

    fn series_for(&mut self, key: ThingKey, pointer: String, effects: &mut Effects) -> Result<SeriesKey, String> {
        let Some(thing) = self.things.get_mut(&key) else { return Err("the thing is gone".into()) };
        if let Some(series) = thing.series.get(&pointer, &self.series) {
            return Ok(series);
        }
        let series = self.series.next_key();
        let shared = self.texts.get(&pointer);
        effects.writes.push(Write::Series { series, thing: key, pointer });
        self.series.insert(series, Series::new(key, shared));
        thing.series.insert(series, &self.series);
        Ok(series)
    }

    /// The series of a thing at a pointer.
    pub(crate) fn series_at(&self, thing: &Thing, pointer: &str) -> Option<&Series> {
        self.series.get(&thing.series.get(pointer, &self.series)?)
    }

    /// The latest value at a pointer, if it is a number.
    pub(crate) fn number(&self, thing: &Thing, pointer: &str) -> Option<f64> {
        self.series_at(thing, pointer)?.number()
    }
}
