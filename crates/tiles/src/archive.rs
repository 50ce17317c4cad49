//! PMTiles archives (PMTiles specification, version 3): one file with a header, directories and tiles, read by place. Every length that
//! the file states is bounded before anything is made of it, and every directory before it is unzipped.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fleetlens_model::geo::GeoBox;
use serde::Deserialize;
use thiserror::Error;

use crate::format::TileFormat;
use crate::{Metadata, TILE_MAX_BYTES, ZOOM_MAX, gunzip};

/// What a file begins with.
pub const MAGIC: &[u8] = b"PMTiles";

/// How long the header is (specification, chapter 3).
const HEADER_BYTES: usize = 127;

/// The largest directory that is read, as it is stored and unzipped: a quarter of a million entries. Writers keep the first below 16 kB
/// and others not far from it.
const DIRECTORY_MAX_BYTES: u64 = 1024 * 1024;

/// The largest description of itself; some list every value of every layer.
const METADATA_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Directories that are remembered beside the first.
const REMEMBERED: usize = 16;

/// Entries of all that are remembered: those of one directory as large as it may be, 6 MiB.
const ENTRIES_REMEMBERED: usize = DIRECTORY_MAX_BYTES as usize / 4;

/// How deep directories lie in directories; the specification says at most three below the first.
const DEPTH_MAX: usize = 4;

/// An open archive. Reads take turns: each is one or two places in a file.
#[derive(Debug)]
pub struct Archive {
    file: Mutex<File>,
    header: Header,
    root: Arc<Directory>,
    /// By where they lie, what was used last at the end.
    leaves: Mutex<VecDeque<(u64, Arc<Directory>)>>,
}

/// Why an archive cannot be used.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The disk.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is cut off, or not written to its end.
    #[error("the file is cut off: it says it has {said} bytes, and there are {there}; copy or download it again")]
    Cut {
        /// What it says.
        said: u64,
        /// What there is.
        there: u64,
    },
    /// Another version.
    #[error("it is version {0} of PMTiles; version 3 can be read")]
    Version(u8),
    /// A compression that nothing here unpacks.
    #[error("it is packed with {0}; write it anew with gzip")]
    Packed(&'static str),
    /// Tiles of another kind.
    #[error(
        "it holds tiles of a kind that cannot be shown ({0}); vector tiles (mvt) and pictures (png, jpg, webp) can"
    )]
    Kind(&'static str),
    /// What it says makes no sense.
    #[error("{0}")]
    Wrong(&'static str),
}

/// Where everything lies.
#[derive(Clone, Debug)]
struct Header {
    root: Span,
    metadata: Span,
    leaves: Span,
    data: Span,
    is_zipped: bool,
    format: TileFormat,
    min_zoom: u8,
    max_zoom: u8,
    bounds: Option<GeoBox>,
}

/// A part of the file.
#[derive(Clone, Copy, Debug)]
struct Span {
    at: u64,
    bytes: u64,
}

impl Span {
    /// Where it ends, if that is a place in any file.
    fn end(self) -> Option<u64> {
        self.at.checked_add(self.bytes)
    }

    /// A part of this part.
    fn part(self, at: u64, bytes: u64) -> Option<Span> {
        (at.checked_add(bytes)? <= self.bytes).then(|| Some(Span { at: self.at.checked_add(at)?, bytes }))?
    }
}

/// Entries in the order of their numbers.
#[derive(Debug, Default)]
struct Directory(Vec<Entry>);

/// Some tiles that are one, or, where there are none, a directory of those from here on.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    id: u64,
    run: u32,
    bytes: u32,
    at: u64,
}

impl Archive {
    /// Opens one and reads its first directory; returns what it says of itself with it.
    pub fn open(path: &Path) -> Result<(Archive, Metadata), ArchiveError> {
        let mut file = File::open(path)?;
        let there = file.metadata()?.len();
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes).map_err(|_| ArchiveError::Cut { said: HEADER_BYTES as u64, there })?;
        let header = Header::read(&bytes)?;
        let spans = [header.root, header.metadata, header.leaves, header.data];
        let said = spans.iter().try_fold(0, |most: u64, span| Some(most.max(span.end()?)));
        let said = said.ok_or(ArchiveError::Wrong("its header names places that no file has"))?;
        if said > there {
            return Err(ArchiveError::Cut { said, there });
        }
        let about = about(&mut file, &header);
        let file = Mutex::new(file);
        let root = directory(&file, header.root, header.is_zipped)?;
        let said = Metadata {
            name: about.name.filter(|name| !name.trim().is_empty()),
            attribution: about.attribution.filter(|text| !text.trim().is_empty()),
            min_zoom: Some(header.min_zoom),
            max_zoom: Some(header.max_zoom),
            bounds: header.bounds,
            format: header.format,
            layers: about.vector_layers.into_iter().map(|layer| layer.id).collect(),
            side_px: None,
        };
        Ok((Archive { file, header, root: Arc::new(root), leaves: Mutex::default() }, said))
    }

    /// A tile as it is stored; `None` where there is none. At most [`TILE_MAX_BYTES`] and one more, which tells that there is more.
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, ArchiveError> {
        let id = tile_id(z, x, y);
        let mut directory = Arc::clone(&self.root);
        for _ in 0..=DEPTH_MAX {
            let Some(entry) = directory.find(id) else { return Ok(None) };
            if entry.run > 0 {
                return self.stored(entry).map(Some);
            }
            directory = self.leaf(entry)?;
        }
        Err(ArchiveError::Wrong("its directories lie deeper in each other than they may"))
    }

    /// Some tile of it with its numbers; `None` where it has none.
    pub fn any(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        let mut directory = Arc::clone(&self.root);
        for _ in 0..=DEPTH_MAX {
            let Some(first) = directory.0.first().copied() else { return Ok(None) };
            if first.run > 0 {
                return self.stored(first).map(Some);
            }
            directory = self.leaf(first)?;
        }
        Err(ArchiveError::Wrong("its directories lie deeper in each other than they may"))
    }

    fn stored(&self, entry: Entry) -> Result<Vec<u8>, ArchiveError> {
        let span = self.header.data.part(entry.at, entry.bytes.into());
        let mut span = span.ok_or(ArchiveError::Wrong("a tile lies beyond the end of the tiles"))?;
        span.bytes = span.bytes.min(TILE_MAX_BYTES + 1);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(bytes_of(&mut file, span)?)
    }

    fn leaf(&self, entry: Entry) -> Result<Arc<Directory>, ArchiveError> {
        let leaves = || self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut leaves = leaves();
            let place = leaves.iter().position(|(at, _)| *at == entry.at);
            if let Some(known) = place.and_then(|place| leaves.remove(place)) {
                leaves.push_back(known.clone());
                return Ok(known.1);
            }
        }
        let span = self.header.leaves.part(entry.at, entry.bytes.into());
        let span = span.ok_or(ArchiveError::Wrong("a directory lies beyond the end of the directories"))?;
        // Unzipped while nobody waits; two that want the same one read it twice.
        let read = Arc::new(directory(&self.file, span, self.header.is_zipped)?);
        remember(&mut leaves(), entry.at, &read);
        Ok(read)
    }
}

/// What was used longest ago goes.
fn remember(leaves: &mut VecDeque<(u64, Arc<Directory>)>, at: u64, read: &Arc<Directory>) {
    leaves.retain(|(known, _)| *known != at);
    leaves.push_back((at, Arc::clone(read)));
    let is_too_much = |leaves: &VecDeque<(u64, Arc<Directory>)>| {
        leaves.len() > REMEMBERED || leaves.iter().map(|(_, leaf)| leaf.0.len()).sum::<usize>() > ENTRIES_REMEMBERED
    };
    while is_too_much(leaves) {
        leaves.pop_front();
    }
}

impl Header {
    /// The first bytes of a file (specification, chapter 3).
    fn read(bytes: &[u8; HEADER_BYTES]) -> Result<Header, ArchiveError> {
        let mut from = Bytes(bytes);
        if from.take::<7>()? != *MAGIC {
            return Err(ArchiveError::Wrong("it is no PMTiles file"));
        }
        let version = from.byte()?;
        if version != 3 {
            return Err(ArchiveError::Version(version));
        }
        let mut span = || Ok::<_, ArchiveError>(Span { at: from.u64()?, bytes: from.u64()? });
        let (root, metadata, leaves, data) = (span()?, span()?, span()?, span()?);
        for _ in ["addressed tiles", "entries", "contents"] {
            from.u64()?;
        }
        let _clustered = from.byte()?;
        let is_zipped = is_zipped(from.byte()?)?;
        // That of the tiles is seen by how they begin.
        is_zipped_or_unsaid(from.byte()?)?;
        let format = match from.byte()? {
            1 => TileFormat::Vector,
            2 => TileFormat::Png,
            3 => TileFormat::Jpeg,
            4 => TileFormat::Webp,
            5 => return Err(ArchiveError::Kind("avif")),
            _ => return Err(ArchiveError::Kind("not said")),
        };
        let (min_zoom, max_zoom) = (from.byte()?, from.byte()?);
        if min_zoom > max_zoom || max_zoom > ZOOM_MAX {
            return Err(ArchiveError::Wrong("the zooms it says make no sense"));
        }
        let mut degrees = || Ok::<_, ArchiveError>(f64::from(from.i32()?) / 1e7);
        let (west_deg, south_deg, east_deg, north_deg) = (degrees()?, degrees()?, degrees()?, degrees()?);
        let is_box = west_deg < east_deg && south_deg < north_deg && west_deg >= -180.0 && east_deg <= 180.0;
        // Writers that do not know it write nothing but noughts, or the whole earth.
        let bounds = (is_box && south_deg >= -90.0 && north_deg <= 90.0).then_some(GeoBox {
            west_deg,
            south_deg,
            east_deg,
            north_deg,
        });
        Ok(Header { root, metadata, leaves, data, is_zipped, format, min_zoom, max_zoom, bounds })
    }
}

/// Numbers of a header, in their order.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ArchiveError::Wrong("its header is too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, ArchiveError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Result<u64, ArchiveError> {
        self.take().map(u64::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, ArchiveError> {
        self.take().map(i32::from_le_bytes)
    }
}

fn is_zipped(word: u8) -> Result<bool, ArchiveError> {
    match word {
        1 => Ok(false),
        2 => Ok(true),
        3 => Err(ArchiveError::Packed("brotli")),
        4 => Err(ArchiveError::Packed("zstd")),
        _ => Err(ArchiveError::Packed("something that it does not name")),
    }
}

/// Tiles whose compression is not said are looked at.
fn is_zipped_or_unsaid(word: u8) -> Result<(), ArchiveError> {
    if word == 0 { Ok(()) } else { is_zipped(word).map(drop) }
}

/// The part of a file's own description that is used.
#[derive(Debug, Default, Deserialize)]
struct About {
    name: Option<String>,
    attribution: Option<String>,
    #[serde(default)]
    vector_layers: Vec<Layer>,
}

#[derive(Debug, Deserialize)]
struct Layer {
    id: String,
}

/// A file whose description cannot be read has tiles all the same.
fn about(file: &mut File, header: &Header) -> About {
    let mut read = || -> Option<About> {
        if header.metadata.bytes > METADATA_MAX_BYTES {
            return None;
        }
        let stored = bytes_of(file, header.metadata).ok()?;
        let text = if header.is_zipped { gunzip(&stored, METADATA_MAX_BYTES).ok()? } else { stored };
        serde_json::from_slice(&text).ok()
    };
    read().unwrap_or_default()
}

fn bytes_of(file: &mut File, span: Span) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(span.at))?;
    let mut bytes = vec![0; usize::try_from(span.bytes).map_err(|_| io::Error::other("too large"))?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn directory(file: &Mutex<File>, span: Span, is_zipped: bool) -> Result<Directory, ArchiveError> {
    const BROKEN: ArchiveError = ArchiveError::Wrong("a directory of it is damaged; copy or download the file again");
    if span.bytes > DIRECTORY_MAX_BYTES {
        return Err(ArchiveError::Wrong("a directory of it is larger than 1 MiB"));
    }
    let stored = bytes_of(&mut file.lock().unwrap_or_else(PoisonError::into_inner), span)?;
    let bytes = if is_zipped { gunzip(&stored, DIRECTORY_MAX_BYTES).map_err(|_| BROKEN)? } else { stored };
    Directory::read(&bytes).ok_or(BROKEN)
}

impl Directory {
    /// Columns of numbers (specification, chapter 4); `None` of anything else.
    fn read(mut bytes: &[u8]) -> Option<Directory> {
        let from = &mut bytes;
        let count = usize::try_from(varint(from)?).ok()?;
        // Each entry takes at least four bytes.
        if count > from.len() / 4 {
            return None;
        }
        let mut entries = vec![Entry::default(); count];
        let mut id = 0_u64;
        for entry in &mut entries {
            id = id.checked_add(varint(from)?)?;
            entry.id = id;
        }
        for entry in &mut entries {
            entry.run = u32::try_from(varint(from)?).ok()?;
        }
        for entry in &mut entries {
            entry.bytes = u32::try_from(varint(from)?).ok().filter(|bytes| *bytes > 0)?;
        }
        let mut end = None::<u64>;
        for entry in &mut entries {
            entry.at = match varint(from)? {
                0 => end?,
                at => at - 1,
            };
            end = Some(entry.at.checked_add(entry.bytes.into())?);
        }
        Some(Directory(entries))
    }

    /// The entry for a number: the last one that begins before it, if it goes as far.
    fn find(&self, id: u64) -> Option<Entry> {
        let behind = self.0.partition_point(|entry| entry.id <= id);
        let entry = *self.0.get(behind.checked_sub(1)?)?;
        (entry.run == 0 || id - entry.id < u64::from(entry.run)).then_some(entry)
    }
}

/// A number of seven bits a byte, the lowest first.
fn varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The number of a tile: all those of lesser zooms, then its place on Hilbert's curve (specification, chapter 4.1).
fn tile_id(z: u8, x: u32, y: u32) -> u64 {
    let before = ((1_u64 << (2 * u64::from(z))) - 1) / 3;
    let side = 1_u64 << z;
    let (mut x, mut y, mut along) = (u64::from(x), u64::from(y), 0);
    let mut half = side / 2;
    while half > 0 {
        let (right, low) = (u64::from(x & half > 0), u64::from(y & half > 0));
        along += half * half * ((3 * right) ^ low);
        if low == 0 {
            if right == 1 {
                x = side - 1 - x;
                y = side - 1 - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
        half /= 2;
    }
    before + along
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_numbered_along_hilberts_curve() {
        for ((z, x, y), id) in [
            ((0, 0, 0), 0),
            ((1, 0, 0), 1),
            ((1, 0, 1), 2),
            ((1, 1, 1), 3),
            ((1, 1, 0), 4),
            ((2, 0, 0), 5),
            // The example of the specification's own tests.
            ((12, 3_423, 1_763), 19_078_479),
        ] {
            assert_eq!(tile_id(z, x, y), id, "{z}/{x}/{y}");
        }
        let mut all: Vec<u64> = (0..8).flat_map(|x| (0..8).map(move |y| tile_id(3, x, y))).collect();
        all.sort_unstable();
        assert_eq!(all, (21..85).collect::<Vec<_>>(), "each number once");
    }

    #[test]
    fn a_directory_that_makes_no_sense_is_none() {
        // One entry: number 5, a run of 2, 10 bytes, at 0.
        let right = [1, 5, 2, 10, 1];
        let read = Directory::read(&right).unwrap();
        for (id, is) in [(4, false), (5, true), (6, true), (7, false)] {
            assert_eq!(read.find(id).is_some(), is, "{id}");
        }
        for wrong in [
            &[][..],
            &[2, 5, 2, 10, 1],
            &[1, 5, 2, 0, 1],
            &[1, 5, 2, 10, 0],
            &[1, 5, 2, 10],
            &[0xff; 20],
            &[0xff, 0xff, 0xff, 0xff, 0x7f, 1, 1, 1],
        ] {
            assert!(Directory::read(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn directories_are_remembered_up_to_a_number_of_them_and_of_their_entries() {
        let mut leaves = VecDeque::new();
        let of = |entries| Arc::new(Directory(vec![Entry::default(); entries]));
        for at in 0..20 {
            remember(&mut leaves, at, &of(1));
        }
        remember(&mut leaves, 19, &of(1));
        assert_eq!((leaves.len(), leaves.front().unwrap().0), (REMEMBERED, 4));
        for at in 20..22 {
            remember(&mut leaves, at, &of(ENTRIES_REMEMBERED - 2));
        }
        assert_eq!(leaves.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [21]);
    }

    #[test]
    fn a_number_over_64_bits_is_none() {
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(varint(&mut &most[..]), Some(u64::MAX));
        for wrong in [&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2][..], &[0x80]] {
            assert_eq!(varint(&mut &*wrong), None, "{wrong:?}");
        }
    }
}
