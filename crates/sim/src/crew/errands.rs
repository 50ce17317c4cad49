//! Devices that do jobs: told what is next, they begin it, say how far they are, and end it, some in vain.

use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

use super::{Crew, Member, Moment, Task};
use crate::device::Device;
use crate::dice::Throw;
use crate::outgoing::Message;

/// One execution in so many comes to nothing.
const FAILS_ONE_IN: u32 = 7;

/// What a device knows of its jobs.
#[derive(Debug, Default)]
pub(super) struct Errands {
    doing: Option<Doing>,
}

/// The job it is at.
#[derive(Debug)]
struct Doing {
    job: String,
    what: What,
    /// For a new firmware, which.
    version: String,
    /// Steps that are done.
    done: usize,
    /// The step that comes to nothing.
    fails_at: Option<usize>,
    /// When its next step is over, by the monotonic time.
    due_ms: u64,
}

/// What devices know how to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Firmware,
    Reboot,
    Certificate,
}

impl What {
    fn of(operation: &str) -> Option<What> {
        match operation {
            "firmware_update" => Some(What::Firmware),
            "reboot" => Some(What::Reboot),
            "rotate_certificate" => Some(What::Certificate),
            _ => None,
        }
    }

    fn steps(self) -> &'static [&'static str] {
        match self {
            What::Firmware => &["download", "verify", "flash", "restart"],
            What::Reboot => &["shut down", "start"],
            What::Certificate => &["ask for one", "install", "connect with it"],
        }
    }

    /// What can come between, by its step.
    fn mishap(self, step: usize) -> &'static str {
        match (self, step) {
            (What::Firmware, 0) => "the download broke off three times",
            (What::Firmware, 1) => "the checksum does not match",
            (What::Firmware, 2) => "not enough room in flash",
            (What::Firmware, _) => "the new firmware did not start; the old one is back",
            (What::Reboot, _) => "a service did not come up again",
            (What::Certificate, _) => "the authority refused the request",
        }
    }
}

impl Crew {
    /// Those of its devices that take jobs, and how long one of their steps takes, in milliseconds.
    pub fn with_errands(mut self, takes_jobs: impl Fn(&str) -> bool, step_ms: (f64, f64)) -> Self {
        for member in self.members.iter_mut().filter(|member| takes_jobs(member.device.thing())) {
            member.errands = Some(Errands::default());
        }
        Self { step_ms, ..self }
    }

    /// What its connection subscribes to for jobs.
    pub(super) fn job_filters(&self) -> impl Iterator<Item = String> {
        let takers = self.members.iter().filter(|member| member.errands.is_some());
        let topics =
            |thing: &str| ["notify-next", "start-next/accepted"].map(|of| format!("$aws/things/{thing}/jobs/{of}"));
        takers.flat_map(move |member| topics(member.device.thing()))
    }

    /// Asks for what is next, as after every start: nobody tells again what was told while it was away.
    pub(super) fn ask_for_job(&mut self, at: usize, out: &mut Vec<Message>) {
        let token = self.token(at);
        let Some(member) = self.members.get(at).filter(|member| member.idle()) else { return };
        let payload = json!({ "clientToken": token });
        out.push(message(&member.device, "start-next", &payload));
    }

    /// Hears what is next, or what it is given.
    pub(super) fn hear_of_job(&mut self, topic: &str, payload: &[u8], now: Moment, out: &mut Vec<Message>) {
        let parts = topic.strip_prefix("$aws/things/").and_then(|rest| rest.split_once("/jobs/"));
        let Some((thing, what)) = parts else { return };
        let Some(&at) = self.by_name.get(thing) else { return };
        let is_idle = |crew: &Crew| crew.members.get(at).is_some_and(|it| it.idle() && it.silent_until(now).is_none());
        if !is_idle(self) {
            return;
        }
        let told = serde_json::from_slice::<Value>(payload).unwrap_or_default();
        let Some(job) = told.pointer("/execution/jobId").and_then(Value::as_str) else { return };
        match what {
            "notify-next" => self.ask_for_job(at, out),
            "start-next/accepted" => {
                let document =
                    |field: &str| told.pointer(&format!("/execution/jobDocument/{field}")).and_then(Value::as_str);
                match document("operation").and_then(What::of) {
                    Some(what) => {
                        let version = document("version").unwrap_or_default().to_owned();
                        self.begin(at, job.to_owned(), what, version, now);
                    }
                    None => {
                        let refusal = json!({ "reason": "this device does not know how to do that" });
                        out.extend(self.tell(at, job, "REJECTED", &refusal));
                    }
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: usize, job: String, what: What, version: String, now: Moment) {
        let Some(member) = self.members.get_mut(at) else { return };
        let mut luck = self.dice.throw(member.device.thing(), &job);
        let fails_at = luck.one_in(FAILS_ONE_IN).then(|| luck.below(what.steps().len()));
        if let Some(errands) = &mut member.errands {
            errands.doing = Some(Doing { job, what, version, done: 0, fails_at, due_ms: u64::MAX });
        }
        self.plan_step(at, luck, now);
    }

    fn plan_step(&mut self, at: usize, mut luck: Throw, now: Moment) {
        let (least_ms, most_ms) = self.step_ms;
        let due_ms = now.mono_ms + luck.between(least_ms, most_ms) as u64;
        if let Some(doing) = self.members.get_mut(at).and_then(Member::doing) {
            doing.due_ms = due_ms;
        }
        self.plan(due_ms, Task::Errand(at));
    }

    /// A step of what it is at is over.
    pub(super) fn step(&mut self, at: usize, now: Moment, out: &mut Vec<Message>) {
        let dice = self.dice;
        let Some(member) = self.members.get_mut(at) else { return };
        // What was planned before it lost its power is not done after it.
        let Some(doing) = member.doing().filter(|doing| doing.due_ms <= now.mono_ms) else { return };
        let (job, what, steps) = (doing.job.clone(), doing.what, doing.what.steps());
        let name = steps.get(doing.done).copied().unwrap_or_default();
        if doing.fails_at == Some(doing.done) {
            let details = json!({ "step": name, "reason": what.mishap(doing.done) });
            member.put_down();
            out.extend(self.tell(at, &job, "FAILED", &details));
            return;
        }
        doing.done += 1;
        let (done, version) = (doing.done, doing.version.clone());
        if done < steps.len() {
            let next = steps.get(done).copied().unwrap_or_default();
            let details = json!({ "step": next, "progress": (100 * done / steps.len()).to_string() });
            let luck = dice.throw_at(member.device.thing(), &job, done as i64);
            out.extend(self.tell(at, &job, "IN_PROGRESS", &details));
            self.plan_step(at, luck, now);
            return;
        }
        member.put_down();
        let installed = match what {
            What::Firmware => member.device.install(&version),
            What::Reboot | What::Certificate => Object::new(),
        };
        if what != What::Certificate {
            member.device.restart(now.sim_ms);
        }
        if !installed.is_empty() {
            out.extend(self.report(at, 0, &installed));
        }
        out.extend(self.tell(at, &job, "SUCCEEDED", &json!({ "step": "done" })));
        self.measure(at, now, out);
    }

    fn tell(&mut self, at: usize, job: &str, status: &str, details: &Value) -> Option<Message> {
        let token = self.token(at);
        let update = json!({
            "status": status, "statusDetails": details, "includeJobExecutionState": true, "clientToken": token,
        });
        Some(message(&self.members.get(at)?.device, &format!("{job}/update"), &update))
    }
}

impl Member {
    fn doing(&mut self) -> Option<&mut Doing> {
        self.errands.as_mut()?.doing.as_mut()
    }

    /// Whether it takes jobs and is at none.
    fn idle(&self) -> bool {
        self.errands.as_ref().is_some_and(|errands| errands.doing.is_none())
    }

    /// It is at nothing any more.
    pub(super) fn put_down(&mut self) {
        if let Some(errands) = &mut self.errands {
            errands.doing = None;
        }
    }
}

fn message(device: &Device, what: &str, payload: &Value) -> Message {
    let topic = format!("$aws/things/{}/jobs/{what}", device.thing());
    Message { topic, payload: payload.to_string().into_bytes(), retain: false }
}
