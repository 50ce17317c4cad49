//! `cargo xtask bench commands`: what a bulk command for 20 000 of 100 000 things costs the engine, and what thousands of open
//! commands cost each of its ticks and each frame of a window.
//!
//! ```text
//! cargo xtask bench commands --json -- --things 100000 --of 20000
//! ```
//!
//! The engine alone, without link and disk: inputs in, effects out, by a clock that this program sets. Half of the commands are open
//! at the same time, first while nobody answers (200 are on the wire, the others wait for room), then while every shadow has taken
//! its command and no lamp has obeyed. Then all lamps obey at once. At last thousands expire within a few seconds. The baseline reads
//! the same answers and finds their tokens in a `HashMap`, which is the least that anybody who counts answers has to do.

mod city;

use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;
use std::time::Instant;

use fleetlens_engine::fleet::{Effects, Fleet, Input, Outward};
use fleetlens_engine::port::{LinkEvent, WindowId};
use fleetlens_engine::window::Windows;
use fleetlens_ipc::{CONTRACT, Call, Done, Intent, Look, RequestId, Scope, Search, Steer, ViewId};
use fleetlens_model::bulk::{Order, Rollout, Target, Wish};
use fleetlens_model::command::{ANSWER_TIMEOUT_MS, Phase};
use fleetlens_model::id::{BulkId, CommandId};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_tests::bench::{Arguments, Failure, Memory, Report, median, ms, quantile};
use serde_json::{Value, json};

use city::{Service, WANTED_PCT};

/// As the engine ticks.
const TICK_MS: u64 = 250;
/// Things released at once: as many as may be.
const BATCH: u32 = 1_000;
/// How many shadows are asked for a second. It says only how long the reading before takes.
const GETS_PER_S: u32 = 4_000;
/// Ticks that are measured while as many commands are open as will be: a minute.
const TICKS: usize = 240;
/// By the engine's clock no run takes longer, in milliseconds.
const HOUR_MS: u64 = 3_600_000;
const WINDOW: WindowId = WindowId(1);

/// What a tick and a frame may take while thousands of commands are open, in milliseconds.
const TICK_GOAL_MS: f64 = 3.0;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["things", "of"])?;
    let things: u32 = arguments.number("things", 100_000, 5_000)?;
    let of: u32 = arguments.number("of", 20_000, 2_000)?;
    let mut report = Report::new("commands");
    for (name, value) in [("things", things), ("of", of), ("batch", BATCH), ("open", of / 2)] {
        report.setting(name, value);
    }
    let mut bench = Bench::new(things, of)?;
    bench.read_shadows()?;
    let before = resident();

    let dry_runs: Vec<f64> = (0..5).map(|_| bench.dry_run()).collect::<Result<_, Failure>>()?;
    report.figure("dry_run_ms", median(&dry_runs));
    let (bulk, asked_ms) = bench.ask(order(WANTED_PCT, None))?;
    report.figure("ask_ms", asked_ms);

    // Nobody answers while these are released.
    bench.look(bulk);
    let released = bench.release(of / 2, Answers::None)?;
    report.figure("batch_of_1000_ms", json!({ "p50": median(&released), "max": most(&released) }));
    bench.steer(bulk, Steer::Paused)?;
    let waiting = bench.ticks(Answers::None)?;
    report.figure("unanswered", waiting.as_json());
    bench.settle_down()?;
    let taken = bench.ticks(Answers::All)?;
    report.figure("taken", taken.as_json());
    let open = resident();
    report.figure("open_command_bytes", (open - before) / f64::from(of / 2));
    report.figure("resident_mb", json!({ "without": before / 1e6, "open": open / 1e6 }));

    bench.steer(bulk, Steer::Resumed)?;
    bench.release(of - of / 2, Answers::All)?;
    let reports: Vec<Input> =
        (1..=of).map(|lamp| bench.service.obeys(lamp, bench.now.wall)).collect::<Result<_, Failure>>()?;
    report.figure("all_settle_ms", bench.heard(reports));
    bench.tick();
    bench.note();
    if bench.settled.len() != of as usize || !bench.open.is_empty() {
        return Err(format!("{} of {of} settled, {} are open", bench.settled.len(), bench.open.len()).into());
    }
    let of_one = |all_ms: f64| all_ms * 1e3 / f64::from(of);
    let (ours_us, baseline_us) = (of_one(bench.answers_ms), of_one(bench.baseline_ms));
    report.figure("answers_of_a_command_us", ours_us);
    report.figure("baseline_answers_of_a_command_us", baseline_us);
    report.ratio("answers_to_baseline", ours_us, baseline_us);

    // Thousands that expire: no lamp obeys, and their time is over batch by batch.
    let expiring = of / 2;
    let (bulk, _) = bench.ask(order(WANTED_PCT / 2, Some(30_000)))?;
    bench.release(expiring, Answers::All)?;
    bench.steer(bulk, Steer::Paused)?;
    let expired = bench.ticks(Answers::All)?;
    report.figure("expiring", expired.as_json());
    if !bench.open.is_empty() {
        return Err(format!("{} are open after their end", bench.open.len()).into());
    }

    for (name, spent) in [("unanswered", &waiting), ("taken", &taken)] {
        report.at_most(&format!("tick_{name}_p99_ms"), quantile(&spent.ticks, 0.99), TICK_GOAL_MS);
        report.at_most(&format!("frame_{name}_p99_ms"), quantile(&spent.frames, 0.99), TICK_GOAL_MS);
    }
    report.print(&arguments);
    Ok(())
}

/// All lamps are to be as bright as this.
fn order(pct: u32, expires_in_ms: Option<u64>) -> Order {
    Order {
        target: Target::Search(Search { kinds: vec![Kind::Lamp], ..Search::default() }),
        shadow: String::new(),
        wishes: vec![Wish { pointer: "/dim_pct".into(), value_json: pct.to_string() }],
        expires_in_ms: expires_in_ms.or(Some(3_600_000)),
        rollout: Rollout { batch: BATCH, every_s: 1, abort_at_pct: None, abort_after: 1 },
        continuous: false,
    }
}

/// Milliseconds that ticks, and frames of a window, took; sorted.
struct Spent {
    ticks: Vec<f64>,
    frames: Vec<f64>,
}

impl Spent {
    fn as_json(&self) -> Value {
        let of = |sorted: &[f64]| json!({ "p50": quantile(sorted, 0.5), "p99": quantile(sorted, 0.99), "max": most(sorted) });
        json!({ "tick_ms": of(&self.ticks), "frame_ms": of(&self.frames) })
    }
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn resident() -> f64 {
    Memory::of(std::process::id()).map_or(f64::NAN, |memory| memory.resident as f64)
}

/// What the shadow service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    None,
    All,
}

/// The engine with its clock, its city and a window.
struct Bench {
    fleet: Fleet,
    windows: Windows,
    service: Service,
    now: Now,
    effects: Effects,
    /// Commands of which something may still change, and those that were obeyed.
    open: BTreeSet<CommandId>,
    settled: BTreeSet<CommandId>,
    tokens: HashMap<String, u32>,
    /// How long the engine took for everything that the city said, and how long the baseline did.
    answers_ms: f64,
    baseline_ms: f64,
}

impl Bench {
    fn new(things: u32, lamps: u32) -> Result<Bench, Failure> {
        let now = Now { wall: WallMs(1_800_000_000_000), mono: MonoMs(1_000) };
        let fleet = Fleet::new(city::config(GETS_PER_S), city::restored(things, lamps, now.wall)?, now);
        let mut windows = Windows::default();
        windows.attach(WINDOW);
        let service = Service::new(things);
        let (open, settled, tokens, effects) = Default::default();
        let (answers_ms, baseline_ms) = (0.0, 0.0);
        Ok(Bench { fleet, windows, service, now, effects, open, settled, tokens, answers_ms, baseline_ms })
    }

    /// Notes what became of commands, and forgets the rest of what is to be done.
    fn note(&mut self) {
        for write in self.effects.writes.drain(..) {
            let Write::Command(command) = write else { continue };
            if command.phase == Phase::Settled {
                self.settled.insert(command.id);
            }
            if command.phase.is_open() {
                self.open.insert(command.id);
            } else {
                self.open.remove(&command.id);
            }
            self.tokens.insert(command.token, 0);
        }
        self.effects.outward.clear();
    }

    /// A quarter of a second later. What is published stands in the effects.
    fn tick(&mut self) -> f64 {
        self.now = Now { wall: self.now.wall.plus(TICK_MS as i64), mono: self.now.mono.plus(TICK_MS) };
        self.note();
        let begun = Instant::now();
        self.fleet.handle(Input::Ticked, self.now, &mut self.effects);
        ms(begun.elapsed())
    }

    /// The service answers until nobody says anything more.
    fn converse(&mut self) -> Result<(), Failure> {
        loop {
            let answers = self.service.answer(&self.effects, self.now.wall)?;
            self.note();
            if answers.is_empty() {
                return Ok(());
            }
            self.heard(answers);
        }
    }

    /// The city says this; how long the engine takes for it.
    fn heard(&mut self, said: Vec<Input>) -> f64 {
        let begun = Instant::now();
        for input in &said {
            let Input::Link(LinkEvent::Received(message)) = input else { continue };
            let read: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
            let token = read.get("clientToken").and_then(Value::as_str);
            if let Some(count) = token.and_then(|token| self.tokens.get_mut(token)) {
                *count += 1;
            }
        }
        self.baseline_ms += ms(begun.elapsed());
        let begun = Instant::now();
        said.into_iter().for_each(|input| self.fleet.handle(input, self.now, &mut self.effects));
        let took_ms = ms(begun.elapsed());
        self.answers_ms += took_ms;
        took_ms
    }

    /// Ticks and answers until nothing has been asked for longer than an answer may take.
    fn settle_down(&mut self) -> Result<(), Failure> {
        let mut quiet_ms = 0;
        while quiet_ms <= ANSWER_TIMEOUT_MS {
            self.tick();
            let is_quiet = !self.effects.outward.iter().any(|outward| matches!(outward, Outward::Publish(_)));
            quiet_ms = if is_quiet { quiet_ms + TICK_MS } else { 0 };
            self.converse()?;
        }
        Ok(())
    }

    /// The link comes up, and every shadow is read.
    fn read_shadows(&mut self) -> Result<(), Failure> {
        self.fleet.handle(Input::Link(LinkEvent::Up { resumed: false, granted: 1 }), self.now, &mut self.effects);
        self.windows.call(WINDOW, Call::Hello { contract: CONTRACT }, &mut self.fleet, self.now);
        self.settle_down()?;
        (self.answers_ms, self.baseline_ms) = (0.0, 0.0);
        Ok(())
    }

    fn asked(&mut self, intent: Intent) -> Result<(Done, f64), Failure> {
        self.note();
        let begun = Instant::now();
        let request = RequestId(1);
        self.fleet.handle(Input::Asked { window: WINDOW, request, intent }, self.now, &mut self.effects);
        let took_ms = ms(begun.elapsed());
        let answer = self.effects.outward.iter().find_map(|outward| {
            if let Outward::Answer { outcome, .. } = outward { Some(outcome.clone()) } else { None }
        });
        Ok((answer.ok_or("no answer")??, took_ms))
    }

    fn dry_run(&mut self) -> Result<f64, Failure> {
        match self.asked(Intent::DryRun(Box::new(order(WANTED_PCT, None))))? {
            (Done::DryRun(run), took_ms) if run.unread == 0 && run.changes == run.things => Ok(took_ms),
            (other, _) => Err(format!("{other:?}").into()),
        }
    }

    fn ask(&mut self, order: Order) -> Result<(BulkId, f64), Failure> {
        match self.asked(Intent::Bulk(Box::new(order)))? {
            (Done::Bulk(bulk), took_ms) => Ok((bulk, took_ms)),
            (other, _) => Err(format!("{other:?}").into()),
        }
    }

    fn steer(&mut self, bulk: BulkId, to: Steer) -> Result<(), Failure> {
        self.asked(Intent::SteerBulk { bulk, to }).map(drop)
    }

    /// What a person who waits for it has open.
    fn look(&mut self, bulk: BulkId) {
        let looks = [
            Look::Status,
            Look::Commands { scope: Scope::Open, limit: 200 },
            Look::Bulk { bulk, failed: false, first: 0, count: 100 },
        ];
        for (view, at) in (1..).map(ViewId).zip(looks) {
            self.windows.call(WINDOW, Call::Look { view, at }, &mut self.fleet, self.now);
        }
    }

    /// Ticks until so many more commands were released; how long each tick took that released some.
    fn release(&mut self, more: u32, answers: Answers) -> Result<Vec<f64>, Failure> {
        let mut spent = Vec::new();
        let wanted = self.tokens.len() + more as usize;
        while self.tokens.len() < wanted {
            let before = self.tokens.len();
            let took_ms = self.tick();
            self.answered(answers)?;
            self.frame();
            if self.tokens.len() > before {
                spent.push(took_ms);
            } else if self.now.mono.0 > HOUR_MS {
                return Err(format!("only {before} of {wanted} are released after an hour").into());
            }
        }
        Ok(spent)
    }

    fn answered(&mut self, answers: Answers) -> Result<(), Failure> {
        match answers {
            Answers::All => self.converse(),
            Answers::None => {
                self.note();
                Ok(())
            }
        }
    }

    fn frame(&mut self) -> f64 {
        let begun = Instant::now();
        self.windows.soil(&self.fleet.take_dirty(), &self.fleet);
        let parcels = black_box(self.windows.parcels(&self.fleet, self.now));
        let took_ms = ms(begun.elapsed());
        for (window, parcel) in parcels {
            self.windows.call(window, Call::Seen { parcel: parcel.number }, &mut self.fleet, self.now);
        }
        took_ms
    }

    /// A minute of ticks, each with a frame after it.
    fn ticks(&mut self, answers: Answers) -> Result<Spent, Failure> {
        let mut spent = Spent { ticks: Vec::new(), frames: Vec::new() };
        for _ in 0..TICKS {
            spent.ticks.push(self.tick());
            self.answered(answers)?;
            spent.frames.push(self.frame());
        }
        spent.ticks.sort_by(f64::total_cmp);
        spent.frames.sort_by(f64::total_cmp);
        Ok(spent)
    }
}
