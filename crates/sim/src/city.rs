//! The whole city: a broker, the shadow service and the devices, started and stopped together or one by one.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetlens_link::{Event, Link, LinkConfig, Protocol};
use fleetlens_model::kind::Kind;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::complaints::Complaints;
use crate::crew::{Crew, Moment};
use crate::device::{Device, interval_s};
use crate::dice::Dice;
use crate::faults::{Faults, Outbreak, Stricken};
use crate::outgoing::{LOOK_AGAIN, Outgoing};
use crate::places::{Census, Places, nearest};
use crate::shadow_service::ShadowService;
use crate::shadows::Shadows;
use crate::{BrokerAt, SimError};

/// Devices that share a connection.
const CREW: usize = 500;
/// Messages a second at which a city comes in after a connect: an ordinary one in some six seconds, a large one in fifteen.
const START_RATE: RangeInclusive<f64> = 400.0..=4_000.0;
/// Things a crew does before it looks at its connection again.
const WORK_AT_ONCE: usize = 256;
/// While so many messages wait, devices are silent rather than late.
const WAITING_MAX: usize = 4_000;
/// How long the devices wait for the shadow service at the start; they ask again later if it was not enough.
const SERVICE_WITHIN: Duration = Duration::from_secs(5);

/// What kind of city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityOptions {
    /// How many things, of which kinds [`Census`] says; 1 650 are the ordinary city.
    pub things: usize,
    /// Telemetry messages a second, all together; `None` leaves every device its own interval
    /// ([`interval_s`]).
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
    crews: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    tally: Arc<Tally>,
    things: usize,
    stricken: Vec<Stricken>,
}

#[derive(Debug, Default)]
struct Tally {
    published: AtomicU64,
    heard: AtomicU64,
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
        devices(&options, dice, clock.now().sim_ms)?
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
    if options.only != Only::Shadow {
        city.man(all, &outbreak, &options, &at, clock)?;
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
        self.stop_broker().await;
    }

    /// Brings the devices in, a few hundred to a connection.
    fn man(
        &mut self,
        mut devices: Vec<Device>,
        outbreak: &Outbreak,
        options: &CityOptions,
        at: &BrokerAt,
        clock: Clock,
    ) -> Result<(), SimError> {
        let dice = Dice::new(options.seed);
        self.things = devices.len();
        let crews = devices.len().div_ceil(CREW).max(1);
        let complaints = Arc::<Complaints>::default();
        // Not from the seed: the same city may live twice on one broker, and its devices must not throw each other out.
        let ours: u32 = rand::random();
        let start_rate = (self.things as f64 / 5.0).clamp(*START_RATE.start(), *START_RATE.end()) / crews as f64;
        for number in 0..crews {
            let rest = devices.split_off(devices.len().min(CREW));
            let crew = Crew::new(std::mem::replace(&mut devices, rest), &options.stuck, outbreak, start_rate, dice);
            let config = LinkConfig {
                protocol: Protocol::V4,
                clean_start: true,
                filters: crew.filters().into_iter().map(|filter| (filter, 1)).collect(),
                credentials: at.credentials.clone(),
                ..LinkConfig::new(at.url.as_str(), format!("fl-sim-{ours:08x}-{number}"))
            };
            let (link, events) = Link::start(config)?;
            let outgoing = Outgoing::new(link);
            let (tally, complaints) = (Arc::clone(&self.tally), Arc::clone(&complaints));
            let shift = Shift { crew, outgoing, clock, tally, complaints, up: false };
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

/// Every device of a city: gateways first, then what stands in the streets, then what drives there.
pub fn devices(options: &CityOptions, dice: Dice, sim_ms: i64) -> Result<Vec<Device>, SimError> {
    let mut places = Places::of(options.things, dice)?;
    let Census { car_parks, lamps, bins, chargers, vehicles, gateways } = Census::of(options.things);
    let per_s = |count: usize, kind| count as f64 / f64::from(interval_s(kind));
    let ordinary = per_s(car_parks, Kind::Parking)
        + per_s(lamps, Kind::Lamp)
        + per_s(bins, Kind::Bin)
        + per_s(chargers, Kind::Charger)
        + per_s(vehicles, Kind::Vehicle)
        + per_s(gateways, Kind::Gateway);
    let faster = options.rate.map_or(1.0, |rate| rate / ordinary.max(f64::MIN_POSITIVE));
    let interval_ms = |kind| ((f64::from(interval_s(kind)) * 1000.0 / faster) as u64).max(1);

    let masts = std::mem::take(&mut places.masts);
    let names: Vec<Arc<str>> = masts.iter().map(|mast| Arc::from(mast.spot.thing.as_str())).collect();
    let mut carries = vec![0; masts.len()];
    // Bins and lamps have radios of little power; the rest has mains and a network of its own.
    let mut carrier = |at| {
        let nearest = nearest(&masts, at)?;
        if let Some(carries) = carries.get_mut(nearest) {
            *carries += 1;
        }
        names.get(nearest).cloned()
    };
    let mut carried: Vec<Device> = Vec::with_capacity(options.things);
    for post in std::mem::take(&mut places.lamps) {
        let gateway = carrier(post.spot.at);
        carried.push(Device::lamp(post, dice, interval_ms(Kind::Lamp), sim_ms).carried_by(gateway));
    }
    for bin in std::mem::take(&mut places.bins) {
        let gateway = carrier(bin.spot.at);
        carried.push(Device::bin(bin, dice, interval_ms(Kind::Bin)).carried_by(gateway));
    }
    let garages = std::mem::take(&mut places.garages);
    let gateways = masts.into_iter().zip(carries);
    let gateways = gateways.map(|(mast, carries)| Device::gateway(mast, carries, dice, interval_ms(Kind::Gateway)));
    let parks = std::mem::take(&mut places.car_parks).into_iter();
    let parks = parks.map(|park| Device::car_park(park, dice, interval_ms(Kind::Parking)));
    let points = std::mem::take(&mut places.chargers).into_iter();
    let points = points.map(|point| Device::charger(point, dice, interval_ms(Kind::Charger), sim_ms));
    let vehicles = garages.into_iter();
    let vehicles = vehicles.map(|garage| Device::vehicle(garage, &places, dice, interval_ms(Kind::Vehicle), sim_ms));
    Ok(gateways.chain(parks).chain(carried).chain(points).chain(vehicles).collect())
}

/// Real and simulated time, from one beginning.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
    sim_begin_ms: i64,
    speed: f64,
}

impl Clock {
    fn new(sim_begin_ms: Option<i64>, speed: f64) -> Self {
        Self { began: Instant::now(), sim_begin_ms: sim_begin_ms.unwrap_or_else(wall_ms), speed }
    }

    fn now(&self) -> Moment {
        let passed = self.began.elapsed();
        let simulated_ms = (passed.as_secs_f64() * 1000.0 * self.speed) as i64;
        let mono_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        Moment { mono_ms, wall_ms: wall_ms(), sim_ms: self.sim_begin_ms.saturating_add(simulated_ms) }
    }

    fn at(&self, mono_ms: u64) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.began + Duration::from_millis(mono_ms))
    }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// A crew at its connection.
struct Shift {
    crew: Crew,
    outgoing: Outgoing,
    clock: Clock,
    tally: Arc<Tally>,
    complaints: Arc<Complaints>,
    up: bool,
}

impl Shift {
    async fn run(mut self, mut events: mpsc::Receiver<Event>, stop: CancellationToken) {
        let mut out = Vec::new();
        loop {
            let room = self.outgoing.len() < WAITING_MAX;
            let due = self.crew.next_due_ms().filter(|_| self.up && room).map(|due_ms| self.clock.at(due_ms));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = events.recv() => match event {
                    Some(event) => self.hear(event, &mut out),
                    None => break,
                },
                () = tokio::time::sleep(LOOK_AGAIN), if self.outgoing.len() > 0 => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.crew.work(self.clock.now(), WORK_AT_ONCE, &mut out);
                }
            }
            out.drain(..).for_each(|message| self.outgoing.publish(message));
            let published = self.outgoing.flush();
            self.tally.published.fetch_add(published, Ordering::Relaxed);
        }
        self.outgoing.stop().await;
    }

    fn hear(&mut self, event: Event, out: &mut Vec<crate::outgoing::Message>) {
        match event {
            Event::Up { .. } => {
                self.up = true;
                self.crew.connected(self.clock.now());
            }
            Event::Down { reason } => {
                tracing::warn!(reason, "devices lost their broker");
                self.up = false;
                self.crew.disconnected();
                self.outgoing.clear();
            }
            Event::Connecting { reason: Some(reason) } => _ = self.complaints.say("the devices", &reason),
            Event::Connecting { reason: None } => {}
            Event::Shed { topics } => tracing::warn!(?topics, "messages to devices were shed"),
            Event::Refused { topic, reason, delivery } => {
                tracing::warn!(topic, reason, "refused");
                if let Some(delivery) = delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
            Event::Received(message) => {
                self.tally.heard.fetch_add(1, Ordering::Relaxed);
                if !message.retained {
                    self.crew.hear(&message.topic, &message.payload, self.clock.now(), out);
                }
                if let Some(delivery) = message.delivery {
                    self.outgoing.acknowledge(delivery);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;

    /// What a city says of itself at four hours of a day, without shadows.
    fn day(seed: u64) -> Vec<Vec<u8>> {
        let options = CityOptions { things: 400, seed, ..CityOptions::default() };
        let mut said = Vec::new();
        for mut device in devices(&options, Dice::new(seed), MIDNIGHT).unwrap() {
            said.push(device.meta());
            for hour in [3, 8, 13, 19] {
                let sim_ms = MIDNIGHT + hour * 3_600_000;
                device.tick(sim_ms);
                said.push(device.telemetry(hour, sim_ms));
            }
        }
        said
    }

    #[test]
    fn the_same_seed_gives_the_same_city_byte_for_byte() {
        assert_eq!(day(4), day(4));
        assert_ne!(day(4), day(5));
    }

    #[test]
    fn a_rate_is_shared_by_all_devices() {
        for (things, rate) in [(1_650, None), (1_650, Some(500.0)), (5_000, Some(50.0)), (20, Some(1.0))] {
            let options = CityOptions { things, rate, ..CityOptions::default() };
            let devices = devices(&options, Dice::new(1), MIDNIGHT).unwrap();
            let per_s: f64 = devices.iter().map(|device| 1000.0 / device.interval_ms() as f64).sum();
            let want = rate.unwrap_or(79.7);
            assert!((per_s / want - 1.0).abs() < 0.02, "{things} things: {per_s} a second, not {want}");
        }
    }

    #[tokio::test]
    async fn numbers_that_make_no_city_are_refused() {
        for (rate, speed) in [(Some(0.0), 1.0), (Some(f64::NAN), 1.0), (None, -1.0), (None, f64::INFINITY)] {
            let refused = start(CityOptions { rate, speed, ..CityOptions::default() }).await.unwrap_err();
            assert!(matches!(refused, SimError::Number { .. }), "{refused}");
        }
    }
}
