//! A chart as a picture of its own: what it is of stands on it, because nothing else says so once it has left the program.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::text_anchor::{HPos, VPos};

use crate::brush::Brush;
use crate::draw::{backend, draw_over, px, solid};
use crate::geometry::TEXT_CSS_PX;
use crate::{ChartError, Plot, Rgb, Stroke};

/// Distances, in CSS pixels.
const EDGE_CSS_PX: f64 = 10.0;
const LINE_CSS_PX: f64 = 18.0;
const SAMPLE_CSS_PX: f64 = 22.0;

/// What stands over a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caption<'a> {
    /// What it is of.
    pub title: &'a str,
    /// From when to when, in words.
    pub span: &'a str,
    /// What each line is, with its unit, in the order of the traces.
    pub entries: &'a [Entry<'a>],
}

/// A line of the legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// What it is, with its unit.
    pub name: &'a str,
    /// Its colour.
    pub line: Rgb,
    /// How it is drawn.
    pub stroke: Stroke,
}

/// How much room a caption takes over the chart, in CSS pixels.
fn height_css_px(caption: &Caption) -> f64 {
    EDGE_CSS_PX + LINE_CSS_PX * (2 + caption.entries.len()) as f64
}

/// Draws a plot with its caption over the whole of an area.
pub fn draw_captioned<DB: DrawingBackend>(
    plot: &Plot,
    caption: &Caption,
    root: &DrawingArea<DB, Shift>,
) -> Result<(), ChartError> {
    let brush = Brush { root, scale: plot.scale, text: plot.text, font: plot.font };
    let above = height_css_px(caption);
    brush.check_room((60.0, above + 40.0))?;
    root.fill(&solid(plot.theme.ground)).map_err(backend)?;
    let (left, text) = (px(brush.css(EDGE_CSS_PX)), (HPos::Left, VPos::Top));
    let line = |nth: usize| px(brush.css(EDGE_CSS_PX + LINE_CSS_PX * nth as f64));
    brush.words(caption.title, (left, line(0)), plot.theme.line, text)?;
    brush.words(caption.span, (left, line(1)), plot.theme.text, text)?;
    for (nth, entry) in caption.entries.iter().enumerate() {
        let (y, sample) = (line(2 + nth), px(brush.css(SAMPLE_CSS_PX)));
        let middle = y + px(brush.css(TEXT_CSS_PX / 2.0));
        crate::series::line(&brush, &[(left, middle), (left + sample, middle)], entry.line, entry.stroke)?;
        brush.words(entry.name, (left + sample + px(brush.css(6.0)), y), plot.theme.text, text)?;
    }
    let (_, chart) = root.split_vertically(px(brush.css(above)));
    draw_over(plot, &chart)?;
    root.present().map_err(backend)
}
