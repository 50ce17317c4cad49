//! What the devices of a city measure, in the order in which it arrives, the same in every run.

use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;

/// Series of each thing: what a lamp of the demo city says in one message.
pub const SERIES: u32 = 5;

/// How often each thing speaks.
pub const EVERY_MS: i64 = 10_000;

/// When the first one speaks: 2026-05-28T20:26:40Z.
pub const BEGIN: WallMs = WallMs(1_780_000_000_000);

/// What they are called.
pub const POINTERS: [&str; SERIES as usize] = ["/dim_pct", "/on", "/power_w", "/temp_c", "/burning_h"];

/// A linear congruential generator (Knuth's MMIX): a seed is all the randomness there is.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    /// 0 up to `sides`, without it; `sides` is small.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a generator repeat soon.
        (((self.0 >> 32) * u64::from(sides)) >> 32) as u32
    }
}

/// A lamp: what it measured last, in whole tenths where it has tenths.
#[derive(Clone, Debug)]
struct Lamp {
    dim_pct: i32,
    on: bool,
    power_dw: i32,
    temp_dc: i32,
    burning_dh: i32,
}

/// The samples of a city of lamps, without end: every lamp speaks each ten seconds, one after the other through them. Five samples of
/// a message have one device time in whole seconds, now and then a second early, and one time of ours a little later.
#[derive(Clone, Debug)]
pub struct City {
    lamps: Vec<Lamp>,
    dice: Dice,
    /// Which message of all comes next.
    message: i64,
    seq: u64,
}

impl City {
    /// With so many series, five a lamp; at least one lamp.
    pub fn new(series: u32) -> City {
        let mut dice = Dice(20_261_122);
        let lamps = (0..(series / SERIES).max(1)).map(|_| Lamp::new(&mut dice)).collect();
        City { lamps, dice, message: 0, seq: 0 }
    }

    /// How many series there are.
    pub fn series(&self) -> u32 {
        u32::try_from(self.lamps.len()).map_or(u32::MAX, |lamps| lamps * SERIES)
    }

    /// The writes that make its things and series known.
    pub fn known(&self) -> Vec<Write> {
        let mut writes = Vec::new();
        for thing in 1..=self.series() / SERIES {
            let name = ThingName::new(format!("lamp-{thing:05}")).expect("a short name");
            let meta =
                Meta { kind: Kind::Lamp, title: format!("Lamp {thing}"), area: "Valletta".into(), ..Meta::default() };
            writes.push(Write::Thing { thing: ThingKey(thing), name, meta: Box::new(meta) });
            for (n, pointer) in (0..).zip(POINTERS) {
                let series = SeriesKey((thing - 1) * SERIES + n + 1);
                writes.push(Write::Series { series, thing: ThingKey(thing), pointer: pointer.to_owned() });
            }
        }
        writes
    }

    /// The next `samples` or a few more, since a message is not torn.
    pub fn next(&mut self, samples: usize) -> Vec<Sample> {
        let mut batch = Vec::with_capacity(samples + SERIES as usize);
        while batch.len() < samples {
            self.speak(&mut batch);
        }
        batch
    }

    fn speak(&mut self, into: &mut Vec<Sample>) {
        let lamps = self.lamps.len() as i64;
        let (round, at) = (self.message / lamps, self.message % lamps);
        self.message += 1;
        let spoken_ms = BEGIN.0 + round * EVERY_MS + at * EVERY_MS / lamps;
        let early = self.dice.roll(32) == 0;
        let device_ms = WallMs(spoken_ms - spoken_ms % 1_000 - if early { 1_000 } else { 0 });
        let received_ms = WallMs(spoken_ms + 5 + i64::from(self.dice.roll(56)));
        let lamp = &mut self.lamps[at as usize];
        lamp.live(&mut self.dice);
        let tenths = |n: i32| Value::Number(f64::from(n) / 10.0);
        let values = [
            Value::Number(f64::from(lamp.dim_pct)),
            Value::Flag(lamp.on),
            tenths(lamp.power_dw),
            tenths(lamp.temp_dc),
            tenths(lamp.burning_dh),
        ];
        for (n, value) in (0..).zip(values) {
            self.seq += 1;
            into.push(Sample {
                series: SeriesKey(at as u32 * SERIES + n + 1),
                device_ms,
                received_ms,
                seq: self.seq,
                value,
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            });
        }
    }
}

impl Lamp {
    fn new(dice: &mut Dice) -> Lamp {
        Lamp {
            dim_pct: 100,
            on: true,
            power_dw: 700,
            temp_dc: 150 + dice.roll(120) as i32,
            burning_dh: dice.roll(200_000) as i32,
        }
    }

    /// Ten seconds pass: seldom somebody dims it or switches it, the power wavers with the grid, the temperature walks.
    fn live(&mut self, dice: &mut Dice) {
        match dice.roll(400) {
            0 => self.on = !self.on,
            1..=4 => self.dim_pct = 10 + dice.roll(91) as i32,
            5.. => {}
        }
        let rated_dw = if self.on { 7 * self.dim_pct } else { 4 };
        self.power_dw = rated_dw + dice.roll(9) as i32 - 4;
        self.temp_dc = (self.temp_dc + dice.roll(3) as i32 - 1).clamp(-50, 650);
        // A tenth of an hour is 36 messages.
        self.burning_dh += i32::from(self.on && dice.roll(36) == 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_city_says_the_same_each_time_and_no_series_a_moment_twice() {
        let mut city = City::new(80);
        assert_eq!((city.series(), city.known().len()), (80, 16 + 80));
        let said = city.next(80 * 1_000);
        assert_eq!(said, City::new(80).next(80 * 1_000));
        let mut by_series: BTreeMap<SeriesKey, Vec<&Sample>> = BTreeMap::new();
        said.iter().for_each(|sample| by_series.entry(sample.series).or_default().push(sample));
        assert_eq!(by_series.len(), 80);
        for samples in by_series.values() {
            assert!(samples.windows(2).all(|pair| pair[0].device_ms < pair[1].device_ms && pair[0].seq < pair[1].seq));
            assert!(
                samples.iter().all(|sample| sample.device_ms.0 % 1_000 == 0 && sample.received_ms > sample.device_ms)
            );
            let span_ms = samples[999].device_ms.0 - samples[0].device_ms.0;
            assert!((span_ms - 999 * EVERY_MS).abs() <= 1_000, "{span_ms}");
        }
        assert!(said.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    }

    #[test]
    fn what_it_measures_looks_like_a_lamp() {
        let said = City::new(SERIES).next(SERIES as usize * 8_640);
        let of = |series: u32| -> Vec<f64> {
            said.iter().filter(|s| s.series == SeriesKey(series)).filter_map(|s| s.value.as_number()).collect()
        };
        let changes = |values: &[f64]| values.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let (dim_pct, on, power_w, temp_c, burning_h) = (of(1), of(2), of(3), of(4), of(5));
        assert!(dim_pct.iter().all(|v| (10.0..=100.0).contains(v) && v.fract() == 0.0));
        assert!(changes(&on) > 5 && changes(&on) < 60, "{}", changes(&on));
        assert!(changes(&power_w) > 6_000 && power_w.iter().all(|v| (-1.0..=71.0).contains(v)));
        assert!(temp_c.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.11));
        assert!(burning_h.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
