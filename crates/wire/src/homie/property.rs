//! What a property is and takes: Homie's datatypes and formats, both ways ("Payloads", "Formats").

use fleetlens_model::kind::{Control, Takes};
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use serde_json::Value as Json;

use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::NESTING_MAX;
use crate::{WireError, json, settable};

/// How an empty text is sent, since an empty payload takes a retained message back ("Empty string values").
const EMPTY: &str = "\0";

/// Distance of two values of a float that names none; also twice how far a report may be from what was wanted.
const FLOAT_STEP: f64 = 0.01;

/// Characters of a colour or of a time.
const SHORT_MAX_CHARS: u16 = 64;

/// A property as its device describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    /// What it is called on the screen.
    pub(super) label: String,
    /// Empty for none.
    pub(super) unit: String,
    pub(super) datatype: Datatype,
    pub(super) is_settable: bool,
    /// Whether it is a state; else it is an event of the moment.
    pub(super) is_retained: bool,
    pub(super) is_dangerous: bool,
}

/// What a property's payloads are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datatype {
    Integer(Bounds),
    Float(Bounds),
    Boolean,
    Text,
    /// One of these.
    Enum(Vec<String>),
    /// In one of these forms.
    Color(Vec<ColorForm>),
    DateTime,
    /// In seconds for us, so that it can be charted and `PT5M` is `PT300S`.
    Duration,
    Json,
}

/// What a number may be, as far as that is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    min: Option<f64>,
    max: Option<f64>,
    step: Option<f64>,
}

/// How a colour is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColorForm {
    Rgb,
    Hsv,
    Xyz,
}

impl ColorForm {
    fn from_word(word: &str) -> Option<ColorForm> {
        match word {
            "rgb" => Some(ColorForm::Rgb),
            "hsv" => Some(ColorForm::Hsv),
            "xyz" => Some(ColorForm::Xyz),
            _ => None,
        }
    }

    /// The greatest value of each number; the least is 0.
    fn greatest(self) -> &'static [f64] {
        match self {
            ColorForm::Rgb => &[255.0, 255.0, 255.0],
            ColorForm::Hsv => &[360.0, 100.0, 100.0],
            ColorForm::Xyz => &[1.0, 1.0],
        }
    }
}

impl Datatype {
    /// The datatype of a word and its format; `None` where one of them is illegal: then the property is to be ignored
    /// ("Forward compatibility").
    pub(super) fn parse(word: &str, format: Option<&str>) -> Option<Datatype> {
        // Libraries write an empty format where there is none.
        let format = format.filter(|format| !format.is_empty());
        Some(match word {
            "integer" => Datatype::Integer(Bounds::parse(format, integer)?),
            "float" => Datatype::Float(Bounds::parse(format, float)?),
            "boolean" => match format {
                // It names the two values for people and does not say what is sent.
                Some(format) if format.split(',').filter(|name| !name.is_empty()).count() != 2 => return None,
                Some(_) | None => Datatype::Boolean,
            },
            "string" => Datatype::Text,
            "enum" => {
                let values: Vec<String> = format?.split(',').map(str::to_owned).collect();
                let is_value = |value: &String| !value.is_empty() && value.len() <= TEXT_MAX_BYTES;
                values.iter().all(is_value).then_some(Datatype::Enum(values))?
            }
            "color" => Datatype::Color(format?.split(',').map(ColorForm::from_word).collect::<Option<_>>()?),
            "datetime" => Datatype::DateTime,
            "duration" => Datatype::Duration,
            "json" => Datatype::Json,
            _ => return None,
        })
    }

    /// What a payload says. A number outside its bounds is taken: that it should not be so is no reason not to know it.
    pub(super) fn read(&self, text: &str, at: &str) -> Result<Value, WireError> {
        let wrong = |wanted| json::wrong(at, &Json::from(text), wanted);
        match self {
            Datatype::Integer(_) => {
                integer(text).map(Value::Number).ok_or_else(|| wrong("a whole number of 64 bits, digits only"))
            }
            Datatype::Float(_) => float(text).map(Value::Number).ok_or_else(|| wrong("a number such as -20.5 or 1e3")),
            Datatype::Boolean => match text {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ => Err(wrong("true or false, in lower case")),
            },
            Datatype::Text if text == EMPTY => Ok(Value::Text(String::new())),
            Datatype::Text => Ok(Value::Text(text.to_owned())),
            Datatype::Enum(values) if values.iter().any(|value| value == text) => Ok(Value::Text(text.to_owned())),
            Datatype::Enum(_) => Err(wrong("one of the values of its format, to the letter")),
            Datatype::Color(forms) if is_color(text, forms) => Ok(Value::Text(text.to_owned())),
            Datatype::Color(_) => Err(wrong("a colour in a form of its format, such as rgb,255,100,0")),
            Datatype::DateTime if is_time(text) => Ok(Value::Text(text.to_owned())),
            Datatype::DateTime => Err(wrong("a time such as 2026-11-21T08:00:00Z")),
            Datatype::Duration => {
                seconds(text).map(Value::Number).ok_or_else(|| wrong("a duration such as PT12H5M46S"))
            }
            Datatype::Json => match json::document(text.as_bytes(), TEXT_MAX_BYTES, NESTING_MAX)? {
                Json::Array(_) | Json::Object(_) => Ok(Value::Text(text.to_owned())),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                    Err(wrong("a JSON object or array; other values have datatypes of their own"))
                }
            },
        }
    }
}

impl Property {
    /// Its unit on the screen.
    pub(super) fn shown_unit(&self) -> &str {
        match self.datatype {
            Datatype::Duration => "s",
            Datatype::Integer(_)
            | Datatype::Float(_)
            | Datatype::Boolean
            | Datatype::Text
            | Datatype::Enum(_)
            | Datatype::Color(_)
            | Datatype::DateTime
            | Datatype::Json => &self.unit,
        }
    }

    /// How a person sets it. An event of the moment has no control: what we send may be late or come twice, and nothing tells
    /// afterwards that it was obeyed. JSON has none either.
    pub(super) fn control(&self, pointer: &str) -> Option<Control> {
        if !self.is_settable || !self.is_retained {
            return None;
        }
        let range = |bounds: &Bounds, step: f64| {
            settable::range(bounds.min, bounds.max, bounds.step.unwrap_or(step), self.shown_unit())
        };
        let takes = match &self.datatype {
            Datatype::Integer(bounds) => range(bounds, 1.0),
            Datatype::Float(bounds) => range(bounds, FLOAT_STEP),
            Datatype::Duration => range(&Bounds { min: Some(0.0), ..Bounds::default() }, 1.0),
            Datatype::Boolean => Takes::Switch,
            Datatype::Enum(values) => settable::choice(values.iter().map(String::as_str))?,
            Datatype::Text => Takes::Text { max_chars: settable::TEXT_MAX_CHARS },
            Datatype::Color(_) | Datatype::DateTime => Takes::Text { max_chars: SHORT_MAX_CHARS },
            Datatype::Json => return None,
        };
        Some(settable::control(pointer, &self.label, takes, self.is_dangerous))
    }

    /// The payload that sets it, or a sentence why there is none.
    pub(super) fn write(&self, wanted: &Json) -> Result<Vec<u8>, String> {
        let no = |takes: &str| {
            Err(format!("{} takes {takes}, not {}", self.label, quote(&wanted.to_string(), QUOTE_MAX_CHARS)))
        };
        let text = match (&self.datatype, wanted) {
            (Datatype::Boolean, Json::Bool(on)) => on.to_string(),
            (Datatype::Boolean, _) => return no("true or false"),
            (Datatype::Integer(_), Json::Number(n)) => match (n.as_i64(), n.as_f64()) {
                (Some(whole), _) => whole.to_string(),
                // A screen may well write 3.0; beyond 2⁵³ a float is no exact whole number any more.
                (None, Some(n)) if n.fract() == 0.0 && n.abs() < 9e15 => (n as i64).to_string(),
                (None, Some(_) | None) => return no("a whole number"),
            },
            (Datatype::Integer(_), _) => return no("a whole number"),
            (Datatype::Float(_), Json::Number(n)) => match n.as_f64().filter(|n| n.is_finite()) {
                Some(n) => n.to_string(),
                None => return no("a number"),
            },
            (Datatype::Float(_), _) => return no("a number"),
            (Datatype::Duration, Json::Number(n)) => match n.as_f64().filter(|n| n.is_finite() && *n >= 0.0) {
                Some(n) => format!("PT{n}S"),
                None => return no("a number of seconds from 0"),
            },
            (Datatype::Duration, _) => return no("a number of seconds from 0"),
            (Datatype::Enum(values), Json::String(word)) if values.contains(word) => word.clone(),
            (Datatype::Enum(_), _) => return no("one of the values of its format"),
            (Datatype::Text, Json::String(text)) if text.is_empty() => EMPTY.to_owned(),
            (Datatype::Text, Json::String(text)) => text.clone(),
            (Datatype::Text, _) => return no("a text"),
            (Datatype::Color(forms), Json::String(text)) if is_color(text, forms) => text.clone(),
            (Datatype::Color(_), _) => return no("a colour in a form of its format, such as rgb,255,100,0"),
            (Datatype::DateTime, Json::String(text)) if is_time(text) => text.clone(),
            (Datatype::DateTime, _) => return no("a time such as 2026-11-21T08:00:00Z"),
            (Datatype::Json, _) => return Err(format!("{} can only be read", self.label)),
        };
        Ok(text.into_bytes())
    }
}

impl Bounds {
    /// Reads `[min]:[max][:step]`.
    fn parse(format: Option<&str>, number: impl Fn(&str) -> Option<f64>) -> Option<Bounds> {
        let Some(format) = format else { return Some(Bounds::default()) };
        let mut parts = format.split(':').map(|part| match part {
            "" => Some(None),
            part => number(part).map(Some),
        });
        let (min, max) = (parts.next()??, parts.next()??);
        let step = parts.next().unwrap_or(Some(None))?;
        let in_order = !matches!((min, max), (Some(min), Some(max)) if min > max);
        let goes_on = step.is_none_or(|step| step > 0.0);
        (in_order && goes_on && parts.next().is_none()).then_some(Bounds { min, max, step })
    }
}

/// A whole number: digits, and a minus before them. Beyond 2⁵³ the nearest that is kept.
fn integer(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse::<i64>().ok())?.map(|n| n as f64)
}

/// A number without the words and the plus that Rust would take.
fn float(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'e' | b'E'));
    is_number.then(|| text.parse::<f64>().ok())?.filter(|n| n.is_finite())
}

fn is_color(text: &str, forms: &[ColorForm]) -> bool {
    let mut parts = text.split(',');
    let form = parts.next().and_then(ColorForm::from_word).filter(|form| forms.contains(form));
    let Some(form) = form else { return false };
    let fits = |greatest: &f64| parts.next().and_then(float).is_some_and(|n| (0.0..=*greatest).contains(&n));
    form.greatest().iter().all(fits) && parts.next().is_none()
}

/// A day, a time of day or both; there are more forms of ISO 8601 than anybody sends.
fn is_time(text: &str) -> bool {
    text.len() <= usize::from(SHORT_MAX_CHARS)
        && (text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok() || text.parse::<Time>().is_ok())
}

/// The seconds of `PTxHxMxS`, each part once, in this order, and at least one.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix("PT").filter(|rest| !rest.is_empty())?;
    let mut seconds = 0.0;
    for (unit, factor) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let is_number = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            seconds += is_number.then(|| number.parse::<f64>().ok())?? * factor;
            rest = after;
        }
    }
    (rest.is_empty() && seconds.is_finite()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn property(datatype: &str, format: Option<&str>) -> Property {
        Property {
            label: "It".into(),
            unit: "°C".into(),
            datatype: Datatype::parse(datatype, format).unwrap(),
            is_settable: true,
            is_retained: true,
            is_dangerous: false,
        }
    }

    #[test]
    fn a_payload_is_a_value_of_its_datatype_or_refused() {
        let n = |n| Some(Value::Number(n));
        let text = |text: &str| Some(Value::Text(text.into()));
        for (datatype, format, payload, want) in [
            ("integer", None, "-12", n(-12.0)),
            ("integer", Some("0:5"), "7", n(7.0)),
            ("integer", None, "9223372036854775807", n(9_223_372_036_854_775_807.0)),
            ("integer", None, "9223372036854775808", None),
            ("integer", None, "+1", None),
            ("integer", None, "-", None),
            ("integer", None, "1.0", None),
            ("integer", None, "", None),
            ("float", None, "21.5", n(21.5)),
            ("float", None, "-1.5E-3", n(-0.0015)),
            ("float", None, "NaN", None),
            ("float", None, "inf", None),
            ("float", None, "1e999", None),
            ("float", None, " 1", None),
            ("float", None, "-", None),
            ("boolean", Some("close,open"), "true", Some(Value::Flag(true))),
            ("boolean", Some("close,open"), "open", None),
            ("boolean", None, "TRUE", None),
            ("string", None, "\0", text("")),
            ("string", None, " Ħ ", text(" Ħ ")),
            ("enum", Some("low, high"), " high", text(" high")),
            ("enum", Some("low, high"), "high", None),
            ("color", Some("hsv,rgb"), "rgb,100,100.5,255", text("rgb,100,100.5,255")),
            ("color", Some("rgb"), "hsv,300,50,75", None),
            ("color", Some("rgb"), "rgb,256,0,0", None),
            ("color", Some("rgb"), "rgb,1,0", None),
            ("color", Some("rgb"), "rgb,1,0,0,0", None),
            ("color", Some("xyz"), "xyz,0.25,0.34", text("xyz,0.25,0.34")),
            ("datetime", None, "2026-11-21T08:00:00Z", text("2026-11-21T08:00:00Z")),
            ("datetime", None, "2026-11-21", text("2026-11-21")),
            ("datetime", None, "yesterday", None),
            ("duration", None, "PT12H5M46S", n(43_546.0)),
            ("duration", None, "PT5M", n(300.0)),
            ("duration", None, "PT", None),
            ("duration", None, "PT5", None),
            ("duration", None, "PT1S5M", None),
            ("duration", None, "P1D", None),
            ("json", None, r#"{"a":[1]}"#, text(r#"{"a":[1]}"#)),
            ("json", None, "1", None),
            ("json", None, "[[[[[[[[[]]]]]]]]]", None),
        ] {
            assert_eq!(property(datatype, format).datatype.read(payload, "/a/b").ok(), want, "{datatype} {payload:?}");
        }
    }

    #[test]
    fn an_illegal_format_makes_no_property() {
        for (datatype, format, is_legal) in [
            ("integer", Some("2:6:2"), true),
            ("integer", Some(":10"), true),
            ("integer", Some("0:"), true),
            ("integer", Some(":"), true),
            ("integer", Some("0.5:1"), false),
            ("integer", Some("10"), false),
            ("float", Some("-20.5:120"), true),
            ("float", Some("5:1"), false),
            ("float", Some("0:1:0"), false),
            ("float", Some("0:1:0.1:2"), false),
            ("boolean", Some("on"), false),
            ("boolean", Some(""), true),
            ("float", Some(""), true),
            ("enum", Some(""), false),
            ("enum", None, false),
            ("enum", Some("a,,b"), false),
            ("color", None, false),
            ("color", Some("cmyk"), false),
            ("percent", None, false),
        ] {
            assert_eq!(Datatype::parse(datatype, format).is_some(), is_legal, "{datatype} {format:?}");
        }
    }

    /// What is sent is read back as what was wanted: so a device that obeys settles the command.
    #[test]
    fn what_is_sent_is_what_the_device_will_say() {
        for (datatype, format, wanted, payload, said) in [
            ("integer", None, json!(3), "3", Value::Number(3.0)),
            ("integer", None, json!(3.0), "3", Value::Number(3.0)),
            ("float", Some("5:30:0.5"), json!(21.5), "21.5", Value::Number(21.5)),
            ("float", None, json!(-20), "-20", Value::Number(-20.0)),
            ("boolean", Some("off,on"), json!(true), "true", Value::Flag(true)),
            ("enum", Some("low,high"), json!("high"), "high", Value::Text("high".into())),
            ("string", None, json!(""), "\0", Value::Text(String::new())),
            ("string", None, json!("Ħello"), "Ħello", Value::Text("Ħello".into())),
            ("color", Some("rgb"), json!("rgb,1,2,3"), "rgb,1,2,3", Value::Text("rgb,1,2,3".into())),
            ("datetime", None, json!("2026-11-21"), "2026-11-21", Value::Text("2026-11-21".into())),
            ("duration", None, json!(90), "PT90S", Value::Number(90.0)),
        ] {
            let property = property(datatype, format);
            assert_eq!(property.control("/a/b").unwrap().check(&wanted), Ok(()), "{datatype}");
            assert_eq!(property.write(&wanted).unwrap(), payload.as_bytes(), "{datatype}");
            assert_eq!(property.datatype.read(payload, "/a/b").unwrap(), said, "{datatype}");
        }
        for (datatype, format, wanted, says) in [
            ("integer", None, json!(1.5), "It takes a whole number, not 1.5"),
            ("float", None, json!("1"), "takes a number"),
            ("boolean", None, json!(1), "true or false"),
            ("enum", Some("a,b"), json!("c"), "one of the values"),
            ("string", None, json!(1), "a text"),
            ("color", Some("rgb"), json!("hsv,1,2,3"), "such as rgb,255,100,0"),
            ("datetime", None, json!("now"), "2026"),
            ("duration", None, json!(-1), "seconds from 0"),
            ("json", None, json!({}), "It can only be read"),
        ] {
            let no = property(datatype, format).write(&wanted).unwrap_err();
            assert!(no.contains(says), "{datatype}: {no}");
        }
    }

    #[test]
    fn a_control_has_the_bounds_of_its_format() {
        let takes = |property: &Property| property.control("/a/b").map(|control| (control.takes, control.tolerance));
        let range = |min, max, step, unit: &str| Takes::Range { min, max, step, unit: unit.to_owned().into() };
        let float = property("float", Some("5:30:0.5"));
        assert_eq!(takes(&float), Some((range(5.0, 30.0, 0.5, "°C"), 0.25)));
        assert_eq!(takes(&property("duration", None)), Some((range(0.0, 1e6, 1.0, "s"), 0.5)));
        assert_eq!(takes(&property("json", None)), None);
        assert_eq!(takes(&Property { is_settable: false, ..float.clone() }), None);
        assert_eq!(takes(&Property { is_retained: false, ..float }), None, "an event of the moment");
    }
}
