//! Which rules of a profile speak of a thing, for what is said before one is saved. The engine has it from the same order
//! (`fleet::rules`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::mem::discriminant;

use fleetlens_model::alarm::{Condition, Members, Rule};
use fleetlens_model::id::{ThingKey, ThingName};
use fleetlens_model::query::AsDescribed;
use fleetlens_model::search::found_by;
use fleetlens_model::thing::Meta;

use crate::profile::Profile;

/// The rules of a profile and the things of its cache.
pub(super) struct Speaking<'a> {
    /// Those that say most closely what they are for come first.
    rules: Vec<(&'a Rule, Members)>,
    /// With what each is found by.
    things: BTreeMap<ThingKey, (ThingName, Meta, String)>,
}

impl<'a> Speaking<'a> {
    /// Of a profile, and these things as they are described.
    pub(super) fn of(profile: &'a Profile, things: Vec<(ThingKey, ThingName, Meta)>) -> Speaking<'a> {
        // Of a group that there is not nobody is a member.
        let members = |rule: &'a Rule| Some((rule, Members::new(&rule.things, &profile.groups)?));
        let mut rules: Vec<(&Rule, Members)> = profile.rules.iter().filter_map(members).collect();
        rules.sort_by_key(|(rule, _)| Reverse(rule.things.closeness()));
        let with_words = |(key, name, meta): (ThingKey, ThingName, Meta)| {
            let words = found_by(&meta.title, name.as_str(), &meta.street, &meta.area);
            (key, (name, meta, words))
        };
        Speaking { rules, things: things.into_iter().map(with_words).collect() }
    }

    /// Whether the rule of this name speaks of a thing. About values each does that is for it, about everything else the closest.
    pub(super) fn speaks(&self, id: &str, thing: ThingKey) -> bool {
        let Some((name, meta, words)) = self.things.get(&thing) else { return false };
        let described = described(name, meta, words);
        let mut meant = self.rules.iter().filter(|(_, of)| of.have(&described));
        let Some((rule, _)) = meant.clone().find(|(rule, _)| rule.id == id) else { return false };
        match &rule.condition {
            Condition::When(_) | Condition::Detected(_) | Condition::Told => true,
            Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed => meant
                .find(|(other, _)| discriminant(&other.condition) == discriminant(&rule.condition))
                .is_some_and(|(closest, _)| closest.id == id),
        }
    }
}

/// A thing as rules are asked about it.
fn described<'a>(name: &'a ThingName, meta: &'a Meta, words: &'a str) -> AsDescribed<'a> {
    let Meta { title, kind, street, area, gateway, .. } = meta;
    AsDescribed { name: name.as_str(), title, kind: *kind, street, area, gateway, words }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;

    use super::*;

    #[test]
    fn a_closer_rule_about_silence_takes_over_and_one_about_values_does_not() {
        let alarm = |id: &str, of: &str, when: &str| {
            format!("[[alarm]]\nid = \"{id}\"\n{of}when = \"{when}\"\nwhat_to_do = \"go\"\n")
        };
        let text = [
            "name = \"a\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n".to_owned(),
            alarm("silent", "", "silent"),
            alarm("too", "", "silent"),
            alarm("lamps", "kind = \"lamp\"\n", "silent"),
            alarm("moro", "search = \"moro\"\n", "silent"),
            alarm("hot", "", "temp_c > 60"),
            alarm("moro-hot", "search = \"moro\"\n", "temp_c > 50"),
            alarm("stubborn", "", "not converged"),
        ];
        let profile = Profile::parse(&text.concat(), "x").unwrap();
        let thing = |key: u32, kind: Kind, street: &str| {
            let meta = Meta { kind, street: street.into(), ..Meta::default() };
            (ThingKey(key), ThingName::new(format!("t{key}")).unwrap(), meta)
        };
        let things = vec![thing(1, Kind::Bin, ""), thing(2, Kind::Lamp, ""), thing(3, Kind::Lamp, "Triq Moro")];
        let speaking = Speaking::of(&profile, things);
        for (id, of) in [
            ("silent", [true, false, false]),
            ("too", [false; 3]),
            ("lamps", [false, true, false]),
            ("moro", [false, false, true]),
            ("hot", [true; 3]),
            ("moro-hot", [false, false, true]),
            ("stubborn", [true; 3]),
            ("nobody", [false; 3]),
        ] {
            assert_eq!([1, 2, 3].map(|key| speaking.speaks(id, ThingKey(key))), of, "{id}");
        }
        assert!(!speaking.speaks("hot", ThingKey(4)));
    }
}
