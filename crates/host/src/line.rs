//! The line to the broker: first the demo city if there is to be one, then the link; what it hears goes to the engine.

use std::sync::Arc;

use fleetlens_engine::port::LinkEvent;
use fleetlens_link::{Events, Link, LinkConfig};
use fleetlens_sim::{City, CityOptions};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::ports::{LinkPort, told};
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

    async fn connect(&self) -> Option<(Link, Events)> {
        let Some(mut config) = self.config.clone() else {
            self.give_up("started without a broker".into()).await;
            return None;
        };
        let lives = self.city.lock().await.as_ref().map(City::address);
        if let Some(address) = lives {
            config.url = address;
        } else if let Some(options) = self.demo.clone() {
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
    async fn forward(&self, link: Link, mut heard: Events) -> bool {
        loop {
            // Room first: an engine that is stuck must not keep us from the goodbye, and nothing heard may be dropped for it.
            let room = tokio::select! {
                () = self.stop.cancelled() => break,
                room = self.events.reserve() => room,
            };
            let Ok(room) = room else { return self.stop.is_cancelled() };
            let next = tokio::select! {
                () = self.stop.cancelled() => break,
                next = heard.recv_together() => next,
            };
            let Some(next) = next else { return false };
            room.send(told(next));
        }
        link.stop().await;
        while let Some(next) = heard.recv_together().await {
            if self.events.send(told(next)).await.is_err() {
                break;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fleetlens_engine::port::{Link as _, Publish, Qos};
    use fleetlens_link::Protocol;
    use fleetlens_model::time::MonoMs;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::vigil::Vigil;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_stuck_engine_does_not_keep_the_line_from_saying_goodbye() {
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mqtt://{}", broker.local_addr().unwrap());
        let config = LinkConfig { protocol: Protocol::V4, ..LinkConfig::new(url, "c") };
        // One place, and nobody takes anything out of it.
        let (events, mut heard) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let mut port = LinkPort::default();
        let vigil = Vigil::new(CancellationToken::new());
        let line = Line {
            config: Some(config),
            demo: None,
            city: SharedCity::default(),
            port: port.clone(),
            events,
            stop: stop.clone(),
        };
        let running = tokio::spawn(line.run(vigil.over("the link")));
        let (mut caller, _) = timeout(PATIENCE, broker.accept()).await.unwrap().unwrap();
        let connect_bytes = {
            let mut head = [0; 2];
            timeout(PATIENCE, caller.read_exact(&mut head)).await.unwrap().unwrap();
            usize::from(head[1])
        };
        let mut connect = vec![0; connect_bytes];
        timeout(PATIENCE, caller.read_exact(&mut connect)).await.unwrap().unwrap();
        caller.write_all(&[0x20, 2, 0, 0]).await.unwrap();
        // Once it takes a message the link is up, and its word of that waits in vain.
        let up = Publish {
            topic: "up".into(),
            payload: Vec::new(),
            qos: Qos::AtMostOnce,
            retain: false,
            until: MonoMs(u64::MAX),
            command: None,
        };
        timeout(PATIENCE, async {
            while port.publish(up.clone(), 1_000).is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        assert_eq!(heard.capacity(), 0);
        stop.cancel();
        let mut last_words = [0; 8];
        timeout(PATIENCE, caller.read_exact(&mut last_words)).await.expect("a goodbye in time").unwrap();
        assert_eq!(last_words, [0x30, 4, 0, 2, b'u', b'p', 0xE0, 0], "PUBLISH, DISCONNECT");

        // Now somebody listens again: what had come by then is handed over, and the line has ended in order.
        let mut taken = Vec::new();
        while let Some(event) = timeout(PATIENCE, heard.recv()).await.unwrap() {
            taken.push(event);
        }
        running.await.unwrap();
        assert!(matches!(taken.first(), Some(LinkEvent::Connecting { reason: None })), "{taken:?}");
        assert!(timeout(Duration::ZERO, vigil.ended()).await.is_err(), "an orderly end");
    }
}
