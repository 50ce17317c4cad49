//! How the program is set, as the window knows it, and how it is changed.

use fleetlens_ipc::diagnostics::Diagnostics;
use fleetlens_ipc::{Done, Fault, Intent, Look, Setting};
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
        let pick = |done| if let Done::Diagnosed(diagnostics) = done { Some(*diagnostics) } else { None };
        self.ask_for(Intent::Diagnose, pick, then);
    }

    /// Asks what the audit log tells, newest first; `then` is called once with the answer.
    pub fn audit(self, filter: Filter, limit: u32, then: impl FnOnce(Result<Vec<Entry>, Fault>) + 'static) {
        let pick = |done| if let Done::Audit(entries) = done { Some(entries) } else { None };
        self.ask_for(Intent::Audit { filter, limit }, pick, then);
    }
}
