use super::*;
use crate::expression::window::Of;

/// What a window over `x` says after samples, each heard at a second with the second it is dated.
fn told(text: &str, samples: &[(u64, i64, f64)], at_s: u64) -> Result<bool, Unknown> {
    let (expression, memory) = heard(text, samples);
    let facts = Says::of(&expression, &[]);
    expression.is_so(&memory, &facts, 0.0, now(at_s))
}

fn heard(text: &str, samples: &[(u64, i64, f64)]) -> (Expression, Memory) {
    let expression = read(text);
    let mut memory = expression.memory(now(0));
    for (heard_s, dated_s, value) in samples {
        expression.hear(&mut memory, 0, &number(*value), now(0).wall.plus(dated_s * 1_000), now(*heard_s));
    }
    (expression, memory)
}

/// Every minute the same as its minute, for ten minutes.
fn minutes() -> Vec<(u64, i64, f64)> {
    (0..=10).map(|minute| (minute * 60, minute as i64 * 60, minute as f64)).collect()
}

#[test]
fn each_function_makes_its_own_of_a_window() {
    for text in [
        "avg(x, 5m) = 7.5",
        "min(x, 5m) = 5",
        "max(x, 5m) = 10",
        "count(x, 5m) = 6",
        "last(x, 5m) = 10",
        "delta(x, 5m) = 5",
        "rate(x, 5m) = 1 / 1min",
        "rate(x, 5m) in 59 / 1h..61 / 1h",
    ] {
        assert_eq!(told(text, &minutes(), 600), Ok(true), "{text}");
    }
    // Two minutes later it has moved on without a word.
    assert_eq!(told("count(x, 5m) = 4", &minutes(), 720), Ok(true));
    assert_eq!(told("max(x, 5m) = 10 and min(x, 5m) = 7", &minutes(), 720), Ok(true));
    assert_eq!(told("count(x, 5m) = 0", &minutes(), 3_600), Ok(true));
    assert_eq!(told("avg(x, 5m) > 0", &minutes(), 3_600), Err(Unknown::NoData(0)));
    assert_eq!(told("last(x, 5m) > 0", &minutes(), 3_600), Err(Unknown::NoData(0)));
}

#[test]
fn a_window_that_is_not_full_says_nothing() {
    let hot = [(0, 0, 99.0), (30, 30, 99.0), (250, 250, 99.0)];
    assert_eq!(told("avg(x, 5m) > 90", &hot[..2], 60), Err(Unknown::Unheard));
    assert_eq!(told("avg(x, 5m) > 90", &hot, 280), Ok(true), "but for a twelfth of it");
    assert_eq!(told("delta(x, 5m) > 0", &[(270, 270, 1.0)], 280), Err(Unknown::NoData(0)), "one value is no change");
    // A thing that speaks every ten minutes has one value in five, which is full all the same.
    assert_eq!(told("avg(x, 5m) > 90", &[(0, 0, 1.0), (600, 600, 99.0)], 600), Ok(true));
    assert_eq!(told("count(x, 5m) < 3", &[], 300), Ok(true), "silence is counted too");
    assert_eq!(told("count(x, 5m) < 3", &[], 299), Err(Unknown::Unheard), "and all of it");
}

#[test]
fn a_rate_needs_time_between_its_values() {
    let rate = |dated_s| told("rate(x, 5m) > 1 / 1h", &[(200, 200, 21.0), (226, dated_s, 21.1)], 300);
    assert_eq!(rate(201), Err(Unknown::NoData(0)));
    assert_eq!(rate(224), Err(Unknown::NoData(0)));
    assert_eq!(rate(225), Ok(true), "a bucket's width");
}

#[test]
fn what_comes_late_goes_where_it_belongs_and_too_late_nowhere() {
    let mut samples = minutes();
    samples.push((601, 400, 100.0));
    assert_eq!(told("max(x, 5m) = 100", &samples, 602), Ok(true));
    assert_eq!(told("last(x, 5m) = 10", &samples, 602), Ok(true), "it is not the newest");
    samples.push((603, 10, 1_000.0));
    assert_eq!(told("max(x, 5m) = 100", &samples, 604), Ok(true));
    let first_late = [(0, 10, 5.0), (100, 100, 5.0), (300, 300, 9.0), (301, 1, 0.0)];
    assert_eq!(told("delta(x, 5m) = 9", &first_late, 301), Ok(true), "a late one may be the oldest");
}

#[test]
fn a_slow_clock_has_a_window_like_any_other() {
    let slow: Vec<_> = minutes().into_iter().map(|(heard, dated, value)| (heard, dated - 86_400, value)).collect();
    assert_eq!(told("avg(x, 5m) = 7.5", &slow, 600), Ok(true));
}

#[test]
fn a_clock_that_was_put_right_begins_the_window_anew() {
    let mut ahead = minutes();
    ahead.push((601, 601 + 3_600, 100.0));
    assert_eq!(told("max(x, 5m) = 100", &ahead, 602), Err(Unknown::Unheard), "not full yet");
    assert_eq!(told("min(x, 5m) = 100", &ahead, 890), Ok(true), "and nothing of before is in it");
    // Back by an hour: it is taken for late until nothing of the old time is left.
    let mut back = minutes();
    back.extend((11..=30).map(|minute| (minute * 60, minute as i64 * 60 - 3_600, 100.0)));
    assert_eq!(told("max(x, 5m) = 10", &back[..12], 660), Ok(true));
    assert_eq!(told("min(x, 5m) = 100", &back, 1_800), Ok(true));
}

#[test]
fn not_listening_for_longer_than_a_bucket_begins_it_anew() {
    let (expression, memory) = heard("max(x, 5m) > 0", &minutes());
    for (gap_ms, want) in [(25_000, Ok(true)), (25_001, Err(Unknown::Unheard))] {
        let mut memory = memory.clone();
        expression.missed(&mut memory, gap_ms, now(630));
        assert_eq!(expression.is_so(&memory, &Says::of(&expression, &[]), 0.0, now(631)), want, "{gap_ms}");
    }
}

#[test]
fn a_clock_that_jumps_by_more_than_a_short_window_begins_it_anew() {
    let told = |dated_s| told("max(x, 10s) >= 50", &[(0, 0, 1.0), (9, 9, 1.0), (20, 20, 1.0), (21, dated_s, 50.0)], 21);
    assert_eq!(told(31), Ok(true));
    assert_eq!(told(32), Err(Unknown::Unheard), "one value is not ten seconds");
}

#[test]
fn many_short_gaps_are_one_long() {
    let (expression, memory) = heard("max(x, 5m) > 0", &minutes());
    let facts = Says::of(&expression, &[]);
    for (gaps, want) in [
        (&[610, 620][..], Ok(true)),
        (&[610, 620, 630], Err(Unknown::Unheard)),
        (&[610, 700, 880], Err(Unknown::Unheard)),
        (&[610, 850, 1_090], Ok(true)),
    ] {
        let mut memory = memory.clone();
        for at_s in gaps {
            let at = now(*at_s);
            expression.hear(&mut memory, 0, &number(7.0), at.wall, at);
            expression.missed(&mut memory, 10_000, at);
        }
        let at_s = gaps[gaps.len() - 1];
        assert_eq!(expression.is_so(&memory, &facts, 0.0, now(at_s)), want, "{gaps:?}");
    }
    let mut memory = expression.memory(now(0));
    (0..100_000).for_each(|s| expression.missed(&mut memory, 1, now(s)));
    assert!(memory.most_gaps() <= WINDOW_BUCKETS as usize + 1, "{}", memory.most_gaps());
}

#[test]
fn a_count_takes_words_too() {
    let expression = read("count(state, 1m) = 1 and avg(state, 1m) = 0");
    let mut memory = expression.memory(now(0));
    expression.hear(&mut memory, 0, &word("fault"), now(59).wall, now(59));
    let facts = Says::of(&expression, &[]);
    assert_eq!(expression.is_so(&memory, &facts, 0.0, now(60)), Err(Unknown::NoData(0)), "a word has no mean");
    assert_eq!(read("count(state, 1m) = 1").needs().names.len(), 1);
}

/// What a window should say, out of all samples: of what is at least in it, and of what may be in it besides.
fn plain(samples: &[(i64, f64)], from_ms: i64) -> (u64, f64, f64) {
    let held = samples.iter().filter(|(at, _)| *at >= from_ms);
    let values: Vec<f64> = held.map(|(_, value)| *value).collect();
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (values.len() as u64, values.iter().sum(), greatest)
}

fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 1u64..40_000, 1 => 100_000..400_000u64]
}

/// How far from ours the thing's clock is: not at all, late, too late, ahead, far ahead.
fn offsets() -> impl Strategy<Value = i64> {
    prop_oneof![5 => Just(0i64), 3 => -110_000..0i64, 1 => -3_600_000..-110_000i64, 1 => 0..120_000i64, 1 => 120_000..600_000i64]
}

/// Every sample of a window of two minutes, and what it says of them.
#[derive(Default)]
struct Samples {
    since: u64,
    /// By what the thing said and when we heard it, in milliseconds.
    all: Vec<(i64, u64, f64)>,
}

impl Samples {
    const LENGTH_MS: i64 = 120_000;
    const WIDTH_MS: i64 = 10_000;

    fn newest(&self) -> Option<(i64, u64, f64)> {
        self.all.iter().copied().max_by_key(|(at, ..)| *at)
    }

    /// Where the window begins.
    fn from(&self, mono: u64) -> i64 {
        let end = self.newest().map_or(0, |(at, heard, _)| at + (mono - heard) as i64);
        (end - Samples::LENGTH_MS).div_euclid(Samples::WIDTH_MS) * Samples::WIDTH_MS
    }

    fn hear(&mut self, value: f64, at: i64, mono: u64) {
        if let Some((newest, heard, _)) = self.newest() {
            let pause = (mono - heard) as i64;
            let is_gone = at < self.from(mono);
            if at > newest + pause + Samples::LENGTH_MS || is_gone && pause > Samples::LENGTH_MS {
                *self = Samples { since: mono, all: Vec::new() };
            } else if is_gone {
                return;
            }
        }
        self.all.push((at, mono, value));
    }

    fn tell(&self, of: Of, mono: u64) -> Result<f64, Unknown> {
        let listened = (mono - self.since) as i64;
        let no_data = Err(Unknown::NoData(0));
        if of == Of::Last {
            return match self.newest().filter(|(_, heard, _)| (mono - heard) as i64 <= Samples::LENGTH_MS) {
                Some((.., value)) => Ok(value),
                None if listened < Samples::LENGTH_MS => Err(Unknown::Unheard),
                None => no_data,
            };
        }
        let spared = if of == Of::Count { 0 } else { Samples::WIDTH_MS };
        if listened < Samples::LENGTH_MS - spared {
            return Err(Unknown::Unheard);
        }
        let held: Vec<_> = self.all.iter().filter(|(at, ..)| *at >= self.from(mono)).collect();
        let values = || held.iter().map(|(.., value)| *value);
        let count = held.len() as f64;
        let oldest = held.iter().min_by_key(|(at, ..)| *at).filter(|_| held.len() > 1);
        let change = oldest.zip(self.newest()).map(|(old, new)| (new.2 - old.2, new.0 - old.0));
        match of {
            Of::Count => Ok(count),
            _ if held.is_empty() => no_data,
            Of::Average => Ok(values().sum::<f64>() / count),
            Of::Least => Ok(values().fold(f64::INFINITY, f64::min)),
            Of::Greatest => Ok(values().fold(f64::NEG_INFINITY, f64::max)),
            Of::Delta => change.map(|(change, _)| change).ok_or(Unknown::NoData(0)),
            Of::Rate => match change {
                Some((change, between)) if between >= Samples::WIDTH_MS => Ok(change * 1_000.0 / between as f64),
                _ => no_data,
            },
            Of::Last => no_data,
        }
    }
}

proptest! {
    /// In any order of arrival a window holds all of its length, and at most a twelfth more; and never more than its buckets.
    #[test]
    fn a_window_holds_its_length_and_at_most_a_bucket_more(
        steps in prop::collection::vec((1u64..40_000, 0i64..200_000, -100.0..100.0f64), 1..120),
    ) {
        let length_ms = 120_000i64;
        let expression = read("count(x, 2m) = 0 or max(x, 2m) > 1e9");
        let mut memory = expression.memory(now(0));
        let (mut mono, mut dated) = (200_000u64, Vec::new());
        let start = 1_700_000_000_000i64;
        for (after, late, value) in steps {
            mono += after;
            // What is in order half of the time, and late by anything else.
            let at = start + mono as i64 - if late < 100_000 { 0 } else { late - 100_000 };
            let at_mono = Now { wall: WallMs(start), mono: MonoMs(mono) };
            expression.hear(&mut memory, 0, &number(value), WallMs(at), at_mono);
            dated.push((at, value));
        }
        let newest = dated.iter().map(|(at, _)| *at).max().unwrap();
        let spans = &expression.known.windows;
        let count = memory.tell(spans, 0, MonoMs(mono)).unwrap() as u64;
        // The window ends where the thing's clock is, which lies between its newest time and ours.
        let (least, ..) = plain(&dated, start + mono as i64 - length_ms);
        let (most, ..) = plain(&dated, newest - length_ms - length_ms / 12);
        prop_assert!((least..=most).contains(&count), "{} of {}..={}", count, least, most);
        if count > 0 {
            let greatest = memory.tell(spans, 1, MonoMs(mono)).unwrap();
            let (.., all) = plain(&dated, newest - length_ms - length_ms / 12);
            let (.., sure) = plain(&dated, start + mono as i64 - length_ms);
            prop_assert!(greatest <= all && greatest >= sure, "{} of {}..={}", greatest, sure, all);
        }
        prop_assert!(memory.most_buckets() <= WINDOW_BUCKETS as usize + 2);
    }
    /// Each function says what it would say of all samples, whatever the thing's clock does: values that come late, too late, far ahead,
    /// and after a pause.
    #[test]
    fn each_function_says_what_all_samples_would(
        steps in prop::collection::vec((pauses(), offsets(), -100.0..100.0f64), 1..80),
    ) {
        let text = ["count", "avg", "min", "max", "last", "delta"].map(|of| format!("{of}(x, 2m) = 0"));
        let expression = read(&format!("{} or rate(x, 2m) = 0 / 1s", text.join(" or ")));
        let spans = &expression.known.windows;
        let (mut memory, mut all, mut mono) = (expression.memory(now(0)), Samples::default(), 0);
        for (after, offset, value) in steps {
            mono += after;
            let at = now(0).wall.plus(mono as i64 + offset);
            expression.hear(&mut memory, 0, &number(value), at, Now { mono: MonoMs(mono), ..now(0) });
            all.hear(value, at.0, mono);
            for (nth, span) in spans.iter().enumerate() {
                let (have, want) = (memory.tell(spans, nth, MonoMs(mono)), all.tell(span.of, mono));
                let is_near = match (have, want) {
                    (Ok(have), Ok(want)) => (have - want).abs() < 1e-6,
                    (have, want) => have == want,
                };
                prop_assert!(is_near, "{:?}: {:?}, not {:?}", span.of, have, want);
            }
        }
    }
}
