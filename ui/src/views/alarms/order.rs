//! Which alarms stand on the screen, which of them are chosen, and which rows are drawn. Pure.

use fleetlens_ipc::rows::AlarmRow;
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::kind::Kind;

/// What a person wants to see of the alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this priority.
    pub priority: Option<Priority>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only those not yet acknowledged.
    pub unseen: bool,
    /// Every word must be in the title, the sentence, the place or what to do.
    pub text: String,
}

impl Filter {
    /// Whether everything is shown.
    pub fn is_off(&self) -> bool {
        Filter { text: self.text.trim().to_owned(), ..self.clone() } == Filter::default()
    }

    /// Whether an alarm is shown.
    pub fn takes(&self, row: &AlarmRow) -> bool {
        self.priority.is_none_or(|priority| priority == row.priority)
            && self.kind.is_none_or(|kind| kind == row.kind)
            && !(self.unseen && row.acknowledged.is_some())
            && self.takes_words(row)
    }

    fn takes_words(&self, row: &AlarmRow) -> bool {
        if self.text.trim().is_empty() {
            return true;
        }
        let said = [&row.title, &row.thing_title, &row.sentence, &row.place, &row.what_to_do];
        let said = said.map(|text| text.to_lowercase()).join(" ");
        self.text.to_lowercase().split_whitespace().all(|word| said.contains(word))
    }
}

/// What is chosen after a click on a row: a plain one turns it over, one with Shift chooses everything from the last one to it.
pub fn choose(
    chosen: &[AlarmId],
    shown: &[AlarmId],
    last: Option<AlarmId>,
    clicked: AlarmId,
    shift: bool,
) -> Vec<AlarmId> {
    let place = |id: AlarmId| shown.iter().position(|known| *known == id);
    if let (true, Some(from), Some(to)) = (shift, last.and_then(place), place(clicked)) {
        let (from, to) = (from.min(to), from.max(to));
        let mut chosen = chosen.to_vec();
        for id in shown.iter().skip(from).take(to - from + 1) {
            if !chosen.contains(id) {
                chosen.push(*id);
            }
        }
        chosen
    } else if chosen.contains(&clicked) {
        chosen.iter().copied().filter(|id| *id != clicked).collect()
    } else {
        chosen.iter().copied().chain([clicked]).collect()
    }
}

/// The rows that are drawn: those in sight of a list of `count` rows of one height, and a few more on either side.
pub fn in_sight(count: usize, row_px: f64, top_px: f64, height_px: f64) -> std::ops::Range<usize> {
    const SPARE: usize = 6;
    let first = (top_px.max(0.0) / row_px).floor() as usize;
    let many = (height_px.max(0.0) / row_px).ceil() as usize + 1;
    first.saturating_sub(SPARE).min(count)..first.saturating_add(many + SPARE).min(count)
}

#[cfg(test)]
mod tests {
    use super::super::sample::alarm;
    use super::*;

    fn ids(ids: &[u64]) -> Vec<AlarmId> {
        ids.iter().map(|id| AlarmId(*id)).collect()
    }

    #[test]
    fn shift_chooses_a_stretch_and_a_plain_click_one() {
        let shown = ids(&[5, 4, 3, 2, 1]);
        for (chosen, last, clicked, shift, want) in [
            (&[][..], None, 4, false, &[4][..]),
            (&[4], Some(4), 4, false, &[]),
            (&[4], Some(4), 2, true, &[4, 3, 2]),
            (&[2], Some(2), 4, true, &[2, 4, 3]),
            (&[], None, 3, true, &[3]),
            (&[4], Some(77), 3, true, &[4, 3]),
        ] {
            let got = choose(&ids(chosen), &shown, last.map(AlarmId), AlarmId(clicked), shift);
            assert_eq!(got, ids(want), "{clicked} with shift {shift} after {last:?}");
        }
    }

    #[test]
    fn a_filter_goes_by_priority_kind_and_every_word() {
        let row = alarm(1, 0);
        for (filter, want) in [
            (Filter::default(), true),
            (Filter { priority: Some(Priority::Critical), ..Filter::default() }, false),
            (Filter { kind: Some(Kind::Bin), ..Filter::default() }, true),
            (Filter { kind: Some(Kind::Lamp), ..Filter::default() }, false),
            (Filter { text: "  FULL valletta".into(), ..Filter::default() }, true),
            (Filter { text: "full gozo".into(), ..Filter::default() }, false),
            (Filter { unseen: true, ..Filter::default() }, true),
        ] {
            assert_eq!(filter.takes(&row), want, "{filter:?}");
        }
        assert!(Filter { text: " ".into(), ..Filter::default() }.is_off());
        assert!(!Filter { unseen: true, ..Filter::default() }.is_off());
    }

    #[test]
    fn only_rows_in_sight_are_drawn() {
        assert_eq!(in_sight(2_000, 60.0, 0.0, 600.0), 0..17);
        assert_eq!(in_sight(2_000, 60.0, 6_000.0, 600.0), 94..117);
        assert_eq!(in_sight(3, 60.0, 6_000.0, 600.0), 3..3);
        assert_eq!(in_sight(0, 60.0, 0.0, 600.0), 0..0);
    }
}
