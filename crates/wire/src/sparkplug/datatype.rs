//! The types of metrics (specification, section 6.4.16), and values in them, both ways.

use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::payload::Carried;

/// The type of a metric. What cannot be shown as one value is there too, so that it can be left out knowingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's, and all there is to say")]
#[repr(u8)]
pub enum Datatype {
    Int8 = 1,
    Int16 = 2,
    Int32 = 3,
    Int64 = 4,
    UInt8 = 5,
    UInt16 = 6,
    UInt32 = 7,
    UInt64 = 8,
    Float = 9,
    Double = 10,
    Boolean = 11,
    String = 12,
    /// Milliseconds since 1970.
    DateTime = 13,
    Text = 14,
    Uuid = 15,
    DataSet = 16,
    Bytes = 17,
    File = 18,
    Template = 19,
    /// 22 to 34: arrays, packed into bytes.
    Array = 22,
}

/// The types that have a number of their own.
const SINGLE: [Datatype; 19] = [
    Datatype::Int8,
    Datatype::Int16,
    Datatype::Int32,
    Datatype::Int64,
    Datatype::UInt8,
    Datatype::UInt16,
    Datatype::UInt32,
    Datatype::UInt64,
    Datatype::Float,
    Datatype::Double,
    Datatype::Boolean,
    Datatype::String,
    Datatype::DateTime,
    Datatype::Text,
    Datatype::Uuid,
    Datatype::DataSet,
    Datatype::Bytes,
    Datatype::File,
    Datatype::Template,
];

/// What a type is to people and to us.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sort {
    /// Whole numbers of so many bits.
    Integer {
        bits: u32,
        signed: bool,
    },
    /// Floating point of 32 or 64 bits.
    Real {
        bits: u32,
    },
    Flag,
    Words,
    Moment,
    /// Not one value.
    Other,
}

impl Datatype {
    /// The type of a number on the wire; `None` for those that no metric can have.
    pub(super) fn from_number(number: u32) -> Option<Datatype> {
        if (22..=34).contains(&number) {
            return Some(Datatype::Array);
        }
        SINGLE.into_iter().find(|known| known.number() == number)
    }

    /// The number on the wire.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Datatype::Int8 => "Int8",
            Datatype::Int16 => "Int16",
            Datatype::Int32 => "Int32",
            Datatype::Int64 => "Int64",
            Datatype::UInt8 => "UInt8",
            Datatype::UInt16 => "UInt16",
            Datatype::UInt32 => "UInt32",
            Datatype::UInt64 => "UInt64",
            Datatype::Float => "Float",
            Datatype::Double => "Double",
            Datatype::Boolean => "Boolean",
            Datatype::String => "String",
            Datatype::DateTime => "DateTime",
            Datatype::Text => "Text",
            Datatype::Uuid => "UUID",
            Datatype::DataSet => "DataSet",
            Datatype::Bytes => "Bytes",
            Datatype::File => "File",
            Datatype::Template => "Template",
            Datatype::Array => "an array",
        }
    }

    pub(super) fn sort(self) -> Sort {
        match self {
            Datatype::Int8 => Sort::Integer { bits: 8, signed: true },
            Datatype::Int16 => Sort::Integer { bits: 16, signed: true },
            Datatype::Int32 => Sort::Integer { bits: 32, signed: true },
            Datatype::Int64 => Sort::Integer { bits: 64, signed: true },
            Datatype::UInt8 => Sort::Integer { bits: 8, signed: false },
            Datatype::UInt16 => Sort::Integer { bits: 16, signed: false },
            Datatype::UInt32 => Sort::Integer { bits: 32, signed: false },
            Datatype::UInt64 => Sort::Integer { bits: 64, signed: false },
            Datatype::Float => Sort::Real { bits: 32 },
            Datatype::Double => Sort::Real { bits: 64 },
            Datatype::Boolean => Sort::Flag,
            Datatype::String | Datatype::Text | Datatype::Uuid => Sort::Words,
            Datatype::DateTime => Sort::Moment,
            Datatype::DataSet | Datatype::Bytes | Datatype::File | Datatype::Template | Datatype::Array => Sort::Other,
        }
    }

    /// The smallest and the largest whole number of the type that 64-bit floating point holds exactly, which ends at 2⁵³.
    pub(super) fn whole_range(bits: u32, signed: bool) -> (f64, f64) {
        let span = 2_f64.powi(bits.min(53).cast_signed());
        match (signed, bits >= 53) {
            (true, true) => (-span, span),
            (true, false) => (-span / 2.0, span / 2.0 - 1.0),
            (false, true) => (0.0, span),
            (false, false) => (0.0, span - 1.0),
        }
    }

    /// The value that is carried, or a word for what is carried instead. `None` for what is not one value, for a number that is none
    /// and for a text longer than values are.
    pub(super) fn read(self, carried: &Carried) -> Result<Option<Value>, String> {
        match (self.sort(), carried) {
            (Sort::Other, _) => Ok(None),
            (Sort::Integer { bits, signed }, Carried::Int(_) | Carried::Long(_)) => {
                let (raw, width) = raw(carried);
                let whole = if signed { signed_of(raw, bits, width) } else { unsigned_of(raw, bits) };
                whole.map(|whole| Some(Value::Number(whole))).ok_or_else(|| raw.to_string())
            }
            (Sort::Real { .. }, Carried::Float(n)) => Ok(finite(shortest(*n))),
            (Sort::Real { .. }, Carried::Double(n)) => Ok(finite(*n)),
            (Sort::Flag, Carried::Boolean(flag)) => Ok(Some(Value::Flag(*flag))),
            (Sort::Words, Carried::Text(text)) => {
                Ok(Some(text).filter(|text| text.len() <= TEXT_MAX_BYTES).map(|text| Value::Text(text.clone())))
            }
            (Sort::Moment, Carried::Int(_) | Carried::Long(_)) => {
                let (raw, _) = raw(carried);
                let ms = i64::try_from(raw).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
                ms.map(|ms| Some(Value::Text(ms.to_string()))).ok_or_else(|| raw.to_string())
            }
            (Sort::Integer { .. } | Sort::Real { .. } | Sort::Flag | Sort::Words | Sort::Moment, carried) => {
                Err(kind_of(carried).to_owned())
            }
        }
    }

    /// What carries a wanted value; the error says what the type takes instead.
    pub(super) fn write(self, wanted: &Json) -> Result<Carried, String> {
        match self.sort() {
            Sort::Integer { bits, signed } => {
                let (min, max) = Datatype::whole_range(bits, signed);
                let whole = wanted.as_f64().filter(|n| n.fract() == 0.0 && (min..=max).contains(n));
                let whole = whole.ok_or_else(|| format!("a whole number from {min} to {max}"))?;
                // Within the bounds just tested; a negative one as two's complement.
                let whole = whole as i64;
                Ok(if bits == 64 { Carried::Long(whole.cast_unsigned()) } else { Carried::Int(whole as u32) })
            }
            Sort::Real { bits: 32 } => {
                let n = wanted.as_f64().ok_or("a number")?;
                let single = n as f32;
                let held = shortest(single);
                // What the device would report is compared with what was wanted.
                if held == n {
                    Ok(Carried::Float(single))
                } else {
                    Err(format!("a 32-bit number; the nearest is {held}"))
                }
            }
            Sort::Real { .. } => wanted.as_f64().map(Carried::Double).ok_or_else(|| "a number".into()),
            Sort::Flag => wanted.as_bool().map(Carried::Boolean).ok_or_else(|| "true or false".into()),
            Sort::Words => wanted.as_str().map(|text| Carried::Text(text.to_owned())).ok_or_else(|| "a text".into()),
            Sort::Moment | Sort::Other => Err(format!("{}, which cannot be set from here", self.word())),
        }
    }
}

/// The bits of an integer, and how many it has room for.
fn raw(carried: &Carried) -> (u64, u32) {
    match carried {
        Carried::Int(n) => (u64::from(*n), 32),
        Carried::Long(n) => (*n, 64),
        Carried::Float(_) | Carried::Double(_) | Carried::Boolean(_) | Carried::Text(_) | Carried::Bytes(_) => (0, 0),
    }
}

/// A signed number. Senders do not agree whether the −1 of an Int8 is written 0xff or, as wide as its place, 0xffff_ffff; both are
/// read, and neither can mean anything else.
fn signed_of(raw: u64, bits: u32, width: u32) -> Option<f64> {
    let extended = |bits: u32| (raw << (64 - bits)).cast_signed() >> (64 - bits);
    let narrow = bits == 64 || raw >> bits == 0;
    // An Int64 in the narrow place is not negative: nothing says how wide it was meant.
    let whole = if narrow { extended(bits) } else { extended(width) };
    let (min, max) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    (min..=max).contains(&whole).then_some(whole as f64)
}

fn unsigned_of(raw: u64, bits: u32) -> Option<f64> {
    (raw <= u64::MAX >> (64 - bits)).then_some(raw as f64)
}

/// The shortest decimal number that is this one in 32 bits: 12.1, not 12.100000381469727, which nobody measured.
fn shortest(n: f32) -> f64 {
    n.to_string().parse().unwrap_or(f64::NAN)
}

/// A broken sensor's NaN says nothing.
fn finite(n: f64) -> Option<Value> {
    n.is_finite().then_some(Value::Number(n))
}

fn kind_of(carried: &Carried) -> &'static str {
    match carried {
        Carried::Int(_) | Carried::Long(_) => "a whole number",
        Carried::Float(_) | Carried::Double(_) => "a floating-point number",
        Carried::Boolean(_) => "true or false",
        Carried::Text(_) => "a text",
        Carried::Bytes(_) => "bytes",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_its_type_wherever_it_was_put() {
        let number = |n| Ok(Some(Value::Number(n)));
        let not = |word: &str| Err(word.to_owned());
        for (datatype, carried, want) in [
            (Datatype::Int8, Carried::Int(0xff), number(-1.0)),
            (Datatype::Int8, Carried::Int(0xffff_ffff), number(-1.0)),
            (Datatype::Int8, Carried::Long(u64::MAX), number(-1.0)),
            (Datatype::Int8, Carried::Int(127), number(127.0)),
            (Datatype::Int8, Carried::Int(0x100), not("256")),
            (Datatype::Int16, Carried::Int(0x8000), number(-32_768.0)),
            (Datatype::Int32, Carried::Int(0x8000_0000), number(-2_147_483_648.0)),
            (Datatype::Int32, Carried::Long(0xffff_fffe), number(-2.0)),
            (Datatype::Int32, Carried::Long(1 << 40), not("1099511627776")),
            (Datatype::Int64, Carried::Long(u64::MAX), number(-1.0)),
            (Datatype::Int64, Carried::Int(0xffff_ffff), number(4_294_967_295.0)),
            (Datatype::UInt8, Carried::Int(255), number(255.0)),
            (Datatype::UInt8, Carried::Int(256), not("256")),
            (Datatype::UInt32, Carried::Long(4_294_967_295), number(4_294_967_295.0)),
            (Datatype::UInt64, Carried::Long(u64::MAX), number(18_446_744_073_709_551_615.0)),
            (Datatype::Float, Carried::Float(12.1), number(12.1)),
            (Datatype::Float, Carried::Float(f32::NAN), Ok(None)),
            (Datatype::Double, Carried::Double(f64::INFINITY), Ok(None)),
            (Datatype::Double, Carried::Float(0.1), number(0.1)),
            (Datatype::Double, Carried::Int(1), not("a whole number")),
            (Datatype::Boolean, Carried::Boolean(true), Ok(Some(Value::Flag(true)))),
            (Datatype::Boolean, Carried::Int(1), not("a whole number")),
            (Datatype::Uuid, Carried::Text("a".into()), Ok(Some(Value::Text("a".into())))),
            (Datatype::Text, Carried::Text("x".repeat(1025)), Ok(None)),
            (Datatype::Text, Carried::Boolean(true), not("true or false")),
            (
                Datatype::DateTime,
                Carried::Long(1_486_144_502_122),
                Ok(Some(Value::Text("2017-02-03T17:55:02.122Z".into()))),
            ),
            (Datatype::DateTime, Carried::Long(u64::MAX), not("18446744073709551615")),
            (Datatype::Array, Carried::Bytes(vec![1].into()), Ok(None)),
        ] {
            assert_eq!(datatype.read(&carried), want, "{datatype:?} {carried:?}");
        }
    }

    #[test]
    fn what_is_set_reads_back_as_it_was_wanted() {
        for (datatype, wanted) in [
            (Datatype::Int8, json!(-1)),
            (Datatype::Int16, json!(-32_768)),
            (Datatype::Int32, json!(-2_147_483_648_i64)),
            (Datatype::Int64, json!(-9_007_199_254_740_992_i64)),
            (Datatype::UInt8, json!(255)),
            (Datatype::UInt32, json!(4_294_967_295_u32)),
            (Datatype::UInt64, json!(9_007_199_254_740_992_u64)),
            (Datatype::Float, json!(12.1)),
            (Datatype::Float, json!(-0.001)),
            (Datatype::Double, json!(0.1)),
            (Datatype::Boolean, json!(false)),
            (Datatype::String, json!("auto")),
        ] {
            let carried = datatype.write(&wanted).unwrap();
            let read = match datatype.read(&carried).unwrap().unwrap() {
                Value::Number(n) => json!(n),
                Value::Flag(flag) => json!(flag),
                Value::Text(text) => json!(text),
            };
            let same = read == wanted || read.as_f64().is_some_and(|n| Some(n) == wanted.as_f64());
            assert!(same, "{datatype:?}: {wanted} became {read}");
        }
    }

    #[test]
    fn a_wanted_value_that_the_type_cannot_hold_says_what_it_can() {
        for (datatype, wanted, want) in [
            (Datatype::Int8, json!(128), "a whole number from -128 to 127"),
            (Datatype::UInt16, json!(0.5), "a whole number from 0 to 65535"),
            (Datatype::Float, json!(0.123_456_789), "a 32-bit number; the nearest is 0.12345679"),
            (Datatype::Float, json!(1e300), "a 32-bit number; the nearest is inf"),
            (Datatype::Double, json!("1"), "a number"),
            (Datatype::Boolean, json!(1), "true or false"),
            (Datatype::Text, json!(1), "a text"),
            (Datatype::DateTime, json!(1), "DateTime, which cannot be set from here"),
        ] {
            assert_eq!(datatype.write(&wanted), Err(want.to_owned()), "{datatype:?} {wanted}");
        }
    }
}
