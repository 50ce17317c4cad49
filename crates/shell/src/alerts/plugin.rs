//! The phone of [`phone`](super::phone): Android and iOS by `tauri-plugin-notification`. It type-checks for Android; no phone has run it
//! (mobile/README.md).

use std::sync::Arc;

use tauri::AppHandle;
use tauri_plugin_notification::{Action, ActionType, Error, NotificationExt, PermissionState};

use super::phone::{Phone, Spot, System, Unshown};
use super::{Chosen, Notice};

/// What Android lists among the app's notifications, where a person sets how loud they are.
#[cfg(target_os = "android")]
const CHANNEL: &str = "alarms";

/// The phone; clones are the same.
#[derive(Clone)]
pub struct Plugin(Arc<Phone<Tauri>>);

/// The app, as the plugin is found in it.
pub struct Tauri(AppHandle);

/// Gets ready to show, and hands what is chosen to `chosen`.
pub async fn start(app: &AppHandle, chosen: Chosen) -> Plugin {
    let phone = Arc::new(Phone::new(Tauri(app.clone())));
    let (app, listened) = (app.clone(), Arc::clone(&phone));
    let ready = tauri::async_runtime::spawn_blocking(move || prepare(&app, listened, chosen)).await;
    match ready {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "notifications may not come, or open nothing"),
        Err(error) => tracing::warn!(%error, "notifications were not prepared"),
    }
    Plugin(phone)
}

impl Plugin {
    /// Shows a notice.
    pub async fn show(&self, notice: Notice) -> Result<(), Unshown> {
        self.0.show(notice).await
    }
}

/// A channel, without which Android shows nothing; a button for each spot, since of a tap Android's side of the plugin does not tell
/// what was tapped; and somebody who listens.
fn prepare(app: &AppHandle, phone: Arc<Phone<Tauri>>, chosen: Chosen) -> Result<(), Error> {
    let notifications = app.notification();
    #[cfg(target_os = "android")]
    notifications.create_channel(
        tauri_plugin_notification::Channel::builder(CHANNEL, "Critical alarms")
            .description("What needs a person at once")
            .importance(tauri_plugin_notification::Importance::High)
            .vibration(true)
            .build(),
    )?;
    // What an earlier process showed opens nothing, and iOS' side of the plugin ends the app when it is tapped
    // (tauri-apps/plugins-workspace#3533).
    #[cfg(target_os = "ios")]
    notifications.remove_all_active()?;
    let buttons = Spot::all().map(|spot| {
        let open = Action::builder(spot.button(), "Open").foreground(true).build();
        ActionType::builder(spot.button()).actions(vec![open]).build()
    });
    notifications.register_action_types(buttons.collect())?;
    notifications.on_action(move |done| {
        let number = done.notification().map(tauri_plugin_notification::ActiveNotification::id);
        if let Some(told) = Spot::of(done.action_id(), number).and_then(|spot| phone.chosen(spot)) {
            chosen(told);
        }
    })
}

impl System for Tauri {
    fn may(&self) -> Result<bool, String> {
        said(self.0.notification().permission_state().map(is_granted))
    }

    fn ask(&self) -> Result<bool, String> {
        said(self.0.notification().request_permission().map(is_granted))
    }

    fn show(&self, spot: Spot, notice: &Notice) -> Result<(), String> {
        let notification = self.0.notification().builder();
        #[cfg(target_os = "android")]
        let notification = notification.channel_id(CHANNEL);
        let notification = notification
            .id(spot.number())
            .title(&notice.title)
            .body(&notice.body)
            // Unfolded it says all of it; without this Android would unfold to nothing.
            .large_body(&notice.body)
            .action_type_id(spot.button())
            .auto_cancel();
        // Silent without; there is no such file, which iOS answers with its usual sound.
        #[cfg(target_os = "ios")]
        let notification = notification.sound("default");
        said(notification.show())
    }
}

fn is_granted(state: PermissionState) -> bool {
    state == PermissionState::Granted
}

fn said<T>(answer: Result<T, Error>) -> Result<T, String> {
    answer.map_err(|error| error.to_string())
}
