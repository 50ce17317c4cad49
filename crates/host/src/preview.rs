//! What a profile's text would do: what is wrong with it, and what the engine itself would read of a sample.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_engine::config::FleetConfig;
use fleetlens_engine::fleet::{Effects, Fleet, Input, Outward};
use fleetlens_engine::port::{LinkEvent, Received};
use fleetlens_engine::wire::registry::Registry;
use fleetlens_ipc::profile::{Checked, MistakeRow, Preview, PreviewRow, UnreadRow};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::{Restored, Write};
use fleetlens_model::telemetry::{self, Sample as Value, Timed};
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;

use crate::draft::{Budget, Sample};
use crate::filter::Filters;
use crate::profile::{Profile, ProfileError, RegistryFile};

/// The most messages that are read for a preview, and how long that may take; it is made anew as somebody types.
const MESSAGES_MAX: usize = 20_000;
const TAKES_AT_MOST: Duration = Duration::from_secs(2);

/// The largest registry that is read for a preview, in bytes.
const REGISTRY_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Things of a kind whose values are shown, values of each, and rows in all.
const THINGS_OF_A_KIND: usize = 3;
const VALUES_OF_A_THING: usize = 6;
const ROWS_MAX: usize = 60;

/// The most reasons of refusals, and how many of them are shown.
const REASONS_MAX: usize = 500;
const REASONS_SHOWN: usize = 12;

/// Judges a text and, where there is a sample and no mistake, what the profile would make of it. `fault` is what else may be wrong
/// with a profile, such as a name that another one has. Files that the text names are seen from `folder`; of them the registry is
/// read, which blocks on the disk.
pub fn check(
    folder: &Path,
    text: &str,
    sample: Option<&Sample>,
    now: Now,
    fault: impl FnOnce(&Profile) -> Option<String>,
) -> Checked {
    check_but(folder, text, sample, now, fault, |_| None)
}

/// The same, where `closed` may say of the registry's file why it is not read.
pub fn check_but(
    folder: &Path,
    text: &str,
    sample: Option<&Sample>,
    now: Now,
    fault: impl FnOnce(&Profile) -> Option<String>,
    closed: impl FnOnce(&Path) -> Option<String>,
) -> Checked {
    let wrong = |line: usize, message: String| Checked {
        mistake: Some(MistakeRow { line: u32::try_from(line).unwrap_or(u32::MAX), message }),
        ..Checked::default()
    };
    match Profile::parse_in(folder, text, "the profile") {
        Err(ProfileError::Wrong { line, why, .. }) => wrong(line, why),
        Err(error @ ProfileError::Unreadable { .. }) => wrong(1, error.to_string()),
        Ok(profile) => match fault(&profile) {
            Some(why) => wrong(line_of_name(text), why),
            None => Checked {
                mistake: None,
                filters: profile.fleet_config(String::new()).filters(),
                preview: sample.map(|sample| {
                    let registry = registry_of(&profile, closed);
                    preview(&profile, registry, sample, now, Budget::new(MESSAGES_MAX, TAKES_AT_MOST))
                }),
                name: profile.name,
            },
        },
    }
}

/// Where the name stands.
fn line_of_name(text: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with("name")).map_or(1, |at| at + 1)
}

/// The registry, or why it says nothing.
fn registry_of(profile: &Profile, closed: impl FnOnce(&Path) -> Option<String>) -> Registry {
    profile.registry.as_ref().map_or_else(Registry::default, |file| match closed(&file.path) {
        Some(why) => Registry::unread(why),
        None => file.read_up_to(REGISTRY_MAX_BYTES),
    })
}

/// What a profile would read of a sample: an engine of its own takes the messages in, as if they came from the broker just now.
fn preview(profile: &Profile, registry: Registry, sample: &Sample, now: Now, budget: Budget) -> Preview {
    let config = FleetConfig {
        registry: Arc::new(registry),
        registry_name: profile.registry.as_ref().map(RegistryFile::name).unwrap_or_default(),
        ..profile.fleet_config(String::new())
    };
    let filters = Filters::of(&config.filters());
    // Conventions learn topics from what is announced; then those are listened to as well.
    let (first, learned) = taken_in(&config, sample, &filters, &Filters::default(), now, budget.half());
    let learned = Filters::of(&learned);
    if learned.is_empty() { first } else { taken_in(&config, sample, &filters, &learned, now, budget).0 }
}

/// One engine's look at a sample, and the filters it asked for beyond `filters` and `learned`.
fn taken_in(
    config: &FleetConfig,
    sample: &Sample,
    filters: &Filters,
    learned: &Filters,
    now: Now,
    mut budget: Budget,
) -> (Preview, Vec<String>) {
    let passed_over = sample.others(|topic| filters.lets_through(topic) || learned.lets_through(topic));
    let mut fleet = Fleet::new(config.clone(), Restored::default(), now);
    let (mut effects, mut read) = (Effects::default(), 0);
    let (mut made, mut asked) = (Made::default(), Vec::new());
    fleet.handle(Input::Started, now, &mut effects);
    fleet.handle(Input::Link(LinkEvent::Up { resumed: false, granted: 1 }), now, &mut effects);
    // What the registry's file says is told also when nothing was heard that the profile reads.
    std::mem::take(&mut effects.writes).into_iter().for_each(|write| made.take(write));
    let known = sample.in_order(|topic| filters.lets_through(topic));
    let others = sample.in_order(|topic| !filters.lets_through(topic) && learned.lets_through(topic));
    let mut left_out = 0_u32;
    for (topic, payload) in known.into_iter().chain(others) {
        if !budget.take() {
            left_out = left_out.saturating_add(1);
            continue;
        }
        let (topic, payload) = (topic.to_owned(), payload.to_vec());
        let message = Received {
            topic,
            payload,
            retained: false,
            redelivered: false,
            packet_id: 0,
            delivery: None,
            properties: None,
        };
        fleet.handle(Input::Link(LinkEvent::Received(message)), now, &mut effects);
        read += effects.messages;
        let Effects { writes, outward, .. } = std::mem::take(&mut effects);
        writes.into_iter().for_each(|write| made.take(write));
        for outward in outward {
            if let Outward::Subscribe(filters) = outward {
                asked.extend(filters);
            }
        }
    }
    let preview = Preview {
        read,
        things: u32::try_from(made.things.len()).unwrap_or(u32::MAX),
        values: made.values(),
        refused: made.refused(),
        passed_over: u32::try_from(passed_over).unwrap_or(u32::MAX),
        left_out,
    };
    (preview, asked)
}

/// What an engine would have put on the disk.
#[derive(Default)]
struct Made {
    things: BTreeMap<ThingKey, (String, Meta)>,
    series: HashMap<SeriesKey, (ThingKey, String)>,
    latest: BTreeMap<SeriesKey, Value>,
    /// By reason: one of the topics, and how many messages.
    refusals: BTreeMap<String, (String, u32)>,
}

impl Made {
    fn take(&mut self, write: Write) {
        match write {
            Write::Thing { thing, name, meta } => _ = self.things.insert(thing, (name.as_str().to_owned(), *meta)),
            Write::Series { series, thing, pointer } => _ = self.series.insert(series, (thing, pointer)),
            Write::Sample(sample) => {
                let is_news = self.latest.get(&sample.series).is_none_or(|latest| sample.supersedes(latest));
                if is_news {
                    self.latest.insert(sample.series, sample);
                }
            }
            Write::Refused { topic, reason, .. } => {
                if self.refusals.contains_key(&reason) || self.refusals.len() < REASONS_MAX {
                    self.refusals.entry(reason).or_insert((topic, 0)).1 += 1;
                }
            }
            Write::Silent { .. }
            | Write::Shadow { .. }
            | Write::ShadowChanged { .. }
            | Write::Command(_)
            | Write::Alarm(_)
            | Write::Rhythm { .. }
            | Write::RhythmGone(_)
            | Write::Position(_)
            | Write::PositionGone { .. }
            | Write::Bulk(_)
            | Write::BulkRows { .. }
            | Write::BulkGone(_)
            | Write::Job(_)
            | Write::ThingJob(_)
            | Write::JobGone(_)
            | Write::Audit(_)
            | Write::Unacked { .. }
            | Write::NewSession
            | Write::LinkSeen { .. } => {}
        }
    }

    /// Some values of some things of every kind.
    fn values(&self) -> Vec<PreviewRow> {
        let mut of_thing: BTreeMap<ThingKey, Vec<(&str, &Value)>> = BTreeMap::new();
        for (series, sample) in &self.latest {
            if let Some((thing, pointer)) = self.series.get(series) {
                of_thing.entry(*thing).or_default().push((pointer, sample));
            }
        }
        let mut of_kinds: HashMap<Kind, usize> = HashMap::new();
        let mut rows = Vec::new();
        for (thing, mut values) in of_thing {
            let Some((name, meta)) = self.things.get(&thing) else { continue };
            let of_kind = of_kinds.entry(meta.kind).or_default();
            *of_kind += 1;
            if *of_kind > THINGS_OF_A_KIND {
                continue;
            }
            values.sort_unstable_by_key(|(pointer, _)| *pointer);
            rows.extend(values.into_iter().take(VALUES_OF_A_THING).map(|(pointer, sample)| PreviewRow {
                thing: name.clone(),
                kind: meta.kind,
                pointer: shown(pointer).into_owned(),
                value: match &sample.value {
                    telemetry::Value::Text(text) => telemetry::Value::Text(shown(text).into_owned()),
                    value @ (telemetry::Value::Number(_) | telemetry::Value::Flag(_)) => value.clone(),
                },
                unit: shown(meta.unit(pointer)).into_owned(),
                at_ms: sample.device_ms,
                timed: sample.timed == Timed::ByDevice,
            }));
        }
        rows.truncate(ROWS_MAX);
        rows
    }

    fn refused(&self) -> Vec<UnreadRow> {
        let row = |(why, (topic, count)): (&String, &(String, u32))| UnreadRow {
            topic: topic.clone(),
            topics: *count,
            why: why.clone(),
        };
        let mut rows: Vec<UnreadRow> = self.refusals.iter().map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.topics));
        rows.truncate(REASONS_SHOWN);
        rows
    }
}

#[cfg(test)]
pub mod tests {
    use fleetlens_model::telemetry::Value;
    use fleetlens_model::time::{MonoMs, WallMs};

    use super::*;

    pub const NOW: Now = Now { wall: WallMs(1_763_700_010_000), mono: MonoMs(5) };
    const TEXT: &str = "name = \"X\"\n[broker]\nurl = \"mqtt://h\"\n[[telemetry]]\n\
                        template = \"city/{area}/{kind}/{thing}/telemetry\"\nenvelope = \"/values\"\ntime = \"/ts\"\n\
                        meta = \"city/{area}/{kind}/{thing}/meta\"\n";

    fn sample() -> Sample {
        let mut sample = Sample::default();
        let says = |fill: u32| format!("{{\"ts\":1763700000000,\"values\":{{\"fill_pct\":{fill}}}}}");
        for n in 0..5 {
            sample.hear(&format!("city/sliema/bin/bin-{n}/telemetry"), says(n).as_bytes());
        }
        sample.hear("city/sliema/lamp/lamp-1/telemetry", br#"{"values":{"power_w":61.8}}"#);
        sample.hear("city/sliema/lamp/lamp-2/telemetry", br#"{"values":"#);
        sample.hear("weather/malta", b"sunny");
        sample
    }

    #[test]
    fn a_preview_is_what_the_engine_would_show() {
        let checked = check(Path::new(""), TEXT, Some(&sample()), NOW, |_| None);
        assert_eq!((checked.mistake, checked.name.as_str()), (None, "X"));
        assert_eq!(checked.filters, ["city/+/+/+/telemetry", "city/+/+/+/meta"]);
        let preview = checked.preview.unwrap();
        assert_eq!((preview.read, preview.things, preview.passed_over), (6, 6, 1));
        let bins: Vec<_> = preview.values.iter().filter(|row| row.kind == Kind::Bin).collect();
        assert_eq!(bins.len(), THINGS_OF_A_KIND);
        let first = bins[0];
        assert_eq!((first.thing.as_str(), first.pointer.as_str(), first.unit.as_str()), ("bin-0", "/fill_pct", "%"));
        assert_eq!((&first.value, first.at_ms, first.timed), (&Value::Number(0.0), WallMs(1_763_700_000_000), true));
        let lamp = preview.values.iter().find(|row| row.kind == Kind::Lamp).unwrap();
        assert_eq!((lamp.at_ms, lamp.timed), (NOW.wall, false), "one that says no time has ours");
        let [refused] = preview.refused.as_slice() else { panic!("{preview:?}") };
        assert_eq!((refused.topic.as_str(), refused.topics), ("city/sliema/lamp/lamp-2/telemetry", 1));
        assert!(refused.why.contains("not JSON"), "{}", refused.why);
    }

    #[test]
    fn a_registry_is_read_for_a_preview_as_the_engine_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("things.csv");
        let text = format!("{TEXT}\n[registry]\nfile = \"things.csv\"\n");
        let preview = || check(folder.path(), &text, Some(&sample()), NOW, |_| None).preview.unwrap();
        std::fs::write(&list, "thing,kind,units\nlamp-1,charger,power_w=kW\nlamp-9,lamp,\n,lamp,\n").unwrap();
        let seen = preview();
        assert_eq!((seen.read, seen.things), (6, 7), "one of the list has not spoken");
        let lamp = seen.values.iter().find(|row| row.thing == "lamp-1").unwrap();
        assert_eq!((lamp.kind, lamp.unit.as_str()), (Kind::Charger, "kW"), "the list is believed");
        let of_list = |preview: &Preview| {
            let row = preview.refused.iter().find(|row| row.topic == "things.csv");
            row.map(|row| row.why.clone()).unwrap_or_default()
        };
        assert_eq!(of_list(&seen), "line 4: it names no thing");

        std::fs::File::options().write(true).open(&list).unwrap().set_len(REGISTRY_MAX_BYTES + 1).unwrap();
        let seen = preview();
        assert_eq!(seen.things, 6);
        assert!(of_list(&seen).contains("a preview reads up to 4194304"), "{:?}", seen.refused);
        std::fs::remove_file(&list).unwrap();
        assert!(of_list(&preview()).starts_with("it cannot be read"), "{:?}", preview().refused);
        std::fs::create_dir(&list).unwrap();
        assert!(of_list(&preview()).contains("it is no file"), "{:?}", preview().refused);
    }

    #[test]
    fn what_strangers_wrote_is_shown_with_its_hidden_characters_written_out() {
        let mut sample = Sample::default();
        sample.hear("city/a/bin/b/telemetry", "{\"values\":{\"a\u{200b}\":\"x\u{202e}y\"}}".as_bytes());
        let preview = check(Path::new(""), TEXT, Some(&sample), NOW, |_| None).preview.unwrap();
        let [row] = preview.values.as_slice() else { panic!("{preview:?}") };
        assert_eq!((row.pointer.as_str(), &row.value), ("/a\\u{200b}", &Value::Text("x\\u{202e}y".into())));
    }

    #[test]
    fn what_the_budget_does_not_reach_is_counted() {
        let profile = Profile::parse(TEXT, "x").unwrap();
        for (budget, read, left_out) in [
            (Budget::ample(), 6, 0),
            (Budget::new(2, Duration::from_secs(600)), 2, 5),
            (Budget::new(20_000, Duration::ZERO), 0, 7),
        ] {
            let preview = preview(&profile, Registry::default(), &sample(), NOW, budget);
            assert_eq!((preview.read, preview.left_out, preview.passed_over), (read, left_out, 1));
        }
    }

    #[test]
    fn a_mistake_has_its_line_and_nothing_is_previewed() {
        for (text, line, says) in [
            (TEXT.replace("{thing}", "{thing"), 5, "{thing"),
            (TEXT.replace("envelope", "envelop"), 6, "unknown field"),
            (TEXT.replace("mqtt://h", "http://h"), 3, "http:// is not spoken here"),
            (String::new(), 1, "missing field"),
        ] {
            let checked = check(Path::new(""), &text, Some(&sample()), NOW, |_| None);
            let mistake = checked.mistake.unwrap_or_else(|| panic!("{text} has no mistake"));
            assert!(mistake.line == line && mistake.message.contains(says), "{mistake:?}");
            assert_eq!(checked.preview, None);
        }
        let taken =
            check(Path::new(""), &format!("\n{TEXT}"), None, NOW, |profile| Some(format!("{} is taken", profile.name)));
        assert_eq!(taken.mistake, Some(MistakeRow { line: 2, message: "X is taken".into() }));
    }
}
