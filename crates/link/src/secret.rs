//! Passwords and tokens: where they are kept, never what they are. They are read at every connection, so that one that was
//! changed (tokens expire) is taken at the next try.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::config::WORD_MAX_BYTES;
use crate::keychain::{self, KeychainError};

/// As much of a file as is read: more than the longest password and any key.
const PRIVATE_MAX_BYTES: u64 = 1 << 18;

/// How long reading passwords and certificates may take: they are small files, but a folder may be somebody's network drive.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(10);

/// Where a password or token is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Here; for programs that make it up themselves. Never written anywhere.
    Given(String),
    /// In an environment variable of this name.
    Env(String),
    /// In a file, whose first line it is. Nobody but its owner may read the file.
    File(PathBuf),
    /// In the system's keychain, under this name ([`crate::keychain`]).
    Keychain(String),
}

/// Why a secret cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// No such variable, or not text.
    #[error("the environment variable {0} is not set, or empty; it should hold the password before Fleetlens starts")]
    NotSet(String),
    /// The file cannot be read.
    #[error("the password's file {path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Others may read the file.
    #[error("others may read the password's file {path} (mode {mode:03o}); take that away: chmod 600 {path}")]
    Open {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The file's first line is empty.
    #[error("the password's file {0} begins with an empty line; the password is its first line")]
    Empty(String),
    /// Bytes that are no text.
    #[error("the password's file {0} is not UTF-8 text")]
    NotText(String),
    /// Longer than MQTT can say.
    #[error("the password in {path} has {bytes} bytes; at most {WORD_MAX_BYTES} are possible")]
    TooLong {
        /// The file, or the variable.
        path: String,
        /// Its size.
        bytes: usize,
    },
    /// The file does not come; a drive of the network may be gone.
    #[error("the password's file {0} cannot be read in time; is it on a drive of the network?")]
    Late(String),
    /// The keychain does not give it.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
}

impl Secret {
    /// The secret itself, as it is now, within ten seconds; a minute where a person has to unlock the keychain. Inside a Tokio
    /// runtime.
    pub async fn read(&self) -> Result<String, SecretError> {
        match self {
            Secret::Given(secret) => Ok(secret.clone()),
            Secret::Env(name) => match std::env::var(name) {
                Ok(secret) if secret.len() > WORD_MAX_BYTES => {
                    Err(SecretError::TooLong { path: name.clone(), bytes: secret.len() })
                }
                Ok(secret) if !secret.is_empty() => Ok(secret),
                Ok(_) | Err(_) => Err(SecretError::NotSet(name.clone())),
            },
            Secret::File(path) => {
                let (path, named) = (path.clone(), path.display().to_string());
                match tokio::time::timeout(READ_WITHIN, tokio::task::spawn_blocking(move || read(&path))).await {
                    Ok(Ok(secret)) => secret,
                    Ok(Err(error)) => Err(SecretError::Unreadable { path: named, why: error.to_string() }),
                    Err(_) => Err(SecretError::Late(named)),
                }
            }
            Secret::Keychain(name) => Ok(keychain::read(name).await?),
        }
    }
}

impl fmt::Debug for Secret {
    /// Where it is, never what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Given(_) => f.write_str("Given(…)"),
            Secret::Env(name) => f.debug_tuple("Env").field(name).finish(),
            Secret::File(path) => f.debug_tuple("File").field(path).finish(),
            Secret::Keychain(name) => f.debug_tuple("Keychain").field(name).finish(),
        }
    }
}

fn read(path: &Path) -> Result<String, SecretError> {
    let named = || path.display().to_string();
    let unreadable = |e: std::io::Error| SecretError::Unreadable { path: named(), why: e.to_string() };
    let private = open(path).map_err(unreadable)?;
    if let Some(mode) = private.others_may {
        return Err(SecretError::Open { path: named(), mode });
    }
    let text = String::from_utf8(private.bytes).map_err(|_| SecretError::NotText(named()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match text.lines().next() {
        Some(line) if line.len() > WORD_MAX_BYTES => Err(SecretError::TooLong { path: named(), bytes: line.len() }),
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        Some(_) | None => Err(SecretError::Empty(named())),
    }
}

/// A file that should be its owner's alone.
pub(crate) struct Private {
    /// Its beginning, as much as a password or a key can have.
    pub bytes: Vec<u8>,
    /// Its permissions, where somebody else may read it. Only Unix tells.
    pub others_may: Option<u32>,
}

/// Opens a file once, so that what is judged is what is read. What is no file (a pipe would wait for ever) is refused.
pub(crate) fn open(path: &Path) -> std::io::Result<Private> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let file = File::open(path)?;
    #[cfg(unix)]
    let others_may = {
        use std::os::unix::fs::PermissionsExt;
        Some(file.metadata()?.permissions().mode() & 0o777).filter(|mode| mode & 0o077 != 0)
    };
    #[cfg(not(unix))]
    let others_may = None;
    let mut bytes = Vec::new();
    file.take(PRIVATE_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(Private { bytes, others_may })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let printed = format!("{:?}", Secret::Given("hunter2".into()));
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_password_is_the_first_line_of_a_file_that_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let secret = Secret::File(path.clone());
        assert!(secret.read().await.unwrap_err().to_string().contains("cannot be read"));
        for (text, mode, want) in [
            ("hunter2\n", 0o600, Ok("hunter2")),
            ("hunter2\r\nnot this\n", 0o400, Ok("hunter2")),
            ("hunter2\n", 0o640, Err("chmod 600")),
            ("hunter2\n", 0o604, Err("mode 604")),
            ("\nhunter2", 0o600, Err("empty line")),
            ("", 0o600, Err("empty line")),
            ("\u{feff}hunter2\r\n", 0o600, Ok("hunter2")),
            ("x".repeat(65_536).as_str(), 0o600, Err("at most 65535")),
        ] {
            _ = std::fs::remove_file(&path);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            match (secret.read().await, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(why), Err(want)) => assert!(why.to_string().contains(want), "{why}"),
                (got, want) => panic!("{got:?}, not {want:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let why = Secret::Env("FLEETLENS_NO_SUCH_VARIABLE".into()).read().await.unwrap_err().to_string();
        assert!(why.contains("FLEETLENS_NO_SUCH_VARIABLE"), "{why}");
    }
}
