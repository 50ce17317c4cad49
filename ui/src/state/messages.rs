//! The last messages of a thing as they came, as the window holds them.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::MessageRow;
use fleetlens_model::id::ThingKey;
use leptos::prelude::*;

use super::Store;
use super::views::Target;

/// How many messages of a thing are kept.
const KEPT: usize = 20;

/// The last messages of a thing. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Messages {
    /// Oldest first, each with a number that rises by one, by which a list can tell them apart; `None` before the first answer.
    pub rows: RwSignal<Option<Vec<(u64, MessageRow)>>>,
    last: StoredValue<u64>,
}

impl Messages {
    pub(super) fn new() -> Messages {
        Messages { rows: RwSignal::new(None), last: StoredValue::new(0) }
    }

    /// Takes a picture; messages that are here already keep their numbers.
    pub(super) fn replace(self, rows: Vec<MessageRow>) {
        let known = self.rows.with_untracked(|rows| rows.clone().unwrap_or_default());
        let start = known.len() - overlap(&known, &rows);
        let mut next: Vec<(u64, MessageRow)> = known.into_iter().skip(start).collect();
        let fresh: Vec<MessageRow> = rows.into_iter().skip(next.len()).collect();
        next.extend(fresh.into_iter().map(|row| (self.number(), row)));
        self.rows.set(Some(next));
    }

    /// Takes one more; the oldest leave.
    pub(super) fn push(self, row: MessageRow) {
        let number = self.number();
        self.rows.update(|rows| {
            let rows = rows.get_or_insert_default();
            rows.push((number, row));
            rows.drain(..rows.len().saturating_sub(KEPT));
        });
    }

    fn number(self) -> u64 {
        self.last.update_value(|last| *last += 1);
        self.last.get_value()
    }
}

/// How many of the newest known messages are the oldest of a picture.
fn overlap(known: &[(u64, MessageRow)], rows: &[MessageRow]) -> usize {
    let longest = known.len().min(rows.len());
    (0..=longest)
        .rev()
        .find(|len| known.iter().skip(known.len() - len).map(|(_, row)| row).eq(rows.iter().take(*len)))
        .unwrap_or(0)
}

impl Store {
    /// Looks at the last messages of a thing: [`Store::messages`] holds them.
    pub fn look_at_messages(self, thing: ThingKey) {
        self.messages.rows.set(None);
        self.look(Target::Messages, Look::Messages { thing });
    }

    /// Nobody looks at messages any more.
    pub fn look_away_from_messages(self) {
        self.away(Target::Messages);
        self.messages.rows.set(None);
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    fn message(at_ms: i64) -> MessageRow {
        MessageRow {
            topic: "demo/lamp/1/telemetry".into(),
            payload: "{}".into(),
            bytes: 2,
            received_ms: WallMs(at_ms),
            retained: false,
            repeated: false,
            properties: None,
            qos: 1,
            refused: None,
        }
    }

    #[test]
    fn messages_keep_their_numbers_and_the_oldest_leave() {
        let owner = Owner::new();
        owner.with(|| {
            let messages = Messages::new();
            let told =
                || messages.rows.get_untracked().unwrap().iter().map(|(n, row)| (*n, row.received_ms.0)).collect();
            messages.replace(vec![message(1), message(2)]);
            messages.push(message(3));
            let seen: Vec<(u64, i64)> = told();
            assert_eq!(seen, [(1, 1), (2, 2), (3, 3)]);
            messages.replace(vec![message(2), message(3), message(4)]);
            let seen: Vec<(u64, i64)> = told();
            assert_eq!(seen, [(2, 2), (3, 3), (4, 4)], "a new picture of the same messages");
            (5..40).for_each(|at| messages.push(message(at)));
            assert_eq!(messages.rows.with_untracked(|rows| rows.as_ref().map(Vec::len)), Some(KEPT));
        });
    }
}
