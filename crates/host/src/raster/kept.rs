//! Tiles on the disk, bounded in bytes: what was not looked at for longest goes first. That a file cannot be read or written costs
//! nothing but time, so nobody is asked and nothing fails.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When there is too much, so much of the bound is left, so that not every tile has to make room.
const LEFT_PERCENT: u64 = 90;

/// What a picture begins with.
const HEAD: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a whole one ends with.
const END: &[u8] = b"IEND\xaeB`\x82";

/// How many files this program began to write: each has a name of its own until it is whole.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A folder of tiles.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    max_bytes: u64,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Size, and when it was looked at last, by a number that rises. `None` until the folder was read.
    tiles: Option<HashMap<String, (u64, u64)>>,
    bytes: u64,
    looks: u64,
}

impl Kept {
    /// A folder that need not be there yet.
    pub fn new(folder: PathBuf, max_bytes: u64) -> Kept {
        Kept { folder, max_bytes, shelf: Mutex::default() }
    }

    /// A tile that is kept. One that is not whole, as a machine may leave it that loses its power, is removed. Blocks on the disk.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.folder.join(name);
        let bytes = fs::read(&file).ok()?;
        let mut shelf = self.shelf();
        if !bytes.starts_with(HEAD) || !bytes.ends_with(END) {
            shelf.forget(name);
            let _ = fs::remove_file(file); // another program of this folder may have been first
            return None;
        }
        shelf.put(name, bytes.len() as u64);
        Some(bytes)
    }

    /// Keeps a tile, whole or not at all. Blocks on the disk.
    pub fn keep(&self, name: &str, bytes: &[u8]) {
        let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let fresh = self.folder.join(format!("{name}.{}-{nth}.new", std::process::id()));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| write(&fresh, bytes))
            .and_then(|()| fs::rename(&fresh, self.folder.join(name)));
        if let Err(error) = written {
            tracing::debug!(%error, "a tile is not kept");
            let _ = fs::remove_file(&fresh); // it may not be there
            return;
        }
        let mut shelf = self.shelf();
        shelf.put(name, bytes.len() as u64);
        for gone in shelf.too_many(self.max_bytes) {
            let _ = fs::remove_file(self.folder.join(gone)); // another program of this folder may have been first
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.tiles.is_none() {
            *shelf = Shelf::of(&self.folder);
        }
        shelf
    }
}

impl Shelf {
    /// What earlier runs left, the oldest first; half-written files are removed.
    fn of(folder: &Path) -> Shelf {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.ends_with(".new") {
                let _ = fs::remove_file(entry.path()); // another run may write it just now, and writes it again
            } else if let Ok(about) = entry.metadata()
                && name.ends_with(".png")
            {
                found.push((about.modified().ok(), name, about.len()));
            }
        }
        found.sort();
        let mut shelf = Shelf { tiles: Some(HashMap::new()), ..Shelf::default() };
        for (_, name, bytes) in found {
            shelf.put(&name, bytes);
        }
        shelf
    }

    fn put(&mut self, name: &str, bytes: u64) {
        self.looks += 1;
        let before = self.tiles.get_or_insert_default().insert(name.to_owned(), (bytes, self.looks));
        self.bytes = self.bytes.saturating_sub(before.map_or(0, |(bytes, _)| bytes)) + bytes;
    }

    fn forget(&mut self, name: &str) {
        let gone = self.tiles.get_or_insert_default().remove(name);
        self.bytes = self.bytes.saturating_sub(gone.map_or(0, |(bytes, _)| bytes));
    }

    /// Takes off what has no room.
    fn too_many(&mut self, max_bytes: u64) -> Vec<String> {
        if self.bytes <= max_bytes {
            return Vec::new();
        }
        let tiles = self.tiles.get_or_insert_default();
        let mut oldest: Vec<(u64, String)> = tiles.iter().map(|(name, (_, look))| (*look, name.clone())).collect();
        oldest.sort_unstable();
        let mut gone = Vec::new();
        for (_, name) in oldest {
            if self.bytes <= max_bytes / 100 * LEFT_PERCENT {
                break;
            }
            self.bytes = self.bytes.saturating_sub(tiles.remove(&name).map_or(0, |(bytes, _)| bytes));
            gone.push(name);
        }
        gone
    }
}

/// For its owner alone: it says where somebody looked.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of so many bytes.
    fn picture(bytes: usize) -> Vec<u8> {
        [HEAD, vec![7; bytes - HEAD.len() - END.len()].as_slice(), END].concat()
    }

    #[test]
    fn what_is_no_whole_picture_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().to_owned(), 1_000);
        let whole = picture(100);
        let (half, no_head) = (whole.get(..60).unwrap(), whole.get(8..).unwrap());
        for bytes in [half, no_head, &[]] {
            kept.keep("a.png", bytes);
            assert_eq!((kept.read("a.png"), folder.path().join("a.png").exists()), (None, false), "{bytes:?}");
        }
        assert_eq!(kept.shelf().bytes, 0);
        kept.keep("a.png", &whole);
        assert_eq!(kept.read("a.png"), Some(whole));
    }

    #[test]
    fn what_was_not_looked_at_for_longest_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let there = |name: &str| folder.path().join(name).exists();
        let kept = Kept::new(folder.path().to_owned(), 1_000);
        for name in ["a.png", "b.png", "c.png"] {
            kept.keep(name, &picture(300));
        }
        assert_eq!(kept.read("a.png").map(|bytes| bytes.len()), Some(300));
        kept.keep("d.png", &picture(300));
        assert_eq!(["a.png", "b.png", "c.png", "d.png"].map(there), [true, false, true, true]);

        // The next run knows what is there, and keeps to the bound with it.
        fs::write(folder.path().join("e.png.17.new"), "half").unwrap();
        let kept = Kept::new(folder.path().to_owned(), 1_000);
        kept.keep("f.png", &picture(300));
        let bytes: u64 = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes <= 900 && there("f.png") && !there("e.png.17.new"), "{bytes}");
        assert_eq!(kept.read("b.png"), None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_nothing_but_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let kept = Kept::new(file.join("below"), 1_000);
        kept.keep("a.png", &[1]);
        assert_eq!(kept.read("a.png"), None);
    }
}
