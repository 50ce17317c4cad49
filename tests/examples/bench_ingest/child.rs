//! Processes of a measurement: this program in another role, or `mosquitto_sub`, and what of the processor they took.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// The kernel counts in hundredths of a second (`getconf CLK_TCK` on every Linux there is).
const TICKS_PER_S: f64 = 100.0;

/// A child that ends with us.
pub struct Role {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Option<BufReader<ChildStdout>>,
}

impl Drop for Role {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of processor time since the process began.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// Of the whole process.
    pub all_s: f64,
    /// Of the threads that live, by name.
    pub threads_s: BTreeMap<String, f64>,
}

impl Cpu {
    /// What was taken since an earlier look.
    pub fn since(&self, earlier: &Cpu) -> Cpu {
        let before = |name: &str| earlier.threads_s.get(name).copied().unwrap_or_default();
        let threads_s = self.threads_s.iter().map(|(name, s)| (name.clone(), s - before(name))).collect();
        Cpu { all_s: self.all_s - earlier.all_s, threads_s }
    }
}

impl Role {
    /// This program in another role.
    pub fn start(arguments: &[&str]) -> Result<Role, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("role").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().map(BufReader::new);
        Ok(Role { child, orders, answers })
    }

    /// Another program, which nobody talks to.
    pub fn start_other(command: &mut Command) -> Result<Role, Failure> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        Ok(Role { child, orders: None, answers: None })
    }

    /// Tells it something.
    pub fn tell(&mut self, line: &str) -> Result<(), Failure> {
        let orders = self.orders.as_mut().ok_or("nobody listens")?;
        writeln!(orders, "{line}")?;
        Ok(orders.flush()?)
    }

    /// The next line it says that begins with this word, without it.
    pub fn hear(&mut self, word: &str) -> Result<String, Failure> {
        let answers = self.answers.as_mut().ok_or("nobody speaks")?;
        loop {
            let mut line = String::new();
            if answers.read_line(&mut line)? == 0 {
                return Err(format!("it ended before it said {word:?}").into());
            }
            if let Some(rest) = line.trim_end().strip_prefix(word) {
                return Ok(rest.trim_start().to_owned());
            }
        }
    }

    /// What it has taken so far.
    pub fn cpu(&self) -> Result<Cpu, Failure> {
        let folder = format!("/proc/{}", self.child.id());
        let (all_s, ..) = stat(&format!("{folder}/stat"))?;
        let mut threads_s = BTreeMap::new();
        for thread in fs::read_dir(format!("{folder}/task"))? {
            // One that has ended meanwhile is not counted by itself.
            if let Ok((s, name, _)) = stat(&format!("{}/stat", thread?.path().display())) {
                *threads_s.entry(name).or_default() += s;
            }
        }
        Ok(Cpu { all_s, threads_s })
    }

    /// Waits until it has ended, without forgetting what it took; false when it has not by then.
    pub fn ends_within(&self, within: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            let (.., state) = stat(&format!("/proc/{}/stat", self.child.id()))?;
            if state == 'Z' {
                return Ok(true);
            }
            // A child that is waited for is gone with its figures, so it is looked at; two milliseconds of some seconds are little.
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(false)
    }
}

/// Processor time, name and state out of a `stat` file (proc_pid_stat(5)).
fn stat(path: &str) -> Result<(f64, String, char), Failure> {
    let text = fs::read_to_string(path)?;
    let unread = || format!("{path} cannot be read");
    let (start, rest) = text.rsplit_once(") ").ok_or_else(unread)?;
    let (_, name) = start.split_once('(').ok_or_else(unread)?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or_else(unread);
    let state = rest.chars().next().ok_or_else(unread)?;
    Ok(((ticks(11)? + ticks(12)?) / TICKS_PER_S, name.to_owned(), state))
}
