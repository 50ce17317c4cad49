//! The city's own list of its things: who is on it exists before it speaks, and what the list says nobody else overrides
//! (docs/adr/0008-descriptions.md).

use std::sync::Arc;

use fleetlens_model::record::Write;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::Now;
use fleetlens_wire::template::Place;

use super::{Effects, Fleet};

impl Fleet {
    /// A description with what the registry says of the thing; whoever describes a thing passes through here.
    pub(super) fn registered(&self, thing: &str, meta: Meta) -> Meta {
        self.config.registry.get(thing).and_then(|about| about.told(&meta, false)).unwrap_or(meta)
    }

    /// Takes the registry's things; what of it cannot be read is told where refused messages are.
    pub(super) fn register(&mut self, now: Now, effects: &mut Effects) {
        let registry = Arc::clone(&self.config.registry);
        let origin = self.config.registry_name.clone();
        for mistake in registry.mistakes() {
            self.refuse(&origin, mistake, now, effects);
        }
        for (name, about) in registry.things() {
            let Some(key) = self.by_name.get(name.as_str()).copied() else {
                let place = Place { thing: name.as_str().into(), ..Place::default() };
                if let Err(why) = self.thing_for(&place, now, effects) {
                    // A name was checked where the list was read: what is left is that there is no room.
                    self.refuse(&origin, why, now, effects);
                    return;
                }
                continue;
            };
            let Some(thing) = self.things.get(&key) else { continue };
            if let Some(meta) = about.told(&thing.meta.whole(), false) {
                effects.writes.push(Write::Thing {
                    thing: key,
                    name: thing.name.clone(),
                    meta: Box::new(meta.clone()),
                });
                self.describe(key, meta, now, effects);
            }
        }
    }
}
