//! Every word of the window can be translated and is: read from the source itself, token by token.

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fleetlens_ipc::diagnostics::Level;
use fleetlens_model::alarm::Priority;
use fleetlens_model::board::{Asks, Listed, Of, Shows};
use fleetlens_model::figures::CacheKind;
use fleetlens_model::identity::Role;
use fleetlens_model::kind::{Kind, Schemas, Takes};
use fleetlens_model::query::STANDINGS;
use tr::Translator;

use self::source::{Message, window};
use super::Language;
use super::catalogue::{Catalogue, key};
use crate::format::words_of_kinds;

fn po(language: Language) -> String {
    let name = format!("locales/{}.po", language.tag());
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Words of the model that the window shows through [`super::said`].
fn words_of_the_model() -> Vec<&'static str> {
    let kinds = Kind::ALL.into_iter().flat_map(|kind| [kind.singular(), kind.plural()]);
    let roles = Role::ALL.map(Role::label);
    let priorities = Priority::FROM_LOWEST.map(Priority::label);
    let cached = CacheKind::ALL.map(CacheKind::label);
    let levels = [Level::Ok, Level::Warn, Level::Fault].map(Level::word);
    let fields = Shows::WORDS.into_iter().flat_map(Shows::fields_of).flat_map(|field| {
        let choices = if let Asks::Choice(choices) = field.asks { choices } else { &[] };
        [field.label, field.hint].into_iter().chain(choices.iter().map(|(_, read)| *read))
    });
    let boards = Of::ALL.map(Of::word).into_iter().chain(Listed::ALL.map(Listed::word)).chain(Shows::WORDS);
    let standings = STANDINGS.map(|(_, word)| word);
    kinds
        .chain(words_of_kinds())
        .chain(roles)
        .chain(priorities)
        .chain(cached)
        .chain(levels)
        .chain(boards)
        .chain(fields.filter(|word| !word.is_empty()))
        .chain(standings)
        .collect()
}

#[test]
fn what_the_schemas_of_the_program_say_is_known() {
    let own: BTreeSet<&str> = words_of_kinds().collect();
    let controls = Kind::ALL.into_iter().flat_map(|kind| Schemas::of_the_program().controls_of_kind(kind));
    for control in controls {
        let words = match &control.takes {
            Takes::Choice(words) => words.iter().map(|(_, label)| label.as_ref()).collect(),
            Takes::Range { .. } | Takes::Switch | Takes::Text { .. } => Vec::new(),
        };
        let switch = control.switch_words.iter().flat_map(|(on, off)| [on.as_str(), off]);
        let dangers = control.dangers.iter().map(|(_, sentence)| sentence.as_str());
        for word in words.into_iter().chain(switch).chain(dangers).chain([control.label.as_ref()]) {
            assert!(own.contains(word), "{word:?} of {}", control.pointer);
        }
    }
}

#[test]
fn no_text_of_the_window_is_without_translation() {
    let bare: Vec<String> = window()
        .iter()
        .flat_map(|(file, found)| found.bare.iter().map(move |text| format!("{file}: {text:?}")))
        .collect();
    assert!(
        bare.is_empty(),
        "{} texts that go neither through said() nor through tr!():\n{}",
        bare.len(),
        bare.join("\n")
    );
}

#[test]
fn every_text_is_in_every_catalogue_and_keeps_what_is_filled_in() {
    let mut messages: BTreeSet<Message> = window().into_values().flat_map(|found| found.messages).collect();
    messages.extend(words_of_the_model().into_iter().map(|word| Message {
        text: word.into(),
        plural: None,
        context: None,
    }));
    for (language, _) in Language::CHOICES.into_iter().filter(|(language, _)| *language != Language::English) {
        let catalogue = Catalogue::read(&po(language)).unwrap();
        let mut wrong = Vec::new();
        for Message { text, plural, context } in &messages {
            // A text that stays as it is stands in the catalogue all the same; only a context tells the two apart here.
            let translated: Vec<String> = match plural {
                None => vec![catalogue.translate(text, context.as_deref()).into_owned()],
                Some(plural) => {
                    [1, 2].map(|n| catalogue.ntranslate(n, text, plural, context.as_deref()).into_owned()).into()
                }
            };
            let is_there = catalogue.has(text, plural.as_deref(), context.as_deref());
            let same = |a: &str, b: &str| filled(a) == filled(b);
            if !is_there || translated.iter().any(String::is_empty) {
                wrong.push(format!("not there: {text:?}"));
            } else if !translated.iter().all(|translated| {
                same(translated, text) || plural.as_ref().is_some_and(|plural| same(translated, plural))
            }) {
                wrong.push(format!("not the same is filled in: {text:?} {translated:?}"));
            }
        }
        let wanted: BTreeSet<String> =
            messages.iter().map(|it| key(&it.text, it.plural.as_deref(), it.context.as_deref()).into_owned()).collect();
        let unused = catalogue.keys().filter(|key| !wanted.contains(*key));
        wrong.extend(unused.map(|key| format!("nobody says {key:?}")));
        assert!(
            wrong.is_empty(),
            "{}.po, {} of {} texts:\n{}",
            language.tag(),
            wrong.len(),
            messages.len(),
            wrong.join("\n")
        );
    }
}

/// The places where something is filled in, sorted; a plural may leave out its number.
fn filled(text: &str) -> Vec<&str> {
    let mut places: Vec<&str> =
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).filter(|place| *place != "n").collect();
    places.sort_unstable();
    places
}

#[test]
fn words_of_another_language_are_found() {
    let catalogue = Catalogue::read(&po(Language::German)).unwrap();
    assert_eq!(catalogue.translate("Theme", None), "Farben");
    assert_eq!(catalogue.translate("Settings", None), "Einstellungen");
}
