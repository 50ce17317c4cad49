//! What a query is told of a thing, each when it asks.

use fleetlens_model::alarm::Priority;
use fleetlens_model::freshness::{Freshness, Presence};
use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::{Fact, Facts, Held, Leaf, Standing, Text, TextField};
use fleetlens_model::shadow::{Half, Packed, Stands};
use fleetlens_model::shared::SharedText;
use serde_json::Value as Json;

use super::Walk;
use crate::fleet::{Series, Shadow, Thing};

/// One thing, asked by one query.
pub(super) struct OfThing<'a> {
    pub(super) thing: &'a Thing,
    pub(super) walk: &'a Walk<'a>,
}

impl OfThing<'_> {
    fn shared(&self, field: TextField) -> Option<&SharedText> {
        match field {
            TextField::Street => Some(&self.thing.meta.street),
            TextField::Area => Some(&self.thing.meta.area),
            TextField::Gateway => Some(&self.thing.meta.gateway),
            TextField::Name | TextField::Title => None,
        }
    }

    /// The series of the nth value. Things of one kind have theirs in the same order, so it mostly is where it was in the one before.
    fn series(&self, nth: usize) -> Option<&Series> {
        let fleet = self.walk.fleet;
        let (pointer, place) = (self.walk.query.values().get(nth)?, self.walk.series.get(nth)?);
        let known = self.thing.series.nth(place.get()).and_then(|key| fleet.series.get(&key));
        if let Some(known) = known.filter(|known| known.pointer.as_str() == pointer) {
            return Some(known);
        }
        let at = self.thing.series.place(pointer, &fleet.series)?;
        place.set(at);
        fleet.series.get(&self.thing.series.nth(at)?)
    }

    fn stands(&self, document: &Packed, nth: usize, leaf: &Leaf) -> Stands {
        // While the walk lasts the fleet is held still, and so is where its texts lie.
        let key = (document.shape().as_ptr() as usize, nth);
        let mut places = self.walk.places.borrow_mut();
        *places.entry(key).or_insert_with(|| document.stands(leaf.half, &leaf.pointer))
    }
}

impl Facts for OfThing<'_> {
    fn words(&self) -> &str {
        self.walk.fleet.index.words(self.thing.key, &self.walk.fleet.things)
    }

    fn text(&self, field: TextField) -> &str {
        match field {
            TextField::Name => self.thing.name.as_str(),
            TextField::Title => self.thing.title(),
            TextField::Street => &self.thing.meta.street,
            TextField::Area => &self.thing.meta.area,
            TextField::Gateway => &self.thing.meta.gateway,
        }
    }

    fn text_is(&self, field: TextField, text: &Text) -> bool {
        let Some(shared) = self.shared(field) else { return text.holds(self.text(field)) };
        let key = (shared.as_ptr() as usize, std::ptr::from_ref(text) as usize);
        *self.walk.texts.borrow_mut().entry(key).or_insert_with(|| text.holds(shared))
    }

    fn kind(&self) -> Kind {
        self.thing.meta.common.kind
    }

    fn standing(&self) -> Standing {
        self.thing.standing()
    }

    fn is_in(&self, nth: usize) -> bool {
        self.walk.groups.get(nth).is_some_and(|groups| groups.iter().any(|group| group.has(self.thing)))
    }

    fn has_delta(&self, shadow: Option<&str>) -> Option<bool> {
        // Until it is judged, some minutes after a start at the latest, nobody knows: to open the documents of a whole city here would
        // hold up everything else.
        let of_one =
            |shadow: &Shadow| (shadow.document.is_some() && shadow.is_judged).then_some(!shadow.open.is_empty());
        match shadow {
            Some(name) => self.thing.shadows.get(name).and_then(of_one),
            None => self.thing.shadows.values().filter_map(of_one).reduce(|one, other| one || other),
        }
    }

    /// What somebody says of its being there, else whether it speaks as it should. Of what was said before our link fell nobody knows
    /// whether it is so (invariant 7).
    fn is_connected(&self) -> Option<bool> {
        match (self.thing.silence.freshness(), self.thing.silence.presence()) {
            (Freshness::Unknown { .. }, _) => None,
            (_, Some(Presence::Here)) | (Freshness::Live, None) => Some(true),
            (_, Some(Presence::Gone | Presence::Asleep)) | (Freshness::Silent { .. }, None) => Some(false),
            (Freshness::Never, None) => None,
        }
    }

    fn any_alarm(&self, is: &mut dyn FnMut(&str, Priority, bool) -> bool) -> bool {
        let alarms = self.thing.alarms.iter().filter_map(|id| self.walk.fleet.alarms.get(*id));
        alarms.into_iter().any(|alarm| is(&alarm.rule, alarm.priority, alarm.is_active()))
    }

    fn age_s(&self) -> Option<f64> {
        self.thing.heard_age_ms(self.walk.now).map(|age_ms| age_ms as f64 / 1_000.0)
    }

    fn place(&self) -> Option<LonLat> {
        self.thing.place()
    }

    fn value(&self, nth: usize) -> Option<Fact<'_>> {
        self.series(nth)?.fact()
    }

    fn leaf(&self, nth: usize) -> Held<'_> {
        let Some(leaf) = self.walk.query.leaves().get(nth) else { return Held::Nothing };
        let shadow = self.thing.shadows.get(&leaf.shadow);
        let Some(document) = shadow.and_then(|shadow| shadow.document.as_ref()) else { return Held::Nothing };
        match self.stands(document, nth, leaf) {
            Stands::Nothing => Held::Nothing,
            Stands::Value(place) => document.value(place).and_then(Fact::of_json).map_or(Held::Nothing, Held::Value),
            Stands::Whole => {
                let document = document.open_state();
                let half = match leaf.half {
                    Half::Desired => document.desired,
                    Half::Reported => document.reported,
                };
                let whole = half.map(Json::Object).and_then(|half| half.pointer(&leaf.pointer).cloned());
                whole.map_or(Held::Nothing, Held::Whole)
            }
        }
    }
}
