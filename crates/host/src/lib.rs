//! Everything a shell needs, without Tauri: it reads the profile, opens the cache, wires engine, store and link, holds the
//! attached windows, serves tiles, and ends it all in order.
//!
//! [`Host::start`] returns as soon as the cache is read, so that a window shows the last picture at once; the demo city and the
//! link come up behind it, and whether they do is on the screen, not an error.
//!
//! What does not belong here: Tauri, HTTP, MQTT packets, SQL, rules of the fleet.

mod areas;
pub mod backtest;
mod boards;
mod diagnose;
pub mod doctor;
pub mod draft;
mod filter;
pub mod flags;
mod groups;
mod heap;
mod host;
mod line;
pub mod log;
mod maps;
mod online;
mod past;
mod pictures;
mod ports;
mod preview;
pub mod profile;
pub mod raster;
mod reach;
mod report;
mod rules;
mod run;
mod secrets;
mod settings;
pub mod sheet;
mod shelf;
mod standing;
mod summary;
pub mod tiles;
mod trial;
mod vigil;
mod whole;

pub use fleetlens_engine::fleet::Counters;
pub use fleetlens_engine::port::{Alert, AlertPlace, WindowId};
pub use fleetlens_ipc as ipc;
pub use fleetlens_model as model;
pub use fleetlens_report::{Asked, ReportError, TimeZone};
pub use fleetlens_sim::CityOptions;
pub use fleetlens_snapshot::Theme;
pub use fleetlens_tiles::TilesError;

pub use flags::HostFlags;
pub use heap::{HEAP, Heap};
pub use host::{BrokerChoice, Host, HostError, HostOptions};
pub use pictures::Ground;
pub use ports::{Sink, Told};
pub use profile::{Profile, ProfileError};
pub use raster::RasterAnswer;
pub use report::report;
pub use run::ground;
pub use settings::Home;
pub use tiles::TileAnswer;
pub use whole::keep as keep_file;
