//! Which window is shown the past, what it looks at there, and what nobody may do in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use fleetlens_engine::port::WindowId;
use fleetlens_engine::window::VIEWS_MAX;
use fleetlens_ipc::boards::BoardAsk;
use fleetlens_ipc::maps::{AreaAsk, MapAsk};
use fleetlens_ipc::replay::{Moment, PARCELS_FROM, PARTS_MAX, ReplayAsk, ReplayDone};
use fleetlens_ipc::{Call, Done, Fault, FaultCode, Intent, Look, RequestId, ViewId};
use fleetlens_model::identity::Role;
use fleetlens_model::time::WallMs;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use super::profiles::on_the_side;
use super::{Host, ended, settings};
use crate::past::{IS_PAST, Player, Ready, interrupted, unreadable};
use crate::ports::wall_now;
use crate::run::Run;

/// What a window looks at, and the past if it is shown that.
#[derive(Default)]
pub(super) struct Seat {
    looks: BTreeMap<ViewId, Look>,
    past: Option<Player>,
    /// How often it was asked for a moment, or for the present: what was asked for before is not shown any more.
    asked: u64,
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

    fn all(&self) -> Vec<WindowId> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

impl Seat {
    async fn leave_past(&mut self) {
        self.asked += 1;
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
        | Intent::Small { .. }
        | Intent::Map(MapAsk::Read | MapAsk::Progress)
        | Intent::Areas(AreaAsk::Read)
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
        | Intent::Map(
            MapAsk::Look { .. }
            | MapAsk::Import { .. }
            | MapAsk::Take
            | MapAsk::Cancel
            | MapAsk::BuiltIn
            | MapAsk::LookAt(_)
            | MapAsk::UseAt(_),
        )
        | Intent::Areas(AreaAsk::Keep(_) | AreaAsk::Remove { .. })
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
            // More than that it is not shown in the present either.
            Call::Look { view, .. } if seat.looks.len() >= VIEWS_MAX && !seat.looks.contains_key(view) => {}
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
            return match seat.past.take() {
                // The window is told to begin anew.
                Some(past) if past.run_is_over() => Ok(()),
                Some(_) => self.show_the_present(window, &seat).await,
                None => Ok(()),
            };
        }
        self.say_now(window, call).await
    }

    /// What a window wants of the past. A moment that has to be read is answered when it is: the window has everything else meanwhile.
    pub(super) async fn replay(
        &self,
        window: WindowId,
        request: RequestId,
        ask: ReplayAsk,
    ) -> Option<Result<Done, Fault>> {
        let done = match ask {
            ReplayAsk::Seek(at) => match self.seek(window, at).await {
                Ok(shown) => return self.later(window, request, shown),
                Err(fault) => Err(fault),
            },
            ReplayAsk::Play(speed) => match self.play(window, speed).await {
                Ok(shown) => return self.later(window, request, shown),
                Err(fault) => Err(fault),
            },
            ReplayAsk::Span => self.span().await.map(ReplayDone::Span),
            ReplayAsk::Raised { from_ms, to_ms, parts } => self.raised(from_ms, to_ms, parts).await,
            ReplayAsk::Now => self.back_to_now(window).await.map(|()| ReplayDone::Now),
        };
        Some(done.map(Done::Replay))
    }

    /// Answers when it is known.
    fn later(
        &self,
        window: WindowId,
        request: RequestId,
        shown: impl Future<Output = Result<Moment, Fault>> + Send + 'static,
    ) -> Option<Result<Done, Fault>> {
        let run = Arc::clone(&self.run);
        tokio::spawn(async move {
            let outcome = shown.await.map(|moment| Done::Replay(ReplayDone::Shown(moment)));
            if let Some(engine) = run.read().await.as_ref().and_then(Run::engine) {
                engine.answer(window, request, outcome).await;
            }
        });
        None
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

    async fn play(
        &self,
        window: WindowId,
        speed: u16,
    ) -> Result<impl Future<Output = Result<Moment, Fault>> + Send + 'static, Fault> {
        let seat = self.seats.of(window);
        let seat = seat.lock().await;
        let not_there = || Fault::new(FaultCode::Invalid, "this window is shown the present; seek a moment first");
        seat.past.as_ref().ok_or_else(not_there)?.play(speed).await
    }

    /// Begins to look a moment up. What it resolves to is there when the moment is shown.
    async fn seek(
        &self,
        window: WindowId,
        at: WallMs,
    ) -> Result<impl Future<Output = Result<Moment, Fault>> + Send + 'static, Fault> {
        let makings = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let settings = settings(&self.options, &home, &run.profile, run.file.as_deref(), &run.cache);
            run.makings(settings)
        };
        let role = makings.config.who.role;
        if role == Role::Driver {
            let message = format!("{}s of this profile are shown the present only", role.label());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let seat = self.seats.of(window);
        let (asked, begun) = {
            let mut seat = seat.lock().await;
            seat.asked += 1;
            let begun = match &seat.past {
                Some(past) => Begun::Seeking(past.seek(at).await?),
                None => Begun::Reading(Arc::clone(&self.seats.pasts).try_acquire_owned().map_err(|_| too_many())?),
            };
            (seat.asked, begun)
        };
        let (run, sinks) = (Arc::clone(&self.run), self.sinks.clone());
        Ok(async move {
            let place = match begun {
                Begun::Seeking(told) => {
                    let outcome = told.await.unwrap_or_else(|_| Err(interrupted()));
                    let is_wanted = seat.lock().await.asked == asked;
                    return if is_wanted { outcome } else { Err(not_wanted()) };
                }
                Begun::Reading(place) => place,
            };
            // Whatever is asked meanwhile is answered by the present.
            let ready = Ready::read(makings, at).await?;
            let moment = ready.moment();
            let mut seat = seat.lock().await;
            if seat.asked != asked {
                return Err(not_wanted());
            }
            let run = run.read().await;
            let engine = run.as_ref().and_then(Run::engine).ok_or_else(ended)?;
            // Of another run by now it would be another fleet's.
            if ready.is_over() || !sinks.holds(window) || !engine.hush(window).await {
                return Err(ended());
            }
            let looks = seat.looks.iter().map(|(view, at)| Call::Look { view: *view, at: at.clone() }).collect();
            seat.past = Some(ready.show(window, looks, place));
            Ok(moment)
        })
    }

    async fn back_to_now(&self, window: WindowId) -> Result<(), Fault> {
        let seat = self.seats.of(window);
        let mut seat = seat.lock().await;
        seat.leave_past().await;
        // Also where there is no past any more: it may have ended by itself.
        self.show_the_present(window, &seat).await
    }

    async fn show_the_present(&self, window: WindowId, seat: &Seat) -> Result<(), Fault> {
        let run = self.run.read().await;
        let engine = run.as_ref().and_then(Run::engine).ok_or_else(ended)?;
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
        for window in self.seats.all() {
            let seat = self.seats.of(window);
            let seat = seat.lock().await;
            let Some(past) = &seat.past else { continue };
            if settings.who.role == Role::Driver {
                drop(seat);
                // On the driver's screen there is no sign of the past and no way back. Where everything ends there is neither.
                let _ = self.back_to_now(window).await;
            } else {
                past.configure(settings.clone()).await;
            }
        }
    }
}

/// How a moment is looked up.
enum Begun {
    /// By the past that is shown.
    Seeking(oneshot::Receiver<Result<Moment, Fault>>),
    /// Anew, with one of the places.
    Reading(OwnedSemaphorePermit),
}

fn too_many() -> Fault {
    let message = format!("{PASTS_MAX} windows are shown the past already; one of them has to go back to now");
    Fault::new(FaultCode::Invalid, message)
}

fn not_wanted() -> Fault {
    Fault::new(FaultCode::TooLate, "another moment, or the present, was asked for meanwhile")
}
