//! Which line is which: a button for each value takes it off the picture and puts it back; what was added can be taken away.

use fleetlens_chart::Stroke;
use fleetlens_model::id::SeriesKey;
use leptos::prelude::*;
use tr::tr;

use super::Desk;
use crate::components::icon::Icon;
use crate::format;
use crate::islands::chart::tone;
use crate::lang::said;
use crate::state::chart::{Traced, without_axis};

/// There while there is more than one line.
#[component]
pub fn Legend(desk: Desk) -> impl IntoView {
    let is_there = Memo::new(move |_| {
        // Where a line is off, this is the way to put it back.
        desk.compares.get()
            || desk.series.with(|series| series.len() > 1)
            || desk.hidden.with(|hidden| !hidden.is_empty())
    });
    view! {
        <Show when=move || is_there.get()>
            <ul class="legend" data-testid="legend" aria-label=said("Lines of the chart")>
                <For each=move || desk.series.get() key=|series| *series let:series>
                    <Line desk series />
                </For>
            </ul>
            <Show when=move || desk.compares.get()>
                <p class="legend-note">{said("Thin dashes: the same time 7 days before.")}</p>
            </Show>
        </Show>
    }
}

#[component]
fn Line(desk: Desk, series: SeriesKey) -> impl IntoView {
    let words = Memo::new(move |_| name(desk, series));
    let is_shown = move || !desk.hidden.with(|hidden| hidden.contains(&series));
    let turn = move |_| {
        desk.hidden.update(|hidden| {
            let before = hidden.len();
            hidden.retain(|one| *one != series);
            if hidden.len() == before {
                hidden.push(series);
            }
        });
    };
    let take_away = move |_| {
        desk.added.update(|added| added.retain(|one| one.series != series));
        desk.hidden.update(|hidden| hidden.retain(|one| *one != series));
        // The button under the focus goes away with its line.
        desk.focus();
    };
    let has_axis = Memo::new(move |_| {
        desk.series.with(|all| desk.store.charts.held.with(|held| !without_axis(held, all).contains(&series)))
    });
    let is_added = move || desk.charted.get() != Some(series);
    view! {
        <li>
            <button type="button" class="line" aria-pressed=move || is_shown().to_string() class:off=move || !is_shown() on:click=turn>
                {move || desk.series.with(|all| swatch(all, series))}
                <span>{words}</span>
                <Show when=move || !has_axis.get()>
                    <small>{said("not drawn: both axes have other units")}</small>
                </Show>
            </button>
            <Show when=is_added>
                <button
                    type="button"
                    class="tool"
                    title=said("Take it off the chart")
                    aria-label=move || tr!("Take {} off the chart", words.get())
                    on:click=take_away
                >
                    <Icon of=icondata_lu::LuX />
                </button>
            </Show>
        </li>
    }
}

/// A piece of the line of a value, with its tone and its dash.
pub fn swatch(all: &[SeriesKey], series: SeriesKey) -> impl IntoView + use<> {
    let (token, stroke) = tone(all, series);
    let dash = match stroke {
        Stroke::Solid | Stroke::Faint => String::new(),
        Stroke::Dashed(dash, room) => format!("{dash} {room}"),
    };
    view! {
        <svg class="sample" viewBox="0 0 26 8" aria-hidden="true">
            <path d="M0 4h26" stroke=format!("var({token})") stroke-dasharray=dash />
        </svg>
    }
}

/// What a line of a picture is that stands for itself.
pub fn line(desk: Desk, traced: Traced) -> String {
    let name = name(desk, traced.series);
    if traced.is_before { tr!("{}, 7 days before", name) } else { name }
}

/// What a line is: of another thing with that thing's title, and its unit.
pub fn name(desk: Desk, series: SeriesKey) -> String {
    let first = desk.with_first(|chart| chart.thing);
    desk.store.charts.held.with(|held| {
        held.get(&Traced { series, is_before: false }).map_or_else(String::new, |chart| {
            let of = if first == Some(chart.thing) { String::new() } else { format!("{}: ", chart.thing_title) };
            let unit = if chart.unit.is_empty() { String::new() } else { format!(", {}", format::known(&chart.unit)) };
            format!("{of}{}{unit}", format::known(&chart.label))
        })
    })
}
