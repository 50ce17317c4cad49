//! Commands: asked for by a person, driven by [`fleetlens_model::command`], sent through the shadow (docs/adr/0004-commands.md). Here is
//! what a person asks for, and what is kept of it; `drive` has the way out.

use fleetlens_ipc::{Done, Fault, FaultCode, Intent, Scope, Wish};
use fleetlens_model::command::{Attempt, Command, Input, Phase, Step, Want};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::{DEFAULT_EXPIRY_MS, Kind};
use fleetlens_model::shadow::{Document, Packed, parse_shadow_name, parse_thing_name, same_value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;
use fleetlens_model::trace::trace_id;

use super::drive::Seen;
use super::{Effects, Fleet, Thing, audit, wish};

/// The shortest and the longest time a command may wait, in milliseconds: a second, 30 days.
pub(super) const EXPIRY_MS: std::ops::RangeInclusive<u64> = 1_000..=30 * 86_400_000;

/// Ended commands kept for a thing's timeline.
pub(crate) const ENDED_KEPT: usize = 20;

impl Fleet {
    /// Checks an intent and does it, or says why not.
    pub(super) fn asked(&mut self, intent: Intent, now: Now, effects: &mut Effects) -> Result<Done, Fault> {
        match intent {
            Intent::Acknowledge { alarms, comment } => {
                self.acknowledge(&alarms, &comment, now, effects).map(Done::Acknowledged)
            }
            Intent::Alarms { alarms, to } => self.steer_alarms(&alarms, &to, now, effects).map(Done::Steered),
            Intent::Places { text, limit } => Ok(Done::Places(self.places(&text, limit))),
            Intent::Words => Ok(Done::Words(Box::new(self.words_of_searches()))),
            Intent::Replay(_)
            | Intent::Change(_)
            | Intent::MapNames
            | Intent::Profile(_)
            | Intent::Rules(_)
            | Intent::Boards(_)
            | Intent::Map(_)
            | Intent::Areas(_)
            | Intent::Diagnose
            | Intent::Audit { .. }
            | Intent::Legs
            | Intent::AlarmHealth { .. }
            | Intent::Export(_)
            | Intent::Shown { .. }
            | Intent::Names(_)
            | Intent::Small { .. }
            | Intent::ShadowHistory { .. } => {
                Err(Fault::new(FaultCode::Invalid, "the host that runs this window cannot be set"))
            }
            Intent::Command { .. }
            | Intent::EditCommand { .. }
            | Intent::CancelCommand { .. }
            | Intent::Controls(_)
            | Intent::DryRun(_)
            | Intent::Bulk(_)
            | Intent::BulkAgain(_)
            | Intent::SteerBulk { .. }
                if !self.config.who.role.may_command() =>
            {
                let role = self.config.who.role.label();
                Err(Fault::new(FaultCode::Forbidden, format!("{role}s of this profile watch and do not steer")))
            }
            Intent::Command { thing, shadow, wishes, expires_in_ms } => {
                self.command(thing, shadow, &wishes, expires_in_ms, now, effects).map(Done::Command)
            }
            Intent::Controls(kinds) => {
                let of_kind = |kind| (kind, self.config.schemas.controls_of_kind(kind).to_vec());
                Ok(Done::Controls(Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).map(of_kind).collect()))
            }
            Intent::DryRun(order) => self.dry_run(&order, now).map(|run| Done::DryRun(Box::new(run))),
            Intent::Bulk(order) => self.bulk(*order, now, effects).map(Done::Bulk),
            Intent::BulkAgain(bulk) => self.bulk_again(bulk).map(|order| Done::Order(Box::new(order))),
            Intent::SteerBulk { bulk, to } => self.steer_bulk(bulk, to, now, effects).map(Done::Bulk),
            Intent::EditCommand { command, values, expires_in_ms } => {
                self.edit(command, &values, expires_in_ms, now, effects).map(Done::Edited)
            }
            Intent::CancelCommand { command } => self.cancel(command, now, effects).map(Done::Cancelled),
        }
    }

    fn command(
        &mut self,
        key: ThingKey,
        shadow: String,
        wishes: &[Wish],
        expires_in_ms: Option<u64>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<CommandId, Fault> {
        let wants = self.wanted(key, &shadow, wishes)?;
        let asked = Asked { thing: key, shadow, wants, expires_in_ms, by: self.config.who.clone() };
        Ok(self.ask_for(asked, now, effects))
    }

    /// What a person wishes of a thing as the leaves that a command would set, or why there can be no such command.
    pub(super) fn wanted(&self, key: ThingKey, shadow: &str, wishes: &[Wish]) -> Result<Vec<Want>, Fault> {
        let shadow_of = self.things.get(&key).and_then(|thing| thing.shadows.get(shadow));
        let document = shadow_of.and_then(|shadow| shadow.document.as_ref()).map(Packed::open_state);
        self.wanted_over(key, shadow, document.as_ref(), wishes)
    }

    /// The same over what the shadow holds.
    pub(super) fn wanted_over(
        &self,
        key: ThingKey,
        shadow: &str,
        document: Option<&Document>,
        wishes: &[Wish],
    ) -> Result<Vec<Want>, Fault> {
        let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
        let thing =
            self.things.get(&key).ok_or_else(|| Fault::new(FaultCode::NotFound, "this thing is not known here"))?;
        self.check_fence(key)?;
        let meta = &*thing.meta.common;
        let schemas = &self.config.schemas;
        let wants = wish::wants(meta, schemas, wishes).map_err(invalid)?;
        if meta.convention.is_empty() {
            if !self.config.shadows {
                let why = "this profile has no device shadows, so nothing can be commanded through it";
                return Err(invalid(why.into()));
            }
            parse_thing_name(thing.name.as_str()).map_err(|e| invalid(e.to_string()))?;
            if !shadow.is_empty() {
                parse_shadow_name(shadow).map_err(|e| invalid(e.to_string()))?;
            } else if let Some(of) = schemas.of(meta) {
                let desired = document.and_then(|document| document.desired.clone()).unwrap_or_default();
                wish::check(&of.schema, desired, &wants).map_err(invalid)?;
            }
        } else if !shadow.is_empty() {
            return Err(invalid("the thing has no named shadows".into()));
        } else if let Some(want) = wants.iter().find(|want| schemas.control(meta, &want.pointer).is_none()) {
            return Err(invalid(format!("the thing does not say that {} can be set", want.pointer)));
        }
        Ok(wants)
    }

    /// Puts a command into the outbox that was found to be one, and sends it if it can be.
    pub(super) fn ask_for(&mut self, asked: Asked, now: Now, effects: &mut Effects) -> CommandId {
        let Asked { thing: key, shadow, mut wants, expires_in_ms, by } = asked;
        let own_ms = self
            .things
            .get(&key)
            .map_or(DEFAULT_EXPIRY_MS, |thing| self.expiry_ms(&thing.meta.common, &shadow, &wants));
        let expiry_ms = expires_in_ms.unwrap_or(own_ms).clamp(*EXPIRY_MS.start(), *EXPIRY_MS.end());
        self.rebase_on_own(key, &shadow, &mut wants);
        self.last_command += 1;
        let id = CommandId(self.last_command);
        let command = Command {
            id,
            thing: key,
            shadow,
            token: trace_id(now.wall, self.installation, id),
            wants,
            by,
            cancelled_by: None,
            expires_ms: now.wall.plus(i64::try_from(expiry_ms).unwrap_or(i64::MAX)),
            phase: Phase::Pending,
            steps: vec![(Step::Asked, now.wall)],
            attempt: Attempt::Idle,
            deadline: Some(now.mono.plus(expiry_ms)),
        };
        self.written(&command, now, effects);
        self.dirty.asked.push(id);
        // What has not left yet and says something else about the same leaf need not leave any more.
        self.overtake(&command, |phase| *phase == Phase::Pending, now, effects);
        self.insert_command(command);
        self.drive(key, now, effects);
        self.forget_old(key);
        id
    }

    fn cancel(&mut self, id: CommandId, now: Now, effects: &mut Effects) -> Result<CommandId, Fault> {
        let not_found = || Fault::new(FaultCode::NotFound, "this command is not known here");
        let command = self.commands.get(&id).ok_or_else(not_found)?;
        self.check_fence(command.thing)?;
        if command.phase == Phase::Sent && self.is_direct(command.thing) {
            let why = "the command went straight to the thing, and its convention has no way to take it back";
            return Err(Fault::new(FaultCode::TooLate, why));
        }
        let command = self.commands.get_mut(&id).ok_or_else(not_found)?;
        if !command.apply(Input::Cancelled(&self.config.who), now) {
            return Err(Fault::new(FaultCode::TooLate, "the command has already ended, there is nothing to take back"));
        }
        let (key, after) = (command.thing, command.clone());
        self.changed(&after, now, effects);
        self.drive(key, now, effects);
        Ok(id)
    }

    /// The profile's expiry for the leaves, else the controls' own; of several the shortest.
    pub(super) fn expiry_ms(&self, meta: &Meta, shadow: &str, wants: &[Want]) -> u64 {
        let of = |want: &Want| {
            let told = self.config.expiry_ms.iter().find(|(pointer, _)| *pointer == want.pointer).map(|(_, ms)| *ms);
            // A kind speaks of the classic shadow.
            let of_kind = || self.config.schemas.expiry_ms(meta, &want.pointer).filter(|_| shadow.is_empty());
            told.or_else(of_kind).unwrap_or(DEFAULT_EXPIRY_MS)
        };
        wants.iter().map(of).min().unwrap_or(DEFAULT_EXPIRY_MS)
    }

    pub(super) fn insert_command(&mut self, command: Command) {
        if let Some(thing) = self.things.get_mut(&command.thing) {
            thing.commands.insert(command.id);
            self.tokens.insert(command.token.clone(), command.id);
            self.told.entry(command.id).or_insert_with(|| audit::Told::before(&command));
            self.open.note(&command);
            self.commands.insert(command.id, command);
        }
    }

    /// The commands of a thing that people still wait for.
    pub(crate) fn waiting_of<'a>(&'a self, thing: &'a Thing) -> impl Iterator<Item = &'a Command> {
        thing.commands.iter().filter_map(|id| self.commands.get(id)).filter(|command| command.phase.is_waiting())
    }

    /// The commands of all things, newest first: those of which something may still change, or those that are over.
    pub(crate) fn command_ids(&self, scope: Scope) -> Box<dyn Iterator<Item = CommandId> + '_> {
        match scope {
            Scope::Open => Box::new(self.open.iter().rev()),
            Scope::Ended => Box::new(self.commands.keys().rev().filter(|id| !self.open.contains(**id)).copied()),
        }
    }

    /// The person's screen may be one frame behind what a command of ours just did: that is no change by somebody else either.
    fn rebase_on_own(&self, key: ThingKey, shadow: &str, wants: &mut [Want]) {
        let Some(thing) = self.things.get(&key) else { return };
        let seen = Seen::of(thing.shadows.get(shadow));
        let view = seen.view();
        for want in wants {
            let ours =
                thing.commands.iter().rev().filter_map(|id| self.commands.get(id)).filter(|c| c.shadow == shadow);
            let newest = ours.flat_map(|c| &c.wants).find(|w| w.pointer == want.pointer);
            let (Some(now), Some(own)) = (view.desired(&want.pointer), newest) else { continue };
            if same_value(now, &own.value) && want.before == own.before {
                want.before = Some(now.clone());
                want.restore = Some(now.clone());
            }
        }
    }

    fn forget_old(&mut self, key: ThingKey) {
        let Some(thing) = self.things.get_mut(&key) else { return };
        let ended: Vec<CommandId> = thing
            .commands
            .iter()
            .copied()
            .filter(|id| self.commands.get(id).is_none_or(|c| !c.phase.is_open()))
            .collect();
        for id in ended.iter().take(ended.len().saturating_sub(ENDED_KEPT)) {
            thing.commands.remove(id);
            self.dirty.commands.insert(*id);
            self.sent.remove(id);
            self.told.remove(id);
            self.bulks.forget_command(*id);
            if let Some(command) = self.commands.remove(id) {
                self.tokens.remove(&command.token);
            }
        }
    }
}

/// A command that a person asks for, before it is one.
pub(super) struct Asked {
    pub(super) thing: ThingKey,
    pub(super) shadow: String,
    pub(super) wants: Vec<Want>,
    /// `None` for the control's own.
    pub(super) expires_in_ms: Option<u64>,
    pub(super) by: Actor,
}
