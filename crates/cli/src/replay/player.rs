//! The connection a recording is played over.

use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use fleetlens_link::{Event, Events, Link, NotSent};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::say;
use crate::recording::Message;
use crate::signal;
use crate::tally::{ByTopic, Refusals};

/// While the link has no room, or the broker has not answered for all, it is looked again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// With which guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Qos {
    /// At least once.
    #[value(name = "1")]
    One,
    /// As it was delivered to the recorder.
    Recorded,
}

/// The connection a recording is played over.
pub struct Player {
    link: Link,
    events: Events,
    qos: Qos,
    /// Somebody wants us to end.
    pub asked: CancellationToken,
    /// What it has done so far.
    pub counts: Counts,
    refusals: Refusals,
}

/// What was handed over.
#[derive(Default)]
pub struct Counts {
    /// And not turned down.
    pub published: u64,
    /// By the first levels of the topics.
    pub by_topic: ByTopic,
}

impl Player {
    /// Over a link that was just started. From now on Ctrl-C and SIGTERM only end it in order.
    pub fn new(link: Link, events: Events, qos: Qos) -> Player {
        let asked = CancellationToken::new();
        let ask = asked.clone();
        tokio::spawn(async move {
            match signal::asked_to_end().await {
                Ok(()) => ask.cancel(),
                // Then the system ends us the hard way.
                Err(error) => tracing::warn!(%error, "nobody can ask us to end"),
            }
        });
        Player { link, events, qos, asked, counts: Counts::default(), refusals: Refusals::default() }
    }

    /// Waits for the broker. Fails, in the link's words, when it cannot be had at once: whoever replays is there to mend it.
    pub async fn connect(&mut self) -> anyhow::Result<()> {
        loop {
            let event = tokio::select! {
                () = self.asked.cancelled() => return Ok(()),
                event = self.events.recv() => event,
            };
            match event {
                Some(Event::Up { .. }) => return Ok(()),
                Some(Event::Connecting { reason: Some(reason) }) => bail!("{reason}"),
                Some(event) => self.hear(event)?,
                None => bail!("the link has failed"),
            }
        }
    }

    /// Hands a message over, waiting for room.
    pub async fn publish(&mut self, message: Message) -> anyhow::Result<()> {
        let Message { topic, payload, qos, retained, .. } = message;
        let qos = match self.qos {
            Qos::One => 1,
            Qos::Recorded => qos,
        };
        loop {
            match self.link.try_publish(topic.clone(), payload.clone(), qos, retained) {
                Ok(()) => {
                    self.counts.published += 1;
                    self.counts.by_topic.add(&topic);
                    return Ok(());
                }
                // Of a connection that fell the link's word is on its way.
                Err(NotSent::Full { .. } | NotSent::Down) => {
                    self.rest_until(Instant::now() + LOOK_AGAIN).await?;
                    if self.asked.is_cancelled() {
                        return Ok(());
                    }
                }
                Err(why @ (NotSent::TooLarge { .. } | NotSent::Topic(_) | NotSent::Qos(_))) => {
                    self.refuse(topic, why.to_string());
                    return Ok(());
                }
            }
        }
    }

    /// Waits until the broker has answered for everything, or somebody wants us to end.
    pub async fn finish(&mut self) -> anyhow::Result<()> {
        while self.link.unfinished() > 0 && !self.asked.is_cancelled() {
            self.rest_until(Instant::now() + LOOK_AGAIN).await?;
        }
        Ok(())
    }

    /// Hears what the link has to say until then, or until somebody wants us to end. Fails when the connection falls.
    pub async fn rest_until(&mut self, until: Instant) -> anyhow::Result<()> {
        while let Ok(event) = self.events.try_recv() {
            self.hear(event)?;
        }
        while Instant::now() < until {
            let event = tokio::select! {
                () = self.asked.cancelled() => return Ok(()),
                () = sleep_until(until) => return Ok(()),
                event = self.events.recv() => event,
            };
            match event {
                Some(event) => self.hear(event)?,
                None => bail!("the link has failed"),
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Refused { topic, reason, .. } => {
                // Of what was handed over: nothing is subscribed to.
                self.counts.published = self.counts.published.saturating_sub(1);
                self.refuse(topic, reason);
            }
            Event::Down { reason } | Event::Connecting { reason: Some(reason) } => {
                bail!("{reason}; the last messages may be lost, so replay it from the beginning")
            }
            Event::Connecting { reason: None }
            | Event::Up { .. }
            | Event::Received(_)
            | Event::Shed { .. }
            | Event::Acknowledged { .. } => {}
        }
        Ok(())
    }

    fn refuse(&mut self, topic: String, reason: String) {
        let sentence = format!("{topic}: {reason}");
        if self.refusals.add(topic, reason) {
            say(&sentence);
        }
    }

    /// Says goodbye, and hears what was said meanwhile.
    pub async fn leave(mut self) -> (Counts, Refusals) {
        self.link.clone().stop().await;
        while let Some(event) = self.events.recv().await {
            // How it ended is known already.
            _ = self.hear(event);
        }
        (self.counts, self.refusals)
    }
}
