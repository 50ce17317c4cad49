use fleetlens_wire::aws::{JobTold, decode_job};

use super::*;

fn city() -> Jobs {
    let job = |id: &str, targets: &[&str]| NewJob {
        id: id.into(),
        document: json!({"operation": "reboot"}),
        targets: targets.iter().map(|thing| (*thing).to_owned()).collect(),
        per_minute: 60,
        begins_ms: 1_000,
    };
    Jobs::of(vec![job("r1", &["a", "b"]), job("r2", &["a"])])
}

fn ask(jobs: &mut Jobs, what: &str, payload: Value, now_s: i64) -> Vec<(String, Value)> {
    let answers = jobs.handle(&format!("$aws/things/{what}"), payload.to_string().as_bytes(), now_s);
    answers.into_iter().map(|(topic, payload)| (topic, serde_json::from_slice(&payload).unwrap())).collect()
}

fn topics<T>(out: &[(String, T)]) -> Vec<&str> {
    out.iter().map(|(topic, _)| topic.strip_prefix("$aws/").unwrap()).collect()
}

#[test]
fn things_are_given_a_job_at_its_rate_and_told_what_is_next() {
    let mut jobs = city();
    assert_eq!(jobs.targets().collect::<Vec<_>>(), ["a", "b", "a"]);
    assert_eq!(jobs.work(999, 10), []);
    let out = jobs.work(1_000, 10);
    assert_eq!(topics(&out), ["things/a/jobs/notify", "things/a/jobs/notify-next", "things/a/jobs/notify"]);
    assert_eq!(topics(&jobs.work(2_000, 11)), ["things/b/jobs/notify", "things/b/jobs/notify-next"]);
    assert_eq!(jobs.work(60_000, 12), []);
    for (topic, payload) in &out {
        assert!(decode_job(topic, payload).is_ok(), "{topic}: {:?}", String::from_utf8_lossy(payload));
    }
}

#[test]
fn a_thing_begins_tells_its_progress_and_ends_and_everybody_hears() {
    let mut jobs = city();
    jobs.work(60_000, 10);
    let started = ask(&mut jobs, "a/jobs/start-next", json!({"clientToken": "t"}), 20);
    assert_eq!(topics(&started), ["things/a/jobs/start-next/accepted", "things/a/jobs/notify"]);
    assert_eq!((&started[0].1["execution"]["jobId"], &started[0].1["clientToken"]), (&json!("r1"), &json!("t")));
    assert_eq!(started[0].1["execution"]["jobDocument"], json!({"operation": "reboot"}));
    let again = ask(&mut jobs, "a/jobs/start-next", json!({}), 21);
    assert_eq!((again.len(), &again[0].1["execution"]["versionNumber"]), (1, &json!(2)), "what it is at comes first");

    let half = json!({"status": "IN_PROGRESS", "statusDetails": {"progress": "50"}, "includeJobExecutionState": true});
    let told = ask(&mut jobs, "a/jobs/r1/update", half, 22);
    assert_eq!(topics(&told), ["things/a/jobs/r1/update/accepted"]);
    let read = decode_job(&told[0].0, told[0].1.to_string().as_bytes()).unwrap();
    assert!(matches!(read, JobTold::Updated { state: Some(state), .. } if state.version == 3), "{told:?}");

    let failed = json!({"status": "FAILED", "statusDetails": {"reason": "stuck"}, "expectedVersion": "3"});
    let told = ask(&mut jobs, "a/jobs/r1/update", failed, 23);
    let want = [
        "things/a/jobs/r1/update/accepted",
        "events/jobExecution/r1/failed",
        "things/a/jobs/notify",
        "things/a/jobs/notify-next",
    ];
    assert_eq!(topics(&told), want);
    assert_eq!(told[3].1["execution"]["jobId"], "r2");
    let done = ask(&mut jobs, "b/jobs/r1/update", json!({"status": "SUCCEEDED"}), 24);
    assert_eq!(topics(&done).last(), Some(&"events/job/r1/completed"));
    assert_eq!(done.last().unwrap().1["jobProcessDetails"]["numberOfFailedThings"], 1);
    assert_eq!((jobs.counts("r1").succeeded, jobs.counts("r1").failed), (1, 1));
    for (topic, payload) in told.iter().skip(1).chain(done.iter().skip(1)) {
        assert!(decode_job(topic, payload.to_string().as_bytes()).is_ok(), "{topic}: {payload}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut jobs = city();
    jobs.work(60_000, 10);
    ask(&mut jobs, "b/jobs/r1/update", json!({"status": "REJECTED"}), 11);
    let before = jobs.clone();
    for (what, payload, code) in [
        ("a/jobs/none/update", json!({"status": "FAILED"}), "ResourceNotFound"),
        ("a/jobs/none/get", json!({}), "ResourceNotFound"),
        ("b/jobs/$next/get", json!({}), "ResourceNotFound"),
        ("a/jobs/r1/update", json!({"status": "QUEUED"}), "InvalidRequest"),
        ("a/jobs/r1/update", json!({"status": "FAILED", "statusDetails": {"a": 1}}), "InvalidRequest"),
        ("a/jobs/r1/update", json!({"status": "FAILED", "expectedVersion": 9}), "VersionMismatch"),
        ("b/jobs/r1/update", json!({"status": "FAILED"}), "InvalidStateTransition"),
        ("a/jobs/start-next", json!([]), "InvalidJson"),
    ] {
        let told = ask(&mut jobs, what, payload, 12);
        assert!(told.len() == 1 && told[0].0.ends_with("/rejected"), "{what}: {told:?}");
        assert_eq!(told[0].1["code"], code, "{what}");
    }
    assert_eq!(jobs, before);
    for topic in ["$aws/things/a/jobs/notify", "$aws/things/a/jobs/r1/update/accepted", "$aws/things/a/shadow/get", "x"]
    {
        assert_eq!(jobs.handle(topic, b"{}", 12), [], "{topic}");
    }
    let nothing = ask(&mut jobs, "nobody/jobs/start-next", json!({}), 13);
    assert_eq!(nothing[0].1, json!({"timestamp": 13}));
    let pending = ask(&mut jobs, "a/jobs/get", json!({}), 13);
    assert_eq!(pending[0].1["queuedJobs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_takes_too_long_is_timed_out() {
    let mut jobs = city();
    jobs.work(60_000, 10);
    ask(&mut jobs, "a/jobs/start-next", json!({}), 20);
    assert_eq!(jobs.work(61_000, 20 + IN_PROGRESS_MAX_S), []);
    let out = jobs.work(62_000, 21 + IN_PROGRESS_MAX_S);
    assert_eq!(topics(&out)[0], "events/jobExecution/r1/timed_out");
    assert_eq!((jobs.counts("r1").timed_out, jobs.counts("r1").queued), (1, 1));
}
