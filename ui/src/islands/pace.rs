//! How often the map is drawn anew because data changed: as often as there is news where that is cheap, and so seldom where it
//! is dear (no graphics card: remote desktops, control-room machines) that everything else on the screen stays smooth. What a
//! person does to the map is always shown at once.

/// How often there is news at most, in milliseconds: the host's frames.
const NEWS_MS: f64 = 100.0;

/// A picture that costs no more than this is cheap: it fits between two turns of the screen.
const CHEAP_MS: f64 = 24.0;

/// Of so many parts of the time a dear picture may take one.
const SHARE: f64 = 7.0;

/// News never waits longer than this, in milliseconds.
const LONGEST_MS: f64 = 1_500.0;

/// What the last pictures cost. Times are the page's, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    cost_ms: f64,
    drawn_ms: Option<f64>,
}

impl Pace {
    /// A picture began at `now_ms`.
    pub fn draws(&mut self, now_ms: f64) {
        self.drawn_ms = Some(now_ms);
    }

    /// It took this long until the screen turned again. One slow picture among quick ones is somebody else's fault.
    pub fn took(&mut self, cost_ms: f64) {
        self.cost_ms = if self.cost_ms == 0.0 { cost_ms } else { self.cost_ms * 0.75 + cost_ms * 0.25 };
    }

    /// How long news has to wait, in milliseconds; 0 for not at all.
    pub fn wait_ms(&self, now_ms: f64) -> f64 {
        let every = if self.cost_ms <= CHEAP_MS { NEWS_MS } else { (self.cost_ms * SHARE).clamp(NEWS_MS, LONGEST_MS) };
        self.drawn_ms.map_or(0.0, |drawn| (drawn + every - now_ms).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_waits_as_long_as_pictures_are_dear() {
        for (name, costs, since_ms, want) in [
            ("nothing was drawn yet", vec![], None, 0.0),
            ("cheap pictures, just drawn", vec![16.0, 17.0], Some(10.0), 90.0),
            ("cheap pictures, a while ago", vec![16.0], Some(150.0), 0.0),
            ("dear pictures", vec![150.0, 150.0], Some(100.0), 950.0),
            ("very dear pictures", vec![900.0], Some(0.0), LONGEST_MS),
            ("one slow picture among cheap ones", vec![16.0, 16.0, 16.0, 40.0], Some(0.0), NEWS_MS),
        ] {
            let mut pace = Pace::default();
            costs.into_iter().for_each(|cost| pace.took(cost));
            if let Some(since) = since_ms {
                pace.draws(1_000.0 - since);
            }
            assert_eq!(pace.wait_ms(1_000.0), want, "{name}");
        }
    }
}
