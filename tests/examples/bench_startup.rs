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
//! The window's own first frame is `cargo xtask bench opening`.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::map::ROW_BYTES;
use fleetlens_ipc::rows::Rows;
use fleetlens_ipc::{CONTRACT, Call, Frame, Look, Parcel, ViewId, decode, encode};
use fleetlens_model::geo::GeoBox;
use fleetlens_tests::bench::plain::Facts;
use fleetlens_tests::bench::resting::{self, SHADOWED};
use fleetlens_tests::bench::samples::SERIES;
use fleetlens_tests::bench::{
    Arguments, Failure, Report, bytes_of, folder_on_a_disk, forget_pages, median, ms, quantile,
};
use serde_json::json;
use tokio::sync::mpsc;

/// That of the programs that users get.
#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Tells this program to be the app; the folder of the profile and how many things there must be come after it.
const CHILD: &str = "be-the-app";
/// Milliseconds that a start may take with 100 000 things.
const GOAL_MS: f64 = 400.0;
/// A broken start ends here.
const WITHIN: Duration = Duration::from_secs(60);

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
    let (full, nobody) = (folder.path().join("full"), folder.path().join("empty"));
    let facts = folder.path().join("plain.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let cache = runtime.block_on(resting::cache(&full, things))?;
    let empty = runtime.block_on(resting::cache(&nobody, 0))?;
    Facts::write(&facts, resting::city(things).iter())?;

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
