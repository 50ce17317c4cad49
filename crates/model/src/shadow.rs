//! Device shadows: what an app wants of a thing (`desired`), what the thing says of itself (`reported`), and the rules by
//! which requests change them.
//!
//! Source of the rules: the device-shadow chapter of the AWS IoT Core developer guide and the service's quotas; where
//! sources disagree the item says which side is taken. Nothing here reads a clock, a topic or bytes: topics and payloads
//! are `fleetlens_wire::shadow`, and the time of an update is an argument.

pub mod change;
mod delta;
mod document;
mod leaf;
pub mod limits;
mod merge;
mod name;
mod packed;
mod past;
mod rejection;
mod rules;

pub use delta::{is_met, same_value};
pub use document::{Document, Followed, Request, Section};
pub use leaf::{Leaf, leaf_at, patch_of, pointer_of};
pub use merge::merge;
pub use name::{NameError, parse_shadow_name, parse_thing_name};
pub use packed::{Half, Packed, Stands};
pub use rejection::Rejection;

/// A JSON object: a section of a shadow, a part of one, or its metadata.
pub type Object = serde_json::Map<String, serde_json::Value>;
