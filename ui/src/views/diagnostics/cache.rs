//! The card of the cache: its file, and what each kind of record takes of it.

use fleetlens_model::figures::{CacheFigures, CacheKind};
use leptos::prelude::*;
use tr::tr;

use super::Told;
use super::cards::Fact;
use super::words::{aged, batches, cache, engine, percent};
use crate::format;
use crate::lang::{said, term};

#[component]
pub(super) fn CacheCard(told: Told) -> impl IntoView {
    let kinds = Memo::new(move |_| {
        told.with(|told| told.as_ref().and_then(|all| all.cache.as_ref()).map(kinds).unwrap_or_default())
    });
    let whole = Memo::new(move |_| kinds.with(|kinds| kinds.iter().map(|kind| kind.bytes).sum::<u64>()));
    let part = move |group: Group| {
        kinds.with(|kinds| kinds.iter().filter(|kind| kind.group == group).map(|kind| kind.bytes).sum::<u64>())
    };
    view! {
        <section class="card" data-testid="diagnostics-cache">
            <h2>{said("Cache")}</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label=term("File") read=|all| all.disk.as_ref().map(|disk| disk.file.clone()) />
                <Fact told label=term("Free on its disk") read=|all| all.disk.as_ref()?.free_bytes.map(format::bytes) />
                <Fact told label=term("Size") read=|all| cache(all, |cache, _| Some(format::bytes(cache.file_bytes))) />
                <Fact told label=term("Write-ahead log") read=|all| cache(all, |cache, _| Some(format::bytes(cache.log_bytes))) />
                <Fact told label=term("Oldest sample") read=|all| cache(all, |cache, now| cache.oldest_ms.map(|at| aged(at, now))) />
                <Fact told label=term("Newest sample") read=|all| cache(all, |cache, now| cache.newest_ms.map(|at| aged(at, now))) />
                <Fact told label=term("Waits to be packed") read=|all| cache(all, |cache, now| {
                    let waiting = batches(cache.unpacked_batches);
                    Some(match cache.oldest_unpacked_ms {
                        None => waiting,
                        Some(at) => tr!("{batches}, since {age}", batches = waiting, age = format::age(now.since(at))),
                    })
                }) />
                <Fact
                    told
                    label=term("Cannot be written")
                    read=|all| engine(all, |engine| Some(engine.cache_fault.clone().unwrap_or_else(|| said("no, it can").into())))
                    is_loud=|all| all.engine.as_ref().is_some_and(|engine| engine.cache_fault.is_some())
                />
            </dl>
            <div class="by-kind" role="img" aria-label=said("The cache by kind; the list below says the same in figures") data-testid="by-kind">
                {Group::ALL
                    .map(|group| {
                        view! {
                            <span
                                data-group=group.word()
                                title=group.label()
                                style:flex-grow=move || part(group).to_string()
                                style:display=move || if part(group) == 0 { "none" } else { "block" }
                            />
                        }
                    })}
            </div>
            <table class="by-kind-table" data-testid="kinds">
                <thead>
                    <tr>
                        <th scope="col">{said("Kind")}</th>
                        <th scope="col">{said("Entries")}</th>
                        <th scope="col">{said("Size")}</th>
                        <th scope="col">{said("Share")}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || kinds.get() key=|kind| kind.clone() let:kind>
                        <tr>
                            <th scope="row">
                                <span class="swatch" data-group=kind.group.word() />
                                {said(kind.label)}
                            </th>
                            <td>{kind.entries.map(format::count)}</td>
                            <td>{format::bytes(kind.bytes)}</td>
                            <td>{move || percent(kind.bytes, whole.get())}</td>
                        </tr>
                    </For>
                </tbody>
            </table>
        </section>
    }
}

/// A kind of record with what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KindRow {
    group: Group,
    label: &'static str,
    /// Of what is counted.
    entries: Option<u64>,
    bytes: u64,
}

/// The kinds that take something.
fn kinds(cache: &CacheFigures) -> Vec<KindRow> {
    let taken = cache.kinds.iter().filter(|(_, share)| share.bytes > 0);
    taken
        .map(|(kind, share)| {
            let group = Group::of(*kind);
            // Of the latest values there are blocks, which count nothing that people know.
            let entries = Some(share.entries)
                .filter(|_| group != Group::Free && group != Group::Around && *kind != CacheKind::Latest);
            KindRow { group, label: kind.label(), entries, bytes: share.bytes }
        })
        .collect()
}

/// What belongs together in the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    Tail,
    Samples,
    Rolled,
    Now,
    Free,
    Around,
}

impl Group {
    const ALL: [Group; 6] = [Group::Tail, Group::Samples, Group::Rolled, Group::Now, Group::Free, Group::Around];

    fn of(kind: CacheKind) -> Group {
        match kind {
            CacheKind::Tail => Group::Tail,
            CacheKind::Samples => Group::Samples,
            CacheKind::Minutes | CacheKind::Hours | CacheKind::Days => Group::Rolled,
            CacheKind::Latest
            | CacheKind::Things
            | CacheKind::Series
            | CacheKind::Shadows
            | CacheKind::ShadowChanges
            | CacheKind::Commands
            | CacheKind::Bulks
            | CacheKind::Alarms
            | CacheKind::Jobs
            | CacheKind::Audit
            | CacheKind::Refusals
            | CacheKind::Packets => Group::Now,
            CacheKind::Free => Group::Free,
            CacheKind::Around => Group::Around,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Group::Tail => "tail",
            Group::Samples => "samples",
            Group::Rolled => "rolled",
            Group::Now => "now",
            Group::Free => "free",
            Group::Around => "around",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Group::Tail => said("samples, not yet packed"),
            Group::Samples => said("samples, packed"),
            Group::Rolled => said("minutes, hours and days"),
            Group::Now => said("what is now: values, things, shadows, commands, alarms"),
            Group::Free => said("free pages"),
            Group::Around => said("indexes and the rest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::record::Share;

    use super::*;

    #[test]
    fn every_kind_has_its_place_in_the_bar_and_only_what_is_counted_a_count() {
        let all = CacheKind::ALL.map(|kind| (kind, Share { entries: 3, bytes: 10 }));
        let mut cache = CacheFigures { kinds: all.to_vec(), ..CacheFigures::default() };
        let rows = kinds(&cache);
        assert_eq!(rows.len(), CacheKind::ALL.len());
        assert!(Group::ALL.iter().all(|group| rows.iter().any(|row| row.group == *group)));
        assert_eq!(rows.iter().filter(|row| row.entries.is_none()).count(), 3);
        cache.kinds.iter_mut().for_each(|(_, share)| share.bytes = 0);
        assert_eq!(kinds(&cache), []);
    }
}
