//! Several values of a thing set at once: a form made of what its kind's schema says, with groups, units and what will happen to
//! people, and one command with exactly what would change.

mod any;

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetlens_model::kind::Control;
use fleetlens_model::schema::{Schema, Violation};
use fleetlens_model::shadow::{Object, patch_of, pointer_of};
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use crate::components::control::{Draft, Input, leaf_of, now_of};
use crate::components::icon::Icon;
use crate::components::patch::{Names, Outgoing, SendPatch, own_title, title};
use crate::lang::said;
use crate::state::thing::Thing;
use any::AnyInput;

/// What stands in a field that a person touched: a value, or why there is none.
type Typed = Result<Json, String>;

/// What every field of a form needs.
#[derive(Clone)]
struct Form {
    thing: Thing,
    schema: Arc<Schema>,
    /// What the person typed, by pointer; what they did not touch is not here.
    typed: RwSignal<BTreeMap<String, Typed>>,
    violations: Memo<Vec<Violation>>,
    /// Whether also values are offered of which the thing has never said anything.
    all: RwSignal<bool>,
}

/// The form, folded away until it is wanted; nothing at all for who may not command, nor where there are no two values to set.
#[component]
pub fn SetSeveral(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let may_command = thing.may_command;
    let of = thing.schema.clone();
    // Alone, a value that has a control needs no form.
    let is_worth_it = Memo::new(move |_| {
        of.with(|schema| {
            schema.as_deref().is_some_and(|schema| {
                let leaves = settable(schema);
                let is_more = |(pointer, leaf): &(String, &Schema)| Control::of(schema, pointer, leaf).is_none();
                leaves.len() > 1 || leaves.iter().any(is_more)
            })
        })
    });
    let thing = StoredValue::new(thing);
    view! {
        <Show when=move || may_command && is_worth_it.get()>
            <section class="set-several" data-testid="set-several">
                <button
                    type="button"
                    class="fold"
                    data-testid="form-fold"
                    aria-expanded=move || open.get().to_string()
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    <span class="turn" class:down=move || open.get()>
                        <Icon of=icondata_lu::LuChevronRight />
                    </span>
                    {said("Set several values at once")}
                </button>
                <Show when=move || open.get()>
                    <Sheets thing=thing.get_value() />
                </Show>
            </section>
        </Show>
    }
}

/// The leaves that a person may set.
fn settable(schema: &Schema) -> Vec<(String, &Schema)> {
    let leaves = schema.leaves().into_iter();
    let is_said_only = |pointer: &str| schema.way(pointer).into_iter().any(|part| part.read_only);
    leaves.filter(|(pointer, _)| !is_said_only(pointer)).collect()
}

/// One form after the other: what was sent leaves an empty one.
#[component]
fn Sheets(thing: Thing) -> impl IntoView {
    let round = RwSignal::new(0);
    let schema = thing.schema.clone();
    move || {
        round.track();
        let schema = schema.get()?;
        let on_done = Callback::new(move |()| {
            // The drawer may have closed meanwhile.
            round.try_update(|round| *round += 1);
        });
        Some(view! { <Sheet thing=thing.clone() schema on_done /> })
    }
}

#[component]
fn Sheet(thing: Thing, schema: Arc<Schema>, on_done: Callback<()>) -> impl IntoView {
    let typed = RwSignal::new(BTreeMap::<String, Typed>::new());
    let of = schema.clone();
    let patch = Memo::new(move |_| typed.with(|typed| patch_of_typed(&of, typed)));
    let outgoing = Outgoing::of(&thing, Signal::stored(String::new()), patch);
    let violations = outgoing.violations;
    let all = RwSignal::new(false);
    let begun = Signal::derive(move || typed.with(|typed| !typed.is_empty()));
    let unsaid = {
        let (of, schema) = (thing.clone(), schema.clone());
        Memo::new(move |_| settable(&schema).iter().filter(|(pointer, _)| !is_said(&of, pointer)).count())
    };
    let form = Form { thing: thing.clone(), schema, typed, violations, all };
    // What is wrong with the whole stands at its end; the rest beside its field.
    let of_whole =
        move || violations.with(|all| all.iter().filter(|v| v.pointer.is_empty()).cloned().collect::<Vec<_>>());
    view! {
        <div class="editor schema-form" data-testid="form">
            {group(&form, "")}
            <Show when=move || unsaid.get() != 0>
                <button
                    type="button"
                    class="link"
                    data-testid="form-all"
                    aria-pressed=move || all.get().to_string()
                    on:click=move |_| all.update(|all| *all = !*all)
                >
                    {move || if all.get() { said("Hide what it has never said").to_owned() } else { more(unsaid.get()) }}
                </button>
            </Show>
            <For each=of_whole key=|violation| violation.sentence.clone() let:violation>
                <p class="wrong" data-testid="form-violation">{violation.sentence}</p>
            </For>
            <SendPatch thing outgoing begun names=Names::Titles testid="form" on_done />
        </div>
    }
}

fn more(unsaid: usize) -> String {
    tr!("Show one more, which it has never said" | "Show {n} more, which it has never said" % unsaid)
}

/// What was typed as a patch, or the first field that holds no value.
fn patch_of_typed(schema: &Schema, typed: &BTreeMap<String, Typed>) -> Result<Object, String> {
    let value = |(pointer, typed): (&String, &Typed)| match typed {
        Ok(value) => Ok((pointer.clone(), value.clone())),
        Err(why) => Err(format!("{}: {why}", title(schema, pointer))),
    };
    Ok(patch_of(&typed.iter().map(value).collect::<Result<Vec<_>, _>>()?))
}

/// Whether a thing has said anything of a value, or somebody wants it: what no shadow holds could never be seen obeyed; tracked.
fn is_said(thing: &Thing, pointer: &str) -> bool {
    now_of(thing, pointer).is_some() || leaf_of(thing, pointer).is_some()
}

/// The fields of a group, in the order of its schema.
fn group(form: &Form, pointer: &str) -> AnyView {
    let Some(schema) = form.schema.at(pointer) else { return ().into_any() };
    let part = |(name, part): &(String, Schema)| {
        let inner = format!("{pointer}{}", pointer_of([name.as_str()]));
        if part.read_only {
            ().into_any()
        } else if part.is_group() {
            view! { <Group form=form.clone() pointer=inner /> }.into_any()
        } else {
            view! { <Field form=form.clone() pointer=inner /> }.into_any()
        }
    };
    schema.properties.iter().map(part).collect_view().into_any()
}

#[component]
fn Group(form: Form, pointer: String) -> impl IntoView {
    let schema = form.schema.at(&pointer).cloned().unwrap_or_default();
    let (name, its) = (own_title(&schema, &pointer), pointer.clone());
    let (of, within) = (form.clone(), format!("{pointer}/"));
    let is_shown = Memo::new(move |_| {
        let leaves = settable(&of.schema);
        of.all.get() || leaves.iter().any(|(inner, _)| inner.starts_with(&within) && is_said(&of.thing, inner))
    });
    view! {
        <fieldset data-testid="group" data-pointer=pointer.clone() hidden=move || !is_shown.get()>
            <legend>{name}</legend>
            <Help schema=schema.clone() />
            {group(&form, &pointer)}
            <Wrong form=form.clone() pointer=its exact=true />
        </fieldset>
    }
}

/// One value.
#[component]
fn Field(form: Form, pointer: String) -> impl IntoView {
    let leaf = form.schema.at(&pointer).cloned().unwrap_or_default();
    let (of, its) = (form.clone(), pointer.clone());
    let is_shown = Memo::new(move |_| of.all.get() || is_said(&of.thing, &its));
    let (of, its) = (form.thing.clone(), pointer.clone());
    // What is wanted comes before what is so: a form says what is to be.
    let held = Memo::new(move |_| leaf_of(&of, &its).and_then(|leaf| leaf.desired).or_else(|| now_of(&of, &its)));
    let (typed, key) = (form.typed, pointer.clone());
    let put = Callback::new(move |value: Option<Typed>| {
        typed.update(|typed| match value {
            Some(value) => drop(typed.insert(key.clone(), value)),
            None => drop(typed.remove(&key)),
        });
    });
    let input = match Control::of(&form.schema, &pointer, &leaf) {
        Some(control) => {
            let draft = RwSignal::new(None::<Draft>);
            Effect::watch(move || draft.get(), move |draft, _, _| put.run(draft.as_ref().map(|d| Ok(d.json()))), false);
            let takes = control.takes.clone();
            let of_held = Memo::new(move |_| held.with(|json| Draft::of_leaf(json.as_deref()?, &takes)));
            let shown = Signal::derive(move || draft.get().or_else(|| of_held.get()));
            view! { <Input control=Arc::new(control) shown draft /> }.into_any()
        }
        None => {
            let name = own_title(&leaf, &pointer);
            view! { <AnyInput leaf=leaf.clone() name held put /> }.into_any()
        }
    };
    let its = pointer.clone();
    view! {
        <div class="composer leaf-field" data-testid="field" data-pointer=pointer.clone() hidden=move || !is_shown.get()>
            {input}
            <Help schema=leaf />
            <Wrong form pointer=its exact=false />
        </div>
    }
}

/// What it does, in the schema's words.
#[component]
fn Help(schema: Schema) -> impl IntoView {
    let words = schema.description;
    (!words.is_empty()).then(|| view! { <p class="help">{words}</p> })
}

/// What is wrong with a value, or with what is in it.
#[component]
fn Wrong(form: Form, pointer: String, exact: bool) -> impl IntoView {
    let within = format!("{pointer}/");
    let is_its = move |of: &str| of == pointer || (!exact && of.starts_with(&within));
    let sentences = Memo::new(move |_| {
        let its =
            |all: &Vec<Violation>| all.iter().filter(|v| is_its(&v.pointer)).map(|v| v.sentence.clone()).collect();
        form.violations.with(|all| -> Vec<String> { its(all) })
    });
    view! {
        <div class="wrongs" aria-live="polite">
            <For each=move || sentences.get() key=Clone::clone let:sentence>
                <p class="wrong" data-testid="form-violation">{sentence}</p>
            </For>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_typed_becomes_one_patch_or_says_which_field_holds_no_value() {
        let schema = Schema::parse(
            r#"{"properties": {"on": {"type": "boolean"}, "serial": {"readOnly": true, "type": "string"},
                "net": {"title": "Network", "properties": {"hops": {"type": "integer"}}}}}"#,
        )
        .unwrap();
        let leaves: Vec<String> = settable(&schema).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(leaves, ["/on", "/net/hops"]);
        let mut typed = BTreeMap::from([("/on".to_owned(), Ok(json!(true))), ("/net/hops".to_owned(), Ok(json!(3)))]);
        let want = json!({"on": true, "net": {"hops": 3}});
        assert_eq!(patch_of_typed(&schema, &typed).map(Json::from), Ok(want));
        typed.insert("/net/hops".into(), Err("“x” is no number".into()));
        assert_eq!(patch_of_typed(&schema, &typed), Err("Network · Hops: “x” is no number".into()));
        assert_eq!((more(1).contains("one more"), more(3).contains("3 more")), (true, true));
    }
}
