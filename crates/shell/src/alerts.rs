//! What needs a person at once, told by the system itself: a notification for each alert of the host, which opens the alarm's thing
//! when it is chosen. What is said is a [`Notice`]; how it is shown is a module for each kind of system: `desktop` (notify-rust, with a
//! small map of where it is) and `phone` (a plugin of Tauri's).
//!
//! Seen over D-Bus on Linux (tests/tests/alert.rs). macOS and Windows show the same through the same library, without the way back; no
//! machine of ours has verified either, and no phone has shown one (mobile/README.md).

#[cfg(not(any(target_os = "android", target_os = "ios")))]
mod desktop;
mod notice;
// Compiled where the tests are, so that everything of it that needs no phone is tested.
#[cfg(any(target_os = "android", target_os = "ios", test))]
mod phone;
#[cfg(any(target_os = "android", target_os = "ios"))]
mod plugin;

use std::sync::Arc;

use fleetlens_host::{Host, Told};
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;

#[cfg(not(any(target_os = "android", target_os = "ios")))]
use self::desktop as system;
use self::notice::Notice;
#[cfg(any(target_os = "android", target_os = "ios"))]
use self::plugin as system;
use crate::life::Life;

/// Whom a chosen notification is handed to.
type Chosen = Arc<dyn Fn(Told) + Send + Sync>;

/// Tells alerts until the host ends.
pub async fn tell(host: Arc<Host>, life: Life, app: AppHandle) {
    let mut alerts = host.alerts();
    let system = system::start(&app, chosen(&host, &life, &app)).await;
    // While this task holds the host its alerts never close; it ends with the runtime.
    loop {
        match alerts.recv().await {
            Ok(told) => {
                let (host, system, theme) = (Arc::clone(&host), system.clone(), life.theme());
                tauri::async_runtime::spawn(async move {
                    // Shown without one where there is none soon.
                    let picture = host.picture(&told, theme).await;
                    if let Err(error) = system.show(Notice::of(told, picture)).await {
                        tracing::warn!(%error, "no notification is shown; alarms are in the window");
                    }
                });
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "too many alerts at once"),
            Err(RecvError::Closed) => break,
        }
    }
}

/// Opens what was chosen, off the thread that tells so.
fn chosen(host: &Arc<Host>, life: &Life, app: &AppHandle) -> Chosen {
    let (host, life, app) = (Arc::clone(host), life.clone(), app.clone());
    Arc::new(move |told| {
        let (host, life, app) = (Arc::clone(&host), life.clone(), app.clone());
        tauri::async_runtime::spawn(async move { open(&told, &host, &life, &app).await });
    })
}

/// Brings the window forward that somebody was in last, with the alarm's thing in it; what the others show stays.
#[cfg(not(any(target_os = "android", target_os = "ios")))]
async fn open(told: &Told, host: &Host, life: &Life, app: &AppHandle) {
    let front = app.state::<crate::windows::Windows>().bring_forward(app);
    if let Some(window) = front.and_then(|webview| life.window(webview.label())) {
        host.open(window, told).await;
    }
}

/// Shows the alarm's thing: a phone brings the app forward by itself.
#[cfg(any(target_os = "android", target_os = "ios"))]
async fn open(told: &Told, host: &Host, life: &Life, app: &AppHandle) {
    for label in app.webview_windows().into_keys() {
        if let Some(window) = life.window(&label) {
            host.open(window, told).await;
        }
    }
}
