//! What a window asks of its host, and who waits for which answer.

use fleetlens_ipc::{Call, Done, Fault, FaultCode, Intent, RequestId};

use leptos::prelude::*;

use super::Store;
use crate::lang::said;

/// Somebody who waits for an answer.
pub(super) struct Waiting {
    /// Whether the host itself answers, whichever fleet it shows.
    pub(super) of_host: bool,
    pub(super) then: Box<dyn FnOnce(Result<Done, Fault>)>,
}

impl Store {
    /// Asks for something to be done; `then` is called once with what came of it.
    pub fn ask(self, intent: Intent, then: impl FnOnce(Result<Done, Fault>) + 'static) {
        let request = self.inner.try_update_value(|inner| {
            inner.last_request += 1;
            let request = RequestId(inner.last_request);
            let of_host = matches!(
                intent,
                Intent::Change(_)
                    | Intent::Profile(_)
                    | Intent::Rules(_)
                    | Intent::Boards(_)
                    | Intent::Map(_)
                    | Intent::Areas(_)
                    | Intent::Diagnose
                    | Intent::MapNames
                    | Intent::Audit { .. }
                    | Intent::Legs
                    | Intent::AlarmHealth { .. }
                    | Intent::Export(_)
                    | Intent::ShadowHistory { .. }
                    | Intent::Replay(_)
                    | Intent::Small { .. }
            );
            inner.answers.insert(request, Waiting { of_host, then: Box::new(then) });
            request
        });
        self.say(request.map(|request| Call::Ask { request, intent }));
    }

    /// Asks for something that is answered in one way, which `pick` takes out; `then` is called once with it.
    pub fn ask_for<T>(
        self,
        intent: Intent,
        pick: impl FnOnce(Done) -> Option<T> + 'static,
        then: impl FnOnce(Result<T, Fault>) + 'static,
    ) {
        let other = || Fault::new(FaultCode::Invalid, said("the host answered something else; start Fleetlens again"));
        self.ask(intent, move |outcome| then(outcome.and_then(|done| pick(done).ok_or_else(other))));
    }

    /// Tells whoever asked that no answer will come.
    pub(super) fn answered_by_nobody(self, request: RequestId, why: String) {
        let waiting = self.inner.try_update_value(|inner| inner.answers.remove(&request)).flatten();
        if let Some(waiting) = waiting {
            (waiting.then)(Err(Fault::new(FaultCode::Unreachable, why)));
        }
    }
}
