//! The page's clocks: the monotonic one, by which ages grow, ticking once a second for everything that shows one, and the
//! reader's time zone.

use std::cell::Cell;

use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::format::LocalTime;

/// Milliseconds since the page was opened; never goes back.
pub fn mono_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// How fast the time that is shown passes, since when.
#[derive(Clone, Copy)]
struct Pace {
    /// [`mono_ms`] then.
    from_ms: f64,
    /// [`shown_ms`] then.
    shown_ms: f64,
    speed: f64,
}

thread_local! {
    static PACE: Cell<Pace> = const { Cell::new(Pace { from_ms: 0.0, shown_ms: 0.0, speed: 1.0 }) };
}

/// The clock by which ages grow: as fast as ours, and in the past as fast as that is played.
pub fn shown_ms() -> f64 {
    let Pace { from_ms, shown_ms, speed } = PACE.get();
    shown_ms + (mono_ms() - from_ms) * speed
}

/// From now on what is shown passes so much faster than life; 0 stands still.
pub fn set_pace(speed: f64) {
    PACE.set(Pace { from_ms: mono_ms(), shown_ms: shown_ms(), speed });
}

/// Something the host said with ages in it, and when it said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Aged<T> {
    /// What it said.
    pub row: T,
    /// [`shown_ms`] when it came.
    pub at_ms: f64,
}

impl<T> Aged<T> {
    /// How long ago it was said.
    pub fn elapsed_ms(&self, now_ms: f64) -> u64 {
        (now_ms - self.at_ms).max(0.0) as u64
    }
}

/// The wall clock running this far ahead of the monotonic one within a tick means that the computer slept (ms).
const SLEPT_MS: f64 = 5_000.0;

/// Tells when the computer has slept, or somebody set its clock: [`mono_ms`] stands still in sleep, so every age on the page is
/// too young then and must be asked for again.
pub fn on_waking(woke: impl Fn() + 'static) {
    let ahead_ms = || js_sys::Date::now() - mono_ms();
    let before = StoredValue::new(ahead_ms());
    let look = move || {
        let now = ahead_ms();
        if (now - before.get_value()).abs() > SLEPT_MS {
            woke();
        }
        before.set_value(now);
    };
    set_interval(look, std::time::Duration::from_secs(1));
}

/// The tick that ages follow.
#[derive(Clone, Copy)]
pub struct Clock(ReadSignal<f64>);

impl Clock {
    /// Starts ticking; once for the whole window.
    pub fn start() -> Clock {
        let (now_ms, tick) = signal(shown_ms());
        set_interval(move || tick.set(shown_ms()), std::time::Duration::from_secs(1));
        Clock(now_ms)
    }

    /// The monotonic time that is shown ([`shown_ms`]), at most a second old; who reads it is told every second.
    pub fn now_ms(self) -> f64 {
        // A row may be younger than the last tick.
        self.0.get().max(0.0)
    }
}

/// The clock of the window.
pub fn clock() -> Clock {
    expect_context()
}

/// A moment in the reader's time zone.
pub fn local(at: WallMs) -> LocalTime {
    let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    LocalTime {
        year: i32::try_from(date.get_full_year()).unwrap_or(0),
        month: small(date.get_month() + 1),
        day: small(date.get_date()),
        hour: small(date.get_hours()),
        minute: small(date.get_minutes()),
        second: small(date.get_seconds()),
        milli: u16::try_from(date.get_milliseconds()).unwrap_or(0),
    }
}

/// What the reader's clock shows more than UTC at a moment, in minutes.
pub fn utc_offset_min(at: WallMs) -> i32 {
    -js_sys::Date::new(&JsValue::from_f64(at.0 as f64)).get_timezone_offset() as i32
}

/// Today, by the reader's own clock; only for leaving the date out of times of today.
pub fn today() -> LocalTime {
    local(WallMs(js_sys::Date::now() as i64))
}
