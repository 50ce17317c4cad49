//! Why a message of Sparkplug is refused, and which refusals a new birth would mend.

use fleetlens_model::id::NameError;
use thiserror::Error;

/// Why a message of Sparkplug is refused; what any payload can be refused for is [`crate::WireError`]'s own.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SparkplugError {
    /// None of its topics.
    #[error(
        "{topic:?} is not a Sparkplug topic; those are spBv1.0/GROUP/TYPE/NODE for NBIRTH, NDATA, NDEATH and NCMD, spBv1.0/GROUP/TYPE/NODE/DEVICE for DBIRTH, DDATA, DDEATH and DCMD, and spBv1.0/STATE/HOST"
    )]
    Topic {
        /// What was given, or its beginning.
        topic: String,
    },
    /// Group, node and device name no thing.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Bytes that are no payload of Sparkplug B.
    #[error("the payload is not a Sparkplug B protobuf: {why}")]
    NotProtobuf {
        /// In the parser's words, or their beginning.
        why: String,
    },
    /// A payload within a payload.
    #[error("the payload is compressed; Fleetlens reads plain Sparkplug B, so switch compression off at the edge node")]
    Compressed,
    /// A message from the broker's memory.
    #[error(
        "it is retained and of an earlier time; Sparkplug's births, data and deaths are published with retain = false"
    )]
    Retained,
    /// A sequence number where none can be.
    #[error("the sequence number is {given}; it must be 0 to 255")]
    Seq {
        /// What was given.
        given: u64,
    },
    /// No sequence number where one must be.
    #[error("the sequence number is missing; only NDEATH has none")]
    NoSeq,
    /// A message was lost, or came out of order.
    #[error(
        "its sequence number is {given} after {last}: a message of this edge node was lost, and it may have been a birth that changed what the metrics are called"
    )]
    Gap {
        /// What was given.
        given: u8,
        /// What came before.
        last: u8,
    },
    /// Data whose meaning was not said yet.
    #[error("the birth of this edge node (NBIRTH) was not seen; only that says what its metrics are")]
    NodeUnborn,
    /// See [`SparkplugError::NodeUnborn`].
    #[error(
        "the birth of this device (DBIRTH) was not seen since its edge node's; only that says what its metrics are"
    )]
    DeviceUnborn,
    /// An alias after a message was lost.
    #[error(
        "it calls a metric by the alias {alias}, which is not certain since a message of this edge node was lost; the next birth says it anew"
    )]
    Uncertain {
        /// The alias.
        alias: u64,
    },
    /// An alias of no metric.
    #[error("it calls a metric by the alias {alias}, which the birth did not give to any")]
    Alias {
        /// The alias.
        alias: u64,
    },
    /// A name of no metric.
    #[error("it tells of the metric {name:?}, which the birth did not name")]
    Metric {
        /// The name, or its beginning.
        name: String,
    },
    /// A metric that cannot be told from others.
    #[error("a metric has no name; births name every one, and data calls it by name or alias")]
    Nameless,
    /// Two metrics of one alias.
    #[error("two metrics have the alias {alias}; each has its own")]
    AliasTwice {
        /// The alias.
        alias: u64,
    },
    /// A birth without a type.
    #[error("the metric {name:?} has no datatype; births give every one's")]
    Untyped {
        /// The name, or its beginning.
        name: String,
    },
    /// A type that no metric can have.
    #[error("the metric {name:?} is of datatype {given}; those of metrics are 1 to 19 and 22 to 34")]
    Datatype {
        /// The name, or its beginning.
        name: String,
        /// What was given.
        given: u32,
    },
    /// Data of another type than the birth's.
    #[error("the metric {name:?} is of datatype {given} now and was of {born} in the birth")]
    Retyped {
        /// The name, or its beginning.
        name: String,
        /// What was given.
        given: u32,
        /// What the birth said.
        born: u32,
    },
    /// A value that does not fit its type.
    #[error("the metric {name:?} carries {given}; its datatype is {datatype}")]
    Value {
        /// The name, or its beginning.
        name: String,
        /// What was given: a word for its kind, or the number.
        given: String,
        /// The name of the type.
        datatype: &'static str,
    },
    /// Keys and values that do not match.
    #[error("a metric has {keys} keys and {values} values of properties; there must be as many of both")]
    Properties {
        /// Keys given.
        keys: usize,
        /// Values given.
        values: usize,
    },
    /// A time beyond belief.
    #[error("a timestamp is {given}; it must be in milliseconds since 1970")]
    Time {
        /// What was given.
        given: u64,
    },
    /// History without its time.
    #[error("the metric {name:?} is historical and has no timestamp; nobody can say of when it is")]
    Undated {
        /// The name, or its beginning.
        name: String,
    },
    /// The death of another session.
    #[error("its bdSeq is {} and that of the birth {}: it is the death of an earlier connection", said(*given), said(*born))]
    OtherDeath {
        /// What was given.
        given: Option<u64>,
        /// What the birth said.
        born: Option<u64>,
    },
    /// More things than are remembered.
    #[error("{max} edge nodes and devices are known already; no more are remembered")]
    Things {
        /// How many are.
        max: usize,
    },
    /// More devices than one node is believed to have.
    #[error("{max} devices of this edge node are known already; no more are remembered")]
    Devices {
        /// How many are.
        max: usize,
    },
    /// More metrics than are remembered.
    #[error("the births known already fill {max} bytes; no more are remembered")]
    Memory {
        /// How many may.
        max: usize,
    },
}

/// A number that may be missing, in words.
fn said(number: Option<u64>) -> String {
    number.map_or_else(|| "missing".into(), |number| number.to_string())
}

impl SparkplugError {
    /// Whether the next birth would mend it, so that it is worth asking for one.
    pub(super) fn wants_birth(&self) -> bool {
        match self {
            SparkplugError::Gap { .. }
            | SparkplugError::NodeUnborn
            | SparkplugError::DeviceUnborn
            | SparkplugError::Uncertain { .. }
            | SparkplugError::Alias { .. }
            | SparkplugError::Metric { .. }
            | SparkplugError::Retyped { .. } => true,
            SparkplugError::Topic { .. }
            | SparkplugError::Name(_)
            | SparkplugError::NotProtobuf { .. }
            | SparkplugError::Compressed
            | SparkplugError::Retained
            | SparkplugError::Seq { .. }
            | SparkplugError::NoSeq
            | SparkplugError::Nameless
            | SparkplugError::AliasTwice { .. }
            | SparkplugError::Untyped { .. }
            | SparkplugError::Datatype { .. }
            | SparkplugError::Value { .. }
            | SparkplugError::Properties { .. }
            | SparkplugError::Time { .. }
            | SparkplugError::Undated { .. }
            | SparkplugError::OtherDeath { .. }
            | SparkplugError::Things { .. }
            | SparkplugError::Devices { .. }
            | SparkplugError::Memory { .. } => false,
        }
    }
}
