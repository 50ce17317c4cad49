//! `cargo xtask bench find`: how long a query over 100 000 things takes, from the look of a window to the parcel with the table's first
//! rows, beside a plain scan that asks each thing's words whether they hold one.
//!
//! ```text
//! cargo xtask bench find --json -- --things 100000 --times 60
//! ```
//!
//! The engine alone, without link and disk, by a clock that this program sets: lamps, bins, chargers and gateways out of a cache, with
//! five values each, three in four with a shadow, some of which wants what is not reported, and some silent with an alarm. Before it is
//! measured every shadow has been judged, and the words and the order of titles are made, as they are after the first look of a run
//! (`first_look_ms`). Each query is asked anew each time (`again`), so nothing of the time before is kept. `board_step` is one step of
//! the actor while a board of seven widgets is open and the whole city changes.

use std::hint::black_box;
use std::time::Instant;

use fleetlens_engine::config::FleetConfig;
use fleetlens_engine::fleet::{Dirty, Effects, Fleet, Input};
use fleetlens_engine::port::{LinkEvent, WindowId};
use fleetlens_engine::window::Windows;
use fleetlens_ipc::boards::Asked;
use fleetlens_ipc::rows::{Rows, ThingsPage};
use fleetlens_ipc::{CONTRACT, Call, Frame, Look, ThingsQuery, ViewId};
use fleetlens_model::alarm::Rule;
use fleetlens_model::board::Of;
use fleetlens_model::geo::LonLat;
use fleetlens_model::group::Group;
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::query::Query;
use fleetlens_model::record::Restored;
use fleetlens_model::search::found_by;
use fleetlens_model::shadow::{Document, Object, Packed};
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_tests::bench::{Arguments, Failure, Report, median, ms, quantile};
use serde_json::json;

const WINDOW: WindowId = WindowId(1);
const VIEW: ViewId = ViewId(1);

/// What one look may take, in milliseconds.
const GOAL_MS: f64 = 10.0;

/// Rows that a window sees of a table.
const ROWS: u32 = 60;

/// Until everything is judged and who says nothing is silent, in seconds of the engine's clock.
const SETTLES_S: u64 = 240;

/// Name, text, and whether it may find nothing.
const QUERIES: [(&str, &str); 16] = [
    ("word", "lamp"),
    ("words", "triq 70 lamp"),
    ("rare_word", "0417"),
    ("prefix", "thingName:lamp-00*"),
    ("kind", "kind:lamp"),
    ("place", "area:\"Area 7\" OR street:\"Triq 70\""),
    ("value", "fill_pct>80"),
    ("kind_and_value", "kind:bin AND fill_pct:[80 TO 100]"),
    ("shadow", "shadow.reported.dim_pct:[50 TO 100]"),
    ("issue", "kind:lamp AND shadow.reported.dim_pct:[50 TO 100] AND NOT connectivity.connected:true"),
    ("disconnected", "NOT connectivity.connected:true"),
    ("delta", "hasDelta:true"),
    ("group", "group:\"Harbour crew\""),
    ("alarms", "alarm.active:true AND kind:lamp"),
    ("age", "age:<10m"),
    ("near", "near:35.89,14.50,500m"),
];

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["things", "times"])?;
    let things: u32 = arguments.number("things", 100_000, 5_000)?;
    let times: usize = arguments.number("times", 60, 5)?;
    let mut report = Report::new("find");
    report.setting("things", things);
    report.setting("times", u64::try_from(times)?);
    let mut bench = Bench::new(things)?;

    let begun = Instant::now();
    bench.look("lamp")?;
    report.figure("first_look_ms", ms(begun.elapsed()));

    let words = bench.words(things);
    let mut scans: Vec<f64> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            black_box(words.iter().filter(|words| words.contains(black_box("lamp"))).count());
            ms(begun.elapsed())
        })
        .collect();
    scans.sort_by(f64::total_cmp);
    let baseline_ms = median(&scans);
    report.figure("baseline_scan_ms", json!({ "median": baseline_ms, "p95": quantile(&scans, 0.95) }));

    for (name, text) in QUERIES {
        let mut spent = Vec::with_capacity(times);
        let mut total = 0;
        for _ in 0..times {
            let begun = Instant::now();
            let page = bench.look(text)?;
            spent.push(ms(begun.elapsed()));
            if let Some(mistake) = page.mistake {
                return Err(format!("{text}: {}", mistake.message).into());
            }
            total = page.total;
        }
        if total == 0 || total == things {
            return Err(format!("{text} finds {total} of {things}: that measures nothing").into());
        }
        spent.sort_by(f64::total_cmp);
        let p95_ms = quantile(&spent, 0.95);
        report.figure(name, json!({ "median_ms": median(&spent), "p95_ms": p95_ms, "finds": total, "query": text }));
        report.at_most(&format!("{name}_p95_ms"), p95_ms, GOAL_MS);
        if name == "word" {
            report.ratio("word_to_scan", median(&spent), baseline_ms);
        }
    }
    let mut steps = bench.board(times)?;
    steps.sort_by(f64::total_cmp);
    let p95_ms = quantile(&steps, 0.95);
    report.figure("board_step", json!({ "median_ms": median(&steps), "p95_ms": p95_ms, "steps": steps.len() }));
    report.at_most("board_step_p95_ms", p95_ms, GOAL_MS);
    report.print(&arguments);
    Ok(())
}

/// What the operator's board asks.
fn board() -> Vec<Asked> {
    let figure = |query: &str, of, value: &str| Asked::Figure { query: query.into(), of, value: value.into() };
    vec![
        figure("connectivity.connected:false", Of::Count, ""),
        figure("kind:lamp AND on:true", Of::Count, ""),
        figure("kind:lamp", Of::Sum, "/power_w"),
        figure("kind:bin", Of::Mean, "/fill_pct"),
        Asked::Alarms { unseen: true, query: String::new() },
        Asked::Map { query: "status:(warning OR critical)".into(), area: None },
        Asked::Table { query: "kind:bin AND fill_pct>80".into(), values: vec!["/fill_pct".into()] },
    ]
}

fn at(s: u64) -> Now {
    Now { wall: WallMs(1_800_000_000_000 + i64::try_from(s).unwrap_or(0) * 1_000), mono: MonoMs(s * 1_000) }
}

struct Bench {
    fleet: Fleet,
    windows: Windows,
}

impl Bench {
    fn new(things: u32) -> Result<Bench, Failure> {
        let crew = Group {
            name: "Harbour crew".into(),
            search: Some(Query::read("area:\"Area 3\" NOT kind:gateway")?),
            ..Group::default()
        };
        let config = FleetConfig { rules: Rule::usual(), groups: vec![crew], ..FleetConfig::default() };
        let mut fleet = Fleet::new(config, restored(things)?, at(0));
        let up = LinkEvent::Up { resumed: false, granted: 1 };
        fleet.handle(Input::Link(up), at(1), &mut Effects::default());
        for s in 1..SETTLES_S {
            fleet.handle(Input::Ticked, at(s), &mut Effects::default());
        }
        let mut windows = Windows::default();
        windows.attach(WINDOW);
        windows.call(WINDOW, Call::Hello { contract: CONTRACT }, &mut fleet, at(SETTLES_S));
        windows.soil(&fleet.take_dirty(), &fleet);
        Ok(Bench { fleet, windows })
    }

    /// From the look to its parcel.
    fn look(&mut self, text: &str) -> Result<ThingsPage, Failure> {
        let query = ThingsQuery { text: text.to_owned(), ..ThingsQuery::default() };
        let look = Look::Things { query, first: 0, count: ROWS, again: true };
        self.windows.call(WINDOW, Call::Look { view: VIEW, at: look }, &mut self.fleet, at(SETTLES_S));
        let mut found = None;
        for (window, parcel) in self.windows.parcels(&self.fleet, at(SETTLES_S)) {
            self.windows.call(window, Call::Seen { parcel: parcel.number }, &mut self.fleet, at(SETTLES_S));
            for frame in parcel.frames {
                if let Frame::Snapshot { rows: Rows::Things(page), .. } = frame {
                    found = Some(page);
                }
            }
        }
        found.ok_or_else(|| format!("{text}: no table came").into())
    }

    /// The steps in which a board is told while the whole city changes each second: milliseconds each.
    fn board(&mut self, times: usize) -> Result<Vec<f64>, Failure> {
        let asked = board();
        let widgets = asked.len();
        self.windows.call(WINDOW, Call::Look { view: VIEW, at: Look::Board { asked } }, &mut self.fleet, at(SETTLES_S));
        let (mut steps, mut told) = (Vec::new(), 0);
        for nth in 1..=u64::try_from(times * widgets)? {
            let now = at(SETTLES_S + nth);
            self.windows.soil(&Dirty { everything: true, ..Dirty::default() }, &self.fleet);
            let begun = Instant::now();
            let parcels = self.windows.parcels(&self.fleet, now);
            steps.push(ms(begun.elapsed()));
            for (window, parcel) in parcels {
                told += parcel.frames.len();
                self.windows.call(window, Call::Seen { parcel: parcel.number }, &mut self.fleet, now);
            }
        }
        if told < widgets {
            return Err("the board was told next to nothing: that measures nothing".into());
        }
        Ok(steps)
    }

    /// What each thing is found by, for the plain scan.
    fn words(&self, things: u32) -> Vec<String> {
        (1..=things)
            .map(|thing| {
                let (meta, name) = described(thing);
                found_by(&meta.title, &name, &meta.street, &meta.area)
            })
            .collect()
    }
}

const KINDS: [(Kind, &str, [&str; 5]); 4] = [
    (Kind::Lamp, "lamp", ["/dim_pct", "/on", "/power_w", "/temp_c", "/burning_h"]),
    (Kind::Bin, "bin", ["/fill_pct", "/temp_c", "/battery_pct", "/tipped", "/interval_s"]),
    (Kind::Lamp, "lamp", ["/dim_pct", "/on", "/power_w", "/temp_c", "/burning_h"]),
    (Kind::Charger, "charger", ["/power_kw", "/session_kwh", "/limit_kw", "/meter_kwh", "/interval_s"]),
];

fn kind_of(thing: u32) -> (Kind, &'static str, [&'static str; 5]) {
    if thing.is_multiple_of(500) {
        return (Kind::Gateway, "gateway", ["/heard", "/carries", "/rssi_dbm", "/uptime_h", "/interval_s"]);
    }
    KINDS.get(thing as usize % KINDS.len()).copied().unwrap_or(KINDS[0])
}

fn described(thing: u32) -> (Meta, String) {
    let (kind, word, _) = kind_of(thing);
    // Spread like titles of people: not in the order of the keys.
    let number = thing.wrapping_mul(7_919) % 100_003;
    let lon = 14.40 + f64::from(number % 400) / 2_000.0;
    let lat = 35.82 + f64::from(number / 400) / 2_000.0;
    let meta = Meta {
        kind,
        title: format!("{} {number}", kind.singular()),
        at: LonLat::new(lon, lat),
        area: format!("Area {}", number % 68),
        street: format!("Triq {}", number % 3_000),
        // One in fifty should have spoken long ago.
        interval_s: if thing.is_multiple_of(50) { 30 } else { 3_600 },
        ..Meta::default()
    };
    (meta, format!("{word}-{thing:06}"))
}

fn restored(things: u32) -> Result<Restored, Failure> {
    let mut restored =
        Restored { last_seq: u64::from(things) * 5, link_seen_ms: Some(at(0).wall), ..Restored::default() };
    for thing in 1..=things {
        let key = ThingKey(thing);
        let (meta, name) = described(thing);
        let (kind, _, pointers) = kind_of(thing);
        let meta = restored.commons.describe(meta, &mut restored.texts);
        restored.things.push((key, ThingName::new(name)?, meta));
        let number = thing.wrapping_mul(7_919) % 1_000;
        for (n, pointer) in (0..).zip(pointers) {
            let series = SeriesKey((thing - 1) * 5 + n + 1);
            restored.series.push((series, key, restored.texts.get(pointer)));
            restored.latest.push(Sample {
                series,
                device_ms: at(0).wall.plus(-i64::from(number) * 1_000),
                received_ms: at(0).wall,
                seq: u64::from(series.0),
                value: if n == 1 { Value::Flag(true) } else { Value::Number(f64::from(number) / 10.0) },
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            });
        }
        if kind != Kind::Bin {
            let section = |dim_pct: u32| -> Object {
                let leaves = [("dim_pct", json!(dim_pct)), ("on", json!(true)), ("firmware", json!("2.4.1"))];
                leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            };
            let wants = if thing.is_multiple_of(40) { 5 } else { 0 };
            let document = Document {
                desired: Some(section(number % 100 + wants)),
                reported: Some(section(number % 100)),
                version: 3,
                ..Document::default()
            };
            let packed = Packed::of(&document, &mut restored.texts);
            restored.shadows.push((key, restored.texts.get(""), packed, at(0).wall));
        }
    }
    Ok(restored)
}
