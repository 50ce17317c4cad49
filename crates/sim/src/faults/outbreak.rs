//! Who has which fault.

use std::collections::{HashMap, HashSet};

use super::{Fault, Faults, Ill, Spell};
use crate::device::Device;
use crate::dice::Dice;

/// Of a thousand things so many have one fault; at least one has it.
const PER_MILLE: usize = 4;
/// One gateway in so many dies; at least one.
const DEAD_ONE_IN: usize = 40;
/// A gateway that dies carries so many things, if there is one: enough to be seen, and not the whole city.
const DEAD_CARRIES: std::ops::RangeInclusive<usize> = 6..=40;

/// What goes wrong in one city. Nobody has two faults.
#[derive(Clone, Debug, Default)]
pub struct Outbreak {
    ill: HashMap<String, Ill>,
    /// Of what each gateway carries, those that are silent at times.
    silent: HashMap<String, Vec<Spell>>,
    /// Things whose commands the shadow service refuses.
    refused: HashSet<String>,
    chosen: Vec<Stricken>,
}

/// A fault and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stricken {
    /// The fault.
    pub fault: Fault,
    /// The names, in order; of a dead gateway not what it carries.
    pub things: Vec<String>,
}

impl Outbreak {
    /// Of these faults among these devices. The same devices, faults and dice give the same.
    pub fn of(devices: &[Device], faults: &Faults, dice: Dice) -> Self {
        let mut outbreak = Self::default();
        let mut well: Vec<&Device> = devices.iter().collect();
        let mut carries = HashMap::<&str, usize>::new();
        devices.iter().filter_map(Device::carrier).for_each(|gateway| *carries.entry(gateway).or_default() += 1);
        for fault in Fault::ALL.into_iter().filter(|fault| faults.has(*fault)) {
            let may_be = candidates(fault, &well, &carries);
            let many = if fault == Fault::DeadGateway {
                carries.len() / DEAD_ONE_IN
            } else {
                devices.len() * PER_MILLE / 1000
            };
            let mut ranked: Vec<(u64, &Device)> = may_be
                .into_iter()
                .map(|device| (dice.throw(device.thing(), fault.word()).unit().to_bits(), device))
                .collect();
            ranked.sort_by(|a, b| (a.0, a.1.thing()).cmp(&(b.0, b.1.thing())));
            let chosen: Vec<&Device> = ranked.into_iter().take(many.max(1)).map(|(_, device)| device).collect();
            outbreak.strike(fault, &chosen, devices, dice);
            well.retain(|device| !outbreak.has(device.thing()));
        }
        outbreak
    }

    fn strike(&mut self, fault: Fault, chosen: &[&Device], devices: &[Device], dice: Dice) {
        let mut names: Vec<String> = chosen.iter().map(|device| device.thing().to_owned()).collect();
        for (at, device) in chosen.iter().enumerate() {
            let thing = device.thing();
            let spell = Spell::of(fault, thing, device.interval_ms(), dice);
            match fault {
                // By turns, so that both can be seen.
                Fault::Refusal if at % 2 == 0 => _ = self.refused.insert(thing.to_owned()),
                Fault::DeadGateway => {
                    let dead = devices.iter().filter(|other| other.thing() == thing || other.carrier() == Some(thing));
                    self.ill.extend(dead.map(|other| (other.thing().to_owned(), Ill::new(fault, spell))));
                }
                Fault::Silence => {
                    self.ill.insert(thing.to_owned(), Ill::new(fault, spell));
                    if let Some(gateway) = device.carrier() {
                        self.silent.entry(gateway.to_owned()).or_default().push(spell);
                    }
                }
                Fault::StuckSensor
                | Fault::Nonsense
                | Fault::Malformed
                | Fault::Duplicate
                | Fault::Late
                | Fault::OutOfOrder
                | Fault::Refusal
                | Fault::Slow => _ = self.ill.insert(thing.to_owned(), Ill::new(fault, spell)),
            }
        }
        names.sort();
        if !names.is_empty() {
            self.chosen.push(Stricken { fault, things: names });
        }
    }

    fn has(&self, thing: &str) -> bool {
        self.ill.contains_key(thing) || self.refused.contains(thing)
    }

    /// The fault of a thing that it has itself.
    pub fn ill(&self, thing: &str) -> Option<&Ill> {
        self.ill.get(thing)
    }

    /// When things that a gateway carries are silent, one for each.
    pub fn silent_under(&self, gateway: &str) -> &[Spell] {
        self.silent.get(gateway).map_or(&[], Vec::as_slice)
    }

    /// The things whose commands the shadow service refuses.
    pub fn refused(&self) -> &HashSet<String> {
        &self.refused
    }

    /// Every fault with who has it.
    pub fn chosen(&self) -> &[Stricken] {
        &self.chosen
    }
}

/// Those who can have a fault at all.
fn candidates<'a>(fault: Fault, well: &[&'a Device], carries: &HashMap<&str, usize>) -> Vec<&'a Device> {
    let of =
        |may_be: &dyn Fn(&Device) -> bool| well.iter().copied().filter(|device| may_be(device)).collect::<Vec<_>>();
    match fault {
        Fault::DeadGateway => {
            let carried = |device: &Device| carries.get(device.thing()).copied().unwrap_or_default();
            let middling = of(&|device| DEAD_CARRIES.contains(&carried(device)));
            if middling.is_empty() { of(&|device| carried(device) > 0) } else { middling }
        }
        Fault::Refusal | Fault::Slow => of(&Device::is_steered),
        Fault::Silence
        | Fault::StuckSensor
        | Fault::Nonsense
        | Fault::Malformed
        | Fault::Duplicate
        | Fault::Late
        | Fault::OutOfOrder => of(&|_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CityOptions;

    /// Wednesday, 14 January 2026, 00:00 in Malta.
    const MIDNIGHT: i64 = 1_768_345_200_000;

    fn devices(things: usize) -> Vec<Device> {
        let options = CityOptions { things, ..CityOptions::default() };
        crate::devices(&options, Dice::new(1), MIDNIGHT).unwrap()
    }

    #[test]
    fn an_ordinary_city_has_a_handful_of_each_and_nobody_has_two() {
        let devices = devices(1_650);
        let outbreak = Outbreak::of(&devices, &Faults::all(), Dice::new(1));
        let mut seen = HashSet::new();
        for (fault, stricken) in Fault::ALL.into_iter().zip(outbreak.chosen()) {
            assert_eq!(stricken.fault, fault);
            let want = if fault == Fault::DeadGateway { 1..=1 } else { 4..=8 };
            assert!(want.contains(&stricken.things.len()), "{stricken:?}");
            assert!(stricken.things.iter().all(|thing| seen.insert(thing.clone())), "{stricken:?}");
        }
        assert_eq!(outbreak.chosen().len(), Fault::ALL.len());
        assert!((2..=4).contains(&outbreak.refused().len()), "{:?}", outbreak.refused());

        let gateway = &outbreak.chosen()[0].things[0];
        let spell = |thing: &str| outbreak.ill(thing).and_then(|ill| ill.silent_until(100_000));
        let carried: Vec<&Device> = devices.iter().filter(|device| device.carrier() == Some(gateway)).collect();
        assert!(DEAD_CARRIES.contains(&carried.len()));
        assert!(spell(gateway).is_some(), "it is dead after a hundred seconds");
        assert!(carried.iter().all(|device| spell(device.thing()) == spell(gateway)), "and all it carries with it");
    }

    #[test]
    fn faults_follow_from_the_seed_and_none_means_none() {
        let devices = devices(300);
        let chosen = |faults: &Faults, seed| Outbreak::of(&devices, faults, Dice::new(seed)).chosen().to_vec();
        assert_eq!(chosen(&Faults::all(), 1), chosen(&Faults::all(), 1));
        assert_ne!(chosen(&Faults::all(), 1), chosen(&Faults::all(), 2));
        assert_eq!(chosen(&Faults::default(), 1), []);
        let some = chosen(&"slow,late".parse().unwrap(), 1);
        assert_eq!(some.iter().map(|stricken| stricken.fault).collect::<Vec<_>>(), [Fault::Late, Fault::Slow]);
        let all_can_be_told = devices.iter().filter(|device| some[1].things.contains(&device.thing().to_owned()));
        assert!(all_can_be_told.clone().all(Device::is_steered) && all_can_be_told.count() == 1);
    }

    #[test]
    fn a_gateway_knows_which_of_its_things_are_silent() {
        let devices = devices(1_650);
        let outbreak = Outbreak::of(&devices, &"silence".parse().unwrap(), Dice::new(1));
        let carried =
            devices.iter().filter(|device| outbreak.ill(device.thing()).is_some() && device.carrier().is_some());
        let gateways: Vec<&str> = devices.iter().filter(|d| d.carrier().is_none()).map(Device::thing).collect();
        let told: usize = gateways.iter().map(|gateway| outbreak.silent_under(gateway).len()).sum();
        assert_eq!(told, carried.count());
        assert!(told > 0);
    }
}
