//! Class names of the window: one that is styled in two sheets is two parts that do not know of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{WORKSPACE, assert_none};

/// The phone's window has the same parts in another layout.
const OTHER_LAYOUT: &str = "phone.css";

/// A part that has a sheet of its own → the sheet that puts it in its place on the desk.
const PLACED: [(&str, &str); 3] = [("found", "desktop.css"), ("live-sign", "desktop.css"), ("status", "desktop.css")];

/// The classes that a sheet styles by themselves: not within another one, not together with another one.
fn classes(css: &str) -> BTreeSet<&str> {
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let selectors = css.split(['{', '}', '/', ';']).flat_map(|part| part.split(','));
    selectors.filter_map(|selector| selector.trim().strip_prefix('.')).filter(is_name).collect()
}

#[test]
fn a_class_is_styled_in_one_sheet() {
    let mut sheets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(WORKSPACE.root.join("ui/styles")).unwrap() {
        let path = entry.unwrap().path();
        let sheet = path.file_name().unwrap().to_str().unwrap().to_owned();
        for class in classes(&fs::read_to_string(&path).unwrap()) {
            sheets.entry(class.to_owned()).or_default().insert(sheet.clone());
        }
    }
    assert!(sheets.len() > 100, "{} classes: the sheets are somewhere else", sheets.len());
    let mut placed: BTreeSet<(&str, &str)> = PLACED.into_iter().collect();
    let mut violations = Vec::new();
    for (class, sheets) in &sheets {
        let of_its_own =
            |sheet: &&String| *sheet != OTHER_LAYOUT && !placed.contains(&(class.as_str(), sheet.as_str()));
        let own: Vec<_> = sheets.iter().filter(of_its_own).collect();
        if own.len() > 1 {
            violations.push(format!(".{class} in {own:?}"));
        }
        placed.retain(|(name, sheet)| *name != class || !sheets.contains(*sheet));
    }
    violations.extend(placed.iter().map(|(class, sheet)| format!(".{class} is not in {sheet} any more")));
    assert_none("classes that are styled in two sheets", violations);
}

#[test]
fn only_classes_by_themselves_are_counted() {
    let css = "/* .no */ .told, .steered { x: .5s } .told .right { y: z } .told.right {} @media (w) { .page { a: b } }";
    assert_eq!(classes(css), ["page", "steered", "told"].into_iter().collect());
}
