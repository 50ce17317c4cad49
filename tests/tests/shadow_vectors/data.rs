//! The shared data, where it is.

use std::path::PathBuf;

use fleetlens_tests::place;
use serde_json::Value;

/// A file of `FLEET_DATA`, else of `../shared/data` beside the checkout; `None`, told as skipped, where there is no data.
///
/// With `FLEET_DATA` set a missing file is a failure: somebody wanted these tests to run. With `CI` set too: there the data lie
/// beside the checkout.
pub fn read(file: &str) -> Option<Value> {
    let given = std::env::var_os("FLEET_DATA").map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| place::root().join("../shared/data")).join(file);
    if !path.is_file() {
        assert!(given.is_none(), "FLEET_DATA is set, but {} is not there", path.display());
        place::skip(&format!("no data ({file})"));
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
