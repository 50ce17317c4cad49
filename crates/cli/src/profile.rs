//! The profile a verb is told to use: a file, or the name of one in the app's folder.

use std::path::{Path, PathBuf};

use anyhow::bail;
use fleetlens_host::{Home, Profile, flags};

/// The profile that is always there.
const DEMO: &str = "demo";

/// The file of the profile that is meant; `None` for the demo city. `folder` is where names are looked up, else the app's own.
pub fn file(named: &str, folder: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    if named == DEMO {
        return Ok(None);
    }
    let file = Path::new(named);
    if file.is_file() {
        return Ok(Some(file.to_owned()));
    }
    let folder = folder.or_else(flags::desktop_data_dir);
    let (home, _) = Home::open(folder.as_deref().unwrap_or(Path::new("")));
    let rows = home.profiles(None, None);
    if let Some(row) = rows.iter().find(|row| row.name == named) {
        if let Some(fault) = &row.fault {
            bail!("the profile {named:?} cannot be used: {fault}");
        }
        return Ok((!row.file.is_empty()).then(|| PathBuf::from(&row.file)));
    }
    let others = rows.iter().filter(|row| !row.file.is_empty()).map(|row| row.name.as_str());
    let there: Vec<&str> = std::iter::once(DEMO).chain(others).collect();
    bail!(
        "there is no profile {named:?}: no such file, and none of that name in {}; there are {}",
        home.profile_folder().display(),
        there.join(", ")
    )
}

/// The profile in this file, or the demo city's.
pub fn read(file: Option<&Path>) -> anyhow::Result<Profile> {
    Ok(file.map_or_else(Profile::demo, Profile::read)?)
}
