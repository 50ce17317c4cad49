//! Functions: what each takes, and what it means.

use super::check::Check;
use super::parse::{Is, Tree};
use super::tree::{Flag, Nth, Number, Typed};
use super::window::{Of, Span};
use super::{Language, Mistake, WINDOW_MAX_MS, WINDOW_MIN_MS, WINDOWS_MAX};
use crate::alarm::{NOT_CONVERGED_AFTER_MS, duration};

const KNOWN: &str = "avg, min, max, count, last, delta, rate, above_usual, unusual, silent, not_converged, command_failed, inside, missing";

/// Areas and timers one expression may name; [`super::fences`] has a bit for each.
const TEXTS_MAX: usize = 8;

pub(super) fn call(check: &mut Check<'_>, tree: &Tree, name: &str, given: &[Tree]) -> Result<Typed, Mistake> {
    if let Some(of) = Of::named(name) {
        return window(check, tree, name, of, given);
    }
    let flag = match (name, given) {
        ("timeout", [timer]) if check.language == Language::Detector => {
            let nth = text(check, timer, "timeout(\"name\")", |known| &mut known.timers)?;
            Flag::TimedOut(nth)
        }
        _ if check.language == Language::Detector => {
            return check.mistake(tree, format!("{name} is not understood in a detector model; timeout(\"name\") is"));
        }
        ("above_usual" | "unusual", [value]) => {
            let nth = check.name(value)?;
            if !check.known.usual.contains(&nth) {
                check.known.usual.push(nth);
            }
            let number = if name == "unusual" { Number::Unusual(nth) } else { Number::AboveUsual(nth) };
            return Ok(Typed::Number(number, 0));
        }
        ("silent", []) => {
            check.known.presence = true;
            Flag::Silent(None)
        }
        ("silent", [length]) => {
            (check.known.presence, check.known.clock) = (true, true);
            Flag::Silent(Some(length_ms(check, length)?))
        }
        ("not_converged", given @ ([] | [_])) => {
            (check.known.convergence, check.known.clock) = (true, true);
            let after_ms = given.first().map(|length| length_ms(check, length)).transpose()?;
            Flag::NotConverged(after_ms.unwrap_or(NOT_CONVERGED_AFTER_MS))
        }
        ("command_failed", []) => {
            check.known.commands = true;
            Flag::CommandFailed
        }
        ("inside", [area]) => {
            let nth = text(check, area, "inside(\"harbour\")", |known| &mut known.fences)?;
            if nth == check.known.fences_at.len() {
                check.known.fences_at.push(area.at.start);
            }
            Flag::Inside(nth)
        }
        ("missing", [value]) => {
            check.known.presence = true;
            Flag::Missing(check.name(value)?, None)
        }
        ("missing", [value, length]) => {
            (check.known.presence, check.known.clock) = (true, true);
            let nth = check.name(value)?;
            Flag::Missing(nth, Some(length_ms(check, length)?))
        }
        (known, _) => {
            let why = match shape(known) {
                Some(shape) => format!("{name} is written {shape}"),
                None => format!("{name:?} is no function; there are {KNOWN}"),
            };
            return check.mistake(tree, why);
        }
    };
    Ok(Typed::Flag(flag))
}

/// How a function is written that was given too much or too little.
fn shape(name: &str) -> Option<&'static str> {
    Some(match name {
        "above_usual" => "above_usual(value)",
        "unusual" => "unusual(value)",
        "silent" => "silent or silent(10m)",
        "not_converged" => "not_converged or not_converged(15m)",
        "command_failed" => "command_failed",
        "inside" => "inside(\"harbour\")",
        "missing" => "missing(value) or missing(value, 30m)",
        _ => return None,
    })
}

fn window(check: &mut Check<'_>, tree: &Tree, name: &str, of: Of, given: &[Tree]) -> Result<Typed, Mistake> {
    if check.language == Language::Detector {
        return check.mistake(tree, format!("{name} is not understood in a detector model; timeout(\"name\") is"));
    }
    let [value, length] = given else {
        return check.mistake(tree, format!("{name} takes a value and a length of time: {name}(fill_pct, 5m)"));
    };
    let (value, length_ms) = (check.name(value)?, length_ms(check, length)?);
    let span = Span { value, of, length_ms };
    let time = if of == Of::Rate { -1 } else { 0 };
    // Of a silent thing a window says nothing.
    check.known.presence = true;
    let windows = &mut check.known.windows;
    let nth = match windows.iter().position(|known| *known == span) {
        Some(nth) => nth,
        None if windows.len() == WINDOWS_MAX => {
            return check.mistake(tree, format!("at most {WINDOWS_MAX} windows may be kept"));
        }
        None => {
            windows.push(span);
            windows.len() - 1
        }
    };
    Ok(Typed::Number(Number::Window(nth), time))
}

fn length_ms(check: &Check<'_>, tree: &Tree) -> Result<u64, Mistake> {
    let Is::Number { value, time: 1 } = tree.is else {
        let why = format!("expected a length of time such as 5m or 2h, found {}", check.written(tree));
        return check.mistake(tree, why);
    };
    let ms = (value * 1_000.0).round() as u64;
    if (WINDOW_MIN_MS..=WINDOW_MAX_MS).contains(&ms) {
        return Ok(ms);
    }
    let (least, most) = (duration(WINDOW_MIN_MS), duration(WINDOW_MAX_MS));
    check.mistake(tree, format!("{} is not looked at; write {least} to {most}", check.written(tree)))
}

/// A text in quotes by its place among those of its sort.
fn text(
    check: &mut Check<'_>,
    tree: &Tree,
    shape: &str,
    list: impl Fn(&mut super::tree::Known) -> &mut Vec<String>,
) -> Result<Nth, Mistake> {
    let Is::Text(text) = &tree.is else {
        return check.mistake(tree, format!("expected a name in quotes: {shape}"));
    };
    let texts = list(&mut check.known);
    if let Some(nth) = texts.iter().position(|known| known == text) {
        return Ok(nth);
    }
    if texts.len() == TEXTS_MAX {
        return check.mistake(tree, format!("at most {TEXTS_MAX} of these may be named"));
    }
    texts.push(text.clone());
    Ok(texts.len() - 1)
}
