//! Where the window is, as an address, and how it goes where one leads: a link, the page's own address, what a window was before. Whoever
//! wrote an address decides what is seen and nothing else.

use fleetlens_ipc::address::{Address, AddressError};
use fleetlens_ipc::rows::AlarmRow;
use fleetlens_ipc::{AlarmScope, Look, ThingsQuery};
use fleetlens_model::id::{AlarmId, ThingName};
use leptos::prelude::*;
use tr::tr;

use super::Store;
use super::section::{OF_DRIVER, OnScreen, Section};
use super::thing::Slot;
use super::views::Target;
use crate::format;
use crate::islands::arrival::Sight;
use crate::lang::said;

/// The most alarms that are looked through for the one that is meant.
const LIMIT: u32 = 2000;

/// Where the window is and where it is to go. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Whereabouts {
    /// Where it is to go, once it is known who is there.
    pub wanted: RwSignal<Option<Result<Address, AddressError>>>,
    /// Where the map was left in this window, by hand.
    pub map_left: RwSignal<Option<Sight>>,
    /// Where its map begins, whatever was left in others.
    pub map_begins: StoredValue<Option<Sight>>,
    /// The board that is to be opened.
    pub(super) board: StoredValue<Option<String>>,
    /// The alarm whose thing is to be opened, and whether a list in which it was not may go on.
    alarm: StoredValue<Option<(AlarmId, bool)>>,
    /// Whether the thing that is about to be opened fills the window.
    pub(super) page: StoredValue<bool>,
}

impl Whereabouts {
    pub(super) fn new() -> Whereabouts {
        Whereabouts {
            wanted: RwSignal::new(None),
            map_left: RwSignal::new(None),
            map_begins: StoredValue::new(None),
            board: StoredValue::new(None),
            alarm: StoredValue::new(None),
            page: StoredValue::new(false),
        }
    }
}

impl Store {
    /// What the window shows, as others would come to it; `None` while what it is about to show is on its way. Tracked.
    pub fn address(self) -> Option<Address> {
        let section = self.section.get();
        let thing = self.thing.with(|slot| match slot {
            Slot::Here(thing) => Some(Some(thing.head.with(|head| head.row.name.clone()))),
            Slot::Loading(_) => Some(None),
            Slot::Closed | Slot::Missing(_) => None,
        });
        if let Some(name) = thing {
            // The host has it under this name, so it is one.
            let name = ThingName::new(name?).ok()?;
            return Some(Address::Thing { name, over: section, page: self.page.get() });
        }
        let shown = match section {
            Section::Map => match self.whereabouts.map_left.get() {
                Some(Sight { center, zoom }) => Address::Spot { center, zoom },
                None => Address::View(Section::Map),
            },
            Section::Things => match self.things.query.with(|query| query.text.trim().to_owned()) {
                text if text.is_empty() => Address::View(Section::Things),
                text => Address::Find(text),
            },
            Section::Boards => {
                let id = self.boards.origin.with(|origin| origin.as_ref().and_then(|origin| origin.id.clone()));
                id.map_or(Address::View(Section::Boards), Address::Board)
            }
            Section::Alarms | Section::Commands | Section::Jobs | Section::Settings => Address::View(section),
        };
        // What a person is typing may be no text of an address; where they are is still known.
        Some(if Address::read(&shown.to_string()).is_ok() { shown } else { Address::View(section) })
    }

    /// Forgets where the window was and was to go: with another fleet that is somewhere else, or nowhere.
    pub(super) fn forget_whereabouts(self) {
        let Whereabouts { wanted: _, map_left, map_begins, board, alarm, page } = self.whereabouts;
        map_left.set(None);
        map_begins.set_value(None);
        board.set_value(None);
        alarm.set_value(None);
        page.set_value(false);
    }

    /// What the window shows, in words for the list of windows. Tracked.
    pub fn title(self) -> String {
        let thing = self.thing.with(|slot| match slot {
            Slot::Here(thing) => Some(thing.head.with(|head| head.row.title.clone())),
            Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
        });
        let board = || {
            let title = self.boards.laid.with(|laid| laid.board.name.clone());
            (self.section.get() == Section::Boards && !title.is_empty()).then_some(title)
        };
        let words = thing.or_else(board).unwrap_or_else(|| self.section.get().label().to_owned());
        format!("{words} · Fleetlens")
    }

    /// Goes where an address leads, as whoever is at the screen may: a driver's window has no things and no alarms.
    pub fn go_to(self, address: Address, is_driver: bool) {
        let section = match &address {
            Address::View(view) => *view,
            Address::Spot { .. } => Section::Map,
            Address::Thing { .. } | Address::Find(_) => Section::Things,
            Address::Alarm(_) => Section::Alarms,
            Address::Board(_) => Section::Boards,
        };
        if is_driver && !OF_DRIVER.contains(&section) {
            let what = format::noun(section.label());
            return self.notify(tr!(
                "This link leads to {}, which a driver's window does not have. Another role is chosen in the settings.",
                what
            ));
        }
        match address {
            Address::View(_) => self.go(section),
            Address::Spot { center, zoom } => self.show_sight(Sight { center, zoom }),
            Address::Thing { name, over, page } => {
                // Without a word of it the thing lies over whatever is there.
                if over != Section::Map {
                    self.go(over);
                }
                self.open_named(name.as_str());
                self.whereabouts.page.set_value(page);
            }
            Address::Alarm(alarm) => {
                self.go(Section::Alarms);
                self.whereabouts.alarm.set_value(Some((alarm, false)));
                self.seek_alarm(AlarmScope::Open);
            }
            Address::Find(text) => {
                let (sort, descending) = self.things.query.with_untracked(|query| (query.sort, query.descending));
                self.show_things(ThingsQuery { text, sort, descending, ..ThingsQuery::default() });
                self.go(Section::Things);
            }
            Address::Board(id) => {
                self.go(Section::Boards);
                self.open_board(id);
            }
        }
    }

    /// Says why a link leads nowhere.
    pub fn refuse_link(self, error: &AddressError) {
        self.notify(tr!("This link leads nowhere: {}.", error));
    }

    /// The map moves there, or begins there.
    fn show_sight(self, sight: Sight) {
        self.whereabouts.map_left.set(Some(sight));
        self.go(Section::Map);
        // One that is there moves now; it would begin there a second time with the next profile.
        if !self.map_known.get_untracked() {
            self.whereabouts.map_begins.set_value(Some(sight));
        } else {
            let (area, zoom) = (fleetlens_model::geo::GeoBox::of(sight.center), Some(sight.zoom));
            self.show_spot(super::palette::Spot { name: said("the place of this link").into(), area, zoom });
        }
    }

    /// Looks for the alarm that is meant among these, and then among the others.
    fn seek_alarm(self, scope: AlarmScope) {
        self.look(Target::SoughtAlarm(scope), Look::Alarms { scope, limit: LIMIT });
    }

    pub(super) fn sought_alarms(self, scope: AlarmScope, rows: &[AlarmRow]) {
        self.away(Target::SoughtAlarm(scope));
        let Some((alarm, was_cut)) = self.whereabouts.alarm.get_value() else { return };
        let is_cut = was_cut || rows.len() >= LIMIT as usize;
        if let Some(row) = rows.iter().find(|row| row.id == alarm) {
            self.whereabouts.alarm.set_value(None);
            return self.open(row.thing);
        }
        self.whereabouts.alarm.set_value(Some((alarm, is_cut)));
        match scope {
            AlarmScope::Open => self.seek_alarm(AlarmScope::Hidden),
            AlarmScope::Hidden => self.seek_alarm(AlarmScope::Ended),
            AlarmScope::Ended => {
                self.whereabouts.alarm.set_value(None);
                let number = alarm.0;
                self.notify(match is_cut {
                    true => tr!(
                        "Alarm {number} is not among the first {most}, as far as links look for one.",
                        number,
                        most = LIMIT
                    ),
                    false => tr!(
                        "There is no alarm {} here, or it is long over. Numbers of alarms are each program's own.",
                        number
                    ),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;

    use super::*;

    fn read(text: &str) -> Address {
        Address::read(text).unwrap()
    }

    fn notices(store: Store) -> Vec<String> {
        store.notices.with_untracked(|all| all.iter().map(|notice| notice.message.clone()).collect())
    }

    #[test]
    fn the_window_goes_where_an_address_leads_and_is_there_then() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            for words in ["view/things", "view/alarms", "view/settings", "find?q=kind%3Alamp", "view/jobs"] {
                store.go_to(read(words), false);
                assert_eq!(untrack(|| store.address()).map(|at| at.to_string()).as_deref(), Some(words));
            }
            store.go_to(read("view/map?at=35.9,14.5,12"), false);
            let begins = store.whereabouts.map_begins.get_value();
            assert_eq!(begins, LonLat::new(14.5, 35.9).map(|center| Sight { center, zoom: 12.0 }));
            let at = untrack(|| store.address()).map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some("view/map?at=35.900000,14.500000,12.00"));
            assert_eq!(notices(store), Vec::<String>::new());
        });
    }

    #[test]
    fn a_driver_is_told_that_a_link_leads_where_they_have_nothing() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            for words in ["thing/lamp-1", "alarm/7", "view/commands", "find?q=x"] {
                store.go_to(read(words), true);
            }
            assert_eq!(store.section.get_untracked(), Section::Map);
            let told = notices(store);
            assert!(told.len() == 3 && told.iter().all(|told| told.contains("driver's window")), "{told:?}");
            store.go_to(read("view/boards"), true);
            assert_eq!(store.section.get_untracked(), Section::Boards);
        });
    }

    #[test]
    fn an_alarm_that_is_not_here_is_told_and_nothing_opens() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            store.go_to(read("alarm/7"), false);
            for scope in [AlarmScope::Open, AlarmScope::Hidden, AlarmScope::Ended] {
                store.sought_alarms(scope, &[]);
            }
            let told = notices(store);
            assert!(told.len() == 1 && told[0].contains("no alarm 7"), "{told:?}");
            assert_eq!(store.selected.get_untracked(), None);
            store.sought_alarms(AlarmScope::Ended, &[]);
            assert_eq!(notices(store).len(), 1, "nobody asks any more");
        });
    }

    #[test]
    fn what_is_typed_and_is_no_address_leaves_the_window_where_it_is() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            store.go_to(read("find?q=x"), false);
            for text in ["x".repeat(5_000), "a\u{202e}b".to_owned()] {
                store.things.query.update(|query| query.text = text);
                assert_eq!(untrack(|| store.address()), Some(Address::View(Section::Things)));
            }
        });
    }

    #[test]
    fn another_fleet_begins_where_nobody_was() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            store.go_to(read("view/map?at=35.9,14.5,12"), false);
            store.go_to(read("alarm/7"), false);
            store.forget_whereabouts();
            assert_eq!(store.whereabouts.map_begins.get_value(), None);
            store.go(Section::Map);
            assert_eq!(untrack(|| store.address()), Some(Address::View(Section::Map)));
            store.sought_alarms(AlarmScope::Ended, &[]);
            assert_eq!(notices(store), Vec::<String>::new(), "nobody looks for the alarm any more");
            store.map_known.set(true);
            store.go_to(read("view/map?at=35.9,14.5,12"), false);
            assert_eq!(store.whereabouts.map_begins.get_value(), None, "a map that is there moves instead");
        });
    }
}
