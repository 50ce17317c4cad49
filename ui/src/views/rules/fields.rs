//! The fields of a rule. What is wrong stands below the field that it is about, and in the condition under the character.

use fleetlens_ipc::rules::{RuleField, RuleForm, RuleMistake};
use leptos::prelude::*;
use tr::tr;

use crate::components::marked::parts;
use crate::components::segmented::Segmented;
use crate::lang::said;

/// A condition, for example.
const EXAMPLE: &str = "avg(temp_c, 5m) >= 70 and not silent";

/// What all fields share.
#[derive(Clone, Copy)]
pub struct Sheet {
    /// What is written.
    pub form: RwSignal<RuleForm>,
    /// What is wrong with it.
    pub mistake: Memo<Option<RuleMistake>>,
}

impl Sheet {
    /// What is wrong with a field.
    fn wrong(self, field: RuleField) -> Option<RuleMistake> {
        self.mistake.with(|mistake| mistake.as_ref().filter(|mistake| mistake.field == Some(field)).cloned())
    }

    fn text(self, field: RuleField) -> String {
        self.form.with(|form| form.text(field).to_owned())
    }

    fn set(self, field: RuleField, text: String) {
        self.form.update(|form| form.set(field, text));
    }
}

/// The line below a field.
#[component]
fn Wrong(sheet: Sheet, field: RuleField) -> impl IntoView {
    view! {
        <p class="wrong" id=format!("rule-{}-wrong", field.key()) data-testid=format!("wrong-{}", field.key())>
            {move || {
                sheet.wrong(field).map(|RuleMistake { column, message, .. }| {
                    let at = column.map(|column| tr!("Column {}: ", column));
                    view! { <b>{at}</b> {message} }
                })
            }}
        </p>
    }
}

/// A line of text.
#[component]
pub fn Line(
    /// What it belongs to.
    sheet: Sheet,
    /// Which.
    field: RuleField,
    /// What it is called.
    label: &'static str,
    /// What stands in it while it is empty.
    #[prop(default = "")]
    placeholder: &'static str,
    /// What to know about it.
    #[prop(default = "")]
    hint: &'static str,
) -> impl IntoView {
    let key = field.key();
    view! {
        <div class="rule-field" data-field=key>
            <label class="field">
                <span>{label}</span>
                <input
                    type="text"
                    data-testid=format!("rule-{key}")
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder=placeholder
                    aria-invalid=move || sheet.wrong(field).is_some().to_string()
                    aria-describedby=format!("rule-{key}-wrong")
                    prop:value=move || sheet.text(field)
                    on:input=move |event| sheet.set(field, event_target_value(&event))
                />
            </label>
            {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> })}
            <Wrong sheet field />
        </div>
    }
}

/// One of some words; the first is what an empty field means.
#[component]
pub fn Choice(
    /// What it belongs to.
    sheet: Sheet,
    /// Which.
    field: RuleField,
    /// What it is called.
    label: &'static str,
    /// What is written for each with what stands on the screen.
    options: Vec<(String, String)>,
) -> impl IntoView {
    let key = field.key();
    // A word that is none of them stays, and is told as a mistake.
    let is_known = {
        let known: Vec<String> = options.iter().map(|(word, _)| word.clone()).collect();
        move |word: &String| known.contains(word)
    };
    let other = Memo::new(move |_| Some(sheet.text(field)).filter(|word| !is_known(word)));
    view! {
        <div class="rule-field" data-field=key>
            <label class="field">
                <span>{label}</span>
                <select
                    class="choice"
                    data-testid=format!("rule-{key}")
                    aria-invalid=move || sheet.wrong(field).is_some().to_string()
                    aria-describedby=format!("rule-{key}-wrong")
                    on:change=move |event| sheet.set(field, event_target_value(&event))
                >
                    {options
                        .into_iter()
                        .map(|(word, label)| {
                            let of = word.clone();
                            view! { <option value=word selected=move || sheet.text(field) == of>{label}</option> }
                        })
                        .collect_view()}
                    {move || other.get().map(|word| {
                        let label = word.clone();
                        view! { <option value=word selected=true>{label}</option> }
                    })}
                </select>
            </label>
            <Wrong sheet field />
        </div>
    }
}

/// How bad it is.
#[component]
pub fn HowBad(
    /// What it belongs to.
    sheet: Sheet,
) -> impl IntoView {
    let field = RuleField::Priority;
    let options = [("advisory", said("Advisory")), ("", said("Warning")), ("critical", said("Critical"))];
    let options = options.map(|(word, label)| (word.to_owned(), label.to_owned())).to_vec();
    let chosen = Signal::derive(move || {
        let word = sheet.text(field);
        Some(if word == "warning" { String::new() } else { word })
    });
    view! {
        <div class="rule-field" data-field="priority">
            <div class="field">
                <span>{said("Priority")}</span>
                <Segmented label=said("Priority") options chosen on_choose=Callback::new(move |word| sheet.set(field, word)) />
            </div>
            <Wrong sheet field />
        </div>
    }
}

/// Whether it waits for a reset.
#[component]
pub fn Latch(
    /// What it belongs to.
    sheet: Sheet,
) -> impl IntoView {
    let turn = move |event| {
        sheet.set(RuleField::Latch, if event_target_checked(&event) { "true".into() } else { String::new() })
    };
    view! {
        <div class="rule-field" data-field="latch">
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="rule-latch"
                    prop:checked=move || sheet.form.with(|form| form.latch)
                    on:change=turn
                />
                <span>{said("Stays until somebody resets it")}<small>{said("also when it is not so any more")}</small></span>
            </label>
            <Wrong sheet field=RuleField::Latch />
        </div>
    }
}

/// The condition of a rule that has a state machine: it stands in the file alone.
#[component]
pub fn Machine(
    /// What it belongs to.
    sheet: Sheet,
) -> impl IntoView {
    view! {
        <div class="rule-field" data-field="detector" data-testid="rule-machine">
            <div class="field">
                <span>{said("State machine")}</span>
                <code>{move || sheet.form.with(|form| form.machine.clone())}</code>
            </div>
            <p class="hint">{said("Edited in its file. All else of the rule can be changed here.")}</p>
            {move || left_out(&sheet.form.with(|form| form.left_out.clone()))}
        </div>
    }
}

/// What its document would do outwards; nothing where there is nothing.
fn left_out(what: &[String]) -> Option<impl IntoView + use<>> {
    let lines = what.iter().map(|what| view! { <li><code>{what.clone()}</code></li> }).collect_view();
    (!what.is_empty()).then(|| {
        view! {
            <div class="hint" data-testid="rule-left-out">
                {said("What its document does outwards is not done here; people are told by the alarm:")}
                <ul>{lines}</ul>
            </div>
        }
    })
}

/// The condition. The character at which it goes wrong is marked in the text itself.
#[component]
pub fn When(
    /// What it belongs to.
    sheet: Sheet,
) -> impl IntoView {
    let field = RuleField::When;
    let column = move || sheet.wrong(field).and_then(|mistake| mistake.column);
    let marked = move || {
        let (before, at, after) = parts(&sheet.text(field), column()?);
        Some(view! { {before}<mark>{at}</mark>{after} })
    };
    view! {
        <div class="rule-field" data-field="when">
            <label class="field" for="rule-when">
                <span>{said("Condition")}</span>
            </label>
            <div class="language">
                <pre class="marks" aria-hidden="true" data-testid="when-marks">{marked}</pre>
                <textarea
                    id="rule-when"
                    data-testid="rule-when"
                    rows="3"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    placeholder=EXAMPLE
                    aria-invalid=move || sheet.wrong(field).is_some().to_string()
                    aria-describedby="rule-when-wrong rule-when-hint"
                    prop:value=move || sheet.text(field)
                    on:input=move |event| sheet.set(field, event_target_value(&event))
                />
            </div>
            <Wrong sheet field />
            <p class="hint" id="rule-when-hint">
                {with_code(
                    said("A value against a limit, `in 210..250`, `and`, `or`, `not`; over time `avg(x, 5m)`, `min`, `max`, `count`, `delta`, `rate(x, 10m) > 5 / 1h`; `silent(30m)`, `missing(x)`, `not_converged(15m)`, `command_failed`."),
                )}
            </p>
        </div>
    }
}

/// A sentence in which what stands between backticks is the language of rules.
fn with_code(sentence: &'static str) -> impl IntoView {
    let parts = sentence.split('`').enumerate();
    parts
        .map(|(at, part)| match at % 2 {
            0 => part.into_any(),
            _ => view! { <code>{part}</code> }.into_any(),
        })
        .collect_view()
}
