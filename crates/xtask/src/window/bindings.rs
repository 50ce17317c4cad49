//! From the compiler's wasm to what a page can import: wasm-split parts it in two, wasm-bindgen binds the part that a start needs, and
//! wasm-opt makes both small. All but the last are libraries.
//!
//! The library's version is pinned to the `wasm-bindgen` the window is built with, so that the two always match; a
//! program of the same name on the `PATH` is never used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use wasm_bindgen_cli_support::Bindgen;

use super::Optimisation;
use crate::fingerprint::{Fingerprint, Stamp};
use crate::place::Place;
use crate::program;
use crate::steps::Step;

/// The name of the page's module: `/fleetlens_ui.js` beside `/fleetlens_ui_bg.wasm`.
const NAME: &str = "fleetlens_ui";

/// The script that fetches the other parts, as the program names it to import it.
const LINKS: &str = "./fleetlens_parts.js";

/// How wasm-split's script makes a program of what comes.
const STREAMED: &str = "WebAssembly.instantiateStreaming(src, imports)";

/// The same of whatever type the server calls it.
const WHOLE: &str = "src.then(async (r) => { if (!r.ok) throw new Error(`${r.url}: ${r.status}`); \
    return WebAssembly.instantiate(await r.arrayBuffer(), imports); })";

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
    step.say("wasm-split");
    let (main, parts) = part(place, wasm, &fingerprint)?;
    step.say("wasm-bindgen");
    Bindgen::new()
        .input_path(&main)
        .out_name(NAME)
        .omit_default_module_path(false) // so that a page need not know where the wasm lies: `init()`
        .keep_lld_exports(true) // the other part works on the table of functions and the memory of this one
        .web(true)
        .and_then(|bindgen| bindgen.typescript(false).generate(&folder))
        .with_context(|| format!("wasm-bindgen cannot make bindings of {}", wasm.display()))?;
    for part in &parts {
        let name = part.file_name().with_context(|| format!("{} is no file", part.display()))?;
        fs::copy(part, folder.join(name)).with_context(|| format!("cannot copy {}", part.display()))?;
    }
    if !optimisation.quick {
        step.say("wasm-opt -Oz");
        for file in wasms(&folder)? {
            optimise(&optimiser, &file)?;
        }
    }
    stamp.set(&fingerprint)?;
    Ok(folder)
}

/// Takes what `ui/src/later.rs` holds, and nothing else needs, out of the program. Returns what is left, for wasm-bindgen, and the files
/// that a page fetches afterwards, the script that does so among them.
fn part(place: &Place, wasm: &Path, build: &str) -> Result<(PathBuf, Vec<PathBuf>)> {
    let folder = place.window_work().join("parts");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let program = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let main = folder.join("main.wasm");
    let module = format!("./{NAME}.js");
    let mut options = wasm_split_cli_support::Options::new(&program);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.main_module = &module;
    options.link_name = LINKS;
    let parted = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("cannot part {}: {error:#}", wasm.display()))?;
    let mut parts = Vec::new();
    let links = folder.join(LINKS);
    let mut script = fs::read_to_string(&links).with_context(|| format!("cannot read {}", links.display()))?;
    // A part of another build would work on this one's memory as if it were its own. By this name a window that was opened before an
    // update finds none.
    for part in parted.split_modules {
        let stem = part
            .file_stem()
            .and_then(|stem| stem.to_str())
            .with_context(|| format!("{} is no file", part.display()))?;
        let named = folder.join(format!("{stem}-{build:.12}.wasm"));
        script = script.replace(&format!("{stem}.wasm"), &format!("{stem}-{build:.12}.wasm"));
        fs::rename(&part, &named).with_context(|| format!("cannot rename {}", part.display()))?;
        parts.push(named);
    }
    // As wasm-bindgen does for the first part: a proxy may call the file another type, and then it cannot be compiled while it comes.
    if !script.contains(STREAMED) {
        bail!("{} loads its parts in a way that is not known here", links.display());
    }
    fs::write(&links, script.replace(STREAMED, WHOLE)).with_context(|| format!("cannot write {}", links.display()))?;
    parts.push(links);
    Ok((main, parts))
}

/// The wasm files of a folder.
fn wasms(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let files = files.with_context(|| format!("cannot list {}", folder.display()))?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "wasm")).collect())
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
