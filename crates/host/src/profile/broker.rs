//! `[broker]`: where the broker is, what it is spoken to in, and who we are to it. No password ever stands in a profile, only
//! where it is kept: profiles are copied, mailed and shown.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetlens_link::{Credentials, LinkConfig, LinkError, Mqtt5, Protocol, Secret, Tls, keychain};
use serde::Deserialize;
use toml::Spanned;

use super::Mistake;
use super::limits::Limits;

/// A session that outlives a weekend without a broker's operator having to think about it.
const SESSION_EXPIRY_S: u32 = 86_400;

/// Where a broker is and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// As [`LinkConfig::url`].
    pub url: String,
    /// The version of MQTT.
    pub protocol: Protocol,
    /// Our name with the broker; `None` for one made from this installation's number.
    pub client_id: Option<String>,
    /// How long the broker keeps our session while we are away, in seconds.
    pub session_expiry_s: u32,
    /// What else is said to a broker of MQTT 5.
    pub mqtt5: Mqtt5,
    /// Who we are to it; `None` where everybody is let in.
    pub credentials: Option<Credentials>,
    /// As [`LinkConfig::clear_password`].
    pub clear_password: bool,
    /// How an encrypted connection differs from the usual one.
    pub tls: Tls,
    /// Whose limits it must stay inside.
    pub limits: Limits,
}

impl Broker {
    /// Files that the profile names without a folder are in this one.
    pub(super) fn seen_from(&mut self, folder: &Path) {
        let seen = |path: &mut PathBuf| *path = folder.join(&*path);
        self.tls.ca.iter_mut().for_each(seen);
        if let Some((certificate, key)) = &mut self.tls.identity {
            seen(certificate);
            seen(key);
        }
        if let Some(Credentials { password: Some(Secret::File(path)), .. }) = &mut self.credentials {
            seen(path);
        }
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenBroker {
    url: Spanned<String>,
    protocol: Option<Spanned<toml::Value>>,
    client_id: Option<Spanned<String>>,
    session_expiry_s: Option<u32>,
    mqtt5: Option<Spanned<WrittenMqtt5>>,
    user: Option<Spanned<String>>,
    password: Option<Spanned<toml::Value>>,
    #[serde(default)]
    clear_password: bool,
    ca: Option<Spanned<PathBuf>>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    #[serde(default)]
    alpn: Vec<Spanned<String>>,
    #[serde(default)]
    limits: Limits,
}

/// `[broker.mqtt5]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMqtt5 {
    #[serde(default)]
    user_properties: BTreeMap<String, String>,
    receive_maximum: Option<u16>,
    #[serde(default)]
    topic_alias_maximum: u16,
    request_problem_information: Option<bool>,
}

impl WrittenMqtt5 {
    fn read(self) -> Mqtt5 {
        let WrittenMqtt5 { user_properties, receive_maximum, topic_alias_maximum, request_problem_information } = self;
        let user_properties = user_properties.into_iter().collect();
        Mqtt5 { user_properties, receive_maximum, topic_alias_maximum, request_problem_information }
    }
}

impl WrittenBroker {
    /// Where it stands: what is wrong with it and other parts together is told there.
    pub(super) fn span(&self) -> Range<usize> {
        self.url.span()
    }

    pub(super) fn check(self) -> Result<Broker, Mistake> {
        let client_at = self.client_id.as_ref().map_or(self.url.span(), Spanned::span);
        let url_at = self.url.span();
        let mqtt5_at = self.mqtt5.as_ref().map_or(self.url.span(), Spanned::span);
        let credentials = credentials(self.user, self.password)?;
        let identity = identity(self.certificate, self.key)?;
        let alpn = self.alpn.into_iter().map(protocol_name).collect::<Result<_, _>>()?;
        let broker = Broker {
            url: self.url.into_inner(),
            protocol: self.protocol.as_ref().map(protocol).transpose()?.unwrap_or_default(),
            client_id: self.client_id.map(Spanned::into_inner),
            session_expiry_s: self.session_expiry_s.unwrap_or(SESSION_EXPIRY_S),
            mqtt5: self.mqtt5.map(|written| written.into_inner().read()).unwrap_or_default(),
            credentials,
            clear_password: self.clear_password,
            tls: Tls { ca: self.ca.map(file).transpose()?, identity, alpn },
            limits: self.limits,
        };
        let client_id = broker.client_id.as_deref().unwrap_or("an installation's own");
        let link = LinkConfig {
            protocol: broker.protocol,
            mqtt5: broker.mqtt5.clone(),
            credentials: broker.credentials.clone(),
            clear_password: broker.clear_password,
            tls: broker.tls.clone(),
            ..LinkConfig::new(broker.url.clone(), client_id)
        };
        match link.validate() {
            Ok(()) => Ok(broker),
            Err(e @ LinkError::ClientId) => Err(Mistake::new(client_at, e)),
            Err(e @ (LinkError::Mqtt5Unused | LinkError::UserProperties(_) | LinkError::ReceiveMaximum)) => {
                Err(Mistake::new(mqtt5_at, e))
            }
            Err(e) => Err(Mistake::new(url_at, e)),
        }
    }
}

fn credentials(
    user: Option<Spanned<String>>,
    password: Option<Spanned<toml::Value>>,
) -> Result<Option<Credentials>, Mistake> {
    let secret = password.as_ref().map(secret).transpose()?;
    match (user, secret, password) {
        (Some(user), _, _) if user.get_ref().is_empty() => Err(Mistake::new(user.span(), "the user is empty")),
        (Some(user), password, _) => Ok(Some(Credentials { user: user.into_inner(), password })),
        (None, None, _) => Ok(None),
        (None, Some(_), password) => {
            let at = password.map(|password| password.span()).unwrap_or_default();
            Err(Mistake::new(at, "a password without a user; add user = \"…\""))
        }
    }
}

/// `{ keychain = "name" }`, `{ env = "NAME" }` or `{ file = "path" }`; a password itself is refused without repeating it.
fn secret(written: &Spanned<toml::Value>) -> Result<Secret, Mistake> {
    let wrong = |why: &str| Err(Mistake::new(written.span(), why));
    let Some(table) = written.get_ref().as_table() else {
        return wrong(
            "a password does not stand in a profile; write password = { keychain = \"name\" }, { file = \"path\" } or { env = \"NAME\" }, and change this one",
        );
    };
    let mut keys = table.iter();
    match (keys.next().map(|(key, value)| (key.as_str(), value.as_str())), keys.next()) {
        (Some(("env", Some(name))), None) if is_variable(name) => Ok(Secret::Env(name.to_owned())),
        // Not repeated: somebody may have written the password itself.
        (Some(("env", _)), None) => wrong("env is the name of a variable, of letters, digits and _, not the password"),
        (Some(("file", Some(path))), None) if !path.is_empty() => Ok(Secret::File(path.into())),
        (Some(("keychain", Some(name))), None) if keychain::is_name(name) => Ok(Secret::Keychain(name.to_owned())),
        (Some(("keychain", _)), None) => wrong(
            "keychain is the name under which the password was stored (fleetlens password set NAME), not the password",
        ),
        _ => wrong(
            "a password is kept in one place; write { keychain = \"name\" }, { file = \"path\" } or { env = \"NAME\" }",
        ),
    }
}

fn is_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The path of a file; an empty one would be the folder.
fn file(written: Spanned<PathBuf>) -> Result<PathBuf, Mistake> {
    if written.get_ref().as_os_str().is_empty() {
        return Err(Mistake::new(written.span(), "the file's name is empty; leave the line out for none"));
    }
    Ok(written.into_inner())
}

fn identity(
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
) -> Result<Option<(PathBuf, PathBuf)>, Mistake> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some((file(certificate)?, file(key)?))),
        (Some(alone), None) => Err(Mistake::new(alone.span(), "a certificate without its key; add key = \"…\"")),
        (None, Some(alone)) => Err(Mistake::new(alone.span(), "a key without a certificate; add certificate = \"…\"")),
    }
}

/// A name for ALPN: 1 to 255 bytes (RFC 7301, section 3.1).
fn protocol_name(written: Spanned<String>) -> Result<String, Mistake> {
    if (1..=255).contains(&written.get_ref().len()) {
        return Ok(written.into_inner());
    }
    let bytes = written.get_ref().len();
    Err(Mistake::new(written.span(), format!("a protocol's name of {bytes} bytes; 1 to 255 are right")))
}

/// The version of MQTT, by the name people know it by.
fn protocol(written: &Spanned<toml::Value>) -> Result<Protocol, Mistake> {
    match written.get_ref().as_str() {
        Some("5") => Ok(Protocol::V5),
        Some("3.1.1") => Ok(Protocol::V4),
        _ => {
            Err(Mistake::new(written.span(), format!("{} is no protocol; write \"5\" or \"3.1.1\"", written.get_ref())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::*;

    fn profile(lines: &str) -> Result<Profile, String> {
        let text = format!("name = \"X\"\n[shadows]\nenabled = true\n[broker]\n{lines}");
        Profile::parse(&text, "x.toml").map_err(|e| e.to_string())
    }

    #[test]
    fn a_broker_is_read_with_everything_that_leads_to_it() {
        let mut broker = profile(
            "url = \"mqtts://h\"\nuser = \"ada\"\npassword = { file = \"p\" }\nca = \"/ca.pem\"\ncertificate = \"c.pem\"\nkey = \"c.key\"\nalpn = [\"mqtt\"]",
        )
        .unwrap()
        .broker;
        broker.seen_from(Path::new("/city"));
        let password = Some(Secret::File("/city/p".into()));
        assert_eq!(broker.credentials, Some(Credentials { user: "ada".into(), password }));
        let identity = Some(("/city/c.pem".into(), "/city/c.key".into()));
        assert_eq!(broker.tls, Tls { ca: Some("/ca.pem".into()), identity, alpn: vec!["mqtt".into()] });
        let named = profile("url = \"mqtt://h\"\nclear_password = true\nuser = \"ada\"\npassword = { env = \"P\" }")
            .unwrap()
            .broker;
        assert_eq!(named.credentials.and_then(|c| c.password), Some(Secret::Env("P".into())));
        let kept = profile("url = \"mqtts://h\"\nuser = \"ada\"\npassword = { keychain = \"city\" }").unwrap().broker;
        assert_eq!(kept.credentials.and_then(|c| c.password), Some(Secret::Keychain("city".into())));
    }

    #[test]
    fn what_only_mqtt_5_can_say_is_said_with_mqtt_5_alone() {
        let said = "url = \"mqtt://h\"\n[broker.mqtt5]\nuser_properties = { team = \"lights\" }\nreceive_maximum = 7\n\
                    topic_alias_maximum = 3\nrequest_problem_information = true";
        let link = profile(said).unwrap().link_config(1, Vec::new());
        let mqtt5 = Mqtt5 {
            user_properties: vec![("team".into(), "lights".into())],
            receive_maximum: Some(7),
            topic_alias_maximum: 3,
            request_problem_information: Some(true),
        };
        assert_eq!(link.mqtt5, mqtt5);
        for (lines, line, says) in [
            ("protocol = \"3.1.1\"\n[broker.mqtt5]\nreceive_maximum = 7", 7, "MQTT 3.1.1 has no properties"),
            ("[broker.mqtt5]\nreceive_maximum = 0", 6, "1–65535 are right"),
            ("[broker.mqtt5]\nreceive_maximum = 70000", 7, "70000"),
            ("[broker.mqtt5]\nuser_properties = { \"\" = \"x\" }", 6, "a name and a value"),
            ("[broker.mqtt5]\nwill_delay = 7", 7, "unknown field `will_delay`"),
        ] {
            let why = profile(&format!("url = \"mqtt://h\"\n{lines}")).unwrap_err();
            assert!(why.contains(&format!("line {line}:")) && why.contains(says), "{lines}: {why}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_never_repeats_a_password() {
        let mqtts = "url = \"mqtts://h\"\n";
        for (lines, line, says) in [
            ("user = \"ada\"\npassword = \"hunter2\"", 7, "does not stand in a profile"),
            ("user = \"ada\"\npassword = { file = \"a\", env = \"B\" }", 7, "kept in one place"),
            ("user = \"ada\"\npassword = { keyring = \"a\" }", 7, "kept in one place"),
            ("user = \"ada\"\npassword = { env = \"hunter2!\" }", 7, "name of a variable"),
            ("user = \"ada\"\npassword = { keychain = \"hunter2!\" }", 7, "password set NAME"),
            ("user = \"ada\"\npassword = { keychain = \"a\", env = \"B\" }", 7, "kept in one place"),
            ("ca = \"\"", 6, "name is empty"),
            ("password = { env = \"P\" }", 6, "add user"),
            ("user = \"\"", 6, "the user is empty"),
            ("certificate = \"c\"", 6, "add key"),
            ("key = \"c\"", 6, "add certificate"),
            ("alpn = [\"\"]", 6, "0 bytes"),
        ] {
            let why = profile(&format!("{mqtts}{lines}")).unwrap_err();
            assert!(why.contains(&format!("line {line}:")) && why.contains(says), "{lines}: {why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
        let clear = profile("url = \"mqtt://h\"\nuser = \"ada\"\npassword = { env = \"P\" }").unwrap_err();
        assert!(clear.contains("line 5:") && clear.contains("clear_password = true"), "{clear}");
        let why = profile("url = \"mqtt://h\"\nca = \"ca.pem\"").unwrap_err();
        assert!(why.contains("line 5:") && why.contains("write mqtts://"), "{why}");
    }
}
