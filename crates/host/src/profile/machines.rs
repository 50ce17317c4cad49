//! State machines as conditions: `detector` and `states` of an `[[alarm]]`. The document stands in the profile or in a file beside it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetlens_model::alarm::Condition;
use fleetlens_model::alarm::detected::Detected;
use fleetlens_model::alarm::detector::DETECTOR_MAX_BYTES;
use toml::Spanned;

use super::{Mistake, beside};

/// The document of a rule that stands in a file, not read yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DetectorFile {
    /// Which of the rules.
    pub rule: usize,
    name: PathBuf,
    states: Vec<String>,
    at: Range<usize>,
}

/// A state machine as it is written: read, or the file in which it stands.
pub(super) enum Written {
    Whole(Box<Detected>),
    InFile(DetectorFile),
}

/// What stands in a profile under `detector` and `states`, of the rule in this place.
pub(super) fn written(
    rule: usize,
    detector: &Spanned<String>,
    states: Option<&Spanned<Vec<String>>>,
) -> Result<Written, Mistake> {
    let Some(states) = states else {
        let why = "the document does not say which of its states are alarms; write states = [\"…\"] beside it";
        return Err(Mistake::new(detector.span(), why));
    };
    let (said, at) = (detector.get_ref(), detector.span());
    if said.trim_start().starts_with('{') {
        let read = Detected::read(said, states.get_ref()).map_err(|error| Mistake::new(at, error))?;
        return Ok(Written::Whole(Box::new(read)));
    }
    match beside::named(said) {
        Some(name) => Ok(Written::InFile(DetectorFile { rule, name, states: states.get_ref().clone(), at })),
        None => {
            let why = format!(
                "{said:?} is no file beside the profile; write a name such as \"pump.json\", or the document itself, which begins \
                 with a brace"
            );
            Err(Mistake::new(at, why))
        }
    }
}

impl DetectorFile {
    /// Reads it; blocks on the disk.
    pub(super) fn read(&self, folder: &Path) -> Result<Condition, Mistake> {
        let name = self.name.display();
        let wrong = |why: String| Mistake::new(self.at.clone(), why);
        let text = beside::read(&folder.join(&self.name), DETECTOR_MAX_BYTES)
            .map_err(|why| wrong(format!("{name} cannot be read: {why}")))?;
        let read = Detected::read(&text, &self.states).map_err(|error| wrong(format!("{name}: {error}")))?;
        Ok(Condition::Detected(Box::new(read)))
    }
}
