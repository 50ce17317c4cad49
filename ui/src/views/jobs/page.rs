//! One job: how far it is as a whole, and its things page by page.

use fleetlens_ipc::rows::{JobRow, ThingJobRow};
use fleetlens_model::job::{JobCounts, JobStatus};
use leptos::prelude::*;
use tr::tr;

use super::words::{self, counts_words, label, standing_words, tone};
use super::{AsOf, Bar};
use crate::clock::{local, today};
use crate::components::back::Back;
use crate::components::segmented::Segmented;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::jobs::{OpenJob, PAGE};
use crate::state::store;
use crate::views::find::finder;

/// The open job.
#[component]
pub fn JobSheet() -> impl IntoView {
    let store = store();
    let jobs = store.jobs;
    let id = move || jobs.open.with(|open| open.as_ref().map(|open| open.id.clone()).unwrap_or_default());
    let told = move |read: fn(&JobRow) -> String| {
        Memo::new(move |_| jobs.head.with(|head| head.as_ref().map(read).unwrap_or_default()))
    };
    let what = told(|head| words::what(&head.what));
    let standing = told(|head| standing_words(head.standing, &head.counts).to_owned());
    let counts =
        Memo::new(move |_| jobs.head.with(|head| head.as_ref().map_or_else(JobCounts::default, |head| head.counts)));
    let is_empty = move || jobs.rows.known.get() && jobs.rows.cells.with(Vec::is_empty);
    view! {
        <section class="sheet jobs" data-testid="job-view" aria-label=said("Job")>
            <header class="sheet-head">
                <Back to=said("All jobs") testid="job-back" on_back=move |()| store.shut_job() />
                <h1 data-testid="job-id">{id}</h1>
                <p class="total" role="status">{standing}</p>
            </header>
            <div class="sheet-body">
                <AsOf />
                <p class="told-of" data-testid="job-what">{what}</p>
                <div class="far whole">
                    <Bar counts />
                    <span data-testid="job-counts">{move || counts_words(&counts.get())}</span>
                </div>
                <Statuses counts />
                <section class="orders" data-testid="job-things" aria-label=said("Its things")>
                    <Show when=move || jobs.rows.known.get() fallback=|| view! { <div class="coming" role="status" aria-label=said("Loading")><div class="bone" /></div> }>
                        <ul>
                            <For each=move || jobs.rows.cells.get() key=|cell| cell.key.clone() let:cell>
                                <Part cell />
                            </For>
                        </ul>
                    </Show>
                    <Show when=is_empty>
                        <div class="nothing small" data-testid="job-things-none">
                            <b>{said("No thing to show")}</b>
                            <p>{said("Of things that are counted and not listed no message came while we listened.")}</p>
                        </div>
                    </Show>
                    <Pages />
                </section>
            </div>
        </section>
    }
}

/// Only things with one status, of those that there are.
#[component]
fn Statuses(counts: Memo<JobCounts>) -> impl IntoView {
    let store = store();
    let jobs = store.jobs;
    let there = Memo::new(move |_| {
        let only = jobs.open.with(|open| open.as_ref().and_then(|open| open.only));
        let there = |status: &JobStatus| counts.with(|counts| counts.of(*status) > 0) || only == Some(*status);
        JobStatus::ALL.into_iter().filter(there).collect::<Vec<_>>()
    });
    let choose = move |only: Option<JobStatus>| {
        let open = jobs.open.get_untracked();
        if let Some(open) = open {
            store.open_job(OpenJob { only, first: 0, ..open });
        }
    };
    move || {
        let mut options = vec![(None, said("All").to_owned())];
        options.extend(there.get().into_iter().map(|status| (Some(status), format::capital(label(status)))));
        let chosen = Signal::derive(move || jobs.open.with(|open| open.as_ref().map(|open| open.only)));
        view! { <Segmented label=said("Things by status") options chosen on_choose=Callback::new(choose) /> }
    }
}

/// One thing; pressed, it opens.
#[component]
fn Part(cell: Cell<String, ThingJobRow>) -> impl IntoView {
    let (store, finder) = (store(), finder());
    let row = RwSignal::from(cell.row);
    let read = move |read: fn(&ThingJobRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let title = read(|row| row.title.clone());
    let place = read(|row| row.place.clone());
    let status = read(|row| format::capital(label(row.status)));
    let details = read(|row| words::details(row.progress_pct, &row.details));
    let since = read(|row| local(row.since_ms).short(&today()));
    let exact = read(|row| tr!("since {}", local(row.since_ms).exact()));
    let kind = Memo::new(move |_| row.with(|row| row.row.kind));
    let thing = Memo::new(move |_| row.with(|row| row.row.thing));
    let is_open = move || thing.get().is_some() && store.selected.get() == thing.get();
    view! {
        <li class="order open-leaf" data-testid="job-thing" data-thing=cell.key data-standing=move || row.with(|row| tone(row.row.status))>
            <div class="order-line">
                <button
                    type="button"
                    class="choose"
                    data-testid="job-thing-choose"
                    disabled=move || thing.get().is_none()
                    aria-current=move || is_open().to_string()
                    on:click=move |_| {
                        if let Some(thing) = thing.get_untracked() {
                            store.open(thing);
                            finder.chosen.update(|times| *times += 1);
                        }
                    }
                >
                    <span class="phase" data-testid="job-thing-status">{status}</span>
                    <span class="what">
                        <b>{title}</b>
                        <span data-testid="job-thing-details">{details}</span>
                    </span>
                    <span class="whose">
                        {move || kind.get().map(|kind| view! { <Shape kind status=0u8 /> })}
                        <span>{place}</span>
                    </span>
                </button>
                <time title=exact>{since}</time>
            </div>
        </li>
    }
}

/// The way to the other pages, where there are more than one.
#[component]
fn Pages() -> impl IntoView {
    let store = store();
    let jobs = store.jobs;
    let first = Memo::new(move |_| jobs.open.with(|open| open.as_ref().map_or(0, |open| open.first)));
    let total = jobs.total;
    let has_more = Memo::new(move |_| total.get() > PAGE);
    let turn = move |to: u32| {
        let open = jobs.open.get_untracked();
        if let Some(open) = open {
            store.open_job(OpenJob { first: to, ..open });
        }
    };
    view! {
        <Show when=move || has_more.get()>
            <nav class="pages" aria-label=said("Pages")>
                <button type="button" class="plain" disabled=move || first.get() == 0 on:click=move |_| turn(first.get_untracked().saturating_sub(PAGE))>
                    {said("Previous")}
                </button>
                <span data-testid="job-pages">{move || page_words(first.get(), total.get())}</span>
                <button type="button" class="plain" disabled=move || last_of(first.get(), total.get()) >= total.get() on:click=move |_| turn(first.get_untracked() + PAGE)>
                    {said("Next")}
                </button>
            </nav>
        </Show>
    }
}

fn last_of(first: u32, total: u32) -> u32 {
    first.saturating_add(PAGE).min(total)
}

fn page_words(first: u32, total: u32) -> String {
    let count = |n: u32| format::count(u64::from(n));
    let (from, until) = (count(first.saturating_add(1).min(total)), count(last_of(first, total)));
    tr!("{from}–{until} of {total}", from, until, total = count(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_which_things_it_has() {
        assert_eq!(page_words(0, 250), "1–100 of 250");
        assert_eq!(page_words(200, 250), "201–250 of 250");
        assert_eq!((last_of(200, 250), last_of(0, 40)), (250, 40));
    }
}
