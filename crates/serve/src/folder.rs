//! Where the built window is.

use std::path::{Path, PathBuf};

use crate::ServeError;

/// What every built window has.
const START: &str = "index.html";

/// The folder of the built window: the one given, else `ui` beside the program, as it is installed, or beside the program's
/// folder, as cargo builds it (`target/debug/fleetlens`, `target/ui`). Fails when no window is there.
pub fn find_ui(given: Option<PathBuf>) -> Result<PathBuf, ServeError> {
    match given {
        Some(folder) => first_with_window(vec![folder]),
        None => first_with_window(usual_places(std::env::current_exe().ok().as_deref())),
    }
}

fn usual_places(program: Option<&Path>) -> Vec<PathBuf> {
    let folders = program.into_iter().flat_map(Path::ancestors).skip(1).take(2);
    folders.map(|folder| folder.join("ui")).collect()
}

fn first_with_window(folders: Vec<PathBuf>) -> Result<PathBuf, ServeError> {
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let found = folders.into_iter().find(|folder| folder.join(START).is_file());
    found.ok_or_else(|| ServeError::NoWindow(looked.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_looked_for_beside_the_program_and_then_where_cargo_builds_it() {
        assert_eq!(
            usual_places(Some(Path::new("/b/target/debug/fleetlens"))),
            [PathBuf::from("/b/target/debug/ui"), PathBuf::from("/b/target/ui")]
        );
        assert!(usual_places(None).is_empty());
    }

    #[test]
    fn a_folder_without_a_window_is_refused_with_the_way_to_build_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = find_ui(Some(folder.path().into())).unwrap_err().to_string();
        assert!(error.contains("cargo xtask ui") && error.contains(folder.path().to_str().unwrap()), "{error}");
        std::fs::write(folder.path().join(START), "").unwrap();
        assert_eq!(find_ui(Some(folder.path().into())).unwrap(), folder.path());
    }
}
