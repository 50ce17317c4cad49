//! What is on the leash ends with the process that holds it, however that ended.
#![cfg(test)]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_killed_holder_takes_along_what_it_held() {
    let script = r#""$0" leash $$ -- sleep 600 & echo $!; wait"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_fleetlens-xtask")]).stdout(Stdio::piped());
    let mut holder = shell.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let held: u32 = line.trim().parse().unwrap();

    assert!(wait_for(|| name(held).as_deref() == Some("sleep")), "it is {:?}, not yet the program", name(held));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(wait_for(|| name(held).is_none()), "process {held} outlived its holder");
}

#[test]
fn nobody_is_held_by_a_stranger() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_fleetlens-xtask")).args(["leash", "1", "--", "echo", "ran"]).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("process 1 is not our parent"), "{output:?}");
}

/// What a process is called; `None` when it does not run any more.
fn name(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (name, state) = stat.split_once('(')?.1.rsplit_once(") ")?;
    (!state.starts_with('Z')).then(|| name.to_owned())
}

fn wait_for(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > Duration::from_secs(10) {
            return false;
        }
        thread::yield_now();
    }
    true
}
