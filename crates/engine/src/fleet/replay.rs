//! A fleet as it was: made of what was known at a moment, told what came after it, and judging nothing. What alarms there were and what
//! became of them the cache says; whether we listened is seen by what was received.

use fleetlens_ipc::rows::{LinkState, Settings};
use fleetlens_model::freshness::Silence;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::Restored;
use fleetlens_model::shadow::{Document, Packed};
use fleetlens_model::telemetry::{Sample, Source};
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::ingest::LAT;
use super::{Effects, Fleet, Shadow, interval_ms};
use crate::config::FleetConfig;

/// Without a word of anything for this long, nobody listened. In a fleet that speaks seldom it is [`GAP_INTERVALS`] of the shortest of
/// its intervals.
const GAP_MS: u64 = 60_000;
const GAP_INTERVALS: u64 = 2;

/// The clocks of a moment of the past: both count from the same second, so that ages are what they were.
pub(crate) fn moment(at: WallMs) -> Now {
    Now { wall: at, mono: mono(at) }
}

fn mono(at: WallMs) -> MonoMs {
    MonoMs(u64::try_from(at.0).unwrap_or(0))
}

impl Fleet {
    /// The fleet as it was known at a moment; `heard` is when anything had been received last.
    pub(crate) fn as_it_was(config: FleetConfig, mut restored: Restored, heard: Option<WallMs>, at: WallMs) -> Fleet {
        let now = moment(at);
        let received: Vec<(SeriesKey, Source, WallMs, WallMs)> = restored
            .latest
            .iter()
            .map(|sample| (sample.series, sample.source, sample.received_ms, sample.device_ms))
            .collect();
        let alarms = std::mem::take(&mut restored.alarms);
        let mut fleet = Fleet::new(config, restored, now);
        fleet.is_past = true;
        alarms.into_iter().for_each(|alarm| fleet.stood(alarm));
        fleet.stood_in_flood(now);
        if heard.is_some_and(|heard| at.since(heard) <= fleet.gap_ms()) {
            for thing in fleet.things.values_mut() {
                thing.silence = Silence::default();
                thing.silence.link_up(interval_ms(&thing.meta.common), moment(WallMs(0)));
            }
            for (series, source, received_ms, device_ms) in received {
                let Some(series) = fleet.series.get_mut(&series) else { continue };
                series.hear_again(source, mono(received_ms));
                if let Some(thing) = fleet.things.get_mut(&series.thing).filter(|_| source == Source::Live) {
                    let last = thing.heard.max(Some(mono(received_ms)));
                    let spoke = Now { wall: received_ms, mono: last.unwrap_or_default() };
                    thing.silence.heard(device_ms, spoke);
                    thing.heard = last;
                }
            }
            fleet.link_was(true, now);
            fleet.time_was(now);
        } else {
            fleet.lost = Some(now.mono);
            fleet.link_was(false, now);
        }
        fleet.dirty.everything = true;
        fleet
    }

    /// Without a word of anything for this long, nobody listened.
    pub(crate) fn gap_ms(&self) -> u64 {
        let shortest = self.things.values().map(|thing| interval_ms(&thing.meta.common)).min().unwrap_or(0);
        GAP_MS.max(shortest.saturating_mul(GAP_INTERVALS))
    }

    /// Our link is up, or is not, from now on.
    pub(crate) fn link_was(&mut self, is_up: bool, now: Now) {
        if is_up {
            self.link = LinkState::Up { since_ms: now.wall };
            self.up_since = Some(now.mono);
            for thing in self.things.values_mut() {
                thing.silence.link_up(interval_ms(&thing.meta.common), now);
            }
            self.believe_alarms();
        } else {
            let reason = Some("nothing was received then".to_owned());
            self.link = LinkState::Connecting { reason, since_ms: self.listened };
            if self.up_since.take().is_some() {
                self.lost = Some(now.mono);
                self.listened = now.wall;
                self.things.values_mut().for_each(|thing| thing.silence.link_down(now));
            }
            let listened = Now { wall: self.listened, ..now };
            self.doubt_alarms(listened);
        }
        for thing in self.things.values_mut() {
            thing.shadows.values_mut().for_each(|shadow| (shadow.current, shadow.heard_now) = (is_up, is_up));
        }
        self.dirty.everything = true;
    }

    /// Whether we listened.
    pub(crate) fn listened_then(&self) -> bool {
        self.up_since.is_some()
    }

    /// What was received at one moment, in the order it came.
    pub(crate) fn was_told(&mut self, sample: Sample, effects: &mut Effects) {
        let now = moment(sample.received_ms);
        let Some(series) = self.series.get(&sample.series) else { return };
        let (key, is_place) = (series.thing, series.pointer.as_str() == LAT);
        let (source, device_ms, seq) = (sample.source, sample.device_ms, self.last_seq + 1);
        self.keep(Sample { seq, ..sample }, now, effects);
        if source == Source::Live {
            self.spoke(key, device_ms, now, effects);
        }
        if is_place || self.things.get(&key).is_some_and(|thing| thing.said_at.is_some()) {
            self.moved(key, now);
        }
        self.soil_thing(key);
    }

    /// Whether it is as it was.
    pub(crate) fn is_past(&self) -> bool {
        self.is_past
    }

    /// A shadow became this; `None` where nobody can tell what, or there is none any more.
    pub(crate) fn shadow_was(&mut self, key: ThingKey, name: &str, document: Option<&Document>, now: Now) {
        let name = self.texts.get(name);
        let packed = document.map(|document| Packed::of(document, &mut self.texts));
        let is_up = self.up_since.is_some();
        let Some(thing) = self.things.get_mut(&key) else { return };
        if thing.shadows.get(&name).is_none() {
            thing.shadows.insert(name.clone(), Shadow { current: is_up, heard_now: is_up, ..Shadow::default() });
        }
        self.judge(key, name.as_str(), document, now);
        let Some(thing) = self.things.get_mut(&key) else { return };
        if let Some(shadow) = thing.shadows.get_mut(&name) {
            (shadow.document, shadow.heard_ms) = (packed, now.wall);
        }
        self.look_at(key);
        self.soil_thing(key);
    }

    /// Time passed: who said nothing falls silent, and what is wanted and not so grows late.
    pub(crate) fn time_was(&mut self, now: Now) {
        let mut nothing_follows = Effects::default();
        if self.up_since.is_some() {
            self.fall_silent(now, &mut nothing_follows);
            self.judge_some(now);
            self.look_at_shadows_and_commands(now, &mut nothing_follows);
        } else {
            self.judge_some(now);
        }
        self.alarms.time_passed(now);
    }

    /// Somebody else is at the screen.
    pub(crate) fn was_configured(&mut self, settings: Settings) {
        self.config.who.clone_from(&settings.who);
        self.config.settings = settings;
        self.dirty.settings = true;
        self.dirty.everything = true;
    }
}
