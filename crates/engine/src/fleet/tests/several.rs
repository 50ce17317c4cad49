//! Commands of several things at once: answers under another thing's token, forged ones, twice and in any order; and that a tick which
//! looks only at what is due leaves nothing to do for one that would look at everything.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::command::Input as Step;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const LAMPS: usize = 3;

/// As few as make commands wait for each other.
const REQUESTS: usize = 2;

/// No more than are kept of a thing.
const ASKED_MAX: u64 = 15;

#[derive(Clone, Debug)]
enum Happens {
    Asked {
        lamp: usize,
        expires_s: u64,
    },
    Cancelled(u64),
    /// A request arrives, or is lost.
    Requested(usize),
    RequestLost(usize),
    /// One of the answers, and perhaps once more later.
    Answered {
        which: usize,
        again: bool,
    },
    /// Somebody says the token of a command in an answer of another thing, or of another shadow, with the value it wants.
    Forged {
        command: u64,
        lamp: usize,
        shadow: Option<&'static str>,
        kind: ShadowTopicKind,
        version: u64,
    },
    /// A lamp does what its shadow wants, or by itself what the command of another one wants.
    Obeyed(usize),
    Copied {
        command: u64,
        lamp: usize,
    },
    LinkLost,
    LinkUp,
    PassedMs(u64),
}

fn anything() -> impl Strategy<Value = Happens> {
    use Happens as H;
    let kind = prop_oneof![
        Just(ShadowTopicKind::Accepted(Op::Update)),
        Just(ShadowTopicKind::Rejected(Op::Update)),
        Just(ShadowTopicKind::Accepted(Op::Get)),
        Just(ShadowTopicKind::Documents),
        Just(ShadowTopicKind::Delta),
    ];
    let shadow = prop_oneof![3 => Just(None), 1 => Just(Some("other"))];
    prop_oneof![
        4 => (0..LAMPS, 2_u64..40).prop_map(|(lamp, expires_s)| H::Asked { lamp, expires_s }),
        1 => (1..ASKED_MAX).prop_map(H::Cancelled),
        6 => (0_usize..3).prop_map(H::Requested),
        1 => (0_usize..3).prop_map(H::RequestLost),
        6 => (0_usize..4, prop::bool::weighted(0.2)).prop_map(|(which, again)| H::Answered { which, again }),
        4 => (1..ASKED_MAX, 0..LAMPS, shadow, kind, 1_u64..9)
            .prop_map(|(command, lamp, shadow, kind, version)| H::Forged { command, lamp, shadow, kind, version }),
        2 => (0..LAMPS).prop_map(H::Obeyed),
        2 => (1..ASKED_MAX, 0..LAMPS).prop_map(|(command, lamp)| H::Copied { command, lamp }),
        1 => Just(H::LinkLost),
        2 => Just(H::LinkUp),
        4 => (0_u64..15_000).prop_map(H::PassedMs),
    ]
}

/// Three lamps with a shadow each.
struct World {
    fleet: Fleet,
    services: Vec<Service>,
    requests: Vec<Publish>,
    answers: Vec<Input>,
    /// What each lamp ever reported.
    did: BTreeSet<(usize, u64)>,
    asked: BTreeMap<CommandId, (usize, u64)>,
    now: Now,
}

fn name(lamp: usize) -> String {
    format!("lamp-{lamp}")
}

fn lamps() -> Fleet {
    let config = FleetConfig { things_max: 10, requests_in_flight: REQUESTS, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0));
    give(&mut fleet, up(), at(1));
    for lamp in 0..LAMPS {
        give(&mut fleet, meta("lamp", &name(lamp), r#"{"interval_s":10}"#), at(1));
    }
    fleet
}

impl World {
    fn new() -> World {
        let services = (0..LAMPS).map(|_| Service { document: Document::default() }).collect();
        let (requests, answers, did, asked) = Default::default();
        World { fleet: lamps(), services, requests, answers, did, asked, now: at(1) }
    }

    fn give(&mut self, input: Input) {
        let is_tick = input == Input::Ticked;
        let effects = give(&mut self.fleet, input, self.now);
        self.requests.extend(published(&effects).into_iter().cloned());
        if is_tick {
            self.nothing_is_left();
        }
    }

    /// Looks at everything, due or not.
    fn nothing_is_left(&mut self) {
        let mut left = Effects::default();
        for id in self.fleet.commands.keys().copied().collect::<Vec<_>>() {
            self.fleet.apply(id, Step::TimePassed, self.now, &mut left);
        }
        for key in self.fleet.things_with_open_commands() {
            self.fleet.drive(key, self.now, &mut left);
        }
        self.fleet.fill_the_wire(self.now, &mut left);
        assert_eq!(left, Effects::default(), "a tick did not look at it");
    }

    fn ask(&mut self, intent: Intent) {
        self.give(Input::Asked { window: WindowId(1), request: RequestId(1), intent });
    }

    fn lamp_of(topic: &str) -> usize {
        let thing = ShadowTopic::parse(topic).unwrap().thing;
        thing.strip_prefix("lamp-").unwrap().parse().unwrap()
    }

    fn reports(&mut self, lamp: usize, value: serde_json::Value) {
        self.did.insert((lamp, value.as_u64().unwrap()));
        let service = &mut self.services[lamp];
        let said = json!({"state": {"reported": {"dim_pct": value}}}).to_string();
        let request = decode_request(Op::Update, said.as_bytes()).unwrap();
        let next = service.document.update(&request, self.now.wall.as_s()).unwrap();
        let before = std::mem::replace(&mut service.document, next);
        let documents = service::encode_documents(&before, &service.document, None);
        let topic = ShadowTopic::new(name(lamp), None, ShadowTopicKind::Documents).to_string();
        self.answers.push(telemetry(&topic, std::str::from_utf8(&documents).unwrap()));
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Asked { lamp, expires_s } => self.asked(lamp, expires_s),
            Happens::Cancelled(id) => self.ask(Intent::CancelCommand { command: CommandId(id) }),
            Happens::Requested(which) if which < self.requests.len() => {
                let request = self.requests.remove(which);
                let answers = self.services[World::lamp_of(&request.topic)].answer_one(&request, self.now);
                self.answers.extend(answers);
            }
            Happens::RequestLost(which) if which < self.requests.len() => drop(self.requests.remove(which)),
            Happens::Answered { which, again } if which < self.answers.len() => {
                let answer = self.answers.remove(which);
                if again {
                    self.answers.push(answer.clone());
                }
                self.give(answer);
            }
            Happens::Requested(_) | Happens::RequestLost(_) | Happens::Answered { .. } => {}
            Happens::Forged { command, lamp, shadow, kind, version } => {
                self.forged(CommandId(command), lamp, shadow, kind, version);
            }
            Happens::Obeyed(lamp) => {
                let wanted = self.services[lamp].document.desired.as_ref().and_then(|of| of.get("dim_pct")).cloned();
                if let Some(value) = wanted {
                    self.reports(lamp, value);
                }
            }
            Happens::Copied { command, lamp } => {
                if let Some((_, value)) = self.asked.get(&CommandId(command)).filter(|(of, _)| *of != lamp).copied() {
                    self.reports(lamp, value.into());
                }
            }
            Happens::LinkLost => {
                self.requests.clear();
                self.answers.clear();
                self.give(down());
            }
            Happens::LinkUp => {
                if self.fleet.up_since.is_none() {
                    self.give(up());
                }
            }
            Happens::PassedMs(ms) => {
                self.now = Now { wall: self.now.wall.plus(ms as i64), mono: self.now.mono.plus(ms) };
                self.give(Input::Ticked);
            }
        }
    }

    fn asked(&mut self, lamp: usize, expires_s: u64) {
        // A value that no other command wants.
        let value = self.asked.len() as u64 + 1;
        if value > ASKED_MAX {
            return;
        }
        let thing = self.fleet.by_name[name(lamp).as_str()];
        let document = self.fleet.things[&thing].shadows.get("").and_then(|shadow| shadow.document.as_ref());
        let desired = document.and_then(|document| document.open().desired);
        let seen_json = desired.and_then(|desired| desired.get("dim_pct").map(ToString::to_string));
        let wish = Wish { pointer: "/dim_pct".into(), value_json: value.to_string(), seen_json };
        let expires_in_ms = Some(expires_s * 1_000);
        self.ask(Intent::Command { thing, shadow: String::new(), wishes: vec![wish], expires_in_ms });
        self.asked.insert(CommandId(value), (lamp, value));
    }

    /// Only the token and the value are the command's; topic, version and all the rest are not.
    fn forged(&mut self, id: CommandId, lamp: usize, shadow: Option<&str>, kind: ShadowTopicKind, version: u64) {
        let Some((of, value)) = self.asked.get(&id).copied() else { return };
        if of == lamp && shadow.is_none() {
            return;
        }
        let token = self.fleet.commands[&id].token.clone();
        let both = json!({"desired": {"dim_pct": value}, "reported": {"dim_pct": value}});
        let whole = json!({"state": both, "metadata": {}, "version": version});
        let payload = if kind == ShadowTopicKind::Documents {
            json!({"previous": whole, "current": whole, "timestamp": 1, "clientToken": token})
        } else if kind == ShadowTopicKind::Rejected(Op::Update) {
            json!({"code": 400, "message": "no", "timestamp": 1, "clientToken": token})
        } else {
            json!({"state": both, "metadata": {}, "version": version, "timestamp": 1, "clientToken": token})
        };
        let topic = ShadowTopic::new(name(lamp), shadow.map(str::to_owned), kind).to_string();
        // What is forged of a lamp's own shadow is as good as true for those commands of that lamp which want this value: none does.
        self.give(telemetry(&topic, &payload.to_string()));
    }

    /// Everything arrives from now on, nobody forges, the lamps do nothing more, and time passes.
    fn comes_to_rest(&mut self) {
        self.happens(Happens::LinkUp);
        for _ in 0..120 {
            while !self.requests.is_empty() || !self.answers.is_empty() {
                let answered = Happens::Answered { which: 0, again: false };
                self.happens(if self.answers.is_empty() { Happens::Requested(0) } else { answered });
            }
            self.happens(Happens::PassedMs(1_000));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_command_settles_on_anothers_report_or_is_lost_whatever_is_forged_and_what_is_due_is_all_there_is(
        happens in proptest::collection::vec(anything(), 1..80),
    ) {
        let mut world = World::new();
        for what in happens {
            let before: BTreeMap<CommandId, Phase> =
                world.fleet.commands.iter().map(|(id, command)| (*id, command.phase.clone())).collect();
            world.happens(what.clone());
            prop_assert_eq!(world.fleet.commands.len(), world.asked.len(), "one is lost by {:?}", what);
            for (id, command) in &world.fleet.commands {
                let (lamp, value) = world.asked[id];
                prop_assert_eq!(command.wants[0].value.as_u64(), Some(value), "by {:?}", what);
                let was = before.get(id);
                let settles = command.phase == Phase::Settled && was.is_some_and(|was| *was != Phase::Settled);
                prop_assert!(!settles || world.did.contains(&(lamp, value)), "{command:?} by {what:?}");
                // Whoever says a token where it means nothing does nothing to its command.
                let is_forged = matches!(&what, Happens::Forged { command, .. } if command == &id.0);
                prop_assert!(!is_forged || was == Some(&command.phase), "{was:?} → {command:?} by {what:?}");
            }
        }
        world.comes_to_rest();
        let open: Vec<&Command> = world.fleet.commands.values().filter(|command| command.phase.is_open()).collect();
        prop_assert!(open.is_empty(), "{open:?} do not end");
        prop_assert_eq!(world.fleet.commands.len(), world.asked.len());
        prop_assert_eq!(world.fleet.waiting_commands(), 0);
    }
}
