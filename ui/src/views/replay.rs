//! The time bar at the bottom of the desktop's window, and what says that the past is shown: a badge in the place of the live sign, and a
//! frame around everything.

mod scale;

use std::time::Duration;

use fleetlens_ipc::replay::{Moment, SPEEDS};
use fleetlens_model::time::WallMs;
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsValue;

use crate::clock::{local, today, utc_offset_min};
use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::format;
use crate::lang::said;
use crate::state::replay::{Held, PARTS, Wide, held};
use crate::state::{Store, store};

/// How often the bar asks where its end is: the present goes on.
const SPAN_EVERY: Duration = Duration::from_secs(10);

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// What a moment is called: `Sat 21 Nov 14:03:10`.
fn moment_words(at: WallMs) -> String {
    local(at).day_and_clock(&today())
}

/// The badge: the past, which moment, and how fast it goes on.
fn badge_words(moment: &Moment) -> String {
    let speed = if moment.speed == 0 { said("stands still").to_owned() } else { format!("{}×", moment.speed) };
    format!("{} · {speed}", moment_words(moment.at_ms))
}

/// In the place of the live sign while the past is shown; a click shows the time bar.
#[component]
pub fn PastSign() -> impl IntoView {
    let store = store();
    let words =
        Memo::new(move |_| store.replay.moment.with(|moment| moment.as_ref().map(badge_words)).unwrap_or_default());
    view! {
            <div class="replay-sign" data-testid="past">
                <button type="button" title=said("Show the time bar (P)") on:click=move |_| store.replay.open.set(true)>
                    <Icon of=icondata_lu::LuHistory />
                    <b>{said("The past")}</b>
                    <span class="replay-when" data-testid="past-moment">{words}</span>
                </button>
    // The bar has one as well.
                <Show when=move || !store.replay.open.get()>
                    <button type="button" class="replay-now" data-testid="past-back" on:click=move |_| store.back_to_now()>
                        {said("Back to now")}
                    </button>
                </Show>
            </div>
        }
}

/// The button in the status bar.
#[component]
pub fn ReplayButton() -> impl IntoView {
    let store = store();
    view! {
        <button
            type="button"
            class="replay-open"
            class:on=move || store.replay.open.get()
            title=said("Replay: show the city as it was (P)")
            aria-label=said("Replay")
            aria-expanded=move || store.replay.open.get().to_string()
            data-testid="replay-open"
            on:click=move |_| store.turn_replay()
        >
            <Icon of=icondata_lu::LuHistory />
            <span>{said("Replay")}</span>
        </button>
    }
}

/// The bar, while it is there.
#[component]
pub fn ReplayBar() -> impl IntoView {
    let store = store();
    view! {
        <Show when=move || store.replay.open.get()>
            <Bar />
        </Show>
    }
}

/// What the bar shows: from when to when, and which moment is on it. Copy: a bundle of signals.
#[derive(Clone, Copy)]
struct Shown {
    store: Store,
    stretch: Memo<Option<(WallMs, WallMs)>>,
    /// The moment that is shown, or asked for; the present otherwise.
    at: Memo<Option<WallMs>>,
}

impl Shown {
    fn new(store: Store) -> Shown {
        let replay = store.replay;
        let at = Memo::new(move |_| {
            let shown = replay.moment.with(|moment| moment.map(|moment| moment.at_ms));
            replay.wanted.get().or(shown)
        });
        let kept = Memo::new(move |before: Option<&Option<Held>>| {
            let shown = replay.moment.with(|moment| moment.map(|moment| moment.at_ms));
            Some(held(before.copied().flatten(), replay.wide.get(), replay.span.get()?, shown))
        });
        let stretch = Memo::new(move |_| kept.get().map(|(_, stretch)| stretch));
        Shown { store, stretch, at }
    }

    /// The moment on the bar; the right end for the present.
    fn thumb(self) -> Option<WallMs> {
        Some(self.at.get().unwrap_or(self.stretch.get()?.1))
    }

    /// Goes to a moment, or to the nearest that the cache holds: which that is, and that it is another one, the host says.
    fn go(self, at: WallMs) {
        if self.store.replay.span.with_untracked(Option::is_some) {
            self.store.seek_moment(at);
        }
    }

    fn step(self, by_ms: i64) {
        if let Some(at) = untrack(|| self.thumb()) {
            self.go(at.plus(by_ms));
        }
    }

    /// Plays, or stands still; from the present there is nothing to play.
    fn turn_play(self, speed: u16) {
        match self.store.replay.moment.get_untracked() {
            Some(moment) if moment.speed == 0 => self.store.play_past(speed),
            Some(_) => self.store.play_past(0),
            None => {}
        }
    }
}

#[component]
fn Bar() -> impl IntoView {
    let store = store();
    let shown = Shown::new(store);
    let speed = RwSignal::new(store.replay.moment.get_untracked().map_or(10, |moment| moment.speed.max(1)));
    store.ask_for_span();
    let again = StoredValue::new(set_interval_with_handle(move || store.ask_for_span(), SPAN_EVERY).ok());
    on_cleanup(move || {
        if let Some(handle) = again.try_get_value().flatten() {
            IntervalHandle::clear(&handle);
        }
    });
    let is_playing =
        Memo::new(move |_| store.replay.moment.with(|moment| moment.is_some_and(|moment| moment.speed != 0)));
    let is_past = Memo::new(move |_| store.replay.is_past());
    let keys = move |event: KeyboardEvent| {
        if event.key() == " " && scale::is_of_bar(&event) {
            event.prevent_default();
            shown.turn_play(speed.get_untracked());
        }
    };
    let choose_speed = Callback::new(move |chosen: u16| {
        speed.set(chosen);
        if is_playing.get_untracked() {
            store.play_past(chosen);
        }
    });
    // Neither it nor Play is disabled: whoever is on one by keys would be thrown off it.
    let back = move |_| {
        if is_past.get_untracked() {
            store.back_to_now();
        }
    };
    let speeds = SPEEDS.map(|speed| (speed, format!("{speed}×"))).to_vec();
    let stretches = Wide::CHOICES.map(|(wide, words)| (wide, said(words).to_owned())).to_vec();
    let choose_wide = Callback::new(move |wide| store.replay.wide.set(wide));
    view! {
        <section class="replay-bar" aria-label=said("Replay") data-testid="replay-bar" on:keydown=keys>
            <button
                type="button"
                class="replay-play"
                data-testid="replay-play"
                aria-disabled=move || (!is_past.get()).to_string()
                title=move || if is_playing.get() { said("Stand still (Space)") } else { said("Play (Space)") }
                aria-label=move || if is_playing.get() { said("Stand still") } else { said("Play") }
                on:click=move |_| shown.turn_play(speed.get_untracked())
            >
                {move || if is_playing.get() { view! { <Icon of=icondata_lu::LuPause /> } } else { view! { <Icon of=icondata_lu::LuPlay /> } }}
            </button>
            <Segmented label=said("Speed") options=speeds chosen=Signal::derive(move || Some(speed.get())) on_choose=choose_speed />
            <Show
                when=move || shown.stretch.with(Option::is_some)
                fallback=|| view! { <p class="replay-none">{said("The cache holds nothing yet that could be shown again.")}</p> }
            >
                <Track shown />
            </Show>
            <div class="replay-wide">
                <Segmented
                    label=said("Stretch of time on the bar")
                    options=stretches
                    chosen=Signal::derive(move || Some(store.replay.wide.get()))
                    on_choose=choose_wide
                />
            </div>
            <Exact shown />
            <button type="button" class="plain replay-back" data-testid="replay-now" aria-disabled=move || (!is_past.get()).to_string() on:click=back>
                {said("Back to now")}
            </button>
            <button type="button" class="replay-close" aria-label=said("Close the time bar") title=said("Close the time bar (P)") on:click=move |_| store.replay.open.set(false)>
                <Icon of=icondata_lu::LuX />
            </button>
            <Notes />
        </section>
    }
}

/// What is not known of the moment that is shown.
#[component]
fn Notes() -> impl IntoView {
    let store = store();
    let words =
        Memo::new(move |_| store.replay.moment.with(|moment| moment.as_ref().map(scale::notes).unwrap_or_default()));
    view! {
        <p class="replay-notes" aria-live="polite" data-testid="replay-notes">{words}</p>
    }
}

/// The track: marks of alarms, ticks, and the thumb.
#[component]
fn Track(shown: Shown) -> impl IntoView {
    let store = shown.store;
    let stretch = Memo::new(move |_| shown.stretch.get().unwrap_or_default());
    let counts = RwSignal::new(Vec::<u32>::new());
    // Counted anew when the stretch has moved by a part of it.
    let counted = Memo::new(move |_| {
        let (from, to) = stretch.get();
        let part_ms = ((to.0 - from.0) / i64::from(PARTS)).max(1);
        (WallMs(from.0.div_euclid(part_ms) * part_ms), WallMs(to.0.div_euclid(part_ms) * part_ms))
    });
    Effect::new(move |_| {
        let asked = counted.get();
        store.ask_for_raised(asked, move |told| {
            if counted.try_get_untracked() == Some(asked) {
                counts.set(told);
            }
        });
    });
    let place = move |at: WallMs| {
        let (from, to) = stretch.get();
        scale::place(at, from, to)
    };
    let ticks = move || {
        let (from, to) = stretch.get();
        scale::ticks(from, to, utc_offset_min(to))
            .into_iter()
            .map(|(at, is_day)| {
                let clock = local(at);
                let words = if is_day { clock.day() } else { clock.minutes() };
                view! { <span class="replay-tick" style:inset-inline-start=format!("{:.3}%", place(at) * 100.0)>{words}</span> }
            })
            .collect_view()
    };
    let marks = move || {
        let most = counts.with(|counts| counts.iter().copied().max().unwrap_or(0));
        counts.with(|counts| {
            counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(nth, count)| {
                    let (start, height) = scale::mark(nth, *count, most);
                    view! {
                        <span
                            class="replay-mark"
                            style:inset-inline-start=format!("{start:.3}%")
                            style:height=format!("{height}px")
                        />
                    }
                })
                .collect_view()
        })
    };
    // Before the cache begins there is nothing.
    let nothing = move || {
        let begins = store.replay.span.get().map_or(WallMs(0), |(begins, _)| begins);
        format!("{:.3}%", place(begins).clamp(0.0, 1.0) * 100.0)
    };
    let raised = move || {
        let all: u64 = counts.with(|counts| counts.iter().map(|count| u64::from(*count)).sum());
        tr!(
            "1 alarm was raised in this stretch" | "{shown} alarms were raised in this stretch" % all,
            shown = format::count(all)
        )
    };
    let seconds = |at: WallMs| at.as_s().to_string();
    let keys = move |event: KeyboardEvent| {
        let ends = store.replay.span.get_untracked();
        match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => shown.step(-MINUTE_MS),
            "ArrowRight" | "ArrowUp" => shown.step(MINUTE_MS),
            "PageDown" => shown.step(-HOUR_MS),
            "PageUp" => shown.step(HOUR_MS),
            "Home" => shown.go(ends.map_or(WallMs(0), |(begins, _)| begins)),
            "End" => shown.go(ends.map_or(WallMs(0), |(_, ends)| ends)),
            _ => return,
        }
        event.prevent_default();
    };
    let dragged = move |event: leptos::ev::Event| {
        if let Ok(at_s) = event_target_value(&event).parse::<i64>() {
            shown.go(WallMs::from_s(at_s));
        }
    };
    view! {
        <div class="replay-track">
            <div class="replay-marks" role="img" aria-label=raised>{marks}</div>
            <div class="replay-line" aria-hidden="true"><span class="replay-nothing" style:width=nothing /></div>
            <input
                type="range"
                class="replay-thumb"
                aria-label=said("Moment that is shown")
                data-testid="replay-slider"
                min=move || seconds(stretch.get().0)
                max=move || seconds(stretch.get().1)
                step="1"
                prop:value=move || shown.thumb().map(seconds).unwrap_or_default()
                aria-valuetext=move || shown.at.get().map_or_else(|| said("now").to_owned(), moment_words)
                on:input=dragged
                on:keydown=keys
            />
            <div class="replay-ticks" aria-hidden="true">{ticks}</div>
        </div>
    }
}

/// A field for an exact moment, by the reader's clock. What is typed counts with Enter, or when the field is left; until then nothing writes
/// over it.
#[component]
fn Exact(shown: Shown) -> impl IntoView {
    let value = Memo::new(move |_| shown.thumb().map(|at| local(at).field()).unwrap_or_default());
    let field = NodeRef::<Input>::new();
    let typed = StoredValue::new(false);
    let has_focus = StoredValue::new(false);
    let write = move |words: &str| {
        if let Some(field) = field.get_untracked() {
            field.set_value(words);
        }
    };
    Effect::new(move |_| {
        let (words, _there) = (value.get(), field.get());
        if !has_focus.get_value() {
            write(&words);
        }
    });
    let go = move || {
        let Some(words) = field.get_untracked().map(|field| field.value()) else { return };
        let at_ms = js_sys::Date::new(&JsValue::from_str(&words)).get_time();
        if typed.get_value() && at_ms.is_finite() {
            shown.go(WallMs(at_ms as i64));
        } else {
            write(&value.get_untracked());
        }
        typed.set_value(false);
    };
    view! {
        <input
            type="datetime-local"
            class="replay-exact"
            step="1"
            aria-label=said("Exact moment")
            data-testid="replay-exact"
            node_ref=field
            on:focus=move |_| has_focus.set_value(true)
            on:input=move |_| typed.set_value(true)
            on:change=move |_| {
                typed.set_value(true);
                if !has_focus.get_value() {
                    go();
                }
            }
            on:keydown=move |event: KeyboardEvent| {
                if event.key() == "Enter" {
                    go();
                }
            }
            on:blur=move |_| {
                has_focus.set_value(false);
                go();
            }
        />
    }
}
