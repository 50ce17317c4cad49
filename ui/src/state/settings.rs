//! How the program is set, as the window knows it, and how it is changed.

use fleetlens_ipc::diagnostics::Diagnostics;
use fleetlens_ipc::{Done, Fault, FaultCode, Intent, Look, Setting};
use fleetlens_model::audit::{Entry, Filter};

use super::Store;
use super::views::Target;

impl Store {
    /// Looks at the settings for as long as the owner lives: [`Store::settings`] holds them.
    pub fn follow_settings(self) {
        self.follow(Target::Settings, Look::Settings);
    }

    /// Changes how the program is set; `then` is called once with what came of it.
    pub fn change_setting(self, setting: Setting, then: impl FnOnce(Result<Done, Fault>) + 'static) {
        self.ask(Intent::Change(setting), then);
    }

    /// Asks how the program stands; `then` is called once with the answer.
    pub fn diagnose(self, then: impl FnOnce(Result<Diagnostics, Fault>) + 'static) {
        self.ask(Intent::Diagnose, move |outcome| {
            then(outcome.and_then(|done| match done {
                Done::Diagnosed(diagnostics) => Ok(*diagnostics),
                Done::Command(_)
                | Done::Controls(_)
                | Done::DryRun(_)
                | Done::Bulk(_)
                | Done::Edited(_)
                | Done::Cancelled(_)
                | Done::Legs { .. }
                | Done::Acknowledged(_)
                | Done::Audit(_)
                | Done::ShadowHistory(_)
                | Done::Changed
                | Done::Profile(_) => Err(something_else()),
            }));
        });
    }

    /// Asks what the audit log tells, newest first; `then` is called once with the answer.
    pub fn audit(self, filter: Filter, limit: u32, then: impl FnOnce(Result<Vec<Entry>, Fault>) + 'static) {
        self.ask(Intent::Audit { filter, limit }, move |outcome| {
            then(outcome.and_then(|done| match done {
                Done::Audit(entries) => Ok(entries),
                Done::Command(_)
                | Done::Controls(_)
                | Done::DryRun(_)
                | Done::Bulk(_)
                | Done::Edited(_)
                | Done::Cancelled(_)
                | Done::Legs { .. }
                | Done::Acknowledged(_)
                | Done::ShadowHistory(_)
                | Done::Diagnosed(_)
                | Done::Changed
                | Done::Profile(_) => Err(something_else()),
            }));
        });
    }
}

fn something_else() -> Fault {
    Fault::new(FaultCode::Invalid, "the host answered something else; start Fleetlens again")
}
