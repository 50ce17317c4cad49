//! From the compiler's wasm to what a page can import: wasm-bindgen as a library, then wasm-opt.
//!
//! The library's version is pinned to the `wasm-bindgen` the window is built with, so that the two always match; a
//! program of the same name on the `PATH` is never used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Optimisation;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::place::Place;
use crate::program;
use crate::steps::Step;

/// The name of the page's module: `/fleetlens_ui.js` beside `/fleetlens_ui_bg.wasm`.
const NAME: &str = "fleetlens_ui";

/// Makes the bindings of this wasm file, unless they are there already, and returns their folder.
pub fn generate(place: &Place, step: &Step, wasm: &Path, optimisation: Optimisation) -> Result<PathBuf> {
    let folder = place.window_work().join("bindings");
    let stamp = Stamp::at(place.window_work().join("bindings.stamp"));
    let optimiser = place.ui.join("node_modules/binaryen/bin/wasm-opt");
    let fingerprint = Fingerprint::default()
        .file(wasm)
        .file(&place.root.join("Cargo.lock")) // holds the version of wasm-bindgen
        .file(&place.ui.join("package-lock.json")) // holds the version of wasm-opt
        .text(if optimisation.quick { "as compiled" } else { "optimised" })
        .finish();
    if stamp.holds(&fingerprint) && folder.is_dir() {
        return Ok(folder);
    }

    stamp.clear()?;
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    step.say("wasm-bindgen");
    Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .omit_default_module_path(false) // so that a page need not know where the wasm lies: `init()`
        .web(true)
        .and_then(|bindgen| bindgen.typescript(false).generate(&folder))
        .with_context(|| format!("wasm-bindgen cannot make bindings of {}", wasm.display()))?;
    if !optimisation.quick {
        step.say("wasm-opt -Oz");
        optimise(&optimiser, &folder.join(format!("{NAME}_bg.wasm")))?;
    }
    stamp.set(&fingerprint)?;
    Ok(folder)
}

/// Rewrites a wasm file smaller.
///
/// No feature flags: the file says itself which features it uses, and with `--all-features` Binaryen 132 writes a file
/// that shows a blank page, as Debian's Binaryen 108 does in any case.
fn optimise(optimiser: &Path, wasm: &Path) -> Result<()> {
    let node = program::need("node", "install Node.js 18 or newer")?;
    let smaller = wasm.with_extension("wasm.smaller");
    program::run(Command::new(node).arg(optimiser).arg("-Oz").arg(wasm).arg("-o").arg(&smaller))?;
    fs::rename(&smaller, wasm).with_context(|| format!("cannot replace {}", wasm.display()))
}
