//! The line at the bottom: where the values come from and with which guarantee, how many, what was shed or refused, how much is
//! kept, and who is here. Each word opens a card with the whole of it.

use fleetlens_ipc::rows::{LinkState, RefusalRow, ShedRow, Status};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Aged, clock, local, today};
use crate::components::popover::Popover;
use crate::form::{Form, form};
use crate::format;
use crate::lang::said;
use crate::state::section::Section;
use crate::state::store;
use crate::views::diagnostics::ToDiagnostics;
use crate::views::parking::is_driver;
use crate::views::replay::ReplayButton;
use crate::views::settings::sheet::{WhoButton, settings_sheet};

/// The line. A driver needs of it where the values come from, and who is here.
#[component]
pub fn StatusBar() -> impl IntoView {
    let (store, form) = (store(), form());
    let is_demo = told(|status| status.demo);
    let is_known = move || store.status.with(Option::is_some);
    let driver = is_driver(store);
    view! {
        <footer class="status" data-testid="status">
            <Show when=is_known fallback=|| view! { <span>{said("Opening the cache…")}</span> }>
                <Link />
                <Show when=move || is_demo.get()>
                    <span class="demo" data-testid="demo">{said("Demo city · values are made up")}</span>
                </Show>
                // Of the past nothing of this is known.
                <Show when=move || !driver.get() && !store.replay.is_past()>
                    <Traffic />
                    <Shed />
                    <Refused />
                </Show>
                <span class="space" />
                <Show when=move || !driver.get() && form == Form::Desktop>
                    <ReplayButton />
                </Show>
                <Show when=move || !driver.get()>
                    <Cache />
                </Show>
                {match form {
                    Form::Desktop => view! { <Who /> }.into_any(),
                    Form::Phone => view! { <WhoButton /> }.into_any(),
                }}
            </Show>
        </footer>
    }
}

/// Something of the status; its default before there is one.
fn told<T: Default + Clone + PartialEq + Send + Sync + 'static>(read: fn(&Status) -> T) -> Memo<T> {
    let store = store();
    Memo::new(move |_| store.status.with(|status| status.as_ref().map(|status| read(&status.row)).unwrap_or_default()))
}

/// A line of a card: what it is, and its value.
#[component]
fn Fact(
    /// What it is.
    label: &'static str,
    /// Its value.
    #[prop(into)]
    value: Signal<String>,
) -> impl IntoView {
    view! {
        <dt>{label}</dt>
        <dd>{move || value.get()}</dd>
    }
}

/// The broker, whether the link to it is up, and what it promises.
#[component]
fn Link() -> impl IntoView {
    let store = store();
    let broker = told(|status| status.broker.clone());
    let guarantee = told(|status| status.guarantee.clone());
    let profile = told(|status| status.profile.clone());
    let state = Memo::new(move |_| match store.cut.get() {
        Some(_) => "down",
        None => store.status.with(|status| status.as_ref().map_or("starting", |status| link_word(&status.row.link))),
    });
    let since = told(|status| link_sentence(&status.link));
    let reason = told(|status| match &status.link {
        LinkState::Connecting { reason, .. } => reason.clone(),
        LinkState::Starting | LinkState::Up { .. } => None,
    });
    let words = move || {
        view! {
            <span class="link-state" data-testid="status-broker" data-link=move || state.get()>
                <span class="lamp" />
                <span class="broker">{broker}</span>
            </span>
            <span class="guarantee" data-testid="status-guarantee">{guarantee}</span>
        }
    };
    view! {
        <Popover testid="status-link" label=said("Link") words>
            <h2>{said("Link")}</h2>
            <dl class="facts">
                <Fact label=said("Broker") value=broker />
                <Fact label=said("Now") value=since />
                <Fact label=said("Guarantee") value=guarantee />
                <Fact label=said("Profile") value=profile />
            </dl>
            {move || reason.get().map(|reason| view! { <p class="fault">{reason}</p> })}
        </Popover>
    }
}

fn link_word(link: &LinkState) -> &'static str {
    match link {
        LinkState::Starting => "starting",
        LinkState::Connecting { .. } => "down",
        LinkState::Up { .. } => "up",
    }
}

fn link_sentence(link: &LinkState) -> String {
    match link {
        LinkState::Starting => said("nothing was tried yet").into(),
        LinkState::Connecting { since_ms, .. } => tr!("down since {}, trying", local(*since_ms).seconds(&today())),
        LinkState::Up { since_ms } => tr!("up since {}", local(*since_ms).seconds(&today())),
    }
}

/// How many messages a second, and how old the last one is.
#[component]
fn Traffic() -> impl IntoView {
    let (store, clock) = (store(), clock());
    let per_s = told(|status| format::rate(status.per_s));
    let last = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        store.status.with(|status| status.as_ref().map(|status| last_message(status, now_ms)).unwrap_or_default())
    });
    let received = told(|status| format::count(status.received));
    let stored = told(|status| format::count(status.stored));
    let refused = told(|status| format::count(status.refused));
    let shed = told(|status| format::count(status.shed));
    let words = move || {
        view! {
            <span data-testid="status-rate">{per_s} " " {said("msg/s")}</span>
            <span class="last" data-testid="status-last">{last}</span>
        }
    };
    view! {
        <Popover testid="status-traffic" label=said("Messages") words>
            <h2>{said("Messages since the start")}</h2>
            <dl class="facts">
                <Fact label=said("Received") value=received />
                <Fact label=said("On the disk") value=stored />
                <Fact label=said("Refused") value=refused />
                <Fact label=said("Shed") value=shed />
            </dl>
            <ToDiagnostics />
        </Popover>
    }
}

fn last_message(status: &Aged<Status>, now_ms: f64) -> String {
    match status.row.last_message_age_ms {
        Some(age_ms) => tr!("last message {}", format::fine_age(age_ms + status.elapsed_ms(now_ms) / 1000 * 1000)),
        None => said("no message yet").into(),
    }
}

/// What was left out because more came than could be kept.
#[component]
fn Shed() -> impl IntoView {
    let count = told(|status| status.shed);
    let rows = told(|status| status.sheds.clone());
    let words =
        move || view! { <span data-testid="status-shed">{move || tr!("shed {}", format::count(count.get()))}</span> };
    view! {
        <Popover testid="status-sheds" label=said("Shed messages") side="end" loud=Signal::derive(move || count.get() != 0) words>
            <h2>{said("Shed messages, newest first")}</h2>
            <p class="none">
                {said("Messages without a guarantee (QoS 0) that were left out because more came than could be kept. None with a guarantee ever is.")}
            </p>
            <Show when=move || count.get() == 0>
                <p class="none">{said("None since the start.")}</p>
            </Show>
            <ul>
                <For each=move || rows.get() key=|row| (row.topic.clone(), row.count) let:row>
                    <ShedLine row />
                </For>
            </ul>
        </Popover>
    }
}

#[component]
fn ShedLine(row: ShedRow) -> impl IntoView {
    let topic = if row.topic.is_empty() { said("all other topics").to_owned() } else { row.topic };
    view! {
        <li>
            <code>{topic}</code>
            <small>{times(row.count, row.last_ms)}</small>
        </li>
    }
}

/// What could not be read, and why.
#[component]
fn Refused() -> impl IntoView {
    let count = told(|status| status.refused);
    let rows = told(|status| status.refusals.clone());
    let words = move || view! { <span>{move || tr!("refused {}", format::count(count.get()))}</span> };
    view! {
        <Popover testid="status-refused" label=said("Refused messages") side="end" loud=Signal::derive(move || count.get() != 0) words>
            <h2>{said("Refused messages, newest first")}</h2>
            <Show when=move || count.get() == 0>
                <p class="none">{said("None since the start: every message could be read.")}</p>
            </Show>
            <ul data-testid="refusals">
                <For each=move || rows.get() key=|row| (row.topic.clone(), row.reason.clone(), row.count) let:row>
                    <Refusal row />
                </For>
            </ul>
        </Popover>
    }
}

#[component]
fn Refusal(row: RefusalRow) -> impl IntoView {
    view! {
        <li>
            <code>{row.topic}</code>
            <span>{row.reason}</span>
            <small>{times(row.count, row.last_ms)}</small>
        </li>
    }
}

fn times(count: u64, last_ms: WallMs) -> String {
    tr!("{count}×, last {at}", count = format::count(count), at = local(last_ms).seconds(&today()))
}

/// How much is kept, and how far back it reaches.
#[component]
fn Cache() -> impl IntoView {
    let words = told(cache_words);
    let size = told(|status| format::bytes(status.cache_bytes));
    let oldest = told(|status| match status.oldest_sample_ms {
        Some(at) => local(at).exact(),
        None => said("none yet").into(),
    });
    let fault = told(|status| status.cache_fault.clone());
    let is_broken = Memo::new(move |_| fault.with(Option::is_some));
    let words = move || view! { <span data-testid="status-cache">{words}</span> };
    view! {
        <Popover testid="status-store" label=said("Cache") side="end" loud=is_broken words>
            <h2>{said("Cache")}</h2>
            <dl class="facts">
                <Fact label=said("Size") value=size />
                <Fact label=said("Oldest value") value=oldest />
            </dl>
            {move || fault.get().map(|fault| view! { <p class="fault">{tr!("It cannot be written: {}", fault)}</p> })}
            <ToSettings words=said("How much it keeps") />
            <ToDiagnostics />
        </Popover>
    }
}

fn cache_words(status: &Status) -> String {
    if status.cache_fault.is_some() {
        return said("cache cannot be written").into();
    }
    let reach = status.oldest_sample_ms.map(|oldest| format!(" · {}", format::age(status.wall_ms.since(oldest))));
    format!("{}{}", tr!("cache {}", format::bytes(status.cache_bytes)), reach.unwrap_or_default())
}

/// Who is at the screen.
#[component]
fn Who() -> impl IntoView {
    let words = told(who_words);
    let name =
        told(|status| if status.who.name.is_empty() { said("nobody's").into() } else { status.who.name.clone() });
    let role = told(|status| said(status.who.role.label()).to_owned());
    let words = move || view! { <span data-testid="status-who">{words}</span> };
    view! {
        <Popover testid="status-person" label=said("Who is here") side="end" words>
            <h2>{said("Who is here")}</h2>
            <dl class="facts">
                <Fact label=said("Name") value=name />
                <Fact label=said("Role") value=role />
            </dl>
            <ToSettings words=said("Change name or role") />
        </Popover>
    }
}

/// `Technician · M. Vella`.
pub fn who_words(status: &Status) -> String {
    let role = said(status.who.role.label());
    if status.who.name.is_empty() { role.to_owned() } else { format!("{role} · {}", status.who.name) }
}

/// The way to the settings: a section of the desktop's window, a sheet over the phone's.
#[component]
fn ToSettings(words: &'static str) -> impl IntoView {
    let (store, sheet) = (store(), settings_sheet());
    let go = move |_| match sheet {
        Some(open) => open.set(true),
        None => store.go(Section::Settings),
    };
    view! {
        <button type="button" class="link" on:click=go>
            {words}
        </button>
    }
}
