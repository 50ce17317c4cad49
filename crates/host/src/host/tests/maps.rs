//! Another map that a window takes from a file, and areas that it keeps.

use std::path::{Path, PathBuf};

use fleetlens_ipc::maps::{AreaAsk, AreaBook, AreaDone, AreaDraft, Copying, MapAsk, MapBook, MapDone};
use fleetlens_model::geo::LonLat;

use super::*;

const HARBOUR: &str = "# ours\nname = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n\
                       [shadows]\nenabled = true\n";

/// In a folder of profiles beside the data folder, so that a copy lies outside of it.
fn harbour(folder: &TempDir, text: &str) -> (HostOptions, PathBuf) {
    let profiles = folder.path().join("ours");
    std::fs::create_dir_all(&profiles).unwrap();
    let file = profiles.join("harbour.toml");
    std::fs::write(&file, text).unwrap();
    (HostOptions { profile: Some(file.clone()), demo: None, ..without_broker(folder) }, file)
}

fn malta() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles")
}

async fn map(window: &mut TestWindow<'_>, number: u32, ask: MapAsk) -> Result<MapDone, Fault> {
    match window.ask(number, Intent::Map(ask)).await? {
        Done::Map(done) => Ok(done),
        other => panic!("{other:?}"),
    }
}

async fn book(window: &mut TestWindow<'_>, number: u32) -> MapBook {
    let Ok(MapDone::Book(book)) = map(window, number, MapAsk::Read).await else { panic!("no map") };
    *book
}

/// Takes this file, as a window does: it asks how far the copy is.
async fn take(window: &mut TestWindow<'_>, numbers: std::ops::Range<u32>, path: &str) -> Result<(), Fault> {
    let mut numbers = numbers;
    map(window, numbers.next().unwrap(), MapAsk::Import { path: path.into() }).await?;
    for number in numbers {
        match map(window, number, MapAsk::Progress).await? {
            MapDone::Copying(Copying::Done { .. }) => {
                assert_eq!(map(window, number + 500, MapAsk::Take).await, Ok(MapDone::Taken));
                return Ok(());
            }
            MapDone::Copying(Copying::Failed { why }) => return Err(Fault::new(FaultCode::Invalid, why)),
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("the copy does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_taken_named_in_the_profile_and_let_go_of() {
    let folder = tempfile::tempdir().unwrap();
    for served in [false, true] {
        let (options, file) = harbour(&folder, HARBOUR);
        let maps = options.data_dir.join("maps");
        std::fs::copy(malta(), folder.path().join("ours/town.mbtiles")).unwrap();
        let host = started(HostOptions { served, ..options }).await;
        let mut window = TestWindow::open(&host).await;
        let before = book(&mut window, 1).await;
        assert_eq!((before.file.as_ref(), before.locked.as_ref(), before.only_there), (None, None, served));
        assert_eq!(before.found, ["town.mbtiles"]);

        let elsewhere = malta().display().to_string();
        let looked = map(&mut window, 2, MapAsk::Look { path: elsewhere }).await;
        match looked {
            Ok(MapDone::Looked(seen)) => assert!(!served && seen.max_zoom == 14, "{seen:?}"),
            other => assert!(served && other.unwrap_err().message.contains("is not in the profile's folder")),
        }
        assert!(map(&mut window, 3, MapAsk::Take).await.unwrap_err().message.contains("No map has been copied"));

        take(&mut window, 10..400, "town.mbtiles").await.unwrap();
        window.begin_again(1).await;
        let copy = maps.join("town.taken.mbtiles");
        let after = std::fs::read_to_string(&file).unwrap();
        let named = whole(&copy);
        assert_eq!(after, format!("{HARBOUR}\n[map]\ntiles = {:?}\n", named.display().to_string()), "served: {served}");
        let now = book(&mut window, 401).await;
        assert_eq!((now.file, now.copying), (Some(named.display().to_string()), Copying::Not));
        assert!(matches!(host.tile_at("/14/8852/6439"), crate::TileAnswer::Tile { .. }));

        assert_eq!(map(&mut window, 402, MapAsk::BuiltIn).await, Ok(MapDone::Taken));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), HARBOUR);
        assert!(!copy.exists(), "nobody shows it any more");
        assert!(folder.path().join("ours/town.mbtiles").exists());
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_nobody_takes_is_removed_and_the_demo_keeps_its_map() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder, HARBOUR);
    let copy = options.data_dir.join(format!("maps/{}.part", std::process::id()));
    let host = started(options.clone()).await;
    let mut window = TestWindow::open(&host).await;
    let path = malta().display().to_string();
    map(&mut window, 1, MapAsk::Import { path: path.clone() }).await.unwrap();
    for number in 2..500 {
        if let Ok(MapDone::Copying(Copying::Done { .. })) = map(&mut window, number, MapAsk::Progress).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(copy.is_file());
    assert_eq!(map(&mut window, 600, MapAsk::Cancel).await, Ok(MapDone::Copying(Copying::Not)));
    assert!(!copy.exists());
    let noise = folder.path().join("noise.pmtiles");
    std::fs::write(&noise, "PMTiles\x03").unwrap();
    let fault = map(&mut window, 601, MapAsk::Import { path: noise.display().to_string() }).await.unwrap_err();
    assert!(fault.message.contains("cut off"), "{fault}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), HARBOUR);
    host.stop().await;

    let host = started(HostOptions { profile: None, ..options }).await;
    let mut window = TestWindow::open(&host).await;
    assert!(book(&mut window, 1).await.locked.unwrap().contains("comes with the program"));
    assert!(map(&mut window, 2, MapAsk::Import { path }).await.is_err());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_map_waits_for_the_first_and_who_cancels_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let (options, _) = harbour(&folder, HARBOUR);
    let maps = options.data_dir.join("maps");
    // So long that it is still copied when the next one comes.
    let long = folder.path().join("ours/long.mbtiles");
    std::fs::copy(malta(), &long).unwrap();
    std::fs::File::options().write(true).open(&long).unwrap().set_len(1 << 30).unwrap();
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    map(&mut window, 1, MapAsk::Import { path: "long.mbtiles".into() }).await.unwrap();
    let fault = map(&mut window, 2, MapAsk::Import { path: malta().display().to_string() }).await.unwrap_err();
    assert!(fault.message.starts_with("Another map is being copied"), "{fault}");
    let going = map(&mut window, 3, MapAsk::Progress).await;
    assert!(matches!(going, Ok(MapDone::Copying(Copying::Going { .. }))), "nobody ended it: {going:?}");
    map(&mut window, 4, MapAsk::Cancel).await.unwrap();
    for number in 5..2_000 {
        if let Ok(MapDone::Copying(Copying::Failed { why })) = map(&mut window, number, MapAsk::Progress).await {
            assert_eq!(why, crate::maps::ENDED);
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(map(&mut window, 3_000, MapAsk::Take).await.is_err());
    assert_eq!(std::fs::read_dir(maps).unwrap().count(), 0);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_a_person_laid_into_the_folder_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder, HARBOUR);
    let laid = options.data_dir.join("maps/port.mbtiles");
    std::fs::create_dir_all(laid.parent().unwrap()).unwrap();
    std::fs::copy(malta(), &laid).unwrap();
    std::fs::write(&file, format!("{HARBOUR}\n[map]\ntiles = {:?}\n", laid.display().to_string())).unwrap();
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(map(&mut window, 1, MapAsk::BuiltIn).await, Ok(MapDone::Taken));
    assert!(laid.exists() && std::fs::read_to_string(&file).unwrap() == HARBOUR);
    host.stop().await;
}

async fn areas(window: &mut TestWindow<'_>, number: u32, ask: AreaAsk) -> Result<AreaDone, Fault> {
    match window.ask(number, Intent::Areas(ask)).await? {
        Done::Areas(done) => Ok(done),
        other => panic!("{other:?}"),
    }
}

async fn area_book(window: &mut TestWindow<'_>, number: u32) -> AreaBook {
    let Ok(AreaDone::Book(book)) = areas(window, number, AreaAsk::Read).await else { panic!("no areas") };
    *book
}

fn keep(name: &str, replaces: Option<&str>) -> AreaAsk {
    let corners = [(14.5, 35.88), (14.52, 35.88), (14.51, 35.9)];
    let corners = corners.map(|(lon_deg, lat_deg)| LonLat { lon_deg, lat_deg }).into();
    AreaAsk::Keep(Box::new(AreaDraft { replaces: replaces.map(str::to_owned), name: name.into(), corners }))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_is_kept_and_one_that_a_rule_names_neither_goes_nor_changes_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let rule =
        "\n[[alarm]]\nid = \"astray\"\nkind = \"vehicle\"\nwhen = \"!inside(\\\"quay\\\")\"\nwhat_to_do = \"call\"\n";
    let (options, file) = harbour(&folder, HARBOUR);
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(areas(&mut window, 1, keep("quay", None)).await, Ok(AreaDone::Kept));
    window.begin_again(1).await;
    let known = area_book(&mut window, 2).await;
    let seen: Vec<_> = known.areas.iter().map(|row| (row.name.as_str(), row.drawn, row.rules.len())).collect();
    assert_eq!((seen, known.locked), (vec![("quay", true, 0)], None));
    host.stop().await;

    let text = std::fs::read_to_string(&file).unwrap() + rule;
    let (options, file) = harbour(&folder, &text);
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(area_book(&mut window, 1).await.areas[0].rules, ["astray"]);
    for (number, ask) in [(2, AreaAsk::Remove { name: "quay".into() }), (3, keep("pier", Some("quay")))] {
        let fault = areas(&mut window, number, ask).await.unwrap_err();
        assert!(fault.message.starts_with("the rule \"astray\" names the area \"quay\""), "{fault}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing was written");
    assert_eq!(areas(&mut window, 4, keep("quay", Some("quay"))).await, Ok(AreaDone::Kept));
    window.begin_again(1).await;
    assert_eq!(areas(&mut window, 5, keep("pier", None)).await, Ok(AreaDone::Kept));
    window.begin_again(2).await;
    assert_eq!(areas(&mut window, 6, AreaAsk::Remove { name: "pier".into() }).await, Ok(AreaDone::Kept));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "as it was");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_steer_sees_areas_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let area = "\n[[area]]\nname = \"quay\"\nmiddle = [14.5, 35.9]\nradius_m = 300\n";
    let (options, file) = harbour(&folder, &format!("{}{area}", HARBOUR.replace("operator", "viewer")));
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    let known = area_book(&mut window, 1).await;
    assert!(known.areas.len() == 1 && known.locked.is_some() && !known.areas[0].drawn, "{known:?}");
    for (number, ask) in [(2, keep("pier", None)), (3, AreaAsk::Remove { name: "quay".into() })] {
        assert_eq!(areas(&mut window, number, ask).await.unwrap_err().code, FaultCode::Forbidden);
    }
    let path = malta().display().to_string();
    for (number, ask) in [(4, MapAsk::Read), (5, MapAsk::Look { path: path.clone() }), (6, MapAsk::Import { path })] {
        assert_eq!(map(&mut window, number, ask).await.unwrap_err().code, FaultCode::Forbidden);
    }
    host.stop().await;
    let text = std::fs::read_to_string(&file).unwrap().replace("viewer", "driver");
    let host = started(harbour(&folder, &text).0).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(areas(&mut window, 1, AreaAsk::Read).await.unwrap_err().code, FaultCode::Forbidden);
    host.stop().await;
}
