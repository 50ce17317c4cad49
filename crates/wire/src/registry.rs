//! A registry: what a city's own list says of its things, as CSV with a header or as GeoJSON (RFC 7946) with a feature a thing.
//!
//! People write such lists, so a row that cannot be read is told with its place and left out, and the others are used. A file
//! that is no list at all is refused. Rows are read one after the other; what is kept of one is as bounded as a message's.

mod csv;
mod geojson;

use std::collections::{BTreeMap, btree_map};
use std::io::{self, Read};

use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingName;
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::pointer_of;
use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

use crate::meta::words;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::About;

pub use self::csv::read_csv;
pub use geojson::read_geojson;

/// The largest registry, in bytes.
pub const REGISTRY_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Things one registry may list.
pub const THINGS_MAX: usize = 200_000;

/// Mistakes that are told one by one; further ones are counted.
const MISTAKES_TOLD: usize = 100;

/// The longest interval, in seconds: a week, as in profiles.
const INTERVAL_MAX_S: f64 = 604_800.0;

/// Units one thing may have.
const UNITS_MAX: usize = 64;

/// What a registry can say of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Its name with the broker; without one a row is of nobody.
    Thing,
    /// What people call it.
    Name,
    /// Its kind's word.
    Kind,
    /// Degrees north; in GeoJSON the geometry says it.
    Lat,
    /// Degrees east.
    Lon,
    /// Street.
    Street,
    /// District or village.
    Area,
    /// Spaces in all, for a car park.
    Capacity,
    /// Spaces for people with a disability among them.
    CapacityAccessible,
    /// Spaces with a charging point among them.
    CapacityCharging,
    /// How often it speaks, in seconds.
    IntervalS,
    /// The name of the gateway that carries what it says.
    Gateway,
    /// Units of its values: an object in GeoJSON, `power_w=W; temp_c=°C` in CSV.
    Units,
}

impl Column {
    /// Every column, in the order in which they are documented.
    pub const ALL: [Column; 13] = [
        Column::Thing,
        Column::Name,
        Column::Kind,
        Column::Lat,
        Column::Lon,
        Column::Street,
        Column::Area,
        Column::Capacity,
        Column::CapacityAccessible,
        Column::CapacityCharging,
        Column::IntervalS,
        Column::Gateway,
        Column::Units,
    ];

    /// What it is called unless the profile says otherwise.
    pub fn word(self) -> &'static str {
        match self {
            Column::Thing => "thing",
            Column::Name => "name",
            Column::Kind => "kind",
            Column::Lat => "lat",
            Column::Lon => "lon",
            Column::Street => "street",
            Column::Area => "area",
            Column::Capacity => "capacity",
            Column::CapacityAccessible => "capacity_accessible",
            Column::CapacityCharging => "capacity_charging",
            Column::IntervalS => "interval_s",
            Column::Gateway => "gateway",
            Column::Units => "units",
        }
    }
}

/// What the columns of a file are called, where that is not [`Column::word`].
pub type Columns = BTreeMap<Column, String>;

/// Where a column's value may stand, the best name first.
fn names(column: Column, columns: &Columns) -> Vec<&str> {
    match (columns.get(&column), column) {
        (Some(theirs), _) => vec![theirs],
        (None, Column::Thing) => vec!["thing", "id"],
        (None, column) => vec![column.word()],
    }
}

/// What a registry says, by the names of things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    things: BTreeMap<String, About>,
    mistakes: Vec<String>,
    untold: usize,
}

/// Why a file is no registry.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// It cannot be read, or is larger than one may be.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A file without the names of things.
    #[error(
        "it has no column {wanted} for the names of things, only {given}; [registry.columns] says what columns are called"
    )]
    NoThing {
        /// What was looked for, in quotation marks.
        wanted: String,
        /// The columns there are, or the first of them.
        given: String,
    },
    /// A column that the profile names and the file has not.
    #[error("it has no column {wanted:?}, only {given}; [registry.columns] names it")]
    NoColumn {
        /// What the profile says.
        wanted: String,
        /// The columns there are, or the first of them.
        given: String,
    },
    /// Text that is no list of things.
    #[error("it is no GeoJSON with features: {0}")]
    NotGeoJson(String),
}

impl Registry {
    /// A registry that could not be read, which says nothing but why.
    pub fn unread(why: String) -> Registry {
        Registry { mistakes: vec![why], ..Registry::default() }
    }

    /// What is said of a thing.
    pub fn get(&self, thing: &str) -> Option<&About> {
        self.things.get(thing)
    }

    /// Every thing, by name.
    pub fn things(&self) -> btree_map::Iter<'_, String, About> {
        self.things.iter()
    }

    /// What was left out and why, each with its place in the file; at most 100 and how many more.
    pub fn mistakes(&self) -> impl Iterator<Item = String> + '_ {
        let more = (self.untold > 0).then(|| format!("{} more rows that cannot be read", self.untold));
        self.mistakes.iter().cloned().chain(more)
    }

    /// Takes a row, or the reason why it cannot be one. False when no further thing may be listed.
    fn take(&mut self, place: &str, row: Result<(ThingName, About), String>) -> bool {
        match row {
            Ok((name, _)) if self.things.contains_key(name.as_str()) => {
                self.mistake(place, &format!("{} stands there already; its first row counts", name.as_str()));
            }
            Ok(_) if self.things.len() >= THINGS_MAX => {
                self.mistake(place, &format!("a registry lists at most {THINGS_MAX} things; the rest is left out"));
                return false;
            }
            Ok((name, about)) => drop(self.things.insert(name.into(), about)),
            Err(why) => self.mistake(place, &why),
        }
        true
    }

    fn mistake(&mut self, place: &str, why: &str) {
        if self.mistakes.len() < MISTAKES_TOLD {
            self.mistakes.push(format!("{place}: {}", quote(why, QUOTE_MAX_CHARS * 2)));
        } else {
            self.untold += 1;
        }
    }
}

/// What a row says, from its values by column; texts that are numbers count as such, empty ones say nothing.
fn entry(row: &BTreeMap<Column, Json>) -> Result<(ThingName, About), String> {
    let thing = match row.get(&Column::Thing) {
        Some(Json::String(name)) => name.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(other) => return Err(wrong(Column::Thing, other, "a thing's name")),
        None => return Err("it names no thing".to_owned()),
    };
    let thing = ThingName::new(thing.trim()).map_err(|error| error.to_string())?;
    let mut about = About {
        title: text(row, Column::Name)?,
        street: text(row, Column::Street)?,
        area: text(row, Column::Area)?,
        gateway: text(row, Column::Gateway)?,
        capacity: spaces(row, Column::Capacity)?,
        capacity_accessible: spaces(row, Column::CapacityAccessible)?,
        capacity_charging: spaces(row, Column::CapacityCharging)?,
        ..About::default()
    };
    if let Some(word) = text(row, Column::Kind)? {
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        let known = Kind::ALL.map(Kind::word).join(", ");
        about.kind = Some(kind.ok_or_else(|| format!("there is no kind {:?}, only {known}", quote(&word, 40)))?);
    }
    if let Some(s) = number(row, Column::IntervalS)? {
        let fits = (1.0..=INTERVAL_MAX_S).contains(&s) && s.fract() == 0.0;
        about.interval_s = Some(s as u32).filter(|_| fits);
        about.interval_s.ok_or_else(|| format!("interval_s is {s}; it must be a whole number from 1 to 604800"))?;
    }
    match (number(row, Column::Lat)?, number(row, Column::Lon)?) {
        // What lists write that do not know.
        (None, None) | (Some(0.0), Some(0.0)) => {}
        (Some(lat_deg), Some(lon_deg)) if LonLat::new(lon_deg, lat_deg).is_some() => {
            (about.lat_deg, about.lon_deg) = (Some(lat_deg), Some(lon_deg));
        }
        (Some(lat), Some(lon)) => return Err(format!("{lat} north, {lon} east is no place on earth, in degrees")),
        (Some(_), None) | (None, Some(_)) => return Err("of lat and lon it has only one".to_owned()),
    }
    about.units = units(row)?;
    Ok((thing, about))
}

fn text(row: &BTreeMap<Column, Json>, column: Column) -> Result<Option<String>, String> {
    let given = match row.get(&column) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(other @ (Json::Bool(_) | Json::Array(_) | Json::Object(_))) => return Err(wrong(column, other, "a text")),
    };
    Ok(Some(words(&given)).filter(|text| !text.is_empty()))
}

fn number(row: &BTreeMap<Column, Json>, column: Column) -> Result<Option<f64>, String> {
    let number = match row.get(&column) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Json::String(text)) => text.trim().parse().ok(),
        Some(other) => other.as_f64(),
    };
    let given = row.get(&column).unwrap_or(&Json::Null);
    number.filter(|n: &f64| n.is_finite()).map(Some).ok_or_else(|| wrong(column, given, "a number, such as 35.9"))
}

/// A count of spaces; none says that nobody knows.
fn spaces(row: &BTreeMap<Column, Json>, column: Column) -> Result<Option<u32>, String> {
    match number(row, column)? {
        Some(n) if (0.0..=f64::from(u32::MAX)).contains(&n) && n.fract() == 0.0 => {
            Ok(Some(n as u32).filter(|n| *n > 0))
        }
        Some(n) => Err(format!("{} is {n}; it must be a whole number from 0", column.word())),
        None => Ok(None),
    }
}

fn units(row: &BTreeMap<Column, Json>) -> Result<Vec<(String, String)>, String> {
    let pairs: Vec<(&str, &str)> = match row.get(&Column::Units) {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Object(units)) => {
            let pair = |(name, unit): (&'_ String, &'_ Json)| unit.as_str().is_some().then_some(()).ok_or(name.clone());
            units.iter().try_for_each(pair).map_err(|name| format!("the unit of {:?} is no text", quote(&name, 40)))?;
            units.iter().filter_map(|(name, unit)| Some((name.as_str(), unit.as_str()?))).collect()
        }
        Some(Json::String(text)) => {
            let pairs = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
            let split = |pair: &'_ str| pair.split_once('=').is_some();
            if let Some(bad) = pairs.clone().find(|pair| !split(pair)) {
                return Err(format!("{:?} is no unit; write power_w=W; temp_c=°C", quote(bad, 40)));
            }
            pairs.filter_map(|pair| pair.split_once('=')).collect()
        }
        Some(other) => return Err(wrong(Column::Units, other, "units by the names of values")),
    };
    if pairs.len() > UNITS_MAX {
        return Err(format!("it has {} units; at most {UNITS_MAX} are read", pairs.len()));
    }
    let unit = |(name, unit): (&str, &str)| {
        let name = name.trim();
        let pointer = if name.starts_with('/') { name.to_owned() } else { pointer_of([name]) };
        (pointer, words(unit))
    };
    Ok(pairs.into_iter().map(unit).collect())
}

fn wrong(column: Column, given: &Json, wanted: &str) -> String {
    format!("{} is {}; it must be {wanted}", column.word(), quote(&given.to_string(), 40))
}

/// A file that ends with a mistake where it is larger than a registry may be.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Bounded<R> {
    fn new(inner: R) -> Bounded<R> {
        Bounded { inner, left: REGISTRY_MAX_BYTES }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("it has more than {REGISTRY_MAX_BYTES} bytes; a registry has at most as many"))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
