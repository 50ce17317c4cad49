//! Fleetlens on the phone: its own app on the same shell, with the touch layout (`phone.html`). On a desktop it opens as a
//! phone-sized window, which is how it is tested.

/// Opens the app and stays until its end. Android and iOS enter here.
#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn start() {
    // A phone has nobody to give an exit code to.
    let _ = run();
}

/// Opens the app and stays until its end.
pub fn run() -> std::process::ExitCode {
    fleetlens_shell::run(tauri::generate_context!())
}
