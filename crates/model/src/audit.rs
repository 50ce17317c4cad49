//! The audit log: who asked for what, and every step of what came of it, in rows that hold each other in place by a hash
//! (docs/adr/0011-audit.md).
//!
//! An [`Entry`] says one thing that happened. [`Entry::fields`] is its one form for hashing and for export; [`chain`] says how a row
//! follows from the one before it and finds the first that does not.

pub mod chain;
pub mod legs;

use serde::{Deserialize, Serialize};

use crate::id::CommandId;
use crate::identity::Actor;
use crate::time::WallMs;

/// The longest [`Entry::detail`], in characters; whoever makes an entry cuts it.
pub const DETAIL_MAX_CHARS: usize = 512;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: from 1, rising by one.
    pub seq: u64,
    /// When, by our wall clock, which may jump: the order is that of the numbers.
    pub at_ms: WallMs,
    /// Who or what did it.
    pub by: By,
    /// The thing's name as its broker spells it; empty where there is none.
    pub thing: String,
    /// The shadow; empty for the classic one, and where there is none.
    pub shadow: String,
    /// The command it is a step of.
    pub command: Option<CommandId>,
    /// The command's trace id, which is the `clientToken` of all its messages; empty where there is no command.
    pub trace: String,
    /// What happened.
    pub event: Event,
    /// Since the step before it of the same command, in milliseconds of the monotonic clock; `None` for the first one of a command
    /// and for the first one after a restart.
    pub after_ms: Option<u64>,
    /// More of it, for a person; at most [`DETAIL_MAX_CHARS`].
    pub detail: String,
}

/// Who or what did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// A person at a window.
    Person(Actor),
    /// The thing itself.
    Device,
    /// The broker.
    Broker,
    /// The device-shadow service.
    Service,
    /// This program.
    Program,
}

impl By {
    /// The word that is stored and exported.
    pub fn code(&self) -> &'static str {
        match self {
            By::Person(_) => "person",
            By::Device => "device",
            By::Broker => "broker",
            By::Service => "service",
            By::Program => "program",
        }
    }

    /// Who, where it is a person.
    pub fn person(&self) -> Option<&Actor> {
        match self {
            By::Person(actor) => Some(actor),
            By::Device | By::Broker | By::Service | By::Program => None,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// A person asked for a command; it is in the outbox.
    Asked,
    /// A person changed a command that waited.
    Edited,
    /// What a person asked for was not done.
    Refused,
    /// The command's row is on the disk.
    Committed,
    /// A message of the command was handed to the link.
    Published,
    /// The broker has a message of the command.
    Acknowledged,
    /// A message of the command could not be handed to the link, or not in time.
    NotPublished,
    /// The shadow took it.
    Accepted,
    /// The shadow service said no, or somebody else changed what it touches.
    Rejected,
    /// The device reports what was wanted.
    Settled,
    /// A newer command took its place.
    Overtaken,
    /// Its time ran out first, before the shadow took it.
    Expired,
    /// The shadow took it, and its time ran out before the device did it.
    NeverObeyed,
    /// A person took it back.
    Cancelled,
    /// It is out of `desired` again.
    Withdrawn,
    /// It could not be taken out of `desired`, or need not.
    NotWithdrawn,
    /// A person acknowledged an alarm.
    AlarmAcknowledged,
    /// A person took an alarm off the list for a time.
    AlarmShelved,
    /// An alarm is back on the list: a person took it back, or its time was up.
    AlarmUnshelved,
    /// A person took an alarm out of service.
    AlarmOutOfService,
    /// A person took an alarm back into service.
    AlarmInService,
    /// A person reset an alarm that waited for it.
    AlarmReset,
    /// A person said who looks after an alarm.
    AlarmAssigned,
    /// A person set the program otherwise: who is at the screen, how much is kept, which profile is used, or what stands in one.
    Set,
    /// A person asked for a bulk command.
    BulkAsked,
    /// A person holds a bulk command.
    BulkPaused,
    /// A person lets a bulk command go on.
    BulkResumed,
    /// A person ended a bulk command before its end.
    BulkStopped,
    /// Too many of a bulk command's things failed: it ended before its end.
    BulkAborted,
    /// A bulk command is through with all of its things.
    BulkDone,
}

impl Event {
    /// Every event, a command's in the order of its life.
    pub const ALL: [Event; 30] = [
        Event::Asked,
        Event::Edited,
        Event::Refused,
        Event::Committed,
        Event::Published,
        Event::Acknowledged,
        Event::NotPublished,
        Event::Accepted,
        Event::Rejected,
        Event::Settled,
        Event::Overtaken,
        Event::Expired,
        Event::NeverObeyed,
        Event::Cancelled,
        Event::Withdrawn,
        Event::NotWithdrawn,
        Event::AlarmAcknowledged,
        Event::AlarmShelved,
        Event::AlarmUnshelved,
        Event::AlarmOutOfService,
        Event::AlarmInService,
        Event::AlarmReset,
        Event::AlarmAssigned,
        Event::Set,
        Event::BulkAsked,
        Event::BulkPaused,
        Event::BulkResumed,
        Event::BulkStopped,
        Event::BulkAborted,
        Event::BulkDone,
    ];

    /// The word that is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            Event::Asked => "asked",
            Event::Edited => "edited",
            Event::Refused => "refused",
            Event::Committed => "committed",
            Event::Published => "published",
            Event::Acknowledged => "acknowledged",
            Event::NotPublished => "not-published",
            Event::Accepted => "accepted",
            Event::Rejected => "rejected",
            Event::Settled => "settled",
            Event::Overtaken => "overtaken",
            Event::Expired => "expired",
            Event::NeverObeyed => "never-obeyed",
            Event::Cancelled => "cancelled",
            Event::Withdrawn => "withdrawn",
            Event::NotWithdrawn => "not-withdrawn",
            Event::AlarmAcknowledged => "alarm-acknowledged",
            Event::AlarmShelved => "alarm-shelved",
            Event::AlarmUnshelved => "alarm-unshelved",
            Event::AlarmOutOfService => "alarm-out-of-service",
            Event::AlarmInService => "alarm-in-service",
            Event::AlarmReset => "alarm-reset",
            Event::AlarmAssigned => "alarm-assigned",
            Event::Set => "set",
            Event::BulkAsked => "bulk-asked",
            Event::BulkPaused => "bulk-paused",
            Event::BulkResumed => "bulk-resumed",
            Event::BulkStopped => "bulk-stopped",
            Event::BulkAborted => "bulk-aborted",
            Event::BulkDone => "bulk-done",
        }
    }

    /// The event of a [`Event::code`]; `None` for any other word.
    pub fn of_code(code: &str) -> Option<Event> {
        Event::ALL.into_iter().find(|event| event.code() == code)
    }
}

/// The names of [`Entry::fields`], in their order.
pub const FIELDS: [&str; 12] =
    ["seq", "at_ms", "by", "actor", "role", "thing", "shadow", "command", "trace", "event", "after_ms", "detail"];

impl Entry {
    /// Everything it says, as text, in the order of [`FIELDS`]: numbers in decimal, what is not there as nothing.
    pub fn fields(&self) -> [String; 12] {
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let (actor, role) = self.by.person().map_or(("", ""), |person| (person.name.as_str(), person.role.word()));
        [
            self.seq.to_string(),
            self.at_ms.0.to_string(),
            self.by.code().to_owned(),
            actor.to_owned(),
            role.to_owned(),
            self.thing.clone(),
            self.shadow.clone(),
            number(self.command.map(|command| command.0)),
            self.trace.clone(),
            self.event.code().to_owned(),
            number(self.after_ms),
            self.detail.clone(),
        ]
    }
}

/// Which entries are meant; what is `None` takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of this thing, by its whole name.
    pub thing: Option<String>,
    /// Of this command, by its trace id; letters of either case.
    pub trace: Option<String>,
    /// By this person, by their whole name.
    pub actor: Option<String>,
    /// With this text in thing, shadow, person, event or detail; letters of either case.
    pub text: Option<String>,
    /// From here, included.
    pub from_ms: Option<WallMs>,
    /// To here, excluded.
    pub to_ms: Option<WallMs>,
}

impl Filter {
    /// Whether an entry is one of those.
    pub fn takes(&self, entry: &Entry) -> bool {
        let Filter { thing, trace, actor, text, from_ms, to_ms } = self;
        let person = entry.by.person().map_or("", |person| person.name.as_str());
        let has = |text: &String| {
            let text = text.to_lowercase();
            [entry.thing.as_str(), &entry.shadow, person, entry.event.code(), &entry.detail]
                .iter()
                .any(|of| of.to_lowercase().contains(&text))
        };
        thing.as_ref().is_none_or(|thing| *thing == entry.thing)
            && trace.as_ref().is_none_or(|trace| trace.eq_ignore_ascii_case(&entry.trace))
            && actor.as_ref().is_none_or(|actor| actor == person && entry.by.person().is_some())
            && from_ms.is_none_or(|from| from <= entry.at_ms)
            && to_ms.is_none_or(|to| entry.at_ms < to)
            && text.as_ref().is_none_or(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Role;

    fn entry() -> Entry {
        Entry {
            seq: 7,
            at_ms: WallMs(1_000),
            by: By::Person(Actor { name: "M. Vella".into(), role: Role::Operator }),
            thing: "lamp-1".into(),
            shadow: "light".into(),
            command: Some(CommandId(3)),
            trace: "01ARYZ6S41TSV4RRFFQ69G5FAV".into(),
            event: Event::Asked,
            after_ms: None,
            detail: "/dim_pct = 40".into(),
        }
    }

    #[test]
    fn every_event_has_a_word_of_its_own_that_leads_back_to_it() {
        for event in Event::ALL {
            assert_eq!(Event::of_code(event.code()), Some(event));
        }
        assert_eq!(Event::of_code("Asked"), None);
    }

    #[test]
    fn an_entry_is_told_field_by_field_and_what_is_not_there_is_nothing() {
        assert_eq!(
            entry().fields(),
            [
                "7",
                "1000",
                "person",
                "M. Vella",
                "operator",
                "lamp-1",
                "light",
                "3",
                "01ARYZ6S41TSV4RRFFQ69G5FAV",
                "asked",
                "",
                "/dim_pct = 40"
            ]
        );
        let by_itself = Entry { by: By::Device, command: None, after_ms: Some(0), ..entry() }.fields();
        assert_eq!((by_itself[3].as_str(), by_itself[7].as_str(), by_itself[10].as_str()), ("", "", "0"));
    }

    #[test]
    fn a_filter_takes_what_it_names_and_nothing_else() {
        let text = |text: &str| Some(text.to_owned());
        for (name, filter, takes) in [
            ("everything", Filter::default(), true),
            ("its thing", Filter { thing: text("lamp-1"), ..Filter::default() }, true),
            ("the beginning of its thing", Filter { thing: text("lamp"), ..Filter::default() }, false),
            ("its trace, typed small", Filter { trace: text("01aryz6s41tsv4rrffq69g5fav"), ..Filter::default() }, true),
            ("another trace", Filter { trace: text("01"), ..Filter::default() }, false),
            ("its person", Filter { actor: text("M. Vella"), ..Filter::default() }, true),
            ("nobody", Filter { actor: text(""), ..Filter::default() }, false),
            ("a part of what it says", Filter { text: text("DIM_pct"), ..Filter::default() }, true),
            ("its event", Filter { text: text("aske"), ..Filter::default() }, true),
            ("what it does not say", Filter { text: text("power"), ..Filter::default() }, false),
            ("from its moment on", Filter { from_ms: Some(WallMs(1_000)), ..Filter::default() }, true),
            ("up to its moment", Filter { to_ms: Some(WallMs(1_000)), ..Filter::default() }, false),
            ("one of two", Filter { thing: text("lamp-1"), text: text("power"), ..Filter::default() }, false),
        ] {
            assert_eq!(filter.takes(&entry()), takes, "{name}");
        }
        assert!(!Filter { actor: text(""), ..Filter::default() }.takes(&Entry { by: By::Device, ..entry() }));
    }
}
