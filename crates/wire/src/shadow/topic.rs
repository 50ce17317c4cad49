//! `$aws/things/{thing}/shadow[/name/{shadow}]/{get|update|delete}[/accepted|rejected|delta|documents]`, read and written.

use std::fmt;
use std::str::FromStr;

use fleetlens_model::shadow::{NameError, parse_shadow_name, parse_thing_name};

use crate::quote::{QUOTE_MAX_CHARS, quote};

const PREFIX: &str = "$aws/things/";

/// What can be asked of a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The whole document.
    Get,
    /// Merge into it, or make it.
    Update,
    /// Remove it; its version is remembered for 48 h.
    Delete,
}

/// Which of a shadow's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShadowTopicKind {
    /// Where apps and devices publish.
    Request(Op),
    /// Where the service says yes.
    Accepted(Op),
    /// Where the service says no.
    Rejected(Op),
    /// `update/delta`: every outstanding difference, after an update that leaves one.
    Delta,
    /// `update/documents`: the whole document before and after an update.
    Documents,
}

/// A topic of one shadow. Reading and writing are inverse: `ShadowTopic::parse(&t.to_string()) == Ok(t)` for valid names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShadowTopic {
    /// 1 to 128 characters of `[A-Za-z0-9:_-]`.
    pub thing: String,
    /// 1 to 64 characters of the same; `None` is the classic shadow.
    pub shadow: Option<String>,
    /// What it is for.
    pub kind: ShadowTopicKind,
}

/// Why a topic is not one of a shadow's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Some other topic altogether.
    #[error("{topic:?} is not a shadow topic; those begin with $aws/things/THING/shadow/")]
    Foreign {
        /// What was given, or its beginning.
        topic: String,
    },
    /// The thing's or the shadow's name breaks AWS's grammar.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The part after the shadow is none of the service's. Case counts.
    #[error(
        "{rest:?} is not a shadow operation; known are get, update and delete, each with /accepted or /rejected, and update/delta and update/documents"
    )]
    Operation {
        /// What was given after `shadow/` or the shadow's name, or its beginning.
        rest: String,
    },
}

impl ShadowTopic {
    /// A topic of the thing's classic (`None`) or named shadow. Names are not checked here: see [`parse_thing_name`].
    pub fn new(thing: impl Into<String>, shadow: Option<String>, kind: ShadowTopicKind) -> Self {
        Self { thing: thing.into(), shadow, kind }
    }

    /// Another topic of the same shadow.
    pub fn with_kind(&self, kind: ShadowTopicKind) -> Self {
        Self { kind, ..self.clone() }
    }

    /// Reads a topic; names are checked against AWS's grammar and the operation is case-sensitive.
    pub fn parse(topic: &str) -> Result<Self, TopicError> {
        let foreign = || TopicError::Foreign { topic: quote(topic, QUOTE_MAX_CHARS) };
        let (thing, rest) = topic.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).ok_or_else(foreign)?;
        let thing = parse_thing_name(thing)?.to_owned();
        let rest = rest.strip_prefix("shadow/").ok_or_else(foreign)?;
        let (shadow, rest) = match rest.strip_prefix("name/") {
            Some(named) => {
                let (shadow, rest) = named.split_once('/').unwrap_or((named, ""));
                (Some(parse_shadow_name(shadow)?.to_owned()), rest)
            }
            None => (None, rest),
        };
        let kind = kind_of(rest).ok_or_else(|| TopicError::Operation { rest: quote(rest, QUOTE_MAX_CHARS) })?;
        Ok(Self { thing, shadow, kind })
    }
}

impl FromStr for ShadowTopic {
    type Err = TopicError;

    fn from_str(topic: &str) -> Result<Self, TopicError> {
        Self::parse(topic)
    }
}

impl fmt::Display for ShadowTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/shadow/", self.thing)?;
        if let Some(shadow) = &self.shadow {
            write!(f, "name/{shadow}/")?;
        }
        match self.kind {
            ShadowTopicKind::Request(op) => f.write_str(op.word()),
            ShadowTopicKind::Accepted(op) => write!(f, "{}/accepted", op.word()),
            ShadowTopicKind::Rejected(op) => write!(f, "{}/rejected", op.word()),
            ShadowTopicKind::Delta => f.write_str("update/delta"),
            ShadowTopicKind::Documents => f.write_str("update/documents"),
        }
    }
}

impl Op {
    /// As it stands in a topic.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

fn kind_of(rest: &str) -> Option<ShadowTopicKind> {
    let (op, suffix) = rest.split_once('/').map_or((rest, None), |(op, suffix)| (op, Some(suffix)));
    let op = [Op::Get, Op::Update, Op::Delete].into_iter().find(|known| known.word() == op)?;
    Some(match (op, suffix) {
        (_, None) => ShadowTopicKind::Request(op),
        (_, Some("accepted")) => ShadowTopicKind::Accepted(op),
        (_, Some("rejected")) => ShadowTopicKind::Rejected(op),
        (Op::Update, Some("delta")) => ShadowTopicKind::Delta,
        (Op::Update, Some("documents")) => ShadowTopicKind::Documents,
        (Op::Get | Op::Update | Op::Delete, Some(_)) => return None,
    })
}

/// What the service subscribes to: every request about every shadow. Six filters, within AWS's eight a SUBSCRIBE.
pub fn request_filters() -> [String; 6] {
    let filter = |shadow: Option<&str>, op| {
        ShadowTopic::new("+", shadow.map(str::to_owned), ShadowTopicKind::Request(op)).to_string()
    };
    [
        filter(None, Op::Get),
        filter(None, Op::Update),
        filter(None, Op::Delete),
        filter(Some("+"), Op::Get),
        filter(Some("+"), Op::Update),
        filter(Some("+"), Op::Delete),
    ]
}

/// What an app subscribes to before it asks: every answer about one shadow. `+` for the thing or the shadow means all of them.
pub fn answer_filters(thing: &str, shadow: Option<&str>) -> [String; 3] {
    [Op::Get, Op::Update, Op::Delete]
        .map(|op| format!("{}/+", ShadowTopic::new(thing, shadow.map(str::to_owned), ShadowTopicKind::Request(op))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ShadowTopicKind; 11] = [
        ShadowTopicKind::Request(Op::Get),
        ShadowTopicKind::Request(Op::Update),
        ShadowTopicKind::Request(Op::Delete),
        ShadowTopicKind::Accepted(Op::Get),
        ShadowTopicKind::Accepted(Op::Update),
        ShadowTopicKind::Accepted(Op::Delete),
        ShadowTopicKind::Rejected(Op::Get),
        ShadowTopicKind::Rejected(Op::Update),
        ShadowTopicKind::Rejected(Op::Delete),
        ShadowTopicKind::Delta,
        ShadowTopicKind::Documents,
    ];

    #[test]
    fn what_is_written_is_read_back() {
        for kind in KINDS {
            // "name" and "shadow" are legal names and must not be taken for the grammar's own words.
            for (thing, shadow) in
                [("lamp-1", None), ("shadow", Some("name")), ("name", Some("update")), ("a:b_c", Some("x"))]
            {
                let topic = ShadowTopic::new(thing, shadow.map(str::to_owned), kind);
                assert_eq!(ShadowTopic::parse(&topic.to_string()), Ok(topic.clone()), "{topic}");
            }
        }
    }

    #[test]
    fn a_topic_that_is_not_a_shadows_says_why() {
        let foreign = |topic: &str| TopicError::Foreign { topic: topic.into() };
        let operation = |rest: &str| TopicError::Operation { rest: rest.into() };
        for (topic, want) in [
            ("city/msida/lamp/lamp-1/telemetry", foreign("city/msida/lamp/lamp-1/telemetry")),
            ("$aws/things/a", foreign("$aws/things/a")),
            ("$aws/things/a/jobs/get", foreign("$aws/things/a/jobs/get")),
            ("$AWS/things/a/shadow/get", foreign("$AWS/things/a/shadow/get")),
            ("$aws/things//shadow/get", TopicError::Name(NameError::Empty { what: "thing", max: 128 })),
            ("$aws/things/a+/shadow/get", TopicError::Name(NameError::Character { what: "thing", character: '+' })),
            ("$aws/things/a/shadow/", operation("")),
            ("$aws/things/a/shadow/Get", operation("Get")),
            ("$aws/things/a/shadow/get/delta", operation("get/delta")),
            ("$aws/things/a/shadow/delete/documents", operation("delete/documents")),
            ("$aws/things/a/shadow/update/accepted/", operation("update/accepted/")),
            ("$aws/things/a/shadow/name", operation("name")),
            ("$aws/things/a/shadow/name//get", TopicError::Name(NameError::Empty { what: "shadow", max: 64 })),
            ("$aws/things/a/shadow/name/b", operation("")),
            ("$aws/things/a/shadow/name/b/c", operation("c")),
        ] {
            assert_eq!(ShadowTopic::parse(topic), Err(want), "{topic}");
        }
    }

    #[test]
    fn filters_name_every_shadow_once() {
        assert_eq!(request_filters()[1], "$aws/things/+/shadow/update");
        assert_eq!(request_filters()[5], "$aws/things/+/shadow/name/+/delete");
        assert_eq!(
            answer_filters("lamp-1", Some("config")),
            [
                "$aws/things/lamp-1/shadow/name/config/get/+",
                "$aws/things/lamp-1/shadow/name/config/update/+",
                "$aws/things/lamp-1/shadow/name/config/delete/+",
            ]
        );
    }
}
