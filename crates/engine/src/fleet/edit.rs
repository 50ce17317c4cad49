//! A person changes a command that waits.

use fleetlens_ipc::{Fault, FaultCode, Wish};
use fleetlens_model::command::{NotEdited, Want};
use fleetlens_model::id::CommandId;
use fleetlens_model::time::Now;
use serde_json::Value as Json;

use super::commands::EXPIRY_MS;
use super::{Effects, Fleet};

impl Fleet {
    /// Other values for its leaves, another end; all of it or nothing.
    pub(super) fn edit(
        &mut self,
        id: CommandId,
        values: &[(String, String)],
        expires_in_ms: Option<u64>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<CommandId, Fault> {
        if values.is_empty() && expires_in_ms.is_none() {
            return Err(Fault::new(FaultCode::Invalid, "nothing is to be changed; give another value or another end"));
        }
        let values = self.edited(id, values)?;
        let expiry_ms = expires_in_ms.map(|ms| ms.clamp(*EXPIRY_MS.start(), *EXPIRY_MS.end()));
        let command = self.commands.get_mut(&id).ok_or_else(not_found)?;
        command.edit(&values, expiry_ms, now).map_err(|why| {
            let code = match why {
                NotEdited::Left => FaultCode::TooLate,
                NotEdited::TooOften => FaultCode::Invalid,
            };
            Fault::new(code, why.to_string())
        })?;
        let after = command.clone();
        self.changed(&after, now, effects);
        self.drive(after.thing, now, effects);
        Ok(id)
    }

    /// The values as the command will want them: pointer, value, tolerance. Which leaves it sets stays as it is, so that its place among
    /// other commands does.
    fn edited(&self, id: CommandId, values: &[(String, String)]) -> Result<Vec<(String, Json, f64)>, Fault> {
        let command = self.commands.get(&id).ok_or_else(not_found)?;
        self.check_fence(command.thing)?;
        if values.is_empty() {
            return Ok(Vec::new());
        }
        if let Some((other, _)) = values.iter().find(|(of, _)| !command.wants.iter().any(|want| want.pointer == *of)) {
            let why = format!("the command does not set {other}; ask for that in a command of its own");
            return Err(Fault::new(FaultCode::Invalid, why));
        }
        // Judged as what it would be as a whole: one leaf may need another that it sets.
        let wish = |want: &Want| {
            let value = values.iter().find(|(pointer, _)| *pointer == want.pointer).map(|(_, value)| value.clone());
            let value_json = value.unwrap_or_else(|| want.value.to_string());
            Wish { pointer: want.pointer.clone(), value_json, seen_json: None }
        };
        let wishes: Vec<Wish> = command.wants.iter().map(wish).collect();
        let wants = self.wanted(command.thing, &command.shadow, &wishes)?;
        let is_its = |want: &Want| command.wants.iter().any(|its| its.pointer == want.pointer);
        if let Some(other) = wants.iter().find(|want| !is_its(want)) {
            let why =
                format!("that would set {}, which the command does not; ask for it in one of its own", other.pointer);
            return Err(Fault::new(FaultCode::Invalid, why));
        }
        Ok(wants.into_iter().map(|want| (want.pointer, want.value, want.tolerance)).collect())
    }
}

fn not_found() -> Fault {
    Fault::new(FaultCode::NotFound, "this command is not known here")
}
