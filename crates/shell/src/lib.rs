//! What the desktop and the phone app share of Tauri: the flags, the commands of a window, the channel its parcels come
//! through, the map's tiles as a protocol, and an end in order. Everything else is in `fleetlens-host`.
//!
//! What does not belong here: what only one of the two apps has (menus, QR codes), and anything that can be done
//! without Tauri.
//!
//! Windows are built in [`builder`]'s set-up, after the host was told to start, from the first window of the app's
//! configuration (which says `"create": false`). They open at once; their first call waits until the cache is read.

mod alerts;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod badge;
mod commands;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod door;
mod flags;
#[cfg(target_os = "linux")]
mod item;
mod life;
mod pages;
#[cfg(target_os = "linux")]
mod schemes;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod start;
mod tiles;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod tray;
#[cfg(target_os = "linux")]
mod webkit;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod windows;

pub use flags::Flags;
pub use fleetlens_host::{HEAP, Heap};
pub use life::{builder, run};
