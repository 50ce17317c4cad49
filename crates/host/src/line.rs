//! The line to the broker: first the demo city if there is to be one, then the link; what it hears goes to the engine.

use std::sync::Arc;

use fleetlens_engine::port::LinkEvent;
use fleetlens_link::{Event, Link, LinkConfig};
use fleetlens_sim::{City, CityOptions};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::ports::{LinkPort, link_event};
use crate::vigil::Guard;

/// The demo city while it lives.
pub type SharedCity = Arc<Mutex<Option<City>>>;

/// Everything the line needs.
pub struct Line {
    /// Where and how to connect; `None` stays away from every broker.
    pub config: Option<LinkConfig>,
    /// A city to start first, whose broker then takes the place of the configured one.
    pub demo: Option<CityOptions>,
    /// Where the city is kept once it lives.
    pub city: SharedCity,
    /// The engine's way out.
    pub port: LinkPort,
    /// The engine's way in. Bounded: when the engine does not keep up, the link is not read.
    pub events: mpsc::Sender<LinkEvent>,
    /// Ends the line.
    pub stop: CancellationToken,
}

impl Line {
    /// Connects and forwards until it is stopped; then disconnects and hands over what had come by then.
    pub async fn run(self, guard: Guard) {
        let link = tokio::select! {
            () = self.stop.cancelled() => None,
            link = self.connect() => link,
        };
        match link {
            Some((link, heard)) => {
                if self.forward(link, heard).await {
                    guard.rest();
                }
            }
            None => {
                // Nothing to listen to; the engine goes on with the cache.
                self.stop.cancelled().await;
                guard.rest();
            }
        }
    }

    async fn connect(&self) -> Option<(Link, mpsc::Receiver<Event>)> {
        let Some(mut config) = self.config.clone() else {
            self.give_up("started without a broker".into()).await;
            return None;
        };
        if let Some(options) = self.demo.clone() {
            match fleetlens_sim::start(options).await {
                Ok(city) => {
                    tracing::info!(broker = city.address(), things = city.things(), "the demo city lives");
                    config.url = city.address();
                    *self.city.lock().await = Some(city);
                }
                Err(error) => {
                    tracing::error!(%error, "the demo city does not start");
                    self.give_up(format!("the demo city does not start: {error}")).await;
                    return None;
                }
            }
        }
        match Link::start(config) {
            Ok((link, heard)) => {
                self.port.connect(link.clone());
                Some((link, heard))
            }
            Err(error) => {
                tracing::error!(%error, "the link does not start");
                self.give_up(error.to_string()).await;
                None
            }
        }
    }

    /// Tells the engine why there will be no link; the window shows it beside the cached picture.
    async fn give_up(&self, reason: String) {
        // The engine is gone only while everything ends.
        let _ = self.events.send(LinkEvent::Connecting { reason: Some(reason) }).await;
    }

    /// Whether it ended because it was to.
    async fn forward(&self, link: Link, mut heard: mpsc::Receiver<Event>) -> bool {
        loop {
            let event = tokio::select! {
                () = self.stop.cancelled() => break,
                event = heard.recv() => event,
            };
            let Some(event) = event else { return false };
            if self.events.send(link_event(event)).await.is_err() {
                return self.stop.is_cancelled();
            }
        }
        link.stop().await;
        while let Some(event) = heard.recv().await {
            if self.events.send(link_event(event)).await.is_err() {
                break;
            }
        }
        true
    }
}
