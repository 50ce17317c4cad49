//! What is told of one alarm at one moment.

use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::WallMs;
use serde::{Deserialize, Serialize};

/// The longest text of a notice, in characters: a mail is read on a phone, and what names and sentences hold came from strangers.
const TEXT_MAX_CHARS: usize = 1_000;

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It became so.
    Raised,
    /// It is still so after the time in which it should have been looked after.
    ToldAgain,
    /// It is still so and nobody has acknowledged it. Made by [`crate::Routes`] alone.
    Escalated,
    /// It is not so any more.
    Cleared,
}

impl Event {
    /// The word for a person.
    pub fn label(self) -> &'static str {
        match self {
            Event::Raised => "raised",
            Event::ToldAgain => "told again",
            Event::Escalated => "not acknowledged",
            Event::Cleared => "cleared",
        }
    }
}

/// A place on the earth (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// −90 to 90, in degrees north.
    pub lat_deg: f64,
    /// −180 to 180, in degrees east.
    pub lon_deg: f64,
}

/// One event of one alarm, with everything that somebody needs who is not before the window. Its JSON is the one of the webhook
/// (docs/guide/reach.md): a field that is there keeps its meaning, new ones may be added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The alarm, unique within one cache.
    pub alarm: AlarmId,
    /// The profile's name.
    pub fleet: String,
    /// The thing's name, as the broker spells it.
    pub thing: String,
    /// The thing's name for people.
    pub title: String,
    /// The rule's id.
    pub rule: String,
    /// The rule's name for people, said of a thing: `nearly full`.
    pub name: String,
    /// How bad it is.
    pub priority: Priority,
    /// What was seen.
    pub sentence: String,
    /// What usually causes it; may be empty.
    pub cause: String,
    /// What happens when nobody acts; may be empty.
    pub consequence: String,
    /// What to do about it.
    pub what_to_do: String,
    /// When it happened, by our wall clock; written as RFC 3339 in UTC.
    #[serde(with = "rfc3339")]
    pub at: WallMs,
    /// Where the thing is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// What makes an event this one and no other: told twice, it is sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Occurrence {
    alarm: AlarmId,
    event: Event,
    at: WallMs,
}

impl Notice {
    /// Which event it tells of.
    pub fn occurrence(&self) -> Occurrence {
        Occurrence { alarm: self.alarm, event: self.event, at: self.at }
    }

    /// The thing and what is wrong with it, in one line: `Gateway Marsa-2 silent`.
    pub fn headline(&self) -> String {
        [self.title.as_str(), self.name.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// How long its texts are together, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        let Notice { fleet, thing, title, rule, name, sentence, cause, consequence, what_to_do, .. } = self;
        [fleet, thing, title, rule, name, sentence, cause, consequence, what_to_do].into_iter().map(String::len).sum()
    }

    /// No text of it is longer than 1 000 characters, and it has a place only where that is one.
    pub(crate) fn bounded(mut self) -> Notice {
        let Notice { fleet, thing, title, rule, name, sentence, cause, consequence, what_to_do, .. } = &mut self;
        for text in [fleet, thing, title, rule, name, sentence, cause, consequence, what_to_do] {
            if let Some((at, _)) = text.char_indices().nth(TEXT_MAX_CHARS) {
                text.truncate(at);
                text.push('…');
            }
        }
        self.position = self.position.filter(|position| position.lat_deg.is_finite() && position.lon_deg.is_finite());
        self
    }
}

/// `2026-11-23T04:52:31.25Z`.
pub(crate) mod rfc3339 {
    use fleetlens_model::time::WallMs;
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// The moment as text; one beyond the calendar is its end.
    pub(crate) fn text(at: WallMs) -> String {
        let end = if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(at.0).unwrap_or(end).to_string()
    }

    pub(crate) fn serialize<S: Serializer>(at: &WallMs, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(*at))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<WallMs, D::Error> {
        let written = String::deserialize(from)?;
        written.parse::<Timestamp>().map(|at| WallMs(at.as_millisecond())).map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn notice(alarm: u64, event: Event, priority: Priority, at_ms: i64) -> Notice {
        Notice {
            event,
            alarm: AlarmId(alarm),
            fleet: "Malta".into(),
            thing: "gw-2".into(),
            title: "Gateway Marsa-2".into(),
            rule: "gateway-silent".into(),
            name: "silent".into(),
            priority,
            sentence: "nothing heard for 3 min".into(),
            cause: "no power, or no network".into(),
            consequence: "12 lamps cannot be steered".into(),
            what_to_do: "look at the fuse".into(),
            at: WallMs(at_ms),
            position: Some(Position { lat_deg: 35.9, lon_deg: 14.5 }),
        }
    }

    #[test]
    fn a_notice_is_written_as_the_guide_says() {
        let written =
            serde_json::to_value(notice(17, Event::ToldAgain, Priority::Critical, 1_763_873_551_250)).unwrap();
        let want = serde_json::json!({
            "event": "told_again", "alarm": 17, "fleet": "Malta", "thing": "gw-2", "title": "Gateway Marsa-2",
            "rule": "gateway-silent", "name": "silent", "priority": "critical", "sentence": "nothing heard for 3 min",
            "cause": "no power, or no network", "consequence": "12 lamps cannot be steered",
            "what_to_do": "look at the fuse", "at": "2025-11-23T04:52:31.25Z",
            "position": { "lat_deg": 35.9, "lon_deg": 14.5 },
        });
        assert_eq!(written, want);
    }

    #[test]
    fn a_notice_is_read_back_as_it_was_written() {
        for at_ms in [0, -1, 1_763_873_551_250] {
            for position in [None, Some(Position { lat_deg: -1.5, lon_deg: 2.0 })] {
                let notice = Notice { position, ..notice(1, Event::Cleared, Priority::Warning, at_ms) };
                let written = serde_json::to_string(&notice).unwrap();
                assert_eq!(serde_json::from_str::<Notice>(&written).unwrap(), notice);
            }
        }
        assert_eq!(rfc3339::text(WallMs(i64::MAX)), Timestamp::MAX.to_string());
    }

    use jiff::Timestamp;

    #[test]
    fn what_strangers_wrote_is_cut_at_a_character() {
        let long = Notice {
            title: "ż".repeat(5_000),
            position: Some(Position { lat_deg: f64::NAN, lon_deg: 0.0 }),
            ..notice(1, Event::Raised, Priority::Warning, 0)
        };
        let bounded = long.bounded();
        assert_eq!(bounded.title.chars().count(), TEXT_MAX_CHARS + 1);
        assert_eq!(bounded.position, None);
    }
}
