//! What the history of a shadow is told: which leaves, and who.

use fleetlens_model::shadow::change::{Author, Change, LEAVES_MAX, Side};
use serde_json::json;

use super::*;

/// The changes that effects keep, each beside its document.
fn changes(effects: &Effects) -> Vec<&Change> {
    let is_document = |write: &Write| matches!(write, Write::Shadow { .. });
    let changes: Vec<&Change> = effects
        .writes
        .iter()
        .filter_map(|write| if let Write::ShadowChanged { change, .. } = write { Some(&**change) } else { None })
        .collect();
    assert!(changes.len() <= effects.writes.iter().filter(|write| is_document(write)).count(), "{effects:?}");
    changes
}

/// Each leaf in a line: `d /dim_pct 100 → 40`.
fn lines(changes: &[&Change]) -> Vec<String> {
    let value = |json: &Option<String>| json.clone().unwrap_or_else(|| "–".into());
    let leaves = changes.iter().flat_map(|change| &change.leaves);
    leaves
        .map(|leaf| {
            let side = if leaf.side == Side::Desired { "d" } else { "r" };
            format!("{side} {} {} → {}", leaf.pointer, value(&leaf.before), value(&leaf.after))
        })
        .collect()
}

fn by_m_vella(command: u64) -> Author {
    let actor = Actor { name: "M. Vella".into(), role: Role::Operator };
    Author::Person { actor, command: CommandId(command) }
}

/// The service tells of an update by somebody with this token.
fn somebody(service: &mut Service, state: serde_json::Value, token: Option<&str>, now: Now) -> Input {
    let payload = json!({ "state": state }).to_string();
    let request: Request = decode_request(Op::Update, payload.as_bytes()).unwrap();
    let next = service.document.update(&request, now.wall.as_s()).unwrap();
    let before = std::mem::replace(&mut service.document, next);
    let documents = service::encode_documents(&before, &service.document, token);
    let topic = ShadowTopic::new("lamp-1", None, ShadowTopicKind::Documents).to_string();
    telemetry(&topic, &String::from_utf8(documents).unwrap())
}

#[test]
fn a_command_and_the_device_that_obeys_it_are_told_with_who_they_are() {
    let (mut fleet, mut service) = with_lamp();
    let version = service.document.version;
    let asked = give(&mut fleet, dim_to("40", None), at(2));
    assert!(changes(&asked).is_empty(), "what is only wanted of us has changed nothing");
    let answers = service.answer(&asked, at(3));
    // `accepted` and `documents` of one update are one change.
    let effects: Vec<Effects> = answers.into_iter().map(|input| give(&mut fleet, input, at(3))).collect();
    let told: Vec<&Change> = effects.iter().flat_map(changes).collect();
    assert_eq!(lines(&told), ["d /dim_pct 100 → 40"]);
    assert_eq!((told[0].by.clone(), told[0].version, told[0].heard_ms), (by_m_vella(1), version + 1, at(3).wall));
    assert_eq!(told[0].at_ms(), at(3).wall, "the service stamps whole seconds");

    let obeyed = service.report(json!({"reported": {"dim_pct": 40, "power_w": 11}}), at(5));
    let effects = give(&mut fleet, obeyed, at(9));
    let told = changes(&effects);
    assert_eq!(lines(&told), ["r /dim_pct 100 → 40", "r /power_w – → 11"]);
    assert_eq!((told[0].by.clone(), told[0].version), (Author::Device, version + 2));
    assert_eq!((told[0].at_ms(), told[0].heard_ms), (at(5).wall, at(9).wall), "dated by the service");
}

#[test]
fn another_app_is_told_by_the_beginning_of_its_token() {
    for (name, token, state, want) in [
        ("no token", None, json!({"desired": {"dim_pct": 7}}), Author::Other { token: None }),
        (
            "a token",
            Some("01ARYZ6S41TSV4RRFFQ69G5FAV"),
            json!({"desired": {"dim_pct": 7}}),
            Author::Other { token: Some("01ARYZ6S41T…".into()) },
        ),
        (
            "a token that hides something",
            Some("a\u{202e}b"),
            json!({"desired": {"dim_pct": 7}}),
            Author::Other { token: Some("a\\u{202e}b".into()) },
        ),
        ("a device with a token", Some("dev-1"), json!({"reported": {"dim_pct": 7}}), Author::Device),
        ("a device that clears the wish", None, json!({"desired": null, "reported": {"dim_pct": 7}}), Author::Device),
    ] {
        let (mut fleet, mut service) = with_lamp();
        let input = somebody(&mut service, state, token, at(4));
        let effects = give(&mut fleet, input, at(4));
        assert_eq!(changes(&effects)[0].by, want, "{name}");
    }
}

#[test]
fn a_command_that_is_taken_back_is_told_by_whoever_took_it_back() {
    for (name, cancelled, want) in
        [("a person", true, by_m_vella(1)), ("its time", false, Author::Program { command: CommandId(1) })]
    {
        let (mut fleet, mut service) = with_lamp();
        let effects = give(&mut fleet, dim_to("40", Some(5_000)), at(2));
        converse(&mut fleet, &mut service, effects, at(2));
        let over = match cancelled {
            true => Input::Asked {
                window: WindowId(1),
                request: RequestId(2),
                intent: Intent::CancelCommand { command: CommandId(1) },
            },
            false => Input::Ticked,
        };
        let mut inputs = service.answer(&give(&mut fleet, over, at(8)), at(8));
        let mut told = Vec::new();
        while !inputs.is_empty() {
            let effects: Vec<Effects> = inputs.drain(..).map(|input| give(&mut fleet, input, at(8))).collect();
            told.extend(effects.iter().flat_map(changes).cloned());
            inputs = effects.iter().flat_map(|effects| service.answer(effects, at(8))).collect();
        }
        let told: Vec<&Change> = told.iter().collect();
        assert_eq!(lines(&told), ["d /dim_pct 40 → 100"], "{name}");
        assert_eq!(told[0].by, want, "{name}");
    }
}

#[test]
fn the_same_said_again_is_no_change_and_writes_nothing_but_the_document() {
    let (mut fleet, mut service) = with_lamp();
    for (s, state) in
        [(2, json!({"reported": {"dim_pct": 100}})), (3, json!({"desired": {"dim_pct": 100.0}})), (4, json!({}))]
    {
        let input = service.report(state.clone(), at(s));
        let effects = give(&mut fleet, input, at(s));
        assert!(changes(&effects).is_empty(), "{state}");
        assert!(matches!(&effects.writes[..], [Write::Shadow { .. }]), "{state}: {effects:?}");
    }
}

#[test]
fn what_a_get_shows_and_a_version_that_was_missed_happened_unheard() {
    // While the link was down, by whomever.
    let (mut fleet, mut service) = with_lamp();
    give(&mut fleet, down(), at(2));
    service.report(json!({"desired": {"dim_pct": 30}}), at(3));
    service.report(json!({"reported": {"dim_pct": 30}}), at(4));
    give(&mut fleet, up(), at(10));
    let asked = give(&mut fleet, Input::Opened(ThingKey(1)), at(10));
    let effects: Vec<Effects> =
        service.answer(&asked, at(10)).into_iter().map(|i| give(&mut fleet, i, at(10))).collect();
    let told: Vec<&Change> = effects.iter().flat_map(changes).collect();
    assert_eq!(lines(&told), ["d /dim_pct 100 → 30", "r /dim_pct 100 → 30"]);
    let times: Vec<WallMs> = told[0].leaves.iter().map(|leaf| leaf.at_ms).collect();
    assert_eq!((told.len(), &told[0].by, times), (1, &Author::Unheard, vec![at(3).wall, at(4).wall]));

    // A message that never came.
    service.report(json!({"desired": {"dim_pct": 20}}), at(11));
    let next = service.report(json!({"reported": {"dim_pct": 20}}), at(12));
    let effects = give(&mut fleet, next, at(12));
    assert_eq!(changes(&effects)[0].by, Author::Unheard);
}

#[test]
fn the_first_that_is_heard_of_a_shadow_is_no_change_unless_it_was_made_then() {
    let mut fleet = fleet();
    give(&mut fleet, up(), at(1));
    give(&mut fleet, lamp_is_there(), at(1));
    let topic = |verb: &str| format!("$aws/things/lamp-1/shadow/name/{verb}");
    let known = r#"{"state":{"reported":{"on":true}},"version":5,"timestamp":1}"#;
    let made = r#"{"current":{"state":{"reported":{"on":true}},"metadata":{},"version":1},"timestamp":1}"#;
    let found = r#"{"current":{"state":{"reported":{"on":true}},"metadata":{},"version":9},"timestamp":1}"#;
    let first = |fleet: &mut Fleet, verb: &str, payload: &str| {
        let effects = give(fleet, telemetry(&topic(verb), payload), at(2));
        lines(&changes(&effects))
    };
    assert!(first(&mut fleet, "a/get/accepted", known).is_empty());
    assert!(first(&mut fleet, "b/update/documents", found).is_empty());
    assert_eq!(first(&mut fleet, "c/update/documents", made), ["r /on – → true"]);
    // It is deleted, which only apps do, and made again.
    let gone = give(&mut fleet, telemetry(&topic("c/delete/accepted"), r#"{"version":2,"timestamp":1}"#), at(3));
    assert_eq!(lines(&changes(&gone)), ["r /on true → –"]);
    assert_eq!((&changes(&gone)[0].by, changes(&gone)[0].version), (&Author::Other { token: None }, 2));
    let again = made.replace("\"version\":1", "\"version\":3");
    assert_eq!(first(&mut fleet, "c/update/documents", &again), ["r /on – → true"]);
}

#[test]
fn a_flood_of_leaves_is_one_change_that_names_some_and_counts_the_rest() {
    let (mut fleet, mut service) = with_lamp();
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("v{n:03}"), json!(n))).collect();
    let flood = service.report(json!({ "reported": many }), at(2));
    let effects = give(&mut fleet, flood, at(2));
    let told = changes(&effects);
    assert_eq!((told.len(), told[0].leaves.len(), told[0].more as usize), (1, LEAVES_MAX, 100 - LEAVES_MAX));
    let next = service.report(json!({"reported": {"v000": 1}}), at(3));
    let effects = give(&mut fleet, next, at(3));
    assert_eq!((changes(&effects)[0].seq, changes(&effects)[0].more), (told[0].seq + 1, 0));
}

#[test]
fn numbers_go_on_where_the_cache_ended() {
    let (fleet, mut service) = with_lamp();
    let lamp = &fleet.things[&ThingKey(1)];
    let mut texts = Texts::default();
    let restored = Restored {
        things: vec![(ThingKey(1), lamp.name.clone(), lamp.meta.clone())],
        shadows: vec![(ThingKey(1), "".into(), Packed::of(&service.document, &mut texts), at(1).wall)],
        last_change: 41,
        texts,
        ..Restored::default()
    };
    let mut fleet = Fleet::new(config(Role::Operator), restored, at(2));
    give(&mut fleet, up(), at(2));
    let report = service.report(json!({"reported": {"dim_pct": 5}}), at(3));
    let effects = give(&mut fleet, report, at(3));
    assert_eq!((changes(&effects)[0].seq, lines(&changes(&effects))), (42, vec!["r /dim_pct 100 → 5".to_owned()]));
}
