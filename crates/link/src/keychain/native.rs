//! The keychains of macOS and Windows, which the system itself lets the person unlock.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(target_os = "windows")]
use windows_native_keyring_store::Store;

use super::{KeychainError, SERVICE, UNLOCKED_WITHIN};

pub(super) async fn read(name: &str) -> Result<Option<Vec<u8>>, KeychainError> {
    with(name, |entry| found(entry.get_secret())).await
}

pub(super) async fn store(name: &str, password: &str) -> Result<(), KeychainError> {
    let password = password.to_owned();
    with(name, move |entry| entry.set_secret(password.as_bytes()).map_err(|error| meant(&error))).await
}

pub(super) async fn clear(name: &str) -> Result<bool, KeychainError> {
    with(name, |entry| found(entry.delete_credential())).await.map(|deleted| deleted.is_some())
}

fn found<T>(said: Result<T, Error>) -> Result<Option<T>, KeychainError> {
    match said {
        Ok(found) => Ok(Some(found)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(meant(&error)),
    }
}

/// Asks for an entry away from the runtime's own threads, because the system may wait for the person.
async fn with<T: Send + 'static>(
    name: &str,
    ask: impl FnOnce(&Entry) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let name = name.to_owned();
    let asking = tokio::task::spawn_blocking(move || {
        let store: Arc<Store> = Store::new().map_err(|error| KeychainError::None(error.to_string()))?;
        let entry = store.build(SERVICE, &name, None).map_err(|error| meant(&error))?;
        ask(&entry)
    });
    match tokio::time::timeout(UNLOCKED_WITHIN, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(KeychainError::Failed(error.to_string())),
        Err(_) => Err(KeychainError::Silent),
    }
}

fn meant(error: &Error) -> KeychainError {
    if matches!(error, Error::NoStorageAccess(_)) {
        KeychainError::Locked
    } else {
        KeychainError::Failed(error.to_string())
    }
}
