//! What bulk commands are called, and what came of them, in words. Pure.

use fleetlens_ipc::rows::{BulkRow, DryRun};
use fleetlens_model::bulk::{Counts, Outcome, Progress, Rollout, State};
use tr::tr;

use crate::format;
use crate::lang::said;

/// Where one stands, in two or three words.
pub fn state_word(state: &State, link_up: bool) -> &'static str {
    match state {
        State::Running if !link_up => said("Waits for the link"),
        State::Running => said("Running"),
        State::Paused | State::Held { .. } => said("Held"),
        State::Aborted { .. } => said("Aborted"),
        State::Stopped { .. } => said("Stopped"),
        State::Done => said("Done"),
    }
}

/// What that means for the things that wait; empty where nothing is to be said.
pub fn state_sentence(row: &BulkRow, link_up: bool) -> String {
    let n = row.counts.waiting;
    let shown = format::count(u64::from(n));
    let not_asked = || tr!("1 thing was not asked." | "{shown} things were not asked." % n, shown);
    match &row.state {
        State::Running if !link_up => said("Nothing is released until the link is back.").to_owned(),
        State::Running if row.continuous => said("Goes on until somebody stops it.").to_owned(),
        State::Running | State::Done => String::new(),
        State::Paused => tr!(
            "1 thing waits until it goes on; what was asked already goes on."
                | "{shown} things wait until it goes on; what was asked already goes on." % n,
            shown
        ),
        State::Held { why } => tr!(
            "{why}. 1 thing waits until somebody has looked whether it is still wanted and lets it go on."
                | "{why}. {shown} things wait until somebody has looked whether it is still wanted and lets it go on."
                    % n,
            why = format::capital(why),
            shown
        ),
        State::Aborted { why } => format!("{}. {}", format::capital(why), not_asked()),
        State::Stopped { by } if by.name.is_empty() => not_asked(),
        State::Stopped { by } => tr!("By {name}. {not_asked}", name = by.name, not_asked = not_asked()),
    }
}

/// What came of its things: class, how many, what that is called. What there is none of is left out.
pub fn parts(counts: &Counts, is_open: bool) -> Vec<(&'static str, u32, &'static str)> {
    let waiting = if is_open { said("not asked yet") } else { said("not asked") };
    let all = [
        ("settled", counts.settled, said("done")),
        ("open", counts.open, said("under way")),
        ("rejected", counts.rejected, said("rejected")),
        ("expired", counts.never_obeyed, said("never obeyed")),
        ("expired", counts.expired, said("expired")),
        ("ended", counts.ended, said("taken back or overtaken")),
        ("cannot", counts.cannot, said("cannot")),
        ("same", counts.same, said("so already")),
        ("waiting", counts.waiting, waiting),
    ];
    all.into_iter().filter(|(_, n, _)| *n > 0).collect()
}

/// The same as one sentence: `3 done · 2 rejected`.
pub fn counts_words(counts: &Counts, is_open: bool) -> String {
    let part = |(_, n, word): (&str, u32, &str)| format!("{} {word}", format::count(u64::from(n)));
    parts(counts, is_open).into_iter().map(part).collect::<Vec<_>>().join(" · ")
}

/// How fast, and how far when it goes wrong: `50 every 10 s; aborts when 20 % of at least 10 failed`.
pub fn rollout_words(rollout: &Rollout) -> String {
    let Rollout { batch, every_s, abort_at_pct, abort_after } = *rollout;
    let every = format::age(u64::from(every_s) * 1_000);
    match abort_at_pct {
        Some(pct) => tr!(
            "{batch} every {every}; aborts when {pct} % of at least {after} failed",
            batch,
            every,
            pct,
            after = abort_after
        ),
        None => tr!("{batch} every {every}; goes on whatever fails", batch, every),
    }
}

/// How long it takes until the last one is asked, in milliseconds.
pub fn lasts_ms(things: u32, rollout: &Rollout) -> u64 {
    let batches = u64::from(things.div_ceil(rollout.batch.max(1)));
    batches.saturating_sub(1) * u64::from(rollout.every_s) * 1_000
}

/// What a dry run found, a sentence each.
pub fn found(run: &DryRun) -> Vec<String> {
    let count = |n: u32| format::count(u64::from(n));
    let mut told = vec![match (run.changes, run.things) {
        (0, 0) => said("No thing is found.").to_owned(),
        (0, _) => said("Nothing would change.").to_owned(),
        (1, 1) => said("1 thing would be asked.").to_owned(),
        (changes, all) if changes == all => tr!("All {all} things would be asked.", all = count(all)),
        (changes, all) => {
            tr!("{changes} of {all} things would be asked.", changes = count(changes), all = count(all))
        }
    }];
    if run.offline > 0 {
        told.push(tr!("1 of them is silent now: the command waits for it until it expires."
            | "{n} of them are silent now: the command waits for them until it expires." % run.offline));
    }
    if run.same > 0 {
        told.push(tr!(
            "1 thing is so already and not asked." | "{shown} things are so already and not asked." % run.same,
            shown = count(run.same)
        ));
    }
    if run.cannot > 0 {
        told.push(tr!("1 thing cannot:" | "{shown} things cannot:" % run.cannot, shown = count(run.cannot)));
    }
    told
}

/// How a thing stands, as the lists of commands mark it.
pub fn standing(progress: &Progress) -> &'static str {
    match progress.outcome() {
        Outcome::Waiting | Outcome::Same => "none",
        Outcome::Open => "waiting",
        Outcome::Settled => "settled",
        Outcome::Rejected | Outcome::Cannot => "rejected",
        Outcome::Expired | Outcome::NeverObeyed => "expired",
        Outcome::Ended => "ended",
    }
}

/// What came of a thing, in a word or two.
pub fn outcome_word(progress: &Progress, is_open: bool) -> &'static str {
    match progress.outcome() {
        Outcome::Waiting if is_open => said("Not asked yet"),
        Outcome::Waiting => said("Not asked"),
        Outcome::Open => said("Under way"),
        Outcome::Settled => said("Done"),
        Outcome::Rejected => said("Rejected"),
        Outcome::Expired => said("Expired"),
        Outcome::NeverObeyed => said("Never obeyed"),
        Outcome::Ended => said("Ended"),
        Outcome::Same => said("So already"),
        Outcome::Cannot => said("Cannot"),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::identity::Actor;

    use super::*;

    #[test]
    fn what_came_of_the_things_is_said_without_what_there_is_none_of() {
        let counts = Counts { settled: 3, rejected: 2, never_obeyed: 1, waiting: 7, ..Counts::default() };
        assert_eq!(counts_words(&counts, true), "3 done · 2 rejected · 1 never obeyed · 7 not asked yet");
        assert_eq!(counts_words(&counts, false), "3 done · 2 rejected · 1 never obeyed · 7 not asked");
        assert_eq!(counts_words(&Counts::default(), true), "");
    }

    #[test]
    fn what_holds_itself_says_why_and_what_a_person_has_to_do() {
        let row = BulkRow {
            id: fleetlens_model::id::BulkId(1),
            by: Default::default(),
            asked_ms: fleetlens_model::time::WallMs(0),
            ended_ms: None,
            title: "open barrier".into(),
            target: "car parks".into(),
            state: State::Held { why: "nothing could be released".into() },
            counts: Counts { waiting: 12, ..Counts::default() },
            rollout: Rollout::default(),
            continuous: false,
        };
        assert_eq!(state_word(&row.state, false), "Held", "with the link or without");
        let said = state_sentence(&row, false);
        assert!(said.starts_with("Nothing could be released. 12 things wait until somebody has looked"), "{said}");
        let one = BulkRow { counts: Counts { waiting: 1, ..Counts::default() }, ..row };
        let by = Actor { name: "M. Vella".into(), ..Actor::default() };
        for (state, want) in [
            (State::Paused, "1 thing waits until it goes on; what was asked already goes on."),
            (State::Aborted { why: "too many failed".into() }, "Too many failed. 1 thing was not asked."),
            (State::Stopped { by }, "By M. Vella. 1 thing was not asked."),
            (State::Stopped { by: Actor::default() }, "1 thing was not asked."),
        ] {
            assert_eq!(state_sentence(&BulkRow { state, ..one.clone() }, true), want);
        }
    }

    #[test]
    fn how_long_it_takes_counts_the_pauses_between_batches() {
        let rollout = Rollout { batch: 50, every_s: 10, ..Rollout::default() };
        for (things, want) in [(0, 0), (50, 0), (51, 10_000), (312, 60_000)] {
            assert_eq!(lasts_ms(things, &rollout), want, "{things}");
        }
    }

    #[test]
    fn a_dry_run_says_how_many_would_be_asked_and_who_would_not() {
        let run = DryRun { things: 5, changes: 3, offline: 1, same: 1, cannot: 1, ..DryRun::default() };
        assert_eq!(
            found(&run),
            [
                "3 of 5 things would be asked.",
                "1 of them is silent now: the command waits for it until it expires.",
                "1 thing is so already and not asked.",
                "1 thing cannot:",
            ]
        );
        assert_eq!(found(&DryRun { things: 2, same: 2, ..DryRun::default() })[0], "Nothing would change.");
        assert_eq!(found(&DryRun { things: 2, changes: 2, ..DryRun::default() }), ["All 2 things would be asked."]);
        assert_eq!(found(&DryRun { things: 1, changes: 1, ..DryRun::default() }), ["1 thing would be asked."]);
    }
}
