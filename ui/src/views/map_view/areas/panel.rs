//! The panel of areas: the one that is drawn, as a name and coordinates, and those of the profile.

use fleetlens_ipc::maps::AreaRow;
use fleetlens_model::alarm::fence::Shape;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use tr::tr;

use super::super::screen::MapScreen;
use crate::components::confirm::Confirm;
use crate::components::icon::Icon;
use crate::format;
use crate::islands::map::{Covered, MapIsland};
use crate::lang::said;
use crate::state::areas::{Drawing, box_of, corners_of, ring};
use crate::state::section::Section;
use crate::state::store;

/// What is drawn and what there is.
#[component]
pub fn AreaPanel(
    /// The map that is drawn on.
    screen: MapScreen,
) -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let is_shown = Memo::new(move |_| desk.open.get() && store.section.get() == Section::Map);
    let is_drawing = Memo::new(move |_| desk.drawing.with(Option::is_some));
    let locked = Memo::new(move |_| desk.book.with(|book| book.locked.clone()));
    let shut = move |_| {
        desk.drawing.set(None);
        desk.step_back();
    };
    view! {
        <Show when=move || is_shown.get()>
            <section id="area-panel" class="area-panel" aria-label=said("Areas") data-testid="area-panel">
                <div class="area-head">
                    <h2>{move || head_words(desk.drawing.with(|one| one.as_ref().map(|one| one.replaces.clone())))}</h2>
                    <button type="button" class="area-shut" aria-label=said("Close") title=said("Close (Esc)") on:click=shut>
                        <Icon of=icondata_lu::LuX />
                    </button>
                </div>
                {move || locked.get().map(|why| view! {
                    <p class="area-note" data-testid="area-locked">{tr!("{}. Copy the profile to draw areas in it.", format::capital(&why))}</p>
                })}
                <Show when=move || is_drawing.get()>
                    <AreaForm />
                </Show>
                <p class="area-said" role="status" data-testid="area-said">{move || desk.said.get()}</p>
                {move || desk.wrong.get().map(|why| view! {
                    <p class="fault area-fault" role="alert" data-testid="area-fault">{why}</p>
                })}
                <AreaList screen locked />
            </section>
        </Show>
    }
}

fn head_words(drawn: Option<Option<String>>) -> String {
    match drawn {
        None => said("Areas").to_owned(),
        Some(None) => said("New area").to_owned(),
        Some(Some(name)) => tr!("Change {}", name),
    }
}

/// The name, the corners as coordinates, and what is wrong.
#[component]
fn AreaForm() -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let written = RwSignal::new(None::<String>);
    let misread = RwSignal::new(None::<String>);
    let read = move |read: fn(&Drawing) -> String| {
        Memo::new(move |_| desk.drawing.with(|drawing| drawing.as_ref().map(read).unwrap_or_default()))
    };
    let (name, text) = (read(|one| one.name.clone()), read(Drawing::text));
    let hint = Memo::new(move |_| {
        desk.drawing
            .with(|drawing| drawing.as_ref().map(|one| hint_words(one.corners.len(), one.closed)).unwrap_or_default())
    });
    let mistake = Memo::new(move |_| {
        let told = desk.drawing.with(|drawing| desk.book.with(|book| drawing.as_ref()?.mistake(&book.areas)));
        misread.get().or(told)
    });
    let is_ready = Memo::new(move |_| {
        let is_ready = desk
            .drawing
            .with(|drawing| desk.book.with(|book| drawing.as_ref().is_some_and(|one| one.is_ready(&book.areas))));
        is_ready && misread.with(Option::is_none) && !desk.busy.get()
    });
    let write = move |event| {
        let words: String = event_target_value(&event);
        match corners_of(&words) {
            Ok(corners) => {
                misread.set(None);
                desk.change(|drawing| {
                    drawing.closed = corners.len() >= 3;
                    drawing.corners = corners;
                });
            }
            Err(why) => misread.set(Some(why)),
        }
        written.set(Some(words));
    };
    let rest = move |_| {
        if misread.with_untracked(Option::is_none) {
            written.set(None);
        }
    };
    // Who goes on by hand has done with what was written.
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        let is_ours = written.with_untracked(|words| {
            words.as_deref().is_some_and(|words| {
                corners_of(words).is_ok_and(|corners| Drawing { corners, ..Drawing::default() }.text() == now)
            })
        });
        if before.is_some_and(|before| before != now) && !is_ours {
            written.set(None);
            misread.set(None);
        }
        now
    });
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        if is_ready.get_untracked() {
            store.keep_area();
        }
    };
    view! {
        <form class="area-form" novalidate on:submit=save>
            <p class="area-note" role="status" data-testid="area-hint">{hint}</p>
            <label class="field">
                <span>{said("Name")}</span>
                <input
                    type="text"
                    autocomplete="off"
                    data-testid="area-name"
                    prop:value=name
                    on:input=move |event| {
                        let words = event_target_value(&event);
                        desk.change(|drawing| drawing.name = words);
                    }
                />
            </label>
            <label class="field area-corners">
                <span>{said("Corners: degrees north, east; one a line")}</span>
                <textarea
                    rows="5"
                    spellcheck="false"
                    data-testid="area-corners"
                    prop:value=move || written.get().unwrap_or_else(|| text.get())
                    on:input=write
                    on:blur=rest
                />
            </label>
            {move || mistake.get().map(|why| view! {
                <p class="fault area-fault" role="status" data-testid="area-mistake">{why}</p>
            })}
            <p class="area-note">{said("Saving begins the profile anew: delays and windows of time of its rules start again.")}</p>
            <div class="answers">
                <button type="button" class="plain" data-testid="area-cancel" on:click=move |_| desk.drawing.set(None)>
                    {said("Cancel")}
                </button>
                <button type="submit" class="send" data-testid="area-save" disabled=move || !is_ready.get()>
                    {said("Save area")}
                </button>
            </div>
        </form>
    }
}

fn hint_words(corners: usize, closed: bool) -> &'static str {
    match (corners, closed) {
        (_, true) => said("Drag a corner, or the middle of an edge for one more."),
        (0, false) => said("Click its corners on the map, or write them below."),
        (1 | 2, false) => said("Go on around the area. Backspace takes the last corner back, Esc ends."),
        (_, false) => {
            said("Enter, a double click or the first corner closes it. Backspace takes the last corner back, Esc ends.")
        }
    }
}

/// The areas of the profile.
#[component]
fn AreaList(screen: MapScreen, locked: Memo<Option<String>>) -> impl IntoView {
    let store = store();
    let desk = store.areas;
    let asked = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let question = Signal::derive(move || tr!("Delete the area {}?", asked.get().unwrap_or_default()));
    let is_drawing = Memo::new(move |_| desk.drawing.with(Option::is_some));
    let rows = Memo::new(move |_| desk.book.with(|book| book.areas.clone()));
    let remove = move |()| {
        if let Some(name) = asked.get_untracked() {
            store.remove_area(name);
        }
    };
    let ask = Callback::new(move |name: String| {
        asked.set(Some(name));
        open.set(true);
    });
    view! {
        <Show when=move || !is_drawing.get()>
            <Show when=move || rows.with(Vec::is_empty)>
                <p class="area-note">{said("This profile has no areas. Rules speak of one by its name: inside(\"harbour\").")}</p>
            </Show>
            <ul class="area-list">
                <For each=move || rows.get() key=|row| format!("{row:?}") let:row>
                    <AreaLine row screen locked ask />
                </For>
            </ul>
            <Show when=move || locked.with(Option::is_none)>
                <button type="button" class="plain" data-testid="area-new" on:click=move |_| desk.draw(Drawing::default())>
                    <Icon of=icondata_lu::LuPlus />
                    {said("Draw an area")}
                </button>
            </Show>
        </Show>
        <Confirm open asks=question yes=said("Delete it") no=said("Keep it") on_yes=Callback::new(remove)>
            <p>{said("It is taken out of the profile's file, which begins the profile anew. What the file held before is kept beside it.")}</p>
        </Confirm>
    }
}

#[component]
fn AreaLine(row: AreaRow, screen: MapScreen, locked: Memo<Option<String>>, ask: Callback<String>) -> impl IntoView {
    let desk = store().areas;
    let about = about_words(&row);
    let (name, drawing) = (row.name.clone(), Drawing::of(&row).filter(|_| row.drawn));
    let line = ring(&row.shape);
    let show = move |_| {
        if let Some(area) = box_of(&line) {
            screen.with(|map: &MapIsland| map.show(area, Covered::default()));
        }
    };
    let (of_show, of_change, of_delete) = (name.clone(), name.clone(), name.clone());
    let named = StoredValue::new(name.clone());
    let drawing = StoredValue::new(drawing);
    view! {
        <li class="area-row" data-testid="area-row" data-area=name.clone()>
            <div>
                <button type="button" class="link area-name" aria-label=tr!("Show {} on the map", of_show) on:click=show>
                    {name.clone()}
                </button>
                <span>{about}</span>
            </div>
            {move || locked.with(Option::is_none).then(|| {
                let (of_change, of_delete) = (of_change.clone(), of_delete.clone());
                view! {
                    {drawing.with_value(Option::is_some).then(|| view! {
                        <button
                            type="button"
                            class="link"
                            data-testid="area-change"
                            aria-label=tr!("Change {}", of_change)
                            on:click=move |_| {
                                if let Some(drawing) = drawing.get_value() {
                                    desk.draw(drawing);
                                }
                            }
                        >
                            {said("Change")}
                        </button>
                    })}
                    <button
                        type="button"
                        class="link"
                        data-testid="area-delete"
                        aria-label=tr!("Delete {}", of_delete)
                        on:click=move |_| ask.run(named.get_value())
                    >
                        {said("Delete")}
                    </button>
                }
            })}
        </li>
    }
}

/// `4 corners · named by astray`.
fn about_words(row: &AreaRow) -> String {
    let shape = match &row.shape {
        Shape::Polygon(corners) => tr!("1 corner" | "{n} corners" % corners.len()),
        Shape::Circle { radius_m, .. } => tr!("a circle of {} m", radius_m),
    };
    match row.rules.as_slice() {
        [] => tr!("{shape} · no rule names it", shape),
        [rule] => tr!("{shape} · named by {rule}", shape, rule),
        [rule, more @ ..] => tr!("{shape} · named by {rule} and {more} more", shape, rule, more = more.len()),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;

    use super::*;

    #[test]
    fn an_area_is_told_with_the_rules_that_name_it() {
        let mut row = AreaRow {
            name: "quay".into(),
            shape: Shape::Circle { middle: LonLat { lon_deg: 14.5, lat_deg: 35.9 }, radius_m: 300.0 },
            margin_m: 20.0,
            drawn: false,
            rules: Vec::new(),
        };
        assert_eq!(about_words(&row), "a circle of 300 m · no rule names it");
        row.rules = vec!["astray".into(), "late".into()];
        assert_eq!(about_words(&row), "a circle of 300 m · named by astray and 1 more");
    }

    #[test]
    fn the_next_step_is_told() {
        assert!(hint_words(0, false).starts_with("Click its corners"));
        assert!(hint_words(3, false).contains("double click"));
        assert!(hint_words(3, true).starts_with("Drag"));
    }
}
