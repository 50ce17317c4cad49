//! What a bulk command would do: how many, who, what now and what then.

use fleetlens_ipc::rows::{DryRun, DryRunRow};
use leptos::prelude::*;
use tr::tr;

use super::words::found;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;

/// What was found.
#[component]
pub fn Found(
    /// By the host.
    run: DryRun,
) -> impl IntoView {
    let told = found(&run);
    let reasons =
        run.reasons.iter().map(|(why, n)| view! { <li>{format!("{why} · {}", format::things(u64::from(*n)))}</li> });
    let reasons = reasons.collect_view();
    let unread = (run.unread > 0).then(|| {
        let words = tr!(
            "Of 1 thing the shadow is being read; a dry run in some seconds tells what they are now."
                | "Of {shown} things the shadow is being read; a dry run in some seconds tells what they are now."
                    % run.unread,
            shown = format::count(u64::from(run.unread))
        );
        view! { <p class="being-read" data-testid="dry-run-unread">{words}</p> }
    });
    let listed = u32::try_from(run.rows.len()).unwrap_or(u32::MAX);
    let all = run.changes + run.cannot;
    let more = (listed < all).then(|| tr!("and {} more", format::count(u64::from(all - listed))));
    view! {
        <section class="dry-run" data-testid="dry-run-found" aria-label=said("What it would do")>
            <div role="status">
                <ul class="said">{told.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view()}</ul>
            </div>
            <ul class="reasons">{reasons}</ul>
            {unread}
            <ul class="would" tabindex="0" aria-label=said("Thing by thing")>
                {run.rows.into_iter().map(row).collect_view()}
                {more.map(|more| view! { <li class="more">{more}</li> })}
            </ul>
        </section>
    }
}

fn row(row: DryRunRow) -> impl IntoView {
    let change = |(_, now, wanted): (String, Option<String>, String)| {
        let is_unknown = now.is_none();
        view! {
            {now.map(|now| view! { <code>{now}</code> " → " })}
            <code class="wanted">{wanted}</code>
            {if is_unknown { said(", not known before ") } else { " " }}
        }
    };
    let what = match row.cannot {
        Some(_) => view! { <span class="cannot">{said("cannot")}</span> }.into_any(),
        None => row.changes.into_iter().map(change).collect_view().into_any(),
    };
    view! {
        <li data-testid="dry-run-row">
            <Shape kind=row.kind status=0u8 />
            <span class="whose" title=row.place>{row.title}</span>
            <span class="change">{what}</span>
            <span class="note">{row.offline.then(|| said("silent now"))}</span>
        </li>
    }
}
