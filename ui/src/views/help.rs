//! The keys, on one sheet. Only what exists is listed.

use leptos::prelude::*;

use crate::components::modal::Modal;
use crate::keys::{Act, Line};
use crate::lang::{said, term};
use crate::state::section::Section;
use crate::state::store;
use crate::views::commands::may_command;
use crate::views::parking::is_driver;

const CHOOSE_THING: Line = (&[term("Space")], term("In the table of things: choose the row that the keys are on"));
const CHOOSE_ON_MAP: Line =
    (&[term("Shift"), term("drag")], term("On the map: choose what lies in a box; a click chooses one more"));
const CHOOSE_ALARM: Line =
    (&[term("Space")], term("Among the alarms: choose the line that the keys are on, with Shift a stretch"));
const ACKNOWLEDGE: Line =
    (&["A"], term("Among the alarms: acknowledge those that are chosen, or the line that the keys are on"));
const CHOOSE_ALL: Line = (&[term("Ctrl A")], term("Among the alarms: choose all that are shown"));
const MOVE_WIDGET: Line =
    (&["←", "→", "↑", "↓"], term("On a board that is arranged: move the widget that the keys are on"));
const SIZE_WIDGET: Line =
    (&[term("Shift"), "←", "→", "↑", "↓"], term("On a board that is arranged: make it narrower, wider, lower, higher"));
const TAKE_WIDGET: Line =
    (&[term("Enter"), term("Del")], term("On a board that is arranged: change the widget, and take it away"));

/// A key of the app's windows: in a browser it is the browser's own.
pub const NEW_WINDOW: Line = (&[term("Ctrl"), term("Shift"), "N"], term("One more window"));

/// Keys of those who may steer; nobody else has anything that they would do.
const STEERING: [Line; 9] = [
    CHOOSE_ON_MAP,
    CHOOSE_THING,
    CHOOSE_ALARM,
    ACKNOWLEDGE,
    CHOOSE_ALL,
    MOVE_WIDGET,
    SIZE_WIDGET,
    TAKE_WIDGET,
    Act::Rules.line(),
];

/// Every key of the window, and what it does. [`crate::keys`] is where they are heard, and the table and the lists for their own.
pub const KEYS: [Line; 31] = [
    Act::Palette.line(),
    Act::Find.line(),
    (&["↑", "↓", term("Enter")], term("Go through a list, and open what is chosen")),
    (&[term("PgUp"), term("PgDn"), term("Home"), term("End")], term("Go through a table by screens, to its ends")),
    Act::Back.line(),
    CHOOSE_ON_MAP,
    Act::Hold.line(),
    CHOOSE_THING,
    CHOOSE_ALARM,
    (&["←", "→"], term("Among the alarms: fold a group, and unfold it")),
    ACKNOWLEDGE,
    CHOOSE_ALL,
    Act::Health.line(),
    (&["←", "→", term("End")], term("On a chart: back and on through time, with Shift by all of it; to now")),
    (&["+", "−"], term("On a chart: a shorter time, and a longer one")),
    MOVE_WIDGET,
    SIZE_WIDGET,
    TAKE_WIDGET,
    Act::Replay.line(),
    (
        &["←", "→", term("PgUp"), term("PgDn")],
        term("On the time bar: a minute back and on, an hour; Home and End to its ends, Space plays"),
    ),
    Act::Silence.line(),
    Act::Fleet.line(),
    Act::Go(Section::Map).line(),
    Act::Go(Section::Things).line(),
    Act::Go(Section::Alarms).line(),
    Act::Go(Section::Boards).line(),
    Act::Go(Section::Commands).line(),
    Act::Go(Section::Jobs).line(),
    Act::Rules.line(),
    Act::Go(Section::Settings).line(),
    Act::Help.line(),
];

/// Every key of a driver's window.
pub const KEYS_OF_DRIVER: [Line; 7] = [
    (&[term("Ctrl"), "K"], term("Find anything: views and places")),
    (&[term("Esc")], term("One step back")),
    (&["F"], term("Show all car parks on the map")),
    Act::Go(Section::Map).line(),
    Act::Go(Section::Boards).line(),
    Act::Go(Section::Settings).line(),
    Act::Help.line(),
];

/// The keys as a list: those that whoever is at the screen has.
#[component]
pub fn KeyList() -> impl IntoView {
    let store = store();
    let (driver, may) = (is_driver(store), may_command(store));
    let of_app = store.is_of_app().then_some(&NEW_WINDOW);
    move || list(lines(driver.get(), may.get()).chain(of_app))
}

/// The keys that somebody has.
fn lines(is_driver: bool, may_command: bool) -> impl Iterator<Item = &'static Line> {
    let all: &[Line] = if is_driver { &KEYS_OF_DRIVER } else { &KEYS };
    all.iter().filter(move |line| may_command || !STEERING.contains(line))
}

fn list(lines: impl Iterator<Item = &'static Line>) -> impl IntoView {
    view! {
        <dl class="keys">
            {lines
                .map(|(keys, what)| {
                    let keys = keys.iter().map(|key| view! { <kbd>{said(key)}</kbd> }).collect_view();
                    view! {
                        <dt>{keys}</dt>
                        <dd>{said(what)}</dd>
                    }
                })
                .collect_view()}
        </dl>
    }
}

/// The sheet.
#[component]
pub fn Help(
    /// Whether it is there.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Modal open label=said("Keys") testid="keys">
            <h2>{said("Keys")}</h2>
            <KeyList />
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>
                    {said("Close")}
                </button>
            </div>
        </Modal>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_at_the_screen_finds_the_keys_that_they_have() {
        for (who, is_driver, may_command, steers, count) in [
            ("who steers", false, true, true, KEYS.len()),
            ("a viewer", false, false, false, KEYS.len() - STEERING.len()),
            ("a driver", true, false, false, KEYS_OF_DRIVER.len()),
        ] {
            let listed: Vec<&Line> = lines(is_driver, may_command).collect();
            assert_eq!(listed.len(), count, "{who}");
            assert!(STEERING.iter().all(|key| listed.contains(&key) == steers), "{who}: {listed:?}");
        }
    }
}
