use fleetlens_ipc::rows::{FirmwareRow, JobPage, JobRow, ThingJobRow};
use fleetlens_model::job::JobStatus;

use super::*;

fn told(fleet: &mut Fleet, thing: &str, job: &str, status: &str, version: u64) {
    let s = version * 10;
    let payload = format!(
        r#"{{"timestamp":{s},"jobs":{{"{status}":[{{"jobId":"{job}","lastUpdatedAt":{s},"versionNumber":{version}}}]}}}}"#
    );
    give(fleet, telemetry(&format!("$aws/things/{thing}/jobs/notify"), &payload), at(version));
}

fn changes(windows: &mut Windows, fleet: &mut Fleet, now: Now) -> Vec<Change> {
    seen(windows, fleet, u64::MAX);
    match &frames(windows, fleet, now)[..] {
        [Frame::Patch { changes, .. }] => changes.clone(),
        [] => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn jobs_are_told_whole_and_then_those_that_changed() {
    let mut fleet = city();
    told(&mut fleet, "lamp-1", "a", "QUEUED", 1);
    let (mut windows, _) = looking(Look::Jobs, &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Jobs(rows), .. }] = &first[..] else { panic!("{first:?}") };
    assert_eq!(rows.iter().map(|row| (row.id.as_str(), row.counts.queued)).collect::<Vec<_>>(), [("a", 1)]);
    told(&mut fleet, "lamp-2", "b", "IN_PROGRESS", 2);
    assert_eq!(changes(&mut windows, &mut fleet, at(1)), [], "twice a second at most");
    let now = changes(&mut windows, &mut fleet, at(3));
    assert!(
        matches!(&now[..], [Change::Job(JobRow { id, counts, .. })] if id == "b" && counts.in_progress == 1),
        "{now:?}"
    );
    assert_eq!(changes(&mut windows, &mut fleet, at(9)), []);
}

#[test]
fn a_job_is_a_stretch_of_its_things_of_which_rows_are_patched_and_the_rest_is_told_whole() {
    let mut fleet = city();
    for thing in ["lamp-1", "lamp-2", "lamp-3"] {
        told(&mut fleet, thing, "a", "QUEUED", 1);
    }
    let look = |only, first, count| Look::Job { id: "a".into(), only, first, count };
    let (mut windows, _) = looking(look(None, 0, 2), &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Job(page), .. }] = &first[..] else { panic!("{first:?}") };
    let JobPage { total, rows, .. } = &**page;
    assert_eq!((*total, rows.len(), rows[0].title.as_str(), rows[0].thing), (3, 2, "Lamp 1", Some(ThingKey(1))));
    assert_eq!((rows[1].title.as_str(), rows[1].thing), ("lamp-2", None), "of a thing nobody knows the name stands");
    told(&mut fleet, "lamp-2", "a", "IN_PROGRESS", 2);
    let now = changes(&mut windows, &mut fleet, at(3));
    let is_running = |row: &ThingJobRow| row.name == "lamp-2" && row.status == JobStatus::InProgress;
    assert!(matches!(&now[..], [Change::Job(_), Change::ThingJob(row)] if is_running(row)), "{now:?}");
    told(&mut fleet, "lamp-0", "a", "QUEUED", 3);
    let now = changes(&mut windows, &mut fleet, at(5));
    assert!(matches!(&now[..], [Change::JobPage(page)] if page.total == 4 && page.rows[0].name == "lamp-0"), "{now:?}");

    let (mut windows, _) = looking(look(Some(JobStatus::InProgress), 0, 50), &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    let [Frame::Snapshot { rows: Rows::Job(page), .. }] = &first[..] else { panic!("{first:?}") };
    assert!(page.total == 1 && is_running(&page.rows[0]), "{page:?}");
    let (mut windows, _) = looking(Look::Job { id: "none".into(), only: None, first: 0, count: 9 }, &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    assert!(matches!(&first[..], [Frame::Snapshot { rows: Rows::Missing, .. }]), "{first:?}");
}

#[test]
fn a_page_tells_the_jobs_of_its_thing() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Thing { thing: ThingKey(1) }, &mut fleet);
    frames(&mut windows, &mut fleet, at(1));
    told(&mut fleet, "lamp-1", "a", "IN_PROGRESS", 2);
    let now = changes(&mut windows, &mut fleet, at(2));
    assert!(matches!(&now[..], [Change::ThingJob(row)] if row.job == "a" && row.name == "lamp-1"), "{now:?}");
}

#[test]
fn the_firmware_in_the_field_is_told_again_only_when_it_differs() {
    let mut fleet = city();
    let (mut windows, _) = looking(Look::Firmware, &mut fleet);
    let first = frames(&mut windows, &mut fleet, at(1));
    assert!(matches!(&first[..], [Frame::Snapshot { rows: Rows::Firmware(rows), .. }] if rows.is_empty()), "{first:?}");
    give(&mut fleet, lamp_says(2, 61.0), at(2));
    assert_eq!(changes(&mut windows, &mut fleet, at(4)), []);
    give(&mut fleet, telemetry("city/v/lamp/lamp-2/telemetry", r#"{"values":{"fw":"2.4.1"}}"#), at(5));
    let versions = vec![("2.4.1".to_owned(), 1)];
    let row = FirmwareRow { kind: Kind::Lamp, things: 2, versions, others: 0, unknown: 1 };
    assert_eq!(changes(&mut windows, &mut fleet, at(7)), [Change::Firmware(vec![row])]);
}
