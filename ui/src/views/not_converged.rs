//! What is wanted and has not been so for too long: which value of which thing, since when, and why, where that is known.

use fleetlens_ipc::rows::{LeafId, NotConvergedRow, Why};
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::clock::{clock, local, today};
use crate::components::coming::Coming;
use crate::components::pointer::follow_pointer;
use crate::components::still::Still;
use crate::format;
use crate::lang::said;
use crate::state::cells::Cell;
use crate::state::not_converged::LIMIT;
use crate::state::store;
use crate::views::outbox::Choose;

/// The list, among the commands.
#[component]
pub fn NotConvergedList() -> impl IntoView {
    let store = store();
    store.follow_not_converged();
    let list = store.not_converged;
    let still = Still::of(list.cells);
    let element = NodeRef::<leptos::html::Section>::new();
    let section = move || element.get_untracked().map(|section| section.unchecked_into::<Element>());
    follow_pointer(section, move |is_over| {
        still.inside.try_set(is_over);
    });
    let count =
        Memo::new(move |_| store.status.with(|status| status.as_ref().map_or(0, |status| status.row.not_converged)));
    let is_empty = move || list.known.get() && still.shown.with(Vec::is_empty);
    let fresh = move || tr!("{} new", format::count(still.fresh.get() as u64));
    view! {
        <section class="orders" data-testid="not-converged" aria-label=said("Not converged") node_ref=element>
            <h2>
                {said("Not converged")}
                <Show when=move || still.fresh.get() != 0>
                    <button type="button" class="link" data-testid="let-in" on:click=move |_| still.let_in()>
                        {fresh}
                    </button>
                </Show>
            </h2>
            <p class="told-of" data-testid="not-converged-count">{move || count_words(count.get())}</p>
            <Show when=move || list.known.get() fallback=|| view! { <Coming rows=1 /> }>
                <ul>
                    <For each=move || still.shown.get() key=|cell| cell.key.clone() let:cell>
                        <Leaf cell still />
                    </For>
                </ul>
            </Show>
            <Show when=is_empty>
                <div class="nothing small" data-testid="not-converged-none">
                    <b>{said("Everything is as it is wanted")}</b>
                    <p>{move || nothing_words(store.link_up.get())}</p>
                </div>
            </Show>
        </section>
    }
}

/// One leaf; pressed, it opens its thing.
#[component]
fn Leaf(cell: Cell<LeafId, NotConvergedRow>, still: Still<LeafId, NotConvergedRow>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let list = store.not_converged;
    let leaf = cell.key.clone();
    let thing = leaf.thing;
    let row = RwSignal::from(cell.row);
    let kind = row.with_untracked(|row| row.row.kind);
    let read = move |read: fn(&NotConvergedRow) -> String| Memo::new(move |_| row.with(|row| read(&row.row)));
    let whose = read(|row| row.thing_title.clone());
    let place = read(|row| row.place.clone());
    let phase = read(|row| why_word(&row.why).to_owned());
    let since = read(|row| local(row.since_ms).short(&today()));
    let exact = read(|row| tr!("wanted and not so since {}", local(row.since_ms).exact()));
    let as_of = read(|row| row.unknown_since_ms.map(|at| local(at).short(&today())).unwrap_or_default());
    let now = move || store.wall_now(clock.now_ms());
    let sentence = Memo::new(move |_| {
        let now = now();
        row.with(|row| sentence(&row.row, now))
    });
    let why = Memo::new(move |_| {
        let now = now();
        row.with(|row| why_words(&row.row.why, now))
    });
    let key = leaf.clone();
    let is_gone = Memo::new(move |_| still.is_gone(list.cells, &key));
    let told = Signal::derive(move || {
        if is_gone.get() {
            said("is so by now, or wanted no more").to_owned()
        } else if as_of.with(String::is_empty) {
            why.get()
        } else {
            tr!("as of {at} · {why}", at = as_of.get(), why = why.get())
        }
    });
    view! {
        <li
            class="order open-leaf"
            class:gone=move || is_gone.get()
            data-testid="open-leaf"
            data-pointer=leaf.pointer
            data-standing=move || row.with(|row| standing(&row.row.why))
        >
            <div class="order-line">
                <Choose thing kind phase what=sentence told whose place />
                <time title=exact>{since}</time>
            </div>
        </li>
    }
}

/// `Level when on: wanted 40 %, reports 100 % for 12 min`. While nobody knows it is told as it was last known.
fn sentence(row: &NotConvergedRow, now: Option<WallMs>) -> String {
    let value = |json: &str| shown(&format::leaf(json, format::known(&row.unit))).into_owned();
    let shadow = if row.leaf.shadow.is_empty() { String::new() } else { format!("{} · ", row.leaf.shadow) };
    let label = format!("{shadow}{}", format::known(&row.label));
    let wanted = value(&row.wanted);
    let reports = row.reported.as_deref().map_or_else(|| said("nothing").into(), value);
    match row.unknown_since_ms.or(now).map(|until| format::age(until.since(row.since_ms))) {
        Some(age) => tr!("{label}: wanted {wanted}, reports {reports} for {age}", label, wanted, reports, age),
        None => tr!("{label}: wanted {wanted}, reports {reports}", label, wanted, reports),
    }
}

/// Why, in two words.
fn why_word(why: &Why) -> &'static str {
    match why {
        Why::Silent { .. } => said("Silent"),
        Why::Rejected { .. } => said("Rejected"),
        Why::Refused { .. } => said("Refused"),
        Why::NeverObeyed { .. } => said("Never obeyed"),
        Why::NoLonger { .. } => said("Obeys no more"),
        Why::NobodyHere => said("Asked elsewhere"),
        Why::Unknown => said("Not known why"),
    }
}

/// Why, as a sentence.
fn why_words(why: &Why, now: Option<WallMs>) -> String {
    let ago = |at: WallMs| now.map(|now| format::age(now.since(at)));
    match why {
        Why::Silent { since_ms } => match ago(*since_ms) {
            Some(age) => tr!("silent for {}: perhaps it has not heard of it", age),
            None => said("silent: perhaps it has not heard of it").into(),
        },
        Why::Rejected { code, reason } => {
            tr!("the last command for it was rejected: {reason} ({code})", reason, code)
        }
        Why::Refused { reason } => tr!("the thing itself refused it: {}", reason),
        Why::NeverObeyed { by } if by.is_empty() => said("accepted, never obeyed").into(),
        Why::NeverObeyed { by } => tr!("accepted, never obeyed · asked by {}", by),
        Why::NoLonger { settled_ms } => match ago(*settled_ms) {
            Some(age) => tr!("it obeyed {} ago, and does something else since", age),
            None => said("it had obeyed, and does something else since").into(),
        },
        Why::NobodyHere => said("nobody asked for it here: somebody else wants it").into(),
        Why::Unknown => said("who asked for it is not kept any more").into(),
    }
}

/// Colour and shape: what was refused is told apart from what is waited for.
fn standing(why: &Why) -> &'static str {
    match why {
        Why::Rejected { .. } | Why::Refused { .. } => "rejected",
        Why::Silent { .. } => "expired",
        Why::NeverObeyed { .. } | Why::NoLonger { .. } | Why::NobodyHere | Why::Unknown => "waiting",
    }
}

fn count_words(count: u32) -> String {
    let shown = format::count(u64::from(count));
    match count {
        0 => String::new(),
        many if many > LIMIT => tr!(
            "{shown} values have been wanted for long and are not so; these are the oldest {limit}",
            shown,
            limit = LIMIT
        ),
        many => tr!(
            "1 value has been wanted for long and is not so"
                | "{shown} values have been wanted for long and are not so" % many,
            shown
        ),
    }
}

fn nothing_words(link_up: bool) -> &'static str {
    if link_up {
        said("A value that is wanted and not reported for some minutes stands here, with the reason where it is known.")
    } else {
        said("So it was when we last listened. While our link is down nobody knows.")
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::ThingKey;
    use fleetlens_model::kind::Kind;

    use super::*;

    fn row(why: Why) -> NotConvergedRow {
        NotConvergedRow {
            leaf: LeafId { thing: ThingKey(7), shadow: String::new(), pointer: "/dim_pct".into() },
            thing_title: "Lamp 7".into(),
            kind: Kind::Lamp,
            place: String::new(),
            label: "Level when on".into(),
            unit: "%".into(),
            wanted: "40".into(),
            reported: Some("100".into()),
            since_ms: WallMs(1_000),
            why,
            unknown_since_ms: None,
        }
    }

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn the_sentence_says_what_is_wanted_and_reported_and_for_how_long() {
        let (known, now) = (row(Why::NobodyHere), Some(WallMs(1_000 + 12 * 60_000)));
        let unknown = NotConvergedRow { unknown_since_ms: Some(WallMs(1_000 + 5 * 60_000)), ..known.clone() };
        let nothing = NotConvergedRow { reported: None, ..known.clone() };
        let named = NotConvergedRow {
            leaf: LeafId { shadow: "network".into(), ..known.leaf.clone() },
            label: "ssid".into(),
            unit: String::new(),
            wanted: "\"city\"".into(),
            reported: Some("\"old\"".into()),
            ..known.clone()
        };
        for (row, now, want) in [
            (&known, now, "Level when on: wanted 40 %, reports 100 % for 12 min"),
            (&known, None, "Level when on: wanted 40 %, reports 100 %"),
            (&unknown, now, "Level when on: wanted 40 %, reports 100 % for 5 min"),
            (&nothing, now, "Level when on: wanted 40 %, reports nothing for 12 min"),
            (&named, now, "network · ssid: wanted city, reports old for 12 min"),
        ] {
            assert_eq!(plain(&sentence(row, now)), want);
        }
    }

    #[test]
    fn every_reason_is_a_sentence_and_a_word_of_its_own() {
        let reasons = [
            (Why::Silent { since_ms: WallMs(0) }, "silent for 2 min: perhaps it has not heard of it"),
            (
                Why::Rejected { code: 413, reason: "too large".into() },
                "the last command for it was rejected: too large (413)",
            ),
            (Why::Refused { reason: "under local control".into() }, "the thing itself refused it: under local control"),
            (Why::NeverObeyed { by: "T. Ester".into() }, "accepted, never obeyed · asked by T. Ester"),
            (Why::NeverObeyed { by: String::new() }, "accepted, never obeyed"),
            (Why::NoLonger { settled_ms: WallMs(60_000) }, "it obeyed 1 min ago, and does something else since"),
            (Why::NobodyHere, "nobody asked for it here: somebody else wants it"),
            (Why::Unknown, "who asked for it is not kept any more"),
        ];
        let mut words = std::collections::BTreeSet::new();
        for (why, want) in &reasons {
            assert_eq!(plain(&why_words(why, Some(WallMs(120_000)))), *want);
            words.insert(why_word(why));
        }
        assert_eq!(words.len(), 7, "{words:?}");
    }

    #[test]
    fn more_than_can_be_listed_says_so() {
        assert_eq!(count_words(0), "");
        let many = count_words(1_200).replace('\u{202f}', " ");
        assert_eq!(many, "1 200 values have been wanted for long and are not so; these are the oldest 500");
    }
}
