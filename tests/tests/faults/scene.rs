//! A host of a profile of its own, numbered messages for it, and what its cache holds of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{Host, HostError, HostOptions, Profile};
use fleetlens_ipc::rows::{LinkState, Status};
use fleetlens_ipc::{Look, ViewId};
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Store, StoreError};
use fleetlens_tests::desk::Desk;
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::wait::until;
use serde_json::json;

/// Generous: two cores, and other tests beside this one. A link that failed some times waits seconds before it tries again.
pub const SOON: Duration = Duration::from_secs(60);

/// Where a profile and its cache lie.
pub struct Scene {
    options: HostOptions,
    cache: PathBuf,
    name: String,
}

impl Scene {
    /// The profile is written into `folder`, the cache will be in `data`.
    pub fn new(text: &ProfileText, folder: &Path, data: &Path) -> Scene {
        let profile = text.write(folder);
        let cache = data.join(Profile::read(&profile).unwrap().cache_file());
        let options = HostOptions { profile: Some(profile), demo: None, ..HostOptions::demo(data) };
        Scene { options, cache, name: text.name.clone() }
    }

    /// The cache's file.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// How a host of it is started.
    pub fn options(&self) -> HostOptions {
        self.options.clone()
    }

    /// A host with somebody who looks at its status.
    pub async fn start(&self) -> Stage {
        Stage::start(&self.options).await
    }

    /// How many samples each series holds, and the last of them, once nobody has the cache open.
    pub async fn stored(&self) -> BTreeMap<String, (u32, f64)> {
        let opened = until("the cache to be let go of", SOON, async || {
            Store::open(&self.cache, &self.name, 0).map_err(|error| {
                assert!(matches!(error, StoreError::InUse { .. }), "{error}");
                error.to_string()
            })
        });
        let (store, restored) = opened.await;
        let mut seen = BTreeMap::new();
        for (series, _, pointer) in restored.series {
            let to_ms = WallMs(now_ms() + 86_400_000);
            let all = HistoryQuery { series, from_ms: WallMs(0), to_ms, bucket_ms: 1, up_to_seq: u64::MAX };
            let history = store.history(all).await.unwrap();
            let count = history.iter().map(|bucket| bucket.count).sum();
            let last = history.last().map_or(f64::NAN, |bucket| bucket.last);
            assert!(seen.insert(pointer.as_str().to_owned(), (count, last)).is_none(), "two series of one name");
        }
        store.close().await.unwrap();
        seen
    }
}

/// A running host and a window that looks at its status.
pub struct Stage {
    pub host: Arc<Host>,
    pub desk: Desk,
    status: ViewId,
}

impl Stage {
    /// A host with somebody who looks at its status.
    pub async fn start(options: &HostOptions) -> Stage {
        // A host takes no longer than five seconds for its end; on a busy machine the disk may take longer.
        let host = until("the cache to be free", SOON, async || {
            let options = HostOptions { started: Instant::now(), ..options.clone() };
            Host::start(options).await.map_err(|error| {
                assert!(matches!(error, HostError::Store(StoreError::InUse { .. })), "{error}");
                error.to_string()
            })
        });
        let host = Arc::new(host.await);
        let mut desk = Desk::attach(&host).await;
        let status = desk.look(Look::Status).await;
        Stage { host, desk, status }
    }

    /// Waits for something of the status.
    pub async fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&Status) -> Option<T>) -> T {
        let status = self.status;
        let seen = |desk: &Desk| look(desk.status(status)).ok_or_else(|| format!("{:?}", desk.status(status)));
        self.desk.wait_for(what, SOON, seen).await
    }

    pub async fn wait_until_up(&mut self) {
        self.wait_for("the link to be up", |status| matches!(status.link, LinkState::Up { .. }).then_some(())).await;
    }

    pub async fn wait_until_down(&mut self) {
        self.wait_for("the link to fall", |status| matches!(status.link, LinkState::Connecting { .. }).then_some(()))
            .await;
    }

    /// Waits until the windows were told to begin again so many times, and looks at the status anew.
    pub async fn wait_until_begun(&mut self, times: u32) {
        self.desk
            .wait_for("the windows to begin again", SOON, |desk| match desk.begun() {
                begun if begun >= times => Ok(()),
                begun => Err(format!("{begun} times")),
            })
            .await;
        self.status = self.desk.look(Look::Status).await;
    }

    /// Waits until a window is told something.
    pub async fn wait_until_told(&mut self, what: &str) -> String {
        self.desk
            .wait_for(what, SOON, |desk| {
                let told = desk.notices().iter().find(|notice| notice.message.contains(what));
                told.map(|notice| notice.message.clone()).ok_or_else(|| format!("{:?}", desk.notices()))
            })
            .await
    }

    /// Waits until message `n` is on a page.
    pub async fn wait_until_shown(&mut self, n: u64) {
        let name = thing_of(n);
        let found = self.desk.look(Look::Find { text: name.clone(), limit: 10 }).await;
        let thing = self
            .desk
            .wait_for(&format!("{name}, the thing of message {n}"), SOON, |desk| {
                desk.found(found).iter().find(|row| row.name == name).map(|row| row.thing).ok_or("not found".to_owned())
            })
            .await;
        self.desk.look_away(found).await;
        let page = self.desk.look(Look::Thing { thing }).await;
        self.desk
            .wait_for(&format!("message {n}"), SOON, |desk| {
                let value = desk.value(page, &format!("/n{n}")).map(drop);
                value.ok_or_else(|| format!("{} values", desk.page(page).values.len()))
            })
            .await;
        self.desk.look_away(page).await;
    }

    pub async fn stop(self) {
        self.desk.detach().await;
        self.host.stop().await;
    }
}

fn thing_of(n: u64) -> String {
    format!("lamp-{:04}", n / 100)
}

pub fn topic(n: u64) -> String {
    format!("city/valletta/lamp/{}/telemetry", thing_of(n))
}

/// Message `n` in a series of its own, so that a value that came twice cannot hide behind one that did not come. Every second one has
/// no time of its own: of those a redelivery can only be known by its packet.
pub fn payload(n: u64) -> String {
    let mut payload = json!({ "values": { format!("n{n}"): n } });
    if n.is_multiple_of(2) {
        payload["ts"] = now_ms().into();
    }
    payload.to_string()
}

/// Those of these messages that are not there once, and what is there instead.
pub fn not_once(seen: &BTreeMap<String, (u32, f64)>, numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    let wrong = numbers.into_iter().filter_map(|n| match seen.get(&format!("/n{n}")) {
        Some((1, value)) if *value == n as f64 => None,
        other => Some(format!("{n}: {other:?}")),
    });
    wrong.collect()
}
