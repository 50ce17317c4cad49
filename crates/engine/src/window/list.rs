//! The status bar, what was found, and what needs a person.

use std::cmp::Reverse;

use fleetlens_ipc::rows::{AlarmCounts, Attention, AttentionRow, Change, FoundRow, Rows, Status as StatusRow};
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::{Now, WallMs};

use super::Told;
use super::map::status_of;
use crate::fleet::{Fleet, Thing, Trouble};

pub(super) fn status(fleet: &Fleet, now: Now) -> StatusRow {
    let troubled = fleet.things.values().filter(|thing| thing.trouble.is_some()).count();
    let open = fleet.waiting_commands();
    StatusRow {
        link: fleet.link.clone(),
        broker: fleet.config.broker.clone(),
        guarantee: fleet.config.guarantee.clone(),
        profile: fleet.config.profile.clone(),
        demo: fleet.config.demo,
        who: fleet.config.who.clone(),
        things: u32::try_from(fleet.things.len()).unwrap_or(u32::MAX),
        kinds: fleet.index.counts(),
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
        attention: u32::try_from(troubled).unwrap_or(u32::MAX),
        alarms: AlarmCounts::default(),
        cache_fault: fleet.cache_fault.clone(),
        sheds: fleet.sheds.iter().cloned().collect(),
        wall_ms: now.wall,
        refusals: fleet.refusals.iter().cloned().collect(),
    }
}

/// What people call a thing: its title, else its name.
pub(super) fn title(thing: &Thing) -> &str {
    thing.title()
}

#[derive(Debug)]
pub(super) struct FindView {
    words: Vec<String>,
    limit: usize,
    shown: Vec<FoundRow>,
}

impl FindView {
    pub(super) fn new(text: &str, limit: u32) -> FindView {
        let words = text.to_lowercase().split_whitespace().take(8).map(str::to_string).collect();
        FindView { words, limit: limit.clamp(1, 200) as usize, shown: Vec::new() }
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let found = self.found(fleet);
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

    /// Every word must be there; a title that begins with what was typed comes first, then by title.
    fn found(&self, fleet: &Fleet) -> Vec<FoundRow> {
        let Some(head) = self.words.first() else { return Vec::new() };
        let mut hits: Vec<(bool, String, ThingKey)> = fleet
            .things
            .values()
            .filter(|thing| self.words.iter().all(|word| thing.words.contains(word.as_str())))
            .map(|thing| (!thing.words.starts_with(head.as_str()), title(thing).to_lowercase(), thing.key))
            .collect();
        hits.sort();
        let rows = hits.iter().take(self.limit).filter_map(|(_, _, key)| fleet.things.get(key));
        rows.map(found_row).collect()
    }
}

/// Street and area, for telling two apart.
pub(super) fn place_words(thing: &Thing) -> String {
    let parts = [thing.meta.street.as_str(), thing.meta.area.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(" · ")
}

fn found_row(thing: &Thing) -> FoundRow {
    FoundRow {
        thing: thing.key,
        name: thing.name.as_str().to_string(),
        title: title(thing).to_string(),
        place: place_words(thing),
        kind: thing.meta.kind,
        status: status_of(thing).code(),
        at: thing.place(),
    }
}

#[derive(Debug)]
pub(super) struct AttentionView {
    limit: usize,
    shown: Attention,
}

impl AttentionView {
    pub(super) fn new(limit: u32) -> AttentionView {
        AttentionView { limit: limit.clamp(1, 200) as usize, shown: Attention::default() }
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let mut troubled: Vec<(u8, WallMs, &Thing)> = fleet
            .things
            .values()
            .filter_map(|thing| Some((status_of(thing).code(), since(thing.trouble.as_ref()?), thing)))
            .collect();
        // Worst first, then the newest: what just happened is what a person can still do something about.
        troubled.sort_by_key(|(status, since_ms, thing)| (Reverse(*status), Reverse(*since_ms), thing.key));
        let count = u32::try_from(troubled.len()).unwrap_or(u32::MAX);
        let rows = troubled.iter().take(self.limit).filter_map(|(_, _, thing)| row(thing)).collect();
        let attention = Attention { count, rows };
        if first {
            self.shown.clone_from(&attention);
            Told::All(Rows::Attention(attention))
        } else if attention != self.shown {
            self.shown.clone_from(&attention);
            Told::Some(vec![Change::Attention(attention)])
        } else {
            Told::Nothing
        }
    }
}

fn since(trouble: &Trouble) -> WallMs {
    match trouble {
        Trouble::Silent { since_ms }
        | Trouble::NotConverged { since_ms, .. }
        | Trouble::CommandFailed { since_ms, .. } => *since_ms,
    }
}

fn row(thing: &Thing) -> Option<AttentionRow> {
    let title = title(thing);
    let (title, sentence, since_ms): (String, String, WallMs) = match thing.trouble.as_ref()? {
        Trouble::Silent { since_ms } => {
            let every = thing.meta.interval_s;
            (
                format!("{title} is silent"),
                format!("speaks every {every} s as a rule · check power and radio"),
                *since_ms,
            )
        }
        Trouble::NotConverged { since_ms, what } => {
            (format!("{title} not converged"), format!("{what} · check the device, then send again"), *since_ms)
        }
        Trouble::CommandFailed { since_ms, what } => (format!("{title}: command failed"), what.clone(), *since_ms),
    };
    // Not an alarm yet; the alarms of the fleet take its place.
    Some(AttentionRow { alarm: fleetlens_ipc::model::id::AlarmId(0), thing: thing.key, title, sentence, status: status_of(thing).code(), since_ms })
}
