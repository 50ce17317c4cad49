//! Which secrets of this machine a profile may name that was written in a window on another: those that a profile which is kept
//! names already for the same broker. Otherwise whoever has a window could have any password here sent to a broker of his own. And
//! which other files: those of the profile's own folder, and those that a kept profile names.

use std::fs;
use std::path::{Component, Path, PathBuf};

use fleetlens_ipc::profile::Field;
use fleetlens_link::{Credentials, Destination, LinkConfig, Secret};
use fleetlens_reach::Outlet;

use crate::profile::Profile;
use crate::settings::whole;

/// Why a secret may not be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The field that names it.
    pub field: Field,
    /// The secret, and what to do.
    pub why: String,
}

/// What of a link's secrets none of the kept profiles names for the same broker. A password that was typed is no secret of this
/// machine.
pub fn refusal(asked: &LinkConfig, kept: &[LinkConfig]) -> Option<Refusal> {
    let known = || kept.iter().filter(|kept| is_for_the_same(asked, kept));
    let refused = |field, what: String, instead: &str| {
        let there = Destination::of(&asked.url);
        let there = there.map_or_else(|_| String::from("this broker"), |to| format!("{}:{}", to.host, to.port));
        let why = format!(
            "{what} is a secret of the machine where Fleetlens runs, and no profile there names it for {there}; {instead}edit \
             the profile's file on that machine"
        );
        Some(Refusal { field, why })
    };
    let strange = password(asked).filter(|secret| !known().any(|kept| password(kept) == Some(*secret)));
    if let Some(what) = strange.and_then(in_words) {
        return refused(Field::Password, what, "type the password in a new profile, or ");
    }
    match key(asked) {
        Some(path) if !known().any(|kept| key(kept) == Some(path)) => {
            refused(Field::Key, format!("the key {}", path.display()), "")
        }
        Some(_) | None => None,
    }
}

/// The same for who is reached outside the windows: a webhook's secret would sign whatever somebody else thinks up, and a password
/// goes to the mail server.
pub fn refusal_of_reach(asked: &[Outlet], kept: &[Outlet]) -> Option<String> {
    asked.iter().map(|outlet| &outlet.output).find_map(|asked| {
        let secret = asked.secret()?;
        let to = asked.destination();
        let mut known = kept.iter().map(|outlet| &outlet.output).filter(|kept| leads_there(&to, &kept.destination()));
        if known.any(|kept| kept.secret() == Some(secret)) {
            return None;
        }
        let what = in_words(secret)?;
        Some(format!(
            "{what} is a secret of the machine where Fleetlens runs, and no [[reach]] of a profile there names it for {}:{}; edit \
             the profile's file on that machine",
            to.host, to.port
        ))
    })
}

/// A secret of this machine; one that was typed is none.
fn in_words(secret: &Secret) -> Option<String> {
    match secret {
        Secret::Given(_) => None,
        Secret::File(path) => Some(format!("the file {}", path.display())),
        Secret::Env(name) => Some(format!("the variable {name}")),
        Secret::Keychain(name) => Some(format!("{name} in the keychain")),
    }
}

/// Why a password that was typed may not be written into a file: one of the `others` sends what is in it to another broker, or
/// one of the `outlets` uses it.
pub fn refusal_of_file(asked: &LinkConfig, file: &Path, others: &[LinkConfig], outlets: &[Outlet]) -> Option<String> {
    let is_another = others.iter().filter(|kept| is_kept_in(kept, file)).any(|kept| !is_for_the_same(asked, kept));
    let is_outlets = |outlet: &Outlet| matches!(outlet.output.secret(), Some(Secret::File(path)) if path == file);
    (is_another || outlets.iter().any(is_outlets)).then(|| {
        format!("the password of another broker, or the secret of a [[reach]], is kept in {}; name a file of this profile's own", file.display())
    })
}

/// The files that a profile names and that are no secrets by themselves. What cannot be read in them is quoted, so that by such a
/// name any file of this machine could be read.
pub fn open_files(profile: &Profile) -> impl Iterator<Item = (Field, &Path)> {
    let Profile { registry, tiles, broker, reach, .. } = profile;
    let registry = registry.as_ref().map(|file| (Field::Broker, file.path.as_path()));
    let tiles = tiles.as_deref().map(|file| (Field::Broker, file));
    let ca = broker.tls.ca.as_deref().map(|file| (Field::Ca, file));
    let certificate = broker.tls.identity.as_ref().map(|(file, _)| (Field::Certificate, file.as_path()));
    let reach = reach.iter().filter_map(|outlet| outlet.output.ca()).map(|file| (Field::Ca, file));
    [registry, tiles, ca, certificate].into_iter().flatten().chain(reach)
}

/// Why a profile whose files are seen from this folder may not name one of these: it lies elsewhere, and is none of those that are
/// `kept`, each by its one full name.
pub fn refusal_of_open<'a>(
    files: impl IntoIterator<Item = (Field, &'a Path)>,
    folder: &Path,
    kept: &[PathBuf],
) -> Option<Refusal> {
    let (field, file) = files.into_iter().find(|(_, file)| !may_be_named(file, folder, kept))?;
    let why = format!(
        "{} is not in the profile's folder on the machine where Fleetlens runs, and no profile there names it; put the file into \
         {}, or edit the profile's file on that machine",
        file.display(),
        folder.display()
    );
    Some(Refusal { field, why })
}

/// Whether a file lies in a folder or is one of the `kept`. One that is not there has no full name: it lies where its name says,
/// unless that leads upwards.
fn may_be_named(file: &Path, folder: &Path, kept: &[PathBuf]) -> bool {
    match fs::canonicalize(file) {
        Ok(file) => file.starts_with(whole(folder)) || kept.contains(&file),
        Err(_) => {
            let is_inside = file.starts_with(folder) && !file.components().any(|part| part == Component::ParentDir);
            is_inside || kept.iter().any(|kept| kept == file)
        }
    }
}

/// Whether a link's password is kept in a file.
pub fn is_kept_in(link: &LinkConfig, file: &Path) -> bool {
    matches!(password(link), Some(Secret::File(path)) if path == file)
}

fn password(link: &LinkConfig) -> Option<&Secret> {
    link.credentials.as_ref().and_then(|Credentials { password, .. }| password.as_ref())
}

fn key(link: &LinkConfig) -> Option<&Path> {
    link.tls.identity.as_ref().map(|(_, key)| key.as_path())
}

/// Whether a secret goes where it went before, and nobody on the way can read it who could not.
fn is_for_the_same(asked: &LinkConfig, kept: &LinkConfig) -> bool {
    match (Destination::of(&asked.url), Destination::of(&kept.url)) {
        (Ok(asked), Ok(kept)) => leads_there(&asked, &kept),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn leads_there(asked: &Destination, kept: &Destination) -> bool {
    // Behind another port of the same machine may be a program of anybody who has an account there.
    let is_there = (&asked.host, asked.port) == (&kept.host, kept.port);
    is_there && (asked.is_encrypted || !kept.is_encrypted)
}

#[cfg(test)]
mod tests {
    use fleetlens_link::Tls;

    use super::*;

    fn link(url: &str, password: Secret) -> LinkConfig {
        let credentials = Some(Credentials { user: "ada".into(), password: Some(password) });
        LinkConfig { credentials, ..LinkConfig::new(url, "c") }
    }

    fn file(name: &str) -> Secret {
        Secret::File(format!("/p/{name}").into())
    }

    #[test]
    fn a_secret_goes_to_the_broker_it_went_to_and_to_no_other() {
        let kept = [
            link("mqtts://harbour", file("h.password")),
            link("mqtt://quay", Secret::Env("QUAY".into())),
            link("wss://depot/mqtt", Secret::Keychain("depot".into())),
        ];
        for (url, secret, fine) in [
            ("mqtts://Harbour:8883", file("h.password"), true),
            ("wss://harbour:8883", file("h.password"), true),
            ("mqtts://harbour:8884", file("h.password"), false),
            ("wss://harbour", file("h.password"), false),
            ("mqtt://harbour:8883", file("h.password"), false),
            ("mqtt://harbour", file("h.password"), false),
            ("mqtts://harbour.evil", file("h.password"), false),
            ("mqtts://harbour", file("../p/h.password"), false),
            ("mqtts://harbour", Secret::Env("QUAY".into()), false),
            ("mqtt://quay", Secret::Env("QUAY".into()), true),
            ("mqtts://quay:1883", Secret::Env("QUAY".into()), true),
            ("mqtts://quay", Secret::Env("QUAY".into()), false),
            ("mqtts://quay", Secret::Env("AWS_SECRET_ACCESS_KEY".into()), false),
            ("mqtts://depot:443", Secret::Keychain("depot".into()), true),
            ("mqtts://depot:443", Secret::Keychain("bank".into()), false),
            ("mqtts://elsewhere", Secret::Given("typed".into()), true),
        ] {
            let refusal = refusal(&link(url, secret.clone()), &kept);
            assert_eq!(refusal.is_none(), fine, "{url} {secret:?}: {refusal:?}");
            if let Some(Refusal { field, why }) = refusal {
                assert!(
                    field == Field::Password && why.contains("type the password in a new profile, or edit"),
                    "{why}"
                );
            }
        }
    }

    fn profile(lines: &str) -> Profile {
        let text = format!(
            "name = \"X\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n[[reach]]\nname = \"r\"\n{lines}"
        );
        Profile::parse_in("/p".as_ref(), &text, "x").unwrap()
    }

    fn reach(lines: &str) -> Vec<Outlet> {
        profile(lines).reach
    }

    #[test]
    fn what_signs_and_what_mail_is_handed_in_with_goes_where_it_went() {
        let mail = "from = \"a@b.example\"\nto = [\"c@b.example\"]\nuser = \"a\"";
        let kept = [
            reach("webhook = \"https://Duty/a\"\nsecret = { file = \"duty.secret\" }"),
            reach(&format!("mail = \"smtps://post\"\n{mail}\npassword = {{ keychain = \"post\" }}")),
        ]
        .concat();
        for (lines, fine) in [
            ("webhook = \"https://duty/b\"\nsecret = { file = \"duty.secret\" }".to_owned(), true),
            ("webhook = \"https://duty:444/b\"\nsecret = { file = \"duty.secret\" }".to_owned(), false),
            ("webhook = \"http://duty:443/b\"\nclear = true\nsecret = { file = \"duty.secret\" }".to_owned(), false),
            ("webhook = \"https://evil/b\"\nsecret = { file = \"duty.secret\" }".to_owned(), false),
            ("webhook = \"https://duty/b\"\nsecret = { file = \"/etc/shadow\" }".to_owned(), false),
            ("webhook = \"https://duty/b\"\nsecret = { env = \"HOME\" }".to_owned(), false),
            (format!("mail = \"smtps://post\"\n{mail}\npassword = {{ keychain = \"post\" }}"), true),
            (format!("mail = \"smtps://evil\"\n{mail}\npassword = {{ keychain = \"post\" }}"), false),
            ("mail = \"smtps://evil\"\nfrom = \"a@b.example\"\nto = [\"c@b.example\"]".to_owned(), true),
        ] {
            let why = refusal_of_reach(&reach(&lines), &kept);
            assert_eq!(why.is_none(), fine, "{lines}: {why:?}");
            assert!(why.is_none_or(|why| why.contains("edit the profile's file")), "{lines}");
        }
        let ca = profile("webhook = \"https://duty\"\nca = \"/etc/shadow\"\nsecret = { file = \"duty.secret\" }");
        assert_eq!(open_files(&ca).collect::<Vec<_>>(), [(Field::Ca, Path::new("/etc/shadow"))]);
    }

    #[test]
    fn a_key_is_a_secret_too() {
        let with = |url: &str, key: &str| LinkConfig {
            tls: Tls { identity: Some(("/p/c.pem".into(), key.into())), ..Tls::default() },
            ..LinkConfig::new(url, "c")
        };
        let kept = [with("mqtts://harbour", "/p/h.key")];
        assert_eq!(refusal(&with("mqtts://harbour", "/p/h.key"), &kept), None);
        for other in [with("mqtts://harbour", "/etc/ssl/private/web.key"), with("mqtts://evil", "/p/h.key")] {
            let refused = refusal(&other, &kept).unwrap();
            assert!(refused.field == Field::Key && refused.why.contains("edit the profile's file"), "{refused:?}");
        }
    }

    #[test]
    fn a_file_elsewhere_is_named_only_if_a_kept_profile_names_it() {
        let all = tempfile::tempdir().unwrap();
        let at = |name: &str| whole(all.path()).join(name);
        fs::create_dir_all(at("p/lists")).unwrap();
        for file in ["p/lists/in.csv", "out.csv", "kept.csv"] {
            fs::write(at(file), "thing").unwrap();
        }
        let folder = at("p");
        let (kept, out) = ([at("kept.csv"), at("gone.csv")], at("out.csv").display().to_string());
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("out.csv"), at("p/link.csv")).unwrap();
        for (file, fine) in [
            ("lists/in.csv", true),
            ("lists/../lists/in.csv", true),
            ("not-there-yet.csv", true),
            ("../kept.csv", true),
            ("../out.csv", false),
            ("lists/../../out.csv", false),
            ("../not-there-yet.csv", false),
            ("/not-there-yet.csv", false),
            (out.as_str(), false),
            #[cfg(unix)]
            ("link.csv", false),
        ] {
            let text =
                format!("name = \"X\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\nregistry.file = {file:?}\n");
            let profile = Profile::parse_in(&folder, &text, "x").unwrap();
            let refusal = refusal_of_open(open_files(&profile), &folder, &kept);
            assert_eq!(refusal.is_none(), fine, "{file}: {refusal:?}");
        }
        let text = "name = \"X\"\nshadows.enabled = true\n[broker]\nurl = \"mqtts://h\"\nca = \"ca.pem\"\n\
                    certificate = \"c.pem\"\nkey = \"c.key\"\n[map]\ntiles = \"m.mbtiles\"\n";
        for (name, field) in [("ca.pem", Field::Ca), ("c.pem", Field::Certificate), ("m.mbtiles", Field::Broker)] {
            let refused = |text: &str| {
                refusal_of_open(open_files(&Profile::parse_in(&folder, text, "x").unwrap()), &folder, &kept)
            };
            assert_eq!(refused(text), None);
            let elsewhere = text.replace(&format!("\"{name}"), &format!("\"/nowhere/{name}"));
            assert_eq!(refused(&elsewhere).map(|refusal| refusal.field), Some(field), "{name}");
        }
    }

    #[test]
    fn what_is_typed_is_not_written_where_another_broker_gets_it() {
        let others = [link("mqtts://harbour", file("h.password"))];
        let outlets = reach("webhook = \"https://duty\"\nsecret = { file = \"duty.secret\" }");
        let refused = |url: &str, name: &str| {
            refusal_of_file(&link(url, file(name)), format!("/p/{name}").as_ref(), &others, &outlets).is_some()
        };
        assert!(!refused("mqtts://harbour", "h.password") && !refused("mqtts://quay", "q.password"));
        assert!(refused("mqtts://quay", "h.password") && refused("mqtts://quay", "duty.secret"));
    }
}
