//! The mark of a thing as the map draws it, for lists and headings: shape before colour.

use fleetlens_ipc::map::Status;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;

/// What a mark says, in words.
pub fn words(kind: Kind, status: Status) -> String {
    let state = match status {
        Status::Normal => "nothing wrong",
        Status::Unknown => "state unknown",
        Status::Warning => "needs a look",
        Status::Critical => "needs a person at once",
    };
    format!("{}, {state}", kind.singular())
}

/// A mark.
#[component]
pub fn Shape(
    /// Its kind.
    #[prop(into)]
    kind: Signal<Kind>,
    /// [`Status::code`].
    #[prop(into)]
    status: Signal<u8>,
) -> impl IntoView {
    let state = move || Status::from_code(status.get());
    let class = move || match state() {
        Status::Normal => "shape ok",
        Status::Unknown => "shape unknown",
        Status::Warning => "shape warn",
        Status::Critical => "shape crit",
    };
    let path = move || match (state(), kind.get()) {
        (Status::Critical, _) => "M8 1.2 14.8 8 8 14.8 1.2 8Z",
        (Status::Warning, _) => "M8 1.8 15 13.6H1Z",
        (Status::Normal | Status::Unknown, Kind::Parking) => {
            "M5 2.6h6A2.4 2.4 0 0 1 13.4 5v6a2.4 2.4 0 0 1-2.4 2.4H5A2.4 2.4 0 0 1 2.6 11V5A2.4 2.4 0 0 1 5 2.6Z"
        }
        (Status::Normal | Status::Unknown, Kind::Lamp) => "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2Z",
        (Status::Normal | Status::Unknown, Kind::Other) => {
            "M7.2 3.6h1.6a3.6 3.6 0 0 1 3.6 3.6v1.6a3.6 3.6 0 0 1-3.6 3.6H7.2a3.6 3.6 0 0 1-3.6-3.6V7.2a3.6 3.6 0 0 1 3.6-3.6Z"
        }
    };
    view! {
        <svg class=class viewBox="0 0 16 16" role="img" aria-label=move || words(kind.get(), state())>
            <path d=path stroke-linejoin="round" />
        </svg>
    }
}
