//! What the window looks at: from when somebody wants to see it until nobody does any more.

use fleetlens_ipc::{Look, Scope};
use leptos::prelude::*;

use super::Store;
use super::views::Target;

impl Store {
    /// Asks for everything on the screen again, because its ages cannot be trusted any more.
    pub fn look_again(self) {
        let calls = self.inner.try_update_value(|inner| inner.views.all_again()).unwrap_or_default();
        self.say(calls);
    }

    /// Looks at something that several parts of the window may show, until the last of them is gone.
    pub(super) fn follow(self, target: Target, look: Look) {
        let is_first = self.inner.try_update_value(|inner| {
            let followers = inner.followers.entry(target).or_default();
            *followers += 1;
            *followers == 1
        });
        if is_first == Some(true) {
            self.look(target, look);
        }
        on_cleanup(move || self.unfollow(target));
    }

    pub(super) fn unfollow(self, target: Target) {
        let is_last = self.inner.try_update_value(|inner| {
            let left = inner.followers.get(&target).map_or(0, |followers| followers.saturating_sub(1));
            inner.followers.insert(target, left);
            left == 0
        });
        if is_last != Some(true) {
            return;
        }
        self.away(target);
        match target {
            Target::Alarms(scope) => self.alarms.list(scope).clear(),
            Target::Commands(Scope::Open) => self.commands.open.clear(),
            Target::Commands(Scope::Ended) => self.commands.ended.clear(),
            Target::Bulks => self.bulks.all.clear(),
            Target::NotConverged => self.not_converged.clear(),
            Target::Settings => self.settings.set(None),
            Target::Jobs => self.jobs.all.clear(),
            Target::Firmware => self.jobs.firmware.set(None),
            Target::Status
            | Target::Map
            | Target::Ground
            | Target::Attention
            | Target::Thing
            | Target::Hover
            | Target::Chart(_)
            | Target::Other
            | Target::OtherThing
            | Target::Find
            | Target::Palette
            | Target::Named
            | Target::SoughtAlarm(_)
            | Target::Things
            | Target::AlarmTable
            | Target::Bulk
            | Target::Job
            | Target::Parking
            | Target::Messages
            | Target::Board
            | Target::BoardLine(..) => {}
        }
    }

    pub(super) fn look(self, target: Target, look: Look) {
        let calls = self.inner.try_update_value(|inner| inner.views.look(target, look)).unwrap_or_default();
        self.say(calls);
    }

    pub(super) fn away(self, target: Target) {
        let call = self.inner.try_update_value(|inner| inner.views.away(target)).flatten();
        self.say(call);
    }
}
