//! The `[[alarm]]` entries of a profile: rules as people write them by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetlens_model::alarm::state::{Policy, REALARM_MIN_MS, Terms};
use fleetlens_model::alarm::{Condition, NOT_CONVERGED_AFTER_MS, Priority, Rule, Things, When};
use fleetlens_model::expression::{Expression, Name};
use fleetlens_model::group::Group;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Query;
use serde::Deserialize;
use toml::Spanned;

use super::areas::Areas;
use super::machines::{self, DetectorFile};
use super::{Mistake, groups};

/// Rules one profile may have: every message is held against those of its kind.
const RULES_MAX: usize = 200;

/// The longest id of a rule, in characters; it is kept with every alarm.
const ID_MAX_CHARS: usize = 64;

/// The longest name of a rule, in characters: it stands in one line behind the thing's.
const NAME_MAX_CHARS: usize = 60;

/// The longest cause, consequence and advice, in characters.
const TEXT_MAX_CHARS: usize = 300;

/// The longest time in a rule, in milliseconds: a week.
const TIME_MAX_MS: u64 = 7 * 86_400_000;

/// One `[[alarm]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAlarm {
    id: Spanned<String>,
    name: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
    search: Option<Spanned<String>>,
    when: Option<Spanned<String>>,
    detector: Option<Spanned<String>>,
    states: Option<Spanned<Vec<String>>>,
    unless: Option<Spanned<String>>,
    #[serde(rename = "for")]
    lasting: Option<Spanned<String>>,
    clear_for: Option<Spanned<String>>,
    deadband: Option<Spanned<f64>>,
    latch: Option<Spanned<bool>>,
    tell_again: Option<Spanned<String>>,
    no_data: Option<Spanned<WrittenPolicy>>,
    error: Option<Spanned<WrittenPolicy>>,
    priority: Option<Priority>,
    time_available: Option<Spanned<String>>,
    cause: Option<Spanned<String>>,
    consequence: Option<Spanned<String>>,
    what_to_do: Spanned<String>,
}

/// What follows where nobody can say whether a condition is so.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenPolicy {
    Alert,
    Normal,
    Keep,
}

impl From<WrittenPolicy> for Policy {
    fn from(written: WrittenPolicy) -> Policy {
        match written {
            WrittenPolicy::Alert => Policy::Alert,
            WrittenPolicy::Normal => Policy::Normal,
            WrittenPolicy::Keep => Policy::KeepLast,
        }
    }
}

/// The rules of a profile. One without any `[[alarm]]` has the usual ones; one with `alarm = []` has none. Those whose state machine
/// stands in a file say nothing until that is read.
pub(super) fn rules(
    written: Option<Vec<WrittenAlarm>>,
    groups: &[Group],
    areas: &Areas,
) -> Result<(Vec<Rule>, Vec<DetectorFile>), Mistake> {
    let Some(written) = written else { return Ok((Rule::usual(), Vec::new())) };
    if let Some(one_more) = written.get(RULES_MAX) {
        let why = format!("the profile has {} alarms; at most {RULES_MAX} are looked after", written.len());
        return Err(Mistake::new(one_more.id.span(), why));
    }
    let mut ids = BTreeSet::new();
    let (mut rules, mut files) = (Vec::new(), Vec::new());
    for alarm in &written {
        if !ids.insert(alarm.id.get_ref()) {
            let why =
                format!("there is an alarm with the id {:?} already; every one needs its own", alarm.id.get_ref());
            return Err(Mistake::new(alarm.id.span(), why));
        }
        rules.push(alarm.rule(rules.len(), groups, areas, &mut files)?);
    }
    Ok((rules, files))
}

impl WrittenAlarm {
    fn rule(
        &self,
        place: usize,
        groups: &[Group],
        areas: &Areas,
        files: &mut Vec<DetectorFile>,
    ) -> Result<Rule, Mistake> {
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
        let things = self.things(groups)?;
        let or_empty = |written: &Option<Spanned<String>>, what| match written {
            Some(written) => text(written, what, TEXT_MAX_CHARS),
            None => Ok(String::new()),
        };
        let condition = self.condition(things.kind, areas, place, files)?;
        let unless = self.unless.as_ref().map(|unless| self.suppressed_by(unless, things.kind, areas)).transpose()?;
        let terms = self.terms(&condition)?;
        Ok(Rule {
            id: id.clone(),
            name,
            things,
            condition,
            unless,
            terms,
            time_available_ms: time_ms(self.time_available.as_ref())?,
            priority: self.priority.unwrap_or(Priority::Warning),
            cause: or_empty(&self.cause, "cause")?,
            consequence: or_empty(&self.consequence, "consequence")?,
            what_to_do: text(&self.what_to_do, "what_to_do", TEXT_MAX_CHARS)?,
        })
    }

    /// Which things it is for.
    fn things(&self, groups: &[Group]) -> Result<Things, Mistake> {
        let group = self.group.as_ref().map(|name| groups::described(name, groups, "a rule")).transpose()?;
        if let Some(search) = &self.search {
            check_search(search.get_ref()).map_err(|why| Mistake::new(search.span(), why))?;
        }
        Ok(Things {
            kind: self.kind.as_ref().map(kind).transpose()?,
            group: group.unwrap_or_default(),
            search: self.search.as_ref().map(|search| search.get_ref().trim().to_owned()).unwrap_or_default(),
        })
    }

    fn condition(
        &self,
        kind: Option<Kind>,
        areas: &Areas,
        place: usize,
        files: &mut Vec<DetectorFile>,
    ) -> Result<Condition, Mistake> {
        match (&self.when, &self.detector) {
            (Some(when), None) => match &self.states {
                Some(states) => {
                    Err(Mistake::new(states.span(), "only a state machine has states; leave them out here"))
                }
                None => self.written(when, kind, areas),
            },
            (None, Some(detector)) => match machines::written(place, detector, self.states.as_ref())? {
                machines::Written::Whole(detected) => Ok(Condition::Detected(detected)),
                machines::Written::InFile(file) => {
                    files.push(file);
                    Ok(Condition::Told)
                }
            },
            (Some(_), Some(detector)) => Err(Mistake::new(
                detector.span(),
                "an alarm has a condition or a state machine; leave out one of the two",
            )),
            (None, None) => {
                let why = "the alarm has no condition; write when = \"fill_pct >= 90\", or detector = \"pump.json\" with states";
                Err(Mistake::new(self.id.span(), why))
            }
        }
    }

    fn written(&self, written: &Spanned<String>, kind: Option<Kind>, areas: &Areas) -> Result<Condition, Mistake> {
        let when = written.get_ref();
        let words: Vec<&str> = when.split_whitespace().collect();
        match words[..] {
            ["silent"] => {
                self.lasts_not("a thing is silent after three of the intervals that its description says")?;
                Ok(Condition::Silent)
            }
            ["command", "failed"] => {
                self.lasts_not("a command has its own expiry")?;
                Ok(Condition::CommandFailed)
            }
            ["not", "converged"] => {
                let after_ms = time_ms(self.lasting.as_ref())?.unwrap_or(NOT_CONVERGED_AFTER_MS);
                Ok(Condition::NotConverged { after_ms })
            }
            _ => self.expression(written, kind, areas),
        }
    }

    /// While what its alarm means nothing. Nothing is remembered for it, so it asks only what is so now.
    fn suppressed_by(
        &self,
        unless: &Spanned<String>,
        kind: Option<Kind>,
        areas: &Areas,
    ) -> Result<Expression, Mistake> {
        let wrong = |why: String| Mistake::new(unless.span(), why);
        let text = unless.get_ref();
        let expression = Expression::read(text).map_err(|mistake| wrong(format!("{text:?}, {mistake}")))?;
        check_names(&expression, kind, areas).map_err(wrong)?;
        if !expression.is_momentary() {
            return Err(wrong(
                "unless asks only what is so now: values, areas, silent and missing(value), and nothing over a length of time"
                    .to_owned(),
            ));
        }
        Ok(expression)
    }

    fn expression(&self, written: &Spanned<String>, kind: Option<Kind>, areas: &Areas) -> Result<Condition, Mistake> {
        let text = written.get_ref().as_str();
        let wrong = |why: String| Mistake::new(written.span(), why);
        let read = Expression::read(text)
            .or_else(|mistake| in_quotes(text).and_then(|quoted| Expression::read(&quoted).ok()).ok_or(mistake));
        let expression = read.map_err(|mistake| wrong(format!("{text:?}, {mistake}")))?;
        check_names(&expression, kind, areas).map_err(wrong)?;
        let deadband = match &self.deadband {
            None => 0.0,
            Some(band) if !expression.takes_deadband() => {
                return Err(Mistake::new(
                    band.span(),
                    "only a condition with one limit of a number has a deadband; leave it out",
                ));
            }
            Some(band) if band.get_ref().is_finite() && *band.get_ref() >= 0.0 => *band.get_ref(),
            Some(band) => {
                let why = format!(
                    "a deadband of {} makes no sense; write how far the value must come back, 0 or more",
                    band.get_ref()
                );
                return Err(Mistake::new(band.span(), why));
            }
        };
        Ok(Condition::When(Box::new(When { expression, deadband })))
    }

    /// How the alarm behaves besides. Of what is told by events and not by values only a latch and telling again mean something.
    fn terms(&self, condition: &Condition) -> Result<Terms, Mistake> {
        let is_detected = self.detector.is_some();
        let by_values = is_detected || matches!(condition, Condition::When(_));
        if is_detected || !by_values {
            let others = [
                (self.deadband.as_ref().map(Spanned::span), "deadband"),
                (self.clear_for.as_ref().map(Spanned::span).filter(|_| !by_values), "clear_for"),
                (self.no_data.as_ref().map(Spanned::span), "no_data"),
                (self.error.as_ref().map(Spanned::span), "error"),
            ];
            if let Some((at, what)) = others.into_iter().find_map(|(at, what)| Some((at?, what))) {
                let why = format!("only a condition about values has {what}; leave it out here");
                return Err(Mistake::new(at, why));
            }
        }
        let realarm_ms = time_ms(self.tell_again.as_ref())?;
        if let Some((written, _)) = self.tell_again.as_ref().zip(realarm_ms.filter(|ms| *ms < REALARM_MIN_MS)) {
            return Err(Mistake::new(written.span(), "an alarm is told again after a minute at the soonest"));
        }
        let policy =
            |written: &Option<Spanned<WrittenPolicy>>| written.as_ref().map(|policy| Policy::from(*policy.get_ref()));
        Ok(Terms {
            on_delay_ms: if by_values { time_ms(self.lasting.as_ref())?.unwrap_or(0) } else { 0 },
            off_delay_ms: time_ms(self.clear_for.as_ref())?.unwrap_or(0),
            latches: self.latch.as_ref().is_some_and(|latch| *latch.get_ref()),
            realarm_ms,
            no_data: policy(&self.no_data).unwrap_or_default(),
            error: policy(&self.error).unwrap_or_default(),
        })
    }

    fn lasts_not(&self, because: &str) -> Result<(), Mistake> {
        match &self.lasting {
            Some(lasting) => Err(Mistake::new(lasting.span(), format!("leave \"for\" out here: {because}"))),
            None => Ok(()),
        }
    }
}

/// What an expression names must be there: a level of things of this kind, and its areas.
fn check_names(expression: &Expression, kind: Option<Kind>, areas: &Areas) -> Result<(), String> {
    let needs = expression.needs();
    if needs.names.contains(&Name::Level) && !matches!(kind, Some(Kind::Parking | Kind::Bin)) {
        return Err("only car parks and bins have a level; add kind = \"parking\" or \"bin\"".to_owned());
    }
    let unknown = |(_, name): &(usize, &String)| !areas.names().any(|known| known == name.as_str());
    let Some((nth, name)) = needs.fences.iter().enumerate().find(unknown) else { return Ok(()) };
    let names: Vec<&str> = areas.names().collect();
    let there =
        if names.is_empty() { "there is no [[area]]".to_owned() } else { format!("there are: {}", names.join(", ")) };
    let mistake = expression.mistake_of_fence(nth, format!("no area is called {name:?}; {there}"));
    Err(format!("{:?}, {mistake}", expression.text()))
}

/// As rules were written before there was a language for them: words without quotation marks after a pointer, `/state = out of order`.
fn in_quotes(when: &str) -> Option<String> {
    let (pointer, words) = when.split_once('=')?;
    let (pointer, words) = (pointer.trim(), words.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_old = pointer.starts_with('/') && !pointer.contains(char::is_whitespace) && !words.is_empty();
    let quote = if words.contains('\'') { '"' } else { '\'' };
    is_old.then(|| format!("{pointer} = {quote}{words}{quote}"))
}

/// A length of time, in milliseconds.
fn time_ms(written: Option<&Spanned<String>>) -> Result<Option<u64>, Mistake> {
    let Some(written) = written else { return Ok(None) };
    let wrong = |why: String| Mistake::new(written.span(), why);
    let time: Duration = humantime::parse_duration(written.get_ref()).map_err(|e| {
        wrong(format!("{:?} is no length of time ({e}); write \"30s\", \"2 min\" or \"1h 30m\"", written.get_ref()))
    })?;
    match u64::try_from(time.as_millis()) {
        Ok(ms) if ms <= TIME_MAX_MS => Ok(Some(ms)),
        Ok(_) | Err(_) => Err(wrong(format!("{:?} is too long; at most 7 days", written.get_ref()))),
    }
}

fn kind(written: &Spanned<String>) -> Result<Kind, Mistake> {
    let word = written.get_ref();
    Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        let words = Kind::ALL.map(Kind::word).join(", ");
        Mistake::new(written.span(), format!("{word:?} is no kind; write one of {words}, or leave it out for all"))
    })
}

/// A rule's search: what comes and goes with messages belongs in its condition, where a delay and a deadband are.
fn check_search(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(
            "the search is empty; write words of a thing's title, name, street or district, or leave it out".to_owned()
        );
    }
    let by_description = |query: Query| query.only_by_description("a rule's search", "write that in the condition");
    Query::read(text).and_then(by_description).map_err(|mistake| format!("{text:?}, {mistake}"))
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
