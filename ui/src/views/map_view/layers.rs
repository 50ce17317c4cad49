//! What the map shows, as switches: kinds, names, trails, how full car parks are, the ground. Kept for each profile in the page's own
//! storage; that a kind is hidden is said on the map, so that nobody forgets it.

use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use super::kinds::counted;
use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::state::layers::{Layer, Layers, from_words, words};
use crate::state::{Store, store};

/// What a profile's map shows; the profile's name follows.
const KEY: &str = "fleetlens.layers.";

/// Takes what was chosen for the profile in use, and keeps what is chosen from then on.
pub(super) fn keep(store: Store) {
    let profile = Memo::new(move |_| store.status.with(|status| Some(status.as_ref()?.row.profile.clone())));
    let whose = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        let Some(name) = profile.get() else { return };
        let kept = storage().and_then(|storage| storage.get_item(&format!("{KEY}{name}")).ok().flatten());
        let (layers, hidden) = from_words(&kept.unwrap_or_default());
        store.layers.set(layers);
        store.show_but(&hidden);
        whose.set_value(Some(name));
    });
    Effect::new(move |_| {
        let (layers, hidden) = (store.layers.get(), store.hidden.get());
        if let (Some(name), Some(storage)) = (whose.get_value(), storage()) {
            // A full or forbidden storage only costs the choice at the next start.
            let _ = storage.set_item(&format!("{KEY}{name}"), &words(layers, &hidden));
        }
    });
}

/// A driver's map shows everything: it has no switches, so what somebody hid here for themselves would be gone for good.
pub(super) fn hide_nothing(store: Store) {
    store.layers.set(Layers::default());
    store.show_but(&[]);
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// The button, and the switches while it is open.
#[component]
pub fn LayersButton() -> impl IntoView {
    let is_open = RwSignal::new(false);
    let button = NodeRef::<leptos::html::Button>::new();
    let shut = move || {
        is_open.set(false);
        if let Some(button) = button.get_untracked() {
            // Fails only where it is gone.
            let _ = button.focus();
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" && is_open.get_untracked() {
            // It closes this and nothing behind it.
            event.stop_propagation();
            shut();
        }
    };
    view! {
        <div class="zoom layers-corner" on:keydown=on_key>
        <button
            type="button"
            node_ref=button
            title=said("What the map shows")
            aria-label=said("What the map shows")
            aria-expanded=move || is_open.get().to_string()
            aria-controls="map-layers"
            class:on=move || is_open.get()
            data-testid="layers"
            on:click=move |_| is_open.update(|is| *is = !*is)
        >
            <Icon of=icondata_lu::LuLayers />
        </button>
        <Show when=move || is_open.get()>
            <Panel shut=Callback::new(move |()| shut()) />
        </Show>
        </div>
    }
}

#[component]
fn Panel(shut: Callback<()>) -> impl IntoView {
    let store = store();
    let kinds = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()).unwrap_or_default())
    });
    view! {
        <div
            id="map-layers"
            class="layers-panel"
            role="group"
            aria-label=said("What the map shows")
            data-testid="layers-panel"
        >
            <div class="layers-head">
                <h2>{said("On the map")}</h2>
                <button type="button" class="layers-shut" aria-label=said("Close") title=said("Close (Esc)") on:click=move |_| shut.run(())>
                    <Icon of=icondata_lu::LuX />
                </button>
            </div>
            <For each=move || kinds.get() key=|(kind, _)| *kind let:item>
                <KindSwitch kind=item.0 kinds />
            </For>
            <hr />
            {Layer::ALL.map(|layer| view! { <LayerSwitch layer /> }).collect_view()}
        </div>
    }
}

#[component]
fn KindSwitch(kind: Kind, kinds: Memo<Vec<(Kind, u32)>>) -> impl IntoView {
    let store = store();
    let count =
        move || kinds.with(|kinds| kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count));
    let is_shown = Memo::new(move |_| store.hidden.with(|hidden| !hidden.contains(&kind)));
    view! {
        <label class="layers-switch">
            <input
                type="checkbox"
                data-testid="layers-kind"
                data-kind=kind.word()
                prop:checked=move || is_shown.get()
                on:change=move |_| store.show(kind, !is_shown.get_untracked())
            />
            <span class="layers-sign" aria-hidden="true"><Shape kind status=0u8 /></span>
            <span>{said(kind.plural())}</span>
            <span class="layers-count">{move || format::count(u64::from(count()))}</span>
        </label>
    }
}

#[component]
fn LayerSwitch(layer: Layer) -> impl IntoView {
    let store = store();
    let is_shown = Memo::new(move |_| store.layers.with(|layers| layers.has(layer)));
    view! {
        <label class="layers-switch">
            <input
                type="checkbox"
                data-testid="layers-layer"
                data-layer=layer.word()
                prop:checked=move || is_shown.get()
                on:change=move |_| store.layers.update(|layers| layers.set(layer, !is_shown.get_untracked()))
            />
            <span class="layers-name">{layer.label()}</span>
            <span class="layers-count">{layer.hint()}</span>
        </label>
    }
}

/// Which kinds are hidden, and a way to have them back.
#[component]
pub fn HiddenNote() -> impl IntoView {
    let store = store();
    let hidden = Memo::new(move |_| {
        let kinds =
            store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()).unwrap_or_default());
        // What there is none of is not missed.
        let is_bare = !store.layers.get().ground;
        store.hidden.with(|hidden| hidden_words(hidden, &kinds, is_bare))
    });
    view! {
        {move || {
            hidden
                .get()
                .map(|words| {
                    view! {
                        <div class="layers-hidden" role="status" data-testid="hidden-note">
                            <Icon of=icondata_lu::LuEyeOff />
                            <span>{words}</span>
                            <button type="button" class="link" data-testid="show-hidden" on:click=move |_| show_all(store)>
                                {said("Show all")}
                            </button>
                        </div>
                    }
                })
        }}
    }
}

/// Nothing is hidden any more.
fn show_all(store: Store) {
    store.show_but(&[]);
    store.layers.update(|layers| layers.ground = true);
}

/// `Hidden: 120 lamps, streets`; `None` where all there is is shown.
fn hidden_words(hidden: &[Kind], kinds: &[(Kind, u32)], is_bare: bool) -> Option<String> {
    let of = |(kind, count): &(Kind, u32)| counted(*kind, u64::from(*count));
    let mut words: Vec<String> =
        kinds.iter().filter(|(kind, count)| *count > 0 && hidden.contains(kind)).map(of).collect();
    words.extend(is_bare.then(|| said("streets").to_owned()));
    (!words.is_empty()).then(|| tr!("Hidden: {}", words.join(", ")))
}

/// What the shade around car parks means, while it is there.
#[component]
pub fn HeatLegend() -> impl IntoView {
    let store = store();
    let measured = Memo::new(move |_| {
        let is_shown = store.layers.get().heat && store.hidden.with(|hidden| !hidden.contains(&Kind::Parking));
        store.marks_changed.track();
        is_shown.then(|| store.marks().borrow().measured())
    });
    view! {
        {move || {
            measured
                .get()
                .map(|(known, unknown)| {
                    view! {
                        <div class="heat-legend" data-testid="heat-legend">
                            <b>{said("Places taken")}</b>
                            <span>"0 %"</span>
                            <span class="heat-scale" aria-hidden="true" />
                            <span>"100 %"</span>
                            <span class="heat-of">{heat_words(known, unknown)}</span>
                        </div>
                    }
                })
        }}
    }
}

/// Of how many it is known.
fn heat_words(known: u32, unknown: u32) -> String {
    let (parks, others) = (format::count(u64::from(known)), format::count(u64::from(unknown)));
    match unknown {
        0 => tr!("measured at 1 car park" | "measured at {parks} car parks" % known, parks = parks),
        _ => tr!(
            "measured at 1 car park; {others} not known" | "measured at {parks} car parks; {others} not known" % known,
            parks = parks,
            others = others
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_told_with_how_many_there_are() {
        let kinds = [(Kind::Lamp, 1_200), (Kind::Bin, 1), (Kind::Vehicle, 0)];
        assert_eq!(hidden_words(&[], &kinds, false), None);
        assert_eq!(hidden_words(&[Kind::Vehicle], &kinds, false), None, "there is none of it");
        assert_eq!(hidden_words(&[], &kinds, true).as_deref(), Some("Hidden: streets"));
        let words = hidden_words(&[Kind::Bin, Kind::Lamp], &kinds, false).unwrap();
        assert!(words.starts_with("Hidden: 1") && words.ends_with("lamps, 1 bin"), "{words}");
    }

    #[test]
    fn the_legend_says_of_how_many_it_speaks() {
        assert_eq!(heat_words(1, 0), "measured at 1 car park");
        assert_eq!(heat_words(12, 3), "measured at 12 car parks; 3 not known");
    }
}
