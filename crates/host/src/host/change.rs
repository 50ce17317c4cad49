//! How the program is set: who is at the screen, how much is kept, and which profile is in use.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use fleetlens_ipc::{Fault, FaultCode, Setting};
use fleetlens_model::identity::Actor;

use super::{
    Begun, BrokerChoice, Host, HostError, HostOptions, around, ended, prepare, prepare_chosen, settings, told, who,
};
use crate::run::{Prepared, Run};
use crate::settings::{Chosen, Home, check_identity, check_retention};

impl Host {
    /// Changes how the program is set. What cannot be kept on the disk is not changed.
    pub(super) async fn change(&self, setting: Setting) -> Result<Begun, Fault> {
        match setting {
            Setting::Profile(name) => self.use_profile(&name, false, None).await,
            Setting::Identity(_) | Setting::Retention(_) => self.change_settings(setting).await,
        }
    }

    /// Tells the windows how the program is set now.
    pub(super) async fn tell_settings(&self) {
        let home = self.home.lock().await;
        let run = self.run.read().await;
        if let Some((run, engine)) = run.as_ref().and_then(|run| Some((run, run.engine()?))) {
            engine.configure(settings(&self.options, &home, &run.profile, run.file.as_deref(), &run.cache)).await;
        }
    }

    async fn change_settings(&self, setting: Setting) -> Result<Begun, Fault> {
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        let mut home = self.home.lock().await;
        let run = self.run.read().await;
        let run = run.as_ref().ok_or_else(ended)?;
        let mut chosen = home.chosen.clone();
        match setting {
            Setting::Identity(who) => {
                check_identity(&who, run.profile.who.role.and_lesser()).map_err(invalid)?;
                chosen.identity = Some(Actor { name: who.name.trim().to_owned(), role: who.role });
            }
            Setting::Retention(retention) => {
                Host::may_set(&home, run)?;
                check_retention(retention).map_err(invalid)?;
                chosen.cache = retention;
            }
            Setting::Profile(name) => chosen.profile = Some(name),
        }
        keep(&mut home, chosen)?;
        run.keep(home.chosen.cache);
        if let Some(engine) = run.engine() {
            engine.configure(settings(&self.options, &home, &run.profile, run.file.as_deref(), &run.cache)).await;
        }
        Ok(Begun::NotAnew)
    }

    /// What concerns everybody is set by those who steer.
    pub(super) fn may_set(home: &Home, run: &Run) -> Result<(), Fault> {
        let who = who(home, &run.profile);
        if who.role.may_command() {
            return Ok(());
        }
        let message = format!("{}s of this profile do not change what concerns everybody", who.role.label());
        Err(Fault::new(FaultCode::Forbidden, message))
    }

    /// Uses another profile, or with `anew` the one in use as it stands in its file now. What can fail is tried before the one in use
    /// is given up; only where both have the same cache, which takes one at a time, it is opened afterwards. The audit log of either cache is
    /// told who chose it, and before that what was `saved`, which makes the one in use begin anew where it bears its name; of one that may
    /// still fail to open nothing is told before it is open.
    pub(super) async fn use_profile(&self, name: &str, anew: bool, saved: Option<String>) -> Result<Begun, Fault> {
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        let mut home = self.home.lock().await;
        let chosen = Chosen { profile: Some(name.to_owned()), ..home.chosen.clone() };
        let (is_used, cache, by, used) = match self.run.read().await.as_ref() {
            Some(run) => {
                Host::may_set(&home, run)?;
                let used = run.profile.name.clone();
                (used == name && !home.undecided, run.cache.clone(), who(&home, &run.profile), used)
            }
            None => return Err(ended()),
        };
        if is_used && !anew && saved.is_none() {
            // It may be in use only because the chosen one could not be.
            keep(&mut home, chosen)?;
            self.first_words.write().unwrap_or_else(PoisonError::into_inner).clear();
            return Ok(Begun::NotAnew);
        }
        // What was said on the command line was said of the profile the program was started with.
        let options = HostOptions {
            cache: None,
            broker: match &self.options.broker {
                BrokerChoice::None => BrokerChoice::None,
                BrokerChoice::Own | BrokerChoice::At(_) => BrokerChoice::Own,
            },
            ..self.options.clone()
        };
        let checked = check_chosen(&options, &home, name).await.map_err(invalid)?;
        let prepared = match checked == cache {
            true => None,
            false => Some(prepare_chosen(&options, &home, name).await.map_err(invalid)?),
        };
        keep(&mut home, chosen)?;
        let from = if home.undecided { "nothing chosen".to_owned() } else { used.clone() };
        let is_another = home.undecided || used != name;
        let is_sure = prepared.is_some();
        let chose = |now: &str, why: Option<&str>| (is_another || why.is_some()).then(|| told::chosen(&from, now, why));
        let mut told: Vec<String> = saved.into_iter().collect();
        if is_sure {
            told.extend(chose(name, None));
        }
        home.undecided = false;
        let mut run = self.run.write().await;
        match run.take() {
            Some(before) => {
                told::tell(&before, &by, &told).await;
                before.end().await;
            }
            None => return Err(ended()),
        }
        if self.ending.is_cancelled() {
            // Whoever stops us waits for this lock and finds nothing left to end.
            self.ended.cancel();
            return Err(ended());
        }
        let (prepared, fault) = match prepared {
            Some(prepared) => (prepared, None),
            None => match prepare_chosen(&options, &home, name).await {
                Ok(prepared) => (prepared, None),
                Err(why) => {
                    let why = format!("the profile \"{name}\" cannot be used, so this is the demo city: {why}");
                    tracing::error!("{why}");
                    let demo =
                        prepare(options.clone(), None).await.map_err(|error| invalid(format!("{why}; {error}")))?;
                    (demo, Some(Fault::new(FaultCode::Invalid, why)))
                }
            },
        };
        let number = self.runs.fetch_add(1, Ordering::AcqRel) + 1;
        let around = around(&options, &home, &prepared, &self.sinks.of_run(number), &self.vigil, &self.mend);
        let tiles = Arc::clone(&prepared.tiles);
        let why = fault.as_ref().map(|fault| fault.message.as_str());
        let late = if is_sure { None } else { chose(&prepared.profile.name, why) };
        let words: Vec<Fault> = fault.into_iter().chain(prepared.first_word.clone()).collect();
        let next = Run::start(prepared, around);
        if next.cache == cache {
            // What was saved it knows already.
            told.clear();
        }
        told.extend(late);
        told::tell(&next, &by, &told).await;
        *self.tiles.write().unwrap_or_else(PoisonError::into_inner) = tiles;
        *self.first_words.write().unwrap_or_else(PoisonError::into_inner) = words.clone();
        if let Some(engine) = next.engine() {
            for window in self.sinks.windows() {
                engine.attach(window).await;
                for word in &words {
                    engine.tell(window, word.clone()).await;
                }
            }
        }
        *run = Some(next);
        Ok(Begun::Anew)
    }
}

/// The cache of the profile somebody chose by its name, or in words why it cannot be used, as far as that can be seen from outside.
async fn check_chosen(options: &HostOptions, home: &Home, name: &str) -> Result<PathBuf, String> {
    let (options, file) = (options.clone(), home.find(name, options.profile.as_deref())?);
    let checked = tokio::task::spawn_blocking(move || Prepared::check(&options, file)).await;
    checked.map_err(|_| HostError::Interrupted.to_string())?.map_err(|error| error.to_string())
}

fn keep(home: &mut Home, chosen: Chosen) -> Result<(), Fault> {
    home.keep(chosen).map_err(|e| Fault::new(FaultCode::Store, format!("the settings cannot be kept: {e}")))
}
