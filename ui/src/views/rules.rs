//! The rules of the profile in use: which there are, how they stand, and where each is written, tried on the past and kept.

mod editor;
mod fields;
mod past;

use std::time::Duration;

use fleetlens_ipc::rules::{RuleBook, RuleForm, RuleRow};
use fleetlens_ipc::{Fault, FaultCode};
use fleetlens_model::alarm::Priority;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::components::back::Back;
use crate::components::confirm::Confirm;
use crate::components::shape::PriorityShape;
use crate::format;
use crate::lang::said;
use crate::state::profiles::Setup;
use crate::state::store;
use editor::Editor;

/// How often what stands beside the rules is read anew at most: that reads the alarms of seven days.
const FOLLOWED: Duration = Duration::from_secs(3);

/// The page, in the place of the alarms.
#[component]
pub fn RulesView() -> impl IntoView {
    let store = store();
    let desk = store.rules;
    // Without a profile there is nothing to read yet; another one has other rules.
    let is_known = Memo::new(move |_| store.status.with(Option::is_some));
    let is_old = StoredValue::new(false);
    Effect::new(move |_| {
        store.begun.track();
        if is_known.get() {
            store.read_rules();
        }
    });
    // What stands beside a rule follows the alarms.
    let alarms = Memo::new(move |_| store.status.with(|status| status.as_ref().map(|status| status.row.alarms)));
    Effect::new(move |first: Option<()>| {
        // Read, and not only tracked: what nobody reads is not worked out, and then never changes.
        alarms.with(|_| is_old.set_value(first.is_some()));
    });
    let follow = move || {
        let may =
            !desk.book.with_untracked(|book| matches!(book, Some(Err(fault)) if fault.code == FaultCode::Forbidden));
        if is_old.try_get_value() == Some(true) && may && !desk.editing.get_untracked() {
            is_old.set_value(false);
            store.read_rules();
        }
    };
    // Fails only outside of a page.
    let following = set_interval_with_handle(follow, FOLLOWED).ok();
    on_cleanup(move || {
        if let Some(following) = following {
            following.clear();
        }
    });
    view! {
        <Show when=move || desk.editing.get() fallback=|| view! { <RuleList /> }>
            <Editor />
        </Show>
    }
}

#[component]
fn RuleList() -> impl IntoView {
    let store = store();
    let desk = store.rules;
    let told = move || desk.book.with(|book| book.as_ref().map(words));
    let can_add = move || desk.book.with(|book| matches!(book, Some(Ok(book)) if book.locked.is_none()));
    let wanted = RwSignal::new(None::<RuleRow>);
    let asks = RwSignal::new(false);
    let open = Callback::new(move |row: Option<RuleRow>| {
        if desk.is_dirty() {
            wanted.set(row);
            asks.set(true);
        } else {
            begin(row);
        }
    });
    view! {
        <section class="sheet rules" data-testid="rules-view" aria-label=said("Rules")>
            <header class="sheet-head">
                <Back to=said("All alarms") testid="rules-back" on_back=move |()| desk.open.set(false) />
                <h1>{said("Rules")}</h1>
                <p class="total" role="status" data-testid="rules-total">{told}</p>
                <span class="space" />
                <button
                    type="button"
                    class="send"
                    data-testid="rule-new"
                    disabled=move || !can_add()
                    on:click=move |_| open.run(None)
                >
                    {said("New rule")}
                </button>
            </header>
            <div class="sheet-body">
                {move || desk.said.get().map(|told| view! { <p class="said" role="status" data-testid="rules-said">{told}</p> })}
                <Unsaved />
                {move || match desk.book.get() {
                    None => view! { <p class="none" role="status">{said("Reading the rules…")}</p> }.into_any(),
                    Some(Err(fault)) => view! { <Failed fault /> }.into_any(),
                    Some(Ok(book)) => view! { <Book book open /> }.into_any(),
                }}
            </div>
            <Confirm
                open=asks
                asks=said("Discard what you wrote?")
                yes=said("Discard it")
                no=said("Keep it")
                on_yes=Callback::new(move |()| begin(wanted.get_untracked()))
            >
                <p>{said("A rule that you changed is not saved. Only one can be written at a time.")}</p>
            </Confirm>
        </section>
    }
}

/// Begins to write this rule, or a new one.
fn begin(row: Option<RuleRow>) {
    let desk = store().rules;
    match row {
        None => desk.edit(RuleForm::default(), None),
        Some(RuleRow { form, .. }) => desk.edit(form.clone(), Some(form.id)),
    }
}

/// `9 rules of Harbour`.
fn words(book: &Result<RuleBook, Fault>) -> String {
    match book {
        Err(_) => String::new(),
        Ok(book) if book.mistake.is_some() => tr!("of {}", book.profile),
        Ok(book) => {
            let n = book.rules.len();
            tr!(
                "1 rule of {profile}" | "{shown} rules of {profile}" % n,
                shown = format::count(n as u64),
                profile = book.profile
            )
        }
    }
}

/// What was begun and is not kept.
#[component]
fn Unsaved() -> impl IntoView {
    let desk = store().rules;
    let name =
        move || desk.form.with(|form| if form.id.is_empty() { said("a new rule").to_owned() } else { form.id.clone() });
    let elsewhere = Memo::new(move |_| desk.elsewhere());
    let of = move || elsewhere.get().map(|profile| format!(" {}", tr!("of {}", profile)));
    view! {
        <Show when=move || desk.is_dirty()>
            <div class="rules-band" data-testid="rules-unsaved">
                <p>{said("Not saved:")} " " <b>{name}</b> {of}</p>
                <Show when=move || elsewhere.with(Option::is_none)>
                    <button type="button" class="plain" data-testid="rule-go-on" on:click=move |_| desk.editing.set(true)>
                        {said("Go on writing")}
                    </button>
                </Show>
                <button type="button" class="link" data-testid="rule-discard" on:click=move |_| desk.put_away()>
                    {said("Discard")}
                </button>
            </div>
        </Show>
    }
}

#[component]
fn Failed(fault: Fault) -> impl IntoView {
    let store = store();
    view! {
        <div class="nothing small" data-testid="rules-failed">
            <b>{said("The rules cannot be shown")}</b>
            <p role="alert">{fault.message}</p>
            <button type="button" class="link" on:click=move |_| store.read_rules()>{said("Read them again")}</button>
        </div>
    }
}

#[component]
fn Book(book: RuleBook, open: Callback<Option<RuleRow>>) -> impl IntoView {
    let RuleBook { profile, file, locked, mistake, usual, rules, .. } = book;
    let is_empty = rules.is_empty();
    let is_built_in = file.is_empty();
    let (edited, copied) = (profile.clone(), profile);
    view! {
        {locked.map(|why| view! { <Locked why profile=copied is_built_in /> })}
        {mistake.map(|mistake| {
            view! {
                <div class="rules-band wrong" role="alert" data-testid="rules-mistake">
                    <p><b>{tr!("Line {line} of {file}: ", line = mistake.line, file = file)}</b>{mistake.message}</p>
                    <button
                        type="button"
                        class="plain"
                        on:click=move |_| store().setup.set(Some(Setup::Edit(edited.clone())))
                    >
                        {said("Open the file")}
                    </button>
                </div>
            }
        })}
        {usual.then(|| {
            view! {
                <p class="note" data-testid="rules-usual">
                    {said("This profile writes no rules of its own, so these hold. With the first one that is saved they are written into it as well.")}
                </p>
            }
        })}
        <ul class="rule-rows" aria-label=said("Rules")>
            {rules.into_iter().map(|row| view! { <Row row open /> }).collect_view()}
        </ul>
        {is_empty.then(|| {
            view! {
                <div class="nothing small" data-testid="rules-none">
                    <b>{said("No rules")}</b>
                    <p>{said("Nothing is told of any thing, whatever it says. A rule says when a person is needed.")}</p>
                </div>
            }
        })}
    }
}

#[component]
fn Locked(why: String, profile: String, is_built_in: bool) -> impl IntoView {
    let store = store();
    let copy = move |_| store.setup.set(Some(Setup::Copy(profile.clone())));
    view! {
        <div class="rules-band" data-testid="rules-locked">
            <p>{tr!("{}. You can read its rules and try changes on the past.", format::capital(&why))}</p>
            <Show when=move || is_built_in>
                <button type="button" class="plain" data-testid="rules-copy" on:click=copy.clone()>
                    {said("Make a profile of my own of it")}
                </button>
            </Show>
        </div>
    }
}

/// What a rule is for: `Lamps`, `Bins of Marsa crew`, `everything found by “moro”`.
pub fn meant(form: &RuleForm) -> String {
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == form.kind);
    let kind = match kind {
        Some(kind) => format::capital(said(kind.plural())),
        None if form.kind.is_empty() => said("All things").to_owned(),
        None => form.kind.clone(),
    };
    let things = match form.group.as_str() {
        "" => kind,
        group => tr!("{things} of {group}", things = kind, group = group),
    };
    match form.search.as_str() {
        "" => things,
        words => tr!("{things} found by “{words}”", things = things, words = words),
    }
}

/// How bad, by the word of the profile; one that stands nowhere is a warning.
fn priority(word: &str) -> Priority {
    let is_it = |priority: &Priority| priority.label().eq_ignore_ascii_case(word);
    Priority::FROM_LOWEST.into_iter().find(is_it).unwrap_or(Priority::Warning)
}

#[component]
fn Row(row: RuleRow, open: Callback<Option<RuleRow>>) -> impl IntoView {
    let priority = priority(&row.form.priority);
    let word = priority.label();
    let now = match (row.active, row.open) {
        (0, 0) => said("none now").to_owned(),
        (active, 0) => tr!("{} active", format::count(active.into())),
        (0, open) => tr!("{} returned", format::count(open.into())),
        (active, open) => tr!("{} active, {} returned", format::count(active.into()), format::count(open.into())),
    };
    let raised = tr!("{} in 7 days", format::count(row.raised_7d.into()));
    let RuleForm { id, when, machine, .. } = row.form.clone();
    let when = if machine.is_empty() { when } else { tr!("state machine {}", machine) };
    let (name, things) = (row.name.clone(), meant(&row.form));
    let is_active = row.active > 0;
    view! {
        <li class="rule-row" data-testid="rule-row" data-rule=id.clone() data-priority=word.to_lowercase()>
            <button type="button" class="rule-open" on:click=move |_| open.run(Some(row.clone()))>
                <span class="how-bad">
                    <PriorityShape priority />
                    {said(word)}
                </span>
                <span class="called"><b>{name}</b><small>{things}</small></span>
                <code class="when">{when}</code>
                <span class="now" class:some=is_active>{now}</span>
                <span class="often">{raised}</span>
            </button>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_is_for_is_said_in_words() {
        let form = |kind: &str, group: &str, search: &str| RuleForm {
            kind: kind.into(),
            group: group.into(),
            search: search.into(),
            ..RuleForm::default()
        };
        for (form, want) in [
            (form("", "", ""), "All things"),
            (form("bin", "", ""), "Bins"),
            (form("bin", "Marsa crew", ""), "Bins of Marsa crew"),
            (form("", "", "moro 12"), "All things found by “moro 12”"),
            (form("boat", "", ""), "boat"),
        ] {
            assert_eq!(meant(&form), want);
        }
    }

    #[test]
    fn the_heading_says_how_many_and_whose() {
        let book = |rules: usize| {
            Ok(RuleBook { profile: "Port".into(), rules: vec![RuleRow::default(); rules], ..RuleBook::default() })
        };
        assert_eq!((words(&book(1)), words(&book(12))), ("1 rule of Port".into(), "12 rules of Port".into()));
    }
}
