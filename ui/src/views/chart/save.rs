//! Taking the chart out of the program: as a picture of pixels or of strokes, or as the numbers it was drawn from.

use std::collections::BTreeMap;

use fleetlens_chart::{Caption, ChartError, Entry, SVG_TEXT, Trace, draw_captioned};
use fleetlens_ipc::rows::Chart;
use fleetlens_ipc::{ChartColumn, Done, Export, Exported, HEADING_MAX_CHARS, Intent, PICTURE_MAX_BYTES, Picture};
use fleetlens_model::id::SeriesKey;
use leptos::prelude::*;
use plotters::drawing::IntoDrawingArea;
use plotters::prelude::SVGBackend;
use plotters_canvas::CanvasBackend;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::Desk;
use super::legend;
use crate::components::export::{offer, offer_bytes};
use crate::components::popover::Popover;
use crate::islands::chart::{Frame, Paper, with_plot};
use crate::lang::said;
use crate::state::chart::{Traced, WEEK_MS};
use crate::state::thing::Thing;
use crate::views::commands::may_command;

/// Size of a picture, in CSS pixels: as wide as a page of a report, and no smaller than what is on the screen.
const SIZE: (u32, u32) = (960, 420);

/// Device pixels per CSS pixel of one, and what it falls back to where that makes it too large to hand over.
const SCALES: [f64; 2] = [2.0, 1.0];

/// For those who may take something out.
#[component]
pub fn Save(desk: Desk, thing: Thing) -> impl IntoView {
    let may_command = may_command(desk.store);
    let head = RwSignal::from(thing.head);
    let title = Memo::new(move |_| head.with(|head| head.row.title.clone()));
    let answer = RwSignal::new(None::<Result<String, String>>);
    let busy = RwSignal::new(false);
    let picture = move |picture| match drawn(desk, &title.get_untracked(), picture) {
        Ok(bytes) => hand_over(desk, picture, bytes, answer, busy),
        Err(why) => answer.set(Some(Err(why))),
    };
    let sheet = move |_| match export(desk) {
        Some(export) => ask(desk, export, answer, busy),
        None => answer.set(Some(Err(said("nothing is on the chart yet").into()))),
    };
    let words = move || match answer.get() {
        None => ().into_any(),
        Some(Ok(words)) => view! { <p class="said" data-testid="chart-saved">{words}</p> }.into_any(),
        Some(Err(why)) => view! { <p class="fault" data-testid="chart-fault">{why}</p> }.into_any(),
    };
    view! {
        <Show when=move || may_command.get()>
            <Popover testid="save-chart" label=said("Save what is seen") side="end" words=|| said("Save…")>
                <div class="save-chart">
                    <button type="button" class="plain" data-testid="save-png" disabled=move || busy.get() on:click=move |_| picture(Picture::Png)>
                        {said("Picture (PNG)")}
                    </button>
                    <button type="button" class="plain" data-testid="save-svg" disabled=move || busy.get() on:click=move |_| picture(Picture::Svg)>
                        {said("Drawing (SVG)")}
                    </button>
                    <button type="button" class="plain" data-testid="save-csv" disabled=move || busy.get() on:click=sheet>
                        {said("Numbers (CSV)")}
                    </button>
                    <span role="status">{words}</span>
                </div>
            </Popover>
        </Show>
    }
}

/// The values on the picture, the first one first.
fn on_picture(desk: Desk) -> Vec<SeriesKey> {
    let hidden = desk.hidden.get_untracked();
    desk.series.get_untracked().into_iter().filter(|series| !hidden.contains(series)).collect()
}

/// The numbers of what is seen, in the buckets in which it is drawn.
fn export(desk: Desk) -> Option<Export> {
    let stretch = desk.stretch.get_untracked()?;
    let series = on_picture(desk);
    let first = Traced { series: *series.first()?, is_before: false };
    let bucket_ms = desk.store.charts.held.with_untracked(|held| held.get(&first).map(|chart| chart.bucket_ms))?;
    let column = |is_before: bool| {
        move |series: &SeriesKey| ChartColumn {
            series: *series,
            earlier_ms: if is_before { WEEK_MS.unsigned_abs() } else { 0 },
            heading: untrack(|| legend::line(desk, Traced { series: *series, is_before }))
                .chars()
                .take(HEADING_MAX_CHARS)
                .collect(),
        }
    };
    let before = series.iter().filter(|_| desk.compares.get_untracked()).map(column(true));
    let columns = series.iter().map(column(false)).chain(before).collect();
    Some(Export::Chart { columns, from_ms: stretch.from_ms, until_ms: stretch.until_ms, bucket_ms })
}

fn hand_over(
    desk: Desk,
    picture: Picture,
    bytes: Vec<u8>,
    said: RwSignal<Option<Result<String, String>>>,
    busy: RwSignal<bool>,
) {
    if desk.store.is_of_app() {
        return ask(desk, Export::Picture { picture, bytes }, said, busy);
    }
    let name = match picture {
        Picture::Png => "fleetlens-chart.png",
        Picture::Svg => "fleetlens-chart.svg",
    };
    said.set(Some(given(offer_bytes(name, &bytes), name)));
}

fn given(offered: Result<(), wasm_bindgen::JsValue>, name: &str) -> Result<String, String> {
    offered
        .map(|()| tr!("{} is with the browser", name))
        .map_err(|_| said("the browser takes no file from this page").to_owned())
}

fn ask(desk: Desk, export: Export, said: RwSignal<Option<Result<String, String>>>, busy: RwSignal<bool>) {
    busy.set(true);
    said.set(None);
    let pick = |done| if let Done::Exported(exported) = done { Some(exported) } else { None };
    desk.store.ask_for(Intent::Export(export), pick, move |outcome| {
        busy.try_set(false);
        let answer = match outcome {
            Ok(Exported::File { path, .. }) => Ok(tr!("Saved as {}", path)),
            Ok(Exported::Text { name, text, .. }) => given(offer(&name, &text), &name),
            Err(fault) => Err(fault.message),
        };
        if let Some(Some(answer)) = said.try_set(Some(answer)) {
            desk.store.notify(answer.unwrap_or_else(|why| why));
        }
    });
}

/// Draws what is seen once more, larger and with what it is of.
fn drawn(desk: Desk, title: &str, picture: Picture) -> Result<Vec<u8>, String> {
    let frame = untrack(|| desk.frame()).ok_or(said("nothing is on the chart yet"))?;
    let span = untrack(|| desk.dated_span()).unwrap_or_default();
    let names = Names { desk, title, span: &span };
    desk.store.charts.held.with_untracked(|held| match picture {
        Picture::Svg => svg(held, &frame, &names).map_err(|error| error.to_string()),
        Picture::Png => {
            let fits = |bytes: &Vec<u8>| bytes.len() <= PICTURE_MAX_BYTES;
            SCALES
                .into_iter()
                .map(|scale| png(held, &frame, &names, scale))
                .find(|drawn| drawn.as_ref().map_or(true, fits))
                .unwrap_or(Err(said("it is too large to be saved").into()))
        }
    })
}

/// What stands on a picture.
struct Names<'a> {
    desk: Desk,
    title: &'a str,
    span: &'a str,
}

impl Names<'_> {
    /// Makes the caption of a plot's traces, the first value first.
    fn with<T>(&self, traces: &[Trace], lines: &[Traced], use_it: impl FnOnce(&Caption) -> T) -> T {
        let names: Vec<String> = lines.iter().map(|traced| untrack(|| legend::line(self.desk, *traced))).collect();
        let entries: Vec<Entry> = traces
            .iter()
            .zip(&names)
            .rev()
            .map(|(trace, name)| Entry { name, line: trace.line, stroke: trace.stroke })
            .collect();
        use_it(&Caption { title: self.title, span: self.span, entries: &entries })
    }
}

fn svg(held: &BTreeMap<Traced, Chart>, frame: &Frame, names: &Names) -> Result<Vec<u8>, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        with_plot(held, frame, Paper { scale: 1.0, text: SVG_TEXT, has_units: true }, |plot, lines| {
            names.with(plot.traces, lines, |caption| draw_captioned(plot, caption, &root))
        })?;
    }
    Ok(text.into_bytes())
}

fn png(held: &BTreeMap<Traced, Chart>, frame: &Frame, names: &Names, scale: f64) -> Result<Vec<u8>, String> {
    let no_canvas = || said("the page gives no canvas to draw on").to_owned();
    let canvas =
        document().create_element("canvas").ok().and_then(|canvas| canvas.dyn_into::<HtmlCanvasElement>().ok());
    let canvas = canvas.ok_or_else(no_canvas)?;
    let px = |css: u32| (f64::from(css) * scale).round() as u32;
    canvas.set_width(px(SIZE.0));
    canvas.set_height(px(SIZE.1));
    let root = CanvasBackend::with_canvas_object(canvas.clone()).ok_or_else(no_canvas)?.into_drawing_area();
    with_plot(held, frame, Paper { scale, text: 1.0, has_units: true }, |plot, lines| {
        names.with(plot.traces, lines, |caption| draw_captioned(plot, caption, &root))
    })
    .map_err(|error| error.to_string())?;
    let url = canvas.to_data_url_with_type("image/png").map_err(|_| no_canvas())?;
    let base64 = url.split_once(',').map(|(_, base64)| base64).ok_or_else(no_canvas)?;
    let bytes = window().atob(base64).map_err(|_| no_canvas())?;
    // Each character is a byte, as browsers have it.
    Ok(bytes.chars().map(|byte| u8::try_from(u32::from(byte)).unwrap_or_default()).collect())
}
