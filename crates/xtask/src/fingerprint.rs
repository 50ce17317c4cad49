//! Fingerprints of inputs and the stamp files that remember them, so that nothing is made twice from the same inputs.
//!
//! The hash is the standard library's, which may change with the compiler: then things are made once more, never wrongly
//! kept. It is no protection against somebody who crafts collisions.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What something is made from.
#[derive(Default)]
pub struct Fingerprint(DefaultHasher);

impl Fingerprint {
    /// Takes a setting or a version in.
    pub fn text(mut self, text: &str) -> Self {
        self.put(text.as_bytes());
        self
    }

    /// Takes a file's name and contents in; a missing file counts as different from an empty one.
    pub fn file(mut self, path: &Path) -> Self {
        self.put(path.as_os_str().as_encoded_bytes());
        match fs::read(path) {
            Ok(bytes) => self.put(&bytes),
            Err(_) => self.put(b"\0missing"),
        }
        self
    }

    /// Sixteen hexadecimal digits.
    pub fn finish(self) -> String {
        format!("{:016x}", self.0.finish())
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }
}

/// A file that holds the fingerprint of the inputs a result was made from.
pub struct Stamp(PathBuf);

impl Stamp {
    /// A stamp in this file, whether or not it exists yet.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Whether the result was made from just these inputs.
    pub fn holds(&self, fingerprint: &str) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|held| held == fingerprint)
    }

    /// Forgets the result; to be called before it is made anew, so that half a result is never taken for a whole one.
    pub fn clear(&self) -> Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.0.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Remembers what the result was made from; to be called last.
    pub fn set(&self, fingerprint: &str) -> Result<()> {
        fs::write(&self.0, fingerprint).with_context(|| format!("cannot write {}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_apart_what_concatenation_would_not() {
        let print = |parts: &[&str]| parts.iter().fold(Fingerprint::default(), |all, part| all.text(part)).finish();
        assert_eq!(print(&["ab", "c"]), print(&["ab", "c"]));
        assert_ne!(print(&["ab", "c"]), print(&["a", "bc"]));
    }

    #[test]
    fn a_stamp_holds_until_an_input_changes_or_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("input");
        let stamp = Stamp::at(folder.path().join("stamp"));
        let print = || Fingerprint::default().file(&input).finish();

        let missing = print();
        assert!(!stamp.holds(&missing), "nothing was made yet");
        stamp.set(&missing).unwrap();
        assert!(stamp.holds(&missing));

        fs::write(&input, "").unwrap();
        assert!(!stamp.holds(&print()), "an empty file is not a missing one");
        stamp.set(&print()).unwrap();
        stamp.clear().unwrap();
        assert!(!stamp.holds(&print()));
        stamp.clear().unwrap();
    }
}
