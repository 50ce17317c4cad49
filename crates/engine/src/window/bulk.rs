//! Bulk commands: the list of them, and one with a stretch of its things. After the snapshot only what differs.

use std::collections::BTreeMap;

use fleetlens_ipc::rows::{BulkPage, BulkRow, BulkThingRow, Change, Rows};
use fleetlens_ipc::{Only, Search};
use fleetlens_model::bulk::{Bulk, Progress, Row, Target};
use fleetlens_model::id::BulkId;
use fleetlens_model::kind::Kind;
use fleetlens_model::text::shown;
use fleetlens_model::thing::Meta;
use serde_json::Value as Json;

use super::Told;
use super::list::place_words;
use super::page::{sentence, want_title};
use crate::fleet::{Dirty, Fleet};

#[derive(Debug)]
pub(super) struct BulksView {
    limit: usize,
    shown: BTreeMap<BulkId, BulkRow>,
}

impl BulksView {
    pub(super) fn new(limit: u32) -> BulksView {
        BulksView { limit: limit.clamp(1, 50) as usize, shown: BTreeMap::new() }
    }

    pub(super) fn soil(&self, dirty: &Dirty) -> bool {
        !dirty.bulks.is_empty()
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let rows: Vec<BulkRow> = fleet.bulks.newest().take(self.limit).map(|bulk| bulk_row(bulk, fleet)).collect();
        let now = rows.iter().map(|row| (row.id, row.clone())).collect();
        let mut gone = std::mem::replace(&mut self.shown, now);
        if first {
            return Told::All(Rows::Bulks(rows));
        }
        let mut changes = Vec::new();
        for row in rows {
            if gone.remove(&row.id).as_ref() != Some(&row) {
                changes.push(Change::Bulk(Box::new(row)));
            }
        }
        changes.extend(gone.into_keys().map(Change::BulkGone));
        Told::Some(changes)
    }
}

#[derive(Debug)]
pub(super) struct BulkView {
    bulk: BulkId,
    failed: bool,
    first: usize,
    count: usize,
    shown: Option<BulkPage>,
}

impl BulkView {
    pub(super) fn new(bulk: BulkId, failed: bool, first: u32, count: u32) -> BulkView {
        BulkView { bulk, failed, first: first as usize, count: count.clamp(1, 500) as usize, shown: None }
    }

    pub(super) fn soil(&self, dirty: &Dirty) -> bool {
        let is_shown = |page: &BulkPage| page.rows.iter().any(|row| dirty.things.contains(&row.thing));
        dirty.bulks.contains(&self.bulk) || self.shown.as_ref().is_some_and(is_shown)
    }

    pub(super) fn tell(&mut self, first: bool, fleet: &Fleet) -> Told {
        let Some(bulk) = fleet.bulks.get(self.bulk) else {
            // What is no longer kept stays on the screen as it was.
            return if first { Told::All(Rows::Missing) } else { Told::Nothing };
        };
        let page = self.page(bulk, fleet);
        let before = self.shown.replace(page.clone());
        let Some(before) = before.filter(|_| !first) else { return Told::All(Rows::Bulk(Box::new(page))) };
        let things = |page: &BulkPage| page.rows.iter().map(|row| row.thing).collect::<Vec<_>>();
        if before.total != page.total || things(&before) != things(&page) {
            return Told::Some(vec![Change::BulkPage(Box::new(page))]);
        }
        let mut changes = Vec::new();
        if before.head != page.head {
            changes.push(Change::Bulk(Box::new(page.head)));
        }
        let rows = (page.first..).zip(page.rows).zip(before.rows);
        let changed = rows.filter(|((_, row), was)| row != was);
        changes.extend(changed.map(|((at, row), _)| Change::BulkThing { at, row }));
        Told::Some(changes)
    }

    fn page(&self, bulk: &Bulk, fleet: &Fleet) -> BulkPage {
        let is_open = bulk.head().state.is_open();
        let meant = |row: &&Row| !self.failed || row.progress.outcome().is_failed();
        let total = if self.failed { bulk.rows().iter().filter(meant).count() } else { bulk.rows().len() };
        let first = self.first.min(total);
        let rows = bulk.rows().iter().filter(meant).skip(first).take(self.count);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        BulkPage {
            head: bulk_row(bulk, fleet),
            total: number(total),
            first: number(first),
            rows: rows.map(|row| thing_row(row, is_open, fleet)).collect(),
        }
    }
}

fn bulk_row(bulk: &Bulk, fleet: &Fleet) -> BulkRow {
    let head = bulk.head();
    let schemas = &fleet.config.schemas;
    let is_classic = head.order.shadow.is_empty();
    let known = named_by(bulk, fleet);
    let nothing = Meta::default();
    let wish = |wish: &fleetlens_model::bulk::Wish| {
        let value = serde_json::from_str::<Json>(&wish.value_json).unwrap_or_else(|_| Json::from(&*wish.value_json));
        let says = |meta: &&Meta| schemas.control(meta, &wish.pointer).is_some();
        let meta = known.iter().filter(|_| is_classic).find(says).unwrap_or(&nothing);
        want_title(&wish.pointer, &value, meta, schemas)
    };
    let wished = head.order.wishes.iter().map(wish).collect::<Vec<_>>().join(", ");
    BulkRow {
        id: head.id,
        by: head.by.clone(),
        asked_ms: head.asked_ms,
        ended_ms: head.ended_ms,
        title: if is_classic { wished } else { format!("{} · {wished}", shown(&head.order.shadow)) },
        target: target_words(&head.order.target),
        state: head.state.clone(),
        counts: bulk.counts(),
        rollout: head.order.rollout,
        continuous: head.order.continuous,
    }
}

/// Who says what a leaf is called: the first of its things, mostly like all the others, and where that one has no such leaf the kinds
/// that are meant.
fn named_by(bulk: &Bulk, fleet: &Fleet) -> Vec<Meta> {
    let first = bulk.rows().first().and_then(|row| fleet.things.get(&row.thing));
    let kinds = match &bulk.head().order.target {
        Target::Search(Search { kinds, .. }) if !kinds.is_empty() => &kinds[..],
        Target::Search(_) | Target::Things(_) => &Kind::ALL[..],
    };
    let of_kinds = kinds.iter().map(|kind| Meta { kind: *kind, ..Meta::default() });
    first.map(|thing| Meta::clone(&thing.meta.common)).into_iter().chain(of_kinds).collect()
}

/// Which things are meant: `lamps of Marsa found by “triq”`.
fn target_words(target: &Target) -> String {
    let Target::Search(Search { text, kinds, group, only }) = target else { return "chosen things".to_owned() };
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.plural().to_lowercase()).collect();
    let mut words = if kinds.is_empty() { "all things".to_owned() } else { kinds.join(" and ") };
    if !group.is_empty() {
        words.push_str(&format!(" of {}", shown(group)));
    }
    if !text.trim().is_empty() {
        words.push_str(&format!(" found by “{}”", shown(text.trim())));
    }
    words.push_str(match only {
        Only::All => "",
        Only::Alarmed => ", only alarmed ones",
        Only::Silent => ", only silent ones",
        Only::Pending => ", only those with a command that waits",
    });
    words
}

fn thing_row(row: &Row, is_open: bool, fleet: &Fleet) -> BulkThingRow {
    let thing = fleet.things.get(&row.thing);
    let is_direct = thing.is_some_and(|thing| !thing.meta.common.convention.is_empty());
    let sentence = match &row.progress {
        Progress::Waits if is_open => "its turn comes".to_owned(),
        Progress::Waits => "was not asked".to_owned(),
        Progress::Asked { phase, never_obeyed, .. } => sentence(phase, *never_obeyed, is_direct),
        Progress::Same => "is so already".to_owned(),
        Progress::Cannot { why } => shown(why).into_owned(),
    };
    BulkThingRow {
        thing: row.thing,
        title: thing.map(|thing| thing.title().to_owned()).unwrap_or_default(),
        kind: thing.map(|thing| thing.meta.common.kind).unwrap_or_default(),
        place: thing.map(place_words).unwrap_or_default(),
        progress: row.progress.clone(),
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;

    use super::*;

    #[test]
    fn what_is_meant_is_said_in_words() {
        let all = Search::default;
        for (search, want) in [
            (all(), "all things"),
            (Search { kinds: vec![Kind::Lamp, Kind::Bin], ..all() }, "lamps and bins"),
            (
                Search { text: " triq ".into(), group: "Marsa".into(), kinds: vec![Kind::Lamp], only: Only::Silent },
                "lamps of Marsa found by “triq”, only silent ones",
            ),
        ] {
            assert_eq!(target_words(&Target::Search(search)), want);
        }
    }
}
