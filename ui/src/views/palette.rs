//! The command palette: one box, and one list of everything that a person may want by its name. Things and places are the host's
//! answer; everything else the window knows itself. What it offers is done by what does it elsewhere: it has no way of its own to the host.

mod entry;
mod list;
mod steer;

use std::collections::BTreeMap;
use std::time::Duration;

use fleetlens_ipc::ThingsQuery;
use fleetlens_ipc::rows::QueryMistake;
use fleetlens_model::query::Choice;
use leptos::prelude::*;
use tr::tr;

use crate::components::control::{Draft, leaf_of, now_of};
use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::form::Form;
use crate::keys::{Act, Hands, is_heard};
use crate::lang::said;
use crate::sound::Sound;
use crate::state::section::Section;
use crate::state::thing::{Slot, Thing};
use crate::state::{Store, store};
use crate::theme::{ThemeSwitch, theme};
use crate::views::commands::may_command;
use crate::views::find::finder;
use crate::views::parking::is_driver;
use crate::views::query::{Completing, Syntax, Words, mistake_of, vocabulary};
use crate::views::steer::offered;
use crate::windows;

use entry::{Entry, More, Part, command, name_of, of_fleet, of_map, ranked};
use list::List;
use steer::{SteerSheet, Steered};

/// How long typing must rest before the host is asked.
const REST: Duration = Duration::from_millis(90);

/// How many lines a part has at most, where the window knows them itself.
const LINES_MOST: usize = 6;

/// What was used last, as many as are offered again.
const RECENT_MOST: usize = 5;

/// Ways to go on with a query.
const CHOICES_MOST: usize = 4;

/// How far Page Up and Page Down go.
const PAGE: usize = 8;

/// What the parts of the palette share. Copy: a bundle of signals.
#[derive(Clone, Copy)]
struct Desk {
    hands: Hands,
    theme: ThemeSwitch,
    driver: Memo<bool>,
    may: Memo<bool>,
    /// What was used last, newest first; of this session and this fleet.
    recent: RwSignal<Vec<Entry>>,
    /// The control that is open on its own sheet.
    steered: RwSignal<Option<Steered>>,
    /// The sheet that says how to find things.
    syntax: RwSignal<bool>,
}

impl Desk {
    fn store(self) -> Store {
        self.hands.store
    }

    /// Does what a line says, once the palette is gone: it gives the focus back to where it was, and what is done may want it elsewhere.
    fn choose(self, entry: Entry) {
        self.store().palette.open.set(false);
        if entry.is_remembered() {
            self.recent.update(|recent| {
                recent.retain(|known| known.id() != entry.id());
                recent.insert(0, entry.clone());
                recent.truncate(RECENT_MOST);
            });
        }
        set_timeout(move || self.perform(entry), Duration::ZERO);
    }

    fn perform(self, entry: Entry) {
        let store = self.store();
        match entry {
            // Its key is one of the alarms' own.
            Entry::Act(Act::Health) => {
                store.go(Section::Alarms);
                store.alarm_table.is_health.set(true);
            }
            Entry::Act(act) => _ = self.hands.perform(act),
            Entry::More(More::Theme) => self.theme.turn(),
            Entry::More(More::Diagnostics) => {
                store.go(Section::Settings);
                store.diagnosing.set(true);
            }
            Entry::More(More::Syntax) => self.syntax.set(true),
            Entry::More(More::NewWindow) => windows::open_new(store),
            Entry::More(More::ThisInNewWindow) => windows::open_this(store),
            Entry::More(More::CopyLink) => windows::copy_link(store),
            Entry::Thing(row) => store.open(row.thing),
            Entry::Place { spot, .. } => store.show_spot(spot),
            Entry::Control { control, wants, .. } => {
                if let Some(thing) = open_thing(store) {
                    self.steered.set(Some(Steered { thing, control, wants }));
                }
            }
            Entry::Group(group) => show_table(store, |query| query.group = group),
            Entry::Table(text) => show_table(store, |query| query.text = text),
            Entry::Choice(_) => {}
        }
    }
}

/// The table with nothing left out but this, in the order that it has.
fn show_table(store: Store, narrow: impl FnOnce(&mut ThingsQuery)) {
    let mut query = store.things.query.with_untracked(|query| ThingsQuery {
        sort: query.sort,
        descending: query.descending,
        ..ThingsQuery::default()
    });
    narrow(&mut query);
    store.show_things(query);
    store.go(Section::Things);
}

/// The thing in the drawer or on the page.
fn open_thing(store: Store) -> Option<Thing> {
    store.thing.with_untracked(|slot| match slot {
        Slot::Here(thing) => Some(thing.clone()),
        Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
    })
}

/// The palette, and the sheets that it opens.
#[component]
pub fn Palette(
    /// Whether the sheet of keys is there.
    help: RwSignal<bool>,
) -> impl IntoView {
    let store = store();
    let hands = Hands { store, finder: finder(), sound: expect_context::<Sound>(), help };
    let desk = Desk {
        hands,
        theme: theme(),
        driver: is_driver(store),
        may: may_command(store),
        recent: RwSignal::new(Vec::new()),
        steered: RwSignal::new(None),
        syntax: RwSignal::new(false),
    };
    let open = store.palette.open;
    // Keys of things mean something only within one fleet.
    Effect::new(move |_| {
        store.begun.track();
        desk.recent.set(Vec::new());
    });
    Effect::new(move |_| {
        if !open.get() {
            store.seek("", false);
        }
    });
    on_cleanup(move || open.set(false));
    view! {
        <Modal open label=said("Find anything") class="palette" testid="palette">
            <Seeking desk />
        </Modal>
        <SteerSheet steered=desk.steered />
        <Syntax open=desk.syntax />
    }
}

/// What stands in the list, and where one is in it. Copy: a bundle of signals.
#[derive(Clone, Copy)]
struct Lines {
    all: Memo<Vec<(Part, Entry)>>,
    /// The line that somebody went to, by its id.
    gone_to: RwSignal<Option<String>>,
    /// The id of the line on which Enter acts.
    at: Memo<Option<String>>,
}

impl Lines {
    fn new(all: Memo<Vec<(Part, Entry)>>) -> Lines {
        let gone_to = RwSignal::new(None::<String>);
        let at = Memo::new(move |_| {
            all.with(|all| {
                let ids = || all.iter().map(|(_, entry)| entry.id());
                let kept = gone_to.with(|gone_to| ids().find(|id| gone_to.as_ref() == Some(id)));
                // Whoever has gone to none means what they typed, and not what it could become.
                let first = || all.iter().find(|(part, _)| *part != Part::Next).map(|(_, entry)| entry.id());
                kept.or_else(first)
            })
        });
        Lines { all, gone_to, at }
    }

    fn place(self) -> Option<usize> {
        let at = self.at.get_untracked()?;
        self.all.with_untracked(|all| all.iter().position(|(_, entry)| entry.id() == at))
    }

    fn go_to(self, place: usize) {
        let id = self.all.with_untracked(|all| {
            let last = all.len().checked_sub(1)?;
            all.get(place.min(last)).map(|(_, entry)| entry.id())
        });
        self.gone_to.set(id);
    }

    fn step(self, by: isize) {
        match self.place() {
            Some(place) => self.go_to(place.saturating_add_signed(by)),
            None => self.go_to(0),
        }
    }

    fn entry(self) -> Option<Entry> {
        let place = self.place()?;
        self.all.with_untracked(|all| all.get(place).map(|(_, entry)| entry.clone()))
    }
}

/// The box with its list; made anew each time the palette opens.
#[component]
fn Seeking(desk: Desk) -> impl IntoView {
    let store = desk.store();
    let text = RwSignal::new(String::new());
    let words = vocabulary(store);
    let completing = Completing::new(text, words);
    store.ask_for_map_names();
    if !desk.driver.get_untracked() {
        store.ask_for_words();
    }
    let lines = Lines::new(lines_of(desk, completing, words));
    let is_answered =
        move || text.with_untracked(|text| store.palette.found.with_untracked(|found| found.text == text.trim()));
    // Enter was pressed before the answer to what stands in the box was there. Nobody waits any more for one that comes after the palette
    // closed or the line was cut: it would open a thing out of nowhere.
    let hurried = StoredValue::new(false);
    Effect::new(move |_| {
        if !store.palette.open.get() || store.cut.with(Option::is_some) {
            hurried.set_value(false);
        }
    });
    let choose = Callback::new(move |entry: Entry| {
        if let Entry::Choice(choice) = entry {
            take(&choice, completing);
            lines.gone_to.set(None);
            hurried.set_value(false);
        } else {
            desk.choose(entry);
        }
    });
    Effect::new(move |_| {
        store.palette.found.track();
        if hurried.get_value() && is_answered() {
            hurried.set_value(false);
            if let Some(entry) = lines.entry() {
                choose.run(entry);
            }
        }
    });
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = resting.try_get_value().flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    let sees_things = move || !desk.driver.get_untracked();
    Effect::new(move |before: Option<()>| {
        let typed = text.get();
        stop();
        if before.is_some() {
            resting.set_value(set_timeout_with_handle(move || store.seek(&typed, sees_things()), REST).ok());
        }
    });
    let typed = move |event| {
        text.set(event_target_value(&event));
        completing.look_at_cursor();
        lines.gone_to.set(None);
        hurried.set_value(false);
    };
    let enter = move || match lines.entry() {
        // These rows are still those of an earlier text: the answer to this one chooses.
        Some(Entry::Thing(_) | Entry::Place { .. }) | None if !is_answered() => {
            // Without a line there is no answer to wait for.
            hurried.set_value(store.cut.with_untracked(Option::is_none));
            store.seek(&text.get_untracked(), sees_things());
        }
        Some(entry) => choose.run(entry),
        None => {}
    };
    let complete = move || {
        let here = match lines.entry() {
            Some(Entry::Choice(choice)) => Some(choice),
            Some(_) | None => completing.begun().into_iter().next(),
        };
        let is_there = here.is_some();
        if let Some(choice) = here {
            choose.run(Entry::Choice(choice));
        }
        is_there
    };
    let keys = move |event: leptos::ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let is_plain = !event.shift_key() && !event.ctrl_key() && !event.meta_key();
        match event.key().as_str() {
            "ArrowDown" => lines.step(1),
            "ArrowUp" => lines.step(-1),
            "PageDown" => lines.step(PAGE.cast_signed()),
            "PageUp" => lines.step(-PAGE.cast_signed()),
            "Home" if is_plain => lines.go_to(0),
            "End" if is_plain => lines.go_to(usize::MAX),
            "Enter" => enter(),
            "Tab" if is_plain && untrack(complete) => {}
            _ => return,
        }
        event.prevent_default();
    };
    let hint = move || {
        if desk.driver.get() {
            said("Find a place or a view")
        } else {
            said("Find a thing, a place, a command, a view …")
        }
    };
    let mistake = Memo::new(move |_| mistake(store, completing, words));
    view! {
        <div class="palette-box" role="search">
            <Icon of=icondata_lu::LuSearch />
            <input
                type="text"
                role="combobox"
                autofocus
                data-testid="palette-text"
                node_ref=completing.input
                aria-label=said("Find anything")
                aria-autocomplete="list"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant=move || lines.at.get().map(|id| list::element_id(&id))
                placeholder=hint
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=move || text.get()
                on:input=typed
                on:keydown=keys
                on:keyup=move |_| completing.look_at_cursor()
                on:click=move |_| completing.look_at_cursor()
            />
            <kbd>{said("Esc")}</kbd>
        </div>
        <List lines desk choose text mistake />
        <footer class="palette-keys" aria-hidden="true">
            <span><kbd>"↑"</kbd><kbd>"↓"</kbd>{said("choose")}</span>
            <span><kbd>{said("Enter")}</kbd>{tr!("a key does it" => "open")}</span>
            <Show when=move || !desk.driver.get()>
                <span><kbd>{said("Tab")}</kbd>{said("go on with the query")}</span>
            </Show>
        </footer>
    }
}

/// Goes on with the query.
fn take(choice: &Choice, completing: Completing) {
    let put = completing.put(choice);
    completing.text.set(put);
}

/// What is wrong with the query, where nothing is found by it either, and nothing can be proposed: half a query always is wrong.
fn mistake(store: Store, completing: Completing, words: Memo<Words>) -> Option<QueryMistake> {
    let text = completing.text;
    let is_empty =
        store.palette.found.with(|found| text.with(|text| found.text == text.trim()) && found.things.is_empty());
    let mistake = || text.with(|text| words.with(|words| mistake_of(text, words.groups())));
    if is_empty && completing.begun().is_empty() { mistake() } else { None }
}

/// Everything that fits what stands in the box.
fn lines_of(desk: Desk, completing: Completing, words: Memo<Words>) -> Memo<Vec<(Part, Entry)>> {
    let (store, text) = (desk.store(), completing.text);
    let thing = open_thing(store);
    let commands = thing.map(|thing| commands_of(&thing));
    let known = Memo::new(move |_| known_here(desk));
    Memo::new(move |_| {
        let typed = text.get();
        let is_empty = typed.trim().is_empty();
        let mut parts: BTreeMap<Part, Vec<Entry>> = BTreeMap::new();
        if is_empty {
            let is_offered = |entry: &Entry| known.with(|known| known.is_offered(entry, desk));
            parts.insert(Part::Recent, desk.recent.get().into_iter().filter(is_offered).collect());
        }
        let commands = commands.map(|commands| commands.get()).unwrap_or_default();
        parts.insert(Part::Commands, ranked(&typed, commands));
        known.with(|known| {
            let acts = known.acts.iter().cloned();
            let mut acts = ranked(&typed, acts);
            if !is_empty {
                acts.truncate(LINES_MOST);
            }
            parts.insert(Part::Acts, acts);
            let mut groups = ranked(&typed, known.groups.iter().map(|name| (Entry::Group(name.clone()), name.clone())));
            groups.truncate(LINES_MOST);
            parts.insert(Part::Groups, groups);
        });
        // What was used last stands there once.
        let recent: Vec<String> = parts.get(&Part::Recent).into_iter().flatten().map(Entry::id).collect();
        for (part, entries) in &mut parts {
            entries.retain(|entry| *part == Part::Recent || !recent.contains(&entry.id()));
        }
        if !is_empty {
            if !desk.driver.get() {
                let is_right = words.with(|words| mistake_of(&typed, words.groups()).is_none());
                let next = completing.begun().into_iter().take(CHOICES_MOST).map(Entry::Choice);
                let table = is_right.then(|| Entry::Table(typed.trim().to_owned()));
                parts.insert(Part::Next, next.chain(table).collect());
            }
            store.palette.found.with(|found| {
                parts.insert(Part::Things, found.things.iter().cloned().map(Entry::Thing).collect());
                parts.insert(Part::Places, places_of(store, found));
            });
        }
        parts.into_iter().flat_map(|(part, entries)| entries.into_iter().map(move |entry| (part, entry))).collect()
    })
}

/// Places of the fleet, then those names of the map that are none of them; of the text that was answered, so that both come at once.
fn places_of(store: Store, found: &crate::state::palette::Found) -> Vec<Entry> {
    let mut places: Vec<Entry> = found.places.iter().cloned().map(of_fleet).collect();
    if found.text.is_empty() {
        return places;
    }
    let named = store.palette.map_names.with(|names| {
        let is_new = |name: &str| !found.places.iter().any(|place| !place.is_street && place.name == name);
        let names = names.iter().filter(|one| is_new(&one.name)).map(|one| (of_map(one), one.name.clone()));
        ranked(&found.text, names)
    });
    places.extend(named.into_iter().take(LINES_MOST));
    places
}

/// What the window knows itself: acts with their names, and groups.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    acts: Vec<(Entry, String)>,
    groups: Vec<String>,
}

impl Known {
    /// Whether what was used before is still there for who is at the screen now.
    fn is_offered(&self, entry: &Entry, desk: Desk) -> bool {
        match entry {
            Entry::Act(_) | Entry::More(_) => self.acts.iter().any(|(known, _)| known == entry),
            Entry::Group(name) => self.groups.contains(name),
            Entry::Thing(_) | Entry::Table(_) => !desk.driver.get(),
            Entry::Place { .. } => true,
            Entry::Control { .. } | Entry::Choice(_) => false,
        }
    }
}

fn known_here(desk: Desk) -> Known {
    let (driver, may, store) = (desk.driver.get(), desk.may.get(), desk.store());
    let is_held = store.held.get().is_some();
    let acts = Act::OFFERED.into_iter().filter(|act| is_heard(*act, Form::Desktop, driver, may));
    let mut acts: Vec<(Entry, String)> =
        acts.map(|act| (Entry::Act(act), name_of(act, driver, is_held).to_owned())).collect();
    let more: &[More] = if driver { &More::OF_DRIVER } else { &More::ALL };
    let words = |more: More| list::more_words(more, desk.theme, store.is_of_app()).to_owned();
    acts.extend(more.iter().map(|more| (Entry::More(*more), words(*more))));
    let groups = store.status.with(|status| status.as_ref().map(|status| status.row.groups.clone()));
    Known { acts, groups: groups.filter(|_| !driver).unwrap_or_default() }
}

/// What can be set on the thing, with what it would do.
fn commands_of(thing: &Thing) -> Memo<Vec<(Entry, String)>> {
    let (controls, of) = (offered(thing), thing.clone());
    Memo::new(move |_| {
        let title = of.head.with(|head| head.row.title.clone());
        let entry = |control: std::sync::Arc<fleetlens_model::kind::Control>| {
            let wanted = || leaf_of(&of, &control.pointer).and_then(|leaf| leaf.desired);
            let now = now_of(&of, &control.pointer).or_else(wanted);
            let now = now.and_then(|json| Draft::of_leaf(&json, &control.takes));
            let (word, wants) = command(&control, now.as_ref());
            let name = format!("{word} {title}");
            (Entry::Control { control, word, wants }, name)
        };
        controls.get().into_iter().map(entry).collect()
    })
}
