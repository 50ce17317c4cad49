//! Desired state as text, for what no control sets: what is wrong with it while one types, and exactly what would change before
//! it is sent.

mod changes;

use fleetlens_ipc::{Fault, Intent, Wish};
use fleetlens_model::kind::{Control, DEFAULT_EXPIRY_MS};
use fleetlens_model::shadow::{Document, leaf_at};
use leptos::prelude::*;

use crate::components::conflict::{Asked, ConflictSheet, Desk, Wanted};
use crate::components::control::Expiry;
use crate::components::icon::Icon;
use crate::components::modal::Modal;
use crate::format;
use crate::state::store;
use crate::state::thing::Thing;
use changes::{LeafChange, Room, changes, document_of, pretty, read, wishes};

/// What an editor starts with: nothing is wanted.
const NOTHING: &str = "{}";

/// The editor, folded away until it is wanted; nothing at all for who may not command, nor of a thing that says itself what can be set.
#[component]
pub fn JsonEditor(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let may_command = thing.may_command && thing.head.with_untracked(|head| head.row.convention.is_empty());
    let thing = StoredValue::new(thing);
    view! {
        <Show when=move || may_command>
            <section class="json-editor" data-testid="json-editor">
                <button
                    type="button"
                    class="fold"
                    data-testid="json-fold"
                    aria-expanded=move || open.get().to_string()
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    <span class="turn" class:down=move || open.get()>
                        <Icon of=icondata_lu::LuChevronRight />
                    </span>
                    "Set anything else as JSON"
                </button>
                <Show when=move || open.get()>
                    <Editor thing=thing.get_value() />
                </Show>
            </section>
        </Show>
    }
}

#[component]
fn Editor(thing: Thing) -> impl IntoView {
    let store = store();
    let shadow = RwSignal::new(String::new());
    let text = RwSignal::new(NOTHING.to_owned());
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let chosen_ms = RwSignal::new(None::<u64>);
    let desk = Desk::new();

    let of = thing.clone();
    let document = Memo::new(move |_| {
        let shadow = shadow.get();
        let shadows = of.shadows.get();
        let table = shadows.iter().find(|cell| cell.key == shadow);
        table.map(|cell| cell.row.with(|table| document_of(&table.row.leaves))).unwrap_or_default()
    });
    let told = Memo::new(move |_| text.with(|text| document.with(|document| tell(text, document))));
    let room = Memo::new(move |_| text.with(|text| document.with(|document| Room::with(document, &read(text).ok()?))));
    let controls = touched(&thing, told, shadow);
    let of = thing.clone();
    let own_ms = Memo::new(move |_| {
        controls
            .with(|controls| controls.iter().map(|control| of.expiry_ms(control)).min())
            .unwrap_or(DEFAULT_EXPIRY_MS)
    });
    let is_ready = Memo::new(move |_| {
        told.with(|told| {
            told.as_ref().is_ok_and(|changes| document.with(|d| wishes(d, changes).is_ok_and(|w| !w.is_empty())))
        })
    });

    // What was wanted when the person began: what somebody else wants since then is asked about before anything is sent.
    let saw = StoredValue::new(Document::default());
    Effect::new(move |before: Option<(bool, String)>| {
        let now = (text.with(|text| text.trim() != NOTHING), shadow.get());
        if now.0 && before.as_ref() != Some(&now) {
            saw.set_value(document.get_untracked());
        }
        now
    });

    let key = thing.key;
    let send = move || {
        let Ok(changes) = told.get_untracked() else { return };
        let Ok(wishes) = document.with_untracked(|document| wishes(document, &changes)) else { return };
        sending.set(true);
        fault.set(None);
        let expires_in_ms = Some(chosen_ms.get_untracked().unwrap_or_else(|| own_ms.get_untracked()));
        let intent = Intent::Command { thing: key, shadow: shadow.get_untracked(), wishes, expires_in_ms };
        store.ask(intent, move |outcome| {
            // The drawer may have closed meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                Ok(_) => drop(text.try_set(NOTHING.to_owned())),
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let of = thing.clone();
    let is_run_into = move || {
        let Ok(changes) = told.get_untracked() else { return false };
        let Ok(wishes) = document.with_untracked(|document| wishes(document, &changes)) else { return false };
        let leaves = saw.with_value(|saw| {
            let wanted = |wish: Wish| {
                let saw = saw.desired.as_ref().and_then(|desired| leaf_at(desired, &wish.pointer));
                Wanted { saw: saw.map(ToString::to_string), pointer: wish.pointer, wants: wish.value_json }
            };
            wishes.into_iter().map(wanted).collect::<Vec<_>>()
        });
        let expires_in_ms = Some(chosen_ms.get_untracked().unwrap_or_else(|| own_ms.get_untracked()));
        desk.lay_if_changed(&of, &Asked { shadow: shadow.get_untracked(), leaves, expires_in_ms })
    };
    let decided = Callback::new(move |()| drop(text.try_set(NOTHING.to_owned())));
    let press = move |_| {
        if is_run_into() {
        } else if controls.with_untracked(|controls| controls.iter().any(|control| control.asks_first)) {
            asking.set(true);
        } else {
            send();
        }
    };
    let head = thing.head.clone();
    let asks = Signal::derive(move || format!("Send this to {}?", head.with(|head| head.row.title.clone())));
    let fill = move |_| text.set(document.with_untracked(pretty));
    view! {
        <div class="editor">
            <div class="line">
                <Shadows thing=thing.clone() shadow />
                <button type="button" class="link" data-testid="json-fill" on:click=fill>
                    "Begin with what is wanted now"
                </button>
            </div>
            <textarea
                data-testid="json-text"
                aria-label="Desired state as JSON"
                aria-invalid=move || told.with(Result::is_err).to_string()
                aria-describedby="json-told"
                rows="6"
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
                prop:value=text
                on:input=move |event| text.set(event_target_value(&event))
            />
            <div id="json-told" data-testid="json-told" aria-live="polite">
                {move || match told.get() {
                    Err(why) => view! { <p class="wrong" data-testid="json-wrong">{why}</p> }.into_any(),
                    Ok(changes) if changes.is_empty() => {
                        view! { <p class="none">"This changes nothing."</p> }.into_any()
                    }
                    Ok(changes) => view! { <Changes changes document /> }.into_any(),
                }}
            </div>
            <div class="line">
                <Expiry chosen_ms own_ms />
                <span class="size" class:soon=move || room.get().is_some_and(Room::is_tight) data-testid="json-room">
                    {move || room.get().map(Room::words)}
                </span>
                <button
                    type="button"
                    class="send"
                    data-testid="json-send"
                    disabled=move || !is_ready.get() || sending.get()
                    on:click=press
                >
                    "Send"
                </button>
            </div>
            {move || fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })}
            <Modal open=asking label=asks testid="confirm">
                <h2>{move || asks.get()}</h2>
                {move || told.get().ok().map(|changes| view! { <Changes changes document /> })}
                <p>"One of these moves something in the street, or ends what somebody is doing."</p>
                <div class="answers">
                    <button type="button" class="plain" data-testid="confirm-no" on:click=move |_| asking.set(false)>
                        "Do nothing"
                    </button>
                    <button
                        type="button"
                        class="send"
                        data-testid="confirm-yes"
                        on:click=move |_| {
                            asking.set(false);
                            send();
                        }
                    >
                        "Send"
                    </button>
                </div>
            </Modal>
            <ConflictSheet thing=thing.clone() desk on_done=decided />
        </div>
    }
}

/// Which shadow is edited, where there is a choice.
#[component]
fn Shadows(thing: Thing, shadow: RwSignal<String>) -> impl IntoView {
    let shadows = RwSignal::from(thing.shadows);
    let named = Memo::new(move |_| {
        let keys = shadows.with(|cells| cells.iter().map(|cell| cell.key.clone()).collect::<Vec<_>>());
        keys.into_iter().filter(|key| !key.is_empty()).collect::<Vec<_>>()
    });
    view! {
        <Show when=move || named.with(|named| !named.is_empty())>
            <label class="which">
                "Shadow "
                <select data-testid="json-shadow" on:change=move |event| shadow.set(event_target_value(&event))>
                    <option value="" selected=move || shadow.with(String::is_empty)>
                        "classic"
                    </option>
                    <For each=move || named.get() key=Clone::clone let:name>
                        <option value=name.clone()>{name.clone()}</option>
                    </For>
                </select>
            </label>
        </Show>
    }
}

/// What will change, leaf by leaf.
#[component]
fn Changes(changes: Vec<LeafChange>, document: Memo<Document>) -> impl IntoView {
    let refused = document.with_untracked(|document| wishes(document, &changes).err());
    let rows = changes
        .into_iter()
        .map(|change| {
            let pointer = change.pointer.clone();
            let side = |json: Option<String>| json.unwrap_or_else(|| "–".into());
            view! {
                <li data-pointer=pointer>
                    <code>{format::pointer(&change.pointer)}</code>
                    <span>
                        <code class="before">{side(change.before)}</code>
                        " → "
                        <code class="wanted">{side(change.after)}</code>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! {
        <ul class="changes" data-testid="json-changes">
            {rows}
        </ul>
        {refused.map(|why| view! { <p class="wrong" data-testid="json-wrong">{why}</p> })}
    }
}

fn tell(text: &str, document: &Document) -> Result<Vec<LeafChange>, String> {
    if text.trim() == NOTHING {
        return Ok(Vec::new());
    }
    changes(document, &read(text)?)
}

/// The controls whose leaves the text would set: their expiry holds here too, and their question is asked here too.
fn touched(thing: &Thing, told: Memo<Result<Vec<LeafChange>, String>>, shadow: RwSignal<String>) -> Memo<Vec<Control>> {
    let head = thing.head.clone();
    Memo::new(move |_| {
        if !shadow.with(String::is_empty) {
            return Vec::new();
        }
        let controls = head.with(|head| head.row.controls.clone());
        told.with(|told| {
            let changes = told.as_ref().map(Vec::as_slice).unwrap_or_default();
            controls
                .into_iter()
                .filter(|control| changes.iter().any(|change| change.pointer == control.pointer))
                .collect()
        })
    })
}
