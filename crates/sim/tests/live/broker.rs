//! The embedded broker does what the product asks of a broker.

use std::net::SocketAddr;

use fleetlens_link::Event;
use fleetlens_sim::{Broker, SimError};

use crate::app::{App, BOTH};

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn it_keeps_retained_messages_and_carries_shadow_topics_in_both_versions() {
    for protocol in BOTH {
        let broker = Broker::start(anywhere()).await.unwrap();
        let first = App::connect(&broker.url(), |config| config.protocol = protocol).await;
        first.publish("city/a/lamp/l/meta", "{}", true);
        let mut second = App::connect(&broker.url(), |config| {
            config.protocol = protocol;
            config.client_id = "second".into();
            config.filters = vec![("city/#".into(), 1), ("$aws/things/+/shadow/+/+".into(), 1)];
        })
        .await;
        let meta = second.message("/meta").await;
        assert!(meta.retained && meta.payload == b"{}", "{protocol}: {meta:?}");
        first.publish("$aws/things/l/shadow/update/delta", "{}", false);
        assert!(!second.message("/update/delta").await.retained, "{protocol}");
        broker.stop().await;
        second.until("the end of the broker", |event| matches!(event, Event::Down { .. })).await;
    }
}

#[tokio::test]
async fn it_keeps_a_persistent_session_while_its_client_is_away() {
    for protocol in BOTH {
        let broker = Broker::start(anywhere()).await.unwrap();
        let away = |config: &mut fleetlens_link::LinkConfig| {
            config.protocol = protocol;
            config.clean_start = false;
            config.client_id = "away".into();
            config.filters = vec![("city/#".into(), 1)];
        };
        App::connect(&broker.url(), away).await.stop().await;
        let other = App::connect(&broker.url(), |config| config.protocol = protocol).await;
        other.publish("city/a/lamp/l/telemetry", "1", false);
        // What it kept may come before the link is told to be up, so this cannot use App::connect.
        let mut config = fleetlens_link::LinkConfig::new(broker.url(), "");
        away(&mut config);
        let (_link, mut events) = fleetlens_link::Link::start(config).unwrap();
        let mut kept = false;
        while let Some(event) = tokio::time::timeout(std::time::Duration::from_secs(30), events.recv()).await.unwrap() {
            kept |= matches!(&event, Event::Received(message) if message.topic.ends_with("/telemetry"));
            if kept {
                break;
            }
        }
        assert!(kept, "{protocol}");
        broker.stop().await;
    }
}

#[tokio::test]
async fn a_taken_address_is_told_and_a_stopped_broker_gives_it_back() {
    let broker = Broker::start(anywhere()).await.unwrap();
    let address = broker.address();
    let refused = Broker::start(address).await.unwrap_err();
    assert!(
        matches!(refused, SimError::Broker { .. }) && refused.to_string().contains(&address.to_string()),
        "{refused}"
    );
    broker.stop().await;
    Broker::start(address).await.unwrap().stop().await;
}
