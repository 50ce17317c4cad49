//! What the window knows, as signals, and how frames change it. Components read from here and say what they want through
//! [`Store::ask`]; nothing else talks to the bridge.

pub mod alarm_table;
pub mod alarms;
pub mod areas;
mod asking;
pub mod boards;
pub mod bulk;
pub mod cells;
pub mod chart;
pub mod chosen;
pub mod commands;
mod following;
mod frames;
pub mod jobs;
pub mod layers;
mod line;
pub mod messages;
mod named;
pub mod not_converged;
pub mod palette;
pub mod parking;
pub mod profiles;
pub mod replay;
pub mod rules;
pub mod section;
pub mod settings;
mod shadow_history;
pub mod small;
pub mod stretch;
pub mod thing;
pub mod things;
pub mod views;
pub mod whereabouts;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use fleetlens_ipc::profile::Trial;
use fleetlens_ipc::rows::{Attention, CommandRow, FoundRow, Ground, LinkState, Settings, Status, ThingHead, ValueRow};
use fleetlens_ipc::{Call, Look, RequestId};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Vocabulary;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use crate::bridge::{Bridge, Line};
use crate::clock::Aged;
use crate::islands::marks::Marks;
use crate::islands::outline::Tool;
use crate::state::alarm_table::AlarmTable;
use crate::state::alarms::Alarms;
use crate::state::asking::Waiting;
use crate::state::boards::Boards;
use crate::state::bulk::Bulks;
use crate::state::chart::Charts;
use crate::state::chosen::Chosen;
use crate::state::commands::AllCommands;
use crate::state::jobs::Jobs;
use crate::state::layers::Layers;
use crate::state::messages::Messages;
use crate::state::not_converged::NotConverged;
use crate::state::palette::Palette;
use crate::state::parking::Parking;
use crate::state::profiles::Setup;
use crate::state::replay::Replay;
use crate::state::section::Section;
use crate::state::thing::Slot;
use crate::state::things::Things;
use crate::state::views::{Target, Views};

/// How many things the find box lists.
pub const FIND_LIMIT: u32 = 50;

/// How many things that need a person are listed.
const ATTENTION_LIMIT: u32 = 50;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Something to look at; it stays until it is dismissed.
    Trouble,
    /// The cache, of which the status says more for as long as it is so.
    Cache,
    /// What a person did went well and shows nowhere else; it goes by itself.
    Done,
}

/// How long it is said that something went well.
const DONE_STAYS: Duration = Duration::from_secs(4);

/// Something a person should know although nobody asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Unique within the window.
    pub id: u32,
    /// The sentence.
    pub message: String,
    /// What it is about.
    pub about: About,
}

/// The window has lost its host, which in an app cannot be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Since when, by the host's clock; `None` when it never spoke.
    pub since_ms: Option<WallMs>,
    /// What is known of the line.
    pub line: Line,
}

/// The state of the window. Copy: it is a bundle of signals.
#[derive(Clone, Copy)]
pub struct Store {
    /// The app as a whole; `None` until the host spoke.
    pub status: RwSignal<Option<Aged<Status>>>,
    /// While the window has lost its host.
    pub cut: RwSignal<Option<Cut>>,
    /// Whether our link is up, and the window hears of it.
    pub link_up: Memo<bool>,
    /// The thing in the drawer or on the page.
    pub thing: RwSignal<Slot>,
    /// Which thing is open.
    pub selected: Memo<Option<ThingKey>>,
    /// Whether the open thing fills the window.
    pub page: RwSignal<bool>,
    /// The thing under the pointer.
    pub hovered: RwSignal<Option<Aged<ThingHead>>>,
    /// The chart of the open thing.
    pub charts: Charts,
    /// Other things, for the chart; `None` while none are looked for or the answer is out.
    pub others: RwSignal<Option<Vec<FoundRow>>>,
    /// The values of the other thing that was chosen, and what people call it.
    pub other: RwSignal<Option<(String, Vec<ValueRow>)>>,
    /// What was found; `None` while nothing is looked for or the first answer is out.
    pub found: RwSignal<Option<Vec<FoundRow>>>,
    /// The text that `found` answers, which may be older than what stands in the box.
    pub found_for: RwSignal<String>,
    /// The text last asked for.
    sought: StoredValue<String>,
    /// What the command palette finds.
    pub palette: Palette,
    /// Districts and rules, by which searches are completed; nothing else of it is filled.
    pub words: RwSignal<Vocabulary>,
    /// The name of the thing that is about to be opened ([`Store::open_named`]).
    named: StoredValue<String>,
    /// What needs a person.
    pub attention: RwSignal<Aged<Attention>>,
    /// Notices not yet dismissed, oldest first.
    pub notices: RwSignal<Vec<Notice>>,
    /// A command that is to be decided about as soon as the page of its thing is there. Whole: the page has only the newest.
    pub decided: RwSignal<Option<CommandRow>>,
    /// Since when live values are held still, by the person's wish.
    pub held: RwSignal<Option<WallMs>>,
    /// What the map stands on, as it was when last asked for; `None` until the host told it.
    pub ground: RwSignal<Option<Ground>>,
    /// Rises when a person wants to see the whole fleet.
    pub fleet_wanted: RwSignal<u32>,
    /// Rises when the map's marks changed.
    pub marks_changed: RwSignal<u64>,
    /// Whether a picture of the map has come, be it empty.
    pub map_known: RwSignal<bool>,
    /// How many marks the last picture of the map held over all of its ground; `None` before the first.
    pub map_drawn: RwSignal<Option<usize>>,
    /// How many it held while the ground was still coming; `None` before the first, and no longer true once there is ground.
    pub map_shown: RwSignal<Option<usize>>,
    /// Kinds the person does not want on the map.
    pub hidden: RwSignal<Vec<Kind>>,
    /// What the map shows besides marks.
    pub layers: RwSignal<Layers>,
    /// Which part of the desktop's window lies over the map.
    pub section: RwSignal<Section>,
    /// What the pointer draws on the map to choose things; `None` while it moves the map.
    pub map_tool: RwSignal<Option<Tool>>,
    /// The areas that rules name, and the one that is being drawn.
    pub areas: areas::AreaDesk,
    /// The table of things.
    pub things: Things,
    /// The small charts in it.
    pub small: small::SmallCharts,
    /// What is chosen in it, or on the map.
    pub chosen: Chosen,
    /// Boards.
    pub boards: Boards,
    /// Bulk commands.
    pub bulks: Bulks,
    /// The alarms; there while somebody follows them ([`Store::follow_alarms`]).
    pub alarms: Alarms,
    /// The table of alarms; there while somebody looks at it ([`Store::look_at_alarms`]).
    pub alarm_table: AlarmTable,
    /// The commands of all things; there while somebody follows them ([`Store::follow_commands`]).
    pub commands: AllCommands,
    /// What is wanted and not so for too long; there while somebody follows it ([`Store::follow_not_converged`]).
    pub not_converged: NotConverged,
    /// Jobs and firmware; there while somebody follows them ([`Store::follow_jobs`]).
    pub jobs: Jobs,
    /// Car parks near the place asked for.
    pub parking: Parking,
    /// The last messages of a thing.
    pub messages: Messages,
    /// How the program is set; there while somebody follows it ([`Store::follow_settings`]).
    pub settings: RwSignal<Option<Settings>>,
    /// Which profile is made or changed, if one is.
    pub setup: RwSignal<Option<Setup>>,
    /// The page of rules.
    pub rules: rules::RuleDesk,
    /// The time bar, and the past where that is shown.
    pub replay: Replay,
    /// Whether the settings show how the program stands instead.
    pub diagnosing: RwSignal<bool>,
    /// The try of a broker, as the host last told of it.
    pub trial: RwSignal<Option<Trial>>,
    /// Rises when the host began anew with another fleet: whatever a view remembers of the old one is worth nothing.
    pub begun: RwSignal<u32>,
    /// What the window cannot do without: why the host cannot be reached.
    pub stranded: RwSignal<Option<String>>,
    /// Where the window is, as an address, and where it is to go.
    pub whereabouts: whereabouts::Whereabouts,
    inner: StoredValue<Inner, LocalStorage>,
}

struct Inner {
    bridge: Option<Bridge>,
    /// The profile that the host told of last; beyond [`Frame::Begin`], since the same one may begin anew.
    profile: Option<String>,
    views: Views,
    /// Views that were not followed while live values were held.
    behind: BTreeSet<Target>,
    /// How many follow a view that several parts of the window share.
    followers: BTreeMap<Target, u32>,
    answers: BTreeMap<RequestId, Waiting>,
    last_request: u32,
    last_notice: u32,
    /// The newest parcel that the host does not know to be seen.
    unseen: Option<frames::Unseen>,
    marks: Rc<RefCell<Marks>>,
}

impl Store {
    /// An empty window.
    pub fn new() -> Store {
        let status = RwSignal::new(None::<Aged<Status>>);
        let cut = RwSignal::new(None);
        let thing = RwSignal::new(Slot::Closed);
        let is_up = move |known: &Option<Aged<Status>>| {
            known.as_ref().is_some_and(|s| matches!(s.row.link, LinkState::Up { .. }))
        };
        Store {
            status,
            cut,
            link_up: Memo::new(move |_| cut.get().is_none() && status.with(is_up)),
            thing,
            selected: Memo::new(move |_| thing.with(Slot::key)),
            page: RwSignal::new(false),
            hovered: RwSignal::new(None),
            charts: Charts::new(),
            others: RwSignal::new(None),
            other: RwSignal::new(None),
            found: RwSignal::new(None),
            found_for: RwSignal::new(String::new()),
            sought: StoredValue::new(String::new()),
            palette: Palette::new(),
            words: palette::no_words(),
            named: StoredValue::new(String::new()),
            attention: RwSignal::new(Aged { row: Attention::default(), at_ms: 0.0 }),
            notices: RwSignal::new(Vec::new()),
            decided: RwSignal::new(None),
            held: RwSignal::new(None),
            ground: RwSignal::new(None),
            fleet_wanted: RwSignal::new(0),
            marks_changed: RwSignal::new(0),
            map_known: RwSignal::new(false),
            map_drawn: RwSignal::new(None),
            map_shown: RwSignal::new(None),
            hidden: RwSignal::new(Vec::new()),
            layers: RwSignal::new(Layers::default()),
            section: RwSignal::new(Section::default()),
            map_tool: RwSignal::new(None),
            areas: areas::AreaDesk::new(),
            things: Things::new(),
            small: small::SmallCharts::new(),
            chosen: Chosen::new(),
            boards: Boards::new(),
            bulks: Bulks::new(),
            alarms: Alarms::new(),
            alarm_table: AlarmTable::new(),
            commands: AllCommands::new(),
            not_converged: NotConverged::new(),
            jobs: Jobs::new(),
            parking: Parking::new(),
            messages: Messages::new(),
            settings: RwSignal::new(None),
            setup: RwSignal::new(None),
            rules: rules::RuleDesk::new(),
            replay: Replay::new(),
            diagnosing: RwSignal::new(false),
            trial: RwSignal::new(None),
            begun: RwSignal::new(0),
            stranded: RwSignal::new(None),
            whereabouts: whereabouts::Whereabouts::new(),
            inner: StoredValue::new_local(Inner {
                bridge: None,
                profile: None,
                views: Views::default(),
                behind: BTreeSet::new(),
                followers: BTreeMap::new(),
                answers: BTreeMap::new(),
                last_request: 0,
                last_notice: 0,
                unseen: None,
                marks: Rc::default(),
            }),
        }
    }

    /// The marks of the map, which the live layer draws.
    pub fn marks(self) -> Rc<RefCell<Marks>> {
        self.inner.with_value(|inner| Rc::clone(&inner.marks))
    }

    /// The wall clock of the host now, by its last word and our own monotonic time; `None` until it spoke.
    pub fn wall_now(self, now_ms: f64) -> Option<WallMs> {
        self.status.with(|status| {
            let status = status.as_ref()?;
            Some(status.row.wall_ms.plus(i64::try_from(status.elapsed_ms(now_ms)).unwrap_or(0)))
        })
    }

    /// Looks at an area of the map.
    pub fn look_at_area(self, area: GeoBox) {
        self.look(Target::Map, Look::Map { area });
    }

    /// Asks where the fleet is, things of these kinds or all, and where there are tiles; told again while it changes.
    pub fn look_at_ground(self, kinds: Vec<Kind>) {
        self.look(Target::Ground, Look::Ground { kinds });
    }

    /// The map has begun.
    pub fn look_away_from_ground(self) {
        self.away(Target::Ground);
    }

    /// Shows the whole fleet on the map.
    pub fn show_fleet(self) {
        self.go(Section::Map);
        self.fleet_wanted.update(|times| *times += 1);
    }

    /// Opens a thing in the drawer.
    pub fn open(self, thing: ThingKey) {
        // One that was not there a moment ago may be by now.
        let missing = self.thing.with_untracked(|slot| matches!(slot, Slot::Missing(_)));
        if self.selected.get_untracked() == Some(thing) && !missing {
            return;
        }
        self.decided.set(None);
        self.look_at_charts(&BTreeMap::new());
        self.look_away_from_others();
        self.thing.set(Slot::Loading(thing));
        self.mark(|marks| marks.select(Some(thing)));
        self.look(Target::Thing, Look::Thing { thing });
    }

    /// Closes the drawer and the page.
    pub fn close(self) {
        self.page.set(false);
        self.decided.set(None);
        self.thing.set(Slot::Closed);
        self.mark(|marks| marks.select(None));
        self.away(Target::Thing);
        self.look_at_charts(&BTreeMap::new());
        self.look_away_from_others();
    }

    /// Asks for the thing under the pointer, or for none.
    pub fn hover(self, thing: Option<ThingKey>) {
        self.mark(|marks| marks.hover(thing));
        self.hovered.set(None);
        match thing {
            Some(thing) => self.look(Target::Hover, Look::Thing { thing }),
            None => self.away(Target::Hover),
        }
    }

    /// Looks for other things, a value of which may be added to the chart; an empty text ends the search.
    pub fn find_other(self, text: &str) {
        self.others.set(None);
        if text.trim().is_empty() {
            self.away(Target::Other);
        } else {
            self.look(Target::Other, Look::Find { text: text.trim().to_owned(), limit: FIND_LIMIT });
        }
    }

    /// Asks for the values of another thing.
    pub fn look_at_other(self, thing: ThingKey) {
        self.other.set(None);
        self.look(Target::OtherThing, Look::Thing { thing });
    }

    /// No other thing is looked for.
    pub fn look_away_from_others(self) {
        self.others.set(None);
        self.other.set(None);
        self.away(Target::Other);
        self.away(Target::OtherThing);
    }

    /// Looks for things; an empty text ends the search.
    pub fn find(self, text: &str) {
        self.sought.set_value(text.trim().to_owned());
        if text.trim().is_empty() {
            self.found.set(None);
            self.found_for.set(String::new());
            self.away(Target::Find);
        } else {
            self.look(Target::Find, Look::Find { text: text.trim().to_owned(), limit: FIND_LIMIT });
        }
    }

    /// Shows or hides a kind on the map.
    pub fn show(self, kind: Kind, shown: bool) {
        self.hidden.update(|hidden| {
            hidden.retain(|other| *other != kind);
            if !shown {
                hidden.push(kind);
            }
        });
        self.mark(|marks| marks.show(kind, shown));
    }

    /// Hides these kinds on the map and shows all others.
    pub fn show_but(self, hidden: &[Kind]) {
        for kind in Kind::ALL {
            let shown = !hidden.contains(&kind);
            if self.hidden.with_untracked(|hidden| hidden.contains(&kind)) == shown {
                self.show(kind, shown);
            }
        }
    }

    /// Holds live values still, or lets them go on. Commands, shadows and the link are never held.
    pub fn hold(self, held: bool, now_ms: f64) {
        if !held {
            self.held.set(None);
            let behind = self.inner.try_update_value(|inner| std::mem::take(&mut inner.behind)).unwrap_or_default();
            for target in behind {
                let call = self.inner.try_update_value(|inner| inner.views.again(target)).flatten();
                self.say(call);
            }
        } else if self.held.get_untracked().is_none() {
            self.held.set(self.wall_now(now_ms));
        }
    }

    /// Tells the person something.
    pub fn notify(self, message: String) {
        self.put_notice(message, About::Trouble);
    }

    /// Tells that what a person did went well, for a moment.
    pub fn tell_done(self, message: String) {
        if let Some(id) = self.put_notice(message, About::Done) {
            set_timeout(move || self.dismiss(id), DONE_STAYS);
        }
    }

    fn put_notice(self, message: String, about: About) -> Option<u32> {
        let id = self.inner.try_update_value(|inner| {
            inner.last_notice += 1;
            inner.last_notice
        });
        let id = id?;
        self.notices.update(|notices| {
            notices.retain(|known| known.message != message);
            notices.push(Notice { id, message, about });
        });
        Some(id)
    }

    /// Takes a notice off the screen.
    pub fn dismiss(self, id: u32) {
        self.notices.update(|notices| notices.retain(|notice| notice.id != id));
    }

    /// Goes to a part of the window; a thing that fills it becomes a drawer again.
    pub fn go(self, section: Section) {
        self.page.set(false);
        self.diagnosing.set(false);
        self.rules.open.set(false);
        self.alarm_table.is_health.set(false);
        self.section.set(section);
    }

    /// From the alarms to how well they serve, and back; anywhere else, false and nothing.
    pub fn turn_alarm_health(self) -> bool {
        let is_there = self.section.get_untracked() == Section::Alarms && !self.rules.open.get_untracked();
        if is_there {
            self.alarm_table.is_health.update(|is_health| *is_health = !*is_health);
        }
        is_there
    }

    /// Goes to the rules, which lie where the alarms are.
    pub fn go_to_rules(self) {
        self.go(Section::Alarms);
        self.rules.open.set(true);
    }

    /// The map stands on the screen, with this many things, and its ground does or does not yet.
    pub fn tell_drawn(self, things: usize, on_ground: bool) {
        self.say([Call::Drawn { things: u32::try_from(things).unwrap_or(u32::MAX), on_ground }]);
    }

    fn mark(self, change: impl FnOnce(&mut Marks)) {
        change(&mut self.marks().borrow_mut());
        self.marks_changed.update(|n| *n += 1);
    }
}

/// The state of the window.
pub fn store() -> Store {
    expect_context()
}
