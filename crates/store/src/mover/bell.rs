//! What wakes a mover. Whatever is asked twice before it is looked at is asked once, so nothing can pile up here.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::purge::Ask;
use crate::table::run::RunKey;

/// What a mover is to do.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The journal has become long, or there are new runs.
    pub due: bool,
    /// Samples that are too old within runs that are not are to be left out.
    pub aged: bool,
    /// A run that is to lose what was measured before this.
    pub trim: Option<(RunKey, i64)>,
    /// Who waits until everything is settled.
    pub settle: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Asked {
    pub fn due() -> Asked {
        Asked { due: true, ..Asked::default() }
    }

    pub fn settle(done: oneshot::Sender<Result<(), StoreError>>) -> Asked {
        Asked { settle: vec![done], ..Asked::default() }
    }

    fn is_something(&self) -> bool {
        self.due || self.aged || self.trim.is_some() || !self.settle.is_empty()
    }

    fn add(&mut self, more: Asked) {
        self.due |= more.due;
        self.aged |= more.aged;
        self.trim = more.trim.or(self.trim);
        self.settle.extend(more.settle);
    }
}

impl From<Ask> for Asked {
    fn from(ask: Ask) -> Asked {
        match ask {
            Ask::Age => Asked { aged: true, ..Asked::default() },
            Ask::Trim(key, before_ms) => Asked { trim: Some((key, before_ms)), ..Asked::default() },
        }
    }
}

/// Rung by whoever wants something of a mover, which waits at it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: Asked,
    has_ended: bool,
}

impl Bell {
    /// At the end, who waits for something is told that it does not come.
    pub fn ring(&self, asked: Asked) {
        let mut state = self.state();
        if !state.has_ended {
            state.asked.add(asked);
            self.rung.notify_one();
        }
    }

    /// The mover is to end, or has.
    pub fn end(&self) {
        let mut state = self.state();
        *state = State { has_ended: true, ..State::default() };
        self.rung.notify_one();
    }

    /// Everything that was asked, as soon as there is something; `None` at the end. While it rests only somebody who waits is heard.
    pub fn wait(&self, rests_until: Option<Instant>) -> Option<Asked> {
        let mut state = self.state();
        loop {
            if state.has_ended {
                return None;
            }
            let rest = rests_until.map(|until| until.saturating_duration_since(Instant::now()));
            let rest = rest.filter(|rest| !rest.is_zero() && state.asked.settle.is_empty());
            state = match rest {
                None if state.asked.is_something() => return Some(std::mem::take(&mut state.asked)),
                None => self.rung.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(rest) => self.rung.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_asked_many_times_is_heard_once_and_nothing_of_it_is_lost() {
        let bell = Bell::default();
        bell.ring(Asked::from(Ask::Trim(RunKey(1), 5)));
        for _ in 0..1_000 {
            bell.ring(Asked::due());
        }
        bell.ring(Asked::from(Ask::Age));
        let asked = bell.wait(None).unwrap();
        assert!(asked.due && asked.aged && asked.trim == Some((RunKey(1), 5)) && asked.settle.is_empty());
        assert!(!bell.state().asked.is_something());
    }

    #[test]
    fn who_rests_is_not_woken_but_by_somebody_who_waits() {
        let bell = Arc::new(Bell::default());
        bell.ring(Asked::due());
        let began = Instant::now();
        let short = Duration::from_millis(20);
        assert!(bell.wait(Some(began + short)).unwrap().due);
        assert!(began.elapsed() >= short, "it did not rest");

        bell.ring(Asked::due());
        let hour = Instant::now() + Duration::from_secs(3_600);
        let rings = Arc::clone(&bell);
        let waits = std::thread::spawn(move || {
            let (done, outcome) = oneshot::channel();
            rings.ring(Asked::settle(done));
            outcome.blocking_recv()
        });
        let asked = bell.wait(Some(hour)).unwrap();
        assert!(asked.due && asked.settle.len() == 1);
        drop(asked);
        assert!(waits.join().unwrap().is_err());
    }

    #[test]
    fn at_the_end_nobody_waits_in_vain() {
        let bell = Bell::default();
        let (done, mut before) = oneshot::channel();
        bell.ring(Asked::settle(done));
        bell.end();
        let (done, mut after) = oneshot::channel();
        bell.ring(Asked::settle(done));
        assert!(before.try_recv().is_err() && after.try_recv().is_err());
        assert!(bell.wait(None).is_none());
    }
}
