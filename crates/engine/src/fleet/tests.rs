use fleetlens_ipc::Wish;
use fleetlens_ipc::rows::LinkState;
use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Request;
use fleetlens_model::telemetry::{Source, Value};
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, decode_request, service};
use fleetlens_wire::telemetry::Envelope;
use fleetlens_wire::template::Template;
use proptest::prelude::*;

use super::*;
use crate::config::TelemetryRule;
use crate::port::{Qos, Received};

mod wishes;

pub(crate) fn at(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1000), mono: MonoMs(5_000 + s * 1000) }
}

pub(crate) fn config(role: Role) -> FleetConfig {
    let envelope = Envelope { values: "/values".into(), time: Some("/ts".into()) };
    FleetConfig {
        profile: "test".into(),
        who: Actor { name: "M. Vella".into(), role },
        telemetry: vec![TelemetryRule {
            template: Template::parse("city/{area}/{kind}/{thing}/telemetry").unwrap(),
            envelope,
        }],
        meta: vec![Template::parse("city/{area}/{kind}/{thing}/meta").unwrap()],
        shadows: true,
        things_max: 3,
        ..FleetConfig::default()
    }
}

pub(crate) fn fleet() -> Fleet {
    Fleet::new(config(Role::Operator), Restored { installation: 0xabc, ..Restored::default() }, at(0))
}

fn message(topic: &str, payload: &str) -> Received {
    Received {
        topic: topic.into(),
        payload: payload.as_bytes().to_vec(),
        retained: false,
        redelivered: false,
        packet_id: 0,
        delivery: None,
    }
}

pub(crate) fn telemetry(topic: &str, payload: &str) -> Input {
    Input::Link(LinkEvent::Received(message(topic, payload)))
}

pub(crate) fn lamp_says(ts_s: u64, power_w: f64) -> Input {
    telemetry(
        "city/v/lamp/lamp-1/telemetry",
        &format!(r#"{{"ts":{},"values":{{"power_w":{power_w}}}}}"#, at(ts_s).wall.0),
    )
}

pub(crate) fn lamp_is_there() -> Input {
    let payload = r#"{"name":"Lamp 1","lat":35.9,"lon":14.5,"interval_s":10}"#;
    let retained = Received { retained: true, ..message("city/v/lamp/lamp-1/meta", payload) };
    Input::Link(LinkEvent::Received(retained))
}

pub(crate) fn up() -> Input {
    Input::Link(LinkEvent::Up { resumed: true })
}

pub(crate) fn down() -> Input {
    Input::Link(LinkEvent::Down { reason: "gone".into() })
}

pub(crate) fn give(fleet: &mut Fleet, input: Input, now: Now) -> Effects {
    let mut effects = Effects::default();
    fleet.handle(input, now, &mut effects);
    effects
}

fn published(effects: &Effects) -> Vec<&Publish> {
    effects.outward.iter().filter_map(|o| if let Outward::Publish(p) = o { Some(p) } else { None }).collect()
}

/// A shadow service for one lamp: answers what the fleet publishes, with the rules of the model.
struct Service {
    document: Document,
}

impl Service {
    fn answer(&mut self, effects: &Effects, now: Now) -> Vec<Input> {
        published(effects).into_iter().flat_map(|p| self.answer_one(p, now)).collect()
    }

    fn answer_one(&mut self, p: &Publish, now: Now) -> Vec<Input> {
        let topic = ShadowTopic::parse(&p.topic).unwrap();
        let ShadowTopicKind::Request(op) = topic.kind else { panic!("not a request: {}", p.topic) };
        let request = decode_request(op, &p.payload).unwrap();
        let said = |kind, payload: Vec<u8>| {
            let payload = String::from_utf8(payload).unwrap();
            telemetry(&topic.with_kind(kind).to_string(), &payload)
        };
        let token = request.client_token.clone();
        match op {
            Op::Get => {
                let payload = service::encode_got(&self.document, now.wall.as_s(), token.as_deref());
                vec![said(ShadowTopicKind::Accepted(Op::Get), payload)]
            }
            Op::Update => match self.document.update(&request, now.wall.as_s()) {
                Ok(next) => {
                    let before = std::mem::replace(&mut self.document, next);
                    let documents = service::encode_documents(&before, &self.document, token.as_deref());
                    vec![
                        said(ShadowTopicKind::Accepted(Op::Update), service::encode_updated(&request, &self.document)),
                        said(ShadowTopicKind::Documents, documents),
                    ]
                }
                Err(rejection) => {
                    let payload = service::encode_rejected(&rejection, now.wall.as_s(), token.as_deref());
                    vec![said(ShadowTopicKind::Rejected(Op::Update), payload)]
                }
            },
            Op::Delete => panic!("the app deletes nothing"),
        }
    }

    fn report(&mut self, json: serde_json::Value, now: Now) -> Input {
        let payload = serde_json::json!({ "state": json }).to_string();
        let request: Request = decode_request(Op::Update, payload.as_bytes()).unwrap();
        let next = self.document.update(&request, now.wall.as_s()).unwrap();
        let before = std::mem::replace(&mut self.document, next);
        let documents = service::encode_documents(&before, &self.document, None);
        let topic = ShadowTopic::new("lamp-1", None, ShadowTopicKind::Documents).to_string();
        telemetry(&topic, &String::from_utf8(documents).unwrap())
    }
}

/// A connected fleet with one lamp that wants and reports 100 %.
fn with_lamp() -> (Fleet, Service) {
    let mut fleet = fleet();
    let mut service = Service { document: Document::default() };
    give(&mut fleet, up(), at(1));
    give(&mut fleet, lamp_is_there(), at(1));
    let report = service.report(serde_json::json!({"desired":{"dim_pct":100},"reported":{"dim_pct":100}}), at(1));
    give(&mut fleet, report, at(1));
    let effects = give(&mut fleet, Input::Opened(ThingKey(1)), at(1));
    for input in service.answer(&effects, at(1)) {
        give(&mut fleet, input, at(1));
    }
    (fleet, service)
}

fn dim_to(value: &str, expires_in_ms: Option<u64>) -> Input {
    let wish = Wish { pointer: "/dim_pct".into(), value_json: value.into(), seen_json: Some("100".into()) };
    let intent = Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms };
    Input::Asked { window: WindowId(1), request: RequestId(9), intent }
}

fn phase(fleet: &Fleet) -> Phase {
    fleet.commands.values().last().map(|c| c.phase.clone()).unwrap()
}

/// Runs effects against the service until nothing is published any more.
fn converse(fleet: &mut Fleet, service: &mut Service, effects: Effects, now: Now) {
    let mut inputs = service.answer(&effects, now);
    while !inputs.is_empty() {
        let mut effects = Effects::default();
        inputs.drain(..).for_each(|input| fleet.handle(input, now, &mut effects));
        inputs = service.answer(&effects, now);
    }
}

#[test]
fn a_message_becomes_rows_and_a_latest_value() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    let effects = give(&mut fleet, lamp_says(3, 61.5), at(4));
    assert!(matches!(
        &effects.writes[..],
        [
            Write::Series { series: SeriesKey(1), thing: ThingKey(1), .. },
            Write::Sample(Sample { value: Value::Number(61.5), .. })
        ]
    ));
    let series = &fleet.series[&SeriesKey(1)];
    let sample = series.latest.as_ref().unwrap();
    assert_eq!(fleet.age_ms(series, sample, at(10)), 7_000, "aged from the device's own time");
    assert_eq!(fleet.source(series, sample), Source::Live);
    give(&mut fleet, lamp_says(1, 10.0), at(5));
    assert_eq!(
        fleet.series[&SeriesKey(1)].latest.as_ref().unwrap().value,
        Value::Number(61.5),
        "a late sample is history, not news"
    );
}

#[test]
fn what_cannot_be_read_is_counted_with_its_reason_and_acknowledged() {
    let mut fleet = fleet();
    for (topic, payload, reason) in [
        ("elsewhere", "{}", "no template of the profile reads this topic"),
        ("city/v/lamp/lamp-1/telemetry", "{", "the payload is not JSON"),
        ("$aws/things/x/jobs/notify", "{}", "shadow"),
        ("city/v/lamp//telemetry", r#"{"values":{}}"#, "name is empty"),
    ] {
        let received = Received { packet_id: 7, delivery: Some(Delivery(7)), ..message(topic, payload) };
        let effects = give(&mut fleet, Input::Link(LinkEvent::Received(received)), at(1));
        let Some(Write::Refused { reason: why, .. }) = effects.writes.last() else { panic!("{topic}: {effects:?}") };
        assert!(why.contains(reason), "{topic}: {why}");
        assert_eq!(effects.outward, [Outward::Acknowledge(Delivery(7))], "{topic}");
        assert_eq!(effects.messages, 0);
    }
    assert_eq!(fleet.counters().refused, 4);
    for i in 0..3 {
        give(&mut fleet, telemetry(&format!("city/v/lamp/l{i}/telemetry"), r#"{"values":{"a":1}}"#), at(1));
    }
    let effects = give(&mut fleet, telemetry("city/v/lamp/l3/telemetry", r#"{"values":{"a":1}}"#), at(1));
    let Some(Write::Refused { reason, .. }) = effects.writes.last() else { panic!("{effects:?}") };
    assert!(reason.contains("limit of 3 things"), "{reason}");
}

#[test]
fn a_redelivered_message_is_acknowledged_and_not_stored_again() {
    let mut fleet = fleet();
    let first = Received {
        packet_id: 5,
        delivery: Some(Delivery(1)),
        ..message("city/v/lamp/lamp-1/telemetry", r#"{"values":{"power_w":1}}"#)
    };
    let again = Received { redelivered: true, delivery: Some(Delivery(2)), ..first.clone() };
    let other = Received { payload: br#"{"values":{"power_w":2}}"#.to_vec(), ..again.clone() };
    give(&mut fleet, Input::Link(LinkEvent::Received(first.clone())), at(1));
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(again)), at(2));
    assert!(effects.writes.is_empty());
    assert_eq!(effects.outward, [Outward::Acknowledge(Delivery(2))]);
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(other)), at(2));
    assert_eq!(effects.messages, 1, "the same packet id with another message is another message");
    let effects = give(&mut fleet, Input::Link(LinkEvent::Received(first)), at(3));
    assert_eq!(effects.messages, 1, "without DUP it was sent on purpose");
}

#[test]
fn losing_the_link_makes_everything_unknown_and_nothing_silent() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    give(&mut fleet, down(), at(20));
    for s in 21..2_000 {
        give(&mut fleet, Input::Ticked, at(s));
    }
    let thing = &fleet.things[&ThingKey(1)];
    assert_eq!(thing.silence.freshness(), Freshness::Unknown { since_ms: at(20).wall });
    assert_eq!(thing.trouble, None);
    assert_eq!(
        fleet.source(&fleet.series[&SeriesKey(1)], fleet.series[&SeriesKey(1)].latest.as_ref().unwrap()),
        Source::Cached
    );
    give(&mut fleet, up(), at(2_000));
    give(&mut fleet, Input::Ticked, at(2_010));
    assert_eq!(fleet.things[&ThingKey(1)].trouble, None, "it has its interval to speak");
    give(&mut fleet, Input::Ticked, at(2_100));
    assert_eq!(fleet.things[&ThingKey(1)].trouble, Some(Trouble::Silent { since_ms: at(1).wall }));
    give(&mut fleet, down(), at(2_101));
    give(&mut fleet, Input::Ticked, at(2_102));
    assert!(fleet.things[&ThingKey(1)].trouble.is_some(), "a lost link clears nothing");
}

#[test]
fn a_command_is_in_the_outbox_before_it_is_on_the_wire_and_settles_on_a_report() {
    let (mut fleet, mut service) = with_lamp();
    let effects = give(&mut fleet, dim_to("40", None), at(2));
    assert!(matches!(effects.writes[0], Write::Command(Command { phase: Phase::Pending, .. })));
    assert!(matches!(effects.writes[1], Write::Command(Command { phase: Phase::Sent, .. })));
    let sent = published(&effects);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].qos, Qos::AtLeastOnce);
    let body: serde_json::Value = serde_json::from_slice(&sent[0].payload).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"state":{"desired":{"dim_pct":40}},"version":1,"clientToken":"fl-0000000000000abc-1"})
    );
    assert!(matches!(effects.outward.last(), Some(Outward::Answer { outcome: Ok(Done::Command(CommandId(1))), .. })));
    converse(&mut fleet, &mut service, effects, at(2));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
    let report = service.report(serde_json::json!({"reported":{"dim_pct":40}}), at(3));
    give(&mut fleet, report, at(3));
    assert_eq!(phase(&fleet), Phase::Settled);
}

#[test]
fn who_may_not_steer_is_refused_by_the_engine() {
    for role in [Role::Viewer, Role::Driver] {
        let mut fleet = Fleet::new(config(role), Restored::default(), at(0));
        give(&mut fleet, lamp_is_there(), at(0));
        let effects = give(&mut fleet, dim_to("40", None), at(1));
        let Some(Outward::Answer { outcome: Err(fault), .. }) = effects.outward.last() else { panic!("{effects:?}") };
        assert_eq!(fault.code, fleetlens_ipc::FaultCode::Forbidden);
        assert!(effects.writes.is_empty());
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
    let shadows = vec![(ThingKey(1), String::new(), service.document.clone(), at(2).wall)];
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
fn the_cache_alone_gives_the_same_picture() {
    let (mut fleet, service) = with_lamp();
    let effects = give(&mut fleet, lamp_says(2, 61.5), at(3));
    let latest =
        effects.writes.iter().filter_map(|w| if let Write::Sample(s) = w { Some(s.clone()) } else { None }).collect();
    let thing = &fleet.things[&ThingKey(1)];
    let restored = Restored {
        things: vec![(thing.key, thing.name.clone(), thing.meta.clone())],
        series: vec![(SeriesKey(1), ThingKey(1), "/power_w".into())],
        latest,
        shadows: vec![(ThingKey(1), String::new(), service.document.clone(), at(1).wall)],
        link_seen_ms: Some(at(5).wall),
        ..Restored::default()
    };
    let again = Fleet::new(config(Role::Operator), restored, at(3_600));
    let (series, thing) = (&again.series[&SeriesKey(1)], &again.things[&ThingKey(1)]);
    assert_eq!(again.link, LinkState::Starting);
    assert_eq!(thing.meta.kind, Kind::Lamp);
    assert_eq!(thing.silence.freshness(), Freshness::Unknown { since_ms: at(5).wall });
    assert_eq!(again.source(series, series.latest.as_ref().unwrap()), Source::Cached);
    assert_eq!(again.age_ms(series, series.latest.as_ref().unwrap(), at(3_600)), 3_598_000);
}

#[test]
fn after_a_connect_shadows_are_asked_for_at_the_profiles_pace() {
    let mut fleet = Fleet::new(
        FleetConfig { things_max: 500, gets_per_s: 40, ..config(Role::Operator) },
        Restored::default(),
        at(0),
    );
    give(&mut fleet, up(), at(0));
    for i in 0..200 {
        give(&mut fleet, telemetry(&format!("city/v/lamp/lamp-{i}/meta"), r#"{"name":"x"}"#), at(0));
    }
    let mut asked = 0;
    for quarter in 0..=8 {
        let now = Now { mono: MonoMs(at(0).mono.0 + quarter * 250), ..at(0) };
        asked += published(&give(&mut fleet, Input::Ticked, now)).len();
    }
    assert_eq!(asked, 80, "two seconds at forty a second");
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
fn being_back_raises_nothing_from_the_cache_and_keeps_what_was_raised() {
    let (mut fleet, mut service) = with_lamp();
    let report = service.report(serde_json::json!({"desired":{"dim_pct":40}}), at(2));
    give(&mut fleet, report, at(2));
    give(&mut fleet, Input::Ticked, at(200));
    assert_eq!(fleet.things[&ThingKey(1)].trouble, None, "not yet five minutes");
    give(&mut fleet, down(), at(201));
    give(&mut fleet, up(), at(2_000));
    give(&mut fleet, Input::Ticked, at(2_001));
    assert_eq!(fleet.things[&ThingKey(1)].trouble, None, "nobody has said yet that it is still so");
    let effects = give(&mut fleet, Input::Opened(ThingKey(1)), at(2_015));
    converse(&mut fleet, &mut service, effects, at(2_015));
    give(&mut fleet, Input::Ticked, at(2_016));
    assert!(matches!(fleet.things[&ThingKey(1)].trouble, Some(Trouble::NotConverged { .. })));
    give(&mut fleet, down(), at(2_017));
    give(&mut fleet, up(), at(3_000));
    give(&mut fleet, Input::Ticked, at(3_001));
    assert!(fleet.things[&ThingKey(1)].trouble.is_some(), "being back clears nothing either");
}

#[test]
fn a_deleted_shadow_is_gone_and_an_older_document_does_not_bring_it_back() {
    let (mut fleet, mut service) = with_lamp();
    let late = service.report(serde_json::json!({"reported":{"dim_pct":99}}), at(2));
    let topic = ShadowTopic::new("lamp-1", None, ShadowTopicKind::Accepted(Op::Delete)).to_string();
    give(&mut fleet, telemetry(&topic, r#"{"version":2,"timestamp":1700000003}"#), at(3));
    give(&mut fleet, late, at(3));
    assert_eq!(fleet.things[&ThingKey(1)].shadows[""].document, None);
    let again = service.report(serde_json::json!({"reported":{"dim_pct":98}}), at(4));
    give(&mut fleet, again, at(4));
    assert_eq!(fleet.things[&ThingKey(1)].shadows[""].document.as_ref().unwrap().version, 3);
}

#[test]
fn a_service_that_began_anew_is_believed_and_a_command_still_arrives() {
    let (mut fleet, mut service) = with_lamp();
    for s in 2..20 {
        let report = service.report(serde_json::json!({"reported":{"dim_pct":s}}), at(s));
        give(&mut fleet, report, at(s));
    }
    service.document = Document::default();
    let mut effects = Effects::default();
    let report = service.report(serde_json::json!({"reported":{"dim_pct":55}}), at(30));
    fleet.handle(report, at(30), &mut effects);
    converse(&mut fleet, &mut service, effects, at(30));
    let known = fleet.things[&ThingKey(1)].shadows[""].document.as_ref().unwrap();
    assert_eq!((known.version, &known.reported.as_ref().unwrap()["dim_pct"]), (1, &serde_json::json!(55)));
    let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
    let intent = Intent::Command { thing: ThingKey(1), shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
    let effects = give(&mut fleet, Input::Asked { window: WindowId(1), request: RequestId(1), intent }, at(31));
    converse(&mut fleet, &mut service, effects, at(31));
    assert_eq!(phase(&fleet), Phase::Accepted { version: 2 });
}

#[test]
fn strangers_make_no_things_no_endless_shadows_and_no_half_messages() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, telemetry("$aws/things/ghost/shadow/get/rejected", r#"{"code":404,"message":"x"}"#), at(1));
    assert!(fleet.things.is_empty());
    give(&mut fleet, lamp_is_there(), at(1));
    for i in 0..100 {
        let topic = format!("$aws/things/lamp-1/shadow/name/s{i}/get/accepted");
        give(&mut fleet, telemetry(&topic, r#"{"state":{},"version":1,"timestamp":1}"#), at(1));
    }
    assert_eq!(fleet.things[&ThingKey(1)].shadows.len(), 64);
    for i in 0..3 {
        let values: Vec<String> = (0..200).map(|n| format!("\"v{i}_{n}\":1")).collect();
        let payload = format!(r#"{{"values":{{{}}}}}"#, values.join(","));
        give(&mut fleet, telemetry("city/v/lamp/lamp-1/telemetry", &payload), at(1));
    }
    assert_eq!(fleet.things[&ThingKey(1)].series.len(), 400, "the third did not fit and left nothing behind");
}

#[test]
fn a_thing_first_met_through_its_shadow_learns_what_its_topic_says() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(
        &mut fleet,
        telemetry("$aws/things/lamp-1/shadow/get/accepted", r#"{"state":{},"version":1,"timestamp":1}"#),
        at(1),
    );
    assert_eq!(fleet.things[&ThingKey(1)].meta.kind, Kind::Other);
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    assert_eq!(
        (fleet.things[&ThingKey(1)].meta.kind, fleet.things[&ThingKey(1)].meta.area.as_str()),
        (Kind::Lamp, "v")
    );
}

#[test]
fn a_shadow_that_does_not_answer_is_asked_again() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_is_there(), at(0));
    let mut asked = Vec::new();
    for s in 0..25 {
        if !published(&give(&mut fleet, Input::Ticked, at(s))).is_empty() {
            asked.push(s);
        }
    }
    assert_eq!(asked, [1, 11, 21]);
}

#[test]
fn a_value_said_twice_is_kept_once() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    fleet.take_dirty();
    let effects = give(&mut fleet, lamp_says(1, 60.0), at(2));
    assert!(!effects.writes.iter().any(|w| matches!(w, Write::Sample(_))), "{effects:?}");
    assert!(fleet.take_dirty().samples.is_empty(), "nor twice in an open chart");
}

#[test]
fn silence_is_written_down_and_survives_a_restart() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(0));
    give(&mut fleet, lamp_says(1, 60.0), at(1));
    let effects: Vec<Effects> = (2..300).map(|s| give(&mut fleet, Input::Ticked, at(s))).collect();
    let told =
        effects.iter().flat_map(|e| &e.writes).filter(|w| matches!(w, Write::Silent { silent: true, .. })).count();
    assert_eq!(told, 1);
    let effects = give(&mut fleet, lamp_says(301, 60.0), at(301));
    assert!(effects.writes.contains(&Write::Silent { thing: ThingKey(1), silent: false }));
}

fn any_input() -> impl Strategy<Value = Input> {
    let value = prop_oneof![Just("40"), Just("70"), Just("{")];
    prop_oneof![
        Just(up()),
        Just(down()),
        Just(lamp_is_there()),
        Just(Input::Ticked),
        Just(Input::Opened(ThingKey(1))),
        (0u64..50, 0.0f64..100.0).prop_map(|(ts, w)| lamp_says(ts, w)),
        (value, proptest::option::of(1_000u64..90_000)).prop_map(|(v, e)| dim_to(v, e)),
        (1u64..4).prop_map(|id| Input::Asked {
            window: WindowId(1),
            request: RequestId(1),
            intent: Intent::CancelCommand { command: CommandId(id) }
        }),
        (1u16..4, any::<bool>(), 0u64..3).prop_map(|(packet_id, redelivered, n)| {
            let payload = format!(r#"{{"values":{{"power_w":{n},"mode":"m{n}"}}}}"#);
            let m = message("city/v/lamp/lamp-1/telemetry", &payload);
            Input::Link(LinkEvent::Received(Received { packet_id, redelivered, delivery: Some(Delivery(n)), ..m }))
        }),
        (1u64..6, prop_oneof![Just("accepted"), Just("rejected")]).prop_map(|(v, verb)| {
            let payload = format!(
                r#"{{"code":409,"message":"x","state":{{"desired":{{"dim_pct":40}}}},"metadata":{{}},"version":{v},"timestamp":1,"clientToken":"fl-0000000000000abc-1"}}"#
            );
            telemetry(&format!("$aws/things/lamp-1/shadow/update/{verb}"), &payload)
        }),
    ]
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_effects(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let (mut one, mut two) = (fleet(), fleet());
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            prop_assert_eq!(give(&mut one, input.clone(), at(s)), give(&mut two, input, at(s)));
        }
        prop_assert_eq!(one.counters(), two.counters());
    }

    #[test]
    fn whatever_happens_nothing_is_published_while_the_link_is_down(inputs in proptest::collection::vec((any_input(), 0u64..40), 1..60)) {
        let mut fleet = fleet();
        let mut s = 0;
        for (input, passed) in inputs {
            s += passed;
            let effects = give(&mut fleet, input, at(s));
            prop_assert!(fleet.up_since.is_some() || published(&effects).is_empty());
        }
    }
}
