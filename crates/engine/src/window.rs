//! What each window is shown: views with revisions, coalesced to what the window can take (docs: `fleetlens_ipc`).
//!
//! Pure like the fleet: calls and dirt in, parcels out.

mod alarm_table;
mod alarms;
mod board;
mod bulk;
mod chart;
mod commands;
mod ground;
mod jobs;
pub(crate) mod list;
mod map;
mod messages;
mod not_converged;
mod page;
mod parking;
mod sight;
mod things;

use std::collections::BTreeMap;

use fleetlens_ipc::rows::{Change, LinkState, Rows};
use fleetlens_ipc::{
    CONTRACT, Call, Done, Fault, FaultCode, Frame, Intent, Look, NAMES_MAX, PARCELS_IN_FLIGHT, Parcel, RequestId,
    ShownPart, ViewId,
};
use fleetlens_model::id::ThingKey;
use fleetlens_model::query::Query;
use fleetlens_model::time::{MonoMs, Now};

use crate::fleet::{Dirty, Fleet, Outward, ReadDone, ReadTicket};
use crate::port::WindowId;

/// Views one window may have; more is a mistake in it.
pub const VIEWS_MAX: usize = 64;

/// Answers and notices that wait for a window which has too many unseen parcels; with more it does not listen.
const SAID_MAX: usize = 4_096;

/// How often counters and lists are told anew at most, in milliseconds.
const SLOW_MS: u64 = 500;

/// How often the firmware of all things is told anew at most, in milliseconds.
const FIRMWARE_MS: u64 = 2_000;

/// What a call of a window leads to beyond views.
#[derive(Clone, Debug, PartialEq)]
pub enum Consequence {
    /// The engine is asked.
    Ask {
        /// Whose answer it will be.
        request: RequestId,
        /// What is wanted.
        intent: Intent,
    },
    /// A thing was opened.
    Opened(ThingKey),
    /// A chart needs its past.
    Read(Outward),
}

/// Every attached window.
#[derive(Debug, Default)]
pub struct Windows {
    windows: BTreeMap<WindowId, Window>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Window {
    views: BTreeMap<ViewId, View>,
    /// Answers and notices, in order.
    said: Vec<Frame>,
    sent: u64,
    seen: u64,
    /// Built for another contract: it is told so, and nothing else.
    foreign: bool,
}

#[derive(Debug)]
struct View {
    rev: u64,
    kind: ViewKind,
    /// When it was last looked into, for the slow ones.
    told: Option<MonoMs>,
    dirty: bool,
    /// Who is at the screen may not look at it, and the window was told that there is nothing.
    is_hidden: bool,
    /// How it is looked at anew when there are other groups; `None` where none can decide about it.
    anew: Option<Look>,
}

#[derive(Debug)]
enum ViewKind {
    /// With the link as it was told.
    Status(Option<LinkState>),
    Map(map::MapView),
    Ground(ground::GroundView),
    Thing(Box<page::PageView>),
    Chart(chart::ChartView),
    Find(Box<list::FindView>),
    Attention(alarms::AttentionView),
    Alarms(alarms::AlarmsView),
    AlarmTable(Box<alarm_table::AlarmTableView>),
    Things(Box<things::ThingsView>),
    Commands(commands::CommandsView),
    Bulks(bulk::BulksView),
    Bulk(Box<bulk::BulkView>),
    NotConverged(not_converged::NotConvergedView),
    Jobs(jobs::JobsView),
    Job(jobs::JobView),
    Firmware(jobs::FirmwareView),
    Parking(parking::ParkingView),
    Messages(messages::MessagesView),
    Board(Box<board::BoardView>),
    Settings,
}

impl Windows {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.windows.len()
    }

    /// A window came; it says `Hello` and what it looks at by itself.
    pub fn attach(&mut self, window: WindowId) {
        self.windows.insert(window, Window::default());
    }

    /// A window is gone.
    pub fn detach(&mut self, window: WindowId) {
        self.windows.remove(&window);
    }

    /// Folds a window's call.
    pub fn call(&mut self, id: WindowId, call: Call, fleet: &mut Fleet, now: Now) -> Option<Consequence> {
        self.looks += 1;
        let look = self.looks;
        let window = self.windows.get_mut(&id)?;
        if window.foreign && !matches!(call, Call::Hello { .. } | Call::Seen { .. }) {
            return None;
        }
        match call {
            Call::Hello { contract } => {
                // What it was to be told before is still to be told: it is the same page that begins anew, because a page that is
                // loaded anew is attached anew. What it asked between `Begin` and this word would otherwise be answered never.
                let mut said = std::mem::take(&mut window.said);
                said.retain(|frame| !matches!(frame, Frame::Begin));
                *window = Window { said, sent: window.sent, seen: window.sent, ..Window::default() };
                if contract != CONTRACT {
                    window.foreign = true;
                    window.said.retain(|frame| matches!(frame, Frame::Notice(_)));
                    let message = format!(
                        "this window speaks contract {contract}, the program {CONTRACT}; start the program again"
                    );
                    window.said.push(Frame::Notice(Fault::new(FaultCode::Contract, message)));
                }
                None
            }
            Call::Look { view, at } => window.look(id, view, at, look, fleet, now),
            Call::LookAway { view } => {
                window.views.remove(&view);
                None
            }
            Call::Seen { parcel } => {
                window.seen = window.seen.max(parcel.min(window.sent));
                None
            }
            Call::Drawn { things, on_ground } => {
                // A picture of nothing, of what is not nothing, is not yet the first.
                if things > 0 || fleet.counters.things == 0 {
                    fleet.was_drawn(on_ground);
                }
                if on_ground && things > 0 && fleet.up_since.is_some() && fleet.counters.live_values > 0 {
                    fleet.live_was_seen();
                }
                None
            }
            Call::Ask { request, intent: Intent::Shown { view, what } } => {
                let outcome = window.shown(view, &what, fleet);
                window.said.push(Frame::Answer { request, outcome });
                None
            }
            Call::Ask { request, intent: Intent::Names(things) } => {
                let outcome = names(&things, fleet);
                window.said.push(Frame::Answer { request, outcome });
                None
            }
            Call::Ask { request, intent } => Some(Consequence::Ask { request, intent }),
        }
    }

    /// An answer for a window.
    pub fn answer(&mut self, window: WindowId, frame: Frame) {
        if let Some(window) = self.windows.get_mut(&window) {
            window.said.push(frame);
        }
    }

    /// A window looks at nothing any more; what it was to be told besides it is still told.
    pub(crate) fn hush(&mut self, window: WindowId) {
        if let Some(window) = self.windows.get_mut(&window) {
            window.views.clear();
        }
    }

    /// Something everybody should know.
    pub fn notice(&mut self, fault: &Fault) {
        for window in self.windows.values_mut() {
            window.said.push(Frame::Notice(fault.clone()));
        }
    }

    /// Every window is to say Hello again.
    pub fn begin(&mut self) {
        for window in self.windows.values_mut() {
            window.views.clear();
            window.said.push(Frame::Begin);
        }
    }

    /// The fleet has other groups: what was found by those of before is looked for anew, and everything told that differs.
    pub(crate) fn regroup(&mut self, fleet: &Fleet, now: Now) {
        self.looks += 1;
        let look = self.looks;
        for (id, window) in &mut self.windows {
            let views = window.views.iter().filter_map(|(view, held)| Some((*view, held.anew.clone()?)));
            for (view, at) in views.collect::<Vec<_>>() {
                // None of these opens a thing or reads a past.
                let _ = window.look(*id, view, at, look, fleet, now);
            }
        }
        self.soil(&Dirty { everything: true, ..Dirty::default() }, fleet);
    }

    /// A chart's past was read.
    pub fn read(&mut self, done: ReadDone, fleet: &Fleet) {
        let view = self.windows.get_mut(&done.ticket.window).and_then(|w| w.views.get_mut(&done.ticket.view));
        if let Some(View { kind: ViewKind::Chart(chart), dirty, .. }) = view {
            *dirty |= chart.read(done, fleet);
        }
    }

    /// Marks what changed.
    pub fn soil(&mut self, dirty: &Dirty, fleet: &Fleet) {
        for window in self.windows.values_mut() {
            for view in window.views.values_mut() {
                view.dirty |= match &mut view.kind {
                    ViewKind::Status(_) => true,
                    ViewKind::Map(map) => map.soil(dirty),
                    ViewKind::Ground(ground) => ground.soil(dirty),
                    ViewKind::Thing(page) => page.soil(dirty),
                    ViewKind::Chart(chart) => chart.soil(dirty, fleet),
                    ViewKind::Things(things) => things.soil(dirty, fleet),
                    ViewKind::Commands(commands) => commands.soil(dirty),
                    ViewKind::Bulks(bulks) => bulks.soil(dirty),
                    ViewKind::Bulk(bulk) => bulk.soil(dirty),
                    ViewKind::NotConverged(leaves) => leaves.soil(dirty),
                    ViewKind::Jobs(jobs) => jobs.soil(dirty),
                    ViewKind::Job(job) => job.soil(dirty),
                    ViewKind::Firmware(_) => dirty.everything || !dirty.things.is_empty(),
                    ViewKind::Parking(parking) => parking.soil(dirty, fleet),
                    ViewKind::Messages(messages) => messages.soil(fleet),
                    ViewKind::Board(board) => board.soil(dirty),
                    ViewKind::Settings => dirty.settings,
                    ViewKind::Alarms(alarms) => alarms.soil(dirty),
                    ViewKind::AlarmTable(alarms) => alarms.soil(dirty, fleet),
                    ViewKind::Attention(_) => !dirty.alarms.is_empty(),
                    ViewKind::Find(_) => dirty.everything || !dirty.things.is_empty(),
                };
            }
        }
    }

    /// Whether anybody looks at a chart.
    pub fn has_charts(&self) -> bool {
        let mut views = self.windows.values().flat_map(|window| window.views.values());
        views.any(|view| matches!(view.kind, ViewKind::Chart(_)))
    }

    /// Detaches the windows that go on asking without ever saying what they have seen, and gives them: nobody else bounds their answers.
    pub fn detach_unheard(&mut self) -> Vec<WindowId> {
        let unheard = |window: &Window| window.is_behind() && window.said.len() > SAID_MAX;
        let gone: Vec<WindowId> =
            self.windows.iter().filter(|(_, window)| unheard(window)).map(|(id, _)| *id).collect();
        gone.iter().for_each(|window| self.detach(*window));
        gone
    }

    /// What every window is told now. A window with too many unseen parcels is told nothing yet; its views go on coalescing.
    pub fn parcels(&mut self, fleet: &Fleet, now: Now) -> Vec<(WindowId, Parcel)> {
        self.parcels_paced(fleet, now, now.mono)
    }

    /// The same where the fleet's time is not ours: `paced` is the clock by which they are not told too often.
    pub(crate) fn parcels_paced(&mut self, fleet: &Fleet, now: Now, paced: MonoMs) -> Vec<(WindowId, Parcel)> {
        let mut parcels = Vec::new();
        for (id, window) in &mut self.windows {
            if window.is_behind() {
                continue;
            }
            let mut frames = std::mem::take(&mut window.said);
            frames
                .extend(window.views.iter_mut().filter_map(|(view_id, view)| view.frame(*view_id, fleet, now, paced)));
            if frames.is_empty() {
                continue;
            }
            window.sent += 1;
            parcels.push((*id, Parcel { number: window.sent, frames }));
        }
        parcels
    }
}

impl Window {
    /// Whether it has too many unseen parcels.
    fn is_behind(&self) -> bool {
        self.sent.saturating_sub(self.seen) >= PARCELS_IN_FLIGHT as u64
    }

    /// The alarms of a table that it looks at.
    fn shown(&self, view: ViewId, what: &ShownPart, fleet: &Fleet) -> Result<Done, Fault> {
        match self.views.get(&view).map(|view| &view.kind) {
            Some(kind @ ViewKind::AlarmTable(table)) if sight::may_look(kind, fleet) => {
                Ok(Done::Shown(table.shown(what, fleet)))
            }
            Some(_) | None => Err(Fault::new(FaultCode::Invalid, "this window looks at no table of alarms there")),
        }
    }

    fn look(
        &mut self,
        id: WindowId,
        view: ViewId,
        at: Look,
        look: u64,
        fleet: &Fleet,
        now: Now,
    ) -> Option<Consequence> {
        if self.views.len() >= VIEWS_MAX && !self.views.contains_key(&view) {
            let message = format!("a window may look at {VIEWS_MAX} things at once");
            self.said.push(Frame::Notice(Fault::new(FaultCode::Invalid, message)));
            return None;
        }
        let mut consequence = None;
        let anew = anew(&at);
        let kind = match at {
            Look::Status => ViewKind::Status(None),
            Look::Map { area } => ViewKind::Map(map::MapView::new(area)),
            Look::Ground { kinds } => ViewKind::Ground(ground::GroundView::new(kinds)),
            Look::Thing { thing } => {
                consequence = Some(Consequence::Opened(thing));
                ViewKind::Thing(Box::new(page::PageView::new(thing)))
            }
            Look::Chart { series, until_ms, span_ms, buckets } => {
                let ticket = ReadTicket { window: id, view, look };
                let span = chart::Span { until_ms, span_ms, buckets };
                let (chart, read) = chart::ChartView::new(ticket, series, span, fleet, now);
                consequence = read.map(|(query, thing)| Consequence::Read(Outward::Read { ticket, query, thing }));
                ViewKind::Chart(chart)
            }
            Look::Find { text, limit } => ViewKind::Find(Box::new(list::FindView::new(text, limit, fleet))),
            Look::Board { asked } => {
                let board = match self.views.get(&view).map(|view| &view.kind) {
                    Some(ViewKind::Board(held)) => board::BoardView::after(held, asked, fleet),
                    Some(_) | None => board::BoardView::new(asked, fleet),
                };
                ViewKind::Board(Box::new(board))
            }
            Look::Settings => ViewKind::Settings,
            Look::Things { query, first, count, again } => {
                let held = match self.views.remove(&view).map(|view| view.kind) {
                    Some(ViewKind::Things(held)) => Some(*held),
                    Some(_) | None => None,
                };
                ViewKind::Things(Box::new(things::ThingsView::look(held, query, (first, count), again, fleet)))
            }
            Look::Commands { scope, limit } => ViewKind::Commands(commands::CommandsView::new(scope, limit)),
            Look::Bulks { limit } => ViewKind::Bulks(bulk::BulksView::new(limit)),
            Look::Bulk { bulk, failed, first, count } => {
                ViewKind::Bulk(Box::new(bulk::BulkView::new(bulk, failed, first, count)))
            }
            Look::NotConverged { limit } => ViewKind::NotConverged(not_converged::NotConvergedView::new(limit)),
            Look::Jobs => ViewKind::Jobs(jobs::JobsView::default()),
            Look::Job { id, only, first, count } => ViewKind::Job(jobs::JobView::new(id, only, first, count)),
            Look::Firmware => ViewKind::Firmware(jobs::FirmwareView::default()),
            Look::Parking { from, limit } => ViewKind::Parking(parking::ParkingView::new(from, limit)),
            Look::Messages { thing } => ViewKind::Messages(messages::MessagesView::new(thing)),
            Look::AlarmTable { query, folds, first, count, hold, again } => {
                let held = match self.views.remove(&view).map(|view| view.kind) {
                    Some(ViewKind::AlarmTable(held)) if held.is_of(&query) => *held,
                    Some(_) | None => alarm_table::AlarmTableView::new(*query),
                };
                ViewKind::AlarmTable(Box::new(held.at(folds, (first, count), hold, again)))
            }
            Look::Alarms { scope, limit } => ViewKind::Alarms(alarms::AlarmsView::new(scope, limit)),
            Look::Attention { limit } => ViewKind::Attention(alarms::AttentionView::new(limit)),
        };
        let consequence = consequence.filter(|_| sight::may_look(&kind, fleet));
        self.views.insert(view, View { rev: 0, kind, told: None, dirty: true, is_hidden: false, anew });
        consequence
    }
}

/// How a view is looked at anew when there are other groups. The order of a table holds still unless a group decides about it.
fn anew(at: &Look) -> Option<Look> {
    let names_groups = |text: &str| Query::read(text).is_ok_and(|query| !query.groups().is_empty());
    if let Look::Things { query, first, count, .. } = at {
        let is_asked = !query.group.is_empty() || names_groups(&query.text);
        return is_asked.then(|| Look::Things { query: query.clone(), first: *first, count: *count, again: true });
    }
    let is_asked = matches!(at, Look::Board { .. }) || matches!(at, Look::Find { text, .. } if names_groups(text));
    is_asked.then(|| at.clone())
}

/// What a view has to say: everything, some changes, or nothing.
enum Told {
    All(Rows),
    Some(Vec<Change>),
    Nothing,
}

impl View {
    fn frame(&mut self, id: ViewId, fleet: &Fleet, now: Now, paced: MonoMs) -> Option<Frame> {
        if !sight::may_look(&self.kind, fleet) {
            let is_news = !std::mem::replace(&mut self.is_hidden, true);
            return is_news.then_some(Frame::Snapshot { view: id, rows: Rows::Missing });
        }
        if std::mem::take(&mut self.is_hidden) {
            // From the start, like a first look.
            (self.rev, self.told, self.dirty) = (0, None, true);
        }
        let slow = match &self.kind {
            // Rows say at once that nothing is known without a link; the sign of the link must not say otherwise meanwhile.
            ViewKind::Status(link) => link.as_ref() == Some(&fleet.link),
            ViewKind::Ground(_)
            | ViewKind::Find(_)
            | ViewKind::Attention(_)
            | ViewKind::Alarms(_)
            | ViewKind::AlarmTable(_)
            | ViewKind::Bulks(_)
            | ViewKind::NotConverged(_)
            | ViewKind::Jobs(_)
            | ViewKind::Job(_)
            | ViewKind::Firmware(_)
            | ViewKind::Parking(_)
            | ViewKind::Board(_) => true,
            ViewKind::Map(_)
            | ViewKind::Thing(_)
            | ViewKind::Chart(_)
            | ViewKind::Things(_)
            | ViewKind::Commands(_)
            | ViewKind::Bulk(_)
            | ViewKind::Messages(_)
            | ViewKind::Settings => false,
        };
        let pause_ms = if let ViewKind::Find(find) = &self.kind {
            find.pause_ms(fleet)
        } else if matches!(self.kind, ViewKind::Firmware(_)) {
            FIRMWARE_MS
        } else {
            SLOW_MS
        };
        let too_soon = slow && self.told.is_some_and(|told| paced.since(told) < pause_ms);
        if !self.dirty || too_soon {
            return None;
        }
        let first = self.rev == 0;
        let told = match &mut self.kind {
            ViewKind::Status(link) => {
                *link = Some(fleet.link.clone());
                let status = Box::new(list::status(fleet, now));
                if first { Told::All(Rows::Status(status)) } else { Told::Some(vec![Change::Status(status)]) }
            }
            ViewKind::Map(map) => map.tell(first, fleet),
            ViewKind::Ground(ground) => ground.tell(first, fleet),
            ViewKind::Thing(page) => page.tell(first, fleet, now),
            ViewKind::Chart(chart) => chart.tell(first, fleet, now),
            ViewKind::Find(find) => find.tell(first, fleet, now),
            ViewKind::Attention(attention) => attention.tell(first, fleet),
            ViewKind::Alarms(alarms) => alarms.tell(first, fleet),
            ViewKind::AlarmTable(alarms) => alarms.tell(first, fleet),
            ViewKind::Things(things) => things.tell(first, fleet, now),
            ViewKind::Commands(commands) => commands.tell(first, fleet, now),
            ViewKind::Bulks(bulks) => bulks.tell(first, fleet),
            ViewKind::Bulk(bulk) => bulk.tell(first, fleet),
            ViewKind::NotConverged(leaves) => leaves.tell(first, fleet),
            ViewKind::Jobs(jobs) => jobs.tell(first, fleet),
            ViewKind::Job(job) => job.tell(first, fleet),
            ViewKind::Firmware(firmware) => firmware.tell(first, fleet),
            ViewKind::Parking(parking) => parking.tell(first, fleet, now),
            ViewKind::Messages(messages) => messages.tell(first, fleet),
            ViewKind::Board(board) => board.tell(first, fleet, now),
            ViewKind::Settings => {
                let settings = Box::new(fleet.config.settings.clone());
                if first { Told::All(Rows::Settings(settings)) } else { Told::Some(vec![Change::Settings(settings)]) }
            }
        };
        // What would stand elsewhere is counted later, although nothing else may happen by then.
        self.dirty = matches!(&self.kind, ViewKind::Things(things) if things.waits())
            || matches!(&self.kind, ViewKind::Board(board) if board.waits());
        self.told = Some(paced);
        match told {
            Told::All(rows) => {
                self.rev = 1;
                Some(Frame::Snapshot { view: id, rows })
            }
            Told::Some(changes) if changes.is_empty() => None,
            Told::Some(changes) => {
                self.rev += 1;
                Some(Frame::Patch { view: id, rev: self.rev, changes })
            }
            Told::Nothing => None,
        }
    }
}

/// What things are called, of those that who is at the screen sees.
fn names(things: &[ThingKey], fleet: &Fleet) -> Result<Done, Fault> {
    if things.len() > NAMES_MAX {
        return Err(Fault::new(FaultCode::Invalid, format!("names of {NAMES_MAX} things can be asked for at once")));
    }
    let known = things.iter().filter_map(|key| fleet.things.get(key));
    let seen = known.filter(|thing| sight::sees(thing, fleet));
    Ok(Done::Names(seen.map(|thing| (thing.key, thing.title().to_owned())).collect()))
}

#[cfg(test)]
mod tests;
