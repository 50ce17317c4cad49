//! A shadow as a table: what is wanted, what the device says, and in violet where they differ.

use fleetlens_ipc::rows::{LeafRow, ShadowTable};
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::clock::{Aged, clock, local, today};
use crate::components::shadow_history::ShadowHistory;
use crate::format;
use crate::lang::{said, term};
use crate::state::cells::Cell;
use crate::state::store;

/// One shadow.
#[component]
pub fn ShadowView(
    /// Of which thing.
    thing: ThingKey,
    /// The shadow.
    cell: Cell<String, ShadowTable>,
    /// Of which kind of thing: the leaves it has words for come first, in their order.
    #[prop(into)]
    kind: Signal<Kind>,
) -> impl IntoView {
    let name = if cell.key.is_empty() { said("Shadow").to_owned() } else { tr!("Shadow “{}”", cell.key) };
    let row = cell.row;
    let (head, at) = (row.clone(), row.clone());
    let (shadow, number) = (cell.key.clone(), Memo::new(move |_| at.with(|table| table.row.version)));
    let open = Memo::new({
        let row = row.clone();
        move |_| row.with(|row| row.row.leaves.iter().filter(|leaf| leaf.differs).count())
    });
    let differing = move || match open.get() {
        0 => None,
        n => Some(view! { <span class="differing">{tr!("{} not so yet", format::count(n as u64))}</span> }),
    };
    let leaves = Memo::new(move |_| row.with(|row| in_order(&row.row.leaves, kind.get())));
    view! {
        <section class="shadow" data-testid="shadow" data-shadow=cell.key>
            <h2>
                {name} <span class="version">{move || head.with(version)}</span>
                {differing}
            </h2>
            <Show
                when=move || leaves.with(|leaves| !leaves.is_empty())
                fallback=|| view! { <p class="none">{said("Nothing is wanted and nothing is reported.")}</p> }
            >
                <table>
                    <thead>
                        <tr>
                            <th scope="col">
                                <span class="unseen">{said("leaf")}</span>
                            </th>
                            <th scope="col">{said("wanted")}</th>
                            <th scope="col">{said("reported")}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || leaves.get() key=identity let:leaf>
                            <Leaf leaf />
                        </For>
                    </tbody>
                </table>
            </Show>
            <ShadowHistory thing shadow version=number kind />
        </section>
    }
}

/// Leaves in the order of the screen: as the kind's values, then by pointer.
fn in_order(leaves: &[LeafRow], kind: Kind) -> Vec<LeafRow> {
    let mut leaves = leaves.to_vec();
    leaves.sort_by_key(|leaf| kind.field(&leaf.pointer).map_or(u8::MAX, |field| field.rank));
    leaves
}

/// A leaf is drawn anew only when something about it changed.
fn identity(leaf: &LeafRow) -> impl Eq + std::hash::Hash + 'static + use<> {
    let LeafRow { pointer, desired, reported, differs, desired_ms, reported_ms } = leaf.clone();
    (pointer, desired, reported, differs, desired_ms, reported_ms)
}

#[component]
fn Leaf(leaf: LeafRow) -> impl IntoView {
    let side = |what: &'static str, value: Option<String>, at: Option<WallMs>| match value {
        Some(json) => view! {
            <span class="json">{shown(&json).into_owned()}</span>
            {at.map(|at| view! { <Since what at /> })}
        }
        .into_any(),
        None => view! { <span class="absent">"–"</span> }.into_any(),
    };
    let differs = leaf.differs;
    view! {
        <tr class:differs=differs data-pointer=leaf.pointer.clone()>
            <th scope="row">
                {format::pointer(&leaf.pointer)}
                {differs.then(|| view! { <span class="not-so">{said("not so yet")}</span> })}
            </th>
            <td data-testid="wanted">{side(term("wanted"), leaf.desired, leaf.desired_ms)}</td>
            <td data-testid="reported">{side(term("reported"), leaf.reported, leaf.reported_ms)}</td>
        </tr>
    }
}

/// How long ago a side last changed.
#[component]
fn Since(what: &'static str, at: WallMs) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let age = Memo::new(move |_| Some(format::age(store.wall_now(clock.now_ms())?.since(at))));
    view! { <time title=tr!("{what} since {at}", what = said(what), at = local(at).exact())>{move || age.get()}</time> }
}

fn version(table: &Aged<ShadowTable>) -> String {
    let number = format::count(table.row.version);
    if table.row.current {
        format!("v {number}")
    } else {
        format!("v {number} · {}", tr!("as of {}", local(table.row.heard_ms).short(&today())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_stand_as_the_values_do_and_strangers_below() {
        let leaf = |pointer: &str| LeafRow {
            pointer: pointer.into(),
            desired: None,
            reported: None,
            differs: false,
            desired_ms: None,
            reported_ms: None,
        };
        let leaves = ["/a", "/dim_pct", "/interval_s", "/on", "/z"].map(leaf);
        let order: Vec<String> = in_order(&leaves, Kind::Lamp).into_iter().map(|leaf| leaf.pointer).collect();
        assert_eq!(order, ["/dim_pct", "/on", "/interval_s", "/a", "/z"]);
    }
}
