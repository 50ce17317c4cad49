//! The live layer: MapLibre calls it twice for each picture, below and above the names of places, and each time one call
//! draws every mark of that part. A mark is a point whose shape the
//! fragment shader computes (a signed distance), so that it is sharp at every size and on every screen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Object, Reflect};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use web_sys::{
    WebGl2RenderingContext as Gl, WebGlBuffer, WebGlProgram, WebGlShader, WebGlUniformLocation, WebGlVertexArrayObject,
};

use super::marks::{Marks, Packed, VERTEX_BYTES};
use super::mercator::Camera;
use crate::theme::{rgb, token};

const VERTEX_SHADER: &str = include_str!("live_layer.vert");
const FRAGMENT_SHADER: &str = include_str!("live_layer.frag");

/// The colours of the shader, by the tokens they are read from.
const COLOURS: [(&str, &str); 8] = [
    ("u_ok", "--mark-ok"),
    ("u_lit", "--mark-lit"),
    ("u_unknown", "--mark-unknown"),
    ("u_warn", "--mark-warn"),
    ("u_crit", "--mark-crit"),
    ("u_pending", "--pending"),
    ("u_accent", "--accent"),
    ("u_edge", "--mark-edge"),
];

/// Why the live layer cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayerError {
    /// The graphics card's program could not be made.
    #[error("the live layer's shader was refused: {0}")]
    Shader(String),
    /// The graphics card is out of memory or the context is lost.
    #[error("the graphics card gave no {0}")]
    NoResource(&'static str),
}

/// The names of places lie over calm marks, so that a dense city can be read, and below loud ones, so that nothing that needs a
/// person is hidden by a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What nothing is wrong with.
    Calm,
    /// What needs a person, and what a person points at.
    Loud,
}

impl Part {
    /// The layer's id in the map's style.
    pub fn id(self) -> &'static str {
        match self {
            Part::Calm => "live-calm",
            Part::Loud => "live-loud",
        }
    }

    /// The first vertex and how many.
    fn of(self, packed: Packed) -> (i32, i32) {
        let whole = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        match self {
            Part::Calm => (0, whole(packed.calm)),
            Part::Loud => (whole(packed.calm), whole(packed.all.saturating_sub(packed.calm))),
        }
    }
}

/// What the layer needs of the map at each picture.
pub struct Scene {
    /// What to draw.
    pub marks: Rc<RefCell<Marks>>,
    /// The camera now.
    pub camera: Box<dyn Fn() -> Camera>,
    /// Called after each picture with how many marks it holds, loud and calm.
    pub drawn: Box<dyn Fn(usize)>,
    /// Called when drawing failed for good.
    pub failed: Box<dyn Fn(LayerError)>,
}

/// The layer's own part, shared by MapLibre's calls.
pub struct LiveLayer {
    scene: Scene,
    card: RefCell<Option<Card>>,
    /// The colours are read again at the next picture.
    stale_colours: Cell<bool>,
    broken: Cell<bool>,
}

/// What lies on the graphics card.
struct Card {
    program: WebGlProgram,
    vertices: WebGlVertexArrayObject,
    buffer: WebGlBuffer,
    colours: Vec<(WebGlUniformLocation, [f32; 3])>,
    center: Option<WebGlUniformLocation>,
    view: Option<WebGlUniformLocation>,
    scale: Option<WebGlUniformLocation>,
    sizes: Option<WebGlUniformLocation>,
    /// Of the marks in the buffer.
    revision: Option<u64>,
    held: Packed,
    packed: Vec<u8>,
}

impl LiveLayer {
    /// A layer over a scene; nothing is on the graphics card yet.
    pub fn new(scene: Scene) -> Rc<LiveLayer> {
        Rc::new(LiveLayer { scene, card: RefCell::new(None), stale_colours: Cell::new(true), broken: Cell::new(false) })
    }

    /// The theme changed.
    pub fn recolour(&self) {
        self.stale_colours.set(true);
    }

    /// The graphics context was lost: everything is made anew at the next picture.
    pub fn forget_card(&self) {
        self.card.replace(None);
    }

    /// One part of the layer as MapLibre wants it ("CustomLayerInterface"). Lives as long as the page.
    pub fn as_custom_layer(self: &Rc<Self>, part: Part) -> Result<Object, JsValue> {
        let layer = Object::new();
        let set = |name: &str, value: &JsValue| Reflect::set(&layer, &name.into(), value).map(drop);
        set("id", &part.id().into())?;
        set("type", &"custom".into())?;
        set("renderingMode", &"2d".into())?;
        let this = Rc::clone(self);
        let render = Closure::<dyn Fn(Gl, JsValue)>::new(move |gl: Gl, _: JsValue| this.render(&gl, part));
        set("render", &render.into_js_value())?;
        Ok(layer)
    }

    fn render(&self, gl: &Gl, part: Part) {
        if self.broken.get() || gl.is_context_lost() {
            return;
        }
        match (self.draw(gl, part), part) {
            (Ok(_), Part::Calm) => {}
            (Ok(packed), Part::Loud) => (self.scene.drawn)(packed.all),
            (Err(error), _) => {
                self.broken.set(true);
                (self.scene.failed)(error);
            }
        }
    }

    fn draw(&self, gl: &Gl, part: Part) -> Result<Packed, LayerError> {
        let mut card = self.card.borrow_mut();
        let card = match &mut *card {
            Some(card) => card,
            none => {
                self.stale_colours.set(true);
                none.insert(Card::new(gl)?)
            }
        };
        gl.use_program(Some(&card.program));
        if self.stale_colours.replace(false) {
            card.colours =
                COLOURS.iter().filter_map(|(uniform, name)| colour(gl, &card.program, uniform, name)).collect();
        }
        card.upload(gl, &self.scene.marks.borrow());
        card.set_camera(gl, &(self.scene.camera)());

        gl.disable(Gl::DEPTH_TEST);
        gl.disable(Gl::STENCIL_TEST);
        gl.disable(Gl::CULL_FACE);
        gl.enable(Gl::BLEND);
        gl.blend_func(Gl::ONE, Gl::ONE_MINUS_SRC_ALPHA); // MapLibre's canvas is premultiplied
        gl.bind_vertex_array(Some(&card.vertices));
        let (first, count) = part.of(card.held);
        gl.draw_arrays(Gl::POINTS, first, count);
        gl.bind_vertex_array(None);
        Ok(card.held)
    }
}

impl Card {
    fn new(gl: &Gl) -> Result<Card, LayerError> {
        let program = link(gl)?;
        let vertices = gl.create_vertex_array().ok_or(LayerError::NoResource("vertex array"))?;
        let buffer = gl.create_buffer().ok_or(LayerError::NoResource("buffer"))?;
        gl.bind_vertex_array(Some(&vertices));
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&buffer));
        let stride = i32::try_from(VERTEX_BYTES).unwrap_or(0);
        gl.enable_vertex_attrib_array(0);
        gl.vertex_attrib_pointer_with_i32(0, 2, Gl::FLOAT, false, stride, 0);
        gl.enable_vertex_attrib_array(1);
        gl.vertex_attrib_i_pointer_with_i32(1, 4, Gl::UNSIGNED_BYTE, stride, 8);
        gl.bind_vertex_array(None);
        let uniform = |name: &str| gl.get_uniform_location(&program, name);
        Ok(Card {
            center: uniform("u_center"),
            view: uniform("u_view_px"),
            scale: uniform("u_scale_px"),
            sizes: uniform("u_sizes"),
            colours: Vec::new(),
            revision: None,
            held: Packed::default(),
            packed: Vec::new(),
            program,
            vertices,
            buffer,
        })
    }

    fn upload(&mut self, gl: &Gl, marks: &Marks) {
        if self.revision == Some(marks.revision()) {
            return;
        }
        self.held = marks.pack(&mut self.packed);
        self.revision = Some(marks.revision());
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
        gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, &self.packed, Gl::DYNAMIC_DRAW);
    }

    fn set_camera(&self, gl: &Gl, camera: &Camera) {
        let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        gl.uniform2f(self.center.as_ref(), camera.center.x as f32, camera.center.y as f32);
        gl.uniform2f(self.view.as_ref(), camera.width_px as f32, camera.height_px as f32);
        gl.uniform1f(self.scale.as_ref(), camera.scale_px() as f32);
        gl.uniform2f(self.sizes.as_ref(), size_factor(camera.zoom) as f32, ratio as f32);
        for (uniform, [r, g, b]) in &self.colours {
            gl.uniform3f(Some(uniform), *r, *g, *b);
        }
    }
}

/// How large marks are at a zoom, 1 at the zoom of a town's streets.
fn size_factor(zoom: f64) -> f64 {
    let points = [(9.0, 0.45), (12.0, 0.72), (14.0, 1.0), (17.0, 1.55), (20.0, 2.0)];
    points.windows(2).fold(0.45, |size, pair| match pair {
        [(from, low), (to, high)] if zoom > *from => {
            let part = ((zoom - from) / (to - from)).min(1.0);
            low + (high - low) * part
        }
        _ => size,
    })
}

fn colour(gl: &Gl, program: &WebGlProgram, uniform: &str, name: &str) -> Option<(WebGlUniformLocation, [f32; 3])> {
    let (r, g, b) = rgb(&token(name))?;
    Some((gl.get_uniform_location(program, uniform)?, [r, g, b].map(|part| f32::from(part) / 255.0)))
}

fn link(gl: &Gl) -> Result<WebGlProgram, LayerError> {
    let program = gl.create_program().ok_or(LayerError::NoResource("program"))?;
    for (kind, source) in [(Gl::VERTEX_SHADER, VERTEX_SHADER), (Gl::FRAGMENT_SHADER, FRAGMENT_SHADER)] {
        let shader = compile(gl, kind, source)?;
        gl.attach_shader(&program, &shader);
        gl.delete_shader(Some(&shader));
    }
    gl.link_program(&program);
    if gl.get_program_parameter(&program, Gl::LINK_STATUS).is_truthy() {
        return Ok(program);
    }
    Err(LayerError::Shader(gl.get_program_info_log(&program).unwrap_or_default()))
}

fn compile(gl: &Gl, kind: u32, source: &str) -> Result<WebGlShader, LayerError> {
    let shader = gl.create_shader(kind).ok_or(LayerError::NoResource("shader"))?;
    gl.shader_source(&shader, source);
    gl.compile_shader(&shader);
    if gl.get_shader_parameter(&shader, Gl::COMPILE_STATUS).is_truthy() {
        return Ok(shader);
    }
    Err(LayerError::Shader(gl.get_shader_info_log(&shader).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_grow_with_the_zoom_without_a_jump() {
        let sizes: Vec<f64> = (60..220).map(|zoom| size_factor(f64::from(zoom) / 10.0)).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] <= pair[1] && pair[1] - pair[0] < 0.03));
        assert_eq!(size_factor(14.0), 1.0);
        assert_eq!((size_factor(3.0), size_factor(23.0)), (0.45, 2.0));
    }

    #[test]
    fn both_parts_together_draw_every_mark_once() {
        let packed = Packed { all: 7, calm: 5 };
        assert_eq!((Part::Calm.of(packed), Part::Loud.of(packed)), ((0, 5), (5, 2)));
    }

    #[test]
    fn the_shader_has_a_uniform_for_every_colour() {
        for (uniform, _) in COLOURS {
            assert!(FRAGMENT_SHADER.contains(uniform), "{uniform}");
        }
    }
}
