//! A rule on the past: what is in the cache of the things that it is for goes once more through the engine (`engine::backtest`), one
//! thing, or one gateway with what stands behind it, after the other. It reads beside everything else that happens, is bounded, and says
//! what it looked at.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use fleetlens_engine::backtest::{Fired, Past, Trial, cannot_answer, fired, look_every_ms};
use fleetlens_engine::config::FleetConfig;
use fleetlens_ipc::rules::{FIRED_MAX, FiredRow, Fires, STRIP_PARTS, Tried};
use fleetlens_model::alarm::rhythm::{DAYS_MIN, WEEKS_MIN};
use fleetlens_model::alarm::{Condition, Members, Rule};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::freshness::limit_ms;
use fleetlens_model::group::Group;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::query::AsDescribed;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::search::found_by;
use fleetlens_model::telemetry::{Sample, Source};
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, StoreError};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

/// Things by which it is found out when anybody listened: those that speak most often.
const WITNESSES: usize = 64;

/// Series of a witness that are read: a value that is said with every message is mostly among them.
const SERIES_OF_WITNESS: usize = 2;

/// Values that are read until it is asked again whether anybody waits.
const ASKED_EVERY: usize = 4_096;

const DAY_MS: i64 = 24 * 3_600_000;

/// Commands of a thing that are looked at, the newest.
const COMMANDS_OF_THING: usize = 10_000;

/// Gateways behind gateways that are followed.
const GATEWAYS_DEEP: usize = 8;

/// What is asked of the past.
#[derive(Clone, Debug)]
pub struct Question {
    /// The rules of the profile, with the one that is tried as it is written now.
    pub rules: Vec<Rule>,
    /// Its id.
    pub id: String,
    /// The rules as they are kept, and the id under which it is among them; `None` for a new one.
    pub before: Option<(Vec<Rule>, String)>,
    /// What else the profile says of things: its groups and areas.
    pub config: FleetConfig,
    /// From when on, up to when.
    pub span: Range<WallMs>,
}

/// How much may be read, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Values in all.
    pub values: u64,
    /// Time in all, to some hundredths of a second; `None` for as long as it takes.
    pub within: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum BacktestError {
    /// The cache cannot be read.
    #[error("the history cannot be read: {0}")]
    Store(#[from] StoreError),
    /// Somebody ended it.
    #[error("the try was ended")]
    Ended,
    /// There is no rule of that id.
    #[error("there is no rule {0:?}")]
    NoRule(String),
}

/// A thing of the cache.
struct Known {
    name: ThingName,
    meta: Meta,
    series: Vec<(SeriesKey, String)>,
}

/// Answers; asks `goes_on` now and then whether anybody still waits. Blocks on the disk.
pub fn answer(
    reading: &Reading,
    question: &Question,
    bounds: Bounds,
    goes_on: impl Fn() -> bool,
) -> Result<Tried, BacktestError> {
    let began = Instant::now();
    let Question { rules, id, before, config, span } = question;
    let groups = &config.groups;
    let rule = find(rules, id)?;
    let exact_ms = |span: &Range<WallMs>| u32::try_from(look_every_ms(span)).unwrap_or(u32::MAX);
    let mut tried = Tried { from_ms: span.start, to_ms: span.end, exact_ms: exact_ms(span), ..Tried::default() };
    if let Some(why) = cannot_answer(rule) {
        tried.unanswered = Some(why.to_owned());
        return Ok(tried);
    }
    let before = before.as_ref().map(|(rules, id)| Ok::<_, BacktestError>((rules, find(rules, id)?))).transpose()?;
    let before = before.filter(|(_, rule)| cannot_answer(rule).is_none());
    let known = known(reading)?;
    let of_both = before.as_ref().map_or_else(BTreeSet::new, |(_, rule)| meant(&known, groups, rule));
    let meant = meant(&known, groups, rule);
    tried.things = count(meant.len());
    let about_silence = [Some(rule), before.as_ref().map(|(_, rule)| *rule)]
        .into_iter()
        .flatten()
        .any(|rule| matches!(rule.condition, Condition::Silent));
    let both = [Some(rule), before.as_ref().map(|(_, rule)| *rule)];
    let about_commands = both.into_iter().flatten().any(asks_for_commands);
    let all: BTreeSet<ThingKey> = meant.iter().chain(&of_both).copied().collect();
    let clusters = clusters(&known, &all, about_silence);
    let is_over = || bounds.within.is_some_and(|within| began.elapsed() >= within);
    let mut deaf =
        deaf(reading, &known, span, &goes_on, || bounds.within.is_some_and(|within| began.elapsed() >= within / 2))?;
    // Before the first word there is no history.
    let before_all = deaf.first().is_some_and(|first| first.start == span.start);
    let span = &(if before_all { deaf.remove(0).end } else { span.start }..span.end);
    if span.is_empty() {
        tried.unanswered = Some("the cache holds nothing of that time".to_owned());
        return Ok(tried);
    }
    (tried.from_ms, tried.exact_ms) = (span.start, exact_ms(span));
    tried.deaf_ms = deaf.iter().map(|deaf| deaf.end.since(deaf.start)).sum();
    let trial = |rules: &[Rule], rule: &Rule| Trial {
        config: FleetConfig {
            rules: judged_with(rules, rule),
            groups: groups.clone(),
            areas: config.areas.clone(),
            zone: config.zone.clone(),
            ..FleetConfig::default()
        },
        rule: rule.id.clone(),
        span: span.clone(),
        deaf: deaf.clone(),
    };
    let (now, then) = (trial(rules, rule), before.as_ref().map(|(rules, rule)| trial(rules, rule)));
    let (mut fired_now, mut fired_then) = (Vec::new(), Vec::new());
    // Of how many days before the span something is known, of each value of which the rule asks what is usual.
    let mut days: Vec<usize> = Vec::new();
    let go_on = || goes_on() && !is_over();
    for cluster in clusters {
        if !goes_on() {
            return Err(BacktestError::Ended);
        }
        let left = bounds.values.saturating_sub(tried.values);
        if left == 0 || is_over() {
            break;
        }
        // A smaller one may still fit.
        let Some(mut past) = read(reading, &known, &cluster, span, left, &go_on)? else { continue };
        if about_commands {
            for thing in &cluster {
                past.commands.extend(reading.ended_commands(*thing, COMMANDS_OF_THING)?);
            }
        }
        let heard = heard(&past);
        let (values, oldest) = (past.samples.len() as u64, past.samples.iter().map(|sample| sample.received_ms).min());
        let weeks = Weeks { reading, failed: Cell::new(None), days: RefCell::default() };
        let of_then = match &then {
            Some(then) => fired(then, past.clone(), |query| weeks.before(&query), go_on),
            None => Some(Vec::new()),
        };
        weeks.days.borrow_mut().clear();
        let of_now = of_then.is_some().then(|| fired(&now, past, |query| weeks.before(&query), go_on)).flatten();
        if let Some(error) = weeks.failed.take() {
            return Err(error.into());
        }
        // What was not looked at to its end was not looked at.
        let (Some(of_then), Some(of_now)) = (of_then, of_now) else { continue };
        fired_then.extend(of_then);
        fired_now.extend(of_now);
        days.extend(weeks.days.take());
        let meant: Vec<ThingKey> = cluster.iter().filter(|key| meant.contains(key)).copied().collect();
        tried.looked += count(meant.len());
        tried.values += values;
        tried.oldest_ms = tried.oldest_ms.into_iter().chain(oldest).min();
        // Who says nothing has commands all the same.
        if !matches!(rule.condition, Condition::CommandFailed) {
            tried.unheard += count(meant.iter().filter(|key| !heard.contains(key)).count());
        }
    }
    if !goes_on() {
        return Err(BacktestError::Ended);
    }
    tried.now = fires(fired_now, span, &known);
    tried.before = then.map(|_| fires(fired_then, span, &known));
    tried.notes = notes(&tried, about_silence);
    tried.notes.extend(usual_note(&days));
    tried.took_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    Ok(tried)
}

/// What is known of the weeks before the span, for rules that ask what is usual.
struct Weeks<'a> {
    reading: &'a Reading,
    failed: Cell<Option<StoreError>>,
    /// Of each value that was asked for, of how many days something is known.
    days: RefCell<Vec<usize>>,
}

impl Weeks<'_> {
    fn before(&self, query: &HistoryQuery) -> Vec<Bucket> {
        let buckets = self.reading.history(query).unwrap_or_else(|error| {
            self.failed.set(Some(error));
            Vec::new()
        });
        let days: BTreeSet<i64> = buckets.iter().map(|bucket| bucket.start_ms.0.div_euclid(DAY_MS)).collect();
        self.days.borrow_mut().push(days.len());
        buckets
    }
}

fn find<'a>(rules: &'a [Rule], id: &str) -> Result<&'a Rule, BacktestError> {
    rules.iter().find(|rule| rule.id == id).ok_or_else(|| BacktestError::NoRule(id.to_owned()))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether a rule asks what became of commands.
fn asks_for_commands(rule: &Rule) -> bool {
    match &rule.condition {
        Condition::CommandFailed => true,
        Condition::When(when) => when.expression.needs().commands,
        Condition::Silent | Condition::NotConverged { .. } | Condition::Detected(_) | Condition::Told => false,
    }
}

/// Of rules about values each speaks for itself; of those about silence and about commands it matters which others there are.
fn judged_with(rules: &[Rule], rule: &Rule) -> Vec<Rule> {
    let is_with = |other: &Rule| {
        matches!(
            (&rule.condition, &other.condition),
            (Condition::Silent, Condition::Silent) | (Condition::CommandFailed, Condition::CommandFailed)
        )
    };
    rules.iter().filter(|other| other.id == rule.id || is_with(other)).cloned().collect()
}

fn known(reading: &Reading) -> Result<BTreeMap<ThingKey, Known>, StoreError> {
    let things = reading.things()?.into_iter();
    let mut known: BTreeMap<ThingKey, Known> =
        things.map(|(key, name, meta)| (key, Known { name, meta, series: Vec::new() })).collect();
    for (series, thing, pointer) in reading.series()? {
        if let Some(thing) = known.get_mut(&thing) {
            thing.series.push((series, pointer));
        }
    }
    Ok(known)
}

/// The things that a rule is for.
fn meant(known: &BTreeMap<ThingKey, Known>, groups: &[Group], rule: &Rule) -> BTreeSet<ThingKey> {
    let Some(members) = Members::new(&rule.things, groups) else { return BTreeSet::new() };
    let is_meant = |thing: &Known| {
        let Meta { kind, title, street, area, gateway, .. } = &thing.meta;
        let name = thing.name.as_str();
        let words = found_by(title, name, street, area);
        members.have(&AsDescribed { name, title, kind: *kind, street, area, gateway, words: &words })
    };
    known.iter().filter(|(_, thing)| is_meant(thing)).map(|(key, _)| *key).collect()
}

/// What is judged together: a thing alone, or where it is about silence, everything behind one gateway with it. In an order that has
/// nothing to do with what they are, so that the first of them stand for all.
fn clusters(
    known: &BTreeMap<ThingKey, Known>,
    things: &BTreeSet<ThingKey>,
    about_silence: bool,
) -> Vec<BTreeSet<ThingKey>> {
    let mut clusters: BTreeMap<(u64, ThingKey), BTreeSet<ThingKey>> = BTreeMap::new();
    let by_name: BTreeMap<&str, ThingKey> = known.iter().map(|(key, thing)| (thing.name.as_str(), *key)).collect();
    for key in things {
        let mut chain = vec![*key];
        let mut last = *key;
        for _ in 0..if about_silence { GATEWAYS_DEEP } else { 0 } {
            let gateway = known.get(&last).and_then(|thing| by_name.get(thing.meta.gateway.as_str())).copied();
            let Some(next) = gateway.filter(|next| !chain.contains(next)) else { break };
            chain.push(next);
            last = next;
        }
        clusters.entry((xxh3_64(&last.0.to_le_bytes()), last)).or_default().extend(chain);
    }
    clusters.into_values().collect()
}

/// When nobody listened: the cache does not say, so it is taken for such a time when nothing at all was heard for so long that
/// everything would be silent.
fn deaf(
    reading: &Reading,
    known: &BTreeMap<ThingKey, Known>,
    span: &Range<WallMs>,
    goes_on: &impl Fn() -> bool,
    is_enough: impl Fn() -> bool,
) -> Result<Vec<Range<WallMs>>, BacktestError> {
    let mut witnesses: Vec<&Known> = known.values().filter(|thing| !thing.series.is_empty()).collect();
    witnesses.sort_by_key(|thing| thing.meta.interval_s);
    let seconds = i64::try_from(span.end.since(span.start) / 1_000).unwrap_or(i64::MAX - 1);
    // A bit for each second, 64 of them together where anything was heard at all: a span may begin long before there was a cache.
    let mut heard: BTreeMap<i64, u64> = BTreeMap::new();
    for (nth, thing) in witnesses.iter().take(WITNESSES).enumerate() {
        // The rest of the time is for the rule.
        if nth > 0 && is_enough() {
            break;
        }
        for (series, _) in thing.series.iter().take(SERIES_OF_WITNESS) {
            if !goes_on() {
                return Err(BacktestError::Ended);
            }
            reading.samples(*series, span.clone(), |sample| {
                if span.contains(&sample.received_ms) {
                    let second = i64::try_from(sample.received_ms.since(span.start) / 1_000).unwrap_or(seconds);
                    *heard.entry(second / 64).or_default() |= 1 << (second % 64);
                }
                ControlFlow::Continue(())
            })?;
        }
    }
    let least_s =
        witnesses.first().map_or(60, |thing| limit_ms(u64::from(thing.meta.interval_s.max(1)) * 1_000) / 1_000);
    let at = |second: i64| span.start.plus(second.saturating_mul(1_000));
    let mut deaf = Vec::new();
    let mut quiet_from = 0;
    let times =
        heard.iter().flat_map(|(block, bits)| (0..64).filter(move |n| bits >> n & 1 == 1).map(move |n| block * 64 + n));
    for second in times.chain([seconds + 1]) {
        if u64::try_from(second - quiet_from).unwrap_or(0) > least_s {
            deaf.push(at(quiet_from)..at(second).min(span.end));
        }
        quiet_from = second + 1;
    }
    Ok(deaf)
}

/// What these things said; `None` where that is more than is left, or nobody waits any more.
fn read(
    reading: &Reading,
    known: &BTreeMap<ThingKey, Known>,
    cluster: &BTreeSet<ThingKey>,
    span: &Range<WallMs>,
    left: u64,
    go_on: &impl Fn() -> bool,
) -> Result<Option<Past>, StoreError> {
    let mut past = Past::default();
    for (key, thing) in cluster.iter().filter_map(|key| Some((*key, known.get(key)?))) {
        past.things.push((key, thing.name.clone(), thing.meta.clone()));
        for (series, pointer) in &thing.series {
            past.series.push((*series, key, pointer.clone()));
            let samples: &mut Vec<Sample> = &mut past.samples;
            let all = reading.samples(*series, span.clone(), |sample| {
                samples.push(sample);
                let is_asked = samples.len().is_multiple_of(ASKED_EVERY);
                let is_end = samples.len() as u64 > left || is_asked && !go_on();
                if is_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if !all {
                return Ok(None);
            }
        }
    }
    Ok(Some(past))
}

/// Who of them said something themselves.
fn heard(past: &Past) -> BTreeSet<ThingKey> {
    let live = past.samples.iter().filter(|sample| sample.source != Source::Retained);
    let series: BTreeSet<SeriesKey> = live.map(|sample| sample.series).collect();
    past.series.iter().filter(|(key, ..)| series.contains(key)).map(|(_, thing, _)| *thing).collect()
}

fn fires(mut fired: Vec<Fired>, span: &Range<WallMs>, known: &BTreeMap<ThingKey, Known>) -> Fires {
    fired.sort_by_key(|one| (one.from_ms, one.thing));
    let length = |one: &Fired| one.to_ms.unwrap_or(span.end).since(one.from_ms);
    let mut any_ms = 0;
    let mut until = span.start;
    for one in &fired {
        let to = one.to_ms.unwrap_or(span.end);
        any_ms += to.since(one.from_ms.max(until));
        until = until.max(to);
    }
    Fires {
        count: count(fired.len()),
        things: count(fired.iter().map(|one| one.thing).collect::<BTreeSet<_>>().len()),
        told: fired.iter().map(|one| one.told).sum(),
        longest_ms: fired.iter().map(length).max().unwrap_or(0),
        active_ms: fired.iter().map(length).sum(),
        any_ms,
        strip: strip(&fired, span),
        rows: rows(fired, span, known),
    }
}

/// For each part of the span the most that were active at once.
fn strip(fired: &[Fired], span: &Range<WallMs>) -> Vec<u32> {
    let parts = STRIP_PARTS as i128;
    let whole = i128::from(span.end.0) - i128::from(span.start.0);
    let part = |at: WallMs| {
        let after = i128::from(at.0) - i128::from(span.start.0);
        usize::try_from((after * parts / whole.max(1)).clamp(0, parts - 1)).unwrap_or(0)
    };
    // Who begins before who ends at the same moment.
    let mut turns: Vec<(WallMs, i32)> = fired.iter().map(|one| (one.from_ms, 1)).collect();
    turns.extend(fired.iter().map(|one| (one.to_ms.unwrap_or(span.end), -1)));
    turns.sort_by_key(|(at, by)| (*at, -by));
    let mut strip = vec![0_u32; STRIP_PARTS];
    let (mut active, mut here) = (0_i32, 0);
    for (at, by) in turns {
        let there = part(at);
        for place in strip.iter_mut().take(there + 1).skip(here) {
            *place = (*place).max(u32::try_from(active).unwrap_or(0));
        }
        (active, here) = (active + by, there);
        if let Some(place) = strip.get_mut(there) {
            *place = (*place).max(u32::try_from(active).unwrap_or(0));
        }
    }
    strip
}

/// The longest of them, in the order of time.
fn rows(mut fired: Vec<Fired>, span: &Range<WallMs>, known: &BTreeMap<ThingKey, Known>) -> Vec<FiredRow> {
    if fired.len() > FIRED_MAX {
        fired.sort_by_key(|one| std::cmp::Reverse(one.to_ms.unwrap_or(span.end).since(one.from_ms)));
        fired.truncate(FIRED_MAX);
        fired.sort_by_key(|one| (one.from_ms, one.thing));
    }
    let title = |key: ThingKey| {
        let thing = known.get(&key);
        let title = thing.map(|thing| match thing.meta.title.as_str() {
            "" => thing.name.as_str(),
            title => title,
        });
        shown(title.unwrap_or_default()).into_owned()
    };
    let row = |one: Fired| FiredRow {
        title: title(one.thing),
        thing: one.thing,
        from_ms: one.from_ms,
        to_ms: one.to_ms,
        sentence: one.sentence,
    };
    fired.into_iter().map(row).collect()
}

/// What to know when reading it.
fn notes(tried: &Tried, about_silence: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if tried.looked < tried.things {
        notes.push(format!(
            "It looked at {} of {} things, picked at random; of the others nobody knows.",
            tried.looked, tried.things
        ));
    }
    if tried.deaf_ms > 0 {
        notes.push(format!(
            "For {} nothing at all was heard; that is taken for a time in which nobody listened, and nothing is raised or cleared in it.",
            fleetlens_model::alarm::duration(tried.deaf_ms / 60_000 * 60_000)
        ));
    }
    if tried.unheard > 0 {
        notes.push(format!(
            "{} of the things said nothing in that time. Nothing is told of them, their silence included: since when is not known.",
            tried.unheard
        ));
    }
    if about_silence {
        notes.push("That a thing said goodbye is not in the history; only that it spoke no more.".into());
    }
    notes
}

/// From how much what is usual was learned, and how much it takes. `days` are those of which something is known before the span, a value;
/// none where the rule does not ask what is usual.
fn usual_note(days: &[usize]) -> Option<String> {
    let (least, most) = (days.iter().min()?, days.iter().max()?);
    let whole = |days: usize| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let there = if least == most { whole(*most) } else { format!("{least} to {}", whole(*most)) };
    let mut note = format!(
        "What is usual was learned from {there} that the cache holds of the eight weeks before, and went on being learned. It needs \
         {DAYS_MIN} days to know an hour of the day, and {WEEKS_MIN} weeks to know an hour of the week."
    );
    let short = days.iter().filter(|days| **days < DAYS_MIN).count();
    if short == days.len() {
        note.push_str(" So at first nothing was unusual: that is not known before.");
    } else if short > 0 {
        note.push_str(&format!(
            " Of {short} of {} values there was less, so that at first nothing of theirs was unusual.",
            days.len()
        ));
    }
    Some(note)
}

#[cfg(test)]
mod tests;
