//! The cache is damaged under a running app: it is kept with its date, what can be read goes into a new one, and the app goes on by
//! itself. Nothing was acknowledged that is not there.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use fleetlens_host::{CityOptions, HostOptions};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::profile::ProfileText;

use super::scene::{SOON, Scene, Stage, not_once, payload, topic};

const PAGE: usize = 4_096;
/// Of whom the refusal is that lies on the page that is harmed: no start reads those, so nobody has it in memory.
const LIAR: &str = "city/valletta/lamp/liar/telemetry";
/// Messages of each stretch: before the app is started again, until the file is harmed, until it is mended, and after it.
const STRETCH: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// The pages with the refusal become nonsense.
    Flipped,
    /// The file ends before them.
    CutOff,
}

fn harm(cache: &Path, harm: Harm) {
    let bytes = fs::read(cache).unwrap();
    let text = LIAR.as_bytes();
    let pages: Vec<usize> = bytes
        .chunks(PAGE)
        .enumerate()
        .filter_map(|(n, page)| page.windows(text.len()).any(|window| window == text).then_some(n))
        .collect();
    let first = *pages.first().expect("the refusal is in the file");
    let file = File::options().write(true).open(cache).unwrap();
    match harm {
        Harm::Flipped => {
            for page in pages {
                file.write_all_at(&[0xff; 8], (page * PAGE) as u64).unwrap();
            }
        }
        Harm::CutOff => file.set_len((first * PAGE) as u64).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_is_damaged_in_use_is_mended_while_messages_come() {
    for (kind, protocol) in [(Harm::Flipped, "5"), (Harm::Flipped, "3.1.1"), (Harm::CutOff, "5")] {
        let Some(broker) = Mosquitto::start(&format!("damage-{kind:?}-{protocol}")) else { return };
        let folder = tempfile::tempdir().unwrap();
        let text = ProfileText { protocol, ..ProfileText::new("Damage", broker.url()) };
        let scene = Scene::new(&text, folder.path(), folder.path());
        let peer = Peer::connect(&broker.url(), "publisher", &[]).await;
        let publish = async |stretch: u64| {
            for n in (stretch - 1) * STRETCH + 1..=stretch * STRETCH {
                peer.publish(&topic(n), payload(n)).await;
            }
        };

        let mut stage = scene.start().await;
        stage.wait_until_up().await;
        peer.publish(LIAR, "no JSON").await;
        publish(1).await;
        stage.wait_until_shown(STRETCH).await;
        stage.wait_for("the lie to be refused", |status| (status.refused == 1).then_some(())).await;
        stage.stop().await;

        let mut stage = scene.start().await;
        stage.wait_until_up().await;
        publish(2).await;
        harm(scene.cache(), kind);
        peer.publish(LIAR, "no JSON, once more").await;
        publish(3).await;
        let told = stage.wait_until_told("is kept as").await;
        assert!(told.contains("was damaged") && told.contains(".broken-") && told.contains("taken over"), "{told}");
        stage.wait_until_begun(1).await;
        publish(4).await;
        stage.wait_until_up().await;
        stage.wait_until_shown(4 * STRETCH).await;
        // Whoever comes later is told, too.
        let mut late = Desk::attach(&stage.host).await;
        let told_late = |desk: &Desk| {
            let knows = desk.notices().iter().any(|notice| notice.message == told);
            if knows { Ok(()) } else { Err(format!("{:?}", desk.notices())) }
        };
        late.wait_for("what became of the cache", SOON, told_late).await;
        late.detach().await;
        assert_eq!(stage.desk.begun(), 1, "once is enough");
        stage.stop().await;

        let names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let aside = |name: &&String| name.contains(".broken-") && !name.ends_with("-wal") && !name.ends_with("-shm");
        assert_eq!(names.iter().filter(aside).count(), 1, "mended once: {names:?}");
        assert!(!names.iter().any(|name| name.ends_with(".damaged") || name.contains(".salvage")), "{names:?}");
        let seen = scene.stored().await;
        // What was cut off is gone; what came after it is not.
        let from = if kind == Harm::Flipped { 1 } else { 3 * STRETCH + 1 };
        let wrong = not_once(&seen, from..=4 * STRETCH);
        assert!(wrong.is_empty(), "{kind:?} {protocol}: these are not there once: {wrong:?}");
        peer.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_city_lives_on_while_its_cache_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let city = CityOptions { things: 60, seed: 7, ..CityOptions::default() };
    let options = HostOptions { demo: Some(city), ..HostOptions::demo(folder.path()) };
    let lie = async |stage: &Stage| {
        let address = stage.host.demo_address().await.expect("the city lives");
        let liar = Peer::connect(&address, "liar", &[]).await;
        liar.publish(LIAR, "no JSON").await;
        liar.leave().await;
        address
    };
    let mut stage = Stage::start(&options).await;
    stage.wait_until_up().await;
    lie(&stage).await;
    stage.wait_for("the lie to be refused", |status| (status.refused == 1).then_some(())).await;
    stage.stop().await;

    let mut stage = Stage::start(&options).await;
    stage.wait_until_up().await;
    harm(&folder.path().join("demo.db"), Harm::Flipped);
    let address = lie(&stage).await;
    stage.wait_until_begun(1).await;
    stage.wait_until_told("is kept as").await;
    stage.wait_until_up().await;
    assert_eq!(stage.host.demo_address().await, Some(address), "the same broker");
    stage.wait_for("the city to speak", |status| (status.stored > 0 && status.things >= 60).then_some(())).await;
    stage.stop().await;
}
