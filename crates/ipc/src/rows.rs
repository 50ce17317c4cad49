//! What views are made of. Every age is as of the frame; the window adds its own monotonic time.

use fleetlens_model::alarm::{Acknowledgement, Priority};
use fleetlens_model::command::{Phase, Step};
use fleetlens_model::downsample::Bucket;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, CommandId, SeriesKey, ThingKey};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Retention;
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
    /// Of [`crate::Look::Things`].
    Things(ThingsPage),
    /// Of [`crate::Look::Alarms`].
    Alarms(AlarmList),
    /// Of [`crate::Look::Commands`].
    Commands(Vec<CommandRow>),
    /// Of [`crate::Look::Parking`].
    Parking(Vec<ParkingRow>),
    /// Of [`crate::Look::Messages`].
    Messages(Vec<MessageRow>),
    /// Of [`crate::Look::Settings`].
    Settings(Box<Settings>),
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
    /// The table's stretch as it is now: the order was made anew.
    Things(ThingsPage),
    /// A row of the table as it is now.
    ThingRow {
        /// Its place in the order, from 0; within the stretch.
        at: u32,
        /// The row.
        row: ThingRow,
    },
    /// How many things would stand elsewhere in the table, be new in it or leave it, if its order were made anew.
    ThingsMoved(u32),
    /// An alarm as it is now, new or known, by its id.
    Alarm(AlarmRow),
    /// An alarm that left the list, by its id.
    AlarmGone(AlarmId),
    /// How many alarms there are now.
    AlarmCounts(AlarmCounts),
    /// A command that left the list, by its id.
    CommandGone(CommandId),
    /// The car parks near the place, as they are now.
    Parking(Vec<ParkingRow>),
    /// A message, the newest.
    Message(MessageRow),
    /// The settings as they are now.
    Settings(Box<Settings>),
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
    /// How many alarms need a person: active, and nobody has acknowledged them.
    pub attention: u32,
    /// How many alarms there are.
    pub alarms: AlarmCounts,
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
    /// Its open alarms, worst first.
    pub alarms: Vec<AlarmRow>,
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
    /// The name of the gateway that carries what it says; may be empty.
    pub gateway: String,
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
    /// What people call it.
    pub thing_title: String,
    /// What it is.
    pub kind: Kind,
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
    /// The least and the greatest value there can be, where that is known: 0 and 100 of a percentage.
    pub limits: Option<(f64, f64)>,
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
    /// The alarm that says so; goes with [`crate::Intent::Acknowledge`].
    pub alarm: AlarmId,
    /// The thing.
    pub thing: ThingKey,
    /// `Lamp 0417 does what nobody asked`: what is wrong, in words.
    pub title: String,
    /// What was seen, as it stands with the rule; may be empty.
    pub sentence: String,
    /// What to do about it, as it stands with the rule; may be empty.
    pub what_to_do: String,
    /// [`crate::map::Status::code`], Warning or Critical.
    pub status: u8,
    /// Since when: when the alarm was raised the last time; goes with [`crate::Intent::Acknowledge`].
    pub since_ms: WallMs,
}

/// A stretch of the table of things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThingsPage {
    /// How many things the query finds.
    pub total: u32,
    /// Where the stretch begins, from 0.
    pub first: u32,
    /// The stretch; shorter than asked for only at the end of the table.
    pub rows: Vec<ThingRow>,
    /// How many things would stand elsewhere, be new or leave, if the order were made anew. Those that only close up behind one that
    /// moves are not counted.
    pub moved: u32,
}

/// One thing in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThingRow {
    /// The thing.
    pub thing: ThingKey,
    /// Its name, verbatim.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its kind.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// Where it is now.
    pub at: Option<LonLat>,
    /// [`crate::map::Status::code`].
    pub status: u8,
    /// Its kind's main value, if it has said one; else its first by pointer.
    pub value: Option<ValueRow>,
    /// What its last word is worth.
    pub freshness: Freshness,
    /// Age of its last word, `None` when it never said one.
    pub heard_age_ms: Option<u64>,
    /// Commands that wait or are on their way.
    pub pending: u32,
    /// Its worst open alarm, in words; empty for none.
    pub alarm: String,
    /// How far it is, in metres, where the table is sorted by that.
    pub distance_m: Option<f32>,
}

/// How many alarms there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmCounts {
    /// Open: active, or not acknowledged.
    pub open: u32,
    /// Active now, as far as we listen.
    pub active: u32,
    /// Open and not acknowledged.
    pub unacknowledged: u32,
    /// Active, critical and not acknowledged.
    pub critical: u32,
}

/// The alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmList {
    /// How many there are in all.
    pub counts: AlarmCounts,
    /// Open ones worst first, then the newest; ended ones newest first.
    pub rows: Vec<AlarmRow>,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Its id.
    pub id: AlarmId,
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub thing_title: String,
    /// What it is.
    pub kind: Kind,
    /// Street and area; may be empty.
    pub place: String,
    /// Where the thing is.
    pub at: Option<LonLat>,
    /// How bad.
    pub priority: Priority,
    /// What is wrong: `Bin 0012 nearly full`.
    pub title: String,
    /// What was seen: `fill 96 %, 90 % or more for 2 min`.
    pub sentence: String,
    /// What usually causes it; may be empty.
    pub cause: String,
    /// What happens when nobody acts; may be empty.
    pub consequence: String,
    /// What to do.
    pub what_to_do: String,
    /// Whether it is so now, as far as we listen.
    pub active: bool,
    /// Since when our own link is down, so that nobody knows whether it is still so.
    pub unknown_since_ms: Option<WallMs>,
    /// When it became so the last time; goes with [`crate::Intent::Acknowledge`].
    pub raised_ms: WallMs,
    /// When it ceased to be so.
    pub cleared_ms: Option<WallMs>,
    /// How often it became so since it is open.
    pub times: u32,
    /// Who saw it.
    pub acknowledged: Option<Acknowledgement>,
    /// How many silent things stand behind this one gateway.
    pub mutes: u32,
}

/// A car park for somebody who looks for a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkingRow {
    /// The thing.
    pub thing: ThingKey,
    /// What people call it.
    pub title: String,
    /// Street and area; may be empty.
    pub place: String,
    /// Where it is.
    pub at: LonLat,
    /// How far from the place asked for, in metres as the crow flies.
    pub distance_m: f32,
    /// Every space.
    pub all: Spaces,
    /// Those for people with a disability.
    pub accessible: Spaces,
    /// Those with a charging point.
    pub charging: Spaces,
    /// What its last word is worth.
    pub freshness: Freshness,
}

/// Spaces of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spaces {
    /// How many there are, if known; 0 means that there are none of this class.
    pub capacity: Option<u32>,
    /// How many are free, if that was ever said.
    pub free: Option<FreeCount>,
}

/// How many spaces are free, never without when they were counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeCount {
    /// Free spaces; never more than the capacity, where that is known.
    pub count: u32,
    /// Age as of the frame.
    pub age_ms: u64,
    /// From this age on it is shown as old, in milliseconds.
    pub old_after_ms: u64,
    /// When they were counted.
    pub device_ms: WallMs,
    /// Live, retained or cached.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// The topic.
    pub topic: String,
    /// The payload as text, at most 2048 bytes of it; bytes that are no UTF-8 as U+FFFD.
    pub payload: String,
    /// How many bytes the payload has in all.
    pub bytes: u32,
    /// When it came.
    pub received_ms: WallMs,
    /// Whether the broker replayed it on subscribe.
    pub retained: bool,
    /// Whether it was delivered before and is stored already, so that nothing came of it this time.
    pub repeated: bool,
    /// 0 or 1.
    pub qos: u8,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
}

/// How this program is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The profiles there are, the demo city first.
    pub profiles: Vec<ProfileRow>,
    /// The folder where profiles are looked for.
    pub profile_folder: String,
    /// Who is at the screen.
    pub who: Actor,
    /// The roles they may take on.
    pub roles: Vec<Role>,
    /// The cache's file.
    pub cache_file: String,
    /// How much the cache keeps.
    pub retention: Retention,
    /// The program's version.
    pub version: String,
}

/// A profile that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// Its name; goes with [`crate::Setting::Profile`].
    pub name: String,
    /// Its file; empty for the demo city.
    pub file: String,
    /// Its broker, without any secret; empty when it cannot be read.
    pub broker: String,
    /// Whether it is in use.
    pub active: bool,
    /// Why it cannot be used, with the line; `None` when it can.
    pub fault: Option<String>,
}
