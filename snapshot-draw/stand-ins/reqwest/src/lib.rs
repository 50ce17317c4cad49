//! In the place of an HTTP client: every request fails at once. Only what `maplibre` 0.0.3 names is here.

use std::convert::Infallible;
use std::fmt;

/// What would send requests.
#[derive(Clone, Debug, Default)]
pub struct Client;

impl Client {
    /// One that sends nothing.
    pub fn new() -> Client {
        Client
    }
}

/// That nothing is sent.
#[derive(Debug)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("this program opens no connections")
    }
}

impl std::error::Error for Error {}

/// An answer's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode(u16);

impl StatusCode {
    /// 304.
    pub const NOT_MODIFIED: StatusCode = StatusCode(304);
}

/// An answer, which there never is.
#[derive(Debug)]
pub struct Response(Infallible);

impl Response {
    /// Never called.
    pub fn error_for_status(self) -> Result<Response, Error> {
        match self.0 {}
    }

    /// Never called.
    pub fn status(&self) -> StatusCode {
        match self.0 {}
    }

    /// Never called.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        match self.0 {}
    }
}

/// An answer's body, which there never is.
#[derive(Debug)]
pub struct Bytes(Infallible);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self.0 {}
    }
}
