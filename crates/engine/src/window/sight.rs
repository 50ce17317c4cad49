//! What a role sees: a driver car parks and nothing else, everybody else everything. The window offers no more than this either; here
//! it holds whatever a window looks at, and from the moment that who is at the screen changes.

use fleetlens_model::id::ThingKey;

use super::ViewKind;
use crate::fleet::{Fleet, Thing};

/// Whether who is at the screen may look at this. What is only partly theirs ([`sees`]) leaves out the rest by itself.
pub(super) fn may_look(kind: &ViewKind, fleet: &Fleet) -> bool {
    if sees_everything(fleet) {
        return true;
    }
    let is_seen = |key: ThingKey| fleet.things.get(&key).is_none_or(|thing| sees(thing, fleet));
    match kind {
        ViewKind::Status(_) | ViewKind::Map(_) | ViewKind::Ground(_) | ViewKind::Parking(_) | ViewKind::Settings => {
            true
        }
        // Each widget leaves out what is not theirs.
        ViewKind::Board(_) => true,
        ViewKind::Thing(page) => is_seen(page.thing()),
        ViewKind::Chart(chart) => fleet.series.get(&chart.series()).is_none_or(|series| is_seen(series.thing)),
        ViewKind::Find(_)
        | ViewKind::Attention(_)
        | ViewKind::Alarms(_)
        | ViewKind::AlarmTable(_)
        | ViewKind::Things(_)
        | ViewKind::Commands(_)
        | ViewKind::Bulks(_)
        | ViewKind::Bulk(_)
        | ViewKind::NotConverged(_)
        | ViewKind::Jobs(_)
        | ViewKind::Job(_)
        | ViewKind::Firmware(_)
        | ViewKind::Messages(_) => false,
    }
}

/// Whether who is at the screen sees a thing.
pub(super) fn sees(thing: &Thing, fleet: &Fleet) -> bool {
    fleet.is_seen(thing)
}

fn sees_everything(fleet: &Fleet) -> bool {
    fleet.config.who.role.sees_everything()
}
