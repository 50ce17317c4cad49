//! Other programs: finding them, running them, and saying clearly what failed.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Folders in which Debian keeps servers (Mosquitto) and which an ordinary user's `PATH` leaves out.
const SERVER_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Looks a program up on the `PATH` and where servers live.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    env::split_paths(&path)
        .chain(SERVER_FOLDERS.iter().map(PathBuf::from))
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))))
        .find(|file| is_executable(file))
}

/// Looks a program up and says what to do when it is not there.
pub fn need(name: &str, hint: &str) -> Result<PathBuf> {
    find(name).with_context(|| format!("the program `{name}` is not on this machine: {hint}"))
}

/// The cargo that started us, without the variables that it sets for the package it runs.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with our output; fails when it cannot start or ends badly.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command, lets its stderr through and returns its stdout; fails when it ends badly.
pub fn text(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote something that is not UTF-8", line(command)))
}

/// The first line a program prints when asked for its version; `None` when it cannot be started or says nothing.
pub fn version(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let line = String::from_utf8_lossy(&said).lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// A command as one would type it, to name it in a message.
pub fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| format!("{line} {}", argument.to_string_lossy()))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_only_where_it_can_be_executed() {
        assert!(find("cargo").is_some(), "cargo runs this test, so it is on the PATH");
        assert!(find("fleetlens-no-such-program").is_none());
    }

    #[test]
    fn a_failed_command_is_named_with_its_arguments() {
        let mut command = Command::new("cargo");
        command.arg("no-such-verb").stderr(Stdio::null());
        let message = run(&mut command).unwrap_err().to_string();
        assert!(message.starts_with("`cargo no-such-verb` ended with"), "{message}");
    }

    #[test]
    fn a_missing_program_is_told_with_the_hint() {
        let message = need("fleetlens-no-such-program", "install it").unwrap_err().to_string();
        assert!(message.ends_with("is not on this machine: install it"), "{message}");
    }
}
