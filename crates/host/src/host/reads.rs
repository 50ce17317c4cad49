//! What windows ask for that is read from the cache: the audit log and what follows from it, and the history of shadows.

use fleetlens_ipc::{AUDIT_MAX, Done, Fault, FaultCode, LEGS_MAX, SHADOW_HISTORY_MAX};
use fleetlens_model::audit::legs::spreads;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::change::Change;

use super::{Host, ended, who};

/// Entries of the audit log out of which the legs of commands are made: [`LEGS_MAX`] commands with all that usually befalls one.
const LEGS_ENTRIES: usize = 10_000;

impl Host {
    /// What the audit log tells, for those who steer.
    pub(super) async fn audit(&self, filter: Filter, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.log(filter, usize::try_from(limit.clamp(1, AUDIT_MAX)).unwrap_or(usize::MAX)).await
    }

    /// How long each leg of the newest commands took, as far back as so many entries reach.
    pub(super) async fn legs(&self) -> Result<Done, Fault> {
        let log = self.log(Filter::default(), LEGS_ENTRIES).await?;
        let (commands, spreads) = spreads(&log, LEGS_MAX);
        Ok(Done::Legs { commands, spreads })
    }

    /// The newest entries of the audit log, for those who may steer.
    async fn log(&self, filter: Filter, most: usize) -> Result<Vec<Entry>, Fault> {
        let home = self.home.lock().await;
        let run = self.run.read().await;
        let run = run.as_ref().ok_or_else(ended)?;
        let who = who(&home, &run.profile);
        if !who.role.may_command() {
            let message = format!("{}s of this profile do not read the audit log", who.role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let found = run.store().audit(filter, most);
        drop(home);
        found.await.map_err(|error| Fault::new(FaultCode::Store, format!("the audit log cannot be read: {error}")))
    }

    /// What changed in a shadow, for those who see everything: the cache does not say which things are car parks, and on the driver's
    /// screen there is no shadow.
    pub(super) async fn shadow_history(
        &self,
        thing: ThingKey,
        shadow: String,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Change>, Fault> {
        let home = self.home.lock().await;
        let run = self.run.read().await;
        let run = run.as_ref().ok_or_else(ended)?;
        let who = who(&home, &run.profile);
        drop(home);
        if !who.role.sees_everything() {
            let message = format!("{}s of this profile do not read the history of shadows", who.role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let most = usize::try_from(limit.clamp(1, SHADOW_HISTORY_MAX)).unwrap_or(usize::MAX);
        let found = run.store().shadow_changes(thing, shadow, before, most).await;
        found
            .map_err(|error| Fault::new(FaultCode::Store, format!("the history of the shadow cannot be read: {error}")))
    }
}
