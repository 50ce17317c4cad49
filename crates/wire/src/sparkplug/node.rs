//! What is remembered of edge nodes and their devices, and how much that may be.

use std::collections::BTreeMap;

use super::SparkplugError;
use super::birth::Birth;
use crate::convention::THINGS_MAX;

/// Devices of one node; as many as metrics of one message, because a node's death is told of each.
pub(super) const DEVICES_MAX: usize = 4_096;

/// Memory that all births together may take, in bytes: a million metrics with names of a hundred.
pub(super) const BIRTHS_MAX_BYTES: usize = 256 * 1024 * 1024;

/// Memory of a thing beside its birth, near enough.
const THING_BYTES: usize = 128;

/// An edge node: what it said since it was born, and the devices behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// Since its birth.
    pub(super) session: Option<Session>,
    /// Devices that are there as far as anybody knows. Without a birth they have not been born again since the node was, or since we
    /// could have missed it.
    pub(super) devices: BTreeMap<String, Option<Birth>>,
}

/// A node since its birth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Session {
    pub(super) birth: Birth,
    /// The number of its connection, where the birth said one.
    pub(super) bd_seq: Option<u64>,
    /// The sequence number of its last message, of itself or a device.
    pub(super) seq: u8,
    /// Whether no message was lost since: one of them may have given the aliases away anew.
    pub(super) certain: bool,
}

impl Session {
    /// Follows the sequence of the node's messages (section 6.4.5).
    pub(super) fn step(&mut self, given: u8) -> Result<(), SparkplugError> {
        let last = std::mem::replace(&mut self.seq, given);
        if given == last.wrapping_add(1) {
            return Ok(());
        }
        self.certain = false;
        Err(SparkplugError::Gap { given, last })
    }
}

impl Node {
    /// Forgets what its metrics are called and whether its devices are there.
    pub(super) fn forget_births(&mut self) {
        self.session = None;
        self.devices.values_mut().for_each(|birth| *birth = None);
    }

    /// Takes out the devices that were not born again though they must have been: births come before any data (section 6.4.20).
    pub(super) fn take_unborn(&mut self) -> Vec<String> {
        let unborn: Vec<String> =
            self.devices.iter().filter(|(_, birth)| birth.is_none()).map(|(name, _)| name.clone()).collect();
        self.devices.retain(|_, birth| birth.is_some());
        unborn
    }

    /// What it weighs, with its devices.
    pub(super) fn weight(&self) -> Weight {
        let devices = self.devices.iter().map(|(name, birth)| Weight::of(name, birth.as_ref()));
        let own = Weight::of("", self.session.as_ref().map(|session| &session.birth));
        devices.fold(own, Weight::plus)
    }
}

/// How much memory something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) things: usize,
    pub(super) bytes: usize,
}

impl Weight {
    /// Of a thing with its name and birth.
    pub(super) fn of(name: &str, birth: Option<&Birth>) -> Weight {
        Weight { things: 1, bytes: THING_BYTES + name.len() + birth.map_or(0, Birth::bytes) }
    }

    /// This with something in the place of something; refused where it would become too much.
    pub(super) fn exchange(self, old: Weight, new: Weight) -> Result<Weight, SparkplugError> {
        let sum = self.without(old).plus(new);
        if sum.things > THINGS_MAX && new.things > old.things {
            return Err(SparkplugError::Things { max: THINGS_MAX });
        }
        if sum.bytes > BIRTHS_MAX_BYTES && new.bytes > old.bytes {
            return Err(SparkplugError::Memory { max: BIRTHS_MAX_BYTES });
        }
        Ok(sum)
    }

    /// This and something.
    pub(super) fn plus(self, new: Weight) -> Weight {
        Weight { things: self.things + new.things, bytes: self.bytes + new.bytes }
    }

    /// This without something.
    pub(super) fn without(self, old: Weight) -> Weight {
        Weight { things: self.things.saturating_sub(old.things), bytes: self.bytes.saturating_sub(old.bytes) }
    }
}
