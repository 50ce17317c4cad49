//! Some hundred devices that share a connection, as a function of what they hear and what time it is. No I/O, no clock.
//!
//! After every connect each device says what it is (retained), measures once, asks for its shadows, reports, and then speaks at
//! its interval. Deltas not newer than what `get` told are passed over; what is wanted is done after a short while. A device
//! with a fault does some of this otherwise; one that is silent does none of it, and begins anew when it is back.

mod errands;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use fleetlens_model::shadow::{Object, merge};
use fleetlens_wire::aws::is_job;
use fleetlens_wire::shadow::{Answer, Op, ShadowTopic, ShadowTopicKind, decode_answer, encode_get, encode_report};

use crate::device::Device;
use crate::dice::Dice;
use crate::faults::{Ill, Outbreak, Spell};
use crate::outgoing::Message;

/// How long a device takes to do what it is told, in milliseconds.
const OBEYS_AFTER_MS: (f64, f64) = (300.0, 2000.0);
/// And one that is slow, in milliseconds.
const SLOW_AFTER_MS: (f64, f64) = (25_000.0, 90_000.0);
/// The longest wait for an answer, in milliseconds, unless the first is longer.
const ASKS_AGAIN_MAX_MS: u64 = 60_000;

/// A moment in the three times a device knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since the city began, in milliseconds; never goes back.
    pub mono_ms: u64,
    /// What the payloads say, epoch milliseconds.
    pub wall_ms: i64,
    /// What sun and people go by, epoch milliseconds.
    pub sim_ms: i64,
}

/// How fast a crew comes in after a connect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Messages a second in which it describes itself and measures, at least 1.
    pub messages_per_s: f64,
    /// Devices a second that ask for their shadows and report, at least 1; each is some six messages of devices and service.
    pub greetings_per_s: f64,
    /// After this a `get` without an answer is repeated, twice as long each time, in milliseconds: in a large city the service has
    /// much to do, and who asks too soon asks it twice.
    pub asks_again_ms: u64,
}

/// The devices of one connection.
#[derive(Debug)]
pub struct Crew {
    members: Vec<Member>,
    by_name: HashMap<String, usize>,
    /// What is due when; the number keeps the order of what is due at once.
    plan: BinaryHeap<Reverse<(u64, u64, Task)>>,
    planned: u64,
    tokens: u64,
    pace: Pace,
    dice: Dice,
    /// How long a step of a job takes, in milliseconds.
    step_ms: (f64, f64),
}

#[derive(Debug)]
struct Member {
    device: Device,
    shadows: Vec<Kept>,
    /// Hears what is wanted and does not do it.
    stuck: bool,
    ill: Option<Ill>,
    /// When things are silent that it carries, for a gateway.
    misses: Vec<Spell>,
    /// For one that takes jobs.
    errands: Option<errands::Errands>,
}

/// What a device knows of one of its shadows.
#[derive(Debug)]
struct Kept {
    name: Option<&'static str>,
    /// The newest version heard of; older wishes are history.
    version: u64,
    /// What it is about to do.
    wish: Option<Wish>,
    /// The `get` it waits for.
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Wish {
    wanted: Object,
    whole: bool,
}

#[derive(Debug)]
struct Asked {
    /// Counts the tokens.
    number: u64,
    token: String,
    /// Whether it says everything of itself once it is answered.
    reports: bool,
    wait_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Describe(usize),
    Greet(usize),
    /// Once, at the start.
    Measure(usize),
    /// And again after the interval.
    Speak(usize),
    /// Asks again for a shadow unless this `get` was answered.
    AskAgain(usize, usize, u64),
    Obey(usize, usize),
    /// Has its power or its gateway again.
    Wake(usize),
    /// Asks for its next job.
    AskForJob(usize),
    /// Has done a step of its job.
    Errand(usize),
}

impl Crew {
    /// Of these devices; those called in `stuck` do nothing that their shadow wants, and faults are those of the `outbreak`.
    pub fn new(devices: Vec<Device>, stuck: &[String], outbreak: &Outbreak, pace: Pace, dice: Dice) -> Self {
        let members: Vec<Member> = devices
            .into_iter()
            .map(|device| Member {
                shadows: device
                    .shadows()
                    .iter()
                    .map(|&name| Kept { name, version: 0, wish: None, asked: None })
                    .collect(),
                stuck: stuck.iter().any(|name| name == device.thing()),
                ill: outbreak.ill(device.thing()).cloned(),
                misses: outbreak.silent_under(device.thing()).to_vec(),
                errands: None,
                device,
            })
            .collect();
        let by_name = members.iter().enumerate().map(|(at, member)| (member.device.thing().to_owned(), at)).collect();
        Self { members, by_name, plan: BinaryHeap::new(), planned: 0, tokens: 0, pace, dice, step_ms: (0.0, 0.0) }
    }

    /// What its connection subscribes to.
    pub fn filters(&self) -> Vec<String> {
        let shadows = self.members.iter().flat_map(|member| member.shadows.iter().map(move |kept| (member, kept)));
        shadows
            .flat_map(|(member, kept)| {
                let topic = |kind| member.topic(kept, kind);
                [
                    topic(ShadowTopicKind::Accepted(Op::Get)),
                    topic(ShadowTopicKind::Rejected(Op::Get)),
                    topic(ShadowTopicKind::Delta),
                ]
            })
            .chain(self.job_filters())
            .collect()
    }

    /// Connected and subscribed: plans everything anew.
    pub fn connected(&mut self, now: Moment) {
        self.disconnected();
        for at in 0..self.members.len() {
            let Some(member) = self.members.get(at) else { continue };
            let interval_ms = member.device.interval_ms() as f64;
            let first_ms = now.mono_ms + (at as f64 * 2000.0 / self.pace.messages_per_s.max(1.0)) as u64;
            let greets_ms = now.mono_ms + (at as f64 * 1000.0 / self.pace.greetings_per_s.max(1.0)) as u64;
            let phase = self.dice.throw(member.device.thing(), "phase").unit();
            let has_shadows = !member.shadows.is_empty();
            self.plan(first_ms, Task::Describe(at));
            self.plan(first_ms, Task::Measure(at));
            // From then on each at its own moment of the interval, so that they do not speak in chorus.
            self.plan(first_ms + 1 + (interval_ms * (0.2 + 0.8 * phase)) as u64, Task::Speak(at));
            if has_shadows {
                self.plan(first_ms.max(greets_ms) + 1_000, Task::Greet(at));
            }
            if self.members.get(at).is_some_and(|member| member.errands.is_some()) {
                self.plan(first_ms.max(greets_ms) + 2_000, Task::AskForJob(at));
            }
        }
    }

    /// The connection is gone, and with it all plans; what was wanted will be told again.
    pub fn disconnected(&mut self) {
        self.plan.clear();
        self.members.iter_mut().for_each(Member::forget);
    }

    /// When something is due next, by the monotonic time.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.plan.peek().map(|Reverse((due_ms, _, _))| *due_ms)
    }

    /// Does everything that is due, at most `most` things at once; what it says goes to `out`.
    pub fn work(&mut self, now: Moment, most: usize, out: &mut Vec<Message>) {
        for _ in 0..most {
            let Some(&Reverse((due_ms, _, task))) = self.plan.peek().filter(|Reverse((due, _, _))| *due <= now.mono_ms)
            else {
                return;
            };
            self.plan.pop();
            if self.is_silent_for(task, now) {
                continue;
            }
            match task {
                Task::Describe(at) => self.describe(at, out),
                Task::Greet(at) => self.ask_all(at, true, now, out),
                Task::Measure(at) => self.measure(at, now, out),
                Task::Speak(at) => self.speak(at, due_ms, now, out),
                Task::AskAgain(at, which, number) => self.ask_again(at, which, number, now, out),
                Task::Obey(at, which) => self.obey(at, which, now, out),
                Task::Wake(at) => self.wake(at, now, out),
                Task::AskForJob(at) => self.ask_for_job(at, out),
                Task::Errand(at) => self.step(at, now, out),
            }
        }
    }

    /// Whether a task is not done because its device is silent. Its speaking is what it takes up again when it is back.
    fn is_silent_for(&mut self, task: Task, now: Moment) -> bool {
        let Some(until_ms) = self.members.get(task.of()).and_then(|member| member.silent_until(now)) else {
            return false;
        };
        if matches!(task, Task::Speak(_) | Task::Wake(_)) {
            self.plan(until_ms + 1, Task::Wake(task.of()));
        }
        true
    }

    /// It begins as at a connect, and what it was told before is told to it again.
    fn wake(&mut self, at: usize, now: Moment, out: &mut Vec<Message>) {
        let Some(member) = self.members.get_mut(at) else { return };
        member.forget();
        member.device.restart(now.sim_ms);
        self.describe(at, out);
        self.speak(at, now.mono_ms, now, out);
        self.ask_all(at, true, now, out);
        self.ask_for_job(at, out);
    }

    /// Hears an answer of the shadow service, or of a job; anything else is passed over.
    pub fn hear(&mut self, topic: &str, payload: &[u8], now: Moment, out: &mut Vec<Message>) {
        if is_job(topic) {
            return self.hear_of_job(topic, payload, now, out);
        }
        let Ok(topic) = ShadowTopic::parse(topic) else { return };
        let Some(&at) = self.by_name.get(&topic.thing) else { return };
        let answer = match decode_answer(&topic, payload) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%topic, %error, "an answer was not understood");
                return;
            }
        };
        let Some(member) = self.members.get_mut(at).filter(|member| member.silent_until(now).is_none()) else { return };
        let Some(which) = member.shadows.iter().position(|kept| kept.name == topic.shadow.as_deref()) else { return };
        let Some(kept) = member.shadows.get_mut(which) else { return };
        let ours =
            |token: &Option<String>| kept.asked.as_ref().is_some_and(|asked| Some(&asked.token) == token.as_ref());
        let (wish, version) = match answer {
            Answer::Got { document, token } if ours(&token) => {
                let wanted = document.desired.unwrap_or_default();
                (Some(Wish { wanted, whole: true }), document.version)
            }
            Answer::Rejected { op: Op::Get, token, .. } if ours(&token) => (None, kept.version),
            Answer::Delta { state, version, .. } if version > kept.version => {
                (Some(Wish { wanted: state, whole: false }), version)
            }
            Answer::Got { .. }
            | Answer::Rejected { .. }
            | Answer::Delta { .. }
            | Answer::Updated { .. }
            | Answer::Deleted { .. }
            | Answer::Documents { .. } => return,
        };
        kept.version = kept.version.max(version);
        let answered = if topic.kind == ShadowTopicKind::Delta { None } else { kept.asked.take() };
        let mut obeys = None;
        if let Some(wish) = wish {
            if let Some(pending) = &mut kept.wish {
                merge(&mut pending.wanted, &wish.wanted);
                pending.whole |= wish.whole;
            } else {
                let mut delay = self.dice.throw_at(&topic.thing, "obeys", version as i64);
                kept.wish = Some(wish);
                let is_slow = member.ill.as_ref().is_some_and(Ill::is_slow);
                let (soonest_ms, latest_ms) = if is_slow { SLOW_AFTER_MS } else { OBEYS_AFTER_MS };
                obeys = Some(now.mono_ms + delay.between(soonest_ms, latest_ms) as u64);
            }
        }
        if answered.is_some_and(|asked| asked.reports) {
            let reported = member.device.reported(topic.shadow.as_deref());
            let report = self.report(at, which, &reported);
            out.extend(report);
        }
        if let Some(due_ms) = obeys {
            self.plan(due_ms, Task::Obey(at, which));
        }
    }

    fn plan(&mut self, due_ms: u64, task: Task) {
        self.planned += 1;
        self.plan.push(Reverse((due_ms, self.planned, task)));
    }

    fn describe(&self, at: usize, out: &mut Vec<Message>) {
        if let Some(Member { device, .. }) = self.members.get(at) {
            out.push(Message { topic: device.topic("meta"), payload: device.meta(), retain: true });
        }
    }

    fn measure(&mut self, at: usize, now: Moment, out: &mut Vec<Message>) {
        let Some(Member { device, ill, misses, .. }) = self.members.get_mut(at) else { return };
        let tick = device.tick(now.sim_ms);
        device.miss(misses.iter().filter(|spell| spell.is_on(now.mono_ms)).count());
        let topic = device.topic("telemetry");
        match ill {
            None => out.push(Message { topic, payload: device.telemetry(now.wall_ms, now.sim_ms), retain: false }),
            Some(ill) => out.extend(ill.say(device, now).into_iter().map(|payload| Message {
                topic: topic.clone(),
                payload,
                retain: false,
            })),
        }
        if !tick.changed.is_empty() {
            out.extend(self.report(at, 0, &tick.changed));
        }
        if tick.refresh {
            self.ask_all(at, false, now, out);
        }
    }

    fn speak(&mut self, at: usize, due_ms: u64, now: Moment, out: &mut Vec<Message>) {
        self.measure(at, now, out);
        let interval_ms = self.members.get(at).map_or(u64::MAX, |member| member.device.interval_ms());
        // Counted from when it was due, so that it keeps its moment; but what was missed is not made up for.
        let next_ms = due_ms.saturating_add(interval_ms).max(now.mono_ms + 1);
        self.plan(next_ms, Task::Speak(at));
    }

    /// Asks for every shadow of a device; `reports` says that it tells everything of itself after the answer.
    fn ask_all(&mut self, at: usize, reports: bool, now: Moment, out: &mut Vec<Message>) {
        let shadows = self.members.get(at).map_or(0, |member| member.shadows.len());
        for which in 0..shadows {
            self.ask(at, which, reports, self.pace.asks_again_ms, now, out);
        }
    }

    fn ask(&mut self, at: usize, which: usize, reports: bool, wait_ms: u64, now: Moment, out: &mut Vec<Message>) {
        let token = self.token(at);
        let number = self.tokens;
        let Some(member) = self.members.get_mut(at) else { return };
        let Some(kept) = member.shadows.get_mut(which) else { return };
        let reports = reports || kept.asked.as_ref().is_some_and(|asked| asked.reports);
        let payload = encode_get(&token);
        kept.asked = Some(Asked { number, token, reports, wait_ms });
        if let Some(kept) = member.shadows.get(which) {
            out.push(Message { topic: member.topic(kept, ShadowTopicKind::Request(Op::Get)), payload, retain: false });
        }
        self.plan(now.mono_ms + wait_ms, Task::AskAgain(at, which, number));
    }

    /// The service may not have been there when the device asked.
    fn ask_again(&mut self, at: usize, which: usize, number: u64, now: Moment, out: &mut Vec<Message>) {
        let kept = self.members.get(at).and_then(|member| member.shadows.get(which));
        let asked = kept.and_then(|kept| kept.asked.as_ref()).filter(|asked| asked.number == number);
        if let Some(Asked { reports, wait_ms, .. }) = asked {
            let (reports, wait_ms) = (*reports, (*wait_ms * 2).min(ASKS_AGAIN_MAX_MS.max(self.pace.asks_again_ms)));
            self.ask(at, which, reports, wait_ms, now, out);
        }
    }

    fn obey(&mut self, at: usize, which: usize, now: Moment, out: &mut Vec<Message>) {
        let Some(member) = self.members.get_mut(at) else { return };
        let Some((name, wish)) = member.shadows.get_mut(which).and_then(|kept| Some((kept.name, kept.wish.take()?)))
        else {
            return;
        };
        if member.stuck {
            return;
        }
        if let Some(ill) = member.ill.as_mut().filter(|ill| ill.refuses()) {
            let report = ill.refusal(&wish.wanted, &member.device.reported(name));
            let report = report.and_then(|report| self.report(at, which, &report));
            out.extend(report);
            return;
        }
        let interval_ms = member.device.interval_ms();
        let reports = member.device.obey(name, &wish.wanted, wish.whole, now.sim_ms);
        if member.device.interval_ms() != interval_ms {
            self.describe(at, out); // whoever waits for it must know its new interval
        }
        for (shadow, report) in reports {
            let which = self.members.get(at).and_then(|member| member.shadows.iter().position(|k| k.name == shadow));
            if let Some(which) = which {
                out.extend(self.report(at, which, &report));
            }
        }
    }

    fn report(&mut self, at: usize, which: usize, reported: &Object) -> Option<Message> {
        let payload = encode_report(reported, &self.token(at));
        let member = self.members.get(at)?;
        let topic = member.topic(member.shadows.get(which)?, ShadowTopicKind::Request(Op::Update));
        Some(Message { topic, payload, retain: false })
    }

    /// A client token that nobody else uses: the thing's name and a count.
    fn token(&mut self, at: usize) -> String {
        self.tokens += 1;
        let thing = self.members.get(at).map_or("", |member| member.device.thing());
        format!("sim-{thing}-{}", self.tokens)
    }
}

impl Task {
    /// The device.
    fn of(self) -> usize {
        match self {
            Self::Describe(at)
            | Self::Greet(at)
            | Self::Measure(at)
            | Self::Speak(at)
            | Self::AskAgain(at, ..)
            | Self::Obey(at, _)
            | Self::Wake(at)
            | Self::AskForJob(at)
            | Self::Errand(at) => at,
        }
    }
}

impl Member {
    fn silent_until(&self, now: Moment) -> Option<u64> {
        self.ill.as_ref()?.silent_until(now.mono_ms)
    }

    /// All it knows of its shadows, and what it was at: a job it had begun it is given again.
    fn forget(&mut self) {
        for kept in &mut self.shadows {
            (kept.version, kept.wish, kept.asked) = (0, None, None);
        }
        self.put_down();
    }

    fn topic(&self, kept: &Kept, kind: ShadowTopicKind) -> String {
        ShadowTopic::new(self.device.thing(), kept.name.map(str::to_owned), kind).to_string()
    }
}

#[cfg(test)]
mod tests;
