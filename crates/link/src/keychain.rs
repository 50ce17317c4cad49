//! The system's keychain: where a password can be that is in no file of ours. On Linux it is whatever serves the Secret Service
//! (GNOME's keyring, KWallet, KeePassXC), on macOS and Windows the system's own; a phone has none that is asked here.
//!
//! An entry is found by two words, the service `fleetlens` and a name that the profile gives. A keychain may be locked, and then
//! asks the person; nobody has to be there. So everything has an end in time, and one program asks only once.

#[cfg(any(target_os = "macos", target_os = "windows"))]
#[path = "keychain/native.rs"]
mod system;
#[cfg(target_os = "linux")]
#[path = "keychain/secret_service.rs"]
mod system;

use std::time::Duration;

use thiserror::Error;

use crate::config::WORD_MAX_BYTES;

/// The service under which all entries of ours are.
const SERVICE: &str = "fleetlens";

/// The longest name of an entry.
const NAME_MAX_BYTES: usize = 64;

/// How long a keychain may take that asks nobody.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// How long a person may take to unlock it.
const UNLOCKED_WITHIN: Duration = Duration::from_secs(60);

/// What else there is, for every sentence after which it may be needed.
const OTHERWISE: &str =
    "a password may as well be in a file of its owner alone, { file = \"…\" }, or in a variable, { env = \"…\" }";

/// Why the keychain does not give, take or forget a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeychainError {
    /// Nothing here keeps passwords.
    #[error("this system has no keychain that can be asked ({0}); {OTHERWISE}")]
    None(String),
    /// It is locked, and nobody unlocked it.
    #[error(
        "the keychain is locked; unlock it (fleetlens password set asks for that, or the program with which this system shows its passwords); {OTHERWISE}"
    )]
    Locked,
    /// It has no entry of this name.
    #[error("the keychain holds no password {0:?} for Fleetlens; store it: fleetlens password set {0}")]
    NoEntry(String),
    /// No answer in time.
    #[error("the keychain does not answer; {OTHERWISE}")]
    Silent,
    /// It has no place for new entries.
    #[error(
        "the keychain has no collection for new passwords; make one in the program with which this system shows them"
    )]
    NoCollection,
    /// Something in it that is no password.
    #[error("what the keychain holds as {0:?} is not UTF-8 text; store the password anew: fleetlens password set {0}")]
    NotText(String),
    /// Nothing, or more than MQTT can say.
    #[error("a password of {0} bytes; 1 to {WORD_MAX_BYTES} are possible")]
    Length(usize),
    /// Not a name of an entry.
    #[error("that is no name for a password; 1 to {NAME_MAX_BYTES} letters (a–z), digits, and any of . _ - @ are one")]
    Name,
    /// Anything else.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// Whether a password may be kept under this name: 1 to 64 ASCII letters, digits, and any of `. _ - @`.
pub fn is_name(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    (1..=NAME_MAX_BYTES).contains(&name.len()) && name.chars().all(sign)
}

/// The password under this name. Waits for a person who has to unlock the keychain, for a minute and only once in a program's
/// life: whoever looked away from one dialog wants no second with every attempt to connect.
pub(crate) async fn read(name: &str) -> Result<String, KeychainError> {
    named(name)?;
    let found = system::read(name).await?.ok_or_else(|| KeychainError::NoEntry(name.to_owned()))?;
    let password = String::from_utf8(found).map_err(|_| KeychainError::NotText(name.to_owned()))?;
    sized(&password)?;
    Ok(password)
}

/// Keeps a password under this name, in the place of one that is there. Waits for a person who has to unlock the keychain.
pub async fn store(name: &str, password: &str) -> Result<(), KeychainError> {
    named(name)?;
    sized(password)?;
    system::store(name, password).await
}

/// Forgets the password of this name; an error when there is none.
pub async fn clear(name: &str) -> Result<(), KeychainError> {
    named(name)?;
    if system::clear(name).await? { Ok(()) } else { Err(KeychainError::NoEntry(name.to_owned())) }
}

fn named(name: &str) -> Result<(), KeychainError> {
    if is_name(name) { Ok(()) } else { Err(KeychainError::Name) }
}

fn sized(password: &str) -> Result<(), KeychainError> {
    if (1..=WORD_MAX_BYTES).contains(&password.len()) { Ok(()) } else { Err(KeychainError::Length(password.len())) }
}

/// Systems with a keychain that Fleetlens does not ask.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
mod system {
    use super::KeychainError;

    fn none<T>() -> Result<T, KeychainError> {
        Err(KeychainError::None("Fleetlens asks those of Linux, macOS and Windows".to_owned()))
    }

    pub(super) async fn read(_name: &str) -> Result<Option<Vec<u8>>, KeychainError> {
        none()
    }

    pub(super) async fn store(_name: &str, _password: &str) -> Result<(), KeychainError> {
        none()
    }

    pub(super) async fn clear(_name: &str) -> Result<bool, KeychainError> {
        none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_that_needs_no_quotes_anywhere() {
        let longest = "x".repeat(NAME_MAX_BYTES);
        for good in ["city", "ada@broker.city.example", "a_b-c.1", &longest] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\"", "ä", "a\n", &format!("{longest}x")] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn what_no_broker_could_take_is_not_kept() {
        for (name, password, want) in [
            ("a b", "x", KeychainError::Name),
            ("city", "", KeychainError::Length(0)),
            ("city", &"x".repeat(65_536), KeychainError::Length(65_536)),
        ] {
            assert_eq!(store(name, password).await, Err(want));
        }
    }
}
