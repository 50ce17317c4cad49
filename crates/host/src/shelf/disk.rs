//! Profiles and their passwords on the disk: whole or not at all, whenever the machine stops.
//!
//! A profile and the password that was typed for it are two files, and one without the other may be of no use. Both are written
//! beside what is there; the name [`BOTH`] of the new profile's file then says that they hold, and whatever is not in its place by
//! then is put there at the next start.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{PASSWORD, TOML, password_file};
use crate::profile::Profile;

/// What a file is called, after its name, until it takes its place.
const NEW: &str = "new";

/// What a profile's file is called instead from when it holds, until it and its password have taken their places.
const BOTH: &str = "both";

/// Writes a profile.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    Fresh::write(path, text.as_bytes(), Readable::AsUsual)?.place(path)?;
    sync_folder(path);
    Ok(())
}

/// Writes a profile and the password that belongs to it, which only its owner may read.
pub(super) fn write_both(path: &Path, text: &str, password_path: &Path, password: &str) -> io::Result<()> {
    let password = Fresh::write(password_path, password.as_bytes(), Readable::ByItsOwner)?;
    let both = Fresh::write(path, text.as_bytes(), Readable::AsUsual)?.rename(with(path, BOTH))?;
    sync_folder(path);
    // Should this fail, both are removed again, the one that says that they hold first.
    let both = match password.place(password_path) {
        Ok(()) => both.kept(),
        Err(error) => {
            drop(both);
            return Err(error);
        }
    };
    fs::rename(both, path)?;
    sync_folder(path);
    Ok(())
}

/// Ends what a stop of the machine left half done in a folder with profiles: what holds takes its place.
pub fn finish(folder: &Path) {
    for both in files(folder, TOML, BOTH) {
        let path = both.with_extension("");
        let finished = fs::read_to_string(&both).map_err(|error| error.to_string()).and_then(|text| {
            let profile = Profile::parse(&text, "the profile").map_err(|error| error.to_string())?;
            let password = folder.join(password_file(&profile)?);
            match fs::rename(with(&password, NEW), password) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.to_string()),
                // It may have taken its place before the stop.
                Ok(()) | Err(_) => {}
            }
            fs::rename(&both, path).map_err(|error| error.to_string())
        });
        match finished {
            Ok(()) => tracing::info!(file = %both.display(), "a profile that was being written has taken its place"),
            Err(why) => tracing::error!(file = %both.display(), %why, "a profile that was being written is of no use"),
        }
    }
}

/// Removes from the folder of profiles what a stop of the machine left half written, a password perhaps. After [`finish`].
pub fn tidy(folder: &Path) {
    for left in files(folder, TOML, NEW).into_iter().chain(files(folder, PASSWORD, NEW)) {
        if let Err(error) = fs::remove_file(&left) {
            tracing::error!(file = %left.display(), %error, "what was left half written cannot be removed");
        }
    }
}

/// The files `….{kind}.{ending}` of a folder; none where there is no folder.
fn files(folder: &Path, kind: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        path.extension() == Some(OsStr::new(ending))
            && path.file_stem().map(Path::new).and_then(Path::extension) == Some(OsStr::new(kind))
    };
    entries.filter(is_one).collect()
}

/// A name with one more ending.
fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    ByItsOwner,
    AsUsual,
}

/// A file that is whole on the disk and not in its place yet; removed when it does not get there.
struct Fresh(Option<PathBuf>);

impl Fresh {
    /// Writes it beside its place.
    fn write(place: &Path, bytes: &[u8], readable: Readable) -> io::Result<Fresh> {
        let beside = with(place, NEW);
        // Of an earlier try that was cut short; its permissions would stay.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if readable == Readable::ByItsOwner {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        #[cfg(not(unix))]
        let _ = readable; // the folder of a person's data is theirs alone there
        let mut file = options.open(&beside)?;
        let fresh = Fresh(Some(beside));
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(fresh)
    }

    /// Calls it otherwise.
    fn rename(mut self, name: PathBuf) -> io::Result<Fresh> {
        if let Some(path) = &mut self.0 {
            fs::rename(&*path, &name)?;
            *path = name;
        }
        Ok(self)
    }

    /// Puts it in its place.
    fn place(self, place: &Path) -> io::Result<()> {
        self.rename(place.to_owned())?.kept();
        Ok(())
    }

    /// It stays, under this name.
    fn kept(mut self) -> PathBuf {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(fs::remove_file) {
            tracing::error!(file = ?self.0, %error, "what was not kept cannot be removed");
        }
    }
}

/// New names are on the disk once their folder is. Where that cannot be had, they are there all the same, only later.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent()
        && let Err(error) = fs::File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::warn!(folder = %folder.display(), %error, "the folder is not synced");
    }
    #[cfg(not(unix))]
    let _ = path; // a folder is no file there
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const OLD: &str = "name = \"H\"\n[broker]\nurl = \"mqtts://old\"\nuser = \"ada\"\npassword = { file = \"h.password\" }\n\
                       [shadows]\nenabled = true\n";

    /// A folder with these files; an empty content is a folder.
    fn folder_of(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            if text.is_empty() { fs::create_dir(path) } else { fs::write(path, text) }.unwrap();
        }
        folder
    }

    fn held(folder: &TempDir) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        let held = entries.map(|entry| {
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap_or_default())
        });
        let mut held: Vec<_> = held.collect();
        held.sort();
        held
    }

    fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut named: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        named.sort();
        named
    }

    #[test]
    fn wherever_the_machine_stops_a_profile_and_its_password_are_both_old_or_both_new() {
        let new = &OLD.replace("old", "new");
        let (old_pair, new_pair) =
            ([("h.password", "old"), ("h.toml", OLD)], [("h.password", "new"), ("h.toml", new.as_str())]);
        for (when, files, want) in [
            ("the password is written", &[("h.password.new", "ne")][..], &old_pair),
            ("so is the profile", &[("h.password.new", "new"), ("h.toml.new", new)], &old_pair),
            ("they hold", &[("h.password.new", "new"), ("h.toml.both", new)], &new_pair),
            ("the password is in its place", &[("h.password", "new"), ("h.toml.both", new)], &new_pair),
            ("so is the profile", &[("h.password", "new"), ("h.toml", new)], &new_pair),
        ] {
            let folder = folder_of(&[&old_pair, files].concat());
            finish(folder.path());
            tidy(folder.path());
            assert_eq!(held(&folder), named(want), "{when}");
        }
        finish("/nowhere/at/all".as_ref());
        let of_somebody = folder_of(&[("h.password.new", "mine"), ("h.toml", OLD)]);
        finish(of_somebody.path());
        assert_eq!(held(&of_somebody).len(), 2, "what is not known to be ours stays");
    }

    #[test]
    fn what_cannot_be_written_leaves_everything_as_it_was() {
        let pair = [("h.password", "old"), ("h.toml", OLD)];
        for (what, files) in [
            ("there is no room for the password", &[("h.password.new", ""), pair[0], pair[1]][..]),
            ("there is none for the profile", &[pair[0], pair[1], ("h.toml.new", "")]),
            ("nor for both", &[pair[0], pair[1], ("h.toml.both", "")]),
            ("the password has no place", &[("h.password", ""), pair[1]]),
        ] {
            let folder = folder_of(files);
            let at = |name: &str| folder.path().join(name);
            write_both(&at("h.toml"), "text", &at("h.password"), "new").unwrap_err();
            assert_eq!(held(&folder), named(files), "{what}");
        }
        let folder = folder_of(&[("h.toml", "")]);
        write(&folder.path().join("h.toml"), "text").unwrap_err();
        assert_eq!(held(&folder), named(&[("h.toml", "")]), "nothing is left beside it");
    }

    #[test]
    fn both_are_written_and_nothing_is_left_beside_them() {
        let folder = folder_of(&[("h.password", "old"), ("h.toml", OLD), ("h.password.new", "of an earlier try")]);
        let at = |name: &str| folder.path().join(name);
        write_both(&at("h.toml"), "text", &at("h.password"), "new").unwrap();
        assert_eq!(held(&folder), named(&[("h.password", "new"), ("h.toml", "text")]));
    }
}
