//! Fleetlens on the desktop. Everything is in `fleetlens-shell`; here are the configuration and the icons.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

#[global_allocator]
static HEAP: fleetlens_shell::Heap = fleetlens_shell::HEAP;

fn main() -> std::process::ExitCode {
    fleetlens_shell::run(tauri::generate_context!())
}
