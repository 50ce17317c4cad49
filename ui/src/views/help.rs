//! The keys, on one sheet. Only what exists is listed.

use leptos::prelude::*;

use crate::components::modal::Modal;
use crate::state::store;
use crate::views::parking::is_driver;

/// Keys as they are written on them, and what they do.
type Line = (&'static [&'static str], &'static str);

/// Every key of the window, and what it does. [`crate::keys`] is where they are heard, and the table and the lists for their own.
pub const KEYS: [Line; 23] = [
    (&["/"], "Find things; in a list, filter it"),
    (&["↑", "↓", "Enter"], "Go through a list, and open what is chosen"),
    (&["PgUp", "PgDn", "Home", "End"], "Go through a table by screens, to its ends"),
    (&["Esc"], "One step back: card, list, page, drawer, map"),
    (&["Space"], "Hold live values still, and go on"),
    (&["Space"], "In the table of things: choose the row that the keys are on"),
    (&["Space"], "Among the alarms: choose the line that the keys are on, with Shift a stretch"),
    (&["←", "→"], "Among the alarms: fold a group, and unfold it"),
    (&["A"], "Among the alarms: acknowledge those that are chosen, or the line that the keys are on"),
    (&["Ctrl A"], "Among the alarms: choose all that are shown"),
    (&["H"], "Among the alarms: how well they serve, and back to the list"),
    (&["←", "→", "End"], "On a chart: back and on through time, with Shift by all of it; to now"),
    (&["+", "−"], "On a chart: a shorter time, and a longer one"),
    (&["M"], "Silence until the next critical alarm; nothing is acknowledged by it"),
    (&["F"], "Show the whole fleet on the map"),
    (&["G", "M"], "Go to the map"),
    (&["G", "T"], "Go to the things"),
    (&["G", "A"], "Go to the alarms"),
    (&["G", "C"], "Go to the commands"),
    (&["G", "J"], "Go to the jobs"),
    (&["G", "R"], "Go to the rules"),
    (&["G", "S"], "Go to the settings"),
    (&["?"], "These keys"),
];

/// Every key of a driver's window.
pub const KEYS_OF_DRIVER: [Line; 5] = [
    (&["Esc"], "One step back"),
    (&["F"], "Show all car parks on the map"),
    (&["G", "M"], "Go to the map"),
    (&["G", "S"], "Go to the settings"),
    (&["?"], "These keys"),
];

/// The keys as a list: those that whoever is at the screen has.
#[component]
pub fn KeyList() -> impl IntoView {
    let driver = is_driver(store());
    move || list(if driver.get() { &KEYS_OF_DRIVER } else { &KEYS })
}

fn list(lines: &'static [Line]) -> impl IntoView {
    view! {
        <dl class="keys">
            {lines
                .iter()
                .map(|(keys, what)| {
                    let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
                    view! {
                        <dt>{keys}</dt>
                        <dd>{*what}</dd>
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
        <Modal open label="Keys" testid="keys">
            <h2>"Keys"</h2>
            <KeyList />
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>
                    "Close"
                </button>
            </div>
        </Modal>
    }
}
