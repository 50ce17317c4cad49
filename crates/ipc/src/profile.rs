//! Profiles made and edited in a window: trying a broker, the text of a profile, what is wrong with it and what it would read.
//!
//! All of it is performed by the host and concerns the window that asked; nobody else is told.

use std::fmt;

use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// The longest text of a profile that a host takes from a window, in bytes.
pub const TEXT_MAX_BYTES: usize = 128 * 1024;

/// How long a broker is listened to when it is tried, in milliseconds.
pub const LISTENS_MS: u32 = 10_000;

/// How many topic filters one try may have.
pub const FILTERS_MAX: usize = 16;

/// What a person wants done with a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProfileAsk {
    /// Connect to a broker and listen for [`LISTENS_MS`]. Answered with [`ProfileDone::Trying`] at once, or a fault when it can
    /// never work; then the window is sent [`crate::Frame::Trial`] until it is over. A try of this window that still runs ends.
    Try(Box<Try>),
    /// End the try. What was heard by then is kept for [`ProfileAsk::Check`]; no more frames of it come.
    EndTry,
    /// What is wrong with this text, and what it would read of what the last try of this window heard. Answered with
    /// [`ProfileDone::Checked`].
    Check {
        /// The profile, at most [`TEXT_MAX_BYTES`].
        text: String,
        /// The profile it is to replace, whose name it may keep; `None` for a new one.
        replaces: Option<String>,
    },
    /// The text of a profile, whatever is wrong with it; what a try of this window heard before is forgotten. Answered with
    /// [`ProfileDone::Text`].
    Open {
        /// Its name, as in [`crate::rows::ProfileRow`].
        name: String,
        /// Whether it is to become another one: with a name nobody has. The demo city can only be opened so.
        copy: bool,
    },
    /// Keep a text as a profile. It must have no mistake; what was there before stays until all of it is on the disk. Answered with
    /// [`ProfileDone::Saved`].
    Save {
        /// The profile it replaces; `None` for a new one.
        replaces: Option<String>,
        /// The profile, at most [`TEXT_MAX_BYTES`].
        text: String,
        /// What to write, readable for its owner alone, into the file that the text names for the password.
        password: Option<Typed>,
        /// Use it from now on; one that is in use already begins anew either way.
        and_use: bool,
    },
    /// Keep a search as a group of the profile in use. One that is new is there at once; one that takes the place of another lets the
    /// profile begin anew. Answered with [`ProfileDone::Saved`], under the group's name.
    KeepGroup(Box<KeptGroup>),
    /// The demo city, from now on: the answer to the first question. Answered with [`crate::Done::Changed`].
    Demo,
}

/// A search that becomes a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptGroup {
    /// What people call it; unique in its profile.
    pub name: String,
    /// What finds its things ([`fleetlens_model::query`]); it names no group. Empty where kinds say it all.
    pub search: String,
    /// Only these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Whether it takes the place of a group of the same name, whatever that says.
    pub replaces: bool,
}

/// What a [`ProfileAsk`] led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProfileDone {
    /// The try has begun, or has ended.
    Trying,
    /// What a text would do.
    Checked(Box<Checked>),
    /// A profile's text.
    Text {
        /// As it is on the disk, or with the new name.
        text: String,
        /// The file; empty for one that has none yet.
        file: String,
    },
    /// It is on the disk, under this name.
    Saved(String),
}

/// Which broker to try, and what to listen to there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// Where and who we are.
    pub broker: TryBroker,
    /// Topic filters; 1 to [`FILTERS_MAX`], none of them `#` alone or of `$SYS`. Empty for those of the profile's text.
    pub filters: Vec<String>,
}

/// Where a try takes the broker from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TryBroker {
    /// A form: a profile is proposed.
    Form(BrokerForm),
    /// A profile's text, with the profile it replaces: shown is what it reads.
    Text {
        /// The profile, at most [`TEXT_MAX_BYTES`].
        text: String,
        /// Beside whose file the files are that it names; `None` for one that has no file yet.
        replaces: Option<String>,
        /// What was typed as the password and is in no file yet; it stands for the file that the text names.
        password: Option<Typed>,
    },
}

/// A profile's name and `[broker]` as people fill them in. An empty word is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerForm {
    /// What the profile is to be called.
    pub name: String,
    /// `mqtt://host:1883`, `mqtts://…`, `ws://…` or `wss://…`.
    pub url: String,
    /// MQTT 3.1.1 instead of 5.
    pub older: bool,
    /// Who we are to the broker.
    pub user: String,
    /// Where the password is.
    pub password: Password,
    /// Lets the password go unencrypted to another machine.
    pub clear_password: bool,
    /// The file of the CA that vouches for the broker.
    pub ca: String,
    /// The file of our certificate.
    pub certificate: String,
    /// The file of its key.
    pub key: String,
    /// The protocol to offer by ALPN.
    pub alpn: String,
    /// Our name with the broker, for the profile; a try has one of its own, which begins with it.
    pub client_id: String,
}

/// Where a password is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// Typed just now. It is kept in a file beside the profile, and never in the profile.
    Typed(Typed),
    /// In the system's keychain of the host, under this name.
    Keychain(String),
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(String),
}

/// A password on its way from a window to its host. Never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Typed(pub String);

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// The field of a form that a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Field {
    /// [`BrokerForm::name`].
    Name,
    /// [`BrokerForm::url`], its host.
    Host,
    /// [`BrokerForm::url`], its port, or what carries MQTT there.
    Port,
    /// [`BrokerForm::user`] or [`BrokerForm::password`].
    Password,
    /// [`BrokerForm::ca`].
    Ca,
    /// [`BrokerForm::url`]: the broker's certificate is for another name.
    CertificateName,
    /// [`BrokerForm::certificate`].
    Certificate,
    /// [`BrokerForm::key`].
    Key,
    /// [`BrokerForm::alpn`].
    Alpn,
    /// [`BrokerForm::older`].
    Protocol,
    /// [`BrokerForm::client_id`].
    ClientId,
    /// [`Try::filters`].
    Filters,
    /// None of them: the broker itself.
    Broker,
}

/// How far a try is. Each replaces the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What it does now.
    pub step: TrialStep,
    /// Messages heard.
    pub messages: u64,
    /// Topics heard of; more than can be remembered are not counted.
    pub topics: u32,
    /// Some of the topics, in the order of the alphabet.
    pub seen: Vec<SeenRow>,
    /// What the broker does not let us hear, each a sentence.
    pub notes: Vec<String>,
}

/// What a try does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrialStep {
    /// On the way to the broker.
    Connecting,
    /// Connected; it listens for so many milliseconds more.
    Listening {
        /// As of the frame.
        left_ms: u32,
    },
    /// It is over: there is no connection, or it was lost.
    Failed {
        /// The field to change.
        field: Field,
        /// What to change.
        message: String,
    },
    /// It is over.
    Done(Box<Proposed>),
}

/// A topic that was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRow {
    /// The topic.
    pub topic: String,
    /// How often.
    pub messages: u32,
    /// The beginning of its last message, as far as it is text.
    pub last: String,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// The profile: proposed from a form, or the text that was tried.
    pub text: String,
    /// What was recognised, the most topics first.
    pub rules: Vec<ProposalRow>,
    /// What no rule was found for.
    pub unread: Vec<UnreadRow>,
    /// What the text would do.
    pub checked: Checked,
}

/// A rule that would read some of the topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRow {
    /// Its template.
    pub template: String,
    /// Its lines.
    pub text: String,
    /// How many topics it is for.
    pub topics: u32,
}

/// Topics that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadRow {
    /// One of them.
    pub topic: String,
    /// How many there are.
    pub topics: u32,
    /// Why.
    pub why: String,
}

/// What a profile's text would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// What is wrong with it; the rest is empty then.
    pub mistake: Option<MistakeRow>,
    /// The profile's name.
    pub name: String,
    /// What it listens to.
    pub filters: Vec<String>,
    /// What it would read of the last try; `None` where nothing was tried.
    pub preview: Option<Preview>,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MistakeRow {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

/// What a profile would read of a sample, judged by the engine itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// Messages it would read.
    pub read: u64,
    /// Things it would show.
    pub things: u32,
    /// Some of their values, a few of each kind of thing.
    pub values: Vec<PreviewRow>,
    /// Messages it would refuse, by reason, the most frequent first.
    pub refused: Vec<UnreadRow>,
    /// Topics of the sample that it does not listen to.
    pub passed_over: u32,
    /// Messages of the sample that it listens to and that were not looked at, because there are too many to wait for.
    pub left_out: u32,
}

/// A value it would show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreviewRow {
    /// The thing's name.
    pub thing: String,
    /// Its kind.
    pub kind: Kind,
    /// JSON pointer of the value.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// Its unit; may be empty.
    pub unit: String,
    /// When it was measured, or came where the message does not say.
    pub at_ms: WallMs,
    /// Whether the message says when.
    pub timed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_password_is_never_printed() {
        let password = Password::Typed(Typed("hunter2".into()));
        let form = BrokerForm { password, ..BrokerForm::default() };
        let ask = ProfileAsk::Try(Box::new(Try { broker: TryBroker::Form(form), filters: Vec::new() }));
        let printed = format!("{ask:?}");
        assert!(printed.contains("Typed(…)") && !printed.contains("hunter2"), "{printed}");
    }
}
