//! What is wanted and has not been so for too long, as the window holds it.

use fleetlens_ipc::Look;
use fleetlens_ipc::rows::{LeafId, NotConvergedRow};

use super::Store;
use super::cells::List;
use super::views::Target;
use crate::clock::Aged;

/// The most leaves the view asks for.
pub const LIMIT: u32 = 500;

/// Leaves that are wanted and not so, oldest first, each in a signal of its own.
pub type NotConverged = List<LeafId, NotConvergedRow>;

/// Whether a leaf stands before another: the oldest first.
fn stands_before(one: &NotConvergedRow, other: &NotConvergedRow) -> bool {
    (one.since_ms, &one.leaf) < (other.since_ms, &other.leaf)
}

impl Store {
    /// Looks at what is wanted and not so for as long as the owner lives: [`Store::not_converged`] holds it.
    pub fn follow_not_converged(self) {
        self.follow(Target::NotConverged, Look::NotConverged { limit: LIMIT });
    }

    pub(super) fn put_not_converged(self, row: NotConvergedRow, at_ms: f64) {
        let new = row.clone();
        self.not_converged.put(row.leaf.clone(), Aged { row, at_ms }, |other| stands_before(&new, other));
    }
}
