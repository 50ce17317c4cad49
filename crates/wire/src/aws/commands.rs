//! Commands of AWS IoT: `$aws/commands/{things|clients}/{id}/executions/{execution}/{request|response}[/json]`, and what the
//! service tells of them, `$aws/events/commandExecution/{command}/{status}`.

use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use super::{EVENT_MAX_BYTES, moment, object, optional_word, thing_of, word};
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::{WireError, json};

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandOutcome {
    /// The service has it.
    Created,
    /// The device is at it.
    InProgress,
    /// The device did it.
    Succeeded,
    /// The device could not.
    Failed,
    /// The device would not.
    Rejected,
    /// The device did not answer in time; it still may.
    TimedOut,
}

const OUTCOMES: [(&str, CommandOutcome); 6] = [
    ("CREATED", CommandOutcome::Created),
    ("IN_PROGRESS", CommandOutcome::InProgress),
    ("SUCCEEDED", CommandOutcome::Succeeded),
    ("FAILED", CommandOutcome::Failed),
    ("REJECTED", CommandOutcome::Rejected),
    ("TIMED_OUT", CommandOutcome::TimedOut),
];

/// Whose command it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandSubject {
    /// A registered thing.
    Thing(String),
    /// A client that is none.
    Client(String),
}

/// What a message about a command says.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandTold {
    /// A device is asked.
    Requested {
        /// Whose.
        subject: CommandSubject,
        /// Which execution.
        execution: String,
        /// What is wanted: JSON that the command's author chose.
        wants: Json,
    },
    /// A device, or the service on its behalf, says what became of it.
    Answered {
        /// Whose.
        subject: CommandSubject,
        /// Which execution.
        execution: String,
        /// What became of it.
        outcome: CommandOutcome,
        /// Why, as a code for programs and a sentence for people; empty where nobody said.
        reason: (String, String),
        /// When, where the service says it.
        at: Option<WallMs>,
    },
}

/// Reads a message about a command. Those in CBOR or of another type are refused: their bytes are their author's.
pub fn decode_command(topic: &str, payload: &[u8]) -> Result<CommandTold, WireError> {
    let foreign = || WireError::NotAnEvent { topic: quote(topic, QUOTE_MAX_CHARS) };
    if let Some(rest) = topic.strip_prefix("$aws/events/commandExecution/") {
        let (command, status) = rest.split_once('/').ok_or_else(foreign)?;
        let named = OUTCOMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(status));
        let (_, outcome) = named.filter(|_| !command.is_empty()).ok_or_else(foreign)?;
        return event(*outcome, payload);
    }
    let rest = topic.strip_prefix("$aws/commands/").ok_or_else(foreign)?;
    let levels: Vec<&str> = rest.splitn(7, '/').collect();
    let [kind, id, "executions", execution, direction, "json"] = levels.as_slice() else { return Err(foreign()) };
    if id.is_empty() || execution.is_empty() {
        return Err(foreign());
    }
    let subject = match *kind {
        "things" => CommandSubject::Thing((*id).to_owned()),
        "clients" => CommandSubject::Client((*id).to_owned()),
        _ => return Err(foreign()),
    };
    let execution = (*execution).to_owned();
    match *direction {
        "request" => {
            let wants = json::document(payload, EVENT_MAX_BYTES, super::NESTING_MAX)?;
            Ok(CommandTold::Requested { subject, execution, wants })
        }
        "response" => {
            let answer = object(payload)?;
            let outcome = outcome(&word(&answer, "status")?)?;
            Ok(CommandTold::Answered { subject, execution, outcome, reason: reason(&answer)?, at: None })
        }
        _ => Err(foreign()),
    }
}

/// What the service tells of a command.
fn event(named: CommandOutcome, payload: &[u8]) -> Result<CommandTold, WireError> {
    let event = object(payload)?;
    let status = word(&event, "status")?;
    let outcome = outcome(&status)?;
    if outcome != named {
        return Err(json::wrong("status", &Json::from(status), "that of its topic"));
    }
    let target = word(&event, "targetArn")?;
    let client = || target.rsplit_once(":client/").map(|(_, id)| id).filter(|id| !id.is_empty());
    let subject = match (thing_of(&target), client()) {
        (Some(thing), _) => CommandSubject::Thing(thing.to_owned()),
        (None, Some(id)) => CommandSubject::Client(id.to_owned()),
        (None, None) => {
            return Err(json::wrong("targetArn", &Json::from(target.as_str()), "that of a thing or a client"));
        }
    };
    let (execution, at) = (word(&event, "executionId")?, moment(&event, "timestamp")?);
    Ok(CommandTold::Answered { subject, execution, outcome, reason: reason(&event)?, at })
}

fn outcome(status: &str) -> Result<CommandOutcome, WireError> {
    let known = OUTCOMES.iter().find(|(known, _)| *known == status);
    known.map(|(_, outcome)| *outcome).ok_or_else(|| {
        let wanted = "CREATED, IN_PROGRESS, SUCCEEDED, FAILED, REJECTED or TIMED_OUT";
        json::wrong("status", &Json::from(status), wanted)
    })
}

fn reason(answer: &fleetlens_model::shadow::Object) -> Result<(String, String), WireError> {
    match answer.get("statusReason").filter(|value| !value.is_null()) {
        None => Ok(Default::default()),
        Some(Json::Object(reason)) => Ok((
            optional_word(reason, "reasonCode")?.unwrap_or_default(),
            optional_word(reason, "reasonDescription")?.unwrap_or_default(),
        )),
        Some(other) => Err(json::wrong("statusReason", other, "an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const REQUEST: &str = "$aws/commands/things/lamp-1/executions/e-1/request/json";
    const RESPONSE: &str = "$aws/commands/things/lamp-1/executions/e-1/response/json";

    #[test]
    fn a_command_and_its_answers_are_read() {
        let thing = || CommandSubject::Thing("lamp-1".into());
        let answered = |outcome, reason: (&str, &str), at_ms: Option<i64>| CommandTold::Answered {
            subject: thing(),
            execution: "e-1".into(),
            outcome,
            reason: (reason.0.into(), reason.1.into()),
            at: at_ms.map(WallMs),
        };
        let event = r#"{"executionId":"e-1","status":"TIMED_OUT","statusReason":{"reasonCode":"$NO_RESPONSE","reasonDescription":""},
            "eventType":"COMMAND_EXECUTION","commandArn":"arn:aws:iot:r:1:command/c-1",
            "targetArn":"arn:aws:iot:r:1:thing/lamp-1","timestamp":1717708862107}"#;
        for (topic, payload, want) in [
            (
                REQUEST,
                r#"{"dim":40}"#,
                CommandTold::Requested { subject: thing(), execution: "e-1".into(), wants: json!({"dim": 40}) },
            ),
            (RESPONSE, r#"{"status":"IN_PROGRESS"}"#, answered(CommandOutcome::InProgress, ("", ""), None)),
            (
                RESPONSE,
                r#"{"status":"FAILED","statusReason":{"reasonCode":"JAMMED","reasonDescription":"a branch"},"result":{"a":{"b":true}}}"#,
                answered(CommandOutcome::Failed, ("JAMMED", "a branch"), None),
            ),
            (
                "$aws/events/commandExecution/c-1/TIMED_OUT",
                event,
                answered(CommandOutcome::TimedOut, ("$NO_RESPONSE", ""), Some(1_717_708_862_107)),
            ),
        ] {
            assert_eq!(decode_command(topic, payload.as_bytes()), Ok(want), "{topic}");
        }
        let client = decode_command("$aws/commands/clients/c/executions/e/request/json", b"7").unwrap();
        assert!(matches!(client, CommandTold::Requested { subject: CommandSubject::Client(id), .. } if id == "c"));
    }

    #[test]
    fn what_is_no_command_is_refused_with_the_reason() {
        let event = "$aws/events/commandExecution/c-1/FAILED";
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        for (topic, payload, says) in [
            ("$aws/commands/things/a/executions/e/request/cbor", "{}", "none of the events that are read"),
            ("$aws/commands/things/a/executions/e/request", "{}", "none of the events that are read"),
            ("$aws/commands/things/a/executions/e/response/accepted/json", "{}", "none of the events that are read"),
            ("$aws/commands/things//executions/e/request/json", "{}", "none of the events that are read"),
            ("$aws/events/commandExecution/c-1/DONE", "{}", "none of the events that are read"),
            (REQUEST, "", "not JSON"),
            (REQUEST, deep.as_str(), "deeper than 32"),
            (RESPONSE, "{}", "\"status\" is missing"),
            (RESPONSE, r#"{"status":"DONE"}"#, "IN_PROGRESS, SUCCEEDED, FAILED"),
            (RESPONSE, r#"{"status":"FAILED","statusReason":"jammed"}"#, "\"statusReason\" is \"jammed\""),
            (event, r#"{"status":"SUCCEEDED"}"#, "that of its topic"),
            (event, r#"{"status":"FAILED","targetArn":"lamp-1"}"#, "that of a thing or a client"),
            (event, r#"{"status":"FAILED","targetArn":"arn:aws:iot:r:1:thing/a"}"#, "\"executionId\" is missing"),
        ] {
            let error = decode_command(topic, payload.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{topic} {payload:.60}: {error}");
        }
    }
}
