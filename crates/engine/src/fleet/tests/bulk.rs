//! Bulk commands: what would happen, what is released when, and what a restart, a lost link and failures do to them.

mod again;
mod held;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_ipc::rows::DryRun;
use fleetlens_ipc::{FaultCode, Only, Search, Steer};
use fleetlens_model::audit::{By, Event};
use fleetlens_model::bulk::{self, Counts, Order, Progress, Rollout, State, Target};
use fleetlens_model::id::BulkId;
use proptest::prelude::*;

use super::audit::entries;
use super::*;

/// Lamps, each with its shadow at a service of their own.
struct City {
    fleet: Fleet,
    services: BTreeMap<String, Service>,
}

fn lamp_name(number: usize) -> String {
    format!("lamp-{number}")
}

fn a_shadow() -> Service {
    let said = serde_json::json!({"state":{"desired":{"dim_pct":100},"reported":{"dim_pct":100}}});
    let request = decode_request(Op::Update, said.to_string().as_bytes()).unwrap();
    Service { document: Document::default().update(&request, 1).unwrap() }
}

fn city_of(lamps: usize, restored: Restored, now: Now) -> City {
    let config = FleetConfig { things_max: 100, ..config(Role::Operator) };
    let fleet = Fleet::new(config, Restored { installation: 0xabc, ..restored }, now);
    let services = (1..=lamps).map(lamp_name).map(|name| (name, a_shadow())).collect();
    City { fleet, services }
}

/// Lamps that were just heard of; nobody has asked for their shadows yet.
fn city(lamps: usize) -> City {
    let mut city = city_of(lamps, Restored::default(), at(0));
    give(&mut city.fleet, up(), at(0));
    for number in 1..=lamps {
        give(&mut city.fleet, meta("lamp", &lamp_name(number), r#"{"interval_s":60}"#), at(0));
        give(&mut city.fleet, says("lamp", &lamp_name(number), 0, r#"{"power_w":80}"#), at(0));
    }
    city
}

impl City {
    /// Gives an input, lets the services answer until nobody says anything more, and gives everything that came of it.
    fn give(&mut self, input: Input, now: Now) -> Effects {
        let mut all = give(&mut self.fleet, input, now);
        let mut news = all.clone();
        loop {
            let answers: Vec<Input> = published(&news).into_iter().flat_map(|one| self.answer(one, now)).collect();
            if answers.is_empty() {
                return all;
            }
            news = Effects::default();
            answers.into_iter().for_each(|answer| self.fleet.handle(answer, now, &mut news));
            all.writes.extend(news.writes.iter().cloned());
            all.outward.extend(news.outward.iter().cloned());
        }
    }

    fn answer(&mut self, publish: &Publish, now: Now) -> Vec<Input> {
        let topic = ShadowTopic::parse(&publish.topic).unwrap();
        self.services.get_mut(&topic.thing).map(|service| service.answer_one(publish, now)).unwrap_or_default()
    }

    fn ask(&mut self, intent: Intent, now: Now) -> (Result<Done, Fault>, Effects) {
        let effects = self.give(Input::Asked { window: WindowId(1), request: RequestId(1), intent }, now);
        let answer = effects.outward.iter().find_map(|outward| {
            if let Outward::Answer { outcome, .. } = outward { Some(outcome.clone()) } else { None }
        });
        (answer.unwrap(), effects)
    }

    fn start(&mut self, order: Order, now: Now) -> BulkId {
        match self.ask(Intent::Bulk(Box::new(order)), now).0 {
            Ok(Done::Bulk(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn dry_run(&mut self, order: Order, now: Now) -> DryRun {
        match self.ask(Intent::DryRun(Box::new(order)), now).0 {
            Ok(Done::DryRun(run)) => *run,
            other => panic!("{other:?}"),
        }
    }

    /// The lamp obeys what its shadow wants.
    fn obeys(&mut self, number: usize, now: Now) {
        let name = lamp_name(number);
        let service = self.services.get_mut(&name).unwrap();
        let wanted = service.document.desired.as_ref().unwrap()["dim_pct"].clone();
        let report = reported(service, &name, serde_json::json!({"reported":{"dim_pct":wanted}}), now);
        self.give(report, now);
    }

    fn counts(&self, id: BulkId) -> Counts {
        self.fleet.bulks.get(id).unwrap().counts()
    }

    fn state(&self, id: BulkId) -> State {
        self.fleet.bulks.get(id).unwrap().head().state.clone()
    }

    /// What the cache would bring back: the last row of everything.
    fn restored(&self) -> Restored {
        let thing = |thing: &Thing| (thing.key, thing.name.clone(), thing.meta.clone());
        Restored {
            installation: 0xabc,
            things: self.fleet.things.values().map(thing).collect(),
            commands: self.fleet.commands.values().cloned().collect(),
            last_command: self.fleet.last_command,
            bulks: self.fleet.bulks.newest().map(|bulk| (bulk.head().clone(), bulk.rows().to_vec())).collect(),
            ..Restored::default()
        }
    }
}

fn reported(service: &mut Service, name: &str, json: serde_json::Value, now: Now) -> Input {
    let request = decode_request(Op::Update, serde_json::json!({ "state": json }).to_string().as_bytes()).unwrap();
    let next = service.document.update(&request, now.wall.as_s()).unwrap();
    let before = std::mem::replace(&mut service.document, next);
    let documents = service::encode_documents(&before, &service.document, None);
    let topic = ShadowTopic::new(name, None, ShadowTopicKind::Documents).to_string();
    telemetry(&topic, &String::from_utf8(documents).unwrap())
}

fn order(target: Target, batch: u32) -> Order {
    Order {
        target,
        shadow: String::new(),
        wishes: vec![bulk::Wish { pointer: "/dim_pct".into(), value_json: "40".into() }],
        expires_in_ms: Some(60_000),
        rollout: Rollout { batch, every_s: 10, abort_at_pct: Some(50), abort_after: 2 },
        continuous: false,
    }
}

fn lamps() -> Target {
    Target::Search(Search { kinds: vec![Kind::Lamp], ..Search::default() })
}

fn command_of(progress: &Progress) -> Option<CommandId> {
    if let Progress::Asked { command, .. } = progress { Some(*command) } else { None }
}

/// The names of the things that were asked to change.
fn asked(effects: &Effects) -> Vec<String> {
    let updates = published(effects).into_iter().filter(|one| one.topic.ends_with("/update"));
    updates.map(|one| ShadowTopic::parse(&one.topic).unwrap().thing).collect()
}

#[test]
fn a_dry_run_says_who_what_and_why_not_and_asks_nothing() {
    let mut city = city(4);
    give(&mut city.fleet, meta("bin", "bin-1", r#"{"name":"Bin 1"}"#), at(0));
    // One is so already, one has been silent for long, and the bin cannot be dimmed.
    let service = city.services.get_mut("lamp-2").unwrap();
    let so =
        reported(service, "lamp-2", serde_json::json!({"desired":{"dim_pct":40},"reported":{"dim_pct":40}}), at(1));
    city.give(so, at(1));
    for s in 2..400 {
        city.give(Input::Ticked, at(s));
        for number in [1, 2, 4] {
            give(&mut city.fleet, says("lamp", &lamp_name(number), s, r#"{"power_w":80}"#), at(s));
        }
    }
    let everything = Target::Search(Search::default());
    assert_eq!(city.dry_run(order(everything.clone(), 2), at(399)).unread, 4);
    city.give(Input::Ticked, at(400));
    let (answer, effects) = city.ask(Intent::DryRun(Box::new(order(everything, 2))), at(400));
    let Ok(Done::DryRun(run)) = answer else { panic!("{answer:?}") };
    assert!(effects.writes.is_empty() && published(&effects).is_empty(), "{effects:?}");
    assert_eq!((run.things, run.changes, run.offline, run.same, run.cannot), (5, 3, 1, 1, 1));
    assert_eq!(run.unread, 1, "nobody answers for the bin");
    assert_eq!(run.reasons, [("it has nothing that is set at /dim_pct".to_owned(), 1)]);
    let rows: Vec<_> = run.rows.iter().map(|row| (row.title.as_str(), row.offline, row.cannot.is_some())).collect();
    assert_eq!(
        rows,
        [("Bin 1", false, true), ("lamp-3", true, false), ("lamp-1", false, false), ("lamp-4", false, false)]
    );
    assert_eq!(run.rows[2].changes, [("/dim_pct".to_owned(), Some("100".to_owned()), "40".to_owned())]);
}

#[test]
fn things_are_asked_a_batch_after_the_other_and_each_row_is_written_with_its_command() {
    let mut city = city(5);
    let id = city.start(order(lamps(), 2), at(1));
    let mut asked_at: Vec<(u64, Vec<String>)> = Vec::new();
    for s in 1..40 {
        let effects = city.give(Input::Ticked, at(s));
        let commands: BTreeSet<CommandId> = effects
            .writes
            .iter()
            .filter_map(|write| if let Write::Command(command) = write { Some(command.id) } else { None })
            .collect();
        let mut rows = BTreeSet::new();
        for write in &effects.writes {
            let Write::BulkRows { rows: written, .. } = write else { continue };
            rows.extend(written.iter().filter_map(|(_, row)| command_of(&row.progress)));
        }
        assert_eq!(rows, commands, "at {s}");
        let names = asked(&effects);
        if !names.is_empty() {
            asked_at.push((s, names));
        }
    }
    let names: Vec<_> = asked_at.iter().flat_map(|(_, names)| names.iter().map(String::as_str)).collect();
    assert_eq!(names, ["lamp-1", "lamp-2", "lamp-3", "lamp-4", "lamp-5"], "{asked_at:?}");
    let sizes: Vec<_> = asked_at.iter().map(|(_, names)| names.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert!(asked_at.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 10), "{asked_at:?}");
    for number in 1..=5 {
        city.obeys(number, at(40));
    }
    let effects = city.give(Input::Ticked, at(41));
    assert_eq!((city.state(id), city.counts(id).settled), (State::Done, 5));
    let told: Vec<_> = entries(&effects).into_iter().map(|entry| (entry.event, entry.detail)).collect();
    assert_eq!(told, [(Event::BulkDone, "bulk command 1: 5 settled, 0 failed, 0 ended otherwise".to_owned())]);
}

#[test]
fn a_kill_between_two_batches_neither_loses_nor_doubles_a_thing() {
    let mut city = city(4);
    let id = city.start(order(lamps(), 2), at(1));
    let mut names = Vec::new();
    (1..5).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
    assert_eq!(names.len(), 2);
    let mut again = city_of(4, city.restored(), at(5));
    again.services = city.services;
    assert_eq!(again.counts(id), Counts { waiting: 2, open: 2, ..Counts::default() });
    again.give(up(), at(5));
    (5..11).for_each(|s| assert!(asked(&again.give(Input::Ticked, at(s))).is_empty(), "its time goes on"));
    (11..60).for_each(|s| names.extend(asked(&again.give(Input::Ticked, at(s)))));
    names.sort();
    assert_eq!(names, ["lamp-1", "lamp-2", "lamp-3", "lamp-4"]);
    (1..=4).for_each(|number| again.obeys(number, at(60)));
    again.give(Input::Ticked, at(60));
    assert_eq!(again.state(id), State::Done, "also of those that an earlier run had asked");
}

#[test]
fn when_too_many_fail_nothing_more_is_asked_and_what_has_not_left_is_taken_back() {
    let mut city = city(6);
    let id = city.start(order(lamps(), 3), at(1));
    (1..4).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    assert_eq!(city.counts(id).open, 3);
    let refuse = |city: &City, command: u64| {
        let command = &city.fleet.commands[&CommandId(command)];
        let name = city.fleet.things[&command.thing].name.as_str().to_owned();
        (name, command.token.clone())
    };
    for command in [1, 2] {
        let (name, token) = refuse(&city, command);
        let theirs = serde_json::json!({"desired":{"dim_pct":7}});
        let report = reported(city.services.get_mut(&name).unwrap(), &name, theirs, at(5));
        let effects = city.give(report, at(5));
        assert!(effects.writes.iter().any(|w| matches!(w, Write::Command(c) if c.token == token)), "{effects:?}");
    }
    assert_eq!(city.counts(id).rejected, 2, "somebody else wants it otherwise");
    let effects = city.give(Input::Ticked, at(6));
    let State::Aborted { why } = city.state(id) else { panic!("{:?}", city.state(id)) };
    assert_eq!(why, "2 of 2 that finished have failed; it aborts at 50 %");
    assert!(entries(&effects).iter().any(|entry| entry.event == Event::BulkAborted));
    (7..60).for_each(|s| assert!(asked(&city.give(Input::Ticked, at(s))).is_empty()));
    assert_eq!(city.counts(id).waiting, 3, "they were not asked");
}

#[test]
fn who_never_obeyed_is_told_apart_and_kept_with_the_end_of_the_command() {
    let mut city = city(2);
    let id = city.start(order(lamps(), 2), at(1));
    let mut written = BTreeMap::new();
    for s in 1..80 {
        for write in city.give(Input::Ticked, at(s)).writes {
            let Write::BulkRows { rows, .. } = write else { continue };
            written.extend(rows.iter().map(|(place, row)| (*place, row.progress.clone())));
        }
        if s == 5 {
            city.obeys(1, at(s));
        }
    }
    assert_eq!(city.counts(id), Counts { settled: 1, never_obeyed: 1, ..Counts::default() });
    assert!(matches!(written[&1], Progress::Asked { never_obeyed: true, .. }), "{written:?}");
    let restored = Restored { commands: vec![], ..city.restored() };
    let again = city_of(2, restored, at(81));
    assert_eq!(again.counts(id).never_obeyed, 1, "also when its command is forgotten");
}

#[test]
fn what_many_at_once_ask_for_is_part_of_the_pace_and_comes_first() {
    let mut city = city(24);
    city.fleet.config.gets_per_s = 4;
    give(&mut city.fleet, down(), at(0));
    give(&mut city.fleet, up(), at(0));
    city.give(Input::Ticked, at(0));
    // The last of those that are on the list anyway.
    let target = Target::Things(vec![city.fleet.by_name["lamp-23"], city.fleet.by_name["lamp-24"]]);
    let id = city.start(order(target, 2), at(0));
    let mut gets = Vec::new();
    for s in 1..8 {
        let effects = city.give(Input::Ticked, at(s));
        gets.push(published(&effects).into_iter().filter(|one| one.topic.ends_with("/get")).count());
    }
    assert_eq!(gets, [4, 4, 4, 4, 4, 4, 0]);
    assert_eq!(city.counts(id).waiting, 0);
}

#[test]
fn stopping_takes_back_what_has_not_left_and_leaves_what_has() {
    let mut city = city(3);
    let id = city.start(order(lamps(), 3), at(1));
    (1..4).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    assert_eq!(city.counts(id).open, 3);
    // One has not left: it is as after a start that could not reach the broker.
    let pending = city.fleet.commands.get_mut(&CommandId(2)).unwrap();
    pending.phase = Phase::Pending;
    let after = pending.clone();
    city.fleet.tell_bulk(&after, at(4), &mut Effects::default());
    let (answer, effects) = city.ask(Intent::SteerBulk { bulk: id, to: Steer::Stopped }, at(4));
    assert_eq!(answer, Ok(Done::Bulk(id)));
    assert_eq!(city.fleet.commands[&CommandId(2)].phase, Phase::Cancelled { withdrawal: Withdrawal::NotNeeded });
    assert!(city.fleet.commands[&CommandId(1)].phase.is_waiting());
    assert_eq!((city.counts(id).ended, city.counts(id).open), (1, 2));
    let told: Vec<Event> = entries(&effects).into_iter().map(|entry| entry.event).collect();
    assert_eq!(told, [Event::BulkStopped, Event::Cancelled]);
}

#[test]
fn things_that_are_found_later_are_asked_too_until_it_is_stopped() {
    let mut city = city(2);
    let id = city.start(Order { continuous: true, ..order(lamps(), 5) }, at(1));
    (1..20).for_each(|s| drop(city.give(Input::Ticked, at(s))));
    (1..=2).for_each(|number| city.obeys(number, at(20)));
    assert_eq!((city.state(id), city.counts(id).settled), (State::Running, 2));
    city.services.insert("lamp-3".into(), a_shadow());
    give(&mut city.fleet, meta("lamp", "lamp-3", "{}"), at(21));
    give(&mut city.fleet, meta("bin", "bin-1", "{}"), at(21));
    let mut names = Vec::new();
    (21..40).for_each(|s| names.extend(asked(&city.give(Input::Ticked, at(s)))));
    assert_eq!(names, ["lamp-3"]);
    city.ask(Intent::SteerBulk { bulk: id, to: Steer::Stopped }, at(40)).0.unwrap();
    city.services.insert("lamp-4".into(), a_shadow());
    give(&mut city.fleet, meta("lamp", "lamp-4", "{}"), at(41));
    (41..60).for_each(|s| assert!(asked(&city.give(Input::Ticked, at(s))).is_empty()));
}

#[test]
fn who_may_not_steer_and_what_makes_no_sense_is_refused_and_told() {
    let mut city = city(2);
    let chosen = |keys: &[u32]| Target::Things(keys.iter().map(|key| ThingKey(*key)).collect());
    for (wrong, says) in [
        (order(chosen(&[]), 2), "no thing was chosen"),
        (order(chosen(&[1, 77]), 2), "there is no thing 77"),
        (order(lamps(), 0), "a batch is 1 to 1000 things"),
        (Order { wishes: vec![], ..order(lamps(), 2) }, "sets 1 to 32 leaves, this one 0"),
        (Order { continuous: true, ..order(chosen(&[1]), 2) }, "no thing can join"),
        (order(Target::Search(Search { only: Only::Alarmed, ..Search::default() }), 2), "no thing is found"),
        (
            Order {
                wishes: vec![bulk::Wish { pointer: "/dim_pct".into(), value_json: "140".into() }],
                ..order(chosen(&[1, 1]), 2)
            },
            "Dim to 140 % is outside",
        ),
    ] {
        let (answer, effects) = city.ask(Intent::Bulk(Box::new(wrong)), at(1));
        let fault = answer.unwrap_err();
        assert!(fault.message.contains(says), "{fault}");
        assert!(matches!(&effects.writes[..], [Write::Audit(_)]), "{effects:?}");
    }
    city.fleet.config.who.role = Role::Viewer;
    for intent in [Intent::Bulk(Box::new(order(lamps(), 2))), Intent::DryRun(Box::new(order(lamps(), 2)))] {
        assert_eq!(city.ask(intent, at(2)).0.unwrap_err().code, FaultCode::Forbidden);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens, and whenever the program is killed: what its cache has brings every thing to its end exactly once.
    #[test]
    fn a_restart_at_any_point_neither_loses_nor_doubles_a_thing(
        lamps in 1usize..8, batch in 1u32..4, kills in proptest::collection::btree_set(1u64..60, 0..5), away in 0u64..12,
    ) {
        let mut city = city(lamps);
        let target = Target::Search(Search { kinds: vec![Kind::Lamp], ..Search::default() });
        let rollout = Rollout { batch, every_s: 3, abort_at_pct: None, abort_after: 1 };
        let id = city.start(Order { rollout, expires_in_ms: Some(3_600_000), ..order(target, batch) }, at(1));
        for s in 1..120 {
            if kills.contains(&s) {
                let services = std::mem::take(&mut city.services);
                city = city_of(lamps, city.restored(), at(s));
                city.services = services;
            }
            if kills.iter().all(|kill| s < *kill || s >= *kill + away) && city.fleet.up_since.is_none() {
                city.give(up(), at(s));
            }
            city.give(Input::Ticked, at(s));
        }
        (1..=lamps).for_each(|number| city.obeys(number, at(120)));
        city.give(Input::Ticked, at(121));
        prop_assert_eq!(city.state(id), State::Done);
        prop_assert_eq!(city.counts(id).settled as usize, lamps);
        let mut of: Vec<ThingKey> = city.fleet.commands.values().map(|command| command.thing).collect();
        of.sort();
        of.dedup();
        prop_assert_eq!((city.fleet.commands.len(), of.len()), (lamps, lamps), "one command each");
    }
}
