//! Profiles for the brokers of tests: the demo city's topics, somewhere else.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What a program is told beside its arguments so that it shows the demo city, or the profile named among them, without asking.
pub fn unasked<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    (!arguments.into_iter().any(|argument| argument.starts_with("--profile"))).then_some("--demo")
}

/// What a test wants otherwise than the demo city's profile has it.
#[derive(Clone, Debug)]
pub struct ProfileText {
    /// Its name, which is also that of its cache.
    pub name: String,
    /// The broker.
    pub url: String,
    /// `operator`, `technician`, `viewer` or `driver`.
    pub role: &'static str,
    /// `5` or `3.1.1`.
    pub protocol: &'static str,
    /// Our name with the broker; `None` for the installation's own.
    pub client_id: Option<String>,
    /// Expiries of commands by JSON pointer, in seconds.
    pub expiry_s: Vec<(&'static str, u64)>,
    /// Whether the broker's things have shadows.
    pub shadows: bool,
}

/// A bin that burns needs a person at once; `more` are further lines of the rule.
pub fn fire(more: &str) -> String {
    format!(
        "\n[[alarm]]\nid = \"fire\"\nname = \"is burning\"\nkind = \"bin\"\nwhen = \"/temp_c >= 60\"\npriority = \"critical\"\n\
         what_to_do = \"call the fire brigade\"\n{more}\n"
    )
}

/// A bin that is nearly full is worth a warning; `more` are further lines of the rule.
pub fn full(more: &str) -> String {
    format!(
        "\n[[alarm]]\nid = \"full\"\nname = \"nearly full\"\nkind = \"bin\"\nwhen = \"/fill_pct >= 90\"\n\
         what_to_do = \"put it on the next round\"\n{more}\n"
    )
}

impl ProfileText {
    /// An operator's, with MQTT 5.
    pub fn new(name: &str, url: String) -> ProfileText {
        let (role, protocol) = ("operator", "5");
        ProfileText { name: name.into(), url, role, protocol, client_id: None, expiry_s: Vec::new(), shadows: true }
    }

    /// As it is written.
    pub fn toml(&self) -> String {
        let ProfileText { name, url, role, protocol, .. } = self;
        let mut text = format!(
            "name = \"{name}\"\n\n[identity]\nname = \"T. Ester\"\nrole = \"{role}\"\n\n\
             [broker]\nurl = \"{url}\"\nprotocol = \"{protocol}\"\nsession_expiry_s = 86400\n"
        );
        if let Some(client_id) = &self.client_id {
            _ = writeln!(text, "client_id = \"{client_id}\"");
        }
        text += "\n[[telemetry]]\ntemplate = \"city/{area}/{kind}/{thing}/telemetry\"\nenvelope = \"/values\"\n\
                 time = \"/ts\"\nmeta = \"city/{area}/{kind}/{thing}/meta\"\n";
        _ = write!(text, "\n[shadows]\nenabled = {}\n", self.shadows);
        if !self.expiry_s.is_empty() {
            let leaves: Vec<String> =
                self.expiry_s.iter().map(|(pointer, seconds)| format!("\"{pointer}\" = {seconds}")).collect();
            _ = write!(text, "\n[commands]\nexpiry_s = {{ {} }}\n", leaves.join(", "));
        }
        text
    }

    /// Writes it into a folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("profile.toml");
        fs::write(&path, self.toml()).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
        path
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_host::Profile;

    use super::*;

    #[test]
    fn the_host_reads_what_tests_write() {
        let mut text = ProfileText::new("Test city", "mqtt://127.0.0.1:7".to_owned());
        text.expiry_s = vec![("/dim_pct", 4)];
        text.client_id = Some("us".into());
        text.protocol = "3.1.1";
        let profile = Profile::parse(&text.toml(), "a test").unwrap();
        assert_eq!(profile.expiry_ms, [("/dim_pct".to_owned(), 4_000)]);
        assert_eq!(profile.broker.client_id.as_deref(), Some("us"));
        assert_eq!(profile.telemetry, Profile::demo().unwrap().telemetry);
        assert_eq!(profile.meta, Profile::demo().unwrap().meta);
    }
}
