//! The part of a profile that names a registry: the city's own list of its things. docs/guide/profiles.md describes every key.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use fleetlens_engine::wire::registry::{Columns, Registry, RegistryError, read_csv, read_geojson};
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;

/// A registry's file, not read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryFile {
    /// The file.
    pub path: PathBuf,
    /// What its columns are called, where that differs from our words.
    pub columns: Columns,
    form: Form,
}

/// How it is written, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    GeoJson,
}

impl RegistryFile {
    /// What people call it: the name of the file.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Reads it; blocks on the disk. One that cannot be read at all says nothing but why: what the cache knows of its things is
    /// worth more than no start.
    pub fn read(&self) -> Registry {
        let read = File::open(&self.path).map_err(RegistryError::from).and_then(|file| match self.form {
            Form::Csv => read_csv(file, &self.columns),
            Form::GeoJson => read_geojson(file, &self.columns),
        });
        read.unwrap_or_else(|error| Registry::unread(error.to_string()))
    }

    /// As [`RegistryFile::read`], of a file of at most so many bytes, for who waits for it. A larger one says nothing but that.
    pub fn read_up_to(&self, max_bytes: u64) -> Registry {
        match std::fs::metadata(&self.path) {
            Ok(about) if !about.is_file() => Registry::unread("it cannot be read: it is no file".to_owned()),
            Ok(about) if about.len() > max_bytes => Registry::unread(format!(
                "it has {} bytes and is read when the profile is used; a preview reads up to {max_bytes}",
                about.len()
            )),
            // What is wrong is told by reading it.
            Ok(_) | Err(_) => self.read(),
        }
    }

    /// Its path is seen from this folder.
    pub(super) fn seen_from(&mut self, folder: &Path) {
        self.path = folder.join(&self.path);
    }
}

/// `[registry]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRegistry {
    file: Spanned<PathBuf>,
    #[serde(default)]
    columns: Columns,
}

impl WrittenRegistry {
    pub(super) fn check(self) -> Result<RegistryFile, Mistake> {
        let end = self.file.get_ref().extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
        let form = match end.as_deref() {
            Some("csv" | "tsv") => Form::Csv,
            Some("geojson" | "json") => Form::GeoJson,
            Some(_) | None => {
                let why = format!(
                    "{} is neither CSV nor GeoJSON by its name; call it .csv or .geojson",
                    self.file.get_ref().display()
                );
                return Err(Mistake::new(self.file.span(), why));
            }
        };
        Ok(RegistryFile { path: self.file.into_inner(), columns: self.columns, form })
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{Profile, ProfileError};
    use fleetlens_engine::wire::registry::Column;

    const FULL: &str = r#"name = "x"
broker.url = "mqtt://h"
shadows.enabled = true

[registry]
file = "lists/Things.CSV"

[registry.columns]
thing = "asset_id"
interval_s = "every"
"#;

    #[test]
    fn a_registry_is_a_file_beside_the_profile_and_the_words_of_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lists")).unwrap();
        std::fs::write(folder.path().join("lists/Things.CSV"), "asset_id,every\nlamp-1,15\n,15\n").unwrap();
        std::fs::write(folder.path().join("x.toml"), FULL).unwrap();
        let registry = Profile::read(&folder.path().join("x.toml")).unwrap().registry.unwrap();
        assert_eq!((registry.name().as_str(), registry.columns[&Column::Thing].as_str()), ("Things.CSV", "asset_id"));
        let read = registry.read();
        assert_eq!(read.get("lamp-1").unwrap().interval_s, Some(15));
        assert_eq!(read.mistakes().collect::<Vec<_>>(), ["line 3: it names no thing"]);
        std::fs::remove_file(&registry.path).unwrap();
        let why = registry.read().mistakes().collect::<Vec<_>>().join("");
        assert!(why.starts_with("it cannot be read: "), "{why}");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        for (given, instead, line, want) in [
            ("Things.CSV", "things.xlsx", 6, "lists/things.xlsx is neither CSV nor GeoJSON by its name"),
            ("Things.CSV", "things", 6, "call it .csv or .geojson"),
            ("file", "path", 6, "unknown field `path`"),
            ("thing =", "things =", 9, "unknown variant `things`"),
        ] {
            let error = Profile::parse(&FULL.replacen(given, instead, 1), "x.toml").unwrap_err();
            let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
            assert!(why.contains(want) && at == line, "{instead}: {error}");
        }
    }
}
