//! The views that a person opens, whose code lies in a file of its own: a window that starts waits for its map and its bars alone, and
//! fetches the rest when they are there (docs/adr/0025-two-parts.md).
//!
//! One file for all of them: with more, what two of them share would lie in a file as well.
#![allow(
    unsafe_code,
    reason = "what `wasm_split` makes of the function that is taken out is exported under its own name"
)]

use std::pin::pin;
use std::task::{self, Poll, Waker};
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::components::coming::Coming;
use crate::gallery::Gallery;
use crate::lang::said;
use crate::phone::PhoneShell;
use crate::views::alarms::AlarmsView;
use crate::views::boards::BoardsView;
use crate::views::bulk::compose::{Compose, ComposeSheet};
use crate::views::help::Help;
use crate::views::jobs::JobsView;
use crate::views::map_view::MapScreen;
use crate::views::map_view::areas::{AreaPanel, AreaSheet};
use crate::views::outbox::OutboxView;
use crate::views::palette::Palette;
use crate::views::parking::DriverShell;
use crate::views::replay::ReplayBar;
use crate::views::rules::RulesView;
use crate::views::settings::SettingsView;
use crate::views::setup::{SetupDialog, Welcome};
use crate::views::thing::ThingPanel;
use crate::views::things::ThingsView;

/// How long until what could not be fetched is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// What is there later.
#[derive(Clone, Copy)]
pub enum Later {
    Things,
    Alarms,
    Rules,
    Boards,
    Commands,
    Jobs,
    Settings,
    Thing,
    Phone,
    Driver,
    Welcome,
    Gallery,
    /// Whether the profile's dialog is open the store knows, as of the time bar.
    Setup,
    Replay,
    /// What is written over and beside the areas of the map while one is drawn.
    Areas {
        screen: MapScreen,
    },
    /// The sheet of a command to several things.
    Compose {
        compose: Compose,
    },
    /// The command palette; it opens the sheet of keys.
    Palette {
        help: RwSignal<bool>,
    },
    /// The sheet of keys.
    Help {
        open: RwSignal<bool>,
    },
}

/// What stands in the place of a view before its code is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The shape of a sheet over the map.
    Sheet,
    /// Nothing: it is all of the window, or a part whose shape differs.
    Nothing,
    /// Nothing ever, because it is closed at first.
    Closed,
}

impl Later {
    fn before(self) -> Before {
        match self {
            Later::Things | Later::Alarms | Later::Rules | Later::Boards | Later::Commands => Before::Sheet,
            Later::Jobs | Later::Settings => Before::Sheet,
            Later::Thing | Later::Phone | Later::Driver | Later::Welcome | Later::Gallery => Before::Nothing,
            Later::Setup | Later::Replay | Later::Areas { .. } | Later::Compose { .. } => Before::Closed,
            Later::Palette { .. } | Later::Help { .. } => Before::Closed,
        }
    }
}

/// Whether the code is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// Nobody has needed it yet.
    Away,
    Coming,
    /// It could not be fetched, and is asked for again.
    Late,
    Here,
}

/// The code of what is there later. Copy: a signal.
#[derive(Clone, Copy)]
pub struct Parts(RwSignal<Code>);

impl Parts {
    /// Of this window.
    pub fn new() -> Parts {
        Parts(RwSignal::new(Code::Away))
    }

    /// Fetches the code, until it is there.
    pub fn fetch(self) {
        if self.0.get_untracked() == Code::Away {
            self.0.set(Code::Coming);
            self.ask();
        }
    }

    fn ask(self) {
        leptos::task::spawn_local(async move {
            if fetched().await.is_ok() {
                self.0.set(Code::Here);
            } else {
                // Said once: a screen reader would repeat it each time.
                if self.0.get_untracked() != Code::Late {
                    self.0.set(Code::Late);
                }
                set_timeout(move || self.ask(), AGAIN);
            }
        });
    }
}

/// One of the views, as soon as its code is there.
#[component]
pub fn InTime(
    /// Which.
    view: Later,
) -> impl IntoView {
    let parts = expect_context::<Parts>();
    if view.before() != Before::Closed {
        parts.fetch();
    }
    move || match (parts.0.get(), view.before()) {
        (Code::Here, _) => at_once(drawn(view)).and_then(Result::ok),
        (_, Before::Closed) | (Code::Away | Code::Coming, Before::Nothing) => None,
        (Code::Away | Code::Coming, Before::Sheet) => {
            Some(view! { <section class="sheet later"><Coming rows=6 /></section> }.into_any())
        }
        (Code::Late, _) => Some(view! { <section class="sheet later"><Unfetched /></section> }.into_any()),
    }
}

#[component]
fn Unfetched() -> impl IntoView {
    view! {
        <p role="alert" data-testid="unfetched">
            {said("This part of Fleetlens could not be fetched. It is asked for again every two seconds; if it does not come, load this window again.")}
        </p>
    }
}

/// The answer of a future that waits for nothing.
fn at_once<T>(answer: impl Future<Output = T>) -> Option<T> {
    match pin!(answer).poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// What is taken out of the program, with all that only it needs. It can be called once [`fetched`] has been.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(fetched), fallible)]
fn drawn(view: Later) -> Result<AnyView, SplitLoaderError> {
    Ok(match view {
        Later::Things => view! { <ThingsView /> }.into_any(),
        Later::Alarms => view! { <AlarmsView /> }.into_any(),
        Later::Rules => view! { <RulesView /> }.into_any(),
        Later::Boards => view! { <BoardsView /> }.into_any(),
        Later::Commands => view! { <OutboxView /> }.into_any(),
        Later::Jobs => view! { <JobsView /> }.into_any(),
        Later::Settings => view! { <SettingsView /> }.into_any(),
        Later::Thing => view! { <ThingPanel /> }.into_any(),
        Later::Phone => view! { <PhoneShell /> }.into_any(),
        Later::Driver => view! { <DriverShell /> }.into_any(),
        Later::Welcome => view! { <Welcome /> }.into_any(),
        Later::Gallery => view! { <Gallery /> }.into_any(),
        Later::Setup => view! { <SetupDialog /> }.into_any(),
        Later::Replay => view! { <ReplayBar /> }.into_any(),
        Later::Areas { screen } => view! { <AreaSheet screen /><AreaPanel screen /> }.into_any(),
        Later::Compose { compose } => view! { <ComposeSheet compose /> }.into_any(),
        Later::Palette { help } => view! { <Palette help /> }.into_any(),
        Later::Help { open } => view! { <Help open /> }.into_any(),
    })
}
