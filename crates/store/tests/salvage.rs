//! A cache that is cut off or has flipped bytes: the start goes on, the old file stays as it was, and what comes back was said.

#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::{T0, block_on, commit, one_of_everything, sample, series, thing, without_bytes};
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{HistoryQuery, Restored, Write};
use fleetlens_model::telemetry::{Sample, Value};
use fleetlens_model::time::WallMs;
use fleetlens_store::{Quarantined, Reading, Store, StoreError};

/// Things beside those of `one_of_everything`, and series of each.
const THINGS: u32 = 25;
const EACH: u32 = 5;
/// The first series of those things.
const FIRST: u32 = 100;
/// Samples of each series.
const SAMPLES: u64 = 150;
const PAGE: usize = 4_096;

/// Any number, the next of a row that a seed begins.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

/// What a series said at a time.
fn value(series: u32, ms: i64) -> Value {
    match series % 5 {
        0 => Value::Text(format!("{series} at {ms}: {:020}", ms.wrapping_mul(7_919))),
        1 => Value::Flag(ms / 1_000 % 3 == 0),
        _ => Value::Number(f64::from(series) + (ms / 1_000) as f64 / 8.0),
    }
}

fn said(series: u32, n: u64, seq: u64) -> Sample {
    let ms = n.cast_signed() * 1_000;
    Sample { value: value(series, ms), ..sample(series, seq, ms, 0.0) }
}

fn all_series() -> impl Iterator<Item = u32> {
    FIRST..FIRST + THINGS * EACH
}

fn name(key: u32) -> String {
    format!("street-lamp-{key:05}-in-triq-ir-repubblika")
}

/// A cache with history in settled runs, in others, and in the journal; and how many samples there are.
fn city(path: &Path) -> u64 {
    let (store, _) = Store::open(path, "malta", 4711).unwrap();
    commit(&store, one_of_everything().0).unwrap();
    let mut described = Vec::new();
    for key in 0..THINGS {
        described.push(thing(key + 10, &name(key)));
        described.extend((0..EACH).map(|n| series(FIRST + key * EACH + n, key + 10, &format!("/value-{n}"))));
    }
    commit(&store, described).unwrap();
    let mut seq = 100;
    for n in 0..SAMPLES {
        let batch = all_series().map(|key| {
            seq += 1;
            Write::Sample(said(key, n, seq))
        });
        commit(&store, batch.collect()).unwrap();
        if n == SAMPLES / 3 || n == SAMPLES * 2 / 3 {
            block_on(store.settle()).unwrap();
        }
    }
    let samples = block_on(store.stats()).unwrap().samples;
    block_on(store.close()).unwrap();
    samples
}

/// Files beside each other, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    fs::read_dir(folder).unwrap().map(|entry| file(entry.unwrap())).collect()
}

/// How many samples there are, after a look at each: it was said, and once.
fn look_at_all(path: &Path, restored: &Restored, what: &str) -> u64 {
    let reading = Reading::open(path).unwrap();
    let mut count = 0;
    for (key, _, _) in &restored.series {
        let mut before = i64::MIN;
        let whole = reading.samples(*key, WallMs(i64::MIN)..WallMs(i64::MAX), |found| {
            count += 1;
            if key.0 >= FIRST {
                let ms = found.device_ms.0 - T0;
                assert_eq!(found.value, value(key.0, ms), "{what}: series {} at {ms}", key.0);
                assert!(found.device_ms.0 > before, "{what}: series {} at {ms} twice", key.0);
                before = found.device_ms.0;
            }
            ControlFlow::Continue(())
        });
        assert!(whole.unwrap_or_else(|error| panic!("{what}: series {}: {error}", key.0)), "{what}");
    }
    for latest in restored.latest.iter().filter(|latest| latest.series.0 >= FIRST) {
        assert_eq!(latest.value, value(latest.series.0, latest.device_ms.0 - T0), "{what}: latest");
    }
    count
}

/// What a chart shows was said: none of its buckets holds more than there was, or anything beyond what there was.
fn look_at_charts(store: &Store, restored: &Restored, what: &str) {
    for (key, _, _) in restored.series.iter().filter(|(key, ..)| key.0 >= FIRST && key.0 % 20 == 2) {
        for bucket_ms in [7_000, 60_000, 86_400_000] {
            let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
            let query = HistoryQuery { series: *key, from_ms, to_ms, bucket_ms, up_to_seq: u64::MAX };
            for bucket in block_on(store.history(query)).unwrap() {
                let width = bucket_ms.cast_signed();
                let inside: Vec<f64> = (0..SAMPLES.cast_signed())
                    .map(|n| T0 + n * 1_000)
                    .filter(|at| at.div_euclid(width) * width == bucket.start_ms.0)
                    .filter_map(|at| value(key.0, at - T0).as_number())
                    .collect();
                assert!(bucket.count as usize <= inside.len(), "{what}: {bucket:?} of series {}", key.0);
                for told in [bucket.min, bucket.max, bucket.last] {
                    assert!(inside.contains(&told), "{what}: {bucket:?} of series {}", key.0);
                }
            }
        }
    }
}

/// Opens what was damaged; whatever it finds, the old file is there byte for byte and the new cache takes what comes.
fn opened(path: &Path, what: &str) -> (Store, Restored, Option<Quarantined>) {
    let before = files(path.parent().unwrap());
    let (store, restored, note) = Store::open_or_quarantine(path, "malta", 8, WallMs(77))
        .unwrap_or_else(|error| panic!("{what}: the start does not go on: {error}"));
    if let Some(note) = &note {
        let noted = before.contains_key("malta.db.damaged");
        assert!(noted || fs::read(&note.moved_to).unwrap() == before["malta.db"], "{what}: the old file is another");
        assert!(!path.with_file_name("malta.db.salvage").exists(), "{what}");
        assert!(!path.with_file_name("malta.db.damaged").exists(), "{what}");
    }
    (store, restored, note)
}

fn goes_on(store: &Store, restored: &Restored, what: &str) {
    let key = restored.things.last().map_or(1, |(key, ..)| key.0 + 1);
    let of = restored.series.last().map_or(1, |(key, ..)| key.0 + 1);
    let batch = vec![
        thing(key, "a new one"),
        series(of, key, "/new"),
        Write::Sample(sample(of, restored.last_seq + 1, 5, 1.0)),
    ];
    commit(store, batch).unwrap_or_else(|error| panic!("{what}: {error}"));
}

fn place(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("malta.db")
}

#[test]
fn what_is_whole_is_salvaged_whole() {
    let folder = tempfile::tempdir().unwrap();
    let samples = city(&place(&folder));
    let before = Store::open(&place(&folder), "malta", 8).unwrap().1;
    fs::write(folder.path().join("malta.db.damaged"), "somebody said so").unwrap();
    let (store, restored, note) = opened(&place(&folder), "whole");
    let note = note.unwrap();
    assert_eq!(without_bytes(restored.clone()), without_bytes(before));
    assert_eq!((note.salvaged.samples, note.salvaged.lost_pages, note.salvaged.lost_rows), (samples, 0, 0));
    assert_eq!(note.salvaged.ended_early, None);
    assert!(note.to_string().contains("30 things") && note.to_string().contains("malta.db.broken-77"), "{note}");
    assert_eq!(look_at_all(&place(&folder), &restored, "whole"), samples);
    look_at_charts(&store, &restored, "whole");
    assert_eq!(block_on(store.refusals()).unwrap().len(), 1);
    let day = |key| {
        let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
        let query = HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms: 86_400_000, up_to_seq: u64::MAX };
        block_on(store.history(query)).unwrap().iter().map(|bucket| u64::from(bucket.count)).sum::<u64>()
    };
    assert_eq!(day(FIRST + 2), SAMPLES, "roll-ups and samples together are what was said");
    block_on(store.settle()).unwrap();
    assert_eq!(day(FIRST + 2), SAMPLES, "and once");
    goes_on(&store, &restored, "whole");
}

#[test]
fn a_cache_cut_off_anywhere_gives_what_is_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let all = city(&place(&folder));
    let whole = fs::read(place(&folder)).unwrap();
    let mut dice = Dice(1);
    let pages = whole.len() / PAGE;
    let mut lengths =
        vec![1, 50, 99, 100, 512, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, whole.len() - 1, whole.len() - PAGE];
    lengths.extend((0..30).map(|n| if n % 2 == 0 { dice.below(pages) * PAGE } else { dice.below(whole.len()) }));
    let mut best = 0;
    for length in lengths {
        let folder = tempfile::tempdir().unwrap();
        let what = format!("cut to {length} of {}", whole.len());
        fs::write(place(&folder), &whole[..length]).unwrap();
        let (store, restored, note) = opened(&place(&folder), &what);
        assert!(note.is_some() || length == 0, "{what}: unnoticed");
        let found = look_at_all(&place(&folder), &restored, &what);
        if note.is_some_and(|note| note.salvaged.samples != found) {
            panic!("{what}: {found} samples are there, another number is told");
        }
        best = best.max(found);
        look_at_charts(&store, &restored, &what);
        goes_on(&store, &restored, &what);
        block_on(store.close()).unwrap();
    }
    assert!(best > all * 9 / 10, "at most {best} of {all} came back");
}

/// Flips some bytes on some pages, in place.
fn flip(bytes: &mut [u8], dice: &mut Dice) -> Vec<usize> {
    let mut places = Vec::new();
    for _ in 0..=dice.below(6) {
        let page = dice.below(bytes.len() / PAGE);
        // The heads of pages are hit as often as all of the rest.
        let head = dice.below(2) == 0;
        for _ in 0..=dice.below(8) {
            let at = page * PAGE + if head { dice.below(16) } else { dice.below(PAGE) };
            // Whose a file is and of which version is said on these, and what it says is obeyed.
            if !(60..72).contains(&at) {
                bytes[at] ^= 1 << dice.below(8);
                places.push(at);
            }
        }
    }
    places
}

#[test]
fn flipped_bytes_cost_what_is_on_them_and_nothing_that_comes_back_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let all = city(&place(&folder));
    let whole = fs::read(place(&folder)).unwrap();
    let (mut salvaged, mut back) = (0, Vec::new());
    for seed in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        let places = flip(&mut bytes, &mut Dice(seed));
        let what = format!("seed {seed}, flipped at {places:?}");
        fs::write(place(&folder), &bytes).unwrap();
        // Damage that a start does not touch is met later; every second time it is said beforehand.
        if seed % 2 == 0 {
            fs::write(folder.path().join("malta.db.damaged"), "met in the run before").unwrap();
        }
        let (store, restored, note) = opened(&place(&folder), &what);
        salvaged += u64::from(note.is_some());
        let found = look_at_all(&place(&folder), &restored, &what);
        look_at_charts(&store, &restored, &what);
        if note.is_some() {
            assert_eq!(store.damaged(), 0, "{what}: what is salvaged is whole");
            goes_on(&store, &restored, &what);
            back.push(found);
        }
        // A name that nobody gave is one that was hit itself.
        let strange = restored.things.iter().filter(|(key, found, _)| {
            key.0 >= 10 && (10..10 + THINGS).contains(&key.0) && found.as_str() != name(key.0 - 10)
        });
        assert!(note.is_none() || strange.count() == 0, "{what}: a strange name");
        _ = block_on(store.close());
    }
    assert!(salvaged >= 30, "{salvaged} were salvaged");
    let mean = back.iter().sum::<u64>() / back.len() as u64;
    assert!(mean > all * 3 / 4, "{mean} of {all} samples came back on the average: {back:?}");
}

#[test]
fn a_start_that_was_killed_while_it_salvaged_begins_again_or_ends_it() {
    for (what, old_is_there) in [("while it was made", true), ("before it took its place", false)] {
        let folder = tempfile::tempdir().unwrap();
        let samples = city(&place(&folder));
        let beside = folder.path().join("malta.db.salvage");
        if old_is_there {
            fs::write(&beside, "half of it").unwrap();
        } else {
            fs::rename(place(&folder), &beside).unwrap();
        }
        let (store, restored, note) = opened(&place(&folder), what);
        assert_eq!(note, None, "{what}");
        assert_eq!(restored.stats.samples, samples, "{what}");
        assert!(!beside.exists(), "{what}");
        block_on(store.close()).unwrap();
    }
}

#[test]
fn a_log_that_was_left_behind_goes_to_its_own_cache_and_not_into_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("malta.db.salvage"));
    let log = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    // A writer that is killed leaves its log; here it is copied while it has the cache.
    let (store, _) = Store::open(&old, "malta", 1).unwrap();
    commit(&store, one_of_everything().0).unwrap();
    let aside = folder.path().join("malta.db.broken-1700000000000");
    fs::copy(&old, &aside).unwrap();
    fs::copy(log(&old, "-wal"), log(&place(&folder), "-wal")).unwrap();
    block_on(store.close()).unwrap();
    let committed = fs::metadata(log(&place(&folder), "-wal")).unwrap().len();
    assert!(committed > 0, "the writer has a log");

    let samples = city(&new);
    // Killed between moving the damaged cache and moving its log.
    let (store, restored, note) = opened(&place(&folder), "killed between");
    assert_eq!((note, restored.stats.samples), (None, samples));
    goes_on(&store, &restored, "killed between");
    block_on(store.close()).unwrap();
    assert_eq!(fs::metadata(log(&aside, "-wal")).unwrap().len(), committed, "it is with the one it belongs to");
}

#[test]
fn another_profiles_rows_are_not_taken_for_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&place(&folder), "gozo", 1).unwrap();
    commit(&store, one_of_everything().0).unwrap();
    block_on(store.close()).unwrap();
    let mut bytes = fs::read(place(&folder)).unwrap();
    // Not even the first page is whole, so that nobody can say whose it is before it is gone through.
    bytes[..16].fill(0);
    fs::write(place(&folder), &bytes).unwrap();
    let (_store, restored, note) = opened(&place(&folder), "another's");
    assert!(matches!(note.as_ref().map(|note| &note.reason), Some(StoreError::NotADatabase { .. })), "{note:?}");
    assert_eq!((restored.things.len(), restored.installation), (0, 8), "{note:?}");
    assert!(note.unwrap().to_string().contains("another profile's"));
}

#[test]
fn damage_met_in_use_is_left_out_of_a_chart_counted_and_salvaged_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    city(&place(&folder));
    let count = |store: &Store| -> u64 {
        let (from_ms, to_ms) = (WallMs(0), WallMs(i64::MAX));
        let of = |key| HistoryQuery { series: SeriesKey(key), from_ms, to_ms, bucket_ms: 1_000, up_to_seq: u64::MAX };
        all_series().flat_map(|key| block_on(store.history(of(key))).unwrap()).map(|one| u64::from(one.count)).sum()
    };
    let (store, _) = Store::open(&place(&folder), "malta", 8).unwrap();
    let whole = count(&store);
    assert_eq!(store.damaged(), 0);
    block_on(store.close()).unwrap();
    // A text of the history, which is kept as it is: in the journal first, then in a run. Places that are free have it still.
    let mut bytes = fs::read(place(&folder)).unwrap();
    let text = format!("{FIRST} at 0: {:020}", 0);
    let found = |bytes: &[u8]| bytes.windows(text.len()).position(|window| window == text.as_bytes());
    while let Some(at) = found(&bytes) {
        bytes[at] ^= 1;
    }
    fs::write(place(&folder), &bytes).unwrap();

    let (store, restored, note) = opened(&place(&folder), "in use");
    assert_eq!(note, None, "a start does not read the history");
    let left = count(&store);
    assert!(left > 0 && left < whole, "{left} of {whole} are shown");
    assert!(store.damaged() > 0 && folder.path().join("malta.db.damaged").exists());
    assert!(!store.is_hindered(), "what only an answer meets keeps nobody from writing");
    goes_on(&store, &restored, "in use");
    block_on(store.close()).unwrap();

    let (store, restored, note) = opened(&place(&folder), "the next start");
    assert!(note.is_some_and(|note| note.salvaged.lost_rows == 1), "one block");
    assert_eq!(count(&store), left, "and what could be shown is all that could be salvaged");
    assert_eq!((store.damaged(), restored.things.len()), (0, THINGS as usize + 6));
    block_on(store.close()).unwrap();
}

#[test]
fn whatever_is_flipped_on_the_first_page_the_start_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&place(&folder), "malta", 4711).unwrap();
    commit(&store, one_of_everything().0).unwrap();
    block_on(store.close()).unwrap();
    let whole = fs::read(place(&folder)).unwrap();
    let mut dice = Dice(7);
    // Whose a file is and of which version is obeyed, see `flip`.
    let places = (0..100).filter(|at| !(60..72).contains(at)).chain((0..150).map(|_| 100 + dice.below(PAGE - 100)));
    let (mut salvaged, mut things) = (0, 0);
    for at in places.collect::<Vec<_>>() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << dice.below(8);
        fs::write(place(&folder), &bytes).unwrap();
        let (store, restored, note) = opened(&place(&folder), &format!("byte {at}"));
        salvaged += u64::from(note.is_some());
        things += u64::from(restored.things.len() == 5);
        block_on(store.close()).unwrap();
    }
    assert!(salvaged > 30 && things > 200, "{salvaged} of 238 were salvaged, {things} had all of their things");
}

#[test]
fn a_batch_that_meets_damage_is_refused_and_taken_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    city(&place(&folder));
    // The refusals are not read by a start. What is free may have their text too, from when they moved.
    let mut bytes = fs::read(place(&folder)).unwrap();
    for page in bytes.chunks_mut(PAGE).filter(|page| page.windows(8).any(|text| text == b"not JSON")) {
        page[..8].fill(0xff);
    }
    fs::write(place(&folder), &bytes).unwrap();
    let (store, restored, note) = opened(&place(&folder), "damaged refusals");
    assert_eq!(note, None, "a start does not read the refusals");
    let refused = Write::Refused { topic: "malta/y".into(), reason: "too long".into(), at_ms: WallMs(T0) };
    let batch = vec![Write::Sample(said(FIRST + 2, SAMPLES, restored.last_seq + 1)), refused];
    let error = commit(&store, batch.clone()).unwrap_err();
    assert!(error.is_broken_file() && !error.is_permanent(), "{error:?}");
    assert_eq!(store.damaged(), 1);
    assert_eq!((store.is_hindered(), block_on(store.hindered())), (true, error), "whoever owns it is told");
    // What does not touch the damage is stored all the same.
    commit(&store, vec![Write::LinkSeen { at_ms: WallMs(T0 + 5) }]).unwrap();
    block_on(store.close()).unwrap();

    let (store, restored, note) = opened(&place(&folder), "the next start");
    let note = note.unwrap();
    assert_eq!((note.salvaged.lost_pages, note.salvaged.samples), (1, restored.stats.samples));
    assert_eq!(restored.link_seen_ms, Some(WallMs(T0 + 5)));
    commit(&store, batch).unwrap();
    assert_eq!(block_on(store.refusals()).unwrap().len(), 1);
    assert_eq!(block_on(store.stats()).unwrap().samples, note.salvaged.samples + 1);
    block_on(store.close()).unwrap();
}

/// The cache of a schema as the program of its time left it.
fn golden(schema: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{schema}.db"))
}

#[test]
fn of_every_schema_that_there_was_the_history_is_salvaged_with_everything_else() {
    for schema in 1..=6 {
        let what = format!("schema {schema}");
        let whole = tempfile::tempdir().unwrap();
        fs::copy(golden(schema), place(&whole)).unwrap();
        let (store, want, note) = opened(&place(&whole), &what);
        assert_eq!(note, None, "{what}: it is whole");
        block_on(store.close()).unwrap();
        let told = samples_of(&place(&whole), &want);
        assert!(!told.is_empty(), "{what}: the golden file holds samples");

        let folder = tempfile::tempdir().unwrap();
        fs::copy(golden(schema), place(&folder)).unwrap();
        // Noted by the run before: of what a file says of itself nothing may be believed.
        fs::write(folder.path().join("malta.db.damaged"), "a page").unwrap();
        let (store, restored, note) = opened(&place(&folder), &what);
        let salvaged = note.unwrap().salvaged;
        assert_eq!((salvaged.ended_early, salvaged.lost_rows, salvaged.lost_pages), (None, 0, 0), "{what}");
        assert_eq!(salvaged.samples, told.len() as u64, "{what}");
        let latest = |restored: &Restored| {
            restored.latest.iter().map(|one| (one.series, one.device_ms, one.value.clone())).collect::<Vec<_>>()
        };
        assert_eq!((latest(&restored), restored.last_seq), (latest(&want), want.last_seq), "{what}");
        block_on(store.settle()).unwrap();
        block_on(store.close()).unwrap();
        assert_eq!(samples_of(&place(&folder), &restored), told, "{what}");
    }
}

/// Every sample of every series, but for its sequence, which is not kept.
fn samples_of(path: &Path, restored: &Restored) -> Vec<Sample> {
    let (reading, mut samples) = (Reading::open(path).unwrap(), Vec::new());
    for (key, _, _) in &restored.series {
        let each = |found: Sample| {
            // Our own time is kept to the second once it is packed.
            samples.push(Sample { seq: 0, received_ms: WallMs(0), ..found });
            ControlFlow::Continue(())
        };
        assert!(reading.samples(*key, WallMs(i64::MIN)..WallMs(i64::MAX), each).unwrap());
    }
    samples
}
