//! The screen the app appears on: the one that is there, or Xvfb with a session bus of its own.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::group::Group;
use super::is_set;
use crate::{leash, program};

/// Where the app appears.
pub enum Screen {
    /// The screen of this session.
    Real,
    /// A virtual one that ends with this value.
    Virtual(VirtualScreen),
}

/// An X server without a screen.
pub struct VirtualScreen {
    display: String,
    bus_address: String,
    // In the order in which they are to end.
    _bus: Group,
    _server: Group,
}

/// Whether this session has no screen. Only X11 and Wayland say so in the environment.
pub fn is_missing() -> bool {
    cfg!(target_os = "linux") && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")
}

impl Screen {
    /// Starts an X server on a free number, as big as the app's window: nothing else is on it.
    pub fn open_virtual(phone: bool) -> Result<Self> {
        let size = if phone { "390x844x24" } else { "1440x900x24" };
        let xvfb = program::need("Xvfb", "install xvfb")?;
        // Should we be killed, then -terminate ends the server with its last client, the app. On a leash it would end before
        // the app has closed its store.
        let mut server = Command::new(xvfb);
        server.args(["-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp", "-terminate"]);
        let (server, number) = start("Xvfb", server, "the number of its display")?;

        let daemon = program::need("dbus-daemon", "install dbus")?;
        let mut bus = leash::command(&daemon);
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let (bus, bus_address) = start("dbus-daemon", bus, "its address")?;
        Ok(Self::Virtual(VirtualScreen { display: format!(":{number}"), bus_address, _bus: bus, _server: server }))
    }

    /// Makes a program appear on this screen.
    pub fn show(&self, command: &mut Command) {
        match self {
            Self::Real => {}
            Self::Virtual(screen) => screen.show(command),
        }
    }
}

impl VirtualScreen {
    /// Makes a program appear on this screen.
    pub fn show(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("GDK_BACKEND", "x11")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("XAUTHORITY");
    }
}

/// Starts a server that says one line on stdout when it is ready, and returns the line.
fn start(name: &str, mut command: Command, what: &str) -> Result<(Group, String)> {
    let mut group = Group::spawn(name, command.stdout(Stdio::piped()).stderr(Stdio::null()))?;
    let output = group.take_stdout().with_context(|| format!("cannot listen to `{name}`"))?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).with_context(|| format!("cannot listen to `{name}`"))?;
    let said = line.trim();
    if said.is_empty() {
        bail!("`{name}` ended without saying {what}");
    }
    Ok((group, said.to_owned()))
}
