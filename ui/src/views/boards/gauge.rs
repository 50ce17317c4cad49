//! One value on its scale.

use fleetlens_ipc::boards::{BoardGauge, Shown};
use fleetlens_model::telemetry::Value;
use leptos::prelude::*;

use super::widget::{Now, Waits, Wrong};
use crate::clock::{Aged, clock};
use crate::format;
use crate::state::store;
use crate::views::parking::is_driver;

/// Half the length of the arc's circle, with a radius of 40.
const ARC: f64 = 40.0 * std::f64::consts::PI;

#[component]
pub(super) fn GaugeOf(min: Option<f64>, max: Option<f64>, now: Now) -> impl IntoView {
    move || {
        let Some(Aged { row, at_ms }) = now.get() else { return view! { <Waits /> }.into_any() };
        match row {
            Shown::Gauge(gauge) => of(Aged { row: *gauge, at_ms }, (min, max)).into_any(),
            Shown::Wrong(why) => view! { <Wrong why /> }.into_any(),
            Shown::Nothing
            | Shown::Figure(_)
            | Shown::Lines(_)
            | Shown::Table { .. }
            | Shown::Map { .. }
            | Shown::Alarms { .. }
            | Shown::Parks { .. } => view! { <Waits /> }.into_any(),
        }
    }
}

fn of(gauge: Aged<BoardGauge>, asked: (Option<f64>, Option<f64>)) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let driver = is_driver(store);
    let BoardGauge { thing, title, value, scale } = gauge.row.clone();
    let scale = scale_of(asked, scale);
    let number = match &value.value {
        Value::Number(number) => Some(*number),
        Value::Flag(_) | Value::Text(_) => None,
    };
    let share = number.zip(scale).map(|(number, scale)| share(number, scale));
    let words = format::value(&value.value, value.decimals);
    let unit = value.unit.clone();
    let decimals = value.decimals;
    let age = Memo::new(move |_| {
        let age_ms = gauge.row.value.age_ms + gauge.elapsed_ms(clock.now_ms());
        format::age_line(&gauge.row.value, age_ms, store.link_up.get())
    });
    let ends = scale.map(|(from, to)| (format::number(from, decimals), format::number(to, decimals)));
    let says = match &ends {
        Some((from, to)) => format!("{title}: {words} {unit}, between {from} and {to}"),
        None => format!("{title}: {words} {unit}"),
    };
    view! {
        <div class="board-gauge" data-testid="board-gauge" data-tone=move || age.with(|(_, tone)| tone.word())>
            {share
                .map(|share| {
                    view! {
                        <svg viewBox="0 0 100 56" role="img" aria-label=says>
                            <path class="track" d="M10 50a40 40 0 0 1 80 0" />
                            <path
                                class="value"
                                d="M10 50a40 40 0 0 1 80 0"
                                stroke-dasharray=format!("{:.1} {ARC:.1}", share * ARC)
                                visibility=visible(share)
                            />
                        </svg>
                    }
                })}
            <p class="number"><strong>{words}</strong><small>{unit}</small></p>
            {ends.map(|(from, to)| view! { <p class="ends" aria-hidden="true"><span>{from}</span><span>{to}</span></p> })}
        </div>
        <p class="board-basis">
            // A driver's window has no pages of things.
            {if driver.get() {
                view! { <span>{title}</span> }.into_any()
            } else {
                view! { <button type="button" class="link" on:click=move |_| store.open(thing)>{title}</button> }.into_any()
            }}
            <span class="board-age">{move || age.with(|(line, _)| line.clone())}</span>
        </p>
    }
}

/// A round end would be seen of nothing.
fn visible(share: f64) -> &'static str {
    if share > 0.0 { "visible" } else { "hidden" }
}

/// What the board says goes before what the kind says; half a scale is none.
fn scale_of((min, max): (Option<f64>, Option<f64>), of_kind: Option<(f64, f64)>) -> Option<(f64, f64)> {
    let (from, to) = (min.or(of_kind.map(|(from, _)| from))?, max.or(of_kind.map(|(_, to)| to))?);
    (from < to).then_some((from, to))
}

/// How much of the scale a value takes, 0 to 1.
fn share(number: f64, (from, to): (f64, f64)) -> f64 {
    ((number - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_what_the_board_says_and_else_what_the_kind_says() {
        let kind = Some((0.0, 100.0));
        for (asked, of_kind, want) in [
            ((None, None), kind, kind),
            ((None, Some(80.0)), kind, Some((0.0, 80.0))),
            ((Some(5.0), Some(6.0)), None, Some((5.0, 6.0))),
            ((Some(5.0), None), None, None),
            ((Some(200.0), None), kind, None),
            ((None, None), None, None),
        ] {
            assert_eq!(scale_of(asked, of_kind), want, "{asked:?} {of_kind:?}");
        }
        assert!((share(50.0, (0.0, 200.0)) - 0.25).abs() < 1e-9);
        assert!((share(-5.0, (0.0, 10.0))).abs() < 1e-9 && (share(15.0, (0.0, 10.0)) - 1.0).abs() < 1e-9);
    }
}
