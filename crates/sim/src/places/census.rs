//! How many things of each kind a city of a given size has.

use super::{BINS, CAR_PARKS, CHARGERS, GATEWAYS, LAMPS, VEHICLES};

/// How many things of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Car parks.
    pub car_parks: usize,
    /// Street lamps.
    pub lamps: usize,
    /// Bins.
    pub bins: usize,
    /// Chargers.
    pub chargers: usize,
    /// Vehicles.
    pub vehicles: usize,
    /// Gateways.
    pub gateways: usize,
}

impl Census {
    /// The city of ordinary size: every car park and charger of the island, every bin that is mapped.
    pub const ORDINARY: Census = Census {
        car_parks: CAR_PARKS,
        lamps: LAMPS,
        bins: BINS,
        chargers: CHARGERS,
        vehicles: VEHICLES,
        gateways: GATEWAYS,
    };

    /// Of `things` in all. A smaller city than the ordinary one keeps its proportions, yet has one of every kind as soon as it
    /// has six things; a larger one has more of what a city has most of, since car parks and chargers are where they are. No
    /// kind ever becomes fewer when the city grows.
    pub fn of(things: usize) -> Self {
        match things.checked_sub(Self::ORDINARY.things()) {
            None => Self::small(things),
            Some(more) => Self::large(more),
        }
    }

    /// How many things that are.
    pub const fn things(&self) -> usize {
        let Self { car_parks, lamps, bins, chargers, vehicles, gateways } = self;
        *car_parks + *lamps + *bins + *chargers + *vehicles + *gateways
    }

    /// One after the other goes to the kind that is furthest behind its share. (Adams' method of apportionment: unlike rounding
    /// shares, it takes nothing back when there is one more to give.)
    fn small(things: usize) -> Self {
        let whole = Self::ORDINARY;
        // In the order in which the first six are given.
        let shares = [whole.car_parks, whole.lamps, whole.bins, whole.vehicles, whole.chargers, whole.gateways];
        let mut given = [0_usize; 6];
        for _ in 0..things {
            // The first of those with the largest share / given; as products, and so nothing is divided by 0.
            let most = (0..6).reduce(|best, kind| {
                let of = |counts: &[usize; 6], kind: usize| counts.get(kind).copied().unwrap_or_default();
                let ahead = of(&shares, kind) * of(&given, best) > of(&shares, best) * of(&given, kind);
                if ahead { kind } else { best }
            });
            if let Some(given) = most.and_then(|kind| given.get_mut(kind)) {
                *given += 1;
            }
        }
        let [car_parks, lamps, bins, vehicles, chargers, gateways] = given;
        Self { car_parks, lamps, bins, chargers, vehicles, gateways }
    }

    /// Of 1 000 more, 80 are bins, 16 vehicles and 4 gateways, for some 220 things each; the rest are lamps.
    fn large(more: usize) -> Self {
        let per_mille = |count: usize| more * count / 1000;
        let (bins, vehicles, gateways) = (per_mille(80), per_mille(16), per_mille(4));
        let whole = Self::ORDINARY;
        Self {
            lamps: whole.lamps + more - bins - vehicles - gateways,
            bins: whole.bins + bins,
            vehicles: whole.vehicles + vehicles,
            gateways: whole.gateways + gateways,
            ..whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_its_counts() {
        for (things, want) in [
            (0, [0, 0, 0, 0, 0, 0]),
            (1, [1, 0, 0, 0, 0, 0]),
            (3, [1, 1, 1, 0, 0, 0]),
            (6, [1, 1, 1, 1, 1, 1]),
            (12, [5, 2, 2, 1, 1, 1]),
            (100, [49, 18, 24, 3, 4, 2]),
            (1_650, [824, 300, 400, 42, 60, 24]),
            (1_651, [824, 301, 400, 42, 60, 24]),
            (10_000, [824, 7_816, 1_068, 42, 193, 57]),
            (100_000, [824, 88_816, 8_268, 42, 1_633, 417]),
        ] {
            let census = Census::of(things);
            let Census { car_parks, lamps, bins, chargers, vehicles, gateways } = census;
            assert_eq!([car_parks, lamps, bins, chargers, vehicles, gateways], want, "{things}");
            assert_eq!(census.things(), things);
        }
    }

    #[test]
    fn no_kind_becomes_fewer_when_the_city_grows() {
        let mut before = Census::default();
        for things in (0..=1_700).chain((2_000..100_000).step_by(777)) {
            let now = Census::of(things);
            let pairs = [
                (before.car_parks, now.car_parks),
                (before.lamps, now.lamps),
                (before.bins, now.bins),
                (before.chargers, now.chargers),
                (before.vehicles, now.vehicles),
                (before.gateways, now.gateways),
            ];
            assert!(pairs.iter().all(|(before, now)| before <= now), "{things}: {before:?} to {now:?}");
            before = now;
        }
    }
}
