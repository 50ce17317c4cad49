//! Boards that somebody pastes.

use fleetlens_model::board::{Board, TEXT_MAX_BYTES, WIDGETS_MAX};

/// A board: what is read keeps its bounds, and is read the same once it is printed.
pub fn board(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok((board, mistakes)) = Board::read(&text) else { return };
    assert!(text.len() <= TEXT_MAX_BYTES && board.widgets.len() <= WIDGETS_MAX, "{text:?} is over the bounds");
    for (nth, widget) in board.widgets.iter().enumerate() {
        let over = board.widgets.iter().skip(nth + 1).find(|other| other.place.lies_over(widget.place));
        assert!(over.is_none(), "{text:?} has a widget over another");
    }
    assert!(mistakes.iter().all(|mistake| mistake.line > 0), "{text:?} has a mistake nowhere");
    let printed = board.print();
    if printed.len() > TEXT_MAX_BYTES {
        return;
    }
    let again = Board::read(&printed).map(|(board, _)| board);
    assert_eq!(again.as_ref(), Ok(&board), "{text:?} and {printed:?}");
}
