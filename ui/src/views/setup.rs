//! Where profiles are made and changed: the first question, a broker that is tried, and the text with what it would read.

mod brokers;
mod editor;
mod form;
mod preview;
mod trying;
mod welcome;

use fleetlens_ipc::profile::{ProfileAsk, ProfileDone};
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::lang::said;
use crate::state::profiles::{Setup, is_running};
use crate::state::{Store, store};
use brokers::BrokerPages;
use editor::EditorPage;

pub use welcome::Welcome;

/// The text that is worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Work {
    text: String,
    /// The profile it replaces.
    replaces: Option<String>,
    /// What was typed as the password, for its own file.
    password: Option<fleetlens_ipc::profile::Typed>,
}

/// A message as a sentence of its own: with a capital, unless it begins with something that is quoted or an address.
fn sentence(message: &str) -> String {
    let first = message.split(' ').next().unwrap_or_default();
    if first.chars().all(char::is_alphabetic) { crate::format::capital(message) } else { message.to_owned() }
}

/// Shows a page from its top.
fn to_top() {
    if let Ok(Some(page)) = document().query_selector(".welcome, .setup-dialog") {
        page.set_scroll_top(0);
    }
}

/// Ends a try that nobody looks at any more.
fn end_try(store: Store) {
    let runs = store.trial.try_with_untracked(|trial| trial.as_ref().is_some_and(|trial| is_running(&trial.step)));
    if runs == Some(true) {
        store.ask_profile(ProfileAsk::EndTry, |_| ());
    }
    store.trial.try_set(None);
}

/// Over the whole window, while a profile is made or changed.
#[component]
pub fn SetupDialog() -> impl IntoView {
    let store = store();
    let open = RwSignal::new(false);
    let dirty = RwSignal::new(false);
    Effect::new(move |_| {
        let wanted = store.setup.with(Option::is_some);
        if wanted != open.get_untracked() {
            dirty.set(false);
            open.set(wanted);
        }
    });
    Effect::new(move |_| {
        if !open.get() && store.setup.with_untracked(Option::is_some) {
            store.setup.set(None);
        }
    });
    let label = Signal::derive(move || match store.setup.get() {
        Some(Setup::Edit(name)) => tr!("Edit {}", name),
        Some(Setup::Copy(name)) => tr!("Copy of {}", name),
        Some(Setup::New) | None => said("New profile").to_owned(),
    });
    let close = Callback::new(move |()| open.set(false));
    view! {
        <Modal open label class="modal setup-dialog" testid="setup" lets_go=Signal::derive(move || !dirty.get())>
            <header class="setup-head">
                <h1>{move || label.get()}</h1>
                <button type="button" class="plain" data-testid="setup-close" on:click=move |_| close.run(())>
                    <Icon of=icondata_lu::LuX />
                    {move || if dirty.get() { said("Leave without saving") } else { said("Close") }}
                </button>
            </header>
            {move || match store.setup.get() {
                None => ().into_any(),
                Some(Setup::New) => view! { <BrokerPages dirty on_saved=close /> }.into_any(),
                Some(Setup::Edit(name)) => view! { <Opened name copy=false dirty on_saved=close /> }.into_any(),
                Some(Setup::Copy(name)) => view! { <Opened name copy=true dirty on_saved=close /> }.into_any(),
            }}
        </Modal>
    }
}

/// The text of a profile that is there, once it has come.
#[component]
fn Opened(name: String, copy: bool, dirty: RwSignal<bool>, on_saved: Callback<()>) -> impl IntoView {
    let store = store();
    let came = RwSignal::new(None);
    store.trial.set(None);
    let replaces = (!copy).then(|| name.clone());
    store.ask_profile(ProfileAsk::Open { name, copy }, move |outcome| {
        // The dialog may have been closed.
        drop(came.try_set(Some(match outcome {
            Ok(ProfileDone::Text { text, file }) => Ok((Work { text, replaces, password: None }, file)),
            Ok(ProfileDone::Trying | ProfileDone::Checked(_) | ProfileDone::Saved(_)) => {
                Err(said("no text came").to_owned())
            }
            Err(fault) => Err(fault.message),
        })));
    });
    move || match came.get() {
        None => view! { <p class="none setup-page" role="status">{said("Opening…")}</p> }.into_any(),
        Some(Err(why)) => view! { <p class="fault setup-page" role="alert">{why}</p> }.into_any(),
        Some(Ok((work, file))) => view! { <EditorPage work file dirty on_saved /> }.into_any(),
    }
}
