//! The service's quotas (AWS IoT Core endpoints and quotas, "Device Shadow service"), in the unit each name says.

/// Largest `state` of the *merged* document, as compact JSON, in bytes; metadata is not counted.
pub const DOCUMENT_BYTES: usize = 8 * 1024;
/// Most steps from a section to a value: keys of objects and indices of arrays. Sources say 5, 6 or 8; more than 8 is refused.
pub const NESTING: usize = 8;
/// Steps that every source allows: with more a person is warned.
pub const NESTING_EVERYWHERE: usize = 5;
/// Longest thing name, in characters of `[A-Za-z0-9:_-]`.
pub const THING_NAME_CHARS: usize = 128;
/// Longest shadow name, in characters of `[A-Za-z0-9:_-]`.
pub const SHADOW_NAME_CHARS: usize = 64;
/// Longest client token, in bytes of UTF-8.
pub const CLIENT_TOKEN_BYTES: usize = 64;
/// Most requests of one client in flight for one thing.
pub const REQUESTS_IN_FLIGHT: usize = 10;
/// Largest MQTT payload AWS takes, in bytes; also the largest request the service of this project reads.
pub const PAYLOAD_BYTES: usize = 128 * 1024;
/// How long the version of a deleted shadow is remembered, in seconds: a shadow created again within it goes on counting.
pub const DELETED_VERSION_S: i64 = 48 * 3600;
