//! `fleetlens propose`: listens to a broker for a while and prints a profile that would read what it says.

use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use fleetlens_host::Profile;
use fleetlens_host::draft::{Budget, Draft, Sample, head};
use fleetlens_host::ipc::profile::{BrokerForm, Password};
use fleetlens_link::{Credentials, Event, Link, LinkConfig, Protocol, Secret, Tls};

use crate::{moment, signal};

/// Messages that may wait to be looked at; what finds no place is not looked at.
const INBOX: usize = 20_000;

/// How long a proposal may be looked for; whoever waits at a terminal can end it.
const LOOKS_FOR: Duration = Duration::from_secs(120);

#[derive(Args)]
pub struct Propose {
    /// The broker: mqtt://host[:port], mqtts://…, ws://… or wss://…
    #[arg(long, value_name = "URL")]
    broker: String,
    /// The version of MQTT: 5 or 3.1.1.
    #[arg(long, value_name = "VERSION", default_value = "5", value_parser = protocol)]
    protocol: Protocol,
    /// Who we are to the broker.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file whose first line is the password; only its owner may read it.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Let the password go unencrypted to another machine, where everybody on the way can read it.
    #[arg(long, requires = "user")]
    clear_password: bool,
    /// The certificates (PEM) of those who may vouch for the broker [default: the system's].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Which topics to listen to, such as city/#; may be given often.
    #[arg(long = "listen", value_name = "FILTER", required_unless_present = "everything")]
    filters: Vec<String>,
    /// Listen to everything the broker lets us hear; on a large one that is a load.
    #[arg(long, conflicts_with = "filters")]
    everything: bool,
    /// How long to listen, such as 10s or 1min.
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    time: Duration,
    /// What the profile is called.
    #[arg(long, value_name = "NAME", default_value = "my city")]
    name: String,
    /// The file to write the profile to [default: it is printed]. One that is there already is not touched.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Propose {
    /// Listens, then prints the profile, and on stderr what it would read and what it would not.
    pub async fn run(self) -> anyhow::Result<()> {
        let (sample, protocol) = self.listen().await?;
        let draft = Draft::of(&sample, moment::now(), &mut Budget::new(usize::MAX, LOOKS_FOR));
        tell(&sample, &draft);
        if draft.proposals.is_empty() && !draft.shadows {
            bail!(
                "nothing was heard that a profile could read; try --listen with a filter of yours, or a longer --for"
            );
        }
        let text = format!("{}\n{}", self.head(protocol), draft.text());
        // What is printed can be used: the same reader judges it that opens it.
        Profile::parse(&text, "the proposal").context("the proposal is not a profile; please report this")?;
        match &self.out {
            None => _ = std::io::stdout().write_all(text.as_bytes()),
            Some(path) => {
                let new = std::fs::File::options().write(true).create_new(true).open(path);
                let written = new.and_then(|mut file| file.write_all(text.as_bytes()));
                written.with_context(|| format!("{} cannot be written", path.display()))?;
                eprintln!("written to {}; open it with: fleetlens-desktop --profile {0}", path.display());
            }
        }
        Ok(())
    }

    async fn listen(&self) -> anyhow::Result<(Sample, Protocol)> {
        let password = self.password_file.clone().map(Secret::File);
        let everything = self.everything.then_some("#");
        let filters = self.filters.iter().map(String::as_str).chain(everything);
        let config = LinkConfig {
            protocol: self.protocol,
            clean_start: true,
            session_expiry_s: 0,
            inbox: INBOX,
            filters: filters.map(|filter| (filter.to_owned(), 0)).collect(),
            credentials: self.user.clone().map(|user| Credentials { user, password }),
            clear_password: self.clear_password,
            tls: Tls { ca: self.ca.clone(), ..Tls::default() },
            ..LinkConfig::new(self.broker.clone(), format!("fl-propose-{:08x}", rand::random::<u32>()))
        };
        config.validate()?;
        let (link, mut events) = Link::start(config)?;
        let mut sample = Sample::default();
        let (mut was_up, mut last_word) = (false, String::new());
        let mut asked = pin!(signal::asked_to_end());
        let mut time = pin!(tokio::time::sleep(self.time));
        loop {
            tokio::select! {
                asked = &mut asked => { asked?; break }
                () = &mut time => break,
                event = events.recv() => match event.context("the link has failed")? {
                    Event::Received(message) => {
                        sample.hear(&message.topic, &message.payload);
                        if let Some(delivery) = message.delivery {
                            link.acknowledge(delivery);
                        }
                    }
                    Event::Up { .. } => was_up = true,
                    Event::Connecting { reason } => last_word = reason.unwrap_or(last_word),
                    Event::Down { reason } | Event::Refused { reason, .. } => last_word = reason,
                    Event::Shed { .. } | Event::Acknowledged { .. } => {}
                },
            }
        }
        link.stop().await;
        if !was_up {
            bail!("there was no connection{}{last_word}", if last_word.is_empty() { "" } else { ": " });
        }
        Ok((sample, self.protocol))
    }

    /// The lines up to the first rule.
    fn head(&self, protocol: Protocol) -> String {
        // The profile may be moved elsewhere.
        let full = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
        let form = BrokerForm {
            name: self.name.clone(),
            url: self.broker.clone(),
            older: protocol != Protocol::default(),
            user: self.user.clone().unwrap_or_default(),
            password: self.password_file.as_ref().map_or(Password::None, |path| Password::File(full(path))),
            clear_password: self.clear_password,
            ca: self.ca.as_ref().map(full).unwrap_or_default(),
            ..BrokerForm::default()
        };
        let about = "# Proposed by `fleetlens propose` from what the broker said; docs/guide/profiles.md says what each line means.";
        format!("{about}\n{}", head(&form, ""))
    }
}

/// What was heard and what would be read, for the person at the terminal.
fn tell(sample: &Sample, draft: &Draft) {
    eprintln!("{} messages on {} topics", sample.messages(), sample.topics());
    for proposal in &draft.proposals {
        eprintln!("\n{}\n  {} topics, {} messages read", proposal.template, proposal.topics, proposal.read);
        if let Some((count, why)) = &proposal.refused {
            eprintln!("  {count} refused: {why}");
        }
        eprintln!("  things: {}", proposal.things.join(", "));
        let values: Vec<String> =
            proposal.values.iter().map(|(pointer, value)| format!("{pointer} = {value}")).collect();
        eprintln!("  values: {}", values.join(", "));
    }
    if draft.shadows {
        eprintln!("\ndevice shadows: things can be steered");
    }
    for unread in &draft.unread {
        eprintln!("\nnot read: {} ({} topics): {}", unread.topic, unread.topics, unread.why);
    }
}

fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "5" => Ok(Protocol::V5),
        "3.1.1" => Ok(Protocol::V4),
        other => Err(format!("{other} is no version; write 5 or 3.1.1")),
    }
}
