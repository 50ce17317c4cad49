//! The past for one window: a [`Fleet`] as it was, and the views that the window looks at, which are answered out of it.
//!
//! Pure like both: what the cache knew and a moment in, parcels out. Nothing leaves it but those: what would go to the broker, to the disk
//! or to people is dropped, and what a person asks is not heard. What does not belong here: reading the cache, and how fast time passes.

use std::collections::{BTreeMap, VecDeque};

use fleetlens_ipc::replay::{Moment, PARCELS_FROM};
use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{CONTRACT, Call, Fault, Frame, Look, Parcel, ViewId};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::id::ThingKey;
use fleetlens_model::identity::Role;
use fleetlens_model::record::{HistoryQuery, Passage, Restored, ShadowThen};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::time::{MonoMs, WallMs};

use crate::config::FleetConfig;
use crate::fleet::{Effects, Fleet, Outward, ReadDone, ReadTicket, moment};
use crate::port::WindowId;
use crate::window::{Consequence, VIEWS_MAX, Windows};

/// The window, as its own engine knows it.
const WINDOW: WindowId = WindowId(0);

/// How far time goes at once, in milliseconds: who falls silent is found to that.
const STEP_MS: i64 = 1_000;

/// In no more steps than this many it passes when it passes quickly: each looks at all things.
const STEPS_MOST: i64 = 10;

/// A past that a window is shown.
#[derive(Debug)]
pub struct Replay {
    fleet: Fleet,
    windows: Windows,
    looks: BTreeMap<ViewId, Look>,
    at: WallMs,
    /// When anything was received last.
    heard: Option<WallMs>,
    gap_ms: u64,
    /// What comes, in the order of time.
    coming: VecDeque<(WallMs, News)>,
    /// Up to when it is known what comes.
    known: WallMs,
    said: Vec<Frame>,
}

/// What was known at a moment.
#[derive(Debug)]
pub struct Known {
    /// What a fleet is made of.
    pub restored: Restored,
    /// When anything had been received last.
    pub heard: Option<WallMs>,
    /// The moment.
    pub at: WallMs,
}

/// Something that a chart of the past needs read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// Whose it is.
    pub ticket: ReadTicket,
    /// What to read; nothing after the moment that is shown.
    pub query: HistoryQuery,
    /// Of which thing the alarms of that time are read, as they stood at the moment.
    pub thing: ThingKey,
    /// The moment.
    pub at: WallMs,
}

#[derive(Debug)]
enum News {
    Told(Box<Sample>),
    Shadow(Box<ShadowThen>),
    Alarm(Box<Alarm>),
}

impl Replay {
    /// What was known then, for a window that looks at nothing yet.
    pub fn new(config: FleetConfig, known: Known) -> Replay {
        let mut windows = Windows::default();
        windows.attach(WINDOW);
        let (heard, at) = (known.heard, known.at);
        let fleet = Fleet::as_it_was(looking_on(config), known.restored, heard, at);
        let gap_ms = fleet.gap_ms();
        let mut replay = Replay {
            fleet,
            windows,
            looks: BTreeMap::new(),
            at,
            heard,
            gap_ms,
            coming: VecDeque::new(),
            known: at,
            said: Vec::new(),
        };
        replay.hear(Call::Hello { contract: CONTRACT });
        replay
    }

    /// Shows another moment: everything that is looked at is told from the start. Gives what charts need read.
    pub fn seek(&mut self, config: FleetConfig, known: Known) -> Vec<Wanted> {
        (self.heard, self.at, self.known) = (known.heard, known.at, known.at);
        self.coming.clear();
        self.fleet = Fleet::as_it_was(looking_on(config), known.restored, known.heard, known.at);
        self.gap_ms = self.fleet.gap_ms();
        self.hear(Call::Hello { contract: CONTRACT });
        let looks: Vec<(ViewId, Look)> = self.looks.iter().map(|(view, at)| (*view, at.clone())).collect();
        looks.into_iter().filter_map(|(view, at)| self.hear(Call::Look { view, at })).collect()
    }

    /// The window looks at something, or away, or has seen something, or asks what only its views can answer. Gives what a chart needs read.
    pub fn call(&mut self, call: Call) -> Option<Wanted> {
        match &call {
            // More than that the views refuse.
            Call::Look { view, .. } if self.looks.len() >= VIEWS_MAX && !self.looks.contains_key(view) => {}
            Call::Look { view, at } => drop(self.looks.insert(*view, at.clone())),
            Call::LookAway { view } => drop(self.looks.remove(view)),
            Call::Hello { .. } | Call::Seen { .. } | Call::Drawn { .. } | Call::Ask { .. } => {}
        }
        let call = match call {
            Call::Seen { parcel } => Call::Seen { parcel: parcel.saturating_sub(PARCELS_FROM) },
            // What is drawn of the past is not what the program is measured by.
            Call::Drawn { .. } => return None,
            call @ (Call::Hello { .. } | Call::Look { .. } | Call::LookAway { .. } | Call::Ask { .. }) => call,
        };
        self.hear(call)
    }

    fn hear(&mut self, call: Call) -> Option<Wanted> {
        match self.windows.call(WINDOW, call, &mut self.fleet, moment(self.at)) {
            Some(Consequence::Read(Outward::Read { ticket, query, thing })) => {
                let to_ms = query.to_ms.min(self.at.plus(1));
                // The numbers of the cache are not ours.
                let query = HistoryQuery { to_ms, from_ms: query.from_ms.min(to_ms), up_to_seq: ALL, ..query };
                Some(Wanted { ticket, query, thing, at: self.at })
            }
            Some(Consequence::Read(_) | Consequence::Ask { .. } | Consequence::Opened(_)) | None => None,
        }
    }

    /// What a chart needed was read.
    pub fn read(&mut self, done: ReadDone) {
        self.soil();
        self.windows.read(done, &self.fleet);
    }

    /// Which moment is shown.
    pub fn at(&self) -> WallMs {
        self.at
    }

    /// Up to when it is known what comes.
    pub fn known(&self) -> WallMs {
        self.known
    }

    /// What comes next, after what is known.
    pub fn comes(&mut self, passage: Passage) {
        let Passage { until, samples, shadows, alarms } = passage;
        let said = samples.into_iter().map(|sample| (sample.received_ms, News::Told(Box::new(sample))));
        let became = shadows.into_iter().map(|then| (then.heard_ms, News::Shadow(Box::new(then))));
        let alarms = alarms.into_iter().map(|(at, alarm)| (at, News::Alarm(Box::new(alarm))));
        let mut coming: Vec<(WallMs, News)> = said.chain(became).chain(alarms).collect();
        // Of one moment: first what was said, then what it led to.
        coming.sort_by_key(|(at, _)| *at);
        self.coming.extend(coming);
        self.known = self.known.max(until);
    }

    /// Time passes up to a moment, or as far as it is known what comes.
    pub fn pass(&mut self, to: WallMs) {
        let to = to.min(self.known);
        let step_ms = STEP_MS.max((to.0 - self.at.0) / STEPS_MOST);
        let mut effects = Effects::default();
        while self.at < to {
            let step = self.at.plus(step_ms).min(to);
            while let Some((_, news)) = self.coming.pop_front_if(|(at, _)| *at <= step) {
                self.happens(news, &mut effects);
                // Nothing of it goes anywhere.
                effects = Effects::default();
            }
            self.at = step;
            let now = moment(step);
            let listens = self.heard.is_some_and(|heard| step.since(heard) <= self.gap_ms);
            if listens != self.fleet.listened_then() {
                self.fleet.link_was(listens, now);
            }
            self.fleet.time_was(now);
        }
    }

    fn happens(&mut self, news: News, effects: &mut Effects) {
        match news {
            News::Told(sample) => {
                let at = sample.received_ms;
                self.heard = self.heard.max(Some(at));
                if !self.fleet.listened_then() {
                    self.fleet.link_was(true, moment(at));
                }
                self.fleet.was_told(*sample, effects);
            }
            News::Shadow(then) => {
                let ShadowThen { heard_ms, thing, name, document } = *then;
                self.fleet.shadow_was(thing, &name, document.as_ref(), moment(heard_ms));
            }
            News::Alarm(alarm) => self.fleet.stood(*alarm),
        }
    }

    /// Who is at the screen, or how the program is set, is otherwise.
    pub fn configure(&mut self, settings: Settings) {
        self.fleet.was_configured(as_onlooker(settings));
    }

    /// Tells which moment is shown with the next parcel.
    pub fn tell(&mut self, moment: Option<Moment>) {
        self.said.push(Frame::Past(moment));
    }

    /// Says something that whoever looks should know, with the next parcel.
    pub fn notice(&mut self, fault: Fault) {
        self.said.push(Frame::Notice(fault));
    }

    /// What the window is told now; `paced` is our own clock.
    pub fn parcels(&mut self, paced: MonoMs) -> Vec<Parcel> {
        self.fleet.set_charted(self.windows.has_charts());
        self.soil();
        for frame in self.said.drain(..) {
            self.windows.answer(WINDOW, frame);
        }
        let parcels = self.windows.parcels_paced(&self.fleet, moment(self.at), paced);
        parcels.into_iter().map(|(_, parcel)| Parcel { number: PARCELS_FROM + parcel.number, ..parcel }).collect()
    }

    fn soil(&mut self) {
        let dirty = self.fleet.take_dirty();
        self.windows.soil(&dirty, &self.fleet);
    }
}

/// The cache's highest sequence.
const ALL: u64 = i64::MAX.cast_unsigned();

/// Nobody steers the past: whoever steers the present looks on.
fn looking_on(config: FleetConfig) -> FleetConfig {
    let settings = as_onlooker(config.settings);
    FleetConfig { who: settings.who.clone(), settings, ..config }
}

fn as_onlooker(mut settings: Settings) -> Settings {
    settings.who.role = match settings.who.role {
        Role::Operator | Role::Technician | Role::Viewer => Role::Viewer,
        Role::Driver => Role::Driver,
    };
    settings
}

#[cfg(test)]
mod tests;
