//! One kind of point on the graphics card: a program, its vertices, its colours. Everything that is drawn over the map is points whose
//! shape a fragment shader computes.

use wasm_bindgen::JsValue;
use web_sys::{
    WebGl2RenderingContext as Gl, WebGlBuffer, WebGlProgram, WebGlShader, WebGlUniformLocation, WebGlVertexArrayObject,
};

use super::live_layer::LayerError;
use super::mercator::Camera;
use crate::theme::{rgb, token};

/// What makes one kind of point differ from another.
pub struct Recipe {
    /// GLSL ES 3.00. Attribute 0 is the position, two floats; the others are four bytes each.
    pub vertex: &'static str,
    /// GLSL ES 3.00.
    pub fragment: &'static str,
    /// Bytes of a vertex.
    pub stride: usize,
    /// How many attributes of four bytes follow the position.
    pub looks: u32,
    /// Uniforms and the tokens their colours are read from.
    pub colours: &'static [(&'static str, &'static str)],
}

/// One kind of point, ready to be drawn.
pub struct Batch {
    recipe: &'static Recipe,
    program: WebGlProgram,
    vertices: WebGlVertexArrayObject,
    buffer: WebGlBuffer,
    colours: Vec<(WebGlUniformLocation, [f32; 3])>,
    center: Option<WebGlUniformLocation>,
    view: Option<WebGlUniformLocation>,
    scale: Option<WebGlUniformLocation>,
    sizes: Option<WebGlUniformLocation>,
}

impl Batch {
    /// Makes it on the graphics card, without points.
    pub fn new(gl: &Gl, recipe: &'static Recipe) -> Result<Batch, LayerError> {
        let program = link(gl, recipe)?;
        let vertices = gl.create_vertex_array().ok_or(LayerError::NoResource("vertex array"))?;
        let buffer = gl.create_buffer().ok_or(LayerError::NoResource("buffer"))?;
        gl.bind_vertex_array(Some(&vertices));
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&buffer));
        let stride = i32::try_from(recipe.stride).unwrap_or(0);
        gl.enable_vertex_attrib_array(0);
        gl.vertex_attrib_pointer_with_i32(0, 2, Gl::FLOAT, false, stride, 0);
        for look in 0..recipe.looks {
            let offset = i32::try_from(8 + 4 * look).unwrap_or(0);
            gl.enable_vertex_attrib_array(1 + look);
            gl.vertex_attrib_i_pointer_with_i32(1 + look, 4, Gl::UNSIGNED_BYTE, stride, offset);
        }
        gl.bind_vertex_array(None);
        let uniform = |name: &str| gl.get_uniform_location(&program, name);
        Ok(Batch {
            center: uniform("u_center"),
            view: uniform("u_view_px"),
            scale: uniform("u_scale_px"),
            sizes: uniform("u_sizes"),
            colours: Vec::new(),
            recipe,
            program,
            vertices,
            buffer,
        })
    }

    /// Reads the theme's colours.
    pub fn recolour(&mut self, gl: &Gl) {
        let colour = |(uniform, name): &(&str, &str)| {
            let (r, g, b) = rgb(&token(name))?;
            let at = gl.get_uniform_location(&self.program, uniform)?;
            Some((at, [r, g, b].map(|part| f32::from(part) / 255.0)))
        };
        self.colours = self.recipe.colours.iter().filter_map(colour).collect();
    }

    /// Takes other points.
    pub fn upload(&self, gl: &Gl, bytes: &[u8]) {
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
        gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, bytes, Gl::DYNAMIC_DRAW);
    }

    /// Draws some of the points. `size` is the factor of the marks' size.
    pub fn draw(&self, gl: &Gl, camera: &Camera, size: f64, first: usize, count: usize) {
        if count == 0 {
            return;
        }
        let whole = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        gl.use_program(Some(&self.program));
        gl.uniform2f(self.center.as_ref(), camera.center.x as f32, camera.center.y as f32);
        gl.uniform2f(self.view.as_ref(), camera.width_px as f32, camera.height_px as f32);
        gl.uniform1f(self.scale.as_ref(), camera.scale_px() as f32);
        gl.uniform2f(self.sizes.as_ref(), size as f32, screen_ratio() as f32);
        for (uniform, [r, g, b]) in &self.colours {
            gl.uniform3f(Some(uniform), *r, *g, *b);
        }
        gl.disable(Gl::DEPTH_TEST);
        gl.disable(Gl::STENCIL_TEST);
        gl.disable(Gl::CULL_FACE);
        gl.enable(Gl::BLEND);
        gl.blend_func(Gl::ONE, Gl::ONE_MINUS_SRC_ALPHA); // MapLibre's canvas is premultiplied
        gl.bind_vertex_array(Some(&self.vertices));
        gl.draw_arrays(Gl::POINTS, whole(first), whole(count));
        gl.bind_vertex_array(None);
    }
}

/// Device pixels of a CSS pixel.
pub fn screen_ratio() -> f64 {
    web_sys::window().map_or(1.0, |window| window.device_pixel_ratio())
}

fn link(gl: &Gl, recipe: &Recipe) -> Result<WebGlProgram, LayerError> {
    let program = gl.create_program().ok_or(LayerError::NoResource("program"))?;
    for (kind, source) in [(Gl::VERTEX_SHADER, recipe.vertex), (Gl::FRAGMENT_SHADER, recipe.fragment)] {
        let shader = compile(gl, kind, source)?;
        gl.attach_shader(&program, &shader);
        gl.delete_shader(Some(&shader));
    }
    gl.link_program(&program);
    let is_linked: JsValue = gl.get_program_parameter(&program, Gl::LINK_STATUS);
    if is_linked.is_truthy() {
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
