//! A screen of the test's own.

use std::io::{BufRead, BufReader};
use std::process::Command;

use tempfile::TempDir;

use crate::place;
use crate::process::{Group, Output};

/// An X server without a screen, a session bus, which the app's webview looks for, and a home of its own, so that no test sees
/// what a person or another test has set. All end with this value.
pub struct Display {
    home: TempDir,
    number: String,
    bus: Option<(String, Group)>,
    _server: Group,
}

impl Display {
    /// Opens a screen of this size in pixels; `None` when Xvfb is not installed (then the test has been told as skipped).
    pub fn open(name: &str, width: u32, height: u32) -> Option<Display> {
        let xvfb = place::system_program("Xvfb")?;
        let log = place::log(&format!("display-{name}"));
        let screen = format!("{width}x{height}x24");
        let mut server = Command::new(xvfb);
        server.args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp"]);
        let mut server = Group::spawn(&mut server, &log, Output::Read);
        let number = first_line(&mut server, "the number of its display");
        let bus = place::system_program("dbus-daemon").map(|daemon| {
            let mut bus = Command::new(daemon);
            bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
            let mut bus = Group::spawn(&mut bus, &log, Output::Read);
            (first_line(&mut bus, "its address"), bus)
        });
        let home = tempfile::tempdir().expect("a folder for what the webview keeps");
        Some(Display { home, number: format!(":{number}"), bus, _server: server })
    }

    /// The address of its session bus; `None` when dbus-daemon is not installed (then the test has been told as skipped).
    pub fn bus(&self) -> Option<&str> {
        self.bus.as_ref().map(|(address, _)| address.as_str())
    }

    /// Makes a program appear here.
    pub fn show(&self, command: &mut Command) {
        command.env("DISPLAY", &self.number).env("GDK_BACKEND", "x11");
        command.env_remove("WAYLAND_DISPLAY").env_remove("XAUTHORITY");
        // WebGL in software: no machine that runs tests has to have a graphics card.
        command.env("LIBGL_ALWAYS_SOFTWARE", "1").env("NO_AT_BRIDGE", "1");
        for (variable, folder) in
            [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")]
        {
            command.env(variable, self.home.path().join(folder));
        }
        if let Some((address, _)) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
    }
}

/// What a server says first, which names what it serves.
pub(crate) fn first_line(server: &mut Group, what: &str) -> String {
    let mut line = String::new();
    let read = BufReader::new(server.take_stdout()).read_line(&mut line);
    let said = line.trim();
    assert!(read.is_ok() && !said.is_empty(), "a server ended without saying {what}");
    said.to_owned()
}
