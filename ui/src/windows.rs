//! One window of several: its address in the page, the links that come to it, and other windows.

use std::time::Duration;

use fleetlens_ipc::address::{Address, AddressError};
use leptos::ev;
use leptos::prelude::*;
use tr::tr;

use crate::components::clipboard;
use crate::keys::dialog_is_open;
use crate::lang::{said, term};
use crate::state::Store;
use crate::state::section::Section;
use crate::views::parking::is_driver;

/// How long a window stays where it is before that is remembered: whoever goes through a list is nowhere for a moment.
const REST: Duration = Duration::from_millis(200);

/// Why there is no address.
const NOT_YET: &str = term("What is about to be shown is still on its way; there is no link to it yet.");

/// The window goes where its page's address leads, now and whenever that is another, and says there where it is.
pub fn follow_addresses(store: Store) {
    let wanted = store.whereabouts.wanted;
    wanted.set(of_hash(&window().location().hash().unwrap_or_default()));
    let of_profile = StoredValue::new(remembered_profile(&window().location().search().unwrap_or_default()));
    // As it was when it changed: by now the window may have said there where it was before.
    let changed = window_event_listener(ev::hashchange, move |event| {
        of_profile.set_value(None);
        wanted.set(event.new_url().split_once('#').and_then(|(_, hash)| of_hash(&format!("#{hash}"))));
    });
    on_cleanup(move || changed.remove());
    let driver = is_driver(store);
    // Who is there decides what may be shown; before anybody has said what the program shows there is nothing to go to.
    let is_known = Memo::new(move |_| store.status.with(|now| now.as_ref().is_some_and(|now| !now.row.undecided)));
    let profile = Memo::new(move |_| {
        store.status.with(|now| now.as_ref().map(|now| now.row.profile.clone())).unwrap_or_default()
    });
    let later = RwSignal::new(0_u32);
    Effect::new(move |_| {
        if !is_known.get() {
            return;
        }
        let Some(leads) = wanted.get() else { return };
        later.track();
        if dialog_is_open() {
            // Whoever is in the middle of something is not led away from it.
            set_timeout(
                move || {
                    later.try_update(|times| *times += 1);
                },
                REST,
            );
            return;
        }
        match leads {
            Ok(address) => {
                let was_of = of_profile.try_update_value(Option::take).flatten();
                let is_other = was_of.is_some_and(|was_of| was_of != profile.get_untracked());
                store.go_to(if is_other { bare(&address) } else { address }, driver.get_untracked());
            }
            Err(error) => store.refuse_link(&error),
        }
        wanted.set(None);
        // What the page's address says may be nonsense, and where the window is may not have changed.
        say(store, untrack(|| store.address()), &profile.get_untracked());
    });
    let waits = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = waits.try_get_value().flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    Effect::new(move |_| {
        // One that is on its way leaves what is said as it is.
        let Some(address) = store.address().filter(|_| is_known.get() && wanted.with(Option::is_none)) else { return };
        stop();
        let profile = profile.get();
        waits.set_value(set_timeout_with_handle(move || say(store, Some(address), &profile), REST).ok());
    });
    Effect::new(move |_| {
        let title = if is_known.get() { store.title() } else { "Fleetlens".to_owned() };
        document().set_title(&title);
    });
}

/// Where the page's address leads; `None` for one that leads nowhere in particular.
fn of_hash(hash: &str) -> Option<Result<Address, AddressError>> {
    (hash.len() > 2).then(|| Address::read(hash))
}

/// The profile in which a window was what its address says, as the app that remembers windows tells its page.
fn remembered_profile(search: &str) -> Option<String> {
    let escaped = search.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix("of="))?;
    js_sys::decode_uri_component(escaped).ok().map(String::from)
}

/// What is left of an address with another profile, which has other things in other places.
fn bare(address: &Address) -> Address {
    Address::View(match address {
        Address::View(view) | Address::Thing { over: view, .. } => *view,
        Address::Spot { .. } => Section::Map,
        Address::Alarm(_) => Section::Alarms,
        Address::Find(_) => Section::Things,
        Address::Board(_) => Section::Boards,
    })
}

fn say(store: Store, address: Option<Address>, profile: &str) {
    let Some(address) = address else { return };
    let hash = format!("#/{address}");
    if window().location().hash().unwrap_or_default() != hash {
        // Fails only where a page may not change its address; then it says where it began.
        let _ = window()
            .history()
            .and_then(|history| history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&hash)));
    }
    store.tell_address(&address, profile);
}

/// One more window, with the map.
pub fn open_new(store: Store) {
    store.open_window(&Address::View(Section::Map));
}

/// One more window, with what this one shows.
pub fn open_this(store: Store) {
    match untrack(|| store.address()) {
        Some(address) => store.open_window(&address),
        None => store.notify(said(NOT_YET).into()),
    }
}

/// Puts a link to what the window shows where it can be pasted from, and says so.
pub fn copy_link(store: Store) {
    let Some(address) = untrack(|| store.address()) else { return store.notify(said(NOT_YET).into()) };
    let link = plain(address).link();
    leptos::task::spawn_local(async move {
        let copied = clipboard::copy(&link).await.is_ok();
        if copied {
            store.tell_done(tr!("Copied: {}", link));
        } else {
            store.notify(tr!("It could not be copied: {}", link));
        }
    });
}

/// What a person passes on of an address: the thing, and not over what it lay here.
fn plain(address: Address) -> Address {
    match address {
        Address::Thing { name, .. } => Address::Thing { name, over: Section::Map, page: false },
        Address::View(_) | Address::Spot { .. } | Address::Alarm(_) | Address::Find(_) | Address::Board(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_another_profile_a_window_keeps_its_view_and_nothing_else() {
        for (words, want) in [
            ("view/map?at=35.9,14.5,12", "view/map"),
            ("thing/lamp-1?in=alarms&page", "view/alarms"),
            ("find?q=triq", "view/things"),
            ("board/b1", "view/boards"),
            ("view/jobs", "view/jobs"),
        ] {
            assert_eq!(bare(&Address::read(words).unwrap()).to_string(), want);
        }
    }

    #[test]
    fn a_link_that_is_passed_on_leads_to_the_thing_and_says_nothing_of_this_window() {
        let link = |words| plain(Address::read(words).unwrap()).link();
        assert_eq!(link("thing/lamp%201?in=alarms&page"), "fleetlens://thing/lamp%201");
        assert_eq!(link("find?q=triq"), "fleetlens://find?q=triq");
    }
}
