//! The head of the section: which board, and what can be done with it.

use fleetlens_ipc::boards::BoardFile;
use fleetlens_model::board::{Board, NAME_MAX_CHARS, Shows};
use leptos::html;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::words::kind_words;
use super::{FormOf, desk};
use crate::components::confirm::Confirm;
use crate::components::icon::Icon;
use crate::components::popover::Popover;
use crate::lang::said;
use crate::state::store;

#[component]
pub(super) fn Head() -> impl IntoView {
    let store = store();
    let (boards, desk) = (store.boards, desk());
    let editing = boards.editing;
    view! {
        <header class="sheet-head">
            <h1>{said("Boards")}</h1>
            <Show when=move || editing.get() fallback=|| view! { <Switcher /> }>
                <Name />
            </Show>
            <span class="space" />
            <Show when=move || editing.get() fallback=|| view! { <Reading /> }>
                <Show when=move || desk.may.get()>
                    <Arranging />
                </Show>
            </Show>
        </header>
    }
}

/// What a board is called on the screen.
fn name_of(file: &BoardFile) -> String {
    match Board::read(&file.text) {
        Ok((board, _)) if file.fault.is_empty() => board.name,
        Ok(_) | Err(_) => tr!("{} (cannot be read)", file.id),
    }
}

#[component]
fn Switcher() -> impl IntoView {
    let boards = store().boards;
    let files = Memo::new(move |_| {
        boards.shelf.with(|shelf| match shelf {
            Some(Ok(all)) => all.iter().map(|file| (file.id.clone(), name_of(file))).collect(),
            Some(Err(_)) | None => Vec::new(),
        })
    });
    let open =
        Memo::new(move |_| boards.origin.with(|it| it.as_ref().and_then(|it| it.id.clone())).unwrap_or_default());
    let choose = move |event: leptos::ev::Event| {
        let id = event_target_value(&event);
        let file = boards.shelf.with_untracked(|shelf| match shelf {
            Some(Ok(all)) => all.iter().find(|file| file.id == id).cloned(),
            Some(Err(_)) | None => None,
        });
        if let Some(file) = file {
            boards.open(&file);
        }
    };
    view! {
        <Show when=move || files.with(|files| !files.is_empty())>
            <select class="choice board-switch" aria-label=said("Which board") data-testid="board-switch" on:change=choose>
                <For each=move || files.get() key=Clone::clone let:file>
                    <option value=file.0.clone() selected=move || open.get() == file.0>{file.1.clone()}</option>
                </For>
            </select>
        </Show>
    }
}

#[component]
fn Name() -> impl IntoView {
    let boards = store().boards;
    let name = Memo::new(move |_| boards.laid.with(|laid| laid.board.name.clone()));
    view! {
        <input
            class="board-name"
            type="text"
            aria-label=said("Name of the board")
            data-testid="board-name"
            maxlength=NAME_MAX_CHARS.to_string()
            prop:value=name
            on:change=move |event| {
                let name = event_target_value(&event).trim().to_owned();
                if !name.is_empty() {
                    boards.change(said("Renamed"), |laid| laid.board.name = name);
                }
            }
        />
    }
}

/// What can be done with a board that is looked at.
#[component]
fn Reading() -> impl IntoView {
    let store = store();
    let (boards, desk) = (store.boards, desk());
    let is_readable = move || boards.origin.with(Option::is_some) && boards.unread.with(Option::is_none);
    let has_file = move || boards.origin.with(|it| it.as_ref().is_some_and(|it| !it.file.is_empty()));
    let is_built_in = move || boards.origin.with(|it| it.as_ref().is_some_and(|it| it.is_built_in));
    let asks = RwSignal::new(false);
    let taking = move || if is_built_in() { said("As it came") } else { said("Take away") };
    view! {
        <Show when=is_readable>
            <button type="button" class="plain" data-testid="board-as-text" on:click=move |_| desk.as_text.set(true)>
                <Icon of=icondata_lu::LuCopy />
                {said("Copy as text")}
            </button>
        </Show>
        <Show when=move || desk.may.get()>
            <button type="button" class="plain" data-testid="board-paste" on:click=move |_| desk.pastes.set(true)>
                <Icon of=icondata_lu::LuClipboardPaste />
                {said("Paste")}
            </button>
            <button
                type="button"
                class="plain"
                data-testid="board-new"
                on:click=move |_| boards.begin(Board { name: said("New board").into(), ..Board::default() }, Vec::new())
            >
                <Icon of=icondata_lu::LuPlus />
                {said("New")}
            </button>
            <Show when=has_file>
                <button type="button" class="plain" data-testid="board-remove" on:click=move |_| asks.set(true)>
                    {taking}
                </button>
            </Show>
            <Show when=is_readable>
                <button type="button" class="send" data-testid="board-edit" on:click=move |_| boards.editing.set(true)>
                    {said("Edit")}
                </button>
            </Show>
            <Confirm
                open=asks
                asks=Signal::derive(move || {
                    if is_built_in() { said("Take your changes away?").into() } else { said("Take this board away?").to_owned() }
                })
                yes=Signal::derive(move || taking().to_owned())
                on_yes=Callback::new(move |()| store.remove_board())
            >
                <p>
                    {move || {
                        let file = boards.origin.with(|it| it.as_ref().map(|it| it.file.clone())).unwrap_or_default();
                        tr!("The file {file} is deleted. Copy the board as text first if you want it back.", file)
                    }}
                </p>
            </Confirm>
        </Show>
    }
}

/// What can be done with a board that is arranged.
#[component]
fn Arranging() -> impl IntoView {
    let store = store();
    let (boards, desk) = (store.boards, desk());
    let around = NodeRef::<html::Span>::new();
    let asks = RwSignal::new(false);
    let add = move |word: &'static str| {
        desk.form.set(Some(FormOf::New(word)));
        // The dialog gives the focus back to what had it, and the menu closes with the focus.
        let button = around.get_untracked().and_then(|it| it.query_selector("button").ok().flatten());
        if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            // Fails only for a button that is not on the page.
            let _ = button.focus();
            button.click();
        }
    };
    let discard = move || {
        if boards.is_changed() {
            asks.set(true);
        } else {
            boards.discard();
        }
    };
    view! {
        <span class="board-add" node_ref=around>
            <Popover
                testid="board-add"
                label=said("Which widget")
                side="end"
                words=|| view! { <Icon of=icondata_lu::LuPlus />{said("Add")} }
            >
                <div class="board-kinds">
                    {Shows::WORDS
                        .map(|word| {
                            let (label, what) = kind_words(word);
                            view! {
                                <button type="button" data-testid=format!("board-add-{word}") on:click=move |_| add(word)>
                                    <b>{label}</b>
                                    <span>{what}</span>
                                </button>
                            }
                        })
                        .collect_view()}
                </div>
            </Popover>
        </span>
        <button
            type="button"
            class="plain"
            data-testid="board-undo"
            disabled=move || boards.undo.with(Vec::is_empty)
            on:click=move |_| boards.step_back()
        >
            <Icon of=icondata_lu::LuUndo2 />
            {said("Undo")}
        </button>
        <button type="button" class="plain" data-testid="board-discard" on:click=move |_| discard()>
            {move || if boards.is_changed() { said("Discard") } else { said("Done") }}
        </button>
        <button
            type="button"
            class="send"
            data-testid="board-save"
            disabled=move || !boards.is_changed() || boards.saving.get()
            on:click=move |_| store.keep_board(false)
        >
            {said("Save")}
        </button>
        <Confirm
            open=asks
            asks=said("Discard what you changed?")
            yes=said("Discard it")
            no=said("Keep it")
            on_yes=Callback::new(move |()| {
                boards.discard();
                store.read_boards();
            })
        >
            <p>{said("What you did to this board is not saved.")}</p>
        </Confirm>
    }
}
