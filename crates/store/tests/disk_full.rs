//! A disk that is full: said so, nothing half-stored, and it goes on by itself when there is room again.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use common::{T0, block_on, commit, sample, series, thing};
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_store::{Store, StoreError};

/// A small file system of its own, or `None` where that is not permitted.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { folder }),
            Ok(output) => skip(String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => skip(&error.to_string()),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Tells past the test harness, which swallows what a passing test prints, as the end-to-end tests do (`place::skip`). Where `CI` is
/// set, nothing may be skipped.
fn skip(why: &str) -> Option<SmallDisk> {
    assert!(std::env::var_os("CI").is_none(), "no mount here ({why}), and with CI set no test may be skipped");
    // Whoever closed our stderr does not want to know.
    _ = writeln!(std::io::stderr(), "skipped: no mount here: {why}");
    None
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.folder.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.folder.path().display());
    }
}

/// Some 100 kB.
fn heavy(from: u64) -> Vec<Write> {
    let text = Value::Text("x".repeat(1000));
    let samples = (from..from + 100).map(|seq| Sample { value: text.clone(), ..sample(1, seq, seq as i64, 0.0) });
    samples.map(Write::Sample).collect()
}

#[test]
fn a_full_disk_is_named_and_left_behind_when_there_is_room_again() {
    let Some(disk) = SmallDisk::mount() else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1u8; 1_200_000]).unwrap();
    let path = disk.path().join("malta.db");
    let (store, _) = Store::open(&path, "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/state")]).unwrap();

    let mut stored = 0u64;
    let refusal = loop {
        match commit(&store, heavy(stored + 1)) {
            Ok(()) => stored += 100,
            Err(error) => break error,
        }
        assert!(stored < 10_000, "three megabytes hold no more");
    };
    assert_eq!(refusal, StoreError::DiskFull { path: path.clone() });
    assert!(refusal.to_string().starts_with("the disk is full"), "{refusal}");
    assert!(stored > 0);
    assert_eq!(commit(&store, heavy(stored + 1)), Err(refusal), "still full, still answering");

    std::fs::remove_file(&ballast).unwrap();
    commit(&store, heavy(stored + 1)).expect("there is room again");
    stored += 100;
    assert_eq!(block_on(store.stats()).unwrap().samples, stored);
    block_on(store.close()).unwrap();

    let (_store, restored) = Store::open(&path, "malta", 1).unwrap();
    assert_eq!((restored.stats.samples, restored.last_seq), (stored, stored));
    assert_eq!(restored.latest[0].device_ms.0, T0 + stored as i64);
}
