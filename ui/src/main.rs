//! The window: what a person sees and touches, over the contract of `fleetlens_ipc`, for the desktop and the phone alike.
//!
//! What does not belong here: rules of the city (`fleetlens_model`), MQTT, SQL, Tauri outside [`bridge`]. Logic that needs no
//! page is plain Rust and is tested natively; what draws pixel by pixel is under [`islands`].

mod app;
mod bridge;
mod clock;
mod components;
mod form;
mod format;
mod gallery;
mod islands;
mod keys;
mod lang;
mod later;
mod phone;
mod sound;
mod state;
mod theme;
mod views;
mod windows;

fn main() {
    console_error_panic_hook::set_once();
    lang::start();
    if gallery::is_wanted() {
        leptos::mount::mount_to_body(app::Components);
    } else {
        leptos::mount::mount_to_body(app::App);
    }
}
