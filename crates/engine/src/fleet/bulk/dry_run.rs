//! What a bulk command would do, before anybody asks for it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fleetlens_ipc::rows::{DryRun, DryRunRow};
use fleetlens_ipc::{DRY_RUN_DANGERS, DRY_RUN_REASONS, DRY_RUN_ROWS, Fault, FaultCode};
use fleetlens_model::bulk::{Order, Target};
use fleetlens_model::command::Want;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::kind::Kind;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;

use super::verdict::Verdict;
use super::{Fleet, check};
use crate::fleet::Thing;
use crate::window::list::place_words;

impl Fleet {
    /// Looks at every thing that is meant and asks nothing of any. Shadows that are not known are put on the list of those to read.
    pub(in crate::fleet) fn dry_run(&mut self, order: &Order, now: Now) -> Result<DryRun, Fault> {
        let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
        check(order).map_err(invalid)?;
        let meant = self.meant(&order.target, now).map_err(invalid)?;
        let mut run = DryRun { things: u32::try_from(meant.len()).unwrap_or(u32::MAX), ..DryRun::default() };
        let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
        let (mut cannot, mut offline, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut unread = Vec::new();
        // What is said of a kind speaks of its classic shadow.
        let leaves = if order.shadow.is_empty() { self.wanted_leaves(order) } else { Vec::new() };
        if order.continuous {
            self.warn_of_joining(&order.target, &leaves, &mut run);
        }
        let mut warned: HashSet<*const Meta> = HashSet::new();
        for thing in meant.into_iter().filter_map(|key| self.things.get(&key)) {
            let is_read = self.is_read(thing.key, &order.shadow, now);
            unread.extend((!is_read).then_some(thing.key));
            // Whatever becomes of it now: what cannot or is so already may be otherwise when its turn comes.
            if warned.insert(Arc::as_ptr(&thing.meta.common)) {
                self.warn(&thing.meta.common, &leaves, &mut run);
            }
            // Of most of many things no row is told, and none is made.
            let row = |list: &mut Vec<DryRunRow>, row: &dyn Fn() -> DryRunRow| {
                if list.len() < DRY_RUN_ROWS {
                    list.push(row());
                }
            };
            match self.bulk_verdict(thing.key, order) {
                Verdict::Same => run.same += 1,
                // As it was known last; it is being read.
                Verdict::Seems(_) if !is_read => run.same += 1,
                Verdict::Cannot(why) | Verdict::Lacks(why) => {
                    run.cannot += 1;
                    *reasons.entry(why.clone()).or_default() += 1;
                    row(&mut cannot, &|| DryRunRow { cannot: Some(why.clone()), ..bare_row(thing) });
                }
                Verdict::Asks(wants) | Verdict::Seems(wants) => {
                    run.changes += 1;
                    let is_offline = is_offline(thing);
                    run.offline += u32::from(is_offline);
                    let own_ms = self.expiry_ms(&thing.meta.common, &order.shadow, &wants);
                    let (shortest, longest) = run.own_expiry_ms.unwrap_or((own_ms, own_ms));
                    run.own_expiry_ms = Some((shortest.min(own_ms), longest.max(own_ms)));
                    let list = if is_offline { &mut offline } else { &mut others };
                    let now = |pointer: &str| self.is_now(thing.key, &order.shadow, pointer).map(|now| now.to_string());
                    let change = |want: &Want| (want.pointer.clone(), now(&want.pointer), want.value.to_string());
                    row(list, &|| {
                        let changes = wants.iter().map(change).collect();
                        DryRunRow { changes, offline: is_offline, ..bare_row(thing) }
                    });
                }
            }
        }
        run.unread = u32::try_from(unread.len()).unwrap_or(u32::MAX);
        unread.into_iter().for_each(|thing| self.want_shadow(thing, &order.shadow));
        run.reasons = reasons.into_iter().collect();
        run.reasons.sort_by(|(a, many), (b, more)| (more, a).cmp(&(many, b)));
        run.reasons.truncate(DRY_RUN_REASONS);
        // So that none of the three is crowded out by the one before it.
        let each = DRY_RUN_ROWS / 3;
        let room = DRY_RUN_ROWS.saturating_sub(offline.len().min(each)).saturating_sub(others.len().min(each));
        run.rows = cannot.into_iter().take(room).collect();
        let room = DRY_RUN_ROWS.saturating_sub(run.rows.len()).saturating_sub(others.len().min(each));
        run.rows.extend(offline.into_iter().take(room));
        let room = DRY_RUN_ROWS.saturating_sub(run.rows.len());
        run.rows.extend(others.into_iter().take(room));
        Ok(run)
    }

    /// Whether a screen asks before these leaves of a thing are set, with a control for them or without, and what it says then.
    fn warn(&self, meta: &Meta, leaves: &[Want], run: &mut DryRun) {
        let schemas = &self.config.schemas;
        for Want { pointer, value, .. } in leaves {
            let (asks, dangers) = match (schemas.of(meta), schemas.control(meta, pointer)) {
                (Some(of), _) => (of.schema.asks_first(pointer), of.schema.dangers(pointer, value)),
                (None, Some(control)) => (control.asks_first, control.dangers_of(value)),
                (None, None) => (false, Vec::new()),
            };
            run.asks_first |= asks;
            for sentence in dangers {
                if run.dangers.len() < DRY_RUN_DANGERS && !run.dangers.iter().any(|told| told == sentence) {
                    run.dangers.push(sentence.to_owned());
                }
            }
        }
    }

    /// The same of the kinds that may join.
    fn warn_of_joining(&self, target: &Target, leaves: &[Want], run: &mut DryRun) {
        let Target::Search(search) = target else { return };
        let kinds = if search.kinds.is_empty() { &Kind::ALL[..] } else { &search.kinds[..] };
        kinds.iter().for_each(|kind| self.warn(&Meta { kind: *kind, ..Meta::default() }, leaves, run));
    }
}

fn bare_row(thing: &Thing) -> DryRunRow {
    DryRunRow {
        thing: thing.key,
        title: thing.title().to_owned(),
        kind: thing.meta.common.kind,
        place: place_words(thing),
        changes: Vec::new(),
        offline: false,
        cannot: None,
    }
}

/// Whether it is silent, or was never heard. Whether it is there while our link is down nobody knows.
fn is_offline(thing: &Thing) -> bool {
    matches!(thing.silence.freshness(), Freshness::Silent { .. } | Freshness::Never)
}
