//! The keyboard of the window. [`crate::views::help::KEYS`] lists what is heard here.

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::clock::shown_ms;
use crate::form::Form;
use crate::lang::term;
use crate::sound::Sound;
use crate::state::Store;
use crate::state::section::{OF_DRIVER, OnScreen, Section};
use crate::views::commands::may_command;
use crate::views::find::Finder;
use crate::views::parking::is_driver;
use crate::windows;

/// How long after `G` a second key still belongs to it, in milliseconds.
pub const CHORD_MS: f64 = 1200.0;

/// What a key press means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Find.
    Find,
    /// One step back.
    Back,
    /// Hold or go on.
    Hold,
    /// A part of the window.
    Go(Section),
    /// The rules.
    Rules,
    /// How well the alarms serve, and back to them.
    Health,
    /// The whole fleet on the map.
    Fleet,
    /// No repeated sound until the next critical alarm.
    Silence,
    /// The keys.
    Help,
    /// The first of two keys.
    Prefix,
    /// The command palette.
    Palette,
    /// The time bar.
    Replay,
}

/// Keys as they are written on them, and what they do.
pub type Line = (&'static [&'static str], &'static str);

impl Act {
    /// What a person may also have done by its name, in the order in which it is offered. The palette offers it, and the sheet of keys
    /// lists it with its key.
    pub const OFFERED: [Act; 15] = [
        Act::Go(Section::Map),
        Act::Go(Section::Things),
        Act::Go(Section::Alarms),
        Act::Go(Section::Boards),
        Act::Go(Section::Commands),
        Act::Go(Section::Jobs),
        Act::Rules,
        Act::Health,
        Act::Go(Section::Settings),
        Act::Fleet,
        Act::Find,
        Act::Hold,
        Act::Replay,
        Act::Silence,
        Act::Help,
    ];

    /// Its keys, and what it does.
    pub const fn line(self) -> Line {
        match self {
            Act::Find => (&["/"], term("Find things; in a list, filter it")),
            Act::Back => (const { &[term("Esc")] }, term("One step back: card, list, page, drawer, map")),
            Act::Hold => (const { &[term("Space")] }, term("Hold live values still, and go on")),
            Act::Go(Section::Map) => (&["G", "M"], term("Go to the map")),
            Act::Go(Section::Things) => (&["G", "T"], term("Go to the things")),
            Act::Go(Section::Alarms) => (&["G", "A"], term("Go to the alarms")),
            Act::Go(Section::Boards) => (&["G", "B"], term("Go to the boards")),
            Act::Go(Section::Commands) => (&["G", "C"], term("Go to the commands")),
            Act::Go(Section::Jobs) => (&["G", "J"], term("Go to the jobs")),
            Act::Go(Section::Settings) => (&["G", "S"], term("Go to the settings")),
            Act::Rules => (&["G", "R"], term("Go to the rules")),
            Act::Health => (&["H"], term("Among the alarms: how well they serve, and back to the list")),
            Act::Fleet => (&["F"], term("Show the whole fleet on the map")),
            Act::Silence => (&["M"], term("Silence until the next critical alarm; nothing is acknowledged by it")),
            Act::Replay => (&["P"], term("Show the time bar, and take it away: the city as it was")),
            Act::Help => (&["?"], term("These keys")),
            Act::Prefix => (&["G"], term("The first of two keys")),
            Act::Palette => {
                (const { &[term("Ctrl"), "K"] }, term("Find anything: views, things, commands, groups, places"))
            }
        }
    }
}

/// Where the press happened, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// In something that takes letters.
    Text,
    /// On something that Space presses.
    Button,
    /// Anywhere else.
    Page,
}

/// What a key means there. `after_go`: the press follows `G`.
pub fn meaning(key: &str, focus: Focus, after_go: bool) -> Option<Act> {
    match (key, focus) {
        ("Escape", _) => Some(Act::Back),
        (_, Focus::Text) => None,
        (" ", Focus::Button) => None,
        (key, _) if after_go && section(key).is_some() => section(key).map(Act::Go),
        ("r" | "R", _) if after_go => Some(Act::Rules),
        ("g" | "G", _) => Some(Act::Prefix),
        ("/", _) => Some(Act::Find),
        ("f" | "F", _) => Some(Act::Fleet),
        ("h" | "H", _) if !after_go => Some(Act::Health),
        ("m" | "M", _) => Some(Act::Silence),
        ("p" | "P", _) => Some(Act::Replay),
        ("?", _) => Some(Act::Help),
        (" ", _) => Some(Act::Hold),
        _ => None,
    }
}

/// Whether a window has what a key asks for: the phone shows neither what is held nor the list of keys, and a driver's window neither
/// live values that could be held nor a box for finding, and of the sections only the map and the settings. Rules are for those who may
/// steer.
pub fn is_heard(act: Act, form: Form, is_driver: bool, may_command: bool) -> bool {
    match (form, act) {
        (_, Act::Back) => true,
        (Form::Phone, Act::Find) => !is_driver,
        (_, Act::Fleet) => true,
        (_, Act::Silence) => !is_driver,
        (
            Form::Phone,
            Act::Hold | Act::Go(_) | Act::Rules | Act::Health | Act::Help | Act::Prefix | Act::Palette | Act::Replay,
        ) => false,
        (Form::Desktop, Act::Help | Act::Prefix | Act::Palette) => true,
        (Form::Desktop, Act::Find | Act::Hold | Act::Health | Act::Replay) => !is_driver,
        (Form::Desktop, Act::Rules) => may_command,
        (Form::Desktop, Act::Go(section)) => !is_driver || OF_DRIVER.contains(&section),
    }
}

/// Where a key leads after `G`.
fn section(key: &str) -> Option<Section> {
    Section::ALL.into_iter().find(|section| key.eq_ignore_ascii_case(&section.key().to_string()))
}

/// Hears every key of the window from now on.
pub fn listen(store: Store, finder: Finder, sound: Sound, help: RwSignal<bool>, form: Form) {
    let go_ms = StoredValue::new(f64::NEG_INFINITY);
    let (driver, may) = (is_driver(store), may_command(store));
    let handle = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        if is_palette(&event) {
            // Also out of a text. Browsers put the cursor into their own box by it.
            event.prevent_default();
            // What stands on the screen counts: a dialog that was just closed tells of it a little later.
            if is_open("dialog.palette[open]") {
                store.palette.open.set(false);
            } else if is_there(store, form) && !dialog_is_open() {
                store.palette.open.set(true);
            }
            return;
        }
        if is_new_window(&event) && form == Form::Desktop && store.is_of_app() {
            // In a browser the keys are its own.
            event.prevent_default();
            return windows::open_new(store);
        }
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() || dialog_is_open() {
            return;
        }
        let after_go = event.time_stamp() - go_ms.get_value() < CHORD_MS;
        let Some(act) = meaning(&event.key(), focus_of(&event), after_go) else { return };
        if !is_heard(act, form, driver.get_untracked(), may.get_untracked()) {
            return;
        }
        go_ms.set_value(f64::NEG_INFINITY);
        if act == Act::Prefix {
            go_ms.set_value(event.time_stamp());
        } else if !(Hands { store, finder, sound, help }).perform(act) {
            return;
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}

/// What acts are done with. Copy: a bundle of handles.
#[derive(Clone, Copy)]
pub struct Hands {
    /// The window's state.
    pub store: Store,
    /// The find box.
    pub finder: Finder,
    /// What sounds.
    pub sound: Sound,
    /// Whether the sheet of keys is there.
    pub help: RwSignal<bool>,
}

impl Hands {
    /// Does it; false where there is nothing to do.
    pub fn perform(self, act: Act) -> bool {
        let Hands { store, finder, sound, help } = self;
        match act {
            Act::Prefix => return false,
            Act::Find => find(finder),
            // There is nothing live in the past.
            Act::Hold if store.replay.moment.with_untracked(Option::is_some) => return false,
            Act::Replay => store.turn_replay(),
            Act::Hold => store.hold(store.held.get_untracked().is_none(), shown_ms()),
            Act::Fleet => store.show_fleet(),
            Act::Health => return store.turn_alarm_health(),
            Act::Silence => sound.silence(),
            Act::Help => help.set(true),
            Act::Go(section) => store.go(section),
            Act::Rules => store.go_to_rules(),
            Act::Back => back(store, finder),
            Act::Palette => store.palette.open.set(true),
        }
        true
    }
}

/// Ctrl-K, on a Mac Cmd-K, and nothing beside it.
fn is_palette(event: &KeyboardEvent) -> bool {
    let is_chord = event.ctrl_key() != event.meta_key() && !event.alt_key() && !event.shift_key();
    is_chord && event.key().eq_ignore_ascii_case("k")
}

/// Ctrl-Shift-N, on a Mac Cmd-Shift-N.
fn is_new_window(event: &KeyboardEvent) -> bool {
    let is_chord = event.ctrl_key() != event.meta_key() && !event.alt_key() && event.shift_key();
    is_chord && event.key().eq_ignore_ascii_case("n")
}

/// Whether the window has a palette: a phone has none, and nobody has before it is known who is there and what there is to see.
fn is_there(store: Store, form: Form) -> bool {
    form == Form::Desktop && store.status.with_untracked(|status| status.as_ref().is_some_and(|now| !now.row.undecided))
}

fn back(store: Store, finder: Finder) {
    if finder.step_back() {
    } else if store.diagnosing.get_untracked() {
        store.diagnosing.set(false);
    } else if store.page.get_untracked() {
        store.page.set(false);
    } else if store.section.get_untracked() == Section::Map && store.areas.step_back() {
    } else if store.selected.with_untracked(Option::is_some) {
        store.close();
    } else if store.section.get_untracked() == Section::Map && store.map_tool.get_untracked().is_some() {
        store.map_tool.set(None);
    } else if store.section.get_untracked() == Section::Map && untrack(|| store.chosen.target()).is_some() {
        store.chosen.clear();
    } else if !store.rules.step_back() {
        store.go(Section::Map);
    }
}

/// Puts the cursor into the filter of the list that lies over the map, else into the find box.
fn find(finder: Finder) {
    let filter = document().query_selector(".sheet [data-filter]").ok().flatten();
    match filter.and_then(|filter| filter.dyn_into::<HtmlInputElement>().ok()) {
        Some(filter) => {
            // Fails only for a box that is not on the page.
            let _ = filter.focus();
            filter.select();
        }
        None => finder.focus(),
    }
}

/// A modal dialog keeps its keys to itself; the browser closes it on Escape.
pub fn dialog_is_open() -> bool {
    is_open("dialog[open]")
}

fn is_open(dialog: &str) -> bool {
    matches!(document().query_selector(dialog), Ok(Some(_)))
}

fn focus_of(event: &KeyboardEvent) -> Focus {
    let Some(element) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return Focus::Page;
    };
    match element.tag_name().as_str() {
        "INPUT" if element.get_attribute("type").as_deref() != Some("range") => Focus::Text,
        "TEXTAREA" | "SELECT" => Focus::Text,
        "BUTTON" | "SUMMARY" | "A" | "INPUT" => Focus::Button,
        _ => Focus::Page,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_something_only_where_they_do_not_mean_something_else() {
        for (key, focus, after_go, want) in [
            ("/", Focus::Page, false, Some(Act::Find)),
            ("/", Focus::Text, false, None),
            (" ", Focus::Page, false, Some(Act::Hold)),
            (" ", Focus::Button, false, None),
            ("f", Focus::Page, false, Some(Act::Fleet)),
            ("m", Focus::Page, false, Some(Act::Silence)),
            ("p", Focus::Button, false, Some(Act::Replay)),
            ("F", Focus::Text, false, None),
            ("h", Focus::Button, false, Some(Act::Health)),
            ("h", Focus::Text, false, None),
            ("h", Focus::Page, true, None),
            ("?", Focus::Button, false, Some(Act::Help)),
            ("Escape", Focus::Text, false, Some(Act::Back)),
            ("g", Focus::Page, false, Some(Act::Prefix)),
            ("m", Focus::Page, true, Some(Act::Go(Section::Map))),
            ("T", Focus::Button, true, Some(Act::Go(Section::Things))),
            ("a", Focus::Page, true, Some(Act::Go(Section::Alarms))),
            ("b", Focus::Page, true, Some(Act::Go(Section::Boards))),
            ("c", Focus::Page, true, Some(Act::Go(Section::Commands))),
            ("j", Focus::Page, true, Some(Act::Go(Section::Jobs))),
            ("s", Focus::Page, true, Some(Act::Go(Section::Settings))),
            ("r", Focus::Page, true, Some(Act::Rules)),
            ("r", Focus::Page, false, None),
            ("s", Focus::Text, true, None),
            ("s", Focus::Page, false, None),
            ("x", Focus::Page, true, None),
        ] {
            assert_eq!(meaning(key, focus, after_go), want, "{key:?} in {focus:?}");
        }
    }

    #[test]
    fn a_key_is_heard_where_the_window_has_what_it_asks_for() {
        let all = [
            Act::Find,
            Act::Back,
            Act::Hold,
            Act::Rules,
            Act::Health,
            Act::Fleet,
            Act::Help,
            Act::Prefix,
            Act::Palette,
            Act::Replay,
        ]
        .into_iter()
        .chain(Section::ALL.into_iter().map(Act::Go))
        .collect::<Vec<_>>();
        let heard = |form, is_driver| {
            let is_heard = |act: &Act| is_heard(*act, form, is_driver, !is_driver);
            all.iter().copied().filter(is_heard).collect::<Vec<_>>()
        };
        assert_eq!(heard(Form::Desktop, false), all);
        let sections = OF_DRIVER.map(Act::Go);
        let driver: Vec<Act> =
            [Act::Back, Act::Fleet, Act::Help, Act::Prefix, Act::Palette].into_iter().chain(sections).collect();
        assert_eq!(heard(Form::Desktop, true), driver);
        assert_eq!(heard(Form::Phone, false), [Act::Find, Act::Back, Act::Fleet]);
        assert_eq!(heard(Form::Phone, true), [Act::Back, Act::Fleet]);
        assert!(!is_heard(Act::Rules, Form::Desktop, false, false), "a viewer has no rules");
    }
}
