//! Boards: the one that is open, the others, and what a person does with them.

mod arrange;
mod chart;
mod form;
mod gauge;
mod head;
mod heat;
mod lists;
mod map;
mod text;
mod widget;
mod words;

use fleetlens_ipc::Fault;
use leptos::prelude::*;
use tr::tr;

use crate::components::coming::Coming;
use crate::lang::said;
use crate::state::boards::{Uid, asked};
use crate::state::store;
use crate::views::commands::may_command;
use head::Head;
use text::{AsText, Paste};
use widget::WidgetBox;

/// What the parts of the section share.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    /// Whether the person may change boards.
    pub may: Memo<bool>,
    /// Which widget's form is open.
    pub form: RwSignal<Option<FormOf>>,
    /// Whether the text of the board is shown.
    pub as_text: RwSignal<bool>,
    /// Whether a text is taken in.
    pub pastes: RwSignal<bool>,
    /// The grid's element.
    pub grid: NodeRef<leptos::html::Div>,
    /// The widget that is to get the focus once it is on the page.
    pub wanted: RwSignal<Option<Uid>>,
    /// Whether a pointer holds a widget.
    pub holds: RwSignal<bool>,
}

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormOf {
    /// A new widget of this kind.
    New(&'static str),
    /// One that is there.
    Known(Uid),
}

/// The section.
#[component]
pub fn BoardsView() -> impl IntoView {
    let store = store();
    let boards = store.boards;
    let desk = Desk {
        may: may_command(store),
        form: RwSignal::new(None),
        as_text: RwSignal::new(false),
        pastes: RwSignal::new(false),
        grid: NodeRef::new(),
        wanted: RwSignal::new(None),
        holds: RwSignal::new(false),
    };
    provide_context(desk);
    // Another fleet, and another person, have other boards.
    let role = Memo::new(move |_| store.status.with(|status| status.as_ref().map(|status| status.row.who.role)));
    Effect::new(move |_| {
        store.begun.track();
        if role.get().is_some() {
            store.read_boards();
        }
    });
    // Whoever may not change one does not go on arranging it.
    Effect::new(move |_| {
        if role.get().is_some() && !desk.may.get() && boards.editing.get_untracked() {
            boards.discard();
        }
    });
    let questions = Memo::new(move |_| {
        boards.laid.with(|laid| {
            let asked = laid.board.widgets.iter().map(|widget| asked(&widget.shows));
            laid.uids.iter().copied().zip(asked).collect::<Vec<_>>()
        })
    });
    Effect::new(move |_| {
        let asked = questions.get();
        if asked.is_empty() {
            store.look_away_from_board();
        } else {
            store.look_at_board(asked);
        }
    });
    on_cleanup(move || store.look_away_from_board());
    let is_open = Memo::new(move |_| boards.origin.with(Option::is_some));
    view! {
        <section class="sheet boards" data-testid="boards-view" aria-label=said("Boards")>
            <Head />
            <div class="sheet-body">
                <p class="unseen" role="status" data-testid="board-said">{move || boards.said.get()}</p>
                {move || match boards.shelf.get() {
                    Some(Err(fault)) => Some(view! { <Failed fault /> }),
                    Some(Ok(_)) | None => None,
                }}
                <Refused />
                <Show when=move || is_open.get() fallback=|| view! { <NoneOpen /> }>
                    <Mistakes />
                    <Grid />
                </Show>
            </div>
            <AsText />
            <Paste />
            <form::WidgetForm />
        </section>
    }
}

#[component]
fn Failed(fault: Fault) -> impl IntoView {
    let store = store();
    view! {
        <div class="nothing small" data-testid="boards-failed">
            <b>{said("The boards cannot be read")}</b>
            <p role="alert">{fault.message}</p>
            <button type="button" class="link" on:click=move |_| store.read_boards()>{said("Read them again")}</button>
        </div>
    }
}

#[component]
fn NoneOpen() -> impl IntoView {
    let boards = store().boards;
    move || match boards.shelf.with(|shelf| shelf.as_ref().map(|read| read.as_ref().map_or(1, Vec::len))) {
        None => view! { <Coming rows=6 /> }.into_any(),
        Some(0) => view! {
            <div class="nothing small" data-testid="boards-none">
                <b>{said("No board is for you")}</b>
                <p>{said("Who steers this profile says on a board whose it is.")}</p>
            </div>
        }
        .into_any(),
        Some(_) => ().into_any(),
    }
}

/// Why saving failed, and what can be done.
#[component]
fn Refused() -> impl IntoView {
    let store = store();
    let boards = store.boards;
    move || {
        boards.refused.get().map(|(is_other, why)| {
            view! {
                <div class="board-band wrong" role="alert" data-testid="board-refused">
                    <p>{tr!("Not saved: {}", why)}</p>
                    <Show when=move || is_other>
                        <button
                            type="button"
                            class="plain"
                            data-testid="board-keep-as-new"
                            on:click=move |_| store.keep_board(true)
                        >
                            {said("Save mine as a new board")}
                        </button>
                        <button
                            type="button"
                            class="link"
                            on:click=move |_| {
                                boards.discard();
                                store.read_boards();
                            }
                        >
                            {said("Discard mine and read the file")}
                        </button>
                    </Show>
                </div>
            }
        })
    }
}

/// What is wrong in the file; the rest is shown.
#[component]
fn Mistakes() -> impl IntoView {
    let boards = store().boards;
    view! {
        {move || {
            boards.unread.get().map(|why| {
                view! {
                    <div class="nothing small" data-testid="board-unread">
                        <b>{said("This board cannot be shown")}</b>
                        <p role="alert">{why}</p>
                    </div>
                }
            })
        }}
        <Show when=move || boards.mistakes.with(|all| !all.is_empty())>
            <div class="board-band wrong" role="alert" data-testid="board-mistakes">
                <ul>
                    {move || {
                        boards
                            .mistakes
                            .get()
                            .into_iter()
                            .map(|mistake| view! { <li>{tr!("Line {}: {}", mistake.line, mistake.message)}</li> })
                            .collect_view()
                    }}
                </ul>
            </div>
        </Show>
    }
}

#[component]
fn Grid() -> impl IntoView {
    let boards = store().boards;
    let desk = desk();
    // In the order of reading, which a screen reader, the Tab key and a narrow window follow.
    let order = Memo::new(move |before: Option<&Vec<Uid>>| {
        // What moves in the page is let go of by the pointer that holds it.
        if let (true, Some(before)) = (desk.holds.get(), before) {
            return before.clone();
        }
        boards.laid.with(|laid| {
            let order = laid.board.in_reading_order();
            order.into_iter().filter_map(|nth| laid.uids.get(nth).copied()).collect::<Vec<Uid>>()
        })
    });
    let is_empty = move || order.with(Vec::is_empty) && boards.unread.with(Option::is_none);
    view! {
        <div
            class="board-grid"
            class:board-arranged=move || boards.editing.get()
            data-testid="board-grid"
            node_ref=desk.grid
        >
            <For each=move || order.get() key=|uid| *uid let:uid>
                <WidgetBox uid />
            </For>
        </div>
        <Show when=is_empty>
            <div class="nothing small" data-testid="board-empty">
                <b>{said("Nothing is on this board yet")}</b>
                <Show when=move || desk.may.get()>
                    <p>
                        {move || {
                            if boards.editing.get() {
                                said("Add says which widgets there are.")
                            } else {
                                said("Edit lets you put widgets on it.")
                            }
                        }}
                    </p>
                </Show>
            </div>
        </Show>
    }
}

/// What the parts share.
pub(super) fn desk() -> Desk {
    expect_context()
}
