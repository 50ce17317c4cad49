//! The demo city: broker, shadow service and devices.

pub mod device;
pub mod dice;
pub mod places;
pub mod shadows;
pub mod sky;

/// Why the demo city cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file this was built with is broken; only a wrong build can do that.
    #[error("the built-in file {file} cannot be read: {why}")]
    Asset {
        /// Of `assets/malta`.
        file: &'static str,
        /// In the parser's words.
        why: String,
    },
}
