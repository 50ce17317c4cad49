//! Where it was: which places the page's maps show. Drawing them is somebody else's (`fleetlens_snapshot`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use fleetlens_model::alarm::Priority;
use fleetlens_model::alarm::health::Happening;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;

use crate::past::Past;
use crate::words::{count, of};

/// So many places a map has at most, those that matter most; of more it is told how many they are.
pub const PLACES_MAX: usize = 256;

/// So many places have their names beside them; more would lie over each other.
const NAMED: usize = 8;

/// Something on a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Where.
    pub at: LonLat,
    /// The worst of the alarms there that are meant.
    pub priority: Priority,
    /// What stands beside it, hidden characters written out; `None` for nothing.
    pub label: Option<String>,
}

/// A map that the page would like to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Its heading.
    pub heading: &'static str,
    /// What it shows, and what not.
    pub told: String,
    /// 1 to [`PLACES_MAX`]; later ones lie over earlier ones.
    pub places: Vec<Place>,
}

/// A map as it was drawn: PNG, for a page on white and for one on black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// On white.
    pub light: Vec<u8>,
    /// On black.
    pub dark: Vec<u8>,
    /// So many of its places are on neither, because the map does not reach so far.
    pub off_map: usize,
}

impl Drawn {
    /// What is said below the heading.
    pub fn told(&self, map: &Map) -> String {
        match self.off_map {
            0 => map.told.clone(),
            left => format!("{}; {} not on this map", map.told, of(number(left), "is", "are")),
        }
    }
}

/// The alarms of one thing.
struct OfThing {
    priority: Priority,
    alarms: u64,
    /// When the last of them was raised.
    last_ms: WallMs,
}

/// The maps of a past: where alarms were open at its end, and where they were raised. None of something that did not happen, or that
/// happened where nobody knows.
pub fn wanted(past: &Past) -> Vec<Map> {
    let (open, raised) = (open(&past.happenings, &past.span), raised(&past.happenings, &past.span));
    let open = map(past, "Where alarms are open", open, |one| Reverse((one.priority, one.alarms)));
    let raised = map(past, "Where alarms were raised", raised, |one| Reverse((one.alarms, one.priority)));
    open.into_iter().chain(raised).collect()
}

/// What is open at the end of a span.
fn open<'a>(all: &'a [Happening], span: &Range<WallMs>) -> impl Iterator<Item = &'a Happening> {
    let end = span.end;
    all.iter().filter(move |one| one.is_open_at(end))
}

/// What was raised in a span.
fn raised<'a>(all: &'a [Happening], span: &Range<WallMs>) -> impl Iterator<Item = &'a Happening> {
    let span = span.clone();
    all.iter().filter(move |one| span.contains(&one.told_ms))
}

/// Of which moments maps ask where a thing was: of the last of its alarms on each.
pub fn moments(all: &[Happening], span: &Range<WallMs>) -> BTreeSet<(ThingKey, WallMs)> {
    let last_of = |some: &mut dyn Iterator<Item = &Happening>| {
        let mut last: BTreeMap<ThingKey, WallMs> = BTreeMap::new();
        for one in some {
            let at = last.entry(one.thing).or_insert(one.told_ms);
            *at = (*at).max(one.told_ms);
        }
        last
    };
    last_of(&mut open(all, span)).into_iter().chain(last_of(&mut raised(all, span))).collect()
}

/// A map of these, those of the first rank on top and by name.
fn map<'a, Rank: Ord>(
    past: &Past,
    heading: &'static str,
    happenings: impl Iterator<Item = &'a Happening>,
    rank: impl Fn(&OfThing) -> Rank,
) -> Option<Map> {
    let mut things: BTreeMap<ThingKey, OfThing> = BTreeMap::new();
    for one in happenings {
        let thing =
            things.entry(one.thing).or_insert(OfThing { priority: one.priority, alarms: 0, last_ms: one.told_ms });
        thing.last_ms = thing.last_ms.max(one.told_ms);
        thing.priority = thing.priority.max(one.priority);
        thing.alarms += 1;
    }
    let all = things.len();
    let mut known: Vec<(LonLat, ThingKey, OfThing)> =
        things.into_iter().filter_map(|(key, one)| Some((past.place(key, one.last_ms)?, key, one))).collect();
    known.sort_by_key(|(_, key, one)| (rank(one), *key));
    let nowhere = all - known.len();
    let left = known.len().saturating_sub(PLACES_MAX);
    known.truncate(PLACES_MAX);
    let named = known.len() <= NAMED;
    let places: Vec<Place> = known
        .iter()
        .enumerate()
        .map(|(nth, (at, key, one))| {
            // Where there are many, only those of the first rank.
            let is_named = named || nth < NAMED / 2;
            let title = is_named.then(|| past.thing(*key).title);
            let label =
                title.map(|title| if one.alarms > 1 { format!("{title} · {}", count(one.alarms)) } else { title });
            Place { at: *at, priority: one.priority, label }
        })
        .rev()
        .collect();
    (!places.is_empty()).then(|| Map { heading, told: told(places.len(), left, nowhere), places })
}

fn told(shown: usize, left: usize, nowhere: usize) -> String {
    let mut told = of(number(shown), "thing", "things");
    if left > 0 {
        told += &format!("; {} not shown", of(number(left), "further one is", "further ones are"));
    }
    if nowhere > 0 {
        told += &format!("; nobody knows where {}", of(number(nowhere), "other is", "others are"));
    }
    told
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
