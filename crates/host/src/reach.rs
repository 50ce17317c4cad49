//! The way from the engine to people who are not before any window: hands what happens to alarms to [`Reach`], which keeps what is
//! not delivered yet in a file beside the cache.

mod outbox;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fleetlens_engine::port::{AlarmEvent, Clock, Happened, News};
use fleetlens_ipc::diagnostics::{ReachFigures, RouteFigures};
use fleetlens_reach::{Event, Figures, Notice, Outlet, Patience, Position, Reach, Standing, Told};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use outbox::FileOutbox;

/// What may wait to be taken in while the outbox is written. What comes beyond it is lost, which is counted and told.
const WAITING: usize = 10_000;

/// Where the engine tells what happened. Never blocks.
#[derive(Clone, Debug)]
pub struct Teller {
    told: mpsc::Sender<Told>,
    missed: Arc<AtomicU64>,
}

impl Teller {
    /// Hands it over; what cannot be taken in is counted.
    pub fn tell(&self, happened: Happened) {
        let Err(error) = self.told.try_send(told(happened)) else { return };
        let missed = self.missed.fetch_add(1, Ordering::Relaxed) + 1;
        // Each time twice as many, so that a flood of alarms makes none of lines.
        if missed.is_power_of_two() {
            let why = match error {
                mpsc::error::TrySendError::Full(_) => "too much waits to be written",
                mpsc::error::TrySendError::Closed(_) => "the task that reaches people has ended",
            };
            tracing::error!(missed, "people outside the windows are not told of alarms: {why}");
        }
    }
}

/// Whoever is reached in one run.
#[derive(Debug)]
pub struct Reaching {
    standing: watch::Receiver<Standing>,
    missed: Arc<AtomicU64>,
    asked_to_stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Reaching {
    /// Goes on with what the outbox holds. Inside a Tokio runtime.
    pub fn start(outlets: Vec<Outlet>, outbox: FileOutbox, clock: impl Clock) -> (Reaching, Teller) {
        let reach = Reach::start(outlets, Patience::default(), outbox, move || clock.now());
        let (told, waiting) = mpsc::channel(WAITING);
        let (standing, asked_to_stop) = (reach.standing(), CancellationToken::new());
        let task = tokio::spawn(hand_over(reach, waiting, asked_to_stop.clone()));
        let missed = Arc::new(AtomicU64::new(0));
        let teller = Teller { told, missed: Arc::clone(&missed) };
        (Reaching { standing, missed, asked_to_stop, task: Some(task) }, teller)
    }

    /// How every way stands.
    pub fn figures(&self) -> ReachFigures {
        let Standing { routes, unwatched, journal_fault } = self.standing.borrow().clone();
        let missed = self.missed.load(Ordering::Relaxed);
        ReachFigures { routes: routes.into_iter().map(figures).collect(), missed, unwatched, fault: journal_fault }
    }

    /// Keeps what was told until now, cuts what is on its way, and waits until that is done.
    pub async fn stop(mut self) {
        self.asked_to_stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic there was said already.
            _ = task.await;
        }
    }
}

impl Drop for Reaching {
    fn drop(&mut self) {
        self.asked_to_stop.cancel();
    }
}

async fn hand_over(reach: Reach, mut waiting: mpsc::Receiver<Told>, asked_to_stop: CancellationToken) {
    let mut takes = true;
    while takes && let Some(Some(told)) = asked_to_stop.run_until_cancelled(waiting.recv()).await {
        takes = reach.tell(told).await.is_ok();
    }
    waiting.close();
    while takes && let Some(told) = waiting.recv().await {
        takes = reach.tell(told).await.is_ok();
    }
    if !takes {
        tracing::error!("nobody outside the windows is told of alarms any more: the task for it has failed");
    }
    reach.stop().await;
}

fn figures(route: Figures) -> RouteFigures {
    let Figures { route, waiting, delivered, left_out, given_up, fault } = route;
    let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
    RouteFigures { name: route, waiting, delivered, left_out: left_out.saturating_add(given_up), fault }
}

fn told(happened: Happened) -> Told {
    match happened {
        Happened::News(news) => Told::Notice(Box::new(notice(*news))),
        Happened::Settled(alarm) => Told::Acknowledged(alarm),
    }
}

fn notice(news: News) -> Notice {
    let News { event, alarm, fleet, thing, title, rule, name, priority, .. } = news;
    let event = match event {
        AlarmEvent::Raised => Event::Raised,
        AlarmEvent::ToldAgain => Event::ToldAgain,
        AlarmEvent::Cleared => Event::Cleared,
    };
    Notice {
        event,
        alarm,
        fleet,
        thing,
        title,
        rule,
        name,
        priority,
        sentence: news.sentence,
        cause: news.cause,
        consequence: news.consequence,
        what_to_do: news.what_to_do,
        at: news.at_ms,
        position: news.place.map(|place| Position { lat_deg: place.lat_deg, lon_deg: place.lon_deg }),
    }
}

#[cfg(test)]
mod tests;
