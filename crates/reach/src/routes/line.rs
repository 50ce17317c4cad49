//! One route with what waits in it. At most one batch is on its way; while it is tried again, what comes meanwhile gathers.

use std::cmp::Reverse;

use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{MonoMs, Now};
use ring::digest;

use super::{ByKey, Effects, Figures, LOOK_MS, Parcel, Route};
use crate::hex::hex;
use crate::notice::Event;
use crate::outbox::{Batch, Kept, Record, Waiting};
use crate::retry::{Outcome, Patience};
use crate::since::Since;

/// Notices that may wait in one route. Of one more the oldest of the lowest priority is left out.
pub(super) const QUEUE_MAX: usize = 1_000;

/// Notices that are sent together at most; the worst go first.
pub(super) const TOGETHER_MAX: usize = 100;

/// The texts of what is sent together, in bytes, beyond the first notice's: whoever takes webhooks bounds what they take.
pub(super) const TOGETHER_MAX_BYTES: usize = 100_000;

/// A route and what waits in it.
#[derive(Debug)]
pub(super) struct Line {
    pub route: Route,
    waiting: ByKey<Waiting>,
    flight: Option<Flight>,
    /// Left out or given up since the last parcel that was delivered.
    untold: u64,
    delivered: u64,
    left_out: u64,
    given_up: u64,
    fault: Option<String>,
}

/// What is sent together.
#[derive(Debug)]
struct Flight {
    keys: Vec<u64>,
    delivery: String,
    batch: Batch,
    /// What the parcel tells of, so that every attempt says the same.
    left_out: u64,
    phase: Phase,
}

/// Where a flight is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Handed to the output, which will answer.
    Sent,
    /// To be handed to it at this moment.
    Due(MonoMs),
}

impl Line {
    pub fn new(route: Route) -> Line {
        Line {
            route,
            waiting: ByKey::new(),
            flight: None,
            untold: 0,
            delivered: 0,
            left_out: 0,
            given_up: 0,
            fault: None,
        }
    }

    /// Takes a row out of the journal; they come in the order of their keys.
    pub fn resume(&mut self, key: u64, mut waiting: Waiting, now: Now) {
        match (&mut self.flight, &waiting.batch) {
            (None, Some(batch)) if batch.first == key => {
                let batch = Batch { since: batch.since.resumed(now), ..*batch };
                self.flight = Some(Flight {
                    keys: vec![key],
                    delivery: String::new(),
                    batch,
                    left_out: 0,
                    phase: Phase::Due(now.mono),
                });
            }
            (Some(flight), Some(batch)) if batch.first == flight.batch.first => flight.keys.push(key),
            // Its batch is not there any more, which no order of writes leads to: it is sent like one that was never tried.
            (_, Some(_)) => waiting.batch = None,
            (_, None) => {}
        }
        self.waiting.insert(key, waiting);
        if let Some(flight) = &mut self.flight {
            flight.delivery = delivery(&self.route.name, &flight.keys, &self.waiting);
        }
    }

    /// One more waits; where that is too many, one is left out.
    pub fn enter(&mut self, key: u64, waiting: Waiting, effects: &mut Effects) {
        effects.put.push(Record { key, kept: Kept::Waiting(waiting.clone()) });
        self.waiting.insert(key, waiting);
        if self.waiting.len() <= QUEUE_MAX {
            return;
        }
        let free = self.waiting.iter().filter(|(_, waiting)| waiting.batch.is_none());
        let Some(least) = free.min_by_key(|(key, waiting)| (waiting.notice.priority, **key)).map(|(key, _)| *key)
        else {
            return;
        };
        self.waiting.remove(&least);
        effects.removed.push(least);
        self.left_out += 1;
        self.untold += 1;
    }

    /// Escalations of an alarm that were not sent yet are not sent any more; whether nothing else of it was or is to be sent here.
    pub fn call_off(&mut self, alarm: AlarmId, effects: &mut Effects) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|key, waiting| {
            let is_called_off =
                waiting.notice.alarm == alarm && waiting.notice.event == Event::Escalated && waiting.batch.is_none();
            if is_called_off {
                effects.removed.push(*key);
            }
            !is_called_off
        });
        self.waiting.len() < before && !self.waiting.values().any(|waiting| waiting.notice.alarm == alarm)
    }

    /// What became of an attempt. An answer to another one changes nothing.
    pub fn answered(
        &mut self,
        delivery: &str,
        outcome: Outcome,
        patience: &Patience,
        now: Now,
        roll: f64,
        effects: &mut Effects,
    ) {
        let Some(mut flight) = self.flight.take_if(|flight| flight.delivery == delivery && flight.phase == Phase::Sent)
        else {
            return;
        };
        match outcome {
            Outcome::Delivered => {
                self.delivered += self.let_go(&flight, effects);
                self.untold = self.untold.saturating_sub(flight.left_out);
                self.fault = None;
            }
            Outcome::Refused { why } => self.give_up(&flight, why, effects),
            Outcome::Again { why, after_ms } => {
                flight.batch.failed = flight.batch.failed.saturating_add(1);
                let wait_ms = patience.wait_ms(flight.batch.failed, after_ms, roll);
                let is_over = flight.batch.failed >= patience.attempts
                    || flight.batch.since.elapsed_ms(now).saturating_add(wait_ms) > patience.age_ms;
                if is_over {
                    return self.give_up(&flight, why, effects);
                }
                self.fault = Some(why);
                flight.phase = Phase::Due(now.mono.plus(wait_ms));
                if let Some(waiting) = self.waiting.get_mut(&flight.batch.first) {
                    waiting.batch = Some(flight.batch);
                    effects.put.push(Record { key: flight.batch.first, kept: Kept::Waiting(waiting.clone()) });
                }
                self.flight = Some(flight);
            }
        }
    }

    fn give_up(&mut self, flight: &Flight, why: String, effects: &mut Effects) {
        let gone = self.let_go(flight, effects);
        tracing::warn!(route = self.route.name, notices = gone, why, "given up");
        self.given_up += gone;
        self.untold += gone;
        self.fault = Some(why);
    }

    /// A flight is over; of how many notices.
    fn let_go(&mut self, flight: &Flight, effects: &mut Effects) -> u64 {
        flight.keys.iter().for_each(|key| _ = self.waiting.remove(key));
        effects.removed.extend(&flight.keys);
        flight.keys.len() as u64
    }

    /// Sends what is due, if nothing is on its way.
    pub fn send(&mut self, now: Now, effects: &mut Effects) {
        if self.flight.is_none() {
            self.flight = self.gather(now, effects);
        }
        let Some(flight) = &mut self.flight else { return };
        if !matches!(flight.phase, Phase::Due(at) if at <= now.mono) {
            return;
        }
        flight.phase = Phase::Sent;
        let notices = flight.keys.iter().filter_map(|key| self.waiting.get(key)).map(|waiting| waiting.notice.clone());
        effects.parcels.push(Parcel {
            route: self.route.name.clone(),
            delivery: flight.delivery.clone(),
            at: now.wall,
            notices: notices.collect(),
            left_out: flight.left_out,
        });
    }

    /// Puts together what may be sent now.
    fn gather(&mut self, now: Now, effects: &mut Effects) -> Option<Flight> {
        let route = &self.route;
        let ready = self.waiting.iter().filter(|(_, waiting)| !route.holds(&waiting.notice, now.wall));
        let mut keys: Vec<(Reverse<_>, u64)> =
            ready.map(|(key, waiting)| (Reverse(waiting.notice.priority), *key)).collect();
        keys.sort_unstable();
        keys.truncate(TOGETHER_MAX);
        let mut bytes = 0;
        let fits = |key: &u64| {
            let is_first = bytes == 0;
            bytes += self.waiting.get(key).map_or(0, |waiting| waiting.notice.text_bytes());
            is_first || bytes <= TOGETHER_MAX_BYTES
        };
        let mut keys: Vec<u64> = keys.into_iter().map(|(_, key)| key).take_while(fits).collect();
        keys.sort_unstable();
        let batch = Batch { first: *keys.first()?, failed: 0, since: Since::new(now) };
        for key in &keys {
            if let Some(waiting) = self.waiting.get_mut(key) {
                waiting.batch = Some(batch);
                effects.put.push(Record { key: *key, kept: Kept::Waiting(waiting.clone()) });
            }
        }
        let delivery = delivery(&self.route.name, &keys, &self.waiting);
        Some(Flight { keys, delivery, batch, left_out: self.untold, phase: Phase::Due(now.mono) })
    }

    /// How long there is nothing to do, in milliseconds; `None` where time alone changes nothing.
    pub fn idle_ms(&self, now: Now) -> Option<u64> {
        match self.flight.as_ref().map(|flight| flight.phase) {
            Some(Phase::Due(at)) => Some(at.since(now.mono)),
            Some(Phase::Sent) => None,
            None if self.waiting.is_empty() => None,
            None => Some(LOOK_MS),
        }
    }

    pub fn figures(&self) -> Figures {
        Figures {
            route: self.route.name.clone(),
            waiting: self.waiting.len(),
            delivered: self.delivered,
            left_out: self.left_out,
            given_up: self.given_up,
            fault: self.fault.clone(),
        }
    }
}

/// What a batch is known by on the other side: a digest of what is in it, so that a restart comes to the same.
fn delivery(route: &str, keys: &[u64], waiting: &ByKey<Waiting>) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(route.as_bytes());
    for (key, waiting) in keys.iter().filter_map(|key| Some((key, waiting.get(key)?))) {
        let notice = &waiting.notice;
        let said = format!("\n{key} {} {} {} {}", notice.alarm.0, notice.event.label(), notice.at.0, notice.fleet);
        digest.update(said.as_bytes());
    }
    hex(digest.finish().as_ref().get(..16).unwrap_or_default())
}
