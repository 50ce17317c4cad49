//! The report that people copy and mail: plain text, times in UTC, nothing secret.

use std::fmt::Write as _;

use fleetlens_model::figures::{CacheFigures, Spread, WriterFigures};
use fleetlens_model::time::WallMs;

use super::{
    Check, Diagnostics, DiskFigures, Drops, EngineFigures, Level, LinkFigures, ProgramFigures, ReachFigures, masked,
};
use crate::rows::LinkState;

/// What is said where there is no figure.
const UNKNOWN: &str = "not known";

/// Columns before the value.
const LABEL: usize = 22;

/// Everything as text, each line short enough for a mail. `checks` are those of `fleetlens doctor`; a window has none.
pub fn report(all: &Diagnostics, checks: &[Check]) -> String {
    let mut text = String::new();
    line(&mut text, &format!("Fleetlens diagnostics, {}", utc(all.made_ms)));
    if !checks.is_empty() {
        head(&mut text, "Checks");
        checks.iter().for_each(|check| checked(&mut text, check));
    }
    let told_ms = all.told_ms.unwrap_or(all.made_ms);
    let of_then = |what: &str| match all.told_ms {
        Some(told_ms) => format!("{what}, as told {}", ago(all.made_ms.since(told_ms))),
        None => what.to_owned(),
    };
    head(&mut text, &of_then("Program"));
    program(&mut text, &all.program);
    if let Some(link) = &all.link {
        head(&mut text, &of_then("Link"));
        the_link(&mut text, link, told_ms);
    }
    if let Some(engine) = &all.engine {
        head(&mut text, &of_then("Engine"));
        the_engine(&mut text, engine, all.writer.as_ref());
    }
    if all.cache.is_some() || all.disk.is_some() {
        head(&mut text, "Cache");
        cache(&mut text, all.cache.as_ref(), all.disk.as_ref(), all.made_ms);
    }
    if let Some(drops) = &all.drops {
        head(&mut text, &of_then("Drops since the start"));
        dropped(&mut text, drops, all.writer.as_ref());
    }
    if let Some(reach) = &all.reach {
        head(&mut text, &of_then("People outside the windows"));
        reached(&mut text, reach);
    }
    if !all.troubles.is_empty() {
        head(&mut text, "Last troubles in the log");
        all.troubles.iter().for_each(|trouble| line(&mut text, &format!("  {trouble}")));
    }
    masked(&text).into_owned()
}

fn checked(text: &mut String, check: &Check) {
    line(text, &format!("  {:<6} {:<13} {}", check.level.word(), check.what, check.found));
    if check.level > Level::Ok && !check.todo.is_empty() {
        line(text, &format!("  {:<6} {:<13} -> {}", "", "", check.todo));
    }
}

fn program(text: &mut String, program: &ProgramFigures) {
    let ProgramFigures { version, contract, sqlite, schema, system, uptime_ms, resident_bytes, log_file, log_dropped } =
        program;
    fact(text, "version", &format!("{version} (contract {contract}, tables {schema}, SQLite {sqlite})"));
    fact(text, "system", system);
    // Nothing more is known of a program that does not run.
    let Some(uptime_ms) = *uptime_ms else { return };
    fact(text, "runs for", &span(uptime_ms));
    fact(text, "memory", &or_unknown(*resident_bytes, bytes));
    fact(text, "log", log_file.as_deref().unwrap_or("in no file"));
    fact(text, "log lines dropped", &or_unknown(*log_dropped, count));
}

fn the_link(text: &mut String, link: &LinkFigures, now: WallMs) {
    fact(text, "broker", &link.broker);
    let state = match &link.state {
        LinkState::Starting => "nothing was tried yet".to_owned(),
        LinkState::Up { since_ms } => format!("up for {}", span(now.since(*since_ms))),
        LinkState::Connecting { reason, since_ms } => {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("down for {}, trying{reason}", span(now.since(*since_ms)))
        }
    };
    fact(text, "now", &state);
    fact(text, "guarantee", &link.guarantee);
    fact(text, "reconnects", &count(link.connects.saturating_sub(1)));
    let inbox = link.inbox_waiting.zip(link.inbox_places);
    let inbox = inbox.map(|(waiting, places)| format!("{} of {} places", count(waiting), count(places)));
    fact(text, "inbox", inbox.as_deref().unwrap_or(UNKNOWN));
    fact(text, "publishes unfinished", &or_unknown(link.unfinished, count));
    fact(text, "messages a second", &format!("{:.1}", link.per_s));
    fact(text, "newest message", &link.last_message_age_ms.map_or("none came".to_owned(), ago));
}

fn the_engine(text: &mut String, engine: &EngineFigures, writer: Option<&WriterFigures>) {
    fact(text, "profile", &engine.profile);
    fact(text, "things", &count(engine.things));
    fact(text, "windows", &count(u64::from(engine.windows)));
    fact(text, "received", &count(engine.received));
    fact(text, "stored", &count(engine.stored));
    let reads = if engine.is_reading { "" } else { ", the link is not read" };
    fact(text, "writes gathered", &format!("{} of {}{reads}", count(engine.gathered), count(engine.gather_max)));
    let waiting = if engine.requests_waiting == 0 {
        String::new()
    } else {
        format!(", {} wait for room", count(engine.requests_waiting))
    };
    fact(text, "requests", &format!("{} of {}{waiting}", count(engine.requests), count(engine.requests_max)));
    let in_flight = engine.in_flight.map_or("none".to_owned(), |batch| {
        let failed = if batch.failed == 0 { String::new() } else { format!(", failed {} times", batch.failed) };
        format!("{} writes for {}{failed}", count(batch.writes), span(batch.age_ms))
    });
    fact(text, "batch on its way", &in_flight);
    fact(text, "commits", &engine.commits.as_ref().map_or("none in the last minutes".to_owned(), commits));
    fact(text, "last commit", &engine.last_commit_age_ms.map_or("none".to_owned(), ago));
    fact(text, "writer's queue", &or_unknown(writer.map(|writer| writer.waiting), count));
    let unpacked =
        writer.map(|writer| format!("{} samples, {}", count(writer.unpacked_samples), bytes(writer.unpacked_bytes)));
    fact(text, "not yet packed", unpacked.as_deref().unwrap_or(UNKNOWN));
    if let Some(fault) = &engine.cache_fault {
        fact(text, "cannot be written", fault);
    }
}

fn commits(spread: &Spread) -> String {
    let Spread { count: n, over_s, p50_us, p99_us, max_us } = *spread;
    let [p50, p99, max] = [p50_us, p99_us, max_us].map(|us| format!("{:.1} ms", us as f64 / 1e3));
    format!("{} in {}: half within {p50}, 99 % within {p99}, longest {max}", count(n), span(u64::from(over_s) * 1_000))
}

fn cache(text: &mut String, cache: Option<&CacheFigures>, disk: Option<&DiskFigures>, now: WallMs) {
    if let Some(disk) = disk {
        fact(text, "file", &disk.file);
        let whole = disk.whole_bytes.map(|whole| format!(" of {}", bytes(whole))).unwrap_or_default();
        fact(text, "free on its disk", &format!("{}{whole}", or_unknown(disk.free_bytes, bytes)));
    }
    let Some(cache) = cache else { return };
    fact(text, "size", &format!("{} and a log of {}", bytes(cache.file_bytes), bytes(cache.log_bytes)));
    let free = cache.free_pages.saturating_mul(cache.page_bytes);
    fact(text, "free pages", &format!("{} ({})", count(cache.free_pages), bytes(free)));
    fact(text, "tables", &format!("version {}", cache.schema));
    let age = |at: Option<WallMs>| at.map_or("none".to_owned(), |at| format!("{} ({})", aged(at, now), utc(at)));
    fact(text, "oldest sample", &age(cache.oldest_ms));
    fact(text, "newest sample", &age(cache.newest_ms));
    let packing =
        format!("{} batches, the oldest sample {}", count(cache.unpacked_batches), age(cache.oldest_unpacked_ms));
    fact(text, "waits to be packed", if cache.unpacked_batches == 0 { "nothing" } else { &packing });
    fact(text, "link last up", &age(cache.link_seen_ms));
    fact(text, "read in", &format!("{} ms", cache.read_in_ms));
    for (kind, share) in cache.kinds.iter().filter(|(_, share)| share.bytes > 0 || share.entries > 0) {
        let entries = if share.entries == 0 { String::new() } else { count(share.entries) };
        line(text, &format!("    {:<24}{entries:>14}{:>12}", kind.label(), bytes(share.bytes)));
    }
}

fn dropped(text: &mut String, drops: &Drops, writer: Option<&WriterFigures>) {
    fact(text, "shed at QoS 0", &count(drops.shed));
    for row in &drops.sheds {
        let topic = if row.topic.is_empty() { "all other topics" } else { &row.topic };
        line(text, &format!("    {} x {topic}", count(row.count)));
    }
    fact(text, "refused", &count(drops.refused));
    for row in &drops.refusals {
        line(text, &format!("    {} x {}: {}", count(row.count), row.topic, row.reason));
    }
    fact(text, "sent again, known", &count(drops.repeated));
    let of = |read: fn(&WriterFigures) -> u64| or_unknown(writer.map(read), count);
    fact(text, "samples known", &of(|writer| writer.duplicates));
    fact(text, "rows left out", &of(|writer| writer.left_out));
    fact(text, "damage met", &of(|writer| writer.damaged));
}

fn reached(text: &mut String, reach: &ReachFigures) {
    for route in &reach.routes {
        let fault = route.fault.as_deref().map(|fault| format!("; last attempt: {fault}")).unwrap_or_default();
        let [waiting, delivered, left_out] = [route.waiting, route.delivered, route.left_out].map(count);
        fact(text, &route.name, &format!(" {waiting} wait, {delivered} delivered, {left_out} left out{fault}"));
    }
    fact(text, "not taken in", &count(reach.missed));
    fact(text, "not watched", &count(reach.unwatched));
    if let Some(fault) = &reach.fault {
        fact(text, "cannot be kept", fault);
    }
}

fn head(text: &mut String, words: &str) {
    line(text, "");
    line(text, words);
}

fn fact(text: &mut String, label: &str, value: &str) {
    line(text, &format!("  {label:<LABEL$}{value}"));
}

/// One line whatever stands in it: what strangers wrote is in it too.
fn line(text: &mut String, words: &str) {
    let words = fleetlens_model::text::shown(words);
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{words}");
}

fn or_unknown(figure: Option<u64>, words: fn(u64) -> String) -> String {
    figure.map_or(UNKNOWN.to_owned(), words)
}

fn ago(ms: u64) -> String {
    format!("{} ago", span(ms))
}

fn aged(at: WallMs, now: WallMs) -> String {
    if at > now { format!("{} ahead of our clock", span(at.since(now))) } else { ago(now.since(at)) }
}

/// A number with grouped thousands.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A size in decimal units: `1.9 GB`.
pub fn bytes(n: u64) -> String {
    let (value, unit) = match n {
        0..1_000 => return format!("{n} B"),
        1_000..1_000_000 => (n as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (n as f64 / 1e6, "MB"),
        _ => (n as f64 / 1e9, "GB"),
    };
    format!("{value:.1} {unit}")
}

/// A stretch of time, in one unit: `40 ms`, `4.2 s`, `26 min`, `3 h`, `5 d`.
pub fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1e3),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

/// A moment in UTC: `2026-11-22 08:06:19 UTC`.
pub fn utc(at: WallMs) -> String {
    let s = at.0.div_euclid(1_000);
    let (day, second) = (s.div_euclid(86_400), s.rem_euclid(86_400));
    // Years of 400 years' cycles that begin in March, so that the leap day is the last of its year.
    let shifted = day.saturating_add(719_468);
    let (cycle, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, later) = if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
    let year = year + cycle * 400 + later;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
}

#[cfg(test)]
mod tests {
    use fleetlens_model::figures::CacheKind;
    use fleetlens_model::record::Share;

    use super::*;
    use crate::diagnostics::{InFlight, RouteFigures};
    use crate::rows::{RefusalRow, ShedRow};

    const NOW: WallMs = WallMs(1_795_334_779_000);

    fn everything() -> Diagnostics {
        let row = |n| RefusalRow { topic: "a/\u{202e}b".into(), reason: "not JSON".into(), count: n, last_ms: NOW };
        Diagnostics {
            made_ms: NOW,
            told_ms: None,
            program: ProgramFigures { version: "0.1.0".into(), uptime_ms: Some(62_000), ..ProgramFigures::default() },
            link: Some(LinkFigures {
                state: LinkState::Connecting {
                    reason: Some("mqtts://ada:hunter2@h refused".into()),
                    since_ms: NOW.plus(-7_300_000),
                },
                broker: "mqtts://h · MQTT 5".into(),
                guarantee: "messages at QoS 1".into(),
                connects: 3,
                inbox_waiting: Some(12),
                inbox_places: Some(1_000),
                unfinished: None,
                per_s: 4.25,
                last_message_age_ms: None,
            }),
            engine: Some(EngineFigures {
                profile: "Harbour".into(),
                things: 12_345,
                windows: 1,
                received: 1_000_000,
                stored: 999,
                gathered: 20_000,
                gather_max: 20_000,
                is_reading: false,
                requests: 200,
                requests_max: 200,
                requests_waiting: 1_300,
                in_flight: Some(InFlight { age_ms: 2_500, writes: 700, failed: 2 }),
                commits: Some(Spread { count: 40, over_s: 300, p50_us: 900, p99_us: 12_000, max_us: 12_345 }),
                last_commit_age_ms: Some(4_000),
                cache_fault: None,
            }),
            writer: Some(WriterFigures { waiting: 1, ..WriterFigures::default() }),
            cache: Some(CacheFigures {
                kinds: vec![(CacheKind::Samples, Share { entries: 20_000_000, bytes: 27_000_000 })],
                oldest_ms: Some(NOW.plus(-5 * 86_400_000)),
                newest_ms: Some(NOW.plus(10_000)),
                ..CacheFigures::default()
            }),
            disk: Some(DiskFigures { file: "/x/malta.db".into(), free_bytes: Some(5), whole_bytes: None }),
            drops: Some(Drops {
                shed: 3,
                refusals: vec![row(7)],
                sheds: vec![ShedRow { topic: String::new(), count: 3, last_ms: NOW }],
                ..Drops::default()
            }),
            reach: Some(ReachFigures {
                routes: vec![RouteFigures {
                    name: "duty".into(),
                    waiting: 1_002,
                    delivered: 7,
                    left_out: 3,
                    fault: Some("no connection".into()),
                }],
                missed: 4,
                unwatched: 0,
                fault: Some("the disk is full".into()),
            }),
            troubles: vec!["2026-11-22T08:00:00Z ERROR x: password=hunter2".into()],
        }
    }

    #[test]
    fn a_report_says_everything_and_nothing_secret() {
        let checks = [Check::fault("broker", "nobody answers", "start it"), Check::ok("clock", "fine")];
        let text = report(&everything(), &checks);
        for part in [
            "Fleetlens diagnostics, 2026-11-22 08:06:19 UTC",
            "  fault  broker        nobody answers\n                       -> start it\n  ok     clock         fine\n",
            "down for 2 h, trying: mqtts://…@h refused",
            "  memory                not known\n",
            "  inbox                 12 of 1 000 places\n",
            "  publishes unfinished  not known\n",
            "  newest message        none came\n",
            "20 000 of 20 000, the link is not read",
            "200 of 200, 1 300 wait for room",
            "700 writes for 2.5 s, failed 2 times",
            "40 in 5 min: half within 0.9 ms, 99 % within 12.0 ms, longest 12.3 ms",
            "    samples, packed             20 000 000     27.0 MB\n",
            "10.0 s ahead of our clock",
            "    3 x all other topics\n",
            "    7 x a/\\u{202e}b: not JSON\n",
            "  duty                   1 002 wait, 7 delivered, 3 left out; last attempt: no connection\n",
            "  not taken in          4\n",
            "  cannot be kept        the disk is full\n",
            "ERROR x: password=…",
        ] {
            assert!(text.contains(part), "it does not say {part:?}:\n{text}");
        }
        assert!(!text.contains("hunter2") && !text.contains("ada"), "{text}");
        let earlier = Diagnostics { made_ms: NOW.plus(7_000), told_ms: Some(NOW), ..everything() };
        let text = report(&earlier, &[]);
        assert!(text.contains("Engine, as told 7.0 s ago\n") && text.contains("down for 2 h"), "{text}");
        assert!(!report(&Diagnostics::default(), &[]).contains("runs for"), "of a program that does not run");
    }

    #[test]
    fn it_survives_the_wire() {
        let all = everything();
        assert_eq!(crate::decode::<Diagnostics>(&crate::encode(&all).unwrap()), Ok(all));
    }

    #[test]
    fn moments_are_told_in_utc() {
        for (ms, want) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_399_999, "2000-02-28 23:59:59 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199_000, "2024-02-29 23:59:59 UTC"),
            (4_102_444_800_000, "2100-01-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(WallMs(ms)), want);
        }
    }
}
