//! The whole city: a broker, the shadow service and the devices, started and stopped together or one by one.

mod devices;
mod rollouts;
mod shift;

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fleetlens_link::{Link, LinkConfig, Protocol};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::devices::devices;
pub use self::rollouts::{JobPace, rollouts};
use self::shift::{Clock, Shared, Shift, Tally};
use crate::broker::Broker;
use crate::complaints::Complaints;
use crate::crew::{Crew, Pace};
use crate::device::Device;
use crate::dice::Dice;
use crate::faults::{Faults, Outbreak, Stricken};
use crate::jobs::Jobs;
use crate::muster::Muster;
use crate::outgoing::Outgoing;
use crate::places::Census;
use crate::service::{JobService, ShadowService};
use crate::shadows::Shadows;
use crate::{BrokerAt, SimError};

/// Devices that share a connection.
const CREW: usize = 500;
/// Messages a second at which a city comes in after a connect: an ordinary one in some six seconds, the largest in twenty-five.
const START_RATE: RangeInclusive<f64> = 550.0..=8_000.0;
/// Devices a second that ask for their shadows then, at most: what is not so urgent leaves the service and the broker their breath.
const GREETINGS: f64 = 1_500.0;
/// A device waits at least so long for the shadow service before it asks again, in milliseconds.
const ASKS_AGAIN_MS: u64 = 5_000;
/// How long crews that are connected wait for the others before they speak.
const ALL_WITHIN: Duration = Duration::from_secs(20);
/// How long the devices wait for the shadow service at the start; they ask again later if it was not enough.
const SERVICE_WITHIN: Duration = Duration::from_secs(5);

/// What kind of city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityOptions {
    /// How many things, of which kinds [`Census`] says; 1 650 are the ordinary city.
    pub things: usize,
    /// Telemetry messages a second, all together; `None` leaves every device its own interval
    /// ([`crate::device::interval_s`]).
    pub rate: Option<f64>,
    /// The same seed gives the same city.
    pub seed: u64,
    /// Simulated seconds a second, for the rhythms of day and night. Timestamps stay real.
    pub speed: f64,
    /// The simulated time at the start, epoch milliseconds; `None` is now.
    pub begin_ms: Option<i64>,
    /// Whose broker; `None` starts one here.
    pub broker: Option<BrokerAt>,
    /// Where the broker started here listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which part of it.
    pub only: Only,
    /// Names of devices that speak and do not obey, to see a command expire.
    pub stuck: Vec<String>,
    /// What goes wrong; which things have it follows from the seed.
    pub faults: Faults,
    /// How jobs go in it; `None` for a city without. A part of a city ([`Only`]) has none either.
    pub jobs: Option<JobPace>,
}

impl Default for CityOptions {
    fn default() -> Self {
        Self {
            things: Census::ORDINARY.things(),
            rate: None,
            seed: 1,
            speed: 1.0,
            begin_ms: None,
            broker: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            only: Only::Everything,
            stuck: Vec::new(),
            faults: Faults::default(),
            jobs: None,
        }
    }
}

/// A part of a city.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// The shadow service and the devices.
    #[default]
    Everything,
    /// The shadow service alone, for devices of somebody else.
    Shadow,
    /// The devices alone, where the broker's shadow service is another.
    Devices,
}

/// What a city has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of devices handed to the broker: telemetry, descriptions, requests to shadows.
    pub published: u64,
    /// Messages to devices: answers and wishes.
    pub heard: u64,
    /// Messages of the shadow service.
    pub answered: u64,
}

/// A living city. Dropping it ends it without waiting.
#[derive(Debug)]
pub struct City {
    url: String,
    listen: SocketAddr,
    broker: Option<Broker>,
    service: Option<ShadowService>,
    jobs: Option<JobService>,
    crews: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    tally: Arc<Tally>,
    things: usize,
    stricken: Vec<Stricken>,
}

/// Starts a city; returns when its broker listens and its shadow service answers (or has not for five seconds: with a broker
/// of somebody else it goes on trying).
///
/// Fails when the address to listen at is taken, when the broker's address can never work, and on numbers no city can have.
pub async fn start(options: CityOptions) -> Result<City, SimError> {
    for (what, value) in [("rate", options.rate.unwrap_or(1.0)), ("speed", options.speed)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(SimError::Number { what, given: value });
        }
    }
    let (broker, at) = match &options.broker {
        Some(at) => (None, at.clone()),
        None => {
            let broker = Broker::start(options.listen).await?;
            let at = BrokerAt { url: broker.url(), credentials: None };
            (Some(broker), at)
        }
    };
    let mut city = City {
        url: at.url.clone(),
        listen: broker.as_ref().map_or(options.listen, Broker::address),
        broker,
        service: None,
        jobs: None,
        crews: Vec::new(),
        stop: CancellationToken::new(),
        tally: Arc::default(),
        things: 0,
        stricken: Vec::new(),
    };
    let (dice, clock) = (Dice::new(options.seed), Clock::new(options.begin_ms, options.speed));
    let all = if options.only == Only::Shadow && options.faults.is_empty() {
        Vec::new()
    } else {
        // A large one takes seconds, in which whoever starts it may want to do something else, or to stop.
        let (of, sim_ms) = (options.clone(), clock.now().sim_ms);
        tokio::task::spawn_blocking(move || devices(&of, dice, sim_ms)).await.map_err(|_| SimError::Interrupted)??
    };
    let outbreak = Outbreak::of(&all, &options.faults, dice);
    city.stricken = outbreak.chosen().to_vec();
    if options.only != Only::Devices {
        let shadows = Shadows::default().refusing(outbreak.refused().clone());
        let mut service = ShadowService::start(&at, shadows)?;
        if tokio::time::timeout(SERVICE_WITHIN, service.ready()).await.is_err() {
            tracing::warn!(broker = at.url, "the shadow service is not connected yet");
        }
        city.service = Some(service);
    }
    let mut takers = HashSet::new();
    if let Some(pace) = options.jobs.filter(|_| options.only == Only::Everything) {
        let jobs = Jobs::of(rollouts(&all, pace));
        takers = jobs.targets().map(str::to_owned).collect();
        let mut service = JobService::start(&at, jobs)?;
        if tokio::time::timeout(SERVICE_WITHIN, service.ready()).await.is_err() {
            tracing::warn!(broker = at.url, "the jobs service is not connected yet");
        }
        city.jobs = Some(service);
    }
    if options.only != Only::Shadow {
        city.man(all, &outbreak, &takers, &options, &at, clock)?;
    }
    Ok(city)
}

impl City {
    /// Where its broker is: `mqtt://127.0.0.1:PORT`, or the one it was given.
    pub fn address(&self) -> String {
        self.url.clone()
    }

    /// How many things live in it.
    pub fn things(&self) -> usize {
        self.things
    }

    /// What goes wrong in it, and which things have it.
    pub fn stricken(&self) -> &[Stricken] {
        &self.stricken
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        Counts {
            published: self.tally.published.load(Ordering::Relaxed),
            heard: self.tally.heard.load(Ordering::Relaxed),
            answered: self.service.as_ref().map_or(0, ShadowService::answered),
        }
    }

    /// Stops the broker alone; the city goes on trying to reach it. Does nothing when the broker is somebody else's.
    pub async fn stop_broker(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
    }

    /// Starts the broker again at its old address, empty; devices come back by themselves and describe themselves anew.
    ///
    /// Does nothing when it runs, or when the broker is somebody else's. Fails when the port was taken meanwhile.
    pub async fn start_broker(&mut self, options: &CityOptions) -> Result<(), SimError> {
        if self.broker.is_none() && options.broker.is_none() {
            self.broker = Some(Broker::start(self.listen).await?);
        }
        Ok(())
    }

    /// Devices first, then the service, then the broker; within about five seconds.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for crew in std::mem::take(&mut self.crews) {
            _ = crew.await; // a crew that panicked has said so already
        }
        if let Some(service) = self.service.take() {
            _ = service.stop().await;
        }
        if let Some(jobs) = self.jobs.take() {
            _ = jobs.stop().await;
        }
        self.stop_broker().await;
    }

    /// Brings the devices in, a few hundred to a connection.
    fn man(
        &mut self,
        mut devices: Vec<Device>,
        outbreak: &Outbreak,
        takers: &HashSet<String>,
        options: &CityOptions,
        at: &BrokerAt,
        clock: Clock,
    ) -> Result<(), SimError> {
        let dice = Dice::new(options.seed);
        self.things = devices.len();
        let crews = devices.len().div_ceil(CREW).max(1);
        let shared = Shared {
            clock,
            tally: Arc::clone(&self.tally),
            complaints: Arc::<Complaints>::default(),
            muster: Arc::new(Muster::of(crews, ALL_WITHIN)),
        };
        // Not from the seed: the same city may live twice on one broker, and its devices must not throw each other out.
        let ours: u32 = rand::random();
        let messages = (self.things as f64 / 3.0).clamp(*START_RATE.start(), *START_RATE.end());
        let asks_again_ms = ((self.things as f64 / GREETINGS * 1000.0) as u64).max(ASKS_AGAIN_MS);
        let pace =
            Pace { messages_per_s: messages / crews as f64, greetings_per_s: GREETINGS / crews as f64, asks_again_ms };
        for number in 0..crews {
            let rest = devices.split_off(devices.len().min(CREW));
            let crew = Crew::new(std::mem::replace(&mut devices, rest), &options.stuck, outbreak, pace, dice);
            let (least_ms, most_ms) = options.jobs.unwrap_or_default().step_ms;
            let step_ms = (f64::from(least_ms), f64::from(most_ms));
            let crew = crew.with_errands(|thing| takers.contains(thing), step_ms);
            let config = LinkConfig {
                protocol: Protocol::V4,
                clean_start: true,
                filters: crew.filters().into_iter().map(|filter| (filter, 1)).collect(),
                credentials: at.credentials.clone(),
                // A made-up city has nothing to hide.
                clear_password: true,
                ..LinkConfig::new(at.url.as_str(), format!("fl-sim-{ours:08x}-{number}"))
            };
            let (link, events) = Link::start(config)?;
            let outgoing = Outgoing::new(link);
            let shift = Shift::new(crew, outgoing, shared.clone());
            self.crews.push(tokio::spawn(shift.run(events, self.stop.clone())));
        }
        Ok(())
    }
}

impl Drop for City {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn numbers_that_make_no_city_are_refused() {
        for (rate, speed) in [(Some(0.0), 1.0), (Some(f64::NAN), 1.0), (None, -1.0), (None, f64::INFINITY)] {
            let refused = start(CityOptions { rate, speed, ..CityOptions::default() }).await.unwrap_err();
            assert!(matches!(refused, SimError::Number { .. }), "{refused}");
        }
    }
}
