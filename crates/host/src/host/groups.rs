//! What windows want with groups of the profile in use, and with the names of its map.

use std::sync::{Arc, PoisonError};

use fleetlens_ipc::profile::{KeptGroup, ProfileDone};
use fleetlens_ipc::rows::MapName;
use fleetlens_ipc::{Done, Fault, FaultCode};

use super::profiles::on_the_side;
use super::{Begun, Host, ended};
use crate::groups::with_group;
use crate::profile::Profile;

/// Names of the map that a window is told, the greatest places first.
const MAP_NAMES_MAX: usize = 5_000;

impl Host {
    /// Keeps a search as a group. One that is new is told to the engine as it runs: no rule and nobody's rights name it yet, so nothing
    /// else depends on it. Where it takes the place of another, everything that does begins anew with the profile.
    pub(super) async fn keep_group(&self, group: KeptGroup) -> Result<(Done, Begun), Fault> {
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        let used = self.used_profile().await?;
        if let Some(why) = used.locked() {
            return Err(invalid(why));
        }
        let name = group.name.trim().to_owned();
        let (profile, folder, home) = (used.name.clone(), used.folder(), used.home.clone());
        let named = self.options.profile.clone();
        let wrote = on_the_side(move || {
            let after = with_group(&used.text, &group)?;
            let groups = Profile::parse_in(&folder, &after, "the profile").map_err(|error| error.to_string())?.groups;
            home.keep_before(&used.name, named.as_deref())?;
            Ok::<_, String>((after, groups))
        });
        let (after, groups) = wrote.await?.map_err(invalid)?;
        let is_new = {
            let run = self.run.read().await;
            let known = &run.as_ref().ok_or_else(ended)?.profile.groups;
            known.iter().all(|known| groups.contains(known))
        };
        let more = Some(format!("group kept: {name}"));
        if !is_new {
            let (_, begun) = self.save_profile(Some(profile), after, None, false, more).await?;
            return Ok((Done::Profile(ProfileDone::Saved(name)), begun));
        }
        let (_, told) = self.write_profile(Some(profile.clone()), after, None, more).await?;
        self.tell_saved(told).await;
        if let Some(run) = self.run.write().await.as_mut().filter(|run| run.profile.name == profile) {
            run.profile.groups.clone_from(&groups);
            if let Some(engine) = run.engine() {
                engine.regroup(groups).await;
            }
        }
        Ok((Done::Profile(ProfileDone::Saved(name)), Begun::NotAnew))
    }

    /// The names that stand on the map.
    pub(super) async fn map_names(&self) -> Result<Done, Fault> {
        let tiles = Arc::clone(&self.tiles.read().unwrap_or_else(PoisonError::into_inner));
        let names = on_the_side(move || tiles.names(MAP_NAMES_MAX)).await?;
        let names = names.map_err(|error| Fault::new(FaultCode::Store, format!("the map cannot be read: {error}")))?;
        let row = |one: fleetlens_tiles::PlaceName| MapName { name: one.name, class: one.class, at: one.at };
        Ok(Done::MapNames(names.into_iter().map(row).collect()))
    }
}
