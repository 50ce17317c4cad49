//! Which views this window has open and how far each is: the window's half of "How a view lives" in `fleetlens_ipc`. Pure.

use std::collections::BTreeMap;

use fleetlens_ipc::{AlarmScope, Call, Look, Scope, ViewId};

use fleetlens_model::id::SeriesKey;

use super::boards::Uid;
use super::chart::Traced;

/// What a view is for. At most one view is open for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The app as a whole.
    Status,
    /// Everything on the map.
    Map,
    /// What the map stands on.
    Ground,
    /// What needs a person.
    Attention,
    /// The thing in the drawer or on the page.
    Thing,
    /// The thing under the pointer.
    Hover,
    /// A line of the chart of the thing.
    Chart(Traced),
    /// What was typed to find another thing for the chart.
    Other,
    /// The other thing, a value of which may be added to the chart.
    OtherThing,
    /// What was typed into the find box.
    Find,
    /// What was typed into the command palette.
    Palette,
    /// A thing of which only the name is known.
    Named,
    /// The table of things.
    Things,
    /// The table of alarms.
    AlarmTable,
    /// The alarms of a tab.
    Alarms(AlarmScope),
    /// The alarms of a tab, for the one that a link means.
    SoughtAlarm(AlarmScope),
    /// The commands of all things, open or over.
    Commands(Scope),
    /// The bulk commands.
    Bulks,
    /// The bulk command that is open.
    Bulk,
    /// What is wanted and not so for too long.
    NotConverged,
    /// All jobs.
    Jobs,
    /// The job that is open.
    Job,
    /// The firmware in the field.
    Firmware,
    /// Car parks near a place.
    Parking,
    /// The last messages of the thing.
    Messages,
    /// What the widgets of the open board show.
    Board,
    /// A line of a chart of the open board.
    BoardLine(Uid, SeriesKey),
    /// How the program is set.
    Settings,
}

#[derive(Clone, Debug)]
struct Open {
    target: Target,
    look: Look,
    /// The last revision applied; `None` until the snapshot comes.
    rev: Option<u64>,
}

/// What to do with a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Take {
    /// It is the next one: apply it.
    Apply(Target),
    /// Of a view that was closed, or that waits for its snapshot: leave it.
    Leave,
    /// Something is missing between: say this, and wait for the snapshot.
    Behind(Call),
}

/// The open views.
#[derive(Clone, Debug, Default)]
pub struct Views {
    last_id: u32,
    open: BTreeMap<ViewId, Open>,
}

impl Views {
    /// Looks at something for a target, instead of what the target looked at before; what to say, in order.
    /// The map, and another stretch of the same table, keep their number, so that the host can reuse what it holds; the others
    /// get a new one, so that a late frame of the old view can never be taken for the new.
    pub fn look(&mut self, target: Target, look: Look) -> Vec<Call> {
        let old = self.of(target);
        let is_kept = |view: &ViewId| self.open.get(view).is_some_and(|open| goes_on(&open.look, &look));
        let mut calls = Vec::new();
        let view = match old.filter(is_kept) {
            Some(view) => view,
            None => {
                calls.extend(old.map(|view| Call::LookAway { view }));
                self.open.retain(|_, open| open.target != target);
                self.last_id += 1;
                ViewId(self.last_id)
            }
        };
        self.open.insert(view, Open { target, look: only_once(look.clone()), rev: None });
        calls.push(Call::Look { view, at: look });
        calls
    }

    /// Whether a target looks at something.
    pub fn is_open(&self, target: Target) -> bool {
        self.of(target).is_some()
    }

    /// Closes what a target looked at.
    pub fn away(&mut self, target: Target) -> Option<Call> {
        let view = self.of(target)?;
        self.open.remove(&view);
        Some(Call::LookAway { view })
    }

    /// Asks for a target's view from the start.
    pub fn again(&mut self, target: Target) -> Option<Call> {
        let view = self.of(target)?;
        let open = self.open.get_mut(&view)?;
        open.rev = None;
        Some(Call::Look { view, at: open.look.clone() })
    }

    /// Asks for every open view from the start.
    pub fn all_again(&mut self) -> Vec<Call> {
        let ask = |(view, open): (&ViewId, &mut Open)| {
            open.rev = None;
            Call::Look { view: *view, at: open.look.clone() }
        };
        self.open.iter_mut().map(ask).collect()
    }

    /// A snapshot came: whom it is for, `None` for a view that was closed meanwhile.
    pub fn snapshot(&mut self, view: ViewId) -> Option<Target> {
        let open = self.open.get_mut(&view)?;
        open.rev = Some(1);
        Some(open.target)
    }

    /// A patch came.
    pub fn patch(&mut self, view: ViewId, rev: u64) -> Take {
        let Some(open) = self.open.get_mut(&view) else { return Take::Leave };
        match open.rev {
            None => Take::Leave,
            Some(last) if rev == last + 1 => {
                open.rev = Some(rev);
                Take::Apply(open.target)
            }
            Some(_) => {
                open.rev = None;
                Take::Behind(Call::Look { view, at: open.look.clone() })
            }
        }
    }

    /// The view that a target looks at.
    pub fn of(&self, target: Target) -> Option<ViewId> {
        self.open.iter().find(|(_, open)| open.target == target).map(|(view, _)| *view)
    }
}

/// Whether a look goes on with what the host holds for the one before.
fn goes_on(old: &Look, new: &Look) -> bool {
    match (old, new) {
        (Look::Map { .. }, Look::Map { .. }) => true,
        (Look::AlarmTable { query: old, .. }, Look::AlarmTable { query, .. }) => old == query,
        (Look::Things { query: old, .. }, Look::Things { query, again, .. }) => old == query && !again,
        _ => false,
    }
}

/// A look as it is said when it must be said again: an order is made anew only by a person's wish.
fn only_once(mut look: Look) -> Look {
    if let Look::Things { again, .. } | Look::AlarmTable { again, .. } = &mut look {
        *again = false;
    }
    look
}

#[cfg(test)]
mod tests {
    use fleetlens_ipc::ThingsQuery;
    use fleetlens_model::geo::GeoBox;
    use fleetlens_model::id::ThingKey;

    use super::*;

    fn thing(key: u32) -> Look {
        Look::Thing { thing: ThingKey(key) }
    }

    #[test]
    fn patches_are_applied_in_step_and_a_gap_asks_for_the_view_again() {
        let mut views = Views::default();
        views.look(Target::Thing, thing(7));
        let view = ViewId(1);
        assert_eq!(views.patch(view, 2), Take::Leave, "nothing before the snapshot");
        assert_eq!(views.snapshot(view), Some(Target::Thing));
        assert_eq!(views.patch(view, 2), Take::Apply(Target::Thing));
        assert_eq!(views.patch(view, 3), Take::Apply(Target::Thing));
        assert_eq!(views.patch(view, 5), Take::Behind(Call::Look { view, at: thing(7) }));
        assert_eq!(views.patch(view, 6), Take::Leave, "asked once");
        assert_eq!(views.snapshot(view), Some(Target::Thing));
        assert_eq!(views.patch(view, 2), Take::Apply(Target::Thing));
        assert!(matches!(views.patch(view, 2), Take::Behind(_)), "a revision twice is as wrong as one too few");
    }

    #[test]
    fn frames_of_a_view_that_was_left_are_not_taken_for_the_new_one() {
        let mut views = Views::default();
        views.look(Target::Thing, thing(7));
        views.snapshot(ViewId(1));
        let calls = views.look(Target::Thing, thing(8));
        assert_eq!(calls, [Call::LookAway { view: ViewId(1) }, Call::Look { view: ViewId(2), at: thing(8) }]);
        assert_eq!(views.patch(ViewId(1), 2), Take::Leave);
        assert_eq!(views.snapshot(ViewId(1)), None);
        assert_eq!(views.again(Target::Thing), Some(Call::Look { view: ViewId(2), at: thing(8) }));
        assert_eq!(views.away(Target::Thing), Some(Call::LookAway { view: ViewId(2) }));
        assert_eq!(views.away(Target::Thing), None);
    }

    #[test]
    fn the_map_keeps_its_number_and_waits_for_the_new_area() {
        let mut views = Views::default();
        let earth = Look::Map { area: GeoBox::EARTH };
        views.look(Target::Map, earth.clone());
        views.snapshot(ViewId(1));
        assert_eq!(views.look(Target::Map, earth.clone()), [Call::Look { view: ViewId(1), at: earth }]);
        assert_eq!(views.patch(ViewId(1), 2), Take::Leave, "a patch of the old area");
    }
    #[test]
    fn a_table_keeps_its_order_while_it_scrolls_and_loses_it_when_asked_to() {
        let stretch = |text: &str, first, again| Look::Things {
            query: ThingsQuery { text: text.into(), ..ThingsQuery::default() },
            first,
            count: 90,
            again,
        };
        let mut views = Views::default();
        let mut looked = |look: Look| match views.look(Target::Things, look).as_slice() {
            [Call::Look { view, .. }] => (view.0, false),
            [Call::LookAway { .. }, Call::Look { view, .. }] => (view.0, true),
            other => panic!("{other:?}"),
        };
        assert_eq!(looked(stretch("", 0, false)), (1, false));
        assert_eq!(looked(stretch("", 60, false)), (1, false), "the same table further down");
        assert_eq!(looked(stretch("", 0, true)), (2, true), "sorted again");
        assert_eq!(looked(stretch("", 60, false)), (2, false));
        assert_eq!(looked(stretch("lamp", 0, false)), (3, true), "another query");
        views.look(Target::Things, stretch("lamp", 0, true));
        let again = views.again(Target::Things);
        assert_eq!(
            again,
            Some(Call::Look { view: ViewId(4), at: stretch("lamp", 0, false) }),
            "a gap makes no new order"
        );
    }
}
