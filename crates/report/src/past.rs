//! Everything that a report tells, read out of a cache.

use std::collections::{BTreeSet, HashMap};
use std::ops::{ControlFlow, Range};

use fleetlens_model::alarm::Alarm;
use fleetlens_model::alarm::flood::Limits;
use fleetlens_model::alarm::health::{Happening, Health};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use fleetlens_store::Reading;

use crate::deeds::{self, Deed};
use crate::maps;
use crate::{Asked, ReportError};

/// How long before its alarm a thing may have said where it is, in milliseconds.
const SAID_BEFORE_MS: i64 = 3_600_000;

/// The values that say where a thing is (docs/ARCHITECTURE.md).
const LAT: &str = "/lat";
const LON: &str = "/lon";

/// A thing as the page names it; hidden characters of its names are written out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// As its broker spells it.
    pub name: String,
    /// What people call it; the name where nobody said.
    pub title: String,
    /// Street and district, as far as known.
    pub place: String,
    /// Where it is described to stand, if it stands.
    stands_at: Option<LonLat>,
}

/// A past.
pub struct Past {
    /// The fleet's profile.
    pub fleet: String,
    /// What is told of: what was asked for, without what lies before the cache begins.
    pub span: Range<WallMs>,
    /// When the cache begins, where that is later than what was asked for.
    pub begins: Option<WallMs>,
    pub now: WallMs,
    pub things: HashMap<ThingKey, Named>,
    /// Their keys by their names.
    pub by_name: HashMap<String, ThingKey>,
    /// Those whose life touches the span, in the order in which they were last raised.
    pub alarms: Vec<Alarm>,
    /// The same as the figures count them, in the same order.
    pub happenings: Vec<Happening>,
    pub health: Health,
    /// Who did what.
    pub deeds: Vec<Deed>,
    /// Where things that move, or that nobody described a place of, said that they were at moments of which maps ask.
    said_at: HashMap<(ThingKey, WallMs), LonLat>,
    /// Things that were silent when somebody last listened, by name.
    pub silent: Vec<Named>,
    /// When that was.
    pub listened: Option<WallMs>,
}

impl Past {
    /// Reads it. `span` has a length.
    pub fn read(reading: &Reading, asked: &Asked) -> Result<Past, ReportError> {
        let begins = begins(reading, asked)?;
        let span = begins.filter(|begins| *begins < asked.span.end).unwrap_or(asked.span.start)..asked.span.end;
        let things: HashMap<ThingKey, Named> = reading
            .things()?
            .into_iter()
            .map(|(key, name, meta)| {
                let title = if meta.title.is_empty() { name.as_str() } else { &meta.title };
                let place: Vec<&str> =
                    [meta.street.as_str(), &meta.area].into_iter().filter(|part| !part.is_empty()).collect();
                let named = Named {
                    name: shown(name.as_str()).into_owned(),
                    title: shown(title).into_owned(),
                    place: shown(&place.join(" · ")).into_owned(),
                    stands_at: meta.at.filter(|_| !meta.kind.moves()),
                };
                (key, named)
            })
            .collect();
        // A flood at the beginning is made of what came before it.
        let before_ms = i64::try_from(Limits::default().within_ms).unwrap_or_default();
        let read = reading.alarms(&(span.start.plus(-before_ms)..span.end))?;
        let read: Vec<(Alarm, Happening)> = read
            .into_iter()
            // What came and went while it was off the list, people were never told of.
            .filter(|alarm| alarm.state.told_ms.is_some())
            .map(|alarm| {
                let happening = Happening::of(&alarm);
                (alarm, happening)
            })
            .collect();
        let all: Vec<Happening> = read.iter().map(|(_, happening)| happening.clone()).collect();
        let health = Health::of(&all, span.clone());
        let touches = |one: &Happening| one.ended_ms().is_none_or(|ended| ended >= span.start);
        let (alarms, happenings): (Vec<Alarm>, Vec<Happening>) =
            read.into_iter().filter(|(_, happening)| touches(happening)).unzip();
        let stands = |key: &ThingKey| things.get(key).is_some_and(|thing| thing.stands_at.is_some());
        let mut moments = maps::moments(&happenings, &span);
        moments.retain(|(thing, _)| !stands(thing));
        let said_at = said_places(reading, &moments)?;
        let mut silent: Vec<Named> = reading.silent()?.iter().filter_map(|key| things.get(key)).cloned().collect();
        silent.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Past {
            fleet: shown(&reading.profile()?).into_owned(),
            deeds: deeds::read(reading, &span)?,
            listened: reading.link_seen()?,
            span,
            begins,
            now: asked.now,
            by_name: things.iter().map(|(key, named)| (named.name.clone(), *key)).collect(),
            things,
            alarms,
            happenings,
            health,
            said_at,
            silent,
        })
    }

    /// Alarms with what the figures make of them.
    pub fn told(&self) -> impl Iterator<Item = (&Alarm, &Happening)> {
        self.alarms.iter().zip(&self.happenings)
    }

    /// What rules are called for people, as the newest of their alarms say; with the id where two are called the same, and the id alone
    /// where none says. In the order of `rules`.
    pub fn rule_names<'a>(&self, rules: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
        let newest = |rule: &str| self.alarms.iter().rev().find(|alarm| alarm.rule == rule);
        let named = |rule: &'a str| newest(rule).map(|alarm| alarm.name.as_str()).filter(|name| !name.is_empty());
        let told = |rule: &'a str| match named(rule) {
            Some(name) if rules.clone().filter(|other| named(other) == Some(name)).count() > 1 => {
                format!("{} ({})", shown(name), shown(rule))
            }
            Some(name) => shown(name).into_owned(),
            None => shown(rule).into_owned(),
        };
        rules.clone().map(told).collect()
    }

    /// A thing by its key; its number where the cache has no name of it.
    pub fn thing(&self, key: ThingKey) -> Named {
        self.things.get(&key).cloned().unwrap_or_else(|| {
            let name = format!("thing {}", key.0);
            Named { title: name.clone(), name, ..Named::default() }
        })
    }

    /// Where a thing stands; where it said that it was at one of the [`maps::moments`], if nobody described that or it moves.
    pub fn place(&self, key: ThingKey, at: WallMs) -> Option<LonLat> {
        self.things.get(&key).and_then(|thing| thing.stands_at).or_else(|| self.said_at.get(&(key, at)).copied())
    }
}

/// Where each of these things said that it was: the last time up to the moment, within [`SAID_BEFORE_MS`].
fn said_places(
    reading: &Reading,
    asked: &BTreeSet<(ThingKey, WallMs)>,
) -> Result<HashMap<(ThingKey, WallMs), LonLat>, ReportError> {
    let things: BTreeSet<ThingKey> = asked.iter().map(|(thing, _)| *thing).collect();
    let mut series: HashMap<ThingKey, [Option<SeriesKey>; 2]> = HashMap::new();
    let all = if asked.is_empty() { Vec::new() } else { reading.series()? };
    for (key, thing, pointer) in all.into_iter().filter(|(_, thing, _)| things.contains(thing)) {
        let [lon, lat] = series.entry(thing).or_default();
        match pointer.as_str() {
            LON => *lon = Some(key),
            LAT => *lat = Some(key),
            _ => {}
        }
    }
    let mut said_at = HashMap::new();
    for (thing, until) in asked {
        let Some([Some(lon), Some(lat)]) = series.get(thing) else { continue };
        let (Some((at, lon_deg)), Some((same, lat_deg))) = (said(reading, *lon, *until)?, said(reading, *lat, *until)?)
        else {
            continue;
        };
        // Two halves of different places are no place.
        if let Some(place) = LonLat::new(lon_deg, lat_deg).filter(|_| at == same) {
            said_at.insert((*thing, *until), place);
        }
    }
    Ok(said_at)
}

/// The last number of a series up to a moment, and when it was said.
fn said(reading: &Reading, series: SeriesKey, until: WallMs) -> Result<Option<(WallMs, f64)>, ReportError> {
    let mut last = None;
    reading.samples(series, until.plus(-SAID_BEFORE_MS)..until.plus(1), |sample| {
        last = sample.value.as_number().map(|value| (sample.device_ms, value)).or(last);
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

/// When a cache begins: with its oldest value, or an alarm or an entry of the audit log from before that, since values go first. `None`
/// where that is before what was asked for, and where it has no values to tell by.
fn begins(reading: &Reading, asked: &Asked) -> Result<Option<WallMs>, ReportError> {
    let Some(oldest) = reading.stats()?.oldest_ms.filter(|oldest| *oldest > asked.span.start) else { return Ok(None) };
    let alarms = reading.alarms(&(asked.span.start..oldest))?;
    let mut first = alarms.first().map_or(oldest, |alarm| alarm.raised_ms().min(oldest));
    reading.audit(|row| {
        first = row.entry.map_or(first, |entry| first.min(entry.at_ms));
        ControlFlow::Break(())
    })?;
    Ok(Some(first).filter(|first| *first > asked.span.start))
}
