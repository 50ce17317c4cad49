use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::expression::Said;
use crate::time::{MonoMs, WallMs};

/// A pump that is in danger above 70 bar, and safe after three readings at or below; it is told of outwards, which is not done here.
const PUMP: &str = r#"{
  "detectorModelName": "pump",
  "key": "pump_id",
  "roleArn": "arn:aws:iam::1:role/r",
  "detectorModelDefinition": {
    "initialStateName": "Normal",
    "states": [
      {
        "stateName": "Normal",
        "onEnter": { "events": [{ "eventName": "begin", "condition": "true", "actions": [
          { "setVariable": { "variableName": "breaches", "value": "0" } }
        ] }] },
        "onInput": { "events": [], "transitionEvents": [
          { "eventName": "Over", "condition": "$input.Pump.sensor.bar > 70", "nextState": "Danger", "actions": [
            { "setVariable": { "variableName": "breaches", "value": "$variable.breaches + 3" } }
          ] }
        ] }
      },
      {
        "stateName": "Danger",
        "onEnter": { "events": [{ "eventName": "tell", "actions": [{ "sns": { "targetArn": "arn:aws:sns:1" } }] }] },
        "onInput": {
          "events": [
            { "eventName": "Still", "condition": "$input.Pump.sensor.bar > 70", "actions": [
              { "setVariable": { "variableName": "breaches", "value": "3" } }
            ] },
            { "eventName": "Fine", "condition": "$input.Pump.sensor.bar <= 70", "actions": [
              { "setVariable": { "variableName": "breaches", "value": "$variable.breaches - 1" } }
            ] }
          ],
          "transitionEvents": [
            { "eventName": "Back", "condition": "$input.Pump.sensor.bar <= 70 && $variable.breaches <= 1",
              "nextState": "Normal", "actions": [] }
          ]
        }
      }
    ]
  }
}"#;

/// Silent for a minute, again each minute; a definition alone.
const HEARTBEAT: &str = r#"{
  "initialStateName": "Alive",
  "states": [
    {
      "stateName": "Alive",
      "onEnter": { "events": [{ "eventName": "wind", "actions": [
        { "setTimer": { "timerName": "beat", "durationExpression": "30 * 2" } },
        { "setVariable": { "variableName": "misses", "value": "0" } }
      ] }] },
      "onInput": {
        "events": [{ "eventName": "beat", "condition": "!timeout(\"beat\")", "actions": [{ "resetTimer": { "timerName": "beat" } }] }],
        "transitionEvents": [{ "eventName": "lost", "condition": "timeout(\"beat\")", "nextState": "Lost" }]
      }
    },
    {
      "stateName": "Lost",
      "onEnter": { "events": [{ "eventName": "wait", "actions": [{ "resetTimer": { "timerName": "beat" } }] }] },
      "onInput": {
        "events": [{ "eventName": "again", "condition": "timeout(\"beat\")", "actions": [
          { "setVariable": { "variableName": "misses", "value": "$variable.misses + 1" } },
          { "resetTimer": { "timerName": "beat" } }
        ] }],
        "transitionEvents": [{ "eventName": "back", "condition": "!timeout(\"beat\")", "nextState": "Alive" }]
      },
      "onExit": { "events": [{ "eventName": "stop", "actions": [{ "clearTimer": { "timerName": "beat" } }] }] }
    }
  ]
}"#;

#[derive(Default)]
struct Saying(BTreeMap<(&'static str, &'static str), Value>);

impl Inputs for Saying {
    fn word(&self, input: &str, pointer: &str) -> Word<'_> {
        let found = self.0.iter().find(|((of, at), _)| *of == input && *at == pointer);
        found.map_or(Word::Never, |(_, value)| Word::Said(Said::from(value)))
    }
}

fn bar(value: Value) -> Saying {
    Saying([(("Pump", "/sensor/bar"), value)].into())
}

fn now(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1_000), mono: MonoMs(s * 1_000) }
}

/// The states a pump goes through with these readings.
fn states(model: &Detector, readings: &[f64]) -> Vec<(String, Judged)> {
    let mut position = Position::default();
    let mut states = Vec::new();
    for (s, reading) in (0..).zip(readings) {
        let step = model.step(position, Happened::Heard(&bar(Value::Number(*reading))), now(s));
        assert_eq!(step.trouble, None);
        position = step.position;
        states.push((position.state.clone().unwrap(), step.judged));
    }
    states
}

#[test]
fn a_model_goes_from_state_to_state_as_its_document_says() {
    let pump = Detector::read(PUMP, &["Danger"]).unwrap();
    let (normal, danger) = (("Normal".to_owned(), Judged::NotSo), ("Danger".to_owned(), Judged::So));
    // The first reading that is heard counts. Three in a row at or below 70 lead back: what an event sets is not known to the
    // conditions beside it.
    let readings = [80.0, 60.0, 75.0, 70.0, 60.0, 50.0, 50.0, 90.0];
    let want = [&danger, &danger, &danger, &danger, &danger, &normal, &normal, &danger].map(Clone::clone);
    assert_eq!(states(&pump, &readings), want);
    // One after the other what is set is known at once, and two are enough.
    let serial = PUMP.replace("\"key\": \"pump_id\"", "\"evaluationMethod\": \"SERIAL\"");
    let serial = Detector::read(&serial, &["Danger"]).unwrap();
    let want = [&danger, &danger, &danger, &danger, &normal, &normal, &normal, &danger].map(Clone::clone);
    assert_eq!(states(&serial, &readings), want);
}

#[test]
fn what_is_left_out_and_what_is_looked_at_is_told() {
    let pump = Detector::read(PUMP, &["Danger"]).unwrap();
    assert_eq!(pump.left_out(), ["state Danger, onEnter, event tell: sns"]);
    assert_eq!(pump.inputs(), [("Pump", "/sensor/bar")]);
    let heartbeat = Detector::read(HEARTBEAT, &["Lost"]).unwrap();
    assert!(heartbeat.left_out().is_empty() && heartbeat.inputs().is_empty());
}

#[test]
fn what_cannot_be_worked_out_is_not_so_and_is_told_of_unless_it_is_only_missing() {
    let pump = Detector::read(PUMP, &["Danger"]).unwrap();
    let step = pump.step(Position::default(), Happened::Heard(&bar(Value::Text("much".into()))), now(0));
    let want = "state Normal, transition Over: $input.Pump.sensor.bar is of another type than the rule needs";
    assert_eq!((step.judged, step.trouble.as_deref()), (Judged::NotSo, Some(want)));
    let step = pump.step(Position::default(), Happened::Heard(&Saying::default()), now(0));
    assert_eq!((step.judged, step.trouble), (Judged::NotSo, None));
}

/// What happens to a heartbeat at a second.
enum At {
    Beats,
    Waits,
    LinkLost,
    Restarted,
}
use At::{Beats, LinkLost, Restarted, Waits};

#[test]
fn timers_count_while_we_listen() {
    let heartbeat = Detector::read(HEARTBEAT, &["Lost"]).unwrap();
    for (name, story, want) in [
        ("nothing was ever heard", vec![(500, Waits)], (None, 0.0, None)),
        ("it beats", vec![(0, Beats), (50, Beats), (100, Waits)], (Some("Alive"), 0.0, Some(10))),
        ("it does not", vec![(0, Beats), (59, Waits), (60, Waits)], (Some("Lost"), 0.0, Some(60))),
        (
            "each minute once",
            vec![(0, Beats), (60, Waits), (61, Waits), (120, Waits), (121, Waits), (180, Waits)],
            (Some("Lost"), 2.0, Some(60)),
        ),
        ("it is back", vec![(0, Beats), (60, Waits), (70, Beats)], (Some("Alive"), 0.0, Some(60))),
        ("nobody listens", vec![(0, Beats), (30, LinkLost), (500, Waits)], (Some("Alive"), 0.0, None)),
        ("a restart", vec![(0, Beats), (30, Waits), (30, Restarted), (500, Waits)], (Some("Alive"), 0.0, None)),
    ] {
        let mut position = Position::default();
        let mut at = 0;
        for (s, happens) in story {
            at = s;
            let nothing = Saying::default();
            position = match happens {
                Beats => heartbeat.step(position, Happened::Heard(&nothing), now(s)),
                Waits => heartbeat.step(position, Happened::TimePassed(&nothing), now(s)),
                LinkLost => heartbeat.step(position, Happened::<Saying>::LinkLost, now(s)),
                Restarted => {
                    let read = serde_json::from_str(&serde_json::to_string(&position).unwrap()).unwrap();
                    heartbeat.step(read, Happened::<Saying>::LinkLost, now(s))
                }
            }
            .position;
        }
        let misses = position.variables.get("misses").and_then(Value::as_number).unwrap_or(0.0);
        let due_s = position.due_in_ms(now(at)).map(|ms| ms / 1_000);
        assert_eq!((position.state.as_deref(), misses, due_s), want, "{name}");
    }
}

#[test]
fn a_timer_whose_length_is_worked_out_runs_for_whole_seconds() {
    for (length, want_ms) in [("30 * 2", Some(60_000)), ("60.9", Some(60_000)), ("1.5", Some(1_000)), ("0.9", None)] {
        let heartbeat = Detector::read(&HEARTBEAT.replace("30 * 2", length), &["Lost"]).unwrap();
        let step = heartbeat.step(Position::default(), Happened::Heard(&Saying::default()), now(0));
        assert_eq!(step.position.due_in_ms(now(0)), want_ms, "{length}");
    }
}

#[test]
fn a_state_that_the_model_has_no_more_begins_anew() {
    let pump = Detector::read(PUMP, &["Danger"]).unwrap();
    let gone = Position { state: Some("Gone".into()), ..Position::default() };
    let waited = pump.step(gone.clone(), Happened::TimePassed(&Saying::default()), now(0));
    assert_eq!((waited.judged, waited.position), (Judged::Unheard, gone.clone()));
    let heard = pump.step(gone, Happened::Heard(&bar(Value::Number(90.0))), now(0));
    assert_eq!((heard.judged, heard.position.state.as_deref()), (Judged::So, Some("Danger")));
}

#[test]
fn every_mistake_in_a_document_is_told_with_its_place() {
    for (given, instead, want) in [
        ("\"stateName\": \"Danger\"", "\"stateName\": \"Normal\"", "states: there are two with the name \"Normal\""),
        ("\"stateName\": \"Danger\"", "\"stateName\": \"Danger\", \"onFoo\": {}", "unknown field `onFoo`"),
        (
            "\"initialStateName\": \"Normal\"",
            "\"initialStateName\": \"Start\"",
            "\"Start\" is no state; there are Normal, Danger",
        ),
        (
            "\"nextState\": \"Danger\"",
            "\"nextState\": \"Dnager\"",
            "state Normal, transition Over: \"Dnager\" is no state",
        ),
        (
            "bar > 70\", \"nextState\"",
            "bar >\", \"nextState\"",
            "state Normal, transition Over: column 25: expected a value",
        ),
        ("\"$variable.breaches + 3\"", "\"breaches + 3\"", "write $input.NAME.path or $variable.name"),
        ("\"$variable.breaches + 3\"", "\"$variable.braeches + 3\"", "$variable.braeches: nothing sets this variable"),
        ("\"true\"", "\"avg(x, 5m) > 1\"", "avg is not understood in a detector model"),
        ("\"true\"", "\"currentInput('Pump')\"", "currentInput is not understood in a detector model"),
        (
            "\"true\"",
            "\"silent\"",
            "state Normal, onEnter, event begin: column 1: silent is not understood in a detector model",
        ),
        ("\"true\"", "\"true && not_converged\"", "column 9: not_converged is not understood in a detector model"),
        ("\"true\"", "\"command_failed\"", "command_failed is not understood in a detector model"),
        ("\"true\"", "\"timeout('t')\"", "timeout(\"t\"): nothing sets this timer"),
        ("{ \"sns\":", "{ \"fax\": 1, \"sns\":", "unknown field `fax`"),
        (
            "{ \"sns\":",
            "{ \"lambda\": {}, \"sns\":",
            "state Danger, onEnter, event tell: each object in actions holds exactly one",
        ),
        ("{ \"sns\": { \"targetArn\": \"arn:aws:sns:1\" } }", "{}", "holds exactly one action"),
        (
            "{ \"sns\": { \"targetArn\": \"arn:aws:sns:1\" } }",
            "{ \"clearTimer\": { \"timerName\": \"t\" } }",
            "nothing sets the timer \"t\"",
        ),
        (
            "{ \"sns\": { \"targetArn\": \"arn:aws:sns:1\" } }",
            "{ \"setTimer\": { \"timerName\": \"t\", \"seconds\": 0 } }",
            "setTimer has either seconds, 1 to 31622400, or durationExpression",
        ),
        ("\"key\": \"pump_id\"", "\"evaluationMethod\": \"LATER\"", "unknown variant `LATER`"),
        ("\"key\": \"pump_id\"", "\"key\": ", "line 3 column 10"),
    ] {
        let text = PUMP.replacen(given, instead, 1);
        assert_ne!(text, PUMP, "{given}");
        let error = Detector::read(&text, &["Danger"]).unwrap_err().to_string();
        assert!(error.contains(want), "{instead}: {error}");
    }
    for (alarms, want) in [(&["Danger", "Panic"][..], "\"Panic\" is no state"), (&[], "at least one state")] {
        let error = Detector::read(PUMP, alarms).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    let large = format!("{PUMP}{}", " ".repeat(DETECTOR_MAX_BYTES));
    assert!(matches!(Detector::read(&large, &["Danger"]), Err(DetectorError::TooLarge(_))));
    let state = |n: usize| format!("{{\"stateName\": \"s{n}\"}}");
    let many = (0..=STATES_MAX).map(state).collect::<Vec<_>>().join(",");
    let many = format!("{{\"initialStateName\": \"s0\", \"states\": [{many}]}}");
    assert!(Detector::read(&many, &["s0"]).unwrap_err().to_string().contains("33; at most 32"));
}

proptest! {
    /// Whatever is said, when, and wherever we restart: a thing is in one state of its model, and goes on as if nothing was.
    #[test]
    fn a_restart_is_a_lost_link(
        story in prop::collection::vec((1u64..90, 0u8..5, 0.0..100.0f64), 1..40),
        restart in 0usize..40,
    ) {
        for model in [Detector::read(PUMP, &["Danger"]).unwrap(), Detector::read(HEARTBEAT, &["Lost"]).unwrap()] {
            let (mut kept, mut read, mut s) = (Position::default(), Position::default(), 0);
            let mut restarted_s = None;
            for (nth, (after, what, value)) in story.iter().enumerate() {
                s += after;
                // The monotonic clock of another process begins anew.
                let other_now = |s: u64| Now { mono: MonoMs(restarted_s.map_or(s * 1_000, |at| 7 + (s - at) * 1_000)), ..now(s) };
                let said = bar(Value::Number(*value));
                let happened = || match what {
                    0 => Happened::LinkLost,
                    1 => Happened::TimePassed(&said),
                    2 => Happened::WentOn(&said),
                    _ => Happened::Heard(&said),
                };
                let (one, other) = (model.step(kept, happened(), now(s)), model.step(read, happened(), other_now(s)));
                let written = |step: &Step| serde_json::to_string(&step.position).unwrap();
                prop_assert_eq!(written(&one), written(&other));
                prop_assert_eq!((one.judged, &one.trouble), (other.judged, &other.trouble));
                prop_assert_eq!(one.position.due_in_ms(now(s)), other.position.due_in_ms(other_now(s)));
                let judged = match one.position.state.as_deref() {
                    Some("Danger" | "Lost") => Judged::So,
                    Some(_) => Judged::NotSo,
                    None => Judged::Unheard,
                };
                prop_assert!(one.judged == judged || one.judged == Judged::Unheard && *what < 2);
                (kept, read) = (one.position, other.position);
                if nth == restart {
                    read = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
                    kept = model.step(kept, Happened::<Saying>::LinkLost, now(s)).position;
                    restarted_s = Some(s);
                    read = model.step(read, Happened::<Saying>::LinkLost, Now { mono: MonoMs(7), ..now(s) }).position;
                }
            }
        }
    }

    /// A document with anything in it is a model or a mistake.
    #[test]
    fn no_document_breaks_anything(at in 0usize..2_000, with in ".{0,6}", cut in 0usize..20) {
        let text: String = PUMP.chars().take(at).chain(with.chars()).chain(PUMP.chars().skip(at + cut)).collect();
        if let Err(error) = Detector::read(&text, &["Danger"]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn only_what_is_worth_writing_down_is_news() {
    let heartbeat = Detector::read(HEARTBEAT, &["Lost"]).unwrap();
    let quiet =
        Detector::read(&HEARTBEAT.replacen("{ \"resetTimer\": { \"timerName\": \"beat\" } }", "", 1), &["Lost"])
            .unwrap();
    let nothing = Saying::default();
    for (model, resets) in [(&heartbeat, true), (&quiet, false)] {
        let entered = model.step(Position::default(), Happened::Heard(&nothing), now(0));
        assert!(entered.is_news, "its first state");
        let beats = model.step(entered.position, Happened::Heard(&nothing), now(10));
        assert_eq!(beats.is_news, resets, "a timer that only runs on is none");
        let waits = model.step(beats.position, Happened::TimePassed(&nothing), now(20));
        assert!(!waits.is_news);
        let lost = model.step(waits.position, Happened::<Saying>::LinkLost, now(30));
        assert!(lost.is_news, "its timers stand still");
        let lost = model.step(lost.position, Happened::<Saying>::LinkLost, now(31));
        assert!(!lost.is_news);
        assert!(model.step(lost.position, Happened::Heard(&nothing), now(40)).is_news, "they run again");
    }
}

#[test]
fn after_a_restart_a_timer_has_run_for_as_long_as_we_listened() {
    let heartbeat = Detector::read(&HEARTBEAT.replacen("!timeout", "1 > 2 && !timeout", 1), &["Lost"]).unwrap();
    let nothing = Saying::default();
    let written = heartbeat.step(Position::default(), Happened::Heard(&nothing), now(0)).position;
    let read = |ran_s: u64| {
        let read: Position = serde_json::from_str(&serde_json::to_string(&written).unwrap()).unwrap();
        let read = read.ran_on(ran_s * 1_000);
        assert_eq!(read.due_in_ms(now(0)), None, "it stands still until the thing speaks");
        heartbeat.step(read, Happened::Heard(&nothing), Now { mono: MonoMs(7), ..now(900) })
    };
    for (ran_s, left_ms) in [(0, 60_000), (40, 20_000), (59, 1_000), (60, 1), (9_000, 1)] {
        let step = read(ran_s);
        assert_eq!(
            (step.judged, step.position.due_in_ms(Now { mono: MonoMs(7), ..now(900) })),
            (Judged::NotSo, Some(left_ms))
        );
    }
}
