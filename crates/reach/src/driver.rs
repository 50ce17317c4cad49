//! The task that reaches people: takes what is told through a bounded channel, keeps it in the outbox, sends, and tries again.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use fleetlens_link::{Destination, Secret};
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::Now;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::mail::Mail;
use crate::notice::Notice;
use crate::outbox::{Outbox, Record};
use crate::retry::{Outcome, Patience};
use crate::routes::{Effects, Figures, Input, Parcel, Route, Routes};
use crate::webhook::Webhook;

/// What was told and not taken in yet.
const INBOX_MAX: usize = 1_000;

/// How much of the inbox is taken in with one transaction.
const TAKEN_TOGETHER: usize = 256;

/// How long to wait before an outbox that failed is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// What notices go out through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Signed JSON.
    Webhook(Webhook),
    /// Mail to one address.
    Mail(Mail),
}

impl Output {
    /// Where it leads to. Whoever lets others write profiles has to ask, as for a broker, whether a secret may go there.
    pub fn destination(&self) -> Destination {
        match self {
            Output::Webhook(webhook) => webhook.destination(),
            Output::Mail(mail) => mail.destination(),
        }
    }

    /// The secret that it uses: a webhook's signs, mail's goes to the server itself.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Output::Webhook(webhook) => Some(webhook.secret()),
            Output::Mail(mail) => mail.secret(),
        }
    }

    /// The file of certificates that it names.
    pub fn ca(&self) -> Option<&Path> {
        match self {
            Output::Webhook(webhook) => webhook.ca(),
            Output::Mail(mail) => mail.ca(),
        }
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        match self {
            Output::Webhook(webhook) => webhook.send(parcel).await,
            Output::Mail(mail) => mail.send(parcel).await,
        }
    }
}

/// A route and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// What goes there, and when.
    pub route: Route,
    /// There.
    pub output: Output,
}

/// What is told to [`Reach`].
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Something happened to an alarm.
    Notice(Box<Notice>),
    /// Somebody has acknowledged one.
    Acknowledged(AlarmId),
}

/// It was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotTold {
    /// Too much is waiting to be taken in.
    #[error("1 000 notices wait to be taken in; the outbox does not keep up")]
    Full,
    /// The task is over.
    #[error("nobody is told any more: the task that reaches people has ended")]
    Ended,
}

/// How everything stands; the newest, at every change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Every route, in the order of the profile.
    pub routes: Vec<Figures>,
    /// Alarms that are not watched for escalation any more, because too many are active.
    pub unwatched: u64,
    /// Why the outbox cannot be read or written; `None` while it can. Notices are sent all the same, but a restart loses them.
    pub journal_fault: Option<String>,
}

/// A handle of the task. When it is dropped, the task ends as with [`Reach::stop`], but nobody waits for it.
#[derive(Debug)]
pub struct Reach {
    told: mpsc::Sender<Told>,
    standing: watch::Receiver<Standing>,
    asked_to_stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Reach {
    /// Starts the task with what the outbox holds. `clock` reads both clocks. Inside a Tokio runtime.
    pub fn start(
        outlets: Vec<Outlet>,
        patience: Patience,
        outbox: impl Outbox,
        clock: impl Fn() -> Now + Send + 'static,
    ) -> Reach {
        let (told, inbox) = mpsc::channel(INBOX_MAX);
        let route = |outlet: &Outlet| Figures { route: outlet.route.name.clone(), ..Figures::default() };
        let begins = Standing { routes: outlets.iter().map(route).collect(), ..Standing::default() };
        let (shown, standing) = watch::channel(begins);
        let asked_to_stop = CancellationToken::new();
        let task = Task {
            outputs: outlets.iter().map(|outlet| (outlet.route.name.clone(), outlet.output.clone())).collect(),
            journal: Journal { outbox, unwritten: BTreeMap::new(), fault: None, is_read: false },
            clock,
            inbox,
            shown,
            attempts: JoinSet::new(),
            on_their_way: HashMap::new(),
        };
        let routes = outlets.into_iter().map(|outlet| outlet.route).collect();
        let task = tokio::spawn(task.run(routes, patience, asked_to_stop.clone()));
        Reach { told, standing, asked_to_stop, task: Some(task) }
    }

    /// Hands something over, and waits while too much is waiting already. `Ok` means taken, not delivered; nor kept yet.
    pub async fn tell(&self, told: Told) -> Result<(), NotTold> {
        self.told.send(told).await.map_err(|_| NotTold::Ended)
    }

    /// As [`Reach::tell`], without waiting.
    pub fn try_tell(&self, told: Told) -> Result<(), NotTold> {
        self.told.try_send(told).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotTold::Full,
            mpsc::error::TrySendError::Closed(_) => NotTold::Ended,
        })
    }

    /// How everything stands, for diagnostics and for the screen.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Keeps what was told, cuts what is on its way (it is sent again by the next run, under the same delivery id), and waits until
    /// the task has ended.
    pub async fn stop(mut self) {
        self.asked_to_stop.cancel();
        if let Some(task) = self.task.take() {
            _ = task.await;
        }
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        self.asked_to_stop.cancel();
    }
}

/// Everything that the task has.
struct Task<O, C> {
    outputs: BTreeMap<String, Output>,
    journal: Journal<O>,
    clock: C,
    inbox: mpsc::Receiver<Told>,
    shown: watch::Sender<Standing>,
    attempts: JoinSet<Outcome>,
    /// Route and delivery of each attempt.
    on_their_way: HashMap<task::Id, (String, String)>,
}

impl<O: Outbox, C: Fn() -> Now + Send + 'static> Task<O, C> {
    async fn run(mut self, routes: Vec<Route>, patience: Patience, asked_to_stop: CancellationToken) {
        let kept = self.journal.read().await;
        let now = (self.clock)();
        let (mut routes, effects) = Routes::new(routes, patience, kept, now);
        if !effects.removed.is_empty() {
            tracing::warn!(notices = effects.removed.len(), "left out: their routes are not in the profile any more");
        }
        self.perform(effects).await;
        let effects = routes.handle(Input::TimePassed, now, rand::random());
        self.perform(effects).await;
        loop {
            self.show(&routes);
            let mut taken = Vec::new();
            let idle = routes.idle_ms((self.clock)()).map(Duration::from_millis);
            let idle = if self.journal.is_behind() {
                Some(idle.map_or(WRITE_AGAIN, |idle| idle.min(WRITE_AGAIN)))
            } else {
                idle
            };
            let inputs = tokio::select! {
                biased;
                () = asked_to_stop.cancelled() => break,
                Some(ended) = self.attempts.join_next_with_id() => vec![self.answered(ended)],
                count = self.inbox.recv_many(&mut taken, TAKEN_TOGETHER) => match count {
                    0 => break,
                    _ => taken.into_iter().map(Input::from).collect(),
                },
                () = pause(idle) => vec![Input::TimePassed],
            };
            let effects = self.fold(&mut routes, inputs);
            self.perform(effects).await;
        }
        self.attempts.shutdown().await;
        self.inbox.close();
        let mut last = Vec::new();
        while let Some(told) = self.inbox.recv().await {
            last.push(Input::from(told));
        }
        // Kept for the next run; nothing is sent any more.
        let effects = self.fold(&mut routes, last);
        self.journal.write(effects.put, effects.removed).await;
        self.show(&routes);
    }

    fn fold(&self, routes: &mut Routes, inputs: Vec<Input>) -> Effects {
        let now = (self.clock)();
        let mut all = Effects::default();
        for input in inputs {
            let Effects { put, removed, parcels } = routes.handle(input, now, rand::random());
            all.put.extend(put);
            all.removed.extend(removed);
            all.parcels.extend(parcels);
        }
        all
    }

    /// What became of an attempt; one that panicked may be made again.
    fn answered(&mut self, ended: Result<(task::Id, Outcome), task::JoinError>) -> Input {
        let (id, outcome) = match ended {
            Ok(answered) => answered,
            Err(error) => (error.id(), Outcome::again(format!("a fault of the program: {error}"))),
        };
        match self.on_their_way.remove(&id) {
            Some((route, delivery)) => Input::Answered { route, delivery, outcome },
            None => Input::TimePassed,
        }
    }

    /// Writes first, then sends.
    async fn perform(&mut self, effects: Effects) {
        self.journal.write(effects.put, effects.removed).await;
        for parcel in effects.parcels {
            let Some(output) = self.outputs.get(&parcel.route).cloned() else { continue };
            let named = (parcel.route.clone(), parcel.delivery.clone());
            let attempt = self.attempts.spawn(async move { output.send(&parcel).await });
            self.on_their_way.insert(attempt.id(), named);
        }
    }

    fn show(&self, routes: &Routes) {
        let standing = Standing {
            routes: routes.figures(),
            unwatched: routes.unwatched(),
            journal_fault: self.journal.fault.clone(),
        };
        self.shown.send_if_modified(|shown| {
            let differs = *shown != standing;
            *shown = standing;
            differs
        });
    }
}

impl From<Told> for Input {
    fn from(told: Told) -> Input {
        match told {
            Told::Notice(notice) => Input::Told(*notice),
            Told::Acknowledged(alarm) => Input::Acknowledged(alarm),
        }
    }
}

async fn pause(idle: Option<Duration>) {
    match idle {
        Some(idle) => tokio::time::sleep(idle).await,
        None => std::future::pending().await,
    }
}

/// The outbox, and what it could not take yet. An alarm that a full disk keeps from people would be two faults: what cannot be written
/// is sent all the same.
struct Journal<O> {
    outbox: O,
    /// By key: the row as it should be, or `None` for none.
    unwritten: BTreeMap<u64, Option<Record>>,
    fault: Option<String>,
    /// What could not be read is left alone: new rows would come under the keys of old ones.
    is_read: bool,
}

impl<O: Outbox> Journal<O> {
    async fn read(&mut self) -> Vec<Record> {
        match self.outbox.all().await {
            Ok(records) => {
                self.is_read = true;
                records
            }
            Err(error) => {
                tracing::error!(%error, "the outbox of notices cannot be read; this run goes without it");
                self.fault = Some(format!("{error}; this run goes without it"));
                Vec::new()
            }
        }
    }

    /// Whether something should be written again.
    fn is_behind(&self) -> bool {
        !self.unwritten.is_empty()
    }

    async fn write(&mut self, put: Vec<Record>, removed: Vec<u64>) {
        if !self.is_read {
            return;
        }
        self.unwritten.extend(put.into_iter().map(|record| (record.key, Some(record))));
        self.unwritten.extend(removed.into_iter().map(|key| (key, None)));
        if self.unwritten.is_empty() {
            return;
        }
        let put: Vec<Record> = self.unwritten.values().flatten().cloned().collect();
        let removed: Vec<u64> = self.unwritten.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| *key).collect();
        let written = async {
            if !put.is_empty() {
                self.outbox.put(put).await?;
            }
            if !removed.is_empty() {
                self.outbox.remove(removed).await?;
            }
            Ok::<_, crate::OutboxError>(())
        };
        match written.await {
            Ok(()) => {
                self.unwritten.clear();
                self.fault = None;
            }
            Err(error) => {
                if self.fault.is_none() {
                    tracing::warn!(%error, "the outbox of notices cannot be written; it is tried again");
                }
                self.fault = Some(error.to_string());
            }
        }
    }
}
