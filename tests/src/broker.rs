//! Mosquitto, the broker people really use.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::place;
use crate::process::{Group, Output};
use crate::wait::until_sync;

/// How long a broker may take to listen.
const STARTS_WITHIN: Duration = Duration::from_secs(15);

/// How often another port is tried when somebody took ours between choosing and listening.
const PORTS: usize = 5;

/// A broker on a loopback port of its own that keeps sessions and retained messages on the disk, so that it can be stopped
/// and started again. Its log is `target/e2e/logs/mosquitto-NAME.log`.
pub struct Mosquitto {
    program: PathBuf,
    folder: TempDir,
    log: PathBuf,
    port: u16,
    /// Where it listens besides.
    more: Vec<u16>,
    configured: Configured,
    running: Option<Group>,
}

/// How a broker is configured beyond where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Configured {
    /// For tests: nothing is dropped, everything is kept at once, every packet logged.
    ForTests,
    /// As Fleetlens ships it.
    Shipped,
    /// As Mosquitto is by itself.
    Plain,
    /// For tests, and it grants QoS 0 and nothing better.
    WithoutGuarantee,
    /// For tests, and these lines below its listener: more listeners, users.
    With(String),
}

/// What a person is told to put into Mosquitto's `conf.d`.
const SHIPPED: &str = include_str!("../../assets/mosquitto/fleetlens.conf");

impl Mosquitto {
    /// A running broker; `None` when Mosquitto is not installed (then the test has been told as skipped).
    pub fn start(name: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(name, Configured::ForTests)
    }

    /// Like [`Mosquitto::start`], on a port that somebody else had before.
    pub fn start_at(name: &str, port: u16) -> Option<Mosquitto> {
        let mut broker = Mosquitto::made(name)?;
        broker.port = port;
        let what = format!("mosquitto to have port {port}");
        until_sync(&what, STARTS_WITHIN, || if broker.try_start() { Ok(()) } else { Err(place::tail(&broker.log)) });
        Some(broker)
    }

    /// Like [`Mosquitto::start`], configured as `assets/mosquitto/fleetlens.conf` says.
    pub fn start_shipped(name: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(name, Configured::Shipped)
    }

    /// Like [`Mosquitto::start`], configured as Mosquitto is by itself.
    pub fn start_plain(name: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(name, Configured::Plain)
    }

    /// Like [`Mosquitto::start`], for QoS 0 only.
    pub fn start_without_guarantee(name: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(name, Configured::WithoutGuarantee)
    }

    /// Like [`Mosquitto::start`], with lines below its listener (more listeners, users), made for so many more free ports.
    pub fn start_with<const N: usize>(name: &str, lines: impl Fn([u16; N]) -> String) -> Option<(Mosquitto, [u16; N])> {
        let mut ports = [0; N];
        let broker = Mosquitto::start_on(name, |broker| {
            ports = std::array::from_fn(|_| free_port());
            broker.more = ports.to_vec();
            broker.configured = Configured::With(lines(ports));
        })?;
        Some((broker, ports))
    }

    fn start_as(name: &str, configured: Configured) -> Option<Mosquitto> {
        Mosquitto::start_on(name, |broker| broker.configured = configured.clone())
    }

    /// Tries other ports while somebody else takes them first.
    fn start_on(name: &str, mut configure: impl FnMut(&mut Mosquitto)) -> Option<Mosquitto> {
        let mut broker = Mosquitto::made(name)?;
        for _ in 0..PORTS {
            broker.port = free_port();
            configure(&mut broker);
            if broker.try_start() {
                return Some(broker);
            }
        }
        panic!("mosquitto does not listen; {}", place::tail(&broker.log));
    }

    /// Not running yet, on no port.
    fn made(name: &str) -> Option<Mosquitto> {
        let program = place::system_program("mosquitto")?;
        let folder = tempfile::tempdir().expect("a folder for the broker's state");
        let log = place::log(&format!("mosquitto-{name}"));
        let configured = Configured::ForTests;
        Some(Mosquitto { program, folder, log, port: 0, more: Vec::new(), configured, running: None })
    }

    /// `mqtt://127.0.0.1:PORT`, the same over every restart.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Everything it has logged so far, over every restart.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The file of its log.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Stops it in order: clients are told, state is written.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    /// Starts it again on the same port with the state it left.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the broker runs already");
        assert!(self.try_start(), "mosquitto does not come back; {}", place::tail(&self.log));
    }

    /// False when it ended instead of listening.
    fn try_start(&mut self) -> bool {
        let config = self.folder.path().join("mosquitto.conf");
        fs::write(&config, self.config()).expect("the broker's folder can be written");
        let mut group = Group::spawn(Command::new(&self.program).arg("-c").arg(config), &self.log, Output::Logged);
        let ports = [self.port].into_iter().chain(self.more.iter().copied());
        let addresses: Vec<SocketAddr> = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).collect();
        let listens = until_sync("mosquitto to listen", STARTS_WITHIN, || {
            if group.ended().is_some() {
                return Ok(false);
            }
            addresses
                .iter()
                .try_for_each(|at| TcpStream::connect(at).map(drop))
                .map(|()| true)
                .map_err(|e| e.to_string())
        });
        // Somebody else may listen there while ours is about to find out.
        if listens && group.ended().is_none() {
            self.running = Some(group);
        }
        self.running.is_some()
    }

    fn config(&self) -> String {
        // Started as root, it would become a user who cannot write to our folder.
        let user = if rustix::process::geteuid().is_root() { "user root\n" } else { "" };
        let rest = match self.configured {
            Configured::ForTests | Configured::WithoutGuarantee | Configured::With(_) => {
                "persistence true\nautosave_interval 1\nmax_queued_messages 100000000\nset_tcp_nodelay true\nlog_type all\n"
            }
            Configured::Shipped => SHIPPED,
            Configured::Plain => "",
        };
        // Of the listener, and so below it.
        let below = match &self.configured {
            Configured::WithoutGuarantee => "max_qos 0\n",
            Configured::With(lines) => lines,
            Configured::ForTests | Configured::Shipped | Configured::Plain => "",
        };
        let lets_everybody_in = if below.contains("allow_anonymous") { "" } else { "allow_anonymous true\n" };
        format!(
            "{user}{rest}persistence_location {}/\nlog_dest stderr\nlog_timestamp_format %H:%M:%S\n\
             listener {} 127.0.0.1\n{lets_everybody_in}{below}",
            self.folder.path().display(),
            self.port,
        )
    }
}

/// A port nobody listens on at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a listener has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    #[tokio::test]
    async fn a_broker_comes_back_on_its_port_with_what_it_kept() {
        let Some(mut broker) = Mosquitto::start("harness") else { return };
        let url = broker.url();
        let peer = Peer::connect(&url, "writer", &["kept/+"]).await;
        peer.publish_retained("kept/a", "1").await;
        peer.wait_for("our own message", |m| (m.topic == "kept/a").then_some(())).await;

        broker.stop();
        assert!(TcpStream::connect(url.trim_start_matches("mqtt://")).is_err(), "somebody still listens");
        broker.start_again();
        assert_eq!(broker.url(), url);

        peer.wait_until_up().await;
        let reader = Peer::connect(&url, "reader", &["kept/+"]).await;
        let retained = reader.wait_for("the kept message", |m| m.retained.then(|| m.payload.clone())).await;
        assert_eq!(retained, b"1");
        reader.leave().await;
        peer.leave().await;
    }
}
