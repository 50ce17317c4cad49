//! What the benchmarks share: their arguments, how they report, a folder on a real disk, and what the system says of a process.
//!
//! | module | gives a benchmark |
//! |---|---|
//! | [`filling`] | a cache full of samples, and plain tables with the same |
//! | [`resting`] | the cache of a city at rest, with its profile |
//! | [`samples`] | what the devices of a city measure, the same in every run |
//! | [`plain`] | the SQLite tables that one would make first, to measure against |
//!
//! A benchmark is an example of this package, `tests/examples/bench_NAME`, that takes `--json`; docs/PERFORMANCE.md says what
//! each measures. Its baseline is measured in the same run on the same disk, so that the ratio means something on any machine.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Advice, fadvise};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::place;

pub mod filling;
pub mod plain;
pub mod resting;
pub mod samples;

/// Whatever ends a benchmark.
pub type Failure = Box<dyn std::error::Error>;

/// What a benchmark was told: `--json`, `--quick`, and `--name value` for each name that it knows.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Whether to print one JSON object.
    pub json: bool,
    /// Whether to measure so little that it shows only that everything works.
    pub quick: bool,
    given: Vec<(String, String)>,
}

impl Arguments {
    /// Reads them. Fails on a name the benchmark does not know, and on one without a value.
    pub fn read(known: &[&str]) -> Result<Arguments, Failure> {
        Arguments::of(std::env::args().skip(1), known)
    }

    fn of(mut words: impl Iterator<Item = String>, known: &[&str]) -> Result<Arguments, Failure> {
        let mut read = Arguments { json: false, quick: false, given: Vec::new() };
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some("json") => read.json = true,
                Some("quick") => read.quick = true,
                Some(name) if known.contains(&name) => {
                    let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
                    read.given.push((name.to_owned(), value));
                }
                Some(_) | None => {
                    let known: Vec<String> = known.iter().map(|name| format!("--{name} VALUE")).collect();
                    return Err(format!("{word} is none of --json, --quick, {}", known.join(", ")).into());
                }
            }
        }
        Ok(read)
    }

    /// The value of a name; when nobody said, `whole`, or `quick` where that is enough.
    pub fn number<T: std::str::FromStr>(&self, name: &str, whole: T, quick: T) -> Result<T, Failure> {
        let otherwise = if self.quick { quick } else { whole };
        match self.given.iter().rev().find(|(given, _)| given == name) {
            Some((_, value)) => value.parse().map_err(|_| format!("--{name} {value} is no such number").into()),
            None => Ok(otherwise),
        }
    }
}

/// What came of a benchmark. One JSON object for programs, sentences for people.
#[derive(Clone, Debug)]
pub struct Report {
    name: &'static str,
    setting: Map<String, Value>,
    figures: Map<String, Value>,
    ratios: Map<String, Value>,
    goals: Map<String, Value>,
}

impl Report {
    /// Of the benchmark of this name, as yet empty.
    pub fn new(name: &'static str) -> Report {
        let (setting, figures, ratios, goals) = Default::default();
        Report { name, setting, figures, ratios, goals }
    }

    /// What was measured under: how many things, for how long.
    pub fn setting(&mut self, name: &str, value: impl Into<Value>) {
        self.setting.insert(name.to_owned(), value.into());
    }

    /// A measured value, its unit at the end of its name, or an object of them.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), rounded(value.into()));
    }

    /// One of our figures divided by the baseline's.
    pub fn ratio(&mut self, name: &str, ours: f64, baseline: f64) {
        self.ratios.insert(name.to_owned(), rounded((ours / baseline).into()));
    }

    /// A figure that should be at most so much.
    pub fn at_most(&mut self, name: &str, is: f64, most: f64) {
        self.goals.insert(
            name.to_owned(),
            json!({ "is": rounded(is.into()), "at_most": rounded(most.into()), "holds": is <= most }),
        );
    }

    /// A figure that should be at least so much.
    pub fn at_least(&mut self, name: &str, is: f64, least: f64) {
        self.goals.insert(
            name.to_owned(),
            json!({ "is": rounded(is.into()), "at_least": rounded(least.into()), "holds": is >= least }),
        );
    }

    /// For a program.
    pub fn as_json(&self) -> Value {
        json!({
            "name": self.name, "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "at_s": SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            "setting": self.setting, "figures": self.figures, "ratios": self.ratios, "goals": self.goals,
        })
    }

    /// For people: a line a value.
    pub fn as_text(&self) -> String {
        let mut text = String::new();
        for (title, values) in [("setting", &self.setting), ("figures", &self.figures), ("ratios", &self.ratios)] {
            for (name, value) in values {
                lines(&mut text, &format!("{title}: {name}"), value);
            }
        }
        for (name, goal) in &self.goals {
            let (least, most) = (&goal["at_least"], &goal["at_most"]);
            let wanted = if most.is_null() { format!("at least {least}") } else { format!("at most {most}") };
            let holds = if goal["holds"] == true { "holds" } else { "MISSED" };
            _ = writeln!(text, "goal {holds}: {name} is {}, wanted {wanted}", goal["is"]);
        }
        text
    }

    /// Prints it as was asked for.
    pub fn print(&self, arguments: &Arguments) {
        let mut whole = self.clone();
        whole.setting("quick", arguments.quick);
        let report = &whole;
        if arguments.json {
            println!("{}", report.as_json());
        } else {
            print!("{}", report.as_text());
        }
    }
}

/// A line a value; of an object a line each, of a list one for all.
fn lines(text: &mut String, name: &str, value: &Value) {
    match value {
        Value::Object(values) => {
            values.iter().for_each(|(inner, value)| lines(text, &format!("{name} {inner}"), value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            _ = writeln!(text, "{name} {value}");
        }
    }
}

/// Four figures are more than any of this repeats.
fn rounded(value: Value) -> Value {
    const FIGURES: i32 = 4;
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            if number == 0.0 {
                return json!(0.0);
            }
            let decimals = (FIGURES - 1 - number.abs().log10().floor() as i32).clamp(0, 12);
            let scale = 10f64.powi(decimals);
            json!((number * scale).round() / scale)
        }
        Value::Object(values) => values.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        Value::Array(values) => values.into_iter().map(rounded).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// A folder below `target` that goes with the value. Fails where that is in memory: an fsync there costs nothing, and a cold file
/// is as warm as any.
pub fn folder_on_a_disk() -> Result<TempDir, Failure> {
    // statfs(2).
    const TMPFS: i64 = 0x0102_1994;
    let below = place::target().join("bench");
    std::fs::create_dir_all(&below)?;
    if rustix::fs::statfs(&below)?.f_type as i64 == TMPFS {
        return Err(format!("{} is in memory; set CARGO_TARGET_DIR to a folder on a disk", below.display()).into());
    }
    Ok(tempfile::tempdir_in(below)?)
}

/// Has the system forget what it knows of a database: what is read next comes from the disk. What another process has mapped stays.
pub fn forget_pages(database: &Path) -> Result<(), Failure> {
    for file in files_of(database) {
        let Ok(file) = File::open(file) else { continue };
        // Only what is on the disk can be forgotten.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Bytes of a database with its log.
pub fn bytes_of(database: &Path) -> u64 {
    files_of(database).iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

fn files_of(database: &Path) -> [PathBuf; 2] {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    [database.to_owned(), log.into()]
}

/// Seconds of the processor that a process has used so far, all its threads, in user mode and in the kernel (proc_pid_stat(5),
/// fields 14 and 15), to a hundredth of a second; `None` when it is gone.
pub fn cpu_s(process: u32) -> Option<f64> {
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, kernel): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + kernel) / TICKS_PER_S)
}

/// Memory of a process, in bytes (proc_pid_status(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Of that, what is no file's: heap and stacks.
    pub anonymous: u64,
    /// The most that ever was resident.
    pub peak: u64,
}

impl Memory {
    /// Of a process; `None` when it is gone.
    pub fn of(process: u32) -> Option<Memory> {
        Memory::read(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
    }

    fn read(status: &str) -> Option<Memory> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kib * 1024)
        };
        Some(Memory { resident: bytes("VmRSS")?, anonymous: bytes("RssAnon")?, peak: bytes("VmHWM")? })
    }
}

/// The value below which this part (0–1) of the sorted values lies; the nearest rank. Not a number where there is none.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The middle of some values, in any order.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// How much something grows in an hour, of values at seconds: the slope of the line that fits them best.
pub fn growth_per_h(seen: &[(f64, f64)]) -> f64 {
    let n = seen.len() as f64;
    let (mid_s, mid) = seen.iter().fold((0.0, 0.0), |(s, b), seen| (s + seen.0 / n, b + seen.1 / n));
    let over: f64 = seen.iter().map(|(s, value)| (s - mid_s) * (value - mid)).sum();
    let under: f64 = seen.iter().map(|(s, _)| (s - mid_s).powi(2)).sum();
    over / under * 3_600.0
}

/// The wall clock in microseconds since the epoch, which all processes of a machine share.
pub fn now_us() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

/// Milliseconds, with what is below them.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<'a>(line: &'a str) -> impl Iterator<Item = String> + 'a {
        line.split_whitespace().map(str::to_owned)
    }

    #[test]
    fn what_grows_by_one_each_second_grows_by_3600_in_an_hour() {
        let seen: Vec<(f64, f64)> = (0..10).map(|s| (f64::from(s), 7.0 + f64::from(s))).collect();
        assert!((growth_per_h(&seen) - 3_600.0).abs() < 1e-6);
    }

    #[test]
    fn arguments_that_a_benchmark_does_not_know_are_told() {
        let read = Arguments::of(words("--json --samples 7 --samples 8"), &["samples"]).unwrap();
        assert!(read.json && !read.quick);
        assert_eq!((read.number("samples", 1, 2).unwrap(), read.number("minutes", 3, 4).unwrap()), (8, 3));
        let quick = Arguments::of(words("--quick"), &["samples"]).unwrap();
        assert_eq!(quick.number("samples", 1, 2).unwrap(), 2);
        for (line, says) in
            [("--samples", "needs a value"), ("--sample 7", "--samples VALUE"), ("7", "--samples VALUE")]
        {
            let error = Arguments::of(words(line), &["samples"]).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
        let error = Arguments::of(words("--samples many"), &["samples"]).unwrap().number("samples", 1, 1).unwrap_err();
        assert!(error.to_string().contains("many"), "{error}");
    }

    #[test]
    fn a_report_says_which_goals_hold() {
        let mut report = Report::new("store");
        report.figure("bytes_per_sample", 1.987_65);
        report.ratio("bytes", 2.0, 8.0);
        report.at_most("bytes_per_sample", 1.99, 2.0);
        report.at_least("samples_per_s", 2_999_999.0, 3e6);
        let json = report.as_json();
        assert_eq!((&json["figures"]["bytes_per_sample"], &json["ratios"]["bytes"]), (&json!(1.988), &json!(0.25)));
        assert_eq!(
            (&json["goals"]["bytes_per_sample"]["holds"], &json["goals"]["samples_per_s"]["holds"]),
            (&json!(true), &json!(false))
        );
        let text = report.as_text();
        assert!(text.contains("goal MISSED: samples_per_s is 2999999.0, wanted at least 3000000.0"), "{text}");
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        for (part, want) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert_eq!(quantile(&sorted, part), want, "{part}");
        }
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn the_system_says_what_a_process_takes() {
        let memory = Memory::read("VmHWM:\t  12 kB\nVmRSS:\t       8 kB\nRssAnon:\t   4 kB\n").unwrap();
        assert_eq!(memory, Memory { resident: 8_192, anonymous: 4_096, peak: 12_288 });
        let own = Memory::of(std::process::id()).unwrap();
        assert!(own.peak >= own.resident && own.resident > own.anonymous, "{own:?}");
        let before = cpu_s(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_s(std::process::id()).unwrap() < before + 0.02 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
    }
}
