//! Shadows in: answers of the service folded into what we know, and `get`s paced after a connect.
//!
//! After every connect the order is subscribe, `get`, then only what is newer than the answer (shadow-protocol.md). `update/documents`
//! carries whole documents, so deltas and partial answers are needed only for their tokens.

use fleetlens_model::command;
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::limits::REQUESTS_IN_FLIGHT;
use fleetlens_model::shadow::{Document, Followed, Packed, Rejection, parse_thing_name};
use fleetlens_model::shared::SharedText;
use fleetlens_model::time::Now;
use fleetlens_wire::shadow::{Answer, Op, ShadowTopic, ShadowTopicKind, encode_get};
use fleetlens_wire::template::Place;

use super::changes::Told;
use super::{Effects, Fleet, Outward, Shadow};
use crate::port::{Publish, Qos};

/// Shadows one thing may have. AWS sets no limit; more than this is a mistake or an attack.
const SHADOWS_MAX: usize = 64;

impl Fleet {
    /// Folds an answer of the shadow service, and says whose it was where the thing is known.
    pub(super) fn answered(
        &mut self,
        topic: ShadowTopic,
        answer: Answer,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Option<ThingKey>, String> {
        let name = topic.shadow.unwrap_or_default();
        let known = self.by_name.get(topic.thing.as_str()).copied();
        let key = match (known, &answer) {
            (Some(key), _) => key,
            // What is not there makes no thing.
            (None, Answer::Rejected { .. } | Answer::Deleted { .. }) => return Ok(None),
            (None, Answer::Got { .. } | Answer::Documents { .. } | Answer::Updated { .. } | Answer::Delta { .. }) => {
                self.thing_for(&Place { thing: topic.thing.as_str().into(), ..Place::default() }, now, effects)?
            }
        };
        let shadows = self.things.get(&key).map(|thing| &thing.shadows);
        if shadows.is_some_and(|shadows| !shadows.contains_key(&name) && shadows.len() >= SHADOWS_MAX) {
            return Err(format!("{} has {SHADOWS_MAX} shadows already; {name} would be one more", topic.thing));
        }
        match answer {
            Answer::Got { document, token } => {
                self.got(key, &name, Some(document), token.as_deref(), now, effects);
            }
            Answer::Documents { current, token } => {
                // First the token: what we changed ourselves must not look like somebody else's doing.
                let accepted = command::Input::Accepted { version: current.version };
                self.command_answered((key, &name), token.as_deref(), accepted, now, effects);
                self.documented(key, &name, current, token.as_deref(), now, effects);
            }
            Answer::Updated { desired, reported, version, timestamp_s, token } => {
                self.command_answered(
                    (key, &name),
                    token.as_deref(),
                    command::Input::Accepted { version },
                    now,
                    effects,
                );
                let known = self.shadow(key, &name).and_then(|s| s.document.as_ref()).map(Packed::open);
                match known.unwrap_or_default().follow(&desired, &reported, version, timestamp_s) {
                    Followed::Next(next) => {
                        self.known(key, &name, Some(next), Told::Accepted(token.as_deref()), now, effects);
                    }
                    Followed::Old => {}
                    Followed::Gap => self.get_shadow(key, &name, now, effects),
                }
            }
            Answer::Deleted { version, token } => {
                if let Some(shadow) = self.shadow(key, &name) {
                    shadow.deleted_at = version;
                }
                self.known(key, &name, None, Told::Accepted(token.as_deref()), now, effects);
            }
            Answer::Rejected { op: Op::Get, rejection: Rejection { code: 404, .. }, token } => {
                self.got(key, &name, None, token.as_deref(), now, effects);
            }
            // It is asked for again when its time is up.
            Answer::Rejected { op: Op::Get | Op::Delete, .. } => {}
            Answer::Rejected { op: Op::Update, rejection, token } => {
                self.command_answered(
                    (key, &name),
                    token.as_deref(),
                    command::Input::Rejected(&rejection),
                    now,
                    effects,
                );
            }
            // `documents` says the same and more.
            Answer::Delta { .. } => {}
        }
        self.drive(key, now, effects);
        Ok(Some(key))
    }

    /// The whole document after an update: newer than what we know, or nothing.
    fn documented(
        &mut self,
        key: ThingKey,
        name: &str,
        current: Document,
        token: Option<&str>,
        now: Now,
        effects: &mut Effects,
    ) {
        let listening = self.up_since.is_some();
        let Some(shadow) = self.shadow(key, name) else { return };
        let known = shadow.document.as_ref().map_or(shadow.deleted_at, |d| d.version);
        if current.version > known {
            shadow.current |= listening;
            self.known(key, name, Some(current), Told::Accepted(token), now, effects);
        } else if let Some(known) = shadow.document.clone()
            && contradicts(&known, &Packed::of(&current, &mut self.texts))
        {
            // Perhaps late, perhaps a service that began anew: only a `get` of ours tells.
            self.get_shadow(key, name, now, effects);
        }
    }

    fn shadow(&mut self, key: ThingKey, name: &str) -> Option<&mut Shadow> {
        let thing = self.things.get_mut(&key)?;
        if !thing.shadows.contains_key(name) {
            thing.shadows.insert(self.texts.get(name), Shadow::default());
        }
        thing.shadows.get_mut(name)
    }

    /// The answer to a `get`: authoritative unless something newer came since the link is up.
    fn got(
        &mut self,
        key: ThingKey,
        name: &str,
        document: Option<Document>,
        token: Option<&str>,
        now: Now,
        effects: &mut Effects,
    ) {
        let number = token.and_then(|token| token.strip_prefix(&self.get_token())?.parse::<u64>().ok());
        let Some(shadow) = self.shadow(key, name) else { return };
        let ours = number == Some(shadow.asked_nr);
        // One without a token may be anybody's; who does not say whose it is never does.
        if ours || token.is_none() {
            shadow.gets += 1;
        }
        shadow.asked = None;
        let was_current = std::mem::replace(&mut shadow.current, true);
        let version = document.as_ref().map_or(0, |d| d.version);
        let newer = version >= shadow.document.as_ref().map_or(0, |d| d.version);
        // Versions never go back: below what we knew when we asked, the service began anew (or lost its memory).
        let anew = ours && version < shadow.asked_at;
        if newer || anew || !(shadow.heard_now || was_current) {
            self.known(key, name, document, Told::Got, now, effects);
        } else {
            self.dirty.things.insert(key);
        }
    }

    /// The shadow is known anew.
    fn known(
        &mut self,
        key: ThingKey,
        name: &str,
        document: Option<Document>,
        told: Told<'_>,
        now: Now,
        effects: &mut Effects,
    ) {
        let packed = document.as_ref().map(|document| Packed::of(document, &mut self.texts));
        let Some(shadow) = self.shadow(key, name) else { return };
        let new = match (&shadow.document, &packed) {
            (Some(known), Some(told)) => !known.is_identical(told),
            (known, told) => known.is_some() != told.is_some(),
        };
        shadow.heard_ms = now.wall;
        shadow.heard_now = true;
        if new {
            self.note_change(key, name, document.as_ref().zip(packed.as_ref()), told, now, effects);
            self.judge(key, name, document.as_ref(), now);
            if let Some(shadow) = self.shadow(key, name) {
                shadow.document = packed;
            }
            let name = name.to_string();
            effects.writes.push(Write::Shadow {
                thing: key,
                name,
                document: document.map(Box::new),
                heard_ms: now.wall,
            });
        }
        self.shadow_changed(key, now, effects);
        self.look_at(key);
        self.dirty.things.insert(key);
    }

    /// Asks for a shadow unless an earlier question is still open.
    pub(super) fn get_shadow(&mut self, key: ThingKey, name: &str, now: Now, effects: &mut Effects) {
        if self.up_since.is_none() || !self.config.shadows {
            return;
        }
        let number = self.last_get + 1;
        let token = format!("{}{number}", self.get_token());
        let Some(thing) = self.things.get(&key) else { return };
        if parse_thing_name(thing.name.as_str()).is_err() {
            return;
        }
        let topic_name = (!name.is_empty()).then(|| name.to_string());
        let topic = ShadowTopic::new(thing.name.as_str(), topic_name, ShadowTopicKind::Request(Op::Get));
        let Some(shadow) = self.shadow(key, name) else { return };
        if shadow.asked.is_some_and(|at| now.mono.since(at) < command::ANSWER_TIMEOUT_MS) {
            return;
        }
        shadow.asked = Some(now.mono);
        shadow.asked_at = shadow.document.as_ref().map_or(0, |d| d.version);
        shadow.asked_nr = number;
        self.last_get = number;
        let name = self.texts.get(name);
        self.asked.push_back((now.mono, key, name));
        let until = now.mono.plus(command::ANSWER_TIMEOUT_MS);
        let (topic, payload) = (topic.to_string(), encode_get(&token));
        effects.outward.push(Outward::Publish(Publish {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain: false,
            until,
            command: None,
        }));
    }

    /// What every token of our `get`s begins with: an answer to an earlier run of ours is none to this one.
    fn get_token(&self) -> String {
        format!("fl-{:016x}-{:x}-g", self.installation, self.began.0)
    }

    /// Puts a shadow on the list of those to ask for when there is time.
    pub(super) fn want_shadow(&mut self, key: ThingKey, name: &str) {
        if self.up_since.is_some() {
            let name = self.texts.get(name);
            self.to_get.insert((key, name));
        }
    }

    pub(super) fn opened(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        let Some(thing) = self.things.get(&key) else { return };
        let mut names: Vec<SharedText> =
            thing.shadows.iter().filter(|(_, s)| !s.current).map(|(n, _)| n.clone()).collect();
        if thing.shadows.is_empty() {
            names.push(self.texts.get(""));
        }
        // The person waits for the first; many named ones come as the pace allows.
        for (i, name) in names.iter().enumerate() {
            if i < REQUESTS_IN_FLIGHT {
                self.get_shadow(key, name, now, effects);
            } else {
                self.want_shadow(key, name);
            }
        }
    }

    pub(super) fn shadows_after_connect(&mut self, now: Now, effects: &mut Effects) {
        self.to_get.clear();
        self.asked.clear();
        for key in self.things_with_open_commands() {
            if self.is_direct(key) {
                self.drive_directly(key, now, effects);
            }
        }
        if !self.config.shadows {
            return;
        }
        let mut wanted = Vec::new();
        let classic = self.texts.get("");
        for thing in self.things.values_mut() {
            for shadow in thing.shadows.values_mut() {
                (shadow.current, shadow.heard_now, shadow.asked) = (false, false, None);
            }
            wanted.extend(thing.shadows.keys().map(|name| (thing.key, name.clone())));
            if !thing.shadows.contains_key("")
                && thing.meta.common.convention.is_empty()
                && !self.config.schemas.controls(&thing.meta.common).is_empty()
            {
                wanted.push((thing.key, classic.clone()));
            }
        }
        self.to_get.extend(wanted);
        // People wait for these: open commands come before the rest of the city.
        let with_commands: Vec<ThingKey> =
            self.commands.values().filter(|c| c.phase.is_open()).map(|c| c.thing).collect();
        for key in with_commands {
            self.drive(key, now, effects);
        }
    }

    pub(super) fn shadows_after_loss(&mut self, now: Now, effects: &mut Effects) {
        self.to_get.clear();
        for thing in self.things.values_mut() {
            for shadow in thing.shadows.values_mut() {
                (shadow.current, shadow.asked) = (false, None);
            }
        }
        self.commands_lost_the_link(now, effects);
    }

    /// As many `get`s as the profile's pace allows for the time that passed.
    pub(super) fn gets_for(&self, elapsed_ms: u64) -> u32 {
        let most = (u64::from(self.config.gets_per_s) * elapsed_ms.min(1000)).div_ceil(1000);
        u32::try_from(most).unwrap_or(u32::MAX)
    }

    /// Asks for those that nobody waits for, and again for those that were not answered; at most so many.
    pub(super) fn get_some_shadows(&mut self, most: u32, now: Now, effects: &mut Effects) {
        while self.asked.front().is_some_and(|(at, _, _)| now.mono.since(*at) >= command::ANSWER_TIMEOUT_MS) {
            let Some((_, key, name)) = self.asked.pop_front() else { break };
            if self.things.get(&key).and_then(|t| t.shadows.get(&name)).is_some_and(|s| !s.current) {
                self.want_shadow(key, &name);
            }
        }
        for _ in 0..most {
            let Some((key, name)) = self.to_get.pop_first() else { return };
            let known = self.things.get(&key).and_then(|t| t.shadows.get(&name)).is_some_and(|s| s.current);
            if !known {
                self.get_shadow(key, &name, now, effects);
            }
        }
    }
}

/// Whether a document that is not newer says something else than what is known.
fn contradicts(known: &Packed, told: &Packed) -> bool {
    told.version < known.version || {
        let (known, told) = (known.open(), told.open());
        told.desired != known.desired || told.reported != known.reported
    }
}
