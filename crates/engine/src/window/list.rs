//! The status bar and what was found.

use fleetlens_ipc::Search;
use fleetlens_ipc::rows::{Change, FoundRow, Rows, Status as StatusRow};
use fleetlens_model::id::ThingKey;
use fleetlens_model::query::in_quotes_if_needed;
use fleetlens_model::time::Now;

use super::map::status_of;
use super::things::walked_every_ms;
use super::{SLOW_MS, Told};
use crate::fleet::{Finder, Fleet, Thing};

pub(crate) fn status(fleet: &Fleet, now: Now) -> StatusRow {
    let open = fleet.waiting_commands();
    StatusRow {
        link: fleet.link.clone(),
        broker: fleet.config.broker.clone(),
        guarantee: guarantee(fleet),
        profile: fleet.config.profile.clone(),
        demo: fleet.config.demo,
        undecided: fleet.config.settings.undecided,
        who: fleet.config.who.clone(),
        things: u32::try_from(fleet.things.len()).unwrap_or(u32::MAX),
        kinds: fleet.index.counts(),
        groups: fleet.config.groups.iter().map(|group| group.name.clone()).collect(),
        received: fleet.counters.received,
        stored: fleet.counters.stored,
        refused: fleet.counters.refused,
        shed: fleet.counters.shed,
        per_s: fleet.per_s(now),
        last_message_age_ms: fleet.last_message.map(|at| now.mono.since(at)),
        newest_value_ms: fleet.newest_value,
        cache_bytes: fleet.stats.bytes,
        oldest_sample_ms: fleet.stats.oldest_ms,
        open_commands: u32::try_from(open).unwrap_or(u32::MAX),
        not_converged: u32::try_from(fleet.leaves().late_count()).unwrap_or(u32::MAX),
        attention: fleet.alarms.needing_count(),
        alarms: fleet.alarms.counts(),
        told: fleet.alarms.told().to_vec(),
        flood: fleet.alarms.flood(),
        cache_fault: fleet.cache_fault.clone(),
        sheds: fleet.sheds.iter().cloned().collect(),
        wall_ms: now.wall,
        refusals: fleet.refusals.iter().cloned().collect(),
    }
}

/// What our subscriptions are worth: what the profile asks for, unless the broker granted less.
fn guarantee(fleet: &Fleet) -> String {
    match fleet.granted {
        Some(0) => "messages at QoS 0: what comes while we are busy or away is lost".into(),
        Some(_) | None => fleet.config.guarantee.clone(),
    }
}

#[derive(Debug)]
pub(super) struct FindView {
    finder: Finder,
    /// What a title begins with that comes first, in lower case; `None` while nothing is typed.
    head: Option<String>,
    limit: usize,
    shown: Vec<FoundRow>,
}

impl FindView {
    pub(super) fn new(text: String, limit: u32, fleet: &Fleet) -> FindView {
        let head = text.split_whitespace().next().map(str::to_lowercase);
        let finder = |text| Finder::new(Search { text, ..Search::default() }, &fleet.config.groups);
        let as_query = finder(text.clone());
        // A name may have signs in it that are none of a query, e.g. `urn:dev:mac:a`: whoever looks for it has written what it is called.
        let finder = if as_query.mistake().is_none() { as_query } else { finder(in_quotes_if_needed(text.trim())) };
        FindView { finder, head, limit: limit.clamp(1, 200) as usize, shown: Vec::new() }
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet, now: Now) -> Told {
        let found = self.found(fleet, now);
        if first {
            self.shown.clone_from(&found);
            Told::All(Rows::Found(found))
        } else if found != self.shown {
            self.shown.clone_from(&found);
            Told::Some(vec![Change::Found(found)])
        } else {
            Told::Nothing
        }
    }

    /// How long it holds as it was told, in milliseconds: words are found in descriptions, anything else by a walk through all things.
    pub(super) fn pause_ms(&self, fleet: &Fleet) -> u64 {
        if self.finder.goes_by_description() { SLOW_MS } else { walked_every_ms(fleet.things.len()) }
    }

    /// What is found by what was typed; a title that begins with its first word comes first, then by title.
    fn found(&self, fleet: &Fleet, now: Now) -> Vec<FoundRow> {
        let Some(head) = &self.head else { return Vec::new() };
        let (mut first, mut others): (Vec<ThingKey>, Vec<ThingKey>) = (Vec::new(), Vec::new());
        for key in self.finder.by_title(fleet, now) {
            let list = if fleet.index.words(key, &fleet.things).starts_with(head) { &mut first } else { &mut others };
            if list.len() < self.limit {
                list.push(key);
            }
            if first.len() == self.limit {
                break;
            }
        }
        let rows = first.iter().chain(&others).take(self.limit).filter_map(|key| fleet.things.get(key));
        rows.map(found_row).collect()
    }
}

/// Street and area, for telling two apart.
pub(crate) fn place_words(thing: &Thing) -> String {
    let parts = [thing.meta.street.as_str(), thing.meta.area.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(" · ")
}

fn found_row(thing: &Thing) -> FoundRow {
    FoundRow {
        thing: thing.key,
        name: thing.name.as_str().to_string(),
        title: thing.title().to_string(),
        place: place_words(thing),
        kind: thing.meta.common.kind,
        status: status_of(thing).code(),
        at: thing.place(),
    }
}
