//! Every case that fuzzing has found worth keeping, through the function it was found with. A run of `cargo xtask fuzz` needs a compiler
//! of its own and an afternoon; that what it found still holds is seen here in seconds.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fleetlens_fuzzed::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// What lies in a folder, in order.
fn listed(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_kept_case_still_holds() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let cases = listed(&fuzz().join("corpus").join(name));
        assert!(!cases.is_empty(), "fuzz/corpus/{name} is empty: `cargo run --bin seeds` in fuzz fills it");
        for case in cases {
            let bytes = fs::read(&case).unwrap();
            if catch_unwind(|| target(&bytes)).is_err() {
                broken.push(format!("{name}/{}", case.file_name().unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "cases that hold no longer: {broken:#?}");
}

#[test]
fn every_target_has_a_program_that_calls_it() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut programs = listed(&fuzz().join("fuzz_targets"));
    for (name, _) in TARGETS {
        let path = fuzz().join("fuzz_targets").join(format!("{name}.rs"));
        assert!(fs::read_to_string(&path).unwrap().contains(&format!("fleetlens_fuzzed::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is in no [[bin]]");
        programs.remove(&path);
    }
    assert!(programs.is_empty(), "programs without a target in crates/fuzzed: {programs:?}");
}
