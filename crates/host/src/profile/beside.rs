//! Files that a profile names: only such as lie beside it, by their name alone. A profile that came from elsewhere reads nothing else of
//! the machine.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// The path of a JSON file beside the profile; `None` of what is no such name.
pub(super) fn named(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    let mut parts = path.components();
    let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    (is_plain && path.extension().is_some_and(|end| end == "json")).then_some(path)
}

/// A text of at most so many bytes, or why it cannot be read. Blocks on the disk.
pub(super) fn read(path: &Path, most_bytes: usize) -> Result<String, String> {
    // What is no file may never end.
    if !std::fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("it is no file".into());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(most_bytes as u64 + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() > most_bytes {
        return Err(format!("it has more than {most_bytes} bytes"));
    }
    Ok(text)
}
