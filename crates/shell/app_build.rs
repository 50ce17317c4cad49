// The build script of both apps, which include it: makes Tauri's context from the app's `tauri.conf.json`, and the permissions of
// our commands.

use std::error::Error;
use std::path::Path;

/// Where `cargo xtask ui` puts the window, seen from an app's folder.
const WINDOW: &str = "../target/ui";

fn main() -> Result<(), Box<dyn Error>> {
    // Tauri refuses to build without the folder. With it a plain `cargo build` works; the app then opens an empty window.
    std::fs::create_dir_all(Path::new(WINDOW))?;
    println!("cargo::rerun-if-changed={WINDOW}");
    let commands = tauri_build::AppManifest::new().commands(&["attach", "call", "open_window", "shows"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands))?;
    Ok(())
}
