//! Crates that are compiled in several incompatible versions: each costs build time and size, so each has a reason in
//! `tests/duplicate-majors.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::semver::Version;
use serde::Deserialize;

use super::{WORKSPACE, assert_none};

type Duplicates = BTreeMap<String, BTreeSet<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    brought_by: String,
    reason: String,
    duplicates: Duplicates,
}

/// What cargo takes for compatible: `1.2.3` → `1`, `0.2.3` → `0.2`, `0.0.3` → `0.0.3`.
fn series(version: &Version) -> String {
    match (version.major, version.minor, version.patch) {
        (0, 0, patch) => format!("0.0.{patch}"),
        (0, minor, _) => format!("0.{minor}"),
        (major, _, _) => major.to_string(),
    }
}

#[test]
fn every_duplicate_has_a_reason_and_every_reason_a_duplicate() {
    let mut found = Duplicates::new();
    for package in WORKSPACE.third_party() {
        found.entry(package.name.to_string()).or_default().insert(series(&package.version));
    }
    found.retain(|_, versions| versions.len() > 1);

    let text = fs::read_to_string(WORKSPACE.root.join("tests/duplicate-majors.toml")).unwrap();
    let list: List = toml::from_str(&text).unwrap();
    let mut listed = Duplicates::new();
    let mut violations = Vec::new();
    for group in list.group {
        if group.reason.trim().is_empty() || group.brought_by.trim().is_empty() {
            violations.push(format!("a group without who brings it or why: {:?}", group.duplicates.keys()));
        }
        for (name, versions) in group.duplicates {
            if listed.insert(name.clone(), versions).is_some() {
                violations.push(format!("{name} is listed twice"));
            }
        }
    }

    let show = |versions: Option<&BTreeSet<String>>| {
        versions.map_or_else(|| "one version".to_owned(), |v| Vec::from_iter(v.iter().map(String::as_str)).join(", "))
    };
    for name in found.keys().chain(listed.keys()).collect::<BTreeSet<_>>() {
        let (now, then) = (found.get(name), listed.get(name));
        if now != then {
            violations.push(format!("{name}: there is {}, listed is {}", show(now), show(then)));
        }
    }
    assert_none("duplicates and tests/duplicate-majors.toml do not agree", violations);
}

#[test]
fn versions_are_told_apart_where_cargo_does() {
    for (version, want) in
        [("1.2.3", "1"), ("10.0.0", "10"), ("0.8.2", "0.8"), ("0.0.3", "0.0.3"), ("1.0.0+spec-1", "1")]
    {
        assert_eq!(series(&version.parse().unwrap()), want);
    }
}
