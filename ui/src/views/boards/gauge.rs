//! One value on its scale.

use fleetlens_ipc::boards::{BoardGauge, Shown};
use fleetlens_model::telemetry::Value;
use leptos::prelude::*;
use tr::tr;

use super::widget::{Now, Waits, Wrong};
use crate::clock::{Aged, clock};
use crate::format;
use crate::state::store;
use crate::views::parking::is_driver;

/// Half the length of the arc's circle, with a radius of 40.
const ARC: f64 = 40.0 * std::f64::consts::PI;

#[component]
pub(super) fn GaugeOf(min: Option<f64>, max: Option<f64>, now: Now) -> impl IntoView {
    let gauge = Memo::new(move |_| {
        now.with(|now| {
            let Aged { row, at_ms } = now.as_ref()?;
            if let Shown::Gauge(gauge) = row { Some(Aged { row: (**gauge).clone(), at_ms: *at_ms }) } else { None }
        })
    });
    let is_shown = Memo::new(move |_| {
        now.with(|now| match now.as_ref().map(|now| &now.row) {
            Some(Shown::Gauge(_)) => Ok(true),
            Some(Shown::Wrong(why)) => Err(why.clone()),
            Some(_) | None => Ok(false),
        })
    });
    move || match is_shown.get() {
        Ok(true) => of(gauge, (min, max)).into_any(),
        Ok(false) => view! { <Waits /> }.into_any(),
        Err(why) => view! { <Wrong why /> }.into_any(),
    }
}

/// What changes with the value.
#[derive(Clone, Debug, Default, PartialEq)]
struct Face {
    title: String,
    words: String,
    unit: String,
    share: Option<f64>,
    ends: Option<(String, String)>,
}

impl Face {
    fn of(BoardGauge { title, value, scale, .. }: &BoardGauge, asked: (Option<f64>, Option<f64>)) -> Face {
        let scale = scale_of(asked, *scale);
        let number = match &value.value {
            Value::Number(number) => Some(*number),
            Value::Flag(_) | Value::Text(_) => None,
        };
        let decimals = value.decimals;
        Face {
            title: title.clone(),
            words: format::value(&value.value, decimals),
            unit: format::known(&value.unit).to_owned(),
            share: number.zip(scale).map(|(number, scale)| share(number, scale)),
            ends: scale.map(|(from, to)| (format::number(from, decimals), format::number(to, decimals))),
        }
    }

    fn says(&self) -> String {
        let Face { title, words, unit, .. } = self;
        match &self.ends {
            Some((from, to)) => tr!("{title}: {words} {unit}, between {from} and {to}", title, words, unit, from, to),
            None => format!("{title}: {words} {unit}"),
        }
    }
}

/// What it shows changes; it stays, with the focus that is on it.
fn of(gauge: Memo<Option<Aged<BoardGauge>>>, asked: (Option<f64>, Option<f64>)) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let driver = is_driver(store);
    let face = Memo::new(move |_| {
        gauge.with(|gauge| gauge.as_ref().map(|gauge| Face::of(&gauge.row, asked))).unwrap_or_default()
    });
    let title = Memo::new(move |_| face.with(|face| face.title.clone()));
    let words = move || face.with(|face| face.words.clone());
    let unit = move || face.with(|face| face.unit.clone());
    let is_drawn = Memo::new(move |_| face.with(|face| face.share.is_some()));
    let share = move || face.with(|face| face.share.unwrap_or(0.0));
    let has_ends = Memo::new(move |_| face.with(|face| face.ends.is_some()));
    let ends = move || face.with(|face| face.ends.clone().unwrap_or_default());
    let age = Memo::new(move |_| {
        gauge.with(|gauge| {
            let gauge = gauge.as_ref()?;
            let value = &gauge.row.value;
            Some(format::age_line(value, value.age_ms + gauge.elapsed_ms(clock.now_ms()), store.link_up.get()))
        })
    });
    let tone = move || age.with(|age| age.as_ref().map(|(_, tone)| tone.word()));
    let line = move || age.with(|age| age.as_ref().map(|(line, _)| line.clone()));
    view! {
        <div class="board-gauge" data-testid="board-gauge" data-tone=tone>
            <Show when=move || is_drawn.get()>
                <svg viewBox="0 0 100 56" role="img" aria-label=move || face.with(Face::says)>
                    <path class="track" d="M10 50a40 40 0 0 1 80 0" />
                    <path
                        class="value"
                        d="M10 50a40 40 0 0 1 80 0"
                        stroke-dasharray=move || format!("{:.1} {ARC:.1}", share() * ARC)
                        visibility=move || visible(share())
                    />
                </svg>
            </Show>
            <p class="number"><strong>{words}</strong><small>{unit}</small></p>
            <Show when=move || has_ends.get()>
                <p class="ends" aria-hidden="true">
                    <span>{move || ends().0}</span>
                    <span>{move || ends().1}</span>
                </p>
            </Show>
        </div>
        <p class="board-basis">
            // A driver's window has no pages of things.
            <Show when=move || !driver.get() fallback=move || view! { <span>{title}</span> }>
                <button
                    type="button"
                    class="link"
                    on:click=move |_| {
                        if let Some(thing) = gauge.with_untracked(|gauge| gauge.as_ref().map(|gauge| gauge.row.thing)) {
                            store.open(thing);
                        }
                    }
                >
                    {title}
                </button>
            </Show>
            <span class="board-age">{line}</span>
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
