//! The map on the page: the island, the card at the pointer, the kinds that are shown, and what stands in its place when there
//! is no WebGL or nothing to show.

pub mod areas;
mod bare;
mod begin;
mod chips;
mod choose;
mod empty;
mod hover;
mod kinds;
mod layers;
mod marked;
mod plain;
mod screen;

use fleetlens_ipc::{Done, Intent};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::ThingKey;
use leptos::html;
use leptos::prelude::*;
use std::rc::Rc;
use std::time::Duration;
use tr::tr;
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

use crate::components::icon::Icon;
use crate::form::{Form, form};
use crate::format;
use crate::islands::clusters::Cell as Cluster;
use crate::islands::map::{Covered, MapEars, MapIsland};
use crate::islands::marks::Pointed;
use crate::lang::said;
use crate::later::{InTime, Later};
use crate::state::palette::Spot;
use crate::state::section::Section;
use crate::state::thing::Slot;
use crate::state::{Store, store};
use crate::theme::theme;
use crate::views::commands::may_command;

pub use chips::KindChips;
pub use screen::{MapScreen, map_screen};

use areas::AreaTool;
use bare::BareNote;
use begin::Beginnings;
use choose::{ChooseOnMap, ChooseTools, ChosenOnMap};
use empty::Empty;
use hover::{Crowd, HoverCard};
use layers::{HeatLegend, HiddenNote, LayersButton};
use marked::{ChosenAt, CrowdKeys};
use plain::PlainNote;
pub use plain::{Plain, load as load_plain};

/// How long the pointer rests on a thing before its card is asked for.
const DWELL: Duration = Duration::from_millis(90);

/// What lies over the map while a thing is chosen: the drawer, or the phone's find box and the round top of its sheet.
fn covered(form: Form) -> Covered {
    match form {
        Form::Desktop => Covered { top_px: 48.0, right_px: 416.0, bottom_px: 0.0 },
        Form::Phone => Covered { top_px: 70.0, right_px: 0.0, bottom_px: 48.0 },
    }
}

/// What a click on the map does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chooses {
    /// Opens the thing there.
    #[default]
    Things,
    /// Says where it was, whatever stands there.
    Ground,
}

/// The map. Uses the [`MapScreen`] around it, if there is one.
#[component]
pub fn MapView(
    /// What a click does.
    #[prop(optional)]
    chooses: Chooses,
    /// What lies over the map and moves with it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (store, form, theme) = (store(), form(), theme());
    let screen = use_context::<MapScreen>().unwrap_or_else(MapScreen::new);
    provide_context(screen);
    let element = NodeRef::<html::Div>::new();
    let failed = RwSignal::new(None::<String>);
    let plain = RwSignal::new(None::<Plain>);
    let pointer = RwSignal::new((0.0, 0.0));
    let crowd = RwSignal::new(None::<Crowd>);

    let begins = Beginnings::new();
    begin::begin(Told { store, form, screen, chooses, begins, pointer, crowd, plain, failed }, element);
    Effect::new(move |_| {
        if let Some(element) = element.get() {
            follow_size(&element, screen);
        }
    });
    on_cleanup(move || {
        screen.with(MapIsland::remove);
        screen.island.set_value(None);
        screen.camera.set(None);
    });
    Effect::new(move |_| {
        store.marks_changed.get();
        if store.section.get() == Section::Map || form == Form::Phone {
            screen.with(MapIsland::news);
        }
    });
    // What a person chose is shown at once.
    Effect::new(move |_| {
        store.selected.track();
        store.hidden.track();
        screen.with(MapIsland::repaint);
    });
    Effect::new(move |before: Option<()>| {
        theme.follow();
        if before.is_some() {
            screen.with(MapIsland::recolour);
        }
    });
    match chooses {
        Chooses::Things => layers::keep(store),
        Chooses::Ground => layers::hide_nothing(store),
    }
    Effect::new(move |_| {
        let layers = store.layers.get();
        screen.mounted.track();
        screen.with(|map| map.show_layers(layers));
    });
    if chooses == Chooses::Things {
        areas::show(store, screen);
    }
    reveal_chosen(store, form, screen);
    show_spots(store, form, screen);
    watch_live(store);
    let open =
        Callback::new(move |cluster: crate::islands::clusters::Cluster| open_cluster(screen, form, cluster.cell));
    let may = may_command(store);
    let has_map = move || failed.with(Option::is_none) && store.map_known.get();
    let may_choose = Memo::new(move |_| form == Form::Desktop && chooses == Chooses::Things && may.get() && has_map());
    let zooms = move |closer: bool| screen.with(|map| map.zoom(closer));

    view! {
        <div class="map" data-testid="map">
            <div class="map-canvas" node_ref=element />
            <Show when=move || may_choose.get()>
                <ChooseOnMap screen />
            </Show>
            <CrowdKeys screen open />
            <ChosenAt screen />
            {children.map(|children| children())}
            <HoverCard pointer crowd />
            <div class="map-notes">
                <PlainNote plain />
                <BareNote screen />
                <Show when=move || has_map() && chooses == Chooses::Things>
                    <HiddenNote />
                </Show>
                <Show when=move || has_map()>
                    <HeatLegend />
                </Show>
            </div>
            <Show when=move || may_choose.get()>
                <ChooseTools screen />
                <AreaTool />
                <InTime view=Later::Areas { screen } />
                <ChosenOnMap />
            </Show>
            <Show when=move || failed.with(Option::is_none)>
                <div class="zoom">
                    <button
                        type="button"
                        title=tr!("{} (F)", whole_words(chooses))
                        aria-label=whole_words(chooses)
                        data-testid="whole-fleet"
                        on:click=move |_| store.show_fleet()
                    >
                        <Icon of=icondata_lu::LuExpand />
                    </button>
                    <Show when=move || form == Form::Desktop>
                        <button type="button" title=said("Closer (+)") aria-label=said("Closer") on:click=move |_| zooms(true)>
                            <Icon of=icondata_lu::LuPlus />
                        </button>
                        <button type="button" title=said("Further (−)") aria-label=said("Further") on:click=move |_| zooms(false)>
                            <Icon of=icondata_lu::LuMinus />
                        </button>
                    </Show>
                </div>
            </Show>
            <Show when=move || has_map() && chooses == Chooses::Things>
                <LayersButton />
            </Show>
            {move || {
                failed
                    .get()
                    .map(|words| {
                        view! {
                            <div class="no-map" role="alert" data-testid="no-map">
                                <Icon of=icondata_lu::LuMapPinOff />
                                <h2>{said("No map here")}</h2>
                                <p>{words}</p>
                            </div>
                        }
                    })
            }}
            <Show when=move || !store.areas.open.get()>
                <Empty />
            </Show>
        </div>
    }
}

/// Whom the map tells what happens on it.
#[derive(Clone, Copy)]
struct Told {
    store: Store,
    form: Form,
    screen: MapScreen,
    chooses: Chooses,
    begins: Beginnings,
    pointer: RwSignal<(f64, f64)>,
    crowd: RwSignal<Option<Crowd>>,
    plain: RwSignal<Option<Plain>>,
    failed: RwSignal<Option<String>>,
}

fn ears(told: Told) -> MapEars {
    let Told { store, screen, begins, plain, failed, .. } = told;
    MapEars {
        area: Box::new(move |area| store.look_at_area(area)),
        hovered: Box::new(hovering(told)),
        chosen: Box::new(move |pointed, at| chosen(told, pointed, at)),
        // The map may say a last word while it is taken down.
        moved: Box::new(move |camera| {
            screen.camera.try_set(Some(camera));
        }),
        taken: Box::new(move || begins.taken(store)),
        left: Box::new(move |sight| begins.left(sight, store)),
        drawn: Box::new(move |count, on_ground| tell_drawn(store, count, on_ground)),
        unnamed: Box::new(move |things| ask_names(store, screen, things)),
        groundless: Box::new(move |why| {
            plain.try_update(|plain| {
                if let Some(plain) = plain {
                    plain.groundless = Some(why);
                }
            });
        }),
        failed: Rc::new(move |error| drop(failed.try_set(Some(format::capital(&error.to_string()))))),
    }
}

/// What things are called that stand close enough to be named.
fn ask_names(store: Store, screen: MapScreen, things: Vec<ThingKey>) {
    // Another fleet has other keys, and its map begins anew.
    let run = store.begun.get_untracked();
    store.ask(Intent::Names(things.clone()), move |outcome| {
        if store.begun.try_get_untracked() != Some(run) {
            return;
        }
        let names = match outcome {
            Ok(Done::Names(names)) => Some(names),
            Ok(_) | Err(_) => None,
        };
        screen.with(|map| map.name(&things, names));
    });
}

/// The thing under the pointer is asked for once the pointer rests; a cluster says at once what the window knows of it.
fn hovering(told: Told) -> impl Fn(Option<Pointed>, f64, f64) {
    let Told { store, form, screen, chooses, pointer, crowd, .. } = told;
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let under = StoredValue::new(None::<Pointed>);
    move |pointed, x_px, y_px| {
        let Some(before) = under.try_get_value() else { return };
        if form == Form::Phone || chooses == Chooses::Ground || before == pointed {
            return;
        }
        under.set_value(pointed);
        pointer.set((x_px, y_px));
        if let Some(handle) = resting.get_value() {
            handle.clear();
        }
        let (thing, cluster) = match pointed {
            Some(Pointed::Thing(thing)) => (Some(thing), None),
            Some(Pointed::Cluster(cell)) => (None, Some(cell)),
            None => (None, None),
        };
        let marks = store.marks();
        marks.borrow_mut().hover_cluster(cluster);
        crowd.set(cluster.and_then(|cell| {
            let marks = marks.borrow();
            Some(Crowd { cluster: marks.cluster(cell)?, kinds: marks.kinds(cell) })
        }));
        screen.with(MapIsland::repaint);
        if thing.is_some() {
            resting.set_value(set_timeout_with_handle(move || store.hover(thing), DWELL).ok());
        } else if matches!(before, Some(Pointed::Thing(_))) {
            store.hover(None);
        }
    }
}

fn chosen(told: Told, pointed: Option<Pointed>, at: LonLat) {
    let Told { store, form, screen, chooses, .. } = told;
    if chooses == Chooses::Things && areas::clicked(store, screen, at) {
        return;
    }
    match (pointed, chooses) {
        (_, Chooses::Ground) => screen.tapped.set(Some(at)),
        (Some(Pointed::Thing(thing)), Chooses::Things) => store.open(thing),
        (Some(Pointed::Cluster(cell)), Chooses::Things) => open_cluster(screen, form, cell),
        (None, Chooses::Things) => {
            // Whoever taps beside a thing to close it does not say where they are.
            if form == Form::Phone && store.selected.with_untracked(Option::is_some) {
                store.close();
            } else {
                screen.tapped.set(Some(at));
            }
        }
    }
}

/// What the button that shows everything is called.
fn whole_words(chooses: Chooses) -> &'static str {
    match chooses {
        Chooses::Things => said("Show the whole fleet"),
        Chooses::Ground => said("Show all car parks"),
    }
}

/// Comes so close that what a cluster holds is told apart.
fn open_cluster(screen: MapScreen, form: Form, cluster: Cluster) {
    let covered = match form {
        Form::Desktop => Covered::default(),
        Form::Phone => covered(form),
    };
    screen.with(|map| map.open(cluster, covered));
}

/// What tests and `cargo xtask run` wait for: how many marks the last picture held.
fn tell_drawn(store: Store, count: usize, on_ground: bool) {
    if !store.map_known.get_untracked() {
        return;
    }
    let held = if on_ground { store.map_drawn } else { store.map_shown };
    if held.get_untracked() != Some(count) {
        held.set(Some(count));
    }
}

/// Sets `data-things` and, once a picture with something known was drawn, `data-live` on the page; tells the host of first pictures.
fn watch_live(store: Store) {
    let told = StoredValue::new(0);
    Effect::new(move |_| {
        let (Some(count), Some(root)) = (store.map_drawn.get(), document().document_element()) else { return };
        // Cannot fail: these are names of attributes.
        let _ = root.set_attribute("data-things", &count.to_string());
        if count > 0 || store.link_up.get() {
            let _ = root.set_attribute("data-live", "true");
        }
        // A picture, one with something on it, one of a connected city: the host is told of the first of each.
        let stage = 1 + u8::from(count > 0) + u8::from(count > 0 && store.link_up.get());
        if stage > told.get_value() {
            told.set_value(stage);
            store.tell_drawn(count, true);
        }
    });
    // The first with what is known, which need not wait for the ground; of nothing known, the first.
    let shown = StoredValue::new(None);
    Effect::new(move |_| {
        let Some(count) = store.map_shown.get().filter(|_| store.map_drawn.get_untracked().is_none()) else { return };
        if shown.get_value().is_none_or(|before| before == 0 && count > 0) {
            shown.set_value(Some(count));
            store.tell_drawn(count, false);
        }
    });
}

/// Brings the chosen thing into the free part of the map once it is known where it stands.
fn reveal_chosen(store: Store, form: Form, screen: MapScreen) {
    Effect::new(move |before: Option<Option<_>>| {
        let shown = store.thing.with(|slot| match slot {
            Slot::Here(thing) => Some((thing.key, thing.head.with_untracked(|head| head.row.at))),
            Slot::Closed | Slot::Loading(_) | Slot::Missing(_) => None,
        });
        let key = shown.map(|(key, _)| key);
        if let Some((_, Some(at))) = shown
            && before.flatten() != key
        {
            screen.with(|map| map.reveal(at, covered(form)));
        }
        key
    });
}

/// Shows a place that somebody looked for, where the drawer does not lie over it.
fn show_spots(store: Store, form: Form, screen: MapScreen) {
    Effect::new(move |before: Option<Option<u32>>| {
        let spot = store.palette.spot.get();
        let times = spot.as_ref().map(|(times, _)| *times);
        let Some((_, Spot { name, area, zoom })) = spot.filter(|_| before.is_some_and(|before| before != times)) else {
            return times;
        };
        if screen.is_unmapped() {
            store.notify(tr!("There is no map here on which {name} could be shown.", name));
            return times;
        }
        let has_drawer = form == Form::Phone || store.selected.with_untracked(Option::is_some);
        let covered = if has_drawer { covered(form) } else { Covered::default() };
        let middle = LonLat {
            lon_deg: f64::midpoint(area.west_deg, area.east_deg),
            lat_deg: f64::midpoint(area.south_deg, area.north_deg),
        };
        screen.with(|map| match zoom {
            Some(zoom) => map.go(middle, zoom, covered),
            None => map.show(area, covered),
        });
        times
    });
}

fn follow_size(element: &web_sys::HtmlDivElement, screen: MapScreen) {
    let ear = Closure::<dyn Fn()>::new(move || screen.with(MapIsland::resize)).into_js_value();
    if let Ok(watching) = ResizeObserver::new(ear.unchecked_ref()) {
        watching.observe(element);
    }
}
