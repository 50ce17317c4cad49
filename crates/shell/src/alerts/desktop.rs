//! Notices on a desktop, by notify-rust.

use std::path::Path;

use notify_rust::Notification;
use notify_rust::error::Error;
use tauri::AppHandle;

use super::{Chosen, Notice};

/// The desktop; clones are the same.
#[derive(Clone)]
pub struct Desktop {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only on Linux the library says what was chosen"))]
    chosen: Chosen,
}

/// Gets ready to show.
#[expect(clippy::unused_async, reason = "a phone asks its system first")]
pub async fn start(_: &AppHandle, chosen: Chosen) -> Desktop {
    Desktop { chosen }
}

impl Desktop {
    /// Shows a notice; on Linux until it is gone.
    #[cfg(target_os = "linux")]
    pub async fn show(&self, notice: Notice) -> Result<(), Error> {
        use notify_rust::{NotificationResponse, Urgency};

        let mut notification = notification(&notice);
        notification.urgency(Urgency::Critical).action("default", "Open");
        let shown = notification.show_async().await?;
        let mut chosen = false;
        // A server that ends leaves this waiting: one small task for each alert it had shown.
        shown
            .wait_for_action_async(|said: &NotificationResponse| chosen = *said == NotificationResponse::Default)
            .await;
        tracing::debug!(chosen, title = notice.title, "a notification is gone");
        if chosen {
            (self.chosen)(notice.opens);
        }
        Ok(())
    }

    /// Shows a notice.
    #[cfg(not(target_os = "linux"))]
    pub async fn show(&self, notice: Notice) -> Result<(), Error> {
        let notification = notification(&notice);
        tauri::async_runtime::spawn_blocking(move || notification.show().map(drop)).await.unwrap_or(Ok(()))
    }
}

fn notification(notice: &Notice) -> Notification {
    let mut notification = Notification::new();
    notification.appname("Fleetlens").summary(&notice.title).body(&as_body(&notice.body));
    if let Some(picture) = notice.picture.as_deref().and_then(as_image_path) {
        notification.image_path(&picture);
    }
    notification
}

/// Notification servers read a body as markup (Desktop Notifications Specification 1.2, "Markup"); names of things come from strangers.
#[cfg(target_os = "linux")]
fn as_body(body: &str) -> String {
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The other systems show it as it is; on Windows the library makes text of it in its document.
#[cfg(not(target_os = "linux"))]
fn as_body(body: &str) -> String {
    body.to_owned()
}

/// A file as notification servers name one: by its URI (the same, "Icons and Images").
#[cfg(target_os = "linux")]
fn as_image_path(file: &Path) -> Option<String> {
    tauri::Url::from_file_path(file).ok().map(String::from)
}

/// A file as the other systems name one.
#[cfg(not(target_os = "linux"))]
fn as_image_path(file: &Path) -> Option<String> {
    file.to_str().map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::notice::tests::told;
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(as_body("<b>Bin</b> & co"), "&lt;b&gt;Bin&lt;/b&gt; &amp; co");
    }

    #[test]
    fn a_title_is_text_and_a_body_is_escaped() {
        let shown = notification(&Notice::of(told(12), Some("/data/alarm-0.png".into())));
        assert_eq!(shown.summary, "Bin <one> is burning");
        assert_eq!(shown.body, "71.5 °C &amp; rising\ncall the fire brigade");
    }

    #[test]
    fn a_picture_is_named_by_its_uri() {
        let named = as_image_path("/data/a b/größe%/alarm-0.png".as_ref());
        assert_eq!(named.as_deref(), Some("file:///data/a%20b/gr%C3%B6%C3%9Fe%25/alarm-0.png"));
        assert_eq!(as_image_path("alarm-0.png".as_ref()), None, "nobody knows from where");
    }
}
