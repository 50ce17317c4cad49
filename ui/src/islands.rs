//! What is drawn pixel by pixel instead of by elements: the map with its live layer, and charts.

pub mod arrival;
pub mod badges;
pub mod batch;
pub mod chart;
pub mod clusters;
pub mod graticule;
pub mod live_layer;
pub mod map;
pub mod maplibre;
pub mod marks;
pub mod mercator;
mod names;
pub mod outline;
pub mod over;
mod pace;
mod painted;
mod sheet;
mod trails;
