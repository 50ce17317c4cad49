//! The table of alarms as it was made: which alarms pass, in which order, in which groups, and which of them came first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fleetlens_ipc::{AlarmGrouping, AlarmScope, AlarmSort, AlarmsQuery};
use fleetlens_model::alarm::first_out::firsts;
use fleetlens_model::alarm::{Alarm, state};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;

use crate::fleet::{Alarms, Fleet, Thing, natural};
use crate::window::list::place_words;

/// Words of a search that count.
const WORDS_MAX: usize = 8;

/// Rules that are named for choosing among them.
const CAUSES_MAX: usize = 64;

/// Alarms with something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// What it is known by.
    pub(super) key: String,
    /// What they have in common; empty where that is not known.
    pub(super) title: String,
    /// In their order, each with when it was raised as it was told.
    pub(super) alarms: Vec<(AlarmId, WallMs)>,
}

/// A table as it was made.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) group: AlarmGrouping,
    /// Whether it is grouped because of a flood.
    pub(super) by_itself: bool,
    /// One without a name where nothing is grouped.
    pub(super) groups: Vec<Group>,
    pub(super) firsts: BTreeSet<AlarmId>,
    pub(super) causes: Vec<(String, String)>,
}

impl Made {
    /// Makes it as of now.
    pub(super) fn of(query: &AlarmsQuery, fleet: &Fleet) -> Made {
        let is_flood = query.scope == AlarmScope::Open && fleet.alarms.flood().is_some();
        let by_itself = query.group.is_none() && is_flood;
        let group = query.group.unwrap_or(if is_flood { AlarmGrouping::Cause } else { AlarmGrouping::Nothing });
        let listed = sorted(passing(query, fleet), query, fleet);
        Made {
            group,
            by_itself,
            groups: groups(&listed, group, fleet),
            firsts: firsts_of(query.scope, fleet),
            causes: causes(query.scope, fleet),
        }
    }

    /// How many alarms.
    pub(super) fn alarms(&self) -> usize {
        self.groups.iter().map(|group| group.alarms.len()).sum()
    }

    /// How many of the alarms that pass now are not in it.
    pub(super) fn fresh(&self, query: &AlarmsQuery, fleet: &Fleet) -> usize {
        let held: BTreeSet<AlarmId> = self.groups.iter().flat_map(|group| &group.alarms).map(|(id, _)| *id).collect();
        passing(query, fleet).filter(|alarm| !held.contains(&alarm.id)).count()
    }

    /// Leaves out what the fleet has forgotten.
    pub(super) fn prune(&mut self, fleet: &Fleet) {
        for group in &mut self.groups {
            let is_known =
                |id: AlarmId| fleet.alarms.get(id).is_some_and(|alarm| fleet.things.get(&alarm.thing).is_some());
            group.alarms.retain(|(id, _)| is_known(*id));
        }
        self.groups.retain(|group| !group.alarms.is_empty());
    }
}

/// Those that the query means, in the order of their scope.
fn passing<'a>(query: &'a AlarmsQuery, fleet: &'a Fleet) -> impl Iterator<Item = &'a Alarm> {
    let words: Vec<String> = query.text.to_lowercase().split_whitespace().take(WORDS_MAX).map(str::to_owned).collect();
    fleet.alarms.of(query.scope).filter(move |alarm| {
        let AlarmsQuery { priority, kind, rule, unseen, .. } = query;
        let Some(thing) = fleet.things.get(&alarm.thing) else { return false };
        priority.is_none_or(|priority| priority == alarm.priority)
            && kind.is_none_or(|kind| kind == thing.meta.common.kind)
            && (rule.is_empty() || *rule == alarm.rule)
            && !(*unseen && alarm.seen().is_some())
            && (words.is_empty() || has_words(&words, alarm, thing))
    })
}

fn has_words(words: &[String], alarm: &Alarm, thing: &Thing) -> bool {
    let said = [thing.title(), &alarm.name, &alarm.sentence, &place_words(thing), &alarm.what_to_do];
    let said = said.map(str::to_lowercase).join(" ");
    words.iter().all(|word| said.contains(word.as_str()))
}

/// The sorts are stable, and what comes stands worst first.
fn sorted<'a>(passing: impl Iterator<Item = &'a Alarm>, query: &AlarmsQuery, fleet: &Fleet) -> Vec<&'a Alarm> {
    let mut listed: Vec<&Alarm> = passing.collect();
    match query.sort {
        AlarmSort::Worst => {}
        AlarmSort::Newest => listed.sort_by_key(|alarm| std::cmp::Reverse((alarm.raised_ms(), alarm.id))),
        AlarmSort::Oldest => listed.sort_by_key(|alarm| (alarm.raised_ms(), alarm.id)),
        AlarmSort::Thing => {
            let mut titles: HashMap<ThingKey, String> = HashMap::new();
            for alarm in &listed {
                let title = || fleet.things.get(&alarm.thing).map(|thing| natural(thing.title())).unwrap_or_default();
                titles.entry(alarm.thing).or_insert_with(title);
            }
            listed.sort_by(|a, b| (titles.get(&a.thing), a.thing).cmp(&(titles.get(&b.thing), b.thing)));
        }
    }
    listed
}

/// Groups stand in the order of their first alarms.
fn groups(listed: &[&Alarm], by: AlarmGrouping, fleet: &Fleet) -> Vec<Group> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for alarm in listed {
        let (key, title) = common(alarm, by, fleet);
        let place = *places.entry(key).or_insert_with_key(|key| {
            groups.push(Group { key: key.clone(), title: title.to_owned(), alarms: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.alarms.push((alarm.id, alarm.raised_ms()));
        }
    }
    groups
}

/// What an alarm has in common with those of its group: what it is known by, and the words for it.
fn common<'a>(alarm: &'a Alarm, by: AlarmGrouping, fleet: &'a Fleet) -> (String, &'a str) {
    let thing = fleet.things.get(&alarm.thing);
    match by {
        AlarmGrouping::Nothing => (String::new(), ""),
        // Of one name are also those that things raise themselves, each under an id of its own.
        AlarmGrouping::Cause if fleet.rules.named(&alarm.rule).is_none() => {
            (format!("name {}", alarm.name), &alarm.name)
        }
        AlarmGrouping::Cause => (alarm.rule.clone(), &alarm.name),
        AlarmGrouping::Area => {
            let area = thing.map_or("", |thing| thing.meta.area.as_str());
            (area.to_owned(), area)
        }
        AlarmGrouping::Kind => {
            let kind = thing.map_or(Kind::Other, |thing| thing.meta.common.kind);
            (kind.word().to_owned(), kind.plural())
        }
    }
}

/// The first of those that began together: behind one gateway, which is one with them, or of one rule in one district. What is over
/// or off the list leads nobody anywhere.
fn firsts_of(scope: AlarmScope, fleet: &Fleet) -> BTreeSet<AlarmId> {
    if scope != AlarmScope::Open {
        return BTreeSet::new();
    }
    let unit = |alarm: &'_ Alarm| {
        let thing = fleet.things.get(&alarm.thing)?;
        let began = alarm.state.since_ms.unwrap_or_else(|| alarm.raised_ms());
        let unit = match (thing.meta.gateway.as_str(), thing.meta.area.as_str()) {
            ("", _) if thing.meta.common.kind == Kind::Gateway => (thing.name.to_string(), String::new()),
            ("", "") => return None,
            ("", area) => (area.to_owned(), alarm.rule.clone()),
            (gateway, _) => (gateway.to_owned(), String::new()),
        };
        Some((unit, began, alarm.id))
    };
    firsts(fleet.alarms.of(scope).filter(|alarm| alarm.is_active()).filter_map(unit)).into_iter().collect()
}

/// The rules that have alarms in a scope, by name.
fn causes(scope: AlarmScope, fleet: &Fleet) -> Vec<(String, String)> {
    let named: BTreeMap<&str, &str> =
        fleet.alarms.of(scope).map(|alarm| (alarm.rule.as_str(), alarm.name.as_str())).collect();
    let mut causes: Vec<(String, String)> =
        named.into_iter().take(CAUSES_MAX).map(|(rule, name)| (rule.to_owned(), name.to_owned())).collect();
    causes.sort_by(|(a_id, a), (b_id, b)| (a, a_id).cmp(&(b, b_id)));
    causes
}

/// Whether an alarm is still of a scope.
pub(super) fn is_of(alarm: &Alarm, scope: AlarmScope) -> bool {
    Alarms::is_of(alarm, scope)
}

/// Whether there is anything to acknowledge of an alarm.
pub(super) fn is_unseen(state: &state::State) -> bool {
    state.acknowledged.is_none() && (!state.is_hidden() || state.active)
}
