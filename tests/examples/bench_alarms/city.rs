//! A city of 100 000 lamps in the engine, with ten rules about each, with none, with one about what is usual and with one that is a
//! state machine; and one of as many that move, with a rule about areas and with none: what a message costs, and what it takes.

use std::time::Instant;

use fleetlens_engine::config::{FleetConfig, TelemetryRule};
use fleetlens_engine::fleet::{Effects, Fleet, Input};
use fleetlens_engine::port::{LinkEvent, Received};
use fleetlens_host::Profile;
use fleetlens_model::alarm::Rule;
use fleetlens_model::alarm::fence::Area;
use fleetlens_model::downsample::Bucket;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::record::{Restored, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_tests::bench::{Failure, Memory};
use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::telemetry::Reading;
use fleetlens_wire::template::Template;
use serde_json::{Value, json};

/// Messages that are made before they are timed.
const BLOCK: u32 = 1_000;

/// Between two messages of a thing.
const ROUND_MS: u32 = 30_000;

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

/// A state machine with two states, a variable and a timer, as somebody would write it for a lamp that is too hot.
const MACHINE: &str = r#"{
  "initialStateName": "Fine",
  "states": [
    { "stateName": "Fine", "onInput": { "transitionEvents": [{
      "eventName": "hot", "condition": "$input.Lamp.temp_c > 75", "nextState": "Hot",
      "actions": [{ "setVariable": { "variableName": "peak", "value": "$input.Lamp.temp_c" } },
                  { "setTimer": { "timerName": "long", "seconds": 600 } }] }] } },
    { "stateName": "Hot", "onInput": { "transitionEvents": [
      { "eventName": "cool", "condition": "$input.Lamp.temp_c < 60 || timeout('long')", "nextState": "Fine" }] } }
  ]
}"#;

/// Corners of the area that has corners: as many as somebody draws around a harbour.
const CORNERS: u32 = 64;

/// How far it reaches from its middle, in degrees; things move to half as far again.
const REACH_DEG: f64 = 0.01;

/// What the city is watched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// So many conditions over values.
    By(usize),
    /// One condition about what is usual.
    ByRhythm,
    /// One state machine.
    ByMachine,
    /// One condition about two areas, of things that move.
    ByAreas,
    /// Nothing, of things that move.
    ByNothingMoving,
}

impl Watched {
    /// As it stands on the command line.
    pub fn word(self) -> String {
        match self {
            Watched::By(count) => count.to_string(),
            Watched::ByRhythm => "usual".to_owned(),
            Watched::ByMachine => "machine".to_owned(),
            Watched::ByAreas => "areas".to_owned(),
            Watched::ByNothingMoving => "moving".to_owned(),
        }
    }

    /// Whether its things say where they are.
    fn moves(self) -> bool {
        matches!(self, Watched::ByAreas | Watched::ByNothingMoving)
    }

    /// The same as it is read there.
    pub fn read(word: &str) -> Result<Watched, Failure> {
        Ok(match word {
            "usual" => Watched::ByRhythm,
            "machine" => Watched::ByMachine,
            "areas" => Watched::ByAreas,
            "moving" => Watched::ByNothingMoving,
            count => Watched::By(count.parse()?),
        })
    }
}

/// A place so far from the middle of the city, in that direction; degrees east and north.
fn place(part: f64, far_deg: f64) -> (f64, f64) {
    let (north, east) = (part * std::f64::consts::TAU).sin_cos();
    (14.5 + far_deg * east, 35.9 + far_deg * north)
}

/// An area with corners, and a circle beside it.
fn areas() -> String {
    let corners: Vec<String> = (0..CORNERS)
        .map(|nth| place(f64::from(nth) / f64::from(CORNERS), REACH_DEG))
        .map(|(lon_deg, lat_deg)| format!("[{lon_deg:.6}, {lat_deg:.6}]"))
        .collect();
    format!(
        "[[area]]\nname = \"harbour\"\ncorners = [{}]\n[[area]]\nname = \"depot\"\nmiddle = [14.6, 35.9]\nradius_m = 500\n",
        corners.join(", ")
    )
}

fn rules(watched: Watched) -> Result<(Vec<Rule>, Vec<Area>), Failure> {
    let rule = |nth: usize, condition: String| {
        format!("[[alarm]]\nid = \"r{nth}\"\n{condition}\nfor = \"1 min\"\nwhat_to_do = \"look\"\n")
    };
    let rules: String = match watched {
        Watched::By(0) | Watched::ByNothingMoving => "alarm = []\n".to_owned(),
        Watched::By(count) => {
            let conditions = CONDITIONS.iter().take(count).enumerate();
            conditions.map(|(nth, when)| rule(nth, format!("when = \"{when}\""))).collect()
        }
        Watched::ByRhythm => rule(0, "when = \"above_usual(power_w) > 500\"".to_owned()),
        Watched::ByMachine => rule(0, format!("detector = '''{MACHINE}'''\nstates = [\"Hot\"]")),
        // Nothing is in both, so that nothing is raised; whoever moves across the edge of the first is asked of the second.
        Watched::ByAreas => areas() + rule(0, "when = \"inside('harbour') and inside('depot')\"".to_owned()).as_str(),
    };
    let head = "name = \"bench\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n";
    let is_unwatched = matches!(watched, Watched::By(0) | Watched::ByNothingMoving);
    let text = if is_unwatched { rules + head } else { head.to_owned() + rules.as_str() };
    let profile = Profile::parse(&text, "bench.toml")?;
    let areas = profile.fleet_config(String::new()).areas;
    Ok((profile.rules, areas))
}

/// What the history knows of a lamp: eight weeks of hours.
fn history() -> Vec<Bucket> {
    let hour_ms = 3_600_000;
    let hours = (1..=8 * 7 * 24).rev().map(|hours| at(0).wall.plus(-hours * hour_ms));
    let bucket = |start_ms: WallMs| {
        let mean = 60.0 + (start_ms.0 / hour_ms % 24) as f64;
        Bucket { start_ms, min: mean - 3.0, max: mean + 3.0, sum: mean * 60.0, last: mean, count: 60 }
    };
    hours.map(bucket).collect()
}

/// Has the engine recall that of every lamp that it learns; how long one takes, in microseconds.
fn recall(fleet: &mut Fleet, learned: &[SeriesKey]) -> f64 {
    let (buckets, mut spent_s) = (history(), 0.0);
    for series in learned {
        let input = Input::Recalled { series: *series, buckets: buckets.clone() };
        let mut effects = Effects::default();
        let begun = Instant::now();
        fleet.handle(input, at(0), &mut effects);
        spent_s += begun.elapsed().as_secs_f64();
    }
    spent_s * 1e6 / learned.len().max(1) as f64
}

fn at(round: u32) -> Now {
    let ms = u64::from(round) * u64::from(ROUND_MS);
    Now { wall: WallMs(1_800_000_000_000).plus(ms.cast_signed()), mono: MonoMs(ms) }
}

fn message(thing: u32, round: u32, moves: bool) -> Input {
    let power = 40 + (thing + round * 7) % 60;
    // In and out, each around another way.
    let far_deg = REACH_DEG * f64::from((thing + round) % 30) / 20.0;
    let (lon_deg, lat_deg) = place(f64::from(thing % 97) / 97.0, far_deg);
    let place = if moves { format!(r#","lat":{lat_deg:.6},"lon":{lon_deg:.6}"#) } else { String::new() };
    let payload = format!(
        r#"{{"ts":{},"values":{{"power_w":{power}.5,"temp_c":{},"volt":230.1,"dim_pct":80,"state":"on"{place}}}}}"#,
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

/// Runs the city; the first round makes its things and is not timed. Where it is learned what is usual, the weeks before are recalled
/// after it, and a last round, an hour later, ends an hour of every thing.
pub fn run(watched: Watched, things: u32, rounds: u32) -> Result<Value, Failure> {
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
    let (rules, areas) = rules(watched)?;
    let config = FleetConfig { telemetry, rules, areas, things_max: things as usize, ..FleetConfig::default() };
    let mut fleet = Fleet::new(config, Restored::default(), at(0));
    fleet.handle(Input::Link(LinkEvent::Up { resumed: false, granted: 1 }), at(0), &mut Effects::default());
    let (mut spent_s, mut messages, mut raised) = (0.0, 0u64, 0);
    let (mut learned, mut recall_us, mut hour_s) = (Vec::new(), 0.0, 0.0);
    let an_hour_later = rounds + 3_600_000 / ROUND_MS;
    for round in (0..=rounds).chain((watched == Watched::ByRhythm).then_some(an_hour_later)) {
        for first in (0..things).step_by(BLOCK as usize) {
            let block = (first..(first + BLOCK).min(things)).map(|thing| message(thing, round, watched.moves()));
            let block: Vec<Input> = block.collect();
            let count = block.len() as u64;
            let mut effects = Effects::default();
            let begun = Instant::now();
            for input in block {
                fleet.handle(input, at(round), &mut effects);
            }
            let spent = begun.elapsed().as_secs_f64();
            if round == an_hour_later {
                hour_s += spent;
            } else if round > 0 {
                spent_s += spent;
                messages += count;
            }
            let power = effects.writes.iter().filter_map(|write| {
                let Write::Series { series, pointer, .. } = write else { return None };
                (pointer == "/power_w").then_some(*series)
            });
            learned.extend(power);
        }
        if round == 0 && watched == Watched::ByRhythm {
            recall_us = recall(&mut fleet, &learned);
        }
        let mut effects = Effects::default();
        fleet.handle(Input::Ticked, at(round), &mut effects);
        raised += effects.writes.iter().filter(|w| matches!(w, Write::Alarm(_))).count();
        drop(fleet.take_dirty());
    }
    let memory = Memory::of(std::process::id()).ok_or("no /proc/self")?;
    Ok(json!({
        "watched_by": watched.word(),
        "things": things,
        "messages": messages,
        "us_per_message": spent_s * 1e6 / messages as f64,
        "resident_mb": memory.resident as f64 / 1e6,
        "us_per_message_that_ends_an_hour": hour_s * 1e6 / f64::from(things),
        "us_per_series_recalled": recall_us,
        "alarms_written": raised,
    }))
}
