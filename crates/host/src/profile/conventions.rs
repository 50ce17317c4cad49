//! The part of a profile that names conventions: fleets that describe themselves. docs/guide/conventions.md describes every key.

use fleetlens_engine::wire::convention::Setting;
use fleetlens_engine::wire::sparkplug::SparkplugSetting;
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;

/// The longest topic a convention may begin with, in bytes.
const PREFIX_MAX_BYTES: usize = 256;

/// Names of writable metrics one profile may list.
const WRITABLE_MAX: usize = 256;

/// A `[[convention]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenConvention {
    name: Spanned<String>,
    prefix: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
    host: Option<Spanned<String>>,
    rebirth: Option<Spanned<bool>>,
    writable: Option<Spanned<Vec<String>>>,
}

/// The conventions in their order, each once.
pub(super) fn settings(written: &[WrittenConvention]) -> Result<Vec<Setting>, Mistake> {
    let mut settings = Vec::with_capacity(written.len());
    for convention in written {
        let setting = convention.check()?;
        if settings.contains(&setting) {
            let why = format!("{} is named already with the same topics", convention.name.get_ref());
            return Err(Mistake::new(convention.name.span(), why));
        }
        settings.push(setting);
    }
    Ok(settings)
}

impl WrittenConvention {
    fn check(&self) -> Result<Setting, Mistake> {
        let name = self.name.get_ref().as_str();
        if name == "sparkplug" {
            self.refuse("prefix", self.prefix.as_ref().map(Spanned::span))?;
            let setting = SparkplugSetting {
                group: self.group.as_ref().map(|group| group.get_ref().clone()),
                host: self.host.as_ref().map(|host| host.get_ref().clone()),
                rebirth: self.rebirth.as_ref().is_some_and(|rebirth| *rebirth.get_ref()),
                writable: self.writable.as_ref().map(writable).transpose()?.unwrap_or_default(),
            };
            setting.check().map_err(|error| Mistake::new(self.name.span(), error))?;
            return Ok(Setting::Sparkplug(setting));
        }
        let setting = match name {
            "home-assistant" => Setting::HomeAssistant { prefix: self.prefix("homeassistant")? },
            "homie" => Setting::Homie { domain: self.prefix("homie")? },
            "zigbee2mqtt" => Setting::Zigbee2Mqtt { base: self.prefix("zigbee2mqtt")? },
            other => {
                let why = format!(
                    "{other:?} is no convention known here; there are \"home-assistant\", \"sparkplug\", \"homie\" and \"zigbee2mqtt\""
                );
                return Err(Mistake::new(self.name.span(), why));
            }
        };
        self.refuse("group", self.group.as_ref().map(Spanned::span))?;
        self.refuse("host", self.host.as_ref().map(Spanned::span))?;
        self.refuse("rebirth", self.rebirth.as_ref().map(Spanned::span))?;
        self.refuse("writable", self.writable.as_ref().map(Spanned::span))?;
        Ok(setting)
    }

    /// Refuses a key that would do nothing.
    fn refuse(&self, key: &str, at: Option<std::ops::Range<usize>>) -> Result<(), Mistake> {
        let why = || format!("{key} does nothing with the convention {:?}; leave it out", self.name.get_ref());
        at.map_or(Ok(()), |at| Err(Mistake::new(at, why())))
    }

    /// The topic everything begins with.
    fn prefix(&self, usual: &str) -> Result<String, Mistake> {
        let Some(written) = &self.prefix else { return Ok(usual.to_owned()) };
        let text = written.get_ref();
        let wrong = |why: &str| Err(Mistake::new(written.span(), format!("the prefix {text:?} {why}")));
        if text.is_empty() || text.len() > PREFIX_MAX_BYTES {
            return wrong("needs 1 to 256 bytes");
        }
        if text.starts_with('$') || text.split('/').any(|level| level.is_empty() || level.contains(['+', '#'])) {
            return wrong("is no beginning of a topic: words between slashes, without wildcards, not below $");
        }
        Ok(text.clone())
    }
}

fn writable(written: &Spanned<Vec<String>>) -> Result<Vec<String>, Mistake> {
    let names = written.get_ref();
    if names.len() > WRITABLE_MAX {
        let why = format!("writable lists {} names; at most {WRITABLE_MAX} are taken", names.len());
        return Err(Mistake::new(written.span(), why));
    }
    Ok(names.clone())
}
