//! A new profile from a broker: the form, the try, and then the text.

use fleetlens_ipc::profile::{Password, Proposed, TrialStep};
use leptos::prelude::*;

use super::editor::EditorPage;
use super::form::{Filled, FormCard};
use super::trying::Progress;
use super::{Work, end_try, to_top};
use crate::components::icon::Icon;
use crate::lang::said;
use crate::state::store;

/// Two pages; the form keeps what was filled in while one looks at the other.
#[component]
pub fn BrokerPages(
    /// Whether something would be lost.
    dirty: RwSignal<bool>,
    /// Told once the profile is kept and used.
    on_saved: Callback<()>,
) -> impl IntoView {
    let store = store();
    store.trial.set(None);
    on_cleanup(move || end_try(store));
    let filled = Filled::new();
    let work = RwSignal::new(None::<Work>);
    let take = Callback::new(move |proposed: Proposed| {
        let password = match filled.password() {
            Password::Typed(typed) => Some(typed),
            Password::None | Password::Keychain(_) | Password::Env(_) | Password::File(_) => None,
        };
        work.set(Some(Work { text: proposed.text, replaces: None, password }));
        dirty.set(true);
        request_animation_frame(to_top);
    });
    // What was recognised is shown at once; where nothing was, the form stays with what was heard.
    Effect::new(move |_| {
        let done = store.trial.with(|trial| match trial.as_ref().map(|trial| &trial.step) {
            Some(TrialStep::Done(proposed)) => Some(proposed.as_ref().clone()),
            Some(TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Failed { .. }) | None => None,
        });
        if let Some(proposed) = done.filter(|_| work.with_untracked(Option::is_none))
            && proposed.checked.preview.is_some()
        {
            take.run(proposed);
        }
    });
    view! {
        <div class="setup-page broker" class:hidden=move || work.with(Option::is_some)>
            <FormCard filled />
            <Progress url=filled.url on_take=take />
        </div>
        {move || {
            work.get().map(|work_now| {
                view! {
                    <div class="setup-back">
                        <button
                            type="button"
                            class="link"
                            data-testid="setup-back"
                            on:click=move |_| {
                                work.set(None);
                                dirty.set(false);
                                store.trial.set(None);
                            }
                        >
                            <Icon of=icondata_lu::LuArrowLeft />
                            {said("Back to the broker")}
                        </button>
                    </div>
                    <EditorPage work=work_now file=String::new() dirty on_saved />
                }
            })
        }}
    }
}
