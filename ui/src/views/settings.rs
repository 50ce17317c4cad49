//! How the program is set: which profile, who is here, how much the cache keeps, how it looks. Every answer stands beside what it
//! answers.

mod cache;
mod map;
mod online;
mod person;
mod profiles;
pub mod sheet;
mod sound;

use fleetlens_ipc::Fault;
use fleetlens_ipc::rows::Settings;
use leptos::prelude::*;

use crate::components::segmented::Segmented;
use crate::lang::{self, Language, said};
use crate::state::store;
use crate::theme::{Choice, Contrast, Theme, theme};
use crate::views::commands::may_command;
use crate::views::diagnostics::{DiagnosticsView, ToDiagnostics};
use crate::views::help::KeyList;
use crate::views::settings::cache::CacheForm;
use crate::views::settings::map::MapCard;
use crate::views::settings::person::PersonForm;
use crate::views::settings::profiles::Profiles;
use crate::views::settings::sound::SoundCard;

/// The section.
#[component]
pub fn SettingsView() -> impl IntoView {
    let store = store();
    store.follow_settings();
    let is_known = Memo::new(move |_| store.settings.with(Option::is_some));
    let may = may_command(store);
    view! {
        <Show when=move || !store.diagnosing.get() fallback=|| view! { <DiagnosticsSheet /> }>
        <section class="sheet settings" data-testid="settings" aria-label=said("Settings")>
            <header class="sheet-head">
                <h1>{said("Settings")}</h1>
                <span class="space" />
                <Show when=move || may.get()>
                    <button type="button" class="plain" data-testid="settings-to-rules" on:click=move |_| store.go_to_rules()>
                        {said("Rules")}
                    </button>
                </Show>
            </header>
            <div class="sheet-body">
                <Show when=move || is_known.get() fallback=|| view! { <Coming /> }>
                    <div class="cards">
                        <div class="column first">
                            <Profiles />
                            <CacheForm />
                        </div>
                        <div class="column">
                            <PersonForm />
                            <Show when=move || may.get()>
                                <MapCard />
                            </Show>
                            <Look />
                            <SoundCard />
                            <About />
                        </div>
                        <div class="column keys-column">
                            <Keys />
                        </div>
                    </div>
                </Show>
            </div>
        </section>
        </Show>
    }
}

/// How the program stands, in place of how it is set.
#[component]
fn DiagnosticsSheet() -> impl IntoView {
    view! {
        <section class="sheet" data-testid="diagnostics" aria-label=said("Diagnostics")>
            <DiagnosticsView />
        </section>
    }
}

/// Something of the settings as they are now; its default while they are not known.
fn told<T: Default + Clone + PartialEq + Send + Sync + 'static>(read: fn(&Settings) -> T) -> Memo<T> {
    let store = store();
    Memo::new(move |_| store.settings.with(|settings| settings.as_ref().map(read).unwrap_or_default()))
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// Nothing was asked.
    Rest,
    /// It is on its way.
    Asked,
    /// It is set.
    Done,
    /// It is not.
    Refused(Fault),
}

/// The line below a form that says what became of it.
#[component]
fn AnswerLine(
    /// What became of it.
    #[prop(into)]
    answer: Signal<Answer>,
    /// What to say when it is set.
    done: &'static str,
) -> impl IntoView {
    view! {
        <div class="answer" aria-live="polite" data-testid="answer">
            {move || match answer.get() {
                Answer::Rest => ().into_any(),
                Answer::Asked => view! { <p class="none">{said("Saving…")}</p> }.into_any(),
                Answer::Done => view! { <p class="done">{done}</p> }.into_any(),
                Answer::Refused(fault) => view! { <p class="fault">{fault.message}</p> }.into_any(),
            }}
        </div>
    }
}

/// The buttons of a form: there is something to save only once something is other than it was.
#[component]
fn Save(
    /// Whether anything is other than it was.
    #[prop(into)]
    dirty: Signal<bool>,
    /// Whether it can be saved as it is.
    #[prop(into)]
    valid: Signal<bool>,
    /// What became of the last change.
    #[prop(into)]
    answer: Signal<Answer>,
    /// Puts everything back as it was.
    on_undo: Callback<()>,
) -> impl IntoView {
    let asked = move || answer.with(|answer| *answer == Answer::Asked);
    // One memo of all three: an effect that reads a memo and then one that it was made of misses changes of the latter
    // (reactive_graph 0.2.16).
    let can_save = Memo::new(move |_| dirty.get() && valid.get() && !asked());
    view! {
        <div class="answers">
            <Show when=move || dirty.get() && !asked()>
                <button type="button" class="plain" data-testid="undo" on:click=move |_| on_undo.run(())>
                    {said("Undo")}
                </button>
            </Show>
            <button type="submit" class="send" data-testid="save" disabled=move || !can_save.get()>
                {said("Save")}
            </button>
        </div>
    }
}

/// How it looks.
#[component]
fn Look() -> impl IntoView {
    let theme = theme();
    let options = vec![
        (Choice::System, said("System").to_owned()),
        (Choice::Always(Theme::Light), said("Light").to_owned()),
        (Choice::Always(Theme::Dark), said("Dark").to_owned()),
    ];
    let chosen = Signal::derive(move || Some(theme.choice()));
    let contrasts = Contrast::CHOICES.map(|(contrast, word)| (contrast, said(word).to_owned())).to_vec();
    let contrast = Signal::derive(move || Some(theme.contrast()));
    // Each by its own name: whoever is lost in another language finds the own one.
    let languages = Language::CHOICES.map(|(language, name)| (language, name.to_owned())).to_vec();
    let language = Signal::derive(|| Some(lang::language()));
    view! {
        <section class="card" data-testid="settings-theme">
            <h2>{said("Theme")}</h2>
            <Segmented label=said("Theme") options chosen on_choose=Callback::new(move |choice| theme.choose(choice)) />
            <p class="none">{said("Dark for the control room, light for the sun.")}</p>
            <h2>{said("Contrast")}</h2>
            <Segmented
                label=said("Contrast")
                options=contrasts
                chosen=contrast
                on_choose=Callback::new(move |choice| theme.choose_contrast(choice))
            />
            <p class="none">{said("More makes every line and every word stand out, wherever the quiet ones are hard to see.")}</p>
            <h2>{said("Language")}</h2>
            <Segmented label=said("Language") options=languages chosen=language on_choose=Callback::new(lang::speak) />
            <p class="none">
                {said("The window is loaded again in it. What devices, files and the program's faults say stays as it is.")}
            </p>
        </section>
    }
}

#[component]
fn Keys() -> impl IntoView {
    view! {
        <section class="card" data-testid="settings-keys">
            <h2>{said("Keys")}</h2>
            <KeyList />
        </section>
    }
}

#[component]
fn About() -> impl IntoView {
    let version = told(|settings| settings.version.clone());
    view! {
        <section class="card" data-testid="settings-about">
            <h2>{said("About")}</h2>
            <p>
                "Fleetlens "
                <span data-testid="version">{version}</span>
            </p>
            <ToDiagnostics />
            <p class="none">{said("Map data © OpenStreetMap contributors, under the Open Database Licence.")}</p>
        </section>
    }
}

/// The shape of what is coming.
#[component]
fn Coming() -> impl IntoView {
    view! {
        <div class="cards coming" role="status" aria-label=said("Loading")>
            <div class="column">
                <div class="bone tall" />
                <div class="bone" />
            </div>
            <div class="column">
                <div class="bone" />
                <div class="bone tall" />
            </div>
        </div>
    }
}
