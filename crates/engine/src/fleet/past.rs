//! What was kept of things is heard once more, by a fleet that lives only for that (`crate::backtest`).

use fleetlens_model::command::Command;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::freshness::{Freshness, limit_ms};
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::telemetry::{Sample, Source};
use fleetlens_model::time::{MonoMs, Now};

use super::ingest::LAT;
use super::thing::Thing;
use super::{Effects, Fleet, Outward, interval_ms};

/// Whose silence it is is decided with the look after the word that tells.
const UNDECIDED_MS: u64 = 1_000;

impl Fleet {
    /// The samples of one message, as they were kept. What follows is what follows from a message.
    pub(crate) fn hears_again(&mut self, key: ThingKey, said: Vec<Sample>, now: Now, effects: &mut Effects) {
        let speaks =
            said.iter().filter(|sample| sample.source != Source::Retained).map(|sample| sample.device_ms).max();
        let (mut moved, since_seq) = (false, self.last_seq);
        for sample in said {
            moved |= self.series.get(&sample.series).is_some_and(|series| series.pointer.as_str() == LAT);
            self.keep(Sample { seq: self.last_seq + 1, ..sample }, now, effects);
        }
        if let Some(device_ms) = speaks {
            self.spoke(key, device_ms, now, effects);
        }
        if moved {
            self.moved(key, now);
        }
        self.judge_conditions(key, speaks.map(|_| since_seq), now, effects);
    }

    /// Before anything is heard again: what was usual until then, as far as rules ask that. An engine that runs asks its cache for it at a
    /// thing's first word, and says nothing until it was answered; here the answer is there at once.
    pub(crate) fn recalls_again(
        &mut self,
        now: Now,
        history: impl Fn(HistoryQuery) -> Vec<Bucket>,
        effects: &mut Effects,
    ) {
        if !self.rules.ask_what_is_usual() {
            return;
        }
        for key in self.things.values().map(|thing| thing.key).collect::<Vec<_>>() {
            self.asked_of(key, now);
        }
        self.recall_some(now, effects);
        while let Some(outward) = effects.outward.pop() {
            if let Outward::Recall(query) = outward {
                self.recalled(query.series, &history(query), now, effects);
            }
        }
    }

    /// A command that is over, as it was kept: what rules make of it follows with the next tick.
    pub(crate) fn ends_again(&mut self, command: Command) {
        let thing = command.thing;
        self.insert_command(command);
        self.look_at(thing);
    }

    /// When the next thing may fall silent. Walks all of them.
    pub(crate) fn next_silence(&self, now: Now) -> Option<MonoMs> {
        self.things.values().filter_map(|thing| falls_silent(thing, now)).min()
    }

    /// When this one may.
    pub(crate) fn silence_of(&self, key: ThingKey, now: Now) -> Option<MonoMs> {
        falls_silent(self.things.get(&key)?, now)
    }

    /// When something else may change by time alone, as far as timers tell.
    pub(crate) fn next_timer(&self, now: Now) -> Option<MonoMs> {
        let undecided = self.watch.is_undecided().then(|| now.mono.plus(UNDECIDED_MS));
        self.watch.next_due().into_iter().chain(undecided).min()
    }
}

fn falls_silent(thing: &Thing, now: Now) -> Option<MonoMs> {
    match thing.silence.freshness() {
        Freshness::Live | Freshness::Unknown { .. } => {
            let limit_ms = limit_ms(interval_ms(&thing.meta.common));
            Some(now.mono.plus((limit_ms + 1).saturating_sub(thing.silence.quiet_ms(now))))
        }
        Freshness::Never | Freshness::Silent { .. } => None,
    }
}
