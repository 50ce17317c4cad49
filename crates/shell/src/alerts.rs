//! What needs a person at once, told by the desktop itself: a notification for each alert of the host, with a small map of where it
//! is, which opens the alarm's thing when it is chosen. Seen over D-Bus on Linux (tests/tests/alert.rs); macOS and Windows show the
//! same through the same library, which no machine of ours has verified, and without the way back.

use std::path::Path;
use std::sync::Arc;

use fleetlens_host::{Alert, Host, Told};
use notify_rust::Notification;
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;

use crate::life::Life;

/// Tells alerts until the host ends.
pub async fn tell(host: Arc<Host>, life: Life, app: AppHandle) {
    let mut alerts = host.alerts();
    // While this task holds the host its alerts never close; it ends with the runtime.
    loop {
        match alerts.recv().await {
            Ok(told) => {
                let (host, life, app) = (Arc::clone(&host), life.clone(), app.clone());
                tauri::async_runtime::spawn(async move {
                    // Shown without one where there is none soon.
                    let picture = host.picture(&told, life.theme()).await;
                    if let Err(error) = show(told, picture.as_deref(), host, life, app).await {
                        tracing::warn!(%error, "the desktop shows no notifications; alarms are in the window");
                    }
                });
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "too many alerts at once"),
            Err(RecvError::Closed) => break,
        }
    }
}

fn notification(alert: &Alert, picture: Option<&Path>) -> Notification {
    let mut notification = Notification::new();
    notification.appname("Fleetlens").summary(&alert.title).body(&as_text(&alert.body));
    if let Some(picture) = picture.and_then(as_image_path) {
        notification.image_path(&picture);
    }
    notification
}

/// A file as notification servers name one: by its URI (Desktop Notifications Specification 1.2, "Icons and Images").
#[cfg(target_os = "linux")]
fn as_image_path(file: &Path) -> Option<String> {
    tauri::Url::from_file_path(file).ok().map(String::from)
}

/// A file as the other systems name one.
#[cfg(not(target_os = "linux"))]
fn as_image_path(file: &Path) -> Option<String> {
    file.to_str().map(str::to_owned)
}

/// Notification servers read a body as markup; names of things come from strangers.
fn as_text(body: &str) -> String {
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(target_os = "linux")]
async fn show(
    told: Told,
    picture: Option<&Path>,
    host: Arc<Host>,
    life: Life,
    app: AppHandle,
) -> Result<(), notify_rust::error::Error> {
    use notify_rust::{NotificationResponse, Urgency};

    let mut notification = notification(&told.alert, picture);
    notification.urgency(Urgency::Critical).action("default", "Open");
    let shown = notification.show_async().await?;
    let mut chosen = false;
    // A server that ends leaves this waiting: one small task for each alert it had shown.
    shown.wait_for_action_async(|said: &NotificationResponse| chosen = *said == NotificationResponse::Default).await;
    tracing::debug!(chosen, title = told.alert.title, "a notification is gone");
    if chosen {
        open(&told, &host, &life, &app).await;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn show(
    told: Told,
    picture: Option<&Path>,
    _: Arc<Host>,
    _: Life,
    _: AppHandle,
) -> Result<(), notify_rust::error::Error> {
    let notification = notification(&told.alert, picture);
    tauri::async_runtime::spawn_blocking(move || notification.show().map(drop)).await.unwrap_or(Ok(()))
}

/// Brings the window forward with the alarm's thing in it.
#[cfg(target_os = "linux")]
async fn open(told: &Told, host: &Host, life: &Life, app: &AppHandle) {
    for (label, webview) in app.webview_windows() {
        if let Err(error) = webview.unminimize().and_then(|()| webview.set_focus()) {
            tracing::debug!(%error, "the window does not come forward");
        }
        if let Some(window) = life.window(&label) {
            host.open(window, told).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(as_text("<b>Bin</b> & co"), "&lt;b&gt;Bin&lt;/b&gt; &amp; co");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_picture_is_named_by_its_uri() {
        let named = as_image_path("/data/a b/größe%/alarm-0.png".as_ref());
        assert_eq!(named.as_deref(), Some("file:///data/a%20b/gr%C3%B6%C3%9Fe%25/alarm-0.png"));
        assert_eq!(as_image_path("alarm-0.png".as_ref()), None, "nobody knows from where");
    }
}
