//! What needs a person: looked for on every tick, only while we listen. While our own link is down nothing is raised and nothing
//! cleared (invariant 7).

use fleetlens_model::command::{Command, Phase, Step, Withdrawal};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::{Document, leaf_at};
use fleetlens_model::time::{Now, WallMs};

use super::{Effects, Fleet, Thing, interval_ms};

/// Wanted and not reported for longer than this, with no command of ours still waiting, needs a look (ms).
pub const NOT_CONVERGED_AFTER_MS: u64 = 5 * 60_000;

/// A command that failed needs a look for this long, unless a later one succeeded (ms).
const FAILED_FOR_MS: u64 = 24 * 3_600_000;

/// What is wrong with a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It should have spoken and did not.
    Silent {
        /// Its last word.
        since_ms: WallMs,
    },
    /// Its shadow wants what it does not report.
    NotConverged {
        /// Since when `desired` stands.
        since_ms: WallMs,
        /// `wanted dim_pct 40, reports 100`.
        what: String,
    },
    /// A command was refused, or its time ran out.
    CommandFailed {
        /// When.
        since_ms: WallMs,
        /// In words.
        what: String,
    },
}

impl Fleet {
    /// Lets silence timers run out; only while we listen.
    pub(super) fn fall_silent(&mut self, now: Now, effects: &mut Effects) {
        for thing in self.things.values_mut() {
            if thing.silence.fell_silent(interval_ms(&thing.meta), now) {
                effects.writes.push(Write::Silent { thing: thing.key, silent: true });
                self.dirty.things.insert(thing.key);
            }
        }
    }

    pub(super) fn look_for_trouble(&mut self, now: Now) {
        let commands = &self.commands;
        let listening = self.up_since.is_some();
        for thing in self.things.values_mut() {
            let trouble = silent(thing)
                .or_else(|| failed(thing.commands.iter().rev().filter_map(|id| commands.get(id)), now))
                .or_else(|| {
                    not_converged(thing, thing.commands.iter().filter_map(|id| commands.get(id)), listening, now)
                });
            if thing.trouble != trouble {
                thing.trouble = trouble;
                self.dirty.things.insert(thing.key);
            }
        }
    }
}

fn silent(thing: &Thing) -> Option<Trouble> {
    match thing.silence.freshness() {
        Freshness::Silent { since_ms } => Some(Trouble::Silent { since_ms }),
        Freshness::Never | Freshness::Live | Freshness::Unknown { .. } => None,
    }
}

/// The newest command that ended, if it ended badly and not long ago.
fn failed<'a>(newest_first: impl Iterator<Item = &'a Command>, now: Now) -> Option<Trouble> {
    for command in newest_first {
        let what = match &command.phase {
            Phase::Rejected { reason, .. } => format!("command refused: {reason}"),
            Phase::Expired { withdrawal: Withdrawal::Refused { code } }
            | Phase::Cancelled { withdrawal: Withdrawal::Refused { code } } => {
                format!("command could not be taken back ({code}); it may still happen")
            }
            Phase::Expired { .. } if command.at(Step::Accepted).is_some() => {
                "command accepted, never obeyed".to_string()
            }
            Phase::Expired { .. } => "command not answered in time".to_string(),
            Phase::Settled => return None,
            Phase::Pending
            | Phase::Sent
            | Phase::Accepted { .. }
            | Phase::Overtaken { .. }
            | Phase::Cancelled { .. } => continue,
        };
        let since_ms = command.steps.last().map(|(_, at)| *at)?;
        return (now.wall.since(since_ms) < FAILED_FOR_MS).then_some(Trouble::CommandFailed { since_ms, what });
    }
    None
}

/// Of a shadow that was not confirmed since we are back nothing new is said: what was told of it stands.
fn not_converged<'a>(
    thing: &Thing,
    mut commands: impl Iterator<Item = &'a Command>,
    listening: bool,
    now: Now,
) -> Option<Trouble> {
    let (known, open) =
        thing.shadows.values().find_map(|s| s.open.as_ref().map(|open| (s.current || !listening, open)))?;
    if !known {
        return thing.trouble.clone().filter(|trouble| matches!(trouble, Trouble::NotConverged { .. }));
    }
    let long = now.wall.since(open.since_ms) >= NOT_CONVERGED_AFTER_MS && !commands.any(|c| c.phase.is_open());
    long.then(|| Trouble::NotConverged { since_ms: open.since_ms, what: open.what.clone() })
}

/// A leaf of a shadow that is wanted and not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLeaf {
    /// Since when it is wanted.
    pub since_ms: WallMs,
    /// In words: `wanted dim_pct 40, reports 100`.
    pub what: String,
}

/// The first open leaf of a document, if there is one. Worked out once for each version, not on every look.
pub(super) fn open_leaf(document: &Document) -> Option<OpenLeaf> {
    let (delta, _) = document.delta()?;
    let leaves = document.leaves();
    let open = leaves.iter().find(|leaf| leaf.desired.is_some() && leaf_at(&delta, &leaf.pointer).is_some())?;
    let name = open.pointer.strip_prefix('/').unwrap_or(&open.pointer);
    let what = match (&open.desired, &open.reported) {
        (Some(want), Some(have)) => format!("wanted {name} {want}, reports {have}"),
        (Some(want), None) => format!("wanted {name} {want}, reports nothing there"),
        (None, _) => return None,
    };
    Some(OpenLeaf { since_ms: WallMs::from_s(open.desired_at_s.unwrap_or(document.timestamp_s)), what })
}
