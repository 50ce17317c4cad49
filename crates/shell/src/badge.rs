//! The app's icon with how many alarms need a person on it, drawn for the tray. Pure.

use fleetlens_host::model::alarm::Priority;

/// How much of the icon's side the badge covers: what is in a tray is some 20 pixels large.
const BADGE_OF_SIDE: f64 = 0.64;

/// A digit is so many cells wide and high.
const CELLS: (usize, usize) = (3, 5);

/// The digits and what stands for more, five rows of three cells, the highest bit on the left.
const GLYPHS: [(char, [u8; 5]); 11] = [
    ('0', [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', [0b111, 0b001, 0b111, 0b100, 0b111]),
    ('3', [0b111, 0b001, 0b111, 0b001, 0b111]),
    ('4', [0b101, 0b101, 0b111, 0b001, 0b001]),
    ('5', [0b111, 0b100, 0b111, 0b001, 0b111]),
    ('6', [0b111, 0b100, 0b111, 0b101, 0b111]),
    ('7', [0b111, 0b001, 0b010, 0b010, 0b010]),
    ('8', [0b111, 0b101, 0b111, 0b101, 0b111]),
    ('9', [0b111, 0b101, 0b111, 0b001, 0b111]),
    ('+', [0b000, 0b010, 0b111, 0b010, 0b000]),
];

/// How many alarms need a person, and how bad the worst is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needing {
    /// At least 1.
    pub count: u32,
    /// Of the worst.
    pub worst: Priority,
}

impl Needing {
    /// What stands on the badge: more than nine have no room.
    fn text(self) -> String {
        if self.count > 9 { "9+".to_owned() } else { self.count.to_string() }
    }

    /// The badge and the ink on it: those of the marks on the window's map, dark, as trays mostly are.
    fn colours(self) -> ([u8; 3], [u8; 3]) {
        match self.worst {
            Priority::Critical => ([0xef, 0x5a, 0x5a], [0x1a, 0x06, 0x06]),
            Priority::Warning => ([0xe3, 0xa5, 0x3c], [0x1c, 0x12, 0x02]),
            Priority::Advisory => ([0xa9, 0xb4, 0xc1], [0x10, 0x14, 0x19]),
        }
    }

    /// Whether a place on the badge is within its shape, both from -1 to 1: a disc where a person is needed at once, else a square with
    /// round corners, so that the colour has not to be told apart.
    fn covers(self, x: f64, y: f64) -> bool {
        match self.worst {
            Priority::Critical => x.hypot(y) <= 1.0,
            Priority::Warning | Priority::Advisory => {
                (x.abs() - 0.65).max(0.0).hypot((y.abs() - 0.65).max(0.0)) <= 0.35
            }
        }
    }
}

/// A square picture of `side` by `side` pixels, red, green, blue and opacity a byte each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    /// In pixels.
    pub side: usize,
    /// Four bytes a pixel, row by row.
    pub rgba: Vec<u8>,
}

impl Icon {
    /// With the badge in the lower right corner; as it is where nothing needs a person.
    pub fn with(&self, needing: Option<Needing>) -> Icon {
        let mut icon = self.clone();
        let Some(needing) = needing else { return icon };
        let side = (self.side as f64 * BADGE_OF_SIDE).round() as usize;
        let (begins, radius) = (self.side.saturating_sub(side), side as f64 / 2.0);
        let (ground, ink) = needing.colours();
        let text = Text::of(&needing.text(), side);
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let from_middle = |at: usize| (at as f64 + 0.5 - radius) / radius;
            if needing.covers(from_middle(x), from_middle(y)) {
                icon.set(begins + x, begins + y, if text.inks(x, y) { ink } else { ground });
            }
        }
        icon
    }

    fn set(&mut self, x: usize, y: usize, [red, green, blue]: [u8; 3]) {
        let at = (y * self.side + x) * 4;
        if let Some(pixel) = self.rgba.get_mut(at..at + 4) {
            pixel.copy_from_slice(&[red, green, blue, 0xff]);
        }
    }

    /// Opacity, red, green and blue a byte each, as trays want it (StatusNotifierItem, "Icons").
    pub fn argb(&self) -> Vec<u8> {
        let pixels = self.rgba.chunks_exact(4);
        pixels
            .flat_map(|pixel| match *pixel {
                [red, green, blue, opacity] => [opacity, red, green, blue],
                _ => [0; 4],
            })
            .collect()
    }
}

/// A line of digits in the middle of a badge.
struct Text {
    rows: Vec<[u8; 5]>,
    /// Pixels a cell.
    cell: usize,
    left: usize,
    top: usize,
}

impl Text {
    fn of(text: &str, side: usize) -> Text {
        let rows: Vec<[u8; 5]> =
            text.chars().filter_map(|c| GLYPHS.iter().find(|(of, _)| *of == c).map(|(_, rows)| *rows)).collect();
        let wide = (rows.len() * (CELLS.0 + 1)).saturating_sub(1);
        // Within the square that lies in a disc.
        let room = side * 7 / 10;
        let cell = (room / wide.max(CELLS.1)).max(1);
        let middle = |cells: usize| side.saturating_sub(cells * cell) / 2;
        Text { left: middle(wide), top: middle(CELLS.1), rows, cell }
    }

    /// Whether a pixel of the badge belongs to a digit.
    fn inks(&self, x: usize, y: usize) -> bool {
        let (Some(x), Some(y)) = (x.checked_sub(self.left), y.checked_sub(self.top)) else { return false };
        let (column, row) = (x / self.cell, y / self.cell);
        let (glyph, column) = (column / (CELLS.0 + 1), column % (CELLS.0 + 1));
        let bits = self.rows.get(glyph).and_then(|rows| rows.get(row)).copied().unwrap_or_default();
        column < CELLS.0 && bits >> (CELLS.0 - 1 - column) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(side: usize) -> Icon {
        Icon { side, rgba: [1, 2, 3, 4].repeat(side * side) }
    }

    /// The lower right corner, `.` for what was there, `o` for the badge and `#` for what is written on it.
    fn drawn(count: u32, worst: Priority) -> Vec<String> {
        let needing = Needing { count, worst };
        let (ground, ink) = needing.colours();
        let icon = plain(25).with(Some(needing));
        let sign = |pixel: &[u8]| match pixel {
            [1, 2, 3, 4] => '.',
            [r, g, b, 0xff] if [*r, *g, *b] == ground => 'o',
            [r, g, b, 0xff] if [*r, *g, *b] == ink => '#',
            other => panic!("{other:?}"),
        };
        let rows = icon.rgba.chunks(25 * 4).map(|row| row.chunks(4).map(sign).collect::<String>());
        rows.skip(9).map(|row| row.chars().skip(9).collect()).collect()
    }

    #[test]
    fn how_many_stand_on_a_shape_of_the_worst() {
        assert_eq!(
            drawn(3, Priority::Critical),
            [
                ".....oooooo.....",
                "...oooooooooo...",
                "..oooooooooooo..",
                ".oooo######oooo.",
                ".oooo######oooo.",
                "ooooooooo##ooooo",
                "ooooooooo##ooooo",
                "ooooo######ooooo",
                "ooooo######ooooo",
                "ooooooooo##ooooo",
                "ooooooooo##ooooo",
                ".oooo######oooo.",
                ".oooo######oooo.",
                "..oooooooooooo..",
                "...oooooooooo...",
                ".....oooooo.....",
            ]
        );
        let many = drawn(12, Priority::Warning);
        assert_eq!(many, drawn(4_000, Priority::Warning), "more than nine are told by the words");
        assert_eq!((many[0].as_str(), many[15].as_str()), (".oooooooooooooo.", ".oooooooooooooo."));
    }

    #[test]
    fn where_nothing_needs_a_person_the_icon_is_as_it_is() {
        assert_eq!(plain(22).with(None), plain(22));
        assert_eq!(plain(1).argb(), [4, 1, 2, 3]);
        // However small it is.
        for side in 0..4 {
            plain(side).with(Some(Needing { count: 7, worst: Priority::Critical }));
        }
    }
}
