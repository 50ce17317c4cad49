//! A critical alarm is told by the desktop itself, with a small map of where it is, and choosing it opens the thing; the tray says how
//! many alarms need a person: over D-Bus, with the real app, and a notification server and a tray of the test's own.
#![cfg(test)]

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_snapshot::{Mark, Sign, Snapshot, SnapshotError, Theme, draw_within};

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::display::Display;
use fleetlens_tests::notices::{Notice, Notices};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use fleetlens_tests::profile::{ProfileText, fire, full};
use fleetlens_tests::tray::Tray;
use fleetlens_tests::wait::until;
use fleetlens_tests::window::Window;
use fleetlens_tiles::Tiles;
use serde_json::json;

/// How long the app may take from a message to a notification.
const SOON: Duration = Duration::from_secs(30);

/// The dark theme's land and its mark of a critical alarm (`snapshot-draw/src/palette.rs`).
const LAND: [u8; 3] = [0x16, 0x1c, 0x23];
const CRITICAL: [u8; 3] = [0xef, 0x5a, 0x5a];

/// How large a notification's picture is (`host/src/pictures.rs`).
const SIZE: (u32, u32) = (400, 240);

/// How many alarms may come without their picture: the app waits two seconds for one, and the machine may be busy.
const CHANCES: usize = 8;

/// A rule whose alarm needs a person at once, and one that does not.
fn rules() -> String {
    fire("") + full("").as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_alarm_is_told_by_the_desktop_and_opens_its_thing() {
    let Some(broker) = Mosquitto::start("alert") else { return };
    let Some(display) = Display::open("alert", 1600, 1000) else { return };
    let Some(bus) = display.bus() else { return };
    let (notices, tray) = (Notices::start(bus).await, Tray::start(bus).await);
    let folder = tempfile::tempdir().unwrap();
    let profile = ProfileText::new("Alert", broker.url());
    let file = folder.path().join("profile.toml");
    std::fs::write(&file, profile.toml() + rules().as_str()).unwrap();
    let data = folder.path().join("data");
    let arguments = ["--profile", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let Some(window) = Window::open("alert", "fleetlens-desktop", &display, arguments).await else { return };
    let bins = Peer::connect(&broker.url(), "alert-bins", &[]).await;
    for (name, title) in [("bin-1", "Bin <one>"), ("bin-2", "Bin two")] {
        let meta = json!({ "kind": "bin", "name": title, "lat": 35.9, "lon": 14.5, "interval_s": 600 });
        bins.publish_retained(&format!("city/west/bin/{name}/meta"), meta.to_string()).await;
    }
    let say = async |name: &str, values: serde_json::Value| {
        bins.publish(&format!("city/west/bin/{name}/telemetry"), json!({ "values": values }).to_string()).await;
    };
    window.wait_until_live().await;
    let icon = tray.item(SOON).await;
    icon.wait_for(SOON, "no alarm needs a person").await;
    let plain = icon.picture().await;
    assert_eq!(plain.2.len(), usize::try_from(plain.0 * plain.1 * 4).unwrap());
    // What is not critical comes first: had it been told, it would stand before the other.
    say("bin-2", json!({ "fill_pct": 97, "temp_c": 20 })).await;
    say("bin-1", json!({ "fill_pct": 10, "temp_c": 71.5 })).await;
    let notice = notices.wait_for("a notification", SOON, |notice| notice.program == "Fleetlens").await;
    assert_eq!((notice.summary.as_str(), notice.urgency), ("Bin <one> is burning", Some(2)), "{notice:?}");
    assert!(notice.body.contains("call the fire brigade") && notice.body.contains("71.5"), "{notice:?}");
    assert_eq!(notice.actions.first().map(String::as_str), Some("default"));

    icon.wait_for(SOON, "2 alarms need a person, the worst: critical").await;
    let (.., badged) = icon.picture().await;
    assert!(badged.len() == plain.2.len() && badged.chunks(4).any(|pixel| pixel[1..] == CRITICAL), "no badge");
    icon.click().await;

    // The app listens for the choice a moment after it has shown, which nobody outside can see; a person is slower than that.
    until("the bin on the screen", SOON, async || {
        notices.choose(&notice).await;
        let title = window.text("title").await;
        if title.as_deref() == Some("Bin <one>") { Ok(()) } else { Err(format!("{title:?}")) }
    })
    .await;
    window.screenshot("alert").await;
    // Still burning is not news.
    say("bin-1", json!({ "temp_c": 72.5 })).await;
    say("bin-2", json!({ "temp_c": 65 })).await;
    notices.wait_for("the other bin's", SOON, |notice| notice.summary == "Bin two is burning").await;
    assert_eq!(notices.shown().len(), 2, "{:?}", notices.shown());
    bins.leave().await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_shows_where_it_is_on_a_small_map() {
    if !draws() {
        return;
    }
    let Some(broker) = Mosquitto::start("alert-map") else { return };
    let Some(display) = Display::open("alert-map", 1200, 800) else { return };
    let Some(bus) = display.bus() else { return };
    let notices = Notices::start(bus).await;
    let program = place::program("fleetlens-desktop");
    let Some((window, folder)) = open("alert-map", &program, &broker, &display).await else { return };
    let bins = Peer::connect(&broker.url(), "alert-map-bins", &[]).await;
    describe(&bins, "fire-0", "Fire 0").await;
    window.wait_until_live().await;
    let mut drawn = None;
    for chance in 0..CHANCES {
        let notice = burn(&bins, &notices, chance).await;
        drawn = notice.picture.map(|picture| (chance, picture));
        if drawn.is_some() {
            break;
        }
    }
    let (chance, uri) = drawn.unwrap_or_else(|| panic!("no notification has a picture: {:?}", notices.shown()));
    let file = PathBuf::from(uri.strip_prefix("file://").unwrap_or_else(|| panic!("{uri} is no file's URI")));
    assert!(file.starts_with(folder.path()), "{uri}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{uri}");
    std::fs::copy(&file, place::results().join("alert-map.png")).unwrap();
    let picture = Picture::read(&file);
    assert_eq!((picture.width, picture.height), SIZE);
    // The place of the one thing is the picture's middle; far from it is no mark.
    let share = |left, right, colour| picture.share(left..right, colour);
    assert_eq!(picture.at(200, 120), CRITICAL, "alarm {chance}");
    assert!(share(180, 220, CRITICAL) > 0.005, "{}", share(180, 220, CRITICAL));
    assert_eq!((share(0, 180, CRITICAL), share(220, 400, CRITICAL)), (0.0, 0.0));
    assert!(share(0, 400, LAND) > 0.05, "the ground of Valletta is drawn: {}", share(0, 400, LAND));

    bins.leave().await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_what_draws_a_notification_comes_as_ever() {
    let Some(broker) = Mosquitto::start("alert-plain") else { return };
    let Some(display) = Display::open("alert-plain", 1200, 800) else { return };
    let Some(bus) = display.bus() else { return };
    let notices = Notices::start(bus).await;
    // The app alone in a folder, as if nobody had built the other program.
    let alone = tempfile::tempdir_in(place::results()).unwrap();
    let program = alone.path().join("fleetlens-desktop");
    std::fs::hard_link(place::program("fleetlens-desktop"), &program)
        .or_else(|_| std::fs::copy(place::program("fleetlens-desktop"), &program).map(drop))
        .unwrap();
    let Some((window, _folder)) = open("alert-plain", &program, &broker, &display).await else { return };
    let bins = Peer::connect(&broker.url(), "alert-plain-bins", &[]).await;
    describe(&bins, "fire-0", "Fire 0").await;
    window.wait_until_live().await;
    let notice = burn(&bins, &notices, 0).await;
    assert_eq!((notice.picture.as_deref(), notice.urgency), (None, Some(2)), "{notice:?}");
    assert!(notice.body.contains("call the fire brigade"), "{notice:?}");
    bins.leave().await;
    window.close().await;
}

/// The app on a broker with the rules, in dark, with its data in a folder of its own.
async fn open(
    name: &str,
    program: &Path,
    broker: &Mosquitto,
    display: &Display,
) -> Option<(Window, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    std::fs::write(&file, ProfileText::new("Alert", broker.url()).toml() + rules().as_str()).unwrap();
    let data = folder.path().join("data");
    let arguments = ["--profile", file.to_str()?, "--data-dir", data.to_str()?, "--theme", "dark"];
    let window = Window::open(name, program.to_str()?, display, arguments).await?;
    Some((window, folder))
}

/// Says of a bin that it stands in Valletta.
async fn describe(bins: &Peer, name: &str, title: &str) {
    let meta = json!({ "kind": "bin", "name": title, "lat": 35.8989, "lon": 14.5146, "interval_s": 600 });
    bins.publish_retained(&format!("city/west/bin/{name}/meta"), meta.to_string()).await;
}

/// A bin in Valletta that burns, and its notification.
async fn burn(bins: &Peer, notices: &Notices, number: usize) -> Notice {
    let (name, title) = (format!("fire-{number}"), format!("Fire {number}"));
    describe(bins, &name, &title).await;
    let burning = json!({ "values": { "temp_c": 71 } });
    bins.publish(&format!("city/west/bin/{name}/telemetry"), burning.to_string()).await;
    let summary = format!("{title} is burning");
    notices.wait_for(&summary, SOON, |notice| notice.summary == summary).await
}

/// Whether this machine draws at all; where it has nothing to draw with that is told as skipped. That the program is there is
/// `cargo xtask test`'s business.
fn draws() -> bool {
    let malta = Tiles::open(&place::root().join("assets/malta/malta.mbtiles")).unwrap();
    let mark = Mark { lat_deg: 35.8989, lon_deg: 14.5146, sign: Sign::Calm, label: None };
    let snapshot = Snapshot::of(vec![mark], 64, 64, Theme::Dark).unwrap();
    match draw_within(&place::program("fleetlens-snapshot"), &malta, &snapshot, SOON) {
        Ok(_) => true,
        Err(SnapshotError::NoDriver(why)) => {
            place::skip(&why);
            false
        }
        Err(error) => panic!("{error}"),
    }
}

struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<[u8; 3]>,
}

impl Picture {
    fn read(file: &Path) -> Picture {
        let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap())).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        let rgb = bytes.chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Picture { width: info.width, height: info.height, rgb }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        self.rgb[(y * self.width + x) as usize]
    }

    /// Which share of these columns has this colour.
    fn share(&self, columns: std::ops::Range<u32>, colour: [u8; 3]) -> f64 {
        let all = (0..self.height).flat_map(|y| columns.clone().map(move |x| (x, y)));
        let found = all.clone().filter(|(x, y)| self.at(*x, *y) == colour).count();
        found as f64 / all.count() as f64
    }
}
