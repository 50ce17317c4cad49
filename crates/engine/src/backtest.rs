//! What a rule would have done: the fleet itself, made anew for a few things, hears once more what they said.
//!
//! Nothing here judges. What was kept of a thing is given to a [`Fleet`] in the order and at the times in which it came, through the
//! same functions as a message from the broker, and time passes for it in between; the alarms are the ones it keeps. What does not belong
//! here: reading what was kept, and how it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use fleetlens_model::alarm::{Condition, Rule};
use fleetlens_model::command::{Command, Step};
use fleetlens_model::described::Commons;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::record::{HistoryQuery, Restored, Write};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, Now, WallMs};

use crate::config::FleetConfig;
use crate::fleet::{Effects, FAILED_FOR_MS, Fleet, Input};
use crate::port::LinkEvent;

/// Looks that time alone gives rise to, at most, over the whole span; what turns by the minute is found to the minute of a fortnight.
const LOOKS_MAX: i64 = 20_000;

/// An engine that runs looks once a second.
const LOOK_LEAST_MS: i64 = 1_000;

/// What turns with time is looked at as often as this at least, in milliseconds.
const LOOK_MOST_MS: i64 = 60_000;

/// Words and looks after which it is asked again whether anybody waits.
const ASKED_EVERY: u32 = 64;

/// What is tried, and over which time.
#[derive(Clone, Debug)]
pub struct Trial {
    /// With the rules, of which one is tried, and the groups that they name.
    pub config: FleetConfig,
    /// The id of the one that is tried.
    pub rule: String,
    /// From when on, up to when.
    pub span: Range<WallMs>,
    /// When nobody listened, in order, apart from each other.
    pub deaf: Vec<Range<WallMs>>,
}

/// Things that are judged together, and what was kept of them.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The things, as they are described today.
    pub things: Vec<(ThingKey, ThingName, Meta)>,
    /// Their series, those of one thing after the other.
    pub series: Vec<(SeriesKey, ThingKey, String)>,
    /// What they said, in any order.
    pub samples: Vec<Sample>,
    /// Commands for them that are over, in any order.
    pub commands: Vec<Command>,
}

/// A time in which the rule's alarm of a thing would have been active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The thing.
    pub thing: ThingKey,
    /// Raised then.
    pub from_ms: WallMs,
    /// Cleared then; `None` where it would still be active at the end.
    pub to_ms: Option<WallMs>,
    /// How often people would have been told of it.
    pub told: u32,
    /// What would have been seen.
    pub sentence: String,
}

/// Why the history cannot answer for a rule, if it cannot: it keeps what things said and what became of commands, and of what was wanted of
/// them too little.
pub fn cannot_answer(rule: &Rule) -> Option<&'static str> {
    match &rule.condition {
        Condition::When(when) => {
            let why = "the history does not tell what was wanted of a thing at a time, which not_converged asks for";
            when.expression.needs().convergence.then_some(why)
        }
        Condition::Silent | Condition::Detected(_) | Condition::CommandFailed => None,
        Condition::NotConverged { .. } => {
            Some("the history does not tell what was wanted of a thing at a time, which not converged asks for")
        }
        Condition::Told => Some("the thing itself says when this is so"),
    }
}

/// When a command was over; `None` of one that is not.
fn ended(command: &Command) -> Option<WallMs> {
    let ends = [Step::Rejected, Step::Settled, Step::Overtaken, Step::Expired, Step::Cancelled];
    if command.phase.is_open() { None } else { ends.into_iter().filter_map(|step| command.at(step)).max() }
}

/// How exactly what turns with time alone is found for such a span, in milliseconds.
pub fn look_every_ms(span: &Range<WallMs>) -> i64 {
    let ms = span.end.0.saturating_sub(span.start.0) / LOOKS_MAX;
    // Whole seconds: those in which an engine looks.
    (ms / LOOK_LEAST_MS + i64::from(ms % LOOK_LEAST_MS > 0)).clamp(1, LOOK_MOST_MS / LOOK_LEAST_MS) * LOOK_LEAST_MS
}

/// When the rule would have been active of these things, in the order of the things and of time. What a thing was before the span is not
/// known to it, as after a start, but for what was usual: where the rule asks that, `history` is asked for the weeks before, as a cache is
/// by an engine that starts, and it goes on being learned through the span. `None` where `goes_on`, which is asked now and then, said no:
/// half a past tells nothing.
pub fn fired(
    trial: &Trial,
    past: Past,
    history: impl Fn(HistoryQuery) -> Vec<Bucket>,
    goes_on: impl Fn() -> bool,
) -> Option<Vec<Fired>> {
    let (Past { things, series, mut samples, commands }, Before { things: keys, series: kept }) = past.numbered_anew();
    samples.retain(|sample| trial.span.contains(&sample.received_ms));
    samples.sort_by_key(|sample| (sample.received_ms, sample.device_ms));
    let thing_of: BTreeMap<SeriesKey, ThingKey> = series.iter().map(|(series, thing, _)| (*series, *thing)).collect();
    let mut commands: Vec<(WallMs, Command)> =
        commands.into_iter().filter_map(|command| Some((ended(&command)?, command))).collect();
    commands.sort_by_key(|(at, command)| (*at, command.id));
    let mut commands = commands.into_iter().filter(|(at, _)| *at < trial.span.end).peekable();
    let mut replay = Replay::new(trial, things, series, &goes_on);
    replay.recall(|query| match kept.get(&query.series) {
        // All of it: nothing arrives meanwhile that would count twice.
        Some(series) => history(HistoryQuery { series: *series, up_to_seq: i64::MAX.cast_unsigned(), ..query }),
        None => Vec::new(),
    });
    let together = |one: &Sample, next: &Sample| (one.received_ms, one.device_ms) == (next.received_ms, next.device_ms);
    for said in samples.chunk_by(together) {
        let Some(first) = said.first() else { continue };
        if replay.is_cut() {
            return None;
        }
        while let Some((at, command)) = commands.next_if(|(at, _)| *at <= first.received_ms) {
            replay.end_command(command, at.max(trial.span.start));
        }
        replay.pass(first.received_ms);
        let mut of_things: BTreeMap<ThingKey, Vec<Sample>> = BTreeMap::new();
        for sample in said {
            if let Some(thing) = thing_of.get(&sample.series) {
                of_things.entry(*thing).or_default().push(sample.clone());
            }
        }
        for (thing, said) in of_things {
            replay.hear(thing, said, first.received_ms);
        }
    }
    for (at, command) in commands {
        replay.end_command(command, at.max(trial.span.start));
    }
    replay.pass(trial.span.end);
    if replay.is_cut {
        return None;
    }
    let mut fired = replay.end();
    for one in &mut fired {
        one.thing = keys.get(&one.thing).copied().unwrap_or(one.thing);
    }
    Some(fired)
}

/// What the keys of a [`Past`] were before it was numbered anew.
struct Before {
    things: BTreeMap<ThingKey, ThingKey>,
    series: BTreeMap<SeriesKey, SeriesKey>,
}

impl Past {
    /// With keys from 1 on, and what they stand for: a fleet has a place for each key up to the highest.
    fn numbered_anew(mut self) -> (Past, Before) {
        let mut things = BTreeMap::new();
        for ((key, ..), new) in self.things.iter_mut().zip(1..) {
            things.insert(*key, ThingKey(new));
            *key = ThingKey(new);
        }
        self.series.retain_mut(|(_, thing, _)| match things.get(thing) {
            Some(new) => {
                *thing = *new;
                true
            }
            None => false,
        });
        self.commands.retain_mut(|command| match things.get(&command.thing) {
            Some(new) => {
                command.thing = *new;
                true
            }
            None => false,
        });
        let mut series = BTreeMap::new();
        for ((key, ..), new) in self.series.iter_mut().zip(1..) {
            series.insert(*key, SeriesKey(new));
            *key = SeriesKey(new);
        }
        self.samples.retain_mut(|sample| match series.get(&sample.series) {
            Some(new) => {
                sample.series = *new;
                true
            }
            None => false,
        });
        let before = Before {
            things: things.into_iter().map(|(old, new)| (new, old)).collect(),
            series: series.into_iter().map(|(old, new)| (new, old)).collect(),
        };
        (self, before)
    }
}

/// An engine that lives through a span once more.
struct Replay<'a> {
    trial: &'a Trial,
    goes_on: &'a dyn Fn() -> bool,
    /// Words and looks since that was asked.
    unasked: u32,
    is_cut: bool,
    fleet: Fleet,
    effects: Effects,
    is_up: bool,
    /// How many of the times in which nobody listened have begun, and have ended.
    deaf: (usize, usize),
    looked: WallMs,
    /// Nothing falls silent before; `None` where that has to be worked out.
    heard_until: Option<MonoMs>,
    /// Until then something may turn with time that no timer tells of.
    turns_until: Option<WallMs>,
    /// For how long after a word that is so; `None` where only words and timers turn the rule.
    turns_ms: Option<i64>,
    step_ms: i64,
    /// When what became of commands is looked at.
    command_looks: BTreeSet<WallMs>,
    fired: BTreeMap<ThingKey, Vec<Fired>>,
    told: BTreeMap<ThingKey, WallMs>,
}

impl<'a> Replay<'a> {
    fn new(
        trial: &'a Trial,
        things: Vec<(ThingKey, ThingName, Meta)>,
        series: Vec<(SeriesKey, ThingKey, String)>,
        goes_on: &'a dyn Fn() -> bool,
    ) -> Replay<'a> {
        let (mut texts, mut commons) = (Texts::default(), Commons::default());
        let things = things.into_iter().map(|(key, name, meta)| (key, name, commons.describe(meta, &mut texts)));
        let things = things.collect();
        let series = series.into_iter().map(|(key, thing, pointer)| (key, thing, texts.get(&pointer))).collect();
        let restored = Restored { things, series, texts, commons, ..Restored::default() };
        let step_ms = look_every_ms(&trial.span);
        let rule = trial.config.rules.iter().find(|rule| rule.id == trial.rule);
        let lengths = rule.and_then(|rule| match &rule.condition {
            Condition::When(when) if when.expression.needs().clock => Some(when.expression.lengths_ms()),
            Condition::When(_)
            | Condition::Detected(_)
            | Condition::Silent
            | Condition::NotConverged { .. }
            | Condition::CommandFailed
            | Condition::Told => None,
        });
        let longest = lengths.map(|lengths| lengths.into_iter().max().unwrap_or(0));
        let turns_ms = longest.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).saturating_add(2 * step_ms));
        let start = trial.span.start;
        let mut replay = Replay {
            fleet: Fleet::new(trial.config.clone(), restored, at(start, start)),
            trial,
            goes_on,
            unasked: 0,
            is_cut: false,
            effects: Effects::default(),
            is_up: false,
            deaf: (0, 0),
            looked: start,
            heard_until: None,
            turns_until: None,
            turns_ms,
            step_ms,
            command_looks: BTreeSet::new(),
            fired: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        replay.give(Input::Started, start);
        replay.listen(start);
        replay
    }

    /// What was usual before the span is known from its first word on.
    fn recall(&mut self, history: impl Fn(HistoryQuery) -> Vec<Bucket>) {
        let start = self.trial.span.start;
        self.fleet.recalls_again(at(start, start), history, &mut self.effects);
        self.note(start);
    }

    /// Whether somebody ended it; asks for that now and then.
    fn is_cut(&mut self) -> bool {
        self.unasked += 1;
        if self.unasked >= ASKED_EVERY {
            self.unasked = 0;
            self.is_cut |= !(self.goes_on)();
        }
        self.is_cut
    }

    fn give(&mut self, input: Input, moment: WallMs) {
        if !matches!(input, Input::Ticked) {
            self.heard_until = None;
        }
        self.fleet.handle(input, at(moment, self.trial.span.start), &mut self.effects);
        self.note(moment);
    }

    fn listen(&mut self, moment: WallMs) {
        if !self.is_up {
            self.is_up = true;
            // What ended meanwhile is looked at by whoever listens.
            self.command_looks.insert(moment.plus(1));
            self.give(Input::Link(LinkEvent::Up { resumed: true, granted: 1 }), moment);
        }
    }

    fn hear(&mut self, thing: ThingKey, said: Vec<Sample>, moment: WallMs) {
        // Whoever heard it listened.
        self.listen(moment);
        let now = at(moment, self.trial.span.start);
        self.fleet.hears_again(thing, said, now, &mut self.effects);
        // Of the others it is as it was.
        let its = self.fleet.silence_of(thing, now);
        self.heard_until = self.heard_until.map(|until| its.map_or(until, |its| until.min(its)));
        self.turns_until = self.turns_ms.map(|ms| moment.plus(ms));
        self.note(moment);
    }

    /// A command is over: it is looked at with the next tick, and once more when its failure is old.
    fn end_command(&mut self, command: Command, moment: WallMs) {
        self.pass(moment);
        self.fleet.ends_again(command);
        let old = i64::try_from(FAILED_FOR_MS).unwrap_or(i64::MAX);
        self.command_looks.extend([moment.plus(1), moment.plus(old)]);
    }

    /// Lets time pass up to this moment.
    fn pass(&mut self, to: WallMs) {
        loop {
            let (begun, ended) = self.deaf;
            let begins = self.trial.deaf.get(begun).map(|deaf| deaf.start).filter(|at| *at <= to);
            let ends = self.trial.deaf.get(ended).map(|deaf| deaf.end).filter(|at| *at <= to);
            match (begins, ends) {
                (_, Some(end)) if begun > ended => {
                    self.look_until(end);
                    self.deaf.1 += 1;
                    self.listen(end);
                }
                (Some(start), _) if begun == ended => {
                    self.look_until(start);
                    self.deaf.0 += 1;
                    self.is_up = false;
                    self.give(Input::Link(LinkEvent::Down { reason: String::new() }), start);
                }
                (Some(_) | None, Some(_) | None) => break,
            }
        }
        self.look_until(to);
    }

    fn look_until(&mut self, to: WallMs) {
        while let Some(next) = self.next_look(to).filter(|next| *next <= to) {
            if self.is_cut() {
                return;
            }
            self.looked = next;
            self.give(Input::Ticked, next);
        }
        // What is due meanwhile is due on the seconds from here on.
        self.looked = self.looked.max(WallMs(to.0 - (to.0 - self.trial.span.start.0).rem_euclid(LOOK_LEAST_MS)));
    }

    /// When something may change by time alone; on a whole second. What is after `to` need not be right.
    fn next_look(&mut self, to: WallMs) -> Option<WallMs> {
        if !self.is_up {
            return None;
        }
        let start = self.trial.span.start;
        let now = at(self.looked, start);
        let wall = |due: MonoMs| start.plus(i64::try_from(due.0).unwrap_or(i64::MAX));
        let heard_until = match self.heard_until.filter(|until| wall(*until) > to) {
            Some(until) => until,
            None => self.fleet.next_silence(now).unwrap_or(MonoMs(u64::MAX)),
        };
        self.heard_until = Some(heard_until);
        let due = self.fleet.next_timer(now).into_iter().chain([heard_until]).map(wall);
        let turns = self.turns_until.is_some_and(|until| self.looked <= until);
        let turn = turns.then(|| self.looked.plus(self.step_ms));
        self.command_looks = self.command_looks.split_off(&self.looked.plus(1));
        let command = self.command_looks.first().copied();
        let next = due.chain(turn).chain(command).min()?.max(self.looked.plus(1));
        let after_ms = next.0.saturating_sub(start.0);
        let seconds = after_ms.div_euclid(LOOK_LEAST_MS) + i64::from(after_ms.rem_euclid(LOOK_LEAST_MS) > 0);
        Some(start.plus(seconds.saturating_mul(LOOK_LEAST_MS)))
    }

    /// What the engine kept of the rule's alarms.
    fn note(&mut self, moment: WallMs) {
        for write in std::mem::take(&mut self.effects).writes {
            let Write::Alarm(alarm) = write else { continue };
            if alarm.rule != self.trial.rule {
                continue;
            }
            let spans = self.fired.entry(alarm.thing).or_default();
            let is_open = spans.last().is_some_and(|last| last.to_ms.is_none());
            if alarm.state.active && !is_open {
                let from_ms = alarm.state.since_ms.unwrap_or(moment);
                let sentence = alarm.sentence.clone();
                spans.push(Fired { thing: alarm.thing, from_ms, to_ms: None, told: 0, sentence });
            } else if !alarm.state.active
                && is_open
                && let Some(last) = spans.last_mut()
            {
                last.to_ms = Some(alarm.state.cleared_ms.unwrap_or(moment));
            }
            let is_told = alarm.state.told_ms.filter(|told| self.told.get(&alarm.thing) != Some(told));
            if let (Some(told), Some(last)) = (is_told, spans.last_mut()) {
                self.told.insert(alarm.thing, told);
                last.told += 1;
            }
        }
    }

    fn end(self) -> Vec<Fired> {
        self.fired.into_values().flatten().collect()
    }
}

/// Both clocks: none was ever set.
fn at(moment: WallMs, start: WallMs) -> Now {
    Now { wall: moment, mono: MonoMs(moment.since(start)) }
}

#[cfg(test)]
mod tests;
