//! The report of a shift: of which time, and the way to take it out.

use fleetlens_ipc::{Export, ZONE_MAX_CHARS};
use fleetlens_model::time::WallMs;
use js_sys::{Array, Date, Intl, Object, Reflect};
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsValue;

use crate::clock::shown_ms;
use crate::components::export::ExportLine;
use crate::lang::{said, term};
use crate::state::store;

const HOUR_MS: i64 = 3_600_000;

/// The last so many hours, and what that is called.
const LAST: [(i64, &str); 4] = [
    (8, term("Last 8 hours")),
    (12, term("Last 12 hours")),
    (24, term("Last 24 hours")),
    (7 * 24, term("Last 7 days")),
];

/// What the choice of another time is called in the page.
const OTHER: &str = "other";

/// Of which time.
#[derive(Clone, Debug, PartialEq)]
enum Time {
    /// The last so many hours.
    Last(i64),
    /// From one moment to another, as the page's fields have them: `2026-11-21T22:00`, or nothing.
    Between(String, String),
}

impl Time {
    /// The moments; `None` as long as they are not both there and in order.
    fn span(&self, now: WallMs) -> Option<(WallMs, WallMs)> {
        match self {
            Time::Last(hours) => Some((now.plus(-hours * HOUR_MS), now)),
            Time::Between(from, to) => {
                // Without an offset the browser takes it for a time of its own clock.
                let (from, to) = (moment(Date::parse(from))?, moment(Date::parse(to))?);
                (from < to).then_some((from, to))
            }
        }
    }
}

/// The choice of a time with its button.
#[component]
pub fn ReportLine() -> impl IntoView {
    let time = RwSignal::new(Time::Last(8));
    let is_other = Memo::new(move |_| time.with(|time| matches!(time, Time::Between(..))));
    let store = store();
    let what = Signal::derive(move || {
        // The host's clock, by which alarms are dated.
        let now = untrack(|| store.wall_now(shown_ms()))?;
        let (from_ms, to_ms) = time.with(|time| time.span(now))?;
        Some(Export::Report { from_ms, to_ms, zone: zone() })
    });
    let choose = move |event| {
        let value = event_target_value(&event);
        time.set(match value.parse() {
            Ok(hours) => Time::Last(hours),
            Err(_) => Time::Between(String::new(), String::new()),
        });
    };
    let field = move |label: &'static str, testid: &'static str, set: fn(&mut Time, String)| {
        view! {
            <input
                type="datetime-local"
                class="choice"
                aria-label=label
                data-testid=testid
                on:input=move |event| time.update(|time| set(time, event_target_value(&event)))
            />
        }
    };
    view! {
        <div class="report-line" data-testid="report-line">
            <select class="choice" aria-label=said("Report of") data-testid="report-time" on:change=choose>
                {LAST.map(|(hours, words)| view! { <option value=hours.to_string()>{said(words)}</option> })}
                <option value=OTHER>{said("Other time…")}</option>
            </select>
            <Show when=move || is_other.get()>
                {field(
                    said("From"),
                    "report-from",
                    |time, text| {
                        if let Time::Between(from, _) = time {
                            *from = text;
                        }
                    },
                )} <span>{tr!("from one time to another" => "to")}</span>
                {field(
                    said("To"),
                    "report-to",
                    |time, text| {
                        if let Time::Between(_, to) = time {
                            *to = text;
                        }
                    },
                )}
            </Show>
            <ExportLine what label=said("Save report") />
        </div>
    }
}

/// A moment out of what the browser counts in milliseconds; `None` of what it cannot read.
fn moment(ms: f64) -> Option<WallMs> {
    ms.is_finite().then_some(WallMs(ms as i64))
}

/// The person's time zone by its name; empty where the browser does not say.
fn zone() -> String {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let name = Reflect::get(&options, &JsValue::from_str("timeZone")).ok().and_then(|name| name.as_string());
    name.filter(|name| name.chars().count() <= ZONE_MAX_CHARS).unwrap_or_default()
}
