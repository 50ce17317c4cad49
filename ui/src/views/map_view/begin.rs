//! How the map begins: where the person left it with this profile, else where the fleet is; and how it follows a fleet that is still
//! arriving, until a person takes it in hand.

use std::time::Duration;

use fleetlens_model::kind::Kind;
use leptos::prelude::*;

use super::{Chooses, Told, ears, plain};
use crate::clock::mono_ms;
use crate::form::Form;
use crate::format;
use crate::islands::arrival::{ARRIVES_MS, Arrival, Frame, Sight};
use crate::islands::map::{Beginning, Covered, MapError, MapIsland};
use crate::lang::said;
use crate::state::Store;

/// Where a profile's map was left; the profile's name follows.
const KEY: &str = "fleetlens.map.";

/// How a map of this window begins and goes on by itself. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub(super) struct Beginnings {
    arrival: StoredValue<Arrival>,
    /// A person asked for the whole fleet and has not been answered.
    asked: StoredValue<bool>,
    /// The profile whose map it is.
    profile: StoredValue<String>,
}

impl Beginnings {
    pub(super) fn new() -> Beginnings {
        Beginnings {
            arrival: StoredValue::new(Arrival::Awaited),
            asked: StoredValue::new(false),
            profile: StoredValue::new(String::new()),
        }
    }

    /// Whoever moved the map moves it from now on.
    pub(super) fn taken(self, store: Store) {
        self.arrival.try_update_value(|arrival| *arrival = Arrival::Over);
        self.rest(store);
    }

    /// Nobody asks where the fleet is any more, unless it still arrives or a person wants to know: the host would walk through all
    /// its places for nothing.
    fn rest(self, store: Store) {
        let is_over = self.arrival.try_with_value(|arrival| arrival.is_over()).unwrap_or(true);
        if is_over && self.asked.try_get_value() != Some(true) {
            store.look_away_from_ground();
        }
    }

    /// The arrival goes on like this; it ends by itself, also when nothing more is told.
    fn goes_on(self, arrival: Arrival, store: Store) {
        let was_followed = self.arrival.try_with_value(|before| before.is_followed()).unwrap_or(true);
        self.arrival.try_set_value(arrival);
        self.rest(store);
        if arrival.is_followed() && !was_followed {
            let ends = move || {
                let is_done = self.arrival.try_with_value(|arrival| arrival.is_done(mono_ms()));
                if is_done == Some(true) {
                    self.taken(store);
                }
            };
            set_timeout(ends, Duration::from_secs_f64(ARRIVES_MS / 1000.0) + Duration::from_millis(100));
        }
    }

    /// A person left the map there.
    pub(super) fn left(self, sight: Sight, store: Store) {
        store.whereabouts.map_left.try_set(Some(sight));
        let profile = self.profile.try_with_value(|profile| format!("{KEY}{profile}"));
        if let (Some(key), Ok(Some(storage))) = (profile, window().local_storage()) {
            // A full or forbidden storage only costs the place at the next start.
            let _ = storage.set_item(&key, &sight.word());
        }
    }
}

fn left_at(profile: &str) -> Option<Sight> {
    let word = window().local_storage().ok().flatten()?.get_item(&format!("{KEY}{profile}")).ok().flatten()?;
    Sight::from_word(&word)
}

/// What the map is of: a driver's shows car parks only.
fn kinds(chooses: Chooses) -> Vec<Kind> {
    match chooses {
        Chooses::Things => Vec::new(),
        Chooses::Ground => vec![Kind::Parking],
    }
}

/// Puts the map into its element once it is known whose it is and what it stands on, and anew for another profile.
pub(super) fn begin(told: Told, element: NodeRef<leptos::html::Div>) {
    let Told { store, screen, chooses, begins, plain, failed, form, .. } = told;
    Effect::new(move |_| {
        store.begun.track();
        begins.arrival.set_value(Arrival::Awaited);
        store.look_at_ground(kinds(chooses));
    });
    on_cleanup(move || store.look_away_from_ground());
    let whose = Memo::new(move |_| {
        let profile = store.status.with(|status| status.as_ref().map(|status| status.row.profile.clone()))?;
        let tiles = store.ground.with(|ground| ground.as_ref().map(|ground| ground.tiles.clone()))?;
        Some((store.begun.get(), profile, tiles))
    });
    // What is said of its ground is no reason to begin anew.
    let is_plain = Memo::new(move |_| plain.with(Option::is_some));
    Effect::new(move |_| {
        is_plain.get();
        let (Some(element), Some((_, profile, tiles))) = (element.get(), whose.get()) else { return };
        let Some(ground) = store.ground.get_untracked() else { return };
        screen.with(MapIsland::remove);
        screen.island.set_value(None);
        // Once: another profile's map begins where its own was left.
        let of_window = store.whereabouts.map_begins.try_update_value(Option::take).flatten();
        let left = of_window.or_else(|| left_at(&profile));
        begins.profile.set_value(profile);
        begins.arrival.set_value(Arrival::Awaited);
        begins.goes_on(Arrival::begin(left, ground.fleet, mono_ms()), store);
        let frame = Frame {
            width_px: element.client_width().into(),
            height_px: element.client_height().into(),
            covered: whole(form, chooses),
        };
        let beginning = Beginning { sight: Sight::first(left, &ground, frame), tiles, reach_px: form.reach_px() };
        let without_card = plain.with_untracked(|plain| plain.as_ref().map(|plain| plain.map.clone()));
        match MapIsland::mount(&element, store.marks(), &beginning, ears(told), without_card.as_ref()) {
            Ok(map) => {
                screen.camera.set(Some(map.camera()));
                screen.island.set_value(Some(map));
                screen.mounted.update(|times| *times += 1);
                screen.unmapped.set(None);
                failed.set(None);
            }
            Err(MapError::NoWebGl) => plain::load(plain, failed),
            Err(error) => {
                screen.unmapped.set(Some(beginning.sight.center));
                failed.set(Some(format::capital(&error.to_string())));
            }
        }
    });
    Effect::new(move |_| follow(told));
    Effect::new(move |before: Option<u32>| {
        let times = store.fleet_wanted.get();
        if before.is_some_and(|before| before != times) {
            begins.asked.set_value(true);
            store.look_at_ground(kinds(chooses));
        }
        times
    });
}

/// The host told where the fleet is: whoever asked is shown it, and a map that nobody has moved yet goes along.
fn follow(told: Told) {
    let Told { store, screen, begins, form, chooses, .. } = told;
    let Some(ground) = store.ground.get() else { return };
    if begins.asked.get_value() {
        begins.asked.set_value(false);
        match ground.fleet {
            Some(fleet) => screen.with(|map| map.show(fleet, whole(form, chooses))),
            None => store.notify(said("Nothing has said yet where it is.").into()),
        }
    } else if let Some(mut arrival) = begins.arrival.try_get_value() {
        let fleet = arrival.fleet_is(&ground, mono_ms());
        begins.goes_on(arrival, store);
        if let Some(fleet) = fleet {
            screen.with(|map| map.settle(fleet, whole(form, chooses)));
            if screen.unmapped.with_untracked(Option::is_some) {
                screen.unmapped.set(Some(Sight::of(fleet, Frame::default()).center));
            }
        }
    }
    begins.rest(store);
}

/// What lies over the map while the whole fleet is shown: on a phone the box for finding, which a driver has not got, what says that
/// there is no map, and the round top of the sheet.
fn whole(form: Form, chooses: Chooses) -> Covered {
    match (form, chooses) {
        (Form::Desktop, _) => Covered::default(),
        (Form::Phone, Chooses::Things) => Covered { top_px: 124.0, right_px: 0.0, bottom_px: 48.0 },
        (Form::Phone, Chooses::Ground) => Covered { top_px: 68.0, right_px: 0.0, bottom_px: 28.0 },
    }
}
