//! The access rules that are shipped, on Mosquitto: a driver reads car parks and nothing else, and can say nothing.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fleetlens_link::{Credentials, Event, Events, Link, LinkConfig, Protocol, Secret};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::papers::permit;
use fleetlens_tests::place;
use fleetlens_tests::wait::told;
use serde_json::Value;

/// Far more than any of it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rules and the profile as they are shipped.
const RULES: &str = include_str!("../../assets/mosquitto/fleetlens.acl");
const PROFILE: &str = include_str!("../../assets/profiles/driver.toml");

/// The one topic a driver may read here, and others.
const CAR_PARK: &str = "city/valletta/parking/car-park-1/telemetry";
const LAMP: &str = "city/valletta/lamp/lamp-1/telemetry";
const SHADOW: &str = "$aws/things/car-park-1/shadow/update/documents";

/// A broker where everybody has the password `secret`.
fn broker(name: &str, folder: &Path) -> Option<Mosquitto> {
    let (rules, passwords) = (folder.join("acl"), folder.join("passwords"));
    fs::write(&rules, RULES).unwrap();
    fs::write(&passwords, "").unwrap();
    for user in ["driver", "viewer", "operator", "shadows", "car-park-1", "lamp-1"] {
        let made = Command::new("mosquitto_passwd").arg("-b").arg(&passwords).args([user, "secret"]).status();
        if !made.is_ok_and(|status| status.success()) {
            place::skip("no mosquitto_passwd");
            return None;
        }
    }
    for file in [&rules, &passwords] {
        permit(file, 0o600);
    }
    let lines = format!("allow_anonymous false\npassword_file {}\nacl_file {}\n", passwords.display(), rules.display());
    Mosquitto::start_with(name, |_: [u16; 0]| lines.clone()).map(|(broker, _)| broker)
}

/// Somebody who is up and listens to everything; it is the broker that must keep things back.
async fn connect(broker: &Mosquitto, user: &str) -> (Link, Events) {
    let credentials = Credentials { user: user.into(), password: Some(Secret::Given("secret".into())) };
    let filters = ["#", "$aws/#", "$SYS/#"].map(|filter| (filter.to_owned(), 1)).to_vec();
    let config = LinkConfig {
        credentials: Some(credentials),
        filters,
        clean_start: true,
        protocol: Protocol::V5,
        ..LinkConfig::new(broker.url(), format!("test-{user}"))
    };
    let (link, mut events) = Link::start(config).unwrap();
    told(&mut events, "the link to be up", PATIENCE, |event| matches!(event, Event::Up { .. }).then_some(())).await;
    (link, events)
}

/// The topics heard up to a message on this one.
async fn heard_until(link: &Link, events: &mut Events, last: &str) -> BTreeSet<String> {
    let mut heard = BTreeSet::new();
    told(events, last, PATIENCE, |event| {
        let Event::Received(message) = event else { return None };
        if let Some(delivery) = message.delivery {
            link.acknowledge(delivery);
        }
        heard.insert(message.topic.clone());
        (message.topic == last).then_some(())
    })
    .await;
    heard
}

fn say(link: &Link, topic: &str, payload: &str) {
    link.try_publish(topic.into(), payload.into(), 1, false).unwrap();
}

/// Says something that the broker must refuse. Mosquitto 2.0 may end the connection for it, and what was said into one that was
/// ending is lost: then it is said again.
async fn assert_refused(link: &Link, events: &mut Events, topic: &str) {
    let open = r#"{"state":{"desired":{"barrier":"open"}}}"#;
    // Down: it is said when the link is up.
    let say = || link.try_publish(topic.into(), open.into(), 1, false).unwrap_or_default();
    say();
    told(events, topic, PATIENCE, |event| match event {
        Event::Refused { topic: at, .. } => (at == topic).then_some(()),
        Event::Up { .. } => {
            say();
            None
        }
        Event::Connecting { .. }
        | Event::Down { .. }
        | Event::Received(_)
        | Event::Shed { .. }
        | Event::Acknowledged { .. } => None,
    })
    .await;
}

#[tokio::test]
async fn a_driver_reads_car_parks_and_nothing_else_and_can_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(broker) = broker("access", folder.path()) else { return };
    let (driver, mut at_the_driver) = connect(&broker, "driver").await;
    let (operator, mut at_the_operator) = connect(&broker, "operator").await;
    let (car_park, _at_the_car_park) = connect(&broker, "car-park-1").await;
    let (lamp, _at_the_lamp) = connect(&broker, "lamp-1").await;
    let (shadows, _at_the_shadows) = connect(&broker, "shadows").await;

    // What the driver may not read is said before what he may: when the latter has come, the former would have.
    let free = r#"{"ts":1700000000000,"values":{"free":12}}"#;
    say(&lamp, LAMP, free);
    assert_eq!(heard_until(&operator, &mut at_the_operator, LAMP).await, BTreeSet::from([LAMP.to_owned()]));
    say(&shadows, SHADOW, free);
    assert_eq!(heard_until(&operator, &mut at_the_operator, SHADOW).await, BTreeSet::from([SHADOW.to_owned()]));
    say(&car_park, CAR_PARK, free);
    assert_eq!(heard_until(&driver, &mut at_the_driver, CAR_PARK).await, BTreeSet::from([CAR_PARK.to_owned()]));
    heard_until(&operator, &mut at_the_operator, CAR_PARK).await;

    // What is another's, what is nobody's, and what would be his own were he a thing.
    let (viewer, mut at_the_viewer) = connect(&broker, "viewer").await;
    for topic in [
        CAR_PARK,
        "$aws/things/car-park-1/shadow/update",
        "$aws/things/car-park-1/shadow/get",
        "city/x",
        "city/valletta/parking/driver/telemetry",
        "city/valletta/parking/driver/meta",
        "$aws/things/driver/shadow/update",
        "$aws/things/driver/shadow/get",
    ] {
        assert_refused(&driver, &mut at_the_driver, topic).await;
    }
    for topic in [
        "$aws/things/car-park-1/shadow/update",
        "city/valletta/lamp/viewer/telemetry",
        "$aws/things/viewer/shadow/update",
    ] {
        assert_refused(&viewer, &mut at_the_viewer, topic).await;
    }
    assert_refused(&operator, &mut at_the_operator, "$aws/things/car-park-1/shadow/update/accepted").await;
    say(&car_park, CAR_PARK, free);
    let heard = heard_until(&operator, &mut at_the_operator, CAR_PARK).await;
    assert_eq!(heard, BTreeSet::from([CAR_PARK.to_owned()]), "nothing of the driver's came through");
    for link in [driver, viewer, operator, car_park, lamp, shadows] {
        link.stop().await;
    }
}

/// The profile for drivers' phones with the rules for drivers: what a phone shows.
#[tokio::test(flavor = "multi_thread")]
async fn the_drivers_profile_shows_car_parks() {
    let folder = tempfile::tempdir().unwrap();
    let Some(broker) = broker("access-profile", folder.path()) else { return };
    let (device, _at_the_device) = connect(&broker, "car-park-1").await;
    let meta = r#"{"name":"Floriana","lat":35.8937,"lon":14.5066,"capacity":200}"#;
    let topics =
        [(CAR_PARK, r#"{"ts":1700000000000,"values":{"free":12}}"#), (&CAR_PARK.replace("telemetry", "meta"), meta)];
    for (topic, payload) in topics {
        device.try_publish(topic.into(), payload.into(), 1, true).unwrap();
    }
    fs::write(folder.path().join("driver.toml"), PROFILE).unwrap();
    fs::write(folder.path().join("driver-password"), "secret\n").unwrap();
    permit(&folder.path().join("driver-password"), 0o600);
    let db = folder.path().join("parking.db");
    let mut collect = Command::new(place::program("fleetlens"));
    collect.args(["collect", "--json", "--for", "8s", "--broker", &broker.url(), "--profile"]);
    let output = collect.arg(folder.path().join("driver.toml")).arg("--db").arg(&db).output().unwrap();
    let collected: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&collected["things"], &collected["received"], &collected["refused"]["total"]),
        (&1.into(), &2.into(), &0.into()),
        "{collected}"
    );
    device.stop().await;
}
