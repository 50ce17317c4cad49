//! The base map: which it is, and another one taken from a file. The file is looked at before it is taken, and copied while the window
//! goes on.

use std::time::Duration;

use fleetlens_ipc::maps::{Copying, MapAsk, MapBook, MapDone, MapFile};
use fleetlens_ipc::{Done, Fault, Intent};
use fleetlens_model::geo::GeoBox;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use tr::tr;

use crate::components::confirm::Confirm;
use crate::components::icon::Icon;
use crate::format;
use crate::lang::{said, term};
use crate::state::{Store, store};
use crate::views::settings::online::{OnlineKept, OnlineMap};

/// How often it is asked how far a copy is.
const LOOKS_EVERY: Duration = Duration::from_millis(300);

/// What the card shows. Copy: a bundle of signals.
#[derive(Clone, Copy)]
struct Card {
    store: Store,
    book: RwSignal<Option<Result<MapBook, Fault>>>,
    path: RwSignal<String>,
    /// The file that was looked at, and what is in it.
    looked: RwSignal<Option<(String, MapFile)>>,
    copying: RwSignal<Copying>,
    /// The copy was begun here, and is taken here when it is there.
    ours: RwSignal<bool>,
    /// When it is asked again how far the copy is.
    next: StoredValue<Option<TimeoutHandle>>,
    /// Something is on its way.
    busy: RwSignal<bool>,
    /// Why the last wish came to nothing.
    wrong: RwSignal<Option<String>>,
}

impl Card {
    fn new(store: Store) -> Card {
        Card {
            store,
            book: RwSignal::new(None),
            path: RwSignal::default(),
            looked: RwSignal::new(None),
            copying: RwSignal::default(),
            ours: RwSignal::new(false),
            next: StoredValue::new(None),
            busy: RwSignal::new(false),
            wrong: RwSignal::new(None),
        }
    }

    fn ask(self, ask: MapAsk, then: impl FnOnce(Result<MapDone, Fault>) + 'static) {
        let pick = |done| if let Done::Map(done) = done { Some(done) } else { None };
        self.store.ask_for(Intent::Map(ask), pick, then);
    }

    /// A wish of a person: what came of it is shown. The card may be gone when it is answered.
    fn wish(self, ask: MapAsk) {
        self.busy.set(true);
        self.wrong.set(None);
        self.ask(ask, move |outcome| {
            self.busy.try_set(false);
            self.take(outcome);
        });
    }

    fn read(self) {
        self.ask(MapAsk::Read, move |outcome| match outcome {
            Ok(done) => self.take(Ok(done)),
            Err(fault) => drop(self.book.try_set(Some(Err(fault)))),
        });
    }

    fn take(self, outcome: Result<MapDone, Fault>) {
        match outcome {
            Ok(MapDone::Book(book)) => {
                self.copied(book.copying.clone());
                self.book.try_set(Some(Ok(*book)));
            }
            Ok(MapDone::Looked(file)) => {
                let path = self.path.try_get_untracked().unwrap_or_default();
                self.looked.try_set(Some((path, *file)));
            }
            Ok(MapDone::Copying(copying)) => self.copied(copying),
            // Every window begins anew, and this card with it; it says then what is shown.
            Ok(MapDone::Taken) => {
                self.ours.try_set(false);
                self.copying.try_set(Copying::Not);
                self.looked.try_set(None);
                self.path.try_set(String::new());
                self.read();
            }
            Err(fault) => {
                self.ours.try_set(false);
                self.wrong.try_set(Some(format::capital(&fault.message)));
            }
        }
    }

    /// What is copied goes on by itself: it is asked for again, and taken when all of it is there. What another window copied, or this one
    /// before it was loaded again, a person takes or lets go of.
    fn copied(self, copying: Copying) {
        match &copying {
            Copying::Not => {}
            Copying::Going { .. } => self.ask_again(),
            Copying::Done { .. } if self.ours.try_get_untracked() == Some(true) => {
                self.ours.try_set(false);
                self.wish(MapAsk::Take);
            }
            Copying::Done { .. } => {}
            // Said once: who opens the settings tomorrow did not ask for it.
            Copying::Failed { why } => {
                self.ours.try_set(false);
                self.wrong.try_set(Some(why.clone()));
                self.ask(MapAsk::Cancel, |_| ());
            }
        }
        self.copying.try_set(copying);
    }

    /// Asks in a moment how far the copy is. What goes wrong on the way says nothing of the copy.
    fn ask_again(self) {
        let look = move || {
            if self.book.try_get_untracked().is_none() {
                return;
            }
            self.ask(MapAsk::Progress, move |outcome| match outcome {
                Ok(done) => self.take(Ok(done)),
                Err(_) => self.ask_again(),
            });
        };
        // One at a time, however many answers say that it goes on.
        self.next.try_update_value(|next| {
            let before = std::mem::replace(next, set_timeout_with_handle(look, LOOKS_EVERY).ok());
            before.inspect(TimeoutHandle::clear);
        });
    }
}

/// The map in use, and a form for another.
#[component]
pub fn MapCard() -> impl IntoView {
    let card = Card::new(store());
    card.read();
    let known = Memo::new(move |_| card.book.with(|book| book.as_ref().and_then(|book| book.as_ref().ok().cloned())));
    let fault = Memo::new(move |_| {
        card.book.with(|book| book.as_ref().and_then(|book| book.as_ref().err().map(|fault| fault.message.clone())))
    });
    let locked = Memo::new(move |_| known.with(|book| book.as_ref().and_then(|book| book.locked.clone())));
    view! {
        <section class="card map-card" data-testid="settings-map">
            <h2>{said("Map")}</h2>
            {move || fault.get().map(|words| view! { <p class="fault" role="alert">{format::capital(&words)}</p> })}
            {move || known.get().map(|book| view! { <Shown book card /> })}
            {move || locked.get().map(|why| view! {
                <p class="note" data-testid="map-locked">{locked_words(&why)}</p>
            })}
            <Show when=move || known.with(Option::is_some) && locked.with(Option::is_none)>
                <Another card />
                <OnlineMap
                    facts=|file| view! { <Facts file testid="online-facts" /> }.into_any()
                    taken=Callback::new(move |()| card.read())
                    book=known.into()
                />
            </Show>
        </section>
    }
}

fn locked_words(why: &str) -> String {
    tr!("{}. Copy the profile to give it a map of its own.", format::capital(why))
}

/// What is shown now.
#[component]
fn Shown(book: MapBook, card: Card) -> impl IntoView {
    let asks = RwSignal::new(false);
    let is_own = book.file.is_some();
    let file = book.file.clone().unwrap_or_else(|| said("built in: Malta").to_owned());
    let may_leave = is_own && book.locked.is_none();
    let leaving = if book.online.is_some() {
        said(
            "It covers Malta. What Fleetlens has kept of the other map stays, and is there when its address is given again.",
        )
    } else {
        said(
            "It covers Malta. Fleetlens removes its own copy of the other map, unless another profile shows it; the file it was taken from stays where it is.",
        )
    };
    view! {
        <Facts file=book.about testid="map-facts">
            <dt>{said("Shown")}</dt>
            <dd><code data-testid="map-file">{file}</code></dd>
        </Facts>
        {book.online.map(|book| view! { <OnlineKept book /> })}
        {may_leave.then(|| view! {
            <button type="button" class="plain" data-testid="map-built-in" disabled=move || card.busy.get() on:click=move |_| asks.set(true)>
                {said("Back to the built-in map")}
            </button>
            <Confirm open=asks asks=said("Show the built-in map again?") yes=said("Show it") no=said("Stay") on_yes=Callback::new(move |()| card.wish(MapAsk::BuiltIn))>
                <p>{leaving}</p>
            </Confirm>
        })}
    }
}

/// What a file says of itself.
#[component]
fn Facts(file: MapFile, testid: &'static str, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let covers = file.bounds.map_or_else(|| said("it does not say what").to_owned(), box_words);
    let named = Some(file.name.clone()).filter(|name| !name.is_empty());
    let whose = Some(file.attribution.clone()).filter(|words| !words.is_empty());
    view! {
        <dl class="facts" data-testid=testid>
            {children.map(|children| children())}
            {named.map(|name| view! { <dt>{said("Name")}</dt><dd>{name}</dd> })}
            <dt>{said("Holds")}</dt>
            <dd>{holds_words(&file)}</dd>
            <dt>{said("Covers")}</dt>
            <dd>{covers}</dd>
            <dt>{said("Data")}</dt>
            <dd>{whose.unwrap_or_else(|| said("nobody is named").to_owned())}</dd>
        </dl>
    }
}

/// `streets as vectors, zoom 6 to 14, 3.8 MB of MBTiles`.
fn holds_words(file: &MapFile) -> String {
    let what = match file.tiles.as_str() {
        "vector" => said("streets as vectors").to_owned(),
        pictures => tr!("pictures ({})", pictures),
    };
    let zooms = if file.min_zoom == file.max_zoom {
        tr!("zoom {}", file.max_zoom)
    } else {
        tr!("zoom {from} to {to}", from = file.min_zoom, to = file.max_zoom)
    };
    match file.bytes {
        0 => format!("{what}, {zooms}"),
        bytes => {
            let size = tr!("{size} of {container}", size = format::bytes(bytes), container = file.container);
            format!("{what}, {zooms}, {size}")
        }
    }
}

/// `35.78° to 36.10° north, 14.15° to 14.60° east`.
fn box_words(area: GeoBox) -> String {
    let deg = |deg: f64| format::number(deg.abs(), 2);
    let span = |from: f64, to: f64, below: &'static str, above: &'static str| {
        let (below, above) = (said(below), said(above));
        match (from < 0.0, to < 0.0) {
            (false, false) => tr!("{from}° to {to}° {side}", from = deg(from), to = deg(to), side = above),
            (true, true) => tr!("{from}° to {to}° {side}", from = deg(to), to = deg(from), side = below),
            _ => tr!("{from}° {below} to {to}° {above}", from = deg(from), below, to = deg(to), above),
        }
    };
    let up = span(area.south_deg, area.north_deg, term("south"), term("north"));
    format!("{up}, {}", span(area.west_deg, area.east_deg, term("west"), term("east")))
}

/// The form.
#[component]
fn Another(card: Card) -> impl IntoView {
    let book = move || card.book.with(|book| book.as_ref().and_then(|book| book.as_ref().ok().cloned()));
    let found = move || book().map(|book| book.found).unwrap_or_default();
    let note = move || book().map(|book| where_words(&book.folder, book.only_there)).unwrap_or_default();
    let is_going = Memo::new(move |_| card.copying.with(|copying| matches!(copying, Copying::Going { .. })));
    let waiting = Memo::new(move |_| {
        let name = card.copying.with(|copying| match copying {
            Copying::Done { name } => Some(name.clone()),
            Copying::Not | Copying::Going { .. } | Copying::Failed { .. } => None,
        });
        name.filter(|_| !card.ours.get() && !card.busy.get())
    });
    let can_look = Memo::new(move |_| {
        let is_named = card.path.with(|path| !path.trim().is_empty());
        is_named && !card.busy.get() && !is_going.get()
    });
    let look = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if can_look.get_untracked() {
            card.looked.set(None);
            card.wish(MapAsk::Look { path: card.path.get_untracked() });
        }
    };
    let typed = move |event| {
        card.path.set(event_target_value(&event));
        card.looked.set(None);
        card.wrong.set(None);
    };
    let take = move |_| {
        if let Some((path, _)) = card.looked.get_untracked() {
            card.ours.set(true);
            card.wish(MapAsk::Import { path });
        }
    };
    view! {
        <form class="map-another" novalidate on:submit=look>
            <label class="field">
                <span>{said("Another map, an .mbtiles or .pmtiles file")}</span>
                <input
                    type="text"
                    autocomplete="off"
                    spellcheck="false"
                    list="maps-found"
                    data-testid="map-path"
                    aria-describedby="map-path-note"
                    disabled=move || is_going.get()
                    prop:value=move || card.path.get()
                    on:input=typed
                />
            </label>
            <datalist id="maps-found">
                {move || found().into_iter().map(|name| view! { <option value=name /> }).collect_view()}
            </datalist>
            <p class="note" id="map-path-note">{note}</p>
            <div class="answers">
                <button type="submit" class="plain" data-testid="map-look" disabled=move || !can_look.get()>
                    {said("Check")}
                </button>
            </div>
        </form>
        {move || card.looked.get().filter(|_| !is_going.get()).map(|(_, file)| view! {
            <div class="map-looked" data-testid="map-looked">
                <Facts file testid="map-looked-facts" />
                <p class="note">
                    {said("Fleetlens makes a copy of its own, names it in the profile's file and shows it in every window, without a restart. The profile begins anew with it: delays and windows of time of its rules start again.")}
                </p>
                <div class="answers">
                    <button type="button" class="send" data-testid="map-take" disabled=move || card.busy.get() on:click=take>
                        {said("Use this map")}
                    </button>
                </div>
            </div>
        })}
        <div class="answer" aria-live="polite" data-testid="map-answer">
            {move || card.wrong.get().map(|why| view! {
                <p class="fault"><Icon of=icondata_lu::LuTriangleAlert />{why}</p>
            })}
            <Show when=move || is_going.get()>
                <Progress card />
            </Show>
            {move || waiting.get().map(|name| view! {
                <div class="map-progress" data-testid="map-waiting">
                    <span>{tr!("{name} is copied and waits to be shown.", name)}</span>
                    <div class="answers">
                        <button type="button" class="plain" disabled=move || card.busy.get() on:click=move |_| card.wish(MapAsk::Cancel)>
                            {said("Remove it")}
                        </button>
                        <button type="button" class="send" disabled=move || card.busy.get() on:click=move |_| card.wish(MapAsk::Take)>
                            {said("Show it")}
                        </button>
                    </div>
                </div>
            })}
        </div>
    }
}

fn where_words(folder: &str, only_there: bool) -> String {
    match only_there {
        true => {
            tr!(
                "It lies in {folder} on the machine where Fleetlens runs; from a browser no other can be named.",
                folder
            )
        }
        false => tr!("With its path; without one it is looked for in {folder}", folder),
    }
}

/// How far the copy is.
#[component]
fn Progress(card: Card) -> impl IntoView {
    let told = Memo::new(move |_| {
        card.copying.with(|copying| match copying {
            Copying::Going { name, done, of } => Some((name.clone(), *done, *of)),
            Copying::Not | Copying::Done { .. } | Copying::Failed { .. } => None,
        })
    });
    let share = move || told.get().map_or(0.0, |(_, done, of)| if of == 0 { 0.0 } else { done as f64 / of as f64 });
    let words = move || {
        told.get().map(|(name, done, of)| {
            tr!("{name}: {done} of {of}", name, done = format::bytes(done), of = format::bytes(of))
        })
    };
    let cancel = move |_| {
        card.ours.set(false);
        card.wish(MapAsk::Cancel);
    };
    view! {
        <div class="map-progress" data-testid="map-progress">
            <progress max="1" prop:value=share aria-label=said("Copying the map") />
            <span>{words}</span>
            <button type="button" class="plain" data-testid="map-cancel" on:click=cancel>
                {said("Cancel")}
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_in_words() {
        let file = MapFile {
            tiles: "vector".into(),
            container: "PMTiles".into(),
            min_zoom: 6,
            max_zoom: 14,
            bytes: 3_800_000,
            ..MapFile::default()
        };
        assert_eq!(
            holds_words(&file),
            format!("streets as vectors, zoom 6 to 14, {} of PMTiles", format::bytes(3_800_000))
        );
        let pictures = MapFile { tiles: "png".into(), min_zoom: 3, max_zoom: 3, bytes: 0, ..file };
        assert_eq!(holds_words(&pictures), "pictures (png), zoom 3");
    }

    #[test]
    fn what_it_covers_is_told_by_the_side_of_the_earth_on_which_it_lies() {
        for ((west_deg, south_deg, east_deg, north_deg), want) in [
            ((14.15, 35.78, 14.6, 36.1), "35.78° to 36.10° north, 14.15° to 14.60° east"),
            ((-70.9, -33.8, -70.2, -33.1), "33.10° to 33.80° south, 70.20° to 70.90° west"),
            ((-180.0, -85.0, 180.0, 85.0), "85.00° south to 85.00° north, 180.00° west to 180.00° east"),
        ] {
            assert_eq!(box_words(GeoBox { west_deg, south_deg, east_deg, north_deg }), want);
        }
    }
}
