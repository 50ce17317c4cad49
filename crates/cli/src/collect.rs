//! `fleetlens collect`: the app without a window. It listens as the app does and stores into one file of its own.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use fleetlens_host::{BrokerChoice, CityOptions, Counters, Host, HostOptions, log};
use fleetlens_store::Reading;
use serde::Serialize;

use crate::tally::{self, Reason, Refused};
use crate::{profile, signal};

/// How often it says how far it is.
const SAYS_EVERY: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Collect {
    /// The profile: a file (TOML), the name of one in the app's folder, or `demo`, which starts the demo city.
    #[arg(long, value_name = "PROFILE")]
    profile: String,
    /// Connect to this broker instead, with the profile's topics: mqtt://host[:port]
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// The file to store into; made when it is not there. One that is damaged is moved aside.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// Ends by itself after this time, such as 30s or 5min [default: at Ctrl-C].
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    until: Option<Duration>,
    /// Print the result on one line; else as a person reads it. Both are JSON.
    #[arg(long)]
    json: bool,
    /// Where profiles are looked for by name [default: the app's folder].
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// What came in, and what became of it.
#[derive(Serialize)]
struct Collected {
    /// Messages received.
    received: u64,
    /// Messages whose rows are on the disk.
    stored: u64,
    refused: Refused,
    /// QoS 0 messages given up because more came than could be taken.
    shed: u64,
    /// Messages that had come before and were stored already.
    repeated: u64,
    /// Things known, those of earlier runs on this file included.
    things: u64,
    seconds: f64,
    messages_per_s: f64,
}

impl Collect {
    /// Runs until the time given, Ctrl-C or SIGTERM; then prints what was collected.
    pub async fn run(self) -> anyhow::Result<()> {
        // What the app was told in its own folder must not decide anything here.
        let nobodys = tempfile::tempdir().context("there is no place for temporary files")?;
        let file = profile::file(&self.profile, self.data_dir.clone())?;
        let options = HostOptions {
            cache: Some(self.db.clone()),
            profile: file.clone(),
            demo: (file.is_none() && self.broker.is_none()).then(CityOptions::default),
            broker: self.broker.clone().map_or(BrokerChoice::Own, BrokerChoice::At),
            ..HostOptions::demo(nobodys.path())
        };
        let before = if self.db.exists() { refusals(&self.db).unwrap_or_default() } else { HashMap::new() };
        // Beside what it stores: this is not the app, whose own log this does not go into.
        log::keep_in(self.db.parent().unwrap_or(Path::new("")));
        let began = Instant::now();
        let host = Host::start(options).await?;
        let counters = host.counters().await;
        let ended = tokio::select! {
            asked = signal::asked_to_end() => asked,
            what = host.failed() => Err(anyhow::anyhow!("{what}")),
            () = tell(began, || *counters.borrow()) => Ok(()),
            () = tokio::time::sleep(self.until.unwrap_or_default()), if self.until.is_some() => Ok(()),
        };
        host.stop().await;
        let seconds = began.elapsed().as_secs_f64();
        let counts = *counters.borrow();
        let by_reason = since(&before, refusals(&self.db)?);
        let collected = Collected {
            received: counts.received,
            stored: counts.stored,
            refused: Refused::of(counts.refused, by_reason),
            shed: counts.shed,
            repeated: counts.repeated,
            things: counts.things,
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            messages_per_s: (counts.received as f64 / seconds.max(0.001) * 10.0).round() / 10.0,
        };
        tally::print(&collected, self.json)?;
        ended
    }
}

type Refusals = HashMap<(String, String), u64>;

fn refusals(db: &Path) -> anyhow::Result<Refusals> {
    let kept = Reading::open(db)?.refusals()?;
    Ok(kept.into_iter().map(|refusal| ((refusal.topic, refusal.reason), refusal.count)).collect())
}

/// What was refused in this run.
fn since(before: &Refusals, after: Refusals) -> Vec<Reason> {
    after
        .into_iter()
        .map(|(of, count)| {
            let earlier = before.get(&of).copied().unwrap_or(0);
            let (topic, reason) = of;
            Reason { reason, topic, count: count.checked_sub(earlier).unwrap_or(count) }
        })
        .filter(|reason| reason.count > 0)
        .collect()
}

/// A line on stderr every few seconds, for ever.
async fn tell(began: Instant, counters: impl Fn() -> Counters) {
    let mut every = tokio::time::interval(SAYS_EVERY);
    every.tick().await; // the first is at once
    let mut before = 0;
    loop {
        every.tick().await;
        let Counters { received, stored, refused, shed, things, .. } = counters();
        let rate = received.saturating_sub(before) as f64 / SAYS_EVERY.as_secs_f64();
        let s = began.elapsed().as_secs();
        // Somebody who closed it does not want to know.
        _ = writeln!(
            std::io::stderr(),
            "{s} s  {received} received ({rate:.0}/s)  {stored} stored  {refused} refused  {shed} shed  {things} things"
        );
        before = received;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_run_refused_is_told_the_most_frequent_first() {
        let of = |topic: &str, count: u64| ((topic.to_owned(), "not JSON".to_owned()), count);
        let before = Refusals::from([of("a", 5), of("b", 2), of("gone", 9)]);
        let told = since(&before, Refusals::from([of("a", 5), of("b", 3), of("c", 4)]));
        let told = Refused::of(5, told).by_reason;
        let told: Vec<_> = told.iter().map(|reason| (reason.topic.as_str(), reason.count)).collect();
        assert_eq!(told, [("c", 4), ("b", 1)]);
    }
}
