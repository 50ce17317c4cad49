//! Programs that do not outlive the test that started them.

use std::fs::File;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait::until_sync;

/// How long a program may take to end in order.
const GRACE: Duration = Duration::from_secs(10);

/// A program as the leader of a process group of its own. Dropping it kills the group, a panic included; and should the
/// test's own process be killed, a watchdog that notices its end does the same.
pub struct Group {
    leader: Child,
    name: String,
    watchdog: Option<Child>,
}

impl Group {
    /// Starts a program; what it says goes to `log`, stdout too unless it was asked for with [`Stdio::piped`].
    pub fn spawn(command: &mut Command, log: &Path, stdout: Output) -> Group {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = File::options().create(true).append(true).open(log);
        let file = file.unwrap_or_else(|e| panic!("cannot write {}: {e}", log.display()));
        std::os::unix::process::CommandExt::process_group(command, 0);
        command.stdin(Stdio::null()).stderr(file.try_clone().expect("a file can be had twice"));
        match stdout {
            Output::Logged => command.stdout(file),
            Output::Read => command.stdout(Stdio::piped()),
        };
        let leader = command.spawn().unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        let watchdog = Some(watch_over(&leader));
        Group { leader, name, watchdog }
    }

    /// The leader's process id.
    pub fn id(&self) -> u32 {
        self.leader.id()
    }

    /// The leader's stdout, when it was to be read; once.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.leader.stdout.take().expect("the output was to be read, once")
    }

    /// How the leader ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.leader.try_wait().unwrap_or_else(|e| panic!("cannot ask after {}: {e}", self.name))
    }

    /// Asks the leader to end and waits until it has; panics when it does not within ten seconds.
    pub fn end(mut self) -> ExitStatus {
        if self.ended().is_none() {
            signal(self.leader.id(), Signal::TERM);
        }
        let name = self.name.clone();
        until_sync(&format!("the end of {name}"), GRACE, || self.ended().ok_or_else(|| "it runs".to_owned()))
    }

    /// Kills the leader where it stands, without any chance to tidy up, and everything else of its group.
    pub fn kill(mut self) {
        self.kill_all();
    }

    fn kill_all(&mut self) {
        // The group may be empty by now, which is what we want; and there is nothing to do about any other failure.
        let _ = kill_process_group(Pid::from_child(&self.leader), Signal::KILL);
        let _ = self.leader.wait();
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// What becomes of a program's stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It goes to the log with stderr.
    Logged,
    /// The test reads it.
    Read,
}

/// A shell that waits for the end of its input, which only ends with our own process, and then kills the group.
fn watch_over(leader: &Child) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", "read -r _; kill -s KILL -- \"-$1\"", "watchdog", &leader.id().to_string()]);
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    shell.expect("every system has a shell")
}

/// Sends a signal to a process; that it is gone already is no failure.
pub fn signal(process: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process runs. A zombie that nobody has collected yet does not.
pub fn is_alive(process: u32) -> bool {
    stat(process).is_some_and(|(state, _)| state != 'Z')
}

/// The running processes that a process started.
pub fn children_of(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| stat(*process).is_some_and(|(state, its_parent)| its_parent == parent && state != 'Z'))
        .collect()
}

/// How long ago a process was started, to a hundredth of a second; `None` when it is gone.
pub fn age_of(process: u32) -> Option<Duration> {
    // Field 22, in clock ticks since boot, of which Linux shows 100 a second to programs (proc_pid_stat(5)).
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let started: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let uptime: f64 = std::fs::read_to_string("/proc/uptime").ok()?.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(uptime - started / TICKS_PER_S).ok()
}

/// State and parent, from `/proc/PID/stat` (proc_pid_stat(5)); the name before them may hold anything, brackets too.
fn stat(process: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    /// A shell that says its child's number.
    fn shell(script: &str) -> (Group, u32) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut group = Group::spawn(Command::new("sh").args(["-c", script]), log.path(), Output::Read);
        let mut line = String::new();
        BufReader::new(group.take_stdout()).read_line(&mut line).unwrap();
        (group, line.trim().parse().unwrap())
    }

    fn wait_for_the_end_of(process: u32) {
        let gone = || if is_alive(process) { Err("it runs".to_owned()) } else { Ok(()) };
        until_sync("the end of a process", Duration::from_secs(5), gone);
    }

    #[test]
    fn what_a_program_started_ends_with_it() {
        let (group, child) = shell("sleep 600 & echo $!; wait");
        assert!(is_alive(child));
        assert_eq!(children_of(group.id()), [child]);
        drop(group);
        wait_for_the_end_of(child);
    }

    #[test]
    fn a_watchdog_kills_the_group_when_the_one_who_started_it_is_gone() {
        let (mut group, child) = shell("sleep 600 & echo $!; wait");
        // What the kernel does with our end of the pipe when our process is killed.
        drop(group.watchdog.as_mut().unwrap().stdin.take());
        wait_for_the_end_of(child);
        assert!(group.leader.wait().unwrap().code().is_none(), "the leader was killed");
    }

    #[test]
    fn a_process_has_the_age_of_its_start() {
        let (group, _) = shell("echo 0; sleep 600 & wait");
        let young = age_of(group.id()).unwrap();
        let ours = age_of(std::process::id()).unwrap();
        assert!(young <= ours && young < Duration::from_secs(30), "{young:?}, we ourselves {ours:?}");
    }

    #[test]
    fn a_program_may_end_in_order() {
        let (group, _) = shell("trap 'exit 7' TERM; echo 0; sleep 600 & wait");
        assert_eq!(group.end().code(), Some(7));
    }
}
