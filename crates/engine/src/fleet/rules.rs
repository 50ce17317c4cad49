//! The profile's rules, by what they look at: worked out once, because every message asks which of them speak of its thing.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetlens_model::alarm::{Condition, Rule};
use fleetlens_model::kind::Kind;

/// A rule's place in the profile.
pub(super) type RuleAt = u32;

/// The profile's rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    all: Vec<Arc<Rule>>,
    of: BTreeMap<Kind, OfKind>,
}

/// The rules that speak of one kind.
#[derive(Debug, Default)]
struct OfKind {
    silent: Option<Arc<Rule>>,
    not_converged: Option<Arc<Rule>>,
    command_failed: Option<Arc<Rule>>,
    values: Arc<[RuleAt]>,
}

impl Rules {
    pub(super) fn new(rules: &[Rule]) -> Rules {
        let all: Vec<Arc<Rule>> = rules.iter().cloned().map(Arc::new).collect();
        let of = Kind::ALL.into_iter().map(|kind| (kind, of_kind(&all, kind))).collect();
        Rules { all, of }
    }

    /// A rule by its name.
    pub(crate) fn named(&self, id: &str) -> Option<&Arc<Rule>> {
        self.all.iter().find(|rule| rule.id == id)
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

    /// The rules that look at values of a kind.
    pub(super) fn values(&self, kind: Kind) -> Arc<[RuleAt]> {
        self.of.get(&kind).map(|of| of.values.clone()).unwrap_or_default()
    }

    /// Whether a rule of this name speaks of a kind.
    pub(super) fn speaks_of(&self, id: &str, kind: Kind) -> bool {
        let Some(of) = self.of.get(&kind) else { return false };
        let events = [&of.silent, &of.not_converged, &of.command_failed];
        events.into_iter().flatten().any(|rule| rule.id == id)
            || of.values.iter().filter_map(|at| self.at(*at)).any(|rule| rule.id == id)
    }
}

/// About values every rule speaks that names the kind or none; about everything else the first that names it, else the first that
/// names none.
fn of_kind(all: &[Arc<Rule>], kind: Kind) -> OfKind {
    let mut of = OfKind::default();
    let mut values = Vec::new();
    let named = (0..).zip(all).filter(|(_, rule)| rule.kind == Some(kind));
    let unnamed = (0..).zip(all).filter(|(_, rule)| rule.kind.is_none());
    for (at, rule) in named.chain(unnamed) {
        let slot = match &rule.condition {
            Condition::Threshold(_) | Condition::Equals(_) => {
                values.push(at);
                continue;
            }
            Condition::Silent => &mut of.silent,
            Condition::NotConverged { .. } => &mut of.not_converged,
            Condition::CommandFailed => &mut of.command_failed,
            Condition::Told => continue,
        };
        slot.get_or_insert_with(|| rule.clone());
    }
    OfKind { values: values.into(), ..of }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::alarm::{Measure, Priority, Side, Threshold};

    use super::*;

    fn rule(id: &str, kind: Option<Kind>, condition: Condition) -> Rule {
        let (name, nothing) = (id.to_string(), String::new());
        let what_to_do = nothing.clone();
        Rule {
            id: id.into(),
            name,
            kind,
            condition,
            priority: Priority::Warning,
            cause: nothing.clone(),
            consequence: nothing,
            what_to_do,
        }
    }

    #[test]
    fn one_rule_speaks_about_silence_and_all_about_values() {
        let over = |limit| {
            let measure = Measure::Value("/temp_c".into());
            Condition::Threshold(Threshold { measure, side: Side::Above, limit, deadband: 0.0, on_delay_ms: 0 })
        };
        let rules = Rules::new(&[
            rule("silent", None, Condition::Silent),
            rule("silent-too", None, Condition::Silent),
            rule("gateway-silent", Some(Kind::Gateway), Condition::Silent),
            rule("hot", None, over(60.0)),
            rule("lamp-hot", Some(Kind::Lamp), over(75.0)),
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
            assert_eq!(rules.values(kind).len(), values, "{kind:?}");
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
