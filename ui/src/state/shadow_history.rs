//! What changed in a shadow, as the window asks for it.

use fleetlens_ipc::{Done, Fault, Intent};
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::change::Change;

use super::Store;

impl Store {
    /// Asks what changed in a shadow before the change of this number, or ever: the newest first, at most so many; `then` is called
    /// once with the answer.
    pub fn shadow_history(
        self,
        thing: ThingKey,
        shadow: String,
        before: Option<u64>,
        limit: usize,
        then: impl FnOnce(Result<Vec<Change>, Fault>) + 'static,
    ) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let pick = |done| if let Done::ShadowHistory(changes) = done { Some(changes) } else { None };
        self.ask_for(Intent::ShadowHistory { thing, shadow, before, limit }, pick, then);
    }
}
