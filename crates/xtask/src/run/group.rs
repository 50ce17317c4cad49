//! A program in a process group of its own, so that whatever it starts ends with it.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::steps::tell;

/// How long a program may take to end in order: the app's own limit is 5 s.
const GRACE: Duration = Duration::from_secs(8);

/// How often its end is looked for.
const POLL: Duration = Duration::from_millis(20);

/// A running program; dropping it ends it and everything it started.
pub struct Group {
    leader: Child,
    name: String,
}

impl Group {
    /// Starts a program, named so in errors, as the leader of a new group. It gets no input and no Ctrl-C of the terminal.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let leader = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start `{name}`"))?;
        Ok(Self { leader, name: name.to_owned() })
    }

    /// The leader's stdout, when it was asked for with [`Stdio::piped`]; can be taken once.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.leader.stdout.take()
    }

    /// How the leader ended, once it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.leader.try_wait().with_context(|| format!("cannot ask after `{}`", self.name))
    }

    /// Asks the leader to end, waits for it, and kills what is left of the group.
    pub fn end(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.ask()?;
            let asked = Instant::now();
            while self.ended()?.is_none() {
                if asked.elapsed() > GRACE {
                    tell(&format!("`{}` did not end within {} s and is killed", self.name, GRACE.as_secs()));
                    break;
                }
                thread::sleep(POLL);
            }
        }
        self.kill();
        Ok(())
    }

    /// Only the leader is asked: it ends its children in order itself.
    #[cfg(unix)]
    fn ask(&mut self) -> Result<()> {
        let leader = rustix::process::Pid::from_child(&self.leader);
        rustix::process::kill_process(leader, rustix::process::Signal::TERM)
            .with_context(|| format!("cannot ask `{}` to end", self.name))
    }

    #[cfg(not(unix))]
    fn ask(&mut self) -> Result<()> {
        self.leader.kill().with_context(|| format!("cannot end `{}`", self.name))
    }

    fn kill(&mut self) {
        // The group may be empty by now, which is what we want; and there is nothing to do about any other failure.
        #[cfg(unix)]
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.leader),
            rustix::process::Signal::KILL,
        );
        #[cfg(not(unix))]
        let _ = self.leader.kill();
        let _ = self.leader.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tell(&format!("{error:#}"));
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    /// A shell that says its child's number and then waits for it.
    fn shell(script: &str) -> (Group, u32) {
        let mut group = Group::spawn("sh", Command::new("sh").arg("-c").arg(script).stdout(Stdio::piped())).unwrap();
        let mut line = String::new();
        BufReader::new(group.take_stdout().unwrap()).read_line(&mut line).unwrap();
        (group, line.trim().parse().unwrap())
    }

    fn is_alive(process: u32) -> bool {
        // A zombie that nobody has collected yet no longer runs.
        std::fs::read_to_string(format!("/proc/{process}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
    }

    fn wait_for(condition: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !condition() {
            if start.elapsed() > Duration::from_secs(5) {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    #[test]
    fn what_a_program_started_ends_with_it() {
        let (group, child) = shell("sleep 600 & echo $!; wait");
        assert!(is_alive(child));
        drop(group);
        assert!(wait_for(|| !is_alive(child)), "process {child} outlived its group");
    }

    #[test]
    fn a_program_may_end_in_order() {
        let (mut group, _) = shell("trap 'exit 7' TERM; echo 0; sleep 600 & wait");
        group.end().unwrap();
        assert_eq!(group.ended().unwrap().and_then(|status| status.code()), Some(7));
    }
}
