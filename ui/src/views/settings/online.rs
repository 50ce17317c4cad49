//! A map from an address: typed, looked at, shown. The host fetches; the page's policy lets it reach no other server.

use fleetlens_ipc::maps::{MapAsk, MapBook, MapDone, MapFile, OnlineBook, OnlineDraft};
use fleetlens_ipc::{Done, Intent};
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::store;

/// How much is kept of the map of an address that is in use.
#[component]
pub fn OnlineKept(book: OnlineBook) -> impl IntoView {
    let OnlineBook { host, kept, kept_max, fault } = book;
    view! {
        <p class="note" data-testid="online-kept">
            {tr!("From {host}. What was seen is kept, {kept} of at most {most}, and shown without a network.", host = host, kept = format::bytes(kept), most = format::bytes(kept_max))}
        </p>
        {fault.map(|why| view! { <p class="fault"><Icon of=icondata_lu::LuTriangleAlert />{why}</p> })}
    }
}

/// The form. `facts` draws what was found; `taken` is told when it is shown.
#[component]
pub fn OnlineMap(facts: fn(MapFile) -> AnyView, taken: Callback<()>, book: Signal<Option<MapBook>>) -> impl IntoView {
    let store = store();
    let (address, whose) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let looked = RwSignal::new(None::<MapFile>);
    let (busy, wrong) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let draft = move || OnlineDraft {
        address: address.get_untracked(),
        attribution: whose.get_untracked(),
        at: store.whereabouts.map_left.get_untracked().map(|sight| sight.center),
    };
    // The card may be gone when it is answered.
    let wish = move |ask: MapAsk| {
        busy.set(true);
        wrong.set(None);
        let pick = |done| if let Done::Map(done) = done { Some(done) } else { None };
        store.ask_for(Intent::Map(ask), pick, move |outcome| {
            busy.try_set(false);
            match outcome {
                Ok(MapDone::Looked(file)) => drop(looked.try_set(Some(*file))),
                Ok(MapDone::Taken) => {
                    looked.try_set(None);
                    address.try_set(String::new());
                    taken.try_run(());
                }
                Ok(MapDone::Book(_) | MapDone::Copying(_)) => {}
                Err(fault) => drop(wrong.try_set(Some(format::capital(&fault.message)))),
            }
        });
    };
    let can_look = Memo::new(move |_| address.with(|address| !address.trim().is_empty()) && !busy.get());
    let look = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if can_look.get_untracked() {
            looked.set(None);
            wish(MapAsk::LookAt(draft()));
        }
    };
    let changed = move || {
        looked.set(None);
        wrong.set(None);
    };
    let only_there = move || book.with(|book| book.as_ref().is_some_and(|book| book.only_there));
    view! {
        <form class="map-another" novalidate on:submit=look>
            <label class="field">
                <span>{said("Or a map from an address")}</span>
                <input
                    type="url"
                    autocomplete="off"
                    spellcheck="false"
                    data-testid="online-address"
                    aria-describedby="online-note online-answer"
                    prop:value=move || address.get()
                    on:input=move |event| {
                        address.set(event_target_value(&event));
                        changed();
                    }
                />
            </label>
            <p class="note" id="online-note">
                {said("Of tiles, with {z}, {x} and {y} in it, of a TileJSON or of a style. It is kept beside the cache, with a key that stands in it.")}
                {move || only_there().then(|| said(" From a browser only servers of the internet can be named."))}
            </p>
            <label class="field">
                <span>{said("Whose data it is, where the server does not say")}</span>
                <input
                    type="text"
                    autocomplete="off"
                    data-testid="online-whose"
                    prop:value=move || whose.get()
                    on:input=move |event| {
                        whose.set(event_target_value(&event));
                        changed();
                    }
                />
            </label>
            <div class="answers">
                <button type="submit" class="plain" data-testid="online-look" disabled=move || !can_look.get()>
                    {said("Check the address")}
                </button>
            </div>
        </form>
        <div class="answer" id="online-answer" aria-live="polite" data-testid="online-answer">
            {move || wrong.get().map(|why| view! { <p class="fault"><Icon of=icondata_lu::LuTriangleAlert />{why}</p> })}
        </div>
        {move || looked.get().map(|file| view! {
            <div class="map-looked" data-testid="online-looked">
                {facts(file)}
                <div class="answers">
                    <button type="button" class="send" data-testid="online-take" disabled=move || busy.get() on:click=move |_| wish(MapAsk::UseAt(draft()))>
                        {said("Use the map of this address")}
                    </button>
                </div>
            </div>
        })}
    }
}
