//! A picture of the virtual screen, taken once the map is drawn.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::screen::VirtualScreen;
use crate::steps::Step;
use crate::{interrupt, program};

/// Time between two looks that are compared.
const BETWEEN: Duration = Duration::from_millis(500);

/// How long the map may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A window with its text but without its map has some three hundred colours, mostly of smoothed letters.
const MANY_COLOURS: u64 = 600;

/// Signs and notices have colours too, but they are small: a window without its map is compressed to a byte for every 27 pixels,
/// one with it or with a page of text to one for 8 or fewer.
const PIXELS_PER_BYTE: u64 = 12;

/// Part of its size by which a finished screen may still change: live things move, ages count on.
const STEADY_PART: f64 = 0.03;

/// What tells a finished screen from one that is being drawn.
#[derive(Clone, Copy, Debug)]
struct Look {
    colours: u64,
    pixels: u64,
    bytes: u64,
}

impl Look {
    fn is_drawn(self) -> bool {
        self.colours >= MANY_COLOURS && self.bytes * PIXELS_PER_BYTE >= self.pixels
    }

    /// Whether nothing much was drawn since: a compressed picture grows with everything that appears on it.
    fn is_steady_since(self, before: Self) -> bool {
        (self.bytes as f64 - before.bytes as f64).abs() <= before.bytes as f64 * STEADY_PART
    }
}

/// Writes the picture once two looks in a row show a drawn screen that hardly changes. A screen that never comes to rest is
/// taken as it is, and said to be so; an interrupt leaves the last look in the file.
pub fn take(screen: &VirtualScreen, file: &Path, step: &Step) -> Result<()> {
    let start = Instant::now();
    let mut before = look(screen, file)?;
    while !interrupt::came() {
        thread::sleep(BETWEEN);
        let now = look(screen, file)?;
        if before.is_drawn() && now.is_drawn() && now.is_steady_since(before) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            step.say(&format!("not at rest after {} s, taken as it is ({now:?})", PATIENCE.as_secs()));
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

fn look(screen: &VirtualScreen, file: &Path) -> Result<Look> {
    let import = program::need("import", "install imagemagick")?;
    let identify = program::need("identify", "install imagemagick")?;
    let mut command = undisturbed(&import);
    command.args(["-window", "root"]).arg(file).stdin(Stdio::null());
    screen.show(&mut command);
    program::run(&mut command)?;
    let said = program::text(undisturbed(&identify).args(["-format", "%k %w %h"]).arg(file))?;
    let numbers: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let &[colours, width, height] = numbers.as_slice() else {
        bail!("`identify` was to say colours, width and height, but said {said:?}");
    };
    let bytes = fs::metadata(file).with_context(|| format!("cannot look at {}", file.display()))?.len();
    Ok(Look { colours, pixels: width * height, bytes })
}

/// A program that a Ctrl-C of the terminal does not end: it is meant for us.
fn undisturbed(program: &Path) -> Command {
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_drawn_screen_at_rest_is_taken() {
        let at = |colours, bytes| Look { colours, pixels: 1_440 * 900, bytes };
        for (name, before, now, want) in [
            ("blank and at rest", at(2, 3_000), at(2, 3_000), false),
            ("text, no map yet", at(290, 40_000), at(290, 40_000), false),
            ("a notice, no map yet", at(1_683, 47_771), at(1_683, 47_771), false),
            ("tiles are coming in", at(900, 90_000), at(2_000, 210_000), false),
            ("only the ages count on", at(2_000, 210_000), at(2_010, 211_000), true),
        ] {
            let taken = before.is_drawn() && now.is_drawn() && now.is_steady_since(before);
            assert_eq!(taken, want, "{name}");
        }
    }
}
