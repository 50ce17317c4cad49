//! Why a message of this convention is refused, beside what any payload may be refused for.

use thiserror::Error;

/// Why an announcement or a state is refused. Everything quoted is bounded where the error is made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HomeAssistantError {
    /// Levels of a discovery topic hold what they may not.
    #[error("{topic} announces nothing; node and object are letters, digits, _ and -, the component a word")]
    DiscoveryTopic {
        /// The topic, or its beginning.
        topic: String,
    },
    /// A topic that means several, is the broker's own, empty or too long.
    #[error(
        "the {field} of {entity} is {topic:?}; it must be one topic of at most 1024 bytes, without wildcards, that does \
         not begin with $"
    )]
    Topic {
        /// Where it stands.
        field: String,
        /// Whose it is.
        entity: String,
        /// The topic, or its beginning.
        topic: String,
    },
    /// A template that cannot be read where it is announced, or rendered for a message.
    #[error("the {field} of {entity} failed: {why}")]
    Template {
        /// Where it stands.
        field: String,
        /// Whose it is.
        entity: String,
        /// What in it is wrong.
        why: String,
    },
    /// A state that is none of those announced.
    #[error("{entity} says {given:?}; it must be {wanted}")]
    State {
        /// Whose it is.
        entity: String,
        /// What it says, or its beginning.
        given: String,
        /// What it may say.
        wanted: String,
    },
    /// A device or an entity that could not be told from others.
    #[error("the name of the thing cannot be used: {0}")]
    Thing(#[from] fleetlens_model::id::NameError),
    /// An announcement that becomes too much by what its components share.
    #[error(
        "remembering the announcement takes more than {max} bytes, with what its components share and ~ stands for"
    )]
    TooHeavy {
        /// Bytes allowed.
        max: usize,
    },
}
