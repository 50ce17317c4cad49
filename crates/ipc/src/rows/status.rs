//! What is true of the app as a whole: the status bar, and what was refused or shed.

use fleetlens_model::identity::Actor;
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

use super::{AlarmCounts, FloodRow};

/// Whether and how we listen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Nothing was tried yet.
    #[default]
    Starting,
    /// On the way, or waiting for the next try.
    Connecting {
        /// What the last try failed with, if one did.
        reason: Option<String>,
        /// When we lost the link or began to try, by our wall clock.
        since_ms: WallMs,
    },
    /// Connected and subscribed.
    Up {
        /// Since when.
        since_ms: WallMs,
    },
}

/// The status bar and everything else that is true of the app as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Our link.
    pub link: LinkState,
    /// The broker as people write it, without any secret: `mqtt://127.0.0.1:1883 · MQTT 5`.
    pub broker: String,
    /// The guarantee of our subscriptions, e.g. `messages at QoS 1: on disk before acknowledged`.
    pub guarantee: String,
    /// The profile's name.
    pub profile: String,
    /// Whether the profile is the embedded demo city, whose values are made up.
    pub demo: bool,
    /// Nobody has said yet what to show: the window asks ([`super::Settings::undecided`]).
    pub undecided: bool,
    /// Who is at the screen.
    pub who: Actor,
    /// Things known.
    pub things: u32,
    /// Things by kind, in the order of [`Kind::ALL`], kinds without things left out.
    pub kinds: Vec<(Kind, u32)>,
    /// Names of the profile's groups, in its order.
    pub groups: Vec<String>,
    /// Messages received since the start.
    pub received: u64,
    /// Messages whose rows are committed since the start.
    pub stored: u64,
    /// Messages refused since the start, with a reason each.
    pub refused: u64,
    /// QoS 0 messages shed since the start.
    pub shed: u64,
    /// Messages a second, over the last few seconds.
    pub per_s: f32,
    /// Age of the last message, `None` when none came since the start.
    pub last_message_age_ms: Option<u64>,
    /// Age of the newest value in the cache, for "everything is as of …".
    pub newest_value_ms: Option<WallMs>,
    /// Size of the cache on the disk, in bytes.
    pub cache_bytes: u64,
    /// When the oldest sample in the cache was measured.
    pub oldest_sample_ms: Option<WallMs>,
    /// Commands that wait or are on their way.
    pub open_commands: u32,
    /// Leaves of shadows that have been wanted and not reported for too long ([`crate::Look::NotConverged`]).
    pub not_converged: u32,
    /// How many alarms need a person: active, more than worth knowing, and nobody has acknowledged them.
    pub attention: u32,
    /// How many alarms there are.
    pub alarms: AlarmCounts,
    /// How often people were told of an alarm since the start, by priority, in the order of
    /// [`fleetlens_model::alarm::Priority::FROM_LOWEST`]: what sounds when it rises.
    pub told: Vec<u32>,
    /// The flood, while there is one.
    pub flood: Option<FloodRow>,
    /// Why the cache cannot be written, while it cannot, e.g. because the disk is full.
    pub cache_fault: Option<String>,
    /// What was shed at QoS 0 by topic, newest first, at most 20.
    pub sheds: Vec<ShedRow>,
    /// Our wall clock as of the frame.
    pub wall_ms: WallMs,
    /// The last refusals, newest first, at most 20.
    pub refusals: Vec<RefusalRow>,
}

/// Why a message was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The topic, at most 256 characters of it.
    pub topic: String,
    /// The reason.
    pub reason: String,
    /// How often since the start, for this reason and topic.
    pub count: u64,
    /// The last time.
    pub last_ms: WallMs,
}

/// What was left out because more came than could be kept; only QoS 0 telemetry ever is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShedRow {
    /// The topic, at most 256 characters of it; empty for all that are not counted one by one.
    pub topic: String,
    /// How often since the start.
    pub count: u64,
    /// The last time.
    pub last_ms: WallMs,
}
