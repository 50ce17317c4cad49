//! What rules cost and find: `cargo xtask bench alarms`.
//!
//! ```text
//! cargo xtask bench alarms --json -- --things 100000 --rounds 20
//! ```
//!
//! *City*: so many things with ten rules each, with one about what is usual and with one state machine, beside the same city without a
//! rule; and as many that move, with a rule about areas, beside those without one. Each is in a process of its own; the figures are what
//! the rules add to a message, and to what a thing takes. *Anomalies*: windows that people have marked in real series, found by the
//! thing's own weekly rhythm, beside a fixed limit and a plain z-score.

mod anomalies;
mod city;
mod kept;

use std::process::Command;

use city::Watched;
use fleetlens_tests::bench::{Arguments, Failure, Report};
use serde_json::Value;

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Tells this program to be the city; how many rules, things and rounds come after it.
const CITY: &str = "be-the-city";

/// The rules about each thing.
const RULES: usize = 10;

/// The most that they may add to a message, in microseconds.
const ADDED_US: f64 = 3.0;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [CITY, rules, things, rounds] => {
            println!("{}", city::run(Watched::read(rules)?, things.parse()?, rounds.parse()?)?);
            Ok(())
        }
        _ => measure(),
    }
}

fn measure() -> Result<(), Failure> {
    let arguments = Arguments::read(&["things", "rounds"])?;
    let things: u32 = arguments.number("things", 100_000, 2_000)?;
    let rounds: u32 = arguments.number("rounds", 20, 2)?;
    let mut report = Report::new("alarms");
    report.setting("things", things);
    report.setting("rules", RULES);
    let (ten, none) = (city_with(Watched::By(RULES), things, rounds)?, city_with(Watched::By(0), things, rounds)?);
    let (usual, machine) =
        (city_with(Watched::ByRhythm, things, rounds)?, city_with(Watched::ByMachine, things, rounds)?);
    let (areas, moving) =
        (city_with(Watched::ByAreas, things, rounds)?, city_with(Watched::ByNothingMoving, things, rounds)?);
    let number = |of: &Value, what: &str| of[what].as_f64().ok_or_else(|| format!("no {what} in {of}"));
    let (with, without) = (number(&ten, "us_per_message")?, number(&none, "us_per_message")?);
    let (across, elsewhere) = (number(&areas, "us_per_message")?, number(&moving, "us_per_message")?);
    let areas_mb = number(&areas, "resident_mb")? - number(&moving, "resident_mb")?;
    report.figure("areas_added_us_per_message", across - elsewhere);
    report.figure("areas_added_bytes_per_thing", areas_mb * 1e6 / f64::from(things));
    report.figure("areas", areas);
    report.figure("moving_no_rules", moving);
    let taken_mb = number(&ten, "resident_mb")? - number(&none, "resident_mb")?;
    for (what, city) in [("what_is_usual", usual), ("state_machine", machine)] {
        let (us, mb) = (number(&city, "us_per_message")?, number(&city, "resident_mb")?);
        report.figure(&format!("{what}_added_us_per_message"), us - without);
        let bytes = (mb - number(&none, "resident_mb")?) * 1e6 / f64::from(things);
        report.figure(&format!("{what}_added_bytes_per_thing"), bytes);
        report.figure(what, city);
    }
    report.figure("ten_rules", ten);
    report.figure("no_rules", none);
    report.figure("added_us_per_message", with - without);
    report.figure("added_bytes_per_thing", taken_mb * 1e6 / f64::from(things));
    report.ratio("us_per_message_to_no_rules", with, without);
    report.at_most("added_us_per_message", with - without, ADDED_US);
    report.figure("usual_in_the_cache", kept::figures(things)?);
    match anomalies::figures()? {
        Some(figures) => report.figure("anomalies", figures),
        None => report.setting("anomalies", "not looked for: no data"),
    }
    report.print(&arguments);
    Ok(())
}

/// What a city that is watched so says of itself.
fn city_with(watched: Watched, things: u32, rounds: u32) -> Result<Value, Failure> {
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.args([CITY, &watched.word(), &things.to_string(), &rounds.to_string()]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
