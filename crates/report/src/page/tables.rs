//! The tables: what is open, what happened in order, who did what, who is silent.

use fleetlens_model::alarm::{Alarm, Priority};
use fleetlens_model::id::ThingKey;
use fleetlens_model::text::shown;
use maud::{Markup, html};

use crate::deeds::{Deed, Outcome};
use crate::history::{self, What};
use crate::past::{Named, Past};
use crate::words::{Calendar, count, length, of};

/// So many rows of a table are seen at once; the others are folded.
pub const SHOWN: usize = 500;

/// So many rows a table has, folded ones included; of more it is told how many they are.
pub const MOST: usize = 20_000;

/// What a table says of its rows.
struct Columns {
    /// The table's class, which gives columns their widths.
    class: &'static str,
    names: &'static [&'static str],
}

/// A table whose end is folded where it is long. Nothing is left out without a word.
fn table<T>(columns: &Columns, rows: &[T], row: impl Fn(&T) -> Markup) -> Markup {
    let part = |rows: &[T]| {
        html! {
            table.(columns.class) {
                thead { tr { @for name in columns.names { th scope="col" { (name) } } } }
                tbody { @for one in rows { (row(one)) } }
            }
        }
    };
    let (first, more) = rows.split_at_checked(SHOWN).unwrap_or((rows, &[]));
    let (folded, left) = more.split_at_checked(MOST - SHOWN).unwrap_or((more, &[]));
    let n = |rows: &[T]| u64::try_from(rows.len()).unwrap_or(u64::MAX);
    html! {
        (part(first))
        @if !folded.is_empty() {
            details {
                summary { (of(n(folded), "more row", "more rows")) " of " (count(n(rows))) ", folded; printed only when unfolded" }
                (part(folded))
            }
        }
        @if !left.is_empty() {
            p.left { (of(n(left), "further row is", "further rows are")) " not in this file; make a report of a shorter span to see them." }
        }
    }
}

/// What was open at the end of the span, the worst first, then the oldest.
pub fn open(past: &Past, calendar: &Calendar) -> Markup {
    let end = past.span.end;
    let mut open: Vec<&Alarm> = past.told().filter(|(_, one)| one.is_open_at(end)).map(|(alarm, _)| alarm).collect();
    open.sort_by_key(|alarm| (std::cmp::Reverse(alarm.priority), alarm.raised_ms(), alarm.id));
    let columns = Columns {
        class: "open",
        names: &["Priority", "Since", "Thing", "What is wrong", "What to do", "Acknowledged by"],
    };
    html! {
        section {
            h2 { "Open at the end" span.count { (of(u64::try_from(open.len()).unwrap_or(u64::MAX), "alarm", "alarms")) } }
            @if open.is_empty() {
                p.none { "Nothing was open at " (calendar.moment(end)) "." }
            } @else {
                (table(&columns, &open, |alarm| html! {
                    tr {
                        td { (priority(alarm.priority)) }
                        td.time { (calendar.at(alarm.raised_ms())) p.note { (length(end.since(alarm.raised_ms()))) } }
                        td { (thing(past, alarm.thing)) }
                        td {
                            strong { (shown(&alarm.name)) }
                            p.note { (shown(&alarm.sentence)) }
                            @if let Some(at) = alarm.state.cleared_ms.filter(|at| *at <= end) {
                                p.note { "Returned " (calendar.at(at)) ", waits to be seen" }
                            }
                            @if alarm.state.is_hidden() { p.note { "Off the list" } }
                            @if alarm.state.times > 1 { p.note { "Raised " (of(u64::from(alarm.state.times), "time", "times")) } }
                        }
                        td { (shown(&alarm.what_to_do)) }
                        td {
                            @match alarm.seen().filter(|seen| seen.at_ms < end) {
                                Some(seen) => {
                                    (shown(&seen.by.name))
                                    p.note { (calendar.at(seen.at_ms)) }
                                    @if !seen.comment.is_empty() { p.note { "“" (shown(&seen.comment)) "”" } }
                                }
                                None => { span.nobody { "nobody" } }
                            }
                        }
                    }
                }))
            }
        }
    }
}

/// What happened to alarms, in order.
pub fn happened(past: &Past, calendar: &Calendar) -> Markup {
    let rows = history::rows(past);
    let columns = Columns { class: "happened", names: &["Time", "What", "Priority", "Thing", "Alarm"] };
    html! {
        section {
            h2 { "What happened" span.count { (of(u64::try_from(rows.len()).unwrap_or(u64::MAX), "event", "events")) } }
            @if rows.is_empty() {
                p.none { "No alarm was raised, cleared or acknowledged in this time." }
            } @else {
                (table(&columns, &rows, |row| {
                    let (class, word) = match row.what {
                        What::Raised => ("raised", "Raised"),
                        What::Acknowledged => ("seen", "Acknowledged"),
                        What::Cleared => ("cleared", "Cleared"),
                    };
                    html! {
                        tr.(class) {
                            td.time { (calendar.at(row.at_ms)) }
                            td.what { (word) }
                            td { (priority(row.alarm.priority)) }
                            td { (named(&past.thing(row.alarm.thing))) }
                            td {
                                strong { (shown(&row.alarm.name)) }
                                p.note { (said(row)) }
                            }
                        }
                    }
                }))
            }
        }
    }
}

/// What there is to say of a row: what was seen, who saw it, how long it was so.
fn said(row: &history::Row) -> String {
    match (row.what, &row.alarm.state.acknowledged) {
        (What::Acknowledged, Some(seen)) => {
            let after = length(seen.at_ms.since(row.alarm.raised_ms()));
            let comment =
                if seen.comment.is_empty() { String::new() } else { format!(": “{}”", shown(&seen.comment)) };
            format!("by {} after {after}{comment}", shown(&seen.by.name))
        }
        (What::Cleared, _) => format!("after {}", length(row.at_ms.since(row.alarm.raised_ms()))),
        (What::Raised | What::Acknowledged, _) => shown(&row.alarm.sentence).into_owned(),
    }
}

/// Who did what, in order.
pub fn deeds(past: &Past, calendar: &Calendar) -> Markup {
    let columns = Columns { class: "deeds", names: &["Time", "Who", "What", "Thing", "Outcome"] };
    html! {
        section {
            h2 { "Who did what" span.count { (of(u64::try_from(past.deeds.len()).unwrap_or(u64::MAX), "entry", "entries")) } }
            @if past.deeds.is_empty() {
                p.none { "Nobody asked for anything or set anything in this time." }
            } @else {
                (table(&columns, &past.deeds, |deed| html! {
                    tr {
                        td.time { (calendar.at(deed.at_ms)) }
                        td { (deed.who) p.note { (deed.role) } }
                        td { strong { (deed.what) } p.note { (deed.detail) } }
                        td { (by_name(past, &deed.thing)) }
                        td { (outcome(deed)) }
                    }
                }))
            }
        }
    }
}

fn outcome(deed: &Deed) -> Markup {
    let told = |outcome: Outcome| {
        let class = if outcome.is_failure() { "failed" } else { "fine" };
        html! { span.(class) { @if outcome.is_failure() { span.sign aria-hidden="true" { "◆ " } } (outcome.told()) } }
    };
    html! {
        (told(deed.outcome))
        @if !deed.things.is_empty() {
            ul.ends { @for (outcome, n) in &deed.things { li { (count(*n)) " " (told(*outcome)) } } }
        }
    }
}

/// Things that say nothing.
pub fn silent(past: &Past, calendar: &Calendar) -> Markup {
    let all = u64::try_from(past.things.len()).unwrap_or(u64::MAX);
    let n = u64::try_from(past.silent.len()).unwrap_or(u64::MAX);
    html! {
        section {
            h2 { "Silent things" span.count { (count(n)) " of " (of(all, "thing", "things")) } }
            @match (past.silent.is_empty(), past.listened) {
                (true, _) => { p.none { "No thing is silent for longer than it should be." } }
                (false, listened) => {
                    p.told {
                        "These have said nothing for longer than they should"
                        @if let Some(at) = listened { ", as of " (calendar.moment(at)) }
                        ". What they last said may not be so any more."
                    }
                    (table(&Columns { class: "silent", names: &["Thing", "Place"] }, &past.silent, |one| html! {
                        tr { td { (named(one)) } td { (one.place) } }
                    }))
                }
            }
        }
    }
}

fn thing(past: &Past, key: ThingKey) -> Markup {
    let named = past.thing(key);
    html! {
        (named.title)
        @if named.title != named.name || !named.place.is_empty() {
            p.note {
                @if named.title != named.name { (named.name) }
                @if named.title != named.name && !named.place.is_empty() { " · " }
                (named.place)
            }
        }
    }
}

/// A thing without its place.
fn named(named: &Named) -> Markup {
    html! { (named.title) @if named.title != named.name { p.note { (named.name) } } }
}

/// A thing of the audit log, which knows it by its name alone.
fn by_name(past: &Past, name: &str) -> Markup {
    let known = past.by_name.get(name).and_then(|key| past.things.get(key));
    html! { @match known { Some(known) => { (named(known)) } None => { (name) } } }
}

/// Shape and word of a priority, as on the map.
fn priority(priority: Priority) -> Markup {
    let (class, path) = match priority {
        Priority::Advisory => {
            ("advisory", "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Zm0 1.6a2.9 2.9 0 1 1 0 5.8a2.9 2.9 0 1 1 0-5.8Z")
        }
        Priority::Warning => ("warning", "M6 1 11.5 11H.5Z"),
        Priority::Critical => ("critical", "M6 0 12 6 6 12 0 6Z"),
    };
    html! {
        span.priority.(class) {
            svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true" { path d=(path) {} }
            (priority.label())
        }
    }
}
