//! A board as its text: copied by who shares it, and pasted by who takes it.

use fleetlens_model::board::{Board, Mistake};
use leptos::prelude::*;
use tr::tr;

use super::desk;
use crate::components::clipboard::copy;
use crate::components::modal::Modal;
use crate::lang::said;
use crate::state::store;

/// The text of the open board.
#[component]
pub(super) fn AsText() -> impl IntoView {
    let boards = store().boards;
    let open = desk().as_text;
    let told = RwSignal::new("");
    let text = Memo::new(move |_| if open.get() { boards.laid.with(|laid| laid.board.print()) } else { String::new() });
    Effect::new(move |_| {
        if open.get() {
            told.set("");
        }
    });
    let copies = move |_| {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            let copied = copy(&text).await.is_ok();
            told.try_set(if copied {
                said("Copied")
            } else {
                said("This page may not copy; choose the text and copy it yourself")
            });
        });
    };
    view! {
        <Modal open label=said("The board as text") class="modal board-sheet" testid="board-text">
            <h2>{said("The board as text")}</h2>
            <p class="note">{said("Send it to somebody, who takes it with Paste; or keep it as a file in the folder boards.")}</p>
            <textarea readonly aria-label=said("The board as text") data-testid="board-text-area" prop:value=text />
            <div class="answers">
                <span class="said" role="status">{told}</span>
                <button type="button" class="plain" on:click=move |_| open.set(false)>{said("Close")}</button>
                <button type="button" class="send" data-testid="board-text-copy" on:click=copies>{said("Copy")}</button>
            </div>
        </Modal>
    }
}

/// A text that somebody else wrote.
#[component]
pub(super) fn Paste() -> impl IntoView {
    let boards = store().boards;
    let open = desk().pastes;
    let text = RwSignal::new(String::new());
    let read = Memo::new(move |_| text.with(|text| (!text.trim().is_empty()).then(|| Board::read(text))));
    let is_read = move || read.with(|read| matches!(read, Some(Ok(_))));
    let takes = move |_| {
        if let Some(Ok((board, mistakes))) = read.get_untracked() {
            open.set(false);
            text.set(String::new());
            boards.begin(board, mistakes);
        }
    };
    let line = |Mistake { line, message }: &Mistake| tr!("Line {}: {}", line, message);
    view! {
        <Modal open label=said("Paste a board") class="modal board-sheet" testid="board-pasting">
            <h2>{said("Paste a board")}</h2>
            <p class="note">{said("It opens as a new board. Nothing is kept before you save it.")}</p>
            <textarea
                aria-label=said("Text of the board")
                data-testid="board-paste-area"
                spellcheck="false"
                prop:value=text
                on:input=move |event| text.set(event_target_value(&event))
            />
            <ul class="wrong" role="status" data-testid="board-paste-wrong">
                {move || {
                    let told = read.with(|read| match read {
                        Some(Err(mistake)) => vec![line(mistake)],
                        Some(Ok((_, mistakes))) => mistakes.iter().map(line).collect(),
                        None => Vec::new(),
                    });
                    told.into_iter().map(|told| view! { <li>{told}</li> }).collect_view()
                }}
            </ul>
            <div class="answers">
                <button type="button" class="plain" on:click=move |_| open.set(false)>{said("Cancel")}</button>
                <button type="button" class="send" data-testid="board-paste-yes" disabled=move || !is_read() on:click=takes>
                    {said("Open it")}
                </button>
            </div>
        </Modal>
    }
}
