//! A small city, living: what an app sees of it over a real broker.

use std::collections::HashSet;
use std::time::Duration;

use fleetlens_link::Event;
use fleetlens_model::shadow::Document;
use fleetlens_sim::dice::Dice;
use fleetlens_sim::places::Places;
use fleetlens_sim::{Broker, BrokerAt, CityOptions, Only, start};
use fleetlens_wire::shadow::{Answer, ShadowTopic, answer_filters, decode_answer};
use serde_json::{Value, json};

use crate::app::App;

/// Few things, and yet some of every kind; they speak about once a second, the lamps oftener.
fn small() -> CityOptions {
    CityOptions { things: 12, rate: Some(12.0), ..CityOptions::default() }
}

async fn app(url: &str) -> App {
    App::connect(url, |config| {
        let answers = answer_filters("+", None).into_iter().chain(answer_filters("+", Some("+")));
        config.filters = answers.chain(["city/#".to_owned()]).map(|filter| (filter, 1)).collect();
    })
    .await
}

/// The document of a thing's classic shadow; asks until there is one, because devices and service may still be on their way.
async fn document(app: &mut App, thing: &str) -> Document {
    let (get, accepted) = (format!("$aws/things/{thing}/shadow/get"), format!("{thing}/shadow/get/accepted"));
    loop {
        app.publish(&get, r#"{"clientToken":"app-get"}"#, false);
        let ours = app.until(&accepted, |event| said(event, &accepted).is_some_and(|m| m["clientToken"] == "app-get"));
        if let Ok(Event::Received(got)) = tokio::time::timeout(Duration::from_millis(500), ours).await {
            let answer = decode_answer(&ShadowTopic::parse(&got.topic).unwrap(), &got.payload).unwrap();
            let Answer::Got { document, .. } = answer else { panic!("{answer:?}") };
            return document;
        }
    }
}

/// The JSON of a message on a topic that ends so; `None` for every other event.
fn said(event: &Event, topic_end: &str) -> Option<Value> {
    let Event::Received(message) = event else { return None };
    message.topic.ends_with(topic_end).then(|| serde_json::from_slice(&message.payload).unwrap())
}

/// Waits until every thing has described itself and measured something.
async fn all_alive(app: &mut App, things: usize) {
    let (mut described, mut measured) = (HashSet::new(), HashSet::new());
    app.until("a living city", |event| {
        if let Event::Received(message) = event {
            let levels: Vec<&str> = message.topic.split('/').collect();
            if let ["city", _, _, thing, leaf] = levels[..] {
                if leaf == "meta" {
                    described.insert(thing.to_owned())
                } else {
                    measured.insert(thing.to_owned())
                };
            }
        }
        described.len() == things && described == measured
    })
    .await;
}

#[tokio::test]
async fn things_describe_themselves_measure_and_obey() {
    let city = start(small()).await.unwrap();
    let mut app = app(&city.address()).await;
    all_alive(&mut app, 12).await;
    let before = document(&mut app, "lamp-0001").await;
    assert_eq!(before.reported.unwrap()["dim_pct"], 100);

    let wish = json!({"state": {"desired": {"dim_pct": 40}}, "version": before.version, "clientToken": "app-2"});
    app.publish("$aws/things/lamp-0001/shadow/update", &wish.to_string(), false);
    app.until("the lamp's report", |event| {
        said(event, "lamp-0001/shadow/update/accepted").is_some_and(|m| m["state"]["reported"]["dim_pct"] == 40)
    })
    .await;
    app.until("telemetry of the dimmed lamp", |event| {
        said(event, "lamp-0001/telemetry").is_some_and(|m| m["values"]["dim_pct"] == 40)
    })
    .await;

    let stale = json!({"state": {"desired": {"dim_pct": 50}}, "version": before.version, "clientToken": "app-3"});
    app.publish("$aws/things/lamp-0001/shadow/update", &stale.to_string(), false);
    let refused: Value =
        serde_json::from_slice(&app.message("lamp-0001/shadow/update/rejected").await.payload).unwrap();
    assert_eq!((&refused["code"], &refused["clientToken"]), (&json!(409), &json!("app-3")));
    city.stop().await;
}

#[tokio::test]
async fn a_city_outlives_its_broker_and_its_shadows_do_too() {
    let options = small();
    let mut city = start(options.clone()).await.unwrap();
    let mut app = app(&city.address()).await;
    let places = Places::of(options.things, Dice::new(options.seed)).unwrap();
    let thing = &places.car_parks.iter().find(|park| park.barrier).unwrap().spot.thing;
    document(&mut app, thing).await;
    let wish = json!({"state": {"desired": {"barrier": "open"}}}).to_string();
    app.publish(&format!("$aws/things/{thing}/shadow/update"), &wish, false);
    let documents = format!("{thing}/shadow/update/documents");
    app.until("the barrier to open", |event| {
        said(event, &documents).is_some_and(|m| m["current"]["state"]["reported"]["barrier"] == "open")
    })
    .await;

    city.stop_broker().await;
    app.until("the broker's end", |event| matches!(event, Event::Down { .. })).await;
    city.start_broker(&options).await.unwrap();
    app.until("the broker's return", |event| matches!(event, Event::Up { .. })).await;
    all_alive(&mut app, 12).await;
    let kept = document(&mut app, thing).await;
    for side in [kept.desired, kept.reported] {
        assert_eq!(side.unwrap()["barrier"], "open");
    }
    city.stop().await;
}

#[tokio::test]
async fn the_service_and_the_devices_also_work_apart() {
    let service = start(CityOptions { only: Only::Shadow, ..small() }).await.unwrap();
    assert_eq!(service.things(), 0);
    let at = BrokerAt { url: service.address(), credentials: None };
    let devices = start(CityOptions { only: Only::Devices, broker: Some(at), ..small() }).await.unwrap();
    assert_eq!((devices.things(), devices.address()), (12, service.address()));
    let mut app = app(&service.address()).await;
    all_alive(&mut app, 12).await;
    assert_eq!(document(&mut app, "lamp-0001").await.reported.unwrap()["dim_pct"], 100);
    assert!(devices.counts().published > 24 && devices.counts().answered == 0);
    devices.stop().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_city_ends_with_everything_in_it() {
    let city = start(small()).await.unwrap();
    let mut app = app(&city.address()).await;
    all_alive(&mut app, 12).await;
    drop(city);
    app.until("its broker ends", |event| matches!(event, Event::Down { .. })).await;
    app.until(
        "and lets go of its port",
        |event| matches!(event, Event::Connecting { reason: Some(why) } if why.contains("no broker listens")),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cities_on_one_broker_do_not_throw_each_other_out() {
    let broker = Broker::start(CityOptions::default().listen).await.unwrap();
    let at = BrokerAt { url: broker.url(), credentials: None };
    let options = CityOptions { broker: Some(at), ..small() };
    let first = start(options.clone()).await.unwrap();
    let second = start(options).await.unwrap();
    let mut app = app(&broker.url()).await;
    all_alive(&mut app, 12).await;
    // Both services answer, each with a shadow of its own; services that take each other's place are never there together.
    app.publish("$aws/things/nobody/shadow/get", r#"{"clientToken":"both"}"#, false);
    for answer in ["the first answer", "the second answer"] {
        app.until(answer, |event| {
            said(event, "nobody/shadow/get/rejected").is_some_and(|m| m["clientToken"] == "both")
        })
        .await;
    }
    first.stop().await;
    second.stop().await;
    app.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn every_kind_speaks_and_takes_a_new_interval() {
    let city = start(CityOptions { rate: None, ..small() }).await.unwrap();
    let mut app = app(&city.address()).await;
    all_alive(&mut app, 12).await;
    for thing in ["parking", "lamp-0001", "bin-0001", "charger-0001", "vehicle-0001", "gateway-0001"] {
        let places = Places::of(12, Dice::new(1)).unwrap();
        let thing = if thing == "parking" { places.car_parks[0].spot.thing.as_str() } else { thing };
        document(&mut app, thing).await;
        let wish = json!({"state": {"desired": {"interval_s": 20}}}).to_string();
        app.publish(&format!("$aws/things/{thing}/shadow/update"), &wish, false);
        let meta = format!("{thing}/meta");
        app.until(&meta, |event| said(event, &meta).is_some_and(|m| m["interval_s"] == 20)).await;
        let documents = format!("{thing}/shadow/update/documents");
        app.until(&documents, |event| {
            said(event, &documents).is_some_and(|m| m["current"]["state"]["reported"]["interval_s"] == 20)
        })
        .await;
    }
    city.stop().await;
}

#[tokio::test]
async fn what_carries_is_told_and_a_limit_on_a_charger_holds() {
    let city = start(small()).await.unwrap();
    let mut app = app(&city.address()).await;
    all_alive(&mut app, 12).await;
    document(&mut app, "charger-0001").await;
    let wish = json!({"state": {"desired": {"limit_kw": 6, "enabled": false}}}).to_string();
    app.publish("$aws/things/charger-0001/shadow/update", &wish, false);
    app.until("the charger's telemetry", |event| {
        said(event, "charger-0001/telemetry").is_some_and(|m| {
            m["values"]["limit_kw"] == 6 && m["values"]["enabled"] == false && m["values"]["power_kw"] == 0.0
        })
    })
    .await;
    // Who comes later is told the same by what the broker keeps.
    let mut later = App::connect(&city.address(), |config| {
        config.client_id = "later".into();
        config.filters = vec![("city/+/bin/bin-0001/meta".into(), 1)];
    })
    .await;
    let meta: Value = serde_json::from_slice(&later.message("bin-0001/meta").await.payload).unwrap();
    assert_eq!(meta["gateway"], "gateway-0001");
    city.stop().await;
}

#[tokio::test]
async fn a_city_with_faults_says_who_has_them_and_they_show() {
    let faults = "malformed,duplicate,out-of-order,refusal".parse().unwrap();
    let city = start(CityOptions { faults, things: 40, rate: Some(80.0), ..CityOptions::default() }).await.unwrap();
    let who: Vec<String> = city.stricken().iter().map(|stricken| stricken.things[0].clone()).collect();
    assert_eq!(who.len(), 4);
    let mut app = app(&city.address()).await;
    let telemetry = |event: &Event, thing: &str| {
        let Event::Received(message) = event else { return None };
        message.topic.ends_with(&format!("{thing}/telemetry")).then(|| message.payload.to_vec())
    };
    app.until("malformed telemetry", |event| {
        telemetry(event, &who[0]).is_some_and(|payload| serde_json::from_slice::<Value>(&payload).is_err())
    })
    .await;
    let mut last = Vec::new();
    app.until("the same message twice", |event| {
        telemetry(event, &who[1]).is_some_and(|payload| std::mem::replace(&mut last, payload.clone()) == payload)
    })
    .await;
    let mut newest = 0;
    app.until("an older message after a newer one", |event| {
        let Some(payload) = telemetry(event, &who[2]) else { return false };
        let ts = serde_json::from_slice::<Value>(&payload).unwrap()["ts"].as_i64().unwrap();
        newest = newest.max(ts);
        newest > ts
    })
    .await;
    document(&mut app, &who[3]).await;
    let wish = json!({"state": {"desired": {"interval_s": 60}}, "clientToken": "app-f"}).to_string();
    app.publish(&format!("$aws/things/{}/shadow/update", who[3]), &wish, false);
    let rejected = format!("{}/shadow/update/rejected", who[3]);
    app.until("the refusal", |event| said(event, &rejected).is_some_and(|m| m["code"] == 403)).await;
    city.stop().await;
}
