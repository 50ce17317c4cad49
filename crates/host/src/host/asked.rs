//! What the windows say: what is asked of the host is done and answered here, everything else goes on to the engine.

use fleetlens_engine::port::WindowId;
use fleetlens_ipc::maps::{AreaAsk, MapAsk};
use fleetlens_ipc::rules::RuleAsk;
use fleetlens_ipc::{Call, Done, Fault, FaultCode, Intent, RequestId, decode_call};

use super::{Begun, Host, ended, told, who};
use crate::diagnose;
use crate::run::Run;

impl Host {
    /// A window says something, in bytes of the contract. Waits while the engine has many calls before it. How the program is set
    /// is changed here, everything else in the engine. Fails for a window that is gone or that was let go because it did not keep
    /// up: no answer would reach it.
    pub async fn call(&self, window: WindowId, call: &[u8]) -> Result<(), Fault> {
        let call = decode_call(call).map_err(|e| Fault::new(FaultCode::Invalid, e.to_string()))?;
        if !self.sinks.holds(window) {
            let message = "this window has not kept up and is told nothing more; load it again";
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        if self.ending.is_cancelled() && matches!(call, Call::Ask { .. }) {
            return Err(Fault::new(FaultCode::TooLate, "Fleetlens is closing and takes no more commands"));
        }
        if let Call::Ask { request, intent } = &call
            && let Some(fault) = self.refused_in_the_past(window, intent).await
        {
            // Nobody was denied a right: no matter for the log.
            self.reply(window, *request, Err(fault)).await;
            return Ok(());
        }
        match call {
            // On the heap: what some intents need while they are carried out is much, and whoever calls would hold it for all.
            Call::Ask { request, intent } => Box::pin(self.asked(window, request, intent)).await,
            call @ (Call::Hello { .. }
            | Call::Look { .. }
            | Call::LookAway { .. }
            | Call::Seen { .. }
            | Call::Drawn { .. }) => self.say(window, call).await,
        }
    }

    /// Does what a window asks for: what is the host's here, everything else in the engine.
    async fn asked(&self, window: WindowId, request: RequestId, intent: Intent) -> Result<(), Fault> {
        match intent {
            Intent::Replay(ask) => {
                if let Some(outcome) = self.replay(window, request, ask).await {
                    self.reply(window, request, outcome.map(|done| (done, Begun::NotAnew))).await;
                }
                Ok(())
            }
            Intent::Change(setting) => {
                let outcome = self.change(setting).await.map(|begun| (Done::Changed, begun));
                self.tell_the_past().await;
                self.answer(window, request, outcome).await;
                Ok(())
            }
            Intent::Profile(ask) => {
                let outcome = self.profile(window, ask).await;
                self.answer(window, request, outcome).await;
                Ok(())
            }
            Intent::Rules(ask) => {
                let changes = matches!(ask, RuleAsk::Do { .. });
                match self.rules(window, request, ask).await.transpose() {
                    Some(outcome) if changes => self.answer(window, request, outcome).await,
                    // Whoever may not look has tried to change nothing: no matter for the log, which keeps everything for good.
                    Some(outcome) => self.reply(window, request, outcome).await,
                    None => {}
                }
                Ok(())
            }
            Intent::Map(ask) => {
                let is_question =
                    matches!(ask, MapAsk::Read | MapAsk::Look { .. } | MapAsk::LookAt(_) | MapAsk::Progress);
                let outcome = self.map(ask).await.map(|(done, begun)| (Done::Map(done), begun));
                match is_question {
                    true => self.reply(window, request, outcome).await,
                    false => self.answer(window, request, outcome).await,
                }
                Ok(())
            }
            Intent::Areas(ask) => {
                let is_question = matches!(ask, AreaAsk::Read);
                let outcome = self.areas(ask).await.map(|(done, begun)| (Done::Areas(done), begun));
                match is_question {
                    true => self.reply(window, request, outcome).await,
                    false => self.answer(window, request, outcome).await,
                }
                Ok(())
            }
            Intent::Boards(ask) => {
                let outcome = self.boards(ask, self.moment_of(window).await).await;
                self.answer(window, request, outcome.map(|done| (Done::Boards(done), Begun::NotAnew))).await;
                Ok(())
            }
            Intent::Audit { filter, limit } => {
                let outcome = self.audit(filter, limit).await;
                self.answer(window, request, outcome.map(|entries| (Done::Audit(entries), Begun::NotAnew))).await;
                Ok(())
            }
            Intent::ShadowHistory { thing, shadow, before, limit } => {
                let then = self.moment_of(window).await;
                let outcome = self.shadow_history(thing, shadow, before, limit, then).await;
                self.answer(window, request, outcome.map(|changes| (Done::ShadowHistory(changes), Begun::NotAnew)))
                    .await;
                Ok(())
            }
            Intent::Small { series, span_ms } => {
                if let Err(fault) = self.small(window, request, series, span_ms).await {
                    self.answer(window, request, Err(fault)).await;
                }
                Ok(())
            }
            Intent::Legs => {
                let outcome = self.legs().await;
                self.answer(window, request, outcome.map(|done| (done, Begun::NotAnew))).await;
                Ok(())
            }
            Intent::AlarmHealth { span_ms, utc_offset_min } => {
                let then = self.moment_of(window).await;
                let outcome = self.alarm_health(span_ms, utc_offset_min, then).await;
                self.answer(window, request, outcome.map(|done| (done, Begun::NotAnew))).await;
                Ok(())
            }
            Intent::Export(export) => {
                if let Err(fault) = self.export(window, request, export).await {
                    self.answer(window, request, Err(fault)).await;
                }
                Ok(())
            }
            Intent::MapNames => {
                let outcome = self.map_names().await;
                self.reply(window, request, outcome.map(|done| (done, Begun::NotAnew))).await;
                Ok(())
            }
            Intent::Diagnose => {
                let diagnostics = diagnose::of_run(&self.options, self.run.read().await.as_ref()).await;
                let done = Done::Diagnosed(Box::new(diagnostics));
                self.answer(window, request, Ok((done, Begun::NotAnew))).await;
                Ok(())
            }
            intent @ (Intent::Command { .. }
            | Intent::Controls(_)
            | Intent::DryRun(_)
            | Intent::Bulk(_)
            | Intent::SteerBulk { .. }
            | Intent::BulkAgain(_)
            | Intent::EditCommand { .. }
            | Intent::CancelCommand { .. }
            | Intent::Acknowledge { .. }
            | Intent::Shown { .. }
            | Intent::Alarms { .. }
            | Intent::Places { .. }
            | Intent::Words
            | Intent::Names(_)) => self.say(window, Call::Ask { request, intent }).await,
        }
    }

    /// Everything that the engine hears and answers itself.
    pub(super) async fn say_now(&self, window: WindowId, call: Call) -> Result<(), Fault> {
        let run = self.run.read().await;
        match run.as_ref().and_then(Run::engine) {
            Some(engine) if engine.call(window, call).await => Ok(()),
            Some(_) | None => Err(ended()),
        }
    }

    /// Tells a window what came of what the host was asked, and all of them to begin again where that is so.
    pub(super) async fn answer(&self, window: WindowId, request: RequestId, outcome: Result<(Done, Begun), Fault>) {
        if let Err(fault) = outcome.as_ref()
            && fault.code == FaultCode::Forbidden
        {
            let home = self.home.lock().await;
            if let Some(run) = self.run.read().await.as_ref() {
                told::tell_refused(run, &who(&home, &run.profile), fault).await;
            }
        }
        self.reply(window, request, outcome).await;
    }

    /// The answer alone.
    pub(super) async fn reply(&self, window: WindowId, request: RequestId, outcome: Result<(Done, Begun), Fault>) {
        let begin = matches!(outcome, Ok((_, Begun::Anew)));
        let run = self.run.read().await;
        if let Some(engine) = run.as_ref().and_then(Run::engine) {
            let outcome = outcome.map(|(done, _)| done);
            match begin {
                true => engine.answer_anew(window, request, outcome).await,
                false => engine.answer(window, request, outcome).await,
            };
        }
    }
}
