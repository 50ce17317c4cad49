//! What a profile says of a Sparkplug fleet.

use thiserror::Error;

use super::control;

/// What a profile says of a Sparkplug fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparkplugSetting {
    /// The only group to listen to; `None` for all.
    pub group: Option<String>,
    /// The host application whose STATE is shown as a thing; none where this is not set.
    pub host: Option<String>,
    /// Whether nodes are asked for their births. It needs the right to publish NCMD.
    pub rebirth: bool,
    /// Metrics that may be set although their births do not say `readOnly` = false, by name (`Outputs/Pump`) or folder (`Outputs/`).
    pub writable: Vec<String>,
}

/// Why a setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingError {
    /// A name that is no level of a topic.
    #[error("the {what} {name:?} is no level of a topic; it needs at least one character and may not hold / + or #")]
    Level {
        /// "group" or "host".
        what: &'static str,
        /// What was given.
        name: String,
    },
    /// A pattern that names nothing, or what nobody may set.
    #[error(
        "{pattern:?} cannot be made writable; write a metric's name such as Outputs/Pump or a folder such as Outputs/, but not bdSeq or Node Control/"
    )]
    Pattern {
        /// What was given.
        pattern: String,
    },
}

impl SparkplugSetting {
    /// Whether it can be used.
    pub fn check(&self) -> Result<(), SettingError> {
        for (what, name) in [("group", &self.group), ("host", &self.host)] {
            if let Some(name) = name.as_ref().filter(|name| name.is_empty() || name.contains(['/', '+', '#'])) {
                return Err(SettingError::Level { what, name: name.clone() });
            }
        }
        let is_none = |pattern: &&String| ["", "/"].contains(&pattern.as_str()) || control::is_own(pattern);
        match self.writable.iter().find(is_none) {
            Some(pattern) => Err(SettingError::Pattern { pattern: pattern.clone() }),
            None => Ok(()),
        }
    }
}
