//! What the documents point to is there, and every picture of the guide is shown in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::text::files;
use super::{WORKSPACE, assert_none};

/// The folder of the guide's pictures.
const PICTURES: &str = "docs/guide/img/";

/// The targets of a Markdown text's links and pictures, with their lines. Code is no text.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Between every second pair of backticks is code.
            for prose in line.split('`').step_by(2) {
                let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
                found.extend(targets.map(|(target, _)| (number + 1, target)));
            }
        }
    }
    found
}

/// The path below the checkout that a link of a document leads to; `None` for another site.
fn leads_to(document: &str, target: &str) -> Option<String> {
    let path = target.split_once('#').map_or(target, |(path, _)| path);
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    if path.is_empty() {
        return Some(document.to_owned());
    }
    let mut whole = PathBuf::new();
    for part in Path::new(document).parent()?.join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => whole.push(part),
        }
    }
    Some(whole.to_str()?.replace('\\', "/"))
}

/// What a heading is called in a link: lower case, blanks become dashes, signs go.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    letters.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).any(|anchor| anchor == wanted)
}

#[test]
fn every_link_of_the_documents_leads_somewhere_and_every_picture_is_shown() {
    let all = files();
    let documents: Vec<_> = all
        .iter()
        .filter(|f| f.path == "README.md" || (f.path.starts_with("docs/") && f.path.ends_with(".md")))
        .collect();
    assert!(documents.len() > 5, "git lists only {} documents", documents.len());
    let (mut broken, mut shown) = (Vec::new(), BTreeSet::new());
    for document in &documents {
        for (line, target) in links(&document.text) {
            let Some(path) = leads_to(&document.path, target) else { continue };
            let heading = target.split_once('#').map(|(_, heading)| heading);
            let is_there = WORKSPACE.root.join(&path).exists();
            let is_headed = heading.is_none_or(|heading| {
                documents.iter().find(|other| other.path == path).is_some_and(|other| has_heading(&other.text, heading))
            });
            if !is_there || !is_headed {
                broken.push(format!("{}:{line}: {target}", document.path));
            }
            shown.insert(path);
        }
    }
    assert_none("links of documents that lead nowhere", broken);
    let pictures = super::text::tracked(PICTURES);
    assert!(!pictures.is_empty(), "git lists no file in {PICTURES}");
    assert_none("pictures that no document shows", pictures.into_iter().filter(|path| !shown.contains(path)));
}

#[test]
fn links_are_read_as_a_reader_of_markdown_follows_them() {
    let text = "see [a](b.md#c) and ![d](../e.png)\n`[x](y)` [f](https://example.org)\n```\n[no](no)\n```\n[g](#h)\n";
    assert_eq!(links(text), [(1, "b.md#c"), (1, "../e.png"), (2, "https://example.org"), (6, "#h")]);
    for (target, want) in [
        ("b.md#c", Some("docs/guide/b.md")),
        ("../e.png", Some("docs/e.png")),
        ("#h", Some("docs/guide/README.md")),
        ("https://example.org", None),
    ] {
        assert_eq!(leads_to("docs/guide/README.md", target).as_deref(), want, "{target}");
    }
    assert_eq!(anchor(" The technician's phone"), "the-technicians-phone");
}
