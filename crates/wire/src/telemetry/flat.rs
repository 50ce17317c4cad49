//! The telemetry that most devices write, read where it lies: one object of a few plain values, perhaps in an envelope, perhaps with a
//! time in milliseconds beside it. Nothing is allocated and no tree is built.
//!
//! Whatever is anything else (nested values, escapes, exponents, a mistake) is left to [`super::decode`], which also says what is wrong with
//! it; a test holds that both read the same.

use fleetlens_model::telemetry::TEXT_MAX_BYTES;
use fleetlens_model::time::WallMs;

use super::{PAYLOAD_MAX_BYTES, Reading, Shape, Whose};
use crate::time;

/// Values of one message that are read here.
const FLAT_VALUES_MAX: usize = 24;

/// Digits of a number that a float surely holds.
const DIGITS_MAX: usize = 15;

/// Powers of ten by which a float is divided without a second rounding.
const TENS: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// How such payloads of one rule are read; made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat {
    envelope: Option<String>,
    time: Option<String>,
}

/// A value where it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scalar<'a> {
    /// Nothing was said.
    #[default]
    Null,
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(&'a str),
}

/// What such a message says.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The device's time, not judged yet.
    pub claimed: Option<WallMs>,
    values: [(&'a str, Scalar<'a>); FLAT_VALUES_MAX],
    count: usize,
}

impl<'a> Said<'a> {
    /// Names as they stand in the payload, and values, in its order. None is [`Scalar::Null`]; a name may be there twice.
    pub fn values(&self) -> &[(&'a str, Scalar<'a>)] {
        self.values.get(..self.count).unwrap_or_default()
    }

    fn add(&mut self, name: &'a str, value: Scalar<'a>) -> Option<()> {
        // A name that is said twice may be said and taken back, which only the other reading knows.
        if value == Scalar::Null {
            return None;
        }
        *self.values.get_mut(self.count)? = (name, value);
        self.count += 1;
        Some(())
    }
}

impl Flat {
    /// How the payloads of a rule are read here; `None` where the rule asks for more.
    pub fn of(reading: &Reading) -> Option<Flat> {
        let is_plain = reading.shape == Shape::Json && reading.whose == Whose::Topic && reading.uses.is_empty();
        if !is_plain || reading.list.name() != Some("") {
            return None;
        }
        let named = |name: &str| Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
        let envelope = named(reading.envelope.name()?);
        let time = match &reading.time {
            None => None,
            // The whole message is no time.
            Some(pointer) => Some(named(pointer.name()?)?),
        };
        // The envelope itself is no time either.
        (envelope.is_none() || envelope != time).then_some(Flat { envelope, time })
    }

    /// Reads a payload, or leaves it to [`super::decode`].
    pub fn read<'a>(&self, payload: &'a [u8]) -> Option<Said<'a>> {
        if payload.len() > PAYLOAD_MAX_BYTES {
            return None;
        }
        let mut text = Text { text: std::str::from_utf8(payload).ok()?, at: 0 };
        let mut said = Said { claimed: None, values: [Default::default(); FLAT_VALUES_MAX], count: 0 };
        let (mut has_time, mut has_envelope) = (false, self.envelope.is_none());
        text.object(|text, name| {
            if self.time.as_deref() == Some(name) {
                // Said twice it is the last that counts, which only the other reading knows.
                if std::mem::replace(&mut has_time, true) {
                    return None;
                }
                said.claimed = match text.scalar()? {
                    Scalar::Null => None,
                    Scalar::Number(number) => Some(time::moment(number)?),
                    Scalar::Flag(_) | Scalar::Text(_) => return None,
                };
                return Some(());
            }
            match self.envelope.as_deref() {
                None => said.add(name, text.scalar()?),
                Some(envelope) if envelope == name => {
                    if std::mem::replace(&mut has_envelope, true) {
                        return None;
                    }
                    text.object(|text, name| said.add(name, text.scalar()?))
                }
                // What stands beside the values is of no interest.
                Some(_) => text.scalar().map(drop),
            }
        })?;
        text.space();
        (has_envelope && text.at == text.text.len()).then_some(said)
    }
}

/// A text that is being read.
struct Text<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Text<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.next()? == byte).then_some(())
    }

    /// An object, whose members somebody else reads from after their colons on.
    fn object(&mut self, mut member: impl FnMut(&mut Text<'a>, &'a str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            let name = self.rest_of_string()?;
            self.expect(b':')?;
            member(self, name)?;
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn scalar(&mut self) -> Option<Scalar<'a>> {
        self.space();
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.rest_of_string().filter(|text| text.len() <= TEXT_MAX_BYTES).map(Scalar::Text)
            }
            b't' => self.word("true", Scalar::Flag(true)),
            b'f' => self.word("false", Scalar::Flag(false)),
            b'n' => self.word("null", Scalar::Null),
            _ => self.number().map(Scalar::Number),
        }
    }

    fn word(&mut self, word: &str, value: Scalar<'a>) -> Option<Scalar<'a>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(value)
    }

    /// From after its quote to after the other; none with escapes.
    fn rest_of_string(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            match self.next()? {
                b'"' => return self.text.get(start..self.at - 1),
                b'\\' | 0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn digits(&mut self, number: &mut u64) -> usize {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - start
    }

    /// A number without an exponent that a float holds to its last digit.
    fn number(&mut self) -> Option<f64> {
        let is_negative = self.peek() == Some(b'-');
        self.at += usize::from(is_negative);
        let leads_with_zero = self.peek() == Some(b'0');
        let mut number = 0;
        let whole = self.digits(&mut number);
        let mut decimals = 0;
        if self.peek() == Some(b'.') {
            self.at += 1;
            decimals = self.digits(&mut number);
            if decimals == 0 {
                return None;
            }
        }
        let is_usual = whole > 0 && !(leads_with_zero && whole > 1) && whole + decimals <= DIGITS_MAX;
        let goes_on = matches!(self.peek(), Some(b'e' | b'E' | b'.' | b'-' | b'+'));
        // Zero has two signs.
        if !is_usual || goes_on || (is_negative && number == 0) {
            return None;
        }
        let number = number as f64 / TENS.get(decimals)?;
        Some(if is_negative { -number } else { number })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fleetlens_model::shadow::pointer_of;
    use fleetlens_model::telemetry::Value;
    use proptest::prelude::*;

    use super::*;
    use crate::pointer::Pointer;
    use crate::telemetry::{Use, decode};

    fn reading(envelope: &str, time: Option<&str>) -> Reading {
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        Reading { envelope: pointer(envelope), time: time.map(pointer), ..Reading::default() }
    }

    /// What is read here is what is read there.
    fn agrees(payload: &[u8], reading: &Reading) -> bool {
        let Some(said) = Flat::of(reading).and_then(|flat| {
            flat.read(payload).map(|said| {
                let value = |scalar: &Scalar<'_>| match scalar {
                    Scalar::Null => unreachable!("left out"),
                    Scalar::Number(number) => Value::Number(*number),
                    Scalar::Flag(flag) => Value::Flag(*flag),
                    Scalar::Text(text) => Value::Text((*text).to_owned()),
                };
                let mut values: Vec<(String, Value)> =
                    said.values().iter().map(|(name, scalar)| (pointer_of([*name]), value(scalar))).collect();
                values.sort_by(|(a, _), (b, _)| a.cmp(b));
                (said.claimed, values)
            })
        }) else {
            return false;
        };
        // A name said twice is the one thing that whoever uses this has to look for.
        let names: BTreeMap<&String, &Value> = said.1.iter().map(|(name, value)| (name, value)).collect();
        if names.len() < said.1.len() {
            return true;
        }
        let other = decode(payload, reading, WallMs(0)).unwrap_or_else(|e| panic!("{e}: {payload:?}"));
        assert_eq!(other.len(), 1);
        assert_eq!((said.0, &said.1), (other[0].claimed, &other[0].values), "{}", String::from_utf8_lossy(payload));
        for ((_, one), (_, two)) in said.1.iter().zip(&other[0].values) {
            if let (Value::Number(one), Value::Number(two)) = (one, two) {
                assert_eq!(one.to_bits(), two.to_bits());
            }
        }
        true
    }

    #[test]
    fn what_devices_write_is_read_here_and_the_rest_is_left() {
        let enveloped = reading("/values", Some("/ts"));
        let bare = reading("", Some("/ts"));
        for (payload, reading, is_read) in [
            (r#"{"ts":1700000000000,"values":{"power_w":61.8,"on":true,"state":"charging"}}"#, &enveloped, true),
            (" {\n\"values\" : { \"a\" : -0.25 , \"b\" : 7 } ,\t\"ts\" : 1700000000.5 } ", &enveloped, true),
            (r#"{"values":{}}"#, &enveloped, true),
            (r#"{"ts":null,"seq":7,"unit":"x","values":{"città":0}}"#, &enveloped, true),
            (r#"{"temp":21.5,"a/b":1,"~":2,"ts":1700000000}"#, &bare, true),
            ("{}", &bare, true),
            (r#"{"ts":"2026-11-21T08:00:00Z","values":{"a":1}}"#, &enveloped, false),
            (r#"{"ts":1,"ts":2,"values":{"a":1}}"#, &enveloped, false),
            (r#"{"values":{"a":1},"values":{"b":1}}"#, &enveloped, false),
            (r#"{"values":{"a":1,"a":null}}"#, &enveloped, false),
            (r#"{"ts":1}"#, &enveloped, false),
            (r#"{"ts":-5,"values":{"a":1}}"#, &enveloped, false),
            (r#"{"values":{"a":{"b":1}}}"#, &enveloped, false),
            (r#"{"values":{"a":1},"more":[1]}"#, &enveloped, false),
            (r#"{"values":{"a":"\u0041"}}"#, &enveloped, false),
            (r#"{"values":{"a":1e3}}"#, &enveloped, false),
            (r#"{"values":{"a":-0}}"#, &enveloped, false),
            (r#"{"values":{"a":01}}"#, &enveloped, false),
            (r#"{"values":{"a":1.}}"#, &enveloped, false),
            (r#"{"values":{"a":.5}}"#, &enveloped, false),
            (r#"{"values":{"a":1234567890.123456}}"#, &enveloped, false),
            (r#"{"values":{"a":1,}}"#, &enveloped, false),
            (r#"{"values":{"a":tru}}"#, &enveloped, false),
            (r#"{"values":{"a":1}} x"#, &enveloped, false),
            (r#"{"values":{"a":1}"#, &enveloped, false),
            (r#"[{"values":{"a":1}}]"#, &enveloped, false),
            ("", &enveloped, false),
        ] {
            assert_eq!(agrees(payload.as_bytes(), reading), is_read, "{payload}");
        }
        let many = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":{n}")).collect::<Vec<_>>().join(","));
        assert!(
            agrees(many(FLAT_VALUES_MAX).as_bytes(), &bare) && !agrees(many(FLAT_VALUES_MAX + 1).as_bytes(), &bare)
        );
        let long = |n: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(n));
        assert!(agrees(long(TEXT_MAX_BYTES).as_bytes(), &bare) && !agrees(long(TEXT_MAX_BYTES + 1).as_bytes(), &bare));
        assert!(!agrees(b"{\"a\":\"\xff\"}", &bare));
    }

    #[test]
    fn a_rule_that_asks_for_more_is_left() {
        let plain = reading("/values", Some("/ts"));
        assert!(Flat::of(&plain).is_some());
        let uses: BTreeMap<String, Use> = [("/a".to_owned(), Use::Nothing)].into();
        for other in [
            reading("/a/b", None),
            reading("/*", None),
            reading("/values", Some("/values/ts")),
            reading("/values", Some("/values")),
            reading("", Some("")),
            Reading { uses, ..plain.clone() },
            Reading { shape: Shape::Senml, ..plain.clone() },
            Reading { whose: Whose::Pointer(Pointer::parse("/id").unwrap()), ..plain.clone() },
            Reading { list: Pointer::parse("/items").unwrap(), ..plain },
        ] {
            assert_eq!(Flat::of(&other), None, "{other:?}");
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            any::<i64>().prop_map(|n| n.to_string()),
            (-1e6f64..1e6).prop_map(|n| n.to_string()),
            (-1e6f64..1e6).prop_map(|n| format!("{n:.2}")),
            "-?[0-9]{1,9}(\\.[0-9]{1,9})?",
        ];
        let scalar = prop_oneof![
            4 => number,
            1 => "true|false|null",
            1 => "\"[a-z ~/Ħ]{0,8}\"",
            1 => "[\\[{\"0-9a-e.,-]{1,3}",
        ];
        let members = proptest::collection::vec(("[a-c~/]{1,2}|ts|values", scalar), 0..6).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        (members, "(1700000000[0-9]{0,6}|-?[0-9]{1,18}|null|1e9)", any::<bool>()).prop_map(
            |(members, ts, in_envelope)| {
                if in_envelope { format!("{{\"ts\":{ts},\"values\":{members}}}") } else { members }
            },
        )
    }

    proptest! {
        #[test]
        fn both_read_the_same(payload in json()) {
            agrees(payload.as_bytes(), &reading("/values", Some("/ts")));
            agrees(payload.as_bytes(), &reading("", Some("/ts")));
            agrees(payload.as_bytes(), &reading("", None));
        }
    }
}
