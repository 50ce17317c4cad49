//! The app without a window, listening with a shipped profile to a broker of the test's own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::LinkState;
use fleetlens_ipc::{Look, ViewId};
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_store::Reading;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;
use fleetlens_tests::place;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(120);

/// A host that listens, a window to look at it, and the feed's publisher.
pub struct Listener {
    pub desk: Desk,
    pub feed: Peer,
    host: Arc<Host>,
    status: ViewId,
    cache: PathBuf,
    _folder: tempfile::TempDir,
    _broker: Mosquitto,
}

/// What stands in the cache at the end.
pub struct Cached {
    /// Things by name.
    pub things: BTreeMap<String, Meta>,
    /// The latest value of every series by thing and pointer.
    pub latest: BTreeMap<(String, String), Sample>,
    /// How often what was refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Listener {
    /// Listens with `assets/profiles/PROFILE.toml`; `None` where there is no Mosquitto.
    pub async fn start(profile: &str) -> Option<Listener> {
        let broker = Mosquitto::start(&format!("feeds-{profile}"))?;
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("feed.db");
        let options = HostOptions {
            profile: Some(place::root().join("assets/profiles").join(profile).with_extension("toml")),
            cache: Some(cache.clone()),
            demo: None,
            broker: BrokerChoice::At(broker.url()),
            started: Instant::now(),
            ..HostOptions::demo(folder.path())
        };
        let host = Arc::new(Host::start(options).await.unwrap());
        let mut desk = Desk::attach(&host).await;
        let status = desk.look(Look::Status).await;
        desk.wait_for("the link to be up", SOON, |desk| match &desk.status(status).link {
            LinkState::Up { .. } => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let feed = Peer::connect(&broker.url(), profile, &[]).await;
        Some(Listener { desk, feed, host, status, cache, _folder: folder, _broker: broker })
    }

    /// Waits until so many messages were taken or refused, and what was taken is on the disk.
    pub async fn wait_for_all(&mut self, messages: u64) {
        let status = self.status;
        self.desk
            .wait_for("every message to be stored or refused", SOON, |desk| {
                let status = desk.status(status);
                assert_eq!(status.shed, 0, "QoS 1 sheds nothing");
                match status.stored + status.refused {
                    all if all == messages => Ok(()),
                    all => Err(format!("{all} of {messages}, {} refused", status.refused)),
                }
            })
            .await;
    }

    /// Ends in order and reads what is left.
    pub async fn end(self) -> Cached {
        let Listener { desk, feed, host, cache, .. } = self;
        feed.leave().await;
        desk.detach().await;
        host.stop().await;
        let cache = Reading::open(&cache).unwrap();
        let names: BTreeMap<_, _> =
            cache.things().unwrap().into_iter().map(|(key, name, meta)| (key, (name, meta))).collect();
        let series: BTreeMap<_, _> = cache.series().unwrap().into_iter().map(|(key, of, at)| (key, (of, at))).collect();
        let named = |sample: Sample| {
            let (thing, pointer) = &series[&sample.series];
            ((names[thing].0.to_string(), pointer.clone()), sample)
        };
        let latest = cache.latest().unwrap().into_iter().map(named).collect();
        let mut refused = BTreeMap::new();
        for refusal in cache.refusals().unwrap() {
            *refused.entry(refusal.reason).or_default() += refusal.count;
        }
        Cached { things: names.into_values().map(|(name, meta)| (name.into(), meta)).collect(), latest, refused }
    }
}
