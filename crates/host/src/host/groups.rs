//! What windows want with groups of the profile in use, and with the names of its map.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fleetlens_ipc::profile::{KeptGroup, ProfileDone};
use fleetlens_ipc::rows::MapName;
use fleetlens_ipc::{Done, Fault, FaultCode};
use fleetlens_tiles::{PlaceName, Tiles, TilesError};

use super::profiles::on_the_side;
use super::{Begun, Host, ended};
use crate::groups::with_group;
use crate::profile::Profile;
use crate::settings::Home;

/// Names of the map that a window is told, the greatest places first.
const MAP_NAMES_MAX: usize = 5_000;

/// The names of the map in use. To read them takes dozens of tiles, and whoever looks may ask.
static NAMES: Mutex<(Weak<Tiles>, Vec<MapName>)> = Mutex::new((Weak::new(), Vec::new()));

/// Held from the reading of a profile's file until it is written: two windows that keep a group, an area or a map at once would each write
/// over the other's.
pub(super) static KEEPING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Host {
    /// Keeps a search as a group. One that is new is told to the engine as it runs: no rule and nobody's rights name it yet, so nothing
    /// else depends on it. Where it takes the place of another, everything that does begins anew with the profile.
    pub(super) async fn keep_group(&self, group: KeptGroup) -> Result<(Done, Begun), Fault> {
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        let _keeping = KEEPING.lock().await;
        let used = self.used_profile().await?;
        if let Some(why) = used.locked() {
            return Err(invalid(why));
        }
        let name = group.name.trim().to_owned();
        let (profile, folder, home) = (used.name.clone(), used.folder(), used.home.clone());
        let named = self.options.profile.clone();
        let wrote = on_the_side(move || {
            let after = with_group(&used.text, &group).map_err(invalid)?;
            let parsed = Profile::parse_in(&folder, &after, "the profile");
            let groups = parsed.map_err(|error| invalid(error.to_string()))?.groups;
            check_still(&home, &used.name, &used.text, named.as_deref())?;
            home.keep_before(&used.name, named.as_deref()).map_err(invalid)?;
            Ok::<_, Fault>((after, groups))
        });
        let (after, groups) = wrote.await??;
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
        let tiles = self.tiles();
        let names = on_the_side(move || names_of(&tiles)).await?;
        let names = names.map_err(|error| Fault::new(FaultCode::Store, format!("the map cannot be read: {error}")))?;
        Ok(Done::MapNames(names))
    }
}

/// Refuses to write where the file of a profile is another than the one that was read: somebody edited it meanwhile.
pub(super) fn check_still(home: &Home, name: &str, text: &str, named: Option<&Path>) -> Result<(), Fault> {
    let (now, _) = home.open_profile(name, false, named).map_err(|why| Fault::new(FaultCode::NotFound, why))?;
    if now == text {
        return Ok(());
    }
    let why = "the profile's file was changed meanwhile; do it again, nothing of it was written over";
    Err(Fault::new(FaultCode::TooLate, why))
}

/// The names on these tiles, read once for each map. Blocks.
fn names_of(tiles: &Arc<Tiles>) -> Result<Vec<MapName>, TilesError> {
    // Whoever asks while they are read waits for them here.
    let mut known = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let of = Arc::downgrade(tiles);
    if !known.0.ptr_eq(&of) {
        let row = |one: PlaceName| MapName { name: one.name, class: one.class, at: one.at };
        *known = (of, tiles.names(MAP_NAMES_MAX)?.into_iter().map(row).collect());
    }
    Ok(known.1.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_into_the_file_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("harbour.toml");
        let text = "name = \"Harbour\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n[shadows]\nenabled = true\n";
        std::fs::write(&file, text).unwrap();
        let (home, _) = Home::open(folder.path());
        assert_eq!(check_still(&home, "Harbour", text, Some(&file)), Ok(()));
        std::fs::write(&file, format!("# by hand\n{text}")).unwrap();
        let late = check_still(&home, "Harbour", text, Some(&file)).unwrap_err();
        assert!(late.code == FaultCode::TooLate && late.message.contains("changed meanwhile"), "{late}");
    }
}
