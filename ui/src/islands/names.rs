//! Where names of things stand on the map: beside their marks, the important ones first, none over another or over what needs a person.
//! Pure: the canvas measures and writes.

/// Names in one picture; more nobody reads.
pub const NAMES_IN_PICTURE: usize = 80;

/// How tall a line is, in CSS pixels.
pub const LINE_PX: f64 = 14.0;

/// Between a mark and its name, in CSS pixels.
const GAP_PX: f64 = 4.0;

/// A part of the picture, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Room {
    /// A square around a point.
    pub fn around((x, y): (f64, f64), half: f64) -> Room {
        Room { left: x - half, top: y - half, width: 2.0 * half, height: 2.0 * half }
    }

    fn meets(&self, other: &Room) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }
}

/// A name that would like to stand beside a mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// The mark's middle.
    pub at: (f64, f64),
    /// How far its mark reaches from there.
    pub reach: f64,
    /// How wide the name is.
    pub width: f64,
}

/// Finds room for names, of which the first matter most: right of the mark, else left, below or above it. `None` for what has no room.
/// Nothing stands over what is taken.
pub fn place(wanted: &[Wanted], mut taken: Vec<Room>) -> Vec<Option<Room>> {
    let mut count = 0;
    let mut find = |name: &Wanted| {
        if count >= NAMES_IN_PICTURE {
            return None;
        }
        let ((x, y), away, half) = (name.at, name.reach + GAP_PX, LINE_PX / 2.0);
        let corners = [
            (x + away, y - half),
            (x - away - name.width, y - half),
            (x - name.width / 2.0, y + away),
            (x - name.width / 2.0, y - away - LINE_PX),
        ];
        let rooms = corners.map(|(left, top)| Room { left, top, width: name.width, height: LINE_PX });
        let room = rooms.into_iter().find(|room| !taken.iter().any(|other| other.meets(room)))?;
        taken.push(room);
        count += 1;
        Some(room)
    };
    wanted.iter().map(&mut find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(x: f64, y: f64) -> Wanted {
        Wanted { at: (x, y), reach: 6.0, width: 50.0 }
    }

    #[test]
    fn a_name_stands_beside_its_mark_where_there_is_room() {
        let right = place(&[name(100.0, 100.0)], Vec::new())[0].unwrap();
        assert_eq!((right.left, right.top), (110.0, 93.0));
        let wall = Room { left: 105.0, top: 0.0, width: 50.0, height: 200.0 };
        let left = place(&[name(100.0, 100.0)], vec![wall])[0].unwrap();
        assert_eq!(left.left, 40.0);
        let both = vec![wall, Room { left: 20.0, ..wall }];
        assert_eq!(place(&[name(80.0, 100.0)], both), [None], "a name over something else is worse than none");
    }

    #[test]
    fn the_first_has_its_room_and_no_two_share_any() {
        let crowd: Vec<Wanted> = (0..400).map(|n| name(f64::from(n % 20) * 12.0, f64::from(n / 20) * 9.0)).collect();
        let placed = place(&crowd, Vec::new());
        assert!(placed[0].is_some());
        let rooms: Vec<Room> = placed.into_iter().flatten().collect();
        assert!(rooms.len() > 5 && rooms.len() <= NAMES_IN_PICTURE, "{}", rooms.len());
        for (place, room) in rooms.iter().enumerate() {
            assert!(!rooms[place + 1..].iter().any(|other| other.meets(room)), "{room:?}");
        }
        let apart: Vec<Wanted> = (0..200).map(|n| name(0.0, f64::from(n) * 20.0)).collect();
        assert_eq!(place(&apart, Vec::new()).into_iter().flatten().count(), NAMES_IN_PICTURE);
    }
}
