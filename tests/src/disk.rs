//! A disk of the test's own, small enough to be filled.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::place;

/// A small file system in memory; unmounted when this value goes.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of so many megabytes; `None` where that is not permitted (then the test has been told as skipped).
    pub fn mount(mb: u32) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = format!("size={mb}m");
        let mut mount = Command::new("mount");
        match mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output() {
            Ok(output) if output.status.success() => return Some(SmallDisk { folder }),
            Ok(output) => place::skip(&format!("no mount here: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => place::skip(&format!("no mount here: {error}")),
        }
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets nobody write, or everybody again. Nobody may have a file on it open for writing.
    pub fn set_read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        let output = Command::new("mount").args(["-o", how]).arg(self.path()).output().expect("it was mounted before");
        assert!(output.status.success(), "{how}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }

    /// Leaves no byte of room.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file on the small disk");
        // Ends with the error that is wanted: no space is left.
        for block in [1 << 20, 1 << 12, 1] {
            while ballast.write_all(&vec![0; block]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn empty(&self) {
        fs::remove_file(self.ballast()).expect("the disk was filled before");
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

/// Files that nobody can change, not even who has them open, until this value goes.
pub struct Immutable(Vec<PathBuf>);

impl Immutable {
    /// `None` where the file system has no such thing (then the test has been told as skipped).
    pub fn make(files: impl IntoIterator<Item = PathBuf>) -> Option<Immutable> {
        let files = Immutable(files.into_iter().collect());
        match Command::new("chattr").arg("+i").args(&files.0).output() {
            Ok(output) if output.status.success() => return Some(files),
            Ok(output) => {
                place::skip(&format!("no immutable files here: {}", String::from_utf8_lossy(&output.stderr).trim()));
            }
            Err(error) => place::skip(&format!("no immutable files here: {error}")),
        }
        None
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        // Where it was never made so there is nothing to take back.
        let _ = Command::new("chattr").arg("-i").args(&self.0).output();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a program that a failed test left behind may still have a file on it.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
