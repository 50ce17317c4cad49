//! A map from an address: a small server with the demo city's tiles, and servers that mean no good.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fleetlens_ipc::maps::{MapAsk, MapBook, MapDone, MapFile, OnlineDraft};
use fleetlens_model::geo::LonLat;
use fleetlens_tiles::Tiles;

use super::*;
use crate::TileAnswer;

const HARBOUR: &str = "name = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n[shadows]\nenabled = true\n";

/// A picture as far as its size is read.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0\0\0\0\0";

struct Server {
    at: String,
    asked: Arc<AtomicUsize>,
    gone: Arc<AtomicBool>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let (asked, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let server = Server { at: at.clone(), asked: Arc::clone(&asked), gone: Arc::clone(&gone) };
        let tiles = Arc::new(Tiles::open(&malta()).unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if gone.load(Ordering::SeqCst) {
                    continue;
                }
                let (at, tiles, asked, gone) = (at.clone(), Arc::clone(&tiles), Arc::clone(&asked), Arc::clone(&gone));
                std::thread::spawn(move || drop(answer(&stream, &at, &tiles, &asked, &gone)));
            }
        });
        server
    }
}

fn answer(stream: &TcpStream, at: &str, tiles: &Tiles, asked: &AtomicUsize, gone: &AtomicBool) -> std::io::Result<()> {
    let (mut read, mut write) = (BufReader::new(stream), stream);
    let mut line = String::new();
    read.read_line(&mut line)?;
    while read.read_line(&mut line)? > 2 {}
    if gone.load(Ordering::SeqCst) {
        return Ok(());
    }
    asked.fetch_add(1, Ordering::SeqCst);
    assert!(line.contains("Fleetlens/"), "who asks says so: {line}");
    let path = line.split_whitespace().nth(1).unwrap().split('?').next().unwrap().to_owned();
    let tile_json = format!(
        r#"{{"tilejson":"3.0.0","name":"Town","attribution":"<b>The town</b>","tiles":["http://{at}/v/{{z}}/{{x}}/{{y}}.pbf?key=T0KEN"],"minzoom":6,"maxzoom":14,"bounds":[14.15,35.78,14.6,36.1]}}"#
    );
    let style = r#"{"version":8,"sources":{"dem":{"type":"raster-dem","url":"x"},"town":{"type":"vector","url":"town.json"}},"layers":[]}"#;
    let numbers: Vec<u32> = path.split(['/', '.']).filter_map(|part| part.parse().ok()).collect();
    let (status, body): (&str, Vec<u8>) = match (path.split('/').nth(1).unwrap(), numbers.as_slice()) {
        ("v", [z, x, y]) => match tiles.tile(*z as u8, *x, *y).unwrap() {
            Some(tile) => ("200 OK", tile),
            None => ("404 Not Found", Vec::new()),
        },
        ("r", _) => ("200 OK", PNG.to_vec()),
        ("town.json", _) => ("200 OK", tile_json.into_bytes()),
        ("style.json", _) => ("200 OK", style.into()),
        ("page", _) => ("200 OK", b"<!doctype html><p>hello".to_vec()),
        ("file", _) => ("302 Found\r\nlocation: file:///etc/passwd", Vec::new()),
        ("broken", _) => ("500 Internal Server Error", Vec::new()),
        ("noise", _) => ("200 OK", b"\xff\xff\xff\xff".to_vec()),
        ("endless", _) => {
            write.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                write.write_all(&[b'x'; 65_536])?;
            }
        }
        _ => ("404 Not Found", Vec::new()),
    };
    write!(write, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    write.write_all(&body)
}

fn malta() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles")
}

fn harbour(folder: &TempDir) -> (HostOptions, PathBuf) {
    let file = folder.path().join("harbour.toml");
    std::fs::write(&file, HARBOUR).unwrap();
    (HostOptions { profile: Some(file.clone()), demo: None, ..without_broker(folder) }, file)
}

fn draft(address: &str) -> OnlineDraft {
    let at = Some(LonLat { lon_deg: 14.51, lat_deg: 35.9 });
    OnlineDraft { address: address.into(), attribution: String::new(), at }
}

async fn map(window: &mut TestWindow<'_>, number: u32, ask: MapAsk) -> Result<MapDone, Fault> {
    match window.ask(number, Intent::Map(ask)).await? {
        Done::Map(done) => Ok(done),
        other => panic!("{other:?}"),
    }
}

async fn looked(window: &mut TestWindow<'_>, number: u32, address: &str) -> Result<MapFile, String> {
    match map(window, number, MapAsk::LookAt(draft(address))).await {
        Ok(MapDone::Looked(file)) => Ok(*file),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err(fault.message),
    }
}

async fn book(window: &mut TestWindow<'_>, number: u32) -> MapBook {
    let Ok(MapDone::Book(book)) = map(window, number, MapAsk::Read).await else { panic!("no map") };
    *book
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_of_an_address_is_shown_kept_and_there_without_a_network() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (options, file) = harbour(&folder);
    let host = started(options.clone()).await;
    let mut window = TestWindow::open(&host).await;
    let at = &server.at;
    for (number, address, tiles, max_zoom) in [
        (1, format!("http://{at}/r/{{z}}/{{x}}/{{y}}.png?key=T0KEN"), "png", 19),
        (2, format!("http://{at}/v/{{z}}/{{x}}/{{y}}.pbf"), "vector", 14),
        (3, format!("http://{at}/town.json"), "vector", 14),
        (4, format!("http://{at}/style.json?key=T0KEN"), "vector", 14),
    ] {
        let seen = looked(&mut window, number, &address).await.unwrap();
        assert_eq!((seen.tiles.as_str(), seen.max_zoom, &seen.container), (tiles, max_zoom, at), "{address}");
        assert_eq!(seen.attribution, if number > 2 { "The town" } else { "" });
    }
    assert_eq!(map(&mut window, 5, MapAsk::UseAt(draft(&format!("http://{at}/style.json")))).await, Ok(MapDone::Taken));
    window.begin_again(1).await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(".online.mbtiles\"") && !text.contains("T0KEN"), "{text}");
    let before = server.asked.load(Ordering::SeqCst);
    let first = host.tile_of("/14/8852/6439").await;
    assert!(matches!(&first, TileAnswer::Tile { bytes, .. } if bytes.len() > 100), "{first:?}");
    assert_eq!(host.tile_of("/14/8852/6439").await, first);
    assert_eq!(server.asked.load(Ordering::SeqCst), before + 1, "it is fetched once");
    assert_eq!(host.tile_of("/14/1/1").await, TileAnswer::Beyond);
    let shown = book(&mut window, 6).await.online.unwrap();
    assert!(shown.host == *at && shown.kept > 100 && shown.fault.is_none(), "{shown:?}");
    host.stop().await;

    server.gone.store(true, Ordering::SeqCst);
    let host = started(options).await;
    assert_eq!(host.tile_of("/14/8852/6439").await, first, "what was seen is there without the server");
    let other = host.tile_of("/14/8853/6439").await;
    assert!(matches!(other, TileAnswer::Later(_)), "{other:?}");
    let mut window = TestWindow::open(&host).await;
    assert!(book(&mut window, 1).await.online.unwrap().fault.unwrap().contains(at.as_str()));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_map_is_a_sentence_and_a_key_is_in_none() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let host = started(harbour(&folder).0).await;
    let mut window = TestWindow::open(&host).await;
    let at = &server.at;
    for (number, address, says) in [
        (1, "ftp://h/{z}/{x}/{y}?key=T0KEN".to_owned(), "neither https:// nor http://"),
        (2, format!("http://{at}/{{z}}/{{x}}.png?key=T0KEN"), "not all of {z}, {x} and {y}"),
        (3, format!("http://{at}/page?key=T0KEN"), "There is a page at this address"),
        (4, format!("http://{at}/page/{{z}}/{{x}}/{{y}}?key=T0KEN"), "a page instead of tiles"),
        (5, format!("http://{at}/file/{{z}}/{{x}}/{{y}}?key=T0KEN"), "sends elsewhere"),
        (6, format!("http://{at}/broken/{{z}}/{{x}}/{{y}}?key=T0KEN"), "answers 500"),
        (7, format!("http://{at}/noise/{{z}}/{{x}}/{{y}}?key=T0KEN"), "cannot be drawn"),
        (8, format!("http://{at}/endless/{{z}}/{{x}}/{{y}}?key=T0KEN"), "sends more than 4194304 bytes"),
        (9, format!("http://{at}/gone.json?key=T0KEN"), "has nothing at this address (404)"),
        (10, "http://127.0.0.1:9/{z}/{x}/{y}?key=T0KEN".to_owned(), "cannot be reached"),
        (11, "nonsense T0KEN".to_owned(), "cannot be read"),
    ] {
        let why = looked(&mut window, number, &address).await.unwrap_err();
        assert!(why.contains(says) && !why.contains("T0KEN"), "{address}: {why}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_nobody_looks_round_in_this_network() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (options, _) = harbour(&folder);
    let options = HostOptions { served: true, ..options };
    let host = started(options.clone()).await;
    let mut window = TestWindow::open(&host).await;
    let port = server.at.rsplit_once(':').unwrap().1;
    for (number, place) in [(1, "127.0.0.1"), (2, "localhost"), (3, "[::ffff:127.0.0.1]"), (4, "0x7f.1")] {
        let why = looked(&mut window, number, &format!("http://{place}:{port}/town.json")).await.unwrap_err();
        assert!(why.contains("is in the network of the machine"), "{place}: {why}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0, "nobody came");
    host.stop().await;

    let allowed = format!("map_hosts = [{:?}]\n", server.at);
    std::fs::write(options.data_dir.join("settings.toml"), allowed).unwrap();
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    assert!(looked(&mut window, 1, &format!("http://{}/town.json", server.at)).await.is_ok());
    host.stop().await;
}
