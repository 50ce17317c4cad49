//! A line of the list of alarms: an alarm, or the heading of a group. Its element stays while the list scrolls; what it shows changes.

use fleetlens_ipc::AlarmScope;
use fleetlens_ipc::rows::{AlarmGroupRow, AlarmLine, AlarmRow, ListedAlarm};
use fleetlens_model::alarm::Priority;
use fleetlens_model::time::WallMs;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use tr::tr;
use web_sys::HtmlInputElement;

use super::board::Board;
use super::list::{line_id, top_px};
use super::words::{State, sentence, state, what_to_do};
use crate::clock::{clock, local, today};
use crate::components::icon::Icon;
use crate::components::shape::PriorityShape;
use crate::format;
use crate::lang::said;
use crate::state::alarm_table::LineSlot;
use crate::state::store;

/// What a slot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Nothing,
    /// Something that is on its way.
    Bone,
    Group,
    Alarm,
}

/// One line.
#[component]
pub fn Entry(board: Board, shown: ArcRwSignal<LineSlot>, is_selectable: Memo<bool>) -> impl IntoView {
    let store = store();
    let slot = RwSignal::from(shown);
    let place = Memo::new(move |_| slot.with(|slot| slot.place));
    let listed = Memo::new(move |_| {
        slot.with(|slot| match slot.row.as_ref().map(|line| &line.row) {
            Some(AlarmLine::Alarm(listed)) => Some((**listed).clone()),
            Some(AlarmLine::Group(_)) | None => None,
        })
    });
    let group = Memo::new(move |_| {
        slot.with(|slot| match slot.row.as_ref().map(|line| &line.row) {
            Some(AlarmLine::Group(group)) => Some(group.clone()),
            Some(AlarmLine::Alarm(_)) | None => None,
        })
    });
    let what = Memo::new(move |_| {
        slot.with(|slot| match (slot.place, slot.row.as_ref().map(|line| &line.row)) {
            (None, _) => What::Nothing,
            (Some(_), None) => What::Bone,
            (Some(_), Some(AlarmLine::Group(_))) => What::Group,
            (Some(_), Some(AlarmLine::Alarm(_))) => What::Alarm,
        })
    });
    let of = move |read: fn(&ListedAlarm) -> String| listed.with(|listed| listed.as_ref().map(read));
    let priority = move || {
        let of_alarm = listed.with(|listed| listed.as_ref().map(|listed| listed.row.priority));
        of_alarm.or_else(|| group.with(|group| group.as_ref().map(|group| group.worst)))
    };
    let is_open = move || {
        let thing = listed.with(|listed| listed.as_ref().map(|listed| listed.row.thing));
        thing.is_some() && store.selected.get() == thing
    };
    let is_grouped =
        Memo::new(move |_| board.table.head.with(|head| head.as_ref().is_some_and(|head| head.groups != 0)));
    let is_picked = Memo::new(move |_| {
        board.picked.with(|picked| match (listed.get(), group.get()) {
            (Some(listed), _) => picked.has(listed.row.id),
            (None, Some(group)) => picked.has_group(&group.key),
            (None, None) => false,
        })
    });
    let act = move |_| {
        let Some(at) = place.get_untracked() else { return };
        board.go_to(Some(at));
        if let Some(group) = group.get_untracked() {
            board.turn_group(&group.key);
        } else if let Some(listed) = listed.get_untracked() {
            store.open(listed.row.thing);
        }
    };
    let is_gone = Memo::new(move |_| listed.with(|listed| listed.as_ref().is_some_and(|listed| listed.gone)));
    let is_inside = move || what.get() == What::Alarm && is_grouped.get();
    let testid = move || match what.get() {
        What::Group => Some("alarm-group"),
        What::Alarm => Some("alarm"),
        What::Bone | What::Nothing => None,
    };
    view! {
        <div
            class="alarm"
            role="row"
            class:gone=move || is_gone.get()
            class:heading=move || what.get() == What::Group
            class:bone-row=move || what.get() == What::Bone
            class:at=move || place.get().is_some() && place.get() == board.at.get()
            class:open=is_open
            class:inside=is_inside
            id=move || place.get().map(line_id)
            aria-rowindex=move || place.get().map(|place| (place + 1).to_string())
            prop:ariaLevel=move || if is_inside() { "2" } else { "1" }
            aria-expanded=move || group.with(|group| group.as_ref().map(|group| group.open.to_string()))
            aria-selected=move || is_picked.get().to_string()
            data-testid=testid
            data-alarm=move || of(|listed| listed.row.id.0.to_string())
            data-thing=move || of(|listed| listed.row.thing.0.to_string())
            data-raised=move || of(|listed| listed.row.raised_ms.0.to_string())
            data-state=move || of(|listed| State::of(&listed.row).word().to_owned())
            data-group=move || group.with(|group| group.as_ref().map(|group| group.key.clone()))
            data-priority=move || priority().map(|priority| priority.label().to_lowercase())
            style:display=move || if place.get().is_some() { "" } else { "none" }
            style:transform=move || format!("translateY({}px)", top_px(place.get().unwrap_or(0)))
            on:click=act
        >
            <div class="pick" role="gridcell" on:click=|event: MouseEvent| event.stop_propagation()>
                <Show when=move || is_selectable.get() && matches!(what.get(), What::Group | What::Alarm)>
                    <Pick board place listed group is_picked />
                </Show>
            </div>
            <div class="alarm-open" role="gridcell">
                {move || match what.get() {
                    What::Alarm => view! { <AlarmWords board listed is_gone /> }.into_any(),
                    What::Group => view! { <GroupWords group /> }.into_any(),
                    What::Bone | What::Nothing => ().into_any(),
                }}
            </div>
        </div>
    }
}

#[component]
fn Pick(
    board: Board,
    place: Memo<Option<u32>>,
    listed: Memo<Option<ListedAlarm>>,
    group: Memo<Option<AlarmGroupRow>>,
    is_picked: Memo<bool>,
) -> impl IntoView {
    let tick = move |event: MouseEvent| {
        if let Some(place) = place.get_untracked() {
            board.choose(place, event.shift_key());
        }
        // The box has turned by itself, whatever comes of it.
        event_target::<HtmlInputElement>(&event).set_checked(is_picked.get_untracked());
    };
    let label = move || match (listed.get(), group.get()) {
        (Some(listed), _) => tr!("Choose {}", listed.row.title),
        (None, Some(group)) => tr!("Choose all of {}", group_title(&group)),
        (None, None) => String::new(),
    };
    view! {
        <input
            type="checkbox"
            // The keys go through the list itself: Space chooses the line they are on.
            tabindex="-1"
            data-testid=move || if group.with(Option::is_some) { "group-pick" } else { "alarm-pick" }
            aria-label=label
            disabled=move || listed.with(|listed| listed.as_ref().is_some_and(|listed| listed.gone))
            prop:checked=move || is_picked.get()
            on:click=tick
        />
    }
}

/// What an alarm says.
#[component]
fn AlarmWords(board: Board, listed: Memo<Option<ListedAlarm>>, is_gone: Memo<bool>) -> impl IntoView {
    let row = Memo::new(move |_| listed.with(|listed| listed.as_ref().map(|listed| listed.row.clone())));
    let told = Told::of(row);
    let is_first = Memo::new(move |_| listed.with(|listed| listed.as_ref().is_some_and(|listed| listed.first)));
    let raised_ms = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.raised_ms).unwrap_or_default()));
    let state_words = move || match (is_gone.get(), board.scope()) {
        (true, AlarmScope::Open) => said("Over, or off the list").to_owned(),
        (true, AlarmScope::Hidden) => said("Back on the list, or over").to_owned(),
        (true, AlarmScope::Ended) | (false, _) => told.state.get(),
    };
    view! {
        <span class="how-bad">
            <PriorityShape priority=told.priority />
            {move || said(told.priority.get().label())}
        </span>
        <span class="what">
            <b title=told.title>
                <Show when=move || is_first.get()>
                    <span
                        class="first-out"
                        data-testid="first-out"
                        title=said("The first of several that began within a minute behind the same gateway, or of the same cause in the district")
                    >
                        {tr!("of several alarms" => "First")}
                    </span>
                    // For whoever hears it.
                    " "
                </Show>
                {told.title}
            </b>
            <span class="seen" title=told.sentence>
                {told.sentence}
            </span>
            <span class="do" title=told.what_to_do>
                {told.what_to_do}
            </span>
        </span>
        <span class="where" title=told.place>
            {told.place}
        </span>
        <Since at=raised_ms />
        <span class="state" data-testid="alarm-state" title=state_words>
            {state_words}
        </span>
    }
}

/// What a heading says.
#[component]
fn GroupWords(group: Memo<Option<AlarmGroupRow>>) -> impl IntoView {
    let read =
        move |read: fn(&AlarmGroupRow) -> String| group.with(|group| group.as_ref().map(read).unwrap_or_default());
    let worst = Memo::new(move |_| group.with(|group| group.as_ref().map_or(Priority::Warning, |group| group.worst)));
    let newest_ms =
        Memo::new(move |_| group.with(|group| group.as_ref().map(|group| group.newest_ms).unwrap_or_default()));
    let is_open = move || group.with(|group| group.as_ref().is_some_and(|group| group.open));
    view! {
        <span class="how-bad">
            <PriorityShape priority=worst />
            {move || said(worst.get().label())}
        </span>
        <span class="what">
            <b>
                <span class="unfolder" class:unfolded=is_open>
                    <Icon of=icondata_lu::LuChevronRight />
                </span>
                {move || read(group_title)}
            </b>
            <span class="seen">{move || read(group_count)}</span>
            <span class="do">{move || read(|group| format::capital(&group.what_to_do))}</span>
        </span>
        <span class="where" />
        <Since at=newest_ms />
        <span class="state" data-testid="group-state">
            {move || read(group_unseen)}
        </span>
    }
}

/// How long ago, and when.
#[component]
fn Since(at: Memo<WallMs>) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let age = Memo::new(move |_| Some(format::age(store.wall_now(clock.now_ms())?.since(at.get()))));
    view! {
        <span class="since">
            <time title=move || local(at.get()).exact()>{move || age.get()}</time>
            <span>{move || local(at.get()).short(&today())}</span>
        </span>
    }
}

fn group_title(group: &AlarmGroupRow) -> String {
    if group.title.is_empty() { said("No district known").into() } else { format::capital(&group.title) }
}

fn group_count(group: &AlarmGroupRow) -> String {
    tr!("1 alarm" | "{shown} alarms" % group.count, shown = format::count(u64::from(group.count)))
}

fn group_unseen(group: &AlarmGroupRow) -> String {
    match group.unseen {
        0 => said("All seen").into(),
        all if all == group.count => said("None seen").into(),
        many => tr!("{} not seen", format::count(u64::from(many))),
    }
}

/// What a row says, each part by itself; nothing of a row that is on its way.
#[derive(Clone, Copy)]
pub struct Told {
    /// What is wrong.
    pub title: Memo<String>,
    /// What was seen, with how often and what stands behind it.
    pub sentence: Memo<String>,
    /// What to do.
    pub what_to_do: Memo<String>,
    /// Street and area.
    pub place: Memo<String>,
    /// The state as a sentence.
    pub state: Memo<String>,
    /// The state as a word for the style sheets.
    pub word: Memo<&'static str>,
    /// How bad.
    pub priority: Memo<Priority>,
}

impl Told {
    /// Of a row.
    pub fn of(row: Memo<Option<AlarmRow>>) -> Told {
        let read = move |read: fn(&AlarmRow) -> String| {
            Memo::new(move |_| row.with(|row| row.as_ref().map(read).unwrap_or_default()))
        };
        let priority = Memo::new(move |_| row.with(|row| row.as_ref().map_or(Priority::Warning, |row| row.priority)));
        Told {
            title: read(|row| row.title.clone()),
            sentence: read(|row| sentence(row, |at| local(at).short(&today()))),
            what_to_do: read(what_to_do),
            place: read(|row| row.place.clone()),
            state: read(|row| state(row, |at| local(at).short(&today()))),
            word: Memo::new(move |_| row.with(|row| row.as_ref().map_or("", |row| State::of(row).word()))),
            priority,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_says_how_many_and_how_many_of_them_nobody_has_seen() {
        let group = |title: &str, count, unseen| AlarmGroupRow {
            key: "k".into(),
            title: title.into(),
            what_to_do: String::new(),
            count,
            unseen,
            worst: Priority::Warning,
            newest_ms: WallMs(0),
            open: true,
        };
        for (group, want) in [
            (group("nearly full", 214, 180), ["Nearly full", "214 alarms", "180 not seen"]),
            (group("", 1, 0), ["No district known", "1 alarm", "All seen"]),
            (group("Lamps", 2, 2), ["Lamps", "2 alarms", "None seen"]),
        ] {
            assert_eq!([group_title(&group), group_count(&group), group_unseen(&group)], want);
        }
    }
}
