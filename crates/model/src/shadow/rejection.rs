//! What the service answers when it does not do what was asked.

/// A refusal: a code as in HTTP and a sentence. Codes and sentences are those of the developer guide, "Device Shadow error
/// messages"; a foreign service may send others, which are kept as they came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    /// 400 bad request, 401, 403, 404 no shadow, 409 version conflict, 413 too large, 415 encoding, 429, 500.
    pub code: u16,
    /// One sentence for people, in the words of the service.
    pub message: String,
}

impl Rejection {
    /// 400: the request itself is wrong; `message` says how.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, message: message.into() }
    }

    /// 404: `name` is the shadow's name, or the thing's for its classic shadow.
    pub fn no_shadow(name: &str) -> Self {
        Self { code: 404, message: format!("No shadow exists with name: '{name}'") }
    }

    /// 409: the request named another version than the current one.
    pub fn version_conflict() -> Self {
        Self { code: 409, message: "Version conflict".into() }
    }

    /// 413: the payload, or the document it would make, is over the limit.
    pub fn too_large() -> Self {
        Self { code: 413, message: "The payload exceeds the maximum size allowed".into() }
    }

    /// 415: the payload is not UTF-8. (The odd word "documented" is the guide's.)
    pub fn unsupported_encoding() -> Self {
        Self { code: 415, message: "Unsupported documented encoding; supported encoding is UTF-8".into() }
    }

    /// Whether the same request may succeed later without a change: too many requests, or a fault of the service.
    pub fn is_transient(&self) -> bool {
        self.code == 429 || self.code >= 500
    }
}
