//! The city's nouns and the rules between them: ids, times, telemetry, kinds and their controls, shadows, commands, alarms and the
//! language of their rules, the audit log, freshness, geography and downsampling.
//!
//! What does not belong here: I/O, a clock, randomness, async, SQL, MQTT topics, anything of the screen. Every function
//! is a function of its arguments; time arrives as [`time::Now`]. The crate compiles to wasm, because the window uses the
//! same types and the same rules.

pub mod alarm;
pub mod audit;
pub mod board;
pub mod bulk;
pub mod command;
pub mod described;
pub mod downsample;
pub mod expression;
pub mod figures;
pub mod freshness;
pub mod geo;
pub mod group;
pub mod heard;
pub mod id;
pub mod identity;
pub mod job;
pub mod json;
pub mod keeping;
pub mod kind;
pub mod query;
mod reading;
pub mod record;
pub mod schema;
pub mod search;
pub mod shadow;
pub mod shared;
pub mod telemetry;
pub mod text;
pub mod thing;
pub mod time;
pub mod trace;
