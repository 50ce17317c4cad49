//! The parts of which every view is made, each in all its states, on one page: `/gallery`. Who changes a colour or a part sees here what
//! becomes of the others; the tests compare its pictures with kept ones. It looks at no fleet, and nothing on it does anything.

use std::borrow::Cow;
use std::sync::Arc;

use fleetlens_ipc::map::Status as Condition;
use fleetlens_ipc::rows::{LinkState, Status, ValueRow};
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::SeriesKey;
use fleetlens_model::kind::{Control, DEFAULT_EXPIRY_MS, Kind, Takes};
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use crate::app::ThemeButton;
use crate::clock::{Aged, Clock};
use crate::components::coming::Coming;
use crate::components::control::{Draft, Input};
use crate::components::figure::Figure;
use crate::components::icon::Icon;
use crate::components::marked::Marked;
use crate::components::popover::Popover;
use crate::components::segmented::Segmented;
use crate::components::shape::{PriorityShape, Shape, words};
use crate::components::table::{SortHead, Sorted};
use crate::form::Form;
use crate::state::Store;
use crate::state::thing::Cell;
use crate::theme::{Contrast, ThemeSwitch, theme};

/// Whether the page asks for this instead of a window.
pub fn is_wanted() -> bool {
    let page = document().document_element().and_then(|root| root.get_attribute("data-page"));
    page.as_deref() == Some("gallery")
}

/// The page.
#[component]
pub fn Gallery() -> impl IntoView {
    let store = Store::new();
    // Values are as live as they say only while there is a link.
    let link = LinkState::Up { since_ms: WallMs(0) };
    store.status.set(Some(Aged { row: Status { link, ..Status::default() }, at_ms: 0.0 }));
    provide_context(store);
    provide_context(Form::Desktop);
    provide_context(Clock::start());
    provide_context(ThemeSwitch::start());
    view! {
        <main class="gallery" data-testid="gallery">
            <header class="gallery-head">
                <h1>"Components"</h1>
                <Looks />
            </header>
            <Colours />
            <Words />
            <Marks />
            <Buttons />
            <Choices />
            <Inputs />
            <Figures />
            <Messages />
            <Headings />
        </main>
    }
}

/// Theme and contrast of the page itself.
#[component]
fn Looks() -> impl IntoView {
    let theme = theme();
    let contrasts = Contrast::CHOICES.map(|(contrast, word)| (contrast, word.to_owned())).to_vec();
    let chosen = Signal::derive(move || Some(theme.contrast()));
    view! {
        <div class="gallery-looks">
            <ThemeButton />
            <Segmented
                label="Contrast"
                options=contrasts
                chosen
                on_choose=Callback::new(move |contrast| theme.choose_contrast(contrast))
            />
        </div>
    }
}

#[component]
fn Part(title: &'static str, says: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="gallery-part" aria-label=title>
            <h2>{title}</h2>
            <p class="none">{says}</p>
            <div class="gallery-row">{children()}</div>
        </section>
    }
}

/// One state of a part, with its name below.
#[component]
fn State(name: &'static str, children: Children) -> impl IntoView {
    view! {
        <figure class="gallery-state">
            <div>{children()}</div>
            <figcaption>{name}</figcaption>
        </figure>
    }
}

#[component]
fn Colours() -> impl IntoView {
    let texts = ["text", "muted", "faint", "accent", "warn", "crit", "pending", "good"];
    let grounds = ["bg", "surface", "raised", "warn-bg", "crit-bg", "pending-bg"];
    let swatch = move |ground: &'static str| {
        let line = move |text: &'static str| {
            view! { <span style:color=format!("var(--{text})")>{text}</span> }
        };
        view! {
            <div class="gallery-swatch" style:background=format!("var(--{ground})")>
                <b>{ground}</b>
                {texts.map(line)}
            </div>
        }
    };
    view! {
        <Part title="Colour" says="Grey until something needs a person. Blue can be clicked, violet is wanted and not yet so.">
            {grounds.map(swatch)}
        </Part>
    }
}

#[component]
fn Words() -> impl IntoView {
    let sizes = [("t-2xl", "28"), ("t-xl", "20"), ("t-l", "15"), ("t-m", "13"), ("t-s", "12"), ("t-xs", "11")];
    let size = |(token, px): (&'static str, &'static str)| {
        view! { <p style:font-size=format!("var(--{token})")>{px} " px: 24 of 120 spaces, 71.0 °C, Ħal Għaxaq"</p> }
    };
    view! {
        <Part title="Type" says="One font, tabular figures, so that numbers below each other stand in columns.">
            <div class="gallery-lines">{sizes.map(size)}</div>
            <div class="gallery-lines">
                <p><code>"kind:lamp AND dim:[50 TO 100]"</code></p>
                <p><kbd>"G"</kbd> " " <kbd>"M"</kbd> " goes to the map"</p>
                <p><button type="button" class="link">"A link in a line"</button></p>
            </div>
        </Part>
    }
}

#[component]
fn Marks() -> impl IntoView {
    let conditions = [Condition::Normal, Condition::Unknown, Condition::Warning, Condition::Critical];
    let of_kind = move |kind: Kind| {
        let mark = move |condition: Condition| {
            view! {
                <span title=words(kind, condition)>
                    <Shape kind=Signal::stored(kind) status=Signal::stored(condition.code()) />
                </span>
            }
        };
        view! {
            <figure class="gallery-state">
                <div class="gallery-marks">{conditions.map(mark)}</div>
                <figcaption>{kind.singular()}</figcaption>
            </figure>
        }
    };
    let priorities = [
        (Priority::Advisory, "worth knowing"),
        (Priority::Warning, "needs a look"),
        (Priority::Critical, "needs a person at once"),
    ];
    let priority = |(priority, name): (Priority, &'static str)| {
        view! { <State name><PriorityShape priority=Signal::stored(priority) /></State> }
    };
    view! {
        <Part title="Marks" says="Shape before colour: nothing wrong, state unknown, needs a look, needs a person at once.">
            {Kind::ALL.map(of_kind)}
            {priorities.map(priority)}
        </Part>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    view! {
        <Part title="Buttons" says="One filled button in a view at most: what is done most.">
            <State name="does it"><button type="button" class="send">"Send"</button></State>
            <State name="cannot now"><button type="button" class="send" disabled=true>"Send"</button></State>
            <State name="another way"><button type="button" class="plain">"Do nothing"</button></State>
            <State name="cannot now"><button type="button" class="plain" disabled=true>"Save as CSV"</button></State>
            <State name="a tool">
                <button type="button" class="tool" aria-label="Close"><Icon of=icondata_lu::LuX /></button>
            </State>
            <State name="turned off"><button type="button" class="pill" aria-pressed="false">"Week before"</button></State>
            <State name="turned on"><button type="button" class="pill" aria-pressed="true">"Week before"</button></State>
            <State name="cannot now"><button type="button" class="pill" disabled=true>"Now"</button></State>
            <State name="opens a card">
                <Popover testid="gallery-popover" label="A card" words=|| "Save…"><p>"What is in the card."</p></Popover>
            </State>
        </Part>
    }
}

#[component]
fn Choices() -> impl IntoView {
    let span = RwSignal::new(Some(3_600_000_i64));
    let options = || vec![(900_000, "15 m".to_owned()), (3_600_000, "1 h".to_owned()), (86_400_000, "24 h".to_owned())];
    let (mixed, on) = (NodeRef::<leptos::html::Input>::new(), RwSignal::new(true));
    Effect::new(move |_| {
        if let Some(mixed) = mixed.get() {
            mixed.set_indeterminate(true);
        }
    });
    view! {
        <Part title="Choices" says="A few words side by side; a list only where they would not fit.">
            <State name="one of a few">
                <Segmented label="How far back" options=options() chosen=span on_choose=Callback::new(move |ms| span.set(Some(ms))) />
            </State>
            <State name="none of them">
                <Segmented label="How far back" options=options() chosen=Signal::stored(None) on_choose=Callback::new(|_| ()) />
            </State>
            <State name="ticked">
                <input type="checkbox" aria-label="Ticked" prop:checked=on on:change=move |event| on.set(event_target_checked(&event)) />
            </State>
            <State name="not ticked"><input type="checkbox" aria-label="Not ticked" /></State>
            <State name="some of them"><input type="checkbox" aria-label="Some of them" node_ref=mixed /></State>
            <State name="cannot now"><input type="checkbox" aria-label="Cannot now" disabled=true /></State>
        </Part>
    }
}

/// A control of a thing, as its page has it.
#[component]
fn OneInput(name: &'static str, label: &'static str, takes: Takes, draft: Option<Draft>) -> impl IntoView {
    let control = Arc::new(Control {
        pointer: Cow::Borrowed("/x"),
        label: Cow::Borrowed(label),
        takes,
        asks_first: false,
        expiry_ms: DEFAULT_EXPIRY_MS,
        tolerance: 0.0,
        dangers: Vec::new(),
        switch_words: None,
    });
    let draft = RwSignal::new(draft);
    view! {
        <figure class="gallery-state gallery-input">
            <div class="composer">
                <Input control shown=draft.into() draft />
            </div>
            <figcaption>{name}</figcaption>
        </figure>
    }
}

#[component]
fn Inputs() -> impl IntoView {
    let range = |max: f64, unit: &'static str| Takes::Range { min: 0.0, max, step: 1.0, unit: Cow::Borrowed(unit) };
    let word = |word: &'static str| (Cow::Borrowed(word), Cow::Borrowed(word));
    let few: Vec<_> = ["Auto", "On", "Off"].map(word).into();
    let many: Vec<_> = ["Closed", "Opening", "Open", "Closing", "Held", "Broken"].map(word).into();
    view! {
        <Part title="Controls" says="What a thing takes, as its kind's schema says it.">
            <OneInput name="a number in a range" label="Level" takes=range(100.0, "%") draft=Some(Draft::Number(40.0)) />
            <OneInput name="nothing known yet" label="Level" takes=range(100.0, "%") draft=None />
            <OneInput name="a number too fine for a slider" label="Report every" takes=range(86_400.0, "s") draft=Some(Draft::Number(60.0)) />
            <OneInput name="on or off" label="Light" takes=Takes::Switch draft=Some(Draft::Flag(true)) />
            <OneInput name="one of a few" label="Mode" takes=Takes::Choice(few.into()) draft=Some(Draft::Word("On".into())) />
            <OneInput name="one of many" label="Barrier" takes=Takes::Choice(many.into()) draft=Some(Draft::Word("Held".into())) />
            <OneInput name="a text" label="Display" takes=Takes::Text { max_chars: 40 } draft=Some(Draft::Word("Full until 6".into())) />
        </Part>
    }
}

#[component]
fn Figures() -> impl IntoView {
    let charted = RwSignal::new(Some(SeriesKey(1)));
    let row = |series: u32, label: &str, value: Value, unit: &str| ValueRow {
        series: SeriesKey(series),
        pointer: format!("/{series}"),
        label: label.to_owned(),
        unit: unit.to_owned(),
        decimals: 1,
        rank: 0,
        value,
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
        // In the middle of a minute, so that a picture has the same words for half a minute.
        age_ms: 150_000,
        old_after_ms: 600_000,
        device_ms: WallMs(0),
        received_ms: WallMs(0),
    };
    let number = Value::Number;
    let cards = [
        ("charted", row(1, "Power", number(60.4), "W"), None),
        ("silent for long", ValueRow { age_ms: 7_350_000, ..row(2, "Lamp temp.", number(71.0), "°C") }, None),
        ("from the cache", ValueRow { source: Source::Cached, ..row(3, "Energy", number(1_234.5), "kWh") }, None),
        (
            "retained, of no time",
            ValueRow { source: Source::Retained, timed: Timed::ByUs, ..row(4, "Voltage", number(230.4), "V") },
            None,
        ),
        ("estimated", ValueRow { quality: Quality::Estimated, ..row(5, "Fill", number(82.0), "%") }, None),
        ("a word", row(6, "State", Value::Text("Waiting for the cable".into()), ""), None),
        ("yes or no", row(7, "Light", Value::Flag(true), ""), None),
        (
            "a part of a whole",
            ValueRow { pointer: "/free".into(), decimals: 0, ..row(8, "Free", number(17.0), "spaces") },
            Some(60),
        ),
    ];
    let card = move |(name, row, of): (&'static str, ValueRow, Option<u32>)| {
        let cell = Cell { key: row.series, row: ArcRwSignal::new(Aged { row, at_ms: 0.0 }) };
        view! {
            <figure class="gallery-state gallery-figure">
                <Figure cell of=Signal::stored(of) charted />
                <figcaption>{name}</figcaption>
            </figure>
        }
    };
    view! {
        <Part title="Values" says="Each says what it is and how old; what is old is dimmed and says so in amber.">
            {cards.map(card)}
        </Part>
    }
}

#[component]
fn Messages() -> impl IntoView {
    view! {
        <Part title="Words to a person" says="The sentence before the code: what is so, and what to do.">
            <State name="nothing there"><p class="none">"Nothing is wrong. 1 124 things speak."</p></State>
            <State name="refused"><p class="fault">"The broker does not let you write there: ask who keeps its rules."</p></State>
            <State name="a mistake, where it stands"><Marked text="temp_c >= 60 andd on".into() column=14 /></State>
            <State name="will come"><div class="gallery-coming"><Coming rows=3 /></div></State>
            <State name="a notice">
                <div class="notice">
                    <Icon of=icondata_lu::LuTriangleAlert />
                    <p>"The file is with the browser"</p>
                    <button type="button" class="tool" aria-label="Take it away"><Icon of=icondata_lu::LuX /></button>
                </div>
            </State>
            <State name="the link is lost">
                <div class="offline-notice">
                    <Icon of=icondata_lu::LuTriangleAlert />
                    <p><b>"Offline"</b><span>"everything is as of 12 min ago"</span></p>
                </div>
            </State>
        </Part>
    }
}

#[component]
fn Headings() -> impl IntoView {
    let head = |name: &'static str, sorted: Sorted| {
        view! { <SortHead label=name class="gallery-th" sorted=Signal::stored(sorted) on_sort=Callback::new(|()| ()) /> }
    };
    view! {
        <Part title="Headings of tables" says="A press sorts, another one turns it round.">
            <div role="table" aria-label="Headings">
                <div role="row" class="gallery-thead">
                    {head("Not sorted", Sorted::No)} {head("Least first", Sorted::Ascending)} {head("Greatest first", Sorted::Descending)}
                </div>
            </div>
        </Part>
    }
}
