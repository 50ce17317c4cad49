//! SenML as JSON (RFC 8428): a list of records, each a value with what it inherits from those before it.
//!
//! The base name is the thing, unless the topic names it, and the rest of a record's name is the value's. Records are gathered
//! by thing and time. A value whose unit is `lat` or `lon` is the position (RFC 8428, section 12.1).

use std::collections::BTreeMap;

use fleetlens_model::shadow::Object;
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::{POINTER_MAX_BYTES, Reading, Telemetry, Whose, add, check_length, finish};
use crate::{WireError, json};

/// The version this reads (RFC 8428, section 4.4); a pack of a later one is refused, as it must be.
const VERSION_MAX: f64 = 10.0;

/// Times below are seconds from now, others since 1970 (RFC 8428, section 4.5.3): 2²⁸ s.
const RELATIVE_BELOW_S: f64 = 268_435_456.0;

/// The latest time, in seconds since 1970, as for other shapes.
const TIME_MAX_S: f64 = 1e11;

/// Name of a value whose record adds nothing to the base name.
const UNNAMED: &str = "value";

/// What names join with where a base name ends, which is no part of the thing's name.
const JOINTS: [char; 5] = [':', '/', '.', '-', '_'];

/// What a record inherits from those before it.
#[derive(Default)]
struct Base {
    name: String,
    time_s: f64,
    unit: Option<String>,
    value: f64,
    sum: f64,
}

/// Reads the records of a pack received at `now`.
pub(crate) fn decode(records: &[Json], reading: &Reading, now: WallMs) -> Result<Vec<Telemetry>, WireError> {
    let mut base = Base::default();
    let mut gathered: BTreeMap<(Option<String>, Option<WallMs>), Telemetry> = BTreeMap::new();
    let mut only = None::<String>;
    for (index, record) in records.iter().enumerate() {
        let Json::Object(record) = record else {
            return Err(json::wrong(&format!("/{index}"), record, "a SenML record"));
        };
        base.follow(record)?;
        let Some(entry) = Entry::read(record, &base, now)? else { continue };
        let thing = match &reading.whose {
            Whose::Shape => Some(entry.thing()?),
            Whose::Topic | Whose::Pointer(_) => {
                let first = only.get_or_insert_with(|| base.name.clone());
                if *first != base.name {
                    let name = Json::from(base.name.as_str());
                    return Err(json::wrong("bn", &name, "the same in the whole pack where the topic names the thing"));
                }
                None
            }
        };
        let said = gathered.entry((thing.clone(), entry.at)).or_default();
        (said.thing, said.claimed) = (thing, entry.at);
        entry.tell(said)?;
    }
    gathered.into_values().map(|said| finish(said, reading)).collect()
}

impl Base {
    /// Takes over what a record says for itself and all that follow.
    fn follow(&mut self, record: &Object) -> Result<(), WireError> {
        if let Some(version) = number(record, "bver")?.filter(|version| *version > VERSION_MAX) {
            return Err(json::wrong("bver", &Json::from(version), "at most 10, the version of RFC 8428"));
        }
        if let Some((field, value)) = record.iter().find(|(field, _)| field.ends_with('_')) {
            return Err(json::wrong(field, value, "left out: what ends in _ must be understood, and is not"));
        }
        if let Some(name) = text(record, "bn")? {
            name.clone_into(&mut self.name);
        }
        if let Some(unit) = text(record, "bu")? {
            self.unit = Some(unit.to_owned());
        }
        self.time_s = number(record, "bt")?.unwrap_or(self.time_s);
        self.value = number(record, "bv")?.unwrap_or(self.value);
        self.sum = number(record, "bs")?.unwrap_or(self.sum);
        Ok(())
    }
}

/// A resolved record.
struct Entry<'a> {
    base_name: &'a str,
    name: &'a str,
    unit: Option<&'a str>,
    at: Option<WallMs>,
    value: Option<Value>,
    sum: Option<f64>,
}

impl<'a> Entry<'a> {
    /// A record with what it inherits; `None` for one that only sets the base.
    fn read(record: &'a Object, base: &'a Base, now: WallMs) -> Result<Option<Entry<'a>>, WireError> {
        let value = value(record, base)?;
        let sum = number(record, "s")?.map(|sum| sum + base.sum);
        if value.is_none() && sum.is_none() {
            return Ok(None);
        }
        let name = text(record, "n")?.unwrap_or("");
        check_name(&base.name, name)?;
        let unit = text(record, "u")?.or(base.unit.as_deref());
        let at = time(base.time_s + number(record, "t")?.unwrap_or(0.0), now)?;
        Ok(Some(Entry { base_name: &base.name, name, unit, at, value, sum }))
    }

    /// The thing, by the base name.
    fn thing(&self) -> Result<String, WireError> {
        let name = self.base_name.trim_end_matches(JOINTS);
        // Without a base the whole name is in one piece, and only its owner knows where the thing's ends.
        if name.is_empty() { Err(json::missing("bn")) } else { Ok(name.to_owned()) }
    }

    fn tell(self, said: &mut Telemetry) -> Result<(), WireError> {
        let own = self.name.trim_start_matches(JOINTS);
        let pointer = match self.unit {
            Some("lat") => "/lat".to_owned(),
            Some("lon") => "/lon".to_owned(),
            Some(_) | None => format!("/{}", if own.is_empty() { UNNAMED } else { own }),
        };
        check_length(&pointer)?;
        let sum_pointer = format!("{pointer}/sum");
        if let Some(unit) = self.unit.map(shown).filter(|unit| !unit.is_empty()) {
            said.about.units.push((pointer.clone(), unit));
        }
        if let Some(value) = self.value {
            add(pointer, value, &mut said.values)?;
        }
        if let Some(sum) = self.sum {
            check_length(&sum_pointer)?;
            add(sum_pointer, finite(sum, "s")?, &mut said.values)?;
        }
        Ok(())
    }
}

/// The value of a record, of which it may have one.
fn value(record: &Object, base: &Base) -> Result<Option<Value>, WireError> {
    let mut given = ["v", "vs", "vb", "vd"].into_iter().filter_map(|field| Some((field, record.get(field)?)));
    let first = given.next();
    if let (Some((field, value)), Some(_)) = (first, given.next()) {
        return Err(json::wrong(field, value, "the only value of its record"));
    }
    let Some((field, value)) = first else { return Ok(None) };
    match (field, value) {
        ("v", Json::Number(_)) => finite(number(record, "v")?.unwrap_or(0.0) + base.value, "v").map(Some),
        ("vs" | "vd", Json::String(text)) if text.len() <= TEXT_MAX_BYTES => Ok(Some(Value::Text(text.clone()))),
        ("vb", Json::Bool(flag)) => Ok(Some(Value::Flag(*flag))),
        ("v", other) => Err(json::wrong("v", other, "a number")),
        ("vb", other) => Err(json::wrong("vb", other, "true or false")),
        (field, other) => Err(json::wrong(field, other, "a text of at most 1024 bytes")),
    }
}

/// Letters, digits and `- : . / _`, beginning with a letter or a digit (RFC 8428, section 4.5.1).
fn check_name(base: &str, own: &str) -> Result<(), WireError> {
    let (given, max) = (base.len() + own.len(), POINTER_MAX_BYTES);
    if given > max {
        // Before anything is made of it: each of thousands of records would have a copy.
        let pointer: String = base.chars().chain(own.chars()).take(QUOTE_MAX_CHARS).collect();
        return Err(WireError::NameTooLong { pointer: quote(&pointer, QUOTE_MAX_CHARS), given, max });
    }
    let all = || base.chars().chain(own.chars());
    let begins = all().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if begins && all().all(|c| c.is_ascii_alphanumeric() || JOINTS.contains(&c)) {
        return Ok(());
    }
    let whole: String = all().take(80).collect();
    Err(json::wrong("n", &Json::from(whole), "letters, digits and - : . / _, beginning with a letter or a digit"))
}

/// When a value was measured; `None` for a record without a time, which means about now.
fn time(time_s: f64, now: WallMs) -> Result<Option<WallMs>, WireError> {
    let ms = (time_s * 1000.0).round() as i64;
    if time_s == 0.0 {
        Ok(None)
    } else if time_s.abs() < RELATIVE_BELOW_S {
        Ok(Some(now.plus(ms)))
    } else if (0.0..TIME_MAX_S).contains(&time_s) {
        Ok(Some(WallMs(ms)))
    } else {
        Err(json::wrong("t", &Json::from(time_s), "seconds since 1970, or from now"))
    }
}

/// Where a record has a time since 1970; one that is counted from now, or from the base, goes with what it is counted from.
pub(crate) fn times(record: &Json) -> Vec<String> {
    let is_absolute =
        |field: &&str| record.get(*field).and_then(Json::as_f64).is_some_and(|s| s.abs() >= RELATIVE_BELOW_S);
    ["bt", "t"].into_iter().filter(is_absolute).map(|field| format!("/{field}")).collect()
}

/// A unit as people write it; the rest of the registry (RFC 8428, section 12.1) is written as it is.
fn shown(unit: &str) -> String {
    crate::meta::words(match unit {
        "Cel" => "°C",
        "%RH" | "%EL" => "%",
        "lat" | "lon" => "°",
        "count" => "",
        other => other,
    })
}

fn finite(n: f64, field: &str) -> Result<Value, WireError> {
    if n.is_finite() {
        return Ok(Value::Number(n));
    }
    Err(json::wrong(field, &Json::Null, "a number that fits 64-bit floating point with its base"))
}

fn number(record: &Object, field: &str) -> Result<Option<f64>, WireError> {
    let Some(value) = record.get(field) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| json::wrong(field, value, "a number"))
}

fn text<'a>(record: &'a Object, field: &str) -> Result<Option<&'a str>, WireError> {
    let Some(value) = record.get(field) else { return Ok(None) };
    value.as_str().map(Some).ok_or_else(|| json::wrong(field, value, "a text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Shape, decode};

    const NOW: WallMs = WallMs(1_700_000_000_000);

    fn reading(whose: Whose) -> Reading {
        Reading { shape: Shape::Senml, whose, ..Reading::default() }
    }

    /// The examples of RFC 8428, section 5.1, and what the RFC says they mean.
    #[test]
    fn the_examples_of_the_rfc_mean_what_it_says() {
        let one = r#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#;
        let said = decode(one.as_bytes(), &reading(Whose::Topic), NOW).unwrap();
        assert_eq!(said[0].values, [("/urn:dev:ow:10e2073a01080063".to_owned(), Value::Number(23.1))]);
        assert_eq!(said[0].claimed, None);
        assert_eq!(said[0].about.units[0].1, "°C");

        let several = r#"[
            {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
            {"n":"current","t":-5,"v":1.2},
            {"n":"current","t":-4,"v":1.3},
            {"n":"current","v":1.7}]"#;
        let said = decode(several.as_bytes(), &reading(Whose::Shape), NOW).unwrap();
        let read: Vec<_> = said
            .iter()
            .map(|one| {
                let values: Vec<&str> = one.values.iter().map(|(pointer, _)| pointer.as_str()).collect();
                (one.thing.as_deref().unwrap(), one.claimed.unwrap().0, values)
            })
            .collect();
        let thing = "urn:dev:ow:10e2073a0108006";
        assert_eq!(
            read,
            [
                (thing, 1_276_020_071_001, vec!["/current"]),
                (thing, 1_276_020_072_001, vec!["/current"]),
                (thing, 1_276_020_076_001, vec!["/current", "/voltage"]),
            ]
        );
        assert_eq!(said[2].values[1].1, Value::Number(120.1));
        assert_eq!(said[2].about.units, [("/voltage".into(), "V".into()), ("/current".into(), "A".into())]);
    }

    #[test]
    fn every_kind_of_value_is_read_with_its_base() {
        let pack = r#"[
            {"bn":"urn:dev:mac:0024befffe804ff1/","bu":"lux","bv":100,"bs":10,"t":-60,"n":"light","v":20.5},
            {"n":"door","t":-60,"vb":true},{"n":"label","t":-60,"vs":"Machine Room"},
            {"n":"wind","t":-60,"v":0,"s":90,"u":"m"},{"n":"gps","u":"lat","bv":0,"t":-60,"v":60.2},
            {"n":"gps","u":"lon","t":-60,"v":24.9},{"bn":"urn:dev:mac:second","v":1}]"#;
        let said = decode(pack.as_bytes(), &reading(Whose::Shape), NOW).unwrap();
        let n = Value::Number;
        let want = [
            ("/door", Value::Flag(true)),
            ("/label", Value::Text("Machine Room".into())),
            ("/lat", n(60.2)),
            ("/light", n(120.5)),
            ("/lon", n(24.9)),
            ("/wind", n(100.0)),
            ("/wind/sum", n(100.0)),
        ];
        assert_eq!(said[0].values, want.map(|(pointer, value)| (pointer.to_owned(), value)));
        assert_eq!(said[0].claimed, Some(NOW.plus(-60_000)), "a minute ago");
        assert_eq!(said[0].thing.as_deref(), Some("urn:dev:mac:0024befffe804ff1"));
        assert_eq!(said[1].thing.as_deref(), Some("urn:dev:mac:second"));
        assert_eq!(said[1].values[0].0, "/value");
    }

    #[test]
    fn a_pack_that_is_none_is_refused_whole() {
        let long = format!(r#"[{{"bn":"{}","v":1}}]"#, "n".repeat(257));
        let many = format!("[{}]", vec!["{\"n\":\"a\",\"v\":1}"; 4_097].join(","));
        for (pack, says) in [
            (r#"[1]"#, "\"/0\" is 1; it must be a SenML record"),
            (r#"[{"n":"a","v":"1"}]"#, "\"v\" is \"1\"; it must be a number"),
            (r#"[{"n":"a","v":1,"vb":true}]"#, "the only value of its record"),
            (r#"[{"n":"a b","v":1}]"#, "letters, digits"),
            (r#"[{"n":"-a","v":1}]"#, "beginning with a letter"),
            (r#"[{"v":1}]"#, "letters, digits"),
            (r#"[{"bver":11,"n":"a","v":1}]"#, "at most 10"),
            (r#"[{"n":"a","v":1,"sig_":1}]"#, "must be understood"),
            (r#"[{"n":"a","v":1,"t":-1e9}]"#, "seconds since 1970, or from now"),
            (r#"[{"n":"a","bv":1.7e308,"v":1.7e308}]"#, "64-bit floating point"),
            (r#"[{"n":"a","v":1e999}]"#, "not JSON"),
            (r#"[{"n":"a","v":1},{"n":"a","v":2}]"#, "two values are called \"/a\""),
            (long.as_str(), "has 257 bytes; at most 256"),
            (many.as_str(), "lists 4097 entries; at most 4096"),
        ] {
            let error = decode(pack.as_bytes(), &reading(Whose::Topic), NOW).unwrap_err().to_string();
            assert!(error.contains(says), "{pack:.80}: {error}");
        }
        let nobodys = decode(br#"[{"n":"temp","v":1}]"#, &reading(Whose::Shape), NOW).unwrap_err().to_string();
        assert_eq!(nobodys, "the field \"bn\" is missing");
        let two = br#"[{"bn":"a:","n":"t","v":1},{"bn":"b:","n":"t","v":2}]"#;
        let two = decode(two, &reading(Whose::Topic), NOW).unwrap_err().to_string();
        assert!(two.contains("the same in the whole pack where the topic names the thing"), "{two}");
    }
}
