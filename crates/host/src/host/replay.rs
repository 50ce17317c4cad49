//! Which window is shown the past, what it looks at there, and what nobody may do in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use fleetlens_engine::port::WindowId;
use fleetlens_ipc::boards::BoardAsk;
use fleetlens_ipc::replay::{PARCELS_FROM, PARTS_MAX, ReplayAsk, ReplayDone};
use fleetlens_ipc::{Call, Done, Fault, FaultCode, Intent, Look, ViewId};
use fleetlens_model::time::WallMs;
use tokio::sync::{Mutex, Semaphore};

use super::profiles::on_the_side;
use super::{Host, ended, settings};
use crate::past::{IS_PAST, Player, Ready, unreadable};
use crate::ports::wall_now;

/// What a window looks at, and the past if it is shown that.
#[derive(Default)]
pub(super) struct Seat {
    looks: BTreeMap<ViewId, Look>,
    past: Option<Player>,
}

/// Windows that may be shown the past at once: each takes as much memory as the whole fleet.
const PASTS_MAX: usize = 8;

/// Every window's.
pub(super) struct Seats {
    all: StdMutex<BTreeMap<WindowId, Arc<Mutex<Seat>>>>,
    pasts: Arc<Semaphore>,
}

impl Default for Seats {
    fn default() -> Seats {
        Seats { all: StdMutex::default(), pasts: Arc::new(Semaphore::new(PASTS_MAX)) }
    }
}

impl Seats {
    fn of(&self, window: WindowId) -> Arc<Mutex<Seat>> {
        let mut seats = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(seats.entry(window).or_default())
    }

    fn take(&self, window: WindowId) -> Option<Arc<Mutex<Seat>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&window)
    }

    fn all(&self) -> Vec<Arc<Mutex<Seat>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }
}

impl Seat {
    async fn leave_past(&mut self) {
        if let Some(past) = self.past.take() {
            past.end().await;
        }
    }
}

/// Whether asking for it changes nothing, so that whoever is shown the past may ask.
fn only_reads(intent: &Intent) -> bool {
    match intent {
        Intent::Controls(_)
        | Intent::Shown { .. }
        | Intent::Audit { .. }
        | Intent::ShadowHistory { .. }
        | Intent::AlarmHealth { .. }
        | Intent::Legs
        | Intent::Export(_)
        | Intent::Diagnose
        | Intent::Places { .. }
        | Intent::Words
        | Intent::MapNames
        | Intent::Names(_)
        | Intent::Replay(_)
        | Intent::Boards(BoardAsk::Read | BoardAsk::Heat { .. }) => true,
        Intent::Command { .. }
        | Intent::DryRun(_)
        | Intent::Bulk(_)
        | Intent::SteerBulk { .. }
        | Intent::BulkAgain(_)
        | Intent::EditCommand { .. }
        | Intent::CancelCommand { .. }
        | Intent::Acknowledge { .. }
        | Intent::Alarms { .. }
        | Intent::Change(_)
        | Intent::Profile(_)
        | Intent::Rules(_)
        | Intent::Boards(BoardAsk::Keep { .. } | BoardAsk::Remove { .. }) => false,
    }
}

impl Host {
    /// Whether a window that is shown the past asks for what nobody may there.
    pub(super) async fn refused_in_the_past(&self, window: WindowId, intent: &Intent) -> Option<Fault> {
        if only_reads(intent) {
            return None;
        }
        let seat = self.seats.of(window);
        let is_past = seat.lock().await.past.is_some();
        is_past.then(|| Fault::new(FaultCode::Forbidden, IS_PAST))
    }

    /// Which moment a window is shown, if it is not the present.
    pub(super) async fn moment_of(&self, window: WindowId) -> Option<WallMs> {
        let seat = self.seats.of(window);
        let seat = seat.lock().await;
        seat.past.as_ref().map(Player::at)
    }

    /// What a window says of its views goes to whichever time it is shown.
    pub(super) async fn say(&self, window: WindowId, call: Call) -> Result<(), Fault> {
        let seat = self.seats.of(window);
        let mut seat = seat.lock().await;
        match &call {
            Call::Hello { .. } => {
                // It begins anew, in the present.
                seat.looks.clear();
                seat.leave_past().await;
            }
            Call::Look { view, at } => drop(seat.looks.insert(*view, at.clone())),
            Call::LookAway { view } => drop(seat.looks.remove(view)),
            Call::Seen { .. } | Call::Drawn { .. } | Call::Ask { .. } => {}
        }
        let is_of_past = match &call {
            Call::Seen { parcel } => *parcel > PARCELS_FROM,
            Call::Look { .. } | Call::LookAway { .. } | Call::Drawn { .. } => seat.past.is_some(),
            Call::Ask { intent, .. } => {
                seat.past.is_some() && matches!(intent, Intent::Shown { .. } | Intent::Names(_))
            }
            Call::Hello { .. } => false,
        };
        if is_of_past {
            if let Some(past) = &seat.past
                && past.say(call).await
            {
                return Ok(());
            }
            // Its run is over; the window is told to begin anew.
            seat.past = None;
            return Ok(());
        }
        self.say_now(window, call).await
    }

    /// What a window wants of the past.
    pub(super) async fn replay(&self, window: WindowId, ask: ReplayAsk) -> Result<Done, Fault> {
        let done = match ask {
            ReplayAsk::Span => ReplayDone::Span(self.span().await?),
            ReplayAsk::Raised { from_ms, to_ms, parts } => self.raised(from_ms, to_ms, parts).await?,
            ReplayAsk::Seek(at) => self.seek(window, at).await?,
            ReplayAsk::Play(speed) => {
                let seat = self.seats.of(window);
                let seat = seat.lock().await;
                let not_there =
                    || Fault::new(FaultCode::Invalid, "this window is shown the present; seek a moment first");
                ReplayDone::Shown(seat.past.as_ref().ok_or_else(not_there)?.play(speed).await?)
            }
            ReplayAsk::Now => {
                self.back_to_now(window).await?;
                ReplayDone::Now
            }
        };
        Ok(Done::Replay(done))
    }

    async fn span(&self) -> Result<Option<(WallMs, WallMs)>, Fault> {
        let store = self.run.read().await.as_ref().ok_or_else(ended)?.store().clone();
        let span = on_the_side(move || store.reading().and_then(|reading| reading.span())).await?;
        Ok(span.map_err(unreadable)?.map(|span| (span.start, wall_now().max(span.start))))
    }

    /// For those who see everything: on the driver's screen there is no alarm.
    async fn raised(&self, from_ms: WallMs, to_ms: WallMs, parts: u32) -> Result<ReplayDone, Fault> {
        let store = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = super::who(&home, &run.profile);
            if !who.role.sees_everything() {
                let message = format!("{}s of this profile do not see alarms", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            run.store().clone()
        };
        let parts = usize::try_from(parts.clamp(1, PARTS_MAX)).unwrap_or(1);
        let counted = on_the_side(move || {
            store.reading().and_then(|reading| reading.alarms_raised(&(from_ms..to_ms.max(from_ms)), parts))
        });
        Ok(ReplayDone::Raised(counted.await?.map_err(unreadable)?))
    }

    async fn seek(&self, window: WindowId, at: WallMs) -> Result<ReplayDone, Fault> {
        {
            let seat = self.seats.of(window);
            let seat = seat.lock().await;
            if let Some(past) = &seat.past {
                return Ok(ReplayDone::Shown(past.seek(at).await?));
            }
        }
        let makings = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let settings = settings(&self.options, &home, &run.profile, run.file.as_deref(), &run.cache);
            run.makings(settings)
        };
        let place = Arc::clone(&self.seats.pasts).try_acquire_owned().map_err(|_| {
            let message = format!("{PASTS_MAX} windows are shown the past already; one of them has to go back to now");
            Fault::new(FaultCode::Invalid, message)
        })?;
        // Whatever is asked meanwhile is answered by the present.
        let ready = Ready::read(makings, at).await?;
        let moment = ready.moment();
        let seat = self.seats.of(window);
        let mut seat = seat.lock().await;
        let run = self.run.read().await;
        let engine = run.as_ref().and_then(|run| run.engine()).ok_or_else(ended)?;
        if !self.sinks.holds(window) || !engine.hush(window).await {
            return Err(ended());
        }
        seat.leave_past().await;
        let looks = seat.looks.iter().map(|(view, at)| Call::Look { view: *view, at: at.clone() }).collect();
        seat.past = Some(ready.show(window, looks, place));
        Ok(ReplayDone::Shown(moment))
    }

    async fn back_to_now(&self, window: WindowId) -> Result<(), Fault> {
        let seat = self.seats.of(window);
        let mut seat = seat.lock().await;
        if seat.past.is_none() {
            return Ok(());
        }
        seat.leave_past().await;
        let run = self.run.read().await;
        let engine = run.as_ref().and_then(|run| run.engine()).ok_or_else(ended)?;
        engine.past_is_over(window).await;
        for (view, at) in &seat.looks {
            engine.call(window, Call::Look { view: *view, at: at.clone() }).await;
        }
        Ok(())
    }

    /// A window is gone.
    pub(super) async fn leave_seat(&self, window: WindowId) {
        if let Some(seat) = self.seats.take(window) {
            seat.lock().await.leave_past().await;
        }
    }

    /// Tells the windows that are shown the past how the program is set now.
    pub(super) async fn tell_the_past(&self) {
        let settings = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let Some(run) = run.as_ref() else { return };
            settings(&self.options, &home, &run.profile, run.file.as_deref(), &run.cache)
        };
        // Nothing else is held: who has a seat may wait for those.
        for seat in self.seats.all() {
            if let Some(past) = &seat.lock().await.past {
                past.configure(settings.clone()).await;
            }
        }
    }
}
