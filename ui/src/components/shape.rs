//! The mark of a thing as the map draws it, for lists and headings: shape before colour.

use fleetlens_ipc::map::Status;
use fleetlens_model::alarm::Priority;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;

use crate::lang::said;

/// What a mark says, in words.
pub fn words(kind: Kind, status: Status) -> String {
    let state = match status {
        Status::Normal => said("nothing wrong"),
        Status::Unknown => said("state unknown"),
        Status::Warning => said("needs a look"),
        Status::Critical => said("needs a person at once"),
    };
    format!("{}, {state}", said(kind.singular()))
}

/// The outline within a square of 16, the same as the live layer's shader draws. Each kind has one of its own: square car park, dot
/// lamp, bucket bin, upright charging post, arrow vehicle, cross gateway; what is wrong goes before what it is.
pub fn outline(kind: Kind, status: Status) -> &'static str {
    match (status, kind) {
        (Status::Critical, _) => "M8 1.2 14.8 8 8 14.8 1.2 8Z",
        (Status::Warning, _) => "M8 1.8 15 13.6H1Z",
        (Status::Normal | Status::Unknown, Kind::Parking) => {
            "M5 2.6h6A2.4 2.4 0 0 1 13.4 5v6a2.4 2.4 0 0 1-2.4 2.4H5A2.4 2.4 0 0 1 2.6 11V5A2.4 2.4 0 0 1 5 2.6Z"
        }
        (Status::Normal | Status::Unknown, Kind::Lamp) => "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2Z",
        (Status::Normal | Status::Unknown, Kind::Bin) => "M2.3 2.8H13.7L11.5 13.2H4.5Z",
        (Status::Normal | Status::Unknown, Kind::Charger) => {
            "M8 2a3.1 3.1 0 0 1 3.1 3.1v5.8a3.1 3.1 0 0 1-6.2 0V5.1A3.1 3.1 0 0 1 8 2Z"
        }
        (Status::Normal | Status::Unknown, Kind::Vehicle) => "M8 1.6 12.6 14 8 11.2 3.4 14Z",
        (Status::Normal | Status::Unknown, Kind::Gateway) => "M6 2h4v4h4v4h-4v4H6v-4H2V6h4Z",
        (Status::Normal | Status::Unknown, Kind::Other) => {
            "M7.2 3.6h1.6a3.6 3.6 0 0 1 3.6 3.6v1.6a3.6 3.6 0 0 1-3.6 3.6H7.2a3.6 3.6 0 0 1-3.6-3.6V7.2a3.6 3.6 0 0 1 3.6-3.6Z"
        }
    }
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
    let path = move || outline(kind.get(), state());
    view! {
        <svg class=class viewBox="0 0 16 16" role="img" aria-label=move || words(kind.get(), state())>
            <path d=path stroke-linejoin="round" />
        </svg>
    }
}

/// The mark of a priority, in lists of alarms: a full diamond, a full triangle, a hollow ring, so that nobody needs to see a colour.
#[component]
pub fn PriorityShape(
    /// How bad.
    #[prop(into)]
    priority: Signal<Priority>,
) -> impl IntoView {
    let class = move || match priority.get() {
        Priority::Advisory => "shape advisory",
        Priority::Warning => "shape warn",
        Priority::Critical => "shape crit",
    };
    let path = move || match priority.get() {
        Priority::Advisory => "M8 2.6a5.4 5.4 0 1 1 0 10.8a5.4 5.4 0 1 1 0-10.8Z",
        Priority::Warning => outline(Kind::Other, Status::Warning),
        Priority::Critical => outline(Kind::Other, Status::Critical),
    };
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <path d=path stroke-linejoin="round" />
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_and_everything_wrong_has_an_outline_of_its_own() {
        for calm in [Status::Normal, Status::Unknown] {
            let calm = Kind::ALL.map(|kind| outline(kind, calm));
            let loud = [Status::Warning, Status::Critical].map(|status| outline(Kind::Lamp, status));
            let all: BTreeSet<&str> = calm.into_iter().chain(loud).collect();
            assert_eq!(all.len(), Kind::ALL.len() + 2);
        }
    }
}
