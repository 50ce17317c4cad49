//! The line to the host: how it is opened, what becomes of the window while it is cut, and what is said on it.

use fleetlens_ipc::address::Address;
use fleetlens_ipc::{CONTRACT, Call, Look};
use leptos::prelude::*;
use tr::tr;

use super::views::Target;
use super::{ATTENTION_LIMIT, Cut, Store};
use crate::bridge::{Bridge, BridgeError, Ears, Line};
use crate::clock::shown_ms;
use crate::lang::said;

impl Store {
    /// Opens the line to the host; what is looked at is said once it is open.
    pub fn connect(self) {
        let ears = Ears {
            parcel: Box::new(move |bytes| self.take(&bytes)),
            line: Box::new(move |line| self.line_is(line)),
            lost: Box::new(move |request, error| self.answered_by_nobody(request, tr!("this was not sent: {}", error))),
            trouble: Box::new(move |error| match error {
                BridgeError::NoHost | BridgeError::NotAttached(_) => self.stranded.set(Some(error.to_string())),
                BridgeError::Refused(_) | BridgeError::NoWindow => self.notify(error.to_string()),
            }),
        };
        match Bridge::open(ears) {
            Ok(bridge) => {
                self.inner.update_value(|inner| inner.bridge = Some(bridge));
                self.look(Target::Status, Look::Status);
                self.look(Target::Attention, Look::Attention { limit: ATTENTION_LIMIT });
            }
            Err(error) => self.stranded.set(Some(error.to_string())),
        }
    }

    /// The line opened, was cut, or more is known of it.
    pub(crate) fn line_is(self, line: Line) {
        match line {
            Line::Open => {
                self.cut.set(None);
                self.stranded.set(None);
                self.hello();
            }
            Line::Cut | Line::Ended | Line::Locked => {
                let since_ms = self.cut.with_untracked(|cut| cut.map(|cut| cut.since_ms));
                let has_spoken = self.status.with_untracked(Option::is_some);
                let now_ms = || has_spoken.then(|| untrack(|| self.wall_now(shown_ms()))).flatten();
                let since_ms = since_ms.unwrap_or_else(now_ms);
                self.cut.set(Some(Cut { since_ms, line }));
                self.fail_trial(said("the connection to Fleetlens was lost; try again once it is back").into());
                let asked = self.inner.try_update_value(|inner| inner.answers.keys().copied().collect::<Vec<_>>());
                for request in asked.unwrap_or_default() {
                    let why = said(
                        "the connection was lost before the answer came; look among the commands whether it was taken",
                    );
                    self.answered_by_nobody(request, why.to_owned());
                }
            }
        }
    }

    /// Says the first words, and everything the window looks at.
    pub(super) fn hello(self) {
        // Whoever begins anew begins in the present.
        self.take_moment(None);
        self.say([Call::Hello { contract: CONTRACT }]);
        self.look_again();
    }

    /// Whether the page is an app's, whose host saves files for it; else the browser does.
    pub fn is_of_app(self) -> bool {
        self.inner.with_value(|inner| inner.bridge.as_ref().is_some_and(Bridge::is_of_app))
    }

    /// Says where the window is, to whoever keeps windows.
    pub fn tell_address(self, address: &Address, profile: &str) {
        if let Some(bridge) = self.inner.with_value(|inner| inner.bridge.clone()) {
            bridge.shows(address, profile);
        }
    }

    /// Opens one more window, or in a browser a tab, which shows this.
    pub fn open_window(self, address: &Address) {
        if let Some(bridge) = self.inner.with_value(|inner| inner.bridge.clone()) {
            bridge.open_window(address);
        }
    }

    pub(super) fn say(self, calls: impl IntoIterator<Item = Call>) {
        let bridge = self.inner.with_value(|inner| inner.bridge.clone());
        if let Some(bridge) = bridge {
            calls.into_iter().for_each(|call| bridge.say(&call));
        }
    }
}
