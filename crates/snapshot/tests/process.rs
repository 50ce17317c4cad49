//! What becomes of a picture when the process that draws it does not do what it should. Each program here is a shell script.
#![cfg(test)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fleetlens_snapshot::parcel::Parcel;
use fleetlens_snapshot::{Snapshot, SnapshotError, Theme, draw_parcel};
use tempfile::TempDir;

/// Longer than any of the scripts that end needs on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn script(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("program");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn parcel() -> Parcel {
    let snapshot = Snapshot {
        lat_deg: 35.9,
        lon_deg: 14.5,
        zoom: 14.0,
        width_px: 100,
        height_px: 100,
        scale: 1,
        theme: Theme::Dark,
        marks: Vec::new(),
        sea_around: true,
        attribution: None,
    };
    // More than a pipe holds, so that a program that does not read is noticed if it matters.
    let number = fleetlens_snapshot::frame::TileNumber { z: 14, x: 0, y: 0 };
    Parcel { snapshot, land: None, tiles: vec![(number, vec![0; 1_000_000])] }
}

#[test]
fn whatever_the_program_does_there_is_a_picture_or_a_sentence() {
    let png = r"printf '\211PNG\r\n\032\n'; cat >/dev/null";
    for (name, text, want) in [
        ("a picture", png, Ok(8)),
        ("a picture of one who does not read", r"printf '\211PNG\r\n\032\n'", Ok(8)),
        ("no picture", "echo hello", Err("gave 6 bytes that are no PNG")),
        ("nothing", "exit 0", Err("gave 0 bytes that are no PNG")),
        ("a refusal", "echo 'tile 1/2/3 is broken' >&2; exit 4", Err("the map was not drawn: tile 1/2/3 is broken")),
        ("no driver", "echo 'MESA: hm' >&2; echo 'no Vulkan driver' >&2; exit 3", Err("no Vulkan driver")),
        ("a panic", "echo 'panicked at x' >&2; exit 101", Err("ended with exit status: 101: panicked at x")),
        ("a crash", "kill -SEGV $$", Err("ended with signal: 11")),
        ("a flood of words", "head -c 10000000 /dev/zero >&2; exit 2", Err("the map was not drawn")),
        ("a flood of picture", "head -c 10000000 /dev/zero", Err("that are no PNG of at most 8388608 bytes")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let outcome = draw_parcel(&script(&folder, text), parcel(), LONG);
        match (outcome, want) {
            (Ok(png), Ok(length)) => assert_eq!(png.len(), length, "{name}"),
            (Err(error), Err(words)) => {
                let error = error.to_string();
                assert!(error.contains(words) && !error.contains("MESA"), "{name}: {error}");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    for (name, text) in [
        ("it draws for ever", "exec sleep 1000"),
        ("it closes its outputs and stays", "exec >&- 2>&-; exec sleep 1000"),
        ("it has drawn and stays", r"printf '\211PNG\r\n\032\n'; exec sleep 1000"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let program = script(&folder, &format!("echo $$ >'{}'\n{text}", pid.display()));
        let start = Instant::now();
        let outcome = draw_parcel(&program, parcel(), Duration::from_millis(700));
        assert!(matches!(outcome, Err(SnapshotError::TimedOut(_))), "{name}: {outcome:?}");
        assert!(start.elapsed() < Duration::from_secs(30), "{name}: {:?}", start.elapsed());
        let pid = fs::read_to_string(pid).unwrap();
        let lives = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()));
        assert!(!lives.is_ok_and(|line| line.contains("sleep")), "{name}: it is still there");
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = draw_parcel("/nowhere/fleetlens-snapshot".as_ref(), parcel(), LONG).unwrap_err().to_string();
    assert!(error.contains("cannot start /nowhere/fleetlens-snapshot"), "{error}");
}
