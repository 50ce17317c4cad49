//! The trace id of a command: a ULID (github.com/ulid/spec) that is its `clientToken` in every message.

use crate::id::CommandId;
use crate::time::WallMs;

/// Crockford's base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a ULID.
const CHARS: u32 = 26;

/// A ULID without randomness, so that the same inputs give the same: 48 bits of when it was asked, 40 bits of whose installation it
/// is, 40 bits of the command, which rises. Two commands of one installation never have the same; those of two have the same only when
/// 40 bits of their random numbers, the command's number and the millisecond are.
///
/// A clock before 1970 counts as 1970, one after the year 10889 as its end.
pub fn trace_id(at: WallMs, installation: u64, command: CommandId) -> String {
    const TIME_MAX: u64 = (1 << 48) - 1;
    const LOW: u64 = (1 << 40) - 1;
    let time = u64::try_from(at.0).unwrap_or(0).min(TIME_MAX);
    // Both halves of the random number have a part in it.
    let whose = (installation ^ (installation >> 24)) & LOW;
    let bits = (u128::from(time) << 80) | (u128::from(whose) << 40) | u128::from(command.0 & LOW);
    ulid(bits)
}

fn ulid(bits: u128) -> String {
    let digit = |place: u32| usize::try_from((bits >> (5 * place)) & 31).unwrap_or(0);
    (0..CHARS).rev().filter_map(|place| DIGITS.get(digit(place))).map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_ulid_as_others_write_it() {
        // The time part of the examples of github.com/ulid/javascript.
        let id = trace_id(WallMs(1_469_918_176_385), 0xabc, CommandId(1));
        assert_eq!(id, "01ARYZ6S41000002NW00000001");
        assert_eq!(ulid(u128::MAX), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        for (at, begins) in [(-5, "0000000000"), (0, "0000000000"), (i64::MAX, "7ZZZZZZZZZ")] {
            assert!(trace_id(WallMs(at), 1, CommandId(1)).starts_with(begins), "{at}");
        }
    }

    #[test]
    fn those_of_one_installation_all_differ_and_sort_as_they_were_asked() {
        let asked = [(5, 1), (5, 2), (5, 70_000), (6, 70_001), (1_000_000, 70_002), (1_000_000, 70_003)];
        let ids: Vec<String> = asked.iter().map(|(at, id)| trace_id(WallMs(*at), u64::MAX, CommandId(*id))).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(ids.iter().all(|id| id.len() == 26));
        // A clock that was set back says the same moment twice.
        assert_ne!(trace_id(WallMs(5), 1, CommandId(1)), trace_id(WallMs(5), 1, CommandId(65_537)));
        assert_ne!(trace_id(WallMs(5), 1, CommandId(1)), trace_id(WallMs(5), 1 << 40, CommandId(1)));
    }
}
