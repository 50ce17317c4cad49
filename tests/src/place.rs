//! Where programs are found and where pictures and logs are left.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the checkout").to_path_buf()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `target/e2e`, made when it is not there: pictures for people, and logs of what the tests started.
pub fn results() -> PathBuf {
    let folder = target().join("e2e");
    fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("cannot make {}: {e}", folder.display()));
    folder
}

/// A new, empty log in `target/e2e/logs`.
pub fn log(name: &str) -> PathBuf {
    let folder = results().join("logs");
    fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("cannot make {}: {e}", folder.display()));
    let log = folder.join(format!("{name}.log"));
    // Of an earlier run; that there is none is the usual case.
    let _ = fs::remove_file(&log);
    log
}

/// A program of ours, from `FLEETLENS_BIN_DIR` or else the folder cargo builds into. `cargo xtask test` builds them first.
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("FLEETLENS_BIN_DIR").map_or_else(|| target().join("debug"), PathBuf::from);
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is not there: `cargo xtask test` builds it, or set FLEETLENS_BIN_DIR to the folder it is in",
        program.display()
    );
    program
}

/// A program of the system, or `None` when it is not installed: then the test is skipped and says so. Where `CI` is set,
/// everything has to be there.
pub fn system_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers out of the path of people who are not root.
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        skip(&format!("no {name}"));
    }
    found
}

/// Tells past the test harness, which swallows what a passing test prints, that a test is skipped and why. Where `CI` is set,
/// nothing may be skipped and this fails.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, and with CI set no test may be skipped");
    // Whoever closed our stderr does not want to know.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A file or folder of data that others recorded: of `FLEET_DATA`, else of `../shared/data` beside the checkout; `None`, told as
/// skipped, where there is no data. With `FLEET_DATA` set a missing one is a failure: somebody wanted these tests to run.
pub fn data(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("FLEET_DATA").map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| root().join("../shared/data")).join(name);
    if !path.exists() {
        assert!(given.is_none(), "FLEET_DATA is set, but {} is not there", path.display());
        skip(&format!("no data ({name})"));
        return None;
    }
    Some(path)
}

/// The text of a file of [`data`].
pub fn data_text(name: &str) -> Option<String> {
    let path = data(name)?;
    Some(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// The end of a log, for the message of a failure.
pub fn tail(log: &Path) -> String {
    const LINES: usize = 25;
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("the end of {}:\n{end}", log.display())
}
