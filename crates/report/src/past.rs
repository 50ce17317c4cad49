//! Everything that a report tells, read out of a cache.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use fleetlens_model::alarm::Alarm;
use fleetlens_model::alarm::flood::Limits;
use fleetlens_model::alarm::health::{Happening, Health};
use fleetlens_model::id::ThingKey;
use fleetlens_model::text::shown;
use fleetlens_model::time::WallMs;
use fleetlens_store::Reading;

use crate::deeds::{self, Deed};
use crate::{Asked, ReportError};

/// A thing as the page names it; hidden characters of its names are written out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// As its broker spells it.
    pub name: String,
    /// What people call it; the name where nobody said.
    pub title: String,
    /// Street and district, as far as known.
    pub place: String,
}

/// A past.
pub struct Past {
    /// The fleet's profile.
    pub fleet: String,
    /// What is told of: what was asked for, without what lies before the cache begins.
    pub span: Range<WallMs>,
    /// When the cache begins, where that is later than what was asked for.
    pub begins: Option<WallMs>,
    pub now: WallMs,
    pub things: HashMap<ThingKey, Named>,
    /// Their keys by their names.
    pub by_name: HashMap<String, ThingKey>,
    /// Those whose life touches the span, in the order in which they were last raised.
    pub alarms: Vec<Alarm>,
    /// The same as the figures count them, in the same order.
    pub happenings: Vec<Happening>,
    pub health: Health,
    /// Who did what.
    pub deeds: Vec<Deed>,
    /// Things that were silent when somebody last listened, by name.
    pub silent: Vec<Named>,
    /// When that was.
    pub listened: Option<WallMs>,
}

impl Past {
    /// Reads it. `span` has a length.
    pub fn read(reading: &Reading, asked: &Asked) -> Result<Past, ReportError> {
        let begins = begins(reading, asked)?;
        let span = begins.filter(|begins| *begins < asked.span.end).unwrap_or(asked.span.start)..asked.span.end;
        let things: HashMap<ThingKey, Named> = reading
            .things()?
            .into_iter()
            .map(|(key, name, meta)| {
                let title = if meta.title.is_empty() { name.as_str() } else { &meta.title };
                let place: Vec<&str> =
                    [meta.street.as_str(), &meta.area].into_iter().filter(|part| !part.is_empty()).collect();
                let named = Named {
                    name: shown(name.as_str()).into_owned(),
                    title: shown(title).into_owned(),
                    place: shown(&place.join(" · ")).into_owned(),
                };
                (key, named)
            })
            .collect();
        // A flood at the beginning is made of what came before it.
        let before_ms = i64::try_from(Limits::default().within_ms).unwrap_or_default();
        let read = reading.alarms(&(span.start.plus(-before_ms)..span.end))?;
        let read: Vec<(Alarm, Happening)> = read
            .into_iter()
            // What came and went while it was off the list, people were never told of.
            .filter(|alarm| alarm.state.told_ms.is_some())
            .map(|alarm| {
                let happening = Happening::of(&alarm);
                (alarm, happening)
            })
            .collect();
        let all: Vec<Happening> = read.iter().map(|(_, happening)| happening.clone()).collect();
        let health = Health::of(&all, span.clone());
        let touches = |one: &Happening| one.ended_ms().is_none_or(|ended| ended >= span.start);
        let (alarms, happenings) = read.into_iter().filter(|(_, happening)| touches(happening)).unzip();
        let mut silent: Vec<Named> = reading.silent()?.iter().filter_map(|key| things.get(key)).cloned().collect();
        silent.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Past {
            fleet: shown(&reading.profile()?).into_owned(),
            deeds: deeds::read(reading, &span)?,
            listened: reading.link_seen()?,
            span,
            begins,
            now: asked.now,
            by_name: things.iter().map(|(key, named)| (named.name.clone(), *key)).collect(),
            things,
            alarms,
            happenings,
            health,
            silent,
        })
    }

    /// Alarms with what the figures make of them.
    pub fn told(&self) -> impl Iterator<Item = (&Alarm, &Happening)> {
        self.alarms.iter().zip(&self.happenings)
    }

    /// What rules are called for people, as the newest of their alarms say; with the id where two are called the same, and the id alone
    /// where none says. In the order of `rules`.
    pub fn rule_names<'a>(&self, rules: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
        let newest = |rule: &str| self.alarms.iter().rev().find(|alarm| alarm.rule == rule);
        let named = |rule: &'a str| newest(rule).map(|alarm| alarm.name.as_str()).filter(|name| !name.is_empty());
        let told = |rule: &'a str| match named(rule) {
            Some(name) if rules.clone().filter(|other| named(other) == Some(name)).count() > 1 => {
                format!("{} ({})", shown(name), shown(rule))
            }
            Some(name) => shown(name).into_owned(),
            None => shown(rule).into_owned(),
        };
        rules.clone().map(told).collect()
    }

    /// A thing by its key; its number where the cache has no name of it.
    pub fn thing(&self, key: ThingKey) -> Named {
        self.things.get(&key).cloned().unwrap_or_else(|| {
            let name = format!("thing {}", key.0);
            Named { title: name.clone(), name, place: String::new() }
        })
    }
}

/// When a cache begins: with its oldest value, or an alarm or an entry of the audit log from before that, since values go first. `None`
/// where that is before what was asked for, and where it has no values to tell by.
fn begins(reading: &Reading, asked: &Asked) -> Result<Option<WallMs>, ReportError> {
    let Some(oldest) = reading.stats()?.oldest_ms.filter(|oldest| *oldest > asked.span.start) else { return Ok(None) };
    let alarms = reading.alarms(&(asked.span.start..oldest))?;
    let mut first = alarms.first().map_or(oldest, |alarm| alarm.raised_ms().min(oldest));
    reading.audit(|row| {
        first = row.entry.map_or(first, |entry| first.min(entry.at_ms));
        ControlFlow::Break(())
    })?;
    Ok(Some(first).filter(|first| *first > asked.span.start))
}
