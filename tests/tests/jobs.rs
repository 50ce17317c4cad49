//! Jobs through the whole app: the demo city's lamps take a new firmware, some in vain, and what is known of it is there again after
//! a start without a broker.
#![cfg(test)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::{FirmwareRow, JobRow, Rows};
use fleetlens_ipc::{Look, ViewId};
use fleetlens_model::job::{JobStanding, JobStatus};
use fleetlens_model::kind::Kind;
use fleetlens_sim::{CityOptions, JobPace};
use fleetlens_tests::desk::Desk;

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(90);

/// Quick enough for a test, slow enough to be seen on the way.
const PACE: JobPace = JobPace { begins_ms: 8_000, per_minute: 240, step_ms: (400, 1_200) };

async fn start(data: &Path, broker: BrokerChoice) -> (Arc<Host>, Desk) {
    let city = CityOptions { things: 300, jobs: Some(PACE), ..CityOptions::default() };
    let options = HostOptions { demo: Some(city), broker, ..HostOptions::demo(data.to_owned()) };
    let host = Arc::new(Host::start(options).await.unwrap());
    let desk = Desk::attach(&host).await;
    (host, desk)
}

fn jobs(desk: &Desk, view: ViewId) -> Vec<JobRow> {
    let Some(Rows::Jobs(rows)) = desk.rows(view) else { panic!("{:?}", desk.rows(view)) };
    let mut rows = rows.clone();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

fn lamps(desk: &Desk, view: ViewId) -> Option<FirmwareRow> {
    let Some(Rows::Firmware(rows)) = desk.rows(view) else { panic!("{:?}", desk.rows(view)) };
    rows.iter().find(|row| row.kind == Kind::Lamp).cloned()
}

fn rollout(desk: &Desk, view: ViewId) -> Option<JobRow> {
    jobs(desk, view).into_iter().find(|job| job.id.starts_with("lamps-"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_is_followed_to_its_end_and_known_without_a_broker() {
    let folder = tempfile::tempdir().unwrap();
    let (host, mut desk) = start(folder.path(), BrokerChoice::Own).await;
    let list = desk.look(Look::Jobs).await;
    let firmware = desk.look(Look::Firmware).await;

    let job = desk
        .wait_for("a rollout under way", SOON, |desk| match rollout(desk, list) {
            Some(job) if job.counts.in_progress > 0 && !job.what.is_empty() => Ok(job),
            other => Err(format!("{other:?}")),
        })
        .await;
    assert_eq!((job.what.as_str(), job.standing), ("firmware_update 2.5.0", JobStanding::Going));
    let whole = Look::Job { id: job.id.clone(), only: None, first: 0, count: 500 };
    let page = desk.look(whole).await;
    let under_way = desk
        .wait_for("a lamp that tells how far it is", SOON, |desk| {
            let Some(Rows::Job(page)) = desk.rows(page) else { return Err(format!("{:?}", desk.rows(page))) };
            let row = page.rows.iter().find(|row| row.progress_pct.is_some_and(|pct| pct > 0));
            row.cloned().ok_or_else(|| format!("{} rows", page.rows.len()))
        })
        .await;
    assert_eq!((under_way.status, under_way.kind), (JobStatus::InProgress, Some(Kind::Lamp)));
    assert!(under_way.details.starts_with("step: ") && under_way.thing.is_some(), "{under_way:?}");

    let done = desk
        .wait_for("the rollout's end", SOON, |desk| match rollout(desk, list) {
            Some(job) if job.standing == JobStanding::Completed => Ok(job),
            other => Err(format!("{other:?}")),
        })
        .await;
    assert!(done.counts.failed > 0 && done.counts.succeeded > done.counts.failed, "{done:?}");
    assert_eq!(done.counts.over(), done.counts.total());
    desk.wait_for("every lamp of it on the page", SOON, |desk| {
        let Some(Rows::Job(page)) = desk.rows(page) else { return Err(format!("{:?}", desk.rows(page))) };
        let of = |status| page.rows.iter().filter(|row| row.status == status).count() as u32;
        let heard = (of(JobStatus::Succeeded), of(JobStatus::Failed));
        if heard == (done.counts.succeeded, done.counts.failed) {
            Ok(())
        } else {
            Err(format!("{heard:?} of {done:?}"))
        }
    })
    .await;
    let versions = desk
        .wait_for("as many lamps with the new firmware", SOON, |desk| {
            let lamps = lamps(desk, firmware);
            let new = lamps.as_ref().and_then(|row| row.versions.iter().find(|(version, _)| version == "2.5.0"));
            let is_all = new.is_some_and(|(_, count)| *count == done.counts.succeeded);
            is_all.then(|| lamps.clone()).flatten().ok_or_else(|| format!("{lamps:?}"))
        })
        .await;
    assert_eq!(versions.versions.iter().map(|(_, count)| count).sum::<u32>() + versions.unknown, versions.things);
    let failed = desk.look(Look::Job { id: done.id.clone(), only: Some(JobStatus::Failed), first: 0, count: 50 }).await;
    let Some(Rows::Job(vain)) = desk.rows(failed).cloned() else { panic!("{:?}", desk.rows(failed)) };
    assert_eq!((vain.total, vain.rows.len()), (done.counts.failed, done.counts.failed as usize));
    assert!(vain.rows.iter().all(|row| row.details.contains("reason: ")), "{vain:?}");
    let of_lamp = desk.look_at_thing(&vain.rows[0].name).await;
    let told = &desk.page(of_lamp).jobs;
    assert!(told.iter().any(|row| row.job == done.id && row.status == JobStatus::Failed), "{told:?}");
    desk.wait_for("the other jobs", SOON, |desk| {
        let jobs = jobs(desk, list);
        let over = jobs.iter().filter(|job| job.standing == JobStanding::Completed).count();
        if over == jobs.len() && over > 1 { Ok(()) } else { Err(format!("{jobs:?}")) }
    })
    .await;
    let known = jobs(&desk, list);
    desk.detach().await;
    host.stop().await;

    let (host, mut desk) = start(folder.path(), BrokerChoice::None).await;
    let list = desk.look(Look::Jobs).await;
    assert_eq!(jobs(&desk, list), known, "from the cache");
    let failed = desk.look(Look::Job { id: done.id, only: Some(JobStatus::Failed), first: 0, count: 50 }).await;
    assert_eq!(desk.rows(failed), Some(&Rows::Job(vain)));
    let firmware = desk.look(Look::Firmware).await;
    assert_eq!(lamps(&desk, firmware), Some(versions));
    desk.detach().await;
    host.stop().await;
}
