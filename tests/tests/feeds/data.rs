//! The recordings, where they are.

pub use fleetlens_tests::place::data as find;

/// The text of a file of [`find`].
pub fn read(name: &str) -> Option<String> {
    let path = find(name)?;
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
