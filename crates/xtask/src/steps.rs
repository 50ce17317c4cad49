//! Numbered progress lines with elapsed times, on stderr: stdout belongs to what a verb answers.

use std::cell::Cell;
use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps of one verb, counted from one.
pub struct Steps {
    total: usize,
    begun: usize,
}

impl Steps {
    /// Steps that end at `total`.
    pub fn new(total: usize) -> Self {
        Self { total, begun: 0 }
    }

    /// Does one step and prints how long it took; a step that never said what it does had nothing to do.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce(&Step) -> Result<T>) -> Result<T> {
        self.begun += 1;
        let step = Step { title: format!("[{}/{}] {name}", self.begun, self.total), spoke: Cell::new(false) };
        let start = Instant::now();
        let result = work(&step);
        let took = elapsed(start.elapsed());
        match (&result, step.spoke.get()) {
            (Ok(_), true) => tell(&format!("{} … {took}", step.title)),
            (Ok(_), false) => tell(&format!("{} … ready", step.title)),
            (Err(_), _) => tell(&format!("{} … failed after {took}", step.title)),
        }
        result
    }
}

/// One step while it is being done.
pub struct Step {
    title: String,
    spoke: Cell<bool>,
}

impl Step {
    /// Says what is being done now; to be called before anything that takes longer than a second.
    pub fn say(&self, what: &str) {
        self.spoke.set(true);
        tell(&format!("{}: {what}", self.title));
    }
}

/// Writes a line to stderr. A terminal that is gone is no reason to panic on the way to an end in order.
pub fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// A duration as people say it: `0.4 s`, `41 s`, `3 min 20 s`.
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..100 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_the_unit_that_suits_it() {
        for (time_ms, want) in
            [(40, "0.0 s"), (9_940, "9.9 s"), (41_700, "41 s"), (99_900, "99 s"), (200_000, "3 min 20 s")]
        {
            assert_eq!(elapsed(Duration::from_millis(time_ms)), want);
        }
    }

    #[test]
    fn a_failed_step_hands_its_error_on() {
        let failed: Result<()> = Steps::new(1).step("something", |_| anyhow::bail!("the cause"));
        assert_eq!(failed.unwrap_err().to_string(), "the cause");
    }
}
