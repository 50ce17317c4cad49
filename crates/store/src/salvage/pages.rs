//! A database as pages, without SQLite: the file, and above it what was committed to its log (sqlite.org/fileformat2.html, 1 and 4).
//!
//! SQLite stops at the first thing that is wrong in a tree, and makes files beside a database to read it. This changes nothing, and a
//! page that cannot be read costs what is on it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::open::beside;

/// Ours have pages of this size, whatever a damaged header says.
pub(super) const PAGE: usize = 4_096;

/// The page that holds the bytes which SQLite locks, and nothing else.
const PENDING: u32 = 0x4000_0000 / PAGE as u32 + 1;

/// Entries of a page that says which page belongs to which.
const ENTRIES: u32 = PAGE as u32 / 5;

/// What a page is, as a file that can shrink says (1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The first page of a tree.
    Root,
    /// Part of a tree, below this page.
    Below(u32),
    /// Anything else: free, or the rest of a long row.
    Other,
}

/// The pages of a file that is never changed.
pub(super) struct Pages {
    file: Option<File>,
    log: Option<File>,
    /// Where in the log the newest committed text of a page is.
    in_log: HashMap<u32, u64>,
    count: u32,
    /// Whether it says of each page what it is.
    mapped: bool,
    /// The page of that kind that was read last.
    map: Option<(u32, Vec<u8>)>,
    /// The roots of pages that others are below.
    roots: HashMap<u32, Option<u32>>,
}

impl Pages {
    /// A file without any.
    pub fn none() -> Pages {
        Pages {
            file: None,
            log: None,
            in_log: HashMap::new(),
            count: 0,
            mapped: false,
            map: None,
            roots: HashMap::new(),
        }
    }

    pub fn open(path: &Path) -> io::Result<Pages> {
        let file = File::open(path)?;
        let of_file = u32::try_from(file.metadata()?.len() / PAGE as u64).unwrap_or(u32::MAX);
        let log = match File::open(beside(path, "-wal")) {
            Ok(log) => Some(log),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let in_log = log.as_ref().map(committed).unwrap_or_default();
        let count = in_log.keys().copied().max().unwrap_or(0).max(of_file);
        let mut pages = Pages { file: Some(file), log, in_log, count, ..Pages::none() };
        let first = pages.page(1).filter(|first| first.starts_with(b"SQLite format 3\0"));
        pages.mapped = match first.and_then(|first| number(&first, 52)) {
            Some(largest_root) => largest_root != 0,
            // The first page after the map is the first table's, in every cache that has one.
            None => pages.page(2).is_some_and(|map| map.starts_with(&[1, 0, 0, 0, 0])),
        };
        Ok(pages)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// A page whole, or nothing.
    pub fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; PAGE];
        let (file, at) = match (self.in_log.get(&number), &mut self.log) {
            (Some(at), Some(log)) => (log, *at),
            _ => (self.file.as_mut()?, u64::from(number.checked_sub(1)?) * PAGE as u64),
        };
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut page)).ok()?;
        Some(page)
    }

    /// What the file says that a page is; nothing where it does not, or not legibly.
    pub fn place(&mut self, page: u32) -> Option<Place> {
        if !self.mapped {
            return None;
        }
        let map = page.checked_sub(2)? / (ENTRIES + 1) * (ENTRIES + 1) + 2;
        let map = if map == PENDING { map + 1 } else { map };
        if page <= map {
            return None;
        }
        if self.map.as_ref().is_none_or(|(number, _)| *number != map) {
            self.map = Some((map, self.page(map)?));
        }
        let (_, bytes) = self.map.as_ref()?;
        let at = usize::try_from(page - map - 1).ok()? * 5;
        match (*bytes.get(at)?, number(bytes, at + 1)?) {
            (1, 0) => Some(Place::Root),
            (5, parent) => Some(Place::Below(parent)),
            (2..=4, _) => Some(Place::Other),
            _ => None,
        }
    }

    /// The first page of the tree that a page says it is of.
    pub fn root_of(&mut self, page: u32) -> Option<u32> {
        self.root_within(page, 20)
    }

    /// No tree is deeper than `levels`.
    fn root_within(&mut self, page: u32, levels: u32) -> Option<u32> {
        if page == 1 {
            return Some(1);
        }
        match self.place(page)? {
            Place::Root => Some(page),
            Place::Other => None,
            Place::Below(parent) => {
                if let Some(known) = self.roots.get(&parent) {
                    return *known;
                }
                let root = levels.checked_sub(1).and_then(|levels| self.root_within(parent, levels));
                self.roots.insert(parent, root);
                root
            }
        }
    }
}

/// Where the log has which page: everything up to the last commit before the first frame that is not whole, which is what SQLite
/// goes by.
fn committed(log: &File) -> HashMap<u32, u64> {
    const HEADER: usize = 32;
    const FRAME: usize = 24;
    let mut input = BufReader::new(log);
    let mut pages = HashMap::new();
    let mut header = [0; HEADER];
    if !whole(&mut input, &mut header) {
        return pages;
    }
    let big = match number(&header, 0) {
        Some(0x377f_0682) => false,
        Some(0x377f_0683) => true,
        _ => return pages,
    };
    let mut sum = (0, 0);
    add(&mut sum, header.get(..24).unwrap_or_default(), big);
    if number(&header, 8) != Some(PAGE as u32) || Some(sum) != pair(&header, 24) {
        return pages;
    }
    let salt = pair(&header, 16);
    let mut at = HEADER as u64;
    let mut open = HashMap::new();
    let mut frame = vec![0; FRAME + PAGE];
    while whole(&mut input, &mut frame) {
        add(&mut sum, frame.get(..8).unwrap_or_default(), big);
        add(&mut sum, frame.get(FRAME..).unwrap_or_default(), big);
        let (Some((page, size)), true, true) =
            (pair(&frame, 0), pair(&frame, 8) == salt, pair(&frame, 16) == Some(sum))
        else {
            break;
        };
        open.insert(page, at + FRAME as u64);
        if size != 0 {
            pages.extend(open.drain());
        }
        at += (FRAME + PAGE) as u64;
    }
    pages
}

/// Fills `buffer`; false where the file ends before, or cannot be read: what was committed before that is worth no less.
fn whole(input: &mut impl Read, buffer: &mut [u8]) -> bool {
    input.read_exact(buffer).is_ok()
}

/// The log's checksum (4.2).
fn add((one, other): &mut (u32, u32), bytes: &[u8], big: bool) {
    let word = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    for words in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *words;
        *one = one.wrapping_add(word([a, b, c, d])).wrapping_add(*other);
        *other = other.wrapping_add(word([e, f, g, h])).wrapping_add(*one);
    }
}

fn pair(bytes: &[u8], at: usize) -> Option<(u32, u32)> {
    Some((number(bytes, at)?, number(bytes, at + 4)?))
}

/// Four bytes of a file as SQLite writes numbers.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_be_bytes(*bytes))
}
