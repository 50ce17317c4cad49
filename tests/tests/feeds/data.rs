//! The recordings, where they are.

use std::path::PathBuf;

use fleetlens_tests::place;

/// A file or folder of `FLEET_DATA`, else of `../shared/data` beside the checkout; `None`, told as skipped, where there is no
/// data. With `FLEET_DATA` set a missing one is a failure: somebody wanted these tests to run.
pub fn find(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("FLEET_DATA").map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| place::root().join("../shared/data")).join(name);
    if !path.exists() {
        assert!(given.is_none(), "FLEET_DATA is set, but {} is not there", path.display());
        place::skip(&format!("no data ({name})"));
        return None;
    }
    Some(path)
}

/// The text of a file of [`find`].
pub fn read(name: &str) -> Option<String> {
    let path = find(name)?;
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
