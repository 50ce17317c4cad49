//! Commands on their way: what is sent for them now, what an answer or a changed shadow means to them, and what a step of one means for
//! the others of its thing.

use fleetlens_model::command::{ANSWER_TIMEOUT_MS, Action, Command, Input, Phase, ShadowView, Step, Want};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::record::Write;
use fleetlens_model::shadow::{Document, Packed, same_value};
use fleetlens_model::time::{MonoMs, Now};
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, encode_update};
use serde_json::Value as Json;

use super::{Effects, Fleet, Outward};
use crate::port::{Publish, Qos};

impl Fleet {
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
    pub(super) fn written(&mut self, command: &Command, now: Now, effects: &mut Effects) {
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
}

/// What a command sees of its shadow.
pub(super) struct Seen {
    document: Option<Document>,
    current: bool,
    gets: u64,
}

impl Seen {
    pub(super) fn of(shadow: Option<&super::Shadow>) -> Seen {
        Seen {
            document: shadow.and_then(|s| s.document.as_ref()).map(Packed::open),
            current: shadow.is_some_and(|s| s.current),
            gets: shadow.map_or(0, |s| u64::from(s.gets)),
        }
    }

    pub(super) fn view(&self) -> ShadowView<'_> {
        let document = self.document.as_ref();
        ShadowView { document, version: document.map_or(0, |d| d.version), current: self.current, gets: self.gets }
    }
}
