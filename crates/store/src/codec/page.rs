//! A stretch of one series in the order of its times, by columns: when, how much later we heard of it, marks, values.
//!
//! Our own time is kept to the second here (in the journal to the millisecond): it says how late a sample came, and its milliseconds
//! would be a third of all bytes. A sample that we dated ourselves has one time, which is exact.

use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};

use super::bytes::{Input, put_signed, put_unsigned};
use super::column::{self, Unpacking};
use super::{Damaged, Kept, Marks, value};

/// The most samples of a page: reading one instant of a series unpacks no more.
pub(crate) const PAGE_SAMPLES: usize = 1_024;

const DECIMALS: u8 = 0;
const FLOATS: u8 = 1;
const FLAGS: u8 = 2;
const TEXTS: u8 = 3;
const MIXED: u8 = 4;

/// Memory that is used again for each page.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    times: Vec<i64>,
    whole: Vec<i64>,
    floats: Vec<f64>,
    unpacking: Unpacking,
}

/// Adds a page; how many samples and the first one's time are kept elsewhere.
pub(crate) fn put(out: &mut Vec<u8>, samples: &[Kept], scratch: &mut Scratch) {
    let Some(first) = samples.first() else { return };
    let Scratch { whole, floats, .. } = scratch;
    fill(whole, samples.iter().map(|kept| kept.device_ms.wrapping_sub(first.device_ms)));
    column::put(out, whole);
    fill(whole, samples.iter().map(later_s));
    column::put(out, whole);
    put_runs(out, samples.iter().map(|kept| kept.marks.byte()));

    let number = |kept: &Kept| match kept.value {
        Value::Number(number) => Some(number),
        Value::Flag(_) | Value::Text(_) => None,
    };
    if samples.iter().all(|kept| number(kept).is_some()) {
        fill(floats, samples.iter().filter_map(number));
        match scale(floats, whole) {
            Some(places) => {
                out.extend([DECIMALS, places]);
                column::put(out, whole);
            }
            None => {
                out.push(FLOATS);
                column::put_floats(out, floats);
            }
        }
    } else if samples.iter().all(|kept| matches!(kept.value, Value::Flag(_))) {
        out.push(FLAGS);
        put_runs(out, samples.iter().map(|kept| u8::from(kept.value == Value::Flag(true))));
    } else if samples.iter().all(|kept| matches!(kept.value, Value::Text(_))) {
        put_texts(out, samples, whole);
    } else {
        out.push(MIXED);
        for kept in samples {
            let at = out.len();
            out.push(0);
            let shape = value::put(out, &kept.value);
            if let Some(place) = out.get_mut(at) {
                *place = shape;
            }
        }
    }
}

/// Adds the samples of a page to `samples`.
pub(crate) fn get(
    page: &[u8],
    count: usize,
    from_ms: i64,
    samples: &mut Vec<Kept>,
    scratch: &mut Scratch,
) -> Result<(), Damaged> {
    if count > PAGE_SAMPLES {
        return Err(Damaged);
    }
    let mut input = Input(page);
    let Scratch { whole, floats, unpacking, .. } = scratch;
    let start = samples.len();
    column::get(&mut input, count, whole, unpacking)?;
    let unknown = Marks::of_byte(0)?;
    samples.extend(whole.iter().map(|after| {
        let device_ms = from_ms.wrapping_add(*after);
        Kept { device_ms, received_ms: device_ms, value: Value::Flag(false), marks: unknown }
    }));
    let new = samples.get_mut(start..).unwrap_or_default();
    column::get(&mut input, count, whole, unpacking)?;
    for (kept, later_s) in new.iter_mut().zip(&*whole) {
        kept.received_ms = kept.device_ms.wrapping_add(later_s.wrapping_mul(1_000));
    }
    get_runs(&mut input, new.iter_mut(), |kept, byte| Marks::of_byte(byte).map(|marks| kept.marks = marks))?;

    match input.byte()? {
        DECIMALS => {
            let places = input.byte()?;
            column::get(&mut input, count, whole, unpacking)?;
            let power = value::power(places)?;
            new.iter_mut().zip(&*whole).for_each(|(kept, whole)| kept.value = Value::Number(*whole as f64 / power));
        }
        FLOATS => {
            column::get_floats(&mut input, count, floats, unpacking)?;
            new.iter_mut().zip(&*floats).for_each(|(kept, number)| kept.value = Value::Number(*number));
        }
        FLAGS => get_runs(&mut input, new.iter_mut(), |kept, byte| {
            kept.value = Value::Flag(byte == 1);
            if byte <= 1 { Ok(()) } else { Err(Damaged) }
        })?,
        TEXTS => {
            let words = input.count()?.min(count);
            let words: Vec<String> = (0..words).map(|_| value::text(&mut input)).collect::<Result<_, _>>()?;
            column::get(&mut input, count, whole, unpacking)?;
            for (kept, which) in new.iter_mut().zip(&*whole) {
                let word = usize::try_from(*which).ok().and_then(|which| words.get(which)).ok_or(Damaged)?;
                kept.value = Value::Text(word.clone());
            }
        }
        MIXED => {
            for kept in new {
                let shape = input.byte()?;
                kept.value = value::get(&mut input, shape)?;
            }
        }
        _ => return Err(Damaged),
    }
    Ok(())
}

/// How long after the first sample each was measured, in order, and its number.
pub(crate) type Numbers<'a> = (&'a [i64], &'a [f64]);

/// Time and value of each sample of a page that has numbers or flags alone, a flag being 0 or 1. `None` of any other. What is drawn needs
/// no more of a sample, and to make a row of each first costs more than all the rest.
pub(crate) fn numbers<'a>(page: &[u8], count: usize, scratch: &'a mut Scratch) -> Result<Option<Numbers<'a>>, Damaged> {
    if count > PAGE_SAMPLES {
        return Err(Damaged);
    }
    let mut input = Input(page);
    let Scratch { times, whole, floats, unpacking } = scratch;
    column::get(&mut input, count, times, unpacking)?;
    // When we heard of them, and the marks, are in between.
    column::get(&mut input, count, whole, unpacking)?;
    let mark = |byte, _| Marks::of_byte(byte).map(drop);
    each_run(&mut input, count, mark)?;
    match input.byte()? {
        DECIMALS => {
            let power = value::power(input.byte()?)?;
            column::get(&mut input, count, whole, unpacking)?;
            fill(floats, whole.iter().map(|whole| *whole as f64 / power));
        }
        FLOATS => column::get_floats(&mut input, count, floats, unpacking)?,
        FLAGS => {
            floats.clear();
            each_run(&mut input, count, |byte, times| match byte {
                0 | 1 => {
                    floats.resize(floats.len() + times, f64::from(byte));
                    Ok(())
                }
                _ => Err(Damaged),
            })?;
        }
        TEXTS | MIXED => return Ok(None),
        _ => return Err(Damaged),
    }
    Ok(Some((times, floats)))
}

/// How much later we heard of it, to the second.
fn later_s(kept: &Kept) -> i64 {
    kept.received_ms.wrapping_sub(kept.device_ms).saturating_add(500).div_euclid(1_000)
}

/// The numbers as whole ones with the places that all of them have room in.
pub(crate) fn scale(numbers: &[f64], whole: &mut Vec<i64>) -> Option<u8> {
    let mut places = 0;
    'more: loop {
        whole.clear();
        for number in numbers {
            match value::scaled(*number, places) {
                Some(n) => whole.push(n),
                None if places < value::PLACES_MAX => {
                    places += 1;
                    continue 'more;
                }
                None => return None,
            }
        }
        return Some(places);
    }
}

/// Each word once, and which of them where.
fn put_texts(out: &mut Vec<u8>, samples: &[Kept], which: &mut Vec<i64>) {
    out.push(TEXTS);
    let texts = samples.iter().filter_map(|kept| match &kept.value {
        Value::Text(text) => Some(text.as_str()),
        Value::Number(_) | Value::Flag(_) => None,
    });
    let mut words: Vec<&str> = texts.clone().collect();
    words.sort_unstable();
    words.dedup();
    put_unsigned(out, words.len() as u64);
    for word in &words {
        debug_assert!(word.len() <= TEXT_MAX_BYTES, "refused where it was decoded");
        put_unsigned(out, word.len() as u64);
        out.extend(word.as_bytes());
    }
    fill(which, texts.map(|text| words.partition_point(|word| *word < text) as i64));
    column::put(out, which);
}

/// Bytes that mostly stay the same: each with how often it stands there.
fn put_runs(out: &mut Vec<u8>, mut bytes: impl Iterator<Item = u8>) {
    let Some(mut current) = bytes.next() else { return };
    let mut count = 1;
    for byte in bytes {
        if byte != current {
            put_signed(out, count);
            out.push(current);
            (current, count) = (byte, 0);
        }
        count += 1;
    }
    // The last one goes on to the end, however long it is.
    put_signed(out, -1);
    out.push(current);
}

fn get_runs<'a>(
    input: &mut Input<'_>,
    mut samples: impl Iterator<Item = &'a mut Kept>,
    mut set: impl FnMut(&mut Kept, u8) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    loop {
        let (count, byte) = (input.signed()?, input.byte()?);
        let Ok(count) = usize::try_from(count) else { return samples.try_for_each(|kept| set(kept, byte)) };
        for _ in 0..count {
            set(samples.next().ok_or(Damaged)?, byte)?;
        }
    }
}

/// Hands over what [`put_runs`] wrote of so many samples: a byte, and how often.
fn each_run(
    input: &mut Input<'_>,
    samples: usize,
    mut each: impl FnMut(u8, usize) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    let mut left = samples;
    loop {
        let (count, byte) = (input.signed()?, input.byte()?);
        let Ok(count) = usize::try_from(count) else { return each(byte, left) };
        left = left.checked_sub(count).ok_or(Damaged)?;
        each(byte, count)?;
    }
}

fn fill<T>(column: &mut Vec<T>, numbers: impl Iterator<Item = T>) {
    column.clear();
    column.extend(numbers);
}

#[cfg(test)]
mod tests {
    use fleetlens_model::telemetry::Timed;
    use proptest::prelude::*;

    use super::*;
    use crate::codec::testing::samples;

    fn back(samples: &[Kept]) -> (Vec<Kept>, usize) {
        let (mut out, mut scratch, mut back) = (Vec::new(), Scratch::default(), Vec::new());
        put(&mut out, samples, &mut scratch);
        let from_ms = samples.first().map_or(0, |kept| kept.device_ms);
        assert_eq!(get(&out, samples.len(), from_ms, &mut back, &mut scratch), Ok(()));
        (back, out.len())
    }

    proptest! {
        #[test]
        fn a_page_comes_back_with_our_time_to_the_second(samples in samples()) {
            let mut samples: Vec<Kept> = samples.iter().map(Kept::of).collect();
            prop_assume!(!samples.is_empty());
            samples.sort_by_key(|kept| kept.device_ms);
            let (once, _) = back(&samples);
            for (kept, was) in once.iter().zip(&samples) {
                prop_assert_eq!((kept.device_ms, &kept.value, kept.marks), (was.device_ms, &was.value, was.marks));
                let off = kept.received_ms.abs_diff(was.received_ms);
                prop_assert!(off <= 500, "{} ms off", off);
                prop_assert!(was.marks.timed() == Timed::ByDevice || was.received_ms != was.device_ms || off == 0);
            }
            prop_assert_eq!(&back(&once).0, &once, "and after that it stays as it is");

            let (mut out, mut scratch) = (Vec::new(), Scratch::default());
            put(&mut out, &samples, &mut scratch);
            let (count, from_ms) = (samples.len(), samples[0].device_ms);
            let numbered: Option<Vec<(i64, u64)>> = numbers(&out, count, &mut scratch).unwrap().map(|(after_ms, numbers)| {
                assert_eq!((after_ms.len(), numbers.len()), (count, count));
                after_ms.iter().zip(numbers).map(|(after, n)| (from_ms.wrapping_add(*after), n.to_bits())).collect()
            });
            let bits = |kept: &Kept| Some((kept.device_ms, kept.value.as_number()?.to_bits()));
            let all_of = |is_one: fn(&Value) -> bool| once.iter().all(|kept| is_one(&kept.value));
            let plain = all_of(|value| matches!(value, Value::Number(_))) || all_of(|value| matches!(value, Value::Flag(_)));
            let want = plain.then(|| once.iter().filter_map(bits).collect::<Vec<_>>());
            prop_assert_eq!(numbered, want);
        }
    }

    #[test]
    fn a_day_of_a_lamp_takes_less_than_two_bytes_a_sample() {
        let marks = Marks::of_byte(1 << 4).unwrap();
        let sample = |n: i64| Kept {
            device_ms: 1_780_000_000_000 + n * 10_000 + i64::from(n % 7 == 0) * 1_000,
            received_ms: 1_780_000_000_000 + n * 10_000 + 1_000 + n * 37 % 60,
            value: Value::Number((213 + n * 31 % 17) as f64 / 10.0),
            marks,
        };
        let samples: Vec<Kept> = (0..1_024).map(sample).collect();
        let (_, bytes) = back(&samples);
        assert!(bytes < 1_500, "{bytes} bytes");
    }
}
