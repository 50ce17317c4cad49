//! A search that becomes a group of a profile's file: everything else in it stays as its owner wrote it, comments and spaces as well.
//! What is wrong with the group is what the profile's own reading says of the text that would be written.

use fleetlens_ipc::profile::KeptGroup;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::profile::check_group_name;

/// What holds the groups in a profile.
const GROUP: &str = "group";

/// The text of a profile with the group in it: behind all others, or in the place of the one of its name. Fails in a sentence.
pub fn with_group(text: &str, group: &KeptGroup) -> Result<String, String> {
    let name = group.name.trim();
    check_group_name(name)?;
    if group.search.trim().is_empty() && group.kinds.is_empty() {
        return Err("the search finds everything; write what finds the group's things".to_owned());
    }
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        format!("the file cannot be changed, it has a mistake: {}", error.message())
    })?;
    let item = document.entry(GROUP).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if item.as_array().is_some_and(Array::is_empty) {
        *item = Item::ArrayOfTables(ArrayOfTables::new());
    }
    let Some(tables) = item.as_array_of_tables_mut() else {
        return Err("the groups stand in one value; write each as a [[group]] to keep one here".to_owned());
    };
    let is_named = |table: &Table| table.get("name").and_then(Item::as_str).map(str::trim) == Some(name);
    let place = tables.iter().position(is_named);
    match place.and_then(|place| tables.get_mut(place)) {
        Some(_) if !group.replaces => return Err(format!("there is a group {name:?} already")),
        Some(table) => {
            for key in ["areas", "words", "things", "groups"] {
                table.remove(key);
            }
            say(table, group);
        }
        None => {
            let mut table = Table::new();
            table.insert("name", Item::Value(Value::from(name)));
            say(&mut table, group);
            tables.push(table);
        }
    }
    Ok(document.to_string())
}

/// Its kinds and its search, as far as there are any.
fn say(table: &mut Table, group: &KeptGroup) {
    table.remove("kinds");
    table.remove("search");
    if !group.kinds.is_empty() {
        let kinds: Array = group.kinds.iter().map(|kind| kind.word()).collect();
        table.insert("kinds", Item::Value(Value::Array(kinds)));
    }
    if !group.search.trim().is_empty() {
        table.insert("search", Item::Value(Value::from(group.search.trim())));
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::Kind;

    use super::*;

    const TEXT: &str = r#"
# The harbour's own.
name = "Harbour"

[[group]]
name = "Crew" # those on the quay
things = ["lamp-1"]

[identity] # who
name = "Ada"
"#;

    fn kept(name: &str, search: &str, replaces: bool) -> KeptGroup {
        KeptGroup { name: name.into(), search: search.into(), kinds: Vec::new(), replaces }
    }

    #[test]
    fn a_group_is_written_behind_the_others_and_everything_else_stays() {
        let group =
            KeptGroup { kinds: vec![Kind::Lamp, Kind::Bin], ..kept(" Quay \"A\" ", "area:marsa fill_pct>80", false) };
        let after = with_group(TEXT, &group).unwrap();
        let added =
            "\n[[group]]\nname = 'Quay \"A\"'\nkinds = [\"lamp\", \"bin\"]\nsearch = \"area:marsa fill_pct>80\"\n";
        assert_eq!(after.replacen(added, "", 1), TEXT, "{after}");
        let first = with_group("name = \"Harbour\"\n", &kept("Lit", "kind:lamp", false)).unwrap();
        assert_eq!(first, "name = \"Harbour\"\n\n[[group]]\nname = \"Lit\"\nsearch = \"kind:lamp\"\n");
    }

    #[test]
    fn a_group_of_the_same_name_is_replaced_only_where_somebody_said_so() {
        assert_eq!(with_group(TEXT, &kept("Crew", "lamp", false)), Err("there is a group \"Crew\" already".into()));
        let after = with_group(TEXT, &kept("Crew", "lamp", true)).unwrap();
        assert_eq!(after, TEXT.replace("things = [\"lamp-1\"]", "search = \"lamp\""), "the comment stays");
    }

    #[test]
    fn what_is_no_group_is_told_in_a_sentence() {
        for (text, group, why) in [
            (TEXT, kept("  ", "lamp", false), "the group's name has 0 characters"),
            (TEXT, kept(&"x".repeat(65), "lamp", false), "has 65 characters; 1 to 64 are right"),
            (TEXT, kept("a\u{7}b", "lamp", false), "cannot be seen"),
            (TEXT, kept("All", " ", false), "finds everything"),
            ("group = [{ name = \"A\" }]", kept("B", "lamp", false), "stand in one value"),
            ("name = ", kept("B", "lamp", false), "it has a mistake"),
        ] {
            let told = with_group(text, &group).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
