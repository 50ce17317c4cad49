//! In the place of a generator: `geozero` ships what it would generate, so its build script is over when it asks.

use std::io;
use std::path::Path;

/// Ends the build script that calls it, with success: what follows would rewrite a shipped file in the place where cargo keeps it.
pub fn compile_protos(_: &[impl AsRef<Path>], _: &[impl AsRef<Path>]) -> io::Result<()> {
    std::process::exit(0)
}
