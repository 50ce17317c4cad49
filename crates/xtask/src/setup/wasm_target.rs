//! Rust's standard library for wasm, which the window is compiled against.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::program;
use crate::steps::Step;

/// The target of the window.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Whether the compiler that cargo uses has the standard library for [`TARGET`].
pub fn is_installed() -> Result<bool> {
    let folder = program::text(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(folder.trim()).is_dir())
}

/// Adds the target through rustup when it is missing.
pub fn prepare(step: &Step) -> Result<()> {
    if is_installed()? {
        return Ok(());
    }
    let Some(rustup) = program::find("rustup") else {
        bail!(
            "this compiler cannot build for {TARGET} and there is no rustup to add it with: install Rust through \
             rustup, or the package of your system that brings this target (Debian: libstd-rust-dev-wasm32)"
        );
    };
    step.say(&format!("rustup target add {TARGET}"));
    program::run(Command::new(rustup).args(["target", "add", TARGET]))
}
