//! What each input does to an alarm.

use super::delay::Delay;
use super::{Effect, Input, Judged, Policy, Reason, Refused, State, Terms};
use crate::alarm::{Acknowledgement, NotAcknowledged};
use crate::time::{Now, WallMs};

impl State {
    pub(super) fn fold(&mut self, input: Input, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        if let Some(delay) = &mut self.delay {
            delay.watch.gather(now.mono);
        }
        // Nothing is told again in the moment in which a person acts on it.
        let is_time = matches!(input, Input::Judged(_) | Input::TimePassed);
        match input {
            // Of a silent thing nothing is heard that could be so or not so for long enough.
            Input::Judged(Judged::Unheard) => {
                if let Some(delay) = &mut self.delay {
                    delay.watch.stand_still(now.mono);
                }
            }
            Input::Judged(judged) => self.judged(judged, terms, now, effects),
            Input::HappenedAgain => self.happened_again(terms, now, effects),
            Input::TimePassed => self.turn(terms, now, effects),
            Input::LinkLost(since) => {
                self.unknown_since.get_or_insert(since);
                if let Some(delay) = &mut self.delay {
                    delay.watch.stand_still(now.mono);
                }
                return;
            }
            Input::Acknowledge { raised_ms, by } => match self.acknowledge(raised_ms, by) {
                Ok(()) => {}
                Err(why) => effects.push(Effect::Refused(why.into())),
            },
            Input::Reset if !self.latched => effects.push(Effect::Refused(Refused::NotLatched)),
            Input::Reset if self.active => effects.push(Effect::Refused(Refused::StillActive)),
            Input::Reset => self.latched = false,
            Input::Shelve(shelving) if shelving.is_right(now) => self.shelved = Some(shelving),
            Input::Shelve(_) => effects.push(Effect::Refused(Refused::Shelving)),
            Input::Unshelve if self.shelved.is_some() => self.unshelve(false, effects),
            Input::Unshelve => effects.push(Effect::Refused(Refused::NotShelved)),
            Input::Suppress(by) => self.suppressed = by,
            Input::OutOfService(by) => {
                // Who put it back wants to hear of it, as of one from the shelf.
                self.unshelved |= self.out_of_service.is_some() && by.is_none();
                self.out_of_service = by;
            }
            Input::RuleGone => {
                (self.delay, self.doubt, self.latched, self.suppressed) = (None, None, false, None);
                self.clear(now, effects);
            }
        }
        if self.shelved.as_ref().is_some_and(|shelving| shelving.is_over(now)) {
            self.unshelve(true, effects);
        }
        self.tell(is_time, terms, now, effects);
    }

    fn unshelve(&mut self, by_itself: bool, effects: &mut Vec<Effect>) {
        (self.shelved, self.unshelved) = (None, true);
        effects.push(Effect::Unshelved { by_itself });
    }

    fn judged(&mut self, judged: Judged, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        self.unknown_since = None;
        let policy = match judged {
            Judged::NoData => Some((terms.no_data, Reason::NoData)),
            Judged::Error => Some((terms.error, Reason::Error)),
            Judged::So | Judged::NotSo | Judged::Unheard => None,
        };
        self.doubt = policy.map(|_| match self.doubt {
            Some((before, times, since)) if before == judged => (judged, times.saturating_add(1), since),
            Some(_) | None => (judged, 1, now.wall),
        });
        let is_doubted = judged == Judged::NoData && !self.is_missing();
        let leans = match policy {
            None => Some((judged == Judged::So, Reason::Condition)),
            // Once alone means nothing.
            Some(_) if is_doubted => None,
            Some((Policy::Alert, reason)) => Some((true, reason)),
            Some((Policy::Normal, reason)) => Some((false, reason)),
            Some((Policy::KeepLast, _)) => None,
        };
        if let Some((so, reason)) = leans {
            // What is active because of its condition is not news when the thing then says nothing; the other way round it is.
            let weighs_more = self.active && reason == Reason::Condition && self.reason != Reason::Condition;
            if so == self.active && !(so && weighs_more) {
                self.delay = None;
                return;
            }
            match &mut self.delay {
                Some(delay) if delay.raises == so => delay.reason = reason,
                _ => self.delay = Some(Delay::begun(so, reason, now.mono)),
            }
        }
        // What says nothing breaks no delay.
        if let Some(delay) = &mut self.delay {
            delay.watch.run(now.mono);
        }
        self.turn(terms, now, effects);
    }

    /// Raises or clears when the delay towards it is over.
    fn turn(&mut self, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        let Some(delay) = self.delay.take_if(|delay| delay.is_over(terms, now.mono)) else { return };
        if delay.raises {
            self.raise(delay.reason, terms, now, effects);
        } else {
            self.clear(now, effects);
        }
    }

    fn happened_again(&mut self, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        (self.unknown_since, self.doubt, self.delay) = (None, None, None);
        self.raise(Reason::Condition, terms, now, effects);
    }

    fn raise(&mut self, reason: Reason, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        self.times = if self.is_open() { self.times.saturating_add(1) } else { 1 };
        if !self.active {
            self.since_ms = Some(now.wall);
        }
        self.is_news(now.wall);
        (self.active, self.reason, self.latched) = (true, reason, terms.latches);
        effects.push(Effect::Raised);
    }

    fn clear(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.active {
            self.active = false;
            self.cleared_ms = Some(now.wall);
            effects.push(Effect::Cleared);
        }
    }

    /// It stands otherwise from now on: what was acknowledged and told of it was something else.
    fn is_news(&mut self, now: WallMs) {
        // Never the same moment twice, also when the wall clock was set back: it tells what stood on a screen.
        let raised_ms = self.raised_ms.map_or(now, |before| now.max(before.plus(1)));
        self.raised_ms = Some(raised_ms);
        (self.cleared_ms, self.acknowledged, self.told_ms, self.unshelved) = (None, None, None, false);
    }

    fn acknowledge(&mut self, raised_ms: WallMs, by: Acknowledgement) -> Result<(), NotAcknowledged> {
        if !self.is_open() {
            return Err(NotAcknowledged::Ended);
        }
        if let Some(earlier) = &self.acknowledged {
            return Err(NotAcknowledged::Already(earlier.by.name.clone()));
        }
        if self.raised_ms != Some(raised_ms) {
            return Err(NotAcknowledged::RaisedAgain);
        }
        (self.acknowledged, self.owed) = (Some(by), false);
        Ok(())
    }

    /// Tells people of what they have to know and do not, unless it is hidden, or nobody knows whether it is still so.
    fn tell(&mut self, is_time: bool, terms: &Terms, now: Now, effects: &mut Vec<Effect>) {
        if self.is_hidden() || self.unknown_since.is_some() {
            return;
        }
        // Whoever took it off the list wanted to hear of it then; who has acknowledged it has.
        let is_back = self.unshelved && self.acknowledged.is_none();
        let is_due = |told| is_back || is_time && terms.until_again_ms(told, now) == Some(0);
        self.unshelved = false;
        match self.told_ms {
            None if (self.active || self.latched) && self.acknowledged.is_none() => {
                (self.told_ms, self.owed) = (Some(now.wall), true);
                effects.push(Effect::Told { again: false });
            }
            Some(told) if self.active && is_due(told) => {
                self.is_news(now.wall);
                (self.told_ms, self.owed) = (Some(now.wall), true);
                effects.push(Effect::Told { again: true });
            }
            None | Some(_) => {}
        }
    }
}
