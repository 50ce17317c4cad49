//! Rules and detector models: texts that people write, or take from others with a profile.

use fleetlens_model::alarm::detector::{DETECTOR_MAX_BYTES, Detector, Happened, Inputs, Position};
use fleetlens_model::alarm::state::{Input, State, Terms};
use fleetlens_model::expression::{Expression, Facts, NAMES_MAX, Said, Word};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::{MonoMs, Now, WallMs};

use crate::NOW;

/// What the names of an expression say, one after the other.
const SAID: [Said<'static>; 4] =
    [Said::Number(f64::MAX), Said::Number(-0.0), Said::Flag(true), Said::Text(std::borrow::Cow::Borrowed("x"))];

/// Steps of a model; more say nothing new.
const STEPS: u64 = 16;

struct Anything;

impl Facts for Anything {
    fn word(&self, nth: usize) -> Word<'_> {
        SAID.get(nth % (SAID.len() + 1)).map_or(Word::Never, |said| Word::Said(said.clone()))
    }
}

impl Inputs for Anything {
    fn word(&self, input: &str, pointer: &str) -> Word<'_> {
        Facts::word(self, input.len() + pointer.len())
    }
}

fn after(ms: u64) -> Now {
    Now { wall: WallMs(NOW.0 + ms as i64), mono: MonoMs(ms) }
}

/// A rule's condition.
pub fn expression(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let expression = match Expression::read(&text) {
        Ok(expression) => expression,
        Err(mistake) => {
            let line = text.split('\n').nth(mistake.line - 1).expect("a mistake lies in the text");
            assert!((1..=line.chars().count() + 1).contains(&mistake.column), "{mistake} in {text:?}");
            assert!(!mistake.why.is_empty() && mistake.picture(&text).ends_with('^'));
            return;
        }
    };
    let needs = expression.needs();
    assert!(needs.names.len() <= NAMES_MAX && needs.usual.iter().all(|nth| *nth < needs.names.len()));
    let mut memory = expression.memory(after(0));
    let (mut state, terms) = (State::default(), Terms { on_delay_ms: 60_000, ..Terms::default() });
    for (nth, ms) in [0, 1, 400_000, 86_400_000, 86_400_001].into_iter().enumerate() {
        for name in 0..needs.names.len() {
            expression.hear(&mut memory, name, &Value::Number(nth as f64 * 1e300), after(ms).wall, after(ms));
        }
        let so = expression.is_so(&memory, &Anything, state.deadband(1.0), after(ms));
        if let Err(unknown) = so {
            assert!(!expression.why(unknown).is_empty());
        }
        assert!(!expression.sentence(&memory, &Anything, &[], 0, after(ms)).is_empty());
        (state, _) = state.step(Input::Judged(so.into()), &terms, after(ms));
        expression.missed(&mut memory, ms / 1_000, after(ms));
    }
}

/// A detector model's document.
pub fn detector(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // Which states are alarms is said elsewhere; the first that is named will do.
    let mut names = text.split("\"stateName\"").skip(1).filter_map(|rest| rest.split('"').nth(1));
    let detector = match Detector::read(&text, &[names.next().unwrap_or("Alarm")]) {
        Ok(detector) => detector,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(text.len() <= DETECTOR_MAX_BYTES);
    let mut position = Position::default();
    for step in 0..STEPS {
        let now = after(step * 45_000);
        let happened = match step % 5 {
            0 | 1 => Happened::Heard(&Anything),
            2 => Happened::TimePassed(&Anything),
            3 => Happened::WentOn(&Anything),
            _ => Happened::LinkLost,
        };
        position = detector.step(position, happened, now).position;
        let written = serde_json::to_string(&position).expect("a position can be written down");
        serde_json::from_str::<Position>(&written).expect("and read again");
    }
}
