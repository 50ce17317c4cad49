//! What the packet ids of QoS 1 stand for, so that a message that is said again is known (docs/adr/0003-delivery.md).

use fleetlens_model::record::PACKETS_KNOWN;

/// The last packets by their ids.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// How many were noted before it, and its digest.
    of: Vec<Option<(u64, u64)>>,
    noted: u64,
    /// How many were noted when the connection that is there now began.
    before: u64,
}

impl Packets {
    /// Those of which the cache knows.
    pub fn restored(packets: &[(u16, u64)]) -> Packets {
        let mut restored = Packets::default();
        packets.iter().for_each(|(packet_id, digest)| restored.put(*packet_id, *digest));
        // All are as old as each other: which of them was the last is not kept.
        restored.noted = 1;
        restored
    }

    /// Whether this packet id stands for a message with this digest.
    pub fn is_known(&self, packet_id: u16, digest: u64) -> bool {
        let known = self.of.get(usize::from(packet_id)).copied().flatten();
        known.is_some_and(|(nth, known)| known == digest && self.noted - nth <= PACKETS_KNOWN as u64)
    }

    /// Remembers what a packet id stands for.
    pub fn note(&mut self, packet_id: u16, digest: u64) {
        self.put(packet_id, digest);
        self.noted += 1;
    }

    /// A connection begins: whether with a session of its own is told later, when messages may have come through it already.
    pub fn connecting(&mut self) {
        self.before = self.noted;
    }

    /// It is a new session: only what came through this connection is of it, and is handed over.
    pub fn begin_session(&mut self) -> impl Iterator<Item = (u16, u64)> {
        for place in &mut self.of {
            place.take_if(|(nth, _)| *nth < self.before);
        }
        let of_it = self.of.iter().zip(0..=u16::MAX).filter_map(|(place, packet_id)| Some((packet_id, (*place)?.1)));
        of_it.collect::<Vec<_>>().into_iter()
    }

    fn put(&mut self, packet_id: u16, digest: u64) {
        let at = usize::from(packet_id);
        if at >= self.of.len() {
            self.of.resize(at + 1, None);
        }
        if let Some(place) = self.of.get_mut(at) {
            *place = Some((self.noted, digest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_id_stood_for_a_round_ago_is_forgotten_before_it_comes_again() {
        let mut packets = Packets::restored(&[(7, 70)]);
        assert!(packets.is_known(7, 70) && !packets.is_known(7, 71) && !packets.is_known(8, 70));
        packets.note(9, 90);
        let many = u16::try_from(PACKETS_KNOWN).unwrap() - 1;
        (0..many).for_each(|n| packets.note(100 + n % 1_000, 0));
        assert!(packets.is_known(9, 90) && !packets.is_known(7, 70));
        packets.note(100, 0);
        assert!(!packets.is_known(9, 90));
    }

    #[test]
    fn of_a_new_session_is_what_came_since_it_was_connected() {
        let mut packets = Packets::restored(&[(7, 70)]);
        packets.note(8, 80);
        packets.connecting();
        packets.note(9, 90);
        assert_eq!(packets.begin_session().collect::<Vec<_>>(), [(9, 90)]);
        assert!(packets.is_known(9, 90) && !packets.is_known(8, 80) && !packets.is_known(7, 70));
    }

    #[test]
    fn the_greatest_id_there_is_has_none_after_it() {
        let mut packets = Packets::default();
        packets.note(u16::MAX, 90);
        assert_eq!(packets.begin_session().collect::<Vec<_>>(), [(u16::MAX, 90)]);
    }
}
