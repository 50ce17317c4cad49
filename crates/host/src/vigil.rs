//! Notices when a part that must run as long as the app has ended: a panic in a task is a clear end, not a frozen window.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where the first end is told.
#[derive(Clone, Debug)]
pub struct Vigil {
    told: watch::Sender<Option<String>>,
    ending: CancellationToken,
}

impl Vigil {
    /// Nothing has ended yet. Once `ending` is cancelled everything ends because it is to, and nothing is told any more.
    pub fn new(ending: CancellationToken) -> Vigil {
        Vigil { told: watch::Sender::new(None), ending }
    }

    /// The same vigil over parts that end together before everything does; once the token is cancelled they are meant to end.
    pub fn over_a_while(&self) -> (Vigil, CancellationToken) {
        let ending = self.ending.child_token();
        (Vigil { told: self.told.clone(), ending: ending.clone() }, ending)
    }

    /// Watches over a part for as long as the guard lives.
    pub fn over(&self, part: &'static str) -> Guard {
        Guard { vigil: self.clone(), part, orderly: false }
    }

    /// Tells that something ended. The first one counts: what follows is a consequence.
    pub fn tell(&self, what: String) {
        if self.ending.is_cancelled() {
            return;
        }
        self.told.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(what);
            first
        });
    }

    /// Resolves when something has ended that should not; may be dropped and asked again.
    pub async fn ended(&self) -> String {
        let mut told = self.told.subscribe();
        let what = told.wait_for(Option::is_some).await.ok().and_then(|what| what.clone());
        match what {
            Some(what) => what,
            // The sender lives as long as we do.
            None => std::future::pending().await,
        }
    }
}

/// Tells when it is dropped without [`Guard::rest`]: by a panic, or because the part's loop ended by itself.
#[derive(Debug)]
pub struct Guard {
    vigil: Vigil,
    part: &'static str,
    orderly: bool,
}

impl Guard {
    /// The part has ended as it should.
    pub fn rest(mut self) {
        self.orderly = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.orderly {
            let how = if std::thread::panicking() { "has failed" } else { "has ended by itself" };
            self.vigil.tell(format!("{} {how}", self.part));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_an_orderly_end_is_not() {
        let vigil = Vigil::new(CancellationToken::new());
        let (calm, wild) = (vigil.over("the calm part"), vigil.over("the wild part"));
        tokio::spawn(async move { calm.rest() }).await.unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, vigil.ended()).await.is_err());
        let panicked = tokio::spawn(async move {
            let _wild = wild;
            panic!("on purpose");
        });
        assert!(panicked.await.is_err());
        drop(vigil.over("what follows"));
        assert_eq!(vigil.ended().await, "the wild part has failed");
    }

    #[tokio::test]
    async fn what_is_cut_short_while_everything_ends_has_not_ended_by_itself() {
        for asked_to_end in [false, true] {
            let ending = CancellationToken::new();
            let vigil = Vigil::new(ending.clone());
            let guard = vigil.over("the link");
            let stuck = tokio::spawn(async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            });
            if asked_to_end {
                ending.cancel();
            }
            stuck.abort();
            assert!(stuck.await.is_err());
            let told = tokio::time::timeout(Duration::ZERO, vigil.ended()).await.is_ok();
            assert_eq!(told, !asked_to_end);
        }
    }
}
