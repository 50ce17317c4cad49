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

/// What a file is called, after its name, until it takes its place. These endings are nobody's but ours, because such files are
/// removed: a `harbour.toml.new` beside a profile is its owner's draft.
const NEW: &str = "fleetlens-new";

/// What a profile's file is called instead from when it holds, until it and its password have taken their places.
const BOTH: &str = "fleetlens-both";

/// What a profile is called that was there before a rule of it was changed.
const BEFORE: &str = "fleetlens-before";

/// What a password that was there before is called on its way back.
const OLD: &str = "fleetlens-old";

/// Writes a profile, or a board.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut profile = Fresh::write(path, text.as_bytes(), Readable::AsBefore)?;
    remove_stale(path)?;
    profile.rename(path.to_owned())?;
    profile.kept();
    sync_folder(path);
    Ok(())
}

/// Copies a profile beside itself; the copy is readable by whoever may read the file.
pub(super) fn copy_before(path: &Path) -> io::Result<()> {
    let mut copy = Fresh::at(with(&with(path, BEFORE), NEW), &fs::read(path)?, mode_of(path))?;
    copy.rename(with(path, BEFORE))?;
    copy.kept();
    sync_folder(path);
    Ok(())
}

/// Writes a profile and the password that belongs to it, which only its owner may read.
pub(super) fn write_both(path: &Path, text: &str, password_path: &Path, password: &str) -> io::Result<()> {
    // An older one would take the password of this one for its own.
    remove_stale(path)?;
    let before = fs::read(password_path).map(|bytes| (bytes, mode_of(password_path)));
    // Should something fail, both are removed again, the one that says that they hold first.
    let mut password = Fresh::write(password_path, password.as_bytes(), Readable::ByItsOwner)?;
    let mut both = Fresh::write(path, text.as_bytes(), Readable::AsBefore)?;
    both.rename(with(path, BOTH))?;
    sync_folder(path);
    password.rename(password_path.to_owned())?;
    let placed = match both.rename(path.to_owned()) {
        Ok(()) => Ok(()),
        Err(error) => match take_back(path, &mut password, password_path, before) {
            Ok(()) => return Err(error),
            Err(why) => Err(io::Error::other(format!(
                "{error}; what was written cannot be taken back either ({why}) and takes effect at the next start"
            ))),
        },
    };
    both.kept();
    password.kept();
    sync_folder(path);
    placed
}

/// Puts the password that was there `before` back into its place, and then nothing holds any more. Should the machine stop in here,
/// or something fail, the new profile and its password still hold.
fn take_back(
    path: &Path,
    password: &mut Fresh,
    place: &Path,
    before: io::Result<(Vec<u8>, Option<u32>)>,
) -> io::Result<()> {
    let before = match before {
        Ok((bytes, mode)) => Some(Fresh::at(with(place, OLD), &bytes, mode)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    password.rename(with(place, NEW))?;
    if let Some(mut before) = before {
        before.rename(place.to_owned())?;
        before.kept();
    }
    sync_folder(place);
    fs::remove_file(with(path, BOTH))
}

/// Removes what an earlier save left that could not be finished: at the next start it would replace what is saved now.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(with(path, BOTH)) {
        Ok(()) => {
            tracing::info!(file = %path.display(), "an earlier save that was not finished is given up for this one");
            sync_folder(path);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
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
    for left in
        [(TOML, NEW), (PASSWORD, NEW), (PASSWORD, OLD)].map(|(kind, ending)| files(folder, kind, ending)).concat()
    {
        match fs::remove_file(&left) {
            Ok(()) => tracing::info!(file = %left.display(), "what was left half written is removed"),
            Err(error) => {
                tracing::error!(file = %left.display(), %error, "what was left half written cannot be removed");
            }
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
    /// By whoever may read the file that it replaces; a new one as usual.
    AsBefore,
}

impl Readable {
    fn mode(self, place: &Path) -> Option<u32> {
        match self {
            Readable::ByItsOwner => Some(0o600),
            Readable::AsBefore => mode_of(place),
        }
    }
}

/// Who may read a file, where there is one and such a thing as `chmod`.
fn mode_of(file: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        Some(about.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = file; // the folder of a person's data is theirs alone there
        None
    }
}

/// A file that is whole on the disk and not in its place yet; removed when it does not get there.
struct Fresh(Option<PathBuf>);

impl Fresh {
    /// Writes it beside its place.
    fn write(place: &Path, bytes: &[u8], readable: Readable) -> io::Result<Fresh> {
        Fresh::at(with(place, NEW), bytes, readable.mode(place))
    }

    /// Writes it under this name.
    fn at(name: PathBuf, bytes: &[u8], mode: Option<u32>) -> io::Result<Fresh> {
        // Of an earlier try that was cut short; its permissions would stay.
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if let Some(mode) = mode {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(mode);
        }
        let mut file = options.open(&name)?;
        let fresh = Fresh(Some(name));
        #[cfg(unix)]
        if let Some(mode) = mode {
            use std::os::unix::fs::PermissionsExt;
            // The umask may have taken some of it away.
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        #[cfg(not(unix))]
        let _ = mode;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(fresh)
    }

    /// Calls it otherwise; as before where that fails.
    fn rename(&mut self, name: PathBuf) -> io::Result<()> {
        if let Some(path) = &mut self.0 {
            fs::rename(&*path, &name)?;
            *path = name;
        }
        Ok(())
    }

    /// It stays, under this name.
    fn kept(mut self) {
        self.0 = None;
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

    const OLD_TEXT: &str = "name = \"H\"\n[broker]\nurl = \"mqtts://old\"\nuser = \"ada\"\npassword = { file = \"h.password\" }\n\
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
        let new = &OLD_TEXT.replace("old", "new");
        let (old_pair, new_pair) =
            ([("h.password", "old"), ("h.toml", OLD_TEXT)], [("h.password", "new"), ("h.toml", new.as_str())]);
        for (when, files, want) in [
            ("the password is written", &[("h.password.fleetlens-new", "ne")][..], &old_pair),
            ("so is the profile", &[("h.password.fleetlens-new", "new"), ("h.toml.fleetlens-new", new)], &old_pair),
            ("they hold", &[("h.password.fleetlens-new", "new"), ("h.toml.fleetlens-both", new)], &new_pair),
            ("the password is in its place", &[("h.password", "new"), ("h.toml.fleetlens-both", new)], &new_pair),
            ("so is the profile", &[("h.password", "new"), ("h.toml", new)], &new_pair),
        ] {
            let folder = folder_of(&[&old_pair, files].concat());
            finish(folder.path());
            tidy(folder.path());
            assert_eq!(held(&folder), named(want), "{when}");
        }
        finish("/nowhere/at/all".as_ref());
        let of_somebody = folder_of(&[("h.password.fleetlens-new", "mine"), ("h.toml", OLD_TEXT)]);
        finish(of_somebody.path());
        assert_eq!(held(&of_somebody).len(), 2, "what is not known to be ours stays");
    }

    #[test]
    fn what_cannot_be_written_leaves_everything_as_it_was() {
        let pair = [("h.password", "old"), ("h.toml", OLD_TEXT)];
        for (what, files) in [
            ("there is no room for the password", &[("h.password.fleetlens-new", ""), pair[0], pair[1]][..]),
            ("there is none for the profile", &[pair[0], pair[1], ("h.toml.fleetlens-new", "")]),
            ("nor for both", &[pair[0], pair[1], ("h.toml.fleetlens-both", "")]),
            ("the password has no place", &[("h.password", ""), pair[1]]),
            ("the profile has none", &[pair[0], ("h.toml", "")]),
            ("nor has a new one", &[("h.toml", "")]),
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
    fn what_cannot_be_taken_back_is_said_to_hold_and_what_is_saved_later_is_not_undone_by_it() {
        let folder = folder_of(&[("h.password", "old"), ("h.toml", ""), ("h.password.fleetlens-old", "")]);
        let at = |name: &str| folder.path().join(name);
        let error = write_both(&at("h.toml"), OLD_TEXT, &at("h.password"), "new").unwrap_err().to_string();
        assert!(error.contains("takes effect at the next start"), "{error}");
        fs::remove_dir(at("h.toml")).unwrap();
        fs::remove_dir(at("h.password.fleetlens-old")).unwrap();
        assert_eq!(held(&folder), named(&[("h.password", "new"), ("h.toml.fleetlens-both", OLD_TEXT)]));

        write(&at("h.toml"), "later").unwrap();
        finish(folder.path());
        assert_eq!(held(&folder), named(&[("h.password", "new"), ("h.toml", "later")]));
    }

    #[test]
    fn drafts_of_somebody_else_stay() {
        let drafts = [("harbour.toml.new", "mine"), ("harbour.toml.both", OLD_TEXT), ("harbour.password.new", "mine")];
        let folder = folder_of(&drafts);
        finish(folder.path());
        tidy(folder.path());
        assert_eq!(held(&folder), named(&drafts));
    }

    #[cfg(unix)]
    #[test]
    fn whoever_could_not_read_a_profile_still_cannot_when_it_is_saved() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder_of(&[("h.toml", OLD_TEXT), ("h.password", "old")]);
        let at = |name: &str| folder.path().join(name);
        for mode in [0o600, 0o664] {
            let mode_is = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
            fs::set_permissions(at("h.toml"), fs::Permissions::from_mode(mode)).unwrap();
            write(&at("h.toml"), "text").unwrap();
            assert_eq!(mode_is("h.toml"), mode);
            fs::set_permissions(at("h.password"), fs::Permissions::from_mode(mode)).unwrap();
            write_both(&at("h.toml"), "text", &at("h.password"), "new").unwrap();
            assert_eq!((mode_is("h.toml"), mode_is("h.password")), (mode, 0o600));
        }
    }

    #[test]
    fn both_are_written_and_nothing_is_left_beside_them() {
        let folder = folder_of(&[
            ("h.password", "old"),
            ("h.toml", OLD_TEXT),
            ("h.password.fleetlens-new", "of an earlier try"),
        ]);
        let at = |name: &str| folder.path().join(name);
        write_both(&at("h.toml"), "text", &at("h.password"), "new").unwrap();
        assert_eq!(held(&folder), named(&[("h.password", "new"), ("h.toml", "text")]));
    }
}
