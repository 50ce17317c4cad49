//! First-out: which of several alarms that began together came first, since that is the one to look at (ISA-18.2: the first alarm of a
//! group is shown apart from those that follow from it).
//!
//! Alarms are together when they have the same unit and none of them began more than [`TOGETHER_MS`] after the first. What a unit is the
//! caller says: what stands behind one gateway, with the gateway itself; of things without one, what a rule says of a district. Fewer
//! than [`AT_LEAST`] are no group: two alarms of a street within a minute are chance.

use std::collections::BTreeMap;

use crate::id::AlarmId;
use crate::time::WallMs;

/// How long after the first one an alarm still belongs to it, in milliseconds.
pub const TOGETHER_MS: u64 = 60_000;

/// So many together have a first.
pub const AT_LEAST: usize = 3;

/// The first of every group, in the order of their numbers. `alarms` are in any order, each with its unit and when it was raised; of two
/// raised in the same millisecond the one with the lower number was first.
pub fn firsts<U: Ord>(alarms: impl IntoIterator<Item = (U, WallMs, AlarmId)>) -> Vec<AlarmId> {
    let mut units: BTreeMap<U, Vec<(WallMs, AlarmId)>> = BTreeMap::new();
    for (unit, raised_ms, id) in alarms {
        units.entry(unit).or_default().push((raised_ms, id));
    }
    let mut found = Vec::new();
    for mut raised in units.into_values() {
        raised.sort_unstable();
        let mut rest = raised.as_slice();
        while let Some((began, first)) = rest.first() {
            let together = rest.partition_point(|(at, _)| at.since(*began) <= TOGETHER_MS);
            if together >= AT_LEAST {
                found.push(*first);
            }
            rest = rest.get(together.max(1)..).unwrap_or_default();
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_those_that_began_together_is_known() {
        const S: i64 = 1_000;
        for (name, alarms, want) in [
            ("none", vec![], vec![]),
            ("two are chance", vec![("gw-1", 0, 1), ("gw-1", S, 2)], vec![]),
            ("three behind a gateway", vec![("gw-1", 2 * S, 3), ("gw-1", S, 2), ("gw-1", 0, 1)], vec![1]),
            ("each behind another", vec![("gw-1", 0, 1), ("gw-2", 0, 2), ("gw-3", 0, 3)], vec![]),
            ("a minute is together, more is not", vec![("a", 0, 1), ("a", 60 * S, 2), ("a", 60 * S + 1, 3)], vec![]),
            (
                "two groups of one unit",
                vec![("a", 0, 1), ("a", 1, 2), ("a", 2, 3), ("a", 90 * S, 4), ("a", 91 * S, 5), ("a", 92 * S, 6)],
                vec![1, 4],
            ),
            ("in one millisecond", vec![("a", 0, 9), ("a", 0, 8), ("a", 0, 7)], vec![7]),
        ] {
            let alarms = alarms.into_iter().map(|(unit, at, id)| (unit, WallMs(at), AlarmId(id)));
            let want: Vec<AlarmId> = want.into_iter().map(AlarmId).collect();
            assert_eq!(firsts(alarms), want, "{name}");
        }
    }
}
