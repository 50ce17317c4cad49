//! How many alarms need a person, told by the desktop while the window is behind others or minimised: on the taskbar's button where the
//! system has numbers there (macOS, and Linux docks that know Unity's), and on Linux by an icon in the tray, which brings the window
//! forward. Seen over D-Bus (tests/tests/alert.rs); on macOS and Windows no machine of ours has verified anything of it, and Windows'
//! taskbar has no numbers.

use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{Counters, Host};
use tauri::{AppHandle, Manager};
use tokio::time::sleep;

use crate::badge::Needing;
#[cfg(target_os = "linux")]
use crate::item::Item;

/// How long what is told stands at least: in a flood nobody reads a number that changes at each alarm.
const STANDS: Duration = Duration::from_millis(500);

/// Tells it until the runtime ends.
pub async fn tell(host: Arc<Host>, app: AppHandle) {
    #[cfg(target_os = "linux")]
    let item =
        Item::show(app.clone()).await.inspect_err(|error| tracing::info!(%error, "this desktop has no tray")).ok();
    let mut told = None;
    loop {
        let mut counters = host.counters().await;
        // Until another profile is in use.
        loop {
            let now = needing(&counters.borrow_and_update());
            if told != Some(now) {
                told = Some(now);
                tell_window(&app, now);
                #[cfg(target_os = "linux")]
                if let Some(item) = &item
                    && let Err(error) = item.tell(now).await
                {
                    tracing::debug!(%error, "the tray does not hear how many alarms there are");
                }
            }
            sleep(STANDS).await;
            if counters.changed().await.is_err() {
                break;
            }
        }
    }
}

fn needing(counters: &Counters) -> Option<Needing> {
    Some(Needing { count: counters.needing, worst: counters.worst? }).filter(|needing| needing.count > 0)
}

/// On the button of the taskbar, or the icon of the dock.
fn tell_window(app: &AppHandle, needing: Option<Needing>) {
    for window in app.webview_windows().into_values() {
        if let Err(error) = window.set_badge_count(needing.map(|needing| i64::from(needing.count))) {
            tracing::debug!(%error, "the taskbar takes no number");
        }
    }
}
