//! What `query` and `export` share: the things of a cache and their series, and the words for what a sample says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use fleetlens_host::Profile;
use fleetlens_host::model::id::{SeriesKey, ThingKey};
use fleetlens_host::model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_host::model::thing::Meta;
use fleetlens_store::{Reading, StoreError};

/// How many names are offered for one that is not there.
const OFFERED: usize = 3;

/// A thing with its series.
pub struct Known {
    /// As the broker spells it.
    pub name: String,
    /// What it is.
    pub meta: Meta,
    /// Its series by the JSON pointer of their values.
    pub series: BTreeMap<String, SeriesKey>,
}

/// Opens a cache to look into it.
pub fn open(path: &Path) -> anyhow::Result<Reading> {
    if !path.is_file() {
        bail!("there is no file {}; give that of a cache with --db", path.display());
    }
    Reading::open(path).map_err(|error| {
        if matches!(error, StoreError::NotADatabase { .. } | StoreError::Foreign { .. }) {
            anyhow::anyhow!("{} is not a cache of Fleetlens", path.display())
        } else {
            error.into()
        }
    })
}

/// The file of a profile's cache in the data folder.
pub fn of_profile(profile: &Profile, folder: &Path) -> anyhow::Result<PathBuf> {
    let db = folder.join(profile.cache_file());
    if !db.is_file() {
        bail!(
            "the profile {:?} has no cache in {} yet; it is made when the app first opens it",
            profile.name,
            folder.display()
        );
    }
    Ok(db)
}

/// Where a sheet goes: the file, or the terminal and the next program where none is given. Never the cache itself.
pub fn sink(output: Option<&Path>, db: &Path) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = output else { return Ok(Box::new(io::stdout().lock())) };
    let same = |a: &Path, b: &Path| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    ensure!(!same(path, db), "{} is the cache itself; write to another file", path.display());
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Box::new(file))
}

/// The things of a cache, in the order of their names.
pub fn things(reading: &Reading) -> anyhow::Result<Vec<Known>> {
    let mut by_key: BTreeMap<ThingKey, Known> = reading
        .things()?
        .into_iter()
        .map(|(key, name, meta)| (key, Known { name: name.as_str().to_owned(), meta, series: BTreeMap::new() }))
        .collect();
    for (series, thing, pointer) in reading.series()? {
        if let Some(thing) = by_key.get_mut(&thing) {
            thing.series.insert(pointer, series);
        }
    }
    let mut things: Vec<Known> = by_key.into_values().collect();
    things.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(things)
}

/// Those of these names, or all where none is given. Fails on a name that is not there, with the nearest that are.
pub fn named(things: Vec<Known>, names: &[String], path: &Path) -> anyhow::Result<Vec<Known>> {
    for name in names {
        if things.iter().any(|thing| thing.name == *name) {
            continue;
        }
        let near = nearest(name, things.iter().map(|thing| thing.name.as_str()));
        let path = path.display();
        match near.as_slice() {
            [] => bail!("there is no thing {name:?} in {path}, which holds none at all"),
            near => bail!("there is no thing {name:?} in {path}; the nearest are {}", near.join(", ")),
        }
    }
    Ok(things.into_iter().filter(|thing| names.is_empty() || names.contains(&thing.name)).collect())
}

/// The names most like this one, best first.
pub fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let mut all: Vec<(usize, &str)> =
        all.map(|known| (strsim::damerau_levenshtein(&wanted, &known.to_lowercase()), known)).collect();
    all.sort_by_key(|(far, _)| *far);
    all.into_iter().take(OFFERED).map(|(_, known)| known).collect()
}

/// A value as JSON. What JSON cannot say of a number is null.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) => serde_json::Value::from(*number),
        Value::Flag(flag) => serde_json::Value::from(*flag),
        Value::Text(text) => serde_json::Value::from(text.as_str()),
    }
}

/// How it came.
pub fn source(source: Source) -> &'static str {
    match source {
        Source::Live => "live",
        Source::Retained => "retained",
        Source::Cached => "cached",
    }
}

/// How far it can be trusted.
pub fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Stale => "stale",
        Quality::Estimated => "estimated",
        Quality::Synthetic => "synthetic",
    }
}

/// Whose clock dated it.
pub fn timed(timed: Timed) -> &'static str {
    match timed {
        Timed::ByDevice => "device",
        Timed::ByUs => "received",
    }
}

/// Whoever reads our output may stop reading: `fleetlens query | head` is no failure.
pub fn unless_unread(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let all = ["lamp-0007", "bin-12", "lamp-0070", "Lamp-0017"];
        assert_eq!(nearest("lamp-007", all.into_iter()), ["lamp-0007", "lamp-0070", "Lamp-0017"]);
    }
}
