use std::path::Path;
use std::sync::Arc;

use fleetlens_model::command::{Attempt, Command, Phase, Step};
use fleetlens_model::id::CommandId;
use fleetlens_model::identity::Actor;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Timed, Value};
use fleetlens_store::Store;

use super::*;
use crate::profile::Profile;

const START: WallMs = WallMs(1_700_000_000_000);
const MINUTE: i64 = 60_000;

/// Everybody speaks once a minute.
const HEAD: &str = "name = \"a\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n";

fn rules(alarms: &str) -> Vec<Rule> {
    Profile::parse(&format!("{HEAD}{alarms}"), "x").unwrap().rules
}

fn hot(limit: u32) -> Vec<Rule> {
    rules(&format!("[[alarm]]\nid = \"hot\"\nkind = \"lamp\"\nwhen = \"temp_c >= {limit}\"\nwhat_to_do = \"go\"\n"))
}

/// A cache of lamps that say these temperatures, one a minute; of `None` they say nothing.
fn cache(folder: &Path, lamps: &[Vec<Option<f64>>]) -> Reading {
    let mut writes = Vec::new();
    for (key, said) in (1_u32..).zip(lamps) {
        let name = ThingName::new(format!("lamp-{key}")).unwrap();
        let title = if key == 1 { "The first".to_owned() } else { String::new() };
        let meta = Meta { kind: fleetlens_model::kind::Kind::Lamp, title, interval_s: 60, ..Meta::default() };
        writes.push(Write::Thing { thing: ThingKey(key), name, meta: Box::new(meta) });
        let series = SeriesKey(key);
        writes.push(Write::Series { series, thing: ThingKey(key), pointer: "/temp_c".into() });
        for (minute, temp_c) in (0..).zip(said) {
            let at = START.plus(minute * MINUTE);
            writes.extend(temp_c.map(|temp_c| {
                Write::Sample(Sample {
                    series,
                    device_ms: at,
                    received_ms: at,
                    seq: u64::from(key) * 100_000 + minute as u64,
                    value: Value::Number(temp_c),
                    source: Source::Live,
                    quality: Quality::Good,
                    timed: Timed::ByDevice,
                })
            }));
        }
    }
    let path = folder.join("a.db");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (store, _) = Store::open(&path, "a", 1).unwrap();
        store.commit(Arc::new(writes)).await.unwrap();
        store.close().await.unwrap();
    });
    Reading::open(&path).unwrap()
}

const AMPLE: Bounds = Bounds { values: 1_000_000, within: None };

fn question(now: Vec<Rule>, before: Option<Vec<Rule>>, minutes: i64) -> Question {
    Question {
        rules: now,
        id: "hot".into(),
        before: before.map(|before| (before, "hot".into())),
        config: FleetConfig::default(),
        span: START..START.plus(minutes * MINUTE),
    }
}

fn lamp(said: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    (0..100).map(|minute| Some(said(minute))).collect()
}

#[test]
fn what_it_would_have_done_is_counted_beside_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let first = lamp(|minute| if (10..20).contains(&minute) || (50..53).contains(&minute) { 80.0 } else { 40.0 });
    let second = lamp(|minute| if (15..30).contains(&minute) { 70.0 } else { 40.0 });
    let third = lamp(|minute| if minute >= 90 { 90.0 } else { 40.0 });
    let reading = cache(folder.path(), &[first, second, third]);
    let tried = answer(&reading, &question(hot(60), Some(hot(75)), 100), AMPLE, || true).unwrap();
    assert_eq!((tried.things, tried.looked, tried.unheard, tried.values, tried.deaf_ms), (3, 3, 0, 300, 0));
    assert_eq!((tried.oldest_ms, tried.unanswered, tried.notes), (Some(START), None, Vec::new()));
    let Fires { count, things, told, longest_ms, active_ms, any_ms, strip, rows } = tried.now;
    let minutes = |ms: u64| ms / 60_000;
    assert_eq!((count, things, told), (4, 3, 4));
    assert_eq!((minutes(longest_ms), minutes(active_ms), minutes(any_ms)), (15, 38, 33));
    assert_eq!((strip.len(), strip.iter().max(), strip[0]), (STRIP_PARTS, Some(&2), 0));
    let row = |at: usize| (rows[at].title.as_str(), rows[at].from_ms, rows[at].to_ms);
    assert_eq!(row(0), ("The first", START.plus(10 * MINUTE), Some(START.plus(20 * MINUTE))));
    assert_eq!(row(3), ("lamp-3", START.plus(90 * MINUTE), None));
    assert!(rows[0].sentence.contains("80"), "{}", rows[0].sentence);
    let before = tried.before.unwrap();
    assert_eq!((before.count, before.things, minutes(before.active_ms)), (3, 2, 23));
}

#[test]
fn what_was_not_looked_at_and_who_said_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = vec![None; 100];
    let mut lamps = vec![lamp(|_| 80.0); 5];
    lamps.push(quiet);
    let reading = cache(folder.path(), &lamps);
    let all = answer(&reading, &question(hot(60), None, 100), AMPLE, || true).unwrap();
    assert_eq!((all.things, all.looked, all.unheard, all.now.count, all.before), (6, 6, 1, 5, None));
    assert!(all.notes.iter().any(|note| note.starts_with("1 of the things said nothing")), "{:?}", all.notes);

    let few = Bounds { values: 250, within: None };
    let some = answer(&reading, &question(hot(60), None, 100), few, || true).unwrap();
    assert!(some.looked < 6 && some.values <= 250, "{some:?}");
    assert!(some.notes[0].starts_with(&format!("It looked at {} of 6 things", some.looked)), "{:?}", some.notes);
    let none = Bounds { within: Some(Duration::ZERO), ..AMPLE };
    assert_eq!(answer(&reading, &question(hot(60), None, 100), none, || true).unwrap().looked, 0);
    let ended = answer(&reading, &question(hot(60), None, 100), AMPLE, || false);
    assert!(matches!(ended, Err(BacktestError::Ended)));
}

#[test]
fn a_thing_that_does_not_fit_leaves_room_for_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    for loud in 0..3 {
        let lamps: Vec<_> = (0..3).map(|n| if n == loud { vec![Some(80.0); 400] } else { lamp(|_| 80.0) }).collect();
        let place = folder.path().join(loud.to_string());
        std::fs::create_dir(&place).unwrap();
        let few = Bounds { values: 250, within: None };
        let tried = answer(&cache(&place, &lamps), &question(hot(60), None, 400), few, || true).unwrap();
        assert_eq!((tried.looked, tried.values, tried.now.count), (2, 200, 2), "whichever is asked first");
    }
}

#[test]
fn one_thing_alone_can_be_ended_and_what_was_not_looked_at_to_its_end_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let said: Vec<_> = (0..5_000).map(|minute| Some(if minute % 20 < 10 { 80.0 } else { 40.0 })).collect();
    let reading = cache(folder.path(), &[said]);
    let asked = Cell::new(0);
    let until = |n: u32| {
        asked.set(0);
        let goes_on = || asked.replace(asked.get() + 1) < n;
        answer(&reading, &question(hot(60), None, 5_000), AMPLE, goes_on)
    };
    assert_eq!(until(u32::MAX).unwrap().now.count, 250);
    let all = asked.get();
    assert!(all > 70, "{all}");
    for n in [3, all / 2] {
        assert!(matches!(until(n), Err(BacktestError::Ended)), "{n} of {all}");
        assert_eq!(asked.get() - n, 2, "once inside and once outside");
    }
    let at_once = Bounds { within: Some(Duration::from_micros(1)), ..AMPLE };
    let none = answer(&reading, &question(hot(60), None, 5_000), at_once, || true).unwrap();
    assert_eq!((none.looked, none.values, none.now.count), (0, 0, 0));
}

#[test]
fn a_span_may_begin_long_before_there_was_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), &[lamp(|_| 80.0)]);
    let ever = Question { span: WallMs(-62_135_596_800_000)..START.plus(100 * MINUTE), ..question(hot(60), None, 0) };
    let tried = answer(&reading, &ever, AMPLE, || true).unwrap();
    assert_eq!((tried.now.count, tried.deaf_ms), (1, 0));
    assert!(START.0 - tried.from_ms.0 < 1_000, "{:?}", tried.from_ms);
}

#[test]
fn a_time_in_which_nothing_at_all_was_heard_is_nobodys_silence() {
    let folder = tempfile::tempdir().unwrap();
    let mut heard = lamp(|_| 40.0);
    heard[40..60].fill(None);
    let mut silent = heard.clone();
    silent[70..90].fill(None);
    let reading = cache(folder.path(), &[heard, silent]);
    let silence = rules("[[alarm]]\nid = \"hot\"\nwhen = \"silent\"\nwhat_to_do = \"go\"\n");
    // From before there was a cache.
    let question = Question { span: START.plus(-200 * MINUTE)..START.plus(100 * MINUTE), ..question(silence, None, 0) };
    let tried = answer(&reading, &question, AMPLE, || true).unwrap();
    assert_eq!(tried.from_ms, START, "what was before the first word is no part of it");
    assert_eq!(tried.deaf_ms / 60_000, 20);
    let [row] = &tried.now.rows[..] else { panic!("{:?}", tried.now) };
    let at = |minute: i64| START.plus(minute * MINUTE);
    assert!(row.title == "lamp-2" && row.from_ms > at(72) && row.from_ms < at(73), "{row:?}");
    assert_eq!(row.to_ms, Some(at(90)));
    assert!(tried.notes.iter().any(|note| note.contains("20 min nothing at all")), "{:?}", tried.notes);
}

#[test]
fn what_nobody_can_answer_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), &[]);
    let empty = answer(&reading, &question(hot(60), None, 100), AMPLE, || true).unwrap();
    assert!(empty.unanswered.unwrap().contains("holds nothing"));
    let wanted = rules("[[alarm]]\nid = \"hot\"\nwhen = \"not converged\"\nwhat_to_do = \"go\"\n");
    let wanted = answer(&reading, &question(wanted, None, 100), AMPLE, || true).unwrap();
    assert!(wanted.unanswered.unwrap().contains("what was wanted"));
    let nobody = Question { id: "cold".into(), ..question(hot(60), None, 100) };
    assert!(answer(&reading, &nobody, AMPLE, || true).is_err_and(|why| why.to_string().contains("no rule \"cold\"")));
}

#[test]
fn commands_that_failed_are_tried_and_the_closest_rule_about_them_speaks() {
    let folder = tempfile::tempdir().unwrap();
    drop(cache(folder.path(), &[lamp(|_| 40.0), lamp(|_| 40.0)]));
    let failed = |thing: u32, id: u64, minute: i64| {
        Write::Command(Box::new(Command {
            id: CommandId(id),
            thing: ThingKey(thing),
            shadow: String::new(),
            token: format!("t{id}"),
            wants: Vec::new(),
            by: Actor::default(),
            cancelled_by: None,
            expires_ms: START,
            phase: Phase::Rejected { code: 409, reason: "somebody else".into() },
            steps: vec![(Step::Rejected, START.plus(minute * MINUTE))],
            attempt: Attempt::Idle,
            deadline: None,
        }))
    };
    let path = folder.path().join("a.db");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (store, _) = Store::open(&path, "a", 1).unwrap();
        store.commit(Arc::new(vec![failed(1, 1, 30), failed(2, 2, 40)])).await.unwrap();
        store.close().await.unwrap();
    });
    let reading = Reading::open(&path).unwrap();
    let all = "[[alarm]]\nid = \"hot\"\nwhen = \"command failed\"\nwhat_to_do = \"go\"\n";
    let closer = "[[alarm]]\nid = \"first\"\nsearch = \"lamp-1\"\nwhen = \"command failed\"\nwhat_to_do = \"go\"\n";
    for (text, titles) in [(all.to_owned(), vec!["The first", "lamp-2"]), (format!("{all}{closer}"), vec!["lamp-2"])] {
        let tried = answer(&reading, &question(rules(&text), None, 100), AMPLE, || true).unwrap();
        let rows: Vec<&str> = tried.now.rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!((tried.unanswered, rows), (None, titles));
        assert_eq!(tried.now.rows[0].sentence, "command refused: somebody else");
    }
}

#[test]
fn how_much_is_known_of_what_is_usual_is_said_and_what_it_takes() {
    // A month from that day on; of the last day one hour is twice as hot.
    let said = |from_day: usize| -> Vec<Option<f64>> {
        let temp_c = |minute: usize| if minute / 60 == 29 * 24 + 5 { 80.0 } else { 40.0 };
        (0..30 * 24 * 60).map(|minute| (minute >= from_day * 24 * 60).then(|| temp_c(minute))).collect()
    };
    let tried = |lamps: &[Vec<Option<f64>>], from_day: i64| {
        let folder = tempfile::tempdir().unwrap();
        let reading = cache(folder.path(), lamps);
        let when = "when = \"above_usual(temp_c) > 50\"\nwhat_to_do = \"go\"\n";
        let day = |n: i64| START.plus(n * 24 * 60 * MINUTE);
        let usual = rules(&format!("[[alarm]]\nid = \"hot\"\nkind = \"lamp\"\n{when}"));
        let question = Question { span: day(from_day)..day(30), ..question(usual, None, 0) };
        answer(&reading, &question, AMPLE, || true).unwrap()
    };
    let says = |tried: &Tried, what: &str| assert!(tried.notes.iter().any(|note| note.contains(what)), "{tried:?}");

    let known = tried(&[said(0), said(0)], 28);
    assert_eq!((known.unanswered.clone(), known.now.count, known.now.things), (None, 2, 2));
    says(&known, "learned from 29 days that the cache holds");
    says(&known, "needs 7 days to know an hour of the day, and 3 weeks");
    assert!(!known.notes.iter().any(|note| note.contains("at first")), "{:?}", known.notes);

    let some = tried(&[said(0), said(24)], 28);
    assert_eq!((some.now.count, some.now.things), (1, 1));
    says(&some, "learned from 5 to 29 days");
    says(&some, "Of 1 of 2 values there was less");

    let none = tried(&[said(27)], 28);
    assert_eq!((none.now.count, none.looked), (0, 1));
    says(&none, "So at first nothing was unusual");
    let begins = tried(&[said(0)], 0);
    assert_eq!(begins.now.count, 1, "it goes on being learned");
    says(&begins, "learned from 0 days");
}

#[test]
fn the_strip_shows_what_was_active_at_once() {
    let part_ms = 1_000;
    let span = WallMs(0)..WallMs(STRIP_PARTS as i64 * part_ms);
    let fired = |from: i64, to: Option<i64>| Fired {
        thing: ThingKey(1),
        from_ms: WallMs(from * part_ms),
        to_ms: to.map(|to| WallMs(to * part_ms)),
        told: 1,
        sentence: String::new(),
    };
    assert_eq!(strip(&[], &span), vec![0; STRIP_PARTS]);
    let shown = strip(&[fired(2, Some(5)), fired(4, Some(6)), fired(160, None)], &span);
    assert_eq!(shown[..8], [0, 0, 1, 1, 2, 2, 1, 0]);
    assert_eq!((shown[159], shown[160], shown[STRIP_PARTS - 1]), (0, 1, 1));
}
