//! The keychain of a Linux desktop: the Secret Service on the session bus (freedesktop.org, Secret Service API 0.2).
//!
//! Passwords cross the bus as they are ("plain", section "Transfer of Secrets"): the bus is a socket of this person's own, and who
//! can listen there may as well ask the service.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zbus::export::ordered_stream::OrderedStreamExt;
use zbus::proxy::CacheProperties;
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Type, Variant, proxy};

use super::{ANSWERED_WITHIN, KeychainError, SERVICE, UNLOCKED_WITHIN};

/// What the specification says where there is no object.
const NOWHERE: &str = "/";

/// Whether a connection to a broker has made the keychain ask the person already.
static ASKED: AtomicBool = AtomicBool::new(false);

/// A secret on the bus (section "Secret").
#[derive(Serialize, Deserialize, Type)]
struct Held {
    session: OwnedObjectPath,
    parameters: Vec<u8>,
    value: Vec<u8>,
    content_type: String,
}

#[proxy(
    interface = "org.freedesktop.Secret.Service",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
trait Service {
    async fn open_session(&self, algorithm: &str, input: Variant<'_>) -> zbus::Result<(OwnedVariant, OwnedObjectPath)>;
    async fn search_items(
        &self,
        attributes: HashMap<&str, &str>,
    ) -> zbus::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)>;
    async fn unlock(&self, objects: &[ObjectPath<'_>]) -> zbus::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)>;
    async fn read_alias(&self, name: &str) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(interface = "org.freedesktop.Secret.Collection", default_service = "org.freedesktop.secrets")]
trait Collection {
    async fn create_item(
        &self,
        properties: HashMap<&str, Variant<'_>>,
        secret: Held,
        replace: bool,
    ) -> zbus::Result<(OwnedObjectPath, OwnedObjectPath)>;
    #[zbus(property)]
    fn locked(&self) -> zbus::Result<bool>;
}

#[proxy(interface = "org.freedesktop.Secret.Item", default_service = "org.freedesktop.secrets")]
trait Item {
    async fn get_secret(&self, session: &ObjectPath<'_>) -> zbus::Result<Held>;
    async fn delete(&self) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(interface = "org.freedesktop.Secret.Prompt", default_service = "org.freedesktop.secrets")]
trait Prompt {
    async fn prompt(&self, window_id: &str) -> zbus::Result<()>;
    #[zbus(signal)]
    fn completed(&self, dismissed: bool, result: OwnedVariant) -> zbus::Result<()>;
}

pub(super) async fn read(name: &str) -> Result<Option<Vec<u8>>, KeychainError> {
    let keychain = Keychain::open().await?;
    let Some((item, is_locked)) = keychain.find(name).await?.into_iter().next() else { return Ok(None) };
    if is_locked {
        if ASKED.swap(true, Ordering::Relaxed) {
            return Err(KeychainError::Locked);
        }
        keychain.unlock(&item).await?;
    }
    let item = keychain.item(&item).await?;
    Ok(Some(answered(item.get_secret(&keychain.session)).await?.value))
}

pub(super) async fn store(name: &str, password: &str) -> Result<(), KeychainError> {
    let keychain = Keychain::open().await?;
    let before = keychain.find(name).await?;
    let path = answered(keychain.service.read_alias("default")).await?;
    if path.as_str() == NOWHERE {
        return Err(KeychainError::NoCollection);
    }
    let collection = CollectionProxy::builder(&keychain.bus).path(&path).cache_properties(CacheProperties::No);
    let collection = answered(collection.build()).await?;
    if answered(collection.locked()).await? {
        keychain.unlock(&path).await?;
    }
    let label = format!("Fleetlens: {name}");
    let properties = HashMap::from([
        ("org.freedesktop.Secret.Item.Label", Variant::from(label)),
        ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes(name))),
    ]);
    let held = Held {
        session: keychain.session.clone(),
        parameters: Vec::new(),
        value: password.as_bytes().to_vec(),
        content_type: "text/plain; charset=utf8".to_owned(),
    };
    let (_, prompt) = answered(collection.create_item(properties, held, true)).await?;
    keychain.ask(&prompt).await?;
    // The service replaced the one of this collection. An older one in another could be found instead of it.
    let here = format!("{path}/");
    for (item, is_locked) in before.iter().filter(|(item, _)| !item.as_str().starts_with(&here)) {
        keychain.delete(item, *is_locked).await?;
    }
    Ok(())
}

pub(super) async fn clear(name: &str) -> Result<bool, KeychainError> {
    let keychain = Keychain::open().await?;
    let found = keychain.find(name).await?;
    for (item, is_locked) in &found {
        keychain.delete(item, *is_locked).await?;
    }
    Ok(!found.is_empty())
}

/// What an entry is found by.
fn attributes(name: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("account", name)])
}

/// The service, and a session of ours with it, which ends with the connection.
struct Keychain {
    bus: Connection,
    service: ServiceProxy<'static>,
    session: OwnedObjectPath,
}

impl Keychain {
    async fn open() -> Result<Keychain, KeychainError> {
        // Not having a bus is not having a keychain: servers, containers, a shell over the network.
        let no_bus = |error: zbus::Error| KeychainError::None(format!("no session bus: {error}"));
        let bus = within(ANSWERED_WITHIN, zbus::connection::Builder::session().build()).await?.map_err(no_bus)?;
        let service = answered(ServiceProxy::new(&bus)).await?;
        let (_, session) = answered(service.open_session("plain", Variant::from(""))).await?;
        Ok(Keychain { bus, service, session })
    }

    /// The entries of this name, those that can be read first, each with whether it is locked.
    async fn find(&self, name: &str) -> Result<Vec<(OwnedObjectPath, bool)>, KeychainError> {
        let (open, locked) = answered(self.service.search_items(attributes(name))).await?;
        let open = open.into_iter().map(|item| (item, false));
        Ok(open.chain(locked.into_iter().map(|item| (item, true))).collect())
    }

    async fn item<'a>(&self, at: &'a ObjectPath<'_>) -> Result<ItemProxy<'a>, KeychainError> {
        answered(ItemProxy::builder(&self.bus).path(at).cache_properties(CacheProperties::No).build()).await
    }

    async fn delete(&self, at: &ObjectPath<'_>, is_locked: bool) -> Result<(), KeychainError> {
        if is_locked {
            self.unlock(at).await?;
        }
        let prompt = answered(self.item(at).await?.delete()).await?;
        self.ask(&prompt).await
    }

    async fn unlock(&self, at: &ObjectPath<'_>) -> Result<(), KeychainError> {
        let (_, prompt) = answered(self.service.unlock(&[at.as_ref()])).await?;
        self.ask(&prompt).await
    }

    /// Lets the service ask the person, where it wants to, and waits for what they say.
    async fn ask(&self, prompt: &OwnedObjectPath) -> Result<(), KeychainError> {
        if prompt.as_str() == NOWHERE {
            return Ok(());
        }
        let prompt = PromptProxy::builder(&self.bus).path(prompt).cache_properties(CacheProperties::No);
        let prompt = answered(prompt.build()).await?;
        // Before it is asked, so that no answer is missed.
        let mut answers = answered(prompt.receive_completed()).await?;
        answered(prompt.prompt("")).await?;
        let answer = timeout(UNLOCKED_WITHIN, answers.next()).await.map_err(|_| KeychainError::Locked)?;
        let is_done = answer.is_some_and(|answer| answer.args().is_ok_and(|answer| !answer.dismissed));
        if is_done { Ok(()) } else { Err(KeychainError::Locked) }
    }
}

async fn within<T>(time: std::time::Duration, asked: impl Future<Output = T>) -> Result<T, KeychainError> {
    timeout(time, asked).await.map_err(|_| KeychainError::Silent)
}

/// What the service says, in time, or what its error means.
async fn answered<T>(asked: impl Future<Output = zbus::Result<T>>) -> Result<T, KeychainError> {
    within(ANSWERED_WITHIN, asked).await?.map_err(|error| meant(&error))
}

fn meant(error: &zbus::Error) -> KeychainError {
    if let zbus::Error::MethodError(name, ..) = error
        && name.as_str() == "org.freedesktop.Secret.Error.IsLocked"
    {
        return KeychainError::Locked;
    }
    if let zbus::Error::FDO(said) = error
        && let zbus::fdo::Error::ServiceUnknown(why) | zbus::fdo::Error::NameHasNoOwner(why) = said.as_ref()
    {
        return KeychainError::None(why.clone());
    }
    KeychainError::Failed(error.to_string())
}
