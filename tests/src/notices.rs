//! The desktop's notifications as a program sees them: a server of `org.freedesktop.Notifications` on a session bus of a test's
//! own (Desktop Notifications Specification 1.3), which keeps what it is told and can choose one as a person does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::object_server::SignalEmitter;

use zbus::{Connection, OwnedVariant, connection, interface};

use crate::wait::until;

const PATH: &str = "/org/freedesktop/Notifications";

/// One notification.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The server's number of it.
    pub id: u32,
    /// Who shows it.
    pub program: String,
    /// Its headline.
    pub summary: String,
    /// What it says, as markup.
    pub body: String,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: Option<u8>,
    /// The file of its picture (`image-path`), named by its URI.
    pub picture: Option<String>,
    /// Keys of what can be chosen, each followed by its words.
    pub actions: Vec<String>,
}

/// A running notification server.
pub struct Notices {
    bus: Connection,
    shown: Arc<Mutex<Vec<Notice>>>,
}

struct Server(Arc<Mutex<Vec<Notice>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the specification has eight")]
    fn notify(
        &self,
        app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = u32::try_from(shown.len()).unwrap_or(u32::MAX) + 1;
        let urgency = hints.get("urgency").and_then(|value| u8::try_from(value).ok());
        let picture = hints.get("image-path").and_then(|value| <&str>::try_from(value).ok()).map(str::to_owned);
        shown.push(Notice { id, program: app_name, summary, body, urgency, picture, actions });
        id
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        ["body", "body-markup", "actions"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("tests".into(), "Fleetlens".into(), "1".into(), "1.2".into())
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;
}

impl Notices {
    /// Serves notifications on the bus at this address.
    pub async fn start(address: &str) -> Notices {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let bus = async {
            connection::Builder::address(address)
                .name("org.freedesktop.Notifications")
                .serve_at(PATH, Server(Arc::clone(&shown)))
                .build()
                .await
        };
        let bus = bus.await.unwrap_or_else(|e| panic!("nobody can serve notifications on {address}: {e}"));
        Notices { bus, shown }
    }

    /// Everything shown so far.
    pub fn shown(&self) -> Vec<Notice> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a notification that `wanted` likes.
    pub async fn wait_for(&self, what: &str, within: Duration, wanted: impl Fn(&Notice) -> bool) -> Notice {
        until(what, within, async || {
            let shown = self.shown();
            shown.iter().find(|notice| wanted(notice)).cloned().ok_or_else(|| format!("{shown:?}"))
        })
        .await
    }

    /// Chooses one, as a click on it does.
    pub async fn choose(&self, notice: &Notice) {
        let chosen = async {
            let emitter = SignalEmitter::new(&self.bus, PATH)?;
            Server::action_invoked(&emitter, notice.id, "default").await
        };
        chosen.await.unwrap_or_else(|e: zbus::Error| panic!("a notification cannot be chosen: {e}"));
    }
}
