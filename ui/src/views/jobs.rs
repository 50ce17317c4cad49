//! Jobs: what a service has many things do, how far each is, and which firmware is in the field. Nothing here starts or ends one: that
//! takes the service's own interface.

mod firmware;
pub mod of_thing;
mod page;
mod words;

use fleetlens_ipc::rows::JobRow;
use fleetlens_model::job::{JobCounts, JobStatus};
use leptos::prelude::*;
use tr::tr;

use crate::clock::{local, today};
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::jobs::OpenJob;
use crate::state::{Store, store};
use firmware::Firmware;
use page::JobSheet;
use words::{counts_words, label, shares, standing_words, tone};

/// The section.
#[component]
pub fn JobsView() -> impl IntoView {
    let store = store();
    store.follow_jobs();
    let is_shut = Memo::new(move |_| store.jobs.open.with(Option::is_none));
    view! {
        <Show when=move || is_shut.get() fallback=move || view! { <JobSheet /> }>
            <section class="sheet jobs" data-testid="jobs-view" aria-label=said("Jobs")>
                <header class="sheet-head">
                    <h1>{said("Jobs")}</h1>
                    <p class="total" role="status" data-testid="jobs-total">{move || total_words(store)}</p>
                </header>
                <div class="sheet-body">
                    <AsOf />
                    <All />
                    <Firmware />
                </div>
            </section>
        </Show>
    }
}

fn total_words(store: Store) -> String {
    if !store.jobs.all.known.get() {
        return said("counting…").into();
    }
    match store.jobs.all.cells.with(Vec::len) {
        0 => said("none known").into(),
        jobs => tr!("1 job" | "{shown} jobs" % jobs, shown = format::count(jobs as u64)),
    }
}

/// While our link is down: as of when this is known.
#[component]
fn AsOf() -> impl IntoView {
    let store = store();
    let heard = Memo::new(move |_| store.status.with(|status| status.as_ref()?.row.newest_value_ms));
    let words = move || match heard.get() {
        Some(at) => tr!("As it was known {}: our link is down.", local(at).short(&today())),
        None => said("As it was last known: our link is down.").into(),
    };
    view! {
        <Show when=move || !store.link_up.get()>
            <p class="as-of" role="status" data-testid="jobs-as-of">{words}</p>
        </Show>
    }
}

#[component]
fn All() -> impl IntoView {
    let store = store();
    let list = store.jobs.all;
    let is_empty = move || list.known.get() && list.cells.with(Vec::is_empty);
    view! {
        <section class="orders" data-testid="jobs" aria-label=said("All jobs")>
            <Show when=move || list.known.get() fallback=|| view! { <div class="coming" role="status" aria-label=said("Loading")><div class="bone" /></div> }>
                <ul>
                    <For each=move || list.cells.get() key=|cell| cell.key.clone() let:cell>
                        <Line cell />
                    </For>
                </ul>
            </Show>
            <Show when=is_empty>
                <div class="nothing small" data-testid="jobs-none">
                    <b>{said("This broker tells of no jobs")}</b>
                    <p>
                        {said("A firmware update or a restart that a service such as AWS IoT Jobs has many things do stands here as soon as its first message comes. The profile must ask for them: [shadows] jobs = true.")}
                    </p>
                </div>
            </Show>
        </section>
    }
}

/// One job; pressed, it opens.
#[component]
fn Line(cell: Cell<String, JobRow>) -> impl IntoView {
    let store = store();
    let (id, row) = (cell.key.clone(), RwSignal::from(cell.row));
    let read = move |read: fn(&JobRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let what = read(|row| words::what(&row.what));
    let standing = read(|row| standing_words(row.standing, &row.counts).to_owned());
    let since = read(|row| row.since_ms.map(|at| local(at).short(&today())).unwrap_or_default());
    let exact = read(|row| row.since_ms.map(|at| tr!("since {}", local(at).exact())).unwrap_or_default());
    let counts = Memo::new(move |_| row.with(|row| row.row.counts));
    let tone = move || row.with(|row| words::standing_tone(row.row.standing, &row.row.counts));
    let (title, opens) = (id.clone(), id.clone());
    view! {
        <li class="order job" data-testid="job" data-job=id data-standing=tone>
            <button
                type="button"
                class="choose"
                data-testid="job-choose"
                on:click=move |_| store.open_job(OpenJob { id: opens.clone(), only: None, first: 0 })
            >
                <span class="phase">{standing}</span>
                <span class="what">
                    <b>{title}</b>
                    <span>{what}</span>
                </span>
                <time title=exact>{since}</time>
                <span class="far">
                    <Bar counts />
                    <span data-testid="job-counts">{move || counts_words(&counts.get())}</span>
                </span>
            </button>
        </li>
    }
}

/// How many things of a job are where, as parts of a whole. The words beside it say the same.
#[component]
pub fn Bar(
    /// Of these.
    #[prop(into)]
    counts: Signal<JobCounts>,
) -> impl IntoView {
    let parts = move || {
        let part = |(status, share): (JobStatus, f64)| {
            view! { <i data-tone=tone(status) title=label(status) style:width=format!("{share:.2}%") /> }
        };
        shares(&counts.get()).into_iter().map(part).collect_view()
    };
    view! { <span class="job-bar" aria-hidden="true">{parts}</span> }
}
