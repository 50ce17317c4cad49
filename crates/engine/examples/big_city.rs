//! What a city of 100 000 things costs the engine: looks at the table, the frames after it, and messages in.
//! `cargo run --release -p fleetlens-engine --example big_city`

use std::error::Error;
use std::time::Instant;

use fleetlens_engine::config::{FleetConfig, TelemetryRule};
use fleetlens_engine::fleet::{Effects, Fleet, Input};
use fleetlens_engine::ipc::{CONTRACT, Call, Look, Only, SortBy, ThingsQuery, ViewId};
use fleetlens_engine::model::geo::LonLat;
use fleetlens_engine::model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_engine::model::kind::Kind;
use fleetlens_engine::model::record::Restored;
use fleetlens_engine::model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_engine::model::thing::Meta;
use fleetlens_engine::model::time::{MonoMs, Now, WallMs};
use fleetlens_engine::port::{LinkEvent, Received, WindowId};
use fleetlens_engine::window::Windows;
use fleetlens_engine::wire::pointer::Pointer;
use fleetlens_engine::wire::telemetry::Reading;
use fleetlens_engine::wire::template::Template;

const THINGS: u32 = 100_000;
const MESSAGES: u32 = 50_000;
const WINDOW: WindowId = WindowId(1);

fn at(s: u64) -> Now {
    Now { wall: WallMs(1_800_000_000_000 + s as i64 * 1000), mono: MonoMs(s * 1000) }
}

/// What the cache would give back: lamps, bins and vehicles in forty streets.
fn restored() -> Result<Restored, Box<dyn Error>> {
    let kinds = [Kind::Lamp, Kind::Bin, Kind::Vehicle];
    let mut restored = Restored { last_seq: u64::from(THINGS), ..Restored::default() };
    for (i, kind) in (1..=THINGS).zip(kinds.into_iter().cycle()) {
        // Spread like titles of people: not in the order of the keys.
        let number = i.wrapping_mul(7_919) % THINGS;
        let meta = Meta {
            kind,
            title: format!("{} {number}", kind.singular()),
            at: LonLat::new(14.2 + f64::from(number % 500) / 1000.0, 35.8 + f64::from(number % 300) / 1000.0),
            area: format!("Area {}", number % 9),
            street: format!("Triq {}", number % 40),
            interval_s: 30,
            ..Meta::default()
        };
        let series = SeriesKey(i);
        let sample = Sample {
            series,
            device_ms: at(0).wall.plus(-i64::from(number)),
            received_ms: at(0).wall,
            seq: u64::from(i),
            value: Value::Number(f64::from(number % 1000)),
            source: Source::Live,
            quality: Quality::Good,
            timed: Timed::ByDevice,
        };
        let pointer = kind.main_field().map_or("/x", |field| field.pointer);
        let meta = restored.commons.describe(meta, &mut restored.texts);
        restored.things.push((ThingKey(i), ThingName::new(format!("t-{i}"))?, meta));
        restored.series.push((series, ThingKey(i), pointer.into()));
        restored.latest.push(sample);
    }
    Ok(restored)
}

fn message(i: u32, s: u64) -> Input {
    let thing = i.wrapping_mul(31) % THINGS + 1;
    let payload =
        format!(r#"{{"ts":{},"values":{{"speed_kmh":{},"battery_pct":71.5,"state":"on"}}}}"#, at(s).wall.0, i % 90);
    Input::Link(LinkEvent::Received(Received {
        topic: format!("city/t-{thing}/telemetry"),
        payload: payload.into_bytes(),
        retained: false,
        redelivered: false,
        packet_id: 0,
        properties: None,
        delivery: None,
    }))
}

fn timed<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let out = f();
    println!("{what:<52} {:>9.2} ms", begun.elapsed().as_secs_f64() * 1000.0);
    out
}

fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = vec![TelemetryRule {
        template: Template::parse("city/{thing}/telemetry")?,
        reading: Reading {
            envelope: Pointer::parse("/values")?,
            time: Some(Pointer::parse("/ts")?),
            ..Reading::default()
        },
        kind: None,
        interval_s: None,
    }];
    let config = FleetConfig { telemetry, ..FleetConfig::default() };
    let restored = restored()?;
    let mut fleet = timed("fleet from the cache", || Fleet::new(config, restored, at(1)));
    let mut windows = Windows::default();
    windows.attach(WINDOW);
    windows.call(WINDOW, Call::Hello { contract: CONTRACT }, &mut fleet, at(1));
    fleet.handle(Input::Link(LinkEvent::Up { resumed: false, granted: 1 }), at(1), &mut Effects::default());
    windows.soil(&fleet.take_dirty(), &fleet);

    let frame = |what: &str, windows: &mut Windows, fleet: &mut Fleet, s: u64| {
        let parcels = timed(what, || {
            windows.soil(&fleet.take_dirty(), fleet);
            windows.parcels(fleet, at(s))
        });
        for (window, parcel) in parcels {
            windows.call(window, Call::Seen { parcel: parcel.number }, fleet, at(s));
        }
    };
    let here = LonLat { lon_deg: 14.5, lat_deg: 35.9 };
    for sort in [SortBy::Title, SortBy::Kind, SortBy::Place, SortBy::Value, SortBy::Heard, SortBy::Distance(here)] {
        let look = |first, again| Look::Things {
            query: ThingsQuery { sort, ..ThingsQuery::default() },
            first,
            count: 100,
            again,
        };
        windows.call(WINDOW, Call::Look { view: ViewId(1), at: look(0, true) }, &mut fleet, at(2));
        frame(&format!("table by {sort:?}: first look"), &mut windows, &mut fleet, 2);
        windows.call(WINDOW, Call::Look { view: ViewId(1), at: look(50_000, false) }, &mut fleet, at(2));
        frame("  another stretch", &mut windows, &mut fleet, 2);
    }
    let words = ThingsQuery { text: "triq 7 lamp".into(), only: Only::All, ..ThingsQuery::default() };
    let look = Look::Things { query: words, first: 0, count: 100, again: false };
    windows.call(WINDOW, Call::Look { view: ViewId(1), at: look }, &mut fleet, at(2));
    frame("table of what holds three words: first look", &mut windows, &mut fleet, 2);

    let by_value = ThingsQuery { sort: SortBy::Value, ..ThingsQuery::default() };
    let look = Look::Things { query: by_value, first: 0, count: 500, again: false };
    windows.call(WINDOW, Call::Look { view: ViewId(1), at: look }, &mut fleet, at(2));
    frame("table by value, 500 rows: first look", &mut windows, &mut fleet, 2);
    windows.call(WINDOW, Call::Look { view: ViewId(2), at: Look::Status }, &mut fleet, at(2));
    frame("status", &mut windows, &mut fleet, 3);

    let messages: Vec<Input> = (0..MESSAGES).map(|i| message(i, 4)).collect();
    let mut effects = Effects::default();
    timed(&format!("{MESSAGES} messages in"), || {
        messages.into_iter().for_each(|message| fleet.handle(message, at(4), &mut effects));
    });
    frame("a frame after them", &mut windows, &mut fleet, 4);
    frame("a frame that counts what would move", &mut windows, &mut fleet, 60);
    Ok(())
}
