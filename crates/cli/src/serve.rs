//! `fleetlens serve`: the window in a browser.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use fleetlens_host::{Host, HostFlags, HostOptions, flags, log};
use fleetlens_serve::{Server, ServerOptions, Token, find_ui};
use tokio_util::sync::CancellationToken;

use crate::signal;

/// Where it listens unless told otherwise.
const USUAL: ([u8; 4], u16) = ([127, 0, 0, 1], 8463);

#[derive(Args)]
pub struct Serve {
    /// The address to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(USUAL))]
    listen: SocketAddr,
    /// The folder of the built window [default: `ui` beside this program or beside its folder].
    #[arg(long, value_name = "FOLDER")]
    ui: Option<PathBuf>,
    /// A file with the token, made when it is not there [default: a new token at every start].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Another name it may be called by, such as that of a proxy before it; may be given often.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    host: HostFlags,
}

impl Serve {
    /// Runs until Ctrl-C or SIGTERM; then takes everything down in order.
    pub async fn run(self) -> anyhow::Result<()> {
        let started = Instant::now();
        let ui = find_ui(self.ui)?;
        let token = self.token_file.map_or_else(|| Ok(Token::random()), |file| Token::from_file(&file))?;
        // First the address, which another program may have, then the cache.
        let server = Server::bind(ServerOptions { listen: self.listen, ui, token, names: self.names }).await?;
        let usual = flags::desktop_data_dir();
        anyhow::ensure!(self.host.data_dir.is_some() || usual.is_some(), "say with --data-dir where the cache is kept");
        let options = options(&self.host, usual.unwrap_or_default(), started);
        log::keep_in(&options.data_dir);
        let host = Arc::new(Host::start(options).await.inspect_err(|error| tracing::error!("{error}"))?);
        say(&addresses(&server));
        if server.is_exposed() {
            eprintln!(
                "fleetlens: others on the network can connect, and what they send and see is not encrypted; \
                 keep to networks you trust, or put a proxy with TLS before it (--name)"
            );
        }

        let stop = CancellationToken::new();
        let serving = tokio::spawn(server.run(Arc::clone(&host), stop.clone().cancelled_owned()));
        let ended = tokio::select! {
            asked = signal::asked_to_end() => asked,
            what = host.failed() => Err(anyhow::anyhow!("{what}")),
        };
        stop.cancel();
        let served = serving.await.context("the server has failed")?;
        host.stop().await;
        ended.and(served.map_err(Into::into))
    }
}

/// What the host is told: whoever opens a window may be at another machine.
fn options(flags: &HostFlags, usual: PathBuf, started: Instant) -> HostOptions {
    HostOptions { served: true, ..flags.options(|| usual, started) }
}

/// What a person opens, and what ends it.
fn addresses(server: &Server) -> String {
    format!(
        "{}  the window\n{}  the phone's window\nOnly whoever has the token can open them. Ctrl-C ends it.",
        server.address_of(""),
        server.address_of("phone.html")
    )
}

/// A closed pipe (`fleetlens serve | head -1`) does not end it.
fn say(lines: &str) {
    let mut out = std::io::stdout();
    _ = writeln!(out, "{lines}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }

    #[test]
    fn who_says_nothing_serves_this_computer_only() {
        let listen = |told: &[&str]| Line::parse_from([&["serve"], told].concat()).serve.listen;
        let usual = listen(&[]);
        assert!(usual.ip().is_loopback() && usual.port() != 0, "{usual}");
        let told = listen(&["--listen", "192.0.2.1:80"]);
        assert!(!told.ip().is_loopback(), "what is said holds: {told}");
    }

    #[test]
    fn the_host_knows_that_its_windows_may_be_elsewhere() {
        assert!(options(&HostFlags::default(), "data".into(), Instant::now()).served);
    }
}
