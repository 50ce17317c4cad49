//! The `[[alarm]]` entries of a profile: rules as people write them by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetlens_model::alarm::{Condition, Equals, Measure, NOT_CONVERGED_AFTER_MS, Priority, Rule, Side, Threshold};
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;

/// Rules one profile may have: every message is held against those of its kind.
const RULES_MAX: usize = 200;

/// The longest id of a rule, in characters; it is kept with every alarm.
const ID_MAX_CHARS: usize = 64;

/// The longest name of a rule, in characters: it stands in one line behind the thing's.
const NAME_MAX_CHARS: usize = 60;

/// The longest cause, consequence and advice, in characters.
const TEXT_MAX_CHARS: usize = 300;

/// The longest `for`, in milliseconds: a week.
const FOR_MAX_MS: u64 = 7 * 86_400_000;

/// How `when` is written, for those who did not.
const WHEN: &str = "write \"/value >= 90\", \"/value <= 15\", \"/value = word\", \"level >= 98\", \"silent\", \"not converged\" or \"command failed\"";

/// One `[[alarm]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAlarm {
    id: Spanned<String>,
    name: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    when: Spanned<String>,
    #[serde(rename = "for")]
    lasting: Option<Spanned<String>>,
    deadband: Option<Spanned<f64>>,
    priority: Option<Priority>,
    cause: Option<Spanned<String>>,
    consequence: Option<Spanned<String>>,
    what_to_do: Spanned<String>,
}

/// The rules of a profile. One without any `[[alarm]]` has the usual ones; one with `alarm = []` has none.
pub(super) fn rules(written: Option<Vec<WrittenAlarm>>) -> Result<Vec<Rule>, Mistake> {
    let Some(written) = written else { return Ok(Rule::usual()) };
    if let Some(one_more) = written.get(RULES_MAX) {
        let why = format!("the profile has {} alarms; at most {RULES_MAX} are looked after", written.len());
        return Err(Mistake::new(one_more.id.span(), why));
    }
    let mut ids = BTreeSet::new();
    let mut rules = Vec::new();
    for alarm in &written {
        if !ids.insert(alarm.id.get_ref()) {
            let why =
                format!("there is an alarm with the id {:?} already; every one needs its own", alarm.id.get_ref());
            return Err(Mistake::new(alarm.id.span(), why));
        }
        rules.push(alarm.rule()?);
    }
    Ok(rules)
}

impl WrittenAlarm {
    fn rule(&self) -> Result<Rule, Mistake> {
        let id = self.id.get_ref();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.chars().count() > ID_MAX_CHARS || !id.chars().all(plain) {
            let why = format!("{id:?} is no id; write 1 to {ID_MAX_CHARS} of a–z, 0–9 and -, such as \"bin-full\"");
            return Err(Mistake::new(self.id.span(), why));
        }
        let name = match &self.name {
            Some(name) => text(name, "name", NAME_MAX_CHARS)?,
            None => id.replace('-', " "),
        };
        let kind = self.kind.as_ref().map(kind).transpose()?;
        let or_empty = |written: &Option<Spanned<String>>, what| match written {
            Some(written) => text(written, what, TEXT_MAX_CHARS),
            None => Ok(String::new()),
        };
        Ok(Rule {
            id: id.clone(),
            name,
            kind,
            condition: self.condition(kind)?,
            priority: self.priority.unwrap_or(Priority::Warning),
            cause: or_empty(&self.cause, "cause")?,
            consequence: or_empty(&self.consequence, "consequence")?,
            what_to_do: text(&self.what_to_do, "what_to_do", TEXT_MAX_CHARS)?,
        })
    }

    fn condition(&self, kind: Option<Kind>) -> Result<Condition, Mistake> {
        let words: Vec<&str> = self.when.get_ref().split_whitespace().collect();
        let condition = match words[..] {
            ["silent"] => {
                self.lasts_not("a thing is silent after three of the intervals that its description says")?;
                Condition::Silent
            }
            ["command", "failed"] => {
                self.lasts_not("a command has its own expiry")?;
                Condition::CommandFailed
            }
            ["not", "converged"] => {
                Condition::NotConverged { after_ms: self.lasting_ms()?.unwrap_or(NOT_CONVERGED_AFTER_MS) }
            }
            [measure, "=", ref rest @ ..] if !rest.is_empty() => {
                let pointer = self.pointer(measure)?;
                let value = match rest {
                    ["true"] => Value::Flag(true),
                    ["false"] => Value::Flag(false),
                    [number] if number.parse::<f64>().is_ok() => {
                        let why = format!("numbers are hardly ever equal; write >= {number} or <= {number}");
                        return Err(self.wrong(why));
                    }
                    words => Value::Text(words.join(" ")),
                };
                Condition::Equals(Equals { pointer, value, on_delay_ms: self.lasting_ms()?.unwrap_or(0) })
            }
            [measure, compare, limit] => self.threshold(kind, measure, compare, limit)?,
            _ => return Err(self.wrong(format!("{:?} is no condition; {WHEN}", self.when.get_ref()))),
        };
        match (&condition, &self.deadband) {
            (Condition::Threshold(_), _) | (_, None) => Ok(condition),
            (_, Some(deadband)) => {
                Err(Mistake::new(deadband.span(), "only a number has a deadband; leave it out here"))
            }
        }
    }

    fn threshold(&self, kind: Option<Kind>, measure: &str, compare: &str, limit: &str) -> Result<Condition, Mistake> {
        let side = match compare {
            ">=" => Side::Above,
            "<=" => Side::Below,
            _ => return Err(self.wrong(format!("{compare:?} compares nothing; {WHEN}"))),
        };
        let measure = match measure {
            "level" if matches!(kind, Some(Kind::Parking | Kind::Bin)) => Measure::Level,
            "level" => {
                return Err(self.wrong("only car parks and bins have a level; add kind = \"parking\" or \"bin\""));
            }
            _ => Measure::Value(self.pointer(measure)?),
        };
        let finite = limit.parse::<f64>().ok().filter(|limit| limit.is_finite());
        let limit = finite.ok_or_else(|| self.wrong(format!("{limit:?} is no number; {WHEN}")))?;
        let deadband = match &self.deadband {
            Some(band) if band.get_ref().is_finite() && *band.get_ref() >= 0.0 => *band.get_ref(),
            Some(band) => {
                let why = format!(
                    "a deadband of {} makes no sense; write how far the value must come back, 0 or more",
                    band.get_ref()
                );
                return Err(Mistake::new(band.span(), why));
            }
            None => 0.0,
        };
        let on_delay_ms = self.lasting_ms()?.unwrap_or(0);
        Ok(Condition::Threshold(Threshold { measure, side, limit, deadband, on_delay_ms }))
    }

    fn pointer(&self, written: &str) -> Result<String, Mistake> {
        if written.starts_with('/') {
            return Ok(written.to_owned());
        }
        Err(self.wrong(format!("{written:?} is not a JSON pointer; write \"/{written}\", or level for how full it is")))
    }

    fn lasts_not(&self, because: &str) -> Result<(), Mistake> {
        match &self.lasting {
            Some(lasting) => Err(Mistake::new(lasting.span(), format!("leave \"for\" out here: {because}"))),
            None => Ok(()),
        }
    }

    fn lasting_ms(&self) -> Result<Option<u64>, Mistake> {
        let Some(written) = &self.lasting else { return Ok(None) };
        let wrong = |why: String| Mistake::new(written.span(), why);
        let lasting: Duration = humantime::parse_duration(written.get_ref()).map_err(|e| {
            wrong(format!("{:?} is no length of time ({e}); write \"30s\", \"2 min\" or \"1h 30m\"", written.get_ref()))
        })?;
        match u64::try_from(lasting.as_millis()) {
            Ok(ms) if ms <= FOR_MAX_MS => Ok(Some(ms)),
            Ok(_) | Err(_) => Err(wrong(format!("{:?} is too long; at most 7 days are waited", written.get_ref()))),
        }
    }

    fn wrong(&self, why: impl ToString) -> Mistake {
        Mistake::new(self.when.span(), why)
    }
}

fn kind(written: &Spanned<String>) -> Result<Kind, Mistake> {
    let word = written.get_ref();
    Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        let words = Kind::ALL.map(Kind::word).join(", ");
        Mistake::new(written.span(), format!("{word:?} is no kind; write one of {words}, or leave it out for all"))
    })
}

/// One line that a person reads.
fn text(written: &Spanned<String>, what: &str, max_chars: usize) -> Result<String, Mistake> {
    let text = written.get_ref().trim();
    let chars = text.chars().count();
    if chars == 0 || chars > max_chars || text.chars().any(char::is_control) {
        let why = format!("{what} has {chars} characters; one line of 1 to {max_chars} is right");
        return Err(Mistake::new(written.span(), why));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
