//! What changed in a shadow, as the window asks for it.

use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
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
        self.ask(Intent::ShadowHistory { thing, shadow, before, limit }, move |outcome| {
            then(outcome.and_then(|done| match done {
                Done::ShadowHistory(changes) => Ok(changes),
                Done::Command(_)
                | Done::Edited(_)
                | Done::Legs { .. }
                | Done::Controls(_)
                | Done::DryRun(_)
                | Done::Bulk(_)
                | Done::Cancelled(_)
                | Done::Acknowledged(_)
                | Done::Audit(_)
                | Done::Diagnosed(_)
                | Done::Changed
                | Done::Profile(_) => {
                    Err(Fault::new(FaultCode::Invalid, "the host answered something else; start Fleetlens again"))
                }
            }));
        });
    }
}
