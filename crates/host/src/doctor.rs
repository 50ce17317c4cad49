//! What `fleetlens doctor` looks at: everything that a person would have to look at one after the other when something does not go.
//! It reads; nothing is written, no lock taken, and an app that runs meanwhile does not notice.

mod kept;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_ipc::diagnostics::{Check, Diagnostics, bytes, masked, span, utc};
use fleetlens_link::{About, Event, Link, LinkConfig};
use fleetlens_model::figures::CacheFigures;
use fleetlens_model::keeping::Keeping;
use fleetlens_model::record::Retention;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Beside, Reading, StoreError};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout, timeout_at};

use crate::diagnose;
use crate::log;
use crate::ports::wall_now;
use crate::profile::Profile;
use crate::settings::Home;
use crate::standing::{self, Standing};

/// How long a name may take to be found.
const RESOLVED_WITHIN: Duration = Duration::from_secs(5);

/// How long the broker has for everything else.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long the file may be looked through for damage.
const LOOKS_THROUGH: Duration = Duration::from_secs(30);

/// With less than this nothing can be kept for long.
const FREE_MIN_BYTES: u64 = 64 * 1024 * 1024;

/// A clock that stands before this was never set: 2025.
const SURELY_PAST: WallMs = WallMs(1_735_689_600_000);

/// A value that is further ahead of our clock than this was stored by another one.
const AHEAD_MS: i64 = 300_000;

/// Lines of the log that are told.
const TROUBLES: usize = 3;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A data folder with all that is in it, and the profile that is in use there or this one.
    Home {
        /// The folder.
        folder: PathBuf,
        /// The file of the profile; `None` for the demo city. Not said: the one that was chosen in the window.
        profile: Option<Option<PathBuf>>,
    },
    /// One cache's file, whose ever it is.
    Cache(PathBuf),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// One after the other.
    pub checks: Vec<Check>,
    /// The figures beside it.
    pub diagnostics: Diagnostics,
}

/// Takes what may be secret out of every text.
pub fn mask(value: &mut Json) {
    match value {
        Json::String(text) => *text = masked(text).into_owned(),
        Json::Array(values) => values.iter_mut().for_each(mask),
        Json::Object(fields) => fields.values_mut().for_each(mask),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Looks at everything. `offline` leaves every network alone. Takes as long as the broker and the disk need, less than a minute.
pub async fn examine(asked: Asked, offline: bool) -> Examination {
    let now = wall_now();
    let mut found = Examination {
        checks: Vec::new(),
        diagnostics: Diagnostics { made_ms: now, program: diagnose::program(None), ..Diagnostics::default() },
    };
    let told = tokio::task::spawn_blocking(move || {
        let profile = found.local(&asked, now);
        (found, profile)
    });
    let (mut found, profile) = match told.await {
        Ok(told) => told,
        Err(error) => {
            // A fault of ours, which must not look like health.
            let checks = vec![Check::fault("doctor", format!("it failed: {error}"), "please report this")];
            return Examination { checks, diagnostics: Diagnostics::default() };
        }
    };
    if let Some(profile) = profile {
        found.checks.extend(broker(&profile, offline).await);
    }
    found
}

impl Examination {
    /// Everything on this machine; returns the profile that is in use, if it can be.
    fn local(&mut self, asked: &Asked, now: WallMs) -> Option<Profile> {
        self.clock(now);
        let (folder, profile) = match asked {
            Asked::Cache(file) => {
                self.cache(file, None, None, now);
                return None;
            }
            Asked::Home { folder, profile } => (folder, profile),
        };
        self.folder(folder);
        let (home, told) = Home::open(folder);
        if let Some(told) = told {
            self.checks.push(Check::warn("settings", told, "mend the file, or delete it to begin with the usual"));
        }
        self.profiles(&home);
        let used = match profile {
            Some(file) => file.as_deref().map_or_else(Profile::demo, Profile::read).map_err(|error| error.to_string()),
            None => self.chosen(&home),
        };
        let profile = match used {
            Ok(profile) => profile,
            Err(why) => {
                self.checks.push(Check::fault("profile", why, "mend the line it names, or choose another profile"));
                self.log(folder);
                return None;
            }
        };
        self.checks.push(Check::ok("profile", format!("\"{}\" is in use and can be read", profile.name)));
        self.registry(&profile);
        for left_out in profile.left_out() {
            let todo = "write what tells people under [[reach]], or take it out of the document";
            self.checks.push(Check::warn("rules", left_out, todo));
        }
        let keeping = home.limits().map(|limits| Keeping::with(limits, profile.retention.iter().copied()));
        self.cache(&folder.join(profile.cache_file()), Some(&profile.name), keeping, now);
        self.log(folder);
        Some(profile)
    }

    fn clock(&mut self, now: WallMs) {
        self.checks.push(if now < SURELY_PAST {
            let found = format!("this machine's clock says {}", utc(now));
            Check::fault("clock", found, "set it: values are dated by it, and certificates are not valid yet")
        } else {
            Check::ok("clock", format!("it is {}", utc(now)))
        });
    }

    fn folder(&mut self, folder: &Path) {
        let shown = folder.display();
        self.checks.push(match std::fs::metadata(folder) {
            Ok(about) if !about.is_dir() => {
                Check::fault("folder", format!("{shown} is no folder"), "move the file away, or say another --data-dir")
            }
            Ok(about) if !may_write(folder, &about) => {
                let todo = "give yourself the right to write there, or say another --data-dir";
                Check::fault("folder", format!("{shown} cannot be written"), todo)
            }
            Ok(_) => Check::ok("folder", format!("{shown} can be written")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Check::ok("folder", format!("{shown} is not there yet; the first start makes it"))
            }
            Err(error) => Check::fault("folder", format!("{shown}: {error}"), "look at who may enter it"),
        });
    }

    fn profiles(&mut self, home: &Home) {
        let rows = home.profiles(None, None);
        let mut whole = 0;
        for row in &rows {
            match &row.fault {
                Some(fault) => {
                    let found = format!("\"{}\" cannot be used: {fault}", row.name);
                    self.checks.push(Check::warn("profiles", found, format!("mend {}", row.file)));
                }
                None => whole += 1,
            }
        }
        let folder = home.profile_folder();
        self.checks
            .push(Check::ok("profiles", format!("{whole} of {} can be read, in {}", rows.len(), folder.display())));
    }

    fn chosen(&mut self, home: &Home) -> Result<Profile, String> {
        match &home.chosen.profile {
            None => Profile::demo().map_err(|error| error.to_string()),
            Some(name) => {
                let file = home.find(name, None)?;
                file.as_deref().map_or_else(Profile::demo, Profile::read).map_err(|error| error.to_string())
            }
        }
    }

    fn registry(&mut self, profile: &Profile) {
        let Some(file) = &profile.registry else { return };
        let registry = file.read();
        let (things, mistakes) = (registry.things().len(), registry.mistakes().count());
        self.checks.push(if mistakes == 0 {
            Check::ok("registry", format!("{} names {things} things", file.name()))
        } else {
            let first = registry.mistakes().next().unwrap_or_default();
            let found = format!("{} names {things} things and has {mistakes} mistakes: {first}", file.name());
            Check::warn("registry", found, format!("mend {}", file.path.display()))
        });
    }

    fn cache(&mut self, file: &Path, owner: Option<&str>, keeping: Option<Keeping>, now: WallMs) {
        let disk = diagnose::disk(file);
        let beside = Beside::of(file);
        if let Some(noted) = beside.damaged {
            let todo = "start Fleetlens anew: it salvages what can be read and keeps the damaged file beside it";
            self.checks.push(Check::fault("cache", format!("damage was met in use: {noted}"), todo));
        }
        if let Some(last) = beside.moved_aside.last() {
            let found =
                format!("{} damaged caches were moved aside, last {}", beside.moved_aside.len(), last.display());
            self.checks.push(Check::warn("cache", found, "delete them once nothing of them is wanted any more"));
        }
        let mut size = 0;
        if file.exists() {
            match Reading::open(file).and_then(|reading| Ok((reading.profile()?, reading.figures()?, reading))) {
                Ok((found, figures, reading)) => {
                    size = figures.file_bytes.saturating_add(figures.log_bytes);
                    self.opened(file, owner, &found, &figures, now);
                    self.checks.extend(kept::audit(&figures));
                    self.diagnostics.cache = Some(figures);
                    self.looked_through(&reading);
                }
                Err(error) => {
                    let todo = what_to_do(&error);
                    self.checks.push(if matches!(error, StoreError::Older { .. }) {
                        Check::warn("cache", error.to_string(), todo)
                    } else {
                        Check::fault("cache", error.to_string(), todo)
                    });
                }
            }
        } else {
            let found = format!("{} is not there", file.display());
            self.checks.push(match owner {
                Some(_) => Check::ok("cache", format!("{found} yet; the first start makes it")),
                None => Check::fault("cache", found, "look at the name of the file"),
            });
        }
        self.checks.extend(keeping.as_ref().map(kept::limits));
        self.room(disk.free_bytes, size, keeping.map(|keeping| keeping.all));
        self.standing(file, disk.free_bytes, now);
        self.diagnostics.disk = Some(disk);
    }

    /// What the program that has this cache told of itself: queues, commits, drops.
    fn standing(&mut self, cache: &Path, free: Option<u64>, now: WallMs) {
        let told = match standing::read(cache) {
            Standing::Told(told) => told,
            Standing::Absent => return self.checks.push(Check::ok("app", "none tells that it runs with this cache")),
            Standing::Unreadable => {
                let found = format!("{} cannot be read", standing::file_of(cache).display());
                let todo = "look at who may read it; another version of Fleetlens wrote it, or it is not ours";
                return self.checks.push(Check::warn("app", found, todo));
            }
        };
        let age_ms = now.since(told.made_ms);
        let is_fresh = age_ms <= standing::FRESH_MS && told.made_ms <= now.plus(AHEAD_MS);
        let fault = told.engine.as_ref().and_then(|engine| engine.cache_fault.as_deref());
        self.checks.push(if !is_fresh {
            let found = format!("it told {} ago how it stands, and nothing since", span(age_ms));
            let todo = match free {
                Some(free) if free < FREE_MIN_BYTES => "free some space: it may run, and have no room to tell",
                _ => "if no window of it is open it ended without a word: its log may say why",
            };
            Check::warn("app", found, todo)
        } else if let Some(fault) = fault {
            let todo = "free some space, or look at who may write there";
            Check::fault("app", format!("it could not write the cache {} ago: {fault}", span(age_ms)), todo)
        } else if told.engine.is_none() {
            let todo = "it is busy or stuck: ask again, and close and start it if it stays so";
            Check::warn("app", format!("{} ago its engine did not tell how it stands", span(age_ms)), todo)
        } else {
            Check::ok("app", format!("it told {} ago how it stands", span(age_ms)))
        });
        let Diagnostics { made_ms, program, link, engine, writer, drops, reach, .. } = *told;
        self.diagnostics = Diagnostics {
            told_ms: Some(made_ms),
            program,
            link,
            engine,
            writer,
            drops,
            reach,
            ..std::mem::take(&mut self.diagnostics)
        };
    }

    fn opened(&mut self, file: &Path, owner: Option<&str>, found: &str, figures: &CacheFigures, now: WallMs) {
        if let Some(owner) = owner
            && owner != found
        {
            let words = format!("{} is the cache of the profile \"{found}\", not of \"{owner}\"", file.display());
            self.checks.push(Check::fault("cache", words, "each profile needs a file of its own: move this one away"));
        }
        let newest = figures.newest_ms.map_or("no value yet".to_owned(), |at| match at > now {
            true => format!("the newest value is {} ahead of the clock", span(at.since(now))),
            false => format!("the newest value is {} old", span(now.since(at))),
        });
        let size = bytes(figures.file_bytes.saturating_add(figures.log_bytes));
        self.checks
            .push(Check::ok("cache", format!("{} opens: {size}, tables {}, {newest}", file.display(), figures.schema)));
        let ahead = figures.link_seen_ms.filter(|at| *at > now.plus(AHEAD_MS));
        if let Some(at) = ahead {
            let found =
                format!("the cache was written at {}, which is {} ahead of this clock", utc(at), span(at.since(now)));
            self.checks.push(Check::warn("clock", found, "see whether the clock was set back, or was wrong before"));
        }
    }

    fn looked_through(&mut self, reading: &Reading) {
        self.checks.push(match reading.quick_check(LOOKS_THROUGH) {
            Ok(Some(sentences)) => match sentences.first() {
                None => Check::ok("cache", "SQLite sees no damage in it"),
                Some(first) => Check::fault(
                    "cache",
                    format!("it is damaged: {}", first.replace('\n', " ")),
                    "close Fleetlens and start it anew: it salvages what can be read and keeps the damaged file beside it",
                ),
            },
            Ok(None) => Check::warn(
                "cache",
                format!("it could not be looked through within {} s", LOOKS_THROUGH.as_secs()),
                "ask again when the disk has less to do",
            ),
            Err(error) => Check::fault("cache", error.to_string(), what_to_do(&error)),
        });
    }

    fn room(&mut self, free: Option<u64>, size: u64, limits: Option<Retention>) {
        let Some(free) = free else { return };
        let may_become = limits.map(|limits| u64::from(limits.max_mb).saturating_mul(1_000_000));
        let grows = may_become.map(|most| most.saturating_sub(size));
        self.checks.push(if free < FREE_MIN_BYTES {
            let todo = "free some space: without room nothing is kept, and messages wait at the broker";
            Check::fault("disk", format!("only {} are free", bytes(free)), todo)
        } else if let Some(grows) = grows.filter(|grows| *grows > free) {
            let found = format!("{} are free, and the cache may grow by {}", bytes(free), bytes(grows));
            Check::warn("disk", found, "let it grow to less (Settings, Cache), or free some space")
        } else {
            Check::ok("disk", format!("{} are free", bytes(free)))
        });
    }

    fn log(&mut self, folder: &Path) {
        let mut lines = log::troubles(folder);
        self.diagnostics.troubles = lines.split_off(lines.len().saturating_sub(TROUBLES));
        let error = self.diagnostics.troubles.iter().rev().find(|line| line.contains(" ERROR "));
        self.checks.push(match (error, self.diagnostics.troubles.len()) {
            (Some(error), _) => {
                let found = format!("the last error: {}", error.chars().take(300).collect::<String>());
                Check::warn("log", found, format!("look into {}", folder.join("logs").display()))
            }
            (None, 0) => Check::ok("log", "it tells of no trouble"),
            (None, n) => Check::ok("log", format!("no errors; the last {n} warnings stand below")),
        });
    }
}

/// What helps when a cache cannot be opened.
fn what_to_do(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotADatabase { .. } | StoreError::Corrupt { .. } => {
            "start Fleetlens: it moves the file aside and salvages what can be read"
        }
        StoreError::Older { .. } => "start Fleetlens once: it brings it up to date",
        StoreError::Newer { .. } => "update Fleetlens; nothing was changed",
        StoreError::Foreign { .. } | StoreError::OtherProfile { .. } => "move the file away; nothing was changed",
        StoreError::DiskFull { .. } => "free some space; it goes on by itself",
        StoreError::Io { .. } => "look at who may read the file and its folder",
        StoreError::InUse { .. }
        | StoreError::LeftOut { .. }
        | StoreError::Behind { .. }
        | StoreError::Closed
        | StoreError::Sqlite(_) => "try again; if it stays so, please report it",
    }
}

/// Whether a folder may be written, found out without writing there.
#[cfg(unix)]
fn may_write(folder: &Path, _: &std::fs::Metadata) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(_: &Path, about: &std::fs::Metadata) -> bool {
    !about.permissions().readonly()
}

/// Connects as a try does: a session of its own that leaves nothing behind, over as soon as the subscriptions are answered.
async fn broker(profile: &Profile, offline: bool) -> Vec<Check> {
    if profile.demo {
        return vec![Check::ok("broker", "the demo city's is part of the program")];
    }
    if offline {
        return vec![Check::ok("broker", "not asked, as you wish (--offline)")];
    }
    let filters = profile.fleet_config(String::new()).filters();
    let mut config = profile.link_config(0, Vec::new());
    let own = profile.broker.client_id.as_deref().unwrap_or("fl");
    config.client_id = format!("{own}-doctor-{:08x}", rand::random::<u32>());
    config.clean_start = true;
    config.session_expiry_s = 0;
    config.filters = filters.into_iter().map(|filter| (filter, 0)).collect();
    let mut checks = Vec::new();
    if let Some(check) = resolves(&config).await {
        let goes_on = check.todo.is_empty();
        checks.push(check);
        if !goes_on {
            return checks;
        }
    }
    checks.extend(answers(config).await);
    checks
}

/// Whether the broker's name leads anywhere.
async fn resolves(config: &LinkConfig) -> Option<Check> {
    let to = fleetlens_link::Destination::of(&config.url).ok()?;
    let host = to.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let todo = "look at the host in [broker] url, and whether this machine is on its network";
    Some(match timeout(RESOLVED_WITHIN, tokio::net::lookup_host((host.as_str(), to.port))).await {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(address) => Check::ok("broker", format!("{host} is {}", address.ip())),
            None => Check::fault("broker", format!("nobody knows {host}"), todo),
        },
        Ok(Err(error)) => Check::fault("broker", format!("nobody knows {host}: {error}"), todo),
        Err(_) => {
            Check::fault("broker", format!("nobody said within {} s who {host} is", RESOLVED_WITHIN.as_secs()), todo)
        }
    })
}

async fn answers(config: LinkConfig) -> Vec<Check> {
    let (url, has_password) = (masked(&config.url).into_owned(), config.credentials.is_some());
    let is_encrypted = fleetlens_link::Destination::of(&config.url).is_ok_and(|to| to.is_encrypted);
    let began = Instant::now();
    let (link, mut events) = match Link::start(config) {
        Ok(started) => started,
        Err(error) => return vec![Check::fault("broker", error.to_string(), "mend [broker] in the profile")],
    };
    let mut refused = Vec::new();
    let outcome = timeout_at(began + ANSWERS_WITHIN, async {
        while let Some(event) = events.recv().await {
            match event {
                Event::Up { granted, .. } => return Ok(granted),
                Event::Connecting { reason: Some(reason) } | Event::Down { reason } => return Err(reason),
                Event::Refused { topic, reason, .. } => refused.push(format!("{topic}: {reason}")),
                Event::Connecting { reason: None }
                | Event::Received(_)
                | Event::Shed { .. }
                | Event::Acknowledged { .. } => {}
            }
        }
        Err("the connection ended by itself".to_owned())
    })
    .await;
    let about = link.failed_over();
    link.stop().await;
    let mut checks = match outcome {
        Ok(Ok(_)) => {
            let mut words = format!("{url} answered within {}", span(millis(began.elapsed())));
            words.push_str(if is_encrypted { ", encrypted, its certificate is trusted" } else { ", not encrypted" });
            words.push_str(if has_password { ", and let us in by name" } else { ", and let us in without a name" });
            vec![Check::ok("broker", words)]
        }
        Ok(Err(reason)) => vec![Check::fault("broker", masked(&reason), advice(about))],
        Err(_) => {
            let words = format!("{url} did not answer within {} s", ANSWERS_WITHIN.as_secs());
            vec![Check::fault("broker", words, advice(about))]
        }
    };
    checks.extend(refused.into_iter().map(|what| {
        Check::warn("broker", format!("not granted: {}", masked(&what)), "look at what this user may read there")
    }));
    checks
}

/// Where to look after a connection failed.
fn advice(about: Option<About>) -> &'static str {
    match about {
        Some(About::Host) => "look at the host in [broker] url, and whether this machine is on its network",
        Some(About::Port) => "see whether the broker runs, and whether port and mqtt:// or mqtts:// are right",
        Some(About::Ca) => "say with ca = \"…\" who may vouch for the broker",
        Some(About::Name) => "connect by the name that its certificate is for",
        Some(About::TheirCertificate) => {
            "the broker needs a valid certificate; see whether this machine's clock is right"
        }
        Some(About::Certificate | About::Key) => "look at certificate and key in the profile",
        Some(About::Alpn) => "look at alpn in the profile",
        Some(About::Password) => "look at user and password, and where the profile says that the password is kept",
        Some(About::Protocol) => "say protocol = \"3.1.1\" or \"5\", whichever the broker speaks",
        Some(About::ClientId) => "give this installation a client_id of its own that the broker takes",
        Some(About::Broker) | None => "look into the broker's own log",
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
