//! A widget in its place: heading, what it shows, and the handles while the board is arranged.

use fleetlens_ipc::boards::Shown;
use fleetlens_model::board::{Of, Place, Shows, Widget};
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use super::arrange::Hands;
use super::chart::ChartOf;
use super::gauge::GaugeOf;
use super::heat::HeatOf;
use super::lists::{AlarmsOf, TableOf};
use super::map::MapOf;
use super::words::{basis, own_title};
use super::{FormOf, desk};
use crate::clock::{Aged, clock};
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::boards::{Uid, place_words};
use crate::state::store;

/// What a widget shows now, for those that look into it.
pub(super) type Now = Signal<Option<Aged<Shown>>>;

#[component]
pub(super) fn WidgetBox(uid: Uid) -> impl IntoView {
    let boards = store().boards;
    let desk = desk();
    let element = NodeRef::<html::Section>::new();
    let hands = Hands::new(uid, element);
    let widget = Memo::new(move |_| boards.laid.with(|laid| laid.widget(uid).cloned()));
    let place = Memo::new(move |_| widget.with(|widget| widget.as_ref().map(|it| it.place)).unwrap_or_default());
    let shows = Memo::new(move |_| {
        widget.with(|widget| widget.as_ref().map(|it| it.shows.clone())).unwrap_or(Shows::Text(String::new()))
    });
    let title = Memo::new(move |_| widget.with(|widget| widget.as_ref().map(title_of)).unwrap_or_default());
    let now: Now = Signal::derive(move || boards.shown_of(uid));
    let editing = boards.editing;
    Effect::new(move |_| {
        if desk.wanted.get() == Some(uid)
            && let Some(element) = element.get()
        {
            desk.wanted.set(None);
            // A dialog that closes gives the focus back to what had it, and what moves in the page loses it: after both.
            request_animation_frame(move || {
                // Fails only for what is not on the page.
                let _ = element.focus();
            });
        }
    });
    let area = move || {
        let Place { x, y, w, h } = place.get();
        format!("{} / {} / span {h} / span {w}", y + 1, x + 1)
    };
    let says = move || {
        let title = title.get();
        if editing.get() { format!("{title}. {}", place_words(place.get())) } else { title }
    };
    view! {
        <section
            class="board-widget"
            class:board-held=move || hands.is_held.get()
            data-testid="board-widget"
            data-kind=move || shows.with(Shows::word)
            data-place=move || {
                let Place { x, y, w, h } = place.get();
                format!("{x},{y},{w},{h}")
            }
            node_ref=element
            style:grid-area=area
            style:--rows=move || place.get().h.to_string()
            tabindex=move || editing.get().then_some("0")
            role="group"
            aria-label=says
            aria-keyshortcuts=move || {
                editing.get().then_some("ArrowLeft ArrowRight ArrowUp ArrowDown Shift+ArrowRight Shift+ArrowDown Enter Delete")
            }
            on:keydown=move |event| hands.key(&event)
        >
            <header
                class="board-title"
                on:pointerdown=move |event| hands.takes(&event, false)
                on:pointermove=move |event| hands.moves(&event)
                on:pointerup=move |_| hands.lets_go()
                on:pointercancel=move |_| hands.lets_go()
                on:lostpointercapture=move |_| hands.lets_go()
            >
                <h2>{title}</h2>
                <Show when=move || editing.get()>
                    <Tools uid title hands />
                </Show>
            </header>
            <div class="board-body">{move || body(uid, &shows.get(), now)}</div>
            <Show when=move || editing.get()>
                <div
                    class="board-corner"
                    data-testid="board-corner"
                    aria-hidden="true"
                    on:pointerdown=move |event| hands.takes(&event, true)
                    on:pointermove=move |event| hands.moves(&event)
                    on:pointerup=move |_| hands.lets_go()
                    on:pointercancel=move |_| hands.lets_go()
                on:lostpointercapture=move |_| hands.lets_go()
                />
            </Show>
        </section>
    }
}

/// What stands above a widget.
pub(super) fn title_of(Widget { title, shows, .. }: &Widget) -> String {
    if title.is_empty() { own_title(shows) } else { title.clone() }
}

#[component]
fn Tools(uid: Uid, title: Memo<String>, hands: Hands) -> impl IntoView {
    let boards = store().boards;
    let desk = desk();
    let can_change =
        move || boards.laid.with(|laid| laid.widget(uid).is_some_and(|it| !matches!(it.shows, Shows::Unread { .. })));
    view! {
        <Show when=can_change>
            <button
                type="button"
                class="tool"
                data-testid="board-change"
                title=said("Change (Enter)")
                aria-label=move || tr!("Change {}", title.get())
                on:click=move |_| desk.form.set(Some(FormOf::Known(uid)))
            >
                <Icon of=icondata_lu::LuPencil />
            </button>
        </Show>
        <button
            type="button"
            class="tool"
            data-testid="board-take"
            title=said("Take away (Delete)")
            aria-label=move || tr!("Take away {}", title.get())
            on:click=move |_| hands.takes_away()
        >
            <Icon of=icondata_lu::LuX />
        </button>
    }
}

fn body(uid: Uid, shows: &Shows, now: Now) -> AnyView {
    match shows.clone() {
        Shows::Text(words) => view! { <p class="board-words">{words}</p> }.into_any(),
        Shows::Unread { why, .. } => {
            view! { <p class="board-wrong" role="alert">{tr!("This widget cannot be shown: {}.", why)}</p> }.into_any()
        }
        Shows::Figure { of, .. } => view! { <FigureOf of now /> }.into_any(),
        Shows::Chart { hours, .. } => view! { <ChartOf uid hours now /> }.into_any(),
        Shows::Table { columns, .. } => view! { <TableOf columns now /> }.into_any(),
        Shows::Map { area, .. } => view! { <MapOf uid area now /> }.into_any(),
        Shows::List { .. } => view! { <AlarmsOf now /> }.into_any(),
        Shows::Gauge { min, max, .. } => view! { <GaugeOf min max now /> }.into_any(),
        Shows::Heat { weeks, .. } => view! { <HeatOf weeks now /> }.into_any(),
    }
}

/// Why nothing is shown.
#[component]
pub(super) fn Wrong(#[prop(into)] why: String) -> impl IntoView {
    view! { <p class="board-wrong" role="status" data-testid="board-wrong">{format::capital(&why)}</p> }
}

/// What stands there until it is told.
#[component]
pub(super) fn Waits() -> impl IntoView {
    view! { <div class="board-waits" role="status" aria-label=said("Loading")><div class="bone" /></div> }
}

#[component]
fn FigureOf(of: Of, now: Now) -> impl IntoView {
    let (store, clock) = (store(), clock());
    move || {
        let told = now.get();
        match told.map(|told| told.row) {
            Some(Shown::Figure(figure)) => {
                // Of thousands nobody reads the tenths.
                let decimals = |number: f64| if number.abs() >= 1_000.0 { 0 } else { figure.decimals };
                let number =
                    figure.number.map_or_else(|| "–".to_owned(), |number| format::number(number, decimals(number)));
                let (unit, is_count) = (format::known(&figure.unit).to_owned(), of == Of::Count);
                let (not_live, with_value) = (figure.not_live, figure.with_value);
                let below = Memo::new(move |_| basis(&figure, of, store.wall_now(clock.now_ms())));
                // Of what is counted nobody knows either while the link is down.
                let is_old = move || !store.link_up.get() || (not_live > 0 && not_live == with_value);
                view! {
                    <p class="board-figure" class:old=is_old data-testid="board-figure">
                        <strong>{number}</strong>
                        <small>{move || if is_count { below.get() } else { unit.clone() }}</small>
                    </p>
                    <p class="board-basis">
                        {move || (!is_count).then(|| below.get())}
                        <Show when=move || !store.link_up.get()>
                            <span class="board-old">{said(" as it was known when our link fell")}</span>
                        </Show>
                    </p>
                }
                .into_any()
            }
            Some(Shown::Wrong(why)) => view! { <Wrong why /> }.into_any(),
            Some(_) | None => view! { <Waits /> }.into_any(),
        }
    }
}
