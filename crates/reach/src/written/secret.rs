//! Where a secret is kept; the same words as for the password of a broker.

use std::path::Path;

use fleetlens_link::{Secret, keychain};
use toml::Spanned;

use super::ReachError;

/// `{ keychain = "name" }`, `{ env = "NAME" }` or `{ file = "path" }`; a secret itself is refused without repeating it.
pub(super) fn read(field: &'static str, written: &Spanned<toml::Value>, folder: &Path) -> Result<Secret, ReachError> {
    let wrong = |why: String| Err(ReachError::new(field, written.span(), why));
    let Some(table) = written.get_ref().as_table() else {
        return wrong(format!(
            "a secret does not stand in a profile; write {field} = {{ keychain = \"name\" }}, {{ file = \"path\" }} or {{ env = \"NAME\" }}, and change this one"
        ));
    };
    let mut keys = table.iter();
    match (keys.next().map(|(key, value)| (key.as_str(), value.as_str())), keys.next()) {
        (Some(("env", Some(name))), None) if is_variable(name) => Ok(Secret::Env(name.to_owned())),
        // Not repeated: somebody may have written the secret itself.
        (Some(("env", _)), None) => {
            wrong("env is the name of a variable, of letters, digits and _, not the secret".to_owned())
        }
        (Some(("file", Some(path))), None) if !path.is_empty() => Ok(Secret::File(folder.join(path))),
        (Some(("keychain", Some(name))), None) if keychain::is_name(name) => Ok(Secret::Keychain(name.to_owned())),
        (Some(("keychain", _)), None) => wrong(
            "keychain is the name under which the secret was stored (fleetlens password set NAME), not the secret"
                .to_owned(),
        ),
        _ => wrong(format!(
            "a secret is kept in one place; write {field} = {{ keychain = \"name\" }}, {{ file = \"path\" }} or {{ env = \"NAME\" }}"
        )),
    }
}

fn is_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit())
}
