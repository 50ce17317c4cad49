//! What is chosen of the alarms, as it stood on the screen. Pure.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::{AlarmRow, ShownAlarm};
use fleetlens_model::id::AlarmId;

use super::acknowledge::Asked;

/// The chosen alarms and groups. A group is chosen as long as every alarm is that it had when it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    alarms: BTreeMap<AlarmId, ShownAlarm>,
    groups: BTreeMap<String, BTreeSet<AlarmId>>,
}

impl Picked {
    /// How many alarms.
    pub fn len(&self) -> usize {
        self.alarms.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty()
    }

    /// Whether an alarm is.
    pub fn has(&self, id: AlarmId) -> bool {
        self.alarms.contains_key(&id)
    }

    /// Whether a group is.
    pub fn has_group(&self, key: &str) -> bool {
        self.groups.contains_key(key)
    }

    /// Turns one over.
    pub fn turn(&mut self, alarm: ShownAlarm) {
        let id = alarm.id;
        if self.alarms.remove(&id).is_none() {
            self.alarms.insert(id, alarm);
        } else {
            self.groups.retain(|_, alarms| !alarms.contains(&id));
        }
    }

    /// These as well.
    pub fn add(&mut self, alarms: impl IntoIterator<Item = ShownAlarm>) {
        self.alarms.extend(alarms.into_iter().map(|alarm| (alarm.id, alarm)));
    }

    /// A whole group as well.
    pub fn add_group(&mut self, key: String, alarms: Vec<ShownAlarm>) {
        self.groups.insert(key, alarms.iter().map(|alarm| alarm.id).collect());
        self.add(alarms);
    }

    /// A group no more; what else has chosen its alarms is not asked.
    pub fn remove_group(&mut self, key: &str) {
        for id in self.groups.remove(key).unwrap_or_default() {
            self.alarms.remove(&id);
            self.groups.retain(|_, alarms| !alarms.contains(&id));
        }
    }

    /// Only what still stands there.
    pub fn keep(&mut self, standing: &BTreeSet<AlarmId>) {
        self.alarms.retain(|id, _| standing.contains(id));
        for alarms in self.groups.values_mut() {
            alarms.retain(|id| standing.contains(id));
        }
        self.groups.retain(|_, alarms| !alarms.is_empty());
    }

    /// Those of which there is anything to acknowledge.
    pub fn unseen(&self) -> Vec<Asked> {
        let unseen = self.alarms.values().filter(|alarm| alarm.unseen);
        unseen.map(|alarm| Asked { id: alarm.id, raised_ms: alarm.raised_ms, title: alarm.title.clone() }).collect()
    }

    /// Whether there is anything to acknowledge.
    pub fn has_unseen(&self) -> bool {
        self.alarms.values().any(|alarm| alarm.unseen)
    }

    /// All with what is wrong.
    pub fn titles(&self) -> Vec<(AlarmId, String)> {
        self.alarms.values().map(|alarm| (alarm.id, alarm.title.clone())).collect()
    }
}

/// An alarm as its row says it stands.
pub fn shown(row: &AlarmRow) -> ShownAlarm {
    ShownAlarm { id: row.id, raised_ms: row.raised_ms, unseen: Asked::may_be(row), title: row.title.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::sample::alarm;
    use super::*;

    #[test]
    fn a_group_is_chosen_until_one_of_its_alarms_is_not() {
        let of = |id| shown(&alarm(id, 1_000));
        let mut picked = Picked::default();
        picked.turn(of(9));
        picked.add_group("bin-full".into(), vec![of(1), of(2)]);
        assert_eq!((picked.len(), picked.has_group("bin-full"), picked.has(AlarmId(9))), (3, true, true));
        picked.turn(of(2));
        assert_eq!((picked.len(), picked.has_group("bin-full")), (2, false));
        picked.add_group("bin-full".into(), vec![of(1), of(2)]);
        picked.remove_group("bin-full");
        assert_eq!((picked.len(), picked.has(AlarmId(9))), (1, true));
    }

    #[test]
    fn what_left_the_list_is_not_chosen_any_more_and_a_group_is_the_rest_of_it() {
        let of = |id| shown(&alarm(id, 1_000));
        let mut picked = Picked::default();
        picked.add_group("bin-full".into(), vec![of(1), of(2)]);
        picked.add_group("bin-hot".into(), vec![of(3)]);
        picked.keep(&BTreeSet::from([AlarmId(2), AlarmId(7)]));
        assert_eq!((picked.len(), picked.has_group("bin-full"), picked.has_group("bin-hot")), (1, true, false));
        picked.keep(&BTreeSet::new());
        assert_eq!(picked, Picked::default());
    }

    #[test]
    fn only_what_nobody_has_seen_is_acknowledged_and_as_it_stood() {
        let mut picked = Picked::default();
        picked.add([shown(&alarm(1, 1_000)), ShownAlarm { unseen: false, ..shown(&alarm(2, 2_000)) }]);
        let asked: Vec<(u64, i64)> = picked.unseen().iter().map(|asked| (asked.id.0, asked.raised_ms.0)).collect();
        assert_eq!((asked, picked.titles().len()), (vec![(1, 1_000)], 2));
    }
}
