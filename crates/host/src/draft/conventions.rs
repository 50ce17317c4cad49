//! Conventions that a sample speaks: recognised by the topics of their announcements, tried on the very sample.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_engine::wire::convention::{Convention, Incoming};
use fleetlens_model::time::WallMs;

use super::{Budget, EXAMPLES, Proposal, Sample, example, quoted};
use crate::profile::Profile;

/// Components of Home Assistant's discovery that stand second in its topics; `device` is the form for several at once.
const COMPONENTS: [&str; 15] = [
    "sensor",
    "binary_sensor",
    "switch",
    "light",
    "number",
    "select",
    "text",
    "cover",
    "lock",
    "valve",
    "climate",
    "fan",
    "button",
    "device_tracker",
    "device",
];

/// The most conventions that are tried, each prefix one: a stranger may announce as many as there are topics.
const TRIED_MAX: usize = 16;

/// What is proposed, and the conventions that read the sample's topics.
pub(super) struct Spoken {
    pub proposals: Vec<Proposal>,
    pub unread: Vec<(String, String)>,
    conventions: Vec<Box<dyn Convention>>,
}

impl Spoken {
    /// Recognises the conventions of a sample.
    pub fn of(sample: &Sample, now: WallMs, budget: &mut Budget) -> Spoken {
        let announced: BTreeSet<(&str, String)> = sample.names().filter_map(announcement).collect();
        let mut spoken = Spoken { proposals: Vec::new(), unread: Vec::new(), conventions: Vec::new() };
        let others = announced.len().saturating_sub(TRIED_MAX);
        for (name, prefix) in in_turn(announced).into_iter().take(TRIED_MAX) {
            let title = format!("{name} {prefix}").trim().to_owned();
            match tried(name, &prefix, sample, now, budget) {
                Ok((proposal, convention)) => {
                    spoken.proposals.push(proposal);
                    spoken.conventions.push(convention);
                    if budget.is_over() {
                        let why = "not all of it was looked at: so much was heard that there was no time";
                        spoken.unread.push((title, why.to_owned()));
                    }
                }
                Err(why) => spoken.unread.push((title, why)),
            }
        }
        if others > 0 {
            let why =
                format!("not looked at: {TRIED_MAX} conventions and prefixes are tried, and there are {others} more");
            spoken.unread.push(("conventions".to_owned(), why));
        }
        spoken
    }

    /// Whether a topic is one of theirs.
    pub fn reads(&self, topic: &str) -> bool {
        self.conventions.iter().any(|convention| convention.reads(topic))
    }
}

/// One prefix of each convention in turn, so that none of them is left out because another one has many.
fn in_turn(announced: BTreeSet<(&str, String)>) -> Vec<(&str, String)> {
    let (mut turns, mut turn, mut before) = (Vec::new(), 0, "");
    for (name, prefix) in announced {
        turn = if name == before { turn + 1 } else { 0 };
        before = name;
        turns.push((turn, name, prefix));
    }
    turns.sort();
    turns.into_iter().map(|(_, name, prefix)| (name, prefix)).collect()
}

/// Which convention announces something on a topic, and below which prefix.
fn announcement(topic: &str) -> Option<(&'static str, String)> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels.as_slice() {
        ["spBv1.0", _, "NBIRTH" | "NDATA" | "NDEATH" | "DBIRTH" | "DDATA" | "DDEATH", ..] => {
            Some(("sparkplug", String::new()))
        }
        [domain @ .., "5", _, "$state" | "$description"] if !domain.is_empty() => Some(("homie", domain.join("/"))),
        // Not by its state alone: another bridge has one too, and below a prefix Zigbee2MQTT reads every topic.
        [base @ .., "bridge", "devices" | "info"] if !base.is_empty() => Some(("zigbee2mqtt", base.join("/"))),
        [prefix, component, _, "config"] | [prefix, component, _, _, "config"] if COMPONENTS.contains(component) => {
            Some(("home-assistant", (*prefix).to_owned()))
        }
        _ => None,
    }
}

/// A convention's lines in the profile, and what it makes of the sample: of announcements first, as the broker's replay may come
/// in any order.
fn tried(
    name: &str,
    prefix: &str,
    sample: &Sample,
    now: WallMs,
    budget: &mut Budget,
) -> Result<(Proposal, Box<dyn Convention>), String> {
    let title = format!("convention {name} {prefix}").trim_end().to_owned();
    let prefix = if prefix.is_empty() { String::new() } else { format!("prefix = {}\n", quoted(prefix)) };
    let text = format!("[[convention]]\nname = {}\n{prefix}", quoted(name));
    // The profile's own reader is the judge of what was written here.
    let whole = format!("name = \"draft\"\n[broker]\nurl = \"mqtt://draft\"\n{text}");
    let profile = Profile::parse(&whole, "the draft").map_err(|error| error.to_string())?;
    let Some(setting) = profile.conventions.first() else { return Err("nothing was proposed".to_owned()) };
    let mut convention = setting.start();
    let (mut things, mut values, mut topics) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let (mut read, mut refused): (u64, Option<(u64, String)>) = (0, None);
    let announced = sample.in_order(|topic| announcement(topic).is_some());
    let others = sample.in_order(|topic| announcement(topic).is_none());
    for (topic, payload) in announced.into_iter().chain(others) {
        if !convention.reads(topic) {
            continue;
        }
        if !budget.take() {
            break;
        }
        topics.insert(topic);
        let understood = convention.read(Incoming { topic, payload, retained: false, at: now });
        match understood.map(|understood| (understood.refused, understood.said)) {
            Ok((None, said)) => {
                read += 1;
                for one in said {
                    things.extend(one.thing);
                    values.extend(one.values.iter().map(|(pointer, value)| example(pointer, value)));
                }
            }
            Ok((Some(error), _)) | Err(error) => {
                let (count, _) = refused.get_or_insert_with(|| (0, error.to_string()));
                *count += 1;
            }
        }
    }
    let proposal = Proposal {
        text,
        template: title,
        topics: topics.len(),
        read,
        refused,
        things: things.into_iter().take(EXAMPLES).collect(),
        values: values.into_iter().take(EXAMPLES).collect(),
    };
    Ok((proposal, convention))
}

#[cfg(test)]
mod tests {
    use super::super::Draft;
    use super::*;

    #[test]
    fn a_convention_is_known_by_its_announcements_and_its_topics_are_no_templates() {
        let mut sample = Sample::default();
        for (topic, payload) in [
            ("works/7/env", r#"{"t":21.5}"#), // before its announcement
            ("homeassistant/sensor/shelter/temp/config", r#"{"stat_t":"works/7/env","val_tpl":"{{ value_json.t }}"}"#),
            ("home/homie/5/garden/$state", "ready"),
            ("home/homie/5/garden/$description", r#"{"homie":"5.0","version":1,"nodes":{}}"#),
            ("z/bridge/state", "online"),
            ("z/bridge/info", "{}"),
            ("city/bridge/state", "raised"), // of a bridge over water
            ("z/lamp", r#"{"brightness":3}"#),
            ("spBv1.0/g/NDATA/n", "no protobuf"),
            ("city/v/lamp/l1/telemetry", r#"{"power_w":3}"#),
            ("city/v/lamp/l2/telemetry", r#"{"power_w":4}"#),
        ] {
            sample.hear(topic, payload.as_bytes());
        }
        let draft = Draft::of(&sample, WallMs(1_700_000_000_000), &mut Budget::ample());
        let text = draft.text();
        for line in [
            "name = \"home-assistant\"\nprefix = \"homeassistant\"",
            "name = \"homie\"\nprefix = \"home/homie\"",
            "name = \"zigbee2mqtt\"\nprefix = \"z\"",
            "name = \"sparkplug\"",
            "template = \"city/",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(text.matches("[[telemetry]]").count(), 1, "{text}");
        let of = |name: &str| draft.proposals.iter().find(|proposal| proposal.template.contains(name)).unwrap();
        assert_eq!(of("home-assistant").values, [("/temp".to_owned(), "21.5".to_owned())]);
        assert_eq!(of("zigbee2mqtt").things, ["lamp"]);
        assert_eq!(of("sparkplug").read, 0);
        assert!(of("sparkplug").refused.is_some());
        let whole = format!("name = \"d\"\n[broker]\nurl = \"mqtt://d\"\n{text}");
        assert_eq!(Profile::parse(&whole, "d").unwrap().conventions.len(), 4);
        assert_eq!(of("homie").template, "convention homie home/homie");
    }

    #[test]
    fn many_prefixes_of_one_convention_leave_room_for_the_others() {
        let many = (0..99).map(|n| ("home-assistant", format!("x{n}"))).chain([("homie", "h".into())]);
        let turns = in_turn(many.chain([("sparkplug", String::new())]).collect());
        assert_eq!(turns.len(), 101);
        let names: Vec<_> = turns.iter().take(4).map(|(name, _)| *name).collect();
        assert_eq!(names, ["home-assistant", "homie", "sparkplug", "home-assistant"]);
    }
}
