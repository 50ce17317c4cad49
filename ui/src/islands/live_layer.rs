//! The live layer: MapLibre calls it twice for each picture, below and above the names of places, and each time one call
//! draws every mark of that part; crowds are badges among the loud ones. A mark is a point whose shape the
//! fragment shader computes (a signed distance), so that it is sharp at every size and on every screen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Object, Reflect};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use web_sys::{WebGl2RenderingContext as Gl, WebGlTexture};

use super::badges;
use super::batch::{Batch, Recipe, screen_ratio};
use super::marks::{Marks, Packed, VERTEX_BYTES};
use super::mercator::Camera;

/// One point a thing.
const MARKS: Recipe = Recipe {
    vertex: include_str!("live_layer.vert"),
    fragment: include_str!("live_layer.frag"),
    stride: VERTEX_BYTES,
    looks: 1,
    colours: &[
        ("u_ok", "--mark-ok"),
        ("u_lit", "--mark-lit"),
        ("u_unknown", "--mark-unknown"),
        ("u_warn", "--mark-warn"),
        ("u_crit", "--mark-crit"),
        ("u_pending", "--pending"),
        ("u_accent", "--accent"),
        ("u_edge", "--mark-edge"),
    ],
};

/// One point a cluster. Its tag carries a number, so it takes the colours that hold the contrast of text.
const BADGES: Recipe = Recipe {
    vertex: include_str!("badge.vert"),
    fragment: include_str!("badge.frag"),
    stride: badges::BADGE_BYTES,
    looks: 3,
    colours: &[
        ("u_ok", "--mark-ok"),
        ("u_unknown", "--mark-unknown"),
        ("u_warn", "--warn"),
        ("u_crit", "--crit"),
        ("u_pending", "--pending"),
        ("u_accent", "--accent"),
        ("u_edge", "--mark-edge"),
        ("u_text", "--text"),
        ("u_surface", "--surface"),
    ],
};

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

    /// The first vertex and how many, without what is chosen.
    pub fn of(self, packed: Packed) -> (usize, usize) {
        match self {
            Part::Calm => (0, packed.calm),
            Part::Loud => (packed.calm, packed.all.saturating_sub(packed.calm + packed.chosen)),
        }
    }
}

/// What the layer needs of the map at each picture.
pub struct Scene {
    /// What to draw.
    pub marks: Rc<RefCell<Marks>>,
    /// The camera now.
    pub camera: Box<dyn Fn() -> Camera>,
    /// Called after each picture with how many things it stands for, each by itself or in a cluster.
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
    marks: Batch,
    badges: Batch,
    /// The signs of the badges.
    signs: WebGlTexture,
    /// What a CSS pixel was when the signs were drawn; on another screen they are drawn anew.
    signs_ratio: f64,
    /// Of the marks in the buffers.
    revision: Option<u64>,
    held: Packed,
    held_badges: usize,
    bytes: Vec<u8>,
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
            (Ok(packed), Part::Loud) => (self.scene.drawn)(packed.things),
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
        if self.stale_colours.replace(false) {
            card.marks.recolour(gl);
            card.badges.recolour(gl);
        }
        let camera = (self.scene.camera)();
        let camera = {
            let mut marks = self.scene.marks.borrow_mut();
            card.upload(gl, &mut marks, &camera);
            Camera { center: camera.center.from(marks.origin()), ..camera }
        };

        let size = size_factor(camera.zoom).max(size_of_few(card.held.all + card.held_badges));
        let (first, count) = part.of(card.held);
        card.marks.draw(gl, &camera, size, first, count);
        if part == Part::Loud {
            gl.active_texture(Gl::TEXTURE0);
            gl.bind_texture(Gl::TEXTURE_2D, Some(&card.signs));
            card.badges.draw(gl, &camera, size, 0, card.held_badges);
            card.marks.draw(gl, &camera, size, card.held.all.saturating_sub(card.held.chosen), card.held.chosen);
        }
        Ok(card.held)
    }
}

impl Card {
    fn new(gl: &Gl) -> Result<Card, LayerError> {
        Ok(Card {
            marks: Batch::new(gl, &MARKS)?,
            badges: Batch::new(gl, &BADGES)?,
            signs: gl.create_texture().ok_or(LayerError::NoResource("texture"))?,
            signs_ratio: 0.0,
            revision: None,
            held: Packed::default(),
            held_badges: 0,
            bytes: Vec::new(),
        })
    }

    fn upload(&mut self, gl: &Gl, marks: &mut Marks, camera: &Camera) {
        let ratio = screen_ratio();
        if self.signs_ratio != ratio {
            self.signs_ratio = ratio;
            if let Err(error) = self.draw_signs(gl, ratio) {
                // Badges without their numbers still stand where the crowds are, and say them to who points there.
                web_sys::console::warn_2(&"the numbers of the map's badges could not be drawn".into(), &error);
            }
        }
        marks.zoom_to(camera.zoom);
        marks.look_from(camera);
        if self.revision == Some(marks.revision()) {
            return;
        }
        self.revision = Some(marks.revision());
        self.held = marks.pack(&mut self.bytes);
        self.marks.upload(gl, &self.bytes);
        self.held_badges = marks.pack_badges(&mut self.bytes);
        self.badges.upload(gl, &self.bytes);
    }

    fn draw_signs(&self, gl: &Gl, ratio: f64) -> Result<(), JsValue> {
        let sheet = badges::sheet(ratio)?;
        gl.active_texture(Gl::TEXTURE0);
        gl.bind_texture(Gl::TEXTURE_2D, Some(&self.signs));
        // MapLibre leaves its own settings behind; it sets them again before it draws.
        gl.pixel_storei(Gl::UNPACK_FLIP_Y_WEBGL, 0);
        gl.pixel_storei(Gl::UNPACK_PREMULTIPLY_ALPHA_WEBGL, 0);
        let (rgba, level) = (Gl::RGBA, 0);
        let internal = i32::try_from(rgba).unwrap_or_default();
        gl.tex_image_2d_with_u32_and_u32_and_html_canvas_element(
            Gl::TEXTURE_2D,
            level,
            internal,
            rgba,
            Gl::UNSIGNED_BYTE,
            &sheet,
        )?;
        for (name, value) in [
            (Gl::TEXTURE_MIN_FILTER, Gl::LINEAR),
            (Gl::TEXTURE_MAG_FILTER, Gl::LINEAR),
            (Gl::TEXTURE_WRAP_S, Gl::CLAMP_TO_EDGE),
            (Gl::TEXTURE_WRAP_T, Gl::CLAMP_TO_EDGE),
        ] {
            gl.tex_parameteri(Gl::TEXTURE_2D, name, i32::try_from(value).unwrap_or_default());
        }
        Ok(())
    }
}

/// The smallest that a mark gets.
const SMALLEST: f64 = 0.45;

/// How large marks are at a zoom, 1 at the zoom of a town's streets.
pub fn size_factor(zoom: f64) -> f64 {
    let points = [(9.0, SMALLEST), (12.0, 0.72), (14.0, 1.0), (17.0, 1.55), (20.0, 2.0)];
    points.windows(2).fold(SMALLEST, |size, pair| match pair {
        [(from, low), (to, high)] if zoom > *from => {
            let part = ((zoom - from) / (to - from)).min(1.0);
            low + (high - low) * part
        }
        _ => size,
    })
}

/// How large marks are at least, however far away: a few are looked for and have room, many would hide each other.
pub fn size_of_few(marks: usize) -> f64 {
    const FEW: f64 = 60.0;
    const MANY: f64 = 300.0;
    let share = ((marks as f64 - FEW) / (MANY - FEW)).clamp(0.0, 1.0);
    share.mul_add(SMALLEST - 1.0, 1.0).max(SMALLEST)
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
        assert_eq!((size_of_few(0), size_of_few(60), size_of_few(300), size_of_few(100_000)), (1.0, 1.0, 0.45, 0.45));
    }

    #[test]
    fn both_parts_and_what_is_chosen_draw_every_mark_once() {
        let packed = Packed { all: 8, calm: 5, chosen: 1, things: 900 };
        assert_eq!((Part::Calm.of(packed), Part::Loud.of(packed)), ((0, 5), (5, 2)));
    }

    #[test]
    fn the_shaders_have_a_uniform_for_every_colour() {
        for recipe in [MARKS, BADGES] {
            for (uniform, _) in recipe.colours {
                assert!(recipe.fragment.contains(&format!("uniform vec3 {uniform};")), "{uniform}");
            }
        }
    }
}
