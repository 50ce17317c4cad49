//! What views are made of. Every age is as of the frame; the window adds its own monotonic time.

use fleetlens_model::command::{Phase, Step};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{CommandId, SeriesKey, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// A view's whole content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rows {
    /// Of [`crate::Look::Status`].
    Status(Box<Status>),
    /// Of [`crate::Look::Map`]: packed [`crate::map`] rows.
    Map(Vec<u8>),
    /// Of [`crate::Look::Thing`].
    Thing(Box<ThingPage>),
    /// Of [`crate::Look::Chart`].
    Chart(Chart),
    /// Of [`crate::Look::Find`].
    Found(Vec<FoundRow>),
    /// Of [`crate::Look::Attention`].
    Attention(Attention),
    /// What the view looks at does not exist (any more).
    Missing,
}

/// One change of a view. Each replaces what it names; nothing is added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The status as it is now.
    Status(Box<Status>),
    /// Packed map rows, each replacing the one of its thing, or taking it away (`FLAG_GONE`).
    Map(Vec<u8>),
    /// A thing's head as it is now.
    Head(ThingHead),
    /// A value as it is now, new or known, by its series.
    Value(ValueRow),
    /// A shadow as it is now, new or known, by its name.
    Shadow(ShadowTable),
    /// A shadow that is no more, by its name.
    ShadowGone(String),
    /// A command as it is now, new or known, by its id.
    Command(CommandRow),
    /// A bucket as it is now, new or known, by its start. The window drops what leaves the span.
    Bucket(Bucket),
    /// A mark of a chart, new.
    Mark(ChartMark),
    /// The found rows as they are now.
    Found(Vec<FoundRow>),
    /// What needs a person, as it is now.
    Attention(Attention),
}

/// Whether and how we listen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Nothing was tried yet.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Who is at the screen.
    pub who: Actor,
    /// Things known.
    pub things: u32,
    /// Things by kind, in the order of [`Kind::ALL`], kinds without things left out.
    pub kinds: Vec<(Kind, u32)>,
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
    /// How many things need a person.
    pub attention: u32,
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

/// One thing, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingPage {
    /// Name, place, freshness.
    pub head: ThingHead,
    /// Values in the order of the screen.
    pub values: Vec<ValueRow>,
    /// Shadows by name, the classic one first.
    pub shadows: Vec<ShadowTable>,
    /// Commands, newest first, at most 20.
    pub commands: Vec<CommandRow>,
    /// Whether the person here may command it.
    pub may_command: bool,
    /// How long a command may wait where the profile says otherwise than the kind's controls: JSON pointer, milliseconds.
    pub expiries: Vec<(String, u64)>,
}

/// What stands at the top of a thing's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingHead {
    /// The thing.
    pub thing: ThingKey,
    /// Its name, verbatim.
    pub name: String,
    /// What people call it; the name where nobody gave one.
    pub title: String,
    /// Its kind.
    pub kind: Kind,
    /// Where it stands.
    pub at: Option<LonLat>,
    /// District; may be empty.
    pub area: String,
    /// Street; may be empty.
    pub street: String,
    /// Spaces in all, for a car park.
    pub capacity: Option<u32>,
    /// Which of these were made up.
    pub synthetic: Vec<String>,
    /// What its last word is worth.
    pub freshness: Freshness,
    /// Age of its last word, `None` when it never said one.
    pub heard_age_ms: Option<u64>,
    /// [`crate::map::Status::code`].
    pub status: u8,
}

/// One value with what it is and how old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRow {
    /// Its series.
    pub series: SeriesKey,
    /// JSON pointer.
    pub pointer: String,
    /// Its name on the screen.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// Its place on the screen, smaller first.
    pub rank: u8,
    /// The value.
    pub value: Value,
    /// Live, retained or cached.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
    /// Whose clock dated it.
    pub timed: Timed,
    /// Its age as of the frame.
    pub age_ms: u64,
    /// From this age on it is shown as old, in milliseconds: three intervals, at least a minute.
    pub old_after_ms: u64,
    /// The exact time it is aged by.
    pub device_ms: WallMs,
    /// When we received it.
    pub received_ms: WallMs,
}

/// A shadow as a table of leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowTable {
    /// Empty for the classic shadow.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// Whether what we know was confirmed by the broker since the link is up; else it is from the cache.
    pub current: bool,
    /// When we last heard of it.
    pub heard_ms: WallMs,
    /// Its leaves, by pointer.
    pub leaves: Vec<LeafRow>,
}

/// A leaf of a shadow, both sides as JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeafRow {
    /// JSON pointer.
    pub pointer: String,
    /// What is wanted; `None` when `desired` does not hold it.
    pub desired: Option<String>,
    /// What the device says; `None` when `reported` does not hold it.
    pub reported: Option<String>,
    /// Whether it is wanted and not yet so.
    pub differs: bool,
    /// When `desired` last changed here.
    pub desired_ms: Option<WallMs>,
    /// When `reported` last changed here.
    pub reported_ms: Option<WallMs>,
}

/// A command with its past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRow {
    /// Its id.
    pub id: CommandId,
    /// The thing.
    pub thing: ThingKey,
    /// The shadow; empty for the classic one.
    pub shadow: String,
    /// In words: `dim to 40 %`.
    pub title: String,
    /// What it changes: pointer, before, wanted; values as JSON text.
    pub changes: Vec<(String, Option<String>, String)>,
    /// Who asked.
    pub by: Actor,
    /// Where it stands.
    pub phase: Phase,
    /// What happened so far, oldest first.
    pub steps: Vec<StepRow>,
    /// The sentence for the screen: "accepted, not yet obeyed".
    pub sentence: String,
    /// Time left until it must not happen any more; `None` once it ended.
    pub expires_in_ms: Option<u64>,
    /// Whether it can still be taken back.
    pub can_cancel: bool,
}

/// One step of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// What happened.
    pub step: Step,
    /// When.
    pub at_ms: WallMs,
    /// More about it, e.g. the version or the reason; may be empty.
    pub note: String,
}

/// The recent past of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Which series.
    pub series: SeriesKey,
    /// Its name.
    pub label: String,
    /// Its unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// How far back.
    pub span_ms: u64,
    /// Our wall clock as of the frame: the right edge.
    pub until_ms: WallMs,
    /// Width of a bucket; a stretch of more than twice the thing's interval without one is a gap.
    pub bucket_ms: u64,
    /// A stretch longer than this without a bucket is a gap.
    pub gap_ms: u64,
    /// In the order of time.
    pub buckets: Vec<Bucket>,
    /// Commands within the span.
    pub marks: Vec<ChartMark>,
}

/// A moment worth a line on a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartMark {
    /// When.
    pub at_ms: WallMs,
    /// What: `dim to 40 %`.
    pub label: String,
}

/// A thing that matches what was typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundRow {
    /// The thing.
    pub thing: ThingKey,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Street and area, for telling two apart.
    pub place: String,
    /// Its kind.
    pub kind: Kind,
    /// [`crate::map::Status::code`].
    pub status: u8,
    /// Where it stands.
    pub at: Option<LonLat>,
}

/// What needs a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// All of them.
    pub count: u32,
    /// The worst ones.
    pub rows: Vec<AttentionRow>,
}

/// One thing that needs a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttentionRow {
    /// The thing.
    pub thing: ThingKey,
    /// `Lamp 0417 does what nobody asked`: what is wrong, in words.
    pub title: String,
    /// The sentence below it, with what to do.
    pub sentence: String,
    /// [`crate::map::Status::code`], Warning or Critical.
    pub status: u8,
    /// Since when.
    pub since_ms: WallMs,
}
