//! An area that somebody drew becomes an `[[area]]` of a profile's file: everything else in it stays as its owner wrote it, comments and
//! spaces as well. What is wrong with it is what the model and the profile's own reading say.

use fleetlens_ipc::maps::AreaDraft;
use fleetlens_model::alarm::fence::{Fence, Shape};
use fleetlens_model::alarm::{Condition, Rule};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

/// What holds the areas in a profile.
const AREA: &str = "area";

/// Digits behind the point of a degree: a tenth of a metre, which is finer than a hand draws.
const DIGITS: f64 = 1e6;

/// The text of a profile with the area in it: behind all others, or in the place of the one that it replaces. Fails in a sentence.
pub fn with_area(text: &str, draft: &AreaDraft) -> Result<String, String> {
    let name = draft.name.trim();
    // Where the profile says no margin it is the usual one, with which an area is no other than without.
    Fence::new(Shape::Polygon(draft.corners.clone()), 0.0).map_err(|why| why.to_string())?;
    let mut document = read(text)?;
    let tables = tables(&mut document)?;
    let is_taken = tables.iter().any(|table| is(table, name)) && draft.replaces.as_deref() != Some(name);
    if is_taken {
        return Err(format!("there is an area {name:?} already; give this one a name of its own"));
    }
    match &draft.replaces {
        None => {
            let mut table = Table::new();
            table.insert("name", Item::Value(Value::from(name)));
            table.insert("corners", corners(draft));
            tables.push(table);
        }
        Some(before) => {
            let table = tables.iter_mut().find(|table| is(table, before)).ok_or_else(|| gone(before))?;
            if !table.contains_key("corners") {
                return Err(format!("{before:?} is a circle or comes from a file; change it where it is written"));
            }
            if before != name {
                table.insert("name", Item::Value(Value::from(name)));
            }
            table.insert("corners", corners(draft));
        }
    }
    Ok(document.to_string())
}

/// The text of a profile without an area. Fails in a sentence.
pub fn without_area(text: &str, name: &str) -> Result<String, String> {
    let mut document = read(text)?;
    let tables = tables(&mut document)?;
    let place = tables.iter().position(|table| is(table, name)).ok_or_else(|| gone(name))?;
    tables.remove(place);
    if tables.is_empty() {
        document.remove(AREA);
    }
    Ok(document.to_string())
}

/// The names of the areas whose corners stand in the text itself.
pub fn drawn(text: &str) -> Vec<String> {
    let Ok(mut document) = read(text) else { return Vec::new() };
    let Ok(tables) = tables(&mut document) else { return Vec::new() };
    let drawn = tables.iter().filter(|table| table.contains_key("corners"));
    drawn.filter_map(|table| Some(table.get("name")?.as_str()?.trim().to_owned())).collect()
}

/// The rules that name an area, by their ids.
pub fn naming(rules: &[Rule], area: &str) -> Vec<String> {
    let names = |rule: &&Rule| {
        let mut fences = rule.unless.iter().flat_map(|unless| unless.needs().fences).collect::<Vec<_>>();
        if let Condition::When(when) = &rule.condition {
            fences.extend(when.expression.needs().fences);
        }
        fences.into_iter().any(|fence| fence == area)
    };
    rules.iter().filter(names).map(|rule| rule.id.clone()).collect()
}

/// Why an area may not lose its name; `None` where no rule says it.
pub fn refusal(rules: &[Rule], area: &str, what: &str) -> Option<String> {
    let named = naming(rules, area);
    let (first, more) = named.split_first()?;
    Some(match more.len() {
        0 => format!("the rule {first:?} names the area {area:?}; change that rule first, then {what}"),
        n => format!("the rule {first:?} and {n} more name the area {area:?}; change these rules first, then {what}"),
    })
}

fn read(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        format!("the file cannot be changed, it has a mistake: {}", error.message())
    })
}

fn tables(document: &mut DocumentMut) -> Result<&mut ArrayOfTables, String> {
    let item = document.entry(AREA).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if item.as_array().is_some_and(Array::is_empty) {
        *item = Item::ArrayOfTables(ArrayOfTables::new());
    }
    let why = "the areas stand in one value; write each as an [[area]] to change one here";
    item.as_array_of_tables_mut().ok_or_else(|| why.to_owned())
}

fn is(table: &Table, name: &str) -> bool {
    table.get("name").and_then(Item::as_str).map(str::trim) == Some(name)
}

fn gone(name: &str) -> String {
    format!("there is no area {name:?} in the file any more; nothing of it was changed")
}

/// Each corner on a line of its own, so that a person finds it again.
fn corners(draft: &AreaDraft) -> Item {
    let round = |degrees: f64| (degrees * DIGITS).round() / DIGITS;
    let mut all = Array::new();
    for corner in &draft.corners {
        let pair: Array = [round(corner.lon_deg), round(corner.lat_deg)].into_iter().collect();
        all.push_formatted(Value::Array(pair).decorated("\n    ", ""));
    }
    all.set_trailing("\n");
    all.set_trailing_comma(true);
    Item::Value(Value::Array(all))
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;

    use super::*;
    use crate::Profile;

    const TEXT: &str = "# The harbour's own.\nname = \"Harbour\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n\n\
                        [[area]] # by hand\nname = \"quay\"\nmiddle = [14.5, 35.9]\nradius_m = 300\n\n\
                        [[alarm]]\nid = \"astray\"\nkind = \"vehicle\"\nwhen = \"!inside(\\\"quay\\\")\"\nwhat_to_do = \"call\"\n";

    fn draft(name: &str, replaces: Option<&str>, corners: &[(f64, f64)]) -> AreaDraft {
        let corners =
            corners.iter().map(|(lon_deg, lat_deg)| LonLat { lon_deg: *lon_deg, lat_deg: *lat_deg }).collect();
        AreaDraft { replaces: replaces.map(str::to_owned), name: name.to_owned(), corners }
    }

    const TRIANGLE: [(f64, f64); 3] = [(14.5, 35.88), (14.520_000_04, 35.88), (14.51, 35.9)];

    #[test]
    fn an_area_is_written_behind_the_others_and_everything_else_stays() {
        let after = with_area(TEXT, &draft(" yard ", None, &TRIANGLE)).unwrap();
        let added = "\n[[area]]\nname = \"yard\"\ncorners = [\n    [14.5, 35.88],\n    [14.52, 35.88],\n    [14.51, 35.9],\n]\n";
        assert!(after.contains(added), "{after}");
        assert_eq!(after.replacen(added, "", 1), TEXT);
        let profile = Profile::parse(&after, "x").unwrap();
        assert_eq!(profile.areas.iter().map(|area| area.name.as_str()).collect::<Vec<_>>(), ["quay", "yard"]);
        assert_eq!(drawn(&after), ["yard"]);
        let moved =
            with_area(&after, &draft("yard", Some("yard"), &[TRIANGLE[0], TRIANGLE[1], (14.51, 35.95)])).unwrap();
        assert_eq!(moved, after.replace("[14.51, 35.9]", "[14.51, 35.95]"));
        let renamed = with_area(&after, &draft("depot", Some("yard"), &TRIANGLE)).unwrap();
        assert_eq!(renamed, after.replace("\"yard\"", "\"depot\""));
        assert_eq!(without_area(&after, "yard").unwrap(), TEXT);
    }

    #[test]
    fn what_is_no_area_is_told_in_a_sentence() {
        let bow = [(14.5, 35.88), (14.52, 35.9), (14.52, 35.88), (14.5, 35.9)];
        for (text, draft, why) in [
            (TEXT, draft("yard", None, &TRIANGLE[..2]), "3 to 256 corners"),
            (TEXT, draft("yard", None, &bow), "crosses or touches"),
            (TEXT, draft("quay", None, &TRIANGLE), "there is an area \"quay\" already"),
            (TEXT, draft("quay", Some("quay"), &TRIANGLE), "is a circle or comes from a file"),
            (TEXT, draft("yard", Some("gone"), &TRIANGLE), "no area \"gone\" in the file any more"),
            ("area = [{ name = \"a\" }]", draft("b", None, &TRIANGLE), "stand in one value"),
            ("name = ", draft("b", None, &TRIANGLE), "it has a mistake"),
        ] {
            let told = with_area(text, &draft).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        assert!(without_area(TEXT, "gone").unwrap_err().contains("any more"));
    }

    #[test]
    fn an_area_that_a_rule_names_is_known_with_its_rules() {
        let rules = Profile::parse(TEXT, "x").unwrap().rules;
        assert_eq!(naming(&rules, "quay"), ["astray"]);
        assert_eq!(refusal(&rules, "yard", "take it away"), None);
        let why = refusal(&rules, "quay", "take it away").unwrap();
        assert_eq!(why, "the rule \"astray\" names the area \"quay\"; change that rule first, then take it away");
    }
}
