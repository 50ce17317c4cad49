//! What no file that git knows may hold.

use std::fs;
use std::process::Command;

use super::{WORKSPACE, assert_none};

/// A tracked text file.
pub(super) struct File {
    /// Below the checkout, with slashes.
    pub(super) path: String,
    pub(super) text: String,
}

/// Every tracked path below a folder, or below the checkout.
pub(super) fn tracked(folder: &str) -> Vec<String> {
    let output = Command::new("git").args(["ls-files", "-z", folder]).current_dir(&WORKSPACE.root).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

/// Every tracked file that is text and still there.
pub(super) fn files() -> Vec<File> {
    let read = |path: String| {
        let bytes = fs::read(WORKSPACE.root.join(&path)).ok()?;
        Some(File { path, text: String::from_utf8(bytes).ok()? })
    };
    let files: Vec<File> = tracked(".").into_iter().filter_map(read).collect();
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "git lists no Cargo.toml");
    files
}

/// The lines of all files that break a rule.
fn lines_that(breaks: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            if breaks(&file.path, line) {
                let shown: String = line.trim().chars().take(100).collect();
                violations.push(format!("{}:{}: {shown}", file.path, number + 1));
            }
        }
    }
    violations
}

#[test]
fn no_file_holds_a_path_of_somebodys_machine() {
    let checkout = WORKSPACE.root.to_str().unwrap();
    assert_none("absolute paths", lines_that(|_, line| holds_checkout(line, checkout) || holds_private_path(line)));
}

#[test]
fn no_file_holds_the_address_of_a_package_registry() {
    assert_none(
        "addresses of package registries",
        lines_that(|path, line| {
            let names_the_index = is_cargo_lock(path) && line.starts_with("source = \"registry+");
            !names_the_index && holds_registry(line)
        }),
    );
}

#[test]
fn nothing_is_left_for_later() {
    assert_none("marks of unfinished work", lines_that(|path, line| !is_lockfile(path) && holds_mark(line)));
}

#[test]
fn every_crate_begins_by_saying_what_it_is() {
    let silent = files().into_iter().filter(|file| {
        (file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs")) && !file.text.starts_with("//!")
    });
    assert_none("crates without a first line of documentation", silent.map(|file| file.path));
}

fn is_lockfile(path: &str) -> bool {
    is_cargo_lock(path) || path.ends_with("package-lock.json")
}

/// The app's, and that of the program which draws small maps.
fn is_cargo_lock(path: &str) -> bool {
    path == "Cargo.lock" || path == "snapshot-draw/Cargo.lock"
}

/// The path of the checkout itself, and not only its beginning. A short one (`/src`, `/app`) is a word that means something else
/// in ordinary lines.
fn holds_checkout(line: &str, checkout: &str) -> bool {
    let is_telling = checkout.split(['/', '\\']).filter(|part| !part.is_empty()).count() >= 2;
    is_telling
        && line.match_indices(checkout).any(|(at, _)| {
            let goes_on =
                line.get(at + checkout.len()..).and_then(|after| after.chars().next()).is_some_and(is_of_a_name);
            begins_a_path(line, at) && !goes_on
        })
}

/// Home folders and this project's work folder, at the beginning of a path.
fn holds_private_path(line: &str) -> bool {
    // Written in two parts so that this file keeps its own rule.
    let folders = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/"), concat!("/wo", "rk/")];
    folders.iter().any(|folder| line.match_indices(folder).any(|(at, _)| begins_a_path(line, at)))
}

/// `framework/work/` and `https://example.org/home/` are no paths of a machine.
fn begins_a_path(line: &str, at: usize) -> bool {
    line.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_none_or(|before| !is_of_a_name(before) && before != '/' && before != '}')
}

/// Whether a path's name goes on with this character.
fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || "-_.".contains(character)
}

/// Hosts that hand out packages: the well-known ones, and any whose first label says so.
fn holds_registry(line: &str) -> bool {
    let known = [concat!("crates.io", "-index"), concat!("registry.", "npmjs"), concat!("pypi.org", "/simple")];
    let labels = ["static", "index", "registry", "registries", "files", "deb", "mirror", "mirrors", "proxy"];
    known.iter().any(|host| line.contains(host))
        || line.split("://").skip(1).any(|rest| {
            let (label, more) = rest.split_once('.').unwrap_or((rest, ""));
            labels.contains(&label) && !more.is_empty()
        })
}

/// The marks as words of their own, in capitals.
fn holds_mark(line: &str) -> bool {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| marks.contains(&word))
}

#[test]
fn the_rules_see_what_they_forbid_and_nothing_else() {
    let home = concat!("/ho", "me/");
    for (line, want) in [
        (format!("cd {home}ann/fleetlens"), true),
        (format!("\"{home}ann\""), true),
        (format!("https://example.org{home}page"), false),
        (format!("{{root}}{home}"), false),
    ] {
        assert_eq!(holds_private_path(&line), want, "{line}");
    }
    for (checkout, line, want) in [
        ("/build/fleetlens", "see /build/fleetlens/Cargo.toml", true),
        ("/build/fleetlens", "root = \"/build/fleetlens\"", true),
        ("/build/fleetlens", "see /build/fleetlens-old/Cargo.toml", false),
        ("/build/fleetlens", "see docs/build/fleetlens/x", false),
        ("/build/fleetlens", "https://example.org/build/fleetlens", false),
        ("/src", "copies crates/src to /src", false),
        ("/app", "cd /app", false),
    ] {
        assert_eq!(holds_checkout(line, checkout), want, "{checkout}: {line}");
    }
    for (line, want) in [
        (concat!("https://sta", "tic.crates.io/crates/x"), true),
        (concat!("\"resolved\": \"https://regi", "stry.npmjs.org/x\""), true),
        (concat!("http://de", "b.debian.org/debian"), true),
        ("https://docs.rs/fleetlens", false),
        ("https://www.example.org/static.css", false),
        ("mqtt://broker.city.example", false),
    ] {
        assert_eq!(holds_registry(line), want, "{line}");
    }
    for (line, want) in [
        (concat!("// TO", "DO: later"), true),
        (concat!("(FIX", "ME)"), true),
        (concat!("METO", "DOX"), false),
        ("a to-do list", false),
    ] {
        assert_eq!(holds_mark(line), want, "{line}");
    }
}
