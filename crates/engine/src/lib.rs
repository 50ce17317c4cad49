//! The fleet as a pure function of its inputs ([`fleet::Fleet`]), what windows are shown of it ([`window::Windows`]), and the one
//! actor that performs the effects through three ports ([`run`]).
//!
//! What does not belong here: MQTT clients, SQL, Tauri, files, clocks other than through [`port::Clock`]. Everything but `run` is
//! synchronous and takes time as an argument: the same inputs give the same effects, so a recorded day can be replayed.

pub mod backtest;
pub mod config;
pub mod fleet;
pub mod port;
pub mod replay;
pub mod run;
pub mod window;

pub use fleetlens_ipc as ipc;
pub use fleetlens_model as model;
pub use fleetlens_wire as wire;
