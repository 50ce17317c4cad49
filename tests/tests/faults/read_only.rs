//! A cache that cannot be written: it is said, what it knew is shown, nothing is acknowledged, and it goes on by itself when it can.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use fleetlens_ipc::Look;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::disk::{Immutable, SmallDisk};
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use tempfile::TempDir;

use super::scene::{SOON, Scene, Stage, not_once, payload, topic};

/// The app's name with the broker.
const CLIENT: &str = "fleetlens-read-only";

/// A broker, somebody who publishes to it, and a host whose cache has kept the first fifty messages.
struct Fifty {
    broker: Mosquitto,
    peer: Peer,
    scene: Scene,
    /// Of the profile.
    _folder: TempDir,
}

impl Fifty {
    /// `None` where there is no broker.
    async fn kept(name: &str, data: &Path) -> Option<(Fifty, Stage)> {
        let broker = Mosquitto::start(name)?;
        let folder = tempfile::tempdir().unwrap();
        let text = ProfileText { client_id: Some(CLIENT.into()), ..ProfileText::new(name, broker.url()) };
        let scene = Scene::new(&text, folder.path(), data);
        let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
        let mut stage = scene.start().await;
        stage.wait_until_up().await;
        let it = Fifty { broker, peer, scene, _folder: folder };
        it.publish(1..=50).await;
        stage.wait_until_shown(50).await;
        it.until_acknowledged(50).await;
        Some((it, stage))
    }

    async fn publish(&self, numbers: RangeInclusive<u64>) {
        for n in numbers {
            self.peer.publish(&topic(n), payload(n)).await;
        }
    }

    fn acknowledged(&self) -> usize {
        let puback = format!("Received PUBACK from {CLIENT}");
        self.broker.log().lines().filter(|line| line.contains(&puback)).count()
    }

    async fn until_acknowledged(&self, messages: usize) {
        until(&format!("{messages} acknowledgements"), SOON, async || match self.acknowledged() {
            count if count >= messages => Ok(()),
            count => Err(format!("{count}")),
        })
        .await;
    }

    fn nothing_more_is_acknowledged(&self) {
        assert_eq!(self.acknowledged(), 50, "nothing is acknowledged that is not kept");
    }

    /// Each of the sixty messages is in the cache, once.
    async fn ends_with_sixty(self, stage: Stage) {
        stage.stop().await;
        let seen = self.scene.stored().await;
        assert_eq!((not_once(&seen, 1..=60), seen.len()), (Vec::new(), 60));
        self.peer.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_on_a_disk_that_cannot_be_written_is_shown_and_goes_on_when_it_can() {
    let Some(disk) = SmallDisk::mount(32) else { return };
    let Some((fifty, stage)) = Fifty::kept("read-only", disk.path()).await else { return };
    stage.stop().await;

    disk.set_read_only(true);
    let mut stage = fifty.scene.start().await;
    let told = stage.wait_until_told("nothing can be kept").await;
    assert!(told.contains("may be written") && told.contains("not acknowledged"), "{told}");
    // What the cache knew, its history among it.
    let page = stage.desk.look_at_thing("lamp-0000").await;
    let series = stage.desk.value(page, "/n49").expect("a value out of the cache").series;
    let chart = stage.desk.look(Look::Chart { series, until_ms: None, span_ms: 900_000, buckets: 100 }).await;
    assert!(!stage.desk.chart(chart).buckets.is_empty(), "the chart has lost its past");
    stage.desk.look_away(chart).await;
    stage.desk.look_away(page).await;
    stage.wait_until_up().await;
    fifty.publish(51..=60).await;
    // On the screen, and nowhere else.
    stage.wait_until_shown(60).await;
    stage.wait_until_told("the cache cannot be written").await;
    fifty.nothing_more_is_acknowledged();

    // A command waits for the disk; of one that was not kept nothing goes out, and its person is told.
    let page = stage.desk.look_at_thing("lamp-0000").await;
    let (asked, ()) = tokio::join!(stage.desk.command(page, "/dim_pct", "35"), async { disk.set_read_only(false) });
    let refused = asked.expect_err("it was asked of a cache that could not be written");
    assert!(refused.message.contains("ask again"), "{refused:?}");
    stage.wait_until_begun(1).await;
    fifty.until_acknowledged(60).await;
    stage.wait_until_up().await;
    stage.wait_until_shown(60).await;
    let mut late = Desk::attach(&stage.host).await;
    late.look(Look::Status).await;
    assert!(late.notices().is_empty(), "it is over: {:?}", late.notices());
    late.detach().await;
    fifty.ends_with_sixty(stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_cannot_be_written_any_more_is_told_and_goes_on_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let Some((fifty, mut stage)) = Fifty::kept("immutable", folder.path()).await else { return };

    let cache = fifty.scene.cache().to_owned();
    let log = PathBuf::from(format!("{}-wal", cache.display()));
    let Some(immutable) = Immutable::make([cache, log]) else { return };
    fifty.publish(51..=60).await;
    let told = stage.wait_until_told("the cache cannot be written").await;
    assert!(told.contains("Nothing is acknowledged"), "{told}");
    stage.wait_until_shown(60).await;
    fifty.nothing_more_is_acknowledged();

    drop(immutable);
    fifty.until_acknowledged(60).await;
    assert_eq!(stage.desk.begun(), 0, "the same run goes on");
    fifty.ends_with_sixty(stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_at_the_start_hides_nothing_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(16) else { return };
    let Some((fifty, stage)) = Fifty::kept("full", disk.path()).await else { return };
    stage.stop().await;

    disk.fill();
    let mut stage = fifty.scene.start().await;
    stage.wait_until_up().await;
    fifty.publish(51..=60).await;
    stage.wait_until_shown(49).await;
    stage.wait_until_shown(60).await;
    let told = stage.wait_until_told("the disk is full").await;
    assert!(told.contains("free some space"), "{told}");
    fifty.nothing_more_is_acknowledged();

    disk.empty();
    fifty.until_acknowledged(60).await;
    fifty.ends_with_sixty(stage).await;
}
