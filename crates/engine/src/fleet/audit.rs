//! What is told to the audit log, and the one place where its entries are made (docs/adr/0011-audit.md).
//!
//! A command's steps are told where its row is written ([`Fleet::audit_steps`], called by nobody else): whatever it took since it was
//! last told. What happens to it outside of the fleet (its row on the disk, its message with the link) comes back as inputs.

use fleetlens_ipc::rows::Settings;
use fleetlens_ipc::{Fault, Intent, Steer};
use fleetlens_model::alarm::Alarm;
use fleetlens_model::audit::{By, DETAIL_MAX_CHARS, Entry, Event};
use fleetlens_model::command::{Command, Phase, Step, Withdrawal};
use fleetlens_model::id::{BulkId, CommandId, ThingKey};
use fleetlens_model::identity::Actor;
use fleetlens_model::record::{Retention, Write};
use fleetlens_model::time::{MonoMs, Now, WallMs};

use super::{Effects, Fleet, beginning};

/// Refusals that the log is told in [`REFUSALS_MS`]; of more it is told how many they were. It is never shortened, and a window that has
/// gone mad asks for ever.
const REFUSALS_MAX: u32 = 120;

/// The time in which that many are told, in milliseconds.
const REFUSALS_MS: u64 = 60_000;

/// What the log was told of refusals lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    since: MonoMs,
    told: u32,
    untold: u64,
}

impl Refusals {
    /// Whether one more is told now, and how many before it were not.
    fn one_more(&mut self, now: MonoMs) -> Option<u64> {
        if now.since(self.since) >= REFUSALS_MS {
            (self.since, self.told) = (now, 0);
        }
        if self.told >= REFUSALS_MAX {
            self.untold += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

/// What the log was told of a command.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// So many of its steps.
    steps: usize,
    phase: Phase,
    /// When, in this run.
    at: Option<MonoMs>,
}

impl Told {
    /// All of it, before this run.
    pub(super) fn before(command: &Command) -> Told {
        Told { steps: command.steps.len(), phase: command.phase.clone(), at: None }
    }
}

/// What an entry is about.
#[derive(Default)]
struct About {
    thing: String,
    shadow: String,
    command: Option<CommandId>,
    trace: String,
    after_ms: Option<u64>,
}

impl Fleet {
    /// A person asked for something that is not done.
    pub(super) fn audit_refusal(&mut self, intent: &Intent, fault: &Fault, now: Now, effects: &mut Effects) {
        let about_command = |id: &CommandId| match self.commands.get(id) {
            Some(command) => self.about(command),
            None => About { command: Some(*id), ..About::default() },
        };
        let (about, asked) = match intent {
            Intent::Command { thing, shadow, wishes, .. } => {
                let wishes = wishes.iter().map(|wish| format!("{} = {}", wish.pointer, wish.value_json));
                let about = About { thing: self.name_of(*thing), shadow: shadow.clone(), ..About::default() };
                (about, format!("command {}", wishes.collect::<Vec<_>>().join(", ")))
            }
            Intent::EditCommand { command, values, .. } => {
                let values = values.iter().map(|(pointer, value)| format!(" {pointer} = {value}"));
                (about_command(command), format!("changing{}", values.collect::<String>()))
            }
            Intent::CancelCommand { command } => (about_command(command), "cancelling".to_owned()),
            Intent::Bulk(order) => {
                let wishes = order.wishes.iter().map(|wish| format!("{} = {}", wish.pointer, wish.value_json));
                (About::default(), format!("bulk command {}", wishes.collect::<Vec<_>>().join(", ")))
            }
            Intent::SteerBulk { bulk, to } => {
                let to = match to {
                    Steer::Paused => "held",
                    Steer::Resumed => "going on",
                    Steer::Stopped => "stopped",
                };
                (About::default(), format!("bulk command {} {to}", bulk.0))
            }
            Intent::Acknowledge { alarms, .. } => {
                let of = alarms.first().and_then(|(id, _)| self.alarms.get(*id));
                let thing = of.map(|alarm| self.name_of(alarm.thing)).unwrap_or_default();
                let about = About { thing, ..About::default() };
                (about, format!("acknowledging {} alarms", alarms.len()))
            }
            Intent::Alarms { alarms, .. } => {
                let of = alarms.first().and_then(|id| self.alarms.get(*id));
                let thing = of.map(|alarm| self.name_of(alarm.thing)).unwrap_or_default();
                (About { thing, ..About::default() }, format!("something of {} alarms", alarms.len()))
            }
            // Nothing that a fleet does.
            Intent::Change(_)
            | Intent::Places { .. }
            | Intent::Words
            | Intent::MapNames
            | Intent::Profile(_)
            | Intent::Rules(_)
            | Intent::Boards(_)
            | Intent::Map(_)
            | Intent::Areas(_)
            | Intent::Diagnose
            | Intent::Audit { .. }
            | Intent::Legs
            | Intent::AlarmHealth { .. }
            | Intent::Small { .. }
            | Intent::ShadowHistory { .. }
            | Intent::Controls(_)
            | Intent::Shown { .. }
            | Intent::Names(_)
            | Intent::DryRun(_)
            | Intent::BulkAgain(_)
            | Intent::Replay(_)
            | Intent::Export(_) => return,
        };
        let by = By::Person(self.config.who.clone());
        let Some(untold) = self.refusals_told.one_more(now.mono) else { return };
        let more = if untold > 0 { format!("{untold} refusals before this one are not told; ") } else { String::new() };
        // Why comes first: what was asked may be longer than is kept.
        self.audit(about, by, Event::Refused, &format!("{more}{}; asked: {asked}", fault.message), now, effects);
    }

    /// A person did something with an alarm of a thing.
    pub(super) fn audit_alarm(
        &mut self,
        (thing, alarm): (ThingKey, &str),
        event: Event,
        words: &str,
        now: Now,
        effects: &mut Effects,
    ) {
        let about = About { thing: self.name_of(thing), ..About::default() };
        let by = By::Person(self.config.who.clone());
        let detail = if words.is_empty() { alarm.to_owned() } else { format!("{alarm}: {words}") };
        self.audit(about, by, event, &detail, now, effects);
    }

    /// An alarm is back from the shelf because its time was up.
    pub(super) fn audit_shelf_over(&mut self, alarm: &Alarm, now: Now, effects: &mut Effects) {
        let about = About { thing: self.name_of(alarm.thing), ..About::default() };
        let detail = format!("{}: its time on the shelf was up", alarm.name);
        self.audit(about, By::Program, Event::AlarmUnshelved, &detail, now, effects);
    }

    /// The person who was at the screen until now set the program otherwise.
    pub(super) fn audit_settings(&mut self, settings: &Settings, now: Now, effects: &mut Effects) {
        let (was, before) = (self.config.who.clone(), self.config.settings.retention);
        let named =
            |who: &Actor| format!("{} ({})", if who.name.is_empty() { "nobody" } else { &who.name }, who.role.word());
        let mut told = Vec::new();
        if was != settings.who {
            told.push(format!("who is here: {} → {}", named(&was), named(&settings.who)));
        }
        let kept = |of: &Retention| {
            let Retention { keep_days, minutes_days, hours_days, max_mb } = of;
            let hours = hours_days.map(|days| format!("hours {days} days, ")).unwrap_or_default();
            format!("{keep_days} days, minutes {minutes_days} days, {hours}{max_mb} MB")
        };
        if before != settings.retention {
            told.push(format!("kept: {} → {}", kept(&before), kept(&settings.retention)));
        }
        for detail in told {
            self.audit(About::default(), By::Person(was.clone()), Event::Set, &detail, now, effects);
        }
    }

    /// A person set something that the host keeps, or may not.
    pub(super) fn audit_set(&mut self, by: Actor, event: Event, detail: &str, now: Now, effects: &mut Effects) {
        self.audit(About::default(), By::Person(by), event, detail, now, effects);
    }

    /// A bulk command was asked for, steered by a person, or ended by itself; its commands tell of themselves.
    pub(super) fn audit_bulk(
        &mut self,
        by: Option<&Actor>,
        event: Event,
        id: BulkId,
        detail: &str,
        now: Now,
        effects: &mut Effects,
    ) {
        let by = by.map_or(By::Program, |by| By::Person(by.clone()));
        let colon = if detail.is_empty() { "" } else { ": " };
        let detail = format!("bulk command {}{colon}{detail}", id.0);
        self.audit(About::default(), by, event, &detail, now, effects);
    }

    /// Something happened to a command outside of the fleet.
    pub(super) fn audit_of(&mut self, id: CommandId, event: Event, now: Now, effects: &mut Effects) {
        let Some(command) = self.commands.get(&id) else { return };
        // What goes out for one that is over and open takes it back.
        let is_way_back = command.phase.is_open() && !command.phase.is_waiting();
        let by = if event == Event::Acknowledged { By::Broker } else { By::Program };
        let (about, detail) = (self.about_now(command, now), if is_way_back { "to take it back" } else { "" });
        self.audit(about, by, event, detail, now, effects);
        if let Some(told) = self.told.get_mut(&id) {
            told.at = Some(now.mono);
        }
    }

    /// Tells whatever a command has done since it was told last.
    pub(super) fn audit_steps(&mut self, command: &Command, now: Now, effects: &mut Effects) {
        let told = self.told.get(&command.id);
        let (steps, before) = told.map_or((0, Phase::Pending), |told| (told.steps, told.phase.clone()));
        // One that did not leave has a step less.
        let new = command.steps.get(steps..).unwrap_or_default();
        let mut happened: Vec<(By, Event, String)> =
            new.iter().filter_map(|step| step_of(command, *step, &before, &self.config.who)).collect();
        let is_told = new.iter().any(|(step, _)| *step == Step::Withdrawn);
        if let Some(outcome) = not_withdrawn(&before, &command.phase).filter(|_| !is_told) {
            happened.push((By::Program, Event::NotWithdrawn, outcome));
        }
        let is_news = !happened.is_empty();
        let of_bulk = self.bulks.of_command(command.id).map(|bulk| format!(" (bulk command {})", bulk.0));
        for (by, event, detail) in happened {
            let part = of_bulk.as_deref().filter(|_| event == Event::Asked).unwrap_or_default();
            let detail = detail + part;
            self.audit(self.about_now(command, now), by, event, &detail, now, effects);
            self.now_told(command, Some(now.mono));
        }
        if !is_news {
            let at = self.told.get(&command.id).and_then(|told| told.at);
            self.now_told(command, at);
        }
    }

    fn now_told(&mut self, command: &Command, at: Option<MonoMs>) {
        let told = Told { steps: command.steps.len(), phase: command.phase.clone(), at };
        self.told.insert(command.id, told);
    }

    fn about(&self, command: &Command) -> About {
        About {
            thing: self.name_of(command.thing),
            shadow: command.shadow.clone(),
            command: Some(command.id),
            trace: command.token.clone(),
            after_ms: None,
        }
    }

    fn about_now(&self, command: &Command, now: Now) -> About {
        let last = self.told.get(&command.id).and_then(|told| told.at);
        About { after_ms: last.map(|last| now.mono.since(last)), ..self.about(command) }
    }

    fn name_of(&self, thing: ThingKey) -> String {
        self.things.get(&thing).map(|thing| thing.name.as_str().to_owned()).unwrap_or_default()
    }

    fn audit(&mut self, about: About, by: By, event: Event, detail: &str, now: Now, effects: &mut Effects) {
        let About { thing, shadow, command, trace, after_ms } = about;
        self.last_audit += 1;
        let entry = Entry {
            seq: self.last_audit,
            at_ms: now.wall,
            by,
            thing,
            // What a person wrote may be anything, also what no shadow is called.
            shadow: beginning(&shadow, DETAIL_MAX_CHARS),
            command,
            trace,
            event,
            after_ms,
            detail: beginning(detail, DETAIL_MAX_CHARS),
        };
        effects.writes.push(Write::Audit(Box::new(entry)));
    }
}

/// Who took a step, and what there is to say of it; `None` of the one that is told when its message is with the link. `who` is at the
/// screen.
fn step_of(command: &Command, step: (Step, WallMs), before: &Phase, who: &Actor) -> Option<(By, Event, String)> {
    let nothing = String::new;
    let (step, at) = step;
    let wants = || {
        let wants = command.wants.iter().map(|want| format!("{} = {}", want.pointer, want.value));
        wants.collect::<Vec<_>>().join(", ")
    };
    Some(match step {
        Step::Sent => return None,
        Step::Asked => (By::Person(command.by.clone()), Event::Asked, wants()),
        Step::Edited => {
            let left_s = command.expires_ms.since(at).div_ceil(1_000);
            (By::Person(who.clone()), Event::Edited, format!("{}; expires in {left_s} s", wants()))
        }
        Step::Accepted => {
            // It may be more by now.
            let version =
                if let Phase::Accepted { version } = &command.phase { format!("version {version}") } else { nothing() };
            (By::Service, Event::Accepted, version)
        }
        Step::Rejected => {
            let Phase::Rejected { code, reason } = &command.phase else {
                return Some((By::Program, Event::Rejected, nothing()));
            };
            // That somebody else changed a leaf, and what cannot be sent at all, we find ourselves.
            let is_answer = *before == Phase::Sent && *code != 409;
            let by = if is_answer { By::Service } else { By::Program };
            (by, Event::Rejected, format!("{code}: {reason}"))
        }
        Step::Settled => (By::Device, Event::Settled, nothing()),
        Step::Overtaken => {
            let by =
                if let Phase::Overtaken { by } = &command.phase { format!("by command {}", by.0) } else { nothing() };
            (By::Program, Event::Overtaken, by)
        }
        Step::Expired => {
            let event = if command.at(Step::Accepted).is_some() { Event::NeverObeyed } else { Event::Expired };
            (By::Program, event, left_behind(&command.phase).to_owned())
        }
        Step::Cancelled => {
            let by = command.cancelled_by.clone().map_or(By::Program, By::Person);
            (by, Event::Cancelled, left_behind(&command.phase).to_owned())
        }
        Step::Withdrawn => (By::Program, Event::Withdrawn, nothing()),
    })
}

/// What a command leaves behind that ends before the thing obeyed.
fn left_behind(phase: &Phase) -> &'static str {
    match withdrawal_of(phase) {
        Some(Withdrawal::NotNeeded) => "it never left",
        Some(Withdrawal::Needed) => "it may have arrived and is taken back",
        Some(Withdrawal::Done | Withdrawal::Refused { .. } | Withdrawal::Impossible) | None => "",
    }
}

/// Why something that was to be taken back is not, where that was found now.
fn not_withdrawn(before: &Phase, now: &Phase) -> Option<String> {
    if withdrawal_of(before) == withdrawal_of(now) {
        return None;
    }
    match withdrawal_of(now)? {
        Withdrawal::NotNeeded | Withdrawal::Needed => None,
        Withdrawal::Done => Some("the thing obeyed after its time; nothing is put back".to_owned()),
        Withdrawal::Refused { code } => Some(format!("{code}: refused for good; it may still happen")),
        Withdrawal::Impossible => Some("there is no way to take it back; it may still happen".to_owned()),
    }
}

fn withdrawal_of(phase: &Phase) -> Option<Withdrawal> {
    match phase {
        Phase::Expired { withdrawal } | Phase::Cancelled { withdrawal } => Some(*withdrawal),
        Phase::Pending
        | Phase::Sent
        | Phase::Accepted { .. }
        | Phase::Rejected { .. }
        | Phase::Settled
        | Phase::Overtaken { .. } => None,
    }
}
