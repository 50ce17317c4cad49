//! An alarm as it stood at a moment, out of what is kept of it: its last life.

use super::State;
use crate::time::WallMs;

impl State {
    /// As it stood then; `None` where it was not raised yet, and of one that was raised again since: what it was before is not kept.
    /// What is told of later steps (cleared, seen, shelved) is taken back where they came after that moment. A shelving that is over is not
    /// kept, nor is since when it was suppressed.
    pub fn as_of(&self, at: WallMs) -> Option<State> {
        let came_later = |step: WallMs| step > at;
        let since = self.since_ms.or(self.raised_ms)?;
        if came_later(since) {
            return None;
        }
        let mut then = self.clone().as_written();
        if then.raised_ms.is_some_and(came_later) {
            then.raised_ms = Some(since);
        }
        if then.told_ms.is_some_and(came_later) {
            then.told_ms = Some(since);
        }
        if then.cleared_ms.is_some_and(came_later) {
            (then.cleared_ms, then.active, then.latched) = (None, true, false);
        }
        if then.acknowledged.as_ref().is_some_and(|seen| came_later(seen.at_ms)) {
            (then.acknowledged, then.owed) = (None, then.told_ms.is_some());
        }
        then.shelved.take_if(|shelving| came_later(shelving.by.at_ms));
        then.out_of_service.take_if(|taken| came_later(taken.at_ms));
        Some(then)
    }

    /// When it changed, as far as that is kept: each moment from which on [`State::as_of`] says otherwise.
    pub fn turns(&self) -> impl Iterator<Item = WallMs> {
        let seen = self.acknowledged.as_ref().map(|seen| seen.at_ms);
        let shelved = self.shelved.as_ref().map(|shelving| shelving.by.at_ms);
        let taken = self.out_of_service.as_ref().map(|taken| taken.at_ms);
        let since = self.since_ms.or(self.raised_ms);
        [since, self.raised_ms, self.cleared_ms, seen, shelved, taken].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;
    use crate::alarm::Acknowledgement;
    use crate::identity::{Actor, Role};

    fn seen(at: i64) -> Acknowledgement {
        let by = Actor { name: "Rita".into(), role: Role::Operator };
        Acknowledgement { by, at_ms: WallMs(at), comment: String::new() }
    }

    #[test]
    fn an_alarm_stands_as_it_stood_at_each_moment_of_its_life() {
        let over = State::told(WallMs(10), Some(WallMs(20)), 1, Some(seen(30)));
        let back = State::told(WallMs(10), Some(WallMs(30)), 1, Some(seen(20)));
        let told_again =
            State { raised_ms: Some(WallMs(40)), told_ms: Some(WallMs(40)), ..State::told(WallMs(10), None, 1, None) };
        for (name, state, at, want) in [
            ("before it was raised", &over, 9, None),
            ("the very moment", &over, 10, Some(Standing::Active)),
            ("cleared and not seen", &over, 20, Some(Standing::Returned)),
            ("over", &over, 30, Some(Standing::Normal)),
            ("seen first", &back, 20, Some(Standing::ActiveSeen)),
            ("and cleared then", &back, 30, Some(Standing::Normal)),
            ("not told again yet", &told_again, 39, Some(Standing::Active)),
        ] {
            let then = state.as_of(WallMs(at));
            assert_eq!(then.as_ref().map(State::standing), want, "{name}");
            assert!(then.is_none_or(|then| then.turns().all(|turn| turn <= WallMs(at))), "{name}");
        }
        assert_eq!(told_again.as_of(WallMs(39)).unwrap().raised_ms, Some(WallMs(10)));
    }
}
