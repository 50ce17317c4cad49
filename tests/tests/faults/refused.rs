//! Caches that a start must leave alone: a newer program's, and one that somebody else has open.

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_tests::profile::ProfileText;

use super::scene::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_programs_cache_and_one_in_use_are_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = ProfileText::new("Refused", "mqtt://127.0.0.1:9".into());
    let scene = Scene::new(&text, folder.path(), folder.path());
    let options = || HostOptions { broker: BrokerChoice::None, ..scene.options() };
    let first = Host::start(options()).await.unwrap();
    let second = Host::start(options()).await.err().expect("there is a first").to_string();
    assert!(second.contains("in use by another Fleetlens"), "{second}");
    first.stop().await;

    let db = rusqlite::Connection::open(scene.cache()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let all = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect::<Vec<_>>()
    };
    let before = all();
    let newer = Host::start(options()).await.err().expect("it is newer").to_string();
    assert!(newer.contains("newer Fleetlens") && newer.contains("schema 99"), "{newer}");
    assert!(all() == before, "nothing was changed or made");
}
