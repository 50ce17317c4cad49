//! The demo city's devices and its shadow service on a broker of the test's, and what each device did, by its own record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_link::{Event, Events, Link, LinkConfig, NotSent, Protocol};
use fleetlens_sim::crew::{Crew, Moment, Pace};
use fleetlens_sim::dice::Dice;
use fleetlens_sim::faults::Outbreak;
use fleetlens_sim::shadows::Shadows;
use fleetlens_sim::{BrokerAt, CityOptions, Message, ShadowService, devices};
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::lamp::now_ms;
use crate::peer::Peer;

/// How fast they come in: the whole town within some seconds.
const PACE: Pace = Pace { messages_per_s: 500.0, greetings_per_s: 250.0, asks_again_ms: 5_000 };
/// While something waits for room at the link, look again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Things the devices do before their connection is looked at again.
const AT_ONCE: usize = 64;

/// A leaf of a device's classic shadow took another value.
#[derive(Clone, Debug, PartialEq)]
pub struct Did {
    /// When it said so, epoch milliseconds.
    pub at_ms: i64,
    /// The leaf as a JSON pointer.
    pub pointer: String,
    /// What it has now.
    pub value: Value,
}

/// Living devices, and what each did.
pub struct Town {
    service: ShadowService,
    link: Link,
    living: JoinHandle<()>,
    record: Arc<Mutex<BTreeMap<String, Vec<Did>>>>,
    /// Hears what the service accepts.
    onlooker: Peer,
    /// Their names.
    pub names: Vec<String>,
    /// Those of them that a fault of the options struck.
    pub struck: BTreeSet<String>,
}

impl Town {
    /// Devices and service on a broker; resolves when the service answers. Of the options its size, seed, stuck devices and faults.
    pub async fn start(url: &str, options: &CityOptions) -> Town {
        let (dice, began) = (Dice::new(options.seed), Instant::now());
        let all = devices(options, dice, now_ms()).expect("a town of this size");
        let outbreak = Outbreak::of(&all, &options.faults, dice);
        let at = BrokerAt { url: url.to_owned(), credentials: None };
        let shadows = Shadows::default().refusing(outbreak.refused().clone());
        let mut service = ShadowService::start(&at, shadows).expect("the shadow service can be");
        service.ready().await;
        let onlooker = Peer::connect(url, "onlooker", &["$aws/things/+/shadow/update/accepted"]).await;

        let names: Vec<String> = all.iter().map(|device| device.thing().to_owned()).collect();
        let struck = names.iter().filter(|name| {
            outbreak.ill(name).is_some() || outbreak.refused().contains(*name) || options.stuck.contains(*name)
        });
        let struck = struck.cloned().collect();
        let crew = Crew::new(all, &options.stuck, &outbreak, PACE, dice);
        let config = LinkConfig {
            protocol: Protocol::V4,
            clean_start: true,
            filters: crew.filters().into_iter().map(|filter| (filter, 1)).collect(),
            ..LinkConfig::new(url, "test-town".to_owned())
        };
        let (link, events) = Link::start(config).expect("the devices can be");
        let record = Arc::new(Mutex::new(BTreeMap::new()));
        let life =
            Life { crew, link: link.clone(), began, is_up: false, said: VecDeque::new(), record: record.clone() };
        Town { service, link, living: tokio::spawn(life.run(events)), record, onlooker, names, struck }
    }

    /// The names of the devices of such a town, before it lives.
    pub fn names(options: &CityOptions) -> Vec<String> {
        let all = devices(options, Dice::new(options.seed), now_ms()).expect("a town of this size");
        all.iter().map(|device| device.thing().to_owned()).collect()
    }

    /// What a device did so far, oldest first: its first values, and then each that differs from the one before it.
    pub fn did(&self, name: &str) -> Vec<Did> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }

    /// What the service accepted more than once, as far as somebody on the broker could hear it: the same wish with the same token.
    pub fn accepted_again(&self) -> Vec<String> {
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        self.onlooker.count(|message| {
            let accepted: Value = serde_json::from_slice(&message.payload).expect("the service says JSON");
            let desired = &accepted["state"]["desired"];
            if !desired.is_null() {
                *times.entry(format!("{} {desired} {}", message.topic, accepted["clientToken"])).or_default() += 1;
            }
            true
        });
        times
            .into_iter()
            .filter(|(_, times)| *times > 1)
            .map(|(what, times)| format!("{what}: {times} times"))
            .collect()
    }

    /// Ends it; gives the shadows as they are.
    pub async fn stop(self) -> Shadows {
        self.onlooker.leave().await;
        self.link.stop().await;
        self.living.await.expect("the devices lived to their end");
        self.service.stop().await
    }
}

struct Life {
    crew: Crew,
    link: Link,
    began: Instant,
    is_up: bool,
    said: VecDeque<Message>,
    record: Arc<Mutex<BTreeMap<String, Vec<Did>>>>,
}

impl Life {
    async fn run(mut self, mut events: Events) {
        let mut out = Vec::new();
        loop {
            let due_ms = self.crew.next_due_ms().filter(|_| self.is_up && self.said.is_empty());
            let due = self.began + Duration::from_millis(due_ms.unwrap_or_default());
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => self.hear(event, &mut out),
                    None => return,
                },
                () = tokio::time::sleep(LOOK_AGAIN), if !self.said.is_empty() => {}
                () = tokio::time::sleep_until(due.into()), if due_ms.is_some() => {
                    let now = self.now();
                    self.crew.work(now, AT_ONCE, &mut out);
                }
            }
            out.iter().for_each(|message| self.note(message));
            self.said.extend(out.drain(..));
            self.say();
        }
    }

    fn hear(&mut self, event: Event, out: &mut Vec<Message>) {
        match event {
            Event::Up { .. } => {
                self.is_up = true;
                let now = self.now();
                self.crew.connected(now);
            }
            Event::Down { .. } => {
                self.is_up = false;
                self.said.clear();
                self.crew.disconnected();
            }
            Event::Received(message) => {
                if !message.retained {
                    let now = self.now();
                    self.crew.hear(&message.topic, &message.payload, now, out);
                }
                if let Some(delivery) = message.delivery {
                    self.link.acknowledge(delivery);
                }
            }
            Event::Connecting { .. } | Event::Acknowledged { .. } | Event::Shed { .. } => {}
            Event::Refused { topic, reason, .. } => panic!("the broker refused {topic}: {reason}"),
        }
    }

    fn say(&mut self) {
        while let Some(message) = self.said.front() {
            match self.link.try_publish(message.topic.clone(), message.payload.clone(), 1, message.retain) {
                Ok(()) => _ = self.said.pop_front(),
                Err(NotSent::Full { .. }) => return,
                Err(NotSent::Down) => self.said.clear(),
                Err(e @ (NotSent::TooLarge { .. } | NotSent::Topic(_) | NotSent::Qos(_))) => panic!("{e}"),
            }
        }
    }

    /// A device reports what it is at the moment at which it became so; whether that arrives is another matter.
    fn note(&self, message: &Message) {
        let Ok(topic) = ShadowTopic::parse(&message.topic) else { return };
        if topic.kind != ShadowTopicKind::Request(Op::Update) || topic.shadow.is_some() {
            return;
        }
        let report: Value = serde_json::from_slice(&message.payload).expect("a device says JSON");
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let did = record.entry(topic.thing).or_default();
        for (leaf, value) in report["state"]["reported"].as_object().into_iter().flatten() {
            let pointer = format!("/{leaf}");
            let last = did.iter().rev().find(|did| did.pointer == pointer);
            if last.is_none_or(|last| last.value != *value) {
                did.push(Did { at_ms: now_ms(), pointer, value: value.clone() });
            }
        }
    }

    fn now(&self) -> Moment {
        let mono_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall_ms = now_ms();
        Moment { mono_ms, wall_ms, sim_ms: wall_ms }
    }
}
