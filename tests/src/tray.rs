//! The desktop's tray as a program sees it: an `org.kde.StatusNotifierWatcher` on a session bus of a test's own, which remembers who
//! wants an icon and asks what it shows (freedesktop.org, "StatusNotifierItem").

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::{Connection, OwnedVariant, Proxy, connection, interface, message};

use crate::wait::until;

/// What an icon says in words: an icon's name, pictures, a headline, and the words.
type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);

/// A running tray.
pub struct Tray {
    bus: Connection,
    items: Arc<Mutex<Vec<String>>>,
}

struct Watcher(Arc<Mutex<Vec<String>>>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: message::Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        assert_eq!(service, sender, "who registers is who has the icon");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(service);
    }
}

impl Tray {
    /// Keeps the tray of the bus at this address.
    pub async fn start(address: &str) -> Tray {
        let items = Arc::new(Mutex::new(Vec::new()));
        let bus = async {
            connection::Builder::address(address)
                .name("org.kde.StatusNotifierWatcher")
                .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&items)))
                .build()
                .await
        };
        let bus = bus.await.unwrap_or_else(|e| panic!("nobody can keep a tray on {address}: {e}"));
        Tray { bus, items }
    }

    /// Waits for an icon.
    pub async fn item(&self, within: Duration) -> Item {
        let name = until("an icon in the tray", within, async || {
            let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            items.last().cloned().ok_or_else(|| "nobody wants one".to_owned())
        })
        .await;
        let proxy = Proxy::new(&self.bus, name, "/StatusNotifierItem", "org.kde.StatusNotifierItem").await;
        Item(proxy.unwrap_or_else(|e| panic!("the icon cannot be asked: {e}")))
    }
}

/// An icon.
pub struct Item(Proxy<'static>);

impl Item {
    /// One of its properties, as it is now.
    async fn property<T: TryFrom<OwnedVariant, Error: std::fmt::Display>>(&self, name: &str) -> T {
        let which = ("org.kde.StatusNotifierItem", name);
        let properties = Some("org.freedesktop.DBus.Properties");
        let (to, path) = (Some(self.0.destination()), self.0.path());
        let answer = self.0.connection().call_method(to, path, properties, "Get", &which).await;
        let answer = answer.unwrap_or_else(|e| panic!("{name} of the icon: {e}"));
        let value: OwnedVariant = answer.body().deserialize().unwrap_or_else(|e| panic!("{name} of the icon: {e}"));
        value.try_into().unwrap_or_else(|e| panic!("{name} of the icon: {e}"))
    }

    /// What it says in words.
    pub async fn words(&self) -> String {
        let (.., words): ToolTip = self.property("ToolTip").await;
        words
    }

    /// Its picture: width, height, and opacity, red, green and blue of each pixel.
    pub async fn picture(&self) -> (i32, i32, Vec<u8>) {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.property("IconPixmap").await;
        pictures.into_iter().next().unwrap_or_else(|| panic!("the icon has no picture"))
    }

    /// Waits until it says this.
    pub async fn wait_for(&self, within: Duration, wanted: &str) {
        until(wanted, within, async || {
            let words = self.words().await;
            if words == wanted { Ok(()) } else { Err(words) }
        })
        .await;
    }

    /// A click on it.
    pub async fn click(&self) {
        self.0.call_method("Activate", &(10, 10)).await.unwrap_or_else(|e| panic!("the icon takes no click: {e}"));
    }
}
