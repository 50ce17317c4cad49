//! Queries: what people type, or take from others with a profile.

use fleetlens_model::kind::Kind;
use fleetlens_model::query::{AsDescribed, Mistake, Query, TEXT_MAX_BYTES, Vocabulary, complete};

/// A thing to ask it of.
const THING: AsDescribed<'static> = AsDescribed {
    name: "lamp-1",
    title: "Lamp 1",
    kind: Kind::Lamp,
    street: "Triq Aldo Moro",
    area: "Ħal Qormi",
    gateway: "gw-1",
    words: "lamp 1\nlamp-1\ntriq aldo moro\nħal qormi",
};

/// How it is told that there is more than is read.
const BOUNDS: [&str; 2] = ["this is one term too many", "this is nested too deeply"];

/// A query, and what can come next at its end and in its middle.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for cursor in [text.len(), text.len() / 2] {
        let completion = complete(&text, cursor, &Vocabulary::default());
        for choice in &completion.choices {
            let (put, cursor) = completion.put(&text, choice);
            assert!(put.is_char_boundary(cursor), "{choice:?} in {text:?}");
        }
    }
    let query = match Query::read(&text) {
        Ok(query) => query,
        Err(mistake) => return check(&text, &mistake),
    };
    let is_found = query.finds(&THING);
    assert!(!is_found || query.kinds().contains(&Kind::Lamp), "{text:?} finds a kind that it does not");
    let printed = query.to_string();
    match Query::read(&printed) {
        Ok(again) => {
            assert_eq!(again.finds(&THING), is_found, "{text:?} and {printed}");
            assert_eq!(again.to_string(), printed);
        }
        // A number may be longer than it was written, a word may stand for several, and what bound closely without brackets has some:
        // then it may be more than is read, and nothing else keeps it from being read.
        Err(mistake) => assert!(
            printed.len() > TEXT_MAX_BYTES || BOUNDS.iter().any(|bound| mistake.why.starts_with(bound)),
            "{text:?} is printed as {printed:?}: {mistake}"
        ),
    }
}

fn check(text: &str, mistake: &Mistake) {
    let line = text.split('\n').nth(mistake.line - 1).expect("a mistake lies in the text");
    assert!((1..=line.chars().count() + 1).contains(&mistake.column), "{mistake} in {text:?}");
    assert!(!mistake.why.is_empty());
}
