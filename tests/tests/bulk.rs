//! Many at once through the whole app and the demo city: the lamps of one district are dimmed batch by batch, over a restart in the
//! middle; every one of them is asked once, and `fleetlens bulk` writes out what came of each.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{CityOptions, Host, HostOptions};
use fleetlens_ipc::rows::{BulkPage, DryRun, Rows, ThingsPage};
use fleetlens_ipc::{Done, Export, Exported, FaultCode, Intent, Look, Search, Steer, ThingsQuery, ViewId};
use fleetlens_model::audit::Filter;
use fleetlens_model::bulk::{Order, Progress, Rollout, State, Target, Wish};
use fleetlens_model::id::BulkId;
use fleetlens_model::kind::Kind;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;
use fleetlens_tests::profile::ProfileText;
use serde_json::Value;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(60);

async fn start(profile: &Path, data: &Path) -> (Arc<Host>, Desk) {
    let options = HostOptions { profile: Some(profile.to_owned()), demo: None, ..HostOptions::demo(data.to_owned()) };
    let host = Arc::new(Host::start(options).await.unwrap());
    let desk = Desk::attach(&host).await;
    (host, desk)
}

/// The lamps that are known, once they are all there.
async fn lamps(desk: &mut Desk) -> ThingsPage {
    let query = ThingsQuery { kinds: vec![Kind::Lamp], ..ThingsQuery::default() };
    let view = desk.look(Look::Things { query, first: 0, count: 500, again: false }).await;
    let mut before = 0;
    let page = desk
        .wait_for("the lamps to be described", SOON, |desk| match desk.rows(view) {
            Some(Rows::Things(page)) if page.total > 20 && page.rows.iter().all(|row| !row.place.is_empty()) => {
                // Not while they still come.
                if std::mem::replace(&mut before, page.total) == page.total {
                    Ok(page.clone())
                } else {
                    Err("more".into())
                }
            }
            other => Err(format!("{:?}", other.map(|_| "some"))),
        })
        .await;
    desk.look_away(view).await;
    page
}

/// A district with more than a few lamps, and how many.
fn district(page: &ThingsPage) -> (String, usize) {
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &page.rows {
        *areas.entry(row.place.rsplit(" · ").next().unwrap()).or_default() += 1;
    }
    // A word of one may be part of another's: counted as the search finds them.
    let found =
        |area: &str| page.rows.iter().filter(|row| row.place.to_lowercase().contains(&area.to_lowercase())).count();
    let fits = areas.keys().map(|area| ((*area).to_owned(), found(area))).find(|(_, n)| (6..40).contains(n));
    fits.unwrap_or_else(|| panic!("{areas:?}"))
}

fn order(area: &str, value: &str) -> Order {
    Order {
        target: Target::Search(Search { text: area.to_owned(), kinds: vec![Kind::Lamp], ..Search::default() }),
        shadow: String::new(),
        wishes: vec![Wish { pointer: "/dim_pct".into(), value_json: value.into() }],
        expires_in_ms: Some(600_000),
        rollout: Rollout { batch: 2, every_s: 2, abort_at_pct: None, abort_after: 1 },
        continuous: false,
    }
}

async fn dry_run(desk: &mut Desk, order: &Order) -> DryRun {
    match desk.ask(Intent::DryRun(Box::new(order.clone()))).await {
        Ok(Done::DryRun(run)) => *run,
        other => panic!("{other:?}"),
    }
}

fn page(desk: &Desk, view: ViewId) -> &BulkPage {
    let Some(Rows::Bulk(page)) = desk.rows(view) else { panic!("{:?}", desk.rows(view)) };
    page
}

async fn until(desk: &mut Desk, view: ViewId, what: &str, is: impl Fn(&BulkPage) -> bool) {
    desk.wait_for(what, SOON, |desk| {
        let page = page(desk, view);
        if is(page) { Ok(()) } else { Err(format!("{:?} {:?}", page.head.state, page.head.counts)) }
    })
    .await;
}

fn exported(db: &Path, bulk: BulkId) -> Vec<Value> {
    let (db, bulk) = (db.to_str().unwrap(), bulk.0.to_string());
    let arguments = ["bulk", "export", "--db", db, "--bulk", &bulk, "--format", "json"];
    let output = Command::new(place::program("fleetlens")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Tokens of our updates that set something, by thing.
fn tokens(peer: &Peer) -> BTreeMap<String, BTreeSet<String>> {
    let mut tokens: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    peer.count(|message| {
        let update: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
        if let (Some(token), Some(_)) = (update["clientToken"].as_str(), update["state"]["desired"].as_object()) {
            let thing = message.topic.split('/').nth(2).unwrap().to_owned();
            tokens.entry(thing).or_default().insert(token.to_owned());
        }
        true
    });
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lamps_of_a_district_are_dimmed_batch_by_batch_over_a_restart_and_each_is_asked_once() {
    let city = CityOptions { things: 240, rate: Some(60.0), seed: 11, ..CityOptions::default() };
    let city = fleetlens_sim::start(city).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (profile, data) = (folder.path().join("profile.toml"), folder.path().join("data"));
    std::fs::write(&profile, ProfileText::new("bulk", city.address()).toml()).unwrap();
    let onlooker = Peer::connect(&city.address(), "onlooker", &["$aws/things/+/shadow/update"]).await;
    let (host, mut desk) = start(&profile, &data).await;
    let (area, count) = district(&lamps(&mut desk).await);

    // Nothing is asked of any by looking; shadows that are not known yet are read.
    let run = dry_run(&mut desk, &order(&area, "35")).await;
    assert_eq!((run.things as usize, run.cannot, run.asks_first), (count, 0, false), "{area}: {run:?}");
    assert!(tokens(&onlooker).is_empty());
    let refused = desk.ask(Intent::Bulk(Box::new(order("no such district", "35")))).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (FaultCode::Invalid, "no thing is found"));

    let Ok(Done::Bulk(bulk)) = desk.ask(Intent::Bulk(Box::new(order(&area, "35")))).await else { panic!("not taken") };
    let all = Look::Bulk { bulk, failed: false, first: 0, count: 500 };
    let view = desk.look(all.clone()).await;
    assert_eq!((page(&desk, view).total as usize, page(&desk, view).rows.len()), (count, count));
    until(&mut desk, view, "some to have obeyed", |page| page.head.counts.settled >= 2).await;
    assert!(page(&desk, view).head.counts.waiting > 0, "not all at once: {:?}", page(&desk, view).head);
    desk.ask(Intent::SteerBulk { bulk, to: Steer::Paused }).await.unwrap();
    desk.detach().await;
    host.stop().await;
    let asked = tokens(&onlooker).len();
    assert!((2..count).contains(&asked), "{asked} of {count}");

    let (host, mut desk) = start(&profile, &data).await;
    let view = desk.look(all).await;
    let held = page(&desk, view);
    assert_eq!((&held.head.state, held.rows.len()), (&State::Paused, count), "{:?}", held.head);
    let list = desk.look(Look::Bulks { limit: 10 }).await;
    assert!(matches!(desk.rows(list), Some(Rows::Bulks(rows)) if rows.len() == 1), "{:?}", desk.rows(list));
    desk.ask(Intent::SteerBulk { bulk, to: Steer::Resumed }).await.unwrap();
    // And once more in the middle, running.
    until(&mut desk, view, "more to be asked", |page| (page.head.counts.waiting as usize) < count - asked).await;
    desk.detach().await;
    host.stop().await;
    let (host, mut desk) = start(&profile, &data).await;
    let view = desk.look(Look::Bulk { bulk, failed: false, first: 0, count: 500 }).await;
    until(&mut desk, view, "all to have obeyed", |page| page.head.state == State::Done).await;
    let done = page(&desk, view).clone();
    assert_eq!(done.head.counts.settled as usize + done.head.counts.same as usize, count, "{:?}", done.head);
    assert!(done.rows.iter().all(|row| !matches!(row.progress, Progress::Waits | Progress::Cannot { .. })));

    // On the wire and in the sheet: each of them, each once.
    let tokens = tokens(&onlooker);
    assert_eq!(tokens.len(), done.head.counts.settled as usize, "{tokens:?}");
    assert!(tokens.values().all(|tokens| tokens.len() == 1), "{tokens:?}");
    let sheet = exported(&data.join("profile-bulk.db"), bulk);
    let things: BTreeSet<&str> = sheet.iter().filter_map(|line| line["thing"].as_str()).collect();
    let commands: BTreeSet<u64> = sheet.iter().filter_map(|line| line["command"].as_u64()).collect();
    assert_eq!((things.len(), commands.len()), (count, tokens.len()));
    assert!(sheet.iter().all(|line| line["result"] == "settled" || line["result"] == "same"), "{sheet:?}");
    let Ok(Done::Exported(Exported::File { path, unread: 0 })) = desk.ask(Intent::Export(Export::Bulk(bulk))).await
    else {
        panic!("no sheet")
    };
    let saved = std::fs::read_to_string(&path).unwrap();
    let saved_things: BTreeSet<&str> = saved.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(saved.starts_with("thing,wanted,result,command,time,detail\r\n"), "{saved}");
    assert_eq!(saved_things, things, "the window saves what the command line writes out: {path}");
    let none = desk.ask(Intent::BulkAgain(bulk)).await.unwrap_err();
    assert_eq!(none.message, "no thing of this bulk command has failed");
    assert_eq!(dry_run(&mut desk, &order(&area, "35")).await.same as usize, count, "it is so now");
    let audit = Intent::Audit { filter: Filter { text: Some("bulk".into()), ..Filter::default() }, limit: 1_000 };
    let Ok(Done::Audit(entries)) = desk.ask(audit).await else { panic!("no log") };
    let told: Vec<&str> =
        entries.iter().rev().map(|entry| entry.event.code()).filter(|code| *code != "asked").collect();
    assert_eq!(told, ["refused", "bulk-asked", "bulk-paused", "bulk-resumed", "bulk-done"]);
    desk.detach().await;
    host.stop().await;
    onlooker.leave().await;
    city.stop().await;
}
