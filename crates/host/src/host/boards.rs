//! Boards, as a window reads, keeps and takes them away, and how full car parks were, out of the cache.

use std::collections::BTreeSet;
use std::path::Path;

use fleetlens_ipc::boards::{BoardAsk, BoardDone, HEAT_PARKS_MAX, Heat};
use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_model::board::heat::{HOUR_MS, Week};
use fleetlens_model::board::{Board, WEEKS_MAX};
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::identity::Role;
use fleetlens_model::kind::Kind;
use fleetlens_model::record::HistoryQuery;
use fleetlens_model::time::WallMs;
use fleetlens_store::{Reading, Store, StoreError};
use tokio::sync::Semaphore;

use super::profiles::on_the_side;
use super::{Host, ended, told, who};
use crate::boards::Shelf;
use crate::ports::wall_now;
use crate::settings::whole;

/// A week, in milliseconds.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// The right to read a heat: it goes over weeks of up to [`HEAT_PARKS_MAX`] series, so one is read at a time, whoever asks.
static HEATS: Semaphore = Semaphore::const_new(1);

impl Host {
    /// Does what a window wants with boards; `then` is the moment of the past that it is shown.
    pub(super) async fn boards(&self, ask: BoardAsk, then: Option<WallMs>) -> Result<BoardDone, Fault> {
        // Who waits for it holds nothing yet that others need.
        let right = match &ask {
            BoardAsk::Heat { .. } => Some(HEATS.acquire().await.map_err(|_| ended())?),
            BoardAsk::Read | BoardAsk::Keep { .. } | BoardAsk::Remove { .. } => None,
        };
        let home = self.home.lock().await;
        let (shelf, who, store) = {
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let folder = match run.file.as_deref().and_then(Path::parent) {
                Some(folder) => whole(folder),
                None => home.profile_folder(),
            };
            (Shelf::beside(&folder), who(&home, &run.profile), run.store().clone())
        };
        let role = who.role;
        let may_change = || match role.may_command() {
            true => Ok(()),
            false => {
                Err(Fault::new(FaultCode::Forbidden, format!("{}s of this profile change no boards", role.label())))
            }
        };
        // While one is written nobody else of this program writes: the folder is looked at first.
        let (done, changed) = match ask {
            BoardAsk::Read => {
                drop(home);
                let all = on_the_side(move || shelf.all()).await?;
                return Ok(BoardDone::Shelf(all.into_iter().filter(|board| is_for(&board.text, role)).collect()));
            }
            BoardAsk::Heat { parks, weeks, utc_offset_min } => {
                drop(home);
                let read = move || {
                    // Until it is read, although nobody may wait for it any more.
                    let _right = right;
                    let weeks = (weeks, then.unwrap_or_else(wall_now));
                    heat(store, parks, weeks, utc_offset_min, role)
                };
                return on_the_side(read).await?.map(BoardDone::Heat);
            }
            BoardAsk::Keep { id, text, seen } => {
                may_change()?;
                let kept = on_the_side(move || shelf.keep(id.as_deref(), &text, seen)).await??;
                let what = format!("board kept: {}", kept.id);
                (BoardDone::Kept(kept), what)
            }
            BoardAsk::Remove { id, seen } => {
                may_change()?;
                let what = format!("board taken away: {id}");
                on_the_side(move || shelf.remove(&id, seen)).await??;
                (BoardDone::Removed, what)
            }
        };
        drop(home);
        if let Some(run) = self.run.read().await.as_ref() {
            told::tell(run, &who, &[changed]).await;
        }
        Ok(done)
    }
}

/// Whether a board is shown to this role: a driver is shown those that say so.
fn is_for(text: &str, role: Role) -> bool {
    role.sees_everything() || Board::read(text).is_ok_and(|(board, _)| board.roles.contains(&role))
}

fn heat(
    store: Store,
    mut parks: Vec<(SeriesKey, u32)>,
    (weeks, to_ms): (u32, WallMs),
    utc_offset_min: i32,
    role: Role,
) -> Result<Heat, Fault> {
    let unreadable = |error: StoreError| Fault::new(FaultCode::Store, format!("the cache cannot be read: {error}"));
    let reading = store.reading().map_err(unreadable)?;
    // Nobody is kept from closing it by this.
    drop(store);
    parks.truncate(HEAT_PARKS_MAX);
    if !role.sees_everything() {
        let seen = car_parks(&reading).map_err(unreadable)?;
        parks.retain(|(series, _)| seen.contains(series));
    }
    let mut week = Week::new(utc_offset_min);
    let from_ms = to_ms.plus(-WEEK_MS * i64::from(weeks.clamp(1, WEEKS_MAX)));
    for (series, spaces) in parks {
        if reading.is_closed() {
            return Err(ended());
        }
        let query = HistoryQuery { series, from_ms, to_ms, bucket_ms: HOUR_MS, up_to_seq: i64::MAX.cast_unsigned() };
        week.add(&reading.history(&query).map_err(unreadable)?, spaces);
    }
    Ok(Heat { hours: week.shares(), begins: week.begins(), parks: week.parks() })
}

/// What car parks say, as the cache describes them.
fn car_parks(reading: &Reading) -> Result<BTreeSet<SeriesKey>, StoreError> {
    let things = reading.things()?.into_iter().filter(|(_, _, meta)| meta.kind == Kind::Parking);
    let things: BTreeSet<ThingKey> = things.map(|(key, _, _)| key).collect();
    let series = reading.series()?.into_iter();
    Ok(series.filter(|(_, thing, _)| things.contains(thing)).map(|(series, _, _)| series).collect())
}
