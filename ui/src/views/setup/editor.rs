//! The text of a profile: what is wrong with it while one types, what it would read of what was heard, and keeping it.

use std::time::Duration;

use fleetlens_ipc::profile::{
    Checked, MistakeRow, ProfileAsk, ProfileDone, ProposalRow, Trial, TrialStep, Try, TryBroker, Typed,
};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use tr::tr;

use super::preview::PreviewCard;
use super::trying::Heard;
use super::{Work, end_try, sentence};
use crate::components::icon::Icon;
use crate::components::numbered::Numbered;
use crate::format;
use crate::lang::said;
use crate::state::profiles::is_running;
use crate::state::store;

/// How long nothing is typed before the text is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// What became of keeping it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    No,
    Asked,
    Done(String),
    Refused(String),
}

/// The editor beside what the text would read.
#[component]
pub fn EditorPage(
    /// The text as it is opened.
    work: Work,
    /// Its file; empty for one that has none yet.
    file: String,
    /// Whether something would be lost.
    dirty: RwSignal<bool>,
    /// Told once the profile is kept and used.
    on_saved: Callback<()>,
) -> impl IntoView {
    let store = store();
    let Work { text: opened, replaces, password } = work;
    let text = RwSignal::new(opened.clone());
    let before = RwSignal::new(opened);
    let replaces = RwSignal::new(replaces);
    let checked = RwSignal::new(None::<Checked>);
    let kept = RwSignal::new(Kept::No);
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let check = move || {
        let asked = text.get_untracked();
        let ask = ProfileAsk::Check { text: asked.clone(), replaces: replaces.get_untracked() };
        store.ask_profile(ask, move |outcome| {
            // Typed on meanwhile, or gone.
            if text.try_with_untracked(|now| *now == asked) != Some(true) {
                return;
            }
            checked.set(Some(match outcome {
                Ok(ProfileDone::Checked(told)) => *told,
                Ok(ProfileDone::Trying | ProfileDone::Text { .. } | ProfileDone::Saved(_)) => Checked::default(),
                Err(fault) => {
                    Checked { mistake: Some(MistakeRow { line: 1, message: fault.message }), ..Checked::default() }
                }
            }));
        });
    };
    // After each pause in typing, and at once when what was heard is another.
    Effect::new(move |first: Option<()>| {
        text.track();
        waiting.update_value(|waiting| {
            if let Some(waiting) = waiting.take() {
                waiting.clear();
            }
        });
        if first.is_some() {
            waiting.set_value(set_timeout_with_handle(check, PAUSE).ok());
        }
    });
    let tried =
        Memo::new(move |_| store.trial.with(|trial| trial.as_ref().is_some_and(|trial| !is_running(&trial.step))));
    Effect::new(move |_| {
        // Read, not only tracked: a memo that nobody has read tells nobody that it changed.
        let _ = tried.get();
        check();
    });
    Effect::new(move |_| {
        let is_new = replaces.with(Option::is_none);
        dirty.set(is_new || text.with(|text| before.with(|before| text != before)));
    });
    on_cleanup(move || {
        if let Some(waiting) = waiting.try_update_value(Option::take).flatten() {
            waiting.clear();
        }
        end_try(store);
    });
    let typed = password.clone();
    let save = Callback::new(move |and_use: bool| {
        kept.set(Kept::Asked);
        let now = text.get_untracked();
        // A password is kept in the file that the text names for it; without one it is not.
        let password = password.clone().filter(|_| now.contains(".password"));
        let ask = ProfileAsk::Save { replaces: replaces.get_untracked(), text: now.clone(), password, and_use };
        store.ask_profile(ask, move |outcome| match outcome {
            Ok(ProfileDone::Saved(name)) => {
                // Another window may have taken this one's place.
                before.try_set(now);
                replaces.try_set(Some(name.clone()));
                kept.try_set(Kept::Done(name));
                dirty.try_set(false);
                if and_use {
                    on_saved.run(());
                }
            }
            Ok(ProfileDone::Trying | ProfileDone::Text { .. } | ProfileDone::Checked(_)) => {}
            Err(fault) => drop(kept.try_set(Kept::Refused(fault.message))),
        });
    });
    let mistake = Memo::new(move |_| checked.with(|checked| checked.as_ref().and_then(|c| c.mistake.clone())));
    let can_save = Memo::new(move |_| {
        let fine = checked.with(|checked| checked.as_ref().is_some_and(|checked| checked.mistake.is_none()));
        fine && kept.with(|kept| *kept != Kept::Asked)
    });
    let preview = Memo::new(move |_| checked.with(|checked| checked.as_ref().and_then(|c| c.preview.clone())));
    let is_wrong = Memo::new(move |_| mistake.with(Option::is_some));
    view! {
        <div class="setup-page editing">
            <section class="card profile-text" aria-label=said("The profile")>
                <h2>{said("The profile")}</h2>
                <TextArea text mistake />
                <div id="setup-text-told" class="text-told" aria-live="polite" data-testid="text-told">
                    {move || match (mistake.get(), checked.with(Option::is_some)) {
                        (Some(MistakeRow { line, message }), _) => {
                            view! {
                                <p class="wrong" data-testid="text-wrong">
                                    <b>{tr!("Line {}: ", line)}</b>
                                    {message}
                                </p>
                            }
                            .into_any()
                        }
                        (None, true) => view! { <p class="right">{said("No mistake in it.")}</p> }.into_any(),
                        (None, false) => view! { <p class="none">{said("Looking at it…")}</p> }.into_any(),
                    }}
                </div>
                <p class="note">
                    {if file.is_empty() {
                        said("The name, the broker and each template are lines of it; change what does not fit.").to_owned()
                    } else {
                        tr!("It is kept in {}", file)
                    }}
                </p>
                <SaveBar replaces can_save kept on_save=save />
            </section>
            <div class="column">
                <PreviewCard preview is_wrong />
                <LookAgain text replaces checked password=typed />
            </div>
        </div>
    }
}

/// The text; the line of a mistake stands out.
#[component]
fn TextArea(text: RwSignal<String>, mistake: Memo<Option<MistakeRow>>) -> impl IntoView {
    let wrong = Signal::derive(move || mistake.with(|mistake| mistake.iter().map(|it| it.line as usize).collect()));
    view! {
        <Numbered
            text
            wrong
            invalid=Signal::derive(move || mistake.with(Option::is_some))
            label=said("The profile as text (TOML)")
            described_by="setup-text-told"
            testid="profile-text"
        />
    }
}

/// Keeping it, and what became of that.
#[component]
fn SaveBar(
    replaces: RwSignal<Option<String>>,
    can_save: Memo<bool>,
    kept: RwSignal<Kept>,
    on_save: Callback<bool>,
) -> impl IntoView {
    let store = store();
    let undecided =
        Memo::new(move |_| store.status.with(|status| status.as_ref().is_some_and(|status| status.row.undecided)));
    // Of the one in use there is nothing to choose: it begins anew with what is saved.
    let in_use = Memo::new(move |_| {
        let name = replaces.get();
        name.is_some() && store.status.with(|status| status.as_ref().map(|status| status.row.profile.clone()) == name)
    });
    view! {
        <div class="answers">
            <Show when=move || !undecided.get()>
                <button
                    type="button"
                    class:plain=move || !in_use.get()
                    class:send=move || in_use.get()
                    data-testid="save-profile"
                    disabled=move || !can_save.get()
                    on:click=move |_| on_save.run(false)
                >
                    {said("Save")}
                </button>
            </Show>
            <Show when=move || !in_use.get()>
                <button
                    type="button"
                    class="send"
                    data-testid="save-and-use"
                    disabled=move || !can_save.get()
                    on:click=move |_| on_save.run(true)
                >
                    {said("Save and use")}
                </button>
            </Show>
        </div>
        <div class="answer" aria-live="polite" data-testid="save-told">
            {move || match kept.get() {
                Kept::No => ().into_any(),
                Kept::Asked => view! { <p class="none">{said("Saving…")}</p> }.into_any(),
                Kept::Done(name) => {
                    view! { <p class="done">{tr!("{} is saved.", name)}</p> }.into_any()
                }
                Kept::Refused(why) => view! { <p class="fault">{sentence(&why)}</p> }.into_any(),
            }}
        </div>
    }
}

/// Listening once more, with the broker of the text; and what is recognised there that the text does not have.
#[component]
fn LookAgain(
    text: RwSignal<String>,
    replaces: RwSignal<Option<String>>,
    checked: RwSignal<Option<Checked>>,
    /// What was typed as the password and is not kept yet.
    password: Option<Typed>,
) -> impl IntoView {
    let store = store();
    let filters = RwSignal::new(String::new());
    let password = StoredValue::new(password);
    let runs =
        Memo::new(move |_| store.trial.with(|trial| trial.as_ref().is_some_and(|trial| is_running(&trial.step))));
    let told = Memo::new(move |_| store.trial.with(|trial| trial.as_ref().map(words)));
    let missing = Memo::new(move |_| {
        let rules = store.trial.with(|trial| match trial.as_ref().map(|trial| &trial.step) {
            Some(TrialStep::Done(proposed)) => proposed.rules.clone(),
            Some(TrialStep::Connecting | TrialStep::Listening { .. } | TrialStep::Failed { .. }) | None => Vec::new(),
        });
        text.with(|text| rules.into_iter().filter(|rule| !is_in(rule, text)).collect::<Vec<_>>())
    });
    let own =
        move || checked.with(|checked| checked.as_ref().map(|checked| checked.filters.join(", ")).unwrap_or_default());
    let can_look = Memo::new(move |_| {
        !runs.get() && checked.with(|checked| checked.as_ref().is_some_and(|checked| checked.mistake.is_none()))
    });
    let look = move |_| {
        // Once it is kept, it is in its file.
        let password = password.get_value().filter(|_| replaces.with_untracked(Option::is_none));
        let broker = TryBroker::Text { text: text.get_untracked(), replaces: replaces.get_untracked(), password };
        let filters = filters.with_untracked(|text| {
            text.split(',').map(str::trim).filter(|filter| !filter.is_empty()).map(str::to_owned).collect()
        });
        store.begin_trial();
        store.ask_profile(ProfileAsk::Try(Box::new(Try { broker, filters })), move |outcome| {
            if let Err(fault) = outcome {
                store.fail_trial(fault.message);
            }
        });
    };
    let stop = move |_| store.ask_profile(ProfileAsk::EndTry, move |_| store.trial.set(None));
    view! {
        <section class="card" data-testid="look-again">
            <h2>{said("What the broker says")}</h2>
            <div class="asked">
                <label class="field">
                    <span>{said("Listen to")}</span>
                    <input
                        type="text"
                        data-testid="look-filters"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        placeholder=own
                        prop:value=filters
                        on:input=move |event| filters.set(event_target_value(&event))
                    />
                </label>
                <p class="hint">{said("Empty for what the profile listens to; other topics with commas between them.")}</p>
            </div>
            <div class="answers">
                <Show
                    when=move || runs.get()
                    fallback=move || {
                        view! {
                            <button type="button" class="plain" data-testid="look" disabled=move || !can_look.get() on:click=look>
                                {tr!("at the broker" => "Look again")}
                            </button>
                        }
                    }
                >
                    <button type="button" class="plain" data-testid="look-stop" on:click=stop>
                        {said("Stop")}
                    </button>
                </Show>
            </div>
            <div aria-live="polite" data-testid="look-told">
                {move || {
                    told.get().map(|(is_wrong, words)| view! { <p class:fault=is_wrong class:note=!is_wrong>{words}</p> })
                }}
            </div>
            <Show when=move || missing.with(|rules| !rules.is_empty())>
                <h3>{said("Recognised, and not in the text")}</h3>
                <ul class="missing-rules">
                    {move || missing.get().into_iter().map(|rule| view! { <Missing rule text /> }).collect_view()}
                </ul>
            </Show>
            <Heard />
        </section>
    }
}

#[component]
fn Missing(rule: ProposalRow, text: RwSignal<String>) -> impl IntoView {
    let ProposalRow { template, text: lines, topics } = rule;
    let add = move |_| text.update(|text| *text = format!("{}\n\n{lines}", text.trim_end()));
    view! {
        <li>
            <code dir="ltr">{template.clone()}</code>
            <span class="times">{format!("× {}", format::count(topics.into()))}</span>
            <button type="button" class="plain" data-testid="add-rule" aria-label=tr!("Add {}", template) on:click=add>
                <Icon of=icondata_lu::LuPlus />
                {said("Add")}
            </button>
        </li>
    }
}

/// Whether a text has a rule, whatever else was changed of it: a template by its line, a convention by all of its lines.
fn is_in(rule: &ProposalRow, text: &str) -> bool {
    let template = rule.text.lines().find(|line| line.starts_with("template = "));
    text.contains(template.unwrap_or(rule.text.trim()))
}

/// How far the last try is, and whether that is a failure.
fn words(trial: &Trial) -> (bool, String) {
    let (messages, topics) = (format::count(trial.messages), format::count(trial.topics.into()));
    match &trial.step {
        TrialStep::Connecting => (false, said("Connecting…").into()),
        TrialStep::Listening { left_ms } => {
            let left = left_ms.div_ceil(1_000);
            (false, tr!("Listening, {left} s more: {messages} messages on {topics} topics", left, messages, topics))
        }
        TrialStep::Failed { message, .. } => (true, sentence(message)),
        TrialStep::Done(_) => (false, tr!("Heard {messages} messages on {topics} topics.", messages, topics)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_in_a_text_whatever_else_was_changed_of_it() {
        let rule = |text: &str| ProposalRow { template: String::new(), text: text.into(), topics: 1 };
        let bins = rule("[[telemetry]]\ntemplate = \"bins/{thing}\"\ntime = \"/ts\"\n");
        assert!(is_in(&bins, "[[telemetry]]\ntemplate = \"bins/{thing}\"\n"));
        assert!(!is_in(&bins, "[[telemetry]]\ntemplate = \"old/bins/{thing}\"\n"));
        let homie = rule("[[convention]]\nname = \"homie\"\nprefix = \"home\"\n");
        assert!(is_in(&homie, "x = 1\n\n[[convention]]\nname = \"homie\"\nprefix = \"home\"\n"));
        assert!(!is_in(&homie, "[[convention]]\nname = \"homie\"\nprefix = \"garden\"\n"));
    }
}
