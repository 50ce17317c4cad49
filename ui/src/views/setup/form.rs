//! Where a broker is and who we are to it. What is wrong stands beside the field it is about, also what only the broker knew.

use std::time::Duration;

use fleetlens_ipc::profile::{BrokerForm, Field, Password, ProfileAsk, TrialStep, Try, TryBroker, Typed};
use leptos::prelude::*;

use super::sentence;
use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::lang::{said, term};
use crate::state::profiles::is_running;
use crate::state::store;

/// What many brokers have, and where conventions say that things speak. Never everything: on a large broker that is a load.
const SUGGESTED: [(&str, &str); 5] = [
    ("city/#", term("a city")),
    ("homeassistant/#", "Home Assistant"),
    ("zigbee2mqtt/#", "Zigbee2MQTT"),
    ("homie/5/#", "Homie"),
    ("spBv1.0/#", "Sparkplug B"),
];

/// Once what has changed stands on the page.
const SOON: Duration = Duration::from_millis(50);

/// Where a password is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Typed,
    Keychain,
    Env,
    File,
}

/// Everything that is filled in. Copy: it is a bundle of signals.
#[derive(Clone, Copy)]
pub struct Filled {
    name: RwSignal<String>,
    /// The address.
    pub url: RwSignal<String>,
    user: RwSignal<String>,
    kept: RwSignal<Kept>,
    password: RwSignal<String>,
    clear_password: RwSignal<bool>,
    ca: RwSignal<String>,
    certificate: RwSignal<String>,
    key: RwSignal<String>,
    older: RwSignal<bool>,
    client_id: RwSignal<String>,
    alpn: RwSignal<String>,
    suggested: [RwSignal<bool>; SUGGESTED.len()],
    others: RwSignal<String>,
}

impl Filled {
    /// As it is before anybody has filled in anything.
    pub fn new() -> Filled {
        let empty = || RwSignal::new(String::new());
        Filled {
            name: RwSignal::new(said("My city").into()),
            url: RwSignal::new("mqtt://".into()),
            user: empty(),
            kept: RwSignal::new(Kept::Typed),
            password: empty(),
            clear_password: RwSignal::new(false),
            ca: empty(),
            certificate: empty(),
            key: empty(),
            older: RwSignal::new(false),
            client_id: empty(),
            alpn: empty(),
            suggested: std::array::from_fn(|_| RwSignal::new(true)),
            others: empty(),
        }
    }

    /// Where the password is; nowhere while its field is empty.
    pub fn password(self) -> Password {
        let word = self.password.get_untracked();
        match self.kept.get_untracked() {
            _ if word.is_empty() => Password::None,
            Kept::Typed => Password::Typed(Typed(word)),
            Kept::Keychain => Password::Keychain(word),
            Kept::Env => Password::Env(word),
            Kept::File => Password::File(word),
        }
    }

    fn form(self) -> BrokerForm {
        BrokerForm {
            name: self.name.get_untracked(),
            url: self.url.get_untracked(),
            older: self.older.get_untracked(),
            user: self.user.get_untracked(),
            password: self.password(),
            clear_password: self.clear_password.get_untracked() && self.sends_in_clear(),
            ca: self.ca.get_untracked(),
            certificate: self.certificate.get_untracked(),
            key: self.key.get_untracked(),
            alpn: self.alpn.get_untracked(),
            client_id: self.client_id.get_untracked(),
        }
    }

    fn filters(self) -> Vec<String> {
        let chosen = SUGGESTED.iter().zip(self.suggested).filter(|(_, chosen)| chosen.get_untracked());
        let mut filters: Vec<String> = chosen.map(|((filter, _), _)| (*filter).to_owned()).collect();
        filters.extend(others(&self.others.get_untracked()));
        filters
    }

    /// Whether a password would go to the broker unencrypted.
    fn sends_in_clear(self) -> bool {
        self.url.with(|url| is_clear(url)) && self.user.with(|user| !user.trim().is_empty())
    }
}

/// Filters as people list them.
fn others(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|filter| !filter.is_empty()).map(str::to_owned).collect()
}

fn is_clear(url: &str) -> bool {
    ["mqtt://", "tcp://", "ws://"].iter().any(|scheme| url.trim().starts_with(scheme))
}

/// What the last try failed over.
fn failure() -> Memo<Option<(Field, String)>> {
    let store = store();
    Memo::new(move |_| {
        store.trial.with(|trial| match trial.as_ref().map(|trial| &trial.step) {
            Some(TrialStep::Failed { field, message }) => Some((*field, message.clone())),
            Some(TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Done(_)) | None => None,
        })
    })
}

/// The form, and what begins and ends a try.
#[component]
pub fn FormCard(
    /// What is filled in.
    filled: Filled,
) -> impl IntoView {
    let store = store();
    let failure = failure();
    provide_context(Failed(failure));
    let runs =
        Memo::new(move |_| store.trial.with(|trial| trial.as_ref().is_some_and(|trial| is_running(&trial.step))));
    let about = move |fields: &'static [Field]| {
        Memo::new(move |_| failure.with(|failure| failure.as_ref().is_some_and(|(field, _)| fields.contains(field))))
    };
    let certificates = RwSignal::new(false);
    let advanced = RwSignal::new(false);
    let in_certificates = about(&[Field::Ca, Field::Certificate, Field::Key]);
    let in_advanced = about(&[Field::Protocol, Field::ClientId, Field::Alpn]);
    // What is wrong must be seen: a fold with it opens, and what is out of sight comes into it.
    Effect::new(move |_| {
        if in_certificates.get() {
            certificates.set(true);
        }
        if in_advanced.get() {
            advanced.set(true);
        }
        if failure.with(Option::is_some) {
            set_timeout(|| show(".setup-form .wrong:not(:empty)"), SOON);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if runs.get_untracked() {
            return;
        }
        let asked = untrack(|| Try { broker: TryBroker::Form(filled.form()), filters: filled.filters() });
        store.begin_trial();
        // On a phone it is below the form.
        set_timeout(|| show(".setup-page .progress"), SOON);
        store.ask_profile(ProfileAsk::Try(Box::new(asked)), move |outcome| {
            if let Err(fault) = outcome {
                store.fail_trial(fault.message);
            }
        });
    };
    let cancel = move |_| {
        store.ask_profile(ProfileAsk::EndTry, move |_| store.trial.set(None));
    };
    let in_clear = Memo::new(move |_| filled.sends_in_clear());
    view! {
        <form class="card setup-form" data-testid="broker-form" novalidate on:submit=submit>
            <TextField label=said("Address") name="url" text=filled.url fields=&[Field::Host, Field::Port, Field::CertificateName]
                hint=said("mqtts://host:8883 encrypted, mqtt://host:1883 not; wss:// and ws:// through a WebSocket") />
            <TextField label=said("User") name="user" text=filled.user fields=&[] hint=said("Leave empty where everybody is let in") />
            <PasswordField filled />
            <Show when=move || in_clear.get()>
                <Check label=said("Let the password go unencrypted") name="clear" is_on=filled.clear_password
                    hint=said("Everybody on the way can read it. Only inside a network you trust; not asked on this machine.") />
            </Show>

            <Fold title=said("Certificates") name="certificates" open=certificates>
                <TextField label=said("CA that vouches for the broker") name="ca" text=filled.ca fields=&[Field::Ca]
                    hint=said("A file (PEM) on the machine that runs Fleetlens; empty for those the system believes in") />
                <TextField label=said("Our certificate") name="certificate" text=filled.certificate fields=&[Field::Certificate]
                    hint=said("A file (PEM), where the broker asks for one") />
                <TextField label=said("Its key") name="key" text=filled.key fields=&[Field::Key] hint=said("A file (PEM) that only its owner may read") />
            </Fold>
            <Fold title=said("Advanced") name="advanced" open=advanced>
                <div class="field">
                    <span>{said("Version of MQTT")}</span>
                    <Segmented
                        label=said("Version of MQTT")
                        options=vec![(false, "5".to_owned()), (true, "3.1.1".to_owned())]
                        chosen=Signal::derive(move || Some(filled.older.get()))
                        on_choose=Callback::new(move |older| filled.older.set(older))
                    />
                    <FaultLine name="protocol" fields=&[Field::Protocol] />
                </div>
                <TextField label=said("Our name with the broker (client id)") name="client" text=filled.client_id fields=&[Field::ClientId]
                    hint=said("Leave empty for one of this installation's own") />
                <TextField label=said("Protocol to offer (ALPN)") name="alpn" text=filled.alpn fields=&[Field::Alpn]
                    hint=said("Only where one port serves several, such as AWS at 443: mqtt") />
            </Fold>

            <fieldset class="listen">
                <legend>{said("Listen to")}</legend>
                <div class="suggested">
                    {SUGGESTED.iter().zip(filled.suggested).map(|((filter, what), is_on)| view! {
                        <label class="check">
                            <input type="checkbox" prop:checked=is_on on:change=move |event| is_on.set(event_target_checked(&event)) />
                            <span><code>{*filter}</code>" "<small>{said(what)}</small></span>
                        </label>
                    }).collect_view()}
                </div>
                <TextField label=said("Other topics") name="filters" text=filled.others fields=&[Field::Filters]
                    hint=said("With commas between them, such as depot/#, bins/+/state") />
            </fieldset>
            <TextField label=said("Name of the profile") name="name" text=filled.name fields=&[Field::Name] hint=said("Yours; other profiles have other names") />

            <FaultLine name="broker" fields=&[Field::Broker] />
            <div class="answers">
                <Show
                    when=move || runs.get()
                    fallback=|| view! { <button type="submit" class="send" data-testid="connect">{said("Connect")}</button> }
                >
                    <button type="button" class="plain" data-testid="cancel-try" on:click=cancel>
                        {said("Stop")}
                    </button>
                </Show>
            </div>
        </form>
    }
}

/// What the last try failed over, for the fields below.
#[derive(Clone, Copy)]
struct Failed(Memo<Option<(Field, String)>>);

/// Brings something into sight; where it is already, nothing moves.
fn show(css: &str) {
    let found = document().query_selector(css).ok().flatten();
    if let Some(found) = found {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        found.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// The sentence beside a field, if the last failure is about it.
#[component]
fn FaultLine(name: &'static str, fields: &'static [Field]) -> impl IntoView {
    let Failed(failure) = expect_context();
    let why = move || {
        failure
            .with(|failure| failure.as_ref().filter(|(field, _)| fields.contains(field)).map(|(_, why)| sentence(why)))
    };
    view! {
        <p class="wrong" id=format!("setup-{name}-wrong") role="alert" data-testid=format!("wrong-{name}")>
            {why}
        </p>
    }
}

#[component]
fn TextField(
    label: &'static str,
    name: &'static str,
    text: RwSignal<String>,
    fields: &'static [Field],
    hint: &'static str,
) -> impl IntoView {
    let Failed(failure) = expect_context();
    let is_wrong = move || failure.with(|failure| failure.as_ref().is_some_and(|(field, _)| fields.contains(field)));
    view! {
        <div class="asked">
            <label class="field">
                <span>{label}</span>
                <input
                    type="text"
                    data-testid=format!("setup-{name}")
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=move || is_wrong().to_string()
                    aria-describedby=format!("setup-{name}-wrong setup-{name}-hint")
                    prop:value=text
                    on:input=move |event| text.set(event_target_value(&event))
                />
            </label>
            <FaultLine name fields />
            <p class="hint" id=format!("setup-{name}-hint")>{hint}</p>
        </div>
    }
}

#[component]
fn PasswordField(filled: Filled) -> impl IntoView {
    let options = vec![
        (Kept::Typed, said("Typed").to_owned()),
        (Kept::Keychain, said("Keychain").to_owned()),
        (Kept::Env, said("Variable").to_owned()),
        (Kept::File, said("File").to_owned()),
    ];
    let Failed(failure) = expect_context();
    let is_wrong = move || failure.with(|failure| failure.as_ref().is_some_and(|(field, _)| *field == Field::Password));
    let choose = Callback::new(move |kept| {
        // What was typed as a password must not become the visible name of a file.
        filled.password.set(String::new());
        filled.kept.set(kept);
    });
    let hint = move || match filled.kept.get() {
        Kept::Typed => {
            said("Kept in a file beside the profile that only its owner may read, once you save; never in the profile.")
        }
        Kept::Keychain => {
            said("The name under which it was stored in the system's keychain: fleetlens password set NAME.")
        }
        Kept::Env => said("The name of an environment variable that holds it before Fleetlens starts."),
        Kept::File => said("A file whose first line it is, and that only its owner may read."),
    };
    view! {
        <div class="asked">
            <div class="field">
                <label for="setup-password">{said("Password")}</label>
                <input
                    id="setup-password"
                    type=move || if filled.kept.get() == Kept::Typed { "password" } else { "text" }
                    data-testid="setup-password"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=move || is_wrong().to_string()
                    aria-describedby="setup-password-wrong setup-password-hint"
                    prop:value=filled.password
                    on:input=move |event| filled.password.set(event_target_value(&event))
                />
            </div>
            <Segmented
                label=said("Where the password is")
                options
                chosen=Signal::derive(move || Some(filled.kept.get()))
                on_choose=choose
            />
            <FaultLine name="password" fields=&[Field::Password] />
            <p class="hint" id="setup-password-hint">{hint}</p>
        </div>
    }
}

#[component]
fn Check(label: &'static str, name: &'static str, is_on: RwSignal<bool>, hint: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                data-testid=format!("setup-{name}")
                prop:checked=is_on
                on:change=move |event| is_on.set(event_target_checked(&event))
            />
            <span>{label}<small>{hint}</small></span>
        </label>
    }
}

/// What few people need, folded away; what it holds stays on the page, so that a sentence has its place.
#[component]
fn Fold(title: &'static str, name: &'static str, open: RwSignal<bool>, children: Children) -> impl IntoView {
    view! {
        <div class="folded">
            <button
                type="button"
                class="fold"
                data-testid=format!("fold-{name}")
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <span class="turn" class:down=move || open.get()>
                    <Icon of=icondata_lu::LuChevronRight />
                </span>
                {title}
            </button>
            <div class="inside" hidden=move || !open.get()>
                {children()}
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_suggested_is_everything_or_the_brokers_own() {
        for (filter, _) in SUGGESTED {
            assert!(filter.split('/').next().is_some_and(|word| !matches!(word, "#" | "+") && !word.starts_with('$')));
        }
    }

    #[test]
    fn filters_are_listed_with_commas() {
        assert_eq!(others(" depot/#, bins/+/a b ,"), ["depot/#", "bins/+/a b"]);
        assert_eq!(others(" "), Vec::<String>::new());
    }

    #[test]
    fn only_an_unencrypted_address_sends_a_password_in_clear() {
        for (url, clear) in
            [("mqtt://h", true), (" ws://h", true), ("mqtts://h", false), ("wss://h", false), ("", false)]
        {
            assert_eq!(is_clear(url), clear, "{url}");
        }
    }
}
