//! The history of a shadow: what changed, who did it and when, newest first. The host is asked when somebody wants to see it, and again
//! when the shadow has another version.

use std::time::Duration;

use fleetlens_ipc::Fault;
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::change::{Author, Change, ChangedLeaf, Side};
use fleetlens_model::text::shown;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::clock::{local, shown_ms, today};
use crate::components::icon::Icon;
use crate::components::pointer::follow_pointer;
use crate::components::still::Still;
use crate::format;
use crate::lang::{said, term};
use crate::state::cells::{Cell, List};
use crate::state::store;

/// Changes that are asked for at once.
const PAGE: usize = 20;

/// After a new version is told it is waited this long: the row is on its way to the disk, and more may follow.
const ON_ITS_WAY: Duration = Duration::from_millis(400);

/// What changed, folded away until somebody wants to see it.
#[component]
pub fn ShadowHistory(
    /// Of which thing.
    thing: ThingKey,
    /// The shadow's name, empty for the classic one.
    shadow: String,
    /// The shadow's version.
    version: Memo<u64>,
    /// Of which kind the thing is: its values have units.
    kind: Signal<Kind>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let label = if shadow.is_empty() {
        said("History of the shadow").into()
    } else {
        tr!("History of shadow “{}”", shadow)
    };
    let shadow = StoredValue::new(shadow);
    view! {
        <div class="shadow-history" data-testid="shadow-history">
            <button
                type="button"
                class="fold"
                data-testid="shadow-history-fold"
                aria-label=label
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <span class="turn" class:down=move || open.get()>
                    <Icon of=icondata_lu::LuChevronRight />
                </span>
                {said("History")}
            </button>
            <Show when=move || open.get()>
                <Changes thing shadow=shadow.get_value() version kind />
            </Show>
        </div>
    }
}

#[component]
fn Changes(thing: ThingKey, shadow: String, version: Memo<u64>, kind: Signal<Kind>) -> impl IntoView {
    let store = store();
    let list = List::<u64, Change>::new();
    let still = Still::of(list.cells);
    let has_earlier = RwSignal::new(false);
    let fault = RwSignal::new(None::<Fault>);
    let shadow = StoredValue::new(shadow);
    let (question, is_coming) = (StoredValue::new(0_u32), StoredValue::new(false));
    let last = move || list.cells.try_with_untracked(|cells| cells.last().map(|cell| cell.key));
    let ask = move |before: Option<u64>| {
        if before.is_none() {
            question.update_value(|number| *number += 1);
        }
        let mine = question.get_value();
        store.shadow_history(thing, shadow.get_value(), before, PAGE, move |outcome| {
            // An answer to an earlier question is none to this one, nor to whoever is gone; earlier ones must still be what is next.
            let is_meant = match before {
                None => question.try_get_value() == Some(mine),
                Some(_) => last() == Some(before),
            };
            if !is_meant {
                return;
            }
            fault.set(outcome.as_ref().err().cloned());
            let Ok(page) = outcome else { return };
            let is_full = page.len() >= PAGE;
            let known = list.cells.with_untracked(|cells| {
                cells.iter().map(|cell| cell.row.with_untracked(|row| row.row.clone())).collect()
            });
            let (rows, reaches) = joined(known, page, before);
            if !reaches {
                has_earlier.set(is_full);
            }
            list.replace(rows, shown_ms(), |change| change.seq);
            if before.is_some() {
                // Whoever wants earlier ones is in the list.
                still.let_in();
            }
        });
    };
    Effect::new(move |_| {
        // Read, not only tracked: a memo that nobody reads follows nothing.
        version.with(|_| ());
        // A shadow that never rests is looked at in the same pace.
        if is_coming.get_value() {
            return;
        }
        is_coming.set_value(true);
        let look = move || {
            if is_coming.try_update_value(|is_coming| *is_coming = false).is_some() {
                ask(None);
            }
        };
        set_timeout(look, if list.known.get_untracked() { ON_ITS_WAY } else { Duration::ZERO });
    });
    let element = NodeRef::<leptos::html::Div>::new();
    let part = move || element.get_untracked().map(|part| part.unchecked_into::<Element>());
    follow_pointer(part, move |is_over| {
        still.inside.try_set(is_over);
    });
    let is_empty = move || list.known.get() && still.shown.with(Vec::is_empty);
    let earlier = move |_| ask(last().flatten());
    view! {
        {move || fault.get().map(|fault| view! { <p class="fault" role="alert">{fault.message}</p> })}
        <div node_ref=element>
            <Show when=move || still.fresh.get() != 0>
                <button type="button" class="link" data-testid="shadow-history-new" on:click=move |_| still.let_in()>
                    {move || tr!("{} new", format::count(still.fresh.get() as u64))}
                </button>
            </Show>
            <ol>
                <For each=move || still.shown.get() key=|cell| cell.key let:cell>
                    <Row cell kind />
                </For>
            </ol>
            <Show when=is_empty>
                <p class="none" data-testid="shadow-history-none">
                    {said("No change was heard of yet. What changes from now on stands here, with who did it.")}
                </p>
            </Show>
            <Show when=move || has_earlier.get()>
                <button type="button" class="link" data-testid="shadow-history-earlier" on:click=earlier>
                    {said("Earlier")}
                </button>
            </Show>
        </div>
    }
}

/// One change: when, who, and a line for each leaf.
#[component]
fn Row(cell: Cell<u64, Change>, kind: Signal<Kind>) -> impl IntoView {
    let change = cell.row.with_untracked(|row| row.row.clone());
    let at = local(change.at_ms());
    let heard = tr!("{at}; heard of {heard}", at = at.exact(), heard = local(change.heard_ms).exact());
    let leaf = move |leaf: ChangedLeaf| {
        // Of what nobody heard each leaf may have another time.
        let own_time = (local(leaf.at_ms) != at).then(|| {
            let at = local(leaf.at_ms);
            view! { <time title=at.exact()>{at.seconds(&today())}</time> }
        });
        let side = side_words(leaf.side);
        let unit = {
            let pointer = leaf.pointer.clone();
            move || kind.get().field(&pointer).map_or("", |field| said(field.unit))
        };
        let value = move |json: Option<String>| {
            let unit = unit.clone();
            move || {
                json.as_deref().map_or_else(|| "–".to_owned(), |json| shown(&format::leaf(json, unit())).into_owned())
            }
        };
        let (was, is) = (value.clone()(leaf.before), value(leaf.after));
        view! {
            <li data-side=side data-pointer=leaf.pointer.clone()>
                <span class="side">{said(side)}</span>
                <span class="leaf-name">{format::pointer(&leaf.pointer)}</span>
                <span class="step">
                    <span class="was">{was}</span>
                    " → "
                    <b>{is}</b>
                </span>
                {own_time}
            </li>
        }
    };
    let more = (change.more > 0)
        .then(|| view! { <p class="none">{tr!("and {} more", format::count(u64::from(change.more)))}</p> });
    view! {
        <li class="shadow-change" data-testid="shadow-change" data-by=code(&change.by) data-version=change.version.to_string()>
            <p class="change-head">
                <time title=heard>{at.seconds(&today())}</time>
                <b>{who(&change.by)}</b>
                <span class="version">{format!("v {}", format::count(change.version))}</span>
            </p>
            <ul>{change.leaves.into_iter().map(leaf).collect_view()}</ul>
            {more}
        </li>
    }
}

/// What is known with a page that came, in order, and whether the page reached what was known. One that did not takes the place of all:
/// what lies between is not known. A page of earlier ones goes below.
fn joined(known: Vec<Change>, page: Vec<Change>, before: Option<u64>) -> (Vec<Change>, bool) {
    if before.is_some() {
        return (known.into_iter().chain(page).collect(), false);
    }
    let (Some(newest), Some(oldest)) = (known.first().map(|change| change.seq), page.last().map(|change| change.seq))
    else {
        return (page, false);
    };
    if oldest > newest {
        return (page, false);
    }
    let below = known.into_iter().filter(|change| change.seq < oldest);
    (page.into_iter().chain(below).collect(), true)
}

fn side_words(side: Side) -> &'static str {
    match side {
        Side::Desired => term("wanted"),
        Side::Reported => term("reported"),
    }
}

fn code(by: &Author) -> &'static str {
    match by {
        Author::Device => "device",
        Author::Person { .. } => "person",
        Author::Program { .. } => "program",
        Author::Other { .. } => "other",
        Author::Unheard => "unheard",
    }
}

fn who(by: &Author) -> String {
    match by {
        Author::Device => said("the device").to_owned(),
        Author::Person { actor, command } => {
            let name = if actor.name.is_empty() { said(actor.role.label()).into() } else { shown(&actor.name) };
            tr!("{name} · command {number}", name, number = command.0)
        }
        Author::Program { command } => tr!("Fleetlens took command {} back", command.0),
        Author::Other { token: Some(token) } => tr!("another app ({})", token),
        Author::Other { token: None } => said("another app").to_owned(),
        Author::Unheard => said("while we were away").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::CommandId;
    use fleetlens_model::identity::{Actor, Role};
    use fleetlens_model::time::WallMs;

    use super::*;

    fn changes(numbers: &[u64]) -> Vec<Change> {
        let change = |seq: &u64| Change {
            seq: *seq,
            version: *seq,
            heard_ms: WallMs(0),
            by: Author::Device,
            leaves: Vec::new(),
            more: 0,
        };
        numbers.iter().map(change).collect()
    }

    #[test]
    fn a_page_joins_what_is_known_only_where_nothing_lies_between() {
        for (name, known, page, before, want, reaches) in [
            ("the first", &[][..], &[9, 8][..], None, &[9, 8][..], false),
            ("nothing at all", &[], &[], None, &[], false),
            ("earlier ones", &[9, 8], &[5, 2], Some(8), &[9, 8, 5, 2], false),
            ("no earlier ones", &[9, 8], &[], Some(8), &[9, 8], false),
            ("one is new", &[9, 8, 5, 2], &[11, 9, 8], None, &[11, 9, 8, 5, 2], true),
            ("none is new", &[9, 8, 5], &[9, 8], None, &[9, 8, 5], true),
            ("more are new than a page", &[9, 8], &[20, 15], None, &[20, 15], false),
            ("the cache began anew", &[9, 8], &[], None, &[], false),
        ] {
            let (joined, reached) = joined(changes(known), changes(page), before);
            let numbers: Vec<u64> = joined.iter().map(|change| change.seq).collect();
            assert_eq!((numbers.as_slice(), reached), (want, reaches), "{name}");
        }
    }

    #[test]
    fn whoever_changed_a_shadow_is_told_in_words() {
        let command = CommandId(12);
        let person = |name: &str| Author::Person { actor: Actor { name: name.into(), role: Role::Operator }, command };
        for (by, want) in [
            (Author::Device, "the device"),
            (person("M. Vella"), "M. Vella · command 12"),
            (person(""), "Operator · command 12"),
            (Author::Program { command }, "Fleetlens took command 12 back"),
            (Author::Other { token: Some("01ARYZ6S41T…".into()) }, "another app (01ARYZ6S41T…)"),
            (Author::Other { token: None }, "another app"),
            (Author::Unheard, "while we were away"),
        ] {
            assert_eq!(who(&by), want);
        }
    }
}
