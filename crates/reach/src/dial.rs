//! Connections to servers of others: found, made and encrypted within a time, read up to a bound.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fleetlens_link::{Destination, Tls};
use fleetlens_model::text::shown;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
}

impl Place {
    /// Whether nothing that goes there leaves this machine.
    pub fn is_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// As the link names it.
    pub fn destination(&self, is_encrypted: bool) -> Destination {
        Destination { host: self.host.to_ascii_lowercase(), port: self.port, is_encrypted }
    }

    /// An unencrypted connection. Of a name with several addresses the first that answers.
    pub async fn connect(&self) -> Result<TcpStream, String> {
        let stream = TcpStream::connect((self.host.as_str(), self.port));
        let stream = stream.await.map_err(|error| format!("no connection to {self}: {error}"))?;
        // Small packets that somebody waits for; where it cannot be set they are only later.
        _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Encrypts a connection.
    pub async fn encrypted<S>(&self, stream: S, tls: &Tls) -> Result<tokio_rustls::client::TlsStream<S>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.encrypted_with(stream, client(tls).await?).await
    }

    /// The same with certificates that were read before.
    pub async fn encrypted_with<S>(
        &self,
        stream: S,
        config: Arc<ClientConfig>,
    ) -> Result<tokio_rustls::client::TlsStream<S>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| format!("{:?} is no name that a certificate can be for", self.host))?;
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let remedy = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
                    "; name the CA that signed its certificate (ca = \"…\")"
                }
                Some(_) | None => "",
            };
            let error = error.to_string();
            format!("the encrypted connection to {self} failed: {}{remedy}", shown(&error))
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads the certificates to believe in, anew for each connection as the link does: files, so not on this thread.
pub(crate) async fn client(tls: &Tls) -> Result<Arc<ClientConfig>, String> {
    let tls = tls.clone();
    match tokio::task::spawn_blocking(move || tls.client()).await {
        Ok(client) => client.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// A connection of which no more than so many bytes are read: a server that never ends its line ends the connection.
pub(crate) struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    left: usize,
    /// Read before anything that comes.
    preface: &'static [u8],
}

impl<S> Bounded<S> {
    pub fn new(stream: S, peer: SocketAddr, most_bytes: usize, preface: &'static [u8]) -> Bounded<S> {
        Bounded { stream, peer, left: most_bytes, preface }
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S> std::fmt::Debug for Bounded<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded").field("peer", &self.peer).field("left", &self.left).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.preface.is_empty() {
            let (now, later) = this.preface.split_at(this.preface.len().min(buf.remaining()));
            buf.put_slice(now);
            this.preface = later;
            return Poll::Ready(Ok(()));
        }
        if this.left == 0 {
            return Poll::Ready(Err(io::Error::other("it says more than any server has to")));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.left = this.left.saturating_sub(buf.filled().len().saturating_sub(before));
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn no_more_is_read_than_was_agreed() {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut read = String::new();
        let mut short = Bounded::new(&b"hello"[..], peer, 6, b"220 ");
        short.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "220 hello");
        let mut long = Bounded::new(tokio::io::repeat(b'x'), peer, 100, b"");
        let mut read = Vec::new();
        assert!(long.read_to_end(&mut read).await.unwrap_err().to_string().contains("more than"));
        assert!(read.len() >= 100 && read.len() < 1_000, "{}", read.len());
    }

    #[test]
    fn what_stays_on_this_machine_is_known() {
        for (host, want) in
            [("localhost", true), ("127.0.0.1", true), ("::1", true), ("10.0.0.1", false), ("city", false)]
        {
            assert_eq!(Place { host: host.into(), port: 1 }.is_this_machine(), want, "{host}");
        }
        assert_eq!(Place { host: "::1".into(), port: 25 }.to_string(), "[::1]:25");
    }
}
