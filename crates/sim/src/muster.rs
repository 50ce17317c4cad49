//! Everybody first subscribes, and then speaks.
//!
//! A broker looks through what it keeps for every filter that somebody subscribes to. A large city subscribes to some 300 000:
//! beside descriptions that others have published already, that alone would take the embedded broker minutes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Crews of one city that come in together.
#[derive(Debug)]
pub(crate) struct Muster {
    missing: AtomicUsize,
    complete: watch::Sender<bool>,
    patience: Duration,
}

impl Muster {
    /// Of so many; those who are there wait no longer than `patience` for those who are not.
    pub fn of(crews: usize, patience: Duration) -> Self {
        Self { missing: AtomicUsize::new(crews), complete: watch::channel(crews == 0).0, patience }
    }

    /// One more is there; each says so once.
    pub fn arrive(&self) {
        if self.missing.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.complete.send_replace(true);
        }
    }

    /// Returns when all are there, or patience is at an end.
    pub async fn complete(&self) {
        let mut complete = self.complete.subscribe();
        if tokio::time::timeout(self.patience, complete.wait_for(|complete| *complete)).await.is_err() {
            self.complete.send_replace(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    async fn is_complete(muster: &Muster) -> bool {
        tokio::time::timeout(Duration::ZERO, muster.complete()).await.is_ok()
    }

    #[tokio::test]
    async fn those_who_are_there_wait_for_the_last_one_and_not_for_ever() {
        let muster = Muster::of(2, LONG);
        muster.arrive();
        assert!(!is_complete(&muster).await, "one is missing");
        muster.arrive();
        assert!(is_complete(&muster).await);

        let muster = Muster::of(2, Duration::from_millis(1));
        muster.arrive();
        muster.complete().await;
        assert!(is_complete(&muster).await, "nobody waits again");
    }
}
