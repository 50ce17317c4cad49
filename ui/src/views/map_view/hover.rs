//! The card beside the pointer: the thing under it, or what a cluster holds.

use fleetlens_ipc::rows::ThingHead;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsValue;

use super::kinds::counted;
use crate::components::shape::Shape;
use crate::format;
use crate::islands::clusters::Cluster;
use crate::lang::said;
use crate::state::store;

/// What is said of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    /// Its numbers.
    pub cluster: Cluster,
    /// What it holds, the most first.
    pub kinds: Vec<(Kind, u32)>,
}

/// The card.
#[component]
pub fn HoverCard(pointer: RwSignal<(f64, f64)>, crowd: RwSignal<Option<Crowd>>) -> impl IntoView {
    let store = store();
    let shown = Memo::new(move |_| store.hovered.with(|hovered| hovered.as_ref().map(|hovered| hovered.row.clone())));
    move || match (crowd.get(), shown.get()) {
        (Some(crowd), _) => card(pointer, crowd_words(&crowd)).into_any(),
        (None, Some(head)) => card(pointer, thing_words(&head)).into_any(),
        (None, None) => ().into_any(),
    }
}

fn card(pointer: RwSignal<(f64, f64)>, inside: impl IntoView) -> impl IntoView {
    let (x_px, y_px) = pointer.get_untracked();
    let (left, up) = near_edge(x_px, y_px);
    view! {
        <div
            class="hover-card"
            class:left=left
            class:up=up
            data-testid="hover"
            style:left=format!("{x_px}px")
            style:top=format!("{y_px}px")
        >
            {inside}
        </div>
    }
}

fn thing_words(head: &ThingHead) -> impl IntoView + use<> {
    view! {
        <Shape kind=head.kind status=head.status />
        <div>
            <b>{head.title.clone()}</b>
            <span>{format::place(&head.street, &head.area)}</span>
            <span class="word">{format::freshness_word(head.freshness)}</span>
        </div>
    }
}

fn crowd_words(crowd: &Crowd) -> impl IntoView + use<> {
    let need = crowd.cluster.need;
    let need = (need > 0).then(|| view! { <b class="need">{need_words(need)}</b> });
    view! {
        <div>
            <b>{format::things(crowd.cluster.count.into())}</b>
            {need}
            <span>{kind_words(&crowd.kinds)}</span>
            <span class="word">{said("Click to come closer")}</span>
        </div>
    }
}

/// `1 needs a person`, `3 need a person`.
pub fn need_words(need: u32) -> String {
    tr!("1 needs a person" | "{count} need a person" % need, count = format::count(u64::from(need)))
}

/// `180 lamps · 34 bins`.
fn kind_words(kinds: &[(Kind, u32)]) -> String {
    let words = |(kind, count): &(Kind, u32)| counted(*kind, u64::from(*count));
    kinds.iter().map(words).collect::<Vec<_>>().join(" · ")
}

/// Whether the card would be cut by the right or the lower edge of the window.
fn near_edge(x_px: f64, y_px: f64) -> (bool, bool) {
    let size = |read: Result<JsValue, JsValue>| read.ok().and_then(|size| size.as_f64());
    let (width, height) = (size(window().inner_width()).unwrap_or(0.0), size(window().inner_height()).unwrap_or(0.0));
    (x_px + 360.0 > width, y_px + 180.0 > height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_in_words() {
        assert_eq!(kind_words(&[(Kind::Lamp, 180), (Kind::Parking, 1)]), "180 lamps · 1 car park");
        assert_eq!((need_words(1).as_str(), need_words(3).as_str()), ("1 needs a person", "3 need a person"));
    }
}
