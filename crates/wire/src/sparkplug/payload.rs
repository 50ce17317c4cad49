//! The protobuf of Sparkplug B (specification, section 6.4.1), read within bounds and written.
//!
//! Metrics are counted before the first of them is read: the outer message takes them as bytes. Field numbers that are not here
//! (`DataSet` 17, `Template` 18, `MetaData` 8, `body` 5) are skipped as protobuf skips what it does not know, without a look inside.

use fleetlens_model::time::WallMs;
use prost::Message;
use prost::bytes::Bytes;

use super::SparkplugError;
use crate::WireError;
use crate::quote::{QUOTE_MAX_CHARS, quote};
use crate::telemetry::{PAYLOAD_MAX_BYTES, PAYLOAD_VALUES_MAX};

/// The `uuid` of payloads whose `body` is another, compressed payload: an extension that Eclipse Tahu writes when it is told to.
const COMPRESSED: &str = "SPBV1.0_COMPRESSED";

/// The latest time, in milliseconds since 1970, as in JSON.
const TIME_MAX_MS: u64 = 9_000_000_000_000_000;

/// A payload of any type of message but STATE.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload {
    /// When it was sent.
    pub(super) sent: Option<WallMs>,
    /// Its place in the order of all messages of its node.
    pub(super) seq: Option<u8>,
    /// At most [`PAYLOAD_VALUES_MAX`].
    pub(super) metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Outer {
    #[prost(uint64, optional, tag = "1")]
    timestamp: Option<u64>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    metrics: Vec<Bytes>,
    #[prost(uint64, optional, tag = "3")]
    seq: Option<u64>,
    #[prost(string, optional, tag = "4")]
    uuid: Option<String>,
}

/// One metric as it goes over the wire (section 6.4.6): a value, what it is called and since when it holds.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Folders and name with `/` between; may be missing where there is an alias.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// The number that stands for the name since the birth.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When the value was captured, in milliseconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// [`super::Datatype`] as a number; must be there in births.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// Whether it tells of the past and is not how things are now.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// Whether there is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// What else is said of it.
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    /// The value; `None` too where it is a DataSet or a Template.
    #[prost(oneof = "Carried", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<Carried>,
}

/// A value in its place on the wire. Signed integers are two's complement.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Carried {
    /// Integers of up to 32 bits.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Integers of 64 bits, and times.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Floating point of 32 bits.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Floating point of 64 bits.
    #[prost(double, tag = "13")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// Text.
    #[prost(string, tag = "15")]
    Text(String),
    /// Bytes, files and arrays.
    #[prost(bytes = "bytes", tag = "16")]
    Bytes(Bytes),
}

/// Properties of a metric (section 6.4.8): as many keys as values, in the same order.
#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    /// Their names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// What they are.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<Property>,
}

/// A property; sets and lists of sets within it are skipped.
#[derive(Clone, PartialEq, Message)]
pub struct Property {
    /// [`super::Datatype`] as a number.
    #[prost(uint32, optional, tag = "1")]
    pub datatype: Option<u32>,
    /// Whether there is no value.
    #[prost(bool, optional, tag = "2")]
    pub is_null: Option<bool>,
    /// The value.
    #[prost(oneof = "PropertyCarried", tags = "3, 4, 5, 6, 7, 8")]
    pub value: Option<PropertyCarried>,
}

/// A property's value in its place on the wire.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum PropertyCarried {
    /// Integers of up to 32 bits.
    #[prost(uint32, tag = "3")]
    Int(u32),
    /// Integers of 64 bits.
    #[prost(uint64, tag = "4")]
    Long(u64),
    /// Floating point of 32 bits.
    #[prost(float, tag = "5")]
    Float(f32),
    /// Floating point of 64 bits.
    #[prost(double, tag = "6")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "7")]
    Boolean(bool),
    /// Text.
    #[prost(string, tag = "8")]
    Text(String),
}

impl Metric {
    /// A property of it, if it is there and not null.
    pub(super) fn said(&self, key: &str) -> Option<&PropertyCarried> {
        let set = self.properties.as_ref()?;
        let at = set.keys.iter().position(|known| known == key)?;
        set.values.get(at).filter(|value| value.is_null != Some(true))?.value.as_ref()
    }
}

/// Reads a payload of at most [`PAYLOAD_MAX_BYTES`] and [`PAYLOAD_VALUES_MAX`] metrics.
pub(super) fn decode(payload: &[u8]) -> Result<Payload, WireError> {
    if payload.len() > PAYLOAD_MAX_BYTES {
        return Err(WireError::TooLarge { given: payload.len(), max: PAYLOAD_MAX_BYTES });
    }
    let outer = Outer::decode(Bytes::copy_from_slice(payload)).map_err(|error| not_protobuf(&error))?;
    if outer.uuid.as_deref() == Some(COMPRESSED) {
        return Err(SparkplugError::Compressed.into());
    }
    if outer.metrics.len() > PAYLOAD_VALUES_MAX {
        return Err(WireError::TooMany { max: PAYLOAD_VALUES_MAX });
    }
    let seq = outer.seq.map(|seq| u8::try_from(seq).map_err(|_| SparkplugError::Seq { given: seq })).transpose()?;
    let mut metrics = Vec::with_capacity(outer.metrics.len());
    for bytes in outer.metrics {
        let metric = Metric::decode(bytes).map_err(|error| not_protobuf(&error))?;
        if let Some(set) = metric.properties.as_ref().filter(|set| set.keys.len() != set.values.len()) {
            let (keys, values) = (set.keys.len(), set.values.len());
            return Err(SparkplugError::Properties { keys, values }.into());
        }
        metrics.push(metric);
    }
    Ok(Payload { sent: moment(outer.timestamp)?, seq, metrics })
}

/// Writes a payload; commands and NDEATH have no sequence number.
pub(super) fn encode(metrics: &[Metric], sent: WallMs, seq: Option<u8>) -> Vec<u8> {
    Outer {
        timestamp: Some(written(sent)),
        metrics: metrics.iter().map(|metric| metric.encode_to_vec().into()).collect(),
        seq: seq.map(u64::from),
        uuid: None,
    }
    .encode_to_vec()
}

/// A time; 0 is what senders without a clock write, and says none.
pub(super) fn moment(timestamp: Option<u64>) -> Result<Option<WallMs>, SparkplugError> {
    match timestamp {
        None | Some(0) => Ok(None),
        Some(ms) if ms <= TIME_MAX_MS => Ok(Some(WallMs(ms.cast_signed()))),
        Some(given) => Err(SparkplugError::Time { given }),
    }
}

/// A time as it is written: none before 1970.
pub(super) fn written(at: WallMs) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}

fn not_protobuf(error: &prost::DecodeError) -> SparkplugError {
    SparkplugError::NotProtobuf { why: quote(&error.to_string(), QUOTE_MAX_CHARS) }
}
