//! A column of whole numbers. Few of them stand as differences, more are packed by `pco`, told how: with neighbours subtracted or
//! not, without its own search, which costs five times the packing and finds the same.

use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DecompressorScratch, DeltaSpec, ModeSpec};

use super::Damaged;
use super::bytes::{Input, put_signed};

/// With fewer numbers than this the description that `pco` needs is longer than what it saves.
const PACKED_FROM: usize = 24;

/// What `pco` calls moderate: a third of the time of its default, a twentieth more bytes.
const LEVEL: usize = 4;

const SAME: u8 = 0;
const DIFFERENCES: u8 = 1;
const PACKED: u8 = 2;

/// What unpacking uses again for each column: twelve kilobytes that `pco` would otherwise take and clear for every one.
#[derive(Debug, Default)]
pub(crate) struct Unpacking {
    file: Option<FileDecompressor>,
    scratch: DecompressorScratch,
}

/// Adds a column; its length is kept elsewhere.
pub(crate) fn put(out: &mut Vec<u8>, numbers: &[i64]) {
    let Some(first) = numbers.first() else { return };
    if numbers.iter().all(|n| n == first) {
        out.push(SAME);
        put_signed(out, *first);
        return;
    }
    if numbers.len() >= PACKED_FROM {
        let start = out.len();
        out.push(PACKED);
        if pack(out, numbers, follow_each_other(numbers)).is_ok() {
            return;
        }
        // It refuses nothing of ours; what it did refuse is kept the plain way.
        out.truncate(start);
    }
    out.push(DIFFERENCES);
    let mut before = 0_i64;
    for n in numbers {
        put_signed(out, n.wrapping_sub(before));
        before = *n;
    }
}

/// Reads a column of `count` numbers into `numbers`, in the place of what is there.
pub(crate) fn get(
    input: &mut Input<'_>,
    count: usize,
    numbers: &mut Vec<i64>,
    unpacking: &mut Unpacking,
) -> Result<(), Damaged> {
    numbers.clear();
    if count == 0 {
        return Ok(());
    }
    match input.byte()? {
        SAME => numbers.resize(count, input.signed()?),
        DIFFERENCES => {
            let mut before = 0_i64;
            for _ in 0..count {
                before = before.wrapping_add(input.signed()?);
                numbers.push(before);
            }
        }
        PACKED => {
            numbers.resize(count, 0);
            unpack(input, numbers, unpacking)?;
        }
        _ => return Err(Damaged),
    }
    Ok(())
}

/// Like [`put`], for numbers with a fraction.
pub(crate) fn put_floats(out: &mut Vec<u8>, numbers: &[f64]) {
    if numbers.len() >= PACKED_FROM {
        let start = out.len();
        out.push(PACKED);
        if pack(out, numbers, false).is_ok() {
            return;
        }
        out.truncate(start);
    }
    out.push(DIFFERENCES);
    numbers.iter().for_each(|n| out.extend(n.to_le_bytes()));
}

/// Like [`get`], for numbers with a fraction.
pub(crate) fn get_floats(
    input: &mut Input<'_>,
    count: usize,
    numbers: &mut Vec<f64>,
    unpacking: &mut Unpacking,
) -> Result<(), Damaged> {
    numbers.clear();
    match input.byte()? {
        DIFFERENCES => {
            for _ in 0..count {
                numbers.push(f64::from_le_bytes(input.array()?));
            }
        }
        PACKED => {
            numbers.resize(count, 0.0);
            unpack(input, numbers, unpacking)?;
        }
        _ => return Err(Damaged),
    }
    Ok(())
}

/// Whether neighbours are nearer to each other than to the first: then their differences pack better.
fn follow_each_other(numbers: &[i64]) -> bool {
    let first = numbers.first().copied().unwrap_or_default();
    let steps: u128 = numbers.windows(2).map(|two| two.iter().copied().reduce(i64::wrapping_sub).map_or(0, size)).sum();
    let spread: u128 = numbers.iter().map(|n| size(n.wrapping_sub(first))).sum();
    steps < spread
}

fn size(difference: i64) -> u128 {
    u128::from(difference.unsigned_abs())
}

fn pack<T: pco::data_types::Number>(out: &mut Vec<u8>, numbers: &[T], by_steps: bool) -> pco::errors::PcoResult<()> {
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(if by_steps { DeltaSpec::TryConsecutive(1) } else { DeltaSpec::NoOp });
    let mut chunk = FileCompressor::default().chunk_compressor(numbers, &config)?;
    chunk.write_meta(&mut *out)?;
    chunk.write_page(0, out)?;
    Ok(())
}

fn unpack<T: pco::data_types::Number>(
    input: &mut Input<'_>,
    numbers: &mut [T],
    Unpacking { file, scratch }: &mut Unpacking,
) -> Result<(), Damaged> {
    let file = match file {
        Some(file) => file,
        None => {
            // The header names the format, which our own version byte stands for.
            let mut header = Vec::with_capacity(8);
            FileCompressor::default().write_header(&mut header).map_err(|_| Damaged)?;
            file.insert(FileDecompressor::new(&*header).map_err(|_| Damaged)?.0)
        }
    };
    let (chunk, rest) = file.chunk_decompressor::<T, _>(input.0).map_err(|_| Damaged)?;
    let mut page = chunk.page_decompressor_with_scratch(rest, numbers.len(), scratch).map_err(|_| Damaged)?;
    let progress = page.read(numbers).map_err(|_| Damaged)?;
    if !progress.finished || progress.n_processed != numbers.len() {
        return Err(Damaged);
    }
    input.0 = page.into_src();
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_column_comes_back_as_it_was(numbers: Vec<i64>, walk in prop::collection::vec(-3_i64..4, 0..300), tail: u8) {
            let walked: Vec<i64> = walk.iter().scan(1_000, |at, step| { *at += step; Some(*at) }).collect();
            // One after the other with the same memory: what one leaves there must not show in the next.
            let mut unpacking = Unpacking::default();
            for numbers in [numbers, walk, walked] {
                let mut out = Vec::new();
                put(&mut out, &numbers);
                out.push(tail);
                let (mut input, mut back) = (Input(&out), vec![7]);
                prop_assert_eq!(get(&mut input, numbers.len(), &mut back, &mut unpacking), Ok(()));
                prop_assert_eq!(back, numbers);
                prop_assert_eq!(input.0, [tail]);
            }
        }

        #[test]
        fn any_floats_come_back_to_the_bit(numbers: Vec<f64>, tail: u8) {
            let mut out = Vec::new();
            put_floats(&mut out, &numbers);
            out.push(tail);
            let (mut input, mut back) = (Input(&out), Vec::new());
            prop_assert_eq!(get_floats(&mut input, numbers.len(), &mut back, &mut Unpacking::default()), Ok(()));
            let bits = |numbers: &[f64]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&back), bits(&numbers));
            prop_assert_eq!(input.0, [tail]);
        }
    }
}
