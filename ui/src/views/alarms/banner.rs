//! A new critical alarm is told at once, wherever one is in the window.

use std::collections::BTreeSet;

use fleetlens_ipc::map::Status;
use fleetlens_ipc::rows::{Attention, AttentionRow};
use fleetlens_model::id::{AlarmId, ThingKey};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::components::icon::Icon;
use crate::components::shape::Shape;
use crate::format;
use crate::lang::said;
use crate::sound::sounds;
use crate::state::section::Section;
use crate::state::store;

/// A critical alarm as it was raised.
type Raised = (AlarmId, WallMs);

/// What of the critical alarms is news. Pure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct News {
    /// Those that are no news, since they were there at first or were told of; `None` before anything is known.
    known: Option<BTreeSet<Raised>>,
    /// Whether those that stood there last were all there are: the list has an end, and what comes up from below it is old.
    is_whole: bool,
    /// When the newest of all that ever stood there was raised.
    newest_ms: Option<WallMs>,
    /// Those that are told now, newest first.
    told: Vec<(Raised, ThingKey, String)>,
}

impl News {
    fn take(&mut self, attention: &Attention) {
        let is_critical = |row: &&AttentionRow| Status::from_code(row.status) == Status::Critical;
        let now: Vec<&AttentionRow> = attention.rows.iter().filter(is_critical).collect();
        let raised = |row: &AttentionRow| (row.alarm, row.since_ms);
        let standing: BTreeSet<Raised> = now.iter().map(|row| raised(row)).collect();
        match &self.known {
            None => self.told.clear(),
            Some(known) => {
                // Somebody has acknowledged it, or it is over: nothing to tell any more.
                self.told.retain(|(told, _, _)| standing.contains(told));
                let is_new =
                    |row: &&AttentionRow| self.is_whole || self.newest_ms.is_none_or(|newest| row.since_ms > newest);
                let fresh = now.into_iter().filter(|row| !known.contains(&raised(row))).filter(is_new);
                let fresh: Vec<_> = fresh.map(|row| (raised(row), row.thing, row.title.clone())).collect();
                self.told.splice(0..0, fresh);
            }
        }
        self.newest_ms = standing.iter().map(|(_, since_ms)| *since_ms).chain(self.newest_ms).max();
        // The worst stand first: a list that goes on to something less bad holds every critical one.
        let listed = u32::try_from(attention.rows.len()).unwrap_or(u32::MAX);
        self.is_whole = listed >= attention.count || standing.len() < attention.rows.len();
        self.known = Some(standing);
    }

    fn dismiss(&mut self) {
        self.told.clear();
    }
}

/// The banner; there while a critical alarm was raised that nobody has acknowledged or waved away.
#[component]
pub fn CriticalBanner() -> impl IntoView {
    let (store, sound) = (store(), sounds());
    let news = RwSignal::new(News::default());
    Effect::new(move |before: Option<u32>| {
        let begun = store.begun.get();
        if before.is_some_and(|before| before != begun) {
            news.set(News::default());
        }
        begun
    });
    Effect::new(move |_| {
        store.attention.with(|attention| {
            // Before the first answer nothing is known.
            if attention.at_ms > 0.0 {
                news.update(|news| news.take(&attention.row));
            }
        });
    });
    let first =
        Memo::new(move |_| news.with(|news| news.told.first().map(|(_, thing, title)| (*thing, title.clone()))));
    let more = Memo::new(move |_| news.with(|news| news.told.len().saturating_sub(1)));
    let words = move || {
        let title = first.with(|first| first.as_ref().map(|(_, title)| title.clone()));
        title.map(|title| banner_words(&title, more.get()))
    };
    let show = move |_| {
        if more.get_untracked() == 0 {
            if let Some((thing, _)) = first.get_untracked() {
                store.open(thing);
            }
        } else {
            store.go(Section::Alarms);
        }
        news.update(News::dismiss);
    };
    view! {
        // The region is always there: one that comes together with its words is not read out everywhere.
        <div
            role="alert"
            aria-live="assertive"
            data-testid="critical"
            data-sounded=move || sound.last().0.to_lowercase()
            data-sounds=move || sound.last().1.to_string()
        >
            <Show when=move || first.with(Option::is_some)>
                <div class="critical">
                    <Shape kind=fleetlens_model::kind::Kind::Other status=Status::Critical.code() />
                    <p title=words>{words}</p>
                    <button type="button" class="link" data-testid="critical-show" on:click=show>
                        {move || if more.get() == 0 { said("Show") } else { said("Show all") }}
                    </button>
                    <button
                        type="button"
                        class="tool"
                        title=said("Dismiss; the alarm stays")
                        aria-label=said("Dismiss")
                        on:click=move |_| news.update(News::dismiss)
                    >
                        <Icon of=icondata_lu::LuX />
                    </button>
                </div>
            </Show>
        </div>
    }
}

fn banner_words(title: &str, more: usize) -> String {
    match more {
        0 => tr!("Critical: {}", title),
        _ => {
            tr!("{count} new critical alarms, the last: {title}", count = format::count(more as u64 + 1), title = title)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(alarm: u64, since_ms: i64, status: Status) -> AttentionRow {
        AttentionRow {
            alarm: AlarmId(alarm),
            thing: ThingKey(alarm as u32),
            title: format!("Gateway {alarm} silent"),
            sentence: String::new(),
            what_to_do: String::new(),
            status: status.code(),
            since_ms: WallMs(since_ms),
        }
    }

    #[test]
    fn only_what_was_raised_while_one_watched_is_news() {
        let mut news = News::default();
        let crit = |alarm, since_ms| row(alarm, since_ms, Status::Critical);
        for (name, rows, want) in [
            ("what stood there at first", vec![crit(1, 10)], vec![]),
            ("a warning", vec![crit(1, 10), row(2, 20, Status::Warning)], vec![]),
            ("a new one", vec![crit(3, 30), crit(1, 10)], vec![3]),
            ("two more", vec![crit(5, 50), crit(4, 40), crit(3, 30), crit(1, 10)], vec![5, 4, 3]),
            ("one was acknowledged", vec![crit(5, 50), crit(3, 30), crit(1, 10)], vec![5, 3]),
            ("one was raised again", vec![crit(1, 60), crit(5, 50), crit(3, 30)], vec![1, 5, 3]),
            ("all over", vec![], vec![]),
        ] {
            news.take(&Attention { count: rows.len() as u32, rows });
            let told: Vec<u64> = news.told.iter().map(|((id, _), _, _)| id.0).collect();
            assert_eq!(told, want, "{name}");
        }
        assert_eq!(banner_words("Gateway 3 silent", 0), "Critical: Gateway 3 silent");
        assert_eq!(banner_words("Gateway 3 silent", 2), "3 new critical alarms, the last: Gateway 3 silent");
    }

    #[test]
    fn what_comes_up_from_below_the_end_of_the_list_is_old() {
        let mut news = News::default();
        let crit = |alarm, since_ms| row(alarm, since_ms, Status::Critical);
        for (name, count, rows, want) in [
            ("three, of which two are listed", 3, vec![crit(3, 30), crit(2, 20)], vec![]),
            ("one was acknowledged and the third comes up", 2, vec![crit(3, 30), crit(1, 10)], vec![]),
            ("a fourth pushes the first one out", 3, vec![crit(4, 40), crit(3, 30)], vec![4]),
            ("the first one is back", 2, vec![crit(3, 30), crit(1, 10)], vec![]),
            (
                "all are listed: one that says it is older is new",
                3,
                vec![crit(3, 30), crit(1, 10), crit(5, 5)],
                vec![5],
            ),
        ] {
            news.take(&Attention { count, rows });
            let told: Vec<u64> = news.told.iter().map(|((id, _), _, _)| id.0).collect();
            assert_eq!(told, want, "{name}");
        }
    }
}
