//! Which message a row of the map shows.

use std::collections::HashMap;
use std::path::Path;

use fleetlens_model::id::ThingKey;
use fleetlens_tests::bench::Failure;

use crate::publisher::{Stream, level, name};

/// Levels a lamp's messages count through before they begin anew.
const LEVELS: usize = 101;

/// A row of the map in a frame.
pub struct Row {
    /// When the frame was handed to the window.
    pub at_us: i64,
    /// The lamp.
    pub thing: ThingKey,
    /// Its level.
    pub level: u8,
}

/// When each message of a stream was sent.
pub struct Sent {
    times_us: Vec<i64>,
    things: usize,
}

impl Sent {
    /// As the publisher wrote it.
    pub fn read(file: &Path, stream: &Stream) -> Result<Sent, Failure> {
        let bytes = std::fs::read(file)?;
        let times_us = bytes.as_chunks().0.iter().map(|time| i64::from_le_bytes(*time)).collect();
        Ok(Sent { times_us, things: usize::try_from(stream.things)? })
    }

    /// When the first one was sent.
    pub fn begin_us(&self) -> i64 {
        self.times_us.first().copied().unwrap_or(i64::MAX)
    }

    /// How long each message sent from `begin_us` on took, in milliseconds, until a row showed it or a later one of its thing; those
    /// that never were shown are not among them. `rows` are in the order of time.
    pub fn shown(&self, rows: &[Row], names: &HashMap<ThingKey, String>, begin_us: i64) -> Vec<f64> {
        let numbers: HashMap<String, usize> = (0..self.things).map(|n| (name(n as u32), n)).collect();
        let thing_of: HashMap<ThingKey, usize> =
            names.iter().filter_map(|(thing, name)| Some((*thing, *numbers.get(name)?))).collect();
        let mut next = vec![0; self.things];
        let mut shown_ms = Vec::new();
        for row in rows {
            let Some(thing) = thing_of.get(&row.thing).copied() else { continue };
            let Some(next) = next.get_mut(thing) else { continue };
            let Some(shows) = self.message(thing, *next, row) else { continue };
            for k in *next..=shows {
                if let Some(sent_us) = self.at(thing, k)
                    && sent_us >= begin_us
                {
                    shown_ms.push((row.at_us - sent_us) as f64 / 1e3);
                }
            }
            *next = shows + 1;
        }
        shown_ms
    }

    /// The last message of a thing with this level that was sent before the row came, not before the `from`th.
    fn message(&self, thing: usize, from: usize, row: &Row) -> Option<usize> {
        let sent = (from..).take_while(|k| self.at(thing, *k).is_some_and(|at_us| at_us <= row.at_us));
        sent.take(LEVELS).filter(|k| level(*k as u64) == row.level).last()
    }

    fn at(&self, thing: usize, k: usize) -> Option<i64> {
        self.times_us.get(k * self.things + thing).copied()
    }
}
