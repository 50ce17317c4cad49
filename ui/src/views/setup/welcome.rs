//! The first question: the demo city, or a broker of one's own.

use fleetlens_ipc::profile::ProfileAsk;
use leptos::prelude::*;

use super::brokers::BrokerPages;
use crate::app::ThemeButton;
use crate::components::icon::Icon;
use crate::lang::said;
use crate::state::store;
use crate::views::notices::Notices;

/// The whole window, until somebody has said what to show.
#[component]
pub fn Welcome() -> impl IntoView {
    let store = store();
    let has_broker = RwSignal::new(false);
    let dirty = RwSignal::new(false);
    let fault = RwSignal::new(None::<String>);
    let asked = RwSignal::new(false);
    let demo = move |_| {
        asked.set(true);
        fault.set(None);
        store.ask_profile(ProfileAsk::Demo, move |outcome| {
            // On success another window takes this one's place.
            if let Err(refused) = outcome {
                asked.try_set(false);
                fault.try_set(Some(refused.message));
            }
        });
    };
    view! {
        <main class="welcome" class:choosing=move || !has_broker.get() data-testid="welcome">
            <header class="setup-head">
                <h1>{move || if has_broker.get() { said("Your broker") } else { "Fleetlens" }}</h1>
                <Show when=move || has_broker.get() && !dirty.get()>
                    <button type="button" class="plain" data-testid="welcome-back" on:click=move |_| has_broker.set(false)>
                        <Icon of=icondata_lu::LuArrowLeft />
                        {said("Back")}
                    </button>
                </Show>
                <ThemeButton />
            </header>
            <div class="over" aria-live="polite">
                <Notices />
            </div>
            <Show
                when=move || has_broker.get()
                fallback=move || {
                    view! {
                        <div class="setup-page choose">
                            <p class="lead">{said("What do you want to see? You can change it in the settings at any time.")}</p>
                            <div class="choices">
                                <button
                                    type="button"
                                    class="choice"
                                    data-testid="choose-demo"
                                    disabled=move || asked.get()
                                    on:click=demo
                                >
                                    <Icon of=icondata_lu::LuBuilding2 />
                                    <b>{said("Demo city")}</b>
                                    <span>
                                        {said("1 650 things on the map of Malta, with a broker inside this program. Nothing to set up; its values are made up.")}
                                    </span>
                                </button>
                                <button
                                    type="button"
                                    class="choice"
                                    data-testid="choose-broker"
                                    disabled=move || asked.get()
                                    on:click=move |_| has_broker.set(true)
                                >
                                    <Icon of=icondata_lu::LuRadioTower />
                                    <b>{said("Your broker")}</b>
                                    <span>
                                        {said("Connect to an MQTT broker. Fleetlens listens for ten seconds and proposes how to read what it says.")}
                                    </span>
                                </button>
                            </div>
                            <div aria-live="polite">
                                {move || fault.get().map(|why| view! { <p class="fault">{why}</p> })}
                            </div>
                        </div>
                    }
                }
            >
                <BrokerPages dirty on_saved=Callback::new(|()| ()) />
            </Show>
        </main>
    }
}
