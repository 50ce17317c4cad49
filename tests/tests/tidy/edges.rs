//! Who may use whom, which libraries belong to whom, and what our packages are called.

use std::collections::{BTreeMap, BTreeSet};

use super::{WORKSPACE, assert_none};

/// A package by the last part of its name → those of ours it may use, of whatever kind the dependency is. Everything may
/// use `model` besides. The table of docs/ARCHITECTURE.md.
const EDGES: [(&str, &[&str]); 22] = [
    ("model", &[]),
    ("wire", &[]),
    ("ipc", &[]),
    ("chart", &[]),
    ("store", &[]),
    ("tiles", &[]),
    ("snapshot", &["tiles"]),
    ("link", &[]),
    ("reach", &["link"]),
    ("engine", &["wire", "ipc"]),
    ("sim", &["wire", "link"]),
    ("host", &["engine", "store", "link", "reach", "ipc", "tiles", "snapshot", "sim", "report"]),
    ("report", &["store", "chart"]),
    ("shell", &["host"]),
    ("serve", &["host"]),
    ("desktop", &["shell"]),
    ("mobile", &["shell"]),
    ("cli", &["host", "serve", "sim", "store", "link", "wire"]),
    ("ui", &["ipc", "chart"]),
    ("tests", EVERYTHING),
    ("fuzzed", &["wire"]),
    ("xtask", &[]),
];

/// The end-to-end tests look at the whole from outside.
const EVERYTHING: &[&str] =
    &["wire", "ipc", "chart", "store", "tiles", "snapshot", "link", "engine", "sim", "host", "shell", "serve", "cli"];

/// A library (or a family of them, with a `*`) → the only packages of ours that know it. The benchmarks of `tests` compare with the
/// simplest programs that can be written with the client and the database.
const RESERVED: [(&str, &[&str]); 11] = [
    ("rumqttc", &["link", "tests"]),
    ("mqtt5*", &["sim"]),
    ("rusqlite", &["store", "tiles", "tests"]),
    ("tauri*", &["shell", "desktop", "mobile"]),
    ("webkit2gtk*", &["shell"]),
    ("axum*", &["serve"]),
    ("hyper*", &["reach"]),
    ("lettre", &["reach"]),
    ("leptos*", &["ui"]),
    ("web-sys", &["ui"]),
    ("thirtyfour", &["tests"]),
];

/// A package whose folder's name is not the last part of its own.
const RENAMED: [(&str, &str); 1] = [("src-tauri", "desktop")];

/// The programs and the packages they come from; no other package builds one for people.
const PROGRAMS: [(&str, &str); 5] = [
    ("cli", "fleetlens"),
    ("desktop", "fleetlens-desktop"),
    ("mobile", "fleetlens-mobile"),
    ("ui", "fleetlens-ui"),
    ("xtask", "fleetlens-xtask"),
];

#[test]
fn our_packages_use_only_those_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    let mut violations = Vec::new();
    for package in WORKSPACE.ours() {
        let user = short(&package.name);
        let Some(may) = allowed.get(user) else {
            violations.push(format!("{user} is in no row of the table"));
            continue;
        };
        for dependency in &package.dependencies {
            let used = short(&dependency.name);
            if dependency.path.is_some() && used != "model" && !may.contains(&used) {
                violations.push(format!("{user} → {used}"));
            }
        }
    }
    let packages: BTreeSet<&str> = WORKSPACE.ours().map(|package| short(&package.name)).collect();
    violations.extend(
        allowed
            .keys()
            .filter(|name| !packages.contains(*name))
            .map(|name| format!("{name} has a row but is no package")),
    );
    assert_none("edges that are not in the table", violations);
}

#[test]
fn a_reserved_library_is_known_only_where_it_belongs() {
    let mut violations = Vec::new();
    let mut used = BTreeSet::new();
    for package in WORKSPACE.ours() {
        for dependency in &package.dependencies {
            for (library, owners) in RESERVED {
                if !matches(library, &dependency.name) {
                    continue;
                }
                used.insert(library);
                if !owners.contains(&short(&package.name)) {
                    violations.push(format!("{} uses {}, which belongs to {owners:?}", package.name, dependency.name));
                }
            }
        }
    }
    violations.extend(
        RESERVED
            .iter()
            .filter(|(name, _)| !used.contains(name))
            .map(|(name, _)| format!("nobody uses {name} any more")),
    );
    assert_none("libraries outside their place", violations);
}

#[test]
fn packages_and_programs_are_called_after_their_folders() {
    let mut violations = Vec::new();
    let mut programs = BTreeSet::new();
    for package in WORKSPACE.ours() {
        let folder = WORKSPACE.folder(package);
        let last = folder.rsplit('/').next().unwrap();
        let want = RENAMED.iter().find(|(folder, _)| *folder == last).map_or(last, |(_, name)| name);
        if *package.name != format!("fleetlens-{want}") {
            violations.push(format!("{} lies in {folder}", package.name));
        }
        let bins = package.targets.iter().filter(|target| target.is_bin());
        programs.extend(bins.map(|target| (short(&package.name).to_owned(), target.name.clone())));
    }
    let wanted: BTreeSet<_> =
        PROGRAMS.iter().map(|(package, name)| ((*package).to_owned(), (*name).to_owned())).collect();
    violations
        .extend(programs.symmetric_difference(&wanted).map(|(package, name)| format!("program {name} of {package}")));
    assert_none("names that are not as agreed", violations);
}

fn short(name: &str) -> &str {
    name.strip_prefix("fleetlens-").unwrap_or(name)
}

/// `tauri*` is `tauri` and everything called `tauri-…` or `tauri_…`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => name == family || name.strip_prefix(family).is_some_and(|rest| rest.starts_with(['-', '_'])),
        None => name == pattern,
    }
}

#[test]
fn a_family_is_its_head_and_its_members() {
    for (pattern, name, want) in [
        ("tauri*", "tauri", true),
        ("tauri*", "tauri-build", true),
        ("tauri*", "taurine", false),
        ("rusqlite", "rusqlite", true),
        ("rusqlite", "rusqlite-migration", false),
    ] {
        assert_eq!(matches(pattern, name), want, "{pattern} and {name}");
    }
}
