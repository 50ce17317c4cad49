//! `fleetlens sim`: the demo city in a terminal.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use fleetlens_sim::faults::Stricken;
use fleetlens_sim::places::ATTRIBUTION;
use fleetlens_sim::{BrokerAt, City, CityOptions, Counts, Credentials, Faults, JobPace, Only, Secret};

use crate::signal;

/// How often it says that it lives.
const SAYS_EVERY: Duration = Duration::from_secs(10);

/// So many things with one fault are named.
const NAMED: usize = 8;

/// Where the password comes from: not from the command line, which everybody on the machine can read.
pub const PASSWORD: &str = "FLEETLENS_PASSWORD";

#[derive(Args)]
pub struct Sim {
    /// How many things: 1650 are the ordinary city (824 car parks, 400 bins, 300 lamps, 60 vehicles, 42 chargers, 24 gateways);
    /// fewer keep its proportions, more are mostly lamps.
    #[arg(long, default_value_t = CityOptions::default().things, value_parser = things)]
    things: usize,
    /// Telemetry messages a second, all together [default: a vehicle every 5 s, a lamp 10, a charger 15, a car park or
    /// gateway 30, a bin 60].
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// The same seed gives the same city.
    #[arg(long, default_value_t = CityOptions::default().seed)]
    seed: u64,
    /// Simulated seconds a second for day and night; timestamps stay real.
    #[arg(long, default_value_t = CityOptions::default().speed, value_parser = positive)]
    speed: f64,
    /// A broker of yours, mqtt://host:port [default: one is started here].
    #[arg(long, conflicts_with = "listen")]
    broker: Option<String>,
    /// The user name there; the password is read from FLEETLENS_PASSWORD.
    #[arg(long, requires = "broker")]
    user: Option<String>,
    /// Where the broker started here listens; port 0 takes a free one.
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], 1883)))]
    listen: SocketAddr,
    /// A part of it alone.
    #[arg(long)]
    only: Option<Part>,
    /// A device that speaks and does not obey, such as lamp-0007; may be given often.
    #[arg(long, value_name = "THING")]
    stuck: Vec<String>,
    /// What goes wrong, in a few things each: all, or some of the words below with commas between.
    ///
    /// The same seed chooses the same things, and they are named at the start. Nobody has two faults.
    ///
    /// dead-gateway: a gateway and all it carries say and hear nothing for seven minutes;
    /// silence: a thing says and hears nothing for some minutes, again and again;
    /// stuck-sensor: what is measured does not change for a quarter of an hour;
    /// nonsense: every fourth message has a value that cannot be;
    /// malformed: every third message is no JSON or not an object;
    /// duplicate: every other message comes twice;
    /// late: messages are held back for a minute or more and come with their old times;
    /// out-of-order: every third message comes after its successor;
    /// refusal: commands are refused by the shadow service (403) or by the device, which reports why;
    /// slow: commands are obeyed after 25 to 90 seconds.
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "all", verbatim_doc_comment)]
    faults: Option<Faults>,
    /// Ends by itself after this time, such as 30s or 5min [default: at Ctrl-C].
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    until: Option<Duration>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// The shadow service, for devices of yours; it keeps shadows in memory, so they are gone when it ends.
    Shadow,
    /// The devices, where the broker has a shadow service.
    Devices,
}

impl Sim {
    /// Runs until Ctrl-C, SIGTERM or the time given; then takes everything down in order.
    pub async fn run(self) -> anyhow::Result<()> {
        let until = self.until;
        let city = fleetlens_sim::start(self.options()).await.context("the city does not start")?;
        say(&format!("{}  {} things  {ATTRIBUTION}", city.address(), city.things()));
        city.stricken().iter().for_each(|stricken| say(&who(stricken)));
        tokio::select! {
            stopped = signal::asked_to_end() => stopped?,
            () = tell(&city) => {}
            () = tokio::time::sleep(until.unwrap_or_default()), if until.is_some() => {}
        }
        let counts = city.counts();
        city.stop().await;
        say(&format!("stopped after {}", sentence(counts)));
        Ok(())
    }

    fn options(self) -> CityOptions {
        let password = std::env::var_os(PASSWORD).map(|_| Secret::Env(PASSWORD.to_owned()));
        let credentials = self.user.map(|user| Credentials { user, password });
        CityOptions {
            things: self.things,
            rate: self.rate,
            seed: self.seed,
            speed: self.speed,
            broker: self.broker.map(|url| BrokerAt { url, credentials }),
            listen: self.listen,
            only: match self.only {
                None => Only::Everything,
                Some(Part::Shadow) => Only::Shadow,
                Some(Part::Devices) => Only::Devices,
            },
            stuck: self.stuck,
            faults: self.faults.unwrap_or_default(),
            jobs: Some(JobPace::default()),
            ..CityOptions::default()
        }
    }
}

/// A line every ten seconds, for ever.
async fn tell(city: &City) {
    let mut every = tokio::time::interval(SAYS_EVERY);
    every.tick().await; // the first is at once
    let mut before = Counts::default();
    loop {
        every.tick().await;
        let now = city.counts();
        let rate = now.published.saturating_sub(before.published) as f64 / SAYS_EVERY.as_secs_f64();
        say(&format!("{}  {rate:.0}/s", sentence(now)));
        before = now;
    }
}

fn sentence(counts: Counts) -> String {
    let Counts { published, heard, answered } = counts;
    format!("{published} published  {heard} heard  {answered} shadow answers")
}

/// A fault and those who have it, the first few by name.
fn who(Stricken { fault, things }: &Stricken) -> String {
    let named = things.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
    let more = things.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{:<12}  {named}{more}", fault.word())
}

/// A closed pipe (`fleetlens sim | head -1`) does not end the city.
fn say(line: &str) {
    _ = writeln!(std::io::stdout(), "{line}");
}

fn positive(given: &str) -> Result<f64, String> {
    let number: f64 = given.parse().map_err(|_| format!("{given:?} is no number"))?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("give a number above 0".into()) }
}

fn things(given: &str) -> Result<usize, String> {
    let number: usize = given.parse().map_err(|_| format!("{given:?} is no count"))?;
    if (1..=200_000).contains(&number) { Ok(number) } else { Err("give 1 to 200000".into()) }
}
