//! Who is connected, where AWS says it: a thing that left and did not come back at once is gone.

use std::collections::BTreeMap;

use fleetlens_model::freshness::Presence as There;
use fleetlens_model::heard::Heard;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::{MonoMs, Now};
use fleetlens_wire::aws::{Presence, RETURN_WITHIN_MS, decode_presence};

use super::{Effects, Fleet};

/// What was last told of who is connected.
#[derive(Debug, Default)]
pub(super) struct Comings {
    /// The latest event of each thing, by the service's own order.
    latest: BTreeMap<ThingKey, Presence>,
    /// Who left, and when we heard of it, until it is known whether they come back at once.
    leaving: BTreeMap<ThingKey, MonoMs>,
}

impl Fleet {
    /// Takes an event of presence. Of a client that is no thing we know (a window like ours, a service) it says nothing.
    pub(super) fn came_or_went(
        &mut self,
        message: &Heard<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Option<ThingKey>, String> {
        let event = decode_presence(message.topic, message.payload).map_err(|e| e.to_string())?;
        let Some(key) = self.by_name.get(event.thing.as_str()).copied() else { return Ok(None) };
        if self.comings.latest.get(&key).is_some_and(|latest| !event.follows(latest)) {
            return Ok(Some(key));
        }
        if event.connected {
            self.comings.leaving.remove(&key);
            self.is_present(key, There::Here, now, effects);
        } else {
            self.comings.leaving.entry(key).or_insert(now.mono);
        }
        self.comings.latest.insert(key, event);
        Ok(Some(key))
    }

    /// Calls those gone who left and had time to come back.
    pub(super) fn tell_gone(&mut self, now: Now, effects: &mut Effects) {
        let is_over = |since: &MonoMs| now.mono.since(*since) >= RETURN_WITHIN_MS;
        let gone = self.comings.leaving.extract_if(.., |_, since| is_over(since));
        for (key, _) in gone.collect::<Vec<_>>() {
            self.is_present(key, There::Gone, now, effects);
        }
    }

    /// Our link fell: whether those who were leaving came back nobody can tell us now.
    pub(super) fn forget_leaving(&mut self) {
        self.comings.leaving.clear();
    }
}
