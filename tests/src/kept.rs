//! Pictures of the window that were looked at and kept, and whether it still looks like them.
//!
//! They lie in `tests/pictures`. After a change that is meant, `FLEETLENS_KEEP_PICTURES=1` before the test's command writes them anew; look at
//! them before they are committed.

use std::fs;
use std::path::PathBuf;

use crate::picture::{Area, Picture};
use crate::place;

/// Edge of the squares that are compared, in pixels: the edge of a letter may lie half a pixel elsewhere.
const SQUARE_PX: usize = 4;

/// How far the mean of a square may be from the kept one, in a channel.
const APART: f64 = 28.0;

/// How many squares may be further apart: a blinking caret, a letter.
const SQUARES_MOST: usize = 12;

/// The same where another version of the browser drew the kept ones, which draws every letter a little otherwise, as a part of all.
const PART_MOST: f64 = 0.01;

/// Compares a picture with the kept one of its name; `drawn_by` is the browser and its version. What differs is marked in a picture in
/// `target/e2e`, named in the panic.
pub fn assert_as_kept(name: &str, picture: &Picture, drawn_by: &str) {
    let path = folder().join(format!("{name}.png"));
    if std::env::var_os("FLEETLENS_KEEP_PICTURES").is_some() {
        fs::create_dir_all(folder()).expect("the folder of kept pictures can be made");
        fs::write(&path, picture.png()).unwrap_or_else(|e| panic!("cannot keep {}: {e}", path.display()));
        fs::write(folder().join("drawn-by.txt"), format!("{drawn_by}\n")).expect("the folder can be written");
        return;
    }
    let bytes = fs::read(&path).unwrap_or_else(|e| {
        panic!("there is no picture to compare with, {}: {e}; FLEETLENS_KEEP_PICTURES=1 keeps this one", path.display())
    });
    let kept = Picture::read(&bytes);
    assert_eq!(picture.size(), kept.size(), "{name} has another size than the kept one, {}", path.display());
    let kept_by = fs::read_to_string(folder().join("drawn-by.txt")).unwrap_or_default();
    let apart = squares_apart(picture, &kept);
    let squares = (kept.size().0 / SQUARE_PX) * (kept.size().1 / SQUARE_PX);
    let most = if kept_by.trim() == drawn_by {
        SQUARES_MOST
    } else {
        println!("{name} was kept with {}, this is {drawn_by}: compared less closely", kept_by.trim());
        (squares as f64 * PART_MOST) as usize
    };
    if apart.len() > most {
        let marked = place::results().join(format!("DIFFERS-{name}.png"));
        fs::write(&marked, picture.marked(&apart).png()).expect("the results can be written");
        panic!(
            "{name} no longer looks as it was kept: {} of {squares} squares differ, at most {most} may; see {} beside {}",
            apart.len(),
            marked.display(),
            path.display()
        );
    }
}

fn folder() -> PathBuf {
    place::root().join("tests/pictures")
}

fn squares_apart(one: &Picture, other: &Picture) -> Vec<Area> {
    let (width, height) = one.size();
    let squares = (0..height / SQUARE_PX).flat_map(|row| (0..width / SQUARE_PX).map(move |column| (column, row)));
    squares
        .map(|(x, y)| Area { x: x * SQUARE_PX, y: y * SQUARE_PX, width: SQUARE_PX, height: SQUARE_PX })
        .filter(|area| {
            let (a, b) = (one.mean(*area), other.mean(*area));
            a.iter().zip(b).any(|(a, b)| (a - b).abs() > APART)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_more_is_seen_and_the_edge_of_a_letter_is_not() {
        let plain = Picture::plain(40, 40, [20, 20, 20]);
        let edge = plain.marked_with(&[Area { x: 3, y: 3, width: 1, height: 2 }], [200, 200, 200]);
        assert_eq!(squares_apart(&plain, &edge).len(), 0);
        let word = plain.marked_with(&[Area { x: 8, y: 8, width: 16, height: 8 }], [200, 200, 200]);
        assert_eq!(squares_apart(&plain, &word).len(), 8);
    }
}
