//! Trying a broker for a window: connects with a session of its own that leaves nothing behind, listens for a while, and tells how
//! far it is. What comes of it is a proposal; nothing is kept but the sample it was made of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fleetlens_ipc::profile::{
    BrokerForm, Checked, FILTERS_MAX, Field, LISTENS_MS, Password, ProposalRow, Proposed, SeenRow, Trial, TrialStep,
    Try, TryBroker, Typed, UnreadRow,
};
use fleetlens_link::keychain::{self, KeychainError};
use fleetlens_link::{About, Credentials, Event, Events, Link, LinkConfig, LinkError, Protocol, Secret, Tls};
use fleetlens_model::text::shown;
use fleetlens_model::time::Now;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::draft::{Budget, Draft, Sample, head};
use crate::filter;
use crate::profile::{Profile, ProfileError, file_stem};
use crate::secrets::{self, Refusal};
use crate::shelf::check_size;

/// Messages that may wait to be looked at; what finds no place is not looked at. Times [`PACKET_MAX_BYTES`] is what it may cost.
const INBOX: usize = 256;

/// The largest packet that is taken, in bytes.
const PACKET_MAX_BYTES: u32 = 256 * 1024;

/// How often the window is told while messages come.
const TELLS_EVERY: Duration = Duration::from_millis(400);

/// How many topics the window is told.
const SEEN_MAX: usize = 60;

/// How many sentences of what the broker does not grant are kept.
const NOTES_MAX: usize = 8;

/// How long a proposal may be looked for.
const LOOKS_FOR: Duration = Duration::from_secs(3);

/// Who is at the screen, for a profile that somebody makes here.
const IDENTITY: &str = "[identity]\nrole = \"operator\"   # or technician, viewer, driver\n";

/// What was heard, shared with whoever checks a text against it later.
pub type SharedSample = Arc<Mutex<Arc<Sample>>>;

/// What was heard until now. Looking at it keeps nobody from hearing more.
pub fn until_now(sample: &SharedSample) -> Arc<Sample> {
    Arc::clone(&of(sample))
}

/// The sample, for a moment.
fn of(sample: &SharedSample) -> MutexGuard<'_, Arc<Sample>> {
    sample.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no connection, or none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The field to change.
    pub field: Field,
    /// What to change.
    pub message: String,
}

impl Failure {
    fn new(field: Field, message: impl ToString) -> Failure {
        Failure { field, message: message.to_string() }
    }

    fn of_profile(error: &ProfileError) -> Failure {
        Failure::new(Field::Broker, format!("the profile has a mistake: {error}"))
    }
}

/// A broker to try, checked as far as that is possible without connecting.
pub struct Attempt {
    config: LinkConfig,
    wants: Wants,
}

/// What is to come of it.
enum Wants {
    /// A profile with these first lines.
    Proposal { head: String },
    /// What this profile reads, whose files are in this folder.
    Reading { text: String, folder: PathBuf },
}

impl Attempt {
    /// Makes one of what the window asks for. `folder_of` is where the files of the profile of a name are, or of a new one.
    pub fn of(asked: Try, folder_of: impl FnOnce(Option<&str>) -> PathBuf) -> Result<Attempt, Failure> {
        let Try { broker, filters } = asked;
        let filters: Vec<String> =
            filters.iter().map(|filter| filter.trim().to_owned()).filter(|f| !f.is_empty()).collect();
        if filters.len() > FILTERS_MAX {
            let why =
                format!("{} filters are too many; at most {FILTERS_MAX}, and # stands for many topics", filters.len());
            return Err(Failure::new(Field::Filters, why));
        }
        filters.iter().try_for_each(|filter| filter::check(filter)).map_err(|why| Failure::new(Field::Filters, why))?;
        let (mut config, wants, listens_to, named) = match broker {
            TryBroker::Form(form) => {
                let head = first_lines(&form);
                let named = Some(form.client_id.trim().to_owned()).filter(|name| !name.is_empty());
                (of_form(&form, &folder_of(None))?, Wants::Proposal { head }, Vec::new(), named)
            }
            TryBroker::Text { text, replaces, password } => {
                check_size(&text).map_err(|why| Failure::new(Field::Broker, why))?;
                let folder = folder_of(replaces.as_deref());
                let profile = Profile::parse_in(&folder, &text, "the profile").map_err(|e| Failure::of_profile(&e))?;
                let listens_to = profile.fleet_config(String::new()).filters();
                let mut config = profile.link_config(0, Vec::new());
                if let (Some(Typed(typed)), Some(credentials)) = (password, &mut config.credentials)
                    && matches!(credentials.password, Some(Secret::File(_)))
                {
                    credentials.password = Some(Secret::Given(typed));
                }
                (config, Wants::Reading { text, folder }, listens_to, profile.broker.client_id)
            }
        };
        let filters = if filters.is_empty() { listens_to } else { filters };
        if filters.is_empty() {
            return Err(Failure::new(Field::Filters, "say which topics to listen to, such as city/#"));
        }
        // A session of its own that the broker forgets at once: the profile's own one is not disturbed.
        // It begins with the profile's, because a broker may let in only names that do.
        let own = named.as_deref().unwrap_or("fl");
        config.client_id = format!("{own}-try-{:08x}", rand::random::<u32>());
        config.clean_start = true;
        config.session_expiry_s = 0;
        config.inbox = INBOX;
        config.max_packet_bytes = config.max_packet_bytes.min(PACKET_MAX_BYTES);
        config.filters = filters.into_iter().map(|filter| (filter, 0)).collect();
        config.validate().map_err(|error| Failure::new(field_of(&error), error))?;
        Ok(Attempt { config, wants })
    }

    /// The same, unless it would send a secret of this machine where none of the `kept` profiles sends it.
    pub fn with_known_secrets(self, kept: &[LinkConfig]) -> Result<Attempt, Failure> {
        match secrets::refusal(&self.config, kept) {
            Some(Refusal { field, why }) => Err(Failure::new(field, why)),
            None => Ok(self),
        }
    }

    /// Connects and listens, telling `tell` how far it is; the last word is a failure or what came of it. Ends within
    /// [`LISTENS_MS`] of the moment it is connected, and when nobody hears it any more. Dropped, it ends.
    pub async fn run(self, sample: SharedSample, now: impl Fn() -> Now + Send + 'static, tell: mpsc::Sender<Trial>) {
        let mut told = Told { sample: Arc::clone(&sample), notes: Vec::new() };
        if tell.send(told.trial(TrialStep::Connecting)).await.is_err() {
            return;
        }
        let heard = self.listen(&mut told, &tell).await;
        let step = match heard {
            Err(Failure { field, message }) => TrialStep::Failed { field, message },
            Ok(()) => {
                let wants = self.wants;
                let made = tokio::task::spawn_blocking(move || propose(&wants, &until_now(&sample), now()));
                match made.await {
                    Ok(proposed) => TrialStep::Done(Box::new(proposed)),
                    Err(error) => {
                        tracing::error!(%error, "no proposal could be made");
                        let message = "what was heard could not be looked at; please report this".to_owned();
                        TrialStep::Failed { field: Field::Broker, message }
                    }
                }
            }
        };
        // Whoever does not hear it has gone.
        let _ = tell.send(told.trial(step)).await;
    }

    async fn listen(&self, told: &mut Told, tell: &mpsc::Sender<Trial>) -> Result<(), Failure> {
        let started = Link::start(self.config.clone());
        let (link, mut events) = started.map_err(|error| Failure::new(field_of(&error), error))?;
        let outcome = self.heard(&link, &mut events, told, tell).await;
        link.stop().await;
        outcome
    }

    async fn heard(
        &self,
        link: &Link,
        events: &mut Events,
        told: &mut Told,
        tell: &mpsc::Sender<Trial>,
    ) -> Result<(), Failure> {
        let failed = |reason: String| {
            let field = link.failed_over().map_or(Field::Broker, field_about);
            Failure::new(field, reason)
        };
        let (mut until, mut tell_at) = (None::<Instant>, None::<Instant>);
        loop {
            let event = tokio::select! {
                () = at(until) => return Ok(()),
                () = at(tell_at) => {
                    let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
                    let left_ms = u32::try_from(left.as_millis()).unwrap_or(LISTENS_MS);
                    if tell.send(told.trial(TrialStep::Listening { left_ms })).await.is_err() {
                        return Ok(());
                    }
                    tell_at = Some(Instant::now() + TELLS_EVERY);
                    continue;
                }
                event = events.recv() => event,
            };
            match event {
                None => return Err(failed("the connection has failed; try again".into())),
                Some(Event::Received(message)) => {
                    Arc::make_mut(&mut of(&told.sample)).hear(&message.topic, &message.payload);
                    message.delivery.into_iter().for_each(|delivery| link.acknowledge(delivery));
                }
                Some(Event::Up { .. }) => {
                    let now = Instant::now();
                    until = Some(now + Duration::from_millis(LISTENS_MS.into()));
                    tell_at = Some(now);
                }
                Some(Event::Connecting { reason: Some(reason) } | Event::Down { reason }) => {
                    return Err(failed(reason));
                }
                Some(Event::Refused { topic, reason, delivery }) => {
                    delivery.into_iter().for_each(|delivery| link.acknowledge(delivery));
                    told.note(&topic, &reason);
                }
                Some(Event::Connecting { reason: None } | Event::Shed { .. } | Event::Acknowledged { .. }) => {}
            }
        }
    }
}

/// Waits until then; for ever where there is no then.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// What the window knows beside the step.
struct Told {
    sample: SharedSample,
    notes: Vec<String>,
}

impl Told {
    fn note(&mut self, topic: &str, reason: &str) {
        let note = if topic.is_empty() { reason.to_owned() } else { format!("{topic}: {reason}") };
        let note = shown(&note).into_owned();
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn trial(&self, step: TrialStep) -> Trial {
        let sample = until_now(&self.sample);
        let rows = sample.seen(SEEN_MAX).into_iter().map(|seen| SeenRow {
            topic: seen.topic,
            messages: u32::try_from(seen.messages).unwrap_or(u32::MAX),
            last: seen.excerpt,
        });
        Trial {
            step,
            messages: sample.messages(),
            topics: count(sample.topics()),
            seen: rows.collect(),
            notes: self.notes.clone(),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Name, identity and broker of a profile that somebody makes here.
fn first_lines(form: &BrokerForm) -> String {
    let head = head(form, &password_file(&form.name));
    let (name, broker) = head.split_once("\n\n").unwrap_or((&head, ""));
    format!("{name}\n\n{IDENTITY}\n{broker}")
}

/// What the file of a typed password is called, beside the profile.
pub fn password_file(name: &str) -> String {
    format!("{}.password", file_stem(name.trim()))
}

fn propose(wants: &Wants, sample: &Sample, now: Now) -> Proposed {
    let draft = Draft::of(sample, now.wall, &mut Budget::new(usize::MAX, LOOKS_FOR));
    let read = |folder: &Path, text: &str| crate::preview::check(folder, text, Some(sample), now, |_| None);
    let (text, checked) = match wants {
        Wants::Proposal { head } => {
            let text = format!("{head}\n{}", draft.text());
            // A proposal names no file that a preview reads.
            let checked = if draft.is_empty() { Checked::default() } else { read(Path::new(""), &text) };
            (text, checked)
        }
        Wants::Reading { text, folder } => (text.clone(), read(folder, text)),
    };
    let rule = |proposal: crate::draft::Proposal| ProposalRow {
        template: proposal.template,
        text: proposal.text,
        topics: count(proposal.topics),
    };
    let unread = |row: crate::draft::Unread| UnreadRow { topic: row.topic, topics: count(row.topics), why: row.why };
    Proposed {
        text,
        rules: draft.proposals.into_iter().map(rule).collect(),
        unread: draft.unread.into_iter().map(unread).collect(),
        checked,
    }
}

/// What a form says, for the link. Files that it names without a folder are in this one.
fn of_form(form: &BrokerForm, folder: &Path) -> Result<LinkConfig, Failure> {
    if form.name.trim().is_empty() {
        return Err(Failure::new(Field::Name, "give it a name, such as the city's"));
    }
    let file = |text: &String| Some(text.trim()).filter(|text| !text.is_empty()).map(|text| folder.join(text));
    let words = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let password = match &form.password {
        Password::None => None,
        Password::Typed(typed) => Some(Secret::Given(typed.0.clone())),
        Password::Keychain(name) if keychain::is_name(name.trim()) => Some(Secret::Keychain(name.trim().to_owned())),
        Password::Keychain(_) => return Err(Failure::new(Field::Password, KeychainError::Name)),
        Password::Env(name) => Some(Secret::Env(name.trim().to_owned())),
        Password::File(name) => {
            let path = file(name).ok_or_else(|| Failure::new(Field::Password, "say which file the password is in"))?;
            Some(Secret::File(path))
        }
    };
    let credentials = match (words(&form.user), password) {
        (Some(user), password) => Some(Credentials { user, password }),
        (None, None) => None,
        (None, Some(_)) => {
            return Err(Failure::new(Field::Password, "a password needs a user; say who we are to the broker"));
        }
    };
    let identity = match (file(&form.certificate), file(&form.key)) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (Some(_), None) => return Err(Failure::new(Field::Key, "a certificate is of no use without its key")),
        (None, Some(_)) => return Err(Failure::new(Field::Certificate, "a key is of no use without its certificate")),
    };
    Ok(LinkConfig {
        protocol: if form.older { Protocol::V4 } else { Protocol::V5 },
        credentials,
        clear_password: form.clear_password,
        tls: Tls { ca: file(&form.ca), identity, alpn: words(&form.alpn).into_iter().collect() },
        ..LinkConfig::new(form.url.trim(), "fl-try")
    })
}

/// The field of the form that a configuration is wrong in.
fn field_of(error: &LinkError) -> Field {
    match error {
        LinkError::Url { .. } => Field::Host,
        LinkError::TlsUnused { .. } => Field::Ca,
        LinkError::ClearPassword { .. } => Field::Password,
        LinkError::TooLong { what: "user", .. } => Field::Password,
        LinkError::TooLong { .. } | LinkError::ClientId => Field::ClientId,
        LinkError::Filter(_) | LinkError::Qos { .. } => Field::Filters,
        LinkError::KeepAlive(_)
        | LinkError::PacketLimit(_)
        | LinkError::NoPlaces(_)
        | LinkError::NoRuntime
        | LinkError::NoThread(_)
        | LinkError::Mqtt5Unused
        | LinkError::UserProperties(_)
        | LinkError::ReceiveMaximum => Field::Broker,
    }
}

/// The field of the form that a failure is about.
fn field_about(about: About) -> Field {
    match about {
        About::Host => Field::Host,
        About::Port => Field::Port,
        About::Ca => Field::Ca,
        About::Name => Field::CertificateName,
        About::Certificate => Field::Certificate,
        About::Key => Field::Key,
        About::Alpn => Field::Alpn,
        About::Password => Field::Password,
        About::Protocol => Field::Protocol,
        About::ClientId => Field::ClientId,
        About::TheirCertificate | About::Broker => Field::Broker,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_ipc::profile::TEXT_MAX_BYTES;

    use super::*;

    fn form() -> BrokerForm {
        BrokerForm { name: "Harbour".into(), url: "mqtt://127.0.0.1:1".into(), ..BrokerForm::default() }
    }

    fn attempt(form: BrokerForm, filters: &[&str]) -> Result<Attempt, Failure> {
        let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
        Attempt::of(Try { broker: TryBroker::Form(form), filters }, |_| "/profiles".into())
    }

    #[test]
    fn what_can_never_work_is_told_beside_its_field_before_anything_is_sent() {
        let typed = || Password::Typed(Typed("secret".into()));
        for (what, form, filters, field, says) in [
            ("a name", BrokerForm { name: " ".into(), ..form() }, &["a/#"][..], Field::Name, "give it a name"),
            ("an address", BrokerForm { url: "http://h".into(), ..form() }, &["a/#"], Field::Host, "mqtt://host:1883"),
            ("a port", BrokerForm { url: "mqtt://h:99999".into(), ..form() }, &["a/#"], Field::Host, "port"),
            ("a CA", BrokerForm { ca: "ca.pem".into(), ..form() }, &["a/#"], Field::Ca, "mqtts://"),
            ("a user", BrokerForm { password: typed(), ..form() }, &["a/#"], Field::Password, "who we are"),
            (
                "a password in clear",
                BrokerForm { user: "ada".into(), password: typed(), url: "mqtt://city".into(), ..form() },
                &["a/#"],
                Field::Password,
                "would go there in clear",
            ),
            (
                "a name in the keychain",
                BrokerForm { user: "ada".into(), password: Password::Keychain("a b".into()), ..form() },
                &["a/#"],
                Field::Password,
                "no name for a password",
            ),
            ("a key", BrokerForm { certificate: "c.pem".into(), ..form() }, &["a/#"], Field::Key, "without its key"),
            ("a filter", form(), &["a/#/b"], Field::Filters, "not a topic filter"),
            ("no filter", form(), &[" "], Field::Filters, "city/#"),
            ("everything", form(), &["a/#", "#"], Field::Filters, "everything a broker has"),
            ("the broker's own", form(), &["$SYS/#"], Field::Filters, "$SYS"),
        ] {
            let failure = attempt(form, filters).err().unwrap_or_else(|| panic!("{what} is taken"));
            assert!(failure.field == field && failure.message.contains(says), "{what}: {failure:?}");
            assert!(!failure.message.contains("secret"), "{failure:?}");
        }
    }

    #[test]
    fn what_a_broker_says_of_a_topic_is_noted_with_its_hidden_characters_written_out() {
        let mut told = Told { sample: SharedSample::default(), notes: Vec::new() };
        told.note("city/\u{202e}", "not \u{1b}[31mallowed");
        told.note("city/\u{202e}", "not \u{1b}[31mallowed");
        assert_eq!(told.notes, ["city/\\u{202e}: not \\u{1b}[31mallowed"]);
    }

    #[test]
    fn a_try_leaves_nothing_with_the_broker_and_has_a_name_of_its_own() {
        let named = BrokerForm { client_id: "desk-1".into(), ca: "ca.pem".into(), url: "mqtts://h".into(), ..form() };
        let config = attempt(named, &[" city/# "]).ok().unwrap().config;
        assert!(config.clean_start && config.session_expiry_s == 0 && config.client_id.starts_with("desk-1-try-"));
        assert_eq!(config.filters, [("city/#".to_owned(), 0)]);
        assert_eq!(config.tls.ca.as_deref(), Some(Path::new("/profiles/ca.pem")));

        let text = "name = \"X\"\n[broker]\nurl = \"mqtt://h\"\nclient_id = \"desk-1\"\nsession_expiry_s = 9\n\
                    [[telemetry]]\ntemplate = \"bins/{thing}\"\n";
        let of_text = |text: String, replaces: Option<&str>, password: Option<&str>| {
            let password = password.map(|typed| Typed(typed.into()));
            let broker = TryBroker::Text { text, replaces: replaces.map(str::to_owned), password };
            Attempt::of(Try { broker, filters: Vec::new() }, |_| "/p".into())
        };
        let config = of_text(text.into(), Some("X"), None).ok().unwrap().config;
        assert!(config.clean_start && config.session_expiry_s == 0 && config.client_id.starts_with("desk-1-try-"));
        assert_eq!(config.filters, [("bins/+".to_owned(), 0)]);
        for (broken, says) in
            [("name".to_owned(), "line 1"), (" ".repeat(TEXT_MAX_BYTES + 1), "at most 131072 are taken")]
        {
            let failure = of_text(broken, None, None).err().unwrap();
            assert!(failure.field == Field::Broker && failure.message.contains(says), "{failure:?}");
        }

        let kept = "user = \"ada\"\npassword = { file = \"X.password\" }\n[[telemetry]]";
        let text = text.replace("mqtt://h", "mqtts://h").replace("[[telemetry]]", kept);
        let password = |typed| of_text(text.clone(), None, typed).ok().unwrap().config.credentials.unwrap().password;
        assert_eq!(password(Some("secret")), Some(Secret::Given("secret".into())), "its file is not there yet");
        assert_eq!(password(None), Some(Secret::File("/p/X.password".into())));
    }

    #[test]
    fn a_proposal_is_a_profile_that_its_maker_may_change_again() {
        let form = BrokerForm { user: "ada".into(), password: Password::Typed(Typed("secret".into())), ..form() };
        let mut sample = Sample::default();
        sample.hear("bins/1", br#"{"fill_pct":7}"#);
        sample.hear("noise/1", b"\x00");
        let proposed = propose(&Wants::Proposal { head: first_lines(&form) }, &sample, crate::preview::tests::NOW);
        assert_eq!(proposed.checked.mistake, None, "{}", proposed.text);
        assert!(!proposed.text.contains("secret") && proposed.text.contains("harbour-"), "{}", proposed.text);
        let profile = Profile::parse(&proposed.text, "x").unwrap();
        assert!(profile.who.role.may_command());
        assert_eq!(proposed.rules.iter().map(|rule| rule.template.as_str()).collect::<Vec<_>>(), ["bins/{thing}"]);
        assert_eq!(proposed.unread.len(), 1);
        assert_eq!(proposed.checked.preview.map(|preview| (preview.read, preview.passed_over)), Some((1, 1)));
    }
}
