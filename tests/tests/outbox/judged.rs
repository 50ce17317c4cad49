//! What came of every command, by the cache's own rows and log, held against what every device says that it did.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::Host;
use fleetlens_ipc::rows::Rows;
use fleetlens_ipc::{Look, Scope};
use fleetlens_model::audit::{Event, Filter};
use fleetlens_model::command::{Command, Phase, Step};
use fleetlens_model::id::CommandId;
use fleetlens_sim::shadows::Shadows;
use fleetlens_store::Store;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::town::Did;
use serde_json::Value;

/// A device that was told something does it within this time, in milliseconds, where no fault struck it: what it had begun when it
/// was taken back it may still do.
const OBEYS_WITHIN_MS: i64 = 3_000;

/// A command in the end. Each of a test sets one leaf, to a value that no other command for that thing has.
pub struct Ended {
    pub command: Command,
    pub thing: String,
    /// What the audit log tells of it, oldest first.
    pub told: Vec<Event>,
}

impl Ended {
    fn pointer(&self) -> &str {
        &self.command.wants[0].pointer
    }

    fn value(&self) -> &Value {
        &self.command.wants[0].value
    }

    fn took(&self, step: Step) -> bool {
        self.command.at(step).is_some()
    }

    fn was_taken_back(&self) -> bool {
        self.took(Step::Withdrawn) && matches!(self.command.phase, Phase::Expired { .. } | Phase::Cancelled { .. })
    }

    /// One word of its own for every way to end.
    pub fn word(&self) -> &'static str {
        match self.command.phase {
            Phase::Pending | Phase::Sent | Phase::Accepted { .. } => "open",
            Phase::Settled => "settled",
            Phase::Rejected { .. } => "rejected",
            Phase::Overtaken { .. } => "overtaken",
            Phase::Cancelled { .. } => "cancelled",
            Phase::Expired { .. } if !self.took(Step::Sent) => "expired unsent",
            Phase::Expired { .. } if self.command.is_never_obeyed() => "never obeyed",
            Phase::Expired { .. } => "expired",
        }
    }
}

/// Waits until nothing is open any more, and stops the app.
pub async fn all_end(host: Arc<Host>, mut desk: Desk, within: Duration) {
    let open = desk.look(Look::Commands { scope: Scope::Open, limit: 2_000 }).await;
    desk.wait_for("every command to end", within, |desk| match desk.rows(open) {
        Some(Rows::Commands(rows)) if rows.is_empty() => Ok(()),
        Some(Rows::Commands(rows)) => Err(format!("{} open, the first: {:?}", rows.len(), rows.first())),
        other => Err(format!("{other:?}")),
    })
    .await;
    desk.detach().await;
    host.stop().await;
}

/// Every command of a cache that nobody has open, in the order in which they were asked for.
pub async fn ended(cache: &Path, profile: &str) -> Vec<Ended> {
    let (store, restored) = Store::open(cache, profile, 0).unwrap();
    let names: BTreeMap<_, _> = restored.things.iter().map(|(key, name, _)| (*key, name.as_str().to_owned())).collect();
    let mut told: BTreeMap<CommandId, Vec<Event>> = BTreeMap::new();
    for entry in store.audit(Filter::default(), usize::MAX).await.unwrap().into_iter().rev() {
        if let Some(command) = entry.command {
            told.entry(command).or_default().push(entry.event);
        }
    }
    store.close().await.unwrap();
    let mut commands = restored.commands;
    commands.sort_by_key(|command| command.id);
    let of = |command: Command| {
        let (thing, told) = (names[&command.thing].clone(), told.remove(&command.id).unwrap_or_default());
        Ended { command, thing, told }
    };
    commands.into_iter().map(of).collect()
}

/// Everything that is wrong with how these ended, as sentences. `did` says what a device did, `sound` whether no fault struck it.
pub fn faults(
    all: &[Ended],
    shadows: &Shadows,
    did: impl Fn(&str) -> Vec<Did>,
    sound: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut of_things: BTreeMap<&str, Vec<&Ended>> = BTreeMap::new();
    for one in all {
        faults.extend(ends_once(one).map(|why| sentence(one, &why)));
        of_things.entry(&one.thing).or_default().push(one);
    }
    for (thing, its) in of_things {
        let did = did(thing);
        let history = |one: &Ended| -> Vec<&Did> { did.iter().filter(|did| did.pointer == one.pointer()).collect() };
        for one in &its {
            let document = shadows.document(thing, None);
            let desired = document
                .and_then(|document| document.desired.as_ref())
                .and_then(|d| d.get(one.pointer().trim_start_matches('/')));
            let why = effect(one, &its, &history(one), desired, sound(thing));
            faults
                .extend(why.into_iter().map(|why| format!("{}; its history: {:?}", sentence(one, &why), history(one))));
        }
    }
    faults
}

fn sentence(one: &Ended, why: &str) -> String {
    let Ended { command, thing, told } = one;
    let steps: Vec<Step> = command.steps.iter().map(|(step, _)| *step).collect();
    format!("{thing} {} = {}: {why}; {:?} by {steps:?}, told {told:?}", one.pointer(), one.value(), command.phase)
}

/// Why a command did not end once, if it did not.
fn ends_once(one: &Ended) -> Option<String> {
    let is_end = |event: &&Event| {
        matches!(
            event,
            Event::Rejected
                | Event::Settled
                | Event::Overtaken
                | Event::Expired
                | Event::NeverObeyed
                | Event::Cancelled
        )
    };
    let ends: Vec<Event> = one.told.iter().filter(is_end).copied().collect();
    let as_told = match one.command.phase {
        Phase::Pending | Phase::Sent | Phase::Accepted { .. } => return Some("has not ended".into()),
        Phase::Rejected { .. } => ends == [Event::Rejected],
        Phase::Overtaken { .. } => ends == [Event::Overtaken],
        Phase::Expired { .. } if one.command.is_never_obeyed() => ends == [Event::NeverObeyed],
        Phase::Expired { .. } => ends == [Event::Expired],
        Phase::Cancelled { .. } => ends == [Event::Cancelled],
        // What the device did while nobody looked is not undone.
        Phase::Settled => matches!(
            ends[..],
            [Event::Settled] | [Event::Expired | Event::NeverObeyed | Event::Cancelled, Event::Settled]
        ),
    };
    if one.command.phase.is_open() {
        return Some("is not taken back yet".into());
    }
    (!as_told).then(|| format!("ended as {ends:?}"))
}

/// What is wrong with what the device did because of a command.
fn effect(one: &Ended, its: &[&Ended], history: &[&Did], desired: Option<&Value>, sound: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let times: Vec<usize> = (0..history.len()).filter(|at| history[*at].value == *one.value()).collect();
    if !one.took(Step::Sent) && !times.is_empty() {
        faults.push("never left, and was done".to_owned());
    }
    if one.command.phase == Phase::Settled && times.is_empty() {
        faults.push("is settled, and was never done".to_owned());
    }
    let of = |did: &Did| its.iter().find(|other| other.pointer() == one.pointer() && *other.value() == did.value);
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        // What a newer one that was taken back had in its place comes back: by that and by nothing else.
        let between = history[*first..*last].iter().filter_map(|did| of(did));
        let again: Vec<&Value> = between
            .filter(|other| other.command.id != one.command.id && !other.was_taken_back())
            .map(|o| o.value())
            .collect();
        if times.len() > 1 && (!again.is_empty() || last - first < 2) {
            faults.push(format!("was done again after {again:?}"));
        }
        let newer = history[..*first].iter().filter_map(|did| of(did)).find(|other| other.command.id > one.command.id);
        if let Some(newer) = newer.filter(|newer| !newer.was_taken_back()) {
            faults.push(format!("was done after the newer {}", newer.value()));
        }
    }
    if let Some(withdrawn) = one.command.at(Step::Withdrawn).filter(|_| one.was_taken_back()) {
        if desired == Some(one.value()) {
            faults.push("was taken back, and is still wanted".to_owned());
        }
        let late = history.iter().find(|did| did.value == *one.value() && did.at_ms > withdrawn.0 + OBEYS_WITHIN_MS);
        let brought_back = its.iter().any(|other| other.command.id > one.command.id && other.was_taken_back());
        if let Some(late) = late.filter(|_| sound && !brought_back) {
            faults.push(format!("was done at {}, after it was taken back at {}", late.at_ms, withdrawn.0));
        }
    }
    if !one.took(Step::Sent) && desired == Some(one.value()) {
        faults.push("never left, and is wanted".to_owned());
    }
    faults
}

/// How many ended in which way.
pub fn counted(all: &[Ended]) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    all.iter().for_each(|one| *counted.entry(one.word()).or_default() += 1);
    counted
}
