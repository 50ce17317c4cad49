use proptest::prelude::*;

use super::*;

fn report(status: JobStatus, at_s: i64, version: Option<u64>, said: Option<&str>) -> Report {
    let said = said.map(|text| Said { text: text.to_owned(), ..Said::default() });
    Report {
        status,
        at: WallMs(at_s * 1_000),
        version: version.map(|version| (1, version)),
        said,
        queued_ms: None,
        started_ms: None,
        what: None,
    }
}

fn after(reports: &[Report]) -> Execution {
    let mut execution = Execution::default();
    reports.iter().for_each(|report| execution.take(report));
    execution
}

#[test]
fn a_late_report_and_one_said_twice_change_nothing() {
    use JobStatus::{Failed, InProgress, Queued, Succeeded};
    let life = [
        report(Queued, 10, Some(1), None),
        report(InProgress, 20, Some(2), Some("step: download")),
        report(InProgress, 30, Some(3), None),
        report(Failed, 40, None, Some("reason: checksum")),
    ];
    let ended = after(&life);
    assert_eq!(
        (ended.status(), ended.since_ms(), ended.said().text),
        (Failed, WallMs(40_000), "reason: checksum".into())
    );
    for late in &life {
        let mut again = ended.clone();
        again.take(late);
        assert_eq!(again, ended, "{late:?}");
    }
    let running = after(&life[..3]);
    assert_eq!((running.status(), running.said().text.as_str()), (InProgress, "step: download"), "said with version 2");
    let retried = after(&[life[3].clone(), report(Queued, 50, Some(4), None)]);
    assert_eq!(retried.status(), Queued, "the service tries it again");
    let same_second = after(&[report(Succeeded, 30, None, None), life[2].clone()]);
    assert_eq!(same_second.status(), Succeeded, "an event tells its second only");
}

#[test]
fn progress_is_read_where_a_thing_says_it_and_the_rest_is_told_in_words() {
    let said = |details: &[(&str, &str)]| {
        Said::of(&details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    for (details, pct, text) in [
        (&[("progress", "40"), ("step", "flash")][..], Some(40), "step: flash"),
        (&[("percent", "100 %")], Some(100), ""),
        (&[("progress", "101")], None, "progress: 101"),
        (&[("progress", "half"), ("a", "b")], None, "a: b · progress: half"),
        (&[], None, ""),
    ] {
        assert_eq!(said(details), Said { progress_pct: pct, text: text.into() }, "{details:?}");
    }
    assert_eq!(said(&[("log", &"x".repeat(1_000))]).text.chars().count(), DETAILS_MAX_CHARS);
}

#[test]
fn what_was_last_said_of_a_job_stands_whatever_came_first() {
    let mut job = Job::new("j");
    assert_eq!((job.standing(), job.counts()), (JobStanding::Going, None));
    let counts = JobCounts { succeeded: 7, failed: 1, ..JobCounts::default() };
    job.told(WallMs(9_000), JobStanding::Canceled, Some(counts));
    job.told(WallMs(8_000), JobStanding::Canceling, None);
    assert_eq!((job.standing(), job.counts(), job.changed_ms), (JobStanding::Canceled, Some(counts), WallMs(9_000)));
    assert_eq!((counts.total(), counts.over(), counts.of(JobStatus::Failed)), (8, 8, 1));
}

fn any_report() -> impl Strategy<Value = Report> {
    let status = (0..JobStatus::ALL.len()).prop_map(|at| JobStatus::ALL[at]);
    let version = proptest::option::of((1..3_u64, 1..5_u64));
    let said = proptest::option::of("[ab]{0,2}".prop_map(|text| Said { text, progress_pct: None }));
    let moment = || proptest::option::of((0..5_i64).prop_map(|s| WallMs(s * 700)));
    (status, 0..6_i64, version, said, moment(), moment()).prop_map(
        |(status, at, version, said, queued_ms, started_ms)| Report {
            status,
            at: WallMs(at * 700),
            version,
            said,
            queued_ms,
            started_ms,
            what: None,
        },
    )
}

proptest! {
    #[test]
    fn the_same_reports_in_any_order_and_any_number_of_times_lead_to_the_same(
        reports in proptest::collection::vec(any_report(), 0..12),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let once = after(&reports);
        let mut shuffled = Execution::default();
        // Whatever came twice or early, each comes in the end; in the other direction.
        if !reports.is_empty() {
            order.iter().for_each(|at| shuffled.take(at.get(&reports)));
        }
        reports.iter().rev().for_each(|report| shuffled.take(report));
        prop_assert_eq!(&once, &shuffled);
        prop_assert_eq!(once.status(), shuffled.status());
        prop_assert_eq!(once.said(), shuffled.said());
    }
}

#[test]
fn a_clock_that_stands_before_what_was_heard_last_makes_nothing_of_what_is_kept_one_time() {
    let (old, new) = (report(JobStatus::InProgress, 100, Some(2), None), report(JobStatus::Failed, 200, Some(3), None));
    let kept = after(&[old.clone(), new.clone()]);
    let mut job = Job::new("j");
    job.told(WallMs(200_000), JobStanding::Canceled, None);
    // The battery of the clock is empty: days behind.
    let (listened, now) = (WallMs(300_000), WallMs(300_000 - 5 * AHEAD_MAX_MS));
    let mut again = kept.clone().restored(now, listened);
    assert_eq!(again, kept);
    again.take(&old);
    assert_eq!(again, kept, "an old report that is said again does not win");
    assert_eq!(job.clone().restored(now, listened), job);
}
