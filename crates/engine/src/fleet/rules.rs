//! The profile's rules, by what they look at: worked out once, because every message asks which of them speak of its thing.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetlens_model::alarm::{Condition, Rule, When};
use fleetlens_model::kind::Kind;

/// A rule's place in the profile.
pub(super) type RuleAt = u32;

/// The profile's rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    all: Vec<Arc<Rule>>,
    of: BTreeMap<Kind, OfKind>,
    have_windows: bool,
    turn_unspoken: bool,
}

/// The rules that speak of one kind.
#[derive(Debug, Default)]
struct OfKind {
    silent: Option<Arc<Rule>>,
    not_converged: Option<Arc<Rule>>,
    command_failed: Option<Arc<Rule>>,
    conditions: Arc<[RuleAt]>,
}

impl Rules {
    pub(super) fn new(rules: &[Rule]) -> Rules {
        let all: Vec<Arc<Rule>> = rules.iter().cloned().map(Arc::new).collect();
        let of = Kind::ALL.into_iter().map(|kind| (kind, of_kind(&all, kind))).collect();
        let have_windows = all.iter().filter_map(|rule| when(rule)).any(|when| when.expression.has_windows());
        let turn_unspoken = all.iter().filter_map(|rule| when(rule)).any(turns_unspoken);
        Rules { all, of, have_windows, turn_unspoken }
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

    pub(super) fn silent(&self, kind: Kind) -> Option<&Arc<Rule>> {
        self.of.get(&kind)?.silent.as_ref()
    }

    pub(super) fn not_converged(&self, kind: Kind) -> Option<&Arc<Rule>> {
        self.of.get(&kind)?.not_converged.as_ref()
    }

    pub(super) fn command_failed(&self, kind: Kind) -> Option<&Arc<Rule>> {
        self.of.get(&kind)?.command_failed.as_ref()
    }

    /// Whether any rule looks at values over a window.
    pub(super) fn have_windows(&self) -> bool {
        self.have_windows
    }

    /// Whether any condition may turn without a word of its thing.
    pub(super) fn turn_unspoken(&self) -> bool {
        self.turn_unspoken
    }

    /// The rules whose conditions are judged for a kind.
    pub(super) fn conditions(&self, kind: Kind) -> Arc<[RuleAt]> {
        self.of.get(&kind).map(|of| of.conditions.clone()).unwrap_or_default()
    }

    /// Whether a rule of this name speaks of a kind.
    pub(super) fn speaks_of(&self, id: &str, kind: Kind) -> bool {
        let Some(of) = self.of.get(&kind) else { return false };
        let events = [&of.silent, &of.not_converged, &of.command_failed];
        events.into_iter().flatten().any(|rule| rule.id == id)
            || of.conditions.iter().filter_map(|at| self.at(*at)).any(|rule| rule.id == id)
    }
}

/// Whether a condition may turn without a word of the thing: with time, its silence, its shadow or its commands.
pub(super) fn turns_unspoken(when: &When) -> bool {
    let needs = when.expression.needs();
    needs.clock || needs.presence || needs.convergence || needs.commands
}

/// What a rule's condition says in the language of rules; `None` of one that looks at something else.
pub(super) fn when(rule: &Rule) -> Option<&When> {
    match &rule.condition {
        Condition::When(when) => Some(when),
        Condition::Silent | Condition::NotConverged { .. } | Condition::CommandFailed | Condition::Told => None,
    }
}

/// About values every rule speaks that names the kind or none; about everything else the first that names it, else the first that
/// names none.
fn of_kind(all: &[Arc<Rule>], kind: Kind) -> OfKind {
    let mut of = OfKind::default();
    let mut conditions = Vec::new();
    let named = (0..).zip(all).filter(|(_, rule)| rule.kind == Some(kind));
    let unnamed = (0..).zip(all).filter(|(_, rule)| rule.kind.is_none());
    for (at, rule) in named.chain(unnamed) {
        let slot = match &rule.condition {
            Condition::When(_) => {
                conditions.push(at);
                continue;
            }
            Condition::Silent => &mut of.silent,
            Condition::NotConverged { .. } => &mut of.not_converged,
            Condition::CommandFailed => &mut of.command_failed,
            Condition::Told => continue,
        };
        slot.get_or_insert_with(|| rule.clone());
    }
    OfKind { conditions: conditions.into(), ..of }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::alarm::Priority;
    use fleetlens_model::alarm::state::Terms;
    use fleetlens_model::expression::Expression;

    use super::*;

    fn rule(id: &str, kind: Option<Kind>, condition: Condition) -> Rule {
        let (name, nothing) = (id.to_string(), String::new());
        let what_to_do = nothing.clone();
        Rule {
            id: id.into(),
            name,
            kind,
            condition,
            terms: Terms::default(),
            priority: Priority::Warning,
            time_available_ms: None,
            cause: nothing.clone(),
            consequence: nothing,
            what_to_do,
        }
    }

    #[test]
    fn one_rule_speaks_about_silence_and_all_about_values() {
        let over = |limit: u32| {
            let expression = Expression::read(&format!("/temp_c >= {limit}")).unwrap();
            Condition::When(Box::new(When { expression, deadband: 0.0 }))
        };
        let rules = Rules::new(&[
            rule("silent", None, Condition::Silent),
            rule("silent-too", None, Condition::Silent),
            rule("gateway-silent", Some(Kind::Gateway), Condition::Silent),
            rule("hot", None, over(60)),
            rule("lamp-hot", Some(Kind::Lamp), over(75)),
            rule("lamp-stubborn", Some(Kind::Lamp), Condition::NotConverged { after_ms: 1 }),
        ]);
        let id = |rule: Option<&Arc<Rule>>| rule.map_or("", |rule| rule.id.as_str()).to_string();
        for (kind, silent, not_converged, values) in [
            (Kind::Gateway, "gateway-silent", "", 1),
            (Kind::Lamp, "silent", "lamp-stubborn", 2),
            (Kind::Other, "silent", "", 1),
        ] {
            assert_eq!(id(rules.silent(kind)), silent, "{kind:?}");
            assert_eq!(id(rules.not_converged(kind)), not_converged, "{kind:?}");
            assert_eq!(rules.conditions(kind).len(), values, "{kind:?}");
            assert_eq!(id(rules.command_failed(kind)), "");
        }
        for (name, kind, speaks) in [
            ("silent", Kind::Lamp, true),
            ("silent", Kind::Gateway, false),
            ("silent-too", Kind::Lamp, false),
            ("lamp-hot", Kind::Lamp, true),
            ("lamp-hot", Kind::Bin, false),
            ("gone", Kind::Lamp, false),
        ] {
            assert_eq!(rules.speaks_of(name, kind), speaks, "{name} of {kind:?}");
        }
    }
}
