//! What the audit log is told: a command's life from the person to the device, and what was not done.

use fleetlens_ipc::rows::Settings;
use fleetlens_model::audit::{By, Entry, Event};
use fleetlens_model::command::Step;
use fleetlens_model::record::Retention;

use super::*;

/// What effects tell the log.
pub(super) fn entries(effects: &Effects) -> Vec<Entry> {
    let entry = |write: &Write| if let Write::Audit(entry) = write { Some((**entry).clone()) } else { None };
    effects.writes.iter().filter_map(entry).collect()
}

/// What an actor tells the fleet once these effects are performed: the row is on the disk, and the link has the message.
pub(super) fn performed(effects: &Effects) -> Vec<Input> {
    let told = effects.outward.iter().filter_map(|outward| match outward {
        Outward::Answer { outcome: Ok(Done::Command(command)), .. } => Some(Input::Kept(*command)),
        Outward::Kept(command) => Some(Input::Kept(*command)),
        Outward::Publish(message) => message.command.map(Input::Published),
        Outward::Answer { .. }
        | Outward::Subscribe(_)
        | Outward::Acknowledge(_)
        | Outward::Alert(_)
        | Outward::Happened(_)
        | Outward::Read { .. }
        | Outward::Recall(_) => None,
    });
    let mut told: Vec<Input> = told.collect();
    // The disk comes before the link.
    told.sort_by_key(|input| matches!(input, Input::Published(_)));
    told
}

/// Does what an input leads to, with the actor and the service, until nothing more happens; everything that the log is told.
fn tell(fleet: &mut Fleet, service: &mut Service, input: Input, now: Now) -> Vec<Entry> {
    let (mut told, mut inputs) = (Vec::new(), vec![input]);
    while !inputs.is_empty() {
        let effects: Vec<Effects> = inputs.into_iter().map(|input| give(fleet, input, now)).collect();
        told.extend(effects.iter().flat_map(entries));
        let back = effects.iter().flat_map(|effects| {
            let answers = service.answer(effects, now);
            performed(effects).into_iter().chain(answers)
        });
        inputs = back.collect();
    }
    told
}

/// Event, who, and after how long.
fn lines(entries: &[Entry]) -> Vec<(&'static str, &'static str, Option<u64>)> {
    entries.iter().map(|entry| (entry.event.code(), entry.by.code(), entry.after_ms)).collect()
}

#[test]
fn a_commands_life_is_told_whole_under_the_token_of_its_messages() {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", None), at(2));
    let token = decode_request(Op::Update, &published(&effects)[0].payload).unwrap().client_token.unwrap();
    let mut told = entries(&effects);
    for input in performed(&effects) {
        told.extend(entries(&give(&mut fleet, input, at(3))));
    }
    let taken = Input::Link(LinkEvent::Acknowledged { command: CommandId(1) });
    told.extend(entries(&give(&mut fleet, taken, at(4))));
    for answer in service.answer(&effects, at(4)) {
        told.extend(entries(&give(&mut fleet, answer, at(4))));
    }
    let report = service.report(serde_json::json!({"reported":{"dim_pct":40}}), at(9));
    told.extend(entries(&give(&mut fleet, report, at(9))));
    assert_eq!(
        lines(&told),
        [
            ("asked", "person", None),
            ("committed", "program", Some(1_000)),
            ("published", "program", Some(0)),
            ("acknowledged", "broker", Some(1_000)),
            ("accepted", "service", Some(0)),
            ("settled", "device", Some(5_000)),
        ]
    );
    assert_eq!((told[0].detail.as_str(), told[4].detail.as_str()), ("/dim_pct = 40", "version 2"));
    assert_eq!(told[0].by, By::Person(Actor { name: "M. Vella".into(), role: Role::Operator }));
    for (seq, entry) in (1..).zip(&told) {
        assert_eq!((entry.seq, entry.thing.as_str(), entry.command), (seq, "lamp-1", Some(CommandId(1))));
        assert_eq!(entry.trace, token);
    }
    assert_eq!(token.len(), 26);
}

#[test]
fn an_entry_is_in_the_batch_of_what_it_tells_of() {
    let (mut fleet, mut service) = with_lamp();
    let asked = give(&mut fleet, dim_to("40", None), at(2));
    let answers = service.answer(&asked, at(2));
    let both =
        answers.into_iter().map(|answer| give(&mut fleet, answer, at(2))).find(|e| !entries(e).is_empty()).unwrap();
    for (effects, phase, event) in
        [(asked, Phase::Pending, Event::Asked), (both, Phase::Accepted { version: 2 }, Event::Accepted)]
    {
        let has_row = effects.writes.iter().any(|w| matches!(w, Write::Command(command) if command.phase == phase));
        assert!(has_row && entries(&effects)[0].event == event, "{effects:?}");
    }
}

#[test]
fn what_is_not_done_is_told_with_who_asked_and_why() {
    let (mut fleet, mut service) = with_lamp();
    let told = tell(&mut fleet, &mut service, dim_to("140", None), at(2));
    assert_eq!(lines(&told), [("refused", "person", None)]);
    assert_eq!(told[0].thing, "lamp-1");
    assert!(told[0].detail.contains("Dim to 140 % is outside 0–100 %; asked: command /dim_pct = 140"), "{told:?}");

    let cancel = |id| {
        let intent = Intent::CancelCommand { command: CommandId(id) };
        Input::Asked { window: WindowId(1), request: RequestId(1), intent }
    };
    let told = tell(&mut fleet, &mut service, cancel(7), at(3));
    assert_eq!((lines(&told).len(), told[0].command, told[0].seq), (1, Some(CommandId(7)), 2));
    assert!(told[0].detail.starts_with("this command is not known here; asked: cancelling"), "{told:?}");

    fleet.config.who = Actor { name: "J. Borg".into(), role: Role::Viewer };
    let hidden = format!("\"\u{202e}{}\"", "x".repeat(5_000));
    let told = tell(&mut fleet, &mut service, dim_to(&hidden, None), at(4));
    assert_eq!(told[0].by, By::Person(Actor { name: "J. Borg".into(), role: Role::Viewer }));
    assert!(told[0].detail.starts_with("Viewers of this profile watch and do not steer"), "{told:?}");
    assert!(told[0].detail.contains("\\u{202e}") && told[0].detail.chars().count() <= 512, "{told:?}");
}

#[test]
fn of_refusals_without_end_some_are_told_and_of_the_others_how_many_they_were() {
    let (mut fleet, mut service) = with_lamp();
    let told: usize = (0..1_000).map(|_| tell(&mut fleet, &mut service, dim_to("140", None), at(2)).len()).sum();
    assert_eq!(told, 120);
    let told = tell(&mut fleet, &mut service, dim_to("140", None), at(70));
    assert!(told[0].detail.starts_with("880 refusals before this one are not told; Dim to 140 %"), "{told:?}");
    let told = tell(&mut fleet, &mut service, dim_to("140", None), at(71));
    assert!(told[0].detail.starts_with("Dim to 140 %"), "{told:?}");
}

#[test]
fn a_command_that_ends_otherwise_is_told_with_who_ended_it_and_how_it_was_taken_back() {
    let (mut fleet, mut service) = with_lamp();
    tell(&mut fleet, &mut service, dim_to("40", Some(60_000)), at(2));
    let told = tell(&mut fleet, &mut service, Input::Ticked, at(70));
    assert_eq!(
        lines(&told),
        [
            ("never-obeyed", "program", Some(68_000)),
            ("published", "program", Some(0)),
            ("withdrawn", "program", Some(0))
        ]
    );
    assert_eq!(
        (told[0].detail.as_str(), told[1].detail.as_str()),
        ("it may have arrived and is taken back", "to take it back")
    );

    // The next one waits for a link, is overtaken by another, which a person takes back.
    give(&mut fleet, down(), at(71));
    for value in ["50", "60"] {
        tell(&mut fleet, &mut service, dim_to(value, None), at(72));
    }
    let intent = Intent::CancelCommand { command: CommandId(3) };
    let cancel = Input::Asked { window: WindowId(1), request: RequestId(1), intent };
    let told = tell(&mut fleet, &mut service, cancel, at(73));
    assert_eq!(lines(&told), [("cancelled", "person", Some(1_000))]);
    assert_eq!(told[0].detail, "it never left");
}

#[test]
fn of_two_for_one_leaf_the_older_is_told_to_be_overtaken_and_by_which() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, down(), at(2));
    tell(&mut fleet, &mut service, dim_to("50", None), at(3));
    let told = tell(&mut fleet, &mut service, dim_to("60", None), at(4));
    let overtaken = told.iter().find(|entry| entry.event == Event::Overtaken).unwrap();
    assert_eq!((overtaken.command, overtaken.detail.as_str()), (Some(CommandId(1)), "by command 2"));
}

#[test]
fn a_no_of_the_service_is_its_own_and_one_of_ours_is_ours() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, dim_to("40", None), at(2));
    let no = refused(&fleet, 1, 403);
    let told = entries(&give(&mut fleet, no, at(3)));
    assert_eq!(lines(&told), [("rejected", "service", Some(1_000))]);
    assert_eq!(told[0].detail, "403: no");

    tell(&mut fleet, &mut service, dim_to("50", None), at(4));
    let theirs = service.report(serde_json::json!({"desired":{"dim_pct":10}}), at(5));
    let told = tell(&mut fleet, &mut service, theirs, at(5));
    assert_eq!(lines(&told), [("rejected", "program", Some(1_000))]);
    assert_eq!(told[0].detail, "409: somebody else set /dim_pct to 10 meanwhile");
}

#[test]
fn a_message_that_the_link_does_not_take_is_told_and_changes_nothing_else_of_a_shadows_command() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, dim_to("40", None), at(2));
    let effects = give(&mut fleet, Input::NotSent(CommandId(1)), at(3));
    assert_eq!(lines(&entries(&effects)), [("not-published", "program", Some(1_000))]);
    assert_eq!((effects.writes.len(), phase(&fleet)), (1, Phase::Sent), "it is looked into when its time-out is over");
}

#[test]
fn an_acknowledged_alarm_is_told_with_who_saw_it_and_what_they_said() {
    let mut fleet = fleet_with(vec![rule("hot", None, over("/temp_c", 60.0, 0.0, 0), Priority::Warning)]);
    give(&mut fleet, up(), at(0));
    let raised = give(&mut fleet, says("lamp", "lamp-1", 1, r#"{"temp_c":70}"#), at(1));
    assert_eq!(entries(&raised), [], "what raises by itself is no intent");
    let (alarm, raised_ms) = kept(&raised).first().map(|alarm| (alarm.id, alarm.raised_ms())).unwrap();
    let intent = Intent::Acknowledge { alarms: vec![(alarm, raised_ms)], comment: "fan replaced".into() };
    let told = entries(&give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(1), intent }, at(5)));
    assert_eq!(lines(&told), [("alarm-acknowledged", "person", None)]);
    assert_eq!((told[0].thing.as_str(), told[0].detail.as_str()), ("lamp-1", "hot: fan replaced"));
}

#[test]
fn after_a_restart_the_numbers_go_on_and_nothing_is_told_twice() {
    let (mut fleet, mut service) = with_lamp();
    tell(&mut fleet, &mut service, dim_to("40", Some(60_000)), at(2));
    // As a cache of before had it, with a token of then.
    let commands: Vec<Command> =
        fleet.commands.values().map(|c| Command { token: "fl-0000000000000abc-1".into(), ..c.clone() }).collect();
    let lamp = &fleet.things[&ThingKey(1)];
    let things = vec![(ThingKey(1), lamp.name.clone(), lamp.meta.clone())];
    let (installation, last_command, last_audit) = (0xabc, 1, 41);
    let restored = Restored { installation, things, commands, last_command, last_audit, ..Restored::default() };
    let mut fleet = Fleet::new(config(Role::Operator), restored, at(20));
    give(&mut fleet, up(), at(21));
    let told = entries(&give(&mut fleet, Input::Ticked, at(22)));
    assert_eq!(told, []);
    let mut report = service.document.clone();
    report.reported.as_mut().unwrap()["dim_pct"] = 40.into();
    report.version += 1;
    let payload = service::encode_got(&report, at(23).wall.as_s(), None);
    let got = telemetry("$aws/things/lamp-1/shadow/get/accepted", &String::from_utf8(payload).unwrap());
    let told = entries(&give(&mut fleet, got, at(23)));
    assert_eq!(lines(&told), [("settled", "device", None)]);
    assert_eq!((told[0].seq, told[0].trace.as_str()), (42, "fl-0000000000000abc-1"));
}

#[test]
fn an_answer_to_a_command_of_before_is_known_by_its_old_token() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, dim_to("40", None), at(2));
    let commands = fleet.commands.values().map(|c| Command { token: "fl-0000000000000abc-1".into(), ..c.clone() });
    let lamp = &fleet.things[&ThingKey(1)];
    let restored = Restored {
        things: vec![(ThingKey(1), lamp.name.clone(), lamp.meta.clone())],
        commands: commands.collect(),
        last_command: 1,
        ..Restored::default()
    };
    let mut fleet = Fleet::new(config(Role::Operator), restored, at(3));
    give(&mut fleet, up(), at(3));
    let yes = r#"{"state":{"desired":{"dim_pct":40}},"metadata":{},"version":2,"timestamp":1,"clientToken":"fl-0000000000000abc-1"}"#;
    give(&mut fleet, telemetry("$aws/things/lamp-1/shadow/update/accepted", yes), at(4));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
}

/// The steps of a command that the log tells as they happen; that it was sent is told when the link has it.
pub(super) fn told_steps(command: &Command) -> Vec<Event> {
    let event = |step: &Step| match step {
        Step::Asked => Some(Event::Asked),
        Step::Edited => Some(Event::Edited),
        Step::Sent => None,
        Step::Accepted => Some(Event::Accepted),
        Step::Rejected => Some(Event::Rejected),
        Step::Settled => Some(Event::Settled),
        Step::Overtaken => Some(Event::Overtaken),
        Step::Expired if command.at(Step::Accepted).is_some() => Some(Event::NeverObeyed),
        Step::Expired => Some(Event::Expired),
        Step::Cancelled => Some(Event::Cancelled),
        Step::Withdrawn => Some(Event::Withdrawn),
    };
    command.steps.iter().filter_map(|(step, _)| event(step)).collect()
}

#[test]
fn what_a_person_sets_is_told_by_who_was_there_before_and_what_stays_is_not() {
    let mut fleet = fleet();
    let was = Settings { who: fleet.config.who.clone(), ..Settings::default() };
    let who = Actor { name: "J. Borg".into(), role: Role::Viewer };
    let retention = Retention { keep_days: 7, ..Retention::default() };
    for (settings, want) in [
        (was.clone(), vec![]),
        (
            Settings { retention, ..was },
            vec![("M. Vella", "kept: 30 days, minutes 365 days, 2000 MB → 7 days, minutes 365 days, 2000 MB")],
        ),
        (
            Settings { who: who.clone(), retention, ..Settings::default() },
            vec![("M. Vella", "who is here: M. Vella (operator) → J. Borg (viewer)")],
        ),
        (Settings { who: who.clone(), retention, version: "2".into(), ..Settings::default() }, vec![]),
        (
            Settings { who, retention: Retention { hours_days: Some(700), ..retention }, ..Settings::default() },
            vec![(
                "J. Borg",
                "kept: 7 days, minutes 365 days, 2000 MB → 7 days, minutes 365 days, hours 700 days, 2000 MB",
            )],
        ),
    ] {
        let told = entries(&give(&mut fleet, Input::Configured(Box::new(settings)), at(1)));
        let told: Vec<(&str, &str)> =
            told.iter().map(|entry| (entry.by.person().unwrap().name.as_str(), entry.detail.as_str())).collect();
        assert_eq!(told, want);
    }
}
