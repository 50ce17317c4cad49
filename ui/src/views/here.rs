//! "Near" needs a place to be near to: the device's position when it may be asked, else where somebody tapped, else the middle of the
//! map, which follows the map. Which of them it is always stands on the screen.

use std::time::Duration;

use fleetlens_model::geo::LonLat;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::prelude::*;
use web_sys::{Geolocation, Position, PositionError, PositionOptions};

use crate::components::icon::Icon;
use crate::format;
use crate::islands::map::Covered;
use crate::lang::said;
use crate::views::map_view::MapScreen;

/// How far the middle of the map or the position must move before the list is asked for anew, in metres.
const STEP_M: f64 = 25.0;

/// How long the map must be at rest before its new middle counts.
const REST: Duration = Duration::from_millis(300);

/// How long the device may look for its position, in milliseconds.
const PATIENCE_MS: u32 = 10_000;

/// The Geolocation API's code for "no position in time".
const TIMEOUT: u16 = 3;

/// How close the map comes to a position.
const CLOSE_ZOOM: f64 = 15.0;

/// Where "here" comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// The middle of the map.
    Middle,
    /// A point somebody tapped.
    Tapped,
    /// The device's position, good to this many metres.
    Position {
        /// In metres.
        accuracy_m: f64,
    },
    /// Where the device was before it lost its position.
    LastPosition,
}

/// Here. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Here {
    /// Where it is; `None` until there is a map or a position.
    pub at: RwSignal<Option<LonLat>>,
    /// Where that comes from.
    pub origin: RwSignal<Origin>,
    /// The device was asked for its position and has not answered.
    pub asking: RwSignal<bool>,
    /// Why there is no position, in words.
    pub refused: RwSignal<Option<&'static str>>,
    screen: MapScreen,
    covered: Covered,
    /// Answers of the device are only taken to the last question.
    question: StoredValue<u32>,
    /// The device's number for following its position.
    watch: StoredValue<Option<i32>>,
}

impl Here {
    /// The middle of a map, of which `covered` lies under something else, until somebody taps on it or the position is known.
    pub fn start(screen: MapScreen, covered: Covered) -> Here {
        let here = Here {
            at: RwSignal::new(None),
            origin: RwSignal::new(Origin::Middle),
            asking: RwSignal::new(false),
            refused: RwSignal::new(None),
            screen,
            covered,
            question: StoredValue::new(0),
            watch: StoredValue::new(None),
        };
        on_cleanup(move || here.unwatch());
        let resting = StoredValue::new(None::<TimeoutHandle>);
        on_cleanup(move || {
            if let Some(handle) = resting.get_value() {
                handle.clear();
            }
        });
        Effect::new(move |_| {
            let Some(middle) = screen.middle() else { return };
            if here.at.get_untracked().is_none() {
                here.at.set(Some(middle));
            }
            if let Some(handle) = resting.get_value() {
                handle.clear();
            }
            let follow = move || {
                if here.origin.get_untracked() == Origin::Middle {
                    here.move_to(middle);
                }
            };
            resting.set_value(set_timeout_with_handle(follow, REST).ok());
        });
        Effect::new(move |_| {
            if let Some(at) = screen.tapped.get() {
                here.unwatch();
                here.asking.set(false);
                // Who tapped has done what it asks for.
                here.refused.set(None);
                here.origin.set(Origin::Tapped);
                here.at.set(Some(at));
            }
        });
        here
    }

    /// Asks the device for its position and follows it; goes there, or says why not.
    pub fn ask(self) {
        self.unwatch();
        let question = self.question.get_value();
        let is_mine = move || self.question.try_get_value() == Some(question);
        self.refused.set(None);
        let Some(geolocation) = geolocation() else {
            self.refused.set(Some(said("This device tells no position.")));
            return;
        };
        self.asking.set(true);
        let found = Closure::<dyn Fn(Position)>::new(move |position: Position| {
            if is_mine() {
                self.found(&position);
            }
        });
        let failed = Closure::<dyn Fn(PositionError)>::new(move |error: PositionError| {
            if is_mine() {
                self.fail(error.code());
            }
        });
        let options = PositionOptions::new();
        options.set_enable_high_accuracy(true);
        options.set_timeout(PATIENCE_MS);
        options.set_maximum_age(30_000);
        // The closures live as long as the page: an engine may answer after it was told to stop.
        let watch = geolocation.watch_position_with_error_callback_and_options(
            found.into_js_value().unchecked_ref(),
            Some(failed.into_js_value().unchecked_ref()),
            &options,
        );
        match watch {
            Ok(watch) => self.watch.set_value(Some(watch)),
            Err(_) => self.fail(0),
        }
        // Some engines never answer a question that nobody may answer.
        let out_of_patience = move || {
            if is_mine() && self.asking.try_get_untracked() == Some(true) {
                self.fail(TIMEOUT);
            }
        };
        set_timeout(out_of_patience, Duration::from_millis(u64::from(PATIENCE_MS) + 2_000));
    }

    /// Nothing that the device says from now on moves anything.
    fn unwatch(self) {
        self.question.update_value(|question| *question += 1);
        let watch = self.watch.try_update_value(Option::take).flatten();
        if let (Some(watch), Some(geolocation)) = (watch, geolocation()) {
            geolocation.clear_watch(watch);
        }
    }

    fn found(self, position: &Position) {
        let coordinates = position.coords();
        let Some(at) = LonLat::new(coordinates.longitude(), coordinates.latitude()) else { return self.fail(2) };
        let is_first = self.asking.get_untracked();
        self.asking.set(false);
        self.origin.set(Origin::Position { accuracy_m: coordinates.accuracy() });
        if is_first {
            self.at.set(Some(at));
            self.screen.go(at, CLOSE_ZOOM, self.covered);
        } else {
            self.move_to(at);
        }
    }

    fn fail(self, code: u16) {
        self.asking.set(false);
        self.refused.set(Some(refusal(code)));
        // What was found before is where it was, not where it is.
        if matches!(self.origin.get_untracked(), Origin::Position { .. }) {
            self.origin.set(Origin::LastPosition);
        }
    }

    fn move_to(self, at: LonLat) {
        let is_far = self.at.with_untracked(|known| known.is_none_or(|known| known.distance_m(at) >= STEP_M));
        if is_far {
            self.at.set(Some(at));
        }
    }
}

fn geolocation() -> Option<Geolocation> {
    web_sys::window().and_then(|window| window.navigator().geolocation().ok())
}

/// The words for a code of the Geolocation API (W3C, "position error interface").
fn refusal(code: u16) -> &'static str {
    match code {
        1 => said("This device may not tell its position."),
        TIMEOUT => said("This device found no position in time; “My position” tries again."),
        _ => said("This device finds no position here."),
    }
}

/// `Near your position (±20 m)`.
pub fn origin_words(origin: Origin, has_map: bool) -> String {
    match origin {
        Origin::Middle if has_map => said("Near the middle of the map").into(),
        Origin::Middle => said("Near the middle of the city").into(),
        Origin::Tapped => said("Near the point you tapped").into(),
        Origin::LastPosition => said("Near where you were last").into(),
        Origin::Position { accuracy_m } => tr!("Near your position (±{})", distance(accuracy_m)),
    }
}

/// A distance as people say it: `40 m`, `650 m`, `1.9 km`, `12 km`.
pub fn distance(metres: f64) -> String {
    let metres = metres.max(0.0);
    match metres {
        m if m < 100.0 => format!("{:.0}\u{a0}m", m),
        m if m < 995.0 => format!("{:.0}\u{a0}m", (m / 10.0).round() * 10.0),
        m if m < 9_950.0 => format!("{}\u{a0}km", format::number(m / 1000.0, 1)),
        m => format!("{:.0}\u{a0}km", m / 1000.0),
    }
}

/// The line that says near what, and the button that asks for the position.
#[component]
pub fn HereLine(
    /// Here.
    here: Here,
    /// The way to the map, where it is not on the screen.
    #[prop(optional, into)]
    to_map: Option<Callback<()>>,
) -> impl IntoView {
    let words = move || {
        if here.asking.get() {
            said("Looking for your position …").into()
        } else {
            origin_words(here.origin.get(), !here.screen.is_unmapped())
        }
    };
    view! {
        <div class="here-line">
            <p data-testid="near-what">{words}</p>
            <button type="button" class="locate" data-testid="locate" on:click=move |_| here.ask()>
                <Icon of=icondata_lu::LuLocateFixed />
                {said("My position")}
            </button>
            <Show when=move || here.refused.get().is_some()>
                <p class="refused-position" role="status" data-testid="no-position">
                    {move || here.refused.get()}
                    {move || (to_map.is_none() && !here.screen.is_unmapped()).then(|| format!(" {}", said("Tap on the map instead.")))}
                </p>
                {to_map
                    .map(|to_map| {
                        view! {
                            <button type="button" class="locate" data-testid="to-map" on:click=move |_| to_map.run(())>
                                <Icon of=icondata_lu::LuMap />
                                {said("Tap the map on the Map tab")}
                            </button>
                        }
                    })}
            </Show>
        </div>
    }
}

/// The mark of here on the map.
#[component]
pub fn HereMark(
    /// Here.
    here: Here,
) -> impl IntoView {
    // The middle of the map needs no mark while it follows the map.
    let at = Memo::new(move |_| here.at.get().filter(|_| here.origin.get() != Origin::Middle));
    move || {
        at.get().map(|at| {
            let px = move |read: fn((f64, f64)) -> f64| here.screen.project(at).map(|at| format!("{:.1}px", read(at)));
            view! {
                <span
                    class="here-mark"
                    class:position=matches!(here.origin.get(), Origin::Position { .. })
                    role="img"
                    aria-label=said("Here")
                    data-testid="here"
                    style:left=move || px(|at| at.0)
                    style:top=move || px(|at| at.1)
                />
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_as_precisely_as_they_help() {
        for (metres, want) in [
            (0.4, "0 m"),
            (42.4, "42 m"),
            (647.0, "650 m"),
            (994.9, "990 m"),
            (996.0, "1.0 km"),
            (1_940.0, "1.9 km"),
            (12_400.0, "12 km"),
        ] {
            assert_eq!(distance(metres).replace('\u{a0}', " "), want, "{metres}");
        }
    }

    #[test]
    fn it_always_says_near_what() {
        assert_eq!(
            origin_words(Origin::Position { accuracy_m: 18.0 }, true).replace('\u{a0}', " "),
            "Near your position (±18 m)"
        );
        assert_ne!(origin_words(Origin::Middle, true), origin_words(Origin::Tapped, true));
        assert!(!origin_words(Origin::Middle, false).contains("map"), "of a map that is not there");
        assert!([0, 1, 2, 3, 9].iter().all(|code| refusal(*code).ends_with('.')), "what to do instead follows");
    }
}
