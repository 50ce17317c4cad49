//! A canvas that lies over the map, is as large as its picture, and is painted on in CSS pixels.

use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::batch::screen_ratio;
use super::mercator::Camera;

/// The canvas.
pub struct Sheet {
    canvas: HtmlCanvasElement,
    /// What paints on it.
    pub context: CanvasRenderingContext2d,
}

impl Sheet {
    /// Puts it over a map.
    pub fn over(at: &HtmlElement, class: &str) -> Result<Sheet, JsValue> {
        let document = web_sys::window().and_then(|window| window.document()).ok_or("no page")?;
        let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
        canvas.set_class_name(class);
        canvas.set_attribute("aria-hidden", "true")?;
        let context = canvas.get_context("2d")?.ok_or("no canvas")?.dyn_into()?;
        at.append_child(&canvas)?;
        Ok(Sheet { canvas, context })
    }

    /// Makes it as large as the picture. False where the picture has no size, and nothing can be painted.
    pub fn fit(&self, camera: &Camera) -> bool {
        let ratio = screen_ratio();
        let (width, height) = ((camera.width_px * ratio).round() as u32, (camera.height_px * ratio).round() as u32);
        if width == 0 || height == 0 {
            return false;
        }
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        // Fails only for numbers that are none.
        self.context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0).is_ok()
    }

    /// Takes it off the page: the map below knows nothing of it.
    pub fn remove(&self) {
        self.canvas.remove();
    }

    /// Takes away what was painted.
    pub fn clear(&self, camera: &Camera) {
        self.context.clear_rect(0.0, 0.0, camera.width_px, camera.height_px);
    }
}
