//! The icon in the tray of a Linux desktop: a StatusNotifierItem, as KDE, and GNOME, Xfce and others with their extensions, show
//! (freedesktop.org, "StatusNotifierItem"). By zbus, which notifications bring: `ksni` would bring a second one, and Tauri's own tray wants
//! a C library that it panics without.

use std::future::pending;

use tauri::{AppHandle, Manager};
use zbus::export::ordered_stream::OrderedStreamExt;
use zbus::fdo::DBusProxy;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, connection, interface, proxy};

use crate::badge::{Icon, Needing};

const PATH: &str = "/StatusNotifierItem";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// The icon, for as long as this lives.
pub struct Item {
    bus: Connection,
}

/// A picture: width, height, and its pixels (see [`Icon::argb`]).
type Pixmap = (i32, i32, Vec<u8>);

/// What the tray asks.
struct Tray {
    app: AppHandle,
    icon: Icon,
    needing: Option<Needing>,
}

#[proxy(
    interface = "org.kde.StatusNotifierWatcher",
    default_service = "org.kde.StatusNotifierWatcher",
    default_path = "/StatusNotifierWatcher"
)]
trait Watcher {
    async fn register_status_notifier_item(&self, service: &str) -> zbus::Result<()>;
}

#[interface(name = "org.kde.StatusNotifierItem")]
impl Tray {
    #[zbus(property)]
    fn category(&self) -> &str {
        "ApplicationStatus"
    }

    #[zbus(property)]
    fn id(&self) -> &str {
        "org.fleetlens.desktop"
    }

    #[zbus(property)]
    fn title(&self) -> &str {
        "Fleetlens"
    }

    /// `NeedsAttention` would have some trays blink all day: the badge says it.
    #[zbus(property)]
    fn status(&self) -> &str {
        "Active"
    }

    #[zbus(property)]
    fn window_id(&self) -> i32 {
        0
    }

    /// Empty: the icon is the picture.
    #[zbus(property)]
    fn icon_name(&self) -> &str {
        ""
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Vec<Pixmap> {
        let icon = self.icon.with(self.needing);
        let side = i32::try_from(icon.side).unwrap_or(0);
        vec![(side, side, icon.argb())]
    }

    /// The name and picture of an icon (none), a headline, and more words.
    #[zbus(property)]
    fn tool_tip(&self) -> (String, Vec<Pixmap>, String, String) {
        (String::new(), Vec::new(), "Fleetlens".to_owned(), words(self.needing))
    }

    #[zbus(property)]
    fn item_is_menu(&self) -> bool {
        false
    }

    /// A click.
    fn activate(&self, _x: i32, _y: i32) {
        for window in self.app.webview_windows().into_values() {
            if let Err(error) = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus()) {
                tracing::debug!(%error, "the window does not come forward");
            }
        }
    }

    /// The other click: there is no menu.
    fn context_menu(&self, x: i32, y: i32) {
        self.activate(x, y);
    }

    #[zbus(signal)]
    async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn new_tool_tip(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

impl Item {
    /// Puts it there, also when the tray itself comes later or anew. Fails where there is no session bus.
    pub async fn show(app: AppHandle) -> zbus::Result<Item> {
        let icon = app.default_window_icon().map(|icon| Icon {
            side: usize::try_from(icon.width().min(icon.height())).unwrap_or(0),
            rgba: icon.rgba().to_vec(),
        });
        let icon = icon.unwrap_or(Icon { side: 0, rgba: Vec::new() });
        let bus = connection::Builder::session().serve_at(PATH, Tray { app, icon, needing: None }).build().await?;
        tauri::async_runtime::spawn(register(bus.clone()));
        Ok(Item { bus })
    }

    /// How many alarms need a person now.
    pub async fn tell(&self, needing: Option<Needing>) -> zbus::Result<()> {
        let tray = self.bus.object_server().interface::<_, Tray>(PATH).await?;
        tray.get_mut().await.needing = needing;
        Tray::new_icon(tray.signal_emitter()).await?;
        Tray::new_tool_tip(tray.signal_emitter()).await
    }
}

/// Tells whoever keeps the tray of the icon, now and whenever it is another.
async fn register(bus: Connection) {
    if let Err(error) = keep_registered(&bus).await {
        tracing::info!(%error, "this desktop has no tray");
    }
    // The icon is there as long as its connection.
    pending::<()>().await;
}

async fn keep_registered(bus: &Connection) -> zbus::Result<()> {
    let names = DBusProxy::new(bus).await?;
    let mut changed = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    let watcher = WatcherProxy::new(bus).await?;
    let name = bus.unique_name().map(ToString::to_string).unwrap_or_default();
    if names.name_has_owner(WATCHER.try_into()?).await? {
        watcher.register_status_notifier_item(&name).await?;
    }
    while let Some(change) = changed.next().await {
        if change.args()?.new_owner().is_some()
            && let Err(error) = watcher.register_status_notifier_item(&name).await
        {
            tracing::info!(%error, "the tray does not take the icon");
        }
    }
    Ok(())
}

/// What the tray says in words.
fn words(needing: Option<Needing>) -> String {
    match needing {
        None => "no alarm needs a person".to_owned(),
        Some(Needing { count: 1, worst }) => format!("1 alarm needs a person: {}", worst.label().to_lowercase()),
        Some(Needing { count, worst }) => {
            format!("{count} alarms need a person, the worst: {}", worst.label().to_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_host::model::alarm::Priority;

    use super::*;

    #[test]
    fn the_tray_says_how_many_and_how_bad() {
        let said = |count, worst| words(Some(Needing { count, worst }));
        assert_eq!(words(None), "no alarm needs a person");
        assert_eq!(said(1, Priority::Warning), "1 alarm needs a person: warning");
        assert_eq!(said(12, Priority::Critical), "12 alarms need a person, the worst: critical");
    }
}
