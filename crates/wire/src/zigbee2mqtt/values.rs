//! `{name}`: the state of one device.

use fleetlens_model::shadow::{Object, pointer_of};
use serde_json::Value as Json;

use super::devices::Device;
use crate::telemetry::{Reading, Telemetry, collect_value, finish};
use crate::{WireError, time};

/// When the device was last heard; the bridge writes it if it is told to ("last_seen" of its settings).
const LAST_SEEN: &str = "last_seen";

/// What the bridge may write of the device itself; the list says the same.
const DEVICE: &str = "device";

/// Reads a state: every leaf by its pointer, by what the list says of it.
pub(super) fn read(state: &Object, device: Option<&Device>) -> Result<Telemetry, WireError> {
    let mut said = Telemetry::default();
    for (name, value) in state {
        match (name.as_str(), value) {
            (LAST_SEEN, value) => said.claimed = time::read(value, LAST_SEEN, None)?,
            (DEVICE, Json::Object(_)) => {}
            (name, value) => collect_value(value, pointer_of([name]), &[], &mut said.values)?,
        }
    }
    if let Some(device) = device {
        for (pointer, value) in &mut said.values {
            if let Some(exposed) = device.exposes.get(pointer) {
                *value = exposed.read(value.clone());
            }
        }
    }
    finish(said, &Reading::default())
}
