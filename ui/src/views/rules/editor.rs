//! A rule being written: its fields, what is wrong while one types, and keeping it, which says first what it resets.

use std::time::Duration;

use fleetlens_ipc::rules::{RuleAsk, RuleBook, RuleChange, RuleDone, RuleField, RuleForm, RuleMistake};
use fleetlens_model::kind::Kind;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use tr::tr;

use super::fields::{Choice, HowBad, Latch, Line, Machine, Sheet, When};
use super::past::PastCard;
use crate::components::back::Back;
use crate::components::confirm::Confirm;
use crate::format;
use crate::lang::said;
use crate::state::rules::{Kept, RuleDesk};
use crate::state::{Store, store};

/// How long nothing is typed before the rule is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// What may be written, for example.
const ID_EXAMPLE: &str = "lamp-hot";
const UNLESS_EXAMPLE: &str = "mode = 'maintenance'";
const LASTING_EXAMPLES: &str = "30s, 2 min, 1h";
const TIME_EXAMPLES: &str = "4 h, 1 d";

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    change: RuleChange,
    resets: Vec<String>,
}

/// Everything the page works with.
#[derive(Clone, Copy)]
struct Page {
    store: Store,
    desk: RuleDesk,
    /// `None` until the rule as it stands was looked at.
    checked: RwSignal<Option<Option<RuleMistake>>>,
    question: RwSignal<Option<Question>>,
    asks: RwSignal<bool>,
}

impl Page {
    fn check(self) {
        let (desk, checked) = (self.desk, self.checked);
        let asked = desk.draft();
        if asked.form == RuleForm::default() {
            return checked.set(None);
        }
        self.store.ask_rules(RuleAsk::Check(Box::new(asked.clone())), move |outcome| {
            // Typed on meanwhile, or gone.
            if desk.draft() != asked {
                return;
            }
            checked.try_set(Some(match outcome {
                Ok(RuleDone::Checked(mistake)) => mistake,
                Ok(RuleDone::Book(_) | RuleDone::Resets(_) | RuleDone::Tried(_) | RuleDone::Kept) => None,
                Err(fault) => Some(RuleMistake { field: None, column: None, message: fault.message }),
            }));
        });
    }

    /// Asks first what it resets.
    fn ask(self, change: RuleChange) {
        let Page { desk, question, asks, .. } = self;
        let of = desk.replaces.get_untracked();
        self.store.ask_rules(RuleAsk::Resets(change.clone()), move |outcome| match outcome {
            // A copy was begun meanwhile: it was not asked for that.
            Ok(RuleDone::Resets(_)) if desk.replaces.get_untracked() != of => {}
            Ok(RuleDone::Resets(resets)) => {
                question.try_set(Some(Question { change, resets }));
                asks.try_set(true);
            }
            Ok(RuleDone::Book(_) | RuleDone::Checked(_) | RuleDone::Tried(_) | RuleDone::Kept) => {}
            Err(fault) => desk.kept.set(Kept::Refused(fault.message)),
        });
    }

    fn act(self) {
        let Some(Question { change, .. }) = self.question.get_untracked() else { return };
        let Page { store, desk, .. } = self;
        let Some(seen) = desk.origin.with_untracked(|origin| origin.as_ref().map(|origin| origin.seen)) else { return };
        let told = match &change {
            RuleChange::Keep(draft) => tr!("The rule {} is saved and holds from now on.", draft.form.id),
            RuleChange::Remove(id) => tr!("The rule {} is removed.", id),
        };
        let sent = desk.send(change.clone());
        // What comes of it is told together with the file as it is then.
        store.ask_rules(RuleAsk::Do { change, seen }, move |outcome| {
            store.read_rules_then(move || match outcome {
                Ok(_) => {
                    desk.done(sent);
                    desk.said.set(Some(told));
                }
                Err(fault) => desk.refused(&sent, &fault),
            });
        });
    }
}

/// The page of one rule.
#[component]
pub fn Editor() -> impl IntoView {
    let store = store();
    let desk = store.rules;
    let page =
        Page { store, desk, checked: RwSignal::new(None), question: RwSignal::new(None), asks: RwSignal::new(false) };
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |first: Option<()>| {
        desk.form.track();
        // What is wrong with it depends on the file around it as well.
        desk.replaces.track();
        desk.origin.track();
        if let Some(waiting) = waiting.try_update_value(Option::take).flatten() {
            waiting.clear();
        }
        match first {
            None => page.check(),
            Some(()) => waiting.set_value(set_timeout_with_handle(move || page.check(), PAUSE).ok()),
        }
    });
    Effect::new(move |first: Option<()>| {
        desk.form.track();
        // While it is being saved it stays so, whatever is typed.
        if first.is_some() && desk.kept.with_untracked(|kept| matches!(kept, Kept::Refused(_))) {
            desk.kept.set(Kept::No);
        }
    });
    on_cleanup(move || {
        if let Some(waiting) = waiting.try_update_value(Option::take).flatten() {
            waiting.clear();
        }
    });
    let mistake = Memo::new(move |_| page.checked.get().flatten());
    let sheet = Sheet { form: desk.form, mistake };
    let title = move || match desk.replaces.get() {
        None => said("New rule").to_owned(),
        Some(id) => id,
    };
    let note = move || if desk.is_dirty() { said("not saved") } else { "" };
    view! {
        <section class="sheet rules" data-testid="rule-editor" aria-label=said("Rule")>
            <header class="sheet-head">
                <Back to=said("All rules") testid="rule-back" on_back=move |()| desk.editing.set(false) />
                <h1>{title}</h1>
                <p class="total" role="status">{note}</p>
                <span class="space" />
                <Deeds page />
            </header>
            <div class="sheet-body">
                <Told page mistake />
                <div class="rule-page">
                    <Fields sheet desk />
                    <PastCard sheet />
                </div>
            </div>
            <Ask page />
        </section>
    }
}

/// What is wrong around it, and what became of saving.
#[component]
fn Told(page: Page, mistake: Memo<Option<RuleMistake>>) -> impl IntoView {
    let around =
        move || mistake.with(|mistake| mistake.as_ref().filter(|it| it.field.is_none()).map(|it| it.message.clone()));
    let desk = page.desk;
    let cannot = Memo::new(move |_| {
        let elsewhere = desk
            .elsewhere()
            .map(|of| tr!("This rule is of {}, and another profile is in use; it cannot be saved into that one.", of));
        elsewhere.or_else(|| {
            desk.book.with(|book| match book {
                Some(Ok(book)) => {
                    book.locked.as_ref().map(|why| tr!("{}; it can be tried, and not saved.", format::capital(why)))
                }
                Some(Err(fault)) => Some(tr!("It cannot be saved: {}", fault.message)),
                None => None,
            })
        })
    });
    view! {
        <div aria-live="polite" data-testid="rule-told">
            {move || around().map(|why| view! { <p class="rules-band wrong">{format::capital(&why)}</p> })}
            {move || cannot.get().map(|why| view! { <p class="rules-band">{why}</p> })}
            {move || match desk.kept.get() {
                Kept::No => ().into_any(),
                Kept::Asked => view! { <p class="none">{said("Saving…")}</p> }.into_any(),
                Kept::Refused(why) => view! { <p class="rules-band wrong" role="alert">{format::capital(&why)}</p> }.into_any(),
            }}
        </div>
    }
}

/// What can be done with it.
#[component]
fn Deeds(page: Page) -> impl IntoView {
    let desk = page.desk;
    let is_locked = Memo::new(move |_| {
        desk.elsewhere().is_some() || desk.book.with(|book| !matches!(book, Some(Ok(book)) if book.locked.is_none()))
    });
    let is_fine = Memo::new(move |_| page.checked.with(|checked| *checked == Some(None)));
    let is_free = Memo::new(move |_| desk.kept.with(|kept| *kept != Kept::Asked));
    let dirty = Memo::new(move |_| desk.is_dirty());
    let changed = Memo::new(move |_| desk.is_changed());
    let is_old = Memo::new(move |_| desk.replaces.with(Option::is_some));
    // A copy would lack it.
    let is_machine = Memo::new(move |_| desk.form.with(|form| !form.machine.is_empty()));
    let duplicate = move |_| {
        let form = desk.form.get_untracked();
        let ids: Vec<String> = desk.book.with_untracked(|book| match book {
            Some(Ok(RuleBook { rules, .. })) => rules.iter().map(|row| row.form.id.clone()).collect(),
            Some(Err(_)) | None => Vec::new(),
        });
        let name = if form.name.is_empty() { String::new() } else { tr!("{} (copy)", form.name) };
        let id = free(&form.id, &ids);
        desk.copy(RuleForm { id, name, ..form });
    };
    let remove = move |_| {
        if let Some(id) = desk.replaces.get_untracked() {
            page.ask(RuleChange::Remove(id));
        }
    };
    let undo = move |_| desk.form.set(desk.opened.get_untracked());
    view! {
        <Show when=move || is_old.get()>
            <button type="button" class="plain" data-testid="rule-remove" disabled=move || is_locked.get() || !is_free.get() on:click=remove>
                {said("Remove…")}
            </button>
            <button type="button" class="plain" data-testid="rule-duplicate" disabled=move || is_machine.get() on:click=duplicate>
                {said("Duplicate")}
            </button>
        </Show>
        <button type="button" class="plain" data-testid="rule-undo" disabled=move || !changed.get() on:click=undo>
            {said("Undo")}
        </button>
        <button
            type="button"
            class="send"
            data-testid="rule-save"
            disabled=move || is_locked.get() || !is_fine.get() || !dirty.get() || !is_free.get()
            on:click=move |_| page.ask(RuleChange::Keep(Box::new(desk.draft())))
        >
            {said("Save…")}
        </button>
    }
}

/// An id that no rule has.
fn free(id: &str, ids: &[String]) -> String {
    let names = std::iter::once(format!("{id}-copy")).chain((2..).map(|n| format!("{id}-copy-{n}")));
    names.take(ids.len() + 1).find(|name| !ids.contains(name)).unwrap_or_default()
}

/// What it resets, and two answers.
#[component]
fn Ask(page: Page) -> impl IntoView {
    let removes = Memo::new(move |_| {
        page.question.with(|question| matches!(question, Some(Question { change: RuleChange::Remove(_), .. })))
    });
    let asks = Signal::derive(move || {
        if removes.get() { said("Remove this rule?") } else { said("Save this rule?") }.to_owned()
    });
    let yes = Signal::derive(move || if removes.get() { said("Remove it") } else { said("Save it") }.to_owned());
    let resets =
        move || page.question.with(|question| question.as_ref().map(|it| it.resets.clone()).unwrap_or_default());
    view! {
        <Confirm open=page.asks asks yes no=said("Not now") on_yes=Callback::new(move |()| page.act())>
            <ul class="resets" data-testid="rule-resets">
                {move || resets().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}
            </ul>
        </Confirm>
    }
}

/// The form.
#[component]
fn Fields(sheet: Sheet, desk: RuleDesk) -> impl IntoView {
    let kinds = std::iter::once((String::new(), said("All things").to_owned()))
        .chain(Kind::ALL.into_iter().map(|kind| (kind.word().to_owned(), said(kind.plural()).to_owned())))
        .collect::<Vec<_>>();
    let groups = desk.book.with_untracked(|book| match book {
        Some(Ok(book)) => book.groups.clone(),
        Some(Err(_)) | None => Vec::new(),
    });
    let groups = std::iter::once((String::new(), said("Any").to_owned()))
        .chain(groups.into_iter().map(|name| (name.clone(), name)));
    let policies = || {
        [("", said("Keep what it was last")), ("alert", said("Raise it")), ("normal", said("Count it as not so"))]
            .map(|(word, label)| (word.to_owned(), label.to_owned()))
            .to_vec()
    };
    let is_machine = Memo::new(move |_| desk.form.with(|form| !form.machine.is_empty()));
    // An id is made of the name as long as nobody has written one.
    Effect::new(move |before: Option<String>| {
        let name = desk.form.with(|form| form.name.clone());
        let made = before.map(|before| slug(&before));
        if desk.replaces.get_untracked().is_none()
            && made.is_some_and(|made| desk.form.with_untracked(|form| form.id == made && form.id != slug(&name)))
        {
            desk.form.update(|form| form.id = slug(&name));
        }
        name
    });
    view! {
        <form class="card rule-form" aria-label=said("The rule") on:submit=|event| event.prevent_default()>
            <div class="pair">
                <Line sheet field=RuleField::Name label=said("Name") placeholder=said("runs hot") hint=said("Said of one thing, behind its name.") />
                <Line sheet field=RuleField::Id label=said("Id") placeholder=ID_EXAMPLE hint=said("Ties its alarms to it: one with another id is another rule.") />
            </div>
            <Show when=move || !is_machine.get() fallback=move || view! { <Machine sheet /> }>
                <When sheet />
            </Show>
            <div class="pair three">
                <Choice sheet field=RuleField::Kind label=said("Kind") options=kinds />
                <Choice sheet field=RuleField::Group label=said("Group") options=groups.collect() />
                <Line sheet field=RuleField::Search label=said("Found by") placeholder=said("any words") />
            </div>
            <HowBad sheet />
            <fieldset>
                <legend>{said("When it begins and ends")}</legend>
                <div class="pair three">
                    <Line sheet field=RuleField::Lasting label=said("So for") placeholder=said("at once") hint=LASTING_EXAMPLES />
                    <Line sheet field=RuleField::ClearFor label=said("Not so for") placeholder=said("at once") />
                    <Line sheet field=RuleField::Deadband label=said("Deadband") placeholder="0" hint=said("How far back from its one limit.") />
                </div>
                <div class="pair">
                    <Line sheet field=RuleField::TellAgain label=said("Told again after") placeholder=said("never") />
                    <Latch sheet />
                </div>
                <Line
                    sheet
                    field=RuleField::Unless
                    label=said("Unless")
                    placeholder=UNLESS_EXAMPLE
                    hint=said("While that is so, nobody is told: its alarms are off the list, by design. The same language.")
                />
            </fieldset>
            <fieldset>
                <legend>{said("Where nobody knows")}</legend>
                <div class="pair">
                    <Choice sheet field=RuleField::NoData label=said("The value is missing") options=policies() />
                    <Choice sheet field=RuleField::Error label=said("It cannot be judged") options=policies() />
                </div>
            </fieldset>
            <fieldset>
                <legend>{said("For whoever sees it")}</legend>
                <Line sheet field=RuleField::WhatToDo label=said("What to do") placeholder=said("dim it to 50 %, then have its driver looked at") />
                <Line sheet field=RuleField::Cause label=said("Cause") />
                <Line sheet field=RuleField::Consequence label=said("Consequence") />
                <Line sheet field=RuleField::TimeAvailable label=said("Time there is") placeholder=said("not said") hint=TIME_EXAMPLES />
            </fieldset>
        </form>
    }
}

/// A name as an id: `Runs hot!` is `runs-hot`.
fn slug(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_the_name() {
        for (name, want) in [("Runs hot!", "runs-hot"), ("", ""), ("  Ħal Qormi 3 ", "al-qormi-3"), ("a--b", "a-b")] {
            assert_eq!(slug(name), want);
        }
    }

    #[test]
    fn a_copy_has_an_id_of_its_own() {
        let ids = ["hot", "hot-copy", "hot-copy-2"].map(str::to_owned);
        assert_eq!((free("hot", &ids), free("cold", &ids)), ("hot-copy-3".into(), "cold-copy".into()));
    }
}
