//! A rule whose condition is a state machine: the document, and which of its states are alarms.

use serde::{Deserialize, Serialize};

use super::detector::{Detector, DetectorError, Position};
use crate::telemetry::Value;

/// A detector model as the condition of a rule. On the wire and on the disk it is its document and the names of the states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Detected {
    written: Written,
    detector: Detector,
    pointers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Written {
    document: String,
    states: Vec<String>,
}

impl Detected {
    /// Reads a document; `states` names those that are alarms, at least one.
    pub fn read(document: &str, states: &[String]) -> Result<Detected, DetectorError> {
        Detected::try_from(Written { document: document.to_owned(), states: states.to_owned() })
    }

    /// The model.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// The document as it was written.
    pub fn document(&self) -> &str {
        &self.written.document
    }

    /// The states that are alarms.
    pub fn states(&self) -> &[String] {
        &self.written.states
    }

    /// Values that it looks at, as JSON pointers, sorted and each once. A thing is one input here, whatever the document calls it.
    pub fn pointers(&self) -> &[String] {
        &self.pointers
    }

    /// What was seen, for people: `Overheated: temp 82 °C, breaches 3`. `said` are the values that it looks at, in words.
    pub fn sentence(&self, position: &Position, said: impl IntoIterator<Item = String>) -> String {
        let variables = position.variables.iter().map(|(name, value)| match value {
            Value::Number(number) => format!("{name} {number:.*}", usize::from(value.decimals())),
            Value::Flag(flag) => format!("{name} {}", if *flag { "yes" } else { "no" }),
            Value::Text(text) => format!("{name} {text}"),
        });
        let seen: Vec<String> = said.into_iter().chain(variables).collect();
        let state = position.state.as_deref().unwrap_or("no state");
        if seen.is_empty() { state.to_owned() } else { format!("{state}: {}", seen.join(", ")) }
    }
}

impl TryFrom<Written> for Detected {
    type Error = DetectorError;

    fn try_from(written: Written) -> Result<Detected, DetectorError> {
        let states: Vec<&str> = written.states.iter().map(String::as_str).collect();
        let detector = Detector::read(&written.document, &states)?;
        let mut pointers: Vec<String> = detector.inputs().iter().map(|(_, pointer)| (*pointer).to_owned()).collect();
        pointers.sort_unstable();
        pointers.dedup();
        Ok(Detected { written, detector, pointers })
    }
}

impl From<Detected> for Written {
    fn from(detected: Detected) -> Written {
        detected.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
      "initialStateName": "Fine",
      "states": [
        { "stateName": "Fine", "onInput": { "transitionEvents": [
          { "eventName": "hot", "condition": "$input.Pump.temp_c > 80 && $input.Motor.temp_c > 1", "nextState": "Hot" }
        ] } },
        { "stateName": "Hot" }
      ]
    }"#;

    #[test]
    fn it_is_written_as_its_document_and_read_again() {
        let detected = Detected::read(DOCUMENT, &["Hot".into()]).unwrap();
        assert_eq!((detected.pointers(), detected.document()), (&["/temp_c".to_owned()][..], DOCUMENT));
        let json = serde_json::to_string(&detected).unwrap();
        assert_eq!(serde_json::from_str::<Detected>(&json).unwrap(), detected);
        assert!(serde_json::from_str::<Detected>(&json.replace("Hot\"]", "Cold\"]")).is_err());
    }

    #[test]
    fn what_was_seen_is_its_state_with_what_it_looks_at() {
        let detected = Detected::read(DOCUMENT, &["Hot".into()]).unwrap();
        let mut position = Position::default();
        position.state = Some("Hot".into());
        assert_eq!(detected.sentence(&position, []), "Hot");
        position.variables.insert("breaches".into(), Value::Number(3.0));
        position.variables.insert("seen".into(), Value::Flag(true));
        assert_eq!(detected.sentence(&position, ["temp 82 °C".to_owned()]), "Hot: temp 82 °C, breaches 3, seen yes");
    }
}
