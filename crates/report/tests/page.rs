//! The page of a cache, by its structure: what is counted, what is folded, what is said where there is nothing, and that whatever
//! strangers wrote is text in it.
#![cfg(test)]

use std::path::Path;
use std::sync::Arc;

use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::audit::{By, Entry, Event};
use fleetlens_model::id::{AlarmId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_report::{Asked, ReportError, TimeZone, html};
use fleetlens_store::{Reading, Store};

const HOUR: i64 = 3_600_000;

/// 2026-10-24T22:00:00Z: midnight in Malta, on the day on which its clocks go back.
const MIDNIGHT: i64 = 1_792_879_200_000;

fn thing(key: u32, title: &str) -> Write {
    let meta = Meta { title: title.to_owned(), ..Meta::default() };
    let name = ThingName::new(format!("lamp-{key}")).unwrap();
    Write::Thing { thing: ThingKey(key), name, meta: Box::new(meta) }
}

fn raised(id: u64, at_ms: i64) -> Alarm {
    Alarm {
        id: AlarmId(id),
        thing: ThingKey(1),
        rule: "lamp-hot".into(),
        name: "hot".into(),
        priority: Priority::Warning,
        sentence: "temperature 81 °C".into(),
        what_to_do: "Look whether the fan turns.".into(),
        assigned: String::new(),
        state: State::told(WallMs(at_ms), None, 1, None),
    }
}

fn over(id: u64, at_ms: i64, comment: &str) -> Alarm {
    let by = Actor { name: "M. Vella".into(), role: Role::Operator };
    let acknowledged = Some(Acknowledgement { by, at_ms: WallMs(at_ms + 60_000), comment: comment.into() });
    let state = State::told(WallMs(at_ms), Some(WallMs(at_ms + 120_000)), 1, acknowledged);
    Alarm { state, ..raised(id, at_ms) }
}

fn did(seq: u64, at_ms: i64, event: Event, detail: &str) -> Write {
    let by = By::Person(Actor { name: "<b>eve</b>".into(), role: Role::Technician });
    Write::Audit(Box::new(Entry {
        seq,
        at_ms: WallMs(at_ms),
        by,
        thing: "lamp-1".into(),
        shadow: String::new(),
        command: None,
        trace: String::new(),
        event,
        after_ms: None,
        detail: detail.into(),
    }))
}

fn cache(folder: &Path, writes: Vec<Write>) -> Reading {
    let path = folder.join("malta.db");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (store, _) = Store::open(&path, "malta", 1).unwrap();
        store.commit(Arc::new(writes)).await.unwrap();
        store.close().await.unwrap();
    });
    Reading::open(&path).unwrap()
}

fn alarms(all: impl IntoIterator<Item = Alarm>) -> Vec<Write> {
    all.into_iter().map(|alarm| Write::Alarm(Box::new(alarm))).collect()
}

fn asked(from_ms: i64, to_ms: i64) -> Asked {
    let zone = TimeZone::get("Europe/Malta").unwrap();
    Asked { span: WallMs(from_ms)..WallMs(to_ms), zone, now: WallMs(to_ms) }
}

/// The page of a city with these writes.
fn page(writes: Vec<Write>, from_ms: i64, to_ms: i64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), [vec![thing(1, "Lamp 1"), thing(2, "")], writes].concat());
    html(&reading, &asked(from_ms, to_ms)).unwrap()
}

/// What stands between a mark and the next one.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

/// The number in the tile of this name.
fn tile<'a>(page: &'a str, name: &str) -> &'a str {
    let tile = between(page, &format!("<p class=\"name\">{name}"), "</div>");
    between(tile, "<p class=\"value\">", "</p>")
}

/// Every element that is opened is closed, and in order.
fn is_well_formed(page: &str) -> bool {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        } else if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else {
            open.push(name);
        }
    }
    open.is_empty()
}

#[test]
fn the_tiles_count_what_happened_in_the_span_and_the_tables_name_it() {
    let writes = alarms([
        over(1, MIDNIGHT + HOUR, "on my way"),
        over(2, MIDNIGHT - 9 * HOUR, "of yesterday"),
        Alarm {
            thing: ThingKey(2),
            priority: Priority::Critical,
            name: "silent".into(),
            ..raised(3, MIDNIGHT + 2 * HOUR)
        },
        raised(4, MIDNIGHT - 30 * HOUR),
        raised(5, MIDNIGHT + 26 * HOUR),
    ]);
    let page = page(writes, MIDNIGHT, MIDNIGHT + 25 * HOUR);
    assert!(is_well_formed(&page), "{page}");
    let tiles = ["Raised", "Cleared", "Still open", "Acknowledged", "Time to acknowledge", "Time in flood"];
    assert_eq!(tiles.map(|name| tile(&page, name)), ["2", "1", "2", "1", "1 min", "0 %"]);
    let open = between(&page, "<table class=\"open\">", "</table>");
    let rows: Vec<&str> = open.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].contains("Critical") && rows[0].contains("lamp-2"), "the worst first: {open}");
    assert!(rows[1].contains("2 d 7 h") && rows[1].contains("Look whether the fan turns."), "{open}");
    let happened = between(&page, "<table class=\"happened\">", "</table>");
    let places = ["Raised", "“on my way”", "after 2 min", "silent"].map(|word| happened.find(word));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{happened}");
    assert!(!page.contains("of yesterday"));
}

#[test]
fn the_page_needs_nothing_but_itself_and_runs_nothing() {
    let page = page(alarms([raised(1, MIDNIGHT + 1)]), MIDNIGHT, MIDNIGHT + HOUR);
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"), "{page:.200}");
    assert!(
        page.contains("default-src 'none'")
            && page.contains("prefers-color-scheme: dark")
            && page.contains("@media print")
    );
    for forbidden in ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    // The names of SVG and XLink are no addresses.
    let addresses = page.matches("http").count() - page.matches("http-equiv").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
}

#[test]
fn what_strangers_wrote_is_text_wherever_it_stands() {
    const EVIL: &str = "<script>alert(1)</script>\"'&\u{202e}";
    let evil = |of: Alarm| Alarm {
        rule: EVIL.into(),
        name: EVIL.into(),
        sentence: EVIL.into(),
        what_to_do: EVIL.into(),
        ..of
    };
    let folder = tempfile::tempdir().unwrap();
    let writes = [
        vec![thing(1, EVIL), Write::Silent { thing: ThingKey(1), silent: true }],
        alarms([evil(over(1, MIDNIGHT + HOUR, EVIL)), evil(raised(2, MIDNIGHT + HOUR))]),
        vec![did(1, MIDNIGHT + HOUR, Event::AlarmAcknowledged, EVIL), did(2, MIDNIGHT + HOUR, Event::Set, EVIL)],
    ];
    let page = html(&cache(folder.path(), writes.concat()), &asked(MIDNIGHT, MIDNIGHT + 25 * HOUR)).unwrap();
    assert!(is_well_formed(&page));
    for forbidden in ["<script", "<b>", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.matches("&lt;script&gt;").count() > 8 && page.contains("&lt;b&gt;eve&lt;/b&gt;"));
    assert!(page.contains("\\u{202e}"), "what turns text round is written out");
}

#[test]
fn where_nothing_happened_the_page_says_so() {
    let page = page(vec![], MIDNIGHT, MIDNIGHT + 25 * HOUR);
    assert!(is_well_formed(&page));
    for sentence in [
        "All is as it should be.",
        "No alarm was raised.",
        "Nothing was open at Mon 26 Oct 2026, 00:00.",
        "No alarm was raised, cleared or acknowledged in this time.",
        "Nobody asked for anything or set anything in this time.",
        "No thing is silent for longer than it should be.",
        "never connected",
    ] {
        assert!(page.contains(sentence), "{sentence}");
    }
    assert_eq!(tile(&page, "Raised"), "0");
}

#[test]
fn a_day_on_which_the_clocks_change_has_all_its_hours() {
    // 02:30 comes twice: at 00:30 and at 01:30 UTC.
    let writes = alarms([over(1, MIDNIGHT + 5 * HOUR / 2, ""), over(2, MIDNIGHT + 7 * HOUR / 2, "")]);
    let page = page(writes, MIDNIGHT, MIDNIGHT + 25 * HOUR);
    assert!(page.contains("Sun 25 Oct 2026 · 25 h"), "{page:.900}");
    assert!(page.contains("UTC+2, UTC+1 from Sun 25 Oct 2026, 02:00"));
    let happened = between(&page, "<table class=\"happened\">", "</table>");
    let places = ["T02:30:00+02:00\">02:30:00", "T02:30:00+01:00\">02:30:00"].map(|time| happened.find(time));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{happened}");
}

#[test]
fn a_long_table_is_folded_and_says_how_much_and_what_is_left_out_is_said_too() {
    let many =
        |n: u64| page(alarms((1..=n).map(|id| raised(id, MIDNIGHT + id.cast_signed()))), MIDNIGHT, MIDNIGHT + HOUR);
    let rows = |page: &str| page.matches("<tr class=\"raised\">").count();
    let fits = many(500);
    assert_eq!((rows(&fits), fits.contains("<details>")), (500, false));
    let folded = many(501);
    assert_eq!(rows(&folded), 501);
    assert!(
        folded.contains("<summary>1 more row of 501, folded"),
        "{:.300}",
        between(&folded, "<details>", "</details>")
    );
    let cut = many(20_003);
    assert_eq!(rows(&cut), 20_000);
    assert!(cut.contains("3 further rows are not in this file; make a report of a shorter span to see them."));
    assert_eq!(tile(&cut, "Raised"), "20\u{202f}003", "the figures count all");
}

#[test]
fn what_nobody_kept_is_said_and_not_made_up() {
    let again = Alarm { state: State::told(WallMs(MIDNIGHT + 5), None, 4, None), ..raised(1, MIDNIGHT + 5) };
    let page = page(alarms([again, raised(2, MIDNIGHT + 6)]), MIDNIGHT, MIDNIGHT + 2 * HOUR);
    assert_eq!(tile(&page, "Raised"), "2");
    assert!(page.contains("had been raised <strong>3 times</strong> before while they were open; nobody kept when"));
}

#[test]
fn two_rules_that_are_called_the_same_are_told_apart() {
    let of = |id: u64, rule: &str, name: &str| Alarm {
        rule: rule.into(),
        name: name.into(),
        ..raised(id, MIDNIGHT + id.cast_signed())
    };
    let all = [
        of(1, "lamp-silent", "silent"),
        of(2, "gateway-silent", "silent"),
        of(3, "lamp-hot", "hot"),
        of(4, "nameless", ""),
    ];
    let page = page(alarms(all), MIDNIGHT, MIDNIGHT + HOUR);
    let most = between(&page, "What was raised most", "Which things raised most");
    for name in ["silent (gateway-silent)", "silent (lamp-silent)", "\nhot\n", "\nnameless\n"] {
        assert!(most.contains(name), "{name}: {most}");
    }
}

/// A value measured then: with the first one a cache begins.
fn measured(at_ms: i64) -> Vec<Write> {
    let sample = Sample {
        series: SeriesKey(1),
        device_ms: WallMs(at_ms),
        received_ms: WallMs(at_ms),
        seq: 1,
        value: Value::Number(1.0),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
    };
    let series = Write::Series { series: SeriesKey(1), thing: ThingKey(1), pointer: "/power_w".into() };
    vec![series, Write::Sample(sample)]
}

#[test]
fn what_lies_before_the_cache_or_after_its_last_connection_is_not_told_as_quiet() {
    let eight = MIDNIGHT + 9 * HOUR;
    let listened = |at_ms: i64| vec![Write::LinkSeen { at_ms: WallMs(at_ms) }];
    let begins = "This cache begins <strong>Sun 25 Oct 2026, 08:00</strong>";
    let unheard = "Nobody has listened since <strong>Sun 25 Oct 2026, 08:00</strong>";
    for (name, writes, said) in [
        ("the cache begins later", measured(eight), Some(begins)),
        ("an alarm of before", [measured(eight), alarms([over(2, MIDNIGHT + 1, "")])].concat(), Some("00:00</strong>")),
        ("an entry of before", [measured(eight), vec![did(1, MIDNIGHT - 1, Event::Set, "x")]].concat(), None),
        ("it listened to the end", [measured(MIDNIGHT - 1), listened(MIDNIGHT + 25 * HOUR)].concat(), None),
        ("it did not", [measured(MIDNIGHT - 1), listened(eight)].concat(), Some(unheard)),
    ] {
        let page = page([writes, alarms([raised(1, eight + HOUR)])].concat(), MIDNIGHT, MIDNIGHT + 25 * HOUR);
        let told = page.split("<p class=\"unheard\">").nth(1).map(|rest| rest.split("</p>").next().unwrap());
        assert_eq!(told.is_some(), said.is_some(), "{name}: {told:?}");
        assert!(told.zip(said).is_none_or(|(told, said)| told.contains(said)), "{name}: {told:?}");
        assert!(page.contains("Sun 25 Oct 2026 · 25 h"), "{name}");
    }
    // One alarm in 16 hours, and in 25.
    let rate = |writes: Vec<Write>| {
        let page = page([writes, alarms([raised(1, eight + HOUR)])].concat(), MIDNIGHT, MIDNIGHT + 25 * HOUR);
        between(&page, "<p class=\"told\">", "</p>").to_owned()
    };
    assert_eq!([rate(measured(eight)), rate(vec![])], ["0.1 an hour", "&lt; 0.1 an hour"]);
    let nothing = page(measured(MIDNIGHT + 30 * HOUR), MIDNIGHT, MIDNIGHT + 25 * HOUR);
    assert!(
        nothing.contains("Nothing is known of this time: this cache begins <strong>Mon 26 Oct 2026, 05:00</strong>")
    );
}

#[test]
fn a_span_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), vec![]);
    for (from, to) in [(5, 5), (6, 5)] {
        assert!(matches!(html(&reading, &asked(from, to)), Err(ReportError::NoSpan { .. })));
    }
    assert!(matches!(html(&reading, &asked(0, i64::MAX)), Err(ReportError::NoMoment(i64::MAX))));
}
