//! How the program is set, as the window knows it, and how it is changed.

use fleetlens_ipc::{Done, Fault, Intent, Look, Setting};

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
}
