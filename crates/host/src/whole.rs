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

/// Puts a file in the place of the one there: whole or not at all, and for its owner alone.
pub(crate) async fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = new_of(path);
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut opened = options.open(&new).await?;
    opened.write_all(bytes).await?;
    opened.flush().await?;
    drop(opened);
    tokio::fs::rename(&new, path).await
}
