//! How many requests of commands are on the wire at once: some a thing, some in all, so that a thousand commands are no storm.
//!
//! Who finds no room waits here, withdrawals before new wishes and the oldest first. One thing cannot keep others out, since it never has
//! more than its own share. A thing without a shadow is not counted: nothing answers what is sent to it.

use std::collections::BTreeSet;

use fleetlens_model::command::Command;
use fleetlens_model::id::{CommandId, ThingKey};
use fleetlens_model::shadow::limits::REQUESTS_IN_FLIGHT;
use fleetlens_model::time::Now;

use super::{Effects, Fleet};

/// The requests of commands that are on the wire, and the commands that wait for room.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    on_the_wire: BTreeSet<(ThingKey, CommandId)>,
    /// What takes something back comes first.
    waiting: BTreeSet<(bool, CommandId)>,
}

impl InFlight {
    /// The link is gone, and with it everything that was on the wire.
    pub(super) fn clear(&mut self) {
        *self = InFlight::default();
    }

    /// Nothing of this command will be sent any more.
    pub(super) fn forget(&mut self, command: &Command) {
        self.on_the_wire.remove(&(command.thing, command.id));
        self.waiting.remove(&(false, command.id));
        self.waiting.remove(&(true, command.id));
    }

    /// Counts a command as it is now.
    pub(super) fn note(&mut self, command: &Command) {
        if command.is_on_the_wire() {
            self.on_the_wire.insert((command.thing, command.id));
            self.waiting.remove(&(command.phase.is_waiting(), command.id));
        } else {
            self.on_the_wire.remove(&(command.thing, command.id));
        }
    }

    /// Whether a request of this command may begin, of `most` in all. If not it waits for its turn, but where its thing has its share
    /// on the wire: then that is the thing's next answer.
    pub(super) fn let_out(&mut self, command: &Command, most: usize) -> bool {
        let its = (command.thing, CommandId(0))..=(command.thing, CommandId(u64::MAX));
        if self.on_the_wire.range(its).count() >= REQUESTS_IN_FLIGHT {
            return false;
        }
        let turn = (command.phase.is_waiting(), command.id);
        let is_next = self.waiting.first().is_none_or(|first| turn <= *first);
        if self.on_the_wire.len() < most && is_next {
            return true;
        }
        // It may have waited to go out, and waits to be taken back now.
        self.waiting.remove(&(!turn.0, turn.1));
        self.waiting.insert(turn);
        false
    }
}

impl Fleet {
    /// Lets out what waits, as far as there is room.
    pub(super) fn fill_the_wire(&mut self, now: Now, effects: &mut Effects) {
        // The first in turn goes out, or has nothing to send any more, or its thing has its share: it does not come back.
        while self.in_flight.on_the_wire.len() < self.config.requests_in_flight {
            let Some((_, id)) = self.in_flight.waiting.pop_first() else { return };
            if let Some(key) = self.commands.get(&id).map(|command| command.thing) {
                self.drive(key, now, effects);
            }
        }
    }

    /// Requests of commands that are on the wire, and commands that wait for room.
    pub(crate) fn requests(&self) -> (usize, usize) {
        (self.in_flight.on_the_wire.len(), self.in_flight.waiting.len())
    }
}
