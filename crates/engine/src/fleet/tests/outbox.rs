//! Commands, whatever happens to them: requests and answers that are lost, late or there twice, a link that falls, a program that is
//! killed before or after its rows are on the disk, a device that obeys when it likes and speaks of other things. Of requests only the
//! order is kept, as brokers keep that of one connection.

use std::collections::BTreeMap;

use fleetlens_model::command::Step;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// No more than are kept of a thing.
const ASKED_MAX: u64 = 15;

#[derive(Clone, Debug)]
enum Happens {
    /// One of two leaves is wanted otherwise; the program may be killed right then, before or after the commit.
    Asked {
        dims: bool,
        expires_s: u64,
        killed: Option<bool>,
    },
    Cancelled(u64),
    Edited(u64),
    /// The oldest request arrives, or is lost.
    Requested,
    RequestLost,
    /// One of the answers, in any order, and perhaps once more later.
    Answered {
        which: usize,
        again: bool,
    },
    AnswerLost(usize),
    /// The device does what is wanted of one of the leaves.
    Obeyed {
        dims: bool,
    },
    /// It speaks of something else.
    SpokeOfOthers,
    LinkLost,
    LinkUp,
    Restarted,
    Passed(u64),
}

fn anything() -> impl Strategy<Value = Happens> {
    use Happens as H;
    let killed = prop_oneof![6 => Just(None), 1 => any::<bool>().prop_map(Some)];
    prop_oneof![
        4 => (any::<bool>(), 2_u64..40, killed).prop_map(|(dims, expires_s, killed)| H::Asked { dims, expires_s, killed }),
        1 => (1..ASKED_MAX).prop_map(H::Cancelled),
        1 => (1..ASKED_MAX).prop_map(H::Edited),
        6 => Just(H::Requested),
        1 => Just(H::RequestLost),
        6 => (0_usize..4, prop::bool::weighted(0.2)).prop_map(|(which, again)| H::Answered { which, again }),
        1 => (0_usize..4).prop_map(H::AnswerLost),
        2 => any::<bool>().prop_map(|dims| H::Obeyed { dims }),
        1 => Just(H::SpokeOfOthers),
        1 => Just(H::LinkLost),
        2 => Just(H::LinkUp),
        1 => Just(H::Restarted),
        3 => (0_u64..15).prop_map(H::Passed),
    ]
}

struct World {
    fleet: Fleet,
    service: Service,
    /// What the disk holds.
    disk: BTreeMap<CommandId, Command>,
    requests: Vec<Publish>,
    answers: Vec<Input>,
    /// Values that the device took, by leaf.
    did: Vec<(&'static str, serde_json::Value)>,
    /// What the service took of each token.
    taken: Vec<(String, String)>,
    now_s: u64,
    values: u64,
}

impl World {
    fn new() -> World {
        let (fleet, service) = with_lamp();
        let (disk, requests, answers, did, taken) = Default::default();
        World { fleet, service, disk, requests, answers, did, taken, now_s: 2, values: 0 }
    }

    fn now(&self) -> Now {
        at(self.now_s)
    }

    /// Gives an input and performs what comes of it: first the rows, then the messages.
    fn give(&mut self, input: Input) {
        let now = self.now();
        let effects = give(&mut self.fleet, input, now);
        self.commit(&effects);
        self.requests.extend(published(&effects).into_iter().cloned());
    }

    fn commit(&mut self, effects: &Effects) {
        for write in &effects.writes {
            if let Write::Command(row) = write {
                self.disk.insert(row.id, (**row).clone());
            }
        }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Asked { dims, expires_s, killed } => {
                if self.values < ASKED_MAX {
                    self.asked(dims, expires_s, killed);
                }
            }
            Happens::Cancelled(id) => self.ask(Intent::CancelCommand { command: CommandId(id) }),
            Happens::Edited(id) => {
                let Some(command) = self.fleet.commands.get(&CommandId(id)) else { return };
                let (pointer, value) = (command.wants[0].pointer.clone(), 50 + id);
                let values = vec![(pointer, value.to_string())];
                self.ask(Intent::EditCommand { command: CommandId(id), values, expires_in_ms: None });
            }
            Happens::Requested if !self.requests.is_empty() => {
                let request = self.requests.remove(0);
                let before = self.service.document.version;
                let answers = self.service.answer_one(&request, self.now());
                if request.topic.ends_with("/update") && self.service.document.version > before {
                    let body: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
                    self.taken.push((body["clientToken"].to_string(), body["state"]["desired"].to_string()));
                }
                self.answers.extend(answers);
            }
            Happens::RequestLost if !self.requests.is_empty() => drop(self.requests.remove(0)),
            Happens::Answered { which, again } if which < self.answers.len() => {
                let answer = self.answers.remove(which);
                if again {
                    self.answers.push(answer.clone());
                }
                self.give(answer);
            }
            Happens::AnswerLost(which) if which < self.answers.len() => drop(self.answers.remove(which)),
            Happens::Requested | Happens::RequestLost | Happens::Answered { .. } | Happens::AnswerLost(_) => {}
            Happens::Obeyed { dims } => {
                let leaf = if dims { "dim_pct" } else { "interval_s" };
                let wanted = self.service.document.desired.as_ref().and_then(|desired| desired.get(leaf)).cloned();
                if let Some(value) = wanted {
                    self.did.push((leaf, value.clone()));
                    let said = self.service.report(json!({ "reported": { leaf: value } }), self.now());
                    self.answers.push(said);
                }
            }
            Happens::SpokeOfOthers => {
                let said = self.service.report(json!({ "reported": { "uptime_s": self.now_s } }), self.now());
                self.answers.push(said);
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
            Happens::Restarted => self.restart(),
            Happens::Passed(s) => {
                self.now_s += s;
                self.give(Input::Ticked);
            }
        }
    }

    fn ask(&mut self, intent: Intent) {
        self.give(Input::Asked { window: WindowId(1), request: RequestId(1), intent });
    }

    fn asked(&mut self, dims: bool, expires_s: u64, killed: Option<bool>) {
        self.values += 1;
        // A value that nothing else is: of the leaf and of the order.
        let (pointer, value) = if dims { ("/dim_pct", self.values) } else { ("/interval_s", 5 * self.values) };
        let shown = self.fleet.things[&ThingKey(1)].shadows.get("").and_then(|shadow| shadow.document.as_ref());
        let desired = shown.and_then(|document| document.open().desired);
        let seen_json =
            desired.and_then(|desired| desired.get(pointer.trim_start_matches('/')).map(ToString::to_string));
        let wish = Wish { pointer: pointer.into(), value_json: value.to_string(), seen_json };
        let expires_in_ms = Some(expires_s * 1_000);
        let intent = Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms };
        let Some(is_committed) = killed else { return self.ask(intent) };
        let input = Input::Asked { window: WindowId(1), request: RequestId(1), intent };
        let now = self.now();
        let effects = give(&mut self.fleet, input, now);
        if is_committed {
            self.commit(&effects);
        }
        self.restart();
    }

    /// Killed and started again: what was on its way to the service may still arrive, what was on its way to us is gone.
    fn restart(&mut self) {
        let lamp = &self.fleet.things[&ThingKey(1)];
        let shadows = lamp
            .shadows
            .iter()
            .filter_map(|(name, shadow)| Some((ThingKey(1), name.clone(), shadow.document.clone()?, self.now().wall)));
        let restored = Restored {
            installation: 0xabc,
            things: vec![(ThingKey(1), lamp.name.clone(), lamp.meta.clone())],
            shadows: shadows.collect(),
            commands: self.disk.values().cloned().collect(),
            last_command: self.disk.keys().last().map_or(0, |id| id.0),
            ..Restored::default()
        };
        self.answers.clear();
        self.fleet = Fleet::new(config(Role::Operator), restored, self.now());
    }

    /// Everything arrives from now on, in order, the device does nothing more, and time passes.
    fn comes_to_rest(&mut self) {
        self.happens(Happens::LinkUp);
        for _ in 0..80 {
            while !self.requests.is_empty() || !self.answers.is_empty() {
                let what = if self.answers.is_empty() {
                    Happens::Requested
                } else {
                    Happens::Answered { which: 0, again: false }
                };
                self.happens(what);
            }
            self.happens(Happens::Passed(1));
        }
    }

    fn wanted_value(&self, command: &Command) -> Option<(&'static str, serde_json::Value)> {
        let want = command.wants.first()?;
        Some((if want.pointer == "/dim_pct" { "dim_pct" } else { "interval_s" }, want.value.clone()))
    }
}

proptest! {
    #[test]
    fn whatever_happens_no_command_is_lost_or_ends_twice_or_settles_on_what_was_not_done(happens in proptest::collection::vec(anything(), 1..90)) {
        let mut world = World::new();
        for what in happens {
            let before: BTreeMap<CommandId, Phase> = world.disk.iter().map(|(id, c)| (*id, c.phase.clone())).collect();
            world.happens(what.clone());
            for (id, was) in before {
                let command = world.fleet.commands.get(&id);
                prop_assert!(command.is_some(), "{id:?} is lost by {what:?}");
                let is = &command.unwrap().phase;
                // What is taken back may turn out to have been done, or to be wanted still.
                let goes_on = was.is_open()
                    || matches!((&was, is), (Phase::Expired { .. }, Phase::Expired { .. }) | (Phase::Cancelled { .. }, Phase::Cancelled { .. }));
                prop_assert!(goes_on || was == *is, "{id:?} was {was:?} and is {is:?} by {what:?}");
                prop_assert!(is.is_waiting() <= was.is_waiting(), "{id:?} was {was:?} and waits again by {what:?}");
            }
            for command in world.fleet.commands.values().filter(|command| command.phase == Phase::Settled) {
                let was_done = world.wanted_value(command).is_some_and(|value| world.did.contains(&value));
                prop_assert!(was_done, "{command:?} by {what:?}; the device did {:?}", world.did);
            }
        }
        world.comes_to_rest();
        let mut taken = world.taken.clone();
        taken.sort();
        taken.dedup();
        prop_assert_eq!(taken.len(), world.taken.len(), "taken twice: {:?}", world.taken);
        let desired = world.service.document.desired.clone().unwrap_or_default();
        for command in world.fleet.commands.values() {
            prop_assert!(!command.phase.is_open(), "{command:?} does not end");
            let Some((leaf, value)) = world.wanted_value(command) else { continue };
            let left = command.at(Step::Sent).is_some();
            prop_assert!(left || !world.did.contains(&(leaf, value.clone())), "{command:?} never left, and was done");
            // What arrived late, after it was looked for and not found, may have been done; then nothing is put back.
            let was_done = world.did.contains(&(leaf, value.clone()));
            let was_taken_back = !was_done && command.at(Step::Withdrawn).is_some();
            let is_over = !left || was_taken_back;
            prop_assert!(!is_over || desired.get(leaf) != Some(&value), "{command:?} is over, and {desired:?} is wanted");
        }
    }
}
