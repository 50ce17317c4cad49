//! How the program stands, in figures that are asked for every second while somebody looks, and the report of it that can be mailed.
//! Where there is no figure it says so.

use fleetlens_ipc::diagnostics::{Diagnostics, EngineFigures, LinkFigures, report};
use fleetlens_ipc::rows::LinkState;
use fleetlens_model::figures::{CacheFigures, CacheKind, Spread, WriterFigures};
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use leptos::html;
use leptos::prelude::*;

use crate::clock::{clock, local, today};
use crate::components::clipboard::copy;
use crate::components::icon::Icon;
use crate::format;
use crate::state::section::Section;
use crate::state::store;
use crate::views::settings::sheet::settings_sheet;

/// What stands where there is no figure.
const NONE: &str = "–";

/// Refusals and shed topics that are shown; all of them are in the report.
const ROWS: usize = 4;

type Told = RwSignal<Option<Diagnostics>>;

/// The way here, from wherever one is.
#[component]
pub fn ToDiagnostics() -> impl IntoView {
    let (store, sheet) = (store(), settings_sheet());
    let go = move |_| {
        match sheet {
            // Set again, it would be made anew.
            Some(open) if !open.get_untracked() => open.set(true),
            Some(_) => {}
            None => store.go(Section::Settings),
        }
        store.diagnosing.set(true);
    };
    view! {
        <button type="button" class="link" data-testid="to-diagnostics" on:click=go>
            "Diagnostics"
        </button>
    }
}

/// The page: a heading with what can be done, and the cards.
#[component]
pub fn DiagnosticsView() -> impl IntoView {
    let (store, clock) = (store(), clock());
    let told: Told = RwSignal::new(None);
    let trouble = RwSignal::new(None::<String>);
    // One question at a time: a host that is slow is not asked more often.
    let is_asked = StoredValue::new(false);
    Effect::new(move |_| {
        clock.now_ms();
        if is_asked.get_value() || store.cut.get_untracked().is_some() {
            return;
        }
        is_asked.set_value(true);
        store.diagnose(move |outcome| {
            // The page may be closed by now.
            is_asked.try_set_value(false);
            match outcome {
                Ok(now) => {
                    told.try_set(Some(now));
                    trouble.try_set(None);
                }
                Err(fault) => drop(trouble.try_set(Some(fault.message))),
            }
        });
    });
    // It is opened from the end of the settings, which scroll on the phone.
    let head = NodeRef::<html::Header>::new();
    Effect::new(move |_| {
        if let Some(head) = head.get() {
            head.scroll_into_view();
        }
    });
    let is_known = Memo::new(move |_| told.with(Option::is_some));
    let as_of = Memo::new(move |_| told.with(|told| told.as_ref().map(|all| local(all.made_ms).seconds(&today()))));
    view! {
        <header class="sheet-head diagnosis-head" node_ref=head>
            <button
                type="button"
                class="plain"
                data-testid="diagnostics-back"
                on:click=move |_| store.diagnosing.set(false)
            >
                "Back to settings"
            </button>
            <h1>"Diagnostics"</h1>
            <span class="total" data-testid="diagnostics-as-of">{move || as_of.get().map(|at| format!("as of {at}"))}</span>
            <span class="space" />
            <CopyReport told />
        </header>
        <div class="sheet-body diagnosis-body">
            {move || trouble.get().map(|why| view! { <p class="fault">{why}</p> })}
            <Show when=move || is_known.get() fallback=|| view! { <Coming /> }>
                <div class="diagnosis">
                    <div class="column">
                        <LinkCard told />
                        <DropsCard told />
                    </div>
                    <div class="column">
                        <EngineCard told />
                        <ProgramCard told />
                    </div>
                    <div class="column">
                        <CacheCard told />
                    </div>
                </div>
            </Show>
        </div>
    }
}

/// Puts the report into the clipboard; where the page may not, it shows it, chosen, to be copied by hand.
#[component]
fn CopyReport(told: Told) -> impl IntoView {
    let said = RwSignal::new("Copy report");
    let by_hand = RwSignal::new(None::<String>);
    let area = NodeRef::<html::Textarea>::new();
    let press = move |_| {
        let Some(text) = told.with_untracked(|told| told.as_ref().map(|all| report(all, &[]))) else { return };
        leptos::task::spawn_local(async move {
            let is_copied = copy(&text).await.is_ok();
            said.try_set(if is_copied { "Copied" } else { "Copy it from below" });
            by_hand.try_set((!is_copied).then_some(text));
        });
        set_timeout(
            move || {
                said.try_set("Copy report");
            },
            std::time::Duration::from_secs(4),
        );
    };
    Effect::new(move |_| {
        if let Some(area) = area.get() {
            area.select();
        }
    });
    view! {
        <button
            type="button"
            class="send copy-report"
            data-testid="copy-report"
            disabled=move || told.with(Option::is_none)
            on:click=press
        >
            <Icon of=icondata_lu::LuCopy />
            <span aria-live="polite" data-testid="copy-said">{move || said.get()}</span>
        </button>
        {move || {
            by_hand
                .get()
                .map(|text| {
                    view! {
                        <textarea
                            class="by-hand"
                            data-testid="report-by-hand"
                            aria-label="Report"
                            readonly=true
                            rows="8"
                            node_ref=area
                            prop:value=text
                        />
                    }
                })
        }}
    }
}

/// A line of a card, whose value is told anew only when it is another; `is_loud` when a person should look at it.
#[component]
fn Fact(
    told: Told,
    /// What it is; also for the tests.
    label: &'static str,
    /// Its value.
    read: fn(&Diagnostics) -> Option<String>,
    /// Whether a person should look at it.
    #[prop(default = |_| false)]
    is_loud: fn(&Diagnostics) -> bool,
) -> impl IntoView {
    let value = Memo::new(move |_| told.with(|told| told.as_ref().and_then(read).unwrap_or_else(|| NONE.to_owned())));
    let loud = Memo::new(move |_| told.with(|told| told.as_ref().is_some_and(is_loud)));
    view! {
        <dt>{label}</dt>
        <dd class:loud=loud data-fact=label>
            {move || loud.get().then(|| view! { <Icon of=icondata_lu::LuTriangleAlert /> })}
            {value}
        </dd>
    }
}

#[component]
fn LinkCard(told: Told) -> impl IntoView {
    view! {
        <section class="card" data-testid="diagnostics-link">
            <h2>"Link"</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label="Broker" read=|all| link(all, |link| Some(link.broker.clone())) />
                <Fact told label="Now" read=|all| all.link.as_ref().map(|link| link_words(link, all.made_ms)) is_loud=is_down />
                <Fact told label="Guarantee" read=|all| link(all, |link| Some(link.guarantee.clone())) />
                <Fact told label="Reconnects" read=|all| link(all, |link| Some(format::count(link.connects.saturating_sub(1)))) />
                <Fact told label="Messages" read=|all| link(all, |link| Some(format!("{} a second", format::rate(link.per_s)))) />
                <Fact told label="Newest message" read=|all| link(all, |link| link.last_message_age_ms.map(ago)) />
                <Fact told label="Inbox" read=|all| link(all, |link| of(link.inbox_waiting?, link.inbox_places?)) />
                <Fact told label="Publishes unfinished" read=|all| link(all, |link| link.unfinished.map(format::count)) />
            </dl>
        </section>
    }
}

#[component]
fn EngineCard(told: Told) -> impl IntoView {
    view! {
        <section class="card" data-testid="diagnostics-engine">
            <h2>"Engine"</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label="Profile" read=|all| engine(all, |engine| Some(shown(&engine.profile).into_owned())) />
                <Fact told label="Things" read=|all| engine(all, |engine| Some(format::count(engine.things))) />
                <Fact told label="Windows" read=|all| engine(all, |engine| Some(format::count(u64::from(engine.windows)))) />
                <Fact told label="Received" read=|all| engine(all, |engine| Some(format::count(engine.received))) />
                <Fact told label="On the disk" read=|all| engine(all, |engine| Some(format::count(engine.stored))) />
                <Fact
                    told
                    label="Writes gathered"
                    read=|all| engine(all, |engine| of(engine.gathered, engine.gather_max))
                    is_loud=|all| all.engine.as_ref().is_some_and(|engine| !engine.is_reading)
                />
                <Fact told label="Batch on its way" read=|all| engine(all, in_flight) is_loud=has_failed />
                <Fact told label="Last commit" read=|all| engine(all, |engine| engine.last_commit_age_ms.map(ago)) />
                <Fact told label="Commits" read=|all| commits(all, |it| {
                    format!("{} in {}", format::count(it.count), format::age(u64::from(it.over_s) * 1000))
                }) />
                <Fact told label="Half within" read=|all| commits(all, |it| millis(it.p50_us)) />
                <Fact told label="99 % within" read=|all| commits(all, |it| millis(it.p99_us)) />
                <Fact told label="Longest" read=|all| commits(all, |it| millis(it.max_us)) />
                <Fact told label="Writer's queue" read=|all| writer(all, |writer| batches(writer.waiting)) />
                <Fact told label="Not yet packed" read=|all| writer(all, |writer| {
                    format!("{} samples, {}", format::count(writer.unpacked_samples), format::bytes(writer.unpacked_bytes))
                }) />
            </dl>
        </section>
    }
}

#[component]
fn DropsCard(told: Told) -> impl IntoView {
    let rows = Memo::new(move |_| told.with(|told| told.as_ref().map(dropped).unwrap_or_default()));
    view! {
        <section class="card" data-testid="diagnostics-drops">
            <h2>"Drops since the start"</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label="Shed at QoS 0" read=|all| Some(format::count(all.drops.as_ref()?.shed)) is_loud=|all| {
                    all.drops.as_ref().is_some_and(|drops| drops.shed > 0)
                } />
                <Fact told label="Refused" read=|all| Some(format::count(all.drops.as_ref()?.refused)) />
                <Fact told label="Sent again, known" read=|all| Some(format::count(all.drops.as_ref()?.repeated)) />
                <Fact told label="Samples known" read=|all| writer(all, |writer| format::count(writer.duplicates)) />
                <Fact
                    told
                    label="Rows left out"
                    read=|all| writer(all, |writer| format::count(writer.left_out))
                    is_loud=|all| all.writer.is_some_and(|writer| writer.left_out > 0)
                />
                <Fact
                    told
                    label="Damage met"
                    read=|all| writer(all, |writer| format::count(writer.damaged))
                    is_loud=|all| all.writer.is_some_and(|writer| writer.damaged > 0)
                />
            </dl>
            <Show when=move || rows.with(|rows| !rows.is_empty())>
                <ul class="dropped">
                    <For each=move || rows.get() key=|row| row.clone() let:row>
                        <li>
                            <span>{row.0}</span>
                            <code>{row.1}</code>
                        </li>
                    </For>
                </ul>
            </Show>
        </section>
    }
}

#[component]
fn CacheCard(told: Told) -> impl IntoView {
    let kinds = Memo::new(move |_| {
        told.with(|told| told.as_ref().and_then(|all| all.cache.as_ref()).map(kinds).unwrap_or_default())
    });
    let whole = Memo::new(move |_| kinds.with(|kinds| kinds.iter().map(|kind| kind.bytes).sum::<u64>()));
    let part = move |group: Group| {
        kinds.with(|kinds| kinds.iter().filter(|kind| kind.group == group).map(|kind| kind.bytes).sum::<u64>())
    };
    view! {
        <section class="card" data-testid="diagnostics-cache">
            <h2>"Cache"</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label="File" read=|all| all.disk.as_ref().map(|disk| disk.file.clone()) />
                <Fact told label="Free on its disk" read=|all| all.disk.as_ref()?.free_bytes.map(format::bytes) />
                <Fact told label="Size" read=|all| cache(all, |cache, _| Some(format::bytes(cache.file_bytes))) />
                <Fact told label="Write-ahead log" read=|all| cache(all, |cache, _| Some(format::bytes(cache.log_bytes))) />
                <Fact told label="Oldest sample" read=|all| cache(all, |cache, now| cache.oldest_ms.map(|at| aged(at, now))) />
                <Fact told label="Newest sample" read=|all| cache(all, |cache, now| cache.newest_ms.map(|at| aged(at, now))) />
                <Fact told label="Waits to be packed" read=|all| cache(all, |cache, now| {
                    let oldest = cache.oldest_unpacked_ms.map(|at| format!(", since {}", format::age(now.since(at))));
                    Some(format!("{}{}", batches(cache.unpacked_batches), oldest.unwrap_or_default()))
                }) />
                <Fact
                    told
                    label="Cannot be written"
                    read=|all| engine(all, |engine| Some(engine.cache_fault.clone().unwrap_or_else(|| "no, it can".into())))
                    is_loud=|all| all.engine.as_ref().is_some_and(|engine| engine.cache_fault.is_some())
                />
            </dl>
            <div class="by-kind" role="img" aria-label="The cache by kind; the list below says the same in figures" data-testid="by-kind">
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
                        <th scope="col">"Kind"</th>
                        <th scope="col">"Entries"</th>
                        <th scope="col">"Size"</th>
                        <th scope="col">"Share"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || kinds.get() key=|kind| kind.clone() let:kind>
                        <tr>
                            <th scope="row">
                                <span class="swatch" data-group=kind.group.word() />
                                {kind.label}
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

#[component]
fn ProgramCard(told: Told) -> impl IntoView {
    let troubles =
        Memo::new(move |_| told.with(|told| told.as_ref().map(|all| all.troubles.clone()).unwrap_or_default()));
    view! {
        <section class="card" data-testid="diagnostics-program">
            <h2>"Program"</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label="Version" read=|all| {
                    let program = &all.program;
                    Some(format!("{}, contract {}, tables {}", program.version, program.contract, program.schema))
                } />
                <Fact told label="SQLite" read=|all| Some(all.program.sqlite.clone()) />
                <Fact told label="System" read=|all| Some(all.program.system.clone()) />
                <Fact told label="Runs for" read=|all| all.program.uptime_ms.map(format::age) />
                <Fact told label="Memory" read=|all| all.program.resident_bytes.map(format::bytes) />
                <Fact told label="Its clock" read=|all| Some(local(all.made_ms).seconds(&today())) />
                <Fact told label="Log" read=|all| all.program.log_file.clone() />
                <Fact
                    told
                    label="Log lines dropped"
                    read=|all| all.program.log_dropped.map(format::count)
                    is_loud=|all| all.program.log_dropped.is_some_and(|lines| lines > 0)
                />
            </dl>
            <h3>"Last troubles in the log"</h3>
            <Show when=move || troubles.with(|lines| !lines.is_empty()) fallback=|| view! { <p class="none">"None."</p> }>
                <ul class="troubles">
                    <For each=move || troubles.get() key=|line| line.clone() let:line>
                        <li><code>{shown(&line).into_owned()}</code></li>
                    </For>
                </ul>
            </Show>
        </section>
    }
}

/// The shape of what is coming.
#[component]
fn Coming() -> impl IntoView {
    view! {
        <div class="diagnosis coming" role="status" aria-label="Loading">
            <div class="bone" />
            <div class="bone" />
            <div class="bone" />
        </div>
    }
}

fn link(all: &Diagnostics, read: fn(&LinkFigures) -> Option<String>) -> Option<String> {
    all.link.as_ref().and_then(read)
}

fn engine<T>(all: &Diagnostics, read: impl Fn(&EngineFigures) -> Option<T>) -> Option<T> {
    all.engine.as_ref().and_then(read)
}

fn writer(all: &Diagnostics, read: fn(&WriterFigures) -> String) -> Option<String> {
    all.writer.as_ref().map(read)
}

fn cache(all: &Diagnostics, read: fn(&CacheFigures, WallMs) -> Option<String>) -> Option<String> {
    all.cache.as_ref().and_then(|cache| read(cache, all.made_ms))
}

fn commits(all: &Diagnostics, read: fn(&Spread) -> String) -> Option<String> {
    engine(all, |engine| engine.commits).as_ref().map(read)
}

fn link_words(link: &LinkFigures, now: WallMs) -> String {
    match &link.state {
        LinkState::Starting => "nothing was tried yet".to_owned(),
        LinkState::Up { since_ms } => format!("up for {}", format::age(now.since(*since_ms))),
        LinkState::Connecting { since_ms, reason } => {
            let reason = reason.as_deref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
            format!("down for {}, trying{reason}", format::age(now.since(*since_ms)))
        }
    }
}

fn is_down(all: &Diagnostics) -> bool {
    all.link.as_ref().is_some_and(|link| matches!(link.state, LinkState::Connecting { .. }))
}

fn in_flight(engine: &EngineFigures) -> Option<String> {
    let Some(batch) = engine.in_flight else { return Some("none".to_owned()) };
    let failed = if batch.failed == 0 { String::new() } else { format!(", failed {} times", batch.failed) };
    Some(format!("{} writes for {}{failed}", format::count(batch.writes), format::fine_age(batch.age_ms)))
}

fn has_failed(all: &Diagnostics) -> bool {
    all.engine.as_ref().and_then(|engine| engine.in_flight).is_some_and(|batch| batch.failed > 0)
}

fn of(some: u64, all: u64) -> Option<String> {
    Some(format!("{} of {}", format::count(some), format::count(all)))
}

fn batches(n: u64) -> String {
    if n == 1 { "1 batch".to_owned() } else { format!("{} batches", format::count(n)) }
}

fn ago(ms: u64) -> String {
    format!("{} ago", format::fine_age(ms))
}

fn aged(at: WallMs, now: WallMs) -> String {
    if at > now { format!("{} ahead", format::age(at.since(now))) } else { ago(now.since(at)) }
}

fn millis(us: u64) -> String {
    format!("{}\u{a0}ms", format::number(us as f64 / 1000.0, 1))
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        NONE.to_owned()
    } else {
        format!("{}\u{a0}%", format::number(part as f64 * 100.0 / whole as f64, 1))
    }
}

/// The newest of what was shed and refused, with how often.
fn dropped(all: &Diagnostics) -> Vec<(String, String)> {
    let Some(drops) = &all.drops else { return Vec::new() };
    let sheds = drops.sheds.iter().take(ROWS).map(|row| {
        let topic = if row.topic.is_empty() { "all other topics".into() } else { shown(&row.topic) };
        (format!("shed {}×", format::count(row.count)), topic.into_owned())
    });
    let refusals = drops.refusals.iter().take(ROWS).map(|row| {
        let words = format!("{}: {}", row.topic, row.reason);
        (format!("refused {}×", format::count(row.count)), shown(&words).into_owned())
    });
    sheds.chain(refusals).collect()
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
            | CacheKind::Commands
            | CacheKind::Alarms
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
            Group::Tail => "samples, not yet packed",
            Group::Samples => "samples, packed",
            Group::Rolled => "minutes, hours and days",
            Group::Now => "what is now: values, things, shadows, commands, alarms",
            Group::Free => "free pages",
            Group::Around => "indexes and the rest",
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
        assert_eq!((percent(1, 3), percent(0, 0)), ("33.3\u{a0}%".to_owned(), NONE.to_owned()));
    }

    #[test]
    fn a_batch_that_fails_says_so_and_a_clock_that_is_ahead_too() {
        let words = millis(12_340);
        assert_eq!(words, "12.3\u{a0}ms");
        assert_eq!(aged(WallMs(70_000), WallMs(0)), "1\u{a0}min ahead");
        assert_eq!(aged(WallMs(0), WallMs(4_200)), "4.2\u{a0}s ago");
        assert_eq!(batches(1), "1 batch");
    }
}
