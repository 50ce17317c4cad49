//! The fields there are, and the nearest to one that there is not.

use crate::kind::Kind;
use crate::shadow::{Half, pointer_of};

/// How a thing stands, as its mark on the map shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Speaks, nothing wrong.
    Normal,
    /// Nothing is known of it now.
    Unknown,
    /// Needs a look.
    Warning,
    /// Needs a person at once.
    Critical,
}

/// All of them, with their words.
pub const STANDINGS: [(Standing, &str); 4] = [
    (Standing::Normal, "normal"),
    (Standing::Unknown, "unknown"),
    (Standing::Warning, "warning"),
    (Standing::Critical, "critical"),
];

/// Words for the priorities of alarms, from the lowest.
pub(super) const PRIORITIES: [&str; 3] = ["advisory", "warning", "critical"];

/// A text that a description has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// `thingName`, `name`
    Name,
    /// What people call it.
    Title,
    /// The street it stands in.
    Street,
    /// The district it is in.
    Area,
    /// Behind which gateway it is.
    Gateway,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    Text(TextField),
    Kind,
    Group,
    Status,
    /// Of a shadow, or of any.
    HasDelta(Option<String>),
    Connected,
    Active,
    Priority,
    Rule,
    Age,
    Near,
    /// By JSON pointer.
    Value(String),
    Leaf {
        shadow: String,
        half: Half,
        pointer: String,
    },
}

impl Field {
    /// Whether a description says it. A place may be said by the thing itself.
    pub(super) fn is_described(&self) -> bool {
        match self {
            Field::Text(_) | Field::Kind | Field::Group => true,
            Field::Status
            | Field::HasDelta(_)
            | Field::Connected
            | Field::Active
            | Field::Priority
            | Field::Rule
            | Field::Age
            | Field::Near
            | Field::Value(_)
            | Field::Leaf { .. } => false,
        }
    }
}

/// The fields with one name each, and what they are for people.
pub(super) const FIELDS: [(&str, &str); 17] = [
    ("kind", "what it is: lamp, bin …"),
    ("name", "its name, AWS's thingName"),
    ("title", "what people call it"),
    ("street", "the street it stands in"),
    ("area", "the district it is in"),
    ("group", "a group of the profile"),
    ("gateway", "what it is behind"),
    ("status", "normal, unknown, warning, critical"),
    ("age", "how long ago it spoke: age:<10m"),
    ("near", "how near it is: near:LAT,LON,500m"),
    ("hasDelta", "wanted and not reported"),
    ("connectivity.connected", "whether it is there"),
    ("alarm.active", "it has an active alarm"),
    ("alarm.priority", "advisory, warning, critical"),
    ("alarm.rule", "the rule of an open alarm"),
    ("shadow.hasDelta", "wanted and not reported, in the classic shadow"),
    ("thingName", "AWS's word for name"),
];

/// What begins a field of which the rest is the person's own.
pub(super) const BEGINNINGS: [(&str, &str); 4] = [
    ("value.", "its latest value by this name"),
    ("shadow.reported.", "what the classic shadow reports"),
    ("shadow.desired.", "what is wanted of it"),
    ("shadow.name.", "another shadow: shadow.name.NAME.reported.…"),
];

/// The names of values that kinds have words for, each once: fields as they are.
pub(super) fn bare_values() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = || Kind::ALL.into_iter().flat_map(|kind| kind.fields().iter());
    let is_first = move |nth: usize, pointer: &str| all().take(nth).all(|earlier| earlier.pointer != pointer);
    all()
        .enumerate()
        .filter(move |(nth, field)| is_first(*nth, field.pointer))
        .map(|(_, field)| (field.pointer.strip_prefix('/').unwrap_or(field.pointer), field.label))
}

/// A field by its parts, or what would be right.
pub(super) fn field(parts: &[String]) -> Result<Field, String> {
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let leaf = |shadow: &str, section: &str, path: &[&str]| {
        let half = if section == "desired" { Half::Desired } else { Half::Reported };
        Field::Leaf { shadow: shadow.to_owned(), half, pointer: pointer_of(path.iter().copied()) }
    };
    Ok(match words.as_slice() {
        ["name" | "thingName"] => Field::Text(TextField::Name),
        ["title"] => Field::Text(TextField::Title),
        ["street"] => Field::Text(TextField::Street),
        ["area"] => Field::Text(TextField::Area),
        ["gateway"] => Field::Text(TextField::Gateway),
        ["kind" | "thingTypeName"] => Field::Kind,
        ["group" | "thingGroupNames"] => Field::Group,
        ["status"] => Field::Status,
        ["age"] => Field::Age,
        ["near"] => Field::Near,
        ["hasDelta"] => Field::HasDelta(None),
        ["shadow", "hasDelta"] => Field::HasDelta(Some(String::new())),
        ["shadow", "name", shadow, "hasDelta"] => Field::HasDelta(Some((*shadow).to_owned())),
        ["shadow", section @ ("reported" | "desired"), path @ ..] if !path.is_empty() => leaf("", section, path),
        ["shadow", "name", shadow, section @ ("reported" | "desired"), path @ ..] if !path.is_empty() => {
            leaf(shadow, section, path)
        }
        ["connectivity", "connected"] => Field::Connected,
        ["alarm", "active"] => Field::Active,
        ["alarm", "priority"] => Field::Priority,
        ["alarm", "rule"] => Field::Rule,
        ["value", path @ ..] if !path.is_empty() => Field::Value(pointer_of(path.iter().copied())),
        ["shadow", ..] => {
            return Err(
                "behind \"shadow.\" stands reported.…, desired.…, hasDelta, or name.NAME. and one of these".to_owned()
            );
        }
        ["alarm", ..] => return Err("of alarms there are alarm.active, alarm.priority and alarm.rule".to_owned()),
        ["connectivity", ..] => return Err("of connectivity there is connectivity.connected".to_owned()),
        ["value"] => return Err("behind \"value.\" stands the name of a value: value.fill_pct".to_owned()),
        [word] if bare_values().any(|(name, _)| name == *word) => Field::Value(pointer_of([*word])),
        _ => return Err(unknown(&parts.join("."))),
    })
}

fn unknown(name: &str) -> String {
    let near = nearest(name);
    let near = match near.as_slice() {
        [] => String::new(),
        [one] => format!("there is {one}; "),
        many => format!("there are {}; ", many.join(", ")),
    };
    format!("no field is called {name:?}; {near}a value is written value.{name}, a text with : in it stands in quotes")
}

/// The most names that are told as near.
const NEAR_MAX: usize = 3;

/// The names that are likest to this, where they are so like it that it may be a slip.
fn nearest(name: &str) -> Vec<&'static str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).clamp(1, 3);
    let all = FIELDS.iter().map(|(field, _)| *field).chain(bare_values().map(|(value, _)| value));
    let distance = |field: &str| strsim::damerau_levenshtein(&field.to_lowercase(), &name);
    let mut near: Vec<(usize, &str)> =
        all.map(|field| (distance(field), field)).filter(|(distance, _)| *distance <= most).collect();
    let least = near.iter().map(|(distance, _)| *distance).min();
    near.retain(|(distance, _)| Some(*distance) == least);
    near.into_iter().map(|(_, field)| field).take(NEAR_MAX).collect()
}
