use super::*;

/// A Monday, 0:00.
const MONDAY: i64 = 1_699_833_600_000;
const HOUR: i64 = HOUR_MS;
const DAY: i64 = 24 * HOUR_MS;

/// Ten at night and a hundred from 8:00 to 18:00 of working days, with a little of everything; every ten minutes.
fn city(at: i64) -> f64 {
    let hour = (at - MONDAY).rem_euclid(DAY) / HOUR;
    let is_work = (at - MONDAY).rem_euclid(7 * DAY) < 5 * DAY && (8..18).contains(&hour);
    let noise = (at / 600_000 % 7) as f64 - 3.0;
    noise + if is_work { 100.0 } else { 10.0 }
}

fn learned(days: i64, of: impl Fn(i64) -> f64) -> Rhythm {
    let mut rhythm = Rhythm::default();
    (0..days * 144).map(|n| MONDAY + n * 600_000).for_each(|at| {
        rhythm.hear(of(at), WallMs(at));
    });
    rhythm
}

/// What is usual at this time, for one who has heard everything before.
fn usual_at(rhythm: &Rhythm, at: i64) -> Option<Usual> {
    let mut rhythm = rhythm.clone();
    rhythm.hear(city(at), WallMs(at));
    rhythm.usual()
}

#[test]
fn an_hour_of_the_week_is_known_from_three_weeks_and_one_of_the_day_from_a_week() {
    for (days, want) in
        [(6, None), (7, Some("10:00")), (14, Some("10:00")), (21, Some("Monday 10:00")), (7 * 20, Some("Monday 10:00"))]
    {
        // The next 10:00 of a working day, of a Monday where whole weeks are known.
        let usual = usual_at(&learned(days, city), MONDAY + days * DAY + 10 * HOUR);
        assert_eq!(usual.map(|usual| usual.when()).as_deref(), want, "{days} days");
        assert_eq!(learned(days, city).knows_little(), days < 21, "{days} days");
    }
    let rhythm = learned(28, city);
    let tuesday = usual_at(&rhythm, MONDAY + 29 * DAY + 10 * HOUR).unwrap();
    let sunday = usual_at(&rhythm, MONDAY + 34 * DAY + 10 * HOUR).unwrap();
    assert_eq!((tuesday.when().as_str(), sunday.when().as_str()), ("Tuesday 10:00", "Sunday 10:00"));
    assert!((tuesday.value - 100.0).abs() < 3.0 && (sunday.value - 10.0).abs() < 3.0, "{tuesday:?} {sunday:?}");
}

#[test]
fn what_is_usual_on_a_tuesday_is_odd_on_a_sunday() {
    let rhythm = learned(28, city);
    let sunday = usual_at(&rhythm, MONDAY + 34 * DAY + 10 * HOUR).unwrap();
    let tuesday = usual_at(&rhythm, MONDAY + 29 * DAY + 10 * HOUR).unwrap();
    assert!(tuesday.unusual(100.0) < 3.0 && sunday.unusual(100.0) > 10.0, "{tuesday:?} {sunday:?}");
}

#[test]
fn odd_weeks_do_not_change_what_is_usual_while_they_are_the_fewer() {
    let odd = |at: i64| if (MONDAY + 21 * DAY..MONDAY + 42 * DAY).contains(&at) { 500.0 } else { city(at) };
    let rhythm = learned(56, odd);
    let usual = usual_at(&rhythm, MONDAY + 56 * DAY + 10 * HOUR).unwrap();
    assert!((usual.value - 100.0).abs() < 3.0, "{usual:?}");
    assert!(usual.unusual(500.0) > 20.0, "{usual:?}");
    // What is so for most of eight weeks is usual.
    let rhythm = learned(56, |at| if at >= MONDAY + 14 * DAY { 500.0 } else { city(at) });
    assert_eq!(usual_at(&rhythm, MONDAY + 56 * DAY + 10 * HOUR).unwrap().value, 500.0);
}

#[test]
fn it_is_bounded_however_long_it_learns() {
    let rhythm = learned(7 * 30, city);
    for day in rhythm.days.iter().flatten() {
        assert!((0..DAY_HOURS).all(|hour| day.hour(hour).count() == WEEKS));
    }
    assert!(size_of::<Rhythm>() <= 160, "beside its days: {}", size_of::<Rhythm>());
}

#[test]
fn late_values_say_nothing_and_a_clock_that_was_put_right_starts_there() {
    let rhythm = learned(28, city);
    let mut late = rhythm.clone();
    late.hear(9_999.0, WallMs(MONDAY + 27 * DAY + 5 * HOUR));
    assert_eq!(late, rhythm);
    let mut ahead = rhythm.clone();
    ahead.hear(100.0, WallMs(MONDAY + 3_651 * DAY));
    let there = ahead.usual().unwrap().when();
    for nth in 1..=OLD_IN_A_ROW {
        ahead.hear(100.0, WallMs(MONDAY + 28 * DAY + 10 * HOUR));
        let want = if nth < OLD_IN_A_ROW { &there } else { "Monday 10:00" };
        assert_eq!(ahead.usual().unwrap().when(), want, "{nth}");
    }
    for at in [i64::MIN, i64::MAX, 0, -1] {
        ahead.hear(1.0, WallMs(at));
    }
}

#[test]
fn an_old_value_does_not_end_the_hour_that_is() {
    let at = |minute: i64| WallMs(MONDAY + 28 * DAY + 10 * HOUR + minute * 60_000);
    let (mut rhythm, mut other) = (learned(28, city), learned(28, city));
    for minute in 0..60 {
        rhythm.hear(90.0, at(minute));
        other.hear(90.0, at(minute));
        other.hear(5.0, WallMs(MONDAY + minute * HOUR));
    }
    rhythm.hear(90.0, at(60));
    other.hear(90.0, at(60));
    assert_eq!(other, rhythm);
    assert_eq!(rhythm.days[0].as_ref().unwrap().hour(10).filter(|hour| hour.mean == 90.0).count(), 1);
}

#[test]
fn one_week_is_one_of_eight_however_often_it_is_told() {
    let mut rhythm = learned(28, city);
    let before = usual_at(&rhythm, MONDAY + 28 * DAY + 11 * HOUR).unwrap();
    // What was kept while there was no link comes beside what is so now, again and again.
    for _ in 0..20 {
        for day in [28, 21] {
            (0..OLD_IN_A_ROW).for_each(|_| {
                rhythm.hear(900.0, WallMs(MONDAY + day * DAY + 11 * HOUR));
            });
        }
    }
    assert_eq!(rhythm.days[0].as_ref().unwrap().hour(11).filter(|hour| hour.mean == 900.0).count(), 2);
    let after = usual_at(&rhythm, MONDAY + 35 * DAY + 11 * HOUR).unwrap();
    assert!((after.value - before.value).abs() < 3.0, "{before:?} {after:?}");
}

#[test]
fn above_nothing_is_much_and_not_infinitely_much() {
    let usual = |value| Usual { value, spread: 1.0, hour: 0, weekday: None };
    for (is_usual, value, want) in [
        (80.0, 100.0, 25.0),
        (80.0, 60.0, -25.0),
        (-80.0, -60.0, 25.0),
        (0.0, 0.0, 0.0),
        (0.0, 0.1, ABOVE_USUAL_MAX_PCT),
        (0.0, -0.1, -ABOVE_USUAL_MAX_PCT),
        (1e-9, f64::MAX, ABOVE_USUAL_MAX_PCT),
    ] {
        assert_eq!(usual(is_usual).above_pct(value), want, "{value} of {is_usual}");
    }
}

#[test]
fn what_was_learned_can_be_read_again_however_large() {
    for of in [|_| f64::MAX, |_| f64::MIN, |at: i64| if at / 600_000 % 2 == 0 { f64::MAX } else { f64::MIN }] {
        let rhythm = learned(28, of);
        let (read, was) =
            (usual_at(&again(&rhythm), MONDAY + 28 * DAY).unwrap(), usual_at(&rhythm, MONDAY + 28 * DAY).unwrap());
        assert_eq!(read, was);
    }
}

#[test]
fn what_never_changes_has_a_spread_all_the_same() {
    let flat = learned(28, |_| 50.0).usual().unwrap();
    assert_eq!((flat.value, flat.spread, flat.unusual(50.0)), (50.0, 0.5, 0.0));
    let zero = learned(28, |_| 0.0).usual().unwrap();
    assert_eq!((zero.unusual(0.0), zero.unusual(1e-9)), (0.0, UNUSUAL_MAX));
}

/// As after a restart: of what was written down.
fn again(rhythm: &Rhythm) -> Rhythm {
    let mut again = Rhythm::default();
    for weekday in 0..7 {
        if let Some(day) = rhythm.day(weekday) {
            again.restore(weekday, Day::from_bytes(&day.to_bytes()).unwrap());
        }
    }
    again
}

#[test]
fn what_is_to_be_written_down_is_told_when_an_hour_is_over() {
    let (mut rhythm, mut written) = (Rhythm::default(), Rhythm::default());
    for at in (0..28 * 144).map(|n| MONDAY + n * 600_000) {
        let over = rhythm.hear(city(at), WallMs(at));
        assert_eq!(over.is_some(), at > MONDAY && at % HOUR == 0, "{at}");
        if let Some(weekday) = over {
            written.restore(weekday, rhythm.day(weekday).unwrap().clone());
        }
    }
    assert_eq!(written.days, rhythm.days);
    let at = MONDAY + 29 * DAY + 10 * HOUR;
    assert_eq!(usual_at(&again(&rhythm), at), usual_at(&rhythm, at));
}

#[test]
fn what_a_cache_recalls_is_as_if_it_had_been_heard_and_changes_nothing_that_was() {
    let heard = learned(28, city);
    let hours = (0..28 * 24).map(|no| MONDAY + no * HOUR);
    let recalled = hours.map(|at| {
        let values: Vec<f64> = (0..6).map(|n| city(at + n * 600_000)).collect();
        let mean = values.iter().sum::<f64>() / 6.0;
        let distance = values.iter().map(|value| (value - mean).abs()).sum::<f64>() / 6.0;
        Recalled { local: WallMs(at), mean, distance }
    });
    let mut rhythm = Rhythm::default();
    // A rule that was just written: the hour that is knows at once what is usual.
    let at = MONDAY + 29 * DAY + 10 * HOUR;
    rhythm.hear(100.0, WallMs(at));
    assert_eq!(rhythm.usual(), None);
    assert_eq!(rhythm.recall(recalled.clone()), [0, 1, 2, 3, 4, 5, 6]);
    let (usual, want) = (rhythm.usual().unwrap(), usual_at(&heard, at).unwrap());
    assert_eq!(usual.when(), "Tuesday 10:00");
    assert!((usual.value - want.value).abs() < 1.0 && (usual.spread - want.spread).abs() < 2.0, "{usual:?} {want:?}");
    let known = rhythm.clone();
    assert!(rhythm.recall(recalled.map(|hour| Recalled { mean: 0.0, ..hour })).is_empty());
    assert_eq!(rhythm, known);
    let odd = Recalled { local: WallMs(at + HOUR), mean: f64::NAN, distance: 0.0 };
    assert!(rhythm.recall([odd]).is_empty());
}

#[test]
fn a_spread_of_another_unit_is_still_a_hundredth_of_its_value() {
    let usual = Usual { value: 10.0, spread: 1.0, hour: 0, weekday: None };
    let level = usual.converted(90.0, -0.5);
    assert_eq!((level.value, level.spread), (90.0, 0.9));
    assert_eq!(usual.converted(90.0, -2.0).spread, 2.0);
}
