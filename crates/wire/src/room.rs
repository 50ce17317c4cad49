//! How many bytes a convention may remember: a hostile fleet describes itself at length, and what it says must not fill the machine.

use crate::WireError;

/// Bytes that what one convention remembers may take, about. Two thousand of them for each of a hundred thousand things.
pub(crate) const REMEMBERED_MAX_BYTES: usize = 200 * 1024 * 1024;

/// The bytes that are taken, counted by whoever takes them.
#[derive(Debug, Default)]
pub(crate) struct Room {
    taken: usize,
}

impl Room {
    /// Takes `after` bytes where `before` were taken, or changes nothing and says that it is full. To take fewer is always possible.
    pub(crate) fn exchange(&mut self, before: usize, after: usize) -> Result<(), WireError> {
        let taken = self.taken.saturating_sub(before).saturating_add(after);
        if after > before && taken > REMEMBERED_MAX_BYTES {
            return Err(WireError::Full { max: REMEMBERED_MAX_BYTES, what: "bytes of what things say of themselves" });
        }
        self.taken = taken;
        Ok(())
    }

    /// The bytes that are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Gives bytes back.
    pub(crate) fn give(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again_and_no_more() {
        let mut room = Room::default();
        room.exchange(0, REMEMBERED_MAX_BYTES).unwrap();
        assert!(room.exchange(0, 1).unwrap_err().to_string().contains("209715200 bytes"));
        room.exchange(10, 9).unwrap();
        room.exchange(0, 2).unwrap_err();
    }
}
