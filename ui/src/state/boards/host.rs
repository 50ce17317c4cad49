//! What is asked of the host for boards: their files, what they show, and the lines of their charts.

use fleetlens_chart::stretch::Read;
use fleetlens_ipc::boards::{Asked, BoardAsk, BoardDone, Heat};
use fleetlens_ipc::{Done, FaultCode, Intent, Look};
use fleetlens_model::id::SeriesKey;
use leptos::prelude::*;
use tr::tr;

use super::{Origin, Uid, first_for};
use crate::state::Store;
use crate::state::views::Target;

fn of_boards(done: Done) -> Option<BoardDone> {
    if let Done::Boards(done) = done { Some(done) } else { None }
}

impl Store {
    /// Reads which boards there are, and opens the one that was open, else the first for who is at the screen.
    pub fn read_boards(self) {
        self.ask_for(Intent::Boards(BoardAsk::Read), of_boards, move |outcome| {
            let read = outcome.map(|done| match done {
                BoardDone::Shelf(all) => all,
                BoardDone::Kept(_) | BoardDone::Removed | BoardDone::Heat(_) => Vec::new(),
            });
            let boards = self.boards;
            if !boards.editing.get_untracked()
                && let Ok(all) = &read
            {
                let wanted = self.whereabouts.board.try_update_value(Option::take).flatten();
                if let Some(id) = wanted.as_ref().filter(|id| !all.iter().any(|file| file.id == **id)) {
                    self.notify(tr!("There is no board {} here, or it is not for this role.", id));
                }
                let wanted = wanted.filter(|id| all.iter().any(|file| file.id == *id));
                let open = boards.origin.with_untracked(|origin| origin.as_ref().and_then(|it| it.id.clone()));
                let open = wanted.or(open);
                let same = all.iter().find(|file| Some(&file.id) == open.as_ref());
                let role = self.status.with_untracked(|status| status.as_ref().map(|it| it.row.who.role));
                let next = same.or_else(|| first_for(all, role.unwrap_or_default()));
                match next {
                    Some(file) => {
                        let seen = boards.origin.with_untracked(|it| it.as_ref().and_then(|it| it.seen));
                        let is_same = boards
                            .origin
                            .with_untracked(|it| it.as_ref().and_then(|it| it.id.as_ref()) == Some(&file.id));
                        if seen != Some(file.seen) || !is_same {
                            boards.open(file);
                        }
                    }
                    None => boards.shut(),
                }
            }
            boards.shelf.set(Some(read));
        });
    }

    /// Opens the board of this id, once it is known which there are; says so where there is none.
    pub fn open_board(self, id: String) {
        if self.boards.editing.get_untracked() {
            return self.notify(tr!("A board is being arranged; save or discard it, then {} can be opened.", id));
        }
        self.whereabouts.board.set_value(Some(id));
        // Before the shelf is there, the section reads it.
        if self.boards.shelf.with_untracked(Option::is_some) {
            self.read_boards();
        }
    }

    /// Keeps the open board, or a new one of it.
    pub fn keep_board(self, as_new: bool) {
        let boards = self.boards;
        let Some(origin) = boards.origin.get_untracked() else { return };
        let (id, seen) = if as_new { (None, None) } else { (origin.id, origin.seen) };
        let saved = boards.laid.get_untracked();
        let text = saved.board.print();
        boards.saving.set(true);
        boards.refused.set(None);
        self.ask_for(Intent::Boards(BoardAsk::Keep { id, text, seen }), of_boards, move |outcome| {
            boards.saving.set(false);
            match outcome {
                Ok(BoardDone::Kept(file)) => {
                    boards.is_kept(&file, saved);
                    self.read_boards();
                }
                Ok(BoardDone::Shelf(_) | BoardDone::Removed | BoardDone::Heat(_)) => {}
                Err(fault) => boards.refused.set(Some((fault.code == FaultCode::TooLate, fault.message))),
            }
        });
    }

    /// Takes the file of the open board away.
    pub fn remove_board(self) {
        let boards = self.boards;
        let Some(Origin { id: Some(id), seen: Some(seen), .. }) = boards.origin.get_untracked() else { return };
        self.ask_for(Intent::Boards(BoardAsk::Remove { id, seen }), of_boards, move |outcome| match outcome {
            Ok(_) => {
                boards.shut();
                self.read_boards();
            }
            Err(fault) => self.notify(fault.message),
        });
    }

    /// Asks how full car parks were; `then` is called once.
    pub fn ask_heat(
        self,
        parks: Vec<(SeriesKey, u32)>,
        weeks: u32,
        utc_offset_min: i32,
        then: impl FnOnce(Result<Heat, String>) + 'static,
    ) {
        let ask = BoardAsk::Heat { parks, weeks, utc_offset_min };
        let heat = |done| match of_boards(done)? {
            BoardDone::Heat(heat) => Some(heat),
            BoardDone::Shelf(_) | BoardDone::Kept(_) | BoardDone::Removed => None,
        };
        self.ask_for(Intent::Boards(ask), heat, move |outcome| then(outcome.map_err(|fault| fault.message)));
    }

    /// Looks at what these widgets show, from now on.
    pub fn look_at_board(self, asked: Vec<(Uid, Asked)>) {
        let questions = asked.iter().map(|(_, asked)| asked.clone()).collect();
        self.boards.ask_for(asked);
        self.look(Target::Board, Look::Board { asked: questions });
    }

    /// Nobody looks at the board any more.
    pub fn look_away_from_board(self) {
        self.away(Target::Board);
        self.boards.ask_for(Vec::new());
    }

    /// Looks at a line of a chart of the board.
    pub fn look_at_line(self, uid: Uid, series: SeriesKey, read: Read) {
        let Read { until_ms, span_ms, buckets } = read;
        self.look(Target::BoardLine(uid, series), Look::Chart { series, until_ms, span_ms, buckets });
    }

    /// Looks at it no longer.
    pub fn look_away_from_line(self, uid: Uid, series: SeriesKey) {
        self.away(Target::BoardLine(uid, series));
    }
}
