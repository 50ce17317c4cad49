mod acknowledge;
mod alerts;
mod any;
mod areas;
mod audit;
mod bulk;
mod changes;
mod clock;
mod commands;
mod conditions;
mod convergence;
mod design;
mod detectors;
mod direct;
mod early;
mod edit;
mod feeds;
mod groups;
mod happened;
mod in_flight;
mod ingest;
mod jobs;
mod leaves;
mod outbox;
mod people;
mod places;
mod presence;
mod registry;
mod rhythms;
mod routes;
mod several;
mod shadows;
mod silence;
mod wishes;

use super::*;
use crate::config::TelemetryRule;
use crate::port::{Alert, Delivery, LinkEvent, Publish, Qos, Received, WindowId};
use fleetlens_ipc::rows::LinkState;
use fleetlens_ipc::{AlarmScope, Done, Fault, Intent, RequestId, Wish};
use fleetlens_model::alarm::state::{Policy, Terms};
use fleetlens_model::alarm::{Alarm, Condition, Priority, Rule, Things, When};
use fleetlens_model::command::{Phase, Withdrawal};
use fleetlens_model::expression::Expression;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::AlarmId;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::{Document, Packed, Request};
use fleetlens_model::shared::Texts;
use fleetlens_model::telemetry::{Sample, Source, Value};
use fleetlens_wire::availability::Availability;
use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::shadow::{Op, ShadowTopic, ShadowTopicKind, decode_request, service};
use fleetlens_wire::telemetry::Reading;
use fleetlens_wire::template::Template;

pub(crate) fn at(s: u64) -> Now {
    Now { wall: WallMs(1_700_000_000_000 + s as i64 * 1000), mono: MonoMs(5_000 + s * 1000) }
}

pub(crate) fn config(role: Role) -> FleetConfig {
    let pointer = |text| Pointer::parse(text).unwrap();
    let reading = Reading { envelope: pointer("/values"), time: Some(pointer("/ts")), ..Reading::default() };
    FleetConfig {
        profile: "test".into(),
        who: Actor { name: "M. Vella".into(), role },
        telemetry: vec![TelemetryRule {
            template: Template::parse("city/{area}/{kind}/{thing}/telemetry").unwrap(),
            reading,
            kind: None,
            interval_s: None,
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
        properties: None,
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
    Input::Link(LinkEvent::Up { resumed: true, granted: 1 })
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

/// The service says no to a request for a command.
fn refused(fleet: &Fleet, command: u64, code: u16) -> Input {
    let token = &fleet.commands[&CommandId(command)].token;
    let no = serde_json::json!({ "code": code, "message": "no", "clientToken": token });
    telemetry("$aws/things/lamp-1/shadow/update/rejected", &no.to_string())
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

/// A fleet of an operator with these rules and room for many things.
pub(crate) fn fleet_with(rules: Vec<Rule>) -> Fleet {
    let config = FleetConfig { rules, things_max: 10_000, ..config(Role::Operator) };
    Fleet::new(config, Restored { installation: 0xabc, ..Restored::default() }, at(0))
}

pub(crate) fn rule(id: &str, kind: Option<Kind>, condition: impl Into<Judging>, priority: Priority) -> Rule {
    let Judging { condition, terms } = condition.into();
    Rule {
        id: id.into(),
        name: id.replace('-', " "),
        things: kind.map(Things::from).unwrap_or_default(),
        condition,
        unless: None,
        terms,
        priority,
        time_available_ms: None,
        cause: "a cause".into(),
        consequence: "a consequence".into(),
        what_to_do: "go there".into(),
    }
}

/// A condition with how its alarm behaves.
pub(crate) struct Judging {
    condition: Condition,
    terms: Terms,
}

impl From<Condition> for Judging {
    fn from(condition: Condition) -> Judging {
        Judging { condition, terms: Terms::default() }
    }
}

/// A condition in the language of rules.
pub(crate) fn so(text: &str, deadband: f64, terms: Terms) -> Judging {
    let expression = Expression::read(text).unwrap_or_else(|mistake| panic!("{}", mistake.picture(text)));
    Judging { condition: Condition::When(Box::new(When { expression, deadband })), terms }
}

/// A condition on a number that must not rise to a limit.
pub(crate) fn over(pointer: &str, limit: f64, deadband: f64, on_delay_ms: u64) -> Judging {
    so(&format!("{pointer} >= {limit}"), deadband, Terms { on_delay_ms, ..Terms::default() })
}

/// A thing says values, dated by its own clock.
pub(crate) fn says(kind: &str, thing: &str, ts_s: u64, values: &str) -> Input {
    telemetry(
        &format!("city/v/{kind}/{thing}/telemetry"),
        &format!(r#"{{"ts":{},"values":{values}}}"#, at(ts_s).wall.0),
    )
}

/// A thing's retained description.
pub(crate) fn meta(kind: &str, thing: &str, payload: &str) -> Input {
    let topic = format!("city/v/{kind}/{thing}/meta");
    Input::Link(LinkEvent::Received(Received { retained: true, ..message(&topic, payload) }))
}

/// The open alarms, by thing: its name, the rule, whether it is active.
fn alarms(fleet: &Fleet) -> Vec<(&str, &str, bool)> {
    let of = |alarm: &Alarm| fleet.things[&alarm.thing].name.as_str();
    let mut alarms: Vec<(&str, &str, bool)> = fleet
        .alarms
        .of(AlarmScope::Open)
        .map(|alarm| (of(alarm), fleet.rules.named(&alarm.rule).map_or("gone", |r| r.id.as_str()), alarm.is_active()))
        .collect();
    alarms.sort();
    alarms
}

/// The alarms that effects keep.
fn kept(effects: &Effects) -> Vec<&Alarm> {
    effects
        .writes
        .iter()
        .filter_map(|write| if let Write::Alarm(alarm) = write { Some(&**alarm) } else { None })
        .collect()
}

/// Lets time pass, a tick each second; what is raised meanwhile: thing, rule. Nothing may clear.
fn raised_by_ticks(fleet: &mut Fleet, seconds: std::ops::Range<u64>) -> Vec<(String, String)> {
    let mut raised = Vec::new();
    for s in seconds {
        let effects = give(fleet, Input::Ticked, at(s));
        for alarm in kept(&effects) {
            assert!(alarm.is_active(), "time alone clears nothing: {alarm:?}");
            raised.push((fleet.things[&alarm.thing].name.as_str().to_string(), alarm.rule.clone()));
        }
    }
    raised
}
