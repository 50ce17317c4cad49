//! A profile: which broker, which topics, who is at the screen. A TOML file that people write by hand, so every mistake in
//! it is told with its line.

mod alarms;
mod areas;
mod availability;
mod beside;
mod broker;
mod conventions;
mod groups;
mod kinds;
mod limits;
mod machines;
mod registry;
mod retention;
mod telemetry;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetlens_engine::config::{FleetConfig, TelemetryRule};
use fleetlens_engine::wire::availability::Availability;
use fleetlens_engine::wire::convention::Setting;
use fleetlens_engine::wire::template::Template;
use fleetlens_engine::wire::time::Zone;
use fleetlens_link::LinkConfig;
use fleetlens_model::alarm::fence::Area;
use fleetlens_model::alarm::{Condition, Rule};
use fleetlens_model::group::Group;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::keeping::Ages;
use fleetlens_model::kind::{Kind, Schemas};
use fleetlens_reach::Outlet;
use fleetlens_reach::written::{WrittenReach, outlets};
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;
use xxhash_rust::xxh3::xxh3_64;

pub use broker::Broker;
pub(crate) use groups::check_name as check_group_name;
pub use limits::Limits;
pub use registry::RegistryFile;

/// The longest name a profile may have, in characters: it is the file name of its cache.
const NAME_MAX_CHARS: usize = 64;

/// The longest expiry of a command, in seconds: a day. What is wanted later than that is a schedule, not a command.
const EXPIRY_MAX_S: u64 = 86_400;

/// How long a leaf may be wanted and not reported before it is listed, in minutes: up to a week.
const NOT_CONVERGED_MAX_MIN: u64 = 7 * 24 * 60;
/// Requests of commands that a profile may have on the wire at once: as many as the link holds back for a slow broker.
const REQUESTS_IN_FLIGHT_MAX: usize = 1_000;

/// The most things a profile may ask for: ten cities' worth, and some gigabytes of memory.
const THINGS_MAX: usize = 1_000_000;

/// A read and checked profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What people call it; also tells its cache from others.
    pub name: String,
    /// Who is at the screen.
    pub who: Actor,
    /// Groups of things.
    pub groups: Vec<Group>,
    /// Areas that rules name.
    pub areas: Vec<Area>,
    /// Files beside the profile that hold others, not read yet.
    area_files: Vec<areas::AreaFile>,
    /// Names of the groups that the person at the screen may steer; `None` for everything.
    pub scope: Option<Vec<String>>,
    /// Where the broker is and how it is spoken to.
    pub broker: Broker,
    /// Telemetry, in order of precedence.
    pub telemetry: Vec<TelemetryRule>,
    /// Retained descriptions.
    pub meta: Vec<Template>,
    /// Topics that say whether a thing is there.
    pub availability: Vec<Availability>,
    /// The city's own list of its things, if there is one.
    pub registry: Option<RegistryFile>,
    /// Fleets that describe themselves, in order of precedence.
    pub conventions: Vec<Setting>,
    /// Whether the broker has device shadows.
    pub shadows: bool,
    /// Whether the broker tells who is connected, as AWS does.
    pub presence: bool,
    /// What the desired state of each kind of thing may hold.
    pub schemas: Schemas,
    /// Files beside the profile that say so, not read yet.
    schema_files: Vec<kinds::SchemaFile>,
    /// Whether the broker tells of jobs.
    pub jobs: bool,
    /// Where things say their firmware, as a JSON pointer, if the profile says so.
    pub firmware: Option<String>,
    /// Expiries of commands that differ from the controls' own, in milliseconds, by JSON pointer.
    pub expiry_ms: Vec<(String, u64)>,
    /// How long a leaf may be wanted and not reported before it is listed, in milliseconds, if the profile says so.
    pub not_converged_after_ms: Option<u64>,
    /// How many requests of commands may be on the wire at once, if the profile says so.
    pub requests_in_flight: Option<usize>,
    /// Whose clocks people in the city live by: what the profile says, else the zone of its telemetry; `None` where neither says one,
    /// and this machine's counts.
    pub zone: Option<Zone>,
    /// When a person is needed.
    pub rules: Vec<Rule>,
    /// Files beside the profile with the state machines of rules, not read yet.
    detector_files: Vec<machines::DetectorFile>,
    /// Who is reached outside the windows, and how.
    pub reach: Vec<Outlet>,
    /// The map's tiles; `None` for the built-in ones of Malta.
    pub tiles: Option<PathBuf>,
    /// At most this many things, if the profile says so.
    pub things_max: Option<usize>,
    /// How long the history of single kinds is kept, where that is otherwise than for all.
    pub retention: Vec<(Kind, Ages)>,
    /// Whether it is the built-in demo city.
    pub demo: bool,
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("the profile {path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Something in it is wrong.
    #[error("{origin}, line {line}: {why}")]
    Wrong {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// Where in the line it begins, in characters from 1.
        column: usize,
        /// What is wrong and what would be right.
        why: String,
    },
}

/// What the document of a rule's state machine does outwards and nothing does here, each with its place.
pub(crate) fn left_out(rule: &Rule) -> &[String] {
    match &rule.condition {
        Condition::Detected(detected) => detected.detector().left_out(),
        Condition::When(_)
        | Condition::Silent
        | Condition::NotConverged { .. }
        | Condition::CommandFailed
        | Condition::Told => &[],
    }
}

impl Profile {
    /// The demo city's profile, part of the program.
    pub const DEMO: &str = include_str!("../../../assets/profiles/demo.toml");

    /// Reads a profile from a file. Paths in it are seen from the file's folder.
    pub fn read(path: &Path) -> Result<Profile, ProfileError> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|e| ProfileError::Unreadable { path: origin.clone(), why: e.to_string() })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Profile::parse_in(folder, &text, &origin)
    }

    /// Reads a profile from its text, as if it were a file of this folder; what its kinds may hold is read with it, which blocks on
    /// the disk.
    pub fn parse_in(folder: &Path, text: &str, origin: &str) -> Result<Profile, ProfileError> {
        let mut profile = Profile::parse_with(folder, text, origin)?;
        for file in std::mem::take(&mut profile.schema_files) {
            let (kind, schema) = file.read(folder).map_err(|Mistake { at, why }| wrong_at(text, origin, at, why))?;
            profile.schemas.put(kind, schema);
        }
        let read = areas::read(std::mem::take(&mut profile.area_files), folder);
        profile.areas.extend(read.map_err(|Mistake { at, why }| wrong_at(text, origin, at, why))?);
        for file in std::mem::take(&mut profile.detector_files) {
            let condition = file.read(folder).map_err(|Mistake { at, why }| wrong_at(text, origin, at, why))?;
            if let Some(rule) = profile.rules.get_mut(file.rule) {
                rule.condition = condition;
            }
        }
        profile.tiles = profile.tiles.map(|tiles| folder.join(tiles));
        profile.broker.seen_from(folder);
        if let Some(registry) = &mut profile.registry {
            registry.seen_from(folder);
        }
        Ok(profile)
    }

    /// The demo city's profile.
    pub fn demo() -> Result<Profile, ProfileError> {
        let profile = Profile::parse(Profile::DEMO, "the built-in profile")?;
        Ok(Profile { demo: true, ..profile })
    }

    /// Reads a profile from its text alone; `origin` is what messages call it. Files that it names are not looked at.
    pub fn parse(text: &str, origin: &str) -> Result<Profile, ProfileError> {
        Profile::parse_with(Path::new(""), text, origin)
    }

    /// The same, with the folder of those files that are seen from it at once.
    fn parse_with(folder: &Path, text: &str, origin: &str) -> Result<Profile, ProfileError> {
        let wrong = |at: Range<usize>, why: String| wrong_at(text, origin, at, why);
        let written: Written =
            toml::from_str(text).map_err(|e| wrong(e.span().unwrap_or_default(), e.message().to_owned()))?;
        written.check(folder, text).map_err(|Mistake { at, why }| wrong(at, why))
    }

    /// What the engine is told, without the registry, which is read from the disk. `broker` is how the status bar names it.
    pub fn fleet_config(&self, broker: String) -> FleetConfig {
        let usual = FleetConfig::default();
        FleetConfig {
            profile: self.name.clone(),
            broker,
            guarantee: "messages at QoS 1: on disk before acknowledged".into(),
            demo: self.demo,
            who: self.who.clone(),
            groups: self.groups.clone(),
            areas: self.areas.clone(),
            scope: self.scope.clone(),
            telemetry: self.telemetry.clone(),
            meta: self.meta.clone(),
            availability: self.availability.clone(),
            conventions: self.conventions.clone(),
            shadows: self.shadows,
            schemas: self.schemas.clone(),
            presence: self.presence,
            jobs: self.jobs,
            firmware: self.firmware.clone(),
            expiry_ms: self.expiry_ms.clone(),
            not_converged_after_ms: self.not_converged_after_ms,
            requests_in_flight: self.requests_in_flight.unwrap_or(usual.requests_in_flight),
            zone: self.zone.clone().unwrap_or_else(Zone::here),
            rules: self.rules.clone(),
            told_from: self.reach.iter().map(|outlet| outlet.route.from).min(),
            gets_per_s: self.broker.limits.gets_per_s(usual.gets_per_s),
            things_max: self.things_max.unwrap_or(usual.things_max),
            ..usual
        }
    }

    /// What the documents of its state machines do outwards and nothing does here, in words.
    pub fn left_out(&self) -> Vec<String> {
        let of_rule = |rule: &Rule| -> Vec<String> {
            let say =
                |what: &String| format!("the state machine of the alarm {:?} does not do this here: {what}", rule.id);
            left_out(rule).iter().map(say).collect()
        };
        self.rules.iter().flat_map(of_rule).collect()
    }

    /// What the link is told. `installation` is the cache's random number.
    pub fn link_config(&self, installation: u64, filters: Vec<String>) -> LinkConfig {
        // At most 23 bytes, which is all that a broker of MQTT 3.1.1 must take (MQTT 3.1.1, 3.1.3.1).
        let own_id = || format!("fl-{installation:016x}");
        let mut link = LinkConfig {
            protocol: self.broker.protocol,
            session_expiry_s: self.broker.session_expiry_s,
            mqtt5: self.broker.mqtt5.clone(),
            filters: filters.into_iter().map(|filter| (filter, 1)).collect(),
            credentials: self.broker.credentials.clone(),
            clear_password: self.broker.clear_password,
            tls: self.broker.tls.clone(),
            ..LinkConfig::new(self.broker.url.clone(), self.broker.client_id.clone().unwrap_or_else(own_id))
        };
        self.broker.limits.bound(&mut link);
        link
    }

    /// The name of its cache's file: the profile's name in lower-case ASCII, anything else as `-`. Where something had to give
    /// way, eight digits of the name's hash tell 北京 from 上海 and `Depot A` from `depot-a`.
    pub fn cache_file(&self) -> String {
        if self.demo {
            return "demo.db".into();
        }
        format!("profile-{}.db", self.file_stem())
    }

    /// What files of its own are called: the profile's name in lower-case ASCII, as in [`Profile::cache_file`].
    pub fn file_stem(&self) -> String {
        file_stem(&self.name)
    }
}

/// [`Profile::file_stem`] of a profile of this name.
pub fn file_stem(name: &str) -> String {
    let plain = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if plain == name {
        return plain;
    }
    let hash = xxh3_64(name.as_bytes()) >> 32;
    format!("{plain}-{hash:08x}")
}

/// What is wrong, and where in the text.
struct Mistake {
    at: Range<usize>,
    why: String,
}

impl Mistake {
    fn new(at: Range<usize>, why: impl ToString) -> Mistake {
        Mistake { at, why: why.to_string() }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    zone: Option<Spanned<String>>,
    #[serde(default)]
    identity: WrittenIdentity,
    broker: broker::WrittenBroker,
    #[serde(default)]
    telemetry: Vec<telemetry::WrittenTelemetry>,
    #[serde(default)]
    availability: Vec<availability::WrittenAvailability>,
    registry: Option<registry::WrittenRegistry>,
    #[serde(default)]
    convention: Vec<conventions::WrittenConvention>,
    #[serde(default)]
    group: Vec<groups::WrittenGroup>,
    #[serde(default)]
    area: Vec<areas::WrittenArea>,
    #[serde(default)]
    kind: Vec<kinds::WrittenKind>,
    #[serde(default)]
    shadows: WrittenShadows,
    #[serde(default)]
    firmware: WrittenFirmware,
    #[serde(default)]
    commands: WrittenCommands,
    #[serde(default)]
    map: WrittenMap,
    #[serde(default)]
    limits: WrittenLimits,
    #[serde(default)]
    retention: retention::WrittenRetention,
    alarm: Option<Vec<alarms::WrittenAlarm>>,
    #[serde(default)]
    reach: Vec<WrittenReach>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIdentity {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: Role,
    groups: Option<Vec<Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenShadows {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    presence: bool,
    #[serde(default)]
    jobs: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFirmware {
    pointer: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCommands {
    #[serde(default)]
    expiry_s: BTreeMap<Spanned<String>, Spanned<u64>>,
    not_converged_after_min: Option<Spanned<u64>>,
    requests_in_flight: Option<Spanned<usize>>,
}

impl WrittenCommands {
    fn expiry_ms(&self) -> Result<Vec<(String, u64)>, Mistake> {
        let mut expiry_ms = Vec::new();
        for (leaf, seconds) in &self.expiry_s {
            let s = *seconds.get_ref();
            if !(1..=EXPIRY_MAX_S).contains(&s) {
                let why = format!("an expiry of {s} s is outside 1–{EXPIRY_MAX_S} s");
                return Err(Mistake::new(seconds.span(), why));
            }
            expiry_ms.push((pointer(leaf)?, s * 1_000));
        }
        Ok(expiry_ms)
    }

    fn not_converged_after_ms(&self) -> Result<Option<u64>, Mistake> {
        let Some(minutes) = &self.not_converged_after_min else { return Ok(None) };
        if (1..=NOT_CONVERGED_MAX_MIN).contains(minutes.get_ref()) {
            return Ok(Some(minutes.get_ref() * 60_000));
        }
        let why = format!("{} min is outside 1–{NOT_CONVERGED_MAX_MIN} min (a week)", minutes.get_ref());
        Err(Mistake::new(minutes.span(), why))
    }

    fn requests_in_flight(&self) -> Result<Option<usize>, Mistake> {
        let Some(most) = &self.requests_in_flight else { return Ok(None) };
        if (1..=REQUESTS_IN_FLIGHT_MAX).contains(most.get_ref()) {
            return Ok(Some(*most.get_ref()));
        }
        let why = format!("{} requests in flight are outside 1–{REQUESTS_IN_FLIGHT_MAX}", most.get_ref());
        Err(Mistake::new(most.span(), why))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMap {
    tiles: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimits {
    things: Option<Spanned<usize>>,
}

impl WrittenLimits {
    fn check(self) -> Result<Option<usize>, Mistake> {
        let Some(things) = self.things else { return Ok(None) };
        if (1..=THINGS_MAX).contains(things.get_ref()) {
            return Ok(Some(things.into_inner()));
        }
        Err(Mistake::new(things.span(), format!("a limit of {} things is outside 1–{THINGS_MAX}", things.get_ref())))
    }
}

impl Written {
    fn check(self, folder: &Path, text: &str) -> Result<Profile, Mistake> {
        let name = self.name.get_ref().trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            let why = format!("the name has {} characters; 1 to {NAME_MAX_CHARS} are right", name.chars().count());
            return Err(Mistake::new(self.name.span(), why));
        }
        let (telemetry, meta) = telemetry::rules(&self.telemetry)?;
        let conventions = conventions::settings(&self.convention)?;
        if telemetry.is_empty() && conventions.is_empty() && !self.shadows.enabled {
            let why = "the profile listens to nothing; add a [[telemetry]] with a template, a [[convention]], or [shadows] enabled = true";
            return Err(Mistake::new(self.name.span(), why));
        }
        let (schemas, schema_files) = kinds::schemas(self.kind, text)?;
        let limited_at = self.broker.span();
        let zone = self.zone.as_ref().map(telemetry::zone).transpose()?;
        let zone = zone.or_else(|| telemetry.iter().find_map(|rule| rule.reading.zone.clone()));
        let groups = groups::groups(self.group)?;
        let scope = groups::scope(self.identity.groups, &groups)?;
        let areas = areas::areas(self.area)?;
        let (rules, detector_files) = alarms::rules(self.alarm, &groups, &areas)?;
        let profile = Profile {
            name,
            who: Actor { name: self.identity.name, role: self.identity.role },
            groups,
            areas: areas.known,
            area_files: areas.files,
            scope,
            broker: self.broker.check()?,
            telemetry,
            meta,
            availability: self
                .availability
                .into_iter()
                .map(availability::WrittenAvailability::check)
                .collect::<Result<_, _>>()?,
            conventions,
            registry: self.registry.map(registry::WrittenRegistry::check).transpose()?,
            shadows: self.shadows.enabled,
            presence: self.shadows.presence,
            schemas,
            schema_files,
            jobs: self.shadows.jobs,
            firmware: self.firmware.pointer.as_ref().map(pointer).transpose()?,
            expiry_ms: self.commands.expiry_ms()?,
            not_converged_after_ms: self.commands.not_converged_after_ms()?,
            requests_in_flight: self.commands.requests_in_flight()?,
            zone,
            rules,
            detector_files,
            reach: outlets(self.reach, folder).map_err(|error| Mistake::new(error.at.clone(), error))?,
            tiles: self.map.tiles,
            things_max: self.limits.check()?,
            retention: self.retention.check()?,
            demo: false,
        };
        let Broker { limits, client_id, .. } = &profile.broker;
        let filters = profile.fleet_config(String::new()).filters();
        let learns = profile.conventions.iter().any(Setting::learns_topics);
        limits.check(client_id.as_deref(), &filters, learns).map_err(|why| Mistake::new(limited_at, why))?;
        Ok(profile)
    }
}

fn wrong_at(text: &str, origin: &str, at: Range<usize>, why: String) -> ProfileError {
    let column = column_of(text, at.start);
    ProfileError::Wrong { origin: origin.to_owned(), line: line_of(text, at.start), column, why }
}

fn template(written: &Spanned<String>) -> Result<Template, Mistake> {
    Template::parse(written.get_ref()).map_err(|e| Mistake::new(written.span(), e))
}

/// A JSON pointer (RFC 6901): empty, or beginning with a slash.
fn pointer(written: &Spanned<String>) -> Result<String, Mistake> {
    let text = written.get_ref();
    if text.is_empty() || text.starts_with('/') {
        return Ok(text.clone());
    }
    Err(Mistake::new(written.span(), format!("{text:?} is not a JSON pointer; write \"/{text}\"")))
}

/// The line of a place in the text, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The column of a place in the text, in characters from 1.
fn column_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1
}

#[cfg(test)]
mod tests;
