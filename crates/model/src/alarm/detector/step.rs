//! What happens in a model when its thing says something, or a timer runs out.

use super::{Action, Detector, DetectorState, Event, Happened, Inputs, Length, Position, Step, TIMER_MAX_S, Timer};
use crate::alarm::state::Judged;
use crate::expression::{Facts, Formula, Name, Needs, Unknown, Word};
use crate::telemetry::{TEXT_MAX_BYTES, Value};
use crate::time::Now;

pub(super) fn step<I: Inputs>(
    detector: &Detector,
    mut position: Position,
    happened: Happened<'_, I>,
    now: Now,
) -> Step {
    position.timers.values_mut().for_each(|timer| timer.watch.gather(now.mono));
    let (inputs, is_heard, runs) = match happened {
        Happened::Heard(inputs) => (inputs, true, true),
        Happened::WentOn(inputs) => (inputs, false, true),
        Happened::TimePassed(inputs) => (inputs, false, false),
        Happened::LinkLost => {
            let is_news = position.timers.values().any(|timer| timer.watch.is_running());
            position.timers.values_mut().for_each(|timer| timer.watch.stand_still(now.mono));
            return Step { position, judged: Judged::Unheard, trouble: None, is_news };
        }
    };
    let mut is_news = false;
    if runs {
        // What was written down while they stood still says that they do.
        is_news = position.timers.values().any(|timer| !timer.watch.is_running());
        position.timers.values_mut().for_each(|timer| timer.watch.run(now.mono));
    }
    let mut over = Vec::new();
    for (name, timer) in &mut position.timers {
        if timer.left_ms(now) == Some(0) {
            timer.is_over = true;
            over.push(name.clone());
        }
    }
    is_news |= !over.is_empty();
    let mut run = Run { detector, position, inputs, over, now, trouble: None, is_news };
    if is_heard || !run.over.is_empty() {
        run.look(is_heard);
    }
    let judged = match run.state() {
        Some(state) if state.is_alarm => Judged::So,
        Some(_) => Judged::NotSo,
        None => Judged::Unheard,
    };
    // Time alone tells nothing new of a thing that has not spoken since we listen again.
    let judged = if runs || !run.over.is_empty() { judged } else { Judged::Unheard };
    Step { position: run.position, judged, trouble: run.trouble, is_news: run.is_news }
}

/// One look.
struct Run<'a, I> {
    detector: &'a Detector,
    position: Position,
    inputs: &'a I,
    /// Timers that ran out just now.
    over: Vec<String>,
    now: Now,
    trouble: Option<String>,
    is_news: bool,
}

impl<'a, I: Inputs> Run<'a, I> {
    /// The state it is in; one that the model does not have any more is none.
    fn state(&self) -> Option<&'a DetectorState> {
        let name = self.position.state.as_ref()?;
        self.detector.states.iter().find(|state| state.name == *name)
    }

    fn look(&mut self, is_heard: bool) {
        if self.state().is_none() && is_heard {
            self.position = Position::default();
            self.enter(self.detector.initial);
        }
        let Some(state) = self.state() else { return };
        let next = if self.detector.is_serial {
            self.perform(&state.on_input);
            state.transitions.iter().find(|(event, _)| self.is_so(event))
        } else {
            // What is set by an event is not known to the conditions beside it.
            let next = state.transitions.iter().find(|(event, _)| self.is_so(event));
            self.perform(&state.on_input);
            next
        };
        if let Some((event, next)) = next {
            self.act(event);
            self.perform(&state.on_exit);
            self.enter(*next);
        }
    }

    fn enter(&mut self, nth: usize) {
        let Some(state) = self.detector.states.get(nth) else { return };
        self.position.state = Some(state.name.clone());
        self.is_news = true;
        self.perform(&state.on_enter);
    }

    /// A list of events: each as it comes, or all conditions first.
    fn perform(&mut self, events: &'a [Event]) {
        if self.detector.is_serial {
            for event in events {
                if self.is_so(event) {
                    self.act(event);
                }
            }
            return;
        }
        let so: Vec<&Event> = events.iter().filter(|event| self.is_so(event)).collect();
        for event in so {
            self.act(event);
        }
    }

    fn is_so(&mut self, event: &Event) -> bool {
        let Some(condition) = &event.condition else { return true };
        let facts = self.facts(condition.needs());
        match condition.is_so(&facts, self.now) {
            Ok(so) => so,
            Err(unknown) => {
                // What an input does not hold is no mistake: conditions ask for inputs of other kinds.
                if !matches!(unknown, Unknown::NoData(_) | Unknown::NoPlace | Unknown::Unheard) {
                    self.troubled(event, &condition.why(unknown));
                }
                false
            }
        }
    }

    fn facts<'b>(&'b self, needs: Needs<'b>) -> Known<'b, I> {
        Known { needs, inputs: self.inputs, position: &self.position, over: &self.over }
    }

    fn troubled(&mut self, event: &Event, why: &str) {
        self.trouble.get_or_insert_with(|| format!("{}: {why}", event.place));
    }

    fn value(&self, formula: &Formula) -> Result<Value, String> {
        formula.value(&self.facts(formula.needs()), self.now).map_err(|unknown| formula.why(unknown))
    }

    fn act(&mut self, event: &Event) {
        for action in &event.actions {
            let done = match action {
                Action::SetVariable(name, formula) => self.value(formula).and_then(|value| match &value {
                    Value::Text(text) if text.len() > TEXT_MAX_BYTES => Err(format!("{name} would be too long")),
                    Value::Text(_) | Value::Number(_) | Value::Flag(_) => {
                        let before = self.position.variables.insert(name.clone(), value);
                        self.is_news |= before.as_ref() != self.position.variables.get(name);
                        Ok(())
                    }
                }),
                Action::SetTimer(name, length) => self.length_ms(length).map(|length_ms| {
                    self.position.timers.insert(name.clone(), Timer::begun(length_ms, self.now));
                    self.is_news = true;
                }),
                Action::ResetTimer(name) => {
                    if let Some(timer) = self.position.timers.get_mut(name) {
                        *timer = Timer::begun(timer.length_ms, self.now);
                        self.is_news = true;
                    }
                    Ok(())
                }
                Action::ClearTimer(name) => {
                    self.is_news |= self.position.timers.remove(name).is_some();
                    Ok(())
                }
            };
            if let Err(why) = done {
                self.troubled(event, &why);
            }
        }
    }

    fn length_ms(&self, length: &Length) -> Result<u64, String> {
        match length {
            Length::Seconds(seconds) => Ok(seconds.saturating_mul(1_000)),
            Length::Formula(formula) => match self.value(formula)? {
                Value::Number(seconds) if (1.0..=TIMER_MAX_S as f64).contains(&seconds) => {
                    // Rounded down to whole seconds, as there.
                    Ok(seconds.floor() as u64 * 1_000)
                }
                Value::Number(_) | Value::Flag(_) | Value::Text(_) => {
                    Err(format!("a timer runs for 1 to {TIMER_MAX_S} seconds"))
                }
            },
        }
    }
}

/// What the expressions of a model are judged against.
struct Known<'a, I> {
    needs: Needs<'a>,
    inputs: &'a I,
    position: &'a Position,
    over: &'a [String],
}

impl<I: Inputs> Facts for Known<'_, I> {
    fn word(&self, nth: usize) -> Word<'_> {
        match self.needs.names.get(nth) {
            Some(Name::Input(input, pointer)) => self.inputs.word(input, pointer),
            Some(Name::Variable(name)) => {
                self.position.variables.get(name).map_or(Word::Never, |value| Word::Said(value.into()))
            }
            Some(Name::Value(_) | Name::Level) | None => Word::Never,
        }
    }

    fn timed_out(&self, nth: usize) -> bool {
        self.needs.timers.get(nth).is_some_and(|timer| self.over.contains(timer))
    }
}
