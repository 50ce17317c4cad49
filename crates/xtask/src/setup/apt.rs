//! Installing packages where `apt-get` does it, so that neither an interrupt nor a lost terminal leaves dpkg half-way.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, IsTerminal, Write, stderr, stdin};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::steps::{Step, tell};
use crate::{interrupt, program};

/// Where dpkg keeps what it has not yet written into its database.
const JOURNAL: &str = "/var/lib/dpkg/updates";

/// How long we read on after a command has ended: a service that a package starts may keep its end of the pipe for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What installing takes, as root.
enum Administrator {
    Ourselves,
    Sudo,
}

/// Installs packages by their names, showing what apt says; a failure says exactly what to do by hand.
pub fn install(step: &Step, names: &[&str]) -> Result<()> {
    perform(step, names).map_err(|error| {
        if interrupt::came() {
            return error;
        }
        anyhow!(
            "{error:#}\npackages are missing; install them by hand and start again. As root:\n  apt-get update && \
             apt-get install --no-install-recommends {}",
            names.join(" ")
        )
    })
}

fn perform(step: &Step, names: &[&str]) -> Result<()> {
    let administrator = Administrator::become_one(step)?;
    if is_half_way(Path::new(JOURNAL)) {
        step.say("dpkg --configure -a (it was interrupted)");
        to_the_end(administrator.command("dpkg", ["--configure", "-a"]))?;
    }
    step.say("apt-get update");
    program::run(&mut administrator.command("apt-get", ["update", "-q"]))?;
    // Downloading may be interrupted as it pleases; only what follows must not be.
    step.say(&format!("apt-get install {}", names.join(" ")));
    let install = |more: &[&'static str]| {
        let usual =
            ["install", "-y", "-q", "-o=Dpkg::Use-Pty=0", "-o=DPkg::Lock::Timeout=120", "--no-install-recommends"];
        administrator.command("apt-get", usual.iter().chain(more).chain(names))
    };
    program::run(&mut install(&["--download-only"]))?;
    to_the_end(install(&[]))
}

impl Administrator {
    /// Asks for the password now, where a person can type it: later we are not in the terminal's foreground.
    fn become_one(step: &Step) -> Result<Self> {
        if is_root() {
            return Ok(Self::Ourselves);
        }
        if program::find("sudo").is_none() {
            bail!("we are not root and there is no `sudo`");
        }
        if stdin().is_terminal() {
            step.say("sudo, to install packages");
            program::run(Command::new("sudo").arg("-v"))?;
        }
        program::run(Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()))
            .context("`sudo` does not let us without a password")?;
        Ok(Self::Sudo)
    }

    /// A command as root that asks nobody anything and talks to our stderr: stdout is kept for what a verb answers.
    fn command(&self, name: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = match self {
            Self::Ourselves => Command::new("env"),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["-n", "env"]);
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", name]).args(arguments);
        command.stdin(Stdio::null()).stdout(stderr());
        command
    }
}

/// Runs a command that no interrupt reaches and that does not notice when the terminal goes away.
fn to_the_end(mut command: Command) -> Result<()> {
    let line = program::line(&command);
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    let also = writer.try_clone().context("cannot make a pipe")?;
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    interrupt::after(|| {
        let mut child =
            command.stdout(writer).stderr(also).spawn().with_context(|| format!("cannot start `{line}`"))?;
        drop(command); // it holds our ends of the pipe
        let (said_all, all_said) = mpsc::channel();
        thread::spawn(move || {
            forward(BufReader::new(reader));
            let _ = said_all.send(()); // nobody waits any more
        });
        let status = child.wait().with_context(|| format!("cannot wait for `{line}`"))?;
        let _ = all_said.recv_timeout(LAST_WORDS);
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        Ok(())
    })
}

/// Hands on what a command says; that nobody may be there to read it is no reason to stop listening.
fn forward(mut said: impl BufRead) {
    let (mut line, mut told) = (Vec::new(), false);
    while said.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let _ = stderr().write_all(&line);
        line.clear();
        if interrupt::came() && !told {
            told = true;
            tell("interrupted: what dpkg has begun is finished first");
        }
    }
}

/// Whether dpkg was interrupted and refuses to work before `dpkg --configure -a`. The sign is apt's: a file with a number for
/// its name in the journal (apt, `debSystem::CheckUpdates`).
fn is_half_way(journal: &Path) -> bool {
    std::fs::read_dir(journal).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn dpkg_is_half_way_where_its_journal_has_numbered_parts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_half_way(&folder.path().join("nowhere")));
        assert!(!is_half_way(folder.path()));
        fs::write(folder.path().join("tmp.i"), "").unwrap();
        assert!(!is_half_way(folder.path()), "its working file is always there");
        fs::write(folder.path().join("0003"), "").unwrap();
        assert!(is_half_way(folder.path()));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_fails_is_named_and_one_that_leaves_a_service_behind_is_not_waited_for() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdin(Stdio::null());
            command
        };
        assert_eq!(to_the_end(shell("exit 7")).unwrap_err().to_string(), "`sh -c exit 7` ended with exit status: 7");
        // The service would hold the pipe open for ten seconds.
        let folder = tempfile::tempdir().unwrap();
        let ended = folder.path().join("ended");
        to_the_end(shell(&format!("(sleep 10; : > {}) & exit 0", ended.display()))).unwrap();
        assert!(!ended.exists(), "we waited for the service");
    }
}
