//! What windows want with profiles: a broker tried, a text checked and kept. Each window has one try at a time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fleetlens_engine::port::WindowId;
use fleetlens_ipc::profile::{Field, ProfileAsk, ProfileDone, Trial, TrialStep, Try};
use fleetlens_ipc::{Done, Fault, FaultCode};
use fleetlens_model::time::{MonoMs, Now};
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Begun, Host, ended, told, who};
use crate::draft::Sample;
use crate::ports::wall_now;
use crate::preview;
use crate::run::Run;
use crate::secrets::Refusal;
use crate::settings::Home;
use crate::shelf::{Draft, check_size};
use crate::trial::{self, Attempt, Failure, SharedSample};

/// How many windows may have tried a broker at the same time: each holds what it heard.
const TRIALS_MAX: usize = 8;

/// The tries of all windows.
#[derive(Debug, Default)]
pub struct Trials(Mutex<HashMap<WindowId, Tried>>);

/// The last try of a window: running, or over and kept for what is typed next.
#[derive(Debug)]
struct Tried {
    stop: CancellationToken,
    sample: SharedSample,
    task: Option<JoinHandle<()>>,
}

impl Drop for Tried {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Trials {
    /// A window is gone: so is its try.
    pub fn forget(&self, window: WindowId) {
        self.lock().remove(&window);
    }

    /// Ends the try of a window: nothing more of it is told. What it heard is kept.
    async fn end(&self, window: WindowId) {
        let task = self.lock().get_mut(&window).and_then(|tried| {
            tried.stop.cancel();
            tried.task.take()
        });
        if let Some(task) = task {
            // Its connection goes with it. It fails only by a panic, which was told where it happened.
            let _ = task.await;
        }
    }

    fn sample(&self, window: WindowId) -> Option<Arc<Sample>> {
        self.lock().get(&window).map(|tried| trial::until_now(&tried.sample))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WindowId, Tried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// Does what a window wants with a profile; says whether the windows have to begin again.
    pub(super) async fn profile(&self, window: WindowId, ask: ProfileAsk) -> Result<(Done, Begun), Fault> {
        {
            let home = self.home.lock().await;
            Host::may_set(&home, self.run.read().await.as_ref().ok_or_else(ended)?)?;
        }
        let done = |done| Ok((Done::Profile(done), Begun::NotAnew));
        match ask {
            ProfileAsk::Try(asked) => {
                self.try_broker(window, *asked).await?;
                done(ProfileDone::Trying)
            }
            ProfileAsk::EndTry => {
                self.trials.end(window).await;
                done(ProfileDone::Trying)
            }
            ProfileAsk::Check { text, replaces } => {
                check_size(&text).map_err(|why| Fault::new(FaultCode::Invalid, why))?;
                let (sample, home, named) =
                    (self.trials.sample(window), self.shelf().await, self.options.profile.clone());
                let served = self.options.served;
                let check = move || {
                    let fault = |profile: &_| home.fault_among_others(profile, replaces.as_deref(), named.as_deref());
                    let folder = home.folder_of(replaces.as_deref(), named.as_deref());
                    let closed = |registry: &Path| {
                        let file = [(Field::Broker, registry)];
                        let refusal = served.then(|| home.refusal_of_open(file, &folder, named.as_deref())).flatten();
                        refusal.map(|refusal| refusal.why)
                    };
                    let sample = sample.as_deref().filter(|sample| sample.messages() > 0);
                    preview::check_but(&folder, &text, sample, now(), fault, closed)
                };
                done(ProfileDone::Checked(Box::new(on_the_side(check).await?)))
            }
            ProfileAsk::Open { name, copy } => {
                self.trials.end(window).await;
                self.trials.forget(window);
                let (home, named) = (self.shelf().await, self.options.profile.clone());
                let opened = on_the_side(move || home.open_profile(&name, copy, named.as_deref())).await?;
                let (text, file) = opened.map_err(|why| Fault::new(FaultCode::NotFound, why))?;
                let file = file.map_or_else(String::new, |file| file.display().to_string());
                done(ProfileDone::Text { text, file })
            }
            ProfileAsk::Save { replaces, text, password, and_use } => {
                self.save_profile(replaces, text, password, and_use, None).await
            }
            ProfileAsk::KeepGroup(group) => self.keep_group(*group).await,
            ProfileAsk::Demo => {
                let begun = self.use_profile(&demo_name()?, false, None).await?;
                Ok((Done::Changed, begun))
            }
        }
    }

    /// Begins a try. Its last word may be that it can never work; that is no fault of the request.
    async fn try_broker(&self, window: WindowId, asked: Try) -> Result<(), Fault> {
        let (home, named) = (self.shelf().await, self.options.profile.clone());
        let served = self.options.served;
        let attempt = on_the_side(move || {
            if served && let Some(Refusal { field, why }) = home.refusal_of_try(&asked.broker, named.as_deref()) {
                return Err(Failure { field, message: why });
            }
            let attempt = Attempt::of(asked, |name| home.folder_of(name, named.as_deref()))?;
            if served { attempt.with_known_secrets(&home.links(named.as_deref(), None)) } else { Ok(attempt) }
        })
        .await?;
        self.trials.end(window).await;
        let (stop, sample) = (self.ending.child_token(), SharedSample::default());
        let mut trials = self.trials.lock();
        // Who detaches a window takes it from the sinks first and then its try from here: a try that came later would never be.
        if !self.sinks.holds(window) {
            return Err(Fault::new(FaultCode::TooLate, "this window is gone"));
        }
        // One that was let go because it did not keep up may be detached much later.
        trials.retain(|window, _| self.sinks.holds(*window));
        if !trials.contains_key(&window) && trials.len() >= TRIALS_MAX {
            let why = format!("{TRIALS_MAX} windows are trying brokers; close one of them first");
            return Err(Fault::new(FaultCode::Invalid, why));
        }
        let windows = Voice { run: Arc::clone(&self.run), window };
        let (ending, heard) = (stop.clone(), Arc::clone(&sample));
        let task = tokio::spawn(async move {
            // One at a time: what a window has not been told yet is told as it is by then.
            let (tell, mut told) = mpsc::channel(1);
            let run = async move {
                match attempt {
                    Ok(attempt) => attempt.run(heard, now, tell).await,
                    Err(failure) => _ = tell.send(refused(failure)).await,
                }
            };
            let forward = async {
                while let Some(trial) = told.recv().await {
                    windows.tell(trial).await;
                }
            };
            tokio::select! {
                () = ending.cancelled() => {}
                ((), ()) = async { tokio::join!(run, forward) } => {}
            }
        });
        trials.insert(window, Tried { stop, sample, task: Some(task) });
        Ok(())
    }

    /// Keeps a profile; `more` is what else the audit log is told of it.
    pub(super) async fn save_profile(
        &self,
        replaces: Option<String>,
        text: String,
        password: Option<fleetlens_ipc::profile::Typed>,
        and_use: bool,
        more: Option<String>,
    ) -> Result<(Done, Begun), Fault> {
        let (name, told) = self.write_profile(replaces.clone(), text, password, more).await?;
        let used = self.run.read().await.as_ref().map(|run| run.profile.name.clone());
        let is_used = replaces.is_some() && used == replaces;
        let begun = if and_use || is_used {
            let begun = self.use_profile(&name, is_used, Some(told.clone())).await;
            if begun.is_err() {
                self.tell_saved(told).await;
            }
            begun
                .map_err(|fault| Fault::new(fault.code, format!("it is kept, but cannot be used: {}", fault.message)))?
        } else {
            self.tell_saved(told).await;
            self.tell_settings().await;
            Begun::NotAnew
        };
        Ok((Done::Profile(ProfileDone::Saved(name)), begun))
    }

    /// Writes a profile; gives its name, and what the audit log is to be told.
    pub(super) async fn write_profile(
        &self,
        replaces: Option<String>,
        text: String,
        password: Option<fleetlens_ipc::profile::Typed>,
        more: Option<String>,
    ) -> Result<(String, String), Fault> {
        let (home, named) = (self.shelf().await, self.options.profile.clone());
        let served = self.options.served;
        let save = move || {
            let draft = Draft { replaces: replaces.as_deref(), text: &text, password: password.as_ref(), served };
            let old = replaces.as_deref().and_then(|name| home.open_profile(name, false, named.as_deref()).ok());
            let name = home.save_profile(&draft, named.as_deref())?;
            let old = replaces.as_deref().zip(old.as_ref().map(|(text, _)| text.as_str()));
            let told = told::saved(old, &name, &text, password.is_some());
            let told = more.map_or_else(|| told.clone(), |more| format!("{told}; {more}"));
            Ok((name, told))
        };
        let saved: Result<(String, String), String> = on_the_side(save).await?;
        saved.map_err(|why| Fault::new(FaultCode::Invalid, why))
    }

    /// The audit log of the cache in use is told what was saved.
    pub(super) async fn tell_saved(&self, told: String) {
        let home = self.home.lock().await;
        if let Some(run) = self.run.read().await.as_ref() {
            told::tell(run, &who(&home, &run.profile), &[told]).await;
        }
    }

    /// The folder as it is now: what is done with files is done away from the threads that answer windows.
    async fn shelf(&self) -> Home {
        self.home.lock().await.clone()
    }
}

/// Blocking work, on a thread for it.
pub(super) async fn on_the_side<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ended())
}

fn demo_name() -> Result<String, Fault> {
    let demo = crate::Profile::demo().map_err(|error| Fault::new(FaultCode::Invalid, error.to_string()))?;
    Ok(demo.name)
}

fn refused(Failure { field, message }: Failure) -> Trial {
    let step = TrialStep::Failed { field, message };
    Trial { step, messages: 0, topics: 0, seen: Vec::new(), notes: Vec::new() }
}

/// Both clocks, for an engine that lives for one look.
fn now() -> Now {
    Now { wall: wall_now(), mono: MonoMs(0) }
}

/// The way to one window, whichever profile is in use meanwhile.
struct Voice {
    run: Arc<RwLock<Option<Run>>>,
    window: WindowId,
}

impl Voice {
    async fn tell(&self, trial: Trial) {
        if let Some(engine) = self.run.read().await.as_ref().and_then(Run::engine) {
            engine.trial(self.window, trial).await;
        }
    }
}
