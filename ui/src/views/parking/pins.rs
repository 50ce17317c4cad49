//! Pins on the map for the car parks of the list: each says how many are free and how old that is, or, where another pin that is nearer
//! stands in the way, only that there is one.

use fleetlens_ipc::rows::ParkingRow;
use fleetlens_model::id::ThingKey;
use leptos::prelude::*;
use tr::tr;

use super::lots;
use super::words::{Class, State, tell};
use crate::clock::{Aged, clock};
use crate::components::icon::Icon;
use crate::islands::mercator::local;
use crate::state::cells::Cell;
use crate::state::store;
use crate::views::here::distance;
use crate::views::map_view::map_screen;

/// A pin's height in CSS pixels, as `parking.css` has it.
const HEIGHT_PX: f64 = 30.0;

/// How much a sign of a pin's text takes, and what is around the text, in CSS pixels: enough at 14 px, bold.
const SIGN_PX: f64 = 8.0;
const AROUND_PX: f64 = 24.0;

/// A pin that wants to stand somewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wish {
    x_px: f64,
    y_px: f64,
    width_px: f64,
}

/// Which of the pins, in the order of their worth, can say everything without lying on one before it.
fn room(wishes: &[Wish]) -> Vec<bool> {
    let mut placed: Vec<Wish> = Vec::new();
    let fits = |wish: &Wish| {
        let free = placed.iter().all(|other| {
            (wish.x_px - other.x_px).abs() >= (wish.width_px + other.width_px) / 2.0 + 2.0
                || (wish.y_px - other.y_px).abs() >= HEIGHT_PX + 2.0
        });
        if free {
            placed.push(*wish);
        }
        free
    };
    wishes.iter().map(fits).collect()
}

/// The pins of what the list shows.
#[component]
pub fn Pins() -> impl IntoView {
    let (lots, screen, clock, store) = (lots(), map_screen(), clock(), store());
    // What is told of each and where it would stand; the chosen one has its room first.
    let whole = Memo::new(move |_| {
        let (now_ms, class, link_up) = (clock.now_ms(), lots.class.get(), store.link_up.get());
        let chosen = lots.chosen.get();
        screen.camera.with(|camera| {
            let Some(camera) = camera else { return Vec::new() };
            let mut wishes: Vec<(ThingKey, Wish)> = lots
                .shown
                .get()
                .0
                .iter()
                .map(|cell| {
                    cell.row.with(|row| {
                        let (x_px, y_px) = camera.project(local(row.row.at));
                        let text = tell(class.of(&row.row), row.elapsed_ms(now_ms), link_up).pin();
                        let width_px = AROUND_PX + SIGN_PX * text.chars().count() as f64;
                        (cell.key, Wish { x_px, y_px, width_px })
                    })
                })
                .collect();
            wishes.sort_by_key(|(key, _)| Some(*key) != chosen);
            let rooms = room(&wishes.iter().map(|(_, wish)| *wish).collect::<Vec<_>>());
            wishes.iter().zip(rooms).filter(|(_, has_room)| *has_room).map(|((key, _), _)| *key).collect()
        })
    });
    // Without a map there is no place for any.
    let has_map = Memo::new(move |_| screen.camera.with(Option::is_some));
    view! {
        <div class="pins" data-testid="pins">
            <For each=move || if has_map.get() { lots.shown.get().0 } else { Vec::new() } key=|cell| cell.key let:cell>
                <Pin cell whole />
            </For>
        </div>
    }
}

#[component]
fn Pin(cell: Cell<ThingKey, ParkingRow>, whole: Memo<Vec<ThingKey>>) -> impl IntoView {
    let (lots, screen, clock, store) = (lots(), map_screen(), clock(), store());
    let (key, row) = (cell.key, RwSignal::from(cell.row));
    let told = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        row.with(|row| tell(lots.class.get().of(&row.row), row.elapsed_ms(now_ms), store.link_up.get()))
    });
    let at = Memo::new(move |_| row.with(|row| row.row.at));
    let px = move |read: fn((f64, f64)) -> f64| screen.project(at.get()).map(|at| format!("{:.1}px", read(at)));
    let is_whole = Memo::new(move |_| whole.with(|whole| whole.contains(&key)));
    let is_chosen = move || lots.chosen.get() == Some(key);
    let name = move || row.with(|row| spoken(row, lots.class.get(), &told.get(), is_whole.get()));
    view! {
        <button
            type="button"
            class="pin"
            class:small=move || !is_whole.get()
            class:cached=move || told.with(|told| told.is_cached)
            class:chosen=is_chosen
            data-testid="pin"
            data-thing=key.0.to_string()
            data-state=move || told.with(|told| told.state.word())
            aria-label=name
            aria-pressed=move || is_chosen().to_string()
            style:left=move || px(|at| at.0)
            style:top=move || px(|at| at.1)
            on:click=move |_| lots.choose(Some(key))
        >
            <Show when=move || is_whole.get()>
                <Show when=move || told.with(|told| told.state == State::Old)>
                    <Icon of=icondata_lu::LuClockAlert />
                </Show>
                {move || told.with(|told| told.pin())}
            </Show>
        </button>
    }
}

/// A pin for the ear. What is written on it stands in it word for word, for people who speak to their phone.
fn spoken(row: &Aged<ParkingRow>, class: Class, told: &super::words::Told, is_whole: bool) -> String {
    let row = &row.row;
    let written = if is_whole { format!(", {}", told.pin()) } else { String::new() };
    let far = distance(f64::from(row.distance_m));
    tr!("{title}{written}, {count}, {far} away", title = row.title, written, count = told.sentence(class.of(row)), far)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_of_two_pins_in_one_place_keeps_its_words() {
        let pin = |x_px: f64, y_px: f64| Wish { x_px, y_px, width_px: 80.0 };
        for (what, wishes, want) in [
            ("apart", vec![pin(0.0, 0.0), pin(90.0, 0.0)], vec![true, true]),
            ("on each other", vec![pin(0.0, 0.0), pin(60.0, 10.0)], vec![true, false]),
            ("one above the other", vec![pin(0.0, 0.0), pin(10.0, 33.0)], vec![true, true]),
            (
                "what has no room takes none",
                vec![pin(0.0, 0.0), pin(60.0, 0.0), pin(120.0, 0.0)],
                vec![true, false, true],
            ),
        ] {
            assert_eq!(room(&wishes), want, "{what}");
        }
    }
}
