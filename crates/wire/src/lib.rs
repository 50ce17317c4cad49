//! Topics and payloads, both ways, bounded and without I/O.
//!
//! One module a convention. What does not belong here: connections, clocks, and what a message *means* for the fleet, which
//! is the model's and the engine's.

mod json;
pub mod meta;
pub mod shadow;
pub mod telemetry;
pub mod template;

/// Why a message is refused. The text stands on the diagnostics page beside the topic, so it says what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The topic is none of a shadow's.
    #[error(transparent)]
    Topic(#[from] shadow::TopicError),
    /// A request's topic where an answer was to be read.
    #[error("{topic} is where shadow requests go; answers come below it")]
    NotAnAnswer {
        /// The topic.
        topic: String,
    },
    /// More bytes than such a message can have.
    #[error("the payload has {given} bytes; at most {max} are read")]
    TooLarge {
        /// Bytes given.
        given: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// More brackets in each other than such a message can have.
    #[error("the payload nests deeper than {max} brackets")]
    TooDeep {
        /// Brackets allowed.
        max: usize,
    },
    /// Bytes that are no text.
    #[error("the payload is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Text that is no JSON.
    #[error("the payload is not JSON: {why}")]
    NotJson {
        /// In the parser's words, with line and column.
        why: String,
    },
    /// JSON of another shape.
    #[error("the payload is {given} where an object belongs")]
    NotAnObject {
        /// "an array" or "a single value".
        given: &'static str,
    },
    /// More values than one message may carry.
    #[error("the payload carries more than {max} values")]
    TooMany {
        /// Values allowed.
        max: usize,
    },
    /// A field that must be there.
    #[error("the field \"{field}\" is missing")]
    Missing {
        /// Its name.
        field: String,
    },
    /// A field of the wrong type or out of range.
    #[error("the field \"{field}\" is {given}; it must be {wanted}")]
    WrongType {
        /// Its name.
        field: String,
        /// The first 40 characters of what was given.
        given: String,
        /// What would be right.
        wanted: &'static str,
    },
}
