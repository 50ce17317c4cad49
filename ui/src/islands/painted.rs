//! The live layer of a machine without WebGL: the same marks and badges as [`super::live_layer`] has, in the same order, shapes and
//! colours, painted on a canvas that lies over the ground.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fleetlens_ipc::map::{FLAG_PENDING, LEVEL_UNKNOWN, Status};
use fleetlens_model::kind::Kind;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlElement, Path2d};

use super::badges::{radius_px, tag_number};
use super::clusters::{Cluster, short};
use super::live_layer::{Part, Scene, size_factor, size_of_few};
use super::marks::{FLAG_HOVERED, FLAG_PICKED, FLAG_SELECTED, Packed, VERTEX_BYTES};
use super::mercator::{Camera, Local};
use super::sheet::Sheet;
use crate::components::shape::outline;
use crate::theme::token;

/// The middle of [`outline`]'s square.
const MIDDLE: f64 = 8.0;

/// How far outside the picture a mark may be and still reach into it, in CSS pixels.
const REACH_PX: f64 = 40.0;

/// A whole turn.
const TURN: f64 = std::f64::consts::TAU;

/// The layer, while its map is on the page.
pub struct PaintedLayer {
    scene: Scene,
    sheet: Sheet,
    colours: RefCell<Option<Colours>>,
    shapes: RefCell<Vec<((Kind, Status), Path2d)>>,
    bytes: RefCell<Vec<u8>>,
    held: Cell<(Option<u64>, Packed)>,
}

/// The theme's, as CSS says them.
struct Colours {
    ok: String,
    lit: String,
    unknown: String,
    warn: String,
    crit: String,
    pending: String,
    accent: String,
    edge: String,
    text: String,
    surface: String,
    tag_warn: String,
    tag_crit: String,
}

impl Colours {
    fn read() -> Colours {
        Colours {
            ok: token("--mark-ok"),
            lit: token("--mark-lit"),
            unknown: token("--mark-unknown"),
            warn: token("--mark-warn"),
            crit: token("--mark-crit"),
            pending: token("--pending"),
            accent: token("--accent"),
            edge: token("--mark-edge"),
            text: token("--text"),
            surface: token("--surface"),
            tag_warn: token("--warn"),
            tag_crit: token("--crit"),
        }
    }
}

/// One mark as it is packed for the graphics card.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Vertex {
    at: Local,
    kind: Kind,
    status: Status,
    flags: u8,
    level: u8,
}

fn vertices(bytes: &[u8]) -> impl Iterator<Item = Vertex> + '_ {
    bytes.as_chunks::<VERTEX_BYTES>().0.iter().map(|vertex| {
        let [x0, x1, x2, x3, y0, y1, y2, y3, kind, status, flags, level] = *vertex;
        Vertex {
            at: Local {
                x: f32::from_le_bytes([x0, x1, x2, x3]).into(),
                y: f32::from_le_bytes([y0, y1, y2, y3]).into(),
            },
            kind: Kind::from_code(kind),
            status: Status::from_code(status),
            flags,
            level,
        }
    })
}

/// A mark's "radius" in CSS pixels at the zoom of a town's streets, as `live_layer.vert` has it; and how large it is in [`outline`].
fn sizes(kind: Kind, status: Status) -> (f64, f64) {
    match (status, kind) {
        (Status::Critical, _) => (7.0, 6.8),
        (Status::Warning, _) => (6.5, 7.0),
        (Status::Normal | Status::Unknown, Kind::Parking) => (5.0, 5.4),
        (Status::Normal | Status::Unknown, Kind::Lamp) => (3.4, 4.6),
        (Status::Normal | Status::Unknown, Kind::Bin) => (4.7, 5.7),
        (Status::Normal | Status::Unknown, Kind::Charger) => (5.2, 6.0),
        (Status::Normal | Status::Unknown, Kind::Vehicle) => (6.0, 6.1),
        (Status::Normal | Status::Unknown, Kind::Gateway) => (5.6, 6.0),
        (Status::Normal | Status::Unknown, Kind::Other) => (5.0, 5.2),
    }
}

impl PaintedLayer {
    /// Puts a canvas over the ground.
    pub fn over(at: &HtmlElement, scene: Scene) -> Result<Rc<PaintedLayer>, JsValue> {
        Ok(Rc::new(PaintedLayer {
            scene,
            sheet: Sheet::over(at, "ground-marks")?,
            colours: RefCell::default(),
            shapes: RefCell::default(),
            bytes: RefCell::default(),
            held: Cell::default(),
        }))
    }

    /// The theme changed.
    pub fn recolour(&self) {
        self.colours.replace(None);
    }

    /// Paints the picture of now.
    pub fn paint(&self) {
        let camera = (self.scene.camera)();
        if !self.sheet.fit(&camera) {
            return;
        }
        let mut colours = self.colours.borrow_mut();
        let colours = colours.get_or_insert_with(Colours::read);
        self.sheet.clear(&camera);
        let mut marks = self.scene.marks.borrow_mut();
        marks.zoom_to(camera.zoom);
        marks.look_from(&camera);
        let mut bytes = self.bytes.borrow_mut();
        let (known, mut packed) = self.held.get();
        if known != Some(marks.revision()) {
            packed = marks.pack(&mut bytes);
            self.held.set((Some(marks.revision()), packed));
        }
        let badges = marks.badges();
        let near = Camera { center: camera.center.from(marks.origin()), ..camera };
        drop(marks);
        let size = size_factor(camera.zoom).max(size_of_few(packed.all + badges.len()));
        let part = |(first, count): (usize, usize)| vertices(&bytes).skip(first).take(count);
        for part in [part(Part::Calm.of(packed)), part(Part::Loud.of(packed))] {
            self.marks(part, &near, size, colours);
        }
        for (cluster, is_hovered) in &badges {
            let at = camera.project(cluster.at);
            if camera.shows(at, REACH_PX) {
                let _ = badge(&self.sheet.context, at, cluster, *is_hovered, colours);
            }
        }
        self.marks(part((packed.all.saturating_sub(packed.chosen), packed.chosen)), &near, size, colours);
        (self.scene.drawn)(packed.things);
    }

    fn marks(&self, marks: impl Iterator<Item = Vertex>, camera: &Camera, size: f64, colours: &Colours) {
        for vertex in marks {
            let at = camera.project(vertex.at);
            if camera.shows(at, REACH_PX)
                && let Ok(shape) = self.shape(vertex.kind, vertex.status)
            {
                let _ = mark(&self.sheet.context, at, vertex, &shape, size, colours);
            }
        }
    }

    /// The outline of a mark, read once.
    fn shape(&self, kind: Kind, status: Status) -> Result<Path2d, JsValue> {
        let mut shapes = self.shapes.borrow_mut();
        if let Some((_, known)) = shapes.iter().find(|(of, _)| *of == (kind, status)) {
            return Ok(known.clone());
        }
        let shape = Path2d::new_with_path_string(outline(kind, status))?;
        shapes.push(((kind, status), shape.clone()));
        Ok(shape)
    }
}

/// Paints one mark, as `live_layer.frag` does.
fn mark(
    context: &CanvasRenderingContext2d,
    (x, y): (f64, f64),
    vertex: Vertex,
    shape: &Path2d,
    size: f64,
    colours: &Colours,
) -> Result<(), JsValue> {
    let Vertex { kind, status, flags, level, .. } = vertex;
    let (radius_px, in_outline) = sizes(kind, status);
    let (radius_px, scale) = (radius_px * size, radius_px * size / in_outline);
    context.save();
    context.translate(x, y)?;
    if kind == Kind::Vehicle && matches!(status, Status::Normal | Status::Unknown) {
        // The level is the heading in steps of 3.6 degrees from north, clockwise; without one it lies as a bar.
        match level {
            LEVEL_UNKNOWN => context.scale(1.0, 0.6)?,
            heading => context.rotate(f64::from(heading) / 100.0 * TURN)?,
        }
    }
    context.scale(scale, scale)?;
    context.translate(-MIDDLE, -MIDDLE)?;
    context.set_line_join("round");
    // A thin edge in the colour of the ground parts marks that lie on each other.
    context.set_stroke_style_str(&colours.edge);
    context.set_line_width(2.5 / scale);
    context.stroke_with_path(shape);
    match status {
        Status::Unknown => {
            context.set_fill_style_str(&colours.edge);
            context.fill_with_path_2d(shape);
            context.set_stroke_style_str(&colours.unknown);
            context.set_line_width(1.7 / scale);
            context.stroke_with_path(shape);
        }
        Status::Warning | Status::Critical => {
            let colour = if status == Status::Critical { &colours.crit } else { &colours.warn };
            context.set_fill_style_str(colour);
            context.fill_with_path_2d(shape);
        }
        Status::Normal => {
            let fills = matches!(kind, Kind::Parking | Kind::Bin | Kind::Charger);
            context.set_fill_style_str(&colours.ok);
            if level != LEVEL_UNKNOWN && fills && radius_px > 4.0 {
                // A car park, a bin and a charger fill from below.
                context.set_global_alpha(0.58);
                context.fill_with_path_2d(shape);
                context.set_global_alpha(1.0);
                context.clip_with_path_2d(shape);
                let height = 2.0 * in_outline * f64::from(level.min(100)) / 100.0;
                context.fill_rect(0.0, MIDDLE + in_outline - height, 2.0 * MIDDLE, height);
            } else {
                context.fill_with_path_2d(shape);
                if kind == Kind::Lamp && level != LEVEL_UNKNOWN {
                    // A lamp that burns is a little brighter than one that does not.
                    context.set_global_alpha(f64::from(level.min(100)) / 100.0);
                    context.set_fill_style_str(&colours.lit);
                    context.fill_with_path_2d(shape);
                }
            }
        }
    }
    context.restore();
    let is_pending = flags & FLAG_PENDING != 0;
    if is_pending {
        let radius = radius_px + 3.6;
        dashed(context, (x, y), radius, 1.6, 9, &colours.pending)?;
    }
    if flags & (FLAG_PICKED | FLAG_SELECTED | FLAG_HOVERED) != 0 {
        let radius = radius_px + if is_pending { 7.0 } else { 5.4 };
        ring(context, (x, y), radius, 3.8, &colours.edge)?;
        ring(context, (x, y), radius, if flags & FLAG_SELECTED != 0 { 2.2 } else { 1.4 }, &colours.accent)?;
    }
    Ok(())
}

/// Paints one badge, as `badge.frag` does.
fn badge(
    context: &CanvasRenderingContext2d,
    (x, y): (f64, f64),
    cluster: &Cluster,
    is_hovered: bool,
    colours: &Colours,
) -> Result<(), JsValue> {
    let (x, y, radius) = (x.round(), y.round(), radius_px(cluster.count));
    let disc = |radius: f64, colour: &str| {
        context.begin_path();
        context.set_fill_style_str(colour);
        context.arc(x, y, radius, 0.0, TURN).map(|()| context.fill())
    };
    disc(radius + 2.0, &colours.edge)?;
    if cluster.is_unknown {
        dashed(context, (x, y), radius - 0.6, 1.2, 14, &colours.unknown)?;
    } else {
        disc(radius, &colours.surface)?;
        context.set_global_alpha(0.22);
        disc(radius, &colours.ok)?;
        context.set_global_alpha(1.0);
        ring(context, (x, y), radius - 0.6, 1.2, &colours.ok)?;
    }
    if cluster.is_pending {
        dashed(context, (x, y), radius + 1.6, 1.6, 12, &colours.pending)?;
    }
    if is_hovered {
        ring(context, (x, y), radius + 2.4, 2.2, &colours.accent)?;
    }
    context.set_font("600 11px 'Inter Variable', Inter, system-ui, sans-serif");
    context.set_text_align("center");
    context.set_text_baseline("middle");
    context.set_fill_style_str(&colours.text);
    context.fill_text(&short(cluster.count), x, y + 0.5)?;
    if cluster.need == 0 {
        return Ok(());
    }
    // In a tag how many need a person, with the shape of the worst; its left end lies on the badge's upper right.
    let is_critical = cluster.worst == Status::Critical;
    let number = tag_number(cluster.need);
    let half = (10.0 + 7.0 * number.len() as f64) / 2.0 + 3.0;
    let (middle_x, middle_y) = ((x + 0.38 * radius + half).round(), (y - 0.86 * radius).round());
    let corner = if is_critical { 2.5 } else { 7.0 };
    for (beyond, colour) in
        [(1.5, &colours.edge), (0.0, if is_critical { &colours.tag_crit } else { &colours.tag_warn })]
    {
        context.begin_path();
        let (wide, high) = (half + beyond, 7.0 + beyond);
        context.round_rect_with_f64(middle_x - wide, middle_y - high, 2.0 * wide, 2.0 * high, corner)?;
        context.set_fill_style_str(colour);
        context.fill();
    }
    context.set_fill_style_str(&colours.edge);
    let sign_x = middle_x - half + 8.0;
    let corners: &[(f64, f64)] = if is_critical {
        &[(0.0, -4.4), (4.4, 0.0), (0.0, 4.4), (-4.4, 0.0)]
    } else {
        &[(0.0, -4.0), (4.0, 3.4), (-4.0, 3.4)]
    };
    context.begin_path();
    for (dx, dy) in corners {
        context.line_to(sign_x + dx, middle_y + dy);
    }
    context.fill();
    context.fill_text(&number, middle_x + 5.0, middle_y + 0.5)
}

fn ring(
    context: &CanvasRenderingContext2d,
    (x, y): (f64, f64),
    radius: f64,
    width: f64,
    colour: &str,
) -> Result<(), JsValue> {
    context.begin_path();
    context.arc(x, y, radius, 0.0, TURN)?;
    context.set_stroke_style_str(colour);
    context.set_line_width(width);
    context.stroke();
    Ok(())
}

fn dashed(
    context: &CanvasRenderingContext2d,
    at: (f64, f64),
    radius: f64,
    width: f64,
    dashes: u8,
    colour: &str,
) -> Result<(), JsValue> {
    let step = TURN * radius / f64::from(dashes);
    let dash = [step * 0.58, step * 0.42].map(JsValue::from_f64).into_iter().collect::<js_sys::Array>();
    context.set_line_dash(&dash)?;
    ring(context, at, radius, width, colour)?;
    context.set_line_dash(&js_sys::Array::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::islands::marks::Marks;
    use fleetlens_ipc::map::MapRow;
    use fleetlens_model::geo::LonLat;
    use fleetlens_model::id::ThingKey;

    #[test]
    fn what_is_painted_is_what_the_graphics_card_would_get() {
        let mut packed = Vec::new();
        MapRow {
            thing: ThingKey(7),
            at: LonLat { lon_deg: 14.51, lat_deg: 35.9 },
            kind: Kind::Charger,
            status: Status::Warning,
            flags: FLAG_PENDING,
            level: 40,
        }
        .write(&mut packed);
        let mut marks = Marks::default();
        marks.replace(&packed);
        marks.select(Some(ThingKey(7)));
        let mut bytes = Vec::new();
        assert_eq!(marks.pack(&mut bytes).all, 1);
        let read: Vec<Vertex> = vertices(&bytes).collect();
        let [Vertex { at, kind, status, flags, level }] = read[..] else { panic!("{read:?}") };
        assert_eq!((kind, status, level), (Kind::Charger, Status::Warning, 40));
        assert_eq!(flags, FLAG_PENDING | FLAG_SELECTED);
        assert!(at.x.abs() < 1e-6 && at.y.abs() < 1e-6, "{at:?}");
    }

    #[test]
    fn marks_are_as_large_as_the_shader_draws_them() {
        let shader = include_str!("live_layer.vert");
        let list = shader.split("SIZES[7] = float[7](").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
        let wanted: Vec<f64> = list.split(',').map(|size| size.trim().parse().unwrap()).collect();
        for kind in Kind::ALL {
            assert_eq!(wanted[usize::from(kind.code())], sizes(kind, Status::Normal).0, "{kind:?}");
        }
        for (word, status) in [("WARNING", Status::Warning), ("CRITICAL", Status::Critical)] {
            let line = format!("if (a_look.y == {word}) size = {:.1};", sizes(Kind::Lamp, status).0);
            assert!(shader.contains(&line), "{line}");
        }
    }
}
