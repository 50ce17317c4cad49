//! Why nothing can be served.

use std::net::SocketAddr;

use thiserror::Error;

/// Why nothing can be served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// There is no built window where one was looked for.
    #[error("there is no built window in {0}; build it with `cargo xtask ui`, or say with --ui in which folder it is")]
    NoWindow(String),
    /// The address cannot be listened at.
    #[error("{address} cannot be listened at: {why}; give another address, or port 0 for any free one")]
    Address {
        /// The address given.
        address: SocketAddr,
        /// What the system says.
        why: String,
    },
    /// The file of the token cannot be read or made.
    #[error("the token file {path} cannot be used: {why}")]
    TokenFile {
        /// The file given.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A text that is no token: this many characters.
    #[error("a token is 32 to 256 letters, digits, `-` or `_`; this has {0} characters or others among them")]
    Token(usize),
    /// Listening has failed for good.
    #[error("no more connections can be taken: {0}")]
    Listening(String),
}
