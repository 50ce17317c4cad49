//! Commands: asked for by a person, driven by [`fleetlens_model::command`], sent through the shadow (docs/adr/0004-commands.md).

use fleetlens_ipc::{Done, Fault, FaultCode, Intent, Scope, Wish};
use fleetlens_model::command::{ANSWER_TIMEOUT_MS, Action, Attempt, Command, Input, Phase, ShadowView, Step, Want};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::{DEFAULT_EXPIRY_MS, Kind};
use fleetlens_model::record::Write;
use fleetlens_model::shadow::{Document, Packed, parse_shadow_name, parse_thing_name, same_value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, Now};
use fleetlens_model::trace::trace_id;
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, encode_update};
use serde_json::Value as Json;

use super::{Effects, Fleet, Outward, Thing, audit, wish};
use crate::port::{Publish, Qos};

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
            Intent::Change(_)
            | Intent::Profile(_)
            | Intent::Diagnose
            | Intent::Audit { .. }
            | Intent::Legs
            | Intent::ShadowHistory { .. } => {
                Err(Fault::new(FaultCode::Invalid, "the host that runs this window cannot be set"))
            }
            Intent::Command { .. }
            | Intent::EditCommand { .. }
            | Intent::CancelCommand { .. }
            | Intent::Controls(_)
            | Intent::DryRun(_)
            | Intent::Bulk(_)
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
        } else if let Some(want) = wants.iter().find(|want| schemas.control(meta, &want.pointer).is_none()) {
            return Err(invalid(format!("the thing does not say that {} can be set", want.pointer)));
        }
        Ok(wants)
    }

    /// Puts a command into the outbox that was found to be one, and sends it if it can be.
    pub(super) fn ask_for(&mut self, asked: Asked, now: Now, effects: &mut Effects) -> CommandId {
        let Asked { thing: key, shadow, mut wants, expires_in_ms, by } = asked;
        let own_ms =
            self.things.get(&key).map_or(DEFAULT_EXPIRY_MS, |thing| self.expiry_ms(&thing.meta.common, &wants));
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
    pub(super) fn expiry_ms(&self, meta: &Meta, wants: &[Want]) -> u64 {
        let of = |want: &Want| {
            let told = self.config.expiry_ms.iter().find(|(pointer, _)| *pointer == want.pointer).map(|(_, ms)| *ms);
            told.or_else(|| self.config.schemas.expiry_ms(meta, &want.pointer)).unwrap_or(DEFAULT_EXPIRY_MS)
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

    /// The command that goes by this token in the shadow of a thing. Whoever sees a token can say it on a shadow of their own: there it
    /// means nothing.
    pub(super) fn command_by_token(&self, key: ThingKey, shadow: &str, token: Option<&str>) -> Option<&Command> {
        let command = self.commands.get(self.tokens.get(token?)?)?;
        (command.thing == key && command.shadow == shadow).then_some(command)
    }

    /// An answer about this shadow: if its token is one of ours, the command hears of it.
    pub(super) fn command_answered(
        &mut self,
        (key, shadow): (ThingKey, &str),
        token: Option<&str>,
        input: Input<'_>,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(id) = self.command_by_token(key, shadow, token).map(|command| command.id) else { return };
        self.apply(id, input, now, effects);
    }

    /// A shadow of the thing is known anew: commands may be obeyed by it, or overwritten in it by somebody else.
    pub(super) fn shadow_changed(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        for id in self.open_of(key) {
            let Some(command) = self.commands.get(&id).filter(|c| c.phase.is_waiting()) else { continue };
            let shadow = self.things.get(&key).and_then(|t| t.shadows.get(&command.shadow));
            let seen = Seen::of(shadow);
            let view = seen.view();
            // A newer command of ours on the way explains what we see; only without one it is somebody else's.
            let newer = self.things.get(&key).into_iter().flat_map(|thing| thing.commands.range(id..).skip(1));
            let mut newer = newer.filter_map(|id| self.commands.get(id));
            let ours = newer.any(|newer| newer.phase.is_waiting() && newer.overlaps(command));
            let overwritten = command.overwritten(view).filter(|_| !ours);
            let Some(command) = self.commands.get_mut(&id) else { continue };
            let mut changed = command.apply(Input::Shadow(view), now);
            if let Some(reason) = overwritten {
                changed |= command.apply(Input::Overwritten(reason), now);
            }
            if changed {
                let after = command.clone();
                self.changed(&after, now, effects);
            }
        }
    }

    /// The thing's commands of which something may still change, oldest first.
    pub(super) fn open_of(&self, key: ThingKey) -> Vec<CommandId> {
        let commands = self.things.get(&key).map(|thing| &thing.commands);
        commands.into_iter().flatten().filter(|id| self.open.contains(**id)).copied().collect()
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

    /// Sends whatever the thing's commands want sent now: one at a time a shadow, oldest first, withdrawals before new wishes.
    pub(super) fn drive(&mut self, key: ThingKey, now: Now, effects: &mut Effects) {
        if self.up_since.is_none() {
            return;
        }
        if self.is_direct(key) {
            return self.drive_directly(key, now, effects);
        }
        let mut busy: Vec<String> = Vec::new();
        for id in self.open_of(key) {
            let Some(command) = self.commands.get(&id).filter(|c| c.phase.is_open()) else { continue };
            self.in_flight.note(command);
            if command.phase == Phase::Pending && busy.contains(&command.shadow) {
                continue;
            }
            // It only waits for the device; of many at once there may be thousands, each with a shadow to unpack.
            if matches!(command.phase, Phase::Accepted { .. }) && command.left_ms(now) > 0 {
                continue;
            }
            let most = self.config.requests_in_flight;
            if command.begins_a_request() && !self.in_flight.let_out(command, most) {
                // What is newer does not pass it by.
                busy.push(command.shadow.clone());
                continue;
            }
            let Some(command) = self.commands.get_mut(&id) else { continue };
            let shadow = self.things.get(&key).and_then(|t| t.shadows.get(&command.shadow));
            let before = (command.phase.clone(), command.steps.len());
            let seen = Seen::of(shadow);
            let action = command.next(seen.view(), now);
            let changed = before != (command.phase.clone(), command.steps.len());
            let (name, token, after) = (command.shadow.clone(), command.token.clone(), command.clone());
            self.in_flight.note(&after);
            self.open.note(&after);
            if !matches!(after.phase, Phase::Accepted { .. }) && after.phase.is_open() {
                busy.push(name.clone());
            }
            if changed {
                self.changed(&after, now, effects);
            }
            match action {
                Some(Action::Get) => {
                    // The question is the command's own: an older open one must not swallow it.
                    if let Some(shadow) = self.things.get_mut(&key).and_then(|t| t.shadows.get_mut(&name)) {
                        shadow.asked = None;
                    }
                    self.get_shadow(key, &name, now, effects);
                }
                Some(Action::Update { desired, version }) => {
                    // Nothing is sent without its row in the same batch, not even again: the first one may have been left out.
                    if !changed {
                        self.written(&after, now, effects);
                    }
                    // Dropped rather than sent late, it is looked into when its time-out is over.
                    let withdrawing = !after.phase.is_waiting();
                    let left_ms =
                        if withdrawing { ANSWER_TIMEOUT_MS } else { after.left_ms(now).min(ANSWER_TIMEOUT_MS) };
                    let until = now.mono.plus(left_ms);
                    let payload = encode_update(&desired, version, &token);
                    self.publish_update(id, name, payload, until, effects);
                }
                None => {}
            }
        }
    }

    fn publish_update(
        &mut self,
        id: CommandId,
        shadow: String,
        payload: Vec<u8>,
        until: MonoMs,
        effects: &mut Effects,
    ) {
        let Some(thing) = self.commands.get(&id).and_then(|command| self.things.get(&command.thing)) else { return };
        let name = (!shadow.is_empty()).then_some(shadow);
        let topic = ShadowTopic::new(thing.name.as_str(), name, ShadowTopicKind::Request(Op::Update)).to_string();
        let publish = Publish { topic, payload, qos: Qos::AtLeastOnce, retain: false, until, command: Some(id) };
        effects.outward.push(Outward::Publish(publish));
    }

    pub(super) fn apply(&mut self, id: CommandId, input: Input<'_>, now: Now, effects: &mut Effects) {
        let Some(command) = self.commands.get_mut(&id) else { return };
        let is_changed = command.apply(input, now);
        // What it waits for on the wire may be another thing also where nothing of it is kept anew.
        self.open.note(command);
        if is_changed {
            let after = command.clone();
            self.changed(&after, now, effects);
        }
    }

    /// A command took a step: it is written down, shown, and what it means for others of the same leaf is done.
    pub(super) fn changed(&mut self, command: &Command, now: Now, effects: &mut Effects) {
        self.written(command, now, effects);
        self.open.note(command);
        self.open.moved(command.thing);
        if !command.phase.is_open() {
            self.in_flight.forget(command);
        }
        if matches!(command.phase, Phase::Accepted { .. }) {
            self.overtake(command, Phase::is_waiting, now, effects);
            self.rebase_newer(command, |want| Some(want.value.clone()), now, effects);
        } else if command.steps.last().is_some_and(|(step, _)| *step == Step::Withdrawn) {
            self.rebase_newer(command, |want| want.restore.clone(), now, effects);
        }
    }

    /// Older commands leave the leaves that `by` sets to it. What they would have put back, it will have to.
    pub(super) fn overtake(&mut self, by: &Command, ends: impl Fn(&Phase) -> bool, now: Now, effects: &mut Effects) {
        let mut inherited: Vec<Want> = Vec::new();
        for id in self.open_of(by.thing) {
            let Some(older) = self.commands.get_mut(&id) else { continue };
            if id >= by.id || !older.overlaps(by) || !ends(&older.phase) {
                continue;
            }
            if older.phase != Phase::Pending {
                inherited.extend(older.wants.iter().cloned());
            }
            if older.yield_to(by) {
                older.apply(Input::Overtaken { by: by.id }, now);
            }
            let after = older.clone();
            self.changed(&after, now, effects);
        }
        let Some(newer) = self.commands.get_mut(&by.id).filter(|_| !inherited.is_empty()) else { return };
        for want in &mut newer.wants {
            if let Some(theirs) = inherited.iter().find(|w| w.pointer == want.pointer) {
                want.restore.clone_from(&theirs.restore);
            }
        }
        let after = newer.clone();
        self.written(&after, now, effects);
    }

    /// A command is to be kept as it is now, told to the audit log, and shown.
    fn written(&mut self, command: &Command, now: Now, effects: &mut Effects) {
        effects.writes.push(Write::Command(Box::new(command.clone())));
        self.audit_steps(command, now, effects);
        self.tell_bulk(command, now, effects);
        self.dirty.things.insert(command.thing);
        self.dirty.commands.insert(command.id);
        self.look_at(command.thing);
    }

    /// What an older command of ours did to `desired` is no change by somebody else to the newer ones that wait behind it. And one that
    /// left before the older was over does not put back the value of that.
    fn rebase_newer(&mut self, older: &Command, left: impl Fn(&Want) -> Option<Json>, now: Now, effects: &mut Effects) {
        for id in self.open_of(older.thing) {
            let Some(newer) = self.commands.get_mut(&id) else { continue };
            if id <= older.id || newer.shadow != older.shadow {
                continue;
            }
            let is_pending = newer.phase == Phase::Pending;
            let mut rebased = false;
            for want in &mut newer.wants {
                let Some(theirs) = older.wants.iter().find(|w| w.pointer == want.pointer) else { continue };
                let puts_it_back = want.restore.as_ref().is_some_and(|restore| same_value(restore, &theirs.value));
                if is_pending {
                    want.before = left(theirs);
                }
                if is_pending || puts_it_back && want.restore != left(theirs) {
                    want.restore = left(theirs);
                    rebased = true;
                }
            }
            if rebased {
                let after = newer.clone();
                self.written(&after, now, effects);
            }
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

/// What a command sees of its shadow.
struct Seen {
    document: Option<Document>,
    current: bool,
    gets: u64,
}

impl Seen {
    fn of(shadow: Option<&super::Shadow>) -> Seen {
        Seen {
            document: shadow.and_then(|s| s.document.as_ref()).map(Packed::open),
            current: shadow.is_some_and(|s| s.current),
            gets: shadow.map_or(0, |s| u64::from(s.gets)),
        }
    }

    fn view(&self) -> ShadowView<'_> {
        let document = self.document.as_ref();
        ShadowView { document, version: document.map_or(0, |d| d.version), current: self.current, gets: self.gets }
    }
}
