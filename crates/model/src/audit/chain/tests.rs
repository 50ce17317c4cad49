use proptest::prelude::*;

use super::*;
use crate::audit::{By, Event};
use crate::id::CommandId;
use crate::identity::{Actor, Role};

fn entry(seq: u64, event: Event, detail: &str) -> Entry {
    Entry {
        seq,
        at_ms: WallMs(1_780_000_000_000 + seq.cast_signed()),
        by: By::Person(Actor { name: "M. Vella".into(), role: Role::Operator }),
        thing: "lamp-1".into(),
        shadow: String::new(),
        command: Some(CommandId(1)),
        trace: "01ARYZ6S41TSV4RRFFQ69G5FAV".into(),
        event,
        after_ms: (seq > 1).then_some(20),
        detail: detail.into(),
    }
}

/// Rows that follow each other, one for each detail.
fn log(details: &[String]) -> (Vec<Chained>, Head) {
    let mut head = Head::default();
    let rows = (1..).zip(details).map(|(seq, detail)| {
        let entry = entry(seq, Event::Accepted, detail);
        head = head.after(&entry);
        Chained { seq, entry: Some(entry), hash: head.hash }
    });
    let rows = rows.collect();
    (rows, head)
}

/// Up to twelve rows, some of which say the same.
fn any_log() -> impl Strategy<Value = (Vec<Chained>, Head)> {
    proptest::collection::vec("[ab]{0,2}", 1..12).prop_map(|details| log(&details))
}

fn said(row: &mut Chained) -> &mut Entry {
    row.entry.as_mut().unwrap()
}

#[test]
fn a_hash_is_the_sha_256_of_the_one_before_and_of_every_field_with_its_length() {
    // Made with Python: hashlib.sha256(b"fleetlens-audit-1" + bytes(32) + b"".join(struct.pack(">I", len(f)) + f for f in fields))
    let first = Entry { at_ms: WallMs(1_780_000_000_001), ..entry(1, Event::Asked, "/dim_pct = 40 · ħ") };
    let hash = Hash::after(Hash::default(), &first);
    assert_eq!(hash.to_string(), "81d2ae1e778b15bd4d9b55c309e647b18d2316dabb3c74e13c79a905c3393c94");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for wrong in ["", "12", &"g".repeat(64), &"a".repeat(65), &"é".repeat(64)] {
        assert_eq!(wrong.parse::<Hash>(), Err(NoHash), "{wrong}");
    }
}

#[test]
fn text_that_moves_from_one_field_to_the_next_is_another_row() {
    let one = entry(1, Event::Asked, "bc");
    let split = |thing: &str, shadow: &str| Entry { thing: thing.into(), shadow: shadow.into(), ..one.clone() };
    assert_ne!(Hash::after(Hash::default(), &split("lamp", "1")), Hash::after(Hash::default(), &split("lamp1", "")));
}

#[test]
fn an_empty_log_is_whole_and_one_whose_rows_are_all_gone_is_not() {
    assert_eq!(verify([], [Head::default()]), Ok(Summary::default()));
    let (_, head) = log(&["a".into(), "b".into()]);
    let gone = verify([], [head]).unwrap_err();
    assert_eq!((gone, gone.to_string().as_str()), (Break::Missing { first: 1, last: 2 }, "rows 1 to 2 are missing"));
}

#[test]
fn a_row_that_says_nothing_of_ours_was_changed() {
    let (mut rows, head) = log(&["a".into(), "b".into(), "c".into()]);
    rows[1].entry = None;
    assert_eq!(verify(rows, [head]), Err(Break::Changed { seq: 2 }));
}

proptest! {
    #[test]
    fn a_log_that_nobody_touched_is_whole_whatever_of_it_was_noted((rows, head) in any_log(), noted in any::<prop::sample::Index>()) {
        let some = noted.get(&rows);
        let earlier = Head { seq: some.seq, hash: some.hash };
        let (first_ms, last_ms) = (Some(WallMs(1_780_000_000_001)), Some(WallMs(1_780_000_000_000 + head.seq.cast_signed())));
        prop_assert_eq!(verify(rows, [earlier, head]), Ok(Summary { head, first_ms, last_ms }));
    }

    #[test]
    fn a_row_of_which_anything_was_changed_is_named(
        (mut rows, head) in any_log(),
        which in any::<prop::sample::Index>(),
        what in 0..12,
    ) {
        let at = which.index(rows.len());
        let row = &mut rows[at];
        let seq = row.seq;
        match what {
            0 => said(row).at_ms.0 += 1,
            1 => said(row).by = By::Program,
            2 => said(row).by = By::Person(Actor { name: "J. Borg".into(), role: Role::Operator }),
            3 => said(row).by = By::Person(Actor { name: "M. Vella".into(), role: Role::Technician }),
            4 => said(row).thing.push('0'),
            5 => said(row).shadow.push('x'),
            6 => said(row).command = None,
            7 => said(row).trace.clear(),
            8 => said(row).event = Event::Rejected,
            9 => said(row).after_ms = Some(21),
            10 => said(row).detail.push('!'),
            _ => row.hash.0[31] ^= 1,
        }
        prop_assert_eq!(verify(rows, [head]), Err(Break::Changed { seq }));
    }

    #[test]
    fn rows_that_were_removed_are_named_at_the_beginning_in_the_middle_and_at_the_end(
        (rows, head) in any_log(),
        from in any::<prop::sample::Index>(),
        many in 1usize..4,
    ) {
        let from = from.index(rows.len());
        let to = (from + many).min(rows.len());
        let left: Vec<Chained> = rows[..from].iter().chain(&rows[to..]).cloned().collect();
        prop_assert_eq!(verify(left, [head]), Err(Break::Missing { first: from as u64 + 1, last: to as u64 }));
    }

    #[test]
    fn rows_that_changed_places_are_out_of_order_with_or_without_their_hashes(
        (mut rows, head) in any_log(),
        (one, other) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        with_hashes in any::<bool>(),
    ) {
        let (one, other) = (one.index(rows.len()), other.index(rows.len()));
        let (one, other) = (one.min(other), one.max(other));
        let differ = Entry { seq: 0, ..rows[one].entry.clone().unwrap() } != Entry { seq: 0, ..rows[other].entry.clone().unwrap() };
        prop_assume!(one != other && differ);
        let (seq, at) = (rows[one].seq, rows[other].seq);
        let (a, b) = (rows[one].clone(), rows[other].clone());
        let placed = |row: Chained, seq, hash| Chained { seq, entry: row.entry.map(|entry| Entry { seq, ..entry }), hash };
        rows[one] = placed(b.clone(), seq, if with_hashes { b.hash } else { a.hash });
        rows[other] = placed(a.clone(), at, if with_hashes { a.hash } else { b.hash });
        prop_assert_eq!(verify(rows, [head]), Err(Break::OutOfOrder { seq, at }));
    }

    #[test]
    fn a_row_that_was_moved_to_the_end_is_found_there((mut rows, head) in any_log(), which in any::<prop::sample::Index>()) {
        let at = which.index(rows.len());
        prop_assume!(at + 1 < rows.len());
        let moved = rows.remove(at);
        let seq = moved.seq;
        let end = head.seq + 1;
        rows.push(Chained { seq: end, entry: moved.entry.map(|entry| Entry { seq: end, ..entry }), hash: moved.hash });
        prop_assert_eq!(verify(rows, [head]), Err(Break::OutOfOrder { seq, at: end }));
    }

    #[test]
    fn a_log_written_anew_holds_together_and_is_known_by_what_was_noted_of_it((rows, head) in any_log()) {
        let details: Vec<String> = rows.iter().map(|row| format!("{}!", row.entry.as_ref().unwrap().detail)).collect();
        let (anew, its_own) = log(&details);
        prop_assert!(verify(anew.clone(), [its_own]).is_ok());
        prop_assert_eq!(verify(anew, [head]), Err(Break::WrittenAnew { seq: head.seq }));
    }
}
