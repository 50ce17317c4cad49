//! Metrics that people set: which they are, what the screen offers for them, and what goes out.

use std::borrow::Cow;

use fleetlens_model::kind::{BARRIER_EXPIRY_MS, Control, Takes};
use fleetlens_model::telemetry::TEXT_MAX_BYTES;
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use super::birth::{BD_SEQ, Birth, Known, NODE_CONTROL};
use super::datatype::{Datatype, Sort};
use super::payload::{self, Metric, PropertyCarried};
use crate::convention::NoCommand;
use crate::meta::words;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// How far a floating-point number may be set where the birth gives no bounds.
const REAL_MAX: f64 = 1e9;

/// Its step then. It is not measured by it: what was wanted must be reported to the last digit.
const REAL_STEP: f64 = 0.001;

/// The longest text that is set, in characters: of any characters it can be reported.
const TEXT_MAX_CHARS: u16 = (TEXT_MAX_BYTES / 4) as u16;

/// Characters of a UUID.
const UUID_CHARS: u16 = 36;

/// What the profile says may be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Writable(pub(super) Vec<String>);

impl Writable {
    /// Whether a metric may be set. Sparkplug has no word for it; its `readOnly` property, a custom of Ignition, is believed where it is
    /// there, and else the profile decides.
    pub(super) fn allows(&self, metric: &Metric, name: &str) -> bool {
        match metric.said("readOnly") {
            Some(PropertyCarried::Boolean(read_only)) => !read_only,
            Some(
                PropertyCarried::Int(_)
                | PropertyCarried::Long(_)
                | PropertyCarried::Float(_)
                | PropertyCarried::Double(_)
                | PropertyCarried::Text(_),
            )
            | None => self.0.iter().any(|pattern| matches(pattern, name)),
        }
    }
}

/// A pattern is a name, or a folder with the `/` behind it.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.ends_with('/') { name.starts_with(pattern) } else { name == pattern }
}

/// Whether a pattern names what nobody may set, because it is the protocol's own.
pub(super) fn is_own(pattern: &str) -> bool {
    pattern == BD_SEQ || pattern.starts_with(NODE_CONTROL)
}

/// The control of a metric; `None` for types that nobody can set from here.
///
/// Every one asks first and goes stale soon: nothing says whether a Boolean is a lamp or a valve, and a node is either there at once
/// or known to be gone.
pub(super) fn of(known: &Known, pointer: String, metric: &Metric) -> Option<Control> {
    let label = words(&known.name);
    let (takes, tolerance) = takes(known.datatype, metric)?;
    let control = Control {
        pointer: Cow::Owned(pointer),
        label: Cow::Owned(label),
        takes,
        asks_first: true,
        expiry_ms: BARRIER_EXPIRY_MS,
        tolerance,
        dangers: Vec::new(),
        switch_words: None,
    };
    Some(control).filter(|control| !control.label.is_empty())
}

/// What a metric takes, and how near a report must come.
fn takes(datatype: Datatype, metric: &Metric) -> Option<(Takes, f64)> {
    let range = |(min, max): (f64, f64), step: f64| {
        let unit = match metric.said("engUnit") {
            Some(PropertyCarried::Text(unit)) => words(unit),
            Some(
                PropertyCarried::Int(_)
                | PropertyCarried::Long(_)
                | PropertyCarried::Float(_)
                | PropertyCarried::Double(_)
                | PropertyCarried::Boolean(_),
            )
            | None => String::new(),
        };
        Takes::Range { min, max, step, unit: Cow::Owned(unit) }
    };
    match datatype.sort() {
        Sort::Flag => Some((Takes::Switch, 0.0)),
        Sort::Words => {
            let max_chars = if datatype == Datatype::Uuid { UUID_CHARS } else { TEXT_MAX_CHARS };
            Some((Takes::Text { max_chars }, 0.0))
        }
        Sort::Integer { bits, signed } => {
            let (least, most) = Datatype::whole_range(bits, signed);
            let (min, max) = bounds(metric)
                .map(|(min, max)| (min.ceil().max(least), max.floor().min(most)))
                .filter(|(min, max)| min < max)
                .unwrap_or((least, most));
            Some((range((min, max), 1.0), 0.5))
        }
        Sort::Real { .. } => Some(match bounds(metric) {
            Some((min, max)) => {
                // A power of ten, so that people type round numbers; 1 000 to 10 000 steps.
                let step = 10_f64.powf((max - min).log10().floor() - 3.0);
                (range((min, max), step), step / 2.0)
            }
            None => (range((-REAL_MAX, REAL_MAX), REAL_STEP), 0.0),
        }),
        Sort::Moment | Sort::Other => None,
    }
}

/// The `engLow` and `engHigh` of a metric, where they are a range.
fn bounds(metric: &Metric) -> Option<(f64, f64)> {
    let number = |key| match metric.said(key)? {
        // Whole numbers are signed here: these properties are numbers of the world.
        PropertyCarried::Int(n) => Some(f64::from(n.cast_signed())),
        PropertyCarried::Long(n) => Some(n.cast_signed() as f64),
        PropertyCarried::Float(n) => Some(f64::from(*n)),
        PropertyCarried::Double(n) => Some(*n),
        PropertyCarried::Boolean(_) | PropertyCarried::Text(_) => None,
    };
    let (min, max) = (number("engLow")?, number("engHigh")?);
    (min < max && (max - min).is_finite()).then_some((min, max))
}

/// The payload of an NCMD or DCMD that sets these leaves, with the alias where the birth gave one, else the name (section 6.4.6), and
/// without a sequence number, as commands are.
pub(super) fn command(birth: &Birth, wants: &[(&str, &Json)], at: WallMs) -> Result<Vec<u8>, NoCommand> {
    let metric = |(pointer, wanted): &(&str, &Json)| {
        let impossible = |why: String| Err(NoCommand::Impossible(why));
        let Some(known) = birth.at(pointer) else {
            return impossible(format!("the thing's birth names no metric {}", quote(pointer, QUOTE_MAX_CHARS)));
        };
        let name = quote(&known.name, QUOTE_MAX_CHARS);
        if !known.writable {
            return impossible(format!(
                "{name} cannot be set: its birth does not say so, and neither does the profile"
            ));
        }
        let value = match known.datatype.write(wanted) {
            Ok(carried) => Some(carried),
            Err(takes) => return impossible(format!("{name} takes {takes}, not {wanted}")),
        };
        Ok(Metric {
            name: known.alias.is_none().then(|| known.name.to_string()),
            alias: known.alias,
            timestamp: Some(payload::written(at)),
            datatype: Some(known.datatype.number()),
            value,
            ..Metric::default()
        })
    };
    let metrics: Vec<Metric> = wants.iter().map(metric).collect::<Result<_, NoCommand>>()?;
    Ok(payload::encode(&metrics, at, None))
}
