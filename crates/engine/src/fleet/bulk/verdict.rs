//! What a bulk command means for one thing, as far as is known.

use fleetlens_ipc::Wish;
use fleetlens_model::bulk::{self, Order, Progress};
use fleetlens_model::command::{ANSWER_TIMEOUT_MS, Want};
use fleetlens_model::id::ThingKey;
use fleetlens_model::schema::Violation;
use fleetlens_model::shadow::{Document, Object, Packed, leaf_at, merge, parse_thing_name, patch_of, same_value};
use fleetlens_model::telemetry::Source;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;
use serde_json::Value as Json;

use crate::fleet::direct::json;
use crate::fleet::{Fleet, Thing, wish};

/// What would be asked of a thing.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This.
    Asks(Vec<Want>),
    /// Nothing: it is so already.
    Same,
    /// This, unless what was known of it last is confirmed: then it is so already.
    Seems(Vec<Want>),
    /// Nothing can be; the sentence says why.
    Cannot(String),
    /// Nothing can be, unless its shadow turns out to hold what is missing; the sentence says what.
    Lacks(String),
}

impl Fleet {
    /// As far as is known now. The wanted leaves are laid over what stands there now: what somebody changes after this is a conflict.
    pub(super) fn bulk_verdict(&self, key: ThingKey, order: &Order) -> Verdict {
        let Some(thing) = self.things.get(&key) else { return Verdict::Cannot("it is not known here".to_owned()) };
        let document = self.document_of(thing, &order.shadow);
        let wishes: Vec<Wish> = order.wishes.iter().map(|wish| seen(wish, document.as_ref())).collect();
        let wants = match self.wanted_over(key, &order.shadow, document.as_ref(), &wishes) {
            Ok(wants) => wants,
            Err(fault) if self.rests_on_document(thing, order, &wishes) => return Verdict::Lacks(fault.message),
            Err(fault) => return Verdict::Cannot(fault.message),
        };
        if let Some(pointer) = self.missing(thing, order, document.as_ref()) {
            return Verdict::Lacks(format!("it has nothing that is set at {pointer}"));
        }
        let is_asked_otherwise = self.waiting_of(thing).any(|command| {
            let same_leaf = |want: &Want| wants.iter().any(|new| new.pointer == want.pointer);
            command.shadow == order.shadow && command.wants.iter().any(same_leaf)
        });
        let is_so = !is_asked_otherwise && wants.iter().all(|want| self.is_so(thing, want, document.as_ref()));
        match (is_so, self.is_confirmed(thing, &order.shadow, &wants)) {
            (true, true) => Verdict::Same,
            (true, false) => Verdict::Seems(wants),
            (false, _) => Verdict::Asks(wants),
        }
    }

    /// Whether what is wrong with the wishes may be otherwise once the shadow is read: something is missing beside them that may be there.
    fn rests_on_document(&self, thing: &Thing, order: &Order, wishes: &[Wish]) -> bool {
        let (schemas, meta) = (&self.config.schemas, &*thing.meta.common);
        let has_shadow = self.config.shadows && parse_thing_name(thing.name.as_str()).is_ok();
        let (Some(of), true) = (schemas.of(meta), has_shadow && order.shadow.is_empty()) else { return false };
        let Ok(wants) = wish::wants(meta, schemas, wishes) else { return false };
        let leaves: Vec<(String, Json)> = wants.iter().map(|want| (want.pointer.clone(), want.value.clone())).collect();
        let touched: Vec<&str> = wants.iter().map(|want| want.pointer.as_str()).collect();
        let mut alone = Object::new();
        merge(&mut alone, &patch_of(&leaves));
        let is_in =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        let is_of_a_leaf = |wrong: &Violation| touched.iter().any(|touched| is_in(&wrong.pointer, touched));
        self.check_fence(thing.key).is_ok() && !of.schema.check_change(&alone, &touched).iter().any(is_of_a_leaf)
    }

    /// What stands of a thing when the bulk command is asked for: what is not known yet is looked into when its turn comes.
    pub(super) fn progress_at_first(&self, key: ThingKey, order: &Order, now: Now) -> Progress {
        match self.bulk_verdict(key, order) {
            Verdict::Cannot(why) => Progress::Cannot { why },
            Verdict::Lacks(why) if self.is_read(key, &order.shadow, now) => Progress::Cannot { why },
            Verdict::Same => Progress::Same,
            Verdict::Seems(_) | Verdict::Asks(_) | Verdict::Lacks(_) => Progress::Waits,
        }
    }

    /// Whether what we know of a thing's shadow was confirmed since the link is up, or was asked for in vain.
    pub(super) fn is_read(&self, key: ThingKey, shadow: &str, now: Now) -> bool {
        let Some(thing) = self.things.get(&key) else { return true };
        let waited = |at| now.mono.since(at) >= ANSWER_TIMEOUT_MS;
        !thing.meta.common.convention.is_empty()
            || thing.shadows.get(shadow).is_some_and(|shadow| shadow.current || shadow.asked.is_some_and(waited))
    }

    /// Whether what we know of the wanted leaves was told since the link is up. What was asked for in vain was not.
    fn is_confirmed(&self, thing: &Thing, shadow: &str, wants: &[Want]) -> bool {
        if thing.meta.common.convention.is_empty() {
            return thing.shadows.get(shadow).is_some_and(|shadow| shadow.current);
        }
        wants.iter().all(|want| {
            let series = self.series_at(thing, &want.pointer);
            let source = series.and_then(|series| Some(self.source(series, &series.latest()?)));
            source.is_some_and(|source| source != Source::Cached)
        })
    }

    /// The leaves that an order sets, whatever thing they are of; none where no thing could be asked for them.
    pub(super) fn wanted_leaves(&self, order: &Order) -> Vec<Want> {
        let wishes: Vec<Wish> = order.wishes.iter().map(|wish| seen(wish, None)).collect();
        wish::wants(&Meta::default(), &self.config.schemas, &wishes).unwrap_or_default()
    }

    fn document_of(&self, thing: &Thing, shadow: &str) -> Option<Document> {
        thing.shadows.get(shadow).and_then(|shadow| shadow.document.as_ref()).map(Packed::open_state)
    }

    /// The first wish that is none for this thing: no control of it, and not in its shadow as far as that is known. Of a thing that has no
    /// controls at all only its shadow tells.
    fn missing<'a>(&self, thing: &Thing, order: &'a Order, document: Option<&Document>) -> Option<&'a str> {
        let is_read = thing.shadows.get(&order.shadow).is_some_and(|shadow| shadow.current);
        let (schemas, meta) = (&self.config.schemas, &*thing.meta.common);
        let has_others = !schemas.controls(meta).is_empty();
        let is_there = |pointer: &str| match document {
            Some(document) => {
                held(document.desired.as_ref(), pointer).or(held(document.reported.as_ref(), pointer)).is_some()
            }
            None => !is_read && !has_others,
        };
        let pointers = order.wishes.iter().map(|wish| wish.pointer.as_str());
        // A kind's controls set leaves of its classic shadow.
        let is_set = |pointer: &str| order.shadow.is_empty() && schemas.control(meta, pointer).is_some();
        let mut others = pointers.filter(|pointer| !is_set(pointer));
        others.find(|pointer| !is_there(pointer))
    }

    /// Whether it is wanted and reported as wanted.
    fn is_so(&self, thing: &Thing, want: &Want, document: Option<&Document>) -> bool {
        if !thing.meta.common.convention.is_empty() {
            return self.value_of(thing, &want.pointer).is_some_and(|value| want.is_met_by(&value));
        }
        let Some(document) = document else { return false };
        let desired = held(document.desired.as_ref(), &want.pointer);
        desired.is_some_and(|desired| same_value(desired, &want.value))
            && held(document.reported.as_ref(), &want.pointer).is_some_and(|reported| want.is_met_by(reported))
    }

    /// What a leaf is now: what is reported, else the thing's newest value, else what is wanted.
    pub(super) fn is_now(&self, key: ThingKey, shadow: &str, pointer: &str) -> Option<Json> {
        let thing = self.things.get(&key)?;
        let document = self.document_of(thing, shadow);
        let document = document.as_ref();
        let reported = held(document.and_then(|document| document.reported.as_ref()), pointer).cloned();
        let desired = || held(document.and_then(|document| document.desired.as_ref()), pointer).cloned();
        reported.or_else(|| self.value_of(thing, pointer)).or_else(desired)
    }

    fn value_of(&self, thing: &Thing, pointer: &str) -> Option<Json> {
        let series = self.series_at(thing, pointer)?;
        Some(json(&series.latest()?.value))
    }
}

fn held<'a>(section: Option<&'a Object>, pointer: &str) -> Option<&'a Json> {
    section.and_then(|section| leaf_at(section, pointer))
}

/// A wish over what stands in `desired` now.
fn seen(wish: &bulk::Wish, document: Option<&Document>) -> Wish {
    let now = held(document.and_then(|document| document.desired.as_ref()), &wish.pointer);
    Wish { pointer: wish.pointer.clone(), value_json: wish.value_json.clone(), seen_json: now.map(Json::to_string) }
}
