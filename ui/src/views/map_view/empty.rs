//! What stands over the map while there is nothing on it.

use fleetlens_ipc::rows::LinkState;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::lang::said;
use crate::state::store;

/// Why there is nothing, and when there will be.
#[component]
pub fn Empty() -> impl IntoView {
    let store = store();
    let words = Memo::new(move |_| {
        store.status.with(|status| {
            let status = &status.as_ref()?.row;
            (status.things == 0).then(|| match &status.link {
                LinkState::Starting | LinkState::Connecting { .. } => (
                    said("Nothing is known yet"),
                    tr!(
                        "Trying to reach {}. Things appear as soon as they speak, and stay when the link is lost.",
                        status.broker
                    ),
                ),
                LinkState::Up { .. } => (
                    said("Listening"),
                    tr!("{} has said nothing yet that is a thing. The first one appears by itself.", status.broker),
                ),
            })
        })
    });
    view! {
        {move || {
            words
                .get()
                .map(|(title, sentence)| {
                    view! {
                        <div class="empty" role="status" data-testid="empty">
                            <Icon of=icondata_lu::LuRadio />
                            <h2>{title}</h2>
                            <p>{sentence}</p>
                        </div>
                    }
                })
        }}
    }
}
