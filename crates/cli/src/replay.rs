//! `fleetlens replay`: publishes what was recorded again, in order and in its pace.
//!
//! The same recording always ends in the same state: everything goes out at QoS 1 over one connection, so that nothing is lost,
//! doubled or overtaken on the way, and what a device dates is dated by the recording. What differs from one replay to the next is
//! what the listener's own clock says: when a message was received, and the time of values whose messages carry none.

mod pace;
mod player;
mod rebase;

use std::cmp::Ordering;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use fleetlens_host::model::time::WallMs;
use fleetlens_link::{Credentials, Link, LinkConfig, Secret};
use serde::Serialize;
use tokio::time::Instant;

use self::pace::{Pace, Speed};
use self::player::{Player, Qos};
use self::rebase::{Rebase, Rebased};
use crate::recording::{Damaged, Message, Reader};
use crate::tally::{self, ByTopic, Refused};
use crate::{moment, profile, sim};

/// How often it says how far it is.
const SAYS_EVERY: Duration = Duration::from_secs(5);

/// Damaged lines that are told one by one; a file of another kind would be all of them.
const DAMAGED_TOLD: u64 = 20;

#[derive(Args)]
pub struct Replay {
    /// A recording of `fleetlens record`, or lines of TIME TOPIC {…} as others write them.
    file: PathBuf,
    /// The broker to publish to: mqtt://host[:port]
    #[arg(long, value_name = "URL")]
    broker: String,
    /// The user name there; the password is read from FLEETLENS_PASSWORD.
    #[arg(long)]
    user: Option<String>,
    /// Let the password go unencrypted to another machine, where everybody on the way can read it.
    #[arg(long, requires = "user")]
    clear_password: bool,
    /// How fast: 1x as it was recorded, 10x ten times as fast, 0.5x half as fast, max as fast as the broker takes it. A broker with
    /// short queues, as Mosquitto is by itself, then drops what its listeners do not take in time.
    #[arg(long, default_value = "1x", value_parser = Speed::parse)]
    speed: Speed,
    /// Move the times in the payloads, so that what was recorded seems to happen while it is played; with --speed max, to have
    /// ended now. Which these are says the profile.
    #[arg(long)]
    rebase_time: bool,
    /// The profile whose [[telemetry]] says where times stand: a file (TOML), or the name of one in the app's folder, or `demo`.
    #[arg(long, value_name = "PROFILE", requires = "rebase_time")]
    profile: Option<String>,
    /// The guarantee to publish with: 1 for everything, or as each message was recorded, so that some may be lost.
    #[arg(long, value_enum, default_value_t = Qos::One)]
    qos: Qos,
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

/// What was published.
#[derive(Serialize)]
struct Replayed {
    /// Messages in the recording.
    messages: u64,
    /// Those handed over and not turned down. Where it ended early, the last of them may not have arrived.
    published: u64,
    /// Messages by the first two levels of their topics.
    by_topic: ByTopic,
    /// What the link or the broker did not take.
    refused: Refused,
    /// Lines that hold no message and were passed over.
    damaged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebased: Option<Rebased>,
    seconds: f64,
    messages_per_s: f64,
}

impl Replay {
    /// Publishes everything, or what there is time for until Ctrl-C or SIGTERM; then prints what it was.
    pub async fn run(self) -> anyhow::Result<()> {
        let config = self.config();
        config.validate()?;
        let survey = Survey::of(&mut Reader::open(&self.file)?).with_context(|| self.unreadable())?;
        let Some((first, last)) = survey.first.zip(survey.last) else {
            bail!("{} holds no message", self.file.display());
        };
        let described = match &self.profile {
            Some(named) => Some(profile::read(profile::file(named, self.data_dir.clone())?.as_deref())?),
            None => None,
        };
        if self.rebase_time && described.is_none() {
            say("without --profile nobody says where times stand in the payloads, so they stay as they are");
        }
        let (link, events) = Link::start(config)?;
        let mut player = Player::new(link, events, self.qos);
        if let Err(why) = player.connect().await {
            player.leave().await;
            return Err(why);
        }
        let began = Instant::now();
        let pace = Pace::new(self.speed, first, last, moment::now());
        let mut rebase = self.rebase_time.then(|| Rebase::new(described, pace));
        let ended = self.play(&mut player, pace, rebase.as_mut(), began, survey.messages).await;
        let seconds = began.elapsed().as_secs_f64();
        let (counts, refusals) = player.leave().await;
        let told = Replayed {
            messages: survey.messages,
            published: counts.published,
            by_topic: counts.by_topic,
            refused: refusals.told(),
            damaged: survey.damaged,
            rebased: rebase.map(Rebase::told),
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            messages_per_s: (counts.published as f64 / seconds.max(0.001) * 10.0).round() / 10.0,
        };
        tally::print(&told, self.json)?;
        ended
    }

    /// A connection of its own, of which nothing stays with the broker.
    fn config(&self) -> LinkConfig {
        let own_id = || format!("fl-replay-{:08x}", rand::random::<u32>());
        let password = std::env::var_os(sim::PASSWORD).map(|_| Secret::Env(sim::PASSWORD.to_owned()));
        LinkConfig {
            clean_start: true,
            session_expiry_s: 0,
            credentials: self.user.clone().map(|user| Credentials { user, password }),
            clear_password: self.clear_password,
            ..LinkConfig::new(self.broker.as_str(), self.client_id.clone().unwrap_or_else(own_id))
        }
    }

    async fn play(
        &self,
        player: &mut Player,
        pace: Pace,
        mut rebase: Option<&mut Rebase>,
        began: Instant,
        messages: u64,
    ) -> anyhow::Result<()> {
        let mut reader = Reader::open(&self.file)?;
        let mut says_at = began + SAYS_EVERY;
        while let Some(read) = reader.next().with_context(|| self.unreadable())? {
            // What is damaged was told before.
            let Ok(mut message) = read else { continue };
            player.rest_until(began + pace.due(message.at)).await?;
            if player.asked.is_cancelled() {
                return Ok(());
            }
            if let Some(rebase) = &mut rebase {
                message.payload = rebase.payload(&message.topic, message.payload);
            }
            player.publish(message).await?;
            if Instant::now() >= says_at {
                says_at = Instant::now() + SAYS_EVERY;
                let published = player.counts.published;
                say(&format!("{} s  {published} of {messages} published", began.elapsed().as_secs()));
            }
        }
        // Only what the broker has answered for is published.
        player.finish().await
    }

    fn unreadable(&self) -> String {
        format!("{} cannot be read", self.file.display())
    }
}

/// What a recording holds, known before anything is published.
#[derive(Default)]
struct Survey {
    messages: u64,
    damaged: u64,
    first: Option<WallMs>,
    last: Option<WallMs>,
}

impl Survey {
    /// Reads it from the beginning to the end, and tells what is wrong with it.
    fn of(reader: &mut Reader) -> std::io::Result<Survey> {
        let mut survey = Survey::default();
        while let Some(read) = reader.next()? {
            match read {
                Ok(Message { at, .. }) => {
                    survey.messages += 1;
                    survey.first = survey.first.or(Some(at));
                    survey.last = survey.last.max(Some(at));
                }
                Err(Damaged(why)) => {
                    survey.damaged += 1;
                    match survey.damaged.cmp(&DAMAGED_TOLD) {
                        Ordering::Less => say(&format!("{why}; it is passed over")),
                        Ordering::Equal => say("further damaged lines are only counted"),
                        Ordering::Greater => {}
                    }
                }
            }
        }
        Ok(survey)
    }
}

/// Somebody who closed it does not want to know.
fn say(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}
