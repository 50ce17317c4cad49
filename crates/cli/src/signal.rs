//! When the system or a person asks a program to end.

use anyhow::Context;

/// Resolves at Ctrl-C or SIGTERM. Fails when neither can be listened for.
#[cfg(unix)]
pub async fn asked_to_end() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped.context("Ctrl-C cannot be listened for"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Resolves at Ctrl-C. Fails when it cannot be listened for.
#[cfg(not(unix))]
pub async fn asked_to_end() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for")
}
