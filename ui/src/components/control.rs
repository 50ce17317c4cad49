//! A control: what a person wants of one leaf, what will change, how long it may wait, and Send.

mod words;

use std::sync::Arc;

use fleetlens_ipc::rows::LeafRow;
use fleetlens_ipc::{Fault, Intent, Wish};
use fleetlens_model::kind::{Control, Takes};
use leptos::prelude::*;
use serde_json::Value as Json;
use tr::tr;

use crate::components::confirm::Confirm;
use crate::components::conflict::{Asked, ConflictSheet, Desk, Wanted};
use crate::components::segmented::Segmented;
use crate::format;
use crate::state::store;
use crate::state::thing::Thing;
use words::{promise, question, switch_words};

pub use words::{done_to, in_its_words, verb};

/// How long a command may wait, in milliseconds, and the words for it.
const EXPIRIES: [(u64, &str); 5] =
    [(30_000, "30 s"), (600_000, "10 min"), (3_600_000, "1 h"), (86_400_000, "24 h"), (604_800_000, "7 d")];

/// A range with more steps than this is typed: a slider of 272 pixels cannot be set to one of seven hundred values.
const SLIDER_STEPS_MAX: f64 = 100.0;

/// Words of a choice that stand side by side; more are a list to choose from.
const BUTTONS_MAX: usize = 4;

/// A value a person can set.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// Of a range.
    Number(f64),
    /// On or off.
    Flag(bool),
    /// One of the control's words, or any text where it takes that.
    Word(String),
}

impl Draft {
    /// The value a leaf holds, if the control could have set it.
    pub fn of_leaf(json: &str, takes: &Takes) -> Option<Draft> {
        match (takes, serde_json::from_str::<Json>(json).ok()?) {
            (Takes::Range { .. }, Json::Number(n)) => n.as_f64().map(Draft::Number),
            (Takes::Switch, Json::Bool(on)) => Some(Draft::Flag(on)),
            (Takes::Choice(words), Json::String(held)) => {
                words.iter().any(|(word, _)| *word == held).then_some(Draft::Word(held))
            }
            (Takes::Text { .. }, Json::String(held)) => Some(Draft::Word(held)),
            (Takes::Range { .. } | Takes::Switch | Takes::Choice(_) | Takes::Text { .. }, _) => None,
        }
    }

    /// The value as JSON; whole numbers without a point, as devices write them.
    pub fn json(&self) -> Json {
        match self {
            Draft::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => Json::from(*n as i64),
            Draft::Number(n) => Json::from(*n),
            Draft::Flag(on) => Json::from(*on),
            Draft::Word(word) => Json::from(word.as_str()),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Draft::Number(n) => Some(*n),
            Draft::Flag(_) | Draft::Word(_) => None,
        }
    }
}

/// The unit of a control's values.
pub fn unit(takes: &Takes) -> &str {
    match takes {
        Takes::Range { unit, .. } => unit,
        Takes::Switch | Takes::Choice(_) | Takes::Text { .. } => "",
    }
}

/// A leaf of the classic shadow; tracked.
pub fn leaf_of(thing: &Thing, pointer: &str) -> Option<LeafRow> {
    let shadows = thing.shadows.get();
    let classic = shadows.iter().find(|cell| cell.key.is_empty())?;
    classic.row.with(|table| table.row.leaves.iter().find(|leaf| leaf.pointer == pointer).cloned())
}

/// What the device is at now: what it reports, else its newest value, as JSON; tracked.
pub fn now_of(thing: &Thing, pointer: &str) -> Option<String> {
    if let Some(reported) = leaf_of(thing, pointer).and_then(|leaf| leaf.reported) {
        return Some(reported);
    }
    let values = thing.values.get();
    let value = values.iter().find(|cell| cell.row.with(|row| row.row.pointer == pointer))?;
    value.row.with(|row| match &row.row.value {
        fleetlens_model::telemetry::Value::Number(n) => Some(Draft::Number(*n).json().to_string()),
        fleetlens_model::telemetry::Value::Flag(on) => Some(on.to_string()),
        fleetlens_model::telemetry::Value::Text(word) => Some(Json::from(word.as_str()).to_string()),
    })
}

/// A control with everything around it.
#[component]
pub fn Composer(
    /// Of which thing.
    thing: Thing,
    /// Which control.
    control: Arc<Control>,
    /// Told once the command is in the outbox.
    #[prop(into, default = Callback::new(|()| ()))]
    on_sent: Callback<()>,
    /// What it begins with, where somebody has said already what they want.
    #[prop(optional)]
    begins: Option<Draft>,
) -> impl IntoView {
    let store = store();
    let draft = RwSignal::new(begins);
    let own_expiry_ms = thing.expiry_ms(&control);
    let chosen_expiry_ms = RwSignal::new(None::<u64>);
    let expiry_ms = Signal::derive(move || chosen_expiry_ms.get().unwrap_or(own_expiry_ms));
    let fault = RwSignal::new(None::<Fault>);
    let sending = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let desk = Desk::new();

    let (of_now, of_wanted, head) = (thing.clone(), thing.clone(), thing.head.clone());
    let now = Memo::new({
        let control = control.clone();
        move |_| now_of(&of_now, &control.pointer)
    });
    let desired = Memo::new({
        let control = control.clone();
        move |_| leaf_of(&of_wanted, &control.pointer).and_then(|leaf| leaf.desired)
    });
    let value = |json: Memo<Option<String>>| {
        let takes = control.takes.clone();
        Memo::new(move |_| json.with(|json| json.as_deref().and_then(|json| Draft::of_leaf(json, &takes))))
    };
    let (value_now, value_wanted) = (value(now), value(desired));
    let shown = Signal::derive(move || draft.get().or_else(|| value_wanted.get()).or_else(|| value_now.get()));
    // Sending what is so already, and is not wanted otherwise, would change nothing.
    let is_new = Memo::new(move |_| {
        let is_other = |value: &Option<Draft>| draft.with(|draft| draft != value);
        draft.with(Option::is_some) && (value_wanted.with(is_other) || value_now.with(is_other))
    });

    // What was wanted when the person began: what somebody else wants since then is asked about before anything is sent.
    let saw = StoredValue::new(None::<String>);
    Effect::new(move |was_begun: Option<bool>| {
        let is_begun = draft.with(Option::is_some);
        if is_begun && was_begun != Some(true) {
            saw.set_value(desired.get_untracked());
        }
        is_begun
    });

    let key = thing.key;
    let has_shadow = thing.head.with_untracked(|head| head.row.convention.is_empty());
    let of = control.clone();
    let send = move || {
        let control = &of;
        let Some(value) = draft.get_untracked() else { return };
        let json = value.json();
        if let Err(message) = control.check(&json) {
            fault.set(Some(Fault::new(fleetlens_ipc::FaultCode::Invalid, message)));
            return;
        }
        let wish = Wish {
            pointer: control.pointer.to_string(),
            value_json: json.to_string(),
            seen_json: desired.get_untracked(),
        };
        sending.set(true);
        fault.set(None);
        let intent = Intent::Command {
            thing: key,
            shadow: String::new(),
            wishes: vec![wish],
            expires_in_ms: Some(expiry_ms.get_untracked()),
        };
        store.ask(intent, move |outcome| {
            // The drawer may have closed meanwhile; then nobody looks at these any more.
            sending.try_set(false);
            match outcome {
                Ok(_) => {
                    draft.try_set(None);
                    on_sent.try_run(());
                }
                Err(error) => drop(fault.try_set(Some(error))),
            }
        });
    };
    let (asks_first, send_at_once) = (control.asks_first, send.clone());
    let (of, its) = (thing.clone(), control.clone());
    let is_run_into = move || {
        let Some(draft) = draft.get_untracked().filter(|_| has_shadow) else { return false };
        let pointer = its.pointer.to_string();
        let leaf = Wanted { pointer, saw: saw.get_value(), wants: draft.json().to_string() };
        let expires_in_ms = Some(expiry_ms.get_untracked());
        let asked = Asked { shadow: String::new(), leaves: vec![leaf], expires_in_ms, direct: false };
        its.check(&draft.json()).is_ok() && desk.lay_if_changed(&of, &asked)
    };
    let press = move |_| {
        if is_run_into() {
        } else if asks_first {
            asking.set(true);
        } else {
            send_at_once();
        }
    };
    let decided = Callback::new(move |()| {
        draft.try_set(None);
        on_sent.try_run(());
    });
    let of = control.clone();
    let asks = Signal::derive(move || {
        let title = head.with(|head| head.row.title.clone());
        shown.get().map(|draft| question(&of, &draft, &title)).unwrap_or_default()
    });
    let of = control.clone();
    let promised = move || {
        let (now, draft) = (now.get(), shown.get());
        promise(&of, draft.as_ref(), now.as_deref(), expiry_ms.get(), store.link_up.get(), has_shadow)
    };
    let of = control.clone();
    let does = Signal::derive(move || shown.get().map(|draft| verb(&of, &draft)).unwrap_or_default());
    let of = control.clone();

    view! {
        <div class="composer" data-testid="control" data-pointer=control.pointer.to_string()>
            <Input control=control.clone() shown draft />
            <button
                type="button"
                class="send"
                data-testid="send"
                disabled=move || !is_new.get() || sending.get()
                on:click=press
            >
                {tr!("Send")}
            </button>
            // Only once something is wanted, so that controls at rest take one line each.
            <Show when=move || is_new.get()>
                <div class="will">
                    <p class="delta" data-testid="delta">
                        <Delta now desired draft control=of.clone() />
                    </p>
                    <Expiry chosen_ms=chosen_expiry_ms own_ms=own_expiry_ms />
                </div>
            </Show>
            {move || {
                fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })
            }}
            <Confirm open=asking asks yes=does on_yes=Callback::new(move |()| send())>
                <p>{promised.clone()}</p>
            </Confirm>
            <ConflictSheet thing=thing.clone() desk on_done=decided />
        </div>
    }
}

/// What a control is called, and what it is set with.
#[component]
pub fn Input(
    /// The control.
    control: Arc<Control>,
    /// What it shows: the draft, else what is so.
    shown: Signal<Option<Draft>>,
    /// What the person wants.
    draft: RwSignal<Option<Draft>>,
) -> impl IntoView {
    let choose = Callback::new(move |value| draft.set(Some(value)));
    let name = format::known(&control.label).to_owned();
    let group = |options| view! { <Segmented label=name.clone() options chosen=shown on_choose=choose /> }.into_any();
    let number = move || shown.with(|shown| shown.as_ref().and_then(Draft::number));
    let input = match &control.takes {
        &Takes::Range { min, max, step, ref unit } if (max - min) / step > SLIDER_STEPS_MAX => {
            let typed = move |event| draft.set(event_target_value(&event).trim().parse().ok().map(Draft::Number));
            view! {
                <input
                    type="number"
                    inputmode="decimal"
                    data-testid="number"
                    aria-label=format!("{name}, {unit}")
                    min=min
                    max=max
                    prop:value=move || number().map(|n| Draft::Number(n).json().to_string()).unwrap_or_default()
                    on:input=typed
                />
                <span class="unit">{unit.to_string()}</span>
                <span class="range">{format!("{}–{}", format::number(min, 0), format::number(max, 0))}</span>
            }
            .into_any()
        }
        &Takes::Range { min, max, step, ref unit } => {
            let fill = move || number().map_or(0.0, |n| (n - min) / (max - min) * 100.0);
            let typed = move |event| {
                if let Ok(n) = event_target_value(&event).parse::<f64>() {
                    draft.set(Some(Draft::Number(n)));
                }
            };
            let (spoken, written) = (unit.to_string(), unit.to_string());
            view! {
                <input
                    type="range"
                    data-testid="slider"
                    aria-label=name.clone()
                    aria-valuetext=move || number().map(|n| format!("{} {spoken}", format::number(n, 0)))
                    min=min
                    max=max
                    step=step
                    prop:value=move || number().unwrap_or(min).to_string()
                    style:--fill=move || format!("{}%", fill())
                    on:input=typed
                />
                <output data-testid="slider-value">
                    {move || {
                        number().map_or_else(|| "–".into(), |n| format::leaf(&Draft::Number(n).json().to_string(), &written))
                    }}
                </output>
            }
            .into_any()
        }
        Takes::Switch => {
            let (on, off) = switch_words(&control);
            group(vec![(Draft::Flag(true), on.to_owned()), (Draft::Flag(false), off.to_owned())])
        }
        // More words than fit side by side.
        Takes::Choice(words) if words.len() > BUTTONS_MAX => {
            let held = move || match shown.get() {
                Some(Draft::Word(word)) => word,
                Some(Draft::Number(_) | Draft::Flag(_)) | None => String::new(),
            };
            let options = words.iter().map(|(word, label)| {
                let (value, of) = (word.to_string(), word.to_string());
                view! {
                    <option value=value selected=move || held() == of>
                        {format::known(label).to_owned()}
                    </option>
                }
            });
            view! {
                <select
                    data-testid="choice"
                    aria-label=name.clone()
                    on:change=move |event| draft.set(Some(Draft::Word(event_target_value(&event))))
                >
                    <Show when=move || held().is_empty()>
                        <option value="" selected=true disabled=true>
                            "–"
                        </option>
                    </Show>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        Takes::Choice(words) => group(
            words
                .iter()
                .map(|(word, label)| (Draft::Word(word.to_string()), format::known(label).to_owned()))
                .collect(),
        ),
        Takes::Text { max_chars } => {
            let text = move || match shown.get() {
                Some(Draft::Word(text)) => text,
                Some(Draft::Number(_) | Draft::Flag(_)) | None => String::new(),
            };
            view! {
                <input
                    type="text"
                    data-testid="text"
                    aria-label=name.clone()
                    maxlength=max_chars.to_string()
                    prop:value=text
                    on:input=move |event| draft.set(Some(Draft::Word(event_target_value(&event))))
                />
            }
            .into_any()
        }
    };
    view! {
        <span class="label">{name.clone()}</span>
        <div class="input">{input}</div>
    }
}

/// What will change, before it is sent: on the device, and in its shadow where that wants something else than the device does.
#[component]
fn Delta(
    now: Memo<Option<String>>,
    desired: Memo<Option<String>>,
    draft: RwSignal<Option<Draft>>,
    control: Arc<Control>,
) -> impl IntoView {
    let of = control.clone();
    let instead = move || {
        let of_leaf = |json: &str| Draft::of_leaf(json, &of.takes);
        let is_now = |json: &str| now.with(|now| now.as_deref().is_some_and(|now| of_leaf(now) == of_leaf(json)));
        let desired = desired.get().filter(|json| !is_now(json));
        desired.map(|json| format!(" {}", tr!("instead of {}, which is wanted now", in_its_words(&of, &json))))
    };
    let of = control.clone();
    let is = move || now.with(|json| json.as_deref().map_or_else(|| tr!("not known"), |json| in_its_words(&of, json)));
    let wanted =
        move || draft.with(|draft| draft.as_ref().map(|draft| in_its_words(&control, &draft.json().to_string())));
    view! {
        <span>{is}</span>
        " → "
        <span class="wanted">{wanted}</span>
        {instead}
    }
}

/// How long a command may wait: what the control or the profile says, until the person says otherwise.
#[component]
pub fn Expiry(
    /// What the person chose.
    chosen_ms: RwSignal<Option<u64>>,
    /// What holds otherwise.
    #[prop(into)]
    own_ms: Signal<u64>,
) -> impl IntoView {
    let expiry_ms = Memo::new(move |_| chosen_ms.get().unwrap_or_else(|| own_ms.get()));
    let choices = Memo::new(move |_| choices(Some(own_ms.get())));
    view! { <ExpiryChoice chosen_ms now=move || Some(expiry_ms.get()) choices /> }
}

/// The same for many commands at once, of which each may have its own.
#[component]
pub fn ExpiryOfMany(
    /// What the person chose for all.
    chosen_ms: RwSignal<Option<u64>>,
    /// What holds otherwise, the shortest and the longest; `None` while nobody knows.
    #[prop(into)]
    own_ms: Signal<Option<(u64, u64)>>,
) -> impl IntoView {
    let one_ms = move || own_ms.get().filter(|(shortest, longest)| shortest == longest).map(|(ms, _)| ms);
    let now = Memo::new(move |_| chosen_ms.get().or_else(one_ms));
    let choices = Memo::new(move |_| choices(one_ms()));
    view! {
        <ExpiryChoice chosen_ms now choices />
        {move || {
            let (shortest, longest) = own_ms.get().filter(|(shortest, longest)| shortest != longest)?;
            let (shortest, longest) = (format::age(shortest), format::age(longest));
            Some(format!(" {}", tr!("By itself each has what is usual for it, {shortest} to {longest}.", shortest, longest)))
        }}
    }
}

#[component]
fn ExpiryChoice(
    chosen_ms: RwSignal<Option<u64>>,
    /// What holds; `None` when each command has its own.
    #[prop(into)]
    now: Signal<Option<u64>>,
    choices: Memo<Vec<(Option<u64>, String)>>,
) -> impl IntoView {
    // A select is as wide as its longest option; this one stands in a line of text.
    let chars = move || {
        let now = now.get();
        choices.with(|choices| {
            let word = choices.iter().find(|(ms, _)| *ms == now);
            word.map_or(6, |(_, word)| word.chars().count()).to_string()
        })
    };
    let choose = move |event| chosen_ms.set(event_target_value(&event).parse().ok());
    view! {
        <label class="expiry">
            {tr!("expires in")}
            " "
            <select data-testid="expiry" aria-label=tr!("Expires in") style:--chars=chars on:change=choose>
                <For each=move || choices.get() key=|(ms, _)| *ms let:choice>
                    <option
                        value=choice.0.map(|ms| ms.to_string()).unwrap_or_default()
                        selected=move || now.get() == choice.0
                    >
                        {choice.1}
                    </option>
                </For>
            </select>
        </label>
    }
}

/// The times to choose from, the own one among them, shortest first; before them that each has its own, where that is so.
fn choices(own_ms: Option<u64>) -> Vec<(Option<u64>, String)> {
    let mut choices: Vec<(Option<u64>, String)> = EXPIRIES.map(|(ms, word)| (Some(ms), word.to_owned())).to_vec();
    if !choices.iter().any(|(ms, _)| *ms == own_ms) {
        choices.push((own_ms, own_ms.map_or_else(|| tr!("its own time"), format::age)));
    }
    choices.sort_by_key(|(ms, _)| *ms);
    choices
}

#[cfg(test)]
mod tests {
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    fn of_kind(kind: Kind, pointer: &str) -> &'static Control {
        Schemas::of_the_program().control_of_kind(kind, pointer).unwrap()
    }

    #[test]
    fn a_draft_is_written_as_devices_write_it() {
        for (draft, want) in [
            (Draft::Number(40.0), "40"),
            (Draft::Number(0.5), "0.5"),
            (Draft::Flag(true), "true"),
            (Draft::Word("open".into()), "\"open\""),
        ] {
            assert_eq!(draft.json().to_string(), want);
        }
    }

    #[test]
    fn a_leaf_is_a_draft_only_where_the_control_takes_it() {
        let takes = |kind: Kind, pointer| &of_kind(kind, pointer).takes;
        let (dim, on, barrier) =
            (takes(Kind::Lamp, "/dim_pct"), takes(Kind::Lamp, "/on"), takes(Kind::Parking, "/barrier"));
        for (json, takes, want) in [
            ("40", dim, Some(Draft::Number(40.0))),
            ("\"40\"", dim, None),
            ("true", on, Some(Draft::Flag(true))),
            ("\"open\"", barrier, Some(Draft::Word("open".into()))),
            ("\"ajar\"", barrier, None),
            ("", dim, None),
        ] {
            assert_eq!(Draft::of_leaf(json, takes), want, "{json}");
        }
    }

    #[test]
    fn an_expiry_of_its_own_is_among_the_choices() {
        let times = |own_ms| choices(own_ms).into_iter().map(|(ms, _)| ms).collect::<Vec<_>>();
        assert_eq!(times(Some(600_000)).len(), EXPIRIES.len());
        assert_eq!(times(Some(7_200_000)).get(3), Some(&Some(7_200_000)));
        assert_eq!(times(None).first(), Some(&None), "each has its own");
    }
}
