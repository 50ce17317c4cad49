//! Mosquitto on a free port of the loopback, ended with the test.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

pub struct Mosquitto {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts it with these lines more in its configuration; `None`, said aloud, where it is not installed.
    pub fn start(more: &str) -> Option<Mosquitto> {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // "user root" keeps it from giving up the right to its own folder when the tests run as root.
            let lines = format!(
                "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n\
                 persistence_location {}/\nmax_queued_messages 100000\nlog_dest stderr\n{more}\n",
                folder.path().display()
            );
            std::fs::write(folder.path().join("mosquitto.conf"), lines).unwrap();
            match start(&folder) {
                Ok(Some(child)) => return Some(Mosquitto { folder, port, child: Some(child) }),
                // Somebody else took the port between two lines; another one is free.
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    super::skip("no mosquitto");
                    return None;
                }
                Err(error) => panic!("mosquitto: {error}"),
            }
        }
        panic!("mosquitto did not start five times")
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Ends it as a power cut would: sessions are lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it as an administrator would: sessions are saved.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(asked.success());
            child.wait().unwrap();
        }
    }

    pub fn start_again(&mut self) {
        assert!(self.child.is_none());
        self.child = start(&self.folder).unwrap();
        assert!(self.child.is_some(), "it starts again on its port");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// Waits until it says that it runs; `None` when it ends instead.
fn start(folder: &tempfile::TempDir) -> std::io::Result<Option<Child>> {
    // Debian installs it where users have no path to.
    let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
    let mut child = Command::new("mosquitto")
        .arg("-v")
        .arg("-c")
        .arg(folder.path().join("mosquitto.conf"))
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let runs = lines.by_ref().map_while(Result::ok).any(|line| line.contains(" running"));
    if !runs {
        child.wait()?;
        return Ok(None);
    }
    // Nobody reads its log, but it must not stall on a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(Some(child))
}
