//! What the audit log is told of profiles: who chose which, and who made or changed one. Each cache has a log of its own, so where another
//! one is opened both are told. No value out of a profile is told, since what stands in it may lead to a secret: only the names of what
//! was changed.

use std::time::Duration;

use fleetlens_ipc::Fault;
use fleetlens_model::audit::Event;
use fleetlens_model::identity::Actor;
use toml::{Table, Value};

use crate::run::Run;

/// How long an engine may take to hear it: one that is stuck must not keep anybody from another profile.
const WITHIN: Duration = Duration::from_millis(800);

/// Names of changed settings that are told; of more it is told how many they are.
const NAMED_MAX: usize = 12;

/// Has the log of a run's cache told what this person did; it is on the disk at the latest when the run has ended.
pub(super) async fn tell(run: &Run, by: &Actor, details: &[String]) {
    tell_of(run, by, Event::Set, details).await;
}

/// And what they were refused because of who they are.
pub(super) async fn tell_refused(run: &Run, by: &Actor, why: &Fault) {
    tell_of(run, by, Event::Refused, std::slice::from_ref(&why.message)).await;
}

async fn tell_of(run: &Run, by: &Actor, event: Event, details: &[String]) {
    let Some(engine) = run.engine() else { return };
    for detail in details {
        let is_heard = tokio::time::timeout(WITHIN, engine.audit(by.clone(), event, detail.clone())).await;
        if is_heard != Ok(true) {
            tracing::error!("the audit log was not told: {detail}");
        }
    }
}

/// Somebody chose a profile; `why` says why it is this one that is in use now, where it is not the one that was chosen.
pub(super) fn chosen(from: &str, to: &str, why: Option<&str>) -> String {
    let why = why.map_or_else(String::new, |why| format!("; {why}"));
    format!("profile in use: {from} → {to}{why}")
}

/// Somebody made a profile, or changed `old`, which is its name and its text, into this one.
pub(super) fn saved(old: Option<(&str, &str)>, name: &str, text: &str, has_password: bool) -> String {
    let password = if has_password { "; with a password" } else { "" };
    let Some((was, before)) = old else { return format!("profile made: {name}{password}") };
    let renamed = if was == name { String::new() } else { format!(" → {name}") };
    let mut changed = match (before.parse::<Table>(), text.parse::<Table>()) {
        (Ok(before), Ok(after)) => differing("", &before, &after),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => vec!["everything".to_owned()],
    };
    let more = changed.len().saturating_sub(NAMED_MAX);
    changed.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = if changed.is_empty() { "no setting".to_owned() } else { changed.join(", ") + &more };
    format!("profile changed: {was}{renamed}: {what}{password}")
}

/// The names of settings that differ, as they stand in the text: `broker.url`.
fn differing(within: &str, before: &Table, after: &Table) -> Vec<String> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let mut names = Vec::new();
    for key in after.keys().chain(gone) {
        let path = if within.is_empty() { key.clone() } else { format!("{within}.{key}") };
        match (before.get(key), after.get(key)) {
            (one, other) if one == other => {}
            (Some(Value::Table(before)), Some(Value::Table(after))) => names.extend(differing(&path, before, after)),
            (Some(_) | None, Some(_) | None) => names.push(path),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_told_by_its_name_and_never_by_its_value() {
        let old = "name = \"Port\"\n[broker]\nurl = \"mqtt://a\"\nuser = \"u\"\npassword.file = \"one\"\n[[group]]\nname = \"Quay\"\n";
        let new = "name = \"Port\"\n[broker]\nurl = \"mqtt://b\"\nuser = \"u\"\npassword.variable = \"TWO\"\n[map]\ntiles = \"t\"\n";
        for (name, old, new, has_password, want) in [
            ("made", None, new, false, "profile made: Port"),
            ("made with a password", None, new, true, "profile made: Port; with a password"),
            (
                "changed",
                Some(("Port", old)),
                new,
                false,
                "profile changed: Port: broker.password.variable, broker.password.file, broker.url, map, group",
            ),
            ("another name", Some(("Quay", new)), new, false, "profile changed: Quay → Port: no setting"),
            ("a password alone", Some(("Port", new)), new, true, "profile changed: Port: no setting; with a password"),
            ("what was no profile", Some(("Port", "[")), new, false, "profile changed: Port: everything"),
        ] {
            let told = saved(old, "Port", new, has_password);
            assert_eq!(told, want, "{name}");
        }
        let many: String = (0..20).map(|n| format!("s{n} = {n}\n")).collect();
        let told = saved(Some(("Port", "")), "Port", &many, false);
        assert!(told.ends_with(" and 8 more"), "{told}");
    }
}
