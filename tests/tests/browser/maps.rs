//! The base map is another one without a restart, and areas are drawn on it: what is chosen and drawn stands in the profile's file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, Card, DESKTOP};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::picture::Area;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::serve::Serve;

use super::alone;
use super::both::told;

const SOON: Duration = Duration::from_secs(30);

/// Nobody listens there: maps and areas need no broker.
const NOWHERE: &str = "mqtt://127.0.0.1:9";

/// The colour of the pictures that [`archive`] holds.
const ORANGE: [u8; 3] = [255, 140, 0];

/// As it is shown by light: a quarter less of it.
const SHOWN: [u8; 3] = [224, 138, 33];

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 256, 256);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&ORANGE.repeat(256 * 256)).unwrap();
    bytes
}

fn varint(mut value: usize, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// A PMTiles archive of one picture, which is every tile of zooms 0 to 5.
fn archive(path: &Path) {
    let picture = picture();
    let mut root = vec![1, 0];
    varint(1_365, &mut root);
    varint(picture.len(), &mut root);
    root.push(1);
    let about = br#"{"name":"Orange","attribution":"The port"}"#;
    let mut bytes = b"PMTiles\x03".to_vec();
    let mut at = 127_u64;
    for part in [root.len(), about.len(), 0, picture.len()] {
        bytes.extend(at.to_le_bytes());
        bytes.extend((part as u64).to_le_bytes());
        at += part as u64;
    }
    bytes.extend([0; 24]);
    bytes.extend([1, 1, 1, 2, 0, 5]);
    for degrees in [14.1_f64, 35.7, 14.7, 36.2] {
        bytes.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    bytes.extend([0; 9]);
    bytes.extend(root);
    bytes.extend(about);
    bytes.extend(picture);
    fs::write(path, bytes).unwrap();
}

/// How much of the map's middle has the colour of the pictures.
async fn share_of_orange(page: &Page, name: &str) -> f64 {
    let map = page.area_of(&by_testid("map")).await;
    // Where nothing is said of a fleet that is not there yet.
    let middle =
        Area { x: map.x + map.width / 10, y: map.y + map.height / 8 * 5, width: map.width / 4, height: map.height / 4 };
    page.still(300, SOON).await;
    let shown = page.screenshot(name).await;
    shown.count_of(middle, SHOWN, 45) as f64 / (middle.width * middle.height) as f64
}

async fn is_orange(page: &Page, name: &str) {
    for _ in 0..20 {
        if share_of_orange(page, name).await > 0.8 {
            return;
        }
    }
    panic!("{}: {} of the map is orange", name, share_of_orange(page, name).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_is_taken_from_a_file_and_shown_without_a_restart() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Maps", NOWHERE.into()).write(data.path());
    archive(&data.path().join("harbour.pmtiles"));
    fs::write(data.path().join("notes.mbtiles"), "where the keys are").unwrap();
    let serve = Serve::start("maps", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-maps", &serve, serve.window(), DESKTOP, "light").await else { return };
    let written = || fs::read_to_string(&file).unwrap();
    let before = written();

    page.wait_for_element(&by_testid("area-tool"), SOON).await;
    page.keys("gs").await;
    page.wait_for_text(&by_testid("map-file"), SOON, |text| text == "built in: Malta").await;
    let answer = by_testid("map-answer");
    for (path, why) in [
        ("notes.mbtiles", "is no map: neither an MBTiles nor a PMTiles file"),
        ("gone.pmtiles", "There is no tile file"),
        ("/etc/hostname", "is not in the profile's folder"),
    ] {
        page.replace(&by_testid("map-path"), path).await;
        page.click(&format!("{}:not([disabled])", by_testid("map-look"))).await;
        page.wait_for_text(&answer, SOON, |text| text.contains(why)).await;
    }
    assert_accessible(&page, "the map's settings with a wrong file").await;
    page.screenshot("maps-wrong-light-1440").await;
    told("a wrong file is one sentence");

    page.replace(&by_testid("map-path"), "harbour.pmtiles").await;
    page.click(&format!("{}:not([disabled])", by_testid("map-look"))).await;
    let facts = page
        .wait_for_text(&by_testid("map-looked-facts"), SOON, |text| text.contains("pictures (png), zoom 0 to 5"))
        .await;
    assert!(facts.contains("35.70° to 36.20° north") && facts.contains("The port"), "{facts}");
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        assert_accessible(&page, &format!("a map that could be taken, {theme}")).await;
        page.screenshot(&format!("maps-looked-{theme}-1440")).await;
    }
    page.resize(700, 900).await;
    let script = "document.querySelector('[data-testid=map-looked]').scrollIntoView({ block: 'center' })";
    page.ask::<Option<bool>>(script, Vec::new()).await;
    page.screenshot("maps-looked-light-700").await;
    page.resize(DESKTOP.0, DESKTOP.1).await;
    page.click(&by_testid("map-take")).await;
    let copy = data.path().join("maps/harbour.taken.pmtiles");
    page.wait_for_text(&by_testid("map-file"), SOON, |text| text.ends_with("maps/harbour.taken.pmtiles")).await;
    assert!(copy.is_file() && written().contains("maps/harbour.taken.pmtiles\""), "{}", written());
    page.keys("gm").await;
    is_orange(&page, "maps-raster-light-1440").await;
    page.set_theme("dark").await;
    page.still(300, SOON).await;
    page.screenshot("maps-raster-dark-1440").await;
    assert_accessible(&page, "a map of pictures").await;
    told("a map of pictures is shown without a restart");

    let opened = Browser::open_on(Card::None, "browser-maps-plain", &serve, serve.window(), DESKTOP, "light").await;
    if let Some(plain) = opened {
        plain.wait_for_text(&by_testid("plain-note"), SOON, |text| text == "Drawn without a graphics card").await;
        is_orange(&plain, "maps-raster-plain-1440").await;
        assert_eq!(plain.faults().await, Vec::<String>::new(), "something went wrong in the page");
        plain.close().await;
        told("and without a graphics card");
    }

    page.keys("gs").await;
    page.click(&by_testid("map-built-in")).await;
    page.click(&by_testid("confirm-yes")).await;
    page.wait_for_text(&by_testid("map-file"), SOON, |text| text == "built in: Malta").await;
    assert_eq!(written(), before, "the file is as it was");
    assert!(!copy.exists(), "the copy is gone with it");
    assert!(data.path().join("harbour.pmtiles").exists(), "the file it was taken from stays");
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

/// A server of pictures, `r/{z}/{x}/{y}.png`, until `gone`; everything else is not there.
fn server(gone: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let (gone, picture) = (Arc::clone(gone), Arc::new(picture()));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (gone, picture) = (Arc::clone(&gone), Arc::clone(&picture));
            std::thread::spawn(move || {
                let mut read = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while read.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && !gone.load(Ordering::SeqCst) {
                    let mut header = String::new();
                    while read.read_line(&mut header).is_ok_and(|bytes| bytes > 2) {}
                    let body: &[u8] = if line.starts_with("GET /r/") { &picture } else { b"" };
                    let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: image/png\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_of_an_address_is_shown_and_what_was_seen_stays_without_its_server() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Online", NOWHERE.into()).write(data.path());
    let gone = Arc::new(AtomicBool::new(false));
    let at = server(&gone);
    fs::write(data.path().join("settings.toml"), format!("map_hosts = [\"{at}\"]\n")).unwrap();
    let serve = Serve::start("online", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-online", &serve, serve.window(), DESKTOP, "light").await else { return };
    page.wait_for_element(&by_testid("area-tool"), SOON).await;
    page.keys("gs").await;
    let check = format!("{}:not([disabled])", by_testid("online-look"));
    for (address, why) in [
        ("the town's map".to_owned(), "address"),
        (format!("http://{at}/r/tiles.png"), "{z}"),
        (format!("http://{at}/gone/{{z}}/{{x}}/{{y}}.png"), "404"),
        ("http://127.0.0.1:9/r/{z}/{x}/{y}.png".to_owned(), "network"),
    ] {
        page.replace(&by_testid("online-address"), &address).await;
        page.click(&check).await;
        let told_of = page.wait_for_text(&by_testid("online-answer"), SOON, |text| !text.is_empty()).await;
        told(&format!("{address}: {told_of}"));
        assert!(told_of.contains(why), "{address}: {told_of}");
    }
    assert_accessible(&page, "the map's settings with a wrong address").await;
    page.replace(&by_testid("online-address"), &format!("http://{at}/r/{{z}}/{{x}}/{{y}}.png?key=T0KEN")).await;
    page.replace(&by_testid("online-whose"), "The town").await;
    page.click(&check).await;
    page.wait_for_text(&by_testid("online-looked"), SOON, |text| text.contains("pictures (png)")).await;
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        let script = "document.querySelector('[data-testid=online-looked]').scrollIntoView({ block: 'end' })";
        page.ask::<Option<bool>>(script, Vec::new()).await;
        assert_accessible(&page, &format!("an address that could be used, {theme}")).await;
        page.screenshot(&format!("online-looked-{theme}-1440")).await;
    }
    page.click(&by_testid("online-take")).await;
    page.wait_for_text(&by_testid("map-file"), SOON, |text| text.contains(".online.mbtiles")).await;
    page.keys("gm").await;
    is_orange(&page, "online-raster-light-1440").await;

    // What was seen is there without its server, also in a page that begins anew.
    gone.store(true, Ordering::SeqCst);
    page.ask::<()>("location.reload()", Vec::new()).await;
    page.wait_for_element(&by_testid("area-tool"), SOON).await;
    is_orange(&page, "online-without-its-server-1440").await;
    page.keys("gs").await;
    page.wait_for_element(&by_testid("online-kept"), SOON).await;
    page.screenshot("online-kept-light-1440").await;
    assert!(!fs::read_to_string(&file).unwrap().contains("T0KEN"), "a key stands in no profile");
    page.close().await;
    serve.close().await;
}

/// A circle that a rule names.
const YARD: &str = "\n[[area]]\nname = \"yard\"\nmiddle = [14.5, 35.88]\nradius_m = 400\n\n\
                    [[alarm]]\nid = \"astray\"\nkind = \"vehicle\"\nwhen = \"!inside(\\\"yard\\\")\"\nwhat_to_do = \"call the driver\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_area_is_drawn_saved_changed_and_deleted() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let file = ProfileText::new("Areas", NOWHERE.into()).write(data.path());
    let before = format!("{}{YARD}", fs::read_to_string(&file).unwrap());
    fs::write(&file, &before).unwrap();
    let serve = Serve::start("areas", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-areas", &serve, serve.window(), DESKTOP, "dark").await else { return };
    let written = || fs::read_to_string(&file).unwrap();
    let row = |name: &str| format!("{}[data-area={name}]", by_testid("area-row"));
    let corners =
        |count: usize| {
            let script = "return document.querySelectorAll('[data-testid=area-corner]').length";
            let page = &page;
            async move {
                page.wait_for("the corners", SOON, script, |there: usize| {
                    if there == count { Ok(()) } else { Err(there.to_string()) }
                })
                .await;
            }
        };

    page.wait_for_element(&by_testid("area-tool"), SOON).await;
    page.still(300, SOON).await;
    let map = page.area_of(&by_testid("map")).await;
    let at = |x: f64, y: f64| (map.x as f64 + x * map.width as f64, map.y as f64 + y * map.height as f64);
    page.click(&by_testid("area-tool")).await;
    page.wait_for_text(&by_testid("area-hint"), SOON, |text| text.starts_with("Click its corners")).await;
    let places = [(0.45, 0.3), (0.7, 0.32), (0.68, 0.6), (0.44, 0.62), (0.3, 0.9)];
    for (nth, (x, y)) in places.into_iter().enumerate() {
        let (x, y) = at(x, y);
        page.click_at(x, y).await;
        corners(nth + 1).await;
    }
    page.keys("\u{e003}").await;
    corners(4).await;
    page.screenshot("areas-open-dark-1440").await;
    page.keys("\u{e007}").await;
    page.wait_for_text(&by_testid("area-hint"), SOON, |text| text.starts_with("Drag a corner")).await;
    let (x, y) = at(0.5, 0.8);
    page.click_at(x, y).await;
    corners(4).await;
    told("clicks add corners, Backspace takes the last one, Enter closes");

    page.type_into(&by_testid("area-name"), "quay").await;
    let first = page.middle_of(&by_testid("area-corner")).await;
    page.drag(&[first, (first.0 - 30.0, first.1 - 20.0), (first.0 - 60.0, first.1 - 40.0)], false).await;
    let middle = page.middle_of(&by_testid("area-middle")).await;
    page.drag(&[middle, (middle.0, middle.1 - 20.0), (middle.0, middle.1 - 50.0)], false).await;
    corners(5).await;
    let text = "return document.querySelector('[data-testid=area-corners]').value";
    let good: String = page.ask(text, Vec::new()).await;
    assert_eq!(good.lines().count(), 5, "{good}");
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        assert_accessible(&page, &format!("an area that is drawn, {theme}")).await;
        page.screenshot(&format!("areas-drawn-{theme}-1440")).await;
    }
    let mut lines: Vec<&str> = good.lines().collect();
    lines.swap(1, 3);
    page.replace(&by_testid("area-corners"), &lines.join("\n")).await;
    page.wait_for_text(&by_testid("area-mistake"), SOON, |text| text.starts_with("The area crosses itself")).await;
    assert_eq!(page.count(&format!("{}[disabled]", by_testid("area-save"))).await, 1, "it is not saved");
    page.screenshot("areas-crossing-dark-1440").await;
    page.replace(&by_testid("area-corners"), &good).await;
    page.wait_until_gone(&by_testid("area-mistake"), SOON).await;
    told("corners are dragged and written, and an area that crosses itself is told");

    page.click(&format!("{}:not([disabled])", by_testid("area-save"))).await;
    page.wait_for_text(&row("quay"), SOON, |text| text.contains("5 corners") && text.contains("no rule")).await;
    let kept = written();
    assert!(kept.starts_with(before.split("[[alarm]]").next().unwrap()), "what was there stays: {kept}");
    assert!(kept.contains("name = \"quay\"\ncorners = [\n    [14."), "{kept}");
    page.still(300, SOON).await;
    for theme in ["light", "dark"] {
        page.set_theme(theme).await;
        page.still(300, SOON).await;
        page.screenshot(&format!("areas-kept-{theme}-1440")).await;
    }
    told("an area is kept in the profile's file");

    let opened = Browser::open_on(Card::None, "browser-areas-plain", &serve, serve.window(), DESKTOP, "light").await;
    if let Some(plain) = opened {
        is_drawn_on_a_plain_map(&plain).await;
        assert_eq!(plain.faults().await, Vec::<String>::new(), "something went wrong in the page");
        plain.close().await;
        told("and shown and drawn without a graphics card, where a double click closes it");
    }

    page.click(&format!("{}[aria-label='Change quay']", by_testid("area-change"))).await;
    page.wait_for_text(&by_testid("area-hint"), SOON, |text| text.starts_with("Drag a corner")).await;
    let first = good.lines().next().unwrap();
    let (lat, lon) = first.split_once(", ").unwrap();
    let moved = good.replacen(first, &format!("{:.6}, {lon}", lat.parse::<f64>().unwrap() + 0.0001), 1);
    page.replace(&by_testid("area-corners"), &moved).await;
    page.click(&format!("{}:not([disabled])", by_testid("area-save"))).await;
    page.wait_for_element(&row("quay"), SOON).await;
    page.click(&format!("{}[aria-label='Change quay']", by_testid("area-change"))).await;
    page.wait_for_element(&by_testid("area-corners"), SOON).await;
    assert_eq!(page.ask::<String>(text, Vec::new()).await, moved, "it goes on from what was saved last");
    let kept = written();
    page.replace(&by_testid("area-name"), "pier").await;
    page.click(&format!("{}:not([disabled])", by_testid("area-save"))).await;
    page.wait_for_element(&row("pier"), SOON).await;
    assert_eq!(written(), kept.replace("\"quay\"", "\"pier\""));
    told("it is changed there");

    let delete = |name: &str| format!("{}[aria-label='Delete {name}']", by_testid("area-delete"));
    page.click(&delete("yard")).await;
    page.click(&by_testid("confirm-yes")).await;
    page.wait_for_text(&by_testid("area-fault"), SOON, |text| {
        text.contains("The rule \"astray\" names the area \"yard\"")
    })
    .await;
    assert_accessible(&page, "an area that cannot be deleted").await;
    page.screenshot("areas-refused-dark-1440").await;
    page.click(&delete("pier")).await;
    page.click(&by_testid("confirm-yes")).await;
    page.wait_for_text(&by_testid("area-said"), SOON, |text| text == "The area pier is gone.").await;
    page.wait_until_gone(&row("pier"), SOON).await;
    assert_eq!(written(), before, "the file is as it was");
    told("one that a rule names stays, another goes");

    page.resize(1024, 700).await;
    page.still(300, SOON).await;
    page.screenshot("areas-list-dark-1024").await;
    page.keys("\u{e00c}").await;
    page.wait_until_gone(&by_testid("area-panel"), SOON).await;
    page.click(&by_testid("layers")).await;
    page.click(&format!("{}[data-layer=areas]", by_testid("layers-layer"))).await;
    page.still(300, SOON).await;
    page.screenshot("areas-hidden-dark-1024").await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

/// Areas are painted, and drawn, where there is no WebGL.
async fn is_drawn_on_a_plain_map(page: &Page) {
    page.wait_for_element(&by_testid("plain-note"), SOON).await;
    let painted = "const c = document.querySelector('.ground-over'); if (!c || !c.width) return 0; \
                   const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
                   let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n";
    page.wait_for("areas on the plain map", SOON, painted, |count: usize| {
        if count > 10_000 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;
    let map = page.area_of(&by_testid("map")).await;
    page.click(&by_testid("area-tool")).await;
    page.wait_for_element(&by_testid("area-hint"), SOON).await;
    let count = "return document.querySelectorAll('[data-testid=area-corner]').length";
    let is = |wanted: usize| move |there: usize| if there == wanted { Ok(()) } else { Err(there.to_string()) };
    let places = [(0.2, 0.3), (0.5, 0.32), (0.45, 0.6)];
    for (nth, (x, y)) in places.into_iter().enumerate() {
        page.click_at(map.x as f64 + x * map.width as f64, map.y as f64 + y * map.height as f64).await;
        page.wait_for("a corner", SOON, count, is(nth + 1)).await;
    }
    let zoom = "return document.querySelector('.leaflet-map-pane').style.transform";
    let before: String = page.ask(zoom, Vec::new()).await;
    for _ in 0..2 {
        page.click_at(map.x as f64 + 0.22 * map.width as f64, map.y as f64 + 0.62 * map.height as f64).await;
    }
    page.wait_for("four corners", SOON, count, is(4)).await;
    page.wait_for_text(&by_testid("area-hint"), SOON, |text| text.starts_with("Drag a corner")).await;
    assert_eq!(page.ask::<String>(zoom, Vec::new()).await, before, "the map does not come closer");
    page.screenshot("areas-plain-light-1440").await;
    page.keys("\u{e00c}").await;
    page.wait_for("no corners", SOON, count, is(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_change_nothing_has_no_control_that_does_nothing() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("maps-demo", data.path(), &[]);
    let Some(page) = Browser::open("browser-maps-demo", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;
    page.click(&by_testid("area-tool")).await;
    page.wait_for_text(&by_testid("area-locked"), SOON, |text| text.ends_with("Copy the profile to draw areas in it."))
        .await;
    assert_eq!(page.count(&by_testid("area-new")).await, 0);
    page.screenshot("areas-locked-dark-1440").await;
    assert_accessible(&page, "the areas of the demo city").await;
    page.keys("gs").await;
    page.wait_for_text(&by_testid("map-locked"), SOON, |text| text.starts_with("The demo city comes with")).await;
    assert_eq!((page.count(&by_testid("map-path")).await, page.count(&by_testid("map-built-in")).await), (0, 0));
    page.close().await;
    serve.close().await;

    let data = tempfile::tempdir().unwrap();
    let viewer = ProfileText { role: "viewer", ..ProfileText::new("Views", NOWHERE.into()) };
    let file = viewer.write(data.path());
    fs::write(&file, format!("{}{YARD}", fs::read_to_string(&file).unwrap())).unwrap();
    let serve = Serve::start("maps-viewer", data.path(), &["--profile", file.to_str().unwrap()]);
    let Some(page) = Browser::open("browser-maps-viewer", &serve, serve.window(), DESKTOP, "dark").await else {
        return;
    };
    page.wait_for_element(&by_testid("layers"), SOON).await;
    page.still(300, SOON).await;
    page.screenshot("areas-viewer-dark-1440").await;
    assert_eq!(page.count(&by_testid("area-tool")).await, 0);
    page.keys("gs").await;
    page.wait_for_element(&by_testid("settings-about"), SOON).await;
    assert_eq!(page.count(&by_testid("settings-map")).await, 0);
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
