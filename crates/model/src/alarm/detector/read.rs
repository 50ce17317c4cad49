//! From the document to a model.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::{
    Action, DETECTOR_MAX_BYTES, Detector, DetectorError, DetectorState, EVENTS_MAX, Event, Length, STATES_MAX,
    TIMER_MAX_S, VARIABLES_MAX,
};
use crate::expression::{Formula, Guard, Name};

/// What `create-detector-model` takes. Only the definition and the evaluation mean something here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    detector_model_definition: Definition,
    #[serde(default)]
    evaluation_method: Evaluation,
    #[serde(rename = "detectorModelName")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "detectorModelDescription")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "key")]
    _key: Option<IgnoredAny>,
    #[serde(rename = "roleArn")]
    _role: Option<IgnoredAny>,
    #[serde(rename = "tags")]
    _tags: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Evaluation {
    #[default]
    Batch,
    Serial,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    states: Vec<WrittenState>,
    initial_state_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenState {
    state_name: String,
    #[serde(default)]
    on_input: OnInput,
    #[serde(default)]
    on_enter: Events,
    #[serde(default)]
    on_exit: Events,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OnInput {
    #[serde(default)]
    events: Vec<WrittenEvent>,
    #[serde(default)]
    transition_events: Vec<WrittenTransition>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    #[serde(default)]
    events: Vec<WrittenEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenEvent {
    event_name: String,
    condition: Option<String>,
    #[serde(default)]
    actions: Vec<WrittenAction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenTransition {
    event_name: String,
    condition: String,
    #[serde(default)]
    actions: Vec<WrittenAction>,
    next_state: String,
}

/// One of these. What acts outwards is known by name only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenAction {
    set_variable: Option<SetVariable>,
    set_timer: Option<SetTimer>,
    reset_timer: Option<OfTimer>,
    clear_timer: Option<OfTimer>,
    sns: Option<IgnoredAny>,
    iot_topic_publish: Option<IgnoredAny>,
    lambda: Option<IgnoredAny>,
    iot_events: Option<IgnoredAny>,
    sqs: Option<IgnoredAny>,
    firehose: Option<IgnoredAny>,
    #[serde(rename = "dynamoDB")]
    dynamo_db: Option<IgnoredAny>,
    #[serde(rename = "dynamoDBv2")]
    dynamo_db_v2: Option<IgnoredAny>,
    iot_site_wise: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetVariable {
    variable_name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetTimer {
    timer_name: String,
    seconds: Option<u64>,
    duration_expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfTimer {
    timer_name: String,
}

pub(super) fn read(json: &str, alarms: &[&str]) -> Result<Detector, DetectorError> {
    if json.len() > DETECTOR_MAX_BYTES {
        return Err(DetectorError::TooLarge(json.len()));
    }
    // Which of the two it is is asked first, so that a mistake is told of that one, with its line.
    let whole: Json = serde_json::from_str(json)?;
    let (definition, evaluation) = if whole.get("detectorModelDefinition").is_some() {
        let document: Document = serde_json::from_str(json)?;
        (document.detector_model_definition, document.evaluation_method)
    } else {
        (serde_json::from_str(json)?, Evaluation::default())
    };
    let names: Vec<&str> = definition.states.iter().map(|state| state.state_name.as_str()).collect();
    check_states(&names, alarms)?;
    let initial = place_of(&names, &definition.initial_state_name, "initialStateName")?;
    let mut reader = Reader { names: &names, ..Reader::default() };
    let states = definition.states.iter().map(|state| reader.state(state, alarms)).collect::<Result<_, _>>()?;
    let Reader { left_out, .. } = reader;
    let detector = Detector { states, initial, is_serial: evaluation == Evaluation::Serial, left_out };
    check_names(&detector)?;
    Ok(detector)
}

fn wrong<T>(place: impl Into<String>, why: impl Into<String>) -> Result<T, DetectorError> {
    Err(DetectorError::Wrong { place: place.into(), why: why.into() })
}

fn check_states(names: &[&str], alarms: &[&str]) -> Result<(), DetectorError> {
    if names.len() > STATES_MAX {
        return wrong("states", format!("there are {}; at most {STATES_MAX} are read", names.len()));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(**name)) {
        return wrong("states", format!("there are two with the name {twice:?}"));
    }
    if alarms.is_empty() {
        return wrong("alarm states", "name at least one state that is an alarm");
    }
    alarms.iter().try_for_each(|alarm| place_of(names, alarm, "alarm states").map(drop))
}

fn place_of(names: &[&str], name: &str, place: &str) -> Result<usize, DetectorError> {
    match names.iter().position(|known| *known == name) {
        Some(at) => Ok(at),
        None => wrong(place, format!("{name:?} is no state; there are {}", names.join(", "))),
    }
}

/// What conditions look at must be set somewhere: a name that is only misspelt would never be so.
fn check_names(detector: &Detector) -> Result<(), DetectorError> {
    let (mut variables, mut timers) = (BTreeSet::new(), BTreeSet::new());
    for action in detector.events().flat_map(|event| &event.actions) {
        match action {
            Action::SetVariable(name, _) => variables.insert(name.as_str()),
            Action::SetTimer(name, _) => timers.insert(name.as_str()),
            Action::ResetTimer(_) | Action::ClearTimer(_) => false,
        };
    }
    for (what, set) in [("variables", &variables), ("timers", &timers)] {
        if set.len() > VARIABLES_MAX {
            return wrong(what, format!("there are {}; at most {VARIABLES_MAX} are kept", set.len()));
        }
    }
    for needs in detector.needs() {
        for name in needs.names {
            if let Name::Variable(name) = name
                && !variables.contains(name.as_str())
            {
                return wrong(format!("$variable.{name}"), "nothing sets this variable");
            }
        }
        if let Some(timer) = needs.timers.iter().find(|timer| !timers.contains(timer.as_str())) {
            return wrong(format!("timeout({timer:?})"), "nothing sets this timer");
        }
    }
    let mut of_timer = detector.events().flat_map(|event| event.actions.iter().map(move |action| (event, action)));
    let unset = of_timer.find_map(|(event, action)| match action {
        Action::ResetTimer(name) | Action::ClearTimer(name) if !timers.contains(name.as_str()) => Some((event, name)),
        Action::ResetTimer(_) | Action::ClearTimer(_) | Action::SetVariable(..) | Action::SetTimer(..) => None,
    });
    match unset {
        Some((event, name)) => wrong(&event.place, format!("nothing sets the timer {name:?}")),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Reader<'a> {
    names: &'a [&'a str],
    left_out: Vec<String>,
}

impl Reader<'_> {
    fn state(&mut self, state: &WrittenState, alarms: &[&str]) -> Result<DetectorState, DetectorError> {
        let WrittenState { state_name: name, on_input, on_enter, on_exit } = state;
        let transitions = &on_input.transition_events;
        check_length(name, "transitionEvents", transitions.len())?;
        let transitions = transitions.iter().map(|written| {
            let place = format!("state {name}, transition {}", written.event_name);
            let next = place_of(self.names, &written.next_state, &place)?;
            Ok((self.event(place, Some(&written.condition), &written.actions)?, next))
        });
        let transitions = transitions.collect::<Result<_, DetectorError>>()?;
        Ok(DetectorState {
            name: name.clone(),
            is_alarm: alarms.contains(&name.as_str()),
            on_enter: self.events(name, "onEnter", &on_enter.events)?,
            on_input: self.events(name, "onInput", &on_input.events)?,
            transitions,
            on_exit: self.events(name, "onExit", &on_exit.events)?,
        })
    }

    fn events(&mut self, state: &str, list: &str, written: &[WrittenEvent]) -> Result<Vec<Event>, DetectorError> {
        check_length(state, list, written.len())?;
        let event = |written: &WrittenEvent| {
            let place = format!("state {state}, {list}, event {}", written.event_name);
            self.event(place, written.condition.as_deref(), &written.actions)
        };
        written.iter().map(event).collect()
    }

    fn event(
        &mut self,
        place: String,
        condition: Option<&str>,
        actions: &[WrittenAction],
    ) -> Result<Event, DetectorError> {
        check_length(&place, "actions", actions.len())?;
        let mistaken = |text: &str| {
            let (place, text) = (place.clone(), text.to_owned());
            move |mistake| DetectorError::Expression { place, text, mistake }
        };
        let formula = |text: &str| Formula::read(text).map_err(mistaken(text));
        let condition = condition.map(|text| Guard::read(text).map_err(mistaken(text))).transpose()?;
        let mut kept = Vec::new();
        for action in actions {
            let mut found = Vec::new();
            if let Some(SetVariable { variable_name, value }) = &action.set_variable {
                found.push(Action::SetVariable(variable_name.clone(), formula(value)?));
            }
            if let Some(SetTimer { timer_name, seconds, duration_expression }) = &action.set_timer {
                let length = match (seconds, duration_expression) {
                    (Some(seconds @ 1..=TIMER_MAX_S), None) => Length::Seconds(*seconds),
                    (None, Some(text)) => Length::Formula(formula(text)?),
                    _ => {
                        let why = format!("setTimer has either seconds, 1 to {TIMER_MAX_S}, or durationExpression");
                        return wrong(place, why);
                    }
                };
                found.push(Action::SetTimer(timer_name.clone(), length));
            }
            found.extend(action.reset_timer.iter().map(|of| Action::ResetTimer(of.timer_name.clone())));
            found.extend(action.clear_timer.iter().map(|of| Action::ClearTimer(of.timer_name.clone())));
            let outward = outward(action);
            if found.len() + outward.len() != 1 {
                return wrong(place, "each object in actions holds exactly one action");
            }
            self.left_out.extend(outward.iter().map(|what| format!("{place}: {what}")));
            kept.append(&mut found);
        }
        Ok(Event { place, condition, actions: kept })
    }
}

fn check_length(place: &str, list: &str, length: usize) -> Result<(), DetectorError> {
    if length <= EVENTS_MAX {
        Ok(())
    } else {
        wrong(place, format!("{list} has {length}; at most {EVENTS_MAX} are read"))
    }
}

/// What an action does outwards.
fn outward(action: &WrittenAction) -> Vec<&'static str> {
    let all = [
        ("sns", &action.sns),
        ("iotTopicPublish", &action.iot_topic_publish),
        ("lambda", &action.lambda),
        ("iotEvents", &action.iot_events),
        ("sqs", &action.sqs),
        ("firehose", &action.firehose),
        ("dynamoDB", &action.dynamo_db),
        ("dynamoDBv2", &action.dynamo_db_v2),
        ("iotSiteWise", &action.iot_site_wise),
    ];
    all.into_iter().filter(|(_, given)| given.is_some()).map(|(name, _)| name).collect()
}
