//! A cache where nothing can be written: a folder or a file that is read-only. It is said so, nothing is lost, and it
//! goes on with everything when it can be written again.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod common;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{block_on, commit, sample, series, thing, until};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Write};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Store, StoreError};

/// A file system of its own. Permissions do not bind who is root; how it is mounted does.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        match mount(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], folder.path()) {
            Ok(()) => Some(Disk { folder }),
            Err(why) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "no mount here ({why}), and with CI set no test may be skipped"
                );
                // Whoever closed our stderr does not want to know.
                _ = writeln!(std::io::stderr(), "skipped: no mount here: {why}");
                None
            }
        }
    }

    /// A second view of it, which cannot be written while the first can.
    fn read_only(&self) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let from = self.folder.path().to_str().unwrap();
        mount(&["--bind", from], folder.path()).unwrap();
        mount(&["-o", "remount,bind,ro"], folder.path()).unwrap();
        Disk { folder }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("malta.db")
    }
}

fn mount(how: &[&str], at: &Path) -> Result<(), String> {
    match Command::new("mount").args(how).arg(at).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.folder.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.folder.path().display());
    }
}

fn count(store: &Store) -> u64 {
    let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
    let query = HistoryQuery { series: SeriesKey(1), from_ms, to_ms, bucket_ms: 86_400_000, up_to_seq: u64::MAX };
    block_on(store.history(query)).unwrap().iter().map(|bucket| u64::from(bucket.count)).sum()
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_the_cache_in_it_is_not_touched() {
    let Some(disk) = Disk::mount() else { return };
    let (store, _) = Store::open(&disk.cache(), "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))]).unwrap();
    block_on(store.close()).unwrap();
    let before = std::fs::read(disk.cache()).unwrap();

    let view = disk.read_only();
    let error = Store::open_or_quarantine(&view.cache(), "malta", 2, WallMs(77)).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("may be written"), "{error}");
    assert_eq!(std::fs::read(view.cache()).unwrap(), before);
    drop(view);

    let (store, restored, note) = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77)).unwrap();
    assert_eq!((restored.latest.len(), note, count(&store)), (1, None, 1));
    block_on(store.close()).unwrap();
}

/// What a folder looks like that cannot be written any more: after an orderly end there is no log, after a kill there is one.
#[test]
fn what_cannot_be_written_can_be_looked_at() {
    let Some(disk) = Disk::mount() else { return };
    let view = disk.read_only();
    let (store, _) = Store::open(&disk.cache(), "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))]).unwrap();
    let why = Store::open(&view.cache(), "malta", 2).unwrap_err();
    assert!(matches!(why, StoreError::Io { .. }), "{why:?}");
    for ended in [false, true] {
        if ended {
            block_on(store.clone().close()).unwrap();
        }
        let (looked, restored) = Store::look(&view.cache(), "malta", why.clone()).unwrap();
        assert_eq!((restored.things.len(), restored.latest.len(), count(&looked)), (1, 1, 1), "ended: {ended}");
        assert_eq!(looked.only_read(), Some(&why));
        assert_eq!(commit(&looked, vec![Write::Sample(sample(1, 2, 5, 2.0))]), Err(why.clone()));
        assert!(!Store::may_be_written(&view.cache()), "ended: {ended}");
        assert_eq!(Store::may_be_written(&disk.cache()), ended, "somebody has it until then");
        block_on(looked.close()).unwrap();
    }
    let names: Vec<_> =
        std::fs::read_dir(disk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the cache and its lock: {names:?}");

    let other = Store::look(&view.cache(), "gozo", why.clone()).unwrap_err();
    assert!(matches!(other, StoreError::OtherProfile { .. }), "{other:?}");
    rusqlite::Connection::open(disk.cache()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = Store::look(&view.cache(), "malta", why).unwrap_err();
    assert!(matches!(newer, StoreError::Newer { .. }), "{newer:?}");
}

/// Names that mean something in the addresses of files.
#[test]
fn a_cache_of_any_name_can_be_looked_at() {
    let Some(disk) = Disk::mount() else { return };
    let view = disk.read_only();
    let name = "città & co? 100%#1.db";
    let (store, _) = Store::open(&disk.folder.path().join(name), "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1")]).unwrap();
    block_on(store.close()).unwrap();
    let (_, restored) = Store::look(&view.folder.path().join(name), "malta", StoreError::Closed).unwrap();
    assert_eq!(restored.things.len(), 1);
}

#[test]
fn a_file_that_nobody_may_write_is_named_and_left_behind_when_somebody_may() {
    let Some(disk) = Disk::mount() else { return };
    let (store, _) = Store::open(&disk.cache(), "malta", 1).unwrap();
    commit(&store, vec![thing(1, "lamp-1"), series(1, 1, "/v"), Write::Sample(sample(1, 1, 0, 1.0))]).unwrap();
    block_on(store.close()).unwrap();
    let chattr = |how: &str| {
        let done = Command::new("chattr").arg(how).arg(disk.cache()).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !chattr("+i") {
        assert!(std::env::var_os("CI").is_none(), "no immutable files here, and with CI set no test may be skipped");
        _ = writeln!(std::io::stderr(), "skipped: no immutable files here");
        return;
    }
    let opened = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77));
    let is_named = matches!(&opened, Err(StoreError::Io { .. }));
    assert!(chattr("-i"));
    assert!(is_named, "{opened:?}");
    let (store, restored, note) = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77)).unwrap();
    assert_eq!((restored.latest.len(), note), (1, None));
    commit(&store, vec![Write::Sample(sample(1, 2, 5, 2.0))]).unwrap();
    assert_eq!(count(&store), 2);
    block_on(store.close()).unwrap();
}

#[test]
fn an_older_schemas_cache_on_a_disk_that_cannot_be_written_is_shown_and_brought_up_to_date_when_it_can() {
    let Some(disk) = Disk::mount() else { return };
    for schema in 1..=5 {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{schema}.db"));
        std::fs::copy(&golden, disk.cache()).unwrap();
        let before = std::fs::read(disk.cache()).unwrap();
        let view = disk.read_only();
        let why = Store::open_or_quarantine(&view.cache(), "malta", 2, WallMs(77)).unwrap_err();
        assert!(matches!(why, StoreError::Io { .. }), "schema {schema}: {why:?}");
        let (store, shown) = Store::look(&view.cache(), "malta", why.clone()).unwrap();
        assert_eq!(commit(&store, vec![thing(9, "lamp-9")]), Err(why), "schema {schema}");
        let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
        let query = HistoryQuery { series: SeriesKey(1), from_ms, to_ms, bucket_ms: 86_400_000, up_to_seq: u64::MAX };
        let history = block_on(store.history(query));
        match schema {
            ..4 => assert!(matches!(history, Err(StoreError::Older { .. })), "schema {schema}: {history:?}"),
            _ => assert!(history.is_ok(), "schema {schema}: {history:?}"),
        }
        block_on(store.close()).unwrap();
        let other = Store::look(&view.cache(), "gozo", StoreError::Closed).unwrap_err();
        assert!(matches!(other, StoreError::OtherProfile { .. }), "schema {schema}: {other:?}");
        drop(view);
        assert!(std::fs::read(disk.cache()).unwrap() == before, "schema {schema}: not a byte is changed");

        let (store, restored, note) = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77)).unwrap();
        assert_eq!(note, None, "schema {schema}");
        assert!(!restored.things.is_empty() && !restored.latest.is_empty(), "schema {schema}");
        let told = |restored: &fleetlens_model::record::Restored| {
            let things: Vec<_> = restored.things.iter().map(|(key, name, _)| (*key, name.clone())).collect();
            let latest: Vec<_> = restored.latest.iter().map(|one| (one.series, one.value.clone())).collect();
            let commands: Vec<_> = restored.commands.iter().map(|one| one.id).collect();
            (things, latest, commands, restored.alarms.len(), restored.shadows.len(), restored.installation)
        };
        assert_eq!(told(&shown), told(&restored), "schema {schema}: what was shown is what there is");
        block_on(store.close()).unwrap();
        std::fs::remove_file(disk.cache()).unwrap();
    }
}

#[test]
fn a_damaged_cache_on_a_full_disk_is_shown_as_far_as_it_can_be_read_and_salvaged_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let (store, _) = Store::open(&disk.cache(), "malta", 4711).unwrap();
    let mut writes = vec![thing(1, "lamp-1"), series(1, 1, "/v")];
    writes.extend((1..=2_000).map(|n| Write::Sample(sample(1, n, n.cast_signed() * 1_000, 1.0))));
    writes.extend((2..=300).map(|n| thing(n, &format!("lamp-{n:0100}"))));
    commit(&store, writes).unwrap();
    block_on(store.settle()).unwrap();
    block_on(store.close()).unwrap();
    let mut bytes = std::fs::read(disk.cache()).unwrap();
    // The pages of a thing: no start reads on behind them.
    let text = format!("lamp-{:0100}", 150);
    for page in bytes.chunks_mut(4_096).filter(|page| page.windows(text.len()).any(|some| some == text.as_bytes())) {
        page.fill(0xff);
    }
    std::fs::write(disk.cache(), &bytes).unwrap();
    let ballast = disk.folder.path().join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    for block in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }

    let mut things = 0;
    // Not even room to begin with, and room to begin but not to end.
    for room in [0, 64 << 10] {
        file.set_len(file.metadata().unwrap().len() - room).unwrap();
        let why = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77)).unwrap_err();
        assert!(matches!(why, StoreError::DiskFull { .. }), "{why:?}");
        let (store, shown) = Store::look(&disk.cache(), "malta", why.clone()).unwrap();
        things = shown.things.len();
        assert!((200..300).contains(&things), "{things} of 300 things");
        assert_eq!((shown.latest.len(), shown.last_seq, shown.installation), (1, 2_000, 4711));
        assert_eq!(commit(&store, vec![thing(999, "x")]), Err(why));
        assert_eq!(count(&store), 2_000, "what a chart reads is not damaged");
        assert!(!Store::may_be_written(&disk.cache()), "there is no room to try again in");
        block_on(store.close()).unwrap();
        assert!(std::fs::read(disk.cache()).unwrap() == bytes, "it stays as it was");
        assert!(!disk.folder.path().join("malta.db.salvage").exists(), "what was begun takes no room");
    }

    drop(file);
    std::fs::remove_file(ballast).unwrap();
    // A `mount` of another test has our lock in hand from its fork until it is a program of its own.
    until("there is room, and nobody has it", || Store::may_be_written(&disk.cache()));
    let (store, restored, note) = Store::open_or_quarantine(&disk.cache(), "malta", 2, WallMs(77)).unwrap();
    let note = note.unwrap();
    assert!(std::fs::read(&note.moved_to).unwrap() == bytes, "and is kept");
    assert_eq!((restored.things.len(), restored.stats.samples), (things, 2_000), "{note}");
    assert_eq!(count(&store), 2_000);
    block_on(store.close()).unwrap();
}
