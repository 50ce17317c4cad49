//! The jobs that a thing is part of, on its page.

use fleetlens_ipc::rows::ThingJobRow;
use leptos::prelude::*;
use tr::tr;

use super::words::{self, label, tone};
use crate::clock::{local, today};
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::thing::Thing;

/// Nothing for a thing without jobs.
#[component]
pub fn JobsOfThing(
    /// Of which thing.
    thing: Thing,
) -> impl IntoView {
    let jobs = RwSignal::from(thing.jobs);
    view! {
        <Show when=move || jobs.with(|jobs| !jobs.is_empty())>
            <section class="jobs-of-thing" data-testid="jobs-of-thing" aria-label=said("Jobs")>
                <h2>{said("Jobs")}</h2>
                <ul>
                    <For each=move || jobs.get() key=|cell| cell.key.clone() let:cell>
                        <Line cell />
                    </For>
                </ul>
            </section>
        </Show>
    }
}

#[component]
fn Line(cell: Cell<String, ThingJobRow>) -> impl IntoView {
    let row = RwSignal::from(cell.row);
    let read = move |read: fn(&ThingJobRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let status = read(|row| format::capital(label(row.status)));
    let what = read(|row| words::what(&row.what));
    let details = read(|row| words::details(row.progress_pct, &row.details));
    let since = read(|row| local(row.since_ms).short(&today()));
    let exact = read(|row| tr!("{status} since {at}", status = label(row.status), at = local(row.since_ms).exact()));
    let (job, title) = (cell.key.clone(), cell.key);
    view! {
        <li class="order" data-testid="job-of-thing" data-job=job data-standing=move || row.with(|row| tone(row.row.status))>
            <span class="phase">{status}</span>
            <span class="what">
                <b title=title>{what}</b>
                <span>{details}</span>
            </span>
            <time title=exact>{since}</time>
        </li>
    }
}
