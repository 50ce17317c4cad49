//! A crew and a shadow service, talking to each other without a broker and with a clock of our own.

use fleetlens_model::shadow::limits::CLIENT_TOKEN_BYTES;
use serde_json::{Value, json};

use super::*;
use crate::device::tests::{park, post, spot};
use crate::places::{Bin, Holds, Mast};
use crate::shadows::Shadows;

/// Wednesday, 14 January 2026, 00:00 in Malta.
const MIDNIGHT: i64 = 1_768_345_200_000;

const PACE: Pace = Pace { messages_per_s: 100.0, greetings_per_s: 100.0, asks_again_ms: 5_000 };

fn devices(sim_ms: i64) -> Vec<Device> {
    vec![
        Device::lamp(post("lamp-0001"), Dice::new(1), 10_000, sim_ms),
        Device::lamp(post("lamp-0002"), Dice::new(1), 10_000, sim_ms),
        Device::car_park(park("parking-0001", true), Dice::new(1), 30_000),
        Device::car_park(park("parking-0002", false), Dice::new(1), 30_000),
    ]
}

mod errands;

/// What a broker would do between them, in one thread.
struct World {
    crew: Crew,
    shadows: Shadows,
    service_is_there: bool,
    connected: bool,
    begin_ms: i64,
    now_ms: u64,
    said: Vec<(u64, Message)>,
}

impl World {
    fn new(stuck: &[String], begin_ms: i64) -> Self {
        Self::of(devices(begin_ms), stuck, &Outbreak::default(), begin_ms)
    }

    /// All these devices in one crew, with what goes wrong.
    fn with(devices: Vec<Device>, faults: &str) -> (Self, Outbreak) {
        let outbreak = Outbreak::of(&devices, &faults.parse().unwrap(), Dice::new(1));
        (Self::of(devices, &[], &outbreak, MIDNIGHT), outbreak)
    }

    fn of(devices: Vec<Device>, stuck: &[String], outbreak: &Outbreak, begin_ms: i64) -> Self {
        let crew = Crew::new(devices, stuck, outbreak, PACE, Dice::new(1));
        let mut world = Self {
            crew,
            shadows: Shadows::default().refusing(outbreak.refused().clone()),
            service_is_there: true,
            connected: false,
            begin_ms,
            now_ms: 0,
            said: Vec::new(),
        };
        world.connect();
        world
    }

    fn moment(&self) -> Moment {
        let wall_ms = self.begin_ms + self.now_ms as i64;
        Moment { mono_ms: self.now_ms, wall_ms, sim_ms: wall_ms }
    }

    fn connect(&mut self) {
        self.connected = true;
        self.crew.connected(self.moment());
    }

    fn disconnect(&mut self) {
        self.connected = false;
        self.crew.disconnected();
    }

    fn run_until(&mut self, until_ms: u64) {
        while let Some(due_ms) = self.crew.next_due_ms().filter(|due_ms| *due_ms <= until_ms) {
            self.now_ms = self.now_ms.max(due_ms);
            let mut out = Vec::new();
            self.crew.work(self.moment(), usize::MAX, &mut out);
            self.pass_on(out);
        }
        self.now_ms = until_ms;
    }

    fn pass_on(&mut self, out: Vec<Message>) {
        for message in out {
            let now_s = (self.begin_ms + self.now_ms as i64) / 1000;
            self.said.push((self.now_ms, message.clone()));
            if self.service_is_there {
                self.deliver(&message.topic, &message.payload, now_s);
            }
        }
    }

    /// A request to the service, and its answers to the crew, in the worst order: the delta before the acceptance.
    fn deliver(&mut self, topic: &str, payload: &[u8], now_s: i64) {
        let mut answers = self.shadows.handle(topic, payload, now_s);
        answers.reverse();
        for (topic, payload) in answers.into_iter().filter(|_| self.connected).collect::<Vec<_>>() {
            let mut out = Vec::new();
            self.crew.hear(&topic, &payload, self.moment(), &mut out);
            self.pass_on(out);
        }
    }

    fn wish(&mut self, thing: &str, desired: Value) {
        let payload = json!({ "state": { "desired": desired }, "clientToken": "app-1" }).to_string();
        self.deliver(&format!("$aws/things/{thing}/shadow/update"), payload.as_bytes(), self.begin_ms / 1000);
    }

    fn reported(&self, thing: &str) -> Value {
        self.shadows.document(thing, None).and_then(|d| d.reported.clone()).map_or(Value::Null, Value::Object)
    }

    fn is_settled(&self, thing: &str) -> bool {
        self.shadows.document(thing, None).is_some_and(|document| document.delta().is_none())
    }

    fn said_by(&self, topic_end: &str) -> Vec<u64> {
        self.said.iter().filter(|(_, message)| message.topic.ends_with(topic_end)).map(|(at_ms, _)| *at_ms).collect()
    }
}

#[test]
fn every_device_says_what_it_is_measures_asks_and_reports() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    for thing in ["lamp-0001", "lamp-0002", "parking-0001", "parking-0002"] {
        assert_eq!(world.said_by(&format!("{thing}/meta")).len(), 1, "{thing}");
        assert!(!world.said_by(&format!("{thing}/telemetry")).is_empty(), "{thing}");
    }
    assert!(world.said.iter().all(|(_, message)| message.retain == message.topic.ends_with("/meta")));
    assert_eq!(world.reported("lamp-0001"), json!({"dim_pct": 100, "on": true, "interval_s": 10, "firmware": "2.4.1"}));
    assert_eq!(world.reported("parking-0001"), json!({"barrier": "closed", "interval_s": 30}));
    assert_eq!(world.reported("parking-0002"), json!({"interval_s": 30}), "no barrier");
}

#[test]
fn devices_speak_at_their_interval() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(600_000);
    for (thing, interval_ms, least) in [("lamp-0001", 10_000, 59), ("parking-0002", 30_000, 19)] {
        let spoke = world.said_by(&format!("{thing}/telemetry"));
        assert!(spoke.len() >= least, "{thing}: {}", spoke.len());
        assert!(spoke.windows(2).skip(1).all(|pair| pair[1] - pair[0] == interval_ms), "{thing}: {spoke:?}");
    }
}

#[test]
fn a_wish_is_done_after_a_short_while_and_shows_in_the_telemetry() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    world.wish("lamp-0001", json!({"dim_pct": 40}));
    world.wish("parking-0001", json!({"barrier": "open"}));
    world.run_until(5_299);
    assert!(!world.is_settled("lamp-0001") && !world.is_settled("parking-0001"), "not at once");
    world.run_until(7_000);
    assert!(world.is_settled("lamp-0001") && world.is_settled("parking-0001"));
    assert_eq!(world.reported("parking-0001")["barrier"], "open");
    world.run_until(17_000);
    let (_, last) = world.said.iter().rfind(|(_, m)| m.topic.ends_with("lamp-0001/telemetry")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&last.payload).unwrap()["values"]["dim_pct"], 40);
}

#[test]
fn a_wish_made_while_the_device_was_away_is_done_when_it_comes_back() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    world.disconnect();
    world.wish("lamp-0001", json!({"dim_pct": 70}));
    world.wish("lamp-0001", json!({"dim_pct": 40}));
    world.run_until(60_000);
    assert!(!world.is_settled("lamp-0001"));
    world.connect();
    world.run_until(65_000);
    assert!(world.is_settled("lamp-0001"));
    assert_eq!(world.reported("lamp-0001")["dim_pct"], 40);
}

#[test]
fn a_stuck_device_speaks_and_does_not_obey() {
    let mut world = World::new(&["lamp-0001".into()], MIDNIGHT);
    world.run_until(5_000);
    for thing in ["lamp-0001", "lamp-0002"] {
        world.wish(thing, json!({"dim_pct": 40}));
    }
    let before = world.said_by("lamp-0001/telemetry").len();
    world.run_until(60_000);
    assert!(!world.is_settled("lamp-0001") && world.is_settled("lamp-0002"));
    assert!(world.said_by("lamp-0001/telemetry").len() > before);
}

#[test]
fn what_a_device_cannot_do_stays_open_and_is_not_reported_for_ever() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    world.wish("lamp-0001", json!({"dim_pct": 400, "on": false}));
    world.run_until(120_000);
    assert_eq!(world.reported("lamp-0001")["on"], false, "what it can, it does");
    assert!(!world.is_settled("lamp-0001"));
    assert_eq!(world.said_by("lamp-0001/shadow/update").len(), 2, "at the start, and for what it did");
}

#[test]
fn an_old_delta_is_passed_over() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    world.wish("lamp-0001", json!({"dim_pct": 40}));
    world.run_until(10_000);
    let version = world.shadows.document("lamp-0001", None).unwrap().version;
    for (old, want) in [(version - 1, 40), (1, 40), (version + 1, 10)] {
        let delta = json!({"state": {"dim_pct": 10}, "version": old, "timestamp": 1}).to_string();
        let mut out = Vec::new();
        world.crew.hear("$aws/things/lamp-0001/shadow/update/delta", delta.as_bytes(), world.moment(), &mut out);
        world.run_until(world.now_ms + 3_000);
        assert_eq!(world.crew.members[0].device.reported(None)["dim_pct"], want, "version {old} of {version}");
    }
}

#[test]
fn a_device_asks_again_until_the_service_answers() {
    let mut world = World::new(&[], MIDNIGHT);
    world.service_is_there = false;
    world.run_until(40_000);
    let asked = world.said_by("lamp-0001/shadow/get");
    let waits: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [5_000, 10_000, 20_000]);
    assert_eq!(world.reported("lamp-0001"), Value::Null);
    world.service_is_there = true;
    world.run_until(100_000);
    assert_eq!(world.reported("lamp-0001")["on"], true);
    let asked = world.said_by("lamp-0001/shadow/get").len();
    world.run_until(300_000);
    assert_eq!(world.said_by("lamp-0001/shadow/get").len(), asked, "it was answered");
}

#[test]
fn at_dusk_a_lamp_reports_and_looks_whether_a_wish_was_taken_back() {
    let noon = MIDNIGHT + 12 * 3_600_000;
    let mut world = World::new(&[], noon);
    world.run_until(5_000);
    world.wish("lamp-0001", json!({"on": true}));
    world.run_until(10_000);
    assert_eq!(world.reported("lamp-0001")["on"], true);
    world.wish("lamp-0001", json!({"on": null}));
    world.run_until(20_000);
    assert_eq!(world.reported("lamp-0001")["on"], true, "a delta does not say that a wish is gone");
    world.run_until(19 * 3_600_000 + 600_000);
    assert_eq!(world.reported("lamp-0001")["on"], false, "after dusk and dawn it follows the sky again");
}

#[test]
fn a_new_interval_is_told_in_the_description() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(5_000);
    world.wish("lamp-0001", json!({"interval_s": 60}));
    world.run_until(10_000);
    let (_, last) = world.said.iter().rfind(|(_, m)| m.topic.ends_with("lamp-0001/meta")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&last.payload).unwrap()["interval_s"], 60);
    assert!(world.is_settled("lamp-0001"));
}

#[test]
fn the_same_seed_and_the_same_wishes_give_the_same_day() {
    let day = || {
        let mut world = World::new(&[], MIDNIGHT);
        world.run_until(5_000);
        world.wish("lamp-0002", json!({"dim_pct": 20}));
        world.run_until(900_000);
        (world.said, world.shadows)
    };
    assert_eq!(day(), day());
}

#[test]
fn tokens_are_unique_and_short_enough() {
    let mut world = World::new(&[], MIDNIGHT);
    world.run_until(60_000);
    let mut tokens = std::collections::HashSet::new();
    for (_, message) in world.said.iter().filter(|(_, message)| message.topic.starts_with("$aws/")) {
        let payload: Value = serde_json::from_slice(&message.payload).unwrap();
        let token = payload["clientToken"].as_str().unwrap().to_owned();
        assert!(token.len() <= CLIENT_TOKEN_BYTES && tokens.insert(token));
    }
    assert!(tokens.len() > 5);
}

#[test]
fn every_shadow_is_subscribed_to() {
    let world = World::new(&[], MIDNIGHT);
    let filters = world.crew.filters();
    assert!(filters.contains(&"$aws/things/parking-0001/shadow/update/delta".to_owned()));
    assert!(filters.contains(&"$aws/things/lamp-0002/shadow/get/accepted".to_owned()));
    assert!(filters.contains(&"$aws/things/parking-0002/shadow/get/rejected".to_owned()));
    assert!(!filters.iter().any(|filter| filter.contains('#') || filter.contains('+')), "its own and nobody else's");
}

/// A lamp and a bin under a gateway, and a lamp that speaks for itself.
fn district() -> Vec<Device> {
    let gateway: std::sync::Arc<str> = "gateway-0001".into();
    let bin = Bin { spot: spot("bin-0001"), holds: Holds::Litter };
    vec![
        Device::gateway(Mast { spot: spot(&gateway) }, 2, Dice::new(1), 30_000),
        Device::lamp(post("lamp-0001"), Dice::new(1), 10_000, MIDNIGHT).carried_by(Some(gateway.clone())),
        Device::bin(bin, Dice::new(1), 60_000).carried_by(Some(gateway)),
        Device::lamp(post("lamp-0002"), Dice::new(1), 10_000, MIDNIGHT),
    ]
}

#[test]
fn a_dead_gateway_silences_what_it_carries_and_all_come_back() {
    let (mut world, outbreak) = World::with(district(), "dead-gateway");
    let under = ["gateway-0001", "lamp-0001", "bin-0001"];
    let ill = outbreak.ill("gateway-0001").unwrap();
    let dies_ms = (0..).find(|mono_ms| ill.silent_until(*mono_ms).is_some()).unwrap();
    let back_ms = ill.silent_until(dies_ms).unwrap();
    world.run_until(dies_ms + 1_000);
    world.wish("lamp-0001", json!({"dim_pct": 40}));
    world.run_until(back_ms + 120_000);
    for thing in under {
        let spoke = world.said_by(&format!("{thing}/telemetry"));
        assert!(!spoke.iter().any(|at_ms| (dies_ms..back_ms).contains(at_ms)), "{thing}: {spoke:?}");
        assert!(spoke.iter().any(|at_ms| *at_ms < dies_ms) && spoke.iter().any(|at_ms| *at_ms >= back_ms), "{thing}");
        let again = spoke.iter().find(|at_ms| **at_ms >= back_ms).unwrap();
        assert!(again - back_ms < 10, "{thing} is back at once");
    }
    assert!(world.said_by("lamp-0002/telemetry").windows(2).skip(1).all(|pair| pair[1] - pair[0] == 10_000));
    assert_eq!(world.reported("lamp-0001")["dim_pct"], 40, "what was wanted meanwhile is done when it is back");
    let up_h = |(_, message): &(u64, Message)| {
        serde_json::from_slice::<Value>(&message.payload).unwrap()["values"]["uptime_h"].as_f64().unwrap()
    };
    let of_gateway: Vec<_> = world.said.iter().filter(|(_, m)| m.topic.ends_with("gateway-0001/telemetry")).collect();
    assert!(up_h(of_gateway.last().unwrap()) < 0.1, "it counts its uptime anew");
}

#[test]
fn a_gateway_does_not_hear_what_is_silent() {
    let (mut world, outbreak) = World::with(district().into_iter().take(3).collect(), "silence");
    let silent = outbreak.silent_under("gateway-0001").to_vec();
    world.run_until(900_000);
    let heard = world.said.iter().filter(|(_, message)| message.topic.ends_with("gateway-0001/telemetry"));
    for (at_ms, message) in heard {
        let heard = serde_json::from_slice::<Value>(&message.payload).unwrap()["values"]["heard"].as_u64().unwrap();
        let missed = silent.iter().filter(|spell| spell.is_on(*at_ms)).count() as u64;
        assert_eq!(heard, 2 - missed, "at {at_ms}");
    }
    let named = &outbreak.chosen()[0].things;
    let spoke = world.said_by(&format!("{}/telemetry", named[0]));
    assert!(spoke.windows(2).any(|pair| pair[1] - pair[0] > 170_000), "{named:?}: {spoke:?}");
}

#[test]
fn commands_are_refused_by_the_service_or_the_device_which_says_why_once() {
    // Two lamps, one for each way: enough things that two have the fault.
    let lamps = |number: usize| Device::lamp(post(&format!("lamp-{number:04}")), Dice::new(1), 10_000, MIDNIGHT);
    let (mut world, outbreak) = World::with((0..500).map(lamps).collect(), "refusal");
    let refusing = outbreak.chosen()[0].things.clone();
    let (by_service, by_device): (Vec<_>, Vec<_>) =
        refusing.iter().partition(|thing| outbreak.refused().contains(*thing));
    assert_eq!((by_service.len(), by_device.len()), (1, 1));
    world.run_until(30_000);
    refusing.iter().for_each(|thing| world.wish(thing, json!({"dim_pct": 40})));
    world.run_until(90_000);
    let document = world.shadows.document(by_service[0], None).unwrap();
    assert_eq!((document.desired.clone(), world.is_settled(by_service[0])), (None, true), "nobody wants anything");
    assert_eq!(world.reported(by_device[0])["dim_pct"], 100);
    assert_eq!(world.reported(by_device[0])["refused"], "dim_pct: under local control");
    assert!(!world.is_settled(by_device[0]));
    let updates = world.said_by(&format!("{}/shadow/update", by_device[0])).len();
    assert_eq!(updates, 2, "at the start, and the refusal");
}

#[test]
fn a_slow_device_obeys_after_half_a_minute_or_more() {
    let (mut world, outbreak) = World::with(devices(MIDNIGHT), "slow");
    let thing = outbreak.chosen()[0].things[0].clone();
    world.run_until(5_000);
    let wish = if thing.starts_with("lamp") { json!({"dim_pct": 40}) } else { json!({"barrier": "open"}) };
    world.wish(&thing, wish);
    world.run_until(29_000);
    assert!(!world.is_settled(&thing));
    world.run_until(100_000);
    assert!(world.is_settled(&thing));
}
