//! The figures with what they should be, and whether they are.

use fleetlens_model::alarm::health::{Figure, Health, Share, Verdict};
use maud::{Markup, html};

use crate::health::Judged;
use crate::past::Past;
use crate::words::{Calendar, count, length, number, of};

/// A figure as it is told.
pub struct Measure {
    name: &'static str,
    value: String,
    target: &'static str,
    verdict: Verdict,
    note: String,
}

/// All of them; a tile shows one beside a count.
pub struct Measures {
    an_hour: Measure,
    in_flood: Measure,
    stale: Measure,
    chattering: Measure,
    split: Measure,
    standing: Measure,
    unanswered: Measure,
    to_acknowledge: Measure,
}

impl Measures {
    /// As the health of a past has them.
    pub fn of(past: &Past, calendar: &Calendar) -> Measures {
        let health = &past.health;
        let told = |figure: &Figure, unit: &str| figure.value.map_or("–".to_owned(), |value| number(value) + unit);
        let measure = |name, figure: &Figure, unit, target, note| Measure {
            name,
            value: told(figure, unit),
            target,
            verdict: figure.verdict(),
            note,
        };
        Measures {
            an_hour: measure(
                "Alarms an hour",
                &health.an_hour,
                "",
                "6 or fewer, 12 at the most",
                format!(
                    "{} in {}",
                    of(health.raised, "alarm", "alarms"),
                    length(health.span.end.since(health.span.start))
                ),
            ),
            in_flood: measure("Time in flood", &health.in_flood_pct, " %", "below 1 %", floods(health, calendar)),
            stale: measure(
                "Stale alarms",
                &health.stale,
                "",
                "fewer than 5",
                "stood for more than 24 hours at the end".to_owned(),
            ),
            chattering: measure(
                "Chattering",
                &health.chattering,
                "",
                "none",
                "one rule of one thing, three times or more within a minute".to_owned(),
            ),
            split: split(health),
            standing: measure(
                "Alarms that did not return",
                &health.standing_pct,
                " %",
                "10 % or less, 30 % at the most",
                "of those raised over an hour before the end, still so then".to_owned(),
            ),
            unanswered: measure(
                "Unacknowledged alarms",
                &health.unanswered,
                "",
                "none, 4 at the most",
                "for more than an hour, at the end".to_owned(),
            ),
            to_acknowledge: Measure {
                value: health.answers.map_or("–".to_owned(), |answers| length(answers.median_ms)),
                ..measure(
                    "Time to acknowledge",
                    &health.to_acknowledge_min,
                    "",
                    "10 min or less, 1 h at the most",
                    health.answers.map_or("nobody acknowledged anything".to_owned(), |answers| {
                        let of_all = of(answers.count, "acknowledgement", "acknowledgements");
                        format!("the median of {of_all}; nine of ten within {}", length(answers.p90_ms))
                    }),
                )
            },
        }
    }

    /// As they are told elsewhere.
    pub fn told(&self) -> Vec<Judged> {
        let told = |one: &Measure| {
            let Measure { name, value, target, verdict, note } = one;
            Judged { name, value: value.clone(), target, verdict: *verdict, note: note.clone() }
        };
        self.all().into_iter().map(told).collect()
    }

    fn all(&self) -> [&Measure; 8] {
        [
            &self.an_hour,
            &self.in_flood,
            &self.stale,
            &self.chattering,
            &self.split,
            &self.to_acknowledge,
            &self.unanswered,
            &self.standing,
        ]
    }
}

fn floods(health: &Health, calendar: &Calendar) -> String {
    let longest = health.floods.iter().max_by_key(|flood| flood.end.since(flood.start));
    let Some(longest) = longest else { return "no flood: more than 10 new alarms in 10 minutes".to_owned() };
    let told = format!("{} from {}", length(longest.end.since(longest.start)), calendar.short(longest.start));
    match health.floods.len() {
        1 => format!("one flood: {told}"),
        more => format!("{more} floods, the longest {told}"),
    }
}

/// The priorities, the lowest first.
fn split(health: &Health) -> Measure {
    let told = |of: &dyn Fn(&Share) -> String| health.split.iter().map(of).collect::<Vec<_>>().join(" · ");
    let should = told(&|share| format!("{} {} %", share.priority.label(), number(share.target_pct)));
    let off = health.off_split_pct;
    Measure {
        name: "Priorities",
        value: if health.raised == 0 {
            "–".to_owned()
        } else {
            told(&|share| format!("{} {} %", share.priority.label(), share.pct.round()))
        },
        target: "5 points off or less, 15 at the most",
        verdict: off.verdict(),
        note: format!("should be about {should}"),
    }
}

/// What a verdict is called, and its sign: colour is never the only one.
fn sign(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::Good => ("good", "✓", "Good"),
        Verdict::Fair => ("fair", "▲", "Fair"),
        Verdict::Poor => ("poor", "◆", "Poor"),
        Verdict::Unknown => ("unknown", "–", "Not judged"),
    }
}

fn badge(verdict: Verdict) -> Markup {
    let (class, sign, word) = sign(verdict);
    html! { span.badge.(class) { span.sign aria-hidden="true" { (sign) } (word) } }
}

/// How it stands, in a sentence.
pub fn headline(measures: &Measures) -> Markup {
    let all = measures.all();
    let named = |verdict: Verdict| {
        let names: Vec<String> =
            all.iter().filter(|one| one.verdict == verdict).map(|one| one.name.to_lowercase()).collect();
        names
    };
    let (fair, poor) = (named(Verdict::Fair), named(Verdict::Poor));
    let judged = all.iter().filter(|one| one.verdict != Verdict::Unknown).count();
    let class = if !poor.is_empty() {
        "poor"
    } else if !fair.is_empty() {
        "fair"
    } else {
        "good"
    };
    html! {
        p.headline.(class) {
            @if poor.is_empty() && fair.is_empty() {
                strong { "All is as it should be." } " " (judged) " of " (all.len()) " figures could be judged."
            } @else {
                strong {
                    @match poor.len() + fair.len() {
                        1 => { "1 of " (judged) " figures is not as it should be." }
                        more => { (more) " of " (judged) " figures are not as they should be." }
                    }
                }
                @if !poor.is_empty() { " Poor: " (poor.join(", ")) "." }
                @if !fair.is_empty() { " Fair: " (fair.join(", ")) "." }
            }
        }
    }
}

/// The counts, each with the figure that judges it.
pub fn tiles(past: &Past, measures: &Measures) -> Markup {
    let health = &past.health;
    let unseen =
        if health.open > 0 { format!("{} not acknowledged", count(health.unseen)) } else { "nothing is open".into() };
    let tile = |name: &str, value: &str, told: &str, judged: &Measure| {
        html! {
            div.tile {
                p.name { (name) (badge(judged.verdict)) }
                p.value { (value) }
                p.told { (told) }
                p.target { "Target: " (judged.target) }
            }
        }
    };
    let told_of =
        |figure: &Figure, told: String, nothing: &str| if figure.value.is_some() { told } else { nothing.to_owned() };
    let an_hour = told_of(&health.an_hour, format!("{} an hour", measures.an_hour.value), "in less than an hour");
    let standing = told_of(
        &health.standing_pct,
        format!("{} of those over an hour old did not return", measures.standing.value),
        "none was raised over an hour before the end",
    );
    html! {
        section.tiles aria-label="Summary" {
            (tile("Raised", &count(health.raised), &an_hour, &measures.an_hour))
            (tile("Cleared", &count(health.cleared), &standing, &measures.standing))
            (tile("Still open", &count(health.open), &format!("{unseen}; {} stale", measures.stale.value), &measures.stale))
            (tile("Acknowledged", &count(health.acknowledged), &format!("{} not seen for over an hour", measures.unanswered.value), &measures.unanswered))
            (tile("Time to acknowledge", &measures.to_acknowledge.value, &nine_of_ten(health), &measures.to_acknowledge))
            (tile("Time in flood", &measures.in_flood.value, &measures.in_flood.note, &measures.in_flood))
        }
    }
}

fn nine_of_ten(health: &Health) -> String {
    health.answers.map_or("nobody acknowledged anything".to_owned(), |answers| {
        format!("the median; nine of ten within {}", length(answers.p90_ms))
    })
}

/// Every figure, in a table.
pub fn figures(measures: &Measures) -> Markup {
    html! {
        section {
            h2 { "How well the alarms serve" }
            table.figures {
                thead { tr { th { "Figure" } th { "Value" } th { "Target" } th { "Verdict" } } }
                tbody {
                    @for one in measures.all() {
                        tr {
                            th scope="row" { (one.name) p.note { (one.note) } }
                            td.number { (one.value) }
                            td { (one.target) }
                            td { (badge(one.verdict)) }
                        }
                    }
                }
            }
        }
    }
}
