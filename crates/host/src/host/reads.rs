//! What windows ask for that is read from the cache: the audit log and what follows from it, and the history of shadows.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use fleetlens_engine::port::WindowId;
use fleetlens_ipc::rows::{AlarmHealth, HealthFigure};
use fleetlens_ipc::small::{SMALL_BUCKETS_MAX, SMALL_SERIES_MAX, SMALL_SPAN_MAX_MS, Small, SmallPoint, Smalls};
use fleetlens_ipc::{ALARM_HEALTH_MAX_MS, AUDIT_MAX, Done, Fault, FaultCode, LEGS_MAX, RequestId, SHADOW_HISTORY_MAX};
use fleetlens_model::audit::legs::spreads;
use fleetlens_model::audit::{Entry, Filter};
use fleetlens_model::downsample::{Bucket, width_ms};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::shadow::change::{CHANGES_KEPT, Change};
use fleetlens_model::time::WallMs;

use fleetlens_report::{Asked, Health, health, zone_of};

use tokio::sync::{RwLock, Semaphore};

use super::{Host, ended, who};
use crate::ports::wall_now;
use crate::run::Run;

/// The right to read small charts: a hundred series are gone through, so one table is read at a time.
pub(super) static SMALLS: Semaphore = Semaphore::const_new(1);

/// The windows that wait for small charts, each for one answer. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct SmallAsked(Arc<Mutex<BTreeSet<WindowId>>>);

/// A window waits as long as this lives.
#[derive(Debug)]
struct Waits(SmallAsked, WindowId);

impl SmallAsked {
    fn begin(&self, window: WindowId) -> Result<Waits, Fault> {
        let is_first = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(window);
        let busy = || {
            Fault::new(FaultCode::Invalid, "small charts are being read for this window; ask again when they are there")
        };
        is_first.then(|| Waits(self.clone(), window)).ok_or_else(busy)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// All changes of a shadow that are kept.
const KEPT: usize = CHANGES_KEPT as usize;

/// Entries of the audit log out of which the legs of commands are made: [`LEGS_MAX`] commands with all that usually befalls one.
const LEGS_ENTRIES: usize = 10_000;

impl Host {
    /// What the audit log tells, for those who steer.
    pub(super) async fn audit(&self, filter: Filter, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.log(filter, usize::try_from(limit.clamp(1, AUDIT_MAX)).unwrap_or(usize::MAX)).await
    }

    /// How long each leg of the newest commands took, as far back as so many entries reach.
    pub(super) async fn legs(&self) -> Result<Done, Fault> {
        let log = self.log(Filter::default(), LEGS_ENTRIES).await?;
        let (commands, spreads) = spreads(&log, LEGS_MAX);
        Ok(Done::Legs { commands, spreads })
    }

    /// The newest entries of the audit log, for those who may steer.
    async fn log(&self, filter: Filter, most: usize) -> Result<Vec<Entry>, Fault> {
        let home = self.home.lock().await;
        let run = self.run.read().await;
        let run = run.as_ref().ok_or_else(ended)?;
        let who = who(&home, &run.profile);
        if !who.role.may_command() {
            let message = format!("{}s of this profile do not read the audit log", who.role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let found = run.store().audit(filter, most);
        drop(home);
        found.await.map_err(|error| Fault::new(FaultCode::Store, format!("the audit log cannot be read: {error}")))
    }

    /// How well the alarms served, for those who see everything. It is read beside everything else, where blocking is allowed.
    pub(super) async fn alarm_health(
        &self,
        span_ms: u64,
        utc_offset_min: i32,
        then: Option<WallMs>,
    ) -> Result<Done, Fault> {
        let store = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.sees_everything() {
                let message = format!("{}s of this profile do not see how alarms serve", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            run.store().clone()
        };
        // Whoever is shown the past is told of the time before that.
        let now = then.unwrap_or_else(wall_now);
        let back_ms = i64::try_from(span_ms.clamp(1, ALARM_HEALTH_MAX_MS)).unwrap_or(i64::MAX);
        let asked = Asked { span: now.plus(-back_ms)..now, zone: zone_of(utc_offset_min), now };
        let told = tokio::task::spawn_blocking(move || {
            let reading = store.reading().map_err(|error| error.to_string())?;
            // Nobody is kept from closing it by this.
            drop(store);
            health(&reading, &asked).map_err(|error| error.to_string())
        });
        match told.await {
            Ok(Ok(told)) => Ok(Done::AlarmHealth(Box::new(row(told)))),
            Ok(Err(why)) => {
                Err(Fault::new(FaultCode::Store, format!("the history of the alarms cannot be read: {why}")))
            }
            Err(_) => Err(ended()),
        }
    }

    /// Begins to read what some series said in the last hours, for those who see everything; the window is answered when it is read, and has
    /// everything else meanwhile. One table at a time is read whoever asks, and a window waits for one.
    pub(super) async fn small(
        &self,
        window: WindowId,
        request: RequestId,
        mut series: Vec<SeriesKey>,
        span_ms: u64,
    ) -> Result<(), Fault> {
        let then = self.moment_of(window).await;
        {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.sees_everything() {
                let message = format!("{}s of this profile have no tables of things", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
        }
        let waits = self.small_asked.begin(window)?;
        let begun = self.runs.load(Ordering::Acquire);
        let (run, runs) = (Arc::clone(&self.run), Arc::clone(&self.runs));
        series.truncate(SMALL_SERIES_MAX);
        tokio::spawn(async move {
            let is_meant = || runs.load(Ordering::Acquire) == begun;
            let outcome = read_small(&run, is_meant, series, span_ms, then).await;
            // Before the answer: who has it may ask again.
            drop(waits);
            if let Some(engine) = run.read().await.as_ref().and_then(Run::engine) {
                engine.answer(window, request, outcome.map(Done::Small)).await;
            }
        });
        Ok(())
    }

    /// What changed in a shadow, for those who see everything: the cache does not say which things are car parks, and on the driver's
    /// screen there is no shadow.
    pub(super) async fn shadow_history(
        &self,
        thing: ThingKey,
        shadow: String,
        before: Option<u64>,
        limit: u32,
        then: Option<WallMs>,
    ) -> Result<Vec<Change>, Fault> {
        let home = self.home.lock().await;
        let run = self.run.read().await;
        let run = run.as_ref().ok_or_else(ended)?;
        let who = who(&home, &run.profile);
        drop(home);
        if !who.role.sees_everything() {
            let message = format!("{}s of this profile do not read the history of shadows", who.role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let most = usize::try_from(limit.clamp(1, SHADOW_HISTORY_MAX)).unwrap_or(usize::MAX);
        // Of one that is shown the past: what had been heard of by then.
        let read = if then.is_some() { KEPT } else { most };
        let found = run.store().shadow_changes(thing, shadow, before, read).await;
        let mut changes = found.map_err(|error| {
            Fault::new(FaultCode::Store, format!("the history of the shadow cannot be read: {error}"))
        })?;
        changes.retain(|change| then.is_none_or(|then| change.heard_ms <= then));
        changes.truncate(most);
        Ok(changes)
    }
}

/// Reads small charts where blocking is allowed, once nobody else does; of the run that `is_meant`.
async fn read_small(
    run: &RwLock<Option<Run>>,
    is_meant: impl Fn() -> bool,
    series: Vec<SeriesKey>,
    span_ms: u64,
    then: Option<WallMs>,
) -> Result<Smalls, Fault> {
    // Who waits for it holds nothing yet that others need.
    let right = SMALLS.acquire().await.map_err(|_| ended())?;
    let store = run.read().await.as_ref().filter(|_| is_meant()).ok_or_else(ended)?.store().clone();
    let now = then.unwrap_or_else(wall_now);
    let read = move || {
        // Until it is read, although nobody may wait for it any more.
        let _right = right;
        let reading = store.reading()?;
        // Nobody is kept from closing it by this.
        drop(store);
        smalls(
            &series,
            span_ms,
            now,
            |query| {
                if reading.is_closed() { Ok(None) } else { reading.history(query).map(Some) }
            },
        )
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(Some(smalls))) => Ok(smalls),
        Ok(Err(error)) => Err(Fault::new(FaultCode::Store, format!("the last hours cannot be read: {error}"))),
        Ok(Ok(None)) | Err(_) => Err(ended()),
    }
}

/// The last hours up to `now`, in buckets that lie on absolute time; `None` where the cache was closed meanwhile.
fn smalls<E>(
    series: &[SeriesKey],
    span_ms: u64,
    now: WallMs,
    history: impl Fn(&HistoryQuery) -> Result<Option<Vec<Bucket>>, E>,
) -> Result<Option<Smalls>, E> {
    let span_ms = span_ms.clamp(1, SMALL_SPAN_MAX_MS);
    let bucket_ms = width_ms(span_ms, SMALL_BUCKETS_MAX);
    let width = i64::try_from(bucket_ms).unwrap_or(i64::MAX).max(1);
    let from_ms = WallMs((now.0 - i64::try_from(span_ms).unwrap_or(i64::MAX)).div_euclid(width) * width);
    // One more: the first is cut, and the last has only begun.
    let count = u32::try_from((now.0 - from_ms.0) / width + 1).unwrap_or(SMALL_BUCKETS_MAX).min(SMALL_BUCKETS_MAX + 1);
    let mut all = Vec::with_capacity(series.len());
    for series in series {
        let query = HistoryQuery {
            series: *series,
            from_ms,
            to_ms: now.plus(1),
            bucket_ms,
            up_to_seq: i64::MAX.cast_unsigned(),
        };
        let Some(buckets) = history(&query)? else { return Ok(None) };
        let point = |bucket: &Bucket| SmallPoint {
            nth: u8::try_from((bucket.start_ms.0 - from_ms.0) / width).unwrap_or(u8::MAX),
            min: bucket.min as f32,
            max: bucket.max as f32,
            mean: bucket.mean() as f32,
        };
        let points = buckets.iter().filter(|bucket| bucket.start_ms >= from_ms).map(point);
        // What is beyond single precision has no place in a picture.
        let points = points.filter(|point| [point.min, point.max, point.mean].into_iter().all(f32::is_finite));
        all.push(Small { series: *series, points: points.take(count as usize).collect() });
    }
    Ok(Some(Smalls { from_ms, width_ms: bucket_ms, count, all }))
}

fn row(told: Health) -> AlarmHealth {
    let figure = |one: fleetlens_report::Judged| HealthFigure {
        name: one.name.to_owned(),
        value: one.value,
        target: one.target.to_owned(),
        verdict: one.verdict,
        note: one.note,
    };
    AlarmHealth {
        told: told.told,
        begins: told.begins,
        listened: told.listened,
        raised: told.raised,
        figures: told.figures.into_iter().map(figure).collect(),
        pictures: told.pictures.into_iter().map(|one| (one.heading, one.svg)).collect(),
        by_rule: told.by_rule,
        by_thing: told.by_thing,
        of_all: told.of_all,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const DAY_MS: u64 = 24 * 3_600_000;

    fn bucket(start_ms: i64, min: f64, max: f64) -> Bucket {
        Bucket { start_ms: WallMs(start_ms), min, max, sum: min + max, last: max, count: 2 }
    }

    #[test]
    fn the_last_hours_are_few_buckets_on_absolute_time_and_gaps_stay_gaps() {
        let now = WallMs(1_000 * 30 * MINUTE_MS + 7 * MINUTE_MS);
        let read = smalls(&[SeriesKey(4), SeriesKey(9)], DAY_MS, now, |query| -> Result<_, Infallible> {
            assert_eq!((query.from_ms.0.rem_euclid(30 * MINUTE_MS), query.bucket_ms), (0, 1_800_000), "{query:?}");
            let first = query.from_ms.0;
            let said = [bucket(first, 1.0, 3.0), bucket(first + 5 * 3_600_000, -2.0, 0.0)];
            Ok(Some(if query.series == SeriesKey(4) { said.to_vec() } else { Vec::new() }))
        });
        let Ok(Some(smalls)) = read else { panic!("the cache was not closed") };
        assert!(smalls.count <= SMALL_BUCKETS_MAX + 1, "{smalls:?}");
        let points: Vec<_> = smalls.all[0].points.iter().map(|it| (it.nth, it.min, it.max, it.mean)).collect();
        assert_eq!(points, [(0, 1.0, 3.0, 2.0), (10, -2.0, 0.0, -1.0)]);
        assert_eq!((smalls.all[1].series, smalls.all[1].points.len()), (SeriesKey(9), 0), "one that said nothing");
    }

    #[test]
    fn what_a_picture_has_no_place_for_is_left_out() {
        let read = smalls(&[SeriesKey(1)], DAY_MS, WallMs(1_764_000_000_123), |query| -> Result<_, Infallible> {
            let first = query.from_ms.0;
            Ok(Some(vec![bucket(first, 0.0, 1e300), bucket(first + 1_800_000, 1.0, 3.0)]))
        });
        let Ok(Some(smalls)) = read else { panic!("the cache was not closed") };
        assert_eq!(smalls.all[0].points.iter().map(|point| point.nth).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn whatever_span_is_asked_for_few_buckets_come() {
        for span_ms in [0, 1, 999, 3_600_000, DAY_MS, 7 * DAY_MS, u64::MAX] {
            let read = smalls(&[SeriesKey(1)], span_ms, WallMs(1_764_000_000_123), |query| -> Result<_, Infallible> {
                let width = i64::try_from(query.bucket_ms).unwrap();
                let steps = (query.from_ms.0..query.to_ms.0).step_by(usize::try_from(width).unwrap());
                Ok(Some(steps.map(|start_ms| bucket(start_ms, 0.0, 0.0)).collect()))
            });
            let Ok(Some(smalls)) = read else { panic!("{span_ms}") };
            assert!((1..=SMALL_BUCKETS_MAX + 1).contains(&smalls.count), "{span_ms}: {}", smalls.count);
            assert_eq!(smalls.all[0].points.len(), smalls.count as usize, "{span_ms}");
        }
        let closed = smalls(&[SeriesKey(1)], DAY_MS, WallMs(0), |_| -> Result<_, Infallible> { Ok(None) });
        assert_eq!(closed, Ok(None), "the cache was closed meanwhile");
    }
}
