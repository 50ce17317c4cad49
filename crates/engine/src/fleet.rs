//! The fleet: everything known now, and the one function that changes it.
//!
//! [`Fleet::handle`] is pure: (state, input, now) → effects. Of the effects of one input the writes come first: nothing outward
//! (a publish, an acknowledgement, an answer, a read) happens before they are on the disk (docs/adr/0003-delivery.md).

mod alarms;
mod alerts;
mod audit;
mod bulk;
mod changes;
mod commands;
mod conventions;
mod direct;
mod drive;
mod edit;
mod effects;
mod few;
mod firmware;
mod groups;
mod happened;
mod in_flight;
mod index;
mod ingest;
mod jobs;
mod keyed;
mod link;
mod messages;
mod open;
mod packets;
mod past;
mod people;
mod places;
mod presence;
mod registry;
mod replay;
mod route;
mod rules;
mod search;
mod seldom;
mod series;
mod shadows;
mod thing;
mod watch;
mod wish;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use fleetlens_ipc::rows::{LinkState, RefusalRow, ShedRow};
use fleetlens_model::audit::Event;
use fleetlens_model::command::{Attempt, Command};
use fleetlens_model::described::{Commons, Described};
use fleetlens_model::freshness::Silence;
use fleetlens_model::id::{CommandId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::{Restored, StoreStats, Write};
use fleetlens_model::shared::{SharedText, Texts};
use fleetlens_model::telemetry::{Source, Timed};
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_wire::convention::{Convention, Setting};

use crate::config::FleetConfig;

pub(crate) use alarms::Alarms;
pub use alerts::ALERT_PLACES_MAX;
pub(crate) use commands::ENDED_KEPT;
pub use effects::{Counters, Dirty, Effects, Input, Outward, ReadDone, ReadTicket};
pub use few::Few;
pub(crate) use firmware::Versions;
pub(crate) use index::natural;
pub(crate) use jobs::KnownJob;
pub(crate) use messages::RawMessage;
pub(crate) use replay::moment;
pub(crate) use search::{Asking, Finder};
pub use seldom::Seldom;
pub use series::{Latest, Series, SeriesOf};
pub use thing::{Shadow, Thing, Witness};
pub use watch::OpenLeaf;
pub(crate) use watch::{FAILED_FOR_MS, LateLeaf};

/// How often the cache is told that we still listen, in milliseconds.
pub const LINK_SEEN_EVERY_MS: u64 = 15_000;

/// How often things are looked over for what needs a person, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// Over how long messages a second are counted, in milliseconds.
const RATE_WINDOW_MS: u64 = 5_000;

/// Everything known now.
#[derive(Debug)]
pub struct Fleet {
    pub(crate) config: FleetConfig,
    pub(crate) things: keyed::Keyed<ThingKey, Thing>,
    pub(crate) by_name: HashMap<SharedText, ThingKey>,
    pub(crate) index: index::Index,
    pub(crate) series: keyed::Keyed<SeriesKey, Series>,
    pub(crate) commands: BTreeMap<CommandId, Command>,
    pub(crate) bulks: bulk::Bulks,
    pub(crate) alarms: Alarms,
    pub(crate) jobs: jobs::Jobs,
    pub(crate) rules: rules::Rules,
    conventions: Vec<Box<dyn Convention>>,
    /// Commands that went straight to things in this run.
    sent: HashMap<CommandId, direct::Sending>,
    comings: presence::Comings,
    watch: watch::Watch,
    alerts: alerts::Alerts,
    tokens: HashMap<String, CommandId>,
    /// What the audit log was told of the commands.
    told: HashMap<CommandId, audit::Told>,
    refusals_told: audit::Refusals,
    unacked: packets::Packets,
    installation: u64,
    /// When this run began.
    began: WallMs,
    last_seq: u64,
    last_command: u64,
    last_audit: u64,
    last_change: u64,
    last_get: u64,
    /// Shadows to ask for when there is time.
    to_get: BTreeSet<(ThingKey, SharedText)>,
    /// Shadows that were asked for, oldest first: one that is not answered in time is asked for again.
    asked: VecDeque<(MonoMs, ThingKey, SharedText)>,
    open: open::Open,
    in_flight: in_flight::InFlight,
    pub(crate) link: LinkState,
    /// The lowest QoS the broker granted, since it did.
    pub(crate) granted: Option<u8>,
    /// Since when the link is up, `None` while it is not.
    pub(crate) up_since: Option<MonoMs>,
    /// When the connection that is up, or is tried, began: the broker may say what it kept before it has answered every filter.
    connecting: Option<MonoMs>,
    /// When the last connection ended; what was received since came through the one that is there now.
    lost: Option<MonoMs>,
    /// When we last listened, while the link is down.
    listened: WallMs,
    link_seen: Option<MonoMs>,
    pub(crate) counters: Counters,
    pub(crate) refusals: VecDeque<RefusalRow>,
    pub(crate) sheds: VecDeque<ShedRow>,
    /// Why the cache cannot be written, while it cannot.
    pub(crate) cache_fault: Option<String>,
    pub(crate) last_message: Option<MonoMs>,
    /// The last word of any thing.
    pub(crate) newest_value: Option<WallMs>,
    pub(crate) messages: messages::MessageLog,
    rate: VecDeque<(MonoMs, u64)>,
    pub(crate) stats: StoreStats,
    dirty: Dirty,
    /// How often windows were told what changed: what is dirty already in this round is not noted again.
    round: u64,
    /// Whether samples are noted for charts.
    is_charted: bool,
    routes: route::Routes,
    /// The texts that things have in common.
    texts: Texts,
    /// What their descriptions have in common.
    commons: Commons,
    /// What the last digest was made of; its memory.
    digested: Vec<u8>,
    ticked: Option<MonoMs>,
    looked: Option<MonoMs>,
    /// It is as it was ([`Fleet::as_it_was`]): nothing is judged.
    is_past: bool,
}

impl Fleet {
    /// The fleet as the cache knew it; nothing is live yet.
    pub fn new(config: FleetConfig, restored: Restored, now: Now) -> Fleet {
        let mut fleet = Fleet {
            rules: rules::Rules::new(&config.rules, &config.groups, &config.areas),
            routes: route::Routes::new(&config.telemetry),
            conventions: config.conventions.iter().map(Setting::start).collect(),
            sent: HashMap::new(),
            comings: presence::Comings::default(),
            config,
            things: keyed::Keyed::default(),
            by_name: HashMap::new(),
            index: index::Index::default(),
            series: keyed::Keyed::default(),
            commands: BTreeMap::new(),
            bulks: bulk::Bulks::default(),
            alarms: Alarms::default(),
            jobs: jobs::Jobs::default(),
            watch: watch::Watch::default(),
            alerts: alerts::Alerts::default(),
            tokens: HashMap::new(),
            told: HashMap::new(),
            refusals_told: audit::Refusals::default(),
            unacked: packets::Packets::restored(&restored.unacked),
            installation: restored.installation,
            began: now.wall,
            last_seq: restored.last_seq,
            last_command: restored.last_command,
            last_audit: restored.last_audit,
            last_change: restored.last_change,
            last_get: 0,
            to_get: BTreeSet::new(),
            asked: VecDeque::new(),
            open: open::Open::default(),
            in_flight: in_flight::InFlight::default(),
            link: LinkState::Starting,
            granted: None,
            up_since: None,
            connecting: None,
            lost: None,
            listened: now.wall,
            link_seen: None,
            counters: Counters::default(),
            refusals: VecDeque::new(),
            sheds: VecDeque::new(),
            cache_fault: None,
            last_message: None,
            newest_value: None,
            messages: messages::MessageLog::default(),
            rate: VecDeque::new(),
            stats: restored.stats,
            dirty: Dirty::default(),
            round: 1,
            is_charted: true,
            texts: Texts::default(),
            commons: Commons::default(),
            digested: Vec::new(),
            ticked: None,
            looked: None,
            is_past: false,
        };
        fleet.restore(restored, now);
        fleet
    }

    fn restore(&mut self, restored: Restored, now: Now) {
        (self.texts, self.commons) = (restored.texts, restored.commons);
        self.by_name.reserve(restored.things.len());
        self.things.reserve(restored.things.len());
        self.series.reserve(restored.series.len());
        let newest = restored.latest.iter().map(|s| s.received_ms).max();
        // What everything cached is "as of"; the first start has heard nothing at all.
        let listened = restored.link_seen_ms.or(newest).unwrap_or(now.wall);
        self.listened = listened;
        for (key, name, meta) in restored.things {
            self.insert_thing(key, name, meta);
        }
        self.restore_series(restored.series);
        for sample in restored.latest {
            let Some(series) = self.series.get_mut(&sample.series) else { continue };
            if let Some(thing) = self.things.get_mut(&series.thing).filter(|_| sample.source == Source::Live) {
                let heard = thing.silence.last_heard().max(Some(sample.device_ms));
                self.newest_value = self.newest_value.max(heard);
                thing.silence = Silence::restored(heard, restored.silent.contains(&thing.key), listened);
            }
            series.take(&sample, Source::Cached, None);
        }
        let places = self.things.values().filter_map(|thing| Some((thing.key, self.said_place(thing)?)));
        for (key, at) in places.collect::<Vec<_>>() {
            if let Some(thing) = self.things.get_mut(&key) {
                thing.said_at = Some(Box::new(at));
            }
        }
        self.expect_things();
        for (thing, name, document, heard_ms) in restored.shadows {
            if let Some(thing) = self.things.get_mut(&thing) {
                thing.shadows.insert(name, Shadow { document: Some(document), heard_ms, ..Shadow::default() });
            }
            self.watch.leaves.doubt(thing);
        }
        for command in restored.commands {
            self.look_at(command.thing);
            self.insert_command(Command { attempt: Attempt::Idle, deadline: None, ..command });
        }
        self.restore_bulks(restored.bulks, now);
        self.jobs = jobs::Jobs::restored(restored.jobs, restored.thing_jobs, now.wall, listened);
        let zone = self.config.zone.clone();
        self.watch.rhythms = watch::Rhythms::restored(restored.rhythms, self.series.next_key(), zone);
        self.forget_what_nobody_asks();
        self.restore_positions(restored.positions, listened);
        // What was wrong when we last listened is wrong still, and nothing else is.
        self.restore_alarms(restored.alarms, restored.last_alarm, now);
        self.counters.things = self.things.len() as u64;
        self.dirty.everything = true;
    }

    /// Those of one thing mostly follow each other, since they were met in its first message.
    fn restore_series(&mut self, restored: Vec<(SeriesKey, ThingKey, SharedText)>) {
        let mut restored = restored.into_iter().peekable();
        let mut of_thing = Vec::new();
        while let Some((key, thing, pointer)) = restored.next() {
            of_thing.push((key, pointer));
            if restored.peek().is_some_and(|(_, next, _)| *next == thing) {
                continue;
            }
            let Some(its) = self.things.get_mut(&thing) else {
                of_thing.clear();
                continue;
            };
            let keys: Vec<SeriesKey> = of_thing.iter().map(|(key, _)| *key).collect();
            for (key, pointer) in of_thing.drain(..) {
                self.series.insert(key, Series::new(thing, pointer));
            }
            its.series.extend(keys, &self.series);
        }
    }

    /// Folds one input into the fleet and adds what must happen to `effects`.
    pub fn handle(&mut self, input: Input, now: Now, effects: &mut Effects) {
        match input {
            Input::Started => {
                self.register(now, effects);
                self.tell_what_stands(effects);
            }
            Input::Link(event) => self.link_event(event, now, effects),
            Input::Asked { window, request, intent } => {
                let outcome = self.asked(intent.clone(), now, effects);
                if let Err(fault) = &outcome {
                    self.audit_refusal(&intent, fault, now, effects);
                }
                effects.outward.push(Outward::Answer { window, request, outcome });
            }
            Input::Opened(thing) => self.opened(thing, now, effects),
            Input::Committed { messages } => self.counters.stored += messages,
            Input::Recalled { series, buckets } => self.recalled(series, &buckets, now, effects),
            Input::Measured(stats) => self.stats = stats,
            Input::Configured(settings) => {
                self.audit_settings(&settings, now, effects);
                self.config.who.clone_from(&settings.who);
                self.config.settings = *settings;
                self.dirty.settings = true;
            }
            Input::Set { by, event, detail } => self.audit_set(by, event, &detail, now, effects),
            Input::Kept(command) => self.audit_of(command, Event::Committed, now, effects),
            Input::Published(command) => self.audit_of(command, Event::Published, now, effects),
            Input::NotSent(command) => self.not_sent(command, now, effects),
            Input::CacheFault(fault) => self.cache_fault = fault,
            Input::Ticked => self.ticked(now, effects),
        }
        self.fill_the_wire(now, effects);
    }

    fn ticked(&mut self, now: Now, effects: &mut Effects) {
        let elapsed_ms = self.ticked.map_or(0, |last| now.mono.since(last));
        self.ticked = Some(now.mono);
        while self.rate.front().is_some_and(|(at, _)| now.mono.since(*at) > RATE_WINDOW_MS) {
            self.rate.pop_front();
        }
        if self.up_since.is_some() && self.link_seen.is_none_or(|at| now.mono.since(at) >= LINK_SEEN_EVERY_MS) {
            self.link_seen = Some(now.mono);
            effects.writes.push(Write::LinkSeen { at_ms: now.wall });
        }
        if self.rules.are_many() {
            self.rules.keep_only(self.things.values().map(|thing| thing.ruled));
        }
        self.conventions_ask(now, effects);
        self.commands_in_time(now, effects);
        // One pace for both: what many at once ask for comes first, because a person waits for it.
        let mut gets = self.gets_for(elapsed_ms);
        self.bulks_in_time(&mut gets, now, effects);
        self.get_some_shadows(gets, now, effects);
        self.tell_gone(now, effects);
        self.judge_some(now);
        self.recall_some(now, effects);
        self.write_gone_positions(effects);
        if self.up_since.is_some() && self.looked.is_none_or(|at| now.mono.since(at) >= LOOK_EVERY_MS) {
            self.looked = Some(now.mono);
            self.look(now, effects);
        }
        if self.up_since.is_some() {
            self.look_at_shadows_and_commands(now, effects);
        }
        self.alarms.time_passed(now);
        self.tell_alerts(now, effects);
    }

    /// What changed since the last call.
    pub fn take_dirty(&mut self) -> Dirty {
        self.round += 1;
        std::mem::take(&mut self.dirty)
    }

    /// Whether somebody looks at a chart: samples are noted only then.
    pub(crate) fn set_charted(&mut self, is_charted: bool) {
        self.is_charted = is_charted;
    }

    /// Counts since the start.
    pub fn counters(&self) -> Counters {
        // A driver sees none of them, and should not be told that there are any.
        if !self.config.who.role.sees_everything() {
            return self.counters;
        }
        let worst = self.alarms.needing().next().map(|alarm| alarm.priority);
        Counters { needing: self.alarms.needing_count(), worst, ..self.counters }
    }

    /// Remembers that a window has drawn what is known, and whether over all of its ground.
    pub(crate) fn was_drawn(&mut self, on_ground: bool) {
        self.counters.shown = true;
        self.counters.drawn |= on_ground;
    }

    /// Remembers that a window has shown live values.
    pub(crate) fn live_was_seen(&mut self) {
        self.counters.live_seen = true;
    }

    /// The highest sequence given to a sample.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Messages a second over the last few seconds.
    pub(crate) fn per_s(&self, now: Now) -> f32 {
        let recent = self.rate.iter().filter(|(at, _)| now.mono.since(*at) <= RATE_WINDOW_MS);
        let count: u64 = recent.map(|(_, n)| *n).sum();
        count as f32 * 1000.0 / RATE_WINDOW_MS as f32
    }

    /// Age of a sample: by the device's clock up to its receipt where that is believed, by our monotonic clock since.
    pub(crate) fn age_ms(&self, series: &Series, sample: &Latest, now: Now) -> u64 {
        let before_receipt = match sample.timed {
            Timed::ByDevice => sample.received_ms.since(sample.device_ms),
            Timed::ByUs => 0,
        };
        let since_receipt =
            series.received().map_or_else(|| now.wall.since(sample.received_ms), |at| now.mono.since(at));
        before_receipt.saturating_add(since_receipt)
    }

    /// Live or retained only while we listen, and only if it came through the connection that is up: from its first message on,
    /// which may come before the last of our subscriptions is answered.
    pub(crate) fn source(&self, series: &Series, sample: &Latest) -> Source {
        let since_lost = series.received().filter(|received| self.lost.is_none_or(|lost| *received > lost));
        match (self.up_since, since_lost) {
            (Some(_), Some(_)) => sample.source,
            (Some(_) | None, Some(_) | None) => Source::Cached,
        }
    }

    pub(crate) fn insert_thing(&mut self, key: ThingKey, name: ThingName, meta: Described) {
        self.by_name.insert(name.shared(), key);
        let ruled = self.rules.of(name.as_str(), &meta);
        let thing = Thing {
            key,
            name,
            meta,
            said_at: None,
            series: SeriesOf::default(),
            spoken_of: None,
            silence: Silence::default(),
            heard: None,
            shadows: Few::default(),
            commands: Seldom::default(),
            alarms: Seldom::default(),
            alarmed: None,
            ruled,
            // Of no description and series there ever are: it was not looked at yet.
            judged: (u32::MAX, u32::MAX, Arc::default()),
            described: 0,
            soiled: 0,
        };
        self.index.enter(&thing);
        self.things.insert(key, thing);
        self.carry(key);
    }

    /// A thing is described otherwise from now on.
    fn describe(&mut self, key: ThingKey, meta: Meta, now: Now, effects: &mut Effects) {
        self.uncarry(key);
        let Some(thing) = self.things.get_mut(&key) else { return };
        self.index.leave(thing);
        thing.meta = self.commons.describe(meta, &mut self.texts);
        thing.described += 1;
        thing.ruled = self.rules.of(thing.name.as_str(), &thing.meta);
        self.index.enter(thing);
        if !thing.commands.is_empty() {
            // By another convention they may be sent.
            self.open.moved(key);
        }
        // Their rows carry its title.
        self.dirty.commands.extend(&thing.commands);
        self.dirty.alarms.extend(&thing.alarms);
        self.dirty.things.insert(key);
        self.carry(key);
        self.judge_again(key);
        self.look_at(key);
        // Whose state machines it has left.
        self.asked_of(key, now);
        self.clear_unruled(key, now, effects);
        self.note_unjudged(key);
    }
}

/// So much of a stranger's text, as a screen may have it.
fn beginning(text: &str, most_chars: usize) -> String {
    let end = text.char_indices().nth(most_chars).map_or(text.len(), |(end, _)| end);
    shown(text.get(..end).unwrap_or_default()).chars().take(most_chars).collect()
}

/// How often a thing is expected to speak.
pub(crate) fn interval_ms(meta: &Meta) -> u64 {
    u64::from(meta.interval_s.max(1)) * 1000
}

#[cfg(test)]
pub(crate) mod tests;
