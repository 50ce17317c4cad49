//! Builds the window into `target/ui`, from where both Tauri apps embed it: cargo → wasm-bindgen → wasm-opt, beside the
//! pages, the styles and the npm parts.

mod bindings;
mod parts;
mod sheets;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::place::Place;
use crate::program;
use crate::setup::rust::TARGET;
use crate::steps::Step;

/// The package of the window.
pub const PACKAGE: &str = "fleetlens-ui";

/// The profile of the root `Cargo.toml` that the window is built with.
pub const PROFILE: &str = "wasm";

/// The profile of a window that is looked at while it is being written.
const QUICK_PROFILE: &str = "wasm-quick";

/// Whether the wasm is made small.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Optimisation {
    /// Build the window's wasm for who writes it: seven times as big, but built anew in seconds instead of minutes.
    #[arg(long)]
    pub quick: bool,
}

/// Builds the window; what its inputs have not changed is kept, down to the files' times.
pub fn build(place: &Place, step: &Step, optimisation: Optimisation) -> Result<()> {
    let work = place.window_work();
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    // Two builds at once would take each other's half-written results for their own. The lock falls with the file.
    let lock = File::create(work.join("lock")).context("cannot create the lock of the window's build")?;
    lock.lock().context("cannot take the lock of the window's build")?;

    step.say("cargo build");
    let wasm = compile(place, optimisation)?;
    let bound = bindings::generate(place, step, &wasm, optimisation)?;
    let files = parts::collect(place, &bound)?;
    parts::sync(&files, &place.window())
}

/// Compiles the window and returns its wasm file, as cargo names it.
fn compile(place: &Place, optimisation: Optimisation) -> Result<PathBuf> {
    let mut command = program::cargo(&place.root);
    if optimisation.quick {
        command.env_remove("CARGO_INCREMENTAL"); // where it forbids that, an edit costs a minute instead of seconds
    }
    let profile = if optimisation.quick { QUICK_PROFILE } else { PROFILE };
    command
        .args(["build", "--package", PACKAGE, "--target", TARGET, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null());
    let messages = program::text(&mut command)?;
    wasm_file(&messages).with_context(|| format!("cargo built no wasm program from the package {PACKAGE}"))
}

/// The last wasm file that cargo's messages name for our package.
fn wasm_file(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.get("reason").is_some_and(|reason| reason == "compiler-artifact"))
        .filter(|message| message.pointer("/target/name").is_some_and(is_our_name))
        .filter_map(|message| Some(message.get("filenames")?.as_array()?.clone()))
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .rfind(|file| file.extension().is_some_and(|ending| ending == "wasm"))
}

/// A library's target carries underscores where the package has hyphens.
fn is_our_name(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.replace('_', "-") == PACKAGE)
}

/// Fails with what is missing when a file that the window cannot do without is not there.
fn require(place: &Place, file: &std::path::Path) -> Result<()> {
    if !file.is_file() {
        bail!("{} is not there, and the window cannot be put together without it", place.show(file));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wasm_is_found_among_cargos_messages() {
        let other = r#"{"reason":"compiler-artifact","target":{"name":"leptos"},"filenames":["/t/libleptos.rlib"]}"#;
        let script = r#"{"reason":"build-script-executed","package_id":"x"}"#;
        let program =
            r#"{"reason":"compiler-artifact","target":{"name":"fleetlens-ui"},"filenames":["/t/fleetlens-ui.wasm"]}"#;
        let library = r#"{"reason":"compiler-artifact","target":{"name":"fleetlens_ui"},"filenames":["/t/fleetlens_ui.wasm","/t/libfleetlens_ui.rlib"]}"#;
        for (name, messages, want) in [
            ("a program", format!("{other}\n{script}\n{program}\n"), Some("/t/fleetlens-ui.wasm")),
            ("a library", format!("{library}\n{other}\n"), Some("/t/fleetlens_ui.wasm")),
            ("noise that is not JSON", format!("warning: something\n{program}\n"), Some("/t/fleetlens-ui.wasm")),
            ("only other packages", format!("{other}\n"), None),
        ] {
            assert_eq!(wasm_file(&messages), want.map(PathBuf::from), "{name}");
        }
    }
}
