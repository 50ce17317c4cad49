//! The desktop's window: rail, bar, map with what lies over it, status line.

use std::time::Duration;

use fleetlens_ipc::address::Address;
use fleetlens_ipc::rows::Status;
use fleetlens_model::identity::Role;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Clock, on_waking, shown_ms};
use crate::components::icon::Icon;
use crate::form::Form;
use crate::lang::said;
use crate::later::{InTime, Later, Parts};
use crate::sound::Sound;
use crate::state::section::{OF_DRIVER, OnScreen, Section};
use crate::state::{Store, store};
use crate::theme::{Theme, ThemeSwitch, theme};
use crate::views::alarms::banner::CriticalBanner;
use crate::views::alarms::silence::SilenceButton;
use crate::views::attention::AttentionCard;
use crate::views::find::{FindBox, Finder, Found};
use crate::views::link::{LiveSign, OfflineNotice};
use crate::views::map_view::{KindChips, MapView};
use crate::views::notices::{Notices, Stranded};
use crate::views::replay::PastSign;
use crate::views::status_bar::StatusBar;
use crate::{keys, windows};

/// How long the views that are opened with a press wait for the map, which may never be drawn.
const FETCHED_AFTER: Duration = Duration::from_secs(2);

/// The window, in whichever form its page asks for.
#[component]
pub fn App() -> impl IntoView {
    let store = Store::new();
    let form = Form::of_page();
    let help = RwSignal::new(false);
    provide_context(store);
    provide_context(form);
    provide_context(Clock::start());
    provide_context(ThemeSwitch::start());
    let finder = Finder::new(store);
    provide_context(finder);
    let sound = Sound::start(store);
    provide_context(sound);
    let parts = Parts::new();
    provide_context(parts);
    // What is opened with a press is fetched behind what a person waits for.
    Effect::new(move |_| {
        if store.map_drawn.get().is_some() {
            parts.fetch();
        }
    });
    set_timeout(move || parts.fetch(), FETCHED_AFTER);
    keys::listen(store, finder, sound, help, form);
    store.connect();
    if form == Form::Desktop {
        windows::follow_addresses(store);
    }
    on_waking(move || store.look_again());
    match form {
        Form::Desktop => view! { <DesktopWindow help /> }.into_any(),
        Form::Phone => view! { <InTime view=Later::Phone /> }.into_any(),
    }
}

/// The page with every component.
#[component]
pub fn Components() -> impl IntoView {
    provide_context(Parts::new());
    view! { <InTime view=Later::Gallery /> }
}

/// The desktop's window of whoever is at the screen: a driver looks for a space and for nothing else.
#[component]
fn DesktopWindow(help: RwSignal<bool>) -> impl IntoView {
    let store = store();
    // While it is not known who is there, as at the start and while the profile changes, the window is the one it was last.
    let whose = Memo::new(move |before: Option<&Option<Whose>>| {
        let whose = store.status.with(|status| status.as_ref().map(|status| Whose::of(&status.row)));
        whose.or(before.copied().flatten())
    });
    view! {
        {move || match whose.get() {
            None => view! { <Starting /> }.into_any(),
            Some(Whose::Nobodys) => view! { <InTime view=Later::Welcome /> }.into_any(),
            Some(Whose::Drivers) => view! { <DriverDesktop help /> }.into_any(),
            Some(Whose::Operators) => view! { <DesktopShell help /> }.into_any(),
        }}
        <InTime view=Later::Setup />
        <InTime view=Later::Help { open: help } />
        <Stranded />
    }
}

/// Which window it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Nobody has said yet what it shows.
    Nobodys,
    /// A driver looks for a space and for nothing else.
    Drivers,
    /// Everybody else's.
    Operators,
}

impl Whose {
    fn of(status: &Status) -> Whose {
        match status.who.role {
            _ if status.undecided => Whose::Nobodys,
            Role::Driver => Whose::Drivers,
            Role::Operator | Role::Technician | Role::Viewer => Whose::Operators,
        }
    }
}

/// The window before it is known whose it is: nothing that one of them may not see.
#[component]
fn Starting() -> impl IntoView {
    view! {
        <div class="app for-driver" data-testid="starting">
            <nav class="rail" aria-label=said("Main")>
                <Logo />
            </nav>
            <main class="stage">
                <div class="over" aria-live="polite">
                    <OfflineNotice />
                    <Notices />
                </div>
            </main>
            <StatusBar />
        </div>
    }
}

/// The driver's part of the desktop: parking, and the settings, by which one gets back to another role.
#[component]
fn DriverDesktop(help: RwSignal<bool>) -> impl IntoView {
    let store = store();
    let in_settings = move || store.section.get() == Section::Settings;
    let in_boards = move || store.section.get() == Section::Boards;
    // What the operator before held still, and where they were, is not the driver's: nothing here says so or leads back.
    store.hold(false, shown_ms());
    if !OF_DRIVER.contains(&store.section.get_untracked()) {
        store.go(Section::Map);
    }
    view! {
        <div class="app for-driver" class:with-sheet=move || in_settings() || in_boards() data-section=move || store.section.get().word()>
            <Rail help sections=&OF_DRIVER />
            <div class="stage">
                <InTime view=Later::Driver />
                <Show when=in_settings>
                    <InTime view=Later::Settings />
                </Show>
                <Show when=in_boards>
                    <InTime view=Later::Boards />
                </Show>
            </div>
            <StatusBar />
        </div>
        <InTime view=Later::Palette { help } />
    }
}

#[component]
fn DesktopShell(help: RwSignal<bool>) -> impl IntoView {
    let store = store();
    let on_map = move || store.section.get() == Section::Map;
    let is_open = Memo::new(move |_| store.selected.get().is_some());
    let has_silence = move || store.section.get() == Section::Alarms && !store.rules.open.get() && !store.page.get();
    view! {
        <div
            class="app"
            class:with-drawer=move || store.selected.get().is_some() && !store.page.get()
            class:with-page=move || store.page.get()
            class:with-sheet=move || !on_map()
            data-section=move || store.section.get().word()
            data-past=move || store.replay.is_past().then_some("yes")
        >
            <Rail help sections=&Section::ALL />
            <header class="bar">
                <div class="finder">
                    <FindBox hint=said("Find by name, street or district") />
                    <Found />
                </div>
                <button
                    type="button"
                    class="palette-open"
                    title=said("Find anything: views, things, commands, groups, places (Ctrl K)")
                    aria-keyshortcuts="Control+K"
                    data-testid="palette-open"
                    on:click=move |_| store.palette.open.set(true)
                >
                    <Icon of=icondata_lu::LuCommand />
                    <span class="unseen">{said("Find anything, ")}</span>
                    <kbd>{said("Ctrl K")}</kbd>
                </button>
                <Show when=on_map>
                    <KindChips />
                </Show>
                <Show when=move || store.replay.is_past() fallback=|| view! { <LiveSign /> }>
                    <PastSign />
                </Show>
            </header>
            <main class="stage">
                // Behind everything, and never taken down: coming back to it costs nothing.
                <MapView />
                <div class="over" aria-live="polite">
                    <CriticalBanner />
                    // Also once the banner is dismissed. The head of the alarms has one of its own.
                    <Show when=move || !has_silence()>
                        <SilenceButton />
                    </Show>
                    <OfflineNotice />
                    <Notices />
                </div>
                <Show when=on_map>
                    <AttentionCard />
                </Show>
                <OverTheMap />
                <Show when=move || is_open.get()>
                    <InTime view=Later::Thing />
                </Show>
            </main>
            <InTime view=Later::Replay />
            <StatusBar />
        </div>
        <InTime view=Later::Palette { help } />
    }
}

/// The section that lies over the map, if any does.
#[component]
fn OverTheMap() -> impl IntoView {
    let store = store();
    // While it is not known who is there, as while the profile begins anew, it is whoever was there last: what is being written stays on
    // the screen.
    let may = Memo::new(move |before: Option<&bool>| {
        let may = store.status.with(|status| status.as_ref().map(|status| status.row.who.role.may_command()));
        may.or(before.copied()).unwrap_or(false)
    });
    // Whoever may not see them is not kept behind them either.
    Effect::new(move |_| {
        if store.rules.open.get() && !may.get() && store.status.with_untracked(Option::is_some) {
            store.rules.open.set(false);
        }
    });
    let in_rules = Memo::new(move |_| store.rules.open.get() && may.get());
    let is_past = Memo::new(move |_| store.replay.is_past());
    move || match store.section.get() {
        Section::Map => ().into_any(),
        Section::Things => view! { <InTime view=Later::Things /> }.into_any(),
        Section::Alarms if in_rules.get() => view! { <InTime view=Later::Rules /> }.into_any(),
        Section::Alarms => view! { <InTime view=Later::Alarms /> }.into_any(),
        Section::Boards => view! { <InTime view=Later::Boards /> }.into_any(),
        Section::Commands => view! { <InTime view=Later::Commands /> }.into_any(),
        Section::Jobs if is_past.get() => view! { <NotInThePast section=Section::Jobs /> }.into_any(),
        Section::Jobs => view! { <InTime view=Later::Jobs /> }.into_any(),
        Section::Settings if is_past.get() => view! { <NotInThePast section=Section::Settings /> }.into_any(),
        Section::Settings => view! { <InTime view=Later::Settings /> }.into_any(),
    }
}

/// In the place of what there is not in the past.
#[component]
fn NotInThePast(section: Section) -> impl IntoView {
    let store = store();
    let why = if section == Section::Jobs {
        said("This is the past: how far jobs and firmware were is not kept.")
    } else {
        said("This is the past: nothing is set here.")
    };
    view! {
        <section class="sheet replay-not-there" aria-label=section.label()>
            <h1>{section.label()}</h1>
            <p>{why}</p>
            <button type="button" class="plain" on:click=move |_| store.back_to_now()>
                {said("Back to now")}
            </button>
        </section>
    }
}

#[component]
fn Rail(help: RwSignal<bool>, sections: &'static [Section]) -> impl IntoView {
    let has_settings = sections.contains(&Section::Settings);
    let above = sections.iter().filter(|section| **section != Section::Settings);
    view! {
        <nav class="rail" aria-label=said("Main")>
            <Logo />
            {above.map(|section| view! { <RailButton section=*section /> }).collect_view()}
            <span class="space" />
            <ThemeButton />
            <button type="button" title=said("Keys (?)") data-testid="rail-keys" on:click=move |_| help.set(true)>
                <Icon of=icondata_lu::LuKeyboard />
                {said("Keys")}
            </button>
            {has_settings.then(|| view! { <RailButton section=Section::Settings /> })}
        </nav>
    }
}

fn icon_of(section: Section) -> &'static icondata_core::IconData {
    match section {
        Section::Map => icondata_lu::LuMap,
        Section::Things => icondata_lu::LuList,
        Section::Alarms => icondata_lu::LuTriangleAlert,
        Section::Boards => icondata_lu::LuLayoutDashboard,
        Section::Commands => icondata_lu::LuArrowLeftRight,
        Section::Jobs => icondata_lu::LuListChecks,
        Section::Settings => icondata_lu::LuSettings,
    }
}

/// The way to a section, with how many there wait for a person.
#[component]
fn RailButton(section: Section) -> impl IntoView {
    let store = store();
    let is_here = Memo::new(move |_| store.section.get() == section);
    let badges = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| badges(section, &status.row)).unwrap_or_default())
    });
    view! {
        <button
            type="button"
            class:on=is_here
            title=tr!("{section} (G {key}); with Ctrl in a window of its own", section = section.label(), key = section.key())
            data-testid=format!("rail-{}", section.word())
            aria-current=move || is_here.get().then_some("page")
            on:click=move |event| {
                if event.ctrl_key() || event.meta_key() {
                    store.open_window(&Address::View(section));
                } else {
                    store.go(section);
                }
            }
            on:auxclick=move |event| {
                // The middle button, as with the tabs of a browser.
                if event.button() == 1 {
                    store.open_window(&Address::View(section));
                }
            }
        >
            <Icon of=icon_of(section) />
            {section.label()}
            {move || {
                badges
                    .get()
                    .into_iter()
                    .map(|badge| {
                        view! {
                            <span
                                class=["badge", badge.tone].join(" ")
                                data-testid=format!("badge-{}", badge.name)
                                aria-hidden="true"
                            >
                                {badge.count}
                            </span>
                            <span class="unseen">{format!(", {}", badge.words)}</span>
                        }
                    })
                    .collect_view()
            }}
        </button>
    }
}

/// A number on the rail.
#[derive(Clone, Debug, PartialEq)]
struct Badge {
    /// For the tests.
    name: &'static str,
    /// Short enough for the rail.
    count: String,
    /// The whole of it.
    words: String,
    tone: &'static str,
}

/// What waits for a person in a section: alarms that nobody has acknowledged, commands that are wanted and not yet so, and what has
/// been so for too long.
fn badges(section: Section, status: &Status) -> Vec<Badge> {
    let told = match section {
        Section::Alarms if status.alarms.critical > 0 => {
            vec![("alarms", status.attention, "crit", "", tr!("{} active, not seen", status.attention))]
        }
        Section::Alarms => vec![("alarms", status.attention, "warn", "", tr!("{} active, not seen", status.attention))],
        Section::Commands => vec![
            ("commands", status.open_commands, "pending", "", tr!("{} wait", status.open_commands)),
            (
                "not-converged",
                status.not_converged,
                "late",
                "≠",
                tr!("{} wanted for long and not so", status.not_converged),
            ),
        ],
        Section::Map | Section::Things | Section::Boards | Section::Jobs | Section::Settings => Vec::new(),
    };
    let badge = |(name, count, tone, mark, words): (&'static str, u32, &'static str, &str, String)| {
        // With a mark there is less room.
        let short = short(count, if mark.is_empty() { 999 } else { 99 });
        (count != 0).then(|| Badge { name, count: format!("{mark}{short}"), words, tone })
    };
    told.into_iter().filter_map(badge).collect()
}

/// A number that may be too long for where it stands.
fn short(count: u32, most: u32) -> String {
    if count > most { format!("{most}+") } else { count.to_string() }
}

/// Light or dark.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let theme = theme();
    let next = move || match theme.get().other() {
        Theme::Light => said("Light"),
        Theme::Dark => said("Dark"),
    };
    view! {
        <button
            type="button"
            data-testid="theme"
            title=move || match theme.get().other() {
                Theme::Light => said("Change to the light theme"),
                Theme::Dark => said("Change to the dark theme"),
            }
            on:click=move |_| theme.turn()
        >
            {move || match theme.get() {
                Theme::Dark => view! { <Icon of=icondata_lu::LuSun /> },
                Theme::Light => view! { <Icon of=icondata_lu::LuMoon /> },
            }}
            {next}
        </button>
    }
}

/// A lens, half in the light.
#[component]
fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 24 24" role="img" aria-label="Fleetlens">
            <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2" />
            <path d="M12 3a9 9 0 0 0 0 18Z" fill="currentColor" />
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_on_the_rail_never_outgrows_it() {
        let told: Vec<String> = [(1, 99), (99, 99), (100, 99), (1_000, 999)].map(|(n, most)| short(n, most)).into();
        assert_eq!(told, ["1", "99", "99+", "999+"]);
    }
}
