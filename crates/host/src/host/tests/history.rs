//! The history of a shadow, as a window asks for it.

use fleetlens_model::id::ThingName;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::change::{Author, Change, ChangedLeaf, Side};
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;

use super::*;

/// A change of the classic shadow of thing 1.
fn changed(seq: u64) -> Write {
    let leaf = ChangedLeaf {
        side: Side::Reported,
        pointer: "/dim_pct".into(),
        before: Some("100".into()),
        after: Some("40".into()),
        at_ms: WallMs(1_780_000_000_000),
    };
    let (heard_ms, by, leaves) = (leaf.at_ms, Author::Device, vec![leaf]);
    let change = Change { seq, version: seq, heard_ms, by, leaves, more: 0 };
    Write::ShadowChanged { thing: ThingKey(1), name: String::new(), change: Box::new(change) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_shadow_is_read_by_who_sees_it_page_by_page_and_without_a_broker() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::demo().unwrap().name;
    let (store, _) = Store::open(&folder.path().join("demo.db"), &profile, 1).unwrap();
    let (name, meta) = (ThingName::new("lamp-1").unwrap(), Box::default());
    let mut writes = vec![Write::Thing { thing: ThingKey(1), name, meta }];
    writes.extend((1..=150).map(changed));
    store.commit(Arc::new(writes)).await.unwrap();
    store.close().await.unwrap();

    let as_role = |role| HostOptions { role: Some(role), ..without_broker(&folder) };
    let host = started(as_role(Role::Viewer)).await;
    let mut window = TestWindow::open(&host).await;
    let ask = |thing, before, limit| {
        let (thing, shadow) = (ThingKey(thing), String::new());
        Intent::ShadowHistory { thing, shadow, before, limit }
    };
    for (n, (intent, want)) in [
        (ask(1, None, 2), vec![150, 149]),
        (ask(1, Some(149), 0), vec![148]),
        (ask(1, None, u32::MAX), (51..=150).rev().collect()),
        (ask(1, Some(3), 20), vec![2, 1]),
        (ask(1, Some(1), 20), vec![]),
        (ask(7, None, 20), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = format!("{intent:?}");
        let Ok(Done::ShadowHistory(changes)) = window.ask(n as u32, intent).await else { panic!("{asked}") };
        assert_eq!(changes.iter().map(|change| change.seq).collect::<Vec<u64>>(), want, "{asked}");
    }
    host.stop().await;

    let host = started(as_role(Role::Driver)).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.ask(1, ask(1, None, 2)).await.unwrap_err().code, FaultCode::Forbidden, "on no driver's screen");
    host.stop().await;
}
