//! What remembering an announcement takes, in bytes, roughly: a small payload may become much, since what a device's components
//! share and what `~` stands for is copied, and templates are taken apart.

use fleetlens_model::kind::Takes;
use fleetlens_model::telemetry::Value;
use serde_json::Value as Json;

use super::entity::{Entity, Means, Reading, Sends, Steer};
use super::template::Template;

/// Of what a text is kept in, beside its letters.
const OF_A_TEXT: usize = size_of::<String>() + 16;

/// What an entity takes, with its part of every index by topic.
pub(super) fn entity(entity: &Entity, announced_on: &str) -> usize {
    let index = |topic: &str| text(topic) + text(announced_on);
    let sources = entity.availability.sources.iter().map(|source| {
        let words = text(&source.available) + text(&source.not_available);
        size_of_val(source) + text(&source.topic) + words + template(source.template.as_ref())
    });
    let words = entity.labels.iter().chain(&entity.units).map(|(pointer, word)| text(pointer) + text(word));
    size_of::<Entity>()
        + text(&entity.pointer)
        + text(&entity.called)
        + entity.readings.iter().map(reading).sum::<usize>()
        + entity.steers.iter().map(steer).sum::<usize>()
        + entity.topics().map(index).sum::<usize>()
        + sources.sum::<usize>()
        + words.sum::<usize>()
}

fn text(text: &str) -> usize {
    OF_A_TEXT + text.len()
}

fn template(template: Option<&Template>) -> usize {
    template.map_or(0, Template::weight)
}

fn reading(reading: &Reading) -> usize {
    let words = match &reading.means {
        Means::Words(words) | Means::WordsOrText(words) => words.as_slice(),
        Means::Number { .. } | Means::OpenAbove { .. } | Means::Text => &[],
    };
    let word = |(word, value): &(String, Value)| {
        let meant = match value {
            Value::Text(meant) => text(meant),
            Value::Number(_) | Value::Flag(_) => size_of::<Value>(),
        };
        text(word) + meant
    };
    size_of::<Reading>()
        + text(&reading.pointer)
        + text(&reading.topic)
        + template(reading.template.as_ref())
        + words.iter().map(word).sum::<usize>()
}

fn steer(steer: &Steer) -> usize {
    let offered = match &steer.control.takes {
        Takes::Choice(words) => words.iter().map(|(word, says)| text(word) + text(says)).sum(),
        Takes::Range { .. } | Takes::Switch | Takes::Text { .. } => 0,
    };
    let beside =
        [&steer.before, &steer.after].into_iter().flatten().map(|(topic, payload)| text(topic) + text(payload));
    let leaves = [&steer.on_by, &steer.needs_on].into_iter().flatten().map(|pointer| text(pointer));
    size_of::<Steer>()
        + text(&steer.control.pointer)
        + text(&steer.control.label)
        + text(&steer.topic)
        + template(steer.template.as_ref())
        + template(steer.off_template.as_ref())
        + offered
        + sends(&steer.sends)
        + beside.sum::<usize>()
        + leaves.sum::<usize>()
}

fn sends(sent: &Sends) -> usize {
    match sent {
        Sends::Words(words) => words.iter().map(|(_, word)| size_of::<Json>() + 2 * text(word)).sum(),
        Sends::InObject(_, _, inner) => size_of::<Sends>() + sends(inner),
        Sends::Number { .. } | Sends::Itself => 0,
    }
}
