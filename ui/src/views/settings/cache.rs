//! How much the cache keeps: how big and how old it is now, and what it may become.

use std::ops::RangeInclusive;

use fleetlens_ipc::Setting;
use fleetlens_model::keeping::{Ages, Days, Keeping};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Retention;
use leptos::prelude::*;
use tr::tr;

use crate::clock::local;
use crate::format;
use crate::format::within;
use crate::lang::{said, term};
use crate::state::store;
use crate::views::settings::{Answer, AnswerLine, Save, told};

/// File, size, age; and the two limits.
#[component]
pub fn CacheForm() -> impl IntoView {
    let store = store();
    let file = told(|settings| settings.cache_file.clone());
    let retention = told(|settings| settings.retention);
    let kinds = told(|settings| settings.kinds_kept.clone());
    let kinds_kept = Memo::new(move |_| {
        let keeping = Keeping::with(retention.get(), kinds.get());
        let row =
            |(kind, _): (Kind, Ages)| (tr!("Of {kinds}", kinds = within(kind.plural())), kept_words(keeping.of(kind)));
        kinds.get().into_iter().map(row).collect::<Vec<_>>()
    });
    let days = RwSignal::new(None::<String>);
    let minutes = RwSignal::new(None::<String>);
    let hours = RwSignal::new(None::<String>);
    let mb = RwSignal::new(None::<String>);
    let answer = RwSignal::new(Answer::Rest);
    let days_text = Memo::new(move |_| days.get().unwrap_or_else(|| retention.get().keep_days.to_string()));
    let minutes_text = Memo::new(move |_| minutes.get().unwrap_or_else(|| retention.get().minutes_days.to_string()));
    let hours_text = Memo::new(move |_| {
        let kept = || retention.get().hours_days.map(|days| days.to_string()).unwrap_or_default();
        hours.get().unwrap_or_else(kept)
    });
    let mb_text = Memo::new(move |_| mb.get().unwrap_or_else(|| retention.get().max_mb.to_string()));
    let days_read = Memo::new(move |_| days_text.with(|text| keep_days(text)));
    let minutes_read = Memo::new(move |_| {
        let finer = days_read.with(|days| days.as_ref().ok().copied());
        minutes_text.with(|text| keep_days(text)).and_then(|days| no_shorter(days, finer, term("values")))
    });
    let hours_read = Memo::new(move |_| {
        let finer = minutes_read.with(|days| days.as_ref().ok().copied());
        let no_shorter = |days| no_shorter(days, finer, term("minutes"));
        hours_text.with(|text| hours_days(text)).and_then(|days| days.map(no_shorter).transpose())
    });
    let mb_read = Memo::new(move |_| mb_text.with(|text| max_mb(text)));
    let next = Memo::new(move |_| {
        let (keep_days, minutes_days) = (days_read.get().ok()?, minutes_read.get().ok()?);
        Some(Retention { keep_days, minutes_days, hours_days: hours_read.get().ok()?, max_mb: mb_read.get().ok()? })
    });
    let dirty = Memo::new(move |_| next.get() != Some(retention.get()));
    let warning = Memo::new(move |_| {
        let bytes = store.status.with(|status| status.as_ref().map_or(0, |status| status.row.cache_bytes));
        next.get().and_then(|next| shrinks(next, retention.get(), bytes))
    });
    let undo = move |()| {
        days.set(None);
        minutes.set(None);
        hours.set(None);
        mb.set(None);
        answer.set(Answer::Rest);
    };
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(next) = next.get_untracked().filter(|_| dirty.get_untracked()) else { return };
        answer.set(Answer::Asked);
        store.change_setting(Setting::Retention(next), move |outcome| {
            // The form may be gone by now.
            match outcome {
                Ok(_) => {
                    days.try_set(None);
                    minutes.try_set(None);
                    hours.try_set(None);
                    mb.try_set(None);
                    answer.try_set(Answer::Done);
                }
                Err(fault) => drop(answer.try_set(Answer::Refused(fault))),
            }
        });
    };
    let typed = move |text: RwSignal<Option<String>>| {
        move |event| {
            text.set(Some(event_target_value(&event)));
            answer.set(Answer::Rest);
        }
    };
    let status = move |read: fn(&fleetlens_ipc::rows::Status) -> String| {
        Memo::new(move |_| {
            store.status.with(|status| status.as_ref().map(|status| read(&status.row)).unwrap_or_default())
        })
    };
    let size = status(|status| format::bytes(status.cache_bytes));
    let oldest = status(|status| match status.oldest_sample_ms {
        Some(at) => {
            tr!("{age} ago, {at}", age = format::age(status.wall_ms.since(at)), at = local(at).exact())
        }
        None => said("none yet").into(),
    });
    let fault = status(|status| status.cache_fault.clone().unwrap_or_default());
    view! {
        <form class="card" data-testid="settings-cache" novalidate on:submit=save>
            <h2>{said("Cache")}</h2>
            <Show when=move || fault.with(|fault| !fault.is_empty())>
                <p class="fault" role="alert">
                    {move || tr!("It cannot be written now: {}", fault.get())}
                </p>
            </Show>
            <dl class="facts">
                <dt>{said("Size now")}</dt>
                <dd data-testid="cache-size">{size}</dd>
                <dt>{said("Oldest value")}</dt>
                <dd data-testid="cache-oldest">{oldest}</dd>
                <dt>{said("File")}</dt>
                <dd>
                    <code>{file}</code>
                </dd>
                {move || kinds_kept.get().into_iter().map(|(kind, days)| view! { <dt>{kind}</dt><dd>{days}</dd> }).collect_view()}
            </dl>
            <div class="pair">
                <Limit label=said("Keep values for") unit=said("days") testid="keep-days" text=days_text read=days_read on_input=typed(days) />
                <Limit
                    label=said("Keep each minute for")
                    unit=said("days")
                    testid="minutes-days"
                    text=minutes_text
                    read=minutes_read
                    on_input=typed(minutes)
                />
                <Limit
                    label=said("Keep each hour for")
                    unit=said("days")
                    testid="hours-days"
                    placeholder=said("ever")
                    hint=said("Empty: for ever.")
                    text=hours_text
                    read=hours_read
                    on_input=typed(hours)
                />
                <Limit label=said("Grow to at most") unit="MB" testid="max-mb" text=mb_text read=mb_read on_input=typed(mb) />
            </div>
            <p class="note">
                {move || {
                    warning
                        .get()
                        .unwrap_or_else(|| said("What is over a limit goes, oldest values first, then minutes, then hours. What happened on each day stays, and so do the latest value of everything, open commands and open alarms.").to_owned())
                }}
            </p>
            <Save dirty valid=Signal::derive(move || next.get().is_some()) answer on_undo=Callback::new(undo) />
            <AnswerLine answer done=said("Saved. The cache shrinks bit by bit, without holding up what arrives.") />
        </form>
    }
}

/// A number with its unit, and what is wrong with it.
#[component]
fn Limit<T: Send + Sync + 'static>(
    label: &'static str,
    unit: &'static str,
    testid: &'static str,
    /// What stands in it while it is empty.
    #[prop(default = "")]
    placeholder: &'static str,
    /// What an empty one means; empty where it may not be.
    #[prop(default = "")]
    hint: &'static str,
    text: Memo<String>,
    read: Memo<Result<T, String>>,
    on_input: impl Fn(leptos::ev::Event) + 'static,
) -> impl IntoView {
    let wrong = move || read.with(|read| read.as_ref().err().cloned());
    let (note, hint_id) = (format!("{testid}-note"), format!("{testid}-hint"));
    let told_by = if hint.is_empty() { note.clone() } else { format!("{hint_id} {note}") };
    let hint = (!hint.is_empty()).then(|| view! { <p id=hint_id class="hint">{hint}</p> });
    view! {
        <div class="limit">
            <label class="field">
                <span>{label}</span>
                <span class="with-unit">
                    <input
                        type="text"
                        inputmode="numeric"
                        data-testid=testid
                        placeholder=placeholder
                        autocomplete="off"
                        aria-invalid=move || read.with(Result::is_err).to_string()
                        aria-describedby=told_by
                        prop:value=text
                        on:input=on_input
                    />
                    <span>{unit}</span>
                </span>
            </label>
            {hint}
            <p id=note class="wrong">{wrong}</p>
        </div>
    }
}

/// Days as people type them.
fn keep_days(text: &str) -> Result<u32, String> {
    between(whole(text)?, &Retention::KEEP_DAYS, said("days"))
}

/// Days as people type them, or nothing for ever.
fn hours_days(text: &str) -> Result<Option<u32>, String> {
    if text.trim().is_empty() { Ok(None) } else { keep_days(text).map(Some) }
}

/// What is coarser stays as long as what is finer, or longer; `finer` is how many days that stays, where it is known.
fn no_shorter(days: u32, finer: Option<u32>, what: &'static str) -> Result<u32, String> {
    match finer.filter(|finer| days < *finer) {
        Some(finer) => Err(tr!("At least the {days} of {what}.", days = days_words(finer), what = said(what))),
        None => Ok(days),
    }
}

fn days_words(days: u32) -> String {
    tr!("{shown} day" | "{shown} days" % days, shown = format::count(u64::from(days)))
}

/// How long the history of a kind is kept: `values 30 days, minutes 365 days, hours for ever`.
fn kept_words(kept: Days) -> String {
    let days = |days: u32| tr!("{shown} day" | "{shown} days" % days, shown = days);
    tr!(
        "values {values}, minutes {minutes}, hours {hours}",
        values = days(kept.samples),
        minutes = days(kept.minutes),
        hours = kept.hours.map_or_else(|| said("for ever").to_owned(), days)
    )
}

/// Megabytes as people type them.
fn max_mb(text: &str) -> Result<u32, String> {
    between(whole(text)?, &Retention::MAX_MB, "MB")
}

fn between(number: u32, limits: &RangeInclusive<u32>, unit: &str) -> Result<u32, String> {
    let words = |limit: &u32| format::count(u64::from(*limit));
    let wrong = || tr!("From {from} to {to} {unit}.", from = words(limits.start()), to = words(limits.end()), unit);
    limits.contains(&number).then_some(number).ok_or_else(wrong)
}

/// A whole number, with or without spaces between its thousands.
fn whole(text: &str) -> Result<u32, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.parse().map_err(|_| said("A whole number, please.").to_owned())
}

/// What a change takes away, before it is saved: all of it.
fn shrinks(next: Retention, now: Retention, bytes: u64) -> Option<String> {
    // As they are used: what was once kept otherwise is raised.
    let (next_days, now_days) = (Keeping::from(next).of(Kind::Other), Keeping::from(now).of(Kind::Other));
    let hours = next_days.hours.filter(|days| now_days.hours.is_none_or(|now| *days < now));
    let samples = (next_days.samples < now_days.samples).then_some(next_days.samples);
    let minutes = (next_days.minutes < now_days.minutes).then_some(next_days.minutes);
    let mut gone = Vec::new();
    gone.extend(samples.map(|days| tr!("values older than {}", days_words(days))));
    gone.extend(minutes.map(|days| tr!("minutes older than {}", days_words(days))));
    gone.extend(hours.map(|days| tr!("hours older than {}", days_words(days))));
    if u64::from(next.max_mb) * 1_000_000 < bytes {
        gone.push(tr!("the oldest of what is over {} MB", format::count(u64::from(next.max_mb))));
    }
    let last = gone.pop()?;
    let all = if gone.is_empty() { last } else { tr!("{some} and {last}", some = gone.join(", "), last) };
    Some(tr!("{} will go, and cannot be brought back. What happened on each day stays.", format::capital(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_people_type_them_and_refused_in_words() {
        for (text, want) in [
            ("30", Some(30)),
            (" 3 650 ", Some(3_650)),
            ("3651", None),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("99999999999", None),
        ] {
            assert_eq!(keep_days(text).ok(), want, "{text:?}");
        }
        assert_eq!((hours_days(" "), hours_days("700"), hours_days("0").is_err()), (Ok(None), Ok(Some(700)), true));
        assert_eq!(max_mb("16"), Ok(16));
        assert!(max_mb("15").is_err_and(|words| words.starts_with("From 16 to ") && words.ends_with(" MB.")));
    }

    #[test]
    fn a_limit_below_what_is_there_says_what_goes() {
        let now = Retention { keep_days: 30, minutes_days: 365, hours_days: None, max_mb: 2_000 };
        let short = Retention { hours_days: Some(700), ..now };
        let small = Retention { max_mb: 100, ..now };
        let all = Retention { keep_days: 1, minutes_days: 90, hours_days: Some(700), max_mb: 100 };
        let raised = Retention { keep_days: 60, minutes_days: 30, ..now };
        for (next, now, bytes, want) in [
            (short, now, 0, "Hours older than 700 days"),
            (small, now, 400_000_000, "The oldest of what is over 100 MB"),
            (Retention { keep_days: 7, ..now }, now, 0, "Values older than 7 days"),
            (Retention { minutes_days: 90, ..now }, now, 0, "Minutes older than 90 days"),
            (
                Retention { keep_days: 30, minutes_days: 30, ..now },
                raised,
                0,
                "Values older than 30 days and minutes older than 30 days",
            ),
            (
                all,
                now,
                400_000_000,
                "Values older than 1 day, minutes older than 90 days, hours older than 700 days and the oldest of what is over 100 MB",
            ),
        ] {
            let want = format!("{want} will go, and cannot be brought back. What happened on each day stays.");
            assert_eq!(shrinks(next, now, bytes), Some(want));
        }
        assert_eq!(shrinks(now, short, 0), None);
        assert_eq!(shrinks(Retention { keep_days: 60, max_mb: 4_000, ..now }, now, 400_000_000), None);
    }

    #[test]
    fn what_is_coarser_stays_no_shorter() {
        for (days, finer, want) in
            [(30, Some(30), Ok(30)), (7, None, Ok(7)), (7, Some(30), Err("At least the 30 days of values.".to_owned()))]
        {
            assert_eq!(no_shorter(days, finer, "values"), want);
        }
    }
}
