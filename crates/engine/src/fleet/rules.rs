//! The profile's rules, by what they look at: worked out once, because every message asks which of them speak of its thing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fleetlens_model::alarm::detected::Detected;
use fleetlens_model::alarm::fence::{Area, Fence};
use fleetlens_model::alarm::{Closeness, Condition, Members, Rule, When};
use fleetlens_model::described::Described;
use fleetlens_model::expression::Name;
use fleetlens_model::group::Group;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::AsDescribed;
use fleetlens_model::search::found_by;

/// So many sets are kept without asking whether anything has them: descriptions change, and each may be met by other rules than all
/// before.
const SETS_UNASKED: usize = 1_024;

/// A rule's place in the profile.
pub(super) type RuleAt = u32;

/// Which rules speak of a thing: the place of their set. Things of which the same rules speak have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruled(u32);

/// The profile's rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    all: Vec<Arc<Rule>>,
    /// What is for some things of a kind only, as far as there is any.
    narrow: BTreeMap<Kind, Vec<(RuleAt, Members)>>,
    /// Who speaks of things of a kind, by those of the narrow rules that do.
    by_kind: BTreeMap<(Kind, Vec<RuleAt>), Ruled>,
    sets: Vec<Set>,
    /// Places of sets that nothing has.
    free: Vec<Ruled>,
    /// With more sets than this it is looked which nothing has.
    most_sets: usize,
    /// The areas that each rule names, in the order in which its condition does.
    fences: Vec<Box<[Option<Arc<Fence>>]>>,
    have_windows: bool,
    have_fences: bool,
    have_unless: bool,
    have_detectors: bool,
    turn_unspoken: bool,
    /// Values of which a rule asks what they usually are, as JSON pointers.
    usual: BTreeSet<String>,
}

/// Rules that speak of the same things.
#[derive(Debug, Default)]
struct Set {
    silent: Option<Arc<Rule>>,
    not_converged: Option<Arc<Rule>>,
    command_failed: Option<Arc<Rule>>,
    conditions: Arc<[RuleAt]>,
}

impl Rules {
    pub(super) fn new(rules: &[Rule], groups: &[Group], areas: &[Area]) -> Rules {
        let all: Vec<Arc<Rule>> = rules.iter().cloned().map(Arc::new).collect();
        let members = (0..).zip(&all).filter(|(_, rule)| rule.things.closeness() == Closeness::Narrow);
        // Of a group that there is not nobody is a member.
        let members: Vec<(RuleAt, Members)> =
            members.filter_map(|(at, rule)| Some((at, Members::new(&rule.things, groups)?))).collect();
        let of_kind = |kind: Kind| members.iter().filter(move |(_, members)| members.may_be(kind)).cloned().collect();
        let narrow = Kind::ALL.into_iter().map(|kind| (kind, of_kind(kind))).collect();
        let known: BTreeMap<&str, Arc<Fence>> =
            areas.iter().map(|area| (area.name.as_str(), Arc::new(area.fence.clone()))).collect();
        let fences_of = |rule: &Arc<Rule>| {
            let named = when(rule).map_or(&[][..], |when| when.expression.needs().fences);
            named.iter().map(|name| known.get(name.as_str()).cloned()).collect()
        };
        let fences: Vec<Box<[Option<Arc<Fence>>]>> = all.iter().map(fences_of).collect();
        let have_fences = fences.iter().any(|fences| !fences.is_empty());
        let have_unless = all.iter().any(|rule| rule.unless.is_some());
        let have_detectors = all.iter().any(|rule| detected(rule).is_some());
        let have_windows = all.iter().filter_map(|rule| when(rule)).any(|when| when.expression.has_windows());
        let turn_unspoken = all.iter().filter_map(|rule| when(rule)).any(turns_unspoken);
        let usual = all.iter().filter_map(|rule| when(rule)).flat_map(asks_what_is_usual).map(str::to_owned).collect();
        Rules {
            all,
            narrow,
            by_kind: BTreeMap::new(),
            sets: Vec::new(),
            free: Vec::new(),
            most_sets: SETS_UNASKED,
            fences,
            have_windows,
            have_fences,
            have_unless,
            have_detectors,
            turn_unspoken,
            usual,
        }
    }

    /// Which of them speak of a thing of this name that is described like this.
    pub(super) fn of(&mut self, name: &str, meta: &Described) -> Ruled {
        let kind = meta.common.kind;
        let narrow = self.narrow.get(&kind).map_or(&[][..], Vec::as_slice);
        let speak = if narrow.is_empty() {
            Vec::new()
        } else {
            let found_by = found_by(&meta.title, name, &meta.street, &meta.area);
            let Described { title, street, area, gateway, .. } = meta;
            let of = AsDescribed { name, title, kind, street, area, gateway, words: &found_by };
            let speak = narrow.iter().filter(|(_, members)| members.have(&of));
            speak.map(|(at, _)| *at).collect()
        };
        let key = (kind, speak);
        if let Some(known) = self.by_kind.get(&key) {
            return *known;
        }
        let set = set(&self.all, kind, &key.1);
        let ruled = self.free.pop().unwrap_or(Ruled(u32::try_from(self.sets.len()).unwrap_or(u32::MAX)));
        match self.sets.get_mut(ruled.0 as usize) {
            Some(place) => *place = set,
            None => self.sets.push(set),
        }
        self.by_kind.insert(key, ruled);
        ruled
    }

    /// Whether there are so many sets that those that nothing has should go.
    pub(super) fn are_many(&self) -> bool {
        self.by_kind.len() > self.most_sets
    }

    /// Lets go of the sets that are none of these.
    pub(super) fn keep_only(&mut self, used: impl Iterator<Item = Ruled>) {
        let used: BTreeSet<u32> = used.map(|ruled| ruled.0).collect();
        for (_, gone) in self.by_kind.extract_if(.., |_, ruled| !used.contains(&ruled.0)) {
            if let Some(set) = self.sets.get_mut(gone.0 as usize) {
                *set = Set::default();
            }
            self.free.push(gone);
        }
        // Where most are needed it is not asked again at once.
        self.most_sets = SETS_UNASKED.max(2 * self.by_kind.len());
    }

    fn set(&self, ruled: Ruled) -> Option<&Set> {
        self.sets.get(ruled.0 as usize)
    }

    /// A rule by its name.
    pub(crate) fn named(&self, id: &str) -> Option<&Arc<Rule>> {
        self.all.iter().find(|rule| rule.id == id)
    }

    /// A rule's place by its name.
    pub(super) fn place(&self, id: &str) -> Option<RuleAt> {
        let place = self.all.iter().position(|rule| rule.id == id)?;
        u32::try_from(place).ok()
    }

    pub(super) fn at(&self, at: RuleAt) -> Option<&Arc<Rule>> {
        self.all.get(at as usize)
    }

    pub(super) fn silent(&self, ruled: Ruled) -> Option<&Arc<Rule>> {
        self.set(ruled)?.silent.as_ref()
    }

    pub(super) fn not_converged(&self, ruled: Ruled) -> Option<&Arc<Rule>> {
        self.set(ruled)?.not_converged.as_ref()
    }

    pub(super) fn command_failed(&self, ruled: Ruled) -> Option<&Arc<Rule>> {
        self.set(ruled)?.command_failed.as_ref()
    }

    /// Whether any rule looks at values over a window.
    pub(super) fn have_windows(&self) -> bool {
        self.have_windows
    }

    /// Whether any rule asks where a thing is.
    pub(super) fn have_fences(&self) -> bool {
        self.have_fences
    }

    /// Whether any rule says what suppresses its alarms.
    pub(super) fn have_unless(&self) -> bool {
        self.have_unless
    }

    /// Whether the condition of any rule is a state machine.
    pub(super) fn have_detectors(&self) -> bool {
        self.have_detectors
    }

    /// The areas that a rule names; `None` in the place of one that there is not.
    pub(super) fn fences(&self, at: RuleAt) -> impl Iterator<Item = Option<&Fence>> {
        self.fences.get(at as usize).into_iter().flatten().map(Option::as_deref)
    }

    /// Whether any condition may turn without a word of its thing.
    pub(super) fn turn_unspoken(&self) -> bool {
        self.turn_unspoken
    }

    /// Whether any rule asks what a value usually is.
    pub(super) fn ask_what_is_usual(&self) -> bool {
        !self.usual.is_empty()
    }

    /// Values of which a rule asks that, as JSON pointers.
    pub(super) fn what_is_usual(&self) -> &BTreeSet<String> {
        &self.usual
    }

    /// The rules whose conditions are judged for such a thing.
    pub(super) fn conditions(&self, ruled: Ruled) -> Arc<[RuleAt]> {
        self.set(ruled).map(|set| set.conditions.clone()).unwrap_or_default()
    }

    /// Whether a rule of this name speaks of such a thing.
    pub(super) fn speaks_of(&self, id: &str, ruled: Ruled) -> bool {
        let Some(set) = self.set(ruled) else { return false };
        let events = [&set.silent, &set.not_converged, &set.command_failed];
        events.into_iter().flatten().any(|rule| rule.id == id)
            || set.conditions.iter().filter_map(|at| self.at(*at)).any(|rule| rule.id == id)
    }
}

/// Whether a condition may turn without a word of the thing: with time, its silence, its shadow or its commands.
pub(super) fn turns_unspoken(when: &When) -> bool {
    let needs = when.expression.needs();
    needs.clock || needs.presence || needs.convergence || needs.commands
}

/// Values of which a condition asks what they usually are. A level is made of one of two.
fn asks_what_is_usual(when: &When) -> impl Iterator<Item = &str> {
    let needs = when.expression.needs();
    let asked = needs.usual.iter().filter_map(move |nth| needs.names.get(*nth));
    asked.flat_map(|name| match name {
        Name::Value(pointer) => vec![pointer.as_str()],
        Name::Level => vec!["/free", "/fill_pct"],
        Name::Input(..) | Name::Variable(_) => Vec::new(),
    })
}

/// The state machine that is a rule's condition, if it is one.
pub(super) fn detected(rule: &Rule) -> Option<&Detected> {
    match &rule.condition {
        Condition::Detected(detected) => Some(detected),
        Condition::When(_)
        | Condition::Silent
        | Condition::NotConverged { .. }
        | Condition::CommandFailed
        | Condition::Told => None,
    }
}

/// What a rule's condition says in the language of rules; `None` of one that looks at something else.
pub(super) fn when(rule: &Rule) -> Option<&When> {
    match &rule.condition {
        Condition::When(when) => Some(when),
        Condition::Silent
        | Condition::NotConverged { .. }
        | Condition::CommandFailed
        | Condition::Detected(_)
        | Condition::Told => None,
    }
}

/// About values every rule speaks that is for the things; about everything else the first of those that say most closely what they
/// are for. `narrow` are those for a group or a search that speak.
fn set(all: &[Arc<Rule>], kind: Kind, narrow: &[RuleAt]) -> Set {
    let mut set = Set::default();
    let mut conditions = Vec::new();
    let speaks = |at: &RuleAt, rule: &Rule| match rule.things.closeness() {
        Closeness::Narrow => narrow.contains(at),
        Closeness::Kind | Closeness::All => rule.things.kind.is_none_or(|of| of == kind),
    };
    let mut rules: Vec<(RuleAt, &Arc<Rule>)> = (0..).zip(all).filter(|(at, rule)| speaks(at, rule)).collect();
    rules.sort_by_key(|(_, rule)| Reverse(rule.things.closeness()));
    for (at, rule) in rules {
        let slot = match &rule.condition {
            Condition::When(_) | Condition::Detected(_) => {
                conditions.push(at);
                continue;
            }
            Condition::Silent => &mut set.silent,
            Condition::NotConverged { .. } => &mut set.not_converged,
            Condition::CommandFailed => &mut set.command_failed,
            Condition::Told => continue,
        };
        slot.get_or_insert_with(|| rule.clone());
    }
    Set { conditions: conditions.into(), ..set }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::alarm::state::Terms;
    use fleetlens_model::alarm::{Priority, Things};
    use fleetlens_model::described::Commons;
    use fleetlens_model::expression::Expression;
    use fleetlens_model::shared::Texts;
    use fleetlens_model::thing::Meta;

    use super::*;

    fn rule(id: &str, things: Things, condition: Condition) -> Rule {
        let (name, nothing) = (id.to_string(), String::new());
        let what_to_do = nothing.clone();
        Rule {
            id: id.into(),
            name,
            things,
            condition,
            unless: None,
            terms: Terms::default(),
            priority: Priority::Warning,
            time_available_ms: None,
            cause: nothing.clone(),
            consequence: nothing,
            what_to_do,
        }
    }

    #[test]
    fn sets_that_nothing_has_any_more_are_let_go_of() {
        let search = |n: u32| Things { search: format!("w{n}w"), ..Things::default() };
        let rules: Vec<Rule> = (0..12).map(|n| rule(&format!("r{n}"), search(n), Condition::Silent)).collect();
        let mut rules = Rules::new(&rules, &[], &[]);
        let described = |bits: u32| {
            let words = (0..12).filter(|n| bits >> n & 1 == 1).map(|n| format!("w{n}w "));
            let meta = Meta { street: words.collect(), ..Meta::default() };
            Commons::default().describe(meta, &mut Texts::default())
        };
        // One thing keeps what it is, another is described anew time and again.
        let keeps = rules.of("x", &described(0b10));
        for bits in 0..1 << 12 {
            let changes = rules.of("y", &described(bits));
            if rules.are_many() {
                rules.keep_only([keeps, changes].into_iter());
                assert_eq!(rules.by_kind.len(), 2);
            }
            let first = (0..12).find(|n| bits >> n & 1 == 1).map(|n| format!("r{n}"));
            assert_eq!(rules.silent(changes).map(|rule| rule.id.clone()), first);
        }
        assert!(rules.sets.len() <= SETS_UNASKED + 1, "{}", rules.sets.len());
        assert_eq!(rules.silent(keeps).map(|rule| rule.id.as_str()), Some("r1"));
        assert_eq!(rules.of("x", &described(0b10)), keeps);
    }

    #[test]
    fn one_rule_speaks_about_silence_and_all_about_values() {
        let over = |limit: u32| {
            let expression = Expression::read(&format!("/temp_c >= {limit}")).unwrap();
            Condition::When(Box::new(When { expression, deadband: 0.0 }))
        };
        let things =
            |kind: Option<Kind>, group: &str, search: &str| Things { kind, group: group.into(), search: search.into() };
        let (all, kind) = (Things::default(), |kind: Kind| Things::from(kind));
        let crew = Group { name: "Crew".into(), areas: vec!["Marsa".into()], ..Group::default() };
        let mut rules = Rules::new(
            &[
                rule("silent", all.clone(), Condition::Silent),
                rule("silent-too", all.clone(), Condition::Silent),
                rule("gateway-silent", kind(Kind::Gateway), Condition::Silent),
                rule("crew-silent", things(None, "Crew", ""), Condition::Silent),
                rule("hot", all, over(60)),
                rule("lamp-hot", kind(Kind::Lamp), over(75)),
                rule("moro-hot", things(Some(Kind::Lamp), "", "moro"), over(50)),
                rule("nobody", things(None, "No such group", ""), over(1)),
                rule("lamp-stubborn", kind(Kind::Lamp), Condition::NotConverged { after_ms: 1 }),
            ],
            &[crew],
            &[],
        );
        let mut of = |kind, area: &str, street: &str| {
            let meta = Meta { kind, area: area.into(), street: street.into(), ..Meta::default() };
            rules.of("x", &Commons::default().describe(meta, &mut Texts::default()))
        };
        let (gateway, lamp, other) = (of(Kind::Gateway, "", ""), of(Kind::Lamp, "", ""), of(Kind::Other, "", ""));
        let (marsa, moro, bin) =
            (of(Kind::Lamp, "Marsa", ""), of(Kind::Lamp, "Marsa", "Triq Moro"), of(Kind::Bin, "", "Triq Moro"));
        assert_eq!((of(Kind::Lamp, "Sliema", ""), of(Kind::Gateway, "Marsa", "")), (lamp, Ruled(6)));
        let id = |rule: Option<&Arc<Rule>>| rule.map_or("", |rule| rule.id.as_str()).to_string();
        for (name, ruled, silent, not_converged, values) in [
            ("a gateway", gateway, "gateway-silent", "", vec!["hot"]),
            ("a lamp", lamp, "silent", "lamp-stubborn", vec!["lamp-hot", "hot"]),
            ("something", other, "silent", "", vec!["hot"]),
            ("a lamp of the crew", marsa, "crew-silent", "lamp-stubborn", vec!["lamp-hot", "hot"]),
            ("a lamp in that street", moro, "crew-silent", "lamp-stubborn", vec!["moro-hot", "lamp-hot", "hot"]),
            ("a gateway of the crew", Ruled(6), "crew-silent", "", vec!["hot"]),
        ] {
            assert_eq!(id(rules.silent(ruled)), silent, "{name}");
            assert_eq!(id(rules.not_converged(ruled)), not_converged, "{name}");
            let conditions: Vec<String> = rules.conditions(ruled).iter().map(|at| id(rules.at(*at))).collect();
            assert_eq!(conditions, values, "{name}");
            assert_eq!(id(rules.command_failed(ruled)), "");
        }
        for (name, ruled, speaks) in [
            ("silent", lamp, true),
            ("silent", gateway, false),
            ("silent-too", lamp, false),
            ("silent", marsa, false),
            ("crew-silent", marsa, true),
            ("lamp-hot", lamp, true),
            ("lamp-hot", bin, false),
            ("moro-hot", moro, true),
            ("moro-hot", bin, false),
            ("nobody", moro, false),
            ("gone", lamp, false),
        ] {
            assert_eq!(rules.speaks_of(name, ruled), speaks, "{name} of {ruled:?}");
        }
    }
}
