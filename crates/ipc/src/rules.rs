//! The rules of a profile in a window: read, checked while they are typed, tried on the past, kept and taken out.
//!
//! All of it is performed by the host and concerns the window that asked; nobody else is told.

use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use crate::profile::MistakeRow;

/// The furthest back that a rule is tried, in days.
pub const TRY_DAYS_MAX: u32 = 31;

/// Times in which a rule would have been active that are told, the longest ones.
pub const FIRED_MAX: usize = 500;

/// Into how many parts the span is cut for [`Fires::strip`].
pub const STRIP_PARTS: usize = 168;

/// What a person wants done with rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleAsk {
    /// The rules of the profile in use. Answered with [`RuleDone::Book`].
    Read,
    /// What is wrong with a rule. Answered with [`RuleDone::Checked`].
    Check(Box<RuleDraft>),
    /// What is reset when this is done. Answered with [`RuleDone::Resets`].
    Resets(RuleChange),
    /// When a rule would have been active, by what is in the cache. Answered with [`RuleDone::Tried`] when it is done, and the window has
    /// everything else meanwhile. A try of this window that still runs ends.
    Try {
        /// The rule.
        draft: Box<RuleDraft>,
        /// How far back, 1 to [`TRY_DAYS_MAX`].
        days: u32,
    },
    /// End the try, which is answered with a fault then.
    EndTry,
    /// Do it. The profile begins anew. Answered with [`RuleDone::Kept`].
    Do {
        /// What.
        change: RuleChange,
        /// [`RuleBook::seen`] of what the person had before them: a file that was changed since is left alone.
        seen: u64,
    },
}

/// What is to become of the rules of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleChange {
    /// Keep a rule.
    Keep(Box<RuleDraft>),
    /// Take out the rule of this id.
    Remove(String),
}

/// A rule as it is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleDraft {
    /// Its fields.
    pub form: RuleForm,
    /// The id of the rule that it replaces; `None` for a new one.
    pub replaces: Option<String>,
}

/// The fields of an `[[alarm]]` as they stand in the file. An empty one is left out there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleForm {
    /// `id`.
    pub id: String,
    /// `name`.
    pub name: String,
    /// `kind`, in the words of the profile.
    pub kind: String,
    /// `group`.
    pub group: String,
    /// `search`.
    pub search: String,
    /// `when`, in the language of rules; empty where a state machine is its condition.
    pub when: String,
    /// Its state machine in words, if it has one. That is written in the file alone: no field, and left there as it is.
    pub machine: String,
    /// What the document of that machine does outwards and nothing does here, each with its place: `state Hot, onEnter, event tell: sns`.
    /// Told with it, and no field either.
    pub left_out: Vec<String>,
    /// `unless`, in the language of rules.
    pub unless: String,
    /// `for`, such as `2 min`.
    pub lasting: String,
    /// `clear_for`.
    pub clear_for: String,
    /// `deadband`, a number.
    pub deadband: String,
    /// `latch`.
    pub latch: bool,
    /// `tell_again`.
    pub tell_again: String,
    /// `no_data`: `alert`, `normal` or `keep`.
    pub no_data: String,
    /// `error`: the same words.
    pub error: String,
    /// `priority`, in the words of the profile.
    pub priority: String,
    /// `time_available`.
    pub time_available: String,
    /// `cause`.
    pub cause: String,
    /// `consequence`.
    pub consequence: String,
    /// `what_to_do`.
    pub what_to_do: String,
}

/// A field of a [`RuleForm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleField {
    /// [`RuleForm::id`].
    Id,
    /// [`RuleForm::name`].
    Name,
    /// [`RuleForm::kind`].
    Kind,
    /// [`RuleForm::group`].
    Group,
    /// [`RuleForm::search`].
    Search,
    /// [`RuleForm::when`].
    When,
    /// [`RuleForm::unless`].
    Unless,
    /// [`RuleForm::lasting`].
    Lasting,
    /// [`RuleForm::clear_for`].
    ClearFor,
    /// [`RuleForm::deadband`].
    Deadband,
    /// [`RuleForm::latch`].
    Latch,
    /// [`RuleForm::tell_again`].
    TellAgain,
    /// [`RuleForm::no_data`].
    NoData,
    /// [`RuleForm::error`].
    Error,
    /// [`RuleForm::priority`].
    Priority,
    /// [`RuleForm::time_available`].
    TimeAvailable,
    /// [`RuleForm::cause`].
    Cause,
    /// [`RuleForm::consequence`].
    Consequence,
    /// [`RuleForm::what_to_do`].
    WhatToDo,
}

impl RuleField {
    /// All of them, in the order in which they are written.
    pub const ALL: [RuleField; 19] = [
        RuleField::Id,
        RuleField::Name,
        RuleField::Kind,
        RuleField::Group,
        RuleField::Search,
        RuleField::When,
        RuleField::Unless,
        RuleField::Lasting,
        RuleField::ClearFor,
        RuleField::Deadband,
        RuleField::Latch,
        RuleField::TellAgain,
        RuleField::NoData,
        RuleField::Error,
        RuleField::Priority,
        RuleField::TimeAvailable,
        RuleField::Cause,
        RuleField::Consequence,
        RuleField::WhatToDo,
    ];

    /// What it is called in the file.
    pub fn key(self) -> &'static str {
        match self {
            RuleField::Id => "id",
            RuleField::Name => "name",
            RuleField::Kind => "kind",
            RuleField::Group => "group",
            RuleField::Search => "search",
            RuleField::When => "when",
            RuleField::Unless => "unless",
            RuleField::Lasting => "for",
            RuleField::ClearFor => "clear_for",
            RuleField::Deadband => "deadband",
            RuleField::Latch => "latch",
            RuleField::TellAgain => "tell_again",
            RuleField::NoData => "no_data",
            RuleField::Error => "error",
            RuleField::Priority => "priority",
            RuleField::TimeAvailable => "time_available",
            RuleField::Cause => "cause",
            RuleField::Consequence => "consequence",
            RuleField::WhatToDo => "what_to_do",
        }
    }
}

impl RuleForm {
    /// The text of a field; of [`RuleField::Latch`] `true`, or nothing.
    pub fn text(&self, field: RuleField) -> &str {
        match field {
            RuleField::Id => &self.id,
            RuleField::Name => &self.name,
            RuleField::Kind => &self.kind,
            RuleField::Group => &self.group,
            RuleField::Search => &self.search,
            RuleField::When => &self.when,
            RuleField::Unless => &self.unless,
            RuleField::Lasting => &self.lasting,
            RuleField::ClearFor => &self.clear_for,
            RuleField::Deadband => &self.deadband,
            RuleField::Latch if self.latch => "true",
            RuleField::Latch => "",
            RuleField::TellAgain => &self.tell_again,
            RuleField::NoData => &self.no_data,
            RuleField::Error => &self.error,
            RuleField::Priority => &self.priority,
            RuleField::TimeAvailable => &self.time_available,
            RuleField::Cause => &self.cause,
            RuleField::Consequence => &self.consequence,
            RuleField::WhatToDo => &self.what_to_do,
        }
    }

    /// Sets a field; [`RuleField::Latch`] by `true` or anything else.
    pub fn set(&mut self, field: RuleField, text: impl Into<String>) {
        let text = text.into();
        match field {
            RuleField::Id => self.id = text,
            RuleField::Name => self.name = text,
            RuleField::Kind => self.kind = text,
            RuleField::Group => self.group = text,
            RuleField::Search => self.search = text,
            RuleField::When => self.when = text,
            RuleField::Unless => self.unless = text,
            RuleField::Lasting => self.lasting = text,
            RuleField::ClearFor => self.clear_for = text,
            RuleField::Deadband => self.deadband = text,
            RuleField::Latch => self.latch = text == "true",
            RuleField::TellAgain => self.tell_again = text,
            RuleField::NoData => self.no_data = text,
            RuleField::Error => self.error = text,
            RuleField::Priority => self.priority = text,
            RuleField::TimeAvailable => self.time_available = text,
            RuleField::Cause => self.cause = text,
            RuleField::Consequence => self.consequence = text,
            RuleField::WhatToDo => self.what_to_do = text,
        }
    }
}

/// What a [`RuleAsk`] led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleDone {
    /// The rules.
    Book(Box<RuleBook>),
    /// What is wrong with the rule; `None` where nothing is.
    Checked(Option<RuleMistake>),
    /// What is reset, each a sentence.
    Resets(Vec<String>),
    /// When it would have been active.
    Tried(Box<Tried>),
    /// The file is written.
    Kept,
}

/// The rules of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleBook {
    /// The profile's name.
    pub profile: String,
    /// Its file; empty for the built-in one.
    pub file: String,
    /// Tells the file as it is now from any other, also from one of another profile that says the same.
    pub seen: u64,
    /// Why nothing can be changed here, if so.
    pub locked: Option<String>,
    /// What is wrong with the file: then it has no rules to show.
    pub mistake: Option<MistakeRow>,
    /// Whether the profile writes none, and has the usual ones.
    pub usual: bool,
    /// In the order of the file.
    pub rules: Vec<RuleRow>,
    /// The groups of the profile, by name.
    pub groups: Vec<String>,
}

/// A rule in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRow {
    /// As it is written.
    pub form: RuleForm,
    /// What it is called where the file says no name.
    pub name: String,
    /// How many of its alarms are active, by the cache.
    pub active: u32,
    /// How many more are open.
    pub open: u32,
    /// How many of its alarms were raised within the last seven days, each counted once.
    pub raised_7d: u32,
}

/// What is wrong with a rule, or with the profile around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMistake {
    /// In which field; `None` for the file around it.
    pub field: Option<RuleField>,
    /// At which character of the field, from 1, where that is known.
    pub column: Option<u32>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A rule on the past.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// From when on.
    pub from_ms: WallMs,
    /// Up to when.
    pub to_ms: WallMs,
    /// Why the history cannot answer, if so; all else is empty then.
    pub unanswered: Option<String>,
    /// Things that the rule is for.
    pub things: u32,
    /// Of those, how many were looked at before time or memory ran out.
    pub looked: u32,
    /// Of those, how many said nothing in that time.
    pub unheard: u32,
    /// Values that were read.
    pub values: u64,
    /// When the oldest of them came.
    pub oldest_ms: Option<WallMs>,
    /// For how long nothing at all was heard, in milliseconds; taken for times in which nobody listened.
    pub deaf_ms: u64,
    /// How exactly what turns with time alone was found, in milliseconds.
    pub exact_ms: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// What to know when reading it, each a sentence.
    pub notes: Vec<String>,
    /// The rule as it is written here.
    pub now: Fires,
    /// The rule as it is kept; `None` for a new one.
    pub before: Option<Fires>,
}

/// When a rule would have been active.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fires {
    /// How often it would have been raised.
    pub count: u32,
    /// Of how many things.
    pub things: u32,
    /// How often people would have been told.
    pub told: u32,
    /// The longest, in milliseconds.
    pub longest_ms: u64,
    /// All of them together, in milliseconds.
    pub active_ms: u64,
    /// How long at least one was active, in milliseconds.
    pub any_ms: u64,
    /// For each of [`STRIP_PARTS`] parts of the span the most that were active at once.
    pub strip: Vec<u32>,
    /// The longest [`FIRED_MAX`], in the order of time.
    pub rows: Vec<FiredRow>,
}

/// A time in which a rule's alarm of a thing would have been active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredRow {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// From when on.
    pub from_ms: WallMs,
    /// Up to when; `None` where it would still be so.
    pub to_ms: Option<WallMs>,
    /// What would have been seen.
    pub sentence: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_set_and_read_by_its_own_name() {
        let mut form = RuleForm::default();
        for field in RuleField::ALL {
            assert_eq!(form.text(field), "");
            form.set(field, if field == RuleField::Latch { "true" } else { field.key() });
        }
        for field in RuleField::ALL {
            assert_eq!(form.text(field), if field == RuleField::Latch { "true" } else { field.key() });
        }
    }
}
