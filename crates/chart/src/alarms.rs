//! Alarms under the axis of time: where each was raised, how long it lasted, and how bad it was, by shape before colour.

use fleetlens_model::alarm::Priority;
use fleetlens_model::time::WallMs;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, Polygon};
use plotters::style::{Color, ShapeStyle};

use crate::brush::Brush;
use crate::draw::{px, solid};
use crate::{ChartError, Geometry, Plot, Rgb};

/// Height of the lane, in CSS pixels.
pub(crate) const LANE_CSS_PX: f64 = 14.0;

/// Half the size of a shape, and how thick the line of what lasts is, in CSS pixels.
const HALF_CSS_PX: f64 = 4.5;
const LASTS_CSS_PX: f64 = 2.0;

/// An alarm: a full diamond, a full triangle or a hollow ring where it was raised, as everywhere in the window, a line for as long as
/// it was so, and a short stroke where it was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmMark {
    /// When it was raised.
    pub raised_ms: WallMs,
    /// When it was so no more; `None` while it is.
    pub cleared_ms: Option<WallMs>,
    /// How bad it was.
    pub priority: Priority,
    /// The colour of that.
    pub colour: Rgb,
}

/// Those that touch the span, the worst last, so that it lies over the others.
pub(crate) fn shown<'a>(plot: &Plot<'a>) -> impl Iterator<Item = &'a AlarmMark> + use<'a> {
    let (from, until) = (plot.from_ms, plot.until_ms);
    let touches = move |alarm: &&AlarmMark| {
        alarm.raised_ms <= until && alarm.cleared_ms.is_none_or(|cleared| cleared >= from && cleared >= alarm.raised_ms)
    };
    let mut alarms: Vec<&AlarmMark> = plot.alarms.iter().filter(touches).collect();
    alarms.sort_by_key(|alarm| (alarm.priority, alarm.raised_ms));
    alarms.into_iter()
}

pub(crate) fn draw<DB: DrawingBackend>(
    plot: &Plot,
    geometry: &Geometry,
    brush: &Brush<'_, DB>,
) -> Result<(), ChartError> {
    let middle = px(geometry.bottom_px + brush.css(1.0) + geometry.lane_px / 2.0);
    let (half, thick) = (px(brush.css(HALF_CSS_PX)).max(2), px(brush.css(LASTS_CSS_PX)).max(1));
    for alarm in shown(plot) {
        let begins = px(geometry.x_px(alarm.raised_ms.max(plot.from_ms)));
        let ends = px(geometry.x_px(alarm.cleared_ms.unwrap_or(plot.until_ms).min(plot.until_ms)));
        let over = middle - thick / 2;
        brush.bar((begins, over), (ends.max(begins), over + thick), alarm.colour)?;
        if alarm.cleared_ms.is_some_and(|cleared| cleared <= plot.until_ms) {
            brush.bar((ends, middle - half), (ends + thick, middle + half), alarm.colour)?;
        }
        if alarm.raised_ms >= plot.from_ms {
            shape(alarm, (begins, middle), half, plot, brush)?;
        }
    }
    Ok(())
}

fn shape<DB: DrawingBackend>(
    alarm: &AlarmMark,
    (x, y): (i32, i32),
    half: i32,
    plot: &Plot,
    brush: &Brush<'_, DB>,
) -> Result<(), ChartError> {
    let full: ShapeStyle = solid(alarm.colour).filled();
    match alarm.priority {
        Priority::Critical => {
            brush.element(&Polygon::new(vec![(x, y - half), (x + half, y), (x, y + half), (x - half, y)], full))
        }
        Priority::Warning => {
            brush.element(&Polygon::new(vec![(x, y - half), (x + half, y + half), (x - half, y + half)], full))
        }
        Priority::Advisory => {
            let edge = u32::try_from(px(brush.css(1.5))).unwrap_or(1).max(1);
            brush.element(&Circle::new((x, y), half, solid(plot.theme.ground).filled()))?;
            brush.element(&Circle::new((x, y), half - 1, solid(alarm.colour).stroke_width(edge)))
        }
    }
}
