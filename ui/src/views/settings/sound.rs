//! How loud alarms are, and what each priority sounds like.

use fleetlens_model::alarm::Priority;
use leptos::prelude::*;

use crate::components::segmented::Segmented;
use crate::sound::{Volume, sounds};

/// The card.
#[component]
pub fn SoundCard() -> impl IntoView {
    let sound = sounds();
    let options = Volume::ALL.map(|volume| (volume, volume.word().to_owned())).to_vec();
    let chosen = Signal::derive(move || Some(sound.volume()));
    let is_off = move || sound.volume() == Volume::Off;
    view! {
        <section class="card" data-testid="settings-sound">
            <h2>"Sound of alarms"</h2>
            <Segmented label="Sound of alarms" options chosen on_choose=Callback::new(move |volume| sound.choose(volume)) />
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
                                {format!("Hear {}", priority.label().to_lowercase())}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
            <p class="none">
                "A new alarm sounds once; a critical one every 20 seconds until it is acknowledged or over, or M is pressed for silence until the next critical one. Each priority has its own rhythm."
            </p>
        </section>
    }
}
