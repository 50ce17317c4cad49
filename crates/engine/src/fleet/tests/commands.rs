use super::*;

#[test]
fn a_command_is_in_the_outbox_before_it_is_on_the_wire_and_settles_on_a_report() {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", None), at(2));
    let rows: Vec<&Phase> = effects
        .writes
        .iter()
        .filter_map(|write| if let Write::Command(command) = write { Some(&command.phase) } else { None })
        .collect();
    assert_eq!(rows, [&Phase::Pending, &Phase::Sent]);
    let sent = published(&effects);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].qos, Qos::AtLeastOnce);
    let body: serde_json::Value = serde_json::from_slice(&sent[0].payload).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"state":{"desired":{"dim_pct":40}},"version":1,"clientToken":fleet.commands[&CommandId(1)].token})
    );
    assert!(matches!(effects.outward.last(), Some(Outward::Answer { outcome: Ok(Done::Command(CommandId(1))), .. })));
    converse(&mut fleet, &mut service, effects, at(2));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
    let report = service.report(serde_json::json!({"reported":{"dim_pct":40}}), at(3));
    give(&mut fleet, report, at(3));
    assert_eq!(phase(&fleet), Phase::Settled);
}

#[test]
fn a_command_that_is_sent_again_has_its_row_with_it_again() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, dim_to("40", None), at(2)); // neither the row nor the update comes through
    let effects = give(&mut fleet, Input::Ticked, at(13));
    let answers = service.answer(&effects, at(13));
    assert_eq!(answers.len(), 1, "it looks first: {effects:?}");
    let again: Vec<Effects> = answers.into_iter().map(|answer| give(&mut fleet, answer, at(13))).collect();
    let sent = published(&again[0]);
    assert!(matches!(&sent[..], [update] if update.topic.ends_with("/update")), "{sent:?}");
    assert_eq!(any::row_of(sent[0], &again[0]).map(|row| &row.phase), Some(&Phase::Sent));
}

#[test]
fn who_may_not_steer_is_refused_by_the_engine() {
    for role in [Role::Viewer, Role::Driver] {
        let mut fleet = Fleet::new(config(role), Restored::default(), at(0));
        give(&mut fleet, lamp_is_there(), at(0));
        let effects = give(&mut fleet, dim_to("40", None), at(1));
        let Some(Outward::Answer { outcome: Err(fault), .. }) = effects.outward.last() else { panic!("{effects:?}") };
        assert_eq!(fault.code, fleetlens_ipc::FaultCode::Forbidden);
        assert!(matches!(&effects.writes[..], [Write::Audit(_)]), "{effects:?}");
    }
}

#[test]
fn what_the_lamp_cannot_do_is_refused_with_a_sentence() {
    let (mut fleet, _) = with_lamp();
    for (value, says) in [("140", "Dim to 140 % is outside 0–100 %"), ("\"x\"", "takes a number"), ("{", "not JSON")]
    {
        let effects = give(&mut fleet, dim_to(value, None), at(2));
        let Some(Outward::Answer { outcome: Err(fault), .. }) = effects.outward.last() else { panic!("{effects:?}") };
        assert!(fault.message.contains(says), "{value}: {}", fault.message);
    }
}

#[test]
fn a_command_made_offline_goes_out_after_the_reconnect_and_an_expired_one_never_does() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, down(), at(2));
    let effects = give(&mut fleet, dim_to("40", Some(60_000)), at(3));
    assert!(published(&effects).is_empty());
    let effects = give(&mut fleet, up(), at(10));
    converse(&mut fleet, &mut service, effects, at(10));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });

    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", Some(60_000)), at(3));
    give(&mut fleet, Input::Ticked, at(64));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::NotNeeded });
    let effects = give(&mut fleet, up(), at(70));
    converse(&mut fleet, &mut service, effects, at(70));
    assert_eq!(service.document.version, 1, "nothing was written");
}

#[test]
fn an_accepted_command_that_expires_is_withdrawn_even_after_a_restart() {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", Some(60_000)), at(2));
    converse(&mut fleet, &mut service, effects, at(2));
    let kept = fleet.commands.values().next().unwrap().clone();
    let things = vec![(ThingKey(1), fleet.things[&ThingKey(1)].name.clone(), fleet.things[&ThingKey(1)].meta.clone())];
    let shadows = vec![(ThingKey(1), "".into(), Packed::of(&service.document, &mut Texts::default()), at(2).wall)];
    let restored =
        Restored { installation: 0xabc, things, shadows, commands: vec![kept], last_command: 1, ..Restored::default() };
    let mut fleet = Fleet::new(config(Role::Operator), restored, at(500));
    give(&mut fleet, Input::Ticked, at(500));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Needed });
    let effects = give(&mut fleet, up(), at(501));
    converse(&mut fleet, &mut service, effects, at(501));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Done });
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 100);
}

#[test]
fn a_newer_command_for_the_same_leaf_takes_the_place_of_the_older_one() {
    let (mut fleet, mut service) = with_lamp();
    let first = give(&mut fleet, dim_to("40", None), at(2));
    // Asked before the first was answered, so the screen still showed 100.
    let second = give(&mut fleet, dim_to("70", None), at(2));
    assert!(published(&second).is_empty(), "one at a time");
    converse(&mut fleet, &mut service, first, at(3));
    let phases: Vec<Phase> = fleet.commands.values().map(|c| c.phase.clone()).collect();
    assert_eq!(phases, [Phase::Overtaken { by: CommandId(2) }, Phase::Accepted { version: 3 }]);
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 70);
}

#[test]
fn withdrawing_a_command_does_not_bring_back_one_it_had_overtaken() {
    let (mut fleet, mut service) = with_lamp();
    for value in ["40", "70"] {
        let effects = give(&mut fleet, dim_to(value, Some(60_000)), at(2));
        converse(&mut fleet, &mut service, effects, at(2));
    }
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 70);
    let effects = give(&mut fleet, Input::Ticked, at(70));
    converse(&mut fleet, &mut service, effects, at(70));
    assert_eq!(phase(&fleet), Phase::Expired { withdrawal: Withdrawal::Done });
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 100, "not 40, which was over as well");
}

#[test]
fn our_own_command_is_not_called_somebody_elses_and_somebody_elses_is_noticed() {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", None), at(2));
    converse(&mut fleet, &mut service, effects, at(2));
    // A second window still showed 100.
    let effects = give(&mut fleet, dim_to("70", None), at(2));
    converse(&mut fleet, &mut service, effects, at(2));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 3 });
    let theirs = service.report(serde_json::json!({"desired":{"dim_pct":10}}), at(3));
    give(&mut fleet, theirs, at(3));
    let reason = "somebody else set /dim_pct to 10 meanwhile".to_string();
    assert_eq!(phase(&fleet), Phase::Rejected { code: 409, reason });
}

#[test]
fn withdrawing_a_command_does_not_bring_back_an_older_one_that_was_over_first() {
    let (mut fleet, mut service) = with_lamp();
    let first = give(&mut fleet, dim_to("40", Some(5_000)), at(2));
    give(&mut fleet, dim_to("70", Some(5_000)), at(2));
    // The second goes out with the answer to the first, and its own answer comes after both are over.
    let mut late = Vec::new();
    for answer in service.answer(&first, at(3)) {
        let effects = give(&mut fleet, answer, at(3));
        late.extend(service.answer(&effects, at(3)));
    }
    let effects = give(&mut fleet, Input::Ticked, at(8));
    converse(&mut fleet, &mut service, effects, at(8));
    for answer in late {
        let effects = give(&mut fleet, answer, at(9));
        converse(&mut fleet, &mut service, effects, at(9));
    }
    let done = Phase::Expired { withdrawal: Withdrawal::Done };
    assert!(fleet.commands.values().all(|command| command.phase == done), "{:?}", fleet.commands);
    assert_eq!(service.document.desired.as_ref().unwrap()["dim_pct"], 100, "neither 70 nor 40");
}

#[test]
fn our_token_on_somebody_elses_shadow_means_nothing() {
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, telemetry("city/v/lamp/lamp-2/telemetry", r#"{"values":{"power_w":1}}"#), at(1));
    let effects = give(&mut fleet, dim_to("40", None), at(2));
    let token = fleet.commands[&CommandId(1)].token.clone();
    let accepted =
        format!(r#"{{"state":{{"reported":{{"x":1}}}},"version":9,"timestamp":1700000003,"clientToken":"{token}"}}"#);
    let rejected = format!(r#"{{"code":400,"message":"bad","clientToken":"{token}"}}"#);
    for (answer, payload) in [("accepted", &accepted), ("rejected", &rejected)] {
        for shadow in ["$aws/things/lamp-2/shadow", "$aws/things/lamp-1/shadow/name/other"] {
            give(&mut fleet, telemetry(&format!("{shadow}/update/{answer}"), payload), at(3));
            assert_eq!(phase(&fleet), Phase::Sent, "{shadow} {answer}");
        }
    }
    converse(&mut fleet, &mut service, effects, at(4));
    assert!(matches!(phase(&fleet), Phase::Accepted { .. }), "its own answer is heard");
}

#[test]
fn what_has_not_left_is_accepted_by_nobody() {
    let (mut fleet, _) = with_lamp();
    give(&mut fleet, down(), at(2));
    give(&mut fleet, dim_to("40", None), at(3));
    let token = fleet.commands[&CommandId(1)].token.clone();
    let payload =
        format!(r#"{{"state":{{"reported":{{"x":1}}}},"version":9,"timestamp":1700000003,"clientToken":"{token}"}}"#);
    give(&mut fleet, telemetry("$aws/things/lamp-1/shadow/update/accepted", &payload), at(4));
    assert_eq!(phase(&fleet), Phase::Pending);
}
