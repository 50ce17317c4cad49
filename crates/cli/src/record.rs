//! `fleetlens record`: every message a broker delivers, into a file that `fleetlens replay` plays.

use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use fleetlens_host::CityOptions;
use fleetlens_host::model::time::WallMs;
use fleetlens_link::{Event, Link, LinkConfig};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::recording::{Header, Message, Writer};
use crate::tally::{self, ByTopic, Refusals, Refused};
use crate::{moment, profile, signal};

/// How often it says how far it is.
const SAYS_EVERY: Duration = Duration::from_secs(5);

/// The broker of the city that is started here, which has another address every time.
const DEMO: &str = "the demo city's";

/// Messages that may wait for the disk. Many, because of QoS 0 what finds no place is lost.
const INBOX: usize = 20_000;

/// Events taken at once, written together and then acknowledged.
const BATCH: usize = 1_000;

#[derive(Args)]
pub struct Record {
    /// Whose topics, and which broker: a file (TOML), the name of a profile in the app's folder, or `demo`, which starts the demo city.
    #[arg(long, value_name = "PROFILE")]
    profile: String,
    /// Connect to this broker instead, with the profile's topics: mqtt://host[:port]
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// The file to write, one JSON object a line. One that is there already is not touched.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Ends by itself after this time, such as 30s or 5min [default: at Ctrl-C].
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    until: Option<Duration>,
    /// Our name with the broker, where it lets in only those it knows [default: a new one].
    #[arg(long, value_name = "NAME")]
    client_id: Option<String>,
    /// Print the result on one line; else as a person reads it. Both are JSON.
    #[arg(long)]
    json: bool,
    /// Where profiles are looked for by name [default: the app's folder].
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// What was recorded.
#[derive(Serialize)]
struct Recorded {
    /// Messages in the file.
    recorded: u64,
    /// Those among them that the broker had kept.
    retained: u64,
    /// Messages by the first two levels of their topics.
    by_topic: ByTopic,
    /// What the broker did not let us listen to, and messages nobody could take.
    refused: Refused,
    /// QoS 0 messages lost because more came than could be written.
    shed: u64,
    /// How often the link fell; what was published meanwhile is not in the file.
    interrupted: u64,
    seconds: f64,
    messages_per_s: f64,
}

impl Record {
    /// Runs until the time given, Ctrl-C or SIGTERM; then prints what was recorded.
    pub async fn run(self) -> anyhow::Result<()> {
        let file = profile::file(&self.profile, self.data_dir.clone())?;
        let used = profile::read(file.as_deref())?;
        let filters = used.fleet_config(String::new()).filters();
        let mut config = LinkConfig {
            // A session of our own, of which nothing stays with the broker: that of the profile belongs to the app.
            client_id: self.client_id.clone().unwrap_or_else(own_id),
            clean_start: true,
            session_expiry_s: 0,
            inbox: INBOX,
            ..used.link_config(0, filters.clone())
        };
        if let Some(url) = &self.broker {
            config.url.clone_from(url);
        }
        config.validate()?;
        let demo = file.is_none() && self.broker.is_none();
        let broker = if demo { DEMO } else { config.url.as_str() };
        let writer = Writer::create(&self.out, &Header::new(&used.name, broker, filters))?;
        let city = if demo {
            let city = fleetlens_sim::start(CityOptions::default()).await.context("the demo city does not start")?;
            config.url = city.address();
            Some(city)
        } else {
            None
        };
        let began = Instant::now();
        let mut recorder = Recorder::new(writer, began);
        let ended = self.listen(config, &mut recorder).await;
        let took = began.elapsed();
        if let Some(city) = city {
            city.stop().await;
        }
        if !recorder.was_up {
            // Nobody wants it, and it would be in the way of the next try.
            _ = std::fs::remove_file(&self.out);
            let why = recorder.last_word;
            ended?;
            bail!("nothing was recorded, since there was no connection{}{why}", if why.is_empty() { "" } else { ": " });
        }
        let told = recorder.told(took);
        tally::print(&told, self.json)?;
        ended
    }

    /// Writes down what comes. A message is acknowledged once the system has its line.
    async fn listen(&self, config: LinkConfig, recorder: &mut Recorder) -> anyhow::Result<()> {
        let (link, mut events) = Link::start(config)?;
        let mut asked = pin!(signal::asked_to_end());
        let mut time = pin!(tokio::time::sleep(self.until.unwrap_or_default()));
        let mut tell = interval_at(tokio::time::Instant::now() + SAYS_EVERY, SAYS_EVERY);
        tell.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut batch = Vec::new();
        let ended = loop {
            tokio::select! {
                asked = &mut asked => break asked,
                () = &mut time, if self.until.is_some() => break Ok(()),
                _ = tell.tick() => recorder.tell(),
                heard = events.recv_many(&mut batch, BATCH) => {
                    if heard == 0 {
                        break Err(anyhow::anyhow!("the link has failed"));
                    }
                    match recorder.write(&mut batch) {
                        Ok(safe) => safe.into_iter().for_each(|delivery| link.acknowledge(delivery)),
                        Err(error) => break Err(error).with_context(|| format!("{} cannot be written", self.out.display())),
                    }
                }
            }
        };
        link.stop().await;
        if ended.is_ok() {
            // What had come by then.
            while events.recv_many(&mut batch, BATCH).await > 0 {
                recorder.write(&mut batch).with_context(|| format!("{} cannot be written", self.out.display()))?;
            }
        }
        ended
    }
}

/// The file and what went into it.
struct Recorder {
    writer: Writer,
    /// When it began, by both clocks: in a recording time goes on evenly, whatever happens to the computer's clock.
    began: Instant,
    began_ms: WallMs,
    was_up: bool,
    /// Why there is no connection; empty while nobody said.
    last_word: String,
    recorded: u64,
    retained: u64,
    by_topic: ByTopic,
    refusals: Refusals,
    shed: u64,
    interrupted: u64,
    /// How much there was at the last word about it.
    said: u64,
}

impl Recorder {
    fn new(writer: Writer, began: Instant) -> Recorder {
        Recorder {
            writer,
            began,
            began_ms: moment::now(),
            was_up: false,
            last_word: String::new(),
            recorded: 0,
            retained: 0,
            by_topic: ByTopic::default(),
            refusals: Refusals::default(),
            shed: 0,
            interrupted: 0,
            said: 0,
        }
    }

    /// Writes what came; gives what can be acknowledged.
    fn write(&mut self, batch: &mut Vec<Event>) -> std::io::Result<Vec<u64>> {
        let passed_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = self.began_ms.plus(passed_ms);
        let mut safe = Vec::new();
        for event in batch.drain(..) {
            match event {
                Event::Received(message) => {
                    safe.extend(message.delivery);
                    let fleetlens_link::Message { topic, payload, qos, retained, .. } = message;
                    self.writer.add(&Message { at, topic: topic.clone(), payload, qos, retained })?;
                    self.recorded += 1;
                    self.retained += u64::from(retained);
                    self.by_topic.add(&topic);
                }
                Event::Refused { topic, reason, delivery } => {
                    safe.extend(delivery);
                    let sentence = if topic.is_empty() { reason.clone() } else { format!("{topic}: {reason}") };
                    if self.refusals.add(topic, reason) {
                        say(&sentence);
                    }
                }
                // Nothing is published.
                Event::Acknowledged { .. } => {}
                Event::Shed { topics } => self.shed += topics.iter().map(|(_, count)| count).sum::<u64>(),
                Event::Up { .. } => {
                    if std::mem::replace(&mut self.was_up, true) {
                        say("connected again");
                    }
                }
                Event::Down { reason } => {
                    self.interrupted += 1;
                    say(&reason);
                }
                Event::Connecting { reason } => {
                    let reason = reason.unwrap_or_default();
                    if !self.was_up && reason != self.last_word {
                        say(&reason);
                    }
                    self.last_word = reason;
                }
            }
        }
        self.writer.flush()?;
        Ok(safe)
    }

    fn tell(&mut self) {
        let rate = self.recorded.saturating_sub(self.said) as f64 / SAYS_EVERY.as_secs_f64();
        say(&format!(
            "{} s  {} recorded ({rate:.0}/s)  {} shed",
            self.began.elapsed().as_secs(),
            self.recorded,
            self.shed
        ));
        self.said = self.recorded;
    }

    fn told(self, took: Duration) -> Recorded {
        let seconds = took.as_secs_f64();
        Recorded {
            recorded: self.recorded,
            retained: self.retained,
            by_topic: self.by_topic,
            refused: self.refusals.told(),
            shed: self.shed,
            interrupted: self.interrupted,
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            messages_per_s: (self.recorded as f64 / seconds.max(0.001) * 10.0).round() / 10.0,
        }
    }
}

/// A client id that nobody else has.
fn own_id() -> String {
    format!("fl-record-{:08x}", rand::random::<u32>())
}

/// Somebody who closed it does not want to know.
fn say(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}
