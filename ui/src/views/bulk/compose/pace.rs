//! How fast things are asked, and how far when it goes wrong.

use fleetlens_model::bulk::Rollout;
use leptos::prelude::*;
use tr::tr;

use super::super::typed::{Field, Typed};
use crate::lang::{said, term};

/// What its fields are called: how many, how often, per cent, finished.
const LABELS: [&str; 4] = [
    term("Things at once"),
    term("Every, in seconds"),
    term("Abort at % failed (0: never)"),
    term("…once so many finished"),
];

/// What is typed of it. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Pace {
    batch: Field,
    every: Field,
    pct: Field,
    after: Field,
}

impl Pace {
    /// As it is at first.
    pub fn of(rollout: &Rollout) -> Pace {
        let field = |n: u32| RwSignal::new(n.to_string());
        Pace {
            batch: field(rollout.batch),
            every: field(rollout.every_s),
            pct: field(rollout.abort_at_pct.unwrap_or(0).into()),
            after: field(rollout.abort_after),
        }
    }

    /// What was typed; the error is the sentence for the screen. Tracked.
    pub fn read(self) -> Result<Rollout, String> {
        let Pace { batch, every, pct, after } = self;
        read_rollout([batch, every, pct, after].map(|field| field.get()))
    }
}

/// Where it is typed.
#[component]
pub fn PaceFields(
    /// What is typed.
    pace: Pace,
) -> impl IntoView {
    let Pace { batch, every, pct, after } = pace;
    let [of_batch, of_every, of_pct, of_after] = LABELS;
    view! {
        <Typed label=said(of_batch) field=batch testid="bulk-batch" number=true />
        <Typed label=said(of_every) field=every testid="bulk-every" number=true />
        <Typed label=said(of_pct) field=pct testid="bulk-abort" number=true />
        <Typed label=said(of_after) field=after testid="bulk-after" number=true />
    }
}

/// What was typed: batch, seconds, per cent, finished.
fn read_rollout(typed: [String; 4]) -> Result<Rollout, String> {
    let [batch, every_s, pct, abort_after] = typed;
    let [of_batch, of_every, of_pct, of_after] = LABELS;
    let pct = u8::try_from(read(of_pct, &pct)?).map_err(|_| said("it may abort at 1 to 100 % failed").to_owned())?;
    let abort_at_pct = (pct != 0).then_some(pct);
    let (batch, every_s) = (read(of_batch, &batch)?, read(of_every, &every_s)?);
    let rollout = Rollout { batch, every_s, abort_at_pct, abort_after: read(of_after, &abort_after)? };
    rollout.check().map(|()| rollout)
}

/// A whole number of a field.
fn read(label: &'static str, text: &str) -> Result<u32, String> {
    let wrong = || match text.trim() {
        "" => tr!("“{label}” takes a whole number; nothing stands there", label = said(label)),
        text => tr!("“{label}” takes a whole number, not {typed}", label = said(label), typed = format!("{text:?}")),
    };
    text.trim().parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_a_rollout_or_a_sentence() {
        let typed = |texts: [&str; 4]| read_rollout(texts.map(str::to_owned));
        let want = Rollout { batch: 5, every_s: 2, abort_at_pct: None, abort_after: 1 };
        assert_eq!(typed(["5", " 2 ", "0", "1"]), Ok(want));
        assert_eq!(typed(["5", "2", "20", "1"]).map(|rollout| rollout.abort_at_pct), Ok(Some(20)));
        assert_eq!(untrack(|| Pace::of(&want).read()), Ok(want), "what stands there at first is read as it was");
        for (texts, says) in [
            (["x", "2", "0", "1"], "“Things at once” takes a whole number, not \"x\""),
            (["5", " ", "0", "1"], "“Every, in seconds” takes a whole number; nothing stands there"),
            (["0", "2", "0", "1"], "a batch is 1 to"),
            (["5", "2", "300", "1"], "1 to 100 %"),
        ] {
            let refused = typed(texts).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
