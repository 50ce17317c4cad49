//! The cards of figures about what runs: link, engine, drops, program.

use fleetlens_ipc::diagnostics::Diagnostics;
use fleetlens_model::text::shown;
use leptos::prelude::*;
use tr::tr;

use super::Told;
use super::words::{
    NONE, ago, batches, commits, engine, has_failed, in_flight, is_down, link, link_words, millis, of, requests, writer,
};
use crate::clock::{local, today};
use crate::components::icon::Icon;
use crate::format;
use crate::lang::{said, term};

/// Refusals and shed topics that are shown; all of them are in the report.
const ROWS: usize = 4;

/// A line of a card, whose value is told anew only when it is another; `is_loud` when a person should look at it.
#[component]
pub(super) fn Fact(
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
        <dt>{said(label)}</dt>
        <dd class:loud=loud data-fact=label>
            {move || loud.get().then(|| view! { <Icon of=icondata_lu::LuTriangleAlert /> })}
            {value}
        </dd>
    }
}

#[component]
pub(super) fn LinkCard(told: Told) -> impl IntoView {
    view! {
        <section class="card" data-testid="diagnostics-link">
            <h2>{said("Link")}</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label=term("Broker") read=|all| link(all, |link| Some(link.broker.clone())) />
                <Fact told label=term("Now") read=|all| all.link.as_ref().map(|link| link_words(link, all.made_ms)) is_loud=is_down />
                <Fact told label=term("Guarantee") read=|all| link(all, |link| Some(link.guarantee.clone())) />
                <Fact told label=term("Reconnects") read=|all| link(all, |link| Some(format::count(link.connects.saturating_sub(1)))) />
                <Fact told label=term("Messages") read=|all| link(all, |link| Some(tr!("{} a second", format::rate(link.per_s)))) />
                <Fact told label=term("Newest message") read=|all| link(all, |link| link.last_message_age_ms.map(ago)) />
                <Fact told label=term("Inbox") read=|all| link(all, |link| of(link.inbox_waiting?, link.inbox_places?)) />
                <Fact told label=term("Publishes unfinished") read=|all| link(all, |link| link.unfinished.map(format::count)) />
            </dl>
        </section>
    }
}

#[component]
pub(super) fn EngineCard(told: Told) -> impl IntoView {
    view! {
        <section class="card" data-testid="diagnostics-engine">
            <h2>{said("Engine")}</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label=term("Profile") read=|all| engine(all, |engine| Some(shown(&engine.profile).into_owned())) />
                <Fact told label=term("Things") read=|all| engine(all, |engine| Some(format::count(engine.things))) />
                <Fact told label=term("Windows") read=|all| engine(all, |engine| Some(format::count(u64::from(engine.windows)))) />
                <Fact told label=term("Received") read=|all| engine(all, |engine| Some(format::count(engine.received))) />
                <Fact told label=term("On the disk") read=|all| engine(all, |engine| Some(format::count(engine.stored))) />
                <Fact
                    told
                    label=term("Writes gathered")
                    read=|all| engine(all, |engine| of(engine.gathered, engine.gather_max))
                    is_loud=|all| all.engine.as_ref().is_some_and(|engine| !engine.is_reading)
                />
                <Fact told label=term("Requests in flight") read=|all| engine(all, requests) />
                <Fact told label=term("Batch on its way") read=|all| engine(all, in_flight) is_loud=has_failed />
                <Fact told label=term("Last commit") read=|all| engine(all, |engine| engine.last_commit_age_ms.map(ago)) />
                <Fact told label=term("Commits") read=|all| commits(all, |it| {
                    tr!("{count} in {time}", count = format::count(it.count), time = format::age(u64::from(it.over_s) * 1000))
                }) />
                <Fact told label=term("Half within") read=|all| commits(all, |it| millis(it.p50_us)) />
                <Fact told label=term("99 % within") read=|all| commits(all, |it| millis(it.p99_us)) />
                <Fact told label=term("Longest") read=|all| commits(all, |it| millis(it.max_us)) />
                <Fact told label=term("Writer's queue") read=|all| writer(all, |writer| batches(writer.waiting)) />
                <Fact told label=term("Not yet packed") read=|all| writer(all, |writer| {
                    tr!("{} samples, {}", format::count(writer.unpacked_samples), format::bytes(writer.unpacked_bytes))
                }) />
            </dl>
        </section>
    }
}

#[component]
pub(super) fn DropsCard(told: Told) -> impl IntoView {
    let rows = Memo::new(move |_| told.with(|told| told.as_ref().map(dropped).unwrap_or_default()));
    view! {
        <section class="card" data-testid="diagnostics-drops">
            <h2>{said("Drops since the start")}</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label=term("Shed at QoS 0") read=|all| Some(format::count(all.drops.as_ref()?.shed)) is_loud=|all| {
                    all.drops.as_ref().is_some_and(|drops| drops.shed > 0)
                } />
                <Fact told label=term("Refused") read=|all| Some(format::count(all.drops.as_ref()?.refused)) />
                <Fact told label=term("Sent again, known") read=|all| Some(format::count(all.drops.as_ref()?.repeated)) />
                <Fact told label=term("Samples known") read=|all| writer(all, |writer| format::count(writer.duplicates)) />
                <Fact
                    told
                    label=term("Rows left out")
                    read=|all| writer(all, |writer| format::count(writer.left_out))
                    is_loud=|all| all.writer.is_some_and(|writer| writer.left_out > 0)
                />
                <Fact
                    told
                    label=term("Damage met")
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
pub(super) fn ProgramCard(told: Told) -> impl IntoView {
    let troubles =
        Memo::new(move |_| told.with(|told| told.as_ref().map(|all| all.troubles.clone()).unwrap_or_default()));
    view! {
        <section class="card" data-testid="diagnostics-program">
            <h2>{said("Program")}</h2>
            <dl class="facts diagnosis-facts">
                <Fact told label=term("Version") read=|all| {
                    let program = &all.program;
                    Some(tr!("{}, contract {}, tables {}", program.version, program.contract, program.schema))
                } />
                <Fact told label=term("SQLite") read=|all| Some(all.program.sqlite.clone()) />
                <Fact told label=term("System") read=|all| Some(all.program.system.clone()) />
                <Fact told label=term("Runs for") read=|all| all.program.uptime_ms.map(format::age) />
                <Fact told label=term("Memory") read=|all| all.program.resident_bytes.map(format::bytes) />
                <Fact told label=term("Its clock") read=|all| Some(local(all.made_ms).seconds(&today())) />
                <Fact told label=term("Log") read=|all| all.program.log_file.clone() />
                <Fact
                    told
                    label=term("Log lines dropped")
                    read=|all| all.program.log_dropped.map(format::count)
                    is_loud=|all| all.program.log_dropped.is_some_and(|lines| lines > 0)
                />
            </dl>
            <h3>{said("Last troubles in the log")}</h3>
            <Show when=move || troubles.with(|lines| !lines.is_empty()) fallback=|| view! { <p class="none">{said("None.")}</p> }>
                <ul class="troubles">
                    <For each=move || troubles.get() key=|line| line.clone() let:line>
                        <li><code>{shown(&line).into_owned()}</code></li>
                    </For>
                </ul>
            </Show>
        </section>
    }
}

/// The newest of what was shed and refused, with how often.
fn dropped(all: &Diagnostics) -> Vec<(String, String)> {
    let Some(drops) = &all.drops else { return Vec::new() };
    let sheds = drops.sheds.iter().take(ROWS).map(|row| {
        let topic = if row.topic.is_empty() { said("all other topics").into() } else { shown(&row.topic) };
        (tr!("shed {}×", format::count(row.count)), topic.into_owned())
    });
    let refusals = drops.refusals.iter().take(ROWS).map(|row| {
        let words = format!("{}: {}", row.topic, row.reason);
        (tr!("refused {}×", format::count(row.count)), shown(&words).into_owned())
    });
    sheds.chain(refusals).collect()
}
