//! Opening a thing of which only the name is known, e.g. the gateway that another thing names.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::FoundRow;
use leptos::prelude::*;

use super::Store;
use super::views::Target;

/// How many are looked at for the one of exactly that name.
const LIMIT: u32 = 200;

impl Store {
    /// Opens the thing of this name once the host has told which one that is; tells the person when there is none.
    pub fn open_named(self, name: &str) {
        self.named.set_value(name.to_owned());
        self.look(Target::Named, Look::Find { text: name.to_owned(), limit: LIMIT });
    }

    pub(super) fn found_named(self, rows: &[FoundRow]) {
        self.away(Target::Named);
        let name = self.named.get_value();
        match rows.iter().find(|row| row.name == name) {
            Some(row) => self.open(row.thing),
            None => self.notify(format!("{name} has not said anything yet, so there is nothing to show of it")),
        }
    }
}
