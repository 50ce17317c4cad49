//! Small files that are told again and again while somebody else may read them.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt;

/// Where the next one is written.
pub(crate) fn new_of(path: &Path) -> PathBuf {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    new.into()
}

/// Puts a file in the place of the one there: whole or not at all for who reads it, and for its owner alone. Not held against a power
/// cut: what is told again and again is told again.
pub(crate) async fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes).await?;
    tokio::fs::rename(new_of(path), path).await
}

/// Puts a file in the place of the one there, for its owner alone: whole or not at all, also where the power is cut. For what nobody tells
/// again.
///
/// # Errors
///
/// Where the file or its folder cannot be written; then the file is as it was.
pub async fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes).await?.sync_all().await?;
    tokio::fs::rename(new_of(path), path).await?;
    // The new name is the folder's; where a folder cannot be opened, the system keeps it by itself.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        tokio::fs::File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

/// Writes the new one beside the other.
async fn write(path: &Path, bytes: &[u8]) -> io::Result<tokio::fs::File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut opened = options.open(new_of(path)).await?;
    opened.write_all(bytes).await?;
    opened.flush().await?;
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_takes_the_place_of_another_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.json");
        for told in ["long ago, and more of it", "now"] {
            replace(&path, told.as_bytes()).await.unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), told);
            keep(&path, b"kept").await.unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
        }
        assert!(!new_of(&path).exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(replace(&folder.path().join("nowhere/told.json"), b"now").await.is_err());
    }
}
