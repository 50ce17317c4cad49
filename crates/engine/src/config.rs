//! What a profile tells the engine.

use std::sync::Arc;

use fleetlens_ipc::rows::{Settings, TileSet};
use fleetlens_model::alarm::fence::Area;
use fleetlens_model::alarm::{Priority, Rule};
use fleetlens_model::group::Group;
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::{Kind, Schemas};
use fleetlens_wire::availability::Availability;
use fleetlens_wire::registry::Registry;
use fleetlens_wire::telemetry::{Reading, Telemetry};
use fleetlens_wire::template::Template;
use fleetlens_wire::time::Zone;
use fleetlens_wire::{aws, convention, shadow};

/// How long a leaf may be wanted and not reported where nobody says otherwise, in milliseconds.
pub const NOT_CONVERGED_AFTER_MS: u64 = 10 * 60_000;

/// How telemetry of one shape is recognised and read.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetryRule {
    /// Which topics.
    pub template: Template,
    /// How their payloads are read.
    pub reading: Reading,
    /// What all its things are, whatever topic and payload say.
    pub kind: Option<Kind>,
    /// How often its things speak, in seconds; `None` where they say it themselves, or nobody does.
    pub interval_s: Option<u32>,
}

impl TelemetryRule {
    /// What a message says, with what the rule says of all its things.
    pub(crate) fn told(&self, mut said: Telemetry) -> Telemetry {
        said.about.kind = self.kind.or(said.about.kind);
        said.about.interval_s = self.interval_s;
        said
    }
}

/// Everything the fleet needs to know before its first input.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetConfig {
    /// The profile's name.
    pub profile: String,
    /// The broker as people write it, without any secret.
    pub broker: String,
    /// The guarantee of our subscriptions, in words.
    pub guarantee: String,
    /// Whether the values are made up.
    pub demo: bool,
    /// Who is at the screen.
    pub who: Actor,
    /// Groups of things.
    pub groups: Vec<Group>,
    /// Areas that rules name.
    pub areas: Vec<Area>,
    /// Names of the groups that the person at the screen may steer, whatever their role; `None` for everything.
    pub scope: Option<Vec<String>>,
    /// Telemetry, in order of precedence.
    pub telemetry: Vec<TelemetryRule>,
    /// Retained descriptions.
    pub meta: Vec<Template>,
    /// Topics that say whether a thing is there, in order of precedence, before telemetry: they are named one by one.
    pub availability: Vec<Availability>,
    /// Conventions, in order of precedence, after every template.
    pub conventions: Vec<convention::Setting>,
    /// What the city's own list says of its things.
    pub registry: Arc<Registry>,
    /// What people call that list; the file's name.
    pub registry_name: String,
    /// Whether the broker has device shadows.
    pub shadows: bool,
    /// What the desired state of each kind of thing may hold.
    pub schemas: Schemas,
    /// Whether the broker tells who is connected, as AWS does.
    pub presence: bool,
    /// Whether the broker tells of jobs, as AWS does.
    pub jobs: bool,
    /// Where things say their firmware, as a JSON pointer into what they report or measure; `None` for `/fw` and `/firmware`.
    pub firmware: Option<String>,
    /// How many shadows are asked for a second after a connect, so that a big fleet is no storm. AWS allows some hundred.
    pub gets_per_s: u32,
    /// How many requests of commands may be on the wire at once, in all; of one thing no more than
    /// [`fleetlens_model::shadow::limits::REQUESTS_IN_FLIGHT`].
    pub requests_in_flight: usize,
    /// Expiries by JSON pointer that differ from the controls' own, in milliseconds.
    pub expiry_ms: Vec<(String, u64)>,
    /// How long a leaf of a shadow may be wanted and not reported before it is listed, in milliseconds; `None` for what the alarm
    /// rule about it says for the kind, else [`NOT_CONVERGED_AFTER_MS`].
    pub not_converged_after_ms: Option<u64>,
    /// Whose clocks people in the city live by: what is usual is learned by them.
    pub zone: Zone,
    /// When a person is needed.
    pub rules: Vec<Rule>,
    /// Alarms of this priority and above are told to people who are not before any window; `None` where nobody is.
    pub told_from: Option<Priority>,
    /// The map's tiles, for the windows; the host serves them.
    pub tiles: TileSet,
    /// How the program is set, for the windows that look at it; the host keeps it.
    pub settings: Settings,
    /// At most this many things; messages of further ones are refused, so that a flood of names cannot fill memory and disk.
    pub things_max: usize,
}

impl Default for FleetConfig {
    fn default() -> FleetConfig {
        FleetConfig {
            profile: String::new(),
            broker: String::new(),
            guarantee: String::new(),
            demo: false,
            who: Actor::default(),
            groups: Vec::new(),
            areas: Vec::new(),
            scope: None,
            telemetry: Vec::new(),
            meta: Vec::new(),
            availability: Vec::new(),
            conventions: Vec::new(),
            registry: Arc::default(),
            registry_name: String::new(),
            shadows: false,
            schemas: Schemas::default(),
            presence: false,
            jobs: false,
            firmware: None,
            gets_per_s: 100,
            requests_in_flight: 200,
            expiry_ms: Vec::new(),
            not_converged_after_ms: None,
            zone: Zone::default(),
            rules: Rule::usual(),
            told_from: None,
            tiles: TileSet::default(),
            settings: Settings::default(),
            things_max: 200_000,
        }
    }
}

impl FleetConfig {
    /// The templates of topics that name their thing or are read by their own words, in order of precedence.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let availability = self.availability.iter().map(|one| &one.template);
        availability.chain(self.telemetry.iter().map(|rule| &rule.template)).chain(&self.meta)
    }

    /// The MQTT filters that bring everything the fleet reads, without repetition. Never `#` alone nor `$SYS`.
    pub fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> = self.templates().map(Template::filter).collect();
        filters.extend(self.conventions.iter().flat_map(|setting| setting.start().filters()));
        if self.shadows {
            filters.extend(shadow::answer_filters("+", None));
            filters.extend(shadow::answer_filters("+", Some("+")));
        }
        if self.presence {
            filters.extend(aws::PRESENCE_FILTERS.map(str::to_owned));
        }
        if self.jobs {
            filters.extend(aws::JOB_FILTERS.map(str::to_owned));
        }
        let mut seen = std::collections::BTreeSet::new();
        filters.retain(|filter| seen.insert(filter.clone()));
        filters
    }
}
