use fleetlens_model::expression::Expression;

use super::*;

const TEXT: &str = r#"# Our harbour
name = "Harbour"            # do not change
[broker]
url = "mqtt://h"
[shadows]
enabled = true

# Heat first.
[[alarm]]
id = "hot"                  # asked for by the crew
when = "temp_c >= 60"       # °C
for = "2 min"
deadband = 5
what_to_do = "go there"

[[alarm]]
id = "tipped"
when = "tipped"
latch = true
what_to_do = "stand it up"

[map]
tiles = "x.mbtiles"
"#;

fn draft(id: &str, change: impl FnOnce(&mut RuleForm)) -> RuleDraft {
    let forms = Written::read(TEXT).unwrap().forms();
    let mut form = forms.into_iter().find(|form| form.id == id).unwrap();
    change(&mut form);
    RuleDraft { form, replaces: Some(id.into()) }
}

fn new(id: &str, when: &str) -> RuleDraft {
    let form = RuleForm { id: id.into(), when: when.into(), what_to_do: "go".into(), ..RuleForm::default() };
    RuleDraft { form, replaces: None }
}

fn after(text: &str, change: RuleChange) -> String {
    Written::read(text).unwrap().after(&change).unwrap()
}

#[test]
fn a_changed_rule_changes_its_own_words_and_nothing_else_in_the_file() {
    let keep = |draft| after(TEXT, RuleChange::Keep(Box::new(draft)));
    assert_eq!(keep(draft("hot", |_| {})), TEXT, "nothing is changed by keeping what is there");
    let hotter = keep(draft("hot", |form| form.when = "temp_c >= 70 and not silent".into()));
    assert_eq!(hotter, TEXT.replace("temp_c >= 60", "temp_c >= 70 and not silent"));
    let looser = keep(draft("hot", |form| {
        (form.deadband, form.lasting) = ("7.5".into(), String::new());
    }));
    assert_eq!(looser, TEXT.replace("deadband = 5", "deadband = 7.5").replace("for = \"2 min\"\n", ""));
    let let_go = keep(draft("tipped", |form| (form.latch, form.priority) = (false, "critical".into())));
    assert!(!let_go.contains("latch") && let_go.contains("priority = \"critical\""), "{let_go}");
    for comment in ["# Our harbour", "# do not change", "# Heat first.", "# asked for by the crew", "# °C"] {
        assert!(let_go.contains(comment), "{comment}");
    }
}

#[test]
fn a_rule_is_added_behind_the_others_and_taken_out() {
    let added = after(TEXT, RuleChange::Keep(Box::new(new("full", "fill_pct > 90"))));
    let rules = Profile::parse(&added, "x").unwrap().rules;
    assert_eq!(rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["hot", "tipped", "full"]);
    assert!(added.contains("tiles = \"x.mbtiles\"") && added.starts_with("# Our harbour"));
    let one = after(&added, RuleChange::Remove("hot".into()));
    assert_eq!(Profile::parse(&one, "x").unwrap().rules.len(), 2);
    let none = after(&after(&one, RuleChange::Remove("tipped".into())), RuleChange::Remove("full".into()));
    assert_eq!(Profile::parse(&none, "x").unwrap().rules, [], "and the usual ones are not back:\n{none}");
    let again = after(&none, RuleChange::Keep(Box::new(new("full", "fill_pct > 90"))));
    assert_eq!(Profile::parse(&again, "x").unwrap().rules.len(), 1, "{again}");
    let gone = Written::read(TEXT).unwrap().after(&RuleChange::Remove("cold".into()));
    assert!(gone.is_err_and(|why| why.contains("no rule \"cold\"")));
}

#[test]
fn a_profile_that_writes_no_rules_keeps_the_usual_ones_beside_its_first() {
    let head = "name = \"a\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n";
    let written = Written::read(head).unwrap();
    assert!(!written.writes);
    assert_eq!(written.forms().len(), 3);
    let text = after(head, RuleChange::Keep(Box::new(new("full", "fill_pct > 90"))));
    let rules = Profile::parse(&text, "x").unwrap().rules;
    assert_eq!(rules[..3], Rule::usual()[..], "{text}");
    assert_eq!(rules.len(), 4);
    let fewer = after(head, RuleChange::Remove("silent".into()));
    assert_eq!(Profile::parse(&fewer, "x").unwrap().rules[..], Rule::usual()[1..]);
}

#[test]
fn a_mistake_is_told_with_its_field_and_in_the_language_with_its_column() {
    let wrong = |draft: &RuleDraft| with_draft(Path::new(""), TEXT, draft).unwrap_err();
    let when = |text: &str| wrong(&draft("hot", |form| form.when = text.into()));
    for (text, column) in [("temp_c >=", 10), ("temp_c >= 60 and )", 18), ("avg(temp_c) > 3", 11)] {
        let mistake = when(text);
        let own = Expression::read(text).unwrap_err();
        assert_eq!((mistake.field, mistake.column), (Some(RuleField::When), Some(own.column as u32)), "{mistake:?}");
        assert!(column > 0 && !mistake.message.contains("column"), "{mistake:?}");
    }
    let unless = wrong(&draft("hot", |form| form.unless = "mode = ".into()));
    assert_eq!((unless.field, unless.column), (Some(RuleField::Unless), Some(8)), "{unless:?}");
    let area = when("temp_c > 60 and inside('Quay')");
    assert!(area.column == Some(24) && area.message.contains("no area is called"), "{area:?}");
    assert_eq!((when("level > 3").field, when("level > 3").column), (Some(RuleField::When), None), "kind is missing");
    assert_eq!(when("").field, Some(RuleField::When));
    type Change = fn(&mut RuleForm);
    let fields: [(Change, RuleField, &str); 9] = [
        (|form| form.lasting = "two minutes".into(), RuleField::Lasting, "no length of time"),
        (|form| form.deadband = "much".into(), RuleField::Deadband, "f64"),
        (|form| form.deadband = "-3".into(), RuleField::Deadband, "makes no sense"),
        (|form| form.tell_again = "3s".into(), RuleField::TellAgain, "a minute at the soonest"),
        (|form| form.kind = "boat".into(), RuleField::Kind, "is no kind"),
        (|form| form.group = "Crew".into(), RuleField::Group, "Crew"),
        (|form| form.priority = "high".into(), RuleField::Priority, "warning"),
        (|form| form.id = "Too Hot".into(), RuleField::Id, "is no id"),
        (|form| form.what_to_do = " ".into(), RuleField::WhatToDo, "what a person should do"),
    ];
    for (change, field, says) in fields {
        let mistake = wrong(&draft("hot", change));
        assert!(mistake.field == Some(field) && mistake.message.contains(says), "{field:?}: {mistake:?}");
    }
    let twice = wrong(&new("tipped", "tipped"));
    assert!(twice.field == Some(RuleField::Id) && twice.message.contains("already"), "{twice:?}");

    let elsewhere = TEXT.replace("mqtt://h", "http://h");
    let mistake = with_draft(Path::new(""), &elsewhere, &draft("hot", |_| {})).unwrap_err();
    assert!(mistake.field.is_none() && mistake.message.starts_with("line 4 of the file"), "{mistake:?}");
    let no_toml = with_draft(Path::new(""), "name = ", &new("a", "b")).unwrap_err();
    assert!(no_toml.field.is_none() && no_toml.message.starts_with("line 1 of the file"), "{no_toml:?}");
    let in_a_row = "alarm = [{ id = \"a\" }]\n";
    assert!(Written::read(in_a_row).unwrap_err().0.message.contains("[[alarm]]"));
    assert_eq!(
        with_draft(Path::new(""), TEXT, &draft("tipped", |form| form.when = "/state = fault".into())).err(),
        None
    );
}

#[test]
fn a_state_machine_is_shown_and_stays_in_the_file() {
    let machine = "detector = \"pump.json\"     # of the waterworks\nstates = [\"Dangerous\", \"Odd\"]";
    let text = TEXT.replace("when = \"tipped\"", machine);
    let form = Written::read(&text).unwrap().forms().remove(1);
    assert_eq!((form.when.as_str(), form.machine.as_str()), ("", "pump.json: Dangerous, Odd"));
    let form = RuleForm { unless: "service = true".into(), ..form };
    let kept = after(&text, RuleChange::Keep(Box::new(RuleDraft { form, replaces: Some("tipped".into()) })));
    assert!(kept.contains(machine) && kept.contains("unless = \"service = true\""), "{kept}");
}
