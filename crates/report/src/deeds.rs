//! Who did what, and what came of it: the entries of the audit log that people made, each with the end of what it began.
//!
//! The things of a bulk command are one deed, with how many of them ended how.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};

use fleetlens_model::audit::{Entry, Event};
use fleetlens_model::id::CommandId;
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, StoreError};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing had to come of it.
    Done,
    /// The device reports what was wanted.
    Settled,
    /// Everything of a bulk command was asked.
    Through,
    /// Nothing has come of it yet.
    Waits,
    /// Its message is on the way.
    Sent,
    /// The shadow took it; the device has not done it yet.
    Accepted,
    /// A newer command took its place.
    Overtaken,
    /// A person took it back, or ended it.
    Cancelled,
    /// Refused, by us or by the service.
    Refused,
    /// Its time ran out before the shadow took it.
    Expired,
    /// The shadow took it, and the device did not do it.
    NeverObeyed,
    /// Too many of its things failed.
    Aborted,
    /// It could not be taken back, and may still happen.
    NotWithdrawn,
}

impl Outcome {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Settled => "done: the device reports it",
            Outcome::Through => "all were asked",
            Outcome::Waits => "waits to be sent",
            Outcome::Sent => "sent, not answered yet",
            Outcome::Accepted => "accepted, not yet obeyed",
            Outcome::Overtaken => "a newer command took its place",
            Outcome::Cancelled => "taken back",
            Outcome::Refused => "refused",
            Outcome::Expired => "expired",
            Outcome::NeverObeyed => "accepted and never obeyed",
            Outcome::Aborted => "ended by itself: too many failed",
            Outcome::NotWithdrawn => "could not be taken back; it may still happen",
        }
    }

    /// Whether somebody should look after it.
    pub fn is_failure(self) -> bool {
        match self {
            Outcome::Refused | Outcome::Expired | Outcome::NeverObeyed | Outcome::Aborted | Outcome::NotWithdrawn => {
                true
            }
            Outcome::Done
            | Outcome::Settled
            | Outcome::Through
            | Outcome::Waits
            | Outcome::Sent
            | Outcome::Accepted
            | Outcome::Overtaken
            | Outcome::Cancelled => false,
        }
    }

    /// What an event makes of a command; `None` where it changes nothing that a person asks about.
    fn of(event: Event) -> Option<Outcome> {
        match event {
            Event::Committed => Some(Outcome::Waits),
            Event::Published | Event::Acknowledged => Some(Outcome::Sent),
            Event::Accepted => Some(Outcome::Accepted),
            Event::Settled => Some(Outcome::Settled),
            Event::Overtaken => Some(Outcome::Overtaken),
            Event::Cancelled => Some(Outcome::Cancelled),
            Event::Rejected | Event::NotPublished => Some(Outcome::Refused),
            Event::Expired => Some(Outcome::Expired),
            Event::NeverObeyed => Some(Outcome::NeverObeyed),
            Event::NotWithdrawn => Some(Outcome::NotWithdrawn),
            Event::BulkDone => Some(Outcome::Through),
            Event::BulkStopped => Some(Outcome::Cancelled),
            Event::BulkAborted => Some(Outcome::Aborted),
            Event::Asked
            | Event::Edited
            | Event::Refused
            | Event::Withdrawn
            | Event::AlarmAcknowledged
            | Event::AlarmShelved
            | Event::AlarmUnshelved
            | Event::AlarmOutOfService
            | Event::AlarmInService
            | Event::AlarmReset
            | Event::AlarmAssigned
            | Event::Set
            | Event::BulkAsked
            | Event::BulkPaused
            | Event::BulkResumed => None,
        }
    }

    /// How far it is: a word that comes late (the broker's, after the service's) changes nothing.
    fn rank(self) -> u8 {
        match self {
            Outcome::Done | Outcome::Waits => 0,
            Outcome::Sent => 1,
            Outcome::Accepted => 2,
            Outcome::Settled
            | Outcome::Through
            | Outcome::Overtaken
            | Outcome::Cancelled
            | Outcome::Refused
            | Outcome::Expired
            | Outcome::NeverObeyed
            | Outcome::Aborted => 3,
            Outcome::NotWithdrawn => 4,
        }
    }
}

/// Something a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at_ms: WallMs,
    /// Who; hidden characters are written out, as in all texts here.
    pub who: String,
    /// Their role.
    pub role: &'static str,
    /// What, in a word or two.
    pub what: &'static str,
    /// The thing's name; empty where there is none.
    pub thing: String,
    /// More of it.
    pub detail: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Of a bulk command how its things ended, the most first.
    pub things: Vec<(Outcome, u64)>,
}

/// What the log says is what: a command's number, or that of a bulk command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Command(CommandId),
    Bulk(u64),
}

/// What people did in a span, in the order of the log. How it ended is looked for until now.
pub fn read(reading: &Reading, span: &Range<WallMs>) -> Result<Vec<Deed>, StoreError> {
    let mut found = Found::default();
    reading.audit_between(&(span.start..WallMs(i64::MAX)), |row| {
        if let Some(entry) = row.entry {
            found.take(&entry, span);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found.deeds())
}

#[derive(Default)]
struct Found {
    deeds: Vec<(Deed, Option<Subject>)>,
    outcomes: HashMap<Subject, Outcome>,
    /// The commands of bulk commands that were asked for in the span.
    of_bulk: HashMap<u64, Vec<CommandId>>,
}

impl Found {
    fn take(&mut self, entry: &Entry, span: &Range<WallMs>) {
        let bulk = bulk_named_first(&entry.detail);
        let subject = match entry.command {
            Some(command) => Some(Subject::Command(command)),
            None => bulk.map(Subject::Bulk),
        };
        if let Some((subject, outcome)) = subject.zip(Outcome::of(entry.event)) {
            let known = self.outcomes.entry(subject).or_insert(outcome);
            if outcome.rank() >= known.rank() {
                *known = outcome;
            }
        }
        let (Some(person), true) = (entry.by.person(), span.contains(&entry.at_ms)) else { return };
        let Some((what, outcome)) = deed_of(entry.event) else { return };
        let of_bulk = bulk_named_last(&entry.detail).filter(|_| entry.event == Event::Asked);
        // Its bulk command stands in the list and tells of all its things.
        if let (Some(things), Some(command)) = (of_bulk.and_then(|bulk| self.of_bulk.get_mut(&bulk)), entry.command) {
            things.push(command);
            return;
        }
        if let Some(bulk) = bulk.filter(|_| entry.event == Event::BulkAsked) {
            self.of_bulk.insert(bulk, Vec::new());
        }
        let deed = Deed {
            at_ms: entry.at_ms,
            who: if person.name.is_empty() { "nobody by name".to_owned() } else { shown(&person.name).into_owned() },
            role: person.role.label(),
            what,
            thing: shown(&entry.thing).into_owned(),
            detail: shown(&entry.detail).into_owned(),
            outcome,
            things: Vec::new(),
        };
        let goes_on = matches!(entry.event, Event::Asked | Event::BulkAsked);
        self.deeds.push((deed, subject.filter(|_| goes_on)));
    }

    fn deeds(self) -> Vec<Deed> {
        let Found { deeds, outcomes, of_bulk } = self;
        let of = |subject: Subject| outcomes.get(&subject).copied();
        deeds
            .into_iter()
            .map(|(mut deed, subject)| {
                let Some(subject) = subject else { return deed };
                deed.outcome = of(subject).unwrap_or(deed.outcome);
                if let Subject::Bulk(bulk) = subject {
                    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
                    for command in of_bulk.get(&bulk).into_iter().flatten() {
                        *counts.entry(of(Subject::Command(*command)).unwrap_or(Outcome::Waits)).or_default() += 1;
                    }
                    deed.things = counts.into_iter().collect();
                    deed.things.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                }
                deed
            })
            .collect()
    }
}

/// What a person did with it, and how it ends where nothing more is heard; `None` of a step that no person takes.
fn deed_of(event: Event) -> Option<(&'static str, Outcome)> {
    match event {
        Event::Asked => Some(("Command", Outcome::Waits)),
        Event::Edited => Some(("Changed a command", Outcome::Done)),
        Event::Cancelled => Some(("Took a command back", Outcome::Done)),
        Event::Refused => Some(("Asked for", Outcome::Refused)),
        Event::AlarmAcknowledged => Some(("Acknowledged", Outcome::Done)),
        Event::AlarmShelved => Some(("Shelved", Outcome::Done)),
        Event::AlarmUnshelved => Some(("Put back on the list", Outcome::Done)),
        Event::AlarmOutOfService => Some(("Took out of service", Outcome::Done)),
        Event::AlarmInService => Some(("Put back in service", Outcome::Done)),
        Event::AlarmReset => Some(("Reset", Outcome::Done)),
        Event::AlarmAssigned => Some(("Assigned", Outcome::Done)),
        Event::Set => Some(("Set", Outcome::Done)),
        Event::BulkAsked => Some(("Bulk command", Outcome::Waits)),
        Event::BulkPaused => Some(("Held a bulk command", Outcome::Done)),
        Event::BulkResumed => Some(("Let a bulk command go on", Outcome::Done)),
        Event::BulkStopped => Some(("Stopped a bulk command", Outcome::Done)),
        Event::Committed
        | Event::Published
        | Event::Acknowledged
        | Event::NotPublished
        | Event::Accepted
        | Event::Rejected
        | Event::Settled
        | Event::Overtaken
        | Event::Expired
        | Event::NeverObeyed
        | Event::Withdrawn
        | Event::NotWithdrawn
        | Event::BulkAborted
        | Event::BulkDone => None,
    }
}

/// The number in `bulk command 7`, with or without `: …` behind it.
fn bulk_named_first(detail: &str) -> Option<u64> {
    let rest = detail.strip_prefix("bulk command ")?;
    rest.split(':').next()?.parse().ok()
}

/// The number in `… (bulk command 7)`.
fn bulk_named_last(detail: &str) -> Option<u64> {
    let (_, rest) = detail.rsplit_once(" (bulk command ")?;
    rest.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use fleetlens_model::audit::By;
    use fleetlens_model::identity::{Actor, Role};

    use super::*;

    fn entry(at_ms: i64, event: Event, command: Option<u64>, detail: &str) -> Entry {
        let person = By::Person(Actor { name: "M. Vella".into(), role: Role::Operator });
        Entry {
            seq: 1,
            at_ms: WallMs(at_ms),
            by: if deed_of(event).is_some() { person } else { By::Program },
            thing: "lamp-1".into(),
            shadow: String::new(),
            command: command.map(CommandId),
            trace: String::new(),
            event,
            after_ms: None,
            detail: detail.into(),
        }
    }

    fn deeds(entries: &[Entry]) -> Vec<Deed> {
        let mut found = Found::default();
        entries.iter().for_each(|entry| found.take(entry, &(WallMs(10)..WallMs(20))));
        found.deeds()
    }

    #[test]
    fn a_command_ends_as_the_log_says_last_whatever_comes_late() {
        use Event::{
            Accepted, Acknowledged, Asked, Cancelled, Committed, NeverObeyed, NotWithdrawn, Published, Settled,
            Withdrawn,
        };
        for (name, events, want) in [
            ("asked", vec![], Outcome::Waits),
            ("on its way", vec![Committed, Published], Outcome::Sent),
            ("the broker's word after the service's", vec![Published, Accepted, Acknowledged], Outcome::Accepted),
            ("done", vec![Accepted, Settled, Acknowledged], Outcome::Settled),
            ("never obeyed and taken out again", vec![Accepted, NeverObeyed, Withdrawn], Outcome::NeverObeyed),
            ("it may still happen", vec![Accepted, NeverObeyed, NotWithdrawn], Outcome::NotWithdrawn),
            ("taken back", vec![Published, Cancelled], Outcome::Cancelled),
        ] {
            // What comes of it may come after the span.
            let steps = events.into_iter().map(|event| entry(25, event, Some(3), ""));
            let all: Vec<Entry> = [entry(15, Asked, Some(3), "/on = true")].into_iter().chain(steps).collect();
            let found = deeds(&all);
            assert_eq!((found.len(), found[0].outcome, found[0].what), (1, want, "Command"), "{name}");
        }
    }

    #[test]
    fn only_what_people_did_within_the_span_is_a_deed() {
        let found = deeds(&[
            entry(9, Event::Set, None, "before"),
            entry(10, Event::AlarmAcknowledged, None, "silent: on my way"),
            entry(15, Event::Rejected, Some(3), "400: no"),
            entry(19, Event::Refused, None, "viewers may not"),
            entry(20, Event::Set, None, "after"),
        ]);
        let told: Vec<_> = found.iter().map(|deed| (deed.what, deed.outcome)).collect();
        assert_eq!(told, [("Acknowledged", Outcome::Done), ("Asked for", Outcome::Refused)]);
    }

    #[test]
    fn a_bulk_command_is_one_deed_that_counts_how_its_things_ended() {
        let bulk = "bulk command 7: 3 things";
        let found = deeds(&[
            entry(11, Event::BulkAsked, None, bulk),
            entry(12, Event::Asked, Some(1), "/on = true (bulk command 7)"),
            entry(12, Event::Asked, Some(2), "/on = true (bulk command 7)"),
            entry(12, Event::Asked, Some(3), "/on = true (bulk command 7)"),
            entry(13, Event::Settled, Some(1), ""),
            entry(13, Event::Settled, Some(3), ""),
            entry(14, Event::Rejected, Some(2), "400: no"),
            entry(15, Event::BulkDone, None, "bulk command 7"),
            // Whose bulk command was asked before the span.
            entry(16, Event::Asked, Some(4), "/on = true (bulk command 6)"),
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].things, [(Outcome::Settled, 2), (Outcome::Refused, 1)]);
        assert_eq!((found[0].outcome, found[1].what), (Outcome::Through, "Command"));
    }

    #[test]
    fn the_number_of_a_bulk_command_is_read_where_the_log_writes_it() {
        for (detail, first, last) in [
            ("bulk command 7", Some(7), None),
            ("bulk command 7: 3 things", Some(7), None),
            ("/a = \"x (bulk command 9)\" (bulk command 7)", None, Some(7)),
            ("/a = \"(bulk command 7) \"", None, None),
            ("", None, None),
        ] {
            assert_eq!((bulk_named_first(detail), bulk_named_last(detail)), (first, last), "{detail}");
        }
    }
}
