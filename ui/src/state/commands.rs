//! The commands of all things as the window holds them: the outbox and the history.

use fleetlens_ipc::rows::CommandRow;
use fleetlens_ipc::{Look, Scope};
use fleetlens_model::id::CommandId;

use super::Store;
use super::cells::List;
use super::views::Target;
use crate::clock::Aged;

/// The most commands a view asks for.
const LIMIT: u32 = 500;

/// The commands of all things, newest first. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct AllCommands {
    /// Those of which something may still change.
    pub open: List<CommandId, CommandRow>,
    /// Those that are over.
    pub ended: List<CommandId, CommandRow>,
}

impl AllCommands {
    pub(super) fn new() -> AllCommands {
        AllCommands { open: List::new(), ended: List::new() }
    }

    pub(super) fn replace(self, scope: Scope, rows: Vec<CommandRow>, at_ms: f64) {
        self.list(scope).replace(rows, at_ms, |row| row.id);
    }

    pub(super) fn put(self, scope: Scope, row: CommandRow, at_ms: f64) {
        let id = row.id;
        self.list(scope).put(id, Aged { row, at_ms }, |other| other.id < id);
    }

    pub(super) fn gone(self, scope: Scope, id: CommandId) {
        self.list(scope).remove(&id);
    }

    pub(super) fn clear(self) {
        self.open.clear();
        self.ended.clear();
    }

    fn list(self, scope: Scope) -> List<CommandId, CommandRow> {
        match scope {
            Scope::Open => self.open,
            Scope::Ended => self.ended,
        }
    }
}

impl Store {
    /// Looks at the commands of all things for as long as the owner lives: [`Store::commands`] holds them.
    pub fn follow_commands(self, scope: Scope) {
        self.follow(Target::Commands(scope), Look::Commands { scope, limit: LIMIT });
    }
}
