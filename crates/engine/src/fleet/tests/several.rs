//! Commands of several things at once: answers under another thing's token, forged ones, twice and in any order; and that a tick which
//! looks only at what is due leaves nothing to do for one that would look at everything.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_model::command::{Attempt, Input as Step};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const LAMPS: usize = 3;

/// As few as make commands wait for each other.
const REQUESTS: usize = 2;

/// So few that more are due at the same moment than one tick looks at.
const FEW_A_TICK: usize = 2;

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
    /// The wall clock is set; the other goes on.
    SetMs(i64),
    /// The app is killed after what it kept was on the disk, and started.
    Restarted,
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
        1 => (-40_000_i64..40_000).prop_map(H::SetMs),
        1 => Just(H::Restarted),
    ]
}

/// Three lamps with a shadow each.
struct World {
    fleet: Fleet,
    /// Is told the same, and looks at everything after each tick, due or not.
    twin: Fleet,
    /// What is on the disk of the commands.
    kept: BTreeMap<CommandId, Command>,
    due_a_tick: usize,
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

fn start(restored: Restored, due_a_tick: usize, now: Now) -> Fleet {
    let config = FleetConfig { things_max: 10, requests_in_flight: REQUESTS, ..config(Role::Operator) };
    let mut fleet = Fleet::new(config, Restored { installation: 0xabc, ..restored }, now);
    fleet.open.due_a_tick = due_a_tick;
    fleet
}

fn lamps(due_a_tick: usize) -> Fleet {
    let mut fleet = start(Restored::default(), due_a_tick, at(0));
    give(&mut fleet, up(), at(1));
    for lamp in 0..LAMPS {
        give(&mut fleet, meta("lamp", &name(lamp), r#"{"interval_s":10}"#), at(1));
    }
    fleet
}

impl World {
    fn new(due_a_tick: usize) -> World {
        let services = (0..LAMPS).map(|_| Service { document: Document::default() }).collect();
        let (requests, answers, did, asked, kept) = Default::default();
        let (fleet, twin) = (lamps(due_a_tick), lamps(due_a_tick));
        World { fleet, twin, kept, due_a_tick, services, requests, answers, did, asked, now: at(1) }
    }

    fn give(&mut self, input: Input) {
        let effects = give(&mut self.fleet, input.clone(), self.now);
        give(&mut self.twin, input, self.now);
        self.requests.extend(published(&effects).into_iter().cloned());
        for write in effects.writes {
            if let Write::Command(command) = write {
                self.kept.insert(command.id, *command);
            }
        }
    }

    /// As many ticks as the commands that are due need, none of them twice; then nothing is left for who looks at everything.
    fn ticks(&mut self) {
        let due = self.fleet.commands.values().filter(|command| {
            let (mono, wall) = command.due();
            mono.is_some_and(|at| at <= self.now.mono) || wall.is_some_and(|at| at <= self.now.wall)
        });
        let ticks = due.count().div_ceil(self.due_a_tick).max(1);
        for _ in 0..ticks {
            self.give(Input::Ticked);
        }
        self.nothing_is_left();
    }

    /// The twin looks at everything, due or not, and is none the wiser.
    fn nothing_is_left(&mut self) {
        let mut left = Effects::default();
        for id in self.twin.commands.keys().copied().collect::<Vec<_>>() {
            self.twin.apply(id, Step::TimePassed, self.now, &mut left);
        }
        for key in self.twin.things_with_open_commands() {
            self.twin.drive(key, self.now, &mut left);
        }
        self.twin.fill_the_wire(self.now, &mut left);
        assert_eq!(left, Effects::default(), "a tick did not look at it");
        // Where it stands, what is on the wire, and what waits for room.
        assert_eq!(self.fleet.commands, self.twin.commands, "a tick left something that has no effect yet");
        assert_eq!(self.fleet.requests(), self.twin.requests());
    }

    /// Both begin with what is kept; the other clock begins anew with the machine.
    fn restarts(&mut self) {
        self.requests.clear();
        self.answers.clear();
        let things = self.fleet.things.values().map(|thing| (thing.key, thing.name.clone(), thing.meta.clone()));
        let things: Vec<_> = things.collect();
        // A row has neither what is on the wire nor the clock of a run.
        let commands: Vec<Command> = self
            .kept
            .values()
            .cloned()
            .map(|command| Command { attempt: Attempt::Idle, deadline: None, ..command })
            .collect();
        self.now.mono = at(0).mono;
        let last_command = self.asked.len() as u64;
        for fleet in [&mut self.fleet, &mut self.twin] {
            let (things, commands) = (things.clone(), commands.clone());
            let restored = Restored { things, commands, last_command, ..Restored::default() };
            *fleet = start(restored, self.due_a_tick, self.now);
        }
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
                self.ticks();
            }
            Happens::SetMs(ms) => {
                self.now.wall = self.now.wall.plus(ms);
                self.ticks();
            }
            Happens::Restarted => self.restarts(),
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
        let is_open = |fleet: &Fleet| fleet.commands.values().any(|command| command.phase.is_open());
        // A clock that was set back again and again, before a restart, moves an end as far away as all of that together.
        for second in 0..4_000 {
            if second >= 120 && !is_open(&self.fleet) {
                break;
            }
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
        few in any::<bool>(),
    ) {
        let mut world = World::new(if few { FEW_A_TICK } else { usize::MAX });
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
                // Whoever says a token where it means nothing does nothing to its command; it may leave by itself where what is forged
                // is an answer to another one, which is on the wire no more.
                let is_forged = matches!(&what, Happens::Forged { command, .. } if command == &id.0);
                let leaves = was == Some(&Phase::Pending) && command.phase == Phase::Sent;
                prop_assert!(!is_forged || leaves || was == Some(&command.phase), "{was:?} → {command:?} by {what:?}");
            }
        }
        world.comes_to_rest();
        let open: Vec<&Command> = world.fleet.commands.values().filter(|command| command.phase.is_open()).collect();
        prop_assert!(open.is_empty(), "{open:?} do not end");
        prop_assert_eq!(world.fleet.commands.len(), world.asked.len());
        prop_assert_eq!(world.fleet.waiting_commands(), 0);
    }
}
