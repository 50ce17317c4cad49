//! The program is a shell script here; the real one is looked at by `tests/tests/alert.rs`.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, ThingKey};
use tempfile::TempDir;
use tokio::time::timeout_at;

use super::*;

/// Longer than a script needs on a machine that compiles something at the same time.
const LONG: Duration = Duration::from_secs(60);

/// A script's picture: what begins like one.
const DRAWS: &str = r"cat >/dev/null; printf '\211PNG\r\n\032\n'";

fn pictures(folder: &TempDir, script: &str, within: Duration) -> Pictures {
    let program = folder.path().join("program");
    fs::write(&program, format!("#!/bin/sh\necho x >>'{}/calls'\n{script}\n", folder.path().display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Pictures::drawn_by(Some(program), folder.path(), within)
}

fn calls(folder: &TempDir) -> usize {
    fs::read_to_string(folder.path().join("calls")).map(|calls| calls.lines().count()).unwrap_or_default()
}

fn ground() -> Ground {
    let malta = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles");
    Ground { tiles: Arc::new(Tiles::open(&malta).unwrap()), built_in: true }
}

fn place(lon_deg: f64, lat_deg: f64) -> AlertPlace {
    AlertPlace { at: LonLat { lon_deg, lat_deg }, priority: Priority::Critical }
}

fn alert(places: Vec<AlertPlace>) -> Alert {
    Alert { alarm: AlarmId(1), thing: ThingKey(1), title: String::new(), body: String::new(), places }
}

async fn drawn(pictures: &Pictures, places: Vec<AlertPlace>) -> Option<PathBuf> {
    let until = Instant::now() + pictures.within;
    timeout_at(until, pictures.draw(&alert(places), &ground(), Theme::Light, until)).await.ok().flatten()
}

#[tokio::test]
async fn pictures_take_turns_in_a_few_files_of_their_owner_and_go_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(&folder, DRAWS, LONG);
    let mut files = Vec::new();
    for _ in 0..=FILES {
        files.push(drawn(&pictures, vec![place(14.5, 35.9)]).await.expect("a picture"));
    }
    assert!(files[0].is_absolute() && files[0] != files[1] && files[0] == files[FILES], "{files:?}");
    for file in &files {
        assert_eq!(fs::read(file).unwrap(), b"\x89PNG\r\n\x1a\n");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let kept = folder.path().join(FOLDER);
    fs::write(kept.join("mine.png"), "somebody's").unwrap();
    assert_eq!(fs::read_dir(&kept).unwrap().count(), FILES + 1);
    Pictures::new(folder.path()).clear().await;
    let left: Vec<_> = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mine.png"]);
}

#[tokio::test]
async fn where_nothing_draws_nobody_is_asked_again_and_any_other_failure_costs_one_picture() {
    for (script, want) in [("exit 3", 1), ("exit 101", 2), ("echo no picture", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let pictures = pictures(&folder, script, LONG);
        for _ in 0..2 {
            assert_eq!(drawn(&pictures, vec![place(14.5, 35.9)]).await, None, "{script}");
        }
        assert_eq!(calls(&folder), want, "{script}");
    }
    let folder = tempfile::tempdir().unwrap();
    let nobody = Pictures::drawn_by(Some(folder.path().join("not-there")), folder.path(), LONG);
    assert_eq!(drawn(&nobody, vec![place(14.5, 35.9)]).await, None);
}

#[tokio::test]
async fn a_picture_that_hangs_is_not_waited_for_and_those_behind_it_neither() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(&folder, "exec sleep 1000", Duration::from_millis(300));
    let start = Instant::now();
    let one = || drawn(&pictures, vec![place(14.5, 35.9)]);
    assert_eq!(tokio::join!(one(), one(), one()), (None, None, None));
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    // The one that was drawn is ended before the next has its turn.
    pictures.clear().await;
    assert_eq!(calls(&folder), 1, "the others' time was over when their turn came");
}

#[tokio::test]
async fn what_is_not_on_the_map_is_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures(&folder, DRAWS, LONG);
    assert_eq!(drawn(&pictures, vec![]).await, None, "nobody knows where");
    assert_eq!(drawn(&pictures, vec![place(13.4, 52.5)]).await, None, "Berlin");
    assert_eq!(calls(&folder), 0);
    let places = [place(14.5, 35.9), place(13.4, 52.5), place(14.4, 35.8)];
    let snapshot = snapshot_of(&places, &ground(), Theme::Dark).unwrap();
    let marks: Vec<_> = snapshot.marks.iter().map(|mark| (mark.lon_deg, mark.sign)).collect();
    assert_eq!(marks, [(14.4, Sign::Critical), (14.5, Sign::Critical)], "the first on top");
    assert_eq!((snapshot.theme, snapshot.sea_around, snapshot.check()), (Theme::Dark, true, Ok(())));
    assert!(snapshot.attribution.unwrap().contains("OpenStreetMap"));
}
