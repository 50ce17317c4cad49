//! A keychain as a program sees it: the Secret Service (freedesktop.org, Secret Service API 0.2) on a session bus of a test's own,
//! with one collection that the test locks. It asks nobody: what a person would answer is decided beforehand.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, ObjectServer, OwnedObjectPath, OwnedVariant, Type, Variant, connection, fdo, interface};

use crate::display::first_line;
use crate::place;
use crate::process::{Group, Output};

const SERVICE: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/test";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";
const SESSION: &str = "/org/freedesktop/secrets/session/1";

/// A bus on which only the programs of a test are: no file of this machine names a service that could be started.
const ALONE: &str = "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"
 \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\">
<allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>";

/// A session bus that nobody serves.
pub struct Bus {
    address: String,
    _folder: TempDir,
    _daemon: Group,
}

impl Bus {
    /// Starts one; `None` when dbus-daemon is not installed (then the test has been told as skipped).
    pub fn start(name: &str) -> Option<Bus> {
        let daemon = place::system_program("dbus-daemon")?;
        let folder = tempfile::tempdir().expect("a folder for a bus");
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, ALONE).expect("a bus can be configured");
        let mut command = Command::new(daemon);
        command.arg("--config-file").arg(config).args(["--nofork", "--nopidfile", "--print-address=1"]);
        let mut daemon = Group::spawn(&mut command, &place::log(&format!("bus-{name}")), Output::Read);
        let address = first_line(&mut daemon, "its address");
        Some(Bus { address, _folder: folder, _daemon: daemon })
    }

    /// Its address, as `DBUS_SESSION_BUS_ADDRESS` has it.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// How the keychain is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Nothing is locked.
    Open,
    /// Locked, and the person unlocks it when asked.
    Opens,
    /// Locked, and the person closes every dialog.
    Stays,
    /// It answers nothing at all.
    Mute,
}

/// A running keychain.
pub struct Vault {
    _bus: Connection,
    state: Arc<State>,
}

struct State {
    lock: Mutex<Lock>,
    asked: AtomicUsize,
    /// By the account: number and password.
    items: Mutex<BTreeMap<String, (usize, Vec<u8>)>>,
}

impl State {
    fn lock(&self) -> Lock {
        *held(&self.lock)
    }

    fn is_locked(&self) -> bool {
        self.lock() != Lock::Open
    }

    /// Where a prompt is needed.
    fn prompt(&self) -> OwnedObjectPath {
        path(if self.is_locked() { PROMPT } else { "/" })
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path(of: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(of).expect("it is a path")
}

impl Vault {
    /// Serves a keychain on this bus.
    pub async fn start(bus: &Bus, lock: Lock) -> Vault {
        let state = Arc::new(State { lock: Mutex::new(lock), asked: AtomicUsize::new(0), items: Mutex::default() });
        let bus = connection::Builder::address(bus.address())
            .serve_at(SERVICE, Service(Arc::clone(&state)))
            .serve_at(COLLECTION, Collection(Arc::clone(&state)))
            .serve_at(PROMPT, Prompt(Arc::clone(&state)))
            .name("org.freedesktop.secrets")
            .build()
            .await;
        Vault { _bus: bus.unwrap_or_else(|e| panic!("nobody can serve a keychain: {e}")), state }
    }

    /// From now on it is locked like this.
    pub fn set(&self, lock: Lock) {
        *held(&self.state.lock) = lock;
    }

    /// The names and passwords in it.
    pub fn passwords(&self) -> Vec<(String, String)> {
        let items = held(&self.state.items);
        items.iter().map(|(name, (_, value))| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect()
    }

    /// How often a person was asked to unlock it.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::Relaxed)
    }
}

#[derive(Serialize, Deserialize, Type)]
struct Held {
    session: OwnedObjectPath,
    parameters: Vec<u8>,
    value: Vec<u8>,
    content_type: String,
}

struct Service(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    async fn open_session(
        &self,
        algorithm: &str,
        _input: OwnedVariant,
    ) -> fdo::Result<(OwnedVariant, OwnedObjectPath)> {
        if self.0.lock() == Lock::Mute {
            std::future::pending::<()>().await;
        }
        if algorithm != "plain" {
            return Err(fdo::Error::NotSupported(algorithm.to_owned()));
        }
        let nothing = OwnedVariant::try_from(Variant::from("")).map_err(|e| fdo::Error::Failed(e.to_string()))?;
        Ok((nothing, path(SESSION)))
    }

    fn search_items(&self, attributes: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        let account = attributes.get("account").filter(|_| attributes.get("service").is_some_and(|s| s == "fleetlens"));
        let number = account.and_then(|account| held(&self.0.items).get(account).map(|(number, _)| *number));
        let found: Vec<OwnedObjectPath> = number.iter().map(|n| path(&format!("{COLLECTION}/{n}"))).collect();
        if self.0.is_locked() { (Vec::new(), found) } else { (found, Vec::new()) }
    }

    fn unlock(&self, objects: Vec<OwnedObjectPath>) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        (if self.0.is_locked() { Vec::new() } else { objects }, self.0.prompt())
    }

    fn read_alias(&self, name: &str) -> OwnedObjectPath {
        path(if name == "default" { COLLECTION } else { "/" })
    }
}

struct Collection(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    async fn create_item(
        &self,
        properties: HashMap<String, OwnedVariant>,
        secret: Held,
        _replace: bool,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        if self.0.is_locked() {
            return Err(fdo::Error::AccessDenied("locked".to_owned()));
        }
        let wrong = |e: zbus::Error| fdo::Error::InvalidArgs(e.to_string());
        let attributes = properties.get("org.freedesktop.Secret.Item.Attributes").cloned();
        let attributes = attributes.ok_or_else(|| fdo::Error::InvalidArgs("no attributes".to_owned()))?;
        let attributes = HashMap::<String, String>::try_from(attributes).map_err(wrong)?;
        let account = attributes.get("account").cloned().unwrap_or_default();
        let number = {
            let mut items = held(&self.0.items);
            let number = items.get(&account).map_or(items.len() + 1, |(number, _)| *number);
            items.insert(account.clone(), (number, secret.value));
            number
        };
        let at = path(&format!("{COLLECTION}/{number}"));
        server.at(&at, Item { account, state: Arc::clone(&self.0) }).await.map_err(wrong)?;
        Ok((at, path("/")))
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        self.0.is_locked()
    }
}

struct Item {
    account: String,
    state: Arc<State>,
}

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    fn get_secret(&self, session: OwnedObjectPath) -> fdo::Result<Held> {
        if self.state.is_locked() {
            return Err(fdo::Error::AccessDenied("locked".to_owned()));
        }
        let value = held(&self.state.items).get(&self.account).map(|(_, value)| value.clone());
        let value = value.ok_or_else(|| fdo::Error::UnknownObject(self.account.clone()))?;
        Ok(Held { session, parameters: Vec::new(), value, content_type: "text/plain".to_owned() })
    }

    fn delete(&self) -> OwnedObjectPath {
        held(&self.state.items).remove(&self.account);
        path("/")
    }
}

struct Prompt(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(&self, _window: &str, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> fdo::Result<()> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let opens = self.0.lock() == Lock::Opens;
        if opens {
            *held(&self.0.lock) = Lock::Open;
        }
        Prompt::completed(&emitter, !opens, Variant::from("")).await.map_err(fdo::Error::from)
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Variant<'_>) -> zbus::Result<()>;
}
