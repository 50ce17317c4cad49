//! A city of 100 000 lamps in the engine, with ten rules about each and with none: what a message costs, and what it takes.

use std::time::Instant;

use fleetlens_engine::config::{FleetConfig, TelemetryRule};
use fleetlens_engine::fleet::{Effects, Fleet, Input};
use fleetlens_engine::port::{LinkEvent, Received};
use fleetlens_host::Profile;
use fleetlens_model::alarm::Rule;
use fleetlens_model::record::{Restored, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_tests::bench::{Failure, Memory};
use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::telemetry::Reading;
use fleetlens_wire::template::Template;
use serde_json::{Value, json};

/// Messages that are made before they are timed.
const BLOCK: u32 = 1_000;

/// Ten conditions as people write them: limits, words, a range, two values, and a window.
const CONDITIONS: [&str; 10] = [
    "temp_c >= 75",
    "power_w > 160",
    "state = 'fault'",
    "volt not in 200..250",
    "power_w > 120 and temp_c > 60",
    "dim_pct > 100 or dim_pct < 0",
    "temp_c - power_w > 70",
    "not (volt > 190)",
    "state = 'off' and power_w > 20",
    "avg(power_w, 5m) >= 150",
];

fn rules(count: usize) -> Result<Vec<Rule>, Failure> {
    let rules = CONDITIONS.iter().take(count).enumerate().map(|(nth, when)| {
        format!("[[alarm]]\nid = \"r{nth}\"\nwhen = \"{when}\"\nfor = \"1 min\"\nwhat_to_do = \"look\"\n")
    });
    let head = if count == 0 { "alarm = []\n" } else { "" };
    let text = format!(
        "{head}name = \"bench\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n{}",
        rules.collect::<String>()
    );
    Ok(Profile::parse(&text, "bench.toml")?.rules)
}

fn at(round: u32) -> Now {
    let ms = u64::from(round) * 30_000;
    Now { wall: WallMs(1_800_000_000_000).plus(ms.cast_signed()), mono: MonoMs(ms) }
}

fn message(thing: u32, round: u32) -> Input {
    let power = 40 + (thing + round * 7) % 60;
    let payload = format!(
        r#"{{"ts":{},"values":{{"power_w":{power}.5,"temp_c":{},"volt":230.1,"dim_pct":80,"state":"on"}}}}"#,
        at(round).wall.0,
        20 + (thing + round) % 30,
    );
    Input::Link(LinkEvent::Received(Received {
        topic: format!("city/lamp/t-{thing}/telemetry"),
        payload: payload.into_bytes(),
        retained: false,
        redelivered: false,
        packet_id: 0,
        properties: None,
        delivery: None,
    }))
}

/// Runs the city; the first round makes its things and is not timed.
pub fn run(rule_count: usize, things: u32, rounds: u32) -> Result<Value, Failure> {
    let telemetry = vec![TelemetryRule {
        template: Template::parse("city/{kind}/{thing}/telemetry")?,
        reading: Reading {
            envelope: Pointer::parse("/values")?,
            time: Some(Pointer::parse("/ts")?),
            ..Reading::default()
        },
        kind: None,
        interval_s: None,
    }];
    let rules = rules(rule_count)?;
    let config = FleetConfig { telemetry, rules, things_max: things as usize, ..FleetConfig::default() };
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    fleet.handle(Input::Link(LinkEvent::Up { resumed: false, granted: 1 }), at(0), &mut Effects::default());
    let (mut spent_s, mut messages, mut raised) = (0.0, 0u64, 0);
    for round in 0..=rounds {
        for first in (0..things).step_by(BLOCK as usize) {
            let block: Vec<Input> = (first..(first + BLOCK).min(things)).map(|thing| message(thing, round)).collect();
            let count = block.len() as u64;
            let mut effects = Effects::default();
            let begun = Instant::now();
            for input in block {
                fleet.handle(input, at(round), &mut effects);
            }
            if round > 0 {
                spent_s += begun.elapsed().as_secs_f64();
                messages += count;
            }
        }
        let mut effects = Effects::default();
        fleet.handle(Input::Ticked, at(round), &mut effects);
        raised += effects.writes.iter().filter(|w| matches!(w, Write::Alarm(_))).count();
        drop(fleet.take_dirty());
    }
    let memory = Memory::of(std::process::id()).ok_or("no /proc/self")?;
    Ok(json!({
        "rules": rule_count,
        "things": things,
        "messages": messages,
        "us_per_message": spent_s * 1e6 / messages as f64,
        "resident_mb": memory.resident as f64 / 1e6,
        "alarms_written": raised,
    }))
}
