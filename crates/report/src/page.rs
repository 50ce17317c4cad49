//! The page itself. Everything that is written into it is escaped by the templates; only our own style sheet and pictures are not, and the
//! names in pictures are escaped by what draws them.

mod figures;
mod tables;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts;
use crate::health::Judged;
use crate::maps::{Drawn, Map};
use crate::past::Past;
use crate::words::{Calendar, count, of};
use figures::{Measures, figures, headline, tiles};
use tables::{deeds, happened, open, silent};

const STYLE: &str = include_str!("page/style.css");

/// No script runs and nothing is fetched, whatever stands in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The app notes that it listens more often than this, in milliseconds.
const UNHEARD_MS: u64 = 600_000;

/// All of it. `asked` is the span that was asked for, in words; `maps` are those of [`crate::maps::wanted`], with why there is none.
pub fn page(past: &Past, maps: &[(&Map, Result<Drawn, String>)], asked: &str, calendar: &Calendar) -> Markup {
    let measures = Measures::of(past, calendar);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (past.fleet) " – alarm report – " (asked) }
                style { (PreEscaped(STYLE)) (PreEscaped(charts::recoloured())) }
            }
            body {
                main {
                    (head(past, asked, calendar))
                    (unknown(past, calendar))
                    (headline(&measures))
                    (tiles(past, &measures))
                    (pictures(past, calendar))
                    (on_maps(maps))
                    (figures(&measures))
                    (open(past, calendar))
                    (happened(past, calendar))
                    (deeds(past, calendar))
                    (silent(past, calendar))
                    (notes(past))
                }
            }
        }
    }
}

/// The figures alone.
pub fn measures(past: &Past, calendar: &Calendar) -> Vec<Judged> {
    Measures::of(past, calendar).told()
}

fn head(past: &Past, asked: &str, calendar: &Calendar) -> Markup {
    html! {
        header {
            p.eyebrow { "Alarm report" }
            h1 { (past.fleet) }
            p.span { (asked) }
            p.made {
                "Times of " (calendar.zone()) ". Made " (calendar.moment(past.now))
                @match past.listened {
                    Some(at) => { "; the cache it is made of was last connected " (calendar.moment(at)) "." }
                    None => { "; the cache it is made of was never connected." }
                }
            }
        }
    }
}

/// Of which part of the span nobody knows: where nobody listened there were no alarms, and that is no good sign.
fn unknown(past: &Past, calendar: &Calendar) -> Markup {
    let heard = past.listened.filter(|at| past.span.end.since(*at) > UNHEARD_MS);
    html! {
        @match past.begins {
            Some(at) if past.span.contains(&at) => {
                p.unheard { "This cache begins " strong { (calendar.moment(at)) } ". Of the time before that nothing is known, and everything below is of the time since then." }
            }
            Some(at) => { p.unheard { "Nothing is known of this time: this cache begins " strong { (calendar.moment(at)) } "." } }
            None => {}
        }
        @if let Some(at) = heard {
            p.unheard { "Nobody has listened since " strong { (calendar.moment(at)) } ". What was raised or cleared after that is not known." }
        }
    }
}

fn pictures(past: &Past, calendar: &Calendar) -> Markup {
    let clock = calendar.clock();
    let (health, happenings) = (&past.health, &past.happenings);
    let names = past.rule_names(health.by_rule.iter().map(|(rule, _)| rule.as_str()));
    let rules: Vec<(String, u64)> = names.into_iter().zip(health.by_rule.iter().map(|(_, n)| *n)).collect();
    let things: Vec<(String, u64)> = health.by_thing.iter().map(|(key, n)| (past.thing(*key).title, *n)).collect();
    html! {
        section.pictures {
            @match charts::raised(happenings, &past.span, &clock) {
                Ok(raised) => { (figure(&raised.told, "", Ok(raised.svg))) }
                Err(error) => { (figure("Alarms raised", "", Err(error.to_string()))) }
            }
            (figure(
                "Alarms open at each moment",
                "active, or not yet acknowledged",
                charts::open(happenings, &past.span, &clock).map_err(|error| error.to_string()),
            ))
            div.pair {
                (ranked("What was raised most", &rules, health.raised))
                (ranked("Which things raised most", &things, health.raised))
            }
        }
    }
}

/// A picture with its heading; where it could not be drawn, why.
fn figure(heading: &str, told: &str, svg: Result<String, String>) -> Markup {
    html! {
        figure {
            figcaption { h2 { (heading) } @if !told.is_empty() { p { (told) } } }
            @match svg {
                Ok(svg) => { div.chart role="img" aria-label=(heading) { (PreEscaped(svg)) } }
                Err(error) => { p.none { (error) } }
            }
        }
    }
}

fn on_maps(maps: &[(&Map, Result<Drawn, String>)]) -> Markup {
    html! {
        @if !maps.is_empty() {
            section.pictures {
                div.pair {
                    @for (map, drawn) in maps {
                        figure {
                            @match drawn {
                                Ok(drawn) => {
                                    figcaption { h2 { (map.heading) } p { (drawn.told(map)) } }
                                    (picture(map, drawn))
                                }
                                Err(why) => {
                                    figcaption { h2 { (map.heading) } p { (map.told) } }
                                    p.none { "The map could not be drawn: " (why) "." }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The one that goes with its reader's scheme; on paper the light one.
fn picture(map: &Map, drawn: &Drawn) -> Markup {
    let data = |png: &[u8]| format!("data:image/png;base64,{}", BASE64.encode(png));
    let names: Vec<&str> = map.places.iter().rev().filter_map(|place| place.label.as_deref()).collect();
    let told = format!("{}: {}", map.heading, if names.is_empty() { map.told.clone() } else { names.join(", ") });
    html! {
        picture.map {
            source media="screen and (prefers-color-scheme: dark)" srcset=(data(&drawn.dark));
            img src=(data(&drawn.light)) alt=(told);
        }
    }
}

fn ranked(heading: &str, rows: &[(String, u64)], all: u64) -> Markup {
    let shown: u64 = rows.iter().map(|(_, n)| n).sum();
    let told = if shown == all {
        of(all, "alarm", "alarms")
    } else {
        format!("{} of {}", count(shown), of(all, "alarm", "alarms"))
    };
    if rows.is_empty() {
        return html! { figure { figcaption { h2 { (heading) } } p.none { "No alarm was raised." } } };
    }
    figure(heading, &told, charts::ranks(rows).map_err(|error| error.to_string()))
}

/// What the reader should know of where this comes from.
fn notes(past: &Past) -> Markup {
    let health = &past.health;
    html! {
        footer {
            h2 { "About these figures" }
            ul {
                li {
                    "An alarm is one row in the cache, with the last time it was raised. "
                    @if health.untimed > 0 {
                        "Those of this span had been raised " strong { (of(health.untimed, "time", "times")) }
                        " before while they were open; nobody kept when, so no figure, chart or row counts these."
                    } @else {
                        "None of this span had been raised before while it was open."
                    }
                    " One that was open in this span and was raised again after it stands in a later report."
                }
                li {
                    "While our own link was down, and while the program did not run, nobody listened: alarms of that time are not known, "
                    "and it counts as time without alarms."
                }
                li { "Ended alarms go from the cache by their age (Settings); a report of longer ago tells of those that are left. The audit log stays." }
                li {
                    "Alarms an hour, time in flood, stale, chattering and priorities are held against ANSI/ISA-18.2 and EEMUA 191, "
                    "which mean one operator. The other targets are ours. A figure is not judged where there is too little to judge by: "
                    "a rate in less than an hour, priorities of fewer than 20 alarms."
                }
                li { "How commands ended is as known when this was made, also where that was after the span." }
            }
        }
    }
}
