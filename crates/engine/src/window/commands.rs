//! The commands of all things: the outbox, or what became of those that are over. After the snapshot only rows that differ.

use std::collections::BTreeSet;

use fleetlens_ipc::Scope;
use fleetlens_ipc::rows::{Change, CommandRow, Rows};
use fleetlens_model::id::CommandId;
use fleetlens_model::time::Now;

use super::Told;
use super::page::command_row;
use crate::fleet::{Dirty, Fleet};

#[derive(Debug)]
pub(super) struct CommandsView {
    scope: Scope,
    limit: usize,
    shown: BTreeSet<CommandId>,
    changed: BTreeSet<CommandId>,
}

impl CommandsView {
    pub(super) fn new(scope: Scope, limit: u32) -> CommandsView {
        let limit = limit.clamp(1, 2_000) as usize;
        CommandsView { scope, limit, shown: BTreeSet::new(), changed: BTreeSet::new() }
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        self.changed.extend(&dirty.commands);
        !self.changed.is_empty()
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let changed = std::mem::take(&mut self.changed);
        let listed: BTreeSet<CommandId> = fleet.command_ids(self.scope).take(self.limit).collect();
        let before = std::mem::replace(&mut self.shown, listed);
        let row = |id: &CommandId| -> Option<CommandRow> {
            let command = fleet.commands.get(id)?;
            Some(command_row(command, fleet.things.get(&command.thing)?, fleet, now))
        };
        if first {
            return Told::All(Rows::Commands(self.shown.iter().rev().filter_map(row).collect()));
        }
        let gone = before.difference(&self.shown).copied().map(Change::CommandGone);
        let told = self.shown.iter().filter(|id| changed.contains(id) || !before.contains(id));
        Told::Some(gone.chain(told.filter_map(row).map(Change::Command)).collect())
    }
}
