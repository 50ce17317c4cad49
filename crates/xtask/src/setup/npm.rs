//! The window's npm parts (map, fonts, wasm optimiser), installed exactly as the lockfile says.

use std::io::stderr;
use std::process::Command;

use anyhow::Result;

use crate::fingerprint::{Fingerprint, Stamp};
use crate::place::Place;
use crate::program;
use crate::steps::Step;

/// What is installed, and the stamp inside the installed folder that goes away together with it.
fn state(place: &Place) -> (String, Stamp) {
    let inputs = [".npmrc", "package.json", "package-lock.json"];
    let wanted = inputs.iter().fold(Fingerprint::default(), |all, name| all.file(&place.ui.join(name))).finish();
    (wanted, Stamp::at(place.ui.join("node_modules/.fleetlens-installed")))
}

/// Whether `ui/node_modules` holds what the lockfile asks for.
pub fn is_installed(place: &Place) -> bool {
    let (wanted, stamp) = state(place);
    stamp.holds(&wanted)
}

/// Runs `npm ci` in `ui/` when the lockfile is not the one that was installed.
///
/// No package's install script is run: none of ours needs one.
pub fn prepare(place: &Place, step: &Step) -> Result<()> {
    let (wanted, stamp) = state(place);
    if stamp.holds(&wanted) {
        return Ok(());
    }
    let npm = program::need("npm", "install Node.js 18 or newer with npm")?;
    step.say("npm ci");
    stamp.clear()?;
    let mut command = Command::new(npm);
    command.current_dir(&place.ui).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    // Stdout is kept for what a verb answers.
    program::run(command.stdout(stderr()))?;
    stamp.set(&wanted)
}
