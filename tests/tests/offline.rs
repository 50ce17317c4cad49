//! The main promise without a window: what the app knew stays on the screen with its age, whether the broker goes, or the
//! app is closed and opened without one; and what was said or asked meanwhile arrives.
#![cfg(test)]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one state and prints whatever else it sees")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fleetlens_host::{BrokerChoice, CityOptions, Host, HostOptions};
use fleetlens_ipc::rows::{FoundRow, LinkState, Rows};
use fleetlens_ipc::{FaultCode, Intent, Look, ViewId, Wish, map};
use fleetlens_model::command::{Phase, Step};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::ThingKey;
use fleetlens_model::identity::Role;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Source, Value};
use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::lamp::{Lamp, now_ms};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::person::{ENDS_WITHIN, SOON};
use fleetlens_tests::profile::ProfileText;
use serde_json::json;

/// Things of the city in these tests: enough for every kind.
const THINGS: usize = 120;

fn demo(data_dir: &Path) -> HostOptions {
    let city = CityOptions { things: THINGS, rate: Some(60.0), seed: 7, ..CityOptions::default() };
    HostOptions { demo: Some(city), ..HostOptions::demo(data_dir) }
}

async fn start(options: HostOptions) -> Arc<Host> {
    Arc::new(Host::start(HostOptions { started: Instant::now(), ..options }).await.unwrap())
}

/// Ends a host, which is not to hang.
async fn stop(host: Arc<Host>) {
    let began = Instant::now();
    host.stop().await;
    assert!(began.elapsed() < ENDS_WITHIN, "it took {:?}", began.elapsed());
    assert_eq!(Arc::strong_count(&host), 1, "somebody still holds the host, and with it the cache");
}

/// What a person reads of a thing: its values by pointer.
fn values(desk: &Desk, page: ViewId) -> BTreeMap<String, Value> {
    desk.page(page).values.iter().map(|row| (row.pointer.clone(), row.value.clone())).collect()
}

fn things(desk: &Desk, map: ViewId) -> BTreeSet<ThingKey> {
    desk.map(map).keys().copied().collect()
}

fn count_of(desk: &Desk, map: ViewId, status: map::Status) -> usize {
    desk.map(map).values().filter(|row| row.status == status).count()
}

async fn wait_until_all_are_live(desk: &mut Desk, map: ViewId) {
    desk.wait_for("every thing to be live", SOON, |desk| {
        let unknown = count_of(desk, map, map::Status::Unknown);
        let there = desk.map(map).len();
        if there == THINGS && unknown == 0 { Ok(()) } else { Err(format!("{there} things, {unknown} unknown")) }
    })
    .await;
}

async fn wait_until_down(desk: &mut Desk, status: ViewId) -> i64 {
    desk.wait_for("the link to be down", SOON, |desk| match &desk.status(status).link {
        LinkState::Connecting { since_ms, .. } => Ok(since_ms.0),
        other => Err(format!("{other:?}")),
    })
    .await
}

async fn wait_until_up(desk: &mut Desk, status: ViewId) {
    desk.wait_for("the link to be up", SOON, |desk| match &desk.status(status).link {
        LinkState::Up { .. } => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// A lamp of the demo city with a known dim value.
async fn some_lamp(desk: &mut Desk) -> FoundRow {
    let view = desk.look(Look::Find { text: "lamp".to_owned(), limit: 50 }).await;
    let lamp = desk
        .wait_for("a lamp in the find box", SOON, |desk| {
            let found = desk.found(view);
            found.iter().find(|row| row.kind == Kind::Lamp).cloned().ok_or_else(|| format!("{} rows", found.len()))
        })
        .await;
    desk.look_away(view).await;
    lamp
}

async fn wait_for_phase(desk: &mut Desk, page: ViewId, command: fleetlens_model::id::CommandId, phase: &Phase) {
    desk.wait_for(&format!("a command to be {phase:?}"), SOON, |desk| match desk.command_row(page, command) {
        Some(row) if row.phase == *phase => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_stays_when_the_broker_goes_and_when_the_app_is_opened_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let host = start(demo(folder.path())).await;
    let mut desk = Desk::attach(&host).await;
    let status = desk.look(Look::Status).await;
    let map = desk.look_at_map().await;
    wait_until_up(&mut desk, status).await;
    wait_until_all_are_live(&mut desk, map).await;
    let (rev, snapshots, patches) = desk.revision(map);
    assert!(patches > 0 && snapshots == 1 && rev == patches + 1, "rev {rev}, {snapshots} snapshots, {patches} patches");

    let lamp = some_lamp(&mut desk).await;
    let page = desk.look(Look::Thing { thing: lamp.thing }).await;
    desk.wait_for("a lamp's values", SOON, |desk| match desk.value(page, "/dim_pct") {
        Some(row) if row.source == Source::Live && row.age_ms < 60_000 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    desk.wait_for("a lamp's shadow", SOON, |desk| match desk.leaf(page, "/dim_pct") {
        Some(leaf) if leaf.reported.is_some() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    // The broker goes: nothing disappears, and everything says since when it is not known.
    let before = things(&desk, map);
    host.stop_broker().await;
    let lost_ms = wait_until_down(&mut desk, status).await;
    desk.wait_for("every thing to be unknown", SOON, |desk| match count_of(desk, map, map::Status::Unknown) {
        THINGS => Ok(()),
        unknown => Err(format!("{unknown} are")),
    })
    .await;
    assert_eq!(things(&desk, map), before);
    desk.wait_for("the lamp to say since when", SOON, |desk| match desk.page(page).head.freshness {
        Freshness::Unknown { since_ms } if (since_ms.0 - lost_ms).abs() < 2_000 => Ok(()),
        other => Err(format!("{other:?}, the link fell at {lost_ms}")),
    })
    .await;
    let known = values(&desk, page);
    assert!(known.contains_key("/dim_pct") && known.contains_key("/power_w"), "{known:?}");
    let leaf = desk.leaf(page, "/dim_pct").cloned().unwrap();
    desk.detach().await;
    stop(host).await;

    // Opened without a broker: the same picture.
    let host = start(HostOptions { broker: BrokerChoice::None, ..demo(folder.path()) }).await;
    let mut desk = Desk::attach(&host).await;
    let map = desk.look_at_map().await;
    let page = desk.look_at_thing(&lamp.name).await;
    assert_eq!(things(&desk, map), before);
    assert_eq!(count_of(&desk, map, map::Status::Unknown), THINGS);
    assert_eq!(values(&desk, page), known);
    assert!(desk.page(page).values.iter().all(|row| row.source == Source::Cached), "{:?}", desk.page(page).values);
    assert!(matches!(desk.page(page).head.freshness, Freshness::Unknown { .. }), "{:?}", desk.page(page).head);
    assert_eq!(desk.leaf(page, "/dim_pct"), Some(&leaf));
    assert!(!desk.page(page).shadows[0].current, "the cache cannot know that the shadow is as it was");
    let chart = desk.look(Look::Chart {
        series: desk.value(page, "/power_w").unwrap().series,
        until_ms: None,
        span_ms: 900_000,
        buckets: 200,
    });
    let chart = chart.await;
    assert!(!desk.chart(chart).buckets.is_empty(), "the chart has lost its past");
    let status = desk.look(Look::Status).await;
    desk.wait_for("the reason for the notice", SOON, |desk| match &desk.status(status).link {
        LinkState::Connecting { reason: Some(reason), .. } if reason.contains("without a broker") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    desk.detach().await;
    stop(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_without_a_broker_goes_out_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let host = start(demo(folder.path())).await;
    let mut desk = Desk::attach(&host).await;
    let status = desk.look(Look::Status).await;
    let map = desk.look_at_map().await;
    wait_until_up(&mut desk, status).await;
    wait_until_all_are_live(&mut desk, map).await;
    let lamp = some_lamp(&mut desk).await;
    let page = desk.look(Look::Thing { thing: lamp.thing }).await;
    desk.wait_for("a lamp's shadow", SOON, |desk| match desk.leaf(page, "/dim_pct") {
        Some(leaf) if leaf.reported.is_some() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    host.stop_broker().await;
    wait_until_down(&mut desk, status).await;
    let command = desk.command(page, "/dim_pct", "35").await.unwrap();
    wait_for_phase(&mut desk, page, command, &Phase::Pending).await;
    desk.wait_for("the outbox on the status bar", SOON, |desk| match desk.status(status).open_commands {
        1 => Ok(()),
        other => Err(format!("{other} open commands")),
    })
    .await;

    host.start_broker().await.unwrap();
    wait_until_up(&mut desk, status).await;
    wait_for_phase(&mut desk, page, command, &Phase::Settled).await;
    let steps: Vec<Step> = desk.command_row(page, command).unwrap().steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Step::Asked, Step::Sent, Step::Accepted, Step::Settled]);
    desk.wait_for("both sides of the leaf", SOON, |desk| match desk.leaf(page, "/dim_pct") {
        Some(leaf)
            if leaf.desired.as_deref() == Some("35") && leaf.reported.as_deref() == Some("35") && !leaf.differs =>
        {
            Ok(())
        }
        other => Err(format!("{other:?}")),
    })
    .await;
    wait_until_all_are_live(&mut desk, map).await;
    desk.detach().await;
    stop(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_while_the_app_was_away_arrives_and_is_there_once() {
    for protocol in ["5", "3.1.1"] {
        let Some(broker) = Mosquitto::start(&format!("away-{protocol}")) else { return };
        let at = BrokerAt { url: broker.url(), credentials: None };
        let mut service = ShadowService::start(&at, Shadows::default()).unwrap();
        service.ready().await;
        let lamp = Lamp::start(&broker.url(), "lamp-0001").await;
        let folder = tempfile::tempdir().unwrap();
        let profile = ProfileText { protocol, ..ProfileText::new("Away", broker.url()) }.write(folder.path());
        let options =
            HostOptions { profile: Some(profile), demo: None, ..HostOptions::demo(folder.path().join("data")) };

        let host = start(options.clone()).await;
        let mut desk = Desk::attach(&host).await;
        let status = desk.look(Look::Status).await;
        wait_until_up(&mut desk, status).await;
        let before = now_ms();
        lamp.measure(before, &json!({ "burning_h": 0 })).await;
        desk.wait_for("the first message", SOON, |desk| match desk.status(status).stored {
            0 => Err("nothing stored".to_owned()),
            _ => Ok(()),
        })
        .await;
        desk.detach().await;
        stop(host).await;

        const AWAY: i64 = 500;
        let away = Peer::connect(&broker.url(), "onlooker", &["city/#"]).await;
        for n in 1..=AWAY {
            lamp.measure(before + n, &json!({ "burning_h": n })).await;
        }
        let last = format!("\"burning_h\":{AWAY}}}");
        away.wait_for("the broker to have the last message", |message| {
            String::from_utf8_lossy(&message.payload).contains(&last).then_some(())
        })
        .await;

        let host = start(options).await;
        let mut desk = Desk::attach(&host).await;
        let page = desk.look_at_thing("lamp-0001").await;
        desk.wait_for("the last value", SOON, |desk| match desk.value(page, "/burning_h") {
            Some(row) if row.value == Value::Number(AWAY as f64) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let series = desk.value(page, "/burning_h").unwrap().series;
        let chart = desk.look(Look::Chart { series, until_ms: None, span_ms: 900_000, buckets: 900 }).await;
        desk.wait_for("every value in the chart, once", SOON, |desk| {
            let buckets = &desk.chart(chart).buckets;
            let (count, sum) =
                buckets.iter().fold((0, 0.0), |(n, s), bucket| (n + i64::from(bucket.count), s + bucket.sum));
            let wanted = (AWAY + 1, (AWAY * (AWAY + 1) / 2) as f64);
            if (count, sum) == wanted { Ok(()) } else { Err(format!("{count} values of sum {sum}, wanted {wanted:?}")) }
        })
        .await;
        desk.detach().await;
        stop(host).await;
        away.leave().await;
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_command_is_refused_by_the_engine_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    // Keys stay over restarts, so the driver, who finds no lamps, has that of one.
    let mut lamp = None;
    for role in [Role::Viewer, Role::Driver] {
        let host = start(HostOptions { role: Some(role), ..demo(folder.path()) }).await;
        let mut desk = Desk::attach(&host).await;
        let status = desk.look(Look::Status).await;
        wait_until_up(&mut desk, status).await;
        let thing = match lamp {
            Some(thing) => thing,
            None => {
                let map = desk.look_at_map().await;
                wait_until_all_are_live(&mut desk, map).await;
                some_lamp(&mut desk).await.thing
            }
        };
        lamp = Some(thing);
        let page = desk.look(Look::Thing { thing }).await;
        if role == Role::Driver {
            assert_eq!(desk.rows(page), Some(&Rows::Missing));
        } else {
            assert!(!desk.page(page).may_command);
        }
        let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
        let history = Intent::ShadowHistory { thing, shadow: String::new(), before: None, limit: 10 };
        let command = Intent::Command { thing, shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
        let fault = desk.ask(command).await.unwrap_err();
        assert_eq!(fault.code, FaultCode::Forbidden, "{fault}");
        assert_eq!(desk.ask(history).await.is_ok(), role == Role::Viewer, "what is in a shadow is not for drivers");
        if role == Role::Viewer {
            assert!(desk.page(page).commands.is_empty());
        }
        desk.detach().await;
        stop(host).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_looks_at_nothing_there_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let host = start(HostOptions { broker: BrokerChoice::None, ..demo(folder.path()) }).await;
    let mut desk = Desk::attach(&host).await;
    let map = desk.look_at_map().await;
    assert!(desk.map(map).is_empty(), "the first start knows nothing");
    let view = desk.look(Look::Thing { thing: ThingKey(4711) }).await;
    assert_eq!(desk.rows(view), Some(&Rows::Missing));
    desk.detach().await;
    stop(host).await;
}
