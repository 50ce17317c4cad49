//! Opening a thing of which only the name is known, e.g. the gateway that another thing names.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::FoundRow;
use fleetlens_model::query::in_quotes_if_needed;
use leptos::prelude::*;
use tr::tr;

use super::Store;
use super::views::Target;

/// How many are looked at for the one of exactly that name.
const LIMIT: u32 = 200;

impl Store {
    /// Opens the thing of this name once the host has told which one that is; tells the person when there is none.
    pub fn open_named(self, name: &str) {
        self.named.set_value(name.to_owned());
        self.whereabouts.page.set_value(false);
        // A name may have signs in it that a query reads otherwise.
        self.look(Target::Named, Look::Find { text: format!("name:{}", in_quotes_if_needed(name)), limit: LIMIT });
    }

    pub(super) fn found_named(self, rows: &[FoundRow]) {
        self.away(Target::Named);
        let name = self.named.get_value();
        match rows.iter().find(|row| row.name == name) {
            Some(row) => {
                self.open(row.thing);
                self.page.set(self.whereabouts.page.get_value());
            }
            None => self.notify(tr!("{} has not said anything yet, so there is nothing to show of it", name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::ThingKey;
    use fleetlens_model::kind::Kind;

    use super::*;

    fn row(key: u32, name: &str) -> FoundRow {
        FoundRow {
            thing: ThingKey(key),
            name: name.into(),
            title: name.into(),
            place: String::new(),
            kind: Kind::Gateway,
            status: 0,
            at: None,
        }
    }

    #[test]
    fn only_the_thing_of_exactly_that_name_is_opened() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            store.open_named("gateway-1");
            store.found_named(&[row(11, "gateway-11"), row(1, "gateway-1")]);
            assert_eq!(store.selected.get_untracked(), Some(ThingKey(1)));
            store.close();
            store.found_named(&[row(11, "gateway-11")]);
            assert_eq!(store.selected.get_untracked(), None);
            assert_eq!(store.notices.with_untracked(Vec::len), 1, "and the person is told");
        });
    }
}
