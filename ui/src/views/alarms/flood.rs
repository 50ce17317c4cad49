//! What is said of a flood: since when, how many, and that the list is folded because of it.

use fleetlens_ipc::AlarmGrouping;
use fleetlens_ipc::rows::FloodRow;
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use super::filters::{ask, group_by};
use crate::clock::{local, today};
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::store;

/// The strip; there while there is a flood. Who unfolds the list in one does so for that one: when it is over, the host decides again.
#[component]
pub fn FloodStrip() -> impl IntoView {
    let store = store();
    let flood = Memo::new(move |_| store.status.with(|status| status.as_ref().and_then(|status| status.row.flood)));
    let by_itself =
        Memo::new(move |_| store.alarm_table.head.with(|head| head.as_ref().is_some_and(|head| head.by_itself)));
    let is_flat = Memo::new(move |_| {
        store.alarm_table.head.with(|head| head.as_ref().is_some_and(|head| head.group == AlarmGrouping::Nothing))
    });
    // Looked at anew each time the list comes on the screen: a flood may have come and gone meanwhile.
    let is_known = Memo::new(move |_| store.status.with(Option::is_some));
    let flat_in = store.alarm_table.flat_in;
    Effect::new(move |_| {
        let is_flat = store.alarm_table.query.with(|query| query.group == Some(AlarmGrouping::Nothing));
        let now = flood.with(|flood| flood.map(|flood| flood.since_ms));
        if !is_known.get() {
            return;
        }
        let (kept, is_over) = flat(is_flat, flat_in.get_value(), now);
        flat_in.set_value(kept);
        if is_over {
            ask(store, |query| query.group = None);
        }
    });
    // The strip comes and goes only while nobody is in the list, which stands below it.
    let shown = RwSignal::new(None::<FloodRow>);
    Effect::new(move |_| {
        let (now, is_inside) = (flood.get(), store.alarm_table.inside.get());
        let is_there = shown.with_untracked(Option::is_some);
        if !is_inside || (is_there && now.is_some()) {
            shown.set(now);
        }
    });
    let flood = shown;
    let unfold = move |_| group_by(store, AlarmGrouping::Nothing);
    // Back to what the host would do.
    let fold = move |_| ask(store, |query| query.group = None);
    let told = move || {
        flood.get().map(|flood| words(&flood, by_itself.get(), |at| local(at).short(&today()))).unwrap_or_default()
    };
    view! {
        <div role="status" data-testid="flood" class="flood-said">
            <Show when=move || flood.with(Option::is_some)>
                <div class="flood">
                    <Icon of=icondata_lu::LuWaves />
                    <p>{told}</p>
                    <Show when=move || by_itself.get()>
                        <button type="button" class="plain" data-testid="flood-unfold" on:click=unfold>
                            {said("Unfold")}
                        </button>
                    </Show>
                    <Show when=move || is_flat.get()>
                        <button type="button" class="plain" data-testid="flood-fold" on:click=fold>
                            {said("Fold by cause")}
                        </button>
                    </Show>
                </div>
            </Show>
        </div>
    }
}

/// In which flood no groups are wanted, and whether that is over, with the flood it was wanted in: `flat` says that none are now, `was`
/// since when the flood lasted in which that was chosen, `now` the same of this one.
fn flat(is_flat: bool, was: Option<WallMs>, now: Option<WallMs>) -> (Option<WallMs>, bool) {
    match (is_flat, was) {
        (false, _) => (None, false),
        (true, None) => (now, false),
        (true, Some(_)) if was == now => (was, false),
        (true, Some(_)) => (None, true),
    }
}

/// `Alarm flood since 10:32: 214 new alarms; folded by cause`.
fn words(flood: &FloodRow, by_itself: bool, at: impl Fn(WallMs) -> String) -> String {
    let (since, count) = (at(flood.since_ms), format::count(flood.count));
    match by_itself {
        true => tr!("Alarm flood since {since}: {count} new alarms; folded by cause", since = since, count = count),
        false => tr!("Alarm flood since {since}: {count} new alarms", since = since, count = count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_unfolds_a_flood_does_so_for_that_one() {
        let (one, other) = (Some(WallMs(1)), Some(WallMs(2)));
        for (is_flat, was, now, want) in [
            (false, None, one, (None, false)),
            (true, None, one, (one, false)),
            (true, one, one, (one, false)),
            (true, one, None, (None, true)),
            (true, one, other, (None, true)),
            (false, one, one, (None, false)),
        ] {
            assert_eq!(flat(is_flat, was, now), want, "{is_flat} {was:?} {now:?}");
        }
    }

    #[test]
    fn a_flood_is_told_with_its_beginning_and_its_number() {
        let flood = FloodRow { since_ms: WallMs(1_032), count: 214 };
        let told = |by_itself| words(&flood, by_itself, |at| format!("{}:{}", at.0 / 100, at.0 % 100));
        assert_eq!(told(true), "Alarm flood since 10:32: 214 new alarms; folded by cause");
        assert_eq!(told(false), "Alarm flood since 10:32: 214 new alarms");
    }
}
