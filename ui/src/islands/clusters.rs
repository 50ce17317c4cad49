//! What stands too close to be told apart is drawn as one badge with a number. The city lies in a grid whose cells are about a thumb
//! wide at the zoom's step; a cell with many things in it is a cluster. Counted as rows come and go, never all anew but at another
//! step. Pure.

use std::collections::HashMap;

use fleetlens_ipc::map::Status;

use super::mercator::{Local, WORLD_PX};

/// From this zoom on every thing is drawn by itself.
pub const ENDS_AT_ZOOM: f64 = 16.0;

/// A cell's side at the zoom of its step, in CSS pixels; until the next step it grows by √2.
const CELL_PX: f64 = 76.0;

/// From so many things on a cell is a cluster: from afar, and from [`STREETS_STEP`] on, where a street's lamps can be told apart…
const GATHERED_FROM: (u32, u32) = (16, 48);

/// …and it stays one until it has this many fewer, so that a vehicle that comes and goes does not make it flicker.
const SLACK: u32 = 3;

/// The step of zoom 13.5.
const STREETS_STEP: i32 = 27;

/// How far from the middle of its cell a badge may stand, as a share of the side: two badges never lie on each other.
const SWAY: f64 = 0.22;

/// A cell of the grid: eastwards, southwards.
pub type Cell = (i32, i32);

/// What a cell needs to know of a thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Where it is.
    pub at: Local,
    /// Whether it moves by itself.
    pub moves: bool,
    /// What its mark says.
    pub status: Status,
    /// Whether somebody has seen what is wrong with it.
    pub is_seen: bool,
    /// Whether a command is open.
    pub is_pending: bool,
}

/// A cluster as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cluster {
    /// Its cell.
    pub cell: Cell,
    /// Where the badge stands.
    pub at: Local,
    /// How many things it holds.
    pub count: u32,
    /// How many of them need a person: something is wrong, and nobody has seen it.
    pub need: u32,
    /// The worst of those, else whether most of its things are unknown.
    pub worst: Status,
    /// Whether most of its things are unknown.
    pub is_unknown: bool,
    /// Whether a command is open in it.
    pub is_pending: bool,
}

/// Every cell with something in it, at one step of the zoom.
#[derive(Debug, Default)]
pub struct Clusters {
    /// In half zooms; `None` where nothing is gathered.
    step: Option<i32>,
    tallies: HashMap<Cell, Tally>,
}

/// What is counted of a cell.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u32,
    unknown: u32,
    /// Of those that need a person.
    warning: u32,
    /// Of those that need a person.
    critical: u32,
    pending: u32,
    /// The sum of where those stand that do not move, and how many they are: a badge does not sway with the traffic.
    still: (f64, f64, u32),
    is_gathered: bool,
}

/// The step of a zoom, `None` from [`ENDS_AT_ZOOM`] on.
fn step_of(zoom: f64) -> Option<i32> {
    (zoom < ENDS_AT_ZOOM).then(|| (zoom * 2.0).floor() as i32)
}

impl Clusters {
    /// Goes to a zoom. True when that is another step: then everything is forgotten and has to be added again.
    pub fn go_to(&mut self, zoom: f64) -> bool {
        let step = step_of(zoom);
        if step == self.step {
            return false;
        }
        self.step = step;
        self.clear();
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.tallies.clear();
    }

    /// Counts a thing in.
    pub fn add(&mut self, member: &Member) {
        let Some(cell) = self.cell(member.at) else { return };
        let crowd = self.crowd();
        let tally = self.tallies.entry(cell).or_default();
        tally.count(member, true);
        tally.is_gathered |= tally.count >= crowd;
    }

    /// Counts a thing out that was counted in just so.
    pub fn take(&mut self, member: &Member) {
        let Some(cell) = self.cell(member.at) else { return };
        let crowd = self.crowd();
        let Some(tally) = self.tallies.get_mut(&cell) else { return };
        tally.count(member, false);
        tally.is_gathered &= tally.count + SLACK >= crowd;
        if tally.count == 0 {
            self.tallies.remove(&cell);
        }
    }

    /// Whether what stands here is drawn as part of a cluster.
    pub fn hides(&self, at: Local) -> bool {
        self.cluster_at(at).is_some()
    }

    /// The cell of the cluster that a place belongs to.
    pub fn cluster_at(&self, at: Local) -> Option<Cell> {
        let cell = self.cell(at)?;
        self.tallies.get(&cell)?.is_gathered.then_some(cell)
    }

    /// One cluster.
    pub fn get(&self, cell: Cell) -> Option<Cluster> {
        let tally = self.tallies.get(&cell).filter(|tally| tally.is_gathered)?;
        Some(self.cluster(cell, tally))
    }

    /// Every cluster, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Cluster> + '_ {
        let gathered = self.tallies.iter().filter(|(_, tally)| tally.is_gathered);
        gathered.map(|(cell, tally)| self.cluster(*cell, tally))
    }

    /// How many things make a cluster at this step.
    fn crowd(&self) -> u32 {
        let (afar, near) = GATHERED_FROM;
        if self.step.is_some_and(|step| step >= STREETS_STEP) { near } else { afar }
    }

    fn side(&self) -> Option<f64> {
        Some(CELL_PX / (WORLD_PX * (f64::from(self.step?) / 2.0).exp2()))
    }

    fn cell(&self, at: Local) -> Option<Cell> {
        let side = self.side()?;
        Some(((at.x / side).floor() as i32, (at.y / side).floor() as i32))
    }

    fn cluster(&self, cell: Cell, tally: &Tally) -> Cluster {
        let side = self.side().unwrap_or_default();
        let (x_sum, y_sum, still) = tally.still;
        let place = |sum: f64, cell: i32| {
            let middle = (f64::from(cell) + 0.5) * side;
            let wanted = if still == 0 { middle } else { sum / f64::from(still) };
            wanted.clamp(middle - SWAY * side, middle + SWAY * side)
        };
        let is_unknown = tally.unknown * 2 > tally.count;
        let worst = match (tally.critical, tally.warning) {
            (0, 0) if is_unknown => Status::Unknown,
            (0, 0) => Status::Normal,
            (0, _) => Status::Warning,
            (_, _) => Status::Critical,
        };
        Cluster {
            cell,
            at: Local { x: place(x_sum, cell.0), y: place(y_sum, cell.1) },
            count: tally.count,
            need: tally.warning + tally.critical,
            worst,
            is_unknown,
            is_pending: tally.pending != 0,
        }
    }
}

impl Tally {
    fn count(&mut self, member: &Member, is_new: bool) {
        let turn = |n: &mut u32| *n = if is_new { *n + 1 } else { n.saturating_sub(1) };
        turn(&mut self.count);
        match member.status {
            Status::Normal => {}
            Status::Unknown => turn(&mut self.unknown),
            Status::Warning | Status::Critical if member.is_seen => {}
            Status::Warning => turn(&mut self.warning),
            Status::Critical => turn(&mut self.critical),
        }
        if member.is_pending {
            turn(&mut self.pending);
        }
        if !member.moves {
            let sign = if is_new { 1.0 } else { -1.0 };
            self.still.0 += sign * member.at.x;
            self.still.1 += sign * member.at.y;
            turn(&mut self.still.2);
        }
    }
}

/// A number in at most four signs: `214`, `1.2k`, `12k`, `104k`.
pub fn short(n: u32) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..10_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        _ => format!("{}k", (n / 1_000).min(999)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn lamp(x_px: f64, zoom: f64, status: Status) -> Member {
        let x = x_px / (WORLD_PX * zoom.exp2());
        Member { at: Local { x, y: x }, moves: false, status, is_seen: false, is_pending: false }
    }

    #[test]
    fn a_crowd_is_one_badge_and_a_few_are_themselves() {
        let mut clusters = Clusters::default();
        assert!(clusters.go_to(12.0));
        for n in 0..15 {
            clusters.add(&lamp(f64::from(n), 12.0, Status::Normal));
        }
        assert_eq!(clusters.iter().count(), 0);
        clusters.add(&lamp(20.0, 12.0, Status::Normal));
        clusters.add(&lamp(90.0, 12.0, Status::Normal));
        let all: Vec<Cluster> = clusters.iter().collect();
        assert_eq!(all.iter().map(|c| (c.cell, c.count, c.worst)).collect::<Vec<_>>(), [((0, 0), 16, Status::Normal)]);
        assert!(clusters.hides(lamp(70.0, 12.0, Status::Normal).at), "the whole cell");
        assert!(!clusters.hides(lamp(90.0, 12.0, Status::Normal).at), "alone in the next");
    }

    #[test]
    fn what_needs_a_person_shows_through_however_large_the_crowd() {
        let mut clusters = Clusters::default();
        clusters.go_to(11.0);
        for n in 0..500 {
            clusters.add(&lamp(f64::from(n) / 10.0, 11.0, Status::Normal));
        }
        let only = |clusters: &Clusters| clusters.get((0, 0)).unwrap();
        assert_eq!((only(&clusters).worst, only(&clusters).need), (Status::Normal, 0));
        let (warning, critical) = (lamp(3.0, 11.0, Status::Warning), lamp(4.0, 11.0, Status::Critical));
        clusters.add(&warning);
        clusters.add(&critical);
        assert_eq!((only(&clusters).worst, only(&clusters).need), (Status::Critical, 2));
        clusters.take(&critical);
        assert_eq!((only(&clusters).worst, only(&clusters).need), (Status::Warning, 1));
        clusters.take(&warning);
        clusters.add(&Member { is_seen: true, ..critical });
        assert_eq!((only(&clusters).worst, only(&clusters).need), (Status::Normal, 0), "somebody knows");
        clusters.take(&Member { is_seen: true, ..critical });
        assert_eq!((only(&clusters).worst, only(&clusters).need, only(&clusters).count), (Status::Normal, 0, 500));
    }

    #[test]
    fn a_vehicle_at_the_edge_neither_makes_it_flicker_nor_moves_the_badge() {
        let mut clusters = Clusters::default();
        clusters.go_to(12.0);
        for n in 0..15 {
            clusters.add(&lamp(30.0 + f64::from(n) / 4.0, 12.0, Status::Normal));
        }
        let bus = Member { moves: true, ..lamp(2.0, 12.0, Status::Normal) };
        clusters.add(&bus);
        let before = clusters.get((0, 0)).unwrap().at;
        clusters.take(&bus);
        assert_eq!(clusters.get((0, 0)).map(|c| c.count), Some(15), "still gathered");
        clusters.add(&Member { at: lamp(60.0, 12.0, Status::Normal).at, ..bus });
        assert_eq!(clusters.get((0, 0)).unwrap().at, before);
    }

    #[test]
    fn badges_of_neighbours_keep_apart() {
        let mut clusters = Clusters::default();
        clusters.go_to(12.0);
        for n in 0..20 {
            // Two crowds on both sides of a cell's edge.
            clusters.add(&lamp(CELL_PX - 1.0 - f64::from(n) / 100.0, 12.0, Status::Normal));
            clusters.add(&lamp(CELL_PX + 1.0 + f64::from(n) / 100.0, 12.0, Status::Normal));
        }
        let places: Vec<f64> = clusters.iter().map(|c| c.at.x * WORLD_PX * 12_f64.exp2()).collect();
        let [a, b] = places[..] else { panic!("{places:?}") };
        assert!((a - b).abs() >= 0.5 * CELL_PX, "{a} {b}");
    }

    #[test]
    fn close_by_there_are_no_clusters() {
        let mut clusters = Clusters::default();
        clusters.go_to(12.0);
        assert!(clusters.go_to(ENDS_AT_ZOOM));
        for _ in 0..100 {
            clusters.add(&lamp(1.0, ENDS_AT_ZOOM, Status::Normal));
        }
        assert_eq!(clusters.iter().count(), 0);
        assert!(!clusters.go_to(18.2), "the same step, nothing to do");
    }

    #[test]
    fn numbers_fit_the_badge() {
        for (n, want) in
            [(7, "7"), (999, "999"), (1_000, "1.0k"), (1_284, "1.2k"), (12_900, "12k"), (2_000_000, "999k")]
        {
            assert_eq!(short(n), want);
        }
    }

    /// The budget of a picture: 8 ms for 10 000 things and 60 ms for 100 000, as the release build is. `cargo test --release` holds it;
    /// the debug build is allowed fifteen times as much, which still finds anything that grows faster than the city.
    #[test]
    fn a_large_city_is_gathered_within_a_picture() {
        let slack = if cfg!(debug_assertions) { 15.0 } else { 1.0 };
        for (things, budget_ms) in [(10_000_u32, 8.0), (100_000, 60.0)] {
            let members: Vec<Member> = (0..things)
                .map(|n| {
                    let (a, b) = (n.wrapping_mul(2_654_435_761), n.wrapping_mul(40_503).wrapping_mul(2_246_822_519));
                    let at = Local { x: f64::from(a) / 4e9 * 0.0012, y: f64::from(b) / 4e9 * 0.0012 };
                    Member { at, moves: n % 10 == 0, status: Status::Normal, is_seen: false, is_pending: false }
                })
                .collect();
            let best_ms = (0..3)
                .map(|round| {
                    let mut clusters = Clusters::default();
                    let began = Instant::now();
                    clusters.go_to(9.0 + f64::from(round));
                    members.iter().for_each(|member| clusters.add(member));
                    let gathered: u32 = clusters.iter().map(|cluster| cluster.count).sum();
                    assert!(gathered > 0);
                    began.elapsed().as_secs_f64() * 1e3
                })
                .fold(f64::INFINITY, f64::min);
            assert!(best_ms < budget_ms * slack, "{things} things took {best_ms:.1} ms");
        }
    }
}
