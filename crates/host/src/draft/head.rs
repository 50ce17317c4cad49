//! The first lines of a proposed profile: its name and its broker.

use std::fmt::Write;

use fleetlens_ipc::profile::{BrokerForm, Password};

use super::quoted;

/// A profile's name and `[broker]` as a form has them. A password that was typed stands nowhere; `password_file` is named in its
/// stead.
pub fn head(form: &BrokerForm, password_file: &str) -> String {
    let mut text = format!("name = {}\n\n[broker]\nurl = {}\n", quoted(form.name.trim()), quoted(form.url.trim()));
    let mut line = |key: &str, value: String| _ = writeln!(text, "{key} = {value}");
    if form.older {
        line("protocol", quoted("3.1.1"));
    }
    let words = |word: &str| Some(word.trim().to_owned()).filter(|word| !word.is_empty());
    if let Some(client_id) = words(&form.client_id) {
        line("client_id", quoted(&client_id));
    }
    if let Some(user) = words(&form.user) {
        line("user", quoted(&user));
        match &form.password {
            Password::None => {}
            Password::Typed(_) => line("password", format!("{{ file = {} }}", quoted(password_file))),
            Password::File(file) => line("password", format!("{{ file = {} }}", quoted(file.trim()))),
            Password::Keychain(name) => line("password", format!("{{ keychain = {} }}", quoted(name.trim()))),
            Password::Env(name) => line("password", format!("{{ env = {} }}", quoted(name.trim()))),
        }
        if form.clear_password {
            line("clear_password", "true".into());
        }
    }
    for (key, file) in [("ca", &form.ca), ("certificate", &form.certificate), ("key", &form.key)] {
        if let Some(file) = words(file) {
            line(key, quoted(&file));
        }
    }
    if let Some(alpn) = words(&form.alpn) {
        line("alpn", format!("[{}]", quoted(&alpn)));
    }
    text
}

#[cfg(test)]
mod tests {
    use fleetlens_ipc::profile::Typed;

    use super::*;
    use crate::profile::Profile;

    #[test]
    fn what_stands_in_a_form_is_read_from_the_profile_again_and_no_password_is_in_it() {
        let form = BrokerForm {
            name: " Ħarbour \"west\" ".into(),
            url: "mqtts://broker.example:8884".into(),
            older: true,
            user: "ada".into(),
            password: Password::Typed(Typed("hunter2".into())),
            clear_password: false,
            ca: "/etc/ca.pem".into(),
            certificate: "c.pem".into(),
            key: "c.key".into(),
            alpn: "mqtt".into(),
            client_id: "desk-1".into(),
        };
        let text = head(&form, "harbour.password") + "[shadows]\nenabled = true\n";
        assert!(!text.contains("hunter2"), "{text}");
        let profile = Profile::parse(&text, "a form").unwrap();
        let broker = &profile.broker;
        assert_eq!((profile.name.as_str(), broker.url.as_str()), ("Ħarbour \"west\"", "mqtts://broker.example:8884"));
        assert_eq!((broker.client_id.as_deref(), broker.tls.alpn.len()), (Some("desk-1"), 1));
        assert_eq!(broker.tls.ca.as_deref(), Some(std::path::Path::new("/etc/ca.pem")));
        let password = broker.credentials.as_ref().and_then(|credentials| credentials.password.clone());
        assert_eq!(password, Some(fleetlens_link::Secret::File("harbour.password".into())));

        let kept = BrokerForm { password: Password::Keychain(" city ".into()), ..form };
        let profile = Profile::parse(&(head(&kept, "") + "[shadows]\nenabled = true\n"), "a form").unwrap();
        let password = profile.broker.credentials.and_then(|credentials| credentials.password);
        assert_eq!(password, Some(fleetlens_link::Secret::Keychain("city".into())));

        let bare = BrokerForm { name: "x".into(), url: "mqtt://h".into(), ..BrokerForm::default() };
        assert_eq!(head(&bare, "x.password"), "name = \"x\"\n\n[broker]\nurl = \"mqtt://h\"\n");
    }
}
