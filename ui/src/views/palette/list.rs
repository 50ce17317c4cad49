//! The list of the palette: lines under small headings.

use fleetlens_ipc::rows::QueryMistake;
use leptos::prelude::*;
use tr::tr;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::entry::{Entry, More, Part, name_of};
use super::{Desk, Lines};
use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::lang::said;
use crate::state::thing::Slot;
use crate::theme::{Theme, ThemeSwitch};
use crate::views::help::NEW_WINDOW;
use crate::views::query::Wrong;

/// The list.
#[component]
pub fn List(
    /// What stands in it.
    lines: Lines,
    /// What it is done with.
    desk: Desk,
    /// Told what was chosen.
    choose: Callback<Entry>,
    /// What was typed.
    text: RwSignal<String>,
    /// What is wrong with that.
    mistake: Memo<Option<QueryMistake>>,
) -> impl IntoView {
    let store = desk.hands.store;
    let parts = Memo::new(move |_| {
        let mut parts: Vec<Part> = lines.all.with(|all| all.iter().map(|(part, _)| *part).collect());
        parts.dedup();
        parts
    });
    let is_nothing = Memo::new(move |_| {
        let is_answered = || text.with(|text| store.palette.found.with(|found| found.text == text.trim()));
        lines.all.with(|all| all.iter().all(|(_, entry)| matches!(entry, Entry::Table(_)))) && is_answered()
    });
    Effect::new(move |_| {
        let row = lines.at.get().and_then(|id| document().get_element_by_id(&element_id(&id)));
        if let Some(row) = row {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            row.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    });
    view! {
        <div id="palette-list" class="palette-list" role="listbox" aria-label=said("Found") data-testid="palette-list" tabindex="-1">
            <For each=move || parts.get() key=|part| *part let:part>
                <PartOfList part lines desk choose />
            </For>
        </div>
        <Show when=move || is_nothing.get() && mistake.with(Option::is_none)>
            <p class="palette-none" role="status" data-testid="palette-none">
                {move || tr!("Nothing is called “{}”. ", text.with(|text| text.trim().to_owned()))}
            </p>
        </Show>
        <Show when=move || mistake.with(Option::is_some)>
            <p class="query-wrong" role="status" data-testid="palette-wrong">
                {move || mistake.get().map(|mistake| view! { <Wrong text=text.get() mistake /> })}
            </p>
        </Show>
    }
}

#[component]
fn PartOfList(part: Part, lines: Lines, desk: Desk, choose: Callback<Entry>) -> impl IntoView {
    let rows = move || {
        lines.all.with(|all| {
            let its = all.iter().filter(|(of, _)| *of == part).map(|(_, entry)| entry.clone());
            its.collect::<Vec<_>>()
        })
    };
    let heading = heading(part, desk);
    view! {
        <div class="palette-part" role="group" aria-label=move || heading.get() data-part=format!("{part:?}")>
            <div class="palette-heading" aria-hidden="true">{heading}</div>
            // Made anew where something else is to be read in it; what is chosen stays so by its id.
            <For each=rows key=|entry| format!("{entry:?}") let:entry>
                <Row entry part lines desk choose />
            </For>
        </div>
    }
}

fn heading(part: Part, desk: Desk) -> Signal<String> {
    let store = desk.hands.store;
    Signal::derive(move || match part {
        Part::Recent => said("Used last").to_owned(),
        Part::Commands => store.thing.with(|slot| match slot {
            Slot::Here(thing) => thing.head.with(|head| head.row.title.clone()),
            Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => said("Commands").to_owned(),
        }),
        Part::Acts => said("Views and acts").to_owned(),
        Part::Groups => said("Groups").to_owned(),
        Part::Next => said("Go on with").to_owned(),
        Part::Things => said("Things").to_owned(),
        Part::Places => said("Places on the map").to_owned(),
    })
}

#[component]
fn Row(entry: Entry, part: Part, lines: Lines, desk: Desk, choose: Callback<Entry>) -> impl IntoView {
    let id = StoredValue::new(entry.id());
    let is_at = Memo::new(move |_| lines.at.with(|at| id.with_value(|id| at.as_ref() == Some(id))));
    let go_to = move |_| {
        if !is_at.get_untracked() {
            lines.gone_to.set(Some(id.get_value()));
        }
    };
    let content = content(&entry, part, desk);
    let kind = kind(&entry);
    let entry = StoredValue::new(entry);
    view! {
        <div
            id=element_id(&id.get_value())
            class="palette-row"
            role="option"
            class:at=move || is_at.get()
            aria-selected=move || is_at.get().to_string()
            data-testid="palette-row"
            data-entry=kind
            on:pointermove=go_to
            // The box keeps the focus.
            on:mousedown=move |event| event.prevent_default()
            on:click=move |_| choose.run(entry.get_value())
        >
            {content}
        </div>
    }
}

/// For the tests.
fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Act(_) | Entry::More(_) => "act",
        Entry::Thing(_) => "thing",
        Entry::Place { .. } => "place",
        Entry::Control { .. } => "control",
        Entry::Group(_) => "group",
        Entry::Table(_) => "table",
        Entry::Choice(_) => "choice",
    }
}

fn content(entry: &Entry, part: Part, desk: Desk) -> AnyView {
    let line = |icon: &'static icondata_core::IconData, name: String, about: String| {
        view! {
            <Icon of=icon />
            <b>{name}</b>
            <span>{about}</span>
        }
        .into_any()
    };
    match entry {
        Entry::Act(act) => {
            let name = name_of(*act, desk.driver.get_untracked(), desk.hands.store.held.get_untracked().is_some());
            let keys = act.line().0.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
            view! {
                <Icon of=icondata_lu::LuChevronRight />
                <b>{name}</b>
                <span class="palette-shortcut">{keys}</span>
            }
            .into_any()
        }
        Entry::More(More::NewWindow) if desk.hands.store.is_of_app() => view! {
            <Icon of=icondata_lu::LuChevronRight />
            <b>{more_words(More::NewWindow, desk.theme, true)}</b>
            <span class="palette-shortcut">
                {NEW_WINDOW.0.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}
            </span>
        }
        .into_any(),
        Entry::More(more) => {
            let words = more_words(*more, desk.theme, desk.hands.store.is_of_app());
            line(icondata_lu::LuChevronRight, words.to_owned(), String::new())
        }
        // How it stood when it was used says nothing of now.
        Entry::Thing(row) if part == Part::Recent => line(icondata_lu::LuHistory, row.title.clone(), row.place.clone()),
        Entry::Thing(row) => {
            let name = (row.name != row.title).then(|| row.name.clone());
            view! {
                <Shape kind=row.kind status=row.status />
                <b>{row.title.clone()}</b>
                <span>{row.place.clone()}</span>
                <code>{name}</code>
            }
            .into_any()
        }
        Entry::Place { spot, what } => line(icondata_lu::LuMapPin, spot.name.clone(), what.clone()),
        Entry::Control { word, .. } => line(icondata_lu::LuSlidersHorizontal, word.clone(), String::new()),
        Entry::Group(name) => line(icondata_lu::LuListFilter, name.clone(), said("group").to_owned()),
        Entry::Table(text) => line(icondata_lu::LuListFilter, tr!("Show in the table: {}", text), String::new()),
        Entry::Choice(choice) => view! {
            <Icon of=icondata_lu::LuPlus />
            <code class="palette-choice">{choice.text.clone()}</code>
            <span>{choice.about.clone()}</span>
        }
        .into_any(),
    }
}

/// What an act without a key is called.
pub fn more_words(more: More, theme: ThemeSwitch, is_of_app: bool) -> &'static str {
    match (more, theme.get()) {
        (More::NewWindow, _) if is_of_app => said("New window"),
        (More::NewWindow, _) => said("New tab with the map"),
        (More::ThisInNewWindow, _) if is_of_app => said("Open this in a new window"),
        (More::ThisInNewWindow, _) => said("Open this in a new tab"),
        (More::CopyLink, _) => said("Copy a link to this"),
        (More::Theme, Theme::Light) => said("Change to the dark theme"),
        (More::Theme, Theme::Dark) => said("Change to the light theme"),
        (More::Diagnostics, _) => said("How the program stands"),
        (More::Syntax, _) => said("How to find things"),
    }
}

/// The id of a line's element: a name may have any sign in it, and an id is read up to the next space.
pub fn element_id(id: &str) -> String {
    let sign = |c: char| if c.is_alphanumeric() || c == '-' { c.to_string() } else { format!("_{:x}", u32::from(c)) };
    format!("palette-{}", id.chars().map(sign).collect::<String>())
}
