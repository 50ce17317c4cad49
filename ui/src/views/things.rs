//! The table of things: every thing the program knows, sorted and filtered by the host, of which the window holds only the rows
//! around what is seen.

mod back;
mod chosen;
mod filter;
mod group;
mod row;
mod save_group;

use fleetlens_ipc::{Only, SortBy, ThingsQuery};
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::components::shape::Shape;
use crate::components::table::{Grid, SortHead, Sorted, Table};
use crate::format;
use crate::lang::{said, term};
use crate::state::small::Back;
use crate::state::things::Seen;
use crate::state::{Store, store};
use crate::views::commands::may_command;
use crate::views::things::back::BackChoice;
use crate::views::things::chosen::{ChosenBar, MarkAll};
use crate::views::things::filter::Filter;
use crate::views::things::group::GroupChoice;
use crate::views::things::row::{Bones, Row};

/// How many columns a row has without small charts.
const COLUMNS: u32 = 9;

/// The columns that sort: class, name, what by, and whether the greatest comes first at the first click.
const SORTS: [(&str, &str, SortBy, bool); 6] = [
    ("state", term("State"), SortBy::Status, true),
    ("title", term("Name"), SortBy::Title, false),
    ("kind", term("Kind"), SortBy::Kind, false),
    ("place", term("Place"), SortBy::Place, false),
    ("value", term("Value"), SortBy::Value, true),
    ("heard", term("Heard"), SortBy::Heard, true),
];

/// The section.
#[component]
pub fn ThingsView() -> impl IntoView {
    let store = store();
    let things = store.things;
    let tell = move |(first, count)| store.see_things(Seen { first, count });
    let grid = Grid::new(Callback::new(tell));
    // After the grid has said how many rows fit.
    Effect::new(move |_| store.look_at_things(things.query.get_untracked()));
    on_cleanup(move || store.look_away_from_things());
    Effect::new(move |before: Option<u32>| {
        let ordered = things.ordered.get();
        if before.is_some_and(|before| before != ordered) {
            grid.to_top();
        }
        ordered
    });
    let open = move |place: u32| {
        if let Some(row) = things.at(place) {
            store.open(row.thing);
        }
    };
    let choose = Callback::new(move |place| {
        grid.at.set(Some(place));
        open(place);
    });
    let may = may_command(store);
    let mark = Callback::new(move |(place, goes_on): (u32, bool)| {
        let at = |place| things.at(place).map(|row| (row.thing, row.kind));
        if !store.chosen.toggle(place, goes_on, at) {
            store.notify(
                said("Not all rows in between are here any more; choose fewer at a time, or all of this search.")
                    .into(),
            );
        }
    });
    let on_mark = Signal::derive(move || may.get().then_some(mark));
    let slots = move || things.slots.get().into_iter().enumerate().collect::<Vec<_>>();
    let total = Memo::new(move |_| things.total.get().unwrap_or(0));
    let is_known = Memo::new(move |_| things.total.get().is_some());
    view! {
        <section class="sheet things" class:markable=move || may.get() class:traced=move || store.small.back.get() != Back::Off data-testid="things" aria-label=said("Things")>
            <header class="sheet-head">
                <h1>{said("Things")}</h1>
                <Count />
                <Moved />
                <span class="space" />
                <Filter />
                <GroupChoice />
                <OnlyChoice />
            </header>
            <div class="trace-head">
                <Kinds />
                <BackChoice />
            </div>
            <ChosenBar />
            <Table
                grid
                total
                label=said("Things")
                testid="things-table"
                columns=Signal::derive(move || COLUMNS + u32::from(store.small.back.get() != Back::Off))
                on_enter=Callback::new(open)
                on_mark
                busy=things.asking
                heading=Box::new(move || heading(store).into_any())
            >
                <For each=slots key=|(number, _)| *number let:item>
                    <Row shown=item.1 grid on_choose=choose on_mark />
                </For>
                <Show when=move || !is_known.get()>
                    <Bones />
                </Show>
            </Table>
            <Show when=move || is_known.get() && total.get() == 0>
                <Nothing />
            </Show>
        </section>
    }
}

fn heading(store: Store) -> impl IntoView {
    let sorts = SORTS.map(|(class, label, by, falls)| {
        let sorted = Memo::new(move |_| store.things.query.with(|query| sorted(query, by)));
        let sort = move |()| {
            let descending = next_direction(sorted.get_untracked(), falls);
            ask(store, move |query| (query.sort, query.descending) = (by, descending));
        };
        view! { <SortHead label=said(label) class sorted on_sort=Callback::new(sort) /> }
    });
    let [state, title, kind, place, value, heard] = sorts;
    view! {
        <MarkAll />
        {state}
        {title}
        {kind}
        {place}
        {value}
        <Show when=move || store.small.back.get() != Back::Off>
            <div class="th trace" role="columnheader">{move || said(store.small.back.get().label())}</div>
        </Show>
        {heard}
        <div class="th wrong" role="columnheader">{said("Alarm")}</div>
        <div class="th pending" role="columnheader">{said("Pending")}</div>
    }
}

fn sorted(query: &ThingsQuery, by: SortBy) -> Sorted {
    match (query.sort == by, query.descending) {
        (false, _) => Sorted::No,
        (true, false) => Sorted::Ascending,
        (true, true) => Sorted::Descending,
    }
}

/// The direction after a click: the column's own at first, then the other.
fn next_direction(sorted: Sorted, falls: bool) -> bool {
    match sorted {
        Sorted::No => falls,
        Sorted::Ascending => true,
        Sorted::Descending => false,
    }
}

/// Asks for the table with another query.
fn ask(store: Store, change: impl FnOnce(&mut ThingsQuery)) {
    let mut query = store.things.query.get_untracked();
    change(&mut query);
    if query != store.things.query.get_untracked() {
        store.look_at_things(query);
    }
}

/// Whether a query leaves anything out.
fn is_filtered(query: &ThingsQuery) -> bool {
    !query.text.is_empty() || !query.kinds.is_empty() || !query.group.is_empty() || query.only != Only::All
}

/// `10 412 things`, or `38 of 10 412 things`.
fn count_words(total: Option<u32>, all: Option<u32>, filtered: bool) -> String {
    let count = |n: u32| format::count(u64::from(n));
    match (total, all) {
        (None, _) => said("counting…").into(),
        (Some(total), Some(all)) if filtered => tr!("{} of {} things", count(total), count(all)),
        (Some(total), _) => format::things(total.into()),
    }
}

/// How many things the query finds; told when it settles, not with each thing that appears.
#[component]
fn Count() -> impl IntoView {
    let store = store();
    let words = Memo::new(move |_| {
        let all = store.status.with(|status| status.as_ref().map(|status| status.row.things));
        count_words(store.things.total.get(), all, store.things.query.with(is_filtered))
    });
    view! { <p class="total" role="status" data-testid="things-total">{words}</p> }
}

/// Says that the order is no longer what it would be, and makes it anew when asked to: rows never move by themselves.
#[component]
fn Moved() -> impl IntoView {
    let store = store();
    let moved = store.things.moved;
    let words = move || {
        let many = moved.get();
        tr!("1 would move" | "{count} would move" % many, count = format::count(u64::from(many)))
    };
    view! {
        <Show when=move || moved.get() != 0>
            <p class="moved">
                <span data-testid="things-moved">{words}</span>
                <button type="button" class="link" data-testid="sort-again" on:click=move |_| store.sort_things_again()>
                    {said("Sort again")}
                </button>
            </p>
        </Show>
    }
}

#[component]
fn OnlyChoice() -> impl IntoView {
    let store = store();
    let options = vec![
        (Only::All, said("All").to_owned()),
        (Only::Alarmed, said("Alarmed").to_owned()),
        (Only::Silent, said("Silent").to_owned()),
        (Only::Pending, said("Pending").to_owned()),
    ];
    let chosen = Signal::derive(move || Some(store.things.query.with(|query| query.only)));
    let choose = Callback::new(move |only| ask(store, move |query| query.only = only));
    view! { <Segmented label=said("Only things that are") options chosen on_choose=choose /> }
}

/// The kinds there are, each with how many. None pressed shows all of them.
#[component]
fn Kinds() -> impl IntoView {
    let store = store();
    let kinds = Memo::new(move |_| {
        store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()).unwrap_or_default())
    });
    view! {
        <div class="chips kinds" role="group" aria-label=said("Only these kinds")>
            <For each=move || kinds.get() key=|(kind, _)| *kind let:item>
                <KindChip kind=item.0 kinds />
            </For>
        </div>
    }
}

#[component]
fn KindChip(kind: Kind, kinds: Memo<Vec<(Kind, u32)>>) -> impl IntoView {
    let store = store();
    let is_chosen = Memo::new(move |_| store.things.query.with(|query| query.kinds.contains(&kind)));
    let count =
        move || kinds.with(|kinds| kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count));
    let press = move |_| {
        let chosen = is_chosen.get_untracked();
        ask(store, move |query| {
            if chosen {
                query.kinds.retain(|other| *other != kind);
            } else {
                query.kinds.push(kind);
            }
        });
    };
    view! {
        <button
            type="button"
            class="chip on"
            class:chosen=move || is_chosen.get()
            data-testid="kind-chip"
            data-kind=kind.word()
            aria-pressed=move || is_chosen.get().to_string()
            on:click=press
        >
            <Shape kind status=0u8 />
            {said(kind.plural())}
            <span class="count">{move || format::count(u64::from(count()))}</span>
        </button>
    }
}

/// What stands in the table while it has no rows.
#[component]
fn Nothing() -> impl IntoView {
    let store = store();
    let filtered = Memo::new(move |_| store.things.query.with(is_filtered));
    let all = move |_| {
        let (sort, descending) = store.things.query.with_untracked(|query| (query.sort, query.descending));
        store.show_things(ThingsQuery { sort, descending, ..ThingsQuery::default() });
    };
    view! {
        <div class="nothing" data-testid="things-none">
            <Show
                when=move || filtered.get()
                fallback=move || {
                    view! {
                        <Icon of=icondata_lu::LuRadio />
                        <h2>{said("No thing is known yet")}</h2>
                        <p>
                            {move || {
                                if store.link_up.get() {
                                    said("The broker has said nothing yet that is a thing. The first one appears by itself.")
                                } else {
                                    said("Things appear as soon as the link is up and they speak, and stay when it is lost.")
                                }
                            }}
                        </p>
                    }
                }
            >
                <Icon of=icondata_lu::LuSearchX />
                <h2>{said("No thing matches")}</h2>
                <p>{said("Words are looked for in names, titles, streets and districts, and each must be found; a field asks for what it names.")}</p>
                <button type="button" class="plain" data-testid="things-all" on:click=all>
                    {said("Show all things")}
                </button>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_sorts_its_own_way_first_and_then_the_other() {
        for (before, falls, want) in [
            (Sorted::No, true, true),
            (Sorted::No, false, false),
            (Sorted::Ascending, false, true),
            (Sorted::Ascending, true, true),
            (Sorted::Descending, true, false),
        ] {
            assert_eq!(next_direction(before, falls), want, "{before:?}");
        }
        let query = ThingsQuery { sort: SortBy::Heard, descending: true, ..ThingsQuery::default() };
        assert_eq!(sorted(&query, SortBy::Heard), Sorted::Descending);
        assert_eq!(sorted(&query, SortBy::Title), Sorted::No);
    }

    #[test]
    fn the_count_says_of_how_many_only_when_some_are_left_out() {
        let plain = |text: String| text.replace('\u{202f}', " ");
        assert_eq!(plain(count_words(None, Some(10_412), false)), "counting…");
        assert_eq!(plain(count_words(Some(10_412), Some(10_412), false)), "10 412 things");
        assert_eq!(plain(count_words(Some(38), Some(10_412), true)), "38 of 10 412 things");
        assert_eq!(plain(count_words(Some(1), None, true)), "1 thing");
    }

    #[test]
    fn the_words_are_a_filter_and_so_is_everything_that_leaves_things_out() {
        let all = ThingsQuery { sort: SortBy::Value, descending: true, ..ThingsQuery::default() };
        assert!(!is_filtered(&all), "an order leaves nothing out");
        for query in [
            ThingsQuery { text: "triq".into(), ..all.clone() },
            ThingsQuery { kinds: vec![Kind::Lamp], ..all.clone() },
            ThingsQuery { only: Only::Silent, ..all },
        ] {
            assert!(is_filtered(&query), "{query:?}");
        }
    }
}
