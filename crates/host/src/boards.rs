//! Boards as files: a folder `boards` beside the profile, a TOML file each, and three that come with the program. A file is kept whole
//! or not at all, and never over what somebody else wrote meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fleetlens_ipc::boards::{BOARDS_MAX, BoardFile};
use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_model::board::{Board, TEXT_MAX_BYTES};
use xxhash_rust::xxh3::xxh3_64;

use crate::profile::file_stem;
use crate::shelf;

/// The folder beside a profile.
const FOLDER: &str = "boards";

/// What the file of a board ends in.
const TOML: &str = "toml";

/// How many names are tried for a new one.
const NAMES_MAX: usize = 99;

/// Those that come with the program, in the order in which they are listed. A file of the same name takes the place of one.
const BUILT_IN: [(&str, &str); 3] = [
    ("operator", include_str!("../../../assets/boards/operator.toml")),
    ("technician", include_str!("../../../assets/boards/technician.toml")),
    ("driver", include_str!("../../../assets/boards/driver.toml")),
];

/// The boards of a profile that lies in this folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Beside a profile in this folder. It is made when something is written.
    pub fn beside(profile_folder: &Path) -> Shelf {
        Shelf { folder: profile_folder.join(FOLDER) }
    }

    /// Those that come with the program, then those of the folder by their ids.
    pub fn all(&self) -> Vec<BoardFile> {
        let built_in = BUILT_IN.iter().map(|(id, text)| match self.file(id) {
            Some(mine) => BoardFile { is_built_in: true, ..mine },
            None => BoardFile { is_built_in: true, ..file((*id).to_owned(), (*text).to_owned(), String::new()) },
        });
        let mut ids: Vec<String> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| id_of(&entry.ok()?.path()))
            .filter(|id| !is_built_in(id))
            .collect();
        ids.sort_unstable();
        built_in.chain(ids.iter().filter_map(|id| self.file(id))).take(BOARDS_MAX).collect()
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{TOML}"))
    }

    /// The file of this id, whatever is wrong with it; `None` where there is none.
    fn file(&self, id: &str) -> Option<BoardFile> {
        let path = self.path(id);
        let named = path.display().to_string();
        let told = |why: String| BoardFile { fault: why, ..file(id.to_owned(), String::new(), named.clone()) };
        match read(&path) {
            Ok(text) => Some(file(id.to_owned(), text, named)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(told(format!("{named} cannot be read: {error}"))),
        }
    }

    /// Writes a board, over the one of this id, which must still be as it was `seen`, or as a new one, which gets an id of its name.
    pub fn keep(&self, id: Option<&str>, text: &str, seen: Option<u64>) -> Result<BoardFile, Fault> {
        let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
        let (board, _) =
            Board::read(text).map_err(|wrong| invalid(format!("line {}: {}", wrong.line, wrong.message)))?;
        let all = self.all();
        let id = match id {
            Some(id) => {
                self.check_seen(&all, id, seen)?;
                if let Some(unread) = all.iter().find(|board| board.id == id && !board.fault.is_empty()) {
                    // Nobody has seen what is in it.
                    return Err(invalid(format!("{}; it is not written over", unread.fault)));
                }
                id.to_owned()
            }
            None if all.len() >= BOARDS_MAX => {
                return Err(invalid(format!("there are {BOARDS_MAX} boards already; take one away first")));
            }
            None => {
                self.free_id(&board.name).ok_or_else(|| invalid("there are too many boards of this name".into()))?
            }
        };
        let path = self.path(&id);
        let written = fs::create_dir_all(&self.folder).and_then(|()| shelf::write_whole(&path, text));
        written.map_err(|error| invalid(format!("{} cannot be written: {error}", path.display())))?;
        let is_built_in = is_built_in(&id);
        Ok(BoardFile { is_built_in, ..file(id, text.to_owned(), path.display().to_string()) })
    }

    /// Takes the file of a board away, which must still be as it was `seen`.
    pub fn remove(&self, id: &str, seen: u64) -> Result<(), Fault> {
        self.check_seen(&self.all(), id, Some(seen))?;
        let path = self.path(id);
        fs::remove_file(&path).map_err(|error| {
            let why = if error.kind() == io::ErrorKind::NotFound {
                "this board comes with the program and cannot be taken away".to_owned()
            } else {
                format!("{} cannot be taken away: {error}", path.display())
            };
            Fault::new(FaultCode::Invalid, why)
        })
    }

    /// Only of a board that is on the shelf: an id is never made a path that leads elsewhere.
    fn check_seen(&self, all: &[BoardFile], id: &str, seen: Option<u64>) -> Result<(), Fault> {
        let there = all.iter().find(|board| board.id == id);
        let Some(there) = there else {
            let why =
                format!("there is no board {id:?} in {} any more; save yours as a new one", self.folder.display());
            return Err(Fault::new(FaultCode::TooLate, why));
        };
        if Some(there.seen) != seen {
            let why = "the board's file was changed meanwhile, and nothing of that was written over; read it again, or save yours as a new one";
            return Err(Fault::new(FaultCode::TooLate, why));
        }
        Ok(())
    }

    fn free_id(&self, name: &str) -> Option<String> {
        let stem = file_stem(name);
        let names = std::iter::once(stem.clone()).chain((2..=NAMES_MAX).map(|n| format!("{stem}-{n}")));
        names.into_iter().find(|id| !is_built_in(id) && !self.path(id).exists())
    }
}

fn is_built_in(id: &str) -> bool {
    BUILT_IN.iter().any(|(built_in, _)| *built_in == id)
}

fn file(id: String, text: String, file: String) -> BoardFile {
    let seen = xxh3_64(format!("{file}\0{text}").as_bytes());
    BoardFile { id, text, seen, file, is_built_in: false, fault: String::new() }
}

fn id_of(path: &Path) -> Option<String> {
    let is_board = path.extension().is_some_and(|ending| ending == TOML);
    path.file_stem().filter(|_| is_board)?.to_str().map(str::to_owned)
}

fn read(path: &Path) -> io::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > TEXT_MAX_BYTES as u64 {
        return Err(io::Error::other(format!("it has {size} bytes, and at most {TEXT_MAX_BYTES} are read")));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use fleetlens_model::identity::Role;
    use tempfile::TempDir;

    use super::*;

    const NIGHT: &str = "version = 1\nname = \"Night\"\n";

    fn shelf() -> (TempDir, Shelf) {
        let folder = TempDir::new().unwrap();
        let shelf = Shelf::beside(folder.path());
        (folder, shelf)
    }

    fn ids(shelf: &Shelf) -> Vec<String> {
        shelf.all().into_iter().map(|board| board.id).collect()
    }

    #[test]
    fn the_boards_that_come_with_the_program_have_no_mistake_and_are_each_for_a_role() {
        let (_folder, shelf) = shelf();
        for (board, role) in shelf.all().into_iter().zip([Role::Operator, Role::Technician, Role::Driver]) {
            let (read, mistakes) = Board::read(&board.text).unwrap();
            assert_eq!(mistakes, [], "{}", board.id);
            assert_eq!(read.roles.first(), Some(&role), "{}", board.id);
            assert_eq!(read.print(), board.text, "{} is written as the window writes it", board.id);
            assert!(board.is_built_in && board.file.is_empty());
        }
    }

    #[test]
    fn a_board_is_written_whole_read_again_and_taken_away() {
        let (folder, shelf) = shelf();
        let kept = shelf.keep(None, NIGHT, None).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("boards").join(format!("{}.toml", kept.id))).unwrap(), NIGHT);
        assert_eq!(shelf.all().last(), Some(&kept));
        let again = shelf.keep(None, NIGHT, None).unwrap();
        assert_ne!(again.id, kept.id, "a second one of the same name");
        let changed = shelf.keep(Some(&kept.id), "version = 1\nname = \"Day\"\n", Some(kept.seen)).unwrap();
        assert_eq!(changed.id, kept.id, "it stays where it is, whatever it is called");
        shelf.remove(&kept.id, changed.seen).unwrap();
        shelf.remove(&again.id, again.seen).unwrap();
        assert_eq!(ids(&shelf), ["operator", "technician", "driver"]);
        assert_eq!(fs::read_dir(folder.path().join("boards")).unwrap().count(), 0, "nothing is left beside them");
    }

    #[test]
    fn what_was_changed_meanwhile_is_never_written_over() {
        let (folder, shelf) = shelf();
        let kept = shelf.keep(None, NIGHT, None).unwrap();
        let path = folder.path().join("boards").join(format!("{}.toml", kept.id));
        fs::write(&path, "# by hand\n").unwrap();
        for refused in [
            shelf.keep(Some(&kept.id), NIGHT, Some(kept.seen)).map(|_| ()),
            shelf.keep(Some(&kept.id), NIGHT, None).map(|_| ()),
            shelf.remove(&kept.id, kept.seen),
            shelf.keep(Some("../profile"), NIGHT, Some(kept.seen)).map(|_| ()),
        ] {
            assert_eq!(refused.map_err(|fault| fault.code), Err(FaultCode::TooLate));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "# by hand\n");
        assert!(
            shelf.keep(None, "version = 1\n", None).is_err_and(|fault| fault.message.contains("a board has a name"))
        );
    }

    #[test]
    fn a_file_takes_the_place_of_one_that_comes_with_the_program_until_it_is_taken_away() {
        let (_folder, shelf) = shelf();
        let built_in = shelf.all().remove(0);
        let mine = shelf.keep(Some("operator"), NIGHT, Some(built_in.seen)).unwrap();
        assert_eq!((shelf.all().remove(0), ids(&shelf).len()), (mine.clone(), 3));
        shelf.remove("operator", mine.seen).unwrap();
        assert_eq!(shelf.all().remove(0), built_in);
        let refused = shelf.remove("operator", built_in.seen);
        assert!(refused.is_err_and(|fault| fault.message.contains("comes with the program")));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_costs_no_other() {
        let (folder, shelf) = shelf();
        let kept = shelf.keep(None, NIGHT, None).unwrap();
        fs::write(folder.path().join("boards/big.toml"), " ".repeat(TEXT_MAX_BYTES + 1)).unwrap();
        fs::write(folder.path().join("boards/odd.toml"), [0xff, 0xfe]).unwrap();
        fs::write(folder.path().join("boards/notes.md"), "no board").unwrap();
        let all = shelf.all();
        let told: Vec<(&str, bool)> = all.iter().skip(3).map(|it| (it.id.as_str(), it.fault.is_empty())).collect();
        assert_eq!(told, [("big", false), (kept.id.as_str(), true), ("odd", false)]);
        for odd in all.iter().filter(|it| !it.fault.is_empty()) {
            let refused = shelf.keep(Some(&odd.id), NIGHT, Some(odd.seen));
            assert!(refused.is_err_and(|fault| fault.message.contains("cannot be read")), "nobody saw what is in it");
        }
        assert_eq!(fs::read(folder.path().join("boards/odd.toml")).unwrap(), [0xff, 0xfe]);
    }
}
