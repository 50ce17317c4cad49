use super::*;

const AT: Option<WallMs> = Some(WallMs(1_517_016_948_000));

fn map<V: Clone>(of: &[(&str, V)]) -> BTreeMap<String, V> {
    of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn events_of_jobs_are_read() {
    let completed = r#"{"eventType":"JOB","eventId":"7364ffd1","timestamp":"1517016948","operation":"completed",
        "jobId":"j-1","status":"COMPLETED","targetSelection":"SNAPSHOT","targets":["arn:aws:iot:r:1:thing/a"],
        "description":"d","completedAt":1517016948,"jobProcessDetails":{"numberOfSucceededThings":3,"numberOfFailedThings":0,
        "processingTargets":["x"]}}"#;
    let failed = r#"{"eventType":"JOB_EXECUTION","eventId":"cca89fa5","timestamp":"1517016948","operation":"failed",
        "jobId":"j-1","thingArn":"arn:aws:iot:eu-central-1:123456789012:thing/lamp-1","status":"FAILED",
        "statusDetails":{"step":"flash"}}"#;
    let notify = r#"{"timestamp":1517016948,"jobs":{"IN_PROGRESS":[{"jobId":"j-1","queuedAt":1517016947,
        "lastUpdatedAt":1517016948,"executionNumber":1,"versionNumber":2}],"QUEUED":[{"jobId":"j-2"}]}}"#;
    let next = r#"{"timestamp":1517016948,"execution":{"jobId":"j-1","status":"QUEUED","queuedAt":1517016947,
        "lastUpdatedAt":1517016948,"versionNumber":2,"jobDocument":{"a":[{"b":1}]}}}"#;
    let (job, thing) = ("j-1".to_owned(), "lamp-1".to_owned());
    let waiting = |job: &str, status: &str, known: bool| JobWaiting {
        job: job.into(),
        status: status.into(),
        queued_at: known.then_some(WallMs(1_517_016_947_000)),
        started_at: None,
        updated_at: AT.filter(|_| known),
        version: if known { 2 } else { 0 },
        number: 1,
        details: None,
        what: None,
    };
    for (topic, payload, want) in [
        (
            "$aws/events/job/j-1/completed",
            completed,
            JobTold::Job {
                job: job.clone(),
                change: JobChange::Completed,
                at: AT,
                counts: map(&[("numberOfFailedThings", 0), ("numberOfSucceededThings", 3)]),
            },
        ),
        (
            "$aws/events/job/j-1/deletion_in_progress",
            r#"{"eventType":"JOB","jobId":"j-1","operation":"deletion_in_progress","status":"IN_PROGRESS"}"#,
            JobTold::Job { job: job.clone(), change: JobChange::DeletionInProgress, at: None, counts: BTreeMap::new() },
        ),
        (
            "$aws/events/jobExecution/j-1/failed",
            failed,
            JobTold::Execution {
                job,
                thing: thing.clone(),
                change: JobChange::Failed,
                at: AT,
                details: map(&[("step", "flash".to_owned())]),
            },
        ),
        (
            "$aws/things/lamp-1/jobs/notify",
            notify,
            JobTold::Waiting {
                thing: thing.clone(),
                at: AT,
                executions: vec![waiting("j-1", "IN_PROGRESS", true), waiting("j-2", "QUEUED", false)],
            },
        ),
        (
            "$aws/things/lamp-1/jobs/notify-next",
            next,
            JobTold::Next { thing: thing.clone(), at: AT, execution: Some(waiting("j-1", "QUEUED", true)) },
        ),
        (
            "$aws/things/lamp-1/jobs/notify-next",
            r#"{"timestamp":1517016948,"execution":{}}"#,
            JobTold::Next { thing, at: AT, execution: None },
        ),
    ] {
        assert_eq!(decode_job(topic, payload.as_bytes()), Ok(want), "{topic}");
    }
}

#[test]
fn what_is_no_event_of_a_job_is_refused_with_the_reason() {
    let (failed, notify) = ("$aws/events/jobExecution/j/failed", "$aws/things/a/jobs/notify");
    let many = format!(r#"{{"jobs":{{"QUEUED":[{}{{"jobId":"j"}}]}}}}"#, r#"{"jobId":"j"},"#.repeat(64));
    for (topic, payload, says) in [
        ("$aws/events/job/j/succeeded", "{}", "none of the events that are read"),
        ("$aws/events/jobExecution//failed", "{}", "none of the events that are read"),
        ("$aws/things/a/jobs/get/accepted", "{}", "none of the events that are read"),
        ("$aws/things/a b/jobs/notify", "{}", "a thing name holds ' '"),
        (failed, r#"{"eventType":"JOB","jobId":"j"}"#, "that of its topic"),
        (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"k"}"#, "the job of its topic"),
        (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"j"}"#, "\"thingArn\" is missing"),
        (failed, r#"{"eventType":"JOB_EXECUTION","jobId":"j","thingArn":"lamp-1"}"#, ":thing/lamp-1"),
        (
            failed,
            r#"{"eventType":"JOB_EXECUTION","jobId":"j","thingArn":"arn:aws:iot:r:1:thing/a","statusDetails":{"a":1}}"#,
            "texts by name",
        ),
        (notify, "{}", "\"jobs\" is missing"),
        (notify, r#"{"jobs":{"QUEUED":7}}"#, "lists by status"),
        (notify, r#"{"jobs":{"QUEUED":[{}]}}"#, "\"jobId\" is missing"),
        (notify, r#"{"jobs":{"QUEUED":[{"jobId":"a b"}]}}"#, "1 to 64 of A-Z"),
        ("$aws/things/a/jobs/j j/update/accepted", "{}", "none of the events that are read"),
        (notify, many.as_str(), "lists 65 entries; at most 64"),
        ("$aws/things/a/jobs/notify-next", r#"{"execution":{"jobId":"j"}}"#, "\"status\" is missing"),
    ] {
        let error = decode_job(topic, payload.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{topic} {payload:.80}: {error}");
    }
}

#[test]
fn the_answer_to_an_update_tells_how_far_a_thing_is_where_it_repeats_it() {
    let topic = "$aws/things/lamp-1/jobs/j-1/update/accepted";
    let full = r#"{"timestamp":1517016948,"clientToken":"t","executionState":{"status":"IN_PROGRESS",
        "statusDetails":{"progress":"50%"},"versionNumber":3},"jobDocument":{}}"#;
    let told = |state| JobTold::Updated { thing: "lamp-1".into(), job: "j-1".into(), at: AT, state };
    let state = JobState { status: "IN_PROGRESS".into(), version: 3, details: map(&[("progress", "50%".to_owned())]) };
    assert_eq!(decode_job(topic, full.as_bytes()), Ok(told(Some(state))));
    assert_eq!(decode_job(topic, br#"{"timestamp":1517016948}"#), Ok(told(None)));
    let without = decode_job(topic, br#"{"executionState":{"status":"FAILED"}}"#).unwrap_err().to_string();
    assert!(without.contains("\"versionNumber\" is missing"), "{without}");
}

#[test]
fn what_is_next_tells_what_the_job_does_and_how_far_it_is() {
    let next = r#"{"timestamp":1517016948,"execution":{"jobId":"j-1","status":"IN_PROGRESS","queuedAt":1517016940,
        "startedAt":1517016945,"lastUpdatedAt":1517016948,"versionNumber":2,"executionNumber":4,
        "statusDetails":{"step":"flash"},"jobDocument":{"operation":"firmware_update","version":"2.5.0"}}}"#;
    let told = decode_job("$aws/things/lamp-1/jobs/notify-next", next.as_bytes());
    let Ok(JobTold::Next { execution: Some(execution), .. }) = told else { panic!("{told:?}") };
    assert_eq!((execution.number, execution.version, execution.started_at), (4, 2, Some(WallMs(1_517_016_945_000))));
    assert_eq!(execution.details, Some(map(&[("step", "flash".to_owned())])));
    assert_eq!(execution.what.as_deref(), Some("firmware_update 2.5.0"));
}

#[test]
fn the_topics_of_jobs_are_told_from_those_of_shadows() {
    for (topic, want) in [
        ("$aws/events/job/j/completed", true),
        ("$aws/events/jobExecution/j/failed", true),
        ("$aws/things/a/jobs/notify", true),
        ("$aws/things/a/jobs/j/update/accepted", true),
        ("$aws/things/a/shadow/update/accepted", false),
        ("$aws/things/jobs/shadow/name/jobs/get/accepted", false),
        ("$aws/events/presence/connected/a", false),
        ("city/jobs/notify", false),
    ] {
        assert_eq!(is_job(topic), want, "{topic}");
    }
}
