//! The rows of a tree, as far as its pages can be read (sqlite.org/fileformat2.html, 1.6 and 2.1).

use std::collections::HashSet;

use rusqlite::types::Value;

use super::pages::{PAGE, Pages, Place, number};

/// A row takes no more than this: the largest of ours is a transaction of long texts.
const ROW_MAX: usize = 64 << 20;

/// A row as it is in the file. The key of a table with numbered rows is beside the columns, one of which is NULL for it.
#[derive(Debug)]
pub(super) struct Row {
    /// Its number; nothing in a tree that is ordered by its columns.
    pub key: Option<i64>,
    pub columns: Vec<Value>,
}

impl Row {
    pub fn whole(&self, column: usize) -> Option<i64> {
        match self.columns.get(column)? {
            Value::Integer(number) => Some(*number),
            Value::Null | Value::Real(_) | Value::Text(_) | Value::Blob(_) => None,
        }
    }

    pub fn text(&self, column: usize) -> Option<&str> {
        match self.columns.get(column)? {
            Value::Text(text) => Some(text),
            Value::Null | Value::Real(_) | Value::Integer(_) | Value::Blob(_) => None,
        }
    }

    pub fn bytes(&self, column: usize) -> Option<&[u8]> {
        match self.columns.get(column)? {
            Value::Blob(bytes) => Some(bytes),
            Value::Null | Value::Real(_) | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

/// What a walk could not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    pub pages: u64,
    pub rows: u64,
}

/// Which pages of a file are of which tree, beside what the trees themselves say.
pub(super) struct Trees {
    pub pages: Pages,
    pub missed: Missed,
    seen: HashSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inner,
    Leaf,
}

impl Trees {
    pub fn new(pages: Pages) -> Trees {
        Trees { pages, missed: Missed::default(), seen: HashSet::new() }
    }

    /// Hands over every row of the tree that begins here until `each` says that it is enough: first those that a walk finds, then
    /// those on pages that no longer hang on anything but say of themselves that they belong to it.
    pub fn rows(&mut self, root: u32, numbered: bool, mut each: impl FnMut(Row) -> bool) {
        let mut waiting = vec![root];
        let mut strays = 2..=self.pages.count();
        loop {
            let page = match waiting.pop() {
                Some(page) => page,
                None => match strays.find(|page| !self.seen.contains(page) && self.hangs_on(*page, root)) {
                    Some(page) => page,
                    None => return,
                },
            };
            if !self.seen.insert(page) {
                continue;
            }
            let Some(below) = self.page(page, numbered, &mut each) else { return };
            // What the file says of a page is believed more than a number on a page that may be damaged.
            for child in below.into_iter().rev() {
                let is_elsewhere = match self.pages.place(child) {
                    Some(Place::Below(_)) => self.pages.root_of(child).is_some_and(|found| found != root),
                    Some(Place::Root | Place::Other) => true,
                    None => false,
                };
                if (2..=self.pages.count()).contains(&child) && !is_elsewhere {
                    waiting.push(child);
                }
            }
        }
    }

    fn hangs_on(&mut self, page: u32, root: u32) -> bool {
        matches!(self.pages.place(page), Some(Place::Below(_))) && self.pages.root_of(page) == Some(root)
    }

    /// The rows of a page go to `each`, the pages below it are returned; nothing when it is enough.
    fn page(&mut self, page: u32, numbered: bool, each: &mut impl FnMut(Row) -> bool) -> Option<Vec<u32>> {
        let Some(bytes) = self.pages.page(page) else {
            self.missed.pages += 1;
            return Some(Vec::new());
        };
        let head = if page == 1 { 100 } else { 0 };
        let kind = match (bytes.get(head), numbered) {
            (Some(0x0d), true) | (Some(0x0a), false) => Kind::Leaf,
            (Some(0x05), true) | (Some(0x02), false) => Kind::Inner,
            _ => {
                self.missed.pages += 1;
                return Some(Vec::new());
            }
        };
        let short = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u16::from_be_bytes(*b));
        let cells = short(head + 3).unwrap_or(0);
        let first = head + if kind == Kind::Inner { 12 } else { 8 };
        let mut below = Vec::new();
        for cell in 0..usize::from(cells) {
            let Some(at) = short(first + cell * 2).map(usize::from).filter(|at| (first..PAGE).contains(at)) else {
                self.missed.rows += 1;
                continue;
            };
            let mut at = at;
            if kind == Kind::Inner {
                below.extend(number(&bytes, at));
                at += 4;
                if numbered {
                    continue;
                }
            }
            match self.cell(&bytes, at, numbered) {
                Some(row) => {
                    if !each(row) {
                        return None;
                    }
                }
                None => self.missed.rows += 1,
            }
        }
        if kind == Kind::Inner {
            below.extend(number(&bytes, head + 8));
        }
        Some(below)
    }

    fn cell(&mut self, page: &[u8], at: usize, numbered: bool) -> Option<Row> {
        let (length, mut at) = varint(page, at)?;
        let length = usize::try_from(length).ok().filter(|length| (1..=ROW_MAX).contains(length))?;
        let mut key = None;
        if numbered {
            let (number, after) = varint(page, at)?;
            (key, at) = (Some(number.cast_signed()), after);
        }
        // How much of a long row stays on its page (1.6).
        let most = if numbered { PAGE - 35 } else { (PAGE - 12) * 64 / 255 - 23 };
        let least = (PAGE - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let fits = least + (length - least) % (PAGE - 4);
            if fits <= most { fits } else { least }
        };
        let mut record = page.get(at..at + here)?.to_vec();
        let mut next = if here < length { number(page, at + here)? } else { 0 };
        while record.len() < length {
            if !(2..=self.pages.count()).contains(&next) || !matches!(self.pages.place(next), None | Some(Place::Other))
            {
                return None;
            }
            let more = self.pages.page(next)?;
            let wanted = (length - record.len()).min(PAGE - 4);
            record.extend(more.get(4..4 + wanted)?);
            next = number(&more, 0)?;
        }
        Some(Row { key, columns: columns(&record)? })
    }
}

/// The columns of a record, if it is exactly one.
fn columns(record: &[u8]) -> Option<Vec<Value>> {
    let (head, mut at) = varint(record, 0)?;
    let head = usize::try_from(head).ok()?;
    let mut body = head;
    let mut columns = Vec::new();
    while at < head {
        let (kind, after) = varint(record, at)?;
        at = after;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let end = body.checked_add(usize::try_from(length).ok()?)?;
        let bytes = record.get(body..end)?;
        body = end;
        columns.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Real(f64::from_be_bytes(*bytes.first_chunk()?)),
            1..=6 => {
                // The first byte has the sign.
                let start = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
                Value::Integer(bytes.iter().fold(start, |number: i64, byte| number << 8 | i64::from(*byte)))
            }
            even if even % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    (at == head && body == record.len()).then_some(columns)
}

/// A number of one to nine bytes, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for n in 0..9 {
        let byte = *bytes.get(at + n)?;
        if n == 8 {
            return Some((number << 8 | u64::from(byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + n + 1));
        }
    }
    None
}
