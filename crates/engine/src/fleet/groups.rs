//! Groups that the profile names, and whom the person here may steer.

use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_model::described::Described;
use fleetlens_model::group::{Group, within};
use fleetlens_model::id::ThingKey;
use fleetlens_model::query::AsDescribed;

use super::{Fleet, Thing};

impl Fleet {
    /// These are the groups from now on. What rules are for was worked out from those of before, so none of these may be changed by it.
    pub(crate) fn regroup(&mut self, groups: Vec<Group>) {
        self.config.groups = groups;
    }

    /// The group of this name; `None` where the profile has none.
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.config.groups.iter().find(|group| group.name == name)
    }

    /// Whether a thing is in a group, or in one within it, by what is described of it; nobody is in one that asks more.
    fn is_in(&self, name: &str, thing: &Thing) -> bool {
        within(name, &self.config.groups).into_iter().any(|group| self.is_in_itself(group, thing))
    }

    fn is_in_itself(&self, group: &Group, thing: &Thing) -> bool {
        let Described { title, street, area, gateway, common, .. } = &thing.meta;
        let words = self.index.words(thing.key, &self.things);
        let kind = common.kind;
        group.goes_by_description()
            && group.has(&AsDescribed { name: thing.name.as_str(), title, kind, street, area, gateway, words })
    }

    /// Why the person here may not steer a thing although the role may: it is in none of the groups that the profile leaves to them.
    pub(crate) fn fence(&self, thing: &Thing) -> Option<String> {
        let scope = self.config.scope.as_ref()?;
        let is_theirs = scope.iter().any(|name| self.is_in(name, thing));
        if is_theirs {
            return None;
        }
        Some(format!("this profile leaves only things of {} to you; others you watch", scope.join(", ")))
    }

    /// Refuses what is asked of a thing that is not theirs.
    pub(super) fn check_fence(&self, key: ThingKey) -> Result<(), Fault> {
        let why = self.things.get(&key).and_then(|thing| self.fence(thing));
        why.map_or(Ok(()), |why| Err(Fault::new(FaultCode::Forbidden, why)))
    }
}
