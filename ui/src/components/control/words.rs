//! What a control and its values are called: what will change, what Send does, and what is asked before it. Pure.

use fleetlens_model::kind::{Control, Takes};
use tr::tr;

use super::{Draft, unit};
use crate::format;
use crate::lang::said;

/// A leaf's JSON text as the control's own words have it.
pub fn in_its_words(control: &Control, json: &str) -> String {
    let (on, off) = switch_words(control);
    match (&control.takes, json) {
        (Takes::Switch, "true") => on.to_lowercase(),
        (Takes::Switch, "false") => off.to_lowercase(),
        (takes, json) => format::leaf(json, unit(takes)),
    }
}

/// What the two sides of a switch are called.
pub fn switch_words(control: &Control) -> (&str, &str) {
    let own = control.switch_words.as_ref();
    own.map_or_else(|| (said("On"), said("Off")), |(on, off)| (format::known(on), format::known(off)))
}

/// What Send does, in two words: `Open barrier`, `Dim to 40 %`.
pub fn verb(control: &Control, draft: &Draft) -> String {
    match (&control.takes, draft) {
        (Takes::Choice(words), Draft::Word(word)) => {
            let label =
                words.iter().find(|(known, _)| known == word).map_or(word.as_str(), |(_, label)| format::known(label));
            done_to(label, &control.label)
        }
        (_, Draft::Flag(on)) if control.pointer == "/enabled" => {
            if *on { said("Put into service") } else { said("Take out of service") }.into()
        }
        (_, Draft::Flag(on)) => if *on { said("Switch on") } else { said("Switch off") }.into(),
        (takes, draft) => {
            format!("{} {}", format::known(&control.label), format::leaf(&draft.json().to_string(), unit(takes)))
        }
    }
}

/// What is done, and to what: `Open barrier`.
pub fn done_to(word: &str, label: &str) -> String {
    tr!("{word} {noun}", word = format::act(word), noun = format::noun(format::known(label)))
}

/// The question before it is sent: `Open barrier of City Gate?`, `Take Charger 7 out of service?`.
pub fn question(control: &Control, draft: &Draft, title: &str) -> String {
    match (control.pointer.as_ref(), draft) {
        ("/enabled", Draft::Flag(true)) => tr!("Put {} into service?", title),
        ("/enabled", Draft::Flag(false)) => tr!("Take {} out of service?", title),
        _ => tr!("{verb} of {title}?", verb = verb(control, draft), title),
    }
}

/// What will happen, in a sentence or two, before it does.
pub fn promise(
    control: &Control,
    draft: Option<&Draft>,
    now: Option<&str>,
    expiry_ms: u64,
    link_up: bool,
    has_shadow: bool,
) -> String {
    let unit = unit(&control.takes);
    let want = draft.map(|draft| format::leaf(&draft.json().to_string(), unit)).unwrap_or_default();
    let from = now.map(|json| format!(" {}", tr!("Now it is {}.", format::leaf(json, unit)))).unwrap_or_default();
    let within = format::age(expiry_ms);
    // What went straight to a thing nobody can take back.
    let late = if has_shadow {
        tr!("If the device has not obeyed within {}, the wish is taken back and nothing happens later.", within)
    } else {
        tr!("If it cannot be sent within {}, it is not sent any more; once sent, it cannot be taken back.", within)
    };
    let what = match (control.pointer.as_ref(), draft) {
        ("/enabled", Some(Draft::Flag(on))) => match (on, link_up) {
            (true, true) => said("It is asked to go into service at once.").to_owned(),
            (true, false) => said("It is asked to go into service as soon as the link is back.").to_owned(),
            (false, true) => said("It is asked to go out of service at once.").to_owned(),
            (false, false) => said("It is asked to go out of service as soon as the link is back.").to_owned(),
        },
        _ => {
            let noun = format::noun(format::known(&control.label));
            let asked = if link_up {
                tr!("The {noun} is asked to be {want} at once.", noun, want)
            } else {
                tr!("The {noun} is asked to be {want} as soon as the link is back.", noun, want)
            };
            format!("{asked}{from}")
        }
    };
    format!("{what}{} {late}", consequence(control, draft))
}

/// What happens to people beyond the leaf itself, each sentence after a space; empty where nothing does.
fn consequence(control: &Control, draft: Option<&Draft>) -> String {
    let sentences = draft
        .map(|draft| draft.json())
        .map(|json| control.dangers_of(&json).into_iter().map(format::known).collect::<Vec<_>>().join(" "))
        .unwrap_or_default();
    if sentences.is_empty() { sentences } else { format!(" {sentences}") }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    fn of_kind(kind: Kind, pointer: &str) -> &'static Control {
        Schemas::of_the_program().control_of_kind(kind, pointer).unwrap()
    }

    #[test]
    fn a_question_says_what_will_happen_and_that_it_will_not_happen_late() {
        let barrier = of_kind(Kind::Parking, "/barrier");
        let open = Draft::Word("open".into());
        assert_eq!(verb(barrier, &open), "Open barrier");
        let said = promise(barrier, Some(&open), Some("\"closed\""), 30_000, false, true).replace('\u{a0}', " ");
        for part in ["asked to be open", "as soon as the link is back", "Now it is closed", "within 30 s", "taken back"]
        {
            assert!(said.contains(part), "{said}");
        }
        let dim = of_kind(Kind::Lamp, "/dim_pct");
        assert_eq!(verb(dim, &Draft::Number(40.0)).replace('\u{a0}', " "), "Dim to 40 %");
    }

    #[test]
    fn who_takes_a_charger_out_of_service_is_told_whom_it_hits() {
        let enabled = of_kind(Kind::Charger, "/enabled");
        for (on, asked, cuts) in
            [(false, "Take Charger 7 out of service?", true), (true, "Put Charger 7 into service?", false)]
        {
            let draft = Draft::Flag(on);
            assert_eq!(question(enabled, &draft, "Charger 7"), asked);
            let said = promise(enabled, Some(&draft), Some("true"), 600_000, true, true);
            assert_eq!(said.contains("the session ends"), cuts, "{said}");
        }
    }

    #[test]
    fn what_will_change_is_told_in_the_words_of_the_buttons() {
        let control = |kind: Kind, pointer| of_kind(kind, pointer);
        for (control, json, want) in [
            (control(Kind::Charger, "/enabled"), "false", "no"),
            (control(Kind::Lamp, "/on"), "true", "on"),
            (control(Kind::Lamp, "/dim_pct"), "40", "40 %"),
        ] {
            assert_eq!(in_its_words(control, json).replace('\u{a0}', " "), want);
        }
    }
}
