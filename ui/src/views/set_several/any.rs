//! A field for what no control sets: a number without bounds, one of some numbers, a list, anything.

use fleetlens_model::schema::{Schema, Type};
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use super::Typed;
use crate::components::patch::value;
use crate::lang::said;

/// A name and a field for a value of a schema.
#[component]
pub fn AnyInput(
    /// What it may hold.
    leaf: Schema,
    /// What it is called.
    #[prop(into)]
    name: String,
    /// What is so, as JSON text.
    held: Memo<Option<String>>,
    /// Told what was typed; `None` where nothing is wanted.
    put: Callback<Option<Typed>>,
) -> impl IntoView {
    let typed = RwSignal::new(None::<String>);
    let kind = Entry::of(&leaf);
    let of = leaf.clone();
    let choose = move |text: String| {
        put.run(kind.read(&text));
        typed.set(Some(text));
    };
    let text = move || typed.get().or_else(|| held.get().map(|json| kind.written(&json))).unwrap_or_default();
    let label = if leaf.unit.is_empty() { name.clone() } else { format!("{name}, {}", leaf.unit) };
    let input = match (&leaf.one_of, kind) {
        (Some(values), _) => {
            let options = values.iter().map(|one| {
                let json = one.to_string();
                let (is, words) = (json.clone(), value(&of, &json));
                view! {
                    <option value=json selected=move || text() == is>
                        {words}
                    </option>
                }
            });
            let options = options.collect_view();
            view! {
                <select data-testid="choice" aria-label=label on:change=move |event| choose(event_target_value(&event))>
                    <Show when=move || text().is_empty()>
                        <option value="" selected=true disabled=true>
                            "–"
                        </option>
                    </Show>
                    {options}
                </select>
            }
            .into_any()
        }
        (None, Entry::Number) => view! {
            <input
                type="text"
                inputmode="decimal"
                class="number"
                data-testid="number"
                aria-label=label
                prop:value=text
                on:input=move |event| choose(event_target_value(&event))
            />
            <span class="unit">{leaf.unit.clone()}</span>
            <span class="range">{limits(&leaf)}</span>
        }
        .into_any(),
        (None, Entry::Text | Entry::Json) => view! {
            <input
                type="text"
                class="json"
                data-testid="text"
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
                aria-label=label
                placeholder=if kind == Entry::Json { "JSON" } else { "" }
                prop:value=text
                on:input=move |event| choose(event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <span class="label">{name}</span>
        <div class="input">{input}</div>
    }
}

/// How a value is written in its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// As a number.
    Number,
    /// As it is.
    Text,
    /// As JSON.
    Json,
}

impl Entry {
    fn of(leaf: &Schema) -> Entry {
        match leaf.types.as_deref() {
            _ if leaf.one_of.is_some() => Entry::Json,
            Some([Type::Number | Type::Integer]) => Entry::Number,
            Some([Type::Text]) => Entry::Text,
            Some(_) | None => Entry::Json,
        }
    }

    /// What was typed; `None` where the field is empty, which wants nothing.
    fn read(self, text: &str) -> Option<Typed> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        Some(match self {
            Entry::Text => Ok(Json::from(text)),
            Entry::Number => match serde_json::from_str(trimmed) {
                Ok(number @ Json::Number(_)) => Ok(number),
                Ok(_) | Err(_) => Err(tr!("“{}” is no number; 12 or 0.5 would be one", trimmed)),
            },
            Entry::Json => serde_json::from_str(trimmed)
                .map_err(|_| said("this is no JSON; a list such as [1, 2], or a text in quotes, would be").to_owned()),
        })
    }

    /// A value as it stands in the field.
    fn written(self, json: &str) -> String {
        match serde_json::from_str(json) {
            Ok(Json::String(text)) if self == Entry::Text => text,
            Ok(_) | Err(_) => json.to_owned(),
        }
    }
}

/// What a number is bound by, in few words.
fn limits(leaf: &Schema) -> String {
    let bounds = leaf.number;
    let least = bounds.min.map(|n| format!("≥ {n}")).or_else(|| bounds.above.map(|n| format!("> {n}")));
    let most = bounds.max.map(|n| format!("≤ {n}")).or_else(|| bounds.below.map(|n| format!("< {n}")));
    [least, most].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_is_read_as_its_field_says() {
        let entry = |json: Json| Entry::of(&Schema::parse(&json.to_string()).unwrap());
        let number = entry(json!({"type": "integer", "minimum": 1}));
        let (list, text, choice) =
            (entry(json!({"type": "array"})), entry(json!({"type": "string"})), entry(json!({"enum": [1]})));
        for (entry, typed, want) in [
            (number, " 12 ", Some(Some(json!(12)))),
            (number, "twelve", Some(None)),
            (number, "", None),
            (list, "[1, 2]", Some(Some(json!([1, 2])))),
            (list, "[1,", Some(None)),
            (text, "as it is", Some(Some(json!("as it is")))),
            (choice, "1", Some(Some(json!(1)))),
        ] {
            assert_eq!(entry.read(typed).map(Result::ok), want, "{typed}");
        }
        assert_eq!((text.written("\"a\""), list.written("[1]")), ("a".into(), "[1]".into()));
        let bounded = Schema::parse(r#"{"type": "number", "exclusiveMinimum": 0, "maximum": 9}"#).unwrap();
        assert_eq!(limits(&bounded), "> 0, ≤ 9");
    }
}
