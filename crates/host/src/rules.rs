//! The rules of a profile as fields of a form, and the file around them: what is not changed in it stays as its owner wrote it, comments
//! and spaces as well. What is wrong with a rule is what the profile's own reading says of the text that would be written.

use std::ops::Range;
use std::path::Path;

use fleetlens_ipc::profile::MistakeRow;
use fleetlens_ipc::rules::{RuleChange, RuleDraft, RuleField, RuleForm, RuleMistake};
use fleetlens_model::alarm::state::Policy;
use fleetlens_model::alarm::{Condition, Priority, Rule, duration};
use fleetlens_model::kind::Kind;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::profile::{Profile, ProfileError};

/// What holds the rules in a profile.
const ALARM: &str = "alarm";

/// A profile's text with its rules.
#[derive(Debug)]
pub struct Written {
    document: DocumentMut,
    /// Whether it writes rules; one that does not has the usual ones.
    pub writes: bool,
}

/// Why a profile's text cannot be changed rule by rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable(pub MistakeRow);

impl Written {
    /// Reads the text, whatever its rules say.
    pub fn read(text: &str) -> Result<Written, Unwritable> {
        let wrong = |at: Range<usize>, message: String| {
            let line = text.get(..at.start).unwrap_or_default().matches('\n').count() + 1;
            Unwritable(MistakeRow { line: u32::try_from(line).unwrap_or(u32::MAX), message })
        };
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            wrong(error.span().unwrap_or_default(), error.message().to_owned())
        })?;
        let writes = match document.get(ALARM) {
            None => false,
            Some(Item::ArrayOfTables(_)) => true,
            Some(Item::Value(Value::Array(all))) if all.is_empty() => true,
            Some(other) => {
                let at = other.span().unwrap_or_default();
                return Err(wrong(
                    at,
                    "the rules stand in one value; write each as an [[alarm]] to change them here".into(),
                ));
            }
        };
        Ok(Written { document, writes })
    }

    /// The rules as fields, in the order of the file; the usual ones where it writes none.
    pub fn forms(&self) -> Vec<RuleForm> {
        if !self.writes {
            return Rule::usual().iter().map(form_of).collect();
        }
        self.tables().map(form).collect()
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.document.get(ALARM).and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    /// Made where there are none; there are some after this.
    fn tables_mut(&mut self) -> Option<&mut ArrayOfTables> {
        if !self.writes {
            // Else the first rule of its own would be the end of them.
            let mut usual = ArrayOfTables::new();
            for rule in Rule::usual() {
                usual.push(table(&form_of(&rule)));
            }
            self.document.insert(ALARM, Item::ArrayOfTables(usual));
            self.writes = true;
        }
        let item = self.document.entry(ALARM).or_insert(Item::None);
        if !item.is_array_of_tables() {
            *item = Item::ArrayOfTables(ArrayOfTables::new());
        }
        item.as_array_of_tables_mut()
    }

    /// Writes a rule, in the place of the one that it replaces, else behind all.
    fn keep(&mut self, draft: &RuleDraft) -> Result<(), String> {
        let Some(tables) = self.tables_mut() else { return Ok(()) };
        match &draft.replaces {
            None => tables.push(table(&draft.form)),
            Some(id) => put(tables.iter_mut().find(|table| is(table, id)).ok_or_else(|| gone(id))?, &draft.form),
        }
        Ok(())
    }

    fn remove(&mut self, id: &str) -> Result<(), String> {
        let Some(tables) = self.tables_mut() else { return Ok(()) };
        let at = tables.iter().position(|table| is(table, id)).ok_or_else(|| gone(id))?;
        tables.remove(at);
        if tables.is_empty() {
            // Without the word the usual ones would hold again.
            self.document.insert(ALARM, Item::Value(Value::Array(toml_edit::Array::new())));
        }
        Ok(())
    }

    /// The text after a change; fails on a rule that is not there.
    pub fn after(mut self, change: &RuleChange) -> Result<String, String> {
        match change {
            RuleChange::Keep(draft) => self.keep(draft)?,
            RuleChange::Remove(id) => self.remove(id)?,
        }
        Ok(self.document.to_string())
    }
}

fn gone(id: &str) -> String {
    format!("there is no rule {id:?} in the file any more; read it again")
}

fn is(table: &Table, id: &str) -> bool {
    table.get("id").and_then(Item::as_str) == Some(id)
}

fn form(table: &Table) -> RuleForm {
    let mut form = RuleForm::default();
    for field in RuleField::ALL {
        let text = match table.get(field.key()).and_then(Item::as_value) {
            Some(Value::String(text)) => text.value().clone(),
            Some(Value::Integer(number)) => number.value().to_string(),
            Some(Value::Float(number)) => number.value().to_string(),
            Some(Value::Boolean(is)) => is.value().to_string(),
            Some(Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_)) | None => String::new(),
        };
        form.set(field, text);
    }
    form.machine = machine(table);
    form
}

/// `pump.json: Dangerous`; empty for a rule whose condition is none.
fn machine(table: &Table) -> String {
    let Some(detector) = table.get("detector").and_then(Item::as_str) else { return String::new() };
    let document = if detector.trim_start().starts_with('{') { "a document in the profile" } else { detector };
    let states = table.get("states").and_then(Item::as_array);
    let states: Vec<&str> = states.into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{document}: {}", states.join(", "))
}

fn table(form: &RuleForm) -> Table {
    let mut table = Table::new();
    put(&mut table, form);
    table
}

/// Changes what is otherwise, and nothing else.
fn put(table: &mut Table, form: &RuleForm) {
    let before = self::form(table);
    for field in RuleField::ALL {
        let text = form.text(field);
        let text = if matches!(field, RuleField::When | RuleField::Unless) { text } else { text.trim() };
        if before.text(field) == text {
            continue;
        }
        if text.is_empty() {
            table.remove(field.key());
            continue;
        }
        let mut value = match field {
            RuleField::Latch => Value::from(true),
            RuleField::Deadband => number(text),
            RuleField::Id
            | RuleField::Name
            | RuleField::Kind
            | RuleField::Group
            | RuleField::Search
            | RuleField::When
            | RuleField::Unless
            | RuleField::Lasting
            | RuleField::ClearFor
            | RuleField::TellAgain
            | RuleField::NoData
            | RuleField::Error
            | RuleField::Priority
            | RuleField::TimeAvailable
            | RuleField::Cause
            | RuleField::Consequence
            | RuleField::WhatToDo => Value::from(text),
        };
        // The comment behind it stays.
        if let Some(old) = table.get(field.key()).and_then(Item::as_value) {
            *value.decor_mut() = old.decor().clone();
        }
        table.insert(field.key(), Item::Value(value));
    }
}

/// A number where it is one; what is none stays as it is, so that the profile's reading says what is wrong with it.
fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => Value::from(whole),
        (Err(_), Ok(number)) => Value::from(number),
        (Err(_), Err(_)) => Value::from(text),
    }
}

/// A rule that stands in no file.
fn form_of(rule: &Rule) -> RuleForm {
    let time = |ms: u64| if ms == 0 { String::new() } else { duration(ms) };
    let policy = |policy: Policy| match policy {
        Policy::Alert => "alert",
        Policy::Normal => "normal",
        Policy::KeepLast => "",
    };
    let (when, deadband, lasting) = match &rule.condition {
        Condition::When(when) => (when.expression.text().to_owned(), when.deadband, rule.terms.on_delay_ms),
        Condition::Silent => ("silent".into(), 0.0, 0),
        Condition::NotConverged { after_ms } => ("not converged".into(), 0.0, *after_ms),
        Condition::CommandFailed => ("command failed".into(), 0.0, 0),
        Condition::Detected(_) => (String::new(), 0.0, rule.terms.on_delay_ms),
        Condition::Told => (String::new(), 0.0, 0),
    };
    let priority = match rule.priority {
        Priority::Advisory => "advisory",
        Priority::Warning => "",
        Priority::Critical => "critical",
    };
    RuleForm {
        id: rule.id.clone(),
        name: rule.name.clone(),
        kind: rule.things.kind.map(Kind::word).unwrap_or_default().to_owned(),
        group: rule.things.group.clone(),
        search: rule.things.search.clone(),
        when,
        machine: String::new(),
        left_out: Vec::new(),
        unless: rule.unless.as_ref().map(|unless| unless.text().to_owned()).unwrap_or_default(),
        lasting: time(lasting),
        clear_for: time(rule.terms.off_delay_ms),
        deadband: if deadband == 0.0 { String::new() } else { deadband.to_string() },
        latch: rule.terms.latches,
        tell_again: time(rule.terms.realarm_ms.unwrap_or(0)),
        no_data: policy(rule.terms.no_data).to_owned(),
        error: policy(rule.terms.error).to_owned(),
        priority: priority.to_owned(),
        time_available: time(rule.time_available_ms.unwrap_or(0)),
        cause: rule.cause.clone(),
        consequence: rule.consequence.clone(),
        what_to_do: rule.what_to_do.clone(),
    }
}

/// The profile with a draft in it, or what is wrong with that: with the draft's field and column where it is in there.
pub fn with_draft(folder: &Path, text: &str, draft: &RuleDraft) -> Result<Profile, RuleMistake> {
    let around = |message: String| RuleMistake { field: None, column: None, message };
    if draft.form.what_to_do.trim().is_empty() {
        let message = "say what a person should do about it; an alarm that nobody can act on is none".to_owned();
        return Err(RuleMistake { field: Some(RuleField::WhatToDo), column: None, message });
    }
    if draft.form.when.trim().is_empty() && draft.form.machine.is_empty() {
        let message = "write what must be so, such as fill_pct >= 90".to_owned();
        return Err(RuleMistake { field: Some(RuleField::When), column: None, message });
    }
    let written = Written::read(text)
        .map_err(|Unwritable(mistake)| around(format!("line {} of the file: {}", mistake.line, mistake.message)))?;
    let after = written.after(&RuleChange::Keep(Box::new(draft.clone()))).map_err(around)?;
    Profile::parse_in(folder, &after, "the profile").map_err(|error| match error {
        ProfileError::Unreadable { why, .. } => around(why),
        ProfileError::Wrong { line, why, .. } => match field_at(&after, draft, line) {
            Some(field) => in_field(draft, field, why),
            None => around(format!("line {line} of the file: {why}")),
        },
    })
}

/// The field of the draft that stands on this line of the text.
fn field_at(text: &str, draft: &RuleDraft, line: usize) -> Option<RuleField> {
    let lines: Vec<&str> = text.lines().collect();
    let is_head = |line: &&str| line.trim_start().starts_with('[');
    let at = line.checked_sub(1)?;
    let start = lines.get(..=at)?.iter().rposition(is_head)?;
    let rest = lines.get(start + 1..)?;
    let length = rest.iter().position(is_head).unwrap_or(rest.len());
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let value: toml::Table = format!("x ={value}").parse().ok()?;
        Some((key.trim().to_owned(), value.get("x")?.as_str().map(str::to_owned)))
    };
    let its = rest.get(..length)?.iter().filter_map(|line| value(line));
    let is_its = its.into_iter().any(|(key, value)| key == "id" && value.as_deref() == Some(draft.form.id.trim()));
    if lines.get(start)?.trim() != "[[alarm]]" || !is_its {
        return None;
    }
    // A text over several lines begins with its key.
    let key_of = |line: &&str| {
        let key = line.split_once('=')?.0.trim();
        RuleField::ALL.into_iter().find(|field| field.key() == key)
    };
    if at == start {
        // What is not there at all.
        return Some(if draft.form.when.trim().is_empty() { RuleField::When } else { RuleField::Id });
    }
    lines.get(start + 1..=at)?.iter().rev().find_map(key_of)
}

/// Of what is wrong in a condition its text is left out, which the person has before them, and the column told apart.
fn in_field(draft: &RuleDraft, field: RuleField, why: String) -> RuleMistake {
    let is_language = matches!(field, RuleField::When | RuleField::Unless | RuleField::Search);
    let in_text = why.strip_prefix(&format!("{:?}, ", draft.form.text(field))).filter(|_| is_language);
    let (column, message) = match in_text.and_then(|said| said.strip_prefix("column ")?.split_once(": ")) {
        Some((column, said)) => (column.parse().ok(), said.to_owned()),
        None => (None, in_text.map_or_else(|| why.clone(), str::to_owned)),
    };
    RuleMistake { field: Some(field), column, message }
}

#[cfg(test)]
mod tests;
