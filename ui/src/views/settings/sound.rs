//! How loud alarms are, and what each priority sounds like.

use fleetlens_model::alarm::Priority;
use leptos::prelude::*;

use crate::components::segmented::Segmented;
use crate::lang::said;
use crate::sound::{Volume, sounds};

/// The card.
#[component]
pub fn SoundCard() -> impl IntoView {
    let sound = sounds();
    let options = Volume::ALL.map(|volume| (volume, said(volume.word()).to_owned())).to_vec();
    let chosen = Signal::derive(move || Some(sound.volume()));
    let is_off = move || sound.volume() == Volume::Off;
    view! {
        <section class="card" data-testid="settings-sound">
            <h2>{said("Sound of alarms")}</h2>
            <Segmented label=said("Sound of alarms") options chosen on_choose=Callback::new(move |volume| sound.choose(volume)) />
            <div class="hear">
                {Priority::FROM_LOWEST
                    .into_iter()
                    .rev()
                    .map(|priority| {
                        view! {
                            <button
                                type="button"
                                class="plain"
                                data-testid="hear"
                                disabled=is_off
                                on:click=move |_| sound.play(priority)
                            >
                                {hear_words(priority)}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
            <p class="none">
                {said("A new alarm sounds once; a critical one every 20 seconds until it is acknowledged or over, or M is pressed for silence until the next critical one. Each priority has its own rhythm.")}
            </p>
        </section>
    }
}

fn hear_words(priority: Priority) -> &'static str {
    match priority {
        Priority::Advisory => said("Hear advisory"),
        Priority::Warning => said("Hear warning"),
        Priority::Critical => said("Hear critical"),
    }
}
