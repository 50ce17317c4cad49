//! What rules cost a message: `cargo run --release -p fleetlens-model --example rules`.
//!
//! A thing says a new value each second; a condition hears it and is judged, and the alarm's state takes what it was judged to be, as
//! the engine does with every message. The fastest of some batches is told, because other programs run as well.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use fleetlens_model::alarm::state::{Input, State, Terms};
use fleetlens_model::expression::{Expression, Facts, Mistake, Said, Word};
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::{MonoMs, Now, WallMs};

const BATCHES: u32 = 200;
const MESSAGES: u32 = 5_000;

/// A thing whose every value is this number.
struct One(f64);

impl Facts for One {
    fn word(&self, _nth: usize) -> Word<'_> {
        Word::Said(Said::Number(self.0))
    }
}

/// Nanoseconds a message: heard and judged, and with the alarm's state.
fn cost_ns(text: &str) -> Result<[u128; 2], Mistake> {
    let expression = Expression::read(text)?;
    let terms = Terms { on_delay_ms: 120_000, off_delay_ms: 60_000, ..Terms::default() };
    let mut now = Now { wall: WallMs(1_700_000_000_000), mono: MonoMs(0) };
    let mut memory = expression.memory(now);
    let mut state = State::default();
    let mut least = [u128::MAX; 2];
    for batch in 0..BATCHES {
        let has_state = batch % 2 == 1;
        let begun = Instant::now();
        for nth in 0..MESSAGES {
            now = Now { wall: now.wall.plus(1_000), mono: now.mono.plus(1_000) };
            let value = f64::from(nth % 100);
            expression.hear(&mut memory, 0, &Value::Number(value), now.wall, now);
            let so = black_box(expression.is_so(&memory, &One(value), 0.0, now));
            if has_state {
                (state, _) = black_box(state.step(Input::Judged(so.into()), &terms, now));
            }
        }
        let ns = begun.elapsed().as_nanos() / u128::from(MESSAGES);
        let [judged, with_state] = &mut least;
        let least = if has_state { with_state } else { judged };
        *least = ns.min(*least);
    }
    Ok(least)
}

fn main() -> ExitCode {
    println!("{:>6} {:>6}  ns a message: judged, and with the alarm's state", "", "");
    for text in [
        "fill_pct >= 90",
        "fill_pct >= 90 and temp_c < 60 or not free > 3",
        "volt not in 210..250",
        "avg(level, 5m) >= 80",
        "rate(temp_c, 1h) > 5 / 1h",
        "avg(level, 5m) >= 80 and max(level, 1h) > 95",
    ] {
        match cost_ns(text) {
            Ok([judged, with_state]) => println!("{judged:>6} {with_state:>6}  {text}"),
            Err(mistake) => {
                eprintln!("{mistake}\n{}", mistake.picture(text));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
