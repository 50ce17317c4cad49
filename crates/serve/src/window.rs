//! One window: a socket that carries the contract's bytes, a message each.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use fleetlens_host::ipc::{Fault, PARCELS_IN_FLIGHT};
use fleetlens_host::{Host, WindowId};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Parcels between host and socket. The contract allows [`PARCELS_IN_FLIGHT`] unseen ones of the present and as many of the past, and as
/// many again after a new Hello or another past; whoever is behind by more does not keep to it.
const QUEUE: usize = 4 * PARCELS_IN_FLIGHT;

/// How often a window is asked whether it is there, and how long it may be silent; browsers answer by themselves.
const ASKS_EVERY: Duration = Duration::from_secs(15);
const SILENT_MOST: Duration = Duration::from_secs(40);

/// How long one message may take to be sent, and how long a goodbye.
const SENDS_WITHIN: Duration = Duration::from_secs(20);
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// A close frame holds 125 bytes, two of which are its code (RFC 6455, section 5.5).
const REASON_MAX_BYTES: usize = 123;

/// Why a socket ends.
#[derive(Debug)]
enum End {
    /// It is gone.
    Gone,
    /// The program ends.
    Stopping,
    /// It does not read what it is sent, or does not answer.
    Silent,
    /// It said what the contract does not know.
    Wrong(String),
}

/// Attaches a window for as long as its socket lives or the program runs, and detaches it.
pub async fn run(mut socket: WebSocket, host: Arc<Host>, stopping: CancellationToken) {
    let (sent, parcels) = mpsc::channel(QUEUE);
    let attached = host.attach(Box::new(move |parcel| match sent.try_send(parcel) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            tracing::debug!(%error, "a window is gone or takes more than it may");
            ControlFlow::Break(())
        }
    }));
    let end = match attached.await {
        Ok(window) => {
            tracing::debug!(window = window.0, "a window came");
            let end = talk(&mut socket, &host, window, parcels, &stopping).await;
            host.detach(window).await;
            tracing::debug!(window = window.0, ?end, "a window is gone");
            end
        }
        Err(fault) => End::Wrong(fault.message),
    };
    goodbye(socket, end).await;
}

async fn talk(
    socket: &mut WebSocket,
    host: &Host,
    window: WindowId,
    mut parcels: mpsc::Receiver<Vec<u8>>,
    stopping: &CancellationToken,
) -> End {
    let mut asks = interval(ASKS_EVERY);
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let next = tokio::select! {
            () = stopping.cancelled() => return End::Stopping,
            parcel = parcels.recv() => match parcel {
                Some(parcel) => Message::Binary(parcel.into()),
                None => return End::Silent, // the host has let go of it
            },
            said = socket.recv() => {
                heard = Instant::now();
                match said {
                    Some(Ok(Message::Binary(call))) => match host.call(window, &call).await {
                        // While the host was busy nothing could be heard.
                        Ok(()) => {
                            heard = Instant::now();
                            continue;
                        }
                        Err(Fault { message, .. }) => return End::Wrong(message),
                    },
                    Some(Ok(Message::Text(_))) => return End::Wrong("a call is bytes of the contract, not text".into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue, // the library has answered
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                }
            }
            _ = asks.tick() => {
                if heard.elapsed() > SILENT_MOST {
                    return End::Silent;
                }
                Message::Ping(Bytes::new())
            }
        };
        match timeout(SENDS_WITHIN, socket.send(next)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::Silent,
        }
    }
}

/// Says why, as far as anybody listens.
async fn goodbye(mut socket: WebSocket, end: End) {
    let (code, reason) = match end {
        End::Gone => return,
        End::Stopping => (close_code::AWAY, "fleetlens has ended".to_owned()),
        End::Silent => (close_code::POLICY, "the window has not kept up".to_owned()),
        End::Wrong(why) => (close_code::POLICY, why),
    };
    let close = CloseFrame { code, reason: shortened(&reason).into() };
    // Whoever does not take it is gone, which is what we want.
    let _ = timeout(GOODBYE_WITHIN, socket.send(Message::Close(Some(close)))).await;
}

/// As much of a reason as a close frame holds.
fn shortened(reason: &str) -> String {
    let mut short = String::new();
    for letter in reason.chars() {
        if short.len() + letter.len_utf8() > REASON_MAX_BYTES {
            break;
        }
        short.push(letter);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_a_close_frame() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ħ".repeat(100));
        assert_eq!((long.len(), long.chars().count()), (122, 61));
    }
}
