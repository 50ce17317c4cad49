//! What the map's pixels cannot offer by themselves: a button for each cluster in the picture, so that the keyboard and a screen reader
//! reach it, and an element where the chosen thing stands, by which tests point at the map.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use tr::tr;

use super::hover::need_words;
use super::screen::MapScreen;
use crate::format;
use crate::islands::badges::radius_px;
use crate::islands::clusters::Cluster;
use crate::islands::mercator::{Local, place};
use crate::lang::said;
use crate::state::store;

/// The most clusters one goes through by keyboard, the worst of them.
const LISTED: usize = 60;

/// How long the map must be at rest before the buttons follow it.
const REST: Duration = Duration::from_millis(250);

/// The clusters in the picture: one stop of the Tab key, arrow keys go on to the next, Enter comes closer.
#[component]
pub fn CrowdKeys(
    /// The map they are on.
    screen: MapScreen,
    /// What Enter does.
    open: Callback<Cluster>,
) -> impl IntoView {
    let store = store();
    let crowds = RwSignal::new(Vec::<(Cluster, (f64, f64))>::new());
    let resting = StoredValue::new(None::<TimeoutHandle>);
    on_cleanup(move || {
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
    });
    let list = move || {
        let found = screen.camera.with_untracked(|camera| {
            let camera = camera.as_ref()?;
            let clusters = store.marks().borrow().clusters_in(camera);
            Some(clusters.into_iter().take(LISTED).map(|c| (c, camera.project(c.at))).collect::<Vec<_>>())
        });
        let found = found.unwrap_or_default();
        if crowds.with_untracked(|known| *known != found) {
            crowds.set(found);
        }
    };
    // While the camera moves the list waits; while only marks change it is told anew now and then.
    let moved = Memo::new(move |_| screen.camera.get());
    Effect::new(move |before: Option<_>| {
        let camera = moved.get();
        store.marks_changed.track();
        let has_moved = before.is_some_and(|before| before != camera);
        if let Some(handle) = resting.get_value().filter(|_| has_moved) {
            handle.clear();
            resting.set_value(None);
        }
        if resting.with_value(Option::is_none) {
            let told = move || {
                resting.set_value(None);
                list();
            };
            resting.set_value(set_timeout_with_handle(told, REST).ok());
        }
        camera
    });
    let at = RwSignal::new(0_usize);
    let box_ = NodeRef::<html::Ul>::new();
    let step = move |event: leptos::ev::KeyboardEvent| {
        let last = crowds.with_untracked(Vec::len).saturating_sub(1);
        let to = match event.key().as_str() {
            "ArrowRight" | "ArrowDown" => (at.get_untracked() + 1).min(last),
            "ArrowLeft" | "ArrowUp" => at.get_untracked().saturating_sub(1),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        at.set(to);
        let button =
            box_.get_untracked().and_then(|list| list.query_selector(&format!("[data-place='{to}']")).ok().flatten());
        if let Some(button) =
            button.and_then(|button| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(button).ok())
        {
            // Fails only for an element that is not on the page.
            let _ = button.focus();
        }
    };
    view! {
        <ul class="crowds" node_ref=box_ aria-label=said("Clusters on the map, worst first") on:keydown=step>
            <For
                each=move || crowds.get().into_iter().enumerate()
                key=|(place, (cluster, at))| (*place, cluster.cell, cluster.count, cluster.need, at.0.to_bits(), at.1.to_bits())
                let:item
            >
                {
                    let (number, (cluster, (x_px, y_px))) = item;
                    let side = 2.0 * radius_px(cluster.count);
                    view! {
                        <li>
                            <button
                                type="button"
                                data-testid="cluster"
                                data-place=number.to_string()
                                data-count=cluster.count.to_string()
                                data-need=cluster.need.to_string()
                                tabindex=move || if at.get().min(crowds.with(Vec::len).saturating_sub(1)) == number { "0" } else { "-1" }
                                aria-label=words(&cluster)
                                style:left=format!("{x_px}px")
                                style:top=format!("{y_px}px")
                                style:width=format!("{side}px")
                                style:height=format!("{side}px")
                                on:click=move |_| open.run(cluster)
                            />
                        </li>
                    }
                }
            </For>
        </ul>
    }
}

fn words(cluster: &Cluster) -> String {
    let count = format::count(u64::from(cluster.count));
    let need = if cluster.need == 0 { said("none needs a person").into() } else { need_words(cluster.need) };
    tr!("{count} things, {need}; come closer", count, need)
}

/// Where the chosen thing stands on the map, while it is on it.
#[component]
pub fn ChosenAt(
    /// The map it is on.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let chosen = Memo::new(move |_| {
        store.marks_changed.track();
        store.marks().borrow().chosen().map(|(thing, at): (_, Local)| (thing, place(at)))
    });
    move || {
        chosen.get().map(|(thing, at)| {
            let px = move |read: fn((f64, f64)) -> f64| screen.project(at).map(|at| format!("{:.1}px", read(at)));
            view! {
                <span
                    class="chosen-at"
                    aria-hidden="true"
                    data-testid="chosen-at"
                    data-thing=thing.0.to_string()
                    style:left=move || px(|at| at.0)
                    style:top=move || px(|at| at.1)
                />
            }
        })
    }
}
