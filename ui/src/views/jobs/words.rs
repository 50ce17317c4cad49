//! What is said of jobs, in words.

use fleetlens_model::job::{JobCounts, JobStanding, JobStatus};

use crate::format;
use crate::lang::said;

/// Where a thing is, in a word or two.
pub fn label(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Queued => said("queued"),
        JobStatus::InProgress => said("in progress"),
        JobStatus::Succeeded => said("succeeded"),
        JobStatus::Failed => said("failed"),
        JobStatus::TimedOut => said("timed out"),
        JobStatus::Rejected => said("rejected"),
        JobStatus::Canceled => said("canceled"),
        JobStatus::Removed => said("removed"),
    }
}

/// Colour and shape of a status, as the style sheets name them.
pub fn tone(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Queued => "queued",
        JobStatus::InProgress => "waiting",
        JobStatus::Succeeded => "settled",
        JobStatus::Failed | JobStatus::Rejected => "rejected",
        JobStatus::TimedOut => "expired",
        JobStatus::Canceled | JobStatus::Removed => "over",
    }
}

/// `12 queued · 3 in progress · 40 succeeded · 2 failed`: only what there is.
pub fn counts_words(counts: &JobCounts) -> String {
    let told = JobStatus::ALL.into_iter().filter(|status| counts.of(*status) > 0);
    let told = told.map(|status| format!("{} {}", format::count(u64::from(counts.of(status))), label(status)));
    told.collect::<Vec<_>>().join(" · ")
}

/// The parts of a bar in percent, what is done first: so the bar fills from its beginning.
pub fn shares(counts: &JobCounts) -> Vec<(JobStatus, f64)> {
    let total = f64::from(counts.total().max(1));
    let order = [
        JobStatus::Succeeded,
        JobStatus::Failed,
        JobStatus::TimedOut,
        JobStatus::Rejected,
        JobStatus::Canceled,
        JobStatus::Removed,
        JobStatus::InProgress,
        JobStatus::Queued,
    ];
    let share = |status| (status, 100.0 * f64::from(counts.of(status)) / total);
    order.into_iter().map(share).filter(|(_, share)| *share > 0.0).collect()
}

/// Where a job is as a whole. That all things of which we heard are done does not say that it is over.
pub fn standing_words(standing: JobStanding, counts: &JobCounts) -> &'static str {
    match standing {
        JobStanding::Going if counts.total() > 0 && counts.over() == counts.total() => said("None under way"),
        JobStanding::Going if vain(counts) > 0 => said("Going on, some failed"),
        JobStanding::Going => said("Going on"),
        JobStanding::Canceling => said("Being canceled"),
        JobStanding::Completed if vain(counts) > 0 => said("Completed, some failed"),
        JobStanding::Completed => said("Completed"),
        JobStanding::Canceled => said("Canceled"),
        JobStanding::Deleting => said("Being deleted"),
        JobStanding::Deleted => said("Deleted"),
    }
}

/// Colour and shape of a job as a whole.
pub fn standing_tone(standing: JobStanding, counts: &JobCounts) -> &'static str {
    match standing {
        _ if vain(counts) > 0 => "expired",
        JobStanding::Going | JobStanding::Canceling | JobStanding::Deleting => "waiting",
        JobStanding::Completed => "settled",
        JobStanding::Canceled | JobStanding::Deleted => "over",
    }
}

/// Things that were to do it and did not.
fn vain(counts: &JobCounts) -> u32 {
    counts.failed.saturating_add(counts.timed_out).saturating_add(counts.rejected)
}

/// What a job has things do: `firmware_update 2.5.0` as `Firmware update 2.5.0`.
pub fn what(told: &str) -> String {
    if told.is_empty() { said("what it does was not told").into() } else { format::capital(&told.replace('_', " ")) }
}

/// What a thing said of it, after how far it is: `step: flash`.
pub fn details(progress_pct: Option<u8>, told: &str) -> String {
    match (progress_pct, told) {
        (Some(pct), "") => format!("{pct} %"),
        (Some(pct), told) => format!("{pct} % · {told}"),
        (None, told) => told.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_in_words_and_its_bar_says_the_same() {
        let counts = JobCounts { queued: 1_200, in_progress: 30, succeeded: 768, failed: 2, ..JobCounts::default() };
        let words = counts_words(&counts).replace(['\u{202f}', '\u{a0}'], " ");
        assert_eq!(words, "1 200 queued · 30 in progress · 768 succeeded · 2 failed");
        let parts = shares(&counts);
        assert_eq!(parts.first(), Some(&(JobStatus::Succeeded, 38.4)), "what is done stands first");
        assert_eq!(parts.len(), 4);
        assert!((parts.iter().map(|(_, share)| share).sum::<f64>() - 100.0).abs() < 1e-9);
        assert_eq!((counts_words(&JobCounts::default()), shares(&JobCounts::default()).len()), (String::new(), 0));
    }

    #[test]
    fn a_job_of_which_some_came_to_nothing_does_not_look_as_if_all_were_well() {
        let well = JobCounts { succeeded: 3, ..JobCounts::default() };
        let ill = JobCounts { failed: 1, ..well };
        for (standing, counts, words, tone) in [
            (JobStanding::Completed, well, "Completed", "settled"),
            (JobStanding::Completed, ill, "Completed, some failed", "expired"),
            (JobStanding::Going, well, "None under way", "waiting"),
            (JobStanding::Going, JobCounts::default(), "Going on", "waiting"),
            (JobStanding::Going, JobCounts { queued: 1, ..ill }, "Going on, some failed", "expired"),
            (JobStanding::Canceled, well, "Canceled", "over"),
        ] {
            assert_eq!((standing_words(standing, &counts), standing_tone(standing, &counts)), (words, tone));
        }
    }

    #[test]
    fn what_was_not_told_is_said_to_be_so() {
        assert_eq!(what("firmware_update 2.5.0"), "Firmware update 2.5.0");
        assert_eq!(what(""), "what it does was not told");
        let told = [(Some(40), "step: flash"), (Some(40), ""), (None, "reason: x"), (None, "")];
        assert_eq!(told.map(|(pct, text)| details(pct, text)), ["40 % · step: flash", "40 %", "reason: x", ""]);
    }
}
