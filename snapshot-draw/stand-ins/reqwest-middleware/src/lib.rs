//! In the place of an HTTP client with layers. Only what `maplibre` 0.0.3 names is here.

use reqwest::{Client, Response};

/// That nothing is sent.
pub type Error = Never;

/// See [`reqwest::Error`].
#[derive(Debug)]
pub struct Never(reqwest::Error);

impl std::fmt::Display for Never {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Never {}

/// Makes a [`ClientWithMiddleware`].
#[derive(Debug)]
pub struct ClientBuilder;

impl ClientBuilder {
    /// Around a client.
    pub fn new(_: Client) -> ClientBuilder {
        ClientBuilder
    }

    /// A layer, which has nothing to do.
    pub fn with<T>(self, _: T) -> ClientBuilder {
        self
    }

    /// The client.
    pub fn build(self) -> ClientWithMiddleware {
        ClientWithMiddleware
    }
}

/// What would send requests.
#[derive(Clone, Debug)]
pub struct ClientWithMiddleware;

impl ClientWithMiddleware {
    /// A request that will not be sent.
    pub fn get(&self, _: &str) -> RequestBuilder {
        RequestBuilder
    }
}

/// A request.
#[derive(Debug)]
pub struct RequestBuilder;

impl RequestBuilder {
    /// Fails at once.
    pub async fn send(self) -> Result<Response, Error> {
        Err(Never(reqwest::Error))
    }
}
