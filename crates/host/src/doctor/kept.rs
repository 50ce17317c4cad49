//! How long the cache keeps what, and what of it is never taken away.

use fleetlens_ipc::diagnostics::{Check, bytes};
use fleetlens_model::figures::{CacheFigures, CacheKind};
use fleetlens_model::keeping::Keeping;
use fleetlens_model::kind::Kind;

/// The limits, and of each kind that has its own ages those.
pub(super) fn limits(keeping: &Keeping) -> Check {
    let usual = Keeping::from(keeping.all).of(Kind::Other);
    let own = Kind::ALL.into_iter().map(|kind| (kind, keeping.of(kind))).filter(|(_, days)| *days != usual);
    let own: String = own.map(|(kind, days)| format!("; of {}: {days}", kind.plural().to_lowercase())).collect();
    Check::ok("cache", format!("it keeps {usual}{own}; in all {} MB at most", keeping.all.max_mb))
}

/// How big the audit log is, which nothing shortens; nothing while it is empty.
pub(super) fn audit(figures: &CacheFigures) -> Option<Check> {
    let (_, share) = figures.kinds.iter().find(|(kind, _)| *kind == CacheKind::Audit)?;
    (share.entries > 0).then(|| {
        let found =
            format!("the audit log has {} entries in {}; it is never trimmed", share.entries, bytes(share.bytes));
        Check::ok("audit", found)
    })
}

#[cfg(test)]
mod tests {
    use fleetlens_model::keeping::Ages;
    use fleetlens_model::record::{Retention, Share};

    use super::*;

    #[test]
    fn what_is_kept_is_told_in_words_and_kinds_only_where_they_differ() {
        let week = Ages { keep_days: Some(7), ..Ages::default() };
        let usual = Ages { keep_days: Some(30), ..Ages::default() };
        let keeping = Keeping::with(Retention::default(), [(Kind::Lamp, week), (Kind::Bin, usual)]);
        let all = "it keeps values 30 days, minutes 365 days, hours for ever";
        assert_eq!(
            limits(&keeping).found,
            format!("{all}; of lamps: values 7 days, minutes 365 days, hours for ever; in all 2000 MB at most")
        );
        assert_eq!(limits(&Retention::default().into()).found, format!("{all}; in all 2000 MB at most"));
    }

    #[test]
    fn the_audit_log_is_told_when_there_is_one() {
        let of = |entries| {
            let kinds = vec![(CacheKind::Audit, Share { entries, bytes: entries * 200 })];
            audit(&CacheFigures { kinds, ..CacheFigures::default() }).map(|check| check.found)
        };
        assert_eq!(of(0), None);
        let told = of(1_000).unwrap();
        assert!(told.starts_with("the audit log has 1000 entries in ") && told.ends_with("never trimmed"), "{told}");
    }
}
