//! What a message says of its own time, both ways, through the whole app and Mosquitto: a command carries how long it may take, and a
//! person sees what a message carried.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{Host, HostOptions};
use fleetlens_ipc::rows::{FoundRow, Rows};
use fleetlens_ipc::{Look, rows::MessageRow};
use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_says_how_long_it_may_take_and_a_message_shows_it() {
    for (protocol, can_say) in [("5", true), ("3.1.1", false)] {
        let Some(broker) = Mosquitto::start(&format!("late-{protocol}")) else { return };
        let at = BrokerAt { url: broker.url(), credentials: None };
        let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
        service.ready().await;
        let lamp = Lamp::start(&broker.url(), "lamp-0001").await;
        let folder = tempfile::tempdir().unwrap();
        let profile = ProfileText { protocol, ..ProfileText::new("Late", broker.url()) }.write(folder.path());
        let options =
            HostOptions { profile: Some(profile), demo: None, ..HostOptions::demo(folder.path().join("data")) };
        let host = Arc::new(Host::start(options).await.unwrap());
        let mut desk = Desk::attach(&host).await;
        lamp.measure_now().await;
        let status = desk.look(Look::Status).await;
        desk.wait_for("the lamp to be known", SOON, |desk| match desk.status(status).stored {
            0 => Err("nothing stored".to_owned()),
            _ => Ok(()),
        })
        .await;
        let page = desk.look_at_thing("lamp-0001").await;
        desk.wait_for("the lamp's shadow", SOON, |desk| desk.leaf(page, "/dim_pct").map(drop).ok_or("none".into()))
            .await;

        desk.command(page, "/dim_pct", "35").await.unwrap();
        let update = format!("$aws/things/{}/shadow/update", lamp.name());
        let properties = lamp
            .peer()
            .wait_for("the command on its way", |message| {
                let is_it = message.topic == update && message.payload.windows(9).any(|part| part == b"\"desired\"");
                is_it.then(|| message.properties.clone())
            })
            .await;
        let left_s = properties.and_then(|properties| properties.expiry_s);
        // Ten seconds later it is looked into, and sent again if need be.
        assert_eq!(left_s.is_some_and(|s| (1..=10).contains(&s)), can_say, "{protocol}: {left_s:?}");
        assert_eq!(left_s.is_some(), can_say, "{protocol}: {left_s:?}");

        let telemetry = "city/valletta/lamp/lamp-0001/telemetry";
        let payload = json!({ "values": { "power_w": 7 } }).to_string();
        lamp.peer().publish_within(telemetry, payload.clone(), 3_600).await;
        let FoundRow { thing, .. } = desk.find("lamp-0001").await.unwrap();
        let messages = desk.look(Look::Messages { thing }).await;
        let row: MessageRow = desk
            .wait_for("the message as it came", SOON, |desk| match desk.rows(messages) {
                Some(Rows::Messages(rows)) => {
                    rows.iter().find(|row| row.payload == payload).cloned().ok_or_else(|| format!("{rows:?}"))
                }
                other => Err(format!("{other:?}")),
            })
            .await;
        let left_s = row.properties.and_then(|properties| properties.expiry_s);
        assert_eq!(left_s.is_some_and(|s| (3_500..=3_600).contains(&s)), can_say, "{protocol}: {left_s:?}");
        desk.detach().await;
        host.stop().await;
    }
}
