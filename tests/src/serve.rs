//! `fleetlens serve`, running.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::place;
use crate::process::{Group, Output, is_alive, signal};
use crate::profile::unasked;
use crate::wait::until;

/// How long it may take to end: its own limits add up to less.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// How long it may take to answer a request.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The program, on a loopback port, and the addresses it has printed.
pub struct Serve {
    group: Option<Group>,
    process: u32,
    window: String,
    phone: String,
    log: PathBuf,
}

impl Serve {
    /// Starts it on a data folder with what else it is told, and waits until it says where it is. It does not ask what to show.
    /// `name` is that of its log.
    pub fn start(name: &str, data: &Path, arguments: &[&str]) -> Serve {
        Serve::listen(name, data, "127.0.0.1:0", arguments)
    }

    /// [`Serve::start`] at an address of the test's choice.
    pub fn listen(name: &str, data: &Path, address: &str, arguments: &[&str]) -> Serve {
        let unasked = unasked(arguments.iter().copied());
        let arguments: Vec<&str> = arguments.iter().copied().chain(unasked).collect();
        Serve::listen_as_told(name, data, address, &arguments)
    }

    /// [`Serve::start`] as a person does who starts it for the first time: its window asks what to show.
    pub fn start_for_the_first_time(name: &str, data: &Path) -> Serve {
        Serve::listen_as_told(name, data, "127.0.0.1:0", &[])
    }

    fn listen_as_told(name: &str, data: &Path, address: &str, arguments: &[&str]) -> Serve {
        let log = place::log(&format!("serve-{name}"));
        let mut command = Command::new(place::program("fleetlens"));
        command.args(["serve", "--listen", address, "--data-dir"]).arg(data).args(arguments);
        if !arguments.contains(&"--ui") {
            command.args(["--ui"]).arg(place::target().join("ui"));
        }
        command.env("RUST_LOG", "info,mqtt5=warn,fleetlens_host=debug,fleetlens_serve=debug").env("NO_COLOR", "1");
        let mut group = Group::spawn(&mut command, &log, Output::Read);
        let mut lines = BufReader::new(group.take_stdout()).lines();
        let mut address = || {
            let line = lines.next().and_then(Result::ok);
            let line =
                line.unwrap_or_else(|| panic!("fleetlens serve does not say where it is; {}", place::tail(&log)));
            line.split_whitespace().next().unwrap_or_default().to_owned()
        };
        let (window, phone) = (address(), address());
        // It goes on printing now and then; a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Serve { process: group.id(), group: Some(group), window, phone, log }
    }

    /// The window's address, with the token.
    pub fn window(&self) -> &str {
        &self.window
    }

    /// The phone's address, with the token.
    pub fn phone(&self) -> &str {
        &self.phone
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> &str {
        let rest = self.window.trim_start_matches("http://");
        rest.split('/').next().unwrap_or(rest)
    }

    /// What opens it.
    pub fn token(&self) -> &str {
        self.window.split_once("token=").map_or("", |(_, token)| token)
    }

    /// The head of its answer to a request in plain HTTP, such as `GET /`, with these headers and no others than `Host`.
    pub fn ask(&self, request: &str, headers: &[(&str, &str)]) -> String {
        let mut text = format!("{request} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text += &format!("Host: {}\r\n", self.authority());
        }
        headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
        text += "\r\n";
        let asked = TcpStream::connect(self.authority()).and_then(|mut connection| {
            connection.set_read_timeout(Some(ANSWERS_WITHIN))?;
            connection.write_all(text.as_bytes())?;
            let lines = BufReader::new(connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            Ok(lines.map(|line| line + "\n").collect())
        });
        asked.unwrap_or_else(|e| panic!("{request} is not answered: {e}; {}", place::tail(&self.log)))
    }

    /// The file of its log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Asks it to end, as Ctrl-C and the system do, and waits until it has; returns how long that took.
    pub async fn close(mut self) -> Duration {
        let start = Instant::now();
        signal(self.process, Signal::TERM);
        let log = self.log.clone();
        until("fleetlens serve to end", ENDS_WITHIN, async || {
            if is_alive(self.process) { Err(place::tail(&log)) } else { Ok(()) }
        })
        .await;
        let took = start.elapsed();
        self.group.take();
        took
    }

    /// Kills it where it stands.
    pub fn kill(mut self) {
        if let Some(group) = self.group.take() {
            group.kill();
        }
    }
}
