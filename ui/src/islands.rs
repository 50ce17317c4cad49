//! What is drawn pixel by pixel instead of by elements: the map with its live layer, and charts.

pub mod chart;
pub mod live_layer;
pub mod map;
pub mod maplibre;
pub mod marks;
pub mod mercator;
