//! `cargo xtask bench startup`: from exec to the first picture of a window, out of a cache of 100 000 things, without a broker.
//!
//! ```text
//! cargo xtask bench startup --json -- --things 100000 --times 9
//! ```
//!
//! Each start is a process of its own: this program once more, told to be the app without a screen. It opens the profile, whose
//! broker does not exist, attaches a window that looks at the status and the map, and says so when both have come with every thing.
//! The clock starts before exec and stops when that is read. *Cold* starts have the cache read from the disk, the program's own
//! file not. The baselines: the same program with an empty cache, which is what a start costs that has nothing to read; and a
//! walk over plain tables with the same names, descriptions and latest values, which is what reading costs that makes nothing of it.
//!
//! The window's own first frame is measured where there is a window: `first_live_ms` of `cargo xtask run --summary`.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetlens_host::{BrokerChoice, Host, HostOptions, Profile};
use fleetlens_ipc::map::ROW_BYTES;
use fleetlens_ipc::rows::Rows;
use fleetlens_ipc::{CONTRACT, Call, Frame, Look, Parcel, ViewId, decode, encode};
use fleetlens_model::geo::{GeoBox, LonLat};
use fleetlens_model::id::{SeriesKey, ThingKey, ThingName};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::{Document, Object};
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed, Value};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;
use fleetlens_tests::bench::plain::Facts;
use fleetlens_tests::bench::samples::{POINTERS, SERIES};
use fleetlens_tests::bench::{
    Arguments, Failure, Report, bytes_of, folder_on_a_disk, forget_pages, median, ms, quantile,
};
use fleetlens_tests::lamp::now_ms;
use fleetlens_tests::profile::ProfileText;
use serde_json::json;
use tokio::sync::mpsc;

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Tells this program to be the app; the folder of the profile and how many things there must be come after it.
const CHILD: &str = "be-the-app";
const NAME: &str = "Startup";
/// Milliseconds that a start may take with 100 000 things.
const GOAL_MS: f64 = 400.0;
/// A broken start ends here.
const WITHIN: Duration = Duration::from_secs(60);
/// Every third thing has a shadow.
const SHADOWED: u32 = 3;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [child, folder, things] = words.as_slice()
        && child == CHILD
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(be_the_app(Path::new(folder), things.parse()?));
    }
    let arguments = Arguments::read(&["things", "times"])?;
    let things: u32 = arguments.number("things", 100_000, 10_000)?;
    let times: usize = arguments.number("times", 9, 3)?;

    let folder = folder_on_a_disk()?;
    let cache = make(&folder.path().join("full"), things)?;
    let empty = make(&folder.path().join("empty"), 0)?;
    let facts = folder.path().join("plain.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(fill(&cache, things))?;
    runtime.block_on(fill(&empty, 0))?;
    Facts::write(&facts, city(things).iter())?;

    let mut warm = starts(&cache, things, times, false)?;
    let mut cold = starts(&cache, things, times, true)?;
    let mut nothing = starts(&empty, 0, times, false)?;
    let mut walks = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        let read = Facts::read(&facts)?;
        walks.push(ms(start.elapsed()));
        let wanted = (u64::from(things), u64::from(things) * u64::from(SERIES));
        if read != wanted {
            return Err(format!("the plain tables hold {read:?} of {wanted:?} things and values").into());
        }
    }

    let mut report = Report::new("startup");
    report.setting("things", things);
    report.setting("series", things * SERIES);
    report.setting("shadows", things.div_ceil(SHADOWED));
    report.figure("cache_bytes", bytes_of(&cache));
    for (name, times) in [("warm", &mut warm), ("cold", &mut cold), ("empty", &mut nothing), ("plain_walk", &mut walks)]
    {
        times.sort_by(f64::total_cmp);
        report.figure(&format!("{name}_ms"), json!({ "median": median(times), "worst": quantile(times, 1.0) }));
    }
    report.ratio("warm_to_empty", median(&warm), median(&nothing));
    report.ratio("warm_to_plain_walk", median(&warm), median(&walks));
    report.at_most("warm_ms", median(&warm), GOAL_MS);
    report.at_most("cold_ms", median(&cold), GOAL_MS);
    report.print(&arguments);
    Ok(())
}

/// A folder with a profile whose broker is not there; returns where its cache is to be.
fn make(folder: &Path, things: u32) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder.join("data"))?;
    // The port of "discard": nobody listens, and who connects is told so at once.
    let profile = ProfileText::new(NAME, "mqtt://127.0.0.1:9".to_owned()).write(folder);
    debug_assert!(things < u32::MAX / SERIES);
    Ok(folder.join("data").join(Profile::read(&profile)?.cache_file()))
}

/// What a cache of so many things holds: each with a description, five series with a latest value, and every third with a shadow.
fn city(things: u32) -> Vec<Write> {
    let mut writes = Vec::new();
    let now = now_ms();
    for thing in 1..=things {
        let at = LonLat {
            lon_deg: 14.2 + f64::from(thing % 400) / 1_000.0,
            lat_deg: 35.8 + f64::from(thing / 400) / 2_500.0,
        };
        let meta = Meta {
            kind: Kind::Lamp,
            title: format!("Lamp {thing:06}"),
            at: Some(at),
            area: format!("Area {}", thing % 68),
            street: format!("Triq {}", thing % 3_000),
            units: [("/dim_pct", "%"), ("/power_w", "W"), ("/temp_c", "°C")]
                .map(|(p, u)| (p.to_owned(), u.to_owned()))
                .to_vec(),
            ..Meta::default()
        };
        let Ok(name) = ThingName::new(format!("lamp-{thing:06}")) else { continue };
        let thing_key = ThingKey(thing);
        writes.push(Write::Thing { thing: thing_key, name, meta: Box::new(meta) });
        for (n, pointer) in (0..).zip(POINTERS) {
            let series = SeriesKey((thing - 1) * SERIES + n + 1);
            writes.push(Write::Series { series, thing: thing_key, pointer: pointer.to_owned() });
            writes.push(Write::Sample(Sample {
                series,
                device_ms: WallMs(now - i64::from(thing % 60) * 1_000),
                received_ms: WallMs(now),
                seq: u64::from(series.0),
                value: if n == 1 { Value::Flag(true) } else { Value::Number(f64::from(thing % 1_000) / 10.0) },
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            }));
        }
        if thing % SHADOWED == 0 {
            let section = |dim_pct: u32| -> Object {
                let leaves = [("dim_pct", json!(dim_pct)), ("on", json!(true)), ("firmware", json!("2.4.1"))];
                leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            };
            let document =
                Document { desired: Some(section(80)), reported: Some(section(80)), version: 3, ..Document::default() };
            writes.push(Write::Shadow {
                thing: thing_key,
                name: String::new(),
                document: Some(Box::new(document)),
                heard_ms: WallMs(now),
            });
        }
    }
    writes
}

async fn fill(cache: &Path, things: u32) -> Result<(), Failure> {
    let (store, _) = Store::open(cache, NAME, 1)?;
    for batch in city(things).chunks(20_000) {
        store.commit(Arc::new(batch.to_vec())).await?;
    }
    Ok(store.close().await?)
}

/// Milliseconds of so many starts.
fn starts(cache: &Path, things: u32, times: usize, cold: bool) -> Result<Vec<f64>, Failure> {
    let folder = cache.parent().and_then(Path::parent).ok_or("the cache lies in a folder")?;
    let mut taken = Vec::new();
    // The first is warm at the latest after itself.
    for n in 0..=times {
        if cold {
            forget_pages(cache)?;
        }
        let start = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .arg(folder)
            .arg(things.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let took = start.elapsed();
        if !child.wait()?.success() || line.trim() != "ready" {
            return Err(format!("the app did not start: {line:?}").into());
        }
        if n > 0 {
            taken.push(ms(took));
        }
    }
    Ok(taken)
}

/// The app without a screen, until its window has the first picture.
async fn be_the_app(folder: &Path, things: usize) -> Result<(), Failure> {
    let options = HostOptions {
        profile: Some(folder.join("profile.toml")),
        demo: None,
        broker: BrokerChoice::Own,
        ..HostOptions::demo(folder.join("data"))
    };
    let host = Host::start(options).await?;
    let (sent, mut parcels) = mpsc::unbounded_channel();
    let sink = move |bytes| if sent.send(bytes).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let window = host.attach(Box::new(sink)).await?;
    let whole = GeoBox { west_deg: -180.0, south_deg: -85.0, east_deg: 180.0, north_deg: 85.0 };
    for call in [
        Call::Hello { contract: CONTRACT },
        Call::Look { view: ViewId(1), at: Look::Status },
        Call::Look { view: ViewId(2), at: Look::Map { area: whole } },
    ] {
        host.call(window, &encode(&call)?).await?;
    }
    let (mut status, mut map) = (false, false);
    while !(status && map) {
        let bytes = tokio::time::timeout(WITHIN, parcels.recv()).await?.ok_or("the host let go of the window")?;
        let parcel: Parcel = decode(&bytes)?;
        for frame in parcel.frames {
            if let Frame::Snapshot { rows, .. } = frame {
                status |= matches!(rows, Rows::Status(_));
                map |= matches!(rows, Rows::Map(packed) if packed.len() == things * ROW_BYTES);
            }
        }
        host.call(window, &encode(&Call::Seen { parcel: parcel.number })?).await?;
    }
    println!("ready");
    host.stop().await;
    Ok(())
}
