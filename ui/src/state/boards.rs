//! Boards: which there are, the one that is open, what its widgets show, and what a person does to it. What is begun stays here while
//! another part of the window is looked at.

mod host;

use std::collections::BTreeMap;

use fleetlens_ipc::Fault;
use fleetlens_ipc::boards::{Asked, BoardFile, Shown};
use fleetlens_ipc::rows::Chart;
use fleetlens_model::board::{Board, Column, Line, Listed, Mistake, Place, Shows, WIDGETS_MAX, Widget};
use fleetlens_model::identity::Role;
use leptos::prelude::*;
use tr::tr;

use super::chart::Traced;
use super::views::Target;
use crate::clock::Aged;
use crate::lang::said;

/// Steps that can be undone.
const UNDO_MAX: usize = 50;

/// A number of a widget that stays its own while it is moved.
pub type Uid = u32;

/// What one widget shows; `None` until it came.
type Slot = ArcRwSignal<Option<Aged<Shown>>>;

/// What came of the lines of one chart.
pub type Lines = RwSignal<BTreeMap<Traced, Chart>>;

/// A board with a number for each of its widgets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Laid {
    /// The board.
    pub board: Board,
    /// As many as it has widgets, in their order.
    pub uids: Vec<Uid>,
}

impl Laid {
    /// Where a widget stands in the board.
    pub fn nth(&self, uid: Uid) -> Option<usize> {
        self.uids.iter().position(|one| *one == uid)
    }

    /// A widget.
    pub fn widget(&self, uid: Uid) -> Option<&Widget> {
        self.board.widgets.get(self.nth(uid)?)
    }
}

/// From where the open board is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// Its id; `None` for one that was never kept.
    pub id: Option<String>,
    /// The mark of its text.
    pub seen: Option<u64>,
    /// Its file; empty for one that comes with the program.
    pub file: String,
    /// Whether one of this id comes with the program.
    pub is_built_in: bool,
}

/// Boards. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Boards {
    /// Which there are; `None` until they were read.
    pub shelf: RwSignal<Option<Result<Vec<BoardFile>, Fault>>>,
    /// From where the open one is; `None` while none is open.
    pub origin: RwSignal<Option<Origin>>,
    /// The open one, as it stands on the screen.
    pub laid: RwSignal<Laid>,
    /// What was wrong in its text.
    pub mistakes: RwSignal<Vec<Mistake>>,
    /// Why the open one cannot be shown at all.
    pub unread: RwSignal<Option<String>>,
    /// Whether it is being arranged.
    pub editing: RwSignal<bool>,
    /// How it was before, the newest last.
    pub undo: RwSignal<Vec<Laid>>,
    /// What was done last, for who cannot see it.
    pub said: RwSignal<String>,
    /// Why the last saving failed; true when the file was changed meanwhile.
    pub refused: RwSignal<Option<(bool, String)>>,
    /// Whether it is being saved.
    pub saving: RwSignal<bool>,
    /// What the widgets show, in their order as they were asked for; `None` of one that has not come.
    shown: RwSignal<Vec<Slot>>,
    /// Who each of them is for, and what it asks.
    asked_for: StoredValue<Vec<(Uid, Asked)>>,
    /// The lines of the charts that are on the screen.
    lines: StoredValue<BTreeMap<Uid, Lines>>,
    /// How the open one is kept.
    kept: StoredValue<Laid>,
    last_uid: StoredValue<Uid>,
}

impl Boards {
    pub(super) fn new() -> Boards {
        Boards {
            shelf: RwSignal::new(None),
            origin: RwSignal::new(None),
            laid: RwSignal::new(Laid::default()),
            mistakes: RwSignal::new(Vec::new()),
            unread: RwSignal::new(None),
            editing: RwSignal::new(false),
            undo: RwSignal::new(Vec::new()),
            said: RwSignal::new(String::new()),
            refused: RwSignal::new(None),
            saving: RwSignal::new(false),
            shown: RwSignal::new(Vec::new()),
            asked_for: StoredValue::new(Vec::new()),
            lines: StoredValue::new(BTreeMap::new()),
            kept: StoredValue::new(Laid::default()),
            last_uid: StoredValue::new(0),
        }
    }

    /// Another fleet has other boards.
    pub(super) fn clear(self) {
        self.shelf.set(None);
        // What somebody arranges is theirs, whatever it shows now.
        if !self.editing.get_untracked() {
            self.shut();
        }
    }

    fn shut(self) {
        self.origin.set(None);
        self.laid.set(Laid::default());
        self.mistakes.set(Vec::new());
        self.unread.set(None);
        self.undo.set(Vec::new());
        self.refused.set(None);
        self.editing.set(false);
    }

    fn next_uid(self) -> Uid {
        self.last_uid
            .try_update_value(|last| {
                *last += 1;
                *last
            })
            .unwrap_or(0)
    }

    fn lay(self, board: Board) -> Laid {
        let uids = board.widgets.iter().map(|_| self.next_uid()).collect();
        Laid { board, uids }
    }

    /// Opens a board of the shelf.
    pub fn open(self, file: &BoardFile) {
        self.shut();
        let BoardFile { id, text, seen, file: path, is_built_in, fault } = file;
        let origin = Origin { id: Some(id.clone()), seen: Some(*seen), file: path.clone(), is_built_in: *is_built_in };
        self.origin.set(Some(origin));
        if !fault.is_empty() {
            return self.unread.set(Some(fault.clone()));
        }
        match Board::read(text) {
            Ok((board, mistakes)) => {
                let laid = self.lay(board);
                self.kept.set_value(laid.clone());
                self.laid.set(laid);
                self.mistakes.set(mistakes);
            }
            Err(Mistake { line, message }) => {
                let name = if path.is_empty() { id } else { path };
                self.unread.set(Some(tr!("Line {line} of {name}: {message}", line, name, message)));
            }
        }
    }

    /// Begins with a board that is kept nowhere yet.
    pub fn begin(self, board: Board, mistakes: Vec<Mistake>) {
        self.shut();
        self.origin.set(Some(Origin::default()));
        self.kept.set_value(Laid::default());
        self.laid.set(self.lay(board));
        self.mistakes.set(mistakes);
        self.editing.set(true);
    }

    /// Whether something of it is not kept; tracked.
    pub fn is_changed(self) -> bool {
        self.laid.with(|laid| self.kept.with_value(|kept| *laid != *kept))
    }

    /// Does something to the board that can be undone, and says so.
    pub fn change(self, said: impl Into<String>, change: impl FnOnce(&mut Laid)) {
        let before = self.laid.get_untracked();
        self.laid.update(change);
        self.remember(before);
        self.said.set(said.into());
    }

    /// What the board was before something was done to it by and by.
    pub fn remember(self, before: Laid) {
        if self.laid.with_untracked(|now| *now == before) {
            return;
        }
        self.undo.update(|undo| {
            undo.push(before);
            let over = undo.len().saturating_sub(UNDO_MAX);
            undo.drain(..over);
        });
    }

    /// Takes the last step back.
    pub fn step_back(self) {
        let before = self.undo.try_update(Vec::pop).flatten();
        if let Some(before) = before {
            self.laid.set(before);
            self.said.set(said("Undone").into());
        }
    }

    /// Puts a widget somewhere.
    pub fn put(self, uid: Uid, place: Place) {
        let place = place.fitted();
        self.change(place_words(place), |laid| {
            if let Some(nth) = laid.nth(uid) {
                laid.board.put(nth, place);
            }
        });
    }

    /// Adds a widget where there is room, and gives its number; `None` where the board is full.
    pub fn add(self, title: String, shows: Shows) -> Option<Uid> {
        if self.laid.with_untracked(|laid| laid.board.widgets.len() >= WIDGETS_MAX) {
            return None;
        }
        let uid = self.next_uid();
        let (w, h) = Shows::first_size(shows.word());
        self.change(tr!("A {} was added", said(shows.word())), |laid| {
            let place = laid.board.free(w, h);
            laid.board.widgets.push(Widget { title, place, shows });
            laid.uids.push(uid);
        });
        Some(uid)
    }

    /// Takes a widget of this title away. Gives the one that is read after it, or before it where it was the last.
    pub fn remove(self, uid: Uid, title: &str) -> Option<Uid> {
        let order: Vec<Uid> = self.laid.with_untracked(|laid| {
            laid.board.in_reading_order().into_iter().filter_map(|nth| laid.uids.get(nth).copied()).collect()
        });
        let at = order.iter().position(|one| *one == uid)?;
        self.change(tr!("{} was taken away", title), |laid| {
            if let Some(nth) = laid.nth(uid) {
                laid.board.widgets.remove(nth);
                laid.uids.remove(nth);
            }
        });
        order.get(at + 1).or_else(|| order.get(at.checked_sub(1)?)).copied()
    }

    /// The board is kept as it was `saved`, and what was done to it since is not. Its widgets stay the same.
    fn is_kept(self, file: &BoardFile, saved: Laid) {
        let BoardFile { id, text, seen, file, is_built_in, .. } = file.clone();
        self.origin.set(Some(Origin { id: Some(id), seen: Some(seen), file, is_built_in }));
        self.mistakes.set(Board::read(&text).map(|(_, mistakes)| mistakes).unwrap_or_default());
        if self.laid.with_untracked(|laid| *laid == saved) {
            self.editing.set(false);
            self.undo.set(Vec::new());
        }
        self.kept.set_value(saved);
        // Whether it is changed is asked of both.
        self.laid.notify();
        self.said.set(said("Saved").into());
    }

    /// Gives everything that is not kept up.
    pub fn discard(self) {
        let origin = self.origin.get_untracked();
        self.refused.set(None);
        self.undo.set(Vec::new());
        self.editing.set(false);
        match origin {
            Some(Origin { id: Some(_), .. }) => self.laid.set(self.kept.get_value()),
            Some(_) | None => self.shut(),
        }
    }

    /// The lines of a chart's widget, there while it is on the screen.
    pub fn lines_of(self, uid: Uid) -> Lines {
        let lines = RwSignal::new(BTreeMap::new());
        self.lines.update_value(|all| {
            all.insert(uid, lines);
        });
        on_cleanup(move || {
            self.lines.try_update_value(|all| all.remove(&uid));
        });
        lines
    }

    pub(super) fn take_all(self, shown: Vec<Shown>, at_ms: f64) {
        let slots = self.shown.with_untracked(Vec::clone);
        for (slot, row) in slots.iter().zip(shown) {
            slot.set(Some(Aged { row, at_ms }));
        }
    }

    pub(super) fn take(self, at: u32, shown: Shown, at_ms: f64) {
        let slot = self.shown.with_untracked(|all| all.get(at as usize).cloned());
        if let Some(slot) = slot {
            slot.set(Some(Aged { row: shown, at_ms }));
        }
    }

    /// What a widget shows; `None` until it came. Tracked.
    pub fn shown_of(self, uid: Uid) -> Option<Aged<Shown>> {
        let slot = self.shown.with(|all| {
            let nth = self.asked_for.with_value(|asked| asked.iter().position(|(one, _)| *one == uid))?;
            all.get(nth).cloned()
        });
        slot?.get()
    }

    /// Others are asked for from now on. What asks the same as before goes on showing what it shows.
    fn ask_for(self, asked: Vec<(Uid, Asked)>) {
        let (before, slots) = (self.asked_for.get_value(), self.shown.with_untracked(Vec::clone));
        let slot = |one: &(Uid, Asked)| {
            let nth = before.iter().position(|known| known == one);
            nth.and_then(|nth| slots.get(nth).cloned()).unwrap_or_default()
        };
        let now = asked.iter().map(slot).collect();
        self.asked_for.set_value(asked);
        self.shown.set(now);
    }

    pub(super) fn with_line(self, target: Target, change: impl FnOnce(&mut BTreeMap<Traced, Chart>)) {
        let Target::BoardLine(uid, _) = target else { return };
        if let Some(lines) = self.lines.with_value(|all| all.get(&uid).copied()) {
            lines.try_update(change);
        }
    }
}

/// Where a widget stands, in words.
pub fn place_words(Place { x, y, w, h }: Place) -> String {
    tr!("Column {x}, row {y}, {w} wide, {h} high", x = x + 1, y = y + 1, w, h)
}

/// What a widget asks of the host.
pub fn asked(shows: &Shows) -> Asked {
    match shows {
        Shows::Figure { query, of, value } => Asked::Figure { query: query.clone(), of: *of, value: value.clone() },
        Shows::Chart { lines, .. } => Asked::Lines(lines.clone()),
        Shows::Table { query, columns } => {
            let value = |column: &Column| match column {
                Column::Value(pointer) => Some(pointer.clone()),
                Column::Kind | Column::Place | Column::Status | Column::Main | Column::Heard | Column::Alarm => None,
            };
            Asked::Table { query: query.clone(), values: columns.iter().filter_map(value).collect() }
        }
        Shows::Map { query, area } => Asked::Map { query: query.clone(), area: *area },
        Shows::List { of, query } => Asked::Alarms { unseen: *of == Listed::Attention, query: query.clone() },
        Shows::Gauge { thing, value, .. } => Asked::Gauge(Line { thing: thing.clone(), value: value.clone() }),
        Shows::Heat { query, .. } => Asked::Parks { query: query.clone() },
        Shows::Text(_) | Shows::Unread { .. } => Asked::Nothing,
    }
}

/// The board that opens first for a role: one that is for it, else the first.
pub fn first_for(all: &[BoardFile], role: Role) -> Option<&BoardFile> {
    let is_for = |file: &&BoardFile| Board::read(&file.text).is_ok_and(|(board, _)| board.roles.contains(&role));
    all.iter().find(is_for).or_else(|| all.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Boards {
        let boards = Boards::new();
        let text = "version = 1\nname = \"B\"\n[[widget]]\nkind = \"text\"\ntext = \"a\"\nat = { x = 0, y = 0, w = 4, h = 2 }\n";
        boards.open(&BoardFile {
            id: "b".into(),
            text: text.into(),
            seen: 7,
            file: "/b.toml".into(),
            is_built_in: false,
            fault: String::new(),
        });
        boards
    }

    #[test]
    fn what_is_done_to_a_board_can_be_undone_and_discarded() {
        Owner::new().with(|| {
            let boards = desk();
            assert!(!boards.is_changed());
            boards.editing.set(true);
            let uid = boards.add("T".into(), Shows::Text("b".into())).unwrap();
            assert_eq!(boards.laid.with(|laid| laid.widget(uid).unwrap().place.x), 4, "beside the other");
            boards.put(uid, Place { x: 0, y: 0, w: 4, h: 2 });
            let first = boards.laid.with(|laid| laid.board.widgets[0].place);
            assert_eq!(first.y, 2, "it gave way");
            assert_eq!(boards.said.get(), "Column 1, row 1, 4 wide, 2 high");
            boards.put(uid, Place { x: 0, y: 0, w: 4, h: 2 });
            assert_eq!(boards.undo.with(Vec::len), 2, "what changed nothing is no step");
            let first = boards.laid.with(|laid| laid.uids[0]);
            assert_eq!(boards.remove(uid, "T"), Some(first), "it is read after it");
            assert_eq!(boards.said.get(), "T was taken away");
            boards.step_back();
            assert!(boards.laid.with(|laid| laid.widget(uid).is_some()));
            boards.step_back();
            boards.step_back();
            assert!(!boards.is_changed(), "as it was");
            boards.step_back();
            assert_eq!(boards.remove(boards.laid.with(|laid| laid.uids[0]), "a"), None, "it was the only one");
            boards.discard();
            assert!(!boards.is_changed() && !boards.editing.get());
        });
    }

    #[test]
    fn what_was_done_while_it_was_saved_is_not_taken_for_kept() {
        Owner::new().with(|| {
            let boards = desk();
            boards.editing.set(true);
            boards.add(String::new(), Shows::Text("b".into()));
            let saved = boards.laid.get();
            let text = saved.board.print();
            let file = BoardFile {
                id: "b".into(),
                text,
                seen: 8,
                file: "/b.toml".into(),
                is_built_in: false,
                fault: String::new(),
            };
            boards.add(String::new(), Shows::Text("c".into()));
            boards.is_kept(&file, saved);
            assert!(boards.editing.get() && boards.is_changed());
            boards.is_kept(&file, boards.laid.get());
            assert!(!boards.editing.get() && !boards.is_changed());
            assert_eq!(boards.origin.with(|origin| origin.as_ref().and_then(|it| it.seen)), Some(8));
        });
    }

    #[test]
    fn what_asks_the_same_goes_on_showing_it_while_others_come() {
        Owner::new().with(|| {
            let boards = desk();
            let count = |query: &str| Asked::Parks { query: query.into() };
            let parks = |left_out| Shown::Parks { parks: Vec::new(), left_out };
            boards.ask_for(vec![(1, count("a")), (2, count("b"))]);
            assert_eq!(boards.shown_of(1), None);
            boards.take_all(vec![parks(1), parks(2)], 0.0);
            boards.ask_for(vec![(3, count("a")), (2, count("b")), (1, count("c"))]);
            let shown = [1, 2, 3].map(|uid| boards.shown_of(uid).map(|shown| shown.row));
            assert_eq!(shown, [None, Some(parks(2)), None]);
            boards.take(1, parks(9), 0.0);
            assert_eq!(boards.shown_of(2).map(|shown| shown.row), Some(parks(9)));
        });
    }

    #[test]
    fn another_fleet_takes_no_board_from_who_arranges_one() {
        Owner::new().with(|| {
            let boards = desk();
            boards.editing.set(true);
            boards.clear();
            assert!(boards.origin.with(Option::is_some));
            boards.discard();
            boards.clear();
            assert!(boards.origin.with(Option::is_none));
            boards.begin(Board { name: "New".into(), ..Board::default() }, Vec::new());
            assert!(boards.is_changed() && boards.editing.get());
            boards.discard();
            assert!(boards.origin.with(Option::is_none), "one that was never kept is gone");
        });
    }
}
