//! What is wanted and has not been so for too long, oldest first. After the snapshot only rows that differ.
//!
//! A row carries no age, so it changes only when its leaf does, when its thing falls silent or is described, when a command for it
//! takes a step, and when it becomes unknown or known again whether it is still so.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::{Change, LeafId, NotConvergedRow, Rows, Why};
use fleetlens_model::command::{Command, Phase, Withdrawal};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::{pointer_of, same_value};
use fleetlens_model::text::shown;
use serde_json::Value as Json;

use super::Told;
use super::list::place_words;
use super::page::bare;
use crate::fleet::{Dirty, ENDED_KEPT, Fleet, LateLeaf, OpenLeaf, Thing};

/// Rows the list has at most.
const ROWS_MAX: u32 = 2_000;

/// Characters of a value that a row has at most.
const VALUE_MAX_CHARS: usize = 200;

#[derive(Debug)]
pub(super) struct NotConvergedView {
    limit: usize,
    shown: BTreeMap<LeafId, NotConvergedRow>,
    /// Things of the rows shown.
    things: BTreeSet<ThingKey>,
}

impl NotConvergedView {
    pub(super) fn new(limit: u32) -> NotConvergedView {
        let limit = limit.clamp(1, ROWS_MAX) as usize;
        NotConvergedView { limit, shown: BTreeMap::new(), things: BTreeSet::new() }
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        let common = if self.things.len() < dirty.things.len() {
            self.things.iter().any(|thing| dirty.things.contains(thing))
        } else {
            dirty.things.iter().any(|thing| self.things.contains(thing))
        };
        dirty.everything || dirty.not_converged || common
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let late = fleet.leaves().late().take(self.limit);
        let rows: Vec<NotConvergedRow> = late.filter_map(|late| row(late, fleet)).collect();
        if first {
            self.remember(&rows);
            return Told::All(Rows::NotConverged(rows));
        }
        let mut gone = std::mem::take(&mut self.shown);
        let mut changes = Vec::new();
        for row in &rows {
            if gone.remove(&row.leaf).as_ref() != Some(row) {
                changes.push(Change::NotConverged(row.clone()));
            }
        }
        changes.extend(gone.into_keys().map(Change::NotConvergedGone));
        self.remember(&rows);
        Told::Some(changes)
    }

    fn remember(&mut self, rows: &[NotConvergedRow]) {
        self.shown = rows.iter().map(|row| (row.leaf.clone(), row.clone())).collect();
        self.things = rows.iter().map(|row| row.leaf.thing).collect();
    }
}

fn row(late: &LateLeaf, fleet: &Fleet) -> Option<NotConvergedRow> {
    let (thing, leaf) = fleet.late_leaf(late)?;
    let meta = &thing.meta.common;
    Some(NotConvergedRow {
        leaf: LeafId { thing: thing.key, shadow: late.shadow.to_string(), pointer: late.pointer.to_string() },
        thing_title: thing.title().to_string(),
        kind: meta.kind,
        place: place_words(thing),
        label: shown(meta.label(&leaf.pointer).unwrap_or_else(|| bare(&leaf.pointer))).into_owned(),
        unit: meta.unit(&leaf.pointer).to_string(),
        wanted: cut(&leaf.wanted),
        reported: leaf.reported.as_deref().map(cut),
        since_ms: leaf.since_ms,
        why: why(thing, &late.shadow, leaf, fleet),
        unknown_since_ms: fleet.unconfirmed_since(thing, &late.shadow),
    })
}

fn cut(json: &str) -> String {
    match json.char_indices().nth(VALUE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", json.get(..end).unwrap_or_default()),
        None => json.to_string(),
    }
}

/// Where a thing says in `reported` that it will not do what is wanted, and why: `"refused": "dim_pct, on: under local control"`.
const REFUSED: &str = "refused";

/// What the thing said against the leaf after it was last wanted.
fn refused(thing: &Thing, shadow: &str, leaf: &OpenLeaf) -> Option<Why> {
    let packed = thing.shadows.get(shadow)?.document.as_ref()?;
    // Nearly none says it, and their documents stay packed.
    if !packed.shape().contains(REFUSED) {
        return None;
    }
    let leaves = packed.open().leaves();
    let at = |pointer: &str| leaves.iter().find(|of| of.pointer == pointer);
    let said = at(&pointer_of([REFUSED]))?;
    let (names, reason) = said.reported.as_ref()?.as_str()?.split_once(": ")?;
    let is_named = names
        .split(", ")
        .map(|name| pointer_of([name.trim()]))
        .any(|of| leaf.pointer.strip_prefix(of.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    // What it said of an older wish says nothing of this one.
    let is_of_this = said.reported_at_s >= at(&leaf.pointer)?.desired_at_s;
    (is_named && is_of_this).then(|| Why::Refused { reason: shown(&cut(reason)).into_owned() })
}

/// What the thing said itself, unless a newer wish was kept from it; else the newest command for the leaf that reached the shadow, or was kept from it, tells why; one that still waits here does not.
fn why(thing: &Thing, shadow: &str, leaf: &OpenLeaf, fleet: &Fleet) -> Why {
    if let Freshness::Silent { since_ms } = thing.silence.freshness() {
        return Why::Silent { since_ms };
    }
    let told = told_by_commands(thing, shadow, leaf, fleet);
    if matches!(told, Why::Rejected { .. }) { told } else { refused(thing, shadow, leaf).unwrap_or(told) }
}

fn told_by_commands(thing: &Thing, shadow: &str, leaf: &OpenLeaf, fleet: &Fleet) -> Why {
    let newest_first = thing.commands.iter().rev().filter_map(|id| fleet.commands.get(id));
    for command in newest_first.filter(|command| command.shadow == shadow) {
        let Some(want) = command.wants.iter().find(|want| want.pointer == *leaf.pointer) else { continue };
        let is_ours = serde_json::from_str::<Json>(&leaf.wanted).is_ok_and(|wanted| same_value(&wanted, &want.value));
        match told_by(command) {
            Some(rejected @ Why::Rejected { .. }) => return rejected,
            Some(why) if is_ours => return why,
            Some(_) => return Why::NobodyHere,
            None => {}
        }
    }
    if thing.commands.len() < ENDED_KEPT { Why::NobodyHere } else { Why::Unknown }
}

/// What a command says of a leaf that stands in `desired` as it wanted; `None` when it does not stand there because of it.
fn told_by(command: &Command) -> Option<Why> {
    match &command.phase {
        Phase::Rejected { code, reason } => Some(Why::Rejected { code: *code, reason: shown(reason).into_owned() }),
        Phase::Settled => {
            let settled_ms = command.steps.last().map(|(_, at)| *at).unwrap_or_default();
            Some(Why::NoLonger { settled_ms })
        }
        Phase::Accepted { .. } => Some(Why::NeverObeyed { by: command.by.name.clone() }),
        Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => match withdrawal {
            Withdrawal::Needed | Withdrawal::Refused { .. } | Withdrawal::Impossible => {
                Some(Why::NeverObeyed { by: command.by.name.clone() })
            }
            Withdrawal::NotNeeded | Withdrawal::Done => None,
        },
        Phase::Pending | Phase::Sent | Phase::Overtaken { .. } => None,
    }
}
