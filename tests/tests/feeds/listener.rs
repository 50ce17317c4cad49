//! The app without a window, listening with a profile to a broker of the test's own.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::LinkState;
use fleetlens_ipc::{Look, ViewId};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::telemetry::Sample;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
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
    series: BTreeMap<(String, String), SeriesKey>,
    file: Reading,
    _folder: tempfile::TempDir,
}

impl Cached {
    /// Every sample of a series, by time: when it was measured, in milliseconds since 1970, and its number.
    pub fn samples(&self, thing: &str, pointer: &str) -> Vec<(i64, Option<f64>)> {
        let mut samples = Vec::new();
        let series = self.series[&(thing.to_owned(), pointer.to_owned())];
        let all = WallMs(0)..WallMs(i64::MAX);
        let whole = self.file.samples(series, all, |sample| {
            samples.push((sample.device_ms.0, sample.value.as_number()));
            ControlFlow::Continue(())
        });
        assert!(whole.unwrap());
        samples
    }
}

impl Listener {
    /// Listens with `assets/profiles/PROFILE.toml`; `None` where there is no Mosquitto.
    pub async fn start_shipped(profile: &str) -> Option<Listener> {
        Listener::start(&place::root().join("assets/profiles").join(profile).with_extension("toml")).await
    }

    /// Listens with a profile.
    pub async fn start(profile: &Path) -> Option<Listener> {
        let name = profile.file_stem().unwrap().to_string_lossy();
        let broker = Mosquitto::start(&format!("feeds-{name}"))?;
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("feed.db");
        // What is as old as these recordings would be gone in a moment.
        std::fs::write(folder.path().join("settings.toml"), "[cache]\nkeep_days = 3650\nmax_mb = 2000\n").unwrap();
        let options = HostOptions {
            profile: Some(profile.to_owned()),
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
            other @ (LinkState::Starting | LinkState::Connecting { .. }) => Err(format!("{other:?}")),
        })
        .await;
        let feed = Peer::connect(&broker.url(), &name, &[]).await;
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
        let Listener { desk, feed, host, cache, _folder, .. } = self;
        feed.leave().await;
        desk.detach().await;
        host.stop().await;
        let file = Reading::open(&cache).unwrap();
        let things: BTreeMap<_, _> =
            file.things().unwrap().into_iter().map(|(key, name, meta)| (key, (name.to_string(), meta))).collect();
        let named = |(key, of, pointer)| (key, (things[&of].0.clone(), pointer));
        let series: BTreeMap<SeriesKey, (String, String)> = file.series().unwrap().into_iter().map(named).collect();
        let latest = file.latest().unwrap();
        let latest = latest.into_iter().map(|sample| (series[&sample.series].clone(), sample)).collect();
        let mut refused = BTreeMap::new();
        for refusal in file.refusals().unwrap() {
            *refused.entry(refusal.reason).or_default() += refusal.count;
        }
        let series = series.into_iter().map(|(key, name)| (name, key)).collect();
        Cached { things: things.into_values().collect(), latest, refused, series, file, _folder }
    }
}
