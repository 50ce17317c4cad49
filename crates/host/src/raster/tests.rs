use std::fs;
use std::path::Path;

use fleetlens_tiles::Tiles;
use tempfile::TempDir;

use super::*;

fn ground() -> Ground {
    let malta = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles");
    Ground { tiles: Arc::new(Tiles::open(&malta).unwrap()), built_in: true }
}

/// A program that writes down that it ran and says what it is told to.
#[cfg(unix)]
fn program(folder: &TempDir, does: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.path().join("draws");
    let runs = folder.path().join("runs");
    fs::write(&program, format!("#!/bin/sh\ncat >/dev/null\necho run >>'{}'\n{does}\n", runs.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    program
}

/// The program draws once this file is gone.
#[cfg(unix)]
fn at_work(folder: &TempDir) -> PathBuf {
    folder.path().join("at-work")
}

#[cfg(unix)]
fn runs(folder: &TempDir) -> usize {
    fs::read_to_string(folder.path().join("runs")).unwrap_or_default().lines().count()
}

/// What [`program`] does to draw a picture: one of nothing, which is whole.
#[cfg(unix)]
const DRAWS: &str = "printf '\\211PNG\\r\\n\\032\\nIEND\\256B`\\202'";

/// What comes of it.
#[cfg(unix)]
fn picture() -> RasterAnswer {
    RasterAnswer::Picture((*b"\x89PNG\r\n\x1a\nIEND\xaeB`\x82").into())
}

const VALLETTA: &str = "/dark/14/8852/6439.png";

#[test]
fn only_a_theme_and_three_numbers_are_a_tile() {
    assert_eq!(number(VALLETTA), Some(Number { theme: Theme::Dark, z: 14, x: 8_852, y: 6_439 }));
    assert!(number("/light/0/0/0.png").is_some());
    for wrong in [
        "",
        "/dark/14/8852/6439",
        "/pink/14/8852/6439.png",
        "/14/8852/6439.png",
        "/dark/14/16384/0.png",
        "/dark/20/1/1.png",
        "/dark/200/1/1.png",
        "/dark/1/-1/0.png",
        "/dark/1/1/1/1.png",
        "/dark/../../etc/passwd.png",
    ] {
        assert_eq!(number(wrong), None, "{wrong}");
    }
}

#[test]
fn a_tile_shows_its_own_part_of_the_earth_and_nothing_else() {
    let valletta = number(VALLETTA).unwrap();
    let snapshot = valletta.snapshot(true);
    assert_eq!(snapshot.check(), Ok(()));
    let tiles = fleetlens_snapshot::frame::Frame::of(&snapshot).tiles(6, 14).unwrap();
    let numbers: Vec<_> = tiles.iter().map(|tile| (tile.z, tile.x, tile.y)).collect();
    assert_eq!(numbers, [(14, 8_852, 6_439)], "and is drawn out of one tile");
    let area = valletta.area();
    assert!((area.west_deg..area.east_deg).contains(&14.514) && (area.south_deg..area.north_deg).contains(&35.899));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_tile_is_drawn_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(&folder, DRAWS);
    let (valletta, picture) = (number(VALLETTA).unwrap(), picture());
    let rasters = Rasters::drawn_by(Some(program.clone()), folder.path(), KEPT_MAX_BYTES);
    let both = tokio::join!(rasters.draw(valletta, ground(), None), rasters.draw(valletta, ground(), None));
    assert_eq!(both, (picture.clone(), picture.clone()));
    let next = Rasters::drawn_by(Some(program.clone()), folder.path(), KEPT_MAX_BYTES);
    assert_eq!(next.draw(valletta, ground(), None).await, picture);
    assert_eq!(runs(&folder), 1, "it was drawn again");
    let other = Number { theme: Theme::Light, ..valletta };
    assert_eq!(next.draw(other, ground(), None).await, picture);
    let file = folder.path().join("other.mbtiles");
    fs::write(&file, "1").unwrap();
    assert_eq!(next.draw(valletta, ground(), Some(file.clone())).await, picture);
    fs::write(&file, "22").unwrap();
    assert_eq!(next.draw(valletta, ground(), Some(file)).await, picture);
    assert_eq!(runs(&folder), 4, "another theme, another file, and the same file written again");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_draw_nobody_is_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let valletta = number(VALLETTA).unwrap();
    let hopeless = program(&folder, "echo 'there is no driver' >&2\nexit 3");
    let rasters = Rasters::drawn_by(Some(hopeless), folder.path(), KEPT_MAX_BYTES);
    for _ in 0..3 {
        let answer = rasters.draw(valletta, ground(), None).await;
        assert_eq!(answer, RasterAnswer::Never("there is no driver".into()));
    }
    assert_eq!(runs(&folder), 1);
    let gone = Rasters::drawn_by(Some(folder.path().join("gone")), folder.path(), KEPT_MAX_BYTES);
    assert!(matches!(gone.draw(valletta, ground(), None).await, RasterAnswer::Never(_)));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_tile_that_breaks_costs_that_tile() {
    let folder = tempfile::tempdir().unwrap();
    let rasters = Rasters::drawn_by(Some(program(&folder, "exit 101")), folder.path(), KEPT_MAX_BYTES);
    let valletta = number(VALLETTA).unwrap();
    for _ in 0..2 {
        assert!(matches!(rasters.draw(valletta, ground(), None).await, RasterAnswer::Later(_)));
    }
    assert_eq!(runs(&folder), 1, "and is not tried again at once");
    let other = Number { theme: Theme::Light, ..valletta };
    assert!(matches!(rasters.draw(other, ground(), None).await, RasterAnswer::Later(_)));
    rasters.inner.queue().failed.clear();
    assert!(matches!(rasters.draw(valletta, ground(), None).await, RasterAnswer::Later(_)));
    assert_eq!(runs(&folder), 3, "later it is");
    let beyond = number("/dark/14/1/1.png").unwrap();
    assert_eq!(rasters.draw(beyond, ground(), None).await, RasterAnswer::Beyond);
    rasters.end();
    assert!(matches!(rasters.draw(valletta, ground(), None).await, RasterAnswer::Later(_)));
    assert_eq!(runs(&folder), 3, "what lies beyond the tiles is not drawn, and at the end nothing is");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_tile_that_is_being_drawn_waits_for_that() {
    let folder = tempfile::tempdir().unwrap();
    let waits = format!("while [ -e '{}' ]; do sleep 0.02; done", at_work(&folder).display());
    let draws = program(&folder, &format!("{waits}\n{DRAWS}"));
    let rasters = Rasters::drawn_by(Some(draws), folder.path(), KEPT_MAX_BYTES);
    fs::write(at_work(&folder), "").unwrap();
    let valletta = number(VALLETTA).unwrap();
    let one = tokio::spawn({
        let rasters = rasters.clone();
        async move { rasters.draw(valletta, ground(), None).await }
    });
    while runs(&folder) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let last = async {
        while rasters.inner.queue().under_way.values().all(Vec::is_empty) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fs::remove_file(at_work(&folder)).unwrap();
    };
    let (other, ()) = tokio::join!(rasters.draw(valletta, ground(), None), last);
    assert_eq!((one.await.unwrap(), other), (picture(), picture()));
    assert_eq!(runs(&folder), 1);
    assert!(rasters.inner.queue().under_way.is_empty());
}

#[tokio::test]
async fn what_was_asked_for_last_comes_first_and_what_nobody_wants_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let rasters = Rasters::drawn_by(None, folder.path(), KEPT_MAX_BYTES);
    let inner = &rasters.inner;
    let ask = |x: u32| {
        let (ear, answer) = oneshot::channel();
        let number = Number { theme: Theme::Dark, z: 14, x, y: 0 };
        assert_eq!(inner.ask(Wanted { name: x.to_string(), number, ground: ground(), ears: vec![ear] }), None);
        answer
    };
    let mut answers: Vec<_> = (0..3).map(ask).collect();
    let again = ask(0);
    drop(answers.remove(2));
    inner.queue().drawing = 1;
    let order: Vec<String> = std::iter::from_fn(|| inner.next()).map(|wanted| wanted.name).collect();
    assert_eq!(order, ["0", "1"]);
    drop(again);
    inner.queue().under_way.clear();
    let mut many: Vec<_> = (0..u32::try_from(WAITING_MAX).unwrap() + 1).map(ask).collect();
    assert_eq!(inner.queue().waiting.len(), WAITING_MAX);
    assert!(many.remove(0).try_recv().is_err(), "who waits longest goes");
}
