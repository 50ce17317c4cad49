//! `cargo xtask screenshots`: the user guide's pictures, taken of the real windows.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::window::{self, Optimisation};
use crate::{program, programs};

/// The example of the tests' package that drives the windows and takes the pictures.
const EXAMPLE: &str = "screenshots";

/// Where the guide keeps its pictures.
const GUIDE: &str = "docs/guide/img";

/// Builds everything, has the pictures taken into `target/screenshots` and copies them into the guide.
pub fn run(place: &Place) -> Result<ExitCode> {
    let mut steps = Steps::new(setup::STEPS + 3);
    setup::prepare(place, &mut steps, &[Purpose::Run, Purpose::Screenless, Purpose::Test])?;
    steps.step("the window", |step| window::build(place, step, Optimisation::default()))?;
    steps.step("the programs", |step| programs::build_with_example(place, step, EXAMPLE))?;
    steps.step("the pictures", |step| {
        let taken = place.target.join("screenshots");
        if taken.exists() {
            fs::remove_dir_all(&taken).with_context(|| format!("cannot empty {}", taken.display()))?;
        }
        fs::create_dir_all(&taken).with_context(|| format!("cannot create {}", taken.display()))?;
        step.say("driving the windows");
        program::run(
            Command::new(place.program(&format!("examples/{EXAMPLE}")))
                .current_dir(&place.root)
                .env("FLEETLENS_BIN_DIR", &place.programs)
                .env("FLEETLENS_SCREENSHOTS", &taken)
                .stdin(Stdio::null()),
        )?;
        let count = copy_pictures(&taken, &place.root.join(GUIDE))?;
        step.say(&format!("{count} pictures in {GUIDE}"));
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Copies every PNG of a folder; no picture at all is a failure.
fn copy_pictures(from: &Path, to: &Path) -> Result<usize> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut count = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let path = entry.with_context(|| format!("cannot list {}", from.display()))?.path();
        if let (Some("png"), Some(name)) = (path.extension().and_then(|ending| ending.to_str()), path.file_name()) {
            fs::copy(&path, to.join(name)).with_context(|| format!("cannot copy {}", path.display()))?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("the example took no picture in {}", from.display());
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_copied_and_none_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("deep/to"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("log.txt"), "").unwrap();
        assert!(copy_pictures(&from, &to).is_err());
        fs::write(from.join("map.png"), "picture").unwrap();
        assert_eq!(copy_pictures(&from, &to).unwrap(), 1);
        assert_eq!(fs::read_to_string(to.join("map.png")).unwrap(), "picture");
        assert!(!to.join("log.txt").exists());
    }
}
