//! Everything a shell needs, without Tauri: it reads the profile, opens the cache, wires engine, store and link, holds the
//! attached windows, serves tiles, and ends it all in order.
//!
//! What does not belong here: Tauri, HTTP, MQTT packets, SQL, rules of the fleet.

pub mod profile;

pub use profile::{Profile, ProfileError};
