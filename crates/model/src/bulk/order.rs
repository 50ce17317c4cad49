//! What a person asks for: which things, what of each, how fast, and how far when it goes wrong.

use serde::{Deserialize, Serialize};

use crate::id::ThingKey;
use crate::search::Search;

/// Wishes of one bulk command.
pub const WISHES_MAX: usize = 32;

/// Things that may be released at once.
pub const BATCH_MAX: u32 = 1_000;

/// The longest time between two batches, in seconds.
pub const EVERY_MAX_S: u32 = 86_400;

/// Which things are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// These, in this order; 1 to [`super::THINGS_MAX`]. Of a bulk command that is kept empty: its rows name them.
    Things(Vec<ThingKey>),
    /// Whatever is found.
    Search(Search),
}

/// One leaf that a person wants otherwise, of many things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// JSON pointer into `desired` (RFC 6901).
    pub pointer: String,
    /// The wanted value as JSON text.
    pub value_json: String,
}

/// How fast, and how far when it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Things released at once, 1 to [`BATCH_MAX`].
    pub batch: u32,
    /// From the last thing of a batch to the first of the next, in seconds, 1 to [`EVERY_MAX_S`].
    pub every_s: u32,
    /// It ends itself once so many of a hundred that finished have failed, 1 to 100; `None` for never.
    pub abort_at_pct: Option<u8>,
    /// Not before so many have finished, at least 1.
    pub abort_after: u32,
}

impl Default for Rollout {
    fn default() -> Rollout {
        Rollout { batch: 50, every_s: 10, abort_at_pct: Some(20), abort_after: 10 }
    }
}

impl Rollout {
    /// The error is the sentence for the screen.
    pub fn check(&self) -> Result<(), String> {
        let Rollout { batch, every_s, abort_at_pct, abort_after } = *self;
        if !(1..=BATCH_MAX).contains(&batch) {
            return Err(format!("a batch is 1 to {BATCH_MAX} things, not {batch}"));
        }
        if !(1..=EVERY_MAX_S).contains(&every_s) {
            return Err(format!("a batch is released every 1 to {EVERY_MAX_S} s, not every {every_s} s"));
        }
        if abort_at_pct.is_some_and(|pct| !(1..=100).contains(&pct)) || abort_after == 0 {
            return Err("it may abort at 1 to 100 % failed, after at least 1 has finished".to_owned());
        }
        Ok(())
    }
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Of which things.
    pub target: Target,
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// What is wanted of each, 1 to [`WISHES_MAX`].
    pub wishes: Vec<Wish>,
    /// How long each command may wait, counted from its release, in milliseconds; `None` for the control's own expiry.
    pub expires_in_ms: Option<u64>,
    /// How fast.
    pub rollout: Rollout,
    /// Whether things that are found later are asked too, until somebody stops it.
    pub continuous: bool,
}
