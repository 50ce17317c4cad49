//! The window over HTTP and WebSocket: what a browser is to the host as `fleetlens-shell` is to Tauri. The same page, the same
//! bytes of the contract, the same tiles.
//!
//! | address | what is there |
//! |---|---|
//! | `/`, `/phone.html` and what they load | the built window, from a folder |
//! | `/gallery` | every component of it in every state |
//! | `/tiles/{z}/{x}/{y}` | the map |
//! | `/raster/{dark or light}/{z}/{x}/{y}.png` | the map as pictures, for a machine without a graphics card |
//! | `/ws` | one window: binary messages, parcels one way and calls the other |
//!
//! Whoever comes passes the [`door`] first. There is no TLS here: beyond loopback it is for a network one trusts, or behind a
//! proxy that has it.
//!
//! What does not belong here: anything a window in an app could not do as well.

mod door;
mod error;
mod folder;
mod pages;
mod server;
mod token;
mod window;

pub use error::ServeError;
pub use folder::find_ui;
pub use server::{Server, ServerOptions};
pub use token::Token;
