//! Where things stand on the time bar. Pure.

use fleetlens_ipc::replay::Moment;
use fleetlens_model::time::WallMs;
use leptos::ev::KeyboardEvent;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::lang::said;
use crate::state::replay::PARTS;

/// Ticks on the bar at most: a label each must have room.
const TICKS_MAX: i64 = 8;

/// Steps between ticks, in minutes: what people count in.
const STEPS_MIN: [i64; 14] = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 43_200];

/// The highest mark, and the lowest that can be seen, in pixels.
const MARK_PX: f64 = 14.0;
const MARK_LEAST_PX: f64 = 4.0;

/// Where a moment stands: 0 at the left end, 1 at the right one.
pub fn place(at: WallMs, from: WallMs, to: WallMs) -> f64 {
    (at.0 - from.0) as f64 / (to.0 - from.0).max(1) as f64
}

/// Round moments by the reader's clock, at most [`TICKS_MAX`], and whether each is told by its day.
pub fn ticks(from: WallMs, to: WallMs, utc_offset_min: i32) -> Vec<(WallMs, bool)> {
    let wide_ms = to.0.saturating_sub(from.0).max(1);
    let step_ms = STEPS_MIN.into_iter().map(|min| min * 60_000).find(|step_ms| wide_ms / step_ms <= TICKS_MAX);
    let step_ms = step_ms.unwrap_or(wide_ms);
    let offset_ms = i64::from(utc_offset_min) * 60_000;
    let first = (from.0 + offset_ms).div_euclid(step_ms) + 1;
    (first..)
        .map(|nth| nth * step_ms)
        .map(|at_ms| (WallMs(at_ms - offset_ms), at_ms.rem_euclid(86_400_000) == 0))
        .take_while(|(at, _)| *at < to)
        .collect()
}

/// Where the mark of a part begins, in hundredths of the bar, and how high it is, in pixels: by the root, so that one alarm beside a
/// hundred is seen.
pub fn mark(nth: usize, count: u32, most: u32) -> (f64, f64) {
    let start = nth as f64 * 100.0 / f64::from(PARTS);
    let share = (f64::from(count) / f64::from(most.max(1))).sqrt();
    (start, (MARK_LEAST_PX + (MARK_PX - MARK_LEAST_PX) * share).round())
}

/// What is not known of a moment, in a sentence; nothing where all is known.
pub fn notes(moment: &Moment) -> String {
    let mut notes = Vec::new();
    if moment.is_other {
        notes.push(said("The cache does not reach there: this is the nearest moment it holds.").to_owned());
    }
    if moment.shadows_unknown > 0 {
        notes.push(tr!("1 shadow cannot be told for this moment and show nothing."
            | "{n} shadows cannot be told for this moment and show nothing." % moment.shadows_unknown));
    }
    if moment.alarms_unknown > 0 {
        notes.push(tr!("1 alarm came again since; how they stood is not kept."
            | "{n} alarms came again since; how they stood is not kept." % moment.alarms_unknown));
    }
    notes.join(" ")
}

/// Whether a key was pressed on the bar itself or its track, and not on a button or in the field.
pub fn is_of_bar(event: &KeyboardEvent) -> bool {
    let Some(element) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return true };
    match element.tag_name().as_str() {
        "BUTTON" => false,
        "INPUT" => element.get_attribute("type").as_deref() == Some("range"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_by_the_readers_clock_and_few() {
        const MIN: i64 = 60_000;
        // 21 November 2026, 10:07 UTC.
        let from = WallMs(1_795_255_620_000);
        for (name, wide_min, offset_min, want_first, want_many) in [
            ("an hour, by the quarter", 60, 0, 3, 6),
            ("six hours, in India", 360, 330, 23, 6),
            ("a day", 1_440, 0, 113, 8),
            ("a week", 10_080, 60, 773, 7),
        ] {
            let ticks = ticks(from, from.plus(wide_min * MIN), offset_min);
            assert_eq!(ticks.first().map(|(at, _)| (at.0 - from.0) / MIN), Some(want_first), "{name}");
            assert_eq!(ticks.len(), want_many, "{name}: {ticks:?}");
            assert!(ticks.len() <= 9);
        }
        assert!(ticks(from, from, 0).is_empty());
    }

    #[test]
    fn one_alarm_is_seen_beside_a_hundred() {
        assert_eq!(mark(0, 100, 100), (0.0, MARK_PX));
        assert_eq!(mark(120, 1, 100), (50.0, 5.0));
        assert_eq!(mark(0, 0, 0).1, MARK_LEAST_PX);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let moment = Moment { at_ms: WallMs(0), speed: 0, is_other: false, shadows_unknown: 0, alarms_unknown: 0 };
        assert_eq!(notes(&moment), "");
        let told = notes(&Moment { is_other: true, shadows_unknown: 1, alarms_unknown: 12, ..moment });
        assert!(told.contains("nearest moment") && told.contains("1 shadow cannot") && told.contains("12 alarms came"));
    }
}
