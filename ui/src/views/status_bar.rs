//! The line at the bottom: where the values come from, how many, what was shed or refused, how much is kept, and who is here.

use fleetlens_ipc::rows::{LinkState, RefusalRow, Status};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use crate::clock::{Aged, clock, local, today};
use crate::format;
use crate::state::store;

/// The line.
#[component]
pub fn StatusBar() -> impl IntoView {
    let (store, clock) = (store(), clock());
    let read = move |read: fn(&Status) -> String| {
        Memo::new(move |_| {
            store.status.with(|status| status.as_ref().map(|status| read(&status.row)).unwrap_or_default())
        })
    };
    let broker = read(|status| status.broker.clone());
    let guarantee = read(|status| status.guarantee.clone());
    let per_s = read(|status| format::rate(status.per_s));
    let shed = read(|status| format::count(status.shed));
    let received = read(|status| {
        format!(
            "{} received, {} on disk, since the start",
            format::count(status.received),
            format::count(status.stored)
        )
    });
    let cache = read(cache);
    let who = read(who);
    let last = Memo::new(move |_| {
        let now_ms = clock.now_ms();
        store.status.with(|status| status.as_ref().map(|status| last_message(status, now_ms)).unwrap_or_default())
    });
    let state = Memo::new(move |_| store.status.with(|status| status.as_ref().map(link_word).unwrap_or("starting")));
    let is_demo = Memo::new(move |_| store.status.with(|status| status.as_ref().is_some_and(|status| status.row.demo)));
    let is_known = move || store.status.with(Option::is_some);
    view! {
        <footer class="status" data-testid="status">
            <Show when=is_known fallback=|| view! { <span>"Opening the cache…"</span> }>
                <span class="link-state" data-testid="status-broker" data-link=move || state.get() title=guarantee>
                    <span class="lamp" />
                    {broker}
                </span>
                <Show when=move || is_demo.get()>
                    <span class="demo" data-testid="demo">"Demo city · values are made up"</span>
                </Show>
                <span class="guarantee" data-testid="status-guarantee">{guarantee}</span>
                <span data-testid="status-rate" title=received>{per_s}" msg/s"</span>
                <span data-testid="status-last">{last}</span>
                <span data-testid="status-shed" title="Messages without a guarantee that were left out when there were too many">
                    "shed "
                    {shed}
                </span>
                <Refusals />
                <span class="space" />
                <span data-testid="status-cache">{cache}</span>
                <span data-testid="status-who">{who}</span>
            </Show>
        </footer>
    }
}

fn link_word(status: &Aged<Status>) -> &'static str {
    match status.row.link {
        LinkState::Starting => "starting",
        LinkState::Connecting { .. } => "down",
        LinkState::Up { .. } => "up",
    }
}

fn last_message(status: &Aged<Status>, now_ms: f64) -> String {
    match status.row.last_message_age_ms {
        Some(age_ms) => format!("last message {}", format::fine_age(age_ms + status.elapsed_ms(now_ms) / 1000 * 1000)),
        None => "no message yet".into(),
    }
}

fn cache(status: &Status) -> String {
    let reach = status.oldest_sample_ms.map(|oldest| format!(" · {}", format::age(status.wall_ms.since(oldest))));
    format!("cache {}{}", format::bytes(status.cache_bytes), reach.unwrap_or_default())
}

fn who(status: &Status) -> String {
    let role = status.who.role.label();
    if status.who.name.is_empty() { role.to_owned() } else { format!("{role} · {}", status.who.name) }
}

/// How many messages were refused; a click lists the last ones with their reasons.
#[component]
fn Refusals() -> impl IntoView {
    let store = store();
    let open = RwSignal::new(false);
    let refused =
        Memo::new(move |_| store.status.with(|status| status.as_ref().map_or(0, |status| status.row.refused)));
    let rows = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.refusals.clone()).unwrap_or_default())
    });
    view! {
        <span class="refused">
            <button
                type="button"
                data-testid="status-refused"
                class:some=move || refused.get() != 0
                aria-expanded=move || open.get().to_string()
                disabled=move || refused.get() == 0
                on:click=move |_| open.update(|open| *open = !*open)
            >
                "refused "
                {move || format::count(refused.get())}
            </button>
            <Show when=move || open.get() && refused.get() != 0>
                <div class="refusals" data-testid="refusals">
                    <h2>"Refused messages, newest first"</h2>
                    <ul>
                        <For each=move || rows.get() key=|row| (row.topic.clone(), row.reason.clone(), row.count) let:row>
                            <Refusal row />
                        </For>
                    </ul>
                </div>
            </Show>
        </span>
    }
}

#[component]
fn Refusal(row: RefusalRow) -> impl IntoView {
    let when = |at: WallMs| local(at).seconds(&today());
    view! {
        <li>
            <code>{row.topic}</code>
            <span>{row.reason}</span>
            <small>{format!("{}×, last {}", format::count(row.count), when(row.last_ms))}</small>
        </li>
    }
}
