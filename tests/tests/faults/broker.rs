//! The broker is killed in the middle and started again with what it wrote down last: what we have acknowledged since it says once more.

use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;

use super::scene::{Scene, not_once, payload, topic};

/// How often it is killed.
const TIMES: u64 = 4;
/// Messages before each.
const EACH: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_started_again_costs_nothing_and_doubles_nothing_that_has_a_time() {
    for protocol in ["5", "3.1.1"] {
        let Some(mut broker) = Mosquitto::start(&format!("killed-{protocol}")) else { return };
        let folder = tempfile::tempdir().unwrap();
        let text = ProfileText { protocol, ..ProfileText::new("Killed", broker.url()) };
        let scene = Scene::new(&text, folder.path(), folder.path());
        let mut stage = scene.start().await;
        stage.wait_until_up().await;
        let mut published = 0;
        for _ in 0..=TIMES {
            let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
            for n in published + 1..=published + EACH {
                peer.publish(&topic(n), payload(n)).await;
            }
            published += EACH;
            // What comes before it has come, too. The broker may not have written down yet what we acknowledged.
            stage.wait_until_shown(published).await;
            peer.leave().await;
            broker.kill();
            stage.wait_until_down().await;
            broker.start_again();
            stage.wait_until_up().await;
        }
        stage.stop().await;
        let seen = scene.stored().await;
        let wrong = not_once(&seen, (1..=published).filter(|n| n.is_multiple_of(2)));
        assert!(wrong.is_empty(), "{protocol}: these are not there once: {wrong:?}");
        // What has no time, and was not on its way when the broker wrote it down, comes as if it were new; nobody can tell.
        let gone: Vec<u64> = (1..=published).filter(|n| !seen.contains_key(&format!("/n{n}"))).collect();
        assert!(gone.is_empty(), "{protocol}: these are not there: {gone:?}");
        assert_eq!(seen.len() as u64, published, "something is there that nobody sent");
    }
}
