//! What windows want with the rules of the profile in use: read, checked, tried on what is in the cache, kept and taken out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetlens_engine::fleet::LINK_SEEN_EVERY_MS;
use fleetlens_engine::port::WindowId;
use fleetlens_ipc::profile::MistakeRow;
use fleetlens_ipc::rules::{RuleAsk, RuleBook, RuleChange, RuleDone, RuleDraft, RuleRow, TRY_DAYS_MAX, Tried};
use fleetlens_ipc::{Done, Fault, FaultCode, RequestId};
use fleetlens_model::alarm::{Alarm, Rule};
use fleetlens_store::{Reading, Store, StoreError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64;

use super::profiles::on_the_side;
use super::speaking::Speaking;
use super::{Begun, Host, ended};
use crate::backtest::{self, BacktestError, Bounds, Question};
use crate::ports::wall_now;
use crate::profile::{Profile, left_out};
use crate::rules::{Unwritable, Written, with_draft};
use crate::run::Run;
use crate::settings::{Home, whole};
use crate::shelf;

/// What a person who waits before a window is kept waiting for at most.
const WINDOW: Bounds = Bounds { values: 3_000_000, within: Some(Duration::from_secs(20)) };

const DAY_MS: i64 = 86_400_000;

/// So far back the list of rules counts.
const LISTED_MS: i64 = 7 * DAY_MS;

/// The tries of all windows: one at a time, because each reads as fast as it can.
#[derive(Debug)]
pub struct Tries {
    right: Arc<Semaphore>,
    under_way: Mutex<HashMap<WindowId, CancellationToken>>,
}

impl Default for Tries {
    fn default() -> Tries {
        Tries { right: Arc::new(Semaphore::new(1)), under_way: Mutex::default() }
    }
}

impl Tries {
    /// Ends the try of a window, e.g. because it is gone.
    pub fn forget(&self, window: WindowId) {
        if let Some(stop) = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&window) {
            stop.cancel();
        }
    }

    /// A window begins another.
    fn begin(&self, window: WindowId, ending: &CancellationToken) -> CancellationToken {
        let stop = ending.child_token();
        let before = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(window, stop.clone());
        if let Some(before) = before {
            before.cancel();
        }
        stop
    }
}

/// The profile in use, as it is on the disk.
pub(super) struct Used {
    pub(super) name: String,
    /// Without a file it is built in.
    file: Option<PathBuf>,
    pub(super) text: String,
    store: Store,
    pub(super) home: Home,
}

impl Used {
    /// Beside which the files lie that it names.
    pub(super) fn folder(&self) -> PathBuf {
        whole(self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new("")))
    }

    /// Of another profile's file it is another, also where that says the same.
    fn seen(&self) -> u64 {
        let file = self.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
        xxh3_64(format!("{}\0{file}\0{}", self.name, self.text).as_bytes())
    }

    /// Why its file cannot be written, if so.
    pub(super) fn locked(&self) -> Option<String> {
        match &self.file {
            None => Some("the demo city comes with the program and cannot be changed".to_owned()),
            Some(file) => match std::fs::File::options().append(true).open(file) {
                Ok(_) => None,
                Err(error) => Some(format!("the file {} cannot be written: {error}", file.display())),
            },
        }
    }
}

impl Host {
    /// Does what a window wants with rules; `None` where the answer comes later.
    pub(super) async fn rules(
        &self,
        window: WindowId,
        request: RequestId,
        ask: RuleAsk,
    ) -> Result<Option<(Done, Begun)>, Fault> {
        let used = self.used_profile().await?;
        let done = |done| Ok(Some((Done::Rules(done), Begun::NotAnew)));
        match ask {
            RuleAsk::Read => done(RuleDone::Book(Box::new(on_the_side(move || book(&used)).await??))),
            RuleAsk::Check(draft) => {
                let folder = used.folder();
                let checked = on_the_side(move || with_draft(&folder, &used.text, &draft).err()).await?;
                done(RuleDone::Checked(checked))
            }
            RuleAsk::Resets(change) => {
                let folder = used.folder();
                done(RuleDone::Resets(on_the_side(move || resets(&folder, &used, &change)).await??))
            }
            RuleAsk::Try { draft, days } => {
                self.try_rule(window, request, used, *draft, days).await?;
                Ok(None)
            }
            RuleAsk::EndTry => {
                self.tries.forget(window);
                done(RuleDone::Checked(None))
            }
            RuleAsk::Do { change, seen } => {
                if used.seen() != seen {
                    let why = "the profile's file was changed meanwhile; read it again, nothing of it was written over";
                    return Err(Fault::new(FaultCode::TooLate, why));
                }
                if let Some(why) = used.locked() {
                    return Err(Fault::new(FaultCode::Invalid, why));
                }
                let told = told(&change);
                let (name, home, named) = (used.name.clone(), used.home.clone(), self.options.profile.clone());
                let after = on_the_side(move || {
                    let written = Written::read(&used.text).map_err(|Unwritable(mistake)| of_file(&mistake))?;
                    let after = written.after(&change)?;
                    home.keep_before(&used.name, named.as_deref())?;
                    Ok::<_, String>(after)
                });
                let after = after.await?.map_err(|why| Fault::new(FaultCode::Invalid, why))?;
                let (_, begun) = self.save_profile(Some(name), after, None, false, Some(told)).await?;
                Ok(Some((Done::Rules(RuleDone::Kept), begun)))
            }
        }
    }

    pub(super) async fn used_profile(&self) -> Result<Used, Fault> {
        let home = self.home.lock().await.clone();
        let (name, file, store) = {
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            Host::may_set(&home, run)?;
            (run.profile.name.clone(), run.file.clone(), run.store().clone())
        };
        let text = match file.clone() {
            None => Profile::DEMO.to_owned(),
            Some(file) => {
                on_the_side(move || shelf::read(&file)).await?.map_err(|why| Fault::new(FaultCode::NotFound, why))?
            }
        };
        Ok(Used { name, file, text, store, home })
    }

    /// Begins to try a rule; the window is answered when that is done, and has everything else meanwhile.
    async fn try_rule(
        &self,
        window: WindowId,
        request: RequestId,
        used: Used,
        draft: RuleDraft,
        days: u32,
    ) -> Result<(), Fault> {
        let folder = used.folder();
        let stop = self.tries.begin(window, &self.ending);
        let (run, right) = (Arc::clone(&self.run), Arc::clone(&self.tries.right));
        tokio::spawn(async move {
            let tried = async {
                let _right = right.acquire_owned().await.map_err(|_| ended())?;
                on_the_side(move || tried(&folder, &used, &draft, days, &stop)).await?
            };
            let outcome = tried.await.map(|tried| Done::Rules(RuleDone::Tried(Box::new(tried))));
            if let Some(engine) = run.read().await.as_ref().and_then(Run::engine) {
                engine.answer(window, request, outcome).await;
            }
        });
        Ok(())
    }
}

fn tried(folder: &Path, used: &Used, draft: &RuleDraft, days: u32, stop: &CancellationToken) -> Result<Tried, Fault> {
    let profile =
        with_draft(folder, &used.text, draft).map_err(|wrong| Fault::new(FaultCode::Invalid, wrong.message))?;
    let before = Profile::parse_in(folder, &used.text, "the profile").ok();
    let before = draft.replaces.clone().and_then(|id| Some((before?.rules, id)));
    let reading = reading(&used.store)?;
    // What is after our last word with the broker nobody has heard; while the link is up that is written down now and then.
    let since_seen_ms = i64::try_from(LINK_SEEN_EVERY_MS).unwrap_or(0);
    let seen = reading.link_seen().map_err(unreadable)?;
    let to = seen.map_or_else(wall_now, |seen| seen.plus(since_seen_ms + 1).min(wall_now()));
    let span = to.plus(-DAY_MS * i64::from(days.clamp(1, TRY_DAYS_MAX)))..to;
    let question = Question {
        config: profile.fleet_config(String::new()),
        rules: profile.rules,
        id: draft.form.id.trim().to_owned(),
        before,
        span,
    };
    let goes_on = || !stop.is_cancelled() && !reading.is_closed();
    backtest::answer(&reading, &question, WINDOW, goes_on).map_err(|error| match error {
        BacktestError::Ended => Fault::new(FaultCode::TooLate, error.to_string()),
        BacktestError::Store(_) | BacktestError::NoRule(_) => Fault::new(FaultCode::Store, error.to_string()),
    })
}

fn reading(store: &Store) -> Result<Reading, Fault> {
    store.reading().map_err(unreadable)
}

fn unreadable(error: StoreError) -> Fault {
    Fault::new(FaultCode::Store, format!("the cache cannot be read: {error}"))
}

fn of_file(mistake: &MistakeRow) -> String {
    format!("line {} of the file: {}", mistake.line, mistake.message)
}

/// The alarms of each rule that stand, or were raised lately.
fn alarms(used: &Used) -> Result<BTreeMap<String, Vec<Alarm>>, Fault> {
    let now = wall_now();
    let mut of: BTreeMap<String, Vec<Alarm>> = BTreeMap::new();
    for alarm in reading(&used.store)?.alarms(&(now.plus(-LISTED_MS)..now.plus(1))).map_err(unreadable)? {
        of.entry(alarm.rule.clone()).or_default().push(alarm);
    }
    Ok(of)
}

fn book(used: &Used) -> Result<RuleBook, Fault> {
    let mut book = RuleBook {
        profile: used.name.clone(),
        file: used.file.as_ref().map_or_else(String::new, |file| file.display().to_string()),
        seen: used.seen(),
        locked: used.locked(),
        ..RuleBook::default()
    };
    let written = match Written::read(&used.text) {
        Ok(written) => written,
        Err(Unwritable(mistake)) => return Ok(RuleBook { mistake: Some(mistake), ..book }),
    };
    book.usual = !written.writes;
    let mut rules = Vec::new();
    // A document that is not where it should be keeps nobody from the rules: who saves one is told of it.
    let profile = Profile::parse_in(&used.folder(), &used.text, "the file");
    match profile.or_else(|_| Profile::parse(&used.text, "the file")) {
        Ok(profile) => {
            book.groups = profile.groups.into_iter().map(|group| group.name).collect();
            rules = profile.rules;
        }
        Err(crate::ProfileError::Wrong { line, why, .. }) => {
            book.mistake = Some(MistakeRow { line: u32::try_from(line).unwrap_or(u32::MAX), message: why });
        }
        Err(error @ crate::ProfileError::Unreadable { .. }) => {
            book.mistake = Some(MistakeRow { line: 1, message: error.to_string() });
        }
    }
    let alarms = alarms(used)?;
    let from = wall_now().plus(-LISTED_MS);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let row = |mut form: fleetlens_ipc::rules::RuleForm| {
        let rule = rules.iter().find(|rule| rule.id == form.id && !form.machine.is_empty());
        form.left_out = rule.map(|rule| left_out(rule).to_vec()).unwrap_or_default();
        let its = alarms.get(&form.id).map_or(&[][..], Vec::as_slice);
        let active = its.iter().filter(|alarm| alarm.is_active()).count();
        let open = its.iter().filter(|alarm| alarm.ended_ms().is_none()).count();
        RuleRow {
            name: if form.name.is_empty() { form.id.replace('-', " ") } else { form.name.clone() },
            active: number(active),
            open: number(open.saturating_sub(active)),
            raised_7d: number(its.iter().filter(|alarm| alarm.raised_ms() >= from).count()),
            form,
        }
    };
    book.rules = written.forms().into_iter().map(row).collect();
    Ok(book)
}

/// What a change resets, as the engine does it when its profile begins anew.
fn resets(folder: &Path, used: &Used, change: &RuleChange) -> Result<Vec<String>, Fault> {
    let wrong = |why: String| Fault::new(FaultCode::Invalid, why);
    let written = Written::read(&used.text).map_err(|Unwritable(mistake)| wrong(of_file(&mistake)))?;
    let mut told = Vec::new();
    if !written.writes {
        told.push(
            "So far this profile writes no rules and has the usual ones. They are written into it, and stay.".into(),
        );
    }
    let alarms = alarms(used)?;
    let open = |id: &str| -> Vec<&Alarm> {
        alarms.get(id).into_iter().flatten().filter(|alarm| alarm.ended_ms().is_none()).collect()
    };
    match change {
        RuleChange::Keep(draft) => {
            let profile = with_draft(folder, &used.text, draft).map_err(|mistake| wrong(mistake.message))?;
            let id = draft.form.id.trim();
            let speaking = Speaking::of(&profile, reading(&used.store)?.things().map_err(unreadable)?);
            let taken = taken_over(&speaking, &profile, id, draft.replaces.as_deref(), &open);
            let Some(was) = &draft.replaces else {
                told.push(
                    "Nothing is open of a new rule. What it looks at is judged as it is said from now on.".into(),
                );
                told.extend(taken);
                told.extend(always());
                return Ok(told);
            };
            let its = open(was);
            if was != id && !its.is_empty() {
                told.push(returns(its.len(), "the rule has another id"));
            } else if !its.is_empty() {
                let still = its.iter().filter(|alarm| speaking.speaks(id, alarm.thing)).count();
                if still > 0 {
                    told.push(stays(still));
                }
                if still < its.len() {
                    told.push(returns(its.len() - still, "the rule does not speak of their things any more"));
                }
            } else {
                told.push("No alarm of this rule is open.".into());
            }
            told.extend(taken);
        }
        RuleChange::Remove(id) => {
            let its = open(id);
            told.push(if its.is_empty() {
                "No alarm of this rule is open.".into()
            } else {
                returns(its.len(), "there is no rule that would say when they are over")
            });
        }
    }
    told.extend(always());
    Ok(told)
}

fn of_alarms(n: usize, one: &str, more: &str) -> String {
    if n == 1 { format!("1 open alarm of this rule {one}") } else { format!("{n} open alarms of this rule {more}") }
}

fn stays(n: usize) -> String {
    let what = of_alarms(n, "stays as it is", "stay as they are");
    format!("{what}, acknowledged or not, and what is said next is judged by the new words.")
}

fn returns(n: usize, why: &str) -> String {
    let what = of_alarms(n, "returns", "return");
    format!("{what}, because {why}; whoever has not acknowledged that still has to.")
}

/// What every change of a profile does, because the engine begins anew with it.
fn always() -> [String; 1] {
    ["The connection to the broker is made anew, and with it begin the delays that run and the windows of time of all rules of this profile. Acknowledgements, comments and what is shelved stay."
        .into()]
}

/// What becomes of the open alarms of the other rules: of some of their things this one may speak instead.
fn taken_over<'a>(
    speaking: &Speaking<'_>,
    profile: &Profile,
    id: &str,
    was: Option<&str>,
    open: &impl Fn(&str) -> Vec<&'a Alarm>,
) -> Vec<String> {
    let others = profile.rules.iter().filter(|rule| rule.id != id && Some(rule.id.as_str()) != was);
    let lost = |other: &Rule| open(&other.id).iter().filter(|alarm| !speaking.speaks(&other.id, alarm.thing)).count();
    let tell = |other: &Rule| match lost(other) {
        0 => None,
        1 => Some(format!(
            "1 open alarm of the rule {:?} returns, because a rule that says more closely what it is for speaks of its thing instead, and raises its own; whoever has not acknowledged that still has to.",
            other.id
        )),
        n => Some(format!(
            "{n} open alarms of the rule {:?} return, because a rule that says more closely what it is for speaks of their things instead, and raises its own; whoever has not acknowledged that still has to.",
            other.id
        )),
    };
    others.filter_map(tell).collect()
}

/// For the audit log.
fn told(change: &RuleChange) -> String {
    match change {
        RuleChange::Remove(id) => format!("rule removed: {id}"),
        RuleChange::Keep(draft) => match (&draft.replaces, draft.form.id.as_str()) {
            (None, id) => format!("rule made: {id}"),
            (Some(was), id) if was == id => format!("rule changed: {id}"),
            (Some(was), id) => format!("rule changed: {was} → {id}"),
        },
    }
}
