//! The examples that FIWARE's smart data models come with, in every form, and ThingsBoard's; lists of car parks as cities keep them.

use std::path::Path;

use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use fleetlens_tests::place;
use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::registry::{Column, Columns, read_geojson};
use fleetlens_wire::telemetry::{Reading, Shape, Telemetry, Whose, decode};
use fleetlens_wire::time::Zone;
use serde_json::Value as Json;

/// When the samples came.
const NOW: WallMs = WallMs(1_790_000_000_000);

/// Every file below `models/*/*/examples`: its model and form, and its text.
fn examples(models: &Path) -> Vec<(String, String, String)> {
    let below = |folder: &Path| -> Vec<_> {
        let mut all: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    };
    let mut examples = Vec::new();
    for model in below(models).iter().flat_map(|group| below(group)) {
        let folder = model.join("examples");
        for file in folder.is_dir().then(|| below(&folder)).into_iter().flatten() {
            let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
            examples.push((name(&model), name(&file), std::fs::read_to_string(&file).unwrap()));
        }
    }
    examples
}

#[test]
fn the_examples_of_the_data_models_are_read_in_every_form() {
    let Some(models) = place::data("interop/fiware") else { return };
    // Some of them leave out the offset of a time.
    let zone = Zone::parse("Etc/UTC").ok();
    let reading = Reading { shape: Shape::Fiware, whose: Whose::Shape, zone, ..Reading::default() };
    let mut read = 0;
    for (model, form, text) in examples(&models) {
        let said = decode(text.as_bytes(), &reading, NOW);
        if form.contains("geojsonfeature") {
            assert!(said.unwrap_err().to_string().contains("keyValues, not GeoJSON"), "{model} {form}");
            continue;
        }
        let said = said.unwrap_or_else(|error| panic!("{model}, {form}: {error}")).remove(0);
        assert!(said.thing.is_some() && !said.values.is_empty(), "{model}, {form}: {said:?}");
        let number = |pointer: &str| said.values.iter().find(|(at, _)| at == pointer).and_then(|(_, v)| v.as_number());
        match model.as_str() {
            "OffStreetParking" => {
                assert_eq!((number("/free"), said.about.capacity), (Some(132.0), Some(414)), "{form}");
                assert_eq!(said.about.title.as_deref(), Some("Parque de estacionamento Trindade"), "{form}");
                let at = (said.about.lat_deg, said.about.lon_deg);
                assert_eq!(at, (Some(41.150691773), Some(-8.60961198807)), "{form}");
                assert_eq!(said.claimed, Some(WallMs(1_615_477_862_000)), "{form}");
            }
            "OnStreetParking" | "ParkingSpot" => assert!(number("/free").is_some(), "{form}: {said:?}"),
            "WasteContainer" => assert_eq!(said.about.kind, Some(Kind::Bin), "{form}"),
            "Streetlight" => assert_eq!((said.about.kind, number("/on")), (Some(Kind::Lamp), Some(0.0)), "{form}"),
            "Vehicle" => {
                assert_eq!((said.about.kind, number("/speed_kmh")), (Some(Kind::Vehicle), Some(50.0)), "{form}")
            }
            _ => {}
        }
        read += 1;
    }
    assert!(read >= 30, "{read}");
}

#[test]
fn thingsboards_payloads_are_read_with_and_without_a_time() {
    let Some(samples) = place::data_text("interop/payload_samples.json") else { return };
    let samples: Vec<Json> = serde_json::from_str(&samples).unwrap();
    let sample = samples.iter().find(|sample| sample["system"] == "thingsboard").unwrap();
    let payloads = sample["payloads"].as_array().unwrap();
    let bare = Reading::default();
    let pointer = |text| Pointer::parse(text).unwrap();
    let timed = Reading { envelope: pointer("/values"), time: Some(pointer("/ts")), ..Reading::default() };
    let one = |payload: &Json, reading: &Reading| -> Telemetry {
        decode(payload.to_string().as_bytes(), reading, NOW).unwrap().remove(0)
    };
    let named = |name: &str, value| (name.to_owned(), value);
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(
        one(&payloads[0], &bare).values,
        [
            named("/key1", text("value1")),
            named("/key2", Value::Flag(true)),
            named("/key3", Value::Number(3.0)),
            named("/key4", Value::Number(4.0)),
        ]
    );
    let said = one(&payloads[1], &timed);
    assert_eq!(said.claimed, Some(WallMs(1_451_649_600_512)));
    assert_eq!(said.values, [named("/key1", text("value1")), named("/key2", text("value2"))]);
}

#[test]
fn lists_of_car_parks_that_cities_keep_are_registries_as_they_are() {
    let Some(lots) = place::data("parking/lots/original") else { return };
    let columns = Columns::from([(Column::Street, "address".to_owned())]);
    let (mut things, mut placed, mut counted, mut unread) = (0, 0, 0, Vec::new());
    for file in lots.read_dir().unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match read_geojson(std::fs::File::open(&file).unwrap(), &columns) {
            Ok(registry) => {
                assert_eq!(registry.mistakes().collect::<Vec<_>>(), [""; 0], "{name}");
                things += registry.things().len();
                placed += registry.things().filter(|(_, about)| about.lat_deg.is_some()).count();
                counted += registry.things().filter(|(_, about)| about.capacity.is_some()).count();
            }
            Err(error) => unread.push(format!("{name}: {error}")),
        }
    }
    assert!(things > 300 && placed > things * 9 / 10 && counted > things / 2, "{things}, {placed}, {counted}");
    // One of them is no JSON, and says where.
    assert_eq!(unread, ["ingolstadt.geojson: it is no GeoJSON with features: expected value at line 84 column 5"]);
}
