//! An alarm in words. Pure.

use fleetlens_ipc::rows::{AlarmRow, Hidden};
use fleetlens_model::alarm::Acknowledgement;
use fleetlens_model::alarm::state::Standing;
use fleetlens_model::time::WallMs;
use tr::tr;

use crate::format;
use crate::lang::said;

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
    let back = row.cleared_ms.map(&at);
    let seen = |stands: String| match &row.acknowledged {
        None => stands,
        Some(seen) => tr!("{state}, seen by {who}", state = stands, who = told_by(seen, &at)),
    };
    let stands = match (State::of(row), row.unknown_since_ms, back) {
        (State::Hidden, ..) => hidden(row, &at),
        (State::Unknown, Some(since), _) => seen(tr!("Unknown since our link is down {}", at(since))),
        (State::Ended, _, None) => seen(said("Ended").to_owned()),
        (State::Ended, _, Some(back)) => seen(tr!("Ended {}", back)),
        (State::Latched, _, None) => seen(said("Returned, waits for a reset").to_owned()),
        (State::Latched, _, Some(back)) => seen(tr!("Returned {}, waits for a reset", back)),
        (State::Returned, _, None) => said("Returned, not seen").to_owned(),
        (State::Returned, _, Some(back)) => tr!("Returned {}, not seen", back),
        (State::Active | State::Seen | State::Unknown, ..) => seen(tr!("of an alarm" => "Active")),
    };
    match row.assigned.as_str() {
        "" => stands,
        who => tr!("{state} · {who} looks after it", state = stands, who = who),
    }
}

/// Why it is not on the list, and until when: `Shelved until 14:20 by M. Vella 10:32 “being repaired”`.
fn hidden(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let why = match &row.hidden {
        None if row.suppressed.is_empty() => said("Suppressed by design").to_owned(),
        None => tr!("Suppressed by design: {}", row.suppressed),
        Some(Hidden { by, until_ms: Some(until_ms) }) => {
            tr!("Shelved until {until} by {who}", until = at(*until_ms), who = told_by(by, &at))
        }
        Some(Hidden { by, until_ms: None }) => tr!("Out of service by {}", told_by(by, &at)),
    };
    if row.active { why } else { tr!("{}; it is not so now", why) }
}

/// What was seen. Of what is not so any more that comes first: `Back since 10:40. It was: silent for 14 min`. `at` tells a moment as a
/// clock time.
pub fn sentence(row: &AlarmRow, at: impl Fn(WallMs) -> String) -> String {
    let parts = [row.sentence.clone(), extent(row)];
    let seen = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    match (State::of(row), row.cleared_ms) {
        (State::Returned | State::Latched, Some(back_ms)) if seen.is_empty() => tr!("Back since {}", at(back_ms)),
        (State::Returned | State::Latched, Some(back_ms)) => {
            tr!("Back since {at}. It was: {seen}", at = at(back_ms), seen = seen)
        }
        _ => seen,
    }
}

/// What to do about it; nothing where it is not so any more.
pub fn what_to_do(row: &AlarmRow) -> String {
    match State::of(row) {
        State::Active | State::Seen | State::Unknown => format::capital(&row.what_to_do),
        State::Hidden if row.active => format::capital(&row.what_to_do),
        State::Latched => said("Reset it once you have looked").into(),
        State::Returned | State::Hidden | State::Ended => String::new(),
    }
}

/// Who, when, and what they said: `M. Vella 10:32 “on my way”`.
fn told_by(seen: &Acknowledgement, at: impl Fn(WallMs) -> String) -> String {
    let who = if seen.by.name.is_empty() { said(seen.by.role.label()) } else { &seen.by.name };
    let at = at(seen.at_ms);
    match seen.comment.as_str() {
        "" => format!("{who} {at}"),
        comment => tr!("{who} {at} “{comment}”", who = who, at = at, comment = comment),
    }
}

/// How often, and what stands behind it; empty where there is nothing to say.
pub fn extent(row: &AlarmRow) -> String {
    let times = (row.times > 1).then(|| tr!("{} times", row.times));
    let mutes = (row.mutes != 0)
        .then(|| tr!("1 silent thing stands behind it" | "{n} silent things stand behind it" % row.mutes));
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
