//! Which stretch of time a chart shows, and what is read for it: the arithmetic of zooming and panning.
//!
//! What is read is wider than what is shown, and its edges lie on a grid of absolute time: so a chart that is moved a little shows what
//! is there already, and asks for the same as before.

use fleetlens_model::downsample::width_ms;
use fleetlens_model::time::WallMs;

/// The shortest stretch that is shown, in milliseconds: ten of the narrowest buckets.
pub const SHORTEST_MS: i64 = 10_000;

/// The longest: ten years.
pub const LONGEST_MS: i64 = 3_650 * 86_400_000;

/// The most buckets that are asked for.
const BUCKETS_MOST: u64 = 4_096;

/// A stretch whose end is this part of its length away from now, or less, goes on with it.
const NEAR_NOW: i64 = 50;

/// A stretch of time, its end after its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Left edge.
    pub from_ms: WallMs,
    /// Right edge.
    pub until_ms: WallMs,
}

impl Stretch {
    /// The last so and so much before a moment.
    pub fn ending(until_ms: WallMs, span_ms: i64) -> Stretch {
        Stretch { from_ms: until_ms.plus(-span_ms.clamp(SHORTEST_MS, LONGEST_MS)), until_ms }
    }

    /// Between two moments in either order; longer than what is between them where that is too short to be shown, around its middle.
    pub fn between(one: WallMs, other: WallMs) -> Stretch {
        let span_ms = one.0.abs_diff(other.0);
        let middle_ms = one.0.midpoint(other.0);
        let span_ms = i64::try_from(span_ms).unwrap_or(LONGEST_MS).clamp(SHORTEST_MS, LONGEST_MS);
        let from_ms = WallMs(middle_ms.saturating_sub(span_ms / 2));
        Stretch { from_ms, until_ms: from_ms.plus(span_ms) }
    }

    /// How long it is, in milliseconds.
    pub fn span_ms(self) -> i64 {
        self.until_ms.0.saturating_sub(self.from_ms.0).max(1)
    }

    /// Its length times `factor`, with `at` staying where it is on the screen.
    pub fn zoomed(self, at: WallMs, factor: f64) -> Stretch {
        let span_ms = self.span_ms() as f64;
        let wanted_ms = ((span_ms * factor).round() as i64).clamp(SHORTEST_MS, LONGEST_MS);
        let part = ((at.0.saturating_sub(self.from_ms.0)) as f64 / span_ms).clamp(0.0, 1.0);
        let at = WallMs(at.0.clamp(self.from_ms.0, self.until_ms.0));
        let from_ms = at.plus(-((wanted_ms as f64 * part).round() as i64));
        Stretch { from_ms, until_ms: from_ms.plus(wanted_ms) }
    }

    /// So much later, or earlier.
    pub fn moved(self, by_ms: i64) -> Stretch {
        Stretch { from_ms: self.from_ms.plus(by_ms), until_ms: self.until_ms.plus(by_ms) }
    }

    /// Whether a moment is in it.
    pub fn holds(self, at: WallMs) -> bool {
        at >= self.from_ms && at <= self.until_ms
    }
}

/// What a chart stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It ends now and goes on with it.
    Follows {
        /// How far back, in milliseconds.
        span_ms: i64,
    },
    /// It stays where it is.
    Stays(Stretch),
}

impl Stand {
    /// What that shows now.
    pub fn stretch(self, now: WallMs) -> Stretch {
        match self {
            Stand::Follows { span_ms } => Stretch::ending(now, span_ms),
            Stand::Stays(stretch) => stretch,
        }
    }

    /// The stand that shows a stretch. One that ends now, or would end after it, goes on with it: nothing is known of what is to come.
    pub fn on(stretch: Stretch, now: WallMs) -> Stand {
        let span_ms = stretch.span_ms();
        if now.0.saturating_sub(stretch.until_ms.0) <= span_ms / NEAR_NOW {
            Stand::Follows { span_ms }
        } else {
            Stand::Stays(stretch)
        }
    }

    /// Its length times `factor`. One that follows goes on following.
    pub fn zoomed(self, factor: f64, now: WallMs) -> Stand {
        let shown = self.stretch(now);
        match self {
            Stand::Follows { .. } => Stand::Follows { span_ms: shown.zoomed(now, factor).span_ms() },
            Stand::Stays(_) => Stand::on(shown.zoomed(WallMs(shown.from_ms.0.midpoint(shown.until_ms.0)), factor), now),
        }
    }
}

/// What is asked of the host so that a chart can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// To when; `None` for now and on.
    pub until_ms: Option<WallMs>,
    /// How far back from there, in milliseconds.
    pub span_ms: u64,
    /// At most so many buckets.
    pub buckets: u32,
}

impl Read {
    /// What is read for a stand, so that about `buckets` of them are on the screen; the same for stands near each other.
    pub fn of(stand: Stand, buckets: u32) -> Read {
        let (until_ms, span_ms, shown_ms) = match stand {
            Stand::Follows { span_ms } => (None, up(span_ms, grain_ms(span_ms)), span_ms),
            Stand::Stays(stretch) => {
                let grain_ms = grain_ms(stretch.span_ms());
                let until_ms = up(stretch.until_ms.0, grain_ms).saturating_add(grain_ms);
                // Its end is up to two grains behind what is shown; its beginning follows the end, so that both change at once.
                let span_ms = up(stretch.span_ms(), grain_ms).saturating_add(3 * grain_ms);
                (Some(WallMs(until_ms)), span_ms, stretch.span_ms())
            }
        };
        Read { until_ms, ..Read::with(span_ms, shown_ms, buckets) }
    }

    /// What is read for the same time `ago_ms` earlier. What was is known already, so it is read ahead of now and asked for again seldom.
    pub fn before(stand: Stand, ago_ms: i64, buckets: u32, now: WallMs) -> Read {
        let shown = stand.stretch(now);
        let stays = Read::of(Stand::Stays(shown), buckets);
        Read { until_ms: stays.until_ms.map(|until_ms| until_ms.plus(-ago_ms)), ..stays }
    }

    /// Buckets as wide as they would be of what is shown alone.
    fn with(span_ms: i64, shown_ms: i64, buckets: u32) -> Read {
        let length = |ms: i64| u64::try_from(ms).unwrap_or(1).max(1);
        let (span_ms, bucket_ms) = (length(span_ms), width_ms(length(shown_ms), buckets));
        let buckets = span_ms.div_ceil(bucket_ms).clamp(10, BUCKETS_MOST);
        Read { until_ms: None, span_ms, buckets: u32::try_from(buckets).unwrap_or(10) }
    }
}

/// How coarse the edges of what is read are: a quarter of the stretch or more, less than half.
fn grain_ms(span_ms: i64) -> i64 {
    let span_ms = u64::try_from(span_ms).unwrap_or(1).max(4);
    i64::try_from((span_ms / 4).next_power_of_two()).unwrap_or(i64::MAX)
}

fn down(ms: i64, grain_ms: i64) -> i64 {
    ms.div_euclid(grain_ms).saturating_mul(grain_ms)
}

fn up(ms: i64, grain_ms: i64) -> i64 {
    down(ms.saturating_add(grain_ms - 1), grain_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    const NOW: WallMs = WallMs(1_763_113_440_000);

    fn hour() -> Stretch {
        Stretch::ending(NOW, HOUR_MS)
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer_where_it_is() {
        let at = NOW.plus(-15 * MINUTE_MS);
        let near = hour().zoomed(at, 0.5);
        assert_eq!((near.span_ms(), at.0 - near.from_ms.0), (30 * MINUTE_MS, 45 * MINUTE_MS / 2));
        assert_eq!(near.zoomed(at, 2.0), hour());
        assert_eq!(hour().zoomed(at, 1e-9).span_ms(), SHORTEST_MS);
        assert_eq!(hour().zoomed(at, 1e9).span_ms(), LONGEST_MS);
        // Beside the plotted area it is the edge that stays.
        assert_eq!(hour().zoomed(NOW.plus(HOUR_MS), 0.5).until_ms, NOW);
    }

    #[test]
    fn a_stretch_between_two_moments_has_them_as_its_edges_whichever_came_first() {
        let (one, other) = (NOW.plus(-20 * MINUTE_MS), NOW.plus(-5 * MINUTE_MS));
        for stretch in [Stretch::between(one, other), Stretch::between(other, one)] {
            assert_eq!((stretch.from_ms, stretch.until_ms), (one, other));
        }
        let short = Stretch::between(one, one.plus(40));
        assert_eq!(short.span_ms(), SHORTEST_MS);
        assert!(short.holds(one) && short.holds(one.plus(40)));
    }

    #[test]
    fn what_ends_now_or_later_follows_and_what_ended_before_stays() {
        for (by_ms, follows) in [(0, true), (HOUR_MS, true), (-MINUTE_MS, true), (-2 * MINUTE_MS, false)] {
            let stand = Stand::on(hour().moved(by_ms), NOW);
            assert_eq!(stand == Stand::Follows { span_ms: HOUR_MS }, follows, "{by_ms}");
            let shown = stand.stretch(NOW);
            assert!(shown.until_ms <= NOW && shown.span_ms() == HOUR_MS, "{shown:?}");
        }
        assert_eq!(Stand::Follows { span_ms: HOUR_MS }.zoomed(0.5, NOW), Stand::Follows { span_ms: HOUR_MS / 2 });
        let stays = Stand::Stays(hour().moved(-5 * HOUR_MS)).zoomed(2.0, NOW);
        assert_eq!(stays, Stand::Stays(Stretch::ending(NOW.plus(-5 * HOUR_MS + HOUR_MS / 2), 2 * HOUR_MS)));
    }

    #[test]
    fn what_is_read_covers_what_is_shown_and_stays_the_same_while_it_is_moved_a_little() {
        let mut reads = Vec::new();
        for step in 0..120 {
            let shown = hour().moved(-5 * HOUR_MS + step * MINUTE_MS);
            let read = Read::of(Stand::Stays(shown), 300);
            let until_ms = read.until_ms.unwrap();
            assert!(until_ms > shown.until_ms, "with some room for moving on");
            assert!(until_ms.0 - i64::try_from(read.span_ms).unwrap() < shown.from_ms.0);
            assert!(read.span_ms < 4 * 3_600_000, "and not for too much");
            if reads.last() != Some(&read) {
                reads.push(read);
            }
        }
        assert!(reads.len() <= 8, "two hours of moving, asked {} times", reads.len());
    }

    #[test]
    fn buckets_are_as_wide_as_the_shown_stretch_asks_for_however_much_more_is_read() {
        for (minutes, buckets) in [(15, 300), (60, 300), (60, 240), (10_080, 900), (525_600, 700), (5_256_000, 900)] {
            let span_ms = minutes * MINUTE_MS;
            let want = width_ms(u64::try_from(span_ms).unwrap(), buckets);
            for stand in [Stand::Follows { span_ms }, Stand::Stays(Stretch::ending(NOW, span_ms))] {
                let read = Read::of(stand, buckets);
                let bucket_ms = width_ms(read.span_ms, read.buckets);
                assert!(bucket_ms == want || u64::from(read.buckets) == BUCKETS_MOST, "{minutes} min, {read:?}");
            }
        }
    }

    #[test]
    fn the_week_before_is_read_ahead_and_not_asked_for_every_second() {
        let stand = Stand::Follows { span_ms: HOUR_MS };
        let reads: std::collections::BTreeSet<_> = (0..600)
            .map(|s| Read::before(stand, 7 * 24 * HOUR_MS, 300, NOW.plus(s * 1_000)).until_ms.unwrap().0)
            .collect();
        assert!(reads.len() <= 2, "{reads:?}");
        let first = reads.first().unwrap();
        assert!(*first + 7 * 24 * HOUR_MS > NOW.0);
    }
}
