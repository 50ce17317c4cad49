//! `[[reach]]`: who is reached outside the window, how and when, as people write it in a profile. No secret ever stands there, only
//! where it is kept.

mod quiet;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetlens_link::Tls;
use fleetlens_model::alarm::Priority;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use thiserror::Error;
use toml::Spanned;

use crate::driver::{Outlet, Output};
use crate::mail::{Mail, MailError, Server};
use crate::quiet::Quiet;
use crate::routes::Route;
use crate::webhook::{UrlError, Webhook};

use quiet::WrittenQuiet;

/// Entries that one profile may have.
const ENTRIES_MAX: usize = 20;

/// Addresses that one entry may have: each is a mail of its own.
const ADDRESSES_MAX: usize = 20;

/// The longest name, in characters.
const NAME_MAX_CHARS: usize = 64;

/// The longest `after`, in milliseconds: a week.
const AFTER_MAX_MS: u64 = 7 * 86_400_000;

/// What is wrong with a `[[reach]]`, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct ReachError {
    /// The field that it is about.
    pub field: &'static str,
    /// Where that stands in the text of the profile, in bytes.
    pub at: Range<usize>,
    /// What is wrong and what would be right; without a secret, also where one was written.
    pub why: String,
}

impl ReachError {
    fn new(field: &'static str, at: Range<usize>, why: impl fmt::Display) -> ReachError {
        ReachError { field, at, why: why.to_string() }
    }
}

/// One `[[reach]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenReach {
    name: Spanned<String>,
    webhook: Option<Spanned<String>>,
    secret: Option<Spanned<toml::Value>>,
    mail: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<Vec<Spanned<String>>>>,
    user: Option<Spanned<String>>,
    password: Option<Spanned<toml::Value>>,
    ca: Option<Spanned<PathBuf>>,
    #[serde(default)]
    clear: bool,
    priority: Option<Spanned<String>>,
    after: Option<Spanned<String>>,
    cleared: Option<bool>,
    zone: Option<Spanned<String>>,
    quiet: Option<Vec<WrittenQuiet>>,
    at_once: Option<Spanned<String>>,
}

impl fmt::Debug for WrittenReach {
    /// Its name alone: it was not checked yet, and somebody may have written a password into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenReach").field("name", self.name.get_ref()).finish_non_exhaustive()
    }
}

/// What all `[[reach]]` of a profile lead to, in their order; one for each address of mail. Files that they name without a folder are
/// in `folder`. Nothing is connected to and no file is read.
pub fn outlets(written: Vec<WrittenReach>, folder: &Path) -> Result<Vec<Outlet>, ReachError> {
    if let Some(one_more) = written.get(ENTRIES_MAX) {
        let why = format!("the profile has {} of [[reach]]; at most {ENTRIES_MAX} are looked after", written.len());
        return Err(ReachError::new("name", one_more.name.span(), why));
    }
    let mut names = BTreeSet::new();
    let mut outlets = Vec::new();
    for entry in written {
        if !names.insert(entry.name.get_ref().clone()) {
            let why = format!("there is a [[reach]] named {:?} already; every one needs its own", entry.name.get_ref());
            return Err(ReachError::new("name", entry.name.span(), why));
        }
        outlets.extend(entry.checked(folder)?);
    }
    Ok(outlets)
}

impl WrittenReach {
    fn checked(self, folder: &Path) -> Result<Vec<Outlet>, ReachError> {
        let route = self.route()?;
        match (&self.webhook, &self.mail) {
            (Some(url), None) => {
                let output = Output::Webhook(self.webhook(url, folder)?);
                Ok(vec![Outlet { route, output }])
            }
            (None, Some(url)) => {
                let mails = self.mails(url, folder)?;
                let outlet = |mail: Mail| {
                    let name = format!("{}/{}", route.name, mail.to());
                    Outlet { route: Route { name, ..route.clone() }, output: Output::Mail(mail) }
                };
                Ok(mails.into_iter().map(outlet).collect())
            }
            (Some(_), Some(mail)) => {
                let why = "an entry leads to a webhook or to mail; write a second [[reach]] for the other";
                Err(ReachError::new("mail", mail.span(), why))
            }
            (None, None) => {
                let why = "it leads nowhere; add webhook = \"https://…\", or mail = \"smtps://…\" with from and to";
                Err(ReachError::new("webhook", self.name.span(), why))
            }
        }
    }

    fn route(&self) -> Result<Route, ReachError> {
        let name = self.name.get_ref();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || !name.chars().all(plain) {
            let why =
                format!("{name:?} is no name; write 1 to {NAME_MAX_CHARS} of a–z, 0–9 and -, such as \"on-duty\"");
            return Err(ReachError::new("name", self.name.span(), why));
        }
        let from = self.priority.as_ref().map(|written| priority("priority", written)).transpose()?;
        let quiet = self.quiet()?;
        let at_once = match &self.at_once {
            Some(written) if quiet.is_none() => {
                let why = "nothing is ever held back here; leave at_once out, or add [[reach.quiet]]";
                return Err(ReachError::new("at_once", written.span(), why));
            }
            Some(written) if written.get_ref() == "none" => None,
            Some(written) => Some(priority("at_once", written)?),
            None => Some(Priority::Critical),
        };
        let from = from.unwrap_or(Priority::Critical);
        if let (Some([first, ..]), Some(at_once)) = (self.quiet.as_deref(), at_once)
            && at_once <= from
        {
            let at = self.at_once.as_ref().map_or(first.span(), Spanned::span);
            let why = "every alarm of this entry is sent in quiet hours as well; write at_once = \"none\" to hold them all, or a priority below at_once";
            return Err(ReachError::new("at_once", at, why));
        }
        Ok(Route {
            name: name.clone(),
            from,
            after_ms: self.after_ms()?,
            cleared: self.cleared.unwrap_or(true),
            quiet,
            at_once,
        })
    }

    fn after_ms(&self) -> Result<u64, ReachError> {
        let Some(written) = &self.after else { return Ok(0) };
        let wrong = |why: String| ReachError::new("after", written.span(), why);
        let after = humantime::parse_duration(written.get_ref()).map_err(|error| {
            wrong(format!("{:?} is no length of time ({error}); write \"15 min\" or \"1h 30m\"", written.get_ref()))
        })?;
        match u64::try_from(after.as_millis()) {
            Ok(after_ms @ 1_000..=AFTER_MAX_MS) => Ok(after_ms),
            Ok(_) | Err(_) => {
                let why = format!(
                    "{} is not possible; a second to a week is, and for at once leave it out",
                    written.get_ref()
                );
                Err(wrong(why))
            }
        }
    }

    fn quiet(&self) -> Result<Option<Quiet>, ReachError> {
        match (&self.zone, self.quiet.as_deref().unwrap_or_default()) {
            (None, []) => Ok(None),
            (Some(zone), []) => {
                let why = "a zone is for quiet hours; leave it out, or add [[reach.quiet]] with from and to";
                Err(ReachError::new("zone", zone.span(), why))
            }
            (None, [first, ..]) => {
                let why =
                    "whose time is meant is not said; add zone = \"…\", such as \"Europe/Malta\", to the [[reach]]";
                Err(ReachError::new("quiet", first.span(), why))
            }
            (Some(zone), [first, rest @ ..]) => {
                let mut stretches = vec![first.checked()?];
                for one in rest {
                    stretches.push(one.checked()?);
                }
                let quiet = Quiet::new(zone.get_ref(), stretches).ok_or_else(|| {
                    let why = format!(
                        "there is no time zone {:?}; write one of the IANA database, such as \"Europe/Madrid\"",
                        zone.get_ref()
                    );
                    ReachError::new("zone", zone.span(), why)
                })?;
                if !quiet.ends() {
                    let why = "it is quiet all week, so that nothing would ever be sent; leave out some hours";
                    return Err(ReachError::new("quiet", first.span(), why));
                }
                Ok(Some(quiet))
            }
        }
    }

    /// Whom to believe; a file's name without a folder is in that of the profile.
    fn tls(&self, folder: &Path) -> Result<Tls, ReachError> {
        let Some(ca) = &self.ca else { return Ok(Tls::default()) };
        if ca.get_ref().as_os_str().is_empty() {
            return Err(ReachError::new("ca", ca.span(), "the file's name is empty; leave the line out for none"));
        }
        Ok(Tls { ca: Some(folder.join(ca.get_ref())), ..Tls::default() })
    }

    fn webhook(&self, url: &Spanned<String>, folder: &Path) -> Result<Webhook, ReachError> {
        let spans = [
            ("from", self.from.as_ref().map(Spanned::span)),
            ("to", self.to.as_ref().map(Spanned::span)),
            ("user", self.user.as_ref().map(Spanned::span)),
            ("password", self.password.as_ref().map(Spanned::span)),
        ];
        not_here(spans, "a webhook has no such field; leave it out, what is sent is signed with its secret")?;
        let Some(secret) = &self.secret else {
            let why =
                "what is sent has to be signed; add secret = { file = \"…\" }, { keychain = \"…\" } or { env = \"…\" }";
            return Err(ReachError::new("secret", url.span(), why));
        };
        let secret = secret::read("secret", secret, folder)?;
        Webhook::new(url.get_ref(), secret, self.tls(folder)?, self.clear).map_err(|error| match &error {
            UrlError::TlsUnused => ReachError::new("ca", self.ca.as_ref().map_or(url.span(), Spanned::span), error),
            UrlError::Unreadable(_) | UrlError::Scheme | UrlError::Named | UrlError::Clear => {
                ReachError::new("webhook", url.span(), error)
            }
        })
    }

    fn mails(&self, url: &Spanned<String>, folder: &Path) -> Result<Vec<Mail>, ReachError> {
        let spans = [("secret", self.secret.as_ref().map(Spanned::span))];
        not_here(spans, "mail is not signed; leave it out, or write user and password for the mail server")?;
        let password = self.password.as_ref().map(|password| secret::read("password", password, folder)).transpose()?;
        let credentials = match (&self.user, password) {
            (None, None) => None,
            (Some(user), _) if user.get_ref().is_empty() => {
                return Err(ReachError::new(
                    "user",
                    user.span(),
                    "the user is empty; write one, or leave user and password out",
                ));
            }
            (Some(user), Some(password)) => Some((user.get_ref().clone(), password)),
            (Some(user), None) => {
                let why = "a user without a password; add password = { file = \"…\" }, or leave user out";
                return Err(ReachError::new("user", user.span(), why));
            }
            (None, Some(_)) => {
                let at = self.password.as_ref().map_or(url.span(), Spanned::span);
                return Err(ReachError::new("password", at, "a password without a user; add user = \"…\""));
            }
        };
        let server = Server::new(url.get_ref(), self.clear, self.tls(folder)?, credentials);
        let server = server.map_err(|error| match &error {
            MailError::TlsUnused => ReachError::new("ca", self.ca.as_ref().map_or(url.span(), Spanned::span), error),
            MailError::ClearPassword => {
                ReachError::new("password", self.password.as_ref().map_or(url.span(), Spanned::span), error)
            }
            MailError::Server(_) | MailError::Named | MailError::NotClear | MailError::Address { .. } => {
                ReachError::new("mail", url.span(), error)
            }
        })?;
        let Some(from) = &self.from else {
            let why = "mail has a sender; add from = \"Fleetlens <alarms@city.example>\"";
            return Err(ReachError::new("from", url.span(), why));
        };
        let Some(to) = &self.to else {
            let why = "mail goes to somebody; add to = [\"ada@city.example\"]";
            return Err(ReachError::new("to", url.span(), why));
        };
        if !(1..=ADDRESSES_MAX).contains(&to.get_ref().len()) {
            let why = format!("{} addresses; write 1 to {ADDRESSES_MAX}", to.get_ref().len());
            return Err(ReachError::new("to", to.span(), why));
        }
        Mail::new(server.clone(), from.get_ref(), from.get_ref())
            .map_err(|error| ReachError::new("from", from.span(), error))?;
        let mut known = BTreeSet::new();
        let mut mails = Vec::new();
        for address in to.get_ref() {
            let wrong = |why: String| ReachError::new("to", address.span(), why);
            let mail = Mail::new(server.clone(), from.get_ref(), address.get_ref())
                .map_err(|error| wrong(error.to_string()))?;
            if !known.insert(mail.to().to_ascii_lowercase()) {
                return Err(wrong(format!("{} stands there twice; one mail is enough", mail.to())));
            }
            mails.push(mail);
        }
        Ok(mails)
    }
}

/// A field that says nothing for this kind of entry is a misunderstanding, and is not passed over.
fn not_here<const N: usize>(fields: [(&'static str, Option<Range<usize>>); N], why: &str) -> Result<(), ReachError> {
    match fields.into_iter().find_map(|(field, at)| Some((field, at?))) {
        Some((field, at)) => Err(ReachError::new(field, at, why)),
        None => Ok(()),
    }
}

/// A priority by the word that rules write it with.
fn priority(field: &'static str, written: &Spanned<String>) -> Result<Priority, ReachError> {
    let word: StrDeserializer<'_, ValueError> = written.get_ref().as_str().into_deserializer();
    Priority::deserialize(word).map_err(|error| {
        let none = if field == "at_once" { ", or `none`" } else { "" };
        ReachError::new(field, written.span(), format!("{:?} is no priority: {error}{none}", written.get_ref()))
    })
}
