//! What is shown of the alarms, in which order, and what they are grouped by.

use fleetlens_ipc::rows::AlarmTableHead;
use fleetlens_ipc::{AlarmGrouping, AlarmScope, AlarmSort, AlarmsQuery, Folds};
use fleetlens_model::alarm::Priority;
use fleetlens_model::kind::Kind;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::segmented::Segmented;
use crate::components::words::Words;
use crate::format;
use crate::lang::{said, term};
use crate::state::{Store, store};

/// The orders, with the words in the address of a choice and for people.
const SORTS: [(AlarmSort, &str, &str); 4] = [
    (AlarmSort::Worst, "worst", term("Worst first")),
    (AlarmSort::Newest, "newest", term("Newest first")),
    (AlarmSort::Oldest, "oldest", term("Oldest first")),
    (AlarmSort::Thing, "thing", term("By thing")),
];

/// Whether everything of a scope is shown.
pub fn is_off(query: &AlarmsQuery) -> bool {
    let AlarmsQuery { text, priority, kind, rule, unseen, .. } = query;
    text.trim().is_empty() && priority.is_none() && kind.is_none() && rule.is_empty() && !unseen
}

/// The same scope, order and groups, with nothing left out.
pub fn off(query: &AlarmsQuery) -> AlarmsQuery {
    let AlarmsQuery { scope, sort, group, .. } = query;
    AlarmsQuery { scope: *scope, sort: *sort, group: *group, ..AlarmsQuery::default() }
}

/// Asks for the table otherwise.
pub fn ask(store: Store, change: impl FnOnce(&mut AlarmsQuery)) {
    let mut query = store.alarm_table.query.get_untracked();
    change(&mut query);
    if store.alarm_table.query.with_untracked(|known| *known != query) {
        store.look_at_alarms(query);
    }
}

/// Groups by something, or by nothing. While there is a flood, nothing is a choice; else the host goes on deciding.
pub fn group_by(store: Store, group: AlarmGrouping) {
    let is_flood =
        store.status.with_untracked(|status| status.as_ref().is_some_and(|status| status.row.flood.is_some()));
    let group = (group != AlarmGrouping::Nothing || is_flood).then_some(group);
    store.alarm_table.folds.set(Folds::default());
    ask(store, |query| query.group = group);
}

/// The line of choices.
#[component]
pub fn Filters() -> impl IntoView {
    let store = store();
    let query = store.alarm_table.query;
    let head = store.alarm_table.head;
    let priorities = std::iter::once((None, said("All").to_owned()))
        .chain(Priority::FROM_LOWEST.into_iter().rev().map(|one| (Some(one), said(one.label()).to_owned())))
        .collect::<Vec<_>>();
    let kinds = Memo::new(move |_| {
        let kinds = store.status.with(|status| status.as_ref().map(|status| status.row.kinds.clone()));
        kinds.unwrap_or_default().into_iter().map(|(kind, _)| kind).collect::<Vec<Kind>>()
    });
    let causes =
        Memo::new(move |_| head.with(|head| head.as_ref().map(|head| head.causes.clone()).unwrap_or_default()));
    let choose_kind = move |event| {
        let word = event_target_value(&event);
        ask(store, |query| query.kind = (!word.is_empty()).then(|| Kind::from_word(&word)));
    };
    let choose_rule = move |event| ask(store, |query| query.rule = event_target_value(&event));
    let choose_sort = move |event| {
        let word = event_target_value(&event);
        let sort = SORTS.iter().find(|(_, known, _)| *known == word).map_or(AlarmSort::Worst, |(sort, _, _)| *sort);
        ask(store, |query| query.sort = sort);
    };
    let is_kind = move |kind: Option<Kind>| query.with(|query| query.kind == kind);
    let group = Memo::new(move |_| head.with(|head| head.as_ref().map(|head| head.group)));
    let groupings = vec![
        (AlarmGrouping::Nothing, tr!("groups" => "None")),
        (AlarmGrouping::Cause, said("Cause").to_owned()),
        (AlarmGrouping::Area, said("District").to_owned()),
        (AlarmGrouping::Kind, said("Kind").to_owned()),
    ];
    view! {
        <div class="filters">
            <Words
                text=Signal::derive(move || query.with(|query| query.text.clone()))
                on_input=Callback::new(move |text| ask(store, |query| query.text = text))
                label=said("Words in the alarm")
                placeholder=said("Words in the alarm")
                testid="alarm-text"
            />
            <Segmented
                label=said("Priority")
                options=priorities
                chosen=Signal::derive(move || Some(query.with(|query| query.priority)))
                on_choose=Callback::new(move |priority| ask(store, |query| query.priority = priority))
            />
            <select class="choice" data-testid="alarm-kind" aria-label=said("Kind") on:change=choose_kind>
                <option value="" selected=move || is_kind(None)>
                    {said("All kinds")}
                </option>
                <For each=move || kinds.get() key=|kind| *kind let:kind>
                    <option value=kind.word() selected=move || is_kind(Some(kind))>
                        {said(kind.plural())}
                    </option>
                </For>
            </select>
            <select class="choice" data-testid="alarm-cause" aria-label=said("Cause") on:change=choose_rule>
                <option value="" selected=move || query.with(|query| query.rule.is_empty())>
                    {said("All causes")}
                </option>
                <For each=move || causes.get() key=|cause| cause.clone() let:cause>
                    {
                        let (rule, name) = cause;
                        let of = rule.clone();
                        view! {
                            <option value=rule selected=move || query.with(|query| query.rule == of)>
                                {format::capital(&name)}
                            </option>
                        }
                    }
                </For>
            </select>
            <select class="choice" data-testid="alarm-sort" aria-label=said("Order") on:change=choose_sort>
                {SORTS
                    .into_iter()
                    .map(|(sort, word, words)| {
                        view! {
                            <option value=word selected=move || query.with(|query| query.sort == sort)>
                                {said(words)}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <Show when=move || query.with(|query| query.scope == AlarmScope::Open)>
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="alarm-unseen"
                        prop:checked=move || query.with(|query| query.unseen)
                        on:change=move |event| ask(store, |query| query.unseen = event_target_checked(&event))
                    />
                    {said("Not seen yet")}
                </label>
            </Show>
            <div class="grouping">
                <span aria-hidden="true">{said("Group by")}</span>
                <Segmented
                    label=said("Group by")
                    options=groupings
                    chosen=Signal::derive(move || group.get())
                    on_choose=Callback::new(move |group| group_by(store, group))
                />
                <FoldAll />
            </div>
        </div>
    }
}

/// Folds every group, or unfolds it.
#[component]
fn FoldAll() -> impl IntoView {
    let store = store();
    let table = store.alarm_table;
    let of = move |read: fn(&AlarmTableHead) -> bool| table.head.with(|head| head.as_ref().is_some_and(read));
    let is_folded = Memo::new(move |_| of(|head| head.folded));
    let turn = move |_| {
        table.folds.set(Folds { folded: Some(!is_folded.get_untracked()), except: Vec::new() });
        store.refold_alarms();
    };
    let words = move || if is_folded.get() { said("Unfold all groups") } else { said("Fold all groups") };
    view! {
        <Show when=move || of(|head| head.groups != 0)>
            <button type="button" class="tool" data-testid="fold-all" title=words aria-label=words on:click=turn>
                {move || match is_folded.get() {
                    true => view! { <Icon of=icondata_lu::LuChevronsUpDown /> },
                    false => view! { <Icon of=icondata_lu::LuChevronsDownUp /> },
                }}
            </button>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_from_how_it_is_shown() {
        let shown = AlarmsQuery { sort: AlarmSort::Thing, group: Some(AlarmGrouping::Kind), ..AlarmsQuery::default() };
        assert!(is_off(&shown) && is_off(&AlarmsQuery { text: " ".into(), ..AlarmsQuery::default() }));
        for narrowed in [
            AlarmsQuery { text: "bin".into(), ..shown.clone() },
            AlarmsQuery { priority: Some(Priority::Critical), ..shown.clone() },
            AlarmsQuery { kind: Some(Kind::Bin), ..shown.clone() },
            AlarmsQuery { rule: "bin-full".into(), ..shown.clone() },
            AlarmsQuery { unseen: true, ..shown.clone() },
        ] {
            assert!(!is_off(&narrowed), "{narrowed:?}");
            assert_eq!(off(&narrowed), shown);
        }
    }
}
