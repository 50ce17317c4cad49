//! Base maps as files: looked at, copied into the data folder whole or not at all, and named in a profile's text, in which everything
//! else stays as its owner wrote it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fleetlens_ipc::maps::{MAPS_OFFERED_MAX, MapFile};
use fleetlens_tiles::{Metadata, TileFormat, Tiles};
use tokio_util::sync::CancellationToken;
use toml_edit::{DocumentMut, Item, Table, Value};

use crate::settings::whole;
use crate::tiles::{plain, tile_set};

/// The folder in the data folder where maps are kept.
pub const FOLDER: &str = "maps";

/// What a copy is called until somebody takes it.
const PART: &str = "part";

/// What a copy's name says before its ending: what a person laid into the folder is never removed.
const TAKEN: &str = ".taken";

/// Why a copy that somebody ended came to nothing.
pub const ENDED: &str = "Copying was ended; nothing of it is left";

/// How much is copied before somebody may say that it is enough.
const PIECE_BYTES: usize = 1024 * 1024;

/// The longest name of a copy, in characters.
const NAME_MAX_CHARS: usize = 80;

/// How many maps of one name there may be.
const SAME_NAME_MAX: u32 = 999;

/// What a file of tiles says of itself.
pub fn about(tiles: &Tiles, built_in: bool, bytes: u64) -> MapFile {
    let said: &Metadata = tiles.metadata();
    let set = tile_set(said, built_in);
    let kind = match said.format {
        TileFormat::Vector => "vector",
        TileFormat::Png => "png",
        TileFormat::Jpeg => "jpeg",
        TileFormat::Webp => "webp",
    };
    MapFile {
        name: said.name.as_deref().map(plain).unwrap_or_default(),
        attribution: set.attribution,
        tiles: kind.to_owned(),
        container: if tiles.is_archive() { "PMTiles" } else { "MBTiles" }.to_owned(),
        bounds: said.bounds,
        min_zoom: set.min_zoom,
        max_zoom: set.max_zoom,
        bytes,
    }
}

/// Looks at a file that is to become a map. Blocks on the disk. Fails in a sentence.
pub fn look(path: &Path) -> Result<MapFile, String> {
    let tiles = Tiles::check(path).map_err(|error| capital(&error.to_string()))?;
    let bytes = fs::metadata(path).map_or(0, |about| about.len());
    Ok(about(&tiles, false, bytes))
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The maps that lie in a folder by their names.
pub fn found(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_map = |name: &String| is_map(Path::new(name));
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_map).collect();
    names.sort();
    names.truncate(MAPS_OFFERED_MAX);
    names
}

fn is_map(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("mbtiles") || ending.eq_ignore_ascii_case("pmtiles"))
}

/// Copies a file into a folder of maps, whole or not at all; counts what is done. What it is called then is [`settle`]'s; a copy that
/// nobody settles is removed a day later, with the next one. Blocks on the disk. Fails in a sentence, and with nothing left, on a disk
/// that is full, and when `stop` says so.
pub fn copy(from: &Path, folder: &Path, done: &AtomicU64, stop: &CancellationToken) -> Result<PathBuf, String> {
    let name = from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unwritable = |error: &io::Error| why(&name, folder, error);
    fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
    tidy(folder);
    let part = folder.join(format!("{}.{PART}", std::process::id()));
    let copied = File::open(from)
        .map_err(|error| format!("{} cannot be read: {error}", from.display()))
        .and_then(|source| {
            let target = create(&part).map_err(|error| unwritable(&error))?;
            pour(source, &target, done, stop).map_err(|error| unwritable(&error))?;
            target.sync_all().map_err(|error| unwritable(&error))
        })
        // What was copied is what was looked at, or it is no map.
        .and_then(|()| Tiles::check(&part).map_err(|error| capital(&error.to_string())))
        // Writing it out may take longer than copying it did.
        .and_then(|_| if stop.is_cancelled() { Err(ENDED.to_owned()) } else { Ok(()) });
    if let Err(why) = copied {
        let _ = fs::remove_file(&part); // it may not be there
        return Err(why);
    }
    Ok(part)
}

/// Gives a copy a name that nobody has in its folder, after the file that it was made of.
pub fn settle(part: &Path, from: &Path) -> Result<PathBuf, String> {
    let folder = part.parent().unwrap_or(part);
    let path = free(folder, from).ok_or_else(|| format!("there are {SAME_NAME_MAX} maps called {}", from.display()))?;
    fs::rename(part, &path).map_err(|error| why(&from.display().to_string(), folder, &error))?;
    Ok(path)
}

/// Whether a file is a copy that [`settle`] named, in this folder.
pub fn is_copy(file: &Path, folder: &Path) -> bool {
    let is_named = file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(TAKEN));
    is_named && whole(file).starts_with(whole(folder))
}

/// Why a copy came to nothing.
fn why(name: &str, folder: &Path, error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::Interrupted {
        return ENDED.to_owned();
    }
    if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return format!(
            "The disk is full, so {name} was not copied and nothing of it is left; make room on the disk of {}",
            folder.display()
        );
    }
    format!("{name} cannot be copied into {}: {error}", folder.display())
}

/// Piece by piece.
fn pour(mut from: impl Read, mut to: impl Write, done: &AtomicU64, stop: &CancellationToken) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        if stop.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let read = match from.read(&mut piece) {
            Ok(0) if stop.is_cancelled() => continue,
            Ok(0) => return to.flush(),
            Ok(read) => read,
            // A signal, nobody's wish.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(piece.get(..read).unwrap_or_default())?;
        done.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// For its owner alone: a map may be bought.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Removes what programs left half copied that are long gone.
fn tidy(folder: &Path) {
    const LONG: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let age = entry.metadata().ok().and_then(|about| about.modified().ok()?.elapsed().ok());
        if path.extension().is_some_and(|ending| ending == PART) && age.is_some_and(|age| age > LONG) {
            let _ = fs::remove_file(path); // another program may have been first
        }
    }
}

/// A name for the copy of a file that nothing in the folder has.
fn free(folder: &Path, from: &Path) -> Option<PathBuf> {
    let ending = from
        .extension()
        .filter(|_| is_map(from))
        .map_or_else(|| "mbtiles".to_owned(), |it| it.to_string_lossy().to_lowercase());
    let stem: String = from.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_alphanumeric() || "-_ ".contains(c) { c } else { '-' };
    let stem: String = stem.chars().take(NAME_MAX_CHARS).map(plain).collect();
    let names = (1..=SAME_NAME_MAX).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
    names.map(|name| folder.join(format!("{name}{TAKEN}.{ending}"))).find(|path| !path.exists())
}

/// The text of a profile with this file as its map, or with the program's own.
pub fn with_tiles(text: &str, file: Option<&Path>) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        format!("the file cannot be changed, it has a mistake: {}", error.message())
    })?;
    let map = document.entry("map").or_insert_with(|| Item::Table(Table::new()));
    let Some(map) = map.as_table_like_mut() else {
        return Err("map is no table in the file; write [map] to change it here".to_owned());
    };
    match file {
        Some(file) => {
            let name = file.to_str().ok_or_else(|| format!("{} is no name that a profile can hold", file.display()))?;
            match map.get_mut("tiles").and_then(Item::as_value_mut) {
                // The comment beside it stays.
                Some(value) => {
                    let decor = value.decor().clone();
                    *value = Value::from(name);
                    *value.decor_mut() = decor;
                }
                None => drop(map.insert("tiles", Item::Value(Value::from(name)))),
            }
        }
        None => {
            map.remove("tiles");
            if map.is_empty() {
                document.remove("map");
            }
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malta() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/malta/malta.mbtiles")
    }

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_map_is_looked_at_and_copied_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let maps = folder.path().join(FOLDER);
        let seen = look(&malta()).unwrap();
        assert_eq!(
            (seen.tiles.as_str(), seen.container.as_str(), seen.min_zoom, seen.max_zoom),
            ("vector", "MBTiles", 6, 14)
        );
        assert!(seen.bytes > 1_000_000 && seen.bounds.is_some(), "{seen:?}");
        let done = AtomicU64::new(0);
        for _ in 0..2 {
            let part = copy(&malta(), &maps, &done, &CancellationToken::new()).unwrap();
            assert!(found(&maps).len() < 2, "nobody has taken it yet");
            settle(&part, &malta()).unwrap();
        }
        assert_eq!(listed(&maps), ["malta-2.taken.mbtiles", "malta.taken.mbtiles"]);
        assert_eq!(done.into_inner(), 2 * seen.bytes);
        assert_eq!(found(&maps), ["malta-2.taken.mbtiles", "malta.taken.mbtiles"]);
        assert!(is_copy(&maps.join("malta.taken.mbtiles"), &maps));
        assert!(!is_copy(&maps.join("malta.mbtiles"), &maps), "somebody laid it there");
        assert!(!is_copy(&folder.path().join("malta.taken.mbtiles"), &maps));
        fs::write(maps.join("notes.txt"), "").unwrap();
        assert_eq!(found(&maps).len(), 2);
    }

    #[test]
    fn a_copy_that_is_ended_or_is_no_map_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let told = copy(&malta(), folder.path(), &AtomicU64::new(0), &stop).unwrap_err();
        assert_eq!((told.as_str(), listed(folder.path()).len()), ("Copying was ended; nothing of it is left", 0));
        let noise = tempfile::tempdir().unwrap();
        fs::write(noise.path().join("noise.mbtiles"), [7; 9_000]).unwrap();
        let told =
            copy(&noise.path().join("noise.mbtiles"), folder.path(), &AtomicU64::new(0), &CancellationToken::new());
        assert!(told.unwrap_err().contains("is no map"));
        assert!(listed(folder.path()).is_empty());
        let gone = folder.path().join("gone.mbtiles");
        let told = copy(&gone, folder.path(), &AtomicU64::new(0), &CancellationToken::new()).unwrap_err();
        assert!(told.contains("cannot be read"), "{told}");
    }

    /// A disk with room for so many bytes.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A disk on which writing ends while somebody says that it is enough.
    struct Last(CancellationToken);

    impl Read for Last {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.cancel();
            Ok(0)
        }
    }

    #[test]
    fn a_copy_is_ended_also_when_its_last_byte_was_read() {
        let stop = CancellationToken::new();
        let told = pour(Last(stop.clone()), Vec::new(), &AtomicU64::new(0), &stop).unwrap_err();
        assert_eq!(told.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn a_full_disk_is_a_sentence() {
        let error = pour(&[1; 3_000_000][..], Disk(2_000_000), &AtomicU64::new(0), &CancellationToken::new());
        let told = why("city.pmtiles", Path::new("/data/maps"), &error.unwrap_err());
        assert!(
            told.starts_with("The disk is full, so city.pmtiles was not copied") && told.contains("/data/maps"),
            "{told}"
        );
    }

    #[test]
    fn the_map_is_named_in_the_profile_and_everything_else_stays() {
        let text = "# mine\nname = \"Harbour\"\n\n[map] # from the port\ntiles = \"port.mbtiles\" # 2024\n\n[broker]\nurl = \"mqtt://h\"\n";
        let after = with_tiles(text, Some(Path::new("/data/maps/a b.pmtiles"))).unwrap();
        assert_eq!(after, text.replace("port.mbtiles", "/data/maps/a b.pmtiles"));
        assert_eq!(with_tiles(text, None).unwrap(), "# mine\nname = \"Harbour\"\n\n[broker]\nurl = \"mqtt://h\"\n");
        let first = with_tiles("name = \"Harbour\"\n", Some(Path::new("/m.mbtiles"))).unwrap();
        assert_eq!(first, "name = \"Harbour\"\n\n[map]\ntiles = \"/m.mbtiles\"\n");
        for (text, why) in [("name = ", "it has a mistake"), ("map = 3", "map is no table")] {
            assert!(with_tiles(text, None).unwrap_err().contains(why));
        }
    }
}
