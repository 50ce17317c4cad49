//! The desktop's window: rail, bar, map with what lies over it, status line.

use leptos::prelude::*;

use crate::clock::{Clock, on_waking};
use crate::components::icon::Icon;
use crate::form::Form;
use crate::keys;
use crate::phone::PhoneShell;
use crate::state::{Store, store};
use crate::theme::{Theme, ThemeSwitch, theme};
use crate::views::attention::AttentionCard;
use crate::views::find::{FindBox, Finder, Found};
use crate::views::help::Help;
use crate::views::link::{LiveSign, OfflineNotice};
use crate::views::map_view::{KindChips, MapView};
use crate::views::notices::{Notices, Stranded};
use crate::views::status_bar::StatusBar;
use crate::views::thing::ThingPanel;

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
    keys::listen(store, finder, help, form);
    store.connect();
    on_waking(move || store.look_again());
    match form {
        Form::Desktop => view! { <DesktopShell help /> }.into_any(),
        Form::Phone => view! { <PhoneShell /> }.into_any(),
    }
}

#[component]
fn DesktopShell(help: RwSignal<bool>) -> impl IntoView {
    let store = store();
    view! {
        <div
            class="app"
            class:with-drawer=move || store.selected.get().is_some() && !store.page.get()
            class:with-page=move || store.page.get()
        >
            <Rail help />
            <header class="bar">
                <div class="finder">
                    <FindBox hint="Find by name, street or district" />
                    <Found />
                </div>
                <KindChips />
                <LiveSign />
            </header>
            <main class="stage">
                <MapView />
                <div class="over" aria-live="polite">
                    <OfflineNotice />
                    <Notices />
                </div>
                <AttentionCard />
                <ThingPanel />
            </main>
            <StatusBar />
        </div>
        <Help open=help />
        <Stranded />
    }
}

#[component]
fn Rail(help: RwSignal<bool>) -> impl IntoView {
    let store = store();
    let is_map = move || !store.page.get();
    view! {
        <nav class="rail" aria-label="Main">
            <Logo />
            <button
                type="button"
                class:on=is_map
                title="Map (G M)"
                data-testid="rail-map"
                aria-current=move || is_map().then_some("page")
                on:click=move |_| store.page.set(false)
            >
                <Icon of=icondata_lu::LuMap />
                "Map"
            </button>
            <span class="space" />
            <ThemeButton />
            <button type="button" title="Keys (?)" data-testid="rail-keys" on:click=move |_| help.set(true)>
                <Icon of=icondata_lu::LuKeyboard />
                "Keys"
            </button>
        </nav>
    }
}

/// Light or dark.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let theme = theme();
    let next = move || match theme.get().other() {
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    };
    view! {
        <button
            type="button"
            data-testid="theme"
            title=move || format!("Change to the {} theme", next().to_lowercase())
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
