//! A widget as the fields of a form: texts that a person types, read by the same code as a file.

use toml::{Table, Value};

use super::{Column, Of, Shows, bare, read};
use crate::geo::GeoBox;

/// How a field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// One line.
    Line,
    /// A query: one line in a font of its own.
    Query,
    /// Several lines.
    Lines,
    /// One of these words, with what people read.
    Choice(&'static [(&'static str, &'static str)]),
}

/// A field of a widget's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key in the text.
    pub key: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What is right.
    pub hint: &'static str,
    /// How it is asked for.
    pub asks: Asks,
}

const fn field(key: &'static str, label: &'static str, hint: &'static str, asks: Asks) -> Field {
    Field { key, label, hint, asks }
}

const QUERY: Field = field("query", "Of which things", "kind:lamp AND area:Valletta; empty for all", Asks::Query);

const FIGURE: &[Field] = &[
    QUERY,
    field(
        "of",
        "Which number",
        "",
        Asks::Choice(&[
            ("count", "How many things"),
            ("sum", "Sum of a value"),
            ("mean", "Mean of a value"),
            ("min", "Least of a value"),
            ("max", "Greatest of a value"),
        ]),
    ),
    field("value", "Of which value", "power_w; not for how many things", Asks::Line),
];

const CHART: &[Field] = &[
    field(
        "lines",
        "Lines",
        "A thing's name and a value, such as lamp-0417 power_w; one a line, at most 4",
        Asks::Lines,
    ),
    field(
        "hours",
        "How far back",
        "",
        Asks::Choice(&[("1", "1 hour"), ("6", "6 hours"), ("24", "24 hours"), ("168", "7 days"), ("720", "30 days")]),
    ),
];

const TABLE: &[Field] = &[
    QUERY,
    field(
        "columns",
        "Columns",
        "kind, place, status, value, heard, alarm, or value.NAME such as value.fill_pct; one a line, at most 6",
        Asks::Lines,
    ),
];

const MAP: &[Field] = &[
    QUERY,
    field(
        "box",
        "Which part of the earth",
        "west, south, east, north in degrees; empty for all that is found",
        Asks::Line,
    ),
];

const LIST: &[Field] = &[
    field(
        "of",
        "Which alarms",
        "",
        Asks::Choice(&[("attention", "Those that nobody has acknowledged"), ("alarms", "All that are open")]),
    ),
    QUERY,
];

const GAUGE: &[Field] = &[
    field("thing", "Which thing", "Its name, such as lamp-0417", Asks::Line),
    field("value", "Which value", "dim_pct", Asks::Line),
    field("min", "Scale from", "Empty for what its kind says", Asks::Line),
    field("max", "Scale to", "Empty for what its kind says", Asks::Line),
];

const HEAT: &[Field] = &[QUERY, field("weeks", "How many weeks back", "1 to 26", Asks::Line)];

const TEXT: &[Field] = &[field("text", "Text", "As it is: no markup", Asks::Lines)];

impl Shows {
    /// The fields of a kind, in the order of the form; none of a word that is no kind.
    pub fn fields_of(word: &str) -> &'static [Field] {
        match word {
            "figure" => FIGURE,
            "chart" => CHART,
            "table" => TABLE,
            "map" => MAP,
            "list" => LIST,
            "gauge" => GAUGE,
            "heat" => HEAT,
            "text" => TEXT,
            _ => &[],
        }
    }

    /// What its fields hold, in their order.
    pub fn fields(&self) -> Vec<String> {
        match self {
            Shows::Figure { query, of, value } => vec![query.clone(), of.word().into(), bare(value).to_owned()],
            Shows::Chart { lines, hours } => {
                let lines: Vec<String> =
                    lines.iter().map(|line| format!("{} {}", line.thing, bare(&line.value))).collect();
                vec![lines.join("\n"), hours.to_string()]
            }
            Shows::Table { query, columns } => {
                let columns: Vec<String> = columns.iter().map(Column::word).collect();
                vec![query.clone(), columns.join("\n")]
            }
            Shows::Map { query, area } => {
                let corners = |GeoBox { west_deg, south_deg, east_deg, north_deg }: &GeoBox| {
                    format!("{west_deg}, {south_deg}, {east_deg}, {north_deg}")
                };
                vec![query.clone(), area.as_ref().map(corners).unwrap_or_default()]
            }
            Shows::List { of, query } => vec![of.word().into(), query.clone()],
            Shows::Gauge { thing, value, min, max } => {
                let bound = |bound: &Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                vec![thing.clone(), bare(value).to_owned(), bound(min), bound(max)]
            }
            Shows::Heat { query, weeks } => vec![query.clone(), weeks.to_string()],
            Shows::Text(text) => vec![text.clone()],
            Shows::Unread { .. } => Vec::new(),
        }
    }

    /// What these fields say of this kind, or what is wrong with them. Its queries are read too: a form does not keep one that finds
    /// nothing because nobody can read it.
    pub fn of_fields(word: &str, texts: &[String]) -> Result<Shows, String> {
        let mut written = Table::new();
        written.insert("kind".into(), word.into());
        for (field, text) in Shows::fields_of(word).iter().zip(texts) {
            if let Some(value) = value_of(field.key, text) {
                written.insert(field.key.into(), value);
            }
        }
        if written.get("of").and_then(Value::as_str) == Some(Of::Count.word()) {
            // It stays in the form for whoever chooses another number again.
            written.remove("value");
        }
        let shows = read::shows(&mut written)?;
        match read::wrong_query(&shows) {
            Some(why) => Err(why),
            None => Ok(shows),
        }
    }
}

fn value_of(key: &str, text: &str) -> Option<Value> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let number = |text: &str| match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => Value::Integer(whole),
        (Err(_), Ok(number)) => Value::Float(number),
        // The reading says what would be right.
        (Err(_), Err(_)) => Value::String(text.to_owned()),
    };
    Some(match key {
        "hours" | "weeks" | "min" | "max" => number(trimmed),
        "box" => Value::Array(trimmed.split(',').map(|part| number(part.trim())).collect()),
        "lines" => of_texts(trimmed.lines()),
        "columns" => of_texts(trimmed.split(|c: char| c == ',' || c.is_whitespace())),
        _ => Value::String(text.to_owned()),
    })
}

fn of_texts<'a>(all: impl Iterator<Item = &'a str>) -> Value {
    let texts = all.map(str::trim).filter(|text| !text.is_empty());
    Value::Array(texts.map(|text| Value::String(text.to_owned())).collect())
}
