//! What the desktop and the phone app share of Tauri.
