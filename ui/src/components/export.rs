//! Taking something out of the program as a file, and where it is then.

use std::time::Duration;

use fleetlens_ipc::{Done, Export, Exported, Intent};
use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::lang::said;
use crate::state::store;

/// How long the page keeps a text for the browser to take.
const KEPT: Duration = Duration::from_secs(60);

/// The way to take it out, and the answer.
#[component]
pub fn ExportLine(
    /// What is taken out when it is pressed.
    #[prop(into)]
    what: Signal<Option<Export>>,
    /// What the button says.
    #[prop(default = said("Save as CSV"))]
    label: &'static str,
) -> impl IntoView {
    let store = store();
    let busy = RwSignal::new(false);
    let answered = RwSignal::new(None::<Result<String, String>>);
    let meant = Memo::new(move |_| what.get());
    // What was said of one is not said of the next.
    Effect::new(move |_| {
        meant.track();
        answered.set(None);
    });
    let press = move |_| {
        // Now, not when it was last looked at: it may end with this moment.
        let Some(export) = what.get_untracked() else { return };
        let asked = meant.get_untracked();
        busy.set(true);
        answered.set(None);
        let pick = |done| if let Done::Exported(exported) = done { Some(exported) } else { None };
        store.ask_for(Intent::Export(export), pick, move |outcome| {
            busy.try_set(false);
            let answer = match outcome {
                Ok(Exported::File { path, unread }) => Ok(but(tr!("Saved as {}", path), unread)),
                Ok(Exported::Text { name, text, unread }) => offer(&name, &text)
                    .map(|()| but(tr!("{} is with the browser", name), unread))
                    .map_err(|_| tr!("the browser takes no file from this page")),
                Err(fault) => Err(fault.message),
            };
            if meant.try_get_untracked().is_some_and(|meant| meant == asked) {
                answered.try_set(Some(answer));
            } else {
                store.notify(answer.unwrap_or_else(|why| why));
            }
        });
    };
    let words = move || match answered.get() {
        None => ().into_any(),
        Some(Ok(words)) => view! { <span data-testid="exported">{words}</span> }.into_any(),
        Some(Err(why)) => view! { <span class="fault" data-testid="export-fault">{why}</span> }.into_any(),
    };
    view! {
        <div class="export">
            <button
                type="button"
                class="plain"
                data-testid="export"
                disabled=move || busy.get() || meant.with(Option::is_none)
                on:click=press
            >
                {label}
            </button>
            <span role="status">{words}</span>
        </div>
    }
}

/// Where a file is, and what it lacks.
fn but(place: String, unread: u64) -> String {
    if unread == 0 {
        return place;
    }
    tr!(
        "{place}, without 1 row that could not be read" | "{place}, without {n} rows that could not be read" % unread,
        place
    )
}

#[wasm_bindgen]
unsafe extern "C" {
    type Blob;

    #[wasm_bindgen(constructor, catch)]
    fn new(parts: &Array, options: &Object) -> Result<Blob, JsValue>;

    #[wasm_bindgen(js_namespace = URL, js_name = createObjectURL, catch)]
    fn create_object_url(blob: &Blob) -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = URL, js_name = revokeObjectURL)]
    fn revoke_object_url(url: &str);
}

/// Gives the browser a text to be saved under this name. What becomes of it the browser tells.
pub fn offer(name: &str, text: &str) -> Result<(), JsValue> {
    offer_part(name, &text.into())
}

/// The same of a picture's bytes.
pub fn offer_bytes(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    offer_part(name, &Uint8Array::from(bytes).into())
}

fn offer_part(name: &str, part: &JsValue) -> Result<(), JsValue> {
    let options = Object::new();
    let media = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html;charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "text/csv;charset=utf-8",
    };
    Reflect::set(&options, &"type".into(), &media.into())?;
    let url = create_object_url(&Blob::new(&Array::of1(part), &options)?)?;
    let link: HtmlElement = document().create_element("a")?.dyn_into()?;
    link.set_attribute("href", &url)?;
    link.set_attribute("download", name)?;
    link.click();
    set_timeout(move || revoke_object_url(&url), KEPT);
    Ok(())
}
