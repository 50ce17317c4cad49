//! Batches on their way to the disk, what becomes of them, and what goes out once they are there.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_ipc::rows::CHART_ALARMS_MAX;
use fleetlens_ipc::{Done, Fault, FaultCode, Frame};
use fleetlens_model::record::Write;
use tokio::time::{Instant, sleep_until};

use super::{Actor, GATHER_BYTES, GATHER_MAX, ResultOf};
use crate::fleet::{Effects, Input, Outward, ReadDone};
use crate::port::{Clock, Happened, Link, Store, StoreFault, StoreFaultKind, Ui};

/// For so long after a commit began what nobody waits for gathers: under load a commit costs more than what is in it. A message that
/// is to be acknowledged does not wait, because brokers send no more than some until they are.
const GATHER_MS: u64 = 50;

/// How long to wait before a failed batch is tried again.
pub(super) const RETRY_MS: u64 = 1_000;

type Commit = Pin<Box<dyn Future<Output = Result<(), StoreFault>> + Send>>;

/// A batch on its way to the disk; `retry` once it failed.
pub(super) struct Committing {
    batch: Effects,
    pub writes: Arc<Vec<Write>>,
    future: Option<Commit>,
    retry: Option<Instant>,
    pub began: Instant,
    pub failed: u32,
}

impl Committing {
    /// Whether it waits for another try.
    pub fn rests(&self) -> bool {
        self.future.is_none()
    }
}

impl<L: Link, S: Store, U: Ui, C: Clock> Actor<L, S, U, C> {
    /// Whether more may be gathered beside the batch that is on its way.
    pub(super) fn has_room(&self) -> bool {
        let Effects { writes, outward, bytes, .. } = &self.gathering;
        writes.len() + outward.len() < GATHER_MAX && *bytes < GATHER_BYTES
    }

    /// Whether the next batch waits for more.
    pub(super) fn gathers_on(&self) -> bool {
        let Effects { writes, outward, .. } = &self.gathering;
        let is_some = !writes.is_empty() && writes.len() < GATHER_MAX / 2;
        is_some && outward.is_empty() && Instant::now() < self.gathers_until
    }

    /// Starts the next batch if none is on its way. A batch without writes needs no disk.
    pub(super) fn commit_next(&mut self) {
        while self.committing.is_none() && !(self.gathering.writes.is_empty() && self.gathering.outward.is_empty()) {
            let mut batch = std::mem::take(&mut self.gathering);
            // The next will be about as big.
            self.gathering.writes.reserve(batch.writes.len());
            if batch.writes.is_empty() {
                self.perform(batch);
                continue;
            }
            let writes = Arc::new(std::mem::take(&mut batch.writes));
            let future: Commit = Box::pin(self.ports.store.commit(writes.clone()));
            let began = Instant::now();
            self.gathers_until = began + Duration::from_millis(GATHER_MS);
            self.committing = Some(Committing { batch, writes, future: Some(future), retry: None, began, failed: 0 });
        }
    }

    pub(super) fn committed(&mut self, outcome: Option<Result<(), StoreFault>>) {
        match (outcome, self.committing.take()) {
            (Some(Ok(())), Some(done)) => {
                self.damaged = false;
                self.timing.took(done.began.elapsed(), self.ports.clock.now().mono);
                if self.stuck.take().is_some() {
                    self.handle(Input::CacheFault(None));
                }
                self.perform(done.batch);
            }
            (Some(Err(fault)), Some(failed)) if fault.kind == StoreFaultKind::LeftOut => {
                self.refused(&fault, failed.batch)
            }
            (Some(Err(fault)), Some(mut failed)) => {
                let is_damage = fault.kind == StoreFaultKind::Damaged;
                if self.stuck.is_none() || is_damage && !self.damaged {
                    tracing::error!("the cache cannot be written: {fault}");
                    self.handle(Input::CacheFault(Some(fault.to_string())));
                    let message = match fault.kind {
                        StoreFaultKind::Damaged => {
                            "the cache is damaged; what can be read is taken over into a new one. Nothing is acknowledged until \
                             it is there"
                                .to_owned()
                        }
                        StoreFaultKind::Passing | StoreFaultKind::LeftOut => {
                            format!("the cache cannot be written: {fault}. Nothing is acknowledged until it can")
                        }
                    };
                    let fault = Fault::new(FaultCode::Store, message);
                    self.windows.notice(&fault);
                    self.stuck = Some(fault);
                }
                self.damaged = is_damage;
                failed.future = None;
                failed.failed += 1;
                failed.retry = Some(Instant::now() + Duration::from_millis(RETRY_MS));
                self.committing = Some(failed);
            }
            // The pause after a failure is over: the same batch again.
            (None, Some(failed)) => {
                let future: Commit = Box::pin(self.ports.store.commit(failed.writes.clone()));
                self.committing = Some(Committing { future: Some(future), retry: None, ..failed });
            }
            (Some(_) | None, None) => {}
        }
    }

    /// While nothing can be written, what is to be read is read out of what is there: its batch may wait for the disk all day. A chart that
    /// is opened meanwhile lacks what waits with it, and has what comes after it.
    pub(super) fn read_at_once(&mut self) {
        if self.stuck.is_none() {
            return;
        }
        let is_read = |outward: &mut Outward| matches!(outward, Outward::Read { .. } | Outward::Recall(_));
        let failed = self.committing.as_mut().map(|failed| &mut failed.batch.outward);
        let waiting = failed.into_iter().chain([&mut self.gathering.outward]);
        let reads: Vec<Outward> =
            waiting.flat_map(|outward| outward.extract_if(.., is_read).collect::<Vec<_>>()).collect();
        if !reads.is_empty() {
            self.perform(Effects { outward: reads, ..Effects::default() });
        }
    }

    /// A row was left out that never can be written, and must not hold up everything after it for ever; the rest of its batch is on
    /// the disk. Which row it was, the batch does not know: so nothing of it is published or answered as done. Its messages are
    /// acknowledged, since they are stored or would come back with the same fault. A command of it that is stored is looked into
    /// after its time-out like one whose answer was lost, and one that is not is left out again, because each time it is sent its row
    /// is written with it.
    fn refused(&mut self, fault: &StoreFault, batch: Effects) {
        tracing::error!("the cache left something out, which is a fault of this program: {fault}");
        let fault = Fault::new(FaultCode::Store, format!("not everything could be stored: {fault}"));
        self.windows.notice(&fault);
        let mut not_sent = BTreeSet::new();
        let kept = batch.outward.into_iter().filter_map(|outward| match outward {
            // What burns burns, whether its row is among those that are stored or not.
            Outward::Acknowledge(_)
            | Outward::Subscribe(_)
            | Outward::Read { .. }
            | Outward::Recall(_)
            | Outward::Alert(_)
            | Outward::Happened(Happened::News(_)) => Some(outward),
            Outward::Answer { window, request, .. } => {
                Some(Outward::Answer { window, request, outcome: Err(fault.clone()) })
            }
            Outward::Publish(message) => {
                not_sent.extend(message.command);
                None
            }
            // Of a person's step nobody knows whether it is stored: better somebody is called in vain.
            Outward::Kept(_) | Outward::Happened(Happened::Settled(_)) => None,
        });
        let outward = kept.collect();
        self.perform(Effects { outward, ..Effects::default() });
        not_sent.into_iter().for_each(|command| self.handle(Input::NotSent(command)));
    }

    /// Everything outward of a batch whose rows are on the disk.
    fn perform(&mut self, batch: Effects) {
        let mut acknowledge = Vec::new();
        let mono = self.ports.clock.now().mono;
        // A command of several messages: once one of them left it is sent, and after one that did not the others stay here.
        let (mut sent, mut not_sent) = (BTreeSet::new(), BTreeSet::new());
        let mut kept = Vec::new();
        for outward in batch.outward {
            match outward {
                Outward::Acknowledge(delivery) => acknowledge.push(delivery),
                // Versions and tokens protect against much, but not against a wish of ten minutes ago: it is looked into instead.
                Outward::Publish(message) if message.until < mono => {
                    tracing::warn!("not sent, the disk took too long: {}", message.topic);
                    not_sent.extend(message.command);
                }
                Outward::Publish(message) if message.command.is_some_and(|command| not_sent.contains(&command)) => {}
                Outward::Publish(message) => {
                    let (topic, command) = (message.topic.clone(), message.command);
                    let left_ms = message.until.since(mono);
                    if self.ports.link.publish(message, left_ms).is_ok() {
                        sent.extend(command);
                    } else {
                        // Commands to shadows come back to it by their time-out, shadows after the next connect.
                        tracing::debug!("not sent, the link is down or full: {topic}");
                        not_sent.extend(command);
                    }
                }
                Outward::Subscribe(filters) => self.ports.link.subscribe(filters),
                Outward::Alert(alert) => self.ports.ui.alert(alert),
                Outward::Happened(happened) => self.ports.ui.happened(happened),
                Outward::Kept(command) => kept.push(command),
                Outward::Answer { window, request, outcome } => {
                    if let Ok(Done::Command(command)) = &outcome {
                        kept.push(*command);
                    }
                    self.windows.answer(window, Frame::Answer { request, outcome })
                }
                Outward::Read { ticket, query, thing } => {
                    let span = query.from_ms..query.to_ms;
                    let alarms = self.ports.store.alarms_of(thing, span, CHART_ALARMS_MAX);
                    let read = self.ports.store.history(query);
                    let results = self.results.clone();
                    tokio::spawn(async move {
                        let outcome = read.await.map_err(|fault| fault.to_string());
                        // A chart without them is a chart; a cache that cannot be read is told as a notice.
                        let alarms = alarms.await.unwrap_or_default();
                        let _ = results.send(ResultOf::Read(ReadDone { ticket, outcome, alarms })).await;
                    });
                }
                Outward::Recall(query) => {
                    let read = self.ports.store.history(query);
                    let results = self.results.clone();
                    tokio::spawn(async move {
                        let recalled = read.await;
                        let _ = results.send(ResultOf::Recalled(query.series, recalled)).await;
                    });
                }
            }
        }
        if !acknowledge.is_empty() {
            self.ports.link.acknowledge(acknowledge);
        }
        kept.into_iter().for_each(|command| self.handle(Input::Kept(command)));
        sent.iter().for_each(|command| self.handle(Input::Published(*command)));
        not_sent.difference(&sent).for_each(|command| self.handle(Input::NotSent(*command)));
        if batch.messages > 0 {
            self.handle(Input::Committed { messages: batch.messages });
        }
    }

    /// Nothing more can be written: whoever asked for something is told that nothing came of it.
    pub(super) fn give_up(&mut self) {
        let gathered = std::mem::take(&mut self.gathering).outward;
        let failed = self.committing.take().map(|failed| failed.batch.outward).unwrap_or_default();
        for outward in failed.into_iter().chain(gathered) {
            if let Outward::Answer { window, request, .. } = outward {
                let message = "the cache could not be written and this was not kept; ask again";
                let outcome = Err(Fault::new(FaultCode::Store, message));
                self.windows.answer(window, Frame::Answer { request, outcome });
            }
        }
    }
}

/// The outcome of the batch on its way, or `None` when the pause after a failure is over.
pub(super) async fn outcome(committing: &mut Option<Committing>) -> Option<Result<(), StoreFault>> {
    match committing {
        Some(Committing { future: Some(future), .. }) => Some(future.await),
        Some(Committing { retry: Some(at), .. }) => {
            sleep_until(*at).await;
            None
        }
        Some(Committing { future: None, retry: None, .. }) | None => std::future::pending().await,
    }
}
