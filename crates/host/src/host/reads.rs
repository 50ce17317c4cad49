//! What windows ask for that is read from the cache: the audit log and what follows from it, and the history of shadows.

use fleetlens_ipc::rows::{AlarmHealth, HealthFigure};
use fleetlens_ipc::{ALARM_HEALTH_MAX_MS, AUDIT_MAX, Done, Fault, FaultCode, LEGS_MAX, SHADOW_HISTORY_MAX};
use fleetlens_model::audit::legs::spreads;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::id::ThingKey;
use fleetlens_model::shadow::change::{CHANGES_KEPT, Change};
use fleetlens_model::time::WallMs;

use fleetlens_report::{Asked, Health, health, zone_of};

use super::{Host, ended, who};
use crate::ports::wall_now;

/// All changes of a shadow that are kept.
const KEPT: usize = CHANGES_KEPT as usize;

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

    /// How well the alarms served, for those who see everything. It is read beside everything else, where blocking is allowed.
    pub(super) async fn alarm_health(
        &self,
        span_ms: u64,
        utc_offset_min: i32,
        then: Option<WallMs>,
    ) -> Result<Done, Fault> {
        let store = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.sees_everything() {
                let message = format!("{}s of this profile do not see how alarms serve", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            run.store().clone()
        };
        // Whoever is shown the past is told of the time before that.
        let now = then.unwrap_or_else(wall_now);
        let back_ms = i64::try_from(span_ms.clamp(1, ALARM_HEALTH_MAX_MS)).unwrap_or(i64::MAX);
        let asked = Asked { span: now.plus(-back_ms)..now, zone: zone_of(utc_offset_min), now };
        let told = tokio::task::spawn_blocking(move || {
            let reading = store.reading().map_err(|error| error.to_string())?;
            // Nobody is kept from closing it by this.
            drop(store);
            health(&reading, &asked).map_err(|error| error.to_string())
        });
        match told.await {
            Ok(Ok(told)) => Ok(Done::AlarmHealth(Box::new(row(told)))),
            Ok(Err(why)) => {
                Err(Fault::new(FaultCode::Store, format!("the history of the alarms cannot be read: {why}")))
            }
            Err(_) => Err(ended()),
        }
    }

    /// What changed in a shadow, for those who see everything: the cache does not say which things are car parks, and on the driver's
    /// screen there is no shadow.
    pub(super) async fn shadow_history(
        &self,
        thing: ThingKey,
        shadow: String,
        before: Option<u64>,
        limit: u32,
        then: Option<WallMs>,
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
        // Of one that is shown the past: what had been heard of by then.
        let read = if then.is_some() { KEPT } else { most };
        let found = run.store().shadow_changes(thing, shadow, before, read).await;
        let mut changes = found.map_err(|error| {
            Fault::new(FaultCode::Store, format!("the history of the shadow cannot be read: {error}"))
        })?;
        changes.retain(|change| then.is_none_or(|then| change.heard_ms <= then));
        changes.truncate(most);
        Ok(changes)
    }
}

fn row(told: Health) -> AlarmHealth {
    let figure = |one: fleetlens_report::Judged| HealthFigure {
        name: one.name.to_owned(),
        value: one.value,
        target: one.target.to_owned(),
        verdict: one.verdict,
        note: one.note,
    };
    AlarmHealth {
        told: told.told,
        begins: told.begins,
        listened: told.listened,
        raised: told.raised,
        figures: told.figures.into_iter().map(figure).collect(),
        pictures: told.pictures.into_iter().map(|one| (one.heading, one.svg)).collect(),
        by_rule: told.by_rule,
        by_thing: told.by_thing,
        of_all: told.of_all,
    }
}
