//! One thing's page: head, values, shadows, commands and alarms; after the snapshot only rows that differ.
//!
//! Ages grow by themselves in the window, so a row counts as changed only when something else of it did.

use fleetlens_ipc::rows::{
    Change, CommandRow, LeafRow, LeafTakes, Rows, ShadowTable, StepRow, ThingHead, ThingPage, ValueRow,
};
use fleetlens_model::command::{Command, Phase, Step, Withdrawal};
use fleetlens_model::freshness::limit_ms;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Schemas;
use fleetlens_model::shadow::{Leaf, parse_thing_name};
use fleetlens_model::telemetry::Value;
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use serde_json::Value as Json;

use super::Told;
use super::alarms::rows_of;
use super::jobs::jobs_of;
use super::map::status_of;
use crate::fleet::{Dirty, Fleet, Shadow, Thing, interval_ms};

/// Commands on a page.
const COMMANDS_SHOWN: usize = 20;

/// An age that jumped back by no more than this is not worth a row.
const YOUNGER_BY_MS: u64 = 1_000;

#[derive(Debug)]
pub(super) struct PageView {
    thing: ThingKey,
    /// The page as it was told, and when.
    shown: Option<(Box<ThingPage>, MonoMs)>,
}

impl PageView {
    pub(super) fn new(thing: ThingKey) -> PageView {
        PageView { thing, shown: None }
    }

    /// Whose it is.
    pub(super) fn thing(&self) -> ThingKey {
        self.thing
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        if dirty.settings {
            // Who may command is said by the whole page only.
            self.shown = None;
        }
        dirty.everything || dirty.settings || dirty.things.contains(&self.thing)
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let Some(thing) = fleet.things.get(&self.thing) else {
            return if first { Told::All(Rows::Missing) } else { Told::Nothing };
        };
        let page = Box::new(page(thing, fleet, now));
        let told = match self.shown.as_ref().filter(|(before, _)| !first && before.schema == page.schema) {
            Some((before, told)) => Told::Some(changes(before, &page, now.mono.since(*told))),
            None => Told::All(Rows::Thing(page.clone())),
        };
        self.shown = Some((page, now.mono));
        told
    }
}

fn changes(before: &ThingPage, page: &ThingPage, elapsed_ms: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    if ageless_head(&before.head) != ageless_head(&page.head)
        || younger(before.head.heard_age_ms, page.head.heard_age_ms, elapsed_ms)
    {
        changes.push(Change::Head(page.head.clone()));
    }
    for row in &page.values {
        let same = |old: &ValueRow| {
            old.series == row.series
                && ageless(old) == ageless(row)
                && !younger(Some(old.age_ms), Some(row.age_ms), elapsed_ms)
        };
        if !before.values.iter().any(same) {
            changes.push(Change::Value(row.clone()));
        }
    }
    for table in page.shadows.iter().filter(|table| !before.shadows.contains(table)) {
        changes.push(Change::Shadow(table.clone()));
    }
    let gone = before.shadows.iter().filter(|old| !page.shadows.iter().any(|new| new.name == old.name));
    changes.extend(gone.map(|table| Change::ShadowGone(table.name.clone())));
    for row in &page.commands {
        let timeless = |c: &CommandRow| CommandRow { expires_in_ms: None, ..c.clone() };
        if !before.commands.iter().any(|old| timeless(old) == timeless(row)) {
            changes.push(Change::Command(row.clone()));
        }
    }
    changes.extend(page.jobs.iter().filter(|row| !before.jobs.contains(row)).cloned().map(Change::ThingJob));
    let left = before.jobs.iter().filter(|old| !page.jobs.iter().any(|new| new.job == old.job));
    changes.extend(left.map(|row| Change::ThingJobGone(row.job.clone())));
    changes.extend(page.alarms.iter().filter(|row| !before.alarms.contains(row)).cloned().map(Change::Alarm));
    let over = before.alarms.iter().filter(|old| !page.alarms.iter().any(|new| new.id == old.id));
    changes.extend(over.map(|row| Change::AlarmGone(row.id)));
    changes
}

/// Whether an age is less than the one that was told would have become by itself, by more than [`YOUNGER_BY_MS`].
pub(super) fn younger(before: Option<u64>, age: Option<u64>, elapsed_ms: u64) -> bool {
    match (before, age) {
        (Some(before), Some(age)) => age.saturating_add(YOUNGER_BY_MS) < before.saturating_add(elapsed_ms),
        (before, age) => before.is_some() != age.is_some(),
    }
}

fn ageless(row: &ValueRow) -> ValueRow {
    ValueRow { age_ms: 0, ..row.clone() }
}

fn ageless_head(head: &ThingHead) -> ThingHead {
    ThingHead { heard_age_ms: None, ..head.clone() }
}

fn page(thing: &Thing, fleet: &Fleet, now: Now) -> ThingPage {
    let series = thing.series.iter().filter_map(|key| fleet.series.get(&key));
    let mut values: Vec<ValueRow> = series.filter_map(|series| value_row(thing, &series.pointer, fleet, now)).collect();
    values.sort_by(|a, b| (a.rank, &a.pointer).cmp(&(b.rank, &b.pointer)));
    let role_may = fleet.config.who.role.may_command();
    let fence = fleet.fence(thing).filter(|_| role_may).unwrap_or_default();
    let shadows = thing
        .shadows
        .iter()
        .filter_map(|(name, shadow)| shadow_table(name, shadow, &thing.meta.common, fleet))
        .collect();
    let commands = thing.commands.iter().rev().take(COMMANDS_SHOWN).filter_map(|id| fleet.commands.get(id));
    ThingPage {
        head: head(thing, fleet, now),
        values,
        shadows,
        commands: commands.map(|command| command_row(command, thing, fleet, now)).collect(),
        jobs: jobs_of(thing, fleet),
        alarms: rows_of(thing, fleet),
        may_command: role_may
            && fence.is_empty()
            && (!thing.meta.common.convention.is_empty()
                || fleet.config.shadows && parse_thing_name(thing.name.as_str()).is_ok()),
        fence,
        expiries: fleet.config.expiry_ms.clone(),
        schema: fleet.config.schemas.of(&thing.meta.common).map(|of| of.text.clone()).unwrap_or_default(),
    }
}

/// How long ago a thing spoke; by the clock that cannot be set where it spoke in this run.
pub(super) fn heard_age_ms(thing: &Thing, now: Now) -> Option<u64> {
    thing.heard_age_ms(now)
}

fn head(thing: &Thing, fleet: &Fleet, now: Now) -> ThingHead {
    ThingHead {
        thing: thing.key,
        name: thing.name.as_str().to_string(),
        title: thing.title().to_string(),
        kind: thing.meta.common.kind,
        at: thing.place(),
        area: thing.meta.area.to_string(),
        street: thing.meta.street.to_string(),
        capacity: thing.meta.common.capacity,
        gateway: thing.meta.gateway.to_string(),
        synthetic: thing.meta.common.synthetic.clone(),
        convention: thing.meta.common.convention.clone(),
        controls: fleet.config.schemas.controls(&thing.meta.common).to_vec(),
        freshness: thing.silence.freshness(),
        heard_age_ms: heard_age_ms(thing, now),
        status: status_of(thing).code(),
    }
}

/// A value as its row.
pub(super) fn value_row(thing: &Thing, pointer: &str, fleet: &Fleet, now: Now) -> Option<ValueRow> {
    let key = thing.series.get(pointer, &fleet.series)?;
    let series = fleet.series.get(&key)?;
    let sample = series.latest()?;
    let field = thing.meta.common.kind.field(pointer);
    Some(ValueRow {
        series: key,
        pointer: pointer.to_string(),
        label: shown(thing.meta.common.label(pointer).unwrap_or_else(|| bare(pointer))).into_owned(),
        unit: thing.meta.common.unit(pointer).to_string(),
        decimals: field.map_or_else(|| sample.value.decimals(), |f| f.decimals),
        rank: field.map_or(u8::MAX, |f| f.rank),
        value: readable(&sample.value),
        source: fleet.source(series, &sample),
        quality: sample.quality,
        timed: sample.timed,
        age_ms: fleet.age_ms(series, &sample, now),
        old_after_ms: limit_ms(interval_ms(&thing.meta.common)),
        device_ms: sample.device_ms,
        received_ms: sample.received_ms,
    })
}

/// A value as a screen may have it.
fn readable(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(shown(text).into_owned()),
        Value::Number(_) | Value::Flag(_) => value.clone(),
    }
}

fn shadow_table(name: &str, shadow: &Shadow, meta: &Meta, fleet: &Fleet) -> Option<ShadowTable> {
    let document = shadow.document.as_ref()?.open();
    let open = document.open_leaves(|pointer| fleet.config.schemas.tolerance(meta, pointer));
    let leaf_row = |leaf: Leaf| LeafRow {
        differs: open.iter().any(|open| open.pointer == leaf.pointer),
        desired: leaf.desired.as_ref().map(Json::to_string),
        reported: leaf.reported.as_ref().map(Json::to_string),
        desired_ms: leaf.desired_at_s.map(WallMs::from_s),
        reported_ms: leaf.reported_at_s.map(WallMs::from_s),
        pointer: leaf.pointer,
    };
    Some(ShadowTable {
        name: name.to_string(),
        version: document.version,
        current: shadow.current,
        heard_ms: shadow.heard_ms,
        leaves: document.leaves().into_iter().map(leaf_row).collect(),
    })
}

/// A command as its row.
pub(super) fn command_row(command: &Command, thing: &Thing, fleet: &Fleet, now: Now) -> CommandRow {
    let schemas = &fleet.config.schemas;
    let is_theirs = fleet.fence(thing).is_none();
    let kind = thing.meta.common.kind;
    let direct = !thing.meta.common.convention.is_empty();
    let step_row = |(step, at_ms): &(Step, WallMs)| StepRow { step: *step, at_ms: *at_ms, note: note(*step, command) };
    CommandRow {
        thing_title: thing.title().to_string(),
        kind,
        id: command.id,
        thing: command.thing,
        shadow: command.shadow.clone(),
        direct,
        title: command_title(command, &thing.meta.common, schemas),
        changes: command
            .wants
            .iter()
            .map(|w| (w.pointer.clone(), w.before.as_ref().map(Json::to_string), w.value.to_string()))
            .collect(),
        trace: command.token.clone(),
        by: command.by.clone(),
        phase: command.phase.clone(),
        never_obeyed: command.is_never_obeyed(),
        steps: command.steps.iter().map(step_row).collect(),
        sentence: sentence(&command.phase, command.is_never_obeyed(), direct),
        expires_in_ms: command.phase.is_waiting().then(|| command.left_ms(now)),
        can_edit: is_theirs && command.phase == Phase::Pending,
        takes: if command.phase == Phase::Pending {
            command
                .wants
                .iter()
                .map(|want| takes(&command.shadow, &want.pointer, &thing.meta.common, schemas))
                .collect()
        } else {
            Vec::new()
        },
        can_cancel: is_theirs && command.phase.is_waiting() && !(direct && command.phase == Phase::Sent),
    }
}

/// What is said of a leaf; a kind speaks of the classic shadow.
fn takes(shadow: &str, pointer: &str, meta: &Meta, schemas: &Schemas) -> LeafTakes {
    if !shadow.is_empty() {
        return LeafTakes::default();
    }
    let control = schemas.control(meta, pointer).cloned();
    // Not every leaf that is dangerous can be set by a control.
    let dangers = match schemas.of(meta) {
        Some(of) => {
            let dangers = of.schema.way(pointer).into_iter().flat_map(|schema| &schema.dangers);
            let text = |of: &Option<Json>| of.as_ref().map(Json::to_string).unwrap_or_default();
            dangers.map(|(of, sentence)| (text(of), sentence.clone())).collect()
        }
        None => control.as_ref().map(|control| control.dangers.clone()).unwrap_or_default(),
    };
    LeafTakes { control, dangers }
}

/// A command in words: `dim to 40 %`, `barrier: open`.
pub(super) fn command_title(command: &Command, meta: &Meta, schemas: &Schemas) -> String {
    let titles = command.wants.iter().map(|want| want_title(&want.pointer, &want.value, meta, schemas));
    titles.collect::<Vec<_>>().join(", ")
}

/// One wanted leaf in words.
pub(super) fn want_title(pointer: &str, value: &Json, meta: &Meta, schemas: &Schemas) -> String {
    let unit = meta.unit(pointer);
    let value = match value {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "on".to_string(),
        Json::Bool(false) => "off".to_string(),
        Json::Number(_) | Json::Null | Json::Array(_) | Json::Object(_) => value.to_string(),
    };
    match schemas.control(meta, pointer).map(|c| c.label.as_ref()) {
        Some(label) if label.ends_with(" to") => format!("{} {value} {unit}", label.to_lowercase()),
        Some(label) => format!("{}: {value} {unit}", label.to_lowercase()),
        None => format!("{} → {value} {unit}", bare(pointer)),
    }
    .trim_end()
    .to_string()
}

/// Where a command stands, as a sentence for the screen.
pub(super) fn sentence(phase: &Phase, never_obeyed: bool, direct: bool) -> String {
    match phase {
        Phase::Pending => "waits to be sent".into(),
        Phase::Sent if direct => "sent, the thing has not said yet that it obeyed".into(),
        Phase::Sent => "sent, not answered yet".into(),
        Phase::Accepted { .. } => "accepted, not yet obeyed".into(),
        Phase::Rejected { reason, .. } => format!("rejected: {}", shown(reason)),
        Phase::Settled => "done: the device reports it".into(),
        Phase::Overtaken { .. } => "a newer command took its place".into(),
        Phase::Expired { withdrawal: Withdrawal::NotNeeded } => {
            "expired before it could be sent; it will not happen".into()
        }
        Phase::Expired { withdrawal: Withdrawal::Needed } if never_obeyed => {
            "accepted and never obeyed; being taken back so that it cannot happen later".into()
        }
        Phase::Expired { withdrawal: Withdrawal::Done } if never_obeyed => {
            "accepted and not obeyed in time; it will not happen later".into()
        }
        Phase::Expired { withdrawal: Withdrawal::Refused { code } } if never_obeyed => {
            format!("accepted and never obeyed, but taking it back was refused ({code}): it may still happen")
        }
        Phase::Expired { withdrawal: Withdrawal::Needed } => {
            "expired; being taken back so that it cannot happen later".into()
        }
        Phase::Expired { withdrawal: Withdrawal::Done } => {
            "expired without an answer, and taken back; it will not happen later".into()
        }
        Phase::Expired { withdrawal: Withdrawal::Refused { code } } => {
            format!("expired, but taking it back was refused ({code}): it may still happen")
        }
        Phase::Cancelled { withdrawal: Withdrawal::Refused { code } } => {
            format!("taking it back was refused ({code}): it may still happen")
        }
        Phase::Expired { withdrawal: Withdrawal::Impossible } => {
            "expired: it was sent, and the thing has not said that it obeyed; it may still happen".into()
        }
        Phase::Cancelled { withdrawal: Withdrawal::Impossible } => {
            "too late to take back: it was sent already and may still happen".into()
        }
        Phase::Cancelled { withdrawal: Withdrawal::NotNeeded } => "taken back before it was sent".into(),
        Phase::Cancelled { withdrawal: Withdrawal::Needed } => "being taken back".into(),
        Phase::Cancelled { withdrawal: Withdrawal::Done } => "taken back".into(),
    }
}

fn note(step: Step, command: &Command) -> String {
    match (step, &command.phase) {
        (Step::Asked, _) => format!("by {}", command.by.name),
        (Step::Cancelled, _) => {
            command.cancelled_by.as_ref().map_or_else(String::new, |who| format!("by {}", who.name))
        }
        (Step::Accepted, Phase::Accepted { version }) => format!("version {version}"),
        (Step::Rejected, Phase::Rejected { code, reason }) => format!("{code} · {}", shown(reason)),
        (
            Step::Edited
            | Step::Sent
            | Step::Accepted
            | Step::Rejected
            | Step::Settled
            | Step::Overtaken
            | Step::Expired
            | Step::Withdrawn,
            _,
        ) => String::new(),
    }
}

/// A pointer as a name, for values nobody gave one.
pub(super) fn bare(pointer: &str) -> &str {
    pointer.strip_prefix('/').unwrap_or(pointer)
}
