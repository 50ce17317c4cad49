//! What the app tells about itself while it runs: a small JSON file that it replaces once a second.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The counts of one run, as `FLEETLENS_SUMMARY` holds them and as `cargo xtask run` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Things the app knows.
    pub things: u64,
    /// Messages that came in.
    pub received: u64,
    /// Values committed to the store.
    pub stored: u64,
    /// Messages that no rule could read.
    pub refused: u64,
    /// From the app's start until a window acknowledged a frame that holds live values; null until then.
    pub first_live_ms: Option<u64>,
}

impl Summary {
    /// Reads the file; `None` while the app has not written it yet. The app replaces it by a rename, so it is never half
    /// a file and one that cannot be read is an error.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let summary = serde_json::from_str(&text)
            .with_context(|| format!("the app wrote a summary that is none: {}", text.trim_end()))?;
        Ok(Some(summary))
    }
}

/// How long the number of things may stay the same before nobody waits for more of them: long enough for the app, which
/// writes its summary once a second, to have said so once more.
const SETTLED: Duration = Duration::from_millis(1_500);

/// A number of things that grows while a city is met for the first time.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    things: u64,
    since: Instant,
}

impl Growth {
    /// As many things as are known now.
    pub fn new(things: u64, now: Instant) -> Self {
        Self { things, since: now }
    }

    /// Takes the number that is known now and tells whether it has come to rest.
    pub fn has_ended(&mut self, things: u64, now: Instant) -> bool {
        if things != self.things {
            *self = Self::new(things, now);
        }
        now.duration_since(self.since) >= SETTLED
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { things, received, stored, refused, first_live_ms: _ } = self;
        write!(out, "{things} things, {received} messages received, {stored} values stored, {refused} refused")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_ends_when_the_number_has_stood_still_long_enough() {
        let start = Instant::now();
        let mut growth = Growth::new(509, start);
        for (at_ms, things, want) in [
            (100, 509, false),
            (1_000, 1_650, false),
            (2_400, 1_650, false),
            (2_500, 1_650, true),
            (2_600, 1_651, false),
        ] {
            assert_eq!(growth.has_ended(things, start + Duration::from_millis(at_ms)), want, "after {at_ms} ms");
        }
    }

    #[test]
    fn a_summary_is_read_once_it_is_there_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.json");
        assert_eq!(Summary::read(&file).unwrap(), None);

        fs::write(&file, r#"{"things":3,"received":9,"stored":8,"refused":1,"first_live_ms":null,"more":{}}"#).unwrap();
        let waiting = Summary { things: 3, received: 9, stored: 8, refused: 1, first_live_ms: None };
        assert_eq!(Summary::read(&file).unwrap(), Some(waiting));

        fs::write(&file, r#"{"things":3,"received":9,"stored":8,"refused":1,"first_live_ms":812}"#).unwrap();
        assert_eq!(Summary::read(&file).unwrap(), Some(Summary { first_live_ms: Some(812), ..waiting }));

        fs::write(&file, r#"{"things":3}"#).unwrap();
        let message = Summary::read(&file).unwrap_err().to_string();
        assert_eq!(message, r#"the app wrote a summary that is none: {"things":3}"#);
    }
}
