//! Silence, and why nothing sounds.

use leptos::prelude::*;

use crate::components::icon::Icon;
use crate::lang::said;
use crate::sound::{Volume, sounds};

/// The button that ends the sound until the next critical alarm; there while something goes on sounding. It acknowledges nothing.
#[component]
pub fn SilenceButton() -> impl IntoView {
    let sound = sounds();
    view! {
        <Show when=move || sound.is_ringing()>
            <button
                type="button"
                class="plain silence"
                data-testid="silence"
                title=said("Ends the repetition until the next critical alarm; nothing is acknowledged by it (M)")
                on:click=move |_| sound.silence()
            >
                <Icon of=icondata_lu::LuBellOff />
                {said("Silence")}
            </button>
        </Show>
    }
}

/// Why nothing sounds, where that is so.
#[component]
pub fn SoundNote() -> impl IntoView {
    let sound = sounds();
    let words = move || match (sound.volume(), sound.is_blocked()) {
        (Volume::Off, _) => Some(said("Sound is off (Settings)")),
        (Volume::Low | Volume::Middle | Volume::Loud, true) => {
            Some(said("An alarm could not sound: click or press a key here, then the next one will"))
        }
        (Volume::Low | Volume::Middle | Volume::Loud, false) => None,
    };
    view! {
        <Show when=move || words().is_some()>
            <p class="sound-note" role="status" data-testid="sound-note" title=words>
                <Icon of=icondata_lu::LuVolumeOff />
                <span>{words}</span>
            </p>
        </Show>
    }
}
