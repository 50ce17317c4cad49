use fleetlens_model::job::{EXECUTIONS_MAX, JOBS_MAX, JobStanding, JobStatus, ThingJob};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// When everything is told, in seconds; what a job's messages say is before that.
const HEARD: u64 = 1_000;

fn at_s(s: u64) -> i64 {
    at(s).wall.as_s()
}

fn notify(thing: &str, job: &str, status: &str, version: u64, s: u64) -> Input {
    let (at, queued) = (at_s(s), at_s(1));
    telemetry(
        &format!("$aws/things/{thing}/jobs/notify"),
        &format!(
            r#"{{"timestamp":{at},"jobs":{{"{status}":[{{"jobId":"{job}","queuedAt":{queued},"lastUpdatedAt":{at},
                "executionNumber":1,"versionNumber":{version}}}]}}}}"#
        ),
    )
}

fn next(thing: &str, job: &str, s: u64) -> Input {
    let at = at_s(s);
    telemetry(
        &format!("$aws/things/{thing}/jobs/notify-next"),
        &format!(
            r#"{{"timestamp":{at},"execution":{{"jobId":"{job}","status":"QUEUED","queuedAt":{at},"lastUpdatedAt":{at},
                "versionNumber":1,"executionNumber":1,"jobDocument":{{"operation":"firmware_update","version":"2.5.0"}}}}}}"#
        ),
    )
}

fn updated(thing: &str, job: &str, version: u64, progress: u64, s: u64) -> Input {
    telemetry(
        &format!("$aws/things/{thing}/jobs/{job}/update/accepted"),
        &format!(
            r#"{{"timestamp":{},"executionState":{{"status":"IN_PROGRESS","versionNumber":{version},
                "statusDetails":{{"progress":"{progress}","step":"download"}}}}}}"#,
            at_s(s)
        ),
    )
}

fn event(thing: &str, job: &str, change: &str, s: u64) -> Input {
    telemetry(
        &format!("$aws/events/jobExecution/{job}/{change}"),
        &format!(
            r#"{{"eventType":"JOB_EXECUTION","jobId":"{job}","thingArn":"arn:aws:iot:eu-central-1:1:thing/{thing}",
                "timestamp":{},"statusDetails":{{"reason":"checksum"}}}}"#,
            at_s(s)
        ),
    )
}

fn completed(job: &str, s: u64) -> Input {
    telemetry(
        &format!("$aws/events/job/{job}/completed"),
        &format!(
            r#"{{"eventType":"JOB","jobId":"{job}","timestamp":"{}","jobProcessDetails":{{"numberOfSucceededThings":8,
                "numberOfFailedThings":2}}}}"#,
            at_s(s)
        ),
    )
}

/// A rollout over two lamps, of which one fails, as it happens.
fn rollout() -> Vec<Input> {
    vec![
        notify("lamp-1", "r", "QUEUED", 1, 10),
        next("lamp-1", "r", 10),
        notify("lamp-2", "r", "QUEUED", 1, 10),
        notify("lamp-1", "r", "IN_PROGRESS", 2, 20),
        updated("lamp-1", "r", 3, 50, 30),
        updated("lamp-2", "r", 2, 25, 31),
        updated("lamp-1", "r", 4, 75, 40),
        event("lamp-1", "r", "failed", 50),
        event("lamp-2", "r", "succeeded", 60),
        completed("r", 61),
    ]
}

fn told(inputs: impl IntoIterator<Item = Input>) -> (Fleet, Vec<Write>) {
    let mut fleet = fleet();
    let effects = inputs.into_iter().map(|input| give(&mut fleet, input, at(HEARD)));
    let writes = effects.flat_map(|effects| effects.writes).collect();
    (fleet, writes)
}

fn known(fleet: &Fleet) -> Vec<KnownJob> {
    fleet.jobs.iter().cloned().collect()
}

#[test]
fn a_rollout_is_followed_thing_by_thing() {
    let (fleet, _) = told(rollout().into_iter().take(7));
    let job = fleet.jobs.get("r").unwrap();
    assert_eq!((job.job.what.as_str(), job.job.since_ms), ("firmware_update 2.5.0", Some(at(1).wall)));
    assert_eq!((job.counts().in_progress, job.counts().total()), (2, 2));
    let lamp = &job.executions["lamp-1"];
    assert_eq!((lamp.status(), lamp.since_ms()), (JobStatus::InProgress, at(40).wall));
    assert_eq!((lamp.said().progress_pct, lamp.said().text.as_str()), (Some(75), "step: download"));

    let (fleet, _) = told(rollout());
    let job = fleet.jobs.get("r").unwrap();
    let statuses: Vec<_> = job.executions.iter().map(|(thing, one)| (thing.as_str(), one.status())).collect();
    assert_eq!(statuses, [("lamp-1", JobStatus::Failed), ("lamp-2", JobStatus::Succeeded)]);
    assert_eq!(job.executions["lamp-1"].said().text, "reason: checksum");
    assert_eq!((job.heard.failed, job.heard.succeeded, job.job.standing()), (1, 1, JobStanding::Completed));
    assert_eq!(
        (job.counts().failed, job.counts().succeeded),
        (2, 8),
        "the service knows of more things than we heard of"
    );
    assert_eq!(fleet.counters().refused, 0);
}

proptest! {
    #[test]
    fn messages_late_twice_and_in_any_order_lead_to_the_same(order in proptest::collection::vec(any::<Index>(), 0..40)) {
        let (straight, _) = told(rollout());
        let early = order.iter().map(|at| at.get(&rollout()).clone()).collect::<Vec<_>>();
        let (shuffled, writes) = told(early.into_iter().chain(rollout().into_iter().rev()));
        prop_assert_eq!(known(&straight), known(&shuffled));
        // What the cache was told is what is known: it comes back as it is.
        let mut kept = BTreeMap::new();
        let mut job = None;
        for write in writes {
            if let Write::Job(told) = write {
                job = Some(*told);
            } else if let Write::ThingJob(part) = write {
                kept.insert(part.thing.clone(), *part);
            }
        }
        let parts: Vec<ThingJob> = kept.into_values().collect();
        let restored = Restored { jobs: job.into_iter().collect(), thing_jobs: parts, ..Restored::default() };
        let again = Fleet::new(config(Role::Operator), restored, at(HEARD + 1));
        prop_assert_eq!(known(&straight), known(&again));
    }
}

#[test]
fn what_is_told_again_is_written_once() {
    let (mut fleet, _) = told(rollout());
    for input in rollout() {
        assert_eq!(give(&mut fleet, input, at(HEARD)).writes, []);
    }
}

#[test]
fn a_message_that_says_what_no_service_says_is_refused_whole() {
    let (fleet, writes) = told([notify("lamp-1", "r", "QUEUED", 1, 10), notify("lamp-1", "r", "DANCING", 2, 11)]);
    assert_eq!((fleet.counters().refused, known(&fleet).len()), (1, 1));
    assert!(writes.iter().any(|write| matches!(write, Write::Refused { reason, .. } if reason.contains("DANCING"))));
}

#[test]
fn the_newest_jobs_are_kept_and_an_old_one_does_not_come_back() {
    let jobs = (0..JOBS_MAX as u64 + 5).map(|n| notify("lamp-1", &format!("j-{n}"), "QUEUED", 1, 10 + n));
    let (mut fleet, writes) = told(jobs);
    let gone: Vec<_> = writes.iter().filter(|write| matches!(write, Write::JobGone(_))).collect();
    assert_eq!((fleet.jobs.iter().count(), gone.len()), (JOBS_MAX, 5));
    assert_eq!(gone[0], &Write::JobGone("j-0".into()));
    let late = give(&mut fleet, event("lamp-1", "j-0", "failed", 11), at(HEARD));
    assert!(fleet.jobs.get("j-0").is_none(), "{late:?}");
    assert!(
        matches!(&late.writes[..], [Write::Refused { reason, .. }] if reason.ends_with("no room for j-0")),
        "what is dropped is told: {late:?}"
    );
    assert_eq!(fleet.counters().refused, 1);
    give(&mut fleet, event("lamp-1", "j-0", "failed", 900), at(HEARD));
    assert!(fleet.jobs.get("j-0").is_some(), "and one of which something is new has a place");
}

/// What a thing has to do, by job and second.
fn waits(thing: &str, jobs: &[(&str, u64)]) -> Input {
    let one = |(job, s): &(&str, u64)| format!(r#"{{"jobId":"{job}","lastUpdatedAt":{},"versionNumber":1}}"#, at_s(*s));
    let jobs = jobs.iter().map(one).collect::<Vec<_>>().join(",");
    telemetry(&format!("$aws/things/{thing}/jobs/notify"), &format!(r#"{{"jobs":{{"QUEUED":[{jobs}]}}}}"#))
}

#[test]
fn one_job_that_is_too_old_to_be_kept_does_not_make_its_thing_mute() {
    let (mut fleet, _) = told((0..JOBS_MAX as u64).map(|n| notify("lamp-1", &format!("j-{n}"), "QUEUED", 1, 10 + n)));
    let effects = give(&mut fleet, waits("lamp-2", &[("ancient", 2), ("fresh", 900)]), at(HEARD));
    assert!(fleet.jobs.get("ancient").is_none() && fleet.jobs.get("fresh").is_some(), "{effects:?}");
    assert_eq!((fleet.jobs.iter().count(), fleet.counters().refused), (JOBS_MAX, 1));
    let is_told = |write: &Write| matches!(write, Write::Refused { reason, .. } if reason.contains("ancient"));
    assert!(effects.writes.iter().any(is_told), "{effects:?}");
}

/// Far behind every time that a service could mean.
const YEAR_9999_MS: u64 = 253_402_300_000_000;

#[test]
fn jobs_of_a_time_that_cannot_be_give_way_to_real_ones() {
    let forged = |n: usize| {
        telemetry(
            &format!("$aws/events/job/forged-{n}/completed"),
            &format!(r#"{{"eventType":"JOB","jobId":"forged-{n}","timestamp":{YEAR_9999_MS}}}"#),
        )
    };
    let (mut fleet, _) = told((0..JOBS_MAX).map(forged));
    assert!(fleet.jobs.iter().all(|known| known.job.changed_ms == at(HEARD).wall));
    give(&mut fleet, notify("lamp-1", "real", "QUEUED", 1, HEARD + 1), at(HEARD + 1));
    assert!(fleet.jobs.get("real").is_some());
    // An hour ahead is a clock, not a lie.
    give(&mut fleet, notify("lamp-1", "real", "IN_PROGRESS", 2, HEARD + 3_600), at(HEARD + 1));
    assert_eq!(fleet.jobs.get("real").unwrap().job.changed_ms, at(HEARD + 3_600).wall);
}

#[test]
fn neither_a_version_nor_a_time_beyond_all_others_stops_an_execution() {
    let forged = |version: u64, updated_ms: u64| {
        telemetry(
            "$aws/things/lamp-1/jobs/notify",
            &format!(
                r#"{{"jobs":{{"QUEUED":[{{"jobId":"r","lastUpdatedAt":{updated_ms},"versionNumber":{version},
                    "statusDetails":{{"step":"forged"}}}}]}}}}"#
            ),
        )
    };
    let heard_ms = u64::try_from(at(HEARD).wall.0).unwrap();
    for (version, updated_ms) in [(u64::MAX, heard_ms), (1, YEAR_9999_MS), (u64::MAX, YEAR_9999_MS)] {
        let (mut fleet, _) = told([forged(version, updated_ms)]);
        give(&mut fleet, updated("lamp-1", "r", 3, 50, HEARD + 1), at(HEARD + 1));
        let lamp = &fleet.jobs.get("r").unwrap().executions["lamp-1"];
        assert_eq!((lamp.status(), lamp.said().text.as_str()), (JobStatus::InProgress, "step: download"), "{version}");
    }
}

#[test]
fn times_that_cannot_be_in_a_cache_give_way_to_what_is_said_after_the_start() {
    // A clock of ours that was years ahead took them for true.
    let years_ahead = HEARD + 9 * 365 * 86_400;
    let mut fleet = fleet();
    give(&mut fleet, event("lamp-1", "r", "failed", years_ahead), at(years_ahead));
    give(&mut fleet, updated("lamp-1", "r", 9, 90, years_ahead), at(years_ahead));
    give(&mut fleet, completed("r", years_ahead), at(years_ahead));
    let part = fleet.jobs.get("r").map(|known| {
        let (thing, execution) = known.executions.first_key_value().unwrap();
        ThingJob { job: "r".into(), thing: thing.clone(), execution: execution.clone() }
    });
    let jobs: Vec<_> = fleet.jobs.iter().map(|known| known.job.clone()).collect();
    let link_seen_ms = Some(at(HEARD).wall);
    let restored = Restored { jobs, thing_jobs: part.into_iter().collect(), link_seen_ms, ..Restored::default() };
    let mut again = Fleet::new(config(Role::Operator), restored, at(HEARD + 60));
    let known = again.jobs.get("r").unwrap();
    assert_eq!((known.job.changed_ms, known.executions["lamp-1"].since_ms()), (at(HEARD).wall, at(HEARD).wall));
    assert_eq!(known.executions["lamp-1"].status(), JobStatus::Failed, "what was told stands until more is");
    // The thing says where it is, as of a moment before this start.
    give(&mut again, updated("lamp-1", "r", 3, 50, HEARD + 30), at(HEARD + 61));
    let lamp = &again.jobs.get("r").unwrap().executions["lamp-1"];
    assert_eq!((lamp.status(), lamp.said().progress_pct), (JobStatus::InProgress, Some(50)));
}

#[test]
fn a_message_that_finds_no_room_has_nothing_forgotten() {
    let mut fleet = fleet();
    give(&mut fleet, notify("lamp-1", "old", "QUEUED", 1, 10), at(HEARD));
    for n in 0..EXECUTIONS_MAX - 1 {
        give(&mut fleet, notify(&format!("t{n}"), "new", "QUEUED", 1, 20), at(HEARD));
    }
    // Three more; the old job's place is room for one.
    let effects = give(&mut fleet, waits("lamp-9", &[("a", 21), ("b", 22), ("new", 19)]), at(HEARD));
    assert!(matches!(&effects.writes[..], [Write::Refused { .. }]), "{effects:?}");
    assert!(fleet.jobs.get("old").is_some() && fleet.jobs.get("a").is_none());
}

#[test]
fn executions_are_bounded_and_the_oldest_job_makes_room() {
    let mut fleet = fleet();
    give(&mut fleet, notify("lamp-1", "old", "QUEUED", 1, 10), at(HEARD));
    for n in 0..EXECUTIONS_MAX {
        give(&mut fleet, notify(&format!("t{n}"), "new", "QUEUED", 1, 20), at(HEARD));
    }
    assert!(fleet.jobs.get("old").is_none());
    assert_eq!((fleet.jobs.get("new").unwrap().executions.len(), fleet.counters().refused), (EXECUTIONS_MAX, 0));
    give(&mut fleet, notify("one-more", "new", "QUEUED", 1, 30), at(HEARD));
    assert_eq!((fleet.jobs.get("new").unwrap().executions.len(), fleet.counters().refused), (EXECUTIONS_MAX, 1));
    give(&mut fleet, notify("t0", "new", "IN_PROGRESS", 2, 31), at(HEARD));
    assert_eq!(fleet.jobs.get("new").unwrap().executions["t0"].status(), JobStatus::InProgress, "known ones go on");
}

#[test]
fn versions_in_the_field_are_counted_by_kind_from_shadows_and_values() {
    let (mut fleet, mut service) = with_lamp();
    let versions = |fleet: &Fleet| fleet.firmware().remove(&Kind::Lamp).unwrap();
    assert_eq!(versions(&fleet), [(None, 1)].into());
    give(&mut fleet, telemetry("city/v/lamp/lamp-2/telemetry", r#"{"values":{"fw":"2.4.1"}}"#), at(2));
    let report = service.report(serde_json::json!({"reported":{"firmware":"2.5.0"}}), at(3));
    give(&mut fleet, report, at(3));
    assert_eq!(versions(&fleet), [(Some("2.4.1".into()), 1), (Some("2.5.0".into()), 1)].into());
    fleet.config.firmware = Some("/fw".into());
    assert_eq!(versions(&fleet), [(None, 1), (Some("2.4.1".into()), 1)].into(), "only where the profile says");
}
