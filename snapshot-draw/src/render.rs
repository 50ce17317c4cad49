//! Drawing with `maplibre` (maplibre-rs): one tile that is the picture, with one style layer for each layer of the ground.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use csscolorparser::Color;
use fleetlens_snapshot::Snapshot;
use maplibre::context::MapContext;
use maplibre::headless::HeadlessPlugin;
use maplibre::headless::environment::HeadlessEnvironment;
use maplibre::headless::map::HeadlessMap;
use maplibre::headless::window::HeadlessMapWindowConfig;
use maplibre::io::apc::SchedulerAsyncProcedureCall;
use maplibre::kernel::{Kernel, KernelBuilder};
use maplibre::platform::http_client::ReqwestHttpClient;
use maplibre::platform::scheduler::TokioScheduler;
use maplibre::plugin::Plugin;
use maplibre::render::graph::RenderGraph;
use maplibre::render::resource::Head;
use maplibre::render::settings::{Backends, PowerPreference, RendererSettings, WgpuSettings};
use maplibre::render::{RenderPlugin, RenderStageLabel, Renderer};
use maplibre::schedule::Schedule;
use maplibre::style::Style;
use maplibre::style::layer::{FillPaint, LayerPaint, StyleLayer};
use maplibre::tcs::system::{System, SystemContainer};
use maplibre::tcs::world::World;
use maplibre::vector::{DefaultVectorTransferables, VectorPlugin};
use maplibre::window::{MapWindowConfig, WindowSize};
use tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};

use crate::error::DrawError;
use crate::ground::Ground;
use crate::palette::{Palette, Rgb};
use crate::tile;

/// The longest side of what is drawn; every driver can do that.
const SURFACE_MAX_PX: u32 = 4_096;

/// Bytes of a pixel.
const RGBA: usize = 4;

/// The ground as a picture, without names and marks.
pub fn render(snapshot: &Snapshot, ground: &Ground, palette: &Palette) -> Result<Pixmap, DrawError> {
    let broken = |what: &str| DrawError::Picture(what.into());
    let scale = u32::from(snapshot.scale);
    let (width, height) = (snapshot.width_px * scale, snapshot.height_px * scale);
    // Twice as large as it will be: four samples a pixel are too few for lines as thin as these.
    let finer = if width.max(height) * 2 <= SURFACE_MAX_PX { 2 } else { 1 };
    let side = width.max(height) * finer;
    let size = WindowSize::new(side, side).ok_or_else(|| broken("it has no size"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(DrawError::Out)?;
    let pixels = runtime.block_on(paint(size, snapshot.zoom, ground, palette))?;
    let square = Pixmap::from_vec(pixels, square(side)?).ok_or_else(|| broken("its size is not what was drawn"))?;
    let mut picture = Pixmap::new(width, height).ok_or_else(|| broken("it is too large"))?;
    let shrink = 1.0 / finer as f32;
    // Half as large is the mean of four pixels, which is what a bilinear filter gives exactly in their middle.
    let paint = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
    picture.draw_pixmap(0, 0, square.as_ref(), &paint, Transform::from_scale(shrink, shrink), None);
    Ok(picture)
}

fn square(side: u32) -> Result<tiny_skia::IntSize, DrawError> {
    tiny_skia::IntSize::from_wh(side, side).ok_or_else(|| DrawError::Picture("it has no size".into()))
}

/// The pixels of a square in RGBA, row by row.
async fn paint(size: WindowSize, zoom: f64, ground: &Ground, palette: &Palette) -> Result<Vec<u8>, DrawError> {
    let config = HeadlessMapWindowConfig::new(size);
    let window = config.create();
    // Not `create_headless_renderer`, which panics where there is no driver. OpenGL needs a screen on some machines and hangs on others.
    let wgpu = WgpuSettings {
        backends: Some(Backends::PRIMARY),
        power_preference: PowerPreference::LowPower,
        ..Default::default()
    };
    let renderer = Renderer::initialize_headless(&window, wgpu, RendererSettings::default())
        .await
        .map_err(|error| DrawError::NoDriver(error.to_string()))?;
    let kernel = KernelBuilder::<HeadlessEnvironment>::new()
        .with_map_window_config(config)
        .with_http_client(ReqwestHttpClient::new(None))
        .with_apc(SchedulerAsyncProcedureCall::new(TokioScheduler::new()))
        .with_scheduler(TokioScheduler::new())
        .build();
    let layers: Vec<_> = ground
        .layers
        .iter()
        .filter_map(|layer| Some((format!("{:?}", layer.kind), layer.kind.colour(palette, zoom)?, &layer.areas)))
        .collect();
    let style = style(layers.iter().map(|(name, colour, _)| (name.as_str(), *colour)));
    let drawn = Rc::new(RefCell::new(Vec::new()));
    let plugins: Vec<Box<dyn Plugin<HeadlessEnvironment>>> = vec![
        Box::<RenderPlugin>::default(),
        Box::<VectorPlugin<DefaultVectorTransferables>>::default(),
        Box::new(HeadlessPlugin::new(false)),
        Box::new(Fetch { drawn: Rc::clone(&drawn) }),
    ];
    let mut map =
        HeadlessMap::new(style, renderer, kernel, plugins).map_err(|_| DrawError::Picture("there is no map".into()))?;
    let names: Vec<&str> = layers.iter().map(|(name, ..)| name.as_str()).collect();
    let bytes = tile::write(layers.iter().map(|(name, _, areas)| (name.as_str(), *areas)));
    let tessellated = map.process_tile(bytes, &names).await;
    // The first run sets up what the second one draws with.
    map.render_tile(tessellated);
    Ok(drawn.take())
}

/// A style out of layers from below, each with its colour. In Rust, because the library's reader of styles leaves out silently which layer
/// of a tile is meant.
fn style<'a>(layers: impl Iterator<Item = (&'a str, Rgb)>) -> Style {
    let layer = |(index, (name, [r, g, b])): (usize, (&str, Rgb))| StyleLayer {
        index: index as u32 + 1,
        id: name.to_owned(),
        paint: Some(LayerPaint::Fill(FillPaint { fill_color: Some(Color::from_rgba8(r, g, b, 255)) })),
        source_layer: Some(name.to_owned()),
        ..StyleLayer::default()
    };
    Style { layers: layers.enumerate().map(layer).collect(), ..Style::default() }
}

/// Brings what was drawn out of the graphics card.
struct Fetch {
    drawn: Rc<RefCell<Vec<u8>>>,
}

impl Plugin<HeadlessEnvironment> for Fetch {
    fn build(&self, schedule: &mut Schedule, _: Rc<Kernel<HeadlessEnvironment>>, _: &mut World, _: &mut RenderGraph) {
        let system = FetchSystem { drawn: Rc::clone(&self.drawn) };
        schedule.add_system_to_stage(RenderStageLabel::Cleanup, SystemContainer::new(system));
    }
}

struct FetchSystem {
    drawn: Rc<RefCell<Vec<u8>>>,
}

impl System for FetchSystem {
    fn name(&self) -> Cow<'static, str> {
        "fetch".into()
    }

    fn run(&mut self, context: &mut MapContext) {
        let Renderer { resources, device, .. } = &context.renderer;
        let surface = resources.surface();
        let Head::Headless(head) = surface.head() else { return };
        let row = surface.size().width() as usize * RGBA;
        let padded = head.map_async(device).get_mapped_range();
        let mut drawn = self.drawn.borrow_mut();
        drawn.clear();
        // Rows are padded to a multiple of 256 bytes.
        for line in padded.chunks(head.bytes_per_row().get() as usize) {
            drawn.extend(line.get(..row).unwrap_or_default());
        }
        drop(padded);
        head.unmap();
    }
}
