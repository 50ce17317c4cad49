//! The phone's window: the map with a sheet over it, what is near, the alarms, the queue of commands, and the thing's page with large
//! cards and buttons. The parts are the desktop's; their layout is `styles/phone.css`. A driver has a window of their own.

mod alarms;

use fleetlens_ipc::rows::Status;
use leptos::prelude::*;

use crate::app::ThemeButton;
use crate::components::icon::Icon;
use crate::format;
use crate::islands::map::Covered;
use crate::lang::said;
use crate::phone::alarms::AlarmTab;
use crate::state::store;
use crate::state::thing::{Slot, Thing};
use crate::views::alarms::banner::CriticalBanner;
use crate::views::alarms::cards::AlarmCards;
use crate::views::alarms::silence::SilenceButton;
use crate::views::attention::AttentionList;
use crate::views::chart::ChartPanel;
use crate::views::commands::{Commands, WaitingCards};
use crate::views::find::{FindBox, Found, finder};
use crate::views::here::{Here, HereMark, Origin};
use crate::views::jobs::of_thing::JobsOfThing;
use crate::views::json_editor::JsonEditor;
use crate::views::link::OfflineNotice;
use crate::views::map_view::{KindChips, MapScreen, MapView};
use crate::views::messages::RawMessages;
use crate::views::near::NearList;
use crate::views::notices::{Notices, Stranded};
use crate::views::outbox::OutboxView;
use crate::views::parking::{DriverShell, is_driver};
use crate::views::set_several::SetSeveral;
use crate::views::settings::sheet::WithSettingsSheet;
use crate::views::setup::{SetupDialog, Welcome};
use crate::views::status_bar::StatusBar;
use crate::views::steer::BigButtons;
use crate::views::thing::{Figures, Header, Shadows, Skeleton};

/// Where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Map,
    Near,
    Alarms,
    Queue,
    Thing,
}

/// What lies over the phone's map: the box for finding, and the round top of the sheet.
const COVERED: Covered = Covered { top_px: 70.0, right_px: 0.0, bottom_px: 48.0 };

/// The window of whoever holds the phone.
#[component]
pub fn PhoneShell() -> impl IntoView {
    let store = store();
    let driver = is_driver(store);
    // While it is not known, as at the start and while the profile changes, it is as it was last.
    let undecided = Memo::new(move |before: Option<&Option<bool>>| {
        let now = store.status.with(|status| status.as_ref().map(|status| status.row.undecided));
        now.or(before.copied().flatten())
    });
    view! {
        {move || match undecided.get() {
            None => view! { <Starting /> }.into_any(),
            Some(true) => view! { <Welcome /> }.into_any(),
            Some(false) => {
                view! {
                    <WithSettingsSheet>
                        <Show when=move || driver.get() fallback=|| view! { <TechnicianShell /> }>
                            <DriverShell />
                        </Show>
                    </WithSettingsSheet>
                }
                .into_any()
            }
        }}
        <SetupDialog />
        <Stranded />
    }
}

/// Before it is known what it shows: nothing but that the host cannot be reached, if so.
#[component]
fn Starting() -> impl IntoView {
    view! {
        <div class="app" data-testid="starting">
            <div class="over" aria-live="polite">
                <OfflineNotice />
                <Notices />
            </div>
        </div>
    }
}

#[component]
fn TechnicianShell() -> impl IntoView {
    let store = store();
    let tab = RwSignal::new(Tab::Map);
    let finder = finder();
    let screen = MapScreen::new();
    provide_context(screen);
    let here = Here::start(screen, COVERED);
    // The device is asked for its position when near is looked at for the first time, and not before; whoever tapped has said where.
    Effect::new(move |asked: Option<bool>| {
        let is_near = tab.get() == Tab::Near;
        let asked = asked.unwrap_or(false);
        if is_near && !asked && here.origin.get_untracked() != Origin::Tapped {
            here.ask();
        }
        asked || is_near
    });
    // A thing opened from the list is wanted whole, also when it was open already; one opened on the map shows its short sheet first.
    Effect::new(move |before: Option<u32>| {
        let chosen = finder.chosen.get();
        if before.is_some_and(|before| before != chosen) {
            tab.set(Tab::Thing);
        }
        chosen
    });
    Effect::new(move |_| {
        if store.selected.get().is_none() && tab.get_untracked() == Tab::Thing {
            tab.set(Tab::Map);
        }
    });
    Effect::new(move |_| {
        if tab.get() == Tab::Near {
            finder.open.set(true);
        }
    });
    // `page` is the thing's own tab here, so that Esc and the Android back key step back from it.
    Effect::new(move |_| store.page.set(tab.get() == Tab::Thing));
    Effect::new(move |_| {
        if !store.page.get() && tab.get_untracked() == Tab::Thing {
            tab.set(Tab::Map);
        }
    });
    let word = move || match tab.get() {
        Tab::Map => "map",
        Tab::Near => "near",
        Tab::Alarms => "alarms",
        Tab::Queue => "queue",
        Tab::Thing => "thing",
    };
    view! {
        <div class="app" data-tab=word>
            <div class="over" aria-live="polite">
                <OfflineNotice />
                <Notices />
                <CriticalBanner />
                <Show when=move || tab.get() != Tab::Alarms>
                    <SilenceButton />
                </Show>
            </div>
            <main class="stage">
                <section class="tab-map">
                    <MapView>
                        <HereMark here />
                    </MapView>
                    <button type="button" class="find-pill" data-testid="find-open" on:click=move |_| {
                        tab.set(Tab::Near);
                        finder.focus();
                    }>
                        <Icon of=icondata_lu::LuSearch />
                        {said("Find by name, street or district")}
                    </button>
                    <Sheet tab />
                </section>
                <section class="tab-near">
                    <FindBox hint=said("Name, street or district") />
                    <Found />
                    <Show when=move || tab.get() == Tab::Near && finder.text.with(|text| text.trim().is_empty())>
                        <NearList here to_map=Callback::new(move |()| tab.set(Tab::Map)) />
                    </Show>
                </section>
                <section class="tab-alarms">
                    <Show when=move || tab.get() == Tab::Alarms>
                        <AlarmTab />
                    </Show>
                </section>
                <section class="tab-queue">
                    <Show when=move || tab.get() == Tab::Queue>
                        <OutboxView />
                    </Show>
                </section>
                <section class="tab-thing">
                    <ThingTab />
                </section>
            </main>
            <Tabs tab />
        </div>
    }
}

/// Under the map: the chosen thing in short, or what needs a person.
#[component]
fn Sheet(tab: RwSignal<Tab>) -> impl IntoView {
    let store = store();
    view! {
        <div class="sheet-over-map" data-testid="sheet">
            <span class="grab" />
            {move || match store.thing.get() {
                Slot::Closed => view! { <City /> }.into_any(),
                Slot::Loading(_) | Slot::Missing(_) => view! { <Skeleton /> }.into_any(),
                Slot::Here(thing) => view! { <Short thing tab /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn City() -> impl IntoView {
    let store = store();
    let count = Memo::new(move |_| store.attention.with(|attention| attention.row.count));
    let is_known =
        Memo::new(move |_| store.status.with(|status| status.as_ref().is_some_and(|status| status.row.things > 0)));
    view! {
        <KindChips />
        <Show
            when=move || count.get() != 0
            fallback=move || {
                view! {
                    <Show when=move || is_known.get()>
                        <p class="calm">{said("Nothing needs a person.")}</p>
                    </Show>
                }
            }
        >
            <h2>{said("Needs a person")} " " <span class="count">{move || count.get()}</span></h2>
            <AttentionList />
        </Show>
        <footer class="about">
            <StatusBar />
            <ThemeButton />
        </footer>
    }
}

#[component]
fn Short(thing: Thing, tab: RwSignal<Tab>) -> impl IntoView {
    let store = store();
    let charted = RwSignal::new(None);
    view! {
        <div class="short" data-testid="short">
            <Header thing=thing.clone() />
            <Figures thing charted />
            <div class="answers">
                <button type="button" class="big" on:click=move |_| store.close()>
                    {said("Close")}
                </button>
                <button type="button" class="big primary" data-testid="open-page" on:click=move |_| tab.set(Tab::Thing)>
                    {said("Open")}
                </button>
            </div>
        </div>
    }
}

#[component]
fn ThingTab() -> impl IntoView {
    let store = store();
    move || match store.thing.get() {
        Slot::Closed => ().into_any(),
        Slot::Loading(_) => view! { <Skeleton /> }.into_any(),
        Slot::Missing(_) => view! { <p class="none">{said("This thing is not known any more.")}</p> }.into_any(),
        Slot::Here(thing) => {
            let (charted, key) = (RwSignal::new(None), thing.key.0.to_string());
            view! {
                <div class="parts" data-testid="page" data-thing=key>
                    <Header thing=thing.clone() />
                    <AlarmCards thing=thing.clone() />
                    <Figures thing=thing.clone() charted />
                    <WaitingCards thing=thing.clone() />
                    <BigButtons thing=thing.clone() />
                    <Commands thing=thing.clone() />
                    <JobsOfThing thing=thing.clone() />
                    <ChartPanel thing=thing.clone() charted />
                    <Shadows thing=thing.clone() />
                    <SetSeveral thing=thing.clone() />
                    <JsonEditor thing=thing.clone() />
                    <RawMessages thing />
                </div>
            }
            .into_any()
        }
    }
}

#[component]
fn Tabs(tab: RwSignal<Tab>) -> impl IntoView {
    let store = store();
    let is_open = Memo::new(move |_| store.selected.get().is_some());
    let told = move |read: fn(&Status) -> u32| {
        Memo::new(move |_| store.status.with(|status| status.as_ref().map_or(0, |status| read(&status.row))))
    };
    let attention = told(|status| status.attention);
    let critical = told(|status| status.alarms.critical);
    let waiting = told(|status| status.open_commands);
    let late = told(|status| status.not_converged);
    let is_critical = Memo::new(move |_| critical.get() != 0);
    let item = move |to: Tab, word: &'static str, testid: &'static str, icon| {
        let is_on = move || tab.get() == to;
        view! {
            <button
                type="button"
                class:on=is_on
                data-testid=testid
                aria-current=move || is_on().then_some("page")
                on:click=move |_| tab.set(to)
            >
                <Icon of=icon />
                {word}
            </button>
        }
    };
    view! {
        <nav class="tabs" aria-label=said("Main")>
            {item(Tab::Map, said("Map"), "tab-map", icondata_lu::LuMap)}
            {item(Tab::Near, said("Near"), "tab-find", icondata_lu::LuLocate)}
            <span class="tab-with-count">
                {item(Tab::Alarms, said("Alarms"), "tab-alarms", icondata_lu::LuTriangleAlert)}
                <Show when=move || attention.get() != 0>
                    <span class="tab-count" class:crit=move || is_critical.get() data-testid="tab-alarms-count">
                        {move || format::count(u64::from(attention.get()))}
                    </span>
                </Show>
            </span>
            <span class="tab-with-count">
                {item(Tab::Queue, said("Queue"), "tab-queue", icondata_lu::LuArrowLeftRight)}
                <Show when=move || waiting.get() != 0>
                    <span class="tab-count pending" data-testid="tab-queue-count">
                        {move || format::count(u64::from(waiting.get()))}
                    </span>
                </Show>
                <Show when=move || late.get() != 0>
                    <span class="tab-count late" data-testid="tab-late-count">
                        {move || format!("≠{}", format::count(u64::from(late.get())))}
                    </span>
                </Show>
            </span>
            <Show when=move || is_open.get()>{item(Tab::Thing, said("Thing"), "tab-thing", icondata_lu::LuSlidersHorizontal)}</Show>
        </nav>
    }
}
