//! Waiting for a condition: never a fixed pause, always a time-out and a sentence.

use std::time::{Duration, Instant};

use fleetlens_link::{Event, Events};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(40);

/// Looks until there is something. After `within` it panics with what was waited for and what the last look saw.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        let seen = match look().await {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(start.elapsed() < within, "waited {} s for: {what}; the last look saw: {seen}", within.as_secs());
        tokio::time::sleep(POLL).await;
    }
}

/// Takes what a link tells until `pick` makes something of it. After `within` it panics with what was waited for and what came instead.
pub async fn told<T>(events: &mut Events, what: &str, within: Duration, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let mut passed = Vec::new();
    let found = tokio::time::timeout(within, async {
        loop {
            let event = events.recv().await.unwrap_or_else(|| panic!("{what}: the link has ended"));
            passed.push(format!("{event:?}"));
            if let Some(found) = pick(event) {
                return found;
            }
        }
    })
    .await;
    found.unwrap_or_else(|_| panic!("waited {} s for: {what}; the link told: {passed:?}", within.as_secs()))
}

/// [`until`] outside of async code.
pub fn until_sync<T>(what: &str, within: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        let seen = match look() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(start.elapsed() < within, "waited {} s for: {what}; the last look saw: {seen}", within.as_secs());
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_comes_true_is_waited_for_and_no_longer() {
        let mut looks = 0;
        let found = until("three looks", Duration::from_secs(9), async || {
            looks += 1;
            if looks == 3 { Ok("here") } else { Err(format!("look {looks}")) }
        });
        assert_eq!(found.await, "here");
        assert_eq!(looks, 3);
    }

    #[test]
    #[should_panic(expected = "waited 0 s for: a miracle; the last look saw: nothing")]
    fn a_condition_that_does_not_is_told_with_what_was_seen() {
        until_sync("a miracle", Duration::ZERO, || Err::<(), _>("nothing".to_owned()));
    }
}
