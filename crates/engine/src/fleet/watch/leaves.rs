//! Leaves of shadows that are wanted and not reported: since when, and those of which it has been so for too long.
//!
//! They are worked out when a document changes, not with every message; what is late is told by a look each second at the things
//! that have such leaves. While our own link is down nobody knows, so none becomes late then and none leaves (invariant 7).

use std::collections::BTreeSet;

use fleetlens_model::alarm::Condition;
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::{Document, Leaf, Packed};
use fleetlens_model::shared::{SharedText, Texts};
use fleetlens_model::time::{Now, WallMs};

use crate::config::NOT_CONVERGED_AFTER_MS;
use crate::fleet::rules::{Ruled, Rules};
use crate::fleet::{Fleet, Thing};

/// Shadows out of the cache of which one tick works out what they want and do not report. A city has a hundred thousand, and after
/// the link came up somebody waits for more than that.
const JUDGED_A_TICK: usize = 100;

/// Leaves of one shadow that are remembered as wanted and not reported, the oldest of them: as many as one command may set.
const OPEN_LEAVES_MAX: usize = 32;

/// A leaf of a shadow that is wanted and not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLeaf {
    /// JSON pointer into `desired`.
    pub pointer: SharedText,
    /// What is wanted, as JSON text.
    pub wanted: Box<str>,
    /// What is reported in its place, as JSON text; `None` for nothing.
    pub reported: Option<Box<str>>,
    /// Since when, as far as anybody knows.
    pub since_ms: WallMs,
    /// Whether it has been so for too long.
    pub is_late: bool,
}

/// Which leaf is late, and since when; the oldest is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LateLeaf {
    pub(crate) since_ms: WallMs,
    pub(crate) thing: ThingKey,
    pub(crate) shadow: SharedText,
    pub(crate) pointer: SharedText,
}

/// What is late, and what nobody has looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    late: BTreeSet<LateLeaf>,
    /// Things with a shadow out of the cache, or that are described otherwise since.
    unjudged: BTreeSet<ThingKey>,
}

impl Leaves {
    /// Leaves that have been wanted and not reported for too long, oldest first.
    pub(crate) fn late(&self) -> impl Iterator<Item = &LateLeaf> {
        self.late.iter()
    }

    /// How many of them there are.
    pub(crate) fn late_count(&self) -> usize {
        self.late.len()
    }

    /// What a thing's shadows want and do not report is to be worked out, when there is time.
    pub(in crate::fleet) fn doubt(&mut self, thing: ThingKey) {
        self.unjudged.insert(thing);
    }

    /// Whether it still has to be.
    pub(super) fn is_doubted(&self, thing: ThingKey) -> bool {
        self.unjudged.contains(&thing)
    }
}

impl Fleet {
    /// A shadow's document is this from now on: works out what it wants and does not report. Before it takes the place of the one
    /// that is known, which tells since when.
    pub(in crate::fleet) fn judge(&mut self, key: ThingKey, name: &str, document: Option<&Document>, now: Now) {
        let listens = self.up_since.is_some();
        let Some(thing) = self.things.get_mut(&key) else { return };
        let (meta, ruled) = (thing.meta.common.clone(), thing.ruled);
        let Some((name, _)) = thing.shadows.get_key_value(name) else { return };
        let name = name.clone();
        let Some(shadow) = thing.shadows.get_mut(&name) else { return };
        let before = std::mem::take(&mut shadow.open);
        let is_followed = shadow.is_judged && shadow.document.is_some();
        let tolerance = |pointer: &str| self.config.schemas.tolerance(&meta, pointer);
        let texts = &mut self.texts;
        let mut open = document.map(|document| open_leaves(document, tolerance, now, texts)).unwrap_or_default();
        // When it could last be seen: now, or before we were away.
        let seen = if listens && shadow.current { now.wall } else { self.listened };
        let limit_ms = limit_ms(self.config.not_converged_after_ms, &self.rules, ruled);
        for leaf in &mut open {
            let known = before.iter().find(|known| known.pointer == leaf.open.pointer);
            match known.filter(|known| known.wanted == leaf.open.wanted) {
                Some(known) => (leaf.open.since_ms, leaf.open.is_late) = (known.since_ms, known.is_late),
                // We saw it otherwise: it began with whichever side changed last.
                None if is_followed => leaf.open.since_ms = leaf.changed_ms,
                None => {}
            }
            leaf.open.since_ms = leaf.open.since_ms.min(now.wall);
            leaf.open.is_late |= seen.since(leaf.open.since_ms) >= limit_ms;
        }
        let mut open: Vec<OpenLeaf> = open.into_iter().map(|leaf| leaf.open).collect();
        open.sort_by(|one, other| (one.since_ms, &one.pointer).cmp(&(other.since_ms, &other.pointer)));
        open.truncate(OPEN_LEAVES_MAX);
        (shadow.open, shadow.is_judged) = (open.into_boxed_slice(), true);
        let late = |leaf: &OpenLeaf| LateLeaf {
            since_ms: leaf.since_ms,
            thing: key,
            shadow: name.clone(),
            pointer: leaf.pointer.clone(),
        };
        for leaf in before.iter().filter(|leaf| leaf.is_late) {
            self.watch.leaves.late.remove(&late(leaf));
        }
        self.watch.leaves.late.extend(shadow.open.iter().filter(|leaf| leaf.is_late).map(late));
        let is_listed = |leaf: &OpenLeaf| leaf.is_late;
        self.dirty.not_converged |= before.iter().any(is_listed) || shadow.open.iter().any(is_listed);
    }

    /// Works out some of what the cache brought, and of what is described otherwise.
    pub(in crate::fleet) fn judge_some(&mut self, now: Now) {
        for _ in 0..JUDGED_A_TICK {
            let Some(key) = self.watch.leaves.unjudged.pop_first() else { return };
            let Some(thing) = self.things.get(&key) else { continue };
            let unjudged = thing.shadows.iter().filter(|(_, shadow)| !shadow.is_judged);
            let unjudged: Vec<(SharedText, Option<Packed>)> =
                unjudged.map(|(name, shadow)| (name.clone(), shadow.document.clone())).collect();
            for (name, document) in unjudged {
                self.judge(key, &name, document.as_ref().map(Packed::open).as_ref(), now);
            }
            self.look_at(key);
        }
    }

    /// A thing is described otherwise: its leaves may have another tolerance, and its kind another time.
    pub(in crate::fleet) fn judge_again(&mut self, key: ThingKey) {
        let Some(thing) = self.things.get_mut(&key) else { return };
        let mut is_doubted = false;
        for shadow in thing.shadows.values_mut() {
            (shadow.is_judged, is_doubted) = (false, true);
        }
        if is_doubted {
            self.watch.leaves.doubt(key);
        }
    }

    /// Leaves of a thing whose time is up by now are late from now on. Only of shadows that were confirmed since we are back.
    pub(super) fn become_late(&mut self, key: ThingKey, now: Now) {
        let Some(thing) = self.things.get(&key) else { return };
        let limit_ms = limit_ms(self.config.not_converged_after_ms, &self.rules, thing.ruled);
        let is_due = |leaf: &OpenLeaf| !leaf.is_late && now.wall.since(leaf.since_ms) >= limit_ms;
        if !thing.shadows.values().any(|shadow| shadow.current && shadow.open.iter().any(is_due)) {
            return;
        }
        let names: Vec<SharedText> = thing.shadows.keys().cloned().collect();
        let Some(thing) = self.things.get_mut(&key) else { return };
        for name in names {
            let Some(shadow) = thing.shadows.get_mut(&name).filter(|shadow| shadow.current) else { continue };
            for leaf in shadow.open.iter_mut().filter(|leaf| is_due(leaf)) {
                leaf.is_late = true;
                let (shadow, pointer) = (name.clone(), leaf.pointer.clone());
                self.watch.leaves.late.insert(LateLeaf { since_ms: leaf.since_ms, thing: key, shadow, pointer });
            }
        }
        self.dirty.not_converged = true;
    }

    /// What is late and what nobody has looked at yet.
    pub(crate) fn leaves(&self) -> &Leaves {
        &self.watch.leaves
    }

    /// Since when nobody knows whether a shadow of a thing is as it was told; `None` when it was confirmed since we are back.
    pub(crate) fn unconfirmed_since(&self, thing: &Thing, shadow: &str) -> Option<WallMs> {
        let is_current = thing.shadows.get(shadow).is_some_and(|shadow| shadow.current);
        (!is_current).then_some(self.listened)
    }

    /// A late leaf with its thing.
    pub(crate) fn late_leaf(&self, late: &LateLeaf) -> Option<(&Thing, &OpenLeaf)> {
        let thing = self.things.get(&late.thing)?;
        let leaf = thing.shadows.get(&late.shadow)?.open.iter().find(|leaf| leaf.pointer == late.pointer)?;
        Some((thing, leaf))
    }
}

/// A leaf, and when either side last changed.
struct Found {
    open: OpenLeaf,
    changed_ms: WallMs,
}

fn open_leaves(document: &Document, tolerance: impl Fn(&str) -> f64, now: Now, texts: &mut Texts) -> Vec<Found> {
    let changed_s = Some(document.timestamp_s).filter(|at_s| *at_s > 0).unwrap_or(now.wall.as_s());
    let found = |leaf: Leaf| {
        let wanted_s = leaf.desired_at_s.unwrap_or(changed_s);
        let open = OpenLeaf {
            pointer: texts.get(&leaf.pointer),
            wanted: leaf.desired?.to_string().into(),
            reported: leaf.reported.map(|json| json.to_string().into()),
            since_ms: WallMs::from_s(wanted_s),
            is_late: false,
        };
        Some(Found { open, changed_ms: WallMs::from_s(leaf.reported_at_s.map_or(wanted_s, |at_s| at_s.max(wanted_s))) })
    };
    document.open_leaves(tolerance).into_iter().filter_map(found).collect()
}

/// How long a leaf of a thing of which these rules speak may be wanted and not reported.
fn limit_ms(profiles: Option<u64>, rules: &Rules, ruled: Ruled) -> u64 {
    match (profiles, rules.not_converged(ruled).map(|rule| &rule.condition)) {
        (Some(limit_ms), _) => limit_ms,
        (None, Some(Condition::NotConverged { after_ms })) => *after_ms,
        (None, _) => NOT_CONVERGED_AFTER_MS,
    }
}
