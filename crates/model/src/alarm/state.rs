//! An alarm with everything an operator's console has: two bits, delays, a latch, shelving, suppression, out of service, and what
//! nobody knows. One reducer, [`State::step`], over what a rule was judged to be and what people did; docs/adr/0014-rules.md says
//! what was decided.
//!
//! Three things are kept apart. *Active* is what is so, as far as we listen; nothing a person does changes it. *Hidden* (shelved,
//! suppressed, out of service) is what people are told of it. *Unknown* is that we do not listen: then nothing is raised, cleared
//! or told. A [`State`] can be written down at any moment; a restart is a lost link and nothing else.

mod delay;
mod past;
mod step;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Acknowledgement, NotAcknowledged};
use crate::expression::Unknown;
use crate::identity::Actor;
use crate::time::{Now, WallMs};
use delay::Delay;

/// The longest shelving, in milliseconds: a week.
pub const SHELVED_MAX_MS: u64 = 7 * 86_400_000;

/// The shortest time after which one is told again, in milliseconds: a minute.
pub const REALARM_MIN_MS: u64 = 60_000;

/// Our clock is corrected by less than this all the time. More is a clock that was set back, by which nothing is prolonged.
const SET_BACK_MS: u64 = 60_000;

/// A value that is missing this many times in a row is missing; once alone means nothing.
pub const MISSING_AFTER: u32 = 2;

/// How a rule's alarm behaves, besides its condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// How long it must be so without a break before it is raised, in milliseconds of listening.
    pub on_delay_ms: u64,
    /// How long it must not be so without a break before it clears, in milliseconds of listening.
    pub off_delay_ms: u64,
    /// Whether it stays until a person resets it, also when it is not so any more.
    pub latches: bool,
    /// After how long one that is still active is told again, as if it were new, in milliseconds, at least [`REALARM_MIN_MS`]; `None`
    /// never.
    pub realarm_ms: Option<u64>,
    /// What follows when the thing does not say what the rule looks at.
    pub no_data: Policy,
    /// What follows when the rule cannot be judged.
    pub error: Policy,
}

/// What follows when nobody can say whether a rule's condition is so, though the thing speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It counts as so.
    Alert,
    /// It counts as not so.
    Normal,
    /// It stays as it was last.
    #[default]
    KeepLast,
}

/// What a rule was judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Its condition is so.
    So,
    /// It is not so.
    NotSo,
    /// The thing speaks and does not say what the rule looks at.
    NoData,
    /// It cannot be judged: a wrong type, a division by zero.
    Error,
    /// We have not listened for long enough. Nothing follows from it.
    Unheard,
}

impl From<Result<bool, Unknown>> for Judged {
    fn from(judged: Result<bool, Unknown>) -> Judged {
        match judged {
            Ok(true) => Judged::So,
            Ok(false) => Judged::NotSo,
            Err(Unknown::NoData(_) | Unknown::NoPlace) => Judged::NoData,
            Err(Unknown::WrongType(_) | Unknown::NotFinite) => Judged::Error,
            Err(Unknown::Unheard) => Judged::Unheard,
        }
    }
}

/// Why it is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rule's condition is so.
    #[default]
    Condition,
    /// The thing does not say what the rule looks at ([`Policy::Alert`]).
    NoData,
    /// The rule cannot be judged ([`Policy::Alert`]).
    Error,
}

/// A person takes an alarm off the list for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelving {
    /// Until when, by our wall clock; at most [`SHELVED_MAX_MS`] ahead.
    pub until_ms: WallMs,
    /// Who, when, and why: the comment is needed here.
    pub by: Acknowledgement,
}

/// What happens to an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Its rule was judged.
    Judged(Judged),
    /// What its rule looks at happened once more, at once and while it is active too: what was acknowledged was something else.
    HappenedAgain,
    /// Time went by.
    TimePassed,
    /// We do not listen any more, or the program has started; when we last did.
    LinkLost(WallMs),
    /// A person has seen it as it stood when it was raised at `raised_ms`.
    Acknowledge {
        /// [`State::raised_ms`] of what stood on the screen.
        raised_ms: WallMs,
        /// Who, when, and what they said.
        by: Acknowledgement,
    },
    /// A person resets one that has latched.
    Reset,
    /// A person shelves it, or for longer.
    Shelve(Shelving),
    /// A person takes it back from the shelf.
    Unshelve,
    /// By design it means nothing now, because of what is named here; `None` ends that.
    Suppress(Option<String>),
    /// A person takes it out of service, e.g. for repairs; `None` ends that.
    OutOfService(Option<Acknowledgement>),
    /// Its rule is gone, or another by now: nobody would ever say that it is over.
    RuleGone,
}

/// What follows from an input, besides the new state.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// It became active, or so for a reason that weighs more: what was acknowledged of it was something else.
    Raised,
    /// It ceased to be active.
    Cleared,
    /// People are told of it. Only this counts for how many alarms an operator has had.
    Told {
        /// It was told before and is still active.
        again: bool,
    },
    /// It was shelved and its time is up, or a person took it back.
    Unshelved {
        /// Its time was up.
        by_itself: bool,
    },
    /// It was open and is over.
    Over,
    /// Nothing was changed by what a person wanted.
    Refused(Refused),
}

/// Why what a person wanted was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The acknowledgement does not cover it.
    #[error(transparent)]
    Acknowledgement(#[from] NotAcknowledged),
    /// It is still so.
    #[error("the alarm is still active; it can be reset when it is not")]
    StillActive,
    /// There is nothing to reset.
    #[error("the alarm waits for no reset")]
    NotLatched,
    /// Shelving has an end and a reason.
    #[error("shelving needs a reason, and an end from now to {} days ahead", SHELVED_MAX_MS / 86_400_000)]
    Shelving,
    /// It is on no shelf.
    #[error("the alarm is not shelved")]
    NotShelved,
}

/// What a person sees first of an alarm. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A person took it out of service.
    OutOfService,
    /// It means nothing now, by design.
    Suppressed,
    /// A person shelved it.
    Shelved,
    /// It is so, and nobody has acknowledged it.
    Active,
    /// It is so, and somebody has seen it.
    ActiveSeen,
    /// It is not so any more, and waits for its reset.
    Latched,
    /// It is not so any more, and nobody has acknowledged it.
    Returned,
    /// There is nothing.
    Normal,
}

/// An alarm of one rule and one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Whether it is so now, as far as we listen.
    pub active: bool,
    /// Why, while it is active.
    pub reason: Reason,
    /// When it became so; of one that is over, when it last did.
    pub since_ms: Option<WallMs>,
    /// When it last became news: raised, or told again. Names what stood on a screen.
    pub raised_ms: Option<WallMs>,
    /// When it ceased to be so; `None` while it is active.
    pub cleared_ms: Option<WallMs>,
    /// How often it was raised since it is open: it became so, or so for a reason that weighs more.
    pub times: u32,
    /// When people were told of it as it stands; `None` while nobody was.
    pub told_ms: Option<WallMs>,
    /// People were told of it and nobody has acknowledged that, whatever became of it meanwhile where nobody is told.
    pub owed: bool,
    /// It is back on the list, and people have not been told yet that it is still so.
    pub unshelved: bool,
    /// Who saw it, if anybody did since it was raised the last time.
    pub acknowledged: Option<Acknowledgement>,
    /// It waits for its reset.
    pub latched: bool,
    /// How often in a row it could not be judged, and since when.
    pub doubt: Option<(Judged, u32, WallMs)>,
    /// Since when nobody knows whether it is still so, because we do not listen.
    pub unknown_since: Option<WallMs>,
    /// Taken off the list for a time.
    pub shelved: Option<Shelving>,
    /// What makes it mean nothing now.
    pub suppressed: Option<String>,
    /// Who took it out of service.
    pub out_of_service: Option<Acknowledgement>,
    /// What runs towards raising or clearing it.
    delay: Option<Delay>,
}

impl State {
    /// One that people were told of when it was raised and that nobody has hidden, by its two bits: it is active until it is cleared.
    pub fn told(
        raised_ms: WallMs,
        cleared_ms: Option<WallMs>,
        times: u32,
        acknowledged: Option<Acknowledgement>,
    ) -> State {
        let (at, owed) = (Some(raised_ms), acknowledged.is_none());
        State {
            active: cleared_ms.is_none(),
            since_ms: at,
            raised_ms: at,
            told_ms: at,
            cleared_ms,
            times,
            owed,
            acknowledged,
            ..State::default()
        }
    }

    /// Folds one input in.
    pub fn step(mut self, input: Input, terms: &Terms, now: Now) -> (State, Vec<Effect>) {
        let was_open = self.is_open();
        let mut effects = Vec::new();
        self.fold(input, terms, now, &mut effects);
        if was_open && !self.is_open() {
            effects.push(Effect::Over);
        }
        (self, effects)
    }

    /// Whether it still wants something of a person: it is so, waits for its reset, or was told and nobody has acknowledged it. What
    /// came and went while it was hidden wants nothing.
    pub fn is_open(&self) -> bool {
        self.active || self.latched || self.owed
    }

    /// Whether people are not told of it.
    pub fn is_hidden(&self) -> bool {
        self.shelved.is_some() || self.suppressed.is_some() || self.out_of_service.is_some()
    }

    /// Whether there is nothing to remember of it: it is not open, not hidden, and nothing runs towards either.
    pub fn is_idle(&self) -> bool {
        !self.is_open() && !self.is_hidden() && self.delay.is_none() && self.doubt.is_none()
    }

    /// Whether this judgement leaves it as it is, whatever the time: most messages of most things do.
    pub fn is_as(&self, judged: Judged, terms: &Terms) -> bool {
        let waits_for_time = self.delay.is_some() || self.is_hidden() || self.unshelved || terms.realarm_ms.is_some();
        let is_settled = !waits_for_time && self.doubt.is_none() && self.unknown_since.is_none();
        match judged {
            Judged::So => is_settled && self.active && self.reason == Reason::Condition && self.told_ms.is_some(),
            Judged::NotSo => is_settled && !self.active,
            Judged::NoData | Judged::Error => is_settled && self.is_idle() && !terms.raises(judged),
            Judged::Unheard => !waits_for_time,
        }
    }

    /// Whether it stands for people, and in what is written down, as another one does: in everything but what runs, what could not be
    /// judged lately, and what nobody knows just now.
    pub fn stands_like(&self, other: &State) -> bool {
        self.clone().as_written() == other.clone().as_written()
    }

    /// The same without what runs, what could not be judged lately and what nobody knows just now, of which nobody writes each step.
    pub fn as_written(self) -> State {
        State { delay: None, doubt: None, unknown_since: None, ..self }
    }

    /// Only what runs towards the next change of it: of one that is over and may become so again.
    pub fn what_runs(&self) -> State {
        State { delay: self.delay.clone(), doubt: self.doubt, ..State::default() }
    }

    /// Whether the thing has stopped saying what the rule looks at.
    pub fn is_missing(&self) -> bool {
        matches!(self.doubt, Some((Judged::NoData, times, _)) if times >= MISSING_AFTER)
    }

    /// What a person sees first.
    pub fn standing(&self) -> Standing {
        match self {
            State { out_of_service: Some(_), .. } => Standing::OutOfService,
            State { suppressed: Some(_), .. } => Standing::Suppressed,
            State { shelved: Some(_), .. } => Standing::Shelved,
            State { active: true, acknowledged: None, .. } => Standing::Active,
            State { active: true, acknowledged: Some(_), .. } => Standing::ActiveSeen,
            State { latched: true, .. } => Standing::Latched,
            State { owed: true, .. } => Standing::Returned,
            State { .. } => Standing::Normal,
        }
    }

    /// After how many milliseconds time alone may change it; `None` when it never does.
    pub fn due_in_ms(&self, terms: &Terms, now: Now) -> Option<u64> {
        let is_known = self.unknown_since.is_none();
        let delay = self.delay.as_ref().and_then(|delay| delay.left_ms(terms, now.mono));
        let shelf = self.shelved.as_ref().map(|shelving| shelving.left_ms(now));
        let again = self.told_ms.filter(|_| is_known && self.active && !self.is_hidden());
        let again = again.and_then(|told| terms.until_again_ms(told, now));
        [delay, shelf, again].into_iter().flatten().min()
    }

    /// The deadband that holds now: only what its condition has made active has one. Where data were missing no limit was passed
    /// from which a value could come back.
    pub fn deadband(&self, of_rule: f64) -> f64 {
        if self.active && self.reason == Reason::Condition { of_rule } else { 0.0 }
    }
}

impl Shelving {
    /// A shelving from now on, if its end and its reason are right.
    pub fn new(until_ms: WallMs, by: Actor, reason: &str, now: Now) -> Result<Shelving, Refused> {
        let by = Acknowledgement { by, at_ms: now.wall, comment: reason.trim().to_owned() };
        let shelving = Shelving { until_ms, by };
        if shelving.is_right(now) { Ok(shelving) } else { Err(Refused::Shelving) }
    }

    fn is_right(&self, now: Now) -> bool {
        let chars = self.by.comment.trim().chars().count();
        (1..=super::COMMENT_MAX_CHARS).contains(&chars) && !self.is_over(now)
    }

    fn is_over(&self, now: Now) -> bool {
        self.left_ms(now) == 0
    }

    /// How long it still holds. No longer when our clock was set back: before the shelving, or so far that its end lies further ahead
    /// than one can.
    fn left_ms(&self, now: Now) -> u64 {
        let left_ms = self.until_ms.since(now.wall);
        if left_ms > SHELVED_MAX_MS || self.by.at_ms.since(now.wall) > SET_BACK_MS { 0 } else { left_ms }
    }
}

impl Terms {
    /// Whether this judgement leads towards an alarm where there is none.
    pub fn raises(&self, judged: Judged) -> bool {
        match judged {
            Judged::So => true,
            Judged::NoData => self.no_data == Policy::Alert,
            Judged::Error => self.error == Policy::Alert,
            Judged::NotSo | Judged::Unheard => false,
        }
    }

    /// After how long one that was told is told again; at once when our clock was set back before that.
    fn until_again_ms(&self, told: WallMs, now: Now) -> Option<u64> {
        let after_ms = self.realarm_ms?.max(REALARM_MIN_MS);
        let is_set_back = told.since(now.wall) > SET_BACK_MS;
        let due = told.plus(i64::try_from(after_ms).unwrap_or(i64::MAX));
        Some(if is_set_back { 0 } else { due.since(now.wall) })
    }
}

#[cfg(test)]
mod tests;
