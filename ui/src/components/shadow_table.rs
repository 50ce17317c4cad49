//! A shadow as a table: what is wanted, what the device says, and in violet where they differ.

use fleetlens_ipc::rows::{LeafRow, ShadowTable};
use leptos::prelude::*;

use crate::clock::{Aged, local, today};
use crate::format;
use crate::state::thing::Cell;

/// One shadow.
#[component]
pub fn ShadowView(
    /// The shadow.
    cell: Cell<String, ShadowTable>,
) -> impl IntoView {
    let name = if cell.key.is_empty() { "Shadow".to_owned() } else { format!("Shadow “{}”", cell.key) };
    let row = cell.row;
    let head = row.clone();
    let leaves = Memo::new(move |_| row.with(|row| row.row.leaves.clone()));
    view! {
        <section class="shadow" data-testid="shadow" data-shadow=cell.key>
            <h2>
                {name} <span class="version">{move || head.with(version)}</span>
            </h2>
            <Show
                when=move || leaves.with(|leaves| !leaves.is_empty())
                fallback=|| view! { <p class="none">"Nothing is wanted and nothing is reported."</p> }
            >
                <table>
                    <thead>
                        <tr>
                            <th scope="col">
                                <span class="unseen">"leaf"</span>
                            </th>
                            <th scope="col">"wanted"</th>
                            <th scope="col">"reported"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || leaves.get() key=identity let:leaf>
                            <Leaf leaf />
                        </For>
                    </tbody>
                </table>
            </Show>
        </section>
    }
}

/// A leaf is drawn anew only when something about it changed.
fn identity(leaf: &LeafRow) -> impl Eq + std::hash::Hash + 'static + use<> {
    let LeafRow { pointer, desired, reported, differs, desired_ms, reported_ms } = leaf.clone();
    (pointer, desired, reported, differs, desired_ms, reported_ms)
}

#[component]
fn Leaf(leaf: LeafRow) -> impl IntoView {
    let side = |value: Option<String>| match value {
        Some(json) => view! { <span class="json">{json}</span> }.into_any(),
        None => view! { <span class="absent">"–"</span> }.into_any(),
    };
    let title = |what: &str, at: Option<fleetlens_model::time::WallMs>| {
        at.map(|at| format!("{what} last changed {}", local(at).exact())).unwrap_or_default()
    };
    let differs = leaf.differs;
    view! {
        <tr class:differs=differs data-pointer=leaf.pointer.clone()>
            <th scope="row">
                {format::pointer(&leaf.pointer)}
                {differs.then(|| view! { <span class="unseen">" (differs)"</span> })}
            </th>
            <td data-testid="wanted" title=title("wanted value", leaf.desired_ms)>{side(leaf.desired)}</td>
            <td data-testid="reported" title=title("reported value", leaf.reported_ms)>{side(leaf.reported)}</td>
        </tr>
    }
}

fn version(table: &Aged<ShadowTable>) -> String {
    let number = format::count(table.row.version);
    if table.row.current {
        format!("v {number}")
    } else {
        format!("v {number} · as of {}", local(table.row.heard_ms).short(&today()))
    }
}
