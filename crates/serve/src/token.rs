//! The key to the door.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use subtle::ConstantTimeEq;

use crate::ServeError;

/// 128 bits in hexadecimal.
pub const MIN_CHARS: usize = 32;

/// As much as anybody would want in an address.
pub const MAX_CHARS: usize = 256;

/// Who has it may do what the profile's role may. Never logged, and not shown by `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one, of 128 bits from a generator fit for keys.
    pub fn random() -> Token {
        Token(format!("{:032x}", rand::random::<u128>()))
    }

    /// Out of a text without its white space around. Fails when it is too short to be a key or could not stand in an address.
    pub fn parse(text: &str) -> Result<Token, ServeError> {
        let text = text.trim();
        let fits = (MIN_CHARS..=MAX_CHARS).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            Ok(Token(text.to_owned()))
        } else {
            Err(ServeError::Token(text.chars().count()))
        }
    }

    /// The one in a file, so that an address holds over restarts. A file that is not there is made, for its owner alone to read,
    /// with a new token.
    pub fn from_file(path: &Path) -> Result<Token, ServeError> {
        let failed = |why: String| ServeError::TokenFile { path: path.display().to_string(), why };
        match fs::read_to_string(path) {
            Ok(text) => {
                warn_of_readers(path);
                Token::parse(&text).map_err(|error| failed(error.to_string()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let token = Token::random();
                write_new(path, &token).map_err(|error| failed(error.to_string()))?;
                Ok(token)
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Whether a text is this token. Takes equally long however much of it is right.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// For the address that is printed and for the cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn write_new(path: &Path, token: &Token) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{}", token.0)
}

#[cfg(unix)]
fn warn_of_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        tracing::warn!("others on this computer may read {}; chmod 600 keeps the token to you", path.display());
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_key_that_fits_into_an_address() {
        let key = "0123456789abcdefABCDEF_-01234567";
        for (text, is_one) in [
            (key.to_owned(), true),
            (format!(" {key}\n"), true),
            ("a".repeat(MAX_CHARS), true),
            ("a".repeat(MAX_CHARS + 1), false),
            ("a".repeat(MIN_CHARS - 1), false),
            (String::new(), false),
            (key.replace('_', "&"), false),
            (key.replace('_', " "), false),
            (key.replace('_', "ħ"), false),
        ] {
            assert_eq!(Token::parse(&text).is_ok(), is_one, "{text:?}");
        }
    }

    #[test]
    fn only_the_whole_token_is_right() {
        let token = Token::random();
        let text = token.reveal().to_owned();
        assert_eq!(text.len(), MIN_CHARS);
        assert!(token.is(&text));
        let most: String = text.chars().skip(1).collect();
        for wrong in ["", &most, &format!("{text}0"), &text.replace(|c: char| c != '0', "0"), "x"] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
        assert_ne!(Token::random().reveal(), text);
        assert!(!format!("{token:?}").contains(&text), "a log would tell it");
    }

    #[test]
    fn a_file_keeps_its_token_and_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let made = Token::from_file(&path).unwrap();
        assert!(Token::from_file(&path).unwrap().is(made.reveal()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "short").unwrap();
        let error = Token::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("32 to 256") && error.contains("token"), "{error}");
        let error = Token::from_file(&folder.path().join("no/token")).unwrap_err().to_string();
        assert!(error.contains("cannot be used"), "{error}");
    }
}
