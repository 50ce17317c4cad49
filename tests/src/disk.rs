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

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a program that a failed test left behind may still have a file on it.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
