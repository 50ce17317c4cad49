//! The commands of which something may still change, in the order in which time changes something of them: a tick looks at those that
//! are due and at the things of which a command took a step, however many others wait.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::command::{Command, Input};
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::{Effects, Fleet};

/// Commands that one tick looks at because they are due; the next looks at the others, so that thousands which end at the same moment
/// do not hold up everything else.
const DUE_A_TICK: usize = 500;

/// The commands of which something may still change.
#[derive(Debug)]
pub(super) struct Open {
    /// [`DUE_A_TICK`]; fewer in a test, so that they are met.
    pub(super) due_a_tick: usize,
    all: BTreeMap<CommandId, Noted>,
    by_mono: BTreeSet<(MonoMs, CommandId)>,
    by_wall: BTreeSet<(WallMs, CommandId)>,
    /// Those that people still wait for.
    waiting: usize,
    /// Things of which a command took a step: another one of theirs may be sent now.
    moved: BTreeSet<ThingKey>,
    /// Things of which their convention does not know yet how they are commanded.
    unknown: BTreeSet<ThingKey>,
}

/// A command as it was noted last.
#[derive(Clone, Copy, Debug)]
struct Noted {
    mono: Option<MonoMs>,
    wall: Option<WallMs>,
    is_waiting: bool,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            due_a_tick: DUE_A_TICK,
            all: BTreeMap::new(),
            by_mono: BTreeSet::new(),
            by_wall: BTreeSet::new(),
            waiting: 0,
            moved: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }
}

impl Open {
    pub(super) fn contains(&self, id: CommandId) -> bool {
        self.all.contains_key(&id)
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = CommandId> + '_ {
        self.all.keys().copied()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes a command as it is now; one that is over is forgotten.
    pub(super) fn note(&mut self, command: &Command) {
        let id = command.id;
        if let Some(before) = self.all.remove(&id) {
            before.mono.map(|at| self.by_mono.remove(&(at, id)));
            before.wall.map(|at| self.by_wall.remove(&(at, id)));
            self.waiting -= usize::from(before.is_waiting);
        }
        if !command.phase.is_open() {
            return;
        }
        let (mono, wall) = command.due();
        self.by_mono.extend(mono.map(|at| (at, id)));
        self.by_wall.extend(wall.map(|at| (at, id)));
        let is_waiting = command.phase.is_waiting();
        self.waiting += usize::from(is_waiting);
        self.all.insert(id, Noted { mono, wall, is_waiting });
    }

    /// The next tick looks what of this thing is to be sent.
    pub(super) fn moved(&mut self, thing: ThingKey) {
        self.moved.insert(thing);
    }

    /// Nobody knows yet how a thing is commanded.
    pub(super) fn is_unknown(&mut self, thing: ThingKey) {
        self.unknown.insert(thing);
    }

    /// A convention heard something: perhaps it knows now.
    pub(super) fn heard(&mut self) {
        self.moved.append(&mut self.unknown);
    }

    /// Those of which time changes something now, the longest due first by either clock.
    pub(super) fn due(&self, now: Now) -> BTreeSet<CommandId> {
        let by_mono = self.by_mono.iter().take_while(|(at, _)| *at <= now.mono).map(|(_, id)| *id);
        let by_wall = self.by_wall.iter().take_while(|(at, _)| *at <= now.wall).map(|(_, id)| *id);
        by_mono.take(self.due_a_tick).chain(by_wall.take(self.due_a_tick)).collect()
    }
}

impl Fleet {
    /// With each tick.
    pub(super) fn commands_in_time(&mut self, now: Now, effects: &mut Effects) {
        for id in self.open.due(now) {
            if let Some(thing) = self.commands.get(&id).map(|command| command.thing) {
                self.open.moved(thing);
            }
            self.apply(id, Input::TimePassed, now, effects);
        }
        for key in std::mem::take(&mut self.open.moved) {
            self.drive(key, now, effects);
        }
        // Before anything else asks for the shadows of those that find room now.
        self.fill_the_wire(now, effects);
    }

    pub(super) fn commands_lost_the_link(&mut self, now: Now, effects: &mut Effects) {
        self.in_flight.clear();
        for id in self.open.iter().collect::<Vec<_>>() {
            self.apply(id, Input::LinkLost, now, effects);
        }
    }

    pub(super) fn things_with_open_commands(&self) -> BTreeSet<ThingKey> {
        self.open.iter().filter_map(|id| self.commands.get(&id)).map(|command| command.thing).collect()
    }

    /// Commands that people still wait for.
    pub(crate) fn waiting_commands(&self) -> usize {
        self.open.waiting()
    }
}
