//! Everything that lives as long as one profile is in use: cache, engine, line, demo city. A host has one after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_engine::config::FleetConfig;
use fleetlens_engine::fleet::Counters;
use fleetlens_engine::run::{Engine, Ports, start};
use fleetlens_engine::wire::registry::Registry;
use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_link::{LinkConfig, LinkError};
use fleetlens_model::keeping::Keeping;
use fleetlens_model::record::{Restored, Retention};
use fleetlens_sim::{City, CityOptions};
use fleetlens_store::{Store, StoreError};
use fleetlens_tiles::{Tiles, TilesError};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::diagnose::LastCache;
use crate::host::{BrokerChoice, HostError, HostOptions};
use crate::line::{Line, SharedCity};
use crate::past::Makings;
use crate::pictures::Ground;
use crate::ports::{LinkPort, Sinks, StorePort, SystemClock, wall_now};
use crate::profile::{Profile, RegistryFile};
use crate::reach::{FileOutbox, Reaching};
use crate::settings::whole;
use crate::summary;
use crate::tiles::tile_set;
use crate::vigil::Vigil;

/// The demo city's map, part of the program (assets/malta/NOTICE.md). Any profile without a map of its own gets it.
static MALTA: &[u8] = include_bytes!("../../../assets/malta/malta.mbtiles");

/// Link events between link and engine, each of which may be some hundred messages. Few: what waits here is neither with the broker nor
/// on the disk.
const EVENTS: usize = 2;

/// How long each step of an end may take. The line comes first, then the engine and after it the store, and the demo city beside
/// these two. The store has what the others left over, 900 ms at the least: a disk that is busy with others takes its time.
const LINE_MS: u64 = 1_200;
const ENGINE_MS: u64 = 2_600;
const STEPS_MS: u64 = 4_700;

/// How long a whole end may take: less than the five seconds a shutdown has.
pub const WHOLE_MS: u64 = 4_900;
const _: () = assert!(LINE_MS + ENGINE_MS + 900 <= STEPS_MS && STEPS_MS < WHOLE_MS && WHOLE_MS < 5_000);

/// How often it is looked whether a cache can be written that could not be.
const LOOKS_AGAIN: Duration = Duration::from_secs(3);

/// How it is begun to say that a cache is only read.
pub const NOTHING_KEPT: &str = "nothing can be kept";

/// Whom to tell that the cache of the run in use should be opened anew.
pub type Mend = mpsc::Sender<()>;

/// What blocks at the start, and what can still be refused without a loss: profile, map and cache.
pub struct Prepared {
    /// The profile.
    pub profile: Profile,
    /// Its file; `None` for the demo city.
    pub file: Option<PathBuf>,
    /// The cache's file.
    pub cache: PathBuf,
    /// What became of a cache that was found damaged or cannot be written, for whoever is at a window.
    pub first_word: Option<Fault>,
    /// The cache.
    pub store: Store,
    restored: Restored,
    /// Where and how to connect; `None` stays away from every broker.
    link: Option<LinkConfig>,
    /// What the city's own list says of its things.
    registry: Arc<Registry>,
    /// The map.
    pub tiles: Arc<Tiles>,
}

impl Prepared {
    /// Reads and checks everything but the cache, which one run has at a time; returns its file. Blocks on the disk.
    pub fn check(options: &HostOptions, file: Option<PathBuf>) -> Result<PathBuf, HostError> {
        let Looked { profile, cache, .. } = Looked::at(options, file)?;
        // Any installation's number makes an address as good or as bad.
        if options.broker != BrokerChoice::None {
            link_config(&options.broker, &profile, 0)?;
        }
        Ok(cache)
    }

    /// Reads and opens everything. Blocks on the disk.
    pub fn read(options: &HostOptions, file: Option<PathBuf>) -> Result<Prepared, HostError> {
        let Looked { profile, file, cache, tiles } = Looked::at(options, file)?;
        std::fs::create_dir_all(&options.data_dir)
            .map_err(|e| HostError::Folder { path: options.data_dir.display().to_string(), why: e.to_string() })?;
        let opened = Store::open_or_quarantine(&cache, &profile.name, rand::random(), wall_now());
        let (store, restored, told) = match opened {
            Ok((store, restored, aside)) => (store, restored, aside.map(|aside| aside.to_string())),
            Err(why @ (StoreError::Io { .. } | StoreError::DiskFull { .. })) => {
                // What is in it can still be shown. Where not even that goes, the first reason is the better one.
                let Ok((store, mut restored)) = Store::look(&cache, &profile.name, why.clone()) else {
                    return Err(why.into());
                };
                if restored.installation == 0 {
                    // It is lost with what is damaged. With the broker we need a name that no other has.
                    restored.installation = rand::random();
                }
                let told = format!(
                    "{NOTHING_KEPT}: {why}. This is what the cache knew; what arrives is shown and not acknowledged, and \
                     commands wait. It goes on by itself when the cache can be written"
                );
                tracing::error!("{told}");
                (store, restored, Some(told))
            }
            Err(error) => return Err(error.into()),
        };
        tracing::info!(cache = %cache.display(), things = restored.things.len(), "the cache is read");
        let first_word = told.map(|told| Fault::new(FaultCode::Store, told));
        let registry = profile.registry.as_ref().map(RegistryFile::read).unwrap_or_default();
        if let Some(file) = &profile.registry {
            let (things, mistakes) = (registry.things().len(), registry.mistakes().count());
            tracing::info!(file = %file.path.display(), things, mistakes, "the registry is read");
        }
        let link = match &options.broker {
            BrokerChoice::None => None,
            BrokerChoice::Own | BrokerChoice::At(_) => {
                Some(link_config(&options.broker, &profile, restored.installation)?)
            }
        };
        Ok(Prepared { profile, file, cache, first_word, store, restored, link, registry: Arc::new(registry), tiles })
    }
}

/// What can be looked at while another run has the cache.
struct Looked {
    profile: Profile,
    file: Option<PathBuf>,
    cache: PathBuf,
    tiles: Arc<Tiles>,
}

impl Looked {
    fn at(options: &HostOptions, file: Option<PathBuf>) -> Result<Looked, HostError> {
        let file = file.as_deref().map(whole);
        let mut profile = match &file {
            Some(path) => Profile::read(path)?,
            None => Profile::demo()?,
        };
        if let Some(role) = options.role {
            profile.who.role = role;
        }
        let Ground { tiles, built_in: _ } = ground(&profile)?;
        let cache = options.cache.clone().unwrap_or_else(|| options.data_dir.join(profile.cache_file()));
        Ok(Looked { profile, file, cache, tiles })
    }
}

/// The map of a profile: its tiles, else those of the program.
pub fn ground(profile: &Profile) -> Result<Ground, TilesError> {
    let tiles = match &profile.tiles {
        // It grows while it is shown.
        Some(path) if crate::online::is_named(path) => Tiles::open_growing(path)?,
        Some(path) => Tiles::open(path)?,
        None => Tiles::embedded(MALTA)?,
    };
    Ok(Ground { tiles: Arc::new(tiles), built_in: profile.tiles.is_none() })
}

/// What a run is given beside its profile.
pub struct Around {
    /// How the program is set, for the windows; who is at the screen among it.
    pub settings: Settings,
    /// How much the cache keeps; `None` for everything.
    pub limits: Option<Retention>,
    /// Where parcels and alerts go.
    pub sinks: Sinks,
    /// Who watches over the parts.
    pub vigil: Vigil,
    /// Which broker.
    pub broker: BrokerChoice,
    /// The city to start, if the broker is its.
    pub demo: Option<CityOptions>,
    /// Where to write what the app tells about itself.
    pub summary: Option<PathBuf>,
    /// When the process began.
    pub started: Instant,
    /// A city that lives already.
    pub city: Option<City>,
    /// Whom to tell that the cache should be opened anew.
    pub mend: Mend,
    /// What the run was made with, to make it again.
    pub options: HostOptions,
}

/// One profile in use.
pub struct Run {
    engine: Option<Engine>,
    store: Store,
    /// What the fleet was made with, and what else it takes to make another of it.
    fleet: FleetConfig,
    clock: SystemClock,
    sinks: Sinks,
    /// What it was made with.
    pub options: HostOptions,
    /// The profile.
    pub profile: Profile,
    /// Its file; `None` for the demo city.
    pub file: Option<PathBuf>,
    /// The cache's file.
    pub cache: PathBuf,
    /// The demo city, while it lives.
    pub city: SharedCity,
    /// How the city was started.
    pub demo: Option<CityOptions>,
    /// The way to the broker.
    pub port: LinkPort,
    /// What the cache told last of itself.
    pub last_cache: Arc<LastCache>,
    /// Who tells people outside the windows, if the profile names some; `None` once that has ended.
    pub reaching: Option<Reaching>,
    /// Counts since its start, as they change.
    pub counters: watch::Receiver<Counters>,
    ending: CancellationToken,
    stop_summary: CancellationToken,
    line: Option<JoinHandle<()>>,
    summary: Option<JoinHandle<()>>,
}

impl Run {
    /// Starts the engine on the current Tokio runtime; the demo city and the link come up behind it.
    pub fn start(prepared: Prepared, around: Around) -> Run {
        let Prepared { profile, file, cache, first_word: _, store, restored, link, registry, tiles } = prepared;
        let Around { settings, limits, sinks, vigil, broker, demo, summary, started, city, mend, options } = around;
        let demo = demo.filter(|_| broker == BrokerChoice::Own);
        if let Some(limits) = limits {
            store.set_retention(Keeping::with(limits, profile.retention.iter().copied()));
        }
        let (vigil, ending) = vigil.over_a_while();
        let (events, events_in) = mpsc::channel(EVENTS);
        let (port, city) = (LinkPort::default(), SharedCity::new(Mutex::new(city)));
        let clock = SystemClock::since(started);
        let (reaching, teller) = match profile.reach.clone() {
            outlets if outlets.is_empty() => (None, None),
            outlets => {
                let outbox = FileOutbox::beside(&cache, restored.installation);
                let (reaching, teller) = Reaching::start(outlets, outbox, clock);
                (Some(reaching), Some(teller))
            }
        };
        let windows = sinks.clone();
        let ports = Ports { link: port.clone(), store: StorePort(store.clone()), ui: sinks.reaching(teller), clock };
        let mut fleet = profile.fleet_config(broker_in_words(&broker, demo.is_some(), &profile));
        fleet.who.clone_from(&settings.who);
        if broker == BrokerChoice::None {
            fleet.guarantee = "no broker: nothing is received".into();
        }
        fleet.settings = settings;
        fleet.tiles = tile_set(tiles.metadata(), profile.tiles.is_none());
        fleet.registry = registry;
        fleet.registry_name = profile.registry.as_ref().map(RegistryFile::name).unwrap_or_default();
        let engine = start(fleet.clone(), restored, events_in, ports);
        let counters = engine.counters();
        let stop_summary = CancellationToken::new();
        let line = Line {
            config: link,
            demo: demo.clone(),
            city: Arc::clone(&city),
            port: port.clone(),
            events,
            stop: ending.clone(),
        };
        let line = tokio::spawn(line.run(vigil.over("the link")));
        let summary =
            summary.map(|path| tokio::spawn(summary::write(path, started, counters.clone(), stop_summary.clone())));
        tokio::spawn(watch_engine(vigil, counters.clone(), ending.clone()));
        tokio::spawn(watch_cache(store.clone(), cache.clone(), mend, ending.clone()));
        Run {
            engine: Some(engine),
            store,
            fleet,
            clock,
            sinks: windows,
            options,
            profile,
            file,
            cache,
            city,
            demo,
            port,
            last_cache: Arc::default(),
            reaching,
            counters,
            ending,
            stop_summary,
            line: Some(line),
            summary,
        }
    }

    /// The engine; `None` once it ends.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// The cache.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What a fleet of this run as it was is made with.
    pub fn makings(&self, settings: Settings) -> Makings {
        let groups = self.profile.groups.clone();
        let config = FleetConfig { who: settings.who.clone(), settings, groups, ..self.fleet.clone() };
        let (store, clock, sinks) = (self.store.clone(), self.clock, self.sinks.clone());
        Makings { config, store, clock, sinks, ending: self.ending.clone() }
    }

    /// Takes the engine away, as its failure would.
    #[cfg(test)]
    pub fn take_engine(&mut self) -> Option<Engine> {
        self.engine.take()
    }

    /// The cache keeps so much from now on, and of single kinds what the profile says.
    pub fn keep(&self, retention: Retention) {
        self.store.set_retention(Keeping::with(retention, self.profile.retention.iter().copied()));
    }

    /// Whether the cache is to be opened anew: it is damaged, or could not be written before.
    pub fn wants_mending(&self) -> bool {
        self.store.only_read().is_some() || self.store.is_hindered()
    }

    /// Like [`Run::end`], but the demo city lives on.
    pub async fn end_but_city(self) -> Option<City> {
        // While it is being started nobody else has it; then it ends with the line.
        let city = self.city.lock().await.take();
        self.end().await;
        city
    }

    /// Ends everything in order, within five seconds: disconnect, drain, commit, checkpoint.
    pub async fn end(mut self) {
        self.ending.cancel();
        if timeout(Duration::from_millis(WHOLE_MS), self.end_in_order()).await.is_err() {
            tracing::error!("not everything ended within 5 s");
        }
    }

    async fn end_in_order(&mut self) {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(STEPS_MS);
        if let Some(mut line) = self.line.take()
            && timeout(Duration::from_millis(LINE_MS), &mut line).await.is_err()
        {
            tracing::warn!("the broker did not take our goodbye in time");
            line.abort();
            // That it was aborted is known; the engine must not end while the line still talks to it.
            let _ = line.await;
        }
        let (engine, reaching) = (self.engine.take(), self.reaching.take());
        let store = self.store.clone();
        let fleet = async {
            if let Some(engine) = engine
                && !engine.stop_within(Duration::from_millis(ENGINE_MS)).await
            {
                tracing::error!("the engine did not end in time");
            }
            // From now on nothing is told any more.
            let reaching = async {
                if let Some(reaching) = reaching
                    && timeout_at(deadline, reaching.stop()).await.is_err()
                {
                    tracing::error!("what people are to be told could not be kept in time");
                }
            };
            let closed = async {
                match timeout_at(deadline, store.close()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, "the cache was not closed properly"),
                    Err(_) => tracing::error!("the cache did not close in time"),
                }
            };
            tokio::join!(closed, reaching);
        };
        let city = async {
            if let Some(city) = self.city.lock().await.take() {
                city.stop().await;
            }
        };
        let city = async {
            // Dropped half-way it still ends, only without being waited for.
            if timeout_at(deadline, city).await.is_err() {
                tracing::debug!("the demo city did not end in time");
            }
        };
        tokio::join!(fleet, city);
        self.stop_summary.cancel();
        if let Some(summary) = self.summary.take() {
            // It ends at the next look at its token; a panic there was said already.
            let _ = summary.await;
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.ending.cancel();
        self.stop_summary.cancel();
        if let (Some(engine), Ok(runtime)) = (self.engine.take(), tokio::runtime::Handle::try_current()) {
            let reaching = self.reaching.take();
            runtime.spawn(async move {
                engine.stop().await;
                if let Some(reaching) = reaching {
                    reaching.stop().await;
                }
            });
        }
    }
}

/// What the link is told. With a demo city the address is filled in once it is known.
fn link_config(broker: &BrokerChoice, profile: &Profile, installation: u64) -> Result<LinkConfig, LinkError> {
    let filters = profile.fleet_config(String::new()).filters();
    let mut config = profile.link_config(installation, filters);
    if let BrokerChoice::At(url) = broker {
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

/// Asks for the cache to be opened anew when damage keeps it from being written, or when it can be written that could not be before.
async fn watch_cache(store: Store, path: PathBuf, mend: Mend, stop: CancellationToken) {
    let wait = async {
        if store.only_read().is_none() {
            // Nobody is kept from closing it by this.
            let hindered = store.hindered();
            drop(store);
            let error = hindered.await;
            tracing::error!(%error, "the cache is damaged and is opened anew");
            return;
        }
        loop {
            sleep(LOOKS_AGAIN).await;
            let path = path.clone();
            if spawn_blocking(move || Store::may_be_written(&path)).await.unwrap_or(false) {
                tracing::info!("the cache can be written now and is opened anew");
                return;
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = wait => {
            // One that waits already is as good.
            _ = mend.try_send(());
        }
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
