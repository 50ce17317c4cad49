//! An entity while its announcement is being read.

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;

use super::super::availability::Availability;
use super::super::entity::{Entity, Inside, Means, Reading, Sends, Steer, json_number};
use super::super::fields::Fields;
use crate::meta::words;
use crate::telemetry::check_length;
use crate::{WireError, settable};

/// What is gathered of an entity.
#[derive(Debug)]
pub(super) struct Build<'a> {
    pub(super) fields: Fields<'a>,
    label: String,
    is_dangerous: bool,
    entity: Entity,
}

impl<'a> Build<'a> {
    pub(super) fn new(pointer: String, fields: Fields<'a>, label: String) -> Result<Self, WireError> {
        let expire_after_s = fields.number("expire_after")?.filter(|s| *s >= 1.0);
        let entity = Entity {
            pointer,
            called: fields.called().to_owned(),
            readings: Vec::new(),
            steers: Vec::new(),
            availability: Availability::read(fields)?,
            expire_after_s: expire_after_s.map(|s| s.min(f64::from(u32::MAX)) as u32),
            labels: Vec::new(),
            units: Vec::new(),
            constants: Vec::new(),
        };
        // A switch may open a garage.
        let class = fields.word("device_class")?.unwrap_or_default();
        let is_dangerous = settable::is_dangerous([label.as_str(), &class, &entity.pointer]);
        Ok(Self { fields, label, is_dangerous, entity })
    }

    /// What its templates know beside the message.
    pub(super) fn knows(&mut self, name: &'static str, value: f64) {
        self.entity.constants.extend(json_number(value).map(|value| (name, value)));
    }

    /// Who sets it might hurt somebody: it is asked first, and an old command is none.
    pub(super) fn asks_first(&mut self) {
        self.is_dangerous = true;
    }

    /// Adds a value below the entity's pointer, if one of `topics` is announced.
    pub(super) fn value(
        &mut self,
        sub: &str,
        topics: &[&str],
        templates: &[&str],
        inside: Inside,
        means: Means,
    ) -> Result<bool, WireError> {
        self.value_at(format!("{}{sub}", self.entity.pointer), topics, templates, inside, means)
    }

    /// [`Build::value`] at a place of its own.
    pub(super) fn value_at(
        &mut self,
        pointer: String,
        topics: &[&str],
        templates: &[&str],
        inside: Inside,
        means: Means,
    ) -> Result<bool, WireError> {
        for topic in topics {
            if let Some(topic) = self.fields.topic(topic)? {
                check_length(&pointer)?;
                let label = self.label_of(&pointer);
                let template = self.fields.template_of(templates)?;
                self.entity.labels.push((pointer.clone(), label));
                self.entity.readings.push(Reading { pointer, topic, template, inside, means });
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// "Kitchen", and for what stands below it "Kitchen current temperature".
    fn label_of(&self, pointer: &str) -> String {
        match pointer.strip_prefix(self.entity.pointer.as_str()).unwrap_or(pointer).strip_prefix('/') {
            Some("lat") => "Latitude".to_owned(),
            Some("lon") => "Longitude".to_owned(),
            Some(sub) => words(&format!("{} {}", self.label, sub.replace('_', " "))),
            None => self.label.clone(),
        }
    }

    pub(super) fn unit(&mut self, sub: &str, unit: &str) {
        let unit = words(unit);
        if !unit.is_empty() {
            self.entity.units.push((format!("{}{sub}", self.entity.pointer), unit));
        }
    }

    /// How a value below the entity's pointer is commanded, if it is and something tells whether it obeyed.
    pub(super) fn steer(
        &self,
        sub: &str,
        topic: &str,
        template: &str,
        takes: Takes,
        sends: Sends,
    ) -> Result<Option<Steer>, WireError> {
        let pointer = format!("{}{sub}", self.entity.pointer);
        let is_told = self.entity.readings.iter().any(|reading| reading.pointer == pointer);
        let Some(topic) = self.fields.topic(topic)?.filter(|_| is_told) else { return Ok(None) };
        let label = self.label_of(&pointer);
        let control = settable::control(&pointer, &label, takes, self.is_dangerous);
        let template = self.fields.template(template)?;
        Ok(Some(Steer {
            control,
            topic,
            template,
            off_template: None,
            sends,
            known_as: None,
            before: None,
            after: None,
            on_by: None,
            needs_on: None,
        }))
    }

    pub(super) fn steers(&mut self, steer: Steer) {
        self.entity.steers.push(steer);
    }

    pub(super) fn pointer(&self) -> &str {
        &self.entity.pointer
    }

    /// The entity, if it says anything.
    pub(super) fn finish(self) -> Result<Option<Entity>, WireError> {
        Ok(Some(self.entity).filter(|entity| !entity.readings.is_empty()))
    }
}

/// What two payloads mean that are on and off.
pub(super) fn flags(
    fields: &Fields<'_>,
    on: (&str, &str),
    off: (&str, &str),
) -> Result<Vec<(String, Value)>, WireError> {
    Ok(vec![(fields.word_or(on.0, on.1)?, Value::Flag(true)), (fields.word_or(off.0, off.1)?, Value::Flag(false))])
}
