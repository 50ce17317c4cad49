//! What the widgets of a board show. Widgets of one query share one walk through the things that it finds; in a big fleet one query is
//! asked each time, in turn, and the first answer is that nothing is known yet: no step of the actor has more than one walk.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use fleetlens_ipc::boards::{Asked, BOARD_MARKS_MAX, BOARD_ROWS_MAX, BoardFigure, BoardGauge, HEAT_PARKS_MAX, Shown};
use fleetlens_ipc::map::MapRow;
use fleetlens_ipc::rows::{Change, Rows, ThingRow, ValueRow};
use fleetlens_ipc::{AlarmScope, Search};
use fleetlens_model::board::{LINES_MAX, Line, Of, TABLE_COLUMNS_MAX, WIDGETS_MAX};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::{Field, Kind, Takes};
use fleetlens_model::telemetry::Source;
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::alarms::alarm_row;
use super::map::map_row;
use super::page::{value_row, younger};
use super::{Told, sight, things};
use crate::fleet::{Asking, Dirty, Finder, Fleet, Thing};

/// In a fleet of more things than this one query is asked at a time.
const ONE_BY_ONE_FROM: usize = 20_000;

/// How exactly a figure tells when its oldest value was measured.
const OLDEST_BY_MS: i64 = 10_000;

#[derive(Debug)]
pub(super) struct BoardView {
    asked: Vec<Asked>,
    /// What asks for things, by its query.
    queries: Vec<Shared>,
    /// The one that is next in its turn.
    next: usize,
    /// Who is at the screen may see other things than before: all of it is told again.
    anew: bool,
    /// What each widget shows, and when that was told.
    shown: Vec<(Shown, MonoMs)>,
}

/// A query with the widgets that ask it.
#[derive(Debug)]
struct Shared {
    finder: Finder,
    widgets: Vec<usize>,
    /// Whether one of them shows things in their order.
    by_title: bool,
    /// Whether it had no turn since something changed.
    is_old: bool,
}

impl BoardView {
    pub(super) fn new(mut asked: Vec<Asked>, fleet: &Fleet) -> BoardView {
        asked.truncate(WIDGETS_MAX);
        // A window asks no more than a board can hold; a query that is too long is refused by who reads it.
        asked.iter_mut().for_each(|one| match one {
            Asked::Table { values, .. } => values.truncate(TABLE_COLUMNS_MAX),
            Asked::Lines(lines) => lines.truncate(LINES_MAX),
            Asked::Nothing
            | Asked::Figure { .. }
            | Asked::Map { .. }
            | Asked::Alarms { .. }
            | Asked::Gauge(_)
            | Asked::Parks { .. } => {}
        });
        let mut by_query: BTreeMap<&str, (Vec<usize>, bool)> = BTreeMap::new();
        for (nth, one) in asked.iter().enumerate() {
            if let Some(query) = query_of(one) {
                let (widgets, by_title) = by_query.entry(query.trim()).or_default();
                widgets.push(nth);
                *by_title |= matches!(one, Asked::Table { .. });
            }
        }
        let shared = |(query, (widgets, by_title)): (&str, (Vec<usize>, bool))| {
            let search = Search { text: query.to_owned(), ..Search::default() };
            Shared { finder: Finder::new(search, &fleet.config.groups), widgets, by_title, is_old: true }
        };
        let queries = by_query.into_iter().map(shared).collect();
        let shown = vec![(Shown::Nothing, MonoMs::default()); asked.len()];
        BoardView { asked, queries, next: 0, anew: false, shown }
    }

    /// The same view with other questions. What is asked as before keeps its answer until its turn comes: each step of somebody who
    /// arranges a board asks all of it again.
    pub(super) fn after(held: &BoardView, asked: Vec<Asked>, fleet: &Fleet) -> BoardView {
        let mut view = BoardView::new(asked, fleet);
        if held.anew {
            return view;
        }
        for (one, shown) in view.asked.iter().zip(&mut view.shown) {
            let same = held.asked.iter().zip(&held.shown).find(|(other, _)| *other == one);
            if let Some((_, answer)) = same {
                shown.clone_from(answer);
            }
        }
        view
    }

    pub(super) fn soil(&mut self, dirty: &Dirty) -> bool {
        self.anew |= dirty.settings;
        let is_soiled = dirty.everything || dirty.settings || !dirty.things.is_empty() || !dirty.alarms.is_empty();
        if is_soiled {
            self.queries.iter_mut().for_each(|query| query.is_old = true);
        }
        is_soiled
    }

    /// Whether it has something to say later although nothing else happens.
    pub(super) fn waits(&self) -> bool {
        self.queries.iter().any(|query| query.is_old)
    }

    /// The query whose turn it is: one that was never answered, or else the next that is old.
    fn turn(&self) -> Option<usize> {
        let is_unanswered = |query: &Shared| {
            let mut shown = query.widgets.iter().filter_map(|nth| self.shown.get(*nth));
            query.is_old && shown.any(|(shown, _)| *shown == Shown::Nothing)
        };
        let (before, after) = self.queries.split_at(self.next.min(self.queries.len()));
        let next = after.iter().position(|query| query.is_old).map(|nth| before.len() + nth);
        let unanswered = self.queries.iter().position(is_unanswered);
        unanswered.or(next).or_else(|| before.iter().position(|query| query.is_old))
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let anew = std::mem::take(&mut self.anew);
        if anew {
            // Nothing stays that who is at the screen may see no longer.
            self.shown.fill((Shown::Nothing, now.mono));
            self.queries.iter_mut().for_each(|query| query.is_old = true);
        }
        let is_whole = first || anew;
        let all = self.asked.iter().enumerate();
        let mut new: Vec<(usize, Shown)> = all
            .filter(|(_, asked)| query_of(asked).is_none())
            .map(|(nth, asked)| (nth, of_one(asked, fleet, now)))
            .collect();
        let (from, count) = if fleet.things.len() <= ONE_BY_ONE_FROM {
            (0, self.queries.len())
        } else if is_whole {
            // Looking anew is free of the pause between two answers, so it must be free of walks too.
            (0, 0)
        } else {
            self.turn().map_or((0, 0), |turn| (turn, 1))
        };
        self.next = from + count;
        new.extend(self.queries.iter().skip(from).take(count).flat_map(|query| self.answers(query, fleet, now)));
        self.queries.iter_mut().skip(from).take(count).for_each(|query| query.is_old = false);
        if is_whole {
            for (shown, told) in &mut self.shown {
                grow_older(shown, now.mono.since(*told));
                *told = now.mono;
            }
            for (nth, one) in new {
                if let Some(place) = self.shown.get_mut(nth) {
                    place.0 = one;
                }
            }
            return Told::All(Rows::Board(self.shown.iter().map(|(shown, _)| shown.clone()).collect()));
        }
        let mut changes = Vec::new();
        for (nth, one) in new {
            let Some((before, told)) = self.shown.get_mut(nth) else { continue };
            if differs(before, &one, now.mono.since(*told)) {
                (*before, *told) = (one.clone(), now.mono);
                changes.push(Change::Board { at: u32::try_from(nth).unwrap_or(u32::MAX), shown: Box::new(one) });
            }
        }
        Told::Some(changes)
    }

    /// What every widget of a query shows.
    fn answers(&self, query: &Shared, fleet: &Fleet, now: Now) -> Vec<(usize, Shown)> {
        let wrong = |why: &str| query.widgets.iter().map(|nth| (*nth, Shown::Wrong(why.to_owned()))).collect();
        if let Some(mistake) = query.finder.mistake() {
            return wrong(&format!("column {} of the query: {}", mistake.column, mistake.why));
        }
        let mut keys = if query.by_title {
            query.finder.by_title(fleet, now)
        } else {
            let Some(asking) = query.finder.ask(fleet, now) else { return wrong("the query finds nothing") };
            asking.all()
        };
        // Who sees a part of the fleet has their figures over that part.
        keys.retain(|key| fleet.things.get(key).is_some_and(|thing| sight::sees(thing, fleet)));
        let each = |nth: &usize| Some((*nth, of_many(self.asked.get(*nth)?, &keys, &query.finder, fleet, now)));
        query.widgets.iter().filter_map(each).collect()
    }
}

/// The query of a widget that goes over things.
fn query_of(asked: &Asked) -> Option<&str> {
    match asked {
        Asked::Figure { query, .. }
        | Asked::Table { query, .. }
        | Asked::Map { query, .. }
        | Asked::Parks { query } => Some(query),
        Asked::Nothing | Asked::Lines(_) | Asked::Alarms { .. } | Asked::Gauge(_) => None,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn of_one(asked: &Asked, fleet: &Fleet, now: Now) -> Shown {
    match asked {
        Asked::Lines(lines) => Shown::Lines(lines.iter().map(|line| series(line, fleet)).collect()),
        Asked::Alarms { unseen, query } => alarms(*unseen, query, fleet, now),
        Asked::Gauge(line) => gauge(line, fleet, now),
        Asked::Nothing | Asked::Figure { .. } | Asked::Table { .. } | Asked::Map { .. } | Asked::Parks { .. } => {
            Shown::Nothing
        }
    }
}

fn of_many(asked: &Asked, keys: &[ThingKey], finder: &Finder, fleet: &Fleet, now: Now) -> Shown {
    let things = || keys.iter().filter_map(|key| fleet.things.get(key));
    match asked {
        Asked::Figure { of: Of::Count, .. } => {
            let things = count(keys.len());
            let number = Some(f64::from(things));
            Shown::Figure(BoardFigure { number, things, with_value: things, ..BoardFigure::default() })
        }
        Asked::Figure { of, value, .. } => figure(*of, value, keys.len(), things(), fleet, now),
        Asked::Table { values, .. } => {
            let shown = things().take(BOARD_ROWS_MAX as usize);
            let row = |thing: &Thing| {
                let values = values.iter().map(|pointer| value_row(thing, pointer, fleet, now)).collect();
                (things::row_of(thing, fleet, now), values)
            };
            Shown::Table { total: count(keys.len()), rows: shown.map(row).collect() }
        }
        Asked::Map { area, .. } => {
            let mut rows: Vec<MapRow> = things()
                .filter_map(|thing| map_row(thing, fleet))
                .filter(|row| area.is_none_or(|area| area.contains(row.at)))
                .collect();
            let total = count(rows.len());
            if rows.len() > BOARD_MARKS_MAX {
                rows.sort_by_key(|row| (Reverse(row.status.code()), row.thing));
                rows.truncate(BOARD_MARKS_MAX);
            }
            let mut packed = Vec::new();
            rows.iter().for_each(|row| row.write(&mut packed));
            Shown::Map { total, packed }
        }
        Asked::Parks { .. } => {
            let parks = things().filter(|thing| thing.meta.common.kind == Kind::Parking);
            let (mut with, mut left_out) = (Vec::new(), 0);
            for thing in parks {
                let capacity = thing.meta.common.capacity.filter(|capacity| *capacity > 0);
                match (thing.series.get("/free", &fleet.series), capacity) {
                    (Some(series), Some(capacity)) if with.len() < HEAT_PARKS_MAX => with.push((series, capacity)),
                    (Some(_) | None, Some(_) | None) => left_out += 1,
                }
            }
            Shown::Parks { parks: with, left_out }
        }
        Asked::Nothing | Asked::Lines(_) | Asked::Alarms { .. } | Asked::Gauge(_) => {
            debug_assert!(finder.mistake().is_none(), "only what has a query is asked of many");
            Shown::Nothing
        }
    }
}

fn figure<'a>(
    of: Of,
    value: &str,
    found: usize,
    things: impl Iterator<Item = &'a Thing>,
    fleet: &Fleet,
    now: Now,
) -> Shown {
    let (mut told, mut sum, mut least, mut greatest) = (BoardFigure::default(), 0.0, f64::INFINITY, f64::NEG_INFINITY);
    let (mut measured, mut oldest_age_ms) = (None::<&str>, 0);
    for thing in things {
        let Some(series) = fleet.series_at(thing, value) else { continue };
        let (Some(number), Some(sample)) = (series.number(), series.latest()) else { continue };
        let unit = thing.meta.common.unit(value);
        match measured {
            None => {
                measured = Some(unit);
                let field = thing.meta.common.kind.field(value);
                told.decimals = field.map_or_else(|| sample.value.decimals(), |field| field.decimals);
                let name = value.strip_prefix('/').unwrap_or(value);
                told.label = thing.meta.common.label(value).unwrap_or(name).to_owned();
            }
            Some(one) if one == unit => {}
            Some(one) => {
                return Shown::Wrong(format!(
                    "some of these things measure it in {:?} and some in {:?}; ask for one kind, such as kind:lamp",
                    one, unit
                ));
            }
        }
        told.with_value = told.with_value.saturating_add(1);
        if fleet.source(series, &sample) != Source::Live {
            told.not_live = told.not_live.saturating_add(1);
        }
        oldest_age_ms = fleet.age_ms(series, &sample, now).max(oldest_age_ms);
        sum += number;
        (least, greatest) = (number.min(least), number.max(greatest));
    }
    told.things = count(found);
    told.unit = measured.unwrap_or_default().to_owned();
    if told.with_value > 0 {
        // As a time and not as an age, and coarsely: so a figure whose values stay is the same figure, and is not sent again.
        let oldest_ms = now.wall.0.saturating_sub_unsigned(oldest_age_ms);
        told.oldest_ms = Some(WallMs(oldest_ms - oldest_ms.rem_euclid(OLDEST_BY_MS)));
        told.number = Some(match of {
            Of::Count => f64::from(told.with_value),
            Of::Sum => sum,
            Of::Mean => sum / f64::from(told.with_value),
            Of::Min => least,
            Of::Max => greatest,
        });
        if of == Of::Mean {
            // Of what is counted in whole numbers the mean is none.
            told.decimals = told.decimals.max(1);
        }
    }
    Shown::Figure(told)
}

/// A thing by its name, where who is at the screen sees it. Nobody is told which of both it is that keeps it from them.
fn named<'a>(name: &str, fleet: &'a Fleet) -> Option<&'a Thing> {
    let thing = fleet.by_name.get(name).and_then(|key| fleet.things.get(key))?;
    sight::sees(thing, fleet).then_some(thing)
}

fn series(line: &Line, fleet: &Fleet) -> Option<(SeriesKey, String)> {
    let thing = named(&line.thing, fleet)?;
    Some((thing.series.get(&line.value, &fleet.series)?, thing.title().to_owned()))
}

fn gauge(line: &Line, fleet: &Fleet, now: Now) -> Shown {
    let Some(thing) = named(&line.thing, fleet) else {
        return Shown::Wrong(format!("nothing here is called {:?}", line.thing));
    };
    let Some(value) = value_row(thing, &line.value, fleet, now) else {
        let name = line.value.strip_prefix('/').unwrap_or(&line.value);
        return Shown::Wrong(format!("{} has never said {name:?}", thing.title()));
    };
    Shown::Gauge(Box::new(BoardGauge {
        thing: thing.key,
        title: thing.title().to_owned(),
        scale: scale(thing, &line.value, fleet),
        value,
    }))
}

/// What the schema of its kind takes for what can be set; a share is 0 to 100 %, and no more is free than there is.
fn scale(thing: &Thing, pointer: &str, fleet: &Fleet) -> Option<(f64, f64)> {
    let meta = &thing.meta.common;
    let spaces = match pointer {
        "/free" => meta.capacity,
        "/free_accessible" => meta.capacity_accessible,
        "/free_charging" => meta.capacity_charging,
        _ => None,
    };
    let by_spaces = spaces.filter(|spaces| *spaces > 0).map(|spaces| (0.0, f64::from(spaces)));
    let by_unit = || meta.kind.field(pointer).and_then(Field::limits);
    let by_schema = || match &fleet.config.schemas.control(meta, pointer)?.takes {
        Takes::Range { min, max, .. } => Some((*min, *max)),
        Takes::Switch | Takes::Choice(_) | Takes::Text { .. } => None,
    };
    by_spaces.or_else(by_unit).or_else(by_schema)
}

fn alarms(unseen: bool, query: &str, fleet: &Fleet, now: Now) -> Shown {
    if !fleet.config.who.role.sees_everything() {
        return Shown::Wrong("alarms are not for drivers".into());
    }
    let finder = Finder::new(Search { text: query.to_owned(), ..Search::default() }, &fleet.config.groups);
    if let Some(mistake) = finder.mistake() {
        return Shown::Wrong(format!("column {} of the query: {}", mistake.column, mistake.why));
    }
    let asking = finder.ask(fleet, now);
    let is_meant =
        |asking: &Asking<'_>, thing: ThingKey| fleet.things.get(&thing).is_some_and(|thing| asking.finds(thing));
    let all: Box<dyn Iterator<Item = _>> =
        if unseen { Box::new(fleet.alarms.needing()) } else { fleet.alarms.of(AlarmScope::Open) };
    let (mut total, mut rows) = (0_u32, Vec::new());
    for alarm in all.filter(|alarm| asking.as_ref().is_some_and(|asking| is_meant(asking, alarm.thing))) {
        total += 1;
        if rows.len() < BOARD_ROWS_MAX as usize {
            rows.extend(alarm_row(alarm, fleet));
        }
    }
    Shown::Alarms { total, rows }
}

/// Whether anything but ages differs, or an age is younger than it would have become by itself.
fn differs(before: &Shown, new: &Shown, elapsed_ms: u64) -> bool {
    let (mut old, mut young) = (before.clone(), new.clone());
    let (old_ages, young_ages) = (without_ages(&mut old), without_ages(&mut young));
    old != young || old_ages.into_iter().zip(young_ages).any(|(before, age)| younger(before, age, elapsed_ms))
}

/// What is told a second time is older by then. Only what a query answers is; the others are asked each time.
fn grow_older(shown: &mut Shown, by_ms: u64) {
    let Shown::Table { rows, .. } = shown else { return };
    for (row, values) in rows {
        let values = row.value.iter_mut().chain(values.iter_mut().flatten());
        let ages = values.map(|value| &mut value.age_ms).chain(&mut row.heard_age_ms);
        ages.for_each(|age_ms| *age_ms = age_ms.saturating_add(by_ms));
    }
}

/// Takes the ages out, and gives them in their order.
fn without_ages(shown: &mut Shown) -> Vec<Option<u64>> {
    let of_value = |value: &mut ValueRow| {
        // Both are said anew with each word of the thing, and say no more than the age.
        value.received_ms = value.device_ms;
        Some(std::mem::take(&mut value.age_ms))
    };
    let of_row = |row: &mut ThingRow| {
        let value = row.value.as_mut().and_then(of_value);
        [value, row.heard_age_ms.take()]
    };
    match shown {
        Shown::Table { rows, .. } => {
            let of_one = |(row, values): &mut (ThingRow, Vec<Option<ValueRow>>)| {
                let mut ages: Vec<Option<u64>> = of_row(row).into();
                ages.extend(values.iter_mut().map(|value| value.as_mut().and_then(of_value)));
                ages
            };
            rows.iter_mut().flat_map(of_one).collect()
        }
        Shown::Gauge(gauge) => vec![of_value(&mut gauge.value)],
        Shown::Nothing
        | Shown::Figure(_)
        | Shown::Lines(_)
        | Shown::Map { .. }
        | Shown::Alarms { .. }
        | Shown::Parks { .. }
        | Shown::Wrong(_) => Vec::new(),
    }
}
