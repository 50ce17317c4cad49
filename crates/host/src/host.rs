//! The host: one run of a profile after the other, the windows that look at it, and how the program is set.

mod areas;
mod asked;
mod boards;
mod change;
mod exports;
mod groups;
mod maps;
mod mend;
mod profiles;
mod reads;
mod replay;
mod rules;
mod speaking;
mod told;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock as StdRwLock};
use std::time::Instant;

use fleetlens_engine::fleet::Counters;
use fleetlens_engine::port::WindowId;
use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_link::LinkError;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_sim::CityOptions;
use fleetlens_snapshot::Theme;
use fleetlens_store::StoreError;
use fleetlens_tiles::{Tiles, TilesError};
use thiserror::Error;
use tokio::sync::{Mutex, RwLock, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant as TokioInstant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::pictures::{Ground, Pictures};
use crate::ports::{Sink, Sinks, Told};
use crate::profile::{Profile, ProfileError};
use crate::raster::Rasters;
use crate::run::{Around, Mend, Prepared, Run};
use crate::settings::{Home, whole};
use crate::vigil::Vigil;
use crate::{shelf, standing};
use mend::Mender;

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
    /// The folder of the caches, the profiles and the settings; made when missing.
    pub data_dir: PathBuf,
    /// The profile's file; `None` for the one that was chosen in the window, at first the built-in demo city.
    pub profile: Option<PathBuf>,
    /// The folder of what a person takes out; made when missing.
    pub downloads: PathBuf,
    /// The cache's file; `None` for the profile's own in [`HostOptions::data_dir`].
    pub cache: Option<PathBuf>,
    /// A city to start inside this process, on a broker of its own on a loopback port.
    pub demo: Option<CityOptions>,
    /// Which broker.
    pub broker: BrokerChoice,
    /// A role instead of the profile's.
    pub role: Option<Role>,
    /// Where to write what the app tells about itself every second.
    pub summary: Option<PathBuf>,
    /// Whether a window asks what to show when nobody ever said; otherwise that is the demo city.
    pub ask: bool,
    /// Whether its windows may be on other machines: what is written there may not name just any secret of this one.
    pub served: bool,
    /// When the process began.
    pub started: Instant,
}

/// Where sheets go, in the data folder, where the system has no place for downloads.
pub const EXPORTS: &str = "exports";

impl HostOptions {
    /// The demo city with everything, its cache in this folder.
    pub fn demo(data_dir: impl Into<PathBuf>) -> HostOptions {
        let data_dir = data_dir.into();
        HostOptions {
            downloads: data_dir.join(EXPORTS),
            data_dir,
            profile: None,
            cache: None,
            demo: Some(CityOptions::default()),
            broker: BrokerChoice::Own,
            role: None,
            summary: None,
            ask: false,
            served: false,
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
    options: HostOptions,
    home: Arc<Mutex<Home>>,
    /// The profile in use; `None` once everything ends.
    run: Arc<RwLock<Option<Run>>>,
    /// What tells other processes how it stands.
    standing: Mutex<Option<JoinHandle<()>>>,
    sinks: Sinks,
    trials: profiles::Trials,
    exports: exports::Exports,
    /// The windows that wait for small charts.
    small_asked: reads::SmallAsked,
    tries: rules::Tries,
    imports: maps::Imports,
    /// The map of an address, by its file, once a tile of it was asked for.
    online: std::sync::Mutex<Option<(PathBuf, Arc<crate::online::Online>)>>,
    seats: replay::Seats,
    pictures: Pictures,
    pub(crate) rasters: Rasters,
    windows: AtomicU64,
    /// How many runs there were.
    runs: Arc<AtomicU64>,
    tiles: Arc<StdRwLock<Arc<Tiles>>>,
    /// What every window is told when it comes, e.g. that the chosen profile cannot be used.
    first_words: Arc<StdRwLock<Vec<Fault>>>,
    mend: Mend,
    vigil: Vigil,
    /// From the first word of a shutdown: no more intents, and what ends now is meant to.
    ending: CancellationToken,
    /// Everything has ended.
    ended: CancellationToken,
}

impl Host {
    /// Reads profile and cache and starts the engine on the current Tokio runtime; the demo city and the link come up behind it.
    /// Returns in the time the cache needs. Fails on a wrong profile that was named in the options, an unusable cache or map, and
    /// an address that can never work; a broker that is not there is no failure, and neither is a profile that was chosen in the
    /// window and cannot be used any more: the windows are told, and shown the demo city.
    pub async fn start(options: HostOptions) -> Result<Host, HostError> {
        let (mut home, told) = Home::open(&options.data_dir);
        home.profile_folders(options.profile.as_deref()).iter().for_each(|folder| shelf::finish(folder));
        shelf::tidy(&home.profile_folder());
        // A file that could not be read has said something once.
        home.undecided = options.ask && options.profile.is_none() && home.chosen.profile.is_none() && told.is_none();
        let mut first_words: Vec<Fault> = told.map(|why| Fault::new(FaultCode::Invalid, why)).into_iter().collect();
        let chosen = home.chosen.profile.as_deref().filter(|_| options.profile.is_none());
        let prepared = match chosen {
            None => prepare(now_for(&options, &home), options.profile.clone()).await?,
            Some(name) => match prepare_chosen(&options, &home, name).await {
                Ok(prepared) => prepared,
                Err(why) => {
                    let message = format!("the profile \"{name}\" cannot be used, so this is the demo city: {why}");
                    tracing::error!("{message}");
                    first_words.push(Fault::new(FaultCode::Invalid, message));
                    prepare(options.clone(), None).await?
                }
            },
        };
        first_words.extend(prepared.first_word.clone());
        let pictures = Pictures::new(&options.data_dir);
        if !options.served {
            pictures.clear().await;
        }
        let rasters = Rasters::new(&options.data_dir);
        let ending = CancellationToken::new();
        let vigil = Vigil::new(ending.clone());
        let sinks = Sinks::default();
        let tiles = Arc::new(StdRwLock::new(Arc::clone(&prepared.tiles)));
        let (mend, to_mend) = mpsc::channel(1);
        let around = around(&now_for(&options, &home), &home, &prepared, &sinks, &vigil, &mend);
        let cache = prepared.cache.clone();
        let run = Arc::new(RwLock::new(Some(Run::start(prepared, around))));
        let standing = tokio::spawn(standing::tell(options.clone(), cache, Arc::clone(&run), ending.clone()));
        let host = Host {
            options,
            home: Arc::new(Mutex::new(home)),
            run,
            standing: Mutex::new(Some(standing)),
            sinks,
            trials: profiles::Trials::default(),
            exports: exports::Exports::default(),
            small_asked: reads::SmallAsked::default(),
            tries: rules::Tries::default(),
            imports: maps::Imports::default(),
            online: std::sync::Mutex::default(),
            seats: replay::Seats::default(),
            pictures,
            rasters,
            windows: AtomicU64::new(0),
            runs: Arc::default(),
            tiles,
            first_words: Arc::new(StdRwLock::new(first_words)),
            mend,
            vigil,
            ending,
            ended: CancellationToken::new(),
        };
        tokio::spawn(Mender::of(&host).run(to_mend));
        Ok(host)
    }

    /// A window is there; its parcels go to `sink` from now on. It says `Hello` and what it looks at by [`Host::call`].
    pub async fn attach(&self, sink: Sink) -> Result<WindowId, Fault> {
        let window = WindowId(self.windows.fetch_add(1, Ordering::Relaxed) + 1);
        self.sinks.insert(window, sink);
        let run = self.run.read().await;
        if let Some(engine) = run.as_ref().and_then(Run::engine)
            && engine.attach(window).await
        {
            let words = self.first_words.read().unwrap_or_else(PoisonError::into_inner).clone();
            for fault in words {
                engine.tell(window, fault).await;
            }
            return Ok(window);
        }
        self.sinks.remove(window);
        Err(ended())
    }

    /// A window is gone. Nothing is sent to its sink after this.
    pub async fn detach(&self, window: WindowId) {
        self.sinks.remove(window);
        self.trials.forget(window);
        self.tries.forget(window);
        self.leave_seat(window).await;
        if let Some(engine) = self.run.read().await.as_ref().and_then(Run::engine) {
            engine.detach(window).await;
        }
    }

    /// One tile of the map, unzipped; see [`Tiles::tile`]. Blocks on the disk: not for an async thread.
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, TilesError> {
        self.tiles().tile(z, x, y)
    }

    /// The tiles in use.
    pub(crate) fn tiles(&self) -> Arc<Tiles> {
        Arc::clone(&self.tiles.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The map in use, and its file where it is not the built-in one; `None` once everything ends.
    pub(crate) async fn ground_and_file(&self) -> Option<(Ground, Option<PathBuf>)> {
        let file = self.run.read().await.as_ref()?.profile.tiles.clone();
        let tiles = self.tiles();
        Some((Ground { tiles, built_in: file.is_none() }, file))
    }

    /// Counts of the profile in use, as they change; closed once another one is chosen or everything ends.
    pub async fn counters(&self) -> watch::Receiver<Counters> {
        match self.run.read().await.as_ref() {
            Some(run) => run.counters.clone(),
            None => watch::channel(Counters::default()).1,
        }
    }

    /// What a person should be told outside the windows, from now on. Who lags behind misses the oldest.
    pub fn alerts(&self) -> broadcast::Receiver<Told> {
        self.sinks.alerts()
    }

    /// Has a window open a thing that was chosen outside it, e.g. by its notification; one of an earlier run is not there any more.
    pub async fn open(&self, window: WindowId, Told { run, alert }: &Told) {
        if *run != self.runs.load(Ordering::Acquire) {
            return;
        }
        if let Some(engine) = self.run.read().await.as_ref().and_then(Run::engine) {
            engine.open(window, alert.thing).await;
        }
    }

    /// A small map of where an alert is, for whoever shows it: a PNG, replaced once eight others were drawn. `None` where there is
    /// nothing to show or nothing to draw with, of an earlier run, and when it would take longer than two seconds.
    pub async fn picture(&self, Told { run, alert }: &Told, theme: Theme) -> Option<PathBuf> {
        let until = TokioInstant::now() + self.pictures.within;
        let drawn = async {
            let built_in = self.run.read().await.as_ref()?.profile.tiles.is_none();
            if *run != self.runs.load(Ordering::Acquire) {
                return None;
            }
            let tiles = self.tiles();
            self.pictures.draw(alert, &Ground { tiles, built_in }, theme, until).await
        };
        timeout_at(until, drawn).await.unwrap_or_else(|_| {
            tracing::info!(title = alert.title, "a notification does not wait for its map any longer");
            None
        })
    }

    /// Resolves, with a sentence, when a part has ended that the app cannot do without. The program should end then.
    pub async fn failed(&self) -> String {
        self.vigil.ended().await
    }

    /// Where the demo city's broker listens, once it does.
    pub async fn demo_address(&self) -> Option<String> {
        let run = self.run.read().await;
        let city = Arc::clone(&run.as_ref()?.city);
        let city = city.lock().await;
        city.as_ref().map(fleetlens_sim::City::address)
    }

    /// Stops the demo city's broker and nothing else, to see what the app does without it. Does nothing without a demo city.
    pub async fn stop_broker(&self) {
        if let Some(run) = self.run.read().await.as_ref()
            && let Some(city) = run.city.lock().await.as_mut()
        {
            city.stop_broker().await;
        }
    }

    /// Starts the demo city's broker again where it was. Fails when its port was taken meanwhile.
    pub async fn start_broker(&self) -> Result<(), String> {
        let run = self.run.read().await;
        let Some(run) = run.as_ref() else { return Ok(()) };
        match (run.city.lock().await.as_mut(), &run.demo) {
            (Some(city), Some(options)) => city.start_broker(options).await.map_err(|e| e.to_string()),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// Ends everything in order, within five seconds: refuse intents, disconnect, drain, commit, checkpoint. What could not be
    /// committed in time was not acknowledged either, so the broker still has it. A second call waits for the first: who
    /// returns from here may end the process.
    pub async fn stop(&self) {
        self.ending.cancel();
        self.rasters.end();
        let Some(run) = self.run.write().await.take() else { return self.ended.cancelled().await };
        // Also when this call is dropped half-way: nobody else would end the rest.
        let _told_at_the_end = self.ended.clone().drop_guard();
        let standing = self.standing.lock().await.take();
        let told = async {
            if let Some(standing) = standing {
                // A panic there was said already.
                let _ = standing.await;
            }
        };
        tokio::join!(run.end(), self.exports.over(), told);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

/// Whether the windows have to begin again after a change.
enum Begun {
    Anew,
    NotAnew,
}

async fn prepare(options: HostOptions, file: Option<PathBuf>) -> Result<Prepared, HostError> {
    tokio::task::spawn_blocking(move || Prepared::read(&options, file)).await.map_err(|_| HostError::Interrupted)?
}

/// What the host is told while nobody has said what to show: nothing is connected.
fn now_for(options: &HostOptions, home: &Home) -> HostOptions {
    let broker = if home.undecided { BrokerChoice::None } else { options.broker.clone() };
    HostOptions { broker, ..options.clone() }
}

/// The profile somebody chose by its name, or in words why it cannot be used.
async fn prepare_chosen(options: &HostOptions, home: &Home, name: &str) -> Result<Prepared, String> {
    let file = home.find(name, options.profile.as_deref())?;
    let prepared = prepare(options.clone(), file).await.map_err(|e| e.to_string())?;
    Ok(prepared)
}

fn around(
    options: &HostOptions,
    home: &Home,
    prepared: &Prepared,
    sinks: &Sinks,
    vigil: &Vigil,
    mend: &Mend,
) -> Around {
    let settings = settings(options, home, &prepared.profile, prepared.file.as_deref(), &prepared.cache);
    // A city that was asked for belongs to whatever profile was named with it; one chosen by name is the demo's own.
    let named = options.profile.as_deref().map(whole).is_some_and(|file| prepared.file == Some(file));
    let demo = if named || prepared.profile.demo { options.demo.clone() } else { None };
    let demo = demo.or_else(|| prepared.profile.demo.then(CityOptions::default));
    Around {
        settings,
        // Who names the cache's file wants what is in it, not what the app was told of its own.
        limits: home.limits().filter(|_| options.cache.is_none()),
        sinks: sinks.clone(),
        vigil: vigil.clone(),
        broker: options.broker.clone(),
        demo,
        summary: options.summary.clone(),
        started: options.started,
        city: None,
        mend: mend.clone(),
        options: options.clone(),
    }
}

/// Who is at the screen: the person the settings name, in a role the profile gives.
fn who(home: &Home, profile: &Profile) -> Actor {
    match &home.chosen.identity {
        Some(who) if profile.who.role.and_lesser().contains(&who.role) => who.clone(),
        Some(who) => Actor { name: who.name.clone(), role: profile.who.role },
        None => profile.who.clone(),
    }
}

/// How the program is set, for the windows.
fn settings(options: &HostOptions, home: &Home, profile: &Profile, file: Option<&Path>, cache: &Path) -> Settings {
    Settings {
        undecided: home.undecided,
        profiles: home.profiles(options.profile.as_deref(), Some(file)),
        profile_folder: home.profile_folder().display().to_string(),
        who: who(home, profile),
        roles: profile.who.role.and_lesser().to_vec(),
        cache_file: cache.display().to_string(),
        retention: home.chosen.cache,
        kinds_kept: profile.retention.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn ended() -> Fault {
    Fault::new(FaultCode::Store, "Fleetlens has stopped; start it again")
}

#[cfg(test)]
mod tests;
