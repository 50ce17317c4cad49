//! An alarm in words. Pure.

use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::alarm::Acknowledgement;
use fleetlens_model::time::WallMs;

use crate::format;

/// What an alarm is now, as far as shape, tone and tests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is so, and nobody has said that they saw it.
    Active,
    /// It is so, and somebody saw it.
    Seen,
    /// It is not so any more, and nobody saw it.
    Returned,
    /// Nobody can know, since our own link is down.
    Unknown,
    /// It is over.
    Ended,
}

impl State {
    /// The state of a row.
    pub fn of(row: &AlarmRow) -> State {
        match (row.active, row.acknowledged.is_some(), row.unknown_since_ms) {
            (false, true, _) => State::Ended,
            (_, _, Some(_)) => State::Unknown,
            (true, false, None) => State::Active,
            (true, true, None) => State::Seen,
            (false, false, None) => State::Returned,
        }
    }

    /// The word for the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Seen => "seen",
            State::Returned => "returned",
            State::Unknown => "unknown",
            State::Ended => "ended",
        }
    }
}

/// The state as a sentence. `at` tells a moment as a clock time.
pub fn state(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let seen = row.acknowledged.as_ref().map(|seen| format!(", {}", self::seen(seen, &at))).unwrap_or_default();
    let back = row.cleared_ms.map(|ms| format!(" {}", at(ms))).unwrap_or_default();
    match (State::of(row), row.unknown_since_ms) {
        (State::Unknown, Some(since)) => format!("Unknown since our link is down {}{seen}", at(since)),
        (State::Ended, _) => format!("Ended{back}{seen}"),
        (State::Returned, _) => format!("Returned{back}, not seen"),
        (State::Active | State::Seen | State::Unknown, _) => format!("Active{seen}"),
    }
}

/// What was seen. Of what is not so any more that comes first: `Back since 10:40. It was: silent for 14 min`. `at` tells a moment as a
/// clock time.
pub fn sentence(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let parts = [row.sentence.clone(), extent(row)];
    let said = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    match (State::of(row), row.cleared_ms) {
        (State::Returned, Some(back_ms)) if said.is_empty() => format!("Back since {}", at(back_ms)),
        (State::Returned, Some(back_ms)) => format!("Back since {}. It was: {said}", at(back_ms)),
        _ => said,
    }
}

/// What to do about it; nothing where it is not so any more.
pub fn what_to_do(row: &AlarmRow) -> String {
    match State::of(row) {
        State::Active | State::Seen | State::Unknown => format::capital(&row.what_to_do),
        State::Returned | State::Ended => String::new(),
    }
}

/// Who saw it: `seen by M. Vella 10:32 “on my way”`.
fn seen(seen: &Acknowledgement, at: impl Fn(WallMs) -> String) -> String {
    let who = if seen.by.name.is_empty() { seen.by.role.label() } else { &seen.by.name };
    let said = if seen.comment.is_empty() { String::new() } else { format!(" “{}”", seen.comment) };
    format!("seen by {who} {}{said}", at(seen.at_ms))
}

/// How often, and what stands behind it; empty where there is nothing to say.
pub fn extent(row: &AlarmRow) -> String {
    let times = (row.times > 1).then(|| format!("{} times", row.times));
    let mutes = match row.mutes {
        0 => None,
        1 => Some("1 silent thing stands behind it".to_owned()),
        many => Some(format!("{many} silent things stand behind it")),
    };
    [times, mutes].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use fleetlens_model::identity::{Actor, Role};

    use super::super::sample::alarm;
    use super::*;

    #[test]
    fn the_state_is_told_in_words_and_our_own_link_is_not_the_things_fault() {
        let seen = |comment: &str| {
            let by = Actor { name: "M. Vella".into(), role: Role::Operator };
            Some(Acknowledgement { by, at_ms: WallMs(1_032), comment: comment.into() })
        };
        let base = alarm(1, 1_000);
        for (row, word, want) in [
            (base.clone(), "active", "Active"),
            (AlarmRow { acknowledged: seen(""), ..base.clone() }, "seen", "Active, seen by M. Vella 10:32"),
            (
                AlarmRow { acknowledged: seen("on my way"), ..base.clone() },
                "seen",
                "Active, seen by M. Vella 10:32 “on my way”",
            ),
            (
                AlarmRow { active: false, cleared_ms: Some(WallMs(1_040)), ..base.clone() },
                "returned",
                "Returned 10:40, not seen",
            ),
            (
                AlarmRow { unknown_since_ms: Some(WallMs(1_041)), ..base.clone() },
                "unknown",
                "Unknown since our link is down 10:41",
            ),
            (
                AlarmRow { active: false, cleared_ms: Some(WallMs(1_050)), acknowledged: seen(""), ..base.clone() },
                "ended",
                "Ended 10:50, seen by M. Vella 10:32",
            ),
        ] {
            let at = |ms: WallMs| format!("{}:{}", ms.0 / 100, ms.0 % 100);
            assert_eq!((State::of(&row).word(), state(&row, at).as_str()), (word, want));
        }
    }

    #[test]
    fn what_is_back_is_told_as_what_was_and_asks_for_nothing() {
        let base = alarm(1, 1_000);
        let seen = base.sentence.clone();
        for (name, row, want, to_do) in [
            ("active", base.clone(), seen.clone(), "Send the round past it today"),
            (
                "returned",
                AlarmRow { active: false, cleared_ms: Some(WallMs(1_040)), ..base.clone() },
                format!("Back since 1040. It was: {seen}"),
                "",
            ),
            (
                "nobody can know",
                AlarmRow { unknown_since_ms: Some(WallMs(1_041)), ..base.clone() },
                seen.clone(),
                "Send the round past it today",
            ),
        ] {
            assert_eq!((sentence(&row, |ms| ms.0.to_string()), what_to_do(&row).as_str()), (want, to_do), "{name}");
        }
    }

    #[test]
    fn what_stands_behind_an_alarm_is_counted() {
        for (times, mutes, want) in [
            (1, 0, ""),
            (3, 0, "3 times"),
            (1, 1, "1 silent thing stands behind it"),
            (2, 38, "2 times · 38 silent things stand behind it"),
        ] {
            assert_eq!(extent(&AlarmRow { times, mutes, ..alarm(1, 0) }), want);
        }
    }
}
