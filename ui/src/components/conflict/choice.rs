//! Which values hold when somebody else changed what a person wants otherwise, and the command that follows. Pure.

use std::collections::BTreeMap;

use fleetlens_ipc::Wish;
use fleetlens_ipc::rows::CommandRow;
use fleetlens_model::shadow::same_value;
use serde_json::Value as Json;

/// A leaf that a person wants otherwise, as JSON texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// JSON pointer into `desired`.
    pub pointer: String,
    /// What was wanted when the person looked; `None` for nothing.
    pub saw: Option<String>,
    /// What the person wants.
    pub wants: String,
}

/// Whose value is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The person's.
    Mine,
    /// That of whoever changed it.
    Theirs,
}

/// What became of a leaf since the person looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It stands as it did, or stands no more: the device may clear what it has obeyed, which is nobody's change of mind.
    Unchanged,
    /// It is wanted already as the person wants it.
    Same,
    /// Somebody wants something else.
    Changed,
}

/// What was chosen for each leaf by its pointer, and what was wanted at that moment: a value that changes again is chosen about again.
pub type Chosen = BTreeMap<String, (Whose, Option<String>)>;

impl Wanted {
    /// What became of it; `now` is what is wanted now.
    pub fn since(&self, now: Option<&str>) -> Since {
        match now {
            Some(now) if is_same(now, &self.wants) => Since::Same,
            Some(now) if self.saw.as_deref().is_some_and(|saw| is_same(now, saw)) => Since::Unchanged,
            Some(_) => Since::Changed,
            None => Since::Unchanged,
        }
    }

    /// Whose value holds; `None` while the person has to choose. What nobody else touched is the person's unless they give it up.
    pub fn whose(&self, now: Option<&str>, chosen: &Chosen) -> Option<Whose> {
        let choice = chosen.get(&self.pointer).filter(|(_, over)| over.as_deref() == now).map(|(whose, _)| *whose);
        match self.since(now) {
            Since::Changed => choice,
            Since::Unchanged => choice.or(Some(Whose::Mine)),
            Since::Same => Some(Whose::Theirs),
        }
    }
}

/// What is to be sent: the person's own leaves, each over what is wanted now. `None` while something has to be chosen; empty when
/// everything stays as others want it. `now` is what is wanted of each leaf, in their order.
pub fn wishes(leaves: &[Wanted], now: &[Option<String>], chosen: &Chosen) -> Option<Vec<Wish>> {
    let mut wishes = Vec::new();
    for (leaf, now) in leaves.iter().zip(now) {
        match leaf.whose(now.as_deref(), chosen)? {
            Whose::Mine => wishes.push(Wish {
                pointer: leaf.pointer.clone(),
                value_json: leaf.wants.clone(),
                seen_json: now.clone(),
            }),
            Whose::Theirs => {}
        }
    }
    Some(wishes)
}

/// Whether a leaf is wanted so because of a command from here, sent or taken back: that is nobody else's change.
pub fn is_ours<'a>(
    commands: impl Iterator<Item = &'a CommandRow>,
    shadow: &str,
    pointer: &str,
    now: Option<&str>,
) -> bool {
    let mut of_leaf = commands.filter(|row| row.shadow == shadow).flat_map(|row| &row.changes);
    let newest = of_leaf.find(|(of, ..)| of == pointer);
    newest.is_some_and(|(_, before, wanted)| {
        let is = |value: Option<&str>| value.zip(now).is_some_and(|(value, now)| is_same(value, now));
        is(Some(wanted)) || is(before.as_deref())
    })
}

/// Whether two JSON texts mean the same to a shadow.
fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    match (read(one), read(other)) {
        (Some(one), Some(other)) => same_value(&one, &other),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::command::Phase;
    use fleetlens_model::id::{CommandId, ThingKey};
    use fleetlens_model::identity::Actor;
    use fleetlens_model::kind::Kind;

    use super::*;

    fn leaf(pointer: &str, saw: Option<&str>, wants: &str) -> Wanted {
        Wanted { pointer: pointer.into(), saw: saw.map(str::to_owned), wants: wants.into() }
    }

    fn text(json: &str) -> Option<String> {
        Some(json.to_owned())
    }

    #[test]
    fn only_what_somebody_wants_otherwise_now_has_to_be_chosen_about() {
        for (name, saw, now, since) in [
            ("as it was", Some("100"), Some("100.0"), Since::Unchanged),
            ("cleared by the device", Some("100"), None, Since::Unchanged),
            ("never there", None, None, Since::Unchanged),
            ("another value", Some("100"), Some("70"), Since::Changed),
            ("there at last", None, Some("70"), Since::Changed),
            ("what the person wants", Some("100"), Some("40"), Since::Same),
        ] {
            assert_eq!(leaf("/dim_pct", saw, "40").since(now), since, "{name}");
        }
    }

    #[test]
    fn nothing_is_sent_before_every_conflict_is_decided_and_then_only_what_is_mine_over_what_is_there() {
        let leaves = [leaf("/dim_pct", Some("100"), "40"), leaf("/on", Some("true"), "false"), leaf("/x", None, "1")];
        let now = [text("70"), text("true"), text("1")];
        let mut chosen = Chosen::new();
        assert_eq!(wishes(&leaves, &now, &chosen), None);
        let sent = |chosen: &Chosen, now: &[Option<String>]| {
            let wishes = wishes(&leaves, now, chosen)?;
            Some(wishes.into_iter().map(|wish| (wish.pointer, wish.value_json, wish.seen_json)).collect::<Vec<_>>())
        };
        let on = ("/on".to_owned(), "false".to_owned(), text("true"));
        chosen.insert("/dim_pct".into(), (Whose::Mine, text("70")));
        let dim = ("/dim_pct".to_owned(), "40".to_owned(), text("70"));
        assert_eq!(sent(&chosen, &now), Some(vec![dim, on.clone()]));
        assert_eq!(sent(&chosen, &[text("55"), text("true"), text("1")]), None, "it changed again");
        chosen.insert("/dim_pct".into(), (Whose::Theirs, text("70")));
        assert_eq!(sent(&chosen, &now), Some(vec![on]));
        chosen.insert("/on".into(), (Whose::Theirs, text("true")));
        assert_eq!(sent(&chosen, &now), Some(Vec::new()), "everything stays as it is");
    }

    #[test]
    fn what_our_own_commands_did_is_nobody_elses_change() {
        let command = |id: u64, before: Option<&str>, wanted: &str| CommandRow {
            id: CommandId(id),
            thing: ThingKey(1),
            thing_title: String::new(),
            kind: Kind::Lamp,
            shadow: String::new(),
            direct: false,
            title: String::new(),
            changes: vec![("/dim_pct".into(), before.map(str::to_owned), wanted.into())],
            trace: String::new(),
            by: Actor::default(),
            phase: Phase::Settled,
            never_obeyed: false,
            steps: Vec::new(),
            sentence: String::new(),
            expires_in_ms: None,
            can_edit: false,
            takes: Vec::new(),
            can_cancel: false,
        };
        let newest_first = [command(2, Some("40"), "60"), command(1, Some("100"), "40")];
        for (shadow, pointer, now, want) in [
            ("", "/dim_pct", Some("60.0"), true),
            ("", "/dim_pct", Some("40"), true),
            ("", "/dim_pct", Some("100"), false),
            ("", "/dim_pct", None, false),
            ("", "/on", Some("60"), false),
            ("network", "/dim_pct", Some("60"), false),
        ] {
            assert_eq!(is_ours(newest_first.iter(), shadow, pointer, now), want, "{shadow} {pointer} {now:?}");
        }
    }
}
