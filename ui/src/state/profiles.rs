//! Profiles being made and changed: the try of a broker as the host tells of it, and what the window asks for.

use fleetlens_ipc::profile::{Field, ProfileAsk, ProfileDone, Trial, TrialStep};
use fleetlens_ipc::{Done, Fault, Intent};
use leptos::prelude::*;

use super::Store;

/// Which profile is made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setup {
    /// A new one, from a broker.
    New,
    /// One that is there.
    Edit(String),
    /// A new one, from the text of another.
    Copy(String),
}

impl Store {
    /// Wants something done with a profile; `then` is called once with what came of it.
    pub fn ask_profile(self, ask: ProfileAsk, then: impl FnOnce(Result<ProfileDone, Fault>) + 'static) {
        let pick = |done| {
            // The demo city is answered like any other setting.
            let like_a_setting = done == Done::Changed;
            if let Done::Profile(done) = done { Some(done) } else { like_a_setting.then_some(ProfileDone::Trying) }
        };
        self.ask_for(Intent::Profile(ask), pick, then);
    }

    /// A try is told of from the start.
    pub fn begin_trial(self) {
        self.trial.set(Some(Trial {
            step: TrialStep::Connecting,
            messages: 0,
            topics: 0,
            seen: Vec::new(),
            notes: Vec::new(),
        }));
    }

    /// A try cannot go on, for a reason that is not the broker's.
    pub fn fail_trial(self, message: String) {
        self.trial.update(|trial| {
            if let Some(trial) = trial.as_mut().filter(|trial| is_running(&trial.step)) {
                trial.step = TrialStep::Failed { field: Field::Broker, message };
            }
        });
    }
}

/// Whether more of a try will be told.
pub fn is_running(step: &TrialStep) -> bool {
    match step {
        TrialStep::Connecting | TrialStep::Listening { .. } => true,
        TrialStep::Failed { .. } | TrialStep::Done(_) => false,
    }
}
