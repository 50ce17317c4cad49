//! Parts of the Rust toolchain: the standard library for wasm, which the window is compiled against, and for the tests the
//! formatter and the linter.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Purpose;
use crate::place::Place;
use crate::program;
use crate::steps::Step;

/// The target of the window.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A component beyond rustup's minimal profile.
pub struct Component {
    /// What rustup calls it.
    pub name: &'static str,
    /// The verb that cargo learns from it.
    pub verb: &'static str,
    /// The Debian package that brings it.
    debian: &'static str,
}

/// What the tests need of them.
pub const COMPONENTS: [Component; 2] = [
    Component { name: "clippy", verb: "clippy", debian: "rust-clippy" },
    Component { name: "rustfmt", verb: "fmt", debian: "rustfmt" },
];

/// Whether the compiler that cargo uses has the standard library for [`TARGET`].
pub fn has_target() -> Result<bool> {
    let folder = program::text(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(folder.trim()).is_dir())
}

/// Whether cargo knows this verb. Asking runs it: rustup puts programs on the `PATH` for components it does not have.
pub fn has_verb(place: &Place, verb: &str) -> bool {
    let mut command = program::cargo(&place.root);
    command.args([verb, "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Adds what is missing through rustup.
pub fn prepare(place: &Place, step: &Step, purposes: &[Purpose]) -> Result<()> {
    if !has_target()? {
        add(step, "target", TARGET, "libstd-rust-dev-wasm32")?;
    }
    if purposes.contains(&Purpose::Test) {
        for Component { name, verb, debian } in COMPONENTS {
            if !has_verb(place, verb) {
                add(step, "component", name, debian)?;
            }
        }
    }
    Ok(())
}

fn add(step: &Step, kind: &str, name: &str, debian: &str) -> Result<()> {
    let Some(rustup) = program::find("rustup") else {
        bail!(
            "this Rust toolchain lacks the {kind} {name} and there is no rustup to add it with: install Rust through \
             rustup, or the package of your system that brings it (Debian: {debian})"
        );
    };
    step.say(&format!("rustup {kind} add {name}"));
    program::run(Command::new(rustup).args([kind, "add", name]))
}
