//! What judging rules costs: `cargo run --release -p fleetlens-model --example rules`.
//!
//! Each condition is judged a million times of a thing whose value is new each time, as the engine does with every message.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use fleetlens_model::expression::{Expression, Facts, Mistake, Said, Word};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::{MonoMs, Now, WallMs};

const TIMES: u32 = 1_000_000;

/// A thing whose every value is this number.
struct One(f64);

impl Facts for One {
    fn word(&self, _nth: usize) -> Word<'_> {
        Word::Said(Said::Number(self.0))
    }
}

fn cost_ns(text: &str) -> Result<u128, Mistake> {
    let expression = Expression::read(text)?;
    let mut now = Now { wall: WallMs(1_700_000_000_000), mono: MonoMs(0) };
    let mut memory = expression.memory(now);
    let begun = Instant::now();
    for nth in 0..TIMES {
        now = Now { wall: now.wall.plus(1_000), mono: now.mono.plus(1_000) };
        let value = f64::from(nth % 100);
        expression.hear(&mut memory, 0, &Value::Number(value), now.wall, now);
        let _ = black_box(expression.is_so(&memory, &One(value), 0.0, now));
    }
    Ok(begun.elapsed().as_nanos() / u128::from(TIMES))
}

fn main() -> ExitCode {
    println!("{:>6}  condition, heard and judged once a message", "ns");
    for text in [
        "fill_pct >= 90",
        "fill_pct >= 90 and temp_c < 60 or not free > 3",
        "volt not in 210..250",
        "avg(level, 5m) >= 80",
        "rate(temp_c, 1h) > 5 / 1h",
        "avg(level, 5m) >= 80 and max(level, 1h) > 95",
    ] {
        match cost_ns(text) {
            Ok(ns) => println!("{ns:>6}  {text}"),
            Err(mistake) => {
                eprintln!("{mistake}\n{}", mistake.picture(text));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
