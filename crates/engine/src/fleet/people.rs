//! What people do with alarms: acknowledge, shelve, take out of service, reset, assign. Each is on the disk and in the audit log with
//! what it changed.

use fleetlens_ipc::{ACKNOWLEDGED_MAX, AlarmStep, Fault, FaultCode};
use fleetlens_model::alarm::state::{Effect, Input, Refused, Shelving};
use fleetlens_model::alarm::{
    ASSIGNED_MAX_CHARS, Acknowledgement, Alarm, COMMENT_MAX_CHARS, NotAcknowledged, duration,
};
use fleetlens_model::audit::Event;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{Now, WallMs};

use super::happened::Stood;
use super::watch::Due;
use super::{Effects, Fleet};

impl Fleet {
    /// A person has seen alarms as they stood on the screen. How many this covers; none of them is an error that says why.
    pub(super) fn acknowledge(
        &mut self,
        alarms: &[(AlarmId, WallMs)],
        comment: &str,
        now: Now,
        effects: &mut Effects,
    ) -> Result<u32, Fault> {
        let who = &self.config.who;
        self.check_alarms(alarms.len())?;
        let comment = line("comment", comment, COMMENT_MAX_CHARS)?;
        let seen = Acknowledgement { by: who.clone(), at_ms: now.wall, comment };
        let (mut covered, mut why) = (0u32, None);
        for (id, raised_ms) in alarms {
            let Some(mut alarm) = self.alarms.get(*id).cloned() else {
                why = why.or_else(|| Some(Fault::new(FaultCode::NotFound, "this alarm is not known here")));
                continue;
            };
            if let Err(fence) = self.check_fence(alarm.thing) {
                why = why.or(Some(fence));
                continue;
            }
            let input = Input::Acknowledge { raised_ms: *raised_ms, by: seen.clone() };
            let (state, happened) = alarm.state.clone().step(input, &self.rule_of(&alarm).terms, now);
            match refusal(&happened) {
                None => {
                    covered += 1;
                    let (thing, name) = (alarm.thing, alarm.name.clone());
                    let stood = Stood::of(&alarm.state);
                    alarm.state = state;
                    self.follow(stood, &alarm, &happened, now, effects);
                    self.go_on_waiting(&alarm, now);
                    self.keep_alarm(alarm, effects);
                    self.audit_alarm((thing, &name), Event::AlarmAcknowledged, &seen.comment, now, effects);
                }
                // The same one named twice.
                Some(Refused::Acknowledgement(NotAcknowledged::Already(_))) if alarm.seen() == Some(&seen) => {}
                Some(not) => why = why.or_else(|| Some(Fault::new(FaultCode::TooLate, not.to_string()))),
            }
        }
        match why {
            Some(fault) if covered == 0 => Err(fault),
            Some(_) | None => Ok(covered),
        }
    }

    /// A person does something else with alarms. How many it was done to; none of them is an error that says why.
    pub(super) fn steer_alarms(
        &mut self,
        alarms: &[AlarmId],
        to: &AlarmStep,
        now: Now,
        effects: &mut Effects,
    ) -> Result<u32, Fault> {
        self.check_alarms(alarms.len())?;
        let step = self.step_of(to, now)?;
        let (mut done, mut why) = (0u32, None);
        for id in alarms {
            let Some(alarm) = self.alarms.get(*id).cloned() else {
                why = why.or_else(|| Some(Fault::new(FaultCode::NotFound, "this alarm is not known here")));
                continue;
            };
            if let Err(fence) = self.check_fence(alarm.thing) {
                why = why.or(Some(fence));
                continue;
            }
            match self.steered(&alarm, &step, now) {
                Ok((steered, happened)) => {
                    done += 1;
                    let due_in_ms = steered.state.due_in_ms(&self.rule_of(&steered).terms, now);
                    self.watch.set_due(Due::Alarm(*id), due_in_ms.filter(|_| self.up_since.is_some()), now);
                    let was_in_service = alarm.state.out_of_service.is_none();
                    let event = if matches!(step.does, Does::PutsBack) && !was_in_service {
                        Event::AlarmInService
                    } else {
                        step.event
                    };
                    self.follow(Stood::of(&alarm.state), &steered, &happened, now, effects);
                    self.go_on_waiting(&steered, now);
                    let (thing, name) = (alarm.thing, alarm.name);
                    self.keep_alarm(steered, effects);
                    self.audit_alarm((thing, &name), event, &step.words, now, effects);
                }
                Err(not) => why = why.or_else(|| Some(Fault::new(FaultCode::TooLate, not))),
            }
        }
        match why {
            Some(fault) if done == 0 => Err(fault),
            Some(_) | None => Ok(done),
        }
    }

    fn steered(&self, alarm: &Alarm, step: &Step, now: Now) -> Result<(Alarm, Vec<Effect>), String> {
        let input = match &step.does {
            Does::Assigns(to) => return Ok((Alarm { assigned: to.clone(), ..alarm.clone() }, Vec::new())),
            // Of one that is over there is nothing to take off the list.
            Does::Steps(Input::Shelve(_) | Input::OutOfService(Some(_))) if alarm.ended_ms().is_some() => {
                return Err(NotAcknowledged::Ended.to_string());
            }
            // One that is both goes off the shelf as well: who puts it back wants to see it.
            Does::PutsBack if alarm.state.out_of_service.is_some() => Input::OutOfService(None),
            Does::PutsBack => Input::Unshelve,
            Does::Steps(input) => input.clone(),
        };
        let terms = self.rule_of(alarm).terms;
        let (mut state, mut happened) = alarm.state.clone().step(input, &terms, now);
        if let Some(not) = refusal(&happened) {
            return Err(not.to_string());
        }
        if matches!(step.does, Does::PutsBack) && state.shelved.is_some() {
            let (unshelved, more) = state.step(Input::Unshelve, &terms, now);
            state = unshelved;
            happened.extend(more);
        }
        Ok((Alarm { state, ..alarm.clone() }, happened))
    }

    /// An alarm that a person's step has ended may be on its way to become so again: what runs goes on without it.
    fn go_on_waiting(&mut self, alarm: &Alarm, now: Now) {
        if let Some(at) = self.rules.place(&alarm.rule).filter(|_| alarm.ended_ms().is_some()) {
            let terms = self.rule_of(alarm).terms;
            self.watch.await_it((alarm.thing, at), alarm.state.what_runs(), &terms, now);
        }
    }

    fn step_of(&self, to: &AlarmStep, now: Now) -> Result<Step, Fault> {
        let who = &self.config.who;
        let steps = |input, event, words: String| Step { does: Does::Steps(input), event, words };
        Ok(match to {
            AlarmStep::Shelved { for_ms, reason } => {
                let reason = line("reason", reason, COMMENT_MAX_CHARS)?;
                let until_ms = now.wall.plus(i64::try_from(*for_ms).unwrap_or(i64::MAX));
                let shelving = Shelving::new(until_ms, who.clone(), &reason, now);
                let shelving = shelving.map_err(|not| Fault::new(FaultCode::Invalid, not.to_string()))?;
                let words = format!("for {}: {reason}", duration(*for_ms));
                steps(Input::Shelve(shelving), Event::AlarmShelved, words)
            }
            AlarmStep::OutOfService { reason } => {
                let comment = line("reason", reason, COMMENT_MAX_CHARS)?;
                if comment.is_empty() {
                    let message = "say why it is out of service, for whoever comes next";
                    return Err(Fault::new(FaultCode::Invalid, message));
                }
                let by = Acknowledgement { by: who.clone(), at_ms: now.wall, comment: comment.clone() };
                steps(Input::OutOfService(Some(by)), Event::AlarmOutOfService, comment)
            }
            AlarmStep::PutBack => Step { does: Does::PutsBack, event: Event::AlarmUnshelved, words: String::new() },
            AlarmStep::Reset => steps(Input::Reset, Event::AlarmReset, String::new()),
            AlarmStep::Assigned { to } => {
                let to = line("name", to, ASSIGNED_MAX_CHARS)?;
                let words = if to.is_empty() { "to nobody".to_owned() } else { format!("to {to}") };
                Step { does: Does::Assigns(to), event: Event::AlarmAssigned, words }
            }
        })
    }

    fn check_alarms(&self, asked: usize) -> Result<(), Fault> {
        let role = self.config.who.role;
        if !role.may_acknowledge() {
            let message = format!("{}s of this profile watch and do not acknowledge", role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        if asked == 0 || asked > ACKNOWLEDGED_MAX {
            let message = format!("1 to {ACKNOWLEDGED_MAX} alarms at a time; these are {asked}");
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        Ok(())
    }
}

/// Something a person does with alarms, and how the audit log tells it.
struct Step {
    does: Does,
    event: Event,
    words: String,
}

enum Does {
    Steps(Input),
    PutsBack,
    Assigns(String),
}

/// One line, whatever was pasted into it.
fn line(what: &str, text: &str, max_chars: usize) -> Result<String, Fault> {
    let text = text.trim().replace(char::is_control, " ");
    let chars = text.chars().count();
    if chars > max_chars {
        let message = format!("the {what} has {chars} characters; at most {max_chars} are kept");
        return Err(Fault::new(FaultCode::Invalid, message));
    }
    Ok(text)
}

fn refusal(happened: &[Effect]) -> Option<Refused> {
    happened.iter().find_map(|effect| if let Effect::Refused(why) = effect { Some(why.clone()) } else { None })
}
