//! An alarm for tests.

use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::alarm::Priority;
use fleetlens_model::alarm::state::Standing;
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;

/// An active, unacknowledged warning about a full bin in Valletta.
#[cfg(test)]
pub fn alarm(id: u64, raised_ms: i64) -> AlarmRow {
    AlarmRow {
        id: AlarmId(id),
        thing: ThingKey(7),
        thing_title: "Bin 0012".into(),
        kind: Kind::Bin,
        place: "Triq San Pawl · Valletta".into(),
        at: None,
        priority: Priority::Warning,
        title: "Bin 0012 nearly full".into(),
        sentence: "fill 96 %, 90 % or more for 2 min".into(),
        cause: String::new(),
        consequence: String::new(),
        what_to_do: "Send the round past it today".into(),
        active: true,
        unknown_since_ms: None,
        raised_ms: WallMs(raised_ms),
        cleared_ms: None,
        times: 1,
        acknowledged: None,
        standing: Standing::Active,
        hidden: None,
        time_available_ms: None,
        assigned: String::new(),
        suppressed: String::new(),
        mutes: 0,
    }
}
