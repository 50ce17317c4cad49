//! How well the alarms serve, for whoever shows it on a screen: the figures, the pictures and the lists of the page, without the page.

use std::ops::Range;

use fleetlens_model::alarm::health::Verdict;
use fleetlens_model::id::ThingKey;
use fleetlens_model::time::WallMs;
use fleetlens_store::Reading;

use crate::page::measures;
use crate::past::Past;
use crate::words::{Calendar, of};
use crate::{Asked, ReportError, charts};

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// What it tells of: what was asked for, without what lies before the cache begins.
    pub span: Range<WallMs>,
    /// The span in words.
    pub told: String,
    /// When the cache begins, where that is within what was asked for.
    pub begins: Option<WallMs>,
    /// When we last listened, as far as the cache knows.
    pub listened: Option<WallMs>,
    /// Alarms that were raised.
    pub raised: u64,
    /// The figures, in the order of the page.
    pub figures: Vec<Judged>,
    /// The pictures over time.
    pub pictures: Vec<Picture>,
    /// The rules that raised most: id, name, how often; the most first, at most ten.
    pub by_rule: Vec<(String, String, u64)>,
    /// The things that raised most: key, name for people, place, how often; the most first, at most ten.
    pub by_thing: Vec<(ThingKey, String, String, u64)>,
    /// How many of all raised the things and rules of the lists account for, in words: `of 214 alarms`.
    pub of_all: String,
}

/// A figure with what it should be, and whether it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What is measured.
    pub name: &'static str,
    /// With its unit; a dash where there is too little to tell.
    pub value: String,
    /// What it should be.
    pub target: &'static str,
    /// Whether it is.
    pub verdict: Verdict,
    /// What it is made of.
    pub note: String,
}

/// A picture: SVG whose colours are the custom properties `--plot-ground`, `--plot-grid`, `--plot-text`, `--plot-line`, `--plot-bar`,
/// `--warn` and `--crit` of where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What it shows.
    pub heading: String,
    /// The picture.
    pub svg: String,
}

/// Reads and works it out. Blocks on the disk, as [`crate::html`] does.
pub fn health(reading: &Reading, asked: &Asked) -> Result<Health, ReportError> {
    Calendar::new(asked.zone.clone(), &asked.span)?;
    let past = Past::read(reading, asked)?;
    let calendar = Calendar::new(asked.zone.clone(), &past.span)?;
    let clock = calendar.clock();
    let names = past.rule_names(past.health.by_rule.iter().map(|(rule, _)| rule.as_str()));
    let raised = charts::raised(&past.happenings, &past.span, &clock)?;
    let open = charts::open(&past.happenings, &past.span, &clock)?;
    let of_rule = |((rule, n), name): (&(String, u64), String)| (rule.clone(), name, *n);
    let of_thing = |(key, n): &(ThingKey, u64)| {
        let named = past.thing(*key);
        (*key, named.title, named.place, *n)
    };
    Ok(Health {
        told: calendar.span(),
        begins: past.begins.filter(|at| asked.span.contains(at)),
        listened: past.listened,
        raised: past.health.raised,
        figures: measures(&past, &calendar),
        pictures: vec![
            Picture { heading: raised.told, svg: charts::in_tokens(&raised.svg) },
            Picture { heading: "Alarms open at each moment".into(), svg: charts::in_tokens(&open) },
        ],
        by_rule: past.health.by_rule.iter().zip(names).map(of_rule).collect(),
        by_thing: past.health.by_thing.iter().map(of_thing).collect(),
        of_all: format!("of {}", of(past.health.raised, "alarm", "alarms")),
        span: past.span,
    })
}
