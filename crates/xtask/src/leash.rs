//! A leash for what we start: the kernel ends it when we end without having been able to do so ourselves (`kill -9`).
//!
//! The leash has to be put on by the program itself, between its birth and its first instruction, for which the standard
//! library has only an unsafe hook. So we start ourselves once more with a hidden verb that does it and becomes the program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// A hidden verb: puts the leash on and becomes another program.
#[derive(clap::Args)]
pub struct Options {
    /// The process that holds the leash
    holder: u32,
    /// The program to become, with its arguments
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// The words before a program that put it on our leash.
#[cfg(target_os = "linux")]
pub fn command(program: &Path) -> Command {
    // Not by our path: what we build may have replaced us there by now.
    let mut command = Command::new("/proc/self/exe");
    command.args(["leash", &std::process::id().to_string(), "--"]).arg(program);
    command
}

/// Other systems have no such leash: there a program outlives us when we are killed.
#[cfg(not(target_os = "linux"))]
pub fn command(program: &Path) -> Command {
    Command::new(program)
}

/// Becomes the program; returns only when it cannot.
#[cfg(target_os = "linux")]
pub fn wear(options: &Options) -> anyhow::Error {
    use std::os::unix::process::CommandExt;

    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let Some((program, arguments)) = options.program.split_first() else {
        return anyhow::anyhow!("there is no program to put on a leash");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return anyhow::Error::new(error).context("the kernel gives no leash");
    }
    // Whoever died before the leash was on cannot pull it.
    let parent = getppid().map(|parent| parent.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(options.holder) {
        return anyhow::anyhow!("process {} is not our parent any more", options.holder);
    }
    let error = Command::new(program).args(arguments).exec();
    anyhow::Error::new(error).context(format!("cannot start `{}`", program.display()))
}

/// Other systems have no such leash.
#[cfg(not(target_os = "linux"))]
pub fn wear(_: &Options) -> anyhow::Error {
    anyhow::anyhow!("only Linux has a leash")
}
