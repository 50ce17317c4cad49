//! The table of alarms as the window holds it: a stretch of lines around what is shown, as with the table of things; the order, the groups
//! and what of them is folded are the host's.

use fleetlens_ipc::rows::{AlarmLine, AlarmTableHead, ShownAlarm};
use fleetlens_ipc::{AlarmsQuery, Done, Fault, FaultCode, Folds, Intent, Look, ShownPart, rows};
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use super::Store;
use super::stretch::{self, Held, Seen, Slot};
use super::views::Target;
use crate::clock::Aged;
use crate::lang::said;

/// A line on the screen.
pub type LineSlot = Slot<AlarmLine>;

/// What a line is known by, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Alarm(AlarmId),
    Group(String),
}

impl Line {
    fn of(line: &AlarmLine) -> Line {
        match line {
            AlarmLine::Alarm(listed) => Line::Alarm(listed.row.id),
            AlarmLine::Group(group) => Line::Group(group.key.clone()),
        }
    }
}

/// A line as it stood at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    place: u32,
    what: Line,
    /// In which order of the table.
    order: u32,
}

/// The table of alarms. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct AlarmTable {
    /// What it was asked for.
    pub query: RwSignal<AlarmsQuery>,
    /// What of it is folded.
    pub folds: RwSignal<Folds>,
    /// Whether how well the alarms serve stands in the place of the table.
    pub is_health: RwSignal<bool>,
    /// Whether somebody is in the list, by pointer or by key: nothing moves then.
    pub inside: RwSignal<bool>,
    /// What is said of the whole; `None` before the first answer.
    pub head: RwSignal<Option<AlarmTableHead>>,
    /// Rises with each answer to another query, so that the list goes to its top.
    pub ordered: RwSignal<u32>,
    /// The lines on the screen, in no order. The list changes only when the window becomes larger.
    pub slots: RwSignal<Vec<ArcRwSignal<LineSlot>>>,
    /// Since when the flood lasts in which somebody wanted no groups; beside `query`, whose choice it dates.
    pub flat_in: StoredValue<Option<WallMs>>,
    /// Rises with each stretch that comes, in whatever order its lines stand.
    pub told: RwSignal<u32>,
    /// Rises whenever the lines may stand otherwise from then on.
    order: StoredValue<u32>,
    /// Whether another query was asked for and has not come.
    asking: StoredValue<bool>,
    seen: StoredValue<Seen>,
    held: StoredValue<Held<AlarmLine>>,
}

impl AlarmTable {
    pub(super) fn new() -> AlarmTable {
        AlarmTable {
            query: RwSignal::new(AlarmsQuery::default()),
            folds: RwSignal::new(Folds::default()),
            is_health: RwSignal::new(false),
            inside: RwSignal::new(false),
            head: RwSignal::new(None),
            ordered: RwSignal::new(0),
            slots: RwSignal::new(Vec::new()),
            flat_in: StoredValue::new(None),
            told: RwSignal::new(0),
            order: StoredValue::new(0),
            asking: StoredValue::new(false),
            seen: StoredValue::new(Seen::default()),
            held: StoredValue::new(Held::default()),
        }
    }

    /// The line at a place, if it is here.
    pub fn at(self, place: u32) -> Option<AlarmLine> {
        self.held.with_value(|held| held.at(place).map(|line| line.row.clone()))
    }

    /// What stands at a place, if that is here, so that it is found again when it stands elsewhere.
    pub fn mark(self, place: u32) -> Option<Mark> {
        let what = self.held.with_value(|held| held.at(place).map(|line| Line::of(&line.row)))?;
        Some(Mark { place, what, order: self.order.get_value() })
    }

    /// Where what was marked stands now; `None` where that is not known.
    pub fn find(self, mark: &Mark) -> Option<u32> {
        let is_as_then = self.order.get_value() == mark.order;
        self.held.with_value(|held| {
            let found = held.rows.iter().position(|line| Line::of(&line.row) == mark.what);
            let found = found.and_then(|at| held.first.checked_add(u32::try_from(at).ok()?));
            // Scrolled away it stands where it stood, as long as nothing moved.
            found.or_else(|| (is_as_then && held.at(mark.place).is_none()).then_some(mark.place))
        })
    }

    pub(super) fn replace(self, table: rows::AlarmTable, at_ms: f64) {
        let rows = table.lines.into_iter().map(|row| Aged { row, at_ms }).collect();
        self.held.set_value(Held { first: table.first, rows, asked: false });
        self.take_head(table.head);
        if self.asking.get_value() {
            self.asking.set_value(false);
            self.seen.update_value(|seen| seen.first = 0);
            self.ordered.update(|times| *times += 1);
        }
        self.fill();
        self.told.update(|times| *times += 1);
    }

    pub(super) fn take_head(self, head: AlarmTableHead) {
        if self.head.with_untracked(|known| known.as_ref() != Some(&head)) {
            self.head.set(Some(head));
        }
    }

    pub(super) fn put(self, place: u32, line: AlarmLine, at_ms: f64) {
        let line = Aged { row: line, at_ms };
        let is_here = self.held.try_update_value(|held| held.put(place, line.clone())).unwrap_or(false);
        if is_here {
            self.slots.with_untracked(|slots| stretch::set(slots, place, line));
        }
    }

    pub(super) fn clear(self) {
        self.held.set_value(Held::default());
        self.head.set(None);
        self.fill();
    }

    fn total(self) -> Option<u32> {
        self.head.with_untracked(|head| head.as_ref().map(|head| head.lines))
    }

    fn fill(self) {
        let (seen, total) = (self.seen.get_value(), self.total().unwrap_or(0));
        self.slots.with_untracked(|slots| self.held.with_value(|held| stretch::fill(slots, held, seen, total)));
    }
}

impl Store {
    /// Looks at the table of alarms with a query; the lines of the old one stay until the answer comes.
    pub fn look_at_alarms(self, query: AlarmsQuery) {
        self.alarm_table.query.set(query);
        self.order_alarms();
    }

    /// Another profile is in use: a rule of the one before is none of its.
    pub(super) fn forget_rule_of_alarms(self) {
        let query = self.alarm_table.query;
        if query.with_untracked(|query| query.rule.is_empty()) {
            return;
        }
        query.update(|query| query.rule.clear());
        if self.is_at_alarms() {
            self.order_alarms();
        }
    }

    /// From its top, as another order is read.
    pub(super) fn order_alarms(self) {
        self.alarm_table.asking.set_value(true);
        self.alarm_table.seen.update_value(|seen| seen.first = 0);
        self.say_alarms(false);
    }

    /// Says anew what of the table is folded, and whether somebody is in it.
    pub fn refold_alarms(self) {
        self.alarm_table.order.update_value(|order| *order = order.wrapping_add(1));
        if self.is_at_alarms() {
            self.say_alarms(false);
        }
    }

    /// Lets in what waits although somebody is in the list.
    pub fn let_alarms_in(self) {
        self.say_alarms(true);
    }

    /// Tells which lines are seen; asks for those that are not here.
    pub fn see_alarms(self, seen: Seen) {
        self.alarm_table.seen.set_value(seen);
        stretch::grow(self.alarm_table.slots, seen);
        self.alarm_table.fill();
        self.ask_for_alarms();
    }

    /// Nobody looks at the table any more.
    pub fn look_away_from_alarms(self) {
        self.away(Target::AlarmTable);
        self.alarm_table.inside.set(false);
        self.alarm_table.clear();
    }

    /// Asks for what is seen of the table and not here, if anything is.
    pub(super) fn ask_for_alarms(self) {
        let table = self.alarm_table;
        let Some(total) = table.total() else { return };
        let seen = table.seen.get_value();
        if self.is_at_alarms() && table.held.with_value(|held| held.missing(seen, total)).is_some() {
            self.say_alarms(false);
        }
    }

    fn is_at_alarms(self) -> bool {
        self.inner.with_value(|inner| inner.views.is_open(Target::AlarmTable))
    }

    fn say_alarms(self, again: bool) {
        let table = self.alarm_table;
        let is_held = table.inside.get_untracked() && !again;
        if !is_held {
            table.order.update_value(|order| *order = order.wrapping_add(1));
        }
        table.held.update_value(|held| held.asked = true);
        let (first, count) = stretch::stretch(table.seen.get_value());
        let look = Look::AlarmTable {
            query: Box::new(table.query.get_untracked()),
            folds: table.folds.get_untracked(),
            first,
            count,
            hold: table.inside.get_untracked(),
            again,
        };
        self.look(Target::AlarmTable, look);
    }

    /// Asks which alarms stand in a part of the table, as they were told last; `then` is called once with them.
    pub fn ask_shown(self, what: ShownPart, then: impl FnOnce(Result<Vec<ShownAlarm>, Fault>) + 'static) {
        let view = self.inner.with_value(|inner| inner.views.of(Target::AlarmTable));
        let Some(view) = view else {
            return then(Err(Fault::new(FaultCode::Invalid, said("the list of alarms is not on the screen"))));
        };
        let pick = |done| if let Done::Shown(shown) = done { Some(shown) } else { None };
        self.ask_for(Intent::Shown { view, what }, pick, then);
    }
}
