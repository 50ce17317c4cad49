//! An alarm in words. Pure.

use fleetlens_ipc::rows::{AlarmRow, Hidden};
use fleetlens_model::alarm::Acknowledgement;
use fleetlens_model::alarm::state::Standing;
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
    /// It is not so any more, and waits for a reset.
    Latched,
    /// Nobody can know, since our own link is down.
    Unknown,
    /// A person took it off the list.
    Hidden,
    /// It is over.
    Ended,
}

impl State {
    /// The state of a row.
    pub fn of(row: &AlarmRow) -> State {
        match (row.standing, row.unknown_since_ms) {
            (Standing::OutOfService | Standing::Suppressed | Standing::Shelved, _) => State::Hidden,
            (Standing::Normal, _) => State::Ended,
            (Standing::Active | Standing::ActiveSeen, Some(_)) => State::Unknown,
            (Standing::Active, None) => State::Active,
            (Standing::ActiveSeen, None) => State::Seen,
            (Standing::Latched, _) => State::Latched,
            (Standing::Returned, _) => State::Returned,
        }
    }

    /// The word for the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Seen => "seen",
            State::Returned => "returned",
            State::Latched => "latched",
            State::Unknown => "unknown",
            State::Hidden => "hidden",
            State::Ended => "ended",
        }
    }
}

/// The state as a sentence. `at` tells a moment as a clock time.
pub fn state(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let seen = row.acknowledged.as_ref().map(|seen| format!(", seen by {}", told_by(seen, &at))).unwrap_or_default();
    let back = row.cleared_ms.map(|ms| format!(" {}", at(ms))).unwrap_or_default();
    let stands = match (State::of(row), row.unknown_since_ms) {
        (State::Hidden, _) => hidden(row, &at),
        (State::Unknown, Some(since)) => format!("Unknown since our link is down {}{seen}", at(since)),
        (State::Ended, _) => format!("Ended{back}{seen}"),
        (State::Latched, _) => format!("Returned{back}, waits for a reset{seen}"),
        (State::Returned, _) => format!("Returned{back}, not seen"),
        (State::Active | State::Seen | State::Unknown, _) => format!("Active{seen}"),
    };
    if row.assigned.is_empty() { stands } else { format!("{stands} · {} looks after it", row.assigned) }
}

/// Why it is not on the list, and until when: `Shelved until 14:20 by M. Vella 10:32 “being repaired”`.
fn hidden(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let still = if row.active { "" } else { "; it is not so now" };
    match &row.hidden {
        None if row.suppressed.is_empty() => format!("Suppressed by design{still}"),
        None => format!("Suppressed by design: {}{still}", row.suppressed),
        Some(Hidden { by, until_ms: Some(until_ms) }) => {
            format!("Shelved until {} by {}{still}", at(*until_ms), told_by(by, &at))
        }
        Some(Hidden { by, until_ms: None }) => format!("Out of service by {}{still}", told_by(by, &at)),
    }
}

/// What was seen. Of what is not so any more that comes first: `Back since 10:40. It was: silent for 14 min`. `at` tells a moment as a
/// clock time.
pub fn sentence(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let parts = [row.sentence.clone(), extent(row)];
    let said = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    match (State::of(row), row.cleared_ms) {
        (State::Returned | State::Latched, Some(back_ms)) if said.is_empty() => format!("Back since {}", at(back_ms)),
        (State::Returned | State::Latched, Some(back_ms)) => format!("Back since {}. It was: {said}", at(back_ms)),
        _ => said,
    }
}

/// What to do about it; nothing where it is not so any more.
pub fn what_to_do(row: &AlarmRow) -> String {
    match State::of(row) {
        State::Active | State::Seen | State::Unknown => format::capital(&row.what_to_do),
        State::Hidden if row.active => format::capital(&row.what_to_do),
        State::Latched => "Reset it once you have looked".into(),
        State::Returned | State::Hidden | State::Ended => String::new(),
    }
}

/// Who, when, and what they said: `M. Vella 10:32 “on my way”`.
fn told_by(seen: &Acknowledgement, at: impl Fn(WallMs) -> String) -> String {
    let who = if seen.by.name.is_empty() { seen.by.role.label() } else { &seen.by.name };
    let said = if seen.comment.is_empty() { String::new() } else { format!(" “{}”", seen.comment) };
    format!("{who} {}{said}", at(seen.at_ms))
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
            (
                AlarmRow { acknowledged: seen(""), standing: Standing::ActiveSeen, ..base.clone() },
                "seen",
                "Active, seen by M. Vella 10:32",
            ),
            (
                AlarmRow { acknowledged: seen("on my way"), standing: Standing::ActiveSeen, ..base.clone() },
                "seen",
                "Active, seen by M. Vella 10:32 “on my way”",
            ),
            (
                AlarmRow {
                    active: false,
                    standing: Standing::Returned,
                    cleared_ms: Some(WallMs(1_040)),
                    ..base.clone()
                },
                "returned",
                "Returned 10:40, not seen",
            ),
            (
                AlarmRow { unknown_since_ms: Some(WallMs(1_041)), ..base.clone() },
                "unknown",
                "Unknown since our link is down 10:41",
            ),
            (
                AlarmRow {
                    active: false,
                    standing: Standing::Normal,
                    cleared_ms: Some(WallMs(1_050)),
                    acknowledged: seen(""),
                    ..base.clone()
                },
                "ended",
                "Ended 10:50, seen by M. Vella 10:32",
            ),
            (
                AlarmRow {
                    standing: Standing::Shelved,
                    hidden: seen("being repaired").map(|by| Hidden { by, until_ms: Some(WallMs(1_420)) }),
                    ..base.clone()
                },
                "hidden",
                "Shelved until 14:20 by M. Vella 10:32 “being repaired”",
            ),
            (
                AlarmRow {
                    active: false,
                    standing: Standing::OutOfService,
                    hidden: seen("").map(|by| Hidden { by, until_ms: None }),
                    assigned: "J. Borg".into(),
                    ..base.clone()
                },
                "hidden",
                "Out of service by M. Vella 10:32; it is not so now · J. Borg looks after it",
            ),
            (
                AlarmRow {
                    active: false,
                    standing: Standing::Latched,
                    cleared_ms: Some(WallMs(1_040)),
                    acknowledged: seen(""),
                    ..base.clone()
                },
                "latched",
                "Returned 10:40, waits for a reset, seen by M. Vella 10:32",
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
                AlarmRow {
                    active: false,
                    standing: Standing::Returned,
                    cleared_ms: Some(WallMs(1_040)),
                    ..base.clone()
                },
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
