//! Everything a shell needs, without Tauri.
