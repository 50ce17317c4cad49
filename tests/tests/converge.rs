//! What is wanted and has not been so for too long, through the whole app and Mosquitto: listed with its reason, neither started nor
//! ended by a lost link, and there again after a start without a broker.
#![cfg(test)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{Host, HostOptions};
use fleetlens_ipc::rows::{LinkState, NotConvergedRow, Rows, Why};
use fleetlens_ipc::{Look, ViewId};
use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(40);

/// How long is too long here.
const RULES: &str =
    "\n[[alarm]]\nid = \"stubborn\"\nwhen = \"not converged\"\nfor = \"2 s\"\nwhat_to_do = \"look at it\"\n";

async fn start(profile: &Path, data: &Path) -> (Arc<Host>, Desk) {
    let options = HostOptions { profile: Some(profile.to_owned()), demo: None, ..HostOptions::demo(data.to_owned()) };
    let host = Arc::new(Host::start(options).await.unwrap());
    let desk = Desk::attach(&host).await;
    (host, desk)
}

/// The one row, once it is as wanted.
async fn listed(desk: &mut Desk, list: ViewId, what: &str, is: impl Fn(&NotConvergedRow) -> bool) -> NotConvergedRow {
    desk.wait_for(what, SOON, |desk| match desk.rows(list) {
        Some(Rows::NotConverged(rows)) => match &rows[..] {
            [row] if is(row) => Ok(row.clone()),
            other => Err(format!("{other:?}")),
        },
        other => Err(format!("{other:?}")),
    })
    .await
}

async fn is_down(desk: &mut Desk, status: ViewId) {
    desk.wait_for("the link to be down", SOON, |desk| match desk.status(status).link {
        LinkState::Connecting { .. } => Ok(()),
        LinkState::Starting | LinkState::Up { .. } => Err("it is not".to_owned()),
    })
    .await;
}

async fn count_is(desk: &mut Desk, status: ViewId, want: u32) {
    desk.wait_for("the count", SOON, |desk| match desk.status(status).not_converged {
        count if count == want => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wanted_and_not_so_is_listed_with_its_reason_and_a_lost_link_neither_starts_nor_ends_it() {
    let Some(mut broker) = Mosquitto::start("converge") else { return };
    let at = BrokerAt { url: broker.url(), credentials: None };
    let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
    service.ready().await;
    let lamp = Lamp::start(&broker.url(), "lamp-0001").await;
    let folder = tempfile::tempdir().unwrap();
    let (profile, data) = (folder.path().join("profile.toml"), folder.path().join("data"));
    std::fs::write(&profile, ProfileText::new("Converge", broker.url()).toml() + RULES).unwrap();
    let (host, mut desk) = start(&profile, &data).await;
    lamp.measure_now().await;
    let status = desk.look(Look::Status).await;
    let list = desk.look(Look::NotConverged { limit: 10 }).await;
    desk.wait_for("the lamp to be known", SOON, |desk| match desk.status(status).stored {
        0 => Err("nothing stored".to_owned()),
        _ => Ok(()),
    })
    .await;
    let page = desk.look_at_thing(lamp.name()).await;
    desk.wait_for("the lamp's shadow", SOON, |desk| desk.leaf(page, "/dim_pct").map(drop).ok_or("none".into())).await;
    assert_eq!(desk.rows(list), Some(&Rows::NotConverged(Vec::new())));

    desk.command(page, "/dim_pct", "35").await.unwrap();
    let never = Why::NeverObeyed { by: "T. Ester".into() };
    let row = listed(&mut desk, list, "the lamp that does not obey", |row| row.why == never).await;
    assert_eq!(
        (row.leaf.pointer.as_str(), row.wanted.as_str(), row.reported.as_deref()),
        ("/dim_pct", "35", Some("100"))
    );
    assert_eq!((row.thing_title.as_str(), row.unknown_since_ms), ("Lamp 0001", None));
    count_is(&mut desk, status, 1).await;

    broker.stop();
    is_down(&mut desk, status).await;
    let lost =
        listed(&mut desk, list, "the row to say since when nobody knows", |row| row.unknown_since_ms.is_some()).await;
    assert_eq!((lost.since_ms, &lost.why), (row.since_ms, &never), "the rest of it stands");
    broker.start_again();
    lamp.peer().wait_until_up().await;
    service.ready().await;
    let back = listed(&mut desk, list, "the shadow to be confirmed", |row| row.unknown_since_ms.is_none()).await;
    assert_eq!(back.since_ms, row.since_ms);
    lamp.report(&json!({ "dim_pct": 35.2 })).await;
    desk.wait_for("the lamp to obey", SOON, |desk| match desk.rows(list) {
        Some(Rows::NotConverged(rows)) if rows.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    count_is(&mut desk, status, 0).await;

    // Somebody else wants something, and we are gone while it still is not so.
    let update = format!("$aws/things/{}/shadow/update", lamp.name());
    lamp.peer().publish(&update, json!({ "state": { "desired": { "on": false } } }).to_string()).await;
    let row = listed(&mut desk, list, "somebody else's wish", |row| row.why == Why::NobodyHere).await;
    assert_eq!(
        (row.leaf.pointer.as_str(), row.wanted.as_str(), row.reported.as_deref()),
        ("/on", "false", Some("true"))
    );
    // When we last listened is written down when the link falls, and it was late by then.
    broker.stop();
    is_down(&mut desk, status).await;
    desk.detach().await;
    host.stop().await;
    let (host, mut desk) = start(&profile, &data).await;
    let list = desk.look(Look::NotConverged { limit: 10 }).await;
    let again = listed(&mut desk, list, "the list out of the cache", |row| row.unknown_since_ms.is_some()).await;
    assert_eq!((again.leaf, again.since_ms), (row.leaf, row.since_ms));
    desk.detach().await;
    host.stop().await;
    service.stop().await;
}
