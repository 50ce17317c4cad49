//! The host: starts the parts in the order in which a person needs them and ends them in the order in which nothing is lost.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fleetlens_engine::fleet::Counters;
use fleetlens_engine::port::WindowId;
use fleetlens_engine::run::{Engine, Ports, start};
use fleetlens_ipc::{Call, Fault, FaultCode, decode_call};
use fleetlens_link::{LinkConfig, LinkError};
use fleetlens_model::identity::Role;
use fleetlens_model::record::Restored;
use fleetlens_sim::CityOptions;
use fleetlens_store::{Store, StoreError};
use fleetlens_tiles::{Tiles, TilesError};
use thiserror::Error;
use tokio::sync::{Mutex, RwLock, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::line::{Line, SharedCity};
use crate::ports::{LinkPort, Sink, Sinks, StorePort, SystemClock, wall_now};
use crate::profile::{Profile, ProfileError};
use crate::summary;
use crate::vigil::Vigil;

/// The demo city's map, part of the program (assets/malta/NOTICE.md). Any profile without a map of its own gets it.
static MALTA: &[u8] = include_bytes!("../../../assets/malta/malta.mbtiles");

/// Link events between link and engine. Few: what waits here is neither with the broker nor on the disk.
const EVENTS: usize = 64;

/// How long each step of a shutdown may take. The line comes first, then the engine and after it the store, and the demo city
/// beside these two; together less than the five seconds a shutdown has.
const LINE_MS: u64 = 1_200;
const ENGINE_MS: u64 = 2_600;
const STORE_MS: u64 = 900;
const CITY_MS: u64 = ENGINE_MS + STORE_MS;
const WHOLE_MS: u64 = 4_900;
const _: () = assert!(LINE_MS + ENGINE_MS + STORE_MS < WHOLE_MS && LINE_MS + CITY_MS < WHOLE_MS && WHOLE_MS < 5_000);

/// Which broker the host connects to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BrokerChoice {
    /// The demo city's when there is to be one, else the profile's.
    #[default]
    Own,
    /// This one, with the profile's topics: `mqtt://host[:port]`.
    At(String),
    /// None at all: the cache alone.
    None,
}

/// How to start a host.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The folder of the caches; made when missing.
    pub data_dir: PathBuf,
    /// The profile's file; `None` for the built-in demo city.
    pub profile: Option<PathBuf>,
    /// A city to start inside this process, on a broker of its own on a loopback port.
    pub demo: Option<CityOptions>,
    /// Which broker.
    pub broker: BrokerChoice,
    /// A role instead of the profile's.
    pub role: Option<Role>,
    /// Where to write what the app tells about itself every second.
    pub summary: Option<PathBuf>,
    /// When the process began.
    pub started: Instant,
}

impl HostOptions {
    /// The demo city with everything, its cache in this folder.
    pub fn demo(data_dir: impl Into<PathBuf>) -> HostOptions {
        HostOptions {
            data_dir: data_dir.into(),
            profile: None,
            demo: Some(CityOptions::default()),
            broker: BrokerChoice::Own,
            role: None,
            summary: None,
            started: Instant::now(),
        }
    }
}

/// Why a host cannot start.
#[derive(Debug, Error)]
pub enum HostError {
    /// The profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The folder of the caches cannot be made.
    #[error("the folder {path} cannot be made: {why}; choose another with --data-dir")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        why: String,
    },
    /// The cache cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The map's tiles cannot be read.
    #[error(transparent)]
    Tiles(#[from] TilesError),
    /// The broker's address, or what else the link is told, can never work.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The work was cut short, because the runtime ends.
    #[error("the start was interrupted")]
    Interrupted,
}

/// A running host. [`Host::stop`] it; dropping it commits what is queued, but neither says goodbye nor waits.
pub struct Host {
    engine: RwLock<Option<Engine>>,
    store: Store,
    sinks: Sinks,
    windows: AtomicU64,
    tiles: Arc<Tiles>,
    city: SharedCity,
    demo: Option<CityOptions>,
    counters: watch::Receiver<Counters>,
    vigil: Vigil,
    /// From the first word of a shutdown: no more intents, and what ends now is meant to.
    ending: CancellationToken,
    /// Everything has ended.
    ended: CancellationToken,
    stop_summary: CancellationToken,
    tasks: Mutex<Option<Tasks>>,
}

struct Tasks {
    line: JoinHandle<()>,
    summary: Option<JoinHandle<()>>,
}

impl Host {
    /// Reads profile and cache and starts the engine on the current Tokio runtime; the demo city and the link come up behind it.
    /// Returns in the time the cache needs. Fails on a wrong profile, an unusable cache or map, and an address that can never
    /// work; a broker that is not there is no failure.
    pub async fn start(options: HostOptions) -> Result<Host, HostError> {
        let prepared = tokio::task::spawn_blocking({
            let options = options.clone();
            move || Prepared::read(&options)
        });
        let Prepared { profile, store, restored, tiles } = prepared.await.map_err(|_| HostError::Interrupted)??;

        let config = match &options.broker {
            BrokerChoice::None => None,
            BrokerChoice::Own | BrokerChoice::At(_) => Some(link_config(&options, &profile, restored.installation)?),
        };
        let demo = options.demo.filter(|_| options.broker == BrokerChoice::Own);
        let ending = CancellationToken::new();
        let vigil = Vigil::new(ending.clone());
        let (events, events_in) = mpsc::channel(EVENTS);
        let (port, sinks, city) = (LinkPort::default(), Sinks::default(), SharedCity::default());
        let ports = Ports {
            link: port.clone(),
            store: StorePort(store.clone()),
            ui: sinks.clone(),
            clock: SystemClock::since(options.started),
        };
        let fleet = profile.fleet_config(broker_in_words(&options.broker, demo.is_some(), &profile));
        let engine = start(fleet, restored, events_in, ports);
        let counters = engine.counters();
        let stop_summary = CancellationToken::new();
        let line = Line { config, demo: demo.clone(), city: Arc::clone(&city), port, events, stop: ending.clone() };
        let line = tokio::spawn(line.run(vigil.over("the link")));
        let summary = options
            .summary
            .map(|path| tokio::spawn(summary::write(path, options.started, counters.clone(), stop_summary.clone())));
        tokio::spawn(watch_engine(vigil.clone(), counters.clone(), ending.clone()));
        Ok(Host {
            engine: RwLock::new(Some(engine)),
            store,
            sinks,
            windows: AtomicU64::new(0),
            tiles,
            city,
            demo,
            counters,
            vigil,
            ending,
            ended: CancellationToken::new(),
            stop_summary,
            tasks: Mutex::new(Some(Tasks { line, summary })),
        })
    }

    /// A window is there; its parcels go to `sink` from now on. It says `Hello` and what it looks at by [`Host::call`].
    pub async fn attach(&self, sink: Sink) -> Result<WindowId, Fault> {
        let window = WindowId(self.windows.fetch_add(1, Ordering::Relaxed) + 1);
        self.sinks.insert(window, sink);
        let engine = self.engine.read().await;
        if let Some(engine) = engine.as_ref()
            && engine.attach(window).await
        {
            return Ok(window);
        }
        self.sinks.remove(window);
        Err(ended())
    }

    /// A window says something, in bytes of the contract. Waits while the engine has many calls before it.
    pub async fn call(&self, window: WindowId, call: &[u8]) -> Result<(), Fault> {
        let call = decode_call(call).map_err(|e| Fault::new(FaultCode::Invalid, e.to_string()))?;
        if self.ending.is_cancelled() && matches!(call, Call::Ask { .. }) {
            return Err(Fault::new(FaultCode::TooLate, "Fleetlens is closing and takes no more commands"));
        }
        let engine = self.engine.read().await;
        match engine.as_ref() {
            Some(engine) if engine.call(window, call).await => Ok(()),
            Some(_) | None => Err(ended()),
        }
    }

    /// A window is gone. Nothing is sent to its sink after this.
    pub async fn detach(&self, window: WindowId) {
        self.sinks.remove(window);
        if let Some(engine) = self.engine.read().await.as_ref() {
            engine.detach(window).await;
        }
    }

    /// One tile of the map, unzipped; see [`Tiles::tile`]. Blocks on the disk: not for an async thread.
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, TilesError> {
        self.tiles.tile(z, x, y)
    }

    /// Counts since the start, as they change.
    pub fn counters(&self) -> watch::Receiver<Counters> {
        self.counters.clone()
    }

    /// Resolves, with a sentence, when a part has ended that the app cannot do without. The program should end then.
    pub async fn failed(&self) -> String {
        self.vigil.ended().await
    }

    /// Where the demo city's broker listens, once it does.
    pub async fn demo_address(&self) -> Option<String> {
        self.city.lock().await.as_ref().map(fleetlens_sim::City::address)
    }

    /// Stops the demo city's broker and nothing else, to see what the app does without it. Does nothing without a demo city.
    pub async fn stop_broker(&self) {
        if let Some(city) = self.city.lock().await.as_mut() {
            city.stop_broker().await;
        }
    }

    /// Starts the demo city's broker again where it was. Fails when its port was taken meanwhile.
    pub async fn start_broker(&self) -> Result<(), String> {
        match (self.city.lock().await.as_mut(), &self.demo) {
            (Some(city), Some(options)) => city.start_broker(options).await.map_err(|e| e.to_string()),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// Ends everything in order, within five seconds: refuse intents, disconnect, drain, commit, checkpoint. What could not be
    /// committed in time was not acknowledged either, so the broker still has it. A second call waits for the first: who
    /// returns from here may end the process.
    pub async fn stop(&self) {
        self.ending.cancel();
        let Some(tasks) = self.tasks.lock().await.take() else { return self.ended.cancelled().await };
        // Also when this call is dropped half-way: nobody else would end the rest.
        let _told_at_the_end = self.ended.clone().drop_guard();
        if timeout(Duration::from_millis(WHOLE_MS), self.end(tasks)).await.is_err() {
            tracing::error!("not everything ended within 5 s");
        }
    }

    async fn end(&self, mut tasks: Tasks) {
        if timeout(Duration::from_millis(LINE_MS), &mut tasks.line).await.is_err() {
            tracing::warn!("the broker did not take our goodbye in time");
            tasks.line.abort();
            // That it was aborted is known; the engine must not end while the line still talks to it.
            let _ = tasks.line.await;
        }
        let engine = self.engine.write().await.take();
        let fleet = async {
            if let Some(engine) = engine
                && !engine.stop_within(Duration::from_millis(ENGINE_MS)).await
            {
                tracing::error!("the engine did not end in time");
            }
            match timeout(Duration::from_millis(STORE_MS), self.store.clone().close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the cache was not closed properly"),
                Err(_) => tracing::error!("the cache did not close in time"),
            }
        };
        let city = async {
            if let Some(city) = self.city.lock().await.take() {
                city.stop().await;
            }
        };
        let city = async {
            // Dropped half-way it still ends, only without being waited for.
            if timeout(Duration::from_millis(CITY_MS), city).await.is_err() {
                tracing::debug!("the demo city did not end in time");
            }
        };
        tokio::join!(fleet, city);
        self.stop_summary.cancel();
        if let Some(summary) = tasks.summary {
            // It ends at the next look at its token; a panic there was said already.
            let _ = summary.await;
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.ending.cancel();
        self.stop_summary.cancel();
        if let (Some(engine), Ok(runtime)) = (self.engine.get_mut().take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(engine.stop());
        }
    }
}

/// What blocks at the start.
struct Prepared {
    profile: Profile,
    store: Store,
    restored: Restored,
    tiles: Arc<Tiles>,
}

impl Prepared {
    fn read(options: &HostOptions) -> Result<Prepared, HostError> {
        let mut profile = match &options.profile {
            Some(path) => Profile::read(path)?,
            None => Profile::demo()?,
        };
        if let Some(role) = options.role {
            profile.who.role = role;
        }
        let tiles = Arc::new(match &profile.tiles {
            Some(path) => Tiles::open(path)?,
            None => Tiles::embedded(MALTA)?,
        });
        std::fs::create_dir_all(&options.data_dir)
            .map_err(|e| HostError::Folder { path: options.data_dir.display().to_string(), why: e.to_string() })?;
        let path = options.data_dir.join(profile.cache_file());
        let (store, restored, _) = Store::open_or_quarantine(&path, &profile.name, rand::random(), wall_now())?;
        tracing::info!(cache = %path.display(), things = restored.things.len(), "the cache is read");
        Ok(Prepared { profile, store, restored, tiles })
    }
}

/// What the link is told. With a demo city the address is filled in once it is known.
fn link_config(options: &HostOptions, profile: &Profile, installation: u64) -> Result<LinkConfig, LinkError> {
    let filters = profile.fleet_config(String::new()).filters();
    let mut config = profile.link_config(installation, filters);
    if let BrokerChoice::At(url) = &options.broker {
        config.url.clone_from(url);
    }
    config.validate()?;
    Ok(config)
}

/// The broker as the status bar names it.
fn broker_in_words(choice: &BrokerChoice, demo: bool, profile: &Profile) -> String {
    let protocol = profile.broker.protocol;
    match choice {
        BrokerChoice::None => "no broker".into(),
        BrokerChoice::At(url) => format!("{url} · {protocol}"),
        BrokerChoice::Own if demo => format!("embedded broker · {protocol}"),
        BrokerChoice::Own => format!("{} · {protocol}", profile.broker.url),
    }
}

/// Tells when the engine's end closes its counters although nobody asked it to end.
async fn watch_engine(vigil: Vigil, mut counters: watch::Receiver<Counters>, stop: CancellationToken) {
    let ended = async { while counters.changed().await.is_ok() {} };
    tokio::select! {
        () = stop.cancelled() => {}
        () = ended => vigil.tell("the engine has failed".into()),
    }
}

fn ended() -> Fault {
    Fault::new(FaultCode::Store, "Fleetlens has stopped; start it again")
}

#[cfg(test)]
mod tests;
