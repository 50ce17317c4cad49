//! What windows want with the base map: another file taken for it while they go on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fleetlens_ipc::maps::{Copying, MapAsk, MapBook, MapDone, OnlineDraft, PATH_MAX_BYTES};
use fleetlens_ipc::profile::Field;
use fleetlens_ipc::{Fault, FaultCode};
use tokio_util::sync::CancellationToken;

use super::groups::{KEEPING, check_still};
use super::profiles::on_the_side;
use super::rules::Used;
use super::{Begun, Host, ended};
use crate::maps::{ENDED, FOLDER, about, copy, found, is_copy, look, settle, with_tiles};
use crate::online::{self, Behind, Online};
use crate::profile::Profile;
use crate::settings::whole;

/// The file that is being copied, or was.
#[derive(Debug, Default)]
pub struct Imports(Arc<Mutex<Option<Import>>>);

/// One of them.
#[derive(Debug)]
struct Import {
    /// What people call the file.
    name: String,
    from: PathBuf,
    /// For which profile.
    profile: String,
    of: u64,
    done: Arc<AtomicU64>,
    stop: CancellationToken,
    /// Where the copy lies, or why it does not.
    outcome: Option<Result<PathBuf, String>>,
}

impl Imports {
    fn lock(&self) -> MutexGuard<'_, Option<Import>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is copied for this profile.
    fn copying(&self, of_profile: &str) -> Copying {
        let import = self.lock();
        let its = import.as_ref().filter(|import| import.profile == of_profile);
        let Some(Import { name, of, done, outcome, .. }) = its else { return Copying::Not };
        let name = name.clone();
        match outcome {
            None => Copying::Going { name, done: done.load(Ordering::Relaxed), of: *of },
            Some(Ok(_)) => Copying::Done { name },
            Some(Err(why)) => Copying::Failed { why: why.clone() },
        }
    }
}

impl Host {
    /// Does what a window wants with the map.
    pub(super) async fn map(&self, ask: MapAsk) -> Result<(MapDone, Begun), Fault> {
        let done = |done| Ok((done, Begun::NotAnew));
        // Who may not change what concerns everybody is told so here.
        let used = self.used_profile().await?;
        let profile = used.name.clone();
        match ask {
            MapAsk::Read => done(MapDone::Book(Box::new(self.map_book(used).await?))),
            MapAsk::Look { path } => {
                let path = self.named_map(&used, &path).await?;
                let seen = on_the_side(move || look(&path)).await?.map_err(invalid)?;
                done(MapDone::Looked(Box::new(seen)))
            }
            MapAsk::Import { path } => {
                unlocked(&used)?;
                let path = self.named_map(&used, &path).await?;
                self.import(&used, path).await?;
                done(MapDone::Copying(self.imports.copying(&profile)))
            }
            MapAsk::Progress => done(MapDone::Copying(self.imports.copying(&profile))),
            MapAsk::Take => self.take_map().await,
            MapAsk::Cancel => {
                self.end_import(&profile).await?;
                done(MapDone::Copying(self.imports.copying(&profile)))
            }
            MapAsk::BuiltIn => self.show_map(None).await,
            MapAsk::LookAt(draft) => {
                let behind = self.look_online(&used, &draft).await?;
                done(MapDone::Looked(Box::new(behind.about())))
            }
            MapAsk::UseAt(draft) => {
                unlocked(&used)?;
                let (behind, folder) = (self.look_online(&used, &draft).await?, self.map_folder());
                let (file, is_new) = on_the_side(move || behind.keep(&folder)).await?.map_err(invalid)?;
                let shown = self.show_map(Some(file.clone())).await;
                if shown.is_err() && is_new {
                    self.remove_unnamed(file).await?;
                }
                shown
            }
        }
    }

    async fn map_book(&self, used: Used) -> Result<MapBook, Fault> {
        let (ground, file) = self.ground_and_file().await.ok_or_else(ended)?;
        let online = self.online().await.and_then(Result::ok);
        let (copying, only_there) = (self.imports.copying(&used.name), self.options.served);
        on_the_side(move || {
            let bytes = file.as_deref().and_then(|file| file.metadata().ok()).map_or(0, |about| about.len());
            let folder = used.folder();
            MapBook {
                file: file.map(|file| file.display().to_string()),
                about: about(&ground.tiles, ground.built_in, bytes),
                locked: used.locked(),
                found: found(&folder),
                folder: folder.display().to_string(),
                only_there,
                copying,
                online: online.map(|online| online.book()),
            }
        })
        .await
    }

    /// Fetches what is at an address that a window names. One that may be at another machine reaches nothing of this network.
    async fn look_online(&self, used: &Used, draft: &OnlineDraft) -> Result<Behind, Fault> {
        let looked = online::look(draft, !self.options.served, &used.home.chosen.map_hosts);
        tokio::select! {
            () = self.ending.cancelled() => Err(ended()),
            looked = looked => looked.map_err(invalid),
        }
    }

    /// The map of an address, if such a one is in use, or why its file cannot be read.
    pub(crate) async fn online(&self) -> Option<Result<Arc<Online>, String>> {
        let (ground, file) = self.ground_and_file().await?;
        let file = file.filter(|file| online::is_online(file, &self.map_folder()));
        let mut known = self.online.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = file else {
            *known = None;
            return None;
        };
        if let Some((_, online)) = known.as_ref().filter(|(of, _)| *of == file) {
            return Some(Ok(Arc::clone(online)));
        }
        let format = ground.tiles.metadata().format;
        let opened = tokio::task::block_in_place(|| Online::open(&file, format)).map(Arc::new);
        if let Ok(online) = &opened {
            *known = Some((file, Arc::clone(online)));
        }
        Some(opened)
    }

    /// The file that a window names. One that may be at another machine names no file of this one that no profile knows.
    async fn named_map(&self, used: &Used, path: &str) -> Result<PathBuf, Fault> {
        let path = path.trim();
        if path.is_empty() || path.len() > PATH_MAX_BYTES {
            return Err(invalid("Name an .mbtiles or .pmtiles file".to_owned()));
        }
        let (folder, home, named) = (used.folder(), used.home.clone(), self.options.profile.clone());
        let (path, served) = (folder.join(path), self.options.served);
        on_the_side(move || {
            let refusal =
                served.then(|| home.refusal_of_open([(Field::Broker, path.as_path())], &folder, named.as_deref()));
            match refusal.flatten() {
                Some(refusal) => Err(invalid(refusal.why)),
                None => Ok(path),
            }
        })
        .await?
    }

    /// Begins to copy a file, if nothing is copied now.
    async fn import(&self, used: &Used, path: PathBuf) -> Result<(), Fault> {
        let looked = path.clone();
        let seen = on_the_side(move || look(&looked)).await?.map_err(invalid)?;
        let is_going = |import: &Option<Import>| import.as_ref().is_some_and(|import| import.outcome.is_none());
        let busy = || invalid("Another map is being copied; wait for it or end that first".to_owned());
        // What goes on is ended by whoever began it; what was copied and not taken is nobody's.
        let over = {
            let mut import = self.imports.lock();
            if is_going(&import) {
                return Err(busy());
            }
            import.take()
        };
        self.remove_copy(over).await?;
        let (done, stop) = (Arc::new(AtomicU64::new(0)), self.ending.child_token());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        {
            let mut import = self.imports.lock();
            if import.is_some() {
                return Err(busy());
            }
            *import = Some(Import {
                name,
                from: path.clone(),
                profile: used.name.clone(),
                of: seen.bytes,
                done: Arc::clone(&done),
                stop: stop.clone(),
                outcome: None,
            });
        }
        let (imports, folder) = (Arc::clone(&self.imports.0), self.map_folder());
        tokio::task::spawn_blocking(move || {
            let outcome = copy(&path, &folder, &done, &stop);
            if let Err(why) = &outcome {
                tracing::warn!(%why, file = %path.display(), "a map is not taken");
            }
            if let Some(import) = imports.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                // Somebody may have ended it since it was last asked.
                import.outcome = Some(outcome.and_then(|part| match import.stop.is_cancelled() {
                    true => {
                        Err(std::fs::remove_file(&part).map_or_else(|error| error.to_string(), |()| ENDED.to_owned()))
                    }
                    false => Ok(part),
                }));
            }
        });
        Ok(())
    }

    /// Ends what is copied for a profile, and forgets what was; a copy that nobody took is removed.
    async fn end_import(&self, profile: &str) -> Result<(), Fault> {
        let over = {
            let mut import = self.imports.lock();
            match import.as_mut().filter(|import| import.profile == profile) {
                None => return Ok(()),
                Some(going) if going.outcome.is_none() => {
                    going.stop.cancel();
                    None
                }
                Some(_) => import.take(),
            }
        };
        self.remove_copy(over).await
    }

    async fn remove_copy(&self, over: Option<Import>) -> Result<(), Fault> {
        if let Some(Import { outcome: Some(Ok(path)), .. }) = over {
            self.remove_unnamed(path).await?;
        }
        Ok(())
    }

    /// Removes a file that no profile names.
    async fn remove_unnamed(&self, file: PathBuf) -> Result<(), Fault> {
        let (home, named) = (self.home.lock().await.clone(), self.options.profile.clone());
        on_the_side(move || {
            let rows = home.profiles(named.as_deref(), None);
            let names = |row: &fleetlens_ipc::rows::ProfileRow| {
                let profile = Profile::read(Path::new(&row.file)).ok();
                profile.and_then(|profile| profile.tiles).is_some_and(|tiles| whole(&tiles) == whole(&file))
            };
            // A profile that cannot be read may name it too.
            if !rows.iter().any(|row| row.fault.is_some()) && !rows.iter().any(names) {
                drop(std::fs::remove_file(&file));
            }
        })
        .await
    }

    /// Shows what was copied. What cannot be shown is still there.
    async fn take_map(&self) -> Result<(MapDone, Begun), Fault> {
        let used = self.used_profile().await?.name;
        let is_there = |import: &mut Import| import.profile == used && matches!(import.outcome, Some(Ok(_)));
        let taken = self.imports.lock().take_if(is_there);
        let Some((mut import, part)) = taken.and_then(|import| {
            let part = import.outcome.as_ref()?.as_ref().ok()?.clone();
            Some((import, part))
        }) else {
            return Err(invalid("No map has been copied for this profile".to_owned()));
        };
        let from = import.from.clone();
        let settled = match is_copy(&part, &self.map_folder()) {
            // It was once, and could not be shown.
            true => Ok(part),
            false => on_the_side(move || settle(&part, &from)).await?.map_err(invalid),
        };
        let shown = match settled {
            Ok(path) => {
                import.outcome = Some(Ok(path.clone()));
                self.show_map(Some(path)).await
            }
            Err(fault) => Err(fault),
        };
        if shown.is_err() {
            self.imports.lock().get_or_insert(import);
        }
        shown
    }

    /// Names a file in the profile, or none; the windows begin anew with it. A copy of ours that no profile names any more is removed.
    async fn show_map(&self, file: Option<PathBuf>) -> Result<(MapDone, Begun), Fault> {
        let _keeping = KEEPING.lock().await;
        let used = self.used_profile().await?;
        unlocked(&used)?;
        let told = match &file {
            Some(file) => format!("map taken: {}", file.file_name().unwrap_or_default().to_string_lossy()),
            None => "the program's own map is shown".to_owned(),
        };
        let (name, named) = (used.name.clone(), self.options.profile.clone());
        let before = self.ground_and_file().await.and_then(|(_, file)| file);
        let after = on_the_side(move || {
            let after = with_tiles(&used.text, file.map(|file| whole(&file)).as_deref()).map_err(invalid)?;
            check_still(&used.home, &used.name, &used.text, named.as_deref())?;
            used.home.keep_before(&used.name, named.as_deref()).map_err(invalid)?;
            Ok::<_, Fault>(after)
        });
        let after = after.await??;
        let (_, begun) = self.save_profile(Some(name), after, None, false, Some(told)).await?;
        *self.online.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(before) = before.filter(|before| is_copy(before, &self.map_folder())) {
            self.remove_unnamed(before).await?;
        }
        Ok((MapDone::Taken, begun))
    }

    fn map_folder(&self) -> PathBuf {
        self.options.data_dir.join(FOLDER)
    }
}

fn unlocked(used: &Used) -> Result<(), Fault> {
    used.locked().map_or(Ok(()), |why| Err(invalid(why)))
}

fn invalid(why: String) -> Fault {
    Fault::new(FaultCode::Invalid, why)
}
