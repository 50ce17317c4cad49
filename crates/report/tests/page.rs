//! The page of a cache, by its structure: what is counted, what is folded, what is said where there is nothing, and that whatever
//! strangers wrote is text in it.
#![cfg(test)]

use std::path::Path;
use std::sync::Arc;

use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::audit::{By, Entry, Event};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, SeriesKey, ThingKey, ThingName};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_report::{Asked, Drawn, Map, ReportError, TimeZone, html};
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

/// Where nothing draws.
fn nobody_draws(_: &Map) -> Result<Drawn, String> {
    Err("nothing draws here".to_owned())
}

/// The page of a city with these writes.
fn page(writes: Vec<Write>, from_ms: i64, to_ms: i64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), [vec![thing(1, "Lamp 1"), thing(2, "")], writes].concat());
    html(&reading, &asked(from_ms, to_ms), &mut nobody_draws).unwrap()
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
    const VOID: [&str; 4] = ["meta", "br", "img", "source"];
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
    let reading = cache(folder.path(), writes.concat());
    let page = html(&reading, &asked(MIDNIGHT, MIDNIGHT + 25 * HOUR), &mut nobody_draws).unwrap();
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
        assert!(matches!(html(&reading, &asked(from, to), &mut nobody_draws), Err(ReportError::NoSpan { .. })));
    }
    assert!(matches!(html(&reading, &asked(0, i64::MAX), &mut nobody_draws), Err(ReportError::NoMoment(i64::MAX))));
}

/// What a thing said of itself.
fn said(series: u32, at_ms: i64, value: f64) -> Write {
    let sample = Sample {
        series: SeriesKey(series),
        device_ms: WallMs(at_ms),
        received_ms: WallMs(at_ms),
        seq: u64::try_from(at_ms).unwrap() + u64::from(series),
        value: Value::Number(value),
        source: Source::Live,
        quality: Quality::Good,
        timed: Timed::ByDevice,
    };
    Write::Sample(sample)
}

/// Where a thing's values are.
fn series(series: u32, thing: u32, pointer: &str) -> Write {
    Write::Series { series: SeriesKey(series), thing: ThingKey(thing), pointer: pointer.into() }
}

fn at(thing: u32, kind: Kind, title: &str, at: Option<LonLat>) -> Write {
    let meta = Meta { kind, title: title.to_owned(), at, ..Meta::default() };
    Write::Thing {
        thing: ThingKey(thing),
        name: ThingName::new(format!("thing-{thing}")).unwrap(),
        meta: Box::new(meta),
    }
}

#[test]
fn maps_show_where_it_is_and_a_vehicle_where_it_was_when_its_alarm_was_raised() {
    let (stands, was) = (LonLat::new(14.5, 35.9).unwrap(), LonLat::new(14.41, 35.83).unwrap());
    let raised_at = MIDNIGHT + HOUR;
    let writes = [
        vec![at(1, Kind::Lamp, "Lamp <1>", Some(stands)), at(2, Kind::Vehicle, "Bus 7", Some(stands))],
        vec![at(3, Kind::Bin, "Bin", None)],
        vec![series(1, 2, "/lon"), series(2, 2, "/lat")],
        vec![said(1, raised_at - 1_000, was.lon_deg), said(2, raised_at - 1_000, was.lat_deg)],
        vec![said(1, raised_at + 60_000, was.lon_deg + 0.1), said(2, raised_at + 60_000, was.lat_deg)],
        alarms([
            raised(1, raised_at),
            Alarm { thing: ThingKey(2), priority: Priority::Critical, ..raised(2, raised_at) },
            Alarm { thing: ThingKey(3), ..raised(3, raised_at) },
            over(4, raised_at, ""),
            Alarm { thing: ThingKey(2), ..over(5, raised_at + 60_000, "") },
        ]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), writes.concat());
    let mut asked_for = Vec::new();
    let page = html(&reading, &asked(MIDNIGHT, MIDNIGHT + 25 * HOUR), &mut |map| {
        asked_for.push(map.clone());
        if asked_for.len() == 1 {
            Ok(Drawn { light: b"light".into(), dark: b"dark".into(), off_map: 1 })
        } else {
            Err("no <driver>".to_owned())
        }
    })
    .unwrap();
    let told: Vec<_> = asked_for.iter().map(|map| (map.heading, map.told.as_str())).collect();
    let nowhere = "2 things; nobody knows where 1 other is";
    assert_eq!(told, [("Where alarms are open", nowhere), ("Where alarms were raised", nowhere)]);
    let places: Vec<_> =
        asked_for[0].places.iter().map(|place| (place.at, place.priority, place.label.as_deref())).collect();
    // The worst lies on top; of the lamp one is open.
    assert_eq!(places, [(stands, Priority::Warning, Some("Lamp <1>")), (was, Priority::Critical, Some("Bus 7"))]);
    let bus = asked_for[1].places.iter().find(|place| place.label.as_deref() == Some("Bus 7 · 2")).unwrap();
    assert_eq!(bus.at, LonLat::new(was.lon_deg + 0.1, was.lat_deg).unwrap(), "its last alarm was elsewhere");
    let most = asked_for[1].places.iter().find(|place| place.at == stands).unwrap();
    assert_eq!((most.at, most.label.as_deref()), (stands, Some("Lamp <1> · 2")));
    for part in [
        "srcset=\"data:image/png;base64,ZGFyaw==\"",
        "src=\"data:image/png;base64,bGlnaHQ=\"",
        "alt=\"Where alarms are open: Bus 7, Lamp &lt;1&gt;\"",
        "1 is not on this map",
        "The map could not be drawn: no &lt;driver&gt;.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(is_well_formed(&page));
}

#[test]
fn a_map_shows_those_that_matter_most_and_counts_the_others() {
    let things = (10..310).map(|key| at(key, Kind::Lamp, &format!("Lamp {key}"), LonLat::new(14.5, 35.9)));
    let all = (10..310).map(|key| {
        let priority = if key == 12 { Priority::Critical } else { Priority::Warning };
        Alarm { thing: ThingKey(key), priority, ..raised(u64::from(key), MIDNIGHT + HOUR) }
    });
    let folder = tempfile::tempdir().unwrap();
    let reading = cache(folder.path(), things.chain(alarms(all)).collect());
    let mut told = Vec::new();
    html(&reading, &asked(MIDNIGHT, MIDNIGHT + 25 * HOUR), &mut |map| {
        let named = map.places.iter().filter(|place| place.label.is_some()).count();
        let top = map.places.last().unwrap().priority;
        told.push((map.places.len(), named, top, map.told.clone()));
        nobody_draws(map)
    })
    .unwrap();
    let want = (256, 4, Priority::Critical, "256 things; 44 further ones are not shown".to_owned());
    assert_eq!(told, [want.clone(), want]);
}
