//! A cache that cannot be written: it is said, what it knew is shown, nothing is acknowledged, and it goes on by itself when it can.

use std::path::PathBuf;

use fleetlens_ipc::Look;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::disk::{Immutable, SmallDisk};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;

use super::scene::{SOON, Scene, not_once, payload, topic};

/// The app's name with the broker.
const CLIENT: &str = "fleetlens-read-only";

fn acknowledged(broker: &Mosquitto) -> usize {
    broker.log().lines().filter(|line| line.contains(&format!("Received PUBACK from {CLIENT}"))).count()
}

async fn until_acknowledged(broker: &Mosquitto, messages: usize) {
    until(&format!("{messages} acknowledgements"), SOON, async || match acknowledged(broker) {
        count if count >= messages => Ok(()),
        count => Err(format!("{count}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_on_a_disk_that_cannot_be_written_is_shown_and_goes_on_when_it_can() {
    let Some(broker) = Mosquitto::start("read-only") else { return };
    let Some(disk) = SmallDisk::mount(32) else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some(CLIENT.into()), ..ProfileText::new("Read only", broker.url()) };
    let scene = Scene::new(&text, folder.path(), disk.path());
    let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
    let mut stage = scene.start().await;
    stage.wait_until_up().await;
    for n in 1..=50 {
        peer.publish(&topic(n), payload(n)).await;
    }
    stage.wait_until_shown(50).await;
    until_acknowledged(&broker, 50).await;
    stage.stop().await;

    disk.set_read_only(true);
    let mut stage = scene.start().await;
    let told = stage.wait_until_told("nothing can be kept").await;
    assert!(told.contains("may be written") && told.contains("not acknowledged"), "{told}");
    // What the cache knew, its history among it.
    let page = stage.desk.look_at_thing("lamp-0000").await;
    let series = stage.desk.value(page, "/n49").expect("a value out of the cache").series;
    let chart = stage.desk.look(Look::Chart { series, span_ms: 900_000, buckets: 100 }).await;
    assert!(!stage.desk.chart(chart).buckets.is_empty(), "the chart has lost its past");
    stage.desk.look_away(chart).await;
    stage.desk.look_away(page).await;
    stage.wait_until_up().await;
    for n in 51..=60 {
        peer.publish(&topic(n), payload(n)).await;
    }
    // On the screen, and nowhere else.
    stage.wait_until_shown(60).await;
    stage.wait_until_told("the cache cannot be written").await;
    assert_eq!(acknowledged(&broker), 50, "nothing is acknowledged that is not kept");

    // A command waits for the disk; of one that was not kept nothing goes out, and its person is told.
    let page = stage.desk.look_at_thing("lamp-0000").await;
    let (asked, ()) = tokio::join!(stage.desk.command(page, "/dim_pct", "35"), async { disk.set_read_only(false) });
    let refused = asked.expect_err("it was asked of a cache that could not be written");
    assert!(refused.message.contains("ask again"), "{refused:?}");
    stage.wait_until_begun(1).await;
    until_acknowledged(&broker, 60).await;
    stage.wait_until_up().await;
    stage.wait_until_shown(60).await;
    let mut late = Desk::attach(&stage.host).await;
    late.look(Look::Status).await;
    assert!(late.notices().is_empty(), "it is over: {:?}", late.notices());
    late.detach().await;
    stage.stop().await;
    let seen = scene.stored().await;
    assert_eq!((not_once(&seen, 1..=60), seen.len()), (Vec::new(), 60));
    peer.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_cannot_be_written_any_more_is_told_and_goes_on_when_it_can() {
    let Some(broker) = Mosquitto::start("immutable") else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some(CLIENT.into()), ..ProfileText::new("Immutable", broker.url()) };
    let scene = Scene::new(&text, folder.path(), folder.path());
    let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
    let mut stage = scene.start().await;
    stage.wait_until_up().await;
    for n in 1..=50 {
        peer.publish(&topic(n), payload(n)).await;
    }
    until_acknowledged(&broker, 50).await;

    let log = PathBuf::from(format!("{}-wal", scene.cache().display()));
    let Some(immutable) = Immutable::make([scene.cache().to_owned(), log]) else { return };
    for n in 51..=60 {
        peer.publish(&topic(n), payload(n)).await;
    }
    let told = stage.wait_until_told("the cache cannot be written").await;
    assert!(told.contains("Nothing is acknowledged"), "{told}");
    stage.wait_until_shown(60).await;
    assert_eq!(acknowledged(&broker), 50, "nothing is acknowledged that is not kept");

    drop(immutable);
    until_acknowledged(&broker, 60).await;
    assert_eq!(stage.desk.begun(), 0, "the same run goes on");
    stage.stop().await;
    let seen = scene.stored().await;
    assert_eq!((not_once(&seen, 1..=60), seen.len()), (Vec::new(), 60));
    peer.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_at_the_start_hides_nothing_and_goes_on_when_there_is_room() {
    let Some(broker) = Mosquitto::start("full") else { return };
    let Some(disk) = SmallDisk::mount(16) else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText { client_id: Some(CLIENT.into()), ..ProfileText::new("Full", broker.url()) };
    let scene = Scene::new(&text, folder.path(), disk.path());
    let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
    let mut stage = scene.start().await;
    stage.wait_until_up().await;
    for n in 1..=50 {
        peer.publish(&topic(n), payload(n)).await;
    }
    until_acknowledged(&broker, 50).await;
    stage.stop().await;

    disk.fill();
    let mut stage = scene.start().await;
    stage.wait_until_up().await;
    for n in 51..=60 {
        peer.publish(&topic(n), payload(n)).await;
    }
    stage.wait_until_shown(49).await;
    stage.wait_until_shown(60).await;
    let told = stage.wait_until_told("the disk is full").await;
    assert!(told.contains("free some space"), "{told}");
    assert_eq!(acknowledged(&broker), 50, "nothing is acknowledged that is not kept");

    disk.empty();
    until_acknowledged(&broker, 60).await;
    stage.stop().await;
    let seen = scene.stored().await;
    assert_eq!((not_once(&seen, 1..=60), seen.len()), (Vec::new(), 60));
    peer.leave().await;
}
