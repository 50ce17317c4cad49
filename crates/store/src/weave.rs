//! Pages of one series out of several runs, woven into one stretch in the order of time, each thing said once.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use fleetlens_model::telemetry::{Timed, Value};

use crate::codec::block::Entry;
use crate::codec::page::{self, Scratch};
use crate::codec::{Damaged, Kept};

/// Up to so many samples of one time each is compared with each. A device whose clock stands still has millions of them.
const FEW: usize = 8;

/// A page of the series, and the place of its run among the runs: the samples of a later one were said later.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub run: usize,
    pub entry: Entry,
    block: Rc<Vec<u8>>,
    place: Range<usize>,
}

impl Page {
    /// A page that lies here in its block.
    pub fn new(run: usize, entry: Entry, block: Rc<Vec<u8>>, place: Range<usize>) -> Page {
        Page { run, entry, block, place }
    }

    pub fn bytes(&self) -> &[u8] {
        self.block.get(self.place.clone()).unwrap_or_default()
    }
}

/// The pages in groups that follow each other in time: within one they overlap, or there is one.
pub(crate) fn clusters(mut pages: Vec<Page>) -> impl Iterator<Item = Vec<Page>> {
    // Of pages that begin together the one that was said first comes first: the sort keeps their order.
    pages.sort_by_key(|page| page.entry.from_ms);
    let mut pages = pages.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = pages.next()?;
        let mut to_ms = first.entry.to_ms;
        let mut cluster = vec![first];
        while let Some(next) = pages.next_if(|next| next.entry.from_ms <= to_ms) {
            to_ms = to_ms.max(next.entry.to_ms);
            cluster.push(next);
        }
        Some(cluster)
    })
}

/// Adds the samples of a cluster in the order of time, of equal times in the order they were said, and says how many repeated one that
/// was there.
pub(crate) fn unpack(mut cluster: Vec<Page>, samples: &mut Vec<Kept>, scratch: &mut Scratch) -> Result<u64, Damaged> {
    let start = samples.len();
    cluster.sort_by_key(|page| page.run);
    for page in &cluster {
        let entry = &page.entry;
        page::get(page.bytes(), entry.count, entry.from_ms, samples, scratch)?;
    }
    if cluster.len() == 1 {
        // A page was woven when it was made.
        return Ok(0);
    }
    Ok(weave(samples, start))
}

/// Orders the samples from `start` on and takes out those that repeat another; says how many.
pub(crate) fn weave(samples: &mut Vec<Kept>, start: usize) -> u64 {
    // Nearly always: each came after the one before.
    if samples.get(start..).unwrap_or_default().is_sorted_by(|one, next| one.device_ms < next.device_ms) {
        return 0;
    }
    let mut new = samples.split_off(start);
    if !new.is_sorted_by_key(|kept| kept.device_ms) {
        new.sort_by_key(|kept| kept.device_ms);
    }
    let before = new.len();
    let mut group = start;
    let mut said = HashSet::new();
    for kept in new {
        if samples.get(group).is_none_or(|first| first.device_ms != kept.device_ms) {
            group = samples.len();
            said.clear();
        }
        let others = samples.get(group..).unwrap_or_default();
        let again = match kept.marks.timed() {
            // What we dated ourselves is nobody's repetition.
            Timed::ByUs => false,
            Timed::ByDevice if others.len() < FEW => others.iter().any(|other| kept.repeats(other)),
            Timed::ByDevice => {
                if said.is_empty() {
                    said.extend(others.iter().filter(|other| other.marks.timed() == Timed::ByDevice).map(key));
                }
                !said.insert(key(&kept))
            }
        };
        if !again {
            samples.push(kept);
        }
    }
    (before - (samples.len() - start)) as u64
}

/// Takes out what repeats one of these; both are in the order of time. Says how many.
pub(crate) fn take_out(samples: &mut Vec<Kept>, there: &[Kept]) -> u64 {
    let before = samples.len();
    let (mut rest, mut of_its_time) = (there, there.get(..0).unwrap_or_default());
    let mut time = None;
    let mut said = HashSet::new();
    samples.retain(|kept| {
        if time != Some(kept.device_ms) {
            time = Some(kept.device_ms);
            said.clear();
            rest = rest.split_at(rest.partition_point(|other| other.device_ms < kept.device_ms)).1;
            of_its_time = rest.split_at(rest.partition_point(|other| other.device_ms == kept.device_ms)).0;
        }
        match kept.marks.timed() {
            Timed::ByUs => true,
            Timed::ByDevice if of_its_time.len() < FEW => !of_its_time.iter().any(|other| kept.repeats(other)),
            Timed::ByDevice => {
                if said.is_empty() {
                    said.extend(of_its_time.iter().filter(|other| other.marks.timed() == Timed::ByDevice).map(key));
                }
                !said.contains(&key(kept))
            }
        }
    });
    (before - samples.len()) as u64
}

/// Whether a sample of these, which are in the order of time, may be in a page.
pub(crate) fn touches(samples: &[Kept], page: &Entry) -> bool {
    let next = samples.partition_point(|kept| kept.device_ms < page.from_ms);
    samples.get(next).is_some_and(|kept| kept.device_ms <= page.to_ms)
}

/// What two samples of one time that repeat each other share.
fn key(kept: &Kept) -> (u8, u64, String) {
    match &kept.value {
        Value::Number(number) => (0, number.to_bits(), String::new()),
        Value::Flag(flag) => (1, u64::from(*flag), String::new()),
        Value::Text(text) => (2, 0, text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::SeriesKey;

    use super::*;
    use crate::codec::Marks;

    fn kept(device_ms: i64, value: f64, timed: Timed) -> Kept {
        let marks = Marks::of_byte(u8::from(timed == Timed::ByDevice) << 4).unwrap();
        Kept { device_ms, received_ms: device_ms, value: Value::Number(value), marks }
    }

    fn page(run: usize, samples: &[Kept]) -> Page {
        let mut bytes = Vec::new();
        page::put(&mut bytes, samples, &mut Scratch::default());
        let (from_ms, to_ms) = (samples[0].device_ms, samples[samples.len() - 1].device_ms);
        let (entry, place) = (Entry { series: SeriesKey(1), count: samples.len(), from_ms, to_ms }, 0..bytes.len());
        Page::new(run, entry, Rc::new(bytes), place)
    }

    #[test]
    fn pages_that_overlap_become_one_stretch_in_which_each_thing_is_said_once() {
        let at = |device_ms, value| kept(device_ms, value, Timed::ByDevice);
        let pages = vec![
            page(0, &[at(10, 1.0), at(30, 3.0)]),
            page(1, &[at(40, 4.0), at(50, 5.0)]),
            page(2, &[at(20, 2.0), at(30, 3.0), at(30, 3.5)]),
            page(3, &[at(30, 3.5), at(30, 3.2)]),
        ];
        let mut values = Vec::new();
        let mut repeated = 0;
        for cluster in clusters(pages) {
            let mut samples = Vec::new();
            repeated += unpack(cluster, &mut samples, &mut Scratch::default()).unwrap();
            values.push(samples.iter().filter_map(|kept| kept.value.as_number()).collect::<Vec<_>>());
        }
        assert_eq!(values, [vec![1.0, 2.0, 3.0, 3.5, 3.2], vec![4.0, 5.0]]);
        assert_eq!(repeated, 2);
    }

    #[test]
    fn what_is_there_already_is_taken_out_however_many_have_one_time() {
        let at = |device_ms, value: i32| kept(device_ms, f64::from(value), Timed::ByDevice);
        let there: Vec<Kept> = [at(1, 1)].into_iter().chain((0..100).map(|n| at(7, n))).chain([at(9, 9)]).collect();
        let mut new = vec![at(0, 1), at(1, 1), at(7, 50), at(7, 100), kept(7, 50.0, Timed::ByUs), at(9, 9), at(10, 9)];
        assert_eq!(take_out(&mut new, &there), 3);
        assert_eq!(new, [at(0, 1), at(7, 100), kept(7, 50.0, Timed::ByUs), at(10, 9)]);
        let page = |from_ms, to_ms| Entry { series: SeriesKey(1), count: 2, from_ms, to_ms };
        assert!(touches(&new, &page(1, 7)) && touches(&new, &page(10, 10)) && !touches(&new, &page(1, 6)));
    }

    #[test]
    fn many_of_one_time_are_told_apart_and_those_we_dated_are_never_the_same() {
        for (timed, want) in [(Timed::ByDevice, 50), (Timed::ByUs, 100)] {
            let mut samples: Vec<Kept> = (0..100).map(|n| kept(7, f64::from(n % 50), timed)).collect();
            assert_eq!(weave(&mut samples, 0), 100 - want);
            assert_eq!(samples.len() as u64, want);
        }
    }
}
