//! An MQTT broker inside the program, on the loopback interface: the demo city needs no set-up, and tests need no port.
//!
//! `mqtt5` rather than `rumqttd`, which drops any client that subscribes to a `$…` filter and so cannot carry shadows.

use std::net::SocketAddr;
use std::time::Duration;

use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use tokio::task::JoinHandle;

use crate::SimError;

/// The largest packet MQTT can describe; the library's default is one byte more, which strict MQTT 5 clients refuse.
const LARGEST_PACKET_BYTES: usize = 268_435_455;

/// How long a client of a persistent session may be away, at most.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// How long connections get to end before they are cut.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A running broker: MQTT 3.1.1 and 5, QoS 0 to 2, retained messages, persistent sessions and wills; anybody may come in, and
/// everything is forgotten when it stops.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

struct Shutdown(BrokerShutdownHandle);

impl std::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shutdown")
    }
}

impl Broker {
    /// Listens on `address`; port 0 takes a free one, which [`Broker::address`] tells. Returns when clients may connect.
    ///
    /// Fails when the address is taken. Must be called inside a Tokio runtime, whose tasks it uses.
    pub async fn start(address: SocketAddr) -> Result<Self, SimError> {
        let storage = StorageConfig { backend: StorageBackend::Memory, ..StorageConfig::default() };
        let config = BrokerConfig {
            bind_addresses: vec![address],
            max_packet_size: LARGEST_PACKET_BYTES,
            session_expiry_interval: SESSION_EXPIRY,
            storage_config: storage,
            ..BrokerConfig::default()
        };
        let fault = |why: String| SimError::Broker { address, why };
        let mut broker = MqttBroker::with_config(config).await.map_err(|error| fault(error.to_string()))?;
        let address = broker.local_addr().ok_or_else(|| fault("it listens nowhere".into()))?;
        let (shutdown, mut ready) = (Shutdown(broker.shutdown_handle()), broker.ready_receiver());
        let running = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                tracing::error!(%error, "the embedded broker ended");
            }
        });
        ready.wait_for(|ready| *ready).await.map_err(|_| fault("it ended before it was ready".into()))?;
        Ok(Self { address, shutdown, running })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as clients want it: `mqtt://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// Cuts every connection and gives the port back; what was retained is gone. At most about three seconds.
    pub async fn stop(mut self) {
        self.shutdown.0.shutdown();
        if tokio::time::timeout(STOP_WITHIN, &mut self.running).await.is_err() {
            self.running.abort();
            _ = (&mut self.running).await;
        }
    }
}

impl Drop for Broker {
    /// Without [`Broker::stop`] nobody waits for the end, but it comes.
    fn drop(&mut self) {
        self.running.abort();
    }
}
