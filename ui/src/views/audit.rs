//! The audit log: who asked for what, what was refused, and every step of what came of it, newest first; the steps of one command in
//! the order of its life. It holds still while it is read, and is looked at again when a person says so.

use std::time::Duration;

use fleetlens_ipc::{Export, Fault};
use fleetlens_model::audit::{By, Entry, Event, Filter};
use fleetlens_model::text::shown;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{local, today};
use crate::components::back::Back;
use crate::components::export::ExportLine;
use crate::components::words::Words;
use crate::form::{Form, form};
use crate::format;
use crate::lang::said;
use crate::state::store;

/// Entries that are shown; as a sheet there are all of them.
const MOST: u32 = 200;

/// Who types is waited for: the host looks through the whole log for a word.
const TYPED: Duration = Duration::from_millis(250);

/// The log, in the place of the commands.
#[component]
pub fn AuditView(
    /// Set to false to go back to the commands.
    open: RwSignal<bool>,
) -> impl IntoView {
    let store = store();
    let text = RwSignal::new(String::new());
    let trace = RwSignal::new(None::<String>);
    let again = RwSignal::new(());
    let entries = RwSignal::new(None::<Vec<Entry>>);
    let fault = RwSignal::new(None::<Fault>);
    let filter = Memo::new(move |_| Filter { text: word_of(&text.get()), trace: trace.get(), ..Filter::default() });
    // An answer to an earlier question is none to this one.
    let question = StoredValue::new(0_u32);
    Effect::new(move |_| {
        again.track();
        let filter = filter.get();
        question.update_value(|number| *number += 1);
        let mine = question.get_value();
        let of_one = filter.trace.is_some();
        let is_meant = move || question.try_get_value() == Some(mine);
        let ask = move || {
            if !is_meant() {
                return;
            }
            store.audit(filter, MOST, move |outcome| {
                if is_meant() {
                    fault.set(outcome.as_ref().err().cloned());
                    entries.set(outcome.ok().map(|told| if of_one { in_order(told) } else { told }));
                }
            });
        };
        set_timeout(ask, if entries.with_untracked(Option::is_none) { Duration::ZERO } else { TYPED });
    });
    let is_empty = move || entries.with(|entries| entries.as_ref().is_some_and(Vec::is_empty));
    let total =
        move || entries.with(|entries| entries.as_deref().map(|entries| total(entries, trace.with(Option::is_some))));
    view! {
        <section class="sheet outbox audit" data-testid="audit-view" aria-label=said("Audit log")>
            <header class="sheet-head">
                <Back to=said("All commands") testid="audit-back" on_back=move |()| open.set(false) />
                <h1>{said("Audit log")}</h1>
                <p class="total" role="status" data-testid="audit-total">{total}</p>
                <span class="space" />
                <div class="filters">
                    <Words
                        text
                        on_input=Callback::new(move |words| text.set(words))
                        label=said("Words in the audit log")
                        placeholder=said("Thing, person, step or word")
                        testid="audit-filter"
                    />
                </div>
                <Show when=move || trace.with(Option::is_some)>
                    <button type="button" class="plain" data-testid="audit-all" on:click=move |_| trace.set(None)>
                        {said("All commands")}
                    </button>
                </Show>
                <button type="button" class="plain" data-testid="audit-again" on:click=move |_| again.set(())>
                    {said("Look again")}
                </button>
            </header>
            <div class="sheet-body">
                {move || fault.get().map(|fault| view! { <p class="fault" role="alert">{fault.message}</p> })}
                // Files are looked through at a desk.
                {(form() == Form::Desktop).then(|| view! { <ExportLine what=Signal::derive(move || Some(Export::Audit(filter.get()))) /> })}
                <section class="orders">
                    <ul>
                        <For each=move || entries.get().unwrap_or_default() key=|entry| entry.seq let:entry>
                            <Row entry trace />
                        </For>
                    </ul>
                </section>
                <Show when=is_empty>
                    <div class="nothing small" data-testid="audit-none">
                        <b>{said("Nothing is told of that")}</b>
                        <p>{said("Whatever is asked for, refused or done here stands in this log from then on.")}</p>
                    </div>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn Row(entry: Entry, trace: RwSignal<Option<String>>) -> impl IntoView {
    let at = local(entry.at_ms);
    let its_trace = (!entry.trace.is_empty()).then(|| entry.trace.clone());
    let only = move || {
        let its_trace = its_trace.clone()?;
        let choose = move |_| trace.set(Some(its_trace.clone()));
        trace.with(Option::is_none).then(|| {
            view! {
                <button type="button" class="link" data-testid="audit-only" on:click=choose>
                    {said("This command")}
                </button>
            }
        })
    };
    view! {
        <li class="told" data-testid="audit-row" data-event=entry.event.code()>
            <time title=at.exact()>{at.millis(&today())}</time>
            <b>{event_words(entry.event)}</b>
            <span class="what">
                <span>{shown(&thing_words(&entry)).into_owned()}</span>
                " "
                <span class="detail">{shown(&entry.detail).into_owned()}</span>
            </span>
            <span class="by">{who(&entry.by)}</span>
            <span class="after">{entry.after_ms.map(format::delay)}</span>
            <span class="only">{only}</span>
        </li>
    }
}

/// Oldest first, as the command went its way.
fn in_order(mut told: Vec<Entry>) -> Vec<Entry> {
    told.reverse();
    told
}

fn word_of(text: &str) -> Option<String> {
    let word = text.trim();
    (!word.is_empty()).then(|| word.to_owned())
}

/// How many there are; of one command how long it took.
fn total(entries: &[Entry], of_command: bool) -> String {
    let count = match entries.len() {
        n if n >= MOST as usize => tr!("the newest {} entries", n),
        n => tr!("1 entry" | "{shown} entries" % n, shown = format::count(n as u64)),
    };
    match (of_command, entries.first().zip(entries.last())) {
        (true, Some((first, last))) => {
            tr!("{count} in {time}", count = count, time = format::took(last.at_ms.since(first.at_ms)))
        }
        (true, None) | (false, _) => count,
    }
}

fn event_words(event: Event) -> String {
    format::capital(&event.code().replace('-', " "))
}

fn thing_words(entry: &Entry) -> String {
    match (entry.thing.as_str(), entry.shadow.as_str()) {
        (thing, "") => thing.to_owned(),
        (thing, shadow) => format!("{thing} / {shadow}"),
    }
}

fn who(by: &By) -> String {
    match by {
        By::Person(actor) if actor.name.is_empty() => said(actor.role.label()).to_owned(),
        By::Person(actor) => shown(&actor.name).into_owned(),
        By::Device => said("the device").to_owned(),
        By::Broker => said("the broker").to_owned(),
        By::Service => said("the shadow service").to_owned(),
        By::Program => "Fleetlens".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    #[test]
    fn the_heading_says_how_many_and_of_one_command_how_long() {
        let at = |seq: u64, ms| Entry {
            seq,
            at_ms: WallMs(ms),
            by: By::Device,
            thing: "lamp-0042".into(),
            shadow: "network".into(),
            command: None,
            trace: String::new(),
            event: Event::NotPublished,
            after_ms: None,
            detail: String::new(),
        };
        let two = in_order(vec![at(2, 5_200), at(1, 1_000)]);
        assert_eq!(total(&two, true), "2 entries in 4.2\u{a0}s");
        assert_eq!((total(&two, false), total(&two[..1], false)), ("2 entries".to_owned(), "1 entry".to_owned()));
        assert_eq!(total(&[], true), "0 entries");
        assert_eq!(
            (event_words(two[0].event), thing_words(&two[0])),
            ("Not published".into(), "lamp-0042 / network".into())
        );
    }
}
